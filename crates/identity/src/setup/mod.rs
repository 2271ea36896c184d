//! The first start: the installation gets its first provider, and its first person.
//!
//! - Possible only while there is no provider, and only with the one-time code that the hub wrote to its log at this start: whoever
//!   can read the log runs the machine. Afterwards the address answers as if it did not exist.
//! - The code is used up by the setup that it allows; a start makes a new one.
//! - What a provider begins with (its plans) is not known here: the hub wires a [`Founder`].

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::door::BoxFuture;
use kernel::ids::random;
use kernel::secrets::token_hash;
use kernel::validate::Check;
use kernel::{Error, Hub, PersonId, PublicCx, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::invitations::{self, person_name};
use crate::me::{self, Me};
use crate::passwords::{Demands, Pool};
use crate::sessions::{self, Cookie, Kind, Origin};
use crate::sign_in::{Attempt, Tries};
use crate::totp::{as_made, readable};

pub use http::router;

/// Makes the first provider. Provided to the hub as `Arc<dyn Founder>`.
pub trait Founder: Send + Sync {
    /// Makes the provider with what it begins with, and the person its first staff, who may do everything there. Says in `tx` what
    /// was made: subject and ledger are the founder's to name.
    fn found<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, founding: &'a Founding) -> BoxFuture<'a, Result<()>>;
}

/// What is founded, and by whom. Checked: a name of one line, a slug.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The provider's name.
    pub provider_name: String,
    /// The provider's slug.
    pub provider_slug: String,
    /// Its first staff.
    pub person: PersonId,
}

/// Whether the installation waits for its setup.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SetupView {
    /// It does.
    pub needed: bool,
}

/// The first provider and the first person.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SetupCreate {
    /// The one-time code from the hub's log.
    pub code: Secret,
    /// The provider's name.
    pub provider_name: String,
    /// The provider's slug.
    pub provider_slug: String,
    /// The person's name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// The person's password.
    pub password: Secret,
}

/// A setup that was checked.
pub(crate) enum Checked {
    /// The code is wrong; nothing else was looked at.
    WrongCode,
    /// Everything is in order.
    Right(Box<Right>),
}

/// A setup that is in order.
pub(crate) struct Right {
    code_hash: Vec<u8>,
    provider_name: String,
    provider_slug: String,
    name: String,
    email: String,
    password_hash: String,
    attempt: Attempt,
}

/// Makes the one-time code, if the installation waits for its setup. For the start of the hub, which writes it to the log.
///
/// # Errors
/// As the store's.
pub async fn prepare(hub: &Hub) -> Result<Option<String>> {
    let needed = store::is_needed(&mut hub.system_read().await?).await?;
    if !needed {
        return Ok(None);
    }
    let code = readable(&random::<20>());
    let mut tx =
        hub.system_write("setup.prepare", "The installation has no provider: its setup waits for the code in the log.").await?;
    store::keep_code(&mut tx, &hash_of(&code)).await?;
    tx.commit().await?;
    Ok(Some(code))
}

/// Whether the installation waits for its setup.
///
/// # Errors
/// As the store's.
pub(crate) async fn view(tx: &mut ReadTx<scope::Public>) -> Result<SetupView> {
    Ok(SetupView { needed: store::is_needed(tx).await? })
}

/// Checks the code, then everything else, outside of any write.
///
/// # Errors
/// `NotFound` when there is nothing to set up, `TooMany`, `Invalid`. A wrong code is only said by [`create`], which leaves it in
/// the ledger.
pub(crate) async fn check(cx: &PublicCx, body: SetupCreate) -> Result<Checked> {
    let mut tx = cx.look::<access::actions::SetupCreate>().await?;
    if !store::is_needed(&mut tx).await? {
        return Err(Error::NotFound);
    }
    let attempt = cx.hub().port::<Tries>().admit("of the setup", &cx.address, cx.hub().now())?;
    let code_hash = hash_of(body.code.expose());
    if !store::is_code(&mut tx, &code_hash).await? {
        return Ok(Checked::WrongCode);
    }
    drop(tx);
    attempt.forget();
    let mut check = Check::new();
    let provider_name = check.text("provider_name", &body.provider_name, 2..=100);
    check.that(!provider_name.contains(['\n', '\t']), "provider_name", "control_characters", "is one line");
    let provider_slug = check.slug("provider_slug", &body.provider_slug);
    let name = person_name(&mut check, "name", &body.name);
    let email = check.email("email", &body.email);
    let about = vec![email.clone(), name.clone(), provider_name.clone(), provider_slug.clone()];
    Demands::of_the_first(about).check(cx.hub(), "password", &body.password, &mut check).await?;
    check.done()?;
    let password_hash = cx.hub().port::<Pool>().hash(body.password).await?;
    Ok(Checked::Right(Box::new(Right { code_hash, provider_name, provider_slug, name, email, password_hash, attempt })))
}

/// Sets the installation up: the code is used up, the person exists and is signed in, the provider is theirs.
///
/// # Errors
/// `Invalid` for a wrong code, `NotFound` when somebody else was faster.
pub(crate) async fn create(tx: &mut WriteTx<scope::Public>, checked: Checked, from: Origin) -> Result<(Cookie, Me)> {
    let Checked::Right(checked) = checked else {
        return Err(Error::field("code", "wrong", "is not the code in the hub's log of this start"));
    };
    if !store::use_code(tx, &checked.code_hash).await? || !store::is_needed(tx).await? {
        return Err(Error::NotFound);
    }
    let inserted = invitations::insert_person(tx, &checked.email, &checked.name, &checked.password_hash).await?;
    let person = inserted.ok_or_else(|| Error::field("email", "taken", "belongs to an account that exists"))?;
    tx.act_as(person, &checked.name);
    let Right { provider_name, provider_slug, attempt, .. } = *checked;
    let founding = Founding { provider_name, provider_slug, person };
    let founder = tx.hub().port::<Arc<dyn Founder>>();
    founder.found(tx, &founding).await?;
    let (session, cookie) = sessions::start(tx, person, Kind::Full { second_factor_at: None }, from).await?;
    attempt.succeeded();
    Ok((cookie, me::of(tx, person, session).await?))
}

fn hash_of(code: &str) -> Vec<u8> {
    token_hash(&format!("setup code {}", as_made(code)))
}
