// Brand, e-mail, alerts, notifications, groups, wide grants, fleet changes and pages across clients, by hand from the contract.
import type { Finding, Instant, LedgerEntry, List, Mask, Member, Named, NamedPlace, Permission, Severity, TenantState, Tier } from './types';

// brand
export const BRAND_LAYERS = ['platform', 'provider', 'tenant'] as const;
export type BrandLayer = (typeof BRAND_LAYERS)[number];
export interface Brand {
  id: string; version: number; layer: BrandLayer; name: string; colours: { brand: string; text_on_brand: string; accent: string | null }; logo: { light: string | null; dark: string | null }; favicon: string | null;
  support: { label: string; url: string } | null; email_footer: string | null; sign_in_text: string | null; contrast: { ratio: number; ok: boolean };
}
/** What a layer sets itself; null is inherited. Pictures are ids of assets. */
export const BRAND_ASSETS = ['logo_light', 'logo_dark', 'favicon'] as const;
export type BrandAssetKind = (typeof BRAND_ASSETS)[number];
type BrandWords = 'name' | 'email_footer' | 'sign_in_text';
export type OwnBrand = Record<BrandWords | BrandAssetKind, string | null> & { colours: { brand: string | null; accent: string | null }; support: { label: string; url: string } | null };
/** A change of it: what is left out stays. */
export type BrandChange = Partial<Omit<OwnBrand, 'colours'>> & { colours?: Partial<OwnBrand['colours']> };
export type BrandField = BrandWords | BrandAssetKind | 'colours.brand' | 'colours.accent' | 'support';
export type TenantBranding = 'override' | 'inherit' | 'locked';
export interface BrandView {
  own: OwnBrand; effective: Partial<Record<BrandField, { value: string | { label: string; url: string } | null; layer: BrandLayer }>>; tenant_branding: TenantBranding; locked?: boolean; locked_by?: string | null; brand: Brand; version: number; preview_host: string | null;
}
export interface BrandAsset { id: string; url: string; kind: BrandAssetKind; width: number | null; height: number | null; bytes: number }
export interface HostName { host: string; tenant: NamedPlace | null; kind: 'address' | 'custom'; created_at: Instant }

// e-mail
export interface PasswordReset { email_hint: string; expires_at: Instant }
export const MAIL_STATES = ['waiting', 'sent', 'failed', 'withheld'] as const;
export type MailState = (typeof MAIL_STATES)[number];
export interface Mail { id: string; to: string; template: string; subject: string; tenant: NamedPlace | null; state: MailState; attempts: number; next_at: Instant | null; sent_at: Instant | null; error: string | null; created_at: Instant }
export interface MailList extends List<Mail> { smtp: { configured: boolean; host: string | null; from: string | null } }

// alerts
export const ALERT_RULES = ['limit_crossed', 'scan_stale', 'new_criticals', 'relationship_expiring', 'writes_refused', 'licence_expiring'] as const;
export type AlertRule = (typeof ALERT_RULES)[number];
export const URGENCIES = ['critical', 'warning', 'info'] as const;
export type Urgency = (typeof URGENCIES)[number];
export const ALERT_STATES = ['open', 'acknowledged', 'snoozed', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];
export type Facts = Record<string, unknown>;
export interface Alert {
  id: string; of: 'provider' | 'tenant'; tenant: NamedPlace | null; rule: string; subject: string; label: string; urgency: Urgency; facts: Facts; state: AlertState; raised_at: Instant; last_at: Instant; count: number;
  acknowledged: { by: string | Named; at: Instant } | null; snoozed_until: Instant | null; resolved: { by: string | Named | null; at: Instant; how: 'by_person' | 'by_itself' } | null; version: number; can: Partial<Record<'acknowledge' | 'snooze' | 'resolve', Permission>>;
}
export interface AlertList extends List<Alert> { counts: Record<AlertState, number> & { by_urgency: Partial<Record<Urgency, number>> } }
export interface Notified { id: string; alert_id: string | null; tenant: NamedPlace | null; provider: NamedPlace | null; rule: string; label: string; facts: Facts; urgency: Urgency; at: Instant; read_at: Instant | null; link: string | null }
export interface NoticeList { unread: number; items: Notified[] }
export interface NotificationRule { rule: string; urgency_min: Urgency; channels: string[] }
export const DIGESTS = ['off', 'daily', 'weekly'] as const;
export type Digest = (typeof DIGESTS)[number];
export interface NotificationRules { items: NotificationRule[]; digest: Digest }
export interface Channel { id: string; name: string; kind: 'webhook'; url: string; state: 'active' | 'failing' | 'disabled'; created_at: Instant; last: { at: Instant; status: string } | null; secret?: string }
export interface Delivery { id: string; event: string; status: string; attempts: number; code: number | null; at: Instant; next_at: Instant | null; error: string | null }

// groups and wide grants
export interface GroupMatch { tiers?: Tier[]; plans?: string[]; industries?: string[]; states?: TenantState[]; name_contains?: string | null }
export interface TenantGroup { id: string; name: string; description: string; kind: 'static' | 'dynamic'; tenants?: NamedPlace[]; match: GroupMatch | null; client_count: number; grant_count: number; version: number }
export interface TenantGroupView { group: TenantGroup; tenants: List<NamedPlace> }
export const GRANT_OVER = ['group', 'all', 'all_except'] as const;
export type GrantOver = (typeof GRANT_OVER)[number];
export interface GroupGrant { id: string; person: Named & { staff: string }; over: GrantOver; group: Named | null; except: NamedPlace[]; tier: Tier; mask: Mask; modules: string[]; starts_at: Instant; ends_at: Instant | null; live: boolean; client_count: number; version: number }

// fleet changes
export const FLEET_KINDS = ['plan', 'tier', 'setting', 'assignment', 'suspend', 'resume'] as const;
export type FleetKind = (typeof FLEET_KINDS)[number];
export const FLEET_STATES = ['draft', 'approved', 'running', 'stopped', 'done', 'undoing', 'undone', 'cancelled'] as const;
export type FleetState = (typeof FLEET_STATES)[number];
export const FLEET_ITEM_STATES = ['planned', 'skipped', 'done', 'failed', 'undone', 'undo_failed'] as const;
export type FleetItemState = (typeof FLEET_ITEM_STATES)[number];
export interface FleetOver { tenants?: string[]; group?: string; all?: boolean; except?: string[] }
export interface FleetChange {
  id: string; kind: FleetKind; what: Record<string, unknown>; over: Record<string, unknown>; reason: string; state: FleetState; detail?: string; created_by: Named; created_at: Instant; approved_by: Named | null; stop_after: { failed_percent: number };
  progress: { total: number; done: number; failed: number; skipped: number; undone?: number; undo_failed?: number }; can: Partial<Record<'approve' | 'cancel' | 'resume' | 'undo', Permission>>; version: number;
}
export interface FleetItem { tenant: NamedPlace; state: FleetItemState; before: unknown; after: unknown; detail: string | null }
export interface FleetView extends FleetChange { items: List<FleetItem> }

// across clients
export interface Unreadable { reached?: number; unreadable?: { tenant: NamedPlace; why: string }[] }
export interface ClientFinding extends Finding { tenant: NamedPlace }
export type ClientFindingList = List<ClientFinding> & Unreadable & { facets?: { severity?: Partial<Record<Severity, number>> } };
export interface ClientMember { tenant: NamedPlace; member: Member }
export interface ClientActivity { tenant: NamedPlace; entry: LedgerEntry }
export interface ClientModule { module: string; open: boolean; last_activity_at: Instant | null; events_30d: number | null }
export interface ClientModules { modules: string[]; items: { tenant: NamedPlace; modules: ClientModule[] }[]; next?: string | null; total?: number }
