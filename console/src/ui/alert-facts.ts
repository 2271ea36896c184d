import type { Facts } from '../api';

/** What an alert's facts say, by whichever of the names they use. */
const pick = <T>(facts: Facts, names: readonly string[], is: (v: unknown) => v is T): T | null => { for (const n of names) { const v = facts[n]; if (is(v)) return v; } return null; };
const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
const isInstant = (v: unknown): v is string => typeof v === 'string' && /^\d{4}-\d\d-\d\d/.test(v) && !Number.isNaN(Date.parse(v));
export const numberOf = (facts: Facts, ...names: string[]) => pick(facts, names, isNumber);
export const instantOf = (facts: Facts, ...names: string[]) => pick(facts, names, isInstant);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Until when an alert may sleep: an hour, tomorrow at eight, next Monday at eight, thirty days. */
export const SNOOZES = ['hour', 'tomorrow', 'week', 'month'] as const;
export function snoozeUntil(preset: (typeof SNOOZES)[number], now: Date): Date {
  if (preset === 'hour') return new Date(now.getTime() + HOUR_MS);
  if (preset === 'month') return new Date(now.getTime() + 30 * DAY_MS);
  const day = new Date(now);
  day.setDate(day.getDate() + (preset === 'tomorrow' ? 1 : ((8 - day.getDay()) % 7 || 7)));
  day.setHours(8, 0, 0, 0);
  return day;
}
