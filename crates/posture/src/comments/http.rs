use access::actions;
use axum::http::StatusCode;
use kernel::http::{Json, Path, Problems};
use kernel::{Hub, Result, TenantCx};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Comment, CommentCreate};
use crate::FindingId;

/// The routes of comments.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(create))
}

/// Says something about a finding.
#[utoipa::path(post, path = "/tenants/{tenant}/findings/{finding}/comments", operation_id = "comment.create", tag = "findings",
    params(("tenant" = String, Path, description = "Id or slug"), ("finding" = String, Path)), request_body = CommentCreate,
    responses((status = 201, body = Comment), Problems))]
async fn create(
    cx: TenantCx,
    Path(at): Path<(String, FindingId)>,
    Json(body): Json<CommentCreate>,
) -> Result<(StatusCode, Json<Comment>)> {
    let mut tx = cx.write::<actions::CommentCreate>().await?;
    let comment = super::create(&mut tx, at.1, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(comment)))
}
