//! The rules of changes to many tenants, on both engines.

use std::collections::BTreeMap;

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person};

const HERE: &str = "/providers/northwind/fleet-changes";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

async fn draft(hub: &TestHub, who: &str, body: Value) -> String {
    hub.post(who, HERE, body).await.expect(201).json["id"].as_str().unwrap().to_owned()
}

fn change(kind: &str, what: Value, tenants: &[&str]) -> Value {
    json!({"kind": kind, "what": what, "over": {"tenants": tenants}, "reason": "the yearly tidying up"})
}

/// Approves as priya, works it off, and answers the change as it is then.
async fn apply(hub: &TestHub, id: &str) -> Value {
    hub.post("priya", &format!("{HERE}/{id}/approve"), json!({})).await.expect(200);
    work(hub).await;
    see(hub, id).await
}

async fn work(hub: &TestHub) {
    while super::run_next(&hub.hub).await.unwrap() {}
}

async fn see(hub: &TestHub, id: &str) -> Value {
    hub.get("priya", &format!("{HERE}/{id}?limit=200")).await.expect(200).json
}

/// The state of each tenant of a change.
fn states(view: &Value) -> BTreeMap<&str, &str> {
    let items = view["items"]["items"].as_array().unwrap().iter();
    items.map(|item| (item["tenant"]["slug"].as_str().unwrap(), item["state"].as_str().unwrap())).collect()
}

fn line<'a>(view: &'a Value, slug: &str) -> &'a Value {
    view["items"]["items"].as_array().unwrap().iter().find(|item| item["tenant"]["slug"] == slug).unwrap()
}

async fn plan(hub: &TestHub, slug: &str) -> String {
    let tenant = hub.get("priya", &format!("/providers/northwind/tenants/{slug}")).await.expect(200).json;
    tenant["plan"]["name"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_drafted_approved_applied_and_undone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let body = change("plan", json!({"plan": "Basic"}), &["acme", "frost", "plain"]);
    let id = draft(&hub, "priya", body).await;
    let view = see(&hub, &id).await;
    assert_eq!((&view["state"], &view["progress"]["total"], &view["progress"]["skipped"]), (&json!("draft"), &json!(3), &json!(1)));
    assert_eq!(line(&view, "acme")["before"]["plan"]["name"], "Complete");
    assert_eq!(line(&view, "plain")["detail"], "Nothing would change here.");
    assert_eq!((&view["can"]["approve"]["allowed"], &view["can"]["undo"]["allowed"]), (&json!(true), &json!(false)));
    work(&hub).await;
    assert_eq!(plan(&hub, "acme").await, "Complete", "a draft does nothing");
    let done = apply(&hub, &id).await;
    assert_eq!(
        (&done["state"], &done["progress"]["done"], &done["approved_by"]["name"]),
        (&json!("done"), &json!(2), &json!("priya"))
    );
    assert_eq!(states(&done), BTreeMap::from([("acme", "done"), ("frost", "done"), ("plain", "skipped")]));
    assert_eq!((plan(&hub, "acme").await, plan(&hub, "frost").await), ("Basic".into(), "Basic".into()));
    // Each is an act of its own, of who approved it, for this reason, in both ledgers.
    let told = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (&told["action"], &told["actor"]["name"], &told["reason"]),
        (&json!("tenant.update"), &json!("priya"), &json!("the yearly tidying up"))
    );
    let acts: Vec<_> = hub.control_ledger().await.into_iter().filter(|entry| entry["action"] == "tenant.update").collect();
    assert_eq!(acts.len(), 2);
    hub.post("priya", &format!("{HERE}/{id}/approve"), json!({})).await.expect(409);
    // Undone: but not where somebody changed it since.
    run(&hub, "UPDATE tenant SET plan_id = (SELECT p.id FROM plan p WHERE p.provider_id = tenant.provider_id AND p.name = 'Complete') WHERE slug = 'frost'").await;
    hub.post("priya", &format!("{HERE}/{id}/undo"), json!({})).await.expect(200);
    work(&hub).await;
    let undone = see(&hub, &id).await;
    assert_eq!(undone["state"], "undone");
    assert_eq!(states(&undone), BTreeMap::from([("acme", "undone"), ("frost", "undo_failed"), ("plain", "skipped")]));
    assert_eq!(line(&undone, "frost")["detail"], "The plan was changed since; it is left as it is.");
    assert_eq!(plan(&hub, "acme").await, "Complete");
    assert_eq!(hub.get("priya", &format!("{HERE}/{id}?state=undone")).await.json["items"]["total"], 1);
    assert_eq!(hub.get("priya", &format!("{HERE}?state=undone&q=tidying")).await.json["total"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_changes_and_puts_back(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let staff = hub.get("priya", "/providers/northwind/staff?q=tech_none").await.json["items"][0]["id"].clone();
    let mask = json!({"view": true, "create": false, "update": false, "delete": false});
    let assigned = json!({"staff": staff, "tier": "T1", "mask": mask, "modules": ["compliance"]});
    let of = async |slug: &str| {
        let tenant = hub.get("priya", &format!("/providers/northwind/tenants/{slug}")).await.expect(200).json;
        let mut tx = hub.hub.system_read().await.unwrap();
        let days =
            tx.one("SELECT scan_interval_days FROM tenant WHERE slug = ?1", params![slug]).await.unwrap().take::<i64>().unwrap();
        drop(tx);
        let assignments =
            hub.get("priya", &format!("/providers/northwind/assignments?q=tech_none&tenant={slug}")).await.json["total"].clone();
        json!([tenant["state"], tenant["relationship"]["tier"], days, assignments])
    };
    let before = (of("plain").await, of("sable").await);
    for (kind, what, slug, wanted) in [
        ("tier", json!({"tier": "T1"}), "plain", json!(["active", "T1", 7, 0])),
        ("setting", json!({"scan_interval_days": 14}), "plain", json!(["active", "T3", 14, 0])),
        ("assignment", assigned.clone(), "plain", json!(["active", "T3", 7, 1])),
        ("suspend", json!({}), "plain", json!(["suspended", "T3", 7, 0])),
        ("resume", json!({}), "sable", json!(["active", "T3", 7, 0])),
    ] {
        let id = draft(&hub, "priya", change(kind, what, &[slug])).await;
        let done = apply(&hub, &id).await;
        assert_eq!((&done["state"], states(&done)[slug]), (&json!("done"), "done"), "{done}");
        assert_eq!(of(slug).await, wanted, "{kind}");
        hub.post("priya", &format!("{HERE}/{id}/undo"), json!({})).await.expect(200);
        work(&hub).await;
        let undone = see(&hub, &id).await;
        assert_eq!((&undone["state"], states(&undone)[slug]), (&json!("undone"), "undone"), "{undone}");
        assert_eq!((of("plain").await, of("sable").await), before, "{kind} is put back");
    }
    // Ending an assignment is put back as it was.
    let id = draft(&hub, "priya", change("assignment", assigned, &["plain"])).await;
    apply(&hub, &id).await;
    let id = draft(&hub, "priya", change("assignment", json!({"staff": staff, "remove": true}), &["plain", "acme"])).await;
    let done = apply(&hub, &id).await;
    assert_eq!(states(&done), BTreeMap::from([("acme", "skipped"), ("plain", "done")]));
    hub.get("tech_none", "/tenants/plain/context").await.expect(404);
    hub.post("priya", &format!("{HERE}/{id}/undo"), json!({})).await.expect(200);
    work(&hub).await;
    hub.get("tech_none", "/tenants/plain/context").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_the_tenants_word_waits_for_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    run(&hub, "UPDATE relationship SET tier = 1 WHERE tenant_id IN (SELECT id FROM tenant WHERE slug IN ('acme', 'plain'))").await;
    let id = draft(&hub, "priya", change("tier", json!({"tier": "T2"}), &["acme", "plain"])).await;
    let done = apply(&hub, &id).await;
    assert_eq!((&done["state"], &done["progress"]["done"]), (&json!("done"), &json!(2)));
    // Acme has an admin who is to agree, Plain has nobody.
    assert_eq!(line(&done, "acme")["detail"], "Waits for the client's consent.");
    assert_eq!(line(&done, "plain")["detail"], "");
    let relationship =
        async |slug: &str| hub.get("priya", &format!("/providers/northwind/tenants/{slug}")).await.json["relationship"].clone();
    let acme = relationship("acme").await;
    assert_eq!((&acme["tier"], acme["pending"].as_array().unwrap().len()), (&json!("T1"), 1));
    assert_eq!(relationship("plain").await["tier"], "T2");
    hub.post("priya", &format!("{HERE}/{id}/undo"), json!({})).await.expect(200);
    work(&hub).await;
    assert_eq!(states(&see(&hub, &id).await), BTreeMap::from([("acme", "undone"), ("plain", "undone")]));
    assert_eq!(relationship("acme").await["pending"], json!([]));
    assert_eq!(relationship("plain").await["tier"], "T1");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_too_many_fail_and_goes_on_when_told(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    // Sub-provider Harbor holds Birch: a plan of Northwind is none of its.
    let mut body = change("plan", json!({"plan": "Basic"}), &["birch", "acme", "frost"]);
    body["stop_after"] = json!({"failed_percent": 20});
    run(
        &hub,
        "UPDATE plan SET name = 'Another' WHERE name = 'Basic' AND provider_id = (SELECT id FROM provider WHERE slug = 'harbor')",
    )
    .await;
    let id = draft(&hub, "priya", body).await;
    let stopped = apply(&hub, &id).await;
    assert_eq!((&stopped["state"], &stopped["detail"]), (&json!("stopped"), &json!("1 of 3 tenants failed.")));
    assert_eq!(states(&stopped), BTreeMap::from([("birch", "failed"), ("acme", "planned"), ("frost", "planned")]));
    let refused: Vec<_> = hub.control_ledger().await.into_iter().filter(|e| e["action"] == "tenant.update").collect();
    assert_eq!((refused.len(), &refused[0]["outcome"]), (1, &json!("failed")));
    hub.post("priya", &format!("{HERE}/{id}/resume"), json!({})).await.expect(200);
    work(&hub).await;
    assert_eq!(see(&hub, &id).await["state"], "stopped", "it fails again");
    hub.post("priya", &format!("{HERE}/{id}/resume"), json!({"skip_failed": true})).await.expect(200);
    work(&hub).await;
    let done = see(&hub, &id).await;
    assert_eq!(
        (&done["state"], states(&done)),
        (&json!("done"), BTreeMap::from([("birch", "skipped"), ("acme", "done"), ("frost", "done")]))
    );
    hub.post("priya", &format!("{HERE}/{id}/resume"), json!({})).await.expect(409);
    hub.post("priya", &format!("{HERE}/{id}/cancel"), json!({})).await.expect(409);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_goes_as_far_as_the_rights_of_who_approved_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    run(&hub, "UPDATE staff SET role = 'provider_admin' WHERE person_id = (SELECT id FROM person WHERE name = 't3')").await;
    let id = draft(&hub, "priya", change("plan", json!({"plan": "Basic"}), &["acme", "frost"])).await;
    hub.post("priya", &format!("{HERE}/{id}/approve"), json!({})).await.expect(200);
    run(&hub, "UPDATE staff SET role = 'technician' WHERE person_id = (SELECT id FROM person WHERE name = 'priya')").await;
    work(&hub).await;
    let stopped = hub.get("t3", &format!("{HERE}/{id}")).await.expect(200).json;
    assert_eq!((&stopped["state"], &stopped["detail"]), (&json!("stopped"), &json!("The rights of who started it have ended.")));
    assert_eq!(stopped["progress"]["done"], 0);
    hub.post("priya", &format!("{HERE}/{id}/resume"), json!({})).await.expect(403);
    hub.post("t3", &format!("{HERE}/{id}/resume"), json!({})).await.expect(200);
    run(&hub, "UPDATE person SET state = 'disabled' WHERE name = 't3'").await;
    work(&hub).await;
    run(&hub, "UPDATE person SET state = 'active' WHERE name = 't3'").await;
    assert_eq!(hub.get("t3", &format!("{HERE}/{id}")).await.expect(200).json["state"], "stopped");
    hub.post("t3", &format!("{HERE}/{id}/resume"), json!({})).await.expect(200);
    work(&hub).await;
    let done = hub.get("t3", &format!("{HERE}/{id}")).await.expect(200).json;
    assert_eq!((&done["state"], &done["progress"]["done"]), (&json!("done"), &json!(2)));
    assert_eq!(hub.tenant_ledger("acme").await.pop().unwrap()["actor"]["name"], "t3");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_approve_drafts_where_they_are_assigned(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let id = draft(&hub, "t3", change("suspend", json!({}), &["plain", "acme"])).await;
    let elsewhere = hub.post("t3", HERE, change("suspend", json!({}), &["plain", "birch"])).await.expect(422);
    assert_eq!(elsewhere.wrong_fields(), ["over not_assigned"]);
    let all = json!({"kind": "suspend", "over": {"all": true}, "reason": "everybody at once"});
    hub.post("t3", HERE, all.clone()).await.expect(422);
    hub.post("t3", &format!("{HERE}/{id}/approve"), json!({})).await.expect(403);
    hub.get("t2", &format!("{HERE}/{id}")).await.expect(404);
    assert_eq!(hub.get("t2", HERE).await.expect(200).json["total"], 0);
    let mine = hub.get("t3", HERE).await.expect(200).json["items"][0].clone();
    assert_eq!((&mine["can"]["approve"]["allowed"], &mine["can"]["cancel"]["allowed"]), (&json!(false), &json!(true)));
    hub.get("carla", HERE).await.expect(404);
    hub.get("carla", &format!("/providers/contoso/fleet-changes/{id}")).await.expect(404);
    // An admin starts it; then it is not the drafter's any more.
    hub.post("priya", &format!("{HERE}/{id}/approve"), json!({})).await.expect(200);
    hub.post("t3", &format!("{HERE}/{id}/cancel"), json!({})).await.expect(409);
    hub.post("priya", &format!("{HERE}/{id}/cancel"), json!({})).await.expect(200);
    work(&hub).await;
    let cancelled = see(&hub, &id).await;
    assert_eq!((&cancelled["state"], &cancelled["progress"]["done"]), (&json!("cancelled"), &json!(0)));
    let all = hub.post("priya", HERE, all).await.expect(201).json;
    assert_eq!((&all["progress"]["total"], &all["progress"]["skipped"]), (&json!(5), &json!(1)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_said_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let with = |field: &str, value: Value| {
        let mut body = change("plan", json!({"plan": "Basic"}), &["acme"]);
        body[field] = value;
        body
    };
    let staff = json!({"staff": "stf_01999999999970009999999999999999", "remove": true});
    for (body, wrong) in [
        (with("reason", json!("x")), "reason too_short"),
        (with("what", json!({"plan": "No such plan"})), "what.plan unknown"),
        (with("what", json!({"plan": "Basic", "more": 1})), "what not_fitting"),
        (with("over", json!({"tenants": ["zeta"]})), "over.tenants unknown"),
        (with("over", json!({"tenants": ["acme"], "all": true})), "over missing"),
        (with("over", json!({"group": "grp_01999999999970009999999999999999"})), "over.group unknown"),
        (with("stop_after", json!({"failed_percent": 101})), "stop_after.failed_percent out_of_range"),
        (change("setting", json!({"scan_interval_days": 91}), &["acme"]), "what.scan_interval_days out_of_range"),
        (change("setting", json!({}), &["acme"]), "what missing"),
        (change("assignment", staff, &["acme"]), "what.staff unknown"),
    ] {
        let answer = hub.post("priya", HERE, body.clone()).await.expect(422);
        assert_eq!(answer.wrong_fields()[0], wrong, "{body}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice_however_often_it_is_interrupted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut slugs = Vec::new();
    for n in 0..12 {
        let slug = format!("fleet-{n}");
        let body = json!({"slug": slug, "name": format!("Fleet {n}"), "plan": "Complete", "tier": "T3"});
        hub.post("priya", "/providers/northwind/tenants", body).await.expect(201);
        slugs.push(slug);
    }
    let all: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let id = draft(&hub, "priya", change("plan", json!({"plan": "Basic"}), &all)).await;
    hub.post("priya", &format!("{HERE}/{id}/approve"), json!({})).await.expect(200);
    // Cut off in the middle, again and again: what is dropped is rolled back, and the next hub takes the work up when the lease ends.
    for rest in [3, 7, 20, 60] {
        let cut = tokio::time::timeout(std::time::Duration::from_millis(rest), super::run_next(&hub.hub)).await;
        if cut.is_err() {
            assert!(!super::run_next(&hub.hub).await.unwrap(), "somebody else's lease is respected");
        }
        hub.advance(std::time::Duration::from_secs(31));
    }
    // Two at once share nothing.
    let (one, two) = tokio::join!(super::run_next(&hub.hub), super::run_next(&hub.hub));
    assert!(one.is_ok() && two.is_ok());
    work(&hub).await;
    let done = see(&hub, &id).await;
    assert_eq!((&done["state"], &done["progress"]["done"]), (&json!("done"), &json!(12)));
    let acts = hub.control_ledger().await;
    for slug in all {
        let tenant = hub.get("priya", &format!("/providers/northwind/tenants/{slug}")).await.json["id"].clone();
        let of = acts.iter().filter(|e| e["action"] == "tenant.update" && e["outcome"] == "done" && e["tenant"] == tenant);
        assert_eq!(of.count(), 1, "{slug}");
    }
    assert_eq!(
        acts.iter().filter(|e| e["action"] == "tenant.update" && e["actor"]["id"] == person("priya").to_string()).count(),
        12
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_to_a_plan_comes_back_to_its_terms(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let on = async || {
        let tenant = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200).json;
        (tenant["plan"]["name"].as_str().unwrap().to_owned(), tenant["plan"]["number"].as_i64().unwrap())
    };
    let plans = hub.get("priya", "/providers/northwind/plans").await.expect(200).json;
    let complete = plans["items"].as_array().unwrap().iter().find(|plan| plan["name"] == "Complete").unwrap().clone();
    let path = format!("/providers/northwind/plans/{}", complete["id"].as_str().unwrap());
    let dearer = json!({"price": {"month": 5_000_000, "seat": 0, "currency": "EUR"}, "apply": "new_clients"});
    hub.patch("priya", &path, complete["version"].as_i64().unwrap(), dearer).await.expect(200);
    let id = draft(&hub, "priya", change("plan", json!({"plan": "Basic"}), &["acme"])).await;
    apply(&hub, &id).await;
    assert_eq!(on().await.0, "Basic");
    hub.post("priya", &format!("{HERE}/{id}/undo"), json!({})).await.expect(200);
    work(&hub).await;
    assert_eq!(see(&hub, &id).await["state"], "undone");
    assert_eq!(on().await, ("Complete".into(), 1), "on the terms that it had, not on the dearer ones");
}
