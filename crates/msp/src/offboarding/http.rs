//! Routes of a tenant's end, from the inside. The provider's are with the tenants.

use access::actions;
use kernel::http::{Json, Problems};
use kernel::{Hub, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::{ask_as_tenant, withdraw_as_tenant};
use super::{Offboarding, PurgeWish};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view)).routes(routes!(create, withdraw))
}

/// Shows how this tenant's end stands: archive window, legal hold, purge, and what to see to.
#[utoipa::path(get, path = "/tenants/{tenant}/offboarding", operation_id = "offboarding.view", tag = "offboarding",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Offboarding), Problems))]
async fn view(cx: TenantCx) -> Result<Json<Offboarding>> {
    let mut tx = cx.read_records::<actions::OffboardingView>().await?;
    Ok(Json(super::view(&cx, &mut tx).await?))
}

/// Asks the provider to purge this tenant.
#[utoipa::path(post, path = "/tenants/{tenant}/purge-request", operation_id = "purge_request.create", tag = "offboarding",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = PurgeWish,
    responses((status = 200, body = Offboarding), Problems))]
async fn create(cx: TenantCx, Json(body): Json<PurgeWish>) -> Result<Json<Offboarding>> {
    let mut tx = cx.write_records::<actions::PurgeRequestCreate>().await?;
    ask_as_tenant(&mut tx, &body.reason).await?;
    let after = super::view(&cx, &mut tx).await?;
    tx.commit().await?;
    Ok(Json(after))
}

/// Withdraws this tenant's request.
#[utoipa::path(delete, path = "/tenants/{tenant}/purge-request", operation_id = "purge_request.withdraw", tag = "offboarding",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Offboarding), Problems))]
async fn withdraw(cx: TenantCx) -> Result<Json<Offboarding>> {
    let mut tx = cx.write_records::<actions::PurgeRequestWithdraw>().await?;
    withdraw_as_tenant(&mut tx).await?;
    let after = super::view(&cx, &mut tx).await?;
    tx.commit().await?;
    Ok(Json(after))
}
