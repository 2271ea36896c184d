//! API keys: what a program comes with instead of a session, for one organisation or for one provider.
//!
//! - A key is `tnk_`, 40 random characters and a checksum. It is shown once; its BLAKE3 and its first characters are kept.
//! - It acts as the person who made it and never exceeds them: it names actions, and does one of them only where that person may do
//!   it at that moment. An organisation's key works there alone, a provider's at the provider and in its clients as far as its maker
//!   reaches there.
//! - To make one takes a fresh second factor, and a person: no key makes keys. What only persons do is in no key either.
//! - It ends after a year at the latest, when it is revoked, and when its maker leaves the place it is for.
//! - The kernel takes keys (`Authorization: Bearer`) and notes their last use; the ledger names key and maker.
//!
//! It deliberately does not: change a key (make another and revoke the old one), or tell anybody a token again.

mod http;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod use_tests;

use access::{Act, Door, Grant, Module, Plane};
use kernel::ids::ApiKeyId;
use kernel::limits::LimitReached;
use kernel::secrets::new_api_token;
use kernel::validate::Check;
use kernel::{Error, Page, PersonId, ProviderCx, ReadTx, Result, TenantCx, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

pub use http::router;
pub use store::ApiKeyQuery;
use store::Keyed;

/// Longest life of a key, in days.
pub const DAYS_MAX: i64 = 365;
/// Characters of a token that are kept to tell keys apart.
const HINT: usize = 8;

/// A key, without its token.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ApiKey {
    /// Id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// The first characters of its token.
    pub hint: String,
    /// What it does.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<Act>,
    /// Who made it: whom it acts as.
    pub created_by: Maker,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From which address.
    pub last_address: Option<String>,
    /// Whether it works.
    pub state: ApiKeyState,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Who made a key.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Maker {
    /// The person; `null` for staff whom their provider shows by role.
    pub id: Option<PersonId>,
    /// Name, or the provider's.
    pub name: String,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyState {
    /// As far as its maker may do things.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

/// A new key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ApiKeyCreate {
    /// What it is called; no two keys that work have the same name in one place.
    pub name: String,
    /// What it does: names of actions, at least one.
    pub actions: Vec<String>,
    /// How long it lasts, 1 to 365 days.
    pub expires_in_days: i64,
}

/// A key that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiKeyCreated {
    /// The key.
    pub key: ApiKey,
    /// Its token. It is shown this once.
    pub token: String,
    /// The limit of keys that is reached with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<LimitReached>,
}

/// An action that the person who asks may put into a key.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Grantable {
    /// The action.
    #[schema(value_type = String)]
    pub name: Act,
    /// The module it needs.
    pub module: Option<Module>,
    /// view, create, update or delete.
    pub op: &'static str,
    /// read or write.
    pub door: &'static str,
}

/// Keys, and what can be put into another.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiKeys {
    /// The keys.
    pub items: Vec<ApiKey>,
    /// The cursor of the next page; `null` on the last one.
    pub next: Option<String>,
    /// Keys in all, after filters.
    pub total: i64,
    /// Actions that the person who asks may put into a key.
    pub grantable: Vec<Grantable>,
}

/// What the ledger says of a key.
#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    hint: &'a str,
    actions: &'a [Act],
    expires_at: Timestamp,
    revoked: bool,
}

impl ApiKey {
    fn fact(&self) -> Fact<'_> {
        let revoked = self.state == ApiKeyState::Revoked;
        Fact { name: &self.name, hint: &self.hint, actions: &self.actions, expires_at: self.expires_at, revoked }
    }
}

impl From<Act> for Grantable {
    fn from(act: Act) -> Self {
        let info = act.info();
        let door = if info.door == Door::Read { "read" } else { "write" };
        Self { name: act, module: info.module, op: info.op.as_str(), door }
    }
}

/// What somebody may put into a key of the organisation they are in: what they may do there now and needs no person.
pub(crate) fn grantable_in_tenant(cx: &TenantCx) -> Vec<Grantable> {
    let can = cx.can();
    let may = |act: &Act| can.get(act.name()).is_some_and(|can| can.allowed);
    Act::ALL.iter().copied().filter(is_for_keys).filter(may).map(Grantable::from).collect()
}

/// What somebody may put into a key of their provider: what they may do there now, and what staff like them can do about and in its
/// clients. How far that reaches in one client is decided there, when the key is used.
pub(crate) fn grantable_at_provider(cx: &ProviderCx) -> Vec<Grantable> {
    let can = cx.can();
    let may = |act: &Act| match (act.info().plane, cx.grant()) {
        (Plane::Provider, _) => can.get(act.name()).is_some_and(|can| can.allowed),
        (Plane::Client, Grant::Staff { staff, .. }) => act.info().staff.contains(&staff.role),
        (Plane::Data | Plane::Records, _) => act.info().tier.is_some(),
        _ => false,
    };
    Act::ALL.iter().copied().filter(is_for_keys).filter(may).map(Grantable::from).collect()
}

/// No key proves again that it is a person.
fn is_for_keys(act: &Act) -> bool {
    !act.info().flags.person && !act.info().flags.step_up
}

/// The keys of the place.
///
/// # Errors
/// `Invalid` for a page or filter that does not exist.
pub(crate) async fn list<S: Keyed>(tx: &mut ReadTx<S>, query: ApiKeyQuery, grantable: Vec<Grantable>) -> Result<ApiKeys> {
    let Page { items, next, total } = store::page(tx, query).await?;
    Ok(ApiKeys { items, next, total, grantable })
}

/// Makes a key for the place.
///
/// # Errors
/// `Invalid` with every wrong field; an action that cannot be in it at `actions.N`. `LimitReached` when the organisation has as many
/// as it may.
pub(crate) async fn create<S: Keyed>(tx: &mut WriteTx<S>, body: ApiKeyCreate, grantable: &[Grantable]) -> Result<ApiKeyCreated> {
    let mut check = Check::new();
    let name = check.text("name", &body.name, 1..=80);
    let actions = checked(&mut check, &body.actions, grantable);
    check.that((1..=DAYS_MAX).contains(&body.expires_in_days), "expires_in_days", "out_of_range", "must be between 1 and 365");
    check.done()?;
    store::hold(tx).await?;
    if store::is_taken(tx, &name).await? {
        return Err(Error::field("name", "taken", "is the name of a key that works; choose another"));
    }
    let warning = S::take(tx).await?;
    let (id, token) = (ApiKeyId::new(tx.now()), new_api_token());
    let hint = token[..HINT].to_owned();
    let new = store::New { id, token: &token, hint: &hint, name: &name, actions: &actions, days: body.expires_in_days };
    store::insert(tx, new).await?;
    let key = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    // Nobody's rights change: the key has but what its maker has.
    tx.subject("api_key", id, name).changed("api_key", id, &(), &key.fact()).keeps_authority();
    Ok(ApiKeyCreated { key, token, warning })
}

fn checked(check: &mut Check, names: &[String], grantable: &[Grantable]) -> Vec<Act> {
    if names.is_empty() || names.len() > Act::ALL.len() {
        check.fail("actions", "wrong_count", format!("needs between 1 and {} actions", Act::ALL.len()));
        return Vec::new();
    }
    let mut actions = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match grantable.iter().find(|grantable| grantable.name.name() == name) {
            Some(found) if !actions.contains(&found.name) => actions.push(found.name),
            Some(_) => {}
            None => {
                check.fail(&format!("actions.{index}"), "not_grantable", "is nothing that you may put into a key here");
            }
        }
    }
    actions
}

/// Revokes a key of the place: it ends with this commit.
///
/// # Errors
/// `NotFound`, `Conflict` when it is revoked.
pub(crate) async fn revoke<S: Keyed>(tx: &mut WriteTx<S>, id: ApiKeyId) -> Result<()> {
    let before = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("api_key", id, before.name.clone());
    if !store::revoke(tx, id).await? {
        return Err(Error::Conflict("This key is revoked already.".into()));
    }
    S::released(tx).await?;
    let after = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    tx.changed("api_key", id, &before.fact(), &after.fact());
    Ok(())
}

/// Revokes all keys of somebody who leaves the organisation.
///
/// # Errors
/// As the store's.
pub(crate) async fn revoke_all_of(tx: &mut WriteTx<scope::Records>, person: PersonId) -> Result<()> {
    for id in store::of_person(tx, person).await? {
        let before = store::find(tx, id).await?.ok_or(Error::NotFound)?;
        if store::revoke(tx, id).await? {
            let after = store::find(tx, id).await?.ok_or(Error::NotFound)?;
            tx.changed("api_key", id, &before.fact(), &after.fact());
        }
    }
    Ok(())
}
