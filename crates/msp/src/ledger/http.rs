//! Routes of ledgers.

use access::actions;
use kernel::http::{Json, Params, Problems};
use kernel::{Hub, Page, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{LedgerEntry, LedgerQuery, Names};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list_provider)).routes(routes!(list)).routes(routes!(list_own))
}

/// Lists a provider's ledger.
#[utoipa::path(get, path = "/providers/{provider}/ledger", operation_id = "provider_ledger.list", tag = "ledger",
    params(("provider" = String, Path, description = "Id or slug"), LedgerQuery),
    responses((status = 200, body = Page<LedgerEntry>), Problems))]
async fn list_provider(cx: ProviderCx, Params(query): Params<LedgerQuery>) -> Result<Json<Page<LedgerEntry>>> {
    let mut tx = cx.read::<actions::ProviderLedgerList>().await?;
    Ok(Json(super::list_provider(&mut tx, query).await?))
}

/// Lists a tenant's ledger.
#[utoipa::path(get, path = "/tenants/{tenant}/ledger", operation_id = "ledger.list", tag = "ledger",
    params(("tenant" = String, Path, description = "Id or slug"), LedgerQuery), responses((status = 200, body = Page<LedgerEntry>), Problems))]
async fn list(cx: TenantCx, Params(query): Params<LedgerQuery>) -> Result<Json<Page<LedgerEntry>>> {
    let mut tx = cx.read::<actions::LedgerList>().await?;
    Ok(Json(super::list(&mut tx, query, Names::for_reader(&cx)).await?))
}

/// Lists what the person who asks did on a tenant.
#[utoipa::path(get, path = "/tenants/{tenant}/ledger/mine", operation_id = "ledger.list_own", tag = "ledger",
    params(("tenant" = String, Path, description = "Id or slug"), LedgerQuery), responses((status = 200, body = Page<LedgerEntry>), Problems))]
async fn list_own(cx: TenantCx, Params(query): Params<LedgerQuery>) -> Result<Json<Page<LedgerEntry>>> {
    let mut tx = cx.read::<actions::LedgerListOwn>().await?;
    Ok(Json(super::list_own(&mut tx, query).await?))
}
