//! Routes of changes to many tenants.

use access::actions;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kernel::http::{Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{FleetChange, FleetChangeCreate, FleetChangeId, FleetChangeView, FleetQuery, Resume};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(view))
        .routes(routes!(approve))
        .routes(routes!(cancel))
        .routes(routes!(resume))
        .routes(routes!(undo))
}

/// Lists changes to many tenants.
#[utoipa::path(get, path = "/providers/{provider}/fleet-changes", operation_id = "fleet_change.list", tag = "fleet changes",
    params(("provider" = String, Path, description = "Id or slug"), FleetQuery),
    responses((status = 200, body = Page<FleetChange>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<FleetQuery>) -> Result<Json<Page<FleetChange>>> {
    let mut tx = cx.read::<actions::FleetChangeList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Drafts a change to many tenants.
#[utoipa::path(post, path = "/providers/{provider}/fleet-changes", operation_id = "fleet_change.create", tag = "fleet changes",
    params(("provider" = String, Path, description = "Id or slug")), request_body = FleetChangeCreate,
    responses((status = 201, body = FleetChange), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<FleetChangeCreate>) -> Result<Response> {
    let mut tx = cx.write::<actions::FleetChangeCreate>().await?;
    let change = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(change.version, change)).into_response())
}

/// Shows a change and what became of its tenants.
#[utoipa::path(get, path = "/providers/{provider}/fleet-changes/{change}", operation_id = "fleet_change.view", tag = "fleet changes",
    params(("provider" = String, Path, description = "Id or slug"), ("change" = String, Path), FleetQuery),
    responses((status = 200, body = FleetChangeView), Problems))]
async fn view(
    cx: ProviderCx,
    Path(path): Path<(String, FleetChangeId)>,
    Params(query): Params<FleetQuery>,
) -> Result<Tagged<FleetChangeView>> {
    let mut tx = cx.read::<actions::FleetChangeView>().await?;
    let view = super::view(&mut tx, path.1, query).await?;
    Ok(Tagged(view.change.version, view))
}

/// Approves a draft, which starts it.
#[utoipa::path(post, path = "/providers/{provider}/fleet-changes/{change}/approve", operation_id = "fleet_change.approve",
    tag = "fleet changes", params(("provider" = String, Path, description = "Id or slug"), ("change" = String, Path)),
    responses((status = 200, body = FleetChange), Problems))]
async fn approve(cx: ProviderCx, Path(path): Path<(String, FleetChangeId)>) -> Result<Tagged<FleetChange>> {
    let mut tx = cx.write::<actions::FleetChangeApprove>().await?;
    let change = super::approve(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(Tagged(change.version, change))
}

/// Gives a change up. What was applied until then stays.
#[utoipa::path(post, path = "/providers/{provider}/fleet-changes/{change}/cancel", operation_id = "fleet_change.cancel",
    tag = "fleet changes", params(("provider" = String, Path, description = "Id or slug"), ("change" = String, Path)),
    responses((status = 200, body = FleetChange), Problems))]
async fn cancel(cx: ProviderCx, Path(path): Path<(String, FleetChangeId)>) -> Result<Tagged<FleetChange>> {
    let mut tx = cx.write::<actions::FleetChangeCancel>().await?;
    let change = super::cancel(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(Tagged(change.version, change))
}

/// Goes on with a change that stopped.
#[utoipa::path(post, path = "/providers/{provider}/fleet-changes/{change}/resume", operation_id = "fleet_change.resume",
    tag = "fleet changes", params(("provider" = String, Path, description = "Id or slug"), ("change" = String, Path)),
    request_body = Resume, responses((status = 200, body = FleetChange), Problems))]
async fn resume(
    cx: ProviderCx,
    Path(path): Path<(String, FleetChangeId)>,
    Json(body): Json<Resume>,
) -> Result<Tagged<FleetChange>> {
    let mut tx = cx.write::<actions::FleetChangeResume>().await?;
    let change = super::resume(&mut tx, path.1, body).await?;
    tx.commit().await?;
    Ok(Tagged(change.version, change))
}

/// Undoes a change, tenant by tenant.
#[utoipa::path(post, path = "/providers/{provider}/fleet-changes/{change}/undo", operation_id = "fleet_change.undo",
    tag = "fleet changes", params(("provider" = String, Path, description = "Id or slug"), ("change" = String, Path)),
    responses((status = 200, body = FleetChange), Problems))]
async fn undo(cx: ProviderCx, Path(path): Path<(String, FleetChangeId)>) -> Result<Tagged<FleetChange>> {
    let mut tx = cx.write::<actions::FleetChangeUndo>().await?;
    let change = super::undo(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(Tagged(change.version, change))
}
