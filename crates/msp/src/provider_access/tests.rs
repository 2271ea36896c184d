//! Who of the provider reaches a tenant, and what the tenant can do about it, on both engines.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person};

const HERE: &str = "/tenants/acme/provider-access";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

fn rows<'a>(view: &'a Value, name: &str) -> Vec<&'a Value> {
    view["people"].as_array().unwrap().iter().filter(|row| row["person"]["name"] == name).collect()
}

async fn remove(hub: &TestHub, who: &str, name: &str) -> testkit::Answer {
    let path = format!("{HERE}/people/{}", person(name));
    hub.send(who, Method::DELETE, &path, Some(json!({"reason": "wrong person for us"})), &[]).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_holds_something_is_listed_with_the_grant_behind_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    let view = hub.get("admin", HERE).await.expect(200).json;
    let names: Vec<_> = view["people"].as_array().unwrap().iter().map(|row| row["person"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["priya", "t0", "t1", "t2", "t3", "tech_expired", "tech_view"]);
    let t2 = rows(&view, "t2")[0];
    assert_eq!((&t2["tier"], &t2["through"]["source"], &t2["live"]), (&json!("T2"), &json!("assignment"), &json!(true)));
    let priya = rows(&view, "priya")[0];
    assert_eq!((&priya["tier"], &priya["through"]["source"]), (&json!("T3"), &json!("relationship")));
    let expired = rows(&view, "tech_expired")[0];
    assert_eq!((&expired["live"], &expired["why_not"]), (&json!(false), &json!("Your assignment to this organisation is over.")));
    assert_eq!(view["relationships"][0]["raise_by"], "tenant_consent");
    assert_eq!(view["frozen"], Value::Null);
    hub.get("auditor", HERE).await.expect(200);
    for who in ["operator", "viewer", "priya", "t3"] {
        hub.get(who, HERE).await.expect(403);
    }
    hub.get("other_admin", HERE).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_noted_for_the_tenant_to_see(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    let noted = async |when: kernel::Timestamp| {
        for _ in 0..1000 {
            if rows(&hub.get("admin", HERE).await.expect(200).json, "t2")[0]["last_used_at"] == when.to_string() {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    };
    assert!(noted(hub.hub.now()).await);
    // Nothing is committed meanwhile that would make the hub look the grants up anew.
    hub.advance(std::time::Duration::from_secs(600));
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    assert!(noted(hub.hub.now()).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_staff_are_shown_by_role_there_are_no_names(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let provider = hub.get("priya", "/providers/northwind").await.expect(200);
    let body = json!({"settings": {"staff_shown": "by_role"}});
    hub.patch("priya", "/providers/northwind", provider.version(), body).await.expect(200);
    let view = hub.get("admin", HERE).await.expect(200).json;
    assert!(
        view["people"].as_array().unwrap().iter().all(|row| row["person"]["name"].is_null() && row["person"]["id"].is_string())
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_stops_everybody_of_the_provider_and_says_why(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for who in ["t0", "t1", "t2", "t3", "priya"] {
        hub.get(who, "/tenants/acme/context").await.expect(200);
    }
    assert_eq!(
        hub.post("admin", &format!("{HERE}/freeze"), json!({"reason": ""})).await.expect(422).wrong_fields(),
        ["reason too_short"]
    );
    let body = json!({"reason": "suspicious sign-ins"});
    let view = hub.post("admin", &format!("{HERE}/freeze"), body.clone()).await.expect(200).json;
    assert_eq!((&view["frozen"]["side"], &view["frozen"]["reason"]), (&json!("tenant"), &body["reason"]));
    for who in ["t0", "t1", "t2", "t3", "priya"] {
        let no = hub.get(who, "/tenants/acme/context").await.expect(403);
        assert_eq!(no.json["why"], "Provider access to this organisation is frozen.", "{who}");
    }
    hub.get("viewer", "/tenants/acme/context").await.expect(200);
    let seen = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    assert_eq!(seen.json["relationship"]["state"], "frozen");
    assert_eq!(seen.json["relationship"]["freezes"][0]["reason"], "suspicious sign-ins");
    assert_eq!(seen.json["relationship"]["freezes"][0]["by"]["name"], "admin");
    let told = hub.control_ledger().await.into_iter().find(|e| e["action"] == "provider_access.freeze" && e["outcome"] == "done");
    assert_eq!(told.unwrap()["reason"], "suspicious sign-ins");
    // Only the tenant lifts it.
    hub.post("priya", "/providers/northwind/tenants/acme/relationship/unfreeze", json!({})).await.expect(409);
    hub.post("priya", &format!("{HERE}/unfreeze"), json!({})).await.expect(403);
    hub.post("admin", &format!("{HERE}/unfreeze"), json!({})).await.expect(200);
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    hub.post("admin", &format!("{HERE}/unfreeze"), json!({})).await.expect(409);
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_side_lifts_only_its_own_freeze(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let provider = |what: &str| format!("/providers/northwind/tenants/acme/relationship/{what}");
    let reason = json!({"reason": "incident at our side"});
    let frozen = hub.post("priya", &provider("freeze"), reason.clone()).await.expect(200);
    assert_eq!(frozen.json["relationship"]["freezes"][0]["side"], "provider");
    hub.get("t2", "/tenants/acme/context").await.expect(403);
    hub.post("admin", &format!("{HERE}/unfreeze"), json!({})).await.expect(409);
    hub.post("admin", &format!("{HERE}/freeze"), reason).await.expect(200);
    hub.post("priya", &provider("unfreeze"), json!({})).await.expect(200);
    hub.get("t2", "/tenants/acme/context").await.expect(403);
    hub.post("admin", &format!("{HERE}/unfreeze"), json!({})).await.expect(200);
    hub.get("t2", "/tenants/acme/context").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sub_providers_tenant_freezes_the_provider_above_too(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    tx.execute(
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at)
         SELECT p.id, t.id, p.id, 'admin', 'active', 0 FROM person p, tenant t WHERE p.name = 'viewer' AND t.slug = 'birch'",
        &[],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for who in ["harriet", "priya"] {
        hub.get(who, "/tenants/birch/context").await.expect(200);
    }
    hub.post("viewer", "/tenants/birch/provider-access/freeze", json!({"reason": "all of you"})).await.expect(200);
    for who in ["harriet", "priya"] {
        hub.get(who, "/tenants/birch/context").await.expect(403);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_was_removed_comes_back_only_with_consent(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let view = remove(&hub, "admin", "t2").await.expect(200).json;
    let row = rows(&view, "t2");
    assert_eq!(
        (row.len(), &row[0]["live"], &row[0]["barred"]["reason"]),
        (1, &json!(false), &json!("wrong person for us")),
        "{row:?}"
    );
    hub.get("t2", "/tenants/acme/context").await.expect(404);
    let staff = hub.get("priya", "/providers/northwind/staff?q=t2").await.expect(200).json["items"][0]["id"].clone();
    let body = json!({"staff": staff, "tenant": "acme", "tier": "T2", "modules": ["compliance"],
        "mask": {"view": true, "create": true, "update": true, "delete": true}});
    let waiting = hub.post("priya", "/providers/northwind/assignments", body).await.expect(202).json;
    assert_eq!(waiting["pending"]["kind"], "assignment");
    hub.get("t2", "/tenants/acme/context").await.expect(404);
    let asked = hub.get("admin", "/tenants/acme/access-requests?state=pending").await.expect(200).json;
    assert_eq!(asked["total"], 1);
    let id = asked["items"][0]["id"].as_str().unwrap().to_owned();
    hub.post("admin", &format!("/tenants/acme/access-requests/{id}/approve"), json!({})).await.expect(204);
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    // A provider admin is removed too, and admitted again.
    let view = remove(&hub, "admin", "priya").await.expect(200).json;
    assert_eq!(rows(&view, "priya")[0]["barred"]["reason"], "wrong person for us");
    let no = hub.get("priya", "/tenants/acme/context").await.expect(403);
    assert_eq!(no.json["why"], "This organisation has removed you from the staff who may reach it.");
    hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    hub.post("admin", &format!("{HERE}/people/{}/admit", person("priya")), json!({})).await.expect(200);
    hub.get("priya", "/tenants/acme/context").await.expect(200);
    remove(&hub, "admin", "carla").await.expect(404);
    remove(&hub, "admin", "viewer").await.expect(404);
    remove(&hub, "t3", "t1").await.expect(403);
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_lowers_and_ends_but_raises_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let id = hub.get("admin", HERE).await.expect(200).json["relationships"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{HERE}/relationships/{id}");
    let change = async |body: Value| hub.send("admin", Method::PATCH, &path, Some(body), &[]).await;
    let lowered = change(json!({"tier": "T1", "assign_by": "tenant_consent"})).await.expect(200).json;
    assert_eq!(
        (&lowered["relationships"][0]["tier"], &lowered["relationships"][0]["assign_by"]),
        (&json!("T1"), &json!("tenant_consent"))
    );
    assert_eq!(change(json!({"tier": "T2"})).await.expect(422).wrong_fields(), ["tier not_lower"]);
    assert_eq!(change(json!({"state": "active"})).await.expect(422).wrong_fields(), ["state not_here"]);
    change(json!({"state": "ended"})).await.expect(200);
    hub.get("t2", "/tenants/acme/context").await.expect(403);
    change(json!({"raise_by": "provider"})).await.expect(409);
    hub.send("priya", Method::PATCH, &path, Some(json!({"tier": "T1"})), &[]).await.expect(403);
    hub.send("admin", Method::PATCH, &format!("{HERE}/relationships/rel_0"), Some(json!({})), &[]).await.expect(404);
}

/// What an open tab of the second tier technician hears.
async fn listen(hub: &TestHub) -> axum::body::Body {
    use tower::ServiceExt as _;
    let request = axum::http::Request::get("/api/v1/tenants/acme/context/watch")
        .header("cookie", format!("{}={}", kernel::door::COOKIE, testkit::token("t2")))
        .body(axum::body::Body::empty())
        .unwrap();
    hub.router().oneshot(request).await.unwrap().into_body()
}

/// The next thing that is heard, heartbeats apart; nothing once the stream is over.
async fn heard(stream: &mut axum::body::Body) -> Option<String> {
    use http_body_util::BodyExt as _;
    loop {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(60), stream.frame()).await.unwrap()?.unwrap();
        let text = String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap();
        if text.contains("event:") {
            return Some(text);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_open_tab_hears_of_a_freeze_and_nothing_after_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut stream = listen(&hub).await;
    hub.post("admin", &format!("{HERE}/freeze"), json!({"reason": "look at this"})).await.expect(200);
    let text = heard(&mut stream).await.unwrap();
    assert!(text.contains("event: gone"), "{text}");
    assert_eq!(heard(&mut stream).await, None);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_open_tab_keeps_no_session_alive(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    // From their first use on, sessions end when they lie idle for eight hours.
    hub.advance(std::time::Duration::from_secs(120));
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    let read = "SELECT COUNT(*) FROM session WHERE person_id = ?1 AND last_seen_at > created_at";
    for _ in 0..1000 {
        let mut tx = hub.hub.system_read().await.unwrap();
        if tx.one(read, kernel::params![person("t2")]).await.unwrap().take::<i64>().unwrap() == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut stream = listen(&hub).await;
    let first = tokio::spawn(async move {
        let text = heard(&mut stream).await.unwrap();
        (stream, text)
    });
    hub.advance(std::time::Duration::from_secs(7 * 3600));
    // The tab looks again, long after its person was last there.
    let view = hub.get("admin", HERE).await.expect(200);
    let id = view.json["relationships"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{HERE}/relationships/{id}");
    hub.send("admin", Method::PATCH, &path, Some(json!({"tier": "T1"})), &[]).await.expect(200);
    let (mut stream, text) = first.await.unwrap();
    assert!(text.contains("event: changed"), "{text}");
    let next = tokio::spawn(async move { heard(&mut stream).await });
    hub.advance(std::time::Duration::from_secs(2 * 3600));
    hub.post("admin", &format!("{HERE}/freeze"), json!({"reason": "look at this"})).await.expect(200);
    let text = next.await.unwrap().unwrap();
    assert!(text.contains("event: gone") && text.contains("not_signed_in"), "{text}");
}
