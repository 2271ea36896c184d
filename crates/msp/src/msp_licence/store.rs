//! SQL of the installation's licence.

use kernel::store::StoreError;
use kernel::{PersonId, ProviderId, ReadTx, Timestamp, WriteTx, params, scope};

/// A licence as it was activated.
pub(super) struct Stored {
    pub number: i64,
    pub file: String,
    pub warned_days: Option<i64>,
}

/// The licence that counts.
pub(super) async fn newest<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Option<Stored>, StoreError> {
    let row = tx.opt("SELECT number, file, warned_days FROM msp_licence ORDER BY number DESC LIMIT 1", &[]).await?;
    row.map(|mut row| Ok(Stored { number: row.take()?, file: row.take()?, warned_days: row.take()? })).transpose()
}

/// Takes a row that every store has until the commit, so that those who would make a tenant or activate a licence come one after the
/// other. Changes nothing.
pub(super) async fn lock<S: scope::Control>(tx: &mut WriteTx<S>) -> Result<(), StoreError> {
    tx.execute("UPDATE signing_key SET number = number WHERE number = 1", &[]).await?;
    Ok(())
}

/// Tenants over all providers, archived ones too.
pub(super) async fn tenants<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<i64, StoreError> {
    tx.one("SELECT COUNT(*) FROM tenant WHERE state <> 'purged'", &[]).await?.take()
}

pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    (number, id): (i64, super::LicenceId),
    file: &str,
    by: Option<PersonId>,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO msp_licence (number, licence, file, activated_at, activated_by) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![number, id.to_string(), file, now, by],
    )
    .await?;
    Ok(())
}

/// Whether this warning was still to be given.
pub(super) async fn warn(tx: &mut WriteTx<scope::Public>, number: i64, days: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE msp_licence SET warned_days = ?2 WHERE number = ?1 AND (warned_days IS NULL OR warned_days > ?2)";
    Ok(tx.execute(sql, params![number, days]).await? == 1)
}

/// The providers that nobody is above.
pub(super) async fn at_the_top<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Vec<ProviderId>, StoreError> {
    let sql = "SELECT id FROM provider WHERE parent_id IS NULL AND kind = 'msp' ORDER BY id LIMIT 1000";
    tx.rows(sql, &[]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// What the tenants of this provider were told when the licence was activated: the newest notice.
pub(super) async fn notice(tx: &mut ReadTx<scope::Provider>) -> Result<Option<(Timestamp, serde_json::Value)>, StoreError> {
    let row = tx
        .opt(
            "SELECT n.at, n.facts FROM tenant_notice n JOIN tenant t ON t.id = n.tenant_id
             WHERE t.provider_id = ?1 AND n.kind = 'licence_activated' ORDER BY n.at DESC LIMIT 1",
            params![tx.scope.provider],
        )
        .await?;
    row.map(|mut row| Ok((row.take()?, row.json()?))).transpose()
}
