//! Bills and revenue as CSV files (RFC 4180). Amounts are decimals of the currency.

use access::actions;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kernel::paging::LIMIT_MAX;
use kernel::{Error, Page, ProviderCx, Result, TenantCx};

use super::months::Month;
use super::revenue::{self, RevenueQuery, RevenueRow};
use super::{Bill, BillState};
use crate::clients::export::cell;

/// Most clients in a file.
const ROWS_MAX: usize = 10_000;

/// Millionths as a decimal with two places: what is billed is rounded to that; of a price the places that it needs.
fn decimal(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let mut places = format!("{part:06}");
    while places.len() > 2 && places.ends_with('0') {
        places.pop();
    }
    format!("{sign}{whole}.{places}")
}

/// The lines of a tenant's bills, of one month or of all.
///
/// # Errors
/// `Invalid` for a month that is none.
pub(super) async fn bills(cx: TenantCx, period: Option<String>) -> Result<Response> {
    let wanted = match period.as_deref().filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(text.parse::<Month>().map_err(|()| Error::field("period", "wrong_type", "is no month; use 2026-11"))?),
    };
    let mut tx = cx.read_records::<actions::BillExport>().await?;
    let tenant = tx.scope.tenant;
    let bills = super::bills(&mut tx, tenant).await?;
    let mut text = "period,state,organisation,plan,currency,line,description,quantity,unit_price,amount,from,to\r\n".to_owned();
    for bill in bills.iter().filter(|bill| wanted.is_none_or(|wanted| bill.period == wanted)) {
        push_bill(&mut text, bill);
    }
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"bills.csv\"")];
    Ok((headers, text).into_response())
}

fn push_bill(text: &mut String, bill: &Bill) {
    let state = if bill.state == BillState::Closed { "closed" } else { "running" };
    for line in &bill.lines {
        let cells = [
            bill.period.to_string(),
            state.to_owned(),
            cell(&bill.tenant.name),
            cell(&bill.plan.name),
            bill.currency.clone(),
            line.kind.as_str().to_owned(),
            cell(&line.label),
            line.quantity.to_string(),
            decimal(line.unit_micros),
            decimal(line.amount_micros),
            line.from.clone(),
            line.to.clone(),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
}

struct Progress {
    cx: ProviderCx,
    query: RevenueQuery,
    months: Vec<Month>,
    /// Read and not yet sent.
    page: Option<Page<RevenueRow>>,
    sent: usize,
    head: String,
}

/// What clients bring in, a page at a time. The first is read before anything is sent; every page comes through the door anew.
///
/// # Errors
/// `Forbidden`; `Invalid` for a wrong month.
pub(super) async fn revenue(cx: ProviderCx, query: RevenueQuery) -> Result<Response> {
    let query = RevenueQuery { cursor: None, limit: Some(LIMIT_MAX), ..query };
    let mut tx = cx.read::<actions::RevenueExport>().await?;
    let months = revenue::months(&tx, &query)?;
    let page = Some(revenue::rows(&mut tx, &query, &months).await?);
    drop(tx);
    let mut head = "id,slug,organisation,plan,currency".to_owned();
    for month in &months {
        head.push_str(&format!(",{month}"));
    }
    head.push_str(",total\r\n");
    let body = Body::from_stream(stream::try_unfold(Progress { cx, query, months, page, sent: 0, head }, send));
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"revenue.csv\"")];
    Ok((headers, body).into_response())
}

async fn send(mut progress: Progress) -> Result<Option<(String, Progress)>> {
    let Some(page) = progress.page.take() else { return Ok(None) };
    let mut text = std::mem::take(&mut progress.head);
    for row in page.items.iter().take(ROWS_MAX - progress.sent.min(ROWS_MAX)) {
        let mut cells =
            vec![row.tenant.id.to_string(), cell(&row.tenant.slug), cell(&row.tenant.name), cell(&row.plan), row.currency.clone()];
        cells.extend(row.months.iter().map(|micros| decimal(*micros)));
        cells.push(decimal(row.total_micros));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    progress.sent += page.items.len();
    if let Some(cursor) = page.next.filter(|_| progress.sent < ROWS_MAX) {
        progress.query.cursor = Some(cursor);
        let mut tx = progress.cx.read::<actions::RevenueExport>().await?;
        progress.page = Some(revenue::rows(&mut tx, &progress.query, &progress.months).await?);
    }
    Ok(Some((text, progress)))
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_are_decimals_without_a_float() {
        for (micros, want) in [(0, "0.00"), (12_340_000, "12.34"), (1_500, "0.0015"), (-5_010_000, "-5.01"), (99_000_000, "99.00")]
        {
            assert_eq!(decimal(micros), want);
        }
    }
}
