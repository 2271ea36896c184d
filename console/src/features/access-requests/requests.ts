import type { AccessRequest, Elevation } from '../../api';

/** The elevation of a request that asks for one. */
export const elevationOf = (r: Pick<AccessRequest, 'kind' | 'details'>): Elevation | null => (r.kind === 'elevation' && typeof r.details === 'object' && r.details !== null ? (r.details as Elevation) : null);
/** What runs now, the one that ends first on top. */
export const running = (all: readonly AccessRequest[]) => all.flatMap((r) => { const e = elevationOf(r); return e?.state === 'running' ? [{ r, e }] : []; }).toSorted((a, b) => ((a.e.ends_at ?? '') < (b.e.ends_at ?? '') ? -1 : 1));
