//! Controls: the rules that scanners check. A control is known by the tool and the tool's name for it, and serves requirements of
//! frameworks.
//!
//! Rules:
//! - its status is that of the most recent complete scan of every source, taken together (see [`crate::scores`]);
//! - `failing` counts the findings that count against it, `overridden` those that would without an override;
//! - the list shows the controls of those scans; one that only earlier scans knew can still be viewed.
//!
//! What it deliberately does not do: let anybody edit a control. It says what the scanner says.

mod http;
mod store;

use std::collections::{BTreeMap, HashMap};

use kernel::door::scope::Data;
use kernel::{Error, Page, PageQuery, ReadTx, Result, WriteTx};
use serde::Serialize;

pub use http::router;

use crate::scores::{Graded, Tally};
use crate::words::{ControlStatus, Severity, percent};
use crate::{ControlId, findings};

/// A rule that is checked.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Control {
    /// Its id.
    pub id: ControlId,
    /// The tool's name for it.
    pub uid: String,
    /// One line.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// What it counts as.
    pub status: ControlStatus,
    /// The tool that checks it.
    pub tool: String,
    /// Findings that fail and are not overridden.
    pub failing: i64,
    /// Findings that pass.
    pub passing: i64,
    /// Findings that fail and are overridden.
    pub overridden: i64,
    /// Requirements it serves.
    pub frameworks: Vec<Requirement>,
}

/// A requirement of a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Requirement {
    /// `CIS-5.0`.
    pub framework: String,
    /// `1.14`.
    pub requirement: String,
}

/// A control with all that is known of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ControlView {
    /// The control.
    #[serde(flatten)]
    pub control: Control,
    /// What is checked and why.
    pub description: Option<String>,
    /// What to do when it fails.
    pub remediation: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// Findings that are open now.
    pub findings_open: i64,
}

/// How a tenant stands in one framework.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Framework {
    /// Its name.
    pub framework: String,
    /// Controls that serve it and were judged.
    pub controls: i64,
    /// Those that pass, the overridden ones among them.
    pub passed: i64,
    /// Those that fail.
    pub failed: i64,
    /// Those that count as passed because of an override.
    pub overridden: i64,
    /// Percent with one decimal.
    pub score: Option<f64>,
}

/// All frameworks, by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Frameworks {
    /// The frameworks.
    pub items: Vec<Framework>,
}

/// Which controls a list shows.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub frameworks: Vec<String>,
    pub status: Vec<ControlStatus>,
    pub severity: Vec<Severity>,
}

/// Names a control elsewhere.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ControlRef {
    /// Its id.
    pub id: ControlId,
    /// The tool's name for it.
    pub uid: String,
    /// One line.
    pub title: String,
}

pub(crate) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery, filter: &Filter) -> Result<Page<Control>> {
    store::list(tx, page, filter).await
}

pub(crate) async fn view(tx: &mut ReadTx<Data>, id: ControlId) -> Result<ControlView> {
    let mut view = store::view(tx, id).await?.ok_or(Error::NotFound)?;
    view.control.frameworks = requirements(tx, id).await?;
    view.findings_open = findings::open_of_control(tx, id).await?;
    Ok(view)
}

/// The requirements that a control serves.
pub(crate) async fn requirements(tx: &mut ReadTx<Data>, id: ControlId) -> Result<Vec<Requirement>> {
    Ok(store::requirements(tx, &[id]).await?.remove(&id).unwrap_or_default())
}

/// Holds a control until the commit, so that two who override it at once take turns.
pub(crate) async fn lock(tx: &mut WriteTx<Data>, id: ControlId) -> Result<()> {
    if store::lock(tx, id).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Every control of the scans that count, with what it counts as now.
pub(crate) async fn graded(tx: &mut ReadTx<Data>) -> Result<Vec<Graded>> {
    Ok(store::graded(tx).await?)
}

/// Graded controls, counted by the frameworks they serve.
pub(crate) async fn tallies_by_framework(tx: &mut ReadTx<Data>, graded: &[Graded]) -> Result<BTreeMap<String, Tally>> {
    let by_id: HashMap<ControlId, &Graded> = graded.iter().map(|one| (one.control, one)).collect();
    let mut members: BTreeMap<String, Vec<&Graded>> = BTreeMap::new();
    for (framework, control) in store::memberships(tx).await? {
        if let Some(one) = by_id.get(&control) {
            members.entry(framework).or_default().push(one);
        }
    }
    Ok(members.into_iter().map(|(framework, graded)| (framework, Tally::of(graded))).collect())
}

pub(crate) async fn frameworks(tx: &mut ReadTx<Data>) -> Result<Frameworks> {
    let graded = graded(tx).await?;
    let tallies = tallies_by_framework(tx, &graded).await?;
    let items = tallies.into_iter().map(|(framework, tally)| Framework {
        framework,
        controls: tally.passed + tally.failed,
        passed: tally.passed,
        failed: tally.failed,
        overridden: tally.overridden,
        score: tally.score_bp().map(percent),
    });
    Ok(Frameworks { items: items.collect() })
}
