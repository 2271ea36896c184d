//! The other direction: writes a [`Scan`] as a file of each format, for demo data and benchmarks, so that they go
//! through the same readers as anybody's files.
//!
//! A format carries what it has a place for; what [`crate::read`] then gives back is:
//!
//! | | OCSF | XCCDF | SARIF |
//! |---|---|---|---|
//! | time | of each finding, milliseconds | of each finding | of the run |
//! | severity | all, a control takes that of its first finding | critical becomes high | all but unknown |
//! | target | the account | the host of the first result | an absolute URI, the repository |
//! | resource | all | uid (the host), as one `TestResult` each | uid, name, kind |
//! | location, fingerprint, profile | – | location, profile | location, fingerprint |
//! | evidence | `resource_data` | `check` (`href`, `name`) | `snippet`, if there is a location |
//! | description, remediation, url, frameworks of controls | of controls with findings | of all | of all |

use std::collections::HashMap;
use std::io::{self, Write};

use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

use crate::{Control, Finding, Outcome, Severity};

/// A finished scan, to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// The name of the tool.
    pub tool: String,
    /// Its version.
    pub tool_version: Option<String>,
    /// The account, host or repository that was looked at.
    pub target: Option<String>,
    /// When, in microseconds since the epoch; for findings that do not say it themselves.
    pub observed_at: Option<i64>,
    /// The profile that was checked.
    pub profile: Option<String>,
    /// The rules. A finding whose control is not among them is written all the same.
    pub controls: Vec<Control>,
    /// The results.
    pub findings: Vec<Finding>,
}

impl Scan {
    fn controls_by_uid(&self) -> HashMap<&str, &Control> {
        self.controls.iter().map(|control| (control.uid.as_str(), control)).collect()
    }

    fn time(&self, finding: &Finding) -> Option<jiff::Timestamp> {
        timestamp(finding.observed_at.or(self.observed_at))
    }
}

fn timestamp(microseconds: Option<i64>) -> Option<jiff::Timestamp> {
    microseconds.and_then(|at| jiff::Timestamp::from_microsecond(at).ok())
}

/// Writes an array of OCSF 1.5.0 Detection Findings in the manner of Prowler: the result in `status_code`, frameworks
/// in `unmapped.compliance`.
pub fn ocsf(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    ocsf_separated(out, scan, ["[", ",\n", "]\n"])
}

/// The same as JSON lines.
pub fn ocsf_lines(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    ocsf_separated(out, scan, ["", "\n", "\n"])
}

fn ocsf_separated(out: &mut impl Write, scan: &Scan, [before, between, after]: [&str; 3]) -> io::Result<()> {
    let controls = scan.controls_by_uid();
    out.write_all(before.as_bytes())?;
    for (index, finding) in scan.findings.iter().enumerate() {
        if index > 0 {
            out.write_all(between.as_bytes())?;
        }
        let control = controls.get(finding.control_uid.as_str()).copied();
        serde_json::to_writer(&mut *out, &ocsf_event(scan, finding, control))?;
    }
    if scan.findings.is_empty() && before.is_empty() { Ok(()) } else { out.write_all(after.as_bytes()) }
}

fn ocsf_event(scan: &Scan, finding: &Finding, control: Option<&Control>) -> Value {
    let (severity_id, severity) = match finding.severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
        Severity::Unknown => (0, "Unknown"),
    };
    let status_code = match finding.result {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Manual => "MANUAL",
        Outcome::NotApplicable => "NOT_APPLICABLE",
        Outcome::Error => "ERROR",
    };
    let resource = &finding.resource;
    let account = resource.account.as_ref().or(scan.target.as_ref());
    let parts = [Some(&scan.tool), Some(&finding.control_uid), account, resource.region.as_ref(), Some(&resource.uid)];
    let uid: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let mut compliance = Map::new();
    for (framework, requirement) in control.iter().flat_map(|control| &control.frameworks) {
        let requirements = compliance.entry(framework.as_str()).or_insert_with(|| json!([]));
        if let Value::Array(requirements) = requirements {
            requirements.push(requirement.as_str().into());
        }
    }
    let url = control.and_then(|control| control.url.as_ref());
    let event = json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "metadata": {
            "event_code": finding.control_uid,
            "product": { "name": scan.tool, "vendor_name": scan.tool, "version": scan.tool_version },
            "profiles": ["cloud", "datetime"],
            "version": "1.5.0",
        },
        "time": scan.time(finding).map_or(0, |at| at.as_millisecond()),
        "time_dt": scan.time(finding).map(|at| at.to_string()),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "status_code": status_code,
        "status_detail": finding.message,
        "message": finding.message,
        "finding_info": {
            "uid": uid.join("-"),
            "title": finding.title,
            "desc": control.and_then(|control| control.description.as_ref()),
            "analytic": { "uid": finding.control_uid, "name": finding.title, "type": "Rule", "type_id": 1 },
        },
        "resources": [{
            "uid": resource.uid,
            "name": resource.name,
            "type": resource.kind,
            "region": resource.region,
            "data": finding.evidence.get("resource_data"),
        }],
        "cloud": { "account": account.map(|uid| json!({ "uid": uid })), "provider": "unknown", "region": resource.region },
        "remediation": control.and_then(|control| control.remediation.as_ref().or(url)).map(|_| json!({
            "desc": control.and_then(|control| control.remediation.as_deref()).unwrap_or_default(),
            "references": url.map(|url| [url]),
        })),
        "unmapped": { "compliance": compliance },
    });
    without_null(event)
}

/// A null is not the same as nothing to a schema.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            // Data of a resource is the tool's own.
            Value::Object(kept.map(|(key, value)| if key == "data" { (key, value) } else { (key, without_null(value)) }).collect())
        }
        Value::Array(values) => values.into_iter().map(without_null).collect(),
        other => other,
    }
}

/// Writes an XCCDF 1.2 `Benchmark` with its rules and one `TestResult` for each host.
///
/// XCCDF wants ids of the form `xccdf_…_rule_…`; others are given it, with what may not stand in an XML name made `_`.
/// Characters that XML cannot hold become U+FFFD.
pub fn xccdf(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_tenantry_benchmark_scan" resolved="true">"#
    )?;
    writeln!(out, "<status>accepted</status><version>1.0</version>")?;
    for control in &scan.controls {
        xccdf_rule(out, control)?;
    }
    let mut hosts: Vec<(&str, Vec<&Finding>)> = Vec::new();
    let mut place = HashMap::new();
    for finding in &scan.findings {
        let host = finding.resource.uid.as_str();
        let at = *place.entry(host).or_insert_with(|| {
            hosts.push((host, Vec::new()));
            hosts.len() - 1
        });
        hosts[at].1.push(finding);
    }
    for (number, (host, findings)) in hosts.iter().enumerate() {
        xccdf_test_result(out, scan, number + 1, host, findings)?;
    }
    writeln!(out, "</Benchmark>")
}

fn xccdf_rule(out: &mut impl Write, control: &Control) -> io::Result<()> {
    let severity = xccdf_severity(control.severity);
    writeln!(out, r#"<Rule id="{}" severity="{severity}">"#, xml(&xccdf_id(&control.uid)))?;
    writeln!(out, "<title>{}</title>", xml(&control.title))?;
    if let Some(description) = &control.description {
        writeln!(out, "<description>{}</description>", xml(description))?;
    }
    if let Some(url) = &control.url {
        writeln!(out, r#"<reference href="{}"/>"#, xml(url))?;
    }
    for (framework, requirement) in &control.frameworks {
        let system = match framework.as_str() {
            "CCE" => "https://ncp.nist.gov/cce".to_owned(),
            other => format!("urn:x-framework:{}", percent_encoded(other, "")),
        };
        writeln!(out, r#"<ident system="{}">{}</ident>"#, xml(&system), xml(requirement))?;
    }
    if let Some(remediation) = &control.remediation {
        writeln!(out, "<fixtext>{}</fixtext>", xml(remediation))?;
    }
    writeln!(out, "</Rule>")
}

fn xccdf_test_result(out: &mut impl Write, scan: &Scan, number: usize, host: &str, findings: &[&Finding]) -> io::Result<()> {
    let at = timestamp(scan.observed_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    writeln!(out, r#"<TestResult id="xccdf_tenantry_testresult_{number}" end-time="{at}" version="1.0">"#)?;
    writeln!(out, "<title>Result</title>")?;
    if let Some(profile) = &scan.profile {
        writeln!(out, r#"<profile idref="{}"/>"#, xml(profile))?;
    }
    writeln!(out, "<target>{}</target>", xml(host))?;
    writeln!(out, "<target-facts>")?;
    let facts = [("name", Some(&scan.tool)), ("version", scan.tool_version.as_ref())];
    for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        writeln!(out, r#"<fact name="urn:xccdf:fact:scanner:{name}" type="string">{}</fact>"#, xml(value))?;
    }
    writeln!(out, "</target-facts>")?;
    for finding in findings {
        xccdf_rule_result(out, scan, finding)?;
    }
    let count = |result| findings.iter().filter(|finding| finding.result == result).count() as f64;
    let (passed, failed) = (count(Outcome::Pass), count(Outcome::Fail));
    let score = if passed + failed == 0.0 { 0.0 } else { 100.0 * passed / (passed + failed) };
    writeln!(out, r#"<score system="urn:xccdf:scoring:flat-unweighted" maximum="100">{score:.2}</score>"#)?;
    writeln!(out, "</TestResult>")
}

fn xccdf_rule_result(out: &mut impl Write, scan: &Scan, finding: &Finding) -> io::Result<()> {
    let severity = xccdf_severity(finding.severity);
    let id = xccdf_id(&finding.control_uid);
    write!(out, r#"<rule-result idref="{}" severity="{severity}""#, xml(&id))?;
    if let Some(at) = scan.time(finding) {
        write!(out, r#" time="{at}""#)?;
    }
    let result = match finding.result {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Manual => "notchecked",
        Outcome::NotApplicable => "notapplicable",
        Outcome::Error => "error",
    };
    write!(out, "><result>{result}</result>")?;
    if let Some(message) = &finding.message {
        write!(out, r#"<message severity="info">{}</message>"#, xml(message))?;
    }
    if let Some(location) = &finding.location {
        write!(out, "<instance>{}</instance>", xml(location))?;
    }
    if let Some(check) = finding.evidence.get("check") {
        let part = |name| check.get(name).and_then(Value::as_str).unwrap_or_default();
        let system = Some(part("system")).filter(|system| !system.is_empty());
        let system = system.unwrap_or("http://oval.mitre.org/XMLSchema/oval-definitions-5");
        let (href, name) = (xml(part("href")), xml(part("name")));
        write!(out, r#"<check system="{}"><check-content-ref href="{href}" name="{name}"/></check>"#, xml(system))?;
    }
    writeln!(out, "</rule-result>")
}

fn xccdf_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational => "info",
        Severity::Unknown => "unknown",
    }
}

fn xccdf_id(uid: &str) -> String {
    let well_formed = uid.starts_with("xccdf_") && uid.split_once("_rule_").is_some_and(|(_, name)| !name.is_empty());
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "-._".contains(letter) { letter } else { '_' };
    let name: String = uid.chars().map(safe).collect();
    if well_formed { name } else { format!("xccdf_tenantry_rule_{name}") }
}

fn xml(text: &str) -> String {
    let holds = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().map(|letter| if holds(&letter) { letter } else { '\u{fffd}' }).collect();
    escape(text).into_owned()
}

/// Writes a SARIF 2.1.0 log with one run.
///
/// A resource that is a file (its `location` is the resource with a line behind it) becomes a physical location;
/// anything else a logical one, as its name need not be a URI.
pub fn sarif(out: &mut impl Write, scan: &Scan) -> io::Result<()> {
    let controls = scan.controls_by_uid();
    let mut taxonomies: Vec<(&str, Vec<&str>)> = Vec::new();
    for (framework, requirement) in scan.controls.iter().flat_map(|control| &control.frameworks) {
        let at = taxonomies.iter().position(|(name, _)| name == framework).unwrap_or_else(|| {
            taxonomies.push((framework, Vec::new()));
            taxonomies.len() - 1
        });
        if !taxonomies[at].1.contains(&requirement.as_str()) {
            taxonomies[at].1.push(requirement);
        }
    }
    write!(out, r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{{"driver":"#)?;
    let names: Vec<&str> = taxonomies.iter().map(|(name, _)| *name).collect();
    let rules: Vec<Value> = scan.controls.iter().map(|control| sarif_rule(control, &names)).collect();
    let driver = json!({ "name": scan.tool, "version": scan.tool_version, "rules": rules });
    serde_json::to_writer(&mut *out, &without_null(driver))?;
    write!(out, "}}")?;
    if let Some(at) = timestamp(scan.observed_at) {
        let invocations = json!([{ "executionSuccessful": true, "endTimeUtc": at.to_string() }]);
        write!(out, r#","invocations":{invocations}"#)?;
    }
    if let Some(target) = scan.target.as_ref().filter(|target| target.contains("://")) {
        write!(out, r#","versionControlProvenance":{}"#, json!([{ "repositoryUri": target }]))?;
    }
    if !taxonomies.is_empty() {
        let taxa = |ids: &[&str]| ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
        let taxonomies: Vec<Value> = taxonomies.iter().map(|(name, ids)| json!({ "name": name, "taxa": taxa(ids) })).collect();
        write!(out, r#","taxonomies":{}"#, Value::Array(taxonomies))?;
    }
    write!(out, r#","results":["#)?;
    for (index, finding) in scan.findings.iter().enumerate() {
        out.write_all(if index > 0 { b",\n" } else { b"\n" })?;
        serde_json::to_writer(&mut *out, &sarif_result(finding, controls.get(finding.control_uid.as_str()).copied()))?;
    }
    writeln!(out, "]}}]}}")
}

fn sarif_rule(control: &Control, taxonomies: &[&str]) -> Value {
    let text = |text: &Option<String>| text.as_ref().map(|text| json!({ "text": text }));
    let relationships: Vec<Value> = control
        .frameworks
        .iter()
        .map(|(framework, requirement)| {
            let index = taxonomies.iter().position(|name| name == framework);
            json!({
                "target": { "id": requirement, "toolComponent": { "name": framework, "index": index } },
                "kinds": ["relevant"],
            })
        })
        .collect();
    without_null(json!({
        "id": control.uid,
        "shortDescription": { "text": control.title },
        "fullDescription": text(&control.description),
        "help": text(&control.remediation),
        "helpUri": control.url,
        "defaultConfiguration": { "level": sarif_level(control.severity) },
        "relationships": (!relationships.is_empty()).then_some(relationships),
        "properties": security(control.severity),
    }))
}

fn sarif_result(finding: &Finding, control: Option<&Control>) -> Value {
    let kind = match finding.result {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Manual => "review",
        // SARIF tells of broken checks in the invocation; the nearest for one result is that it stays open.
        Outcome::Error => "open",
        Outcome::NotApplicable => "notApplicable",
    };
    let level = if finding.result == Outcome::Fail { sarif_level(finding.severity) } else { "none" };
    let resource = &finding.resource;
    let place = finding.location.as_deref().and_then(|location| location.rsplit_once(':'));
    let place = place.and_then(|(file, line)| Some((file, line.parse::<u64>().ok().filter(|line| *line > 0)?)));
    let inner = match place {
        Some((file, _)) if resource.uid == file => None,
        Some((file, _)) => {
            let inner = resource.uid.strip_prefix(file).and_then(|rest| rest.strip_prefix('#'));
            Some(inner.unwrap_or(&resource.uid))
        }
        None => Some(resource.uid.as_str()),
    };
    let own_severity = control.is_none_or(|control| control.severity != finding.severity);
    without_null(json!({
        "ruleId": finding.control_uid,
        "kind": kind,
        "level": level,
        "message": { "text": finding.message.as_deref().unwrap_or_default() },
        "locations": [{
            "physicalLocation": place.map(|(file, line)| json!({
                "artifactLocation": { "uri": percent_encoded(file, "/") },
                "region": {
                    "startLine": line,
                    "snippet": finding.evidence.get("snippet").map(|snippet| json!({ "text": snippet })),
                },
            })),
            "logicalLocations": inner.map(|inner| json!([{
                "fullyQualifiedName": inner,
                "name": resource.name,
                "kind": resource.kind,
            }])),
        }],
        "fingerprints": finding.fingerprint.as_ref().map(|fingerprint| json!({ "tenantry/v1": fingerprint })),
        "properties": own_severity.then(|| security(finding.severity)).flatten(),
    }))
}

fn sarif_level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low => "note",
        Severity::Informational => "none",
    }
}

/// The middle of each band that GitHub's code scanning made of the scores.
fn security(severity: Severity) -> Option<Value> {
    let score = match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Informational => "0.0",
        Severity::Unknown => return None,
    };
    Some(json!({ "security-severity": score }))
}

fn percent_encoded(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "-._~".contains(letter) || also.contains(letter) {
            encoded.push(letter);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
