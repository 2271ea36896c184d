//! What a tenant can rely on: elevations, freezes, removals, API keys and fresh second factors.
#![allow(clippy::unwrap_used)]

mod common;

use access::{Act, Grant, Modules, Plane, RelationshipState, StaffRole, Subject, TenantRole, Tier};
use common::{
    Ask, ME, NOW, SOMEBODY, asks, assigned, elevated, explicit, full_elevation, member, provider_admin, staff, technician,
};

fn inside() -> impl Iterator<Item = Act> {
    Act::ALL.iter().copied().filter(|act| act.info().plane.is_inside())
}

/// A technician at T2 of a relationship of this tier, with an elevation to T3.
fn raised(relationship: Tier) -> Grant {
    let Grant::Reach { staff, provider, relationship: mut r, assignment, barred, .. } = technician(Tier::T2) else { panic!() };
    r.tier = relationship;
    let elevation = Some(full_elevation(Tier::T3));
    Grant::Reach { staff, provider, relationship: r, assignment, elevation, barred }
}

#[test]
fn an_elevation_raises_to_its_tier_and_no_further() {
    for act in inside().filter(|act| !act.info().flags.chief) {
        for tier in Tier::ALL {
            let with = elevated(technician(Tier::T3), full_elevation(*tier));
            let with = Ask::new(act, with).assignment(|a| (a.tier, a.mask) = (Tier::T0, access::Mask::NONE));
            assert_eq!(with.allowed(), Ask::new(act, technician(*tier)).allowed(), "{act} at {tier}");
        }
    }
}

#[test]
fn above_the_relationships_tier_only_the_tenant_can_raise() {
    for act in inside() {
        let by_provider = Ask::new(act, raised(Tier::T2));
        assert_eq!(by_provider.allowed(), Ask::new(act, technician(Tier::T2)).allowed(), "{act}");
        let by_tenant = by_provider.elevation(|e| e.by_tenant = true);
        assert_eq!(by_tenant.allowed(), Ask::new(act, technician(Tier::T3)).allowed(), "{act}");
        let within = Ask::new(act, raised(Tier::T3));
        assert_eq!(within.allowed(), Ask::new(act, technician(Tier::T3)).allowed(), "{act}");
    }
}

#[test]
fn an_elevation_can_name_single_actions_instead() {
    for act in inside().filter(|act| !act.info().flags.chief && act.info().tier.is_some()) {
        let mut only = full_elevation(Tier::T0);
        only.actions = vec![act];
        let named = elevated(technician(Tier::T3), only.clone());
        let base = Ask::new(act, named.clone()).assignment(|a| a.tier = Tier::T0);
        assert!(base.allowed(), "{act}");
        for other in inside().filter(|other| *other != act && other.info().tier != Some(Tier::T0)) {
            assert!(!Ask::new(other, named.clone()).assignment(|a| a.tier = Tier::T0).allowed(), "{act} named, {other} done");
        }
    }
}

#[test]
fn an_elevation_begins_and_ends_on_the_second() {
    let ask = Ask::new(Act::MemberInvite, raised(Tier::T3)).elevation(|e| (e.starts_at, e.ends_at) = (NOW, NOW + 5));
    assert!(!ask.clone().at(NOW - 1).allowed());
    assert!(ask.clone().at(NOW).allowed());
    assert!(ask.clone().at(NOW + 4).allowed());
    assert!(!ask.clone().at(NOW + 5).allowed());
    assert_eq!(ask.at(NOW).verdict().until, Some(NOW + 5));
}

#[test]
fn an_elevation_ends_with_what_it_stands_on() {
    let up = || Ask::new(Act::MemberInvite, raised(Tier::T3));
    assert!(up().allowed());
    assert!(!up().assignment(|a| a.ends_at = Some(NOW)).allowed());
    assert!(!up().relationship(|r| r.state = RelationshipState::Frozen).allowed());
    assert!(!up().relationship(|r| r.chain_live = false).allowed());
    assert!(!up().barred().allowed());
    let alone = elevated(explicit(provider_admin(Tier::T3)), full_elevation(Tier::T3));
    assert!(Ask::new(Act::MemberInvite, alone).allowed(), "a provider admin in explicit mode needs an assignment or an elevation");
    let Grant::Reach { staff, provider, relationship, elevation, barred, .. } = raised(Tier::T3) else { panic!() };
    let unassigned = Grant::Reach { staff, provider, relationship, assignment: None, elevation, barred };
    assert!(!Ask::new(Act::MemberInvite, unassigned).allowed());
    let scan =
        Ask::new(Act::ScanImport, elevated(technician(Tier::T1), full_elevation(Tier::T2))).elevation(|e| e.by_tenant = true);
    assert!(scan.allowed() && !scan.elevation(|e| e.modules = Modules::NONE).allowed());
}

#[test]
fn admins_are_named_by_staff_only_through_an_elevation_for_it_and_where_the_tenant_allows_it() {
    let mut naming = full_elevation(Tier::T0);
    naming.actions = vec![Act::MemberGrantAdmin];
    let ask =
        |with| Ask::new(Act::MemberGrantAdmin, elevated(technician(Tier::T3), with)).tenant(|t| t.staff_may_name_admins = true);
    assert!(ask(naming.clone()).allowed());
    assert!(!ask(naming.clone()).tenant(|t| t.staff_may_name_admins = false).allowed());
    assert!(!ask(full_elevation(Tier::T3)).allowed(), "a tier does not name it");
    assert!(!ask(naming.clone()).relationship(|r| r.tier = Tier::T2).allowed());
    let seat = Subject::Member { role: TenantRole::Admin, last_admin: false };
    let update = |allowed| {
        Ask::new(Act::MemberUpdate, elevated(technician(Tier::T3), naming.clone()))
            .tenant(|t| t.staff_may_name_admins = allowed)
            .about(seat)
    };
    assert!(update(true).allowed() && !update(false).allowed());
}

#[test]
fn what_the_operator_opens_passes_a_freeze_and_a_removal_and_nothing_else() {
    let mut given = full_elevation(Tier::T3);
    (given.break_glass, given.approvers) = (true, Vec::new());
    let open = |act| Ask::new(act, elevated(provider_admin(Tier::T2), given.clone()));
    for act in inside() {
        let frozen = open(act).relationship(|r| (r.state, r.chain_live) = (RelationshipState::Frozen, false)).barred();
        assert_eq!(frozen.allowed(), Ask::new(act, provider_admin(Tier::T2)).allowed(), "{act}");
    }
    let scan = || open(Act::ScanList).relationship(|r| r.state = RelationshipState::Frozen);
    assert!(scan().allowed());
    assert!(!scan().elevation(|e| e.ends_at = NOW).allowed());
    assert!(!scan().elevation(|e| e.break_glass = false).allowed());
    assert!(!scan().relationship(|r| r.state = RelationshipState::Ended).allowed());
    assert!(!scan().relationship(|r| r.ends_at = Some(NOW)).allowed());
}

#[test]
fn a_frozen_or_barred_provider_reaches_nothing_inside() {
    for act in inside() {
        for grant in
            [provider_admin(Tier::T3), technician(Tier::T3), raised(Tier::T3), assigned(StaffRole::ProviderAdmin, Tier::T3)]
        {
            assert!(!Ask::new(act, grant.clone()).relationship(|r| r.state = RelationshipState::Frozen).allowed(), "{act}");
            assert!(!Ask::new(act, grant).barred().allowed(), "{act}");
        }
    }
    let why = Ask::new(Act::ScanList, provider_admin(Tier::T3)).barred().verdict().why;
    assert_eq!(&*why, "This organisation has removed you from the staff who may reach it.");
}

#[test]
fn a_key_never_exceeds_who_made_it() {
    for ask in asks(7, 20_000).filter(|ask| ask.key.is_some() && ask.act.info().plane != Plane::Public) {
        let mut without = ask.clone();
        without.key = None;
        assert!(!ask.allowed() || without.allowed(), "{ask:#?}");
    }
}

#[test]
fn no_key_makes_keys_or_approves_or_is_somebody() {
    for act in Act::ALL.iter().filter(|act| act.info().flags.person || act.info().plane == Plane::Own) {
        for grant in [member(TenantRole::Admin), provider_admin(Tier::T3), staff(StaffRole::ProviderAdmin), Grant::SelfOnly] {
            assert!(!Ask::new(*act, grant).by_key(|_| {}).allowed(), "{act}");
        }
    }
    assert!(Act::ApiKeyCreate.info().flags.person && Act::ProviderApiKeyCreate.info().flags.person);
}

#[test]
fn no_technician_makes_keys_at_any_tier_or_elevation() {
    for act in [Act::ApiKeyCreate, Act::ApiKeyRevoke, Act::ApiKeyList] {
        for grant in [technician(Tier::T3), raised(Tier::T3)] {
            assert!(!Ask::new(act, grant).allowed());
        }
        let mut named = full_elevation(Tier::T3);
        (named.actions, named.by_tenant) = (Act::ALL.to_vec(), true);
        assert!(!Ask::new(act, elevated(technician(Tier::T3), named)).allowed());
        assert!(Ask::new(act, provider_admin(Tier::T3)).allowed());
    }
    for act in [Act::ProviderApiKeyCreate, Act::ProviderApiKeyList] {
        assert!(!Ask::new(act, staff(StaffRole::Technician)).allowed());
    }
}

#[test]
fn nobody_approves_their_own_request_or_acts_on_their_own_approval() {
    for (act, grant) in
        [(Act::ElevationApprove, staff(StaffRole::ProviderAdmin)), (Act::AccessRequestApprove, member(TenantRole::Admin))]
    {
        assert!(Ask::new(act, grant.clone()).about(Subject::Request { is_self: false }).allowed());
        let own = Ask::new(act, grant).about(Subject::Request { is_self: true }).verdict();
        assert_eq!((own.allowed, &*own.why), (false, "Nobody approves their own request."));
    }
    for approvers in [vec![ME], vec![SOMEBODY, ME], vec![]] {
        assert!(!Ask::new(Act::ScanList, raised(Tier::T3)).elevation(|e| e.approvers = approvers).allowed());
    }
}

#[test]
fn what_asks_for_a_fresh_second_factor_says_so() {
    for act in Act::ALL.iter().filter(|act| act.info().flags.step_up) {
        let grant = if act.info().plane == Plane::Provider { staff(StaffRole::ProviderAdmin) } else { member(TenantRole::Admin) };
        assert!(Ask::new(*act, grant.clone()).allowed());
        let verdict = Ask::new(*act, grant).without_step_up().verdict();
        assert_eq!((verdict.allowed, &*verdict.policy), (false, "stop.step_up"), "{act}");
    }
}
