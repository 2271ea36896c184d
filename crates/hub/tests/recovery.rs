//! The operator's commands as a person types them: without a running hub, and through one that runs; and SIGKILL in the middle of them.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kernel::secrets::SecretKey;
use kernel::store::{Piece, StoreConfig, StoreLimits};
use kernel::{Clock, Hub, HubConfig, TenantId};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, postgres_url};
use tower::ServiceExt as _;

const PASSWORD: &str = "crash-lantern-harbour-42";

/// A data folder, a store, and a configuration file that names them.
struct Machine {
    folder: tempfile::TempDir,
    store: StoreConfig,
    listen: SocketAddr,
    cookie: String,
}

impl Machine {
    async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let store = match engine {
            Engine::Sqlite => StoreConfig::Sqlite { dir: data.clone() },
            Engine::Postgres => StoreConfig::Postgres { url: postgres_url().await, connections: 4 },
        };
        let key = SecretKey::generate();
        std::fs::write(data.join("master.key"), key.to_hex().as_bytes()).unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()));
        let mut machine = Self { folder, store, listen, cookie: String::new() };
        machine.cookie = machine.found().await;
        machine.configure("");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, more: &str) {
        let database = match &self.store {
            StoreConfig::Postgres { url, .. } => format!("database_url = \"{url}\"\nconnections = 4\n"),
            StoreConfig::Sqlite { .. } => String::new(),
        };
        let (data, to) = (self.path("data"), self.path("backups"));
        let text = format!(
            "data = \"{}\"\nlisten = \"{}\"\nlog = \"warn\"\n{database}[backup]\nto = \"{}\"\n{more}",
            data.display(),
            self.listen,
            to.display()
        );
        std::fs::write(self.path("hub.toml"), text).unwrap();
    }

    async fn hub(&self) -> Hub {
        let key = std::fs::read_to_string(self.path("data/master.key")).unwrap();
        let config = HubConfig {
            store: self.store.clone(),
            limits: StoreLimits::default(),
            master_key: SecretKey::from_hex(&key).unwrap(),
            clock: Clock::system(),
            public_url: "http://hub.test".into(),
            behind_proxy: false,
            fair: None,
        };
        hub::open(config, &self.path("spool")).await.unwrap()
    }

    /// A provider and its tenant Acme with findings, made through the API in this process. Answers a session's cookie.
    async fn found(&self) -> String {
        let hub = self.hub().await;
        let code = identity::setup::prepare(&hub).await.unwrap().unwrap();
        let app = hub::app(&hub);
        let body = json!({"code": code, "provider_name": "Northwind IT", "provider_slug": "northwind", "name": "Priya Nair",
            "email": "priya@northwind.example", "password": PASSWORD});
        let (_, cookie) = send(&app, "/setup", "", body.to_string().into()).await;
        for slug in ["acme", "zeta"] {
            let tenant = json!({"slug": slug, "name": slug.to_uppercase(), "plan": "Complete", "tier": "T3"});
            send(&app, "/providers/northwind/tenants", &cookie, tenant.to_string().into()).await;
            send(&app, &format!("/tenants/{slug}/scans?file=a.json"), &cookie, scan(4_000)).await;
        }
        cookie
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(arguments).arg("--config").arg(self.path("hub.toml")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end. Answers what it printed, or what it complained of.
    async fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(serde_json::from_slice(&output.stdout).unwrap()) } else { Err(error) }
    }

    async fn serve(&self) -> Served {
        let served = Served(self.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let url = format!("http://{}/readyz", self.listen);
        for _ in 0..300 {
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 200) {
                return served;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the hub does not come up");
    }

    async fn comment(&self, tenant: &str, text: &str) -> u16 {
        let base = format!("http://{}/api/v1/tenants/{tenant}/findings", self.listen);
        let client = reqwest::Client::new();
        let get = client.get(format!("{base}?limit=1")).header("cookie", &self.cookie).send().await.unwrap();
        let found: Value = get.json().await.unwrap();
        let id = found["items"][0]["id"].as_str().unwrap();
        let post = client.post(format!("{base}/{id}/comments")).header("cookie", &self.cookie).json(&json!({ "text": text }));
        post.send().await.unwrap().status().as_u16()
    }

    /// A tenant's data, by table, as sorted hashes of its rows; without what a restore computes anew.
    async fn data(&self, slug: &str) -> BTreeMap<String, Vec<[u8; 32]>> {
        let hub = self.hub().await;
        let mut tx = hub.system_read().await.unwrap();
        let id: TenantId = tx.one("SELECT id FROM tenant WHERE slug = ?1", kernel::params![slug]).await.unwrap().take().unwrap();
        drop(tx);
        let mut snapshot = hub.snapshot(id).await.unwrap();
        let (mut data, mut table) = (BTreeMap::<String, Vec<[u8; 32]>>::new(), String::new());
        while let Some(piece) = snapshot.next().await.unwrap() {
            match piece {
                Piece::Table(next) => table = next.name,
                Piece::Rows(rows) => {
                    let hashes = rows.iter().map(|row| blake3_of(&format!("{row:?}")));
                    data.entry(table.clone()).or_default().extend(hashes);
                }
            }
        }
        data.retain(|table, _| {
            !table.starts_with("ledger") && !["checkpoint", "outbox", "score_head", "score_point"].contains(&table.as_str())
        });
        data.values_mut().for_each(|rows| rows.sort_unstable());
        data
    }

    async fn verify_ledger(&self, slug: &str) -> u64 {
        let hub = self.hub().await;
        let mut tx = hub.system_read().await.unwrap();
        let id: TenantId = tx.one("SELECT id FROM tenant WHERE slug = ?1", kernel::params![slug]).await.unwrap().take().unwrap();
        drop(tx);
        let mut tx = hub.system(id, "test.look", "a test checks the ledger").await.unwrap();
        let mut verifier = ledger::Verifier::default();
        for mut row in tx.rows("SELECT seq, body, hash FROM ledger ORDER BY seq", &[]).await.unwrap() {
            let (seq, body, hash): (i64, String, Vec<u8>) = (row.take().unwrap(), row.take().unwrap(), row.take().unwrap());
            verifier.push(seq.unsigned_abs(), body.as_bytes(), &hash).unwrap();
        }
        let mut head = tx.one("SELECT seq, hash FROM ledger_head", &[]).await.unwrap();
        let seq: i64 = head.take().unwrap();
        verifier.finish(seq.unsigned_abs(), &head.take::<Vec<u8>>().unwrap()).unwrap()
    }
}

fn blake3_of(text: &str) -> [u8; 32] {
    ledger::link(&ledger::GENESIS, 0, text.as_bytes())
}

/// A hub that serves; killed when it is dropped.
struct Served(Child);

impl Served {
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn stop(mut self) {
        Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn send(app: &axum::Router, path: &str, cookie: &str, body: axum::body::Body) -> (Value, String) {
    let kind = if path.contains("/scans?") { "application/octet-stream" } else { "application/json" };
    let request = axum::http::Request::builder().method("POST").uri(format!("/api/v1{path}"));
    let request = request.header("cookie", cookie).header("content-type", kind);
    let response = app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let cookie =
        response.headers().get("set-cookie").map_or("", |value| value.to_str().unwrap().split(';').next().unwrap()).to_owned();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
    (serde_json::from_slice(&bytes).unwrap(), cookie)
}

/// A scan of so many failing findings.
fn scan(findings: usize) -> axum::body::Body {
    let finding = |n: usize| {
        format!(
            r#"{{"class_uid":2004,"category_uid":2,"metadata":{{"version":"1.5.0","event_code":"check_{c}","product":{{"name":"Probe"}}}},
            "time":1795251000,"severity_id":4,"status_code":"FAIL","finding_info":{{"title":"Check {c}","uid":"{n}"}},
            "resources":[{{"uid":"res-{n}","name":"resource {n}","data":{{"note":"{pad}"}}}}],"cloud":{{"account":{{"uid":"42"}}}}}}"#,
            c = n % 20,
            pad = "evidence ".repeat(20)
        )
    };
    let all: Vec<String> = (0..findings).map(finding).collect();
    format!("[{}]", all.join(",")).into()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_with_and_without_a_running_hub(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let machine = Machine::new(engine).await;
    let then = machine.data("acme").await;
    let made = machine.run(&["backup"]).await.unwrap();
    assert_eq!(made["tenants"].as_array().unwrap().len(), 2);
    let file = made["file"].as_str().unwrap();

    let hub = machine.serve().await;
    assert_eq!(machine.comment("acme", "after the backup").await, 201);
    let second = machine.run(&["serve"]).await.unwrap_err();
    assert!(second.contains("listen"), "{second}");
    let listed = machine.run(&["backups"]).await.unwrap();
    assert_eq!(listed[0]["id"], made["id"]);
    let found = machine.run(&["verify-backup", file]).await.unwrap();
    assert_eq!(found["tenants"], 2);
    let path = machine.path("backups").join(file);
    let restore = ["restore", "--tenant", "acme", "--over", "--from", path.to_str().unwrap(), "--reason", "They asked"];
    let restored = machine.run(&restore).await.unwrap();
    assert_eq!(restored["backup"], made["id"]);
    assert!(machine.data("acme").await == then, "what the backup has");
    assert_eq!(machine.comment("acme", "and on").await, 201);
    let one = machine.run(&["backup", "--tenant", "acme", "--to", machine.path("other").to_str().unwrap()]).await.unwrap();
    assert_eq!(one["kind"], "tenant");
    let wrong = machine.run(&["restore", "--tenant", "nobody", "--over", "--from", file, "--reason", "They asked"]).await;
    assert!(wrong.unwrap_err().contains("No such tenant or backup"));
    let all = machine.run(&["restore", "--all", "--from", file, "--reason", "They asked"]).await;
    assert!(all.unwrap_err().contains("Stop the hub first"));

    let (new_key, passphrase, bundle) = (machine.path("new.key"), machine.path("passphrase"), machine.path("acme.tbundle"));
    std::fs::write(&new_key, "cd".repeat(32)).unwrap();
    std::fs::write(&passphrase, "a lantern in the harbour\n").unwrap();
    let rotated = machine.run(&["keys", "rotate-master", "--new-key-file", new_key.to_str().unwrap()]).await.unwrap();
    assert!(rotated["values"].as_u64().unwrap() >= 4);
    assert_eq!(std::fs::read_to_string(machine.path("data/master.key")).unwrap().trim(), "cd".repeat(32));
    assert_eq!(machine.comment("acme", "with the new key").await, 201);
    let rotated = machine.run(&["keys", "rotate-tenant", "acme"]).await.unwrap();
    assert_eq!(rotated[0]["values"], 4_000);
    let export = ["bundle", "export", "--tenant", "acme", "--out", bundle.to_str().unwrap(), "--passphrase-file"];
    machine.run(&[export.as_slice(), &[passphrase.to_str().unwrap()]].concat()).await.unwrap();
    hub.stop();

    let beside = machine.run(&["restore", "--tenant", "acme", "--beside", "--from", file, "--reason", "To compare"]).await.unwrap();
    let slug = beside["slug"].as_str().unwrap();
    let findings = machine.data(slug).await;
    assert_eq!((&findings["finding"], &findings["scan"]), (&then["finding"], &then["scan"]));
    let doctor = machine.command(&["doctor"]).output().unwrap();
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    machine.verify_ledger("acme").await;
}

/// Kills the hub at different moments of a restore: the tenant is then what it was before, or what the backup has, and nothing between.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_the_old_or_the_new(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let machine = Machine::new(engine).await;
    let then = machine.data("acme").await;
    let made = machine.run(&["backup"]).await.unwrap();
    let file = made["file"].as_str().unwrap();
    let (mut old, mut new) = (0, 0);
    for round in 0..6_u64 {
        let hub = machine.serve().await;
        assert_eq!(machine.comment("acme", &format!("round {round}")).await, 201);
        let before = machine.data("acme").await;
        assert!(before != then, "the comment is there");
        let mut command = machine.command(&["restore", "--tenant", "acme", "--over", "--from", file, "--reason", "They asked"]);
        let mut asked = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over what it takes: half a second until the hub takes the job, then the restore itself.
        tokio::time::sleep(Duration::from_millis(300 + round * 350)).await;
        hub.kill();
        asked.kill().ok();
        asked.wait().unwrap();
        let after = machine.data("acme").await;
        if after == before {
            old += 1;
        } else {
            assert!(after == then, "round {round}: neither the old nor the new");
            new += 1;
        }
        machine.verify_ledger("acme").await;
    }
    eprintln!("old {old}, new {new}");
    // The next start clears up, and a restore works.
    let hub = machine.serve().await;
    machine.run(&["restore", "--tenant", "acme", "--over", "--from", file, "--reason", "They asked"]).await.unwrap();
    assert!(machine.data("acme").await == then, "what the backup has");
    hub.stop();
}

/// Kills a backup in the middle: what is there of it is not offered, and the next one is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_is_not_offered() {
    let machine = Machine::new(Engine::Sqlite).await;
    let whole = machine.run(&["backup"]).await.unwrap();
    let mut offered = 1;
    for round in 0..5_u64 {
        let mut asked = machine.command(&["backup"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(40 + round * 90)).await;
        asked.kill().ok();
        asked.wait().unwrap();
        let listed = machine.run(&["backups"]).await.unwrap();
        let listed = listed.as_array().unwrap();
        assert!(listed.len() >= offered);
        offered = listed.len();
        for manifest in listed {
            let found = machine.run(&["verify-backup", manifest["id"].as_str().unwrap()]).await.unwrap();
            assert_eq!(found["tenants"], 2);
        }
    }
    assert!(machine.run(&["backup"]).await.is_ok());
    assert_eq!(machine.run(&["backups"]).await.unwrap().as_array().unwrap().last().unwrap()["id"], whole["id"]);
}

/// The machine burned down: a new one with the backups and the master key has everything again.
#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_on_a_new_machine() {
    let machine = Machine::new(Engine::Sqlite).await;
    let made = machine.run(&["backup"]).await.unwrap();
    let (acme, zeta) = (machine.data("acme").await, machine.data("zeta").await);
    let key = std::fs::read(machine.path("data/master.key")).unwrap();
    std::fs::remove_dir_all(Path::new(&machine.path("data"))).unwrap();
    let restore = ["restore", "--all", "--from", made["id"].as_str().unwrap(), "--reason", "The machine burned down"];
    assert!(machine.run(&restore).await.unwrap_err().contains("put the master key"));
    std::fs::create_dir(machine.path("data")).unwrap();
    std::fs::write(machine.path("data/master.key"), key).unwrap();
    let restored = machine.run(&restore).await.unwrap();
    assert_eq!(restored["tenants"], 2);
    assert!(machine.data("acme").await == acme && machine.data("zeta").await == zeta, "what the backup has");
    let _hub = machine.serve().await;
    let client = reqwest::Client::new();
    let body = json!({ "email": "priya@northwind.example", "password": PASSWORD });
    let signed_in = client.post(format!("http://{}/api/v1/session", machine.listen)).json(&body).send().await.unwrap();
    assert!(signed_in.status().is_success(), "{}", signed_in.status());
}

/// With `[backup] every` set, the hub that serves makes the backup by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_serving_hub_makes_scheduled_backups() {
    let machine = Machine::new(Engine::Sqlite).await;
    machine.configure("every = \"24h\"\n");
    let hub = machine.serve().await;
    let manifest = || {
        std::fs::read_dir(machine.path("backups")).is_ok_and(|files| {
            files.flatten().any(|file| file.file_name().to_string_lossy().ends_with("json") && file.file_name() != "keyring.json")
        })
    };
    for _ in 0..200 {
        if manifest() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let listed = machine.run(&["backups"]).await.unwrap();
    assert_eq!(listed[0]["scheduled"], true);
    hub.stop();
    let doctor = machine.command(&["doctor"]).output().unwrap();
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("backups: the last one is of"));
}
