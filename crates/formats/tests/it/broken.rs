//! Files that are cut, damaged, hostile or of another kind: an error with a place, never a panic, never a silent loss.

use std::io::{self, Read};

use formats::{Control, ErrorKind, Finding, Origin, Sink};
use proptest::prelude::*;

use crate::*;

const EVENT: &str = r#"{"class_uid":2004,"metadata":{"version":"1.0.0","event_code":"c"}}"#;

#[test]
fn a_file_cut_anywhere_is_refused_or_whole() {
    for text in ALL {
        let (whole, _) = read(text).unwrap();
        for end in 0..text.len() {
            let part = &text.as_bytes()[..end];
            match read(part) {
                Err(error) if error.kind == ErrorKind::Empty || error.kind == ErrorKind::Unsupported => {}
                Err(error) => {
                    assert_eq!(error.kind, ErrorKind::Syntax, "{end}: {error}");
                    assert!(error.at.line.is_some() && error.at.column.is_some(), "{error:?}");
                    assert!(error.at.offset.unwrap() <= end as u64);
                }
                // Lines end where they end: what was cut off with a whole record nobody can see.
                Ok((report, _)) if text == OCSF_LINES => {
                    let lines = part.split(|byte| *byte == b'\n').filter(|line| line.contains(&b'{')).count();
                    assert_eq!(report.records, lines as u64);
                }
                Ok((report, _)) => {
                    assert_eq!(report.findings, whole.findings);
                    assert!(text[end..].trim().is_empty(), "{end}");
                }
            }
        }
    }
}

#[test]
fn a_compressed_file_cut_anywhere_is_refused() {
    for file in [gzip(OCSF.as_bytes()), xz(OCSF.as_bytes()), gzip(XCCDF.as_bytes()), xz(SARIF.as_bytes())] {
        for end in 6..file.len() {
            let error = refused(&file[..end]);
            assert_eq!(error.kind, ErrorKind::Compression, "{end} of {}: {error}", file.len());
        }
        assert!(read(&file).is_ok());
    }
}

#[test]
fn a_damaged_compressed_file_is_refused() {
    for (file, name) in [(gzip(OCSF.as_bytes()), "gzip"), (xz(OCSF.as_bytes()), "xz")] {
        for at in [file.len() / 3, file.len() / 2, file.len() - 6] {
            let mut damaged = file.clone();
            damaged[at] ^= 0x55;
            let error = refused(&damaged);
            let in_text = matches!(error.kind, ErrorKind::Compression | ErrorKind::Syntax | ErrorKind::Schema);
            assert!(in_text, "{name} {at}: {error}");
        }
        let garbage = [file.as_slice(), b"garbage"].concat();
        assert_eq!(refused(garbage).kind, ErrorKind::Compression);
    }
}

#[test]
fn a_wrong_type_is_told_with_its_place() {
    let text = format!("[{EVENT},\n {},\n]", EVENT.replace(":2004", ":2004,\n  \"severity_id\": \"high\""));
    let error = refused(&text);
    assert_eq!(error.kind, ErrorKind::Schema);
    assert_eq!(
        error.to_string(),
        "line 3, column 23 (record 2, /1/severity_id): expected an integer between 0 and 99, found \"high\""
    );
    let cases = [
        (r#"{"metadata":{"version":"1.0.0"}}"#, ErrorKind::Schema, "line 1, column 1 (record 1): class_uid is missing"),
        (
            r#"[{"class_uid":2004,"metadata":{"version":"1.0.0"}}]"#,
            ErrorKind::Schema,
            "line 1, column 2 (record 1, /0): nothing names the control: no metadata.event_code, \
             finding_info.analytic.uid, compliance.control or finding_info.title",
        ),
        (
            r#"{"class_uid":2004,"metadata":{"version":"0.9.0"}}"#,
            ErrorKind::Unsupported,
            "line 1, column 1 (record 1, /metadata/version): OCSF 0.9.0 is not read, only OCSF 1.x",
        ),
        (
            r#"{"class_uid":2004,"metadata":{"version":"2.0.0"}}"#,
            ErrorKind::Unsupported,
            "line 1, column 1 (record 1, /metadata/version): OCSF 2.0.0 is not read, only OCSF 1.x",
        ),
        (
            r#"{"class_uid":2004,"finding_info":{"a/b":1,"title":["x"]}}"#,
            ErrorKind::Schema,
            "line 1, column 50 (record 1, /finding_info/title): expected a string, found sequence",
        ),
        ("[1]", ErrorKind::Schema, "line 1, column 2 (record 1, /0): expected an OCSF event (a JSON object), found integer `1`"),
        (
            r#"{"version":"2.0.0","runs":[]}"#,
            ErrorKind::Unsupported,
            "line 1, column 12 (/version): SARIF 2.0.0 is not read, only SARIF 2.1.0",
        ),
        (
            r#"{"runs":[{"results":[{"ruleIndex":"3"}],"tool":{"driver":{"name":"x"}}}]}"#,
            ErrorKind::Schema,
            "line 1, column 37 (record 1, /runs/0/results/0/ruleIndex): expected i64, found \"3\"",
        ),
        (r#"{"runs":[]}"#, ErrorKind::Schema, "line 1, column 12: the SARIF log has no version"),
        (
            r#"{"version":"2.1.0","runs":[{"tool":{},"results":[{"ruleIndex":3}]}]}"#,
            ErrorKind::Schema,
            "line 1, column 50 (record 1, /runs/0/results/0): the result names no rule that is known: no ruleId, and no \
             described rule at its ruleIndex",
        ),
    ];
    for (text, kind, message) in cases {
        let error = refused(text);
        assert_eq!((error.kind, error.to_string().as_str()), (kind, message), "{text}");
    }
}

#[test]
fn a_wrong_xccdf_is_told_with_its_place() {
    let space = r#"xmlns="http://checklists.nist.gov/xccdf/1.2""#;
    let cases = [
        (r#"<TestResult xmlns="http://checklists.nist.gov/xccdf/1.1"/>"#.to_owned(), ErrorKind::Unsupported, "only XCCDF 1.2"),
        ("<html/>".into(), ErrorKind::Unsupported, "<html> is not an XCCDF 1.2 TestResult"),
        ("<TestResult/>".into(), ErrorKind::Unsupported, "<TestResult> is not"),
        (format!("<Benchmark {space}/>"), ErrorKind::Schema, "no TestResult"),
        (format!("<TestResult {space}><rule-result idref='a'/></TestResult>"), ErrorKind::Schema, "has no result"),
        (
            format!("<TestResult {space}><rule-result><result>pass</result></rule-result></TestResult>"),
            ErrorKind::Schema,
            "<rule-result> has no idref",
        ),
        (
            format!("<TestResult {space}>\n<rule-result idref='a'><result>maybe</result></rule-result></TestResult>"),
            ErrorKind::Schema,
            "line 2, column 60 (record 1): expected pass, fail",
        ),
        (format!("<TestResult {space}/><b/>"), ErrorKind::Syntax, "second root"),
        (format!("<TestResult {space}/>x"), ErrorKind::Syntax, "text outside"),
        (format!("<TestResult {space}></Other>"), ErrorKind::Syntax, "Other"),
        (format!("<TestResult {space}><a:b/></TestResult>"), ErrorKind::Syntax, "no namespace"),
        (format!("<TestResult {space} id='&x;'/>"), ErrorKind::Unsupported, "entity"),
        (format!("<TestResult {space}>&x;</TestResult>"), ErrorKind::Unsupported, "entity &x; is refused"),
        (format!("<?xml version='1.0' encoding='ISO-8859-1'?><TestResult {space}/>"), ErrorKind::Unsupported, "ISO-8859-1"),
        (format!("<TestResult {space}>{}", "<a>".repeat(200)), ErrorKind::TooLarge, "deeper than 100"),
        (format!("<TestResult {space}><title>{}", "a".repeat(5 << 20)), ErrorKind::TooLarge, "longer than 4 MiB"),
        (format!("<TestResult {space} id='{}'/>", "a".repeat(5 << 20)), ErrorKind::TooLarge, "longer than 4 MiB"),
    ];
    for (text, kind, part) in cases {
        let error = refused(&text);
        let shown = text.get(..200).unwrap_or(&text);
        assert!(error.kind == kind && error.to_string().contains(part), "{shown}: {:?} {error}", error.kind);
    }
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY l0 \"lol\">".to_owned();
    for level in 1..10 {
        let inner = format!("&l{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY l{level} \"{inner}\">"));
    }
    text.push_str("<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<TestResult>&l9;&x;</TestResult>");
    let error = refused(text);
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.reason.contains("DOCTYPE"));
}

#[test]
fn hostile_json_is_refused() {
    let long = "a".repeat(5 << 20);
    let cases: Vec<(Vec<u8>, ErrorKind)> = vec![
        (b"".into(), ErrorKind::Empty),
        (b" \r\n\t".into(), ErrorKind::Empty),
        (b"\xef\xbb\xbf\n".into(), ErrorKind::Empty),
        (b"\xff\xfe[\0]\0".into(), ErrorKind::Unsupported),
        (format!("[{EVENT}] x").into(), ErrorKind::Syntax),
        (format!("[{EVENT}][").into(), ErrorKind::Syntax),
        (format!("{EVENT}\nx").into(), ErrorKind::Syntax),
        (format!("{EVENT}\n\0\0\0\0").into(), ErrorKind::Syntax),
        (format!("[{EVENT},]").into(), ErrorKind::Syntax),
        (format!("[{EVENT} {EVENT}]").into(), ErrorKind::Syntax),
        (format!("[,{EVENT}]").into(), ErrorKind::Syntax),
        (EVENT.replace("\"c\"", "\"c\0\"").into(), ErrorKind::Syntax),
        (EVENT.replace(":2004", ":2004,").into(), ErrorKind::Syntax),
        (EVENT.replace(":2004", ":2004,\"class_uid\":2003").into(), ErrorKind::Schema),
        (EVENT.replace("\"c\"", "\"c\u{7f}\"").replace('\u{7f}', "\n").into(), ErrorKind::Syntax),
        (EVENT.replace("\"c\"", &format!("\"{long}\"")).into(), ErrorKind::TooLarge),
        (EVENT.replace("\"c\"", &format!("\"{}\"", &long[..3000])).into(), ErrorKind::TooLarge),
        (format!("[{}", "[".repeat(100_000)).into(), ErrorKind::TooLarge),
        (format!("{{\"metadata\":{}", "{\"a\":".repeat(100_000)).into(), ErrorKind::TooLarge),
        (format!("{{\"runs\":[],\"version\":\"2.1.0\",\"a\":{}", "[".repeat(1000)).into(), ErrorKind::TooLarge),
        (br#"{"version":"2.1.0","runs":[{"x":{]}]}"#.into(), ErrorKind::Syntax),
    ];
    for (bytes, kind) in cases {
        let error = refused(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
        assert_eq!(error.kind, kind, "{shown}: {error}");
    }
    let mut bytes = EVENT.replace("\"c\"", "\"cde\"").into_bytes();
    let at = bytes.windows(5).position(|window| window == b"\"cde\"").unwrap() + 2;
    bytes[at] = 0xff;
    let error = refused(&bytes);
    assert_eq!((error.kind, error.reason.as_str(), error.at.offset), (ErrorKind::Syntax, "not UTF-8", Some(at as u64)));
}

#[test]
fn long_prose_is_cut_and_a_nul_is_replaced() {
    let event = EVENT.replace(
        "\"c\"}",
        &format!("\"c\\u0000d\"}},\"message\":\"{}\",\"finding_info\":{{\"title\":\"t\"}}", "ä".repeat(100_000)),
    );
    let (_, collected) = read(&event).unwrap();
    let finding = &collected.findings[0];
    assert_eq!(finding.control_uid, "c\u{fffd}d");
    let message = finding.message.as_deref().unwrap();
    assert!(message.len() <= formats::PROSE_BYTES_MAX && message.ends_with("ä…"));
}

#[test]
fn evidence_stays_below_its_bound() {
    let wild = "\\u0001".repeat(3000);
    let event = EVENT.replace(
        ":2004",
        &format!(
            ":2004,\"status\":\"{wild}\",\"status_detail\":\"{wild}\",\"message\":\"m\",\"finding_info\":{{\"uid\":\"{wild}\"}},\
             \"resources\":[{{\"uid\":\"r\",\"data\":\"{wild}\"}},{{\"uid\":\"{wild}\"}}]"
        ),
    );
    let (_, collected) = read(&event).unwrap();
    let evidence = &collected.findings[0].evidence;
    assert!(evidence.to_string().len() <= formats::EVIDENCE_BYTES_MAX);
    assert_eq!(evidence["trimmed"], true);
}

/// Three bytes of a file shall not become hundreds in memory; here it is enough that only some are kept.
#[test]
fn a_list_of_a_million_is_counted_and_not_kept() {
    let resources = "{},".repeat(1_000_000);
    let event = EVENT.replace(":2004", &format!(":2004,\"resources\":[{resources}{{}}]"));
    let (_, collected) = read(&event).unwrap();
    assert_eq!(collected.findings[0].resource.uid, formats::RESOURCE_UNSPECIFIED);
    assert_eq!(collected.findings[0].evidence["other_resources_count"], 1_000_000);
}

struct Full(u64);

impl Sink for Full {
    fn origin(&mut self, _: &Origin) -> Result<(), String> {
        Ok(())
    }

    fn control(&mut self, _: Control) -> Result<(), String> {
        Ok(())
    }

    fn finding(&mut self, _: Finding) -> Result<(), String> {
        self.0 += 1;
        if self.0 == 2 { Err("no room".into()) } else { Ok(()) }
    }
}

#[test]
fn what_the_sink_refuses_ends_the_reading() {
    for text in ALL {
        let mut sink = Full(0);
        let error = formats::read(text.as_bytes(), None, &mut sink).unwrap_err();
        assert_eq!((error.kind, error.reason.as_str(), sink.0), (ErrorKind::Sink, "no room", 2));
        assert_eq!(error.at.record, Some(2));
    }
}

struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the line went dead")),
            count => Ok(count),
        }
    }
}

#[test]
fn an_input_that_fails_is_not_taken_for_damage() {
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    for bytes in [OCSF.into(), XCCDF.into(), SARIF.into(), gzip(OCSF.as_bytes()), xz(XCCDF.as_bytes())].map(half) {
        let error = read_as(None, Failing(&bytes)).unwrap_err();
        assert_eq!((error.kind, error.reason.as_str()), (ErrorKind::Io, "the line went dead"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), format in 0..4usize) {
        let format = [None, Some(Format::Ocsf), Some(Format::Xccdf), Some(Format::Sarif)][format];
        let _ = read_as(format, bytes.as_slice());
    }

    #[test]
    fn random_json_and_xml_do_not_panic(text in "[\\[\\]{}<>/\",:& a0\\\\\\n!?;-]{0,60}", format in 0..4usize) {
        let format = [None, Some(Format::Ocsf), Some(Format::Xccdf), Some(Format::Sarif)][format];
        let _ = read_as(format, text.as_bytes());
    }

    #[test]
    fn mutated_files_do_not_panic(
        which in 0..ALL.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>(), 1..30usize), 1..6),
        pack in 0..3,
    ) {
        let mut bytes = ALL[which].as_bytes().to_vec();
        if pack == 1 { bytes = gzip(&bytes); }
        if pack == 2 { bytes = xz(&bytes); }
        for (at, edit, byte, count) in edits {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            let end = (at + count).min(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.drain(at..end)),
                _ => { let piece = bytes[at..end].to_vec(); bytes.splice(at..at, piece); }
            }
        }
        let _ = read(bytes);
    }
}
