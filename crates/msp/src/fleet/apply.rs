//! What a change does to one tenant: the same functions as the single acts, each in a transaction of its own, which notes in the same commit
//! what became of it.

use access::{TenantState, actions};
use kernel::http::IfMatch;
use kernel::{Error, ProviderCx, Result, TenantId, WriteTx, scope};
use serde_json::{Value, json};

use super::plan::{AssignmentChange, SettingChange, Terms, What};
use super::run::{Became, Run};
use crate::assignments::{self, Assigned, Assignment, AssignmentCreate, AssignmentQuery, AssignmentUpdate};
use crate::plans::moves;
use crate::relationships::{self, RelationshipUpdate};
use crate::settings::{self, SettingsUpdate};
use crate::staff::StaffId;
use crate::tenants::{self, Reason, TenantUpdate};

/// Says that nothing had to be done.
const AS_IT_WAS: &str = "It was so already.";
/// Says that the tenant has to agree.
pub(super) const WAITS: &str = "Waits for the client's consent.";

/// Changes one tenant.
pub(super) async fn apply(cx: &ProviderCx, run: &Run, tenant: TenantId) -> Result<()> {
    match &run.what {
        What::Plan(change) => set_plan(cx, run, tenant, &change.plan).await,
        What::Tier(change) => set_tier(cx, run, tenant, change.tier).await,
        What::Setting(change) => set_settings(cx, run, tenant, change).await,
        What::Assignment(change) => set_assignment(cx, run, tenant, change).await,
        What::Suspend => suspend(cx, run, tenant, &run.reason).await,
        What::Resume => resume(cx, run, tenant).await,
    }
}

/// The one place where a change puts a tenant on a plan: on its newest number, or back on the one that it had.
pub(super) async fn put_on_plan(tx: &mut WriteTx<scope::Client>, plan: &str, number: Option<i64>) -> Result<(Value, Value)> {
    let shown = |tenant: &tenants::Tenant| {
        let tenants::TenantPlan { id, name, number, .. } = &tenant.plan;
        json!({ "plan": { "id": id, "name": name, "number": number } })
    };
    let before = tenants::view(tx).await?;
    let body = TenantUpdate { plan: Some(plan.to_owned()), ..TenantUpdate::default() };
    tenants::update(tx, IfMatch(before.version), body).await?;
    let mut after = tenants::view(tx).await?;
    if let Some(number) = number.filter(|number| *number != after.plan.number) {
        let to = moves::destination(tx, after.plan.id, Some(number)).await?;
        let gone = || Error::Conflict("Nobody comes onto that number of the plan any more.".into());
        moves::move_tenant(tx, after.id, &to.ok_or_else(gone)?).await?;
        tx.changed("tenant", after.id, &json!({ "plan_number": after.plan.number }), &json!({ "plan_number": number }));
        after = tenants::view(tx).await?;
    }
    Ok((shown(&before), shown(&after)))
}

async fn set_plan(cx: &ProviderCx, run: &Run, tenant: TenantId, plan: &str) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::TenantUpdate>().await?;
    let (before, after) = put_on_plan(&mut tx, plan, None).await?;
    tx.reason(&run.reason);
    let detail = if before == after { AS_IT_WAS } else { "" };
    run.note(&mut tx, tenant, Became::done(before, after, detail)).await?;
    tx.commit().await
}

pub(super) async fn set_tier(cx: &ProviderCx, run: &Run, tenant: TenantId, tier: access::Tier) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::RelationshipUpdate>().await?;
    let before = relationships::view(&mut tx).await?;
    if before.tier != tier {
        let body = RelationshipUpdate { tier: Some(tier), ..RelationshipUpdate::default() };
        relationships::update(&mut tx, IfMatch(before.version), body).await?;
    }
    let after = relationships::view(&mut tx).await?;
    tx.reason(&run.reason);
    let waits = after.tier != tier;
    let detail = if waits {
        WAITS
    } else if before.tier == tier {
        AS_IT_WAS
    } else {
        ""
    };
    let shown = json!({ "tier": tier, "waiting": waits });
    run.note(&mut tx, tenant, Became::done(json!({ "tier": before.tier }), shown, detail)).await?;
    tx.commit().await
}

pub(super) async fn set_settings(cx: &ProviderCx, run: &Run, tenant: TenantId, change: &SettingChange) -> Result<()> {
    let mut tx = cx.enter(tenant).await?.write_records::<actions::SettingUpdate>().await?;
    let before = settings::view(&mut tx).await?;
    let shown = json!(change.of_same(before.scan_interval_days, before.comments_from_t1));
    let body = SettingsUpdate {
        scan_interval_days: change.scan_interval_days,
        comments_from_t1: change.comments_from_t1,
        ..SettingsUpdate::default()
    };
    settings::update(&mut tx, IfMatch(before.version), body).await?;
    tx.reason(&run.reason);
    let detail = if shown == json!(change) { AS_IT_WAS } else { "" };
    run.note(&mut tx, tenant, Became::done(shown, json!(change), detail)).await?;
    tx.commit().await
}

/// What somebody's own assignment on the tenant is now.
pub(super) async fn assignment_now(cx: &ProviderCx, tenant: TenantId, staff: StaffId) -> Result<Option<Assignment>> {
    let query = AssignmentQuery { staff: Some(staff), tenant: Some(tenant.to_string()), ..AssignmentQuery::default() };
    let mut tx = cx.read::<actions::AssignmentList>().await?;
    Ok(assignments::list(&mut tx, query).await?.items.pop())
}

pub(super) fn terms_of(assignment: &Assignment) -> Terms {
    Terms { tier: assignment.tier, mask: assignment.mask, modules: assignment.modules, ends_at: assignment.ends_at }
}

async fn set_assignment(cx: &ProviderCx, run: &Run, tenant: TenantId, change: &AssignmentChange) -> Result<()> {
    let now = assignment_now(cx, tenant, change.staff).await?;
    assign(cx, run, tenant, (change.staff, now, change.terms())).await
}

/// Makes an assignment what it is to be: there, changed or gone.
pub(super) async fn assign(
    cx: &ProviderCx,
    run: &Run,
    tenant: TenantId,
    (staff, now, wanted): (StaffId, Option<Assignment>, Option<Terms>),
) -> Result<()> {
    let before = now.as_ref().map(terms_of);
    let became = |waits: bool| {
        let detail = if waits {
            WAITS
        } else if before == wanted {
            AS_IT_WAS
        } else {
            ""
        };
        Became::done(json!(before), json!(wanted), detail)
    };
    let (mut tx, waits) = match (now, wanted.clone()) {
        (None, None) => (cx.write::<actions::AssignmentDelete>().await?, false),
        (Some(now), None) => {
            let mut tx = cx.write::<actions::AssignmentDelete>().await?;
            assignments::delete(&mut tx, now.id).await?;
            (tx, false)
        }
        (None, Some(Terms { tier, mask, modules, ends_at })) => {
            let mut tx = cx.write::<actions::AssignmentCreate>().await?;
            let body = AssignmentCreate { staff, tenant: tenant.to_string(), tier, mask, modules, ends_at };
            let assigned = assignments::create(&mut tx, body).await?;
            (tx, matches!(assigned, Assigned::Waiting(_)))
        }
        (Some(now), Some(Terms { tier, mask, modules, ends_at })) => {
            let mut tx = cx.write::<actions::AssignmentUpdate>().await?;
            let body = AssignmentUpdate { tier: Some(tier), mask: Some(mask), modules: Some(modules), ends_at: Some(ends_at) };
            let assigned = assignments::update(&mut tx, now.id, IfMatch(now.version), body).await?;
            (tx, matches!(assigned, Assigned::Waiting(_)))
        }
    };
    tx.reason(&run.reason);
    run.note(&mut tx, tenant, became(waits)).await?;
    tx.commit().await
}

pub(super) async fn suspend(cx: &ProviderCx, run: &Run, tenant: TenantId, reason: &str) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::TenantSuspend>().await?;
    tenants::suspend(&mut tx, &Reason { reason: reason.to_owned() }).await?;
    let before = json!({ "state": TenantState::Active });
    run.note(&mut tx, tenant, Became::done(before, json!({ "state": TenantState::Suspended }), "")).await?;
    tx.commit().await
}

pub(super) async fn resume(cx: &ProviderCx, run: &Run, tenant: TenantId) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::TenantResume>().await?;
    let why = tenants::view(&mut tx).await?.state_reason;
    tenants::resume(&mut tx).await?;
    tx.reason(&run.reason);
    let before = json!({ "state": TenantState::Suspended, "reason": why });
    run.note(&mut tx, tenant, Became::done(before, json!({ "state": TenantState::Active }), "")).await?;
    tx.commit().await
}
