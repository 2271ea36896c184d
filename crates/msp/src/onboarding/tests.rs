use kernel::params;
use kernel::store::Value as Cell;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub};

const TENANTS: &str = "/providers/northwind/tenants";

async fn run(hub: &TestHub, sql: &str, params: &[Cell]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.unwrap();
    tx.execute(sql, params).await.unwrap();
    tx.commit().await.unwrap();
}

async fn steps(hub: &TestHub, slug: &str) -> Vec<String> {
    let seen = hub.get("priya", &format!("{TENANTS}/{slug}/onboarding")).await.expect(200);
    let steps = seen.json["steps"].as_array().unwrap().clone();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    steps.iter().map(|step| format!("{} {}", word(&step["key"]), word(&step["state"]))).collect()
}

async fn on_dashboard(hub: &TestHub, slug: &str) -> Value {
    let seen = hub.get("priya", &format!("/providers/northwind/clients?q={slug}")).await.expect(200);
    seen.json["items"][0].get("onboarding").cloned().unwrap_or(Value::Null)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_step_follows_from_what_is_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let body = json!({"slug": "quill", "name": "Quill & Co", "plan": "Complete", "tier": "T0"});
    let id: kernel::TenantId = hub.post("priya", TENANTS, body).await.expect(201).json["id"].as_str().unwrap().parse().unwrap();
    let open = ["created done", "members open", "relationship open", "credentials open", "first_scan open"];
    assert_eq!(steps(&hub, "quill").await, open);
    assert_eq!(on_dashboard(&hub, "quill").await, json!({"done": 1, "of": 5}));

    run(
        &hub,
        "UPDATE member SET tenant_id = ?1 WHERE role = 'admin' AND state = 'active'
               AND tenant_id = (SELECT id FROM tenant WHERE slug = 'zeta')",
        params![id],
    )
    .await;
    run(&hub, "UPDATE relationship SET tier = 1 WHERE tenant_id = ?1", params![id]).await;
    let key = "INSERT INTO api_key (id, token_hash, hint, name, tenant_id, person_id, actions, created_at, expires_at)
               SELECT ?1, ?2, 'x', 'x', ?1, p.id, ?3, ?4, ?5 FROM person p WHERE p.name = 'priya'";
    let actions = |names: &[&str]| serde_json::to_string(names).unwrap();
    let values = |end: i64, names| params![id, vec![1_u8; 32], actions(names), START, START.plus_days(end)].to_vec();
    run(&hub, key, &values(9, &["finding.list"])).await;
    assert_eq!(steps(&hub, "quill").await[3], "credentials open", "it imports nothing");
    run(&hub, "UPDATE api_key SET actions = ?1", params![actions(&["finding.list", "scan.import"])]).await;
    assert_eq!(
        steps(&hub, "quill").await,
        ["created done", "members done", "relationship done", "credentials done", "first_scan open"]
    );
    run(&hub, "UPDATE api_key SET expires_at = ?1", params![START]).await;
    assert_eq!(steps(&hub, "quill").await[3], "credentials open", "it is over");
    run(&hub, "UPDATE summary SET scans = 1, scan_at = ?2 WHERE tenant_id = ?1", params![id, START]).await;
    let all = hub.get("priya", &format!("{TENANTS}/quill/onboarding")).await.expect(200);
    assert_eq!((&all.json["done"], &all.json["of"]), (&json!(5), &json!(5)));
    assert_eq!(all.json["steps"][4]["at"], START.to_string());
    assert_eq!(on_dashboard(&hub, "quill").await, Value::Null, "through: nothing to show");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_skipped_and_taken_up_again(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let path = format!("{TENANTS}/acme/onboarding");
    let patch = async |who: &str, step: &str, skipped: bool| {
        hub.send(who, axum::http::Method::PATCH, &path, Some(json!({"step": step, "skipped": skipped})), &[]).await
    };
    assert_eq!(on_dashboard(&hub, "acme").await, json!({"done": 3, "of": 5}));
    patch("t3", "first_scan", true).await.expect(403);
    patch("priya", "no_such_step", true).await.expect(422);
    patch("priya", "members", true).await.expect(409);
    assert_eq!(patch("priya", "first_scan", true).await.expect(200).json["done"], 4);
    patch("priya", "first_scan", true).await.expect(200);
    assert_eq!(patch("priya", "credentials", true).await.expect(200).json["done"], 5);
    assert_eq!(steps(&hub, "acme").await[3..], ["credentials skipped", "first_scan skipped"]);
    assert_eq!(on_dashboard(&hub, "acme").await, Value::Null);
    assert_eq!(patch("priya", "first_scan", false).await.expect(200).json["done"], 4);
    assert!(hub.tenant_ledger("acme").await.iter().any(|e| e["action"] == "onboarding.update"));
    hub.get("carla", &format!("{TENANTS}/acme/onboarding")).await.expect(404);
}
