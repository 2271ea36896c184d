//! Scans: files of scanners, imported whole or not at all.
//!
//! Rules:
//! - a file is one transaction: a broken one is refused with the place that is broken, and nothing of it is kept;
//! - the same bytes again change nothing, and name the scan that they were imported as;
//! - a source is one tool on one target (with one profile). A finding is recognised by source, control, resource, region and account,
//!   or by source, control, file and the tool's own fingerprint (SARIF); never by a time or a line;
//! - the same control on the same resource twice in a file is one finding: the worst result counts, the rest is `merged`;
//! - what a complete scan does not find any more is fixed. A partial scan fixes nothing and is not scored. A scan that looked before
//!   its source's latest complete one is kept as history: it gets its place in the scores and changes no finding;
//! - `new`, `recurring` and `returned` count failing findings and add up to `failed`; `fixed` counts what failed before and does no more;
//! - at most so many imports at once, one per tenant, and a line of bounded length before them ([`ImportSettings`]).
//!
//! What it deliberately does not do: keep the file. What it says is in the findings, its hash in the scan.

mod http;
mod intake;
mod job;
mod life;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod real;
mod spool;
mod store;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use kernel::door::scope::Data;
use kernel::{Error, Hub, Page, PageQuery, ReadTx, Result, Timestamp};
use serde::Serialize;

pub use http::router;
pub use job::ImportSettings;

use crate::ScanId;
use crate::by::Named;

/// One file of a scanner.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Scan {
    /// Its id.
    pub id: ScanId,
    /// How far its import is.
    pub state: ScanState,
    /// `ocsf`, `xccdf`, `sarif`; `auto` while it is not known.
    pub format: String,
    /// The tool that looked.
    pub tool: Option<String>,
    /// Its version.
    pub tool_version: Option<String>,
    /// What was looked at.
    pub target: Option<String>,
    /// The file's name.
    pub file: String,
    /// Its size as it came.
    pub bytes: i64,
    /// BLAKE3 of its bytes as they came.
    pub sha: String,
    /// When the tool looked.
    pub observed_at: Option<Timestamp>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// Who imported it.
    pub imported_by: Named,
    /// It covers all of its target.
    pub complete: bool,
    /// Findings, after merging; the three counts below add up to it.
    pub findings: i64,
    /// Findings that pass.
    pub passed: i64,
    /// Findings that fail.
    pub failed: i64,
    /// Findings that neither pass nor fail.
    pub manual: i64,
    /// Failing for the first time.
    pub new: i64,
    /// Failed before and does no more.
    pub fixed: i64,
    /// Was fixed and fails again.
    pub returned: i64,
    /// Failed before and still does.
    pub recurring: i64,
    /// Repetitions in the file that were merged.
    pub merged: i64,
    /// Percent of this scan's own controls that pass; null for a partial scan.
    pub score: Option<f64>,
    /// OCSF classes that are not read here, and how often they occurred.
    pub unknown_classes: BTreeMap<String, u64>,
    /// How far the import is, while it runs.
    pub progress: Option<Progress>,
    /// Why the import failed.
    #[schema(value_type = Option<kernel::error::Problem>)]
    pub problem: Option<serde_json::Value>,
    /// These bytes were imported before, as this scan.
    pub duplicate_of: Option<ScanId>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// Being imported, or waiting in line.
    Running,
    /// Imported.
    Complete,
    /// Refused; nothing of it was kept.
    Failed,
    /// The hub was stopped meanwhile; nothing of it was kept.
    Interrupted,
}

/// How much of a file was read.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Bytes read, as they came.
    pub bytes_read: u64,
    /// Bytes in all.
    pub bytes_total: u64,
    /// Findings read.
    pub findings: u64,
}

/// Puts the line of imports into the hub, and clears away files that an earlier run left.
pub(crate) fn provide(hub: &Hub, settings: ImportSettings) {
    hub.provide(job::Imports::new(settings));
}

pub(crate) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery) -> Result<Page<Scan>> {
    let mut found = store::list(tx, page).await?;
    if page.cursor.is_none() {
        let mut first = job::known(tx)?;
        first.retain(|scan| found.items.iter().all(|stored| stored.id != scan.id));
        first.append(&mut found.items);
        found.items = first;
    }
    Ok(found)
}

pub(crate) async fn view(tx: &mut ReadTx<Data>, id: ScanId) -> Result<Scan> {
    if let Some(scan) = store::one(tx, id).await? {
        return Ok(scan);
    }
    job::known(tx)?.into_iter().find(|scan| scan.id == id).ok_or(Error::NotFound)
}

/// How many scans were imported.
pub(crate) async fn count(tx: &mut ReadTx<Data>) -> Result<i64> {
    Ok(store::count(tx).await?)
}

/// The key that a source of this tool and target has.
#[cfg(test)]
pub(crate) fn source_key_for_tests(tool: &str, target: &str) -> uuid::Uuid {
    uuid::Uuid::from_u128(store::source_key(tool, target, ""))
}
