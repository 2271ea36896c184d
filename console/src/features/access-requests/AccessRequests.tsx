import { useQuery, useQueryClient, keepPreviousData } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useTenant, type AccessRequest, type List, type RequestedElevation } from '../../api';
import { Act, ActionName, Badge, Countdown, DataTable, Empty, ErrorState, fmt, Gate, Gives, Modules, PageHead, Pager, Panel, RelativeTime, SearchBox, SideDrawer, SkLines, StateBadge, text, Tier, toast, useAddress, useConfirm, useList } from '../../ui';
import { running } from './requests';

export default function AccessRequests() {
  const { t } = useTranslation();
  return <Gate title={t('accessRequests.title')} action="access_request.list"><Page /></Gate>;
}
function useRequests(slug: string, query: Record<string, unknown>) {
  return useQuery({ queryKey: keys.tenant(slug, 'access-requests', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<AccessRequest>>(path`/tenants/${slug}/access-requests`, query as never, signal) });
}
function Page() {
  const { t } = useTranslation();
  const { slug, tenant } = useTenant();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [{ request }, set] = useAddress({ request: text });
  const pending = useRequests(slug, { state: 'pending', limit: 200 });
  const list = useList({ sort: '-asked', sorts: ['asked'], filters: {} });
  const decided = useRequests(slug, { ...list.query, state: 'decided' });
  const runs = useRequests(slug, { state: 'running', limit: 200 });
  const refresh = () => client.invalidateQueries({ queryKey: keys.tenant(slug) });
  const to = (r: AccessRequest, what: string) => path`/tenants/${slug}/access-requests/${r.id}/${what}`;
  const acts: Acts = {
    approve: (r) => ask({ title: t('accessRequests.approveTitle', { what: r.label }), label: t('accessRequests.approve'), lines: [t(`accessRequests.approveLine.${r.kind}`, { name: who(r), provider: r.provider, tenant: tenant.name, label: r.label })], run: async () => { await api.post(to(r, 'approve')); await refresh(); toast(t('accessRequests.approved')); } }),
    deny: (r) => ask({ title: t('accessRequests.denyTitle', { what: r.label }), danger: true, label: t('accessRequests.deny'), reason: t('access.reason'), lines: [t('accessRequests.denyLine', { name: who(r) })], run: async ({ reason }) => { await api.post(to(r, 'deny'), { reason }); await refresh(); toast(t('accessRequests.denied')); } }),
    end: (r) => ask({ title: t('accessRequests.endTitle', { what: r.label }), danger: true, label: t('accessRequests.end'), lines: [t('accessRequests.endLine', { name: who(r) })], run: async () => { await api.post(to(r, 'end')); await refresh(); toast(t('accessRequests.ended')); } }),
    open: (r) => set({ request: r.id }),
  };
  const waits = pending.data?.total;
  const now = running(runs.data?.items ?? []);
  const opened = request ? [...(pending.data?.items ?? []), ...(runs.data?.items ?? []), ...(decided.data?.items ?? [])].find((r) => r.id === request) : undefined;
  return (
    <>
      <PageHead title={t('accessRequests.title')} sub={waits !== undefined && (waits === 0 ? t('accessRequests.subNone', { name: tenant.name }) : t('accessRequests.sub', { count: waits, name: tenant.name }))} />
      <section className="gap-b" aria-label={t('accessRequests.pending')}>
        <h2>{t('accessRequests.pending')}</h2>
        {pending.error && !pending.data ? <ErrorState error={pending.error} retry={() => void pending.refetch()} /> : !pending.data ? <Panel pad><SkLines lines={3} /></Panel> : pending.data.items.length === 0 ? <Empty title={t('accessRequests.nonePending')}>{t('accessRequests.nonePendingText')}</Empty> : <ul className="stack requests">{pending.data.items.map((r) => <Pending key={r.id} r={r} acts={acts} />)}</ul>}
      </section>
      {now.length > 0 && (
        <section className="gap-b" aria-label={t('accessRequests.running')}>
          <h2>{t('accessRequests.running')}</h2>
          <ul className="stack requests">{now.map(({ r, e }) => <Running key={r.id} r={r} e={e} acts={acts} onEnd={() => void refresh()} />)}</ul>
        </section>
      )}
      <section aria-label={t('accessRequests.history')}>
        <h2>{t('accessRequests.history')}</h2>
        <div className="tools">
          <SearchBox label={t('accessRequests.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        </div>
        <DataTable<AccessRequest> caption={t('accessRequests.history')} rows={decided.data?.items} error={decided.error} retry={() => void decided.refetch()} stale={decided.isPlaceholderData} rowKey={(r) => r.id} skeletonRows={4} sort={list.view.sort} onSort={list.toggleSort} onRow={acts.open}
          empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('accessRequests.noHistory')}>{t('accessRequests.noHistoryText')}</Empty>}
          columns={[
            { key: 'what', title: t('accessRequests.what'), cell: (r) => <button type="button" className="plain semi" onClick={() => acts.open(r)}>{r.label}</button> },
            { key: 'kind', title: t('accessRequests.kindHead'), cell: (r) => t(`accessRequests.kind.${r.kind}`) },
            { key: 'by', title: t('accessRequests.askedBy'), cell: (r) => <span className="min0 block">{who(r)}{r.asked_by.name && <span className="xs dim block">{r.provider}</span>}</span> },
            { key: 'asked', title: t('accessRequests.asked'), sort: 'asked', cell: (r) => <RelativeTime at={r.asked_at} /> },
            { key: 'state', title: t('accessRequests.state'), cell: (r) => <StateBadge state={r.state} tone={r.state === 'ended' ? 'plain' : undefined} /> },
            { key: 'decided', title: t('accessRequests.decidedBy'), cell: (r) => <span className="min0 block">{r.decided_by ?? '–'}{r.decided_at && <span className="xs dim block"><RelativeTime at={r.decided_at} /></span>}</span> },
          ]} />
        <Pager list={list} page={decided.data} />
      </section>
      {confirm}
      <SideDrawer opened={opened !== undefined} onClose={() => set({ request: undefined })} title={opened?.label ?? ''} size={520}>{opened && <Detail r={opened} acts={acts} onEnd={() => void refresh()} />}</SideDrawer>
    </>
  );
}
/** Who asks; their provider where it shows no names. */
const who = (r: AccessRequest) => r.asked_by.name ?? r.provider;
interface Acts { approve: (r: AccessRequest) => void; deny: (r: AccessRequest) => void; end: (r: AccessRequest) => void; open: (r: AccessRequest) => void }
function Decide({ r, acts }: { r: AccessRequest; acts: Acts }) {
  const { t } = useTranslation();
  return <><Act variant="default" can={r.can.deny} onClick={() => acts.deny(r)}>{t('accessRequests.deny')}<span className="vh">: {r.label}</span></Act><Act can={r.can.approve} onClick={() => acts.approve(r)}>{t('accessRequests.approve')}<span className="vh">: {r.label}</span></Act></>;
}
function Pending({ r, acts }: { r: AccessRequest; acts: Acts }) {
  const { t } = useTranslation();
  const e = r.elevation;
  return (
    <li className="panel pad request">
      <div className="grow min0">
        <div className="row tight wrap"><Badge tone="near">{t(`accessRequests.kind.${r.kind}`)}</Badge><button type="button" className="plain semi" onClick={() => acts.open(r)}>{r.label}</button></div>
        <p className="sm dim2 flush gap-top">{t('accessRequests.asks', { name: who(r), provider: r.provider })} <RelativeTime at={r.asked_at} />{e && <> · {fmt.minutes(e.minutes)}{e.ticket && <> · <span className="mono">{e.ticket}</span></>}</>}</p>
        {e && <div className="gap-top"><Gives e={e} /></div>}
        {r.reason && <p className="flush gap-top"><q>{r.reason}</q></p>}
      </div>
      <div className="row tight"><Decide r={r} acts={acts} /></div>
    </li>
  );
}
function Running({ r, e, acts, onEnd }: { r: AccessRequest; e: RequestedElevation; acts: Acts; onEnd: () => void }) {
  const { t } = useTranslation();
  return (
    <li className={e.break_glass ? 'panel pad request glass' : 'panel pad request'}>
      <div className="grow min0">
        <div className="row tight wrap">{e.break_glass && <Badge tone="bad">{t('elevation.breakGlass')}</Badge>}<button type="button" className="plain semi" onClick={() => acts.open(r)}>{who(r)}</button><span className="dim2 sm">{e.template}</span><Gives e={e} /></div>
        <p className="flush gap-top"><span className="semi good-ink">{e.ends_at && <Countdown to={e.ends_at} onEnd={onEnd} />}</span> <q className="dim2 sm">{r.reason}</q></p>
      </div>
      <Act variant="default" color="red" can={r.can.end} onClick={() => acts.end(r)}>{t('accessRequests.end')}<span className="vh">: {who(r)}</span></Act>
    </li>
  );
}
function Detail({ r, acts, onEnd }: { r: AccessRequest; acts: Acts; onEnd: () => void }) {
  const { t } = useTranslation();
  const e = r.elevation;
  return (
    <div className="fields">
      <div className="row wrap"><StateBadge state={r.state} tone={r.state === 'ended' ? 'plain' : undefined} />{r.state === 'running' && e?.ends_at && <span className="semi good-ink"><Countdown to={e.ends_at} onEnd={onEnd} /></span>}{e?.break_glass && <Badge tone="bad">{t('elevation.breakGlass')}</Badge>}</div>
      <dl className="facts">
        <dt>{t('accessRequests.kindHead')}</dt><dd>{t(`accessRequests.kind.${r.kind}`)}</dd>
        <dt>{t('accessRequests.askedBy')}</dt><dd>{who(r)} {r.asked_by.name && <span className="dim">{r.provider}</span>}</dd>
        <dt>{t('accessRequests.asked')}</dt><dd>{fmt.clock(r.asked_at)}</dd>
        {r.reason && <><dt>{t('ledger.reason')}</dt><dd>{r.reason}</dd></>}
        {e && <Terms e={e} />}
        {r.decided_by && <><dt>{t('accessRequests.decidedBy')}</dt><dd>{r.decided_by}{r.decided_at && <span className="dim"> {fmt.clock(r.decided_at)}</span>}</dd></>}
        {r.decision_reason && <><dt>{t('accessRequests.decision')}</dt><dd>{r.decision_reason}</dd></>}
        <dt>{t('settings.id')}</dt><dd className="mono break">{r.id}</dd>
      </dl>
      <div className="drawer-foot"><span className="grow" />{r.state === 'pending' ? <Decide r={r} acts={acts} /> : r.state === 'running' && <Act color="red" can={r.can.end} onClick={() => acts.end(r)}>{t('accessRequests.end')}</Act>}</div>
    </div>
  );
}
function Terms({ e }: { e: RequestedElevation }) {
  const { t } = useTranslation();
  return (
    <>
      <dt>{t('elevation.template')}</dt><dd>{e.template}</dd>
      {e.tier && <><dt>{t('elevation.tier')}</dt><dd><Tier t={e.tier} long /></dd></>}
      {e.actions.length > 0 && <><dt>{t('elevation.actions')}</dt><dd><ul className="plain-list">{e.actions.map((a) => <li key={a}><ActionName name={a} /></li>)}</ul></dd></>}
      <dt>{t('elevation.modules')}</dt><dd><Modules modules={e.modules} /></dd>
      <dt>{t('elevation.minutes')}</dt><dd>{fmt.minutes(e.minutes)}{e.ends_at && <span className="dim"> {t('elevation.until', { time: fmt.clock(e.ends_at) })}</span>}</dd>
      <dt>{t('elevation.approver')}</dt><dd>{t(`elevation.approvers.${e.approver}`)}</dd>
      {e.ticket && <><dt>{t('elevation.ticket')}</dt><dd className="mono">{e.ticket}</dd></>}
    </>
  );
}
