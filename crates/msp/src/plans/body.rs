//! What comes in about plans, checked.

use access::Modules;
use kernel::Result;
use kernel::validate::Check;
use serde::Deserialize;

use super::{Apply, Plan, PlanLimits, Price, Terms};
use crate::patch::given;

/// Most of anything that a limit can name.
pub(crate) const LIMIT_MAX: i64 = 100_000_000;
/// Highest price, in millionths: a million.
const PRICE_MAX: i64 = 1_000_000_000_000;
/// Longest trial, in days.
const TRIAL_MAX: i64 = 365;

/// How much of what there may be; what is left out stays (in a new plan: unlimited).
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct LimitsBody {
    /// Members that are not disabled.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub seats: Option<Option<i64>>,
    /// Automations.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub automations: Option<Option<i64>>,
    /// Distinct resources that scans know.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub resources: Option<Option<i64>>,
    /// API keys of the organisation.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub api_keys: Option<Option<i64>>,
}

/// What it costs; what is left out stays (in a new plan: nothing, EUR).
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct PriceBody {
    /// Per month, in millionths of the currency.
    pub month: Option<i64>,
    /// Per seat and month, in millionths of the currency.
    pub seat: Option<i64>,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

/// A plan to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct PlanCreate {
    /// Its name, once per provider.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The modules it opens; at least one.
    pub modules: Vec<String>,
    /// How much of what there may be.
    #[serde(default)]
    pub limits: LimitsBody,
    /// What it costs.
    #[serde(default)]
    pub price: PriceBody,
    /// Days that cost nothing for a tenant that is made on it, 0 to 365.
    #[serde(default)]
    pub trial_days: i64,
}

/// A change of a plan; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct PlanUpdate {
    /// Its name, once per provider.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The modules it opens; at least one.
    pub modules: Option<Vec<String>>,
    /// How much of what there may be.
    #[serde(default)]
    pub limits: LimitsBody,
    /// What it costs.
    #[serde(default)]
    pub price: PriceBody,
    /// Days that cost nothing for a tenant that is made on it, 0 to 365.
    pub trial_days: Option<i64>,
    /// Whom the change is for.
    pub apply: Option<Apply>,
}

/// A plan whose every field was found right.
pub(super) struct Sound {
    pub name: String,
    pub description: String,
    pub terms: Terms,
}

pub(super) fn check_new(body: &PlanCreate) -> Result<Sound> {
    let nothing = Terms { modules: Modules::NONE, limits: PlanLimits::default(), price: Price::none(), trial_days: 0 };
    let mut check = Check::new();
    let name = check.text("name", &body.name, 1..=60);
    let description = check.text("description", &body.description, 0..=500);
    let mut terms = changed(&mut check, &nothing, &body.limits, &body.price, Some(body.trial_days));
    terms.modules = modules(&mut check, &body.modules);
    check.done()?;
    Ok(Sound { name, description, terms })
}

pub(super) fn check_change(before: &Plan, body: &PlanUpdate) -> Result<Sound> {
    let mut check = Check::new();
    let name = check.text("name", body.name.as_deref().unwrap_or(&before.name), 1..=60);
    let description = check.text("description", body.description.as_deref().unwrap_or(&before.description), 0..=500);
    let mut terms = changed(&mut check, &before.terms(), &body.limits, &body.price, body.trial_days);
    if let Some(names) = &body.modules {
        terms.modules = modules(&mut check, names);
    }
    check.done()?;
    Ok(Sound { name, description, terms })
}

fn modules(check: &mut Check, names: &[String]) -> Modules {
    match Modules::from_names(names) {
        Ok(modules) if modules.is_empty() => drop(check.fail("modules", "empty", "needs at least one module")),
        Ok(modules) => return modules,
        Err(error) => drop(check.fail("modules", "unknown", error.to_string())),
    }
    Modules::NONE
}

fn changed(check: &mut Check, before: &Terms, limits: &LimitsBody, price: &PriceBody, trial_days: Option<i64>) -> Terms {
    let mut after = before.clone();
    for (field, asked, stands) in [
        ("limits.seats", limits.seats, &mut after.limits.seats),
        ("limits.automations", limits.automations, &mut after.limits.automations),
        ("limits.resources", limits.resources, &mut after.limits.resources),
        ("limits.api_keys", limits.api_keys, &mut after.limits.api_keys),
    ] {
        let Some(max) = asked else { continue };
        let fits = max.is_none_or(|max| (0..=LIMIT_MAX).contains(&max));
        check.that(fits, field, "out_of_range", "must be between 0 and 100000000, or null for unlimited");
        *stands = max;
    }
    for (field, asked, stands) in
        [("price.month", price.month, &mut after.price.month), ("price.seat", price.seat, &mut after.price.seat)]
    {
        let Some(micros) = asked else { continue };
        let fits = (0..=PRICE_MAX).contains(&micros);
        check.that(fits, field, "out_of_range", "must be between 0 and 1000000000000 millionths of the currency");
        *stands = micros;
    }
    if let Some(currency) = &price.currency {
        let currency = currency.trim().to_uppercase();
        let fits = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        check.that(fits, "price.currency", "unknown", "must be a currency's three letters (ISO 4217), like EUR");
        after.price.currency = currency;
    }
    if let Some(days) = trial_days {
        check.that((0..=TRIAL_MAX).contains(&days), "trial_days", "out_of_range", "must be between 0 and 365");
        after.trial_days = days;
    }
    after
}
