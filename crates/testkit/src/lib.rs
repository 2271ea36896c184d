//! For tests: a hub in process on either engine, the cast of people that play against it, and a clock that stands until it is moved.
//!
//! ```ignore
//! let hub = TestHub::start(engine, posture::router()).await;
//! let answer = hub.get("auditor", "/tenants/acme/findings").await;
//! assert_eq!(answer.status, 200);
//! ```

mod cast;
mod postgres;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::secrets::SecretKey;
use kernel::store::{StoreConfig, StoreLimits};
use kernel::{Clock, Hub, HubConfig, Timestamp};
use serde_json::Value;
use tower::ServiceExt as _;

pub use cast::{ACME, BIRCH, CONTOSO, FROST, HARBOR, NORTHWIND, PLAIN, SABLE, ZETA, person, tenant, token};
pub use postgres::{Server, postgres_url};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite files in a temporary folder.
    Sqlite,
    /// A database of its own on a PostgreSQL that the tests start themselves.
    Postgres,
}

/// The instant at which a test hub begins: 2026-11-21T09:00:00Z.
pub const START: Timestamp = Timestamp(1_795_251_600_000_000);

/// A hub in process, with its cast already in it.
pub struct TestHub {
    /// The hub.
    pub hub: Hub,
    /// Everything it was started with; `Hub::open` with a clone is a restart.
    pub config: HubConfig,
    app: Router,
    folder: Option<tempfile::TempDir>,
}

/// An answer of the hub.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Response headers.
    pub headers: axum::http::HeaderMap,
    /// The body's bytes.
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl TestHub {
    /// A hub with these routes below `/api/v1` and the cast of [`cast`](self) in it.
    pub async fn start(engine: Engine, routes: impl Into<Router<Hub>>) -> Self {
        let hub = Self::empty(engine, routes).await;
        cast::enter(&hub.hub).await;
        hub
    }

    /// A hub with nobody in it, as after the first start.
    pub async fn empty(engine: Engine, routes: impl Into<Router<Hub>>) -> Self {
        let routes = routes.into();
        Self::bare(engine, |hub| app(hub, routes)).await
    }

    /// A hub with an app of one's own (every route and layer of it), and the cast in it.
    pub async fn whole(engine: Engine, app: impl FnOnce(&Hub) -> Router) -> Self {
        let hub = Self::bare(engine, app).await;
        cast::enter(&hub.hub).await;
        hub
    }

    /// A hub with an app of one's own and nobody in it.
    pub async fn bare(engine: Engine, app: impl FnOnce(&Hub) -> Router) -> Self {
        let (store, folder) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                (StoreConfig::Sqlite { dir: folder.path().to_owned() }, Some(folder))
            }
            Engine::Postgres => (StoreConfig::Postgres { url: postgres_url().await, connections: 4 }, None),
        };
        let config = HubConfig {
            store,
            limits: StoreLimits { open_tenants: 64, wait: Duration::from_secs(20) },
            master_key: SecretKey::from_bytes([7; 32]),
            clock: Clock::stopped_at(START),
            public_url: "http://hub.test".into(),
            behind_proxy: false,
            fair: None,
        };
        let hub = Hub::open(config.clone()).await.expect("a new hub opens");
        let app = app(&hub);
        Self { hub, config, app, folder }
    }

    /// Another hub on a copy of this one's data folder (SQLite), at the same instant. Nothing may be written meanwhile.
    pub async fn copy(&self, app: impl FnOnce(&Hub) -> Router) -> Self {
        self.copy_with(app, |_| {}).await
    }

    /// As [`copy`](Self::copy), with something done to the copied folder before the hub opens it.
    pub async fn copy_with(&self, app: impl FnOnce(&Hub) -> Router, change: impl FnOnce(&std::path::Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy_folder(self.folder(), folder.path());
        change(folder.path());
        let store = StoreConfig::Sqlite { dir: folder.path().to_owned() };
        let config = HubConfig { store, clock: Clock::stopped_at(self.hub.now()), ..self.config.clone() };
        let hub = Hub::open(config.clone()).await.expect("a copied hub opens");
        let app = app(&hub);
        Self { hub, config, app, folder: Some(folder) }
    }

    /// The data folder (SQLite).
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("only an SQLite hub has a folder").path()
    }

    /// A GET request as a member of the cast, for [`Self::router`].
    pub fn request(&self, who: &str, path: &str) -> Request<Body> {
        let mut request = Request::builder().uri(format!("/api/v1{path}")).header("user-agent", "testkit");
        if let Some((name, value)) = credentials(who) {
            request = request.header(name, value);
        }
        request.body(Body::empty()).expect("a well-formed request")
    }

    /// The app, for requests that a test drives itself (streams).
    pub fn router(&self) -> Router {
        self.app.clone()
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.config.clock.advance(by);
    }

    /// GET as a member of the cast (`nobody` for no session, an API key for itself). Paths are relative to `/api/v1`.
    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Method::GET, path, None, &[]).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, Some(body), &[]).await
    }

    /// DELETE.
    pub async fn delete(&self, who: &str, path: &str) -> Answer {
        self.send(who, Method::DELETE, path, None, &[]).await
    }

    /// PATCH or PUT with a version in If-Match.
    pub async fn change(&self, who: &str, method: Method, path: &str, version: i64, body: Value) -> Answer {
        self.send(who, method, path, Some(body), &[("if-match", &format!("\"{version}\""))]).await
    }

    /// PATCH with the version in If-Match.
    pub async fn patch(&self, who: &str, path: &str, version: i64, body: Value) -> Answer {
        self.change(who, Method::PATCH, path, version, body).await
    }

    /// Any request with a JSON body (or none) and more headers.
    pub async fn send(&self, who: &str, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("user-agent", "testkit");
        if let Some((name, value)) = credentials(who) {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.raw(request.expect("a well-formed request")).await
    }

    /// POST of raw bytes (a file) as a member of the cast.
    pub async fn upload(&self, who: &str, path: &str, bytes: Vec<u8>) -> Answer {
        let request = Request::builder().method(Method::POST).uri(format!("/api/v1{path}"));
        let (name, value) = credentials(who).expect("somebody uploads");
        let request = request.header(name, value).header(header::CONTENT_TYPE, "application/octet-stream").body(Body::from(bytes));
        self.raw(request.expect("a well-formed request")).await
    }

    /// POST of raw bytes of a media type as a member of the cast.
    pub async fn upload_as(&self, who: &str, path: &str, media: &str, bytes: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(format!("/api/v1{path}"));
        if let Some((name, value)) = credentials(who) {
            request = request.header(name, value);
        }
        let request = request.header(header::CONTENT_TYPE, media).body(Body::from(bytes));
        self.raw(request.expect("a well-formed request")).await
    }

    /// Any request, as it is; the path is the whole path. Cookies are the test's own business.
    pub async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.expect("the router does not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, bytes, json }
    }

    /// Entries of a tenant's own ledger, oldest first, as stored.
    pub async fn tenant_ledger(&self, name: &str) -> Vec<Value> {
        let mut tx = self.hub.system(tenant(name), "test.look", "a test reads the ledger").await.expect("the tenant exists");
        let rows = tx.rows("SELECT body FROM ledger ORDER BY seq", &[]).await.expect("reads");
        rows.into_iter().map(|mut row| row.json().expect("an entry is JSON")).collect()
    }

    /// Entries of all control ledgers, oldest first, as stored.
    pub async fn control_ledger(&self) -> Vec<Value> {
        let mut tx = self.hub.system_read().await.expect("reads");
        let rows = tx.rows("SELECT body FROM ledger ORDER BY at, seq", &[]).await.expect("reads");
        rows.into_iter().map(|mut row| row.json().expect("an entry is JSON")).collect()
    }

    /// Checks the tenant's chain from its first entry to its head.
    pub async fn verify_tenant_ledger(&self, name: &str) -> u64 {
        let mut tx = self.hub.system(tenant(name), "test.look", "a test checks the ledger").await.expect("the tenant exists");
        let mut verifier = ledger::Verifier::default();
        for mut row in tx.rows("SELECT seq, body, hash FROM ledger ORDER BY seq", &[]).await.expect("reads") {
            let mut entry =
                || Ok::<_, kernel::store::StoreError>((row.take::<i64>()?, row.take::<String>()?, row.take::<Vec<u8>>()?));
            let (seq, body, hash) = entry().expect("an entry has all its columns");
            verifier.push(seq.unsigned_abs(), body.as_bytes(), &hash).expect("the chain holds");
        }
        let mut head = tx.one("SELECT seq, hash FROM ledger_head", &[]).await.expect("a ledger has a head");
        let seq: i64 = head.take().expect("a head has a number");
        let hash: Vec<u8> = head.take().expect("a head has a hash");
        verifier.finish(seq.unsigned_abs(), &hash).expect("the chain ends at its head")
    }
}

/// How somebody shows who they are: a session's cookie, or the API key that `who` is.
fn credentials(who: &str) -> Option<(header::HeaderName, String)> {
    match who {
        "nobody" => None,
        key if key.starts_with("tnk_") => Some((header::AUTHORIZATION, format!("Bearer {key}"))),
        name => Some((header::COOKIE, format!("{}={}", kernel::door::COOKIE, cast::token(name)))),
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).expect("a readable folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a writable folder");
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copied file");
        }
    }
}

/// The routes below `/api/v1` with the layers every request passes.
pub fn app(hub: &Hub, routes: Router<Hub>) -> Router {
    Router::new()
        .nest("/api/v1", routes)
        .fallback(kernel::http::no_such_route)
        .method_not_allowed_fallback(kernel::http::no_such_method)
        .layer(axum::middleware::from_fn(kernel::http::name_problems))
        .layer(axum::middleware::from_fn_with_state(hub.clone(), kernel::http::around))
        .with_state(hub.clone())
}

impl Answer {
    /// Asserts the status and hands the answer on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The problem's stable code.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The version in the ETag.
    pub fn version(&self) -> i64 {
        let tag = self.headers.get(header::ETAG).and_then(|v| v.to_str().ok()).unwrap_or_default();
        tag.trim_matches('"').parse().expect("an ETag with a version")
    }

    /// Fields that were wrong, `field code`.
    pub fn wrong_fields(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| format!("{} {}", e["field"].as_str().unwrap_or(""), e["code"].as_str().unwrap_or(""))).collect()
    }

    /// Whether it is a success.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }
}
