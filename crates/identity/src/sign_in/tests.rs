use std::time::Duration;

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, person};

use crate::stage::{Browser, OTHER_PASSWORD, PASSWORD, assert_unwritten, entries, hub, number, run, text, with_password};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_signs_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    let answer = browser.post("/session", json!({"email": " Admin@CAST.example ", "password": PASSWORD})).await.expect(200);
    assert_eq!(answer.json["state"], "signed_in");
    assert_eq!(answer.json["me"]["person"]["email"], "admin@cast.example");
    assert_eq!(answer.json["me"]["tenants"][0]["slug"], "acme");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let token = browser.token.clone().expect("a cookie");
    assert_eq!(browser.set_cookie, format!("tenantry_session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800"));
    let me = browser.get("/me").await.expect(200);
    assert_eq!(me.json["session"], answer.json["me"]["session"]);
    let ledger = hub.control_ledger().await;
    assert_eq!(entries(&ledger, "session.create"), ["admin done -"]);
    assert_eq!(ledger.last().expect("an entry")["address"], "192.0.2.1");
    assert_unwritten(&hub, &[PASSWORD, &token]).await;
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM session WHERE token_hash = ?1", params![token.as_bytes()]).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_unknown_disabled_and_without_a_password_are_the_same_answer(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    for name in ["admin", "operator"] {
        with_password(&hub, name).await;
    }
    run(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![person("operator")]).await;
    let mut browser = Browser::new(&hub);
    let wrong = browser.sign_in_with("admin", "not it at all, sorry").await.expect(401);
    let unknown = browser.sign_in_with("nobody-here", PASSWORD).await.expect(401);
    let disabled = browser.sign_in_with("operator", PASSWORD).await.expect(401);
    let without = browser.sign_in_with("viewer", "none").await.expect(401);
    let odd = browser.post("/session", json!({"email": "a\u{0}b@c.de", "password": PASSWORD})).await.expect(401);
    assert_eq!(wrong.code(), "bad_credentials");
    for other in [&unknown, &disabled, &without, &odd] {
        assert_eq!(other.bytes, wrong.bytes);
        let names = |a: &testkit::Answer| a.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(other), names(&wrong));
    }
    assert!(browser.token.is_none());
    let ledger = hub.control_ledger().await;
    let bad = |who: &str| format!("{who} failed bad_credentials");
    let nobody = bad("not signed in");
    assert_eq!(entries(&ledger, "session.create"), [bad("admin"), nobody.clone(), bad("operator"), bad("viewer"), nobody]);
    assert_unwritten(&hub, &["not it at all", "nobody-here", PASSWORD]).await;
    browser.get("/me").await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn after_five_failures_an_account_waits_known_or_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut answers = Vec::new();
    for name in ["admin", "nobody-here"] {
        let mut browser = Browser::at(&hub, if name == "admin" { "192.0.2.1" } else { "192.0.2.2" });
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(browser.sign_in_with(name, "wrong").await.expect(401).bytes);
        }
        let blocked = browser.sign_in_with(name, PASSWORD).await.expect(429);
        assert_eq!(blocked.headers["retry-after"], "1");
        seen.push(blocked.bytes);
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    let mut elsewhere = Browser::at(&hub, "198.51.100.7");
    elsewhere.sign_in_with("admin", PASSWORD).await.expect(429);
    hub.advance(Duration::from_secs(1));
    elsewhere.sign_in_with("admin", "wrong").await.expect(401);
    assert_eq!(elsewhere.sign_in_with("admin", PASSWORD).await.expect(429).headers["retry-after"], "2");
    hub.advance(Duration::from_secs(2));
    elsewhere.sign_in("admin").await;
    for _ in 0..5 {
        elsewhere.sign_in_with("admin", "wrong").await.expect(401);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_many_accounts_waits(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::at(&hub, "203.0.113.9");
    for n in 0..20 {
        browser.sign_in_with(&format!("guess{n}"), "wrong").await.expect(401);
    }
    browser.sign_in_with("admin", PASSWORD).await.expect(429);
    Browser::at(&hub, "203.0.113.10").sign_in("admin").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_cheaper_hash_is_made_anew(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    use argon2::PasswordHasher as _;
    let hub = hub(engine).await;
    let cheap = argon2::Argon2::from(argon2::Params::new(1024, 1, 1, None).expect("parameters"));
    let cheap = cheap.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").expect("hashed").to_string();
    run(&hub, "UPDATE person SET password_hash = ?2 WHERE id = ?1", params![person("admin"), cheap.as_str()]).await;
    let admin = [person("admin").into()];
    let stored = || text(&hub, "SELECT password_hash FROM person WHERE id = ?1", &admin);
    let mut browser = Browser::new(&hub);
    browser.sign_in_with("admin", "wrong").await.expect(401);
    assert_eq!(stored().await, cheap);
    browser.sign_in("admin").await;
    let dear = stored().await;
    assert!(dear.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{dear}");
    browser.sign_in("admin").await;
    assert_eq!(stored().await, dear);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_sign_anybody_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    let body = || Some(json!({"email": "admin@cast.example", "password": PASSWORD}));
    for header in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        let answer = browser.send(Method::POST, "/session", body(), &[header]).await.expect(403);
        assert_eq!(answer.code(), "cross_origin");
    }
    assert!(browser.token.is_none());
    browser.send(Method::POST, "/session", body(), &[("sec-fetch-site", "same-origin")]).await.expect(200);
    browser.send(Method::DELETE, "/session", None, &[("sec-fetch-site", "cross-site")]).await.expect(403);
    browser.get("/me").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_meanwhile_signs_nobody_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut first = Browser::new(&hub);
    first.sign_in("admin").await;
    first.put("/me/password", json!({"current": PASSWORD, "new": OTHER_PASSWORD})).await.expect(204);
    let mut second = Browser::new(&hub);
    second.sign_in_with("admin", PASSWORD).await.expect(401);
    second.sign_in_with("admin", OTHER_PASSWORD).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_none_is_said_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.post("/session", json!({"email": "a@b.co"})).await.expect(422).wrong_fields(), ["password missing"]);
    assert_eq!(browser.post("/session/verify", json!({"code": "123456"})).await.expect(401).code(), "not_signed_in");
    browser.delete("/session").await.expect(401);
}
