import { expect, it } from 'vitest';
import type { LicenceRow, LimitState } from '../../api';
import { badMax, licenceChange, licenceForm, overBy } from './limits';

const state = (more: Partial<LimitState> = {}): LimitState => ({ used: 89, max: 81, own: false, enforcement: 'inform', also_blocks: [], ...more });
const row = { type: 'per_user_all_features', limits: { seats: state(), automations: state({ used: 5, max: 30, own: true, enforcement: 'block_new' }), resources: state({ max: null }), api_keys: state({ max: null, own: true }) } } as LicenceRow;

it('what nobody touched is not sent', () => expect(licenceChange(row, licenceForm(row))).toEqual({}));
it('a limit of one’s own, unlimited, and back to the plan', () => {
  const form = licenceForm(row);
  expect(form.api_keys.source).toBe('unlimited');
  form.seats = { ...form.seats, source: 'own', max: 12, enforcement: 'block_new', also_blocks: ['automations'] };
  form.automations = { ...form.automations, source: 'plan' };
  form.resources = { ...form.resources, source: 'unlimited' };
  expect(licenceChange(row, { ...form, type: 'custom' })).toEqual({ type: 'custom', limits: { seats: { max: 12, enforcement: 'block_new', also_blocks: ['automations'] }, automations: { max: 'plan' }, resources: { max: null } } });
});
it('“as in Settings” is sent as such', () => expect(licenceChange(row, { ...licenceForm(row), automations: { ...licenceForm(row).automations, enforcement: 'inherit' } })).toEqual({ limits: { automations: { enforcement: 'inherit' } } }));
it('how much more there is than the limit typed', () => {
  const form = { ...licenceForm(row).seats, source: 'own' as const };
  expect(overBy(row.limits.seats, { ...form, max: 12 })).toBe(77);
  expect(overBy(row.limits.seats, { ...form, max: 90 })).toBe(0);
  expect(overBy(row.limits.seats, { ...form, source: 'plan', max: 1 })).toBe(0);
});
it.each([['', true], [-1, true], [1.5, true], [0, false], [12, false]])('%s as a limit is bad: %s', (max, bad) => expect(badMax({ source: 'own', max, enforcement: 'inform', also_blocks: [] })).toBe(bad));
