//! Who of the provider reaches a tenant, as the tenant sees it, and what it can do about that: freeze all access, remove one person,
//! say what needs its consent, lower the tier or end the relationship.
//!
//! - Everybody who holds anything is listed with the grant they hold it through, as the access rule sees it: what is live says so, what
//!   is not says why not.
//! - A freeze stops every relationship of the tenant at once, sub-providers' too, in the commit that answers. Only the tenant lifts it.
//! - Somebody who was removed here loses assignment and elevations, and comes back only with the tenant's consent.
//! - Whether names of staff are shown is the provider's setting; ids always are, so that a person can be removed in any case.
//!
//! What this deliberately does not do: raise anything. More power for the provider is asked for by the provider and answered in
//! [`crate::access_requests`].

mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{AccessMode, Act, Grant, Mask, Modules, RelationshipState, StaffRole, Subject, Tier};
use kernel::door::{Held, Stand};
use kernel::validate::Check;
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use http::router;

use crate::elevations;
use crate::relationships::{self, Consent, Freeze, FreezeReason, GrantBy, RaiseBy, RelationshipId, Side, WantedState};

/// Everything about the provider's access to a tenant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProviderAccess {
    /// The tenant's freeze, or else the provider's.
    pub frozen: Option<Freeze>,
    /// The relationships: one, or one for every provider above one another.
    pub relationships: Vec<ReachRelationship>,
    /// Everybody who holds something, by name.
    pub people: Vec<ReachPerson>,
    /// Requests that wait for this tenant.
    pub pending: i64,
}

/// A provider, by name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReachProvider {
    /// Id.
    pub id: ProviderId,
    /// Name.
    pub name: String,
    /// It is above the provider that holds the tenant.
    pub parent: bool,
}

/// A relationship, as the tenant sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReachRelationship {
    /// Its id.
    pub id: RelationshipId,
    /// With whom.
    pub provider: ReachProvider,
    /// Its tier.
    pub tier: Tier,
    /// Where in its life it is now.
    pub state: RelationshipState,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
    /// What needs this tenant's word.
    #[serde(flatten)]
    pub consent: Consent,
    /// Who has frozen it, and why.
    pub freezes: Vec<Freeze>,
}

/// Somebody of the provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReachPerson {
    /// Who.
    pub person: ReachName,
    /// For whom they work.
    pub provider: ReachProvider,
    /// As what.
    pub role: StaffRole,
    /// The stored fact that lets them in.
    pub through: Through,
    /// Up to which tier.
    pub tier: Tier,
    /// Which operations; `null`: all that the tier has.
    pub mask: Option<Mask>,
    /// Which modules of the plan.
    pub modules: Modules,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// It can be used now.
    pub live: bool,
    /// Why it cannot.
    pub why_not: Option<String>,
    /// When they last used it, to some minutes.
    pub last_used_at: Option<Timestamp>,
    /// This tenant removed them.
    pub barred: Option<Barred>,
}

/// Somebody by name, where names are shown.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReachName {
    /// Id.
    pub id: PersonId,
    /// Name; `null` where staff are shown by role only.
    pub name: Option<String>,
    /// E-mail; `null` where staff are shown by role only.
    pub email: Option<String>,
}

/// The grant behind an access.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Through {
    /// `relationship`, `assignment`, `group_grant`, `elevation` or `break_glass`.
    pub source: String,
    /// Its id.
    pub id: String,
}

/// A removal.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Barred {
    /// Who removed them.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A change of a relationship from the tenant's side; what is left out stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ReachUpdate {
    /// Who raises the tier.
    pub raise_by: Option<RaiseBy>,
    /// Who gives staff more power here.
    pub assign_by: Option<GrantBy>,
    /// Who prolongs it.
    pub renew_by: Option<GrantBy>,
    /// A lower tier.
    pub tier: Option<Tier>,
    /// Ends it at once.
    pub state: Option<WantedState>,
}

/// Who reaches this tenant.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Records>) -> Result<ProviderAccess> {
    let relationships = store::relationships(tx).await?;
    let (uses, bars) = (store::uses(tx).await?, store::bars(tx).await?);
    let stands = tx.stands(None).await?;
    let by_name = stands.tenant().staff_by_name;
    let plan = stands.tenant().modules;
    let hub = tx.hub().clone();
    let now = tx.now();
    let mut people = Vec::new();
    for stand in stands.all() {
        let each = stand.each(&hub, Act::ContextView, Subject::Any);
        // A forbid over any of a person's grants outvotes what the others allow.
        let forbidden = each.iter().find(|through| through.forbidden);
        for (held, through) in stand.held().iter().zip(&each) {
            let Some(relationship) = relationships.iter().find(|r| is_through(held, r.provider.id)) else { continue };
            let mut rows = rows_of(held, relationship, plan, now);
            for row in &mut rows {
                row.person = named(&stand, by_name);
                let refusal = if through.allowed { forbidden } else { Some(through) };
                row.live = refusal.is_none();
                row.why_not = refusal.map(|refusal| refusal.why.clone());
                row.last_used_at = uses.get(&stand.person).copied();
                row.barred = bars.get(&stand.person).cloned();
            }
            // Every elevation comes with the grant it stands on, which is shown once.
            rows.retain(|row| {
                !people.iter().any(|known: &ReachPerson| known.through.id == row.through.id && known.person.id == row.person.id)
            });
            people.append(&mut rows);
        }
    }
    for (id, name, role, provider) in store::removed(tx).await? {
        let Some(of) = relationships.iter().find(|r| r.provider.id == provider) else { continue };
        if people.iter().all(|known| known.person.id != id) {
            let name = if by_name { name } else { ReachName { id, name: None, email: None } };
            people.push(removed(name, role, of.provider.clone(), bars.get(&id).cloned()));
        }
    }
    let all_freezes = || relationships.iter().flat_map(|r| &r.freezes);
    let frozen = all_freezes().find(|f| f.side == Side::Tenant).or_else(|| all_freezes().next()).cloned();
    Ok(ProviderAccess { frozen, people, pending: crate::access_requests::waiting(tx).await?, relationships })
}

/// Somebody who was removed and holds nothing any more: listed, so that they can be admitted again.
fn removed(person: ReachName, role: StaffRole, provider: ReachProvider, barred: Option<Barred>) -> ReachPerson {
    ReachPerson {
        person,
        provider,
        role,
        through: Through { source: "assignment".into(), id: String::new() },
        tier: Tier::T0,
        mask: None,
        modules: Modules::NONE,
        until: None,
        live: false,
        why_not: Some("This organisation removed them.".into()),
        last_used_at: None,
        barred,
    }
}

fn is_through(held: &Held, provider: ProviderId) -> bool {
    matches!(&held.grant, Grant::Reach { provider: of, .. } if of.id == provider.uuid())
}

fn named(stand: &Stand, by_name: bool) -> ReachName {
    ReachName { id: stand.person, name: by_name.then(|| stand.name.clone()), email: by_name.then(|| stand.email.clone()) }
}

/// A grant as rows: what it is for good, and an elevation that comes with it.
fn rows_of(held: &Held, of: &ReachRelationship, plan: Modules, now: Timestamp) -> Vec<ReachPerson> {
    let Grant::Reach { staff, provider, relationship, assignment, elevation, .. } = &held.grant else { return Vec::new() };
    let by_relationship = staff.role == StaffRole::ProviderAdmin && provider.access_mode == AccessMode::Tiered;
    let own = assignment.as_ref().filter(|_| !by_relationship);
    let base = ReachPerson {
        person: ReachName { id: PersonId::from_uuid(staff.person), name: None, email: None },
        provider: of.provider.clone(),
        role: staff.role,
        through: Through { source: held.label.source.clone(), id: held.label.id.clone() },
        tier: own.map_or(if by_relationship { relationship.tier } else { Tier::T0 }, |a| a.tier.min(relationship.tier)),
        mask: own.map(|a| a.mask),
        modules: own.map_or(plan, |a| a.modules.intersect(plan)),
        until: held.ends_at,
        live: false,
        why_not: None,
        last_used_at: None,
        barred: None,
    };
    let runs = elevation.as_ref().filter(|e| e.starts_at <= now.0 && now.0 < e.ends_at);
    let Some((e, label)) = runs.zip(held.elevated.as_ref()) else { return vec![base] };
    let raised = ReachPerson {
        person: base.person.clone(),
        provider: base.provider.clone(),
        role: base.role,
        through: Through { source: label.source.clone(), id: label.id.clone() },
        tier: if e.by_tenant { e.tier } else { e.tier.min(relationship.tier) },
        mask: None,
        modules: e.modules.intersect(plan),
        until: Some(Timestamp(e.ends_at)),
        live: false,
        why_not: None,
        last_used_at: None,
        barred: None,
    };
    vec![base, raised]
}

/// Changes what needs this tenant's word, lowers the tier, or ends the relationship.
///
/// # Errors
/// `NotFound`, `Invalid` for a higher tier, `Conflict` once it has ended.
pub async fn update(tx: &mut WriteTx<scope::Records>, id: RelationshipId, body: &ReachUpdate) -> Result<()> {
    let before = store::relationships(tx).await?.into_iter().find(|r| r.id == id).ok_or(Error::NotFound)?;
    tx.subject("relationship", id, before.provider.name.clone()).in_ledger_of(before.provider.id);
    let mut check = Check::new();
    if let Some(tier) = body.tier.filter(|tier| *tier > before.tier) {
        check.fail("tier", "not_lower", format!("{tier} is more than {}: more power is asked for by the provider", before.tier));
    }
    let activates = body.state == Some(WantedState::Active);
    check.that(!activates, "state", "not_here", "a relationship is ended here, not begun");
    check.done()?;
    if before.state == RelationshipState::Ended {
        return Err(Error::Conflict("This relationship has ended.".into()));
    }
    let consent = Consent {
        raise_by: body.raise_by.unwrap_or(before.consent.raise_by),
        assign_by: body.assign_by.unwrap_or(before.consent.assign_by),
        renew_by: body.renew_by.unwrap_or(before.consent.renew_by),
    };
    let tier = body.tier.unwrap_or(before.tier);
    store::update(tx, id, consent, tier, body.state.is_some()).await?;
    let shown = |consent: Consent, tier: Tier, ended: bool| json!({ "consent": consent, "tier": tier, "ended": ended });
    tx.changed("relationship", id, &shown(before.consent, before.tier, false), &shown(consent, tier, body.state.is_some()));
    Ok(())
}

/// Stops all provider access to this tenant, at once.
///
/// # Errors
/// `Invalid` without a reason, `Conflict` when there is nothing to freeze.
pub async fn freeze(tx: &mut WriteTx<scope::Records>, body: &FreezeReason) -> Result<()> {
    let mut check = Check::new();
    let reason = check.text("reason", &body.reason, 3..=500);
    check.done()?;
    let tenant = begin(tx).await?;
    tx.reason(&reason);
    let mut frozen = 0_usize;
    for relationship in store::relationships(tx).await? {
        frozen += usize::from(relationships::put(tx, relationship.provider.id, tenant, Side::Tenant, &reason).await?);
    }
    if frozen == 0 {
        return Err(Error::Conflict("There is no provider access to freeze.".into()));
    }
    tx.changed("provider_access", tenant, &json!({ "frozen": false }), &json!({ "frozen": true, "relationships": frozen }));
    Ok(())
}

/// Lifts this tenant's freeze. What the provider froze itself stays frozen.
///
/// # Errors
/// `Conflict` when it is not frozen by this tenant.
pub async fn unfreeze(tx: &mut WriteTx<scope::Records>, body: &FreezeReason) -> Result<()> {
    let mut check = Check::new();
    let reason = check.text("reason", &body.reason, 0..=500);
    check.done()?;
    let tenant = begin(tx).await?;
    if !reason.is_empty() {
        tx.reason(&reason);
    }
    let mut lifted = 0_usize;
    for relationship in store::relationships(tx).await? {
        lifted += usize::from(relationships::lift(tx, relationship.provider.id, tenant, Side::Tenant).await?);
    }
    if lifted == 0 {
        return Err(Error::Conflict("Provider access is not frozen by this organisation.".into()));
    }
    tx.changed("provider_access", tenant, &json!({ "frozen": true }), &json!({ "frozen": false, "relationships": lifted }));
    Ok(())
}

async fn begin(tx: &mut WriteTx<scope::Records>) -> Result<kernel::TenantId> {
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    let provider = store::holder(tx).await?;
    tx.subject("provider_access", tenant, name).in_ledger_of(provider);
    Ok(tenant)
}

/// Removes one of the provider's people from this tenant: assignment and elevations end, and they come back only with consent.
///
/// # Errors
/// `NotFound` for who holds nothing here as staff, `Invalid` without a reason.
pub async fn remove(tx: &mut WriteTx<scope::Records>, person: PersonId, body: &FreezeReason) -> Result<()> {
    let mut check = Check::new();
    let reason = check.text("reason", &body.reason, 3..=500);
    check.done()?;
    let stands = tx.stands(Some(person)).await?;
    let stand = stands.of(person).ok_or(Error::NotFound)?;
    let held: Vec<_> = stand.held().iter().filter(|held| matches!(held.grant, Grant::Reach { .. })).collect();
    let grants: Vec<_> = held.iter().map(|held| held.label.clone()).collect();
    let mut providers = held.iter().filter_map(|held| match &held.grant {
        Grant::Reach { provider, .. } => Some(ProviderId::from_uuid(provider.id)),
        _ => None,
    });
    let provider = providers.next().ok_or(Error::NotFound)?;
    tx.subject("staff", person, stand.name.clone()).reason(&reason).in_ledger_of(provider);
    let assignments = store::bar(tx, person, &reason).await?;
    let elevations = elevations::end_all_on_tenant(tx, person, &reason).await?;
    let before = json!({ "person": {"id": person, "name": stand.name}, "grants": grants });
    tx.changed("provider_access", person, &before, &json!({ "assignments_ended": assignments, "elevations_ended": elevations }));
    Ok(())
}

/// Lets somebody who was removed be assigned again. It gives nothing back by itself; a provider admin reaches as before.
///
/// # Errors
/// `NotFound` when they were not removed.
pub async fn admit(tx: &mut WriteTx<scope::Records>, person: PersonId) -> Result<()> {
    let bar = store::bars(tx).await?.remove(&person).ok_or(Error::NotFound)?;
    let provider = store::holder(tx).await?;
    let name = store::name_of(tx, person).await?;
    tx.subject("staff", person, name).in_ledger_of(provider);
    store::unbar(tx, person).await?;
    tx.changed("provider_access", person, &json!({ "removed": { "at": bar.at, "reason": bar.reason } }), &());
    Ok(())
}
