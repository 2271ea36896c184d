import type { Client, Me } from '../api';

/** A place one can switch to: a client of the provider, or an organisation one is a member of. */
export interface Place { slug: string; name: string; client: Client | null; member: boolean; blocked: string | null }
export interface Group { key: 'matching' | 'pinned' | 'recent' | 'yours' | 'all'; places: Place[] }

export function places(me: Me, clients: Client[]): Place[] {
  const member = me.tenants.map((t): Place => ({ slug: t.slug, name: t.name, client: clients.find((c) => c.slug === t.slug) ?? null, member: true, blocked: null }));
  const rest = clients.filter((c) => !me.tenants.some((t) => t.slug === c.slug)).map((c): Place => ({ slug: c.slug, name: c.name, client: c, member: false, blocked: c.enter.allowed ? null : (c.enter.why ?? '') }));
  return [...member, ...rest];
}
const fold = (s: string) => s.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
/** By name and slug; every typed word must occur; those that begin with the first word come first. */
export function matching(all: Place[], q: string): Place[] {
  const words = fold(q).split(/\s+/).filter(Boolean);
  const hits = all.filter((p) => { const hay = `${fold(p.name)} ${p.slug}`; return words.every((w) => hay.includes(w)); });
  const starts = (p: Place) => (fold(p.name).startsWith(words[0] ?? '') || p.slug.startsWith(words[0] ?? '') ? 0 : 1);
  return hits.toSorted((a, b) => starts(a) - starts(b));
}
/** Pinned, recent, one's own organisations, then everything else; a place stands in one group only. */
export function groups(all: Place[], q: string, pinned: string[], recent: string[]): Group[] {
  if (q.trim()) return [{ key: 'matching', places: matching(all, q).slice(0, 50) }];
  const taken = new Set<string>();
  const take = (slugs: string[]) => slugs.flatMap((s) => { const p = all.find((x) => x.slug === s); if (!p || taken.has(s)) return []; taken.add(s); return [p]; });
  const out: Group[] = [{ key: 'pinned', places: take(pinned) }, { key: 'recent', places: take(recent.slice(0, 5)) }];
  const own = all.filter((p) => p.member && !taken.has(p.slug));
  for (const p of own) taken.add(p.slug);
  out.push({ key: 'yours', places: own }, { key: 'all', places: all.filter((p) => !taken.has(p.slug)) });
  return out.filter((g) => g.places.length > 0);
}

/** The last few places, for the switcher's list only: nothing decides by it. */
const key = (person: string) => `tenantry.recent.${person}`;
export function recents(person: string): string[] {
  try { const list: unknown = JSON.parse(localStorage.getItem(key(person)) ?? '[]'); return Array.isArray(list) ? list.filter((x) => typeof x === 'string') : []; } catch { return []; }
}
export function visited(person: string, slug: string) {
  try { localStorage.setItem(key(person), JSON.stringify([slug, ...recents(person).filter((s) => s !== slug)].slice(0, 8))); } catch { /* a full or closed storage only costs the list of recents */ }
}
