use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::ids::SessionId;
use kernel::{Hub, LeavingCx, OwnCx, Page, PageQuery, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Cookie, Revoked, Session, StepUp};

/// Routes of one's own sessions.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(leave))
        .routes(routes!(step_up))
        .routes(routes!(list))
        .routes(routes!(revoke))
        .routes(routes!(revoke_others))
}

/// Signs out. Works with a half session too.
#[utoipa::path(delete, path = "/session", operation_id = "session.delete", tag = "session",
    responses((status = 204), Problems))]
async fn leave(cx: LeavingCx) -> Result<(StatusCode, Cookie, ())> {
    let mut tx = cx.write().await?;
    let cookie = super::leave(&mut tx).await?;
    tx.commit().await?;
    Ok((StatusCode::NO_CONTENT, cookie, ()))
}

/// Proves again that it is the person: with a code, or without a second factor with the password. Good for ten minutes.
#[utoipa::path(post, path = "/session/step-up", operation_id = "session.step_up", tag = "session", request_body = StepUp,
    responses((status = 204), Problems))]
async fn step_up(cx: OwnCx, Json(body): Json<StepUp>) -> Result<StatusCode> {
    let proof = super::prepare(cx.look::<actions::SessionStepUp>().await?, body).await;
    let mut tx = cx.write::<actions::SessionStepUp>().await?;
    super::step_up(&mut tx, proof?).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists one's own sessions. Sorts: last_seen, created.
#[utoipa::path(get, path = "/me/sessions", operation_id = "session.list", tag = "me", params(PageQuery),
    responses((status = 200, body = Page<Session>), Problems))]
async fn list(cx: OwnCx, Params(page): Params<PageQuery>) -> Result<Json<Page<Session>>> {
    let mut tx = cx.read::<actions::SessionList>().await?;
    Ok(Json(super::list(&mut tx, &page).await?))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/me/sessions/{session}", operation_id = "session.revoke", tag = "me",
    params(("session" = SessionId, Path)), responses((status = 204), Problems))]
async fn revoke(cx: OwnCx, Path(session): Path<SessionId>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::SessionRevoke>().await?;
    super::revoke(&mut tx, session).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of one's own sessions but this one.
#[utoipa::path(post, path = "/me/sessions/revoke-others", operation_id = "session.revoke_others", tag = "me",
    responses((status = 200, body = Revoked), Problems))]
async fn revoke_others(cx: OwnCx) -> Result<Json<Revoked>> {
    let mut tx = cx.write::<actions::SessionRevokeOthers>().await?;
    let revoked = super::end_others(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(revoked))
}
