use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{MailId, MailPage, MailQuery, MailTest, MailView};

/// Routes of the mail log.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test)).routes(routes!(retry))
}

/// The log of e-mails of a provider and of its clients, and whether any can leave.
#[utoipa::path(get, path = "/providers/{provider}/mail", operation_id = "mail.list", tag = "mail",
    params(("provider" = String, Path, description = "Id or slug"), MailQuery),
    responses((status = 200, body = MailPage), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<MailQuery>) -> Result<Json<MailPage>> {
    let mut tx = cx.read::<actions::MailList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Sends a test e-mail. What becomes of it stands in the log.
#[utoipa::path(post, path = "/providers/{provider}/mail/test", operation_id = "mail.test", tag = "mail",
    params(("provider" = String, Path, description = "Id or slug")), request_body = MailTest,
    responses((status = 201, body = MailView), Problems))]
async fn test(cx: ProviderCx, Json(body): Json<MailTest>) -> Result<(StatusCode, Json<MailView>)> {
    let mut tx = cx.write::<actions::MailTest>().await?;
    let made = super::test(&mut tx, &body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Has an e-mail that was given up tried again.
#[utoipa::path(post, path = "/providers/{provider}/mail/{mail}/retry", operation_id = "mail.retry", tag = "mail",
    params(("provider" = String, Path, description = "Id or slug"), ("mail" = String, Path)),
    responses((status = 200, body = MailView), Problems))]
async fn retry(cx: ProviderCx, Path((_provider, mail)): Path<(String, MailId)>) -> Result<Json<MailView>> {
    let mut tx = cx.write::<actions::MailRetry>().await?;
    let mail = super::retry(&mut tx, mail).await?;
    tx.commit().await?;
    Ok(Json(mail))
}
