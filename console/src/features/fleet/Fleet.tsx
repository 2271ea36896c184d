import { Progress } from '@mantine/core';
import { IconPlus, IconRocket } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, FLEET_STATES, keys, may, path, permission, useProvider, type FleetChange, type List } from '../../api';
import { Act, Chips, DataTable, Empty, fmt, Go, GoButton, oneOf, PageHead, Pager, RelativeTime, SearchBox, useList } from '../../ui';
import { FleetBadge, isMoving, share, useFleetWords } from './shared';

export default function Fleet() {
  const { t } = useTranslation();
  const provider = useProvider();
  const words = useFleetWords();
  const list = useList({ sort: '-created', sorts: ['created'], filters: { state: oneOf(FLEET_STATES) } });
  const { sort: _sort, ...query } = list.query;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'fleet', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<FleetChange>>(path`/providers/${provider.slug}/fleet-changes`, query, signal), refetchInterval: (q) => (q.state.data?.items.some((c) => isMoving(c.state)) ? 3000 : false) });
  const running = data?.items.filter((c) => isMoving(c.state)).length ?? 0;
  const drafts = data?.items.filter((c) => c.state === 'draft').length ?? 0;
  const add = may(provider.can, 'fleet_change.create') ? <GoButton to="/fleet/new" leftSection={<IconPlus size={16} />}>{t('fleet.new')}</GoButton> : <Act can={permission(provider.can, 'fleet_change.create')}>{t('fleet.new')}</Act>;
  return (
    <>
      <PageHead title={t('fleet.title')} sub={data && [t('fleet.sub', { count: data.total, n: fmt.num(data.total) }), running > 0 && t('fleet.subRunning', { count: running }), drafts > 0 && t('fleet.subDrafts', { count: drafts })].filter(Boolean).join(' · ')}>{add}</PageHead>
      <div className="tools">
        <SearchBox label={t('fleet.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('tenant.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, ...(['draft', 'running', 'stopped', 'done', 'undone', 'cancelled'] as const).map((s) => ({ value: s, label: t(`fleet.state.${s}`) }))]} />
      </div>
      <DataTable<FleetChange> caption={t('fleet.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(c) => c.id} skeletonRows={4}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty icon={IconRocket} title={t('fleet.empty')} action={add}>{t('fleet.emptyText')}</Empty>}
        columns={[
          { key: 'what', title: t('fleet.what'), cell: (c) => <span className="min0 block"><Go to={`/fleet/${c.id}`} className="semi">{words.what(c)}</Go><span className="xs dim sub-line">{c.reason}</span></span> },
          { key: 'over', title: t('fleet.overHead'), cell: (c) => <span className="clip">{words.over(c.over)}</span> },
          { key: 'state', title: t('tenant.state'), cell: (c) => <FleetBadge state={c.state} /> },
          { key: 'progress', title: t('fleet.progress'), width: 170, cell: (c) => <span className="block"><Progress value={share(c.progress)} color={c.progress.failed ? 'var(--bar-warn)' : undefined} aria-label={t('fleet.progress')} /><span className="xs dim num">{t('fleet.doneOf', { n: fmt.num(c.progress.done), total: fmt.num(c.progress.total) })}{c.progress.failed > 0 && ` · ${t('fleet.failedN', { count: c.progress.failed, n: fmt.num(c.progress.failed) })}`}</span></span> },
          { key: 'by', title: t('fleet.by'), cell: (c) => c.created_by.name },
          { key: 'at', title: t('fleet.created'), cell: (c) => <RelativeTime at={c.created_at} /> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
