//! How limits are enforced unless a client has its own way: what a provider's settings show and write.

use kernel::limits::Limit;
use kernel::store::StoreError;
use kernel::{ProviderId, ReadTx, Result, TenantId, WriteTx, params, scope};

use super::bounds::{Enforcement, names_of};

/// One limit's way, as set in one place. What is none is inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitDefault {
    /// Which limit.
    pub limit: Limit,
    /// What happens at it.
    pub enforcement: Option<Enforcement>,
    /// What else is not made while it is reached.
    pub also_blocks: Option<Vec<Limit>>,
}

/// What a provider has set for all its clients. Limits of which it has set nothing are left out.
///
/// # Errors
/// As the store's.
pub async fn defaults<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId) -> Result<Vec<LimitDefault>> {
    let sql = "SELECT name, enforcement, also_blocks FROM limit_policy WHERE provider_id = ?1 ORDER BY name";
    Ok(read(tx.rows(sql, params![provider]).await?)?)
}

/// What is set for one client alone.
///
/// # Errors
/// As the store's.
pub async fn own<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Vec<LimitDefault>> {
    let sql = "SELECT name, enforcement, also_blocks FROM tenant_limit WHERE tenant_id = ?1 ORDER BY name";
    Ok(read(tx.rows(sql, params![tenant]).await?)?)
}

fn read(rows: Vec<kernel::store::Row>) -> Result<Vec<LimitDefault>, StoreError> {
    let one = |mut row: kernel::store::Row| {
        let limit = row.parse()?;
        let (enforcement, also_blocks): (Option<String>, Option<String>) = (row.take()?, row.take()?);
        Ok(LimitDefault {
            limit,
            enforcement: enforcement.and_then(|text| text.parse().ok()),
            also_blocks: also_blocks.map(|names| names_of(&names)),
        })
    };
    rows.into_iter().map(one).collect()
}

/// Sets a provider's way with a limit. Alerts of its clients follow at the next review.
///
/// # Errors
/// As the store's.
pub async fn set_default<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId, set: &LimitDefault) -> Result<()> {
    tx.execute(
        "INSERT INTO limit_policy (provider_id, name, enforcement, also_blocks) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (provider_id, name) DO UPDATE SET enforcement = excluded.enforcement, also_blocks = excluded.also_blocks",
        params![provider, set.limit.as_str(), set.enforcement.map(Enforcement::as_str), set.also_blocks.as_deref().map(joined)],
    )
    .await?;
    Ok(())
}

/// Sets one client's own way with a limit. [`settle`](super::settle) afterwards.
///
/// # Errors
/// As the store's.
pub async fn set_own<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, set: &LimitDefault) -> Result<()> {
    tx.execute(
        "INSERT INTO tenant_limit (tenant_id, name, enforcement, also_blocks) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id, name) DO UPDATE SET enforcement = excluded.enforcement, also_blocks = excluded.also_blocks",
        params![tenant, set.limit.as_str(), set.enforcement.map(Enforcement::as_str), set.also_blocks.as_deref().map(joined)],
    )
    .await?;
    Ok(())
}

fn joined(limits: &[Limit]) -> String {
    limits.iter().map(|limit| limit.as_str()).collect::<Vec<_>>().join(",")
}
