//! The kernel: what every slice stands on, and the one door to data.
//!
//! > A transaction exists only for a caller whom the policy allowed, on one tenant's data; and every write leaves a ledger entry.
//!
//! A slice asks a context ([`TenantCx`], [`ProviderCx`], [`ClientCx`], [`OwnCx`], [`PublicCx`]) for a [`ReadTx`] or [`WriteTx`] of
//! one action, does its one thing on it, and commits. There is no other way to data, and no product rule in here.

pub mod brand;
pub mod clock;
pub mod door;
pub mod error;
pub mod http;
pub mod ids;
pub mod limits;
pub mod news;
pub mod paging;
pub mod rules;
pub mod secrets;
pub mod store;
pub mod validate;

pub use clock::{Clock, Timestamp};
pub use door::{ClientCx, Hub, HubConfig, LeavingCx, OwnCx, ProviderCx, PublicCx, ReadTx, TenantCx, WriteTx, scope};
pub use error::{CanFail, Error, Result};
pub use ids::{PersonId, ProviderId, TenantId};
pub use paging::{Page, PageQuery};
