import type { Holding } from '../../api';

/** What is to become of one holding: it ends, or goes to somebody. */
export type Choice = { do: 'end' } | { do: 'move'; to: string };
export type Choices = ReadonlyMap<string, Choice>;
export const idOf = (h: Pick<Holding, 'kind' | 'id'>) => `${h.kind} ${h.id}`;
/** Nothing is moved unless somebody says so: what was not decided ends. */
/** What is only there to be known stays as it is. */
export const decided = (holds: readonly Holding[]) => holds.filter((h) => h.choices.length > 0);
export const choiceOf = (h: Holding, choices: Choices): Choice => choices.get(idOf(h)) ?? { do: 'end' };
/** Everything that can move, to one person. */
export const moveAll = (holds: readonly Holding[], to: string): Choices => new Map(holds.filter((h) => h.choices.includes('move')).map((h) => [idOf(h), { do: 'move', to }]));
export function counts(holds: readonly Holding[], choices: Choices): { moves: number; ends: number } {
  const moves = holds.filter((h) => choiceOf(h, choices).do === 'move').length;
  return { moves, ends: decided(holds).length - moves };
}
/** Those that are to move, but to nobody yet. */
export const undecided = (holds: readonly Holding[], choices: Choices) => holds.filter((h) => { const c = choiceOf(h, choices); return c.do === 'move' && c.to === ''; }).map(idOf);
/** As the API wants it: each by name. */
export const leavingBody = (holds: readonly Holding[], choices: Choices, disable: boolean) => ({
  choices: decided(holds).map((h) => ({ kind: h.kind, id: h.id, ...choiceOf(h, choices) })), rest: 'end' as const, disable,
});
