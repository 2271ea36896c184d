use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, OwnCx, Page, PageQuery, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ChannelCreate, ChannelId, ChannelUpdate, ChannelView, DeliveryId, DeliveryView};

/// Routes of one's own channels.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(update, delete))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(retry))
}

/// One's own channels, by name.
#[utoipa::path(get, path = "/me/channels", operation_id = "channel.list", tag = "notifications",
    params(PageQuery), responses((status = 200, body = Page<ChannelView>), Problems))]
async fn list(cx: OwnCx, Params(page): Params<PageQuery>) -> Result<Json<Page<ChannelView>>> {
    let mut tx = cx.read::<actions::ChannelList>().await?;
    Ok(Json(super::list(&mut tx, &page).await?))
}

/// Makes a webhook. Its secret is in this answer only.
#[utoipa::path(post, path = "/me/channels", operation_id = "channel.create", tag = "notifications",
    request_body = ChannelCreate, responses((status = 201, body = ChannelView), Problems))]
async fn create(cx: OwnCx, Json(body): Json<ChannelCreate>) -> Result<(StatusCode, Json<ChannelView>)> {
    let mut tx = cx.write::<actions::ChannelCreate>().await?;
    let channel = super::create(&mut tx, &body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(channel)))
}

/// Changes a channel, switches it on or off.
#[utoipa::path(patch, path = "/me/channels/{channel}", operation_id = "channel.update", tag = "notifications",
    params(("channel" = String, Path)), request_body = ChannelUpdate, responses((status = 200, body = ChannelView), Problems))]
async fn update(cx: OwnCx, Path(id): Path<ChannelId>, Json(body): Json<ChannelUpdate>) -> Result<Json<ChannelView>> {
    let mut tx = cx.write::<actions::ChannelUpdate>().await?;
    let channel = super::update(&mut tx, id, &body).await?;
    tx.commit().await?;
    Ok(Json(channel))
}

/// Removes a channel with its log.
#[utoipa::path(delete, path = "/me/channels/{channel}", operation_id = "channel.delete", tag = "notifications",
    params(("channel" = String, Path)), responses((status = 204), Problems))]
async fn delete(cx: OwnCx, Path(id): Path<ChannelId>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::ChannelDelete>().await?;
    super::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a test through a channel.
#[utoipa::path(post, path = "/me/channels/{channel}/test", operation_id = "channel.test", tag = "notifications",
    params(("channel" = String, Path)), responses((status = 201, body = DeliveryView), Problems))]
async fn test(cx: OwnCx, Path(id): Path<ChannelId>) -> Result<(StatusCode, Json<DeliveryView>)> {
    let mut tx = cx.write::<actions::ChannelTest>().await?;
    let delivery = super::test(&mut tx, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(delivery)))
}

/// What went through a channel, the newest first.
#[utoipa::path(get, path = "/me/channels/{channel}/deliveries", operation_id = "channel_delivery.list", tag = "notifications",
    params(("channel" = String, Path), PageQuery), responses((status = 200, body = Page<DeliveryView>), Problems))]
async fn deliveries(cx: OwnCx, Path(id): Path<ChannelId>, Params(page): Params<PageQuery>) -> Result<Json<Page<DeliveryView>>> {
    let mut tx = cx.read::<actions::ChannelDeliveryList>().await?;
    Ok(Json(super::deliveries(&mut tx, id, &page).await?))
}

/// Has a delivery that was given up tried again.
#[utoipa::path(post, path = "/me/channels/{channel}/deliveries/{delivery}/retry", operation_id = "channel_delivery.retry",
    tag = "notifications", params(("channel" = String, Path), ("delivery" = String, Path)),
    responses((status = 200, body = DeliveryView), Problems))]
async fn retry(cx: OwnCx, Path((id, delivery)): Path<(ChannelId, DeliveryId)>) -> Result<Json<DeliveryView>> {
    let mut tx = cx.write::<actions::ChannelDeliveryRetry>().await?;
    let delivery = super::retry(&mut tx, id, delivery).await?;
    tx.commit().await?;
    Ok(Json(delivery))
}
