//! A real receiver of webhooks on a port of its own, which checks signatures with another implementation than the one that makes them.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::Value;

/// Something that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub id: String,
    pub seconds: i64,
    pub signature: String,
    pub body: String,
}

impl Received {
    /// Whether this secret signed it, as Standard Webhooks says.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
        let signed = format!("{}.{}.{}", self.id, self.seconds, self.body);
        let mac = STANDARD.decode(self.signature.strip_prefix("v1,").expect("version 1")).expect("base64");
        aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &mac).is_ok()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

#[derive(Clone, Default)]
struct Shared {
    answers: Arc<Mutex<VecDeque<u16>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A receiver that listens.
pub(crate) struct Receiver {
    /// Its address.
    pub url: String,
    shared: Shared,
}

impl Receiver {
    pub async fn start() -> Self {
        let shared = Shared::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let app = Router::new().fallback(any(take)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, shared }
    }

    /// The next answers; 204 when there are no more.
    pub fn answer(&self, answers: impl IntoIterator<Item = u16>) {
        self.shared.answers.lock().extend(answers);
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    shared.received.lock().push(Received {
        id: text("webhook-id"),
        seconds: text("webhook-timestamp").parse().unwrap_or_default(),
        signature: text("webhook-signature"),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let status = shared.answers.lock().pop_front().unwrap_or(204);
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::LOCATION, "http://127.0.0.1:9/elsewhere")]).into_response()
}
