import { LIMITS, MODULES, type Limit, type Plan, type PlanTerms } from '../../api';

/** What a form holds: empty is unlimited, prices are in whole units of the currency. */
export interface TermsForm { modules: string[]; limits: Record<Limit, number | string>; month: number | string; seat: number | string; currency: string; trial_days: number | string }
/** Millionths, rounded: 12.34 is not exactly 12340000 before. */
export const toMicros = (amount: number | string) => Math.round(Number(amount || 0) * 1e6);

export const emptyTerms = (currency: string): TermsForm => ({ modules: ['compliance'], limits: { seats: '', automations: '', resources: '', api_keys: '' }, month: 0, seat: 0, currency, trial_days: 0 });
export const termsForm = (p: PlanTerms): TermsForm => ({
  modules: p.modules, limits: Object.fromEntries(LIMITS.map((l) => [l, p.limits[l] ?? ''])) as TermsForm['limits'], month: p.price.month / 1e6, seat: p.price.seat / 1e6, currency: p.price.currency, trial_days: p.trial_days,
});
export const termsOf = (f: TermsForm): PlanTerms => ({
  modules: MODULES.filter((m) => f.modules.includes(m)), limits: Object.fromEntries(LIMITS.map((l) => [l, f.limits[l] === '' ? null : Number(f.limits[l])])) as PlanTerms['limits'],
  price: { month: toMicros(f.month), seat: toMicros(f.seat), currency: f.currency.trim().toUpperCase() }, trial_days: Number(f.trial_days || 0),
});

export type TermChange = { what: 'module'; opens: boolean; module: string } | { what: 'limit'; limit: Limit; from: number | null; to: number | null } | { what: 'month' | 'seat'; from: number; to: number; currency: string } | { what: 'trial'; from: number; to: number };
/** What a newer version of a plan does differently. Nothing: only words changed. */
export function termChanges(from: PlanTerms, to: PlanTerms): TermChange[] {
  const out: TermChange[] = [];
  for (const module of to.modules) if (!from.modules.includes(module)) out.push({ what: 'module', opens: true, module });
  for (const module of from.modules) if (!to.modules.includes(module)) out.push({ what: 'module', opens: false, module });
  for (const limit of LIMITS) if (from.limits[limit] !== to.limits[limit]) out.push({ what: 'limit', limit, from: from.limits[limit], to: to.limits[limit] });
  for (const what of ['month', 'seat'] as const) if (from.price[what] !== to.price[what] || from.price.currency !== to.price.currency) out.push({ what, from: from.price[what], to: to.price[what], currency: to.price.currency });
  if (from.trial_days !== to.trial_days) out.push({ what: 'trial', from: from.trial_days, to: to.trial_days });
  return out;
}
/** The currency most plans have, for the next one. */
export function usualCurrency(plans: readonly Plan[]): string {
  const counts = new Map<string, number>();
  for (const p of plans) counts.set(p.price.currency, (counts.get(p.price.currency) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'EUR';
}
