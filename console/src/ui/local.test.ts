import { expect, it } from 'vitest';
import { localPage } from './local';

const rows = [{ name: 'Zoë', end: 3 as number | null }, { name: 'Ann', end: null }, { name: 'bob', end: 1 }, { name: 'Jonas Weiß', end: 2 }];
const page = (query: Record<string, string | number>) => localPage(rows, query, (r) => [r.name], { name: (r) => r.name, end: (r) => r.end });
it('searches without accents, every word', () => {
  expect(page({ q: 'zoe' }).items.map((r) => r.name)).toEqual(['Zoë']);
  expect(page({ q: 'wei jon' }).total).toBe(1);
});
it('sorts either way; what has no value stays last', () => {
  expect(page({ sort: 'name' }).items.map((r) => r.name)).toEqual(['Ann', 'bob', 'Jonas Weiß', 'Zoë']);
  expect(page({ sort: 'end' }).items.map((r) => r.end)).toEqual([1, 2, 3, null]);
  expect(page({ sort: '-end' }).items.map((r) => r.end)).toEqual([3, 2, 1, null]);
});
it('pages by offset, and survives a cursor that is none', () => {
  expect(page({ sort: 'name', limit: 3 })).toMatchObject({ next: '3', total: 4 });
  expect(page({ sort: 'name', limit: 3, cursor: '3' })).toMatchObject({ next: null, items: [{ name: 'Zoë' }] });
  expect(page({ cursor: 'nonsense' }).items).toHaveLength(4);
});
