//! New master keys and new data keys: everything opens at every instant, older backups too.

use kernel::params;
use kernel::secrets::{SEALED_BY_TENANT, SecretKey};
use recovery::restores::{From, How};
use recovery::{Progress, backups, rotation};
use rstest::rstest;
use testkit::{Engine, tenant};

use crate::stage::{Stage, data};

async fn evidence(stage: &Stage) -> String {
    let finding = stage.findings("admin", "acme").await[0]["id"].as_str().unwrap().to_owned();
    let view = stage.get("admin", &format!("/tenants/acme/findings/{finding}")).await.expect(200);
    view.json["evidence"]["resource_data"]["secret"].as_str().unwrap_or_default().to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_key_opens_everything_and_the_old_one_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("master.key");
    let stage = Stage::with(engine, |settings| settings.master_key_file = Some(file.clone())).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 20, 10).await.expect(201);
    let mut tx = hub.system_write("test.set", "a second factor").await.unwrap();
    let label = format!("totp of {}", testkit::person("priya"));
    let sealed = hub.master_key().seal(&label, b"secret of priya");
    tx.execute("UPDATE person SET totp_secret = ?2 WHERE id = ?1", params![testkit::person("priya"), sealed]).await.unwrap();
    tx.commit().await.unwrap();
    let made = stage.backup().await;
    let (old, new) = (hub.master_key(), SecretKey::generate());
    let rotated = rotation::master(hub, new.clone()).await.unwrap();
    assert!(rotated.values >= 9 && rotated.places_left.is_empty(), "{rotated:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), &**new.to_hex());
    assert!(!rotation::next_file(&file).exists());
    assert!(rotation::master(hub, new.clone()).await.is_err(), "it is in use");

    assert!(evidence(&stage).await.contains("of acme"));
    kernel::Hub::open(stage.config.clone()).await.err().expect("the old key does not fit any more");
    let reopened = stage.reopened(new.clone()).await;
    let mut tx = reopened.system_read().await.unwrap();
    let sql = "SELECT totp_secret FROM person WHERE id = ?1";
    let totp: Vec<u8> = tx.one(sql, params![testkit::person("priya")]).await.unwrap().take().unwrap();
    drop(tx);
    assert_eq!(new.open(&label, &totp).unwrap().as_slice(), b"secret of priya");
    assert!(old.open(&label, &totp).is_err());
    // The keyring is wrapped by the new key, and the old backup opens with it.
    assert!(std::fs::read_to_string(stage.place.path().join("keyring.json")).unwrap().contains(&new.name()));
    let found = backups::verify(&reopened, &made.id.to_string(), None, &Progress::silent()).await.unwrap();
    assert_eq!(found.tenants, 6);
    stage.restore("acme", How::Over, From::Backup(made.id.to_string())).await.unwrap();
    let told = stage.control_ledger().await;
    let entry = told.iter().find(|entry| entry["action"] == "master_key.rotate").unwrap();
    assert!(!entry.to_string().contains(&**new.to_hex()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_data_key_seals_all_and_older_backups_still_open(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 30, 10).await.expect(201);
    let then = data(hub, tenant("acme")).await;
    let made = stage.backup().await;
    let old = hub.tenant_key(tenant("acme")).await.unwrap();
    let rotated = rotation::tenant(hub, tenant("acme")).await.unwrap();
    assert_eq!(rotated.values, 30);
    let new = hub.tenant_key(tenant("acme")).await.unwrap();
    assert!(!new.is(&old));
    let sealed = async || {
        let mut tx = hub.system(tenant("acme"), "test.look", "what is sealed").await.unwrap();
        let rows = tx.rows("SELECT sealed FROM finding_evidence", &[]).await.unwrap();
        rows.into_iter().map(|mut row| row.take::<Vec<u8>>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(SEALED_BY_TENANT.len(), 1);
    assert!(sealed().await.iter().all(|value| new.alone().open("evidence", value).is_ok() && old.open("evidence", value).is_err()));
    assert!(evidence(&stage).await.contains("of acme"));
    assert!(stage.tenant_ledger("acme").await.iter().any(|entry| entry["action"] == "tenant_key.rotate"));
    // What the old key sealed, by a writer that had it in its hands, opens too, and is sealed anew when asked for again.
    let mut tx = hub.system(tenant("acme"), "test.late", "a late writer").await.unwrap();
    let late = old.seal("evidence", b"{}");
    tx.execute("INSERT INTO finding_evidence (finding_id, sealed) VALUES (?1, ?2)", params![uuid::Uuid::nil(), late])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rotation::reseal_tenant(hub, tenant("acme")).await.unwrap(), 1);
    assert_eq!(rotation::reseal_tenant(hub, tenant("acme")).await.unwrap(), 0);
    // The backup was sealed with the key of before.
    stage.restore("acme", How::Over, From::Backup(made.id.to_string())).await.unwrap();
    assert!(evidence(&stage).await.contains("of acme"));
    assert!(sealed().await.iter().all(|value| new.alone().open("evidence", value).is_ok()));
    let now = data(hub, tenant("acme")).await;
    assert_eq!((now["finding"].clone(), now["finding_evidence"].len()), (then["finding"].clone(), 30));
    let all = rotation::all_tenants(hub, &Progress::silent()).await.unwrap();
    assert_eq!(all.len(), 6);
    let found = backups::verify(hub, &made.id.to_string(), None, &Progress::silent()).await.unwrap();
    assert_eq!(found.unreadable, []);
}
