//! Legal holds.

use kernel::{Error, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::Serialize;
use serde_json::json;

use super::{Somebody, store};

/// A legal hold: nothing of the tenant is deleted while it stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Hold {
    /// Who ordered it; `null` where staff are not named.
    pub by: Option<Somebody>,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// The hold on a tenant.
pub(crate) async fn held<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<Hold>> {
    Ok(store::hold(tx, tenant).await?)
}

/// Orders a hold. The reason is checked.
///
/// # Errors
/// `Conflict` when there is one.
pub(crate) async fn hold(tx: &mut WriteTx<scope::Client>, reason: &str) -> Result<()> {
    tx.reason(reason);
    let tenant = name(tx).await?;
    if !store::set_hold(tx, reason).await? {
        return Err(Error::Conflict("There is a legal hold on this organisation already. Release it first.".into()));
    }
    tx.changed("tenant", tenant, &json!({ "held": false }), &json!({ "held": true, "reason": reason }));
    Ok(())
}

/// Lifts the hold. The reason is checked.
///
/// # Errors
/// `Conflict` when there is none.
pub(crate) async fn release(tx: &mut WriteTx<scope::Client>, reason: &str) -> Result<()> {
    tx.reason(reason);
    let tenant = name(tx).await?;
    let before = held(tx, tenant).await?;
    if !store::lift_hold(tx).await? {
        return Err(Error::Conflict("There is no legal hold on this organisation.".into()));
    }
    let before = before.map(|hold| hold.reason);
    tx.changed("tenant", tenant, &json!({ "held": true, "reason": before }), &json!({ "held": false }));
    Ok(())
}

/// Names the tenant as what the act is done to.
async fn name(tx: &mut WriteTx<scope::Client>) -> Result<TenantId> {
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.keeps_authority().subject("tenant", tenant, name);
    Ok(tenant)
}
