import { Button, Radio, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Chip } from './list';
import { FormProblem, useApiForm } from './form';
import { dayOf, endOfDay, num } from './format';

export type OverrideScope = 'finding' | 'control';
export const OVERRIDE_DAYS = [30, 90, 180, 365] as const;
export const dayIn = (days: number, now = Date.now()) => { const d = new Date(now); d.setDate(d.getDate() + days); return dayOf(d.toISOString()); };
/** Why, until when, and for what: an override always ends. */
export function OverrideForm({ scopes, control, submitLabel, onCancel, onSave }: {
  /** Which of them can be chosen; the first is the default. */
  scopes: OverrideScope[]; control?: string; submitLabel: string; onCancel: () => void; onSave: (given: { scope: OverrideScope; reason: string; expires_at: string }) => Promise<unknown> | unknown;
}) {
  const { t } = useTranslation();
  const f = useApiForm({
    initial: { scope: scopes[0]! as string, reason: '', expires_at: dayIn(90) },
    validate: {
      reason: (v) => (v.trim().length < 10 ? t('override.reasonShort') : v.trim().length > 2000 ? t('override.reasonLong') : null),
      expires_at: (v) => (!v || v <= dayIn(0) ? t('form.future') : v > dayIn(365) ? t('override.tooLong') : null),
    },
    rename: { finding: 'scope', control: 'scope' },
    save: async (v) => { await onSave({ scope: v.scope as OverrideScope, reason: v.reason.trim(), expires_at: endOfDay(v.expires_at) }); },
  });
  const g = f.form.getInputProps;
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <FormProblem problem={f.problem} />
      {scopes.length > 1 && <Radio.Group label={t('override.scope')} {...g('scope')}><div className="choices">{scopes.map((s) => <Radio key={s} value={s} label={t(`override.scopes.${s}`)} description={s === 'control' ? t('override.scopeHelp.control', { control: control ?? '' }) : t('override.scopeHelp.finding')} />)}</div></Radio.Group>}
      <Textarea label={t('override.reason')} description={t('override.reasonHelp')} required autosize minRows={3} maxRows={10} maxLength={2000} data-autofocus {...g('reason')} />
      <div className="fields tight-fields">
        <div className="pair"><TextInput type="date" label={t('override.expires')} required min={dayIn(1)} max={dayIn(365)} {...g('expires_at')} /></div>
        <div className="chips" role="group" aria-label={t('override.presets')}>{OVERRIDE_DAYS.map((n) => <Chip key={n} on={f.form.values.expires_at === dayIn(n)} onClick={() => { f.form.setFieldValue('expires_at', dayIn(n)); f.form.clearFieldError('expires_at'); }}>{t('override.days', { count: n, n: num(n) })}</Chip>)}</div>
      </div>
      <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onCancel}>{t('ui.cancel')}</Button><Button type="submit" loading={f.pending}>{submitLabel}</Button></div>
    </form>
  );
}
