//! Inviting members.

use std::sync::Arc;

use access::{Subject, TenantRole, actions};
use kernel::limits::{Claim, Limits, Within};
use kernel::news::{Mail, Of};
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use super::{require_grant, store};
use crate::invitations::{InvitationCreated, InvitationId, InvitationState, LIFE_DAYS, Link};

/// Whom to invite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct MemberInvite {
    /// E-mail address.
    pub email: String,
    /// admin, operator, auditor or viewer.
    pub role: TenantRole,
}

/// An invitation of a member.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MemberInvitation {
    /// Id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: TenantRole,
    /// By whom.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How it stands.
    pub state: InvitationState,
}

/// What the ledger says of an invitation. Its token is not in it.
#[derive(Serialize)]
struct Fact<'a> {
    email: &'a str,
    role: TenantRole,
    expires_at: Timestamp,
}

/// Invites somebody. An open invitation of the same address is void with that.
///
/// # Errors
/// `Invalid`, `Conflict` when they are a member already, `Forbidden` for a protected role, `LimitReached` without a seat to spare.
pub(crate) async fn invite(tx: &mut WriteTx<scope::Records>, body: &MemberInvite) -> Result<InvitationCreated> {
    let mut check = Check::new();
    let email = check.email("email", &body.email);
    check.done()?;
    tx.require::<actions::MemberInvite>(Subject::Member { role: body.role, last_admin: false })?;
    require_grant(tx, [body.role])?;
    store::hold(tx).await?;
    if store::is_member(tx, &email).await? {
        return Err(Error::Conflict(format!("{email} is a member already. Change their role, or enable them.")));
    }
    let link = Link::new(tx).await?;
    let id = InvitationId::new(tx.now());
    let expires_at = tx.now().plus_days(LIFE_DAYS);
    store::void_invitations(tx, &email).await?;
    let limits = tx.hub().port::<Arc<dyn Limits>>();
    let warning = limits.take(Within::Records(tx), Claim::Invitation).await?;
    store::insert_invitation(tx, id, &link.token, &email, body.role).await?;
    tx.keeps_authority().subject("invitation", id, email.clone());
    tx.changed("invitation", id, &(), &Fact { email: &email, role: body.role, expires_at });
    let Link { token, url } = link;
    send(tx, &email, body.role, (&url, expires_at)).await?;
    let mail = tx.hub().mail_word();
    Ok(InvitationCreated { id, url, token, email, role: body.role.to_string(), expires_at, warning, mail })
}

/// Lays the e-mail with the link ready. Staff are named as their provider shows them.
async fn send(tx: &mut WriteTx<scope::Records>, to: &str, role: TenantRole, (url, expires_at): (&str, Timestamp)) -> Result<()> {
    let tenant = tx.tenant().cloned().ok_or(Error::NotFound)?;
    let provider = tx.grant_label().and_then(|grant| grant.provider).filter(|_| !tenant.staff_by_name);
    let by = match provider {
        Some(provider) => provider.name,
        None => tx.me()?.name.clone(),
    };
    let (locale, person) = store::reader(tx, to).await?;
    let facts = serde_json::json!({ "organisation": tenant.name, "role": role, "invited_by": by, "url": url,
        "expires_at": expires_at, "locale": locale });
    let mail = Mail { to: to.to_owned(), person, of: Of::Tenant(tenant.id), template: "invitation".into(), facts };
    tx.mail(&mail).await
}

/// The organisation's invitations, those that are over too.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn invitations(tx: &mut ReadTx<scope::Records>, page: &PageQuery) -> Result<Page<MemberInvitation>> {
    store::invitations(tx, page).await
}

/// Takes an open invitation back.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not open.
pub(crate) async fn revoke_invitation(tx: &mut WriteTx<scope::Records>, id: InvitationId) -> Result<()> {
    let (email, role, expires_at, state) = store::invitation(tx, id).await?.ok_or(Error::NotFound)?;
    tx.keeps_authority().subject("invitation", id, email.clone());
    if state != InvitationState::Open || !store::revoke_invitation(tx, id).await? {
        return Err(Error::Conflict("This invitation is not open: there is nothing to take back.".into()));
    }
    tx.changed("invitation", id, &Fact { email: &email, role, expires_at }, &());
    Ok(())
}
