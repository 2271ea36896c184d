//! Backups in a bucket, over the S3 protocol, against a server of it that checks signatures.

use hyper_util::rt::{TokioExecutor, TokioIo};
use kernel::Error;
use recovery::restores::{From, How};
use recovery::{Progress, S3Settings, backups, places};
use rstest::rstest;
use testkit::{Engine, tenant};

use crate::stage::{Stage, data};

/// A store with one bucket, `backups`. Answers how to reach it, and its folder.
async fn store(secret: &str) -> (S3Settings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("backups")).unwrap();
    let mut builder = s3s::service::S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
    builder.set_auth(s3s::auth::SimpleAuth::from_single("key-id", "secret-key"));
    let service = builder.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        while let Ok((socket, _)) = listener.accept().await {
            let connection = server.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
            tokio::spawn(connection);
        }
    });
    let settings = S3Settings {
        endpoint: Some(format!("http://{address}")),
        region: Some("eu-central-1".into()),
        access_key_id: Some("key-id".into()),
        secret_access_key: Some(secret.into()),
    };
    (settings, folder)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_a_place_like_any_other() {
    let (s3, folder) = store("secret-key").await;
    let stage = Stage::with(Engine::Sqlite, |settings| {
        settings.to = Some("s3://backups/our/hub".into());
        settings.s3 = s3;
    })
    .await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 40, 10).await.expect(201);
    // More than a part: what is random does not compress.
    let mut tx = hub.system(tenant("acme"), "test.fill", "a large backup").await.unwrap();
    for n in 0..300 {
        let bytes: Vec<u8> = (0..1_024).flat_map(|_| kernel::ids::random::<32>()).collect();
        let id = kernel::ids::uuid_at(kernel::Timestamp(n));
        tx.execute("INSERT INTO finding_evidence (finding_id, sealed) VALUES (?1, ?2)", kernel::params![id, bytes]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let then = data(hub, tenant("acme")).await;
    let made = stage.backup().await;
    assert!(made.bytes > 9 << 20, "{}", made.bytes);
    assert_eq!(std::fs::metadata(folder.path().join("backups/our/hub").join(&made.file)).unwrap().len(), made.bytes);
    let found = backups::verify(hub, &made.id.to_string(), None, &Progress::silent()).await.unwrap();
    assert_eq!(found.tenants, 6);
    stage.comment("admin", "acme", "after").await;
    stage.restore("acme", How::Over, From::Backup(made.id.to_string())).await.unwrap();
    let now = data(hub, tenant("acme")).await;
    assert_eq!((&now["comment"], &now["finding_evidence"]), (&then["comment"], &then["finding_evidence"]));
    crate::backups::purge(&stage).await;
    let keyring = std::fs::read_to_string(folder.path().join("backups/our/hub/keyring.json")).unwrap();
    assert!(!keyring.contains(&tenant("acme").to_string()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_or_bucket_says_so() {
    let (s3, _folder) = store("another").await;
    let stage = Stage::with(Engine::Sqlite, |settings| {
        settings.to = Some("s3://backups".into());
        settings.s3 = s3.clone();
    })
    .await;
    let answer = backups::make(&stage.hub.hub, &backups::Asked::default(), &Progress::silent()).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert!(matches!(places::at("s3://", &s3, false).map(drop), Err(Error::Invalid(_))));
    assert!(matches!(places::at("ftp://x", &s3, false).map(drop), Err(Error::Invalid(_))));
}
