//! Requests for a purge: the first of the two persons.

use access::TenantState;
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{LAPSES_DAYS, Somebody, Window, store};

/// Which side asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurgeSide {
    /// The provider.
    Provider,
    /// The tenant's own admin.
    Tenant,
}

impl PurgeSide {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Tenant => "tenant",
        }
    }
}

/// A request for a tenant's purge that counts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PurgeRequest {
    /// Who asked; `null` where staff are not named.
    pub by: Option<Somebody>,
    /// For which side.
    pub side: PurgeSide,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// When it counts no more; `null`: the tenant is not archived yet, and it waits for that.
    pub lapses_at: Option<Timestamp>,
}

impl PurgeRequest {
    pub(super) fn is_of_provider(&self) -> bool {
        self.side == PurgeSide::Provider
    }
}

/// What a provider says when it asks for a purge.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct PurgeAsked {
    /// In the person's words; the tenant reads it too.
    pub reason: String,
    /// The tenant's display name, typed.
    pub name: String,
}

/// A request as stored.
pub(super) struct Stored {
    pub side: PurgeSide,
    pub by: Somebody,
    pub at: Timestamp,
    pub reason: String,
    /// The tenant's: from when it may be purged; none while it is not archived.
    pub purge_after: Option<Timestamp>,
}

impl Stored {
    /// It counts for so many days from the first instant at which the purge could be done.
    fn lapses_at(&self) -> Option<Timestamp> {
        self.purge_after.map(|after| after.max(self.at).plus_days(LAPSES_DAYS))
    }

    fn is_lapsed(&self, now: Timestamp) -> bool {
        self.lapses_at().is_some_and(|at| at <= now)
    }
}

/// The request for this tenant's purge that counts.
pub(crate) async fn asked<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<PurgeRequest>> {
    let now = tx.now();
    let stored = store::request(tx, tenant).await?.filter(|stored| !stored.is_lapsed(now));
    Ok(stored.map(|stored| {
        let lapses_at = stored.lapses_at();
        PurgeRequest { by: Some(stored.by), side: stored.side, at: stored.at, reason: stored.reason, lapses_at }
    }))
}

/// A provider admin asks: the tenant is archived, its window is over, nothing holds it.
///
/// # Errors
/// `Conflict`, `Invalid` for a name that is not the tenant's.
pub(crate) async fn ask(tx: &mut WriteTx<scope::Client>, window: Window, body: &PurgeAsked) -> Result<()> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    let info = tx.tenant().cloned().ok_or(Error::NotFound)?;
    tx.subject("tenant", tenant, info.name.clone());
    let reason = checked(&body.reason)?;
    tx.reason(&reason);
    if info.state != TenantState::Archived {
        return Err(Error::Conflict(format!("This organisation is {}. Archive it first.", info.state)));
    }
    if body.name.trim() != info.name {
        return Err(Error::field("name", "mismatch", "is not this organisation's display name; type it exactly"));
    }
    refuse_held(tx, tenant).await?;
    window.check(store::purge_after(tx).await?, now)?;
    insert(tx, tenant, PurgeSide::Provider, &reason).await
}

/// The tenant's own admin asks.
///
/// # Errors
/// `Conflict` when somebody has asked already.
pub(super) async fn ask_as_tenant(tx: &mut WriteTx<scope::Records>, reason: &str) -> Result<()> {
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("tenant", tenant, name);
    let reason = checked(reason)?;
    tx.reason(&reason);
    let provider = store::holder(tx, tenant).await?;
    tx.in_ledger_of(provider);
    insert(tx, tenant, PurgeSide::Tenant, &reason).await
}

fn checked(reason: &str) -> Result<String> {
    let mut check = Check::new();
    let reason = check.text("reason", reason, 3..=500);
    check.done()?;
    Ok(reason)
}

async fn insert<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, side: PurgeSide, reason: &str) -> Result<()> {
    let now = tx.now();
    if let Some(old) = store::request(tx, tenant).await?.filter(|old| old.is_lapsed(now)) {
        store::delete(tx, tenant, &old).await?;
    }
    if !store::insert(tx, tenant, side, reason).await? {
        return Err(Error::Conflict(
            "The purge of this organisation has been asked for already. Another person can carry it out.".into(),
        ));
    }
    tx.keeps_authority().changed("purge_request", tenant, &(), &json!({ "side": side, "reason": reason }));
    Ok(())
}

/// Withdraws a provider's request.
///
/// # Errors
/// `Conflict` when there is none, or it is the tenant's.
pub(crate) async fn withdraw(tx: &mut WriteTx<scope::Client>) -> Result<()> {
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("tenant", tenant, name);
    withdraw_of(tx, tenant, PurgeSide::Provider).await
}

/// Withdraws the tenant's request.
///
/// # Errors
/// `Conflict` when there is none, or it is the provider's.
pub(super) async fn withdraw_as_tenant(tx: &mut WriteTx<scope::Records>) -> Result<()> {
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.subject("tenant", tenant, name);
    let provider = store::holder(tx, tenant).await?;
    tx.in_ledger_of(provider);
    withdraw_of(tx, tenant, PurgeSide::Tenant).await
}

async fn withdraw_of<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, side: PurgeSide) -> Result<()> {
    let none = || Error::Conflict("Nobody has asked for the purge of this organisation.".into());
    let stored = store::request(tx, tenant).await?.ok_or_else(none)?;
    if stored.side != side {
        let whose = if side == PurgeSide::Tenant { "Its provider" } else { "The organisation itself" };
        return Err(Error::Conflict(format!("{whose} asked for this purge, and can withdraw it.")));
    }
    if !store::delete(tx, tenant, &stored).await? {
        return Err(none());
    }
    let before = json!({ "side": side, "by": stored.by.name, "reason": stored.reason });
    tx.keeps_authority().changed("purge_request", tenant, &before, &());
    Ok(())
}

/// A tenant that is restored is not to be purged any more, as far as its provider is concerned.
pub(crate) async fn end_by_restore(tx: &mut WriteTx<scope::Client>) -> Result<()> {
    let tenant = tx.scope.tenant;
    if let Some(stored) = store::request(tx, tenant).await?.filter(|stored| stored.side == PurgeSide::Provider) {
        store::delete(tx, tenant, &stored).await?;
        tx.changed("purge_request", tenant, &json!({ "side": stored.side, "by": stored.by.name }), &());
    }
    Ok(())
}

/// Takes the request up: it is another's, it counts, and nobody withdrew it meanwhile. Answers who asked.
///
/// # Errors
/// `Conflict`, with what to do.
pub(crate) async fn take(tx: &mut WriteTx<scope::Client>, window: Window) -> Result<Somebody> {
    let (tenant, now, me) = (tx.scope.tenant, tx.now(), tx.me()?.person);
    refuse_held(tx, tenant).await?;
    window.check(store::purge_after(tx).await?, now)?;
    let nobody = || {
        Error::Conflict(
            "A purge takes two persons, and nobody has asked for this one. Request it; another person then carries it out.".into(),
        )
    };
    let stored = store::request(tx, tenant).await?.ok_or_else(nobody)?;
    if stored.is_lapsed(now) {
        return Err(Error::Conflict(format!(
            "The request for this purge has lapsed: it counted for {LAPSES_DAYS} days. Request it anew."
        )));
    }
    if stored.by.id == me {
        return Err(Error::Conflict("You asked for this purge yourself. Another person has to carry it out.".into()));
    }
    if !store::delete(tx, tenant, &stored).await? {
        return Err(nobody());
    }
    Ok(stored.by)
}

async fn refuse_held<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<()> {
    match super::held(tx, tenant).await? {
        None => Ok(()),
        Some(hold) => Err(Error::Conflict(format!(
            "There is a legal hold on this organisation since {} ({}). Nothing of it can be purged until it is released.",
            hold.at, hold.reason
        ))),
    }
}
