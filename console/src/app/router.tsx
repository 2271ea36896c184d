import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, retainSearchParams } from '@tanstack/react-router';
import { withWords } from '../i18n';
import { formatAddress, parseAddress } from '../ui/search';
import { Broken, NotFound, NotHere } from './errors';
import { accountPage, providerPages, tenantPages, type Page } from './pages';
import { ProviderLayout, Shell, TenantHome, TenantLayout } from './Shell';

const keepProvider = retainSearchParams(['provider']) as never;
const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Broken, validateSearch: (s: Record<string, unknown>) => s as { provider?: string } });

const open = (path: string, load: Page['load']) => createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });
const signedOut = [
  open('/sign-in', () => import('../features/sign-in/SignIn')),
  open('/setup', () => import('../features/setup/Setup')),
  open('/invite/$token', () => import('../features/invitations/Invite')),
  open('/reset', withWords('hub', () => import('../features/password-reset/AskReset'))),
  open('/reset/$token', withWords('hub', () => import('../features/password-reset/Reset'))),
];

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });
const provider = createRoute({ getParentRoute: () => shell, id: 'provider', component: ProviderLayout, notFoundComponent: NotHere, search: { middlewares: [keepProvider] } });
const tenant = createRoute({ getParentRoute: () => shell, path: '/t/$slug', component: TenantLayout, notFoundComponent: NotHere, search: { middlewares: [keepProvider] } });
const tenantHome = createRoute({ getParentRoute: () => tenant, path: '/', component: TenantHome });

const within = (parent: typeof provider | typeof tenant, pages: Page[]) => pages.map((p) => createRoute({ getParentRoute: () => parent as typeof provider, path: `/${p.path}`, component: lazyRouteComponent(p.load), errorComponent: Broken }));

const tree = root.addChildren([
  ...signedOut,
  shell.addChildren([
    provider.addChildren(within(provider, providerPages)),
    tenant.addChildren([tenantHome, ...within(tenant, tenantPages)]),
    createRoute({ getParentRoute: () => shell, path: `/${accountPage.path}`, component: lazyRouteComponent(accountPage.load), errorComponent: Broken }),
  ]),
]);

export const router = createRouter({ routeTree: tree, defaultPreload: 'intent', scrollRestoration: true, parseSearch: parseAddress, stringifySearch: formatAddress, defaultErrorComponent: Broken, defaultNotFoundComponent: NotFound });
