use std::collections::HashMap;

use kernel::clock::DAY_US;
use kernel::store::{Query, Row, StoreError};
use kernel::{Error, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::months::{Month, day_of};
use super::sums::{On, Period, Sum, sums};
use super::{Bill, BillId, BillState, BilledPlan, OwnPlan, SeatsUsed};
use crate::assignments::AssignedTenant;
use crate::plans;

/// Bills of one tenant that are read at once: fifty years.
const BILLS_MAX: i64 = 600;
/// Months that are looked back for when none was ever closed.
const BACK_MAX: i64 = 36;
/// Days before a month in which a count of seats still speaks for it.
const SEEN_DAYS: i64 = 31;

pub(super) async fn own_plan(tx: &mut ReadTx<scope::Records>) -> Result<(OwnPlan, SeatsUsed), StoreError> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    let sql = format!(
        "SELECT p.name, w.number, NULLIF(COALESCE(t.seats_max, w.seats_max), -1),
                (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled'),
                (SELECT MAX(x.trial_until_day) FROM plan_period x WHERE x.tenant_id = t.id), {}
         FROM tenant t JOIN plan p ON p.id = t.plan_id JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
         WHERE t.id = ?1",
        plans::TERMS
    );
    let mut row = tx.one(&sql, params![tenant]).await?;
    let (name, number, max, used) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let trial_until = row.take::<Option<i64>>()?.map(|day| Timestamp(day * DAY_US)).filter(|until| *until > now);
    let plans::Terms { modules, limits, price, .. } = plans::terms(&mut row)?;
    Ok((OwnPlan { name, number, modules, limits, price, trial_until }, SeatsUsed { used, max }))
}

pub(super) async fn name<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<AssignedTenant> {
    let row = tx.opt("SELECT id, slug, name FROM tenant WHERE id = ?1", params![tenant]).await?;
    let mut row = row.ok_or(Error::NotFound)?;
    Ok(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? })
}

/// A tenant's bills that are closed, newest first.
pub(super) async fn closed<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Vec<Bill>, StoreError> {
    let sql = "SELECT b.id, b.month, t.id, t.slug, t.name, b.plan_name, b.plan_number, b.currency, b.seats, b.lines, b.total_micros
         FROM bill b JOIN tenant t ON t.id = b.tenant_id WHERE b.tenant_id = ?1 ORDER BY b.month DESC, b.currency LIMIT ?2";
    let bill = |mut row: Row| {
        Ok(Bill {
            id: Some(row.take()?),
            period: Month(row.take()?),
            state: BillState::Closed,
            tenant: AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? },
            plan: BilledPlan { name: row.take()?, number: row.take()? },
            currency: row.take()?,
            seats: row.take()?,
            lines: row.json()?,
            total_micros: row.take()?,
        })
    };
    tx.rows(sql, params![tenant, BILLS_MAX]).await?.into_iter().map(bill).collect()
}

/// Months that are not closed, oldest first; the running one is the last.
pub(super) async fn open_months<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Vec<Month>, StoreError> {
    let running = Month::of(tx.now());
    let last: Option<i64> = tx.one("SELECT MAX(month) FROM billed_month", params![]).await?.take()?;
    let first = match last {
        Some(last) => Month(last).next(),
        None => {
            let day: Option<i64> = tx.one("SELECT MIN(from_day) FROM plan_period", params![]).await?.take()?;
            day.map_or(running, Month::of_day).max(running.back(BACK_MAX))
        }
    };
    Ok((first.min(running).0..=running.0).map(Month).collect())
}

/// What tenants are known to have been on and used, as far as one month needs it.
#[derive(Default)]
struct Facts {
    periods: Vec<Period>,
    /// Days and the seats of then, oldest first.
    seen: Vec<(i64, i64)>,
    seats_now: i64,
}

impl Facts {
    /// The most seats from a day up to another; without a count in it the last before, else the members of now.
    fn seats(&self, from: i64, to: i64) -> i64 {
        let within = self.seen.iter().filter(|(day, _)| (from..to).contains(day)).map(|(_, seats)| *seats).max();
        let before = || self.seen.iter().rev().find(|(day, _)| *day < from).map(|(_, seats)| *seats);
        within.or_else(before).unwrap_or(self.seats_now)
    }
}

/// What a month comes to for tenants, up to today. Those that were on no plan in it are left out.
pub(super) async fn sums_of<S: scope::Control>(
    tx: &mut ReadTx<S>,
    month: Month,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, Vec<Sum>>, StoreError> {
    let until = day_of(tx.now()) + 1;
    let facts = facts(tx, month, tenants).await?;
    let sums = facts.into_iter().map(|(tenant, facts)| (tenant, sums(month, until, &facts.periods, |a, b| facts.seats(a, b))));
    Ok(sums.filter(|(_, sums)| !sums.is_empty()).collect())
}

async fn facts<S: scope::Control>(
    tx: &mut ReadTx<S>,
    month: Month,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, Facts>, StoreError> {
    let mut facts: HashMap<TenantId, Facts> = HashMap::with_capacity(tenants.len());
    if tenants.is_empty() {
        return Ok(facts);
    }
    let mut query = Query::new(
        "SELECT x.tenant_id, x.from_day, x.trial_until_day, p.name, w.number, w.month_micros, w.seat_micros, w.currency
         FROM plan_period x LEFT JOIN plan p ON p.id = x.plan_id
         LEFT JOIN plan_version w ON w.plan_id = x.plan_id AND w.number = x.plan_number WHERE x.tenant_id IN (",
    );
    query.bind_all(tenants.iter().copied()).push(") AND x.from_day < ").bind(month.next().first_day()).push(" ORDER BY x.from_day");
    for mut row in tx.query(&query).await? {
        let tenant = row.take()?;
        let (from_day, trial_until_day) = (row.take()?, row.take()?);
        let on = match row.take::<Option<String>>()? {
            None => None,
            Some(plan) => {
                Some(On { plan, number: row.take()?, month_micros: row.take()?, seat_micros: row.take()?, currency: row.take()? })
            }
        };
        facts.entry(tenant).or_default().periods.push(Period { from_day, on, trial_until_day });
    }
    let mut query = Query::new("SELECT tenant_id, day, seats FROM usage_day WHERE tenant_id IN (");
    query.bind_all(tenants.iter().copied()).push(") AND day >= ").bind(month.first_day() - SEEN_DAYS);
    query.push(" AND day < ").bind(month.next().first_day()).push(" ORDER BY day");
    for mut row in tx.query(&query).await? {
        let (tenant, day, seats) = (row.take()?, row.take()?, row.take()?);
        facts.entry(tenant).or_default().seen.push((day, seats));
    }
    let mut query = Query::new("SELECT tenant_id, COUNT(*) FROM member WHERE state <> 'disabled' AND tenant_id IN (");
    query.bind_all(tenants.iter().copied()).push(") GROUP BY tenant_id");
    for mut row in tx.query(&query).await? {
        let (tenant, seats) = (row.take()?, row.take()?);
        facts.entry(tenant).or_default().seats_now = seats;
    }
    Ok(facts)
}

/// Tenants that were on some plan before the end of a month, and the provider that holds them.
pub(super) async fn billed<S: scope::Control>(tx: &mut ReadTx<S>, month: Month) -> Result<Vec<TenantId>, StoreError> {
    let sql = "SELECT DISTINCT x.tenant_id FROM plan_period x JOIN tenant t ON t.id = x.tenant_id
         WHERE x.from_day < ?1 AND t.state <> 'purged' ORDER BY x.tenant_id";
    tx.rows(sql, params![month.next().first_day()]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Writes a bill, unless there is one.
pub(super) async fn write(tx: &mut WriteTx<scope::Public>, month: Month, tenant: TenantId, sum: &Sum) -> Result<u64> {
    let now = tx.now();
    let lines = serde_json::to_string(&sum.lines).map_err(Error::internal)?;
    let written = tx
        .execute(
            "INSERT INTO bill (id, tenant_id, provider_id, month, currency, plan_name, plan_number, seats, lines, total_micros, closed_at)
             VALUES (?2, ?1, (SELECT t.provider_id FROM tenant t WHERE t.id = ?1), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (tenant_id, month, currency) DO NOTHING",
            params![
                tenant,
                BillId::new(now),
                month.0,
                sum.currency.as_str(),
                sum.plan.as_str(),
                sum.number,
                sum.seats,
                lines,
                sum.total_micros,
                now
            ],
        )
        .await?;
    Ok(written)
}
