import { Button, Progress } from '@mantine/core';
import { IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useTenant, type Finding } from '../../api';
import { fmt, OverrideForm, problemText, SideDrawer } from '../../ui';
import { runBulk, tally, type BulkRow } from './bulk';

export type BulkKind = 'take' | 'override';
/** The same act on each chosen finding: what it needs to know first, then progress, then what became of each. */
export function Bulk({ kind, chosen, onClose, onEnd }: { kind: BulkKind | null; chosen: Pick<Finding, 'id' | 'title'>[]; onClose: () => void; onEnd: (rows: BulkRow[]) => void }) {
  const { t } = useTranslation();
  return <SideDrawer opened={kind !== null} onClose={onClose} title={kind ? t(`findings.bulk.${kind}`, { count: chosen.length }) : ''} size={520}>{kind && <Run kind={kind} chosen={chosen} onClose={onClose} onEnd={onEnd} />}</SideDrawer>;
}
function Run({ kind, chosen, onClose, onEnd }: { kind: BulkKind; chosen: Pick<Finding, 'id' | 'title'>[]; onClose: () => void; onEnd: (rows: BulkRow[]) => void }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const client = useQueryClient();
  const [rows, setRows] = useState<BulkRow[] | null>(null);
  const [stopping, setStopping] = useState(false);
  const abort = useRef(new AbortController());
  const began = useRef(false);
  const run = async (act: (id: string) => Promise<unknown>) => {
    if (began.current) return;
    began.current = true;
    const ended = await runBulk(chosen, act, { report: setRows, signal: abort.current.signal });
    await client.invalidateQueries({ queryKey: keys.tenant(slug) });
    onEnd(ended);
  };
  const take = () => run((id) => api.put(path`/tenants/${slug}/findings/${id}/mine`, { mine: true }));
  const override = ({ reason, expires_at }: { reason: string; expires_at: string }) => void run((finding) => api.post(path`/tenants/${slug}/overrides`, { finding, reason, expires_at }));
  // Leaving the page stops after the call under way.
  useEffect(() => { const stop = abort.current; return () => { if (began.current) stop.abort(); }; }, []);
  if (!rows && kind === 'override') return <div className="fields"><p className="dim2 flush">{t('findings.bulk.overrideText', { count: chosen.length })}</p><OverrideForm scopes={['finding']} submitLabel={t('findings.bulk.overrideGo', { count: chosen.length })} onCancel={onClose} onSave={override} /></div>;
  if (!rows) return <div className="fields"><p className="dim2 flush">{t('findings.bulk.takeText', { count: chosen.length })}</p><ul className="bulk-rows">{chosen.map((f) => <li key={f.id}><span className="trunc">{f.title}</span></li>)}</ul><div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button data-autofocus onClick={() => void take()}>{t('findings.bulk.takeGo', { count: chosen.length })}</Button></div></div>;
  const { done, failed, ended } = tally(rows);
  const over = ended === rows.length;
  return (
    <div className="fields">
      <div><div className="row sm" role="status"><span className="semi">{over ? t('findings.bulk.ended', { done: fmt.num(done), total: fmt.num(rows.length) }) : t('findings.bulk.running', { n: fmt.num(ended), total: fmt.num(rows.length) })}</span><span className="grow" />{failed > 0 && <span className="crit">{t('findings.bulk.failed', { count: failed })}</span>}</div>
        <Progress value={(ended / rows.length) * 100} color={failed ? 'var(--bar-warn)' : undefined} aria-label={t(`findings.bulk.${kind}`, { count: rows.length })} mt={8} /></div>
      <ul className="bulk-rows">{rows.map((r) => <Row key={r.id} r={r} />)}</ul>
      <div className="drawer-foot"><span className="grow" />{over ? <Button onClick={onClose}>{t('ui.done')}</Button> : <Button variant="default" disabled={stopping} onClick={() => { setStopping(true); abort.current.abort(); }}>{t(stopping ? 'findings.bulk.stopping' : 'findings.bulk.stop')}</Button>}</div>
    </div>
  );
}
function Row({ r }: { r: BulkRow }) {
  const { t } = useTranslation();
  return <li className={r.state}>{r.state === 'done' ? <IconCheck size={15} aria-hidden color="var(--ok)" /> : r.state === 'failed' ? <IconX size={15} aria-hidden color="var(--crit)" /> : <IconMinus size={15} aria-hidden color="var(--ink-3)" />}<div className="min0"><div className="trunc">{r.title}<span className="vh"> {t(`findings.bulk.state.${r.state}`)}</span></div>{r.state === 'failed' && <div className="xs crit-text">{problemText(r.problem)}</div>}{r.state === 'stopped' && <div className="xs dim">{t('findings.bulk.state.stopped')}</div>}</div></li>;
}
