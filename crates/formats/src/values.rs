//! The values that reading yields, the same for every format.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::{Encoding, IDENTIFIER_BYTES_MAX, PROSE_BYTES_MAX, Sink};

/// A file format that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Open Cybersecurity Schema Framework 1.x.
    Ocsf,
    /// Extensible Configuration Checklist Description Format 1.2, also inside ARF.
    Xccdf,
    /// Static Analysis Results Interchange Format 2.1.0.
    Sarif,
}

impl Format {
    /// The name as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Ocsf => "ocsf",
            Format::Xccdf => "xccdf",
            Format::Sarif => "sarif",
        }
    }
}

/// How bad it is when a control fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Act at once.
    Critical,
    /// Act soon.
    High,
    /// Plan it.
    Medium,
    /// When there is time.
    Low,
    /// Good to know.
    Informational,
    /// The file does not say.
    Unknown,
}

impl Severity {
    /// The name as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::High => "high",
            Severity::Medium => "medium",
            Severity::Low => "low",
            Severity::Informational => "informational",
            Severity::Unknown => "unknown",
        }
    }
}

/// What a check said about a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// A person has to look.
    Manual,
    /// The control means nothing on this resource.
    NotApplicable,
    /// The check itself did not work.
    Error,
}

impl Outcome {
    /// The name as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Manual => "manual",
            Outcome::NotApplicable => "not_applicable",
            Outcome::Error => "error",
        }
    }
}

/// Where the findings of a file come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Origin {
    /// The format it was read from.
    pub format: Format,
    /// The tool that looked, `unknown` when the file does not say.
    pub tool: String,
    /// Its version.
    pub tool_version: Option<String>,
    /// What was looked at: cloud account, host, repository. Of a file with several, the first.
    pub target: Option<String>,
    /// The profile or baseline that was checked (XCCDF).
    pub profile: Option<String>,
    /// When, in microseconds since the epoch.
    pub observed_at: Option<i64>,
}

/// A rule that can be passed or failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Control {
    /// The name that findings use for it.
    pub uid: String,
    /// One line.
    pub title: String,
    /// What is checked and why.
    pub description: Option<String>,
    /// What to do when it fails.
    pub remediation: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// How bad a failure is.
    pub severity: Severity,
    /// Requirements it serves, as (framework, requirement), in the order of the file.
    pub frameworks: Vec<(String, String)>,
}

/// The thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// Its name in the world it lives in (ARN, host name, path), [`crate::RESOURCE_UNSPECIFIED`] when there is none.
    pub uid: String,
    /// Its name for people.
    pub name: Option<String>,
    /// What sort of thing it is, in the words of the tool.
    pub kind: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// Whose it is: the cloud account.
    pub account: Option<String>,
}

/// One result of one control on one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The uid of its control.
    pub control_uid: String,
    /// One line.
    pub title: String,
    /// How bad it is here, or would be.
    pub severity: Severity,
    /// What the check said.
    pub result: Outcome,
    /// What was looked at.
    pub resource: Resource,
    /// What the tool says about this very case.
    pub message: Option<String>,
    /// Where inside the resource: `file:line` (SARIF), the instance (XCCDF).
    pub location: Option<String>,
    /// When, in microseconds since the epoch.
    pub observed_at: Option<i64>,
    /// A name for this finding that stays the same from run to run, if the tool makes one (SARIF).
    pub fingerprint: Option<String>,
    /// What an auditor wants to see, at most [`crate::EVIDENCE_BYTES_MAX`].
    pub evidence: serde_json::Value,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The format as given or found.
    pub format: Format,
    /// How the file was compressed.
    pub encoding: Encoding,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Records read: OCSF events, XCCDF rule results, SARIF results, used or not.
    pub records: u64,
    /// Findings given to the sink; the five counts below add up to it.
    pub findings: u64,
    /// Findings with [`Outcome::Pass`].
    pub passed: u64,
    /// Findings with [`Outcome::Fail`].
    pub failed: u64,
    /// Findings with [`Outcome::Manual`].
    pub manual: u64,
    /// Findings with [`Outcome::NotApplicable`].
    pub not_applicable: u64,
    /// Findings with [`Outcome::Error`].
    pub errors: u64,
    /// OCSF classes that were skipped, `2002 Vulnerability Finding` → how many. At most 100 names, then `other`.
    pub unknown_classes: BTreeMap<String, u64>,
}

impl Report {
    pub(crate) fn new(format: Format, encoding: Encoding) -> Report {
        Report {
            format,
            encoding,
            bytes: 0,
            records: 0,
            findings: 0,
            passed: 0,
            failed: 0,
            manual: 0,
            not_applicable: 0,
            errors: 0,
            unknown_classes: BTreeMap::new(),
        }
    }

    pub(crate) fn count(&mut self, result: Outcome) {
        self.findings += 1;
        *match result {
            Outcome::Pass => &mut self.passed,
            Outcome::Fail => &mut self.failed,
            Outcome::Manual => &mut self.manual,
            Outcome::NotApplicable => &mut self.not_applicable,
            Outcome::Error => &mut self.errors,
        } += 1;
    }
}

/// A sink that keeps everything: for tests and small files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// The origin, once it was known.
    pub origin: Option<Origin>,
    /// Every control as it came, also repeated ones.
    pub controls: Vec<Control>,
    /// Every finding.
    pub findings: Vec<Finding>,
}

impl Sink for Collected {
    fn origin(&mut self, origin: &Origin) -> Result<(), String> {
        self.origin = Some(origin.clone());
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<(), String> {
        self.controls.push(control);
        Ok(())
    }

    fn finding(&mut self, finding: Finding) -> Result<(), String> {
        self.findings.push(finding);
        Ok(())
    }
}

/// Text for people: cut at [`PROSE_BYTES_MAX`], without NUL.
pub(crate) fn prose(text: impl AsRef<str>) -> String {
    shortened(text.as_ref(), PROSE_BYTES_MAX)
}

/// Text that is cut to `bytes_max`, the ellipsis included.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return without_nul(text).into_owned();
    }
    let mut end = bytes_max - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // A NUL grows from one byte to three; cut first text that is full of them.
    let head = without_nul(&text[..end]);
    if head.len() > end { shortened(&head, bytes_max) } else { format!("{head}…") }
}

/// `None` for text that says nothing.
pub(crate) fn some_prose(text: Option<impl AsRef<str>>) -> Option<String> {
    let text = text?;
    (!text.as_ref().trim().is_empty()).then(|| prose(text))
}

/// A name that must stay whole: refused when too long.
pub(crate) fn identifier(text: &str) -> Result<String, String> {
    if text.len() > IDENTIFIER_BYTES_MAX {
        return Err(format!("an identifier of {} bytes is longer than the {IDENTIFIER_BYTES_MAX} allowed", text.len()));
    }
    Ok(without_nul(text).into_owned())
}

/// An identifier, or `None` for an empty one.
pub(crate) fn some_identifier(text: Option<&str>) -> Result<Option<String>, String> {
    match text {
        Some(text) if !text.is_empty() => identifier(text).map(Some),
        _ => Ok(None),
    }
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if memchr::memchr(0, text.as_bytes()).is_some() { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Microseconds since the epoch of an ISO 8601 instant; one without an offset is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_microsecond());
    }
    let at: jiff::civil::DateTime = text.parse().ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// Remembers, in bounded space, which controls were given to the sink and with what content.
pub(crate) struct Given {
    seen: std::collections::HashMap<u64, (u64, u8)>,
}

impl Given {
    const UIDS_MAX: usize = 20_000;
    /// A tool that words a control anew for every finding shall not make a control call of every finding.
    const CHANGES_MAX: u8 = 8;

    pub(crate) fn new() -> Given {
        Given { seen: std::collections::HashMap::new() }
    }

    /// True when this uid was not given yet, or with other content.
    pub(crate) fn is_news(&mut self, uid: &str, content: impl Hash) -> bool {
        let uid = hash(uid);
        let content = hash(content);
        match self.seen.get_mut(&uid) {
            Some((known, changes)) => {
                let news = *known != content && *changes < Given::CHANGES_MAX;
                if news {
                    *known = content;
                    *changes += 1;
                }
                news
            }
            None => {
                if self.seen.len() >= Given::UIDS_MAX {
                    self.seen.clear();
                }
                self.seen.insert(uid, (content, 0));
                true
            }
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Keeps evidence below its bound: what is too much gives way, the longest first.
pub(crate) fn evidence(mut notes: serde_json::Map<String, serde_json::Value>) -> serde_json::Value {
    let mut trimmed = false;
    while text_length(&notes) > crate::EVIDENCE_BYTES_MAX - "\"trimmed\":true,".len() {
        let Some(longest) = notes.iter().max_by_key(|(_, note)| text_length(note)).map(|(name, _)| name.clone()) else {
            break;
        };
        notes.remove(&longest);
        trimmed = true;
    }
    if trimmed {
        notes.insert("trimmed".into(), true.into());
    }
    serde_json::Value::Object(notes)
}

fn text_length(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

/// A URI as people write a path. What does not decode to UTF-8 stays as it is.
pub(crate) fn percent_decoded(uri: &str) -> String {
    if !uri.contains('%') {
        return uri.to_owned();
    }
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| uri.to_owned())
}
