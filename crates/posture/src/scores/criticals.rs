//! The alert about new critical findings: raised by the scan that brought them, one alert for each such scan, and over when none of those
//! findings is open any more (fixed, or overridden).

use kernel::news::{Alert, Of, Urgency};
use kernel::scope::Data;
use kernel::store::StoreError;
use kernel::{Result, TenantId, Timestamp, WriteTx, params};
use serde_json::json;

use crate::findings::status_is;
use crate::words::{Severity, Status};
use crate::{ScanId, SourceId};

const RULE: &str = "new_criticals";
/// Most scans that are watched: of more the oldest are left to people.
const WATCHED_MAX: i64 = 50;

/// The worst come first in the order of severities: that of a critical finding is its first instant.
const CRITICAL: i64 = Severity::Critical as i64;
const _: () = assert!(CRITICAL == 0);

/// A scan that was taken in.
pub(crate) struct Came<'a> {
    pub scan: ScanId,
    pub source: SourceId,
    pub observed_at: Timestamp,
    /// The tool it is from.
    pub tool: &'a str,
}

/// Raises the alert if the scan brought critical findings that had not failed before.
pub(crate) async fn raise(tx: &mut WriteTx<Data>, came: Came<'_>) -> Result<()> {
    let Came { scan, source, observed_at, tool } = came;
    let count = open(tx, source, observed_at).await?;
    if count == 0 {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO critical_watch (scan_id, source_id, first_seen_at, label) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id, scan_id) DO NOTHING",
        params![scan, source, observed_at, tool],
    )
    .await?;
    let facts = json!({ "count": count, "scan": scan, "tool": tool, "observed_at": observed_at });
    tx.alert(&alert(scan, tool, facts, false))
}

fn alert(scan: ScanId, label: &str, facts: serde_json::Value, is_over: bool) -> Alert {
    // Whose it is, is filled in where it is carried: a tenant's data speaks for that tenant only.
    let of = Of::Tenant(TenantId::from_uuid(uuid::Uuid::nil()));
    Alert { of, rule: RULE.into(), subject: scan.to_string(), label: label.into(), urgency: Urgency::Critical, facts, is_over }
}

/// Critical findings of a source that failed first then, and are open.
async fn open(tx: &mut WriteTx<Data>, source: SourceId, first_seen_at: Timestamp) -> Result<i64, StoreError> {
    let now = tx.now();
    let sql = format!(
        "SELECT COUNT(*) FROM finding f WHERE f.severity_order = ?3 AND f.severity = 'critical' AND f.source_id = ?2 AND {}",
        status_is(Status::Open)
    );
    tx.one(&sql, params![now, source, first_seen_at]).await?.take()
}

/// Says of which scans none of the critical findings is open any more.
pub(crate) async fn settle(tx: &mut WriteTx<Data>) -> Result<()> {
    let sql = "SELECT scan_id, source_id, first_seen_at, label FROM critical_watch ORDER BY first_seen_at DESC, scan_id LIMIT ?1";
    for mut row in tx.rows(sql, params![WATCHED_MAX]).await? {
        let (scan, source, first_seen_at, label): (ScanId, _, _, String) = (row.take()?, row.take()?, row.take()?, row.take()?);
        if open(tx, source, first_seen_at).await? == 0 {
            tx.execute("DELETE FROM critical_watch WHERE scan_id = ?1", params![scan]).await?;
            tx.alert(&alert(scan, &label, json!({}), true))?;
        }
    }
    Ok(())
}
