//! Moving tenants between plans, and between the numbers of one.

use access::{Module, Modules};
use kernel::store::{Query, StoreError};
use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{PlanId, PlanState, Terms, modules, store};
use crate::assignments::AssignedTenant;
use crate::billing::periods;
use crate::licensing::{self, Bounds, Over};

/// Tenants in one request.
const MANY_MAX: usize = 500;

/// Which tenants come onto which plan.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct PlanMove {
    /// The plan.
    pub plan: PlanId,
    /// One of its numbers; left out: its newest.
    pub number: Option<i64>,
    /// The provider's own tenants, by id or slug; 1 to 500.
    pub tenants: Vec<String>,
}

/// A plan and one of its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlanNamed {
    /// The plan.
    pub plan: PlanId,
    /// Its name.
    pub name: String,
    /// The number.
    pub number: i64,
}

/// What a month costs more (or, negative, less).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PriceChange {
    /// Millionths of the currency a month, with the seats that are used now. Where the currencies differ, what the new plan costs.
    pub month: i64,
    /// Of the plan that the tenant comes onto.
    pub currency: String,
}

/// What a move would do to one tenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MovePreview {
    /// The tenant.
    pub tenant: AssignedTenant,
    /// What it is on.
    pub from: PlanNamed,
    /// What it would be on.
    pub to: PlanNamed,
    /// Modules that would open.
    pub opens: Modules,
    /// Modules that would be closed, at once.
    pub closes: Modules,
    /// Until when the data of those would be kept.
    pub data_kept_until: Option<Timestamp>,
    /// What it would cost more.
    pub price_change: PriceChange,
    /// Limits that would be exceeded.
    pub over: Vec<Over>,
}

/// The sums of a preview.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct MoveTotals {
    /// Tenants that would be moved.
    pub tenants: usize,
    /// Modules that would open, over all of them.
    pub opens: usize,
    /// Modules that would be closed, over all of them.
    pub closes: usize,
}

/// What a move would do.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MovePreviews {
    /// In the order asked for.
    pub items: Vec<MovePreview>,
    /// The sums.
    pub totals: MoveTotals,
}

/// What became of one tenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MoveResult {
    /// The tenant.
    pub tenant: AssignedTenant,
    /// `moved`, `unchanged` (it was there already) or `failed`.
    pub outcome: &'static str,
    /// Why it failed, else empty.
    pub detail: String,
}

/// What became of each.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MoveResults {
    /// In the order asked for.
    pub results: Vec<MoveResult>,
}

/// Where tenants are moved.
#[derive(Debug, Clone)]
pub struct Destination {
    pub(crate) named: PlanNamed,
    pub(crate) terms: Terms,
}

/// A tenant as it stands before a move.
pub(crate) struct Stands {
    pub tenant: AssignedTenant,
    pub on: PlanNamed,
    pub terms: Terms,
}

const STANDS: &str = "SELECT t.id, t.slug, t.name, p.id, p.name, w.number, ";
const FROM: &str = " FROM tenant t JOIN plan p ON p.id = t.plan_id
     JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number WHERE t.state <> 'purged'";

fn stands(mut row: kernel::store::Row) -> Result<Stands, StoreError> {
    let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
    let on = PlanNamed { plan: row.take()?, name: row.take()?, number: row.take()? };
    Ok(Stands { tenant, on, terms: store::terms(&mut row)? })
}

/// A number of a plan (its newest, unless one is named) that tenants of its provider can come onto. None when there is no such plan
/// or number, or it is retired.
pub(crate) async fn destination<S: scope::Control>(
    tx: &mut ReadTx<S>,
    plan: PlanId,
    number: Option<i64>,
) -> Result<Option<Destination>, StoreError> {
    let mut query = Query::new("SELECT p.id, p.name, w.number, p.state, ");
    query.push(store::TERMS).push(" FROM plan p JOIN plan_version w ON w.plan_id = p.id AND w.number = ");
    match number {
        Some(number) => query.bind(number),
        None => query.push("p.number"),
    };
    query.push(" WHERE p.id = ").bind(plan);
    let Some(mut row) = tx.query(&query).await?.pop() else { return Ok(None) };
    let named = PlanNamed { plan: row.take()?, name: row.take()?, number: row.take()? };
    let state: PlanState = row.parse()?;
    let terms = store::terms(&mut row)?;
    Ok((state == PlanState::Active).then_some(Destination { named, terms }))
}

/// What came of moving one tenant.
#[derive(Debug)]
pub enum Moved {
    /// It was there already.
    Unchanged,
    /// It is there now, and was on this before.
    From(PlanNamed),
}

/// Moves a tenant: closes and opens modules, begins its next stretch on the bill, and looks at its limits again. Whoever calls this
/// says so in the ledger, and has made sure that the plan is of the provider that holds the tenant.
///
/// # Errors
/// `NotFound`; `Conflict` when data of a module that would open is being deleted at this moment.
pub async fn move_tenant<S: scope::Control>(tx: &mut WriteTx<S>, tenant: TenantId, to: &Destination) -> Result<Moved> {
    tx.execute("UPDATE tenant SET version = version WHERE id = ?1", params![tenant]).await?;
    let row = tx.opt(&format!("{STANDS}{}{FROM} AND t.id = ?1", store::TERMS), params![tenant]).await?;
    let before = stands(row.ok_or(Error::NotFound)?)?;
    if before.on.plan == to.named.plan && before.on.number == to.named.number {
        return Ok(Moved::Unchanged);
    }
    modules::change(tx, tenant, before.terms.modules, to.terms.modules).await?;
    let sql = "UPDATE tenant SET plan_id = ?2, plan_number = ?3, version = version + 1 WHERE id = ?1";
    tx.execute(sql, params![tenant, to.named.plan, to.named.number]).await?;
    periods::note(tx, tenant).await?;
    licensing::settle(tx, tenant).await?;
    Ok(Moved::From(before.on))
}

fn fact(named: &PlanNamed) -> serde_json::Value {
    json!({ "plan": named.name, "number": named.number })
}

/// Moves everybody on a plan to its newest number. The plan's row is held.
pub(super) async fn all_to_newest(tx: &mut WriteTx<scope::Provider>, plan: PlanId) -> Result<()> {
    let to = destination(tx, plan, None).await?.ok_or(Error::NotFound)?;
    let sql = "SELECT id FROM tenant WHERE plan_id = ?1 AND plan_number <> ?2 AND state <> 'purged' ORDER BY id";
    for mut row in tx.rows(sql, params![plan, to.named.number]).await? {
        let tenant: TenantId = row.take()?;
        if let Moved::From(from) = move_tenant(tx, tenant, &to).await? {
            tx.changed_in(tenant, "tenant", tenant, &fact(&from), &fact(&to.named));
        }
    }
    Ok(())
}

/// What is asked for, checked: the destination and the tenants as they stand.
async fn asked(tx: &mut ReadTx<scope::Provider>, body: &PlanMove) -> Result<(Destination, Vec<Stands>)> {
    let mut check = Check::new();
    check.that((1..=MANY_MAX).contains(&body.tenants.len()), "tenants", "out_of_range", "name 1 to 500 clients");
    check.done()?;
    let own = store::find(tx, body.plan).await?.filter(|plan| plan.state == PlanState::Active);
    let to = if own.is_some() { destination(tx, body.plan, body.number).await? } else { None };
    check = Check::new();
    check.that(own.is_some(), "plan", "unknown", "is not one of your plans that clients can come onto");
    check.that(own.is_none() || to.is_some(), "number", "unknown", "is no number of this plan");
    let ids = body.tenants.iter().filter_map(|name| name.parse::<TenantId>().ok());
    let mut query = Query::new(&format!("{STANDS}{}{FROM} AND t.provider_id = ", store::TERMS));
    query.bind(tx.scope.provider).push(" AND (t.slug IN (").bind_all(body.tenants.iter().map(String::as_str));
    query.push(") OR t.id IN (").bind_all(ids).push("))");
    let mut known = tx.query(&query).await?.into_iter().map(|row| stands(row).map(Some)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::with_capacity(body.tenants.len());
    for (n, name) in body.tenants.iter().enumerate() {
        let is_it = |one: &&mut Option<Stands>| {
            one.as_ref().is_some_and(|one| one.tenant.slug == *name || one.tenant.id.to_string() == *name)
        };
        match known.iter_mut().find(is_it).and_then(Option::take) {
            Some(one) => found.push(one),
            None => drop(check.fail(&format!("tenants.{n}"), "unknown", "is none of your own clients, or is named twice")),
        }
    }
    check.done()?;
    Ok((to.ok_or(Error::NotFound)?, found))
}

/// What a move would do. Changes nothing.
///
/// # Errors
/// `Invalid` with every wrong field.
pub async fn preview(tx: &mut ReadTx<scope::Provider>, body: &PlanMove) -> Result<MovePreviews> {
    let (to, found) = asked(tx, body).await?;
    let ids: Vec<TenantId> = found.iter().map(|one| one.tenant.id).collect();
    let stands_at = Bounds::load_many(tx, &ids).await?;
    let mut previews = MovePreviews { items: Vec::with_capacity(found.len()), totals: MoveTotals::default() };
    for Stands { tenant, on, terms } in found {
        let (opens, closes) =
            (modules::without(to.terms.modules, terms.modules), modules::without(terms.modules, to.terms.modules));
        let Some((bounds, usage)) = stands_at.get(&tenant.id) else { continue };
        let cost = |terms: &Terms| terms.price.month + terms.price.seat * usage.seats;
        let month = if terms.price.currency == to.terms.price.currency { cost(&to.terms) - cost(&terms) } else { cost(&to.terms) };
        previews.totals.tenants += usize::from(on != to.named);
        previews.totals.opens += opens.iter().count();
        previews.totals.closes += closes.iter().count();
        previews.items.push(MovePreview {
            from: on,
            to: to.named.clone(),
            opens,
            closes,
            data_kept_until: closes.iter().next().map(|_: Module| modules::kept_until(tx.now())),
            price_change: PriceChange { month, currency: to.terms.price.currency.clone() },
            over: bounds.over_with(&to.terms.limits, usage),
            tenant,
        });
    }
    Ok(previews)
}

/// Moves tenants to a plan, each for itself: one that cannot be moved stops none of the others.
///
/// # Errors
/// `Invalid` with every wrong field; then nobody was moved.
pub async fn assign(tx: &mut WriteTx<scope::Provider>, body: &PlanMove) -> Result<MoveResults> {
    let (to, found) = asked(tx, body).await?;
    tx.subject("plan", to.named.plan, format!("{} #{}", to.named.name, to.named.number));
    let mut results = Vec::with_capacity(found.len());
    for Stands { tenant, .. } in found {
        let (outcome, detail) = match move_tenant(tx, tenant.id, &to).await {
            Ok(Moved::Unchanged) => ("unchanged", String::new()),
            Ok(Moved::From(from)) => {
                tx.changed_in(tenant.id, "tenant", tenant.id, &fact(&from), &fact(&to.named));
                ("moved", String::new())
            }
            // Nothing was changed of this one: the refusal comes before the first change.
            Err(Error::Conflict(why)) => ("failed", why),
            Err(error) => return Err(error),
        };
        results.push(MoveResult { tenant, outcome, detail });
    }
    Ok(MoveResults { results })
}
