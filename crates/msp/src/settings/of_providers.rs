//! What a provider decides: for itself and all its clients, and otherwise for one of them.

use kernel::http::IfMatch;
use kernel::limits::Limit;
use kernel::{ProviderId, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use super::change::{self, Moved, Wanted};
use super::ladder::{At, Ladder, Setting};
use super::registry::{self, ACCESS_MODE, PRESETS, SETTINGS};
use super::store;
use crate::assignments::by_mode;
use crate::licensing::{self, LimitDefault};

/// A provider's settings.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ProviderSettingList)]
pub struct ProviderSettings {
    /// Name of the preset that was applied last.
    pub preset: String,
    /// All settings, in the groups in which they are shown.
    pub groups: Vec<SettingGroup>,
    /// Version, for If-Match: the provider's.
    pub version: i64,
}

/// Settings that are shown together.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SettingGroup {
    /// Its name.
    pub key: &'static str,
    /// What is in it.
    pub settings: Vec<Setting>,
}

/// What a provider decides otherwise for one client.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClientSettings {
    /// What may be decided.
    pub settings: Vec<Setting>,
    /// Version, for If-Match: the relationship's.
    pub version: i64,
}

/// A change: key to value, or `null` for what is inherited. What is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SettingsPatch {
    /// By key.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub settings: Wanted,
}

/// The provider's settings, with what counts and who says so.
///
/// # Errors
/// As the store's.
pub async fn list(tx: &mut ReadTx<scope::Provider>) -> Result<ProviderSettings> {
    let provider = tx.scope.provider;
    let ladder = Ladder::over(tx, provider, At::Provider).await?;
    let (preset, version) = store::provider_row(tx).await?;
    let mut groups: Vec<SettingGroup> = Vec::new();
    for definition in SETTINGS {
        let setting = ladder.setting(definition);
        match groups.iter_mut().find(|group| group.key == definition.group) {
            Some(group) => group.settings.push(setting),
            None => groups.push(SettingGroup { key: definition.group, settings: vec![setting] }),
        }
    }
    Ok(ProviderSettings { preset: preset.unwrap_or_else(|| PRESETS[0].to_owned()), groups, version })
}

/// Changes the provider's settings.
///
/// # Errors
/// `Changed`, `Invalid`.
pub async fn update(tx: &mut WriteTx<scope::Provider>, version: IfMatch, body: SettingsPatch) -> Result<ProviderSettings> {
    let provider = tx.scope.provider;
    store::bump_provider(tx).await?;
    let mut ladder = Ladder::over(tx, provider, At::Provider).await?;
    version.check(store::provider_row(tx).await?.1 - 1)?;
    let moved = change::say(tx, &mut ladder, &body.settings).await?;
    let [before, after] = change::kept(&moved);
    let name = ladder.name().to_owned();
    tx.subject("provider", provider, name).changed("settings", provider, &before, &after);
    take_effect(tx, &moved).await?;
    list(tx).await
}

/// Has those feel it who read settings elsewhere.
pub(super) async fn take_effect(tx: &mut WriteTx<scope::Provider>, moved: &[Moved]) -> Result<()> {
    for one in moved {
        if let Some(column) = one.definition.column {
            store::mirror(tx, one.definition, column, one.value()).await?;
        }
    }
    for limit in Limit::ALL {
        let keys = [format!("enforcement.{limit}"), format!("also_blocks.{limit}")];
        if moved.iter().any(|one| keys.iter().any(|key| one.is(key))) {
            enforce(tx, limit, &keys).await?;
        }
    }
    if moved.iter().any(|one| one.is(ACCESS_MODE) && one.is_felt()) {
        let provider = tx.scope.provider;
        by_mode::settle(tx, provider).await?;
    }
    Ok(())
}

/// Has a limit enforced as the settings say.
async fn enforce(tx: &mut WriteTx<scope::Provider>, limit: Limit, [enforcement, also_blocks]: &[String; 2]) -> Result<()> {
    let provider = tx.scope.provider;
    let (enforcement, also_blocks) = (value(tx, provider, enforcement).await?, value(tx, provider, also_blocks).await?);
    let also_blocks = also_blocks.split(',').filter_map(|name| name.parse().ok()).collect();
    let set = LimitDefault { limit, enforcement: enforcement.parse().ok(), also_blocks: Some(also_blocks) };
    licensing::set_default(tx, provider, &set).await
}

/// A setting that a slice of its own reads and writes with other things of the provider (`provider.update`): the same layers, the same
/// effects; the ledger entry is the caller's.
///
/// # Errors
/// As the store's.
pub(crate) async fn say_for_provider(tx: &mut WriteTx<scope::Provider>, key: &str, value: &str) -> Result<()> {
    let provider = tx.scope.provider;
    let mut ladder = Ladder::over(tx, provider, At::Provider).await?;
    let wanted = Wanted::from([(key.to_owned(), Some(value.into()))]);
    let moved = change::say(tx, &mut ladder, &wanted).await?;
    take_effect(tx, &moved).await
}

/// What counts for a provider, as it is stored (a word, a number, true or false).
///
/// # Errors
/// As the store's.
///
/// # Panics
/// There is no such setting: a bug.
pub(crate) async fn value<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId, key: &str) -> Result<String> {
    let definition = registry::definition(key).expect("asked for by its constant");
    Ok(Ladder::over(tx, provider, At::Provider).await?.value(definition).to_owned())
}

/// What the provider decides for one client.
///
/// # Errors
/// `NotFound`.
pub async fn list_for_client(tx: &mut ReadTx<scope::Client>) -> Result<ClientSettings> {
    let (relationship, version, _) = store::relationship(tx).await?;
    let (provider, at) = (tx.scope.provider, At::Client(relationship));
    let ladder = Ladder::over(tx, provider, at).await?;
    let settings = SETTINGS.iter().filter(|one| at.decides(one)).map(|one| ladder.setting(one)).collect();
    Ok(ClientSettings { settings, version })
}

/// Decides otherwise for one client.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`.
pub async fn update_for_client(tx: &mut WriteTx<scope::Client>, version: IfMatch, body: SettingsPatch) -> Result<ClientSettings> {
    let (relationship, _, name) = store::relationship(tx).await?;
    store::bump_relationship(tx, relationship).await?;
    version.check(store::relationship(tx).await?.1 - 1)?;
    let (provider, tenant) = (tx.scope.provider, tx.scope.tenant);
    let mut ladder = Ladder::over(tx, provider, At::Client(relationship)).await?;
    let moved = change::say(tx, &mut ladder, &body.settings).await?;
    let [before, after] = change::kept(&moved);
    tx.subject("tenant", tenant, name).changed("settings", tenant, &before, &after);
    if moved.iter().any(|one| one.is(ACCESS_MODE) && one.is_felt()) {
        by_mode::settle(tx, provider).await?;
    }
    list_for_client(tx).await
}
