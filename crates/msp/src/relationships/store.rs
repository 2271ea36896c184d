use access::Tier;
use kernel::store::{Row, StoreError};
use kernel::{Error, ProviderId, ReadTx, Result, WriteTx, params, scope};

use super::{Consent, Stored};

pub(super) async fn load(tx: &mut ReadTx<scope::Client>) -> Result<Option<Stored>, StoreError> {
    let row = tx
        .opt(
            "SELECT id, tier, state, ends_at, raise_by, assign_by, renew_by, version FROM relationship
             WHERE provider_id = ?1 AND tenant_id = ?2",
            params![tx.scope.provider, tx.scope.tenant],
        )
        .await?;
    row.map(|mut row| {
        Ok(Stored {
            id: row.take()?,
            tier: tier(&mut row)?,
            state: row.parse()?,
            ends_at: row.take()?,
            consent: Consent::read(&mut row)?,
            version: row.take()?,
        })
    })
    .transpose()
}

fn tier(row: &mut Row) -> Result<Tier, StoreError> {
    Ok(Tier::from_i64(row.take()?).unwrap_or(Tier::T0))
}

/// The tiers of all providers of this tenant: a few.
pub(super) async fn tiers(tx: &mut ReadTx<scope::Client>) -> Result<Vec<(ProviderId, Tier)>, StoreError> {
    let rows = tx.rows("SELECT provider_id, tier FROM relationship WHERE tenant_id = ?1", params![tx.scope.tenant]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, tier(&mut row)?))).collect()
}

pub(super) async fn update(tx: &mut WriteTx<scope::Client>, version: i64, after: Stored) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE relationship SET tier = ?3, state = ?4, version = version + 1,
                warned_days = CASE WHEN ends_at = ?5 THEN warned_days ELSE NULL END, ends_at = ?5
             WHERE provider_id = ?1 AND tenant_id = ?2 AND version = ?6",
            params![tx.scope.provider, tx.scope.tenant, after.tier.as_i64(), after.state.as_str(), after.ends_at, version],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Changed) }
}

pub(super) struct Counts {
    pub assignments: i64,
    pub assignments_limited: i64,
    pub sub_providers_limited: i64,
}

/// How many assignments are live, and how many of them and of the relationships below reach above a tier.
pub(super) async fn counts(tx: &mut ReadTx<scope::Client>, tier: Tier) -> Result<Counts, StoreError> {
    let mut row = tx
        .one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN tier > ?3 THEN 1 ELSE 0 END), 0) AS bigint) FROM reach_assignment
             WHERE provider_id = ?1 AND tenant_id = ?2 AND starts_at <= ?4 AND (ends_at IS NULL OR ends_at > ?4)",
            params![tx.scope.provider, tx.scope.tenant, tier.as_i64(), tx.now()],
        )
        .await?;
    let (assignments, assignments_limited) = (row.take()?, row.take()?);
    let mut row = tx
        .one(
            "SELECT COUNT(*) FROM relationship r JOIN provider p ON p.id = r.provider_id
             WHERE r.tenant_id = ?1 AND p.parent_id = ?2 AND r.tier > ?3 AND r.state = 'active'",
            params![tx.scope.tenant, tx.scope.provider, tier.as_i64()],
        )
        .await?;
    Ok(Counts { assignments, assignments_limited, sub_providers_limited: row.take()? })
}
