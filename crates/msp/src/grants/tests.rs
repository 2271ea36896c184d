//! The rules of grants over many tenants, on both engines.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person};

const HERE: &str = "/providers/northwind/grants";
const UNKNOWN: &str = "ggr_01999999999970009999999999999999";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

fn over(who: &str, over: &str, tier: &str) -> Value {
    let mask = json!({"view": true, "create": true, "update": true, "delete": true});
    json!({"person": person(who), "over": over, "tier": tier, "mask": mask, "modules": ["compliance", "finops", "identity"]})
}

async fn group(hub: &TestHub, body: Value) -> String {
    hub.post("priya", "/providers/northwind/groups", body).await.expect(201).json["id"].as_str().unwrap().to_owned()
}

async fn grant(hub: &TestHub, body: Value) -> String {
    hub.post("priya", HERE, body).await.expect(201).json["id"].as_str().unwrap().to_owned()
}

async fn enters(hub: &TestHub, who: &str) -> Vec<&'static str> {
    let mut entered = Vec::new();
    for slug in ["acme", "sable", "frost", "plain", "birch", "zeta"] {
        if hub.get(who, &format!("/tenants/{slug}/context")).await.status != 404 {
            entered.push(slug);
        }
    }
    entered
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_over_all_acts_as_an_assignment_on_each(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert!(enters(&hub, "tech_none").await.is_empty());
    let made = hub.post("priya", HERE, over("tech_none", "all", "T2")).await.expect(201).json;
    assert_eq!(
        (&made["client_count"], &made["over"], &made["group"], &made["live"]),
        (&json!(5), &json!("all"), &Value::Null, &json!(true))
    );
    assert_eq!(enters(&hub, "tech_none").await, ["acme", "sable", "frost", "plain", "birch"]);
    let me = hub.get("tech_none", "/tenants/acme/context").await.expect(200).json;
    assert_eq!(
        (&me["me"]["tier"], &me["me"]["grant"]["source"], &me["me"]["grant"]["id"]),
        (&json!("T2"), &json!("group_grant"), &made["id"])
    );
    assert_eq!(me["can"]["override.create"]["allowed"], true);
    assert_eq!(me["can"]["member.invite"]["allowed"], false);
    // The dashboard, the start page and the staff page count them.
    let clients = hub.get("tech_none", "/providers/northwind/clients").await.expect(200).json;
    assert_eq!((clients["total"].as_i64(), clients["counts"]["all"].as_i64()), (Some(5), Some(5)));
    let tier = |slug: &str| clients["items"].as_array().unwrap().iter().find(|c| c["slug"] == slug).unwrap()["tier"].clone();
    assert_eq!((tier("acme"), tier("birch")), (json!("T2"), json!("T2")));
    let staff = hub.get("priya", "/providers/northwind/staff?q=tech_none").await.expect(200).json["items"][0].clone();
    assert_eq!(staff["assignments"], 5);
    let page = hub.get("priya", &format!("/providers/northwind/staff/{}", staff["id"].as_str().unwrap())).await.expect(200).json;
    assert_eq!((&page["grants"][0]["id"], &page["assignments"]), (&made["id"], &json!([])));
    // The tenant sees it on its page, in its explainer and in its ledger.
    let reach = hub.get("admin", "/tenants/acme/provider-access").await.expect(200).json;
    let row = reach["people"].as_array().unwrap().iter().find(|p| p["person"]["name"] == "tech_none").unwrap().clone();
    assert_eq!((&row["through"]["source"], &row["tier"], &row["live"]), (&json!("group_grant"), &json!("T2"), &json!(true)));
    let why = format!("/tenants/acme/why?person={}&action=override.create", person("tech_none"));
    let why = hub.get("admin", &why).await.expect(200).json;
    assert_eq!(
        (&why["allowed"], &why["through"][0]["source"], &why["through"][0]["id"]),
        (&json!(true), &json!("group_grant"), &made["id"])
    );
    let told = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!((&told["action"], &told["changes"][0]["after"]["over"]), (&json!("group_grant.create"), &json!("all")));
    assert!(hub.tenant_ledger("zeta").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_is_covered_and_who_is_left_out_is_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut body = over("tech_none", "all_except", "T1");
    body["except"] = json!(["frost", "birch"]);
    let id = grant(&hub, body).await;
    assert_eq!(enters(&hub, "tech_none").await, ["acme", "sable", "plain"]);
    let made = json!({"slug": "newcomer", "name": "Newcomer", "plan": "Complete", "tier": "T3"});
    hub.post("priya", "/providers/northwind/tenants", made).await.expect(201);
    hub.get("tech_none", "/tenants/newcomer/context").await.expect(200);
    let path = format!("{HERE}/{id}");
    let row = hub.get("priya", HERE).await.json["items"][0].clone();
    assert_eq!(row["except"].as_array().unwrap().iter().map(|t| t["slug"].clone()).collect::<Vec<_>>(), ["birch", "frost"]);
    let changed = hub.patch("priya", &path, 1, json!({"except": ["acme"], "tier": "T0"})).await.expect(200);
    assert_eq!((changed.version(), &changed.json["tier"], &changed.json["client_count"]), (2, &json!("T0"), &json!(5)));
    assert_eq!(enters(&hub, "tech_none").await, ["sable", "frost", "plain", "birch"]);
    let told = hub.tenant_ledger("acme").await.pop().unwrap();
    assert!(!told.to_string().contains("birch") && told.to_string().contains("left_out"), "{told}");
    hub.patch("priya", &path, 1, json!({"tier": "T1"})).await.expect(412);
    hub.delete("priya", &path).await.expect(204);
    assert!(enters(&hub, "tech_none").await.is_empty());
    hub.delete("priya", &path).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_group_decides_at_the_moment_who_is_covered(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let empty = group(&hub, json!({"name": "Nobody", "kind": "static"})).await;
    let plan = group(&hub, json!({"name": "Industry", "kind": "dynamic", "match": {"industries": ["Farming"]}})).await;
    for id in [&empty, &plan] {
        let mut body = over("tech_none", "group", "T2");
        body["group"] = json!(id);
        grant(&hub, body).await;
    }
    assert!(enters(&hub, "tech_none").await.is_empty(), "an empty group is nothing");
    assert_eq!(hub.get("tech_none", "/providers/northwind/clients").await.expect(200).json["total"], 0);
    let tenant = hub.get("priya", "/providers/northwind/tenants/plain").await.expect(200);
    hub.patch("priya", "/providers/northwind/tenants/plain", tenant.version(), json!({"industry": "farming"})).await.expect(200);
    assert_eq!(enters(&hub, "tech_none").await, ["plain"]);
    let path = format!("/providers/northwind/groups/{empty}");
    hub.patch("priya", &path, 1, json!({"tenants": ["acme"]})).await.expect(200);
    assert_eq!(enters(&hub, "tech_none").await, ["acme", "plain"]);
    assert_eq!(hub.tenant_ledger("acme").await.pop().unwrap()["action"], "tenant_group.update");
    hub.delete("priya", &path).await.expect(409);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_grants_of_one_person_are_each_whole_and_their_union_applies(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    // Of their own: T1 on everything. By the group: T3, but only looking, in one module.
    let id = group(&hub, json!({"name": "Some", "kind": "static", "tenants": ["acme"]})).await;
    let mut body = over("t1", "group", "T3");
    body["group"] = json!(id);
    body["modules"] = json!(["compliance"]);
    body["mask"] = json!({"view": false, "create": true, "update": false, "delete": false});
    let grant_id = grant(&hub, body).await;
    let can = hub.get("t1", "/tenants/acme/context").await.expect(200).json["can"].clone();
    let may = |act: &str| can[act]["allowed"].as_bool().unwrap();
    assert_eq!(
        (may("finding.list"), may("override.create"), may("override.revoke"), may("finding.assign")),
        (true, true, false, false)
    );
    let clients = hub.get("t1", "/providers/northwind/clients").await.expect(200).json["items"].clone();
    assert_eq!(
        (clients.as_array().unwrap().len(), &clients[0]["tier"], &clients[0]["enter"]["allowed"]),
        (1, &json!("T3"), &json!(true))
    );
    let why = format!("/tenants/acme/why?person={}&action=override.create", person("t1"));
    let through = hub.get("admin", &why).await.expect(200).json["through"].clone();
    assert_eq!((&through[0]["id"], through.as_array().unwrap().len()), (&json!(grant_id), 2));
    // Without the one that looks, nothing is seen.
    run(&hub, "DELETE FROM assignment WHERE person_id = (SELECT id FROM person WHERE name = 't1')").await;
    hub.get("t1", "/tenants/acme/context").await.expect(403);
    assert_eq!(hub.get("t1", "/providers/northwind/clients").await.json["items"][0]["enter"]["allowed"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_round_the_tenants_word(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    grant(&hub, over("tech_none", "all", "T2")).await;
    let acme = "(SELECT id FROM tenant WHERE slug = 'acme')";
    run(&hub, &format!("UPDATE relationship SET assign_by = 'tenant_consent' WHERE tenant_id = {acme}")).await;
    assert_eq!(enters(&hub, "tech_none").await, ["sable", "frost", "plain", "birch"]);
    run(&hub, &format!("UPDATE relationship SET assign_by = 'provider' WHERE tenant_id = {acme}")).await;
    hub.get("tech_none", "/tenants/acme/context").await.expect(200);
    let path = format!("/tenants/acme/provider-access/staff/{}", person("tech_none"));
    hub.send("admin", axum::http::Method::DELETE, &path, Some(json!({"reason": "no longer wanted here"})), &[]).await;
    if hub.get("tech_none", "/tenants/acme/context").await.status == 200 {
        let bar = format!(
            "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) SELECT {acme}, id, id, 0, 'x' FROM person WHERE name = 'tech_none'"
        );
        run(&hub, &bar).await;
    }
    assert_eq!(enters(&hub, "tech_none").await, ["sable", "frost", "plain", "birch"]);
    // A freeze is a freeze: known, and nothing goes.
    hub.get("tech_none", "/tenants/frost/context").await.expect(403);
    hub.get("tech_none", "/tenants/sable/context").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_begins_and_ends_on_the_second_and_goes_with_the_person(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    let hour = std::time::Duration::from_secs(3600);
    let mut body = over("tech_none", "all", "T1");
    (body["starts_at"], body["ends_at"]) = (json!(START.after(hour)), json!(START.after(2 * hour)));
    grant(&hub, body).await;
    assert_eq!(hub.get("tech_none", "/tenants/acme/context").await.status, 403);
    hub.advance(hour);
    hub.get("tech_none", "/tenants/acme/context").await.expect(200);
    hub.advance(hour);
    assert_eq!(hub.get("tech_none", "/tenants/acme/context").await.status, 403);
    grant(&hub, over("tech_none", "all", "T1")).await;
    hub.get("tech_none", "/tenants/acme/context").await.expect(200);
    let staff = hub.get("priya", "/providers/northwind/staff?q=tech_none").await.json["items"][0]["id"].clone();
    hub.delete("priya", &format!("/providers/northwind/staff/{}", staff.as_str().unwrap())).await.expect(204);
    hub.get("tech_none", "/tenants/acme/context").await.expect(404);
    assert_eq!(hub.get("priya", HERE).await.json["total"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_themselves_anything_and_only_admins_grant(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let own = hub.post("priya", HERE, over("priya", "all", "T3")).await.expect(403).json;
    assert_eq!(own["policy"], "stop.own_assignment");
    for who in ["t3", "tech_none"] {
        hub.post(who, HERE, over("tech_none", "all", "T1")).await.expect(403);
        hub.get(who, HERE).await.expect(403);
    }
    hub.get("carla", HERE).await.expect(404);
    run(&hub, "UPDATE provider SET ceiling = 2 WHERE slug = 'northwind'").await;
    let mut both = over("t1", "all", "T1");
    both["group"] = json!("grp_01999999999970009999999999999999");
    let mut ended = over("t1", "all", "T1");
    ended["ends_at"] = json!(START);
    let mut except = over("t1", "all_except", "T1");
    except["except"] = json!(["zeta"]);
    let cases = [
        (over("t1", "all", "T3"), "tier above_ceiling"),
        (over("carla", "all", "T1"), "person unknown"),
        (over("t1", "group", "T1"), "group missing"),
        (both, "group not_here"),
        (over("t1", "all_except", "T1"), "except out_of_range"),
        (except, "except unknown"),
    ];
    for (body, wrong) in cases {
        assert_eq!(hub.post("priya", HERE, body).await.expect(422).wrong_fields(), [wrong]);
    }
    assert_eq!(hub.post("priya", HERE, ended).await.expect(422).wrong_fields()[0], "ends_at in_the_past");
    hub.patch("priya", &format!("{HERE}/{UNKNOWN}"), 1, json!({"tier": "T1"})).await.expect(404);
}
