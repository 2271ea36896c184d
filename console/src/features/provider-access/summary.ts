import type { AccessPerson, ProviderAccess } from '../../api';

/** What the page says at the top: how many can come in now, of whom, up to which tier, until when. Null until: no end. */
export interface AccessSummary { kind: 'frozen' | 'none' | 'some'; people: number; providers: string[]; tier: AccessPerson['tier'] | null; until: string | null }
export function summary({ frozen, people, relationships }: Pick<ProviderAccess, 'frozen' | 'people' | 'relationships'>): AccessSummary {
  const live = people.filter((p) => p.live);
  const persons = new Set(live.map((p) => p.person.id));
  const providers = [...new Set(live.map((p) => p.provider.name))];
  const tier = live.map((p) => p.tier).toSorted().at(-1) ?? null;
  // The contract with the providers at hand ends with the last of them; one without an end has none.
  const ends = relationships.filter((r) => providers.includes(r.provider.name)).map((r) => r.ends_at);
  const until = ends.length > 0 && ends.every((e) => e !== null) ? ends.toSorted().at(-1)! : null;
  return { kind: frozen && live.length === 0 ? 'frozen' : live.length === 0 ? 'none' : 'some', people: persons.size, providers, tier, until };
}
/** Where a person stands: what the chips count. */
export const ACCESS_KINDS = ['live', 'not_live', 'barred'] as const;
export type AccessKind = (typeof ACCESS_KINDS)[number];
export const accessKind = (p: AccessPerson): AccessKind => (p.barred ? 'barred' : p.live ? 'live' : 'not_live');
