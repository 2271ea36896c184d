use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Path, Problems};
use kernel::{Hub, PublicCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PasswordResetAccept, PasswordResetCreate, PasswordResetView};

/// Routes for who lost their password.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(view, accept))
}

/// Sends a link to set a new password, if the address has an account. The answer is the same if it has none.
#[utoipa::path(post, path = "/password-resets", operation_id = "password_reset.create", tag = "session",
    request_body = PasswordResetCreate, responses((status = 202), Problems))]
async fn create(cx: PublicCx, Json(body): Json<PasswordResetCreate>) -> Result<StatusCode> {
    let asked = super::check(&cx, &body)?;
    let mut tx = cx.write::<actions::PasswordResetCreate>().await?;
    super::create(&mut tx, asked).await?;
    tx.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Shows the link's account as far as its owner needs it. 409 when it is not good any more.
#[utoipa::path(get, path = "/password-resets/{token}", operation_id = "password_reset.view", tag = "session",
    params(("token" = String, Path)), responses((status = 200, body = PasswordResetView), Problems))]
async fn view(cx: PublicCx, Path(token): Path<String>) -> Result<Json<PasswordResetView>> {
    let mut tx = cx.read::<actions::PasswordResetView>().await?;
    Ok(Json(super::view(&mut tx, &token).await?))
}

/// Sets a new password. All sessions of the person end.
#[utoipa::path(post, path = "/password-resets/{token}", operation_id = "password_reset.accept", tag = "session",
    params(("token" = String, Path)), request_body = PasswordResetAccept, responses((status = 204), Problems))]
async fn accept(cx: PublicCx, Path(token): Path<String>, Json(body): Json<PasswordResetAccept>) -> Result<StatusCode> {
    let ready = super::prepare(&cx, &token, body).await?;
    let mut tx = cx.write::<actions::PasswordResetAccept>().await?;
    super::accept(&mut tx, &token, ready).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
