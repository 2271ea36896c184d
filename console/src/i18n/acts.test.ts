import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ELEVATABLE } from '../features/requests/elevatable';
import { knownActs } from './acts';
import { en } from './en';
import { enBusiness } from './en.business';

// The catalogue itself: one line per action, tab separated.
const catalogue = new Map(readFileSync(resolve('../crates/access/actions.tsv'), 'utf8').split('\n').filter((l) => l && !l.startsWith('#')).map((l) => { const [name, plane, door, op, tier, roles, staff, module, flags] = l.split('\t') as [string, string, string, string, string, string, string, string, string]; return [name, { plane, door, op, tier, roles, staff, module, flags: flags.split(' ') }] as const; }));

it('every action that somebody is granted has words', () => expect([...catalogue].filter(([name, a]) => a.plane !== 'public' && a.plane !== 'self' && !knownActs.includes(name)).map(([name]) => name)).toEqual([]));
it('what an elevation is offered is what it may open, under its module', () => expect(ELEVATABLE.flatMap(({ name, module, door }) => {
  const a = catalogue.get(name);
  const opened = a && (a.tier !== '-' || a.flags.includes('e3s')) && !a.flags.includes('person') && !a.flags.includes('chief');
  return opened && (a.module === '-' ? null : a.module) === module && a.door === door ? [] : [name];
})).toEqual([]));
it('every write has a name in ledgers', () => {
  const named = new Set([...Object.keys(en.action), ...Object.keys(enBusiness.acted)]);
  expect([...catalogue].filter(([name, a]) => a.door === 'write' && !named.has(name.replaceAll('.', '_'))).map(([name]) => name)).toEqual([]);
});
