import { expect, it } from 'vitest';
import type { AccessPerson, AccessRelationship } from '../../api';
import { accessKind, summary } from './summary';

const N = { id: 'prv_1', name: 'Northwind IT', parent: false };
const person = (id: string, more: Partial<AccessPerson> = {}): AccessPerson => ({ person: { id, name: id, email: null }, provider: N, role: 'technician', through: { source: 'assignment', id: `asg_${id}` }, tier: 'T1', mask: null, modules: [], until: null, live: true, why_not: null, last_used_at: null, barred: null, ...more });
const relationship = (ends_at: string | null, provider = N): AccessRelationship => ({ id: 'rel_1', provider, tier: 'T2', state: 'active', ends_at, raise_by: 'provider', assign_by: 'provider', renew_by: 'provider', freezes: [] });

it('counts people, not grants, and only those who can come in', () => {
  const people = [person('a'), person('a', { tier: 'T3', through: { source: 'elevation', id: 'elv_1' } }), person('b', { tier: 'T2' }), person('c', { live: false })];
  expect(summary({ frozen: null, people, relationships: [relationship('2027-03-14T00:00:00Z')] })).toEqual({ kind: 'some', people: 2, providers: ['Northwind IT'], tier: 'T3', until: '2027-03-14T00:00:00Z' });
});
it('has an end only when every relationship in use has one', () => {
  const other = { id: 'prv_2', name: 'Harbor', parent: false };
  const people = [person('a'), person('b', { provider: other })];
  expect(summary({ frozen: null, people, relationships: [relationship('2027-01-01T00:00:00Z'), relationship('2028-01-01T00:00:00Z', other)] }).until).toBe('2028-01-01T00:00:00Z');
  expect(summary({ frozen: null, people, relationships: [relationship('2027-01-01T00:00:00Z'), relationship(null, other)] }).until).toBeNull();
});
it('knows a freeze from nobody; break-glass passes a freeze and is said', () => {
  const frozen = { side: 'tenant' as const, by: null, at: '2026-11-21T00:00:00Z', reason: 'x' };
  expect(summary({ frozen, people: [person('a', { live: false })], relationships: [] }).kind).toBe('frozen');
  expect(summary({ frozen, people: [person('a', { through: { source: 'break_glass', id: 'elv_9' } })], relationships: [] }).kind).toBe('some');
  expect(summary({ frozen: null, people: [], relationships: [] }).kind).toBe('none');
});
it('a removed person is removed, whatever else is true', () => {
  expect(accessKind(person('a', { barred: { by: 'Dana', at: '', reason: '' } }))).toBe('barred');
  expect(accessKind(person('a'))).toBe('live');
  expect(accessKind(person('a', { live: false }))).toBe('not_live');
});
