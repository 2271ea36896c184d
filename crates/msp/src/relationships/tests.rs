use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const ACME: &str = "/providers/northwind/tenants/acme/relationship";

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_in_both_ledgers_what_it_means(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(
        hub.send("priya", Method::PATCH, ACME, Some(json!({"tier": "T1"})), &[]).await.expect(428).code(),
        "precondition_required"
    );
    let lowered = hub.patch("priya", ACME, 1, json!({"tier": "T1"})).await.expect(200);
    assert_eq!(lowered.version(), 2);
    assert_eq!(lowered.json["relationship"]["tier"], "T1");
    assert_eq!(lowered.json["slug"], "acme");
    hub.patch("priya", ACME, 1, json!({"tier": "T2"})).await.expect(412);
    let own = hub.tenant_ledger("acme").await;
    let control = hub.control_ledger().await;
    for ledger in [own, control] {
        let entry = ledger.into_iter().find(|e| e["action"] == "relationship.update" && e["outcome"] == "done").unwrap();
        let (before, after) = (&entry["changes"][0]["before"], &entry["changes"][0]["after"]);
        assert_eq!((&before["tier"], &after["tier"]), (&json!("T3"), &json!("T1")));
        // t0 t1 t2 t3 tech_view are live on Acme; at T1 those of t2, t3 and tech_view are held back.
        assert_eq!((&before["assignments"], &before["assignments_limited"]), (&json!(5), &json!(0)));
        assert_eq!((&after["assignments"], &after["assignments_limited"]), (&json!(5), &json!(3)));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_makes_it_expire(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let state = async |body: Value, version: i64| {
        hub.patch("priya", ACME, version, body).await.expect(200).json["relationship"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(json!({"ends_at": "2027-01-21T09:00:00Z"}), 1).await, "active");
    assert_eq!(state(json!({"ends_at": "2026-12-20T09:00:00Z"}), 2).await, "expiring");
    hub.advance(std::time::Duration::from_secs(40 * 86_400));
    let seen = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    assert_eq!(seen.json["relationship"]["state"], "expired");
    assert_eq!(state(json!({"ends_at": null}), 3).await, "active");
    let entry = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (&entry["changes"][0]["before"]["assignments"], &entry["changes"][0]["after"]["assignments"]),
        (&json!(0), &json!(5))
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_further_than_the_provider_above(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (above, below) = ("/providers/northwind/tenants/birch/relationship", "/providers/harbor/tenants/birch/relationship");
    let seen = hub.get("harriet", "/providers/harbor/tenants/birch").await.expect(200);
    assert_eq!((&seen.json["relationship"]["tier"], &seen.json["relationship"]["parent_tier"]), (&json!("T3"), &json!("T2")));
    assert_eq!(hub.patch("harriet", below, 1, json!({"tier": "T3"})).await.expect(422).wrong_fields(), ["tier above_ceiling"]);
    hub.patch("harriet", below, 1, json!({"tier": "T2"})).await.expect(200);
    let lowered = hub.patch("priya", above, 1, json!({"tier": "T0"})).await.expect(200);
    assert_eq!(lowered.json["via"]["name"], "Harbor Services");
    let seen = hub.get("harriet", "/providers/harbor/tenants/birch").await.expect(200);
    assert_eq!((&seen.json["relationship"]["tier"], &seen.json["relationship"]["parent_tier"]), (&json!("T2"), &json!("T0")));
    let clients = hub.get("harriet", "/providers/harbor/clients").await.expect(200);
    assert_eq!(clients.json["items"][0]["tier"], "T0");
    let entry = hub.tenant_ledger("birch").await.pop().unwrap();
    assert_eq!(entry["changes"][0]["before"]["sub_providers_limited"], 0);
    assert_eq!(entry["changes"][0]["after"]["sub_providers_limited"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_not_the_providers_to_lift_and_an_end_is_an_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let frost = "/providers/northwind/tenants/frost/relationship";
    let no = hub.patch("priya", frost, 1, json!({"state": "active"})).await.expect(409);
    assert!(no.json["detail"].as_str().unwrap().contains("lift the freeze"));
    assert_eq!(hub.patch("priya", frost, 1, json!({"tier": "T1"})).await.expect(200).json["relationship"]["state"], "frozen");
    let ended = hub.patch("priya", ACME, 1, json!({"state": "ended"})).await.expect(200);
    assert_eq!(ended.json["relationship"]["state"], "ended");
    assert_eq!(ended.json["can"]["relationship.update"]["allowed"], false);
    hub.patch("priya", ACME, 2, json!({"state": "active"})).await.expect(403);
    let clients = hub.get("priya", "/providers/northwind/clients?q=acme").await.expect(200);
    assert_eq!(clients.json["items"][0]["enter"]["allowed"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_and_wrong_people(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for (body, want) in [
        (json!({"tier": "T4"}), "tier wrong_type"),
        (json!({"state": "frozen"}), "state wrong_type"),
        (json!({"ends_at": "tomorrow"}), "ends_at wrong_type"),
        (json!({"ends_at": "2020-01-01T00:00:00Z"}), "ends_at in_the_past"),
    ] {
        assert_eq!(hub.patch("priya", ACME, 1, body).await.expect(422).wrong_fields(), [want]);
    }
    hub.patch("carla", "/providers/contoso/tenants/acme/relationship", 1, json!({"tier": "T0"})).await.expect(404);
    hub.patch("harriet", ACME, 1, json!({"tier": "T0"})).await.expect(404);
    hub.patch("t3", ACME, 1, json!({"tier": "T0"})).await.expect(403);
    let mut tx = hub.hub.system_read().await.unwrap();
    let mut row = tx.one("SELECT COUNT(*) FROM relationship WHERE version <> ?1", params![1_i64]).await.unwrap();
    assert_eq!(row.take::<i64>().unwrap(), 0);
}
