use access::actions;
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, Page, Result, TenantCx};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Control, ControlView, Filter, Frameworks};
use crate::ControlId;
use crate::asked::Asked;

/// The routes of controls and frameworks.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(view)).routes(routes!(frameworks))
}

/// Controls of the scans that count. Filters: `framework`, `status`, `severity`; sort by `severity`, `title`, `uid`, `failing`.
#[utoipa::path(get, path = "/tenants/{tenant}/controls", operation_id = "control.list", tag = "controls",
    params(("tenant" = String, Path, description = "Id or slug"), kernel::PageQuery, ("framework" = Option<String>, Query),
        ("status" = Option<String>, Query), ("severity" = Option<String>, Query)),
    responses((status = 200, body = Page<Control>), Problems))]
async fn list(cx: TenantCx, Params(asked): Params<Vec<(String, String)>>) -> Result<Json<Page<Control>>> {
    let asked = Asked::new(asked);
    let filter =
        Filter { frameworks: asked.texts("framework")?, status: asked.words("status")?, severity: asked.words("severity")? };
    let page = asked.page()?;
    let mut tx = cx.read::<actions::ControlList>().await?;
    Ok(Json(super::list(&mut tx, &page, &filter).await?))
}

/// One control.
#[utoipa::path(get, path = "/tenants/{tenant}/controls/{control}", operation_id = "control.view", tag = "controls",
    params(("tenant" = String, Path, description = "Id or slug"), ("control" = String, Path)),
    responses((status = 200, body = ControlView), Problems))]
async fn view(cx: TenantCx, Path(at): Path<(String, ControlId)>) -> Result<Json<ControlView>> {
    let mut tx = cx.read::<actions::ControlView>().await?;
    Ok(Json(super::view(&mut tx, at.1).await?))
}

/// How the tenant stands in each framework.
#[utoipa::path(get, path = "/tenants/{tenant}/frameworks", operation_id = "framework.list", tag = "controls",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Frameworks), Problems))]
async fn frameworks(cx: TenantCx) -> Result<Json<Frameworks>> {
    let mut tx = cx.read::<actions::FrameworkList>().await?;
    Ok(Json(super::frameworks(&mut tx).await?))
}
