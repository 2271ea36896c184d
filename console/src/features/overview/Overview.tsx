import { IconArrowUpRight, IconFileImport, IconLock, IconPackageOff, IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, may, permission, useTenant, type Decision, type LedgerEntry, type List, type ScorePoint, type Summary } from '../../api';
import { Act, band, Delta, Dot, Empty, ErrorState, fmt, Gate, Go, Kpi, KpiStrip, PageHead, Panel, RelativeTime, ScanState, Score, ScoreChart, ScoreTable, Sk, SkLines, Spark, StateBadge, tenantPath, useActionName, useClosed } from '../../ui';
import { target, urgent } from './decisions';

const DAYS = 90;

export default function Overview() {
  const { t } = useTranslation();
  return <Gate title={t('overview.title')} action="summary.view"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { slug, tenant, can } = useTenant();
  const closed = useClosed('score.list', 'compliance');
  const { data: s, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'summary'), queryFn: ({ signal }) => api.get<Summary>(path`/tenants/${slug}/summary`, undefined, signal) });
  const words = s && (s.scan.status === 'never' ? t('overview.subNever') : s.critical + s.high === 0 ? t('overview.subFine') : t('overview.sub', { critical: t('overview.nCritical', { count: s.critical }), high: t('overview.nHigh', { count: s.high }) }));
  const seats = s && (s.seats.limit === null ? t('overview.seatsUnlimited') : t('overview.ofSeats', { n: fmt.num(s.seats.limit) }));
  return (
    <>
      <PageHead title={t('overview.title')} sub={words && [words, tenant.plan && t('overview.plan', { plan: tenant.plan })].filter(Boolean).join(' · ')}>
        <Act variant="default" leftSection={<IconFileImport size={16} />} can={permission(can, 'scan.import')} onClick={() => void navigate({ to: tenantPath(slug, 'scans') })}>{t('overview.import')}</Act>
        <Act leftSection={<IconUserPlus size={16} />} can={permission(can, 'member.invite')} onClick={() => void navigate({ to: tenantPath(slug, 'members'), search: { invite: 'member' } as never })}>{t('overview.invite')}</Act>
      </PageHead>
      {error && !s ? <ErrorState error={error} retry={() => void refetch()} /> : (
        <KpiStrip>
          <Kpi label={t('overview.score')} loading={!s} value={<Score value={s?.score ?? null} />} note={s && s.score !== null && <span className="kpi-note"><Spark data={s.trend} color={band(s.score)} w={72} h={22} /><Delta value={s.delta} /></span>} />
          <Kpi label={t('overview.critical')} loading={!s} value={<span className={s?.critical ? 'crit' : undefined}>{fmt.num(s?.critical ?? 0)}</span>} note={s && t('overview.controls')} />
          <Kpi label={t('overview.high')} loading={!s} value={fmt.num(s?.high ?? 0)} note={s && t('overview.controls')} />
          <Kpi label={t('overview.scan')} loading={!s} value={s?.scan.at ? <span className="kpi-word"><RelativeTime at={s.scan.at} /></span> : '–'} note={s && <ScanState scan={{ status: s.scan.status, at: null }} />} />
          <Kpi label={t('overview.seats')} loading={!s} value={fmt.num(s?.seats.used ?? 0)} note={seats} tone={s?.seats.status === 'over_limit' ? 'bad' : undefined} />
        </KpiStrip>
      )}
      {closed ? <ClosedPanel closed={closed} /> : (
        <div className="over-grid">
          <History />
          <Frameworks s={s} />
          <Recent />
          <Decisions s={s} />
        </div>
      )}
    </>
  );
}

/** Only the summary: says what the rest of the page would show, and what it takes. */
function ClosedPanel({ closed }: { closed: NonNullable<ReturnType<typeof useClosed>> }) {
  const { t } = useTranslation();
  const { me } = useTenant();
  if (me.tier !== 'T0' && closed.kind === 'access') return <Empty icon={IconLock} title={closed.title}>{closed.text}</Empty>;
  if (closed.kind === 'module') return <Empty icon={IconPackageOff} title={closed.title}>{closed.text}</Empty>;
  return (
    <section className="panel closed" aria-label={t('overview.closedTitle')}>
      <IconLock size={22} stroke={1.6} aria-hidden />
      <div><h2>{t('overview.closedTitle')}</h2><p className="dim2">{closed.text}</p>
        <p className="dim2">{t('overview.closedText')}</p>
        <ul className="dim2">{(['history', 'frameworks', 'findings', 'activity', 'decisions'] as const).map((k) => <li key={k}>{t(`overview.closedList.${k}`)}</li>)}</ul></div>
    </section>
  );
}

function History() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const [table, setTable] = useState(false);
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'scores', DAYS), queryFn: ({ signal }) => api.get<Pick<List<ScorePoint>, 'items'>>(path`/tenants/${slug}/scores`, { days: DAYS }, signal) });
  const none = <Empty bare title={t('overview.historyEmpty')} action={permission(can, 'scan.import').allowed && <Go to={tenantPath(slug, 'scans')} className="link">{t('overview.import')}</Go>}>{t('overview.historyEmptyText')}</Empty>;
  return (
    <Panel title={t('chart.title', { count: DAYS })} pad actions={<>{(data?.items.length ?? 0) > 0 && <button type="button" className="plain sm dim2" aria-pressed={table} onClick={() => setTable(!table)}>{t(table ? 'chart.asChart' : 'chart.asTable')}</button>}<Go to={tenantPath(slug, 'compliance')} className="link sm">{t('overview.openCompliance')}</Go></>}>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <Sk h={220} /> : data.items.length === 0 ? none : table ? <ScoreTable items={data.items} /> : <ScoreChart items={data.items} days={DAYS} />}
    </Panel>
  );
}
function Frameworks({ s }: { s: Summary | undefined }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  return (
    <Panel title={t('overview.frameworks')} pad actions={s && <span className="sm"><ScanState scan={s.scan} /></span>}>
      {!s ? <SkLines lines={6} /> : s.frameworks.length === 0 ? <Empty bare title={t('overview.frameworksEmpty')}>{t('overview.frameworksEmptyText')}</Empty> : (
        <ul className="bars">{s.frameworks.map((f) => (
          <li key={f.framework}><Go to={tenantPath(slug, 'compliance')} search={{ framework: f.framework }} className="bar-row"><span className="semi trunc">{f.framework}</span><span className="dim num nowrap">{t('overview.passedOf', { n: fmt.num(f.passed), total: fmt.num(f.passed + f.failed) })}</span><b className="num semi">{fmt.percent(f.score)}</b></Go><div className="ubar" aria-hidden><i style={{ width: `${f.score}%`, background: band(f.score) }} /></div></li>
        ))}</ul>
      )}
    </Panel>
  );
}
function Decisions({ s }: { s: Summary | undefined }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('overview.decisions')} pad>
      {!s ? <SkLines lines={4} /> : s.decisions.length === 0 ? <Empty bare title={t('overview.decisionsEmpty')}>{t('overview.decisionsEmptyText')}</Empty> : <ul className="decisions">{s.decisions.map((d) => <li key={`${d.kind}-${d.to}-${d.text}`}><DecisionRow d={d} /></li>)}</ul>}
    </Panel>
  );
}
function DecisionRow({ d }: { d: Decision }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const { page, search } = target(d);
  const words = t(`overview.decision.${d.kind}` as 'overview.decision.scan_stale', { count: d.count, defaultValue: d.text });
  return <Go to={tenantPath(slug, page)} search={search} className="row"><Dot color={urgent(d) ? 'var(--bar-bad)' : 'var(--bar-warn)'} /><span className="grow">{words}{urgent(d) && <span className="vh"> ({t('overview.urgent')})</span>}</span><IconArrowUpRight size={15} aria-hidden className="dim" /></Go>;
}
const RECENT = 7;
/** The last entries of the ledger, as far as one may read it: the summary's own list doesn't say as what somebody acted. */
function Recent() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const all = may(can, 'ledger.list');
  const closed = useClosed(all ? 'ledger.list' : 'ledger.list_own');
  const { data, error, refetch } = useQuery({
    queryKey: keys.tenant(slug, 'ledger', 'recent', all), enabled: !closed,
    queryFn: ({ signal }) => api.get<List<LedgerEntry>>(all ? path`/tenants/${slug}/ledger` : path`/tenants/${slug}/ledger/mine`, { limit: RECENT }, signal),
  });
  return (
    <Panel title={t(all || closed ? 'overview.recent' : 'overview.recentOwn')} actions={!closed && <Go to={tenantPath(slug, 'ledger')} className="link sm">{t('nav.ledger')}</Go>}>
      {closed ? <Empty bare icon={IconLock} title={closed.title}>{closed.text}</Empty> : error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <div className="pad"><SkLines lines={6} /></div> : data.items.length === 0 ? <Empty bare title={t('overview.recentEmpty')}>{t('overview.recentEmptyText')}</Empty> : <ol className="recent">{data.items.map((e) => <RecentRow key={e.id} e={e} />)}</ol>}
    </Panel>
  );
}
function RecentRow({ e }: { e: LedgerEntry }) {
  const { t } = useTranslation();
  const name = useActionName();
  const as = !e.as ? (e.actor.kind === 'person' ? null : t(`ledger.actor.${e.actor.kind}`)) : e.as.provider ? [e.as.provider.name, e.as.tier].filter(Boolean).join(' · ') : e.as.role && t(`role.${e.as.role}` as 'role.admin', { defaultValue: e.as.role });
  return <li><span className="dim"><RelativeTime at={e.at} /></span><span className="row tight"><span className="semi trunc">{e.actor.name}</span>{as && <span className="tier">{as}</span>}</span><span className="row tight"><span className="trunc" title={e.subject?.label ?? undefined}>{name(e.action)} <span className="dim2">{e.subject?.label ?? e.subject?.id}</span></span>{e.outcome !== 'done' && <StateBadge state={e.outcome} />}</span></li>;
}
