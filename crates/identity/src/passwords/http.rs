use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Problems};
use kernel::{Hub, OwnCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::PasswordUpdate;

/// Routes of one's own password.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(update))
}

/// Changes one's own password; other sessions end.
#[utoipa::path(put, path = "/me/password", operation_id = "password.update", tag = "me", request_body = PasswordUpdate,
    responses((status = 204), Problems))]
async fn update(cx: OwnCx, Json(body): Json<PasswordUpdate>) -> Result<StatusCode> {
    let ready = super::prepare(cx.look::<actions::PasswordUpdate>().await?, body).await;
    let mut tx = cx.write::<actions::PasswordUpdate>().await?;
    super::update(&mut tx, ready?).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
