use std::time::Duration;

use axum::response::IntoResponse as _;
use kernel::{Timestamp, params};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, START};

use super::Cookie;
use crate::stage::{Browser, PASSWORD, code_at, entries, hub, number, run, until, with_password, with_second_factor};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_cookie_is_secure_where_the_hub_is() {
    let text = |cookie: Cookie| (cookie, ()).into_response().headers()["set-cookie"].to_str().expect("text").to_owned();
    assert_eq!(
        text(Cookie::with("abc", super::LIFE, true)),
        "tenantry_session=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=604800; Secure"
    );
    assert_eq!(text(Cookie::none(false)), "tenantry_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_eight_hours_without_use(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    hub.advance(8 * HOUR - Duration::from_secs(1));
    browser.get("/me").await.expect(200);
    let now = hub.hub.now();
    until(&hub, "SELECT COUNT(*) FROM session WHERE user_agent = 'Browser/1' AND last_seen_at > created_at", 1).await;
    hub.advance(8 * HOUR - Duration::from_secs(1));
    let me = browser.get("/me").await.expect(200);
    assert!(me.json["session"]["idle_expires_at"].as_str() >= Some(now.after(8 * HOUR).to_string().as_str()));
    hub.advance(8 * HOUR);
    assert_eq!(browser.get("/me").await.expect(401).code(), "not_signed_in");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_seven_days_however_busy(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    run(&hub, "UPDATE session SET idle_expires_at = ?1", params![START.plus_days(30)]).await;
    hub.advance(7 * 24 * HOUR - Duration::from_secs(1));
    browser.get("/me").await.expect(200);
    hub.advance(Duration::from_secs(1));
    browser.get("/me").await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let mut copy = browser.clone();
    copy.get("/me").await.expect(200);
    browser.delete("/session").await.expect(204);
    assert!(browser.token.is_none());
    assert!(browser.set_cookie.ends_with("Max-Age=0"), "{}", browser.set_cookie);
    copy.get("/me").await.expect(401);
    copy.delete("/session").await.expect(401);
    assert_eq!(entries(&hub.control_ledger().await, "session.delete"), ["admin done -"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn other_sessions_are_seen_and_end_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    run(&hub, "DELETE FROM session", params![]).await;
    let mut browsers = Vec::new();
    for n in 1..=4 {
        let mut browser = Browser::at(&hub, &format!("192.0.2.{n}"));
        browser.sign_in("admin").await;
        hub.advance(Duration::from_secs(1));
        browsers.push(browser);
    }
    let list = browsers[0].get("/me/sessions").await.expect(200);
    assert_eq!(list.json["total"], 4);
    let addresses: Vec<_> = list.json["items"].as_array().unwrap().iter().map(|s| s["address"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["192.0.2.4", "192.0.2.3", "192.0.2.2", "192.0.2.1"]);
    assert_eq!(list.json["items"][3]["current"], true);
    assert_eq!(list.json["items"][0]["user_agent"], "Browser/1");
    assert_eq!(list.json["items"][0]["second_factor"], false);
    let first = browsers[0].get("/me/sessions?limit=3").await.expect(200);
    let next = first.json["next"].as_str().expect("more").to_owned();
    let rest = browsers[0].get(&format!("/me/sessions?limit=3&cursor={next}")).await.expect(200);
    assert_eq!(rest.json["items"].as_array().unwrap().len(), 1);
    let found = browsers[0].get("/me/sessions?q=0.2.3").await.expect(200);
    assert_eq!(found.json["total"], 1);

    let id = found.json["items"][0]["id"].as_str().unwrap().to_owned();
    browsers[2].get("/me").await.expect(200);
    browsers[0].delete(&format!("/me/sessions/{id}")).await.expect(204);
    browsers[2].get("/me").await.expect(401);
    browsers[1].get("/me").await.expect(200);
    let revoked = browsers[0].post("/me/sessions/revoke-others", json!(null)).await.expect(200);
    assert_eq!(revoked.json["revoked"], 2);
    browsers[1].get("/me").await.expect(401);
    browsers[3].get("/me").await.expect(401);
    browsers[0].get("/me").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_session_is_not_found_like_none(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    let me = browser.sign_in("admin").await;
    let id = me.json["me"]["session"]["id"].as_str().unwrap().to_owned();
    let foreign = hub.delete("operator", &format!("/me/sessions/{id}")).await.expect(404);
    let unknown = hub.delete("operator", "/me/sessions/ses_01999999999970009999999999999999").await.expect(404);
    let odd = hub.delete("operator", "/me/sessions/x").await.expect(404);
    assert_eq!(foreign.bytes, unknown.bytes);
    assert_eq!(odd.bytes, unknown.bytes);
    browser.get("/me").await.expect(200);
    assert_eq!(entries(&hub.control_ledger().await, "session.revoke"), vec!["operator failed not_found"; 2]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_replaces_the_session_of_the_same_browser(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let mut old = browser.clone();
    old.get("/me").await.expect(200);
    browser.sign_in("admin").await;
    assert_ne!(browser.token, old.token);
    old.get("/me").await.expect(401);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM session WHERE user_agent = 'Browser/1'", params![]).await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_half_session_is_good_for_the_code_and_for_leaving(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    with_second_factor(&mut browser).await;
    let mut half = Browser::new(&hub);
    let step = half.sign_in_with("admin", PASSWORD).await.expect(200);
    assert_eq!(step.json, json!({"state": "second_factor", "me": null}));
    assert!(half.set_cookie.contains("Max-Age=600"), "{}", half.set_cookie);
    for path in ["/me", "/me/sessions", "/tenants/acme/members"] {
        assert_eq!(half.get(path).await.expect(401).code(), "second_factor_required", "{path}");
    }
    half.post("/me/sessions/revoke-others", json!(null)).await.expect(401);
    let listed = browser.get("/me/sessions").await.expect(200);
    assert!(listed.json["items"].as_array().unwrap().iter().all(|s| s["second_factor"] == true || s["user_agent"] == "testkit"));
    let mut copy = half.clone();
    half.delete("/session").await.expect(204);
    assert_eq!(copy.get("/me").await.expect(401).code(), "not_signed_in");

    let mut late = Browser::new(&hub);
    late.sign_in_with("admin", PASSWORD).await.expect(200);
    hub.advance(super::HALF_LIFE);
    assert_eq!(late.get("/me").await.expect(401).code(), "not_signed_in");
    late.post("/session/verify", json!({"code": "123456"})).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_ended_are_swept_at_the_next_sign_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    Browser::new(&hub).sign_in("admin").await;
    Browser::new(&hub).sign_in("admin").await;
    hub.advance(9 * HOUR);
    Browser::new(&hub).sign_in("admin").await;
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM session WHERE user_agent = 'Browser/1'", params![]).await, 1);
    assert_eq!(number(&hub, "SELECT MAX(created_at) FROM session", params![]).await, Timestamp(START.0).after(9 * HOUR).0);
}

const STEP_UP: &str = "/session/step-up";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_second_factor_the_password_makes_a_session_fresh_for_ten_minutes(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let (mut here, mut there) = (Browser::new(&hub), Browser::new(&hub));
    here.sign_in("admin").await;
    there.sign_in("admin").await;
    assert_eq!(here.get("/me").await.json["session"]["fresh_until"], json!(null), "the password of a sign-in is not proof again");
    assert_eq!(here.post(STEP_UP, json!({})).await.expect(422).wrong_fields(), ["password missing"]);
    assert_eq!(here.post(STEP_UP, json!({"code": "123456"})).await.expect(422).wrong_fields(), ["password missing"]);
    let both = json!({"code": "123456", "password": PASSWORD});
    assert_eq!(here.post(STEP_UP, both).await.expect(422).wrong_fields(), ["code unexpected"]);
    assert_eq!(here.post(STEP_UP, json!({"password": "wrong"})).await.expect(401).code(), "bad_credentials");
    here.post(STEP_UP, json!({"password": PASSWORD})).await.expect(204);
    let session = here.get("/me").await.expect(200).json["session"].clone();
    assert_eq!(session["stepped_up_at"], hub.hub.now().to_string());
    assert_eq!(session["fresh_until"], hub.hub.now().after(Duration::from_secs(600)).to_string());
    assert_eq!(there.get("/me").await.json["session"]["fresh_until"], json!(null), "another session is not");
    let ledger = hub.control_ledger().await;
    let invalid = "admin failed invalid";
    let all = [invalid, invalid, invalid, "admin failed bad_credentials", "admin done -"];
    assert_eq!(entries(&ledger, "session.step_up"), all);
    crate::stage::assert_unwritten(&hub, &[PASSWORD]).await;
    Browser::new(&hub).post(STEP_UP, json!({"password": PASSWORD})).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn with_a_second_factor_only_a_code_does_and_each_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, recovery) = with_second_factor(&mut browser).await;
    hub.advance(Duration::from_secs(601));
    let code = code_at(&secret, hub.hub.now());
    assert_eq!(browser.post(STEP_UP, json!({})).await.expect(422).wrong_fields(), ["code missing"]);
    // The password alone is for places that ask staff for it; it is no second factor.
    browser.post(STEP_UP, json!({"password": PASSWORD})).await.expect(204);
    assert_eq!(browser.get("/me").await.json["session"]["stepped_up_at"], json!(null));
    let both = json!({"code": code, "password": PASSWORD});
    assert_eq!(browser.post(STEP_UP, both).await.expect(422).wrong_fields(), ["password unexpected"]);
    browser.post(STEP_UP, json!({"code": code})).await.expect(204);
    assert_eq!(browser.post(STEP_UP, json!({"code": code})).await.expect(401).code(), "bad_credentials");
    hub.advance(Duration::from_secs(30));
    browser.post(STEP_UP, json!({"code": recovery[0]})).await.expect(204);
    browser.post(STEP_UP, json!({"code": recovery[0]})).await.expect(401);
    let me = browser.get("/me").await.expect(200).json;
    assert_eq!(me["session"]["stepped_up_at"], hub.hub.now().to_string());
    assert_eq!(me["person"]["recovery_codes_left"], 9);
    let ledger = hub.control_ledger().await;
    let last = ledger.iter().rfind(|e| e["action"] == "session.step_up" && e["outcome"] == "done").unwrap();
    assert_eq!(last["changes"][0]["after"], json!({"left": 9}));
    crate::stage::assert_unwritten(&hub, &[&code, &recovery[0]]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_at_a_step_up_waits(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for name in ["admin", "viewer"] {
        with_password(&hub, name).await;
    }
    let (mut guessed, mut typed) = (Browser::new(&hub), Browser::new(&hub));
    guessed.sign_in("admin").await;
    with_second_factor(&mut guessed).await;
    typed.sign_in("viewer").await;
    for (browser, field) in [(&mut guessed, "code"), (&mut typed, "password")] {
        for _ in 0..5 {
            browser.post(STEP_UP, json!({field: "000000"})).await.expect(401);
        }
        assert_eq!(browser.post(STEP_UP, json!({field: "000000"})).await.expect(429).headers["retry-after"], "1", "{field}");
    }
    hub.advance(Duration::from_secs(1));
    typed.post(STEP_UP, json!({"password": PASSWORD})).await.expect(204);
}
