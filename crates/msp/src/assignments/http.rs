//! Routes of assignments.

use access::actions;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Assigned, Assignment, AssignmentCreate, AssignmentId, AssignmentQuery, AssignmentUpdate};
use crate::consents::Waiting;

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, delete))
}

/// Lists assignments.
#[utoipa::path(get, path = "/providers/{provider}/assignments", operation_id = "assignment.list", tag = "assignments",
    params(("provider" = String, Path, description = "Id or slug"), AssignmentQuery),
    responses((status = 200, body = Page<Assignment>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<AssignmentQuery>) -> Result<Json<Page<Assignment>>> {
    let mut tx = cx.read::<actions::AssignmentList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Assigns a technician to a tenant.
#[utoipa::path(post, path = "/providers/{provider}/assignments", operation_id = "assignment.create", tag = "assignments",
    params(("provider" = String, Path, description = "Id or slug")), request_body = AssignmentCreate,
    responses((status = 201, body = Assignment), (status = 202, body = Waiting), Problems))]
async fn create(cx: ProviderCx, Json(body): Json<AssignmentCreate>) -> Result<Response> {
    let mut tx = cx.write::<actions::AssignmentCreate>().await?;
    let assigned = super::create(&mut tx, body).await?;
    tx.commit().await?;
    Ok(answer(StatusCode::CREATED, assigned))
}

fn answer(done: StatusCode, assigned: Assigned) -> Response {
    match assigned {
        Assigned::Done(assignment) => (done, Tagged(assignment.version, assignment)).into_response(),
        Assigned::Waiting(waiting) => (StatusCode::ACCEPTED, Json(waiting)).into_response(),
    }
}

/// Changes an assignment.
#[utoipa::path(patch, path = "/providers/{provider}/assignments/{assignment}", operation_id = "assignment.update", tag = "assignments",
    params(("provider" = String, Path, description = "Id or slug"), ("assignment" = String, Path)), request_body = AssignmentUpdate,
    responses((status = 200, body = Assignment), (status = 202, body = Waiting), Problems))]
async fn update(
    cx: ProviderCx,
    Path(path): Path<(String, AssignmentId)>,
    version: IfMatch,
    Json(body): Json<AssignmentUpdate>,
) -> Result<Response> {
    let mut tx = cx.write::<actions::AssignmentUpdate>().await?;
    let assigned = super::update(&mut tx, path.1, version, body).await?;
    tx.commit().await?;
    Ok(answer(StatusCode::OK, assigned))
}

/// Ends an assignment.
#[utoipa::path(delete, path = "/providers/{provider}/assignments/{assignment}", operation_id = "assignment.delete", tag = "assignments",
    params(("provider" = String, Path, description = "Id or slug"), ("assignment" = String, Path)), responses((status = 204), Problems))]
async fn delete(cx: ProviderCx, Path(path): Path<(String, AssignmentId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::AssignmentDelete>().await?;
    super::delete(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
