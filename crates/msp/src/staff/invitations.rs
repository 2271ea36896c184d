//! Invitations to a provider's staff: made, listed and taken back. How one is made and how long it lives: [`crate::invitations`].

use access::StaffRole;
use kernel::store::{Query, Row, Value};
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};

use super::lock_provider;
use crate::invitations::{self, Into, InvitationCreated, InvitationId, Invitee};

/// Who to invite, as what.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct StaffInvite {
    /// Whose.
    pub email: String,
    /// As what.
    pub role: StaffRole,
    /// A name to begin with; theirs to change.
    pub name: Option<String>,
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be accepted.
    Open,
    /// It was.
    Accepted,
    /// It was taken back, or replaced by a newer one.
    Revoked,
    /// Nobody did in time.
    Expired,
}

/// An invitation in the list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Invitation {
    /// Id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: String,
    /// Name of who invited.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: InvitationState,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct InvitationQuery {
    /// Part of the e-mail.
    pub q: Option<String>,
    /// `created` or `email`; a leading `-` turns it round. The newest first when left out.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// Invites somebody; an open invitation of the same e-mail is replaced.
///
/// # Errors
/// `Invalid`, `Conflict` when they are here already.
pub async fn invite(tx: &mut WriteTx<scope::Provider>, body: StaffInvite) -> Result<InvitationCreated> {
    let mut check = Check::new();
    let email = check.email("email", &body.email);
    let name = check.text("name", body.name.as_deref().unwrap_or_default(), 0..=100);
    check.done()?;
    lock_provider(tx).await?;
    let provider = tx.scope.provider;
    let here = tx
        .opt(
            "SELECT s.id FROM staff s JOIN person p ON p.id = s.person_id WHERE s.provider_id = ?1 AND p.email = ?2",
            params![provider, email.as_str()],
        )
        .await?;
    if here.is_some() {
        return Err(Error::Conflict(format!("{email} is on the staff already.")));
    }
    replace_open(tx, &email).await?;
    let (into, role) = (Into::Provider(tx.scope.provider), body.role.as_str());
    let created = invitations::create(tx, into, Invitee { email: &email, name: &name, role }).await?;
    tx.subject("invitation", created.id, Some(email)).keeps_authority();
    Ok(created)
}

async fn replace_open(tx: &mut WriteTx<scope::Provider>, email: &str) -> Result<()> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let rows = tx
        .rows(
            "UPDATE invitation SET revoked_at = ?3
             WHERE provider_id = ?1 AND email = ?2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?3 RETURNING id",
            params![provider, email, now],
        )
        .await?;
    for mut row in rows {
        let id: InvitationId = row.take()?;
        note_revoked(tx, id);
    }
    Ok(())
}

fn note_revoked(tx: &mut WriteTx<scope::Provider>, id: InvitationId) {
    let state = |state: InvitationState| serde_json::json!({"state": state});
    tx.changed("invitation", id, &state(InvitationState::Open), &state(InvitationState::Revoked));
}

/// The provider's invitations, past ones too.
///
/// # Errors
/// `Invalid` filters.
pub async fn invitations(tx: &mut ReadTx<scope::Provider>, query: InvitationQuery) -> Result<Page<Invitation>> {
    let sort = query.sort.or_else(|| Some("-created".into()));
    let page = PageQuery { q: query.q, sort, cursor: query.cursor, limit: query.limit };
    let order = page.order(&[("created", "i.created_at"), ("email", "i.email")])?;
    let pattern = page.pattern()?;
    let (provider, now) = (tx.scope.provider, tx.now());
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM invitation i JOIN person p ON p.id = i.invited_by WHERE i.provider_id = ").bind(provider);
        query.and_like("i.email", pattern.as_deref());
        query
    };
    let mut rows = filtered(&format!(
        "SELECT i.id, i.email, i.role, p.name, i.created_at, i.expires_at, i.accepted_at, i.revoked_at, {}, i.id",
        order.key
    ));
    page.apply(&mut rows, order, "i.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        items.push((invitation_of(&mut row, now)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

fn invitation_of(row: &mut Row, now: Timestamp) -> Result<Invitation> {
    let (id, email, role, invited_by) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let (created_at, expires_at) = (row.take()?, row.take()?);
    let state = state_of(row.take()?, row.take()?, expires_at, now);
    Ok(Invitation { id, email, role, invited_by, created_at, expires_at, state })
}

fn state_of(
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    expires_at: Timestamp,
    now: Timestamp,
) -> InvitationState {
    match (accepted_at, revoked_at) {
        (Some(_), _) => InvitationState::Accepted,
        (_, Some(_)) => InvitationState::Revoked,
        _ if now >= expires_at => InvitationState::Expired,
        _ => InvitationState::Open,
    }
}

/// Takes an open invitation back.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not open any more.
pub async fn revoke(tx: &mut WriteTx<scope::Provider>, id: InvitationId) -> Result<()> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let row = tx.opt("SELECT email FROM invitation WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    let email: String = row.ok_or(Error::NotFound)?.take()?;
    tx.subject("invitation", id, Some(email)).keeps_authority();
    let revoked = tx
        .execute(
            "UPDATE invitation SET revoked_at = ?3
             WHERE provider_id = ?1 AND id = ?2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?3",
            params![provider, id, now],
        )
        .await?;
    if revoked == 0 {
        return Err(Error::Conflict("This invitation is not open any more.".into()));
    }
    note_revoked(tx, id);
    Ok(())
}
