//! The compliance score, over time, and the summary that the provider sees of it.
//!
//! Rules (product.md §6, docs/decisions/0001-score-over-sources.md):
//! - score = passed ÷ (passed + failed) controls of the most recent complete scan of every source, taken together;
//! - a control fails when any of its findings there fails and is not overridden; one whose failing findings are all overridden
//!   counts as passed, and is shown as overridden; what is neither passed nor failed does not count;
//! - without a complete scan, or with nothing judged, there is no score;
//! - alert counts are the failing controls of severity critical and high;
//! - one point is kept for every complete scan, at the instant the scan looked, and one for every change of overrides.
//!
//! What it deliberately does not do: weigh controls against each other, or judge partial scans.

pub(crate) mod criticals;
mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use kernel::clock::DAY_US;
use kernel::door::scope::Data;
use kernel::{Hub, ReadTx, Result, TenantId, Timestamp, WriteTx};
use serde::{Deserialize, Serialize};

pub use http::router;

use crate::words::{ControlStatus, Severity, percent, score_bp};
use crate::{ControlId, ScanId, SourceId, controls, findings, overrides, scans};

/// Days that the trend of the summary shows.
const TREND_DAYS: i64 = 90;
/// Frameworks in the summary: the largest.
const FRAMEWORKS_SHOWN: usize = 12;
/// An override that ends within this time asks for a decision.
const EXPIRING_DAYS: i64 = 7;
/// What the outbox calls the summary.
const TOPIC: &str = "summary";

/// The score at one instant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ScorePoint {
    /// When.
    pub at: Timestamp,
    /// Percent with one decimal; null when nothing was judged.
    pub score: Option<f64>,
    /// Controls that pass, the overridden ones among them.
    pub passed: i64,
    /// Controls that fail.
    pub failed: i64,
    /// Controls that count as passed because of an override.
    pub overridden: i64,
    /// Failing controls of severity critical.
    pub critical: i64,
    /// Failing controls of severity high.
    pub high: i64,
    /// The scan that made it; null when an override began or ended.
    pub scan: Option<ScanId>,
}

/// The points of some days, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Scores {
    /// The points.
    pub items: Vec<ScorePoint>,
}

/// What is told to the control database after every act that changes numbers: all that a provider sees without entering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Hundredths of a percent; none without a complete scan.
    pub score_bp: Option<i64>,
    /// Controls that pass, the overridden ones among them.
    pub passed: i64,
    /// Controls that fail.
    pub failed: i64,
    /// Controls that count as passed because of an override.
    pub overridden: i64,
    /// Failing controls of severity critical.
    pub critical: i64,
    /// Failing controls of severity high.
    pub high: i64,
    /// Scans imported.
    pub scans: i64,
    /// Findings that fail and are not overridden.
    pub findings_open: i64,
    /// Distinct resources in the latest complete scan of any source.
    #[serde(default)]
    pub resources: i64,
    /// When the most recent complete scan looked.
    pub scan_at: Option<Timestamp>,
    /// Day number since 1970 and the last score of that day, in hundredths of a percent; the last 90 days.
    pub trend: Vec<(i64, i64)>,
    /// The twelve frameworks with the most controls.
    pub frameworks: Vec<FrameworkScore>,
    /// What waits for somebody's decision.
    pub decisions: Vec<Decision>,
    /// When time alone will change these numbers: the earliest end of an override.
    pub recheck_at: Option<Timestamp>,
}

/// The score of one framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkScore {
    /// Its name.
    pub framework: String,
    /// Controls that pass, the overridden ones among them.
    pub passed: i64,
    /// Controls that fail.
    pub failed: i64,
    /// Hundredths of a percent.
    pub score_bp: i64,
}

/// Something that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// `override_expiring`, `unassigned_critical`, `new_critical`.
    pub kind: String,
    /// How many.
    pub count: i64,
}

/// What a control counts as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Graded {
    pub control: ControlId,
    pub severity: Severity,
    pub status: ControlStatus,
}

/// Graded controls, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub passed: i64,
    pub failed: i64,
    pub overridden: i64,
    pub critical: i64,
    pub high: i64,
}

impl Tally {
    /// Counts controls.
    pub fn of<'a>(graded: impl IntoIterator<Item = &'a Graded>) -> Self {
        let mut tally = Self::default();
        for one in graded {
            match (one.status, one.severity) {
                (ControlStatus::Manual, _) => {}
                (ControlStatus::Passed, _) => tally.passed += 1,
                (ControlStatus::Overridden, _) => {
                    tally.passed += 1;
                    tally.overridden += 1;
                }
                (ControlStatus::Failed, severity) => {
                    tally.failed += 1;
                    tally.critical += i64::from(severity == Severity::Critical);
                    tally.high += i64::from(severity == Severity::High);
                }
            }
        }
        tally
    }

    /// Hundredths of a percent; none when nothing was judged.
    pub fn score_bp(self) -> Option<i64> {
        score_bp(self.passed, self.failed)
    }
}

/// What a control counts as: its failing findings, how many of them are overridden, its passing ones.
pub(crate) fn status_of(failing: i64, overridden: i64, passing: i64) -> ControlStatus {
    match (failing, passing) {
        (0, 0) => ControlStatus::Manual,
        (0, _) => ControlStatus::Passed,
        _ if overridden >= failing => ControlStatus::Overridden,
        _ => ControlStatus::Failed,
    }
}

/// The points of the last `days` days, oldest first.
pub(crate) async fn list(tx: &mut ReadTx<Data>, days: i64) -> Result<Scores> {
    let since = tx.now().plus_days(-days);
    let points = store::points_since(tx, since).await?;
    let items = points.into_iter().map(|point| ScorePoint {
        at: point.at,
        score: point.tally.score_bp().map(percent),
        passed: point.tally.passed,
        failed: point.tally.failed,
        overridden: point.tally.overridden,
        critical: point.tally.critical,
        high: point.tally.high,
        scan: point.scan,
    });
    Ok(Scores { items: items.collect() })
}

/// Holds the score until the commit, so that no two change it at once without each other's change. Rows of findings and controls are
/// held before it, never after.
pub(crate) async fn hold(tx: &mut WriteTx<Data>) -> Result<()> {
    store::hold(tx).await?;
    Ok(())
}

/// Keeps the point of a complete scan, and puts right the points after it that did not know of it.
pub(crate) async fn scan_came(tx: &mut WriteTx<Data>, scan: ScanId, source: SourceId, at: Timestamp) -> Result<()> {
    let is_latest = store::latest_scan_at(tx).await? == Some(at);
    let tally = if is_latest { Tally::of(&controls::graded(tx).await?) } else { tally_at(tx, at).await? };
    store::insert_point(tx, at, tally, Some(scan)).await?;
    let until = store::next_scan_at(tx, source, at).await?;
    for (point, at) in store::scan_points_between(tx, at, until).await? {
        let tally = tally_at(tx, at).await?;
        store::update_point(tx, point, tally).await?;
    }
    Ok(())
}

/// The tally of an instant in the past: of each source the scan that was its latest then, with the overrides of then.
async fn tally_at(tx: &mut ReadTx<Data>, at: Timestamp) -> Result<Tally> {
    let whole = overrides::controls_covered_at(tx, at).await?;
    let mut counts: HashMap<ControlId, (Severity, [i64; 3])> = HashMap::new();
    for source in store::sources(tx).await? {
        for (control, severity, more) in store::controls_of_scan_at(tx, source, at).await? {
            let (_, sum) = counts.entry(control).or_insert((severity, [0; 3]));
            for (sum, more) in sum.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }
    let graded: Vec<Graded> = counts
        .into_iter()
        .map(|(control, (severity, [passing, failing, overridden]))| {
            let overridden = if whole.contains(&control) { failing } else { overridden };
            Graded { control, severity, status: status_of(failing, overridden, passing) }
        })
        .collect();
    Ok(Tally::of(&graded))
}

/// Keeps a point because overrides changed, and lays the summary ready.
pub(crate) async fn overrides_changed(tx: &mut WriteTx<Data>) -> Result<()> {
    hold(tx).await?;
    let summary = summarise(tx).await?;
    let (now, tally) = (tx.now(), summary.tally());
    let is_news = store::last_tally(tx).await? != Some(tally);
    if is_news && summary.scan_at.is_some() {
        store::insert_point(tx, now, tally, None).await?;
    }
    publish_summary(tx, summary).await
}

/// Lays the summary ready for the control database, in this commit.
pub(crate) async fn publish(tx: &mut WriteTx<Data>) -> Result<()> {
    hold(tx).await?;
    let summary = summarise(tx).await?;
    publish_summary(tx, summary).await
}

async fn publish_summary(tx: &mut WriteTx<Data>, mut summary: Summary) -> Result<()> {
    criticals::settle(tx).await?;
    summary.trend = trend(tx).await?;
    tx.publish(TOPIC, &summary)
}

/// Recomputes and publishes what time alone changed: an override ended.
///
/// # Errors
/// `NotFound` without such a tenant, `Unavailable`.
pub async fn recheck(hub: &Hub, tenant: TenantId) -> Result<()> {
    let mut tx = hub.system(tenant, "summary.recheck", "an override came to its end").await?;
    overrides_changed(&mut tx).await?;
    tx.commit().await
}

/// Deletes everything that was imported and what was made of it, for good: when the compliance module left the plan and the time for
/// which its data is kept is over. Answers how many rows went; the tenant's ledger says so too, and stays.
///
/// # Errors
/// `NotFound` without such a tenant, `Unavailable`. Done again it changes nothing.
pub async fn empty(hub: &Hub, tenant: TenantId) -> Result<u64> {
    let mut tx = hub.system(tenant, "module.empty", "compliance left the plan, and its data was kept as long as was said").await?;
    hold(&mut tx).await?;
    let rows = store::clear(&mut tx).await?;
    publish(&mut tx).await?;
    tx.subject("module", "compliance", None);
    tx.changed("module", "compliance", &serde_json::json!({ "rows": rows }), &serde_json::json!({ "rows": 0 }));
    tx.commit().await?;
    Ok(rows)
}

impl Summary {
    fn tally(&self) -> Tally {
        Tally { passed: self.passed, failed: self.failed, overridden: self.overridden, critical: self.critical, high: self.high }
    }
}

/// The summary as of now, without its trend.
async fn summarise(tx: &mut ReadTx<Data>) -> Result<Summary> {
    let graded = controls::graded(tx).await?;
    let tally = Tally::of(&graded);
    let open = findings::open_counts(tx).await?;
    let expiring = overrides::expiring(tx, EXPIRING_DAYS).await?;
    let scan_at = store::latest_scan_at(tx).await?;
    let decisions =
        [("override_expiring", expiring), ("unassigned_critical", open.critical_unassigned), ("new_critical", open.critical_new)];
    Ok(Summary {
        score_bp: scan_at.and_then(|_| tally.score_bp()),
        passed: tally.passed,
        failed: tally.failed,
        overridden: tally.overridden,
        critical: tally.critical,
        high: tally.high,
        scans: scans::count(tx).await?,
        findings_open: open.all,
        resources: store::resources(tx).await?,
        scan_at,
        trend: Vec::new(),
        frameworks: frameworks(tx, &graded).await?,
        decisions: decisions
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| Decision { kind: kind.into(), count })
            .collect(),
        recheck_at: overrides::next_end(tx).await?,
    })
}

async fn frameworks(tx: &mut ReadTx<Data>, graded: &[Graded]) -> Result<Vec<FrameworkScore>> {
    let tallies = controls::tallies_by_framework(tx, graded).await?;
    let mut scores: Vec<FrameworkScore> = tallies
        .into_iter()
        .filter_map(|(framework, tally)| {
            let score_bp = tally.score_bp()?;
            Some(FrameworkScore { framework, passed: tally.passed, failed: tally.failed, score_bp })
        })
        .collect();
    scores.sort_by(|a, b| (b.passed + b.failed).cmp(&(a.passed + a.failed)).then_with(|| a.framework.cmp(&b.framework)));
    scores.truncate(FRAMEWORKS_SHOWN);
    Ok(scores)
}

/// The last score of each day.
async fn trend(tx: &mut ReadTx<Data>) -> Result<Vec<(i64, i64)>> {
    let today = tx.now().0.div_euclid(DAY_US);
    let since = Timestamp((today - TREND_DAYS + 1) * DAY_US);
    let points = store::points_since(tx, since).await?;
    let scored = points.iter().filter_map(|point| Some((point.at.0.div_euclid(DAY_US), point.tally.score_bp()?)));
    let by_day: BTreeMap<i64, i64> = scored.collect();
    Ok(by_day.into_iter().collect())
}
