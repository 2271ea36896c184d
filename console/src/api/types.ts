// The API's shapes, by hand from the contract. When openapi.json exists: `npm run gen`, then re-export `components['schemas']` from here.

import type { ClosedModule, Hold, LimitWarning, Notice, PurgeRequest, Setting } from './business';
import type { Brand } from './hub-types';

export type Tier = 'T0' | 'T1' | 'T2' | 'T3';
export const TIERS = ['T0', 'T1', 'T2', 'T3'] as const satisfies readonly Tier[];
export type Instant = string;
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'informational' | 'unknown';
export type Locale = 'en' | 'de';
export type Scheme = 'auto' | 'light' | 'dark';
export type ProviderRole = 'provider_admin' | 'technician';
export type TenantRole = 'admin' | 'operator' | 'auditor' | 'viewer';
export type TenantState = 'active' | 'suspended' | 'archived' | 'purged';
export type RelationshipState = 'requested' | 'active' | 'expiring' | 'expired' | 'frozen' | 'ended';
export type InvitationState = 'open' | 'accepted' | 'revoked' | 'expired';

export interface List<T> { items: T[]; next: string | null; total: number }
export interface Named { id: string; name: string }
export interface NamedPlace extends Named { slug: string }

/** `step_up`: allowed, but a fresh second factor is asked for first. */
export interface Permission { allowed: boolean; why: string | null; needs: string | null; step_up?: boolean }
export type Can = Record<string, Permission | undefined>;

export interface FieldError { field: string; code: string; message: string }
export interface ProblemPlace { line?: number | null; column?: number | null; pointer?: string | null; record?: number | null }
export interface Problem {
  type: string; title: string; status: number; code: string; detail?: string | null; instance?: string | null;
  errors?: FieldError[] | null; needs?: string | null; policy?: string | null; why?: string | null; at?: ProblemPlace | null;
}

// public
export type SetupMode = 'provider' | 'standalone';
export interface SetupView { needed: boolean; modes?: SetupMode[] }
export interface SetupCreate { code: string; mode?: SetupMode; provider_name?: string; provider_slug?: string; organisation_name?: string; organisation_slug?: string; name: string; email: string; password: string }
export interface SessionStep { state: 'signed_in' | 'second_factor'; me: Me | null }
export interface SessionVerified { state: 'signed_in'; me: Me; recovery_codes_left: number }
export interface InvitationView { kind: 'staff' | 'member'; organisation: string; role: ProviderRole | TenantRole; email: string; invited_by: string; expires_at: Instant; has_account: boolean }
export interface InvitationCreated { id: string; url: string; token: string; email: string; role: ProviderRole | TenantRole; expires_at: Instant; warning?: LimitWarning | null }
export interface Invitation { id: string; email: string; role: ProviderRole | TenantRole; invited_by: string; created_at: Instant; expires_at: Instant; state: InvitationState }

// self
export interface Preferences { pinned: string[]; scheme: Scheme; dismissed?: string[] }
/** What a place of the person's asks for before anything else is open. */
export type Lack = 'second_factor' | 'second_factor_again' | 'password';
export interface Me {
  person: { id: string; email: string; name: string; locale: Locale; second_factor: boolean; recovery_codes_left: number; preferences: Preferences; version: number };
  providers: (NamedPlace & { role: ProviderRole; client_count: number })[];
  tenants: (NamedPlace & { role: TenantRole; state?: TenantState })[];
  standalone?: boolean;
  session: { id: string; expires_at: Instant; idle_expires_at: Instant; second_factor_at: Instant | null; stepped_up_at?: Instant | null; fresh_until?: Instant | null; missing?: Lack | null; brand?: { id: string; version: number } | null };
  brand?: Brand | null;
}
export interface MeUpdate { name?: string; locale?: Locale; preferences?: Preferences }
export interface Session { id: string; current: boolean; created_at: Instant; last_seen_at: Instant; expires_at: Instant; address: string; user_agent: string; second_factor: boolean }
export interface TotpBegin { secret: string; uri: string; qr_svg: string }
export interface RecoveryCodes { recovery_codes: string[] }

// provider plane
export interface ProviderSettings { access_mode: 'tiered' | 'explicit' | 'implicit_owner'; sub_providers: boolean; staff_shown: 'by_name' | 'by_role' }
export interface Provider extends NamedPlace { parent: Named | null; ceiling: Tier | null; state: string; role: ProviderRole; settings: ProviderSettings; can: Can; version: number }
export interface SubProvider extends NamedPlace { ceiling: Tier; client_count: number; staff_count: number; state: string; version: number }
export interface SubProviderCreated { provider: SubProvider; invitation: InvitationCreated }

export type ScanStatus = 'current' | 'stale' | 'never';
export interface Seats { used: number; limit: number | null; status: 'ok' | 'over_limit' | 'unlimited' }
export const CLIENT_FILTERS = ['attention', 'stale', 'never', 'over_limit', 'suspended', 'archived', 'sub_provider'] as const;
export type ClientFilter = (typeof CLIENT_FILTERS)[number];
export interface Client extends NamedPlace {
  industry: string | null; plan: string | null; state: TenantState; tier: Tier; relationship_state: RelationshipState; via: Named | null;
  score: number | null; passed: number; failed: number; overridden: number; trend: (number | null)[]; delta: number | null;
  scan: { status: ScanStatus; at: Instant | null }; critical: number; high: number; seats: Seats; attention: boolean; onboarding?: { done: number; of: number } | null; enter: { allowed: boolean; why: string | null };
}
export interface ClientList extends List<Client> {
  counts: Record<'all' | ClientFilter, number>;
  kpis: { average_score: number | null; average_delta: number | null; critical: number; critical_clients: number; high: number; stale: number; never: number; clients: number; clients_max: number | null };
}
export interface TenantRow extends NamedPlace { state: TenantState; plan: string | null; created_at: Instant; relationship: { id: string; tier: Tier; state: RelationshipState; ends_at: Instant | null }; via: Named | null }
export interface Tenant extends NamedPlace {
  industry: string | null; state: TenantState; state_reason: string | null; plan: { id: string; name: string; modules: string[]; seats_max: number | null; number?: number; newest_number?: number }; seats_max: number | null;
  created_at: Instant; archived_at: Instant | null; purge_after: Instant | null;
  relationship: {
    id: string; tier: Tier; state: RelationshipState; ends_at: Instant | null; parent_tier: Tier | null; version: number;
    raise_by: RaiseBy; assign_by: ConsentBy; renew_by: ConsentBy; freezes: Freeze[]; pending: PendingConsent[];
  };
  via: Named | null; counts: { members: number; scans: number; findings_open: number }; can: Can; version: number; invitation?: InvitationCreated | null;
  closed_modules?: ClosedModule[]; hold?: Hold | null; purge_request?: PurgeRequest | null;
}
export interface TenantCreate { slug: string; name: string; plan: string; industry?: string; tier?: Tier; ends_at?: Instant; admin_email?: string }
export interface TenantPurged { purged: true; files_removed: number; key_destroyed: boolean }

export interface Staff {
  id: string; person: { id: string; name: string; email: string }; role: ProviderRole; state: 'active' | 'disabled'; second_factor: boolean; last_seen_at: Instant | null;
  assignments: number; protected: boolean; is_me: boolean; version: number; created_at: Instant;
}
export interface StaffDetail extends Omit<Staff, 'assignments'> { assignments: Assignment[]; can: Can }
export const MASK_OPS = ['view', 'create', 'update', 'delete'] as const;
export type Mask = Record<(typeof MASK_OPS)[number], boolean>;
export interface Assignment {
  id: string; staff: Named; tenant: NamedPlace; tier: Tier; effective_tier: Tier; mask: Mask; modules: string[]; starts_at: Instant; ends_at: Instant | null; live: boolean; version: number;
}

export type Outcome = 'done' | 'refused' | 'failed';
export interface LedgerChange { kind: string; id: string; before: unknown; after: unknown }
export interface LedgerEntry {
  id: string; seq: number; at: Instant; actor: { id: string | null; name: string; kind: 'person' | 'system' | 'nobody'; key?: Named | null };
  as: { source: string; id: string | null; role: string | null; tier: Tier | null; provider: Named | null } | null;
  action: string; outcome: Outcome; code: string | null; subject: { kind: string; id: string; label: string | null } | null; changes: LedgerChange[];
  reason: string | null; request_id: string; address: string | null; hash: string;
}

// tenant, records plane
export interface TenantContext {
  tenant: NamedPlace & { state: TenantState; plan: string | null; modules: string[]; closed_modules?: ClosedModule[]; standalone?: boolean; notice?: Notice | null };
  me: {
    as: 'member' | 'staff'; role: string | null; tier: Tier | null; tier_name: string | null; mask: Mask | null; modules: string[] | null; until: Instant | null; provider: Named | null;
    grant: { source: GrantSource; id: string }; elevations?: RunningElevation[];
  };
  brand: Brand; can: Can;
}
export interface FrameworkScore { framework: string; passed: number; failed: number; score: number }
export interface Decision { kind: string; count: number; text: string; to: string }
export interface RecentEntry { at: Instant; actor: LedgerEntry['actor']; action: string; text: string }
export interface Summary {
  score: number | null; passed: number; failed: number; overridden: number; trend: (number | null)[]; delta: number | null; scan: { status: ScanStatus; at: Instant | null; stale_at: Instant | null };
  critical: number; high: number; seats: Seats; frameworks: FrameworkScore[]; decisions: Decision[]; recent: RecentEntry[];
}
export interface TenantSettings { scan_interval_days: number; comments_from_t1: boolean; staff_may_name_admins: boolean; staff_shown: 'by_name' | 'by_role'; settings?: Setting[]; version: number }
export interface Member {
  id: string; person: { id: string; name: string; email: string }; role: TenantRole; state: 'active' | 'disabled'; second_factor: boolean; last_seen_at: Instant | null;
  protected: boolean; is_me: boolean; version: number; created_at: Instant;
}

// tenant, data plane
export interface Scan {
  id: string; state: 'running' | 'complete' | 'failed' | 'interrupted'; format: string; tool: string | null; tool_version: string | null; target: string | null; file: string; bytes: number; sha: string;
  observed_at: Instant | null; imported_at: Instant; imported_by: Named; complete: boolean; findings: number; passed: number; failed: number; manual: number;
  new: number; fixed: number; returned: number; recurring: number; merged: number; score: number | null; unknown_classes: Record<string, number>;
  progress: { bytes_read: number; bytes_total: number; findings: number } | null; problem: Problem | null; duplicate_of: string | null;
}
export interface Framework { framework: string; controls: number; passed: number; failed: number; overridden: number; score: number | null }
export interface Control {
  id: string; uid: string; title: string; severity: Severity; status: 'passed' | 'failed' | 'overridden' | 'manual'; tool: string | null; failing: number; passing: number; overridden: number;
  frameworks: { framework: string; requirement: string }[];
}
export interface ControlDetail extends Control { description: string | null; remediation: string | null; url: string | null; findings_open: number }
export interface ScorePoint { at: Instant; score: number; passed: number; failed: number; overridden: number; critical: number; high: number; scan: string }
export type FindingStatus = 'open' | 'overridden' | 'passed' | 'fixed' | 'manual';
export type Lifecycle = 'new' | 'recurring' | 'fixed' | 'returned';
export interface Finding {
  id: string; title: string; severity: Severity; status: FindingStatus; lifecycle: Lifecycle; control: { id: string; uid: string; title: string };
  resource: { uid: string; name: string | null; kind: string | null; region: string | null; account: string | null }; tool: string | null;
  first_seen_at: Instant; last_seen_at: Instant; age_days: number; assignee: Named | null; overridden: boolean; comments: number;
}
export interface FindingList extends List<Finding> {
  facets: { status: Record<string, number>; severity: Record<string, number>; lifecycle: Record<string, number>; framework: { value: string; count: number }[]; resource: { value: string; count: number }[]; assignee: { me: number; none: number } };
}
export interface Comment { id: string; author: { id: string; name: string; as: string }; text: string; at: Instant }
export interface Override {
  id: string; scope: 'finding' | 'control'; finding: { id: string; title: string } | null; control: { id: string; uid: string; title: string }; reason: string; expires_at: Instant;
  created_at: Instant; created_by: Named; revoked_at: Instant | null; revoked_by: Named | null; state: 'active' | 'expired' | 'revoked';
}
export interface FindingDetail extends Finding {
  message: string | null; location: unknown; evidence: unknown; description: string | null; remediation: string | null; url: string | null; frameworks: { framework: string; requirement: string }[];
  history: { scan: string; at: Instant; outcome: string }[]; override: Override | null; comments_list: Comment[]; can: Can; version: number;
}
export interface Assignee { id: string; name: string; as: string }

// consent, freezes and who reaches a tenant
export const GRANT_SOURCES = ['membership', 'relationship', 'assignment', 'group_grant', 'elevation', 'break_glass'] as const;
export type GrantSource = (typeof GRANT_SOURCES)[number];
export const RAISE_BY = ['tenant_consent', 'provider', 'operator'] as const;
export type RaiseBy = (typeof RAISE_BY)[number];
export const CONSENT_BY = ['tenant_consent', 'provider'] as const;
export type ConsentBy = (typeof CONSENT_BY)[number];
export interface Freeze { side: 'tenant' | 'provider'; by: Named | null; at: Instant; reason: string }
export interface PendingConsent { id: string; kind: 'tier' | 'renewal' | 'assignment'; label: string; asked_by: string; asked_at: Instant }
export interface RunningElevation { id: string; tier: Tier | null; actions: string[]; ends_at: Instant; break_glass: boolean }
export interface AccessRelationship {
  id: string; provider: Named & { parent: boolean }; tier: Tier; state: RelationshipState; ends_at: Instant | null; raise_by: RaiseBy; assign_by: ConsentBy; renew_by: ConsentBy; freezes: Freeze[];
}
/** Without a name where staff are shown by role only. */
export interface ReachName { id: string; name: string | null; email: string | null }
export interface AccessPerson {
  person: ReachName; provider: Named & { parent: boolean }; role: ProviderRole; through: { source: GrantSource; id: string }; tier: Tier; mask: Mask | null; modules: string[]; until: Instant | null;
  live: boolean; why_not: string | null; last_used_at: Instant | null; barred: { by: string; at: Instant; reason: string } | null;
}
export interface ProviderAccess { frozen: Freeze | null; relationships: AccessRelationship[]; people: AccessPerson[]; pending: number }

// elevations
export const APPROVERS = ['provider', 'tenant', 'both'] as const;
/** No template has the operator's: it stands for break-glass. */
export type Approver = (typeof APPROVERS)[number] | 'operator';
export interface ElevationTemplate {
  id: string; name: string; description: string; tier: Tier | null; actions: string[]; modules: string[]; minutes_max: number; approver: Approver; ticket: boolean; step_up: boolean; state: 'active' | 'retired'; version: number;
}
export const ELEVATION_STATES = ['requested', 'running', 'ended', 'denied', 'cancelled', 'lapsed'] as const;
export type ElevationState = (typeof ELEVATION_STATES)[number];
/** Without an id for staff who are shown by role. */
export interface Somebody { id: string | null; name: string }
export interface Approval { by: Somebody; at: Instant }
export interface Elevation {
  id: string; tenant: NamedPlace; provider: Named; person: Somebody; template: { id: string | null; name: string }; tier: Tier | null; actions: string[]; modules: string[]; minutes: number; approver: Approver; reason: string; ticket: string | null;
  state: ElevationState; requested_at: Instant; lapses_at: Instant; provider_approval: Approval | null; tenant_approval: Approval | null; starts_at: Instant | null; ends_at: Instant | null; closed_by: Somebody | null; closed_at: Instant | null;
  decision_reason: string; break_glass: boolean; is_mine: boolean; can: { approve: Permission; deny: Permission; end: Permission }; version: number;
}
export const REQUEST_KINDS = ['elevation', 'tier', 'renewal', 'assignment'] as const;
/** pending: for this tenant's word; waiting: for the provider's. */
export type RequestState = 'pending' | 'waiting' | 'running' | 'approved' | 'denied' | 'withdrawn' | 'overtaken' | 'ended' | 'cancelled' | 'lapsed';
export interface RequestedElevation { template: string; tier: Tier | null; actions: string[]; modules: string[]; minutes: number; ticket: string; approver: Approver; starts_at: Instant | null; ends_at: Instant | null; break_glass: boolean }
export interface AccessRequest {
  id: string; kind: (typeof REQUEST_KINDS)[number]; label: string; provider: string; asked_by: ReachName; asked_at: Instant; reason: string; state: RequestState; elevation: RequestedElevation | null;
  decided_by: string | null; decided_at: Instant | null; decision_reason: string; can: { approve: Permission; deny: Permission; end: Permission };
}

// relationships over all clients
export interface RelationshipRow { tenant: NamedPlace; id: string; tier: Tier; state: RelationshipState; ends_at: Instant | null; days_left: number | null; renew_by: ConsentBy; warned_days: number | null; pending_renewal: boolean }
export interface Renewed { results: { asked: string; tenant: NamedPlace | null; outcome: 'renewed' | 'waiting' | 'failed'; detail: string }[] }
export interface TierPreview {
  tenants: { tenant: NamedPlace; from: Tier; to: Tier; consent_needed: boolean; people: { id: string; name: string; gains: string[]; loses: string[] }[] }[];
  unknown: string[]; totals: { tenants: number; people: number; gains: number; loses: number };
}

// why
export interface WhyGrant { source: GrantSource; id: string; role: string | null; tier: Tier | null; provider: string | null }
export interface WhyStep extends WhyGrant { allowed: boolean; forbidden: boolean; policy: string; why: string; ends_at: Instant | null }
export interface WhyPerson { id: string; name: string; email: string; enabled: boolean }
export interface WhyAction { name: string; module: string | null; op: string; tier: Tier | null; roles: TenantRole[]; staff: ProviderRole[] }
/** `needs` is empty on a yes. */
interface Verdict { allowed: boolean; policy: string; why: string; needs: string }
export interface Why extends Verdict { person: WhyPerson | null; action: WhyAction; known: boolean; step_up: boolean; until: Instant | null; through: WhyStep[] }
export interface WhoRow extends Verdict { person: WhyPerson; through: WhyStep }
export interface WhatRow extends Verdict, WhyAction { step_up: boolean }
export interface What { person: WhyPerson | null; items: WhatRow[] }
export interface ClientWho { tenant: NamedPlace; people: { id: string; name: string; through: WhyStep }[] }

// API keys
export interface ApiKey { id: string; name: string; hint: string; actions: string[]; created_by: Somebody; created_at: Instant; expires_at: Instant; last_used_at: Instant | null; last_address: string | null; state: 'active' | 'expired' | 'revoked'; revoked_at: Instant | null }
export interface Grantable { name: string; module: string | null; op: string; door: 'read' | 'write' }
export interface ApiKeyList extends List<ApiKey> { grantable: Grantable[] }
export interface ApiKeyCreated { key: ApiKey; token: string; warning?: LimitWarning | null }

// the ledger's proofs
export interface LedgerCheckpoint { chain: string; seq: number; hash: string; at: Instant; key_id: string; signature: string }
export interface LedgerCheck { ok: boolean; checked_at: Instant; entries: number; first_bad: { seq: number | null; reason: string } | null; head: { seq: number; hash: string }; last_checkpoint: LedgerCheckpoint | null }
export interface LedgerKey { key_id: string; public_key: string; certificate: { by: string; from: Instant; signature: string } | null }
export interface Certificate { id: string; tenant: string; name: string; by: string; purged_at: Instant; completed_at: Instant | null }
