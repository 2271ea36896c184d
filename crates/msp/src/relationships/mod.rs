//! The contract between a provider and a tenant: how far the provider reaches, until when, and whether it stands at all.
//!
//! - A tenant of a sub-provider has a relationship with every provider of the chain; what reaches the tenant is the lowest tier of
//!   them, so that lowering one above lowers those below by itself.
//! - `expiring` (within [`EXPIRING_DAYS`] days) and `expired` follow from the end date; nobody stores them.
//! - A frozen relationship is the tenant's doing: its terms can be changed, but only the tenant lifts the freeze.
//! - An ended relationship is over; the access rule lets nobody revive it from the provider's side.
//!
//! What this deliberately does not do: ask the tenant for consent to a higher tier, or freeze.

mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{RelationshipState, Tier};
use kernel::clock::DAY_US;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::patch::given;
use crate::providers::{self, Link};

pub(crate) use http::router;

kernel::kinds! {
    /// The contract between a provider and a tenant.
    RelationshipKind RelationshipId "rel";
}

/// Days before its end from which a relationship is called expiring.
pub const EXPIRING_DAYS: i64 = 30;
/// The same in microseconds.
pub(crate) const EXPIRING_US: i64 = EXPIRING_DAYS * DAY_US;
/// Days from now that an end may lie ahead.
pub(crate) const ENDS_DAYS_MAX: i64 = 3_660;

/// A relationship in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RelationshipRow {
    /// Its id.
    pub id: RelationshipId,
    /// Its own tier.
    pub tier: Tier,
    /// Where in its life it is now.
    pub state: RelationshipState,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// A relationship, whole.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Relationship {
    /// Its id.
    pub id: RelationshipId,
    /// Its own tier.
    pub tier: Tier,
    /// Where in its life it is now.
    pub state: RelationshipState,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
    /// The highest tier that the providers above let through; `null` without one above.
    pub parent_tier: Option<Tier>,
    /// Its version, for If-Match.
    pub version: i64,
}

/// What a relationship can be set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// It stands.
    Active,
    /// It is over, at once.
    Ended,
}

/// A change of a relationship; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct RelationshipUpdate {
    /// At most what the providers above let through.
    pub tier: Option<Tier>,
    /// When it ends by itself; `null`: never.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Option<Option<Timestamp>>,
    /// Ends it at once.
    pub state: Option<WantedState>,
}

/// The state as it is to be shown: what time has made of the stored one.
pub(crate) fn state_at(stored: RelationshipState, ends_at: Option<Timestamp>, now: Timestamp) -> RelationshipState {
    match (stored, ends_at) {
        (RelationshipState::Active, Some(end)) if end <= now => RelationshipState::Expired,
        (RelationshipState::Active, Some(end)) if end <= now.plus_days(EXPIRING_DAYS) => RelationshipState::Expiring,
        _ => stored,
    }
}

/// A relationship as stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub id: RelationshipId,
    pub tier: Tier,
    pub state: RelationshipState,
    pub ends_at: Option<Timestamp>,
    pub version: i64,
}

/// This provider's relationship with this tenant, and the highest tier that can be had.
async fn load(tx: &mut ReadTx<scope::Client>) -> Result<(Stored, Vec<Link>, Tier)> {
    let stored = store::load(tx).await?.ok_or(Error::NotFound)?;
    let provider = tx.scope.provider;
    let lineage = providers::lineage(tx, provider).await?;
    let above = store::tiers(tx).await?;
    let held_above = above.iter().filter(|(provider, _)| lineage.iter().skip(1).any(|link| link.id == *provider));
    let highest = held_above.map(|(_, tier)| *tier).fold(providers::ceiling(&lineage), Tier::min);
    Ok((stored, lineage, highest))
}

/// This provider's relationship with this tenant.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Client>) -> Result<Relationship> {
    let (stored, lineage, highest) = load(tx).await?;
    Ok(Relationship {
        id: stored.id,
        tier: stored.tier,
        state: state_at(stored.state, stored.ends_at, tx.now()),
        ends_at: stored.ends_at,
        parent_tier: (lineage.len() > 1).then_some(highest),
        version: stored.version,
    })
}

/// Changes tier, end or state. The ledger says what that means for assignments and for the providers below.
///
/// # Errors
/// `Changed`, `Invalid`, `Conflict` when the tenant's word is needed.
pub async fn update(tx: &mut WriteTx<scope::Client>, version: IfMatch, body: RelationshipUpdate) -> Result<()> {
    let (before, _, highest) = load(tx).await?;
    version.check(before.version)?;
    let now = tx.now();
    let mut check = Check::new();
    if let Some(tier) = body.tier.filter(|tier| *tier > highest) {
        check.fail("tier", "above_ceiling", format!("{tier} is above {highest} {}, the most that can be had here", highest.name()));
    }
    if let Some(Some(ends_at)) = body.ends_at {
        check.future("ends_at", ends_at, now, ENDS_DAYS_MAX);
    }
    check.done()?;
    let state = next_state(before.state, body.state)?;
    let after = Stored {
        tier: body.tier.unwrap_or(before.tier),
        ends_at: body.ends_at.unwrap_or(before.ends_at),
        state,
        version: before.version + 1,
        ..before
    };
    let shown_before = shown(tx, before, highest).await?;
    store::update(tx, before.version, after).await?;
    let shown_after = shown(tx, after, highest).await?;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("relationship", before.id, name);
    tx.changed("relationship", before.id, &shown_before, &shown_after);
    Ok(())
}

fn next_state(stored: RelationshipState, wanted: Option<WantedState>) -> Result<RelationshipState> {
    let conflict = |text: &str| Err(Error::Conflict(text.into()));
    match (wanted, stored) {
        (None, stored) => Ok(stored),
        (Some(WantedState::Ended), _) => Ok(RelationshipState::Ended),
        (Some(WantedState::Active), RelationshipState::Frozen) => {
            conflict("This organisation has frozen provider access. Ask one of its admins to lift the freeze.")
        }
        (Some(WantedState::Active), RelationshipState::Requested) => {
            conflict("This organisation has not agreed yet. Ask one of its admins to accept the relationship.")
        }
        (Some(WantedState::Active), RelationshipState::Ended) => {
            conflict("This relationship has ended. Ask the organisation to agree to a new one.")
        }
        (Some(WantedState::Active), stored) => Ok(stored),
    }
}

/// What the ledger says of a relationship: its terms, and how many people and providers they hold back.
#[derive(Serialize)]
struct Shown {
    tier: Tier,
    effective_tier: Tier,
    state: RelationshipState,
    ends_at: Option<Timestamp>,
    /// Assignments that work.
    assignments: i64,
    /// Of these, those that would reach further by themselves.
    assignments_limited: i64,
    /// Providers directly below whose own relationship would reach further.
    sub_providers_limited: i64,
}

async fn shown(tx: &mut ReadTx<scope::Client>, terms: Stored, highest: Tier) -> Result<Shown> {
    let effective_tier = terms.tier.min(highest);
    let state = state_at(terms.state, terms.ends_at, tx.now());
    let counts = store::counts(tx, effective_tier).await?;
    let is_live = matches!(state, RelationshipState::Active | RelationshipState::Expiring);
    Ok(Shown {
        tier: terms.tier,
        effective_tier,
        state,
        ends_at: terms.ends_at,
        assignments: if is_live { counts.assignments } else { 0 },
        assignments_limited: if is_live { counts.assignments_limited } else { 0 },
        sub_providers_limited: counts.sub_providers_limited,
    })
}
