//! Inviting somebody by a link: the row, and the token that is shown once. Accepting it is identity's.
//!
//! Only a hash of the token is kept, so that who reads the database cannot accept an invitation. A link is good for seven days.

use kernel::news::Of;
use kernel::{ProviderId, Result, TenantId, Timestamp, WriteTx, params, scope, secrets};
use serde::Serialize;

kernel::kinds! {
    /// An invitation to become staff or a member.
    Invitation InvitationId "inv";
}

/// Days until a link is good for nothing.
pub const DAYS: i64 = 7;

/// Where somebody is invited to.
#[derive(Debug, Clone, Copy)]
pub enum Into {
    /// To the staff of a provider.
    Provider(ProviderId),
    /// To the members of a tenant.
    Tenant(TenantId),
}

/// An invitation that was just made. The only time its token is seen.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InvitationCreated {
    /// Its id.
    pub id: InvitationId,
    /// The link to send.
    pub url: String,
    /// The token in the link.
    pub token: String,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: String,
    /// Until when the link is good.
    pub expires_at: Timestamp,
}

/// Who is invited, as what, by which name.
#[derive(Debug, Clone, Copy)]
pub struct Invitee<'a> {
    /// A checked address in lower case.
    pub email: &'a str,
    /// Their name, as far as it is known; may be empty.
    pub name: &'a str,
    /// The role they will have.
    pub role: &'a str,
}

/// Invites somebody in the name of the person who asks.
///
/// # Errors
/// As the store's.
pub async fn create<S: scope::Control>(tx: &mut WriteTx<S>, into: Into, invitee: Invitee<'_>) -> Result<InvitationCreated> {
    let now = tx.now();
    let (id, token) = (InvitationId::new(now), secrets::new_token());
    let (provider, tenant) = match into {
        Into::Provider(provider) => (Some(provider), None),
        Into::Tenant(tenant) => (None, Some(tenant)),
    };
    let expires_at = now.plus_days(DAYS);
    let by = tx.me()?.person;
    tx.execute(
        "INSERT INTO invitation (id, token_hash, provider_id, tenant_id, email, name, role, invited_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![id, secrets::token_hash(&token), provider, tenant, invitee.email, invitee.name, invitee.role, by, now, expires_at],
    )
    .await?;
    let after = serde_json::json!({ "email": invitee.email, "role": invitee.role, "expires_at": expires_at });
    tx.changed("invitation", id, &(), &after);
    let of = match into {
        Into::Provider(provider) => Of::Provider(provider),
        Into::Tenant(tenant) => Of::Tenant(tenant),
    };
    let url = format!("{}/invite/{token}", crate::branding::link_base(tx, of).await?);
    Ok(InvitationCreated { id, url, token, email: invitee.email.to_owned(), role: invitee.role.to_owned(), expires_at })
}
