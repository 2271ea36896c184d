import { Button, Checkbox, Input, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { actWords } from '../i18n/acts';

export { actWords } from '../i18n/acts';
export interface ActionChoice { name: string; module: string | null; door?: 'read' | 'write' }
export interface ActionGroup { key: string; module: boolean; actions: ActionChoice[] }
/** By module; what belongs to none, by the thing it acts on. Modules first, each alphabetically; what reads before what writes. */
export function groupActions(all: readonly ActionChoice[]): ActionGroup[] {
  const groups = new Map<string, ActionGroup>();
  for (const a of all) {
    const key = a.module ?? a.name.split('.')[0]!;
    const id = `${a.module ? 0 : 1}${key}`;
    const group = groups.get(id) ?? { key, module: a.module !== null, actions: [] };
    group.actions.push(a);
    groups.set(id, group);
  }
  const rank = (a: ActionChoice) => `${a.door === 'write' ? 1 : 0}${a.name}`;
  return [...groups.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, g]) => ({ ...g, actions: g.actions.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)) }));
}
export const readOnly = (all: readonly ActionChoice[]) => all.filter((a) => a.door === 'read').map((a) => a.name);
/** Those whose words or name hold every typed word. */
export const searchActions = <T extends { name: string }>(all: readonly T[], q: string) => { const words = q.toLowerCase().split(/\s+/).filter(Boolean); return all.filter((a) => words.every((w) => a.name.includes(w) || actWords(a.name).toLowerCase().includes(w))); };

/** "assign findings" with the action's name beside it. */
export const ActionName = ({ name }: { name: string }) => { const words = actWords(name); return <span className="act-name">{words !== name && <span>{words}</span>} <span className="mono dim">{name}</span></span>; };

/** Many actions, by module, with a search. */
export function ActionPicker({ label, help, options, value, onChange, error, preset }: { label: string; help?: ReactNode; options: readonly ActionChoice[]; value: readonly string[]; onChange: (next: string[]) => void; error?: ReactNode; preset?: boolean }) {
  const { t } = useTranslation();
  const [q, setQ] = useState('');
  const shown = groupActions(searchActions(options, q));
  const chosen = new Set(value);
  const put = (names: string[], on: boolean) => { const next = new Set(chosen); for (const n of names) if (on) next.add(n); else next.delete(n); onChange(options.map((o) => o.name).filter((n) => next.has(n))); };
  return (
    <fieldset className="picker">
      <legend className="legend">{label}</legend>
      {help && <p className="xs dim flush">{help}</p>}
      <div className="row wrap tight">
        <TextInput className="grow" size="xs" aria-label={t('actions.search')} placeholder={t('actions.search')} value={q} onChange={(e) => setQ(e.currentTarget.value)} />
        {preset && <Button size="compact-sm" variant="default" onClick={() => onChange(readOnly(options))}>{t('actions.readOnly')}</Button>}
        <Button size="compact-sm" variant="default" disabled={value.length === 0} onClick={() => onChange([])}>{t('actions.none')}</Button>
      </div>
      <p className="xs dim flush" role="status">{t('actions.chosen', { n: String(value.length), total: String(options.length) })}</p>
      <div className="picker-box">
        {shown.length === 0 && <p className="sm dim flush pad">{t('ui.nothingMatches')}</p>}
        {shown.map((g) => {
          const names = g.actions.map((a) => a.name);
          const on = names.filter((n) => chosen.has(n)).length;
          const title = g.module ? t(`module.${g.key}` as 'module.compliance', { defaultValue: g.key }) : t(`slice.${g.key}` as 'slice.member', { defaultValue: g.key });
          return (
            <fieldset key={`${g.module}${g.key}`} className="picker-group"><legend className="vh">{title}</legend>
              <Checkbox size="xs" label={<span className="semi">{title}</span>} checked={on === names.length} indeterminate={on > 0 && on < names.length} onChange={() => put(names, on < names.length)} />
              <div className="picker-acts">{g.actions.map((a) => <Checkbox key={a.name} size="xs" label={<ActionName name={a.name} />} checked={chosen.has(a.name)} onChange={(e) => put([a.name], e.currentTarget.checked)} />)}</div>
            </fieldset>
          );
        })}
      </div>
      {error && <Input.Error>{error}</Input.Error>}
    </fieldset>
  );
}
