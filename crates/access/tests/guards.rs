//! Every policy matters: leave one out, and some question is answered otherwise.
#![allow(clippy::unwrap_used)]

mod common;

use access::{Act, Engine, ProviderState, RelationshipState, StaffRole, TenantRole, TenantState, Tier};
use common::pinned::pinned;
use common::{Ask, ENGINE, asks, assigned, explicit, member, technician};

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
