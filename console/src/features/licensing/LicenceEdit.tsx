import { Checkbox, NumberInput, Radio, Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ALSO_BLOCKS, api, ENFORCEMENTS, keys, LICENCE_TYPES, LIMITS, path, useProvider, type LicenceRow, type Limit } from '../../api';
import { fmt, FormDrawer, toast, useApiForm } from '../../ui';
import { badMax, licenceChange, licenceForm, overBy, type LicenceForm, type LimitForm } from './limits';

export function LicenceEdit({ row, onClose }: { row: LicenceRow; onClose: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const bad = (v: LimitForm) => (badMax(v) ? t('licensing.needNumber') : null);
  const f = useApiForm<LicenceForm>({
    initial: licenceForm(row), validate: { seats: bad, automations: bad, resources: bad, api_keys: bad }, rename: Object.fromEntries(LIMITS.flatMap((l) => [[`limits.${l}`, l], [`limits.${l}.max`, l], [`limits.${l}.enforcement`, l], [`limits.${l}.also_blocks`, l]])),
    save: async (v) => {
      const change = licenceChange(row, v);
      if (Object.keys(change).length > 0) await api.patch<LicenceRow>(path`/providers/${provider.slug}/tenants/${row.tenant.slug}/licence`, change, row.version);
      onClose();
      await client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
      toast(t('licensing.saved', { name: row.tenant.name }));
    },
  });
  const { values } = f.form;
  const set = (l: Limit, change: Partial<LimitForm>) => { f.form.clearFieldError(l); f.form.setFieldValue(l, { ...values[l], ...change } as never); };
  return (
    <FormDrawer opened onClose={onClose} title={t('licensing.editTitle')} sub={<span className="semi ink">{row.tenant.name}</span>} form={f} submitLabel={t('licensing.save')}>
      <Select label={t('licensing.type')} data-autofocus description={t(`licensing.typeHelp.${values.type}`)} data={LICENCE_TYPES.map((x) => ({ value: x, label: t(`licensing.types.${x}`) }))} allowDeselect={false} value={values.type} onChange={(v) => v && f.form.setFieldValue('type', v as never)} />
      {LIMITS.map((l) => <LimitFields key={l} limit={l} row={row} value={values[l]} error={f.form.errors[l]} onChange={(change) => set(l, change)} />)}
    </FormDrawer>
  );
}
function LimitFields({ limit: l, row, value: v, error, onChange }: { limit: Limit; row: LicenceRow; value: LimitForm; error: React.ReactNode; onChange: (change: Partial<LimitForm>) => void }) {
  const { t } = useTranslation();
  const s = row.limits[l];
  const over = overBy(s, v);
  const name = t(`limit.${l}`);
  return (
    <fieldset><legend>{name}</legend>
      <p className="flush xs dim">{s.max === null ? t('licensing.usedNow', { used: fmt.num(s.used) }) : t('licensing.nowOf', { used: fmt.num(s.used), max: fmt.num(s.max) })}</p>
      <Radio.Group aria-label={`${t('licensing.limitMax')}: ${name}`} value={v.source} onChange={(source) => onChange({ source: source as LimitForm['source'] })}><div className="row wrap">{(['plan', 'own', 'unlimited'] as const).map((x) => <Radio key={x} value={x} label={t(`licensing.source.${x}`)} />)}</div></Radio.Group>
      {v.source === 'own' && <NumberInput label={`${t('licensing.ownMax')}: ${name}`} required min={0} allowDecimal={false} value={v.max} error={error} onChange={(max) => onChange({ max })} />}
      <Select label={t('licensing.whenReached')} aria-label={`${t('licensing.whenReached')}: ${name}`} allowDeselect={false} data={(['inherit', ...ENFORCEMENTS] as const).map((x) => ({ value: x, label: t(`licensing.enforce.${x}`) }))} value={v.enforcement} onChange={(x) => onChange({ enforcement: (x ?? 'inherit') as LimitForm['enforcement'] })} />
      {l === 'seats' && v.enforcement === 'block_new' && <Checkbox.Group label={t('licensing.alsoBlocks')} value={v.also_blocks} onChange={(also_blocks) => onChange({ also_blocks })}><div className="checks">{ALSO_BLOCKS.map((x) => <Checkbox key={x} value={x} label={t(`limit.${x}`)} />)}</div></Checkbox.Group>}
      {over > 0 && <p className="note flush" role="status">{t(v.enforcement === 'block_new' ? 'licensing.overBlocks' : 'licensing.overNote', { name: row.tenant.name, used: fmt.num(s.used), over: fmt.num(over) })}</p>}
    </fieldset>
  );
}
