//! SQL of a tenant's end.

use kernel::store::StoreError;
use kernel::{ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::requests::{PurgeSide, Stored};
use super::{Hold, Somebody, Window};

/// What the provider that holds the tenant has set.
pub(crate) async fn window(tx: &mut ReadTx<scope::Client>) -> Result<Window, StoreError> {
    let sql = "SELECT p.archive_days, p.immediate_purge FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.id = ?1";
    let mut row = tx.one(sql, params![tx.scope.tenant]).await?;
    Ok(Window { days: row.take()?, is_skipped: row.take()? })
}

pub(super) async fn purge_after<S: TenantScope>(tx: &mut ReadTx<S>) -> Result<Option<Timestamp>, StoreError> {
    tx.one("SELECT purge_after FROM tenant WHERE id = ?1", params![tx.scope.tenant()]).await?.take()
}

/// Scopes that are about one tenant.
pub(super) trait TenantScope: scope::Control {
    fn tenant(&self) -> TenantId;
}
impl TenantScope for scope::Client {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}
impl TenantScope for scope::Records {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

pub(super) async fn holder(tx: &mut ReadTx<scope::Records>, tenant: TenantId) -> Result<ProviderId, StoreError> {
    tx.one("SELECT provider_id FROM tenant WHERE id = ?1", params![tenant]).await?.take()
}

pub(super) async fn hold<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<Hold>, StoreError> {
    let sql = "SELECT p.id, p.name, t.held_at, t.held_reason FROM tenant t JOIN person p ON p.id = t.held_by
         WHERE t.id = ?1 AND t.held_at IS NOT NULL";
    let row = tx.opt(sql, params![tenant]).await?;
    row.map(|mut row| {
        let by = Some(Somebody { id: row.take()?, name: row.take()? });
        Ok(Hold { by, at: row.take()?, reason: row.take()? })
    })
    .transpose()
}

/// Whether there was none.
pub(super) async fn set_hold(tx: &mut WriteTx<scope::Client>, reason: &str) -> Result<bool> {
    let (tenant, now, me) = (tx.scope.tenant, tx.now(), tx.me()?.person);
    let sql = "UPDATE tenant SET held_at = ?2, held_by = ?3, held_reason = ?4, version = version + 1
         WHERE id = ?1 AND held_at IS NULL AND state <> 'purged'";
    Ok(tx.execute(sql, params![tenant, now, me, reason]).await? == 1)
}

/// Whether there was one.
pub(super) async fn lift_hold(tx: &mut WriteTx<scope::Client>) -> Result<bool, StoreError> {
    let tenant = tx.scope.tenant;
    let sql = "UPDATE tenant SET held_at = NULL, held_by = NULL, held_reason = '', version = version + 1
         WHERE id = ?1 AND held_at IS NOT NULL";
    Ok(tx.execute(sql, params![tenant]).await? == 1)
}

pub(super) async fn request<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<Stored>, StoreError> {
    let row = tx
        .opt(
            "SELECT q.side, p.id, p.name, q.at, q.reason,
                    CASE WHEN t.state = 'archived' THEN COALESCE(t.purge_after, t.archived_at, t.created_at) END
             FROM purge_request q JOIN person p ON p.id = q.person_id
             JOIN tenant t ON t.id = q.tenant_id WHERE q.tenant_id = ?1",
            params![tenant],
        )
        .await?;
    row.map(|mut row| {
        let side = if row.take::<String>()? == "tenant" { PurgeSide::Tenant } else { PurgeSide::Provider };
        let by = Somebody { id: row.take()?, name: row.take()? };
        Ok(Stored { side, by, at: row.take()?, reason: row.take()?, purge_after: row.take()? })
    })
    .transpose()
}

/// Whether there was none.
pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    tenant: TenantId,
    side: PurgeSide,
    reason: &str,
) -> Result<bool> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let sql = "INSERT INTO purge_request (tenant_id, side, person_id, at, reason) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id) DO NOTHING";
    Ok(tx.execute(sql, params![tenant, side.as_str(), me, now, reason]).await? == 1)
}

/// Whether it was still there.
pub(super) async fn delete<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, stored: &Stored) -> Result<bool, StoreError> {
    let sql = "DELETE FROM purge_request WHERE tenant_id = ?1 AND person_id = ?2 AND at = ?3";
    Ok(tx.execute(sql, params![tenant, stored.by.id, stored.at]).await? == 1)
}

/// Relationships through which a provider reaches the tenant.
pub(super) async fn live_relationships(tx: &mut ReadTx<scope::Records>) -> Result<i64, StoreError> {
    let now = tx.now();
    let sql = "SELECT COUNT(*) FROM relationship WHERE tenant_id = ?1 AND state = 'active' AND (ends_at IS NULL OR ends_at > ?2)";
    tx.one(sql, params![tx.scope.tenant, now]).await?.take()
}

/// When the tenant's data was taken along last.
pub(super) async fn last_bundle(tx: &mut ReadTx<scope::Data>) -> Result<Option<Timestamp>, StoreError> {
    tx.one("SELECT MAX(at) FROM ledger WHERE action = 'bundle.export' AND outcome = 'done'", &[]).await?.take()
}
