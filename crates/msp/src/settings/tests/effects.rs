//! Settings of this crate do what they say: staff prove themselves when they enter, tenants are made or not, relationships begin as decided.

use std::time::Duration;

use kernel::params;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, person};

use super::layers::{decide, decide_for_acme};
use super::{HERE, run, start};

const CONTEXT: &str = "/tenants/acme/context";

/// As if somebody had just proved themselves (`stepped_up_at`), or given their password (`password_at`).
async fn proves(hub: &TestHub, who: &str, column: &str) {
    let sql = format!("UPDATE session SET {column} = ?2 WHERE person_id = ?1");
    run(hub, &sql, params![person(who), hub.hub.now()]).await;
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[rstest]
#[case("step_up", "stepped_up_at", "step_up_required", "stop.switch_step_up")]
#[case("reauth", "password_at", "reauth_required", "stop.switch_reauth")]
#[tokio::test(flavor = "multi_thread")]
async fn staff_prove_themselves_when_they_enter_and_stay_for_hours(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[case] policy: &str,
    #[case] proof: &str,
    #[case] code: &str,
    #[case] named: &str,
) {
    let hub = start(engine).await;
    hub.get("t3", CONTEXT).await.expect(200);
    decide_for_acme(&hub, json!({ "switch_policy": policy })).await.expect(200);
    for who in ["t3", "priya"] {
        let refused = hub.get(who, CONTEXT).await.expect(403);
        assert_eq!((refused.code(), refused.json["policy"].as_str()), (code, Some(named)), "{who}");
    }
    assert_eq!(hub.patch("t3", HERE, 2, json!({"scan_interval_days": 9})).await.expect(403).code(), code);
    // Who may not do it with a proof either is told so; who may not know of it is told nothing.
    assert_eq!(hub.patch("t1", HERE, 2, json!({"scan_interval_days": 9})).await.expect(403).code(), "forbidden");
    hub.get("tech_none", CONTEXT).await.expect(404);
    // Members, and other tenants, are not concerned.
    hub.get("admin", CONTEXT).await.expect(200);
    hub.get("t3", "/tenants/plain/context").await.expect(200);
    proves(&hub, "t3", proof).await;
    hub.get("t3", CONTEXT).await.expect(200);
    hub.advance(minutes(7 * 60 + 59));
    hub.get("t3", CONTEXT).await.expect(200);
    hub.advance(minutes(1));
    assert_eq!(hub.get("t3", CONTEXT).await.expect(403).code(), code, "eight hours after the entry it is over");
    proves(&hub, "priya", proof).await;
    hub.advance(minutes(10));
    hub.get("priya", CONTEXT).await.expect(403);
    let refused = hub.tenant_ledger("acme").await;
    let refused: Vec<_> = refused.iter().filter(|entry| entry["policy"] == named).collect();
    assert_eq!((refused.len(), refused[0]["outcome"].as_str(), refused[0]["code"].as_str()), (1, Some("refused"), Some(code)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_of_one_session_one_tenant_and_one_policy(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    decide(&hub, json!({"switch_policy": "step_up"})).await.expect(200);
    proves(&hub, "t3", "stepped_up_at").await;
    hub.get("t3", CONTEXT).await.expect(200);
    hub.advance(minutes(11));
    hub.get("t3", CONTEXT).await.expect(200);
    assert_eq!(
        hub.get("t3", "/tenants/plain/context").await.expect(403).code(),
        "step_up_required",
        "the provider asks it of all its staff"
    );
    decide_for_acme(&hub, json!({"switch_policy": "reauth"})).await.expect(200);
    assert_eq!(hub.get("t3", CONTEXT).await.expect(403).code(), "reauth_required");
    // Only the tenant's own people say what staff prove.
    proves(&hub, "t3", "password_at").await;
    let version = hub.get("t3", HERE).await.expect(200).version();
    hub.patch("t3", HERE, version, json!({"settings": {"switch_policy": "reauth"}})).await.expect(403);
    hub.patch("t3", HERE, version, json!({"settings": {"password.history": 3}})).await.expect(200);
    let laxer = decide_for_acme(&hub, json!({"switch_policy": "seamless"})).await.expect(422);
    assert_eq!(laxer.wrong_fields(), ["settings.switch_policy laxer"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn relationships_begin_as_their_provider_decided(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let make = async |slug: &str| {
        let body = json!({"slug": slug, "name": slug, "plan": "Complete"});
        hub.post("priya", "/providers/northwind/tenants", body).await.expect(201).json["relationship"]["raise_by"].clone()
    };
    assert_eq!(make("first").await, "tenant_consent");
    decide(&hub, json!({"raise_by": "operator"})).await.expect(200);
    assert_eq!(make("second").await, "operator");
    let old = hub.get("priya", "/providers/northwind/tenants/first").await.expect(200);
    assert_eq!(old.json["relationship"]["raise_by"], "tenant_consent", "those that stand keep theirs");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_client_comes_as_its_provider_decided(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let archived = async |tenant: &str| {
        let path = format!("/providers/northwind/tenants/{tenant}/archive");
        hub.post("priya", &path, json!({"reason": "they left us"})).await.expect(200).json["purge_after"].clone()
    };
    decide(&hub, json!({"archive_days": 90})).await.expect(200);
    assert_eq!(archived("plain").await, hub.hub.now().plus_days(90).to_string());
    decide(&hub, json!({"immediate_purge": true})).await.expect(200);
    assert_eq!(archived("sable").await, hub.hub.now().to_string());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn limits_are_enforced_as_the_provider_decided(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let way = async |limit: &str| {
        let page = hub.get("priya", "/providers/northwind/licensing?q=acme").await.expect(200);
        let limit = page.json["items"][0]["limits"][limit].clone();
        (limit["enforcement"].clone(), limit["also_blocks"].clone())
    };
    assert_eq!(way("seats").await, (json!("inform"), json!([])));
    decide(&hub, json!({"enforcement.seats": "block_new", "also_blocks.seats": "automations,api_keys"})).await.expect(200);
    assert_eq!(way("seats").await, (json!("block_new"), json!(["automations", "api_keys"])));
    assert_eq!(way("automations").await, (json!("block_new"), json!([])));
    decide(&hub, json!({"enforcement.seats": null})).await.expect(200);
    assert_eq!(way("seats").await, (json!("inform"), json!(["automations", "api_keys"])));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn brands_are_as_free_as_the_provider_lets_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    decide(&hub, json!({"tenant_branding": "locked"})).await.expect(200);
    assert_eq!(hub.get("admin", "/tenants/acme/brand").await.expect(200).json["locked"], true);
    // Those below are no freer, and see that they are not.
    let below = hub.get("harriet", "/providers/harbor/settings").await.expect(200);
    let branding = super::layers::setting(&below, "tenant_branding");
    assert_eq!((&branding["value"], &branding["locked_by"]), (&json!("locked"), &json!("Northwind IT")));
    decide(&hub, json!({"tenant_branding": null})).await.expect(200);
    assert_eq!(hub.get("admin", "/tenants/acme/brand").await.expect(200).json["locked"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn clients_have_addresses_of_their_own_or_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.hub.provide(crate::branding::BaseDomain("hub.example".into()));
    let addresses = async || {
        let names = hub.get("priya", "/providers/northwind/host-names").await.expect(200).json["items"].clone();
        names.as_array().expect("a list").iter().filter(|name| name["kind"] == "address").count()
    };
    assert_eq!(addresses().await, 4);
    decide(&hub, json!({"address_subdomains": false})).await.expect(200);
    assert_eq!(addresses().await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_made_by_whom_the_provider_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let body = json!({"slug": "newcomer", "name": "Newcomer", "plan": "Complete"});
    for (creation, words) in [("off", "switched off"), ("operator", "operator")] {
        decide(&hub, json!({ "tenant_creation": creation })).await.expect(200);
        let refused = hub.post("priya", "/providers/northwind/tenants", body.clone()).await.expect(409);
        assert!(refused.json["detail"].as_str().is_some_and(|text| text.contains(words)), "{refused:?}");
    }
    // Until here it is for the operator.
    let asked = crate::tenants::OperatorTenant {
        provider: "northwind".into(),
        slug: "machine-made".into(),
        name: "Machine made".into(),
        plan: "Complete".into(),
        tier: None,
        reason: "asked for in a letter".into(),
    };
    crate::tenants::create_as_operator(&hub.hub, &asked).await.expect("made");
    let seen = hub.get("priya", "/providers/northwind/tenants/machine-made").await.expect(200);
    assert_eq!(seen.json["relationship"]["tier"], "T2");
    let ledger = hub.control_ledger().await;
    let entry = ledger.iter().rfind(|entry| entry["action"] == "tenant.create" && entry["outcome"] == "done").expect("an entry");
    assert_eq!((entry["reason"].as_str(), entry["actor"]["kind"].as_str()), (Some("asked for in a letter"), Some("system")));
    decide(&hub, json!({"tenant_creation": null})).await.expect(200);
    hub.post("priya", "/providers/northwind/tenants", body).await.expect(201);
}
