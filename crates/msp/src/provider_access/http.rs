//! Routes of the provider's access to a tenant.

use access::actions;
use kernel::http::{Json, Path, Problems};
use kernel::{Hub, PersonId, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ProviderAccess, ReachUpdate};
use crate::relationships::{FreezeReason, RelationshipId};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(view))
        .routes(routes!(update))
        .routes(routes!(freeze))
        .routes(routes!(unfreeze))
        .routes(routes!(remove))
        .routes(routes!(admit))
}

/// Shows who of the provider reaches this tenant, through which grant, up to what, until when.
#[utoipa::path(get, path = "/tenants/{tenant}/provider-access", operation_id = "provider_access.view", tag = "provider access",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = ProviderAccess), Problems))]
async fn view(cx: TenantCx) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.read_records::<actions::ProviderAccessView>().await?;
    Ok(Json(super::view(&mut tx).await?))
}

/// Says what needs this tenant's consent, lowers the tier, or ends the relationship.
#[utoipa::path(patch, path = "/tenants/{tenant}/provider-access/relationships/{relationship}", operation_id = "provider_access.update",
    tag = "provider access", params(("tenant" = String, Path, description = "Id or slug"), ("relationship" = String, Path)),
    request_body = ReachUpdate, responses((status = 200, body = ProviderAccess), Problems))]
async fn update(
    cx: TenantCx,
    Path((_tenant, id)): Path<(String, RelationshipId)>,
    Json(body): Json<ReachUpdate>,
) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.write_records::<actions::ProviderAccessUpdate>().await?;
    super::update(&mut tx, id, &body).await?;
    let access = super::view(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(access))
}

/// Freezes all provider access to this tenant, at once.
#[utoipa::path(post, path = "/tenants/{tenant}/provider-access/freeze", operation_id = "provider_access.freeze", tag = "provider access",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = FreezeReason,
    responses((status = 200, body = ProviderAccess), Problems))]
async fn freeze(cx: TenantCx, Json(body): Json<FreezeReason>) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.write_records::<actions::ProviderAccessFreeze>().await?;
    super::freeze(&mut tx, &body).await?;
    let access = super::view(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(access))
}

/// Lifts this tenant's freeze.
#[utoipa::path(post, path = "/tenants/{tenant}/provider-access/unfreeze", operation_id = "provider_access.unfreeze",
    tag = "provider access", params(("tenant" = String, Path, description = "Id or slug")), request_body = FreezeReason,
    responses((status = 200, body = ProviderAccess), Problems))]
async fn unfreeze(cx: TenantCx, Json(body): Json<FreezeReason>) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.write_records::<actions::ProviderAccessUnfreeze>().await?;
    super::unfreeze(&mut tx, &body).await?;
    let access = super::view(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(access))
}

/// Removes one of the provider's people from this tenant.
#[utoipa::path(delete, path = "/tenants/{tenant}/provider-access/people/{person}", operation_id = "provider_access.remove",
    tag = "provider access", params(("tenant" = String, Path, description = "Id or slug"), ("person" = String, Path)),
    request_body = FreezeReason, responses((status = 200, body = ProviderAccess), Problems))]
async fn remove(
    cx: TenantCx,
    Path((_tenant, person)): Path<(String, PersonId)>,
    Json(body): Json<FreezeReason>,
) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.write_records::<actions::ProviderAccessRemove>().await?;
    super::remove(&mut tx, person, &body).await?;
    let access = super::view(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(access))
}

/// Lets somebody who was removed be assigned again.
#[utoipa::path(post, path = "/tenants/{tenant}/provider-access/people/{person}/admit", operation_id = "provider_access.admit",
    tag = "provider access", params(("tenant" = String, Path, description = "Id or slug"), ("person" = String, Path)),
    responses((status = 200, body = ProviderAccess), Problems))]
async fn admit(cx: TenantCx, Path((_tenant, person)): Path<(String, PersonId)>) -> Result<Json<ProviderAccess>> {
    let mut tx = cx.write_records::<actions::ProviderAccessAdmit>().await?;
    super::admit(&mut tx, person).await?;
    let access = super::view(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(access))
}
