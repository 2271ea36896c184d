import { expect, it, vi } from 'vitest';
import { ApiProblem, type Tenant, type Tier } from '../../api';
import { inMonths } from './dates';
import { applyTier, type TierWork } from './tiers';

const tenant = (tier: Tier, version = 1) => ({ relationship: { tier, version } }) as Tenant;
const clients = ['a', 'b', 'c'].map((slug) => ({ slug, name: slug }));
const sleep = () => Promise.resolve();

it('goes one by one, each with its own answer', async () => {
  const write = vi.fn(async (slug: string) => { if (slug === 'c') throw new ApiProblem({ status: 409, code: 'conflict' }); return tenant(slug === 'a' ? 'T3' : 'T2'); });
  const seen: string[] = [];
  const rows = await applyTier(clients, 'T3', { read: async () => tenant('T2', 7), write, sleep }, (now) => seen.push(now.map((r) => r.state[0]).join('')));
  expect(rows.map((r) => r.state)).toEqual(['changed', 'consent', 'failed']);
  expect(write.mock.calls.map((c) => c as unknown[])).toEqual([['a', 'T3', 7], ['b', 'T3', 7], ['c', 'T3', 7]]);
  expect(seen).toEqual(['rww', 'cww', 'crw', 'ccw', 'ccr', 'ccf']);
});
it('writes nothing where the tier is the same already', async () => {
  const write = vi.fn();
  const rows = await applyTier(clients.slice(0, 1), 'T2', { read: async () => tenant('T2'), write, sleep }, () => undefined);
  expect(rows[0]!.state).toBe('same');
  expect(write).not.toHaveBeenCalled();
});
it('reads again what somebody else changed, and is patient when asked to be', async () => {
  const problems = [new ApiProblem({ status: 412, code: 'precondition_failed' }), new ApiProblem({ status: 429, code: 'too_many_requests' }, null, 3)];
  const waited: number[] = [];
  const read = vi.fn(async () => tenant('T1'));
  const work: TierWork = { read, write: async () => { const p = problems.shift(); if (p) throw p; return tenant('T2'); }, sleep: async (ms) => { waited.push(ms); } };
  expect((await applyTier(clients.slice(0, 1), 'T2', work, () => undefined))[0]!.state).toBe('changed');
  expect(read).toHaveBeenCalledTimes(3);
  expect(waited).toEqual([3000]);
});
it('stops before the next when told to', async () => {
  const abort = new AbortController();
  const rows = await applyTier(clients, 'T3', { read: async () => tenant('T2'), write: async () => { abort.abort(); return tenant('T3'); }, sleep }, () => undefined, abort.signal);
  expect(rows.map((r) => r.state)).toEqual(['changed', 'stopped', 'stopped']);
});
it('a month without such a day gives its last', () => {
  expect(inMonths(12, new Date(2026, 10, 21))).toBe('2027-11-21');
  expect(inMonths(3, new Date(2026, 10, 30))).toBe('2027-02-28');
});
