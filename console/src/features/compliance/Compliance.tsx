import { IconExternalLink } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type Control, type ControlDetail, type Framework, type List, type Override, type ScorePoint, type Summary } from '../../api';
import { Act, Badge, band, Chip, Chips, DataTable, Delta, Empty, ErrorState, fmt, Gate, Go, GoButton, Kpi, KpiStrip, many, oneOf, OverrideForm, PageHead, Pager, Panel, RichText, safeUrl, Score, ScoreChart, ScoreTable, SearchBox, severityColour, SeverityLabel, SideDrawer, Sk, SkLines, tenantPath, text, toast, useAddress, useList, type Tone } from '../../ui';

const STATUSES = ['failed', 'passed', 'overridden', 'manual'] as const;
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'informational', 'unknown'] as const;
/** Shown always; the others only when the address asks for them. */
const USUAL: readonly string[] = ['critical', 'high', 'medium', 'low'];
const TONES: Record<Control['status'], Tone> = { failed: 'bad', passed: 'good', overridden: 'plain', manual: 'near' };
const filters = { status: oneOf(STATUSES), severity: many(SEVERITIES), framework: text };
const DAYS = 90;

export default function Compliance() {
  const { t } = useTranslation();
  return <Gate title={t('compliance.title')} action="control.list" module="compliance"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const [{ control }, set] = useAddress({ control: text });
  const list = useList({ sort: 'severity', sorts: ['severity', 'title', 'failing', 'uid'], filters });
  const summary = useQuery({ queryKey: keys.tenant(slug, 'summary'), queryFn: ({ signal }) => api.get<Summary>(path`/tenants/${slug}/summary`, undefined, signal) });
  const frameworks = useQuery({ queryKey: keys.tenant(slug, 'frameworks'), queryFn: ({ signal }) => api.get<Pick<List<Framework>, 'items'>>(path`/tenants/${slug}/frameworks`, undefined, signal) });
  const controls = useQuery({ queryKey: keys.tenant(slug, 'controls', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<Control>>(path`/tenants/${slug}/controls`, list.query, signal) });
  const s = summary.data;
  const total = s ? s.passed + s.failed : 0;
  const open = (c: Control) => set({ control: c.id }, { push: true });
  return (
    <>
      <PageHead title={t('compliance.title')} sub={s && (s.score === null ? t('overview.subNever') : t('compliance.sub', { n: fmt.num(s.passed), total: fmt.num(total), count: s.overridden }))} />
      {!summary.error && (
        <KpiStrip>
          <Kpi label={t('overview.score')} loading={!s} value={<Score value={s?.score ?? null} />} note={s && s.score !== null && <Delta value={s.delta} />} />
          <Kpi label={t('compliance.passed')} loading={!s} value={fmt.num(s?.passed ?? 0)} />
          <Kpi label={t('compliance.failed')} loading={!s} value={fmt.num(s?.failed ?? 0)} />
          <Kpi label={t('compliance.overridden')} loading={!s} value={fmt.num(s?.overridden ?? 0)} note={s && s.overridden > 0 && t('compliance.countAsPassed')} />
        </KpiStrip>
      )}
      <div className="split gap-b">
        <Panel title={t('compliance.frameworks')} pad>
          {frameworks.error && !frameworks.data ? <ErrorState error={frameworks.error} retry={() => void frameworks.refetch()} /> : !frameworks.data ? <SkLines lines={6} /> : frameworks.data.items.length === 0 ? <Empty bare title={t('overview.frameworksEmpty')}>{t('overview.frameworksEmptyText')}</Empty> : (
            <ul className="bars">{frameworks.data.items.map((f) => <FrameworkRow key={f.framework} f={f} on={list.view.framework === f.framework} onClick={() => list.set({ framework: list.view.framework === f.framework ? undefined : f.framework })} />)}</ul>
          )}
        </Panel>
        <History />
      </div>
      <div className="tools">
        <SearchBox label={t('compliance.search')} value={list.view.q} onChange={(q) => list.set({ q })} w={260} />
        <Chips label={t('compliance.status')} value={list.view.status} onChange={(status) => list.set({ status })} options={[{ value: undefined, label: t('ui.all') }, ...STATUSES.map((x) => ({ value: x, label: t(`compliance.state.${x}`) }))]} />
        <span className="tool-line" aria-hidden />
        <div className="chips" role="group" aria-label={t('findings.severity')}>{SEVERITIES.filter((x) => USUAL.includes(x) || list.view.severity?.includes(x)).map((x) => <Chip key={x} dot={severityColour(x)} on={list.view.severity?.includes(x) ?? false} onClick={() => { const next = SEVERITIES.filter((y) => (y === x) !== (list.view.severity?.includes(y) ?? false)); list.set({ severity: next.length ? next : undefined }); }}>{t(`severity.${x}`)}</Chip>)}</div>
        {list.view.framework && <button type="button" className="chip" aria-pressed onClick={() => list.set({ framework: undefined })}>{list.view.framework}<span className="vh"> {t('ui.remove')}</span><span aria-hidden>×</span></button>}
      </div>
      <DataTable<Control> caption={t('compliance.controls')} rows={controls.data?.items} error={controls.error} retry={() => void controls.refetch()} stale={controls.isPlaceholderData} rowKey={(c) => c.id} sort={list.view.sort} onSort={list.toggleSort} onRow={open} empty={<None filtered={list.filtered} clear={list.clear} />}
        columns={[
          { key: 'title', title: t('compliance.control'), sort: 'title', cell: (c) => <button type="button" className="plain finding-title" onClick={() => open(c)}><span className="semi">{c.title}</span> <span className="dim nowrap">{c.uid}</span></button> },
          { key: 'severity', title: t('findings.severity'), sort: 'severity', width: 118, cell: (c) => <SeverityLabel s={c.severity} /> },
          { key: 'status', title: t('compliance.status'), width: 110, cell: (c) => <Badge tone={TONES[c.status]}>{t(`compliance.state.${c.status}`)}</Badge> },
          { key: 'failing', title: t('compliance.failing'), sort: 'failing', num: true, width: 90, cell: (c) => <span className={c.failing ? 'crit' : 'dim'}>{fmt.num(c.failing)}</span> },
          { key: 'passing', title: t('compliance.passing'), num: true, width: 90, cell: (c) => fmt.num(c.passing) },
          { key: 'frameworks', title: t('compliance.inFrameworks'), cell: (c) => <Requirements c={c} /> },
        ]} />
      <Pager list={list} page={controls.data} />
      <ControlDrawer id={control} onClose={() => set({ control: undefined })} />
    </>
  );
}
function FrameworkRow({ f, on, onClick }: { f: Framework; on: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  return <li><button type="button" className="plain bar-row" aria-pressed={on} onClick={onClick}><span className={on ? 'semi trunc brand-ink' : 'semi trunc'}>{f.framework}</span><span className="dim num nowrap">{t('overview.passedOf', { n: fmt.num(f.passed), total: fmt.num(f.passed + f.failed) })}</span><Score value={f.score} /></button><div className="ubar" aria-hidden><i style={{ width: `${f.score ?? 0}%`, background: band(f.score) }} /></div></li>;
}
function History() {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const [table, setTable] = useState(false);
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'scores', DAYS), queryFn: ({ signal }) => api.get<Pick<List<ScorePoint>, 'items'>>(path`/tenants/${slug}/scores`, { days: DAYS }, signal) });
  return (
    <Panel title={t('chart.title', { count: DAYS })} pad actions={(data?.items.length ?? 0) > 0 && <button type="button" className="plain sm dim2" aria-pressed={table} onClick={() => setTable(!table)}>{t(table ? 'chart.asChart' : 'chart.asTable')}</button>}>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <Sk h={220} /> : data.items.length === 0 ? <Empty bare title={t('overview.historyEmpty')}>{t('overview.historyEmptyText')}</Empty> : table ? <ScoreTable items={data.items} /> : <ScoreChart items={data.items} days={DAYS} />}
    </Panel>
  );
}
function Requirements({ c }: { c: Pick<Control, 'frameworks'> }) {
  const { t } = useTranslation();
  const [first, second, ...more] = c.frameworks;
  if (!first) return <span className="dim">–</span>;
  const all = c.frameworks.map((f) => `${f.framework} ${f.requirement}`).join(', ');
  return <span className="row tight reqs" title={all}>{[first, second].map((f) => f && <span key={`${f.framework}${f.requirement}`} className="tier">{f.framework} {f.requirement}</span>)}{more.length > 0 && <span className="xs dim nowrap">{t('compliance.more', { count: more.length })}</span>}</span>;
}
function None({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  if (filtered) return <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={clear}>{t('ui.clearFilters')}</button>} />;
  return <Empty title={t('compliance.empty')} action={permission(can, 'scan.import').allowed && <GoButton to={tenantPath(slug, 'scans')}>{t('overview.import')}</GoButton>}>{t('compliance.emptyText')}</Empty>;
}

function ControlDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const { data: c, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'control', id), enabled: id !== undefined, queryFn: ({ signal }) => api.get<ControlDetail>(path`/tenants/${slug}/controls/${id!}`, undefined, signal) });
  return <SideDrawer opened={id !== undefined} onClose={onClose} title={t('compliance.control')} size={620}>{error && !c ? <ErrorState error={error} retry={() => void refetch()} /> : c ? <Detail key={c.id} c={c} /> : <SkLines lines={10} />}</SideDrawer>;
}
function Detail({ c }: { c: ControlDetail }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const client = useQueryClient();
  const [overriding, setOverriding] = useState(false);
  const url = safeUrl(c.url);
  const create = async ({ reason, expires_at }: { reason: string; expires_at: string }) => {
    await api.post<Override>(path`/tenants/${slug}/overrides`, { control: c.id, reason, expires_at });
    await client.invalidateQueries({ queryKey: keys.tenant(slug) });
    setOverriding(false);
    toast(t('override.created'));
  };
  return (
    <article className="finding">
      <header><h2>{c.title}</h2><div className="row wrap tight"><SeverityLabel s={c.severity} /><Badge tone={TONES[c.status]}>{t(`compliance.state.${c.status}`)}</Badge><span className="xs dim">{c.uid}</span></div></header>
      <div className="row wrap tight">
        <GoButton variant="default" to={tenantPath(slug, 'findings')} search={{ control: c.id }}>{t('compliance.openFindings', { count: c.findings_open, n: fmt.num(c.findings_open) })}</GoButton>
        <Act variant="default" can={permission(can, 'override.create')} reason={c.status === 'overridden' && t('compliance.already')} aria-expanded={overriding} onClick={() => setOverriding(!overriding)}>{t('compliance.override')}</Act>
      </div>
      {overriding && <section className="inset" aria-label={t('compliance.override')}><p className="dim2 sm flush gap-b8">{t('compliance.overrideText', { count: c.findings_open })}</p><OverrideForm scopes={['control']} control={c.uid} submitLabel={t('override.create')} onCancel={() => setOverriding(false)} onSave={create} /></section>}
      <dl className="facts"><dt>{t('compliance.failing')}</dt><dd className="num">{fmt.num(c.failing)}</dd><dt>{t('compliance.passing')}</dt><dd className="num">{fmt.num(c.passing)}</dd><dt>{t('compliance.overridden')}</dt><dd className="num">{c.overridden > 0 ? <Go className="link" to={tenantPath(slug, 'findings')} search={{ control: c.id, status: 'overridden' }}>{fmt.num(c.overridden)}</Go> : fmt.num(0)}</dd>{c.tool && <><dt>{t('findings.tool')}</dt><dd>{c.tool}</dd></>}</dl>
      {c.description && <section aria-label={t('findings.description')}><h3>{t('findings.description')}</h3><RichText text={c.description} /></section>}
      {c.remediation && <section aria-label={t('findings.remediation')}><h3>{t('findings.remediation')}</h3><RichText text={c.remediation} /></section>}
      {url && <a href={url} target="_blank" rel="noopener noreferrer" className="link with-dot"><IconExternalLink size={15} aria-hidden />{t('findings.reference')}<span className="vh"> {t('findings.newTab')}</span></a>}
      {c.frameworks.length > 0 && <section aria-label={t('findings.frameworks')}><h3>{t('findings.frameworks')}</h3><ul className="pills">{c.frameworks.map((x) => <li key={`${x.framework} ${x.requirement}`}><span className="tier"><b>{x.framework}</b> {x.requirement}</span></li>)}</ul></section>}
    </article>
  );
}
