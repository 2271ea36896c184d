//! Settings: what providers decide for themselves and their clients, and tenants for themselves; each typed, with what counts and who says so.
//!
//! - [`registry`] knows every key: what it may be, who decides it, and what the presets say of it.
//! - What counts comes from the default, the preset, the provider (and those above it), the tenant, each in the place of the one before.
//!   Where strictness matters (passwords, second factors, what staff prove when they enter), the strictest counts: nobody below is laxer.
//! - A setting that nobody decided is not stored, so a place that says `null` inherits again.
//! - What others read in a column of `provider` is written there with the setting.
//!
//! A tenant also decides after how many days without a scan its card goes stale, and what its provider's staff may do there beyond their
//! tier; those stand in its registry row. How it sees its provider's staff (by name or by role) is shown here, but is the provider's to
//! decide.
//!
//! What this deliberately does not do: enforce anything. Each effect is where the setting is read; there is no setting without one.

mod change;
mod http;
mod ladder;
mod of_providers;
mod presets;
mod registry;
mod store;
#[cfg(test)]
mod tests;

use access::{Subject, actions};
pub use change::Wanted;
pub(crate) use http::router;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, WriteTx, scope};
use ladder::{At, Ladder};
pub use ladder::{Layer, Setting};
pub use of_providers::{ClientSettings, ProviderSettings, SettingGroup, SettingsPatch};
pub(crate) use of_providers::{say_for_provider, value};
pub use presets::{Affects, Difference, Expected, Preset, PresetApply, Presets};
use registry::SETTINGS;
pub(crate) use registry::{ACCESS_MODE, RAISE_BY, STAFF_SHOWN, TENANT_CREATION};
use serde::{Deserialize, Serialize};

/// A tenant's settings.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Settings {
    /// Days after which the last scan is stale, 1 to 90.
    pub scan_interval_days: i64,
    /// Provider staff at T1 may comment.
    pub comments_from_t1: bool,
    /// Provider staff may name admins, through an elevation for it (product.md section 4, "E+S").
    pub staff_may_name_admins: bool,
    /// `by_name` or `by_role`: how members see the provider's staff.
    pub staff_shown: String,
    /// What else the tenant decides.
    pub settings: Vec<Setting>,
    /// Version, for If-Match.
    pub version: i64,
}

/// A change: what is left out stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct SettingsUpdate {
    /// Days after which the last scan is stale, 1 to 90.
    pub scan_interval_days: Option<i64>,
    /// Provider staff at T1 may comment.
    pub comments_from_t1: Option<bool>,
    /// Provider staff may name admins, through an elevation for it. Only the tenant's own people change this.
    pub staff_may_name_admins: Option<bool>,
    /// What else to decide: key to value, or `null` for what is inherited. `switch_policy` too is only for the tenant's own people.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    pub settings: Wanted,
}

impl Settings {
    /// As the ledger keeps it.
    fn kept(&self) -> serde_json::Value {
        serde_json::json!({"scan_interval_days": self.scan_interval_days, "comments_from_t1": self.comments_from_t1,
            "staff_may_name_admins": self.staff_may_name_admins})
    }
}

/// The settings.
///
/// # Errors
/// `NotFound`.
pub async fn view(tx: &mut ReadTx<scope::Records>) -> Result<Settings> {
    let mut settings = store::settings(tx).await?.ok_or(Error::NotFound)?;
    let ladder = ladder(tx).await?;
    settings.settings = SETTINGS.iter().filter(|one| one.tenant).map(|one| ladder.setting(one)).collect();
    Ok(settings)
}

async fn ladder(tx: &mut ReadTx<scope::Records>) -> Result<Ladder> {
    let (tenant, holder) = (tx.scope.tenant, store::holder(tx).await?);
    Ladder::over(tx, holder, At::Tenant(tenant)).await
}

/// Changes them.
///
/// # Errors
/// `Changed`, `Invalid`.
pub async fn update(tx: &mut WriteTx<scope::Records>, version: IfMatch, body: SettingsUpdate) -> Result<Settings> {
    let mut check = Check::new();
    let good = body.scan_interval_days.is_none_or(|days| (1..=90).contains(&days));
    check.that(good, "scan_interval_days", "out_of_range", "choose 1 to 90 days");
    check.done()?;
    let before = view(tx).await?;
    version.check(before.version)?;
    let staff_may_name_admins = body.staff_may_name_admins.unwrap_or(before.staff_may_name_admins);
    let is_about_staff = |key: &String| key == kernel::door::SWITCH_POLICY;
    if staff_may_name_admins != before.staff_may_name_admins || body.settings.keys().any(is_about_staff) {
        // Whoever may not say who the admins are does not say who may say it either, nor what staff prove when they enter.
        tx.require::<actions::MemberGrantAdmin>(Subject::Any)?;
    }
    let after = Settings {
        scan_interval_days: body.scan_interval_days.unwrap_or(before.scan_interval_days),
        comments_from_t1: body.comments_from_t1.unwrap_or(before.comments_from_t1),
        staff_may_name_admins,
        version: before.version + 1,
        ..before.clone()
    };
    if !store::update(tx, &before, &after).await? {
        return Err(Error::Changed);
    }
    let mut ladder = ladder(tx).await?;
    let moved = change::say(tx, &mut ladder, &body.settings).await?;
    let [mut from, mut to] = change::kept(&moved);
    for (kept, settings) in [(&mut from, &before), (&mut to, &after)] {
        if let (Some(kept), serde_json::Value::Object(more)) = (kept.as_object_mut(), settings.kept()) {
            kept.extend(more);
        }
    }
    let tenant = tx.tenant().map(|tenant| (tenant.id, tenant.name.clone())).ok_or(Error::NotFound)?;
    tx.subject("settings", tenant.0, Some(tenant.1)).changed("settings", tenant.0, &from, &to);
    view(tx).await
}
