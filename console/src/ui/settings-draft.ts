import type { Setting, SettingValue } from '../api';

/** What was changed and not yet saved: a value, or null for "as inherited". */
export type Draft = Readonly<Record<string, SettingValue | null>>;
/** What the control shows. Taken back, the value that will count is not known before it is saved: the default stands for it. */
export const shownValue = (s: Setting, draft: Draft): SettingValue | null => (s.key in draft ? (draft[s.key] ?? s.default) : s.value);
/** Setting what counts already, and taking back what was never set, is no change. */
export function changed(s: Setting, draft: Draft, value: SettingValue | null): Draft {
  const next = { ...draft };
  const none = value === null ? s.own === null : s.own === null ? value === s.value : value === s.own;
  if (none) delete next[s.key]; else next[s.key] = value;
  return next;
}
/** Numbers outside their bounds, by key. */
export function outOfBounds(settings: readonly Setting[], draft: Draft): Record<string, { min: number | null; max: number | null }> {
  const out: Record<string, { min: number | null; max: number | null }> = {};
  for (const s of settings) {
    const v = draft[s.key];
    if (s.kind !== 'number' || v === undefined || v === null) continue;
    const n = Number(v);
    const [min, max] = [s.min ?? null, s.max ?? null];
    if (v === '' || !Number.isInteger(n) || (min !== null && n < min) || (max !== null && n > max)) out[s.key] = { min, max };
  }
  return out;
}
