//! The line of imports: how many at once, who waits, how far each is. In memory: an import that the hub did not live to finish left
//! nothing in the database, and is shown as interrupted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use formats::Format;
use kernel::door::scope::Data;
use kernel::error::Problem;
use kernel::validate::Check;
use kernel::{CanFail, Error, Hub, ReadTx, Result, TenantCx, TenantId, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::http::Import;
use super::spool::{self, Spool};
use super::{Progress, Scan, ScanState, intake};
use crate::ScanId;
use crate::by::{self, By};

/// How long an import that failed is shown.
const SHOWN: Duration = Duration::from_secs(3600);
/// Most ended imports that are shown, of all tenants.
const SHOWN_MAX: usize = 1_000;

/// Bounds of imports.
#[derive(Debug, Clone)]
pub struct ImportSettings {
    /// A folder of the hub's own where files lie while they are imported; made when missing. What is left in it at start is removed.
    pub spool_dir: PathBuf,
    /// Largest file, as it comes.
    pub bytes_max: u64,
    /// Largest file, unpacked.
    pub inflated_bytes_max: u64,
    /// Most findings in a file.
    pub findings_max: usize,
    /// Imports at once.
    pub at_once: usize,
    /// Imports at once and waiting.
    pub in_line_max: usize,
    /// Imports of one tenant, at once (one) and waiting.
    pub in_line_per_tenant_max: usize,
    /// Longest wait for its turn.
    pub wait_max: Duration,
    /// How long a request waits for its import before it answers 202.
    pub answer_within: Duration,
}

impl ImportSettings {
    /// The usual bounds, with files in this folder.
    pub fn in_dir(spool_dir: impl Into<PathBuf>) -> Self {
        Self {
            spool_dir: spool_dir.into(),
            bytes_max: 512_000_000,
            inflated_bytes_max: 4_000_000_000,
            findings_max: 1_000_000,
            at_once: 2,
            in_line_max: 16,
            in_line_per_tenant_max: 4,
            wait_max: Duration::from_secs(900),
            answer_within: Duration::from_secs(2),
        }
    }
}

/// One import, as far as it is.
pub(super) struct Job {
    pub what: What,
    pub format: Option<Format>,
    pub partial: bool,
    pub progress: Reading,
    state: Mutex<State>,
}

/// What is imported, by whom: also written beside the file, for the case that the hub does not live to finish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct What {
    pub tenant: TenantId,
    pub scan: ScanId,
    pub file: String,
    pub at: Timestamp,
    pub by: By,
}

/// How much was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub bytes_total: AtomicU64,
    pub bytes_read: AtomicU64,
    pub findings: AtomicU64,
}

enum State {
    Running,
    Interrupted,
    Failed { problem: serde_json::Value, at: Timestamp },
}

/// The line, one per hub.
pub(crate) struct Imports {
    settings: ImportSettings,
    slots: Arc<Semaphore>,
    line: Mutex<Vec<Arc<Job>>>,
    /// One import per tenant at a time.
    turns: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
}

/// What became of an import.
pub(super) enum Answer {
    /// It is in, or on its way.
    Imported(Scan),
    /// It was in before.
    Duplicate(Scan),
}

/// Imports the file of a request. Answers when it is in, or after a while that it is on its way.
pub(super) async fn import(hub: &Hub, cx: TenantCx, asked: Import, request: Request) -> Result<Answer> {
    let (name, format) = checked(&asked)?;
    let (imports, by) = (hub.port::<Imports>(), by::of(cx.me(), Some(&cx.held().label)));
    let what = What { tenant: cx.tenant().id, scan: ScanId::new(cx.now()), file: name, at: cx.now(), by };
    let bytes_max = imports.settings.bytes_max;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max) {
        return Err(spool::too_large(bytes_max));
    }
    let job = imports.enter(what, format, asked.partial)?;
    let path = imports.path(job.what.scan);
    let spool = match spool::take(path, &job.what.file, request.into_body(), bytes_max).await {
        Ok(spool) => spool,
        Err(error) => {
            imports.leave(&job);
            return Err(error);
        }
    };
    job.progress.bytes_total.store(spool.bytes, Ordering::Relaxed);
    let (sha, patience) = (spool.sha.clone(), imports.settings.answer_within);
    let mut work = tokio::spawn(run(imports.clone(), cx, job.clone(), spool));
    match tokio::time::timeout(patience, &mut work).await {
        Ok(done) => {
            imports.leave(&job);
            done.map_err(Error::internal)?
        }
        Err(_) => Ok(Answer::Imported(Scan { sha, ..job.shown(true) })),
    }
}

fn checked(asked: &Import) -> Result<(String, Option<Format>)> {
    let mut check = Check::new();
    let name = if asked.file.trim().is_empty() { "upload" } else { &asked.file };
    let name = check.text("file", name, 1..=200);
    let format = match asked.format.as_deref() {
        None | Some("" | "auto") => None,
        Some("ocsf") => Some(Format::Ocsf),
        Some("xccdf") => Some(Format::Xccdf),
        Some("sarif") => Some(Format::Sarif),
        Some(_) => {
            check.fail("format", "unknown", "is one of auto, ocsf, xccdf, sarif");
            None
        }
    };
    check.done()?;
    Ok((name, format))
}

/// Waits for its turn and imports. Whatever becomes of it, the line knows.
async fn run(imports: Arc<Imports>, cx: TenantCx, job: Arc<Job>, spool: Spool) -> Result<Answer> {
    let done = in_turn(&imports, &cx, &job, spool).await;
    match &done {
        Ok(_) => imports.leave(&job),
        Err(error) => {
            let problem = serde_json::to_value(Problem::from(error)).unwrap_or_default();
            *job.state.lock() = State::Failed { problem, at: job.what.at };
            imports.forget_sidecar(&job);
            tracing::info!(scan = %job.what.scan, %error, "an import failed");
        }
    }
    done
}

async fn in_turn(imports: &Imports, cx: &TenantCx, job: &Arc<Job>, spool: Spool) -> Result<Answer> {
    let busy = |_| Error::Unavailable("Other imports took too long.".into());
    let wait = imports.settings.wait_max;
    let turn = imports.turns.lock().entry(job.what.tenant).or_default().clone();
    let _turn = tokio::time::timeout(wait, turn.lock_owned()).await.map_err(busy)?;
    let slot = tokio::time::timeout(wait, imports.slots.clone().acquire_owned()).await.map_err(busy)?;
    let _slot = slot.map_err(Error::internal)?;
    let (cx, job, settings) = (cx.clone(), job.clone(), imports.settings.clone());
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || intake::import(&runtime, &cx, &job, &settings, &spool));
    work.await.map_err(Error::internal)?
}

impl Imports {
    pub fn new(settings: ImportSettings) -> Self {
        let line = match prepare(&settings.spool_dir) {
            Ok(interrupted) => interrupted,
            Err(error) => {
                tracing::error!(%error, dir = %settings.spool_dir.display(), "the folder for files on their way in is not usable");
                Vec::new()
            }
        };
        let slots = Arc::new(Semaphore::new(settings.at_once.max(1)));
        Self { slots, settings, line: Mutex::new(line), turns: Mutex::default() }
    }

    fn path(&self, scan: ScanId) -> PathBuf {
        self.settings.spool_dir.join(format!("{scan}.{}", spool::ENDING))
    }

    /// Stands in line, if that is not too long.
    fn enter(&self, what: What, format: Option<Format>, partial: bool) -> Result<Arc<Job>> {
        let sidecar = serde_json::to_vec(&what).map_err(Error::internal)?;
        let (path, tenant) = (self.path(what.scan).with_extension("json"), what.tenant);
        let job = Arc::new(Job { what, format, partial, progress: Reading::default(), state: Mutex::new(State::Running) });
        {
            let mut line = self.line.lock();
            let running: Vec<_> = line.iter().filter(|job| job.is_running()).collect();
            if running.iter().filter(|job| job.what.tenant == tenant).count() >= self.settings.in_line_per_tenant_max {
                return Err(Error::Conflict("Several files of this tenant are being imported. Wait until they are in.".into()));
            }
            if running.len() >= self.settings.in_line_max {
                return Err(Error::Unavailable("Many files are being imported.".into()));
            }
            line.push(job.clone());
        }
        std::fs::write(&path, sidecar).can_fail("only an interrupted import would miss it");
        Ok(job)
    }

    /// Out of the line without a trace.
    fn leave(&self, job: &Arc<Job>) {
        self.line.lock().retain(|other| !Arc::ptr_eq(other, job));
        self.forget_sidecar(job);
        self.turns.lock().retain(|_, turn| Arc::strong_count(turn) > 1);
    }

    fn forget_sidecar(&self, job: &Job) {
        std::fs::remove_file(self.path(job.what.scan).with_extension("json")).can_fail("removed at the next start");
    }

    /// Imports of a tenant that run or did not come in, the latest first.
    fn known(&self, tenant: TenantId, now: Timestamp, staff_names: bool) -> Vec<Scan> {
        let mut line = self.line.lock();
        let ended = line.iter().filter(|job| !job.is_running()).count();
        let mut too_many = ended.saturating_sub(SHOWN_MAX);
        line.retain(|job| {
            let is_old = matches!(&*job.state.lock(), State::Failed { at, .. } if at.after(SHOWN) < now)
                || (!job.is_running() && job.what.at.after(SHOWN) < now);
            let drop = is_old || (!job.is_running() && too_many > 0);
            too_many = too_many.saturating_sub(usize::from(drop && !is_old));
            !drop
        });
        line.iter().rev().filter(|job| job.what.tenant == tenant).map(|job| job.shown(staff_names)).collect()
    }
}

/// Makes the folder, and empties it of what an earlier run left: those imports were interrupted.
fn prepare(dir: &Path) -> std::io::Result<Vec<Arc<Job>>> {
    std::fs::create_dir_all(dir)?;
    let mut interrupted = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if ending == "json" {
            let what = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<What>(&bytes).ok());
            interrupted.extend(what.map(|what| {
                let state = Mutex::new(State::Interrupted);
                Arc::new(Job { what, format: None, partial: false, progress: Reading::default(), state })
            }));
        }
        if matches!(ending, "json" | spool::ENDING) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(interrupted)
}

/// Imports of the tenant of a transaction that run or did not come in, the latest first.
pub(super) fn known(tx: &ReadTx<Data>) -> Result<Vec<Scan>> {
    let tenant = tx.tenant().ok_or(Error::NotFound)?.id;
    Ok(tx.hub().port::<Imports>().known(tenant, tx.now(), by::sees_staff_names(tx)))
}

impl Job {
    fn is_running(&self) -> bool {
        matches!(&*self.state.lock(), State::Running)
    }

    /// The import as a scan.
    fn shown(&self, staff_names: bool) -> Scan {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let progress = Progress {
            bytes_read: read(&self.progress.bytes_read),
            bytes_total: read(&self.progress.bytes_total),
            findings: read(&self.progress.findings),
        };
        let (state, problem) = match &*self.state.lock() {
            State::Running => (ScanState::Running, None),
            State::Interrupted => (ScanState::Interrupted, None),
            State::Failed { problem, .. } => (ScanState::Failed, Some(problem.clone())),
        };
        Scan {
            id: self.what.scan,
            state,
            format: self.format.map_or("auto", Format::as_str).to_owned(),
            tool: None,
            tool_version: None,
            target: None,
            file: self.what.file.clone(),
            bytes: i64::try_from(progress.bytes_total).unwrap_or(i64::MAX),
            sha: String::new(),
            observed_at: None,
            imported_at: self.what.at,
            imported_by: self.what.by.clone().shown(staff_names),
            complete: !self.partial,
            findings: i64::try_from(progress.findings).unwrap_or(i64::MAX),
            passed: 0,
            failed: 0,
            manual: 0,
            new: 0,
            fixed: 0,
            returned: 0,
            recurring: 0,
            merged: 0,
            score: None,
            unknown_classes: std::collections::BTreeMap::new(),
            progress: (state == ScanState::Running).then_some(progress),
            problem,
            duplicate_of: None,
        }
    }
}
