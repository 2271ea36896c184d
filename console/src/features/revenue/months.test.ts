import { expect, it } from 'vitest';
import { isMonth, lastMonths, monthOf, monthsBefore } from './months';

it.each([['2026-11', 0, '2026-11'], ['2026-11', 11, '2025-12'], ['2026-01', 1, '2025-12'], ['2026-03', -10, '2027-01']])('%s less %i months is %s', (month, n, before) => expect(monthsBefore(month, n)).toBe(before));
it('a month is that of UTC', () => expect(monthOf(Date.parse('2026-11-30T23:30:00-05:00'))).toBe('2026-12'));
it('the last months begin with this one', () => expect(lastMonths(Date.parse('2026-02-28T12:00:00Z'), 3)).toEqual(['2026-02', '2026-01', '2025-12']));
it.each([['2026-11', true], ['2026-13', false], ['2026-1', false], [undefined, false]])('%s as a month: %s', (raw, yes) => expect(isMonth(raw)).toBe(yes));
