//! Which plan a tenant was on from which day. A day is of the plan that the tenant has when it ends.

use kernel::store::StoreError;
use kernel::{Result, TenantId, WriteTx, params, scope};

use super::months::day_of;

/// A tenant was made: its first day, and the first that costs something.
///
/// # Errors
/// As the store's.
pub(crate) async fn begin<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId) -> Result<(), StoreError> {
    let today = day_of(tx.now());
    tx.execute(
        "INSERT INTO plan_period (tenant_id, from_day, plan_id, plan_number, trial_until_day)
         SELECT t.id, CAST(?2 AS bigint), t.plan_id, t.plan_number,
                CASE WHEN w.trial_days > 0 THEN CAST(?2 AS bigint) + w.trial_days END
         FROM tenant t JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number WHERE t.id = ?1
         ON CONFLICT (tenant_id, from_day) DO NOTHING",
        params![tenant, today],
    )
    .await?;
    Ok(())
}

/// A tenant came onto another plan, was archived or came back: from today on it is as it stands now. A trial is the tenant's, and
/// runs on.
///
/// # Errors
/// As the store's.
pub(crate) async fn note<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId) -> Result<(), StoreError> {
    let today = day_of(tx.now());
    tx.execute(
        "INSERT INTO plan_period (tenant_id, from_day, plan_id, plan_number, trial_until_day)
         SELECT t.id, CAST(?2 AS bigint), CASE WHEN t.state <> 'archived' THEN t.plan_id END, t.plan_number,
                (SELECT MAX(x.trial_until_day) FROM plan_period x WHERE x.tenant_id = t.id)
         FROM tenant t WHERE t.id = ?1
         ON CONFLICT (tenant_id, from_day) DO UPDATE SET plan_id = excluded.plan_id, plan_number = excluded.plan_number",
        params![tenant, today],
    )
    .await?;
    Ok(())
}

/// Tenants of which nothing is known yet (from before there were bills, or carried here from elsewhere) begin today.
pub(super) async fn begin_unknown(tx: &mut WriteTx<scope::Public>) -> Result<u64, StoreError> {
    let today = day_of(tx.now());
    tx.execute(
        "INSERT INTO plan_period (tenant_id, from_day, plan_id, plan_number)
         SELECT t.id, CAST(?1 AS bigint), t.plan_id, t.plan_number FROM tenant t
         WHERE t.state IN ('active', 'suspended') AND NOT EXISTS (SELECT 1 FROM plan_period x WHERE x.tenant_id = t.id)
         ON CONFLICT (tenant_id, from_day) DO NOTHING",
        params![today],
    )
    .await
}
