import { Button } from '@mantine/core';
import { IconAlertTriangle, IconDownload, IconPencil } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import '../../ui/tenant.css';
import { api, apiUrl, keys, may, path, useProvider, type LicenceRow, type Licensing as LicensingData, type MspLicence } from '../../api';
import { ActIcon, Av, Badge, Chips, DataTable, Empty, fmt, Go, Kpi, KpiStrip, oneOf, PageHead, Pager, Panel, SearchBox, SkLines, StateBadge, text, Tier, Usage, useAddress, useList } from '../../ui';
import { LicenceEdit } from './LicenceEdit';
import { UsageChart, UsageTable } from './UsageChart';

const STATUSES = ['over_limit', 'near', 'ok', 'unlimited'] as const;

/** Product §6: who has how many users of how many seats, and who is over. */
export default function Licensing() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'organisation', sorts: ['organisation', 'users', 'status'], filters: { status: oneOf(STATUSES) } });
  const [{ edit }, set] = useAddress({ edit: text });
  const [asTable, setAsTable] = useState(false);
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'licensing', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<LicensingData>(path`/providers/${provider.slug}/licensing`, list.query, signal) });
  const msp = useQuery({ queryKey: keys.provider(provider.slug, 'msp-licence'), enabled: may(provider.can, 'msp_licence.view'), staleTime: 300_000, queryFn: ({ signal }) => api.get<MspLicence>(path`/providers/${provider.slug}/msp-licence`, undefined, signal) });
  const k = data?.kpis;
  const history = data?.history ?? [];
  const grown = history.length > 1 ? history.at(-1)!.users - history[0]!.users : null;
  const edited = data?.items.find((r) => r.tenant.slug === edit);
  const licensed = msp.data?.tenants.max ?? null;
  return (
    <>
      <PageHead title={t('licensing.title')} sub={t('licensing.sub')}><Button component="a" variant="default" leftSection={<IconDownload size={16} />} href={apiUrl(path`/providers/${provider.slug}/licensing/export`, { q: list.view.q, status: list.view.status })} download>{t('ui.exportCsv')}</Button></PageHead>
      <KpiStrip>
        <Kpi label={t('licensing.organisations')} loading={!k} value={fmt.num(k?.organisations ?? 0)} note={licensed !== null && t('licensing.ofLicensed', { max: fmt.num(licensed) })} />
        <Kpi label={t('licensing.users')} loading={!k} value={fmt.num(k?.licensed_users ?? 0)} note={grown !== null && grown !== 0 && t('licensing.usersNote', { n: fmt.signed(grown, 0) })} />
        <Kpi label={t('licensing.capacity')} loading={!k} value={fmt.num(k?.seat_capacity ?? 0)} note={t('licensing.capacityNote')} />
        <Kpi label={t('licensing.over')} loading={!k} value={<span className={k?.over_limit ? 'crit' : undefined}>{fmt.num(k?.over_limit ?? 0)}</span>} note={data && data.near_limit.length > 0 && t('licensing.nearNote', { count: data.near_limit.length })} />
      </KpiStrip>
      {data && data.near_limit.length > 0 && <section className="note gap-b row" aria-label={t('licensing.nearTitle', { count: data.near_limit.length })}><IconAlertTriangle size={18} aria-hidden className="near-ink" /><div className="min0"><p className="flush semi">{t('licensing.nearTitle', { count: data.near_limit.length })}</p><ul className="near-list sm">{data.near_limit.map((x) => <li key={x.id}><Go to="/licensing" search={{ q: x.name }} className="link">{t('licensing.nearItem', { name: x.name, used: fmt.num(x.used), max: fmt.num(x.max) })}</Go></li>)}</ul></div></section>}
      <div className="gap-b"><Panel title={t('licensing.chartTitle')} pad actions={history.length > 0 && <Button variant="subtle" size="compact-sm" onClick={() => setAsTable(!asTable)}>{t(asTable ? 'licensing.asChart' : 'licensing.asTable')}</Button>}>
        {!data ? <div className="chart short">{error ? null : <SkLines lines={6} />}</div> : history.length === 0 ? <Empty bare title={t('licensing.chartEmpty')}>{t('licensing.chartEmptyText')}</Empty> : asTable ? <UsageTable items={history} /> : <UsageChart items={history} />}
      </Panel></div>
      <div className="tools">
        <SearchBox label={t('licensing.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('licensing.status')} value={list.view.status} onChange={(status) => list.set({ status })} options={[{ value: undefined, label: t('ui.all') }, ...STATUSES.map((s) => ({ value: s, label: s === 'near' ? t('licensing.near') : t(`state.${s}`) }))]} />
      </div>
      <DataTable<LicenceRow> caption={t('licensing.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.tenant.id} sort={list.view.sort} onSort={list.toggleSort} tone={(r) => (r.status === 'over_limit' ? 'bad' : undefined)}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('licensing.empty')}>{t('licensing.emptyText')}</Empty>}
        columns={[
          { key: 'organisation', title: t('licensing.organisation'), sort: 'organisation', cell: (r) => <span className="row"><Av slug={r.tenant.slug} name={r.tenant.name} small /><Go to={may(provider.can, 'tenant.list') ? `/tenants/${r.tenant.slug}` : `/t/${r.tenant.slug}/overview`} className="semi trunc">{r.tenant.name}</Go></span> },
          { key: 'tier', title: t('licensing.access'), cell: (r) => <Tier t={r.tier} /> },
          { key: 'type', title: t('licensing.type'), cell: (r) => <Badge>{t(`licensing.types.${r.type}`)}</Badge> },
          { key: 'users', title: t('licensing.seatsUsed'), sort: 'users', width: 260, cell: (r) => <SeatBar r={r} /> },
          { key: 'automations', title: t('limit.automations'), num: true, cell: (r) => <LimitOf s={r.limits.automations} /> },
          { key: 'keys', title: t('limit.api_keys'), num: true, cell: (r) => <LimitOf s={r.limits.api_keys} /> },
          { key: 'at', title: t('licensing.atLimit'), cell: (r) => t(`licensing.enforcement.${r.limits.seats.enforcement}`) },
          { key: 'status', title: t('licensing.status'), sort: 'status', cell: (r) => (r.near && r.status === 'ok' ? <Badge tone="near">{t('licensing.near')}</Badge> : <StateBadge state={r.status} />) },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (r) => <span className="end"><ActIcon label={t('licensing.edit', { name: r.tenant.name })} can={r.can.update} onClick={() => set({ edit: r.tenant.slug })}><IconPencil size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      <Pager list={list} page={data} />
      {edited && <LicenceEdit key={`${edited.tenant.id}-${edited.version}`} row={edited} onClose={() => set({ edit: undefined })} />}
    </>
  );
}
function SeatBar({ r }: { r: LicenceRow }) {
  const { t } = useTranslation();
  const words = r.users_max === null ? t('licensing.unlimitedOf', { used: fmt.num(r.users) }) : t('licensing.of', { used: fmt.num(r.users), max: fmt.num(r.users_max) });
  return <div className="usage-cell"><Usage used={r.users} limit={r.users_max} label={`${t('licensing.seatsUsed')}: ${words}`} /><span className="num nowrap">{words}</span></div>;
}
const LimitOf = ({ s }: { s: LicenceRow['limits']['automations'] }) => <span className={s.max !== null && s.used > s.max ? 'crit' : undefined}>{fmt.num(s.used)}<span className="dim"> / {s.max === null ? '∞' : fmt.num(s.max)}</span></span>;
