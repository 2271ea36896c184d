//! What somebody is told of where they are, on both engines.

use kernel::clock::DAY_US;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, tenant};

const CONTEXT: &str = "/tenants/acme/context";
const SUMMARY: &str = "/tenants/acme/summary";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

/// As posture publishes it: a score since ten days ago, better since yesterday.
async fn publish(hub: &TestHub) {
    let today = START.0.div_euclid(DAY_US);
    let trend = json!([[today - 40, 5_000], [today - 10, 7_000], [today - 1, 8_126]]).to_string();
    let frameworks = json!([{"framework": "CIS", "passed": 8, "failed": 2, "score_bp": 8_000}]).to_string();
    let decisions = json!([
        {"kind": "override_expiring", "count": 1}, {"kind": "unassigned_critical", "count": 2},
        {"kind": "new_critical", "count": 3}, {"kind": "something_new", "count": 4},
    ]);
    let mut tx = hub.hub.system_write("test.set", "a summary is published").await.unwrap();
    tx.execute(
        "INSERT INTO summary (tenant_id, revision, score_bp, passed, failed, overridden, critical, high, scans, findings_open, scan_at,
             trend, frameworks, decisions, updated_at) VALUES (?1, 1, 8126, 65, 15, 3, 2, 5, 4, 20, ?2, ?3, ?4, ?5, ?2)",
        params![tenant("acme"), START.plus_days(-1), trend, frameworks, decisions.to_string()],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_context_names_the_grant_one_stands_on(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let admin = hub.get("admin", CONTEXT).await.expect(200).json;
    assert_eq!((admin["tenant"]["slug"].as_str(), admin["tenant"]["plan"].as_str()), (Some("acme"), Some("Complete")));
    assert_eq!((admin["tenant"]["state"].as_str(), admin["brand"]["name"].as_str()), (Some("active"), Some("Northwind IT")));
    assert_eq!(admin["tenant"]["modules"].as_array().unwrap().len(), 8);
    let me = &admin["me"];
    assert_eq!(
        (me["as"].as_str(), me["role"].as_str(), me["grant"]["source"].as_str()),
        (Some("member"), Some("admin"), Some("membership"))
    );
    for field in ["tier", "tier_name", "mask", "modules", "until", "provider"] {
        assert_eq!((me[field].clone(), me.get(field).is_some()), (Value::Null, true), "{field}");
    }
    let t2 = hub.get("t2", CONTEXT).await.expect(200).json["me"].clone();
    assert_eq!(
        (t2["as"].as_str(), t2["role"].as_str(), t2["grant"]["source"].as_str()),
        (Some("staff"), Some("technician"), Some("assignment"))
    );
    assert_eq!(
        (t2["tier"].as_str(), t2["tier_name"].as_str(), t2["provider"]["name"].as_str()),
        (Some("T2"), Some("Operate"), Some("Northwind IT"))
    );
    assert!(t2["grant"]["id"].as_str().unwrap().starts_with("asg_"));
    let view = hub.get("tech_view", CONTEXT).await.expect(200).json["me"].clone();
    assert_eq!(view["mask"], json!({"view": true, "create": false, "update": false, "delete": false}));
    let priya = hub.get("priya", CONTEXT).await.expect(200).json["me"].clone();
    assert_eq!((priya["tier"].as_str(), priya["grant"]["source"].as_str()), (Some("T3"), Some("relationship")));
    assert_eq!(priya["mask"], json!({"view": true, "create": true, "update": true, "delete": true}));
    // Modules of the assignment that the plan lacks are not there.
    let plain = hub.get("t3", "/tenants/plain/context").await.expect(200).json;
    assert_eq!(
        (&plain["me"]["modules"], &plain["tenant"]["modules"]),
        (&json!(["discovery", "finops"]), &json!(["discovery", "finops"]))
    );
    let birch = hub.get("priya", "/tenants/birch/context").await.expect(200).json;
    assert_eq!((birch["me"]["tier"].as_str(), birch["brand"]["name"].as_str()), (Some("T2"), Some("Harbor Services")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_context_says_what_may_be_done_and_what_it_would_take(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let can = hub.get("t1", CONTEXT).await.expect(200).json["can"].clone();
    assert_eq!(can["finding.list"], json!({"allowed": true, "why": null, "needs": null, "step_up": false}));
    assert_eq!(can["finding.assign"]["allowed"], false);
    assert!(can["finding.assign"]["needs"].as_str().unwrap().contains("T2 Operate"));
    assert!(can.get("staff.list").is_none(), "only what is done inside");
    assert_eq!(hub.get("t3", "/tenants/sable/context").await.expect(200).json["tenant"]["state"], "suspended");
    for (who, path, status) in [
        ("tech_expired", CONTEXT, 403),
        ("disabled", CONTEXT, 403),
        ("t3", "/tenants/frost/context", 403),
        ("tech_none", CONTEXT, 404),
        ("carla", CONTEXT, 404),
        ("other_admin", CONTEXT, 404),
        ("nobody", CONTEXT, 401),
    ] {
        assert_eq!(hub.get(who, path).await.status, status, "{who}");
        assert_eq!(hub.get(who, &path.replace("context", "summary")).await.status, status, "{who}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_admins_too_need_an_assignment_they_have_the_summary_without(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    publish(&hub).await;
    run(&hub, "UPDATE provider SET access_mode = 'explicit' WHERE slug = 'northwind'").await;
    let me = hub.get("priya", CONTEXT).await.expect(200).json["me"].clone();
    assert_eq!((me["tier"].as_str(), me["tier_name"].as_str(), &me["modules"]), (Some("T0"), Some("Summary"), &json!([])));
    let summary = hub.get("priya", SUMMARY).await.expect(200).json;
    assert_eq!((summary["score"].as_f64(), &summary["frameworks"], &summary["decisions"]), (Some(81.3), &json!([]), &json!([])));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_summary_is_the_last_published_with_its_trend_carried_on(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let empty = hub.get("admin", SUMMARY).await.expect(200).json;
    assert_eq!((&empty["score"], &empty["delta"], &empty["scan"]["status"]), (&Value::Null, &Value::Null, &json!("never")));
    assert_eq!(empty["trend"], json!(vec![Value::Null; 30]));
    assert_eq!(empty["decisions"][0]["kind"], "scan_never");
    publish(&hub).await;
    let summary = hub.get("admin", SUMMARY).await.expect(200).json;
    let trend: Vec<_> = summary["trend"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    assert_eq!(
        (trend.len(), trend[0], trend[18], trend[19], trend[27], trend[28], trend[29]),
        (30, 50.0, 50.0, 70.0, 70.0, 81.3, 81.3)
    );
    assert_eq!((summary["score"].as_f64(), summary["delta"].as_f64()), (Some(81.3), Some(31.3)));
    assert_eq!(summary["scan"], json!({"status": "current", "at": START.plus_days(-1), "stale_at": START.plus_days(6)}));
    for (field, count) in [("passed", 65), ("failed", 15), ("overridden", 3), ("critical", 2), ("high", 5)] {
        assert_eq!(summary[field], count, "{field}");
    }
    assert_eq!(summary["seats"], json!({"used": 4, "limit": null, "status": "unlimited"}));
    assert_eq!(summary["frameworks"], json!([{"framework": "CIS", "passed": 8, "failed": 2, "score": 80.0}]));
    let kinds: Vec<_> = summary["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["kind"].as_str().unwrap(), d["count"].as_i64().unwrap()))
        .collect();
    assert_eq!(kinds, [("override_expiring", 1), ("unassigned_critical", 2), ("new_critical", 3)]);
    assert_eq!(summary["decisions"][1]["text"], "2 critical findings have nobody assigned.");
    assert_eq!(summary["decisions"][1]["to"], "findings?severity=critical&assignee=none");
    // Time alone makes it stale, after the interval that the tenant has set.
    hub.patch("admin", "/tenants/acme/settings", 1, json!({"scan_interval_days": 1})).await.expect(200);
    let stale = hub.get("admin", SUMMARY).await.expect(200).json;
    assert_eq!(stale["scan"], json!({"status": "stale", "at": START.plus_days(-1), "stale_at": START}));
    assert_eq!(stale["decisions"][3]["text"], "The last complete scan is older than 1 day.");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn seats_are_members_that_are_not_disabled(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    run(&hub, "UPDATE tenant SET seats_max = 4 WHERE slug = 'acme'").await;
    assert_eq!(hub.get("viewer", SUMMARY).await.expect(200).json["seats"], json!({"used": 4, "limit": 4, "status": "ok"}));
    run(&hub, "UPDATE tenant SET seats_max = 1 WHERE slug = 'acme'").await;
    let over = hub.get("viewer", SUMMARY).await.expect(200).json;
    assert_eq!(over["seats"], json!({"used": 4, "limit": 1, "status": "over_limit"}));
    let decision = over["decisions"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((decision["kind"].as_str(), decision["count"].as_i64()), (Some("over_limit"), Some(3)));
    assert_eq!(decision["text"], "3 seats are used more than the 1 of the plan.");
    run(&hub, "UPDATE tenant SET seats_max = 0 WHERE slug = 'plain'").await;
    assert_eq!(
        hub.get("t3", "/tenants/plain/summary").await.expect(200).json["seats"],
        json!({"used": 0, "limit": 0, "status": "ok"})
    );
    let plain = hub.get("t3", "/tenants/plain/summary").await.expect(200).json;
    assert_eq!(plain["decisions"], json!([]), "without the module nobody waits for a scan");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn from_the_inside_a_summary_shows_what_may_be_read_there(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    publish(&hub).await;
    let settings = "/tenants/acme/settings";
    hub.patch("t3", settings, 1, json!({"scan_interval_days": 9})).await.expect(200);
    hub.patch("t2", settings, 1, json!({"scan_interval_days": 9})).await.expect(403);
    for (who, inside, acts) in [
        ("t0", false, 0),
        ("t1", true, 0),
        ("t2", true, 1),
        ("t3", true, 2),
        ("viewer", true, 0),
        ("operator", true, 0),
        ("auditor", true, 2),
    ] {
        let summary = hub.get(who, SUMMARY).await.expect(200).json;
        assert_eq!(summary["score"], 81.3, "{who}");
        assert_eq!(summary["frameworks"].as_array().unwrap().is_empty(), !inside, "{who}");
        assert_eq!(summary["decisions"].as_array().unwrap().is_empty(), !inside, "{who}");
        assert_eq!(summary["recent"].as_array().unwrap().len(), acts, "{who}");
    }
    let recent = hub.get("admin", SUMMARY).await.expect(200).json["recent"].clone();
    assert_eq!((recent[0]["actor"]["name"].as_str(), recent[0]["text"].as_str()), (Some("t2"), Some("(refused)")));
    assert_eq!((recent[1]["action"].as_str(), recent[1]["text"].as_str()), (Some("setting.update"), Some("Acme Dental Group")));
    run(&hub, "UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'").await;
    let recent = hub.get("admin", SUMMARY).await.expect(200).json["recent"].clone();
    assert_eq!(recent[0]["actor"], json!({"id": null, "name": "Northwind IT technician", "kind": "person"}));
    for version in 2..12 {
        hub.patch("admin", settings, version, json!({"scan_interval_days": 8})).await.expect(200);
    }
    assert_eq!(hub.get("admin", SUMMARY).await.expect(200).json["recent"].as_array().unwrap().len(), 10);
}
