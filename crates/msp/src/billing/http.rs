use access::actions;
use axum::response::Response;
use kernel::http::{Json, Params, Problems};
use kernel::{Hub, ProviderCx, Result, TenantCx};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::revenue::{self, Revenue, RevenueQuery};
use super::{Bills, export};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(bills)).routes(routes!(export_bills)).routes(routes!(list)).routes(routes!(export_revenue))
}

/// What the organisation has bought, and its bills.
#[utoipa::path(get, path = "/tenants/{tenant}/bills", operation_id = "bill.list", tag = "billing",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Bills), Problems))]
async fn bills(cx: TenantCx) -> Result<Json<Bills>> {
    let mut tx = cx.read_records::<actions::BillList>().await?;
    Ok(Json(super::list(&mut tx).await?))
}

/// Which bills go into the file.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct BillQuery {
    /// One month, `2026-11`; left out: all.
    period: Option<String>,
}

/// The lines of the organisation's bills as a CSV file.
#[utoipa::path(get, path = "/tenants/{tenant}/bills/export", operation_id = "bill.export", tag = "billing",
    params(("tenant" = String, Path, description = "Id or slug"), BillQuery),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn export_bills(cx: TenantCx, Params(query): Params<BillQuery>) -> Result<Response> {
    export::bills(cx, query.period).await
}

/// What clients bring in, month by month.
#[utoipa::path(get, path = "/providers/{provider}/revenue", operation_id = "revenue.list", tag = "billing",
    params(("provider" = String, Path, description = "Id or slug"), RevenueQuery),
    responses((status = 200, body = Revenue), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<RevenueQuery>) -> Result<Json<Revenue>> {
    let mut tx = cx.read::<actions::RevenueList>().await?;
    Ok(Json(revenue::list(&mut tx, &query).await?))
}

/// The same as a CSV file, all pages up to 10,000 rows.
#[utoipa::path(get, path = "/providers/{provider}/revenue/export", operation_id = "revenue.export", tag = "billing",
    params(("provider" = String, Path, description = "Id or slug"), RevenueQuery),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn export_revenue(cx: ProviderCx, Params(query): Params<RevenueQuery>) -> Result<Response> {
    export::revenue(cx, query).await
}
