use std::time::Duration;

use kernel::{params, scope};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person, tenant};

const PLANS: &str = "/providers/northwind/plans";
const DAY: Duration = Duration::from_secs(86_400);

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

async fn plan(hub: &TestHub, name: &str) -> Value {
    let plans = hub.get("priya", PLANS).await.expect(200);
    plans.json["items"].as_array().unwrap().iter().find(|plan| plan["name"] == name).unwrap().clone()
}

async fn own(hub: &TestHub, slug: &str) -> Value {
    hub.get("priya", &format!("/providers/northwind/tenants/{slug}")).await.expect(200).json
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn plans_count_their_clients(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let plans = hub.get("priya", PLANS).await.expect(200);
    let rows: Vec<_> = plans.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (p["name"].clone(), p["modules"].as_array().unwrap().len(), p["limits"]["seats"].clone(), p["client_count"].clone())
        })
        .collect();
    assert_eq!(rows, [(json!("Basic"), 2, json!(3), json!(1)), (json!("Complete"), 8, json!(null), json!(3))]);
    hub.get("t3", PLANS).await.expect(403);
    hub.get("carla", PLANS).await.expect(404);
    hub.get("priya", &format!("{PLANS}?state=old")).await.expect(422);
    assert_eq!(hub.get("priya", &format!("{PLANS}?state=retired")).await.expect(200).json["total"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_founded_provider_has_an_admin_and_three_plans(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_write("test.found", "founds a provider").await.unwrap();
    crate::providers::found(&mut tx, "Lakeside IT", "lakeside", person("tech_none")).await.unwrap();
    tx.commit().await.unwrap();
    let seen = hub.get("tech_none", "/providers/lakeside").await.expect(200);
    assert_eq!((&seen.json["role"], &seen.json["ceiling"]), (&json!("provider_admin"), &json!(null)));
    let plans = hub.get("tech_none", "/providers/lakeside/plans").await.expect(200);
    let mut rows: Vec<_> =
        plans.json["items"].as_array().unwrap().iter().map(|p| (p["name"].as_str().unwrap(), &p["seats_max"])).collect();
    rows.sort_by_key(|row| row.0);
    assert_eq!(rows, [("Complete", &json!(null)), ("Essentials", &json!(25)), ("Secure", &json!(100))]);
    let essentials = plans.json["items"].as_array().unwrap().iter().find(|p| p["name"] == "Essentials").unwrap();
    assert_eq!(essentials["modules"], json!(["discovery", "compliance"]));
    let mut tx = hub.hub.system_write("test.found", "the slug is taken").await.unwrap();
    assert!(crate::providers::found(&mut tx, "Lakeside", "lakeside", person("t0")).await.is_err());
}

fn gold() -> Value {
    json!({"name": "Gold", "description": "For the large", "modules": ["compliance", "finops"], "limits": {"seats": 40, "api_keys": 0},
        "price": {"month": 199_000_000, "seat": 4_500_000, "currency": "chf"}, "trial_days": 14})
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_with_everything_it_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let made = hub.post("priya", PLANS, gold()).await.expect(201);
    assert_eq!((made.version(), &made.json["number"], &made.json["state"]), (1, &json!(1), &json!("active")));
    assert_eq!(made.json["limits"], json!({"seats": 40, "automations": null, "resources": null, "api_keys": 0}));
    assert_eq!(made.json["price"], json!({"month": 199_000_000, "seat": 4_500_000, "currency": "CHF"}));
    let wrong = json!({"name": "", "modules": ["astrology"], "limits": {"seats": -1}, "price": {"month": -1, "currency": "euro"}, "trial_days": 400});
    let fields = hub.post("priya", PLANS, wrong).await.expect(422).wrong_fields();
    for field in [
        "name too_short",
        "modules unknown",
        "limits.seats out_of_range",
        "price.month out_of_range",
        "price.currency unknown",
        "trial_days out_of_range",
    ] {
        assert!(fields.iter().any(|wrong| wrong == field), "{field} in {fields:?}");
    }
    assert_eq!(hub.post("priya", PLANS, gold()).await.expect(422).wrong_fields(), ["name taken"]);
    assert_eq!(
        hub.post("priya", PLANS, json!({"name": "Empty", "modules": []})).await.expect(422).wrong_fields(),
        ["modules empty"]
    );
    hub.post("t3", PLANS, gold()).await.expect(403);
    let entry = hub.control_ledger().await.into_iter().find(|entry| entry["action"] == "plan.create" && entry["outcome"] == "done");
    assert_eq!(entry.unwrap()["changes"][0]["after"]["terms"]["price"]["currency"], "CHF");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_number_is_for_new_clients_unless_it_is_for_all(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let basic = plan(&hub, "Basic").await;
    let path = format!("{PLANS}/{}", basic["id"].as_str().unwrap());
    let changed = hub.patch("priya", &path, 1, json!({"modules": ["finops"], "limits": {"seats": 9}})).await.expect(200);
    assert_eq!((&changed.json["number"], &changed.json["grandfathered_count"]), (&json!(2), &json!(1)));
    let plain = own(&hub, "plain").await;
    assert_eq!(
        (&plain["plan"]["number"], &plain["plan"]["newest_number"], &plain["plan"]["seats_max"]),
        (&json!(1), &json!(2), &json!(3))
    );
    assert_eq!(plain["plan"]["modules"], json!(["discovery", "finops"]));
    let body = json!({"slug": "quill", "name": "Quill & Co", "plan": "Basic"});
    hub.post("priya", "/providers/northwind/tenants", body).await.expect(201);
    assert_eq!(own(&hub, "quill").await["plan"]["seats_max"], 9);

    hub.patch("priya", &path, 1, json!({"name": "Starter"})).await.expect(412);
    let renamed = hub.patch("priya", &path, changed.version(), json!({"name": "Starter"})).await.expect(200);
    assert_eq!(renamed.json["number"], 2, "a name is not a term");
    let moved = hub
        .patch("priya", &path, renamed.version(), json!({"price": {"month": 5_000_000}, "apply": "all_clients"}))
        .await
        .expect(200);
    assert_eq!((&moved.json["number"], &moved.json["grandfathered_count"]), (&json!(3), &json!(0)));
    let plain = own(&hub, "plain").await;
    assert_eq!((&plain["plan"]["number"], &plain["plan"]["name"]), (&json!(3), &json!("Starter")));
    assert_eq!(plain["closed_modules"][0]["module"], "discovery");
    let copy =
        hub.tenant_ledger("plain").await.into_iter().find(|entry| entry["action"] == "plan.update").expect("its ledger says so");
    assert!(copy["changes"].to_string().contains("\"number\":3"), "{copy}");

    let versions = hub.get("priya", &format!("{path}/versions")).await.expect(200);
    let rows: Vec<_> = versions.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (&v["number"], &v["name"], &v["client_count"], &v["by"]["name"]))
        .collect();
    let (priya, none) = (json!("priya"), json!(null));
    assert_eq!(
        rows,
        [
            (&json!(3), &json!("Starter"), &json!(2), &priya),
            (&json!(2), &json!("Basic"), &json!(0), &priya),
            (&json!(1), &json!("Basic"), &json!(0), &none)
        ]
    );
    hub.get("carla", &format!("/providers/contoso/plans/{}/versions", basic["id"].as_str().unwrap())).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_retired_once_nobody_is_on_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (basic, complete) = (plan(&hub, "Basic").await, plan(&hub, "Complete").await);
    let path = format!("{PLANS}/{}", basic["id"].as_str().unwrap());
    hub.delete("priya", &path).await.expect(409);
    let moved =
        hub.post("priya", &format!("{PLANS}/assign"), json!({"plan": complete["id"], "tenants": ["plain"]})).await.expect(200);
    assert_eq!(moved.json["results"][0]["outcome"], "moved");
    hub.delete("priya", &path).await.expect(204);
    hub.delete("priya", &path).await.expect(409);
    let body = json!({"plan": basic["id"], "tenants": ["acme"]});
    assert_eq!(hub.post("priya", &format!("{PLANS}/assign"), body).await.expect(422).wrong_fields(), ["plan unknown"]);
    let body = json!({"slug": "quill", "name": "Quill & Co", "plan": "Basic"});
    assert_eq!(hub.post("priya", "/providers/northwind/tenants", body).await.expect(422).wrong_fields(), ["plan unknown"]);
    hub.patch("priya", &path, 2, json!({"name": "Old"})).await.expect(409);
    let last = hub.delete("priya", &format!("{PLANS}/{}", complete["id"].as_str().unwrap())).await.expect(409);
    assert!(last.json["detail"].as_str().unwrap().contains("4 clients"), "{:?}", last.json);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_shown_before_it_is_made(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let made = hub
        .post(
            "priya",
            PLANS,
            json!({"name": "Tiny", "modules": ["finops"], "limits": {"seats": 2},
        "price": {"month": 10_000_000, "seat": 1_000_000}}),
        )
        .await
        .expect(201);
    let body = json!({"plan": made.json["id"], "tenants": ["acme", tenant("plain").to_string()]});
    let seen = hub.post("priya", &format!("{PLANS}/preview"), body.clone()).await.expect(200);
    let acme = &seen.json["items"][0];
    assert_eq!(
        (&acme["tenant"]["slug"], &acme["from"]["name"], &acme["to"]["name"]),
        (&json!("acme"), &json!("Complete"), &json!("Tiny"))
    );
    assert_eq!((acme["closes"].as_array().unwrap().len(), acme["opens"].as_array().unwrap().len()), (7, 0));
    assert_eq!(acme["data_kept_until"], "2026-12-21T09:00:00.000000Z");
    assert_eq!(acme["over"], json!([{"limit": "seats", "used": 4, "max": 2}]));
    assert_eq!(acme["price_change"], json!({"month": 14_000_000, "currency": "EUR"}));
    let plain = &seen.json["items"][1];
    assert_eq!((&plain["closes"], &plain["over"]), (&json!(["discovery"]), &json!([])));
    assert_eq!(seen.json["totals"], json!({"tenants": 2, "opens": 0, "closes": 8}));
    assert_eq!(own(&hub, "acme").await["plan"]["name"], "Complete", "nothing was changed");

    for (tenants, wrong) in [
        (json!([]), "tenants out_of_range"),
        (json!(["acme", "zeta"]), "tenants.1 unknown"),
        (json!(["birch"]), "tenants.0 unknown"),
        (json!(["acme", "acme"]), "tenants.1 unknown"),
    ] {
        let body = json!({"plan": made.json["id"], "tenants": tenants});
        assert_eq!(hub.post("priya", &format!("{PLANS}/assign"), body).await.expect(422).wrong_fields(), [wrong]);
    }
    let none = json!({"plan": made.json["id"], "number": 7, "tenants": ["acme"]});
    assert_eq!(hub.post("priya", &format!("{PLANS}/preview"), none).await.expect(422).wrong_fields(), ["number unknown"]);

    let done = hub.post("priya", &format!("{PLANS}/assign"), body.clone()).await.expect(200);
    assert_eq!(done.json["results"].as_array().unwrap().iter().filter(|r| r["outcome"] == "moved").count(), 2);
    let again = hub.post("priya", &format!("{PLANS}/assign"), body).await.expect(200);
    assert_eq!(again.json["results"][0]["outcome"], "unchanged");
    hub.post("t3", &format!("{PLANS}/preview"), json!({"plan": made.json["id"], "tenants": ["acme"]})).await.expect(403);
}

async fn move_acme(hub: &TestHub, to: &str) -> testkit::Answer {
    let to = plan(hub, to).await;
    hub.post("priya", &format!("{PLANS}/assign"), json!({"plan": to["id"], "tenants": ["acme"]})).await.expect(200)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_plan_is_closed_and_back_in_time_it_is_all_there(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    move_acme(&hub, "Basic").await;
    let context = hub.get("admin", "/tenants/acme/context").await.expect(200);
    assert_eq!(context.json["tenant"]["modules"], json!(["discovery", "finops"]));
    assert_eq!(context.json["can"]["finding.list"]["allowed"], false);
    assert_eq!(context.json["tenant"]["closed_modules"].as_array().unwrap().len(), 6);
    hub.advance(DAY * 29);
    assert_eq!(super::modules::due(&hub.hub).await.unwrap(), []);
    move_acme(&hub, "Complete").await;
    assert_eq!(own(&hub, "acme").await["closed_modules"], json!([]));
    hub.advance(DAY * 2);
    assert_eq!(super::modules::due(&hub.hub).await.unwrap(), [], "what came back is not due");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn while_its_data_is_being_deleted_a_module_does_not_come_back(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    move_acme(&hub, "Basic").await;
    hub.advance(DAY * 30);
    let due = super::modules::due(&hub.hub).await.unwrap();
    assert_eq!(due.len(), 6);
    let (acme, compliance) = (tenant("acme"), access::Module::Compliance);
    assert!(due.contains(&(acme, compliance)));
    assert!(super::modules::begin_emptying(&hub.hub, acme, compliance).await.unwrap());
    let refused = move_acme(&hub, "Complete").await;
    assert_eq!(refused.json["results"][0]["outcome"], "failed");
    assert!(refused.json["results"][0]["detail"].as_str().unwrap().contains("being deleted"));
    assert_eq!(own(&hub, "acme").await["plan"]["name"], "Basic");
    super::modules::finish_emptying(&hub.hub, acme, compliance, 12).await.unwrap();
    assert_eq!(move_acme(&hub, "Complete").await.json["results"][0]["outcome"], "moved");
    assert!(!super::modules::begin_emptying(&hub.hub, acme, compliance).await.unwrap(), "it is open again");
    let entries = hub.tenant_ledger("acme").await;
    let emptied = entries.iter().find(|entry| entry["action"] == "module.emptied").expect("its ledger says so");
    assert_eq!(emptied["changes"][0]["before"]["rows"], 12);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_an_archived_tenant_no_module_is_emptied(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    move_acme(&hub, "Basic").await;
    hub.post("priya", "/providers/northwind/tenants/acme/archive", json!({"reason": "They left"})).await.expect(200);
    hub.advance(DAY * 40);
    assert_eq!(super::modules::due(&hub.hub).await.unwrap(), []);
    assert!(!super::modules::begin_emptying(&hub.hub, tenant("acme"), access::Module::Compliance).await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_before_there_were_numbers_has_number_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let sql =
        "SELECT COUNT(*) FROM plan p WHERE NOT EXISTS (SELECT 1 FROM plan_version w WHERE w.plan_id = p.id AND w.number = p.number
               AND w.modules = p.modules AND w.name = p.name)";
    let without: i64 = tx.one(sql, params![]).await.unwrap().take().unwrap();
    assert_eq!(without, 0);
    drop::<kernel::ReadTx<scope::Public>>(tx);
}
