//! Routes of ledgers.

use access::actions;
use axum::extract::State;
use axum::response::Response;
use kernel::http::{Json, Params, Problems};
use kernel::{Hub, Page, ProviderCx, PublicCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::activity::{ClientActivities, ClientActivityQuery, ClientModuleQuery, ClientModulesPage};
use super::export::{Source, download};
use super::{CheckpointQuery, LedgerCheck, LedgerCheckpoint, LedgerEntry, LedgerKey, LedgerQuery, Names};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list_provider))
        .routes(routes!(export_provider))
        .routes(routes!(checkpoints_provider))
        .routes(routes!(verify_provider))
        .routes(routes!(activity))
        .routes(routes!(modules))
        .routes(routes!(list))
        .routes(routes!(list_own))
        .routes(routes!(export))
        .routes(routes!(checkpoints))
        .routes(routes!(verify))
        .routes(routes!(keys))
}

/// Lists a provider's ledger.
#[utoipa::path(get, path = "/providers/{provider}/ledger", operation_id = "provider_ledger.list", tag = "ledger",
    params(("provider" = String, Path, description = "Id or slug"), LedgerQuery),
    responses((status = 200, body = Page<LedgerEntry>), Problems))]
async fn list_provider(cx: ProviderCx, Params(query): Params<LedgerQuery>) -> Result<Json<Page<LedgerEntry>>> {
    let mut tx = cx.read::<actions::ProviderLedgerList>().await?;
    Ok(Json(super::list_provider(&mut tx, query).await?))
}

/// Lists what was done on all clients whose ledger the person may read, newest first; elsewhere what they did themselves.
#[utoipa::path(get, path = "/providers/{provider}/activity", operation_id = "client_activity.list", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), ClientActivityQuery),
    responses((status = 200, body = ClientActivities), Problems))]
async fn activity(cx: ProviderCx, Params(query): Params<ClientActivityQuery>) -> Result<Json<ClientActivities>> {
    Ok(Json(super::activity::list(&cx, query).await?))
}

/// Lists the clients with what goes on in which module.
#[utoipa::path(get, path = "/providers/{provider}/modules", operation_id = "client_module.list", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), ClientModuleQuery),
    responses((status = 200, body = ClientModulesPage), Problems))]
async fn modules(cx: ProviderCx, Params(query): Params<ClientModuleQuery>) -> Result<Json<ClientModulesPage>> {
    Ok(Json(super::activity::modules(&cx, query).await?))
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

/// A tenant's ledger as a file that proves itself.
#[utoipa::path(get, path = "/tenants/{tenant}/ledger/export", operation_id = "ledger.export", tag = "ledger",
    params(("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Problems))]
async fn export(cx: TenantCx) -> Result<Response> {
    let names = Names::for_reader(&cx);
    download(Source::Tenant(cx), names).await
}

/// The signed heads of a tenant's ledger.
#[utoipa::path(get, path = "/tenants/{tenant}/ledger/checkpoints", operation_id = "ledger.checkpoints", tag = "ledger",
    params(("tenant" = String, Path, description = "Id or slug"), CheckpointQuery),
    responses((status = 200, body = Page<LedgerCheckpoint>), Problems))]
async fn checkpoints(cx: TenantCx, Params(query): Params<CheckpointQuery>) -> Result<Json<Page<LedgerCheckpoint>>> {
    let mut tx = cx.read::<actions::LedgerCheckpoints>().await?;
    Ok(Json(super::checkpoints(&mut tx, query).await?))
}

/// Checks a tenant's ledger from its first entry to its head.
#[utoipa::path(get, path = "/tenants/{tenant}/ledger/verify", operation_id = "ledger.verify", tag = "ledger",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = LedgerCheck), Problems))]
async fn verify(cx: TenantCx, State(hub): State<Hub>) -> Result<Json<LedgerCheck>> {
    Ok(Json(super::verify(&hub, cx).await?))
}

/// A provider's ledger as a file that proves itself.
#[utoipa::path(get, path = "/providers/{provider}/ledger/export", operation_id = "provider_ledger.export", tag = "ledger",
    params(("provider" = String, Path, description = "Id or slug")),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), Problems))]
async fn export_provider(cx: ProviderCx) -> Result<Response> {
    download(Source::Provider(cx), Names::Shown).await
}

/// The signed heads of a provider's ledger.
#[utoipa::path(get, path = "/providers/{provider}/ledger/checkpoints", operation_id = "provider_ledger.checkpoints", tag = "ledger",
    params(("provider" = String, Path, description = "Id or slug"), CheckpointQuery),
    responses((status = 200, body = Page<LedgerCheckpoint>), Problems))]
async fn checkpoints_provider(cx: ProviderCx, Params(query): Params<CheckpointQuery>) -> Result<Json<Page<LedgerCheckpoint>>> {
    let mut tx = cx.read::<actions::ProviderLedgerCheckpoints>().await?;
    Ok(Json(super::checkpoints_of_provider(&mut tx, query).await?))
}

/// Checks a provider's ledger from its first entry to its head.
#[utoipa::path(get, path = "/providers/{provider}/ledger/verify", operation_id = "provider_ledger.verify", tag = "ledger",
    params(("provider" = String, Path, description = "Id or slug")), responses((status = 200, body = LedgerCheck), Problems))]
async fn verify_provider(cx: ProviderCx) -> Result<Json<LedgerCheck>> {
    Ok(Json(super::verify_provider(cx).await?))
}

/// The public keys that sign ledgers, the first one first: to be kept by whoever wants to check them.
#[utoipa::path(get, path = "/ledger-keys", operation_id = "ledger_key.list", tag = "ledger",
    responses((status = 200, body = Page<LedgerKey>), Problems))]
async fn keys(cx: PublicCx) -> Result<Json<Page<LedgerKey>>> {
    let tx = cx.read::<actions::LedgerKeyList>().await?;
    Ok(Json(super::keys(tx.hub()).await?))
}
