//! The client that plays the demo: sends requests to the router in process, and keeps a cookie for each person.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often, and how long apart, an import that runs is asked for.
const POLLS_MAX: usize = 2_400;
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Why the story could not go on.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The hub said no.
    #[error("{who}, {what}: {status} {answer}")]
    Refused {
        /// Who asked.
        who: String,
        /// Method and path.
        what: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        answer: Value,
    },
    /// The answer lacks something.
    #[error("{what}: the answer has no {missing}: {answer}")]
    Unlike {
        /// Method and path.
        what: String,
        /// What was looked for.
        missing: String,
        /// What there was.
        answer: Value,
    },
    /// A file of the demo could not be written or read.
    #[error("the demo's files")]
    File(#[from] std::io::Error),
    /// An answer could not be read.
    #[error("{what}: the answer could not be read")]
    Unreadable {
        /// Method and path.
        what: String,
        /// Why.
        source: axum::Error,
    },
}

/// What comes back from the story.
pub type Result<T> = std::result::Result<T, StoryError>;

/// The people's browsers: one router, a cookie for each person who is signed in.
pub struct Api {
    router: Router,
    cookies: BTreeMap<String, String>,
}

impl Api {
    /// A client of the hub behind this router.
    pub fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new() }
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// As the hub's.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Result<Value> {
        self.post(email, "/session", json!({ "email": email, "password": password })).await
    }

    /// Whether this person is signed in.
    pub(super) fn knows(&self, who: &str) -> bool {
        self.cookies.contains_key(who)
    }

    /// Signs everybody out.
    ///
    /// # Errors
    /// As the hub's.
    pub(super) async fn sign_out_all(&mut self) -> Result<()> {
        let people: Vec<String> = self.cookies.keys().cloned().collect();
        for email in people {
            self.delete(&email, "/session").await?;
            self.cookies.remove(&email);
        }
        Ok(())
    }

    /// GET as this person.
    ///
    /// # Errors
    /// As the hub's.
    pub async fn get(&mut self, who: &str, path: &str) -> Result<Value> {
        self.send(who, Method::GET, path, None, Body::empty()).await
    }

    /// Sends an SVG picture.
    pub(super) async fn draw(&mut self, who: &str, path: &str, svg: &str) -> Result<Value> {
        self.send(who, Method::POST, path, None, svg.to_owned().into()).await
    }

    /// POST of JSON as this person.
    ///
    /// # Errors
    /// As the hub's.
    pub async fn post(&mut self, who: &str, path: &str, body: Value) -> Result<Value> {
        self.send(who, Method::POST, path, None, body.to_string().into()).await
    }

    pub(super) async fn delete(&mut self, who: &str, path: &str) -> Result<Value> {
        self.send(who, Method::DELETE, path, None, Body::empty()).await
    }

    /// Changes a thing as it was read (If-Match).
    pub(super) async fn change(&mut self, who: &str, method: Method, path: &str, version: &Value, body: Value) -> Result<Value> {
        self.send(who, method, path, Some(version), body.to_string().into()).await
    }

    /// Sends a scan's file and waits until it is in.
    pub(super) async fn import(&mut self, who: &str, tenant: &str, name: &str, bytes: Vec<u8>) -> Result<Value> {
        let path = format!("/tenants/{tenant}/scans?file={name}");
        let mut scan = self.send(who, Method::POST, &path, None, bytes.into()).await?;
        let id = text(&scan, "id", &path)?;
        for _ in 0..POLLS_MAX {
            match scan["state"].as_str() {
                Some("complete") if scan["duplicate_of"].is_null() => return Ok(scan),
                Some("running") => {}
                _ => break,
            }
            tokio::time::sleep(POLL_EVERY).await;
            scan = self.get(who, &format!("/tenants/{tenant}/scans/{id}")).await?;
        }
        Err(StoryError::Unlike { what: path, missing: "complete scan".into(), answer: scan })
    }

    async fn send(&mut self, who: &str, method: Method, path: &str, version: Option<&Value>, body: Body) -> Result<Value> {
        let what = format!("{method} {path}");
        let kind = match path {
            scan if scan.contains("/scans?file=") => "application/octet-stream",
            picture if picture.contains("/brand/assets?kind=") => "image/svg+xml",
            _ => "application/json",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::CONTENT_TYPE, kind)
            .header(header::USER_AGENT, "Tenantry demo");
        if let Some(cookie) = self.cookies.get(who) {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, format!("\"{version}\""));
        }
        let request = request.body(body).expect("paths of the story are well-formed");
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let cookie = response.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookie.filter(|cookie| !cookie.ends_with('=')).map(str::to_owned);
        let read = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let bytes = read.map_err(|source| StoryError::Unreadable { what: what.clone(), source })?;
        let answer = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if !status.is_success() {
            return Err(StoryError::Refused { who: who.into(), what, status: status.as_u16(), answer });
        }
        if let Some(cookie) = cookie {
            self.cookies.insert(who.to_owned(), cookie);
        }
        Ok(answer)
    }
}

/// A field that holds text.
pub(super) fn text(answer: &Value, pointer: &str, what: &str) -> Result<String> {
    let place = format!("/{pointer}");
    let found = answer.pointer(&place).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| StoryError::Unlike { what: what.into(), missing: pointer.into(), answer: answer.clone() })
}
