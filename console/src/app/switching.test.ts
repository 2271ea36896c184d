import { beforeEach, describe, expect, it } from 'vitest';
import type { Client, Me } from '../api';
import { groups, matching, places, recents, visited } from './switching';

const client = (slug: string, name: string, more: Partial<Client> = {}) => ({ id: `ten_${slug}`, slug, name, enter: { allowed: true, why: null }, ...more }) as Client;
const clients = [client('acme', 'Acme Dental'), client('birch', 'Birchwood Academy'), client('muller', 'Müller & Söhne'), client('closed', 'Closed Ltd', { enter: { allowed: false, why: 'Archived' } })];
const me = { tenants: [{ id: 'ten_own', slug: 'own', name: 'Own Org', role: 'admin' }, { id: 'ten_acme', slug: 'acme', name: 'Acme Dental', role: 'viewer' }] } as Me;

describe('the switcher', () => {
  const all = places(me, clients);
  it('knows own organisations and clients once each', () => expect(all.map((p) => [p.slug, p.member])).toEqual([['own', true], ['acme', true], ['birch', false], ['muller', false], ['closed', false]]));
  it('says why a client can’t be entered', () => expect(all.at(-1)?.blocked).toBe('Archived'));
  it('finds by name and slug, without accents, every word', () => {
    expect(matching(all, 'muller').map((p) => p.slug)).toEqual(['muller']);
    expect(matching(all, 'söhne').map((p) => p.slug)).toEqual(['muller']);
    expect(matching(all, 'wood aca').map((p) => p.slug)).toEqual(['birch']);
    expect(matching(all, 'nothing')).toEqual([]);
  });
  it('puts those that begin with what was typed first', () => expect(matching(all, 'c').map((p) => p.slug)[0]).toBe('closed'));
  it('shows pinned, recent, own, all, and nobody twice', () => {
    expect(groups(all, '', ['birch'], ['acme', 'birch', 'gone']).map((g) => [g.key, g.places.map((p) => p.slug)])).toEqual([['pinned', ['birch']], ['recent', ['acme']], ['yours', ['own']], ['all', ['muller', 'closed']]]);
  });
  it('shows one group of matches while searching', () => expect(groups(all, 'ac', ['birch'], []).map((g) => g.key)).toEqual(['matching']));
});

describe('recents', () => {
  beforeEach(() => localStorage.clear());
  it('keep the last first, once, per person', () => {
    visited('per_1', 'a'); visited('per_1', 'b'); visited('per_1', 'a');
    expect(recents('per_1')).toEqual(['a', 'b']);
    expect(recents('per_2')).toEqual([]);
  });
  it('survive nonsense in the storage', () => {
    localStorage.setItem('tenantry.recent.per_1', '{');
    expect(recents('per_1')).toEqual([]);
  });
});
