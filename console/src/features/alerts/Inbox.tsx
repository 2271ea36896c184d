import { ActionIcon, Button, Menu, TextInput } from '@mantine/core';
import { IconBellOff, IconCheck, IconClockPause } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ALERT_RULES, ALERT_STATES, api, noticesQuery, URGENCIES, type Alert, type AlertList, type Permission, type Query } from '../../api';
import { Act, ActIcon, AlertStateBadge, Chip, Chips, DataTable, Empty, fmt, Go, many, oneOf, Pager, RelativeTime, SearchBox, SideDrawer, SNOOZES, snoozeUntil, tenantPath, text, Timeline, toast, toastProblem, urgencyColour, UrgencyDot, useAddress, useAlertWords, useConfirm, type ListState, type TimelineItem } from '../../ui';

export const alertFilters = { state: oneOf([...ALERT_STATES, 'all']), rule: oneOf(ALERT_RULES), urgency: many(URGENCIES), tenant: text };
export const alertList = { sort: '-urgency', sorts: ['urgency', 'raised'], filters: alertFilters } as const;
export type AlertState = ListState<typeof alertFilters>;
/** Open ones unless the address says otherwise. */
export function alertQuery({ query }: Pick<AlertState, 'query'>): Query {
  const state = query.state === 'all' ? undefined : (query.state ?? 'open');
  return { ...query, state };
}
/** One sentence for the page's head. */
export function useAlertSentence() {
  const { t } = useTranslation();
  return (data: AlertList | undefined): string | undefined => {
    if (!data) return undefined;
    const { open } = data.counts;
    const critical = data.counts.by_urgency?.critical ?? 0;
    return open === 0 ? t('alerts.subNone') : [t('alerts.sub', { count: open, n: fmt.num(open) }), critical > 0 && t('alerts.subCritical', { count: critical, n: fmt.num(critical) })].filter(Boolean).join(' · ');
  };
}

interface Props { list: AlertState; data: AlertList | undefined; error: unknown; retry: () => void; stale: boolean; refresh: () => Promise<unknown>; of: (a: Alert) => string; byClient?: boolean; filter?: React.ReactNode }
/** States, search and the table; `of` is where an alert is acted upon. */
export function Inbox({ list, data, error, retry, stale, refresh, of, byClient, filter }: Props) {
  const { t } = useTranslation();
  const words = useAlertWords();
  const acts = useActs(of, refresh);
  const [{ alert }, set] = useAddress({ alert: text });
  const opened = data?.items.find((a) => a.id === alert);
  const { view } = list;
  const state = view.state ?? 'open';
  const toggle = (u: (typeof URGENCIES)[number]) => { const next = URGENCIES.filter((x) => (x === u) !== (view.urgency?.includes(x) ?? false)); list.set({ urgency: next.length ? next : undefined }); };
  return (
    <>
      <div className="tools">
        <SearchBox label={t('alerts.search')} value={view.q} onChange={(q) => list.set({ q })} />
        <div className="chips" role="group" aria-label={t('alerts.urgencyHead')}>{URGENCIES.map((u) => <Chip key={u} dot={urgencyColour(u)} on={view.urgency?.includes(u) ?? false} count={data ? (data.counts.by_urgency?.[u] ?? 0) : undefined} onClick={() => toggle(u)}>{t(`alerts.urgency.${u}`)}</Chip>)}</div>
        <span className="grow" />{filter}
      </div>
      <div className="tools">
        <Chips label={t('alerts.stateHead')} value={state} onChange={(s) => list.set({ state: s === 'open' ? undefined : s })} options={[...ALERT_STATES.map((s) => ({ value: s, label: t(`alerts.state.${s}`), count: data?.counts[s] })), { value: 'all' as const, label: t('ui.all') }]} />
        <span className="tool-line" aria-hidden />
        <div className="chips wrap" role="group" aria-label={t('alerts.ruleHead')}>{ALERT_RULES.map((r) => <Chip key={r} on={view.rule === r} onClick={() => list.set({ rule: view.rule === r ? undefined : r })}>{words.rule(r)}</Chip>)}</div>
      </div>
      <DataTable<Alert> caption={t('alerts.title')} rows={data?.items} error={error} retry={retry} stale={stale} rowKey={(a) => a.id} sort={view.sort} onSort={list.toggleSort} onRow={(a) => set({ alert: a.id }, { push: true })} tone={(a) => (a.state === 'resolved' ? 'quiet' : undefined)}
        empty={list.filtered && !(state === 'open' && !view.q && !view.rule && !view.urgency && !view.tenant) ? <Empty icon={IconBellOff} title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty icon={IconBellOff} title={t('alerts.empty')}>{t('alerts.emptyText')}</Empty>}
        columns={[
          { key: 'urgency', title: t('alerts.urgencyHead'), sort: 'urgency', width: 116, cell: (a) => <UrgencyDot u={a.urgency} word /> },
          { key: 'what', title: t('alerts.what'), cell: (a) => <span className="min0 block"><button type="button" className="plain semi finding-title" onClick={() => set({ alert: a.id }, { push: true })}>{words.title(a)}</button><span className="xs dim block">{[words.text(a), a.count > 1 && t('alerts.times', { count: a.count, n: fmt.num(a.count) })].filter(Boolean).join(' · ')}</span></span> },
          ...(byClient ? [{ key: 'client', title: t('alerts.client'), cell: (a: Alert) => (a.tenant ? <Go to={tenantPath(a.tenant.slug, 'alerts')} className="trunc">{a.tenant.name}</Go> : <span className="dim">{t('alerts.own')}</span>) }] : []),
          { key: 'state', title: t('alerts.stateHead'), cell: (a) => <span className="row tight wrap"><AlertStateBadge state={a.state} />{a.state === 'snoozed' && a.snoozed_until && <span className="xs dim"><RelativeTime at={a.snoozed_until} /></span>}</span> },
          { key: 'at', title: t('alerts.raised'), sort: 'raised', cell: (a) => <RelativeTime at={a.last_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (a) => <span className="end"><Acts a={a} acts={acts} /></span> },
        ]} />
      <Pager list={list} page={data} />
      <SideDrawer opened={opened !== undefined} onClose={() => set({ alert: undefined })} title={opened ? words.title(opened) : ''} size={520}>{opened && <Detail a={opened} acts={acts} />}</SideDrawer>
      {acts.confirm}
      <SnoozeUntil a={acts.until} onClose={() => acts.pick(null)} onSnooze={(a, at) => void acts.snooze(a, at)} />
    </>
  );
}

type Verb = 'acknowledge' | 'snooze' | 'resolve';
const allowed = (a: Alert, verb: Verb): Permission => a.can[verb] ?? { allowed: false, why: null, needs: null };
function useActs(of: (a: Alert) => string, refresh: () => Promise<unknown>) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const words = useAlertWords();
  const [confirm, ask] = useConfirm();
  const [until, pick] = useState<Alert | null>(null);
  const send = async (a: Alert, verb: Verb, body: object, said: string) => {
    await api.post<Alert>(`${of(a)}/${verb}`, body);
    await refresh();
    void client.invalidateQueries({ queryKey: noticesQuery.queryKey });
    toast(said);
  };
  return {
    confirm, until, pick,
    acknowledge: (a: Alert) => void send(a, 'acknowledge', {}, t('alerts.acknowledged')).catch(toastProblem),
    snooze: (a: Alert, at: Date) => send(a, 'snooze', { until: at.toISOString() }, t('alerts.snoozed', { time: fmt.clock(at.toISOString()) })).catch(toastProblem),
    resolve: (a: Alert) => ask({ title: t('alerts.resolveTitle'), lines: [words.title(a), t('alerts.resolveLine')], label: t('alerts.resolve'), reason: t('alerts.resolveReason'), run: ({ reason }) => send(a, 'resolve', { reason }, t('alerts.resolvedToast')) }),
  };
}
type AlertActs = ReturnType<typeof useActs>;
function Acts({ a, acts, long }: { a: Alert; acts: AlertActs; long?: boolean }) {
  const { t } = useTranslation();
  const words = useAlertWords();
  if (a.state === 'resolved') return null;
  const snooze = allowed(a, 'snooze');
  const known = a.state === 'acknowledged' && t('alerts.already');
  return (
    <>
      {long ? <Act variant="default" can={allowed(a, 'acknowledge')} reason={known} onClick={() => acts.acknowledge(a)}>{t('alerts.acknowledge')}</Act> : <ActIcon label={`${t('alerts.acknowledge')}: ${words.title(a)}`} can={allowed(a, 'acknowledge')} reason={known} onClick={() => acts.acknowledge(a)}><IconCheck size={16} stroke={1.7} /></ActIcon>}
      {snooze.allowed ? (
        <Menu position="bottom-end" width={220}>
          <Menu.Target>{long ? <Button variant="default">{t('alerts.snooze')}</Button> : <ActionIcon aria-label={`${t('alerts.snooze')}: ${words.title(a)}`} title={t('alerts.snooze')}><IconClockPause size={16} stroke={1.7} /></ActionIcon>}</Menu.Target>
          <Menu.Dropdown>{SNOOZES.map((s) => <Menu.Item key={s} onClick={() => void acts.snooze(a, snoozeUntil(s, new Date()))}>{t(`alerts.snoozes.${s}`)}</Menu.Item>)}<Menu.Divider /><Menu.Item onClick={() => acts.pick(a)}>{t('alerts.snoozeDate')}</Menu.Item></Menu.Dropdown>
        </Menu>
      ) : long ? <Act variant="default" can={snooze}>{t('alerts.snooze')}</Act> : <ActIcon label={t('alerts.snooze')} can={snooze}><IconClockPause size={16} stroke={1.7} /></ActIcon>}
      {long && <Act can={allowed(a, 'resolve')} onClick={() => acts.resolve(a)}>{t('alerts.resolve')}</Act>}
    </>
  );
}
const nameOf = (by: string | { name: string } | null | undefined) => (typeof by === 'string' ? by : (by?.name ?? '–'));
function Detail({ a, acts }: { a: Alert; acts: AlertActs }) {
  const { t } = useTranslation();
  const words = useAlertWords();
  const items: TimelineItem[] = [
    { key: 'raised', at: a.raised_at, title: t('alerts.raised'), color: urgencyColour(a.urgency) },
    ...(a.count > 1 ? [{ key: 'again', at: a.last_at, title: t('alerts.again', { count: a.count, n: fmt.num(a.count) }) }] : []),
    ...(a.acknowledged ? [{ key: 'ack', at: a.acknowledged.at, title: t('alerts.ackBy', { name: nameOf(a.acknowledged.by) }) }] : []),
    ...(a.resolved ? [{ key: 'res', at: a.resolved.at, title: a.resolved.how === 'by_itself' ? t('alerts.resolvedItself') : t('alerts.resolvedBy', { name: nameOf(a.resolved.by) }), color: 'var(--bar-ok)' }] : []),
  ];
  return (
    <div className="fields">
      <div className="row wrap tight"><AlertStateBadge state={a.state} /><UrgencyDot u={a.urgency} word /></div>
      {words.text(a) && <p className="flush">{words.text(a)}</p>}
      <dl className="facts">
        {a.tenant && <><dt>{t('alerts.client')}</dt><dd><Go to={tenantPath(a.tenant.slug, 'alerts')} className="link">{a.tenant.name}</Go></dd></>}
        <dt>{t('alerts.ruleHead')}</dt><dd>{words.rule(a.rule)}</dd>
        {a.snoozed_until && a.state === 'snoozed' && <><dt>{t('alerts.snoozedUntil')}</dt><dd>{fmt.clock(a.snoozed_until)}</dd></>}
        <dt>{t('tenant.id')}</dt><dd className="mono break">{a.id}</dd>
      </dl>
      <Timeline label={t('alerts.history')} items={items} />
      <div className="row wrap tight"><Acts a={a} acts={acts} long /></div>
    </div>
  );
}
function SnoozeUntil({ a, onClose, onSnooze }: { a: Alert | null; onClose: () => void; onSnooze: (a: Alert, at: Date) => void }) {
  const { t } = useTranslation();
  const [at, setAt] = useState('');
  const when = at ? new Date(at) : null;
  const past = when !== null && when.getTime() <= Date.now();
  return (
    <SideDrawer opened={a !== null} onClose={onClose} title={t('alerts.snoozeDate')}>
      <form className="fields" onSubmit={(e) => { e.preventDefault(); if (a && when && !past) { onSnooze(a, when); onClose(); setAt(''); } }}>
        <TextInput type="datetime-local" data-autofocus label={t('alerts.snoozedUntil')} required value={at} onChange={(e) => setAt(e.currentTarget.value)} error={past && t('form.future')} />
        <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" disabled={!when || past}>{t('alerts.snooze')}</Button></div>
      </form>
    </SideDrawer>
  );
}
