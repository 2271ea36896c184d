import { Checkbox, Select, TextInput } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, MASK_OPS, path, permission, TIERS, usePlans, useProvider, useSwitchable, type Assignment, type Can, type StaffDetail, type Tier as TierName } from '../../api';
import { Act, ActIcon, AssignmentMask, Av, Badge, DataTable, Empty, ErrorState, fmt, FormDrawer, Go, PageHead, PageSkeleton, Panel, RelativeTime, StateBadge, Tier, toast, useApiForm, useChecks, useConfirm } from '../../ui';
import { Grants } from './Grants';
import { counted, useStaffActs } from './shared';

export default function Person() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { staff: id } = useParams({ strict: false }) as { staff: string };
  const key = keys.provider(provider.slug, 'staff', id);
  const { data: s, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<StaffDetail>(path`/providers/${provider.slug}/staff/${id}`, undefined, signal) });
  const [confirm, ask] = useConfirm();
  const acts = useStaffActs(ask);
  const navigate = useNavigate();
  const client = useQueryClient();
  const [opened, setOpened] = useState<'create' | Assignment | null>(null);
  const [turn, setTurn] = useState(0);
  if (error && !s) return <><PageHead title={t('staff.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!s) return <PageSkeleton />;
  const name = s.person.name;
  const can = (action: string) => permission(mergedCan(s.can, provider.can), action);
  const blocked = s.protected ? t('staff.protected') : s.is_me ? t('staff.self') : null;
  const open = (what: 'create' | Assignment) => { setTurn((n) => n + 1); setOpened(what); };
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
  const add = <Act size="compact-md" leftSection={<IconPlus size={15} />} can={can('assignment.create')} reason={s.is_me && t('staff.self')} onClick={() => open('create')}>{t('staff.assignAdd')}</Act>;
  const drop = (a: Assignment) => ask({ title: t('staff.removeAssignTitle', { name: a.tenant.name }), danger: true, label: t('staff.removeAssign'), lines: [t('staff.removeAssignLine', { person: name, name: a.tenant.name })], run: async () => { await api.del(path`/providers/${provider.slug}/assignments/${a.id}`); await refresh(); toast(t('staff.assignRemoved')); } });
  return (
    <>
      <PageHead title={name} sub={<span className="row wrap tight">{t('staff.since', { role: t(`role.${s.role}`), date: fmt.date(s.created_at) })} <StateBadge state={s.state} />{s.is_me && <Badge>{t('staff.you')}</Badge>}</span>}>
        {s.role === 'technician' ? <Act variant="default" can={can('staff.update')} reason={s.is_me && t('staff.self')} onClick={() => acts.promote(counted(s))}>{t('staff.promote')}</Act> : <Act variant="default" can={can('staff.update')} reason={blocked} onClick={() => acts.demote(counted(s))}>{t('staff.demote')}</Act>}
        {s.state === 'active' ? <Act variant="default" can={can('staff.disable')} reason={blocked} onClick={() => acts.disable(counted(s))}>{t('staff.disable')}</Act> : <Act variant="default" can={can('staff.enable')} onClick={() => acts.enable(counted(s))}>{t('staff.enable')}</Act>}
        {s.state === 'active' && <Act variant="default" can={can('staff_leaving.view')} reason={blocked} title={t('leaving.openHelp')} onClick={() => void navigate({ to: `/staff/${s.id}/leaving` })}>{t('leaving.open')}</Act>}
        <Act variant="default" color="red" can={can('staff.remove')} reason={blocked} onClick={() => acts.remove(counted(s), () => navigate({ to: '/staff' }))}>{t('staff.removeStaff')}</Act>
      </PageHead>
      <div className="gap-b"><Panel pad><dl className="facts wide">
        <div><dt>{t('staff.email')}</dt><dd>{s.person.email}</dd></div><div><dt>{t('staff.secondFactor')}</dt><dd><Badge tone={s.second_factor ? 'good' : 'near'}>{t(s.second_factor ? 'staff.on' : 'staff.off')}</Badge></dd></div><div><dt>{t('staff.lastSeen')}</dt><dd><RelativeTime at={s.last_seen_at} never={t('staff.neverSeen')} /></dd></div><div><dt>{t('tenant.id')}</dt><dd className="mono">{s.id}</dd></div>
      </dl></Panel></div>
      <div className="row gap-b8"><h2 className="flush">{t('staff.assignments')}</h2><span className="grow" />{add}</div>
      {s.role === 'provider_admin' && provider.settings.access_mode === 'tiered' && <p className="dim2 sm">{t('staff.assignAdminNote', { name })}</p>}
      <DataTable<Assignment> caption={t('staff.assignments')} rows={s.assignments} rowKey={(a) => a.id} tone={(a) => (a.live ? undefined : 'quiet')} empty={<Empty title={t('staff.assignEmpty')}>{t('staff.assignEmptyText')}</Empty>}
        columns={[
          { key: 'tenant', title: t('staff.client'), cell: (a) => <span className="row"><Av slug={a.tenant.slug} name={a.tenant.name} small /><Go to={`/tenants/${a.tenant.slug}`} className="semi trunc">{a.tenant.name}</Go></span> },
          { key: 'tier', title: t('staff.tier'), cell: (a) => <span className="row tight wrap"><Tier t={a.tier} long />{a.effective_tier !== a.tier && <span title={t('staff.tierEffectiveHelp', { tier: a.effective_tier })}><Badge tone="near">{t('staff.tierEffective', { tier: a.effective_tier })}</Badge></span>}</span> },
          { key: 'mask', title: t('staff.mask'), cell: (a) => <AssignmentMask mask={a.mask} /> },
          { key: 'modules', title: t('staff.modules'), cell: (a) => <span className="row tight wrap">{a.modules.map((m) => <Badge key={m}>{t(`module.${m}` as 'module.compliance', { defaultValue: m })}</Badge>)}</span> },
          { key: 'until', title: t('staff.until'), cell: (a) => (a.ends_at ? <RelativeTime at={a.ends_at} /> : <span className="dim">{t('ui.noEnd')}</span>) },
          { key: 'live', title: t('staff.state'), cell: (a) => <Badge tone={a.live ? 'good' : 'plain'}>{t(a.live ? 'staff.live' : 'staff.notLive')}</Badge> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (a) => <span className="end"><ActIcon label={t('staff.assignEdit', { name: a.tenant.name })} can={can('assignment.update')} reason={s.is_me && t('staff.self')} onClick={() => open(a)}><IconPencil size={16} stroke={1.7} /></ActIcon><ActIcon label={`${t('staff.removeAssign')}: ${a.tenant.name}`} can={can('assignment.delete')} onClick={() => drop(a)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      <Grants staff={s} />
      {confirm}
      <AssignmentForm key={`assign-${turn}`} staff={s} what={opened} onClose={() => setOpened(null)} onSaved={refresh} />
    </>
  );
}
/** The person's own `can` first; assignments are asked of the provider when it doesn't mention them. */
const mergedCan = (own: Can, provider: Can): Can => ({ ...provider, ...own });

/** The client is asked first: nothing is in effect yet. */
interface Waiting { pending: { id: string; label: string } }

function AssignmentForm({ staff, what, onClose, onSaved }: { staff: StaffDetail; what: 'create' | Assignment | null; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const [find, setFind] = useState('');
  const clients = useSwitchable(provider.slug, find);
  const plans = usePlans(provider.slug, what !== null);
  const old = what !== null && what !== 'create' ? what : null;
  const f = useApiForm({
    initial: { tenant: old?.tenant.slug ?? '', tier: (old?.tier ?? 'T2') as string, mask: MASK_OPS.filter((o) => !old || old.mask[o]) as string[], modules: old?.modules ?? [], ends_at: old?.ends_at ? fmt.dayOf(old.ends_at) : '' },
    validate: { tenant: check.filled, modules: (v) => (v.length ? null : t('staff.needModule')), mask: (v) => (v.includes('view') ? null : t('staff.maskView')), ends_at: check.future },
    rename: { 'mask.view': 'mask', modules: 'modules' },
    save: async (v) => {
      const body = { tier: v.tier, mask: Object.fromEntries(MASK_OPS.map((o) => [o, v.mask.includes(o)])), modules: v.modules, ends_at: v.ends_at ? fmt.endOfDay(v.ends_at) : null };
      const to = path`/providers/${provider.slug}/assignments`;
      const saved = await (old ? api.patch<Assignment | Waiting>(`${to}/${old.id}`, body, old.version) : api.post<Assignment | Waiting>(to, { ...body, staff: staff.id, tenant: v.tenant }));
      await onSaved();
      toast('pending' in saved ? t('staff.assignWaits') : old ? t('staff.assignSaved') : t('staff.assigned', { name: saved.tenant.name }));
      onClose();
    },
  });
  const chosen = clients.items.find((c) => c.slug === f.form.values.tenant);
  const planName = chosen?.plan;
  const modules = [...new Set([...(plans.data?.items.find((p) => p.name === planName)?.modules ?? plans.data?.items.flatMap((p) => p.modules) ?? []), ...(old?.modules ?? [])])];
  const taken = new Set(staff.assignments.map((a) => a.tenant.slug));
  const pick = (slug: string | null) => {
    f.form.setFieldValue('tenant', slug ?? '');
    const plan = plans.data?.items.find((p) => p.name === clients.items.find((c) => c.slug === slug)?.plan);
    if (plan) f.form.setFieldValue('modules', plan.modules);
    // No tier above the relationship's can be given.
    const top = clients.items.find((c) => c.slug === slug)?.tier;
    if (top && TIERS.indexOf(f.form.values.tier as TierName) > TIERS.indexOf(top)) f.form.setFieldValue('tier', top);
  };
  return (
    <FormDrawer opened={what !== null} onClose={onClose} title={old ? t('staff.assignEdit', { name: old.tenant.name }) : t('staff.assignTitle')} sub={staff.person.name} form={f} submitLabel={t(old ? 'ui.save' : 'staff.assignAdd')}>
      {!old && <Select label={t('staff.client')} placeholder={t('staff.chooseClient')} required searchable data-autofocus searchValue={find} onSearchChange={setFind} data={clients.items.filter((c) => !taken.has(c.slug) && c.state !== 'archived').map((c) => ({ value: c.slug, label: c.name }))} {...f.form.getInputProps('tenant')} onChange={pick} />}
      <Select label={t('staff.tier')} description={t(`tier.allows.${f.form.values.tier as TierName}`)} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} {...f.form.getInputProps('tier')} />
      <Checkbox.Group label={t('staff.mask')} description={t('staff.maskHelp')} {...f.form.getInputProps('mask')}><div className="checks">{MASK_OPS.map((o) => <Checkbox key={o} value={o} label={t(`mask.${o}`)} />)}</div></Checkbox.Group>
      <Checkbox.Group label={t('staff.modules')} description={t('staff.modulesHelp')} {...f.form.getInputProps('modules')}><div className="checks">{modules.map((m) => <Checkbox key={m} value={m} label={t(`module.${m}` as 'module.compliance', { defaultValue: m })} />)}</div></Checkbox.Group>
      <TextInput type="date" label={t('tenants.fieldEnds')} description={t('tenants.endsHelp')} {...f.form.getInputProps('ends_at')} />
    </FormDrawer>
  );
}
