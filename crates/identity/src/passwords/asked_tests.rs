//! What places ask of passwords and second factors holds for everybody who belongs there, and for nobody else.

use std::time::Duration;

use kernel::params;
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, tenant};

use crate::stage::{
    Browser, OTHER_PASSWORD, PASSWORD, assert_unwritten, code_at, hub, number, run, with_password, with_second_factor,
};

const DAY: Duration = Duration::from_secs(24 * 3600);
const THIRD: &str = "gravel whistles in October 9";

/// Acme asks for something.
async fn acme_asks(hub: &TestHub, key: &str, value: &str) {
    let sql = "INSERT INTO setting (scope_id, scope_kind, key, value) VALUES (?1, 'tenant', ?2, ?3)";
    run(hub, sql, params![tenant("acme"), key, value]).await;
}

/// Northwind, or Harbor below it, asks for something.
async fn provider_asks(hub: &TestHub, slug: &str, key: &str, value: &str) {
    let sql = "INSERT INTO setting (scope_id, scope_kind, key, value) SELECT id, 'provider', ?2, ?3 FROM provider WHERE slug = ?1";
    run(hub, sql, params![slug, key, value]).await;
}

async fn change(browser: &mut Browser<'_>, current: &str, new: &str) -> Result<(), Vec<String>> {
    let answer = browser.put("/me/password", json!({"current": current, "new": new})).await;
    if answer.status == 204 { Ok(()) } else { Err(answer.expect(422).wrong_fields()) }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_is_as_all_its_persons_places_ask(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for name in ["admin", "carla"] {
        with_password(&hub, name).await;
    }
    acme_asks(&hub, "password.length_min", "24").await;
    acme_asks(&hub, "password.classes_min", "3").await;
    provider_asks(&hub, "northwind", "password.length_min", "28").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let wrong = |code: &str| Err(vec![format!("new {code}")]);
    assert_eq!(
        change(&mut browser, PASSWORD, OTHER_PASSWORD).await,
        wrong("too_short"),
        "27 are fewer than Acme's provider asks for"
    );
    assert_eq!(change(&mut browser, PASSWORD, "nine lanterns under the oatmeal").await, wrong("too_few_classes"));
    assert_eq!(change(&mut browser, PASSWORD, "Nine lanterns under the oatmeal").await, Ok(()));
    // Whoever belongs elsewhere is asked for nothing of that.
    let mut elsewhere = Browser::new(&hub);
    elsewhere.sign_in("carla").await;
    assert_eq!(change(&mut elsewhere, PASSWORD, OTHER_PASSWORD).await, Ok(()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn passwords_of_before_do_not_come_back_as_long_as_a_place_says_so(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    with_password(&hub, "viewer").await;
    acme_asks(&hub, "password.history", "2").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("viewer").await;
    assert_eq!(change(&mut browser, PASSWORD, OTHER_PASSWORD).await, Ok(()));
    hub.advance(Duration::from_secs(1));
    assert_eq!(change(&mut browser, OTHER_PASSWORD, PASSWORD).await, Err(vec!["new used_before".into()]));
    assert_eq!(change(&mut browser, OTHER_PASSWORD, THIRD).await, Ok(()));
    hub.advance(Duration::from_secs(1));
    assert_eq!(change(&mut browser, THIRD, OTHER_PASSWORD).await, Err(vec!["new used_before".into()]));
    let kept = "SELECT COUNT(*) FROM old_password";
    assert_eq!(number(&hub, kept, params![]).await, 1, "no more are kept than are asked for");
    assert_eq!(change(&mut browser, THIRD, PASSWORD).await, Ok(()), "the one before those two may");
    run(&hub, "DELETE FROM setting", params![]).await;
    assert_eq!(change(&mut browser, PASSWORD, THIRD).await, Ok(()));
    assert_eq!(number(&hub, kept, params![]).await, 0, "nobody asks any more");
    assert_unwritten(&hub, &[PASSWORD, OTHER_PASSWORD, THIRD, "argon2"]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn whose_password_is_too_old_can_only_change_it_or_leave(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "viewer").await;
    acme_asks(&hub, "password.max_age_days", "30").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("viewer").await;
    let me = browser.get("/me").await.expect(200);
    assert_eq!(me.json["session"]["missing"], json!(null));
    let until = me.json["session"]["password_until"].as_str().expect("it has an end").to_owned();
    assert_eq!(until, hub.hub.now().after(DAY * 30).to_string());
    hub.advance(DAY * 30);
    browser.sign_in("viewer").await;
    assert_eq!(browser.get("/me").await.expect(200).json["session"]["missing"], "password");
    assert_eq!(browser.get("/tenants/acme/members").await.expect(403).code(), "password_expired");
    assert_eq!(
        browser.send(axum::http::Method::PATCH, "/me", Some(json!({"locale": "de"})), &[]).await.expect(403).code(),
        "password_expired"
    );
    browser.get("/me/sessions").await.expect(200);
    assert_eq!(change(&mut browser, PASSWORD, OTHER_PASSWORD).await, Ok(()));
    assert_eq!(browser.get("/me").await.expect(200).json["session"]["missing"], json!(null));
    // A session that was there before is held up as well; leaving always works.
    hub.advance(DAY * 30);
    browser.sign_in_with("viewer", OTHER_PASSWORD).await.expect(200);
    browser.delete("/session").await.expect(204);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_a_second_factor_is_required_the_first_thing_is_to_set_one_up(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    for name in ["admin", "priya", "harriet", "carla"] {
        with_password(&hub, name).await;
    }
    let mut before = Browser::new(&hub);
    before.sign_in("admin").await;
    before.get("/tenants/acme/members").await.expect(200);
    provider_asks(&hub, "northwind", "second_factor", "required").await;
    // It holds for sessions that are there, for staff, for those below, and for members of their clients.
    for name in ["admin", "priya", "harriet"] {
        let mut browser = Browser::new(&hub);
        browser.sign_in(name).await;
        assert_eq!(browser.get("/me").await.expect(200).json["session"]["missing"], "second_factor", "{name}");
    }
    let mut elsewhere = Browser::new(&hub);
    assert_eq!(elsewhere.sign_in("carla").await.json["me"]["session"]["missing"], json!(null));
    assert_eq!(before.get("/tenants/acme/members").await.expect(403).code(), "second_factor_required");
    before.get("/tenants/acme/api-keys").await.expect(403);
    with_second_factor(&mut before).await;
    before.get("/tenants/acme/members").await.expect(200);
    assert_eq!(before.get("/me").await.json["session"]["missing"], json!(null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_given_again_after_so_many_hours(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    let mut browser = Browser::new(&hub);
    browser.sign_in("admin").await;
    let (secret, _) = with_second_factor(&mut browser).await;
    acme_asks(&hub, "second_factor_hours", "4").await;
    hub.advance(Duration::from_secs(4 * 3600 - 1));
    browser.get("/tenants/acme/members").await.expect(200);
    hub.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/tenants/acme/members").await.expect(403).code(), "second_factor_required");
    assert_eq!(browser.get("/me").await.expect(200).json["session"]["missing"], "second_factor_again");
    // The password is no second factor.
    browser.post("/session/step-up", json!({"password": PASSWORD})).await.expect(204);
    browser.get("/tenants/acme/members").await.expect(403);
    let code = code_at(&secret, hub.hub.now());
    browser.post("/session/step-up", json!({"code": code})).await.expect(204);
    browser.get("/tenants/acme/members").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_asked_for_nothing_and_a_newcomer_for_what_the_place_asks(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    with_password(&hub, "admin").await;
    crate::stage::freshen(&hub, "admin").await;
    let body = json!({"name": "exporter", "actions": ["member.list"], "expires_in_days": 90});
    let key =
        hub.post("admin", "/tenants/acme/api-keys", body).await.expect(201).json["token"].as_str().expect("a token").to_owned();
    let invited =
        hub.post("admin", "/tenants/acme/members/invitations", json!({"email": "new@acme.example", "role": "viewer"})).await;
    let url = invited.expect(201).json["url"].as_str().expect("a link").to_owned();
    let token = url.rsplit('/').next().expect("a token").to_owned();
    acme_asks(&hub, "second_factor", "required").await;
    acme_asks(&hub, "password.length_min", "30").await;
    assert_eq!(hub.get("admin", "/tenants/acme/members").await.expect(403).code(), "second_factor_required");
    hub.get(&key, "/tenants/acme/members").await.expect(200);
    let mut newcomer = Browser::new(&hub);
    let path = format!("/invitations/{token}/accept");
    let wrong = newcomer.post(&path, json!({"name": "New", "password": OTHER_PASSWORD})).await.expect(422);
    assert_eq!(wrong.wrong_fields(), ["password too_short"]);
    let accepted = newcomer.post(&path, json!({"name": "New", "password": "seven quiet barges under the moon"})).await.expect(200);
    assert_eq!(accepted.json["me"]["session"]["missing"], "second_factor");
}
