//! A month's elevations as a CSV file (RFC 4180), read and sent a page at a time.

use access::actions;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kernel::paging::LIMIT_MAX;
use kernel::{Error, Page, PageQuery, ProviderCx, Result, Timestamp};
use serde::Deserialize;

use super::Wanted;
use super::store::{self, Stored};
use crate::clients::cell;

/// Most rows in a file.
const ROWS_MAX: usize = 50_000;

const HEAD: &str = "id,requested_at,person,client,client_name,template,tier,actions,modules,minutes,approver,reason,ticket,state,\
                    provider_approved_by,provider_approved_at,client_approved_by,client_approved_at,starts_at,ends_at,minutes_used,\
                    closed_by,closed_at,decision_reason,break_glass\r\n";

/// Which month.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ReportQuery {
    /// `2026-11`: its requests, by the clock of UTC.
    pub month: String,
}

/// How far a file has come.
struct Progress {
    cx: ProviderCx,
    wanted: Wanted,
    asked: PageQuery,
    /// Read and not yet sent, and when.
    page: Option<(Page<Stored>, Timestamp)>,
    sent: usize,
    head: &'static str,
}

/// The file. Its first page is read before anything is sent, so that what is wrong with the request is said properly; every page comes
/// through the door anew, so that a slow reader holds no transaction open.
///
/// # Errors
/// `Forbidden`; `Invalid` for what is no month.
pub(super) async fn report(cx: ProviderCx, query: &ReportQuery) -> Result<Response> {
    // Who may not read it is told that, not what is wrong with the month.
    drop(cx.read::<actions::ElevationReport>().await?);
    let month = query.month.trim();
    let asked = month_of(month).ok_or_else(|| Error::field("month", "not_a_month", "use a month like 2026-11"))?;
    let wanted = Wanted { asked: Some(asked), ..Wanted::default() };
    let asked = PageQuery { sort: Some("requested".into()), limit: Some(LIMIT_MAX), ..PageQuery::default() };
    let page = Some(read(&cx, &asked, &wanted).await?);
    let name = format!("attachment; filename=\"elevations-{month}.csv\"");
    let body = Body::from_stream(stream::try_unfold(Progress { cx, wanted, asked, page, sent: 0, head: HEAD }, send));
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], body).into_response())
}

/// The instants at which a month begins, and the next.
fn month_of(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (year, month) = text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2))?;
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(year) || !is_digits(month) {
        return None;
    }
    let (year, month): (u16, u8) = (year.parse().ok()?, month.parse().ok()?);
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let begin = |year: u16, month: u8| format!("{year:04}-{month:02}-01T00:00:00Z").parse::<Timestamp>().ok();
    Some((begin(year, month)?, begin(next_year, next)?))
}

async fn read(cx: &ProviderCx, asked: &PageQuery, wanted: &Wanted) -> Result<(Page<Stored>, Timestamp)> {
    let mut tx = cx.read::<actions::ElevationReport>().await?;
    Ok((store::page(&mut tx, asked, wanted).await?, tx.now()))
}

async fn send(mut progress: Progress) -> Result<Option<(String, Progress)>> {
    let Some((page, now)) = progress.page.take() else { return Ok(None) };
    let mut text = std::mem::take(&mut progress.head).to_owned();
    for elevation in page.items.iter().take(ROWS_MAX - progress.sent) {
        line(&mut text, elevation, now);
    }
    progress.sent += page.items.len();
    if let Some(cursor) = page.next.filter(|_| progress.sent < ROWS_MAX) {
        progress.asked.cursor = Some(cursor);
        progress.page = Some(read(&progress.cx, &progress.asked, &progress.wanted).await?);
    }
    Ok(Some((text, progress)))
}

fn line(text: &mut String, e: &Stored, now: Timestamp) {
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let names = |names: Vec<String>| cell(&names.join(" "));
    let provider = e.provider_approval.as_ref();
    let tenant = e.tenant_approval.as_ref();
    let cells = [
        e.id.to_string(),
        e.requested_at.to_string(),
        cell(&e.person.1),
        cell(&e.tenant.slug),
        cell(&e.tenant.name),
        cell(&e.template.name),
        e.tier.map(|tier| tier.to_string()).unwrap_or_default(),
        names(e.actions.iter().map(ToString::to_string).collect()),
        names(e.modules.names()),
        e.minutes.to_string(),
        e.approver.as_str().to_owned(),
        cell(&e.reason),
        cell(e.ticket.as_deref().unwrap_or_default()),
        e.state(now).as_str().to_owned(),
        cell(provider.map_or("", |((_, name), _)| name)),
        at(provider.map(|(_, at)| *at)),
        cell(tenant.map_or("", |((_, name), _)| name)),
        at(tenant.map(|(_, at)| *at)),
        at(e.starts_at),
        at(e.ends_at),
        used(e, now),
        cell(e.closed_by.as_ref().map_or("", |(_, name)| name)),
        at(e.closed_at),
        cell(&e.decision_reason),
        e.break_glass.to_string(),
    ];
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// Minutes that it ran until now, with one decimal; nothing when it never did.
fn used(e: &Stored, now: Timestamp) -> String {
    let Some((start, end)) = e.starts_at.zip(e.ends_at) else { return String::new() };
    let tenths = (end.min(now).0 - start.0).max(0) / 6_000_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::month_of;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let text = |month| month_of(month).map(|(from, to)| format!("{from} {to}"));
        assert_eq!(text("2026-12").as_deref(), Some("2026-12-01T00:00:00.000000Z 2027-01-01T00:00:00.000000Z"));
        assert_eq!(month_of("2026-02").map(|(_, to)| to), month_of("2026-03").map(|(from, _)| from));
        for wrong in ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "+026-01", "2026-+1", "nov-26"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }
}
