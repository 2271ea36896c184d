use access::actions;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::http::{IfMatch, Json, Params, Problems, Tagged};
use kernel::{ClientCx, Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Purge, Purged, Reason, Tenant, TenantCreate, TenantQuery, TenantRow, TenantUpdate};
use crate::offboarding::{self, PurgeAsked};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(view, update))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(archive))
        .routes(routes!(restore))
        .routes(routes!(purge))
        .routes(routes!(request_purge, withdraw_purge))
        .routes(routes!(hold))
        .routes(routes!(release))
}

/// The provider's tenants, those of its sub-providers too.
#[utoipa::path(get, path = "/providers/{provider}/tenants", operation_id = "tenant.list", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), TenantQuery),
    responses((status = 200, body = Page<TenantRow>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<TenantQuery>) -> Result<Json<Page<TenantRow>>> {
    let mut tx = cx.read::<actions::TenantList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Makes a tenant: registry row, database, key, relationships, and the link for its first admin.
#[utoipa::path(post, path = "/providers/{provider}/tenants", operation_id = "tenant.create", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug")), request_body = TenantCreate,
    responses((status = 201, body = Tenant), (status = 200, description = "It existed already", body = Tenant), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<TenantCreate>) -> Result<Response> {
    let tx = cx.write::<actions::TenantCreate>().await?;
    let made = super::create(tx, body).await?;
    let status = if made.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut tenant = seen(&cx.client(made.tenant).await?).await?;
    tenant.1.invitation = made.invitation;
    Ok((status, tenant).into_response())
}

/// The tenant, and what the person may do to it.
#[utoipa::path(get, path = "/providers/{provider}/tenants/{tenant}", operation_id = "tenant.view", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Tenant), Problems))]
async fn view(cx: ClientCx) -> Result<Tagged<Tenant>> {
    seen(&cx).await
}

async fn seen(cx: &ClientCx) -> Result<Tagged<Tenant>> {
    let mut tx = cx.read::<actions::TenantView>().await?;
    let mut tenant = super::view(&mut tx).await?;
    tenant.can = cx.can();
    Ok(Tagged(tenant.version, tenant))
}

/// Changes name, industry, plan and seats.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}", operation_id = "tenant.update", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = TenantUpdate, responses((status = 200, body = Tenant), Problems))]
async fn update(cx: ClientCx, version: IfMatch, Json(body): Json<TenantUpdate>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantUpdate>().await?;
    super::update(&mut tx, version, body).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Stops a tenant.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/suspend", operation_id = "tenant.suspend", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = Reason, responses((status = 200, body = Tenant), Problems))]
async fn suspend(cx: ClientCx, Json(body): Json<Reason>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantSuspend>().await?;
    super::suspend(&mut tx, &body).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Ends a suspension.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/resume", operation_id = "tenant.resume", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Tenant), Problems))]
async fn resume(cx: ClientCx) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantResume>().await?;
    super::resume(&mut tx).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Closes a tenant and keeps its data.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/archive", operation_id = "tenant.archive", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = Reason, responses((status = 200, body = Tenant), Problems))]
async fn archive(cx: ClientCx, Json(body): Json<Reason>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantArchive>().await?;
    super::archive(&mut tx, &body).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Opens an archived tenant again.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/restore", operation_id = "tenant.restore", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Tenant), Problems))]
async fn restore(cx: ClientCx) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantRestore>().await?;
    super::restore(&mut tx).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Asks for the purge of an archived tenant, which another person carries out.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/purge-request", operation_id = "tenant.request_purge", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = PurgeAsked, responses((status = 200, body = Tenant), Problems))]
async fn request_purge(cx: ClientCx, Json(body): Json<PurgeAsked>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantRequestPurge>().await?;
    let window = offboarding::window(&mut tx).await?;
    offboarding::ask(&mut tx, window, &body).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Withdraws the provider's request for a purge.
#[utoipa::path(delete, path = "/providers/{provider}/tenants/{tenant}/purge-request", operation_id = "tenant.withdraw_purge",
    tag = "tenants", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Tenant), Problems))]
async fn withdraw_purge(cx: ClientCx) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantWithdrawPurge>().await?;
    offboarding::withdraw(&mut tx).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Puts a legal hold on a tenant: nothing of it is deleted.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/hold", operation_id = "tenant.hold", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = Reason, responses((status = 200, body = Tenant), Problems))]
async fn hold(cx: ClientCx, Json(body): Json<Reason>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantHold>().await?;
    offboarding::hold(&mut tx, &body.checked()?).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Releases a tenant from its legal hold.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/release", operation_id = "tenant.release", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = Reason, responses((status = 200, body = Tenant), Problems))]
async fn release(cx: ClientCx, Json(body): Json<Reason>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::TenantRelease>().await?;
    offboarding::release(&mut tx, &body.checked()?).await?;
    tx.commit().await?;
    seen(&cx.renewed().await?).await
}

/// Destroys an archived tenant whose purge another person asked for. There is no way back.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/purge", operation_id = "tenant.purge", tag = "tenants",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = Purge, responses((status = 200, body = Purged), Problems))]
async fn purge(cx: ClientCx, Json(body): Json<Purge>) -> Result<Json<Purged>> {
    let tx = cx.write::<actions::TenantPurge>().await?;
    Ok(Json(super::purge(tx, &body).await?))
}
