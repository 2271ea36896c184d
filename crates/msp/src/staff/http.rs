//! Routes of staff and of the invitations to it.

use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, ProviderCx, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Invitation, InvitationQuery, Staff, StaffId, StaffInvite, StaffQuery, StaffUpdate, StaffView};
use crate::invitations::{InvitationCreated, InvitationId};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(view, update, remove))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(invitations, invite))
        .routes(routes!(revoke))
}

/// Lists the provider's people.
#[utoipa::path(get, path = "/providers/{provider}/staff", operation_id = "staff.list", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), StaffQuery), responses((status = 200, body = Page<Staff>), Problems))]
async fn list(cx: ProviderCx, Params(query): Params<StaffQuery>) -> Result<Json<Page<Staff>>> {
    let mut tx = cx.read::<actions::StaffList>().await?;
    Ok(Json(super::list(&mut tx, query).await?))
}

/// Shows one of them, with assignments.
#[utoipa::path(get, path = "/providers/{provider}/staff/{staff}", operation_id = "staff.view", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), responses((status = 200, body = StaffView), Problems))]
async fn view(cx: ProviderCx, Path(path): Path<(String, StaffId)>) -> Result<Tagged<StaffView>> {
    let mut tx = cx.read::<actions::StaffView>().await?;
    let staff = super::view(&mut tx, path.1).await?;
    Ok(Tagged(staff.row.version, staff))
}

/// Promotes or demotes somebody.
#[utoipa::path(patch, path = "/providers/{provider}/staff/{staff}", operation_id = "staff.update", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), request_body = StaffUpdate,
    responses((status = 200, body = Staff), Problems))]
async fn update(
    cx: ProviderCx,
    Path(path): Path<(String, StaffId)>,
    version: IfMatch,
    Json(body): Json<StaffUpdate>,
) -> Result<Tagged<Staff>> {
    let mut tx = cx.write::<actions::StaffUpdate>().await?;
    let staff = super::update(&mut tx, path.1, version, body).await?;
    tx.commit().await?;
    Ok(Tagged(staff.row.version, staff))
}

/// Disables somebody.
#[utoipa::path(post, path = "/providers/{provider}/staff/{staff}/disable", operation_id = "staff.disable", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), responses((status = 200, body = Staff), Problems))]
async fn disable(cx: ProviderCx, Path(path): Path<(String, StaffId)>) -> Result<Tagged<Staff>> {
    let mut tx = cx.write::<actions::StaffDisable>().await?;
    let staff = super::disable(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(Tagged(staff.row.version, staff))
}

/// Enables somebody again.
#[utoipa::path(post, path = "/providers/{provider}/staff/{staff}/enable", operation_id = "staff.enable", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), responses((status = 200, body = Staff), Problems))]
async fn enable(cx: ProviderCx, Path(path): Path<(String, StaffId)>) -> Result<Tagged<Staff>> {
    let mut tx = cx.write::<actions::StaffEnable>().await?;
    let staff = super::enable(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(Tagged(staff.row.version, staff))
}

/// Removes somebody, with their assignments.
#[utoipa::path(delete, path = "/providers/{provider}/staff/{staff}", operation_id = "staff.remove", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("staff" = String, Path)), responses((status = 204), Problems))]
async fn remove(cx: ProviderCx, Path(path): Path<(String, StaffId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::StaffRemove>().await?;
    super::remove(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists invitations to the staff.
#[utoipa::path(get, path = "/providers/{provider}/staff/invitations", operation_id = "staff_invitation.list", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), InvitationQuery),
    responses((status = 200, body = Page<Invitation>), Problems))]
async fn invitations(cx: ProviderCx, Params(query): Params<InvitationQuery>) -> Result<Json<Page<Invitation>>> {
    let mut tx = cx.read::<actions::StaffInvitationList>().await?;
    Ok(Json(super::invitations(&mut tx, query).await?))
}

/// Invites somebody to the staff.
#[utoipa::path(post, path = "/providers/{provider}/staff/invitations", operation_id = "staff.invite", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug")), request_body = StaffInvite,
    responses((status = 201, body = InvitationCreated), Problems))]
async fn invite(cx: ProviderCx, Json(body): Json<StaffInvite>) -> Result<(StatusCode, Json<InvitationCreated>)> {
    let mut tx = cx.write::<actions::StaffInvite>().await?;
    let created = super::invite(&mut tx, body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/providers/{provider}/staff/invitations/{invitation}", operation_id = "staff_invitation.revoke", tag = "staff",
    params(("provider" = String, Path, description = "Id or slug"), ("invitation" = String, Path)), responses((status = 204), Problems))]
async fn revoke(cx: ProviderCx, Path(path): Path<(String, InvitationId)>) -> Result<StatusCode> {
    let mut tx = cx.write::<actions::StaffInvitationRevoke>().await?;
    super::revoke(&mut tx, path.1).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
