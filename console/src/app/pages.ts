import { IconActivity, IconApps, IconBell, IconBox, IconBuilding, IconClockShield, IconCoins, IconDoorExit, IconFileCheck, IconHelpCircle, IconHistory, IconKey, IconLayoutDashboard, IconLicense, IconMail, IconPalette, IconPlugConnected, IconRadar2, IconReceipt2, IconRocket, IconSettings, IconShieldExclamation, IconShieldOff, IconSitemap, IconUsers, IconUsersGroup, type Icon } from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { withWords } from '../i18n';
import type { en } from '../i18n/en';

export interface Page {
  /** Below "/" for provider pages, below "/t/$slug/" for tenant pages. */
  path: string;
  /** The action that opens it, asked from `can`. */
  action: string;
  /** Its place in the sidebar; without it the page is reached from another one. */
  nav?: { word: keyof typeof en.nav; icon: Icon; group?: keyof typeof en.nav };
  /** Left out of the sidebar where there is, or is no, provider. */
  only?: 'standalone' | 'provided';
  load: () => Promise<{ default: ComponentType }>;
}

const hub = (load: Page['load']) => withWords('hub', load);

export const providerPages: Page[] = [
  { path: '', action: 'client.list', nav: { word: 'dashboard', icon: IconLayoutDashboard }, load: () => import('../features/clients/Dashboard') },
  { path: 'alerts', action: 'provider_alert.list', nav: { word: 'alerts', icon: IconBell }, load: hub(() => import('../features/alerts/ProviderAlerts')) },
  { path: 'tenants', action: 'tenant.list', nav: { word: 'tenants', icon: IconBuilding, group: 'groupClients' }, load: () => import('../features/tenants/Tenants') },
  { path: 'tenants/$tenant', action: 'tenant.list', load: () => import('../features/tenants/Tenant') },
  { path: 'groups', action: 'tenant_group.list', nav: { word: 'groups', icon: IconUsersGroup, group: 'groupClients' }, load: hub(() => import('../features/groups/Groups')) },
  { path: 'groups/$group', action: 'tenant_group.view', load: hub(() => import('../features/groups/Group')) },
  { path: 'fleet', action: 'fleet_change.list', nav: { word: 'fleet', icon: IconRocket, group: 'groupClients' }, load: hub(() => import('../features/fleet/Fleet')) },
  { path: 'fleet/new', action: 'fleet_change.create', load: hub(() => import('../features/fleet/NewChange')) },
  { path: 'fleet/$change', action: 'fleet_change.view', load: hub(() => import('../features/fleet/Change')) },
  { path: 'sub-providers', action: 'sub_provider.list', nav: { word: 'subProviders', icon: IconSitemap, group: 'groupClients' }, load: () => import('../features/sub-providers/SubProviders') },
  { path: 'relationships', action: 'relationship.list', nav: { word: 'relationships', icon: IconPlugConnected, group: 'groupClients' }, load: () => import('../features/relationships/Relationships') },
  { path: 'findings', action: 'client_finding.list', nav: { word: 'findings', icon: IconShieldExclamation, group: 'groupAcross' }, load: hub(() => import('../features/across/ClientFindings')) },
  { path: 'members', action: 'client_member.list', nav: { word: 'members', icon: IconUsers, group: 'groupAcross' }, load: hub(() => import('../features/across/ClientMembers')) },
  { path: 'activity', action: 'client_activity.list', nav: { word: 'activity', icon: IconActivity, group: 'groupAcross' }, load: hub(() => import('../features/across/ClientActivity')) },
  { path: 'modules', action: 'client_module.list', nav: { word: 'modules', icon: IconApps, group: 'groupAcross' }, load: hub(() => import('../features/across/ClientModules')) },
  { path: 'licensing', action: 'licensing.view', nav: { word: 'licensing', icon: IconLicense, group: 'groupCommercial' }, load: () => import('../features/licensing/Licensing') },
  { path: 'plans', action: 'plan.list', nav: { word: 'plans', icon: IconBox, group: 'groupCommercial' }, load: () => import('../features/plans/Plans') },
  { path: 'revenue', action: 'revenue.list', nav: { word: 'revenue', icon: IconCoins, group: 'groupCommercial' }, load: () => import('../features/revenue/Revenue') },
  { path: 'staff', action: 'staff.list', nav: { word: 'staff', icon: IconUsers, group: 'groupTeam' }, load: () => import('../features/staff/Staff') },
  { path: 'staff/$staff', action: 'staff.view', load: hub(() => import('../features/staff/Person')) },
  { path: 'staff/$staff/leaving', action: 'staff_leaving.view', load: () => import('../features/leaving/Leaving') },
  { path: 'requests', action: 'elevation.list_own', nav: { word: 'requests', icon: IconClockShield, group: 'groupTeam' }, load: () => import('../features/requests/Requests') },
  { path: 'why', action: 'client_why.list', nav: { word: 'why', icon: IconHelpCircle, group: 'groupTeam' }, load: () => import('../features/why/ClientWhy') },
  { path: 'branding', action: 'provider_brand.view', nav: { word: 'branding', icon: IconPalette, group: 'groupAdmin' }, load: hub(() => import('../features/branding/ProviderBranding')) },
  { path: 'connections', action: 'mail.list', nav: { word: 'connections', icon: IconMail, group: 'groupAdmin' }, load: hub(() => import('../features/connections/Connections')) },
  { path: 'api-keys', action: 'provider_api_key.list', nav: { word: 'apiKeys', icon: IconKey, group: 'groupAdmin' }, load: () => import('../features/api-keys/ProviderKeys') },
  { path: 'ledger', action: 'provider_ledger.list', nav: { word: 'ledger', icon: IconHistory, group: 'groupAdmin' }, load: () => import('../features/ledger/ProviderLedger') },
  { path: 'settings', action: 'provider.view', nav: { word: 'settings', icon: IconSettings, group: 'groupAdmin' }, load: () => import('../features/settings/ProviderSettings') },
];

export const tenantPages: Page[] = [
  { path: 'overview', action: 'summary.view', nav: { word: 'overview', icon: IconLayoutDashboard }, load: () => import('../features/overview/Overview') },
  { path: 'alerts', action: 'alert.list', nav: { word: 'alerts', icon: IconBell }, load: hub(() => import('../features/alerts/TenantAlerts')) },
  { path: 'findings', action: 'finding.list', nav: { word: 'findings', icon: IconShieldExclamation, group: 'groupModules' }, load: () => import('../features/findings/Findings') },
  { path: 'compliance', action: 'control.list', nav: { word: 'compliance', icon: IconFileCheck, group: 'groupModules' }, load: () => import('../features/compliance/Compliance') },
  { path: 'scans', action: 'scan.list', nav: { word: 'scans', icon: IconRadar2, group: 'groupModules' }, load: () => import('../features/scans/Scans') },
  { path: 'overrides', action: 'override.list', nav: { word: 'overrides', icon: IconShieldOff, group: 'groupModules' }, load: () => import('../features/overrides/Overrides') },
  { path: 'members', action: 'member.list', nav: { word: 'members', icon: IconUsers, group: 'groupPeople' }, load: () => import('../features/members/Members') },
  { path: 'provider-access', only: 'provided', action: 'provider_access.view', nav: { word: 'providerAccess', icon: IconPlugConnected, group: 'groupAdmin' }, load: () => import('../features/provider-access/ProviderAccess') },
  { path: 'access-requests', only: 'provided', action: 'access_request.list', nav: { word: 'requests', icon: IconClockShield, group: 'groupAdmin' }, load: () => import('../features/access-requests/AccessRequests') },
  { path: 'why', action: 'why.view', nav: { word: 'why', icon: IconHelpCircle, group: 'groupAdmin' }, load: () => import('../features/why/Why') },
  { path: 'branding', action: 'tenant_brand.view', nav: { word: 'branding', icon: IconPalette, group: 'groupAdmin' }, load: hub(() => import('../features/branding/TenantBranding')) },
  { path: 'bill', only: 'provided', action: 'bill.list', nav: { word: 'bill', icon: IconReceipt2, group: 'groupAdmin' }, load: () => import('../features/bill/Bill') },
  { path: 'licence', only: 'standalone', action: 'msp_licence.activate', nav: { word: 'mspLicence', icon: IconLicense, group: 'groupAdmin' }, load: () => import('../features/msp-licence/Activate') },
  { path: 'api-keys', action: 'api_key.list', nav: { word: 'apiKeys', icon: IconKey, group: 'groupAdmin' }, load: () => import('../features/api-keys/TenantKeys') },
  { path: 'ledger', action: 'ledger.list_own', nav: { word: 'ledger', icon: IconHistory, group: 'groupAdmin' }, load: () => import('../features/tenant-ledger/TenantLedger') },
  { path: 'settings', action: 'setting.view', nav: { word: 'settings', icon: IconSettings, group: 'groupAdmin' }, load: () => import('../features/tenant-settings/TenantSettings') },
  { path: 'offboarding', only: 'provided', action: 'offboarding.view', nav: { word: 'offboarding', icon: IconDoorExit, group: 'groupAdmin' }, load: () => import('../features/offboarding/Offboarding') },
];

export const pagesOf = (standalone: boolean) => tenantPages.filter((p) => !p.only || (p.only === 'standalone') === standalone);
export const accountPage: Page = { path: 'account', action: 'me.view', load: hub(() => import('../features/account/Account')) };
