use access::actions;
use axum::response::Response;
use kernel::http::{Json, Params, Problems};
use kernel::{Hub, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ClientList, ClientQuery};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export))
}

/// The dashboard: the clients that the person may see, their counts and key figures.
#[utoipa::path(get, path = "/providers/{provider}/clients", operation_id = "client.list", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), ClientQuery),
    responses((status = 200, body = ClientList), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<ClientQuery>) -> Result<Json<ClientList>> {
    let mut tx = cx.read::<actions::ClientList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// The same clients as a CSV file, all pages up to 10,000 rows.
#[utoipa::path(get, path = "/providers/{provider}/clients.csv", operation_id = "client.export", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), ClientQuery),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn export(cx: ProviderCx, Params(query): Params<ClientQuery>) -> Result<Response> {
    super::export::export(cx, query).await
}
