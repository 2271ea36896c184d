import type { AccessRequest, RequestedElevation } from '../../api';

/** What runs now, the one that ends first on top. */
export const running = (all: readonly AccessRequest[]) => all.flatMap((r): { r: AccessRequest; e: RequestedElevation }[] => (r.elevation && r.state === 'running' ? [{ r, e: r.elevation }] : [])).toSorted((a, b) => ((a.e.ends_at ?? '') < (b.e.ends_at ?? '') ? -1 : 1));
