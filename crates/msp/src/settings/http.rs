//! Routes of a tenant's settings.

use access::actions;
use kernel::http::{IfMatch, Json, Problems, Tagged};
use kernel::{Hub, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Settings, SettingsUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, update))
}

/// Shows a tenant's settings.
#[utoipa::path(get, path = "/tenants/{tenant}/settings", operation_id = "setting.view", tag = "settings",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Settings), Problems))]
async fn view(cx: TenantCx) -> Result<Tagged<Settings>> {
    let mut tx = cx.read_records::<actions::SettingView>().await?;
    let settings = super::view(&mut tx).await?;
    Ok(Tagged(settings.version, settings))
}

/// Changes a tenant's settings.
#[utoipa::path(patch, path = "/tenants/{tenant}/settings", operation_id = "setting.update", tag = "settings",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = SettingsUpdate,
    responses((status = 200, body = Settings), Problems))]
async fn update(cx: TenantCx, version: IfMatch, Json(body): Json<SettingsUpdate>) -> Result<Tagged<Settings>> {
    let mut tx = cx.write_records::<actions::SettingUpdate>().await?;
    let settings = super::update(&mut tx, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(settings.version, settings))
}
