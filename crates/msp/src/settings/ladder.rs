//! What counts: the layers over one place, and which of them says what a setting is there.

use std::collections::HashMap;

use kernel::{Error, ProviderId, ReadTx, Result, TenantId, scope};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::registry::{Counts, Definition, Kind};
use super::store;
use crate::providers;
use crate::relationships::RelationshipId;

/// Which layer says what a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingLayer)]
pub enum Layer {
    /// Nobody said anything.
    Default,
    /// The provider's preset.
    Preset,
    /// The provider, or one above it.
    Provider,
    /// The tenant.
    Tenant,
}

/// A setting as it counts at one place.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Setting {
    /// Its name.
    pub key: String,
    /// `choice`, `number` or `boolean`.
    pub kind: &'static str,
    /// The words of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<&'static str>>,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// What a number is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// What counts.
    pub value: Value,
    /// Who says so.
    pub layer: Layer,
    /// What it is when nobody says anything.
    pub default: Value,
    /// What this place itself said; `null`: nothing, it is inherited.
    pub own: Option<Value>,
    /// Name of the provider above that leaves nothing to choose here. What `choices`, `min` and `max` name may be chosen.
    pub locked_by: Option<String>,
}

/// Whose settings are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// A provider's.
    Provider,
    /// A provider's for one of its clients.
    Client(RelationshipId),
    /// A tenant's own.
    Tenant(TenantId),
}

/// The places of which one inherits from the next, and what each of them said.
#[derive(Clone)]
pub(crate) struct Ladder {
    at: At,
    /// The provider, then those above it.
    providers: Vec<(ProviderId, String)>,
    pub(super) rows: Rows,
}

/// What places said: by place, kind and key.
pub(super) type Rows = HashMap<(Uuid, String, String), String>;

/// What somebody said, and the provider's name when it is one above the place that is looked at.
#[derive(Clone, Copy)]
struct Found<'a> {
    value: &'a str,
    layer: Layer,
    above: Option<&'a str>,
}

/// Which of what was said counts. Of equals the nearest.
fn choose<'a>(definition: &Definition, said: &[Found<'a>]) -> Found<'a> {
    let default = Found { value: definition.default, layer: Layer::Default, above: None };
    let chosen = match definition.counts {
        Counts::Nearest => said.first(),
        _ => said.iter().rev().max_by_key(|found| definition.strictness(found.value)),
    };
    chosen.copied().unwrap_or(default)
}

impl At {
    /// Kind of the rows in which this place itself speaks.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Client(_) => "client",
            Self::Tenant(_) => "tenant",
        }
    }

    /// Whether this place decides a setting.
    pub fn decides(self, definition: &Definition) -> bool {
        match self {
            Self::Provider => true,
            Self::Client(_) => definition.client,
            Self::Tenant(_) => definition.tenant,
        }
    }
}

impl Ladder {
    /// The ladder over one place of, or about a tenant of, this provider.
    ///
    /// # Errors
    /// As the store's.
    pub async fn over<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId, at: At) -> Result<Self> {
        let lineage = providers::lineage(tx, provider).await?;
        let providers: Vec<_> = lineage.into_iter().map(|link| (link.id, link.name)).collect();
        if providers.is_empty() {
            return Err(Error::NotFound);
        }
        let own = match at {
            At::Provider => None,
            At::Client(relationship) => Some(relationship.uuid()),
            At::Tenant(tenant) => Some(tenant.uuid()),
        };
        let rows = store::rows(tx, providers.iter().map(|(id, _)| id.uuid()).chain(own)).await?;
        Ok(Self { at, providers, rows })
    }

    pub fn own_id(&self) -> Uuid {
        match self.at {
            At::Provider => self.providers[0].0.uuid(),
            At::Client(relationship) => relationship.uuid(),
            At::Tenant(tenant) => tenant.uuid(),
        }
    }

    fn said(&self, place: Uuid, kind: &str, key: &str) -> Option<&str> {
        self.rows.get(&(place, kind.to_owned(), key.to_owned())).map(String::as_str)
    }

    /// What this place itself said.
    pub fn own(&self, definition: &Definition) -> Option<&str> {
        self.said(self.own_id(), self.at.kind(), definition.key)
    }

    /// What counts here.
    pub fn value<'a>(&'a self, definition: &'a Definition) -> &'a str {
        choose(definition, &self.said_by_all(definition)).value
    }

    /// What those above ask for at least, and the name of who does. None where they leave it to this place.
    pub fn imposed(&self, definition: &Definition) -> Option<(&str, &str)> {
        let from_above: Vec<_> = self.said_by_all(definition).into_iter().filter(|found| found.above.is_some()).collect();
        let found = from_above.iter().rev().max_by_key(|found| definition.strictness(found.value))?;
        found.above.filter(|_| definition.counts != Counts::Nearest).map(|above| (found.value, above))
    }

    /// What places that count said, the nearest first.
    fn said_by_all<'a>(&'a self, definition: &Definition) -> Vec<Found<'a>> {
        let mut said = Vec::new();
        let is_provider = self.at == At::Provider;
        if let Some(value) = self.own(definition).filter(|_| !is_provider) {
            let layer = if matches!(self.at, At::Tenant(_)) { Layer::Tenant } else { Layer::Provider };
            said.push(Found { value, layer, above: None });
        }
        // What only a provider decides for itself is not inherited by those below.
        let reach = if definition.counts == Counts::Nearest { 1 } else { self.providers.len() };
        for (level, (provider, name)) in self.providers.iter().take(reach).enumerate() {
            let is_here = is_provider && level == 0;
            let above = (!is_here).then_some(name.as_str());
            if let Some(value) = self.said(provider.uuid(), "provider", definition.key) {
                said.push(Found { value, layer: Layer::Provider, above });
            } else if let Some(value) = self.said(provider.uuid(), "preset", definition.key) {
                let layer = if level > 0 { Layer::Provider } else { Layer::Preset };
                said.push(Found { value, layer, above });
            }
        }
        said
    }

    /// The setting as it is shown here: with what may be chosen here.
    pub fn setting(&self, definition: &'static Definition) -> Setting {
        let said = self.said_by_all(definition);
        let found = choose(definition, &said);
        let imposed = self.imposed(definition);
        let at_least = imposed.map(|(value, _)| definition.strictness(value));
        let is_open = |stored: &str| at_least.is_none_or(|at_least| definition.strictness(stored) >= at_least);
        let mut shown = Setting {
            key: definition.key.to_owned(),
            kind: "boolean",
            choices: None,
            min: None,
            max: None,
            unit: None,
            value: definition.shown(found.value),
            layer: found.layer,
            default: definition.shown(definition.default),
            own: self.own(definition).map(|own| definition.shown(own)),
            locked_by: None,
        };
        let is_choice_left = match definition.kind {
            Kind::Boolean => is_open("true") && is_open("false"),
            Kind::Choice(words) => {
                let open: Vec<_> = words.iter().copied().filter(|word| is_open(word)).collect();
                let count = open.len();
                (shown.kind, shown.choices) = ("choice", Some(open));
                count > 1
            }
            Kind::Number { min, max, unit } => {
                let bound = imposed.and_then(|(value, _)| value.parse::<i64>().ok());
                let (min, max) = match (definition.counts, bound) {
                    (Counts::Greatest, Some(bound)) => (bound, max),
                    (Counts::SmallestButZero, Some(bound)) if bound > 0 => (1, bound),
                    _ => (min, max),
                };
                (shown.kind, shown.min, shown.max, shown.unit) = ("number", Some(min), Some(max), Some(unit));
                min < max
            }
        };
        if let (Some((_, above)), false) = (imposed, is_choice_left) {
            shown.locked_by = Some(above.to_owned());
        }
        shown
    }

    /// Where it stands.
    pub fn at(&self) -> At {
        self.at
    }

    /// Name of the provider.
    pub fn name(&self) -> &str {
        &self.providers[0].1
    }

    /// From here on the provider's preset says so, and it nothing itself.
    pub fn apply_preset(&mut self, key: &str, value: &str) {
        let place = self.providers[0].0.uuid();
        self.rows.remove(&(place, "provider".to_owned(), key.to_owned()));
        self.rows.insert((place, "preset".to_owned(), key.to_owned()), value.to_owned());
    }

    /// From here on this place says so.
    pub fn say(&mut self, key: &str, value: Option<String>) {
        let at = (self.own_id(), self.at.kind().to_owned(), key.to_owned());
        match value {
            Some(value) => self.rows.insert(at, value),
            None => self.rows.remove(&at),
        };
    }
}
