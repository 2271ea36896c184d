use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, person};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn plans_count_their_clients(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let plans = hub.get("priya", "/providers/northwind/plans").await.expect(200);
    let rows: Vec<_> = plans.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["name"].clone(), p["modules"].as_array().unwrap().len(), p["seats_max"].clone(), p["client_count"].clone()))
        .collect();
    assert_eq!(rows, [(json!("Basic"), 2, json!(3), json!(1)), (json!("Complete"), 8, json!(null), json!(3))]);
    hub.get("t3", "/providers/northwind/plans").await.expect(403);
    hub.get("carla", "/providers/northwind/plans").await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_founded_provider_has_an_admin_and_three_plans(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let mut tx = hub.hub.system_write("test.found", "founds a provider").await.unwrap();
    crate::providers::found(&mut tx, "Lakeside IT", "lakeside", person("tech_none")).await.unwrap();
    tx.commit().await.unwrap();
    let seen = hub.get("tech_none", "/providers/lakeside").await.expect(200);
    assert_eq!((&seen.json["role"], &seen.json["ceiling"]), (&json!("provider_admin"), &json!(null)));
    let plans = hub.get("tech_none", "/providers/lakeside/plans").await.expect(200);
    let mut rows: Vec<_> =
        plans.json["items"].as_array().unwrap().iter().map(|p| (p["name"].as_str().unwrap(), &p["seats_max"])).collect();
    rows.sort_by_key(|row| row.0);
    assert_eq!(rows, [("Complete", &json!(null)), ("Essentials", &json!(25)), ("Secure", &json!(100))]);
    let essentials = plans.json["items"].as_array().unwrap().iter().find(|p| p["name"] == "Essentials").unwrap();
    assert_eq!(essentials["modules"], json!(["discovery", "compliance"]));
    let mut tx = hub.hub.system_write("test.found", "the slug is taken").await.unwrap();
    assert!(crate::providers::found(&mut tx, "Lakeside", "lakeside", person("t0")).await.is_err());
}
