use access::actions;
use axum::http::StatusCode;
use kernel::http::{IfMatch, Json, Params, Path, Problems, Tagged};
use kernel::{Hub, Page, PageQuery, ProviderCx, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::clients::{ClientMemberQuery, ClientMembers};
use super::{Member, MemberId, MemberInvitation, MemberInvite, MemberQuery, MemberUpdate};
use crate::invitations::{InvitationCreated, InvitationId};

/// Routes of an organisation's members.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_of_clients))
        .routes(routes!(update, remove))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(invite, invitations))
        .routes(routes!(revoke_invitation))
}

/// Lists members.
#[utoipa::path(get, path = "/tenants/{tenant}/members", operation_id = "member.list", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), MemberQuery),
    responses((status = 200, body = Page<Member>), Problems))]
async fn list(cx: TenantCx, Params(query): Params<MemberQuery>) -> Result<Json<Page<Member>>> {
    let mut tx = cx.read_records::<actions::MemberList>().await?;
    Ok(Json(super::list(&mut tx, &query).await?))
}

/// Lists members of all clients that the person may read members of.
#[utoipa::path(get, path = "/providers/{provider}/members", operation_id = "client_member.list", tag = "clients",
    params(("provider" = String, Path, description = "Id or slug"), ClientMemberQuery),
    responses((status = 200, body = ClientMembers), Problems))]
async fn list_of_clients(cx: ProviderCx, Params(query): Params<ClientMemberQuery>) -> Result<Json<ClientMembers>> {
    Ok(Json(super::clients::list(&cx, query).await?))
}

/// Gives a member another role. To or from a role that decides on roles needs member.grant_admin.
#[utoipa::path(patch, path = "/tenants/{tenant}/members/{member}", operation_id = "member.update", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), ("member" = MemberId, Path)), request_body = MemberUpdate,
    responses((status = 200, body = Member), Problems))]
async fn update(
    cx: TenantCx,
    Path((_tenant, id)): Path<(String, MemberId)>,
    version: IfMatch,
    Json(body): Json<MemberUpdate>,
) -> Result<Tagged<Member>> {
    let mut tx = cx.write_records::<actions::MemberUpdate>().await?;
    let member = super::update(&mut tx, id, version, &body).await?;
    tx.commit().await?;
    Ok(Tagged(member.version, member))
}

/// Disables a member: their rights here end at once.
#[utoipa::path(post, path = "/tenants/{tenant}/members/{member}/disable", operation_id = "member.disable", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), ("member" = MemberId, Path)),
    responses((status = 200, body = Member), Problems))]
async fn disable(cx: TenantCx, Path((_tenant, id)): Path<(String, MemberId)>) -> Result<Tagged<Member>> {
    let mut tx = cx.write_records::<actions::MemberDisable>().await?;
    let member = super::disable(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Tagged(member.version, member))
}

/// Enables a member again.
#[utoipa::path(post, path = "/tenants/{tenant}/members/{member}/enable", operation_id = "member.enable", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), ("member" = MemberId, Path)),
    responses((status = 200, body = Member), Problems))]
async fn enable(cx: TenantCx, Path((_tenant, id)): Path<(String, MemberId)>) -> Result<Tagged<Member>> {
    let mut tx = cx.write_records::<actions::MemberEnable>().await?;
    let member = super::enable(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Tagged(member.version, member))
}

/// Removes a member; their account stays.
#[utoipa::path(delete, path = "/tenants/{tenant}/members/{member}", operation_id = "member.remove", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), ("member" = MemberId, Path)),
    responses((status = 204), Problems))]
async fn remove(cx: TenantCx, Path((_tenant, id)): Path<(String, MemberId)>) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::MemberRemove>().await?;
    super::remove(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invites somebody as a member. Its link is in the answer, once.
#[utoipa::path(post, path = "/tenants/{tenant}/members/invitations", operation_id = "member.invite", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug")), request_body = MemberInvite,
    responses((status = 201, body = InvitationCreated), Problems))]
async fn invite(cx: TenantCx, Json(body): Json<MemberInvite>) -> Result<(StatusCode, Json<InvitationCreated>)> {
    let mut tx = cx.write_records::<actions::MemberInvite>().await?;
    let invitation = super::invite(&mut tx, &body).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(invitation)))
}

/// Lists invitations of members. Sorts: created, email, expires.
#[utoipa::path(get, path = "/tenants/{tenant}/members/invitations", operation_id = "member_invitation.list", tag = "members",
    params(("tenant" = String, Path, description = "Id or slug"), PageQuery),
    responses((status = 200, body = Page<MemberInvitation>), Problems))]
async fn invitations(cx: TenantCx, Params(page): Params<PageQuery>) -> Result<Json<Page<MemberInvitation>>> {
    let mut tx = cx.read_records::<actions::MemberInvitationList>().await?;
    Ok(Json(super::invitations(&mut tx, &page).await?))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/tenants/{tenant}/members/invitations/{invitation}", operation_id = "member_invitation.revoke",
    tag = "members", params(("tenant" = String, Path, description = "Id or slug"), ("invitation" = InvitationId, Path)),
    responses((status = 204), Problems))]
async fn revoke_invitation(cx: TenantCx, Path((_tenant, id)): Path<(String, InvitationId)>) -> Result<StatusCode> {
    let mut tx = cx.write_records::<actions::MemberInvitationRevoke>().await?;
    super::revoke_invitation(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
