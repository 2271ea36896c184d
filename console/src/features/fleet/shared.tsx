import { useTranslation } from 'react-i18next';
import type { FleetChange, FleetItemState, FleetState, Tier } from '../../api';
import { Badge, diff, type Tone } from '../../ui';

const TONES: Record<FleetState, Tone> = { draft: 'near', approved: 'near', running: 'near', stopped: 'bad', done: 'good', undoing: 'near', undone: 'plain', cancelled: 'plain' };
export const isMoving = (s: FleetState) => s === 'approved' || s === 'running' || s === 'undoing';
export function FleetBadge({ state }: { state: FleetState }) {
  const { t } = useTranslation();
  return <Badge tone={TONES[state]}>{t(`fleet.state.${state}`)}</Badge>;
}
export const ITEM_TONES: Record<FleetItemState, Tone> = { planned: 'plain', skipped: 'plain', done: 'good', failed: 'bad', undone: 'plain', undo_failed: 'bad' };
const text = (v: unknown): string => (v === null || v === undefined ? '' : typeof v === 'object' ? String((v as { name?: unknown }).name ?? JSON.stringify(v)) : String(v));

/** One line for what a change does. */
export function useFleetWords() {
  const { t } = useTranslation();
  const what = (c: Pick<FleetChange, 'kind' | 'what'>): string => {
    const w = c.what;
    if (c.kind === 'tier') return t('fleet.does.tier', { tier: `${text(w.tier)} ${t(`tier.${text(w.tier) as Tier}`, { defaultValue: '' })}`.trim() });
    if (c.kind === 'plan') return t('fleet.does.plan', { plan: text(w.plan_name ?? w.plan) });
    if (c.kind === 'setting') return t('fleet.does.setting', { key: t(`fleet.settings.${text(w.key)}` as 'fleet.settings.scan_interval_days', { defaultValue: text(w.key) }), value: text(w.value) });
    if (c.kind === 'assignment') return t('fleet.does.assignment', { name: text(w.staff_name ?? w.person ?? w.staff), tier: text(w.tier) });
    return t(`fleet.does.${c.kind}`);
  };
  /** Over whom: names where the server gives them, counts otherwise. */
  const over = (o: Record<string, unknown>): string => {
    const many = (v: unknown) => (Array.isArray(v) ? v.length : 0);
    if (o.group) return t('fleet.over.group', { name: text(o.group) });
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
