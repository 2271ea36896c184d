import { Checkbox, NumberInput, Radio, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { api, LIMITS, MODULES, path, useProvider, type Limit, type Plan } from '../../api';
import { FormDrawer, toast, useApiForm, useChecks } from '../../ui';
import { Changes, useModuleName } from './bits';
import { emptyTerms, termChanges, termsForm, termsOf, type TermsForm } from './terms';

const RENAME = { ...Object.fromEntries(LIMITS.map((l) => [`limits.${l}`, l])), 'price.month': 'month', 'price.seat': 'seat', 'price.currency': 'currency' };

export function PlanForm({ opened, plan, currency, onClose, onSaved }: { opened: boolean; plan: Plan | undefined; currency: string; onClose: () => void; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const module = useModuleName();
  const { limits, ...old } = plan ? termsForm(plan) : emptyTerms(currency);
  const f = useApiForm({
    initial: { name: plan?.name ?? '', description: plan?.description ?? '', ...old, ...limits, apply: 'new_clients' },
    validate: { name: check.filled, modules: (v) => (v.length > 0 ? null : t('plans.needModule')), currency: (v) => (/^[A-Za-z]{3}$/.test(v.trim()) ? null : t('plans.currencyBad')) }, rename: RENAME,
    save: async (v) => {
      const body = { name: v.name.trim(), description: v.description.trim(), ...termsOf(split(v)) };
      const to = path`/providers/${provider.slug}/plans`;
      if (plan) await api.patch<Plan>(`${to}/${encodeURIComponent(plan.id)}`, { ...body, apply: v.apply }, plan.version); else await api.post<Plan>(to, body);
      await onSaved();
      toast(t(plan ? 'plans.saved' : 'plans.added', { name: body.name }));
      onClose();
    },
  });
  const g = f.form.getInputProps;
  const next = termsOf(split(f.form.values));
  const changed = plan && termChanges(plan, next).length > 0;
  const closing = plan && f.form.values.apply === 'all_clients' ? plan.modules.filter((m) => !next.modules.includes(m)) : [];
  const n = String((plan?.number ?? 0) + 1);
  return (
    <FormDrawer opened={opened} onClose={onClose} title={plan ? t('plans.editTitle', { name: plan.name }) : t('plans.addTitle')} form={f} submitLabel={t(plan ? 'ui.save' : 'plans.add')}>
      <TextInput data-autofocus label={t('plans.name')} required maxLength={80} {...g('name')} />
      <Textarea label={t('plans.description')} description={t('plans.descriptionHelp')} autosize minRows={2} maxLength={500} {...g('description')} />
      <Checkbox.Group label={t('plans.modules')} {...g('modules')}><div className="checks">{MODULES.map((m) => <Checkbox key={m} value={m} label={module(m)} />)}</div></Checkbox.Group>
      <fieldset><legend>{t('plans.limits')}</legend><p className="xs dim flush">{t('plans.limitsHelp')}</p><div className="pair">{LIMITS.map((l) => <NumberInput key={l} label={t(`limit.${l}`)} placeholder={t('plans.unlimited')} min={0} allowDecimal={false} {...g(l)} />)}</div></fieldset>
      <fieldset><legend>{t('plans.price')}</legend><div className="pair"><NumberInput label={t('plans.month')} min={0} decimalScale={2} {...g('month')} /><NumberInput label={t('plans.seat')} min={0} decimalScale={2} {...g('seat')} /><TextInput label={t('plans.currency')} maxLength={3} classNames={{ input: 'mono' }} {...g('currency')} /><NumberInput label={t('plans.trialField')} min={0} max={365} allowDecimal={false} suffix={t('plans.daysSuffix')} {...g('trial_days')} /></div></fieldset>
      {plan && (
        <>
          <section className="inset" aria-label={t('plans.changeNote')}><h3 className="flush">{t('plans.changeNote')}</h3><Changes from={plan} to={next} none={t('plans.nothingChanges')} /></section>
          {changed && plan.client_count > 0 && <Radio.Group label={t('plans.apply')} {...g('apply')}><div className="choices"><Radio value="new_clients" label={t('plans.applyNew')} description={t('plans.applyNewHelp', { n, count: plan.client_count })} /><Radio value="all_clients" label={t('plans.applyAll')} description={t('plans.applyAllHelp', { n, count: plan.client_count })} /></div></Radio.Group>}
          {closing.length > 0 && plan.client_count > 0 && <p className="note flush" role="status">{t('plans.closes', { modules: closing.map(module).join(', '), count: plan.client_count })}</p>}
        </>
      )}
    </FormDrawer>
  );
}
const split = (v: Record<Limit, number | string> & Omit<TermsForm, 'limits'>): TermsForm => ({ modules: v.modules, limits: { seats: v.seats, automations: v.automations, resources: v.resources, api_keys: v.api_keys }, month: v.month, seat: v.seat, currency: v.currency, trial_days: v.trial_days });
