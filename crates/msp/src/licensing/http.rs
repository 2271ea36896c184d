use access::{Act, Subject, actions};
use axum::response::Response;
use kernel::http::{IfMatch, Json, Params, Problems, Tagged};
use kernel::limits::Limit;
use kernel::{ClientCx, Hub, ProviderCx, ReadTx, Result, TenantCx, scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::Licensing;
use super::{Bounds, Licence, LicenceCan, LicenceRow, LicenceStatus, LicenceUpdate, LicensingQuery, LimitViews, is_near};
use crate::{relationships, tenants};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(page)).routes(routes!(export)).routes(routes!(update)).routes(routes!(view))
}

/// The licensing page: key figures, what is near its limit, twelve months, and the table.
#[utoipa::path(get, path = "/providers/{provider}/licensing", operation_id = "licensing.view", tag = "licensing",
    params(("provider" = String, Path, description = "Id or slug"), LicensingQuery),
    responses((status = 200, body = Licensing), Problems))]
async fn page(cx: ProviderCx, Params(query): Params<LicensingQuery>) -> Result<Json<Licensing>> {
    let mut tx = cx.read::<actions::LicensingView>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// The table as a CSV file, all pages up to 10,000 rows.
#[utoipa::path(get, path = "/providers/{provider}/licensing/export", operation_id = "licensing.export", tag = "licensing",
    params(("provider" = String, Path, description = "Id or slug"), LicensingQuery),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn export(cx: ProviderCx, Params(query): Params<LicensingQuery>) -> Result<Response> {
    super::export::export(cx, query).await
}

/// Changes a client's licence: what it was sold, its own limits and how they are enforced.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}/licence", operation_id = "licensing.update", tag = "licensing",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = LicenceUpdate, responses((status = 200, body = LicenceRow), Problems))]
async fn update(cx: ClientCx, version: IfMatch, Json(body): Json<LicenceUpdate>) -> Result<Tagged<LicenceRow>> {
    let mut tx = cx.write::<actions::LicensingUpdate>().await?;
    super::update(&mut tx, version, &body).await?;
    let row = row(&mut tx).await?;
    tx.commit().await?;
    Ok(Tagged(row.version, row))
}

/// One row of the table.
async fn row(tx: &mut ReadTx<scope::Client>) -> Result<LicenceRow> {
    let relationship = relationships::view(tx).await?;
    let tenant = tenants::view(tx).await?;
    let kind = super::stored_kind(tx, tenant.id).await?;
    let (bounds, usage) = Bounds::load(tx, tenant.id).await?;
    let users_max = bounds.of(Limit::Seats).max;
    Ok(LicenceRow {
        tier: relationship.parent_tier.map_or(relationship.tier, |above| above.min(relationship.tier)),
        kind,
        users: usage.seats,
        users_max,
        status: LicenceStatus::of(usage.seats, users_max),
        near: is_near(usage.seats, users_max),
        limits: LimitViews::new(&bounds, &usage),
        can: LicenceCan { update: tx.can(Act::LicensingUpdate, Subject::Any) },
        version: tenant.version,
        tenant: crate::assignments::AssignedTenant { id: tenant.id, slug: tenant.slug, name: tenant.name },
    })
}

/// The licence of the organisation: its limits, and how much of them is used.
#[utoipa::path(get, path = "/tenants/{tenant}/licence", operation_id = "licence.view", tag = "licensing",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Licence), Problems))]
async fn view(cx: TenantCx) -> Result<Json<Licence>> {
    let mut tx = cx.read_records::<actions::LicenceView>().await?;
    Ok(Json(super::view(&mut tx).await?))
}
