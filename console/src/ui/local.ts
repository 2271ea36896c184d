import type { Query } from '../api';

export interface LocalPage<T> { items: T[]; next: string | null; total: number }
const fold = (s: string) => s.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
/** Search, sort and page of a list that came whole, by the same address as one that the server pages: the cursor is an offset.
 *  `sort` is the address's, with or without "-"; what has no value comes last either way. */
export function localPage<T>(all: readonly T[], query: Query, words: (row: T) => (string | null | undefined)[], by: Record<string, (row: T) => string | number | null>): LocalPage<T> {
  const q = fold(String(query.q ?? '')).split(/\s+/).filter(Boolean);
  const found = q.length === 0 ? all : all.filter((row) => { const hay = fold(words(row).filter(Boolean).join(' ')); return q.every((w) => hay.includes(w)); });
  const sort = String(query.sort ?? '');
  const value = by[sort.replace(/^-/, '')];
  const turn = sort.startsWith('-') ? -1 : 1;
  const rows = !value ? [...found] : found.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    return turn * (typeof x === 'string' && typeof y === 'string' ? x.localeCompare(y) : x < y ? -1 : x > y ? 1 : 0);
  });
  const limit = Number(query.limit ?? 50);
  const at = Math.max(0, Number.parseInt(String(query.cursor ?? '0'), 10) || 0);
  return { items: rows.slice(at, at + limit), next: at + limit < rows.length ? String(at + limit) : null, total: rows.length };
}
