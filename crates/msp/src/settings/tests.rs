//! The rules of a tenant's settings, on both engines.

mod effects;
mod layers;
mod modes;

use axum::http::Method;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub};

const HERE: &str = "/tenants/acme/settings";

/// Changes rows behind everybody's back.
async fn run(hub: &TestHub, sql: &str, params: &[kernel::store::Value]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.expect("a write");
    tx.execute(sql, params).await.expect("good SQL");
    tx.commit().await.expect("committed");
}

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn settings_change_with_the_version_that_was_read(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let first = hub.get("admin", HERE).await.expect(200);
    let mut plain = first.json.clone();
    let settings = plain.as_object_mut().and_then(|all| all.remove("settings")).expect("what else it decides");
    assert_eq!(
        plain,
        json!({"scan_interval_days": 7, "comments_from_t1": false, "staff_may_name_admins": false, "staff_shown": "by_name", "version": 1})
    );
    let keys: Vec<_> = settings.as_array().expect("a list").iter().map(|one| one["key"].as_str().expect("a key")).collect();
    assert_eq!(keys[..2], ["switch_policy", "password.length_min"]);
    assert_eq!(first.version(), 1);
    let body = json!({"scan_interval_days": 14});
    hub.send("admin", Method::PATCH, HERE, Some(body.clone()), &[]).await.expect(428);
    hub.patch("admin", HERE, 2, body.clone()).await.expect(412);
    let changed = hub.patch("admin", HERE, 1, body.clone()).await.expect(200);
    assert_eq!((changed.version(), changed.json["scan_interval_days"].as_i64()), (2, Some(14)));
    assert_eq!(changed.json["comments_from_t1"], false);
    hub.patch("admin", HERE, 1, body).await.expect(412);
    assert_eq!(hub.get("auditor", HERE).await.expect(200).json, changed.json);
    let done: Vec<_> = hub.tenant_ledger("acme").await.into_iter().filter(|e| e["outcome"] == "done").collect();
    assert_eq!((done.len(), done[0]["action"].as_str()), (1, Some("setting.update")));
    assert_eq!(done[0]["changes"][0]["before"]["scan_interval_days"], 7);
    assert_eq!(done[0]["changes"][0]["after"]["scan_interval_days"], 14);
    assert!(hub.tenant_ledger("zeta").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn that_t1_may_comment_holds_from_the_next_request_on(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let may = async || hub.get("t1", "/tenants/acme/context").await.expect(200).json["can"]["comment.create"]["allowed"].clone();
    assert_eq!(may().await, false);
    hub.patch("t3", HERE, 1, json!({"comments_from_t1": true})).await.expect(200);
    assert_eq!(may().await, true);
    hub.patch("admin", HERE, 2, json!({"comments_from_t1": false})).await.expect(200);
    assert_eq!(may().await, false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_interval_is_one_to_ninety_days(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for days in [0, 91, -1, i64::MAX] {
        let wrong = hub.patch("admin", HERE, 1, json!({"scan_interval_days": days})).await.expect(422);
        assert_eq!(wrong.wrong_fields(), ["scan_interval_days out_of_range"]);
    }
    for (body, field) in [
        (json!({"scan_interval_days": "7"}), "scan_interval_days wrong_type"),
        (json!({"comments_from_t1": 1}), "comments_from_t1 wrong_type"),
    ] {
        assert_eq!(hub.patch("admin", HERE, 1, body).await.expect(422).wrong_fields(), [field]);
    }
    for (version, days) in [(1, 1), (2, 90)] {
        hub.patch("admin", HERE, version, json!({"scan_interval_days": days})).await.expect(200);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_admins_and_t3_change_settings(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let cases = [
        ("viewer", 403, 403),
        ("operator", 403, 403),
        ("auditor", 200, 403),
        ("t0", 403, 403),
        ("t1", 403, 403),
        ("t2", 403, 403),
        ("tech_view", 200, 403),
        ("tech_expired", 403, 403),
        ("tech_none", 404, 404),
        ("carla", 404, 404),
        ("other_admin", 404, 404),
        ("nobody", 401, 401),
    ];
    for (who, see, change) in cases {
        assert_eq!(hub.get(who, HERE).await.status, see, "{who}");
        assert_eq!(hub.patch(who, HERE, 1, json!({"scan_interval_days": 9})).await.status, change, "{who}");
    }
    assert_eq!(hub.get("priya", HERE).await.expect(200).version(), 1);
    // While suspended they are seen, not changed.
    hub.get("t3", "/tenants/sable/settings").await.expect(200);
    hub.patch("t3", "/tenants/sable/settings", 1, json!({"scan_interval_days": 9})).await.expect(403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whether_staff_may_name_admins_is_for_admins_to_say(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for who in ["t3", "priya"] {
        hub.patch(who, HERE, 1, json!({"staff_may_name_admins": true})).await.expect(403);
    }
    let changed = hub.patch("admin", HERE, 1, json!({"staff_may_name_admins": true})).await.expect(200);
    assert_eq!(changed.json["staff_may_name_admins"], true);
    // What stays as it is asks for nothing more.
    hub.patch("t3", HERE, 2, json!({"staff_may_name_admins": true, "scan_interval_days": 9})).await.expect(200);
}
