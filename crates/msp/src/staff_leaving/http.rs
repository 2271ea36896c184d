//! Routes of somebody's leaving.

use access::actions;
use kernel::http::{Json, Path, Problems};
use kernel::{Hub, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Leaving, LeavingApply, Left};
use crate::staff::StaffId;

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, apply))
}

/// Shows everything that somebody of the staff holds, and who could take it over.
#[utoipa::path(get, path = "/providers/{provider}/staff/{staff}/leaving", operation_id = "staff_leaving.view", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)),
    responses((status = 200, body = Leaving), Problems))]
async fn view(cx: ProviderCx, Path((_provider, id)): Path<(String, StaffId)>) -> Result<Json<Leaving>> {
    let mut tx = cx.read::<actions::StaffLeavingView>().await?;
    Ok(Json(super::view(&mut tx, id).await?))
}

/// Hands over or ends everything that somebody holds, in one act.
#[utoipa::path(post, path = "/providers/{provider}/staff/{staff}/leaving", operation_id = "staff_leaving.apply", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), request_body = LeavingApply,
    responses((status = 200, body = Left), Problems))]
async fn apply(
    cx: ProviderCx,
    Path((_provider, id)): Path<(String, StaffId)>,
    Json(body): Json<LeavingApply>,
) -> Result<Json<Left>> {
    let mut tx = cx.write::<actions::StaffLeavingApply>().await?;
    let left = super::apply(&mut tx, id, &body).await?;
    tx.commit().await?;
    Ok(Json(left))
}
