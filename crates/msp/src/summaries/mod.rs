//! Summaries: the allow-listed projection of a tenant that its provider may see.
//!
//! A tenant's own writes publish it under the topic `summary`, with the number of their ledger entry; an older one never replaces
//! a newer. Nothing else of a tenant's data is in the control database.
//!
//! What this deliberately does not do: compute anything. What a score is, is posture's business.

mod store;
#[cfg(test)]
mod tests;

use kernel::door::{BoxFuture, Carrier, Topic};
use kernel::store::StoreError;
use kernel::{Clock, Hub, Result, TenantId, Timestamp};
use serde::Deserialize;

/// The topic's name.
pub const TOPIC: &str = "summary";
/// Most tenants that [`due`] names at once.
pub const DUE_MAX: i64 = 100;
/// Most points of a trend that are kept: a day each.
const TREND_MAX: usize = 90;

/// What a tenant's write says of the tenant.
#[derive(Debug, Clone, Deserialize)]
struct Payload {
    score_bp: Option<i64>,
    #[serde(default)]
    passed: i64,
    #[serde(default)]
    failed: i64,
    #[serde(default)]
    overridden: i64,
    #[serde(default)]
    critical: i64,
    #[serde(default)]
    high: i64,
    #[serde(default)]
    scans: i64,
    #[serde(default)]
    findings_open: i64,
    #[serde(default)]
    resources: i64,
    scan_at: Option<Timestamp>,
    #[serde(default)]
    trend: Vec<(i64, i64)>,
    #[serde(default)]
    frameworks: Vec<serde_json::Value>,
    #[serde(default)]
    decisions: Vec<serde_json::Value>,
    recheck_at: Option<Timestamp>,
}

/// Carries summaries into the control database.
struct Summaries(Clock);

impl Topic for Summaries {
    fn carry<'a>(&'a self, carrier: &'a mut Carrier<'_>, payload: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut payload: Payload =
                serde_json::from_str(payload).map_err(|error| StoreError::Shape(format!("a summary: {error}")))?;
            payload.trend.sort_unstable();
            payload.trend.drain(..payload.trend.len().saturating_sub(TREND_MAX));
            store::put(carrier, &payload, self.0.now()).await
        })
    }
}

/// Takes summaries from now on. Called where the hub is put together.
pub fn wire(hub: &Hub) {
    hub.on_topic(TOPIC, Summaries(hub.clock().clone()));
}

/// Tenants whose summary time alone has changed (an override ran out), longest overdue first; at most [`DUE_MAX`].
///
/// # Errors
/// The control database does not answer.
pub async fn due(hub: &Hub, now: Timestamp) -> Result<Vec<TenantId>> {
    Ok(store::due(&mut hub.system_read().await?, now).await?)
}
