use std::time::Duration;

use kernel::news::{Mail, Said};
use kernel::{Hub, params};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, person};

use crate::stage::{
    Browser, OTHER_PASSWORD, PASSWORD, assert_unwritten, code_at, entries, freshen, hub, number, run, with_password,
    with_second_factor,
};

const ASK: &str = "/password-resets";

/// What was said of e-mails so far, the newest last.
async fn mails(hub: &Hub) -> Vec<Mail> {
    let said = hub.system_read().await.unwrap().news(100).await.unwrap();
    said.into_iter().filter_map(|(_, said)| if let Said::Mail(mail) = said { Some(mail) } else { None }).collect()
}

/// Asks for a link. Answers its token.
async fn token(hub: &TestHub, name: &str) -> String {
    let mut browser = Browser::at(hub, "198.51.100.9");
    browser.post(ASK, json!({"email": format!("{name}@cast.example")})).await.expect(202);
    let mail = mails(&hub.hub).await.pop().expect("an e-mail");
    let url = mail.facts["url"].as_str().expect("a link").to_owned();
    url.strip_prefix("http://hub.test/reset/").expect("the console's address").to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn with_the_link_a_new_password_is_set_and_every_session_ends(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut old = Browser::new(&hub);
    old.sign_in("admin").await;
    freshen(&hub, "admin").await;
    let token = token(&hub, "admin").await;
    let path = format!("{ASK}/{token}");
    let shown = hub.get("nobody", &path).await.expect(200).json;
    assert_eq!(shown["email_hint"], "a…@cast.example");
    assert_eq!(shown["expires_at"], json!(hub.hub.now().after(super::LIFE)));
    assert_eq!(hub.post("nobody", &path, json!({"password": "short"})).await.expect(422).wrong_fields(), ["password too_short"]);
    hub.post("nobody", &path, json!({"password": "acme dental group"})).await.expect(422);
    hub.post("nobody", &path, json!({"password": OTHER_PASSWORD})).await.expect(204);
    assert_eq!(old.get("/me").await.status, 401, "sessions end");
    let left = "SELECT COUNT(*) FROM session WHERE person_id = ?1";
    assert_eq!(number(&hub, left, params![person("admin")]).await, 0);
    Browser::new(&hub).sign_in_with("admin", PASSWORD).await.expect(401);
    Browser::new(&hub).sign_in_with("admin", OTHER_PASSWORD).await.expect(200);
    assert_eq!(hub.post("nobody", &path, json!({"password": "another one entirely 7"})).await.expect(409).code(), "conflict");
    hub.get("nobody", &path).await.expect(409);
    assert_eq!(entries(&hub.control_ledger().await, "password_reset.accept"), ["admin done -"]);
    assert_unwritten(&hub, &[&token, OTHER_PASSWORD]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_good_for_an_hour_and_no_more_once_another_was_used(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (first, second) = (token(&hub, "viewer").await, token(&hub, "viewer").await);
    hub.post("nobody", &format!("{ASK}/{second}"), json!({"password": OTHER_PASSWORD})).await.expect(204);
    hub.get("nobody", &format!("{ASK}/{first}")).await.expect(409);
    let third = token(&hub, "viewer").await;
    hub.advance(super::LIFE);
    assert_eq!(
        hub.post("nobody", &format!("{ASK}/{third}"), json!({"password": OTHER_PASSWORD})).await.expect(409).code(),
        "conflict"
    );
    hub.get("nobody", &format!("{ASK}/nothing")).await.expect(404);
    hub.post("nobody", &format!("{ASK}/nothing"), json!({"password": OTHER_PASSWORD})).await.expect(404);
    let fourth = token(&hub, "viewer").await;
    run(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![person("viewer")]).await;
    hub.post("nobody", &format!("{ASK}/{fourth}"), json!({"password": OTHER_PASSWORD})).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_sets_the_password(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let path = format!("{ASK}/{}", token(&hub, "viewer").await);
    let (a, b) = tokio::join!(
        hub.post("nobody", &path, json!({"password": OTHER_PASSWORD})),
        hub.post("nobody", &path, json!({"password": "eleven umbrellas by dusk"})),
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_account_is_answered_and_worked_for_the_same(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut browser = Browser::at(&hub, "198.51.100.7");
    let known = browser.post(ASK, json!({"email": "admin@cast.example"})).await;
    let stranger = browser.post(ASK, json!({"email": "stranger@cast.example"})).await;
    run(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![person("viewer")]).await;
    let disabled = browser.post(ASK, json!({"email": "viewer@cast.example"})).await;
    for answer in [&stranger, &disabled] {
        assert_eq!((answer.status, &answer.bytes), (known.status, &known.bytes));
    }
    let mails = mails(&hub.hub).await;
    let templates: Vec<&str> = mails.iter().map(|mail| mail.template.as_str()).collect();
    assert_eq!(templates, ["password_reset", "password_nobody", "password_nobody"], "the same rows, which go nowhere");
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM password_reset", params![]).await, 3);
    let url = mails[1].facts["url"].as_str().unwrap().strip_prefix("http://hub.test/reset/").unwrap().to_owned();
    hub.get("nobody", &format!("{ASK}/{url}")).await.expect(404);
    assert_unwritten(&hub, &["stranger@cast.example"]).await;
    browser.post(ASK, json!({"email": "no address"})).await.expect(422);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn asking_again_and_again_waits_and_does_not_keep_anybody_from_signing_in(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::at(&hub, "198.51.100.8");
    for email in ["admin@cast.example", "nobody@cast.example"] {
        for _ in 0..5 {
            browser.post(ASK, json!({ "email": email })).await.expect(202);
        }
        let refused = browser.post(ASK, json!({ "email": email })).await.expect(429);
        assert_eq!(refused.headers["retry-after"], "1");
    }
    browser.sign_in("admin").await;
    hub.advance(Duration::from_secs(1));
    browser.post(ASK, json!({"email": "admin@cast.example"})).await.expect(202);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_second_factor_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, _) = with_second_factor(&mut browser).await;
    let path = format!("{ASK}/{}", token(&hub, "admin").await);
    hub.post("nobody", &path, json!({"password": OTHER_PASSWORD})).await.expect(204);
    hub.advance(Duration::from_secs(60));
    let mut again = Browser::new(&hub);
    assert_eq!(again.sign_in_with("admin", OTHER_PASSWORD).await.expect(200).json["state"], "second_factor");
    again.get("/me").await.expect(401);
    again.post("/session/verify", json!({"code": code_at(&secret, hub.hub.now())})).await.expect(200);
    again.get("/me").await.expect(200);
}
