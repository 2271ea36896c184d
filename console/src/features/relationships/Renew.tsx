import { Button, TextInput } from '@mantine/core';
import { IconCheck, IconClock, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, path, useProvider, type Renewed, type RelationshipRow } from '../../api';
import { Chip, fmt, FormProblem, SideDrawer, useApiForm, useChecks } from '../../ui';
import { inMonths } from './dates';

/** One end for many: what will happen to each is the server's answer, client by client. */
export function Renew({ rows, onClose, onEnd }: { rows: RelationshipRow[] | null; onClose: () => void; onEnd: () => void }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const close = () => { if (done) onEnd(); else onClose(); setDone(false); };
  return <SideDrawer opened={rows !== null} onClose={close} title={rows ? t('relationships.renewTitle', { count: rows.length }) : ''} size={520}>{rows && <Form rows={rows} onClose={close} onDone={() => setDone(true)} />}</SideDrawer>;
}
function Form({ rows, onClose, onDone }: { rows: RelationshipRow[]; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const check = useChecks();
  const [results, setResults] = useState<Renewed['results'] | null>(null);
  const f = useApiForm({
    initial: { ends_at: inMonths(12) }, validate: { ends_at: (v) => check.filled(v) ?? check.future(v) },
    save: async (v) => { setResults((await api.post<Renewed>(path`/providers/${provider.slug}/relationships/renew`, { tenants: rows.map((r) => r.tenant.slug), ends_at: fmt.endOfDay(v.ends_at) })).results); onDone(); },
  });
  const date = f.form.values.ends_at;
  if (results) {
    const n = (outcome: Renewed['results'][number]['outcome']) => results.filter((r) => r.outcome === outcome).length;
    return (
      <div className="fields">
        <p className="flush semi" role="status">{[t('relationships.renewed', { count: n('renewed') }), n('waiting') > 0 && t('relationships.waiting', { count: n('waiting') }), n('failed') > 0 && t('relationships.failed', { count: n('failed') })].filter(Boolean).join(' · ')}</p>
        <ul className="bulk-rows">{results.map((r) => <li key={r.asked}>{r.outcome === 'renewed' ? <IconCheck size={15} aria-hidden color="var(--ok)" /> : r.outcome === 'waiting' ? <IconClock size={15} aria-hidden color="var(--high)" /> : <IconX size={15} aria-hidden color="var(--crit)" />}<div className="min0"><div className="trunc">{r.tenant?.name ?? r.asked}</div><div className={r.outcome === 'failed' ? 'xs crit-text' : 'xs dim'}>{r.detail || t(`relationships.outcome.${r.outcome}`)}</div></div></li>)}</ul>
        <div className="drawer-foot"><span className="grow" /><Button onClick={onClose}>{t('ui.done')}</Button></div>
      </div>
    );
  }
  const ask = rows.filter((r) => r.renew_by === 'tenant_consent').length;
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <p className="flush dim2">{t('relationships.renewText')}{ask > 0 && ` ${t('relationships.renewConsent', { count: ask })}`}</p>
      <FormProblem problem={f.problem} />
      <TextInput type="date" label={t('relationships.until')} required data-autofocus {...f.form.getInputProps('ends_at')} />
      <div className="chips" role="group" aria-label={t('relationships.presets')}>{[3, 6, 12, 24].map((n) => <Chip key={n} on={date === inMonths(n)} onClick={() => f.form.setFieldValue('ends_at', inMonths(n))}>{t('relationships.months', { count: n })}</Chip>)}</div>
      <ul className="bulk-rows">{rows.map((r) => <li key={r.id}><span className="trunc grow">{r.tenant.name}</span><span className="dim xs">{r.ends_at ? fmt.date(r.ends_at) : t('ui.noEnd')}</span></li>)}</ul>
      <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" loading={f.pending}>{t('relationships.renewGo', { count: rows.length })}</Button></div>
    </form>
  );
}
