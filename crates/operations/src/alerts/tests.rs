use std::time::Duration;

use kernel::clock::DAY_US;
use kernel::news::{Alert, Of, Urgency};
use kernel::{ProviderId, params};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person, tenant};

use crate::stage::{hub, number, of_acme, pass, run, say, titles};

const ACME: &str = "/tenants/acme/alerts";
const NORTHWIND: &str = "/providers/northwind/alerts";

async fn one(hub: &TestHub) -> Value {
    let page = hub.get("admin", ACME).await.expect(200).json;
    assert_eq!(page["total"], 1, "{page}");
    page["items"][0].clone()
}

fn path(alert: &Value, deed: &str) -> String {
    format!("{ACME}/{}/{deed}", alert["id"].as_str().expect("an id"))
}

async fn provider(hub: &TestHub, slug: &str) -> ProviderId {
    let mut tx = hub.hub.system_read().await.unwrap();
    tx.one("SELECT id FROM provider WHERE slug = ?1", params![slug]).await.unwrap().take().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn raised_twice_is_raised_once_and_raised_after_its_end_is_opened_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    let limit = of_acme("limit_crossed", "seats", Urgency::Warning);
    say(&hub, &limit).await;
    hub.advance(Duration::from_secs(60));
    say(&hub, &Alert { label: "Seats".into(), ..limit.clone() }).await;
    let alert = one(&hub).await;
    assert_eq!((alert["state"].as_str(), alert["count"].as_i64(), alert["label"].as_str()), (Some("open"), Some(1), Some("Seats")));
    assert_eq!((alert["raised_at"].clone(), alert["last_at"].clone()), (json!(START), json!(hub.hub.now())));
    let taken = hub.post("operator", &path(&alert, "acknowledge"), json!({})).await.expect(200).json;
    assert_eq!((taken["state"].as_str(), taken["acknowledged"]["by"]["name"].as_str()), (Some("acknowledged"), Some("operator")));
    say(&hub, &limit).await;
    assert_eq!(one(&hub).await["state"], "acknowledged", "noticed again, it is still looked after");
    say(&hub, &Alert { urgency: Urgency::Critical, ..limit.clone() }).await;
    let urgent = one(&hub).await;
    assert_eq!(
        (urgent["state"].as_str(), urgent["urgency"].as_str(), urgent["count"].as_i64()),
        (Some("open"), Some("critical"), Some(1))
    );
    say(&hub, &Alert { is_over: true, ..limit.clone() }).await;
    let over = one(&hub).await;
    assert_eq!((over["state"].as_str(), over["resolved"]["how"].as_str()), (Some("resolved"), Some("by_itself")));
    assert_eq!(over["resolved"]["by"], Value::Null);
    say(&hub, &Alert { is_over: true, ..limit.clone() }).await;
    say(&hub, &limit).await;
    let again = one(&hub).await;
    assert_eq!((again["state"].as_str(), again["count"].as_i64(), again["resolved"].clone()), (Some("open"), Some(2), Value::Null));
    let done = hub.post("admin", &path(&again, "resolve"), json!({"reason": "Bought more"})).await.expect(200).json;
    assert_eq!((done["resolved"]["how"].as_str(), done["resolved"]["reason"].as_str()), (Some("by_person"), Some("Bought more")));
    hub.post("admin", &path(&again, "acknowledge"), json!({})).await.expect(409);
    let ledger = hub.tenant_ledger("acme").await;
    let entry = ledger.iter().find(|entry| entry["action"] == "alert.resolve").expect("in the tenant's ledger");
    assert_eq!((entry["reason"].as_str(), entry["changes"][0]["after"]["state"].as_str()), (Some("Bought more"), Some("resolved")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_ends_by_itself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Info)).await;
    let alert = one(&hub).await;
    let until = hub.hub.now().after(Duration::from_secs(3_600));
    for bad in [START.plus_days(-1), START.plus_days(91)] {
        hub.post("admin", &path(&alert, "snooze"), json!({ "until": bad })).await.expect(422);
    }
    let snoozed = hub.post("t2", &path(&alert, "snooze"), json!({ "until": until })).await.expect(200).json;
    assert_eq!((snoozed["state"].as_str(), snoozed["snoozed_until"].clone()), (Some("snoozed"), json!(until)));
    let unread = hub.get("admin", "/me/notifications").await.expect(200).json["unread"].clone();
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Info)).await;
    assert_eq!(one(&hub).await["state"], "snoozed");
    hub.advance(Duration::from_secs(3_600));
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(one(&hub).await["state"], "open");
    let after = hub.get("admin", "/me/notifications").await.expect(200).json["unread"].clone();
    assert_eq!((unread, after), (json!(1), json!(2)), "people are told again");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_filtered_sorted_and_counted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for (rule, subject, urgency) in [
        ("limit_crossed", "seats", Urgency::Warning),
        ("new_criticals", "scan 1", Urgency::Critical),
        ("limit_crossed", "api_keys", Urgency::Info),
    ] {
        hub.advance(Duration::from_secs(1));
        say(&hub, &of_acme(rule, subject, urgency)).await;
    }
    let list = async |query: &str| titles(&hub.get("viewer", &format!("{ACME}?{query}")).await.expect(200).json);
    assert_eq!(list("").await, ["limit_crossed About api_keys", "new_criticals About scan 1", "limit_crossed About seats"]);
    assert_eq!(list("sort=-urgency").await[0], "new_criticals About scan 1");
    assert_eq!(list("rule=limit_crossed&sort=raised").await[0], "limit_crossed About seats");
    assert_eq!(list("urgency=info").await, ["limit_crossed About api_keys"]);
    assert_eq!(list("q=SEAT").await, ["limit_crossed About seats"]);
    assert!(list("state=resolved").await.is_empty());
    let page = hub.get("viewer", &format!("{ACME}?limit=2")).await.expect(200).json;
    assert_eq!(page["counts"]["open"], 3);
    assert_eq!(page["counts"]["by_urgency"], json!({"info": 1, "warning": 1, "critical": 1}));
    let next = page["next"].as_str().expect("there is more");
    assert_eq!(list(&format!("limit=2&cursor={next}")).await, ["limit_crossed About seats"]);
    assert_eq!(page["items"][0]["can"]["acknowledge"]["allowed"], false, "a viewer looks");
    for bad in ["rule=other", "sort=other", "limit=0", "state=other", "cursor=x"] {
        assert_eq!(hub.get("viewer", &format!("{ACME}?{bad}")).await.expect(422).code(), "invalid", "{bad}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_providers_page_shows_what_its_reader_may_see_at_each_client(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let northwind = provider(&hub, "northwind").await;
    for slug in ["acme", "plain", "frost", "birch", "zeta"] {
        let alert = Alert { of: Of::Tenant(tenant(slug)), label: slug.into(), ..of_acme("limit_crossed", "seats", Urgency::Info) };
        say(&hub, &alert).await;
    }
    let own = Alert { of: Of::Provider(northwind), label: "ours".into(), ..of_acme("licence_expiring", "x", Urgency::Info) };
    say(&hub, &own).await;
    let labels = async |who: &str, path: &str| {
        let page = hub.get(who, path).await.expect(200).json;
        let mut labels: Vec<String> =
            page["items"].as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect();
        labels.sort();
        assert_eq!(page["total"], labels.len());
        assert_eq!(page["counts"]["open"], labels.len());
        labels
    };
    assert_eq!(labels("priya", NORTHWIND).await, ["acme", "birch", "ours", "plain"], "Frost is frozen, Zeta another's");
    assert_eq!(labels("t3", NORTHWIND).await, ["acme", "plain"]);
    assert_eq!(labels("t2", NORTHWIND).await, ["acme"]);
    for nobody in ["t0", "tech_none", "tech_expired"] {
        assert!(labels(nobody, NORTHWIND).await.is_empty(), "{nobody}");
    }
    assert_eq!(labels("harriet", "/providers/harbor/alerts").await, ["birch"]);
    let page = hub.get("priya", &format!("{NORTHWIND}?tenant=acme")).await.expect(200).json;
    assert_eq!(page["total"], 1);
    assert_eq!(page["items"][0]["tenant"]["slug"], "acme");
    assert_eq!(page["items"][0]["can"]["resolve"]["allowed"], true);
    assert_eq!(hub.get("priya", &format!("{NORTHWIND}?tenant=zeta")).await.expect(200).json["total"], 0);
    hub.get("carla", NORTHWIND).await.expect(404);
    let viewed = hub.get("t1", NORTHWIND).await.expect(200).json;
    assert_eq!(viewed["items"][0]["can"]["resolve"]["allowed"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_are_decided_on_at_the_provider_and_clients_at_the_client(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    let northwind = provider(&hub, "northwind").await;
    let own = Alert { of: Of::Provider(northwind), ..of_acme("licence_expiring", "x", Urgency::Info) };
    say(&hub, &own).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Info)).await;
    let page = hub.get("priya", NORTHWIND).await.expect(200).json;
    let find = |of: &str| page["items"].as_array().unwrap().iter().find(|item| item["of"] == of).unwrap()["id"].as_str().unwrap();
    let (own, acmes) = (find("provider"), find("tenant"));
    let until = hub.hub.now().plus_days(1);
    for (deed, body) in [("acknowledge", json!({})), ("snooze", json!({ "until": until })), ("resolve", json!({}))] {
        hub.post("t3", &format!("{NORTHWIND}/{own}/{deed}"), body.clone()).await.expect(403);
        hub.post("priya", &format!("{NORTHWIND}/{acmes}/{deed}"), body.clone()).await.expect(404);
        hub.post("other_admin", &format!("/tenants/zeta/alerts/{acmes}/{deed}"), body.clone()).await.expect(404);
        hub.post("admin", &format!("{ACME}/{own}/{deed}"), body.clone()).await.expect(404);
        hub.post("viewer", &format!("{ACME}/{acmes}/{deed}"), body.clone()).await.expect(403);
        hub.post("t1", &format!("{ACME}/{acmes}/{deed}"), body.clone()).await.expect(403);
        hub.post("priya", &format!("{NORTHWIND}/{own}/{deed}"), body.clone()).await.expect(200);
    }
    let ledger = hub.control_ledger().await;
    assert_eq!(ledger.iter().filter(|entry| entry["action"] == "provider_alert.resolve" && entry["outcome"] == "done").count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn staff_are_shown_to_a_client_as_their_provider_shows_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Info)).await;
    let alert = one(&hub).await;
    hub.post("t2", &path(&alert, "acknowledge"), json!({})).await.expect(200);
    assert_eq!(one(&hub).await["acknowledged"]["by"], json!({"id": person("t2"), "name": "t2"}));
    run(&hub, "UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'", params![]).await;
    assert_eq!(one(&hub).await["acknowledged"]["by"], json!({"id": null, "name": "Northwind IT"}));
    hub.post("operator", &path(&alert, "acknowledge"), json!({})).await.expect(200);
    assert_eq!(one(&hub).await["acknowledged"]["by"]["name"], "operator");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn scans_that_grow_old_are_noticed_until_there_is_a_new_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let scanned = async |at: kernel::Timestamp| {
        let sql = "INSERT INTO summary (tenant_id, revision, scan_at, updated_at) VALUES (?1, 1, ?2, ?2)
                   ON CONFLICT (tenant_id) DO UPDATE SET scan_at = excluded.scan_at";
        run(&hub, sql, params![tenant("acme"), at]).await;
        crate::work(&hub.hub).await.unwrap();
    };
    scanned(START.plus_days(-6)).await;
    assert_eq!(hub.get("admin", ACME).await.expect(200).json["total"], 0);
    pass(&hub, Duration::from_micros(DAY_US.unsigned_abs())).await;
    crate::work(&hub.hub).await.unwrap();
    crate::work(&hub.hub).await.unwrap();
    let alert = one(&hub).await;
    assert_eq!(
        (alert["rule"].as_str(), alert["count"].as_i64(), alert["state"].as_str()),
        (Some("scan_stale"), Some(1), Some("open"))
    );
    hub.post("admin", &path(&alert, "resolve"), json!({"reason": "We know"})).await.expect(200);
    hub.advance(Duration::from_secs(3_600));
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(one(&hub).await["state"], "resolved", "whoever resolved it knows");
    scanned(hub.hub.now()).await;
    pass(&hub, Duration::from_micros(7 * DAY_US.unsigned_abs())).await;
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(one(&hub).await["count"], 2, "old again");
    scanned(hub.hub.now()).await;
    let over = one(&hub).await;
    assert_eq!((over["state"].as_str(), over["resolved"]["how"].as_str()), (Some("resolved"), Some("by_itself")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_relationship_that_is_renewed_ends_its_alert(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let set_end = "UPDATE relationship SET ends_at = ?1 WHERE tenant_id = ?2";
    run(&hub, set_end, params![START.plus_days(5), tenant("acme")]).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let sql = "SELECT id FROM relationship WHERE tenant_id = ?1";
    let id: uuid::Uuid = tx.one(sql, params![tenant("acme")]).await.unwrap().take().unwrap();
    drop(tx);
    say(&hub, &of_acme("relationship_expiring", &format!("rel_{}", id.simple()), Urgency::Warning)).await;
    assert_eq!(one(&hub).await["state"], "open");
    run(&hub, set_end, params![START.plus_days(365), tenant("acme")]).await;
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(one(&hub).await["resolved"]["how"], "by_itself");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn five_refused_writes_within_an_hour_are_noticed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Info)).await;
    let target = path(&one(&hub).await, "acknowledge");
    for n in 1..=6 {
        for who in ["viewer", "t1"] {
            hub.post(who, &target, json!({})).await.expect(403);
        }
        crate::work(&hub.hub).await.unwrap();
        let page = hub.get("admin", &format!("{ACME}?rule=writes_refused&sort=raised")).await.expect(200).json;
        assert_eq!(page["total"], if n < 5 { 0 } else { 2 }, "after {n}");
    }
    let page = hub.get("admin", &format!("{ACME}?rule=writes_refused")).await.expect(200).json;
    let labels = titles(&page);
    assert!(labels.contains(&"writes_refused viewer".to_owned()), "{labels:?}");
    assert!(labels.contains(&"writes_refused Northwind IT".to_owned()), "of staff it says whose they are: {labels:?}");
    assert!(!page.to_string().contains(&person("t1").to_string()));
    pass(&hub, Duration::from_secs(86_400)).await;
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(hub.get("admin", &format!("{ACME}?rule=writes_refused&state=resolved")).await.expect(200).json["total"], 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_hear_each_piece_once() {
    let one = hub(Engine::Postgres).await;
    let other = kernel::Hub::open(one.config.clone()).await.expect("another hub");
    crate::stage::provide(&other, None);
    for n in 0..30 {
        let mut tx = one.hub.system_write("test.say", "a test raises an alert").await.unwrap();
        tx.alert(&of_acme("limit_crossed", &format!("{}", n % 3), Urgency::Info)).await.unwrap();
        tx.commit().await.unwrap();
    }
    let (a, b) = tokio::join!(crate::work(&one.hub), crate::work(&other));
    a.and(b).expect("both work");
    crate::work(&one.hub).await.unwrap();
    assert_eq!(number(&one, "SELECT COUNT(*) FROM alert WHERE count = 1 AND turn = 1").await, 3);
    assert_eq!(number(&one, "SELECT COUNT(*) FROM news").await, 0);
    assert_eq!(number(&one, "SELECT COUNT(*) FROM alert_telling").await, 0);
    let per_person = "SELECT MAX(n) FROM (SELECT CAST(COUNT(*) AS bigint) AS n FROM notification GROUP BY person_id) counted";
    assert_eq!(number(&one, per_person).await, 3);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_nobody_is_dropped(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let base = of_acme("limit_crossed", "seats", Urgency::Info);
    say(&hub, &Alert { of: Of::Tenant(kernel::TenantId::new(START)), ..base.clone() }).await;
    say(&hub, &Alert { of: Of::Installation, ..base.clone() }).await;
    say(&hub, &Alert { is_over: true, ..base }).await;
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM alert").await, 0);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM news").await, 0);
}
