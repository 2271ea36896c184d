//! Freezes: either side stops all access of a provider to a tenant, and lifts only its own freeze.

use kernel::store::{Row, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};

/// Whose doing a freeze is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The tenant's.
    Tenant,
    /// The provider's.
    Provider,
}

impl Side {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Provider => "provider",
        }
    }
}

/// One freeze.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Freeze {
    /// Whose doing it is.
    pub side: Side,
    /// Who did it.
    pub by: FrozenBy,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
}

/// Who froze.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FrozenBy {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
}

/// Why provider access is frozen, or not any more.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct FreezeReason {
    /// 3 to 500 characters; both sides read it.
    #[serde(default)]
    pub reason: String,
}

/// The freezes of a relationship: none, one or two.
pub(crate) async fn freezes<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: ProviderId,
    tenant: TenantId,
) -> Result<Vec<Freeze>, StoreError> {
    let rows = tx
        .rows(
            "SELECT f.side, p.id, p.name, f.at, f.reason FROM access_freeze f JOIN person p ON p.id = f.person_id
             WHERE f.provider_id = ?1 AND f.tenant_id = ?2 ORDER BY f.at",
            params![provider, tenant],
        )
        .await?;
    let read = |mut row: Row| {
        let side = if row.take::<String>()? == "tenant" { Side::Tenant } else { Side::Provider };
        let by = FrozenBy { id: row.take()?, name: row.take()? };
        Ok(Freeze { side, by, at: row.take()?, reason: row.take()? })
    };
    rows.into_iter().map(read).collect()
}

/// Freezes the relationship between them; again only changes the reason. Answers whether there is one to freeze.
pub(crate) async fn put<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    tenant: TenantId,
    side: Side,
    reason: &str,
) -> Result<bool> {
    let frozen = tx
        .execute(
            "UPDATE relationship SET state = 'frozen', version = version + 1
             WHERE provider_id = ?1 AND tenant_id = ?2 AND state IN ('active', 'frozen')",
            params![provider, tenant],
        )
        .await?;
    if frozen == 0 {
        return Ok(false);
    }
    let (now, me) = (tx.now(), tx.me()?.person);
    tx.execute(
        "INSERT INTO access_freeze (tenant_id, provider_id, side, person_id, at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, provider_id, side) DO UPDATE
         SET person_id = excluded.person_id, at = excluded.at, reason = excluded.reason",
        params![tenant, provider, side.as_str(), me, now, reason],
    )
    .await?;
    Ok(true)
}

/// Lifts one side's freeze. The relationship stands again when the other side has none. Answers whether there was one to lift.
pub(crate) async fn lift<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    tenant: TenantId,
    side: Side,
) -> Result<bool> {
    let lifted = tx
        .execute(
            "DELETE FROM access_freeze WHERE provider_id = ?1 AND tenant_id = ?2 AND side = ?3",
            params![provider, tenant, side.as_str()],
        )
        .await?;
    let thawed = tx
        .execute(
            "UPDATE relationship SET state = 'active', version = version + 1
             WHERE provider_id = ?1 AND tenant_id = ?2 AND state = 'frozen' AND NOT EXISTS
                (SELECT 1 FROM access_freeze f WHERE f.provider_id = ?1 AND f.tenant_id = ?2)",
            params![provider, tenant],
        )
        .await?;
    Ok(lifted + thawed > 0)
}
