//! The list of clients as a CSV file (RFC 4180), read and sent a page at a time.
//!
//! A spreadsheet runs a cell that begins like a formula; text from outside that does gets an apostrophe before it.

use access::actions;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kernel::paging::LIMIT_MAX;
use kernel::{Page, ProviderCx, Result};

use super::{Client, ClientQuery, ScanStatus, SeatStatus, Wanted, rows};

/// Most clients in a file.
const ROWS_MAX: usize = 10_000;

const HEAD: &str = "id,slug,name,industry,plan,state,tier,relationship,via,score,delta,passed,failed,overridden,critical,high,\
                    scan,scan_at,seats_used,seats_limit,seats,attention\r\n";

/// How far a file has come.
struct Progress {
    cx: ProviderCx,
    wanted: Wanted,
    /// Read and not yet sent.
    page: Option<Page<Client>>,
    sent: usize,
    head: &'static str,
}

/// The file. Its first page is read before anything is sent, so that what is wrong with the request is said properly; every page
/// comes through the door anew, so that a slow reader holds no transaction open.
///
/// # Errors
/// `Forbidden`; `Invalid` for a wrong filter.
pub async fn export(cx: ProviderCx, query: ClientQuery) -> Result<Response> {
    let wanted = Wanted::try_from(ClientQuery { cursor: None, limit: Some(LIMIT_MAX), ..query })?;
    let page = Some(read(&cx, &wanted).await?);
    let body = Body::from_stream(stream::try_unfold(Progress { cx, wanted, page, sent: 0, head: HEAD }, send));
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"clients.csv\"")];
    Ok((headers, body).into_response())
}

async fn read(cx: &ProviderCx, wanted: &Wanted) -> Result<Page<Client>> {
    let mut tx = cx.read::<actions::ClientExport>().await?;
    rows(&mut tx, wanted).await
}

async fn send(mut progress: Progress) -> Result<Option<(String, Progress)>> {
    let Some(page) = progress.page.take() else { return Ok(None) };
    let mut text = std::mem::take(&mut progress.head).to_owned();
    for client in page.items.iter().take(ROWS_MAX - progress.sent) {
        line(&mut text, client);
    }
    progress.sent += page.items.len();
    if let Some(cursor) = page.next.filter(|_| progress.sent < ROWS_MAX) {
        progress.wanted.page.cursor = Some(cursor);
        progress.page = Some(read(&progress.cx, &progress.wanted).await?);
    }
    Ok(Some((text, progress)))
}

fn line(text: &mut String, client: &Client) {
    let decimal = |value: Option<f64>| value.map(|value| format!("{value:.1}")).unwrap_or_default();
    let scan = match client.scan.status {
        ScanStatus::Current => "current",
        ScanStatus::Stale => "stale",
        ScanStatus::Never => "never",
    };
    let seats = match client.seats.status {
        SeatStatus::Ok => "ok",
        SeatStatus::OverLimit => "over_limit",
        SeatStatus::Unlimited => "unlimited",
    };
    let cells = [
        client.id.to_string(),
        cell(&client.slug),
        cell(&client.name),
        cell(client.industry.as_deref().unwrap_or_default()),
        cell(client.plan.as_deref().unwrap_or_default()),
        client.state.to_string(),
        client.tier.to_string(),
        client.relationship_state.to_string(),
        cell(client.via.as_ref().map_or("", |via| via.name.as_str())),
        decimal(client.score),
        decimal(client.delta),
        client.passed.to_string(),
        client.failed.to_string(),
        client.overridden.to_string(),
        client.critical.to_string(),
        client.high.to_string(),
        scan.to_owned(),
        client.scan.at.map(|at| at.to_string()).unwrap_or_default(),
        client.seats.used.to_string(),
        client.seats.limit.map(|limit| limit.to_string()).unwrap_or_default(),
        seats.to_owned(),
        client.attention.to_string(),
    ];
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A cell of text from outside: no formula, quoted where RFC 4180 wants it.
pub(crate) fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        for (text, want) in [
            ("Acme", "Acme"),
            ("Birch, Sons", "\"Birch, Sons\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("-1", "'-1"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), want);
        }
    }
}
