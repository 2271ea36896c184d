//! SIGKILL in a loop under write load: no acknowledged write is lost, and the ledger stays whole. On both engines; on PostgreSQL the
//! database server is killed as well.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kernel::secrets::SecretKey;
use kernel::store::{StoreConfig, StoreLimits};
use kernel::{Clock, HubConfig};
use parking_lot::Mutex;
use reqwest::Client;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use testkit::{Server, postgres_url};
use tower::ServiceExt as _;

const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const PASSWORD: &str = "crash-lantern-harbour-42";
const ROUNDS: u32 = 4;
const WRITERS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_hub_loses_no_acknowledged_write_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreConfig::Sqlite { dir: folder.path().to_owned() };
    kill_in_a_loop(folder.path(), store, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_hub_loses_no_acknowledged_write_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreConfig::Postgres { url: postgres_url().await, connections: 4 };
    kill_in_a_loop(folder.path(), store, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_database_loses_no_acknowledged_write_and_the_hub_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let place = std::env::temp_dir().join(format!("tenantry-crash-postgres-{}", std::process::id()));
    let server = Server::own(&place);
    let store = StoreConfig::Postgres { url: server.url("postgres"), connections: 4 };
    kill_in_a_loop(folder.path(), store, Some(&server)).await;
    server.kill();
    std::fs::remove_dir_all(&place).ok();
}

/// The hub's files may not grow beyond a limit, as on a full disk; then they may again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_answers_503_and_the_hub_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreConfig::Sqlite { dir: folder.path().to_owned() };
    let (cookie, finding) = found(store.clone()).await;
    let listen = SocketAddr::from(([127, 0, 0, 1], TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()));
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let target = Target { client, base: format!("http://{listen}/api/v1/tenants/acme"), cookie, finding };
    let mut hub = start(folder.path(), &store, listen, &target).await;
    let comment = |number: usize| {
        let url = format!("{}/findings/{}/comments", target.base, target.finding);
        let sent = target.client.post(url).header(COOKIE, &target.cookie).json(&json!({"text": format!("comment {number}")}));
        async move { sent.send().await.unwrap().status().as_u16() }
    };
    limit_files(&hub, "1000000");
    let mut acknowledged = BTreeSet::new();
    let mut number = 0;
    while comment(number).await == 201 {
        acknowledged.insert(format!("comment {number}"));
        number += 1;
        assert!(number < 5_000, "the limit is never reached");
    }
    assert_eq!(comment(number).await, 503);
    let read = target.client.get(format!("{}/findings", target.base)).header(COOKIE, &target.cookie).send().await.unwrap();
    assert_eq!(read.status(), 200, "what is there can still be read");
    limit_files(&hub, "unlimited");
    assert_eq!(comment(number).await, 201);
    acknowledged.insert(format!("comment {number}"));
    hub.kill().unwrap();
    hub.wait().unwrap();
    verify(store, acknowledged).await;
}

/// Limits how far a file may grow (SIGXFSZ is ignored, so that writing beyond it is an error as on a full disk).
fn limit_files(hub: &Child, bytes: &str) {
    let set = Command::new("prlimit").args(["--pid", &hub.id().to_string(), &format!("--fsize={bytes}:unlimited")]).status();
    assert!(set.unwrap().success(), "prlimit (util-linux)");
}

/// What was acknowledged, by its text.
type Acknowledged = Arc<Mutex<BTreeSet<String>>>;

struct Target {
    client: Client,
    base: String,
    cookie: String,
    finding: String,
}

async fn kill_in_a_loop(folder: &Path, store: StoreConfig, server: Option<&Server>) {
    let listen = SocketAddr::from(([127, 0, 0, 1], TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()));
    let (cookie, finding) = found(store.clone()).await;
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let target = Arc::new(Target { client, base: format!("http://{listen}/api/v1/tenants/acme"), cookie, finding });
    let acknowledged = Acknowledged::default();
    let mut hub = start(folder, &store, listen, &target).await;
    for round in 0..ROUNDS {
        let writers: Vec<_> = (0..WRITERS).map(|n| tokio::spawn(write(target.clone(), acknowledged.clone(), round, n))).collect();
        tokio::time::sleep(Duration::from_millis(400 + 150 * u64::from(round))).await;
        if let Some(server) = server {
            server.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            let away = target.client.get(format!("{}/findings", target.base)).header(COOKIE, &target.cookie).send().await.unwrap();
            assert_eq!(away.status(), 503, "without its database the hub says so");
            for writer in writers {
                writer.abort();
            }
            server.run(false);
            wait_until_ready(&target).await;
        } else {
            hub.kill().unwrap();
            hub.wait().unwrap();
            for writer in writers {
                writer.await.unwrap();
            }
            hub = start(folder, &store, listen, &target).await;
        }
    }
    hub.kill().unwrap();
    hub.wait().unwrap();
    let acknowledged = acknowledged.lock().clone();
    assert!(acknowledged.len() > 20, "too few writes got through to mean anything: {}", acknowledged.len());
    verify(store, acknowledged).await;
}

fn config(store: StoreConfig) -> HubConfig {
    HubConfig {
        store,
        limits: StoreLimits::default(),
        master_key: SecretKey::from_hex(KEY).unwrap(),
        clock: Clock::system(),
        public_url: "http://hub.test".into(),
        behind_proxy: false,
        fair: None,
    }
}

/// A provider, its tenant Acme and one finding, made through the API in this process. Answers a session's cookie and the finding.
async fn found(store: StoreConfig) -> (String, String) {
    let spool = tempfile::tempdir().unwrap();
    let hub = hub::open(config(store), spool.path()).await.unwrap();
    let code = identity::setup::prepare(&hub).await.unwrap().unwrap();
    let app = hub::app(&hub);
    let body = json!({"code": code, "provider_name": "Northwind IT", "provider_slug": "northwind", "name": "Priya Nair",
        "email": "priya@northwind.example", "password": PASSWORD});
    let (_, cookie) = send(&app, "POST", "/setup", "", Some(body.to_string())).await;
    let tenant = json!({"slug": "acme", "name": "Acme", "plan": "Complete", "tier": "T3"});
    send(&app, "POST", "/providers/northwind/tenants", &cookie, Some(tenant.to_string())).await;
    send(&app, "POST", "/tenants/acme/scans?file=a.json", &cookie, Some(SCAN.into())).await;
    let (findings, _) = send(&app, "GET", "/tenants/acme/findings", &cookie, None).await;
    (cookie, findings["items"][0]["id"].as_str().expect("a finding").to_owned())
}

async fn send(app: &axum::Router, method: &str, path: &str, cookie: &str, body: Option<String>) -> (Value, String) {
    let kind = if path.contains("/scans?") { "application/octet-stream" } else { "application/json" };
    let request = axum::http::Request::builder().method(method).uri(format!("/api/v1{path}"));
    let request = request.header(COOKIE, cookie).header("content-type", kind);
    let response = app.clone().oneshot(request.body(axum::body::Body::from(body.unwrap_or_default())).unwrap()).await.unwrap();
    let cookie =
        response.headers().get("set-cookie").map_or("", |value| value.to_str().unwrap().split(';').next().unwrap()).to_owned();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    (serde_json::from_slice(&bytes).unwrap(), cookie)
}

const SCAN: &str = r#"[{"class_uid":2004,"category_uid":2,"metadata":{"version":"1.5.0","event_code":"check_a","product":{"name":"Probe"}},
  "time":1795251000,"severity_id":5,"status_code":"FAIL","finding_info":{"title":"A is open","uid":"1"},
  "resources":[{"uid":"res-1","name":"one"}],"cloud":{"account":{"uid":"42"}}}]"#;

async fn start(folder: &Path, store: &StoreConfig, listen: SocketAddr, target: &Target) -> Child {
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$0\" serve", env!("CARGO_BIN_EXE_tenantry")])
        .env("TENANTRY_MASTER_KEY", KEY)
        .env("TENANTRY_DATA", folder)
        .env("TENANTRY_LISTEN", listen.to_string());
    command.env("TENANTRY_LOG", "warn").stdout(Stdio::null()).stderr(Stdio::null());
    if let StoreConfig::Postgres { url, .. } = store {
        command.env("TENANTRY_DATABASE_URL", url).env("TENANTRY_CONNECTIONS", "4");
    }
    let child = command.spawn().unwrap();
    wait_until_ready(target).await;
    child
}

async fn wait_until_ready(target: &Target) {
    let url = target.base.replace("/api/v1/tenants/acme", "/readyz");
    for _ in 0..300 {
        if target.client.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the hub does not come up");
}

/// Writes comments, one after the other, and notes those that were acknowledged, until the hub is gone.
async fn write(target: Arc<Target>, acknowledged: Acknowledged, round: u32, writer: u32) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = format!("{}/findings/{}/comments", target.base, target.finding);
    loop {
        let text = format!("round {round} writer {writer} number {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let sent = target.client.post(&url).header(COOKIE, &target.cookie).json(&json!({"text": text})).send().await;
        match sent {
            Ok(answer) if answer.status() == 201 => acknowledged.lock().insert(text),
            _ => return,
        };
    }
}

/// Every acknowledged write is there; the chain holds from its first entry to its head, and has an entry for each write.
async fn verify(store: StoreConfig, acknowledged: BTreeSet<String>) {
    let spool = tempfile::tempdir().unwrap();
    let hub = hub::open(config(store), spool.path()).await.unwrap();
    let mut tx = hub.system_read().await.unwrap();
    let mut row = tx.one("SELECT id FROM tenant WHERE slug = 'acme'", &[]).await.unwrap();
    let tenant = row.take().unwrap();
    drop(tx);
    let mut tx = hub.system(tenant, "test.look", "a test checks the ledger").await.unwrap();
    let rows = tx.rows("SELECT body FROM comment", &[]).await.unwrap();
    let kept: BTreeSet<String> = rows.into_iter().map(|mut row| row.take().unwrap()).collect();
    let lost = acknowledged.difference(&kept).count();
    assert_eq!(lost, 0, "of {} acknowledged writes some are lost", acknowledged.len());
    let mut verifier = ledger::Verifier::default();
    for mut row in tx.rows("SELECT seq, body, hash FROM ledger ORDER BY seq", &[]).await.unwrap() {
        let (seq, body, hash): (i64, String, Vec<u8>) = (row.take().unwrap(), row.take().unwrap(), row.take().unwrap());
        verifier.push(seq.unsigned_abs(), body.as_bytes(), &hash).unwrap();
    }
    let mut head = tx.one("SELECT seq, hash FROM ledger_head", &[]).await.unwrap();
    let (seq, hash): (i64, Vec<u8>) = (head.take().unwrap(), head.take().unwrap());
    let entries = verifier.finish(seq.unsigned_abs(), &hash).unwrap();
    assert!(entries >= kept.len() as u64, "{entries} entries for {} writes", kept.len());
}
