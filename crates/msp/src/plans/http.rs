use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, ProviderCx, Result};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::moves::{self, MovePreviews, MoveResults, PlanMove};
use super::{Plan, PlanCreate, PlanId, PlanUpdate, PlanVersions, Plans};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update, retire))
        .routes(routes!(versions))
        .routes(routes!(preview))
        .routes(routes!(assign))
}

/// Which plans to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PlanQuery {
    /// active or retired; without it both.
    state: Option<String>,
}

/// The provider's plans.
#[utoipa::path(get, path = "/providers/{provider}/plans", operation_id = "plan.list", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug"), PlanQuery), responses((status = 200, body = Plans), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<PlanQuery>) -> Result<Json<Plans>> {
    let mut tx = cx.read::<actions::PlanList>().await?;
    Ok(Json(super::list(&mut tx, query.state.as_deref()).await?))
}

/// Makes a plan.
#[utoipa::path(post, path = "/providers/{provider}/plans", operation_id = "plan.create", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug")), request_body = PlanCreate,
    responses((status = 201, body = Plan), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<PlanCreate>) -> Result<(StatusCode, Tagged<Plan>)> {
    let mut tx = cx.write::<actions::PlanCreate>().await?;
    let plan = super::create(&mut tx, &body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(plan.version, plan)))
}

/// Changes a plan; other terms are a new number.
#[utoipa::path(patch, path = "/providers/{provider}/plans/{plan}", operation_id = "plan.update", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug"), ("plan" = PlanId, Path)), request_body = PlanUpdate,
    responses((status = 200, body = Plan), Problems))]
async fn update(
    cx: ProviderCx,
    Path((_provider, id)): Path<(String, PlanId)>,
    version: IfMatch,
    Json(body): Json<PlanUpdate>,
) -> Result<Tagged<Plan>> {
    let mut tx = cx.write::<actions::PlanUpdate>().await?;
    let plan = super::update(&mut tx, id, version, &body).await?;
    tx.commit().await?;
    Ok(Tagged(plan.version, plan))
}

/// Retires a plan that nobody is on.
#[utoipa::path(delete, path = "/providers/{provider}/plans/{plan}", operation_id = "plan.retire", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug"), ("plan" = PlanId, Path)),
    responses((status = 204), Problems))]
async fn retire(cx: ProviderCx, Path((_provider, id)): Path<(String, PlanId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::PlanRetire>().await?;
    super::retire(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The numbers of a plan, newest first.
#[utoipa::path(get, path = "/providers/{provider}/plans/{plan}/versions", operation_id = "plan_version.list", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug"), ("plan" = PlanId, Path)),
    responses((status = 200, body = PlanVersions), Problems))]
async fn versions(cx: ProviderCx, Path((_provider, id)): Path<(String, PlanId)>) -> Result<Json<PlanVersions>> {
    let mut tx = cx.read::<actions::PlanVersionList>().await?;
    Ok(Json(super::versions(&mut tx, id).await?))
}

/// What moving tenants to a plan would do. Changes nothing.
#[utoipa::path(post, path = "/providers/{provider}/plans/preview", operation_id = "plan.preview", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug")), request_body = PlanMove,
    responses((status = 200, body = MovePreviews), Problems))]
async fn preview(cx: ProviderCx, Json(body): Json<PlanMove>) -> Result<Json<MovePreviews>> {
    let mut tx = cx.read::<actions::PlanPreview>().await?;
    Ok(Json(moves::preview(&mut tx, &body).await?))
}

/// Moves tenants to a plan.
#[utoipa::path(post, path = "/providers/{provider}/plans/assign", operation_id = "plan.assign", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug")), request_body = PlanMove,
    responses((status = 200, body = MoveResults), Problems))]
async fn assign(cx: ProviderCx, Json(body): Json<PlanMove>) -> Result<Json<MoveResults>> {
    let mut tx = cx.write::<actions::PlanAssign>().await?;
    let results = moves::assign(&mut tx, &body).await?;
    tx.commit().await?;
    Ok(Json(results))
}
