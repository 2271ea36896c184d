import { expect, it } from 'vitest';
import { isIn } from './match';

const plans = [{ id: 'pln_1', name: 'Essentials' }, { id: 'pln_2', name: 'Complete' }];
const acme = { name: 'Acme Dental', tier: 'T2', plan: 'Complete', industry: 'Healthcare', state: 'active' } as const;
it('asks for one value of every field that has any', () => {
  expect(isIn(acme, { tiers: ['T1', 'T2'], industries: ['healthcare'] }, plans)).toBe(true);
  expect(isIn(acme, { tiers: ['T2'], plans: ['pln_1'] }, plans)).toBe(false);
  expect(isIn(acme, { plans: ['pln_1', 'pln_2'], name_contains: ' dent ' }, plans)).toBe(true);
  expect(isIn({ ...acme, industry: null }, { industries: ['Healthcare'] }, plans)).toBe(false);
});
it('a group that asks for nothing has nobody in it', () => expect(isIn(acme, { tiers: [], name_contains: ' ' }, plans)).toBe(false));
