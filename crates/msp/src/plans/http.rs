use access::actions;
use kernel::http::{Json, Problems};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Plan;

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The provider's plans.
#[utoipa::path(get, path = "/providers/{provider}/plans", operation_id = "plan.list", tag = "plans",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = Page<Plan>), Problems))]
async fn list(cx: ProviderCx) -> Result<Json<Page<Plan>>> {
    let mut tx = cx.read::<actions::PlanList>().await?;
    Ok(Json(super::list(&mut tx).await?))
}
