import { Button, NumberInput, Select, Switch } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, type Permission, type Setting, type SettingGroup, type SettingValue } from '../api';
import '../i18n/business';
import { Act, ActIcon, useReason } from './act';
import { Badge } from './bits';
import './business.css';
import { FormProblem } from './form';
import { num } from './format';
import { Panel } from './page';
import { changed, outOfBounds, shownValue, type Draft } from './settings-draft';
import { toast } from './toast';

/** The words of a setting and of its values; one that has none yet is shown as it is. */
export function useSettingWords() {
  const { t, i18n } = useTranslation();
  const word = (...of: string[]) => { const key = of.find((k) => i18n.exists(`setting.${k}`)); return key ? String(t(`setting.${key}` as 'setting.yes')) : null; };
  const parent = (key: string) => key.split('.')[0]!;
  return {
    label: (key: string) => word(`${key}.label`) ?? key,
    help: (key: string) => word(`${key}.help`, `${parent(key)}.help`) ?? undefined,
    group: (key: string) => word(`groups.${key}`) ?? key,
    unit: (unit: string | null | undefined) => (unit ? ` ${word(`units.${unit}`) ?? unit}` : ''),
    value: (key: string, v: SettingValue | null) => (v === null ? '–' : typeof v === 'boolean' ? t(v ? 'setting.yes' : 'setting.no') : typeof v === 'number' ? (v === 0 ? (word(`${key}.zero`) ?? num(v)) : num(v)) : (word(`${key}.of.${v}`, `${parent(key)}.of.${v}`) ?? v)),
    valueHelp: (key: string, v: SettingValue | null) => word(`${key}.helpOf.${String(v)}`, `${parent(key)}.helpOf.${String(v)}`) ?? undefined,
  };
}

/** Typed settings, each with what counts, who said so, and the way back to what is inherited. Saved together. `scope`: whose these are. */
export function SettingsForm({ groups, can, scope, save }: { groups: SettingGroup[]; can: Permission; scope: 'provider' | 'client' | 'tenant'; save: (settings: Draft) => Promise<unknown> }) {
  const { t } = useTranslation();
  const words = useSettingWords();
  const [draft, setDraft] = useState<Draft>({});
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const why = useReason({ can });
  const all = groups.flatMap((g) => g.settings);
  const bad = outOfBounds(all, draft);
  const server = new Map((problem instanceof ApiProblem ? problem.errors : []).map((e) => [e.field.replace(/^settings\./, ''), e.message]));
  const count = Object.keys(draft).length;
  const put = (s: Setting, value: SettingValue | null) => { setProblem(null); setDraft((now) => changed(s, now, value)); };
  const submit = async (e: React.FormEvent) => {
    e.preventDefault();
    if (pending || count === 0 || Object.keys(bad).length > 0) return;
    setPending(true); setProblem(null);
    try { await save(draft); setDraft({}); toast(t('settings.saved')); } catch (p) { setProblem(p); } finally { setPending(false); }
  };
  const error = (s: Setting) => (bad[s.key] ? t('setting.range', { min: num(bad[s.key]!.min ?? 0), max: bad[s.key]!.max === null ? '∞' : num(bad[s.key]!.max!) }) : server.get(s.key));
  const unseen = [...server.keys()].some((k) => !all.some((s) => s.key === k));
  return (
    <form onSubmit={submit} noValidate className="stack" aria-label={t('setting.form')}>
      {why && <p className="note flush">{t('settings.readOnly')} {why}</p>}
      {problem !== null && (server.size === 0 || unseen) && <FormProblem problem={problem} />}
      {groups.filter((g) => g.settings.length > 0).map((g) => (
        <Panel key={g.key} title={words.group(g.key)}><ul className="setting-list">{g.settings.map((s) => <SettingRow key={s.key} s={s} draft={draft} scope={scope} off={why} error={error(s)} onChange={(v) => put(s, v)} />)}</ul></Panel>
      ))}
      {count > 0 && <div className="save-bar" role="region" aria-label={t('setting.unsaved', { count })}><span className="grow sm" role="status">{t('setting.unsaved', { count })}</span><Button variant="default" onClick={() => { setDraft({}); setProblem(null); }}>{t('setting.discard')}</Button><Act type="submit" can={can} loading={pending}>{t('setting.save', { count })}</Act></div>}
    </form>
  );
}
function SettingRow({ s, draft, scope, off, error, onChange }: { s: Setting; draft: Draft; scope: 'provider' | 'client' | 'tenant'; off: string | null; error?: string; onChange: (value: SettingValue | null) => void }) {
  const { t } = useTranslation();
  const words = useSettingWords();
  const value = shownValue(s, draft);
  const dirty = s.key in draft;
  const locked = s.locked_by ? t('setting.locked', { name: s.locked_by }) : null;
  const disabled = off !== null || locked !== null;
  const label = words.label(s.key);
  const own = dirty ? draft[s.key] !== null : s.own !== null;
  const common = { 'aria-label': label, disabled, error };
  const layer = dirty ? t('setting.notSaved') : s.own !== null && s.own !== s.value ? t('setting.overruled') : t(`setting.layers.${scope}.${s.layer}`);
  return (
    <li className={dirty ? 'setting dirty' : 'setting'}>
      <div className="min0"><span className="semi">{label}</span>{words.help(s.key) && <p className="xs dim flush">{words.help(s.key)}</p>}{locked && <p className="xs near-ink flush">{locked}</p>}</div>
      <div className="min0">
        {s.kind === 'boolean' ? <Switch {...common} checked={value === true} onChange={(e) => onChange(e.currentTarget.checked)} label={t(value === true ? 'setting.yes' : 'setting.no')} />
          : s.kind === 'number' ? <NumberInput {...common} min={s.min ?? undefined} max={s.max ?? undefined} clampBehavior="none" allowDecimal={false} suffix={words.unit(s.unit)} description={value === 0 ? words.value(s.key, 0) : undefined} value={typeof value === 'boolean' ? '' : (value ?? '')} onChange={onChange} />
            : <Select {...common} allowDeselect={false} data={(s.choices ?? []).map((c) => ({ value: c, label: words.value(s.key, c) }))} value={String(value)} description={words.valueHelp(s.key, value)} inputWrapperOrder={['label', 'input', 'description', 'error']} onChange={(v) => v !== null && onChange(v)} />}
      </div>
      <div className="setting-layer"><Badge tone={dirty ? 'near' : own ? 'good' : 'plain'}>{layer}</Badge>
        {own && <ActIcon variant="subtle" color="gray" label={t('setting.reset', { name: label })} reason={off} onClick={() => onChange(null)}><IconArrowBackUp size={16} /></ActIcon>}</div>
    </li>
  );
}
