//! Writing findings, hundreds in a statement.

use std::collections::HashMap;

use formats::Finding;
use kernel::door::scope::Data;
use kernel::secrets::SecretKey;
use kernel::store::{StoreError, Value};
use kernel::{Error, Result, Timestamp, WriteTx, params};
use uuid::Uuid;

use super::intake::Ids;
use super::life::{Prior, outcome, outcome_unchanged};
use super::store::Stream;
use crate::words::{Lifecycle, Outcome, Severity};
use crate::{ControlId, FindingId, ScanId};

/// Findings that are written together, and the most bytes of them.
const ROWS: usize = 500;
const BYTES_MAX: usize = 4_000_000;
/// Statements are made for so many rows each, so that there are few of them to keep.
const SIZES: [usize; 4] = [ROWS, 50, 5, 1];
/// `severity_order` is rank * this + first_seen_at: larger than any instant until the year 5138.
const RANK: i64 = 100_000_000_000_000_000;

/// Findings that wait to be written.
#[derive(Default)]
pub(super) struct Piece {
    rows: Vec<Waiting>,
    place: HashMap<u128, usize>,
    bytes: usize,
}

struct Waiting {
    key: u128,
    control: ControlId,
    finding: Finding,
    /// Known when the same finding of this file was written before, with a better result.
    prior: Option<Prior>,
}

impl Piece {
    /// Puts a finding in; one with the same key is replaced.
    pub fn put(&mut self, key: u128, control: ControlId, finding: Finding, prior: Option<Prior>) {
        self.bytes += 512 + finding.title.len() + finding.message.as_ref().map_or(0, String::len);
        let row = Waiting { key, control, finding, prior };
        match self.place.get(&key) {
            Some(place) => self.rows[*place] = row,
            None => {
                self.place.insert(key, self.rows.len());
                self.rows.push(row);
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.rows.len() >= ROWS || self.bytes >= BYTES_MAX
    }
}

/// A finding as the database has it.
struct Known {
    id: FindingId,
    result: Outcome,
    lifecycle: Lifecycle,
    has_failed: bool,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    last_scan: ScanId,
    changes: i64,
}

/// Rows for one table, value after value.
#[derive(Default)]
struct Rows {
    findings: Vec<Value>,
    evidence: Vec<Value>,
    history: Vec<Value>,
}

/// Writes the findings of one scan.
pub(super) struct Writer {
    scan: ScanId,
    source: Value,
    observed_at: Timestamp,
    complete: bool,
    /// The source had no scan before: nothing to look for.
    fresh: bool,
    key: SecretKey,
    ids: Ids,
    findings: Statements,
    evidence: Statements,
    history: Statements,
    lookup: String,
}

impl Writer {
    pub fn new(stream: &Stream, scan: ScanId, now: Timestamp, key: SecretKey) -> Self {
        Self {
            scan,
            source: stream.source.into(),
            observed_at: stream.observed_at,
            complete: stream.complete,
            fresh: stream.fresh,
            key,
            ids: Ids::new(now),
            findings: findings_statements(stream.complete),
            evidence: Statements::new(
                "INSERT INTO finding_evidence (finding_id, sealed) VALUES ",
                &["#", "#"],
                0,
                " ON CONFLICT (tenant_id, finding_id) DO UPDATE SET sealed = excluded.sealed",
            ),
            history: Statements::new(
                "INSERT INTO finding_history (finding_id, n, scan_id, at, outcome) VALUES ",
                &["#", "#", "?1", "?2", "#"],
                2,
                "",
            ),
            lookup: lookup(),
        }
    }

    /// Writes a piece. Answers, for each finding, what it was before and its result.
    pub async fn write(&mut self, tx: &mut WriteTx<Data>, piece: Piece) -> Result<Vec<(u128, Prior, Outcome)>> {
        let again = piece.rows.iter().any(|row| row.prior.is_some());
        let mut known = if self.fresh && !again { HashMap::new() } else { self.known(tx, &piece).await? };
        let mut told = Vec::with_capacity(piece.rows.len());
        let mut rows = Rows::default();
        for waiting in piece.rows {
            let known = known.remove(&waiting.key);
            let result = Outcome::from(waiting.finding.result);
            let stored = known.as_ref().map_or(Prior::Unknown, |k| Prior::of(k.result, k.lifecycle, k.has_failed));
            let prior = waiting.prior.unwrap_or(stored);
            match known {
                // A partial scan looked later than this one did: what it saw stands, only the score hears of this.
                Some(known) if known.last_seen_at > self.observed_at => {
                    if self.complete {
                        self.score_only(tx, known.id, result).await?;
                    }
                    told.push((waiting.key, if result == Outcome::Fail { Prior::Failing } else { Prior::Clean }, result));
                }
                known => {
                    if let Some(known) = known.as_ref().filter(|known| known.last_scan == self.scan) {
                        self.forget_turn(tx, known.id).await?;
                    }
                    told.push((waiting.key, prior, result));
                    self.row(&mut rows, waiting, prior, result, known)?;
                }
            }
        }
        self.findings.run(tx, params![&self.source, self.scan, self.observed_at], rows.findings).await?;
        self.evidence.run(tx, params![], rows.evidence).await?;
        self.history.run(tx, params![self.scan, self.observed_at], rows.history).await?;
        Ok(told)
    }

    /// Lays one finding's rows ready.
    fn row(&mut self, rows: &mut Rows, waiting: Waiting, prior: Prior, result: Outcome, known: Option<Known>) -> Result<()> {
        let Waiting { key, control, finding, .. } = waiting;
        let lifecycle = prior.next(result);
        let is_first_failure = prior.fails_first(result);
        let first_seen_at = known.as_ref().filter(|_| !is_first_failure).map_or(self.observed_at, |known| known.first_seen_at);
        let has_failed = result == Outcome::Fail || known.as_ref().is_some_and(|known| known.has_failed);
        let id = known.as_ref().map_or_else(|| self.ids.next(), |known| known.id);
        let turn = outcome(prior, result);
        let before = match prior {
            Prior::Failing => Some(Outcome::Fail),
            _ => known.as_ref().map(|known| known.result),
        };
        let is_turn = turn != outcome_unchanged(before);
        let changes = known.as_ref().map_or(0, |known| known.changes) + i64::from(is_turn);
        if is_turn {
            rows.history.extend([id.into(), changes.into(), turn.into()]);
        }
        let evidence = serde_json::to_vec(&finding.evidence).map_err(Error::internal)?;
        rows.evidence.extend([id.into(), self.key.seal("evidence", &evidence).into()]);
        let severity = Severity::from(finding.severity);
        let resource = finding.resource;
        rows.findings.extend([
            id.into(),
            Uuid::from_u128(key).into(),
            control.into(),
            finding.title.into(),
            severity.as_str().into(),
            (severity.rank() * RANK + first_seen_at.0).into(),
            result.as_str().into(),
            lifecycle.as_str().into(),
            has_failed.into(),
            first_seen_at.into(),
            changes.into(),
            finding.message.into(),
            finding.location.into(),
            resource.uid.into(),
            resource.name.into(),
            resource.kind.into(),
            resource.region.into(),
            resource.account.into(),
        ]);
        Ok(())
    }

    /// What the database has of the findings of a piece.
    async fn known(&self, tx: &mut WriteTx<Data>, piece: &Piece) -> Result<HashMap<u128, Known>> {
        let mut known = HashMap::with_capacity(piece.rows.len());
        for rows in piece.rows.chunks(ROWS) {
            // The last key fills up the statement, which is always of the same length.
            let keys = rows.iter().chain(rows.last().into_iter().cycle()).take(ROWS);
            let keys: Vec<Value> = keys.map(|row| Uuid::from_u128(row.key).into()).collect();
            for mut row in tx.rows(&self.lookup, &keys).await? {
                let key: Uuid = row.take()?;
                let found = Known {
                    id: row.take()?,
                    result: row.parse()?,
                    lifecycle: row.parse()?,
                    has_failed: row.take()?,
                    first_seen_at: row.take()?,
                    last_seen_at: row.take()?,
                    last_scan: row.take()?,
                    changes: row.take()?,
                };
                known.insert(key.as_u128(), found);
            }
        }
        Ok(known)
    }

    async fn score_only(&self, tx: &mut WriteTx<Data>, id: FindingId, result: Outcome) -> Result<(), StoreError> {
        tx.execute(
            "UPDATE finding SET scored_scan_id = ?2, scored_result = ?3 WHERE id = ?1",
            params![id, self.scan, result.as_str()],
        )
        .await?;
        Ok(())
    }

    /// A repetition in the file is worse than what was written of it: the turn that was noted is not what happened.
    async fn forget_turn(&self, tx: &mut WriteTx<Data>, id: FindingId) -> Result<(), StoreError> {
        tx.execute("DELETE FROM finding_history WHERE finding_id = ?1 AND scan_id = ?2", params![id, self.scan]).await?;
        Ok(())
    }
}

fn lookup() -> String {
    let keys: Vec<String> = (1..=ROWS).map(|n| format!("?{n}")).collect();
    format!(
        "SELECT key, id, result, lifecycle, has_failed, first_seen_at, last_seen_at, last_scan_id, changes
         FROM finding WHERE key IN ({})",
        keys.join(", ")
    )
}

fn findings_statements(complete: bool) -> Statements {
    const COLUMNS: [&str; 18] = [
        "id",
        "key",
        "control_id",
        "title",
        "severity",
        "severity_order",
        "result",
        "lifecycle",
        "has_failed",
        "first_seen_at",
        "changes",
        "message",
        "location",
        "resource_uid",
        "resource_name",
        "resource_kind",
        "resource_region",
        "resource_account",
    ];
    // `##7` is the seventh value of the row once more.
    let (scored, scored_values): (&[&str], &[&str]) =
        if complete { (&["scored_scan_id", "scored_result"], &["?2", "##7"]) } else { (&[], &[]) };
    let names: Vec<&str> =
        COLUMNS.iter().copied().chain(["source_id", "last_scan_id", "last_seen_at"]).chain(scored.iter().copied()).collect();
    let values: Vec<&str> = COLUMNS.iter().map(|_| "#").chain(["?1", "?2", "?3"]).chain(scored_values.iter().copied()).collect();
    let kept = ["id", "key", "source_id", "control_id"];
    let updates: Vec<String> =
        names.iter().filter(|name| !kept.contains(name)).map(|name| format!("{name} = excluded.{name}")).collect();
    Statements::new(
        &format!("INSERT INTO finding ({}) VALUES ", names.join(", ")),
        &values,
        3,
        &format!(" ON CONFLICT (tenant_id, key) DO UPDATE SET gone = false, {}", updates.join(", ")),
    )
}

/// One INSERT for several fixed numbers of rows.
pub(super) struct Statements {
    width: usize,
    texts: Vec<(usize, String)>,
}

impl Statements {
    /// `row` has a `#` for each value of its own, `##n` for the nth of them once more, and `?n` for one that all rows share.
    pub fn new(head: &str, row: &[&str], shared: usize, tail: &str) -> Self {
        let width = row.iter().filter(|value| **value == "#").count();
        let texts = SIZES.iter().map(|size| {
            let mut next = shared;
            let rows: Vec<String> = (0..*size)
                .map(|_| {
                    let first = next;
                    let values: Vec<String> = row
                        .iter()
                        .map(|value| match value.strip_prefix("##").map(str::parse::<usize>) {
                            Some(nth) => format!("?{}", first + nth.expect("a number of ours")),
                            None if *value == "#" => {
                                next += 1;
                                format!("?{next}")
                            }
                            None => (*value).to_owned(),
                        })
                        .collect();
                    format!("({})", values.join(", "))
                })
                .collect();
            (*size, format!("{head}{}{tail}", rows.join(", ")))
        });
        Self { width, texts: texts.collect() }
    }

    /// Runs it for all rows, whose values stand one after the other.
    pub async fn run(&self, tx: &mut WriteTx<Data>, shared: &[Value], values: Vec<Value>) -> Result<(), StoreError> {
        let mut values = values.into_iter();
        for (size, text) in &self.texts {
            while values.len() >= size * self.width {
                let own = values.by_ref().take(size * self.width);
                let all: Vec<Value> = shared.iter().cloned().chain(own).collect();
                tx.execute(text, &all).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Statements;

    #[test]
    fn statements_number_their_parameters() {
        let statements = Statements::new("INSERT INTO t VALUES ", &["#", "?1", "#", "##2"], 1, "");
        let (size, text) = &statements.texts[2];
        assert_eq!((*size, statements.width), (5, 2));
        assert!(text.starts_with("INSERT INTO t VALUES (?2, ?1, ?3, ?3), (?4, ?1, ?5, ?5), "), "{text}");
    }
}
