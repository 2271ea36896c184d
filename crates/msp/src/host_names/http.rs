//! Routes of host names.

use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, Page, PageQuery, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{HostName, HostNameCreate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete))
}

/// Names that lead to the provider and its clients: those that were given, and the clients' addresses.
#[utoipa::path(get, path = "/providers/{provider}/host-names", operation_id = "host_name.list", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug"), PageQuery),
    responses((status = 200, body = Page<HostName>), Problems))]
async fn list(cx: ProviderCx, Params(page): Params<PageQuery>) -> Result<Json<Page<HostName>>> {
    let mut tx = cx.read::<actions::HostNameList>().await?;
    Ok(Json(super::list(&mut tx, &page).await?))
}

/// Gives a name to the provider or to one of its clients.
#[utoipa::path(post, path = "/providers/{provider}/host-names", operation_id = "host_name.create", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug")), request_body = HostNameCreate,
    responses((status = 201, body = HostName), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<HostNameCreate>) -> Result<(StatusCode, Json<HostName>)> {
    let mut tx = cx.write::<actions::HostNameCreate>().await?;
    let name = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(name)))
}

/// Takes a name back.
#[utoipa::path(delete, path = "/providers/{provider}/host-names/{host}", operation_id = "host_name.delete", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug"), ("host" = String, Path)),
    responses((status = 204), Problems))]
async fn delete(cx: ProviderCx, Path((_provider, host)): Path<(String, String)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::HostNameDelete>().await?;
    super::delete(&mut tx, &host).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
