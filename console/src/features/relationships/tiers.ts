import { ApiProblem, type Tenant, type Tier } from '../../api';

export interface TierRow { slug: string; name: string; state: 'waiting' | 'running' | 'changed' | 'consent' | 'same' | 'failed' | 'stopped'; problem?: unknown }
/** What is read and written for one client; wired to the API by the page. */
export interface TierWork { read: (slug: string) => Promise<Tenant>; write: (slug: string, tier: Tier, version: number) => Promise<Tenant>; sleep?: (ms: number) => Promise<void> }
const TRIES = 3;
const pause = (ms: number) => new Promise<void>((done) => { setTimeout(done, ms); });

/** One client after the other, each with its own answer: changed, waits for consent (the tier stays and a request is filed), or failed. A client that changed
 *  meanwhile is read again; where the server asks for patience it gets it. */
export async function applyTier(clients: readonly { slug: string; name: string }[], tier: Tier, { read, write, sleep = pause }: TierWork, report: (rows: TierRow[]) => void, signal?: AbortSignal): Promise<TierRow[]> {
  let rows = clients.map(({ slug, name }): TierRow => ({ slug, name, state: 'waiting' }));
  const say = (slug: string, change: Partial<TierRow>) => { rows = rows.map((r) => (r.slug === slug ? { ...r, ...change } : r)); report(rows); };
  for (const { slug } of clients) {
    if (signal?.aborted) { say(slug, { state: 'stopped' }); continue; }
    say(slug, { state: 'running' });
    try { say(slug, { state: await one(slug) }); } catch (problem) { say(slug, { state: 'failed', problem }); }
  }
  return rows;

  async function one(slug: string): Promise<TierRow['state']> {
    for (let n = 1; ; n++) {
      try {
        const now = await read(slug);
        if (now.relationship.tier === tier) return 'same';
        const next = await write(slug, tier, now.relationship.version);
        return next.relationship.tier === tier ? 'changed' : 'consent';
      } catch (e) {
        if (n >= TRIES || !(e instanceof ApiProblem)) throw e;
        if (e.code === 'too_many_requests' || e.code === 'unavailable') await sleep((e.retryAfterSeconds ?? n) * 1000);
        else if (e.code !== 'precondition_failed') throw e;
      }
    }
  }
}
