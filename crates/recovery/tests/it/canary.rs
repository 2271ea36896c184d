//! After a purge not a word of the tenant is left in plaintext: not in the databases, their logs, the spool, nor the backups.

use std::path::Path;
use std::time::Duration;

use kernel::params;
use kernel::store::StoreConfig;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, tenant};

use crate::backups::purge;
use crate::stage::Stage;

const CANARY: &str = "canaryquokka";

/// Words of the tenant wherever it can put some. What stays in its provider's ledger by design (the tenant's name, why it was purged) says
/// other things.
async fn sing(stage: &Stage) {
    let hub = &stage.hub.hub;
    stage.advance(Duration::from_secs(1));
    let scan = formats::write::Scan {
        tool: "Prowler".into(),
        tool_version: None,
        target: Some(format!("target {CANARY}")),
        observed_at: Some(hub.now().0),
        profile: None,
        controls: vec![formats::Control {
            uid: format!("uid-{CANARY}"),
            title: format!("control {CANARY}"),
            description: Some(format!("description {CANARY}")),
            remediation: None,
            url: None,
            severity: formats::Severity::High,
            frameworks: vec![(format!("Framework {CANARY}"), "1".into())],
        }],
        findings: vec![formats::Finding {
            control_uid: format!("uid-{CANARY}"),
            title: format!("finding {CANARY}"),
            severity: formats::Severity::High,
            result: formats::Outcome::Fail,
            resource: formats::Resource {
                uid: format!("resource-{CANARY}"),
                name: Some(format!("name {CANARY}")),
                kind: None,
                region: None,
                account: None,
            },
            message: Some(format!("message {CANARY}")),
            location: None,
            observed_at: None,
            fingerprint: None,
            evidence: json!({ "resource_data": { "secret": format!("evidence {CANARY}") } }),
        }],
    };
    let mut bytes = Vec::new();
    formats::write::ocsf(&mut bytes, &scan).unwrap();
    stage.upload("admin", &format!("/tenants/acme/scans?file={CANARY}.json"), bytes).await.expect(201);
    stage.comment("admin", "acme", &format!("comment {CANARY}")).await;
    let finding = stage.findings("admin", "acme").await[0]["id"].as_str().unwrap().to_owned();
    let ends = hub.now().plus_days(5).to_string();
    let body = json!({ "finding": finding, "reason": format!("override {CANARY}"), "expires_at": ends });
    stage.post("admin", "/tenants/acme/overrides", body).await.expect(201);
    // People: one of the tenant alone, by name and address, with a session; and a seat of the summary's words.
    let mut tx = hub.system_write("test.people", "a person of the tenant").await.unwrap();
    let viewer = testkit::person("viewer");
    let sql = "UPDATE person SET email = ?2, name = ?3, preferences = ?4 WHERE id = ?1";
    let prefs = format!("{{\"note\":\"{CANARY}\"}}");
    tx.execute(sql, params![viewer, format!("{CANARY}@acme.example"), format!("Person {CANARY}"), prefs]).await.unwrap();
    tx.execute("UPDATE session SET user_agent = ?2 WHERE person_id = ?1", params![viewer, format!("agent {CANARY}")])
        .await
        .unwrap();
    tx.execute("UPDATE tenant SET industry = ?2 WHERE id = ?1", params![tenant("acme"), format!("industry {CANARY}")])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = hub.system(tenant("acme"), "test.words", "words in the ledger").await.unwrap();
    tx.reason(&format!("reason {CANARY}")).subject("thing", "id", format!("subject {CANARY}"));
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_no_canary(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    sing(&stage).await;
    let place = if engine == Engine::Sqlite { stage.folder().join("backups") } else { stage.place.path().to_owned() };
    let to = recovery::backups::Asked { to: Some(place.to_str().unwrap().into()), ..Default::default() };
    recovery::backups::make(&stage.hub.hub, &to, &recovery::Progress::silent()).await.unwrap();
    assert!(heard(&stage).await > 5, "the canaries sing before the purge");
    purge(&stage).await;
    assert_eq!(heard(&stage).await, 0);
    assert_eq!(files_with(&place), 0);
    assert_eq!(files_with(stage.spool.path()), 0);
}

/// How many files (SQLite) or rows (PostgreSQL) have the word.
async fn heard(stage: &Stage) -> usize {
    let StoreConfig::Postgres { url, .. } = &stage.config.store else { return occurrences(stage.folder()) };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('control', 'tenant')";
    let mut found = 0;
    for table in client.query(sql, &[]).await.unwrap() {
        let name: String = table.get(0);
        // As the owner without its own policy, rows of every tenant are seen.
        let sql = format!(
            "SELECT COUNT(*) FROM {name} t WHERE t::text LIKE '%{CANARY}%' OR encode(convert_to(t::text, 'UTF8'), 'hex') LIKE '%{}%'",
            hex(CANARY)
        );
        found += usize::try_from(client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0)).unwrap();
    }
    found
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn files_with(folder: &Path) -> usize {
    usize::from(occurrences(folder) > 0)
}

/// How often the word stands in the files below a folder.
fn occurrences(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| {
            if entry.path().is_dir() {
                return occurrences(&entry.path());
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = bytes.windows(CANARY.len()).filter(|window| *window == CANARY.as_bytes()).count();
            if found > 0 {
                eprintln!("{}: {found}", entry.path().display());
            }
            found
        })
        .sum()
}
