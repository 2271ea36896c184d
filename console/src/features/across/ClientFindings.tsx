import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type ClientFinding, type ClientFindingList } from '../../api';
import { Badge, Chip, Chips, DataTable, Empty, fmt, Go, many, oneOf, PageHead, Pager, SearchBox, severityColour, SeverityLabel, tenantPath, text, useList } from '../../ui';
import { ClientCell, ClientFilter, NotRead } from './shared';

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
const STATUSES = ['open', 'overridden', 'passed', 'fixed', 'manual'] as const;

export default function ClientFindings() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'severity', sorts: ['severity', 'age', 'tenant'], filters: { status: oneOf(STATUSES), severity: many(SEVERITIES), framework: text, tenant: text } });
  const { view, set } = list;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'client-findings', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<ClientFindingList>(path`/providers/${provider.slug}/findings`, list.query, signal) });
  const toggle = (s: (typeof SEVERITIES)[number]) => { const next = SEVERITIES.filter((x) => (x === s) !== (view.severity?.includes(x) ?? false)); set({ severity: next.length ? next : undefined }); };
  return (
    <>
      <PageHead title={t('findings.title')} sub={data && [t(`findings.sub.${view.status ?? 'open'}`, { count: data.total, n: fmt.num(data.total) }), data.reached !== undefined && t('across.reached', { count: data.reached, n: fmt.num(data.reached) })].filter(Boolean).join(' · ')} />
      <div className="tools">
        <SearchBox label={t('findings.search')} value={view.q} onChange={(q) => set({ q })} w={260} />
        <div className="chips" role="group" aria-label={t('findings.severity')}>{SEVERITIES.map((s) => <Chip key={s} dot={severityColour(s)} on={view.severity?.includes(s) ?? false} count={data?.facets?.severity?.[s]} onClick={() => toggle(s)}>{t(`severity.${s}`)}</Chip>)}</div>
        <span className="grow" /><ClientFilter value={view.tenant} onChange={(tenant) => set({ tenant })} />
      </div>
      <div className="tools"><Chips label={t('findings.statusHead')} value={view.status ?? 'open'} onChange={(s) => set({ status: s === 'open' ? undefined : s })} options={STATUSES.map((s) => ({ value: s, label: t(`findings.status.${s}`) }))} /></div>
      <NotRead of={data} />
      <DataTable<ClientFinding> caption={t('findings.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(f) => `${f.tenant.id}${f.id}`} sort={view.sort} onSort={list.toggleSort} skeletonRows={12}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('across.noFindings')}>{t('across.noFindingsText')}</Empty>}
        columns={[
          { key: 'severity', title: t('findings.severity'), sort: 'severity', width: 118, cell: (f) => <SeverityLabel s={f.severity} /> },
          { key: 'title', title: t('findings.finding'), cell: (f) => <Go to={tenantPath(f.tenant.slug, 'findings')} search={{ finding: f.id, status: f.status === 'open' ? undefined : f.status }} className="semi finding-title">{f.title}</Go> },
          { key: 'tenant', title: t('alerts.client'), sort: 'tenant', cell: (f) => <ClientCell of={f.tenant} page="findings" /> },
          { key: 'resource', title: t('findings.resource'), cell: (f) => <span className="mono clip resource-cell" title={f.resource.uid}>{f.resource.name ?? f.resource.uid}</span> },
          { key: 'age', title: t('findings.age'), sort: 'age', num: true, width: 80, cell: (f) => <span className="nowrap" title={fmt.exact(f.first_seen_at)}>{t('findings.ageDays', { count: f.age_days, n: fmt.num(f.age_days) })}</span> },
          { key: 'who', title: t('findings.assignee'), cell: (f) => f.assignee?.name ?? <Badge>{t('findings.nobody')}</Badge> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
