//! What clients owe: their bills, month by month, and what that comes to for the provider.
//!
//! - A bill is of a calendar month, UTC. The running month's is worked out when it is looked at, up to today; a month that is over is
//!   closed by the hub, and its bills are written once: no change of prices, plans or people reaches them any more.
//! - What a month comes to is in `sums`; which plan a tenant was on when, in `periods`.
//! - Seats are counted once a day, early after midnight. A stretch costs the most seats of any of its days.
//! - A tenant that is archived is on no plan. A trial is for a tenant that is made on a plan that has one, and runs on if it is moved.
//! - A purge takes a tenant's bills with everything else: export them before.
//!
//! What this deliberately does not do: taxes, invoices with numbers, payment.

mod close;
mod export;
mod http;
pub mod months;
pub(crate) mod periods;
mod revenue;
mod store;
pub(crate) mod sums;
#[cfg(test)]
mod tests;

use access::Modules;
use kernel::{ReadTx, Result, TenantId, Timestamp, scope};
use serde::Serialize;

use crate::assignments::AssignedTenant;
use crate::plans::{PlanLimits, Price};
use months::Month;

pub use close::{close_months, note_usage};
pub(crate) use http::router;
pub use sums::{BillLine, LineKind};

kernel::kinds! {
    /// What a month came to.
    BillKind BillId "bil";
}

/// Whether a bill can still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    /// The month is not over, or not closed yet.
    Running,
    /// It is as it is.
    Closed,
}

/// A plan as a bill names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BilledPlan {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: i64,
}

/// A bill.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Bill {
    /// Its id; `null` while it runs.
    pub id: Option<BillId>,
    /// The month, `2026-11`.
    #[schema(value_type = String)]
    pub period: Month,
    /// Whether it can still change.
    pub state: BillState,
    /// Whose.
    pub tenant: AssignedTenant,
    /// The last plan of the month.
    pub plan: BilledPlan,
    /// ISO 4217 code.
    pub currency: String,
    /// The most seats of any stretch of it.
    pub seats: i64,
    /// What it is made of.
    pub lines: Vec<BillLine>,
    /// What it comes to, in millionths of the currency.
    pub total_micros: i64,
}

/// The plan that the tenant has.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OwnPlan {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: i64,
    /// The modules it opens.
    pub modules: Modules,
    /// How much of what there may be by the plan.
    pub limits: PlanLimits,
    /// What it costs.
    pub price: Price,
    /// When its trial ends; `null` when it has none or that is over.
    pub trial_until: Option<Timestamp>,
}

/// The seats that the tenant has.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SeatsUsed {
    /// Members that are not disabled.
    pub used: i64,
    /// How many there may be; `null`: unlimited.
    pub max: Option<i64>,
}

/// What a tenant has bought, and what it owes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Bills {
    /// Its plan.
    pub plan: OwnPlan,
    /// Its seats.
    pub seats: SeatsUsed,
    /// Its bills, newest first; the running month's is the first.
    pub items: Vec<Bill>,
}

/// The bills of the tenant one is in.
///
/// # Errors
/// As the store's.
pub async fn list(tx: &mut ReadTx<scope::Records>) -> Result<Bills> {
    let tenant = tx.scope.tenant;
    let (plan, seats) = store::own_plan(tx).await?;
    Ok(Bills { plan, seats, items: bills(tx, tenant).await? })
}

/// A tenant's bills, newest first.
async fn bills<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Vec<Bill>> {
    let closed = store::closed(tx, tenant).await?;
    let name = store::name(tx, tenant).await?;
    let mut items = Vec::new();
    for month in store::open_months(tx).await?.into_iter().rev() {
        if closed.iter().any(|bill| bill.period == month) {
            continue;
        }
        for sum in store::sums_of(tx, month, &[tenant]).await?.remove(&tenant).unwrap_or_default() {
            items.push(Bill {
                id: None,
                period: month,
                state: BillState::Running,
                tenant: name.clone(),
                plan: BilledPlan { name: sum.plan, number: sum.number },
                currency: sum.currency,
                seats: sum.seats,
                lines: sum.lines,
                total_micros: sum.total_micros,
            });
        }
    }
    items.extend(closed);
    Ok(items)
}
