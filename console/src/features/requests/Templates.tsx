import { Checkbox, NumberInput, Radio, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, APPROVERS, keys, path, permission, usePlans, useProvider, type ElevationTemplate } from '../../api';
import { Act, ActIcon, ActionPicker, Badge, Chips, DataTable, Empty, fmt, FormDrawer, Gives, localPage, Modules, oneOf, Pager, SearchBox, StateBadge, toast, useApiForm, useChecks, useConfirm, useList } from '../../ui';
import { ELEVATABLE } from './elevatable';
import { useTemplates } from './AskDrawer';

const STATES = ['active', 'retired'] as const;
const MINUTES_MAX = 1440;
export function Templates() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [opened, setOpened] = useState<'create' | ElevationTemplate | null>(null);
  const [turn, setTurn] = useState(0);
  const list = useList({ sort: 'name', sorts: ['name', 'minutes'], filters: { state: oneOf(STATES) } });
  const { data, error, refetch } = useTemplates(provider.slug);
  const state = list.view.state ?? 'active';
  const page = data && localPage(data.items.filter((x) => x.state === state), list.query, (x) => [x.name, x.description], { name: (x) => x.name, minutes: (x) => x.minutes_max });
  const can = (action: string) => permission(provider.can, `elevation_template.${action}`);
  const open = (what: 'create' | ElevationTemplate) => { setTurn((n) => n + 1); setOpened(what); };
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'elevation-templates') });
  const retire = (x: ElevationTemplate) => ask({ title: t('templates.retireTitle', { name: x.name }), danger: true, label: t('templates.retire'), lines: [t('templates.retireLine')], run: async () => { await api.del(path`/providers/${provider.slug}/elevation-templates/${x.id}`, undefined, x.version); await refresh(); toast(t('templates.retired', { name: x.name })); } });
  const add = <Act size="compact-md" leftSection={<IconPlus size={15} />} can={can('create')} onClick={() => open('create')}>{t('templates.add')}</Act>;
  return (
    <>
      <div className="tools">
        <SearchBox label={t('templates.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('requests.state')} value={state} onChange={(s) => list.set({ state: s === 'active' ? undefined : s })} options={STATES.map((s) => ({ value: s, label: t(`state.${s}`), count: data?.items.filter((x) => x.state === s).length }))} />
        <span className="grow" />{add}
      </div>
      <DataTable<ElevationTemplate> caption={t('requests.templates')} rows={page?.items} error={error} retry={() => void refetch()} rowKey={(x) => x.id} skeletonRows={4} sort={list.view.sort} onSort={list.toggleSort}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('templates.empty')} action={add}>{t('templates.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('templates.name'), sort: 'name', cell: (x) => <span className="min0 block"><span className="semi">{x.name}</span><span className="xs dim block clip">{x.description}</span></span> },
          { key: 'gives', title: t('requests.gives'), cell: (x) => <Gives e={x} /> },
          { key: 'modules', title: t('elevation.modules'), cell: (x) => <Modules modules={x.modules} /> },
          { key: 'minutes', title: t('templates.minutes'), sort: 'minutes', num: true, cell: (x) => <span className="nowrap">{fmt.minutes(x.minutes_max)}</span> },
          { key: 'approver', title: t('elevation.approver'), cell: (x) => t(`elevation.approvers.${x.approver}`) },
          { key: 'asks', title: t('templates.asks'), cell: (x) => <span className="row tight wrap">{x.ticket && <Badge>{t('elevation.ticket')}</Badge>}{x.step_up && <Badge>{t('templates.stepUp')}</Badge>}{!x.ticket && !x.step_up && <span className="dim">–</span>}</span> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (x) => (x.state === 'active' ? <span className="end"><ActIcon label={t('templates.edit', { name: x.name })} can={can('update')} onClick={() => open(x)}><IconPencil size={16} stroke={1.7} /></ActIcon><ActIcon label={`${t('templates.retire')}: ${x.name}`} can={can('delete')} onClick={() => retire(x)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> : <StateBadge state="retired" />) },
        ]} />
      <Pager list={list} page={page} />
      {confirm}
      <TemplateForm key={`template-${turn}`} what={opened} onClose={() => setOpened(null)} onSaved={refresh} />
    </>
  );
}
function TemplateForm({ what, onClose, onSaved }: { what: 'create' | ElevationTemplate | null; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const plans = usePlans(provider.slug, what !== null);
  const old = what !== null && what !== 'create' ? what : null;
  const f = useApiForm({
    initial: {
      name: old?.name ?? '', description: old?.description ?? '', tier: (old ? (old.tier ?? '') : 'T3') as string, actions: old?.actions ?? [], modules: old?.modules ?? [], minutes_max: (old?.minutes_max ?? 120) as number | string, approver: (old?.approver ?? 'provider') as string, ticket: old?.ticket ?? false, step_up: old?.step_up ?? false,
    },
    validate: {
      name: check.filled, minutes_max: (v) => (typeof v === 'number' && Number.isInteger(v) && v >= 1 && v <= MINUTES_MAX ? null : t('templates.minutesRange', { max: fmt.num(MINUTES_MAX) })),
      actions: (v, all) => (all.tier === '' && v.length === 0 ? t('templates.needAction') : null),
    },
    save: async (v) => {
      const body = { ...v, name: v.name.trim(), description: v.description.trim(), tier: v.tier || null };
      const to = path`/providers/${provider.slug}/elevation-templates`;
      await (old ? api.patch(`${to}/${old.id}`, body, old.version) : api.post(to, body));
      await onSaved();
      toast(t('templates.saved', { name: body.name }));
      onClose();
    },
  });
  const g = f.form.getInputProps;
  const modules = [...new Set([...(plans.data?.items.flatMap((p) => p.modules) ?? []), ...(old?.modules ?? [])])].toSorted();
  const choose = (tier: string | null) => f.form.setFieldValue('tier', tier ?? '');
  return (
    <FormDrawer opened={what !== null} onClose={onClose} title={old ? t('templates.edit', { name: old.name }) : t('templates.addTitle')} sub={t('templates.sub')} form={f} submitLabel={t(old ? 'ui.save' : 'templates.add')}>
      <TextInput label={t('templates.name')} required data-autofocus maxLength={100} {...g('name')} />
      <Textarea label={t('templates.description')} autosize minRows={2} maxRows={6} maxLength={1000} {...g('description')} />
      <Select label={t('elevation.tier')} description={t('templates.tierHelp')} data={[{ value: '', label: t('templates.noTier') }, ...(['T1', 'T2', 'T3'] as const).map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))]} {...g('tier')} onChange={choose} />
      <ActionPicker label={t('elevation.actions')} help={t('templates.actionsHelp')} options={ELEVATABLE} value={f.form.values.actions} onChange={(next) => { f.form.setFieldValue('actions', next); f.form.clearFieldError('actions'); }} error={f.form.errors.actions} />
      <Checkbox.Group label={t('elevation.modules')} description={t('templates.modulesHelp')} {...g('modules')}><div className="checks">{modules.map((m) => <Checkbox key={m} value={m} label={t(`module.${m}` as 'module.compliance', { defaultValue: m })} />)}</div></Checkbox.Group>
      <NumberInput label={t('templates.minutes')} description={t('templates.minutesHelp')} required min={1} max={MINUTES_MAX} allowDecimal={false} {...g('minutes_max')} />
      <Radio.Group label={t('elevation.approver')} description={t('templates.approverHelp')} {...g('approver')}><div className="choices">{APPROVERS.map((a) => <Radio key={a} value={a} label={t(`elevation.approvers.${a}`)} />)}</div></Radio.Group>
      <Switch label={t('templates.ticket')} {...g('ticket', { type: 'checkbox' })} />
      <Switch label={t('templates.stepUpField')} {...g('step_up', { type: 'checkbox' })} />
    </FormDrawer>
  );
}
