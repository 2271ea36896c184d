//! How far a provider's relationships reach: each cut to the tiers and ceilings of the providers above, and alive only with theirs.

use std::collections::HashMap;

use access::{RelationshipState, Tier};
use kernel::store::{Query, StoreError};
use kernel::validate::Check;
use kernel::{ProviderId, ReadTx, TenantId, Timestamp, params, scope};

use super::AssignedTenant;

/// Providers above one another that are looked at. Depth is 2 by default; the bound keeps a loop in the data from being one here.
const DEPTH_MAX: usize = 8;

/// What a relationship gives now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ceiling {
    /// The highest tier.
    pub tier: Tier,
    /// It is in force, all the way up.
    pub live: bool,
}

struct Link {
    provider: ProviderId,
    ceiling: Tier,
    active: bool,
}

/// The provider and those above it, nearest first.
async fn chain<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId) -> Result<Vec<Link>, StoreError> {
    let mut links = Vec::new();
    let mut next = Some(provider);
    while let Some(id) = next.filter(|_| links.len() < DEPTH_MAX) {
        let Some(mut row) = tx.opt("SELECT parent_id, ceiling, state FROM provider WHERE id = ?1", params![id]).await? else {
            break;
        };
        next = row.take()?;
        let ceiling = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
        links.push(Link { provider: id, ceiling, active: row.take::<String>()? == "active" });
    }
    Ok(links)
}

/// What the provider's relationships with these tenants give. A tenant without one is left out.
pub(crate) async fn ceilings<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: ProviderId,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, Ceiling>, StoreError> {
    let chain = chain(tx, provider).await?;
    let mut query = Query::new("SELECT tenant_id, provider_id, tier, state, ends_at FROM relationship WHERE provider_id IN (");
    query.bind_all(chain.iter().map(|link| link.provider)).push(") AND tenant_id IN (").bind_all(tenants.iter().copied()).push(")");
    let now = tx.now();
    let mut gives = HashMap::new();
    for mut row in tx.query(&query).await? {
        let (tenant, of): (TenantId, ProviderId) = (row.take()?, row.take()?);
        let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
        let state: RelationshipState = row.parse()?;
        let ends_at: Option<Timestamp> = row.take()?;
        let in_force = matches!(state, RelationshipState::Active | RelationshipState::Expiring);
        gives.insert((tenant, of), Ceiling { tier, live: in_force && ends_at.is_none_or(|end| now < end) });
    }
    let cut = |tenant: TenantId| {
        let mut cut = *gives.get(&(tenant, provider))?;
        for link in &chain {
            let above = gives.get(&(tenant, link.provider));
            cut.tier = cut.tier.min(link.ceiling).min(above.map_or(Tier::T3, |above| above.tier));
            cut.live &= link.active && above.is_some_and(|above| above.live);
        }
        Some((tenant, cut))
    };
    Ok(tenants.iter().filter_map(|tenant| cut(*tenant)).collect())
}

/// Says so at `tier` when it is above what the relationship gives.
pub(super) async fn check(
    tx: &mut ReadTx<scope::Provider>,
    check: &mut Check,
    tenant: &AssignedTenant,
    tier: Tier,
) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    let given = ceilings(tx, provider, &[tenant.id]).await?.get(&tenant.id).map_or(Tier::T0, |ceiling| ceiling.tier);
    if tier > given {
        check.fail(
            "tier",
            "above_ceiling",
            format!("may be at most {given} {}: the relationship with {} gives no more", given.name(), tenant.name),
        );
    }
    Ok(())
}
