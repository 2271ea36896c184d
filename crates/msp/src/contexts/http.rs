//! Routes of the context and the summary.

use access::actions;
use kernel::http::{Json, Problems};
use kernel::{Hub, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Context, Summary};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view)).routes(routes!(summary))
}

/// Shows where one is, as what, and what may be done.
#[utoipa::path(get, path = "/tenants/{tenant}/context", operation_id = "context.view", tag = "contexts",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Context), Problems))]
async fn view(cx: TenantCx) -> Result<Json<Context>> {
    let mut tx = cx.read_records::<actions::ContextView>().await?;
    Ok(Json(super::view(&cx, &mut tx).await?))
}

/// Shows a tenant at a glance.
#[utoipa::path(get, path = "/tenants/{tenant}/summary", operation_id = "summary.view", tag = "contexts",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Summary), Problems))]
async fn summary(cx: TenantCx) -> Result<Json<Summary>> {
    let tx = cx.read_records::<actions::SummaryView>().await?;
    Ok(Json(super::summary(&cx, tx).await?))
}
