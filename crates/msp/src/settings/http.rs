//! Routes of settings and presets.

use access::actions;
use kernel::http::{IfMatch, Json, Path, Problems, Tagged};
use kernel::{ClientCx, Hub, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ClientSettings, PresetApply, Presets, ProviderSettings, Settings, SettingsPatch, SettingsUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(view, update))
        .routes(routes!(list_own, update_own))
        .routes(routes!(presets))
        .routes(routes!(apply))
        .routes(routes!(list_for_client, update_for_client))
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

/// Shows a provider's settings: what counts, and who says so.
#[utoipa::path(get, path = "/providers/{provider}/settings", operation_id = "provider_setting.list", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = ProviderSettings), Problems))]
async fn list_own(cx: ProviderCx) -> Result<Tagged<ProviderSettings>> {
    let mut tx = cx.read::<actions::ProviderSettingList>().await?;
    let settings = super::of_providers::list(&mut tx).await?;
    Ok(Tagged(settings.version, settings))
}

/// Changes a provider's settings; `null` inherits again.
#[utoipa::path(patch, path = "/providers/{provider}/settings", operation_id = "provider_setting.update", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug")), request_body = SettingsPatch,
    responses((status = 200, body = ProviderSettings), Problems))]
async fn update_own(cx: ProviderCx, version: IfMatch, Json(body): Json<SettingsPatch>) -> Result<Tagged<ProviderSettings>> {
    let mut tx = cx.write::<actions::ProviderSettingUpdate>().await?;
    let settings = super::of_providers::update(&mut tx, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(settings.version, settings))
}

/// Lists presets, each with what it would change here.
#[utoipa::path(get, path = "/providers/{provider}/presets", operation_id = "preset.list", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = Presets), Problems))]
async fn presets(cx: ProviderCx) -> Result<Json<Presets>> {
    let mut tx = cx.read::<actions::PresetList>().await?;
    Ok(Json(super::presets::list(&mut tx).await?))
}

/// Applies a preset, if it changes what was shown and nothing else.
#[utoipa::path(post, path = "/providers/{provider}/presets/{preset}", operation_id = "preset.apply", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug"), ("preset" = String, Path)), request_body = PresetApply,
    responses((status = 200, body = ProviderSettings), Problems))]
async fn apply(
    cx: ProviderCx,
    Path((_provider, preset)): Path<(String, String)>,
    Json(body): Json<PresetApply>,
) -> Result<Tagged<ProviderSettings>> {
    let mut tx = cx.write::<actions::PresetApply>().await?;
    let settings = super::presets::apply(&mut tx, &preset, body).await?;
    tx.commit().await?;
    Ok(Tagged(settings.version, settings))
}

/// Shows what a provider decides otherwise for one client.
#[utoipa::path(get, path = "/providers/{provider}/tenants/{tenant}/settings", operation_id = "client_setting.list", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = ClientSettings), Problems))]
async fn list_for_client(cx: ClientCx) -> Result<Tagged<ClientSettings>> {
    let mut tx = cx.read::<actions::ClientSettingList>().await?;
    let settings = super::of_providers::list_for_client(&mut tx).await?;
    Ok(Tagged(settings.version, settings))
}

/// Decides otherwise for one client; `null` takes the provider's again.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}/settings", operation_id = "client_setting.update", tag = "settings",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = SettingsPatch, responses((status = 200, body = ClientSettings), Problems))]
async fn update_for_client(cx: ClientCx, version: IfMatch, Json(body): Json<SettingsPatch>) -> Result<Tagged<ClientSettings>> {
    let mut tx = cx.write::<actions::ClientSettingUpdate>().await?;
    let settings = super::of_providers::update_for_client(&mut tx, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(settings.version, settings))
}
