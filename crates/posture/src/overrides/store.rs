//! SQL of overrides.

use std::collections::HashSet;

use kernel::door::scope::Data;
use kernel::store::{Query, Row, StoreError};
use kernel::{Page, PageQuery, ReadTx, Result, Timestamp, WriteTx, params};
use uuid::Uuid;

use super::{Accepted, FindingRef, State, Stored, Target};
use crate::by::{self, By};
use crate::controls::ControlRef;
use crate::{ControlId, FindingId, OverrideId};

const COLUMNS: &str = "o.id, o.finding_id, f.title, c.id, c.uid, c.title, o.reason, o.expires_at, o.created_at, o.created_by,
    o.revoked_at, o.revoked_by";
const TABLES: &str = "override_item o JOIN control c ON c.id = o.control_id LEFT JOIN finding f ON f.id = o.finding_id";
const ORDERS: &[(&str, &str)] = &[("-created", "o.created_at"), ("expires", "o.expires_at")];

fn stored(row: &mut Row) -> Result<Stored, StoreError> {
    let id = row.take()?;
    let (finding, title): (Option<FindingId>, Option<String>) = (row.take()?, row.take()?);
    let control = ControlRef { id: row.take()?, uid: row.take()?, title: row.take()? };
    let (reason, expires_at, created_at, created_by) = (row.take()?, row.take()?, row.take()?, row.json()?);
    let (revoked_at, revoked_by): (Option<Timestamp>, Option<By>) = (row.take()?, by::read(row)?);
    let revoked = revoked_at.zip(revoked_by);
    let finding = finding.map(|id| FindingRef { id, title: title.unwrap_or_default() });
    Ok(Stored { id, finding, control, reason, expires_at, created_at, created_by, revoked })
}

fn filtered(select: &str, now: Timestamp, pattern: Option<&str>, states: &[State]) -> Query {
    let mut query = Query::new(&format!("SELECT {select} FROM {TABLES} WHERE 1 = 1"));
    if let Some(pattern) = pattern {
        query.push(" AND (lower(o.reason) LIKE ").bind(pattern).push(" ESCAPE '\\' OR lower(c.title) LIKE ").bind(pattern);
        query.push(" ESCAPE '\\' OR lower(c.uid) LIKE ").bind(pattern).push(" ESCAPE '\\')");
    }
    for (index, state) in states.iter().enumerate() {
        query.push(if index == 0 { " AND (" } else { " OR " });
        match state {
            State::Active => query.push("(o.revoked_at IS NULL AND o.expires_at > ").bind(now).push(")"),
            State::Expired => query.push("(o.revoked_at IS NULL AND o.expires_at <= ").bind(now).push(")"),
            State::Revoked => query.push("o.revoked_at IS NOT NULL"),
        };
    }
    if !states.is_empty() {
        query.push(")");
    }
    query
}

pub(super) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery, states: &[State]) -> Result<Page<Stored>> {
    let (pattern, now) = (page.pattern()?, tx.now());
    let mut order = page.order(ORDERS)?;
    order.descending |= page.sort.is_none();
    let count = filtered("COUNT(*)", now, pattern.as_deref(), states);
    let total = tx.query(&count).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("{COLUMNS}, {}, o.id", order.key), now, pattern.as_deref(), states);
    page.apply(&mut query, order, "o.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        let stored = stored(&mut row)?;
        rows.push((stored, row.take()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

pub(super) async fn find(tx: &mut ReadTx<Data>, id: OverrideId) -> Result<Option<Stored>, StoreError> {
    let row = tx.opt(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE o.id = ?1"), params![id]).await?;
    row.map(|mut row| stored(&mut row)).transpose()
}

/// The active override of a finding, or of a control as a whole.
pub(super) async fn active(tx: &mut ReadTx<Data>, target: Target) -> Result<Option<Stored>, StoreError> {
    let mut query = Query::new(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE o.revoked_at IS NULL AND o.expires_at > "));
    query.bind(tx.now());
    match target.finding {
        Some(finding) => query.push(" AND o.finding_id = ").bind(finding),
        None => query.push(" AND o.finding_id IS NULL AND o.control_id = ").bind(target.control),
    };
    query.push(" ORDER BY o.id LIMIT 1");
    tx.query(&query).await?.pop().map(|mut row| stored(&mut row)).transpose()
}

pub(super) async fn insert(tx: &mut WriteTx<Data>, id: OverrideId, target: Target, asked: &Accepted) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO override_item (id, finding_id, control_id, reason, expires_at, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, target.finding, target.control, asked.reason.as_str(), asked.expires_at, now, &asked.by],
    )
    .await?;
    Ok(())
}

pub(super) async fn revoke(tx: &mut WriteTx<Data>, id: OverrideId, by: &By) -> Result<bool, StoreError> {
    let now = tx.now();
    let revoked = tx
        .execute(
            "UPDATE override_item SET revoked_at = ?2, revoked_by = ?3 WHERE id = ?1 AND revoked_at IS NULL",
            params![id, now, by],
        )
        .await?;
    Ok(revoked > 0)
}

pub(super) async fn controls_covered_at(tx: &mut ReadTx<Data>, at: Timestamp) -> Result<HashSet<ControlId>, StoreError> {
    let rows = tx
        .rows(
            "SELECT DISTINCT control_id FROM override_item WHERE finding_id IS NULL
             AND created_at <= ?1 AND expires_at > ?1 AND (revoked_at IS NULL OR revoked_at > ?1)",
            params![at],
        )
        .await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

pub(super) async fn findings_covered_at(tx: &mut ReadTx<Data>, at: Timestamp) -> Result<HashSet<u128>, StoreError> {
    let rows = tx
        .rows(
            "SELECT DISTINCT f.key FROM override_item o JOIN finding f ON f.id = o.finding_id
             WHERE o.created_at <= ?1 AND o.expires_at > ?1 AND (o.revoked_at IS NULL OR o.revoked_at > ?1)",
            params![at],
        )
        .await?;
    rows.into_iter().map(|mut row| row.take::<Uuid>().map(|key| key.as_u128())).collect()
}

pub(super) async fn ending_before(tx: &mut ReadTx<Data>, until: Timestamp) -> Result<i64, StoreError> {
    let now = tx.now();
    let sql = "SELECT COUNT(*) FROM override_item WHERE revoked_at IS NULL AND expires_at > ?1 AND expires_at <= ?2";
    tx.one(sql, params![now, until]).await?.take()
}

pub(super) async fn next_end(tx: &mut ReadTx<Data>) -> Result<Option<Timestamp>, StoreError> {
    let now = tx.now();
    let sql = "SELECT MIN(expires_at) FROM override_item WHERE revoked_at IS NULL AND expires_at > ?1";
    tx.one(sql, params![now]).await?.take()
}
