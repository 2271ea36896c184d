//! The rule's edges, one sentence each.
#![allow(clippy::unwrap_used)]

mod common;

use access::{
    AccessMode, Act, Grant, Mask, Module, Modules, Op, Place, Plane, ProviderState, RelationshipState, StaffRole, Subject,
    TenantRole, TenantState, Tier,
};
use common::{Ask, ENGINE, ME, NOW, SOMEBODY, TENANT, assigned, explicit, member, place_of, provider_admin, staff, technician};

fn inside() -> impl Iterator<Item = Act> {
    Act::ALL.iter().copied().filter(|a| a.info().plane.is_inside())
}

fn of(plane: Plane) -> impl Iterator<Item = Act> {
    Act::ALL.iter().copied().filter(move |a| a.info().plane == plane)
}

fn only(op: Op) -> Mask {
    Mask { view: op == Op::View, create: op == Op::Create, update: op == Op::Update, delete: op == Op::Delete }
}

// ---------- nothing is allowed by absence ----------

#[test]
fn without_a_grant_nothing_but_the_public_and_ones_own() {
    for act in Act::ALL {
        for grant in [Grant::Nobody, Grant::SelfOnly] {
            let expected = matches!(act.info().plane, Plane::Own | Plane::Public);
            assert_eq!(Ask::new(*act, grant).allowed(), expected, "{act}");
        }
    }
}

#[test]
fn nobody_does_only_what_is_public() {
    for act in Act::ALL {
        let mut ask = Ask::new(*act, Grant::Nobody);
        ask.person = None;
        let verdict = ask.verdict();
        assert_eq!(verdict.allowed, act.info().plane == Plane::Public, "{act}");
        assert!(verdict.allowed || &*verdict.why == "Sign in first.");
        // not even with somebody's grant in hand
        ask.grant = member(TenantRole::Admin);
        assert_eq!(ask.allowed(), act.info().plane == Plane::Public, "{act}");
    }
}

#[test]
fn what_is_somebody_elses_own_is_not_mine() {
    for act in of(Plane::Own) {
        let mut ask = Ask::new(act, Grant::SelfOnly);
        ask.place = Place::Own(SOMEBODY);
        assert!(!ask.allowed(), "{act}");
        assert_eq!(&*ask.verdict().why, "This belongs to somebody else.");
        assert!(!Ask::new(act, Grant::SelfOnly).person(|p| p.enabled = false).allowed(), "{act}");
    }
}

#[test]
fn an_action_is_done_in_its_place_only() {
    let places = [Place::Public, Place::Own(ME), Place::Provider(common::provider()), Place::Tenant(common::tenant())];
    let grants = [Grant::SelfOnly, member(TenantRole::Admin), staff(StaffRole::ProviderAdmin), provider_admin(Tier::T3)];
    for act in Act::ALL {
        for place in &places {
            let at_home = std::mem::discriminant(place) == std::mem::discriminant(&place_of(*act));
            for grant in &grants {
                let mut ask = Ask::new(*act, grant.clone());
                ask.place = place.clone();
                assert!(at_home || !ask.allowed(), "{act} at {place:?}");
            }
        }
    }
}

#[test]
fn staff_at_home_have_nothing_in_a_tenant_without_a_relationship() {
    for act in inside().chain(of(Plane::Client)) {
        assert!(!Ask::new(act, staff(StaffRole::ProviderAdmin)).allowed(), "{act}");
    }
}

#[test]
fn a_relationship_says_nothing_about_the_providers_own_records() {
    for act in of(Plane::Provider) {
        assert!(!Ask::new(act, provider_admin(Tier::T3)).allowed(), "{act}");
    }
}

// ---------- masks, modules, tiers ----------

#[test]
fn the_mask_names_the_operations() {
    for act in inside() {
        let full = Ask::new(act, technician(Tier::T3)).allowed();
        for op in [Op::View, Op::Create, Op::Update, Op::Delete] {
            let masked = Ask::new(act, technician(Tier::T3)).assignment(|a| a.mask = only(op));
            assert_eq!(masked.allowed(), full && act.info().op == op, "{act} with {op:?}");
        }
        assert!(!Ask::new(act, technician(Tier::T3)).assignment(|a| a.mask = Mask::NONE).allowed(), "{act}");
    }
}

#[test]
fn a_summary_needs_view_in_the_mask() {
    let blind = Ask::new(Act::SummaryView, technician(Tier::T0)).assignment(|a| a.mask.view = false).verdict();
    assert!(!blind.allowed);
    assert_eq!(&*blind.why, "Your assignment does not include viewing.");
}

#[test]
fn an_empty_scope_opens_no_module() {
    for act in inside() {
        let full = Ask::new(act, technician(Tier::T3)).allowed();
        let none = Ask::new(act, technician(Tier::T3)).assignment(|a| a.modules = Modules::NONE);
        assert_eq!(none.allowed(), full && act.info().module.is_none(), "{act}");
        let others = Ask::new(act, technician(Tier::T3)).assignment(|a| {
            a.modules = Module::ALL.iter().copied().filter(|m| Some(*m) != act.info().module).collect();
        });
        assert_eq!(others.allowed(), full && act.info().module.is_none(), "{act}");
    }
}

#[test]
fn both_tiers_must_reach() {
    for act in inside() {
        for relationship in Tier::ALL {
            for assignment in Tier::ALL {
                let ask = Ask::new(act, technician(*relationship)).assignment(|a| a.tier = *assignment);
                let lower = Ask::new(act, technician(*relationship.min(assignment)));
                assert_eq!(ask.allowed(), lower.allowed(), "{act}: {assignment} under {relationship}");
            }
        }
    }
}

#[test]
fn a_module_outside_the_plan_is_closed_for_everybody() {
    for act in inside() {
        let Some(module) = act.info().module else { continue };
        let without = Module::ALL.iter().copied().filter(|m| *m != module).collect();
        let grants = [member(TenantRole::Admin), provider_admin(Tier::T3), technician(Tier::T3)];
        for grant in grants {
            let verdict = Ask::new(act, grant).tenant(|t| t.modules = without).verdict();
            assert!(!verdict.allowed && verdict.forbidden, "{act}");
            assert_eq!(*verdict.why, format!("{} is not in this organisation's plan.", module.name()));
        }
    }
}

#[test]
fn what_belongs_to_no_module_stays_open_without_any() {
    let ask = Ask::new(Act::MemberList, member(TenantRole::Admin)).tenant(|t| t.modules = Modules::NONE);
    assert!(ask.allowed());
}

// ---------- time ----------

#[test]
fn an_assignment_begins_at_its_start_and_is_over_at_its_end() {
    let during = |now| {
        let ask = Ask::new(Act::SummaryView, technician(Tier::T0)).at(now);
        ask.assignment(|a| (a.starts_at, a.ends_at) = (NOW, Some(NOW + 10))).verdict()
    };
    let early = during(NOW - 1);
    assert_eq!((early.allowed, early.until), (false, Some(NOW)));
    assert_eq!(&*early.why, "Your assignment to this organisation has not begun.");
    let begun = during(NOW);
    assert_eq!((begun.allowed, begun.until), (true, Some(NOW + 10)));
    assert!(during(NOW + 9).allowed);
    let over = during(NOW + 10);
    assert_eq!((over.allowed, over.until), (false, None));
    assert_eq!(&*over.why, "Your assignment to this organisation is over.");
}

#[test]
fn a_relationship_is_over_at_its_end() {
    for grant in [provider_admin(Tier::T3), technician(Tier::T3), explicit(assigned(StaffRole::ProviderAdmin, Tier::T3))] {
        let ending = |now| Ask::new(Act::ScanList, grant.clone()).at(now).relationship(|r| r.ends_at = Some(NOW)).verdict();
        assert_eq!((ending(NOW - 1).allowed, ending(NOW - 1).until), (true, Some(NOW)));
        assert!(!ending(NOW).allowed);
        assert_eq!(&*ending(NOW).why, "Your provider's relationship with this organisation has expired.");
    }
}

#[test]
fn the_earliest_change_is_the_one_that_counts() {
    let ask = Ask::new(Act::ScanList, technician(Tier::T3))
        .relationship(|r| r.ends_at = Some(NOW + 20))
        .assignment(|a| a.ends_at = Some(NOW + 5));
    assert_eq!(ask.verdict().until, Some(NOW + 5));
    // the client plane does not look at the clock, and a member's seat has no end
    assert_eq!(Ask::new(Act::TenantView, technician(Tier::T3)).verdict().until, None);
    assert_eq!(Ask::new(Act::ScanList, member(TenantRole::Admin)).verdict().until, None);
}

// ---------- relationships ----------

#[test]
fn only_a_live_relationship_reaches_inside() {
    use RelationshipState::{Active, Expiring};
    for act in inside() {
        for grant in [provider_admin(Tier::T3), technician(Tier::T3)] {
            let full = Ask::new(act, grant.clone()).allowed();
            for state in RelationshipState::ALL {
                let ask = Ask::new(act, grant.clone()).relationship(|r| r.state = *state);
                assert_eq!(ask.allowed(), full && matches!(state, Active | Expiring), "{act} while {state}");
            }
            assert!(!Ask::new(act, grant.clone()).relationship(|r| r.chain_live = false).allowed(), "{act}");
            assert!(!Ask::new(act, grant).staff_provider(|p| p.state = ProviderState::Suspended).allowed(), "{act}");
        }
    }
}

#[test]
fn a_freeze_stops_summaries_too_and_says_so() {
    let frozen = Ask::new(Act::SummaryView, provider_admin(Tier::T3)).relationship(|r| r.state = RelationshipState::Frozen);
    assert_eq!(&*frozen.verdict().why, "Provider access to this organisation is frozen.");
    assert!(!frozen.allowed());
}

#[test]
fn the_client_plane_stays_open_until_the_relationship_ends() {
    use RelationshipState::{Ended, Requested};
    for act in of(Plane::Client) {
        for state in RelationshipState::ALL {
            let ask = Ask::new(act, provider_admin(Tier::T0)).relationship(|r| {
                (r.state, r.ends_at, r.chain_live) = (*state, Some(NOW - 50), false);
            });
            let unanswered = matches!(act, Act::TenantView | Act::RelationshipUpdate);
            assert_eq!(ask.allowed(), *state != Ended && (*state != Requested || unanswered), "{act} while {state}");
        }
        assert!(!Ask::new(act, technician(Tier::T3)).allowed(), "{act}");
        assert!(!Ask::new(act, provider_admin(Tier::T3)).staff_provider(|p| p.state = ProviderState::Suspended).allowed());
    }
}

#[test]
fn a_suspended_providers_staff_see_that_it_is() {
    for act in of(Plane::Provider) {
        let ask = Ask::new(act, staff(StaffRole::ProviderAdmin))
            .provider(|p| (p.state, p.sub_providers) = (ProviderState::Suspended, true));
        assert_eq!(ask.allowed(), act == Act::ProviderView, "{act}");
        assert!(ask.allowed() || &*ask.verdict().why == "This provider is suspended.");
    }
}

// ---------- access mode ----------

#[test]
fn in_explicit_mode_a_provider_admin_needs_an_assignment_for_more_than_summaries() {
    for act in inside() {
        for tier in Tier::ALL {
            let summary = act.info().tier == Some(Tier::T0);
            assert_eq!(Ask::new(act, explicit(provider_admin(*tier))).allowed(), summary, "{act}");
            let with = Ask::new(act, explicit(assigned(StaffRole::ProviderAdmin, *tier)));
            let chief = act.info().flags.chief && *tier == Tier::T3;
            assert_eq!(with.allowed(), chief || Ask::new(act, technician(*tier)).allowed(), "{act}");
        }
    }
    let verdict = Ask::new(Act::ScanList, explicit(provider_admin(Tier::T3))).verdict();
    assert_eq!(&*verdict.why, "You are not assigned to this organisation.");
}

#[test]
fn in_tiered_mode_an_assignment_takes_nothing_from_a_provider_admin() {
    for act in inside() {
        for tier in Tier::ALL {
            let narrow = Ask::new(act, assigned(StaffRole::ProviderAdmin, *tier)).assignment(|a| {
                (a.tier, a.mask, a.modules, a.ends_at) = (Tier::T0, Mask::NONE, Modules::NONE, Some(0));
            });
            assert_eq!(narrow.allowed(), Ask::new(act, provider_admin(*tier)).allowed(), "{act}");
        }
    }
}

#[test]
fn a_technician_needs_an_assignment_whatever_the_mode() {
    for act in inside() {
        for mode in AccessMode::ALL {
            let ask = Ask::new(act, provider_admin(Tier::T3))
                .staff(|s| s.role = StaffRole::Technician)
                .staff_provider(|p| p.access_mode = *mode);
            assert!(!ask.allowed(), "{act}");
        }
    }
}

// ---------- states and switches ----------

#[test]
fn a_tenant_that_is_not_active_allows_what_the_catalogue_flags() {
    for act in inside().chain(of(Plane::Client)) {
        let flags = act.info().flags;
        for grant in [member(TenantRole::Admin), provider_admin(Tier::T3), technician(Tier::T3)] {
            let active = Ask::new(act, grant.clone()).allowed();
            let in_state = |state| Ask::new(act, grant.clone()).tenant(|t| t.state = state);
            assert_eq!(in_state(TenantState::Suspended).allowed(), active && flags.suspended, "{act}");
            assert_eq!(in_state(TenantState::Archived).allowed(), active && flags.archived, "{act}");
            assert!(!in_state(TenantState::Purged).allowed(), "{act}");
        }
    }
    let suspend = Ask::new(Act::TenantSuspend, provider_admin(Tier::T3)).tenant(|t| t.state = TenantState::Suspended).verdict();
    assert!(suspend.forbidden);
    assert_eq!(&*suspend.why, "This organisation is suspended.");
}

#[test]
fn a_suspended_tenant_can_be_resumed_and_an_archived_one_restored() {
    let by_admin = |act, state| Ask::new(act, provider_admin(Tier::T0)).tenant(|t| t.state = state).allowed();
    assert!(by_admin(Act::TenantResume, TenantState::Suspended));
    assert!(by_admin(Act::TenantArchive, TenantState::Suspended));
    assert!(by_admin(Act::TenantRestore, TenantState::Archived));
    assert!(by_admin(Act::TenantPurge, TenantState::Archived));
    assert!(!by_admin(Act::TenantPurge, TenantState::Suspended));
}

#[test]
fn who_is_disabled_does_nothing_that_needs_a_sign_in() {
    let grants = [
        member(TenantRole::Admin),
        provider_admin(Tier::T3),
        technician(Tier::T3),
        staff(StaffRole::ProviderAdmin),
        Grant::SelfOnly,
    ];
    for act in Act::ALL {
        for grant in &grants {
            let ask = Ask::new(*act, grant.clone()).person(|p| p.enabled = false);
            assert_eq!(ask.allowed(), act.info().plane == Plane::Public, "{act}");
            assert!(ask.allowed() || ask.verdict().forbidden, "{act}");
        }
    }
}

#[test]
fn a_disabled_row_grants_nothing() {
    for act in inside() {
        assert!(!Ask::new(act, member(TenantRole::Admin)).membership(|m| m.enabled = false).allowed());
        assert!(!Ask::new(act, provider_admin(Tier::T3)).staff(|s| s.enabled = false).allowed());
    }
    for act in of(Plane::Client) {
        assert!(!Ask::new(act, provider_admin(Tier::T3)).staff(|s| s.enabled = false).allowed());
    }
    for act in of(Plane::Provider) {
        assert!(!Ask::new(act, staff(StaffRole::ProviderAdmin)).staff(|s| s.enabled = false).allowed());
    }
}

// ---------- protected rows ----------

#[test]
fn an_admin_may_change_colleagues_who_are_not_the_last() {
    let colleague = Subject::Member { role: TenantRole::Admin, last_admin: false };
    for act in [Act::MemberUpdate, Act::MemberDisable, Act::MemberRemove, Act::MemberGrantAdmin] {
        assert!(Ask::new(act, member(TenantRole::Admin)).about(colleague).allowed(), "{act}");
    }
    let colleague = Subject::Staff { role: StaffRole::ProviderAdmin, last_admin: false, is_self: false };
    for act in [Act::StaffUpdate, Act::StaffDisable, Act::StaffRemove] {
        assert!(Ask::new(act, staff(StaffRole::ProviderAdmin)).about(colleague).allowed(), "{act}");
    }
}

#[test]
fn t3_staff_manage_members_but_not_admins() {
    for act in [Act::MemberInvite, Act::MemberUpdate, Act::MemberDisable, Act::MemberEnable, Act::MemberRemove] {
        for role in TenantRole::ALL {
            let subject = Subject::Member { role: *role, last_admin: false };
            for grant in [provider_admin(Tier::T3), technician(Tier::T3)] {
                assert_eq!(Ask::new(act, grant).about(subject).allowed(), *role != TenantRole::Admin, "{act} on {role}");
            }
            assert!(Ask::new(act, member(TenantRole::Admin)).about(subject).allowed(), "{act} on {role}");
        }
    }
}

#[test]
fn nobody_sets_their_own_assignments_but_others_are_set() {
    let wide = [Act::GroupGrantCreate, Act::GroupGrantUpdate, Act::GroupGrantDelete];
    for act in [Act::AssignmentCreate, Act::AssignmentUpdate, Act::AssignmentDelete].into_iter().chain(wide) {
        let ask =
            |person_is_self| Ask::new(act, staff(StaffRole::ProviderAdmin)).about(Subject::Assignment { person_is_self }).verdict();
        assert!(ask(false).allowed && !ask(true).allowed);
        assert_eq!(&*ask(true).why, "Nobody sets their own assignments.");
    }
}

// ---------- words ----------

#[test]
fn a_no_says_which_grant_would_be_needed() {
    let needs = |act| ENGINE.needs(act).to_string();
    assert_eq!(needs(Act::FindingAssign), "T2 Operate (update) or the role auditor or admin");
    assert_eq!(needs(Act::OverrideCreate), "T2 Operate (create) or the role auditor or admin");
    assert_eq!(
        needs(Act::CommentCreate),
        "T2 Operate (create), T1 Monitor where the organisation allows it or the role auditor or operator or admin"
    );
    assert_eq!(needs(Act::SummaryView), "T0 Summary (view) or any role in the organisation");
    assert_eq!(needs(Act::MemberGrantAdmin), "the role admin");
    assert_eq!(needs(Act::StaffInvite), "the staff role provider admin");
    assert_eq!(needs(Act::ClientList), "the staff role technician or provider admin");
    assert_eq!(needs(Act::SubProviderCreate), "the staff role provider admin, where sub-providers are enabled");
    assert_eq!(needs(Act::TenantSuspend), "the staff role provider admin at this organisation's provider");
    assert_eq!(needs(Act::MeView), "to be signed in as this person");
    let yes = Ask::new(Act::ScanList, member(TenantRole::Viewer)).verdict();
    assert!(yes.needs.is_empty());
}

#[test]
fn a_verdict_says_why() {
    let why = |ask: Ask| ask.verdict().why.to_string();
    assert_eq!(why(Ask::new(Act::ScanList, member(TenantRole::Viewer))), "You are a viewer of this organisation.");
    assert_eq!(
        why(Ask::new(Act::OverrideCreate, member(TenantRole::Viewer))),
        "Your role in this organisation does not include this."
    );
    assert_eq!(why(Ask::new(Act::OverrideCreate, technician(Tier::T1))), "The relationship is T1 Monitor: this needs T2 Operate.");
    assert_eq!(
        why(Ask::new(Act::MemberInvite, technician(Tier::T3)).assignment(|a| a.tier = Tier::T2)),
        "Your assignment is below T3 Manage."
    );
    assert_eq!(
        why(Ask::new(Act::ScanList, technician(Tier::T3)).assignment(|a| a.modules = Modules::NONE)),
        "Your assignment does not include Compliance."
    );
    assert_eq!(
        why(Ask::new(Act::OverrideRevoke, technician(Tier::T3)).assignment(|a| a.mask = Mask::VIEW)),
        "Your assignment does not include deleting."
    );
    assert_eq!(
        why(Ask::new(Act::ProviderAccessFreeze, provider_admin(Tier::T3))),
        "No tier reaches this: it is for this organisation's own people."
    );
    assert_eq!(
        why(Ask::new(Act::MemberGrantAdmin, provider_admin(Tier::T3))),
        "Staff name admins only through an elevation for it, and where the organisation allows that."
    );
    assert_eq!(why(Ask::new(Act::TenantSuspend, technician(Tier::T3))), "This is for provider admins.");
    assert_eq!(why(Ask::new(Act::StaffInvite, staff(StaffRole::Technician))), "This is for provider admins.");
    assert_eq!(why(Ask::new(Act::ScanList, Grant::SelfOnly)), "You hold nothing here that allows this.");
}

#[test]
fn no_sentence_has_an_unfilled_blank() {
    for ask in common::asks(6, 10_000) {
        let verdict = ask.verdict();
        assert!(!verdict.why.is_empty() && !verdict.why.contains(['{', '}']), "{verdict:?}");
        assert!(verdict.why.ends_with('.') && !verdict.why.contains("  "), "{verdict:?}");
        assert_eq!(verdict.needs.is_empty(), verdict.allowed, "{verdict:?}");
        assert!(!verdict.why.contains("needs ."), "{verdict:?}");
    }
    assert_eq!(common::tenant().id, TENANT);
}
