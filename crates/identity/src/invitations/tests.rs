use std::time::Duration;

use kernel::secrets::token_hash;
use kernel::{PersonId, params};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, person};

use super::InvitationId;
use crate::stage::{
    Browser, OTHER_PASSWORD, PASSWORD, assert_unsaid, assert_unwritten, entries, hub, number, run, with_password,
    with_second_factor,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Invites somebody to Acme. Answers the token.
async fn invite(hub: &TestHub, email: &str, role: &str) -> String {
    let invited = hub.post("admin", "/tenants/acme/members/invitations", json!({"email": email, "role": role})).await.expect(201);
    invited.json["token"].as_str().unwrap().to_owned()
}

/// Invites somebody as Northwind's staff, as the msp crate does.
async fn invite_staff(hub: &TestHub, email: &str, role: &str) -> String {
    let token = kernel::secrets::new_token();
    let now = hub.hub.now();
    run(
        hub,
        "INSERT INTO invitation (id, token_hash, provider_id, email, role, invited_by, created_at, expires_at)
         SELECT ?1, ?2, id, ?3, ?4, ?5, ?6, ?7 FROM provider WHERE slug = 'northwind'",
        params![InvitationId::new(now), token_hash(&token), email, role, person("priya"), now, now.plus_days(7)],
    )
    .await;
    token
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_becomes_a_member(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let token = invite(&hub, "new@person.example", "operator").await;
    let mut browser = Browser::new(&hub);
    let view = browser.get(&format!("/invitations/{token}")).await.expect(200);
    assert_eq!(
        view.json,
        json!({"kind": "member", "organisation": "Acme Dental Group", "role": "operator", "email": "new@person.example",
               "invited_by": "admin", "expires_at": "2026-11-28T09:00:00.000000Z", "has_account": false})
    );
    let path = format!("/invitations/{token}/accept");
    let wrong = browser.post(&path, json!({"name": " ", "password": "short"})).await.expect(422);
    assert_eq!(wrong.wrong_fields(), ["name too_short", "password too_short"]);
    let weak = browser.post(&path, json!({"name": "New Person", "password": "new@person.example"})).await.expect(422);
    assert_eq!(weak.wrong_fields(), ["password weak"]);
    let step = browser.post(&path, json!({"name": "New Person", "password": PASSWORD})).await.expect(200);
    assert_eq!(step.json["state"], "signed_in");
    assert_eq!(step.json["me"]["tenants"][0]["role"], "operator");
    browser.get("/me").await.expect(200);
    let again = browser.post(&path, json!({"name": "New Person", "password": PASSWORD})).await.expect(409);
    assert!(again.json["detail"].as_str().unwrap().contains("used already"));
    browser.get(&format!("/invitations/{token}")).await.expect(409);
    let mut other = Browser::new(&hub);
    let email = "new@person.example";
    other.post("/session", json!({"email": email, "password": PASSWORD})).await.expect(200);

    let ledger = hub.tenant_ledger("acme").await;
    let entry = ledger.last().unwrap();
    assert_eq!((entry["action"].as_str(), entry["actor"]["name"].as_str()), (Some("invitation.accept"), Some("New Person")));
    assert_eq!(entry["subject"]["label"], "Acme Dental Group");
    assert_eq!(entry["changes"][0]["after"], json!({"role": "operator", "email": email}));
    assert!(entries(&hub.control_ledger().await, "invitation.accept").contains(&"New Person done -".to_owned()));
    let session = browser.token.clone().unwrap();
    assert_unwritten(&hub, &[PASSWORD, &token, &session]).await;
    assert_unsaid(&String::from_utf8_lossy(&step.bytes), &[PASSWORD, &token, &session]);
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_person_becomes_staff_and_the_provider_reads_of_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let token = invite_staff(&hub, "tech@person.example", "technician").await;
    let mut browser = Browser::new(&hub);
    let view = browser.get(&format!("/invitations/{token}")).await.expect(200);
    assert_eq!(view.json["kind"], "staff");
    assert_eq!(view.json["organisation"], "Northwind IT");
    assert_eq!(view.json["invited_by"], "priya");
    let step =
        browser.post(&format!("/invitations/{token}/accept"), json!({"name": "Tia Tech", "password": PASSWORD})).await.expect(200);
    assert_eq!(step.json["me"]["providers"][0]["role"], "technician");
    let sql = "SELECT COUNT(*) FROM ledger l JOIN provider p ON p.id = l.chain WHERE p.slug = 'northwind' AND l.action = 'invitation.accept'
               AND l.outcome = 'done'";
    assert_eq!(number(&hub, sql, params![]).await, 1);
    assert!(hub.tenant_ledger("acme").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_takes_an_invitation_up_with_its_password(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "other_admin").await;
    let token = invite(&hub, "other_admin@cast.example", "auditor").await;
    let path = format!("/invitations/{token}/accept");
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.get(&format!("/invitations/{token}")).await.expect(200).json["has_account"], true);
    let wrong = browser.post(&path, json!({"password": OTHER_PASSWORD})).await.expect(401);
    assert_eq!(wrong.code(), "bad_credentials");
    let step = browser.post(&path, json!({"name": "Another Name", "password": PASSWORD})).await.expect(200);
    assert_eq!(step.json["me"]["person"]["name"], "other_admin");
    assert_eq!(step.json["me"]["tenants"].as_array().unwrap().len(), 2);
    browser.get("/tenants/acme/members").await.expect(200);
    assert_eq!(
        entries(&hub.control_ledger().await, "invitation.accept"),
        ["other_admin failed bad_credentials", "other_admin done -"]
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_second_factor_is_half_signed_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "other_admin").await;
    let mut here = Browser::new(&hub);
    here.sign_in("other_admin").await;
    let (_, codes) = with_second_factor(&mut here).await;
    let token = invite(&hub, "other_admin@cast.example", "auditor").await;
    let mut browser = Browser::new(&hub);
    let step = browser.post(&format!("/invitations/{token}/accept"), json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(step.json, json!({"state": "second_factor", "me": null}));
    browser.get("/tenants/acme/members").await.expect(401);
    browser.post("/session/verify", json!({"code": codes[0]})).await.expect(200);
    browser.get("/tenants/acme/members").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_over_is_good_for_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let body = || json!({"name": "New Person", "password": PASSWORD});
    let mut browser = Browser::new(&hub);
    let says =
        |answer: &testkit::Answer, words: &str| assert!(answer.json["detail"].as_str().unwrap().contains(words), "{}", answer.json);

    let replaced = invite(&hub, "a@person.example", "viewer").await;
    let open = invite(&hub, "a@person.example", "viewer").await;
    says(&browser.post(&format!("/invitations/{replaced}/accept"), body()).await.expect(409), "withdrawn");
    browser.get(&format!("/invitations/{open}")).await.expect(200);

    hub.advance(7 * DAY - Duration::from_secs(1));
    browser.get(&format!("/invitations/{open}")).await.expect(200);
    hub.advance(Duration::from_secs(1));
    says(&browser.get(&format!("/invitations/{open}")).await.expect(409), "expired");
    says(&browser.post(&format!("/invitations/{open}/accept"), body()).await.expect(409), "expired");

    let unknown = browser.get("/invitations/nothing").await.expect(404);
    assert_eq!(browser.post("/invitations/nothing/accept", body()).await.expect(404).bytes, unknown.bytes);

    let closed = invite(&hub, "b@person.example", "viewer").await;
    run(&hub, "UPDATE tenant SET state = 'archived' WHERE slug = 'acme'", params![]).await;
    says(&browser.post(&format!("/invitations/{closed}/accept"), body()).await.expect(409), "takes nobody in");
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM person WHERE email LIKE '%person.example'", params![]).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_it_up_at_once_one_succeeds(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let token = invite(&hub, "new@person.example", "viewer").await;
    let path = format!("/invitations/{token}/accept");
    let (mut a, mut b) = (Browser::new(&hub), Browser::at(&hub, "192.0.2.2"));
    let body = json!({"name": "New Person", "password": PASSWORD});
    let (first, second) = tokio::join!(a.post(&path, body.clone()), b.post(&path, body.clone()));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(matches!(statuses[1], 409 | 401), "{statuses:?}");
    assert_eq!(
        number(
            &hub,
            "SELECT COUNT(*) FROM member m JOIN person p ON p.id = m.person_id WHERE p.email = 'new@person.example'",
            params![]
        )
        .await,
        1
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_belongs_there_already_cannot_come_again(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "other_admin").await;
    let token = invite(&hub, "other_admin@cast.example", "auditor").await;
    run(
        &hub,
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'viewer', 'disabled', 0)",
        params![PersonId::new(hub.hub.now()), testkit::tenant("acme"), person("other_admin")],
    )
    .await;
    let mut browser = Browser::new(&hub);
    browser.post(&format!("/invitations/{token}/accept"), json!({"password": PASSWORD})).await.expect(409);
    browser.get(&format!("/invitations/{token}")).await.expect(200);
    assert!(browser.token.is_none());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_no_way_to_guess_a_password(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    with_password(&hub, "other_admin").await;
    let token = invite(&hub, "other_admin@cast.example", "auditor").await;
    let path = format!("/invitations/{token}/accept");
    let mut browser = Browser::new(&hub);
    for _ in 0..5 {
        browser.post(&path, json!({"password": "wrong"})).await.expect(401);
    }
    browser.post(&path, json!({"password": PASSWORD})).await.expect(429);
    browser.sign_in_with("other_admin", PASSWORD).await.expect(429);
    hub.advance(Duration::from_secs(1));
    run(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![person("other_admin")]).await;
    assert_eq!(browser.post(&path, json!({"password": PASSWORD})).await.expect(401).code(), "bad_credentials");
}
