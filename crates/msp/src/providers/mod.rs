//! Providers: the MSP itself, its settings, and the providers below it.
//!
//! - The first provider is founded at set-up, with its first admin and the default plans; more come as sub-providers.
//! - A sub-provider never reaches further than its parent: its ceiling is at most the parent's, and stays below it when the
//!   parent's is lowered later, because every reader takes the lowest of the chain.
//! - There are at most [`DEPTH_MAX`] levels below the top.
//! - Suspending a sub-provider stops its staff; the parent's own access to the tenants goes on.
//!
//! What this deliberately does not do: remove providers, move them, or change who is on their staff.

mod http;
mod store;
mod sub_providers;
#[cfg(test)]
mod tests;

use access::{AccessMode, Grant, ProviderState, StaffRole, Tier};
use kernel::door::CanMap;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, PersonId, ProviderCx, ProviderId, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::settings::{ACCESS_MODE, STAFF_SHOWN};

pub(crate) use http::router;
pub use sub_providers::{SubProvider, SubProviderCreate, SubProviderCreated, SubProviderUpdate};

/// Levels of sub-providers below a provider that has no parent.
pub const DEPTH_MAX: usize = 2;

/// A provider, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProviderName {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
}

/// How tenants see staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffShown {
    /// By name.
    ByName,
    /// By role only.
    ByRole,
}

impl StaffShown {
    fn as_str(self) -> &'static str {
        match self {
            Self::ByName => "by_name",
            Self::ByRole => "by_role",
        }
    }
}

/// What a provider decides for itself, as far as it is here; all of it is in [`crate::settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProviderSettings {
    /// `tiered`: admins act up to the relationship's tier. `explicit`: admins too need an assignment (`implicit_owner`, where each of them
    /// has one, shows as this).
    pub access_mode: AccessMode,
    /// It may make sub-providers.
    pub sub_providers: bool,
    /// How its tenants see its staff.
    pub staff_shown: StaffShown,
}

/// A provider as its own staff see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The provider above it.
    pub parent: Option<ProviderName>,
    /// Its highest tier, when it is a sub-provider.
    pub ceiling: Option<Tier>,
    /// Where in its life it is.
    pub state: ProviderState,
    /// What the person who asks is here.
    pub role: StaffRole,
    /// Its settings.
    pub settings: ProviderSettings,
    /// What that person may do here.
    pub can: CanMap,
    /// Its version, for If-Match.
    pub version: i64,
}

/// A change of a provider; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct ProviderUpdate {
    /// Its name.
    pub name: Option<String>,
    /// Its settings.
    pub settings: Option<SettingsUpdate>,
}

/// A change of settings; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct SettingsUpdate {
    /// See [`ProviderSettings`].
    pub access_mode: Option<AccessMode>,
    /// See [`ProviderSettings`].
    pub sub_providers: Option<bool>,
    /// See [`ProviderSettings`].
    pub staff_shown: Option<StaffShown>,
}

/// One provider of a chain from a provider up to the one without a parent.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub id: ProviderId,
    pub name: String,
    pub is_active: bool,
    pub ceiling: Tier,
    pub access_mode: AccessMode,
    pub tenants_max: Option<i64>,
}

/// The provider itself first, then those above it.
pub(crate) async fn lineage<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    let mut next = Some(provider);
    // The bound keeps a loop in the data from being a loop in the program.
    while let Some(id) = next.filter(|_| links.len() < 8) {
        let (link, parent) = store::link(tx, id).await?.ok_or(Error::NotFound)?;
        links.push(link);
        next = parent;
    }
    Ok(links)
}

/// The highest tier that a chain of providers lets through.
pub(crate) fn ceiling(lineage: &[Link]) -> Tier {
    lineage.iter().map(|link| link.ceiling).min().unwrap_or(Tier::T0)
}

/// The provider, without what the person may do there: see [`view`].
pub(crate) struct Stored {
    pub slug: String,
    pub name: String,
    pub parent: Option<ProviderName>,
    pub ceiling: Tier,
    pub state: ProviderState,
    pub settings: ProviderSettings,
    pub version: i64,
}

/// The provider as the person who asks sees it.
///
/// # Errors
/// As the store's.
pub async fn view(cx: &ProviderCx, tx: &mut ReadTx<scope::Provider>) -> Result<Provider> {
    let id = tx.scope.provider;
    let stored = store::load(tx, id).await?.ok_or(Error::NotFound)?;
    let Grant::Staff { staff, .. } = cx.grant() else { return Err(Error::NotFound) };
    Ok(Provider {
        id,
        slug: stored.slug,
        name: stored.name,
        ceiling: stored.parent.as_ref().map(|_| stored.ceiling),
        parent: stored.parent,
        state: stored.state,
        role: staff.role,
        settings: stored.settings,
        can: cx.can(),
        version: stored.version,
    })
}

/// Changes name and settings.
///
/// # Errors
/// `Changed`, `Invalid`.
pub async fn update(tx: &mut WriteTx<scope::Provider>, version: IfMatch, body: ProviderUpdate) -> Result<()> {
    let id = tx.scope.provider;
    let stored = store::load(tx, id).await?.ok_or(Error::NotFound)?;
    version.check(stored.version)?;
    let mut check = Check::new();
    let name = body.name.map_or_else(|| stored.name.clone(), |name| check.text("name", &name, 2..=120));
    check.done()?;
    let wanted = body.settings.unwrap_or_default();
    let settings = ProviderSettings {
        access_mode: wanted.access_mode.unwrap_or(stored.settings.access_mode),
        sub_providers: wanted.sub_providers.unwrap_or(stored.settings.sub_providers),
        staff_shown: wanted.staff_shown.unwrap_or(stored.settings.staff_shown),
    };
    store::update(tx, version, &name, settings.sub_providers).await?;
    // The same settings as in the registry: what is sent as it was read changes nothing there.
    if settings.access_mode != stored.settings.access_mode {
        crate::settings::say_for_provider(tx, ACCESS_MODE, settings.access_mode.as_str()).await?;
    }
    if settings.staff_shown != stored.settings.staff_shown {
        crate::settings::say_for_provider(tx, STAFF_SHOWN, settings.staff_shown.as_str()).await?;
    }
    let shown = |name: &str, settings| serde_json::json!({ "name": name, "settings": settings });
    tx.subject("provider", id, name.clone());
    tx.changed("provider", id, &shown(&stored.name, stored.settings), &shown(&name, settings));
    Ok(())
}

/// Founds the first provider: itself, its first admin, the plans it begins with. The caller has checked name and slug.
///
/// # Errors
/// `Conflict` when the slug is taken.
pub async fn found(tx: &mut WriteTx<scope::Public>, name: &str, slug: &str, person: PersonId) -> Result<ProviderId> {
    let id = ProviderId::new(tx.now());
    store::insert(tx, id, None, store::NewProvider { slug, name, ceiling: Tier::T3 }).await?;
    store::insert_first_staff(tx, id, person).await?;
    crate::plans::create_defaults(tx, id).await?;
    tx.changed("provider", id, &(), &serde_json::json!({ "name": name, "slug": slug }));
    Ok(id)
}
