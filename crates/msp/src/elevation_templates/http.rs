//! Routes of elevation templates.

use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ElevationTemplate, ElevationTemplateCreate, ElevationTemplateId, ElevationTemplateQuery, ElevationTemplateUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, retire))
}

/// Lists what staff may ask for.
#[utoipa::path(get, path = "/providers/{provider}/elevation-templates", operation_id = "elevation_template.list", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug"), ElevationTemplateQuery),
    responses((status = 200, body = Page<ElevationTemplate>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<ElevationTemplateQuery>) -> Result<Json<Page<ElevationTemplate>>> {
    let mut tx = cx.read::<actions::ElevationTemplateList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Makes a template.
#[utoipa::path(post, path = "/providers/{provider}/elevation-templates", operation_id = "elevation_template.create", tag = "elevations",
    params(("provider" = String, Path, description = "Id or slug")), request_body = ElevationTemplateCreate,
    responses((status = 201, body = ElevationTemplate), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<ElevationTemplateCreate>) -> Result<(StatusCode, Tagged<ElevationTemplate>)> {
    let mut tx = cx.write::<actions::ElevationTemplateCreate>().await?;
    let template = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Tagged(template.version, template)))
}

/// Changes a template. Requests that were made keep their terms.
#[utoipa::path(patch, path = "/providers/{provider}/elevation-templates/{template}", operation_id = "elevation_template.update",
    tag = "elevations", params(("provider" = String, Path, description = "Id or slug"), ("template" = String, Path)),
    request_body = ElevationTemplateUpdate, responses((status = 200, body = ElevationTemplate), Problems))]
async fn update(
    cx: ProviderCx,
    Path(path): Path<(String, ElevationTemplateId)>,
    version: IfMatch,
    Json(body): Json<ElevationTemplateUpdate>,
) -> Result<Tagged<ElevationTemplate>> {
    let mut tx = cx.write::<actions::ElevationTemplateUpdate>().await?;
    let template = super::update(&mut tx, path.1, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(template.version, template))
}

/// Retires a template: nobody can ask for it any more.
#[utoipa::path(delete, path = "/providers/{provider}/elevation-templates/{template}", operation_id = "elevation_template.delete",
    tag = "elevations", params(("provider" = String, Path, description = "Id or slug"), ("template" = String, Path)),
    responses((status = 204), Problems))]
async fn retire(cx: ProviderCx, Path(path): Path<(String, ElevationTemplateId)>, version: IfMatch) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::ElevationTemplateDelete>().await?;
    super::retire(&mut tx, path.1, version).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
