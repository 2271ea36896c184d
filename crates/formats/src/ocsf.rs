//! OCSF 1.x findings (schema.ocsf.io): Compliance Finding (class 2003) and Detection Finding (class 2004), as a JSON
//! array of events, as JSON lines, or as one event. Events of other classes are counted and skipped.
//!
//! Where a value comes from, first that is there:
//!
//! | value | attribute |
//! |---|---|
//! | control | `metadata.event_code`, `finding_info.analytic.uid`, `compliance.control`, `finding_info.title` |
//! | severity | `severity_id`: 1 informational, 2 low, 3 medium, 4 high, 5 critical, 6 fatal → critical; 0, 99 unknown |
//! | result | see [`outcome`] |
//! | resource | `resources[0]` (`resource` up to OCSF 1.2), `device`, the account |
//! | account | `cloud.account.uid`, `owner.account.uid` of the resource |
//! | time | `time`, `time_dt`, `finding_info.created_time` |
//! | frameworks | `unmapped.compliance` (Prowler: name → list), `compliance.standards` with `compliance.requirements` |
//!
//! `time` is milliseconds since the epoch by the schema, but Prowler writes seconds; see [`microseconds`].

use std::io::Read;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json::{Scanner, Slice};
use crate::values::{Given, identifier, prose, some_identifier, some_prose};
use crate::{Control, Error, ErrorKind, Finding, Format, Origin, Outcome, RESOURCE_UNSPECIFIED, Report, Resource, Severity, Sink};

mod shape;
pub(crate) use shape::Text;
use shape::{Compliance, Frameworks, Record, Remediation};

const COMPLIANCE_FINDING: u64 = 2003;
const DETECTION_FINDING: u64 = 2004;

/// Resource data up to this length is kept as evidence, of longer data the beginning.
const DATA_BYTES_MAX: usize = 6 * 1024;
const OTHER_RESOURCES_MAX: usize = 20;
const FRAMEWORKS_MAX: usize = 2_000;
const CLASSES_MAX: usize = 100;

/// Reads a whole file.
pub(crate) fn read<R: Read>(scanner: &mut Scanner<R>, sink: &mut dyn Sink, report: &mut Report) -> Result<(), Error> {
    let mut reader = Reader { sink, report, given: Given::new(), origin_told: false };
    if scanner.peek()? == Some(b'[') {
        scanner.expect(b'[')?;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            reader.next(scanner, true)?;
        }
    } else {
        loop {
            match scanner.peek()? {
                None => break,
                Some(b'{') => reader.next(scanner, false)?,
                found => return Err(scanner.unexpected("an OCSF event, `{` or `[`", found)),
            }
        }
    }
    scanner.finish()
}

struct Reader<'a> {
    sink: &'a mut dyn Sink,
    report: &'a mut Report,
    given: Given,
    origin_told: bool,
}

impl Reader<'_> {
    fn next<R: Read>(&mut self, scanner: &mut Scanner<R>, in_array: bool) -> Result<(), Error> {
        let index = self.report.records;
        self.report.records += 1;
        scanner.record = Some(index + 1);
        let slice = scanner.value()?;
        let base = || if in_array { format!("/{index}") } else { String::new() };
        let record: Record<'_> = match slice.parse(base) {
            Ok(record) => record,
            // Another class may well have other types where we look; it is no business of ours.
            Err(error) => match slice.parse::<shape::Class<'_>>(base) {
                Ok(class) if class.is_other() => {
                    self.skip(class.class_uid.map_or(0, |uid| uid.0), class.class_name);
                    return Ok(());
                }
                _ => return Err(error),
            },
        };
        let Some(class) = record.class_uid else {
            return Err(slice.error(ErrorKind::Schema, base(), "class_uid is missing"));
        };
        if class.0 != COMPLIANCE_FINDING && class.0 != DETECTION_FINDING {
            self.skip(class.0, record.class_name);
            return Ok(());
        }
        self.finding(&record, class.0).map_err(|refusal| refusal.at(&slice, base()))
    }

    fn skip(&mut self, class_uid: u64, class_name: Option<Text<'_>>) {
        let name = match class_name.as_deref() {
            Some(name) if !name.is_empty() => format!("{class_uid} {}", crate::values::shortened(name, 100)),
            _ => class_uid.to_string(),
        };
        let classes = &mut self.report.unknown_classes;
        let name = if classes.len() < CLASSES_MAX || classes.contains_key(&name) { name } else { "other".into() };
        *classes.entry(name).or_default() += 1;
    }

    fn finding(&mut self, record: &Record<'_>, class: u64) -> Result<(), Refusal> {
        supported(record)?;
        let severity = severity(record.severity_id.map_or(0, |id| id.0));
        let control_uid = identifier(control_uid(record)?).map_err(|reason| Refusal::long("", reason))?;
        let observed_at = observed_at(record);
        let resource = resource(record)?;

        if !self.origin_told {
            let origin = origin(record, &resource, observed_at)?;
            self.sink.origin(&origin).map_err(Refusal::sink)?;
            self.origin_told = true;
        }

        let info = record.finding_info.as_ref();
        let title = record.title().map_or_else(|| control_uid.clone(), prose);
        let compliance = record.unmapped.as_ref().and_then(|unmapped| unmapped.compliance);
        let content = (
            record.title(),
            info.and_then(|info| info.desc.as_deref()),
            record.risk_details.as_deref(),
            record.remediation.map(RawValue::get),
            compliance.map(RawValue::get),
            record.compliance.as_ref().map(|compliance| (compliance.standards.as_deref(), compliance.requirements.as_deref())),
        );
        if self.given.is_news(&control_uid, content) {
            let control = control(record, &control_uid, &title, severity);
            self.sink.control(control).map_err(Refusal::sink)?;
        }

        let result = outcome(class, record);
        self.report.count(result);
        let message = record.message.as_deref().filter(|message| !message.is_empty());
        let message = message.or(record.status_detail.as_deref());
        let finding = Finding {
            severity,
            result,
            evidence: evidence(record, message),
            message: some_prose(message),
            location: None,
            observed_at,
            fingerprint: None,
            control_uid,
            title,
            resource,
        };
        self.sink.finding(finding).map_err(Refusal::sink)
    }
}

/// An error that does not know its place yet.
struct Refusal {
    kind: ErrorKind,
    pointer: &'static str,
    reason: String,
}

impl Refusal {
    fn sink(reason: String) -> Refusal {
        Refusal { kind: ErrorKind::Sink, pointer: "", reason }
    }

    fn long(pointer: &'static str, reason: String) -> Refusal {
        Refusal { kind: ErrorKind::TooLarge, pointer, reason }
    }

    fn at(self, slice: &Slice<'_>, base: String) -> Error {
        slice.error(self.kind, base + self.pointer, self.reason)
    }
}

/// Only OCSF 1.x is read; `metadata.version` is required by the schema.
fn supported(record: &Record<'_>) -> Result<(), Refusal> {
    let version = record.metadata.as_ref().and_then(|metadata| metadata.version.as_deref());
    let (kind, reason) = match version {
        Some(version) if version == "1" || version.starts_with("1.") => return Ok(()),
        Some(version) => {
            let version = crate::values::shortened(version, 40);
            (ErrorKind::Unsupported, format!("OCSF {version} is not read, only OCSF 1.x"))
        }
        None => (ErrorKind::Schema, "metadata.version is missing".into()),
    };
    Err(Refusal { kind, pointer: "/metadata/version", reason })
}

fn severity(id: u64) -> Severity {
    match id {
        1 => Severity::Informational,
        2 => Severity::Low,
        3 => Severity::Medium,
        4 => Severity::High,
        5 | 6 => Severity::Critical,
        _ => Severity::Unknown,
    }
}

fn control_uid<'r>(record: &'r Record<'_>) -> Result<&'r str, Refusal> {
    let metadata = record.metadata.as_ref().and_then(|metadata| metadata.event_code.as_deref());
    let info = record.finding_info.as_ref();
    let analytic = info.and_then(|info| info.analytic.as_ref()).and_then(|analytic| analytic.uid.as_deref());
    let compliance = record.compliance.as_ref().and_then(|compliance| compliance.control.as_deref());
    let title = info.and_then(|info| info.title.as_deref());
    [metadata, analytic, compliance, title].into_iter().flatten().find(|uid| !uid.is_empty()).ok_or_else(|| Refusal {
        kind: ErrorKind::Schema,
        pointer: "",
        reason: "nothing names the control: no metadata.event_code, finding_info.analytic.uid, compliance.control or \
                 finding_info.title"
            .into(),
    })
}

/// The result of the check, by the first of these that says one:
///
/// 1. `status_code`: `PASS`, `FAIL`, `MANUAL` as Prowler writes them (and their like).
/// 2. `compliance.status_id` (OCSF compliance object: 1 Pass, 2 Warning, 3 Fail), `compliance.status`. A warning is
///    a requirement not fully met: a fail.
/// 3. For a Detection Finding, `status_id` 4 Resolved is a pass and anything else a fail: it reports a problem found,
///    and New, In Progress or Suppressed only tell what people did about it. A Compliance Finding without a status
///    says nothing about the resource: a person has to look.
fn outcome(class: u64, record: &Record<'_>) -> Outcome {
    let said = record.status_code.as_deref().and_then(outcome_named);
    let compliance = record.compliance.as_ref();
    said.or_else(|| compliance.and_then(compliance_outcome)).unwrap_or_else(|| match class {
        COMPLIANCE_FINDING => Outcome::Manual,
        _ if record.status_id.is_some_and(|id| id.0 == 4) => Outcome::Pass,
        _ => Outcome::Fail,
    })
}

fn compliance_outcome(compliance: &Compliance<'_>) -> Option<Outcome> {
    match compliance.status_id.map(|id| id.0) {
        Some(1) => Some(Outcome::Pass),
        Some(2 | 3) => Some(Outcome::Fail),
        _ => compliance.status.as_deref().and_then(outcome_named),
    }
}

fn outcome_named(name: &str) -> Option<Outcome> {
    let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is(&["pass", "passed", "compliant"]) {
        Some(Outcome::Pass)
    } else if is(&["fail", "failed", "warning", "non_compliant"]) {
        Some(Outcome::Fail)
    } else if is(&["manual", "not_available"]) {
        Some(Outcome::Manual)
    } else if is(&["not_applicable", "not applicable", "notapplicable"]) {
        Some(Outcome::NotApplicable)
    } else if is(&["error"]) {
        Some(Outcome::Error)
    } else {
        None
    }
}

/// An instant in seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by magnitude: a count
/// below 10¹¹ is seconds (as milliseconds it would lie before March 1973), below 10¹⁴ milliseconds, and so on.
fn microseconds(count: i64) -> Option<i64> {
    match count.unsigned_abs() {
        0 => None,
        1..100_000_000_000 => count.checked_mul(1_000_000),
        100_000_000_000..100_000_000_000_000 => count.checked_mul(1_000),
        100_000_000_000_000..100_000_000_000_000_000 => Some(count),
        _ => Some(count / 1_000),
    }
}

fn observed_at(record: &Record<'_>) -> Option<i64> {
    let created = record.finding_info.as_ref().and_then(|info| info.created_time);
    record
        .time
        .and_then(|time| microseconds(time.0))
        .or_else(|| record.time_dt.as_deref().and_then(crate::values::instant))
        .or_else(|| created.and_then(|time| microseconds(time.0)))
}

fn resource(record: &Record<'_>) -> Result<Resource, Refusal> {
    let long = |pointer| move |reason| Refusal::long(pointer, reason);
    let first = record.first_resource();
    let cloud = record.cloud.as_ref();
    let account = cloud
        .and_then(|cloud| cloud.account.as_ref())
        .or_else(|| first.and_then(|first| first.owner.as_ref()).and_then(|owner| owner.account.as_ref()))
        .and_then(|account| account.uid.as_deref());
    let account = some_identifier(account).map_err(long("/cloud/account/uid"))?;
    let region = first.and_then(|first| first.region.as_deref()).filter(|region| !region.is_empty());
    let region = region.or_else(|| cloud.and_then(|cloud| cloud.region.as_deref()));
    let region = some_identifier(region).map_err(long("/resources/0/region"))?;
    let device = record.device.as_ref();
    let (names, name, kind) = match (first, device) {
        (Some(first), _) => ([first.uid.as_deref(), first.name.as_deref()], first.name.as_deref(), first.kind.as_deref()),
        (None, Some(device)) => {
            let name = device.hostname.as_deref().or(device.name.as_deref());
            ([device.uid.as_deref(), name], name, Some("host"))
        }
        (None, None) => ([account.as_deref(), None], None, account.as_ref().map(|_| "account")),
    };
    let uid = names.into_iter().flatten().find(|uid| !uid.is_empty()).unwrap_or(RESOURCE_UNSPECIFIED);
    Ok(Resource {
        uid: identifier(uid).map_err(long("/resources/0/uid"))?,
        name: some_prose(name),
        kind: some_identifier(kind).map_err(long("/resources/0/type"))?,
        region,
        account,
    })
}

fn origin(record: &Record<'_>, resource: &Resource, observed_at: Option<i64>) -> Result<Origin, Refusal> {
    let long = |reason| Refusal::long("/metadata/product", reason);
    let product = record.metadata.as_ref().and_then(|metadata| metadata.product.as_ref());
    let tool = product.and_then(|product| product.name.as_deref()).filter(|name| !name.is_empty());
    let version = product.and_then(|product| product.version.as_deref());
    Ok(Origin {
        format: Format::Ocsf,
        tool: identifier(tool.unwrap_or("unknown")).map_err(long)?,
        tool_version: some_identifier(version).map_err(long)?,
        target: resource.account.clone(),
        profile: None,
        observed_at,
    })
}

fn control(record: &Record<'_>, uid: &str, title: &str, severity: Severity) -> Control {
    let remediation = record.remediation.and_then(|raw| serde_json::from_str::<Remediation<'_>>(raw.get()).ok());
    let remediation = remediation.unwrap_or_default();
    let description = record.finding_info.as_ref().and_then(|info| info.desc.as_deref());
    let description = match (description, record.risk_details.as_deref().filter(|risk| !risk.is_empty())) {
        (Some(description), Some(risk)) => some_prose(Some(format!("{description}\n\n{risk}"))),
        (description, risk) => some_prose(description.or(risk)),
    };
    let url = remediation.references.iter().flatten().map(|url| &**url).find(|url| !url.is_empty());
    Control {
        uid: uid.to_owned(),
        title: title.to_owned(),
        description,
        remediation: some_prose(remediation.desc.as_deref()),
        url: url.map(|url| crate::values::shortened(url, crate::IDENTIFIER_BYTES_MAX)),
        severity,
        frameworks: frameworks(record),
    }
}

fn frameworks(record: &Record<'_>) -> Vec<(String, String)> {
    let named = |text: &str| crate::values::shortened(text, 256);
    let mut pairs = Vec::new();
    let unmapped = record.unmapped.as_ref().and_then(|unmapped| unmapped.compliance);
    // `unmapped` is the tool's own; of another shape than Prowler's it says nothing to us.
    if let Some(Frameworks(found)) = unmapped.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
        pairs.extend(found.iter().map(|(framework, requirement)| (named(framework), named(requirement))));
    }
    if let Some(compliance) = &record.compliance {
        let standards = compliance.standards.as_deref().unwrap_or_default();
        let requirements = compliance.requirements.as_deref().unwrap_or_default();
        match standards {
            [standard] => pairs.extend(requirements.iter().map(|requirement| (named(standard), named(requirement)))),
            _ if standards.len() == requirements.len() => {
                pairs.extend(standards.iter().zip(requirements).map(|(one, other)| (named(one), named(other))));
            }
            _ => {}
        }
        // Which requirement belongs to which standard cannot be known then; the control itself belongs to each.
        let unpaired = requirements.is_empty() || (standards.len() > 1 && standards.len() != requirements.len());
        if let Some(control) = compliance.control.as_deref().filter(|_| unpaired) {
            pairs.extend(standards.iter().map(|standard| (named(standard), named(control))));
        }
    }
    pairs.truncate(FRAMEWORKS_MAX);
    pairs
}

fn evidence(record: &Record<'_>, message: Option<&str>) -> Value {
    let mut evidence = Map::new();
    let mut note = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            evidence.insert(name.into(), crate::values::shortened(text, 2048).into());
        }
    };
    note("finding_uid", record.finding_info.as_ref().and_then(|info| info.uid.as_deref()));
    note("status", record.status.as_deref());
    note("status_detail", record.status_detail.as_deref().filter(|detail| Some(*detail) != message));
    if let Some(compliance) = &record.compliance {
        note("compliance_status", compliance.status.as_deref());
        note("compliance_detail", compliance.status_detail.as_deref());
    }
    if let Some(data) = record.first_resource().and_then(|first| first.data) {
        let (name, data) = bounded(data.get());
        evidence.insert(name.into(), data);
    }
    let others = record.resources.as_deref().unwrap_or_default();
    let count = record.resources.as_ref().map_or(0, |resources| resources.count);
    if others.len() > 1 {
        let uids = others[1..].iter().filter_map(|other| other.uid.as_deref().or(other.name.as_deref()));
        let uids: Vec<Value> = uids.take(OTHER_RESOURCES_MAX).map(|uid| crate::values::shortened(uid, 256).into()).collect();
        evidence.insert("other_resources".into(), uids.into());
        evidence.insert("other_resources_count".into(), (count - 1).into());
    }
    crate::values::evidence(evidence)
}

/// Data that fits is kept as it is, of longer data the beginning of its text.
fn bounded(raw: &str) -> (&'static str, Value) {
    if raw.len() > DATA_BYTES_MAX {
        // As JSON text again, quotes and escapes make it longer.
        return ("resource_data_trimmed", crate::values::shortened(raw, DATA_BYTES_MAX / 2).into());
    }
    let text = raw.replace("\\u0000", "\\ufffd");
    ("resource_data", serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests;
