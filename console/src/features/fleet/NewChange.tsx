import { Button, Checkbox, NumberInput, Radio, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { api, FLEET_KINDS, keys, MASK_OPS, path, permission, TIERS, usePlans, useProvider, useSwitchable, type FleetChange, type FleetKind, type List, type NamedPlace, type Staff, type TenantGroup, type Tier as TierName } from '../../api';
import { Act, ClientPicker, fmt, FormProblem, GoButton, PageHead, Panel, text, useAddress, useApiForm, useChecks } from '../../ui';
import { SETTINGS, bodyOf, type Draft } from './draft';

const OVER = ['tenants', 'group', 'all', 'except'] as const;

/** What, over whom, and why. The answer is a stored plan, client by client: nothing changes before it is approved. */
export default function NewChange() {
  const { t } = useTranslation();
  const provider = useProvider();
  const navigate = useNavigate();
  const client = useQueryClient();
  const check = useChecks();
  const [{ group }] = useAddress({ group: text });
  const f = useApiForm<Draft>({
    initial: { kind: 'plan', plan: '', tier: 'T1', key: 'scan_interval_days', value: 7, staff: '', mask: [...MASK_OPS], modules: [], ends_at: '', over: group ? 'group' : 'tenants', tenants: [], group: group ?? '', except: [], reason: '', failed_percent: 10 },
    validate: {
      plan: (v, all) => (all.kind === 'plan' ? check.filled(v) : null), staff: (v, all) => (all.kind === 'assignment' ? check.filled(v) : null), modules: (v, all) => (all.kind === 'assignment' && v.length === 0 ? t('staff.needModule') : null), ends_at: (v, all) => (all.kind === 'assignment' ? check.future(v) : null),
      tenants: (v, all) => (all.over === 'tenants' && v.length === 0 ? t('fleet.needClients') : null), group: (v, all) => (all.over === 'group' && !v ? t('form.required') : null), except: (v, all) => (all.over === 'except' && v.length === 0 ? t('grants.needExcept') : null), reason: check.filled,
    },
    rename: { 'what.plan': 'plan', 'what.tier': 'tier', 'what.staff': 'staff', 'what.modules': 'modules', 'what.mask': 'mask', 'what.ends_at': 'ends_at', 'what.scan_interval_days': 'value', what: 'value', 'over.tenants': 'tenants', 'over.group': 'group', 'over.except': 'except', over: 'tenants', 'stop_after.failed_percent': 'failed_percent' },
    save: async (v) => {
      const made = await api.post<FleetChange>(path`/providers/${provider.slug}/fleet-changes`, bodyOf(v));
      await client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'fleet') });
      await navigate({ to: `/fleet/${made.id}` });
    },
  });
  const g = f.form.getInputProps;
  const v = f.form.values;
  const groups = useQuery({ queryKey: keys.provider(provider.slug, 'groups'), queryFn: ({ signal }) => api.get<List<TenantGroup>>(path`/providers/${provider.slug}/groups`, { limit: 200 }, signal), enabled: permission(provider.can, 'tenant_group.list').allowed });
  const clients = useSwitchable(provider.slug, '');
  const n = v.over === 'tenants' ? v.tenants.length : v.over === 'group' ? groups.data?.items.find((x) => x.id === v.group)?.client_count : clients.total - (v.over === 'except' ? v.except.length : 0);
  return (
    <form onSubmit={f.submit} noValidate className="stack narrow">
      <PageHead title={t('fleet.newTitle')} sub={t('fleet.newSub')}><GoButton variant="default" to="/fleet">{t('ui.cancel')}</GoButton></PageHead>
      <FormProblem problem={f.problem} />
      <Panel title={t('fleet.step.what')} pad><div className="fields">
        <Radio.Group label={t('fleet.kindLabel')} {...g('kind')}><div className="choices two">{FLEET_KINDS.map((k) => <Radio key={k} value={k} label={t(`fleet.kind.${k}`)} description={t(`fleet.kindHelp.${k}`)} />)}</div></Radio.Group>
        <What kind={v.kind} f={f} />
      </div></Panel>
      <Panel title={t('fleet.step.over')} pad><div className="fields">
        <Radio.Group label={t('fleet.overHead')} {...g('over')}><div className="choices two">{OVER.map((o) => <Radio key={o} value={o} label={t(`fleet.overs.${o}`)} />)}</div></Radio.Group>
        {v.over === 'tenants' && <ClientPicker label={t('groups.clients')} value={v.tenants} onChange={(x: NamedPlace[]) => f.form.setFieldValue('tenants', x)} error={f.form.errors.tenants} />}
        {v.over === 'group' && <Select label={t('grants.group')} placeholder={t('grants.chooseGroup')} required searchable data={(groups.data?.items ?? []).map((x) => ({ value: x.id, label: `${x.name} (${fmt.num(x.client_count)})` }))} {...g('group')} onChange={(x) => f.form.setFieldValue('group', x ?? '')} />}
        {v.over === 'except' && <ClientPicker label={t('grants.except')} value={v.except} onChange={(x: NamedPlace[]) => f.form.setFieldValue('except', x)} error={f.form.errors.except} />}
        {n !== undefined && n > 0 && <p className="flush semi sm" role="status">{t('fleet.reaches', { count: n, n: fmt.num(n) })}</p>}
      </div></Panel>
      <Panel title={t('fleet.step.why')} pad><div className="fields">
        <Textarea label={t('fleet.reason')} description={t('fleet.reasonHelp')} required autosize minRows={2} maxRows={6} maxLength={500} {...g('reason')} />
        <NumberInput label={t('fleet.stopAfter')} description={t('fleet.stopAfterHelp')} min={0} max={100} allowDecimal={false} suffix=" %" maw={220} {...g('failed_percent')} />
      </div></Panel>
      <div className="row"><p className="dim2 sm flush grow">{t('fleet.draftNote')}</p><Act type="submit" can={permission(provider.can, 'fleet_change.create')} loading={f.pending}>{t('fleet.preview')}</Act></div>
    </form>
  );
}
function What({ kind, f }: { kind: FleetKind; f: ReturnType<typeof useApiForm<Draft>> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const plans = usePlans(provider.slug, kind === 'plan' || kind === 'assignment').data?.items ?? [];
  const staff = useQuery({ queryKey: keys.provider(provider.slug, 'staff', 'all'), queryFn: ({ signal }) => api.get<List<Staff>>(path`/providers/${provider.slug}/staff`, { limit: 200, sort: 'name' }, signal), enabled: kind === 'assignment' && permission(provider.can, 'staff.list').allowed });
  const g = f.form.getInputProps;
  const v = f.form.values;
  const tier = <Select label={t('staff.tier')} description={t(`tier.allows.${v.tier as TierName}`)} maw={360} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} {...g('tier')} />;
  if (kind === 'plan') return <Select label={t('dash.plan')} required searchable maw={360} data={plans.map((p) => ({ value: p.id, label: p.name }))} {...g('plan')} onChange={(x) => f.form.setFieldValue('plan', x ?? '')} />;
  if (kind === 'tier') return <>{tier}<p className="dim2 sm flush">{t('fleet.consentNote')}</p></>;
  if (kind === 'setting') {
    const setting = SETTINGS.find((s) => s.key === v.key) ?? SETTINGS[0];
    const choose = (key: string | null) => { const s = SETTINGS.find((x) => x.key === key); if (s) { f.form.setFieldValue('key', s.key); f.form.setFieldValue('value', s.first); } };
    return (
      <>
        <Select label={t('fleet.setting')} maw={360} data={SETTINGS.map((s) => ({ value: s.key, label: t(`fleet.settings.${s.key}`) }))} {...g('key')} onChange={choose} />
        {setting.kind === 'number' ? <NumberInput label={t('fleet.value')} maw={220} min={setting.min} max={setting.max} allowDecimal={false} {...g('value')} /> : <Switch label={t(`fleet.settings.${setting.key}`)} checked={v.value === true} onChange={(e) => f.form.setFieldValue('value', e.currentTarget.checked)} />}
      </>
    );
  }
  if (kind === 'assignment') {
    const modules = [...new Set(plans.flatMap((p) => p.modules))].toSorted();
    return (
      <>
        <Select label={t('staff.person')} required searchable maw={360} placeholder={t('staff.choosePerson')} data={(staff.data?.items ?? []).filter((s) => s.state === 'active' && !s.is_me).map((s) => ({ value: s.id, label: s.person.name }))} {...g('staff')} onChange={(x) => f.form.setFieldValue('staff', x ?? '')} />
        {tier}
        <Checkbox.Group label={t('staff.mask')} {...g('mask')}><div className="checks">{MASK_OPS.map((o) => <Checkbox key={o} value={o} label={t(`mask.${o}`)} disabled={o === 'view'} />)}</div></Checkbox.Group>
        <Checkbox.Group label={t('staff.modules')} {...g('modules')}><div className="checks">{modules.map((m) => <Checkbox key={m} value={m} label={t(`module.${m}` as 'module.compliance', { defaultValue: m })} />)}</div></Checkbox.Group>
        <Button size="compact-sm" variant="default" className="self-start" onClick={() => f.form.setFieldValue('modules', modules)}>{t('ui.all')}</Button>
        <TextInput type="date" maw={220} label={t('tenants.fieldEnds')} description={t('tenants.endsHelp')} {...g('ends_at')} />
      </>
    );
  }
  return null;
}
