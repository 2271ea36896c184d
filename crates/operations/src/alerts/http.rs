use access::actions;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AlertId, AlertPage, AlertQuery, AlertResolve, AlertSnooze, AlertView, Deed};
use crate::places::Place;

/// Routes of both inboxes.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(acknowledge))
        .routes(routes!(snooze))
        .routes(routes!(resolve))
        .routes(routes!(provider_list))
        .routes(routes!(provider_acknowledge))
        .routes(routes!(provider_snooze))
        .routes(routes!(provider_resolve))
}

/// The tenant's alerts.
#[utoipa::path(get, path = "/tenants/{tenant}/alerts", operation_id = "alert.list", tag = "alerts",
    params(("tenant" = String, Path, description = "Id or slug"), AlertQuery),
    responses((status = 200, body = AlertPage), Problems))]
async fn list(cx: TenantCx, Params(query): Params<AlertQuery>) -> Result<Json<AlertPage>> {
    let mut tx = cx.read_records::<actions::AlertList>().await?;
    Ok(Json(super::list(&mut tx, &query).await?))
}

/// Takes an alert on.
#[utoipa::path(post, path = "/tenants/{tenant}/alerts/{alert}/acknowledge", operation_id = "alert.acknowledge", tag = "alerts",
    params(("tenant" = String, Path, description = "Id or slug"), ("alert" = String, Path)),
    responses((status = 200, body = AlertView), Problems))]
async fn acknowledge(cx: TenantCx, Path((_tenant, id)): Path<(String, AlertId)>) -> Result<Json<AlertView>> {
    let mut tx = cx.write_records::<actions::AlertAcknowledge>().await?;
    let place = Place::Tenant(tx.scope.tenant);
    let alert = super::act(&mut tx, place, id, Deed::Acknowledge).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// Puts an alert off until an instant.
#[utoipa::path(post, path = "/tenants/{tenant}/alerts/{alert}/snooze", operation_id = "alert.snooze", tag = "alerts",
    params(("tenant" = String, Path, description = "Id or slug"), ("alert" = String, Path)), request_body = AlertSnooze,
    responses((status = 200, body = AlertView), Problems))]
async fn snooze(
    cx: TenantCx,
    Path((_tenant, id)): Path<(String, AlertId)>,
    Json(body): Json<AlertSnooze>,
) -> Result<Json<AlertView>> {
    let mut tx = cx.write_records::<actions::AlertSnooze>().await?;
    let place = Place::Tenant(tx.scope.tenant);
    let alert = super::act(&mut tx, place, id, Deed::Snooze(body.until)).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// Ends an alert.
#[utoipa::path(post, path = "/tenants/{tenant}/alerts/{alert}/resolve", operation_id = "alert.resolve", tag = "alerts",
    params(("tenant" = String, Path, description = "Id or slug"), ("alert" = String, Path)), request_body = AlertResolve,
    responses((status = 200, body = AlertView), Problems))]
async fn resolve(
    cx: TenantCx,
    Path((_tenant, id)): Path<(String, AlertId)>,
    Json(body): Json<AlertResolve>,
) -> Result<Json<AlertView>> {
    let mut tx = cx.write_records::<actions::AlertResolve>().await?;
    let place = Place::Tenant(tx.scope.tenant);
    let alert = super::act(&mut tx, place, id, Deed::Resolve(body.reason.unwrap_or_default())).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// The provider's own alerts, and those of clients whose alerts the person may read.
#[utoipa::path(get, path = "/providers/{provider}/alerts", operation_id = "provider_alert.list", tag = "alerts",
    params(("provider" = String, Path, description = "Id or slug"), AlertQuery),
    responses((status = 200, body = AlertPage), Problems))]
async fn provider_list(cx: ProviderCx, Params(query): Params<AlertQuery>) -> Result<Json<AlertPage>> {
    Ok(Json(super::list_for_provider(&cx, &query).await?))
}

/// Takes an alert of the provider's own on.
#[utoipa::path(post, path = "/providers/{provider}/alerts/{provider_alert}/acknowledge", operation_id = "provider_alert.acknowledge",
    tag = "alerts", params(("provider" = String, Path, description = "Id or slug"), ("provider_alert" = String, Path)),
    responses((status = 200, body = AlertView), Problems))]
async fn provider_acknowledge(cx: ProviderCx, Path((_provider, id)): Path<(String, AlertId)>) -> Result<Json<AlertView>> {
    let mut tx = cx.write::<actions::ProviderAlertAcknowledge>().await?;
    let place = Place::Provider(tx.scope.provider);
    let alert = super::act(&mut tx, place, id, Deed::Acknowledge).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// Puts an alert of the provider's own off until an instant.
#[utoipa::path(post, path = "/providers/{provider}/alerts/{provider_alert}/snooze", operation_id = "provider_alert.snooze", tag = "alerts",
    params(("provider" = String, Path, description = "Id or slug"), ("provider_alert" = String, Path)), request_body = AlertSnooze,
    responses((status = 200, body = AlertView), Problems))]
async fn provider_snooze(
    cx: ProviderCx,
    Path((_provider, id)): Path<(String, AlertId)>,
    Json(body): Json<AlertSnooze>,
) -> Result<Json<AlertView>> {
    let mut tx = cx.write::<actions::ProviderAlertSnooze>().await?;
    let place = Place::Provider(tx.scope.provider);
    let alert = super::act(&mut tx, place, id, Deed::Snooze(body.until)).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// Ends an alert of the provider's own.
#[utoipa::path(post, path = "/providers/{provider}/alerts/{provider_alert}/resolve", operation_id = "provider_alert.resolve", tag = "alerts",
    params(("provider" = String, Path, description = "Id or slug"), ("provider_alert" = String, Path)), request_body = AlertResolve,
    responses((status = 200, body = AlertView), Problems))]
async fn provider_resolve(
    cx: ProviderCx,
    Path((_provider, id)): Path<(String, AlertId)>,
    Json(body): Json<AlertResolve>,
) -> Result<Json<AlertView>> {
    let mut tx = cx.write::<actions::ProviderAlertResolve>().await?;
    let place = Place::Provider(tx.scope.provider);
    let alert = super::act(&mut tx, place, id, Deed::Resolve(body.reason.unwrap_or_default())).await?;
    tx.commit().await?;
    Ok(Json(alert))
}
