use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const DAY: Duration = Duration::from_secs(86_400);

/// A hub that has counted its first day (2026-11-21).
async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    super::note_usage(&hub.hub).await.unwrap();
    hub
}

async fn plan(hub: &TestHub, name: &str, month: i64, seat: i64, more: Value) -> Value {
    let mut body = json!({"name": name, "modules": ["compliance"], "price": {"month": month, "seat": seat}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hub.post("priya", "/providers/northwind/plans", body).await.expect(201).json["id"].clone()
}

async fn assign(hub: &TestHub, plan: &Value, slug: &str) {
    let body = json!({"plan": plan, "tenants": [slug]});
    hub.post("priya", "/providers/northwind/plans/assign", body).await.expect(200);
}

/// Days go by; priya stays signed in.
async fn days(hub: &TestHub, days: u32) {
    hub.advance(DAY * days);
    let mut tx = hub.hub.system_write("test.stay", "days go by").await.unwrap();
    let later = hub.hub.now().plus_days(1_000);
    tx.execute("UPDATE session SET idle_expires_at = ?1, expires_at = ?1", kernel::params![later]).await.unwrap();
    tx.commit().await.unwrap();
}

fn lines(bill: &Value) -> Vec<(String, i64, i64)> {
    let line = |line: &Value| {
        (line["kind"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap(), line["amount_micros"].as_i64().unwrap())
    };
    bill["lines"].as_array().unwrap().iter().map(line).collect()
}

fn line(kind: &str, quantity: i64, amount: i64) -> (String, i64, i64) {
    (kind.to_owned(), quantity, amount)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_running_month_is_worked_out_and_a_closed_one_never_changes(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let gold = plan(&hub, "Gold", 30_000_000, 3_000_000, json!({})).await;
    assign(&hub, &gold, "acme").await;
    let bills = hub.get("admin", "/tenants/acme/bills").await.expect(200);
    assert_eq!(
        (&bills.json["plan"]["name"], &bills.json["plan"]["price"]["month"], &bills.json["seats"]),
        (&json!("Gold"), &json!(30_000_000), &json!({"used": 4, "max": null}))
    );
    let running = &bills.json["items"][0];
    assert_eq!((&running["id"], &running["state"], &running["period"]), (&json!(null), &json!("running"), &json!("2026-11")));
    // The 21st alone, of thirty days; four seats.
    assert_eq!(lines(running), [line("plan", 1, 1_000_000), line("seats", 4, 400_000)]);

    days(&hub, 9).await;
    assert_eq!(super::close_months(&hub.hub).await.unwrap(), 0, "the 30th is not over");
    days(&hub, 1).await;
    assert_eq!(super::close_months(&hub.hub).await.unwrap(), 1);
    assert_eq!(super::close_months(&hub.hub).await.unwrap(), 0);
    let bills = hub.get("admin", "/tenants/acme/bills").await.expect(200);
    let closed = bills.json["items"][1].clone();
    assert_eq!(
        (&closed["state"], &closed["period"], &closed["total_micros"]),
        (&json!("closed"), &json!("2026-11"), &json!(14_000_000))
    );
    assert_eq!(lines(&closed), [line("plan", 10, 10_000_000), line("seats", 4, 4_000_000)]);
    assert_eq!(bills.json["items"][0]["period"], "2026-12");

    let path = format!("/providers/northwind/plans/{}", gold.as_str().unwrap());
    hub.patch("priya", &path, 1, json!({"price": {"month": 90_000_000}, "apply": "all_clients"})).await.expect(200);
    let bills = hub.get("admin", "/tenants/acme/bills").await.expect(200);
    assert_eq!(bills.json["items"][1], closed);
    assert_eq!(bills.json["items"][0]["lines"][0]["unit_micros"], 90_000_000);
    hub.get("operator", "/tenants/acme/bills").await.expect(403);
    hub.get("t3", "/tenants/acme/bills").await.expect(403);
    hub.get("other_admin", "/tenants/acme/bills").await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_runs_on_when_a_tenant_is_moved_and_an_archived_one_is_on_no_plan(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    plan(&hub, "Try", 30_000_000, 0, json!({"trial_days": 4})).await;
    let full = plan(&hub, "Full", 60_000_000, 0, json!({"trial_days": 30})).await;
    let body = json!({"slug": "quill", "name": "=Quill, Inc", "plan": "Try", "admin_email": "ada@quill.example"});
    hub.post("priya", "/providers/northwind/tenants", body).await.expect(201);
    days(&hub, 2).await;
    assign(&hub, &full, "quill").await;
    days(&hub, 4).await;
    hub.post("priya", "/providers/northwind/tenants/quill/archive", json!({"reason": "They left"})).await.expect(200);
    days(&hub, 2).await;
    hub.post("priya", "/providers/northwind/tenants/quill/restore", json!({})).await.expect(200);
    days(&hub, 2).await;
    assert_eq!(super::close_months(&hub.hub).await.unwrap(), 1);
    let revenue = hub.get("priya", "/providers/northwind/revenue?q=quill&from=2026-11&to=2026-11").await.expect(200);
    // 21 and 22 on trial; 23 and 24 too, on the other plan; 25 and 26 paid, 27 and 28 archived, 29 and 30 paid.
    assert_eq!(revenue.json["items"][0]["months"], json!([8_000_000]));
    let file = hub.get("priya", "/providers/northwind/revenue/export?q=quill&from=2026-11&to=2026-11").await.expect(200);
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.starts_with("id,slug,organisation,plan,currency,2026-11,total\r\n"), "{text}");
    assert!(text.contains(",quill,\"'=Quill, Inc\",Full,EUR,8.00,8.00\r\n"), "{text}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn revenue_is_the_sum_of_the_bills(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (euro, dollar) = (
        plan(&hub, "Euro", 30_000_000, 0, json!({})).await,
        plan(&hub, "Dollar", 60_000_000, 0, json!({"price": {"month": 60_000_000, "currency": "USD"}})).await,
    );
    assign(&hub, &euro, "acme").await;
    assign(&hub, &dollar, "plain").await;
    days(&hub, 10).await;
    super::close_months(&hub.hub).await.unwrap();
    let revenue = hub.get("priya", "/providers/northwind/revenue?from=2026-10&to=2026-12").await.expect(200);
    assert_eq!(revenue.json["months"], json!(["2026-10", "2026-11", "2026-12"]));
    assert_eq!(revenue.json["currencies"], json!(["EUR", "USD"]));
    assert_eq!(
        revenue.json["totals"][0],
        json!({"currency": "EUR", "months": [0, 10_000_000, 970_000], "total_micros": 10_970_000})
    );
    assert_eq!(revenue.json["totals"][1]["months"], json!([0, 20_000_000, 1_940_000]));
    let slugs: Vec<_> =
        revenue.json["items"].as_array().unwrap().iter().map(|row| row["tenant"]["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["acme", "frost", "plain", "sable"], "Birch pays Harbor");
    let page = hub.get("priya", "/providers/northwind/revenue?limit=1&sort=-organisation").await.expect(200);
    assert_eq!(
        (page.json["items"][0]["tenant"]["slug"].as_str(), page.json["months"].as_array().unwrap().len()),
        (Some("sable"), 12)
    );
    assert!(page.json["next"].is_string());
    for wrong in ["from=2026-13", "to=soon", "from=2026-12&to=2026-11", "from=2020-01&to=2026-11"] {
        hub.get("priya", &format!("/providers/northwind/revenue?{wrong}")).await.expect(422);
    }
    hub.get("t3", "/providers/northwind/revenue").await.expect(403);
    hub.get("t3", "/providers/northwind/revenue/export").await.expect(403);

    let file = hub.get("admin", "/tenants/acme/bills/export?period=2026-11").await.expect(200);
    let text = String::from_utf8(file.bytes).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[1], "2026-11,closed,Acme Dental Group,Euro,EUR,plan,Euro,10,30.00,10.00,2026-11-21,2026-11-30");
    assert_eq!(lines.len(), 2);
    hub.get("admin", "/tenants/acme/bills/export?period=never").await.expect(422);
}
