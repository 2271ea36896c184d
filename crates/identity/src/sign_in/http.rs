use access::actions;
use kernel::http::{Json, Problems};
use kernel::{Hub, PublicCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{SessionCreate, SessionStep, SessionVerified, SessionVerify};
use crate::sessions::{Cookie, Origin};

/// Routes of signing in.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(verify))
}

/// Signs in with a password.
#[utoipa::path(post, path = "/session", operation_id = "session.create", tag = "session", request_body = SessionCreate,
    responses((status = 200, body = SessionStep), Problems))]
async fn create(cx: PublicCx, Json(body): Json<SessionCreate>) -> Result<(Cookie, Json<SessionStep>)> {
    let (tried, from) = (super::check(&cx, body).await?, Origin::of(&cx).await?);
    let mut tx = cx.write::<actions::SessionCreate>().await?;
    let (cookie, step) = super::enter(&mut tx, tried, from).await?;
    tx.commit().await?;
    Ok((cookie, Json(step)))
}

/// Gives the second factor.
#[utoipa::path(post, path = "/session/verify", operation_id = "session.verify", tag = "session", request_body = SessionVerify,
    responses((status = 200, body = SessionVerified), Problems))]
async fn verify(cx: PublicCx, Json(body): Json<SessionVerify>) -> Result<(Cookie, Json<SessionVerified>)> {
    let (waiting, from) = (super::waiting(&cx)?, Origin::of(&cx).await?);
    let mut tx = cx.write::<actions::SessionVerify>().await?;
    let (cookie, verified) = super::verify(&mut tx, waiting, &body.code, from).await?;
    tx.commit().await?;
    Ok((cookie, Json(verified)))
}
