//! Checks an export without the hub, line by line in bounded memory, and names the first thing that is wrong.

use std::io::{BufRead, Read as _};

use serde::{Deserialize, Serialize};

use crate::export::{CheckpointLine, EntryLine, FORMAT, HeaderLine, LINE_MAX, SealLine, VERSION, WithheldLine};
use crate::keys::{KeyProblem, KeyRing, PublicKey};
use crate::{Broken, Checkpoint, Hash, Verifier, hex};

/// What the reader knows from elsewhere, and trusts.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Public keys of the installation, got in another way than with the file. The newest that is needed is reached from any
    /// earlier one. Empty: the file's own list is believed, and the report says so.
    pub keys: Vec<[u8; 32]>,
    /// Checkpoints of this chain that were kept from earlier; the chain must still run through each of them.
    pub kept: Vec<Checkpoint>,
}

/// What a good export says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whose chain: `ten_…`, `prv_…` or `installation`.
    pub chain: String,
    /// The name of whose chain it is, at the time of the export.
    pub name: String,
    /// When the export began.
    pub exported_at: String,
    /// When it was sealed.
    pub sealed_at: String,
    /// Entries of the chain, from the first to the head.
    pub entries: u64,
    /// How many of them were shown without the names of the provider's staff: for these the hub's signature vouches, not their text.
    pub withheld: u64,
    /// Hash of the last entry.
    #[serde(with = "hex")]
    pub head: Hash,
    /// Signed checkpoints on the way that hold.
    pub checkpoints: u64,
    /// Checkpoints kept from earlier that lie on this chain.
    pub kept: usize,
    /// Id of the key that sealed the file.
    pub key_id: String,
    /// That key was reached from one that the reader trusts. If not, the signatures were checked only against the keys in the file.
    pub pinned: bool,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The file could not be read, or is no export at all.
    Unreadable,
    /// A line that is not as an export has it.
    Line,
    /// An entry was changed, left out, added, doubled or moved.
    Entry,
    /// The end was cut off.
    Truncated,
    /// A signed checkpoint of the file does not fit, or its signature is wrong.
    Checkpoint,
    /// The chain does not run through a checkpoint that was kept: it was put back to an older state, or rewritten.
    Rewritten,
    /// A key is not to be believed.
    Key,
    /// All entries hold, but something else in the file was changed after it was sealed.
    Seal,
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// Line of the file, from 1.
    pub line: u64,
    /// Number of the first bad entry; none when no entry is bad.
    pub seq: Option<u64>,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// Checks an export from its first byte to its last.
///
/// # Errors
/// The first [`Finding`].
pub fn verify(reader: impl BufRead, trust: &Trust) -> Result<Report, Finding> {
    let mut lines = Lines { reader, line: Vec::new(), number: 0, hasher: blake3::Hasher::new() };
    let Some(()) = lines.next()? else {
        return Err(lines.finding(FindingKind::Unreadable, None, "The file is empty.".into()));
    };
    let mut reading = begin(&lines, trust)?;
    while lines.next()?.is_some() {
        if let Some(seal) = reading.line(&lines)? {
            return reading.end(&mut lines, seal);
        }
    }
    let message = format!("The file ends after entry {} without its seal: the end was cut off.", reading.chain.head().0);
    Err(lines.finding(FindingKind::Truncated, Some(reading.chain.head().0 + 1), message))
}

/// Lines of a file, hashed as they are left behind.
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
    /// Of all bytes before the current line.
    hasher: blake3::Hasher,
}

impl<R: BufRead> Lines<R> {
    /// Goes to the next line; none at the end of the file.
    fn next(&mut self) -> Result<Option<()>, Finding> {
        self.hasher.update(&self.line);
        self.line.clear();
        self.number += 1;
        let read = self.reader.by_ref().take(LINE_MAX as u64).read_until(b'\n', &mut self.line);
        if let Err(error) = read {
            return Err(self.finding(FindingKind::Unreadable, None, format!("The file cannot be read on: {error}.")));
        }
        if self.line.is_empty() {
            return Ok(None);
        }
        Ok(Some(()))
    }

    /// The line without its line feed; none when it has no end.
    fn text(&self) -> Option<&[u8]> {
        self.line.strip_suffix(b"\n")
    }

    fn finding(&self, kind: FindingKind, seq: Option<u64>, message: String) -> Finding {
        Finding { kind, line: self.number, seq, message }
    }
}

/// Parses a line, and wants it byte for byte as the writer writes it: no spaces, fields in their order, no escape that is not needed.
fn exactly<'a, T: Deserialize<'a> + Serialize>(line: &'a [u8]) -> Option<T> {
    let value: T = serde_json::from_slice(line).ok()?;
    let written = serde_json::to_vec(&value).ok()?;
    (written == line).then_some(value)
}

fn begin<R: BufRead>(lines: &Lines<R>, trust: &Trust) -> Result<Reading, Finding> {
    let unreadable = |message: String| lines.finding(FindingKind::Unreadable, None, message);
    let text = lines.text().unwrap_or_default();
    let Some(header) = exactly::<HeaderLine<'_>>(text).filter(|header| header.format == FORMAT) else {
        return Err(unreadable("The first line is not the heading of a ledger export, or was changed.".into()));
    };
    if header.version != VERSION {
        let version = header.version;
        return Err(unreadable(format!("The file is of version {version} of the format; this program reads version {VERSION}.")));
    }
    let keys: Vec<PublicKey> = header.keys.into_owned();
    let ring = KeyRing::check(&keys, &trust.keys).map_err(|problem| {
        lines.finding(FindingKind::Key, None, format!("The heading's keys are not to be believed: {problem}."))
    })?;
    let mut kept = trust.kept.clone();
    kept.sort_by_key(|checkpoint| checkpoint.seq);
    for checkpoint in &kept {
        check_kept(checkpoint, &header.chain, &ring).map_err(|(kind, message)| lines.finding(kind, None, message))?;
    }
    Ok(Reading {
        ring,
        chain: Verifier::default(),
        kept,
        kept_met: 0,
        last_kept: 0,
        report: Report {
            chain: header.chain.into_owned(),
            name: header.name.into_owned(),
            exported_at: header.exported_at.into_owned(),
            sealed_at: String::new(),
            entries: 0,
            withheld: 0,
            head: crate::GENESIS,
            checkpoints: 0,
            kept: trust.kept.len(),
            key_id: String::new(),
            pinned: false,
        },
    })
}

/// A checkpoint that the reader kept is of this chain, and signed by one of its keys.
fn check_kept(kept: &Checkpoint, chain: &str, ring: &KeyRing) -> Result<(), (FindingKind, String)> {
    let (seq, at) = (kept.seq, &kept.at);
    if kept.chain != chain {
        let of = &kept.chain;
        return Err((FindingKind::Rewritten, format!("The checkpoint you kept is of the ledger {of}, this file is of {chain}.")));
    }
    match kept.check(ring) {
        Ok(()) => Ok(()),
        Err(problem @ KeyProblem::Unknown(_)) => {
            let message = format!(
                "The checkpoint you kept (entry {seq}, {at}) does not fit this file's keys: {problem}. The file comes from another \
                 installation, is older than the checkpoint, or its keys were replaced."
            );
            Err((FindingKind::Key, message))
        }
        Err(problem) => {
            Err((FindingKind::Key, format!("The checkpoint you kept (entry {seq}, {at}) is not to be believed: {problem}.")))
        }
    }
}

/// How far the file was read.
struct Reading {
    ring: KeyRing,
    chain: Verifier,
    /// By number.
    kept: Vec<Checkpoint>,
    /// How many of them were met.
    kept_met: usize,
    /// Number of the last one that was met.
    last_kept: u64,
    report: Report,
}

impl Reading {
    /// Takes the current line; answers the seal when it is one.
    fn line<R: BufRead>(&mut self, lines: &Lines<R>) -> Result<Option<SealLine>, Finding> {
        let next = self.chain.head().0 + 1;
        let Some(text) = lines.text() else {
            let message = if lines.line.len() >= LINE_MAX {
                format!("The line where entry {next} should stand is longer than {LINE_MAX} bytes.")
            } else {
                format!("The file breaks off in the middle of the line where entry {next} should stand.")
            };
            return Err(lines.finding(FindingKind::Truncated, Some(next), message));
        };
        let unreadable = |seq, what: &str| {
            let message = format!("{what} is not as it was written: the line was changed.");
            Err(lines.finding(FindingKind::Line, seq, message))
        };
        if text.starts_with(br#"{"type":"entry","#) {
            let Some(entry) = exactly::<EntryLine<'_>>(text) else { return unreadable(Some(next), &format!("Entry {next}")) };
            let pushed = self.chain.push(entry.seq, entry.body.as_bytes(), &entry.hash);
            pushed.map_err(|broken| self.broken(lines, &broken))?;
            self.meet_kept(lines)?;
        } else if text.starts_with(br#"{"type":"withheld","#) {
            let Some(entry) = exactly::<WithheldLine<'_>>(text) else { return unreadable(Some(next), &format!("Entry {next}")) };
            self.chain.pass(entry.seq, entry.hash).map_err(|broken| self.broken(lines, &broken))?;
            self.report.withheld += 1;
            self.meet_kept(lines)?;
        } else if text.starts_with(br#"{"type":"checkpoint","#) {
            let after = format!("The checkpoint after entry {}", next - 1);
            let Some(line) = exactly::<CheckpointLine<'_>>(text) else { return unreadable(None, &after) };
            self.checkpoint(lines, &line.into())?;
        } else if text.starts_with(br#"{"type":"seal","#) {
            let Some(seal) = exactly::<SealLine>(text) else { return unreadable(None, "The seal in the last line") };
            return Ok(Some(seal));
        } else {
            return unreadable(Some(next), &format!("What stands where entry {next} should"));
        }
        Ok(None)
    }

    fn broken<R: BufRead>(&self, lines: &Lines<R>, broken: &Broken) -> Finding {
        let (seq, message) = match *broken {
            Broken::Sequence { expected, found } if found > expected => {
                (expected, format!("Entry {expected} is missing: entry {found} stands in its place."))
            }
            Broken::Sequence { expected, found } => {
                (expected, format!("Entry {found} stands again, or in the wrong place, where entry {expected} should."))
            }
            Broken::Hash { seq } => (
                seq,
                format!("Entry {seq} was changed: its text does not fit its hash, or does not follow from the entry before it."),
            ),
            Broken::Truncated { expected, found } => {
                (found + 1, format!("Entries {} to {expected} are missing: they were cut off.", found + 1))
            }
        };
        lines.finding(FindingKind::Entry, Some(seq), message)
    }

    fn checkpoint<R: BufRead>(&mut self, lines: &Lines<R>, checkpoint: &Checkpoint) -> Result<(), Finding> {
        let (seq, hash) = self.chain.head();
        let bad = |first_bad, message| Err(lines.finding(FindingKind::Checkpoint, first_bad, message));
        if let Err(problem) = checkpoint.check(&self.ring) {
            return bad(None, format!("The checkpoint after entry {seq} is not to be believed: {problem}."));
        }
        let (signed, at) = (checkpoint.seq, &checkpoint.at);
        if checkpoint.chain != self.report.chain {
            return bad(None, format!("The checkpoint after entry {seq} is of another ledger, {}.", checkpoint.chain));
        }
        if signed > seq {
            return bad(Some(seq + 1), format!("Entries {} to {signed} are missing: they were signed for at {at}.", seq + 1));
        }
        if signed < seq {
            return bad(None, format!("A checkpoint of entry {signed} stands after entry {seq}: it was moved."));
        }
        if checkpoint.hash != hash {
            let message =
                format!("The ledger was rewritten: what was signed at {at} for entry {seq} is not what stands there now.");
            return bad(Some(seq), message);
        }
        self.report.checkpoints += 1;
        Ok(())
    }

    /// The entry that was just taken is the one of each kept checkpoint of that number.
    fn meet_kept<R: BufRead>(&mut self, lines: &Lines<R>) -> Result<(), Finding> {
        let (seq, hash) = self.chain.head();
        while let Some(kept) = self.kept.get(self.kept_met).filter(|kept| kept.seq <= seq) {
            if kept.seq == seq && kept.hash != hash {
                let since = self.last_kept + 1;
                let message = format!(
                    "The ledger was rewritten: entry {seq} is not the one you kept a checkpoint of ({}). What was changed lies between \
                     entries {since} and {seq}.",
                    kept.at
                );
                return Err(lines.finding(FindingKind::Rewritten, Some(seq), message));
            }
            self.last_kept = kept.seq;
            self.kept_met += 1;
        }
        Ok(())
    }

    /// The seal: the head, the keys, the bytes; and nothing after it.
    fn end<R: BufRead>(mut self, lines: &mut Lines<R>, seal: SealLine) -> Result<Report, Finding> {
        let (seq, hash) = self.chain.head();
        let sealed = |message| Err(lines.finding(FindingKind::Seal, None, message));
        if let Err(problem) = seal.check(&self.ring) {
            let key = !matches!(problem, KeyProblem::Signature);
            let kind = if key { FindingKind::Key } else { FindingKind::Seal };
            return Err(lines.finding(kind, None, format!("The seal in the last line is not to be believed: {problem}.")));
        }
        if seal.chain != self.report.chain {
            return sealed(format!("The seal is of another ledger, {}.", seal.chain));
        }
        if seal.seq > seq {
            let message = format!("Entries {} to {} are missing: they were cut off.", seq + 1, seal.seq);
            return Err(lines.finding(FindingKind::Truncated, Some(seq + 1), message));
        }
        if seal.seq < seq {
            let message = format!("Entry {} was added after the file was sealed.", seal.seq + 1);
            return Err(lines.finding(FindingKind::Entry, Some(seal.seq + 1), message));
        }
        if seal.hash != hash {
            let message = format!("Entry {seq} is not the one that the file was sealed with.");
            return Err(lines.finding(FindingKind::Entry, Some(seq), message));
        }
        if seal.file != *lines.hasher.finalize().as_bytes() {
            return sealed(
                "Every entry holds, but something else in the file (its heading, a checkpoint, an entry shown in part) was \
                           changed or left out after it was sealed."
                    .into(),
            );
        }
        if let Some(kept) = self.kept.get(self.kept_met..).and_then(<[_]>::first).filter(|kept| kept.seq > 0) {
            let message = format!(
                "The ledger was put back to an older state, or this file is older than what you know: you kept a checkpoint of entry {} \
                 ({}), but it ends at entry {seq}.",
                kept.seq, kept.at
            );
            return Err(lines.finding(FindingKind::Rewritten, Some(seq + 1), message));
        }
        if lines.next()?.is_some() {
            return Err(lines.finding(FindingKind::Seal, None, "Something stands after the seal: it was added.".into()));
        }
        self.report.entries = seq;
        self.report.head = hash;
        self.report.sealed_at = seal.at;
        self.report.key_id = seal.key_id;
        self.report.pinned = self.ring.is_pinned();
        Ok(self.report)
    }
}

/// The checkpoints in a file that somebody kept: one checkpoint as JSON, several as JSON lines or as the hub's list of them, or a whole
/// earlier export, the last of whose checkpoints is its head, or a certificate of destruction.
///
/// # Errors
/// In words: what the file is not.
pub fn kept_checkpoints(text: &str) -> Result<Vec<Checkpoint>, String> {
    #[derive(Deserialize)]
    struct Listed {
        items: Vec<Checkpoint>,
    }
    if let Ok(one) = serde_json::from_str::<Checkpoint>(text) {
        return Ok(vec![one]);
    }
    let none = || "there is no checkpoint in it".to_owned();
    if let Ok(list) = serde_json::from_str::<Listed>(text) {
        return Some(list.items).filter(|items| !items.is_empty()).ok_or_else(none);
    }
    if let Ok(certificate) = serde_json::from_str::<crate::Certificate>(text) {
        return certificate.statement.ledger.map(|head| vec![head]).ok_or_else(none);
    }
    let mut kept = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let is_other = ["header", "entry", "withheld", "seal"].iter().any(|tag| line.starts_with(&format!(r#"{{"type":"{tag}","#)));
        if is_other || line.trim().is_empty() {
            continue;
        }
        let checkpoint = serde_json::from_str::<Checkpoint>(line);
        kept.push(checkpoint.map_err(|error| format!("line {number} is no checkpoint: {error}"))?);
    }
    if kept.is_empty() { Err(none()) } else { Ok(kept) }
}
