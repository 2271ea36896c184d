//! Puts back what a change did to one tenant, unless that was changed since.

use access::{Tier, actions};
use kernel::{Error, ProviderCx, Result, TenantId};
use serde::Deserialize;
use serde_json::Value;

use super::apply;
use super::plan::{SettingChange, Terms, What};
use super::run::Run;
use crate::plans::PlanId;
use crate::{consents, relationships, settings, tenants};

/// What an item says of a tier.
#[derive(Deserialize)]
struct TierWas {
    tier: Tier,
    #[serde(default)]
    waiting: bool,
}

/// What an item says of a plan.
#[derive(Deserialize)]
struct PlanWas {
    plan: PlanNamed,
}

#[derive(Deserialize)]
struct PlanNamed {
    id: PlanId,
    number: i64,
}

/// Puts one tenant back.
pub(super) async fn undo(cx: &ProviderCx, run: &Run, tenant: TenantId, before: &Value, after: &Value) -> Result<()> {
    match &run.what {
        What::Plan(_) => plan(cx, run, tenant, (read(before)?, read(after)?)).await,
        What::Tier(_) => tier(cx, run, tenant, (read(before)?, read(after)?)).await,
        What::Setting(_) => setting(cx, run, tenant, (read(before)?, read(after)?)).await,
        What::Assignment(change) => assignment(cx, run, tenant, (change.staff, read(before)?, read(after)?)).await,
        What::Suspend => apply::resume(cx, run, tenant).await,
        What::Resume => {
            let why = before["reason"].as_str().filter(|why| why.chars().count() >= 3).unwrap_or(&run.reason);
            apply::suspend(cx, run, tenant, why).await
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(Error::internal)
}

fn changed_since(what: &str) -> Error {
    Error::Conflict(format!("{what} was changed since; it is left as it is."))
}

async fn plan(cx: &ProviderCx, run: &Run, tenant: TenantId, (before, after): (PlanWas, PlanWas)) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::TenantUpdate>().await?;
    let now = tenants::view(&mut tx).await?.plan;
    if (now.id, now.number) != (after.plan.id, after.plan.number) {
        return Err(changed_since("The plan"));
    }
    let PlanNamed { id, number } = before.plan;
    let (was, is) = apply::put_on_plan(&mut tx, &id.to_string(), Some(number)).await?;
    tx.reason(&run.reason);
    run.note(&mut tx, tenant, super::run::Became::done(was, is, "")).await?;
    tx.commit().await
}

async fn tier(cx: &ProviderCx, run: &Run, tenant: TenantId, (before, after): (TierWas, TierWas)) -> Result<()> {
    let mut tx = cx.client(tenant).await?.write::<actions::RelationshipUpdate>().await?;
    let now = relationships::view(&mut tx).await?;
    if after.waiting && now.tier == before.tier {
        // Nobody agreed yet, or somebody said no: what still waits is taken back.
        tx.require::<actions::RelationshipWithdraw>(access::Subject::Any)?;
        for asked in now.pending.iter().filter(|asked| asked.kind == "tier") {
            consents::withdraw(&mut tx, asked.id).await?;
        }
        tx.reason(&run.reason);
        run.note(&mut tx, tenant, super::run::Became::done(Value::Null, Value::Null, "")).await?;
        return tx.commit().await;
    }
    drop(tx);
    if now.tier != after.tier {
        return Err(changed_since("The tier"));
    }
    apply::set_tier(cx, run, tenant, before.tier).await
}

async fn setting(cx: &ProviderCx, run: &Run, tenant: TenantId, (before, after): (SettingChange, SettingChange)) -> Result<()> {
    let mut tx = cx.enter(tenant).await?.read_records::<actions::SettingView>().await?;
    let now = settings::view(&mut tx).await?;
    drop(tx);
    if after.of_same(now.scan_interval_days, now.comments_from_t1) != after {
        return Err(changed_since("A setting"));
    }
    apply::set_settings(cx, run, tenant, &before).await
}

async fn assignment(
    cx: &ProviderCx,
    run: &Run,
    tenant: TenantId,
    (staff, before, after): (crate::staff::StaffId, Option<Terms>, Option<Terms>),
) -> Result<()> {
    let now = apply::assignment_now(cx, tenant, staff).await?;
    if now.as_ref().map(apply::terms_of) != after {
        return Err(changed_since("The assignment"));
    }
    apply::assign(cx, run, tenant, (staff, now, before)).await
}
