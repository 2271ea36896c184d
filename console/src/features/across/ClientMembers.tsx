import { Select } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type ClientMember, type List, type TenantRole, type Unreadable } from '../../api';
import { Av, Badge, Chips, DataTable, Empty, fmt, oneOf, PageHead, Pager, RelativeTime, SearchBox, StateBadge, text, useList } from '../../ui';
import { ClientCell, ClientFilter, NotRead } from './shared';

const ROLES = ['admin', 'operator', 'auditor', 'viewer'] as const satisfies readonly TenantRole[];

export default function ClientMembers() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'name', sorts: [], filters: { role: oneOf(ROLES), state: oneOf(['active', 'disabled']), tenant: text } });
  const { view, set } = list;
  const { sort: _sort, ...query } = list.query;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'client-members', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<ClientMember> & Unreadable>(path`/providers/${provider.slug}/members`, query, signal) });
  return (
    <>
      <PageHead title={t('members.title')} sub={data && t('across.members', { count: data.total, n: fmt.num(data.total) })} />
      <div className="tools">
        <SearchBox label={t('members.search')} value={view.q} onChange={(q) => set({ q })} />
        <Chips label={t('members.state')} value={view.state} onChange={(state) => set({ state })} options={[{ value: undefined, label: t('ui.all') }, { value: 'active', label: t('state.active') }, { value: 'disabled', label: t('state.disabled') }]} />
        <span className="grow" />
        <Select aria-label={t('members.role')} placeholder={t('members.anyRole')} w={150} clearable allowDeselect value={view.role ?? null} onChange={(role) => set({ role: (role ?? undefined) as TenantRole | undefined })} data={ROLES.map((r) => ({ value: r, label: t(`role.${r}`) }))} />
        <ClientFilter value={view.tenant} onChange={(tenant) => set({ tenant })} />
      </div>
      <NotRead of={data} />
      <DataTable<ClientMember> caption={t('members.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(m) => `${m.tenant.id}${m.member.id}`} tone={({ member }) => (member.state === 'disabled' ? 'quiet' : undefined)}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('members.empty')}>{t('across.noMembers')}</Empty>}
        columns={[
          { key: 'name', title: t('members.name'), cell: ({ member: m }) => <span className="row"><Av slug={m.person.id} name={m.person.name} round /><span className="min0"><span className="semi block trunc">{m.person.name}</span><span className="xs dim block trunc">{m.person.email}</span></span></span> },
          { key: 'tenant', title: t('alerts.client'), cell: (m) => <ClientCell of={m.tenant} page="members" /> },
          { key: 'role', title: t('members.role'), cell: ({ member }) => t(`role.${member.role}`) },
          { key: 'state', title: t('members.state'), cell: ({ member }) => <StateBadge state={member.state} /> },
          { key: 'factor', title: t('members.secondFactor'), cell: ({ member }) => <Badge tone={member.second_factor ? 'good' : 'near'}>{t(member.second_factor ? 'members.on' : 'members.off')}</Badge> },
          { key: 'seen', title: t('members.lastSeen'), cell: ({ member }) => <RelativeTime at={member.last_seen_at} never={t('members.neverSeen')} /> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
