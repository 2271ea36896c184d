//! Operations: what the hub says to people and how it reaches them. E-mails, alerts, notifications, webhooks.
//!
//! Acts of the other crates only say something ([`kernel::news`]); [`hear`] takes it from there, each piece in one commit of the control
//! database, so that nothing is lost and nothing is heard twice. What leaves the house (an e-mail, a webhook) is sent at least once: a hub
//! that dies between a delivery and its commit delivers again, under the same id.

pub mod alerts;
pub mod channels;
mod hear;
pub mod mail;
pub mod notifications;
mod places;
pub mod rules;

#[cfg(test)]
mod stage;

use std::sync::Arc;
use std::time::Duration;

use kernel::{CanFail, Hub, Result};
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;

pub use mail::brand::{Brand, Brands, PlainBrands, Support};

/// All routes of this crate, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().merge(mail::router()).merge(alerts::router()).merge(notifications::router()).merge(channels::router())
}

/// How this crate is set up.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How e-mails leave; none: they are withheld.
    pub smtp: Option<mail::Smtp>,
    /// Webhooks may go to private addresses and over plain HTTP. For tests and labs.
    pub allow_private_webhooks: bool,
}

/// Hands the hub what this crate needs. Called where the hub is put together, once.
///
/// # Errors
/// `Internal` when the settings of SMTP cannot be used (an unreadable certificate).
pub fn provide(hub: &Hub, settings: &Settings, brands: Arc<dyn Brands>) -> Result<()> {
    hub.provide::<Arc<dyn Brands>>(brands);
    hub.provide(channels::Courier::new(settings.allow_private_webhooks));
    if let Some(smtp) = &settings.smtp {
        hub.provide(mail::Post::new(smtp, hub.public_url())?);
        hub.provide(kernel::news::SendsMail);
    }
    Ok(())
}

/// How often is looked for what time alone makes due.
const EVERY: Duration = Duration::from_secs(5);

/// Rounds between two tidyings: an hour, when nothing is said.
const TIDY_ROUNDS: u32 = 720;

/// Works until told to stop.
pub async fn run(hub: Hub, mut stop: watch::Receiver<bool>) {
    for round in 0_u32.. {
        let next = async {
            if round.is_multiple_of(TIDY_ROUNDS) {
                tidy(&hub).await.can_fail("the next time comes");
            }
            work(&hub).await.can_fail("the next round tries again");
            tokio::select! {
                () = hub.until_said() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        };
        tokio::select! {
            () = next => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Does everything that is due: hears what was said, watches what time changes, tells people, sends.
///
/// # Errors
/// The control database does not answer.
pub async fn work(hub: &Hub) -> Result<()> {
    hear::all(hub).await?;
    alerts::watch(hub).await?;
    hear::all(hub).await?;
    notifications::tell(hub).await?;
    notifications::digests(hub).await?;
    mail::send_due(hub).await?;
    channels::deliver_due(hub).await
}

/// Forgets what is old: contents of e-mails that failed, entries of logs, notifications, resolved alerts.
///
/// # Errors
/// The control database does not answer.
pub async fn tidy(hub: &Hub) -> Result<()> {
    mail::tidy(hub).await?;
    notifications::tidy(hub).await?;
    channels::tidy(hub).await
}
