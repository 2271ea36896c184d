use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

use crate::stage::{assert_unsaid, assert_unwritten, entries, hub, run, text};

async fn listed(hub: &TestHub, who: &str, query: &str) -> Vec<String> {
    let list = hub.get(who, &format!("/tenants/acme/members{query}")).await.expect(200);
    list.json["items"].as_array().unwrap().iter().map(|m| m["person"]["name"].as_str().unwrap().to_owned()).collect()
}

/// A member of Acme as the API shows them.
async fn member(hub: &TestHub, name: &str) -> Value {
    let list = hub.get("auditor", "/tenants/acme/members").await.expect(200);
    list.json["items"].as_array().unwrap().iter().find(|m| m["person"]["name"] == name).expect("listed").clone()
}

async fn id_of(hub: &TestHub, name: &str) -> String {
    member(hub, name).await["id"].as_str().unwrap().to_owned()
}

async fn set_role(hub: &TestHub, who: &str, name: &str, role: &str) -> Answer {
    let (id, version) = (id_of(hub, name).await, member(hub, name).await["version"].as_i64().unwrap());
    hub.patch(who, &format!("/tenants/acme/members/{id}"), version, json!({"role": role})).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_searched_sorted_and_paged(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(listed(&hub, "admin", "").await, ["admin", "auditor", "disabled", "operator", "viewer"]);
    assert_eq!(listed(&hub, "admin", "?sort=-name").await, ["viewer", "operator", "disabled", "auditor", "admin"]);
    assert_eq!(listed(&hub, "t1", "?q=OPERATOR@cast").await, ["operator"]);
    assert_eq!(listed(&hub, "priya", "?role=viewer,auditor").await, ["auditor", "viewer"]);
    assert_eq!(listed(&hub, "auditor", "?state=disabled").await, ["disabled"]);
    for nothing in ["100%25", "a%00b", "a%0Ab"] {
        assert_eq!(listed(&hub, "auditor", &format!("?q={nothing}")).await, Vec::<String>::new());
    }
    for sort in ["role", "created", "-last_seen"] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = hub.get("admin", &format!("/tenants/acme/members?limit=2&sort={sort}{cursor}")).await.expect(200);
            assert_eq!(page.json["total"], 5);
            seen.extend(page.json["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.json["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "{sort}");
    }
    let admin = member(&hub, "admin").await;
    assert_eq!(admin["protected"], true, "the other one is disabled");
    assert_eq!(admin["is_me"], false);
    assert_eq!(admin["person"]["email"], "admin@cast.example");
    assert_eq!(member(&hub, "auditor").await["is_me"], true);
    assert_eq!(member(&hub, "disabled").await["protected"], false);
    for (query, wrong) in [
        ("?role=boss", "role unknown"),
        ("?state=gone", "state unknown"),
        ("?sort=email", "sort unknown"),
        ("?limit=0", "limit out_of_range"),
    ] {
        assert_eq!(hub.get("admin", &format!("/tenants/acme/members{query}")).await.expect(422).wrong_fields(), [wrong]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_or_change_members_is_told_why(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let viewer = id_of(&hub, "viewer").await;
    for who in ["operator", "viewer", "t0", "tech_expired", "disabled"] {
        let refused = hub.get(who, "/tenants/acme/members").await.expect(403);
        assert!(!refused.json["needs"].as_str().unwrap().is_empty(), "{who}");
        hub.get(who, "/tenants/acme/members/invitations").await.expect(403);
    }
    for who in ["operator", "viewer", "auditor", "t1", "t2", "tech_view", "disabled"] {
        for act in ["disable", "enable"] {
            hub.post(who, &format!("/tenants/acme/members/{viewer}/{act}"), json!(null)).await.expect(403);
        }
        hub.delete(who, &format!("/tenants/acme/members/{viewer}")).await.expect(403);
        hub.patch(who, &format!("/tenants/acme/members/{viewer}"), 1, json!({"role": "auditor"})).await.expect(403);
        hub.post(who, "/tenants/acme/members/invitations", json!({"email": "a@b.co", "role": "viewer"})).await.expect(403);
    }
    for who in ["carla", "other_admin", "tech_none"] {
        hub.get(who, "/tenants/acme/members").await.expect(404);
    }
    hub.get("nobody", "/tenants/acme/members").await.expect(401);
    assert_eq!(member(&hub, "viewer").await["version"], 1);
    let refusals = entries(&hub.tenant_ledger("acme").await, "member.update");
    assert_eq!(
        refusals,
        ["operator", "viewer", "auditor", "t1", "t2", "tech_view", "disabled"].map(|who| format!("{who} refused forbidden"))
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_another_organisation_is_not_found_like_none(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let zeta = hub.get("other_admin", "/tenants/zeta/members").await.expect(200);
    let foreign = zeta.json["items"][0]["id"].as_str().unwrap();
    let unknown = "mem_01999999999970009999999999999999";
    for (method, suffix, body) in [
        ("POST", "/disable", None),
        ("POST", "/enable", None),
        ("DELETE", "", None),
        ("PATCH", "", Some(json!({"role": "viewer"}))),
    ] {
        let mut answers = Vec::new();
        for id in [foreign, unknown, "mem_x", "per_01999999999970009999999999999999"] {
            let path = format!("/tenants/acme/members/{id}{suffix}");
            answers.push(
                hub.send("admin", method.parse().unwrap(), &path, body.clone(), &[("if-match", "\"1\"")]).await.expect(404).bytes,
            );
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{method} {suffix}");
    }
    assert_eq!(hub.get("other_admin", "/tenants/zeta/members").await.json, zeta.json);
    let invited = hub
        .post("other_admin", "/tenants/zeta/members/invitations", json!({"email": "a@b.co", "role": "viewer"}))
        .await
        .expect(201);
    let id = invited.json["id"].as_str().unwrap();
    let foreign = hub.delete("admin", &format!("/tenants/acme/members/invitations/{id}")).await.expect(404);
    let unknown = hub.delete("admin", "/tenants/acme/members/invitations/inv_01999999999970009999999999999999").await.expect(404);
    assert_eq!(foreign.bytes, unknown.bytes);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_changed_with_the_version_that_was_read(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let id = id_of(&hub, "viewer").await;
    let path = format!("/tenants/acme/members/{id}");
    hub.send("t3", axum::http::Method::PATCH, &path, Some(json!({"role": "auditor"})), &[]).await.expect(428);
    let changed = hub.patch("t3", &path, 1, json!({"role": "auditor"})).await.expect(200);
    assert_eq!((changed.version(), changed.json["role"].as_str()), (2, Some("auditor")));
    hub.patch("t3", &path, 1, json!({"role": "operator"})).await.expect(412);
    assert_eq!(hub.patch("t3", &path, 2, json!({"role": "boss"})).await.expect(422).wrong_fields(), ["role wrong_type"]);
    // The same again changes nothing.
    assert_eq!(hub.patch("t3", &path, 2, json!({"role": "auditor"})).await.expect(200).version(), 2);
    hub.get("viewer", "/tenants/acme/members").await.expect(200);
    let ledger = hub.tenant_ledger("acme").await;
    let done = ledger.iter().find(|e| e["action"] == "member.update" && e["outcome"] == "done").expect("an entry");
    assert_eq!(done["subject"]["label"], "viewer");
    assert_eq!(done["as"]["provider"]["name"], "Northwind IT");
    assert_eq!(done["changes"][0]["before"]["role"], "viewer");
    assert_eq!(done["changes"][0]["after"]["role"], "auditor");
    assert_eq!(entries(&ledger, "member.update"), ["t3 done -", "t3 failed precondition_failed", "t3 done -"]);
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_admins_decide_who_is_admin(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for who in ["t3", "priya"] {
        let refused = set_role(&hub, who, "viewer", "admin").await.expect(403);
        assert!(refused.json["why"].as_str().unwrap().contains("through an elevation"), "{}", refused.json);
        let invite =
            hub.post(who, "/tenants/acme/members/invitations", json!({"email": "a@b.co", "role": "admin"})).await.expect(403);
        assert_eq!(invite.json["policy"], "stop.admin_seat");
        let disabled = id_of(&hub, "disabled").await;
        hub.post(who, &format!("/tenants/acme/members/{disabled}/enable"), json!(null)).await.expect(403);
        hub.delete(who, &format!("/tenants/acme/members/{disabled}")).await.expect(403);
        set_role(&hub, who, "disabled", "viewer").await.expect(403);
    }
    assert_eq!(entries(&hub.tenant_ledger("acme").await, "member.grant_admin").len(), 2);
    set_role(&hub, "admin", "viewer", "admin").await.expect(200);
    let disabled = id_of(&hub, "disabled").await;
    hub.post("viewer", &format!("/tenants/acme/members/{disabled}/enable"), json!(null)).await.expect(200);
    hub.get("disabled", "/tenants/acme/members").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let admin = id_of(&hub, "admin").await;
    for who in ["admin", "t3"] {
        let refused = set_role(&hub, who, "admin", "viewer").await.expect(403);
        assert_eq!(refused.json["policy"], "stop.last_admin", "{who}");
        hub.post(who, &format!("/tenants/acme/members/{admin}/disable"), json!(null)).await.expect(403);
        hub.delete(who, &format!("/tenants/acme/members/{admin}")).await.expect(403);
    }
    // One whose account is disabled does not count.
    set_role(&hub, "admin", "viewer", "admin").await.expect(200);
    assert_eq!(member(&hub, "admin").await["protected"], false);
    run(&hub, "UPDATE person SET state = 'disabled' WHERE name = 'viewer'", params![]).await;
    assert_eq!(member(&hub, "admin").await["protected"], true);
    hub.delete("admin", &format!("/tenants/acme/members/{admin}")).await.expect(403);
    run(&hub, "UPDATE person SET state = 'active' WHERE name = 'viewer'", params![]).await;
    // Two who remove each other at once: one stays.
    let viewer = id_of(&hub, "viewer").await;
    let (path_a, path_b) = (format!("/tenants/acme/members/{admin}"), format!("/tenants/acme/members/{viewer}"));
    let (a, b) = tokio::join!(hub.delete("viewer", &path_a), hub.delete("admin", &path_b));
    assert_eq!(u8::from(a.is_success()) + u8::from(b.is_success()), 1, "{} {}", a.status, b.status);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rights_end_and_begin_with_the_commit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let auditor = id_of(&hub, "auditor").await;
    hub.get("auditor", "/tenants/acme/members").await.expect(200);
    let disabled = hub.post("admin", &format!("/tenants/acme/members/{auditor}/disable"), json!(null)).await.expect(200);
    assert_eq!((disabled.json["state"].as_str(), disabled.version()), (Some("disabled"), 2));
    hub.get("auditor", "/tenants/acme/members").await.expect(403);
    assert_eq!(hub.post("admin", &format!("/tenants/acme/members/{auditor}/disable"), json!(null)).await.expect(200).version(), 2);
    hub.post("t3", &format!("/tenants/acme/members/{auditor}/enable"), json!(null)).await.expect(200);
    hub.get("auditor", "/tenants/acme/members").await.expect(200);
    hub.delete("admin", &format!("/tenants/acme/members/{auditor}")).await.expect(204);
    hub.get("auditor", "/tenants/acme/members").await.expect(404);
    hub.delete("admin", &format!("/tenants/acme/members/{auditor}")).await.expect(404);
    hub.get("auditor", "/me").await.expect(200);
    let ledger = hub.tenant_ledger("acme").await;
    assert_eq!(entries(&ledger, "member.remove"), ["admin done -", "admin failed not_found"]);
    let removed = ledger.iter().find(|e| e["action"] == "member.remove").unwrap();
    assert_eq!(removed["changes"][0]["before"], json!({"email": "auditor@cast.example", "role": "auditor", "state": "active"}));
    assert_eq!(removed["changes"][0]["after"], json!(null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_organisation_shows_its_members_and_changes_none(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.get("t3", "/tenants/sable/members").await.expect(200);
    hub.post("t3", "/tenants/sable/members/invitations", json!({"email": "a@b.co", "role": "viewer"})).await.expect(403);
    hub.get("t3", "/tenants/frost/members").await.expect(403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_invited_and_the_link_is_said_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let path = "/tenants/acme/members/invitations";
    let invited = hub.post("admin", path, json!({"email": "New@Person.example", "role": "operator"})).await.expect(201);
    let token = invited.json["token"].as_str().unwrap();
    assert_eq!(invited.json["url"], format!("http://hub.test/invite/{token}"));
    assert_eq!(invited.json["email"], "new@person.example");
    assert_eq!(invited.json["expires_at"], "2026-11-28T09:00:00.000000Z");
    let again = hub.post("t3", path, json!({"email": "new@person.example", "role": "viewer"})).await.expect(201);
    let list = hub.get("auditor", path).await.expect(200);
    let states: Vec<_> = list.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (i["role"].as_str().unwrap(), i["state"].as_str().unwrap(), i["invited_by"].as_str().unwrap()))
        .collect();
    assert!(states.contains(&("operator", "revoked", "admin")) && states.contains(&("viewer", "open", "t3")), "{states:?}");
    assert_unsaid(&String::from_utf8_lossy(&list.bytes), &[token]);
    let id = again.json["id"].as_str().unwrap();
    hub.delete("t3", &format!("{path}/{id}")).await.expect(204);
    hub.delete("t3", &format!("{path}/{id}")).await.expect(409);
    assert_eq!(
        hub.post("admin", path, json!({"email": "viewer@cast.example", "role": "viewer"})).await.expect(409).code(),
        "conflict"
    );
    assert_eq!(
        hub.post("admin", path, json!({"email": "nobody", "role": "viewer"})).await.expect(422).wrong_fields(),
        ["email not_an_email"]
    );
    assert_eq!(hub.post("admin", path, json!({"email": "a@b.co"})).await.expect(422).wrong_fields(), ["role missing"]);
    assert_unwritten(&hub, &[token, again.json["token"].as_str().unwrap()]).await;
    assert_eq!(
        entries(&hub.tenant_ledger("acme").await, "member.invite"),
        ["admin done -", "t3 done -", "admin failed conflict", "admin failed invalid"]
    );
    let stored =
        text(&hub, "SELECT email FROM invitation WHERE revoked_at IS NULL OR revoked_at > 0 ORDER BY id LIMIT 1", params![]).await;
    assert_eq!(stored, "new@person.example");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn staff_are_shown_to_an_organisation_as_their_provider_says(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE provider SET staff_shown = 'by_role'", params![]).await;
    for (who, email, shown) in [("t3", "a@b.co", "Northwind IT"), ("admin", "c@d.co", "admin")] {
        let invited =
            hub.post(who, "/tenants/acme/members/invitations", json!({"email": email, "role": "viewer"})).await.expect(201);
        let token = invited.json["token"].as_str().unwrap();
        assert_eq!(hub.get("nobody", &format!("/invitations/{token}")).await.expect(200).json["invited_by"], shown);
    }
}
