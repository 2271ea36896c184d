//! Changing a client's licence.

use kernel::http::IfMatch;
use kernel::limits::Limit;
use kernel::validate::Check;
use kernel::{Error, Result, WriteTx, params, scope};
use serde::Deserialize;
use serde_json::Value;

use super::bounds::Enforcement;
use super::defaults::{self, LimitDefault};
use super::{Bounds, LicenceType, LimitViews, settle};
use crate::patch::given;
use crate::plans::body::LIMIT_MAX;

/// What is stored for unlimited, whatever the plan says.
const UNLIMITED: i64 = -1;

/// A change of a licence; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct LicenceUpdate {
    /// What it was sold.
    #[serde(rename = "type")]
    pub kind: Option<LicenceType>,
    /// Its limits.
    #[serde(default)]
    pub limits: LimitUpdates,
}

/// Changes of limits; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct LimitUpdates {
    /// Members that are not disabled.
    pub seats: Option<LimitUpdate>,
    /// Automations.
    pub automations: Option<LimitUpdate>,
    /// Distinct resources that scans know.
    pub resources: Option<LimitUpdate>,
    /// API keys of the organisation.
    pub api_keys: Option<LimitUpdate>,
}

/// A change of one limit; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct LimitUpdate {
    /// How many there may be: a number, `null` for unlimited, or `"plan"` for what the plan says.
    #[serde(default, deserialize_with = "given")]
    pub max: Option<Option<Value>>,
    /// `inform`, `warn`, `block_new`, or `inherit` for the provider's way.
    pub enforcement: Option<String>,
    /// What else is not made while it is reached: `automations`, `api_keys`; `null`: the provider's way.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub also_blocks: Option<Option<Vec<String>>>,
}

/// A change of one limit that was found right.
struct Sound {
    limit: Limit,
    /// What is to be stored as the client's own.
    max: Option<Option<i64>>,
    enforcement: Option<Option<Enforcement>>,
    also_blocks: Option<Option<Vec<Limit>>>,
}

/// Changes a licence, and raises or ends alerts with it.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid` with every wrong field.
pub async fn update(tx: &mut WriteTx<scope::Client>, version: IfMatch, body: &LicenceUpdate) -> Result<()> {
    let tenant = tx.scope.tenant;
    let sql = "UPDATE tenant SET version = version + 1 WHERE id = ?1 AND version = ?2 AND state <> 'purged'";
    let held = tx.execute(sql, params![tenant, version.0]).await? == 1;
    let row = tx.opt("SELECT name, licence_type FROM tenant WHERE id = ?1", params![tenant]).await?;
    let mut row = row.ok_or(Error::NotFound)?;
    let (name, kind): (String, LicenceType) = (row.take()?, row.parse()?);
    tx.subject("licence", tenant, name);
    if !held {
        return Err(Error::Changed);
    }
    let sound = check(body)?;
    let before = Bounds::load(tx, tenant).await?;
    for set in &sound {
        apply(tx, set).await?;
    }
    let after_kind = body.kind.unwrap_or(kind);
    tx.execute("UPDATE tenant SET licence_type = ?2 WHERE id = ?1", params![tenant, after_kind.as_str()]).await?;
    let after = Bounds::load(tx, tenant).await?;
    let shown = |kind: LicenceType, (bounds, usage): &(Bounds, super::Usage)| serde_json::json!({ "type": kind, "limits": LimitViews::new(bounds, usage) });
    tx.keeps_authority().changed("licence", tenant, &shown(kind, &before), &shown(after_kind, &after));
    settle(tx, tenant).await
}

fn check(body: &LicenceUpdate) -> Result<Vec<Sound>> {
    let mut check = Check::new();
    let LimitUpdates { seats, automations, resources, api_keys } = &body.limits;
    let asked =
        [(Limit::Seats, seats), (Limit::Automations, automations), (Limit::Resources, resources), (Limit::ApiKeys, api_keys)];
    let sound = asked.into_iter().filter_map(|(limit, asked)| Some(check_one(&mut check, limit, asked.as_ref()?))).collect();
    check.done()?;
    Ok(sound)
}

fn check_one(check: &mut Check, limit: Limit, asked: &LimitUpdate) -> Sound {
    let field = |name: &str| format!("limits.{limit}.{name}");
    let max = asked.max.as_ref().map(|max| match max {
        None => Some(UNLIMITED),
        Some(Value::String(word)) if word == "plan" => None,
        Some(Value::Number(number)) if number.as_i64().is_some_and(|max| (0..=LIMIT_MAX).contains(&max)) => number.as_i64(),
        Some(_) => {
            check.fail(&field("max"), "out_of_range", "must be between 0 and 100000000, null for unlimited, or \"plan\"");
            None
        }
    });
    let enforcement = asked.enforcement.as_deref().map(|word| match word {
        "inherit" => None,
        word => {
            let one = word.parse().ok();
            check.that(one.is_some(), &field("enforcement"), "unknown", "use inform, warn, block_new or inherit");
            one
        }
    });
    let also_blocks = asked.also_blocks.as_ref().map(|names| {
        let names = names.as_ref()?;
        let mut limits = Vec::new();
        for name in names {
            match name.parse::<Limit>() {
                Ok(other @ (Limit::Automations | Limit::ApiKeys)) if other != limit => limits.push(other),
                _ => drop(check.fail(&field("also_blocks"), "unknown", "use automations or api_keys, and not the limit itself")),
            }
        }
        limits.sort_unstable();
        limits.dedup();
        Some(limits)
    });
    Sound { limit, max, enforcement, also_blocks }
}

async fn apply(tx: &mut WriteTx<scope::Client>, set: &Sound) -> Result<()> {
    let tenant = tx.scope.tenant;
    if let Some(max) = set.max {
        let column = match set.limit {
            Limit::Seats => "seats_max",
            Limit::Automations => "automations_max",
            Limit::Resources => "resources_max",
            Limit::ApiKeys => "api_keys_max",
        };
        tx.execute(&format!("UPDATE tenant SET {column} = ?2 WHERE id = ?1"), params![tenant, max]).await?;
    }
    if set.enforcement.is_none() && set.also_blocks.is_none() {
        return Ok(());
    }
    let stands = defaults::own(tx, tenant).await?.into_iter().find(|own| own.limit == set.limit);
    let mut own = stands.unwrap_or(LimitDefault { limit: set.limit, enforcement: None, also_blocks: None });
    if let Some(enforcement) = set.enforcement {
        own.enforcement = enforcement;
    }
    if let Some(also_blocks) = &set.also_blocks {
        own.also_blocks.clone_from(also_blocks);
    }
    defaults::set_own(tx, tenant, &own).await
}
