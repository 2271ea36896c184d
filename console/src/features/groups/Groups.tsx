import { IconPencil, IconPlus, IconTrash, IconUsersGroup } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type List, type TenantGroup, type TenantGroupView } from '../../api';
import { Act, ActIcon, Badge, Chips, DataTable, Empty, fmt, Go, localPage, oneOf, PageHead, Pager, SearchBox, toastProblem, useConfirm, useList } from '../../ui';
import { useDropGroup } from './acts';
import { GroupForm } from './GroupForm';

export default function Groups() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList({ sort: 'name', sorts: ['name', 'clients', 'grants'], filters: { kind: oneOf(['static', 'dynamic']) } });
  const [form, setForm] = useState<'create' | TenantGroup | null>(null);
  const [turn, setTurn] = useState(0);
  const [confirm, ask] = useConfirm();
  const drop = useDropGroup(ask);
  const key = keys.provider(provider.slug, 'groups');
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<List<TenantGroup>>(path`/providers/${provider.slug}/groups`, { limit: 200 }, signal) });
  const page = data && localPage(data.items.filter((g) => !list.view.kind || g.kind === list.view.kind), list.query, (g) => [g.name, g.description], { name: (g) => g.name, clients: (g) => g.client_count, grants: (g) => g.grant_count });
  const can = (what: string) => permission(provider.can, `tenant_group.${what}`);
  const open = (what: 'create' | TenantGroup) => { setTurn((n) => n + 1); setForm(what); };
  /** Who is in a group by hand is told by the group alone. */
  const edit = (g: TenantGroup) => api.get<TenantGroupView>(path`/providers/${provider.slug}/groups/${g.id}`, { limit: 1 }).then((v) => open(v.group), toastProblem);
  const add = <Act leftSection={<IconPlus size={16} />} can={can('create')} onClick={() => open('create')}>{t('groups.add')}</Act>;
  return (
    <>
      <PageHead title={t('groups.title')} sub={data && t('groups.sub', { count: data.total })}>{add}</PageHead>
      <div className="tools">
        <SearchBox label={t('groups.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('groups.kind')} value={list.view.kind} onChange={(kind) => list.set({ kind })} options={[{ value: undefined, label: t('ui.all') }, ...(['static', 'dynamic'] as const).map((k) => ({ value: k, label: t(`groups.${k}`), count: data?.items.filter((g) => g.kind === k).length }))]} />
      </div>
      <DataTable<TenantGroup> caption={t('groups.title')} rows={page?.items} error={error} retry={() => void refetch()} rowKey={(g) => g.id} skeletonRows={4} sort={list.view.sort} onSort={list.toggleSort}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty icon={IconUsersGroup} title={t('groups.empty')} action={add}>{t('groups.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('groups.name'), sort: 'name', cell: (g) => <span className="min0 block"><Go to={`/groups/${g.id}`} className="semi">{g.name}</Go><span className="xs dim sub-line">{g.description}</span></span> },
          { key: 'kind', title: t('groups.kind'), cell: (g) => <Badge>{t(`groups.${g.kind}`)}</Badge> },
          { key: 'clients', title: t('groups.clients'), sort: 'clients', num: true, cell: (g) => fmt.num(g.client_count) },
          { key: 'grants', title: t('groups.grants'), sort: 'grants', num: true, cell: (g) => fmt.num(g.grant_count) },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (g) => <span className="end"><ActIcon label={t('groups.edit', { name: g.name })} can={can('update')} onClick={() => void edit(g)}><IconPencil size={16} stroke={1.7} /></ActIcon><ActIcon label={`${t('groups.remove')}: ${g.name}`} can={can('delete')} reason={g.grant_count > 0 && t('groups.inUse', { count: g.grant_count })} onClick={() => drop(g)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      <Pager list={list} page={page} />
      {confirm}
      <GroupForm key={`group-${turn}`} what={form} onClose={() => setForm(null)} onSaved={() => client.invalidateQueries({ queryKey: key })} />
    </>
  );
}
