//! Routes of the licence.

use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Problems};
use kernel::{Hub, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Activated, LicenceActivate, MspLicence};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view)).routes(routes!(activate))
}

/// Shows the installation's licence, and how many tenants there are.
#[utoipa::path(get, path = "/providers/{provider}/msp-licence", operation_id = "msp_licence.view", tag = "msp_licence",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = MspLicence), Problems))]
async fn view(cx: ProviderCx) -> Result<Json<MspLicence>> {
    let mut tx = cx.read::<actions::MspLicenceView>().await?;
    Ok(Json(super::view(&mut tx).await?))
}

/// Turns a standalone installation into a provider's, with this organisation as its first client.
#[utoipa::path(post, path = "/tenants/{tenant}/msp-licence", operation_id = "msp_licence.activate", tag = "msp_licence",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = LicenceActivate,
    responses((status = 201, body = Activated), Problems))]
async fn activate(cx: TenantCx, Json(body): Json<LicenceActivate>) -> Result<(StatusCode, Json<Activated>)> {
    let mut tx = cx.write_records::<actions::MspLicenceActivate>().await?;
    let activated = super::activate(&mut tx, &body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(activated)))
}
