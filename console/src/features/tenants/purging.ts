import type { Tenant } from '../../api';

export type PurgeStep = 'none' | 'ask' | 'mine' | 'confirm';
/** Who may do what next of a purge, which takes two: one asks, another does it. `none`: not archived, or nobody asked and it is too early. */
export function purgeStep(x: Pick<Tenant, 'state' | 'purge_request'>, me: string): PurgeStep {
  if (x.state !== 'archived') return 'none';
  if (!x.purge_request) return 'ask';
  return x.purge_request.by?.id === me ? 'mine' : 'confirm';
}
/** Why it can't be done yet, as a key of `purge.not`; the window is over once `purge_after` is past. */
export function purgeBlocked(x: Pick<Tenant, 'hold' | 'purge_after'>, now: number): 'held' | 'early' | null {
  if (x.hold) return 'held';
  return x.purge_after && Date.parse(x.purge_after) > now ? 'early' : null;
}
