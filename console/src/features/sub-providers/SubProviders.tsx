import { Button, Select, TextInput } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, TIERS, useProvider, type InvitationCreated, type List, type SubProvider, type SubProviderCreated } from '../../api';
import { Act, ActIcon, Av, CopyField, DataTable, Empty, Fields, fmt, FormDrawer, PageHead, Pager, SearchBox, SideDrawer, slugify, StateBadge, Tier, toast, toastProblem, useApiForm, useChecks, useConfirm, useList } from '../../ui';

export default function SubProviders() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList({ sort: 'name', sorts: ['name'], filters: {} });
  const key = keys.provider(provider.slug, 'sub-providers', list.query);
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: key, placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<SubProvider>>(path`/providers/${provider.slug}/sub-providers`, list.query, signal) });
  const [opened, setOpened] = useState<'create' | SubProvider | null>(null);
  const [link, setLink] = useState<InvitationCreated | null>(null);
  const [turn, setTurn] = useState(0);
  const [confirm, ask] = useConfirm();
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'sub-providers') });
  const open = (what: 'create' | SubProvider) => { setTurn((n) => n + 1); setOpened(what); };
  const update = (s: SubProvider, body: object) => api.patch<SubProvider>(path`/providers/${provider.slug}/sub-providers/${s.id}`, body, s.version).then(async (x) => { await refresh(); return x; });
  const resume = (s: SubProvider) => update(s, { state: 'active' }).then((x) => toast(t('sub.resumedToast', { name: x.name })), toastProblem);
  const create = permission(provider.can, 'sub_provider.create');
  const add = <Act leftSection={<IconPlus size={16} />} can={create} reason={!provider.settings.sub_providers && t('sub.off')} onClick={() => open('create')}>{t('sub.add')}</Act>;
  const editable = permission(provider.can, 'sub_provider.update');
  return (
    <>
      <PageHead title={t('sub.title')} sub={data && (data.total === 0 && !provider.settings.sub_providers ? t('sub.off') : t('sub.subtitle', { count: data.total }))}>{add}</PageHead>
      {(list.filtered || (data?.total ?? 0) > 5) && <div className="tools"><SearchBox label={t('sub.search')} value={list.view.q} onChange={(q) => list.set({ q })} /></div>}
      <DataTable<SubProvider> caption={t('sub.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(s) => s.id} sort={list.view.sort} onSort={list.toggleSort} skeletonRows={4}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('sub.empty')} action={add}>{t('sub.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('sub.name'), sort: 'name', cell: (s) => <span className="row"><Av slug={s.slug} name={s.name} small /><span className="semi">{s.name}</span><span className="mono dim">{s.slug}</span></span> },
          { key: 'ceiling', title: t('sub.ceiling'), cell: (s) => <Tier t={s.ceiling} long /> },
          { key: 'clients', title: t('sub.clients'), num: true, cell: (s) => fmt.num(s.client_count) },
          { key: 'staff', title: t('sub.staff'), num: true, cell: (s) => fmt.num(s.staff_count) },
          { key: 'state', title: t('sub.state'), cell: (s) => <StateBadge state={s.state as 'active'} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (s) => (
            <span className="end"><ActIcon label={t('sub.editTitle', { name: s.name })} can={editable} onClick={() => open(s)}><IconPencil size={16} stroke={1.7} /></ActIcon>
              {s.state === 'active' ? <Act size="compact-sm" variant="default" can={editable} onClick={() => ask({ title: t('sub.suspendTitle', { name: s.name }), danger: true, label: t('sub.suspend'), lines: [t('sub.suspendLine', { staff: fmt.num(s.staff_count), clients: fmt.num(s.client_count) })], run: async () => { const x = await update(s, { state: 'suspended' }); toast(t('sub.suspendedToast', { name: s.name }), () => resume(x)); } })}>{t('sub.suspend')}</Act>
                : <Act size="compact-sm" variant="default" can={editable} onClick={() => void resume(s)}>{t('sub.resume')}</Act>}</span>) },
        ]} />
      <Pager list={list} page={data} />
      {confirm}
      <Create key={`c${turn}`} opened={opened === 'create'} onClose={() => setOpened(null)} onMade={(made) => { setOpened(null); setLink(made.invitation); toast(t('sub.added', { name: made.provider.name })); void refresh(); }} />
      {opened !== null && opened !== 'create' && <Edit key={`e${turn}`} sub={opened} onClose={() => setOpened(null)} save={(body) => update(opened, body)} />}
      <SideDrawer opened={link !== null} onClose={() => setLink(null)} title={t('tenants.inviteLink')}>{link && <Fields><CopyField label={t('tenants.inviteLink')} value={link.url} description={t('tenants.inviteHelp', { date: fmt.date(link.expires_at), email: link.email })} /><div className="drawer-foot"><span className="grow" /><Button onClick={() => setLink(null)}>{t('ui.done')}</Button></div></Fields>}</SideDrawer>
    </>
  );
}
function useCeilings() {
  const { t } = useTranslation();
  const { ceiling } = useProvider();
  return TIERS.filter((x) => !ceiling || TIERS.indexOf(x) <= TIERS.indexOf(ceiling)).map((x) => ({ value: x as string, label: `${x} ${t(`tier.${x}`)}` }));
}
function Create({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: (made: SubProviderCreated) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const ceilings = useCeilings();
  const [ownSlug, setOwnSlug] = useState(false);
  const f = useApiForm({
    initial: { name: '', slug: '', ceiling: 'T2', admin_email: '' }, validate: { name: check.filled, slug: check.slug, admin_email: check.email },
    save: async (v) => onMade(await api.post<SubProviderCreated>(path`/providers/${provider.slug}/sub-providers`, { ...v, name: v.name.trim(), admin_email: v.admin_email.trim() })),
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('sub.add')} sub={t('sub.emptyText')} form={f} submitLabel={t('sub.add')}>
      <TextInput data-autofocus label={t('sub.fieldName')} required {...g('name')} onChange={(e) => { f.form.setFieldValue('name', e.currentTarget.value); if (!ownSlug) f.form.setFieldValue('slug', slugify(e.currentTarget.value)); }} />
      <TextInput label={t('sub.fieldSlug')} required classNames={{ input: 'mono' }} {...g('slug')} onChange={(e) => { setOwnSlug(e.currentTarget.value !== ''); f.form.setFieldValue('slug', e.currentTarget.value); }} />
      <Select label={t('sub.fieldCeiling')} description={t('sub.ceilingHelp')} data={ceilings} {...g('ceiling')} />
      <TextInput type="email" label={t('sub.fieldAdmin')} required autoComplete="off" {...g('admin_email')} />
    </FormDrawer>
  );
}
function Edit({ sub, onClose, save }: { sub: SubProvider; onClose: () => void; save: (body: object) => Promise<unknown> }) {
  const { t } = useTranslation();
  const check = useChecks();
  const ceilings = useCeilings();
  const f = useApiForm({ initial: { name: sub.name, ceiling: sub.ceiling as string }, validate: { name: check.filled }, save: async (v) => { await save({ name: v.name.trim(), ceiling: v.ceiling }); toast(t('ui.saved')); onClose(); } });
  return (
    <FormDrawer opened onClose={onClose} title={t('sub.editTitle', { name: sub.name })} form={f} submitLabel={t('ui.save')}>
      <TextInput data-autofocus label={t('sub.fieldName')} required {...f.form.getInputProps('name')} />
      <Select label={t('sub.fieldCeiling')} description={t('sub.ceilingHelp')} data={ceilings} {...f.form.getInputProps('ceiling')} />
    </FormDrawer>
  );
}
