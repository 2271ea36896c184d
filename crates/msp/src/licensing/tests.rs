use kernel::limits::{Claim, Limit};
use kernel::news::Said;
use kernel::{Error, params};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, tenant};

use super::enforce;

const PAGE: &str = "/providers/northwind/licensing";
const LICENCE: &str = "/providers/northwind/tenants/acme/licence";

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

/// Changes Acme's licence, a moment after whatever was before.
async fn set(hub: &TestHub, body: Value) -> Value {
    hub.advance(std::time::Duration::from_secs(1));
    let version = row(hub, "acme").await["version"].as_i64().unwrap();
    hub.patch("priya", LICENCE, version, body).await.expect(200).json
}

async fn row(hub: &TestHub, slug: &str) -> Value {
    let page = hub.get("priya", &format!("{PAGE}?q={slug}")).await.expect(200);
    page.json["items"][0].clone()
}

/// The alerts that lie ready: limit, whether it is over.
async fn alerts(hub: &TestHub) -> Vec<(String, bool)> {
    let mut tx = hub.hub.system_read().await.unwrap();
    let said = tx.news(100).await.unwrap();
    let alerts = said.into_iter().filter_map(|(_, said)| match said {
        Said::Alert(alert) if alert.rule == enforce::RULE => Some((alert.subject, alert.is_over)),
        _ => None,
    });
    alerts.collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_its_figures_and_its_table(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let page = hub.get("priya", PAGE).await.expect(200);
    // Frost, Sable (suspended), Plain (3 seats, nobody), Acme (4, unlimited), and Harbor's Birch.
    assert_eq!(page.json["kpis"], json!({"organisations": 5, "licensed_users": 4, "seat_capacity": 3, "over_limit": 0}));
    let rows: Vec<_> = page.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["tenant"]["slug"].as_str().unwrap(), row["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [("acme", "unlimited"), ("birch", "unlimited"), ("frost", "unlimited"), ("plain", "ok"), ("sable", "unlimited")]
    );
    let acme = &page.json["items"][0];
    assert_eq!(
        (&acme["tier"], &acme["type"], &acme["users"], &acme["users_max"]),
        (&json!("T3"), &json!("per_user_all_features"), &json!(4), &json!(null))
    );
    assert_eq!(acme["limits"]["seats"], json!({"used": 4, "max": null, "own": false, "enforcement": "inform", "also_blocks": []}));
    assert_eq!(acme["limits"]["automations"]["enforcement"], "block_new");
    assert_eq!((&acme["can"]["update"]["allowed"], &page.json["items"][1]["tier"]), (&json!(true), &json!("T2")));
    assert_eq!(page.json["history"].as_array().unwrap().len(), 12);
    assert_eq!(page.json["history"][11], json!({"month": "2026-11", "users": 4, "capacity": 3}));
    assert_eq!(page.json["history"][10], json!({"month": "2026-10", "users": 0, "capacity": 0}), "nothing is invented");

    set(&hub, json!({"limits": {"seats": {"max": 3}}})).await;
    let page = hub.get("priya", &format!("{PAGE}?sort=status&limit=1")).await.expect(200);
    assert_eq!(page.json["kpis"], json!({"organisations": 5, "licensed_users": 4, "seat_capacity": 6, "over_limit": 1}));
    assert_eq!((&page.json["items"][0]["tenant"]["slug"], &page.json["items"][0]["near"]), (&json!("acme"), &json!(false)));
    let next = page.json["next"].as_str().unwrap();
    let page = hub.get("priya", &format!("{PAGE}?sort=status&limit=1&cursor={next}")).await.expect(200);
    assert_eq!(page.json["items"][0]["tenant"]["slug"], "plain");
    set(&hub, json!({"limits": {"seats": {"max": 4}}})).await;
    let page = hub.get("priya", &format!("{PAGE}?status=near")).await.expect(200);
    assert_eq!((&page.json["total"], &page.json["items"][0]["near"]), (&json!(1), &json!(true)));
    let near = &page.json["near_limit"];
    assert_eq!(
        (near.as_array().unwrap().len(), &near[0]["slug"], &near[0]["used"], &near[0]["max"]),
        (1, &json!("acme"), &json!(4), &json!(4))
    );
    hub.get("priya", &format!("{PAGE}?status=large")).await.expect(422);
    hub.get("priya", &format!("{PAGE}?sort=colour")).await.expect(422);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn technicians_see_what_is_assigned_and_others_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let page = hub.get("t2", PAGE).await.expect(200);
    assert_eq!((&page.json["total"], &page.json["kpis"]["organisations"]), (&json!(1), &json!(1)));
    let row = &page.json["items"][0];
    assert_eq!(
        (&row["tenant"]["slug"], &row["tier"], &row["can"]["update"]["allowed"]),
        (&json!("acme"), &json!("T2"), &json!(false))
    );
    hub.patch("t3", LICENCE, 1, json!({"type": "custom"})).await.expect(403);
    hub.get("carla", PAGE).await.expect(404);
    hub.patch("carla", "/providers/contoso/tenants/acme/licence", 1, json!({})).await.expect(404);
    hub.get("operator", "/tenants/acme/licence").await.expect(403);
    let own = hub.get("admin", "/tenants/acme/licence").await.expect(200);
    assert_eq!((&own.json["status"], &own.json["limits"]["seats"]["used"]), (&json!("unlimited"), &json!(4)));
    let file = hub.get("t2", &format!("{PAGE}/export")).await.expect(200);
    let text = String::from_utf8(file.bytes).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().nth(1).unwrap().contains(",acme,Acme Dental Group,T2,per_user_all_features,4,,unlimited,"), "{text}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_licence_is_changed_field_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let body = json!({"type": "custom", "limits": {"seats": {"max": 10, "enforcement": "block_new", "also_blocks": ["api_keys"]}, "api_keys": {"max": 0}}});
    let changed = set(&hub, body).await;
    assert_eq!(changed["type"], "custom");
    assert_eq!(
        changed["limits"]["seats"],
        json!({"used": 4, "max": 10, "own": true, "enforcement": "block_new", "also_blocks": ["api_keys"]})
    );
    assert_eq!(changed["limits"]["api_keys"]["max"], 0);
    let changed = set(&hub, json!({"limits": {"seats": {"max": null}}})).await;
    assert_eq!(
        (&changed["limits"]["seats"]["max"], &changed["limits"]["seats"]["own"], &changed["limits"]["seats"]["enforcement"]),
        (&json!(null), &json!(true), &json!("block_new"))
    );
    let changed = set(&hub, json!({"limits": {"seats": {"max": "plan", "enforcement": "inherit", "also_blocks": null}}})).await;
    assert_eq!(
        changed["limits"]["seats"],
        json!({"used": 4, "max": null, "own": false, "enforcement": "inform", "also_blocks": []})
    );
    let wrong =
        json!({"limits": {"seats": {"max": -1}, "api_keys": {"max": "many", "enforcement": "kill", "also_blocks": ["api_keys"]}}});
    let answer = hub.patch("priya", LICENCE, changed["version"].as_i64().unwrap(), wrong).await.expect(422);
    assert_eq!(
        answer.wrong_fields(),
        [
            "limits.seats.max out_of_range",
            "limits.api_keys.max out_of_range",
            "limits.api_keys.enforcement unknown",
            "limits.api_keys.also_blocks unknown"
        ]
    );
    hub.patch("priya", LICENCE, 1, json!({})).await.expect(412);
    let entry = hub.tenant_ledger("acme").await.into_iter().find(|entry| entry["action"] == "licensing.update").unwrap();
    assert_eq!(
        (&entry["changes"][0]["before"]["type"], &entry["changes"][0]["after"]["type"]),
        (&json!("per_user_all_features"), &json!("custom"))
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_sets_the_way_for_all_its_clients(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_write("test.set", "a provider's way").await.unwrap();
    let set = super::LimitDefault {
        limit: Limit::Seats,
        enforcement: Some(super::Enforcement::Warn),
        also_blocks: Some(vec![Limit::Automations]),
    };
    let provider = provider(&hub, "northwind").await;
    super::set_default(&mut tx, provider, &set).await.unwrap();
    assert_eq!(super::defaults(&mut tx, provider).await.unwrap(), [set]);
    tx.commit().await.unwrap();
    let acme = row(&hub, "acme").await;
    assert_eq!(
        (&acme["limits"]["seats"]["enforcement"], &acme["limits"]["seats"]["also_blocks"]),
        (&json!("warn"), &json!(["automations"]))
    );
    let birch = row(&hub, "birch").await;
    assert_eq!(birch["limits"]["seats"]["enforcement"], "inform", "Birch is Harbor's");
}

async fn provider(hub: &TestHub, slug: &str) -> kernel::ProviderId {
    let mut tx = hub.hub.system_read().await.unwrap();
    tx.one("SELECT id FROM provider WHERE slug = ?1", params![slug]).await.unwrap().take().unwrap()
}

async fn take(hub: &TestHub, claim: Claim) -> Result<Option<String>, (Limit, String)> {
    let mut tx = hub.hub.system_write("test.take", "somebody makes something").await.unwrap();
    match enforce::take(&mut tx, tenant("acme"), claim).await {
        Ok(told) => {
            tx.commit().await.unwrap();
            Ok(told.map(|told| told.detail))
        }
        Err(Error::LimitReached(why)) => Err((why.limit, why.detail)),
        Err(error) => panic!("{error}"),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_enforcement_does_what_it_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(take(&hub, Claim::Seat).await, Ok(None), "unlimited");
    set(&hub, json!({"limits": {"seats": {"max": 4}}})).await;
    assert_eq!(take(&hub, Claim::Seat).await, Ok(None), "inform lets everybody in");
    set(&hub, json!({"limits": {"seats": {"enforcement": "warn"}}})).await;
    let told = "5 of 4 seats are used with this one. Disable a member who left, or ask your provider for more seats.";
    assert_eq!(take(&hub, Claim::Seat).await, Ok(Some(told.into())));
    set(&hub, json!({"limits": {"seats": {"enforcement": "block_new", "also_blocks": ["api_keys"]}}})).await;
    let why = "All 4 seats are taken. Disable a member who left, or ask your provider for more seats.";
    assert_eq!(take(&hub, Claim::Seat).await, Err((Limit::Seats, why.into())));
    let why = "No new API keys while the limit of seats is reached (4 of 4). Disable a member who left, or ask your provider for more seats.";
    assert_eq!(take(&hub, Claim::ApiKey).await, Err((Limit::Seats, why.into())));
    set(&hub, json!({"limits": {"seats": {"max": 5}}})).await;
    assert_eq!(take(&hub, Claim::ApiKey).await, Ok(None));
    assert_eq!(take(&hub, Claim::Invitation).await, Ok(None));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_comes_once_and_goes_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    set(&hub, json!({"limits": {"seats": {"max": 4}}})).await;
    assert_eq!(alerts(&hub).await, [], "four of four, and it only informs");
    set(&hub, json!({"limits": {"seats": {"max": 3}}})).await;
    set(&hub, json!({"limits": {"seats": {"max": 2}}})).await;
    let raised = ("seats".to_owned(), false);
    assert_eq!(alerts(&hub).await, vec![raised.clone()]);
    set(&hub, json!({"limits": {"seats": {"max": 4}}})).await;
    assert_eq!(alerts(&hub).await, [raised.clone(), ("seats".to_owned(), true)]);
    set(&hub, json!({"limits": {"seats": {"enforcement": "block_new"}}})).await;
    assert_eq!(alerts(&hub).await.last(), Some(&raised), "nobody more can come: that matters now");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_scans_and_time_move_is_reviewed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    set(&hub, json!({"limits": {"resources": {"max": 100}}})).await;
    assert_eq!(super::review(&hub.hub).await.unwrap(), 0);
    for (resources, turned) in [(101, 1), (102, 0), (100, 1)] {
        hub.advance(std::time::Duration::from_secs(1));
        let mut tx = hub.hub.system_write("test.set", "a scan came").await.unwrap();
        tx.execute(
            "INSERT INTO summary (tenant_id, revision, updated_at, resources) VALUES (?1, 1, 0, ?2)
             ON CONFLICT (tenant_id) DO UPDATE SET resources = excluded.resources",
            params![tenant("acme"), resources],
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(super::review(&hub.hub).await.unwrap(), turned, "{resources}");
    }
    assert_eq!(alerts(&hub).await, [("resources".to_owned(), false), ("resources".to_owned(), true)]);
    assert!(super::check(&hub.hub, tenant("acme"), Limit::Automations, 3).await.unwrap().is_none());
    set(&hub, json!({"limits": {"automations": {"max": 3}}})).await;
    assert!(matches!(super::check(&hub.hub, tenant("acme"), Limit::Automations, 3).await, Err(Error::LimitReached(_))));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn history_is_what_was_counted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(crate::billing::note_usage(&hub.hub).await.unwrap(), 6, "Zeta too");
    assert_eq!(crate::billing::note_usage(&hub.hub).await.unwrap(), 0);
    hub.advance(std::time::Duration::from_secs(86_400 * 20));
    set(&hub, json!({"limits": {"seats": {"max": 7}}})).await;
    crate::billing::note_usage(&hub.hub).await.unwrap();
    let page = hub.get("priya", PAGE).await.expect(200);
    assert_eq!(page.json["history"][10], json!({"month": "2026-11", "users": 4, "capacity": 3}));
    assert_eq!(page.json["history"][11], json!({"month": "2026-12", "users": 4, "capacity": 10}));
}
