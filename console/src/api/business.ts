// The provider's business: plans, bills, licences, settings, lifecycle. Money is an integer of millionths of the currency.
import type { Can, Instant, List, Named, NamedPlace, Permission, Tier } from './types';

export const MODULES = ['discovery', 'finops', 'governance', 'secops', 'orchestration', 'observability', 'compliance', 'identity'] as const;
export const LIMITS = ['seats', 'automations', 'resources', 'api_keys'] as const;
export type Limit = (typeof LIMITS)[number];
/** null: unlimited; 0: none. */
export type Limits = Record<Limit, number | null>;
export interface Price { month: number; seat: number; currency: string }
/** What a version of a plan holds. */
export interface PlanTerms { modules: string[]; limits: Limits; price: Price; trial_days: number }
export interface Plan extends PlanTerms { id: string; name: string; description: string; version: number; number: number; state: 'active' | 'retired'; client_count: number; grandfathered_count: number; updated_at: Instant }
export interface PlanVersion extends PlanTerms { number: number; name: string; created_at: Instant; by: Named | null; client_count: number }
interface PlanAt { plan: string; name: string; number: number }
export interface PlanMove { tenant: NamedPlace; from: PlanAt | null; to: PlanAt; opens: string[]; closes: string[]; data_kept_until: Instant | null; price_change: { month: number; currency: string } | null; over: { limit: Limit; used: number; max: number }[] }
export interface PlanPreview { items: PlanMove[]; totals: { tenants: number; opens: number; closes: number } }
export interface PlanAssigned { results: { tenant: NamedPlace; outcome: 'moved' | 'unchanged' | 'failed'; detail: string | null }[] }

/** `quantity`: days of a plan or trial, or seats; `unit_micros`: a whole month of one; both days belong to it. */
export interface BillLine { kind: 'plan' | 'seats' | 'trial'; label: string; quantity: number; unit_micros: number; amount_micros: number; from: Instant; to: Instant }
/** Without an id while it runs. */
export interface Bill { id: string | null; period: string; state: 'running' | 'closed'; tenant: NamedPlace; plan: { name: string; number: number }; currency: string; seats: number; lines: BillLine[]; total_micros: number }
export interface BillList { items: Bill[]; plan: { name: string; number: number; modules: string[]; limits: Limits; price: Price; trial_until: Instant | null }; seats: { used: number; max: number | null } }
export interface RevenueRow { tenant: NamedPlace; plan: string | null; currency: string; months: number[]; total_micros: number }
export interface Revenue extends List<RevenueRow> { months: string[]; currencies: string[]; totals: { currency: string; months: number[]; total_micros: number }[] }

export const ENFORCEMENTS = ['inform', 'warn', 'block_new'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];
export const ALSO_BLOCKS = ['automations', 'api_keys'] as const;
export const LICENCE_TYPES = ['per_user_all_features', 'custom'] as const;
export type LicenceType = (typeof LICENCE_TYPES)[number];
export type LicenceStatus = 'ok' | 'over_limit' | 'unlimited';
export interface LimitState { used: number; max: number | null; own: boolean; enforcement: Enforcement; also_blocks: string[] }
export interface LicenceRow {
  tenant: NamedPlace; tier: Tier; type: LicenceType; users: number; users_max: number | null; status: LicenceStatus; near: boolean; limits: Record<Limit, LimitState>; can: { update: Permission }; version: number;
}
export interface Licensing extends List<LicenceRow> {
  kpis: { organisations: number; licensed_users: number; seat_capacity: number; over_limit: number }; near_limit: (NamedPlace & { used: number; max: number })[]; history: UsageMonth[];
}
export interface UsageMonth { month: string; users: number; capacity: number }
/** It was made, and a limit is reached: `detail` says so in words. */
export interface LimitWarning { limit: Limit; used: number; max: number; detail: string }
export interface TenantLicence { type: LicenceType; limits: Record<Limit, LimitState>; status: LicenceStatus }

export interface MspLicence {
  licence: { id: string; customer: string; tenants_max: number | null; issued_at: Instant; expires_at: Instant; grace_days: number; issuer: string; issuer_name?: string | null; state: 'valid' | 'grace' | 'expired'; problem?: string | null } | null;
  tenants: { used: number; max: number | null }; notice: Notice | null;
}
export interface Notice { kind: string; at: Instant; provider: string; by: string; linked: { members: number; scans: number; findings_open: number } }
export interface MspLicenceActivated { provider: NamedPlace; tenant: NamedPlace; notice: Notice }

export type SettingValue = string | number | boolean;
export type SettingLayer = 'default' | 'preset' | 'provider' | 'tenant';
export interface Setting {
  key: string; kind: 'choice' | 'number' | 'boolean'; choices?: string[] | null; min?: number | null; max?: number | null; unit?: string | null;
  value: SettingValue | null; layer: SettingLayer; default: SettingValue | null; own: SettingValue | null; locked_by: string | null;
}
export interface SettingGroup { key: string; settings: Setting[] }
export interface ProviderSettingList { preset: string | null; groups: SettingGroup[]; version: number }
export interface ClientSettingList { settings: Setting[]; version: number }
export interface PresetDifference { key: string; from: SettingValue | null; to: SettingValue | null; affects: { tenants: number; people: number } }
export interface Preset { key: string; differences: PresetDifference[] }
export interface PresetList { current: string | null; items: Preset[] }

export const ONBOARDING_STEPS = ['created', 'members', 'relationship', 'credentials', 'first_scan'] as const;
export interface OnboardingStep { key: (typeof ONBOARDING_STEPS)[number]; state: 'done' | 'open' | 'skipped'; at: Instant | null; detail: string | null }
export interface Onboarding { steps: OnboardingStep[]; done: number; of: number }
export interface Hold { by: Named | null; at: Instant; reason: string }
/** `lapses_at` null: it waits for the client to be archived. */
export interface PurgeRequest { by: Named | null; side: 'provider' | 'tenant'; at: Instant; reason: string; lapses_at?: Instant | null }
export interface ClosedModule { module: string; closed_at: Instant; kept_until: Instant }
export interface Offboarding { state: string; purge_after: Instant | null; hold: Hold | null; purge_request: PurgeRequest | null; steps: { key: 'export' | 'ledger' | 'access'; state: string; detail: string | null }[] }

export type HoldingKind = 'assignment' | 'group_grant' | 'elevation' | 'api_key' | 'approval' | 'session' | 'invitation' | 'finding';
/** Without choices it is there to be known: it stays, or is not theirs alone. */
export interface Holding { kind: HoldingKind; id: string; tenant: NamedPlace | null; label: string; count?: number | null; choices: ('move' | 'end')[] }
export interface StaffLeaving { person: Named; holds: Holding[]; replacements: Named[]; can?: Can }
export interface StaffLeft { results: { kind: HoldingKind; id: string; outcome: string; detail: string | null }[] }
