//! Warnings of the licence's end.

use kernel::clock::DAY_US;
use kernel::{Error, Hub, Result, Timestamp};
use serde_json::json;

use super::{LicenceFile, raise, store};

/// Days before the end at which providers are told; 0: it is over.
const WARNINGS: [i64; 4] = [30, 7, 1, 0];

/// Alerts of the licence's end when it has come nearer. Answers whether it did.
///
/// # Errors
/// The control database does not answer.
pub async fn warn_due(hub: &Hub) -> Result<bool> {
    let now = hub.now();
    let Some(stored) = store::newest(&mut hub.system_read().await?).await? else { return Ok(false) };
    let terms = LicenceFile::read(&stored.file).map_err(Error::internal)?.licence;
    let Some(days) = due(terms.expires_at, now).filter(|days| stored.warned_days.is_none_or(|told| *days < told)) else {
        return Ok(false);
    };
    let mut tx = hub.system_write("msp_licence.expiring", "the end of the installation's licence comes near").await?;
    if !store::warn(&mut tx, stored.number, days).await? {
        // Somebody else was faster: nothing was changed, and nothing is to be told.
        tx.keeps_authority();
        return tx.commit().await.map(|()| false);
    }
    tx.keeps_authority().subject("msp_licence", terms.id, terms.customer.clone());
    tx.changed("msp_licence", terms.id, &(), &json!({ "expires_at": terms.expires_at, "days_left": days }));
    raise(&mut tx, &terms, days, false).await?;
    tx.commit().await?;
    Ok(true)
}

/// The nearest of the warnings that are due.
fn due(expires_at: Timestamp, now: Timestamp) -> Option<i64> {
    WARNINGS.into_iter().filter(|days| expires_at.0 <= now.0.saturating_add(days * DAY_US)).min()
}
