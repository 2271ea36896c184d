use access::actions;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::http::{Json, Params, Path, Problems};
use kernel::{Hub, Page, PageQuery, Result, TenantCx};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::job::{self, Answer};
use super::{Scan, ScanState};
use crate::ScanId;

/// The routes of scans.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, import)).routes(routes!(view))
}

/// Scans, the latest first; those being imported before them. Sort by `at`, `imported`, `file`, `failed`.
#[utoipa::path(get, path = "/tenants/{tenant}/scans", operation_id = "scan.list", tag = "scans",
    params(("tenant" = String, Path, description = "Id or slug"), PageQuery),
    responses((status = 200, body = Page<Scan>), Problems))]
async fn list(cx: TenantCx, Params(page): Params<PageQuery>) -> Result<Json<Page<Scan>>> {
    let mut tx = cx.read::<actions::ScanList>().await?;
    Ok(Json(super::list(&mut tx, &page).await?))
}

/// One scan, also while it is being imported.
#[utoipa::path(get, path = "/tenants/{tenant}/scans/{scan}", operation_id = "scan.view", tag = "scans",
    params(("tenant" = String, Path, description = "Id or slug"), ("scan" = String, Path)),
    responses((status = 200, body = Scan), Problems))]
async fn view(cx: TenantCx, Path(at): Path<(String, ScanId)>) -> Result<Json<Scan>> {
    let mut tx = cx.read::<actions::ScanView>().await?;
    Ok(Json(super::view(&mut tx, at.1).await?))
}

/// How a file is to be imported.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Import {
    /// The file's name.
    #[serde(default)]
    pub file: String,
    /// `auto` (when left out), `ocsf`, `xccdf`, `sarif`.
    pub format: Option<String>,
    /// It covers only a part of its target: fixes nothing and is not scored.
    #[serde(default)]
    pub partial: bool,
}

/// Imports a scanner's file: OCSF, XCCDF or SARIF; plain, gzip or xz. What takes longer than two seconds answers 202: view it until
/// it is complete. The same bytes again answer 200 with `duplicate_of`.
#[utoipa::path(post, path = "/tenants/{tenant}/scans", operation_id = "scan.import", tag = "scans",
    params(("tenant" = String, Path, description = "Id or slug"), Import),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Scan), (status = 202, body = Scan), (status = 200, body = Scan), Problems))]
async fn import(State(hub): State<Hub>, cx: TenantCx, Params(asked): Params<Import>, request: Request) -> Result<Response> {
    // The import opens the door itself, once the file is on disk and its turn has come; who may not is refused before.
    if !cx.can()["scan.import"].allowed {
        cx.write::<actions::ScanImport>().await?;
    }
    let answer = job::import(&hub, cx, asked, request).await?;
    let (status, scan) = match answer {
        Answer::Duplicate(scan) => (StatusCode::OK, scan),
        Answer::Imported(scan) if scan.state == ScanState::Running => (StatusCode::ACCEPTED, scan),
        Answer::Imported(scan) => (StatusCode::CREATED, scan),
    };
    Ok((status, Json(scan)).into_response())
}
