//! SQL of scores.

use kernel::door::scope::Data;
use kernel::store::{Row, StoreError};
use kernel::{ReadTx, Timestamp, WriteTx, params};

use super::Tally;
use crate::words::Severity;
use crate::{ControlId, ScanId, SourceId};

/// Points that are looked at together.
const POINTS_MAX: i64 = 20_000;

pub(super) struct Stored {
    pub at: Timestamp,
    pub tally: Tally,
    pub scan: Option<ScanId>,
}

fn tally(row: &mut Row) -> Result<Tally, StoreError> {
    Ok(Tally { passed: row.take()?, failed: row.take()?, overridden: row.take()?, critical: row.take()?, high: row.take()? })
}

/// Points from `since` on, oldest first; of too many the latest.
pub(super) async fn points_since(tx: &mut ReadTx<Data>, since: Timestamp) -> Result<Vec<Stored>, StoreError> {
    let rows = tx
        .rows(
            "SELECT at, passed, failed, overridden, critical, high, scan_id FROM score_point WHERE at >= ?1
             ORDER BY at DESC, n DESC LIMIT ?2",
            params![since, POINTS_MAX],
        )
        .await?;
    let stored = |mut row: Row| Ok(Stored { at: row.take()?, tally: tally(&mut row)?, scan: row.take()? });
    rows.into_iter().rev().map(stored).collect()
}

/// The numbers of the latest point.
pub(super) async fn last_tally(tx: &mut ReadTx<Data>) -> Result<Option<Tally>, StoreError> {
    let row = tx
        .opt("SELECT passed, failed, overridden, critical, high FROM score_point ORDER BY at DESC, n DESC LIMIT 1", params![])
        .await?;
    row.map(|mut row| tally(&mut row)).transpose()
}

/// Holds the score until the commit. Answers the next number.
pub(super) async fn hold(tx: &mut WriteTx<Data>) -> Result<i64, StoreError> {
    let sql = "INSERT INTO score_head (n) VALUES (1) ON CONFLICT (tenant_id) DO UPDATE SET n = score_head.n + 1 RETURNING n";
    tx.one(sql, params![]).await?.take()
}

pub(super) async fn insert_point(
    tx: &mut WriteTx<Data>,
    at: Timestamp,
    tally: Tally,
    scan: Option<ScanId>,
) -> Result<(), StoreError> {
    let n = hold(tx).await?;
    tx.execute(
        "INSERT INTO score_point (n, at, score_bp, passed, failed, overridden, critical, high, scan_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![n, at, tally.score_bp(), tally.passed, tally.failed, tally.overridden, tally.critical, tally.high, scan],
    )
    .await?;
    Ok(())
}

pub(super) async fn update_point(tx: &mut WriteTx<Data>, point: i64, tally: Tally) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE score_point SET score_bp = ?2, passed = ?3, failed = ?4, overridden = ?5, critical = ?6, high = ?7 WHERE n = ?1",
        params![point, tally.score_bp(), tally.passed, tally.failed, tally.overridden, tally.critical, tally.high],
    )
    .await?;
    Ok(())
}

/// Points of scans that looked after `after` and before `until`.
pub(super) async fn scan_points_between(
    tx: &mut ReadTx<Data>,
    after: Timestamp,
    until: Option<Timestamp>,
) -> Result<Vec<(i64, Timestamp)>, StoreError> {
    let until = until.unwrap_or(Timestamp(i64::MAX));
    let rows = tx
        .rows(
            "SELECT n, at FROM score_point WHERE at > ?1 AND at < ?2 AND scan_id IS NOT NULL ORDER BY at, n LIMIT ?3",
            params![after, until, POINTS_MAX],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// When the most recent complete scan of any source looked.
pub(super) async fn latest_scan_at(tx: &mut ReadTx<Data>) -> Result<Option<Timestamp>, StoreError> {
    tx.one("SELECT MAX(scan_at) FROM source", params![]).await?.take()
}

/// When the next complete scan of this source looked.
pub(super) async fn next_scan_at(
    tx: &mut ReadTx<Data>,
    source: SourceId,
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MIN(observed_at) FROM scan WHERE source_id = ?1 AND observed_at > ?2 AND complete";
    tx.one(sql, params![source, after]).await?.take()
}

/// Distinct resources in the latest complete scan of any source.
pub(super) async fn resources(tx: &mut ReadTx<Data>) -> Result<i64, StoreError> {
    let sql =
        "SELECT COUNT(DISTINCT f.resource_uid) FROM finding f JOIN source s ON s.id = f.source_id AND s.scan_id = f.scored_scan_id";
    tx.one(sql, params![]).await?.take()
}

/// Deletes all that came from scans, and what people and time made of it. Answers how many rows went.
pub(super) async fn clear(tx: &mut WriteTx<Data>) -> Result<u64, StoreError> {
    let mut rows = 0;
    for table in [
        "comment",
        "override_item",
        "finding_history",
        "finding_evidence",
        "finding",
        "scan_control",
        "control_framework",
        "control",
        "scan",
        "source",
        "score_point",
    ] {
        rows += tx.execute(&format!("DELETE FROM {table}"), params![]).await?;
    }
    Ok(rows)
}

pub(super) async fn sources(tx: &mut ReadTx<Data>) -> Result<Vec<SourceId>, StoreError> {
    let rows = tx.rows("SELECT id FROM source ORDER BY id", params![]).await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

/// Passing, failing and overridden findings of each control in the scan that was the source's latest complete one at an instant.
pub(super) async fn controls_of_scan_at(
    tx: &mut ReadTx<Data>,
    source: SourceId,
    at: Timestamp,
) -> Result<Vec<(ControlId, Severity, [i64; 3])>, StoreError> {
    let rows = tx
        .rows(
            "SELECT c.id, c.severity, sc.passing, sc.failing, sc.overridden FROM scan_control sc JOIN control c ON c.id = sc.control_id
             WHERE sc.scan_id = (SELECT id FROM scan WHERE source_id = ?1 AND observed_at <= ?2 AND complete
                                 ORDER BY observed_at DESC, id DESC LIMIT 1)",
            params![source, at],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.parse()?, [row.take()?, row.take()?, row.take()?]))).collect()
}
