import { ActionIcon, Select, Textarea, TextInput, Tooltip } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconArrowDown, IconArrowUp, IconExternalLink } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, isProblem, keys, path, permission, useMe, useTenant, type Assignee, type Comment, type Finding, type FindingDetail, type Override, type Permission } from '../../api';
import { Act, Av, Badge, CopyIcon, ErrorState, fmt, FormProblem, Go, OverrideForm, RelativeTime, RichText, safeUrl, SeverityLabel, SideDrawer, SkLines, tenantPath, Timeline, toast, toastProblem, useApiForm, useConfirm, useReason } from '../../ui';
import { Evidence, isNothing } from './Evidence';
import { LifecycleBadge, Status } from './shared';

/** One finding beside the list. The address holds which; J and K go through the list's page. */
export function FindingDrawer({ id, around, go, onClose }: { id: string | undefined; around: string[]; go: (id: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const { data: f, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.tenant(slug, 'finding', id), enabled: id !== undefined, placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<FindingDetail>(path`/tenants/${slug}/findings/${id!}`, undefined, signal),
  });
  const at = id ? around.indexOf(id) : -1;
  const [before, after] = [at > 0 ? around[at - 1] : undefined, at >= 0 ? around[at + 1] : undefined];
  useHotkeys([['j', () => id && after && go(after)], ['k', () => id && before && go(before)], ['ArrowRight', () => id && after && go(after)], ['ArrowLeft', () => id && before && go(before)]]);
  const step = (label: string, key: string, to: string | undefined, icon: ReactNode) => <Tooltip label={`${label} (${key})`}><ActionIcon aria-label={label} aria-keyshortcuts={key} data-disabled={to ? undefined : true} aria-disabled={!to} onClick={() => to && go(to)}>{icon}</ActionIcon></Tooltip>;
  return (
    <SideDrawer opened={id !== undefined} onClose={onClose} title={t('findings.finding')} size={680}>
      {at >= 0 && <div className="row tight stepper">{step(t('findings.previous'), 'K', before, <IconArrowUp size={16} />)}{step(t('findings.next'), 'J', after, <IconArrowDown size={16} />)}<span className="xs dim num" role="status">{t('findings.position', { n: fmt.num(at + 1), total: fmt.num(around.length) })}<span className="vh">: {f?.id === id ? f?.title : ''}</span></span></div>}
      {error && !f ? <ErrorState error={error} retry={() => void refetch()} /> : f ? <div className={isPlaceholderData ? 'stale-box' : undefined} aria-busy={isPlaceholderData}><Detail key={f.id} f={f} /></div> : <SkLines lines={14} />}
    </SideDrawer>
  );
}

/** What the context allows and this finding allows: the first "no" speaks. */
export function both(here: Permission, own: Permission | undefined): Permission { return here.allowed && own ? own : here; }

function Detail({ f }: { f: FindingDetail }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const me = useMe();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [overriding, setOverriding] = useState(false);
  const gate = (action: string) => both(permission(can, action), f.can[action]);
  const at = path`/tenants/${slug}/findings/${f.id}`;
  const refresh = () => client.invalidateQueries({ queryKey: keys.tenant(slug) });
  const mine = f.assignee?.id === me.person.id;
  const take = () => void api.put<Finding>(`${at}/mine`, { mine: !mine }).then(async () => { await refresh(); toast(t(mine ? 'findings.released' : 'findings.taken'), () => api.put(`${at}/mine`, { mine }).then(refresh, toastProblem)); }, toastProblem);
  const create = async ({ scope, reason, expires_at }: { scope: 'finding' | 'control'; reason: string; expires_at: string }) => {
    await api.post<Override>(path`/tenants/${slug}/overrides`, { ...(scope === 'finding' ? { finding: f.id } : { control: f.control.id }), reason, expires_at });
    await refresh();
    setOverriding(false);
    toast(t('override.created'));
  };
  const revoke = (o: Override) => ask({ title: t('override.revokeTitle'), lines: [t(o.scope === 'control' ? 'override.revokeLineControl' : 'override.revokeLine', { what: o.scope === 'control' ? o.control.uid : f.title })], label: t('override.revoke'), danger: true, run: async () => { await api.del(path`/tenants/${slug}/overrides/${o.id}`); await refresh(); toast(t('override.revoked')); } });
  const url = safeUrl(f.url);
  return (
    <article className="finding">
      <header><h2>{f.title}</h2><div className="row wrap tight"><SeverityLabel s={f.severity} /><Status f={f} /><LifecycleBadge l={f.lifecycle} /><span className="xs dim">{t('findings.openFor', { count: f.age_days, n: fmt.num(f.age_days) })}</span></div></header>
      <div className="row wrap tight">
        <Act variant="default" can={gate('finding.take')} reason={!mine && f.assignee && t('findings.takenBy', { name: f.assignee.name })} onClick={take}>{t(mine ? 'findings.release' : 'findings.assignMe')}</Act>
        {f.override ? <Act variant="default" can={gate('override.revoke')} onClick={() => revoke(f.override!)}>{t('override.revoke')}</Act> : <Act variant="default" can={gate('override.create')} aria-expanded={overriding} onClick={() => setOverriding(!overriding)}>{t('findings.override')}</Act>}
      </div>
      {overriding && !f.override && <section className="inset" aria-label={t('findings.override')}><OverrideForm scopes={['finding', 'control']} control={f.control.uid} submitLabel={t('override.create')} onCancel={() => setOverriding(false)} onSave={create} /></section>}
      {f.override && <OverrideNote o={f.override} />}
      {f.message && <p className="flush break">{f.message}</p>}
      <Assign f={f} can={gate('finding.assign')} refresh={refresh} />
      <dl className="facts">
        <dt>{t('findings.control')}</dt><dd><Go to={tenantPath(slug, 'compliance')} search={{ control: f.control.id }} className="link">{f.control.uid}</Go> {f.control.title !== f.title && <span className="dim2">{f.control.title}</span>}</dd>
        <dt>{t('findings.resource')}</dt><dd className="row tight"><span className="mono break">{f.resource.uid}</span><CopyIcon value={f.resource.uid} label={t('ui.copyWhat', { what: t('findings.resource') })} /></dd>
        {([['name', f.resource.name === f.resource.uid ? null : f.resource.name], ['kind', f.resource.kind], ['region', f.resource.region], ['account', f.resource.account], ['tool', f.tool]] as const).map(([k, v]) => v && <Fact key={k} label={t(`findings.${k}`)}>{v}</Fact>)}
        {!isNothing(f.location) && <Fact label={t('findings.location')}><span className="mono break">{typeof f.location === 'string' ? f.location : place(f.location)}</span></Fact>}
        <Fact label={t('findings.firstSeen')}><RelativeTime at={f.first_seen_at} /></Fact><Fact label={t('findings.lastSeen')}><RelativeTime at={f.last_seen_at} /></Fact>
      </dl>
      {f.description && <Section title={t('findings.description')}><RichText text={f.description} /></Section>}
      {f.remediation && <Section title={t('findings.remediation')}><RichText text={f.remediation} /></Section>}
      {url && <a href={url} target="_blank" rel="noopener noreferrer" className="link with-dot"><IconExternalLink size={15} aria-hidden />{t('findings.reference')}<span className="vh"> {t('findings.newTab')}</span></a>}
      {f.frameworks.length > 0 && <Section title={t('findings.frameworks')}><ul className="pills">{f.frameworks.map((x) => <li key={`${x.framework} ${x.requirement}`}><span className="tier"><b>{x.framework}</b> {x.requirement}</span></li>)}</ul></Section>}
      <Section title={t('findings.evidence')}><Evidence value={f.evidence} /></Section>
      <Section title={t('findings.history')}><Timeline label={t('findings.history')} items={f.history.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).map((h, i) => ({ key: `${h.scan}-${i}`, at: h.at, color: COLOURS[h.outcome], title: <Go to={tenantPath(slug, 'scans')} search={{ scan: h.scan }} className="link">{t(`findings.outcome.${h.outcome}` as 'findings.outcome.failed', { defaultValue: h.outcome })}</Go> }))} /></Section>
      <Comments f={f} can={gate('comment.create')} refresh={refresh} />
      {confirm}
    </article>
  );
}
const COLOURS: Record<string, string> = { failed: 'var(--bar-bad)', new: 'var(--bar-bad)', returned: 'var(--bar-bad)', recurring: 'var(--bar-warn)', passed: 'var(--bar-ok)', fixed: 'var(--bar-ok)' };
const Fact = ({ label, children }: { label: string; children: ReactNode }) => <><dt>{label}</dt><dd>{children}</dd></>;
const Section = ({ title, children }: { title: string; children: ReactNode }) => <section aria-label={title}><h3>{title}</h3>{children}</section>;
/** "src/main.tf:12:4" out of what a scanner says about a place. */
export function place(location: unknown): string {
  if (typeof location !== 'object' || location === null) return String(location);
  const l = location as Record<string, unknown>;
  const file = l.file ?? l.path ?? l.uri;
  return typeof file === 'string' ? [file, l.line ?? l.start_line, l.column].filter((x) => x !== undefined && x !== null).join(':') : JSON.stringify(location);
}

function OverrideNote({ o }: { o: Override }) {
  const { t } = useTranslation();
  return <section className="inset" aria-label={t('findings.overridden')}><p className="flush semi">{t(o.scope === 'control' ? 'override.activeControl' : 'override.active')}</p><p className="flush pre-line">{o.reason}</p><p className="flush xs dim">{t('override.by', { name: o.created_by.name })} · <RelativeTime at={o.created_at} /> · {t('override.until', { date: fmt.date(o.expires_at) })}</p></section>;
}

function Assign({ f, can, refresh }: { f: FindingDetail; can: Permission; refresh: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const why = useReason({ can });
  const [pending, setPending] = useState(false);
  const people = useQuery({ queryKey: keys.tenant(slug, 'assignees'), enabled: !why, staleTime: 60_000, queryFn: ({ signal }) => api.get<{ items: Assignee[] }>(path`/tenants/${slug}/assignees`, undefined, signal) });
  if (why) return <TextInput label={t('findings.assignee')} value={f.assignee?.name ?? t('findings.nobody')} description={why} readOnly variant="filled" maw={360} />;
  const put = (person: string | null, version: number) => api.put<FindingDetail>(path`/tenants/${slug}/findings/${f.id}/assignee`, { person }, version);
  const assign = (person: string | null) => {
    if (pending || person === (f.assignee?.id ?? null)) return;
    setPending(true);
    put(person, f.version).then(async () => { await refresh(); toast(person ? t('findings.assignedTo', { name: people.data?.items.find((p) => p.id === person)?.name ?? '' }) : t('findings.unassigned')); }, (e: unknown) => { toastProblem(e); if (isProblem(e, 'precondition_failed')) void refresh(); }).finally(() => setPending(false));
  };
  const items = people.data?.items ?? [];
  const known = f.assignee && !items.some((p) => p.id === f.assignee!.id) ? [{ ...f.assignee, as: '' }, ...items] : items;
  return <Select label={t('findings.assignee')} placeholder={t('findings.nobody')} maw={360} searchable clearable allowDeselect disabled={pending} nothingFoundMessage={t('shell.nothingFound')} value={f.assignee?.id ?? null} onChange={assign} data={known.map((p) => ({ value: p.id, label: p.as ? `${p.name} · ${t(`role.${p.as}` as 'role.admin', { defaultValue: p.as })}` : p.name }))} error={people.error ? t('findings.peopleFailed') : undefined} />;
}

function Comments({ f, can, refresh }: { f: FindingDetail; can: Permission; refresh: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const form = useApiForm({
    initial: { text: '' }, validate: { text: (v) => (v.trim() ? null : t('form.required')) },
    save: async (v) => { await api.post<Comment>(path`/tenants/${slug}/findings/${f.id}/comments`, { text: v.text.trim() }); form.reset(); await refresh(); },
  });
  return (
    <Section title={t('findings.comments', { count: f.comments_list.length })}>
      {f.comments_list.length === 0 && <p className="dim2 flush sm">{t('findings.noComments')}</p>}
      <ul className="comments">{f.comments_list.map((c) => <li key={c.id}><Av slug={c.author.id} name={c.author.name} round small /><div className="min0"><div className="row tight wrap sm"><span className="semi">{c.author.name}</span>{c.author.as && <Badge>{t(`role.${c.author.as}` as 'role.admin', { defaultValue: c.author.as })}</Badge>}<span className="xs dim"><RelativeTime at={c.at} /></span></div><p className="flush pre-line break">{c.text}</p></div></li>)}</ul>
      <form onSubmit={form.submit} noValidate className="fields">
        <FormProblem problem={form.problem} />
        <Textarea label={t('findings.addComment')} autosize minRows={2} maxRows={8} maxLength={5000} readOnly={!can.allowed} {...form.form.getInputProps('text')} />
        <div><Act type="submit" variant="default" can={can} loading={form.pending}>{t('findings.comment')}</Act></div>
      </form>
    </Section>
  );
}
