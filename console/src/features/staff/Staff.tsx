import { Button, Menu, Select, Tabs, TextInput } from '@mantine/core';
import { IconDots, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type Invitation, type InvitationCreated, type List, type ProviderRole, type Staff as StaffRow } from '../../api';
import { Act, ActIcon, Av, Badge, Chips, CopyField, DataTable, Empty, Fields, fmt, FormDrawer, Go, oneOf, PageHead, Pager, RelativeTime, SearchBox, SideDrawer, StateBadge, text, toast, useAddress, useApiForm, useChecks, useConfirm, useList, type Ask } from '../../ui';
import { useStaffActs } from './shared';

const ROLES = ['provider_admin', 'technician'] as const;
const filters = { role: oneOf(ROLES), state: oneOf(['active', 'disabled']) };

export default function Staff() {
  const { t } = useTranslation();
  const provider = useProvider();
  const [address, set] = useAddress({ tab: oneOf(['invitations']), invite: text });
  const [made, setMade] = useState<InvitationCreated | null>(null);
  const [turn, setTurn] = useState(0);
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const staff = useStaffPage();
  const invite = <Act leftSection={<IconUserPlus size={16} />} can={permission(provider.can, 'staff.invite')} onClick={() => set({ invite: 'staff' })}>{t('staff.invite')}</Act>;
  const done = () => { setMade(null); setTurn((n) => n + 1); set({ invite: undefined }); };
  return (
    <>
      <PageHead title={t('staff.title')} sub={staff.data && t('staff.sub', { count: staff.data.total, provider: provider.name })}>{invite}</PageHead>
      <Tabs value={address.tab ?? 'people'} onChange={(tab) => set({ tab: tab === 'people' ? undefined : tab, q: undefined, cursor: undefined, sort: undefined, role: undefined, state: undefined })} keepMounted={false}>
        <Tabs.List mb={16}><Tabs.Tab value="people">{t('staff.people')}</Tabs.Tab><Tabs.Tab value="invitations">{t('staff.invitations')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="people"><People page={staff} ask={ask} invite={invite} /></Tabs.Panel>
        <Tabs.Panel value="invitations"><Invitations ask={ask} invite={invite} /></Tabs.Panel>
      </Tabs>
      {confirm}
      <InviteForm key={`invite-${turn}`} opened={address.invite === 'staff' && !made} onClose={done} onMade={(x) => { setMade(x); toast(t('staff.invited', { email: x.email })); void client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'staff-invitations') }); }} />
      <SideDrawer opened={made !== null} onClose={done} title={t('staff.invited', { email: made?.email ?? '' })}>{made && <Fields><CopyField label={t('staff.link')} value={made.url} description={t('staff.linkHelp', { date: fmt.date(made.expires_at) })} /><div className="drawer-foot"><span className="grow" /><Button onClick={done}>{t('ui.done')}</Button></div></Fields>}</SideDrawer>
    </>
  );
}

function useStaffPage() {
  const provider = useProvider();
  const list = useList({ sort: 'name', sorts: ['name', 'last_seen'], filters });
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'staff', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<StaffRow>>(path`/providers/${provider.slug}/staff`, list.query, signal) });
  return { list, data, error, refetch, stale: isPlaceholderData };
}
function People({ page: { list, data, error, refetch, stale }, ask, invite }: { page: ReturnType<typeof useStaffPage>; ask: (what: Ask) => void; invite: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="tools">
        <SearchBox label={t('staff.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('staff.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, { value: 'active', label: t('state.active') }, { value: 'disabled', label: t('state.disabled') }]} />
        <span className="grow" />
        <Select aria-label={t('staff.role')} placeholder={t('staff.anyRole')} w={170} clearable allowDeselect value={list.view.role ?? null} onChange={(role) => list.set({ role: (role ?? undefined) as ProviderRole | undefined })} data={ROLES.map((r) => ({ value: r, label: t(`role.${r}`) }))} />
      </div>
      <DataTable<StaffRow> caption={t('staff.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={stale} rowKey={(s) => s.id} sort={list.view.sort} onSort={list.toggleSort} tone={(s) => (s.state === 'disabled' ? 'quiet' : undefined)}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('staff.empty')} action={invite}>{t('staff.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('staff.name'), sort: 'name', cell: (s) => <span className="row"><Av slug={s.person.id} name={s.person.name} round /><span className="min0"><span className="row tight"><Go to={`/staff/${s.id}`} className="semi">{s.person.name}</Go>{s.is_me && <Badge>{t('staff.you')}</Badge>}</span><span className="xs dim block trunc">{s.person.email}</span></span></span> },
          { key: 'role', title: t('staff.role'), cell: (s) => t(`role.${s.role}`) },
          { key: 'state', title: t('staff.state'), cell: (s) => <StateBadge state={s.state} /> },
          { key: 'factor', title: t('staff.secondFactor'), cell: (s) => <Badge tone={s.second_factor ? 'good' : 'near'}>{t(s.second_factor ? 'staff.on' : 'staff.off')}</Badge> },
          { key: 'assignments', title: t('staff.assignments'), num: true, cell: (s) => fmt.num(s.assignments) },
          { key: 'seen', title: t('staff.lastSeen'), sort: 'last_seen', cell: (s) => <RelativeTime at={s.last_seen_at} never={t('staff.neverSeen')} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (s) => <span className="end"><More s={s} ask={ask} /></span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
function More({ s, ask }: { s: StaffRow; ask: (what: Ask) => void }) {
  const { t } = useTranslation();
  const { can } = useProvider();
  const acts = useStaffActs(ask);
  const blocked = s.protected ? t('staff.protected') : s.is_me ? t('staff.self') : null;
  const item = (action: string, label: string, run: () => void, danger = false, guard = blocked) => {
    const why = permission(can, action).allowed ? guard : (permission(can, action).why ?? t('ui.notAllowed'));
    return <Menu.Item key={label} c={danger ? 'var(--crit)' : undefined} onClick={why ? undefined : run} closeMenuOnClick={!why} aria-disabled={why !== null} className={why ? 'menu-off' : undefined} title={why ?? undefined}>{label}{why && <span className="vh">. {why}</span>}</Menu.Item>;
  };
  return (
    <Menu position="bottom-end" withinPortal radius="md" shadow="md">
      <Menu.Target><ActIcon label={t('ui.moreFor', { name: s.person.name })}><IconDots size={16} /></ActIcon></Menu.Target>
      <Menu.Dropdown>
        {s.role === 'technician' ? item('staff.update', t('staff.promote'), () => acts.promote(s), false, s.is_me ? t('staff.self') : null) : item('staff.update', t('staff.demote'), () => acts.demote(s))}
        {s.state === 'active' ? item('staff.disable', t('staff.disable'), () => acts.disable(s)) : item('staff.enable', t('staff.enable'), () => acts.enable(s), false, null)}
        {item('staff.remove', t('staff.removeStaff'), () => acts.remove(s), true)}
      </Menu.Dropdown>
    </Menu>
  );
}
function Invitations({ ask, invite }: { ask: (what: Ask) => void; invite: React.ReactNode }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList({ sort: '-created', sorts: ['created'], filters: {} });
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'staff-invitations', list.query), queryFn: ({ signal }) => api.get<List<Invitation>>(path`/providers/${provider.slug}/staff/invitations`, { cursor: list.query.cursor, limit: 50 }, signal) });
  const revoke = (i: Invitation) => ask({ title: t('staff.revokeTitle', { email: i.email }), lines: [t('staff.revokeLine')], label: t('staff.revoke'), danger: true, run: async () => { await api.del(path`/providers/${provider.slug}/staff/invitations/${i.id}`); await client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'staff-invitations') }); toast(t('staff.revoked')); } });
  return (
    <>
      <DataTable<Invitation> caption={t('staff.invitations')} rows={data?.items} error={error} retry={() => void refetch()} rowKey={(i) => i.id} skeletonRows={3} tone={(i) => (i.state === 'open' ? undefined : 'quiet')} empty={<Empty title={t('staff.noInvitations')} action={invite}>{t('staff.noInvitationsText')}</Empty>}
        columns={[
          { key: 'email', title: t('staff.email'), cell: (i) => <span className="semi">{i.email}</span> }, { key: 'role', title: t('staff.role'), cell: (i) => t(`role.${i.role}`) }, { key: 'state', title: t('staff.state'), cell: (i) => <StateBadge state={i.state} /> },
          { key: 'by', title: t('staff.invitedBy'), cell: (i) => i.invited_by }, { key: 'created', title: t('staff.created'), cell: (i) => <RelativeTime at={i.created_at} /> }, { key: 'expires', title: t('staff.expires'), cell: (i) => <RelativeTime at={i.expires_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (i) => i.state === 'open' && <span className="end"><Act size="compact-sm" variant="default" can={permission(provider.can, 'staff_invitation.revoke')} onClick={() => revoke(i)}>{t('staff.revoke')}</Act></span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
function InviteForm({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: (made: InvitationCreated) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const f = useApiForm({
    initial: { email: '', name: '', role: 'technician' }, validate: { email: check.email },
    save: async (v) => onMade(await api.post<InvitationCreated>(path`/providers/${provider.slug}/staff/invitations`, { email: v.email.trim(), role: v.role, name: v.name.trim() || undefined })),
  });
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('staff.inviteTitle')} sub={t('staff.inviteSub')} form={f} submitLabel={t('staff.inviteSubmit')}>
      <TextInput data-autofocus type="email" label={t('staff.email')} required autoComplete="off" {...f.form.getInputProps('email')} />
      <TextInput label={t('staff.inviteName')} autoComplete="off" {...f.form.getInputProps('name')} />
      <Select label={t('staff.role')} description={t(`staff.roleHelp.${f.form.values.role as ProviderRole}`)} data={ROLES.toReversed().map((r) => ({ value: r, label: t(`role.${r}`) }))} {...f.form.getInputProps('role')} />
    </FormDrawer>
  );
}
