//! Limits in force: asked by whoever makes something that counts, inside the transaction that makes it.
//!
//! The tenant's row is held from the question to the commit, so that of several who make something at once each sees what those
//! before it made: with `block_new` there is never more than there may be. On SQLite there is one writer anyway.

use kernel::door::BoxFuture;
use kernel::limits::{Claim, Limit, LimitReached, Limits, Within};
use kernel::news::{Alert, Of, Urgency};
use kernel::store::StoreError;
use kernel::{Error, Hub, ReadTx, Result, TenantId, WriteTx, params, scope};
use serde_json::json;

use super::bounds::{Bounds, Enforcement, Usage, Verdict};

/// The alert that a limit was reached; its subject is the limit's name.
pub const RULE: &str = "limit_crossed";

/// Fills the kernel's port.
pub struct Enforced;

impl Limits for Enforced {
    fn take<'a>(&'a self, within: Within<'a>, claim: Claim) -> BoxFuture<'a, Result<Option<LimitReached>>> {
        Box::pin(async move {
            match within {
                Within::Records(tx) => {
                    let tenant = tx.scope.tenant;
                    take(tx, tenant, claim).await
                }
                Within::Public(tx, tenant) => take(tx, tenant, claim).await,
            }
        })
    }

    fn released<'a>(&'a self, within: Within<'a>, _: Limit) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match within {
                Within::Records(tx) => {
                    let tenant = tx.scope.tenant;
                    settle(tx, tenant).await
                }
                Within::Public(tx, tenant) => settle(tx, tenant).await,
            }
        })
    }
}

/// Claims one more of something for a tenant.
///
/// # Errors
/// `LimitReached`.
pub async fn take<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, claim: Claim) -> Result<Option<LimitReached>> {
    hold(tx, tenant).await?;
    let (bounds, usage) = Bounds::load(tx, tenant).await?;
    if bounds.are_none() {
        return Ok(None);
    }
    let limit = claim.limit();
    let counted = match claim {
        Claim::Invitation | Claim::Seat => usage.seats + usage.reserved,
        Claim::InvitedSeat | Claim::ApiKey => usage.of(limit),
    };
    let told = match bounds.judge(limit, counted, &usage) {
        Verdict::Free => None,
        Verdict::Told(told) => Some(told),
        Verdict::Refused(why) => return Err(Error::LimitReached(Box::new(why))),
    };
    if claim != Claim::Invitation {
        settle_with(tx, tenant, &bounds, &usage.with(limit, 1)).await?;
    }
    Ok(told)
}

/// Whether something that the control database does not know of may be made: `used` is how many there are. For whoever holds its own
/// count still until it commits.
///
/// # Errors
/// `LimitReached`, `NotFound`.
pub async fn check(hub: &Hub, tenant: TenantId, limit: Limit, used: i64) -> Result<Option<LimitReached>> {
    let (bounds, usage) = Bounds::load(&mut hub.system_read().await?, tenant).await?;
    let usage = usage.with(limit, used - usage.of(limit));
    match bounds.judge(limit, used, &usage) {
        Verdict::Free => Ok(None),
        Verdict::Told(told) => Ok(Some(told)),
        Verdict::Refused(why) => Err(Error::LimitReached(Box::new(why))),
    }
}

/// Raises alerts for limits that are reached now and were not, and ends those that are over. After anything that changes what a
/// tenant has or may have.
///
/// # Errors
/// `NotFound`.
pub async fn settle<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId) -> Result<()> {
    hold(tx, tenant).await?;
    let (bounds, usage) = Bounds::load(tx, tenant).await?;
    settle_with(tx, tenant, &bounds, &usage).await
}

async fn hold<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId) -> Result<(), StoreError> {
    tx.execute("UPDATE tenant SET version = version WHERE id = ?1", params![tenant]).await?;
    Ok(())
}

fn changed<'a>(bounds: &'a Bounds, usage: &'a Usage) -> impl Iterator<Item = Limit> + 'a {
    let turned = |limit: &Limit| bounds.of(*limit).is_crossed(usage.of(*limit)) != bounds.of(*limit).is_raised;
    Limit::ALL.into_iter().filter(turned)
}

async fn settle_with<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, bounds: &Bounds, usage: &Usage) -> Result<()> {
    let now = tx.now();
    for limit in changed(bounds, usage) {
        let (bound, used) = (bounds.of(limit), usage.of(limit));
        let is_over = bound.is_raised;
        tx.execute(
            "INSERT INTO tenant_limit (tenant_id, name, crossed_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant_id, name) DO UPDATE SET crossed_at = excluded.crossed_at",
            params![tenant, limit.as_str(), (!is_over).then_some(now)],
        )
        .await?;
        let urgency = if bound.enforcement == Enforcement::BlockNew { Urgency::Critical } else { Urgency::Warning };
        let alert = Alert {
            of: Of::Tenant(tenant),
            rule: RULE.into(),
            subject: limit.as_str().into(),
            label: capital(limit.words()),
            urgency,
            facts: json!({ "limit": limit, "used": used, "max": bound.max, "enforcement": bound.enforcement }),
            is_over,
        };
        tx.alert(&alert).await?;
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Looks at the limits that something else than a person's act moved: time (keys and invitations that ended), scans (resources), a
/// plan's new number. Run now and then. Answers for how many tenants something had changed.
///
/// # Errors
/// The control database does not answer.
pub async fn review(hub: &Hub) -> Result<usize> {
    let mut tx = hub.system_read().await?;
    let turned = turned(&mut tx).await?;
    drop(tx);
    for tenant in &turned {
        let mut tx = hub.system_write("licence.review", "a limit was reached, or is over").await?;
        settle(&mut tx, *tenant).await?;
        tx.keeps_authority().subject("tenant", tenant, None);
        tx.commit().await?;
    }
    Ok(turned.len())
}

async fn turned(tx: &mut ReadTx<scope::Public>) -> Result<Vec<TenantId>> {
    let rows = tx
        .rows(
            "SELECT t.id FROM tenant t JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
             WHERE t.state IN ('active', 'suspended')
               AND (COALESCE(t.seats_max, w.seats_max, t.automations_max, w.automations_max, t.resources_max, w.resources_max,
                             t.api_keys_max, w.api_keys_max) IS NOT NULL
                    OR EXISTS (SELECT 1 FROM tenant_limit l WHERE l.tenant_id = t.id AND l.crossed_at IS NOT NULL))
             ORDER BY t.id",
            params![],
        )
        .await?;
    let ids: Vec<TenantId> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_, StoreError>>()?;
    let mut turned = Vec::new();
    for some in ids.chunks(200) {
        let found = Bounds::load_many(tx, some).await?;
        turned.extend(found.iter().filter(|(_, (bounds, usage))| changed(bounds, usage).next().is_some()).map(|(id, _)| *id));
    }
    turned.sort_unstable();
    Ok(turned)
}
