import { expect, it } from 'vitest';
import { instantOf, numberOf, snoozeUntil } from './alert-facts';

const local = (d: Date) => [d.getFullYear(), d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes()];
it('sleeps until eight on the day after, or on the next Monday', () => {
  const saturday = new Date(2026, 10, 21, 22, 15);
  expect(local(snoozeUntil('hour', saturday))).toEqual([2026, 11, 21, 23, 15]);
  expect(local(snoozeUntil('tomorrow', saturday))).toEqual([2026, 11, 22, 8, 0]);
  expect(local(snoozeUntil('week', saturday))).toEqual([2026, 11, 23, 8, 0]);
  expect(local(snoozeUntil('week', new Date(2026, 10, 23, 7, 0)))).toEqual([2026, 11, 30, 8, 0]);
  expect(local(snoozeUntil('week', new Date(2026, 10, 22, 7, 0)))).toEqual([2026, 11, 23, 8, 0]);
});
it('reads facts by any of their names, and only what they are', () => {
  expect(numberOf({ max: 5, count: '7' }, 'count', 'max')).toBe(5);
  expect(instantOf({ at: 'soon', ends_at: '2026-11-21T10:00:00Z' }, 'at', 'ends_at')).toBe('2026-11-21T10:00:00Z');
  expect(numberOf({}, 'count')).toBeNull();
});
