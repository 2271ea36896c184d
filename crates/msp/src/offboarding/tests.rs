use std::time::Duration;

use kernel::store::Value as Cell;
use kernel::{Timestamp, params};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person, tenant};

const ACME: &str = "/providers/northwind/tenants/acme";
const NAME: &str = "Acme Dental Group";
const DAY: Duration = Duration::from_secs(86_400);

async fn run(hub: &TestHub, sql: &str, params: &[Cell]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.unwrap();
    tx.execute(sql, params).await.unwrap();
    tx.commit().await.unwrap();
}

/// A hub where t3 is a provider admin too, and nobody's session lies idle.
async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    run(&hub, "UPDATE staff SET role = 'provider_admin' WHERE person_id = ?1", params![person("t3")]).await;
    hub
}

async fn pass(hub: &TestHub, days: u32) {
    hub.advance(DAY * days);
    run(hub, "UPDATE session SET idle_expires_at = expires_at", &[]).await;
}

fn at(step: &str) -> String {
    format!("{ACME}/{step}")
}

async fn archive(hub: &TestHub) {
    hub.post("priya", &at("archive"), json!({"reason": "They left"})).await.expect(200);
}

fn asked() -> Value {
    json!({"reason": "The contract ended", "name": NAME})
}

fn detail(answer: &testkit::Answer) -> &str {
    answer.json["detail"].as_str().unwrap_or_default()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_takes_two_persons_and_the_certificate_names_both(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let active = hub.post("priya", &at("purge-request"), asked()).await.expect(409);
    assert!(detail(&active).contains("Archive it first"), "{}", active.json);
    archive(&hub).await;
    let early = hub.post("priya", &at("purge-request"), asked()).await.expect(409);
    assert!(detail(&early).contains("kept until 2026-12-21"), "{}", early.json);
    pass(&hub, 30).await;
    let wrong = hub.post("priya", &at("purge-request"), json!({"reason": "The contract ended", "name": "Acme"})).await.expect(422);
    assert_eq!(wrong.wrong_fields(), ["name mismatch"]);
    let alone = hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(409);
    assert!(detail(&alone).contains("nobody has asked"), "{}", alone.json);

    let requested = hub.post("priya", &at("purge-request"), asked()).await.expect(200);
    let request = &requested.json["purge_request"];
    assert_eq!((&request["by"]["name"], &request["side"]), (&json!("priya"), &json!("provider")));
    assert_eq!(request["lapses_at"], START.plus_days(37).to_string());
    hub.post("t3", &at("purge-request"), asked()).await.expect(409);
    let own = hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(409);
    assert!(detail(&own).contains("Another person"), "{}", own.json);
    let done = hub.post("t3", &at("purge"), json!({"name": NAME})).await.expect(200);

    let file = hub.get("priya", &format!("/providers/northwind/certificates/{}", done.json["certificate"].as_str().unwrap())).await;
    let certificate: ::ledger::Certificate = serde_json::from_slice(&file.expect(200).bytes).unwrap();
    assert_eq!(certificate.check(&[]), Ok(()));
    let said = certificate.statement;
    assert_eq!((said.by.name.as_str(), said.second.unwrap().name.as_str()), ("t3", "priya"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_organisations_own_admin_can_be_the_first(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for who in ["operator", "auditor", "t3"] {
        hub.post(who, "/tenants/acme/purge-request", json!({"reason": "We leave"})).await.expect(403);
    }
    let wished = hub.post("admin", "/tenants/acme/purge-request", json!({"reason": "We leave"})).await.expect(200);
    assert_eq!(
        (&wished.json["purge_request"]["side"], &wished.json["purge_request"]["lapses_at"]),
        (&json!("tenant"), &Value::Null)
    );
    archive(&hub).await;
    pass(&hub, 30).await;
    // Nobody of the provider withdraws it; they see it.
    assert!(detail(&hub.delete("priya", &at("purge-request")).await.expect(409)).contains("The organisation itself"));
    assert_eq!(hub.get("priya", ACME).await.expect(200).json["purge_request"]["by"]["name"], "admin");
    hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(200);
    let entries = hub.control_ledger().await;
    assert!(entries.iter().any(|e| e["action"] == "purge_request.create" && e["outcome"] == "done"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_withdrawn_or_lapses(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    archive(&hub).await;
    pass(&hub, 30).await;
    hub.delete("priya", &at("purge-request")).await.expect(409);
    hub.post("priya", &at("purge-request"), asked()).await.expect(200);
    assert_eq!(hub.delete("t3", &at("purge-request")).await.expect(200).json["purge_request"], Value::Null);
    hub.post("t3", &at("purge"), json!({"name": NAME})).await.expect(409);

    hub.post("priya", &at("purge-request"), asked()).await.expect(200);
    pass(&hub, 7).await;
    assert_eq!(hub.get("priya", ACME).await.expect(200).json["purge_request"], Value::Null);
    let late = hub.post("t3", &at("purge"), json!({"name": NAME})).await.expect(409);
    assert!(detail(&late).contains("has lapsed"), "{}", late.json);
    // Asked anew by the other one, it counts anew; restoring ends it.
    hub.post("t3", &at("purge-request"), asked()).await.expect(200);
    let restored = hub.send("priya", axum::http::Method::POST, &at("restore"), None, &[]).await.expect(200);
    assert_eq!(restored.json["purge_request"], Value::Null);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_a_purge_and_a_withdrawal_at_once_one_comes_true(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE provider SET immediate_purge = true", &[]).await;
    archive(&hub).await;
    hub.post("priya", &at("purge-request"), asked()).await.expect(200);
    let (request, purge, body) = (at("purge-request"), at("purge"), json!({"name": NAME}));
    let (withdrawn, purged) = tokio::join!(hub.delete("priya", &request), hub.post("t3", &purge, body));
    match purged.status {
        200 => assert!(matches!(withdrawn.status, 404 | 409 | 200), "{}", withdrawn.status),
        _ => {
            purged.expect(409);
            withdrawn.expect(200);
            assert_eq!(hub.get("priya", ACME).await.expect(200).json["state"], "archived");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_immediate_purge_skips_the_wait_and_not_the_second_person(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE provider SET immediate_purge = true, archive_days = 90", &[]).await;
    archive(&hub).await;
    assert_eq!(hub.get("priya", ACME).await.json["purge_after"], START.to_string());
    hub.post("priya", &at("purge-request"), asked()).await.expect(200);
    hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(409);
    hub.post("t3", &at("purge"), json!({"name": NAME})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_archive_window_is_the_providers_setting(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE provider SET archive_days = 90", &[]).await;
    archive(&hub).await;
    assert_eq!(hub.get("priya", ACME).await.json["purge_after"], START.plus_days(90).to_string());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_keeps_everything_and_both_ledgers_tell(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE provider SET immediate_purge = true", &[]).await;
    let why = json!({"reason": "Case 4711 at the regional court"});
    hub.post("t2", &at("hold"), why.clone()).await.expect(403);
    hub.post("priya", &at("hold"), json!({"reason": ""})).await.expect(422);
    let held = hub.post("priya", &at("hold"), why.clone()).await.expect(200);
    assert_eq!((&held.json["hold"]["by"]["name"], &held.json["hold"]["reason"]), (&json!("priya"), &why["reason"]));
    hub.post("t3", &at("hold"), why.clone()).await.expect(409);
    let seen = hub.get("admin", "/tenants/acme/offboarding").await.expect(200);
    assert_eq!(seen.json["hold"]["reason"], why["reason"]);
    archive(&hub).await;
    let refused = hub.post("priya", &at("purge-request"), asked()).await.expect(409);
    assert!(detail(&refused).contains("legal hold"), "{}", refused.json);
    // Asked for by the organisation itself, it is not done either.
    hub.post("admin", "/tenants/acme/purge-request", json!({"reason": "We leave"})).await.expect(200);
    hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(409);
    hub.post("t3", &at("release"), json!({"reason": "The case is closed"})).await.expect(200);
    hub.post("t3", &at("release"), json!({"reason": "The case is closed"})).await.expect(409);
    let told: Vec<_> =
        hub.tenant_ledger("acme").await.iter().filter(|e| e["outcome"] == "done").map(|e| e["action"].clone()).collect();
    assert_eq!(told, ["tenant.hold", "tenant.archive", "purge_request.create", "tenant.release"]);
    hub.post("priya", &at("purge"), json!({"name": NAME})).await.expect(200);
    let done = hub.control_ledger().await;
    assert!(["tenant.hold", "tenant.release", "tenant.purge"].iter().all(|act| done.iter().any(|e| e["action"] == *act)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_archived_organisation_sees_its_way_out(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let states = |answer: &testkit::Answer| {
        let steps = answer.json["steps"].as_array().cloned().unwrap_or_default();
        steps
            .iter()
            .map(|step| format!("{} {}", step["key"].as_str().unwrap(), step["state"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let before = hub.get("admin", "/tenants/acme/offboarding").await.expect(200);
    assert_eq!((&before.json["state"], &before.json["purge_after"]), (&json!("active"), &Value::Null));
    assert_eq!(states(&before), ["export open", "ledger open", "access open"]);
    let mut tx = hub.hub.system(tenant("acme"), "bundle.export", "a test takes the data along").await.unwrap();
    tx.subject("bundle", "x", None);
    tx.commit().await.unwrap();
    archive(&hub).await;
    let after = hub.get("admin", "/tenants/acme/offboarding").await.expect(200);
    assert_eq!((&after.json["state"], &after.json["purge_after"]), (&json!("archived"), &json!(START.plus_days(30).to_string())));
    assert_eq!(states(&after), ["export done", "ledger done", "access done"]);
    let context = hub.get("admin", "/tenants/acme/context").await.expect(200);
    assert_eq!(context.json["can"]["bundle.export"]["allowed"], true);
    assert_eq!(context.json["can"]["finding.list"]["allowed"], false);
    hub.get("admin", "/tenants/acme/ledger/export").await.expect(200);
    hub.get("admin", "/tenants/acme/settings").await.expect(403);
    hub.get("operator", "/tenants/acme/offboarding").await.expect(403);
    // Where staff are not named, they are not named here either.
    run(&hub, "UPDATE provider SET staff_shown = 'by_role'", &[]).await;
    hub.post("priya", &at("hold"), json!({"reason": "Case 4711"})).await.expect(200);
    let seen = hub.get("admin", "/tenants/acme/offboarding").await.expect(200);
    assert_eq!(seen.json["hold"]["by"], Value::Null);
}

#[test]
fn a_window_that_is_skipped_is_over_at_once() {
    let window = super::Window { days: 30, is_skipped: true };
    assert_eq!(window.ends_at(START), START);
    assert!(window.check(Some(Timestamp(START.0 + 1)), START).is_ok());
    let window = super::Window { days: 30, is_skipped: false };
    assert!(window.check(Some(Timestamp(START.0 + 1)), START).is_err());
    assert!(window.check(Some(START), START).is_ok());
}
