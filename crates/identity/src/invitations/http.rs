use access::actions;
use kernel::http::{Json, Path, Problems};
use kernel::{Hub, PublicCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{InvitationAccept, InvitationView};
use crate::sessions::{Cookie, Origin};
use crate::sign_in::SessionStep;

/// Routes for whoever has the link of an invitation.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view)).routes(routes!(accept))
}

/// Shows the invitation of a link. 409 when it is no longer open.
#[utoipa::path(get, path = "/invitations/{token}", operation_id = "invitation.view", tag = "invitations",
    params(("token" = String, Path)), responses((status = 200, body = InvitationView), Problems))]
async fn view(cx: PublicCx, Path(token): Path<String>) -> Result<Json<InvitationView>> {
    let mut tx = cx.read::<actions::InvitationView>().await?;
    Ok(Json(super::view(&mut tx, &token).await?))
}

/// Takes an invitation up, with a new account or the one that the invited address has.
#[utoipa::path(post, path = "/invitations/{token}/accept", operation_id = "invitation.accept", tag = "invitations",
    params(("token" = String, Path)), request_body = InvitationAccept,
    responses((status = 200, body = SessionStep), Problems))]
async fn accept(
    cx: PublicCx,
    Path(token): Path<String>,
    Json(body): Json<InvitationAccept>,
) -> Result<(Cookie, Json<SessionStep>)> {
    let (taker, from) = (super::check(&cx, &token, body).await?, Origin::of(&cx).await?);
    let mut tx = cx.write::<actions::InvitationAccept>().await?;
    let (cookie, step) = super::accept(&mut tx, &token, taker, from).await?;
    tx.commit().await?;
    Ok((cookie, Json(step)))
}
