use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, Page, Result, TenantCx};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Override, OverrideCreate};
use crate::OverrideId;
use crate::asked::Asked;

/// The routes of overrides.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// Overrides, the latest first. Filter: `state` (`active`, `expired`, `revoked`); sort by `created`, `expires`.
#[utoipa::path(get, path = "/tenants/{tenant}/overrides", operation_id = "override.list", tag = "overrides",
    params(("tenant" = String, Path, description = "Id or slug"), kernel::PageQuery, ("state" = Option<String>, Query)),
    responses((status = 200, body = Page<Override>), Problems))]
async fn list(cx: TenantCx, Params(asked): Params<Vec<(String, String)>>) -> Result<Json<Page<Override>>> {
    let asked = Asked::new(asked);
    let (states, page) = (asked.words("state")?, asked.page()?);
    let mut tx = cx.read::<actions::OverrideList>().await?;
    Ok(Json(super::list(&mut tx, &page, &states).await?))
}

/// Accepts the risk of one finding, or of a whole control, until some day.
#[utoipa::path(post, path = "/tenants/{tenant}/overrides", operation_id = "override.create", tag = "overrides",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = OverrideCreate,
    responses((status = 201, body = Override), Problems))]
async fn create(cx: TenantCx, Json(body): Json<OverrideCreate>) -> Result<(StatusCode, Json<Override>)> {
    let mut tx = cx.write::<actions::OverrideCreate>().await?;
    let created = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Ends an override early.
#[utoipa::path(delete, path = "/tenants/{tenant}/overrides/{override}", operation_id = "override.revoke", tag = "overrides",
    params(("tenant" = String, Path, description = "Id or slug"), ("override" = String, Path)),
    responses((status = 204), Problems))]
async fn revoke(cx: TenantCx, Path(at): Path<(String, OverrideId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::OverrideRevoke>().await?;
    super::revoke(&mut tx, at.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
