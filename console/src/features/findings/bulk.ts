import { ApiProblem } from '../../api';

export interface BulkRow { id: string; title: string; state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped'; problem?: unknown }
export interface BulkOptions {
  report: (rows: BulkRow[]) => void;
  /** Stops before the next row; the one under way is finished. */
  signal?: AbortSignal;
  sleep?: (ms: number) => Promise<void>;
}
const TRIES = 3;
const pause = (ms: number) => new Promise<void>((done) => { setTimeout(done, ms); });
const waits = (e: unknown) => e instanceof ApiProblem && (e.code === 'too_many_requests' || e.code === 'unavailable');

/** One call after the other, so that the server's limits hold and each row has its own answer. Waits when the server asks for it. */
export async function runBulk(items: readonly { id: string; title: string }[], act: (id: string) => Promise<unknown>, { report, signal, sleep = pause }: BulkOptions): Promise<BulkRow[]> {
  let rows = items.map(({ id, title }): BulkRow => ({ id, title, state: 'waiting' }));
  const say = (id: string, change: Partial<BulkRow>) => { rows = rows.map((r) => (r.id === id ? { ...r, ...change } : r)); report(rows); };
  for (const { id } of items) {
    if (signal?.aborted) { say(id, { state: 'stopped' }); continue; }
    say(id, { state: 'running' });
    try {
      await patiently(() => act(id), sleep);
      say(id, { state: 'done' });
    } catch (problem) { say(id, { state: 'failed', problem }); }
  }
  return rows;
}
async function patiently(call: () => Promise<unknown>, sleep: (ms: number) => Promise<void>) {
  for (let n = 1; ; n++) {
    try { await call(); return; } catch (e) {
      if (n >= TRIES || !waits(e)) throw e;
      await sleep(((e as ApiProblem).retryAfterSeconds ?? n) * 1000);
    }
  }
}
export const tally = (rows: readonly BulkRow[]) => ({ done: rows.filter((r) => r.state === 'done').length, failed: rows.filter((r) => r.state === 'failed').length, ended: rows.filter((r) => r.state !== 'waiting' && r.state !== 'running').length });
