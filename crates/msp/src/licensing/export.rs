//! The licensing table as a CSV file (RFC 4180), read and sent a page at a time.

use access::actions;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kernel::paging::LIMIT_MAX;
use kernel::{Page, ProviderCx, Result};

use super::page::{self, LicensingQuery};
use super::{LicenceRow, LimitView};
use crate::clients;
use crate::clients::export::cell;

/// Most clients in a file.
const ROWS_MAX: usize = 10_000;

const HEAD: &str = "id,slug,organisation,tier,type,users,users_max,status,automations,automations_max,resources,resources_max,\
                    api_keys,api_keys_max\r\n";

struct Progress {
    cx: ProviderCx,
    query: LicensingQuery,
    /// Read and not yet sent.
    page: Option<Page<LicenceRow>>,
    sent: usize,
    head: &'static str,
}

/// The file. Its first page is read before anything is sent; every page comes through the door anew.
///
/// # Errors
/// `Forbidden`; `Invalid` for a wrong filter.
pub(super) async fn export(cx: ProviderCx, query: LicensingQuery) -> Result<Response> {
    let query = LicensingQuery { cursor: None, limit: Some(LIMIT_MAX), ..query };
    let page = Some(read(&cx, &query).await?);
    let body = Body::from_stream(stream::try_unfold(Progress { cx, query, page, sent: 0, head: HEAD }, send));
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"licensing.csv\"")];
    Ok((headers, body).into_response())
}

async fn read(cx: &ProviderCx, query: &LicensingQuery) -> Result<Page<LicenceRow>> {
    let mut tx = cx.read::<actions::LicensingExport>().await?;
    let eye = clients::eye(&mut tx).await?;
    page::rows(&mut tx, &eye, query.clone()).await
}

async fn send(mut progress: Progress) -> Result<Option<(String, Progress)>> {
    let Some(page) = progress.page.take() else { return Ok(None) };
    let mut text = std::mem::take(&mut progress.head).to_owned();
    for row in page.items.iter().take(ROWS_MAX - progress.sent) {
        line(&mut text, row);
    }
    progress.sent += page.items.len();
    if let Some(cursor) = page.next.filter(|_| progress.sent < ROWS_MAX) {
        progress.query.cursor = Some(cursor);
        progress.page = Some(read(&progress.cx, &progress.query).await?);
    }
    Ok(Some((text, progress)))
}

fn line(text: &mut String, row: &LicenceRow) {
    let max = |limit: &LimitView| limit.max.map(|max| max.to_string()).unwrap_or_default();
    let limits = &row.limits;
    let cells = [
        row.tenant.id.to_string(),
        cell(&row.tenant.slug),
        cell(&row.tenant.name),
        row.tier.to_string(),
        row.kind.as_str().to_owned(),
        row.users.to_string(),
        row.users_max.map(|max| max.to_string()).unwrap_or_default(),
        row.status.as_str().to_owned(),
        limits.automations.used.to_string(),
        max(&limits.automations),
        limits.resources.used.to_string(),
        max(&limits.resources),
        limits.api_keys.used.to_string(),
        max(&limits.api_keys),
    ];
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}
