//! What time alone brings: scans that grow old, relationships that were renewed or ended, refusals that stopped, snoozes that are over.
//!
//! A person who resolves one of these while it lasts has done so for as long as it lasts: it is not raised again for the same time.

use kernel::clock::DAY_US;
use kernel::news::{Alert, Of, Urgency};
use kernel::{Hub, ReadTx, Result, TenantId, Timestamp, params, scope};
use serde_json::json;

use super::{raise, store};

/// Looked at together.
const ROUND: i64 = 5_000;
/// Refusals are over when there was none for so long.
const CALM_DAYS: i64 = 1;
/// A relationship that ends later than this does not end soon; msp warns from here on.
const ENDS_SOON_DAYS: i64 = 30;

/// Looks at what time has changed.
///
/// # Errors
/// The control database does not answer.
pub async fn watch(hub: &Hub) -> Result<()> {
    let mut said = Vec::new();
    {
        let mut tx = hub.system_read().await?;
        said.extend(grown_old(&mut tx).await?);
        said.extend(scanned_again(&mut tx).await?);
        said.extend(renewed(&mut tx).await?);
        said.extend(calm_again(&mut tx).await?);
    }
    for alert in said {
        let mut tx = hub.system_write("alert.watch", "time has changed what an alert is about").await?;
        raise::take(&mut tx, &alert).await?;
        tx.keeps_authority();
        tx.commit().await?;
    }
    wake(hub).await
}

async fn wake(hub: &Hub) -> Result<()> {
    let woken = store::woken(&mut hub.system_read().await?, ROUND).await?;
    for id in woken {
        let mut tx = hub.system_write("alert.wake", "a snooze is over").await?;
        tx.keeps_authority().subject("alert", id, None);
        if store::is_woken(&mut tx, id).await? {
            let turn = store::reopen(&mut tx, id, false).await?;
            store::tell(&mut tx, id, turn).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

const STALE: &str = "scan_stale";
/// What a tenant's scans are called, all of them together.
const SCANS: &str = "scans";

/// Tenants whose last complete scan is older than their interval, and about which that was not said since.
async fn grown_old(tx: &mut ReadTx<scope::Public>) -> Result<Vec<Alert>> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT t.id, t.name, s.scan_at, t.scan_interval_days FROM summary s JOIN tenant t ON t.id = s.tenant_id
             WHERE t.state = 'active' AND s.scan_at + t.scan_interval_days * ?2 <= ?1
               AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.whose = t.id AND a.rule = 'scan_stale' AND a.subject = 'scans'
                               AND (a.state <> 'resolved' OR a.resolved_at >= s.scan_at + t.scan_interval_days * ?2))
             ORDER BY t.id LIMIT ?3",
            params![now, DAY_US, ROUND],
        )
        .await?;
    let mut alerts = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (tenant, label): (TenantId, String) = (row.take()?, row.take()?);
        let (scan_at, interval): (Timestamp, i64) = (row.take()?, row.take()?);
        let facts = json!({ "scan_at": scan_at, "interval_days": interval, "stale_since": scan_at.plus_days(interval) });
        alerts.push(Alert { urgency: Urgency::Warning, facts, ..over(Of::Tenant(tenant), STALE, SCANS.into(), label, false) });
    }
    Ok(alerts)
}

fn over(of: Of, rule: &str, subject: String, label: String, is_over: bool) -> Alert {
    Alert { of, rule: rule.into(), subject, label, urgency: Urgency::Info, facts: json!({}), is_over }
}

/// Tenants whose scan is current again, or is not expected any more.
async fn scanned_again(tx: &mut ReadTx<scope::Public>) -> Result<Vec<Alert>> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT a.tenant_id FROM alert a JOIN tenant t ON t.id = a.tenant_id LEFT JOIN summary s ON s.tenant_id = t.id
             WHERE a.rule = 'scan_stale' AND a.state <> 'resolved'
               AND (t.state IN ('archived', 'purged') OR s.scan_at IS NULL OR s.scan_at + t.scan_interval_days * ?2 > ?1)
             ORDER BY a.id LIMIT ?3",
            params![now, DAY_US, ROUND],
        )
        .await?;
    let over = |mut row: kernel::store::Row| Ok(over(Of::Tenant(row.take()?), STALE, SCANS.into(), String::new(), true));
    rows.into_iter().map(over).collect()
}

/// Relationships that do not end soon any more: renewed, or at their end.
async fn renewed(tx: &mut ReadTx<scope::Public>) -> Result<Vec<Alert>> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT a.provider_id, a.tenant_id, a.subject FROM alert a
             WHERE a.rule = 'relationship_expiring' AND a.state <> 'resolved'
             ORDER BY a.id LIMIT ?1",
            params![ROUND],
        )
        .await?;
    let mut alerts = Vec::new();
    for mut row in rows {
        let (provider, tenant, subject): (Option<kernel::ProviderId>, Option<TenantId>, String) =
            (row.take()?, row.take()?, row.take()?);
        let id = subject.strip_prefix("rel_").and_then(|hex| uuid::Uuid::try_parse(hex).ok());
        let sql = "SELECT state, ends_at FROM relationship WHERE id = ?1";
        let ends_soon = match tx.opt(sql, params![id]).await? {
            None => false,
            Some(mut row) => {
                let (state, ends_at): (String, Option<Timestamp>) = (row.take()?, row.take()?);
                let soon = now.plus_days(ENDS_SOON_DAYS);
                state != "ended" && ends_at.is_some_and(|ends_at| now < ends_at && ends_at <= soon)
            }
        };
        if let (false, Some(place)) = (ends_soon, crate::places::Place::of(provider, tenant)) {
            alerts.push(over(place.as_said(), "relationship_expiring", subject, String::new(), true));
        }
    }
    Ok(alerts)
}

/// Refused writes that stopped.
async fn calm_again(tx: &mut ReadTx<scope::Public>) -> Result<Vec<Alert>> {
    let before = tx.now().plus_days(-CALM_DAYS);
    let rows = tx
        .rows(
            "SELECT tenant_id, subject FROM alert WHERE rule = 'writes_refused' AND state <> 'resolved' AND tenant_id IS NOT NULL
               AND last_at <= ?1 ORDER BY id LIMIT ?2",
            params![before, ROUND],
        )
        .await?;
    let calm = |mut row: kernel::store::Row| {
        let (tenant, subject) = (row.take()?, row.take()?);
        Ok(over(Of::Tenant(tenant), "writes_refused", subject, String::new(), true))
    };
    rows.into_iter().map(calm).collect()
}
