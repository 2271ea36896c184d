//! What this crate's tests stand on: a hub with the cast, passwords for them, and browsers that keep their cookie.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use kernel::door::{BoxFuture, COOKIE};
use kernel::store::Value as SqlValue;
use kernel::{ProviderId, Result, Timestamp, WriteTx, params, scope};
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub, person};

use crate::Secret;
use crate::invitations::Arrival;
use crate::passwords::Pool;

/// The cast's password.
pub(crate) const PASSWORD: &str = "violet harbour tractor 42";
/// Another that will do.
pub(crate) const OTHER_PASSWORD: &str = "nine lanterns under oatmeal";

/// A hub with the cast and this crate's routes.
pub(crate) async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    crate::provide(&hub.hub);
    hub.hub.provide::<Arc<dyn Arrival>>(Arc::new(NothingMore));
    hub
}

/// Providers whose access mode gives nobody anything.
struct NothingMore;

impl Arrival for NothingMore {
    fn joined<'a>(&'a self, _: &'a mut WriteTx<scope::Public>, _: ProviderId) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// Gives a member of the cast [`PASSWORD`].
pub(crate) async fn with_password(hub: &TestHub, name: &str) {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = match HASH.get() {
        Some(hash) => hash.clone(),
        None => {
            let hash = hub.hub.port::<Pool>().hash(Secret::from(PASSWORD.to_owned())).await.expect("hashed");
            HASH.get_or_init(|| hash).clone()
        }
    };
    run(hub, "UPDATE person SET password_hash = ?2 WHERE id = ?1", params![person(name), hash]).await;
}

/// Makes somebody's session fresh, as if they had just proved again that it is them.
pub(crate) async fn freshen(hub: &TestHub, name: &str) {
    let now = hub.hub.now();
    run(hub, "UPDATE session SET stepped_up_at = ?2 WHERE person_id = ?1", params![person(name), now]).await;
}

/// Changes rows behind everybody's back.
pub(crate) async fn run(hub: &TestHub, sql: &str, params: &[SqlValue]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.expect("a write");
    tx.execute(sql, params).await.expect("good SQL");
    tx.commit().await.expect("committed");
}

/// The first column of the first row.
pub(crate) async fn number(hub: &TestHub, sql: &str, params: &[SqlValue]) -> i64 {
    let mut tx = hub.hub.system_read().await.expect("a read");
    tx.one(sql, params).await.expect("a row").take().expect("a number")
}

/// The first column of the first row.
pub(crate) async fn text(hub: &TestHub, sql: &str, params: &[SqlValue]) -> String {
    let mut tx = hub.hub.system_read().await.expect("a read");
    tx.one(sql, params).await.expect("a row").take().expect("a text")
}

/// Waits until a number is what it should be; for what the hub does in the background.
pub(crate) async fn until(hub: &TestHub, sql: &str, wanted: i64) {
    let wait = async {
        while number(hub, sql, params![]).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.expect("it comes to be");
}

/// No ledger holds any of these, nor does any table of people and sessions.
pub(crate) async fn assert_unwritten(hub: &TestHub, secrets: &[&str]) {
    let mut text = serde_json::to_string(&hub.control_ledger().await).expect("JSON");
    for tenant in [testkit::ACME, testkit::ZETA] {
        text.push_str(&serde_json::to_string(&hub.tenant_ledger(tenant).await).expect("JSON"));
    }
    assert_unsaid(&text, secrets);
}

/// A text holds none of these.
#[track_caller]
pub(crate) fn assert_unsaid(text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!secret.is_empty() && !text.contains(secret), "{secret:?} is in {text}");
    }
}

/// The entries of an action, as `who outcome code`.
pub(crate) fn entries(ledger: &[Value], action: &str) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of_action = ledger.iter().filter(|entry| entry["action"] == action);
    of_action.map(|e| format!("{} {} {}", word(&e["actor"]["name"]), word(&e["outcome"]), word(&e["code"]))).collect()
}

/// A browser: keeps its session cookie, and has an address.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    hub: &'a TestHub,
    address: SocketAddr,
    pub token: Option<String>,
    /// The last `Set-Cookie`.
    pub set_cookie: String,
}

impl<'a> Browser<'a> {
    pub fn new(hub: &'a TestHub) -> Self {
        Self::at(hub, "192.0.2.1")
    }

    pub fn at(hub: &'a TestHub, address: &str) -> Self {
        let address = SocketAddr::new(address.parse().expect("an address"), 1234);
        Self { hub, address, token: None, set_cookie: String::new() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    pub async fn send(&mut self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("user-agent", "Browser/1");
        if let Some(token) = &self.token {
            request = request.header(header::COOKIE, format!("theme=dark; {COOKIE}={token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.header(header::CONTENT_TYPE, "application/json").body(body).expect("a request");
        request.extensions_mut().insert(ConnectInfo(self.address));
        let answer = self.hub.raw(request).await;
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE).and_then(|value| value.to_str().ok()) {
            self.set_cookie = cookie.to_owned();
            let token = cookie.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, token)| token.to_owned());
            self.token = token.filter(|token| !token.is_empty());
        }
        answer
    }

    /// Signs a member of the cast in with this password.
    pub async fn sign_in_with(&mut self, name: &str, password: &str) -> Answer {
        self.post("/session", json!({"email": format!("{name}@cast.example"), "password": password})).await
    }

    /// Signs a member of the cast in, who has [`PASSWORD`] and no second factor.
    pub async fn sign_in(&mut self, name: &str) -> Answer {
        self.sign_in_with(name, PASSWORD).await.expect(200)
    }
}

/// The code of an authenticator app at an instant.
pub(crate) fn code_at(secret: &str, now: Timestamp) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base32");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("a good secret");
    totp.generate(now.0.unsigned_abs() / 1_000_000).to_string()
}

/// Gives whoever is signed in in this browser a second factor. Answers its secret and the recovery codes.
pub(crate) async fn with_second_factor(browser: &mut Browser<'_>) -> (String, Vec<String>) {
    let begun = browser.post("/me/totp", json!({"password": PASSWORD})).await.expect(200);
    let secret = begun.json["secret"].as_str().expect("a secret").to_owned();
    let code = code_at(&secret, browser.hub.hub.now());
    let codes = browser.post("/me/totp/confirm", json!({"code": code})).await.expect(200);
    let codes = codes.json["recovery_codes"].as_array().expect("codes").iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}
