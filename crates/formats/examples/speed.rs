//! How many records a second are read: `cargo run --release -p formats --example speed [file…]`.
//!
//! Without files it makes some: compact OCSF records of about 1.2 KB and the other formats, each read from memory.

use std::error::Error;
use std::io::Cursor;
use std::time::Instant;

use formats::write::Scan;
use formats::{Control, Finding, Origin, Outcome, Resource, Severity, Sink};

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Counter {
    controls: u64,
    findings: u64,
}

impl Sink for Counter {
    fn origin(&mut self, _: &Origin) -> Result<(), String> {
        Ok(())
    }

    fn control(&mut self, _: Control) -> Result<(), String> {
        self.controls += 1;
        Ok(())
    }

    fn finding(&mut self, finding: Finding) -> Result<(), String> {
        self.findings += 1;
        std::hint::black_box(finding);
        Ok(())
    }
}

type Writer = fn(&mut Vec<u8>, &Scan) -> std::io::Result<()>;

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    for file in &files {
        measure(file, &std::fs::read(file)?)?;
    }
    if files.is_empty() {
        let scan = scan(100_000);
        let writers: [(&str, Writer); 4] = [
            ("OCSF array", formats::write::ocsf),
            ("OCSF lines", formats::write::ocsf_lines),
            ("SARIF", formats::write::sarif),
            ("XCCDF", formats::write::xccdf),
        ];
        for (name, write) in writers {
            let mut file = Vec::new();
            write(&mut file, &scan)?;
            measure(name, &file)?;
        }
    }
    Ok(())
}

fn measure(name: &str, file: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut best = f64::MAX;
    let mut last = None;
    for _ in 0..5 {
        let mut counter = Counter::default();
        let begin = Instant::now();
        let report = formats::read(Cursor::new(file), None, &mut counter)?;
        best = best.min(begin.elapsed().as_secs_f64());
        last = Some((report, counter));
    }
    if let Some((report, counter)) = last {
        let records = report.records as f64;
        println!(
            "{name}: {} records of {:.0} bytes, {} controls, {} findings: {:.0} records/s, {:.0} MB/s",
            report.records,
            report.bytes as f64 / records,
            counter.controls,
            counter.findings,
            records / best,
            report.bytes as f64 / best / 1e6,
        );
    }
    Ok(())
}

fn scan(findings: usize) -> Scan {
    let controls: Vec<Control> = (0..100)
        .map(|number| Control {
            uid: format!("service_{number}_is_encrypted"),
            title: format!("Service {number} keeps its data encrypted"),
            description: None,
            remediation: Some("Turn on encryption.".into()),
            url: None,
            severity: Severity::High,
            frameworks: vec![("CIS-3.0".into(), "2.1.1".into()), ("ISO27001-2022".into(), "A.8.24".into())],
        })
        .collect();
    let finding = |number: usize| {
        let control = &controls[number % controls.len()];
        Finding {
            control_uid: control.uid.clone(),
            title: control.title.clone(),
            severity: control.severity,
            result: if number.is_multiple_of(3) { Outcome::Fail } else { Outcome::Pass },
            resource: Resource {
                uid: format!("arn:aws:s3:::bucket-{number}"),
                name: Some(format!("bucket-{number}")),
                kind: Some("AwsS3Bucket".into()),
                region: Some("eu-central-1".into()),
                account: Some("123456789012".into()),
            },
            message: Some(format!("Bucket bucket-{number} has no encryption.")),
            location: None,
            observed_at: Some(1_790_000_000_000_000),
            fingerprint: None,
            evidence: serde_json::json!({ "resource_data": { "encrypted": false, "tags": [] } }),
        }
    };
    let findings = (0..findings).map(finding).collect();
    Scan {
        tool: "Prowler".into(),
        tool_version: Some("5.0.0".into()),
        target: Some("123456789012".into()),
        observed_at: Some(1_790_000_000_000_000),
        profile: None,
        controls,
        findings,
    }
}
