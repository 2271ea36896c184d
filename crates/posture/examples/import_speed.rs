//! How many findings a second come in, through HTTP: `cargo run --release -p posture --example import_speed [findings] [sqlite|postgres]`.
//!
//! Imports a first scan, the same content again (every finding recurring), and one that fixes half; then times lists.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use formats::write::{self, Scan};
use formats::{Control, Finding, Outcome, Resource, Severity};
use kernel::clock::DAY_US;
use testkit::{ACME, Engine, START, TestHub};

#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let engine = if std::env::args().nth(2).as_deref() == Some("postgres") { Engine::Postgres } else { Engine::Sqlite };
    let hub = TestHub::start(engine, posture::router()).await;
    let spool = tempfile::tempdir().unwrap();
    let mut settings = posture::ImportSettings::in_dir(spool.path());
    settings.answer_within = std::time::Duration::from_secs(600);
    posture::provide(&hub.hub, settings);
    for (name, day, fails) in [("first", 0, 1.0), ("again", 1, 1.0), ("half fixed", 2, 0.5)] {
        let mut file = Vec::new();
        write::ocsf(&mut file, &scan(count, day, fails)).unwrap();
        let megabytes = file.len() / 1_000_000;
        hub.config.clock.set(START.plus_days(day));
        let mut tx = hub.hub.system_write("speed.sessions", "sessions do not run out").await.unwrap();
        let far = kernel::params![START.plus_days(9_000)];
        tx.execute("UPDATE session SET last_seen_at = ?1, idle_expires_at = ?1, expires_at = ?1", far).await.unwrap();
        tx.commit().await.unwrap();
        let began = Instant::now();
        let answer = hub.upload("admin", &format!("/tenants/{ACME}/scans?file={day}.json"), file).await.expect(201).json;
        let took = began.elapsed();
        println!(
            "{name:>12}: {count} findings, {megabytes} MB, {took:.2?}: {:.0} findings/s; new {} recurring {} fixed {}",
            count as f64 / took.as_secs_f64(),
            answer["new"],
            answer["recurring"],
            answer["fixed"]
        );
    }
    for path in ["/findings", "/findings?status=open,fixed,passed&q=r777", "/controls", "/frameworks", "/scans", "/scores"] {
        let began = Instant::now();
        hub.get("auditor", &format!("/tenants/{ACME}{path}")).await.expect(200);
        println!("{path:>45}: {:.1?}", began.elapsed());
    }
    let began = Instant::now();
    let csv = hub.get("auditor", &format!("/tenants/{ACME}/findings.csv")).await.expect(200).bytes;
    println!("{:>45}: {:.1?}, {} MB", "/findings.csv", began.elapsed(), csv.len() / 1_000_000);
}

/// `fails` of the findings fail.
fn scan(count: usize, day: i64, fails: f64) -> Scan {
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let controls = (0..200).map(|n| Control {
        uid: format!("check_{n}"),
        title: format!("Check number {n} is met"),
        description: Some("What is checked and why it matters".into()),
        remediation: Some("Do what it takes".into()),
        url: None,
        severity: severities[n % 4],
        frameworks: (0..8).map(|f| (format!("Framework-{f}"), format!("{n}.{f}"))).collect(),
    });
    let finding = |n: usize| Finding {
        control_uid: format!("check_{}", n % 200),
        title: format!("Check number {} is met", n % 200),
        severity: severities[n % 4],
        result: if (n / 200) as f64 / (count.div_ceil(200) as f64) < fails { Outcome::Fail } else { Outcome::Pass },
        resource: Resource {
            uid: format!("arn:aws:s3:::bucket-r{}", n / 200),
            name: None,
            kind: Some("Bucket".into()),
            region: Some("eu-central-1".into()),
            account: Some("123456789012".into()),
        },
        message: Some("It is not as it should be".into()),
        location: None,
        observed_at: None,
        fingerprint: None,
        evidence: serde_json::json!({ "resource_data": { "versioning": false } }),
    };
    Scan {
        tool: "Prowler".into(),
        tool_version: Some("5".into()),
        target: Some("123456789012".into()),
        observed_at: Some(START.0 + day * DAY_US),
        profile: None,
        controls: controls.collect(),
        findings: (0..count).map(finding).collect(),
    }
}
