import { IconBuilding, IconHistory, IconLayoutDashboard, IconSettings, IconSitemap, IconUsers, type Icon } from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { en } from '../i18n/en';

export interface Page {
  /** Below "/" for provider pages, below "/t/$slug/" for tenant pages. */
  path: string;
  /** The action that opens it, asked from `can`. */
  action: string;
  /** Its place in the sidebar; without it the page is reached from another one. */
  nav?: { word: keyof typeof en.nav; icon: Icon; group?: keyof typeof en.nav };
  load: () => Promise<{ default: ComponentType }>;
}

export const providerPages: Page[] = [
  { path: '', action: 'client.list', nav: { word: 'dashboard', icon: IconLayoutDashboard }, load: () => import('../features/clients/Dashboard') },
  { path: 'tenants', action: 'tenant.list', nav: { word: 'tenants', icon: IconBuilding, group: 'groupClients' }, load: () => import('../features/tenants/Tenants') },
  { path: 'tenants/$tenant', action: 'tenant.list', load: () => import('../features/tenants/Tenant') },
  { path: 'sub-providers', action: 'sub_provider.list', nav: { word: 'subProviders', icon: IconSitemap, group: 'groupClients' }, load: () => import('../features/sub-providers/SubProviders') },
  { path: 'staff', action: 'staff.list', nav: { word: 'staff', icon: IconUsers, group: 'groupTeam' }, load: () => import('../features/staff/Staff') },
  { path: 'staff/$staff', action: 'staff.view', load: () => import('../features/staff/Person') },
  { path: 'ledger', action: 'provider_ledger.list', nav: { word: 'ledger', icon: IconHistory, group: 'groupAdmin' }, load: () => import('../features/ledger/ProviderLedger') },
  { path: 'settings', action: 'provider.view', nav: { word: 'settings', icon: IconSettings, group: 'groupAdmin' }, load: () => import('../features/settings/ProviderSettings') },
];

export const tenantPages: Page[] = [
];

export const accountPage: Page = { path: 'account', action: 'me.view', load: () => import('../features/account/Account') };
