import { Button, Progress, Select } from '@mantine/core';
import { IconCheck, IconClock, IconMinus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, TIERS, useProvider, type RelationshipRow, type Tenant, type Tier as TierName, type TierPreview } from '../../api';
import { Act, actWords, Empty, ErrorState, fmt, problemText, SideDrawer, SkLines, Tier } from '../../ui';
import { applyTier, type TierRow } from './tiers';

/** What a tier for many clients would change, before it does; then one after the other, each with its own answer. */
export function ChangeTier({ rows, onClose, onEnd }: { rows: RelationshipRow[] | null; onClose: () => void; onEnd: () => void }) {
  const { t } = useTranslation();
  const [begun, setBegun] = useState(false);
  const close = () => { if (begun) onEnd(); else onClose(); setBegun(false); };
  return <SideDrawer opened={rows !== null} onClose={close} title={rows ? t('tierChange.title', { count: rows.length }) : ''} size={720}>{rows && <Preview rows={rows} onClose={close} onBegin={() => setBegun(true)} />}</SideDrawer>;
}
function Preview({ rows, onClose, onBegin }: { rows: RelationshipRow[]; onClose: () => void; onBegin: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const [tier, setTier] = useState<TierName>('T2');
  const [progress, setProgress] = useState<TierRow[] | null>(null);
  const abort = useRef(new AbortController());
  useEffect(() => { const stop = abort.current; return () => stop.abort(); }, []);
  const slugs = rows.map((r) => r.tenant.slug);
  const preview = useQuery({ queryKey: keys.provider(provider.slug, 'tier-preview', tier, slugs), enabled: !progress, staleTime: 0, queryFn: () => api.post<TierPreview>(path`/providers/${provider.slug}/relationships/preview`, { tenants: slugs, tier }) });
  const changes = preview.data?.tenants.filter((x) => x.from !== x.to) ?? [];
  const totals = preview.data?.totals ?? { people: 0, gains: 0, loses: 0 };
  const apply = () => {
    onBegin();
    const at = (slug: string) => path`/providers/${provider.slug}/tenants/${slug}`;
    void applyTier(changes.map((x) => x.tenant), tier, { read: (slug) => api.get<Tenant>(at(slug)), write: (slug, next, version) => api.patch<Tenant>(`${at(slug)}/relationship`, { tier: next }, version) }, setProgress, abort.current.signal);
  };
  if (progress) return <Applying rows={progress} tier={tier} onClose={onClose} onStop={() => abort.current.abort()} />;
  const consent = changes.filter((x) => x.consent_needed).length;
  return (
    <div className="fields">
      <Select label={t('tierChange.to')} data-autofocus description={t(`tier.allows.${tier}`)} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} value={tier} onChange={(x) => setTier(x as TierName)} />
      {preview.error ? <ErrorState error={preview.error} retry={() => void preview.refetch()} /> : !preview.data ? <SkLines lines={6} /> : (
        <>
          <p className="flush semi" role="status">{changes.length === 0 ? t('tierChange.nothing') : [t('tierChange.changes', { count: changes.length }), t('tierChange.people', { count: totals.people }), totals.gains > 0 && t('tierChange.gains', { count: totals.gains }), totals.loses > 0 && t('tierChange.loses', { count: totals.loses })].filter(Boolean).join(' · ')}</p>
          {consent > 0 && <p className="note flush">{t('tierChange.consent', { count: consent })}</p>}
          {changes.length === 0 ? <Empty bare title={t('tierChange.nothingText')} /> : <PreviewTable changes={changes} />}
        </>
      )}
      <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Act can={permission(provider.can, 'relationship.preview')} reason={changes.length === 0 && t('tierChange.nothing')} onClick={apply}>{t('tierChange.apply', { count: changes.length })}</Act></div>
    </div>
  );
}
function PreviewTable({ changes }: { changes: TierPreview['tenants'] }) {
  const { t } = useTranslation();
  return (
    <div className="bulk-rows preview">
      {changes.map((x) => (
        <details key={x.tenant.id} open={changes.length <= 3}>
          <summary><span className="semi">{x.tenant.name}</span> <Tier t={x.from} /> <span aria-hidden>→</span><span className="vh">{t('tierChange.becomes')}</span> <Tier t={x.to} /> <span className="dim xs">{t('tierChange.people', { count: x.people.length })}{x.consent_needed && ` · ${t('tierChange.needsConsent')}`}</span></summary>
          {x.people.length === 0 ? <p className="xs dim flush">{t('tierChange.nobody')}</p> : (
            <table className="diff"><caption className="vh">{x.tenant.name}</caption><thead><tr><th scope="col">{t('access.person')}</th><th scope="col">{t('tierChange.gainsHead')}</th><th scope="col">{t('tierChange.losesHead')}</th></tr></thead>
              <tbody>{x.people.map((p) => <tr key={p.id}><th scope="row">{p.name}</th><td>{p.gains.length ? <ins>{p.gains.map(actWords).join(', ')}</ins> : '–'}</td><td>{p.loses.length ? <del>{p.loses.map(actWords).join(', ')}</del> : '–'}</td></tr>)}</tbody></table>
          )}
        </details>
      ))}
    </div>
  );
}
function Applying({ rows, tier, onClose, onStop }: { rows: TierRow[]; tier: TierName; onClose: () => void; onStop: () => void }) {
  const { t } = useTranslation();
  const ended = rows.filter((r) => r.state !== 'waiting' && r.state !== 'running').length;
  const n = (s: TierRow['state']) => rows.filter((r) => r.state === s).length;
  const over = ended === rows.length;
  return (
    <div className="fields">
      <div><p className="flush semi sm" role="status">{over ? [t('tierChange.changed', { count: n('changed') + n('same'), tier }), n('consent') > 0 && t('relationships.waiting', { count: n('consent') }), n('failed') > 0 && t('relationships.failed', { count: n('failed') })].filter(Boolean).join(' · ') : t('findings.bulk.running', { n: fmt.num(ended), total: fmt.num(rows.length) })}</p>
        <Progress value={(ended / rows.length) * 100} color={n('failed') ? 'var(--bar-warn)' : undefined} aria-label={t('tierChange.title', { count: rows.length })} mt={8} /></div>
      <ul className="bulk-rows">{rows.map((r) => <li key={r.slug}>{r.state === 'changed' || r.state === 'same' ? <IconCheck size={15} aria-hidden color="var(--ok)" /> : r.state === 'failed' ? <IconX size={15} aria-hidden color="var(--crit)" /> : r.state === 'consent' ? <IconClock size={15} aria-hidden color="var(--high)" /> : <IconMinus size={15} aria-hidden color="var(--ink-3)" />}<div className="min0"><div className="trunc">{r.name}</div><div className={r.state === 'failed' ? 'xs crit-text' : 'xs dim'}>{r.state === 'failed' ? problemText(r.problem) : t(`tierChange.state.${r.state}`)}</div></div></li>)}</ul>
      <div className="drawer-foot"><span className="grow" />{over ? <Button onClick={onClose}>{t('ui.done')}</Button> : <Button variant="default" onClick={onStop}>{t('findings.bulk.stop')}</Button>}</div>
    </div>
  );
}
