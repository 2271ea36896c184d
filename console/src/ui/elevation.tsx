import { useTranslation } from 'react-i18next';
import type { Elevation, ElevationTemplate } from '../api';
import { ActionName, actWords } from './actions';
import { Badge, StateBadge, Tier } from './bits';
import { Countdown } from './countdown';
import { clock, minutes } from './format';
import { Go, tenantPath } from './go';
import { RelativeTime } from './time';
import { Timeline, type TimelineItem } from './timeline';

type Terms = Pick<Elevation, 'tier' | 'actions' | 'modules'>;
/** What it gives, short enough for a cell: "T3 Manage", "invite members +2". */
export function Gives({ e }: { e: Pick<Terms, 'tier' | 'actions'> }) {
  const { t } = useTranslation();
  const [first] = e.actions;
  return <span className="row tight wrap">{e.tier && <Tier t={e.tier} long />}{first && <span className="sm" title={e.actions.map(actWords).join(', ')}>{actWords(first)}{e.actions.length > 1 && <span className="dim"> {t('elevation.more', { count: e.actions.length - 1 })}</span>}</span>}</span>;
}
/** For whom it waits, in words; null when it waits for nobody. */
export function useWaitsFor() {
  const { t } = useTranslation();
  return (e: Pick<Elevation, 'state' | 'approver' | 'provider_approval' | 'tenant_approval' | 'provider' | 'tenant'>) => {
    if (e.state !== 'requested') return null;
    const who = [e.approver !== 'tenant' && !e.provider_approval && e.provider.name, e.approver !== 'provider' && !e.tenant_approval && e.tenant.name].filter((x) => x !== false);
    return who.length ? t('elevation.waitsFor', { who: who.join(', ') }) : null;
  };
}
export function ElevationStateCell({ e, onEnd }: { e: Elevation; onEnd?: () => void }) {
  const waits = useWaitsFor()(e);
  return <span className="block min0"><StateBadge state={e.state} tone={e.state === 'ended' ? 'plain' : undefined} />{e.state === 'running' && e.ends_at && <span className="sm semi good-ink block"><Countdown to={e.ends_at} onEnd={onEnd} /></span>}{waits && <span className="xs dim block">{waits}</span>}</span>;
}
/** Everything about one request, and what became of it. */
export function ElevationDetail({ e, onEnd, link }: { e: Elevation; onEnd?: () => void; link?: boolean }) {
  const { t } = useTranslation();
  const approval = (key: string, title: string, a: Elevation['provider_approval']): TimelineItem[] => (a ? [{ key, at: a.at, title: t('elevation.approvedBy', { name: a.by.name, place: title }), color: 'var(--bar-ok)' }] : []);
  const items: TimelineItem[] = [
    { key: 'asked', at: e.requested_at, title: t('elevation.askedBy', { name: e.person.name }), text: e.reason },
    ...approval('provider', e.provider.name, e.provider_approval), ...approval('tenant', e.tenant.name, e.tenant_approval),
    ...(e.starts_at ? [{ key: 'began', at: e.starts_at, title: t('elevation.began', { time: minutes(e.minutes) }), color: 'var(--bar-ok)' }] : []),
    ...(e.closed_at ? [{ key: 'closed', at: e.closed_at, title: t(e.state === 'denied' ? 'elevation.deniedBy' : e.state === 'cancelled' ? 'elevation.cancelledBy' : 'elevation.endedBy', { name: e.closed_by?.name ?? '–' }), text: e.decision_reason || undefined, color: e.state === 'denied' ? 'var(--bar-bad)' : undefined }] : []),
    ...(!e.closed_at && e.state === 'ended' && e.ends_at ? [{ key: 'over', at: e.ends_at, title: t('elevation.overItself') }] : []),
    ...(e.state === 'lapsed' ? [{ key: 'lapsed', at: e.lapses_at, title: t('elevation.lapsedItself') }] : []),
  ];
  return (
    <div className="fields">
      <div className="row wrap"><ElevationStateCell e={e} onEnd={onEnd} />{e.break_glass && <Badge tone="bad">{t('elevation.breakGlass')}</Badge>}</div>
      <dl className="facts">
        <dt>{t('elevation.person')}</dt><dd>{e.person.name} <span className="dim">{e.provider.name}</span></dd>
        <dt>{t('elevation.client')}</dt><dd>{link ? <Go to={tenantPath(e.tenant.slug)} className="link">{e.tenant.name}</Go> : e.tenant.name}</dd>
        <dt>{t('elevation.template')}</dt><dd>{e.template.name}</dd>
        {e.tier && <><dt>{t('elevation.tier')}</dt><dd><Tier t={e.tier} long /></dd></>}
        {e.actions.length > 0 && <><dt>{t('elevation.actions')}</dt><dd><ul className="plain-list">{e.actions.map((a) => <li key={a}><ActionName name={a} /></li>)}</ul></dd></>}
        <dt>{t('elevation.modules')}</dt><dd><Modules modules={e.modules} /></dd>
        <dt>{t('elevation.minutes')}</dt><dd>{minutes(e.minutes)}{e.ends_at && <span className="dim"> {t('elevation.until', { time: clock(e.ends_at) })}</span>}</dd>
        <dt>{t('elevation.approver')}</dt><dd>{t(`elevation.approvers.${e.approver}`)}</dd>
        {e.ticket && <><dt>{t('elevation.ticket')}</dt><dd className="mono">{e.ticket}</dd></>}
        {e.state === 'requested' && <><dt>{t('elevation.lapses')}</dt><dd><RelativeTime at={e.lapses_at} /></dd></>}
        <dt>{t('settings.id')}</dt><dd className="mono break">{e.id}</dd>
      </dl>
      <h3 className="flush">{t('elevation.history')}</h3>
      <Timeline label={t('elevation.history')} items={items} />
    </div>
  );
}
export function Modules({ modules }: { modules: readonly string[] }) {
  const { t } = useTranslation();
  if (modules.length === 0) return <span className="dim">{t('elevation.noModules')}</span>;
  return <span className="row tight wrap">{modules.map((m) => <Badge key={m}>{t(`module.${m}` as 'module.compliance', { defaultValue: m })}</Badge>)}</span>;
}
/** Steps a slider stands on: a quarter of an hour, or minutes where the most is short. */
export const stepMinutes = (max: number) => (max <= 30 ? 1 : max <= 120 ? 5 : 15);
/** What is offered first: an hour, or the most there is. */
export const firstMinutes = (t: Pick<ElevationTemplate, 'minutes_max'>) => Math.min(60, t.minutes_max);
