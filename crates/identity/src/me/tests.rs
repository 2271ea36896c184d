use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, person};

use crate::stage::{entries, hub, run};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_sees_oneself_and_where_one_may_go(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let priya = hub.get("priya", "/me").await.expect(200);
    assert_eq!(priya.json["person"]["id"], person("priya").to_string());
    assert_eq!(priya.json["person"]["preferences"], json!({"pinned": [], "scheme": "auto", "dismissed": []}));
    assert_eq!(priya.json["person"]["second_factor"], false);
    assert_eq!(priya.json["person"]["recovery_codes_left"], 0);
    assert_eq!(priya.json["providers"][0]["slug"], "northwind");
    assert_eq!(priya.json["providers"][0]["role"], "provider_admin");
    assert_eq!(priya.json["providers"][0]["client_count"], 5);
    assert_eq!(priya.json["tenants"], json!([]));
    assert_eq!(priya.json["session"]["second_factor_at"], json!(null));
    assert_eq!(priya.version(), 1);
    for (who, clients) in [("t3", 4), ("t0", 1), ("tech_none", 0), ("tech_expired", 0), ("harriet", 1)] {
        assert_eq!(hub.get(who, "/me").await.expect(200).json["providers"][0]["client_count"], clients, "{who}");
    }
    let viewer = hub.get("viewer", "/me").await.expect(200);
    assert_eq!(viewer.json["providers"], json!([]));
    assert_eq!(viewer.json["tenants"][0]["role"], "viewer");
    assert_eq!(viewer.json["tenants"][0]["name"], "Acme Dental Group");
    assert_eq!(hub.get("disabled", "/me").await.expect(200).json["tenants"], json!([]));
    assert_eq!(hub.get("nobody", "/me").await.expect(401).code(), "not_signed_in");
    run(&hub, "UPDATE tenant SET state = 'archived' WHERE slug = 'acme'", params![]).await;
    assert_eq!(hub.get("viewer", "/me").await.expect(200).json["tenants"], json!([]));
    assert_eq!(hub.get("t0", "/me").await.expect(200).json["providers"][0]["client_count"], 1);
    run(&hub, "UPDATE tenant SET state = 'purged' WHERE slug = 'acme'", params![]).await;
    assert_eq!(hub.get("t0", "/me").await.expect(200).json["providers"][0]["client_count"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_changes_ones_name_language_and_preferences(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let patch = |body| hub.send("viewer", Method::PATCH, "/me", Some(body), &[]);
    let me = patch(json!({"name": "  Vera Viewer ", "locale": "de"})).await.expect(200);
    assert_eq!(me.json["person"]["name"], "Vera Viewer");
    assert_eq!(me.json["person"]["locale"], "de");
    assert_eq!(me.version(), 2);
    let me = patch(json!({"preferences": {"pinned": ["acme", "zeta", "acme"], "scheme": "dark"}})).await.expect(200);
    assert_eq!(me.json["person"]["preferences"], json!({"pinned": ["acme", "zeta"], "scheme": "dark", "dismissed": []}));
    assert_eq!(me.json["person"]["name"], "Vera Viewer");
    assert_eq!(hub.get("viewer", "/me").await.json["person"], me.json["person"]);
    let ledger = hub.control_ledger().await;
    assert_eq!(entries(&ledger, "me.update"), ["viewer done -", "Vera Viewer done -"]);
    assert_eq!(ledger.last().unwrap()["changes"][0]["after"]["preferences"]["scheme"], "dark");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_preferences_are_said_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let many: Vec<_> = (0..51).map(|n| format!("tenant-{n}")).collect();
    for (body, wrong) in [
        (
            json!({"name": " ", "preferences": {"pinned": ["ok", "Not A Slug"]}}),
            vec!["name too_short", "preferences.pinned[1] not_a_slug"],
        ),
        (json!({"name": "two\nlines"}), vec!["name control_characters"]),
        (json!({"name": "x".repeat(101)}), vec!["name too_long"]),
        (json!({"locale": "fr"}), vec!["locale wrong_type"]),
        (json!({"preferences": {"scheme": "neon"}}), vec!["preferences.scheme wrong_type"]),
        (json!({"preferences": {"pinned": many}}), vec!["preferences.pinned too_many"]),
    ] {
        assert_eq!(hub.send("viewer", Method::PATCH, "/me", Some(body), &[]).await.expect(422).wrong_fields(), wrong);
    }
    assert_eq!(hub.get("viewer", "/me").await.version(), 1);
}
