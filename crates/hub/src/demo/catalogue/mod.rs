//! What the demo's scanners check. The text is our own; that a check serves a requirement of a framework is a fact.

use std::sync::LazyLock;

use formats::{Control, Severity};
use serde::Deserialize;

/// A field that is checked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Area {
    /// An AWS account.
    Aws,
    /// An Azure subscription.
    Azure,
    /// A Microsoft 365 organisation.
    M365,
    /// Linux hosts.
    Linux,
    /// A repository with infrastructure as code.
    Code,
}

/// What sort of thing a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    AwsAccount,
    AwsUser,
    AwsPolicy,
    AwsBucket,
    AwsDatabase,
    AwsTrail,
    AwsKey,
    AwsVpc,
    AwsSecurityGroup,
    AwsInstance,
    AzureSubscription,
    AzureStorage,
    AzureSql,
    AzureVault,
    AzureNsg,
    AzureVm,
    AzureApp,
    M365Organisation,
    M365Admin,
    M365User,
    M365Mailbox,
    M365Domain,
    M365Site,
    Host,
    TfBucket,
    TfNetwork,
    TfDatabase,
    TfRole,
    Dockerfile,
    Manifest,
    Workflow,
}

/// One thing that is checked. `{}` in `pass` and `fail` stands for the resource's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub uid: String,
    pub severity: Severity,
    pub kind: Kind,
    /// Only a person can say.
    #[serde(default)]
    pub manual: bool,
    pub title: String,
    pub description: String,
    pub remediation: String,
    pub pass: String,
    pub fail: String,
    /// What the fault looks like in code.
    pub snippet: Option<String>,
    #[serde(default)]
    cis: Vec<String>,
    #[serde(default)]
    csf: Vec<String>,
    #[serde(default)]
    iso: Vec<String>,
    #[serde(default)]
    soc2: Vec<String>,
    #[serde(default)]
    nist: Vec<String>,
    #[serde(default)]
    cwe: Vec<String>,
}

impl Check {
    /// What the tool says about one resource.
    pub(crate) fn message(&self, is_good: bool, name: &str) -> String {
        if is_good { &self.pass } else { &self.fail }.replace("{}", name)
    }

    pub(crate) fn control(&self, area: Area) -> Control {
        let benchmark = match area {
            Area::Azure => "CIS Azure 3.0",
            Area::M365 => "CIS M365 4.0",
            Area::Aws | Area::Linux | Area::Code => "CIS AWS 3.0",
        };
        let named = [
            (benchmark, &self.cis),
            ("CWE", &self.cwe),
            ("ISO27001-2022", &self.iso),
            ("NIST-800-53-Revision-5", &self.nist),
            ("NIST-CSF-2.0", &self.csf),
            ("SOC2", &self.soc2),
        ];
        let pairs = |(name, requirements): (&str, &Vec<String>)| {
            requirements.iter().map(|requirement| (name.to_owned(), requirement.clone())).collect::<Vec<_>>()
        };
        Control {
            uid: self.uid.clone(),
            title: self.title.clone(),
            description: Some(self.description.clone()),
            remediation: Some(self.remediation.clone()),
            url: None,
            severity: self.severity,
            frameworks: named.into_iter().flat_map(pairs).collect(),
        }
    }
}

/// All checks of an area.
pub(crate) fn checks(area: Area) -> &'static [Check] {
    static AWS: LazyLock<Vec<Check>> = LazyLock::new(|| parse(include_str!("aws.toml")));
    static AZURE: LazyLock<Vec<Check>> = LazyLock::new(|| parse(include_str!("azure.toml")));
    static M365: LazyLock<Vec<Check>> = LazyLock::new(|| parse(include_str!("m365.toml")));
    static LINUX: LazyLock<Vec<Check>> = LazyLock::new(|| parse(include_str!("linux.toml")));
    static CODE: LazyLock<Vec<Check>> = LazyLock::new(|| parse(include_str!("code.toml")));
    match area {
        Area::Aws => &AWS,
        Area::Azure => &AZURE,
        Area::M365 => &M365,
        Area::Linux => &LINUX,
        Area::Code => &CODE,
    }
}

fn parse(text: &str) -> Vec<Check> {
    #[derive(Deserialize)]
    struct File {
        check: Vec<Check>,
    }
    toml::from_str::<File>(text).expect("the catalogue is part of the program and a test reads it").check
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_check_is_whole_and_named_once() {
        let areas = [Area::Aws, Area::Azure, Area::M365, Area::Linux, Area::Code];
        let all: Vec<&Check> = areas.into_iter().flat_map(checks).collect();
        assert!(all.len() > 100, "{}", all.len());
        assert_eq!(all.iter().map(|check| &check.uid).collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(|check| &check.title).collect::<HashSet<_>>().len(), all.len());
        for check in all {
            assert!(check.pass.contains("{}") || check.fail.contains("{}"), "{}", check.uid);
            assert!(check.description.ends_with('.') && check.remediation.ends_with('.'), "{}", check.uid);
            assert!(!check.control(Area::Aws).frameworks.is_empty(), "{}", check.uid);
        }
    }
}
