//! The rules of groups, on both engines.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const HERE: &str = "/providers/northwind/groups";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

async fn make(hub: &TestHub, body: Value) -> String {
    hub.post("priya", HERE, body).await.expect(201).json["id"].as_str().unwrap().to_owned()
}

async fn slugs(hub: &TestHub, group: &str) -> Vec<String> {
    let view = hub.get("priya", &format!("{HERE}/{group}")).await.expect(200).json;
    let items = view["tenants"]["items"].as_array().unwrap().clone();
    let slugs: Vec<_> = items.iter().map(|tenant| tenant["slug"].as_str().unwrap().to_owned()).collect();
    assert_eq!(view["group"]["client_count"], slugs.len());
    slugs
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_static_group_has_the_clients_of_its_list(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let id = make(&hub, json!({"name": "Two", "kind": "static", "tenants": ["acme", "birch", "acme"]})).await;
    assert_eq!(slugs(&hub, &id).await, ["acme", "birch"]);
    let view = hub.get("priya", &format!("{HERE}/{id}")).await.json["group"].clone();
    assert_eq!((view["tenants"].as_array().unwrap().len(), &view["match"], view["version"].as_i64()), (2, &Value::Null, Some(1)));
    let changed = hub.patch("priya", &format!("{HERE}/{id}"), 1, json!({"tenants": ["plain"], "name": "One"})).await.expect(200);
    assert_eq!((changed.version(), &changed.json["name"]), (2, &json!("One")));
    assert_eq!(slugs(&hub, &id).await, ["plain"]);
    hub.patch("priya", &format!("{HERE}/{id}"), 1, json!({"name": "Old"})).await.expect(412);
    // A client whose relationship has ended is in none, and one that is purged neither.
    run(&hub, "UPDATE relationship SET state = 'ended' WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'plain')").await;
    assert!(slugs(&hub, &id).await.is_empty());
    let last = hub.control_ledger().await.pop().unwrap();
    assert_ne!(last["action"], "tenant_group.view");
    hub.delete("priya", &format!("{HERE}/{id}")).await.expect(204);
    hub.get("priya", &format!("{HERE}/{id}")).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_dynamic_group_has_who_fits_at_the_moment(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    run(&hub, "UPDATE tenant SET industry = 'Health_care' WHERE slug IN ('acme', 'frost')").await;
    let plans = hub.get("priya", "/providers/northwind/plans").await.expect(200).json["items"].clone();
    let basic = plans.as_array().unwrap().iter().find(|plan| plan["name"] == "Basic").unwrap()["id"].clone();
    let cases = [
        (json!({"tiers": ["T2"]}), vec!["birch"]),
        (json!({"tiers": ["T2", "T3"], "states": ["suspended"]}), vec!["sable"]),
        (json!({"plans": [basic]}), vec!["plain"]),
        (json!({"industries": ["HEALTH_CARE"]}), vec!["acme", "frost"]),
        (json!({"industries": ["health%care"]}), vec![]),
        (json!({"name_contains": "& S"}), vec!["birch"]),
        (json!({"name_contains": "_"}), vec![]),
        (json!({"industries": ["health_care"], "name_contains": "FOOD"}), vec!["frost"]),
    ];
    for (n, (matches, wanted)) in cases.into_iter().enumerate() {
        let id = make(&hub, json!({"name": format!("Group {n}"), "kind": "dynamic", "match": matches})).await;
        assert_eq!(slugs(&hub, &id).await, wanted, "{matches}");
        let kept = hub.get("priya", &format!("{HERE}/{id}")).await.json["group"]["match"].clone();
        for (field, value) in matches.as_object().unwrap() {
            assert_eq!(&kept[field], value);
        }
    }
    let id = make(&hub, json!({"name": "Tiers", "kind": "dynamic", "match": {"tiers": ["T2"]}})).await;
    run(&hub, "UPDATE relationship SET tier = 2 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')").await;
    assert_eq!(slugs(&hub, &id).await, ["acme", "birch"]);
    assert_eq!(hub.get("priya", &format!("{HERE}?q=tiers")).await.expect(200).json["total"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_said_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let cases = [
        (json!({"name": "x", "kind": "static"}), "name too_short"),
        (json!({"name": "Some", "kind": "static", "tenants": ["zeta"]}), "tenants unknown"),
        (json!({"name": "Some", "kind": "static", "match": {"tiers": ["T1"]}}), "match not_here"),
        (json!({"name": "Some", "kind": "dynamic"}), "match missing"),
        (json!({"name": "Some", "kind": "dynamic", "tenants": ["acme"], "match": {"tiers": ["T1"]}}), "tenants not_here"),
        (
            json!({"name": "Some", "kind": "dynamic", "match": {"plans": ["pln_01999999999970009999999999999999"]}}),
            "match.plans unknown",
        ),
        (json!({"name": "Some", "kind": "dynamic", "match": {"states": ["purged"]}}), "match.states unknown"),
    ];
    for (body, wrong) in cases {
        assert_eq!(hub.post("priya", HERE, body).await.expect(422).wrong_fields(), [wrong]);
    }
    let body = json!({"name": "Some", "kind": "static"});
    let id = make(&hub, body.clone()).await;
    hub.post("priya", HERE, body).await.expect(409);
    for who in ["t3", "tech_none"] {
        hub.get(who, HERE).await.expect(403);
    }
    hub.get("carla", HERE).await.expect(404);
    hub.get("carla", &format!("/providers/contoso/groups/{id}")).await.expect(404);
}
