//! Inviting somebody by a link: the row, and the token that is shown once. Accepting it is identity's.
//!
//! Only a hash of the token is kept, so that who reads the database cannot accept an invitation. A link is good for seven days.

use kernel::news::{Mail, Of};
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
    /// `sent`: an e-mail with the link is on its way; `not_configured`: none can leave, pass the link on.
    pub mail: &'static str,
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
    send(tx, into, invitee, (&url, expires_at)).await?;
    let mail = tx.hub().mail_word();
    Ok(InvitationCreated { id, url, token, email: invitee.email.to_owned(), role: invitee.role.to_owned(), expires_at, mail })
}

/// Lays the e-mail with the link ready. Staff are named to a tenant's people as their provider shows them.
async fn send<S: scope::Control>(
    tx: &mut WriteTx<S>,
    into: Into,
    invitee: Invitee<'_>,
    (url, expires_at): (&str, Timestamp),
) -> Result<()> {
    let me = tx.me()?.person;
    let (of, row) = match into {
        Into::Provider(provider) => {
            let sql = "SELECT v.name, p.name, p.locale FROM provider v JOIN person p ON p.id = ?2 WHERE v.id = ?1";
            (Of::Provider(provider), tx.one(sql, params![provider, me]).await?)
        }
        Into::Tenant(tenant) => {
            let sql = "SELECT t.name, CASE WHEN v.staff_shown = 'by_name' THEN p.name ELSE v.name END, p.locale
                       FROM tenant t JOIN provider v ON v.id = t.provider_id JOIN person p ON p.id = ?2 WHERE t.id = ?1";
            (Of::Tenant(tenant), tx.one(sql, params![tenant, me]).await?)
        }
    };
    let mut row = row;
    let (organisation, by, locale): (String, String, String) = (row.take()?, row.take()?, row.take()?);
    let known = tx.opt("SELECT id FROM person WHERE email = ?1", params![invitee.email]).await?;
    let person = known.map(|mut row| row.take()).transpose()?;
    let facts = serde_json::json!({ "organisation": organisation, "role": invitee.role, "invited_by": by, "url": url,
        "expires_at": expires_at, "locale": locale });
    tx.mail(&Mail { to: invitee.email.to_owned(), person, of, template: "invitation".into(), facts }).await
}
