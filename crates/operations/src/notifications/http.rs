use access::actions;
use kernel::http::{Json, Params, Problems};
use kernel::{Hub, OwnCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{NotificationPage, NotificationQuery, NotificationRead, NotificationRules, Unread};

/// Routes of what one is told.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(rules, update_rules))
}

/// What one was told, the newest first, as far as one may still see it.
#[utoipa::path(get, path = "/me/notifications", operation_id = "notification.list", tag = "notifications",
    params(NotificationQuery), responses((status = 200, body = NotificationPage), Problems))]
async fn list(cx: OwnCx, Params(query): Params<NotificationQuery>) -> Result<Json<NotificationPage>> {
    Ok(Json(super::list(&cx, &query).await?))
}

/// Marks notifications as read: some, or all.
#[utoipa::path(post, path = "/me/notifications/read", operation_id = "notification.read", tag = "notifications",
    request_body = NotificationRead, responses((status = 200, body = Unread), Problems))]
async fn read(cx: OwnCx, Json(body): Json<NotificationRead>) -> Result<Json<Unread>> {
    let open = super::look(&cx).await?;
    let mut tx = cx.write::<actions::NotificationRead>().await?;
    let unread = super::read(&mut tx, &open, &body).await?;
    tx.commit().await?;
    Ok(Json(unread))
}

/// How one wants to hear of alerts.
#[utoipa::path(get, path = "/me/notification-rules", operation_id = "notification_rule.list", tag = "notifications",
    responses((status = 200, body = NotificationRules), Problems))]
async fn rules(cx: OwnCx) -> Result<Json<NotificationRules>> {
    let mut tx = cx.read::<actions::NotificationRuleList>().await?;
    Ok(Json(super::rules(&mut tx).await?))
}

/// Changes how one wants to hear of alerts.
#[utoipa::path(put, path = "/me/notification-rules", operation_id = "notification_rule.update", tag = "notifications",
    request_body = NotificationRules, responses((status = 200, body = NotificationRules), Problems))]
async fn update_rules(cx: OwnCx, Json(body): Json<NotificationRules>) -> Result<Json<NotificationRules>> {
    let mut tx = cx.write::<actions::NotificationRuleUpdate>().await?;
    let rules = super::update_rules(&mut tx, body).await?;
    tx.commit().await?;
    Ok(Json(rules))
}
