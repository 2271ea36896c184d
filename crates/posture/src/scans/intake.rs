//! One file into the database: what the reader yields is counted, merged and written in pieces, in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use access::actions;
use formats::{Finding, Origin, Sink};
use kernel::door::scope::Data;
use kernel::error::FileProblem;
use kernel::{CanFail, Error, Result, TenantCx, Timestamp, WriteTx};
use tokio::runtime::Handle;

use super::job::{Answer, ImportSettings, Job};
use super::life::{Counts, Prior};
use super::spool::Spool;
use super::store::{self, ControlRow, Stream};
use super::write::{Piece, Writer};
use crate::scores::{Graded, Tally, status_of};
use crate::words::{Outcome, Severity};
use crate::{ControlId, FindingId, overrides, scores};

/// Most controls of one tool.
const CONTROLS_MAX: usize = 50_000;
/// Most bytes of controls that wait for the file to say where it is from.
const HELD_BYTES_MAX: usize = 64_000_000;
/// Controls that are written together.
const CONTROLS_AT_ONCE: usize = 200;

/// Imports a file on this thread, which may block.
pub(super) fn import(runtime: &Handle, cx: &TenantCx, job: &Job, settings: &ImportSettings, spool: &Spool) -> Result<Answer> {
    let mut tx = runtime.block_on(cx.write::<actions::ScanImport>())?;
    match import_into(runtime, &mut tx, job, settings, spool) {
        Ok(answer) => {
            runtime.block_on(tx.commit())?;
            Ok(answer)
        }
        Err(error) => {
            // The request may have been answered long ago: the ledger is told here.
            runtime.block_on(tx.give_up(&error)).can_fail("the store is away; the import itself did not happen");
            Err(error)
        }
    }
}

fn import_into(runtime: &Handle, tx: &mut WriteTx<Data>, job: &Job, settings: &ImportSettings, spool: &Spool) -> Result<Answer> {
    let file = job.what.file.as_str();
    if let Some(scan) = runtime.block_on(store::by_sha(tx, &spool.sha))? {
        tx.subject("scan", scan.id, file.to_owned()).reason("these bytes were imported before");
        let duplicate_of = Some(scan.id);
        return Ok(Answer::Duplicate(super::Scan { duplicate_of, ..scan }));
    }
    tx.subject("scan", job.what.scan, file.to_owned());
    let input = std::fs::File::open(&spool.path).map_err(Error::internal)?;
    let input = Counted { input, read: &job.progress.bytes_read };
    let mut intake = Intake::new(runtime, tx, job, settings, spool);
    let report = match formats::read_at_most(input, job.format, settings.inflated_bytes_max, &mut intake) {
        Ok(report) => report,
        Err(error) => return Err(intake.failure.take().unwrap_or_else(|| refused(file, &error))),
    };
    intake.finish(&report)
}

/// Why a file was refused, and where in it.
fn refused(file: &str, error: &formats::Error) -> Error {
    if error.kind == formats::ErrorKind::Io {
        return Error::internal(error.clone());
    }
    let text = error.to_string();
    let mut letters = text.chars();
    let capital: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    Error::File(Box::new(FileProblem {
        file: Some(file.to_owned()),
        reason: format!("{}.", capital.trim_end_matches('.')),
        line: error.at.line,
        column: error.at.column,
        pointer: error.at.pointer.clone().filter(|pointer| !pointer.is_empty()),
        record: error.at.record.map(|record| record.saturating_sub(1)),
    }))
}

/// Counts what is read, for whoever watches.
struct Counted<'a> {
    input: std::fs::File,
    read: &'a AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A control as far as this file has told of it.
struct Slot {
    id: ControlId,
    /// Hash of what the database has; none: not there yet.
    content: Option<u128>,
    severity: Severity,
    passing: i64,
    failing: i64,
    manual: i64,
    overridden: i64,
}

/// What is kept of a finding once it was read: enough to merge a repetition of it.
#[derive(Clone, Copy)]
struct Met {
    result: Outcome,
    /// As it was before the scan; known once it was written.
    prior: Option<Prior>,
}

struct Intake<'a> {
    runtime: &'a Handle,
    tx: &'a mut WriteTx<Data>,
    job: &'a Job,
    settings: &'a ImportSettings,
    spool: &'a Spool,
    stream: Option<Stream>,
    writer: Option<Writer>,
    held: Vec<formats::Control>,
    held_bytes: usize,
    slots: Vec<Slot>,
    slot_of: HashMap<String, usize>,
    controls: Vec<ControlRow>,
    met: HashMap<u128, Met>,
    covered: HashSet<u128>,
    piece: Piece,
    counts: Counts,
    failure: Option<Error>,
}

impl Sink for Intake<'_> {
    fn origin(&mut self, origin: &Origin) -> Result<(), String> {
        let begun = self.begin(origin);
        self.or_fail(begun)
    }

    fn control(&mut self, control: formats::Control) -> Result<(), String> {
        if self.stream.is_none() {
            self.held_bytes += control.title.len()
                + control.description.as_ref().map_or(0, String::len)
                + control.remediation.as_ref().map_or(0, String::len);
            if self.held_bytes > HELD_BYTES_MAX {
                return Err("too many rules stand before the first result".into());
            }
            self.held.push(control);
            return Ok(());
        }
        let described = self.describe(control);
        self.or_fail(described)?
    }

    fn finding(&mut self, finding: Finding) -> Result<(), String> {
        if self.met.len() >= self.settings.findings_max {
            return Err(format!("a file may have at most {} findings", self.settings.findings_max));
        }
        self.job.progress.findings.fetch_add(1, Ordering::Relaxed);
        let taken = self.take(finding);
        self.or_fail(taken)?
    }
}

impl<'a> Intake<'a> {
    fn new(runtime: &'a Handle, tx: &'a mut WriteTx<Data>, job: &'a Job, settings: &'a ImportSettings, spool: &'a Spool) -> Self {
        Self {
            runtime,
            tx,
            job,
            settings,
            spool,
            stream: None,
            writer: None,
            held: Vec::new(),
            held_bytes: 0,
            slots: Vec::new(),
            slot_of: HashMap::new(),
            controls: Vec::new(),
            met: HashMap::new(),
            covered: HashSet::new(),
            piece: Piece::default(),
            counts: Counts::default(),
            failure: None,
        }
    }

    /// Keeps a failure that is not the file's, and stops the reader.
    fn or_fail<T>(&mut self, done: Result<T>) -> Result<T, String> {
        done.map_err(|error| {
            let text = error.to_string();
            self.failure = Some(error);
            text
        })
    }

    /// The file says where it is from: its source, what that had before, its controls.
    fn begin(&mut self, origin: &Origin) -> Result<()> {
        let (runtime, job, now) = (self.runtime, self.job, self.tx.now());
        // A clock that runs ahead must not make every later scan an old one.
        let observed_at = Timestamp(origin.observed_at.unwrap_or(now.0).min(now.0));
        let stream = runtime.block_on(store::open_stream(self.tx, origin, observed_at, !job.partial))?;
        let as_of = if stream.applied { now } else { observed_at };
        self.covered = runtime.block_on(overrides::findings_covered_at(self.tx, as_of))?;
        for (id, uid, content, severity) in runtime.block_on(store::controls_of_tool(self.tx, &stream.tool))? {
            self.slot_of.insert(uid, self.slots.len());
            self.slots.push(Slot { id, content: Some(content), severity, passing: 0, failing: 0, manual: 0, overridden: 0 });
        }
        runtime.block_on(store::insert_scan(self.tx, job, self.spool, origin, &stream))?;
        let key = runtime.block_on(self.tx.tenant_key())?;
        self.writer = Some(Writer::new(&stream, job.what.scan, now, key));
        self.stream = Some(stream);
        for control in std::mem::take(&mut self.held) {
            self.describe(control)?.map_err(|reason| Error::field("file", "too_many", reason))?;
        }
        Ok(())
    }

    fn stream(&self) -> &Stream {
        self.stream.as_ref().expect("the reader tells the origin before the first finding")
    }

    /// The place of a control, new ones made. The inner error is the file's.
    fn slot(&mut self, uid: &str, severity: Severity) -> Result<usize, String> {
        if let Some(slot) = self.slot_of.get(uid) {
            return Ok(*slot);
        }
        if self.slots.len() >= CONTROLS_MAX {
            return Err(format!("one tool may have at most {CONTROLS_MAX} controls"));
        }
        let id = ControlId::from_uuid(kernel::ids::uuid_at(self.tx.now()));
        self.slot_of.insert(uid.to_owned(), self.slots.len());
        self.slots.push(Slot { id, content: None, severity, passing: 0, failing: 0, manual: 0, overridden: 0 });
        Ok(self.slots.len() - 1)
    }

    /// Takes what the file says of a control, if that is news.
    fn describe(&mut self, control: formats::Control) -> Result<Result<(), String>> {
        let severity = control.severity.into();
        let slot = match self.slot(&control.uid, severity) {
            Ok(slot) => slot,
            Err(reason) => return Ok(Err(reason)),
        };
        let row = ControlRow::new(self.slots[slot].id, &self.stream().tool, control);
        let slot = &mut self.slots[slot];
        slot.severity = severity;
        if slot.content != Some(row.content) {
            slot.content = Some(row.content);
            self.controls.push(row);
        }
        if self.controls.len() >= CONTROLS_AT_ONCE {
            self.flush_controls()?;
        }
        Ok(Ok(()))
    }

    fn flush_controls(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.controls);
        self.runtime.block_on(store::put_controls(self.tx, rows))
    }

    /// Takes one finding in. The inner error is the file's.
    fn take(&mut self, finding: Finding) -> Result<Result<(), String>> {
        let severity = finding.severity.into();
        let slot = match self.slot(&finding.control_uid, severity) {
            Ok(slot) => slot,
            Err(reason) => return Ok(Err(reason)),
        };
        if self.slots[slot].content.is_none() {
            // A rule that the file has not described yet, and perhaps never will.
            let (uid, title) = (finding.control_uid.clone(), finding.title.clone());
            self.describe(plain_control(uid, title, finding.severity))?.expect("its slot was just made");
        }
        let key = store::finding_key(self.stream(), &finding);
        let result = Outcome::from(finding.result);
        let before = self.met.get(&key).copied();
        if let Some(before) = before {
            self.counts.merged += 1;
            if before.result >= result {
                return Ok(Ok(()));
            }
            self.count(slot, key, before.result, -1);
            if let Some(prior) = before.prior {
                self.counts.step(prior, before.result, -1);
            }
        }
        self.count(slot, key, result, 1);
        let prior = before.and_then(|before| before.prior);
        self.met.insert(key, Met { result, prior });
        if self.stream().applied {
            self.piece.put(key, self.slots[slot].id, finding, prior);
            if self.piece.is_full() {
                self.flush()?;
            }
        }
        Ok(Ok(()))
    }

    fn count(&mut self, slot: usize, key: u128, result: Outcome, by: i64) {
        self.counts.result(result, by);
        let slot = &mut self.slots[slot];
        match result {
            Outcome::Pass => slot.passing += by,
            Outcome::Fail => {
                slot.failing += by;
                slot.overridden += if self.covered.contains(&key) { by } else { 0 };
            }
            _ => slot.manual += by,
        }
    }

    /// Writes the findings that wait.
    fn flush(&mut self) -> Result<()> {
        let Some(writer) = self.writer.as_mut() else { return Ok(()) };
        let piece = std::mem::take(&mut self.piece);
        for (key, prior, result) in self.runtime.block_on(writer.write(self.tx, piece))? {
            self.counts.step(prior, result, 1);
            self.met.insert(key, Met { result, prior: Some(prior) });
        }
        Ok(())
    }

    /// The file has ended: what it does not have any more is fixed, and the score follows.
    fn finish(mut self, report: &formats::Report) -> Result<Answer> {
        if self.stream.is_none() {
            let reason = "The file holds no finding and does not say which tool and target it is from.";
            let file = Some(self.job.what.file.clone());
            return Err(Error::File(Box::new(FileProblem { file, reason: reason.into(), ..FileProblem::default() })));
        }
        self.flush()?;
        self.flush_controls()?;
        let (runtime, scan) = (self.runtime, self.job.what.scan);
        let (source, observed_at, complete, applied) = {
            let stream = self.stream();
            (stream.source, stream.observed_at, stream.complete, stream.applied)
        };
        if applied && complete {
            self.counts.fixed += runtime.block_on(store::fix_missing(self.tx, source, scan, observed_at))?;
        }
        if applied {
            runtime.block_on(store::trim_history(self.tx, source))?;
        }
        runtime.block_on(scores::hold(self.tx))?;
        let mut score_bp = None;
        if complete {
            let used: Vec<&Slot> = self.slots.iter().filter(|slot| slot.passing + slot.failing + slot.manual > 0).collect();
            let rows: Vec<_> =
                used.iter().map(|slot| (slot.id, [slot.passing, slot.failing, slot.manual, slot.overridden])).collect();
            runtime.block_on(store::insert_scan_controls(self.tx, scan, &rows))?;
            let as_of = if applied { self.tx.now() } else { observed_at };
            let whole = runtime.block_on(overrides::controls_covered_at(self.tx, as_of))?;
            score_bp = own_score(&used, &whole);
        }
        if applied && complete {
            runtime.block_on(store::set_latest(self.tx, source, scan, observed_at))?;
        }
        runtime.block_on(store::finish_scan(self.tx, scan, &self.counts, score_bp, &report.unknown_classes))?;
        if complete {
            runtime.block_on(scores::scan_came(self.tx, scan, source, observed_at))?;
        }
        runtime.block_on(scores::publish(self.tx))?;
        if applied {
            // The tool's name by itself: what the file says of itself was cut and checked when it came in.
            let tool = self.stream().tool.clone();
            runtime
                .block_on(scores::criticals::raise(self.tx, scores::criticals::Came { scan, source, observed_at, tool: &tool }))?;
        }
        let done = runtime.block_on(store::one(self.tx, scan))?;
        let done = done.ok_or_else(|| Error::internal("a scan that was just written is not there"))?;
        self.tx.changed("scan", scan, &(), &done);
        Ok(Answer::Imported(done))
    }
}

/// The score of this scan's own controls.
fn own_score(slots: &[&Slot], whole: &HashSet<ControlId>) -> Option<i64> {
    let graded: Vec<Graded> = slots
        .iter()
        .map(|slot| {
            let overridden = if whole.contains(&slot.id) { slot.failing } else { slot.overridden };
            Graded { control: slot.id, severity: slot.severity, status: status_of(slot.failing, overridden, slot.passing) }
        })
        .collect();
    Tally::of(&graded).score_bp()
}

fn plain_control(uid: String, title: String, severity: formats::Severity) -> formats::Control {
    formats::Control { uid, title, description: None, remediation: None, url: None, severity, frameworks: Vec::new() }
}

impl ControlRow {
    fn new(id: ControlId, tool: &str, control: formats::Control) -> Self {
        let frameworks: BTreeSet<(String, String)> = control.frameworks.into_iter().collect();
        let severity = Severity::from(control.severity);
        let mut row = Self {
            id,
            key: store::control_key(tool, &control.uid),
            tool: tool.to_owned(),
            uid: control.uid,
            title: control.title,
            description: control.description,
            remediation: control.remediation,
            url: control.url,
            severity,
            content: 0,
            frameworks,
        };
        row.content = row.hash();
        row
    }
}

/// Ids of one import: one after the other, so that they lie side by side in the index.
pub(super) struct Ids {
    next: u128,
}

impl Ids {
    /// Room for 16 million.
    pub fn new(now: Timestamp) -> Self {
        Self { next: kernel::ids::uuid_at(now).as_u128() & !0xff_ffff }
    }

    pub fn next(&mut self) -> FindingId {
        self.next += 1;
        FindingId::from_uuid(uuid::Uuid::from_u128(self.next))
    }
}
