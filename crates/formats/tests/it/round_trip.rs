//! What is written is read back the same, as far as the format has a place for it.

use std::collections::HashSet;
use std::io;

use formats::write::{self, Scan};
use formats::{Control, Finding, Outcome, Resource, Severity};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::json;

use crate::*;

/// Words that every format keeps: XML folds white space.
const PROSE: &str = "[a-zA-Z0-9<>&'\"äß€😀{}%#:/.,]{1,8}( [a-zA-Z0-9<>&'\"\\\\ü]{1,8}){0,4}";
const NAME: &str = "[a-zA-Z]( ?[a-zA-Z0-9.:/_%#ü-]){0,15}[a-z0-9]";

fn severity() -> impl Strategy<Value = Severity> {
    use Severity::*;
    prop::sample::select(vec![Critical, High, Medium, Low, Informational, Unknown])
}

fn outcome() -> impl Strategy<Value = Outcome> {
    use Outcome::*;
    prop::sample::select(vec![Pass, Fail, Manual, NotApplicable, Error])
}

/// Milliseconds are kept by all.
fn instant() -> impl Strategy<Value = i64> {
    (1_000_000_000_000i64..2_000_000_000_000).prop_map(|at| at * 1000)
}

prop_compose! {
    fn control(number: usize)(
        name in "[a-z0-9_.]{1,10}",
        title in PROSE,
        description in of(PROSE),
        remediation in of(PROSE),
        url in of("https://[a-z]{1,8}/[a-zA-Z0-9?&=/]{0,8}"),
        severity in severity(),
        frameworks in proptest::collection::vec(("F[a-z0-9 .]{0,5}[a-z]", "[a-z0-9](( ?[A-Z0-9.-]){0,4}[a-z])?"), 0..4),
    ) -> Control {
        let mut frameworks = frameworks;
        // One framework's requirements stand together in OCSF.
        frameworks.sort_by(|one, other| one.0.cmp(&other.0));
        let uid = format!("xccdf_t_rule_{number}{name}");
        Control { uid, title, description, remediation, url, severity, frameworks }
    }
}

prop_compose! {
    fn finding()(
        control in any::<prop::sample::Index>(),
        severity in severity(),
        result in outcome(),
        uid in NAME,
        name in of(NAME),
        kind in of(NAME),
        region in of(NAME),
        account in of(NAME),
        message in of(PROSE),
        line in of(1u32..9999),
        at in instant(),
        fingerprint in of(NAME),
        data in of(PROSE),
    ) -> (prop::sample::Index, Finding) {
        let finding = Finding {
            control_uid: String::new(),
            title: String::new(),
            severity,
            result,
            location: line.map(|line| format!("{uid}:{line}")),
            resource: Resource { uid, name, kind, region, account },
            message,
            observed_at: Some(at),
            fingerprint,
            evidence: json!({ "resource_data": data.map(|text| json!({ "text": text, "list": [1, null] })) }),
        };
        (control, finding)
    }
}

prop_compose! {
    fn scan()(
        controls in (control(0), control(1), control(2)),
        findings in proptest::collection::vec(finding(), 1..8),
        tool in NAME,
        tool_version in of("[0-9.]{0,4}[0-9]"),
        target in "https://[a-z]{1,9}",
        at in instant(),
        profile in of("[a-z_]{1,9}"),
    ) -> Scan {
        let controls: Vec<Control> = [controls.0, controls.1, controls.2].into();
        let of_control = |(index, mut finding): (prop::sample::Index, Finding)| {
            let control = index.get(&controls);
            finding.control_uid = control.uid.clone();
            finding.title = control.title.clone();
            finding
        };
        let findings = findings.into_iter().map(of_control).collect();
        Scan { tool, tool_version, target: Some(target), observed_at: Some(at), profile, controls, findings }
    }
}

fn written(scan: &Scan, write: impl FnOnce(&mut Vec<u8>, &Scan) -> io::Result<()>) -> Collected {
    let mut file = Vec::new();
    write(&mut file, scan).unwrap();
    match read(&file) {
        Ok((_, mut collected)) => {
            // Evidence is compared by the part that was written.
            for finding in &mut collected.findings {
                finding.evidence = json!({ "resource_data": finding.evidence.get("resource_data") });
            }
            collected
        }
        Err(error) => panic!("{error}\n{}", String::from_utf8_lossy(&file)),
    }
}

fn by_uid(mut controls: Vec<Control>) -> Vec<Control> {
    controls.sort_by(|one, other| one.uid.cmp(&other.uid));
    controls.dedup();
    controls
}

/// The findings as SARIF and XCCDF are able to keep them.
fn with_findings(scan: &Scan, change: impl Fn(&mut Finding)) -> Vec<Finding> {
    let mut findings = scan.findings.clone();
    findings.iter_mut().for_each(change);
    findings
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ocsf(scan in scan()) {
        let array = written(&scan, write::ocsf);
        prop_assert_eq!(&array, &written(&scan, write::ocsf_lines));
        let expected = with_findings(&scan, |finding| {
            finding.location = None;
            finding.fingerprint = None;
            finding.resource.account = finding.resource.account.clone().or(scan.target.clone());
        });
        prop_assert_eq!(&array.findings, &expected);
        let origin = array.origin.unwrap();
        prop_assert_eq!((&origin.tool, &origin.tool_version), (&scan.tool, &scan.tool_version));
        prop_assert_eq!(&origin.target, &expected[0].resource.account);
        prop_assert_eq!(origin.observed_at, expected[0].observed_at);
        let mut named = HashSet::new();
        let firsts = scan.findings.iter().filter(|finding| named.insert(finding.control_uid.clone()));
        let controls = firsts.map(|first| {
            let control = scan.controls.iter().find(|control| control.uid == first.control_uid).unwrap();
            Control { severity: first.severity, ..control.clone() }
        });
        prop_assert_eq!(array.controls, controls.collect::<Vec<_>>());
    }

    #[test]
    fn xccdf(scan in scan()) {
        let collected = written(&scan, write::xccdf);
        let softened = |severity| if severity == Severity::Critical { Severity::High } else { severity };
        let mut expected = with_findings(&scan, |finding| {
            finding.severity = softened(finding.severity);
            finding.fingerprint = None;
            let name = Some(finding.resource.uid.clone());
            finding.resource = Resource { uid: finding.resource.uid.clone(), name, kind: Some("host".into()), region: None, account: None };
            finding.evidence = json!({ "resource_data": null });
        });
        // Grouped by host, in the order in which hosts first appear.
        let order: Vec<String> = scan.findings.iter().map(|finding| finding.resource.uid.clone()).collect();
        expected.sort_by_key(|finding| order.iter().position(|uid| *uid == finding.resource.uid));
        prop_assert_eq!(&collected.findings, &expected);
        let origin = collected.origin.unwrap();
        prop_assert_eq!((&origin.tool, &origin.tool_version, &origin.profile), (&scan.tool, &scan.tool_version, &scan.profile));
        prop_assert_eq!((origin.target.as_ref(), origin.observed_at), (Some(&order[0]), scan.observed_at));
        let controls: Vec<Control> = scan.controls.iter().cloned().map(|control| Control { severity: softened(control.severity), ..control }).collect();
        prop_assert_eq!(by_uid(collected.controls), by_uid(controls));
    }

    #[test]
    fn sarif(scan in scan()) {
        let mut scan = scan;
        let known = |severity: &mut Severity| if *severity == Severity::Unknown { *severity = Severity::Medium };
        scan.findings.iter_mut().for_each(|finding| known(&mut finding.severity));
        scan.controls.iter_mut().for_each(|control| known(&mut control.severity));
        let collected = written(&scan, write::sarif);
        let expected = with_findings(&scan, |finding| {
            finding.observed_at = scan.observed_at;
            // SARIF has no word for a check that broke.
            if finding.result == Outcome::Error { finding.result = Outcome::Manual; }
            let resource = &mut finding.resource;
            (resource.region, resource.account) = (None, None);
            if finding.location.is_some() { (resource.name, resource.kind) = (None, Some("file".into())); }
            finding.evidence = json!({ "resource_data": null });
        });
        prop_assert_eq!(&collected.findings, &expected);
        let origin = collected.origin.unwrap();
        prop_assert_eq!((&origin.tool, &origin.tool_version), (&scan.tool, &scan.tool_version));
        prop_assert_eq!((&origin.target, origin.observed_at), (&scan.target, scan.observed_at));
        let controls = scan.controls.iter().cloned().map(|mut control| {
            control.description = control.description.filter(|description| *description != control.title);
            control
        });
        prop_assert_eq!(collected.controls, controls.collect::<Vec<_>>());
    }
}
