//! How rights end, on both engines: sessions, persons, relationships, assignments, elevations and keys are looked up as they stand,
//! whatever was remembered of them; and a right that is taken away while an act is under way takes the act with it.

use std::time::Duration;

use access::actions;
use axum::Router;
use axum::http::Method;
use axum::routing::{get, post};
use kernel::http::Json;
use kernel::store::Value;
use kernel::{Error, Result, TenantCx, params};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, START, TestHub, person, tenant};
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);

/// A read, a write, a write that fails after it changed something, and one during which the relationship is frozen.
/// What may happen while a comment is being written.
const MEANWHILE: [(&str, &str); 3] = [
    ("frozen_meanwhile", "UPDATE relationship SET state = 'frozen'"),
    ("signed_out_meanwhile", "DELETE FROM session"),
    ("disabled_meanwhile", "UPDATE person SET state = 'disabled'"),
];

fn routes() -> Router<kernel::Hub> {
    async fn count(cx: TenantCx) -> Result<Json<i64>> {
        let mut tx = cx.read::<actions::ScanList>().await?;
        let mut row = tx.one("SELECT COUNT(*) FROM ledger", params![]).await?;
        Ok(Json(row.take()?))
    }
    async fn news(cx: TenantCx) -> Result<Json<i64>> {
        let mut tx = cx.read::<actions::ScanList>().await?;
        let mut row = tx.one("SELECT COUNT(*) FROM outbox", params![]).await?;
        Ok(Json(row.take()?))
    }
    async fn comment(cx: TenantCx, Json(body): Json<serde_json::Value>) -> Result<Json<()>> {
        let mut tx = cx.write::<actions::CommentCreate>().await?;
        tx.execute("INSERT INTO outbox (topic, revision, payload) VALUES ('test', 1, '{}')", params![]).await?;
        if body["fail"] == true {
            return Err(Error::Conflict("asked to fail".into()));
        }
        for (flag, meanwhile) in MEANWHILE {
            if body[flag] == true {
                let mut other = tx.hub().system_write("test.meanwhile", "something happens while an act is under way").await?;
                other.execute(meanwhile, params![]).await?;
                other.commit().await?;
            }
        }
        tx.commit().await?;
        Ok(Json(()))
    }
    Router::new()
        .route("/tenants/{tenant}/count", get(count))
        .route("/tenants/{tenant}/news", get(news))
        .route("/tenants/{tenant}/comments", post(comment))
}

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, routes()).await
}

async fn set(hub: &TestHub, sql: &str, params: &[Value]) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.expect("a write");
    assert!(tx.execute(sql, params).await.expect("a change") > 0, "{sql}");
    tx.commit().await.expect("a commit");
}

async fn at(hub: &TestHub, who: &str, slug: &str) -> u16 {
    hub.get(who, &format!("/tenants/{slug}/count")).await.status
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_on_the_second(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let end = hub.hub.now().after(HOUR);
    set(&hub, "UPDATE session SET expires_at = ?2 WHERE person_id = ?1", params![person("admin"), end]).await;
    set(&hub, "UPDATE session SET idle_expires_at = ?2 WHERE person_id = ?1", params![person("auditor"), end]).await;
    hub.advance(HOUR - Duration::from_secs(1));
    assert_eq!(at(&hub, "admin", "acme").await, 200);
    hub.advance(Duration::from_secs(1));
    assert_eq!((at(&hub, "admin", "acme").await, at(&hub, "auditor", "acme").await), (401, 401));
    assert_eq!(at(&hub, "viewer", "acme").await, 200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_half_session_and_a_disabled_person_are_nobody(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!(at(&hub, "admin", "acme").await, 200);
    set(&hub, "UPDATE session SET state = 'half' WHERE person_id = ?1", params![person("admin")]).await;
    let half = hub.get("admin", "/tenants/acme/count").await.expect(401);
    assert_eq!(half.code(), "second_factor_required");
    set(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![person("viewer")]).await;
    assert_eq!(hub.get("viewer", "/tenants/acme/count").await.expect(401).code(), "not_signed_in");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_a_standing_ends_with_the_commit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!((at(&hub, "t3", "acme").await, at(&hub, "priya", "acme").await), (200, 200));
    set(&hub, "UPDATE relationship SET state = 'frozen' WHERE tenant_id = ?1", params![tenant("acme")]).await;
    assert_eq!((at(&hub, "t3", "acme").await, at(&hub, "priya", "acme").await), (403, 403));
    set(&hub, "UPDATE relationship SET state = 'active' WHERE tenant_id = ?1", params![tenant("acme")]).await;
    assert_eq!(at(&hub, "t3", "acme").await, 200);
    set(&hub, "UPDATE staff SET state = 'disabled' WHERE person_id = ?1", params![person("t3")]).await;
    assert_eq!(at(&hub, "t3", "acme").await, 403);
    let key = params![tenant("acme"), person("priya"), person("admin"), START];
    set(&hub, "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) VALUES (?1, ?2, ?3, ?4, '')", key).await;
    assert_eq!(at(&hub, "priya", "acme").await, 403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_of_a_standing_ends_with_time(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let end = hub.hub.now().after(HOUR);
    set(&hub, "UPDATE assignment SET ends_at = ?2 WHERE person_id = ?1", params![person("t2"), end]).await;
    assert_eq!(at(&hub, "t2", "acme").await, 200);
    hub.advance(HOUR - Duration::from_secs(1));
    assert_eq!(at(&hub, "t2", "acme").await, 200);
    hub.advance(Duration::from_secs(1));
    assert_eq!(at(&hub, "t2", "acme").await, 403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_is_of_one_tenant_and_one_provider(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    // assigned on Acme by Northwind, and nowhere else
    assert_eq!(at(&hub, "t2", "acme").await, 200);
    for slug in ["plain", "frost", "birch", "zeta"] {
        assert_eq!(at(&hub, "t2", slug).await, 404, "{slug}");
    }
    // a technician of Contoso too, which now has a relationship with Acme: what Northwind assigned is not what Contoso did
    let contoso = "(SELECT id FROM provider WHERE slug = 'contoso')";
    let params = params![Uuid::from_u128(1), person("t2"), START];
    let staff = "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES";
    set(&hub, &format!("{staff} (?1, {contoso}, ?2, 'technician', 'active', ?3)"), params).await;
    let relationship = "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, created_at) VALUES";
    let params = params![Uuid::from_u128(2), tenant("acme"), START];
    set(&hub, &format!("{relationship} (?1, {contoso}, ?2, 3, 'active', ?3)"), params).await;
    assert_eq!(at(&hub, "t2", "acme").await, 200, "and it is no evidence against it either");
    let northwind = "(SELECT id FROM provider WHERE slug = 'northwind')";
    let end = format!("UPDATE relationship SET state = 'frozen' WHERE tenant_id = ?1 AND provider_id = {northwind}");
    set(&hub, &end, params![tenant("acme")]).await;
    assert_eq!(at(&hub, "t2", "acme").await, 403);
    assert_eq!(at(&hub, "t2", "zeta").await, 404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_several_grants_a_forbid_wins_and_else_the_one_that_allows(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let member = "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'viewer', ?4, ?5)";
    for (n, who, state) in [(5, "t0", "active"), (6, "t3", "disabled")] {
        set(&hub, member, params![Uuid::from_u128(n), tenant("acme"), person(who), state, START]).await;
    }
    assert_eq!((at(&hub, "t0", "acme").await, at(&hub, "t3", "acme").await), (200, 403));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_stands_higher_than_the_chain_above(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let northwind = "provider_id = (SELECT id FROM provider WHERE slug = 'northwind')";
    let comment = async || hub.post("harriet", "/tenants/birch/comments", json!({})).await.status;
    assert_eq!(at(&hub, "harriet", "birch").await, 200);
    set(&hub, &format!("UPDATE relationship SET tier = 1 WHERE {northwind}"), params![]).await;
    assert_eq!((at(&hub, "harriet", "birch").await, comment().await), (200, 403));
    set(&hub, &format!("UPDATE relationship SET state = 'frozen' WHERE {northwind}"), params![]).await;
    assert_eq!(at(&hub, "harriet", "birch").await, 403);
    set(&hub, &format!("UPDATE relationship SET state = 'active' WHERE {northwind}"), params![]).await;
    assert_eq!(at(&hub, "harriet", "birch").await, 200);
    set(&hub, "UPDATE provider SET state = 'suspended' WHERE slug = 'northwind'", params![]).await;
    assert_eq!(at(&hub, "harriet", "birch").await, 403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purged_tenant_is_as_one_that_never_was(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let unknown = hub.get("priya", "/tenants/ten_01999999999970009999999999999999/count").await.expect(404);
    set(&hub, "UPDATE tenant SET state = 'purged' WHERE slug = 'plain'", params![]).await;
    for name in ["plain".to_owned(), tenant("plain").to_string()] {
        assert_eq!(hub.get("priya", &format!("/tenants/{name}/count")).await.expect(404).bytes, unknown.bytes);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_elevation_counts_when_it_was_approved(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let comment = async || hub.post("t1", "/tenants/acme/comments", json!({})).await.status;
    assert_eq!(comment().await, 403);
    set(
        &hub,
        "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_name, tier, modules, minutes, approver, reason, state,
                                requested_at, lapses_at, provider_by, starts_at, ends_at)
         SELECT ?1, id, ?2, ?3, 'Repair', 2, 65535, 60, 'provider', 'a test', 'requested', ?5, ?6, ?4, ?5, ?6
         FROM provider WHERE slug = 'northwind'",
        params![Uuid::from_u128(3), tenant("acme"), person("t1"), person("priya"), START, START.after(HOUR)],
    )
    .await;
    assert_eq!(comment().await, 403);
    set(&hub, "UPDATE elevation SET state = 'approved'", params![]).await;
    assert_eq!(comment().await, 200);
    assert_eq!(hub.tenant_ledger("acme").await.last().expect("an entry")["as"]["source"], "elevation");
    hub.advance(HOUR);
    assert_eq!(comment().await, 403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_in_its_place_until_it_is_revoked_or_over(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let token = kernel::secrets::new_api_token();
    set(
        &hub,
        "INSERT INTO api_key (id, token_hash, hint, name, tenant_id, person_id, actions, created_at, expires_at)
         VALUES (?1, ?2, 'tnk', 'a key', ?3, ?4, '[\"scan.list\"]', ?5, ?6)",
        params![
            Uuid::from_u128(4),
            kernel::secrets::token_hash(&token),
            tenant("acme"),
            person("priya"),
            START,
            START.after(2 * HOUR)
        ],
    )
    .await;
    let bearer = format!("Bearer {token}");
    let ask = async |method, path: &str| {
        hub.send("nobody", method, path, Some(json!({})), &[("authorization", bearer.as_str())]).await.status
    };
    assert_eq!(ask(Method::GET, "/tenants/acme/count").await, 200);
    assert_eq!(ask(Method::POST, "/tenants/acme/comments").await, 403, "it does not name that");
    assert_eq!(ask(Method::GET, "/tenants/frost/count").await, 404, "its maker reaches that, it does not");
    hub.advance(HOUR);
    set(&hub, "UPDATE api_key SET revoked_at = ?1", params![START]).await;
    assert_eq!(ask(Method::GET, "/tenants/acme/count").await, 401);
    set(&hub, "UPDATE api_key SET revoked_at = NULL", params![]).await;
    assert_eq!(ask(Method::GET, "/tenants/acme/count").await, 200);
    hub.advance(HOUR);
    assert_eq!(ask(Method::GET, "/tenants/acme/count").await, 401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_leaves_nothing_but_its_entry(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.post("admin", "/tenants/acme/comments", json!({"fail": true})).await.expect(409);
    assert_eq!(hub.get("admin", "/tenants/acme/news").await.expect(200).json, 0);
    assert_eq!(hub.tenant_ledger("acme").await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_ends_while_an_act_is_under_way_takes_it_along(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.post("t3", "/tenants/acme/comments", json!({"frozen_meanwhile": true})).await.expect(403);
    assert_eq!(hub.get("admin", "/tenants/acme/news").await.expect(200).json, 0);
    let ledger = hub.tenant_ledger("acme").await;
    assert_eq!((ledger.len(), &ledger[0]["outcome"]), (1, &json!("refused")));
    // whose right does not rest on the relationship is not held up by its end
    hub.post("admin", "/tenants/acme/comments", json!({"frozen_meanwhile": true})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_while_an_act_is_under_way_keeps_it_and_who_is_disabled_does_not(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    hub.post("admin", "/tenants/acme/comments", json!({"signed_out_meanwhile": true})).await.expect(200);
    hub.get("admin", "/tenants/acme/news").await.expect(401);
    assert_eq!(hub.tenant_ledger("acme").await[0]["outcome"], "done");
    let hub = start(engine).await;
    hub.post("admin", "/tenants/acme/comments", json!({"disabled_meanwhile": true, "signed_out_meanwhile": true}))
        .await
        .expect(403);
    assert_eq!(hub.tenant_ledger("acme").await[0]["outcome"], "refused");
}
