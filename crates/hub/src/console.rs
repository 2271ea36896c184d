//! The console, embedded: its files, its start page with a fresh nonce for every answer, and the headers that keep it closed.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use kernel::Hub;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Files;

const NOT_BUILT: &str = "<!doctype html><title>Tenantry</title><p>The console was not built into this binary. Run <code>make build</code>. \
    The API is at <a href=\"/api/docs\">/api/docs</a>.";

/// A file of the console, or its start page for every address that is one of its pages.
pub async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") && path != "api/docs" {
        return kernel::http::no_such_route().await.into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return kernel::http::no_such_method(method).await;
    }
    if path == "api/docs" {
        return page("docs/index.html", "Build the console to have the API's page.");
    }
    if path != "index.html"
        && let Some(file) = Files::get(path)
    {
        let is_immutable = path.starts_with("assets/");
        let cache = if is_immutable { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
        return ([(header::CONTENT_TYPE, content_type(path)), (header::CACHE_CONTROL, cache)], file.data).into_response();
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    page("index.html", NOT_BUILT)
}

fn page(path: &str, otherwise: &'static str) -> Response {
    let nonce = kernel::secrets::new_token();
    let html =
        Files::get(path).map_or_else(|| otherwise.into(), |file| String::from_utf8_lossy(&file.data).replace("__NONCE__", &nonce));
    let mut response =
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], html).into_response();
    // The API's page is Swagger UI, which draws its icons from data: URLs and styles elements by attribute.
    let styles = if path.starts_with("docs/") { "'unsafe-inline'".to_owned() } else { format!("'nonce-{nonce}'") };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' {styles}; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Headers on every answer: nothing may be framed, sniffed or told where one came from; over TLS, nothing but TLS afterwards.
pub async fn secure(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    if hub.secure_cookies() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    }
    response
}
