import { Checkbox, Radio, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { api, path, TIERS, usePlans, useProvider, useSwitchable, type GroupMatch, type NamedPlace, type TenantGroup, type TenantState, type Tier } from '../../api';
import { ClientPicker, fmt, FormDrawer, toast, useApiForm, useChecks } from '../../ui';
import { isIn } from './match';

const STATES = ['active', 'suspended', 'archived'] as const satisfies readonly TenantState[];
interface Props { what: 'create' | TenantGroup | null; members?: NamedPlace[]; onClose: () => void; onSaved: (g: TenantGroup) => Promise<unknown> }
/** Mount it with a new key for each opening. */
export function GroupForm({ what, members, onClose, onSaved }: Props) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const plans = usePlans(provider.slug, what !== null).data?.items ?? [];
  const clients = useSwitchable(provider.slug, '');
  const old = what !== null && what !== 'create' ? what : null;
  const match = old?.match ?? {};
  const f = useApiForm({
    initial: { name: old?.name ?? '', description: old?.description ?? '', kind: (old?.kind ?? 'static') as string, tenants: (members ?? old?.tenants ?? []) as NamedPlace[], tiers: (match.tiers ?? []) as string[], plans: match.plans ?? [], industries: match.industries ?? [], states: (match.states ?? []) as string[], name_contains: match.name_contains ?? '' },
    validate: { name: check.filled, tiers: (_, v) => (v.kind === 'dynamic' && !asks(v) ? t('groups.needCondition') : null) },
    rename: { 'match.tiers': 'tiers', 'match.plans': 'plans', 'match.industries': 'industries', 'match.states': 'states', 'match.name_contains': 'name_contains', match: 'tiers' },
    save: async (v) => {
      const body = { name: v.name.trim(), description: v.description.trim(), ...(v.kind === 'static' ? { tenants: v.tenants.map((x) => x.id) } : { match: matchOf(v) }) };
      const to = path`/providers/${provider.slug}/groups`;
      const saved = await (old ? api.patch<TenantGroup>(`${to}/${old.id}`, body, old.version) : api.post<TenantGroup>(to, { ...body, kind: v.kind }));
      toast(t('groups.saved', { name: body.name }));
      onClose();
      await onSaved(saved);
    },
  });
  const g = f.form.getInputProps;
  const v = f.form.values;
  const industries = [...new Set([...clients.items.flatMap((c) => (c.industry ? [c.industry] : [])), ...v.industries])].toSorted();
  const whole = clients.items.length >= clients.total;
  const count = clients.items.filter((c) => isIn(c, matchOf(v), plans)).length;
  return (
    <FormDrawer opened={what !== null} onClose={onClose} title={old ? t('groups.edit', { name: old.name }) : t('groups.add')} sub={t('groups.formSub')} form={f} submitLabel={t(old ? 'ui.save' : 'groups.add')}>
      <TextInput label={t('groups.name')} required data-autofocus maxLength={100} {...g('name')} />
      <Textarea label={t('groups.description')} autosize minRows={1} maxRows={5} maxLength={500} {...g('description')} />
      {!old && <Radio.Group label={t('groups.kind')} {...g('kind')}><div className="choices"><Radio value="static" label={t('groups.static')} description={t('groups.staticHelp')} /><Radio value="dynamic" label={t('groups.dynamic')} description={t('groups.dynamicHelp')} /></div></Radio.Group>}
      {v.kind === 'static' ? <ClientPicker label={t('groups.members')} value={v.tenants} onChange={(x) => f.form.setFieldValue('tenants', x)} error={f.form.errors.tenants} /> : (
        <>
          <Checkbox.Group label={t('dash.tier')} {...g('tiers')}><div className="checks gap-top">{TIERS.map((x) => <Checkbox key={x} value={x} label={`${x} ${t(`tier.${x}`)}`} />)}</div></Checkbox.Group>
          {plans.length > 0 && <Checkbox.Group label={t('dash.plan')} {...g('plans')}><div className="checks gap-top">{plans.map((p) => <Checkbox key={p.id} value={p.id} label={p.name} />)}</div></Checkbox.Group>}
          {industries.length > 0 && <Checkbox.Group label={t('tenant.industry')} {...g('industries')}><div className="checks gap-top">{industries.map((x) => <Checkbox key={x} value={x} label={x} />)}</div></Checkbox.Group>}
          <Checkbox.Group label={t('tenant.state')} {...g('states')}><div className="checks gap-top">{STATES.map((x) => <Checkbox key={x} value={x} label={t(`state.${x}`)} />)}</div></Checkbox.Group>
          <TextInput label={t('groups.nameContains')} maxLength={100} {...g('name_contains')} />
          <p className="note flush" role="status">{!asks(v) ? t('groups.asksNothing') : whole ? t('groups.matches', { count, n: fmt.num(count), total: fmt.num(clients.total) }) : t('groups.matchesLater')}</p>
        </>
      )}
    </FormDrawer>
  );
}
interface Typed extends Record<string, unknown> { tiers: string[]; plans: string[]; industries: string[]; states: string[]; name_contains: string }
const asks = (v: Typed) => v.tiers.length + v.plans.length + v.industries.length + v.states.length > 0 || v.name_contains.trim() !== '';
const matchOf = (v: Typed): GroupMatch => ({ tiers: v.tiers as Tier[], plans: v.plans, industries: v.industries, states: v.states as TenantState[], name_contains: v.name_contains.trim() || null });
