//! Every policy matters: leave one out, and some question is answered otherwise.
#![allow(clippy::unwrap_used)]

mod common;

use access::{Act, Engine, KeyPlace, ProviderState, RelationshipState, StaffRole, Subject, TenantRole, TenantState, Tier};
use common::{
    Ask, ENGINE, ME, NOW, OTHER_PROVIDER, OTHER_TENANT, PROVIDER, SOMEBODY, TENANT, asks, assigned, elevated, explicit,
    full_elevation, member, provider_admin, staff, technician,
};

/// One question per guard, named by the policy that answers it. Each is a yes in which a single thing has been made wrong.
fn pinned() -> Vec<(&'static str, Ask)> {
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
        ("stop.key_person", Ask::new(Act::MeView, access::Grant::SelfOnly).by_key(|_| {})),
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
        ("stop.module", scan(admin()).tenant(|t| t.modules = access::Modules::NONE)),
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
    ]
}

fn admin_seat(act: Act) -> Ask {
    Ask::new(act, provider_admin(Tier::T3)).about(Subject::Member { role: TenantRole::Admin, last_admin: false })
}

#[test]
fn each_guard_stops_what_it_is_for() {
    for (policy, ask) in pinned() {
        let verdict = ask.verdict();
        assert!(!verdict.allowed && verdict.forbidden, "{policy}: {ask:#?}");
        assert_eq!(&*verdict.policy, policy, "{ask:#?}");
        assert!(!verdict.why.is_empty() && !verdict.needs.is_empty());
        assert!(Engine::without(policy).unwrap().decide(&ask.question()).allowed, "{policy} is not alone in stopping {ask:#?}");
    }
}

#[test]
fn leaving_out_any_policy_changes_an_answer() {
    let questions: Vec<(Ask, bool)> = pinned()
        .into_iter()
        .map(|(_, ask)| ask)
        .chain(asks(5, 20_000))
        .map(|ask| {
            let allowed = ask.allowed();
            (ask, allowed)
        })
        .collect();
    for policy in Engine::policy_ids().unwrap() {
        let engine = Engine::without(&policy).unwrap();
        let changed = questions.iter().any(|(ask, allowed)| engine.decide(&ask.question()).allowed != *allowed);
        assert!(changed, "{policy} could be left out and nobody would notice");
    }
}

#[test]
fn everything_that_can_be_asked_can_be_folded() {
    ENGINE.fold_all().unwrap();
}

#[test]
fn what_stops_a_relationship_forbids_nothing() {
    // a person may also be a member there: a frozen or ended relationship must not outvote that grant
    use RelationshipState::{Ended, Expired, Frozen, Requested};
    for state in [Ended, Expired, Frozen, Requested] {
        let verdict = Ask::new(Act::ScanList, technician(Tier::T3)).relationship(|r| r.state = state).verdict();
        assert!(!verdict.allowed && !verdict.forbidden, "{state}");
        assert_eq!(&*verdict.policy, "no_grant");
    }
    let suspended = Ask::new(Act::ScanList, technician(Tier::T3)).staff_provider(|p| p.state = ProviderState::Suspended);
    assert!(!suspended.verdict().allowed && !suspended.verdict().forbidden);
}

#[test]
fn the_first_policy_in_the_file_is_quoted() {
    let both = Ask::new(Act::SummaryView, assigned(StaffRole::ProviderAdmin, Tier::T2));
    assert_eq!(&*both.verdict().policy, "reach.provider_admin");
    let explicit = Ask::new(Act::SummaryView, explicit(assigned(StaffRole::ProviderAdmin, Tier::T2)));
    assert_eq!(&*explicit.verdict().policy, "reach.summary");
    let stopped = Ask::new(Act::ScanList, member(TenantRole::Admin))
        .membership(|m| m.enabled = false)
        .tenant(|t| t.state = TenantState::Suspended)
        .verdict();
    assert_eq!(&*stopped.policy, "stop.membership_disabled");
}
