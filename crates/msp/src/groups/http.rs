//! Routes of groups of tenants.

use access::actions;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, PageQuery, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Group, GroupCreate, GroupId, GroupUpdate, GroupView};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(view, update, delete))
}

/// Lists groups of tenants.
#[utoipa::path(get, path = "/providers/{provider}/groups", operation_id = "tenant_group.list", tag = "tenant groups",
    params(("provider" = String, Path, description = "Id or slug"), PageQuery), responses((status = 200, body = Page<Group>), Problems))]
async fn list(cx: ProviderCx, Params(page): Params<PageQuery>) -> Result<Json<Page<Group>>> {
    let mut tx = cx.read::<actions::TenantGroupList>().await?;
    Ok(Json(super::list(&mut tx, &page).await?))
}

/// Makes a group.
#[utoipa::path(post, path = "/providers/{provider}/groups", operation_id = "tenant_group.create", tag = "tenant groups",
    params(("provider" = String, Path, description = "Id or slug")), request_body = GroupCreate,
    responses((status = 201, body = Group), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<GroupCreate>) -> Result<Response> {
    let mut tx = cx.write::<actions::TenantGroupCreate>().await?;
    let group = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(group.version, group)).into_response())
}

/// Shows a group and who is in it now.
#[utoipa::path(get, path = "/providers/{provider}/groups/{group}", operation_id = "tenant_group.view", tag = "tenant groups",
    params(("provider" = String, Path, description = "Id or slug"), ("group" = String, Path), PageQuery),
    responses((status = 200, body = GroupView), Problems))]
async fn view(cx: ProviderCx, Path(path): Path<(String, GroupId)>, Params(page): Params<PageQuery>) -> Result<Tagged<GroupView>> {
    let mut tx = cx.read::<actions::TenantGroupView>().await?;
    let view = super::view(&mut tx, path.1, &page).await?;
    Ok(Tagged(view.group.version, view))
}

/// Changes a group.
#[utoipa::path(patch, path = "/providers/{provider}/groups/{group}", operation_id = "tenant_group.update", tag = "tenant groups",
    params(("provider" = String, Path, description = "Id or slug"), ("group" = String, Path)), request_body = GroupUpdate,
    responses((status = 200, body = Group), Problems))]
async fn update(
    cx: ProviderCx,
    Path(path): Path<(String, GroupId)>,
    version: IfMatch,
    Json(body): Json<GroupUpdate>,
) -> Result<Tagged<Group>> {
    let mut tx = cx.write::<actions::TenantGroupUpdate>().await?;
    let group = super::update(&mut tx, path.1, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(group.version, group))
}

/// Deletes a group.
#[utoipa::path(delete, path = "/providers/{provider}/groups/{group}", operation_id = "tenant_group.delete", tag = "tenant groups",
    params(("provider" = String, Path, description = "Id or slug"), ("group" = String, Path)), responses((status = 204), Problems))]
async fn delete(cx: ProviderCx, Path(path): Path<(String, GroupId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::TenantGroupDelete>().await?;
    super::delete(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
