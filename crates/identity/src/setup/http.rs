use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Problems};
use kernel::{Hub, PublicCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{SetupCreate, SetupView};
use crate::me::Me;
use crate::sessions::{Cookie, Origin};

/// Routes of the first start.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, create))
}

/// Whether the installation waits for its setup.
#[utoipa::path(get, path = "/setup", operation_id = "setup.view", tag = "setup",
    responses((status = 200, body = SetupView), Problems))]
async fn view(cx: PublicCx) -> Result<Json<SetupView>> {
    let mut tx = cx.read::<actions::SetupView>().await?;
    Ok(Json(super::view(&mut tx).await?))
}

/// Makes the first provider, or the one organisation, and the first person, with the code from the hub's log.
#[utoipa::path(post, path = "/setup", operation_id = "setup.create", tag = "setup", request_body = SetupCreate,
    responses((status = 201, body = Me), Problems))]
async fn create(cx: PublicCx, Json(body): Json<SetupCreate>) -> Result<(StatusCode, Cookie, Json<Me>)> {
    let (checked, from) = (super::check(&cx, body).await?, Origin::of(&cx).await?);
    let tx = cx.write::<actions::SetupCreate>().await?;
    let (cookie, me) = super::create(tx, checked, from).await?;
    Ok((StatusCode::CREATED, cookie, Json(me)))
}
