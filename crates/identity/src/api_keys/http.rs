use access::actions;
use axum::http::{HeaderName, StatusCode, header};
use kernel::http::{Json, Params, Path, Problems};
use kernel::ids::ApiKeyId;
use kernel::{Hub, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiKeyCreate, ApiKeyCreated, ApiKeyQuery, ApiKeys};

/// A key that was just made, which nothing on its way may keep.
type Made = (StatusCode, [(HeaderName, &'static str); 1], Json<ApiKeyCreated>);

/// Routes of API keys.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(list_of_provider, create_for_provider))
        .routes(routes!(revoke_of_provider))
}

/// Lists an organisation's API keys, and what the person who asks may put into one. Sorts: created, name, expires, last_used.
#[utoipa::path(get, path = "/tenants/{tenant}/api-keys", operation_id = "api_key.list", tag = "api keys",
    params(("tenant" = String, Path, description = "Id or slug"), ApiKeyQuery),
    responses((status = 200, body = ApiKeys), Problems))]
async fn list(cx: TenantCx, Params(query): Params<ApiKeyQuery>) -> Result<Json<ApiKeys>> {
    let mut tx = cx.read_records::<actions::ApiKeyList>().await?;
    Ok(Json(super::list(&mut tx, query, super::grantable_in_tenant(&cx)).await?))
}

/// Makes an API key for an organisation. Its token is in the answer, and never again.
#[utoipa::path(post, path = "/tenants/{tenant}/api-keys", operation_id = "api_key.create", tag = "api keys",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = ApiKeyCreate,
    responses((status = 201, body = ApiKeyCreated), Problems))]
async fn create(cx: TenantCx, Json(body): Json<ApiKeyCreate>) -> Result<Made> {
    let mut tx = cx.write_records::<actions::ApiKeyCreate>().await?;
    let created = super::create(&mut tx, body, &super::grantable_in_tenant(&cx)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)))
}

/// Revokes an API key of an organisation: it ends at once.
#[utoipa::path(delete, path = "/tenants/{tenant}/api-keys/{key}", operation_id = "api_key.revoke", tag = "api keys",
    params(("tenant" = String, Path, description = "Id or slug"), ("key" = ApiKeyId, Path)),
    responses((status = 204), Problems))]
async fn revoke(cx: TenantCx, Path((_tenant, key)): Path<(String, ApiKeyId)>) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::ApiKeyRevoke>().await?;
    super::revoke(&mut tx, key).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists a provider's API keys, and what the person who asks may put into one. Sorts: created, name, expires, last_used.
#[utoipa::path(get, path = "/providers/{provider}/api-keys", operation_id = "provider_api_key.list", tag = "api keys",
    params(("provider" = String, Path, description = "Id or slug"), ApiKeyQuery),
    responses((status = 200, body = ApiKeys), Problems))]
async fn list_of_provider(cx: ProviderCx, Params(query): Params<ApiKeyQuery>) -> Result<Json<ApiKeys>> {
    let mut tx = cx.read::<actions::ProviderApiKeyList>().await?;
    Ok(Json(super::list(&mut tx, query, super::grantable_at_provider(&cx)).await?))
}

/// Makes an API key for a provider. Its token is in the answer, and never again.
#[utoipa::path(post, path = "/providers/{provider}/api-keys", operation_id = "provider_api_key.create", tag = "api keys",
    params(("provider" = String, Path, description = "Id or slug")), request_body = ApiKeyCreate,
    responses((status = 201, body = ApiKeyCreated), Problems))]
async fn create_for_provider(cx: ProviderCx, Json(body): Json<ApiKeyCreate>) -> Result<Made> {
    let mut tx = cx.write::<actions::ProviderApiKeyCreate>().await?;
    let created = super::create(&mut tx, body, &super::grantable_at_provider(&cx)).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(created)))
}

/// Revokes an API key of a provider: it ends at once.
#[utoipa::path(delete, path = "/providers/{provider}/api-keys/{key}", operation_id = "provider_api_key.revoke", tag = "api keys",
    params(("provider" = String, Path, description = "Id or slug"), ("key" = ApiKeyId, Path)),
    responses((status = 204), Problems))]
async fn revoke_of_provider(cx: ProviderCx, Path((_provider, key)): Path<(String, ApiKeyId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::ProviderApiKeyRevoke>().await?;
    super::revoke(&mut tx, key).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
