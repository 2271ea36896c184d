import { Button, Checkbox, Progress, Select } from '@mantine/core';
import { IconFileAlert } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ApiProblem, keys, path, permission, useTenant, type List, type Problem, type Scan } from '../../api';
import { Badge, CopyIcon, DataTable, Empty, ErrorState, FileDrop, fmt, Gate, Go, PageHead, Pager, problemText, RelativeTime, Score, SideDrawer, SkLines, tenantPath, text, toast, useAddress, useList, useReason, type Tone } from '../../ui';
import { begin, dismiss, useUpload } from './uploads';

const TONES: Record<Scan['state'], Tone> = { running: 'near', complete: 'good', failed: 'bad', interrupted: 'bad' };
const POLL_MS = 1000;

export default function Scans() {
  const { t } = useTranslation();
  return <Gate title={t('scans.title')} action="scan.list" module="compliance"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const [{ scan, again }, set] = useAddress({ scan: text, again: text });
  const list = useList({ sort: '-at', sorts: ['at', 'file'], filters: {} });
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.tenant(slug, 'scans', list.query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<Scan>>(path`/tenants/${slug}/scans`, list.query, signal),
    refetchInterval: (q) => (q.state.data?.items.some((s) => s.state === 'running') ? 2 * POLL_MS : false),
  });
  const open = (id: string, duplicate = false) => set({ scan: id, again: duplicate ? 'yes' : undefined }, { push: true });
  const newest = data?.items.find((s) => s.state === 'complete');
  const running = data?.items.filter((s) => s.state === 'running').length ?? 0;
  const empty = <Empty title={t('scans.empty')}>{t(permission(can, 'scan.import').allowed ? 'scans.emptyText' : 'scans.emptyRead')}</Empty>;
  return (
    <>
      <PageHead title={t('scans.title')} sub={data && (running > 0 ? t('scans.subRunning', { count: running }) : newest ? <>{t('scans.sub', { count: data.total, n: fmt.num(data.total) })} · {t('scans.newest')} <RelativeTime at={newest.imported_at} /></> : t('overview.subNever'))} />
      <Import onDone={(s) => open(s.duplicate_of ?? s.id, s.duplicate_of !== null)} />
      <DataTable<Scan> caption={t('scans.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(s) => s.id} sort={list.view.sort} onSort={list.toggleSort} onRow={(s) => open(s.id)} empty={empty} tone={(s) => (s.state === 'failed' || s.state === 'interrupted' ? 'bad' : undefined)}
        columns={[
          { key: 'file', title: t('scans.file'), sort: 'file', cell: (s) => <button type="button" className="plain scan-cell" onClick={() => open(s.id)}><span className="semi trunc block">{s.file}</span><span className="xs dim trunc block">{[s.tool && [s.tool, s.tool_version].filter(Boolean).join(' '), t(`scans.format.${s.format}` as 'scans.format.ocsf', { defaultValue: s.format }), fmt.bytes(s.bytes)].filter(Boolean).join(' · ')}</span></button> },
          { key: 'state', title: t('scans.stateHead'), cell: (s) => (s.state === 'running' ? <Running s={s} bare /> : <span className="row tight"><Badge tone={TONES[s.state]}>{t(`scans.state.${s.state}`)}</Badge>{s.state === 'complete' && !s.complete && <Badge>{t('scans.partial')}</Badge>}</span>) },
          { key: 'findings', title: t('scans.findings'), num: true, cell: (s) => fmt.num(s.findings) },
          { key: 'new', title: t('scans.new'), num: true, cell: (s) => <Count n={s.new} /> },
          { key: 'fixed', title: t('scans.fixed'), num: true, cell: (s) => <Count n={s.fixed} good /> },
          { key: 'returned', title: t('scans.returned'), num: true, cell: (s) => <Count n={s.returned} /> },
          { key: 'score', title: t('scans.score'), num: true, cell: (s) => <Score value={s.score} /> },
          { key: 'at', title: t('scans.observed'), sort: 'at', cell: (s) => <span className="dim2"><RelativeTime at={s.observed_at ?? s.imported_at} /> <span className="xs dim block nowrap">{t('override.by', { name: s.imported_by.name })}</span></span> },
        ]} />
      <Pager list={list} page={data} />
      <ScanDrawer id={scan} again={again !== undefined} onClose={() => set({ scan: undefined, again: undefined })} />
    </>
  );
}
const Count = ({ n, good }: { n: number; good?: boolean }) => <span className={n === 0 ? 'dim' : good ? 'good-ink semi' : 'semi'}>{fmt.num(n)}</span>;
function Running({ s, bare }: { s: Scan; bare?: boolean }) {
  const { t } = useTranslation();
  const p = s.progress;
  const share = p && p.bytes_total > 0 ? (p.bytes_read / p.bytes_total) * 100 : 0;
  return <div className={bare ? 'running bare' : 'running'}><div className="row tight sm"><span>{t('scans.state.running')}</span><span className="num dim">{fmt.percent(share, 0)}</span>{!bare && p && <><span className="grow" /><span className="dim num">{t('scans.read', { read: fmt.bytes(p.bytes_read), total: fmt.bytes(p.bytes_total), count: p.findings, n: fmt.num(p.findings) })}</span></>}</div><Progress value={share} size={bare ? 4 : 8} mt={4} aria-label={t('scans.progressOf', { file: s.file })} /></div>;
}

const FORMATS = ['auto', 'ocsf', 'xccdf', 'sarif'] as const;
function Import({ onDone }: { onDone: (scan: Scan) => void }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const client = useQueryClient();
  const why = useReason({ can: permission(can, 'scan.import') });
  const current = useUpload(slug);
  const [format, setFormat] = useState<string>('auto');
  const [partial, setPartial] = useState(false);
  // A finished upload opens its report, here or when the page is found again.
  useEffect(() => { if (current?.state === 'done') { dismiss(slug); onDone(current.scan); } }, [current, slug, onDone]);
  const take = (file: File) => begin(slug, file, { format, partial }, (u) => {
    void client.invalidateQueries({ queryKey: keys.tenant(slug) });
    if (u.state === 'done') toast(t(u.scan.duplicate_of ? 'scans.duplicateToast' : u.scan.state === 'running' ? 'scans.runningToast' : 'scans.doneToast', { file: u.name }));
  });
  const sending = current?.state === 'sending' ? current : null;
  return (
    <section className="gap-b" aria-label={t('scans.import')}>
      {current?.state === 'failed' && <Broken file={current.name} problem={current.problem} onDismiss={() => dismiss(slug)} />}
      <FileDrop label={t('scans.drop')} hint={why ?? t('scans.hint')} disabled={why !== null} onFile={take} progress={sending} onCancel={sending && sending.sent < sending.total ? sending.cancel : undefined}>
        {!why && <div className="row wrap import-options"><Select aria-label={t('scans.formatLabel')} w={210} value={format} onChange={(v) => setFormat(v ?? 'auto')} data={FORMATS.map((f) => ({ value: f, label: t(`scans.format.${f}`) }))} /><Checkbox label={t('scans.partialLabel')} checked={partial} onChange={(e) => setPartial(e.currentTarget.checked)} /></div>}
      </FileDrop>
      {sending && <p className="xs dim import-note" role="status">{t(sending.sent < sending.total ? 'scans.leave' : 'scans.sent')}</p>}
    </section>
  );
}

/** A file that couldn't be read: which, where, and why. Nothing of it was kept. */
function Broken({ file, problem, onDismiss }: { file: string; problem: unknown; onDismiss?: () => void }) {
  const { t } = useTranslation();
  const p: Partial<Problem> = problem instanceof ApiProblem ? problem : ((problem ?? {}) as Problem);
  const at = p.at;
  const why = problem instanceof ApiProblem ? problemText(problem) : (p.detail ?? p.title ?? t('problem.internal.text'));
  const spots = at ? (['line', 'column', 'record', 'pointer'] as const).filter((k) => at[k] !== null && at[k] !== undefined && at[k] !== '') : [];
  const rest = (p.errors ?? []).map((e) => e.message).filter((m) => m !== why);
  return (
    <section className="broken" role="alert" aria-label={t('scans.broken')}>
      <IconFileAlert size={20} aria-hidden />
      <div className="min0 grow">
        <h2>{t('scans.broken')}</h2>
        <p className="flush"><span className="semi break">{file}</span> · {t('scans.nothingImported')}</p>
        <p className="broken-why break">{why}</p>
        {rest.map((m) => <p key={m} className="flush break">{m}</p>)}
        {spots.length > 0 && <dl className="facts">{spots.map((k) => <Fact key={k} label={t(`scans.at.${k}`)}><span className="mono break">{typeof at![k] === 'number' ? fmt.num(at![k]) : at![k]}</span></Fact>)}</dl>}
        {p.instance && <p className="xs mono flush">{t('ui.requestId', { id: p.instance })}</p>}
      </div>
      {onDismiss && <Button variant="default" size="compact-sm" onClick={onDismiss}>{t('ui.close')}</Button>}
    </section>
  );
}
const Fact = ({ label, children }: { label: string; children: ReactNode }) => <><dt>{label}</dt><dd>{children}</dd></>;

function ScanDrawer({ id, again, onClose }: { id: string | undefined; again: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const client = useQueryClient();
  const { data: s, error, refetch } = useQuery({
    queryKey: keys.tenant(slug, 'scan', id), enabled: id !== undefined, queryFn: ({ signal }) => api.get<Scan>(path`/tenants/${slug}/scans/${id!}`, undefined, signal),
    refetchInterval: (q) => (q.state.data?.state === 'running' ? POLL_MS : false),
  });
  const [watched, setWatched] = useState<string | null>(null);
  // When the work that was watched ends, everything that depends on it is read again.
  useEffect(() => {
    if (s?.state === 'running') setWatched(s.id);
    else if (s && watched === s.id) { setWatched(null); void client.invalidateQueries({ queryKey: keys.tenant(slug) }); }
  }, [s, watched, client, slug]);
  return <SideDrawer opened={id !== undefined} onClose={onClose} title={t('scans.report')} size={600}>{error && !s ? <ErrorState error={error} retry={() => void refetch()} /> : s ? <Report s={s} again={again} /> : <SkLines lines={10} />}</SideDrawer>;
}
function Report({ s, again }: { s: Scan; again: boolean }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const to = tenantPath(slug, 'findings');
  const unknown = Object.entries(s.unknown_classes);
  const counts: [key: 'new' | 'recurring' | 'fixed' | 'returned', status: string | undefined][] = [['new', undefined], ['returned', undefined], ['recurring', undefined], ['fixed', 'fixed']];
  return (
    <article className="finding">
      <header><h2 className="break">{s.file}</h2><div className="row wrap tight"><Badge tone={TONES[s.state]}>{t(`scans.state.${s.state}`)}</Badge>{s.state === 'complete' && <Badge>{t(s.complete ? 'scans.whole' : 'scans.partial')}</Badge>}<span className="xs dim"><RelativeTime at={s.imported_at} /> · {s.imported_by.name}</span></div></header>
      {s.state === 'running' && <div role="status"><Running s={s} /><p className="xs dim">{t('scans.background')}</p></div>}
      {(s.state === 'failed' || s.problem) && <Broken file={s.file} problem={s.problem} />}
      {s.state === 'interrupted' && <p className="note flush">{t('scans.interrupted')}</p>}
      {(again || s.duplicate_of) && <p className="note flush">{t('scans.duplicate')}</p>}
      {s.state === 'complete' && <>
        <dl className="tiles">{counts.map(([k, status]) => <div key={k}><dt>{t(`findings.lifecycle.${k}`)}</dt><dd className="num">{s[k] > 0 ? <Go to={to} search={{ scan: s.id, lifecycle: k, status }} className="link">{fmt.num(s[k])}</Go> : fmt.num(0)}</dd></div>)}</dl>
        <dl className="facts">
          <Fact label={t('scans.findings')}><span className="num">{fmt.num(s.findings)}</span></Fact>
          <Fact label={t('scans.results')}><span className="num">{t('scans.resultsText', { passed: fmt.num(s.passed), failed: fmt.num(s.failed), manual: fmt.num(s.manual) })}</span></Fact>
          <Fact label={t('scans.merged')}><span className="num">{fmt.num(s.merged)}</span> <span className="dim2 xs">{t('scans.mergedHelp')}</span></Fact>
          <Fact label={t('scans.score')}><Score value={s.score} /></Fact>
        </dl>
        {unknown.length > 0 && <section aria-label={t('scans.unknown')}><h3>{t('scans.unknown')}</h3><p className="dim2 sm flush">{t('scans.unknownText')}</p><ul className="unknown">{unknown.map(([k, n]) => <li key={k}><span className="mono break">{k}</span><span className="num">{fmt.num(n)}</span></li>)}</ul></section>}
      </>}
      <section aria-label={t('scans.source')}><h3>{t('scans.source')}</h3><dl className="facts">
        <Fact label={t('scans.formatLabel')}>{t(`scans.format.${s.format}` as 'scans.format.ocsf', { defaultValue: s.format })}</Fact>
        {s.tool && <Fact label={t('findings.tool')}>{[s.tool, s.tool_version].filter(Boolean).join(' ')}</Fact>}
        {s.target && <Fact label={t('scans.target')}><span className="break">{s.target}</span></Fact>}
        {s.observed_at && <Fact label={t('scans.observed')}>{fmt.exact(s.observed_at)}</Fact>}
        <Fact label={t('scans.imported')}>{fmt.exact(s.imported_at)}</Fact>
        <Fact label={t('scans.size')}>{fmt.bytes(s.bytes)}</Fact>
        <Fact label="BLAKE3"><span className="row tight"><span className="mono break">{s.sha}</span><CopyIcon value={s.sha} label={t('ui.copyWhat', { what: 'BLAKE3' })} /></span></Fact>
      </dl></section>
    </article>
  );
}
