//! Routes of the context and the summary.

use std::convert::Infallible;
use std::time::Duration;

use access::actions;
use axum::response::Sse;
use axum::response::sse::Event;
use futures_util::Stream;
use futures_util::stream::unfold;
use kernel::http::{Json, Problems};
use kernel::{Hub, Result, TenantCx};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Context, Summary};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(view)).routes(routes!(watch)).routes(routes!(summary))
}

/// How long nothing may be heard on a stream that is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long one stream lasts: nine hours, longer than a session may lie idle. A browser opens the next by itself, which counts as a
/// use of the session; a tab that nobody looks at must not keep it alive like that.
const STREAM_BEATS: u32 = 9 * 60 * 4;

/// Shows where one is, as what, and what may be done.
#[utoipa::path(get, path = "/tenants/{tenant}/context", operation_id = "context.view", tag = "contexts",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Context), Problems))]
async fn view(cx: TenantCx) -> Result<Json<Context>> {
    let mut tx = cx.read_records::<actions::ContextView>().await?;
    Ok(Json(super::view(&cx, &mut tx).await?))
}

/// Tells an open tab, as server-sent events, when what its person may do here changes (`changed`), and when nothing is left (`gone`),
/// which ends the stream. A comment every 15 seconds keeps it alive.
#[utoipa::path(get, path = "/tenants/{tenant}/context/watch", operation_id = "context.watch", tag = "contexts",
    params(("tenant" = String, Path, description = "Id or slug")),
    responses((status = 200, content_type = "text/event-stream", body = String), Problems))]
async fn watch(cx: TenantCx) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    cx.read_records::<actions::ContextWatch>().await?;
    Ok(Sse::new(unfold(Some((cx, STREAM_BEATS)), |state| async {
        let (mut cx, beats) = state?;
        match cx.next_change(HEARTBEAT).await {
            Ok(true) => Some((Ok(Event::default().event("changed").data("access")), Some((cx, beats)))),
            Ok(false) if beats == 0 => None,
            Ok(false) => Some((Ok(Event::default().comment("alive")), Some((cx, beats - 1)))),
            Err(kernel::Error::Unavailable(_)) => None,
            Err(error) => Some((Ok(Event::default().event("gone").data(error.code())), None)),
        }
    })))
}

/// Shows a tenant at a glance.
#[utoipa::path(get, path = "/tenants/{tenant}/summary", operation_id = "summary.view", tag = "contexts",
    params(("tenant" = String, Path, description = "Id or slug")), responses((status = 200, body = Summary), Problems))]
async fn summary(cx: TenantCx) -> Result<Json<Summary>> {
    let tx = cx.read_records::<actions::SummaryView>().await?;
    Ok(Json(super::summary(&cx, tx).await?))
}
