import { expect, it } from 'vitest';
import { share, shortDiff } from './shared';

it('says shortly what differs', () => {
  expect(shortDiff({ tier: 'T1', ends_at: null }, { tier: 'T2', ends_at: null })).toEqual(['tier: T1 → T2']);
  expect(shortDiff('active', 'suspended')).toEqual(['active → suspended']);
  expect(shortDiff(null, { staff: 'Tom' })).toEqual(['staff: – → Tom']);
  expect(shortDiff(null, null)).toEqual([]);
});
it('counts what is skipped as over', () => { expect(share({ total: 8, done: 3, failed: 1, skipped: 2 })).toBe(75); expect(share({ total: 0, done: 0, failed: 0, skipped: 0 })).toBe(0); });
