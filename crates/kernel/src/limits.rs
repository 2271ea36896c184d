//! What there may only be so many of, and the port that whoever makes such a thing asks, inside the transaction that makes it.
//!
//! How many there may be, and what happens beyond, is not known here: `msp::licensing` fills the port.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::door::{WriteTx, scope};
use crate::error::Result;
use crate::ids::TenantId;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Members that are not disabled.
    Seats,
    /// Automations.
    Automations,
    /// Distinct resources that scans know.
    Resources,
    /// API keys of the organisation that work.
    ApiKeys,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Seats, Self::Automations, Self::Resources, Self::ApiKeys];

    /// Its name in the API, in rows and in alerts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seats => "seats",
            Self::Automations => "automations",
            Self::Resources => "resources",
            Self::ApiKeys => "api_keys",
        }
    }

    /// What several of them are called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seats => "seats",
            Self::Automations => "automations",
            Self::Resources => "resources",
            Self::ApiKeys => "API keys",
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Limit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|limit| limit.as_str() == text).ok_or(())
    }
}

/// A limit that is reached: why something was not made, or what is to be known though it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LimitReached {
    /// Which.
    pub limit: Limit,
    /// How many there are.
    pub used: i64,
    /// How many there may be.
    pub max: i64,
    /// What it is, and what to do about it.
    pub detail: String,
}

/// Something about to be made that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// An invitation: its seat is kept free until it is taken up, taken back or over.
    Invitation,
    /// The seat that an invitation kept free.
    InvitedSeat,
    /// The seat of a member who comes back.
    Seat,
    /// An API key.
    ApiKey,
}

impl Claim {
    /// What it counts towards.
    pub fn limit(self) -> Limit {
        match self {
            Self::Invitation | Self::InvitedSeat | Self::Seat => Limit::Seats,
            Self::ApiKey => Limit::ApiKeys,
        }
    }
}

/// The transaction that makes something, and the tenant it is made for.
pub enum Within<'a> {
    /// On the tenant's own records.
    Records(&'a mut WriteTx<scope::Records>),
    /// By somebody who comes with a secret only.
    Public(&'a mut WriteTx<scope::Public>, TenantId),
}

/// Whoever knows the limits.
pub trait Limits: Send + Sync {
    /// Asked before something that counts is made, in the transaction that makes it. Others who make something for the same tenant
    /// wait until that has ended. Answers what is to be told if it is made beyond a limit that only warns.
    ///
    /// # Errors
    /// `LimitReached` when it may not be made.
    fn take<'a>(&'a self, within: Within<'a>, claim: Claim) -> BoxFuture<'a, Result<Option<LimitReached>>>;

    /// Told after something that counted has ended, in the transaction that ended it.
    ///
    /// # Errors
    /// As the store's.
    fn released<'a>(&'a self, within: Within<'a>, limit: Limit) -> BoxFuture<'a, Result<()>>;
}

/// Knows no limits: for hubs on which nothing is sold.
pub struct Boundless;

impl Limits for Boundless {
    fn take<'a>(&'a self, _: Within<'a>, _: Claim) -> BoxFuture<'a, Result<Option<LimitReached>>> {
        Box::pin(async { Ok(None) })
    }

    fn released<'a>(&'a self, _: Within<'a>, _: Limit) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
