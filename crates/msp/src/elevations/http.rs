//! Routes of elevations.

use access::actions;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::http::{Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::report::{self, ReportQuery};
use super::{Elevation, ElevationDecision, ElevationId, ElevationQuery, ElevationRequest};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, request))
        .routes(routes!(list_own))
        .routes(routes!(report))
        .routes(routes!(approve))
        .routes(routes!(deny))
        .routes(routes!(end))
        .routes(routes!(end_own))
}

/// Lists the provider's elevations, newest first.
#[utoipa::path(get, path = "/providers/{provider}/elevations", operation_id = "elevation.list", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ElevationQuery),
    responses((status = 200, body = Page<Elevation>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<ElevationQuery>) -> Result<Json<Page<Elevation>>> {
    let mut tx = cx.read::<actions::ElevationList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Lists one's own elevations, newest first.
#[utoipa::path(get, path = "/providers/{provider}/elevations/own", operation_id = "elevation.list_own", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ElevationQuery),
    responses((status = 200, body = Page<Elevation>), Problems))]
async fn list_own(cx: ProviderCx, Params(query): Params<ElevationQuery>) -> Result<Json<Page<Elevation>>> {
    let mut tx = cx.read::<actions::ElevationListOwn>().await?;
    Ok(Json(super::list_own(&mut tx, query).await?))
}

/// The elevations that were asked for in a month (UTC), as a CSV file.
#[utoipa::path(get, path = "/providers/{provider}/elevations/report", operation_id = "elevation.report", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn report(cx: ProviderCx, Params(query): Params<ReportQuery>) -> Result<Response> {
    report::report(cx, &query).await
}

/// Asks for an elevation on a client that one reaches.
#[utoipa::path(post, path = "/providers/{provider}/elevations", operation_id = "elevation.request", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug")), request_body = ElevationRequest,
    responses((status = 201, body = Elevation), Problems))]
async fn request(cx: ProviderCx, Json(body): Json<ElevationRequest>) -> Result<(StatusCode, Tagged<Elevation>)> {
    let mut tx = cx.write::<actions::ElevationRequest>().await?;
    let elevation = super::request(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(elevation.version, elevation)))
}

/// Says yes for the provider. Nobody approves their own.
#[utoipa::path(post, path = "/providers/{provider}/elevations/{elevation}/approve", operation_id = "elevation.approve",
    tag = "elevations", params(("provider" = String, Path, description = "Id or slug"), ("elevation" = String, Path)),
    request_body = ElevationDecision, responses((status = 200, body = Elevation), Problems))]
async fn approve(
    cx: ProviderCx,
    Path(path): Path<(String, ElevationId)>,
    Json(body): Json<ElevationDecision>,
) -> Result<Tagged<Elevation>> {
    let mut tx = cx.write::<actions::ElevationApprove>().await?;
    let elevation = super::approve(&mut tx, path.1, body.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(Tagged(elevation.version, elevation))
}

/// Says no for the provider, with a reason.
#[utoipa::path(post, path = "/providers/{provider}/elevations/{elevation}/deny", operation_id = "elevation.deny", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ("elevation" = String, Path)),
    request_body = ElevationDecision, responses((status = 200, body = Elevation), Problems))]
async fn deny(
    cx: ProviderCx,
    Path(path): Path<(String, ElevationId)>,
    Json(body): Json<ElevationDecision>,
) -> Result<Tagged<Elevation>> {
    let mut tx = cx.write::<actions::ElevationDeny>().await?;
    let elevation = super::deny(&mut tx, path.1, body.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(Tagged(elevation.version, elevation))
}

/// Ends anybody's elevation at once, or takes a request back.
#[utoipa::path(post, path = "/providers/{provider}/elevations/{elevation}/end", operation_id = "elevation.end", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ("elevation" = String, Path)),
    request_body = ElevationDecision, responses((status = 200, body = Elevation), Problems))]
async fn end(
    cx: ProviderCx,
    Path(path): Path<(String, ElevationId)>,
    Json(body): Json<ElevationDecision>,
) -> Result<Tagged<Elevation>> {
    let mut tx = cx.write::<actions::ElevationEnd>().await?;
    let elevation = super::end(&mut tx, path.1, body.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(Tagged(elevation.version, elevation))
}

/// Ends one's own elevation at once, or takes one's request back.
#[utoipa::path(post, path = "/providers/{provider}/elevations/{elevation}/end-own", operation_id = "elevation.end_own",
    tag = "elevations", params(("provider" = String, Path, description = "Id or slug"), ("elevation" = String, Path)),
    request_body = ElevationDecision, responses((status = 200, body = Elevation), Problems))]
async fn end_own(
    cx: ProviderCx,
    Path(path): Path<(String, ElevationId)>,
    Json(body): Json<ElevationDecision>,
) -> Result<Tagged<Elevation>> {
    let mut tx = cx.write::<actions::ElevationEndOwn>().await?;
    let elevation = super::end_own(&mut tx, path.1, body.reason.as_deref()).await?;
    tx.commit().await?;
    Ok(Tagged(elevation.version, elevation))
}
