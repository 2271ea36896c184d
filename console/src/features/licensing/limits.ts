import { LIMITS, type Enforcement, type LicenceRow, type LicenceType, type Limit, type LimitState } from '../../api';

export type Source = 'plan' | 'own' | 'unlimited';
/** One limit in the form. `inherit`: as the provider's settings say. */
export interface LimitForm { source: Source; max: number | string; enforcement: Enforcement | 'inherit'; also_blocks: string[] }
export type LicenceForm = { type: LicenceType } & Record<Limit, LimitForm>;

export const limitForm = (s: LimitState): LimitForm => ({ source: s.own ? (s.max === null ? 'unlimited' : 'own') : 'plan', max: s.own && s.max !== null ? s.max : '', enforcement: s.enforcement, also_blocks: s.also_blocks });
export const licenceForm = (row: LicenceRow): LicenceForm => ({ type: row.type, ...(Object.fromEntries(LIMITS.map((l) => [l, limitForm(row.limits[l])])) as Record<Limit, LimitForm>) });
const sentMax = (f: LimitForm) => (f.source === 'plan' ? 'plan' : f.source === 'unlimited' ? null : Number(f.max));
const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((x) => b.includes(x));

/** Only what differs is sent: a limit that nobody touched stays as inherited as it was. */
export function licenceChange(row: LicenceRow, form: LicenceForm): { type?: LicenceType; limits?: Partial<Record<Limit, Record<string, unknown>>> } {
  const limits: Partial<Record<Limit, Record<string, unknown>>> = {};
  for (const l of LIMITS) {
    const [was, is] = [limitForm(row.limits[l]), form[l]];
    const change = {
      ...(sentMax(was) !== sentMax(is) ? { max: sentMax(is) } : {}), ...(was.enforcement !== is.enforcement ? { enforcement: is.enforcement } : {}),
      ...(same(was.also_blocks, is.also_blocks) ? {} : { also_blocks: is.also_blocks }),
    };
    if (Object.keys(change).length > 0) limits[l] = change;
  }
  return { ...(form.type === row.type ? {} : { type: form.type }), ...(Object.keys(limits).length > 0 ? { limits } : {}) };
}
/** How much more there is than the limit typed; 0 when it fits or is not the row's own. */
export function overBy(state: LimitState, form: LimitForm): number {
  return form.source === 'own' && form.max !== '' ? Math.max(0, state.used - Number(form.max)) : 0;
}
export const badMax = (form: LimitForm) => form.source === 'own' && (form.max === '' || !Number.isInteger(Number(form.max)) || Number(form.max) < 0);
