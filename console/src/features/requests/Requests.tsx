import { Button, Tabs, TextInput } from '@mantine/core';
import { IconDownload, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, apiUrl, ELEVATION_STATES, keys, path, permission, useProvider, type Elevation, type ElevationState, type List } from '../../api';
import { Act, Av, Badge, Chips, DataTable, ElevationDetail, ElevationStateCell, Empty, fmt, Gives, oneOf, PageHead, Pager, Panel, RelativeTime, SearchBox, SideDrawer, text, toast, useAddress, useConfirm, useList, type Ask, type Column } from '../../ui';
import { AskDrawer } from './AskDrawer';
import { Templates } from './Templates';

const TABS = ['mine', 'all', 'templates'] as const;
type Tab = (typeof TABS)[number];

export default function Requests() {
  const { t } = useTranslation();
  const provider = useProvider();
  const [address, set] = useAddress({ tab: oneOf(TABS), ask: text });
  const [turn, setTurn] = useState(0);
  const all = permission(provider.can, 'elevation.list');
  const tab: Tab = address.tab && (address.tab !== 'all' || all.allowed) ? address.tab : all.allowed ? 'all' : 'mine';
  const done = () => { setTurn((n) => n + 1); set({ ask: undefined, template: undefined, tenant: undefined }); };
  const go = (next: string | null) => set({ tab: next ?? undefined, q: undefined, cursor: undefined, sort: undefined, state: undefined, request: undefined });
  const askButton = <Act leftSection={<IconPlus size={16} />} can={permission(provider.can, 'elevation.request')} onClick={() => set({ ask: 'elevation' })}>{t('requests.ask')}</Act>;
  return (
    <>
      <PageHead title={t('requests.title')} sub={<Waiting all={all.allowed} />}>{askButton}</PageHead>
      <Tabs value={tab} onChange={go} keepMounted={false}>
        <Tabs.List mb={16}>{all.allowed && <Tabs.Tab value="all">{t('requests.all')}</Tabs.Tab>}<Tabs.Tab value="mine">{t('requests.mine')}</Tabs.Tab><Tabs.Tab value="templates">{t('requests.templates')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="all"><Requested own={false} empty={askButton} /></Tabs.Panel>
        <Tabs.Panel value="mine"><Requested own empty={askButton} /></Tabs.Panel>
        <Tabs.Panel value="templates"><Templates /></Tabs.Panel>
      </Tabs>
      <AskDrawer key={`ask-${turn}`} opened={address.ask === 'elevation' && permission(provider.can, 'elevation.request').allowed} onClose={done} />
    </>
  );
}
/** Every page of one person's, or of everybody's, requests. */
function useElevations(own: boolean, query: Record<string, unknown>) {
  const provider = useProvider();
  return useQuery({
    queryKey: keys.provider(provider.slug, 'elevations', own, query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<Elevation>>(own ? path`/providers/${provider.slug}/elevations/own` : path`/providers/${provider.slug}/elevations`, query as never, signal),
  });
}
function Waiting({ all }: { all: boolean }) {
  const { t } = useTranslation();
  const waiting = useElevations(!all, { state: 'requested', limit: 1 }).data?.total;
  const running = useElevations(!all, { state: 'running', limit: 1 }).data?.total;
  if (waiting === undefined || running === undefined) return null;
  return <>{t(all ? 'requests.subWaiting' : 'requests.subMine', { count: waiting })} · {t('requests.subRunning', { count: running })}</>;
}

const list = { sort: '-requested', sorts: ['requested', 'ends', 'tenant'], filters: { state: oneOf(ELEVATION_STATES) } } as const;
function Requested({ own, empty }: { own: boolean; empty: React.ReactNode }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const at = useList(list);
  const [{ request }, set] = useAddress({ request: text });
  const { data, error, refetch, isPlaceholderData } = useElevations(own, at.query);
  const [confirm, ask] = useConfirm();
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'elevations') });
  const acts = useActs(ask, refresh);
  const open = (e: Elevation) => set({ request: e.id });
  const opened = request ? data?.items.find((e) => e.id === request) : undefined;
  return (
    <>
      <div className="tools">
        <SearchBox label={t('requests.search')} value={at.view.q} onChange={(q) => at.set({ q })} />
        <Chips<ElevationState> label={t('requests.state')} value={at.view.state} onChange={(state) => at.set({ state })} options={[{ value: undefined, label: t('ui.all') }, ...ELEVATION_STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))]} />
      </div>
      <DataTable<Elevation> caption={t('requests.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(e) => e.id} sort={at.view.sort} onSort={at.toggleSort} onRow={open} tone={(e) => (e.break_glass ? 'bad' : e.state === 'running' || e.state === 'requested' ? undefined : 'quiet')}
        empty={at.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={at.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t(own ? 'requests.emptyMine' : 'requests.empty')} action={empty}>{t('requests.emptyText')}</Empty>}
        columns={useColumns(own, open, acts, refresh)} />
      <Pager list={at} page={data} />
      {!own && <Report />}
      {confirm}
      <SideDrawer opened={opened !== undefined} onClose={() => set({ request: undefined })} title={opened ? `${opened.template.name}, ${opened.tenant.name}` : ''} size={520}>{opened && <div className="fields"><ElevationDetail e={opened} onEnd={() => void refresh()} link /><div className="drawer-foot"><span className="grow" /><Decide e={opened} acts={acts} /></div></div>}</SideDrawer>
    </>
  );
}
interface Acts { approve: (e: Elevation) => void; deny: (e: Elevation) => void; end: (e: Elevation) => void }
function useActs(ask: (what: Ask) => void, refresh: () => Promise<unknown>): Acts {
  const { t } = useTranslation();
  const provider = useProvider();
  const to = (e: Elevation, what: string) => path`/providers/${provider.slug}/elevations/${e.id}/${what}`;
  const words = (e: Elevation) => ({ name: e.person.name, client: e.tenant.name, template: e.template.name, time: fmt.minutes(e.minutes) });
  const run = (e: Elevation, what: string, said: string, body: object = {}) => api.post(to(e, what), body).then(() => { toast(said); return refresh(); });
  return {
    approve: (e) => ask({ title: t('requests.approveTitle', words(e)), label: t('requests.approve'), lines: [t('requests.approveLine', words(e)), e.approver === 'both' && !e.tenant_approval ? t('requests.approveBoth', words(e)) : t('requests.approveNow', words(e))], run: () => run(e, 'approve', t('requests.approved', words(e))) }),
    deny: (e) => ask({ title: t('requests.denyTitle', words(e)), danger: true, label: t('requests.deny'), reason: t('access.reason'), lines: [t('requests.denyLine', words(e))], run: ({ reason }) => run(e, 'deny', t('requests.denied', words(e)), { reason }) }),
    end: (e) => ask({ title: t(e.state === 'running' ? 'requests.endTitle' : 'requests.cancelTitle', words(e)), danger: true, label: t(e.state === 'running' ? 'requests.end' : 'requests.cancel'), lines: [t(e.state === 'running' ? 'requests.endLine' : 'requests.cancelLine', words(e))], run: () => run(e, e.is_mine ? 'end-own' : 'end', t(e.state === 'running' ? 'requests.ended' : 'requests.cancelled', words(e))) }),
  };
}
function Decide({ e, acts, small }: { e: Elevation; acts: Acts; small?: boolean }) {
  const { t } = useTranslation();
  const size = small ? 'compact-sm' : undefined;
  const what = <span className="vh">: {e.person.name}, {e.tenant.name}</span>;
  const waitsHere = e.state === 'requested' && e.approver !== 'tenant' && !e.provider_approval;
  return (
    <>
      {(e.state === 'requested' || e.state === 'running') && (e.is_mine || e.state === 'running') && <Act size={size} variant="default" color="red" can={e.can.end} onClick={() => acts.end(e)}>{t(e.state === 'running' ? 'requests.end' : 'requests.cancel')}{what}</Act>}
      {waitsHere && <><Act size={size} variant="default" can={e.can.deny} onClick={() => acts.deny(e)}>{t('requests.deny')}{what}</Act><Act size={size} can={e.can.approve} onClick={() => acts.approve(e)}>{t('requests.approve')}{what}</Act></>}
    </>
  );
}
function useColumns(own: boolean, open: (e: Elevation) => void, acts: Acts, refresh: () => Promise<unknown>): Column<Elevation>[] {
  const { t } = useTranslation();
  return [
    { key: 'what', title: t('requests.what'), cell: (e) => <span className="min0 block what-col"><button type="button" className="plain semi" onClick={() => open(e)}>{e.template.name}</button>{e.break_glass && <> <Badge tone="bad">{t('elevation.breakGlass')}</Badge></>}<span className="xs dim block trunc" title={e.reason}>{e.reason}</span></span> },
    { key: 'client', title: own ? t('elevation.client') : t('requests.personAtClient'), sort: 'tenant', cell: (e) => (own ? e.tenant.name : <span className="row"><Av slug={e.person.id ?? e.person.name} name={e.person.name} round small /><span className="min0 block">{e.person.name}<span className="xs dim block">{e.tenant.name}</span></span></span>) },
    { key: 'gives', title: t('requests.gives'), cell: (e) => <span className="min0 block gives-col"><Gives e={e} /><span className="xs dim block">{fmt.minutes(e.minutes)}</span></span> },
    { key: 'asked', title: t('requests.asked'), sort: 'requested', cell: (e) => <RelativeTime at={e.requested_at} /> },
    { key: 'state', title: t('requests.state'), cell: (e) => <ElevationStateCell e={e} onEnd={() => void refresh()} /> },
    { key: 'acts', title: t('ui.actions'), quiet: true, cell: (e) => <span className="end"><Decide e={e} acts={acts} small /></span> },
  ];
}
/** One month's requests as a file. */
function Report() {
  const { t } = useTranslation();
  const provider = useProvider();
  const [month, setMonth] = useState(() => fmt.dayOf(new Date().toISOString()).slice(0, 7));
  const can = permission(provider.can, 'elevation.report');
  const known = /^\d{4}-\d{2}$/.test(month);
  return (
    <div className="gap-top2"><Panel pad title={t('requests.report')}>
      <p className="flush dim2 sm">{t('requests.reportText')}</p>
      <div className="row wrap gap-top">
        <TextInput type="month" aria-label={t('requests.month')} value={month} onChange={(e) => setMonth(e.currentTarget.value)} placeholder="2026-11" w={180} />
        {can.allowed && known ? <Button component="a" variant="default" download href={apiUrl(path`/providers/${provider.slug}/elevations/report`, { month })} leftSection={<IconDownload size={16} />}>{t('requests.reportGo')}</Button> : <Act variant="default" can={can} reason={!known && t('requests.month')} leftSection={<IconDownload size={16} />}>{t('requests.reportGo')}</Act>}
      </div>
    </Panel></div>
  );
}
