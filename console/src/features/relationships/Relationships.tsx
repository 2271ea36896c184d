import { Button } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type List, type RelationshipRow } from '../../api';
import { Act, Av, Badge, Chips, DataTable, Empty, fmt, Go, oneOf, PageHead, Pager, SearchBox, StateBadge, Tier, useList } from '../../ui';
import { ChangeTier } from './ChangeTier';
import { Renew } from './Renew';

const STATES = ['expiring', 'expired', 'frozen', 'active', 'requested', 'ended'] as const;
type State = (typeof STATES)[number];
const CHIPS: readonly State[] = ['expiring', 'expired', 'frozen', 'active'];
const filters = { state: oneOf(STATES) };

export default function Relationships() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList({ sort: 'ends_at', sorts: ['ends_at', 'name', 'tier'], filters });
  const to = path`/providers/${provider.slug}/relationships`;
  const key = (query: unknown) => keys.provider(provider.slug, 'relationships', query);
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: key(list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<RelationshipRow>>(to, list.query, signal) });
  const counts = useCounts(provider.slug);
  const [picked, setPicked] = useState<ReadonlyMap<string, RelationshipRow>>(new Map());
  const [doing, setDoing] = useState<{ what: 'renew' | 'tier'; rows: RelationshipRow[] } | null>(null);
  // Rows of several pages can be chosen: what isn't on this one stays chosen.
  const choose = (ids: ReadonlySet<string>) => setPicked((was) => new Map([...[...was].filter(([id]) => !data?.items.some((r) => r.id === id)), ...(data?.items ?? []).filter((r) => ids.has(r.id)).map((r) => [r.id, r] as const)]));
  const chosen = [...picked.values()];
  const end = () => { setDoing(null); setPicked(new Map()); void client.invalidateQueries({ queryKey: keys.provider(provider.slug) }); };
  const need = (counts?.expiring ?? 0) + (counts?.expired ?? 0);
  const canTier = permission(provider.can, 'relationship.preview');
  return (
    <>
      <PageHead title={t('relationships.title')} sub={counts && (need === 0 ? t('relationships.subFine') : t('relationships.sub', { count: need }))} />
      <div className="tools">
        <SearchBox label={t('tenants.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips<State> label={t('tenants.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all'), count: counts?.all }, ...CHIPS.map((s) => ({ value: s, label: t(`state.${s}`), count: counts?.[s] }))]} />
      </div>
      {chosen.length > 0 && (
        <div className="tools selected" role="region" aria-label={t('relationships.selection')}>
          <span className="semi">{t('relationships.selected', { count: chosen.length })}</span>
          <Act size="compact-md" can={permission(provider.can, 'relationship.renew')} onClick={() => setDoing({ what: 'renew', rows: chosen })}>{t('relationships.renew')}</Act>
          <Act size="compact-md" variant="default" can={canTier} onClick={() => setDoing({ what: 'tier', rows: chosen })}>{t('relationships.changeTier')}</Act>
          <Button size="compact-md" variant="subtle" color="gray" onClick={() => setPicked(new Map())}>{t('relationships.unselect')}</Button>
        </div>
      )}
      <DataTable<RelationshipRow> caption={t('relationships.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.id} sort={list.view.sort} onSort={list.toggleSort}
        selection={{ ids: new Set(picked.keys()), onChange: choose, label: (r) => t('relationships.select', { name: r.tenant.name }) }} tone={(r) => (r.state === 'expired' || r.state === 'frozen' ? 'bad' : undefined)}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('relationships.empty')}>{t('relationships.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('tenants.name'), sort: 'name', cell: (r) => <span className="row"><Av slug={r.tenant.slug} name={r.tenant.name} small /><Go to={`/tenants/${r.tenant.slug}`} className="semi trunc">{r.tenant.name}</Go></span> },
          { key: 'tier', title: t('tenants.tier'), sort: 'tier', cell: (r) => <Tier t={r.tier} long /> },
          { key: 'state', title: t('tenants.relationship'), cell: (r) => <span className="row tight wrap"><StateBadge state={r.state} />{r.pending_renewal && <Badge tone="near">{t('relationships.pendingRenewal')}</Badge>}</span> },
          { key: 'ends', title: t('tenants.ends'), sort: 'ends_at', cell: (r) => (r.ends_at ? fmt.date(r.ends_at) : <span className="dim">{t('ui.noEnd')}</span>) },
          { key: 'left', title: t('relationships.daysLeft'), num: true, cell: (r) => <DaysLeft n={r.days_left} /> },
          { key: 'by', title: t('relationships.renewBy'), cell: (r) => t(`access.byUs.${r.renew_by}`) },
          { key: 'warned', title: t('relationships.warned'), cell: (r) => (r.warned_days === null ? <span className="dim">–</span> : t('relationships.warnedAt', { count: r.warned_days })) },
        ]} />
      <Pager list={list} page={data} />
      <Renew rows={doing?.what === 'renew' ? doing.rows : null} onClose={() => setDoing(null)} onEnd={end} />
      <ChangeTier rows={doing?.what === 'tier' ? doing.rows : null} onClose={() => setDoing(null)} onEnd={end} />
    </>
  );
}
function DaysLeft({ n }: { n: number | null }) {
  const { t } = useTranslation();
  if (n === null) return <span className="dim">–</span>;
  return <span className={n < 0 ? 'crit' : n <= 30 ? 'near-ink semi' : undefined}>{n < 0 ? t('relationships.daysOver', { count: -n }) : t('relationships.days', { count: n })}</span>;
}
/** How many there are in each state, as the list itself would say. */
function useCounts(slug: string): Record<'all' | State, number> | undefined {
  return useQuery({
    queryKey: keys.provider(slug, 'relationships', 'counts'),
    queryFn: async ({ signal }) => {
      const total = (state?: State) => api.get<List<unknown>>(path`/providers/${slug}/relationships`, { state, limit: 1 }, signal).then((x) => x.total);
      const [all, ...each] = await Promise.all([total(), ...CHIPS.map((s) => total(s))]);
      return { all, ...Object.fromEntries(CHIPS.map((s, i) => [s, each[i]])) } as Record<'all' | State, number>;
    },
  }).data;
}
