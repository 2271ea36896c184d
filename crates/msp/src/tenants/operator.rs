//! A tenant made at the machine, where the provider's settings leave that to the operator (`tenant_creation: operator`), or do not forbid it.

use access::Tier;
use kernel::store::Query;
use kernel::validate::Check;
use kernel::{Error, Hub, ProviderId, Result, TenantId};
use serde::{Deserialize, Serialize};

use super::{TenantCreate, create};

/// The tenant to be made, for whom, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatorTenant {
    /// Provider, by id or slug.
    pub provider: String,
    /// The tenant's slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Name of one of the provider's plans.
    pub plan: String,
    /// The relationship's tier; left out: T2, or what the provider's ceiling permits.
    pub tier: Option<Tier>,
    /// At least 5 characters; the provider reads it.
    pub reason: String,
}

/// What was made.
#[derive(Debug, Clone, Serialize)]
pub struct TenantMade {
    /// The tenant.
    pub tenant: TenantId,
    /// Its slug.
    pub slug: String,
}

/// Makes a tenant for a provider, whose people invite its first admin then. Nobody is signed in at the machine, so nobody is invited from it.
///
/// # Errors
/// `NotFound` without such a provider, and as [`create`].
pub async fn create_as_operator(hub: &Hub, asked: &OperatorTenant) -> Result<TenantMade> {
    let mut check = Check::new();
    let reason = check.text("reason", &asked.reason, 5..=1_000);
    check.done()?;
    let mut query = Query::new("SELECT id FROM provider WHERE kind = 'msp'");
    query.and_named::<kernel::ids::Provider>("id", "slug", &asked.provider);
    let row = hub.system_read().await?.query(&query).await?.pop();
    let provider: ProviderId = row.ok_or(Error::NotFound)?.take()?;
    let tx = hub.system_for_provider(provider, "tenant.create", &reason).await?;
    let body = TenantCreate {
        id: None,
        slug: asked.slug.clone(),
        name: asked.name.clone(),
        plan: asked.plan.clone(),
        industry: None,
        tier: asked.tier,
        ends_at: None,
        admin_email: None,
    };
    let made = create(tx, body).await?;
    Ok(TenantMade { tenant: made.tenant, slug: asked.slug.clone() })
}
