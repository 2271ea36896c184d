//! What provider admins reach: by mode, for all clients and for one.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person, tenant};

use super::layers::{decide, setting};
use super::{run, start};

const CLIENT: &str = "/providers/northwind/tenants/acme/settings";

/// Whether somebody reads the settings of a tenant (T3).
async fn reads(hub: &TestHub, who: &str, tenant: &str) -> u16 {
    hub.get(who, &format!("/tenants/{tenant}/settings")).await.status
}

async fn decide_for_client(hub: &TestHub, mode: Value) {
    let version = hub.get("priya", CLIENT).await.expect(200).version();
    hub.patch("priya", CLIENT, version, json!({"settings": {"access_mode": mode}})).await.expect(200);
}

/// Priya's assignments: slug, tier, whether the mode gives it.
async fn assigned(hub: &TestHub, who: &str) -> Vec<(String, String, bool)> {
    let all = hub.get("priya", &format!("/providers/northwind/assignments?q={who}&sort=tenant")).await.expect(200);
    let items = all.json["items"].as_array().cloned().unwrap_or_default();
    let mine = items.iter().filter(|one| one["staff"]["name"] == who);
    mine.map(|one| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&one["tenant"]["slug"]), text(&one["effective_tier"]), one["by_mode"] == true)
    })
    .collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_client_may_have_another_mode_than_all(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!((reads(&hub, "priya", "acme").await, reads(&hub, "priya", "plain").await), (200, 200));
    decide_for_client(&hub, json!("explicit")).await;
    assert_eq!((reads(&hub, "priya", "acme").await, reads(&hub, "priya", "plain").await), (403, 200));
    let tiers = async || {
        let clients = hub.get("priya", "/providers/northwind/clients?sort=name").await.expect(200).json["items"].clone();
        let tier =
            |slug: &str| clients.as_array().expect("a list").iter().find(|one| one["slug"] == slug).expect("there")["tier"].clone();
        (tier("acme"), tier("plain"))
    };
    assert_eq!(tiers().await, (json!("T0"), json!("T3")), "the dashboard shows what may be done");
    let seen = hub.get("priya", CLIENT).await.expect(200);
    assert_eq!(
        (&setting(&seen, "access_mode")["value"], &setting(&seen, "access_mode")["layer"]),
        (&json!("explicit"), &json!("provider"))
    );
    decide(&hub, json!({"access_mode": "explicit"})).await.expect(200);
    decide_for_client(&hub, json!("tiered")).await;
    assert_eq!((reads(&hub, "priya", "acme").await, reads(&hub, "priya", "plain").await), (200, 403));
    assert_eq!(tiers().await, (json!("T3"), json!("T0")));
    decide_for_client(&hub, Value::Null).await;
    assert_eq!(reads(&hub, "priya", "acme").await, 403);
    assert_eq!(reads(&hub, "t3", "acme").await, 200, "technicians stand on their assignments in every mode");
    let told = hub.tenant_ledger("acme").await;
    let change = told.iter().rfind(|entry| entry["action"] == "client_setting.update").expect("the tenant's ledger tells it");
    assert_eq!(change["changes"][0]["before"]["access_mode"]["value"], "tiered");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_implicit_owner_has_a_grant_that_everybody_sees(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    decide(&hub, json!({"access_mode": "implicit_owner"})).await.expect(200);
    let given = |slug: &str, tier: &str| (slug.to_owned(), tier.to_owned(), true);
    // The relationship's tier cuts it like any assignment: Birch is Harbor's, and Northwind's at T2.
    let all = [given("acme", "T3"), given("birch", "T2"), given("frost", "T3"), given("plain", "T3"), given("sable", "T3")];
    assert_eq!(assigned(&hub, "priya").await, all);
    assert_eq!((reads(&hub, "priya", "acme").await, reads(&hub, "priya", "birch").await), (200, 403));
    let access = hub.get("admin", "/tenants/acme/access").await;
    if access.status == 200 {
        assert!(access.json.to_string().contains("asg_"), "the tenant sees it as an assignment");
    }
    let told = hub.tenant_ledger("acme").await;
    let last = told.last().expect("told");
    let grants =
        last["changes"].as_array().expect("changes").iter().find(|one| one["kind"] == "assignments_by_mode").expect("told");
    assert_eq!(grants["after"], json!({"mode": "implicit_owner", "tier": "T3", "people": ["priya"]}));
    assert!(!last.to_string().contains("plain"), "and nothing of another tenant");
    // Nobody takes it away but the mode.
    let items = hub.get("carla", "/providers/contoso/assignments").await.expect(200);
    assert_eq!(items.json["total"], 0, "another provider's admins get nothing");
    let mine = hub.get("priya", "/providers/northwind/assignments?q=priya&tenant=acme").await.expect(200);
    let id = mine.json["items"][0]["id"].as_str().expect("an id").to_owned();
    hub.delete("priya", &format!("/providers/northwind/assignments/{id}")).await.expect(403);
    decide_for_client(&hub, json!("explicit")).await;
    assert_eq!(reads(&hub, "priya", "acme").await, 403);
    assert_eq!(assigned(&hub, "priya").await.len(), 4);
    decide(&hub, json!({"access_mode": "tiered"})).await.expect(200);
    assert_eq!(assigned(&hub, "priya").await, []);
    decide_for_client(&hub, json!("implicit_owner")).await;
    assert_eq!(assigned(&hub, "priya").await, [given("acme", "T3")]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn grants_of_the_mode_come_and_go_with_admins_and_tenants(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    decide(&hub, json!({"access_mode": "implicit_owner"})).await.expect(200);
    let staff = hub.get("priya", "/providers/northwind/staff?q=t1").await.expect(200);
    let (id, version) =
        (staff.json["items"][0]["id"].as_str().expect("an id").to_owned(), staff.json["items"][0]["version"].clone());
    let path = format!("/providers/northwind/staff/{id}");
    hub.patch("priya", &path, version.as_i64().expect("a version"), json!({"role": "provider_admin"})).await.expect(200);
    let all = assigned(&hub, "t1").await;
    assert_eq!((all.len(), &all[0]), (5, &("acme".to_owned(), "T3".to_owned(), true)));
    assert_eq!((reads(&hub, "t1", "acme").await, reads(&hub, "t1", "plain").await), (200, 200));
    // A tenant that is made has them from the start.
    let made = json!({"slug": "newcomer", "name": "Newcomer", "plan": "Complete", "tier": "T3"});
    hub.post("priya", "/providers/northwind/tenants", made).await.expect(201);
    assert_eq!((reads(&hub, "t1", "newcomer").await, reads(&hub, "priya", "newcomer").await), (200, 200));
    // Once they are an admin no longer, what was given by hand is what is left.
    let version = hub.get("priya", &path).await.expect(200).version();
    hub.patch("priya", &path, version, json!({"role": "technician"})).await.expect(200);
    assert_eq!(assigned(&hub, "t1").await, [("acme".to_owned(), "T1".to_owned(), false)]);
    assert_eq!((reads(&hub, "t1", "acme").await, reads(&hub, "t1", "plain").await), (403, 404));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_the_tenant_has_a_say_the_mode_gives_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let consent = "UPDATE relationship SET assign_by = 'tenant_consent' WHERE tenant_id = ?1";
    run(&hub, consent, params![tenant("acme")]).await;
    let bar = "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) VALUES (?1, ?2, ?3, 1, 'no')";
    run(&hub, bar, params![tenant("plain"), person("priya"), person("admin")]).await;
    decide(&hub, json!({"access_mode": "implicit_owner"})).await.expect(200);
    let slugs: Vec<_> = assigned(&hub, "priya").await.into_iter().map(|(slug, ..)| slug).collect();
    assert_eq!(slugs, ["birch", "frost", "sable"]);
}
