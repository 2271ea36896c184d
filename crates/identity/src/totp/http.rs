use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Problems};
use kernel::{Hub, OwnCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{RecoveryCodes, TotpBegin, TotpBegun, TotpConfirm, TotpDelete, confirmed};

/// Routes of one's own second factor.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(begin, delete)).routes(routes!(confirm)).routes(routes!(renew_recovery_codes))
}

/// Begins a second factor.
#[utoipa::path(post, path = "/me/totp", operation_id = "totp.begin", tag = "me", request_body = TotpBegin,
    responses((status = 200, body = TotpBegun), Problems))]
async fn begin(cx: OwnCx, Json(body): Json<TotpBegin>) -> Result<Json<TotpBegun>> {
    let password = confirmed::<actions::TotpBegin>(&cx, body.password).await;
    let mut tx = cx.write::<actions::TotpBegin>().await?;
    let begun = super::begin(&mut tx, password?).await?;
    tx.commit().await?;
    Ok(Json(begun))
}

/// Confirms a second factor with its first code; other sessions end.
#[utoipa::path(post, path = "/me/totp/confirm", operation_id = "totp.confirm", tag = "me", request_body = TotpConfirm,
    responses((status = 200, body = RecoveryCodes), Problems))]
async fn confirm(cx: OwnCx, Json(body): Json<TotpConfirm>) -> Result<Json<RecoveryCodes>> {
    let mut tx = cx.write::<actions::TotpConfirm>().await?;
    let codes = super::confirm(&mut tx, &body.code).await?;
    tx.commit().await?;
    Ok(Json(codes))
}

/// Does without a second factor.
#[utoipa::path(delete, path = "/me/totp", operation_id = "totp.delete", tag = "me", request_body = TotpDelete,
    responses((status = 204), Problems))]
async fn delete(cx: OwnCx, Json(body): Json<TotpDelete>) -> Result<StatusCode> {
    let password = confirmed::<actions::TotpDelete>(&cx, body.password).await;
    let mut tx = cx.write::<actions::TotpDelete>().await?;
    super::delete(&mut tx, password?, &body.code).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes new recovery codes; the old ones are void.
#[utoipa::path(post, path = "/me/totp/recovery-codes", operation_id = "recovery_code.create", tag = "me", request_body = TotpBegin,
    responses((status = 200, body = RecoveryCodes), Problems))]
async fn renew_recovery_codes(cx: OwnCx, Json(body): Json<TotpBegin>) -> Result<Json<RecoveryCodes>> {
    let password = confirmed::<actions::RecoveryCodeCreate>(&cx, body.password).await;
    let mut tx = cx.write::<actions::RecoveryCodeCreate>().await?;
    let codes = super::renew_recovery_codes(&mut tx, password?).await?;
    tx.commit().await?;
    Ok(Json(codes))
}
