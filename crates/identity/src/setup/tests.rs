use std::sync::Arc;
use std::time::Duration;

use kernel::door::BoxFuture;
use kernel::{ProviderId, Result, WriteTx, params, scope};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

use super::{Founder, Founding, House, prepare};
use crate::stage::{Browser, PASSWORD, assert_unsaid, entries, hub, number};

/// Founds as the msp crate does, in the least.
struct TestFounder;

impl Founder for TestFounder {
    fn found<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, founding: &'a Founding) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let House::Provider { name, slug } = &founding.house else { return Err(kernel::Error::NotFound) };
            let now = tx.now();
            let id = ProviderId::new(now);
            tx.execute(
                "INSERT INTO provider (id, slug, name, state, created_at) VALUES (?1, ?2, ?3, 'active', ?4)",
                params![id, slug.as_str(), name.as_str(), now],
            )
            .await?;
            tx.execute(
                "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES (?1, ?1, ?2, 'provider_admin', 'active', ?3)",
                params![id, founding.person, now],
            )
            .await?;
            tx.in_ledger_of(id).subject("provider", id, name.clone());
            Ok(())
        })
    }
}

async fn empty(engine: Engine) -> TestHub {
    let hub = TestHub::empty(engine, crate::router()).await;
    crate::provide(&hub.hub);
    hub.hub.provide::<Arc<dyn Founder>>(Arc::new(TestFounder));
    hub
}

fn body(code: &str) -> Value {
    json!({"code": code, "provider_name": "Northwind IT", "provider_slug": "northwind", "name": "Priya Nair",
           "email": "Priya@northwind.example", "password": PASSWORD})
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_is_set_up_once_with_the_code(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.get("/setup").await.expect(200).json, json!({"needed": true, "modes": ["provider", "standalone"]}));
    // Before there is a code, none is right.
    assert_eq!(browser.post("/setup", body("")).await.expect(422).wrong_fields(), ["code wrong"]);
    let old = prepare(&hub.hub).await.expect("made").expect("needed");
    let code = prepare(&hub.hub).await.expect("made").expect("still needed");
    for wrong in ["0000-0000-0000-0000-0000", &old] {
        assert_eq!(browser.post("/setup", body(wrong)).await.expect(422).wrong_fields(), ["code wrong"]);
    }
    let typed = format!(" {} ", code.to_uppercase());
    let me = browser.post("/setup", body(&typed)).await.expect(201);
    assert_eq!(me.json["person"]["email"], "priya@northwind.example");
    assert_eq!(me.json["providers"][0]["slug"], "northwind");
    assert_eq!(me.json["providers"][0]["role"], "provider_admin");
    browser.get("/me").await.expect(200);
    assert_eq!(browser.get("/setup").await.expect(200).json, json!({"needed": false, "modes": ["provider", "standalone"]}));
    let late = Browser::new(&hub).post("/setup", body(&code)).await.expect(404);
    assert_eq!(late.code(), "not_found");
    assert_eq!(prepare(&hub.hub).await.expect("looked"), None);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM provider", params![]).await, 1);

    let ledger = hub.control_ledger().await;
    let bad = "not signed in failed invalid".to_owned();
    let mut seen = entries(&ledger, "setup.create");
    seen.sort();
    assert_eq!(seen, ["Priya Nair done -".to_owned(), bad.clone(), bad.clone(), bad]);
    let token = browser.token.clone().unwrap();
    assert_unsaid(&serde_json::to_string(&ledger).unwrap(), &[PASSWORD, &code, &old, &token]);
    assert_unsaid(&String::from_utf8_lossy(&me.bytes), &[PASSWORD, &code, &token]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_said_once_the_code_is_right(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let code = prepare(&hub.hub).await.expect("made").expect("needed");
    let mut browser = Browser::new(&hub);
    let wrong = |code: &str| json!({"code": code, "provider_name": "", "provider_slug": "-", "name": "", "email": "x", "password": "northwind"});
    assert_eq!(browser.post("/setup", wrong("x")).await.expect(422).wrong_fields(), ["code wrong"]);
    let all = ["provider_name too_short", "provider_slug not_a_slug", "name too_short", "email not_an_email", "password too_short"];
    assert_eq!(browser.post("/setup", wrong(&code)).await.expect(422).wrong_fields(), all);
    browser.post("/setup", body(&code)).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_the_code_waits(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let code = prepare(&hub.hub).await.expect("made").expect("needed");
    for n in 0..5 {
        Browser::at(&hub, &format!("192.0.2.{n}")).post("/setup", body("guess")).await.expect(422);
    }
    let mut browser = Browser::at(&hub, "192.0.2.99");
    assert_eq!(browser.post("/setup", body(&code)).await.expect(429).headers["retry-after"], "1");
    hub.advance(Duration::from_secs(1));
    browser.post("/setup", body(&code)).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_setups_at_once_one_succeeds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let code = prepare(&hub.hub).await.expect("made").expect("needed");
    let (mut a, mut b) = (Browser::new(&hub), Browser::at(&hub, "192.0.2.2"));
    let (first, second) = tokio::join!(a.post("/setup", body(&code)), b.post("/setup", body(&code)));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(matches!(statuses[1], 404 | 422), "{statuses:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_a_provider_is_there_is_nothing_to_set_up(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(prepare(&hub.hub).await.expect("looked"), None);
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.get("/setup").await.expect(200).json, json!({"needed": false, "modes": ["provider", "standalone"]}));
    for code in ["", "x"] {
        browser.post("/setup", body(code)).await.expect(404);
    }
    assert!(entries(&hub.control_ledger().await, "setup.create").is_empty());
}
