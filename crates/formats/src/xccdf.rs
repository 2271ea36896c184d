//! XCCDF 1.2 results (NIST IR 7275 r4): a `TestResult` as the root, inside a `Benchmark`, or anywhere inside an ARF
//! `asset-report-collection` (NIST IR 7694), as OpenSCAP and other SCAP tools write them.
//!
//! | value | element |
//! |---|---|
//! | control | `rule-result/@idref`; described by the `Rule` of that id if the file holds it, else the title comes from the id |
//! | severity | `rule-result/@severity`: high, medium, low, info → informational, unknown |
//! | result | pass, fixed → pass; fail; error, unknown → error; notapplicable; notchecked, informational → manual; notselected → left out |
//! | resource | the first `target` (a host) |
//! | location | the first `instance`, of a rule that was checked on several things of one host |
//! | frameworks | `ident`: CCE, CCI, CVE by their prefix, else the end of `@system`; `reference` with a text, by its `@href` |
//! | time | `rule-result/@time`, else `TestResult/@end-time`, `@start-time` |
//! | tool | the facts `scanner:name` and `scanner:version`, else the CPE in `TestResult/@test-system` |
//!
//! A document may hold several results: the origin is that of the first. Document types and entities are refused.

use std::collections::HashMap;
use std::io::Read;

use serde_json::{Map, Value};

use crate::values::{Given, instant, prose, shortened, some_identifier, some_prose};
use crate::xml::{Element, Piece, Pull, Space};
use crate::{Control, Error, ErrorKind, Finding, Format, Origin, Outcome, RESOURCE_UNSPECIFIED, Report, Resource, Severity, Sink};

/// What is held of the titles of rules; beyond, titles come from ids.
const TITLES_BYTES_MAX: usize = 8 * 1024 * 1024;
const FRAMEWORKS_MAX: usize = 2_000;
const NOTES_MAX: usize = 20;

/// Reads a whole document.
pub(crate) fn read<R: Read>(pull: Pull<R>, sink: &mut dyn Sink, report: &mut Report) -> Result<(), Error> {
    let mut reader = Reader {
        pull,
        sink,
        report,
        titles: HashMap::new(),
        titles_bytes: 0,
        given: Given::new(),
        origin_told: false,
        results_seen: false,
    };
    reader.document()
}

struct Reader<'a, R> {
    pull: Pull<R>,
    sink: &'a mut dyn Sink,
    report: &'a mut Report,
    /// Titles of the rules that the document describes.
    titles: HashMap<String, String>,
    titles_bytes: usize,
    given: Given,
    origin_told: bool,
    results_seen: bool,
}

/// What a `TestResult` says before its first `rule-result`.
#[derive(Default)]
struct TestResult {
    target: Option<String>,
    address: Option<String>,
    profile: Option<String>,
    tool: Option<String>,
    tool_version: Option<String>,
    observed_at: Option<i64>,
}

impl<R: Read> Reader<'_, R> {
    fn document(&mut self) -> Result<(), Error> {
        let mut root = true;
        loop {
            match self.pull.next()? {
                Piece::Start(element) if root => {
                    root = false;
                    self.root(&element)?;
                    self.element(&element)?;
                }
                Piece::Start(element) => self.element(&element)?,
                Piece::Done if !self.results_seen => {
                    return Err(self.pull.error(ErrorKind::Schema, "the document holds no TestResult"));
                }
                Piece::Done => return Ok(()),
                Piece::End | Piece::Text(_) => {}
            }
        }
    }

    fn root(&self, root: &Element) -> Result<(), Error> {
        let known = match root.space {
            Space::Xccdf12 => root.name == "TestResult" || root.name == "Benchmark",
            Space::Arf => root.name == "asset-report-collection",
            Space::XccdfOld => {
                let reason = "XCCDF 1.1 and older are not read, only XCCDF 1.2";
                return Err(self.pull.error(ErrorKind::Unsupported, reason));
            }
            Space::Other => false,
        };
        if known {
            return Ok(());
        }
        let reason = format!(
            "<{}> is not an XCCDF 1.2 TestResult or Benchmark, and not an ARF asset-report-collection",
            shortened(&root.name, 60)
        );
        Err(self.pull.error(ErrorKind::Unsupported, reason))
    }

    /// Elements that mean nothing to us are entered, as a result may lie at any depth of an ARF.
    fn element(&mut self, element: &Element) -> Result<(), Error> {
        match element.name.as_str() {
            "TestResult" if element.space == Space::XccdfOld => {
                Err(self.pull.error(ErrorKind::Unsupported, "XCCDF 1.1 and older are not read, only XCCDF 1.2"))
            }
            "TestResult" if element.is("TestResult") => self.test_result(element),
            "Rule" if element.is("Rule") => self.rule(element),
            _ => Ok(()),
        }
    }

    fn rule(&mut self, rule: &Element) -> Result<(), Error> {
        let id = self.required(rule, "id")?;
        let severity = severity(rule.attribute("severity"));
        let (mut title, mut description, mut rationale) = (String::new(), String::new(), String::new());
        let (mut remediation, mut url) = (None, None);
        let mut frameworks = Vec::new();
        while let Some(child) = self.child()? {
            match child.name.as_str() {
                "title" if child.is("title") && title.is_empty() => title = self.pull.text_inside()?,
                "description" if child.is("description") && description.is_empty() => {
                    description = self.pull.text_inside()?;
                }
                "rationale" if child.is("rationale") && rationale.is_empty() => rationale = self.pull.text_inside()?,
                "fixtext" if child.is("fixtext") && remediation.is_none() => {
                    remediation = some_prose(Some(self.pull.text_inside()?));
                }
                "ident" if child.is("ident") => {
                    let text = self.pull.text_inside()?;
                    frameworks.extend(ident(child.attribute("system"), &text));
                }
                "reference" if child.is("reference") => {
                    let text = self.pull.text_inside()?;
                    let href = child.attribute("href").unwrap_or_default();
                    if url.is_none() && href.starts_with("http") {
                        url = Some(shortened(href, crate::IDENTIFIER_BYTES_MAX));
                    }
                    if !text.is_empty() && text.len() <= 256 && !href.is_empty() {
                        frameworks.push((framework_at(href), text));
                    }
                }
                _ => self.pull.skip()?,
            }
        }
        frameworks.truncate(FRAMEWORKS_MAX);
        if title.is_empty() {
            title = title_of(&id);
        }
        self.hold_title(&id, &title);
        let description = match (description.is_empty(), rationale.is_empty()) {
            (false, false) => Some(format!("{description}\n\n{rationale}")),
            (true, _) => Some(rationale),
            (_, true) => Some(description),
        };
        let control =
            Control { uid: id, title: prose(title), description: some_prose(description), remediation, url, severity, frameworks };
        self.control(control)
    }

    fn hold_title(&mut self, id: &str, title: &str) {
        let title = shortened(title, 1024);
        let cost = id.len() + title.len() + 64;
        if self.titles_bytes + cost <= TITLES_BYTES_MAX {
            self.titles_bytes += cost;
            self.titles.insert(id.to_owned(), title);
        }
    }

    fn test_result(&mut self, element: &Element) -> Result<(), Error> {
        self.results_seen = true;
        let at = element.attribute("end-time").or(element.attribute("start-time"));
        let mut test = TestResult { observed_at: at.and_then(instant), ..TestResult::default() };
        // cpe:/a:vendor:product:version or cpe:2.3:a:vendor:product:version:…
        let system: Vec<&str> = element.attribute("test-system").unwrap_or_default().split(':').collect();
        let product = if system.get(1) == Some(&"2.3") { 4 } else { 3 };
        let part = |at: usize| system.get(at).copied().filter(|part| !part.is_empty() && *part != "*");
        test.tool = self.short(part(product))?;
        test.tool_version = self.short(part(product + 1))?;
        while let Some(child) = self.child()? {
            match child.name.as_str() {
                "rule-result" if child.is("rule-result") => {
                    self.origin(&test)?;
                    self.rule_result(&child, &test)?;
                }
                "profile" if child.is("profile") => {
                    test.profile = self.short(child.attribute("idref"))?;
                    self.pull.skip()?;
                }
                "target" if child.is("target") && test.target.is_none() => test.target = self.short_text()?,
                "target-address" if child.is("target-address") && test.address.is_none() => {
                    test.address = self.short_text()?;
                }
                "target-facts" if child.is("target-facts") => self.facts(&mut test)?,
                _ => self.pull.skip()?,
            }
        }
        self.origin(&test)
    }

    fn facts(&mut self, test: &mut TestResult) -> Result<(), Error> {
        while let Some(fact) = self.child()? {
            match fact.attribute("name") {
                Some("urn:xccdf:fact:scanner:name") => test.tool = self.short_text()?,
                Some("urn:xccdf:fact:scanner:version") => test.tool_version = self.short_text()?,
                _ => self.pull.skip()?,
            }
        }
        Ok(())
    }

    fn origin(&mut self, test: &TestResult) -> Result<(), Error> {
        if self.origin_told {
            return Ok(());
        }
        self.origin_told = true;
        let origin = Origin {
            format: Format::Xccdf,
            tool: test.tool.clone().unwrap_or_else(|| "unknown".into()),
            tool_version: test.tool_version.clone(),
            target: test.target.clone().or_else(|| test.address.clone()),
            profile: test.profile.clone(),
            observed_at: test.observed_at,
        };
        self.sink.origin(&origin).map_err(|reason| self.pull.error(ErrorKind::Sink, reason))
    }

    fn rule_result(&mut self, element: &Element, test: &TestResult) -> Result<(), Error> {
        self.report.records += 1;
        self.pull.record = Some(self.report.records);
        let id = self.required(element, "idref")?;
        let mut result = None;
        let mut messages = String::new();
        let mut frameworks = Vec::new();
        let mut instances = Vec::new();
        let mut evidence = Map::new();
        while let Some(child) = self.child()? {
            match child.name.as_str() {
                "result" if child.is("result") => result = Some(self.pull.text_inside()?),
                "message" if child.is("message") => {
                    let text = self.pull.text_inside()?;
                    if messages.len() <= crate::PROSE_BYTES_MAX {
                        let gap = if messages.is_empty() { "" } else { "\n" };
                        messages.push_str(gap);
                        messages.push_str(&text);
                    }
                }
                "ident" if child.is("ident") => {
                    let text = self.pull.text_inside()?;
                    if frameworks.len() < FRAMEWORKS_MAX {
                        frameworks.extend(ident(child.attribute("system"), &text));
                    }
                }
                "instance" if child.is("instance") => {
                    let text = shortened(&self.pull.text_inside()?, crate::IDENTIFIER_BYTES_MAX);
                    if instances.len() < NOTES_MAX && !text.is_empty() {
                        instances.push(text);
                    }
                }
                "check" | "complex-check" => self.check(&child, &mut evidence)?,
                _ => self.pull.skip()?,
            }
        }
        let Some(result) = result else {
            return Err(self.pull.error(ErrorKind::Schema, "a rule-result has no result"));
        };
        let Some(outcome) = self.outcome(&result)? else {
            self.pull.record = None;
            return Ok(());
        };
        if !matches!(result.as_str(), "pass" | "fail" | "notapplicable") {
            evidence.insert("result".into(), result.into());
        }
        if instances.len() > 1 {
            evidence.insert("instances".into(), instances.clone().into());
        }
        if let Some(role) = element.attribute("role").filter(|role| *role != "full") {
            evidence.insert("role".into(), shortened(role, 40).into());
        }
        let severity = severity(element.attribute("severity"));
        let described = self.titles.get(&id).cloned();
        let title = described.clone().unwrap_or_else(|| title_of(&id));
        if described.is_none() {
            let control = Control {
                uid: id.clone(),
                title: title.clone(),
                description: None,
                remediation: None,
                url: None,
                severity,
                frameworks,
            };
            if self.given.is_news(&id, (severity, &control.frameworks)) {
                self.control(control)?;
            }
        }
        let target = test.target.clone().or_else(|| test.address.clone());
        let finding = Finding {
            control_uid: id,
            title,
            severity,
            result: outcome,
            resource: Resource {
                uid: target.clone().unwrap_or_else(|| RESOURCE_UNSPECIFIED.into()),
                name: target,
                kind: Some("host".into()),
                region: None,
                account: None,
            },
            message: some_prose(Some(messages)),
            location: instances.into_iter().next(),
            observed_at: element.attribute("time").and_then(instant).or(test.observed_at),
            fingerprint: None,
            evidence: crate::values::evidence(evidence),
        };
        self.report.count(outcome);
        self.sink.finding(finding).map_err(|reason| self.pull.error(ErrorKind::Sink, reason))?;
        self.pull.record = None;
        Ok(())
    }

    /// `notselected` says that the profile does not ask: no finding.
    fn outcome(&self, result: &str) -> Result<Option<Outcome>, Error> {
        Ok(Some(match result {
            "pass" | "fixed" => Outcome::Pass,
            "fail" => Outcome::Fail,
            "error" | "unknown" => Outcome::Error,
            "notapplicable" => Outcome::NotApplicable,
            "notchecked" | "informational" => Outcome::Manual,
            "notselected" => return Ok(None),
            other => {
                let reason = format!(
                    "expected pass, fail, error, unknown, notapplicable, notchecked, notselected, informational or fixed \
                     as the result of a rule, found {:?}",
                    shortened(other, 60)
                );
                return Err(self.pull.error(ErrorKind::Schema, reason));
            }
        }))
    }

    /// Which content did the check, at any depth of a complex check.
    fn check(&mut self, check: &Element, evidence: &mut Map<String, Value>) -> Result<(), Error> {
        let mut system = check.attribute("system").map(str::to_owned);
        let mut references = Vec::new();
        let mut depth = 1;
        while depth > 0 {
            match self.pull.next()? {
                Piece::Start(child) => {
                    depth += 1;
                    if child.is("check") {
                        system = child.attribute("system").map(str::to_owned);
                    }
                    if child.is("check-content-ref") && references.len() < NOTES_MAX {
                        let mut reference = Map::new();
                        let parts =
                            [("system", system.as_deref()), ("href", child.attribute("href")), ("name", child.attribute("name"))];
                        for (name, part) in parts {
                            if let Some(part) = part {
                                reference.insert(name.into(), shortened(part, 256).into());
                            }
                        }
                        references.push(Value::Object(reference));
                    }
                }
                Piece::End => depth -= 1,
                Piece::Text(_) => {}
                Piece::Done => return Ok(()),
            }
        }
        if !references.is_empty() && !evidence.contains_key("check") {
            let one = references.len() == 1;
            evidence.insert("check".into(), if one { references.remove(0) } else { references.into() });
        }
        Ok(())
    }

    fn control(&mut self, control: Control) -> Result<(), Error> {
        self.sink.control(control).map_err(|reason| self.pull.error(ErrorKind::Sink, reason))
    }

    /// The next child of the element that is open, `None` at its end.
    fn child(&mut self) -> Result<Option<Element>, Error> {
        loop {
            match self.pull.next()? {
                Piece::Start(element) => return Ok(Some(element)),
                Piece::End | Piece::Done => return Ok(None),
                Piece::Text(_) => {}
            }
        }
    }

    fn required(&self, element: &Element, name: &str) -> Result<String, Error> {
        match self.short(element.attribute(name))? {
            Some(value) => Ok(value),
            None => {
                let reason = format!("<{}> has no {name}", shortened(&element.name, 60));
                Err(self.pull.error(ErrorKind::Schema, reason))
            }
        }
    }

    fn short(&self, text: Option<&str>) -> Result<Option<String>, Error> {
        some_identifier(text.map(str::trim)).map_err(|reason| self.pull.error(ErrorKind::TooLarge, reason))
    }

    fn short_text(&mut self) -> Result<Option<String>, Error> {
        let text = self.pull.text_inside()?;
        let text = some_identifier(Some(&text));
        text.map_err(|reason| self.pull.error(ErrorKind::TooLarge, reason))
    }
}

fn severity(name: Option<&str>) -> Severity {
    match name {
        Some("high") => Severity::High,
        Some("medium") => Severity::Medium,
        Some("low") => Severity::Low,
        Some("info") => Severity::Informational,
        _ => Severity::Unknown,
    }
}

/// `xccdf_org.ssgproject.content_rule_sshd_disable_root_login` → `Sshd disable root login`.
fn title_of(id: &str) -> String {
    let name = id.split_once("_rule_").map_or(id, |(_, name)| name);
    let name = name.replace('_', " ");
    let mut letters = name.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => id.to_owned(),
    }
}

fn ident(system: Option<&str>, text: &str) -> Option<(String, String)> {
    if text.is_empty() {
        return None;
    }
    let known = ["CCE", "CCI", "CVE"]
        .into_iter()
        .find(|name| text.get(..3).is_some_and(|prefix| prefix == *name) && text.as_bytes().get(3) == Some(&b'-'));
    let framework = match known {
        Some(name) => name.to_owned(),
        None => {
            let system = system.unwrap_or_default().trim_end_matches(['/', ':']);
            let end = system.rsplit(['/', ':']).next().unwrap_or_default();
            if end.is_empty() { "ident".to_owned() } else { shortened(&crate::values::percent_decoded(end), 256) }
        }
    };
    Some((framework, shortened(text, 256)))
}

/// References name their framework by a web address only; these are the ones that the public checklists use.
fn framework_at(href: &str) -> String {
    let known = [
        ("nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-53", "NIST-800-53"),
        ("800-53", "NIST-800-53"),
        ("800-171", "NIST-800-171"),
        ("cisecurity.org/benchmark", "CIS"),
        ("cisecurity.org/controls", "CIS-Controls"),
        ("stigs/cci", "CCI"),
        ("stigs/srg", "DISA-SRG"),
        ("pcisecuritystandards.org", "PCI-DSS"),
        ("isaca.org", "COBIT"),
        ("ssi.gouv.fr", "ANSSI"),
        ("NIST.CSWP", "NIST-CSF"),
    ];
    if let Some((_, name)) = known.iter().find(|(part, _)| href.contains(part)) {
        return (*name).to_owned();
    }
    let host = href.split_once("://").map_or(href, |(_, rest)| rest);
    shortened(host.split('/').next().unwrap_or(host), 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_comes_from_the_id() {
        assert_eq!(title_of("xccdf_org.ssgproject.content_rule_sshd_disable_root_login"), "Sshd disable root login");
        assert_eq!(title_of("plain"), "Plain");
        assert_eq!(title_of("x_rule_"), "x_rule_");
    }

    #[test]
    fn identifiers_name_their_framework() {
        let pair = |system, text| ident(system, text).unwrap();
        assert_eq!(pair(Some("https://nvd.nist.gov/cce/index.cfm"), "CCE-80901-2"), ("CCE".into(), "CCE-80901-2".into()));
        assert_eq!(pair(Some("urn:x-framework:BSI%20C5"), "OPS-12"), ("BSI C5".into(), "OPS-12".into()));
        assert_eq!(ident(None, ""), None);
    }
}
