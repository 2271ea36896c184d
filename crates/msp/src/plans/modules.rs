//! Modules that left a tenant's plan: closed at once, their data kept for a while, then deleted.
//!
//! - Back within that time, all is there as it was: nothing but the policy had closed it.
//! - Once the deletion has begun, the module cannot come back until it is done, so that nothing new is deleted with the old.
//! - Of a tenant that is archived nothing is deleted here: its own end is decided by its purge.
//!
//! What this deliberately does not do: know what data a module has. Whoever keeps it deletes it.

use access::{Module, Modules};
use kernel::clock::DAY_US;
use kernel::store::StoreError;
use kernel::{Error, Hub, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::Serialize;

/// Days for which the data of a closed module is kept.
pub const KEPT_DAYS: i64 = 30;
/// Most modules that [`due`] names at once.
const DUE_MAX: i64 = 50;
/// What must hold of a tenant `t` for anything of it to be deleted.
const MAY_LOSE: &str = "t.state IN ('active', 'suspended') AND t.held_at IS NULL";

/// A module that left the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ClosedModule {
    /// Which.
    pub module: Module,
    /// Since when it is closed.
    pub closed_at: Timestamp,
    /// Until when its data is kept.
    pub kept_until: Timestamp,
}

/// The modules of a tenant that were closed and whose data is still there.
///
/// # Errors
/// As the store's.
pub(crate) async fn closed<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Vec<ClosedModule>, StoreError> {
    let sql = "SELECT module, closed_at, kept_until FROM module_closed WHERE tenant_id = ?1 AND emptied_at IS NULL ORDER BY module";
    let rows = tx.rows(sql, params![tenant]).await?;
    rows.into_iter()
        .map(|mut row| Ok(ClosedModule { module: row.parse()?, closed_at: row.take()?, kept_until: row.take()? }))
        .collect()
}

/// What is in the first and not in the second.
pub(super) fn without(all: Modules, less: Modules) -> Modules {
    all.iter().filter(|module| !less.contains(*module)).collect()
}

/// Closes what left a tenant's plan, and forgets that what came back was closed. The tenant's row is held.
///
/// # Errors
/// `Conflict` when the data of a module that would come back is being deleted.
pub(super) async fn change<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, from: Modules, to: Modules) -> Result<()> {
    let now = tx.now();
    let sql = "SELECT module FROM module_closed WHERE tenant_id = ?1 AND emptying_at IS NOT NULL AND emptied_at IS NULL";
    for mut row in tx.rows(sql, params![tenant]).await? {
        let module: Module = row.parse()?;
        if without(to, from).contains(module) {
            return Err(Error::Conflict(format!(
                "The data that {} had before is being deleted at this moment. Try again in a minute.",
                module.name()
            )));
        }
    }
    for module in without(to, from).iter() {
        let sql = "DELETE FROM module_closed WHERE tenant_id = ?1 AND module = ?2";
        tx.execute(sql, params![tenant, module.as_str()]).await?;
    }
    for module in without(from, to).iter() {
        tx.execute(
            "INSERT INTO module_closed (tenant_id, module, closed_at, kept_until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant_id, module) DO UPDATE SET closed_at = excluded.closed_at, kept_until = excluded.kept_until,
                 emptying_at = NULL, emptied_at = NULL",
            params![tenant, module.as_str(), now, kept_until(now)],
        )
        .await?;
    }
    Ok(())
}

/// Until when the data of what is closed now is kept.
pub(super) fn kept_until(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_add(KEPT_DAYS * DAY_US))
}

/// Closed modules whose data is due to be deleted, or whose deletion was interrupted; longest overdue first.
///
/// # Errors
/// The control database does not answer.
pub async fn due(hub: &Hub) -> Result<Vec<(TenantId, Module)>> {
    let mut tx = hub.system_read().await?;
    let sql = format!(
        "SELECT c.tenant_id, c.module FROM module_closed c JOIN tenant t ON t.id = c.tenant_id
         WHERE c.kept_until <= ?1 AND c.emptied_at IS NULL AND {MAY_LOSE} ORDER BY c.kept_until, c.tenant_id LIMIT ?2"
    );
    let now = tx.now();
    let rows = tx.rows(&sql, params![now, DUE_MAX]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.parse()?))).collect()
}

/// Says that the data of a closed module is being deleted from now on. Answers whether it may be: it may have come back meanwhile.
///
/// # Errors
/// `Unavailable`.
pub async fn begin_emptying(hub: &Hub, tenant: TenantId, module: Module) -> Result<bool> {
    let mut tx = hub.system_write("module.empty", "the time for which the data of a closed module is kept is over").await?;
    tx.execute("UPDATE tenant SET version = version WHERE id = ?1", params![tenant]).await?;
    let now = tx.now();
    let sql = format!(
        "UPDATE module_closed SET emptying_at = ?3 WHERE tenant_id = ?1 AND module = ?2 AND kept_until <= ?3 AND emptied_at IS NULL
           AND EXISTS (SELECT 1 FROM tenant t WHERE t.id = module_closed.tenant_id AND {MAY_LOSE})"
    );
    let begun = tx.execute(&sql, params![tenant, module.as_str(), now]).await? == 1;
    if begun {
        tx.keeps_authority().subject("module", module.as_str(), module.name().to_owned()).also_in(tenant);
        tx.commit().await?;
    }
    Ok(begun)
}

/// Says that the data is gone.
///
/// # Errors
/// `Unavailable`.
pub async fn finish_emptying(hub: &Hub, tenant: TenantId, module: Module, rows: u64) -> Result<()> {
    let mut tx = hub.system_write("module.emptied", "the data of a closed module was deleted").await?;
    let now = tx.now();
    let sql = "UPDATE module_closed SET emptied_at = ?3 WHERE tenant_id = ?1 AND module = ?2 AND emptying_at IS NOT NULL";
    tx.execute(sql, params![tenant, module.as_str(), now]).await?;
    tx.keeps_authority().subject("module", module.as_str(), module.name().to_owned());
    tx.changed("module", module.as_str(), &serde_json::json!({ "rows": rows }), &serde_json::json!({ "rows": 0 })).also_in(tenant);
    tx.commit().await
}
