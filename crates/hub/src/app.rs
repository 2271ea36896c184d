//! The router: slices below `/api/v1`, the OpenAPI document and its page, health, metrics, and the console for the rest.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use kernel::{Error, Hub};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::console;

/// Longest a request may take, files aside.
const REQUEST_MAX: Duration = Duration::from_secs(30);
/// Longest that taking a file may take.
const UPLOAD_MAX: Duration = Duration::from_secs(1_800);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenantry API",
        description = "One door to every tenant. Sign in with `POST /api/v1/session`; the session cookie authorises the rest. \
            Errors are RFC 9457 problem details with a stable `code`. Lists answer `items`, `next` and `total`. \
            Updates take `If-Match` with the version that the resource's `ETag` gave.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Tenantry", url = "https://tenantry.dev")
    ),
    components(schemas(kernel::error::Problem, kernel::error::FieldError, kernel::error::FileProblem))
)]
struct Api;

fn slices() -> OpenApiRouter<Hub> {
    let slices = OpenApiRouter::new()
        .merge(identity::router())
        .merge(msp::router())
        .merge(posture::router())
        .merge(recovery::router())
        .merge(operations::router());
    OpenApiRouter::with_openapi(Api::openapi()).nest("/api/v1", slices)
}

/// The OpenAPI 3.1 document of the whole API.
pub fn openapi() -> Document {
    slices().into_openapi()
}

/// All routes of a wired hub, with the layers that every request passes.
pub fn app(hub: &Hub) -> Router {
    app_with(hub, None)
}

/// As [`app`], with metrics to show at `/metrics`.
pub fn app_with(hub: &Hub, metrics: Option<PrometheusHandle>) -> Router {
    let (router, document) = slices().split_for_parts();
    let document: axum::body::Bytes = document.to_json().expect("the document is plain data").into();
    let compress = CompressionLayer::new().compress_when(
        SizeAbove::new(1_024).and(NotForContentType::GRPC).and(NotForContentType::IMAGES).and(NotForContentType::SSE),
    );
    router
        .route("/api/openapi.json", get(move || async move { ([(header::CONTENT_TYPE, "application/json")], document) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(show_metrics))
        .layer(Extension(Metrics(metrics)))
        .fallback(console::serve)
        .method_not_allowed_fallback(kernel::http::no_such_method)
        .layer(from_fn(limit_time))
        .layer(from_fn(kernel::http::name_problems))
        .layer(from_fn_with_state(hub.clone(), kernel::http::around))
        .layer(CatchPanicLayer::custom(|_| Error::internal("a handler panicked; the backtrace is in the log").into_response()))
        .layer(from_fn_with_state(hub.clone(), console::secure))
        .layer(compress)
        .with_state(hub.clone())
}

/// What collects metrics, if anything does.
#[derive(Clone)]
struct Metrics(Option<PrometheusHandle>);

async fn ready(State(hub): State<Hub>) -> Result<&'static str, Error> {
    hub.ready().await?;
    Ok("ready\n")
}

/// Metrics are for the machine's own collector: from loopback only.
async fn show_metrics(State(hub): State<Hub>, Extension(metrics): Extension<Metrics>, request: Request) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_local = from.is_none_or(|ConnectInfo(address)| address.ip().is_loopback());
    let Some(metrics) = metrics.0.filter(|_| is_local) else { return Error::NotFound.into_response() };
    metrics::gauge!("tenantry_open_handles").set(u32::try_from(hub.open_handles()).unwrap_or(u32::MAX));
    metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
}

async fn limit_time(request: Request, next: Next) -> Response {
    let takes_file = request.method() == Method::POST && request.uri().path().ends_with("/scans");
    let limit = if takes_file { UPLOAD_MAX } else { REQUEST_MAX };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(mut response) => {
            if !response.headers().contains_key(header::CACHE_CONTROL) {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            response
        }
        Err(_) => {
            Error::Unavailable(format!("This took longer than {} seconds and was given up.", limit.as_secs())).into_response()
        }
    }
}
