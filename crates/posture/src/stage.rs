//! For tests: a hub with posture in it, and files of scanners as short as a test wants them.

use std::ops::Deref;
use std::sync::Arc;

use formats::write;
use kernel::Timestamp;
use kernel::clock::DAY_US;
use kernel::door::BoxFuture;
use serde_json::Value;
use testkit::{ACME, Answer, Engine, START, TestHub, person};

use crate::{Assignee, ImportSettings, People};

/// A hub with posture in it.
pub(crate) struct Stage {
    hub: TestHub,
    pub spool: tempfile::TempDir,
}

impl Deref for Stage {
    type Target = TestHub;
    fn deref(&self) -> &TestHub {
        &self.hub
    }
}

struct Cast;

impl People for Cast {
    fn assignable(&self, tenant: kernel::TenantId) -> BoxFuture<'_, kernel::Result<Vec<Assignee>>> {
        let acme = tenant == testkit::tenant(ACME);
        Box::pin(async move {
            let one =
                |name: &str, acts_as: &str, staff| Assignee { id: person(name), name: name.into(), acts_as: acts_as.into(), staff };
            let all =
                vec![one("admin", "admin", false), one("auditor", "auditor", false), one("t2", "Northwind IT staff · T2", true)];
            Ok(if acme { all } else { Vec::new() })
        })
    }
}

impl Stage {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    pub async fn with(engine: Engine, change: impl FnOnce(&mut ImportSettings)) -> Self {
        let hub = TestHub::start(engine, crate::router()).await;
        let spool = tempfile::tempdir().expect("a temporary folder");
        let mut settings = ImportSettings::in_dir(spool.path());
        settings.answer_within = std::time::Duration::from_secs(120);
        change(&mut settings);
        crate::provide(&hub.hub, settings);
        hub.hub.provide::<Arc<dyn People>>(Arc::new(Cast));
        // Sessions that were never idle, so that tests may move the clock by months.
        let mut tx = hub.hub.system_write("test.sessions", "sessions of the cast do not run out").await.expect("a write");
        let far = START.plus_days(9_000);
        tx.execute("UPDATE session SET last_seen_at = ?1, idle_expires_at = ?1, expires_at = ?1", kernel::params![far])
            .await
            .expect("kept");
        tx.commit().await.expect("kept");
        Self { hub, spool }
    }

    /// Sets the clock to so many days after the start.
    pub fn day(&self, day: i64) {
        self.config.clock.set(START.plus_days(day));
    }

    /// Imports a file as Acme's admin and answers the scan.
    pub async fn import(&self, shot: &Shot) -> Value {
        self.send_shot("admin", ACME, shot).await.expect(201).json
    }

    pub async fn send_shot(&self, who: &str, tenant: &str, shot: &Shot) -> Answer {
        let path = format!("/tenants/{tenant}/scans?file=scan.json&partial={}", shot.partial);
        self.upload(who, &path, shot.bytes()).await
    }

    pub async fn acme(&self, path: &str) -> Value {
        self.get("auditor", &format!("/tenants/{ACME}{path}")).await.expect(200).json
    }

    /// Every finding of Acme as `control resource: status lifecycle age`, in order.
    pub async fn findings(&self) -> Vec<String> {
        let all = self.acme("/findings?status=open,overridden,passed,fixed,manual&limit=200").await;
        let mut lines: Vec<String> = all["items"].as_array().expect("a list").iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The id of a finding of Acme.
    pub async fn finding(&self, control: &str, resource: &str) -> String {
        let query = format!("/findings?status=open,overridden,passed,fixed,manual&control={control}&resource={resource}");
        let found = self.acme(&query).await;
        assert_eq!(found["total"], 1, "{found}");
        found["items"][0]["id"].as_str().expect("an id").to_owned()
    }

    /// The id of a control of Acme.
    pub async fn control(&self, uid: &str) -> String {
        let found = self.acme(&format!("/controls?q={uid}")).await;
        found["items"][0]["id"].as_str().expect("an id").to_owned()
    }

    /// The current score of Acme, as the last point says.
    pub async fn score(&self) -> Value {
        let scores = self.acme("/scores?days=400").await;
        scores["items"].as_array().and_then(|items| items.last().cloned()).unwrap_or(Value::Null)
    }

    /// Rows of every table that an import writes.
    pub async fn rows(&self) -> Vec<(String, i64)> {
        let mut tx =
            self.hub.hub.system(testkit::tenant(ACME), "test.look", "a test counts rows").await.expect("the tenant exists");
        let mut rows = Vec::new();
        for table in [
            "source",
            "scan",
            "control",
            "control_framework",
            "scan_control",
            "finding",
            "finding_evidence",
            "finding_history",
            "override_item",
            "comment",
            "score_point",
        ] {
            let mut row = tx.one(&format!("SELECT COUNT(*) FROM {table}"), &[]).await.expect("counts");
            rows.push((table.to_owned(), row.take().expect("a count")));
        }
        rows
    }

    /// The summary that lies ready for the control database.
    pub async fn summary(&self) -> crate::Summary {
        let mut tx =
            self.hub.hub.system(testkit::tenant(ACME), "test.look", "a test reads the outbox").await.expect("the tenant exists");
        tx.one("SELECT payload FROM outbox WHERE topic = 'summary'", &[]).await.expect("a summary").json().expect("ours")
    }
}

pub(crate) fn line(finding: &Value) -> String {
    let text = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    format!(
        "{} {}: {} {} {}d",
        text("/control/uid"),
        text("/resource/uid"),
        text("/status"),
        text("/lifecycle"),
        finding["age_days"]
    )
}

/// A file of a scanner.
#[derive(Debug, Clone)]
pub(crate) struct Shot {
    pub tool: &'static str,
    pub target: &'static str,
    pub day: i64,
    pub partial: bool,
    pub rows: Vec<(String, String, formats::Outcome)>,
}

impl Shot {
    /// A scan on a day, `control resource result` per line; result is `pass`, `fail`, `manual`, `na` or `error`.
    pub fn new(day: i64, lines: &[&str]) -> Self {
        let rows = lines.iter().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut next = || words.next().expect("control resource result");
            let (control, resource, result) = (next(), next(), next());
            let result = match result.as_str() {
                "pass" => formats::Outcome::Pass,
                "fail" => formats::Outcome::Fail,
                "manual" => formats::Outcome::Manual,
                "na" => formats::Outcome::NotApplicable,
                "error" => formats::Outcome::Error,
                other => panic!("{other} is no result"),
            };
            (control, resource, result)
        });
        Self { tool: "Prowler", target: "123456789012", day, partial: false, rows: rows.collect() }
    }

    pub fn of(self, tool: &'static str, target: &'static str) -> Self {
        Self { tool, target, ..self }
    }

    pub fn partial(self) -> Self {
        Self { partial: true, ..self }
    }

    pub fn scan(&self) -> write::Scan {
        let severity = |control: &str| match control.split('-').next() {
            Some("crit") => formats::Severity::Critical,
            Some("high") => formats::Severity::High,
            Some("low") => formats::Severity::Low,
            _ => formats::Severity::Medium,
        };
        let mut uids: Vec<&String> = self.rows.iter().map(|(control, ..)| control).collect();
        uids.sort();
        uids.dedup();
        let control = |uid: &String| formats::Control {
            uid: uid.clone(),
            title: format!("Title of {uid}"),
            description: Some(format!("What {uid} is about")),
            remediation: Some(format!("Repair {uid}")),
            url: Some("https://example.org/why".into()),
            severity: severity(uid),
            frameworks: if uid.contains('z') {
                vec![]
            } else {
                vec![("CIS-5.0".into(), uid.clone()), ("ISO27001".into(), "A.1".into())]
            },
        };
        let at = START.0 + self.day * DAY_US;
        let finding = |(uid, resource, result): &(String, String, formats::Outcome)| formats::Finding {
            control_uid: uid.clone(),
            title: format!("Title of {uid}"),
            severity: severity(uid),
            result: *result,
            resource: formats::Resource {
                uid: resource.clone(),
                name: Some(format!("name of {resource}")),
                kind: Some("Bucket".into()),
                region: Some("eu-central-1".into()),
                account: Some(self.target.into()),
            },
            message: Some(format!("{resource} says {}", result.as_str())),
            location: None,
            observed_at: Some(at),
            fingerprint: None,
            evidence: serde_json::json!({ "resource_data": { "secret": format!("evidence of {resource}") } }),
        };
        write::Scan {
            tool: self.tool.into(),
            tool_version: Some("1.2.3".into()),
            target: Some(self.target.into()),
            observed_at: Some(at),
            profile: None,
            controls: uids.into_iter().map(control).collect(),
            findings: self.rows.iter().map(finding).collect(),
        }
    }

    /// As OCSF.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write::ocsf(&mut bytes, &self.scan()).expect("writes to memory");
        bytes
    }
}

/// The instant so many days after the start.
pub(crate) fn on_day(day: i64) -> Timestamp {
    START.plus_days(day)
}
