//! The door, on both engines: who gets in, what is isolated from whom, and what stands in the ledger afterwards.

use access::actions;
use axum::Router;
use axum::routing::{get, post};
use kernel::http::{Json, Path};
use kernel::{Error, Result, TenantCx, params};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub};

/// The smallest slice there is: one list and one write on the tenant's own data.
fn routes() -> Router<kernel::Hub> {
    async fn count(cx: TenantCx) -> Result<Json<i64>> {
        let mut tx = cx.read::<actions::ScanList>().await?;
        let mut row = tx.one("SELECT COUNT(*) FROM ledger", params![]).await?;
        Ok(Json(row.take()?))
    }
    async fn comment(cx: TenantCx, Json(body): Json<serde_json::Value>) -> Result<Json<()>> {
        let mut tx = cx.write::<actions::CommentCreate>().await?;
        if body["fail"] == true {
            return Err(Error::Conflict("asked to fail".into()));
        }
        tx.subject("comment", "cmt_1", Some("a comment".to_owned())).changed("comment", "cmt_1", &(), &body);
        tx.publish("summary", &json!({}))?;
        tx.commit().await?;
        Ok(Json(()))
    }
    async fn sneak(cx: TenantCx, Path(_): Path<String>) -> Result<Json<u64>> {
        let mut tx = cx.read::<actions::ScanList>().await?;
        let rows = tx.rows("INSERT INTO ledger_head (seq, hash) VALUES (9, ?1) RETURNING seq", params![vec![0_u8; 32]]).await?;
        Ok(Json(rows.len() as u64))
    }
    Router::new()
        .route("/tenants/{tenant}/count", get(count))
        .route("/tenants/{tenant}/comments", post(comment))
        .route("/tenants/{tenant}/sneak", get(sneak))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_in_the_ledger_with_who_and_through_what(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, routes()).await;
    hub.post("t2", "/tenants/acme/comments", json!({"text": "hello"})).await.expect(200);
    let ledger = hub.tenant_ledger("acme").await;
    let entry = ledger.last().expect("an entry");
    assert_eq!(entry["actor"]["name"], "t2");
    assert_eq!(entry["action"], "comment.create");
    assert_eq!(entry["outcome"], "done");
    assert_eq!(entry["as"]["source"], "assignment");
    assert_eq!(entry["as"]["tier"], "T2");
    assert_eq!(entry["as"]["provider"]["name"], "Northwind IT");
    assert_eq!(entry["changes"][0]["after"]["text"], "hello");
    assert!(hub.tenant_ledger("zeta").await.is_empty());
    assert_eq!(hub.verify_tenant_ledger("acme").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_and_a_failed_write_are_in_the_ledger_too(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, routes()).await;
    let refused = hub.post("viewer", "/tenants/acme/comments", json!({})).await.expect(403);
    assert!(!refused.json["needs"].as_str().unwrap().is_empty());
    hub.post("admin", "/tenants/acme/comments", json!({"fail": true})).await.expect(409);
    let outcomes: Vec<_> = hub.tenant_ledger("acme").await.iter().map(|e| (e["outcome"].clone(), e["code"].clone())).collect();
    assert_eq!(outcomes, [(json!("refused"), json!("forbidden")), (json!("failed"), json!("conflict"))]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_know_of_is_not_found_byte_for_byte(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, routes()).await;
    let unknown = hub.get("admin", "/tenants/ten_01999999999970009999999999999999/count").await.expect(404);
    for (who, tenant) in [("admin", "zeta"), ("tech_none", "acme"), ("carla", "acme"), ("priya", "zeta"), ("harriet", "acme")] {
        let foreign = hub.get(who, &format!("/tenants/{tenant}/count")).await.expect(404);
        assert_eq!(foreign.bytes, unknown.bytes, "{who} at {tenant}");
    }
    hub.post("carla", "/tenants/acme/comments", json!({})).await.expect(404);
    assert!(hub.tenant_ledger("acme").await.is_empty());
    let strangers = hub.control_ledger().await;
    assert!(strangers.iter().any(|e| e["action"] == "stranger.refused" && e["actor"]["name"] == "carla"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everyone_sees_exactly_what_their_grant_gives(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, routes()).await;
    let at = |who: &'static str, tenant: &'static str| {
        let hub = &hub;
        async move { hub.get(who, &format!("/tenants/{tenant}/count")).await.status }
    };
    for who in ["viewer", "auditor", "operator", "admin", "t1", "t2", "t3", "tech_view", "priya"] {
        assert_eq!(at(who, "acme").await, 200, "{who}");
    }
    for (who, tenant) in
        [("t0", "acme"), ("tech_expired", "acme"), ("disabled", "acme"), ("t3", "frost"), ("t3", "sable"), ("t3", "plain")]
    {
        assert_eq!(at(who, tenant).await, 403, "{who} at {tenant}");
    }
    assert_eq!(at("nobody", "acme").await, 401);
    assert_eq!(at("harriet", "birch").await, 200);
    assert_eq!(at("priya", "birch").await, 200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_cannot_write(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, routes()).await;
    hub.get("admin", "/tenants/acme/sneak").await.expect(500);
    assert!(hub.tenant_ledger("acme").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_keep_the_chain_whole(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = std::sync::Arc::new(TestHub::start(engine, routes()).await);
    let mut tasks = Vec::new();
    for n in 0..24 {
        let hub = hub.clone();
        tasks.push(tokio::spawn(async move { hub.post("admin", "/tenants/acme/comments", json!({"n": n})).await.expect(200) }));
    }
    for task in tasks {
        task.await.expect("a write");
    }
    assert_eq!(hub.verify_tenant_ledger("acme").await, 24);
}
