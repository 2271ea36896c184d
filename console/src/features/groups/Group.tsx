import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type GroupGrant, type GroupMatch, type List, type NamedPlace, type TenantGroupView } from '../../api';
import { Act, AssignmentMask, Av, Badge, DataTable, Empty, ErrorState, fmt, Go, GoButton, PageHead, Pager, PageSkeleton, Panel, tenantPath, Tier, useConfirm, useList } from '../../ui';
import { useDropGroup } from './acts';
import { GroupForm } from './GroupForm';

export default function Group() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { group: id } = useParams({ strict: false }) as { group: string };
  const client = useQueryClient();
  const navigate = useNavigate();
  const list = useList({ sort: 'name', sorts: [], filters: {} });
  const [editing, setEditing] = useState<NamedPlace[] | null>(null);
  const [turn, setTurn] = useState(0);
  const [confirm, ask] = useConfirm();
  const drop = useDropGroup(ask);
  const key = keys.provider(provider.slug, 'groups', id);
  const to = path`/providers/${provider.slug}/groups/${id}`;
  const query = { limit: 50, cursor: list.view.cursor };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...key, query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<TenantGroupView>(to, query, signal) });
  const grants = useQuery({ queryKey: keys.provider(provider.slug, 'grants', 'group', id), queryFn: ({ signal }) => api.get<List<GroupGrant>>(path`/providers/${provider.slug}/grants`, { limit: 200, group: id }, signal), enabled: permission(provider.can, 'group_grant.list').allowed });
  if (error && !data) return <><PageHead title={t('groups.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!data) return <PageSkeleton />;
  const { group: g, tenants } = data;
  const can = (what: string) => permission(provider.can, `tenant_group.${what}`);
  const edit = () => { setTurn((n) => n + 1); setEditing(g.tenants ?? []); };
  return (
    <>
      <PageHead title={g.name} sub={<>{t('groups.subOne', { kind: t(`groups.${g.kind}`), count: g.client_count, n: fmt.num(g.client_count) })}{g.description && ` · ${g.description}`}</>}>
        <GoButton variant="default" to="/fleet/new" search={{ group: g.id }}>{t('fleet.new')}</GoButton>
        <Act variant="default" can={can('update')} onClick={edit}>{t('ui.edit')}</Act>
        <Act variant="default" color="red" can={can('delete')} reason={g.grant_count > 0 && t('groups.inUse', { count: g.grant_count })} onClick={() => drop(g, () => navigate({ to: '/groups' }))}>{t('groups.remove')}</Act>
      </PageHead>
      {g.kind === 'dynamic' && g.match && <div className="gap-b"><Panel title={t('groups.conditions')} pad><Conditions match={g.match} /></Panel></div>}
      <h2>{t('groups.clients')}</h2>
      <DataTable<NamedPlace> caption={t('groups.clients')} rows={tenants.items} stale={isPlaceholderData} rowKey={(c) => c.id} empty={<Empty title={t('groups.noClients')}>{t(g.kind === 'static' ? 'groups.noClientsStatic' : 'groups.noClientsDynamic')}</Empty>}
        columns={[{ key: 'name', title: t('alerts.client'), cell: (c) => <span className="row"><Av slug={c.slug} name={c.name} small /><Go to={`/tenants/${c.slug}`} className="semi trunc">{c.name}</Go></span> }, { key: 'go', title: t('ui.actions'), quiet: true, cell: (c) => <span className="end"><Go to={tenantPath(c.slug)} className="link">{t('ui.open')}<span className="vh">: {c.name}</span></Go></span> }]} />
      <Pager list={list} page={tenants} />
      <h2 className="gap-top2">{t('grants.title')}</h2>
      <DataTable<GroupGrant> caption={t('grants.title')} rows={grants.isEnabled ? grants.data?.items : []} error={grants.error} retry={() => void grants.refetch()} rowKey={(x) => x.id} skeletonRows={2} empty={<Empty title={t('groups.noGrants')}>{t('groups.noGrantsText')}</Empty>}
        columns={[
          { key: 'person', title: t('staff.person'), cell: (x) => <Go to={`/staff/${x.person.staff}`} className="semi">{x.person.name}</Go> },
          { key: 'tier', title: t('staff.tier'), cell: (x) => <Tier t={x.tier} long /> }, { key: 'mask', title: t('staff.mask'), cell: (x) => <AssignmentMask mask={x.mask} /> },
          { key: 'until', title: t('staff.until'), cell: (x) => (x.ends_at ? fmt.date(x.ends_at) : <span className="dim">{t('ui.noEnd')}</span>) },
        ]} />
      {confirm}
      <GroupForm key={`group-${turn}`} what={editing ? g : null} members={editing ?? []} onClose={() => setEditing(null)} onSaved={() => client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'groups') })} />
    </>
  );
}
function Conditions({ match: m }: { match: GroupMatch }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const plans = useQuery({ queryKey: keys.provider(provider.slug, 'plans'), queryFn: ({ signal }) => api.get<List<{ id: string; name: string }>>(path`/providers/${provider.slug}/plans`, { limit: 200 }, signal), staleTime: 300_000, enabled: (m.plans?.length ?? 0) > 0 });
  const rows: [string, string[]][] = [
    [t('dash.tier'), (m.tiers ?? []).map((x) => `${x} ${t(`tier.${x}`)}`)], [t('dash.plan'), (m.plans ?? []).map((id) => plans.data?.items.find((p) => p.id === id)?.name ?? id)],
    [t('tenant.industry'), m.industries ?? []], [t('tenant.state'), (m.states ?? []).map((s) => t(`state.${s}`))], [t('groups.nameContains'), m.name_contains ? [m.name_contains] : []],
  ];
  return <dl className="facts">{rows.filter(([, v]) => v.length > 0).map(([k, v]) => <div className="contents" key={k}><dt>{k}</dt><dd className="row tight wrap">{v.map((x) => <Badge key={x}>{x}</Badge>)}</dd></div>)}</dl>;
}
