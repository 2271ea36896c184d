use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{ClientCx, Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Expiring, FreezeReason, Preview, PreviewAsked, RelationshipQuery, RelationshipUpdate, Renewal, Renewals};
use crate::consents::{self, ConsentId};
use crate::tenants::{self, Tenant};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(update))
        .routes(routes!(freeze))
        .routes(routes!(unfreeze))
        .routes(routes!(withdraw))
        .routes(routes!(list))
        .routes(routes!(renew))
        .routes(routes!(preview))
}

/// Freezes the provider's own access to this tenant, for both sides to see.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/relationship/freeze", operation_id = "relationship.freeze",
    tag = "relationships", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = FreezeReason, responses((status = 200, body = Tenant), Problems))]
async fn freeze(cx: ClientCx, Json(body): Json<FreezeReason>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::RelationshipFreeze>().await?;
    super::freeze_own(&mut tx, &body).await?;
    let tenant = tenants::view(&mut tx).await?;
    tx.commit().await?;
    shown(&cx, tenant).await
}

/// Lifts the provider's own freeze.
#[utoipa::path(post, path = "/providers/{provider}/tenants/{tenant}/relationship/unfreeze", operation_id = "relationship.unfreeze",
    tag = "relationships", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = Tenant), Problems))]
async fn unfreeze(cx: ClientCx) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::RelationshipUnfreeze>().await?;
    super::unfreeze_own(&mut tx).await?;
    let tenant = tenants::view(&mut tx).await?;
    tx.commit().await?;
    shown(&cx, tenant).await
}

/// Takes back what was asked of the tenant.
#[utoipa::path(delete, path = "/providers/{provider}/tenants/{tenant}/consents/{consent}", operation_id = "relationship.withdraw",
    tag = "relationships", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug"),
    ("consent" = String, Path)), responses((status = 204), Problems))]
async fn withdraw(cx: ClientCx, Path(path): Path<(String, String, ConsentId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::RelationshipWithdraw>().await?;
    consents::withdraw(&mut tx, path.2).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the relationships with all clients.
#[utoipa::path(get, path = "/providers/{provider}/relationships", operation_id = "relationship.list", tag = "relationships",
    params(("provider" = String, Path, description = "Id or slug"), RelationshipQuery),
    responses((status = 200, body = Page<Expiring>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<RelationshipQuery>) -> Result<Json<Page<Expiring>>> {
    let mut tx = cx.read::<actions::RelationshipList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Renews many relationships at once, expired ones too.
#[utoipa::path(post, path = "/providers/{provider}/relationships/renew", operation_id = "relationship.renew", tag = "relationships",
    params(("provider" = String, Path, description = "Id or slug")), request_body = Renewal,
    responses((status = 200, body = Renewals), Problems))]
async fn renew(cx: ProviderCx, Json(body): Json<Renewal>) -> Result<Json<Renewals>> {
    let mut tx = cx.write::<actions::RelationshipRenew>().await?;
    let results = super::renew(&mut tx, body).await?;
    tx.commit().await?;
    Ok(Json(results))
}

/// Shows who would gain and lose what with another tier, before anything is changed.
#[utoipa::path(post, path = "/providers/{provider}/relationships/preview", operation_id = "relationship.preview", tag = "relationships",
    params(("provider" = String, Path, description = "Id or slug")), request_body = PreviewAsked,
    responses((status = 200, body = Preview), Problems))]
async fn preview(cx: ProviderCx, Json(body): Json<PreviewAsked>) -> Result<Json<Preview>> {
    let mut tx = cx.read::<actions::RelationshipPreview>().await?;
    Ok(Json(super::preview(&mut tx, body).await?))
}

async fn shown(cx: &ClientCx, mut tenant: Tenant) -> Result<Tagged<Tenant>> {
    tenant.can = cx.renewed().await?.can();
    Ok(Tagged(tenant.relationship.version, tenant))
}

/// Changes tier, end or state of the relationship with this tenant. The ETag is the relationship's version.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}/relationship", operation_id = "relationship.update",
    tag = "relationships", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = RelationshipUpdate, responses((status = 200, body = Tenant), Problems))]
async fn update(cx: ClientCx, version: IfMatch, Json(body): Json<RelationshipUpdate>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::RelationshipUpdate>().await?;
    super::update(&mut tx, version, body).await?;
    let tenant = tenants::view(&mut tx).await?;
    tx.commit().await?;
    shown(&cx, tenant).await
}
