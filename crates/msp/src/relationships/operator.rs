//! The operator's word on a tier, where a relationship's settings leave it to them (`raise_by: operator`).

use access::Tier;
use kernel::store::Query;
use kernel::validate::Check;
use kernel::{Error, Hub, ProviderId, Result, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RelationshipId;

/// Which tier a tenant's relationship is to have, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatorTier {
    /// Tenant, by id or slug.
    pub tenant: String,
    /// The tier.
    pub tier: Tier,
    /// At least 5 characters; the tenant and the provider read it.
    pub reason: String,
}

/// What was set.
#[derive(Debug, Clone, Serialize)]
pub struct TierSet {
    /// The relationship.
    pub relationship: RelationshipId,
    /// Its tier before.
    pub before: Tier,
    /// Its tier now.
    pub tier: Tier,
}

/// Sets the tier of the relationship with the provider that holds the tenant.
///
/// # Errors
/// `NotFound`, `Invalid`, `Conflict` when raising it is not the operator's to decide.
pub async fn set_tier_as_operator(hub: &Hub, asked: &OperatorTier) -> Result<TierSet> {
    let mut tx = hub.system_write("relationship.set_tier", "the operator sets a tier").await?;
    let mut check = Check::new();
    let reason = check.text("reason", &asked.reason, 5..=1_000);
    check.done()?;
    let mut query = Query::new(
        "SELECT r.id, r.provider_id, t.id, t.name, r.tier, r.raise_by FROM relationship r JOIN tenant t ON t.id = r.tenant_id
         WHERE r.provider_id = t.provider_id AND r.state <> 'ended' AND t.state <> 'purged'",
    );
    query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", &asked.tenant);
    let mut row = tx.query(&query).await?.pop().ok_or(Error::NotFound)?;
    let (relationship, provider, tenant): (RelationshipId, ProviderId, TenantId) = (row.take()?, row.take()?, row.take()?);
    let (name, before, raise_by): (String, i64, String) = (row.take()?, row.take()?, row.take()?);
    let before = Tier::from_i64(before).unwrap_or(Tier::T0);
    if asked.tier > before && raise_by != "operator" {
        let who = if raise_by == "provider" { "its provider" } else { "this organisation" };
        return Err(Error::Conflict(format!("Raising this tier is for {who} to decide.")));
    }
    let sql = "UPDATE relationship SET tier = ?2, version = version + 1 WHERE id = ?1";
    tx.execute(sql, kernel::params![relationship, asked.tier.as_i64()]).await?;
    tx.subject("relationship", relationship, name).reason(&reason);
    tx.changed("relationship", relationship, &json!({ "tier": before }), &json!({ "tier": asked.tier }));
    tx.in_ledger_of(provider).also_in(tenant);
    tx.commit().await?;
    Ok(TierSet { relationship, before, tier: asked.tier })
}
