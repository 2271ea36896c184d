//! What a tenant decides about itself: after how many days without a scan its card goes stale, and whether its provider's staff may
//! comment from T1 on.
//!
//! How it sees its provider's staff (by name or by role) is shown here, but is the provider's to decide.

mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{Subject, actions};
pub(crate) use http::router;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

/// A tenant's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Settings {
    /// Days after which the last scan is stale, 1 to 90.
    pub scan_interval_days: i64,
    /// Provider staff at T1 may comment.
    pub comments_from_t1: bool,
    /// Provider staff may name admins, through an elevation for it (product.md section 4, "E+S").
    pub staff_may_name_admins: bool,
    /// `by_name` or `by_role`: how members see the provider's staff.
    pub staff_shown: String,
    /// Version, for If-Match.
    pub version: i64,
}

/// A change: what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SettingsUpdate {
    /// Days after which the last scan is stale, 1 to 90.
    pub scan_interval_days: Option<i64>,
    /// Provider staff at T1 may comment.
    pub comments_from_t1: Option<bool>,
    /// Provider staff may name admins, through an elevation for it. Only the tenant's own people change this.
    pub staff_may_name_admins: Option<bool>,
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
    store::settings(tx).await?.ok_or(Error::NotFound)
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
    if staff_may_name_admins != before.staff_may_name_admins {
        // Whoever may not say who the admins are does not say who may say it either.
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
    let tenant = tx.tenant().map(|tenant| (tenant.id, tenant.name.clone())).ok_or(Error::NotFound)?;
    tx.subject("settings", tenant.0, Some(tenant.1)).changed("settings", tenant.0, &before.kept(), &after.kept());
    Ok(after)
}
