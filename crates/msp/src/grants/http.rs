//! Routes of grants over many tenants.

use access::actions;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{GroupGrant, GroupGrantCreate, GroupGrantId, GroupGrantQuery, GroupGrantUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, delete))
}

/// Lists grants over many tenants.
#[utoipa::path(get, path = "/providers/{provider}/grants", operation_id = "group_grant.list", tag = "group grants",
    params(("provider" = String, Path, description = "Id or slug"), GroupGrantQuery),
    responses((status = 200, body = Page<GroupGrant>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<GroupGrantQuery>) -> Result<Json<Page<GroupGrant>>> {
    let mut tx = cx.read::<actions::GroupGrantList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Grants somebody power over a group of tenants, over all, or over all but some.
#[utoipa::path(post, path = "/providers/{provider}/grants", operation_id = "group_grant.create", tag = "group grants",
    params(("provider" = String, Path, description = "Id or slug")), request_body = GroupGrantCreate,
    responses((status = 201, body = GroupGrant), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<GroupGrantCreate>) -> Result<Response> {
    let mut tx = cx.write::<actions::GroupGrantCreate>().await?;
    let grant = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(grant.version, grant)).into_response())
}

/// Changes a grant over many tenants.
#[utoipa::path(patch, path = "/providers/{provider}/grants/{grant}", operation_id = "group_grant.update", tag = "group grants",
    params(("provider" = String, Path, description = "Id or slug"), ("grant" = String, Path)), request_body = GroupGrantUpdate,
    responses((status = 200, body = GroupGrant), Problems))]
async fn update(
    cx: ProviderCx,
    Path(path): Path<(String, GroupGrantId)>,
    version: IfMatch,
    Json(body): Json<GroupGrantUpdate>,
) -> Result<Tagged<GroupGrant>> {
    let mut tx = cx.write::<actions::GroupGrantUpdate>().await?;
    let grant = super::update(&mut tx, path.1, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(grant.version, grant))
}

/// Ends a grant over many tenants.
#[utoipa::path(delete, path = "/providers/{provider}/grants/{grant}", operation_id = "group_grant.delete", tag = "group grants",
    params(("provider" = String, Path, description = "Id or slug"), ("grant" = String, Path)), responses((status = 204), Problems))]
async fn delete(cx: ProviderCx, Path(path): Path<(String, GroupGrantId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::GroupGrantDelete>().await?;
    super::delete(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
