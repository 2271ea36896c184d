import { Select, Tabs } from '@mantine/core';
import { IconCheck, IconHelpCircle, IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, may, path, useTenant, type List, type Member, type ProviderAccess, type What, type WhatRow, type WhoRow, type Why as Answer } from '../../api';
import { ActionName, actWords, Av, Badge, Chips, DataTable, Empty, ErrorState, fmt, Gate, Go, localPage, oneOf, PageHead, Pager, Panel, SearchBox, SkLines, tenantPath, text, useAddress, useList } from '../../ui';
import { ActionSelect, Grant, ThroughList } from './bits';
import { somebodies } from './people';

const TABS = ['check', 'who', 'what'] as const;

export default function Why() {
  const { t } = useTranslation();
  return <Gate title={t('why.title')} action="why.view"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [{ tab = 'check' }, set] = useAddress({ tab: oneOf(TABS) });
  return (
    <>
      <PageHead title={t('why.title')} sub={t('why.sub', { name: tenant.name })} />
      <Tabs value={tab} onChange={(v) => set({ tab: v === 'check' ? undefined : v, q: undefined, cursor: undefined, sort: undefined, allowed: undefined })} keepMounted={false}>
        <Tabs.List mb={16}>{TABS.map((x) => <Tabs.Tab key={x} value={x}>{t(`why.tab.${x}`)}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value="check"><Check /></Tabs.Panel>
        <Tabs.Panel value="who"><WhoCan /></Tabs.Panel>
        <Tabs.Panel value="what"><WhatCan /></Tabs.Panel>
      </Tabs>
    </>
  );
}
/** The tenant's actions, as the context names them. */
const useActions = () => Object.keys(useTenant().can).toSorted();

function PersonSelect({ value, name, onChange }: { value: string | undefined; name?: string; onChange: (person: string | undefined) => void }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const [typed, setTyped] = useState('');
  const members = useQuery({ queryKey: keys.tenant(slug, 'members', 'why'), enabled: may(can, 'member.list'), queryFn: ({ signal }) => api.get<List<Member>>(path`/tenants/${slug}/members`, { limit: 200 }, signal) });
  const access = useQuery({ queryKey: keys.tenant(slug, 'provider-access'), enabled: may(can, 'provider_access.view'), queryFn: ({ signal }) => api.get<ProviderAccess>(path`/tenants/${slug}/provider-access`, undefined, signal) });
  const data = somebodies({ members: members.data?.items ?? [], staff: access.data?.people ?? [], chosen: value, chosenName: name, typed, role: (r) => t(`role.${r}`) });
  return <Select label={t('why.person')} placeholder={t('why.personHint')} w={{ base: '100%', sm: 340 }} searchable clearable searchValue={typed} onSearchChange={setTyped} nothingFoundMessage={t('why.personNone')} data={data} value={value ?? null} onChange={(v) => onChange(v ?? undefined)} />;
}

function Check() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const [{ person, action, member }, set] = useAddress({ person: text, action: text, member: text });
  const query = { person, action, member: action?.startsWith('member.') ? member : undefined };
  const ready = Boolean(person && action);
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'why', query), enabled: ready, queryFn: ({ signal }) => api.get<Answer>(path`/tenants/${slug}/why`, query, signal) });
  const members = useQuery({ queryKey: keys.tenant(slug, 'members', 'why'), enabled: may(can, 'member.list') && Boolean(action?.startsWith('member.')), queryFn: ({ signal }) => api.get<List<Member>>(path`/tenants/${slug}/members`, { limit: 200 }, signal) });
  return (
    <>
      <div className="asking">
        <PersonSelect value={person} name={data?.person?.name} onChange={(v) => set({ person: v })} />
        <ActionSelect label={t('why.action')} actions={useActions()} value={action} onChange={(v) => set({ action: v })} />
        {action?.startsWith('member.') && may(can, 'member.list') && <Select label={t('why.member')} placeholder={t('why.anyMember')} w={{ base: '100%', sm: 260 }} searchable clearable data={members.data?.items.map((m) => ({ value: m.id, label: m.person.name })) ?? []} value={member ?? null} onChange={(v) => set({ member: v ?? undefined })} />}
      </div>
      {!ready ? <Empty icon={IconHelpCircle} title={t('why.ask')}>{t('why.askText')}</Empty> : error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <Panel pad><SkLines lines={5} /></Panel> : <Verdict a={data} place={tenant.name} />}
    </>
  );
}
function Verdict({ a, place }: { a: Answer; place: string }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const name = a.person?.name ?? t('why.somebody');
  const { tier } = a.action;
  return (
    <div className="stack">
      <section className={a.allowed ? 'verdict yes' : 'verdict no'} aria-label={t('why.answer')}>
        {a.allowed ? <IconCheck size={24} aria-hidden /> : <IconX size={24} aria-hidden />}
        <div className="min0 grow">
          <h2>{t(a.allowed ? 'why.yes' : 'why.no', { name, act: actWords(a.action.name), place })}</h2>
          <p className="flush">{a.known ? a.why : t('why.unknown', { name, place })}{!a.allowed && a.needs && <> {t('ui.needs', { needs: a.needs })}</>}</p>
          {a.allowed && (a.until || a.step_up) && <p className="flush sm">{[a.until && t('why.until', { date: fmt.clock(a.until) }), a.step_up && t('why.stepUp')].filter(Boolean).join(' ')}</p>}
          <p className="flush xs gap-top">{t('why.policy')} <span className="mono">{a.policy}</span> · <span className="mono">{a.action.name}</span>{a.action.module && <> · {t(`module.${a.action.module}` as 'module.compliance', { defaultValue: a.action.module })}</>}{tier && <> · {t('why.fromTier', { tier })}</>}</p>
        </div>
      </section>
      <ThroughList steps={a.through} empty={t('why.noGrant', { name, place })} />
      <p className="flush sm"><Go className="link" to={tenantPath(slug, 'why')} search={{ tab: 'who', action: a.action.name, person: a.person?.id }}>{t('why.toWho', { act: actWords(a.action.name) })}</Go>{a.person && <> · <Go className="link" to={tenantPath(slug, 'why')} search={{ tab: 'what', person: a.person.id, action: a.action.name }}>{t('why.toWhat', { name })}</Go></>}</p>
    </div>
  );
}

const ALLOWED = ['true', 'false', 'all'] as const;
function WhoCan() {
  const { t } = useTranslation();
  const { slug, tenant } = useTenant();
  const list = useList({ sort: 'name', sorts: [], filters: { allowed: oneOf(ALLOWED) } });
  const [{ action }, set] = useAddress({ action: text });
  const { sort: _sort, ...rest } = list.query;
  const query = { ...rest, action, allowed: list.view.allowed ?? 'true' };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.tenant(slug, 'who', query), enabled: Boolean(action), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<WhoRow>>(path`/tenants/${slug}/why/people`, query, signal) });
  const mine = action && data && (query.allowed === 'true' ? t('why.whoSentence', { count: data.total, act: actWords(action), place: tenant.name }) : null);
  return (
    <>
      <div className="asking"><ActionSelect label={t('why.action')} actions={useActions()} value={action} onChange={(v) => set({ action: v, cursor: undefined })} /></div>
      {!action ? <Empty icon={IconHelpCircle} title={t('why.askWho')} /> : (
        <>
          <div className="tools">
            <SearchBox label={t('why.searchPeople')} value={list.view.q} onChange={(q) => list.set({ q })} />
            <Chips label={t('why.answer')} value={list.view.allowed ?? 'true'} onChange={(v) => list.set({ allowed: v === 'true' ? undefined : v })} options={ALLOWED.map((v) => ({ value: v, label: t(`why.allowed.${v}`) }))} />
          </div>
          {mine && <p className="semi gap-b8 flush" role="status">{mine}</p>}
          <DataTable<WhoRow> caption={t('why.tab.who')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.person.id} empty={<Empty title={t(list.view.q ? 'ui.nothingMatches' : 'why.whoNobody')} />} tone={(r) => (r.allowed ? undefined : 'quiet')}
            columns={[
              { key: 'who', title: t('why.person'), cell: (r) => <span className="row"><Av slug={r.person.id} name={r.person.name} round /><span className="min0"><Go className="semi block" to={tenantPath(slug, 'why')} search={{ person: r.person.id, action }}>{r.person.name}</Go><span className="xs dim block trunc">{r.person.email}</span></span></span> },
              { key: 'answer', title: t('why.answer'), cell: (r) => <YesNo yes={r.allowed} /> },
              { key: 'through', title: t('access.through'), cell: (r) => <Grant g={r.through} /> },
              { key: 'why', title: t('why.because'), cell: (r) => <span className="min0 block">{r.why}{!r.allowed && r.needs && ` ${t('ui.needs', { needs: r.needs })}`}<span className="xs dim block mono">{r.policy}</span></span> },
            ]} />
          <Pager list={list} page={data} />
        </>
      )}
    </>
  );
}
function YesNo({ yes }: { yes: boolean }) {
  const { t } = useTranslation();
  return <Badge tone={yes ? 'good' : 'plain'}>{t(yes ? 'ui.yes' : 'ui.no')}</Badge>;
}

function WhatCan() {
  const { t } = useTranslation();
  const { slug, tenant } = useTenant();
  const list = useList({ sort: 'name', sorts: ['name', 'module'], filters: { allowed: oneOf(ALLOWED) }, limit: 100 });
  const [{ person }, set] = useAddress({ person: text });
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'what', person), enabled: Boolean(person), queryFn: ({ signal }) => api.get<What>(path`/tenants/${slug}/why/actions`, { person }, signal) });
  const shown = list.view.allowed ?? 'true';
  const rows = data?.items.filter((r) => shown === 'all' || String(r.allowed) === shown);
  const page = rows && localPage(rows, list.query, (r) => [r.name, actWords(r.name), r.module], { name: (r) => r.name, module: (r) => r.module });
  const n = (v: (typeof ALLOWED)[number]) => data?.items.filter((r) => v === 'all' || String(r.allowed) === v).length;
  return (
    <>
      <div className="asking"><PersonSelect value={person} name={data?.person?.name} onChange={(v) => set({ person: v, cursor: undefined })} /></div>
      {!person ? <Empty icon={IconHelpCircle} title={t('why.askWhat')} /> : (
        <>
          <div className="tools">
            <SearchBox label={t('actions.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
            <Chips label={t('why.answer')} value={shown} onChange={(v) => list.set({ allowed: v === 'true' ? undefined : v })} options={ALLOWED.map((v) => ({ value: v, label: t(`why.allowed.${v}`), count: n(v) }))} />
          </div>
          {data && <p className="semi gap-b8 flush" role="status">{t('why.whatSentence', { name: data.person?.name ?? t('why.somebody'), n: fmt.num(n('true') ?? 0), total: fmt.num(data.items.length), place: tenant.name })}</p>}
          <DataTable<WhatRow> caption={t('why.tab.what')} rows={page?.items} error={error} retry={() => void refetch()} rowKey={(r) => r.name} empty={<Empty title={t('ui.nothingMatches')} />} tone={(r) => (r.allowed ? undefined : 'quiet')} sort={list.view.sort} onSort={list.toggleSort}
            columns={[
              { key: 'act', title: t('why.action'), sort: 'name', cell: (r) => <Go className="semi" to={tenantPath(slug, 'why')} search={{ person, action: r.name }}><ActionName name={r.name} /></Go> },
              { key: 'module', title: t('access.modules'), sort: 'module', cell: (r) => (r.module ? t(`module.${r.module}` as 'module.compliance', { defaultValue: r.module }) : <span className="dim">–</span>) },
              { key: 'answer', title: t('why.answer'), cell: (r) => <span className="row tight"><YesNo yes={r.allowed} />{r.step_up && <Badge>{t('templates.stepUp')}</Badge>}</span> },
              { key: 'why', title: t('why.because'), cell: (r) => <span className="min0 block">{r.why}{!r.allowed && r.needs && ` ${t('ui.needs', { needs: r.needs })}`}</span> },
            ]} />
          <Pager list={list} page={page} />
        </>
      )}
    </>
  );
}
