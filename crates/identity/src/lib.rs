//! Identity: who somebody is, how they prove it, and which organisation they are a person of.
//!
//! A slice is a folder. What is secret (a password, a code, a token) comes in as a [`Secret`], which nothing prints, and is kept as
//! a hash or sealed; none of it reaches the ledger or the log.

pub mod api_keys;
pub mod invitations;
pub mod me;
pub mod members;
pub mod password_resets;
pub mod passwords;
mod secret;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod totp;

#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::Hub;
use kernel::limits::{Boundless, Limits};
use utoipa_axum::router::OpenApiRouter;

pub use secret::Secret;

/// All routes of this crate, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(setup::router())
        .merge(sign_in::router())
        .merge(invitations::router())
        .merge(me::router())
        .merge(sessions::router())
        .merge(passwords::router())
        .merge(password_resets::router())
        .merge(totp::router())
        .merge(members::router())
        .merge(api_keys::router())
}

/// Hands the hub what this crate keeps in memory: the password pool and the count of failed tries.
/// Besides it the hub needs an `Arc<dyn setup::Founder>`, an `Arc<dyn invitations::Arrival>`, and, where there are limits, another
/// `Arc<dyn Limits>` than the one given here.
pub fn provide(hub: &Hub) {
    hub.provide(passwords::Pool::new());
    hub.provide(sign_in::Tries::new());
    hub.provide::<Arc<dyn Limits>>(Arc::new(Boundless));
}
