import { describe, expect, it, vi } from 'vitest';
import { ApiProblem } from '../../api';
import { runBulk, tally, type BulkRow } from './bulk';

const items = ['a', 'b', 'c'].map((id) => ({ id, title: id.toUpperCase() }));
const quiet = { report: () => {}, sleep: async () => {} };

describe('runBulk', () => {
  it('calls one after the other, and says so as it goes', async () => {
    let under = 0; let most = 0; const seen: string[] = [];
    const rows = await runBulk(items, async () => { under++; most = Math.max(most, under); await Promise.resolve(); under--; }, { ...quiet, report: (r) => seen.push(r.map((x) => x.state[0]).join('')) });
    expect(most).toBe(1);
    expect(seen).toEqual(['rww', 'dww', 'drw', 'ddw', 'ddr', 'ddd']);
    expect(tally(rows)).toEqual({ done: 3, failed: 0, ended: 3 });
  });
  it('goes on after one that fails, and keeps its reason', async () => {
    const problem = new ApiProblem({ status: 409, code: 'conflict' });
    const rows = await runBulk(items, (id) => (id === 'b' ? Promise.reject(problem) : Promise.resolve()), quiet);
    expect(rows.map((r) => r.state)).toEqual(['done', 'failed', 'done']);
    expect(rows[1]!.problem).toBe(problem);
    expect(tally(rows)).toEqual({ done: 2, failed: 1, ended: 3 });
  });
  it('waits as long as the server asks, and tries again', async () => {
    const sleep = vi.fn(async () => {}); let n = 0;
    const rows = await runBulk([items[0]!], async () => { if (n++ === 0) throw new ApiProblem({ status: 429, code: 'too_many_requests' }, null, 7); }, { ...quiet, sleep });
    expect(sleep).toHaveBeenCalledWith(7000);
    expect(rows[0]!.state).toBe('done');
  });
  it('gives up after three tries, and never repeats what was refused', async () => {
    const busy = vi.fn(() => Promise.reject(new ApiProblem({ status: 503, code: 'unavailable' })));
    expect((await runBulk([items[0]!], busy, quiet))[0]!.state).toBe('failed');
    expect(busy).toHaveBeenCalledTimes(3);
    const refused = vi.fn(() => Promise.reject(new ApiProblem({ status: 403, code: 'forbidden' })));
    await runBulk([items[0]!], refused, quiet);
    expect(refused).toHaveBeenCalledTimes(1);
  });
  it('stops before the next one', async () => {
    const stop = new AbortController(); const called: string[] = [];
    let last: BulkRow[] = [];
    await runBulk(items, async (id) => { called.push(id); if (id === 'b') stop.abort(); }, { ...quiet, signal: stop.signal, report: (r) => { last = r; } });
    expect(called).toEqual(['a', 'b']);
    expect(last.map((r) => r.state)).toEqual(['done', 'done', 'stopped']);
  });
});
