//! SARIF 2.1.0 logs (OASIS Standard, 27 March 2020): `runs[].results[]` with the rules of the driver and its extensions.
//!
//! Results are streamed. Rules are held (at most [`RULES_MAX`]), since results name them by index and take title and
//! severity from them. JSON orders nothing: when results stand before their `tool`, as in files with sorted keys, up to
//! [`HELD_BYTES_MAX`] of them wait for it; beyond that they are given out with what they say themselves (tool
//! `unknown`, no severity of the rule), and the controls follow.
//!
//! | value | property |
//! |---|---|
//! | control | `rule.id` / `ruleId` / `ruleIndex`; of `CA1000/1` the rule `CA1000` if only that is described |
//! | result | `kind` (§3.27.9): pass, fail (the default), notApplicable; open, review, informational → manual |
//! | severity | `security-severity` (a property of result or rule, 0 to 10: ≥ 9 critical, ≥ 7 high, ≥ 4 medium, > 0 low), else `level` (§3.27.10; of a result that is not a fail only the rule's), else the rule's `defaultConfiguration.level`, else `warning`: error → high, warning → medium, note → low, none → informational |
//! | resource | `artifactLocation.uri` of the first location, percent-decoded, with `#` and the `fullyQualifiedName` of its logical location; either alone if there is only one |
//! | target | `versionControlProvenance[0].repositoryUri`, else the first absolute `originalUriBaseIds` |
//!
//! A result with `baselineState: absent` is a thing of the past and skipped. A suppressed result is still a fail: what a
//! tool was told to hide is noted in the evidence, and accepting a risk is done with us. A second run of another tool
//! is noted in the evidence of its findings, as there is one origin for a file.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use serde_json::{Map, Value};

use crate::few::Few;
use crate::json::{Scanner, Slice};
use crate::ocsf::Text;
use crate::values::{identifier, prose, shortened, some_identifier, some_prose};
use crate::{
    Control, Error, ErrorKind, Finding, Format, Origin, Outcome, Position, RESOURCE_UNSPECIFIED, Report, Resource, Severity, Sink,
};

mod shape;
use shape::{Invocation, Kind, Level, Location, Provenance, Rule, RunResult, UriBase};

/// More rules than this in one run are refused.
const RULES_MAX: usize = 20_000;
/// What is held of all rules together.
const RULES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What is held of results that stand before their tool.
const HELD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads a whole file.
pub(crate) fn read<R: Read>(scanner: &mut Scanner<R>, sink: &mut dyn Sink, report: &mut Report) -> Result<(), Error> {
    let mut log = Log { sink, report, first_tool: None };
    let (mut version_seen, mut runs_seen) = (false, false);
    scanner.expect(b'{')?;
    let mut first = true;
    while let Some(key) = scanner.next_key(&mut first)? {
        match key.as_str() {
            "version" => {
                version_seen = true;
                let slice = scanner.value()?;
                let version: Text<'_> = slice.parse(|| "/version".into())?;
                if &*version != "2.1.0" {
                    let reason = format!("SARIF {} is not read, only SARIF 2.1.0", shortened(&version, 40));
                    return Err(slice.error(ErrorKind::Unsupported, "/version".into(), reason));
                }
            }
            "runs" => {
                runs_seen = true;
                log.runs(scanner)?;
            }
            _ => scanner.skip()?,
        }
    }
    scanner.record = None;
    scanner.finish()?;
    match (version_seen, runs_seen) {
        (true, true) => Ok(()),
        (false, _) => Err(scanner.error(ErrorKind::Schema, "the SARIF log has no version")),
        (_, false) => Err(scanner.error(ErrorKind::Schema, "the SARIF log has no runs")),
    }
}

struct Log<'a> {
    sink: &'a mut dyn Sink,
    report: &'a mut Report,
    /// The tool of the origin, once that was told.
    first_tool: Option<String>,
}

impl Log<'_> {
    fn runs<R: Read>(&mut self, scanner: &mut Scanner<R>) -> Result<(), Error> {
        scanner.expect(b'[')?;
        let mut first = true;
        let mut index = 0;
        while scanner.next_item(&mut first)? {
            let mut run = Run { pointer: format!("/runs/{index}"), ..Run::default() };
            self.run(scanner, &mut run)?;
            index += 1;
        }
        Ok(())
    }

    fn run<R: Read>(&mut self, scanner: &mut Scanner<R>, run: &mut Run) -> Result<(), Error> {
        scanner.expect(b'{')?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            match key.as_str() {
                "tool" => self.tool(scanner, run)?,
                "results" => self.results(scanner, run)?,
                "invocations" => {
                    let pointer = || format!("{}/invocations", run.pointer);
                    let invocations: Option<Few<Invocation<'_>>> = scanner.value()?.parse(pointer)?;
                    run.observed_at = invocations.iter().flatten().find_map(Invocation::instant);
                }
                "originalUriBaseIds" => {
                    let pointer = || format!("{}/originalUriBaseIds", run.pointer);
                    let bases: Option<std::collections::BTreeMap<String, UriBase<'_>>> = scanner.value()?.parse(pointer)?;
                    let mut uris = bases.iter().flatten().filter_map(|(_, base)| base.uri.as_deref());
                    run.base = uris.find(|uri| uri.contains("://")).map(|uri| shortened(uri, crate::IDENTIFIER_BYTES_MAX));
                }
                "versionControlProvenance" => {
                    let pointer = || format!("{}/versionControlProvenance", run.pointer);
                    let provenance: Option<Few<Provenance<'_>>> = scanner.value()?.parse(pointer)?;
                    let mut uris = provenance.iter().flatten().filter_map(|one| one.repository_uri.as_deref());
                    run.repository = uris.next().map(|uri| shortened(uri, crate::IDENTIFIER_BYTES_MAX));
                }
                _ => scanner.skip()?,
            }
        }
        self.release(run)?;
        self.origin(run)?;
        let mut rest: Vec<_> = run.undescribed.drain().filter(|(uid, _)| !run.rules.by_id.contains_key(uid)).collect();
        rest.sort_by(|one, other| one.0.cmp(&other.0));
        for (uid, severity) in rest {
            let control = Control {
                title: uid.clone(),
                uid,
                description: None,
                remediation: None,
                url: None,
                severity,
                frameworks: Vec::new(),
            };
            self.sink.control(control).map_err(|reason| scanner.error(ErrorKind::Sink, reason))?;
        }
        Ok(())
    }

    fn tool<R: Read>(&mut self, scanner: &mut Scanner<R>, run: &mut Run) -> Result<(), Error> {
        scanner.expect(b'{')?;
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            match key.as_str() {
                "driver" => self.component(scanner, run, 0)?,
                "extensions" if scanner.peek()? == Some(b'[') => {
                    scanner.expect(b'[')?;
                    let mut first = true;
                    let mut component = 1;
                    while scanner.next_item(&mut first)? {
                        self.component(scanner, run, component)?;
                        component += 1;
                    }
                }
                _ => scanner.skip()?,
            }
        }
        run.tool_seen = true;
        Ok(())
    }

    /// The driver is component 0, extensions count from 1.
    fn component<R: Read>(&mut self, scanner: &mut Scanner<R>, run: &mut Run, component: usize) -> Result<(), Error> {
        scanner.expect(b'{')?;
        let place = match component {
            0 => format!("{}/tool/driver", run.pointer),
            _ => format!("{}/tool/extensions/{}", run.pointer, component - 1),
        };
        let mut first = true;
        while let Some(key) = scanner.next_key(&mut first)? {
            match key.as_str() {
                "name" | "version" | "semanticVersion" if component == 0 => {
                    let slice = scanner.value()?;
                    let pointer = || format!("{place}/{key}");
                    let text: Option<Text<'_>> = slice.parse(pointer)?;
                    let text =
                        some_identifier(text.as_deref()).map_err(|reason| slice.error(ErrorKind::TooLarge, pointer(), reason))?;
                    match key.as_str() {
                        "name" => run.tool = text,
                        "version" => run.version = text,
                        _ => run.semantic_version = text,
                    }
                }
                "rules" if scanner.peek()? == Some(b'[') => {
                    scanner.expect(b'[')?;
                    let mut first = true;
                    let mut index = 0;
                    while scanner.next_item(&mut first)? {
                        let slice = scanner.value()?;
                        let pointer = || format!("{place}/rules/{index}");
                        let rule: Rule<'_> = slice.parse(pointer)?;
                        let control = rule.control().map_err(|reason| slice.error(ErrorKind::TooLarge, pointer(), reason))?;
                        run.rules
                            .hold(component, &rule, &control)
                            .map_err(|reason| slice.error(ErrorKind::TooLarge, pointer(), reason))?;
                        self.sink.control(control).map_err(|reason| slice.error(ErrorKind::Sink, pointer(), reason))?;
                        index += 1;
                    }
                }
                _ => scanner.skip()?,
            }
        }
        Ok(())
    }

    fn results<R: Read>(&mut self, scanner: &mut Scanner<R>, run: &mut Run) -> Result<(), Error> {
        // `null` says that the tool was not run (§3.14.23).
        if scanner.peek()? != Some(b'[') {
            let slice = scanner.value()?;
            let pointer = || format!("{}/results", run.pointer);
            return slice.parse::<Option<Vec<()>>>(pointer).map(|_| ());
        }
        scanner.expect(b'[')?;
        let mut first = true;
        while scanner.next_item(&mut first)? {
            self.report.records += 1;
            scanner.record = Some(self.report.records);
            let slice = scanner.value()?;
            if run.tool_seen || run.held_too_much {
                self.result(&slice, run)?;
                continue;
            }
            run.held_bytes += slice.text.len();
            run.held.push((slice.text.to_owned(), slice.at()));
            if run.held_bytes > HELD_BYTES_MAX {
                run.held_too_much = true;
                self.release(run)?;
            }
        }
        scanner.record = None;
        Ok(())
    }

    /// Gives out the results that waited for their tool.
    fn release(&mut self, run: &mut Run) -> Result<(), Error> {
        for (text, at) in std::mem::take(&mut run.held) {
            self.result(&Slice::held(&text, at), run)?;
        }
        Ok(())
    }

    fn origin(&mut self, run: &Run) -> Result<(), Error> {
        if self.first_tool.is_some() {
            return Ok(());
        }
        let origin = Origin {
            format: Format::Sarif,
            tool: run.tool_name().to_owned(),
            tool_version: run.version.clone().or_else(|| run.semantic_version.clone()),
            target: run.repository.clone().or_else(|| run.base.clone()),
            profile: None,
            observed_at: run.observed_at,
        };
        self.first_tool = Some(origin.tool.clone());
        let at = Position { pointer: Some(run.pointer.clone()), ..Position::default() };
        self.sink.origin(&origin).map_err(|reason| Error::new(ErrorKind::Sink, at, reason))
    }

    fn result(&mut self, slice: &Slice<'_>, run: &mut Run) -> Result<(), Error> {
        let index = run.results;
        run.results += 1;
        let pointer = || format!("{}/results/{index}", run.pointer);
        let result: RunResult<'_> = slice.parse(pointer)?;
        if result.baseline_state.as_deref() == Some("absent") {
            return Ok(());
        }
        let refuse = |kind| move |reason: String| (kind, reason);
        let failed = |(kind, reason)| slice.error(kind, pointer(), reason);

        let rule = run.rules.find(&result);
        let control_uid = match (rule, result.rule_id()) {
            (Some(rule), _) => rule.id.clone(),
            (None, Some(id)) => identifier(id).map_err(refuse(ErrorKind::TooLarge)).map_err(failed)?,
            (None, None) => {
                let reason = "the result names no rule that is known: no ruleId, and no described rule at its ruleIndex";
                return Err(slice.error(ErrorKind::Schema, pointer(), reason));
            }
        };
        let severity = severity(&result, rule);
        let outcome = match result.kind.unwrap_or(Kind::Fail) {
            Kind::Pass => Outcome::Pass,
            Kind::Fail => Outcome::Fail,
            Kind::NotApplicable => Outcome::NotApplicable,
            Kind::Open | Kind::Review | Kind::Informational => Outcome::Manual,
        };
        let location = result.locations.as_deref().unwrap_or_default().first();
        let tool = Some(run.tool_name()).filter(|tool| self.first_tool.as_deref().is_some_and(|first| first != *tool));
        let finding = Finding {
            title: rule.map_or_else(|| control_uid.clone(), |rule| rule.title.clone()),
            severity,
            result: outcome,
            resource: resource(location).map_err(refuse(ErrorKind::TooLarge)).map_err(failed)?,
            message: message(&result, rule),
            location: location.and_then(Location::file_and_line),
            observed_at: run.observed_at,
            fingerprint: result.fingerprint().map_err(refuse(ErrorKind::TooLarge)).map_err(failed)?,
            evidence: evidence(&result, tool),
            control_uid,
        };
        let room = run.undescribed.len() < RULES_MAX || run.undescribed.contains_key(&finding.control_uid);
        if rule.is_none() && room {
            let known = run.undescribed.entry(finding.control_uid.clone()).or_insert(severity);
            // What did not fail says nothing of how bad it would be.
            if outcome == Outcome::Fail {
                *known = severity;
            }
        }
        self.origin(run)?;
        self.report.count(outcome);
        self.sink.finding(finding).map_err(|reason| slice.error(ErrorKind::Sink, pointer(), reason))
    }
}

/// What is known of the run that is being read.
#[derive(Default)]
struct Run {
    pointer: String,
    tool: Option<String>,
    version: Option<String>,
    semantic_version: Option<String>,
    repository: Option<String>,
    base: Option<String>,
    observed_at: Option<i64>,
    tool_seen: bool,
    rules: Rules,
    held: Vec<(String, Position)>,
    held_bytes: usize,
    held_too_much: bool,
    results: u64,
    /// Rules that results name and nothing described yet.
    undescribed: HashMap<String, Severity>,
}

impl Run {
    fn tool_name(&self) -> &str {
        self.tool.as_deref().unwrap_or("unknown")
    }
}

/// The rules of a run, as far as results need them.
#[derive(Default)]
struct Rules {
    components: Vec<Vec<Known>>,
    by_id: HashMap<String, (usize, usize)>,
    count: usize,
    bytes: usize,
}

struct Known {
    id: String,
    title: String,
    security: Option<Severity>,
    level: Option<Level>,
    messages: Vec<(String, String)>,
}

impl Rules {
    fn hold(&mut self, component: usize, rule: &Rule<'_>, control: &Control) -> Result<(), String> {
        let known = Known {
            id: control.uid.clone(),
            title: shortened(&control.title, 1024),
            security: rule.properties.as_ref().and_then(|properties| properties.security()),
            level: rule.default_configuration.as_ref().and_then(|configuration| configuration.level),
            messages: rule.messages(),
        };
        self.count += 1;
        let messages: usize = known.messages.iter().map(|(id, text)| id.len() + text.len()).sum();
        self.bytes += known.id.len() * 2 + known.title.len() + messages + size_of::<Known>();
        if self.count > RULES_MAX || self.bytes > RULES_BYTES_MAX {
            return Err(format!("more rules than are read ({RULES_MAX}, {} MiB)", RULES_BYTES_MAX >> 20));
        }
        if self.components.len() <= component {
            self.components.resize_with(component + 1, Vec::new);
        }
        self.by_id.entry(known.id.clone()).or_insert((component, self.components[component].len()));
        self.components[component].push(known);
        Ok(())
    }

    /// §3.52: by index in its component, else by id; a hierarchical id falls back to what stands before the slash.
    fn find(&self, result: &RunResult<'_>) -> Option<&Known> {
        let component = result.component().map_or(0, |extension| extension.saturating_add(1));
        if let Some(index) = result.rule_index() {
            let known = self.components.get(component).and_then(|rules| rules.get(index));
            if known.is_some() {
                return known;
            }
        }
        let mut id = result.rule_id()?;
        loop {
            if let Some((component, index)) = self.by_id.get(id) {
                return Some(&self.components[*component][*index]);
            }
            id = id.rsplit_once('/')?.0;
        }
    }
}

fn severity(result: &RunResult<'_>, rule: Option<&Known>) -> Severity {
    let own = result.properties.as_ref().and_then(|properties| properties.security());
    if let Some(security) = own.or(rule.and_then(|rule| rule.security)) {
        return security;
    }
    let of_rule = rule.map(|rule| rule.level.unwrap_or(Level::Warning));
    // Of what did not fail the level is always none; how bad it would be, only the rule can tell.
    let level = match result.kind.unwrap_or(Kind::Fail) {
        Kind::Fail => result.level.or(of_rule).unwrap_or(Level::Warning),
        _ => result.level.filter(|level| *level != Level::None).or(of_rule).unwrap_or(Level::None),
    };
    level.severity()
}

fn resource(location: Option<&Location<'_>>) -> Result<Resource, String> {
    let uri = location.and_then(Location::uri);
    let logical = location.and_then(Location::logical);
    let inner = logical.and_then(|logical| logical.fully_qualified_name.as_deref().or(logical.name.as_deref()));
    let uid = match (&uri, inner.filter(|inner| !inner.is_empty())) {
        (Some(uri), Some(inner)) => format!("{uri}#{inner}"),
        (Some(uri), None) => uri.clone(),
        (None, Some(inner)) => inner.to_owned(),
        (None, None) => RESOURCE_UNSPECIFIED.to_owned(),
    };
    let kind = logical.and_then(|logical| logical.kind.as_deref());
    Ok(Resource {
        uid: identifier(&uid)?,
        name: some_prose(logical.and_then(|logical| logical.name.as_deref())),
        kind: some_identifier(kind.or(uri.as_ref().map(|_| "file")))?,
        region: None,
        account: None,
    })
}

/// §3.11: text, or a message of the rule by its id; `{0}` stands for an argument.
fn message(result: &RunResult<'_>, rule: Option<&Known>) -> Option<String> {
    let message = result.message.as_ref()?;
    let of_rule = || {
        let id = message.id.as_deref()?;
        let messages = &rule?.messages;
        messages.iter().find(|(known, _)| known == id).map(|(_, text)| text.as_str())
    };
    let text = message.text.as_deref().or_else(of_rule).or(message.markdown.as_deref())?;
    let arguments = message.arguments.as_deref().unwrap_or_default();
    if arguments.is_empty() {
        return some_prose(Some(text));
    }
    let mut filled = prose(text);
    for (index, argument) in arguments.iter().take(10).enumerate() {
        filled = prose(filled.replace(&format!("{{{index}}}"), &shortened(argument, 1024)));
    }
    some_prose(Some(filled))
}

fn evidence(result: &RunResult<'_>, tool: Option<&str>) -> Value {
    let mut evidence = Map::new();
    if let Some(tool) = tool {
        evidence.insert("tool".into(), tool.into());
    }
    let locations = result.locations.as_deref().unwrap_or_default();
    if let Some(snippet) = locations.first().and_then(Location::snippet) {
        evidence.insert("snippet".into(), shortened(snippet, 4096).into());
    }
    if locations.len() > 1 {
        let others: HashSet<String> = locations[1..].iter().take(20).filter_map(Location::file_and_line).collect();
        let mut others: Vec<String> = others.into_iter().map(|place| shortened(&place, 256)).collect();
        others.sort();
        evidence.insert("other_locations".into(), others.into());
    }
    if let Some(kind) = result.kind.filter(|kind| !matches!(kind, Kind::Pass | Kind::Fail)) {
        evidence.insert("kind".into(), kind.as_str().into());
    }
    if let Some(state) = result.baseline_state.as_deref() {
        evidence.insert("baseline_state".into(), shortened(state, 40).into());
    }
    let suppressions: Vec<Value> = result.suppressions.iter().flatten().take(10).map(|suppression| suppression.note()).collect();
    if !suppressions.is_empty() {
        evidence.insert("suppressions".into(), suppressions.into());
    }
    crate::values::evidence(evidence)
}
