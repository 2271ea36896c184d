//! Making, listing and revoking keys, on both engines.

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub, person};

use crate::stage::{PASSWORD, assert_unwritten, entries, freshen, hub, number, run, with_password};

const ACME: &str = "/tenants/acme/api-keys";
const NORTHWIND: &str = "/providers/northwind/api-keys";

fn key(name: &str, actions: &[&str]) -> Value {
    json!({"name": name, "actions": actions, "expires_in_days": 30})
}

async fn made(hub: &TestHub, who: &str, path: &str, body: Value) -> Answer {
    freshen(hub, who).await;
    hub.post(who, path, body).await.expect(201)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn to_make_a_key_takes_a_fresh_second_factor(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for (who, path) in [("admin", ACME), ("priya", NORTHWIND)] {
        with_password(&hub, who).await;
        let refused = hub.post(who, path, key("CI", &["member.list"])).await.expect(403);
        assert_eq!(refused.code(), "step_up_required");
        assert_eq!(number(&hub, "SELECT COUNT(*) FROM api_key", params![]).await, i64::from(path == NORTHWIND));
        hub.post(who, "/session/step-up", json!({"password": PASSWORD})).await.expect(204);
        let made = hub.post(who, path, key("CI", &["member.list"])).await.expect(201);
        assert_eq!(made.headers["cache-control"], "no-store");
        assert_eq!(made.json["key"]["state"], "active");
        hub.advance(std::time::Duration::from_secs(600));
        assert_eq!(hub.post(who, path, key("Other", &["member.list"])).await.expect(403).code(), "step_up_required");
    }
    assert_eq!(hub.tenant_ledger("acme").await.iter().filter(|e| e["action"] == "api_key.create").count(), 3);
    let ledger = hub.control_ledger().await;
    let wanted = ["priya refused step_up_required", "priya done -", "priya refused step_up_required"];
    assert_eq!(entries(&ledger, "provider_api_key.create"), wanted);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_technician_and_no_lesser_member_makes_keys_fresh_or_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for who in ["t3", "t2", "operator", "auditor", "viewer"] {
        // Nobody is sent for a second factor who may not do it with one either.
        for _ in 0..2 {
            assert_eq!(hub.post(who, ACME, key("CI", &["member.list"])).await.expect(403).code(), "forbidden", "{who}");
            freshen(&hub, who).await;
        }
        hub.get(who, ACME).await.expect(403);
    }
    for who in ["t3", "tech_none"] {
        freshen(&hub, who).await;
        assert_eq!(hub.post(who, NORTHWIND, key("CI", &["staff.list"])).await.expect(403).code(), "forbidden", "{who}");
        hub.get(who, NORTHWIND).await.expect(403);
    }
    freshen(&hub, "other_admin").await;
    hub.post("other_admin", ACME, key("CI", &["member.list"])).await.expect(404);
    hub.post("carla", NORTHWIND, key("CI", &["member.list"])).await.expect(404);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM api_key", params![]).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_kept_as_a_hash(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let made = made(&hub, "admin", ACME, key("  Nightly export ", &["member.list", "finding.list", "member.list"])).await;
    let token = made.json["token"].as_str().unwrap();
    assert!(kernel::secrets::is_api_token(token));
    let key = &made.json["key"];
    assert_eq!((key["name"].as_str(), key["hint"].as_str()), (Some("Nightly export"), Some(&token[..8])));
    assert_eq!(key["actions"], json!(["member.list", "finding.list"]));
    assert_eq!(key["created_by"], json!({"id": person("admin"), "name": "admin"}));
    assert_eq!(key["expires_at"], hub.hub.now().plus_days(30).to_string());
    let list = hub.get("admin", ACME).await.expect(200);
    assert_eq!((&list.json["items"][0], &list.json["total"]), (key, &json!(1)));
    assert!(!String::from_utf8(list.bytes).unwrap().contains(token));
    assert_unwritten(&hub, &[token]).await;
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM api_key WHERE token_hash = ?1", params![token.as_bytes()]).await, 0);
    let entry = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!((entry["action"].as_str(), entry["subject"]["label"].as_str()), (Some("api_key.create"), Some("Nightly export")));
    assert_eq!(entry["changes"][0]["after"]["actions"], json!(["member.list", "finding.list"]));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_in_a_key_is_said_by_its_place(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    freshen(&hub, "admin").await;
    let wrong = |answer: Answer| answer.expect(422).wrong_fields();
    let body = json!({"name": " ", "actions": [], "expires_in_days": 0});
    let fields = ["name too_short", "actions wrong_count", "expires_in_days out_of_range"];
    assert_eq!(wrong(hub.post("admin", ACME, body).await), fields);
    let body = json!({"name": "CI", "expires_in_days": 366,
        "actions": ["member.list", "api_key.create", "nothing.at_all", "me.view", "staff.list", "access_request.approve"]});
    let fields = [1, 2, 3, 4, 5].map(|n| format!("actions.{n} not_grantable"));
    let mut fields = fields.to_vec();
    fields.push("expires_in_days out_of_range".into());
    assert_eq!(wrong(hub.post("admin", ACME, body).await), fields);
    freshen(&hub, "priya").await;
    let body =
        key("CI", &["finding.list", "tenant.view", "staff.list", "provider_api_key.create", "member.grant_admin", "me.view"]);
    let fields = [3, 4, 5].map(|n| format!("actions.{n} not_grantable"));
    assert_eq!(wrong(hub.post("priya", NORTHWIND, body).await), fields);
    // A name is taken as long as its key works.
    let first = made(&hub, "admin", ACME, key("CI", &["member.list"])).await.json["key"]["id"].as_str().unwrap().to_owned();
    assert_eq!(wrong(hub.post("admin", ACME, key("ci", &["member.list"])).await), ["name taken"]);
    hub.delete("admin", &format!("{ACME}/{first}")).await.expect(204);
    hub.post("admin", ACME, key("CI", &["member.list"])).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_is_told_what_one_may_put_into_a_key(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let names = |answer: Answer| -> Vec<String> {
        let list = answer.expect(200).json["grantable"].as_array().unwrap().clone();
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let admins = names(hub.get("admin", ACME).await);
    for (name, wanted) in [("member.invite", true), ("api_key.revoke", true), ("api_key.create", false), ("me.view", false)] {
        assert_eq!(admins.iter().any(|one| one == name), wanted, "{name}");
    }
    let list = hub.get("admin", ACME).await.json["grantable"].clone();
    let one = list.as_array().unwrap().iter().find(|one| one["name"] == "override.create").unwrap();
    assert_eq!(one, &json!({"name": "override.create", "module": "compliance", "op": "create", "door": "write"}));
    // Staff may put in what their tier gives, not what is the organisation's own.
    let staffs = names(hub.get("priya", ACME).await);
    assert!(staffs.iter().any(|one| one == "finding.list") && !staffs.iter().any(|one| one == "member.grant_admin"));
    let providers = names(hub.get("priya", NORTHWIND).await);
    for (name, wanted) in [
        ("client.list", true),
        ("tenant.suspend", true),
        ("finding.list", true),
        ("elevation.approve", false),
        ("sub_provider.create", true),
    ] {
        assert_eq!(providers.iter().any(|one| one == name), wanted, "{name}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_by_state_and_name(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    freshen(&hub, "admin").await;
    let mut ids = Vec::new();
    for (name, days) in [("Alpha", 1), ("Beta", 40), ("Gamma", 40)] {
        let body = json!({"name": name, "actions": ["member.list"], "expires_in_days": days});
        ids.push(hub.post("admin", ACME, body).await.expect(201).json["key"]["id"].as_str().unwrap().to_owned());
    }
    hub.delete("admin", &format!("{ACME}/{}", ids[1])).await.expect(204);
    hub.delete("admin", &format!("{ACME}/{}", ids[1])).await.expect(409);
    hub.advance(std::time::Duration::from_secs(86_400));
    let names = |answer: Answer| -> Vec<String> {
        let items = answer.expect(200).json["items"].as_array().unwrap().clone();
        items.iter().map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["state"].as_str().unwrap())).collect()
    };
    let of = async |query: &str| names(hub.get("admin", &format!("{ACME}?{query}")).await);
    assert_eq!(of("sort=name").await, ["Alpha expired", "Beta revoked", "Gamma active"]);
    assert_eq!(of("sort=name&state=active,expired").await, ["Alpha expired", "Gamma active"]);
    assert_eq!(of("q=gam").await, ["Gamma active"]);
    let first = hub.get("admin", &format!("{ACME}?sort=-name&limit=2")).await.expect(200).json;
    assert_eq!((&first["items"][0]["name"], &first["total"]), (&json!("Gamma"), &json!(3)));
    let next = first["next"].as_str().unwrap();
    assert_eq!(of(&format!("sort=-name&limit=2&cursor={next}")).await, ["Alpha expired"]);
    assert_eq!(hub.get("admin", &format!("{ACME}?state=lost")).await.expect(422).wrong_fields(), ["state unknown"]);
    // Keys of another place are nobody's business here.
    let other = made(&hub, "priya", NORTHWIND, key("Sync", &["client.list"])).await.json["key"]["id"].as_str().unwrap().to_owned();
    hub.delete("admin", &format!("{ACME}/{other}")).await.expect(404);
    hub.delete("priya", &format!("{NORTHWIND}/{}", ids[2])).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn staff_who_made_a_key_are_shown_as_their_provider_shows_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    made(&hub, "priya", ACME, key("Onboarding", &["member.list"])).await;
    made(&hub, "admin", ACME, key("Own", &["member.list"])).await;
    run(&hub, "UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'", params![]).await;
    let items = hub.get("admin", &format!("{ACME}?sort=name")).await.expect(200).json["items"].clone();
    assert_eq!(items[0]["created_by"], json!({"id": null, "name": "Northwind IT"}));
    assert_eq!(items[1]["created_by"], json!({"id": person("admin"), "name": "admin"}));
    hub.send("admin", Method::PATCH, ACME, None, &[]).await.expect(405);
}
