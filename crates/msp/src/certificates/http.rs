//! Routes of certificates.

use access::actions;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Error, Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CertificateId, CertificateQuery, CertificateRow};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(view))
}

/// Certificates of what was purged.
#[utoipa::path(get, path = "/providers/{provider}/certificates", operation_id = "certificate.list", tag = "certificates",
    params(("provider" = String, Path, description = "Id or slug"), CertificateQuery),
    responses((status = 200, body = Page<CertificateRow>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<CertificateQuery>) -> Result<Json<Page<CertificateRow>>> {
    let mut tx = cx.read::<actions::CertificateList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// A certificate of destruction, as the file that is checked without the hub.
#[utoipa::path(get, path = "/providers/{provider}/certificates/{certificate}", operation_id = "certificate.view", tag = "certificates",
    params(("provider" = String, Path, description = "Id or slug"), ("certificate" = String, Path, description = "`crt_…`")),
    responses((status = 200, body = serde_json::Value), Problems))]
async fn view(cx: ProviderCx, Path((_provider, id)): Path<(String, CertificateId)>) -> Result<Response> {
    let mut tx = cx.read::<actions::CertificateView>().await?;
    let text = serde_json::to_string_pretty(&super::view(&mut tx, id).await?).map_err(Error::internal)?;
    let file = format!("attachment; filename=\"{id}.json\"");
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, file)], text + "\n").into_response())
}
