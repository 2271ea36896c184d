import { Menu, Select, Tabs, TextInput, Button } from '@mantine/core';
import { IconDots, IconUserPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type Invitation, type InvitationCreated, type List, type Member, type Permission, type Summary, type TenantRole } from '../../api';
import { Act, ActIcon, Av, Badge, Chips, CopyField, DataTable, Empty, Fields, fmt, FormDrawer, Gate, oneOf, PageHead, Pager, RelativeTime, SearchBox, SideDrawer, StateBadge, text, toast, toastProblem, useAddress, useApiForm, useChecks, useClosed, useConfirm, useList, useReason, type Ask } from '../../ui';

const ROLES = ['admin', 'operator', 'auditor', 'viewer'] as const satisfies readonly TenantRole[];
const filters = { role: oneOf(ROLES), state: oneOf(['active', 'disabled']) };

export default function Members() {
  const { t } = useTranslation();
  return <Gate title={t('members.title')} action="member.list"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const client = useQueryClient();
  const [{ tab, invite }, set] = useAddress({ tab: oneOf(['invitations']), invite: text });
  const [made, setMade] = useState<InvitationCreated | null>(null);
  const [turn, setTurn] = useState(0);
  const [confirm, ask] = useConfirm();
  const members = useMembers();
  const summary = useQuery({ queryKey: keys.tenant(slug, 'summary'), queryFn: ({ signal }) => api.get<Summary>(path`/tenants/${slug}/summary`, undefined, signal) });
  const seats = summary.data?.seats;
  const allowed = permission(can, 'member.invite');
  const done = () => { setMade(null); setTurn((n) => n + 1); set({ invite: undefined }); };
  const button = <Act leftSection={<IconUserPlus size={16} />} can={allowed} onClick={() => set({ invite: 'member' })}>{t('members.invite')}</Act>;
  return (
    <>
      <PageHead title={t('members.title')} sub={seats && (seats.limit === null ? t('members.sub', { count: seats.used, name: tenant.name }) : t('members.subSeats', { used: fmt.num(seats.used), limit: fmt.num(seats.limit) }))}>{button}</PageHead>
      {seats?.status === 'over_limit' && <p className="note">{t('members.over')}</p>}
      <Tabs value={tab ?? 'people'} onChange={(v) => set({ tab: v === 'people' ? undefined : v, q: undefined, cursor: undefined, sort: undefined, role: undefined, state: undefined })} keepMounted={false}>
        <Tabs.List mb={16}><Tabs.Tab value="people">{t('members.title')}</Tabs.Tab><Tabs.Tab value="invitations">{t('members.invitations')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="people"><People page={members} ask={ask} invite={button} /></Tabs.Panel>
        <Tabs.Panel value="invitations"><Invitations ask={ask} invite={button} /></Tabs.Panel>
      </Tabs>
      {confirm}
      <InviteForm key={turn} opened={invite === 'member' && allowed.allowed && !made} onClose={done} onMade={(x) => { setMade(x); toast(t('members.invited', { email: x.email })); void client.invalidateQueries({ queryKey: keys.tenant(slug, 'member-invitations') }); }} />
      <SideDrawer opened={made !== null} onClose={done} title={t('members.invited', { email: made?.email ?? '' })}>{made && <Fields>{made.warning && <p className="note flush" role="status">{made.warning.detail}</p>}<CopyField label={t('members.link')} value={made.url} description={t('members.linkHelp', { date: fmt.date(made.expires_at) })} /><div className="drawer-foot"><span className="grow" /><Button onClick={done}>{t('ui.done')}</Button></div></Fields>}</SideDrawer>
    </>
  );
}
function useMembers() {
  const { slug } = useTenant();
  const list = useList({ sort: 'name', sorts: ['name', 'role', 'last_seen'], filters });
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.tenant(slug, 'members', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<Member>>(path`/tenants/${slug}/members`, list.query, signal) });
  return { list, data, error, refetch, stale: isPlaceholderData };
}
function People({ page: { list, data, error, refetch, stale }, ask, invite }: { page: ReturnType<typeof useMembers>; ask: (what: Ask) => void; invite: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="tools">
        <SearchBox label={t('members.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('members.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, { value: 'active', label: t('state.active') }, { value: 'disabled', label: t('state.disabled') }]} />
        <span className="grow" />
        <Select aria-label={t('members.role')} placeholder={t('members.anyRole')} w={160} clearable allowDeselect value={list.view.role ?? null} onChange={(role) => list.set({ role: (role ?? undefined) as TenantRole | undefined })} data={ROLES.map((r) => ({ value: r, label: t(`role.${r}`) }))} />
      </div>
      <DataTable<Member> caption={t('members.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={stale} rowKey={(m) => m.id} sort={list.view.sort} onSort={list.toggleSort} tone={(m) => (m.state === 'disabled' ? 'quiet' : undefined)}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('members.empty')} action={invite}>{t('members.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('members.name'), sort: 'name', cell: (m) => <span className="row"><Av slug={m.person.id} name={m.person.name} round /><span className="min0"><span className="row tight"><span className="semi">{m.person.name}</span>{m.is_me && <Badge>{t('members.you')}</Badge>}</span><span className="xs dim block trunc">{m.person.email}</span></span></span> },
          { key: 'role', title: t('members.role'), sort: 'role', cell: (m) => <RoleCell m={m} /> },
          { key: 'state', title: t('members.state'), cell: (m) => <StateBadge state={m.state} /> },
          { key: 'factor', title: t('members.secondFactor'), cell: (m) => <Badge tone={m.second_factor ? 'good' : 'near'}>{t(m.second_factor ? 'members.on' : 'members.off')}</Badge> },
          { key: 'seen', title: t('members.lastSeen'), sort: 'last_seen', cell: (m) => <RelativeTime at={m.last_seen_at} never={t('members.neverSeen')} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (m) => <span className="end"><More m={m} ask={ask} /></span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
function RoleCell({ m }: { m: Member }) {
  const { t } = useTranslation();
  return <span className="row tight wrap"><span>{t(`role.${m.role}`)}</span>{m.protected && <span title={t('members.protected')}><Badge>{t('members.last')}</Badge></span>}</span>;
}

function useActs(ask: (what: Ask) => void) {
  const { t } = useTranslation();
  const { slug, tenant } = useTenant();
  const client = useQueryClient();
  const to = (m: Pick<Member, 'id'>) => path`/tenants/${slug}/members/${m.id}`;
  const refresh = () => client.invalidateQueries({ queryKey: keys.tenant(slug) });
  const role = async (m: Pick<Member, 'id' | 'version'>, next: TenantRole) => { const changed = await api.patch<Member>(to(m), { role: next }, m.version); await refresh(); return changed; };
  const post = async (m: Pick<Member, 'id'>, what: 'disable' | 'enable') => { await api.post<Member>(`${to(m)}/${what}`); await refresh(); };
  const { name: organisation } = tenant;
  return {
    role: (m: Member, next: TenantRole) => {
      const change = async () => { const now = await role(m, next); toast(t('members.roleToast', { name: m.person.name, role: t(`role.${next}`) }), () => role(now, m.role).catch(toastProblem)); };
      if (next === 'admin' || m.role === 'admin') ask({ title: t(next === 'admin' ? 'members.promoteTitle' : 'members.demoteTitle', { name: m.person.name, role: t(`role.${next}`) }), lines: [t(next === 'admin' ? 'members.promoteLine' : 'members.demoteLine', { name: m.person.name, organisation }), t(`members.roleHelp.${next}`)], label: t('members.changeRole'), danger: m.role === 'admin', run: change });
      else void change().catch(toastProblem);
    },
    disable: (m: Member) => ask({ title: t('members.disableTitle', { name: m.person.name }), lines: [t('members.disableLine', { name: m.person.name, organisation })], label: t('members.disable'), danger: true, run: async () => { await post(m, 'disable'); toast(t('members.disabledToast', { name: m.person.name }), () => post(m, 'enable').catch(toastProblem)); } }),
    enable: (m: Member) => void post(m, 'enable').then(() => toast(t('members.enabledToast', { name: m.person.name })), toastProblem),
    remove: (m: Member) => ask({ title: t('members.removeTitle', { name: m.person.name, organisation }), lines: [t('members.removeLine', { name: m.person.name })], label: t('members.remove'), danger: true, typed: m.person.name, run: async () => { await api.del(to(m)); await refresh(); toast(t('members.removed', { name: m.person.name })); } }),
  };
}
function More({ m, ask }: { m: Member; ask: (what: Ask) => void }) {
  const { t } = useTranslation();
  const { can } = useTenant();
  const acts = useActs(ask);
  const guard = m.protected ? t('members.protected') : null;
  const admin = (next: TenantRole): Permission => ((m.role === 'admin') !== (next === 'admin') && !permission(can, 'member.grant_admin').allowed ? permission(can, 'member.grant_admin') : permission(can, 'member.update'));
  const act = (action: string) => (m.role === 'admin' && permission(can, action).allowed ? permission(can, 'member.grant_admin') : permission(can, action));
  return (
    <Menu position="bottom-end" withinPortal radius="md" shadow="md">
      <Menu.Target><ActIcon label={t('ui.moreFor', { name: m.person.name })}><IconDots size={16} /></ActIcon></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('members.changeRole')}</Menu.Label>
        {ROLES.filter((r) => r !== m.role).map((r) => <Item key={r} can={admin(r)} guard={guard} label={t('members.makeRole', { role: t(`role.${r}`) })} run={() => acts.role(m, r)} />)}
        <Menu.Divider />
        {m.state === 'active' ? <Item can={act('member.disable')} guard={guard} label={t('members.disable')} run={() => acts.disable(m)} /> : <Item can={act('member.enable')} guard={null} label={t('members.enable')} run={() => acts.enable(m)} />}
        <Item can={act('member.remove')} guard={guard} label={t('members.remove')} run={() => acts.remove(m)} danger />
      </Menu.Dropdown>
    </Menu>
  );
}
function Item({ can, guard, label, run, danger }: { can: Permission; guard: string | null; label: string; run: () => void; danger?: boolean }) {
  const why = useReason({ can, reason: guard });
  return <Menu.Item color={danger ? 'red.8' : undefined} onClick={why ? undefined : run} closeMenuOnClick={!why} aria-disabled={why !== null} className={why ? 'menu-off' : undefined} title={why ?? undefined}>{label}{why && <span className="vh">. {why}</span>}</Menu.Item>;
}

function Invitations({ ask, invite }: { ask: (what: Ask) => void; invite: React.ReactNode }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const client = useQueryClient();
  const closed = useClosed('member_invitation.list');
  const list = useList({ sort: '-created', sorts: ['created'], filters: {} });
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'member-invitations', list.query.cursor), enabled: !closed, queryFn: ({ signal }) => api.get<List<Invitation>>(path`/tenants/${slug}/members/invitations`, { cursor: list.query.cursor, limit: 50 }, signal) });
  if (closed) return <Empty title={closed.title}>{closed.text}</Empty>;
  const revoke = (i: Invitation) => ask({ title: t('members.revokeTitle', { email: i.email }), lines: [t('members.revokeLine')], label: t('members.revoke'), danger: true, run: async () => { await api.del(path`/tenants/${slug}/members/invitations/${i.id}`); await client.invalidateQueries({ queryKey: keys.tenant(slug, 'member-invitations') }); toast(t('members.revoked')); } });
  return (
    <>
      <DataTable<Invitation> caption={t('members.invitations')} rows={data?.items} error={error} retry={() => void refetch()} rowKey={(i) => i.id} skeletonRows={3} tone={(i) => (i.state === 'open' ? undefined : 'quiet')} empty={<Empty title={t('members.noInvitations')} action={invite}>{t('members.noInvitationsText')}</Empty>}
        columns={[
          { key: 'email', title: t('members.email'), cell: (i) => <span className="semi break">{i.email}</span> }, { key: 'role', title: t('members.role'), cell: (i) => t(`role.${i.role}`) }, { key: 'state', title: t('members.state'), cell: (i) => <StateBadge state={i.state} /> },
          { key: 'by', title: t('members.invitedBy'), cell: (i) => i.invited_by }, { key: 'created', title: t('members.created'), cell: (i) => <RelativeTime at={i.created_at} /> }, { key: 'expires', title: t('members.expires'), cell: (i) => <RelativeTime at={i.expires_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (i) => i.state === 'open' && <span className="end"><Act size="compact-sm" variant="default" can={permission(can, 'member_invitation.revoke')} onClick={() => revoke(i)}>{t('members.revoke')}<span className="vh">: {i.email}</span></Act></span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
function InviteForm({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: (made: InvitationCreated) => void }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const check = useChecks();
  const noAdmin = useReason({ can: permission(can, 'member.grant_admin') });
  const f = useApiForm({
    initial: { email: '', role: 'viewer' }, validate: { email: check.email },
    save: async (v) => onMade(await api.post<InvitationCreated>(path`/tenants/${slug}/members/invitations`, { email: v.email.trim(), role: v.role })),
  });
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('members.inviteTitle', { name: tenant.name })} sub={t('members.inviteSub')} form={f} submitLabel={t('members.inviteSubmit')}>
      <TextInput data-autofocus type="email" label={t('members.email')} required autoComplete="off" {...f.form.getInputProps('email')} />
      <Select label={t('members.role')} description={t(`members.roleHelp.${f.form.values.role as TenantRole}`)} data={ROLES.toReversed().map((r) => ({ value: r, label: t(`role.${r}`), disabled: r === 'admin' && noAdmin !== null }))} {...f.form.getInputProps('role')} />
      {noAdmin && <p className="xs dim flush">{t('members.noAdmin', { why: noAdmin })}</p>}
    </FormDrawer>
  );
}
