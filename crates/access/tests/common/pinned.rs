//! Questions that each answer to one guard.
use access::{
    AccessMode, Act, Assignment, Elevation, Grant, KeyPlace, Mask, Modules, ProviderState, Relationship, RelationshipState,
    StaffRole, Subject, TenantRole, TenantState, Tier,
};

use super::{
    Ask, ME, NOW, OTHER_PROVIDER, OTHER_TENANT, PROVIDER, SOMEBODY, TENANT, elevated, full_elevation, member, provider_admin,
    staff, technician,
};

/// One question per guard, named by the policy that answers it. Each is a yes in which a single thing has been made wrong.
pub fn pinned() -> Vec<(&'static str, Ask)> {
    let scan = |grant| Ask::new(Act::ScanList, grant);
    let last_admin = Subject::Member { role: TenantRole::Admin, last_admin: true };
    let last_provider_admin = Subject::Staff { role: StaffRole::ProviderAdmin, last_admin: true, is_self: false };
    let my_row = Subject::Staff { role: StaffRole::ProviderAdmin, last_admin: false, is_self: true };
    let admin = || member(TenantRole::Admin);
    let chief = || staff(StaffRole::ProviderAdmin);
    let raised = || elevated(technician(Tier::T3), full_elevation(Tier::T3));
    let mine = Subject::Request { is_self: true };
    vec![
        ("evidence.membership", scan(admin()).membership(|m| m.person = SOMEBODY)),
        ("evidence.membership", scan(admin()).membership(|m| m.tenant = OTHER_TENANT)),
        ("evidence.staff", scan(technician(Tier::T3)).staff(|s| s.person = SOMEBODY)),
        ("evidence.staff", scan(technician(Tier::T3)).staff_provider(|p| p.id = OTHER_PROVIDER)),
        ("evidence.relationship", scan(provider_admin(Tier::T3)).relationship(|r| r.provider = OTHER_PROVIDER)),
        ("evidence.relationship", scan(provider_admin(Tier::T3)).relationship(|r| r.tenant = OTHER_TENANT)),
        ("evidence.assignment", scan(technician(Tier::T3)).assignment(|a| a.person = SOMEBODY)),
        ("evidence.assignment", scan(technician(Tier::T3)).assignment(|a| a.tenant = OTHER_TENANT)),
        ("evidence.assignment", scan(technician(Tier::T3)).assignment(|a| a.provider = OTHER_PROVIDER)),
        ("evidence.elevation", scan(raised()).elevation(|e| e.person = SOMEBODY)),
        ("evidence.elevation", scan(raised()).elevation(|e| e.tenant = OTHER_TENANT)),
        ("evidence.elevation", scan(raised()).elevation(|e| e.provider = OTHER_PROVIDER)),
        ("evidence.elevation", scan(raised()).elevation(|e| e.approvers.push(ME))),
        ("evidence.elevation", scan(raised()).elevation(|e| e.approvers.clear())),
        ("evidence.key", scan(admin()).by_key(|k| k.person = SOMEBODY)),
        ("evidence.key", scan(admin()).by_key(|k| k.place = KeyPlace::Tenant(OTHER_TENANT))),
        ("evidence.key", scan(admin()).by_key(|k| k.place = KeyPlace::Provider(PROVIDER))),
        ("evidence.key", scan(technician(Tier::T3)).by_key(|k| k.place = KeyPlace::Provider(OTHER_PROVIDER))),
        ("evidence.own_key", Ask::new(Act::StaffList, chief()).by_key(|k| k.person = SOMEBODY)),
        ("evidence.own_key", Ask::new(Act::StaffList, chief()).by_key(|k| k.place = KeyPlace::Provider(OTHER_PROVIDER))),
        ("evidence.own_key", Ask::new(Act::StaffList, chief()).by_key(|k| k.place = KeyPlace::Tenant(TENANT))),
        ("stop.key_over", scan(admin()).by_key(|k| k.ends_at = NOW)),
        ("stop.key_over", Ask::new(Act::StaffList, chief()).by_key(|k| k.ends_at = NOW)),
        ("stop.key_person", Ask::new(Act::ApiKeyCreate, admin()).by_key(|_| {})),
        ("stop.key_person", Ask::new(Act::ProviderApiKeyCreate, chief()).by_key(|_| {})),
        ("stop.key_person", Ask::new(Act::ElevationApprove, chief()).by_key(|_| {})),
        ("stop.key_person", Ask::new(Act::MeView, Grant::SelfOnly).by_key(|_| {})),
        ("stop.key_scope", scan(admin()).by_key(|k| k.actions.clear())),
        ("stop.key_scope", Ask::new(Act::StaffList, chief()).by_key(|k| k.actions.clear())),
        ("stop.step_up", Ask::new(Act::ApiKeyCreate, admin()).without_step_up()),
        ("stop.step_up", Ask::new(Act::ProviderApiKeyCreate, chief()).without_step_up()),
        ("stop.technician", Ask::new(Act::ApiKeyCreate, technician(Tier::T3))),
        ("stop.technician", Ask::new(Act::ApiKeyRevoke, raised())),
        ("stop.own_request", Ask::new(Act::ElevationApprove, chief()).about(mine)),
        ("stop.own_access_request", Ask::new(Act::AccessRequestApprove, admin()).about(mine)),
        ("evidence.own_staff", Ask::new(Act::StaffList, chief()).staff(|s| s.person = SOMEBODY)),
        ("evidence.own_staff", Ask::new(Act::StaffList, chief()).staff(|s| s.provider = OTHER_PROVIDER)),
        ("evidence.own_staff", Ask::new(Act::StaffList, chief()).staff_provider(|p| p.id = OTHER_PROVIDER)),
        ("evidence.own_staff", Ask::new(Act::StaffList, chief()).provider(|p| p.id = OTHER_PROVIDER)),
        ("stop.person_disabled", scan(admin()).person(|p| p.enabled = false)),
        ("stop.membership_disabled", scan(admin()).membership(|m| m.enabled = false)),
        ("stop.staff_disabled", scan(technician(Tier::T3)).staff(|s| s.enabled = false)),
        ("stop.own_staff_disabled", Ask::new(Act::StaffList, chief()).staff(|s| s.enabled = false)),
        ("stop.purged", Ask::new(Act::TenantView, provider_admin(Tier::T3)).tenant(|t| t.state = TenantState::Purged)),
        ("stop.archived", scan(admin()).tenant(|t| t.state = TenantState::Archived)),
        ("stop.suspended", scan(admin()).tenant(|t| t.state = TenantState::Suspended)),
        ("stop.module", scan(admin()).tenant(|t| t.modules = Modules::NONE)),
        ("stop.sub_providers", Ask::new(Act::SubProviderCreate, chief())),
        ("stop.last_provider_admin", Ask::new(Act::StaffUpdate, chief()).about(last_provider_admin)),
        ("stop.last_provider_admin", Ask::new(Act::StaffDisable, chief()).about(last_provider_admin)),
        ("stop.last_provider_admin", Ask::new(Act::StaffRemove, chief()).about(last_provider_admin)),
        ("stop.own_staff_row", Ask::new(Act::StaffUpdate, chief()).about(my_row)),
        ("stop.own_staff_row", Ask::new(Act::StaffDisable, chief()).about(my_row)),
        ("stop.own_staff_row", Ask::new(Act::StaffRemove, chief()).about(my_row)),
        ("stop.own_assignment", Ask::new(Act::AssignmentCreate, chief()).about(Subject::Assignment { person_is_self: true })),
        ("stop.own_assignment", Ask::new(Act::AssignmentUpdate, chief()).about(Subject::Assignment { person_is_self: true })),
        ("stop.own_assignment", Ask::new(Act::AssignmentDelete, chief()).about(Subject::Assignment { person_is_self: true })),
        ("stop.last_admin", Ask::new(Act::MemberUpdate, admin()).about(last_admin)),
        ("stop.last_admin", Ask::new(Act::MemberDisable, admin()).about(last_admin)),
        ("stop.last_admin", Ask::new(Act::MemberRemove, admin()).about(last_admin)),
        ("stop.last_admin", Ask::new(Act::MemberGrantAdmin, admin()).about(last_admin)),
        ("stop.admin_seat", admin_seat(Act::MemberInvite)),
        ("stop.admin_seat", admin_seat(Act::MemberUpdate)),
        ("stop.admin_seat", admin_seat(Act::MemberDisable)),
        ("stop.admin_seat", admin_seat(Act::MemberEnable)),
        ("stop.admin_seat", admin_seat(Act::MemberRemove)),
        ("stop.admin_seat", naming_admins(|e| e.ends_at = NOW)),
        ("stop.admin_seat", naming_admins(|e| e.starts_at = NOW + 1)),
        ("stop.admin_seat", naming_admins(|e| e.break_glass = true)),
        ("stop.admin_seat", naming_admins(|_| {}).tenant(|t| t.staff_may_name_admins = false)),
    ]
}

fn admin_seat(act: Act) -> Ask {
    Ask::new(act, provider_admin(Tier::T3)).about(Subject::Member { role: TenantRole::Admin, last_admin: false })
}

/// Staff with an elevation that lifts the guard of admins' seats, were it not for the change.
fn naming_admins(change: impl FnOnce(&mut Elevation)) -> Ask {
    let mut with = full_elevation(Tier::T3);
    with.actions = vec![Act::MemberGrantAdmin];
    let seat = Subject::Member { role: TenantRole::Admin, last_admin: false };
    let ask = Ask::new(Act::MemberUpdate, elevated(provider_admin(Tier::T3), with)).about(seat);
    ask.elevation(change).tenant(|t| t.staff_may_name_admins = true)
}

/// Questions on the edge of a rule that chance finds seldom.
pub fn edges() -> Vec<Ask> {
    let naming = |tier| Ask::new(Act::MemberGrantAdmin, elevated(technician(Tier::T3), full_elevation(tier)));
    vec![
        naming_admins(|_| {}),
        naming_admins(|e| (e.starts_at, e.ends_at) = (NOW, NOW + 1)),
        naming(Tier::T3).tenant(|t| t.staff_may_name_admins = true),
        naming(Tier::T0).tenant(|t| t.staff_may_name_admins = true),
        Ask::new(Act::ScanList, technician(Tier::T3)).assignment(|a| a.modules = Modules::NONE),
        Ask::new(Act::MemberList, technician(Tier::T3)).assignment(|a| a.modules = Modules::NONE),
    ]
}

/// Staff in a tenant, by every kind of grant and on a choice of actions, with a single thing about it otherwise: each state, each
/// tier, each instant around an end.
pub fn one_thing_off() -> Vec<Ask> {
    let acts = [
        Act::SummaryView,
        Act::ScanList,
        Act::CommentCreate,
        Act::ScanImport,
        Act::OverrideRevoke,
        Act::FindingAssign,
        Act::MemberInvite,
        Act::MemberGrantAdmin,
        Act::TenantView,
        Act::TenantSuspend,
        Act::RelationshipUpdate,
    ];
    let (mut named, mut given) = (full_elevation(Tier::T0), full_elevation(Tier::T3));
    named.actions = acts.to_vec();
    (given.break_glass, given.approvers) = (true, Vec::new());
    let grants = [
        provider_admin(Tier::T3),
        technician(Tier::T3),
        elevated(technician(Tier::T1), full_elevation(Tier::T3)),
        elevated(technician(Tier::T3), named),
        elevated(technician(Tier::T3), given),
    ];
    acts.iter().flat_map(|act| grants.iter().flat_map(|grant| variants(&Ask::new(*act, grant.clone())))).collect()
}

fn variants(ask: &Ask) -> Vec<Ask> {
    let Grant::Reach { assignment, elevation, .. } = &ask.grant else { return Vec::new() };
    let mut all = vec![ask.clone(), ask.clone().barred()];
    all.extend([true, false].map(|on| ask.clone().tenant(|t| (t.t1_may_comment, t.staff_may_name_admins) = (on, !on))));
    all.push(ask.clone().tenant(|t| (t.t1_may_comment, t.staff_may_name_admins) = (true, true)));
    all.push(ask.clone().staff_provider(|p| p.state = ProviderState::Suspended));
    all.push(ask.clone().staff_provider(|p| p.access_mode = AccessMode::Explicit));
    let relationship = |change: &dyn Fn(&mut Relationship)| ask.clone().relationship(change);
    all.extend(RelationshipState::ALL.iter().map(|state| relationship(&|r| r.state = *state)));
    all.extend(Tier::ALL.iter().map(|tier| relationship(&|r| r.tier = *tier)));
    all.extend([NOW, NOW + 1].map(|end| relationship(&|r| r.ends_at = Some(end))));
    all.push(relationship(&|r| r.chain_live = false));
    if assignment.is_some() {
        let assignment = |change: &dyn Fn(&mut Assignment)| ask.clone().assignment(change);
        all.extend(Tier::ALL.iter().map(|tier| assignment(&|a| a.tier = *tier)));
        all.extend((0..16).map(|bits| assignment(&|a| a.mask = Mask::from_bits(bits))));
        all.extend([NOW, NOW + 1].map(|at| assignment(&|a| a.starts_at = at)));
        all.extend([NOW, NOW + 1].map(|at| assignment(&|a| a.ends_at = Some(at))));
        all.push(assignment(&|a| a.modules = Modules::NONE));
    }
    if elevation.is_some() {
        let elevation = |change: &dyn Fn(&mut Elevation)| ask.clone().elevation(change);
        all.extend(Tier::ALL.iter().map(|tier| elevation(&|e| e.tier = *tier)));
        all.extend(Tier::ALL.iter().map(|tier| elevation(&|e| (e.by_tenant, e.tier) = (true, *tier))));
        all.extend([NOW, NOW + 1].map(|at| elevation(&|e| e.starts_at = at)));
        all.extend([NOW, NOW + 1].map(|at| elevation(&|e| e.ends_at = at)));
        all.push(elevation(&|e| e.modules = Modules::NONE));
        all.push(elevation(&|e| e.break_glass = !e.break_glass));
    }
    all
}
