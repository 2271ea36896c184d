import { expect, it } from 'vitest';
import { groupActions, readOnly, searchActions } from './actions';

const all = [
  { name: 'member.invite', module: null, door: 'write' }, { name: 'finding.assign', module: 'compliance', door: 'write' }, { name: 'member.list', module: null, door: 'read' }, { name: 'finding.list', module: 'compliance', door: 'read' }, { name: 'api_key.list', module: null, door: 'read' },
] as const;
it('groups by module, then by what is acted on; reading before writing', () => expect(groupActions(all).map((g) => [g.key, g.module, g.actions.map((a) => a.name)])).toEqual([
  ['compliance', true, ['finding.list', 'finding.assign']], ['api_key', false, ['api_key.list']], ['member', false, ['member.list', 'member.invite']],
]));
it('offers what only reads', () => expect(readOnly(all)).toEqual(['member.list', 'finding.list', 'api_key.list']));
it('finds by words and by names, all of them', () => {
  expect(searchActions(all, 'invite mem').map((a) => a.name)).toEqual(['member.invite']);
  expect(searchActions(all, 'see find').map((a) => a.name)).toEqual(['finding.list']);
  expect(searchActions(all, 'api_key').map((a) => a.name)).toEqual(['api_key.list']);
  expect(searchActions(all, '')).toHaveLength(5);
});
