//! SQL of scans.

use std::collections::{BTreeMap, BTreeSet};

use formats::{Finding, Format, Origin};
use kernel::door::scope::Data;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, ReadTx, Result, Timestamp, WriteTx, params};
use uuid::Uuid;

use super::job::Job;
use super::life::Counts;
use super::spool::Spool;
use super::write::Statements;
use super::{Scan, ScanState};
use crate::by;
use crate::words::{Severity, percent};
use crate::{ControlId, ScanId, SourceId};

/// Turns kept of each finding.
const HISTORY_MAX: i64 = 50;

const COLUMNS: &str = "s.id, s.format, s.tool, s.tool_version, s.target, s.file, s.bytes, s.sha, s.observed_at, s.imported_at,
    s.imported_by, s.complete, s.findings, s.passed, s.failed, s.manual, s.added, s.fixed, s.returned, s.recurring, s.merged,
    s.score_bp, s.unknown_classes";

const ORDERS: &[(&str, &str)] =
    &[("-at", "s.observed_at"), ("imported", "s.imported_at"), ("file", "lower(s.file)"), ("failed", "s.failed")];

fn scan(row: &mut Row, staff_names: bool) -> Result<Scan, StoreError> {
    let (id, format, tool, tool_version): (_, _, String, _) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let target: String = row.take()?;
    Ok(Scan {
        id,
        state: ScanState::Complete,
        format,
        tool: Some(tool),
        tool_version,
        target: Some(target).filter(|target| !target.is_empty()),
        file: row.take()?,
        bytes: row.take()?,
        sha: row.take()?,
        observed_at: row.take()?,
        imported_at: row.take()?,
        imported_by: row.json::<by::By>()?.shown(staff_names),
        complete: row.take()?,
        findings: row.take()?,
        passed: row.take()?,
        failed: row.take()?,
        manual: row.take()?,
        new: row.take()?,
        fixed: row.take()?,
        returned: row.take()?,
        recurring: row.take()?,
        merged: row.take()?,
        score: row.take::<Option<i64>>()?.map(percent),
        unknown_classes: row.json()?,
        progress: None,
        problem: None,
        duplicate_of: None,
    })
}

fn filtered(select: &str, pattern: Option<&str>) -> Query {
    let mut query = Query::new(&format!("SELECT {select} FROM scan s WHERE 1 = 1"));
    if let Some(pattern) = pattern {
        query.push(" AND (lower(s.file) LIKE ").bind(pattern).push(" ESCAPE '\\' OR lower(s.tool) LIKE ").bind(pattern);
        query.push(" ESCAPE '\\' OR lower(s.target) LIKE ").bind(pattern).push(" ESCAPE '\\')");
    }
    query
}

pub(super) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery) -> Result<Page<Scan>> {
    let (pattern, names) = (page.pattern()?, by::sees_staff_names(tx));
    let mut order = page.order(ORDERS)?;
    order.descending |= page.sort.is_none();
    let total = tx.query(&filtered("COUNT(*)", pattern.as_deref())).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("{COLUMNS}, {}, s.id", order.key), pattern.as_deref());
    page.apply(&mut query, order, "s.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((scan(&mut row, names)?, row.take()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

pub(super) async fn one(tx: &mut ReadTx<Data>, id: ScanId) -> Result<Option<Scan>, StoreError> {
    let names = by::sees_staff_names(tx);
    let row = tx.opt(&format!("SELECT {COLUMNS} FROM scan s WHERE s.id = ?1"), params![id]).await?;
    row.map(|mut row| scan(&mut row, names)).transpose()
}

pub(super) async fn by_sha(tx: &mut ReadTx<Data>, sha: &str) -> Result<Option<Scan>, StoreError> {
    let names = by::sees_staff_names(tx);
    let row = tx.opt(&format!("SELECT {COLUMNS} FROM scan s WHERE s.sha = ?1"), params![sha]).await?;
    row.map(|mut row| scan(&mut row, names)).transpose()
}

pub(super) async fn count(tx: &mut ReadTx<Data>) -> Result<i64, StoreError> {
    tx.one("SELECT COUNT(*) FROM scan", params![]).await?.take()
}

/// Where a scan belongs, and what that means for it.
pub(super) struct Stream {
    pub source: SourceId,
    /// Key of the source: the beginning of the keys of its findings.
    pub key: u128,
    pub tool: String,
    pub format: Format,
    pub observed_at: Timestamp,
    /// The scan covers all of its target.
    pub complete: bool,
    /// The scan is not older than what the source had: it changes findings.
    pub applied: bool,
    /// The source has no findings yet.
    pub fresh: bool,
}

/// The first 16 bytes of a BLAKE3 of these parts, which cannot run into each other.
fn key_of(kind: &str, parts: &[&str]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_be_bytes(bytes)
}

pub(super) fn source_key(tool: &str, target: &str, profile: &str) -> u128 {
    key_of("source", &[tool, target, profile])
}

pub(super) fn control_key(tool: &str, uid: &str) -> u128 {
    key_of("control", &[tool, uid])
}

/// What a finding is recognised by.
pub(super) fn finding_key(stream: &Stream, finding: &Finding) -> u128 {
    let source = stream.key.to_string();
    let resource = &finding.resource;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match stream.format {
        Format::Sarif => {
            let fingerprint = text(&finding.fingerprint);
            key_of("sarif", &[&source, &finding.control_uid, &resource.uid, &fingerprint])
        }
        Format::Ocsf | Format::Xccdf => {
            let (region, account) = (text(&resource.region), text(&resource.account));
            key_of("finding", &[&source, &finding.control_uid, &resource.uid, &region, &account])
        }
    }
}

/// Finds or makes the source of a file, and holds it until the commit.
pub(super) async fn open_stream(tx: &mut WriteTx<Data>, origin: &Origin, observed_at: Timestamp, complete: bool) -> Result<Stream> {
    let (target, profile) = (origin.target.as_deref().unwrap_or_default(), origin.profile.as_deref().unwrap_or_default());
    let key = source_key(&origin.tool, target, profile);
    let (id, now) = (SourceId::new(tx.now()), tx.now());
    let row = tx
        .opt(
            "INSERT INTO source (id, key, tool, target, profile, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tenant_id, key) DO UPDATE SET tool = excluded.tool RETURNING id, scan_at",
            params![id, Uuid::from_u128(key), origin.tool.as_str(), target, profile, now],
        )
        .await?;
    let mut row = row.ok_or_else(|| Error::internal("a source that was just written is not there"))?;
    let (source, latest_at): (SourceId, Option<Timestamp>) = (row.take()?, row.take()?);
    let earlier = tx.opt("SELECT id FROM scan WHERE source_id = ?1 AND applied LIMIT 1", params![source]).await?;
    Ok(Stream {
        source,
        key,
        tool: origin.tool.clone(),
        format: origin.format,
        observed_at,
        complete,
        applied: latest_at.is_none_or(|latest_at| observed_at >= latest_at),
        fresh: earlier.is_none(),
    })
}

pub(super) async fn insert_scan(tx: &mut WriteTx<Data>, job: &Job, spool: &Spool, origin: &Origin, stream: &Stream) -> Result<()> {
    let (what, now) = (&job.what, tx.now());
    let inserted = tx
        .execute(
            "INSERT INTO scan (id, source_id, format, tool, tool_version, target, file, bytes, sha, observed_at, imported_at,
                 imported_by, complete, applied)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (tenant_id, sha) DO NOTHING",
            params![
                what.scan,
                stream.source,
                origin.format.as_str(),
                origin.tool.as_str(),
                origin.tool_version.as_deref(),
                origin.target.as_deref().unwrap_or_default(),
                what.file.as_str(),
                spool.bytes,
                spool.sha.as_str(),
                stream.observed_at,
                now,
                &what.by,
                stream.complete,
                stream.applied,
            ],
        )
        .await?;
    if inserted == 0 {
        return Err(Error::Conflict("The same file was imported at the same time.".into()));
    }
    Ok(())
}

/// Id, uid, content hash and severity of the controls that a tool had before.
pub(super) async fn controls_of_tool(
    tx: &mut ReadTx<Data>,
    tool: &str,
) -> Result<Vec<(ControlId, String, u128, Severity)>, StoreError> {
    let rows = tx.rows("SELECT id, uid, content, severity FROM control WHERE tool = ?1", params![tool]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take::<Uuid>()?.as_u128(), row.parse()?))).collect()
}

/// A control as it is to be written.
pub(super) struct ControlRow {
    pub id: ControlId,
    pub key: u128,
    pub tool: String,
    pub uid: String,
    pub title: String,
    pub description: Option<String>,
    pub remediation: Option<String>,
    pub url: Option<String>,
    pub severity: Severity,
    pub content: u128,
    pub frameworks: BTreeSet<(String, String)>,
}

impl ControlRow {
    /// Of everything that is written of it.
    pub fn hash(&self) -> u128 {
        let text = |text: &Option<String>| text.as_ref().map_or_else(|| "-".to_owned(), |text| format!("+{text}"));
        let (description, remediation, url) = (text(&self.description), text(&self.remediation), text(&self.url));
        let mut parts = vec![self.title.as_str(), self.severity.as_str(), &description, &remediation, &url];
        parts.extend(self.frameworks.iter().flat_map(|(framework, requirement)| [framework.as_str(), requirement.as_str()]));
        key_of("content", &parts)
    }
}

pub(super) async fn put_controls(tx: &mut WriteTx<Data>, rows: Vec<ControlRow>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut last: BTreeMap<ControlId, ControlRow> = BTreeMap::new();
    for row in rows {
        last.insert(row.id, row);
    }
    let mut values = Vec::new();
    for row in last.into_values() {
        tx.execute("DELETE FROM control_framework WHERE control_id = ?1", params![row.id]).await?;
        for (framework, requirement) in &row.frameworks {
            values.extend([row.id.into(), framework.into(), requirement.into()]);
        }
        put_control(tx, row).await?;
    }
    let statements =
        Statements::new("INSERT INTO control_framework (control_id, framework, requirement) VALUES ", &["#", "#", "#"], 0, "");
    Ok(statements.run(tx, &[], values).await?)
}

async fn put_control(tx: &mut WriteTx<Data>, row: ControlRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO control (id, key, tool, uid, title, description, remediation, url, severity, severity_rank, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (tenant_id, key) DO UPDATE SET title = excluded.title, description = excluded.description,
             remediation = excluded.remediation, url = excluded.url, severity = excluded.severity,
             severity_rank = excluded.severity_rank, content = excluded.content",
        params![
            row.id,
            Uuid::from_u128(row.key),
            row.tool,
            row.uid,
            row.title,
            row.description,
            row.remediation,
            row.url,
            row.severity.as_str(),
            row.severity.rank(),
            Uuid::from_u128(row.content)
        ],
    )
    .await?;
    Ok(())
}

/// What the scan said of each control: passing, failing, neither, overridden.
pub(super) async fn insert_scan_controls(tx: &mut WriteTx<Data>, scan: ScanId, rows: &[(ControlId, [i64; 4])]) -> Result<()> {
    let statements = Statements::new(
        "INSERT INTO scan_control (scan_id, control_id, passing, failing, manual, overridden) VALUES ",
        &["?1", "#", "#", "#", "#", "#"],
        1,
        "",
    );
    let values = rows.iter().flat_map(|(control, counts)| {
        let counts = counts.iter().map(|count| Value::from(*count));
        std::iter::once(Value::from(*control)).chain(counts).collect::<Vec<_>>()
    });
    Ok(statements.run(tx, params![scan], values.collect()).await?)
}

/// What a complete scan does not have any more is fixed if it failed; if it never did, it is gone. Answers how many were fixed.
pub(super) async fn fix_missing(
    tx: &mut WriteTx<Data>,
    source: SourceId,
    scan: ScanId,
    observed_at: Timestamp,
) -> Result<i64, StoreError> {
    // What a later partial scan saw is not missing.
    const MISSING: &str = "source_id = ?1 AND last_scan_id <> ?2 AND last_seen_at <= ?3";
    let these = params![source, scan, observed_at];
    tx.execute(
        &format!(
            "INSERT INTO finding_history (finding_id, n, scan_id, at, outcome)
             SELECT finding.id, finding.changes + 1, scan.id, scan.observed_at, 'fixed' FROM finding JOIN scan ON scan.id = ?2
             WHERE finding.{MISSING} AND finding.result = 'fail'"
        ),
        these,
    )
    .await?;
    let fixed = tx
        .execute(
            &format!(
                "UPDATE finding SET result = 'pass', lifecycle = 'fixed', changes = changes + 1 WHERE {MISSING} AND result = 'fail'"
            ),
            these,
        )
        .await?;
    tx.execute(&format!("UPDATE finding SET gone = true WHERE {MISSING} AND NOT has_failed AND NOT gone"), these).await?;
    Ok(i64::try_from(fixed).unwrap_or(i64::MAX))
}

pub(super) async fn set_latest(
    tx: &mut WriteTx<Data>,
    source: SourceId,
    scan: ScanId,
    observed_at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("UPDATE source SET scan_id = ?2, scan_at = ?3 WHERE id = ?1", params![source, scan, observed_at]).await?;
    Ok(())
}

/// Forgets all but the last turns of each finding.
pub(super) async fn trim_history(tx: &mut WriteTx<Data>, source: SourceId) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM finding_history WHERE finding_id IN (SELECT f.id FROM finding f WHERE f.source_id = ?1 AND f.changes > ?2)
         AND n <= (SELECT g.changes - ?2 FROM finding g WHERE g.id = finding_history.finding_id)",
        params![source, HISTORY_MAX],
    )
    .await?;
    Ok(())
}

pub(super) async fn finish_scan(
    tx: &mut WriteTx<Data>,
    scan: ScanId,
    counts: &Counts,
    score_bp: Option<i64>,
    unknown_classes: &BTreeMap<String, u64>,
) -> Result<()> {
    let unknown_classes = serde_json::to_string(unknown_classes).map_err(Error::internal)?;
    tx.execute(
        "UPDATE scan SET findings = ?2, passed = ?3, failed = ?4, manual = ?5, added = ?6, fixed = ?7, returned = ?8, recurring = ?9,
             merged = ?10, score_bp = ?11, unknown_classes = ?12 WHERE id = ?1",
        params![
            scan,
            counts.passed + counts.failed + counts.manual,
            counts.passed,
            counts.failed,
            counts.manual,
            counts.new,
            counts.fixed,
            counts.returned,
            counts.recurring,
            counts.merged,
            score_bp,
            unknown_classes,
        ],
    )
    .await?;
    Ok(())
}
