//! What each format's fixture holds.

use formats::{Collected, Encoding, ErrorKind, Format, Outcome, Severity};

use crate::*;

#[test]
fn an_ocsf_array_is_read() {
    let (report, collected) = read(OCSF).unwrap();
    insta::assert_debug_snapshot!("ocsf", (report, collected));
}

#[test]
fn ocsf_lines_hold_the_same_as_the_array() {
    let (array, from_array) = read(OCSF).unwrap();
    let (lines, from_lines) = read(OCSF_LINES).unwrap();
    assert_eq!(from_array, from_lines);
    assert_eq!(array.records, lines.records);
}

#[test]
fn one_ocsf_event_alone_is_read() {
    let first = OCSF_LINES.lines().next().unwrap();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(first).unwrap()).unwrap();
    for text in [first, &pretty] {
        let (report, _) = read(text).unwrap();
        assert_eq!((report.format, report.records, report.failed), (Format::Ocsf, 1, 1));
    }
}

#[test]
fn an_empty_ocsf_array_is_a_scan_without_findings() {
    let (report, collected) = read("[ ]\n").unwrap();
    assert_eq!((report.records, report.bytes), (0, 4));
    assert_eq!(collected, Collected::default());
}

#[test]
fn a_control_is_given_again_only_when_it_changes() {
    let event = |remediation: &str| {
        format!(
            r#"{{"class_uid":2004,"metadata":{{"version":"1.0.0","event_code":"c"}},"remediation":{{"desc":"{remediation}"}}}}"#
        )
    };
    let lines: Vec<String> = ["a", "a", "b", "b", "a"].map(event).into();
    let (_, collected) = read(lines.join("\n")).unwrap();
    let given: Vec<_> = collected.controls.iter().map(|control| control.remediation.as_deref().unwrap()).collect();
    assert_eq!(given, ["a", "b", "a"]);

    let lines: Vec<String> = (0..1000).map(|number| event(&number.to_string())).collect();
    let (_, collected) = read(lines.join("\n")).unwrap();
    assert_eq!(collected.controls.len(), 9);
}

#[test]
fn the_result_of_an_ocsf_event_has_an_order_of_sources() {
    let cases = [
        (r#""class_uid":2004"#, Outcome::Fail),
        (r#""class_uid":2004,"status_id":3"#, Outcome::Fail),
        (r#""class_uid":2004,"status_id":4"#, Outcome::Pass),
        (r#""class_uid":2004,"status_id":4,"status_code":"fail""#, Outcome::Fail),
        (r#""class_uid":2004,"status_code":"MANUAL""#, Outcome::Manual),
        (r#""class_uid":2004,"status_code":"E1234""#, Outcome::Fail),
        (r#""class_uid":2003"#, Outcome::Manual),
        (r#""class_uid":2003,"compliance":{"status_id":1}"#, Outcome::Pass),
        (r#""class_uid":2003,"compliance":{"status_id":2}"#, Outcome::Fail),
        (r#""class_uid":2003,"compliance":{"status_id":3}"#, Outcome::Fail),
        (r#""class_uid":2003,"compliance":{"status_id":99,"status":"PASSED"}"#, Outcome::Pass),
        (r#""class_uid":2003,"status_id":4,"compliance":{"status":"NOT_AVAILABLE"}"#, Outcome::Manual),
    ];
    for (attributes, expected) in cases {
        let event = format!(r#"{{"metadata":{{"version":"1.0.0","event_code":"c"}},{attributes}}}"#);
        let (_, collected) = read(&event).unwrap();
        assert_eq!(collected.findings[0].result, expected, "{attributes}");
    }
}

#[test]
fn sarif_is_read() {
    let (report, collected) = read(SARIF).unwrap();
    insta::assert_debug_snapshot!("sarif", (report, collected));
}

#[test]
fn sarif_with_sorted_keys_holds_the_same() {
    let mut value: serde_json::Value = serde_json::from_str(SARIF).unwrap();
    value.sort_all_objects();
    let (sorted_report, sorted) = read(serde_json::to_string(&value).unwrap()).unwrap();
    let (report, collected) = read(SARIF).unwrap();
    assert_eq!(sorted.findings, collected.findings);
    // What stands behind the results is known in time, when they had to wait for their tool anyway.
    assert_eq!(sorted.origin.unwrap().target.as_deref(), Some("https://example.org/repo"));
    assert_eq!(sorted_report.failed, report.failed);
}

#[test]
fn many_sarif_results_before_their_tool_are_streamed_and_the_controls_follow() {
    let result = r#"{"ruleId":"L1","message":{"text":"x"}},"#.repeat(150_000);
    let text = format!(
        r#"{{"runs":[{{"results":[{result}{{"ruleId":"L2","message":{{"text":"y"}}}}],"tool":{{"driver":{{"name":"T","rules":[
        {{"id":"L1","shortDescription":{{"text":"One"}},"properties":{{"security-severity":9}}}}]}}}}}}],"version":"2.1.0"}}"#
    );
    let (report, collected) = read(text).unwrap();
    assert_eq!((report.failed, collected.findings[0].severity), (150_001, Severity::Medium));
    assert_eq!(collected.origin.unwrap().tool, "unknown");
    let controls: Vec<_> = collected.controls.iter().map(|control| (control.uid.as_str(), control.severity)).collect();
    assert_eq!(controls, [("L1", Severity::Critical), ("L2", Severity::Medium)]);
}

#[test]
fn an_xccdf_result_is_read() {
    let (report, collected) = read(XCCDF).unwrap();
    insta::assert_debug_snapshot!("xccdf", (report, collected));
}

#[test]
fn results_and_rules_are_found_inside_arf() {
    let (report, collected) = read(ARF).unwrap();
    insta::assert_debug_snapshot!("arf", (report, collected));
}

#[test]
fn compressed_files_hold_the_same() {
    for text in ALL {
        let (plain, from_plain) = read(text).unwrap();
        let two_members = [gzip(&text.as_bytes()[..50]), gzip(&text.as_bytes()[50..])].concat();
        let files = [(gzip(text.as_bytes()), Encoding::Gzip), (two_members, Encoding::Gzip), (xz(text.as_bytes()), Encoding::Xz)];
        for (file, encoding) in files {
            let (report, collected) = read(file).unwrap();
            assert_eq!(report.encoding, encoding);
            assert_eq!((report.bytes, collected), (plain.bytes, from_plain.clone()));
        }
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for text in ALL {
        let (_, plain) = read(text).unwrap();
        let (_, marked) = read(format!("\u{feff}{text}")).unwrap();
        assert_eq!(plain, marked);
    }
}

#[test]
fn a_format_is_told_from_the_start_of_the_file() {
    let cases = [
        ("\n <TestResult/>", Some(Format::Xccdf)),
        (" [", Some(Format::Ocsf)),
        (r#"{"a":{"runs":[]},"time":1,"metadata":{}}"#, Some(Format::Ocsf)),
        (r#"{"a":{"metadata":[]},"runs":[]}"#, Some(Format::Sarif)),
        (r#"{"version":"2.0.0"}"#, Some(Format::Sarif)),
        (r#"{"$schema":"https://x/sarif-2.1.0.json"#, Some(Format::Sarif)),
        (r#"{"hello":1,"world":[]}"#, None),
        ("PK\x03\x04", None),
        ("hello", None),
    ];
    for (text, expected) in cases {
        let error = refused(text);
        let found = match error.kind {
            ErrorKind::Unsupported if error.reason.contains("XCCDF") && text.contains('<') => Some(Format::Xccdf),
            ErrorKind::Unsupported if error.reason.starts_with("SARIF 2.0.0") => Some(Format::Sarif),
            ErrorKind::Unsupported => None,
            _ => read_as(expected, text.as_bytes()).err().filter(|told| *told == error).and(expected),
        };
        assert_eq!(found, expected, "{text}: {error}");
    }
    assert!(refused(r#"{"hello":1,"world":[]}"#).reason.ends_with("its attributes are: hello, world"));
}
