//! The life of a tenant after its making.

use ::ledger::Party;
use access::TenantState;
use kernel::door::ChainId;
use kernel::validate::Check;
use kernel::{CanFail, Error, Hub, Result, TenantId, WriteTx, scope};
use serde::{Deserialize, Serialize};

use super::store;
use crate::billing::periods;
use crate::certificates::{self, CertificateId};
use crate::offboarding;

/// Why a tenant is suspended or archived.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct Reason {
    /// In the person's words; the tenant reads it too.
    pub reason: String,
}

/// The word that a purge needs.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct Purge {
    /// The tenant's display name, typed.
    pub name: String,
}

/// A purge that was done.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Purged {
    /// Always true.
    pub purged: bool,
    /// Files (SQLite) or rows (PostgreSQL) removed. 0 while something still reads them: then they go at the next start.
    pub files_removed: u64,
    /// The data key is gone: what was sealed with it cannot be read, in backups neither.
    pub key_destroyed: bool,
    /// The certificate of destruction, signed once the database is gone.
    pub certificate: CertificateId,
}

impl Reason {
    pub(super) fn checked(&self) -> Result<String> {
        let mut check = Check::new();
        let reason = check.text("reason", &self.reason, 3..=500);
        check.done()?;
        Ok(reason)
    }
}

/// Stops the tenant; its people see that it is stopped.
///
/// # Errors
/// `Conflict` in any other state than active, `Invalid` without a reason.
pub async fn suspend(tx: &mut WriteTx<scope::Client>, body: &Reason) -> Result<()> {
    let reason = body.checked()?;
    tx.reason(&reason);
    step(tx, &[TenantState::Active], store::Move { to: TenantState::Suspended, reason: Some(reason), purge_after: None }).await
}

/// Ends a suspension.
///
/// # Errors
/// `Conflict` in any other state than suspended.
pub async fn resume(tx: &mut WriteTx<scope::Client>) -> Result<()> {
    step(tx, &[TenantState::Suspended], store::Move { to: TenantState::Active, reason: None, purge_after: None }).await
}

/// Closes the tenant and keeps its data.
///
/// # Errors
/// `Conflict` unless active or suspended, `Invalid` without a reason.
pub async fn archive(tx: &mut WriteTx<scope::Client>, body: &Reason) -> Result<()> {
    let reason = body.checked()?;
    tx.reason(&reason);
    let purge_after = Some(offboarding::window(tx).await?.ends_at(tx.now()));
    let from = [TenantState::Active, TenantState::Suspended];
    step(tx, &from, store::Move { to: TenantState::Archived, reason: Some(reason), purge_after }).await
}

/// Opens an archived tenant again.
///
/// # Errors
/// `Conflict` in any other state than archived.
pub async fn restore(tx: &mut WriteTx<scope::Client>) -> Result<()> {
    step(tx, &[TenantState::Archived], store::Move { to: TenantState::Active, reason: None, purge_after: None }).await?;
    offboarding::end_by_restore(tx).await
}

async fn step(tx: &mut WriteTx<scope::Client>, from: &[TenantState], to: store::Move) -> Result<()> {
    let store::Standing { state, name, purge_after } = store::standing(tx).await?;
    let id = tx.scope.tenant;
    tx.subject("tenant", id, name);
    if !from.contains(&state) || !store::go(tx, state, &to).await? {
        return Err(wrong_state(state, to.to));
    }
    if TenantState::Archived == state || TenantState::Archived == to.to {
        periods::note(tx, id).await?;
    }
    let shown = |state: TenantState, purge_after| serde_json::json!({ "state": state, "purge_after": purge_after });
    tx.changed("tenant", id, &shown(state, purge_after), &shown(to.to, to.purge_after));
    Ok(())
}

fn wrong_state(is: TenantState, wanted: TenantState) -> Error {
    let what_to_do = match (is, wanted) {
        (is, wanted) if is == wanted => "There is nothing to do.",
        (TenantState::Archived, TenantState::Purged) => "Read it again and repeat.",
        (_, TenantState::Purged) => "Archive it first.",
        (TenantState::Archived, _) => "Restore it first.",
        (TenantState::Suspended, _) => "Resume it.",
        _ => "There is nothing to end.",
    };
    Error::Conflict(format!("This organisation is {is}. {what_to_do}"))
}

/// Destroys an archived tenant whose purge another person asked for, and commits: its people, its key, its database. There is no way back.
///
/// # Errors
/// `Conflict` unless archived, while it is kept or held, and without another person's request; `Invalid` when the typed name is not its
/// display name.
pub async fn purge(mut tx: WriteTx<scope::Client>, body: &Purge) -> Result<Purged> {
    let store::Standing { state, name, .. } = store::standing(&mut tx).await?;
    let tenant = tx.scope.tenant;
    tx.subject("tenant", tenant, name.clone());
    if state != TenantState::Archived {
        return Err(wrong_state(state, TenantState::Purged));
    }
    if body.name.trim() != name {
        return Err(Error::field("name", "mismatch", "is not this organisation's display name; type it exactly"));
    }
    let window = offboarding::window(&mut tx).await?;
    let first = offboarding::take(&mut tx, window).await?;
    let doomed = certificates::doomed(&mut tx).await?;
    if !store::entomb(&mut tx).await? {
        return Err(wrong_state(state, TenantState::Purged));
    }
    let removed = store::remove_records(&mut tx).await?;
    tx.changed("tenant", tenant, &serde_json::json!({ "state": state, "name": name }), &serde_json::json!({ "state": "purged" }));
    tx.changed("tenant_records", tenant, &removed, &());
    let first = Party { id: first.id.to_string(), name: first.name };
    let certificate = certificates::draft(&mut tx, doomed, removed.counted(), first).await?;
    let hub = tx.hub().clone();
    tx.commit().await?;
    let files_removed = match finish(&hub, tenant).await {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%tenant, %error, "the database of a purged tenant is still in use; it goes at the next start");
            0
        }
    };
    Ok(Purged { purged: true, files_removed, key_destroyed: true, certificate })
}

/// Removes the databases of purged tenants that an interruption left. Run at start; doing it again changes nothing.
/// Answers how many went.
///
/// # Errors
/// The control database does not answer.
pub async fn finish_purges(hub: &Hub) -> Result<usize> {
    let mut finished = 0;
    for tenant in store::unfinished_purges(&mut hub.system_read().await?).await? {
        match finish(hub, tenant).await {
            Ok(_) => finished += 1,
            Err(error) => Err::<(), _>(error).can_fail("the next start tries again"),
        }
    }
    Ok(finished)
}

/// Signs the last head of the ledger, removes the database, and signs the certificate that says so. Each step may be done again.
async fn finish(hub: &Hub, tenant: TenantId) -> Result<u64> {
    match hub.checkpoint(ChainId::Tenant(tenant)).await {
        Ok(_) => {}
        Err(Error::NotFound) => tracing::debug!(%tenant, "an interrupted purge has removed the database already"),
        Err(error) => return Err(error),
    }
    let files = hub.destroy_tenant_store(tenant).await?;
    let (signer, head) = (hub.signer().await?, hub.remembered_checkpoint(tenant).await?);
    let mut tx = hub.system_write("tenant.purge_finish", "the database of a purged tenant was removed").await?;
    certificates::complete(&mut tx, &signer, tenant, head, Some(files).filter(|files| *files > 0)).await?;
    store::mark_destroyed(&mut tx, tenant).await?;
    tx.keeps_authority().subject("tenant", tenant, None);
    tx.commit().await?;
    hub.scrub().await.can_fail("the next purge scrubs too");
    Ok(files)
}
