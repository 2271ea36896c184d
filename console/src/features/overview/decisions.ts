import type { Decision } from '../../api';
import { parseAddress } from '../../ui';

export interface Target { page: string; search: Record<string, string> }
/** Where each kind of decision is taken. */
const KNOWN: Record<string, Target> = {
  unassigned_critical: { page: 'findings', search: { severity: 'critical', assignee: 'none' } },
  override_expiring: { page: 'overrides', search: {} },
  scan_stale: { page: 'scans', search: {} },
  scan_never: { page: 'scans', search: {} },
  over_limit: { page: 'members', search: {} },
};
/** A page of this tenant, whatever the server wrote: an address of its own, with or without /t/{slug} before it; never another place. */
export function target(d: Pick<Decision, 'kind' | 'to'>): Target {
  const known = KNOWN[d.kind];
  if (known) return known;
  const [path = '', search = ''] = d.to.split('?', 2);
  const page = path.replace(/^\/?t\/[^/]+/, '').replace(/^\/+/, '');
  return /^[a-z][a-z/_-]*$/.test(page) ? { page, search: parseAddress(search) } : { page: 'overview', search: {} };
}
const URGENT = new Set(['unassigned_critical', 'over_limit']);
export const urgent = (d: Pick<Decision, 'kind'>) => URGENT.has(d.kind);
