import { ActionIcon, FocusTrap, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useHotkeys, useMediaQuery } from '@mantine/hooks';
import { IconChevronRight, IconMenu2, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, contextQuery, isProblem, keys, may, onStepUp, permission, useMeQuery, useMeUpdate, useProviderQuery, useProviderSlug, useSwitchable, useTenant, useTenantSlug, useTenantWatch, type Can, type Locale, type Me, type RunningElevation, type Scheme, type TenantContext, type TenantState } from '../api';
import { setLocale } from '../i18n';
import { Av, contextColour, Countdown, Empty, ErrorState, fmt, Go, Logo, PageHead, PageSkeleton, tenantPath, Tier, toastProblem, useAddress, useReason, useShowBrand, text } from '../ui';
import { Bell } from './Bell';
import { AccessLost, TenantNotFound } from './errors';
import { pagesOf, providerPages, tenantPages, type Page } from './pages';
import { signOut } from './sign-out';
import { Switcher } from './Switcher';
import { visited } from './switching';

const Palette = lazy(() => import('./Palette'));
const StepUp = lazy(() => import('./StepUp'));
const Notice = lazy(() => import('./Notice'));
const Lacking = lazy(() => import('./Lacking'));
const TenantCreate = lazy(() => import('../features/tenants/TenantCreate'));

export function Shell() {
  const me = useMeQuery();
  if (me.data?.session.missing) return <Suspense><Lacking me={me.data} missing={me.data.session.missing} /></Suspense>;
  if (me.data) return <SignedIn me={me.data} />;
  if (me.error && !isProblem(me.error, 'not_signed_in') && !isProblem(me.error, 'second_factor_required')) return <main className="main"><ErrorState error={me.error} retry={() => void me.refetch()} /></main>;
  return <div className="shell" aria-busy><aside className="side" /><div><div className="top" /><div className="main"><PageSkeleton /></div></div></div>;
}

function SignedIn({ me }: { me: Me }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [menu, setMenu] = useState(false);
  const [asked, setAsked] = useState(0);
  const narrow = useMediaQuery('(max-width: 1000px)', false);
  const pathname = useRouterState({ select: (s) => s.location.pathname });
  const slug = useTenantSlug();
  const provider = useProviderQuery(useProviderSlug()).data;
  const entered = useQuery({ ...contextQuery(slug ?? ''), enabled: slug !== null });
  const lost = isProblem(entered.error, 'forbidden') || isProblem(entered.error, 'not_found');
  const context = lost ? undefined : entered.data;
  const place = me.providers.find((p) => p.slug === provider?.slug) ?? me.providers[0];
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => { void setLocale(me.person.locale); }, [me.person.locale]);
  useEffect(() => setColorScheme(me.person.preferences.scheme), [me.person.preferences.scheme, setColorScheme]);
  useEffect(() => { if (slug && context) visited(me.person.id, slug); }, [slug, context, me.person.id]);
  useEffect(() => setMenu(false), [pathname]);
  useHotkeys([['mod+K', () => setAsked((n) => n + 1)], ['Escape', () => setMenu(false)]], []);

  const pages = slug ? (lost ? [] : pagesOf(context?.tenant.standalone ?? me.standalone ?? false)) : me.providers.length > 0 ? providerPages : [];
  const can = slug ? context?.can : provider?.can;
  const section = slug ? pathname.split('/')[3] : undefined;
  const here = slug ? tenantPages.find((p) => p.path === section) : place && providerPageAt(pathname);
  const worn = slug && context ? context.brand : me.brand;
  useShowBrand(worn);
  const brand = worn?.name ?? place?.name ?? (me.tenants.length === 1 ? me.tenants[0]!.name : 'Tenantry');
  const tenantName = entered.data?.tenant.name;
  const staffHere = context?.me.as === 'staff';
  return (
    <div className="shell">
      <a className="skip" href="#main">{t('shell.skip')}</a>
      {menu && <button type="button" className="veil" aria-label={t('shell.closeMenu')} onClick={() => setMenu(false)} />}
      <FocusTrap active={menu && narrow}>
        <aside className={menu ? 'side open' : 'side'} aria-label={t('shell.sidebar')}>
          <div className="brandrow"><Logo /><span className="trunc">{brand}</span></div>
          <Switcher slug={slug} section={section} name={tenantName} />
          <Sidebar pages={pages} base={slug ? `/t/${slug}` : ''} can={can} label={t(slug ? 'shell.clientNav' : 'shell.providerNav')} />
        </aside>
      </FocusTrap>
      <div className="min0">
        {slug && context && staffHere && <ContextBar context={context} />}
        <div className="top" role="region" aria-label={t('shell.topBar')}>
          <ActionIcon className="burger" aria-label={t('shell.openMenu')} aria-expanded={menu} size="lg" onClick={() => setMenu(true)}><IconMenu2 size={18} /></ActionIcon>
          <nav aria-label={t('shell.breadcrumb')} className="crumbs">
            {slug ? <>{place && <><Go to="/">{place.name}</Go><IconChevronRight size={14} aria-hidden /></>}<Go to={tenantPath(slug)} className="trunc">{tenantName ?? slug}</Go></> : <span className="trunc">{place?.name ?? brand}</span>}
            <IconChevronRight size={14} aria-hidden /><b aria-current="page" className="trunc">{here?.nav ? t(`nav.${here.nav.word}`) : pathname === '/account' ? t('nav.account') : ''}</b>
          </nav>
          <button type="button" className="search" aria-keyshortcuts="Control+K" onClick={() => setAsked((n) => n + 1)}><IconSearch size={15} aria-hidden /><span className="lbl">{t('shell.search')}</span><span className="vh">{t('shell.searchShort')}</span><span className="kbd" aria-hidden>Ctrl K</span></button>
          <SchemeToggle me={me} />
          <Bell />
          <AccountMenu me={me} />
        </div>
        <main id="main" className="main" tabIndex={-1}><Outlet /></main>
      </div>
      <div id="pop" role="region" aria-label={t('shell.popups')} />
      {asked > 0 && <Suspense><PaletteActions asked={asked} me={me} pages={pages} base={slug ? `/t/${slug}` : ''} can={can} section={section} /></Suspense>}
      <StepUpHost />
      {may(provider?.can, 'tenant.create') && <AddClient onGone={() => void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, add: undefined })) as never, replace: true })} />}
    </div>
  );
}

/** Any call may be asked for a fresh second factor: the dialog gets it, and the call goes on. */
function StepUpHost() {
  const [waiting, setWaiting] = useState<{ password: boolean; done: (proven: boolean) => void } | null>(null);
  useEffect(() => {
    onStepUp((problem) => new Promise((done) => setWaiting({ password: problem.code === 'reauth_required', done })));
    return () => onStepUp(() => Promise.resolve(false));
  }, []);
  return waiting && <Suspense><StepUp password={waiting.password} onDone={(proven) => { setWaiting(null); waiting.done(proven); }} /></Suspense>;
}

/** "Add client" is in the address (?add=client), so the dashboard, the list and the palette open the same drawer. */
function AddClient({ onGone }: { onGone: () => void }) {
  const [{ add }] = useAddress({ add: text });
  const [used, setUsed] = useState(false);
  useEffect(() => { if (add === 'client') setUsed(true); }, [add]);
  return used ? <Suspense><TenantCreate opened={add === 'client'} onClose={onGone} /></Suspense> : null;
}

function Sidebar({ pages, base, can, label }: { pages: Page[]; base: string; can: Can | undefined; label: string }) {
  const { t } = useTranslation();
  const shown = pages.filter((p) => p.nav);
  const groupNames = [...new Set(shown.map((p) => p.nav!.group))];
  return (
    <nav className="nav" aria-label={label}>
      {groupNames.map((g) => <div key={g ?? ''}>{g && <h2>{t(`nav.${g}`)}</h2>}{shown.filter((p) => p.nav!.group === g).map((p) => <NavItem key={p.path} page={p} to={`${base}/${p.path}`} can={can} />)}</div>)}
    </nav>
  );
}
function NavItem({ page, to, can }: { page: Page; to: string; can: Can | undefined }) {
  const { t } = useTranslation();
  const id = useId();
  const reason = useReason({ can: can ? permission(can, page.action) : undefined });
  const { icon: Shown, word } = page.nav!;
  const inside = <><Shown size={17} stroke={1.7} aria-hidden />{t(`nav.${word}`)}</>;
  if (reason) return <><Tooltip label={reason} position="right" multiline maw={280} events={{ hover: true, focus: true, touch: true }}><span className="item off" role="link" tabIndex={0} aria-disabled="true" aria-describedby={id}>{inside}</span></Tooltip><span id={id} className="vh">{reason}</span></>;
  return <Go to={to} exact={to === '/'}>{inside}</Go>;
}

/** For staff only: whose data this is, as whom, with what power, until when, and the way out. */
function ContextBar({ context: { tenant, me } }: { context: TenantContext }) {
  const { t } = useTranslation();
  return (
    <div className="banner" role="region" aria-label={t('shell.contextOf', { name: tenant.name })} style={{ ['--ctx' as string]: contextColour(tenant.slug) }}>
      <Av slug={tenant.slug} name={tenant.name} small /><span className="trunc"><b>{tenant.name}</b><span className="dim2 opt2"> {t('shell.asStaff', { provider: me.provider?.name ?? '' })}</span></span>
      {me.tier && <><Tier t={me.tier} long /><span className="dim2 trunc opt">{t(`tier.allows.${me.tier}`)}</span></>}
      {(me.elevations ?? []).map((e) => <Elevated key={e.id} slug={tenant.slug} elevation={e} />)}
      {me.until && <span className="dim2 opt2 nowrap">{t('shell.until', { date: fmt.date(me.until) })}</span>}
      <span className="grow" /><span className="dim2 opt3 nowrap">{t('shell.recorded')}</span><Go to="/" className="link">{t('shell.leave')}</Go>
    </div>
  );
}

/** Power held beyond the grant for a while; an emergency has a colour of its own. */
function Elevated({ slug, elevation: e }: { slug: string; elevation: RunningElevation }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const end = fmt.time(e.ends_at);
  const what = e.tier ? t('elevation.tierUntil', { tier: e.tier, time: end }) : t('elevation.actionsUntil', { count: e.actions.length, time: end });
  return <span className={e.break_glass ? 'elevated glass' : 'elevated'} title={e.actions.join(', ') || undefined}>{e.break_glass && <b>{t('elevation.breakGlass')} </b>}<span>{what}</span> <span className="opt2"><Countdown to={e.ends_at} onEnd={() => void client.invalidateQueries({ queryKey: keys.tenant(slug) })} /></span></span>;
}

function SchemeToggle({ me }: { me: Me }) {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const update = useMeUpdate();
  const systemDark = useMediaQuery('(prefers-color-scheme: dark)', false);
  const dark = colorScheme === 'dark' || (colorScheme === 'auto' && systemDark);
  const toggle = () => {
    const scheme: Scheme = dark ? 'light' : 'dark';
    setColorScheme(scheme);
    update.mutate({ preferences: { ...me.person.preferences, scheme } }, { onError: toastProblem });
  };
  const label = t(dark ? 'shell.toLight' : 'shell.toDark');
  return <Tooltip label={label}><ActionIcon aria-label={label} size="lg" onClick={toggle}>{dark ? <IconSun size={18} stroke={1.7} /> : <IconMoon size={18} stroke={1.7} />}</ActionIcon></Tooltip>;
}

function AccountMenu({ me }: { me: Me }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const update = useMeUpdate();
  const { person } = me;
  return (
    <Menu position="bottom-end" width={240} radius="lg" shadow="md">
      <Menu.Target><button type="button" className="avatar"><Av slug={person.id} name={person.name} round /><span className="vh">{t('shell.account', { name: person.name })}</span></button></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label><span className="semi ink">{person.name}</span><br />{person.email}</Menu.Label>
        <Menu.Item onClick={() => void navigate({ to: '/account' })}>{t('nav.account')}</Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('shell.language')}</Menu.Label>
        <Menu.RadioGroup value={person.locale} onChange={(l) => update.mutate({ locale: l as Locale }, { onError: toastProblem })}><Menu.RadioItem value="en" lang="en">English</Menu.RadioItem><Menu.RadioItem value="de" lang="de">Deutsch</Menu.RadioItem></Menu.RadioGroup>
        {me.providers.length > 1 && <><Menu.Divider /><Menu.Label>{t('shell.providers')}</Menu.Label>{me.providers.map((p) => <Menu.Item key={p.id} onClick={() => void navigate({ to: '/', search: { provider: p.slug } as never })}>{p.name}</Menu.Item>)}</>}
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>{t('shell.signOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function PaletteActions({ asked, me, pages, base, can, section }: { asked: number; me: Me; pages: Page[]; base: string; can: Can | undefined; section: string | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const update = useMeUpdate();
  const provider = useProviderSlug();
  const providerCan = useProviderQuery(provider).data?.can;
  const { items } = useSwitchable(provider, '');
  const page = tenantPages.some((p) => p.path === section) ? section! : 'overview';
  const enterable = [...me.tenants.map((x) => ({ slug: x.slug, name: x.name, hint: t(`role.${x.role}`) })), ...items.filter((c) => c.enter.allowed && !me.tenants.some((x) => x.slug === c.slug)).map((c) => ({ slug: c.slug, name: c.name, hint: [`${c.tier} ${t(`tier.${c.tier}`)}`, c.plan, c.score === null ? null : fmt.percent(c.score)].filter(Boolean).join(' · ') }))];
  const acts = [
    may(providerCan, 'tenant.create') && { id: 'add-client', label: t('dash.addClient'), onClick: () => void navigate({ to: base ? '/' : '.', search: ((old: Record<string, unknown>) => ({ ...(base ? {} : old), add: 'client' })) as never }) },
    may(providerCan, 'staff.invite') && { id: 'invite-staff', label: t('staff.invite'), onClick: () => void navigate({ to: '/staff', search: { invite: 'staff' } as never }) },
    ...(['light', 'dark', 'auto'] as const).map((scheme) => ({ id: `scheme-${scheme}`, label: `${t('shell.colours')}: ${t(scheme === 'light' ? 'shell.schemeLight' : scheme === 'dark' ? 'shell.schemeDark' : 'shell.schemeAuto')}`, onClick: () => update.mutate({ preferences: { ...me.person.preferences, scheme } }) })),
    { id: 'sign-out', label: t('shell.signOut'), onClick: () => void signOut() },
  ].filter((a) => a !== false);
  return (
    <Palette asked={asked} actions={[
      { group: t('shell.goTo'), actions: [...pages.filter((p) => p.nav && may(can, p.action)).map((p) => { const { icon: Shown, word } = p.nav!; return { id: `page-${p.path}`, label: t(`nav.${word}`), leftSection: <Shown size={17} stroke={1.6} />, onClick: () => void navigate({ to: `${base}/${p.path}` }) }; }), { id: 'page-account', label: t('nav.account'), onClick: () => void navigate({ to: '/account' }) }] },
      { group: t('shell.switchTo'), actions: enterable.map((c) => ({ id: `go-${c.slug}`, label: c.name, description: c.hint, keywords: [c.slug], leftSection: <Av slug={c.slug} name={c.name} small />, onClick: () => void navigate({ to: tenantPath(c.slug, page) }) })) },
      { group: t('shell.actions'), actions: acts },
    ]} />
  );
}

/** The page of the sidebar that an address belongs to. */
const providerPageAt = (pathname: string) => providerPages.filter((p) => p.nav).toSorted((a, b) => b.path.length - a.path.length).find((p) => pathname === `/${p.path}` || (p.path && pathname.startsWith(`/${p.path}/`)));

/** Provider pages wait for the provider and its `can`. People without one land where they belong. */
export function ProviderLayout() {
  const pathname = useRouterState({ select: (s) => s.location.pathname });
  const slug = useProviderSlug();
  const provider = useProviderQuery(slug);
  const me = useMeQuery().data;
  if (me && me.providers.length === 0) return <WithoutProvider me={me} />;
  if (provider.error) return <ErrorState error={provider.error} retry={() => void provider.refetch()} />;
  if (!provider.data) return <PageSkeleton />;
  const page = providerPageAt(pathname);
  if (page && !may(provider.data.can, page.action)) return <Denied page={page} can={provider.data.can} />;
  return <Outlet />;
}
function Denied({ page, can }: { page: Page; can: Can }) {
  const { t } = useTranslation();
  const { why, needs } = permission(can, page.action);
  return <><PageHead title={t(`nav.${page.nav!.word}`)} /><ErrorState error={new ApiProblem({ status: 403, code: 'forbidden', why, needs })} /></>;
}
function WithoutProvider({ me }: { me: Me }) {
  const { t } = useTranslation();
  if (me.tenants.length === 1) return <Navigate to={tenantPath(me.tenants[0]!.slug, home(me.tenants[0]!.state))} replace />;
  if (me.tenants.length === 0) return <><PageHead title={t('home.nothingTitle')} /><Empty title={t('home.nothingTitle')}>{t('home.nothingText', { email: me.person.email })}</Empty></>;
  return (
    <>
      <PageHead title={t('home.chooseTitle')} sub={t('home.chooseText')} />
      <ul className="cards">{me.tenants.map((x) => <li key={x.id}><article className="card"><div className="hd pad-b"><Av slug={x.slug} name={x.name} /><div className="min0 grow"><Go to={tenantPath(x.slug, home(x.state))} className="trunc block">{x.name}</Go><div className="xs dim">{t(`role.${x.role}`)}</div></div></div></article></li>)}</ul>
    </>
  );
}
/** Where a tenant's own address leads. Of an archived one its admins see how it ends. */
export function TenantHome() {
  const { slug, tenant } = useTenant();
  return <Navigate to={tenantPath(slug, home(tenant.state))} replace />;
}
const home = (state: TenantState | undefined) => (state === 'archived' ? 'offboarding' : 'overview');
/** Tenant pages wait for the context. A tenant one may not know of is not found. */
export function TenantLayout() {
  const slug = useTenantSlug()!;
  const client = useQueryClient();
  const context = useQuery(contextQuery(slug));
  useTenantWatch(slug, context.isSuccess);
  const lost = isProblem(context.error, 'forbidden') ? context.error : null;
  // What was read before is not kept for somebody who may not read it any more.
  useEffect(() => { if (lost) client.removeQueries({ queryKey: keys.tenant(slug), predicate: (q) => q.queryKey[2] !== 'context' }); }, [lost, client, slug]);
  if (isProblem(context.error, 'not_found')) return <TenantNotFound slug={slug} />;
  if (lost) return <AccessLost slug={slug} name={context.data?.tenant.name} problem={lost} retry={() => void context.refetch()} />;
  if (context.error && !context.data) return <ErrorState error={context.error} retry={() => void context.refetch()} />;
  if (!context.data) return <PageSkeleton />;
  const { tenant } = context.data;
  return <div key={slug} className="contents">{tenant.notice && <Suspense><Notice slug={slug} name={tenant.name} notice={tenant.notice} /></Suspense>}<Outlet /></div>;
}
