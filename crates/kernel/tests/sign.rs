//! Signed heads: when they are made, by which key, and what they are checked against. On both engines.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use kernel::door::{ChainId, ROTATION_LEAD, SIGN_AFTER, SIGN_ENTRIES};
use kernel::{Hub, params};
use ledger::KeyRing;
use rstest::rstest;
use testkit::{Engine, TestHub, tenant};

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, axum::Router::new()).await
}

const ACME: &str = "acme";

fn acme() -> ChainId {
    ChainId::Tenant(tenant(ACME))
}

async fn write(hub: &Hub) {
    hub.system(tenant(ACME), "test.write", "a test moves the chain").await.unwrap().commit().await.unwrap();
}

async fn checkpoints(hub: &TestHub) -> i64 {
    let mut tx = hub.hub.system_read_tenant(tenant(ACME)).await.unwrap();
    tx.one("SELECT COUNT(*) FROM checkpoint", &[]).await.unwrap().take().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_signed_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!(hub.hub.checkpoint(acme()).await.unwrap(), None, "an empty chain has no head");
    write(&hub.hub).await;
    let first = hub.hub.checkpoint(acme()).await.unwrap().unwrap();
    hub.advance(Duration::from_secs(1));
    assert_eq!(hub.hub.checkpoint(acme()).await.unwrap().unwrap(), first, "the head did not move");
    assert_eq!((first.chain, first.seq), (tenant(ACME).to_string(), 1));
    write(&hub.hub).await;
    let second = hub.hub.checkpoint(acme()).await.unwrap().unwrap();
    assert_eq!((second.seq, checkpoints(&hub).await), (2, 2));
    assert_eq!(hub.hub.remembered_checkpoint(tenant(ACME)).await.unwrap(), Some(second.clone()));
    let ring = KeyRing::check(&hub.hub.signing_keys().await.unwrap(), &[]).unwrap();
    second.check(&ring).unwrap();
    for chain in [ChainId::Installation, ChainId::Provider(provider(&hub.hub).await)] {
        let checkpoint = hub.hub.checkpoint(chain).await.unwrap();
        assert!(checkpoint.is_none_or(|checkpoint| checkpoint.check(&ring).is_ok() && checkpoint.chain == chain.to_string()));
    }
    let nowhere = ChainId::Tenant(kernel::TenantId::new(hub.hub.now()));
    let answer = hub.hub.checkpoint(nowhere).await;
    assert!(engine == Engine::Postgres || answer.is_err_and(|error| error.code() == "not_found"));
}

async fn provider(hub: &Hub) -> kernel::ProviderId {
    let mut tx = hub.system_read().await.unwrap();
    tx.one("SELECT id FROM provider WHERE slug = 'northwind'", &[]).await.unwrap().take().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_signs_what_moved_when_it_is_due(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    while hub.hub.sign_due().await.unwrap() > 0 {}
    write(&hub.hub).await;
    assert_eq!(hub.hub.sign_due().await.unwrap(), 1, "nobody knows when it was signed last: at once");
    assert_eq!(checkpoints(&hub).await, 1);
    write(&hub.hub).await;
    assert_eq!(hub.hub.sign_due().await.unwrap(), 0, "its checkpoint is young");
    hub.advance(SIGN_AFTER);
    assert_eq!(hub.hub.sign_due().await.unwrap(), 1);
    assert_eq!(hub.hub.sign_due().await.unwrap(), 0, "nothing moved since");
    for _ in 0..SIGN_ENTRIES {
        write(&hub.hub).await;
    }
    assert_eq!(hub.hub.sign_due().await.unwrap(), 1, "many entries behind: at once");
    assert_eq!(checkpoints(&hub).await, 3);
    assert_eq!(hub.hub.remembered_checkpoint(tenant(ACME)).await.unwrap().unwrap().seq, u64::from(SIGN_ENTRIES) + 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_hub_left_unsigned_is_signed_after_the_start(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    write(&hub.hub).await;
    let restarted = Hub::open(hub.config.clone()).await.unwrap();
    assert_eq!(restarted.sign_due().await.unwrap(), 0, "it knows of nothing");
    let chains = restarted.note_all_chains().await.unwrap();
    assert!(chains >= 7, "six tenants and the installation: {chains}");
    assert_eq!(restarted.sign_due().await.unwrap(), chains);
    assert_eq!(checkpoints(&hub).await, 1);
    assert_eq!(restarted.signing_keys().await.unwrap(), hub.hub.signing_keys().await.unwrap(), "the first key is made once");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_certified_by_the_old_one_and_signs_from_its_instant_on(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    let first = hub.hub.signing_keys().await.unwrap().remove(0);
    let second = hub.hub.rotate_signing_key().await.unwrap();
    let third = hub.hub.rotate_signing_key().await.unwrap();
    let keys = hub.hub.signing_keys().await.unwrap();
    assert_eq!(keys, [first.clone(), second, third.clone()]);
    let ring = KeyRing::check(&keys, &[first.public_key]).unwrap();
    write(&hub.hub).await;
    let before = hub.hub.checkpoint(acme()).await.unwrap().unwrap();
    assert_eq!(before.key_id, first.key_id, "the old key signs what is under way");
    hub.advance(ROTATION_LEAD);
    write(&hub.hub).await;
    let after = hub.hub.checkpoint(acme()).await.unwrap().unwrap();
    assert_eq!(after.key_id, third.key_id);
    before.check(&ring).unwrap();
    after.check(&ring).unwrap();
    let entries = hub.control_ledger().await;
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "ledger_key.rotate").count(), 2);
    let text = serde_json::to_string(&entries).unwrap();
    let mut tx = hub.hub.system_read().await.unwrap();
    for mut row in tx.rows("SELECT secret FROM signing_key WHERE number > ?1", params![0_i64]).await.unwrap() {
        let sealed: Vec<u8> = row.take().unwrap();
        assert!(sealed.len() == 24 + 32 + 16 && !text.contains(&ledger::hex::encode(&sealed)), "sealed, and in no ledger");
    }
}
