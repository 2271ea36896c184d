import { IconMinus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type ClientModules as Page } from '../../api';
import { DataTable, Empty, fmt, Kpi, KpiStrip, PageHead, Pager, RelativeTime, SearchBox, useList, type Column } from '../../ui';
import { ClientCell } from './shared';

type Row = Page['items'][number];
/** Which module is open where, and whether anything happens in it. */
export default function ClientModules() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'name', sorts: [], filters: {} });
  const { sort: _sort, ...query } = list.query;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'client-modules', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<Page>(path`/providers/${provider.slug}/modules`, query, signal) });
  const name = (m: string) => t(`module.${m}` as 'module.compliance', { defaultValue: m });
  const of = (m: string) => (data?.items ?? []).flatMap((r) => r.modules.filter((x) => x.module === m && x.open));
  const shown = data?.modules ?? [];
  return (
    <>
      <PageHead title={t('nav.modules')} sub={t('across.modules')} />
      {shown.length > 0 && <KpiStrip>{shown.slice(0, 5).map((m) => <Kpi key={m} label={name(m)} value={fmt.num(of(m).length)} note={t('across.active', { count: of(m).filter((x) => (x.events_30d ?? 0) > 0).length, n: fmt.num(of(m).filter((x) => (x.events_30d ?? 0) > 0).length) })} />)}</KpiStrip>}
      <div className="tools"><SearchBox label={t('tenants.search')} value={list.view.q} onChange={(q) => list.set({ q })} /></div>
      <DataTable<Row> caption={t('nav.modules')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.tenant.id}
        empty={<Empty title={t(list.filtered ? 'ui.nothingMatches' : 'dash.emptyTitle')}>{!list.filtered && t('dash.emptyText')}</Empty>}
        columns={[{ key: 'tenant', title: t('alerts.client'), cell: (r) => <ClientCell of={r.tenant} page="overview" /> }, ...shown.map((m): Column<Row> => ({ key: m, title: name(m), cell: (r) => <Cell of={r.modules.find((x) => x.module === m)} /> }))]} />
      <Pager list={list} page={data && { items: data.items, next: data.next ?? null, total: data.total ?? data.items.length }} />
    </>
  );
}
function Cell({ of: m }: { of: Row['modules'][number] | undefined }) {
  const { t } = useTranslation();
  if (!m?.open) return <span className="dim" title={t('across.closed')}><IconMinus size={14} aria-hidden /><span className="vh">{t('across.closed')}</span></span>;
  return <span className="block"><span className="num semi">{m.events_30d === null ? t('across.open') : t('across.events', { count: m.events_30d, n: fmt.num(m.events_30d) })}</span><span className="xs dim block"><RelativeTime at={m.last_activity_at} never={t('across.noUse')} /></span></span>;
}
