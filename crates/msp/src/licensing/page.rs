//! The licensing page: key figures, the table, what is near its limit, and twelve months of users against capacity.

use access::{Act, Subject};
use kernel::limits::Limit;
use kernel::paging::Order;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, scope};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Bounds, LicenceCan, LicenceRow, LicenceStatus, LicenceType, LimitViews, is_near};
use crate::assignments::AssignedTenant;
use crate::billing::months::Month;
use crate::clients::{self, Eye};

type Tx = ReadTx<scope::Provider>;

/// Months of the history, the running one included.
const HISTORY_MONTHS: i64 = 12;
/// Most clients that are named as near their limit.
const NEAR_MAX: i64 = 50;

/// Which licences to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LicensingQuery {
    /// Part of a client's name or slug.
    pub q: Option<String>,
    /// `ok`, `over_limit`, `unlimited` or `near`, comma separated.
    pub status: Option<String>,
    /// `organisation`, `users` or `status` (worst first); a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// Key figures, before filters.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LicensingKpis {
    /// Client organisations.
    pub organisations: i64,
    /// Members of all of them.
    pub licensed_users: i64,
    /// Sum of the seat limits; unlimited ones are left out.
    pub seat_capacity: i64,
    /// Clients beyond their seat limit.
    pub over_limit: i64,
}

/// A client that comes near its seat limit.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Near {
    /// The client.
    #[serde(flatten)]
    pub tenant: AssignedTenant,
    /// Members that are not disabled.
    pub used: i64,
    /// How many there may be.
    pub max: i64,
}

/// Users against capacity in one month, as of the last day of it that was looked at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MonthOfUse {
    /// The month, `2026-11`.
    #[schema(value_type = String)]
    pub month: Month,
    /// Members; 0 for months from before anything was counted.
    pub users: i64,
    /// Sum of the seat limits.
    pub capacity: i64,
}

/// The licensing page.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Licensing {
    /// Key figures, before filters.
    pub kpis: LicensingKpis,
    /// Clients that use nine tenths of their seats or more and are not beyond them, fullest first.
    pub near_limit: Vec<Near>,
    /// Twelve months, the running one last.
    pub history: Vec<MonthOfUse>,
    /// The table.
    pub items: Vec<LicenceRow>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Rows in all, after filters.
    pub total: i64,
}

const STATUS: &str = "CASE WHEN f.users_max IS NULL THEN 'unlimited' WHEN f.users > f.users_max THEN 'over_limit' ELSE 'ok' END";
const NEAR: &str = "f.users_max > 0 AND f.users <= f.users_max AND f.users * 10 >= f.users_max * 9";
const WORST_FIRST: &str = "CASE WHEN f.users_max IS NULL THEN 3 WHEN f.users > f.users_max THEN 0
     WHEN f.users_max > 0 AND f.users * 10 >= f.users_max * 9 THEN 1 ELSE 2 END";

/// `WITH f AS (…)`: a row per client that is seen.
fn facts(eye: &Eye) -> Query {
    let mut query = Query::new(&format!(
        "WITH f AS (SELECT t.id AS id, t.slug AS slug, t.name AS name, t.version AS version, {tier} AS tier, t.licence_type AS kind,
             (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled') AS users,
             NULLIF(COALESCE(t.seats_max, w.seats_max), -1) AS users_max",
        tier = eye.tier(),
    ));
    eye.from(&mut query, " JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number");
    query.push(" AND t.state IN ('active', 'suspended'))");
    query
}

/// ` AND …` for what was asked for.
fn narrow(query: &mut Query, statuses: &[String], pattern: Option<&str>) {
    query.and_like("f.name || ' ' || f.slug", pattern);
    if !statuses.is_empty() {
        query.push(&format!(" AND ({STATUS} IN (")).bind_all(statuses.iter().map(String::as_str)).push(")");
        if statuses.iter().any(|status| status == "near") {
            query.push(&format!(" OR ({NEAR})"));
        }
        query.push(")");
    }
}

fn statuses(list: Option<&str>) -> Result<Vec<String>> {
    let words = list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let known = |word: &str| {
        let known = ["ok", "over_limit", "unlimited", "near"].contains(&word);
        if known { Ok(word.to_owned()) } else { Err(Error::field("status", "unknown", "use ok, over_limit, unlimited or near")) }
    };
    words.map(known).collect()
}

/// The page that a person may see: all clients, or those that are assigned to them.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut Tx, query: LicensingQuery) -> Result<Licensing> {
    let eye = clients::eye(tx).await?;
    let Page { items, next, total } = rows(tx, &eye, query).await?;
    let kpis = kpis(tx, &eye).await?;
    Ok(Licensing { near_limit: near(tx, &eye).await?, history: history(tx, &eye, &kpis).await?, kpis, items, next, total })
}

/// A page of the table alone.
pub(super) async fn rows(tx: &mut Tx, eye: &Eye, query: LicensingQuery) -> Result<Page<LicenceRow>> {
    let LicensingQuery { q, status, sort, cursor, limit } = query;
    let page = PageQuery { q, sort, cursor, limit };
    let order = page.order(&[("organisation", "lower(f.name)"), ("users", "f.users"), ("status", WORST_FIRST)])?;
    let (pattern, statuses) = (page.pattern()?, statuses(status.as_deref())?);
    let mut count = facts(eye);
    count.push(" SELECT COUNT(*) FROM f WHERE 1 = 1");
    narrow(&mut count, &statuses, pattern.as_deref());
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = facts(eye);
    query.push(" SELECT f.id, f.slug, f.name, f.version, f.tier, f.kind, ").push(order.key).push(", f.id FROM f WHERE 1 = 1");
    narrow(&mut query, &statuses, pattern.as_deref());
    page.apply(&mut query, order, "f.id")?;
    let found = tx.query(&query).await?.into_iter().map(lean).collect::<Result<Vec<_>, StoreError>>()?;
    fill(tx, found, page.limit()?, order, total).await
}

/// A row as the query knows it.
struct Lean {
    tenant: AssignedTenant,
    version: i64,
    tier: access::Tier,
    kind: LicenceType,
    key: (Value, Uuid),
}

fn lean(mut row: Row) -> Result<Lean, StoreError> {
    let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
    let version = row.take()?;
    let tier = access::Tier::from_i64(row.take()?).unwrap_or(access::Tier::T0);
    Ok(Lean { tenant, version, tier, kind: row.parse()?, key: (row.take()?, row.take()?) })
}

async fn fill(tx: &mut Tx, found: Vec<Lean>, limit: u32, order: Order, total: i64) -> Result<Page<LicenceRow>> {
    let ids: Vec<TenantId> = found.iter().map(|one| one.tenant.id).collect();
    let bounds = Bounds::load_many(tx, &ids).await?;
    // The same staff change plans and licences; whether this client may be changed at this moment is asked when it is.
    let can = tx.can(Act::PlanUpdate, Subject::Any);
    let rows = found.into_iter().filter_map(|one| {
        let (bounds, usage) = bounds.get(&one.tenant.id)?;
        let users_max = bounds.of(Limit::Seats).max;
        let row = LicenceRow {
            tenant: one.tenant,
            tier: one.tier,
            kind: one.kind,
            users: usage.seats,
            users_max,
            status: LicenceStatus::of(usage.seats, users_max),
            near: is_near(usage.seats, users_max),
            limits: LimitViews::new(bounds, usage),
            can: LicenceCan { update: can.clone() },
            version: one.version,
        };
        Some((row, one.key.0, one.key.1))
    });
    Ok(Page::cut(rows.collect(), limit, order, total))
}

async fn kpis(tx: &mut Tx, eye: &Eye) -> Result<LicensingKpis> {
    let mut query = facts(eye);
    query.push(
        " SELECT COUNT(*), CAST(COALESCE(SUM(f.users), 0) AS bigint), CAST(COALESCE(SUM(f.users_max), 0) AS bigint),
                 CAST(COALESCE(SUM(CASE WHEN f.users > f.users_max THEN 1 ELSE 0 END), 0) AS bigint) FROM f",
    );
    let mut row = tx.one(&query.sql, &query.params).await?;
    Ok(LicensingKpis {
        organisations: row.take()?,
        licensed_users: row.take()?,
        seat_capacity: row.take()?,
        over_limit: row.take()?,
    })
}

async fn near(tx: &mut Tx, eye: &Eye) -> Result<Vec<Near>> {
    let mut query = facts(eye);
    query.push(&format!(
        " SELECT f.id, f.slug, f.name, f.users, f.users_max FROM f WHERE {NEAR}
          ORDER BY f.users * 1000 / f.users_max DESC, lower(f.name) LIMIT {NEAR_MAX}"
    ));
    let near = |mut row: Row| {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        Ok::<_, StoreError>(Near { tenant, used: row.take()?, max: row.take()? })
    };
    Ok(tx.query(&query).await?.into_iter().map(near).collect::<Result<_, _>>()?)
}

/// Of each month the last day that was looked at, client by client; of the running one what is now.
async fn history(tx: &mut Tx, eye: &Eye, now: &LicensingKpis) -> Result<Vec<MonthOfUse>> {
    let running = Month::of(eye.now);
    let mut history = Vec::new();
    for back in (1..HISTORY_MONTHS).rev() {
        let month = running.back(back);
        let mut query =
            Query::new("SELECT CAST(COALESCE(SUM(u.seats), 0) AS bigint), CAST(COALESCE(SUM(u.capacity), 0) AS bigint)");
        let last_day = format!(
            " JOIN usage_day u ON u.tenant_id = t.id AND u.day = (SELECT MAX(x.day) FROM usage_day x
                  WHERE x.tenant_id = t.id AND x.day >= {} AND x.day < {})",
            month.first_day(),
            month.next().first_day()
        );
        eye.from(&mut query, &last_day);
        let mut row = tx.one(&query.sql, &query.params).await?;
        history.push(MonthOfUse { month, users: row.take()?, capacity: row.take()? });
    }
    history.push(MonthOfUse { month: running, users: now.licensed_users, capacity: now.seat_capacity });
    Ok(history)
}
