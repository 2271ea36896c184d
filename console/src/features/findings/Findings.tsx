import { Button, Select } from '@mantine/core';
import { IconDownload, IconMessage, IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, apiUrl, keys, path, permission, useTenant, type Finding, type FindingList } from '../../api';
import { Act, Chip, Chips, DataTable, Empty, fmt, Gate, GoButton, many, oneOf, PageHead, Pager, SearchBox, severityColour, SeverityLabel, tenantPath, text, useAddress, useList, type Column } from '../../ui';
import { Bulk, type BulkKind } from './Bulk';
import { FindingDrawer } from './FindingDrawer';
import { LIFECYCLES, LifecycleBadge, SEVERITIES, Status, STATUSES } from './shared';

const filters = { status: oneOf(STATUSES), severity: many(SEVERITIES), lifecycle: many(LIFECYCLES), framework: text, resource: text, control: text, assignee: text, scan: text };
const list = { sort: 'severity', sorts: ['severity', 'age', 'last_seen', 'title'], filters } as const;
type Listed = ReturnType<typeof useList<typeof filters>>;

export default function Findings() {
  const { t } = useTranslation();
  return <Gate title={t('findings.title')} action="finding.list" module="compliance"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const l = useList(list);
  const [{ finding }, set] = useAddress({ finding: text });
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.tenant(slug, 'findings', l.query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<FindingList>(path`/tenants/${slug}/findings`, l.query, signal),
  });
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<{ kind: BulkKind; chosen: Finding[] } | null>(null);
  const chosen = data?.items.filter((f) => ids.has(f.id)) ?? [];
  const { cursor: _cursor, limit: _limit, ...filtered } = l.query;
  const open = (f: Finding) => set({ finding: f.id }, { push: true });
  return (
    <>
      <PageHead title={t('findings.title')} sub={data && <Sentence list={l} data={data} />}>
        {permission(can, 'finding.export').allowed
          ? <Button component="a" href={apiUrl(path`/tenants/${slug}/findings.csv`, filtered)} download variant="default" leftSection={<IconDownload size={16} />} title={t('findings.exportHint')}>{t('ui.exportCsv')}</Button>
          : <Act variant="default" can={permission(can, 'finding.export')} leftSection={<IconDownload size={16} />}>{t('ui.exportCsv')}</Act>}
      </PageHead>
      <Filters list={l} data={data} />
      {chosen.length > 0 && (
        <div className="tools selected" role="region" aria-label={t('findings.selection')}>
          <span className="semi sm" role="status">{t('findings.selected', { count: chosen.length })}</span>
          <Act variant="default" can={permission(can, 'finding.take')} onClick={() => setBulk({ kind: 'take', chosen })}>{t('findings.assignMe')}</Act>
          <Act variant="default" can={permission(can, 'override.create')} onClick={() => setBulk({ kind: 'override', chosen })}>{t('findings.override')}</Act>
          <Button variant="subtle" color="gray" onClick={() => setIds(new Set())}>{t('findings.unselect')}</Button>
        </div>
      )}
      <DataTable<Finding> caption={t('findings.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(f) => f.id} sort={l.view.sort} onSort={l.toggleSort} onRow={open} skeletonRows={12}
        selection={{ ids, onChange: setIds, label: (f) => t('findings.select', { title: f.title }) }} empty={<None list={l} />} columns={useColumns(open)} />
      <Pager list={l} page={data} />
      <FindingDrawer id={finding} around={data?.items.map((f) => f.id) ?? []} go={(id) => set({ finding: id })} onClose={() => set({ finding: undefined })} />
      <Bulk kind={bulk?.kind ?? null} chosen={bulk?.chosen ?? []} onClose={() => setBulk(null)} onEnd={(rows) => setIds(new Set(rows.filter((r) => r.state !== 'done').map((r) => r.id)))} />
    </>
  );
}
function useColumns(open: (f: Finding) => void): Column<Finding>[] {
  const { t } = useTranslation();
  return [
    { key: 'severity', title: t('findings.severity'), sort: 'severity', width: 118, cell: (f) => <SeverityLabel s={f.severity} /> },
    { key: 'title', title: t('findings.finding'), sort: 'title', cell: (f) => <span className="row tight finding-cell"><button type="button" className="plain semi finding-title" onClick={() => open(f)}>{f.title}</button>{(f.lifecycle === 'new' || f.lifecycle === 'returned') && <LifecycleBadge l={f.lifecycle} />}{f.comments > 0 && <span className="with-dot xs dim" title={t('findings.nComments', { count: f.comments })}><IconMessage size={13} aria-hidden />{fmt.num(f.comments)}<span className="vh">{t('findings.nComments', { count: f.comments })}</span></span>}</span> },
    { key: 'control', title: t('findings.control'), cell: (f) => <span className="dim2 clip control-cell" title={f.control.title}>{f.control.uid}</span> },
    { key: 'resource', title: t('findings.resource'), cell: (f) => <span className="mono clip resource-cell" title={f.resource.uid}>{f.resource.name ?? f.resource.uid}</span> },
    { key: 'account', title: t('findings.account'), cell: (f) => <span className="dim2 clip control-cell">{f.resource.account ?? '–'}</span> },
    { key: 'age', title: t('findings.age'), sort: 'age', num: true, width: 80, cell: (f) => <span className="nowrap" title={fmt.exact(f.first_seen_at)}>{t('findings.ageDays', { count: f.age_days, n: fmt.num(f.age_days) })}</span> },
    { key: 'status', title: t('findings.statusHead'), width: 140, cell: (f) => <Status f={f} /> },
  ];
}
function Sentence({ list: l, data }: { list: Listed; data: FindingList }) {
  const { t } = useTranslation();
  const { critical = 0, high = 0 } = data.facets.severity;
  const what = t(`findings.sub.${l.view.status ?? 'open'}`, { count: data.total, n: fmt.num(data.total) });
  const urgent = (l.view.status ?? 'open') === 'open' && critical + high > 0;
  return <>{what}{urgent && ` · ${t('findings.subUrgent', { critical: t('overview.nCritical', { count: critical }), high: t('overview.nHigh', { count: high }) })}`}</>;
}
function Filters({ list: l, data }: { list: Listed; data: FindingList | undefined }) {
  const { t } = useTranslation();
  const { view, set } = l;
  const facets = data?.facets;
  const toggle = <V extends string>(all: readonly V[], now: readonly V[] | undefined, v: V) => { const next = all.filter((x) => (x === v) !== (now?.includes(x) ?? false)); return next.length ? next : undefined; };
  const choices = (given: { value: string; count: number }[] | undefined, chosen: string | undefined) => [...(given ?? []), ...(chosen && !given?.some((x) => x.value === chosen) ? [{ value: chosen, count: 0 }] : [])].map((x) => ({ value: x.value, label: `${x.value} (${fmt.num(x.count)})` }));
  const sort = view.sort;
  return (
    <>
      <div className="tools">
        <SearchBox label={t('findings.search')} value={view.q} onChange={(q) => set({ q })} w={280} />
        <div className="chips" role="group" aria-label={t('findings.severity')}>{SEVERITIES.filter((s) => (s !== 'informational' && s !== 'unknown') || facets?.severity[s] || view.severity?.includes(s)).map((s) => <Chip key={s} dot={severityColour(s)} on={view.severity?.includes(s) ?? false} count={facets ? (facets.severity[s] ?? 0) : undefined} onClick={() => set({ severity: toggle(SEVERITIES, view.severity, s) })}>{t(`severity.${s}`)}</Chip>)}</div>
        <span className="grow" />
        <Select aria-label={t('findings.assignee')} placeholder={t('findings.anyAssignee')} w={150} clearable allowDeselect value={view.assignee ?? null} onChange={(v) => set({ assignee: v ?? undefined })} data={[{ value: 'me', label: t('findings.assigneeMe', { n: fmt.num(facets?.assignee.me ?? 0) }) }, { value: 'none', label: t('findings.assigneeNone', { n: fmt.num(facets?.assignee.none ?? 0) }) }, ...(view.assignee && view.assignee !== 'me' && view.assignee !== 'none' ? [{ value: view.assignee, label: data?.items.find((f) => f.assignee?.id === view.assignee)?.assignee?.name ?? view.assignee }] : [])]} />
        <Select aria-label={t('findings.sortBy')} w={172} className="only-narrow" value={sort} onChange={(v) => set({ sort: v === list.sort ? undefined : (v ?? undefined) })} data={[
          { value: 'severity', label: t('findings.sort.severity') }, { value: '-age', label: t('findings.sort.ageDown') }, { value: 'age', label: t('findings.sort.age') }, { value: '-last_seen', label: t('findings.sort.seen') }, { value: 'title', label: t('findings.sort.title') },
          ...(['-severity', 'last_seen', '-title'].includes(sort) ? [{ value: sort, label: t(`findings.sort.${sort}` as 'findings.sort.title') }] : []),
        ]} />
      </div>
      <div className="tools">
        <Chips label={t('findings.statusHead')} value={view.status ?? 'open'} onChange={(s) => set({ status: s === 'open' ? undefined : s })} options={STATUSES.filter((s) => s === 'open' || s === view.status || !facets || facets.status[s]).map((s) => ({ value: s, label: t(`findings.status.${s}`), count: facets ? (facets.status[s] ?? 0) : undefined }))} />
        <span className="tool-line" aria-hidden />
        <div className="chips" role="group" aria-label={t('findings.lifecycleHead')}>{LIFECYCLES.filter((s) => s !== 'fixed' || view.lifecycle?.includes(s)).map((s) => <Chip key={s} on={view.lifecycle?.includes(s) ?? false} count={facets ? (facets.lifecycle[s] ?? 0) : undefined} onClick={() => set({ lifecycle: toggle(LIFECYCLES, view.lifecycle, s) })}>{t(`findings.lifecycle.${s}`)}</Chip>)}</div>
        <span className="grow" />
        <Select aria-label={t('findings.framework')} placeholder={t('findings.anyFramework')} w={160} searchable clearable allowDeselect value={view.framework ?? null} onChange={(v) => set({ framework: v ?? undefined })} data={choices(facets?.framework, view.framework)} />
        <Select aria-label={t('findings.resource')} placeholder={t('findings.anyResource')} w={170} searchable clearable allowDeselect value={view.resource ?? null} onChange={(v) => set({ resource: v ?? undefined })} data={choices(facets?.resource, view.resource)} comboboxProps={{ width: 420, position: 'bottom-end' }} />
      </div>
      {(view.control || view.scan) && (
        <div className="tools">
          {view.control && <Taken label={t('findings.ofControl', { name: data?.items.find((f) => f.control.id === view.control)?.control.uid ?? view.control })} onRemove={() => set({ control: undefined })} />}
          {view.scan && <Taken label={t('findings.ofScan', { id: view.scan })} onRemove={() => set({ scan: undefined })} />}
        </div>
      )}
    </>
  );
}
/** A filter that came with a link. */
function Taken({ label, onRemove }: { label: string; onRemove: () => void }) {
  const { t } = useTranslation();
  return <button type="button" className="chip" aria-pressed onClick={onRemove}>{label}<IconX size={14} aria-hidden /><span className="vh">{t('ui.remove')}</span></button>;
}
function None({ list: l }: { list: Listed }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const { status, ...rest } = l.view;
  const narrowed = Boolean(rest.q || rest.severity || rest.lifecycle || rest.framework || rest.resource || rest.control || rest.assignee || rest.scan);
  if (narrowed || status) return <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={l.clear}>{t('ui.clearFilters')}</button>} />;
  return <Empty title={t('findings.empty')} action={permission(can, 'scan.import').allowed && <GoButton to={tenantPath(slug, 'scans')}>{t('overview.import')}</GoButton>}>{t('findings.emptyText')}</Empty>;
}
