import { IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type List, type TenantRow } from '../../api';
import { Act, Av, Chips, DataTable, Empty, fmt, Go, oneOf, PageHead, Pager, RelativeTime, SearchBox, StateBadge, Tier, useAddress, useList } from '../../ui';

const STATES = ['active', 'suspended', 'archived'] as const;
const filters = { state: oneOf(STATES) };

export default function Tenants() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'name', sorts: ['name', 'created', 'state'], filters });
  const [, set] = useAddress({});
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.provider(provider.slug, 'tenants', list.query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<TenantRow>>(path`/providers/${provider.slug}/tenants`, list.query, signal),
  });
  const add = <Act leftSection={<IconPlus size={16} />} can={permission(provider.can, 'tenant.create')} onClick={() => set({ add: 'client' })}>{t('dash.addClient')}</Act>;
  return (
    <>
      <PageHead title={t('tenants.title')} sub={data && t('tenants.sub', { count: data.total })}>{add}</PageHead>
      <div className="tools">
        <SearchBox label={t('tenants.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('tenants.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, ...STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))]} />
      </div>
      <DataTable<TenantRow> caption={t('tenants.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.id} sort={list.view.sort} onSort={list.toggleSort}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('tenants.empty')} action={add}>{t('tenants.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('tenants.name'), sort: 'name', cell: (r) => <span className="row"><Av slug={r.slug} name={r.name} small /><Go to={`/tenants/${r.slug}`} className="semi trunc">{r.name}</Go><span className="mono dim">{r.slug}</span></span> },
          { key: 'state', title: t('tenants.state'), sort: 'state', cell: (r) => <StateBadge state={r.state} /> },
          { key: 'plan', title: t('tenants.plan'), cell: (r) => r.plan ?? '–' },
          { key: 'tier', title: t('tenants.tier'), cell: (r) => <Tier t={r.relationship.tier} long /> },
          { key: 'rel', title: t('tenants.relationship'), cell: (r) => <StateBadge state={r.relationship.state} /> },
          { key: 'ends', title: t('tenants.ends'), cell: (r) => (r.relationship.ends_at ? <RelativeTime at={r.relationship.ends_at} /> : <span className="dim">{t('ui.noEnd')}</span>) },
          { key: 'via', title: t('tenants.via'), cell: (r) => r.via?.name ?? <span className="dim">–</span> },
          { key: 'created', title: t('tenants.created'), sort: 'created', cell: (r) => <span className="dim2 nowrap">{fmt.date(r.created_at)}</span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
