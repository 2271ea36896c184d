//! The rule a second time, in plain Rust and from product.md: what the engine is judged by.
use access::{
    AccessMode, Act, Assignment, Elevation, Grant, Info, Key, KeyPlace, Mask, Op, Person, Place, Plane, ProviderFacts,
    ProviderState, Relationship, RelationshipState, Staff, StaffRole, Subject, TenantFacts, TenantRole, TenantState, Tier,
};

use super::Ask;

/// Whether the question is to be answered with yes.
pub fn may(ask: &Ask) -> bool {
    let info = ask.act.info();
    if info.plane != Plane::Public && ask.key.as_ref().is_some_and(|key| !key_permits(ask, info, key)) {
        return false;
    }
    if info.flags.step_up && !ask.step_up {
        return false;
    }
    match (info.plane, &ask.place, &ask.person) {
        (Plane::Public, Place::Public, _) => true,
        (Plane::Own, Place::Own(whose), Some(person)) => person.enabled && person.id == *whose,
        (Plane::Provider, Place::Provider(here), Some(person)) => person.enabled && may_at_provider(ask, info, person, here),
        (Plane::Client, Place::Tenant(here), Some(person)) => {
            person.enabled && state_permits(info, here) && may_about_client(ask, info, person, here)
        }
        (Plane::Data | Plane::Records, Place::Tenant(here), Some(person)) => {
            person.enabled
                && state_permits(info, here)
                && info.module.is_none_or(|m| here.modules.contains(m))
                && may_inside(ask, info, person, here)
        }
        _ => false,
    }
}

/// A key does what it names, where it is for, as long as it lasts, and nothing that takes a person.
fn key_permits(ask: &Ask, info: &Info, key: &Key) -> bool {
    let here = match (&ask.place, key.place) {
        (Place::Tenant(tenant), KeyPlace::Tenant(of)) => tenant.id == of,
        (Place::Tenant(_), KeyPlace::Provider(of)) => matches!(&ask.grant, Grant::Reach { staff, .. } if staff.provider == of),
        (Place::Provider(provider), KeyPlace::Provider(of)) => provider.id == of,
        _ => false,
    };
    let mine = ask.person.as_ref().is_some_and(|person| person.id == key.person);
    here && mine && ask.now < key.ends_at && key.actions.contains(&ask.act) && !info.flags.person
}

fn state_permits(info: &Info, tenant: &TenantFacts) -> bool {
    match tenant.state {
        TenantState::Active => true,
        TenantState::Suspended => info.flags.suspended,
        TenantState::Archived => info.flags.archived,
        TenantState::Purged => false,
    }
}

fn may_at_provider(ask: &Ask, info: &Info, person: &Person, here: &ProviderFacts) -> bool {
    let Grant::Staff { staff, provider } = &ask.grant else { return false };
    let mine = staff.person == person.id && staff.provider == here.id && provider.id == here.id && staff.enabled;
    let open = here.state == ProviderState::Active || ask.act == Act::ProviderView;
    let bought = !info.flags.sub_providers || here.sub_providers;
    mine && open && bought && info.staff.contains(&staff.role) && !provider_row_is_protected(ask)
}

fn provider_row_is_protected(ask: &Ask) -> bool {
    match (ask.act, ask.subject) {
        (Act::StaffUpdate | Act::StaffDisable | Act::StaffRemove, Subject::Staff { role, last_admin, is_self }) => {
            is_self || (last_admin && role == StaffRole::ProviderAdmin)
        }
        (
            Act::AssignmentCreate
            | Act::AssignmentUpdate
            | Act::AssignmentDelete
            | Act::GroupGrantCreate
            | Act::GroupGrantUpdate
            | Act::GroupGrantDelete,
            Subject::Assignment { person_is_self },
        ) => person_is_self,
        (Act::ElevationApprove, Subject::Request { is_self }) => is_self,
        _ => false,
    }
}

/// The rows a provider's person comes with are theirs, belong together and lead here.
fn belongs(person: &Person, here: &TenantFacts, grant: &Grant) -> bool {
    let Grant::Reach { staff, provider, relationship: r, assignment, elevation, .. } = grant else { return false };
    staff.person == person.id
        && staff.enabled
        && staff.provider == provider.id
        && r.provider == staff.provider
        && r.tenant == here.id
        && assignment.as_ref().is_none_or(|a| a.person == person.id && a.tenant == here.id && a.provider == r.provider)
        && elevation
            .as_ref()
            .is_none_or(|e| e.person == person.id && e.tenant == here.id && e.provider == r.provider && others_approved(e))
}

fn others_approved(e: &Elevation) -> bool {
    (e.break_glass || !e.approvers.is_empty()) && !e.approvers.contains(&e.person)
}

fn may_about_client(ask: &Ask, info: &Info, person: &Person, here: &TenantFacts) -> bool {
    let Grant::Reach { staff, provider, relationship, .. } = &ask.grant else { return false };
    let own = match relationship.state {
        RelationshipState::Ended => false,
        RelationshipState::Requested => matches!(ask.act, Act::TenantView | Act::RelationshipUpdate),
        _ => true,
    };
    belongs(person, here, &ask.grant) && provider.state == ProviderState::Active && info.staff.contains(&staff.role) && own
}

fn may_inside(ask: &Ask, info: &Info, person: &Person, here: &TenantFacts) -> bool {
    if let (
        Act::MemberUpdate | Act::MemberDisable | Act::MemberRemove | Act::MemberGrantAdmin,
        Subject::Member { last_admin: true, .. },
    ) = (ask.act, ask.subject)
    {
        return false;
    }
    if let (Act::AccessRequestApprove, Subject::Request { is_self: true }) = (ask.act, ask.subject) {
        return false;
    }
    match &ask.grant {
        Grant::Membership(m) => m.person == person.id && m.tenant == here.id && m.enabled && info.roles.contains(&m.role),
        Grant::Reach { staff, provider, relationship, assignment, elevation, barred } => {
            let (assignment, elevation) = (assignment.as_ref(), elevation.as_ref());
            let names_admins = |e: &Elevation| {
                let running = e.starts_at <= ask.now && ask.now < e.ends_at && !e.break_glass;
                running && here.staff_may_name_admins && e.actions.contains(&Act::MemberGrantAdmin)
            };
            let admin_seat = !elevation.is_some_and(names_admins)
                && matches!(ask.subject, Subject::Member { role: TenantRole::Admin, .. })
                && matches!(
                    ask.act,
                    Act::MemberInvite | Act::MemberUpdate | Act::MemberDisable | Act::MemberEnable | Act::MemberRemove
                );
            let chief = staff.role == StaffRole::ProviderAdmin;
            let begun = |a: &Assignment| a.starts_at <= ask.now && a.ends_at.is_none_or(|end| ask.now < end);
            let reaches_anyway = chief || assignment.is_some_and(begun);
            let usual = !barred
                && is_live(relationship, ask.now)
                && (as_provider_admin(info, here, staff, provider, relationship)
                    || assignment.is_some_and(|a| as_assigned(info, here, relationship, a, ask.now))
                    || (reaches_anyway && elevation.is_some_and(|e| as_elevated(ask, info, here, relationship, e))));
            belongs(person, here, &ask.grant)
                && !admin_seat
                && (chief || !info.flags.chief)
                && provider.state == ProviderState::Active
                && (usual || elevation.is_some_and(|e| in_an_emergency(ask, info, relationship, e)))
        }
        _ => false,
    }
}

fn runs(info: &Info, e: &Elevation, now: i64) -> bool {
    e.starts_at <= now && now < e.ends_at && info.module.is_none_or(|m| e.modules.contains(m))
}

/// With an elevation that somebody else approved: its tier, or the actions it names; beyond the relationship's tier only with the
/// tenant's own approval.
fn as_elevated(ask: &Ask, info: &Info, here: &TenantFacts, r: &Relationship, e: &Elevation) -> bool {
    let within = |tier: Tier| e.by_tenant || r.tier >= tier;
    let by_setting = info.flags.tier1_by_setting && here.t1_may_comment && e.tier >= Tier::T1 && within(Tier::T1);
    let reached = match info.tier {
        None => {
            let named = info.flags.elevated_at_tier3 && e.actions.contains(&Act::MemberGrantAdmin);
            named && here.staff_may_name_admins && r.tier >= Tier::T3
        }
        Some(Tier::T0) => true,
        Some(tier) => ((e.tier >= tier || e.actions.contains(&ask.act)) && within(tier)) || by_setting,
    };
    !e.break_glass && runs(info, e, ask.now) && reached
}

/// What the operator opened: passes a freeze and a removal.
fn in_an_emergency(ask: &Ask, info: &Info, r: &Relationship, e: &Elevation) -> bool {
    let open = matches!(r.state, RelationshipState::Active | RelationshipState::Expiring | RelationshipState::Frozen);
    let reached = info.tier.is_some_and(|tier| e.tier.min(r.tier) >= tier);
    e.break_glass && open && r.ends_at.is_none_or(|end| ask.now < end) && runs(info, e, ask.now) && reached
}

fn is_live(r: &Relationship, now: i64) -> bool {
    matches!(r.state, RelationshipState::Active | RelationshipState::Expiring)
        && r.chain_live
        && r.ends_at.is_none_or(|end| now < end)
}

fn as_provider_admin(info: &Info, here: &TenantFacts, staff: &Staff, provider: &ProviderFacts, r: &Relationship) -> bool {
    let summary = info.tier == Some(Tier::T0);
    staff.role == StaffRole::ProviderAdmin
        && (summary || (provider.access_mode == AccessMode::Tiered && reaches(info, here, r.tier)))
}

fn as_assigned(info: &Info, here: &TenantFacts, r: &Relationship, a: &Assignment, now: i64) -> bool {
    a.starts_at <= now
        && a.ends_at.is_none_or(|end| now < end)
        && includes(a.mask, info.op)
        && info.module.is_none_or(|m| a.modules.contains(m))
        && reaches(info, here, a.tier.min(r.tier))
}

fn includes(mask: Mask, op: Op) -> bool {
    match op {
        Op::View => mask.view,
        Op::Create => mask.create,
        Op::Update => mask.update,
        Op::Delete => mask.delete,
    }
}

fn reaches(info: &Info, here: &TenantFacts, tier: Tier) -> bool {
    let Some(lowest) = info.tier else { return false };
    let lowest = if info.flags.tier1_by_setting && here.t1_may_comment { Tier::T1 } else { lowest };
    tier >= lowest
}
