import { fmt } from '../../ui';

/** The day that many months from now, as an input wants it; a month without such a day gives its last. */
export function inMonths(n: number, now = new Date()): string {
  const last = new Date(now.getFullYear(), now.getMonth() + n + 1, 0).getDate();
  return fmt.dayOf(new Date(now.getFullYear(), now.getMonth() + n, Math.min(now.getDate(), last), 12).toISOString());
}
