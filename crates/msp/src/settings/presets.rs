//! Presets: all settings of a provider at once, as one kind of MSP works (product.md section 3).
//!
//! - What would change is shown before it is applied, with how many clients and people would feel it; applying says what was shown, and is
//!   refused when that is no longer what would change.
//! - A preset takes the place of everything that the provider decided itself; what it decides from then on stands above the preset.
//! - What a preset says is kept as it was when it was applied: a later version of the product changes nobody's settings.
//! - What tenants decided for themselves, and what was decided for single clients, stays.

use kernel::{Error, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::Moved;
use super::ladder::{At, Ladder};
use super::of_providers::{self, ProviderSettings};
use super::registry::{Counts, Definition, PRESETS, SETTINGS, Touches};
use super::store::{self, Heads};

/// What there is to choose from.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Presets {
    /// The one that was applied last.
    pub current: String,
    /// All of them.
    pub items: Vec<Preset>,
}

/// A preset, and what it would change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Preset {
    /// Its name.
    pub key: &'static str,
    /// What it would change.
    pub differences: Vec<Difference>,
}

/// A setting that a preset would change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = PresetDifference)]
pub struct Difference {
    /// The setting.
    pub key: &'static str,
    /// What counts now.
    pub from: Value,
    /// What would count.
    pub to: Value,
    /// Who would feel it.
    pub affects: Affects,
}

/// Who would feel a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PresetAffects)]
pub struct Affects {
    /// Clients for which something else would count.
    pub tenants: i64,
    /// At most so many people: of the provider's staff, and members of its clients.
    pub people: i64,
}

/// What was shown, to be applied.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PresetApply {
    /// The differences that were shown.
    pub expected: Vec<Expected>,
}

/// A difference that was shown.
#[derive(Debug, PartialEq, Deserialize, utoipa::ToSchema)]
#[schema(as = PresetExpected)]
pub struct Expected {
    /// The setting.
    pub key: String,
    /// What counted.
    pub from: Value,
    /// What was to count.
    pub to: Value,
}

/// All presets, each with what it would change.
///
/// # Errors
/// As the store's.
pub async fn list(tx: &mut ReadTx<scope::Provider>) -> Result<Presets> {
    let provider = tx.scope.provider;
    let ladder = Ladder::over(tx, provider, At::Provider).await?;
    let heads = store::heads(tx, provider).await?;
    let below = store::said_below(tx, provider).await?;
    let differences = |preset| {
        let moved = would_move(&ladder, preset);
        let each = moved.into_iter().map(|(definition, from, to)| Difference {
            key: definition.key,
            affects: affects(definition, [&from, &to], &heads, &below),
            from: definition.shown(&from),
            to: definition.shown(&to),
        });
        each.collect()
    };
    let items = PRESETS.iter().map(|preset| Preset { key: preset, differences: differences(preset) }).collect();
    let current = store::provider_row(tx).await?.0.unwrap_or_else(|| PRESETS[0].to_owned());
    Ok(Presets { current, items })
}

/// Applies a preset, if it changes what was shown and nothing else.
///
/// # Errors
/// `NotFound`, `Conflict` when something else would change than was shown.
pub async fn apply(tx: &mut WriteTx<scope::Provider>, preset: &str, body: PresetApply) -> Result<ProviderSettings> {
    let preset = PRESETS.iter().copied().find(|name| *name == preset).ok_or(Error::NotFound)?;
    let provider = tx.scope.provider;
    store::bump_provider(tx).await?;
    let mut ladder = Ladder::over(tx, provider, At::Provider).await?;
    let would = would_move(&ladder, preset);
    let is_expected = |(definition, from, to): &(&Definition, String, String)| {
        let shown = (definition.shown(from), definition.shown(to));
        body.expected.iter().any(|one| one.key == definition.key && one.from == shown.0 && one.to == shown.1)
    };
    if would.len() != body.expected.len() || !would.iter().all(is_expected) {
        return Err(Error::Conflict("Settings changed since the differences were shown. Look at them again, then apply.".into()));
    }
    let before = store::provider_row(tx).await?.0;
    store::set_preset(tx, preset).await?;
    let mut moved = Vec::new();
    for definition in SETTINGS {
        let stored = definition.preset(preset).expect("one of the presets");
        let [own, value] = [ladder.own(definition).map(str::to_owned), Some(ladder.value(definition).to_owned())];
        store::say(tx, provider.uuid(), "preset", definition.key, Some(stored)).await?;
        ladder.apply_preset(definition.key, stored);
        let after = ladder.value(definition).to_owned();
        moved.push(Moved::new(definition, [own, None], [value.unwrap_or_default(), after]));
    }
    moved.retain(Moved::is_changed);
    let [mut from, mut to] = super::change::kept(&moved);
    from["preset"] = json!(before.as_deref().unwrap_or(PRESETS[0]));
    to["preset"] = json!(preset);
    let name = ladder.name().to_owned();
    tx.subject("provider", provider, name).changed("settings", provider, &from, &to);
    of_providers::take_effect(tx, &moved).await?;
    of_providers::list(tx).await
}

/// What counts now and what would count, where that is another.
fn would_move(ladder: &Ladder, preset: &str) -> Vec<(&'static Definition, String, String)> {
    let mut after = ladder.clone();
    SETTINGS.iter().for_each(|one| after.apply_preset(one.key, one.preset(preset).unwrap_or(one.default)));
    let each = SETTINGS.iter().map(|one| (one, ladder.value(one).to_owned(), after.value(one).to_owned()));
    each.filter(|(_, from, to)| from != to).collect()
}

/// Who feels it when this counts instead of that. A client that decided for itself, or for which something was decided, feels it only where
/// that is laxer than what its provider asks for.
fn affects(definition: &Definition, [from, to]: [&str; 2], heads: &Heads, below: &[(String, String)]) -> Affects {
    let greatest = definition.strictness(from).max(definition.strictness(to));
    let keeps = |said: &str| definition.counts == Counts::Nearest || definition.strictness(said) >= greatest;
    let kept = below.iter().filter(|(key, said)| key == definition.key && keeps(said)).count();
    let tenants = heads.clients - i64::try_from(kept).unwrap_or_default();
    match definition.touches {
        Touches::NewOnes => Affects { tenants: 0, people: 0 },
        Touches::Clients => Affects { tenants, people: 0 },
        Touches::Admins => Affects { tenants, people: heads.admins },
        Touches::Staff => Affects { tenants, people: heads.staff },
        Touches::Everybody => Affects { tenants, people: heads.staff + heads.members },
    }
}
