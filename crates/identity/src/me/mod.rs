//! The signed-in person: who they are, where they may go, and how they like the console.
//!
//! Lists only what counts: providers and organisations where the person is enabled. An archived organisation is there for its admins,
//! who see to its end, and for nobody else.
//! What they may do there is not said here; each place's own page does.
//!
//! Not here: changing the e-mail address. It is what invitations and sign-in go by, and nothing here could prove the new one.

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::brand::{Brand, BrandId};
use kernel::ids::SessionId;
use kernel::rules::Lack;
use kernel::validate::Check;
use kernel::{PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::invitations::person_name;

pub use http::router;

/// Most organisations that can be pinned.
pub const PINNED_MAX: usize = 50;

/// The signed-in person.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Me {
    /// Who.
    pub person: MePerson,
    /// Providers they are staff of.
    pub providers: Vec<MeProvider>,
    /// Organisations they are a member of.
    pub tenants: Vec<MeTenant>,
    /// The installation is for one organisation, without a provider.
    pub standalone: bool,
    /// The session that asks.
    pub session: MeSession,
    /// The brand that shows at the name the hub was reached by; inside of an organisation its own shows.
    #[schema(value_type = Option<Brand>)]
    pub brand: Option<Arc<Brand>>,
}

/// Who it is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MePerson {
    /// Id.
    pub id: PersonId,
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Language of the console.
    pub locale: String,
    /// They sign in with a second factor.
    pub second_factor: bool,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: i64,
    /// How they like the console.
    pub preferences: Preferences,
    /// Goes up with each change.
    pub version: i64,
}

/// A provider that the person is staff of.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MeProvider {
    /// Id.
    pub id: ProviderId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// As what.
    pub role: String,
    /// Clients that the person sees there.
    pub client_count: i64,
}

/// An organisation that the person is a member of.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MeTenant {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// As what.
    pub role: String,
    /// Where in its life it is: active, suspended, or (only for those who see to its end) archived.
    pub state: String,
}

/// The session that asks.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MeSession {
    /// Id.
    pub id: SessionId,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// When it ends unless it is used.
    pub idle_expires_at: Timestamp,
    /// When the second factor was given.
    pub second_factor_at: Option<Timestamp>,
    /// When the person last proved again that it is them.
    pub stepped_up_at: Option<Timestamp>,
    /// Until when what wants a fresh second factor may be done without giving one again.
    pub fresh_until: Option<Timestamp>,
    /// What a place of the person's asks for before anything else is open: a second factor, it again, or a new password.
    pub missing: Option<Lack>,
    /// When the password has to be changed, if it ever has.
    pub password_until: Option<Timestamp>,
    /// When the second factor is asked for again, if it ever is.
    pub second_factor_until: Option<Timestamp>,
    /// The brand that the person signed in under.
    pub brand: Option<MeBrand>,
}

/// A brand as it was at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MeBrand {
    /// Whose.
    pub id: BrandId,
    /// Which state of it.
    pub version: i64,
}

/// How a person likes the console.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Preferences {
    /// Slugs of organisations at the top of the switcher, in order.
    pub pinned: Vec<String>,
    /// Light or dark.
    pub scheme: Scheme,
    /// Notices that were put away, by their kind.
    pub dismissed: Vec<String>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the system is.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A language that the console speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    En,
    /// German.
    De,
}

impl Locale {
    fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }
}

/// What to change of oneself; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct MeUpdate {
    /// Name.
    pub name: Option<String>,
    /// Language of the console.
    pub locale: Option<Locale>,
    /// How one likes the console; all of it.
    pub preferences: Option<Preferences>,
}

/// What the ledger says of a change of oneself.
#[derive(Serialize)]
struct Change<'a> {
    name: &'a str,
    locale: &'a str,
    preferences: &'a Preferences,
}

impl<'a> Change<'a> {
    fn of(person: &'a MePerson) -> Self {
        Self { name: &person.name, locale: &person.locale, preferences: &person.preferences }
    }
}

/// A person as they see themselves from one of their sessions.
///
/// # Errors
/// `NotSignedIn` when the session has ended.
pub(crate) async fn of<S: scope::Control>(
    tx: &mut ReadTx<S>,
    person: PersonId,
    session: SessionId,
    brand: Option<Arc<Brand>>,
) -> Result<Me> {
    Ok(Me {
        person: store::person(tx, person).await?,
        providers: store::providers(tx, person).await?,
        tenants: store::tenants(tx, person).await?,
        standalone: store::is_standalone(tx).await?,
        session: store::session(tx, person, session).await?,
        brand,
    })
}

/// The signed-in person.
///
/// # Errors
/// As the store's.
pub(crate) async fn view(tx: &mut ReadTx<scope::Own>, brand: Option<Arc<Brand>>) -> Result<Me> {
    let (person, session) = (tx.scope.person, tx.me()?.session);
    of(tx, person, session, brand).await
}

/// Changes the signed-in person's name, language or preferences.
///
/// # Errors
/// `Invalid`.
pub(crate) async fn update(tx: &mut WriteTx<scope::Own>, body: MeUpdate, brand: Option<Arc<Brand>>) -> Result<Me> {
    let person = tx.scope.person;
    let before = store::person(tx, person).await?;
    let mut check = Check::new();
    let name = body.name.map_or_else(|| before.name.clone(), |name| person_name(&mut check, "name", &name));
    let locale = body.locale.map_or_else(|| before.locale.clone(), |locale| locale.as_str().to_owned());
    let preferences = match body.preferences {
        Some(preferences) => checked(preferences, &mut check),
        None => before.preferences.clone(),
    };
    check.done()?;
    let after = MePerson { name, locale, preferences, ..before.clone() };
    store::update(tx, &after).await?;
    tx.subject("person", person, after.name.clone());
    tx.changed("person", person, &Change::of(&before), &Change::of(&after));
    if before.name == after.name {
        tx.keeps_authority();
    }
    view(tx, brand).await
}

fn checked(preferences: Preferences, check: &mut Check) -> Preferences {
    let Preferences { pinned, scheme, dismissed } = preferences;
    let fits = dismissed.len() <= PINNED_MAX && dismissed.iter().all(|kind| (1..=100).contains(&kind.len()));
    check.that(fits, "preferences.dismissed", "too_long", "may have at most 50 kinds of up to 100 bytes each");
    if pinned.len() > PINNED_MAX {
        check.fail(
            "preferences.pinned",
            "too_many",
            format!("may have at most {PINNED_MAX} organisations, this has {}", pinned.len()),
        );
    }
    let mut kept: Vec<String> = Vec::new();
    for (index, slug) in pinned.into_iter().take(PINNED_MAX).enumerate() {
        let slug = check.slug(&format!("preferences.pinned[{index}]"), &slug);
        if !kept.contains(&slug) {
            kept.push(slug);
        }
    }
    Preferences { pinned: kept, scheme, dismissed }
}
