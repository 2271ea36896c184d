use std::time::Duration;

use axum::http::Method;
use kernel::news::{Alert, Of, Urgency};
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person, tenant};

use crate::stage::{MailServer, Protection, hub, hub_with, number, of_acme, run, say, titles};

async fn told(hub: &TestHub, who: &str) -> Vec<String> {
    titles(&hub.get(who, "/me/notifications").await.expect(200).json)
}

async fn set_rules(hub: &TestHub, who: &str, items: Value, digest: &str) -> testkit::Answer {
    let body = json!({ "items": items, "digest": digest });
    hub.send(who, Method::PUT, "/me/notification-rules", Some(body), &[]).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_act_is_told_and_who_may_not_see_never_is(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    let heard = ["admin", "operator", "t2", "t3", "priya"];
    for who in heard {
        assert_eq!(told(&hub, who).await, ["limit_crossed About seats"], "{who}");
    }
    for who in ["viewer", "auditor", "t0", "t1", "tech_none", "tech_expired", "tech_view", "harriet", "carla", "other_admin"] {
        assert!(told(&hub, who).await.is_empty(), "{who}");
    }
    let mut sent: Vec<String> = server
        .taken()
        .iter()
        .filter_map(|mail| {
            mail.lines().find_map(|line| line.strip_prefix("To: ")).map(|to| to.trim_end_matches("@cast.example").to_owned())
        })
        .collect();
    sent.sort();
    let mut expected = heard.to_vec();
    expected.sort_unstable();
    assert_eq!(sent, expected);
    assert!(server.taken()[0].contains("Subject: Acme Dental Group: Limit reached: About seats"), "{}", server.taken()[0]);
    let item = &hub.get("t2", "/me/notifications").await.expect(200).json["items"][0];
    assert_eq!((item["link"].as_str(), item["tenant"]["slug"].as_str()), (Some("/t/acme/alerts"), Some("acme")));
    assert_eq!((item["urgency"].as_str(), item["read_at"].clone()), (Some("warning"), Value::Null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_right_finds_nothing_any_more(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    assert_eq!(hub.get("t2", "/me/notifications").await.expect(200).json["unread"], 1);
    let mut tx = hub.hub.system_write("test.stage", "a test takes a right away").await.unwrap();
    tx.execute("UPDATE assignment SET ends_at = ?1 WHERE person_id = ?2", params![START, person("t2")]).await.unwrap();
    tx.commit().await.unwrap();
    let page = hub.get("t2", "/me/notifications").await.expect(200).json;
    assert_eq!((page["unread"].as_i64(), page["total"].as_i64()), (Some(0), Some(0)));
    assert_eq!(hub.post("t2", "/me/notifications/read", json!({"ids": []})).await.expect(200).json["unread"], 0);
    say(&hub, &of_acme("limit_crossed", "other", Urgency::Warning)).await;
    let sql = "SELECT COUNT(*) FROM notification n JOIN person p ON p.id = n.person_id WHERE p.email = 't2@cast.example'";
    assert_eq!(number(&hub, sql).await, 1, "nothing new is even written");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn read_is_read_once_and_only_ones_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for n in 0..3 {
        hub.advance(Duration::from_secs(1));
        say(&hub, &of_acme("limit_crossed", &n.to_string(), Urgency::Warning)).await;
    }
    let page = hub.get("admin", "/me/notifications?limit=2").await.expect(200).json;
    assert_eq!((page["unread"].as_i64(), page["total"].as_i64()), (Some(3), Some(3)));
    assert_eq!(page["items"][0]["label"], "About 2", "the newest first");
    let id = page["items"][0]["id"].clone();
    hub.post("operator", "/me/notifications/read", json!({"ids": [id]})).await.expect(200);
    assert_eq!(hub.post("admin", "/me/notifications/read", json!({"ids": [id]})).await.expect(200).json["unread"], 2);
    assert_eq!(hub.get("admin", "/me/notifications?unread=true").await.expect(200).json["total"], 2);
    assert_eq!(hub.post("admin", "/me/notifications/read", json!({"ids": "all"})).await.expect(200).json["unread"], 0);
    assert_eq!(hub.get("operator", "/me/notifications").await.expect(200).json["unread"], 3);
    hub.post("admin", "/me/notifications/read", json!({"ids": "some"})).await.expect(422);
    let next = page["next"].as_str().unwrap();
    let rest = hub.get("admin", &format!("/me/notifications?limit=2&cursor={next}")).await.expect(200).json;
    assert_eq!(rest["items"][0]["label"], "About 0");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rules_say_what_is_heard_and_how(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let rules = hub.get("viewer", "/me/notification-rules").await.expect(200).json;
    assert_eq!((rules["items"].as_array().unwrap().len(), rules["digest"].as_str()), (6, Some("off")));
    let quiet = json!([{"rule": "limit_crossed", "urgency_min": "critical", "channels": ["in_app"]}]);
    set_rules(&hub, "admin", quiet, "off").await.expect(200);
    let loud = json!([{"rule": "limit_crossed", "urgency_min": "info", "channels": ["in_app"]}]);
    let set = set_rules(&hub, "viewer", loud, "weekly").await.expect(200).json;
    assert_eq!(set["digest"], "weekly");
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    assert!(told(&hub, "admin").await.is_empty());
    assert_eq!(told(&hub, "viewer").await.len(), 1, "who may only look hears of what they asked for");
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Critical)).await;
    assert_eq!(told(&hub, "admin").await.len(), 1);
    for bad in [
        json!([{"rule": "other", "urgency_min": "info", "channels": []}]),
        json!([{"rule": "limit_crossed", "urgency_min": "loud", "channels": []}]),
        json!([{"rule": "limit_crossed", "urgency_min": "info", "channels": ["pigeon"]}]),
        json!([{"rule": "limit_crossed", "urgency_min": "info", "channels": ["chn_01999999999970009999999999999999"]}]),
        json!([{"rule": "scan_stale", "urgency_min": "info", "channels": []}, {"rule": "scan_stale", "urgency_min": "info", "channels": []}]),
    ] {
        set_rules(&hub, "admin", bad, "off").await.expect(422);
    }
    set_rules(&hub, "admin", json!([]), "hourly").await.expect(422);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_digest_says_what_came_since_the_last_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    for who in ["admin", "t3"] {
        set_rules(&hub, who, json!([{"rule": "limit_crossed", "urgency_min": "info", "channels": ["in_app"]}]), "daily")
            .await
            .expect(200);
    }
    for who in ["operator", "t2", "priya"] {
        set_rules(&hub, who, json!([{"rule": "limit_crossed", "urgency_min": "info", "channels": []}]), "off").await.expect(200);
    }
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    let plain = Alert { of: Of::Tenant(tenant("plain")), ..of_acme("limit_crossed", "seats", Urgency::Warning) };
    say(&hub, &plain).await;
    assert!(server.taken().is_empty());
    // Six in the morning of the next day; the technician was taken off one of the clients meanwhile.
    run(&hub, "DELETE FROM assignment WHERE person_id = ?1 AND tenant_id = ?2", params![person("t3"), tenant("plain")]).await;
    hub.advance(Duration::from_secs(21 * 3_600));
    crate::work(&hub.hub).await.unwrap();
    let taken = server.taken();
    assert_eq!(taken.len(), 2, "{taken:?}");
    assert!(taken.iter().all(|mail| mail.contains("Your day: 1 notifications") && !mail.contains("Plain Paper")), "{taken:?}");
    hub.advance(Duration::from_secs(86_400));
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(server.taken().len(), 2, "nothing came since");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_people_are_told_in_pieces_that_an_interruption_does_not_repeat(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_write("test.stage", "a test brings people").await.unwrap();
    for n in 0..240 {
        let id = kernel::PersonId::new(START);
        let sql = "INSERT INTO person (id, email, name, state, password_hash, created_at) VALUES (?1, ?2, 'x', 'active', '', 0)";
        tx.execute(sql, params![id, format!("{n}@many.example")]).await.unwrap();
        let sql =
            "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'operator', 'active', 0)";
        tx.execute(sql, params![kernel::ids::uuid_at(START), tenant("acme"), id]).await.unwrap();
    }
    tx.alert(&of_acme("new_criticals", "scan", Urgency::Critical)).await.unwrap();
    tx.commit().await.unwrap();
    crate::hear::all(&hub.hub).await.unwrap();
    // Half of it, as far as a hub got that then stopped.
    super::tell::piece(&hub.hub).await.unwrap();
    // Some of the first hundred may only look, and are told nothing.
    let told = number(&hub, "SELECT COUNT(*) FROM notification").await;
    assert!((85..=100).contains(&told), "{told}");
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM alert_telling WHERE after_person IS NOT NULL").await, 1);
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM notification").await, 245);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM alert_telling").await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_business_is_told_to_those_who_decide_on_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let northwind = tx.one("SELECT id FROM provider WHERE slug = 'northwind'", params![]).await.unwrap().take().unwrap();
    drop(tx);
    say(&hub, &Alert { of: Of::Provider(northwind), ..of_acme("licence_expiring", "x", Urgency::Warning) }).await;
    let page = hub.get("priya", "/me/notifications").await.expect(200).json;
    assert_eq!((page["unread"].as_i64(), page["items"][0]["provider"]["slug"].as_str()), (Some(1), Some("northwind")));
    for who in ["t3", "harriet", "carla", "admin"] {
        assert!(told(&hub, who).await.is_empty(), "{who}");
    }
    run(&hub, "UPDATE staff SET role = 'technician' WHERE person_id = ?1", params![person("priya")]).await;
    assert!(told(&hub, "priya").await.is_empty());
}
