//! Routes of what waits for a tenant's word.

use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, Page, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AccessRequest, DecisionReason, RequestQuery};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(approve)).routes(routes!(deny)).routes(routes!(end))
}

/// Lists what the provider asked of this tenant, and what became of it.
#[utoipa::path(get, path = "/tenants/{tenant}/access-requests", operation_id = "access_request.list", tag = "access requests",
    params(("tenant" = String, Path, description = "Id or slug"), RequestQuery),
    responses((status = 200, body = Page<AccessRequest>), Problems))]
async fn list(cx: TenantCx, Params(query): Params<RequestQuery>) -> Result<Json<Page<AccessRequest>>> {
    let mut tx = cx.read_records::<actions::AccessRequestList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Says yes.
#[utoipa::path(post, path = "/tenants/{tenant}/access-requests/{request}/approve", operation_id = "access_request.approve",
    tag = "access requests", params(("tenant" = String, Path, description = "Id or slug"), ("request" = String, Path)),
    request_body = DecisionReason, responses((status = 204), Problems))]
async fn approve(
    cx: TenantCx,
    Path((_tenant, id)): Path<(String, String)>,
    Json(body): Json<DecisionReason>,
) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::AccessRequestApprove>().await?;
    super::approve(&mut tx, &id, &body).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says no.
#[utoipa::path(post, path = "/tenants/{tenant}/access-requests/{request}/deny", operation_id = "access_request.deny",
    tag = "access requests", params(("tenant" = String, Path, description = "Id or slug"), ("request" = String, Path)),
    request_body = DecisionReason, responses((status = 204), Problems))]
async fn deny(cx: TenantCx, Path((_tenant, id)): Path<(String, String)>, Json(body): Json<DecisionReason>) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::AccessRequestDeny>().await?;
    super::deny(&mut tx, &id, &body).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends an elevation that runs.
#[utoipa::path(post, path = "/tenants/{tenant}/access-requests/{request}/end", operation_id = "access_request.end",
    tag = "access requests", params(("tenant" = String, Path, description = "Id or slug"), ("request" = String, Path)),
    request_body = DecisionReason, responses((status = 204), Problems))]
async fn end(cx: TenantCx, Path((_tenant, id)): Path<(String, String)>, Json(body): Json<DecisionReason>) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::AccessRequestEnd>().await?;
    super::end(&mut tx, &id, &body).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
