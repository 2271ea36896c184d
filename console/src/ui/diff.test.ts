import { expect, it } from 'vitest';
import { diff } from './diff';

it('puts what changed first and names nested values', () => {
  expect(diff({ name: 'A', settings: { days: 7, on: true } }, { name: 'A', settings: { days: 14, on: true } })).toEqual([
    { path: 'settings.days', kind: 'changed', before: '7', after: '14' }, { path: 'name', kind: 'same', before: 'A', after: 'A' }, { path: 'settings.on', kind: 'same', before: 'true', after: 'true' },
  ]);
});
it('shows a creation and a removal', () => {
  expect(diff(null, { a: 1 })).toEqual([{ path: 'a', kind: 'added', before: undefined, after: '1' }]);
  expect(diff({ a: 1 }, null)).toEqual([{ path: 'a', kind: 'removed', before: '1', after: undefined }]);
});
it('tells null from absent, and text from numbers only by value', () => {
  expect(diff({ a: null }, { a: 'x' })).toEqual([{ path: 'a', kind: 'changed', before: 'null', after: 'x' }]);
  expect(diff({ list: [1, 2] }, { list: [1] }).find((l) => l.path === 'list.1')?.kind).toBe('removed');
  expect(diff({ tags: [] }, { tags: ['a'] }).map((l) => [l.path, l.kind])).toEqual([['tags', 'removed'], ['tags.0', 'added']]);
});
