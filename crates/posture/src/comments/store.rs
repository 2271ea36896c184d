//! SQL of comments.

use kernel::door::scope::Data;
use kernel::store::StoreError;
use kernel::{ReadTx, Timestamp, WriteTx, params};

use crate::by::By;
use crate::{CommentId, FindingId};

/// Comments that are shown with a finding: the last ones.
const SHOWN_MAX: i64 = 500;

/// Writes the `n`th comment of a finding.
pub(super) async fn insert(
    tx: &mut WriteTx<Data>,
    id: CommentId,
    (finding, n): (FindingId, i64),
    by: &By,
    text: &str,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO comment (id, finding_id, n, author, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id, finding, n, by, text, now],
    )
    .await?;
    Ok(())
}

pub(super) async fn of_finding(
    tx: &mut ReadTx<Data>,
    finding: FindingId,
) -> Result<Vec<(CommentId, By, String, Timestamp)>, StoreError> {
    let sql = "SELECT id, author, body, at FROM comment WHERE finding_id = ?1 ORDER BY n DESC LIMIT ?2";
    let rows = tx.rows(sql, params![finding, SHOWN_MAX]).await?;
    rows.into_iter().rev().map(|mut row| Ok((row.take()?, row.json()?, row.take()?, row.take()?))).collect()
}
