//! What one decision costs: `cargo run --release -p access --example decide`.
use std::hint::black_box;
use std::time::{Duration, Instant};

use access::{
    AccessMode, Act, Assignment, Engine, Grant, Mask, Membership, Modules, Person, Place, ProviderFacts, ProviderState, Question,
    Relationship, RelationshipState, Staff, StaffRole, Subject, TenantFacts, TenantRole, TenantState, Tier,
};
use uuid::Uuid;

fn main() -> Result<(), access::Error> {
    let begun = Instant::now();
    let engine = Engine::new()?;
    println!("Engine::new                               {:>9.1?}", begun.elapsed());

    let (me, provider, tenant) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let person = Person { id: me, enabled: true };
    let place = Place::Tenant(TenantFacts {
        id: tenant,
        state: TenantState::Active,
        modules: Modules::ALL,
        t1_may_comment: false,
        staff_may_name_admins: false,
    });
    let provider_facts =
        ProviderFacts { id: provider, state: ProviderState::Active, sub_providers: false, access_mode: AccessMode::Tiered };
    let own = Place::Provider(provider_facts.clone());
    let member = |role| Grant::Membership(Membership { id: Uuid::nil(), person: me, tenant, role, enabled: true });
    let reach = |role, tier, assigned: bool| Grant::Reach {
        staff: Staff { id: Uuid::nil(), person: me, provider, role, enabled: true },
        provider: provider_facts.clone(),
        relationship: Relationship {
            id: Uuid::nil(),
            provider,
            tenant,
            tier,
            state: RelationshipState::Active,
            ends_at: Some(1_000),
            chain_live: true,
        },
        assignment: assigned.then(|| Assignment {
            id: Uuid::nil(),
            person: me,
            provider,
            tenant,
            tier: Tier::T2,
            mask: Mask::ALL,
            modules: Modules::ALL,
            starts_at: 0,
            ends_at: Some(1_000),
        }),
        elevation: None,
        barred: false,
    };
    let staff = Grant::Staff {
        staff: Staff { id: Uuid::nil(), person: me, provider, role: StaffRole::ProviderAdmin, enabled: true },
        provider: provider_facts.clone(),
    };

    let cases = [
        ("auditor assigns a finding: yes", Act::FindingAssign, member(TenantRole::Auditor), &place),
        ("viewer assigns a finding: no, and why", Act::FindingAssign, member(TenantRole::Viewer), &place),
        ("technician assigns a finding: yes", Act::FindingAssign, reach(StaffRole::Technician, Tier::T2, true), &place),
        ("technician at T1 does: no, and why", Act::FindingAssign, reach(StaffRole::Technician, Tier::T1, true), &place),
        ("provider admin suspends a tenant: yes", Act::TenantSuspend, reach(StaffRole::ProviderAdmin, Tier::T0, false), &place),
        ("provider admin lists clients: yes", Act::ClientList, staff, &own),
    ];
    for (name, act, grant, place) in &cases {
        let question =
            Question { act: *act, person: Some(&person), grant, key: None, place, subject: Subject::Any, now: 500, step_up: false };
        let allowed = engine.decide(&question).allowed;
        assert_eq!(allowed, name.ends_with("yes"), "{name}");
        println!("{name:<40}  {:>9.1?}", cost(|| engine.decide(black_box(&question)).allowed));
    }
    Ok(())
}

/// The best of five rounds: the machine is shared, and only ever makes things slower.
fn cost(mut once: impl FnMut() -> bool) -> Duration {
    let per_round = 20_000;
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..per_round {
            black_box(once());
        }
        begun.elapsed() / per_round
    };
    (0..5).map(round).min().unwrap_or_default()
}
