import { Select, Slider, Textarea, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, useSwitchable, type Elevation, type ElevationTemplate, type List } from '../../api';
import { actWords, firstMinutes, fmt, FormDrawer, stepMinutes, text, Tier, toast, useAddress, useApiForm, useChecks } from '../../ui';

export const useTemplates = (slug: string, enabled = true) => useQuery({ queryKey: keys.provider(slug, 'elevation-templates'), enabled, queryFn: ({ signal }) => api.get<List<ElevationTemplate>>(path`/providers/${slug}/elevation-templates`, { limit: 200 }, signal) });

/** Asks for power for a while: what, where, how long, why. The address may name template and client (?ask=elevation&tenant=acme). */
export function AskDrawer({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const check = useChecks();
  const [{ tenant, template }] = useAddress({ tenant: text, template: text });
  const [find, setFind] = useState('');
  const clients = useSwitchable(opened ? provider.slug : null, find);
  const templates = useTemplates(provider.slug, opened).data?.items.filter((x) => x.state === 'active') ?? [];
  const f = useApiForm({
    initial: { template: template ?? '', tenant: tenant ?? '', minutes: 60, reason: '', ticket: '' },
    validate: {
      template: check.filled, tenant: check.filled, reason: (v) => (v.trim().length < 5 ? t('ask.reasonShort') : null),
      ticket: (v, all) => (templates.find((x) => x.id === all.template)?.ticket && !v.trim() ? t('ask.ticketNeeded') : null),
    },
    save: async (v) => {
      const made = await api.post<Elevation>(path`/providers/${provider.slug}/elevations`, { template: v.template, tenant: v.tenant, minutes: minutes, reason: v.reason.trim(), ticket: v.ticket.trim() || undefined });
      await client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'elevations') });
      toast(t('ask.sent', { client: made.tenant.name }));
      onClose();
    },
  });
  const { values } = f.form;
  const chosen = templates.find((x) => x.id === values.template);
  const max = chosen?.minutes_max ?? 60;
  const minutes = Math.min(values.minutes, max);
  const step = stepMinutes(max);
  const g = f.form.getInputProps;
  const pick = (id: string | null) => { const x = templates.find((y) => y.id === id); f.form.setFieldValue('template', id ?? ''); if (x) f.form.setFieldValue('minutes', firstMinutes(x)); };
  const enterable = clients.items.filter((c) => c.state !== 'archived');
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('ask.title')} sub={t('ask.sub')} form={f} submitLabel={t('ask.submit')}>
      <Select label={t('elevation.template')} required data-autofocus placeholder={t('ask.chooseTemplate')} data={templates.map((x) => ({ value: x.id, label: x.name }))} {...g('template')} onChange={pick} />
      {chosen && (
        <div className="inset">
          {chosen.description && <p className="flush sm">{chosen.description}</p>}
          <dl className="facts">
            {chosen.tier && <><dt>{t('elevation.tier')}</dt><dd><Tier t={chosen.tier} long /></dd></>}
            {chosen.actions.length > 0 && <><dt>{t('elevation.actions')}</dt><dd>{chosen.actions.map(actWords).join(', ')}</dd></>}
            <dt>{t('elevation.approver')}</dt><dd>{t(`elevation.approvers.${chosen.approver}`)}</dd>
          </dl>
          {chosen.step_up && <p className="flush xs dim">{t('ask.stepUp')}</p>}
        </div>
      )}
      <Select label={t('elevation.client')} required searchable placeholder={t('staff.chooseClient')} searchValue={find} onSearchChange={setFind} data={[...new Map([...enterable.map((c) => [c.slug, c.name] as const), ...(tenant && !enterable.some((c) => c.slug === tenant) ? [[tenant, tenant] as const] : [])]).entries()].map(([value, label]) => ({ value, label }))} {...g('tenant')} />
      <div>
        <p className="legend" id="ask-minutes">{t('ask.minutes')}: <span className="num">{fmt.minutes(minutes)}</span></p>
        <Slider thumbProps={{ 'aria-labelledby': 'ask-minutes' }} min={step} max={max} step={step} label={fmt.minutes} value={minutes} onChange={(n) => f.form.setFieldValue('minutes', n)} disabled={!chosen} mb={28} marks={[{ value: step, label: fmt.minutes(step) }, { value: max, label: fmt.minutes(max) }]} />
        {f.form.errors.minutes && <p className="flush xs crit-text">{f.form.errors.minutes}</p>}
      </div>
      <Textarea label={t('ask.reason')} description={t('ask.reasonHelp')} required autosize minRows={2} maxRows={8} maxLength={1000} {...g('reason')} />
      <TextInput label={t('elevation.ticket')} required={chosen?.ticket ?? false} description={chosen?.ticket ? undefined : t('ui.optional')} maxLength={100} autoComplete="off" {...g('ticket')} />
    </FormDrawer>
  );
}
