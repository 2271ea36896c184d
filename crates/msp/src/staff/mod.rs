//! Staff: the people of a provider, and the invitations by which they come.
//!
//! - A provider always keeps an active provider admin: the last one is not demoted, disabled or removed. It is counted in the
//!   transaction that would change it, after the provider's row was taken, so that of two who try at once one is refused.
//! - Nobody promotes, demotes, disables or removes themselves.
//! - A promoted technician reaches what the provider's access mode gives admins from the next request on, in tenants of before
//!   too: that is computed, or (`implicit_owner`) stored with the promotion. Demoting keeps the assignments that were made by hand.
//! - Removing somebody removes their assignments at this provider, ends their elevations, and revokes the API keys they made for it and,
//!   where they are no member, in its clients; each tenant concerned finds that in its own ledger, and
//!   nothing of another tenant beside it.
//! - An invitation lives 7 days, and only its link knows the token. A new one for the same e-mail replaces the open one.
//!
//! It deliberately does not: accept invitations (the identity crate does), send mail, end a person's sessions, or touch what
//! somebody holds elsewhere: a person is one, at every provider and tenant.

mod http;
mod invitations;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use access::{Act, StaffRole, Subject, actions};
pub(crate) use http::router;
pub use invitations::{Invitation, InvitationQuery, InvitationState, StaffInvite, invitations, invite, revoke};
use kernel::door::Can;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ProviderId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
pub(crate) use store::{lock_provider, one};

use crate::assignments::{self, Assignment, by_mode};
use crate::elevations;
use crate::grants::{self, GroupGrant};

kernel::kinds! {
    /// A person of a provider.
    StaffKind StaffId "stf";
}

/// Who somebody is, and how to reach them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Contact {
    /// The person.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
}

/// Whether a staff row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffState {
    /// It does.
    Active,
    /// It does not; nothing else of it is lost.
    Disabled,
}

impl std::str::FromStr for StaffState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            _ => Err(()),
        }
    }
}

impl StaffState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// What the list and the page of somebody have in common.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StaffRow {
    /// Id.
    pub id: StaffId,
    /// Who.
    pub person: Contact,
    /// As what.
    pub role: StaffRole,
    /// Whether it counts.
    pub state: StaffState,
    /// The person signs in with a second factor.
    pub second_factor: bool,
    /// When they were last seen, anywhere.
    pub last_seen_at: Option<Timestamp>,
    /// They are the last active provider admin.
    pub protected: bool,
    /// It is the person who asks.
    pub is_me: bool,
    /// Version, for If-Match.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
}

/// Somebody in the list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Staff {
    /// Who and as what.
    #[serde(flatten)]
    pub row: StaffRow,
    /// Clients they are assigned to, by themselves or by grants over many; live or not.
    pub assignments: i64,
}

/// Somebody's page.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StaffView {
    /// Who and as what.
    #[serde(flatten)]
    pub row: StaffRow,
    /// Their assignments, the first 1,000 by name; `assignment.list` has them all.
    pub assignments: Vec<Assignment>,
    /// Their grants over many clients.
    pub grants: Vec<GroupGrant>,
    /// What may be done to this row.
    #[schema(value_type = BTreeMap<String, Can>)]
    pub can: BTreeMap<String, Can>,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct StaffQuery {
    /// Part of a name or e-mail.
    pub q: Option<String>,
    /// `name`, `last_seen` or `created`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// Roles, comma separated.
    pub role: Option<String>,
    /// States, comma separated.
    pub state: Option<String>,
}

/// A promotion or a demotion.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct StaffUpdate {
    /// The new role.
    pub role: StaffRole,
}

impl Staff {
    pub(crate) fn subject(&self) -> Subject {
        Subject::Staff { role: self.row.role, last_admin: self.row.protected, is_self: self.row.is_me }
    }

    /// As the ledger keeps it.
    fn kept(&self) -> serde_json::Value {
        json!({"role": self.row.role, "state": self.row.state})
    }
}

/// The people of the provider.
///
/// # Errors
/// `Invalid` filters.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: StaffQuery) -> Result<Page<Staff>> {
    let mut check = Check::new();
    let roles = words::<StaffRole>(&mut check, "role", query.role.as_deref());
    let states = words::<StaffState>(&mut check, "state", query.state.as_deref());
    check.done()?;
    let page = PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit };
    store::list(tx, &page, &roles, &states).await
}

/// Words of a comma separated filter. None asked for is no filter.
fn words<T: std::str::FromStr>(check: &mut Check, field: &str, list: Option<&str>) -> Vec<T> {
    let mut found = Vec::new();
    for word in list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(word) => found.push(word),
            Err(_) => {
                check.fail(field, "unknown", format!("knows no {word:?}"));
            }
        }
    }
    found
}

/// One of them, with assignments and what may be done.
///
/// # Errors
/// `NotFound`.
pub async fn view(tx: &mut ReadTx<scope::Provider>, id: StaffId) -> Result<StaffView> {
    let staff = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    let assignments = assignments::of_staff(tx, id).await?;
    let on_row = [Act::StaffUpdate, Act::StaffDisable, Act::StaffEnable, Act::StaffRemove].map(|act| (act, staff.subject()));
    let own = Subject::Assignment { person_is_self: staff.row.is_me };
    let grants = grants::of_person(tx, staff.row.person.id).await?;
    let on_assignments = [Act::AssignmentCreate, Act::AssignmentUpdate, Act::AssignmentDelete].map(|act| (act, own));
    let on_grants = [Act::GroupGrantCreate, Act::GroupGrantUpdate, Act::GroupGrantDelete].map(|act| (act, own));
    let on_both = on_row.into_iter().chain(on_assignments).chain(on_grants);
    let can = on_both.map(|(act, subject)| (act.name().to_owned(), tx.can(act, subject))).collect();
    Ok(StaffView { row: staff.row, assignments, grants, can })
}

/// Promotes or demotes.
///
/// # Errors
/// `NotFound`, `Changed`, `Forbidden` for oneself and for the last active admin.
pub async fn update(tx: &mut WriteTx<scope::Provider>, id: StaffId, version: IfMatch, body: StaffUpdate) -> Result<Staff> {
    let before = taken(tx, id).await?;
    tx.require::<actions::StaffUpdate>(before.subject())?;
    version.check(before.row.version)?;
    store::set(tx, id, body.role, before.row.state).await?;
    let provider = tx.scope.provider;
    by_mode::settle(tx, provider).await?;
    changed(tx, before).await
}

/// Somebody has just come to the provider's staff: they get what its access mode gives whoever they are.
///
/// # Errors
/// As the store's.
pub async fn joined(tx: &mut WriteTx<scope::Public>, provider: ProviderId) -> Result<()> {
    by_mode::settle(tx, provider).await
}

/// Stops somebody's staff row from counting.
///
/// # Errors
/// `NotFound`, `Conflict` when it is stopped, `Forbidden` for oneself and for the last active admin.
pub async fn disable(tx: &mut WriteTx<scope::Provider>, id: StaffId) -> Result<Staff> {
    let before = taken(tx, id).await?;
    tx.require::<actions::StaffDisable>(before.subject())?;
    switch(tx, before, StaffState::Disabled).await
}

/// Lets somebody's staff row count again.
///
/// # Errors
/// `NotFound`, `Conflict` when it does.
pub async fn enable(tx: &mut WriteTx<scope::Provider>, id: StaffId) -> Result<Staff> {
    let before = taken(tx, id).await?;
    tx.require::<actions::StaffEnable>(before.subject())?;
    switch(tx, before, StaffState::Active).await
}

async fn switch(tx: &mut WriteTx<scope::Provider>, before: Staff, state: StaffState) -> Result<Staff> {
    if before.row.state == state {
        return Err(Error::Conflict(format!("{} is {} already.", before.row.person.name, state.as_str())));
    }
    store::set(tx, before.row.id, before.row.role, state).await?;
    let provider = tx.scope.provider;
    by_mode::settle(tx, provider).await?;
    changed(tx, before).await
}

/// Takes somebody off the staff, and their assignments, elevations and API keys with them.
///
/// # Errors
/// `NotFound`, `Forbidden` for oneself and for the last active admin.
pub async fn remove(tx: &mut WriteTx<scope::Provider>, id: StaffId) -> Result<()> {
    let before = taken(tx, id).await?;
    tx.require::<actions::StaffRemove>(before.subject())?;
    assignments::remove_all_of(tx, id).await?;
    grants::remove_all_of(tx, before.row.person.id).await?;
    elevations::end_all_of_staff(tx, before.row.person.id).await?;
    for (key, name) in store::revoke_keys_of(tx, before.row.person.id).await? {
        tx.changed("api_key", key, &json!({"name": name, "revoked": false}), &json!({"name": name, "revoked": true}));
    }
    store::delete(tx, id).await?;
    tx.changed("staff", id, &before.kept(), &());
    Ok(())
}

/// The row about to be changed, with the provider's row taken first: whatever is counted from here on stays true until the commit.
async fn taken(tx: &mut WriteTx<scope::Provider>, id: StaffId) -> Result<Staff> {
    lock_provider(tx).await?;
    let staff = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("staff", id, Some(staff.row.person.name.clone()));
    Ok(staff)
}

async fn changed(tx: &mut WriteTx<scope::Provider>, before: Staff) -> Result<Staff> {
    let after = store::one(tx, before.row.id).await?.ok_or(Error::NotFound)?;
    tx.changed("staff", before.row.id, &before.kept(), &after.kept());
    Ok(after)
}
