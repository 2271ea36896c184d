import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, may, path, usePlans, useProvider, type FleetChange, type FleetItemState, type FleetState, type List, type Staff, type TenantGroup, type Tier } from '../../api';
import { Badge, diff, type Tone } from '../../ui';

const TONES: Record<FleetState, Tone> = { draft: 'near', approved: 'near', running: 'near', stopped: 'bad', done: 'good', undoing: 'near', undone: 'plain', cancelled: 'plain' };
export const isMoving = (s: FleetState) => s === 'approved' || s === 'running' || s === 'undoing';
export function FleetBadge({ state }: { state: FleetState }) {
  const { t } = useTranslation();
  return <Badge tone={TONES[state]}>{t(`fleet.state.${state}`)}</Badge>;
}
export const ITEM_TONES: Record<FleetItemState, Tone> = { planned: 'plain', skipped: 'plain', done: 'good', failed: 'bad', undone: 'plain', undo_failed: 'bad' };
const text = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? String((v as { name?: unknown }).name ?? JSON.stringify(v)) : String(v));

/** Plans, groups and staff by their ids, as far as the person may read them. */
function useNames(): Map<string, string> {
  const provider = useProvider();
  const plans = usePlans(provider.slug, may(provider.can, 'plan.list')).data?.items ?? [];
  const groups = useQuery({ queryKey: keys.provider(provider.slug, 'groups'), queryFn: ({ signal }) => api.get<List<TenantGroup>>(path`/providers/${provider.slug}/groups`, { limit: 200 }, signal), enabled: may(provider.can, 'tenant_group.list') }).data?.items ?? [];
  const staff = useQuery({ queryKey: keys.provider(provider.slug, 'staff', 'all'), queryFn: ({ signal }) => api.get<List<Staff>>(path`/providers/${provider.slug}/staff`, { limit: 200, sort: 'name' }, signal), enabled: may(provider.can, 'staff.list') }).data?.items ?? [];
  return new Map([...plans.map((p) => [p.id, p.name] as const), ...groups.map((g) => [g.id, g.name] as const), ...staff.map((s) => [s.id, s.person.name] as const)]);
}

/** One line for what a change does. */
export function useFleetWords() {
  const { t } = useTranslation();
  const names = useNames();
  const what = (c: Pick<FleetChange, 'kind' | 'what'>): string => {
    const w = c.what;
    if (c.kind === 'tier') return t('fleet.does.tier', { tier: `${text(w.tier)} ${t(`tier.${text(w.tier) as Tier}`, { defaultValue: '' })}`.trim() });
    if (c.kind === 'plan') return t('fleet.does.plan', { plan: names.get(text(w.plan)) ?? text(w.plan) });
    if (c.kind === 'setting') return Object.entries(w).map(([key, value]) => t('fleet.does.setting', { key: t(`fleet.settings.${key}` as 'fleet.settings.scan_interval_days', { defaultValue: key }), value: typeof value === 'boolean' ? t(value ? 'ui.yes' : 'ui.no') : text(value) })).join(', ');
    if (c.kind === 'assignment') return w.remove === true ? t('fleet.does.unassign', { name: names.get(text(w.staff)) ?? t('fleet.somebody') }) : t('fleet.does.assignment', { name: names.get(text(w.staff)) ?? t('fleet.somebody'), tier: text(w.tier) });
    return t(`fleet.does.${c.kind}`);
  };
  /** Over whom: names where the server gives them, counts otherwise. */
  const over = (o: Record<string, unknown>): string => {
    const many = (v: unknown) => (Array.isArray(v) ? v.length : 0);
    if (o.group) return t('fleet.over.group', { name: names.get(text(o.group)) ?? '' }).trim();
    if (o.all === true || o.except) return many(o.except) > 0 ? t('fleet.over.except', { count: many(o.except) }) : t('fleet.over.all');
    return t('fleet.over.tenants', { count: many(o.tenants) });
  };
  return { what, over };
}
/** What differs, shortly: "tier: T1 → T2". */
export function shortDiff(before: unknown, after: unknown): string[] {
  if (before === null && after === null) return [];
  const scalar = (v: unknown) => typeof v !== 'object' || v === null;
  if (scalar(before) && scalar(after)) return [`${text(before) || '–'} → ${text(after) || '–'}`];
  return diff(before ?? null, after ?? null).filter((l) => l.kind !== 'same').map((l) => `${l.path}: ${l.before ?? '–'} → ${l.after ?? '–'}`);
}
/** How much of it is over, 0 to 100; what is skipped counts as over. */
export const share = ({ total, done, failed, skipped }: FleetChange['progress']) => (total === 0 ? 0 : Math.min(100, ((done + failed + skipped) / total) * 100));
