//! The people of an organisation.
//!
//! - A member has a role and is active or disabled; disabled or removed, their rights end with that commit. A removed member's
//!   account stays: they may be a person of another organisation, and the ledger goes on naming them. Their API keys for this one
//!   are revoked.
//! - Who may decide about a role that itself decides on such roles needs `member.grant_admin`, for giving it as for taking it away.
//! - The last active one of those can be neither changed, disabled nor removed. Two who try at once wait for each other.
//! - A seat is a member that is not disabled; the msp crate counts them.
//!
//! Not here: custom roles, groups, and changing somebody's name or address, which are the person's own.

mod clients;
mod http;
mod invite;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use access::{Act, Subject, TenantRole, actions};
use kernel::http::IfMatch;
use kernel::limits::{Claim, Limit, Limits, Within};
use kernel::{Error, Page, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::api_keys;

pub use clients::{ClientMember, ClientMembers};
pub use http::router;
pub use invite::{MemberInvitation, MemberInvite};
pub(crate) use invite::{invitations, invite, revoke_invitation};
pub use store::MemberQuery;

kernel::kinds! {
    /// A membership of a person in an organisation.
    MemberKind MemberId "mem";
}

/// A person of an organisation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Member {
    /// Id of the membership.
    pub id: MemberId,
    /// Who.
    pub person: MemberPerson,
    /// As what: admin, operator, auditor or viewer.
    pub role: TenantRole,
    /// Whether it counts.
    pub state: MemberState,
    /// They sign in with a second factor.
    pub second_factor: bool,
    /// When they were last here.
    pub last_seen_at: Option<Timestamp>,
    /// The last active admin: cannot be changed, disabled or removed.
    pub protected: bool,
    /// It is the one who asks.
    pub is_me: bool,
    /// Goes up with each change.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
}

/// Who a member is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MemberPerson {
    /// Id of the account.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// Whether a membership counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// It does.
    Active,
    /// It does not, until it is enabled.
    Disabled,
}

impl MemberState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl std::str::FromStr for MemberState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            _ => Err(()),
        }
    }
}

/// Another role for a member.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct MemberUpdate {
    /// admin, operator, auditor or viewer.
    pub role: TenantRole,
}

/// What the ledger says of a membership.
#[derive(Serialize)]
struct Fact<'a> {
    email: &'a str,
    role: TenantRole,
    state: MemberState,
}

impl Member {
    fn fact(&self) -> Fact<'_> {
        Fact { email: &self.person.email, role: self.role, state: self.state }
    }

    fn subject(&self) -> Subject {
        Subject::Member { role: self.role, last_admin: self.protected }
    }
}

/// Whether a role includes deciding who has it: those are handed on by each other only.
fn decides_on_itself(role: TenantRole) -> bool {
    Act::MemberGrantAdmin.info().roles.contains(&role)
}

/// Such roles, as stored.
fn deciding_roles() -> impl Iterator<Item = &'static str> {
    TenantRole::ALL.iter().copied().filter(|role| decides_on_itself(*role)).map(TenantRole::as_str)
}

/// The organisation's members.
///
/// # Errors
/// `Invalid` for a page or filter that does not exist.
pub(crate) async fn list(tx: &mut ReadTx<scope::Records>, query: &MemberQuery) -> Result<Page<Member>> {
    store::page(tx, query).await
}

/// Gives a member another role.
///
/// # Errors
/// `NotFound`, `Changed`, `Forbidden` for a protected row or role.
pub(crate) async fn update(
    tx: &mut WriteTx<scope::Records>,
    id: MemberId,
    version: IfMatch,
    body: &MemberUpdate,
) -> Result<Member> {
    let before = begin(tx, id).await?;
    version.check(before.version)?;
    tx.require::<actions::MemberUpdate>(before.subject())?;
    if before.role != body.role {
        require_grant(tx, [before.role, body.role])?;
    }
    store::update(tx, &before, body.role, before.state).await?;
    end(tx, &before).await
}

/// Disables a member: their rights here end.
///
/// # Errors
/// `NotFound`, `Forbidden` for a protected row.
pub(crate) async fn disable(tx: &mut WriteTx<scope::Records>, id: MemberId) -> Result<Member> {
    let before = begin(tx, id).await?;
    tx.require::<actions::MemberDisable>(before.subject())?;
    require_grant(tx, [before.role])?;
    store::update(tx, &before, before.role, MemberState::Disabled).await?;
    released(tx, Limit::Seats).await?;
    end(tx, &before).await
}

/// Enables a member again.
///
/// # Errors
/// `NotFound`, `Forbidden` for a protected role, `LimitReached` without a seat to spare.
pub(crate) async fn enable(tx: &mut WriteTx<scope::Records>, id: MemberId) -> Result<Member> {
    let before = begin(tx, id).await?;
    tx.require::<actions::MemberEnable>(before.subject())?;
    require_grant(tx, [before.role])?;
    if before.state == MemberState::Disabled {
        tx.hub().port::<Arc<dyn Limits>>().take(Within::Records(tx), Claim::Seat).await?;
    }
    store::update(tx, &before, before.role, MemberState::Active).await?;
    end(tx, &before).await
}

/// Removes a member, and revokes the API keys they made here. The person's account stays.
///
/// # Errors
/// `NotFound`, `Forbidden` for a protected row.
pub(crate) async fn remove(tx: &mut WriteTx<scope::Records>, id: MemberId) -> Result<()> {
    let before = begin(tx, id).await?;
    tx.require::<actions::MemberRemove>(before.subject())?;
    require_grant(tx, [before.role])?;
    api_keys::revoke_all_of(tx, before.person.id).await?;
    store::remove(tx, id).await?;
    released(tx, Limit::Seats).await?;
    tx.changed("member", id, &before.fact(), &());
    Ok(())
}

/// The member that an act is about. No other act on this organisation's members happens until this one has ended.
async fn begin(tx: &mut WriteTx<scope::Records>, id: MemberId) -> Result<Member> {
    store::hold(tx).await?;
    let member = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("member", id, member.person.name.clone());
    Ok(member)
}

/// Something that counted has ended.
async fn released(tx: &mut WriteTx<scope::Records>, limit: Limit) -> Result<()> {
    let limits = tx.hub().port::<Arc<dyn Limits>>();
    limits.released(Within::Records(tx), limit).await
}

async fn end(tx: &mut WriteTx<scope::Records>, before: &Member) -> Result<Member> {
    let after = store::find(tx, before.id).await?.ok_or(Error::NotFound)?;
    if before.version != after.version {
        tx.changed("member", after.id, &before.fact(), &after.fact());
    }
    Ok(after)
}

/// Requires the right to hand on those of the roles that decide on themselves.
fn require_grant<const N: usize>(tx: &mut WriteTx<scope::Records>, roles: [TenantRole; N]) -> Result<()> {
    match roles.into_iter().find(|role| decides_on_itself(*role)) {
        Some(role) => tx.require::<actions::MemberGrantAdmin>(Subject::Member { role, last_admin: false }),
        None => Ok(()),
    }
}
