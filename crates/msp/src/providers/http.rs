use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, PageQuery, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sub_providers::{self, SubProvider, SubProviderCreate, SubProviderCreated, SubProviderUpdate};
use super::{Provider, ProviderUpdate};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view, update)).routes(routes!(list_subs, create_sub)).routes(routes!(update_sub))
}

/// The provider, and what the person may do there.
#[utoipa::path(get, path = "/providers/{provider}", operation_id = "provider.view", tag = "providers",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = Provider), Problems))]
async fn view(cx: ProviderCx) -> Result<Tagged<Provider>> {
    let mut tx = cx.read::<actions::ProviderView>().await?;
    let provider = super::view(&cx, &mut tx).await?;
    Ok(Tagged(provider.version, provider))
}

/// Changes the provider's name and settings.
#[utoipa::path(patch, path = "/providers/{provider}", operation_id = "provider.update", tag = "providers",
    params(("provider" = String, Path, description = "Id or slug")), request_body = ProviderUpdate,
    responses((status = 200, body = Provider), Problems))]
async fn update(cx: ProviderCx, version: IfMatch, Json(body): Json<ProviderUpdate>) -> Result<Tagged<Provider>> {
    let mut tx = cx.write::<actions::ProviderUpdate>().await?;
    super::update(&mut tx, version, body).await?;
    tx.commit().await?;
    view(cx.renewed().await?).await
}

/// The providers directly below this one.
#[utoipa::path(get, path = "/providers/{provider}/sub-providers", operation_id = "sub_provider.list", tag = "providers",
    params(("provider" = String, Path, description = "Id or slug"), PageQuery),
    responses((status = 200, body = Page<SubProvider>), Problems))]
async fn list_subs(cx: ProviderCx, Params(page): Params<PageQuery>) -> Result<Json<Page<SubProvider>>> {
    let mut tx = cx.read::<actions::SubProviderList>().await?;
    Ok(Json(sub_providers::list(&mut tx, &page).await?))
}

/// Makes a sub-provider and invites its first admin.
#[utoipa::path(post, path = "/providers/{provider}/sub-providers", operation_id = "sub_provider.create", tag = "providers",
    params(("provider" = String, Path, description = "Id or slug")), request_body = SubProviderCreate,
    responses((status = 201, body = SubProviderCreated), Problems))]
async fn create_sub(cx: ProviderCx, Json(body): Json<SubProviderCreate>) -> Result<(StatusCode, Json<SubProviderCreated>)> {
    let mut tx = cx.write::<actions::SubProviderCreate>().await?;
    let made = sub_providers::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Renames, limits, suspends or resumes a sub-provider.
#[utoipa::path(patch, path = "/providers/{provider}/sub-providers/{sub}", operation_id = "sub_provider.update", tag = "providers",
    params(("provider" = String, Path, description = "Id or slug"), ("sub" = String, Path, description = "Id or slug")),
    request_body = SubProviderUpdate, responses((status = 200, body = SubProvider), Problems))]
async fn update_sub(
    cx: ProviderCx,
    Path((_provider, sub)): Path<(String, String)>,
    version: IfMatch,
    Json(body): Json<SubProviderUpdate>,
) -> Result<Tagged<SubProvider>> {
    let mut tx = cx.write::<actions::SubProviderUpdate>().await?;
    let sub = sub_providers::update(&mut tx, &sub, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(sub.version, sub))
}
