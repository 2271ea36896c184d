//! What waits for a tenant's word, on both engines.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const RELATIONSHIP: &str = "/providers/northwind/tenants/acme/relationship";
const REQUESTS: &str = "/tenants/acme/access-requests";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn only(hub: &TestHub, state: &str) -> Value {
    let list = hub.get("admin", &format!("{REQUESTS}?state={state}")).await.expect(200).json;
    assert_eq!(list["total"], 1, "{list}");
    list["items"][0].clone()
}

async fn answer(hub: &TestHub, who: &str, request: &Value, what: &str) -> testkit::Answer {
    let path = format!("{REQUESTS}/{}/{what}", request["id"].as_str().unwrap());
    hub.post(who, &path, json!({"reason": "as discussed"})).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn raising_a_tier_waits_and_lowering_does_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.patch("priya", RELATIONSHIP, 1, json!({"tier": "T1"})).await.expect(200);
    let raised = hub.patch("priya", RELATIONSHIP, 2, json!({"tier": "T3"})).await.expect(200);
    assert_eq!(raised.json["relationship"]["tier"], "T1");
    assert_eq!(raised.json["relationship"]["pending"][0]["label"], "Raise the tier from T1 Monitor to T3 Manage");
    let request = only(&hub, "pending").await;
    assert_eq!((&request["kind"], &request["asked_by"]["name"]), (&json!("tier"), &json!("priya")));
    assert_eq!(request["can"]["approve"]["allowed"], true);
    // Asking again overtakes what was asked before.
    let version = raised.json["relationship"]["version"].as_i64().unwrap();
    hub.patch("priya", RELATIONSHIP, version, json!({"tier": "T2"})).await.expect(200);
    let request = only(&hub, "pending").await;
    for (who, status) in [("auditor", 403), ("operator", 403), ("priya", 403), ("t3", 403), ("other_admin", 404)] {
        assert_eq!(answer(&hub, who, &request, "approve").await.status, status, "{who}");
    }
    answer(&hub, "admin", &request, "approve").await.expect(204);
    let seen = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    assert_eq!((&seen.json["relationship"]["tier"], &seen.json["relationship"]["pending"]), (&json!("T2"), &json!([])));
    answer(&hub, "admin", &request, "approve").await.expect(409);
    answer(&hub, "admin", &request, "deny").await.expect(409);
    let told = hub.control_ledger().await.into_iter().find(|e| e["action"] == "access_request.approve" && e["outcome"] == "done");
    assert_eq!(told.unwrap()["reason"], "as discussed");
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_give_the_provider_alone_does_not_wait(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let view = hub.get("admin", "/tenants/acme/provider-access").await.expect(200).json;
    let own = format!("/tenants/acme/provider-access/relationships/{}", view["relationships"][0]["id"].as_str().unwrap());
    let set = async |body: Value| hub.send("admin", Method::PATCH, &own, Some(body), &[]).await.expect(200);
    set(json!({"raise_by": "provider", "tier": "T1"})).await;
    let raised = hub.patch("priya", RELATIONSHIP, 2, json!({"tier": "T2"})).await.expect(200);
    assert_eq!(raised.json["relationship"]["tier"], "T2");
    set(json!({"raise_by": "operator"})).await;
    let no = hub.patch("priya", RELATIONSHIP, 4, json!({"tier": "T3"})).await.expect(409);
    assert!(no.json["detail"].as_str().unwrap().contains("operator"));
    let asked =
        crate::relationships::OperatorTier { tenant: "acme".into(), tier: access::Tier::T3, reason: "asked by phone".into() };
    let set = crate::relationships::set_tier_as_operator(&hub.hub, &asked).await.unwrap();
    assert_eq!((set.before, set.tier), (access::Tier::T2, access::Tier::T3));
    assert!(
        hub.tenant_ledger("acme").await.iter().any(|e| e["action"] == "relationship.set_tier" && e["reason"] == "asked by phone")
    );
    let other = crate::relationships::OperatorTier { tenant: "zeta".into(), ..asked };
    hub.patch("carla", "/providers/contoso/tenants/zeta/relationship", 1, json!({"tier": "T1"})).await.expect(200);
    assert_eq!(crate::relationships::set_tier_as_operator(&hub.hub, &other).await.unwrap_err().code(), "conflict");
    // Without an admin who could answer, nothing waits.
    let birch = "/providers/northwind/tenants/birch/relationship";
    hub.patch("priya", birch, 1, json!({"tier": "T1"})).await.expect(200);
    assert_eq!(hub.patch("priya", birch, 2, json!({"tier": "T2"})).await.expect(200).json["relationship"]["tier"], "T2");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_or_withdrawn_request_changes_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.patch("priya", RELATIONSHIP, 1, json!({"tier": "T1"})).await.expect(200);
    hub.patch("priya", RELATIONSHIP, 2, json!({"tier": "T3"})).await.expect(200);
    let request = only(&hub, "pending").await;
    let path = format!("{REQUESTS}/{}/deny", request["id"].as_str().unwrap());
    assert_eq!(hub.post("admin", &path, json!({})).await.expect(422).wrong_fields(), ["reason too_short"]);
    answer(&hub, "admin", &request, "deny").await.expect(204);
    assert_eq!(only(&hub, "decided").await["state"], "denied");
    let tier =
        async || hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200).json["relationship"]["tier"].clone();
    assert_eq!(tier().await, "T1");
    let asked = hub.patch("priya", RELATIONSHIP, 3, json!({"tier": "T2"})).await.expect(200).json;
    let id = asked["relationship"]["pending"][0]["id"].as_str().unwrap().to_owned();
    let withdraw = format!("/providers/northwind/tenants/acme/consents/{id}");
    hub.delete("t3", &withdraw).await.expect(403);
    hub.delete("carla", &withdraw).await.expect(404);
    hub.delete("priya", &withdraw).await.expect(204);
    hub.delete("priya", &withdraw).await.expect(409);
    hub.post("admin", &format!("{REQUESTS}/{id}/approve"), json!({})).await.expect(409);
    assert_eq!(tier().await, "T1");
    hub.post("admin", &format!("{REQUESTS}/con_0/approve"), json!({})).await.expect(404);
    hub.post("other_admin", &format!("/tenants/zeta/access-requests/{id}/approve"), json!({})).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn more_power_for_a_person_waits_where_the_tenant_wants_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let view = hub.get("admin", "/tenants/acme/provider-access").await.expect(200).json;
    let own = format!("/tenants/acme/provider-access/relationships/{}", view["relationships"][0]["id"].as_str().unwrap());
    hub.send("admin", Method::PATCH, &own, Some(json!({"assign_by": "tenant_consent"})), &[]).await.expect(200);
    let list = hub.get("priya", "/providers/northwind/assignments?q=t1%20Acme").await.expect(200).json;
    let row = &list["items"][0];
    let path = format!("/providers/northwind/assignments/{}", row["id"].as_str().unwrap());
    let version = row["version"].as_i64().unwrap();
    hub.patch("priya", &path, version, json!({"tier": "T2"})).await.expect(202);
    let may = async || hub.get("t1", "/tenants/acme/context").await.expect(200).json["can"]["override.create"]["allowed"].clone();
    assert_eq!(may().await, false);
    answer(&hub, "admin", &only(&hub, "pending").await, "approve").await.expect(204);
    assert_eq!(may().await, true);
    // Less is never asked about.
    let now =
        hub.get("priya", "/providers/northwind/assignments?q=t1%20Acme").await.expect(200).json["items"][0]["version"].clone();
    hub.patch("priya", &path, now.as_i64().unwrap(), json!({"tier": "T1"})).await.expect(200);
    assert_eq!(may().await, false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_of_somebody_who_left_cannot_be_approved(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let staff = hub.get("priya", "/providers/northwind/staff?q=t1").await.expect(200).json["items"][0]["id"].clone();
    let path = format!("/tenants/acme/provider-access/people/{}", testkit::person("t1"));
    hub.send("admin", Method::DELETE, &path, Some(json!({"reason": "not this one"})), &[]).await.expect(200);
    let body = json!({"staff": staff, "tenant": "acme", "tier": "T1", "modules": [],
        "mask": {"view": true, "create": false, "update": false, "delete": false}});
    hub.post("priya", "/providers/northwind/assignments", body).await.expect(202);
    let request = only(&hub, "pending").await;
    hub.delete("priya", &format!("/providers/northwind/staff/{}", staff.as_str().unwrap())).await.expect(204);
    let no = answer(&hub, "admin", &request, "approve").await.expect(409);
    assert!(no.json["detail"].as_str().unwrap().contains("does not work for the provider"));
    answer(&hub, "admin", &request, "deny").await.expect(204);
}
