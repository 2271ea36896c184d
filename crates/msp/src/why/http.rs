//! Routes of the explainer.

use access::actions;
use kernel::http::{Json, Params, Problems};
use kernel::{ClientCx, Hub, Page, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ClientWho, WhatCan, WhatQuery, WhoCan, WhoQuery, Why, WhyQuery};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(view))
        .routes(routes!(who))
        .routes(routes!(what))
        .routes(routes!(view_staff))
        .routes(routes!(who_at_clients))
}

/// Says whether a person may do something here, and why.
#[utoipa::path(get, path = "/tenants/{tenant}/why", operation_id = "why.view", tag = "why",
    params(("tenant" = String, Path, description = "Id or slug"), WhyQuery), responses((status = 200, body = Why), Problems))]
async fn view(cx: TenantCx, Params(query): Params<WhyQuery>) -> Result<Json<Why>> {
    let mut tx = cx.read_records::<actions::WhyView>().await?;
    Ok(Json(super::view(&mut tx, &query).await?))
}

/// Lists who may do something here.
#[utoipa::path(get, path = "/tenants/{tenant}/why/people", operation_id = "why.who", tag = "why",
    params(("tenant" = String, Path, description = "Id or slug"), WhoQuery), responses((status = 200, body = Page<WhoCan>), Problems))]
async fn who(cx: TenantCx, Params(query): Params<WhoQuery>) -> Result<Json<Page<WhoCan>>> {
    let mut tx = cx.read_records::<actions::WhyWho>().await?;
    Ok(Json(super::who(&mut tx, query).await?))
}

/// Lists what a person may do here.
#[utoipa::path(get, path = "/tenants/{tenant}/why/actions", operation_id = "why.what", tag = "why",
    params(("tenant" = String, Path, description = "Id or slug"), WhatQuery), responses((status = 200, body = WhatCan), Problems))]
async fn what(cx: TenantCx, Params(query): Params<WhatQuery>) -> Result<Json<WhatCan>> {
    let mut tx = cx.read_records::<actions::WhyWhat>().await?;
    Ok(Json(super::what(&mut tx, &query).await?))
}

/// Says whether one of the provider's staff may do something at a client, and why.
#[utoipa::path(get, path = "/providers/{provider}/tenants/{tenant}/why", operation_id = "client_why.view", tag = "why",
    params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug"), WhyQuery),
    responses((status = 200, body = Why), Problems))]
async fn view_staff(cx: ClientCx, Params(query): Params<WhyQuery>) -> Result<Json<Why>> {
    let mut tx = cx.read::<actions::ClientWhyView>().await?;
    Ok(Json(super::view_staff(&mut tx, &query).await?))
}

/// Lists who of the provider's staff may do something, client by client.
#[utoipa::path(get, path = "/providers/{provider}/why", operation_id = "client_why.list", tag = "why",
    params(("provider" = String, Path, description = "Id or slug"), WhoQuery), responses((status = 200, body = Page<ClientWho>), Problems))]
async fn who_at_clients(cx: ProviderCx, Params(query): Params<WhoQuery>) -> Result<Json<Page<ClientWho>>> {
    let mut tx = cx.read::<actions::ClientWhyList>().await?;
    Ok(Json(super::who_at_clients(&mut tx, query).await?))
}
