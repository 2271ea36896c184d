//! What the bills of all clients come to, month by month: the closed ones as they are, the open ones as of now.

use std::collections::{BTreeMap, HashMap};

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::months::Month;
use super::store;
use crate::assignments::AssignedTenant;

type Tx = ReadTx<scope::Provider>;

/// Months when nobody says which.
const MONTHS: i64 = 12;
/// Most months at once.
const MONTHS_MAX: i64 = 36;

/// Which revenue to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RevenueQuery {
    /// Part of a client's name or slug.
    pub q: Option<String>,
    /// `organisation`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Clients on the page, 1 to 200.
    pub limit: Option<u32>,
    /// The first month, `2026-01`; left out: eleven before the last.
    pub from: Option<String>,
    /// The last month; left out: the running one.
    pub to: Option<String>,
}

/// What one client brings in, in one currency.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RevenueRow {
    /// The client.
    pub tenant: AssignedTenant,
    /// Name of the plan it is on.
    pub plan: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Millionths of it, month by month.
    pub months: Vec<i64>,
    /// Their sum.
    pub total_micros: i64,
}

/// What all clients bring in, in one currency, before filters.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RevenueTotal {
    /// ISO 4217 code.
    pub currency: String,
    /// Millionths of it, month by month.
    pub months: Vec<i64>,
    /// Their sum.
    pub total_micros: i64,
}

/// What clients bring in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Revenue {
    /// The months, oldest first. One that is not closed yet is as of now.
    #[schema(value_type = Vec<String>)]
    pub months: Vec<Month>,
    /// The currencies there are.
    pub currencies: Vec<String>,
    /// The clients of the page; one with two currencies has two rows.
    pub items: Vec<RevenueRow>,
    /// The sums over all clients, before filters.
    pub totals: Vec<RevenueTotal>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Clients in all, after filters.
    pub total: i64,
}

/// The clients' months by currency.
type Sums = BTreeMap<String, Vec<i64>>;

fn span(now: Month, query: &RevenueQuery) -> Result<Vec<Month>> {
    let parsed = |field: &str, text: Option<&String>| match text.map(String::as_str).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse::<Month>().map(Some).map_err(|()| Error::field(field, "wrong_type", "is no month; use 2026-01")),
    };
    let to = parsed("to", query.to.as_ref())?.unwrap_or(now);
    let from = parsed("from", query.from.as_ref())?.unwrap_or(to.back(MONTHS - 1));
    if from > to || to.0 - from.0 >= MONTHS_MAX {
        return Err(Error::field("from", "out_of_range", "must not be after `to`, nor more than 36 months in all"));
    }
    Ok((from.0..=to.0).map(Month).collect())
}

/// A page of what clients bring in.
///
/// # Errors
/// `Invalid` for a wrong page or month.
pub async fn list(tx: &mut Tx, query: &RevenueQuery) -> Result<Revenue> {
    let months = span(Month::of(tx.now()), query)?;
    let Page { items, next, total } = rows(tx, query, &months).await?;
    let totals = totals(tx, &months).await?;
    Ok(Revenue { currencies: totals.iter().map(|total| total.currency.clone()).collect(), months, items, totals, next, total })
}

/// The months of a file's request.
pub(super) fn months(tx: &Tx, query: &RevenueQuery) -> Result<Vec<Month>> {
    span(Month::of(tx.now()), query)
}

/// A page of clients.
pub(super) async fn rows(tx: &mut Tx, query: &RevenueQuery, months: &[Month]) -> Result<Page<RevenueRow>> {
    let RevenueQuery { q, sort, cursor, limit, .. } = query.clone();
    let page = PageQuery { q, sort, cursor, limit };
    let order = page.order(&[("organisation", "lower(t.name)")])?;
    let (pattern, provider) = (page.pattern()?, tx.scope.provider);
    let filter = |query: &mut Query| {
        query.push(
            " FROM tenant t JOIN plan p ON p.id = t.plan_id
              JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
              WHERE t.state <> 'purged' AND t.provider_id = ",
        );
        query.bind(provider).and_like("t.name || ' ' || t.slug", pattern.as_deref());
    };
    let mut count = Query::new("SELECT COUNT(*)");
    filter(&mut count);
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(&format!("SELECT t.id, t.slug, t.name, p.name, w.currency, {}, t.id", order.key));
    filter(&mut query);
    page.apply(&mut query, order, "t.id")?;
    let found = tx.query(&query).await?.into_iter().map(|mut row| {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        Ok(((tenant, row.take::<String>()?, row.take::<String>()?), row.take()?, row.take()?))
    });
    let found: Vec<((AssignedTenant, String, String), Value, Uuid)> = found.collect::<Result<_, StoreError>>()?;
    let Page { items: found, next, .. } = Page::cut(found, page.limit()?, order, total);
    let ids: Vec<TenantId> = found.iter().map(|(tenant, ..)| tenant.id).collect();
    let mut sums = sums(tx, months, &ids).await?;
    let mut items = Vec::with_capacity(found.len());
    for (tenant, plan, currency) in found {
        let mut own = sums.remove(&tenant.id).unwrap_or_default();
        if own.is_empty() {
            own.insert(currency, vec![0; months.len()]);
        }
        for (currency, months) in own {
            let total_micros = months.iter().sum();
            items.push(RevenueRow { tenant: tenant.clone(), plan: plan.clone(), currency, months, total_micros });
        }
    }
    Ok(Page { items, next, total })
}

/// What some clients owe, month by month.
async fn sums(tx: &mut Tx, months: &[Month], tenants: &[TenantId]) -> Result<HashMap<TenantId, Sums>, StoreError> {
    let mut sums: HashMap<TenantId, Sums> = HashMap::new();
    let (Some(first), Some(last), false) = (months.first(), months.last(), tenants.is_empty()) else { return Ok(sums) };
    let mut query = Query::new("SELECT tenant_id, month, currency, total_micros FROM bill WHERE month >= ");
    query.bind(first.0).push(" AND month <= ").bind(last.0).push(" AND tenant_id IN (");
    query.bind_all(tenants.iter().copied()).push(")");
    let mut is_closed = std::collections::HashSet::new();
    for mut row in tx.query(&query).await? {
        let (tenant, month, currency, micros) = (row.take()?, row.take::<i64>()?, row.take()?, row.take()?);
        is_closed.insert((tenant, month));
        add(sums.entry(tenant).or_default(), months, Month(month), currency, micros);
    }
    for month in store::open_months(tx).await?.into_iter().filter(|month| months.contains(month)) {
        for (tenant, open) in store::sums_of(tx, month, tenants).await? {
            if is_closed.contains(&(tenant, month.0)) {
                continue;
            }
            for sum in open {
                add(sums.entry(tenant).or_default(), months, month, sum.currency, sum.total_micros);
            }
        }
    }
    Ok(sums)
}

fn add(sums: &mut Sums, months: &[Month], month: Month, currency: String, micros: i64) {
    let Some(n) = months.iter().position(|one| *one == month) else { return };
    sums.entry(currency).or_insert_with(|| vec![0; months.len()])[n] += micros;
}

async fn totals(tx: &mut Tx, months: &[Month]) -> Result<Vec<RevenueTotal>, StoreError> {
    let provider = tx.scope.provider;
    let mut query = Query::new("SELECT id FROM tenant WHERE state <> 'purged' AND provider_id = ");
    query.bind(provider).push(" ORDER BY id");
    let ids = tx.query(&query).await?.into_iter().map(|mut row: Row| row.take()).collect::<Result<Vec<TenantId>, _>>()?;
    let mut all = Sums::new();
    for some in ids.chunks(500) {
        for (currency, more) in sums(tx, months, some).await?.into_values().flatten() {
            let sum = all.entry(currency).or_insert_with(|| vec![0; months.len()]);
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
    let total = |(currency, months): (String, Vec<i64>)| {
        let total_micros = months.iter().sum();
        RevenueTotal { currency, months, total_micros }
    };
    Ok(all.into_iter().map(total).collect())
}
