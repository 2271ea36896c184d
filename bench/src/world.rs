//! The hub that is measured, made through its own API, and the bare servers beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::routing::{get, post};
use kernel::secrets::SecretKey;
use kernel::store::{StoreConfig, StoreLimits};
use kernel::{Clock, HubConfig, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tower::ServiceExt as _;

use crate::Failure;
use crate::client::{Connection, request};

const PASSWORD: &str = "bench-lantern-harbour-42";

/// A hub with a provider and its tenants, listening on loopback.
pub struct World {
    app: Router,
    address: SocketAddr,
    cookie: String,
    /// Slugs.
    pub tenants: Vec<String>,
    scans: Vec<(String, String)>,
    findings: Vec<(String, String)>,
    imports: AtomicI64,
    folder: tempfile::TempDir,
    /// The hub itself, for what has no address.
    pub hub: kernel::Hub,
    _running: hub::serve::Running,
}

impl World {
    /// Founds a provider on an empty hub. `open_tenants` is how many tenants the store keeps open when it is 1; else the default.
    pub async fn found(open_tenants: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let mut limits = StoreLimits::default();
        if open_tenants == 1 {
            limits.open_tenants = 1;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let config = HubConfig {
            store: StoreConfig::Sqlite { dir: folder.path().to_owned() },
            limits,
            master_key: SecretKey::from_bytes([9; 32]),
            clock: Clock::system(),
            public_url: format!("http://{}", listener.local_addr()?),
            behind_proxy: false,
            fair: None,
        };
        let hub = hub::open(config, &folder.path().join("spool")).await?;
        let code = identity::setup::prepare(&hub).await?.ok_or("a new hub gives a code")?;
        let running = hub::serve::Running::start(&hub, listener, None)?;
        let address = running.address;
        let body = json!({"code": code, "provider_name": "Northwind IT", "provider_slug": "northwind", "name": "Priya Nair",
            "email": "priya@northwind.example", "password": PASSWORD});
        let sent = request("POST", "/api/v1/setup", None, &body.to_string());
        let answer = Connection::open(address).await?.send(&sent).await?;
        let cookie = answer.headers.lines().find_map(|line| line.strip_prefix("set-cookie: ")).and_then(|v| v.split(';').next());
        let cookie = cookie.ok_or_else(|| format!("no cookie: {}", String::from_utf8_lossy(&answer.body)))?.to_owned();
        let imports = AtomicI64::new(0);
        Ok(Self {
            app: hub::app(&hub),
            address,
            cookie,
            tenants: vec![],
            scans: vec![],
            findings: vec![],
            imports,
            folder,
            hub,
            _running: running,
        })
    }

    /// Where it listens, and the cookie of its provider's admin.
    pub async fn listen(&self) -> Result<(SocketAddr, String), Failure> {
        Ok((self.address, self.cookie.clone()))
    }

    /// GET in process, without a network, for CPU time. Answers the body.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Request::get(format!("/api/v1{path}")), Body::empty()).await
    }

    /// Changes a tenant's licence.
    pub async fn license(&self, slug: &str, body: Value) -> Result<Value, Failure> {
        let path = format!("/providers/northwind/tenants/{slug}");
        let version = self.get(&path).await?["version"].to_string();
        self.patch(&format!("{path}/licence"), &version, body).await
    }

    async fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> Result<Value, Failure> {
        self.call(Request::post(format!("/api/v1{path}")).header(header::CONTENT_TYPE, kind), Body::from(body)).await
    }

    /// POST of JSON in process, as the provider's admin; `null`: without a body.
    pub async fn post_json(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.post(path, "application/json", body).await
    }

    /// PATCH of JSON in process, of the row with this version.
    pub async fn patch(&self, path: &str, version: &str, body: Value) -> Result<Value, Failure> {
        let request = Request::patch(format!("/api/v1{path}")).header(header::CONTENT_TYPE, "application/json");
        self.call(request.header(header::IF_MATCH, format!("\"{version}\"")), Body::from(body.to_string())).await
    }

    async fn call(&self, request: axum::http::request::Builder, body: Body) -> Result<Value, Failure> {
        let request = request.header(header::COOKIE, &self.cookie).body(body)?;
        let path = request.uri().path().to_owned();
        let response = self.app.clone().oneshot(request).await?;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        if !status.is_success() {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Creates tenants one after the other; answers how long each took.
    pub async fn create_tenants(&mut self, count: usize) -> Result<Vec<Duration>, Failure> {
        let mut took = Vec::with_capacity(count);
        for n in 0..count {
            let slug = format!("client-{n:04}");
            let body = json!({"slug": slug, "name": format!("Client {n:04}"), "plan": "Complete", "tier": "T3"});
            let started = Instant::now();
            self.post("/providers/northwind/tenants", "application/json", body.to_string().into_bytes()).await?;
            took.push(started.elapsed());
            self.tenants.push(slug);
        }
        Ok(took)
    }

    /// Gives the first tenants a scan each.
    pub async fn seed_scans(&mut self, count: usize) -> Result<(), Failure> {
        for slug in self.tenants.iter().take(count).cloned().collect::<Vec<_>>() {
            let scan = self.import(&slug, scan_file(60, "account-1", kernel_now())).await?;
            self.scans.push((slug.clone(), text(&scan["id"])?));
            let findings = self.get(&format!("/tenants/{slug}/findings?limit=1")).await?;
            self.findings.push((slug, text(&findings["items"][0]["id"])?));
        }
        Ok(())
    }

    /// Addresses of one scan in each of the first tenants.
    pub fn scan_paths(&self, count: usize) -> Vec<String> {
        self.scans.iter().take(count).map(|(slug, id)| format!("/api/v1/tenants/{slug}/scans/{id}")).collect()
    }

    /// Addresses for comments on one finding in each of the first tenants.
    pub fn comment_paths(&self, count: usize) -> Vec<String> {
        self.findings.iter().take(count).map(|(slug, id)| format!("/api/v1/tenants/{slug}/findings/{id}/comments")).collect()
    }

    /// Imports one large scan into the last tenant; answers its size in bytes and how long it took until it was committed.
    pub async fn import_large(&self, findings: usize) -> Result<(usize, Duration), Failure> {
        let slug = self.tenants.last().ok_or("there is a tenant")?;
        let minute = self.imports.fetch_add(1, Ordering::Relaxed);
        let file = scan_file(findings, "account-large", Timestamp(kernel_now().0 + minute * 60_000_000));
        let size = file.len();
        let started = Instant::now();
        self.import(slug, file).await?;
        Ok((size, started.elapsed()))
    }

    /// Bytes of a tenant's database.
    pub async fn database_bytes(&self, slug: &str) -> Result<u64, Failure> {
        let id = text(&self.get(&format!("/providers/northwind/tenants/{slug}")).await?["id"])?;
        let folder = self.folder.path().join("tenants").join(id.trim_start_matches("ten_"));
        let files = std::fs::read_dir(folder)?.flatten();
        Ok(files.filter_map(|file| file.metadata().ok()).map(|data| data.len()).sum())
    }

    async fn import(&self, slug: &str, file: Vec<u8>) -> Result<Value, Failure> {
        let path = format!("/tenants/{slug}/scans");
        let mut scan = self.post(&format!("{path}?file=bench.json"), "application/octet-stream", file).await?;
        while scan["state"] == "running" {
            tokio::time::sleep(Duration::from_millis(20)).await;
            scan = self.get(&format!("{path}/{}", text(&scan["id"])?)).await?;
        }
        if scan["state"] == "complete" { Ok(scan) } else { Err(scan.to_string().into()) }
    }

    /// Starts a process of its own that serves this world's data.
    pub async fn serve_alone(&self) -> Result<Alone, Failure> {
        self.serve_with("--serve").await
    }

    /// The same, with every tenant held to its fair share.
    pub async fn serve_fairly(&self) -> Result<Alone, Failure> {
        self.serve_with("--serve-fairly").await
    }

    async fn serve_with(&self, how: &str) -> Result<Alone, Failure> {
        let mut child = tokio::process::Command::new(std::env::current_exe()?)
            .arg(how)
            .arg(self.folder.path())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("a piped child")?).lines();
        let address = lines.next_line().await?.ok_or("the child says where it listens")?.parse()?;
        Ok(Alone { address, connection: Connection::open(address).await?, process: child.id().ok_or("it runs")?, _child: child })
    }
}

/// A hub in a process of its own.
pub struct Alone {
    /// Where it listens.
    pub address: SocketAddr,
    connection: Connection,
    process: u32,
    _child: tokio::process::Child,
}

impl Alone {
    /// GET as the provider's admin.
    pub async fn get(&mut self, world: &World, path: &str) -> Result<(), Failure> {
        let answer = self.connection.send(&request("GET", &format!("/api/v1{path}"), Some(&world.cookie), "")).await?;
        if answer.status == 200 { Ok(()) } else { Err(format!("{path}: {}", answer.status).into()) }
    }

    /// A figure of the kernel's about the process's memory.
    pub fn memory(&self, key: &str) -> Result<String, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process))?;
        let line = status.lines().find(|line| line.starts_with(key)).ok_or("a figure")?;
        let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("a number")?.parse()?;
        Ok(format!("{} MB", kilobytes >> 10))
    }
}

/// Serves a world's data until killed; prints where.
pub async fn serve_folder(folder: &std::path::Path, fair: bool) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let config = HubConfig {
        store: StoreConfig::Sqlite { dir: folder.to_owned() },
        limits: StoreLimits::default(),
        master_key: SecretKey::from_bytes([9; 32]),
        clock: Clock::system(),
        public_url: format!("http://{}", listener.local_addr()?),
        behind_proxy: false,
        fair: fair.then(kernel::door::FairLimits::default),
    };
    let hub = hub::open(config, &folder.join("spool-alone")).await?;
    let running = hub::serve::Running::start(&hub, listener, None)?;
    println!("{}", running.address);
    hub::serve::wait_for_signal().await?;
    Ok(())
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected text, found {value}").into())
}

pub fn kernel_now() -> Timestamp {
    Clock::system().now()
}

/// A compact OCSF scan: 50 checks over as many resources as it takes, one in four failing.
pub fn scan_file(findings: usize, target: &str, observed_at: Timestamp) -> Vec<u8> {
    use formats::{Control, Finding, Outcome, Resource, Severity};
    let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let controls = (0..50).map(|n| Control {
        uid: format!("check_{n:02}"),
        title: format!("Check {n:02}: what should be closed is closed"),
        description: Some("A check of the benchmark, with a description of about the usual length of such a text.".into()),
        remediation: Some("Close it.".into()),
        url: None,
        severity: severities[n % 4],
        frameworks: vec![("CIS-3.0".into(), format!("{}.{}", n / 10 + 1, n % 10 + 1))],
    });
    let all = (0..findings).map(|n| Finding {
        control_uid: format!("check_{:02}", n % 50),
        title: format!("Check {:02}: what should be closed is closed", n % 50),
        severity: severities[n % 4],
        result: if n % 4 == 3 { Outcome::Fail } else { Outcome::Pass },
        resource: Resource {
            uid: format!("arn:aws:ec2:eu-west-1:{target}:instance/i-{:08x}", n / 50),
            name: Some(format!("i-{:08x}", n / 50)),
            kind: Some("AwsEc2Instance".into()),
            region: Some("eu-west-1".into()),
            account: Some(target.into()),
        },
        message: Some("Port 22 is reachable from anywhere.".into()),
        location: None,
        observed_at: Some(observed_at.0),
        fingerprint: None,
        evidence: json!({"status_detail": "0.0.0.0/0 may connect to port 22"}),
    });
    let scan = formats::write::Scan {
        tool: "bench".into(),
        tool_version: Some("1".into()),
        target: Some(target.into()),
        observed_at: Some(observed_at.0),
        profile: None,
        controls: controls.collect(),
        findings: all.collect(),
    };
    let mut out = Vec::new();
    formats::write::ocsf(&mut out, &scan).expect("writing into memory does not fail");
    out
}

/// The servers that everything is held against: plain axum, one SQLite file, no sessions, no policies, no ledger.
/// One for point reads; one for durable inserts by a single writer. Both are given the same WAL and FULL settings.
pub async fn bare_server() -> Result<(SocketAddr, SocketAddr), Failure> {
    let folder = tempfile::tempdir()?.keep();
    let open = || -> Result<rusqlite::Connection, rusqlite::Error> {
        let connection = rusqlite::Connection::open(folder.join("bare.db"))?;
        connection.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
             CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
             INSERT OR IGNORE INTO t VALUES (1, 'one');",
        )?;
        Ok(connection)
    };
    let (reader, writer) = (Arc::new(parking(open()?)), Arc::new(Mutex::new(open()?)));
    let reads = Router::new().route("/fixed", get(|| async { "ok" })).route("/point", get(point)).with_state(reader);
    let writes = Router::new().route("/write", post(insert)).with_state(writer);
    Ok((serve(reads).await?, serve(writes).await?))
}

type Reader = std::sync::Mutex<rusqlite::Connection>;

fn parking(connection: rusqlite::Connection) -> Reader {
    std::sync::Mutex::new(connection)
}

async fn point(State(reader): State<Arc<Reader>>) -> String {
    let reader = reader.lock().expect("nobody panics with it");
    let mut statement = reader.prepare_cached("SELECT name FROM t WHERE id = ?1").expect("a statement");
    statement.query_row([1], |row| row.get(0)).expect("a row")
}

async fn insert(State(writer): State<Arc<Mutex<rusqlite::Connection>>>, body: String) -> String {
    let writer = writer.lock_owned().await;
    let insert = move || writer.execute("INSERT INTO t (name) VALUES (?1)", [body]).expect("inserts");
    tokio::task::spawn_blocking(insert).await.expect("does not panic").to_string()
}

async fn serve(router: Router) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
