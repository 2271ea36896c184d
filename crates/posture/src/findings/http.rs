use access::actions;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use kernel::clock::DAY_US;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, ProviderCx, Result, TenantCx, Timestamp};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::filter::Filter;
use super::{Assign, Assignees, ClientFindings, Finding, FindingView, Findings, Take};
use crate::FindingId;
use crate::asked::Asked;

/// The routes of findings.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_of_clients))
        .routes(routes!(export))
        .routes(routes!(view))
        .routes(routes!(assign))
        .routes(routes!(take))
        .routes(routes!(assignees))
}

/// The filters of findings, for the document; they are read by hand, as each may be repeated.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct Filters {
    /// `open` (when left out), `overridden`, `passed`, `fixed`, `manual`.
    status: Option<String>,
    /// `critical`, `high`, `medium`, `low`, `informational`, `unknown`.
    severity: Option<String>,
    /// `new`, `recurring`, `fixed`, `returned`.
    lifecycle: Option<String>,
    /// Names of frameworks.
    framework: Option<String>,
    /// Uid of a resource, whole.
    resource: Option<String>,
    /// Ids or uids of controls.
    control: Option<String>,
    /// `me`, `none` or ids of people.
    assignee: Option<String>,
    /// The scan that last saw it, or in which it changed.
    scan: Option<String>,
}

/// Findings. Sort by `severity` (then age), `age`, `last_seen`, `title`.
#[utoipa::path(get, path = "/tenants/{tenant}/findings", operation_id = "finding.list", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), kernel::PageQuery, Filters),
    responses((status = 200, body = Findings), Problems))]
async fn list(cx: TenantCx, Params(asked): Params<Vec<(String, String)>>) -> Result<Json<Findings>> {
    let asked = Asked::new(asked);
    let page = asked.page()?;
    let filter = Filter::of(&asked, &page)?;
    let mut tx = cx.read::<actions::FindingList>().await?;
    Ok(Json(super::list(&mut tx, &page, &filter).await?))
}

/// Findings of all clients that the person may read findings of. Sort by `severity`, `age`, `last_seen`, or `tenant` (each client's by
/// severity).
#[utoipa::path(get, path = "/providers/{provider}/findings", operation_id = "client_finding.list", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), kernel::PageQuery, Filters,
        ("tenant" = Option<String>, Query, description = "Only of this client, by id or slug")),
    responses((status = 200, body = ClientFindings), Problems))]
async fn list_of_clients(cx: ProviderCx, Params(asked): Params<Vec<(String, String)>>) -> Result<Json<ClientFindings>> {
    let asked = Asked::new(asked);
    let page = asked.page()?;
    let filter = Filter::of(&asked, &page)?;
    let only = asked.whole("tenant")?.pop();
    Ok(Json(super::clients::list(&cx, &page, filter, only.as_deref()).await?))
}

/// The same findings as a CSV file (RFC 4180), at most 100,000.
#[utoipa::path(get, path = "/tenants/{tenant}/findings.csv", operation_id = "finding.export", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), kernel::PageQuery, Filters),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
async fn export(cx: TenantCx, Params(asked): Params<Vec<(String, String)>>) -> Result<Response> {
    let asked = Asked::new(asked);
    let page = asked.page()?;
    let filter = Filter::of(&asked, &page)?;
    let day = Timestamp(cx.now().0.div_euclid(DAY_US) * DAY_US).to_string();
    let name = format!("attachment; filename=\"{}-findings-{}.csv\"", cx.tenant().slug, &day[..10]);
    let body = super::export::stream(cx, page, filter).await?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], body).into_response())
}

/// One finding, with its evidence, history and comments.
#[utoipa::path(get, path = "/tenants/{tenant}/findings/{finding}", operation_id = "finding.view", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), ("finding" = String, Path)),
    responses((status = 200, body = FindingView), Problems))]
async fn view(cx: TenantCx, Path(at): Path<(String, FindingId)>) -> Result<Tagged<FindingView>> {
    let mut tx = cx.read::<actions::FindingView>().await?;
    let view = super::view(&mut tx, at.1).await?;
    Ok(Tagged(view.finding.version, view))
}

/// Assigns a finding to a person, or to nobody.
#[utoipa::path(put, path = "/tenants/{tenant}/findings/{finding}/assignee", operation_id = "finding.assign", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), ("finding" = String, Path)), request_body = Assign,
    responses((status = 200, body = Finding), Problems))]
async fn assign(
    cx: TenantCx,
    Path(at): Path<(String, FindingId)>,
    version: IfMatch,
    Json(body): Json<Assign>,
) -> Result<Tagged<Finding>> {
    let mut tx = cx.write::<actions::FindingAssign>().await?;
    let finding = super::assign(&mut tx, at.1, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(finding.version, finding))
}

/// Takes a finding that nobody looks after, or releases one's own.
#[utoipa::path(put, path = "/tenants/{tenant}/findings/{finding}/mine", operation_id = "finding.take", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), ("finding" = String, Path)), request_body = Take,
    responses((status = 200, body = Finding), Problems))]
async fn take(cx: TenantCx, Path(at): Path<(String, FindingId)>, Json(body): Json<Take>) -> Result<Tagged<Finding>> {
    let mut tx = cx.write::<actions::FindingTake>().await?;
    let finding = super::take(&mut tx, at.1, body).await?;
    tx.commit().await?;
    Ok(Tagged(finding.version, finding))
}

/// People that a finding may be assigned to.
#[utoipa::path(get, path = "/tenants/{tenant}/assignees", operation_id = "assignee.list", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Assignees), Problems))]
async fn assignees(cx: TenantCx) -> Result<Json<Assignees>> {
    let mut tx = cx.read::<actions::AssigneeList>().await?;
    Ok(Json(super::assignees(&mut tx).await?))
}
