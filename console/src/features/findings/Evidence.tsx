import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyIcon, fmt } from '../../ui';

const MANY = 100;
const LONG = 400;
type Tree = Record<string, unknown> | unknown[];
const isTree = (v: unknown): v is Tree => typeof v === 'object' && v !== null;
/** Evidence that was kept as text is shown as what it says, when it is JSON. */
export function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try { return JSON.parse(value) as unknown; } catch { return value; }
}
export const isNothing = (value: unknown) => value === null || value === undefined || value === '' || (isTree(value) && Object.keys(value).length === 0);

/** What the scanner saw, as it reported it: a tree that opens and closes, and can be taken along. */
export function Evidence({ value: given }: { value: unknown }) {
  const { t } = useTranslation();
  const value = parsed(given);
  const [depth, setDepth] = useState(2);
  const [turn, setTurn] = useState(0);
  const open = (n: number) => { setDepth(n); setTurn(turn + 1); };
  if (isNothing(value)) return <p className="dim2 flush sm">{t('findings.noEvidence')}</p>;
  return (
    <div className="json-box">
      <div className="row tight json-tools">
        {isTree(value) && <><Button size="compact-xs" variant="subtle" color="gray" onClick={() => open(99)}>{t('findings.expandAll')}</Button><Button size="compact-xs" variant="subtle" color="gray" onClick={() => open(1)}>{t('findings.collapseAll')}</Button></>}
        <span className="grow" /><CopyIcon value={typeof value === 'string' ? value : JSON.stringify(value, null, 2)} label={t('ui.copyWhat', { what: t('findings.evidence') })} />
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <div className="json mono" tabIndex={0} role="group" aria-label={t('findings.evidence')}><Node key={turn} value={value} level={0} depth={depth} /></div>
    </div>
  );
}
function Node({ name, value, level, depth }: { name?: string; value: unknown; level: number; depth: number }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const label = name === undefined ? null : <><span className="json-key">{name}</span>: </>;
  if (!isTree(value)) return <div className="json-line">{label}<Leaf value={value} /></div>;
  const entries = Object.entries(value);
  const [from, to] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return <div className="json-line">{label}{from}{to}</div>;
  const shown = all ? entries : entries.slice(0, MANY);
  return (
    <details open={level < depth}>
      <summary>{label}{from}<span className="dim json-count">{t('findings.nValues', { count: entries.length, n: fmt.num(entries.length) })}</span><span className="json-end">{to}</span></summary>
      <div className="json-in">{shown.map(([k, v]) => <Node key={k} name={Array.isArray(value) ? undefined : k} value={v} level={level + 1} depth={depth} />)}{shown.length < entries.length && <button type="button" className="plain link" onClick={() => setAll(true)}>{t('findings.moreValues', { count: entries.length - shown.length })}</button>}</div>
      <div className="json-line">{to}</div>
    </details>
  );
}
function Leaf({ value }: { value: unknown }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const text = JSON.stringify(value);
  if (text === undefined) return null;
  const kind = typeof value === 'string' ? 'json-text' : 'json-value';
  return text.length > LONG && !all ? <span className={kind}>{text.slice(0, LONG)}… <button type="button" className="plain link" onClick={() => setAll(true)}>{t('findings.showAll')}</button></span> : <span className={kind}>{text}</span>;
}
