use std::time::Duration;

use kernel::Error;
use kernel::validate::Check;
use rstest::rstest;
use serde_json::json;
use testkit::Engine;

use super::Pool;
use crate::Secret;
use crate::stage::{Browser, OTHER_PASSWORD, PASSWORD, assert_unwritten, entries, hub, with_password};

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_what_is_wrong_and_what_would_help() {
    let pool = Pool::new();
    let about = ["priya.nair@northwind.example", "Priya Nair", "Northwind IT"].map(str::to_owned).to_vec();
    for (password, code, words) in [
        ("elf", "too_short", "at least 12 characters, this has 3"),
        ("éééééééé", "too_short", "this has 8"),
        (&"x".repeat(129), "too_long", "at most 128"),
        ("password1234", "weak", "common password"),
        ("aaaaaaaaaaaaaaaa", "weak", "repeat"),
        ("Priya.Nair@northwind.example", "weak", ""),
        ("northwindnorthwind", "weak", ""),
        ("tenantrytenantry", "weak", ""),
    ] {
        let mut check = Check::new();
        pool.judge(secret(password), about.clone()).await.expect("judged").tell("new", &mut check);
        let Err(Error::Invalid(fields)) = check.done() else { panic!("{password} will not do") };
        assert_eq!((fields[0].field.as_str(), fields[0].code.as_str()), ("new", code), "{password}");
        assert!(fields[0].message.to_lowercase().contains(&words.to_lowercase()), "{}", fields[0].message);
    }
    for password in [PASSWORD, OTHER_PASSWORD, "密码很长而且不容易猜到的句子"] {
        assert!(pool.judge(secret(password), about.clone()).await.expect("judged").is_good(), "{password}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_is_of_one_password_and_one_salt() {
    let pool = Pool::new();
    let (first, second) = (pool.hash(secret(PASSWORD)).await.expect("hashed"), pool.hash(secret(PASSWORD)).await.expect("hashed"));
    assert_ne!(first, second);
    let right = pool.check(secret(PASSWORD), Some(first.clone())).await.expect("checked");
    assert!(right.is_right && right.rehashed.is_none());
    assert!(!pool.check(secret(OTHER_PASSWORD), Some(first)).await.expect("checked").is_right);
    for stored in [None, Some(String::new()), Some("none".to_owned()), Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$".to_owned())] {
        assert!(!pool.check(secret(""), stored).await.expect("checked").is_right);
    }
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_is_told_to_come_back() {
    let pool = Pool::with(0, Duration::from_millis(1));
    assert!(matches!(pool.hash(secret(PASSWORD)).await, Err(Error::Unavailable(_))));
    assert!(matches!(pool.check(secret(PASSWORD), None).await.map(|c| c.is_right), Err(Error::Unavailable(_))));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pool_is_no_failed_try(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    hub.hub.provide(Pool::with(0, Duration::from_millis(1)));
    let mut browser = Browser::new(&hub);
    for _ in 0..10 {
        let answer = browser.sign_in_with("admin", PASSWORD).await.expect(503);
        assert!(answer.headers.contains_key("retry-after"));
    }
    hub.hub.provide(Pool::new());
    browser.sign_in("admin").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_and_other_sessions_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let (mut here, mut there) = (Browser::new(&hub), Browser::new(&hub));
    here.sign_in("admin").await;
    there.sign_in("admin").await;
    there.get("/me").await.expect(200);
    here.put("/me/password", json!({"current": PASSWORD, "new": OTHER_PASSWORD})).await.expect(204);
    here.get("/me").await.expect(200);
    there.get("/me").await.expect(401);
    there.sign_in_with("admin", PASSWORD).await.expect(401);
    there.sign_in_with("admin", OTHER_PASSWORD).await.expect(200);
    let ledger = hub.control_ledger().await;
    assert_eq!(entries(&ledger, "password.update"), ["admin done -"]);
    assert_unwritten(&hub, &[PASSWORD, OTHER_PASSWORD, "argon2"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_current_and_a_weak_new_password_are_said_at_their_fields(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    for (current, new, wrong) in [
        ("not mine at all", OTHER_PASSWORD, vec!["current wrong"]),
        (PASSWORD, "short", vec!["new too_short"]),
        (PASSWORD, "admin@cast.example", vec!["new weak"]),
        (PASSWORD, "Acme Dental Group", vec!["new weak"]),
        (PASSWORD, PASSWORD, vec!["new unchanged"]),
        ("not mine at all", "short", vec!["current wrong", "new too_short"]),
    ] {
        let answer = browser.put("/me/password", json!({"current": current, "new": new})).await.expect(422);
        assert_eq!(answer.wrong_fields(), wrong, "{current} {new}");
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("not mine"));
    }
    assert_eq!(entries(&hub.control_ledger().await, "password.update"), vec!["admin failed invalid"; 6]);
    browser.clone().sign_in("admin").await;
    assert_unwritten(&hub, &[PASSWORD, OTHER_PASSWORD, "not mine"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_from_a_stolen_session_waits(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let body = || json!({"current": "not mine at all", "new": OTHER_PASSWORD});
    for _ in 0..5 {
        browser.put("/me/password", body()).await.expect(422);
    }
    assert_eq!(browser.put("/me/password", body()).await.expect(429).headers["retry-after"], "1");
    browser.post("/me/totp", json!({"password": PASSWORD})).await.expect(429);
    hub.advance(Duration::from_secs(1));
    browser.post("/me/totp", json!({"password": PASSWORD})).await.expect(200);
    Browser::new(&hub).sign_in("admin").await;
}
