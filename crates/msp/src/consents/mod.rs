//! What waits for a tenant's own word: a higher tier, a longer relationship, more power for somebody of the provider.
//!
//! - A relationship's settings say what needs it (`raise_by`, `assign_by`, `renew_by`); the tenant sets them. Nothing waits as long as
//!   the tenant has no active admin who could answer.
//! - Lowering never waits. Somebody whom the tenant removed comes back only with its consent, whatever the settings say.
//! - A newer request about the same thing overtakes the older one. What is approved is applied in the same commit, as the world is
//!   then: an assignment of somebody who left meanwhile cannot be approved any more.
//!
//! What this deliberately does not do: decide for the tenant after some time. A request waits until somebody answers or withdraws it.

mod store;

use access::{Mask, Modules, Tier};
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use store::has_active_admin;

kernel::kinds! {
    /// What waits for a tenant's word.
    ConsentKind ConsentId "con";
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// A higher tier of the relationship.
    Tier {
        /// The tier it would have.
        tier: Tier,
    },
    /// A later end of the relationship.
    Renewal {
        /// When it would end; none: never by itself.
        ends_at: Option<Timestamp>,
    },
    /// An assignment with more power than there is.
    Assignment {
        /// Whose.
        person: PersonId,
        /// Up to which tier.
        tier: Tier,
        /// Which operations.
        mask: Mask,
        /// Which modules.
        modules: Modules,
        /// Until when.
        ends_at: Option<Timestamp>,
    },
}

impl Wanted {
    /// As stored: tier, renewal, assignment.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Tier { .. } => "tier",
            Self::Renewal { .. } => "renewal",
            Self::Assignment { .. } => "assignment",
        }
    }
}

/// A request that waits, as the provider sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PendingConsent {
    /// Its id.
    pub id: ConsentId,
    /// `tier`, `renewal` or `assignment`.
    pub kind: String,
    /// What is asked for, in words.
    pub label: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
}

/// A request that was just made.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Waiting {
    /// What waits.
    pub pending: PendingConsent,
}

/// A request as stored.
pub(crate) struct Stored {
    pub id: ConsentId,
    pub provider: ProviderId,
    pub wanted: Wanted,
    pub label: String,
    pub asked_by: PersonId,
    pub state: String,
}

/// Between whom something is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Between {
    pub tenant: TenantId,
    pub provider: ProviderId,
}

/// Asks the tenant. What was asked about the same thing before is overtaken. Ledgered in both ledgers with the act that asks.
pub(crate) async fn ask<S: scope::Control>(
    tx: &mut WriteTx<S>,
    between: Between,
    wanted: &Wanted,
    label: String,
) -> Result<PendingConsent> {
    store::overtake(tx, between, wanted).await?;
    let (now, me) = (tx.now(), tx.me()?.clone());
    let id = ConsentId::new(now);
    store::insert(tx, id, between, wanted, &label).await?;
    tx.changed_in(between.tenant, "consent", id, &(), &json!({ "asked": label, "wanted": wanted }));
    Ok(PendingConsent { id, kind: wanted.kind().into(), label, asked_by: me.name, asked_at: now })
}

/// What waits between this provider and this tenant.
pub(crate) async fn pending(tx: &mut ReadTx<scope::Client>) -> Result<Vec<PendingConsent>> {
    let provider = tx.scope.provider;
    Ok(store::pending(tx, provider).await?)
}

/// Takes a request back.
///
/// # Errors
/// `NotFound`, `Conflict` when it was answered already.
pub(crate) async fn withdraw(tx: &mut WriteTx<scope::Client>, id: ConsentId) -> Result<()> {
    let scope::Client { provider, tenant } = tx.scope;
    let stored = store::load(tx, tenant, id).await?.filter(|stored| stored.provider == provider).ok_or(Error::NotFound)?;
    tx.subject("consent", id, stored.label.clone());
    if !store::decide(tx, id, "withdrawn", "").await? {
        return Err(answered(&stored.state));
    }
    tx.changed("consent", id, &json!({ "state": "pending" }), &json!({ "state": "withdrawn" }));
    Ok(())
}

/// The request of this id, for the tenant that is to answer it.
pub(crate) async fn of_tenant(tx: &mut ReadTx<scope::Records>, id: ConsentId) -> Result<Stored> {
    let tenant = tx.scope.tenant;
    store::load(tx, tenant, id).await?.ok_or(Error::NotFound)
}

/// Says yes, and does what was asked for.
///
/// # Errors
/// `Conflict` when it was answered already, or what it is about is gone.
pub(crate) async fn approve(tx: &mut WriteTx<scope::Records>, stored: &Stored, reason: &str) -> Result<()> {
    close(tx, stored, "approved", reason).await?;
    let between = Between { tenant: tx.scope.tenant, provider: stored.provider };
    let gone = |what: &str| Err(Error::Conflict(format!("{what} Deny the request instead.")));
    match &stored.wanted {
        Wanted::Tier { tier } => {
            let Some(before) = store::set_tier(tx, between, *tier).await? else {
                return gone("The relationship has ended.");
            };
            tx.changed("relationship", stored.provider, &json!({ "tier": before }), &json!({ "tier": tier }));
        }
        Wanted::Renewal { ends_at } => {
            if ends_at.is_some_and(|end| end <= tx.now()) {
                return gone("The end that was asked for has passed.");
            }
            let Some(before) = store::set_end(tx, between, *ends_at).await? else { return gone("The relationship has ended.") };
            tx.changed("relationship", stored.provider, &json!({ "ends_at": before }), &json!({ "ends_at": ends_at }));
        }
        Wanted::Assignment { person, ends_at, .. } => {
            if ends_at.is_some_and(|end| end <= tx.now()) {
                return gone("The end that was asked for has passed.");
            }
            if !store::is_staff(tx, *person, stored.provider).await? {
                return gone("This person does not work for the provider any more.");
            }
            let id = store::assign(tx, between, &stored.wanted).await?;
            if store::admit(tx, *person).await? {
                tx.changed("bar", person, &json!({ "removed": true }), &());
            }
            tx.changed("assignment", id, &(), &json!(&stored.wanted));
        }
    }
    Ok(())
}

/// Says no.
///
/// # Errors
/// `Conflict` when it was answered already.
pub(crate) async fn deny(tx: &mut WriteTx<scope::Records>, stored: &Stored, reason: &str) -> Result<()> {
    close(tx, stored, "denied", reason).await
}

async fn close(tx: &mut WriteTx<scope::Records>, stored: &Stored, state: &str, reason: &str) -> Result<()> {
    tx.subject("consent", stored.id, stored.label.clone()).in_ledger_of(stored.provider);
    if !reason.is_empty() {
        tx.reason(reason);
    }
    if !store::decide(tx, stored.id, state, reason).await? {
        return Err(answered(&stored.state));
    }
    tx.changed("consent", stored.id, &json!({ "state": "pending" }), &json!({ "state": state }));
    Ok(())
}

fn answered(state: &str) -> Error {
    Error::Conflict(format!("This request is {state} already. Read it again."))
}
