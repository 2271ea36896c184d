//! SQL of onboarding: its facts, and what is skipped.

use kernel::store::{Query, StoreError};
use kernel::{ProviderId, ReadTx, TenantId, Timestamp, WriteTx, params, scope};

/// What is so of one client.
pub(super) struct Facts {
    pub tenant: TenantId,
    pub created_at: Timestamp,
    /// Bits of the steps that are skipped.
    pub skipped: i64,
    pub is_related: bool,
    pub related_at: Timestamp,
    /// Since when the first of its active admins is a member.
    pub admin_since: Option<Timestamp>,
    /// When the oldest of the valid keys that import scans was made.
    pub key_since: Option<Timestamp>,
    pub scans: i64,
    pub scan_at: Option<Timestamp>,
}

/// Of each of these clients of the provider.
pub(super) async fn facts<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: ProviderId,
    tenants: &[TenantId],
) -> Result<Vec<Facts>, StoreError> {
    let now = tx.now();
    let mut query = Query::new(
        "SELECT t.id, t.created_at, t.onboarding_skipped, r.tier, r.state, r.ends_at, r.created_at,
                (SELECT MIN(m.created_at) FROM member m JOIN person p ON p.id = m.person_id
                 WHERE m.tenant_id = t.id AND m.role = 'admin' AND m.state = 'active' AND p.state = 'active'),
                (SELECT MIN(k.created_at) FROM api_key k WHERE k.tenant_id = t.id AND k.revoked_at IS NULL
                   AND lower(k.actions) LIKE '%\"scan.import\"%' AND k.expires_at > ",
    );
    query.bind(now).push(
        "), COALESCE(s.scans, 0), s.scan_at FROM relationship r JOIN tenant t ON t.id = r.tenant_id
         LEFT JOIN summary s ON s.tenant_id = t.id WHERE r.provider_id = ",
    );
    query.bind(provider).push(" AND t.id IN (").bind_all(tenants.iter().copied()).push(")");
    let rows = tx.query(&query).await?.into_iter();
    let read = rows.map(|mut row| {
        let (tenant, created_at, skipped) = (row.take()?, row.take()?, row.take()?);
        let (tier, state, ends_at): (i64, String, Option<Timestamp>) = (row.take()?, row.take()?, row.take()?);
        let is_related = tier >= 1 && state == "active" && ends_at.is_none_or(|end| now < end);
        Ok(Facts {
            tenant,
            created_at,
            skipped,
            is_related,
            related_at: row.take()?,
            admin_since: row.take()?,
            key_since: row.take()?,
            scans: row.take()?,
            scan_at: row.take()?,
        })
    });
    read.collect()
}

/// Skips a step, or takes that back.
pub(super) async fn skip(tx: &mut WriteTx<scope::Client>, bit: i64, skipped: bool) -> Result<u64, StoreError> {
    let tenant = tx.scope.tenant;
    let bits = if skipped { "onboarding_skipped | ?2" } else { "onboarding_skipped - (onboarding_skipped & ?2)" };
    tx.execute(&format!("UPDATE tenant SET onboarding_skipped = {bits} WHERE id = ?1"), params![tenant, bit]).await
}
