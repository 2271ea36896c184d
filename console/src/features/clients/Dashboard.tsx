import { Button, Select, SegmentedControl } from '@mantine/core';
import { IconDownload, IconLayoutGrid, IconList, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, apiUrl, CLIENT_FILTERS, keys, may, path, permission, TIERS, usePlans, useProvider, type Client, type ClientList } from '../../api';
import { Act, Av, band, Chips, DataTable, Delta, Empty, ErrorState, fmt, Go, Kpi, KpiStrip, oneOf, PageHead, Pager, ScanState, Score, SearchBox, SeatsUsed, SevCount, Sk, Spark, StateBadge, tenantPath, text, Tier, useAddress, useList, useReason } from '../../ui';

const SORTS = ['attention', 'score', 'scan', 'critical', 'seats', 'name', 'tier'] as const;
const filters = { filter: oneOf(CLIENT_FILTERS), tier: oneOf(TIERS), plan: text };

export default function Dashboard() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'attention', sorts: SORTS, filters, limit: 60 });
  const [{ view = 'cards' }, set] = useAddress({ view: oneOf(['cards', 'table']) });
  const plans = usePlans(provider.slug, permission(provider.can, 'plan.list').allowed);
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.provider(provider.slug, 'clients', list.query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<ClientList>(path`/providers/${provider.slug}/clients`, list.query, signal),
  });
  const k = data?.kpis;
  const need = data?.counts.attention ?? 0;
  const total = data?.counts.all ?? 0;
  const { cursor: _cursor, limit: _limit, ...filtered } = list.query;
  const add = () => set({ add: 'client' });
  const addButton = <Act leftSection={<IconPlus size={16} />} can={permission(provider.can, 'tenant.create')} onClick={add}>{t('dash.addClient')}</Act>;
  // Who may not read the plans chooses among those of the clients at hand.
  const planNames = plans.data?.items.map((p) => p.name) ?? [...new Set([list.view.plan, ...(data?.items ?? []).map((c) => c.plan)])].filter((p) => typeof p === 'string').toSorted();
  const none = list.filtered
    ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} />
    : <Empty title={t('dash.emptyTitle')} action={permission(provider.can, 'tenant.create').allowed ? addButton : undefined}>{t(permission(provider.can, 'tenant.create').allowed ? 'dash.emptyText' : 'dash.emptyAssigned')}</Empty>;
  return (
    <>
      <PageHead title={t('dash.title')} sub={data && (need === 0 ? t('dash.subNone', { total: fmt.num(total) }) : t('dash.sub', { count: need, total: fmt.num(total) }))}>
        {permission(provider.can, 'client.export').allowed
          ? <Button component="a" href={apiUrl(path`/providers/${provider.slug}/clients.csv`, filtered)} download variant="default" leftSection={<IconDownload size={16} />} title={t('dash.exportHint')}>{t('ui.export')}</Button>
          : <Act variant="default" can={permission(provider.can, 'client.export')} leftSection={<IconDownload size={16} />}>{t('ui.export')}</Act>}
        {addButton}
      </PageHead>
      <KpiStrip>
        <Kpi label={t('dash.average')} loading={!k} value={k?.average_score == null ? '–' : fmt.score(k.average_score)} note={k?.average_delta == null ? undefined : t('dash.averageDelta', { n: fmt.signed(k.average_delta) })} tone={k?.average_delta ? (k.average_delta > 0 ? 'good' : 'bad') : undefined} />
        <Kpi label={t('dash.critical')} loading={!k} value={fmt.num(k?.critical ?? 0)} note={k && t('dash.inClients', { count: k.critical_clients })} />
        <Kpi label={t('dash.high')} loading={!k} value={fmt.num(k?.high ?? 0)} />
        <Kpi label={t('dash.stale')} loading={!k} value={fmt.num((k?.stale ?? 0) + (k?.never ?? 0))} note={k && k.never > 0 ? t('dash.neverN', { count: k.never }) : undefined} />
        <Kpi label={t('dash.clients')} loading={!k} value={fmt.num(k?.clients ?? 0)} note={k?.clients_max == null ? undefined : t('dash.ofMax', { max: fmt.num(k.clients_max) })} />
      </KpiStrip>
      <div className="tools">
        <SearchBox label={t('dash.search')} value={list.view.q} onChange={(q) => list.set({ q })} w={260} />
        <span className="grow" />
        <Select aria-label={t('dash.tier')} placeholder={t('dash.anyTier')} w={140} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} clearable allowDeselect value={list.view.tier ?? null} onChange={(tier) => list.set({ tier: (tier ?? undefined) as typeof list.view.tier })} />
        <Select aria-label={t('dash.plan')} placeholder={t('dash.anyPlan')} w={140} data={planNames} clearable allowDeselect value={list.view.plan ?? null} onChange={(plan) => list.set({ plan: plan ?? undefined })} />
        <Select aria-label={t('dash.sortBy')} w={200} value={list.view.sort} onChange={(sort) => list.set({ sort: sort === 'attention' ? undefined : (sort ?? undefined) })} data={[
          { value: 'attention', label: t('dash.sort.attention') }, { value: 'score', label: t('dash.sort.score') }, { value: '-score', label: t('dash.sort.scoreDown') }, { value: 'scan', label: t('dash.sort.scan') }, { value: 'critical', label: t('dash.sort.critical') }, { value: 'seats', label: t('dash.sort.seats') }, { value: 'name', label: t('dash.sort.name') },
        ]} />
        <SegmentedControl aria-label={t('dash.view')} size="sm" value={view} onChange={(v) => set({ view: v === 'cards' ? undefined : v })} data={[{ value: 'cards', label: <span className="seg"><IconLayoutGrid size={16} aria-hidden /><span className="vh">{t('dash.cards')}</span></span> }, { value: 'table', label: <span className="seg"><IconList size={16} aria-hidden /><span className="vh">{t('dash.table')}</span></span> }]} />
      </div>
      <div className="tools">
        <Chips label={t('dash.filters')} value={list.view.filter} onChange={(filter) => list.set({ filter })} options={[
          { value: undefined, label: t('dash.filter.all'), count: data?.counts.all },
          ...CLIENT_FILTERS.filter((f) => f === 'attention' || f === list.view.filter || (data?.counts[f] ?? 0) > 0).map((f) => ({ value: f, label: t(`dash.filter.${f}`), count: data?.counts[f] })),
        ]} />
      </div>
      {view === 'table' ? (
        <DataTable<Client> caption={t('dash.title')} rows={data?.items} error={error} retry={() => void refetch()} empty={none} stale={isPlaceholderData} rowKey={(c) => c.id} sort={list.view.sort} onSort={list.toggleSort} tone={(c) => (c.seats.status === 'over_limit' ? 'bad' : undefined)}
          columns={[
            { key: 'name', title: t('dash.client'), sort: 'name', cell: (c) => <span className="row"><Av slug={c.slug} name={c.name} small /><Enter c={c} />{c.state !== 'active' && <StateBadge state={c.state} />}{c.via && <span className="tier">{c.via.name}</span>}</span> },
            { key: 'tier', title: t('dash.access'), sort: 'tier', cell: (c) => <Tier t={c.tier} long /> },
            { key: 'plan', title: t('dash.plan'), cell: (c) => c.plan ?? '–' },
            { key: 'score', title: t('dash.compliance'), sort: 'score', width: 210, cell: (c) => <span className="row"><span className="score-cell"><Score value={c.score} /></span><Spark data={c.trend} color={band(c.score)} w={90} h={22} /></span> },
            { key: 'critical', title: t('dash.criticalShort'), num: true, sort: 'critical', cell: (c) => <SevCount bare kind="critical" n={c.critical} /> },
            { key: 'high', title: t('dash.highShort'), num: true, cell: (c) => <SevCount bare kind="high" n={c.high} /> },
            { key: 'scan', title: t('dash.lastScan'), sort: 'scan', cell: (c) => <ScanState scan={c.scan} /> },
            { key: 'seats', title: t('dash.seats'), num: true, sort: 'seats', cell: (c) => <SeatsUsed seats={c.seats} /> },
          ]} />
      ) : error && !data ? <ErrorState error={error} retry={() => void refetch()} />
        : data?.items.length === 0 ? none
        : <ul className={isPlaceholderData ? 'cards stale' : 'cards'} aria-busy={!data || isPlaceholderData}>{data ? data.items.map((c) => <Card key={c.id} c={c} />) : Array.from({ length: 9 }, (_, i) => <CardSkeleton key={i} />)}</ul>}
      <Pager list={list} page={data} />
    </>
  );
}

/** The client's name: a link that opens it, or its name with the reason why it can't be entered. */
function Enter({ c }: { c: Client }) {
  const reason = useReason({ can: { allowed: c.enter.allowed, why: c.enter.why, needs: null } });
  return reason ? <span className="trunc semi dim" title={reason}>{c.name}<span className="vh"> ({reason})</span></span> : <Go to={tenantPath(c.slug)} className="trunc semi block">{c.name}</Go>;
}
function Card({ c }: { c: Client }) {
  const { t } = useTranslation();
  return (
    <li><article className="card" aria-label={c.name}>
      <div className="hd"><Av slug={c.slug} name={c.name} /><div className="min0 grow"><Enter c={c} /><div className="xs dim trunc">{[c.industry, c.plan, c.via && t('dash.via', { name: c.via.name })].filter(Boolean).join(' · ') || '\u00a0'}</div></div>{c.state === 'active' ? <Tier t={c.tier} long /> : <StateBadge state={c.state} />}</div>
      <div className="bd"><div><Score value={c.score} size="lg" /><div><Delta value={c.score === null ? null : c.delta} /></div></div>{c.score !== null && <Spark data={c.trend} color={band(c.score)} w={104} h={36} />}</div>
      <div className="ft">{c.onboarding ? <Begun c={c} onboarding={c.onboarding} /> : <ScanState scan={c.scan} />}<span className="end"><SevCount kind="critical" n={c.critical} /><SevCount kind="high" n={c.high} /></span></div>
    </article></li>
  );
}
/** A client that is not ready yet: how far it is, and for whoever may, where that is seen to. */
function Begun({ c, onboarding: { done, of } }: { c: Client; onboarding: NonNullable<Client['onboarding']> }) {
  const { t } = useTranslation();
  const { can } = useProvider();
  const words = t('dash.onboarding', { done: String(done), of: String(of) });
  return may(can, 'tenant.list') ? <Go to={`/tenants/${c.slug}`} className="link over">{words}</Go> : <span>{words}</span>;
}
const CardSkeleton = () => <li><div className="card"><div className="hd"><Sk w={32} h={32} /><div className="grow"><Sk w="60%" /><div><Sk w="40%" h={11} /></div></div></div><div className="bd"><div><Sk w={70} h={30} /><div><Sk w={100} h={11} /></div></div><Sk w={104} h={36} /></div><div className="ft"><Sk w={110} h={12} /></div></div></li>;
