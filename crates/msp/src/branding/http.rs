//! Routes of brands.

use access::actions;
use axum::Json as Plain;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::brand::Brand;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::news::Of;
use kernel::{Error, Hub, ProviderCx, PublicCx, Result, TenantCx};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{AssetKind, BrandAsset, BrandUpdate, BrandView, hosts, images, store};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(view))
        .routes(routes!(view_asset))
        .routes(routes!(view_provider, update_provider))
        .routes(routes!(create_provider_asset))
        .routes(routes!(view_tenant, update_tenant))
        .routes(routes!(create_tenant_asset))
}

/// Whose brand is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The token of an open invitation: its place's brand.
    invitation: Option<String>,
}

/// The brand at the name that the hub was reached by, or of the place that an invitation leads to.
#[utoipa::path(get, path = "/brand", operation_id = "brand.view", tag = "brands", params(Wanted),
    responses((status = 200, body = Brand), Problems))]
async fn view(cx: PublicCx, Params(wanted): Params<Wanted>) -> Result<Response> {
    if let Some(token) = wanted.invitation {
        let mut tx = cx.read::<actions::BrandView>().await?;
        if let Some(of) = store::invited_to(&mut tx, &token).await? {
            return Ok(Plain(super::effective(&mut tx, of).await?).into_response());
        }
    }
    Ok(Plain(hosts::at_host(cx.hub(), cx.host.as_deref()).await?).into_response())
}

/// What a picture may do should somebody open it as a page: draw itself with its own styles, nothing else.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// A picture of a brand.
#[utoipa::path(get, path = "/brand/assets/{asset}", operation_id = "brand_asset.view", tag = "brands",
    params(("asset" = String, Path)), responses((status = 200, content_type = "image/png", body = Vec<u8>), Problems))]
async fn view_asset(cx: PublicCx, Path(asset): Path<String>) -> Result<Response> {
    let mut tx = cx.read::<actions::BrandAssetView>().await?;
    let image = super::image(&mut tx, &asset).await?.ok_or(Error::NotFound)?;
    let mut response = image.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(image.media).map_err(Error::internal)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    Ok(response)
}

/// The provider's brand: its own part, and what counts.
#[utoipa::path(get, path = "/providers/{provider}/brand", operation_id = "provider_brand.view", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = BrandView), Problems))]
async fn view_provider(cx: ProviderCx) -> Result<Tagged<BrandView>> {
    let mut tx = cx.read::<actions::ProviderBrandView>().await?;
    let of = Of::Provider(tx.scope.provider);
    let brand = super::view(&mut tx, of).await?;
    Ok(Tagged(brand.version, brand))
}

/// Changes the provider's own part of its brand.
#[utoipa::path(patch, path = "/providers/{provider}/brand", operation_id = "provider_brand.update", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug")), request_body = BrandUpdate,
    responses((status = 200, body = BrandView), Problems))]
async fn update_provider(cx: ProviderCx, version: IfMatch, Json(body): Json<BrandUpdate>) -> Result<Tagged<BrandView>> {
    let mut tx = cx.write::<actions::ProviderBrandUpdate>().await?;
    let of = Of::Provider(tx.scope.provider);
    let brand = super::update(&mut tx, of, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(brand.version, brand))
}

/// Which picture is sent.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Sent {
    /// Which picture of the brand.
    kind: AssetKind,
}

/// Takes in a picture for the provider's brand: PNG, JPEG or SVG.
#[utoipa::path(post, path = "/providers/{provider}/brand/assets", operation_id = "provider_brand_asset.create", tag = "brands",
    params(("provider" = String, Path, description = "Id or slug"), Sent),
    request_body(content(("image/png"), ("image/jpeg"), ("image/svg+xml"))),
    responses((status = 201, body = BrandAsset), Problems))]
async fn create_provider_asset(
    cx: ProviderCx,
    Params(sent): Params<Sent>,
    request: Request,
) -> Result<(StatusCode, Json<BrandAsset>)> {
    // Looked at before the write begins, and only for those who may send one: the write refuses the others.
    let looked = cx.look::<actions::ProviderBrandAssetCreate>().await.map(drop);
    let picture = match looked {
        Ok(()) => images::receive(sent.kind, request).await,
        Err(refused) => Err(refused),
    };
    let mut tx = cx.write::<actions::ProviderBrandAssetCreate>().await?;
    let of = Of::Provider(tx.scope.provider);
    let asset = super::keep(&mut tx, of, picture?).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(asset)))
}

/// The tenant's brand: its own part, what counts, and what its provider leaves to it.
#[utoipa::path(get, path = "/tenants/{tenant}/brand", operation_id = "tenant_brand.view", tag = "brands",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = BrandView), Problems))]
async fn view_tenant(cx: TenantCx) -> Result<Tagged<BrandView>> {
    let mut tx = cx.read_records::<actions::TenantBrandView>().await?;
    let of = Of::Tenant(tx.scope.tenant);
    let brand = super::view(&mut tx, of).await?;
    Ok(Tagged(brand.version, brand))
}

/// Changes the tenant's own part of its brand. 409 `locked` where its provider keeps one look for everybody.
#[utoipa::path(patch, path = "/tenants/{tenant}/brand", operation_id = "tenant_brand.update", tag = "brands",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = BrandUpdate,
    responses((status = 200, body = BrandView), Problems))]
async fn update_tenant(cx: TenantCx, version: IfMatch, Json(body): Json<BrandUpdate>) -> Result<Tagged<BrandView>> {
    let mut tx = cx.write_records::<actions::TenantBrandUpdate>().await?;
    let of = Of::Tenant(tx.scope.tenant);
    let brand = super::update(&mut tx, of, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(brand.version, brand))
}

/// Takes in a picture for the tenant's brand: PNG, JPEG or SVG.
#[utoipa::path(post, path = "/tenants/{tenant}/brand/assets", operation_id = "tenant_brand_asset.create", tag = "brands",
    params(("tenant" = String, Path, description = "Id or slug"), Sent),
    request_body(content(("image/png"), ("image/jpeg"), ("image/svg+xml"))),
    responses((status = 201, body = BrandAsset), Problems))]
async fn create_tenant_asset(cx: TenantCx, Params(sent): Params<Sent>, request: Request) -> Result<(StatusCode, Json<BrandAsset>)> {
    let looked = cx.look_records::<actions::TenantBrandAssetCreate>().await.map(drop);
    let picture = match looked {
        Ok(()) => images::receive(sent.kind, request).await,
        Err(refused) => Err(refused),
    };
    let mut tx = cx.write_records::<actions::TenantBrandAssetCreate>().await?;
    let of = Of::Tenant(tx.scope.tenant);
    let asset = super::keep(&mut tx, of, picture?).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(asset)))
}
