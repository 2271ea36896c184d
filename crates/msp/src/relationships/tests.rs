use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const ACME: &str = "/providers/northwind/tenants/acme/relationship";

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_in_both_ledgers_what_it_means(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(
        hub.send("priya", Method::PATCH, ACME, Some(json!({"tier": "T1"})), &[]).await.expect(428).code(),
        "precondition_required"
    );
    let lowered = hub.patch("priya", ACME, 1, json!({"tier": "T1"})).await.expect(200);
    assert_eq!(lowered.version(), 2);
    assert_eq!(lowered.json["relationship"]["tier"], "T1");
    assert_eq!(lowered.json["slug"], "acme");
    hub.patch("priya", ACME, 1, json!({"tier": "T2"})).await.expect(412);
    let own = hub.tenant_ledger("acme").await;
    let control = hub.control_ledger().await;
    for ledger in [own, control] {
        let entry = ledger.into_iter().find(|e| e["action"] == "relationship.update" && e["outcome"] == "done").unwrap();
        let (before, after) = (&entry["changes"][0]["before"], &entry["changes"][0]["after"]);
        assert_eq!((&before["tier"], &after["tier"]), (&json!("T3"), &json!("T1")));
        // t0 t1 t2 t3 tech_view are live on Acme; at T1 those of t2, t3 and tech_view are held back.
        assert_eq!((&before["assignments"], &before["assignments_limited"]), (&json!(5), &json!(0)));
        assert_eq!((&after["assignments"], &after["assignments_limited"]), (&json!(5), &json!(3)));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_makes_it_expire(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let state = async |body: Value, version: i64| {
        hub.patch("priya", ACME, version, body).await.expect(200).json["relationship"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(json!({"ends_at": "2027-01-21T09:00:00Z"}), 1).await, "active");
    assert_eq!(state(json!({"ends_at": "2026-12-20T09:00:00Z"}), 2).await, "expiring");
    hub.advance(std::time::Duration::from_secs(40 * 86_400));
    let seen = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    assert_eq!(seen.json["relationship"]["state"], "expired");
    assert_eq!(state(json!({"ends_at": null}), 3).await, "active");
    let entry = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (&entry["changes"][0]["before"]["assignments"], &entry["changes"][0]["after"]["assignments"]),
        (&json!(0), &json!(5))
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_further_than_the_provider_above(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (above, below) = ("/providers/northwind/tenants/birch/relationship", "/providers/harbor/tenants/birch/relationship");
    let seen = hub.get("harriet", "/providers/harbor/tenants/birch").await.expect(200);
    assert_eq!((&seen.json["relationship"]["tier"], &seen.json["relationship"]["parent_tier"]), (&json!("T3"), &json!("T2")));
    assert_eq!(hub.patch("harriet", below, 1, json!({"tier": "T3"})).await.expect(422).wrong_fields(), ["tier above_ceiling"]);
    hub.patch("harriet", below, 1, json!({"tier": "T2"})).await.expect(200);
    let lowered = hub.patch("priya", above, 1, json!({"tier": "T0"})).await.expect(200);
    assert_eq!(lowered.json["via"]["name"], "Harbor Services");
    let seen = hub.get("harriet", "/providers/harbor/tenants/birch").await.expect(200);
    assert_eq!((&seen.json["relationship"]["tier"], &seen.json["relationship"]["parent_tier"]), (&json!("T2"), &json!("T0")));
    let clients = hub.get("harriet", "/providers/harbor/clients").await.expect(200);
    assert_eq!(clients.json["items"][0]["tier"], "T0");
    let entry = hub.tenant_ledger("birch").await.pop().unwrap();
    assert_eq!(entry["changes"][0]["before"]["sub_providers_limited"], 0);
    assert_eq!(entry["changes"][0]["after"]["sub_providers_limited"], 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_not_the_providers_to_lift_and_an_end_is_an_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let frost = "/providers/northwind/tenants/frost/relationship";
    let no = hub.patch("priya", frost, 1, json!({"state": "active"})).await.expect(409);
    assert!(no.json["detail"].as_str().unwrap().contains("lift the freeze"));
    assert_eq!(hub.patch("priya", frost, 1, json!({"tier": "T1"})).await.expect(200).json["relationship"]["state"], "frozen");
    let ended = hub.patch("priya", ACME, 1, json!({"state": "ended"})).await.expect(200);
    assert_eq!(ended.json["relationship"]["state"], "ended");
    assert_eq!(ended.json["can"]["relationship.update"]["allowed"], false);
    hub.patch("priya", ACME, 2, json!({"state": "active"})).await.expect(403);
    let clients = hub.get("priya", "/providers/northwind/clients?q=acme").await.expect(200);
    assert_eq!(clients.json["items"][0]["enter"]["allowed"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_and_wrong_people(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for (body, want) in [
        (json!({"tier": "T4"}), "tier wrong_type"),
        (json!({"state": "frozen"}), "state wrong_type"),
        (json!({"ends_at": "tomorrow"}), "ends_at wrong_type"),
        (json!({"ends_at": "2020-01-01T00:00:00Z"}), "ends_at in_the_past"),
    ] {
        assert_eq!(hub.patch("priya", ACME, 1, body).await.expect(422).wrong_fields(), [want]);
    }
    hub.patch("carla", "/providers/contoso/tenants/acme/relationship", 1, json!({"tier": "T0"})).await.expect(404);
    hub.patch("harriet", ACME, 1, json!({"tier": "T0"})).await.expect(404);
    hub.patch("t3", ACME, 1, json!({"tier": "T0"})).await.expect(403);
    let mut tx = hub.hub.system_read().await.unwrap();
    let mut row = tx.one("SELECT COUNT(*) FROM relationship WHERE version <> ?1", params![1_i64]).await.unwrap();
    assert_eq!(row.take::<i64>().unwrap(), 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_warned_at_30_7_and_1_days_once_each(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.patch("priya", ACME, 1, json!({"ends_at": "2026-12-31T09:00:00Z"})).await.expect(200);
    let warnings = async || {
        let own = hub.tenant_ledger("acme").await;
        let days =
            own.iter().filter(|e| e["action"] == "relationship.expiring").map(|e| e["changes"][0]["after"]["days_left"].clone());
        days.collect::<Vec<_>>()
    };
    let mut given = Vec::new();
    for (advance, more) in [(9, None), (1, Some(30)), (1, None), (22, Some(7)), (5, None), (1, Some(1)), (1, None)] {
        hub.advance(std::time::Duration::from_secs(advance * 86_400));
        for _ in 0..2 {
            super::warn_due(&hub.hub).await.unwrap();
        }
        given.extend(more.map(Value::from));
        assert_eq!(warnings().await, given);
    }
    let of_provider = hub.control_ledger().await.into_iter().filter(|e| e["action"] == "relationship.expiring").count();
    assert_eq!(of_provider, 3);
    let said = hub.hub.system_read().await.unwrap().news(100).await.unwrap();
    let alerts = said.into_iter().filter_map(|(_, said)| match said {
        kernel::news::Said::Alert(alert) => Some((matches!(alert.of, kernel::news::Of::Tenant(_)), alert.label, alert.urgency)),
        kernel::news::Said::Mail(_) => None,
    });
    use kernel::news::Urgency::{Critical, Info, Warning};
    let both = [Info, Warning, Critical]
        .into_iter()
        .flat_map(|urgency| [(false, "Acme Dental Group".to_owned(), urgency), (true, "Northwind IT".to_owned(), urgency)]);
    // Of one act, and so of one instant: in no order.
    let mut alerts: Vec<_> = alerts.collect();
    alerts.sort_by_key(|(of_tenant, _, urgency)| (*urgency, *of_tenant));
    assert_eq!(alerts, both.collect::<Vec<_>>(), "each side reads the other's name");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_are_renewed_at_once_after_their_end_too(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.patch("priya", ACME, 1, json!({"ends_at": "2026-12-01T09:00:00Z"})).await.expect(200);
    hub.advance(std::time::Duration::from_secs(30 * 86_400));
    hub.get("t2", "/tenants/acme/context").await.expect(403);
    let expired = hub.get("priya", "/providers/northwind/relationships?state=expired").await.expect(200).json;
    assert_eq!((&expired["total"], &expired["items"][0]["tenant"]["slug"]), (&json!(1), &json!("acme")));
    assert_eq!(expired["items"][0]["days_left"], -20);
    let body = json!({"tenants": ["acme", "sable", "acme", "zeta"], "ends_at": "2027-12-01T09:00:00Z"});
    let done = hub.post("priya", "/providers/northwind/relationships/renew", body.clone()).await.expect(200).json;
    let outcomes: Vec<_> = done["results"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["renewed", "renewed", "failed", "failed"]);
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    let own = hub.tenant_ledger("acme").await;
    let entry = own.iter().rfind(|e| e["action"] == "relationship.renew").unwrap();
    assert_eq!(entry["changes"].as_array().unwrap().len(), 1, "nothing of another tenant is in this ledger");
    hub.post("t3", "/providers/northwind/relationships/renew", body).await.expect(403);
    let wrong = json!({"tenants": [], "ends_at": "2020-01-01T00:00:00Z"});
    let refused = hub.post("priya", "/providers/northwind/relationships/renew", wrong).await.expect(422);
    assert_eq!(refused.wrong_fields(), ["tenants out_of_range", "ends_at in_the_past"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_waits_where_the_tenant_wants_to_be_asked(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.patch("priya", ACME, 1, json!({"ends_at": "2026-12-01T09:00:00Z"})).await.expect(200);
    let view = hub.get("admin", "/tenants/acme/provider-access").await.expect(200).json;
    let own = format!("/tenants/acme/provider-access/relationships/{}", view["relationships"][0]["id"].as_str().unwrap());
    hub.send("admin", Method::PATCH, &own, Some(json!({"renew_by": "tenant_consent"})), &[]).await.expect(200);
    let body = json!({"tenants": ["acme"], "ends_at": "2027-12-01T09:00:00Z"});
    let done = hub.post("priya", "/providers/northwind/relationships/renew", body).await.expect(200).json;
    assert_eq!(done["results"][0]["outcome"], "waiting");
    let row = hub.get("priya", "/providers/northwind/relationships?q=acme").await.expect(200).json["items"][0].clone();
    assert_eq!((&row["pending_renewal"], &row["ends_at"]), (&json!(true), &json!("2026-12-01T09:00:00.000000Z")));
    let id = hub.get("admin", "/tenants/acme/access-requests?state=pending").await.expect(200).json["items"][0]["id"].clone();
    hub.post("admin", &format!("/tenants/acme/access-requests/{}/approve", id.as_str().unwrap()), json!({})).await.expect(204);
    let row = hub.get("priya", "/providers/northwind/relationships?q=acme").await.expect(200).json["items"][0].clone();
    assert_eq!((&row["pending_renewal"], &row["ends_at"]), (&json!(false), &json!("2027-12-01T09:00:00.000000Z")));
}
