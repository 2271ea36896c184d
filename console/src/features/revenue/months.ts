/** "2026-11" of an instant; bills are calendar months in UTC. */
export const monthOf = (at: number) => new Date(at).toISOString().slice(0, 7);
/** `n` months before (after, when negative) a month. */
export function monthsBefore(month: string, n: number): string {
  const [year, m] = month.split('-').map(Number) as [number, number];
  return new Date(Date.UTC(year, m - 1 - n, 1)).toISOString().slice(0, 7);
}
/** The last `n` months, newest first. */
export const lastMonths = (now: number, n: number) => Array.from({ length: n }, (_, i) => monthsBefore(monthOf(now), i));
export const isMonth = (raw: unknown): raw is string => typeof raw === 'string' && /^\d{4}-(0[1-9]|1[0-2])$/.test(raw);
