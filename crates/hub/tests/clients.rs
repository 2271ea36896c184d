//! Pages over many clients are what the clients' own pages say, put together: random worlds, walked by their cursors, on both engines.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod common;

use std::collections::BTreeMap;

use common::wired;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const HERE: &str = "/providers/northwind";
const OWN: &[&str] = &["north", "south", "east", "west"];

/// A scan: severities, and how long ago each was seen.
fn scan(findings: &[(u8, u32)]) -> Vec<u8> {
    let events = findings.iter().enumerate().map(|(n, (severity, ago))| {
        json!({"class_uid": 2004, "category_uid": 2, "time": 1_795_251_000 - i64::from(*ago), "severity_id": severity, "status_code": "FAIL",
            "metadata": {"version": "1.5.0", "event_code": format!("check_{n}"), "product": {"name": "Probe"}},
            "finding_info": {"title": format!("Check {n}"), "uid": n.to_string()}, "resources": [{"uid": "res-1", "name": "one"}],
            "cloud": {"account": {"uid": "42"}}})
    });
    serde_json::to_vec(&events.collect::<Vec<_>>()).unwrap()
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, &[]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

/// Every row of a list, page by page, and the last page whole.
async fn walk(hub: &TestHub, who: &str, path: &str) -> (Vec<Value>, Value) {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let glue = if path.contains('?') { '&' } else { '?' };
        let page = hub.get(who, &format!("{path}{glue}limit=3{cursor}")).await.expect(200).json;
        rows.extend(page["items"].as_array().unwrap().iter().cloned());
        assert!(rows.len() < 2_000, "{path} does not end");
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (rows, page),
        }
    }
}

/// The rows of each client, in the order in which they came.
fn by_client(rows: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        let id = ["id", "member", "entry"].iter().find_map(|key| row[key].as_str().or_else(|| row[key]["id"].as_str())).unwrap();
        found.entry(row["tenant"]["slug"].as_str().unwrap().to_owned()).or_default().push(id.to_owned());
    }
    found
}

async fn single(hub: &TestHub, who: &str, path: &str) -> Vec<String> {
    let answer = hub.get(who, path).await;
    let items = answer.json["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn world(engine: Engine, runner: &mut TestRunner) -> TestHub {
    let hub = TestHub::whole(engine, wired).await;
    for slug in OWN {
        let body = json!({"slug": slug, "name": format!("The {slug}"), "plan": "Complete", "tier": "T3"});
        hub.post("priya", &format!("{HERE}/tenants"), body).await.expect(201);
    }
    for slug in OWN.iter().chain(&["acme"]) {
        let findings = prop::collection::vec((1..6_u8, 0..500_000_u32), 0..9).new_tree(runner).unwrap().current();
        if !findings.is_empty() {
            hub.upload("priya", &format!("/tenants/{slug}/scans?file=a.json"), scan(&findings)).await.expect(201);
        }
    }
    run(&hub, "UPDATE relationship SET tier = 0 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'west')").await;
    hub
}

async fn check(hub: &TestHub, who: &str) {
    for sort in ["severity", "-severity", "age", "-age", "last_seen", "tenant"] {
        let (rows, last) = walk(hub, who, &format!("{HERE}/findings?sort={sort}")).await;
        assert_eq!(last["total"], rows.len());
        let (found, mut count) = (by_client(&rows), 0);
        for slug in OWN.iter().chain(&["acme", "frost", "sable", "plain", "birch", "zeta"]) {
            let inner = if sort == "tenant" { "severity" } else { sort };
            let own = single(hub, who, &format!("/tenants/{slug}/findings?limit=200&sort={inner}")).await;
            count += own.len();
            assert_eq!(found.get(*slug).cloned().unwrap_or_default(), own, "{who} {sort} {slug}");
        }
        assert_eq!(rows.len(), count);
        let rank = |row: &Value| {
            ["critical", "high", "medium", "low", "informational"].iter().position(|s| row["severity"] == *s).unwrap()
        };
        let first_seen = |row: &Value| row["first_seen_at"].as_str().unwrap().to_owned();
        match sort {
            "severity" => assert!(rows.is_sorted_by_key(rank)),
            "-severity" => assert!(rows.iter().rev().is_sorted_by_key(rank)),
            "-age" => assert!(rows.is_sorted_by_key(first_seen)),
            "tenant" => assert!(rows.is_sorted_by_key(|row| row["tenant"]["name"].as_str().unwrap().to_lowercase())),
            _ => {}
        }
        let unreadable: Vec<_> =
            last["unreadable"].as_array().unwrap().iter().map(|one| one["tenant"]["slug"].as_str().unwrap()).collect();
        assert!(unreadable.iter().all(|slug| !found.contains_key(*slug)));
        assert!(unreadable.contains(&"frost") && last["unreadable"].to_string().contains("frozen"), "{who}: {last}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn findings_of_clients_are_what_each_clients_own_list_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    for _ in 0..if engine == Engine::Sqlite { 3 } else { 1 } {
        let hub = world(engine, &mut runner).await;
        check(&hub, "priya").await;
        check(&hub, "t3").await;
        let (rows, last) = walk(&hub, "priya", &format!("{HERE}/findings")).await;
        assert!(rows.iter().all(|row| row["tenant"]["slug"] != "west"), "T0 shows no findings");
        assert!(last["unreadable"].as_array().unwrap().iter().any(|one| one["tenant"]["slug"] == "west"), "{last}");
        // Who reaches nobody is answered nothing, and told of nobody.
        let (rows, last) = walk(&hub, "tech_none", &format!("{HERE}/findings")).await;
        assert_eq!((rows.len(), &last["reached"], &last["unreadable"]), (0, &json!(0), &json!([])));
        let (rows, _) = walk(&hub, "priya", &format!("{HERE}/findings?tenant=north&severity=critical,high")).await;
        assert_eq!(rows.len(), single(&hub, "priya", "/tenants/north/findings?severity=critical,high&limit=200").await.len());
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_and_activity_of_clients_are_what_each_client_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[4; 32]));
    let hub = world(engine, &mut runner).await;
    hub.advance(std::time::Duration::from_secs(60));
    hub.post("admin", "/tenants/acme/members/invitations", json!({"email": "new@acme.example", "role": "viewer"}))
        .await
        .expect(201);
    for who in ["priya", "t3", "t1"] {
        for sort in ["", "?sort=created", "?sort=-last_seen"] {
            let (rows, last) = walk(&hub, who, &format!("{HERE}/members{sort}")).await;
            let own = single(
                &hub,
                who,
                &format!("/tenants/acme/members{}", sort.replace("?sort=-last_seen", "?sort=-last_seen&limit=200")),
            )
            .await;
            assert_eq!(
                (by_client(&rows).get("acme").cloned().unwrap_or_default(), last["total"].as_u64()),
                (own, Some(rows.len() as u64))
            );
        }
        let (rows, last) = walk(&hub, who, &format!("{HERE}/activity")).await;
        assert!(rows.iter().rev().is_sorted_by_key(|row| row["entry"]["at"].as_str().unwrap().to_owned()));
        assert_eq!(last["total"], rows.len());
        for slug in OWN.iter().chain(&["acme", "frost", "plain"]) {
            let mine = if hub.get(who, &format!("/tenants/{slug}/ledger")).await.status == 200 { "" } else { "/mine" };
            let mut own = single(&hub, who, &format!("/tenants/{slug}/ledger{mine}?limit=200")).await;
            let mut found = by_client(&rows).get(*slug).cloned().unwrap_or_default();
            own.sort();
            found.sort();
            assert_eq!(found, own, "{who} {slug}");
        }
    }
    let modules = hub.get("priya", &format!("{HERE}/modules?limit=200")).await.expect(200).json;
    let row = |slug: &str| modules["items"].as_array().unwrap().iter().find(|row| row["tenant"]["slug"] == slug).unwrap().clone();
    let compliance = |row: &Value| row["modules"].as_array().unwrap().iter().find(|m| m["module"] == "compliance").unwrap().clone();
    assert_eq!((&compliance(&row("plain"))["open"], &compliance(&row("acme"))["open"]), (&json!(false), &json!(true)));
    assert_eq!(row("frost")["uncounted"].as_str(), Some("Provider access to this organisation is frozen."));
    let scans = single(&hub, "priya", "/tenants/acme/scans").await.len();
    assert!(compliance(&row("acme"))["events_30d"].as_u64().unwrap() >= scans as u64, "{modules}");
}
