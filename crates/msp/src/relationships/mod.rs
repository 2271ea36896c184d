//! The contract between a provider and a tenant: how far the provider reaches, until when, and whether it stands at all.
//!
//! - A tenant of a sub-provider has a relationship with every provider of the chain; what reaches the tenant is the lowest tier of
//!   them, so that lowering one above lowers those below by itself.
//! - `expiring` (within [`EXPIRING_DAYS`] days) and `expired` follow from the end date; nobody stores them.
//! - A higher tier, and a later end, wait for the tenant's consent where the relationship's settings say so; see [`crate::consents`].
//!   Those settings are the tenant's to change; see [`crate::provider_access`].
//! - Either side may freeze it, and each lifts only its own freeze. The terms of a frozen relationship can still be changed.
//! - An ended relationship is over; the access rule lets nobody revive it from the provider's side.
//! - 30, 7 and 1 days before its end both ledgers are told, once each. It can be renewed after it has expired, too.

mod freeze;
mod http;
mod many;
mod operator;
mod preview;
mod store;
#[cfg(test)]
mod tests;
mod warn;

use access::{RelationshipState, Tier};
use kernel::clock::DAY_US;
use kernel::http::IfMatch;
use kernel::store::{Row, StoreError};
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::consents::{self, Between, PendingConsent, Wanted};
use crate::patch::given;
use crate::providers::{self, Link};

pub use freeze::{Freeze, FreezeReason, FrozenBy, Side};
pub(crate) use freeze::{freezes, lift, put};
pub(crate) use http::router;
pub use many::{Expiring, RelationshipQuery, Renewal, RenewalResult, Renewals, list, renew};
pub use operator::{OperatorTier, TierSet, set_tier_as_operator};
pub use preview::{Preview, PreviewAsked, preview};
pub use warn::warn_due;

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
    /// What needs whose word.
    #[serde(flatten)]
    pub consent: Consent,
    /// Who has frozen it, and why.
    pub freezes: Vec<Freeze>,
    /// What waits for the tenant's word.
    pub pending: Vec<PendingConsent>,
    /// Its version, for If-Match.
    pub version: i64,
}

/// Who may do what to a relationship without asking the tenant. The tenant sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Consent {
    /// Who raises the tier.
    pub raise_by: RaiseBy,
    /// Who gives staff more power here.
    pub assign_by: GrantBy,
    /// Who prolongs it.
    pub renew_by: GrantBy,
}

/// Who raises a tier (product.md section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RaiseBy {
    /// The tenant agrees, once it has an active admin.
    TenantConsent,
    /// The provider alone.
    Provider,
    /// The operator of the installation.
    Operator,
}

/// Who gives more, or for longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantBy {
    /// The tenant agrees, once it has an active admin.
    TenantConsent,
    /// The provider alone.
    Provider,
}

impl Consent {
    /// As rows hold it: `raise_by, assign_by, renew_by`.
    pub(crate) fn read(row: &mut Row) -> Result<Self, StoreError> {
        let by = |text: String| if text == "tenant_consent" { GrantBy::TenantConsent } else { GrantBy::Provider };
        let raise_by = match row.take::<String>()?.as_str() {
            "provider" => RaiseBy::Provider,
            "operator" => RaiseBy::Operator,
            _ => RaiseBy::TenantConsent,
        };
        Ok(Self { raise_by, assign_by: by(row.take()?), renew_by: by(row.take()?) })
    }
}

impl RaiseBy {
    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TenantConsent => "tenant_consent",
            Self::Provider => "provider",
            Self::Operator => "operator",
        }
    }
}

impl GrantBy {
    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TenantConsent => "tenant_consent",
            Self::Provider => "provider",
        }
    }
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
    pub consent: Consent,
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
    let scope::Client { provider, tenant } = tx.scope;
    Ok(Relationship {
        consent: stored.consent,
        freezes: freezes(tx, provider, tenant).await?,
        pending: consents::pending(tx).await?,
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
    let waits = waits(tx, &before).await?;
    let tier = body.tier.unwrap_or(before.tier);
    let ends_at = body.ends_at.unwrap_or(before.ends_at);
    let raises = tier > before.tier;
    if raises && before.consent.raise_by == RaiseBy::Operator {
        return Err(Error::Conflict("Only the operator of this installation raises this relationship's tier. Ask them.".into()));
    }
    let prolongs = is_later(ends_at, before.ends_at);
    if raises && waits.tier {
        let label = format!("Raise the tier from {} {} to {tier} {}", before.tier, before.tier.name(), tier.name());
        consents::ask(tx, waits.between, &Wanted::Tier { tier }, label).await?;
    }
    if prolongs && waits.end {
        consents::ask(tx, waits.between, &Wanted::Renewal { ends_at }, renewal_label(ends_at)).await?;
    }
    let after = Stored {
        tier: if raises && waits.tier { before.tier } else { tier },
        ends_at: if prolongs && waits.end { before.ends_at } else { ends_at },
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

/// What waits for the tenant's word here.
pub(crate) struct Waits {
    pub between: Between,
    /// A higher tier does.
    pub tier: bool,
    /// A later end does.
    pub end: bool,
}

async fn waits(tx: &mut ReadTx<scope::Client>, stored: &Stored) -> Result<Waits> {
    let scope::Client { provider, tenant } = tx.scope;
    let can_answer = consents::has_active_admin(tx, tenant).await?;
    Ok(Waits {
        between: Between { tenant, provider },
        tier: can_answer && stored.consent.raise_by == RaiseBy::TenantConsent,
        end: can_answer && stored.consent.renew_by == GrantBy::TenantConsent,
    })
}

/// Whether one end lies after another. None is never.
pub(crate) fn is_later(end: Option<Timestamp>, than: Option<Timestamp>) -> bool {
    match (end, than) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(end), Some(than)) => end > than,
    }
}

pub(crate) fn renewal_label(ends_at: Option<Timestamp>) -> String {
    ends_at.map_or_else(|| "Go on without an end".into(), |end| format!("Go on until {}", &end.to_string()[..10]))
}

fn next_state(stored: RelationshipState, wanted: Option<WantedState>) -> Result<RelationshipState> {
    let conflict = |text: &str| Err(Error::Conflict(text.into()));
    match (wanted, stored) {
        (None, stored) => Ok(stored),
        (Some(WantedState::Ended), _) => Ok(RelationshipState::Ended),
        (Some(WantedState::Active), RelationshipState::Frozen) => conflict(
            "Provider access is frozen. Who froze it can lift the freeze: ask an admin of this organisation, or unfreeze your own.",
        ),
        (Some(WantedState::Active), RelationshipState::Requested) => {
            conflict("This organisation has not agreed yet. Ask one of its admins to accept the relationship.")
        }
        (Some(WantedState::Active), RelationshipState::Ended) => {
            conflict("This relationship has ended. Ask the organisation to agree to a new one.")
        }
        (Some(WantedState::Active), stored) => Ok(stored),
    }
}

/// Freezes the provider's own access to this tenant.
///
/// # Errors
/// `Invalid` without a reason, `Conflict` when the relationship has ended or was never agreed to.
pub async fn freeze_own(tx: &mut WriteTx<scope::Client>, body: &FreezeReason) -> Result<()> {
    let mut check = Check::new();
    let reason = check.text("reason", &body.reason, 3..=500);
    check.done()?;
    let scope::Client { provider, tenant } = tx.scope;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("tenant", tenant, name).reason(&reason);
    if !put(tx, provider, tenant, Side::Provider, &reason).await? {
        return Err(Error::Conflict("There is no access to freeze: this relationship has ended or was never agreed to.".into()));
    }
    tx.changed("provider_access", tenant, &(), &serde_json::json!({ "frozen_by": "provider" }));
    Ok(())
}

/// Lifts the provider's own freeze.
///
/// # Errors
/// `Conflict` when the provider has frozen nothing.
pub async fn unfreeze_own(tx: &mut WriteTx<scope::Client>) -> Result<()> {
    let scope::Client { provider, tenant } = tx.scope;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("tenant", tenant, name);
    let own = freezes(tx, provider, tenant).await?.iter().any(|freeze| freeze.side == Side::Provider);
    if !own {
        return Err(Error::Conflict("Your provider has not frozen this. Only the organisation lifts its own freeze.".into()));
    }
    lift(tx, provider, tenant, Side::Provider).await?;
    tx.changed("provider_access", tenant, &serde_json::json!({ "frozen_by": "provider" }), &());
    Ok(())
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
