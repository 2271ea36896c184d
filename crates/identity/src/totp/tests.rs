use std::time::Duration;

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::json;
use testkit::Engine;

use crate::stage::{
    Browser, PASSWORD, assert_unsaid, assert_unwritten, code_at, entries, hub, number, with_password, with_second_factor,
};

const STEP: Duration = Duration::from_secs(30);

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_from_its_beginning_to_its_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let (mut here, mut there) = (Browser::new(&hub), Browser::new(&hub));
    here.sign_in("admin").await;
    there.sign_in("admin").await;
    assert_eq!(here.post("/me/totp", json!({"password": "wrong"})).await.expect(422).wrong_fields(), ["password wrong"]);
    let begun = here.post("/me/totp", json!({"password": PASSWORD})).await.expect(200);
    let secret = begun.json["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 32);
    assert!(begun.json["uri"].as_str().unwrap().starts_with("otpauth://totp/Tenantry:admin%40cast.example?secret="));
    assert!(begun.json["qr_svg"].as_str().unwrap().contains("<svg"));
    // Until its first code it does not count.
    there.get("/me").await.expect(200);
    Browser::new(&hub).sign_in("admin").await;
    assert_eq!(here.post("/me/totp/confirm", json!({"code": "000000"})).await.expect(422).wrong_fields(), ["code wrong"]);
    let first = code_at(&secret, hub.hub.now());
    let confirmed = here.post("/me/totp/confirm", json!({"code": first})).await.expect(200);
    let codes: Vec<_> = confirmed.json["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 14 && code.chars().filter(|c| *c == '-').count() == 2));
    there.get("/me").await.expect(401);
    let me = here.get("/me").await.expect(200);
    assert_eq!(me.json["person"]["second_factor"], true);
    assert_eq!(me.json["person"]["recovery_codes_left"], 10);
    assert_eq!(me.json["session"]["second_factor_at"], hub.hub.now().to_string());
    here.post("/me/totp", json!({"password": PASSWORD})).await.expect(409);
    here.post("/me/totp/confirm", json!({"code": first})).await.expect(409);

    // Signing in takes a code now, another than the one that was taken.
    let mut half = Browser::new(&hub);
    half.sign_in_with("admin", PASSWORD).await.expect(200);
    let half_token = half.token.clone();
    half.post("/session/verify", json!({"code": first})).await.expect(401);
    hub.advance(STEP);
    let second = code_at(&secret, hub.hub.now());
    let verified = half.post("/session/verify", json!({"code": second})).await.expect(200);
    assert_eq!(verified.json["state"], "signed_in");
    assert_eq!(verified.json["recovery_codes_left"], 10);
    assert_eq!(verified.json["me"]["session"]["second_factor_at"], hub.hub.now().to_string());
    assert_ne!(half.token, half_token, "the token is another");
    half.get("/me").await.expect(200);
    let mut old = Browser::new(&hub);
    old.token = half_token;
    assert_eq!(old.get("/me").await.expect(401).code(), "not_signed_in");
    half.post("/session/verify", json!({"code": second})).await.expect(409);

    // Without it again.
    hub.advance(STEP);
    let third = code_at(&secret, hub.hub.now());
    let delete = |password: &str, code: &str| (Method::DELETE, "/me/totp", Some(json!({"password": password, "code": code})));
    let (method, path, body) = delete("wrong", &third);
    assert_eq!(half.send(method, path, body, &[]).await.expect(422).wrong_fields(), ["password wrong"]);
    let (method, path, body) = delete(PASSWORD, &second);
    assert_eq!(half.send(method, path, body, &[]).await.expect(422).wrong_fields(), ["code wrong"]);
    let (method, path, body) = delete(PASSWORD, &third);
    half.send(method, path, body.clone(), &[]).await.expect(204);
    half.send(Method::DELETE, path, body, &[]).await.expect(409);
    Browser::new(&hub).sign_in("admin").await;
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM recovery_code", params![]).await, 0);

    let ledger = hub.control_ledger().await;
    assert_eq!(entries(&ledger, "totp.confirm"), ["admin failed invalid", "admin done -", "admin failed conflict"]);
    assert_eq!(entries(&ledger, "session.verify"), ["admin failed bad_credentials", "admin done -"]);
    let mut secrets = vec![secret.as_str(), PASSWORD, &first, &second, &third];
    secrets.extend(&codes);
    assert_unwritten(&hub, &secrets).await;
    assert_unsaid(&String::from_utf8_lossy(&me.bytes), &secrets);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn no_code_is_taken_twice_however_many_try_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, _) = with_second_factor(&mut browser).await;
    hub.advance(2 * STEP);
    let code = code_at(&secret, hub.hub.now());
    let mut halves = Vec::new();
    for n in 0..4 {
        let mut half = Browser::at(&hub, &format!("192.0.2.{n}"));
        half.sign_in_with("admin", PASSWORD).await.expect(200);
        halves.push(half);
    }
    let tries = halves.iter_mut().map(|half| half.post("/session/verify", json!({"code": code})));
    let mut taken = 0;
    let mut running = Vec::from_iter(tries.map(Box::pin));
    let all = std::future::poll_fn(|cx| {
        running.retain_mut(|answer| match answer.as_mut().poll(cx) {
            std::task::Poll::Ready(answer) => {
                taken += usize::from(answer.status == 200);
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    });
    all.await;
    assert_eq!(taken, 1);
    // An older code is not taken after a newer one.
    let before = code_at(&secret, hub.hub.now().before(STEP));
    let mut half = Browser::new(&hub);
    half.sign_in_with("admin", PASSWORD).await.expect(200);
    half.post("/session/verify", json!({"code": before})).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_is_good_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for name in ["admin", "viewer"] {
        with_password(&hub, name).await;
    }
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, codes) = with_second_factor(&mut browser).await;
    let mut half = Browser::new(&hub);
    half.sign_in_with("admin", PASSWORD).await.expect(200);
    let typed = codes[0].to_uppercase().replace('-', " ");
    let verified = half.post("/session/verify", json!({"code": typed})).await.expect(200);
    assert_eq!(verified.json["recovery_codes_left"], 9);
    assert_eq!(hub.control_ledger().await.last().unwrap()["changes"][0]["after"]["left"], 9);
    let mut again = Browser::new(&hub);
    again.sign_in_with("admin", PASSWORD).await.expect(200);
    again.post("/session/verify", json!({"code": codes[0]})).await.expect(401);
    again.post("/session/verify", json!({"code": "not a code"})).await.expect(401);

    // New ones void the old; one of another person is none.
    let renewed = half.post("/me/totp/recovery-codes", json!({"password": PASSWORD})).await.expect(200);
    again.post("/session/verify", json!({"code": codes[1]})).await.expect(401);
    let mut other = Browser::new(&hub);
    other.sign_in("viewer").await;
    let (_, others) = with_second_factor(&mut other).await;
    again.post("/session/verify", json!({"code": others[0]})).await.expect(401);
    let code = renewed.json["recovery_codes"][9].as_str().unwrap();
    again.post("/session/verify", json!({"code": code})).await.expect(200);
    half.post("/me/totp/recovery-codes", json!({"password": "wrong"})).await.expect(422);
    hub.post("operator", "/me/totp/recovery-codes", json!({"password": "wrong"})).await.expect(422);
    let mut secrets: Vec<&str> = codes.iter().chain(&others).map(String::as_str).collect();
    secrets.extend([code, secret.as_str()]);
    assert_unwritten(&hub, &secrets).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_at_codes_waits_and_the_password_clears_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, _) = with_second_factor(&mut browser).await;
    for n in 0..5 {
        let mut half = Browser::at(&hub, &format!("198.51.100.{n}"));
        half.sign_in_with("admin", PASSWORD).await.expect(200);
        half.post("/session/verify", json!({"code": "000000"})).await.expect(401);
    }
    let mut half = Browser::new(&hub);
    half.sign_in_with("admin", PASSWORD).await.expect(429);
    hub.advance(Duration::from_secs(1));
    half.sign_in_with("admin", PASSWORD).await.expect(200);
    hub.advance(STEP);
    half.post("/session/verify", json!({"code": code_at(&secret, hub.hub.now())})).await.expect(200);
    for _ in 0..4 {
        half.clone().sign_in_with("admin", "wrong").await.expect(401);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_the_persons_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for name in ["admin", "viewer"] {
        with_password(&hub, name).await;
    }
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    with_second_factor(&mut browser).await;
    let mut other = Browser::new(&hub);
    assert_eq!(other.sign_in("viewer").await.json["state"], "signed_in");
    other.post("/me/totp/confirm", json!({"code": "123456"})).await.expect(409);
    other.post("/me/totp/recovery-codes", json!({"password": PASSWORD})).await.expect(409);
    hub.get("nobody", "/me").await.expect(401);
    for path in ["/me/totp", "/me/totp/recovery-codes"] {
        hub.post("nobody", path, json!({"password": PASSWORD})).await.expect(401);
    }
}
