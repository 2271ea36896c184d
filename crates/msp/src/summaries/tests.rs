use kernel::{Timestamp, params};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, tenant};

async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    super::wire(&hub.hub);
    hub
}

async fn publish(hub: &TestHub, name: &str, payload: Value) {
    let mut tx = hub.hub.system(tenant(name), "test.scan", "a test publishes a summary").await.unwrap();
    tx.publish("summary", &payload).unwrap();
    tx.commit().await.unwrap();
}

async fn failed(hub: &TestHub, name: &str) -> Option<i64> {
    let mut tx = hub.hub.system_read().await.unwrap();
    let row = tx.opt("SELECT failed FROM summary WHERE tenant_id = ?1", params![tenant(name)]).await.unwrap();
    row.map(|mut row| row.take().unwrap())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    assert_eq!(failed(&hub, "acme").await, None);
    publish(&hub, "acme", json!({"score_bp": 9000, "failed": 1, "scan_at": START, "trend": [[20_000, 9000]], "recheck_at": null}))
        .await;
    publish(&hub, "acme", json!({"score_bp": 8000, "failed": 2, "scan_at": START, "frameworks": [{"framework": "CIS"}]})).await;
    assert_eq!(failed(&hub, "acme").await, Some(2));
    assert_eq!(failed(&hub, "zeta").await, None);
    // One that comes late (its revision is older) changes nothing.
    let mut tx = hub.hub.system_write("test.set", "a newer one is there").await.unwrap();
    tx.execute("UPDATE summary SET revision = 1000, failed = 7", &[]).await.unwrap();
    tx.commit().await.unwrap();
    publish(&hub, "acme", json!({"failed": 3})).await;
    assert_eq!(failed(&hub, "acme").await, Some(7));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_one_is_left_lying_and_a_good_one_follows(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    publish(&hub, "acme", json!({"failed": "many"})).await;
    assert_eq!(failed(&hub, "acme").await, None);
    publish(&hub, "acme", json!({"failed": 4})).await;
    assert_eq!(failed(&hub, "acme").await, Some(4));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purged_tenant_gets_none(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_write("test.set", "purged meanwhile").await.unwrap();
    tx.execute("UPDATE tenant SET state = 'purged' WHERE slug = 'acme'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    publish(&hub, "acme", json!({"failed": 4})).await;
    assert_eq!(failed(&hub, "acme").await, None);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_time_has_changed_is_due(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    publish(&hub, "acme", json!({"recheck_at": START.plus_days(2)})).await;
    publish(&hub, "zeta", json!({"recheck_at": START.plus_days(1)})).await;
    publish(&hub, "plain", json!({"recheck_at": null})).await;
    let due = async |at: Timestamp| super::due(&hub.hub, at).await.unwrap();
    assert_eq!(due(START).await, []);
    assert_eq!(due(START.plus_days(1)).await, [tenant("zeta")]);
    assert_eq!(due(START.plus_days(3)).await, [tenant("zeta"), tenant("acme")]);
}
