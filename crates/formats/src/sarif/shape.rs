//! The properties of SARIF results and rules that are looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::few::Few;
use crate::ocsf::Text;
use crate::values::{identifier, instant, percent_decoded, prose, shortened, some_prose};
use crate::{Control, Severity};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    Pass,
    Open,
    Informational,
    NotApplicable,
    Review,
    Fail,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Pass => "pass",
            Kind::Open => "open",
            Kind::Informational => "informational",
            Kind::NotApplicable => "notApplicable",
            Kind::Review => "review",
            Kind::Fail => "fail",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Level {
    None,
    Note,
    Warning,
    Error,
}

impl Level {
    pub(super) fn severity(self) -> Severity {
        match self {
            Level::Error => Severity::High,
            Level::Warning => Severity::Medium,
            Level::Note => Severity::Low,
            Level::None => Severity::Informational,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a result (an object)")]
pub(super) struct RunResult<'a> {
    #[serde(borrow)]
    rule_id: Option<Text<'a>>,
    rule_index: Option<i64>,
    #[serde(borrow)]
    rule: Option<RuleReference<'a>>,
    pub(super) kind: Option<Kind>,
    pub(super) level: Option<Level>,
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    #[serde(borrow)]
    pub(super) locations: Option<Few<Location<'a>>>,
    #[serde(borrow)]
    fingerprints: Option<BTreeMap<Cow<'a, str>, Text<'a>>>,
    #[serde(borrow)]
    partial_fingerprints: Option<BTreeMap<Cow<'a, str>, Text<'a>>>,
    #[serde(borrow)]
    pub(super) suppressions: Option<Few<Suppression<'a>>>,
    #[serde(borrow)]
    pub(super) baseline_state: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) properties: Option<Properties<'a>>,
}

impl RunResult<'_> {
    pub(super) fn rule_id(&self) -> Option<&str> {
        let of_rule = self.rule.as_ref().and_then(|rule| rule.id.as_deref());
        of_rule.or(self.rule_id.as_deref()).filter(|id| !id.is_empty())
    }

    /// An index of -1 is the schema's word for none.
    pub(super) fn rule_index(&self) -> Option<usize> {
        let of_rule = self.rule.as_ref().and_then(|rule| rule.index);
        of_rule.or(self.rule_index).and_then(|index| usize::try_from(index).ok())
    }

    /// The extension that the rule belongs to.
    pub(super) fn component(&self) -> Option<usize> {
        let component = self.rule.as_ref()?.tool_component.as_ref()?;
        component.index.and_then(|index| usize::try_from(index).ok())
    }

    /// A full fingerprint names the result; partial ones only do together.
    pub(super) fn fingerprint(&self) -> Result<Option<String>, String> {
        if let Some(whole) = self.fingerprints.iter().flatten().next() {
            return identifier(whole.1).map(Some);
        }
        let parts: Vec<&str> = self.partial_fingerprints.iter().flatten().map(|(_, part)| &**part).collect();
        if parts.is_empty() { Ok(None) } else { identifier(&parts.join("/")).map(Some) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct RuleReference<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    index: Option<i64>,
    #[serde(borrow)]
    tool_component: Option<ComponentReference<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ComponentReference<'a> {
    index: Option<i64>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "a message (an object)")]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) markdown: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) arguments: Option<Few<Text<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a location (an object)")]
pub(super) struct Location<'a> {
    #[serde(borrow)]
    physical_location: Option<PhysicalLocation<'a>>,
    #[serde(borrow)]
    logical_locations: Option<Few<LogicalLocation<'a>>>,
}

impl<'a> Location<'a> {
    /// The file, percent-decoded; one that is only named by its place in `run.artifacts` is called after that.
    pub(super) fn uri(&self) -> Option<String> {
        let artifact = self.physical_location.as_ref()?.artifact_location.as_ref()?;
        match (artifact.uri.as_deref(), artifact.index) {
            (Some(uri), _) if !uri.is_empty() => Some(percent_decoded(uri)),
            (_, Some(index)) if index >= 0 => Some(format!("artifact {index}")),
            _ => None,
        }
    }

    pub(super) fn logical(&self) -> Option<&LogicalLocation<'a>> {
        self.logical_locations.as_ref()?.first()
    }

    /// `file:line`, if there is a line.
    pub(super) fn file_and_line(&self) -> Option<String> {
        let line = self.physical_location.as_ref()?.region.as_ref()?.start_line?;
        Some(format!("{}:{line}", shortened(&self.uri()?, crate::IDENTIFIER_BYTES_MAX)))
    }

    pub(super) fn snippet(&self) -> Option<&str> {
        self.physical_location.as_ref()?.region.as_ref()?.snippet.as_ref()?.text.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct PhysicalLocation<'a> {
    #[serde(borrow)]
    artifact_location: Option<ArtifactLocation<'a>>,
    #[serde(borrow)]
    region: Option<Region<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct ArtifactLocation<'a> {
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    index: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Region<'a> {
    start_line: Option<u64>,
    #[serde(borrow)]
    snippet: Option<Content<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct LogicalLocation<'a> {
    #[serde(borrow)]
    pub(super) fully_qualified_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Suppression<'a> {
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    justification: Option<Text<'a>>,
}

impl Suppression<'_> {
    /// One without a status counts as accepted (§3.35.3).
    pub(super) fn note(&self) -> Value {
        let text = |text: &Option<Text<'_>>| text.as_deref().map(|text| shortened(text, 512));
        serde_json::json!({
            "kind": text(&self.kind),
            "status": text(&self.status).unwrap_or_else(|| "accepted".into()),
            "justification": text(&self.justification),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a rule (an object)")]
pub(super) struct Rule<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    short_description: Option<Content<'a>>,
    #[serde(borrow)]
    full_description: Option<Content<'a>>,
    #[serde(borrow)]
    help: Option<Content<'a>>,
    #[serde(borrow)]
    help_uri: Option<Text<'a>>,
    #[serde(borrow)]
    message_strings: Option<BTreeMap<Cow<'a, str>, Content<'a>>>,
    pub(super) default_configuration: Option<Configuration>,
    #[serde(borrow)]
    relationships: Option<Few<Relationship<'a>, 1000>>,
    #[serde(borrow)]
    pub(super) properties: Option<Properties<'a>>,
}

impl Rule<'_> {
    /// A `shortDescription` is for people, a `name` may be, an id is not.
    pub(super) fn control(&self) -> Result<Control, String> {
        let text = |content: &Option<Content<'_>>| content.as_ref().and_then(|content| some_prose(content.text.as_deref()));
        let title = text(&self.short_description).or_else(|| some_prose(self.name.as_deref())).unwrap_or_else(|| prose(&*self.id));
        let level = self.default_configuration.as_ref().and_then(|configuration| configuration.level);
        let security = self.properties.as_ref().and_then(Properties::security);
        Ok(Control {
            uid: identifier(&self.id)?,
            description: text(&self.full_description).filter(|description| *description != title),
            title,
            remediation: text(&self.help),
            url: self.help_uri.as_deref().filter(|url| !url.is_empty()).map(|url| shortened(url, 2048)),
            severity: security.unwrap_or_else(|| level.unwrap_or(Level::Warning).severity()),
            frameworks: self.frameworks(),
        })
    }

    /// The taxa that a rule relates to (§3.53), and the CWE tags that GitHub's tools write.
    fn frameworks(&self) -> Vec<(String, String)> {
        let related = self.relationships.iter().flatten().filter_map(|relationship| {
            let target = relationship.target.as_ref()?;
            let taxonomy = target.tool_component.as_ref()?.name.as_deref()?;
            Some((shortened(taxonomy, 256), shortened(target.id.as_deref()?, 256)))
        });
        let tags = self.properties.as_ref().and_then(|properties| properties.tags);
        let tags: Option<Few<Text<'_>, 1000>> = tags.and_then(|tags| serde_json::from_str(tags.get()).ok());
        let weaknesses = tags.iter().flatten().filter_map(|tag| {
            let number = tag.strip_prefix("external/cwe/cwe-")?;
            Some(("CWE".to_owned(), format!("CWE-{}", number.trim_start_matches('0'))))
        });
        related.chain(weaknesses).take(2_000).collect()
    }

    pub(super) fn messages(&self) -> Vec<(String, String)> {
        let strings = self.message_strings.iter().flatten().take(20);
        let texts = strings.filter_map(|(id, content)| Some((shortened(id, 256), shortened(content.text.as_deref()?, 1024))));
        texts.collect()
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object with text")]
struct Content<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Configuration {
    pub(super) level: Option<Level>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Relationship<'a> {
    #[serde(borrow)]
    target: Option<RelationshipTarget<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct RelationshipTarget<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    tool_component: Option<ComponentReference<'a>>,
}

/// A property bag holds whatever a tool likes; what has an unexpected type says nothing.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Properties<'a> {
    #[serde(borrow, rename = "security-severity")]
    security: Option<&'a RawValue>,
    #[serde(borrow)]
    tags: Option<&'a RawValue>,
}

impl Properties<'_> {
    pub(super) fn security(&self) -> Option<Severity> {
        let text = self.security?.get();
        // Written as a number by some, in quotes by most.
        let score: f64 = text.trim_matches('"').trim().parse().ok()?;
        Some(match score {
            9.0.. => Severity::Critical,
            7.0.. => Severity::High,
            4.0.. => Severity::Medium,
            _ if score > 0.0 => Severity::Low,
            0.0 => Severity::Informational,
            _ => return None,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct Invocation<'a> {
    #[serde(borrow)]
    start_time_utc: Option<Text<'a>>,
    #[serde(borrow)]
    end_time_utc: Option<Text<'a>>,
}

impl Invocation<'_> {
    pub(super) fn instant(&self) -> Option<i64> {
        let end = self.end_time_utc.as_deref().and_then(instant);
        end.or_else(|| self.start_time_utc.as_deref().and_then(instant))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct Provenance<'a> {
    #[serde(borrow)]
    pub(super) repository_uri: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct UriBase<'a> {
    #[serde(borrow)]
    pub(super) uri: Option<Text<'a>>,
}
