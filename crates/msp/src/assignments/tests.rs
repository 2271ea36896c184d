//! The rules of assignments, on both engines.

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub};

const HERE: &str = "/providers/northwind/assignments";
const UNKNOWN: &str = "asg_01999999999970009999999999999999";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn staff(hub: &TestHub, who: &str, provider: &str, name: &str) -> String {
    let page = hub.get(who, &format!("/providers/{provider}/staff?q={name}@cast.example")).await.expect(200);
    page.json["items"][0]["id"].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

fn full(staff: &str, tenant: &str, tier: &str) -> Value {
    let mask = json!({"view": true, "create": true, "update": true, "delete": true});
    json!({"staff": staff, "tenant": tenant, "tier": tier, "mask": mask, "modules": ["compliance", "finops"]})
}

async fn one(hub: &TestHub, name: &str, tenant: &str) -> Value {
    hub.get("priya", &format!("{HERE}?q={name}&tenant={tenant}")).await.expect(200).json["items"][0].clone()
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_lets_somebody_in_with_exactly_that_power(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let none = staff(&hub, "priya", "northwind", "tech_none").await;
    hub.get("tech_none", "/tenants/acme/context").await.expect(404);
    let ends_at = START.plus_days(30).to_string();
    let mut body = full(&none, "acme", "T2");
    body["mask"] = json!({"view": true, "create": false, "update": true, "delete": false});
    body["ends_at"] = json!(ends_at);
    let created = hub.post("priya", HERE, body).await.expect(201);
    assert_eq!(created.version(), 1);
    let a = &created.json;
    assert_eq!((a["staff"]["name"].as_str(), a["tenant"]["slug"].as_str()), (Some("tech_none"), Some("acme")));
    assert_eq!((a["tier"].as_str(), a["effective_tier"].as_str(), a["live"].as_bool()), (Some("T2"), Some("T2"), Some(true)));
    assert_eq!(a["modules"], json!(["finops", "compliance"]));
    assert_eq!(a["ends_at"], ends_at);
    let me = hub.get("tech_none", "/tenants/acme/context").await.expect(200).json["me"].clone();
    assert_eq!((me["tier"].as_str(), me["tier_name"].as_str()), (Some("T2"), Some("Operate")));
    assert_eq!(me["mask"], json!({"view": true, "create": false, "update": true, "delete": false}));
    assert_eq!((&me["modules"], &me["until"]), (&json!(["finops", "compliance"]), &json!(ends_at)));
    // The tenant reads of it in its own ledger, and so does the provider.
    let entry = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (entry["action"].as_str(), entry["as"]["provider"]["name"].as_str()),
        (Some("assignment.create"), Some("Northwind IT"))
    );
    assert_eq!(entry["changes"][0]["after"]["tier"], "T2");
    assert_eq!(entry["tenant"], testkit::tenant("acme").to_string());
    let theirs = hub.get("priya", "/providers/northwind/ledger?tenant=acme&action=assignment.").await.expect(200).json;
    assert_eq!((theirs["total"].as_i64(), &theirs["items"][0]["id"]), (Some(1), &entry["id"]));
    let again = hub.post("priya", HERE, full(&none, &testkit::tenant("acme").to_string(), "T1")).await.expect(409);
    assert!(again.json["detail"].as_str().unwrap().contains("tech_none is assigned to Acme Dental Group already"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_tier_is_at_most_what_the_relationship_gives_up_the_chain(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let none = staff(&hub, "priya", "northwind", "tech_none").await;
    // Northwind's own relationship with Birch is T2.
    let above = hub.post("priya", HERE, full(&none, "birch", "T3")).await.expect(422);
    assert_eq!(above.wrong_fields(), ["tier above_ceiling"]);
    assert!(above.json["errors"][0]["message"].as_str().unwrap().contains("T2 Operate"));
    let birch = hub.post("priya", HERE, full(&none, "birch", "T2")).await.expect(201).json;
    // Harbor has T3, but Northwind above it has T2.
    let harriet = staff(&hub, "harriet", "harbor", "harriet").await;
    run(
        &hub,
        "INSERT INTO staff (id, provider_id, person_id, role, state, created_at)
         SELECT p.id, v.id, p.id, 'technician', 'active', 0 FROM person p, provider v WHERE p.name = 'tech_none' AND v.slug = 'harbor'",
    )
    .await;
    let theirs = staff(&hub, "harriet", "harbor", "tech_none").await;
    let above = hub.post("harriet", "/providers/harbor/assignments", full(&theirs, "birch", "T3")).await.expect(422);
    assert!(above.json["errors"][0]["message"].as_str().unwrap().contains("T2 Operate"));
    let made = hub.post("harriet", "/providers/harbor/assignments", full(&theirs, "birch", "T2")).await.expect(201).json;
    assert_eq!((made["effective_tier"].as_str(), made["live"].as_bool()), (Some("T2"), Some(true)));
    assert_ne!(harriet, theirs);
    // A relationship that is lowered lowers what is stored, in effect only; above too.
    run(
        &hub,
        "UPDATE relationship SET tier = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'birch')
         AND provider_id = (SELECT id FROM provider WHERE slug = 'northwind')",
    )
    .await;
    let now = one(&hub, "tech_none", "birch").await;
    assert_eq!((now["tier"].as_str(), now["effective_tier"].as_str(), now["live"].as_bool()), (Some("T2"), Some("T1"), Some(true)));
    let path = format!("{HERE}/{}", birch["id"].as_str().unwrap());
    assert_eq!(hub.patch("priya", &path, 1, json!({"tier": "T2"})).await.expect(422).wrong_fields(), ["tier above_ceiling"]);
    // What leaves the tier alone goes through.
    hub.patch("priya", &path, 1, json!({"modules": []})).await.expect(200);
    let theirs = hub.get("harriet", "/providers/harbor/assignments").await.expect(200).json;
    assert_eq!(theirs["items"][0]["effective_tier"], "T1");
    run(&hub, "UPDATE provider SET ceiling = 0 WHERE slug = 'harbor'").await;
    let theirs = hub.get("harriet", "/providers/harbor/assignments").await.expect(200).json;
    assert_eq!((theirs["items"][0]["effective_tier"].as_str(), theirs["items"][0]["live"].as_bool()), (Some("T0"), Some(true)));
    run(&hub, "UPDATE provider SET state = 'suspended' WHERE slug = 'northwind'").await;
    let theirs = hub.get("harriet", "/providers/harbor/assignments").await.expect(200).json;
    assert_eq!(theirs["items"][0]["live"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_frozen_or_of_somebody_disabled_is_not_live(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!(one(&hub, "t3", "acme").await["live"], true);
    assert_eq!(one(&hub, "tech_expired", "acme").await["live"], false);
    assert_eq!(one(&hub, "t3", "frost").await["live"], false);
    let t3 = staff(&hub, "priya", "northwind", "t3").await;
    hub.post("priya", &format!("/providers/northwind/staff/{t3}/disable"), json!({})).await.expect(200);
    assert_eq!(one(&hub, "t3", "acme").await["live"], false);
    run(&hub, "UPDATE person SET state = 'disabled' WHERE name = 't2'").await;
    assert_eq!(one(&hub, "t2", "acme").await["live"], false);
    run(&hub, "UPDATE relationship SET ends_at = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')").await;
    assert_eq!(one(&hub, "t1", "acme").await["live"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_said(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let none = staff(&hub, "priya", "northwind", "tech_none").await;
    let carla = staff(&hub, "carla", "contoso", "carla").await;
    let wrong = |change: fn(&mut Value)| {
        let mut body = full(&none, "acme", "T2");
        change(&mut body);
        let hub = &hub;
        async move { hub.post("priya", HERE, body).await.expect(422).wrong_fields() }
    };
    assert_eq!(wrong(|b| b["tier"] = json!("T4")).await, ["tier wrong_type"]);
    assert_eq!(wrong(|b| b["modules"] = json!(["compliance", "coffee"])).await, ["modules[1] wrong_type"]);
    assert_eq!(wrong(|b| drop(b.as_object_mut().unwrap().remove("modules"))).await, ["modules missing"]);
    assert_eq!(wrong(|b| drop(b["mask"].as_object_mut().unwrap().remove("view"))).await, ["mask.view missing"]);
    assert_eq!(wrong(|b| b["mask"]["own"] = json!(true)).await, ["mask.own wrong_type"]);
    assert_eq!(wrong(|b| b["ends_at"] = json!("tomorrow")).await, ["ends_at wrong_type"]);
    assert_eq!(wrong(|b| b["ends_at"] = json!(START)).await, ["ends_at in_the_past"]);
    assert_eq!(wrong(|b| b["ends_at"] = json!("2096-01-01T00:00:00Z")).await, ["ends_at too_far"]);
    assert_eq!(wrong(|b| b["tenant"] = json!("nowhere")).await, ["tenant unknown"]);
    assert_eq!(wrong(|b| b["staff"] = json!("t2")).await, ["staff wrong_type"]);
    let all = wrong(|b| {
        b["staff"] = json!("stf_01999999999970009999999999999999");
        b["tenant"] = json!("");
        b["ends_at"] = json!(START);
    });
    assert_eq!(all.await, ["staff unknown", "tenant unknown", "ends_at in_the_past"]);
    // Another provider's people and tenants are as unknown as what does not exist.
    let foreign = hub.post("priya", HERE, full(&carla, "zeta", "T1")).await.expect(422);
    let unknown = hub.post("priya", HERE, full("stf_01999999999970009999999999999999", "nowhere", "T1")).await.expect(422);
    assert_eq!(foreign.bytes, unknown.bytes);
    let by_id = hub.post("priya", HERE, full(&none, &testkit::tenant("zeta").to_string(), "T1")).await.expect(422);
    assert_eq!(by_id.wrong_fields(), ["tenant unknown"]);
    // No modules is allowed, and is none.
    let mut body = full(&none, "acme", "T2");
    body["modules"] = json!([]);
    assert_eq!(hub.post("priya", HERE, body).await.expect(201).json["modules"], json!([]));
    let can = hub.get("tech_none", "/tenants/acme/context").await.expect(200).json["can"].clone();
    assert_eq!(can["finding.list"]["allowed"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_takes_effect_at_once_and_needs_the_version(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let before = one(&hub, "t1", "acme").await;
    let path = format!("{HERE}/{}", before["id"].as_str().unwrap());
    let body = json!({"tier": "T3", "ends_at": START.plus_days(2), "mask": {"view": true, "create": false, "update": false, "delete": false}});
    hub.send("priya", Method::PATCH, &path, Some(body.clone()), &[]).await.expect(428);
    hub.patch("priya", &path, 9, body.clone()).await.expect(412);
    let after = hub.patch("priya", &path, 1, body.clone()).await.expect(200);
    assert_eq!((after.version(), after.json["tier"].as_str()), (2, Some("T3")));
    assert_eq!(after.json["modules"], before["modules"]);
    hub.patch("priya", &path, 1, body).await.expect(412);
    let me = hub.get("t1", "/tenants/acme/context").await.expect(200).json["me"].clone();
    assert_eq!((me["tier"].as_str(), &me["until"]), (Some("T3"), &json!(START.plus_days(2))));
    let cleared = hub.patch("priya", &path, 2, json!({"ends_at": null})).await.expect(200).json;
    assert_eq!((&cleared["ends_at"], cleared["tier"].as_str()), (&Value::Null, Some("T3")));
    assert_eq!(hub.patch("priya", &path, 3, json!({"ends_at": START})).await.expect(422).wrong_fields(), ["ends_at in_the_past"]);
    let entries: Vec<_> = hub.tenant_ledger("acme").await.into_iter().filter(|e| e["outcome"] == "done").collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (&entries[0]["changes"][0]["before"]["tier"], &entries[0]["changes"][0]["after"]["tier"]),
        (&json!("T1"), &json!("T3"))
    );
    hub.delete("priya", &path).await.expect(204);
    hub.delete("priya", &path).await.expect(404);
    hub.get("t1", "/tenants/acme/context").await.expect(404);
    let last = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!((last["action"].as_str(), &last["changes"][0]["after"]), (Some("assignment.delete"), &Value::Null));
    assert!(hub.tenant_ledger("plain").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sets_their_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let t2 = staff(&hub, "priya", "northwind", "t2").await;
    let promoted = format!("/providers/northwind/staff/{t2}");
    hub.patch("priya", &promoted, 1, json!({"role": "provider_admin"})).await.expect(200);
    let own = format!("{HERE}/{}", one(&hub, "t2", "acme").await["id"].as_str().unwrap());
    let refusals = [
        hub.post("t2", HERE, full(&t2, "plain", "T1")).await,
        hub.post("t2", HERE, full(&t2, "nowhere", "T1")).await,
        hub.patch("t2", &own, 1, json!({"tier": "T3"})).await,
        hub.delete("t2", &own).await,
    ];
    for refused in refusals {
        assert_eq!(refused.expect(403).json["policy"], "stop.own_assignment");
    }
    hub.patch("priya", &own, 1, json!({"tier": "T3"})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_assign_the_same_at_once_one_is_told_of_the_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = std::sync::Arc::new(start(engine).await);
    let none = staff(&hub, "priya", "northwind", "tech_none").await;
    let mut tries = Vec::new();
    for _ in 0..4 {
        let (hub, body) = (hub.clone(), full(&none, "acme", "T1"));
        tries.push(tokio::spawn(async move { hub.post("priya", HERE, body).await.status }));
    }
    let mut statuses = Vec::new();
    for one in tries {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_list_answers_search_filters_order_and_pages(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let t3 = staff(&hub, "priya", "northwind", "t3").await;
    for (query, total) in [
        ("", 9),
        ("tenant=acme", 6),
        (&format!("tenant={}", testkit::tenant("acme")), 6),
        (&format!("staff={t3}"), 4),
        (&format!("staff={t3}&tenant=plain"), 1),
        ("q=FROST", 1),
        ("tenant=zeta", 0),
        ("staff=stf_01999999999970009999999999999999", 0),
    ] {
        assert_eq!(hub.get("priya", &format!("{HERE}?{query}")).await.expect(200).json["total"], total, "{query}");
    }
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = hub.get("priya", &format!("{HERE}?sort=-staff&limit=4{next}")).await.expect(200).json;
        seen.extend(page["items"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(seen.len(), 9);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 9);
    for (query, wrong) in [
        ("staff=t3", "staff wrong_type"),
        ("sort=tier", "sort unknown"),
        ("limit=500", "limit out_of_range"),
        ("cursor=x", "cursor unknown"),
    ] {
        assert_eq!(hub.get("priya", &format!("{HERE}?{query}")).await.expect(422).wrong_fields(), [wrong]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn technicians_do_none_of_this_and_other_providers_find_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let none = staff(&hub, "priya", "northwind", "tech_none").await;
    let path = format!("{HERE}/{}", one(&hub, "t2", "acme").await["id"].as_str().unwrap());
    for (who, status) in [("t3", 403), ("t2", 403), ("carla", 404), ("harriet", 404), ("admin", 404), ("nobody", 401)] {
        let answers = [
            hub.get(who, HERE).await,
            hub.post(who, HERE, full(&none, "acme", "T1")).await,
            hub.patch(who, &path, 1, json!({"tier": "T3"})).await,
            hub.delete(who, &path).await,
        ];
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.status, status, "{who} at {n}");
        }
    }
    let theirs = path.replace("northwind", "contoso");
    let unknown = format!("/providers/contoso/assignments/{UNKNOWN}");
    let body = json!({"tier": "T0"});
    let pairs = [
        (hub.delete("carla", &theirs).await, hub.delete("carla", &unknown).await),
        (hub.patch("carla", &theirs, 1, body.clone()).await, hub.patch("carla", &unknown, 1, body).await),
    ];
    for (foreign, unknown) in pairs {
        assert_eq!(foreign.expect(404).bytes, unknown.expect(404).bytes);
    }
    assert_eq!(one(&hub, "t2", "acme").await["version"], 1);
}
