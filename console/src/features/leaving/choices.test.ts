import { expect, it } from 'vitest';
import type { Holding } from '../../api';
import { counts, idOf, leavingBody, moveAll, undecided, type Choices } from './choices';

const hold = (kind: Holding['kind'], id: string, ...choices: Holding['choices']): Holding => ({ kind, id, tenant: null, label: id, choices });
const holds = [hold('assignment', 'asg_1', 'move', 'end'), hold('assignment', 'asg_2', 'move', 'end'), hold('api_key', 'key_1', 'end')];

it('what nobody decided ends', () => {
  expect(counts(holds, new Map())).toEqual({ moves: 0, ends: 3 });
  expect(leavingBody(holds, new Map(), true)).toEqual({ choices: holds.map((h) => ({ kind: h.kind, id: h.id, do: 'end' })), rest: 'end', disable: true });
});
it('only what can move moves', () => {
  const all = moveAll(holds, 'stf_9');
  expect(counts(holds, all)).toEqual({ moves: 2, ends: 1 });
  expect(leavingBody(holds, all, false)).toMatchObject({ choices: [{ id: 'asg_1', do: 'move', to: 'stf_9' }, { id: 'asg_2', do: 'move', to: 'stf_9' }, { id: 'key_1', do: 'end' }], disable: false });
});
it('what moves needs somebody', () => {
  const choices: Choices = new Map([[idOf(holds[0]!), { do: 'move', to: '' }], [idOf(holds[1]!), { do: 'move', to: 'stf_9' }]]);
  expect(undecided(holds, choices)).toEqual(['assignment asg_1']);
});
it('what is only there to be known is not decided on', () => expect(leavingBody([...holds, hold('approval', 'elv_1')], new Map(), true).choices).toHaveLength(3));
it('ids of two kinds do not meet', () => expect(idOf(hold('session', 'x'))).not.toBe(idOf(hold('api_key', 'x'))));
