import { expect, it } from 'vitest';
import type { Plan, PlanTerms } from '../../api';
import { emptyTerms, termChanges, termsForm, termsOf, toMicros, usualCurrency } from './terms';

const terms = (more: Partial<PlanTerms> = {}): PlanTerms => ({ modules: ['compliance'], limits: { seats: 25, automations: 0, resources: null, api_keys: null }, price: { month: 19_990_000, seat: 2_500_000, currency: 'EUR' }, trial_days: 14, ...more });

it.each([['19.99', 19_990_000], [0.1 + 0.2, 300_000], ['', 0], [1234.567891, 1_234_567_891]])('%s is %i millionths', (amount, micros) => expect(toMicros(amount)).toBe(micros));
it('a form comes back as the terms it was made of', () => expect(termsOf(termsForm(terms()))).toEqual(terms()));
it('an empty limit is unlimited, 0 is none', () => expect(termsOf({ ...emptyTerms('eur'), limits: { seats: '', automations: 0, resources: 5, api_keys: '' } })).toMatchObject({ limits: { seats: null, automations: 0, resources: 5, api_keys: null }, price: { currency: 'EUR' } }));
it('modules are told in the catalogue’s order', () => expect(termsOf({ ...emptyTerms('EUR'), modules: ['identity', 'discovery'] }).modules).toEqual(['discovery', 'identity']));
it('versions differ by what opens, closes, costs and limits', () => expect(termChanges(terms({ modules: ['compliance', 'finops'] }), terms({ modules: ['compliance', 'secops'], limits: { ...terms().limits, seats: null }, price: { ...terms().price, seat: 3_000_000 }, trial_days: 0 }))).toEqual([
  { what: 'module', opens: true, module: 'secops' }, { what: 'module', opens: false, module: 'finops' }, { what: 'limit', limit: 'seats', from: 25, to: null }, { what: 'seat', from: 2_500_000, to: 3_000_000, currency: 'EUR' }, { what: 'trial', from: 14, to: 0 },
]));
it('the same terms differ by nothing', () => expect(termChanges(terms(), terms())).toEqual([]));
it('the usual currency is that of most plans', () => {
  const plan = (currency: string) => ({ price: { month: 0, seat: 0, currency } }) as Plan;
  expect(usualCurrency([plan('CHF'), plan('GBP'), plan('CHF')])).toBe('CHF');
  expect(usualCurrency([])).toBe('EUR');
});
