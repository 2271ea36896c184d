import { Progress } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { api, FLEET_ITEM_STATES, keys, path, useProvider, type FleetItem, type FleetView, type Permission } from '../../api';
import { Act, Av, Badge, Chips, DataTable, Empty, ErrorState, fmt, Go, Kpi, KpiStrip, oneOf, PageHead, Pager, PageSkeleton, Panel, RelativeTime, toast, useConfirm, useList } from '../../ui';
import { FleetBadge, isMoving, ITEM_TONES, share, shortDiff, useFleetWords } from './shared';

const MOVING_MS = 1500;

/** One change: its plan client by client, its progress, and what became of each. It goes on when this page is left. */
export default function Change() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { change: id } = useParams({ strict: false }) as { change: string };
  const client = useQueryClient();
  const words = useFleetWords();
  const [confirm, ask] = useConfirm();
  const list = useList({ sort: 'name', sorts: [], filters: { state: oneOf(FLEET_ITEM_STATES) } });
  const query = { state: list.view.state, cursor: list.view.cursor, limit: 50 };
  const key = keys.provider(provider.slug, 'fleet', id);
  const to = path`/providers/${provider.slug}/fleet-changes/${id}`;
  const { data: c, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...key, query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<FleetView>(to, query, signal), refetchInterval: (q) => (q.state.data && isMoving(q.state.data.state) ? MOVING_MS : false) });
  if (error && !c) return <><PageHead title={t('fleet.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!c) return <PageSkeleton />;
  const { progress: p } = c;
  const allowed = (what: 'approve' | 'cancel' | 'resume' | 'undo'): Permission => c.can[what] ?? { allowed: false, why: null, needs: null };
  const act = async (what: 'approve' | 'cancel' | 'resume' | 'undo', body: object, said: string) => { await api.post(`${to}/${what}`, body); await client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'fleet') }); toast(said); };
  const line = `${words.what(c)} · ${words.over(c.over)}`;
  const planned = p.total - p.skipped;
  const approve = () => ask({ title: t('fleet.approveTitle', { count: planned, n: fmt.num(planned) }), lines: [line, t('fleet.approveLine', { percent: fmt.percent(c.stop_after.failed_percent, 0) })], label: t('fleet.approve'), danger: c.kind === 'suspend', run: () => act('approve', {}, t('fleet.approved')) });
  const cancel = () => ask({ title: t(c.state === 'draft' ? 'fleet.discardTitle' : 'fleet.stopTitle'), lines: [t(c.state === 'draft' ? 'fleet.discardLine' : 'fleet.stopLine')], label: t(c.state === 'draft' ? 'fleet.discard' : 'fleet.stop'), danger: true, run: () => act('cancel', {}, t(c.state === 'draft' ? 'fleet.discarded' : 'fleet.stopped')) });
  const resume = (skip: boolean) => ask({ title: t('fleet.resumeTitle'), lines: [t(skip ? 'fleet.resumeSkipLine' : 'fleet.resumeLine', { count: p.failed })], label: t(skip ? 'fleet.resumeSkip' : 'fleet.resume'), run: () => act('resume', { skip_failed: skip }, t('fleet.resumed')) });
  const undo = () => ask({ title: t('fleet.undoTitle', { count: p.done, n: fmt.num(p.done) }), lines: [line, t('fleet.undoLine')], label: t('fleet.undo'), danger: true, run: () => act('undo', {}, t('fleet.undoing')) });
  const { state } = c;
  return (
    <>
      <PageHead title={words.what(c)} sub={<span className="row wrap tight">{words.over(c.over)} <FleetBadge state={state} /></span>}>
        {state === 'draft' && <><Act variant="default" can={allowed('cancel')} onClick={cancel}>{t('fleet.discard')}</Act><Act can={allowed('approve')} reason={planned === 0 && t('fleet.nothingToDo')} onClick={approve}>{t('fleet.approve')}</Act></>}
        {(state === 'running' || state === 'approved') && <Act variant="default" color="red" can={allowed('cancel')} onClick={cancel}>{t('fleet.stop')}</Act>}
        {state === 'stopped' && <>{p.failed > 0 && <Act variant="default" can={allowed('resume')} onClick={() => resume(true)}>{t('fleet.resumeSkip')}</Act>}<Act can={allowed('resume')} onClick={() => resume(false)}>{t('fleet.resume')}</Act></>}
        {(state === 'done' || state === 'stopped') && <Act variant="default" can={allowed('undo')} reason={p.done === 0 && t('fleet.nothingToUndo')} onClick={undo}>{t('fleet.undo')}</Act>}
      </PageHead>
      {state === 'draft' && <p className="note">{t('fleet.draftText')}</p>}
      {state === 'stopped' && <p className="note">{t('fleet.stoppedText', { count: p.failed, n: fmt.num(p.failed) })}{c.detail && ` ${c.detail}`}</p>}
      <KpiStrip><Kpi label={t('fleet.total')} value={fmt.num(p.total)} />{(p.undone ?? 0) + (p.undo_failed ?? 0) > 0 ? <Kpi label={t('fleet.items.undone')} value={fmt.num(p.undone ?? 0)} note={p.undo_failed ? t('fleet.failedN', { count: p.undo_failed, n: fmt.num(p.undo_failed) }) : undefined} tone="bad" /> : <Kpi label={t('fleet.items.done')} value={fmt.num(p.done)} />}<Kpi label={t('fleet.items.failed')} value={fmt.num(p.failed)} note={p.failed > 0 && p.total > 0 ? fmt.percent((p.failed / p.total) * 100, 0) : undefined} tone="bad" /><Kpi label={t('fleet.items.skipped')} value={fmt.num(p.skipped)} /></KpiStrip>
      {state !== 'draft' && state !== 'cancelled' && <div className="gap-b" role="status" aria-label={t('fleet.progress')}><Progress value={share(p)} size="lg" animated={isMoving(state)} color={p.failed ? 'var(--bar-warn)' : undefined} aria-label={t('fleet.progress')} />{isMoving(state) && <p className="xs dim">{t('fleet.leave')}</p>}</div>}
      <div className="gap-b"><Panel pad><dl className="facts wide">
        <div><dt>{t('fleet.reason')}</dt><dd>{c.reason}</dd></div><div><dt>{t('fleet.by')}</dt><dd>{c.created_by.name}, <RelativeTime at={c.created_at} /></dd></div><div><dt>{t('fleet.approvedBy')}</dt><dd>{c.approved_by?.name ?? <span className="dim">{t('fleet.notYet')}</span>}</dd></div><div><dt>{t('fleet.stopAfter')}</dt><dd className="num">{fmt.percent(c.stop_after.failed_percent, 0)}</dd></div>
      </dl></Panel></div>
      <div className="tools"><h2 className="flush">{t(state === 'draft' ? 'fleet.plan' : 'fleet.results')}</h2><span className="grow" /><Chips label={t('tenant.state')} value={list.view.state} onChange={(s) => list.set({ state: s })} options={[{ value: undefined, label: t('ui.all') }, ...FLEET_ITEM_STATES.filter((s) => (state === 'undone' || state === 'undoing') || (s !== 'undone' && s !== 'undo_failed')).map((s) => ({ value: s, label: t(`fleet.items.${s}`) }))]} /></div>
      <DataTable<FleetItem> caption={t('fleet.results')} rows={c.items.items} stale={isPlaceholderData} rowKey={(i) => i.tenant.id} tone={(i) => (i.state === 'failed' || i.state === 'undo_failed' ? 'bad' : i.state === 'skipped' ? 'quiet' : undefined)}
        empty={<Empty title={t(list.filtered ? 'ui.nothingMatches' : 'fleet.noClients')} action={list.filtered && <button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} />}
        columns={[
          { key: 'client', title: t('alerts.client'), cell: (i) => <span className="row"><Av slug={i.tenant.slug} name={i.tenant.name} small /><Go to={`/tenants/${i.tenant.slug}`} className="semi trunc">{i.tenant.name}</Go></span> },
          { key: 'change', title: t('fleet.change'), cell: (i) => { const lines = shortDiff(i.before, i.after); return lines.length ? <ul className="plain-list mono">{lines.slice(0, 4).map((l) => <li key={l} className="break">{l}</li>)}</ul> : <span className="dim">–</span>; } },
          { key: 'state', title: t('tenant.state'), cell: (i) => <Badge tone={ITEM_TONES[i.state]}>{t(`fleet.items.${i.state}`)}</Badge> },
          { key: 'detail', title: t('fleet.detail'), cell: (i) => <span className="dim2 break">{i.detail || '–'}</span> },
        ]} />
      <Pager list={list} page={c.items} />
      {confirm}
    </>
  );
}
