import { Menu, Select } from '@mantine/core';
import { IconDots, IconPencil, IconSnowflake } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, CONSENT_BY, keys, path, permission, RAISE_BY, TIERS, useTenant, type AccessPerson, type AccessRelationship, type Freeze, type Permission, type ProviderAccess as Access } from '../../api';
import { Act, ActIcon, AssignmentMask, Av, Badge, Chips, DataTable, Empty, ErrorState, fmt, FormDrawer, Gate, Go, GoButton, localPage, oneOf, PageHead, Pager, PageSkeleton, Panel, RelativeTime, SearchBox, StateBadge, tenantPath, Tier, toast, toastProblem, useApiForm, useConfirm, useList, useReason, type Ask } from '../../ui';
import { ACCESS_KINDS, accessKind, summary } from './summary';

export default function ProviderAccess() {
  const { t } = useTranslation();
  return <Gate title={t('access.title')} action="provider_access.view"><Page /></Gate>;
}
const useAccess = (slug: string) => useQuery({ queryKey: keys.tenant(slug, 'provider-access'), queryFn: ({ signal }) => api.get<Access>(path`/tenants/${slug}/provider-access`, undefined, signal) });
/** Each change answers with the whole page's view. */
function useChange() {
  const { slug } = useTenant();
  const client = useQueryClient();
  return (next: Access) => {
    client.setQueryData(keys.tenant(slug, 'provider-access'), next);
    void client.invalidateQueries({ queryKey: keys.tenant(slug), predicate: (q) => q.queryKey[2] !== 'provider-access' });
  };
}

function Page() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const { data, error, refetch } = useAccess(slug);
  const [confirm, ask] = useConfirm();
  const [editing, setEditing] = useState<AccessRelationship | null>(null);
  const [turn, setTurn] = useState(0);
  const took = useChange();
  if (error && !data) return <><PageHead title={t('access.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!data) return <PageSkeleton />;
  const to = path`/tenants/${slug}/provider-access`;
  const unfreeze = async () => { took(await api.post<Access>(`${to}/unfreeze`)); toast(t('access.unfrozen')); };
  const live = summary(data).people;
  const freeze = () => ask({
    title: t('access.freezeTitle', { name: tenant.name }), danger: true, label: t('access.freeze'), reason: t('access.freezeReason'), lines: [t('access.freezeLine', { count: live }), t('access.freezeLine2'), t('access.freezeLine3')],
    run: async ({ reason }) => { took(await api.post<Access>(`${to}/freeze`, { reason })); toast(t('access.frozenToast'), () => unfreeze().catch(toastProblem)); },
  });
  const edit = (r: AccessRelationship) => { setTurn((n) => n + 1); setEditing(r); };
  const tenantFroze = data.frozen?.side === 'tenant';
  return (
    <>
      <PageHead title={t('access.title')} sub={<Sentence data={data} />}>
        {!tenantFroze && <Act size="md" color="red" leftSection={<IconSnowflake size={18} />} can={permission(can, 'provider_access.freeze')} reason={data.relationships.length === 0 && t('access.nobody')} onClick={freeze}>{t('access.freeze')}</Act>}
      </PageHead>
      {data.frozen && <FrozenBanner freeze={data.frozen} can={permission(can, 'provider_access.unfreeze')} onUnfreeze={() => ask({ title: t('access.unfreezeTitle'), lines: [t('access.unfreezeLine', { name: tenant.name })], label: t('access.unfreeze'), run: unfreeze })} />}
      {data.pending > 0 && <p className="note"><span className="grow">{t('access.pending', { count: data.pending })}</span><GoButton size="compact-sm" variant="default" to={tenantPath(slug, 'access-requests')}>{t('access.toRequests')}</GoButton></p>}
      <section className="stack gap-b" aria-label={t('access.relationships')}>{data.relationships.map((r) => <Relationship key={r.id} r={r} onEdit={() => edit(r)} ask={ask} />)}</section>
      <People people={data.people} ask={ask} />
      {confirm}
      <Terms key={`terms-${turn}`} r={editing} onClose={() => setEditing(null)} />
    </>
  );
}
function Sentence({ data }: { data: Access }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const s = summary(data);
  if (s.kind === 'frozen') return t('access.subFrozen', { name: tenant.name });
  if (s.kind === 'none') return t('access.subNone', { name: tenant.name });
  const what = t('access.sub', { count: s.people, providers: new Intl.ListFormat(document.documentElement.lang || 'en').format(s.providers), name: tenant.name, tier: s.tier ? `${s.tier} ${t(`tier.${s.tier}`)}` : '' });
  return s.until ? t('access.subUntil', { what, date: fmt.date(s.until) }) : what;
}
function FrozenBanner({ freeze: f, can, onUnfreeze }: { freeze: Freeze; can: Permission; onUnfreeze: () => void }) {
  const { t } = useTranslation();
  const own = f.side === 'tenant';
  return (
    <section className="frozen" aria-label={t('access.frozen')}>
      <IconSnowflake size={22} aria-hidden />
      <div className="grow min0"><h2>{t(own ? 'access.frozen' : 'access.frozenByProvider')}</h2><p className="flush">{f.by ? t('access.frozenBy', { name: f.by.name }) : t('access.frozenSince')} <RelativeTime at={f.at} />: <q>{f.reason}</q></p></div>
      {own && <Act can={can} onClick={onUnfreeze}>{t('access.unfreeze')}</Act>}
    </section>
  );
}

function Relationship({ r, onEdit, ask }: { r: AccessRelationship; onEdit: () => void; ask: (what: Ask) => void }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const took = useChange();
  const update = permission(can, 'provider_access.update');
  const over = r.state === 'ended' && t('access.alreadyEnded');
  const end = () => ask({ title: t('access.endTitle', { provider: r.provider.name }), danger: true, typed: r.provider.name, label: t('access.end'), lines: [t('access.endLine', { provider: r.provider.name, name: tenant.name }), t('access.endLine2')], run: async () => { took(await api.patch<Access>(path`/tenants/${slug}/provider-access/relationships/${r.id}`, { state: 'ended' })); toast(t('access.endedToast', { provider: r.provider.name })); } });
  return (
    <Panel pad title={r.provider.name} actions={<><Act size="compact-md" variant="default" leftSection={<IconPencil size={15} />} can={update} reason={over} onClick={onEdit}>{t('access.terms')}</Act><Act size="compact-md" variant="subtle" color="red" can={update} reason={over} onClick={end}>{t('access.end')}</Act></>}>
      <dl className="facts wide six">
        <div><dt>{t('access.tier')}</dt><dd><Tier t={r.tier} long /> <span className="dim2 xs block">{t(`tier.allows.${r.tier}`)}</span></dd></div>
        <div><dt>{t('access.state')}</dt><dd><StateBadge state={r.state} /> {r.provider.parent && <Badge>{t('access.parent')}</Badge>}</dd></div>
        <div><dt>{t('access.ends')}</dt><dd>{r.ends_at ? <>{fmt.date(r.ends_at)} <span className="dim">(<RelativeTime at={r.ends_at} />)</span></> : t('ui.noEnd')}</dd></div>
        <div><dt>{t('access.raiseBy')}</dt><dd>{t(`access.by.${r.raise_by}`)}</dd></div>
        <div><dt>{t('access.assignBy')}</dt><dd>{t(`access.by.${r.assign_by}`)}</dd></div>
        <div><dt>{t('access.renewBy')}</dt><dd>{t(`access.by.${r.renew_by}`)}</dd></div>
      </dl>
      {r.freezes.map((f) => <p key={f.side} className="sm dim2 flush gap-top">{t(f.side === 'tenant' ? 'access.freezeOfTenant' : 'access.freezeOfProvider')} {f.by && `${f.by.name}, `}<RelativeTime at={f.at} />: <q>{f.reason}</q></p>)}
    </Panel>
  );
}
function Terms({ r, onClose }: { r: AccessRelationship | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const took = useChange();
  const f = useApiForm({
    initial: { tier: (r?.tier ?? 'T0') as string, raise_by: (r?.raise_by ?? 'tenant_consent') as string, assign_by: (r?.assign_by ?? 'provider') as string, renew_by: (r?.renew_by ?? 'provider') as string },
    save: async (v) => {
      const changed = Object.fromEntries(Object.entries(v).filter(([k, x]) => x !== r![k as keyof AccessRelationship]));
      if (Object.keys(changed).length > 0) { took(await api.patch<Access>(path`/tenants/${slug}/provider-access/relationships/${r!.id}`, changed)); toast(t('ui.saved')); }
      onClose();
    },
  });
  const g = f.form.getInputProps;
  const by = (all: readonly ('tenant_consent' | 'provider' | 'operator')[]) => all.map((v) => ({ value: v, label: t(`access.by.${v}`) }));
  return (
    <FormDrawer opened={r !== null} onClose={onClose} title={t('access.termsOf', { provider: r?.provider.name ?? '' })} sub={t('access.termsSub')} form={f} submitLabel={t('ui.save')}>
      <Select label={t('access.raiseBy')} description={t('access.raiseHelp')} data={by(RAISE_BY)} {...g('raise_by')} />
      <Select label={t('access.assignBy')} description={t('access.assignHelp')} data={by(CONSENT_BY)} {...g('assign_by')} />
      <Select label={t('access.renewBy')} description={t('access.renewHelp')} data={by(CONSENT_BY)} {...g('renew_by')} />
      <Select label={t('access.lower')} description={t('access.lowerHelp')} data={TIERS.filter((x) => !r || x <= r.tier).map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} {...g('tier')} />
      {r && f.form.values.tier < r.tier && <p className="note flush">{t('tenant.lowering')}</p>}
    </FormDrawer>
  );
}

/** Their name, or their role where the provider shows no names. */
function useName() {
  const { t } = useTranslation();
  return (p: AccessPerson) => p.person.name ?? t(`role.${p.role}`);
}
const people = { sort: 'name', sorts: ['name', 'tier', 'until', 'used'], filters: { kind: oneOf(ACCESS_KINDS) } } as const;
function People({ people: all, ask }: { people: AccessPerson[]; ask: (what: Ask) => void }) {
  const { t } = useTranslation();
  const list = useList(people);
  const name = useName();
  const kind = list.view.kind;
  const count = (k: (typeof ACCESS_KINDS)[number]) => all.filter((p) => accessKind(p) === k).length;
  const page = localPage(kind ? all.filter((p) => accessKind(p) === kind) : all, list.query, (p) => [p.person.name, p.person.email, p.provider.name, t(`role.${p.role}`), p.tier], { name: (p) => p.person.name ?? p.provider.name, tier: (p) => p.tier, until: (p) => p.until, used: (p) => p.last_used_at });
  return (
    <section aria-label={t('access.people')}>
      <h2>{t('access.people')}</h2>
      <div className="tools">
        <SearchBox label={t('access.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('access.liveHead')} value={kind} onChange={(k) => list.set({ kind: k })} options={[{ value: undefined, label: t('ui.all'), count: all.length }, ...ACCESS_KINDS.filter((k) => k === kind || count(k) > 0).map((k) => ({ value: k, label: t(`access.kind.${k}`), count: count(k) }))]} />
      </div>
      <DataTable<AccessPerson> caption={t('access.people')} rows={page.items} rowKey={(p) => `${p.person.id}${p.through.source}${p.through.id}`} sort={list.view.sort} onSort={list.toggleSort} tone={(p) => (p.live ? undefined : 'quiet')}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('access.empty')}>{t('access.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('access.person'), sort: 'name', cell: (p) => <span className="row"><Av slug={p.person.id} name={p.person.name ?? p.provider.name} round /><span className="min0"><span className="semi block">{name(p)}</span><span className="xs dim block">{p.provider.name} · {t(`role.${p.role}`)}</span></span></span> },
          { key: 'through', title: t('access.through'), cell: (p) => !p.through.id ? <span className="dim">–</span> : <span className="row tight wrap">{p.through.source === 'break_glass' ? <Badge tone="bad">{t('ledger.source.break_glass')}</Badge> : t(`ledger.source.${p.through.source}`)}{p.mask && <AssignmentMask mask={p.mask} />}</span> },
          { key: 'tier', title: t('access.tier'), sort: 'tier', cell: (p) => (p.through.id ? <Tier t={p.tier} long /> : <span className="dim">–</span>) },
          { key: 'modules', title: t('access.modules'), cell: (p) => <span className="sm">{p.modules.map((m) => t(`module.${m}` as 'module.compliance', { defaultValue: m })).join(', ') || <span className="dim">–</span>}</span> },
          { key: 'until', title: t('access.until'), sort: 'until', cell: (p) => (p.until ? <RelativeTime at={p.until} /> : <span className="dim">{p.through.id ? t('ui.noEnd') : '–'}</span>) },
          { key: 'used', title: t('access.lastUsed'), sort: 'used', cell: (p) => <RelativeTime at={p.last_used_at} never={t('access.neverUsed')} /> },
          { key: 'live', title: t('access.liveHead'), cell: (p) => <LiveCell p={p} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (p) => <span className="end"><More p={p} ask={ask} /></span> },
        ]} />
      <Pager list={list} page={page} />
    </section>
  );
}
function LiveCell({ p }: { p: AccessPerson }) {
  const { t } = useTranslation();
  if (p.barred) return <span className="block min0"><Badge tone="bad">{t('access.kind.barred')}</Badge><span className="xs dim block">{p.barred.by}, <RelativeTime at={p.barred.at} />: {p.barred.reason}</span></span>;
  return p.live ? <Badge tone="good">{t('access.kind.live')}</Badge> : <span className="block min0"><Badge>{t('access.kind.not_live')}</Badge><span className="xs dim block">{p.why_not}</span></span>;
}
function More({ p, ask }: { p: AccessPerson; ask: (what: Ask) => void }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const navigate = useNavigate();
  const took = useChange();
  const to = path`/tenants/${slug}/provider-access/people/${p.person.id}`;
  const name = useName()(p);
  const remove = () => ask({ title: t('access.removeTitle', { person: name, name: tenant.name }), danger: true, label: t('access.remove'), reason: t('access.reason'), lines: [t('access.removeLine', { person: name, name: tenant.name }), t('access.removeLine2', { provider: p.provider.name })], run: async ({ reason }) => { took(await api.del<Access>(to, { reason })); toast(t('access.removed', { person: name })); } });
  const admit = () => ask({ title: t('access.admitTitle', { person: name }), label: t('access.admit'), lines: [t('access.admitLine', { person: name, provider: p.provider.name })], run: async () => { took(await api.post<Access>(`${to}/admit`)); toast(t('access.admitted', { person: name })); } });
  return (
    <span className="row tight">
      <Go className="link sm" to={tenantPath(slug, 'why')} search={{ person: p.person.id }}>{t('access.why')}<span className="vh">: {name}</span></Go>
      <Menu position="bottom-end" radius="md" shadow="md">
        <Menu.Target><ActIcon label={t('ui.moreFor', { name })}><IconDots size={16} /></ActIcon></Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void navigate({ to: tenantPath(slug, 'why'), search: { tab: 'what', person: p.person.id } as never })}>{t('access.whatMay')}</Menu.Item>
          {p.barred ? <Item can={permission(can, 'provider_access.admit')} label={t('access.admit')} run={admit} /> : <Item can={permission(can, 'provider_access.remove')} label={t('access.remove')} run={remove} danger />}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}
function Item({ can, label, run, danger }: { can: Permission; label: string; run: () => void; danger?: boolean }) {
  const why = useReason({ can });
  return <Menu.Item color={danger ? 'red.8' : undefined} onClick={why ? undefined : run} closeMenuOnClick={!why} aria-disabled={why !== null} className={why ? 'menu-off' : undefined} title={why ?? undefined}>{label}{why && <span className="vh">. {why}</span>}</Menu.Item>;
}
