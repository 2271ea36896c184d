//! Real files made by others, which are not part of the repository: read when they lie beside it.

use std::fs::File;
use std::path::PathBuf;

use crate::*;

fn real(name: &str) -> Option<File> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("../../../shared/data").join(name);
    match File::open(&file) {
        Ok(file) => Some(file),
        Err(error) => {
            println!("left out, {} is absent: {error}", file.display());
            None
        }
    }
}

#[test]
fn a_prowler_run_is_read() {
    let Some(file) = real("prowler5.46-aws-moto.ocsf.json") else { return };
    let (report, collected) = read_as(None, file).unwrap();
    assert_eq!((report.format, report.records, report.findings), (Format::Ocsf, 402, 402));
    assert_eq!((report.passed, report.failed, report.manual), (229, 171, 2));
    assert_eq!(collected.controls.len(), 105);
    assert!(collected.controls.iter().all(|control| control.remediation.is_some()));
    let mapped = collected.controls.iter().filter(|control| !control.frameworks.is_empty());
    assert_eq!(mapped.count(), 103);
    let origin = collected.origin.unwrap();
    assert_eq!((origin.tool.as_str(), origin.tool_version.as_deref()), ("Prowler", Some("5.46.0")));
    assert_eq!(origin.target.as_deref(), Some("123456789012"));
    assert_eq!(origin.observed_at, Some(1_795_222_145_000_000));
}

#[test]
fn a_full_prowler_run_is_read_from_xz() {
    let Some(file) = real("prowler5.46-aws-moto-full.ocsf.json.xz") else { return };
    let (report, collected) = read_as(None, file).unwrap();
    assert_eq!((report.encoding, report.records, report.findings), (formats::Encoding::Xz, 2954, 2954));
    assert_eq!((report.passed, report.failed, report.manual), (1505, 1447, 2));
    assert_eq!(collected.controls.len(), 105);
    let pairs: std::collections::HashSet<_> =
        collected.findings.iter().map(|finding| (&finding.control_uid, &finding.resource.uid)).collect();
    assert_eq!(pairs.len(), 2954, "no control judges a resource twice");
}

#[test]
fn a_checkov_run_is_read() {
    let Some(file) = real("checkov3.3.30-terraform.sarif") else { return };
    let (report, collected) = read_as(None, file).unwrap();
    // Checkov leaves what passed out of its SARIF, though it counted 16.
    assert_eq!((report.format, report.failed, report.passed), (Format::Sarif, 35, 0));
    assert_eq!(collected.origin.unwrap().tool, "Checkov");
    assert_eq!(collected.findings[0].location.as_deref(), Some("chk/main.tf:2"));
    let controls: std::collections::HashSet<_> = collected.controls.iter().map(|control| &control.uid).collect();
    assert!(collected.findings.iter().all(|finding| controls.contains(&finding.control_uid)));
}

#[test]
fn two_openscap_results_are_read() {
    let files = [
        ("openscap-thismachine-anssi_np_nt28_high-testresult.xml", [355, 50, 20, 2, 28]),
        ("openscap-thismachine-standard-testresult.xml", [355, 44, 17, 1, 26]),
    ];
    for (name, expected) in files {
        let Some(file) = real(name) else { continue };
        let (report, collected) = read_as(None, file).unwrap();
        let counts = [report.records, report.findings, report.passed, report.failed, report.not_applicable];
        assert_eq!((report.format, counts), (Format::Xccdf, expected));
        let origin = collected.origin.unwrap();
        assert_eq!((origin.tool.as_str(), origin.tool_version.as_deref()), ("OpenSCAP", Some("1.3.7")));
        assert_eq!(origin.target.as_deref(), Some("vm"));
        assert!(origin.profile.unwrap().starts_with("xccdf_org.ssgproject.content_profile_"));
    }
}
