use access::actions;
use kernel::http::{Json, Problems, Tagged};
use kernel::{Hub, OwnCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Me, MeUpdate};
use crate::sessions::shown_at;

/// Routes of the signed-in person.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, update))
}

/// Who is signed in, and where they may go.
#[utoipa::path(get, path = "/me", operation_id = "me.view", tag = "me", responses((status = 200, body = Me), Problems))]
async fn view(cx: OwnCx) -> Result<Tagged<Me>> {
    let brand = shown_at(cx.hub(), cx.host()).await?;
    let mut tx = cx.read::<actions::MeView>().await?;
    let me = super::view(&mut tx, brand).await?;
    Ok(Tagged(me.person.version, me))
}

/// Changes one's own name, language or preferences.
#[utoipa::path(patch, path = "/me", operation_id = "me.update", tag = "me", request_body = MeUpdate,
    responses((status = 200, body = Me), Problems))]
async fn update(cx: OwnCx, Json(body): Json<MeUpdate>) -> Result<Tagged<Me>> {
    let brand = shown_at(cx.hub(), cx.host()).await?;
    let mut tx = cx.write::<actions::MeUpdate>().await?;
    let me = super::update(&mut tx, body, brand).await?;
    tx.commit().await?;
    Ok(Tagged(me.person.version, me))
}
