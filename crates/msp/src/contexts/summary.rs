//! The tenant at a glance.

use access::{Act, Grant, Subject};
use kernel::clock::DAY_US;
use kernel::{ReadTx, Result, TenantCx, Timestamp, scope};
use serde::Serialize;

use super::decisions::{self, Decision};
use super::store::{self, Numbers, Stored};
use crate::ledger::{self, Recent};

/// Days of the trend.
const TREND_DAYS: i64 = 30;
/// Acts shown.
const RECENT: u32 = 10;

/// The tenant at a glance.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Summary {
    /// 0 to 100 with one decimal; `null` before the first complete scan.
    pub score: Option<f64>,
    /// Controls that pass.
    pub passed: i64,
    /// Controls that fail.
    pub failed: i64,
    /// Controls that count as passed because of an override.
    pub overridden: i64,
    /// 30 daily scores, oldest first, the last one today's; `null` before the first.
    pub trend: Vec<Option<f64>>,
    /// Points gained in 30 days; `null` when there was no score then.
    pub delta: Option<f64>,
    /// How old the last complete scan is.
    pub scan: ScanAge,
    /// Failing controls of severity critical.
    pub critical: i64,
    /// Failing controls of severity high.
    pub high: i64,
    /// Seats.
    pub seats: Seats,
    /// Scores by framework; empty for who may not read them.
    pub frameworks: Vec<FrameworkScore>,
    /// What waits for somebody; empty for who has only the summary.
    pub decisions: Vec<Decision>,
    /// The last acts; empty for who may not read the ledger.
    pub recent: Vec<Recent>,
}

/// How old the last complete scan is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ScanAge {
    /// Current, stale or never.
    pub status: ScanStatus,
    /// When it looked.
    pub at: Option<Timestamp>,
    /// When it goes stale.
    pub stale_at: Option<Timestamp>,
}

/// State of the last complete scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanStatus {
    /// Within the tenant's interval.
    Current,
    /// Older.
    Stale,
    /// There is none.
    Never,
}

/// Seats: members that are not disabled.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Seats {
    /// Taken.
    pub used: i64,
    /// Of how many; `null`: unlimited, 0: none.
    pub limit: Option<i64>,
    /// Whether that is fine.
    pub status: SeatsStatus,
}

/// State of the seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatsStatus {
    /// Within the limit.
    Ok,
    /// Above it. Nothing stops.
    OverLimit,
    /// There is none.
    Unlimited,
}

/// The score of one framework.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FrameworkScore {
    /// Its name.
    pub framework: String,
    /// Controls that pass.
    pub passed: i64,
    /// Controls that fail.
    pub failed: i64,
    /// 0 to 100 with one decimal.
    pub score: f64,
}

/// The tenant at a glance, as far as the person who asks may look.
///
/// # Errors
/// As the store's.
pub async fn summary(cx: &TenantCx, mut tx: ReadTx<scope::Records>) -> Result<Summary> {
    let stored = store::stored(&mut tx).await?;
    let sight = Sight::of(cx, &tx);
    let scan = scan_age(&stored, tx.now());
    let seats = seats(&stored);
    let numbers = stored.numbers.as_ref();
    let mut decisions = Vec::new();
    if sight.findings {
        decisions.extend(numbers.iter().flat_map(|n| &n.decisions).filter_map(|d| decisions::counted(&d.kind, d.count)));
        decisions.extend(decisions::scan(&scan, stored.scan_interval_days));
    }
    if sight.inside {
        decisions.extend(decisions::seats(&seats));
    }
    let today = tx.now().0.div_euclid(DAY_US);
    drop(tx);
    let count = |of: fn(&Numbers) -> i64| numbers.map_or(0, of);
    Ok(Summary {
        score: numbers.and_then(|n| n.score_bp).map(points),
        passed: count(|n| n.passed),
        failed: count(|n| n.failed),
        overridden: count(|n| n.overridden),
        trend: daily(numbers, today),
        delta: numbers.and_then(|n| delta(n, today)),
        scan,
        critical: count(|n| n.critical),
        high: count(|n| n.high),
        seats,
        frameworks: numbers.filter(|_| sight.frameworks).map(frameworks).unwrap_or_default(),
        decisions,
        recent: if sight.inside { ledger::recent(cx, RECENT).await? } else { Vec::new() },
    })
}

/// How far the person who asks may look.
struct Sight {
    /// Further than the summary.
    inside: bool,
    frameworks: bool,
    findings: bool,
}

impl Sight {
    fn of(cx: &TenantCx, tx: &ReadTx<scope::Records>) -> Self {
        let may = |act: Act| tx.may(act, Subject::Any).allowed;
        // Whoever is more than a reader of summaries may read at least what they did themselves; members see more than that.
        let inside = matches!(cx.held().grant, Grant::Membership(_)) || may(Act::LedgerListOwn);
        Self { inside, frameworks: inside && may(Act::FrameworkList), findings: inside && may(Act::FindingList) }
    }
}

/// Hundredths of a percent as a percentage with one decimal.
fn points(bp: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a score has at most five digits")]
    let tenths = (bp as f64 / 10.0).round();
    tenths / 10.0
}

fn frameworks(numbers: &Numbers) -> Vec<FrameworkScore> {
    let scores = numbers.frameworks.iter().map(|f| FrameworkScore {
        framework: f.framework.clone(),
        passed: f.passed,
        failed: f.failed,
        score: points(f.score_bp),
    });
    scores.collect()
}

fn scan_age(stored: &Stored, now: Timestamp) -> ScanAge {
    let at = stored.numbers.as_ref().and_then(|n| n.scan_at);
    let stale_at = at.map(|at| at.plus_days(stored.scan_interval_days));
    let status = match stale_at {
        None => ScanStatus::Never,
        Some(end) if now >= end => ScanStatus::Stale,
        Some(_) => ScanStatus::Current,
    };
    ScanAge { status, at, stale_at }
}

fn seats(stored: &Stored) -> Seats {
    let (used, limit) = (stored.seats_used, stored.seats_limit);
    let status = match limit {
        None => SeatsStatus::Unlimited,
        Some(limit) if used > limit => SeatsStatus::OverLimit,
        Some(_) => SeatsStatus::Ok,
    };
    Seats { used, limit, status }
}

/// The score that was known at the end of a day, in hundredths of a percent.
fn score_on(numbers: &Numbers, day: i64) -> Option<i64> {
    numbers.trend.iter().filter(|(of, _)| *of <= day).max_by_key(|(of, _)| *of).map(|(_, bp)| *bp)
}

/// One score per day up to today, each day without one carrying on the last.
fn daily(numbers: Option<&Numbers>, today: i64) -> Vec<Option<f64>> {
    let days = today - TREND_DAYS + 1..=today;
    days.map(|day| numbers.and_then(|n| score_on(n, day)).map(points)).collect()
}

/// The score now less that of [`TREND_DAYS`] ago.
fn delta(numbers: &Numbers, today: i64) -> Option<f64> {
    Some(points(numbers.score_bp? - score_on(numbers, today - TREND_DAYS)?))
}
