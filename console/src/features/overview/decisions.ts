import type { Decision } from '../../api';
import { parseAddress } from '../../ui';

export interface Target { page: string; search: Record<string, string> }
/** The page of this tenant that the server names, with or without /t/{slug} before it; never another place. */
export function target({ to }: Pick<Decision, 'to'>): Target {
  const [path = '', search = ''] = to.split('?', 2);
  const page = path.replace(/^\/?t\/[^/]+/, '').replace(/^\/+/, '');
  return /^[a-z][a-z/_-]*$/.test(page) ? { page, search: parseAddress(search) } : { page: 'overview', search: {} };
}
const URGENT = new Set(['unassigned_critical', 'new_critical', 'over_limit']);
export const urgent = (d: Pick<Decision, 'kind'>) => URGENT.has(d.kind);
