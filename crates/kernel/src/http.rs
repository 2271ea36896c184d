//! The HTTP edge: extractors that answer in problem details, versions as ETags, and the layer around every request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use crate::door::{Hub, Scratch};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::RequestId;

/// Largest JSON body.
pub const BODY_MAX: usize = 256 * 1024;

/// A JSON body. Says which field is wrong and what was expected.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !(essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")) {
            return Err(Error::UnsupportedMedia("Send the body as application/json.".into()));
        }
        let bytes = axum::body::to_bytes(request.into_body(), BODY_MAX)
            .await
            .map_err(|_| Error::TooLarge(format!("The body may have at most {BODY_MAX} bytes.")))?;
        parse_json(&bytes).map(Self)
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let reader = &mut serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut *reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let code = if inner.is_data() { "wrong_type" } else { "syntax" };
        let message = inner.to_string();
        // A missing field is reported on its parent; its name stands between back-quotes in the message.
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let field = match (missing, path.as_str()) {
            (Some(name), "." | "") => name.to_owned(),
            (Some(name), parent) => format!("{parent}.{name}"),
            (None, "." | "" | "?") => "body".to_owned(),
            (None, _) if code == "syntax" => "body".to_owned(),
            (None, path) => path.to_owned(),
        };
        let (code, message) = if missing.is_some() { ("missing", "is missing".to_owned()) } else { (code, message) };
        Error::field(&field, code, message)
    })?;
    reader.end().map_err(|error| Error::field("body", "syntax", error.to_string()))?;
    Ok(value)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters. Unknown ones are ignored; a wrong one is said by name.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text.trim_start_matches("Failed to deserialize query string: ");
                let (field, message) = detail.split_once(": ").unwrap_or(("query", detail));
                Err(Error::field(field, "wrong_type", message))
            }
        }
    }
}

/// Parts of the path. What does not parse is not found, exactly like what does not exist.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        axum::extract::Path::<T>::from_request_parts(parts, state).await.map(|path| Self(path.0)).map_err(|_| Error::NotFound)
    }
}

/// The version that the client read, from `If-Match`.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get(header::IF_MATCH).ok_or(Error::VersionMissing)?;
        let text = value.to_str().unwrap_or_default().trim().trim_start_matches("W/").trim_matches('"');
        text.parse().map(Self).map_err(|_| Error::Changed)
    }
}

impl IfMatch {
    /// The stored version is still the one that was read.
    ///
    /// # Errors
    /// `Changed`.
    pub fn check(self, stored: i64) -> Result<()> {
        if self.0 == stored { Ok(()) } else { Err(Error::Changed) }
    }
}

/// A thing with a version, which goes out as its ETag.
#[derive(Debug)]
pub struct Tagged<T>(pub i64, pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.1).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

/// The problems that any operation may answer with; for the OpenAPI document.
pub struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::response::Response>> {
        use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
        let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        [
            ("401", "Not signed in, or a second factor is missing."),
            ("403", "Known, but not allowed: says which grant would be needed."),
            ("404", "Does not exist, or may not be known of."),
            ("422", "Invalid input: every wrong field with its reason."),
            ("default", "Any other problem: see its code."),
        ]
        .into_iter()
        .map(|(status, text)| {
            let response = ResponseBuilder::new().description(text).content("application/problem+json", problem()).build();
            (status.to_owned(), response.into())
        })
        .collect()
    }
}

/// The layer around every request: gives it an id, keeps where it came from, refuses cross-origin writes, lets writes run to their
/// end even if the client goes away, and puts the writes that did not happen into the ledger before the answer goes out.
pub async fn around(State(hub): State<Hub>, mut request: Request, next: Next) -> Response {
    static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let id = RequestId::new(hub.now());
    let scratch = Arc::new(Scratch {
        request: id,
        address: address_of(&request, hub.0.config.behind_proxy),
        user_agent: user_agent_of(request.headers()),
        host: authority_of(&request, hub.0.config.behind_proxy).and_then(crate::brand::host_name),
        attempts: Mutex::default(),
    });
    request.extensions_mut().insert(scratch.clone());
    let method = request.method().clone();
    // What no route matched is one label, however many addresses somebody tries.
    let matched = request.extensions().get::<axum::extract::MatchedPath>();
    let route = matched.map_or_else(|| "unmatched".to_owned(), |route| route.as_str().to_owned());
    let span = tracing::info_span!("request", %id, %method, route);
    let started = std::time::Instant::now();
    let mut response = if method.is_safe() {
        next.run(request).instrument(span.clone()).await
    } else if is_cross_origin(request.headers(), authority_of(&request, hub.0.config.behind_proxy), hub.public_url()) {
        Error::CrossOrigin.into_response()
    } else {
        run_to_the_end(hub, request, next, scratch, span.clone()).await
    };
    let took = started.elapsed();
    let status = response.status();
    let labels = [("method", method.to_string()), ("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("tenantry_requests_total", &labels).increment(1);
    metrics::histogram!("tenantry_request_seconds", &labels[..2]).record(took.as_secs_f64());
    tracing::debug!(parent: &span, status = status.as_u16(), took_us = took.as_micros() as u64, "answered");
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

async fn run_to_the_end(hub: Hub, request: Request, next: Next, scratch: Arc<Scratch>, span: tracing::Span) -> Response {
    let work = async move {
        let response = next.run(request).await;
        let code = response.extensions().get::<ErrorCode>().map_or("failed", |code| code.0);
        hub.record_attempts(&scratch, code).await;
        response
    };
    tokio::spawn(work.instrument(span)).await.unwrap_or_else(|error| Error::internal(error).into_response())
}

/// Puts the request's id into problem bodies, so that it can be told to an administrator. Separate from [`around`] because it
/// reads the body, which only problems (small) need.
pub async fn name_problems(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<Arc<Scratch>>().map(|scratch| scratch.request);
    let response = next.run(request).await;
    let is_internal = response.extensions().get::<ErrorCode>().is_some_and(|code| code.0 == "internal");
    let (Some(id), true) = (id, is_internal) else { return response };
    let (mut parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.unwrap_or_default();
    let Ok(mut problem) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    problem["instance"] = id.to_string().into();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.to_string()))
}

fn address_of(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let forwarded = request.headers().get("x-forwarded-for").filter(|_| behind_proxy).and_then(|v| v.to_str().ok());
    let nearest = forwarded.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok());
    nearest.or_else(|| request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()))
}

fn user_agent_of(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    text.chars().take(200).collect()
}

/// The name and port that the request was sent to: `Host`, in HTTP/2 the address itself, and behind a proxy what the nearest one says
/// that it was asked for.
fn authority_of(request: &Request, behind_proxy: bool) -> Option<&str> {
    let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let forwarded = text("x-forwarded-host").filter(|_| behind_proxy).and_then(|list| list.rsplit(',').next()).map(str::trim);
    forwarded.or_else(|| text("host")).or_else(|| request.uri().authority().map(axum::http::uri::Authority::as_str))
}

/// Whether a browser sent this from a page that is not ours. Browsers say so in `Sec-Fetch-Site`, older ones in `Origin`; what
/// sends neither is not a browser, and holds no cookie that somebody else's page could make it send.
///
/// A page of the very name that the request goes to is ours by whatever name we are reached (the public address, a client's own): the
/// session's cookie is bound to that one name, so a name that somebody else points at us comes with no session.
fn is_cross_origin(headers: &HeaderMap, authority: Option<&str>, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return false };
    let host_matches = origin.split_once("://").is_some_and(|(_, host)| Some(host) == authority);
    !(host_matches || origin == public_url)
}

/// What no route takes.
pub async fn no_such_route() -> Error {
    Error::NotFound
}

/// A route that exists, with another method.
pub async fn no_such_method(method: Method) -> Response {
    let detail = format!("This address does not take {method}. See /api/docs.");
    let problem = serde_json::json!({
        "type": "https://tenantry.dev/problems/method_not_allowed", "title": "Method not allowed", "status": 405,
        "detail": detail, "code": "method_not_allowed",
    });
    (StatusCode::METHOD_NOT_ALLOWED, [(header::CONTENT_TYPE, "application/problem+json")], problem.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only its parsing is tested")]
        mask: Mask,
    }
    #[derive(Debug, serde::Deserialize)]
    struct Mask {
        #[expect(dead_code, reason = "only its parsing is tested")]
        view: bool,
    }

    #[test]
    fn a_wrong_field_is_said_by_its_path() {
        let field = |text: &str| match parse_json::<Body>(text.as_bytes()) {
            Err(Error::Invalid(fields)) => format!("{} {}", fields[0].field, fields[0].code),
            other => panic!("{other:?}"),
        };
        assert_eq!(field("{}"), "mask missing");
        assert_eq!(field(r#"{"mask":{}}"#), "mask.view missing");
        assert_eq!(field(r#"{"mask":{"view":"yes"}}"#), "mask.view wrong_type");
        assert_eq!(field(r#"{"mask":{"view":true}"#), "body syntax");
        assert_eq!(field(r#"{"mask":{"view":true}} x"#), "body syntax");
    }

    #[test]
    fn only_our_own_pages_may_write() {
        let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())).collect()
        };
        let ours = "https://hub.example";
        let is_cross_origin = |headers: &HeaderMap, public_url| {
            super::is_cross_origin(headers, headers.get("host").map(|host| host.to_str().unwrap()), public_url)
        };
        assert!(!is_cross_origin(&headers(&[]), ours));
        assert!(!is_cross_origin(&headers(&[("sec-fetch-site", "same-origin")]), ours));
        assert!(is_cross_origin(&headers(&[("sec-fetch-site", "same-site")]), ours));
        assert!(is_cross_origin(&headers(&[("sec-fetch-site", "cross-site")]), ours));
        assert!(!is_cross_origin(&headers(&[("origin", ours)]), ours));
        assert!(!is_cross_origin(&headers(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]), ours));
        assert!(is_cross_origin(&headers(&[("origin", "https://evil.example"), ("host", "hub.example")]), ours));
        assert!(is_cross_origin(&headers(&[("origin", "null"), ("host", "hub.example")]), ours));
    }
    #[test]
    fn only_a_proxy_says_which_name_was_asked_for() {
        let request = |pairs: &[(&str, &str)]| {
            let start = Request::builder().uri("/x");
            pairs
                .iter()
                .fold(start, |request, (name, value)| request.header(*name, *value))
                .body(axum::body::Body::empty())
                .unwrap()
        };
        let both = request(&[("host", "inside:8080"), ("x-forwarded-host", "evil.example, portal.acme.example")]);
        assert_eq!(authority_of(&both, true), Some("portal.acme.example"));
        assert_eq!(authority_of(&both, false), Some("inside:8080"));
        assert_eq!(authority_of(&request(&[("host", "hub.example")]), true), Some("hub.example"));
        assert_eq!(authority_of(&request(&[]), true), None);
        let absolute = Request::builder().uri("https://hub.example/x").body(axum::body::Body::empty()).unwrap();
        assert_eq!(authority_of(&absolute, false), Some("hub.example"));
    }
}
