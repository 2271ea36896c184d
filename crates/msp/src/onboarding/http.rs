//! Routes of onboarding.

use access::actions;
use kernel::http::{Json, Problems};
use kernel::{ClientCx, Hub, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Onboarding, OnboardingUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, update))
}

/// Shows how far a client's onboarding is.
#[utoipa::path(get, path = "/providers/{provider}/tenants/{tenant}/onboarding", operation_id = "onboarding.view", tag = "onboarding",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Onboarding), Problems))]
async fn view(cx: ClientCx) -> Result<Json<Onboarding>> {
    let mut tx = cx.read::<actions::OnboardingView>().await?;
    Ok(Json(super::view(&mut tx).await?))
}

/// Skips a step of a client's onboarding, or takes that back.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}/onboarding", operation_id = "onboarding.update", tag = "onboarding",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = OnboardingUpdate, responses((status = 200, body = Onboarding), Problems))]
async fn update(cx: ClientCx, Json(body): Json<OnboardingUpdate>) -> Result<Json<Onboarding>> {
    let mut tx = cx.write::<actions::OnboardingUpdate>().await?;
    let after = super::update(&mut tx, &body).await?;
    tx.commit().await?;
    Ok(Json(after))
}
