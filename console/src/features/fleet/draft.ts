import { MASK_OPS, type FleetKind, type FleetOver, type NamedPlace } from '../../api';
import { fmt } from '../../ui';

export type Draft = {
  kind: FleetKind; plan: string; tier: string; key: (typeof SETTINGS)[number]['key']; value: string | number | boolean; staff: string; mask: string[]; modules: string[]; ends_at: string;
  over: 'tenants' | 'group' | 'all' | 'except'; tenants: NamedPlace[]; group: string; except: NamedPlace[]; reason: string; failed_percent: number | string;
};
/** Settings of a tenant that may be set for many. */
export const SETTINGS = [{ key: 'scan_interval_days', kind: 'number', min: 1, max: 90, first: 7 }, { key: 'comments_from_t1', kind: 'boolean', first: true }] as const;

function whatOf(v: Draft): Record<string, unknown> {
  switch (v.kind) {
    case 'plan': return { plan: v.plan };
    case 'tier': return { tier: v.tier };
    case 'setting': return { [v.key]: v.value };
    case 'assignment': return { staff: v.staff, tier: v.tier, mask: Object.fromEntries(MASK_OPS.map((o) => [o, v.mask.includes(o)])), modules: v.modules, ends_at: v.ends_at ? fmt.endOfDay(v.ends_at) : null };
    default: return {};
  }
}
function overOf(v: Draft): FleetOver {
  switch (v.over) {
    case 'tenants': return { tenants: v.tenants.map((x) => x.id) };
    case 'group': return { group: v.group };
    case 'all': return { all: true };
    case 'except': return { all: true, except: v.except.map((x) => x.id) };
  }
}
export const bodyOf = (v: Draft) => ({ kind: v.kind, what: whatOf(v), over: overOf(v), reason: v.reason.trim(), stop_after: { failed_percent: Number(v.failed_percent) } });
