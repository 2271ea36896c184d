//! Licensing: how much of what each client may have, what happens at the bound, and the page that shows it.
//!
//! - A limit is the client's own, else its plan's. How it is enforced is the client's own, else its provider's, else the default.
//! - `inform` tells whoever looks after the client once it is beyond, `warn` also tells who makes one more, `block_new` lets nobody
//!   make one more. `also_blocks` names what else is not made meanwhile. Nothing that runs is stopped, nothing is deleted.
//! - The alert is raised by the act that reaches the limit, once, and is over with the act that falls below.
//! - A seat is a member that is not disabled. An open invitation keeps a seat free: nobody is invited to a seat that is not there.
//! - Of clients that are archived nothing is counted on the page.
//!
//! What this deliberately does not do: know what a thing costs (`billing`), or stop anything that runs.

pub mod bounds;
pub mod defaults;
pub mod enforce;
mod export;
mod http;
mod page;
#[cfg(test)]
mod tests;
mod update;

use std::sync::Arc;

use access::Tier;
use kernel::door::Can;
use kernel::limits::{Limit, Limits};
use kernel::{Hub, ReadTx, Result, TenantId, params, scope};
use serde::{Deserialize, Serialize};

use crate::assignments::AssignedTenant;

pub use bounds::{Bounds, Enforcement, Over, Usage};
pub use defaults::{LimitDefault, defaults, set_default};
pub use enforce::{check, review, settle};
pub(crate) use http::router;
pub use page::{LicensingQuery, list};
pub use update::{LicenceUpdate, update};

/// Lets what counts be asked about from now on. Called where the hub is put together.
pub fn wire(hub: &Hub) {
    hub.provide::<Arc<dyn Limits>>(Arc::new(enforce::Enforced));
}

/// What a client was sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenceType {
    /// By the seat, everything in it.
    PerUserAllFeatures,
    /// Something that was agreed on.
    Custom,
}

impl LicenceType {
    fn as_str(self) -> &'static str {
        match self {
            Self::PerUserAllFeatures => "per_user_all_features",
            Self::Custom => "custom",
        }
    }
}

impl std::str::FromStr for LicenceType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::PerUserAllFeatures, Self::Custom].into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

/// How the seats stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenceStatus {
    /// Within the limit.
    Ok,
    /// More than there may be.
    OverLimit,
    /// There may be any number.
    Unlimited,
}

impl LicenceStatus {
    fn of(used: i64, max: Option<i64>) -> Self {
        match max {
            None => Self::Unlimited,
            Some(max) if used > max => Self::OverLimit,
            Some(_) => Self::Ok,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OverLimit => "over_limit",
            Self::Unlimited => "unlimited",
        }
    }
}

/// Within the limit, and nine tenths of it used.
fn is_near(used: i64, max: Option<i64>) -> bool {
    max.is_some_and(|max| max > 0 && used <= max && used.saturating_mul(10) >= max.saturating_mul(9))
}

/// A limit as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LimitView {
    /// How many there are.
    pub used: i64,
    /// How many there may be; `null`: unlimited.
    pub max: Option<i64>,
    /// The client's own, not its plan's.
    pub own: bool,
    /// What happens at it.
    pub enforcement: Enforcement,
    /// What else is not made while it is reached.
    pub also_blocks: Vec<Limit>,
}

/// The limits as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LimitViews {
    /// Members that are not disabled.
    pub seats: LimitView,
    /// Automations.
    pub automations: LimitView,
    /// Distinct resources that scans know.
    pub resources: LimitView,
    /// API keys of the organisation that work.
    pub api_keys: LimitView,
}

impl LimitViews {
    fn new(bounds: &Bounds, usage: &Usage) -> Self {
        let view = |limit| {
            let bound = bounds.of(limit);
            LimitView {
                used: usage.of(limit),
                max: bound.max,
                own: bound.own,
                enforcement: bound.enforcement,
                also_blocks: bound.also_blocks.clone(),
            }
        };
        Self {
            seats: view(Limit::Seats),
            automations: view(Limit::Automations),
            resources: view(Limit::Resources),
            api_keys: view(Limit::ApiKeys),
        }
    }
}

/// A client's licence in the table.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LicenceRow {
    /// The client.
    pub tenant: AssignedTenant,
    /// The tier at which the person who asks reaches it.
    pub tier: Tier,
    /// What it was sold.
    #[serde(rename = "type")]
    pub kind: LicenceType,
    /// Members that are not disabled.
    pub users: i64,
    /// How many there may be; `null`: unlimited.
    pub users_max: Option<i64>,
    /// How that stands.
    pub status: LicenceStatus,
    /// Within the limit, and nine tenths of it used.
    pub near: bool,
    /// All limits.
    pub limits: LimitViews,
    /// What the person who asks may do to it.
    pub can: LicenceCan,
    /// The client's version, for If-Match.
    pub version: i64,
}

/// What may be done to a licence.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LicenceCan {
    /// Changing it.
    pub update: Can,
}

/// A client's licence as the client itself sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Licence {
    /// What it was sold.
    #[serde(rename = "type")]
    pub kind: LicenceType,
    /// All limits.
    pub limits: LimitViews,
    /// How the seats stand.
    pub status: LicenceStatus,
}

/// The licence of the tenant one is in.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Records>) -> Result<Licence> {
    let tenant = tx.scope.tenant;
    let kind = stored_kind(tx, tenant).await?;
    let (bounds, usage) = Bounds::load(tx, tenant).await?;
    let status = LicenceStatus::of(usage.seats, bounds.of(Limit::Seats).max);
    Ok(Licence { kind, limits: LimitViews::new(&bounds, &usage), status })
}

async fn stored_kind<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<LicenceType> {
    Ok(tx.one("SELECT licence_type FROM tenant WHERE id = ?1", params![tenant]).await?.parse()?)
}
