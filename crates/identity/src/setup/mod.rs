//! The first start: the installation gets its first provider, or the one organisation it is for, and its first person.
//!
//! - Two modes: `provider` founds an MSP, `standalone` one organisation without any provider, whose first admin the person is.
//! - Possible only while there is nothing, and only with the one-time code that the hub wrote to its log at this start: whoever
//!   can read the log runs the machine. Afterwards the address answers as if it did not exist.
//! - The code is used up by the setup that it allows; a start makes a new one.
//! - What a provider or an organisation begins with is not known here: the hub wires a [`Founder`].

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::door::BoxFuture;
use kernel::ids::random;
use kernel::secrets::token_hash;
use kernel::validate::Check;
use kernel::{Error, Hub, PersonId, PublicCx, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::invitations::{self, person_name};
use crate::me::{self, Me};
use crate::passwords::{Demands, Pool};
use crate::sessions::{self, Cookie, Kind, Origin};
use crate::sign_in::{Attempt, Tries};
use crate::totp::{as_made, readable};

pub use http::router;

/// Makes what the installation is for. Provided to the hub as `Arc<dyn Founder>`.
pub trait Founder: Send + Sync {
    /// Makes the house with what it begins with, and the person the first in it, who may do everything there. Says in `tx` what
    /// was made: subject and ledger are the founder's to name.
    fn found<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, founding: &'a Founding) -> BoxFuture<'a, Result<()>>;

    /// Removes what a founding that was not committed left outside of its transaction.
    fn abandon<'a>(&'a self, _hub: &'a Hub, _founding: &'a Founding) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }
}

/// What is founded, and by whom.
#[derive(Debug, Clone)]
pub struct Founding {
    /// What.
    pub house: House,
    /// The first in it.
    pub person: PersonId,
}

/// What an installation is for. Checked: names of one line, slugs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum House {
    /// A provider and its clients.
    Provider {
        /// Its name.
        name: String,
        /// Its slug.
        slug: String,
    },
    /// One organisation without a provider.
    Standalone {
        /// The id it gets.
        tenant: TenantId,
        /// Its name.
        name: String,
        /// Its slug.
        slug: String,
    },
}

/// What an installation can be for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetupMode {
    /// A provider and its clients.
    #[default]
    Provider,
    /// One organisation without a provider.
    Standalone,
}

/// Whether the installation waits for its setup.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SetupView {
    /// It does.
    pub needed: bool,
    /// What it can be set up for.
    pub modes: [SetupMode; 2],
}

/// What the installation is for, and the first person.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SetupCreate {
    /// The one-time code from the hub's log.
    pub code: Secret,
    /// What for; a provider when left out.
    #[serde(default)]
    pub mode: SetupMode,
    /// The provider's name: in the mode `provider`.
    #[serde(default)]
    pub provider_name: String,
    /// The provider's slug: in the mode `provider`.
    #[serde(default)]
    pub provider_slug: String,
    /// The organisation's name: in the mode `standalone`.
    #[serde(default)]
    pub organisation_name: String,
    /// The organisation's slug: in the mode `standalone`.
    #[serde(default)]
    pub organisation_slug: String,
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
    house: House,
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
    let mut tx = hub.system_write("setup.prepare", "There is nothing here yet: the setup waits for the code in the log.").await?;
    store::keep_code(&mut tx, &hash_of(&code)).await?;
    tx.commit().await?;
    Ok(Some(code))
}

/// Whether the installation waits for its setup.
///
/// # Errors
/// As the store's.
pub(crate) async fn view(tx: &mut ReadTx<scope::Public>) -> Result<SetupView> {
    Ok(SetupView { needed: store::is_needed(tx).await?, modes: [SetupMode::Provider, SetupMode::Standalone] })
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
    let house = check_house(&mut check, &body, cx.hub().now());
    let (House::Provider { name: house_name, slug } | House::Standalone { name: house_name, slug, .. }) = &house;
    let name = person_name(&mut check, "name", &body.name);
    let email = check.email("email", &body.email);
    let about = vec![email.clone(), name.clone(), house_name.clone(), slug.clone()];
    Demands::of_the_first(about).check(cx.hub(), "password", &body.password, &mut check).await?;
    check.done()?;
    let password_hash = cx.hub().port::<Pool>().hash(body.password).await?;
    Ok(Checked::Right(Box::new(Right { code_hash, house, name, email, password_hash, attempt })))
}

fn check_house(check: &mut Check, body: &SetupCreate, now: Timestamp) -> House {
    let mut of = |fields: [&str; 2], name: &str, slug: &str| {
        let name = check.text(fields[0], name, 2..=100);
        check.that(!name.contains(['\n', '\t']), fields[0], "control_characters", "is one line");
        (name, check.slug(fields[1], slug))
    };
    match body.mode {
        SetupMode::Provider => {
            let (name, slug) = of(["provider_name", "provider_slug"], &body.provider_name, &body.provider_slug);
            House::Provider { name, slug }
        }
        SetupMode::Standalone => {
            let (name, slug) = of(["organisation_name", "organisation_slug"], &body.organisation_name, &body.organisation_slug);
            House::Standalone { tenant: TenantId::new(now), name, slug }
        }
    }
}

/// Sets the installation up and commits: the code is used up, the person exists and is signed in, the house is theirs. Takes the whole
/// transaction, because what is made beside it goes again if it fails.
///
/// # Errors
/// `Invalid` for a wrong code, `NotFound` when somebody else was faster.
pub(crate) async fn create(mut tx: WriteTx<scope::Public>, checked: Checked, from: Origin) -> Result<(Cookie, Me)> {
    let Checked::Right(checked) = checked else {
        return Err(Error::field("code", "wrong", "is not the code in the hub's log of this start"));
    };
    if !store::use_code(&mut tx, &checked.code_hash).await? || !store::is_needed(&mut tx).await? {
        return Err(Error::NotFound);
    }
    let inserted = invitations::insert_person(&mut tx, &checked.email, &checked.name, &checked.password_hash).await?;
    let person = inserted.ok_or_else(|| Error::field("email", "taken", "belongs to an account that exists"))?;
    tx.act_as(person, &checked.name);
    let Right { house, attempt, .. } = *checked;
    let (hub, founding) = (tx.hub().clone(), Founding { house, person });
    let founder = hub.port::<Arc<dyn Founder>>();
    match settle(tx, &founder, &founding, from).await {
        Ok(settled) => {
            attempt.succeeded();
            Ok(settled)
        }
        Err(error) => {
            founder.abandon(&hub, &founding).await;
            Err(error)
        }
    }
}

async fn settle(
    mut tx: WriteTx<scope::Public>,
    founder: &Arc<dyn Founder>,
    founding: &Founding,
    from: Origin,
) -> Result<(Cookie, Me)> {
    founder.found(&mut tx, founding).await?;
    let (session, cookie) = sessions::start(&mut tx, founding.person, Kind::Full { second_factor_at: None }, &from).await?;
    let me = me::of(&mut tx, founding.person, session, from.brand).await?;
    tx.commit().await?;
    Ok((cookie, me))
}

fn hash_of(code: &str) -> Vec<u8> {
    token_hash(&format!("setup code {}", as_made(code)))
}
