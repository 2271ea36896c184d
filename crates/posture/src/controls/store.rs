//! SQL of controls.

use std::collections::HashMap;

use kernel::door::scope::Data;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, ReadTx, Result, WriteTx, params};

use super::{Control, ControlView, Filter, Requirement};
use crate::scores::{Graded, status_of};
use crate::{ControlId, ROWS_MAX};

/// Controls as the latest complete scans of all sources say; `?1` is now. `covered` are failing findings with an override.
const STATE: &str = "WITH seen AS (
    SELECT sc.control_id AS control_id, CAST(SUM(sc.passing) AS bigint) AS passing, CAST(SUM(sc.failing) AS bigint) AS failing
    FROM source s JOIN scan_control sc ON sc.scan_id = s.scan_id GROUP BY sc.control_id
), single AS (
    SELECT f.control_id AS control_id, COUNT(*) AS covered
    FROM override_item o JOIN finding f ON f.id = o.finding_id JOIN source s ON s.id = f.source_id AND s.scan_id = f.scored_scan_id
    WHERE o.revoked_at IS NULL AND o.expires_at > ?1 AND f.scored_result = 'fail' GROUP BY f.control_id
), whole AS (
    SELECT DISTINCT o.control_id AS control_id FROM override_item o
    WHERE o.finding_id IS NULL AND o.revoked_at IS NULL AND o.expires_at > ?1
), state AS (
    SELECT c.id AS id, c.uid AS uid, c.title AS title, c.severity AS severity, c.severity_rank AS severity_rank, c.tool AS tool,
        seen.control_id AS seen, COALESCE(seen.failing, 0) AS failing, COALESCE(seen.passing, 0) AS passing,
        CASE WHEN whole.control_id IS NOT NULL THEN COALESCE(seen.failing, 0) ELSE COALESCE(single.covered, 0) END AS covered
    FROM control c LEFT JOIN seen ON seen.control_id = c.id LEFT JOIN single ON single.control_id = c.id
        LEFT JOIN whole ON whole.control_id = c.id
), graded AS (
    SELECT state.*, CASE WHEN failing = 0 AND passing = 0 THEN 'manual' WHEN failing = 0 THEN 'passed'
        WHEN covered >= failing THEN 'overridden' ELSE 'failed' END AS status FROM state
)";

const COLUMNS: &str = "g.id, g.uid, g.title, g.severity, g.tool, g.failing, g.passing, g.covered";

const ORDERS: &[(&str, &str)] = &[
    ("severity", "g.severity_rank"),
    ("title", "lower(g.title)"),
    ("uid", "lower(g.uid)"),
    ("failing", "(g.failing - g.covered)"),
];

fn control(row: &mut Row) -> Result<Control, StoreError> {
    let (id, uid, title, severity, tool) = (row.take()?, row.take()?, row.take()?, row.parse()?, row.take()?);
    let (failing, passing, covered): (i64, i64, i64) = (row.take()?, row.take()?, row.take()?);
    Ok(Control {
        id,
        uid,
        title,
        severity,
        status: status_of(failing, covered, passing),
        tool,
        failing: failing - covered.min(failing),
        passing,
        overridden: covered.min(failing),
        frameworks: Vec::new(),
    })
}

fn filtered(select: &str, now: Value, pattern: Option<&str>, filter: &Filter) -> Query {
    let mut query = Query { sql: format!("{STATE} {select} FROM graded g WHERE g.seen IS NOT NULL"), params: vec![now] };
    if let Some(pattern) = pattern {
        query.push(" AND (lower(g.title) LIKE ").bind(pattern).push(" ESCAPE '\\' OR lower(g.uid) LIKE ");
        query.bind(pattern).push(" ESCAPE '\\')");
    }
    if !filter.frameworks.is_empty() {
        query.push(" AND g.id IN (SELECT cf.control_id FROM control_framework cf WHERE cf.framework IN (");
        query.bind_all(filter.frameworks.iter()).push("))");
    }
    if !filter.status.is_empty() {
        query.push(" AND g.status IN (").bind_all(filter.status.iter().map(|status| status.as_str())).push(")");
    }
    if !filter.severity.is_empty() {
        query.push(" AND g.severity IN (").bind_all(filter.severity.iter().map(|severity| severity.as_str())).push(")");
    }
    query
}

pub(super) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery, filter: &Filter) -> Result<Page<Control>> {
    let (pattern, now) = (page.pattern()?, Value::from(tx.now()));
    let order = page.order(ORDERS)?;
    let count = filtered("SELECT COUNT(*)", now.clone(), pattern.as_deref(), filter);
    let total = tx.query(&count).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let select = format!("SELECT {COLUMNS}, {}, g.id", order.key);
    let mut query = filtered(&select, now, pattern.as_deref(), filter);
    page.apply(&mut query, order, "g.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((control(&mut row)?, row.take()?, row.take()?));
    }
    let ids: Vec<ControlId> = rows.iter().map(|(control, _, _)| control.id).collect();
    let mut requirements = requirements(tx, &ids).await?;
    for (control, _, _) in &mut rows {
        control.frameworks = requirements.remove(&control.id).unwrap_or_default();
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

pub(super) async fn view(tx: &mut ReadTx<Data>, id: ControlId) -> Result<Option<ControlView>, StoreError> {
    let sql = format!(
        "{STATE} SELECT {COLUMNS}, c.description, c.remediation, c.url FROM graded g JOIN control c ON c.id = g.id WHERE g.id = ?2"
    );
    let now = tx.now();
    let Some(mut row) = tx.opt(&sql, params![now, id]).await? else { return Ok(None) };
    let control = control(&mut row)?;
    let (description, remediation, url) = (row.take()?, row.take()?, row.take()?);
    Ok(Some(ControlView { control, description, remediation, url, findings_open: 0 }))
}

pub(super) async fn lock(tx: &mut WriteTx<Data>, id: ControlId) -> Result<bool, StoreError> {
    let held = tx.execute("UPDATE control SET severity_rank = severity_rank WHERE id = ?1", params![id]).await?;
    Ok(held > 0)
}

/// The requirements that these controls serve.
pub(super) async fn requirements(
    tx: &mut ReadTx<Data>,
    ids: &[ControlId],
) -> Result<HashMap<ControlId, Vec<Requirement>>, StoreError> {
    let mut query = Query::new("SELECT control_id, framework, requirement FROM control_framework WHERE control_id IN (");
    query.bind_all(ids.iter().copied()).push(") ORDER BY control_id, framework, requirement LIMIT ").bind(ROWS_MAX);
    let mut found: HashMap<ControlId, Vec<Requirement>> = HashMap::new();
    for mut row in tx.query(&query).await? {
        let id = row.take()?;
        found.entry(id).or_default().push(Requirement { framework: row.take()?, requirement: row.take()? });
    }
    Ok(found)
}

pub(super) async fn graded(tx: &mut ReadTx<Data>) -> Result<Vec<Graded>, StoreError> {
    let sql = format!("{STATE} SELECT g.id, g.severity, g.status FROM graded g WHERE g.seen IS NOT NULL");
    let now = tx.now();
    let rows = tx.rows(&sql, params![now]).await?;
    rows.into_iter().map(|mut row| Ok(Graded { control: row.take()?, severity: row.parse()?, status: row.parse()? })).collect()
}

/// Which framework has which controls.
pub(super) async fn memberships(tx: &mut ReadTx<Data>) -> Result<Vec<(String, ControlId)>, StoreError> {
    let rows = tx.rows("SELECT DISTINCT framework, control_id FROM control_framework", params![]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}
