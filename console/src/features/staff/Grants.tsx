import { Checkbox, Radio, Select, TextInput } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, GRANT_OVER, keys, MASK_OPS, path, permission, TIERS, usePlans, useProvider, type GrantOver, type GroupGrant, type List, type NamedPlace, type StaffDetail, type TenantGroup, type Tier as TierName } from '../../api';
import { Act, ActIcon, AssignmentMask, Badge, ClientPicker, DataTable, Empty, fmt, FormDrawer, Go, RelativeTime, Tier, toast, useApiForm, useChecks, useConfirm } from '../../ui';

/** Access to many clients at once: those of a group, all, or all but some, as they are at the moment. */
export function Grants({ staff: s }: { staff: StaffDetail }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [opened, setOpened] = useState<'create' | GroupGrant | null>(null);
  const [turn, setTurn] = useState(0);
  const allowed = permission(provider.can, 'group_grant.list');
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'grants', s.person.id), queryFn: ({ signal }) => api.get<List<GroupGrant>>(path`/providers/${provider.slug}/grants`, { limit: 200, person: s.person.id }, signal), enabled: allowed.allowed });
  if (!allowed.allowed) return null;
  const rows = data?.items.filter((g) => g.person.id === s.person.id);
  const can = (what: string) => permission(provider.can, `group_grant.${what}`);
  const self = s.is_me && t('staff.self');
  const open = (what: 'create' | GroupGrant) => { setTurn((n) => n + 1); setOpened(what); };
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
  const drop = (g: GroupGrant) => ask({ title: t('grants.removeTitle', { name: s.person.name }), danger: true, label: t('grants.remove'), lines: [t('grants.removeLine', { count: g.client_count, n: fmt.num(g.client_count), person: s.person.name })], run: async () => { await api.del(path`/providers/${provider.slug}/grants/${g.id}`, undefined, g.version); await refresh(); toast(t('grants.removed')); } });
  const add = <Act size="compact-md" variant="default" leftSection={<IconPlus size={15} />} can={can('create')} reason={self} onClick={() => open('create')}>{t('grants.add')}</Act>;
  return (
    <section aria-label={t('grants.title')} className="gap-top2">
      <div className="row gap-b8"><h2 className="flush">{t('grants.title')}</h2><span className="grow" />{add}</div>
      <p className="dim2 sm">{t('grants.text')}</p>
      <DataTable<GroupGrant> caption={t('grants.title')} rows={rows} error={error} retry={() => void refetch()} rowKey={(g) => g.id} tone={(g) => (g.live ? undefined : 'quiet')} skeletonRows={2} empty={<Empty title={t('grants.empty')}>{t('grants.emptyText')}</Empty>}
        columns={[
          { key: 'over', title: t('grants.over'), cell: (g) => <span className="block min0"><span className="semi">{g.group ? <Go to={`/groups/${g.group.id}`}>{g.group.name}</Go> : t(`grants.overs.${g.over}`)}</span>{g.except.length > 0 && <span className="xs dim sub-line" title={g.except.map((c) => c.name).join(', ')}>{t('grants.without', { names: g.except.map((c) => c.name).join(', ') })}</span>}</span> },
          { key: 'clients', title: t('groups.clients'), num: true, cell: (g) => fmt.num(g.client_count) },
          { key: 'tier', title: t('staff.tier'), cell: (g) => <Tier t={g.tier} long /> },
          { key: 'mask', title: t('staff.mask'), cell: (g) => <AssignmentMask mask={g.mask} /> },
          { key: 'modules', title: t('staff.modules'), cell: (g) => <span className="row tight wrap">{g.modules.map((m) => <Badge key={m}>{t(`module.${m}` as 'module.compliance', { defaultValue: m })}</Badge>)}</span> },
          { key: 'until', title: t('staff.until'), cell: (g) => (g.ends_at ? <RelativeTime at={g.ends_at} /> : <span className="dim">{t('ui.noEnd')}</span>) },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (g) => <span className="end"><ActIcon label={t('grants.edit')} can={can('update')} reason={self} onClick={() => open(g)}><IconPencil size={16} stroke={1.7} /></ActIcon><ActIcon label={t('grants.remove')} can={can('delete')} onClick={() => drop(g)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      {confirm}
      <GrantForm key={`grant-${turn}`} staff={s} what={opened} onClose={() => setOpened(null)} onSaved={refresh} />
    </section>
  );
}
function GrantForm({ staff, what, onClose, onSaved }: { staff: StaffDetail; what: 'create' | GroupGrant | null; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const plans = usePlans(provider.slug, what !== null);
  const groups = useQuery({ queryKey: keys.provider(provider.slug, 'groups'), queryFn: ({ signal }) => api.get<List<TenantGroup>>(path`/providers/${provider.slug}/groups`, { limit: 200 }, signal), enabled: what !== null });
  const old = what !== null && what !== 'create' ? what : null;
  const modules = [...new Set([...(plans.data?.items.flatMap((p) => p.modules) ?? []), ...(old?.modules ?? [])])].toSorted();
  const f = useApiForm({
    initial: { over: (old?.over ?? 'group') as string, group: old?.group?.id ?? '', except: old?.except ?? ([] as NamedPlace[]), tier: (old?.tier ?? 'T1') as string, mask: MASK_OPS.filter((o) => !old || old.mask[o]) as string[], modules: old?.modules ?? [], ends_at: old?.ends_at ? fmt.dayOf(old.ends_at) : '' },
    validate: { group: (v, all) => (all.over === 'group' && !v ? t('form.required') : null), except: (v, all) => (all.over === 'all_except' && v.length === 0 ? t('grants.needExcept') : null), modules: (v) => (v.length ? null : t('staff.needModule')), mask: (v) => (v.includes('view') ? null : t('staff.maskView')), ends_at: check.future },
    rename: { 'mask.view': 'mask' },
    save: async (v) => {
      const over = { over: v.over, group: v.over === 'group' ? v.group : null };
      const body = { ...(v.over === 'all_except' ? { except: v.except.map((x) => x.id) } : {}), tier: v.tier, mask: Object.fromEntries(MASK_OPS.map((o) => [o, v.mask.includes(o)])), modules: v.modules, ends_at: v.ends_at ? fmt.endOfDay(v.ends_at) : null };
      const to = path`/providers/${provider.slug}/grants`;
      await (old ? api.patch<GroupGrant>(`${to}/${old.id}`, body, old.version) : api.post<GroupGrant>(to, { ...body, ...over, staff: staff.id }));
      await onSaved();
      toast(t('grants.saved', { name: staff.person.name }));
      onClose();
    },
  });
  const g = f.form.getInputProps;
  const over = f.form.values.over as GrantOver;
  return (
    <FormDrawer opened={what !== null} onClose={onClose} title={t(old ? 'grants.edit' : 'grants.addTitle')} sub={old ? `${staff.person.name}: ${old.group?.name ?? t(`grants.overs.${old.over}`)}` : staff.person.name} form={f} submitLabel={t(old ? 'ui.save' : 'grants.add')}>
      {!old && <Radio.Group label={t('grants.over')} {...g('over')}><div className="choices">{GRANT_OVER.map((o) => <Radio key={o} value={o} label={t(`grants.overs.${o}`)} description={t(`grants.oversHelp.${o}`)} />)}</div></Radio.Group>}
      {!old && over === 'group' && <Select label={t('grants.group')} placeholder={t('grants.chooseGroup')} required searchable data={(groups.data?.items ?? []).map((x) => ({ value: x.id, label: `${x.name} (${fmt.num(x.client_count)})` }))} {...g('group')} onChange={(x) => f.form.setFieldValue('group', x ?? '')} />}
      {over === 'all_except' && <ClientPicker label={t('grants.except')} value={f.form.values.except} onChange={(x) => f.form.setFieldValue('except', x)} error={f.form.errors.except} />}
      <Select label={t('staff.tier')} description={t(`tier.allows.${f.form.values.tier as TierName}`)} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} {...g('tier')} />
      <Checkbox.Group label={t('staff.mask')} description={t('staff.maskHelp')} {...g('mask')}><div className="checks">{MASK_OPS.map((o) => <Checkbox key={o} value={o} label={t(`mask.${o}`)} />)}</div></Checkbox.Group>
      <Checkbox.Group label={t('staff.modules')} description={t('grants.modulesHelp')} {...g('modules')}><div className="checks">{modules.map((m) => <Checkbox key={m} value={m} label={t(`module.${m}` as 'module.compliance', { defaultValue: m })} />)}</div></Checkbox.Group>
      <TextInput type="date" label={t('tenants.fieldEnds')} description={t('tenants.endsHelp')} {...g('ends_at')} />
    </FormDrawer>
  );
}
