//! SQL of what waits for a tenant's word: consents and elevations in one list.

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, params, scope};
use uuid::Uuid;

use super::{AccessRequest, RequestedElevation, can};
use crate::elevations::{self, ElevationId};
use crate::provider_access::ReachName;

type Tx = ReadTx<scope::Records>;

/// Consents that wait for this tenant.
pub(super) async fn consents_waiting(tx: &mut Tx) -> Result<i64, StoreError> {
    let tenant = tx.scope.tenant;
    let mut row = tx.one("SELECT COUNT(*) FROM consent WHERE tenant_id = ?1 AND state = 'pending'", params![tenant]).await?;
    row.take()
}

/// Both kinds with the columns that a list needs. What time has made of an elevation stands in its state.
fn both(tenant: kernel::TenantId, now: Timestamp) -> Query {
    let mut query = Query::new(
        "SELECT * FROM (SELECT c.id AS id, 0 AS elevated, c.kind AS kind, c.label AS label, c.provider_id AS provider_id,
            c.asked_by AS asked_by, c.asked_at AS asked_at, c.reason AS reason, c.state AS state, c.decided_by AS decided_by,
            c.decided_at AS decided_at, c.decision_reason AS decision_reason
         FROM consent c WHERE c.tenant_id = ",
    );
    query.bind(tenant).push(
        " UNION ALL SELECT e.id, 1, 'elevation', e.template_name, e.provider_id, e.person_id, e.requested_at, e.reason,
            CASE WHEN e.state = 'requested' AND e.lapses_at <= ",
    );
    query.bind(now).push(" THEN 'lapsed' WHEN e.state = 'requested' AND e.tenant_by IS NULL AND e.approver IN ('tenant', 'both')");
    query.push(" THEN 'pending' WHEN e.state = 'requested' THEN 'waiting' WHEN e.state = 'approved' AND e.ends_at > ").bind(now);
    query.push(
        " THEN 'running' WHEN e.state = 'approved' THEN 'ended' ELSE e.state END,
            COALESCE(e.closed_by, e.tenant_by, e.provider_by), COALESCE(e.closed_at, e.tenant_at, e.provider_at), e.decision_reason
         FROM elevation e WHERE e.tenant_id = ",
    );
    query.bind(tenant).push(") x");
    query
}

pub(super) async fn list(tx: &mut Tx, page: &PageQuery, state: Option<&str>) -> Result<Page<AccessRequest>> {
    let order = page.order(&[("-asked", "x.asked_at")])?;
    let states: &[&str] = match state {
        None | Some("") => &[],
        Some("pending") => &["pending"],
        Some("running") => &["running"],
        Some("decided") => &["approved", "denied", "withdrawn", "overtaken", "ended", "cancelled", "lapsed"],
        Some(_) => return Err(Error::field("state", "unknown", "is pending, running or decided")),
    };
    let (pattern, tenant, now) = (page.pattern()?, tx.scope.tenant, tx.now());
    let filtered = |select: &str| {
        let inner = both(tenant, now);
        let mut query = Query { sql: inner.sql.replacen("SELECT *", select, 1), params: inner.params };
        query.push(" JOIN person p ON p.id = x.asked_by JOIN provider v ON v.id = x.provider_id");
        query.push(" LEFT JOIN person d ON d.id = x.decided_by WHERE 1 = 1");
        query.and_like("x.label || ' ' || p.name", pattern.as_deref());
        if !states.is_empty() {
            query.push(" AND x.state IN (").bind_all(states.iter().copied()).push(")");
        }
        query
    };
    let mut rows = filtered(&format!(
        "SELECT x.id, x.elevated, x.kind, x.label, v.name, p.id, p.name, p.email, x.asked_at, x.reason, x.state, d.name, x.decided_at,
            x.decision_reason, {}, x.id",
        order.key
    ));
    page.apply(&mut rows, order, "x.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let by_name = tx.tenant().is_none_or(|tenant| tenant.staff_by_name);
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        let (mut item, elevation) = read(tx, &mut row, by_name)?;
        if let Some(id) = elevation {
            item.elevation = Some(details(tx, id).await?);
        }
        items.push((item, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

fn read(tx: &Tx, row: &mut Row, by_name: bool) -> Result<(AccessRequest, Option<Uuid>)> {
    let id: Uuid = row.take()?;
    let is_elevation = row.take::<i64>()? == 1;
    let (kind, label, provider) = (row.take()?, row.take()?, row.take()?);
    let (asked_by, name, email): (PersonId, String, String) = (row.take()?, row.take()?, row.take()?);
    let (asked_at, reason, state): (Timestamp, String, String) = (row.take()?, row.take()?, row.take()?);
    let item = AccessRequest {
        id: format!("{}_{}", if is_elevation { "elv" } else { "con" }, id.simple()),
        kind,
        label,
        provider,
        asked_by: ReachName { id: asked_by, name: by_name.then_some(name), email: by_name.then_some(email) },
        asked_at,
        reason,
        can: can(tx, asked_by, &state)?,
        state,
        elevation: None,
        decided_by: row.take()?,
        decided_at: row.take()?,
        decision_reason: row.take()?,
    };
    Ok((item, is_elevation.then_some(id)))
}

async fn details(tx: &mut Tx, id: Uuid) -> Result<RequestedElevation> {
    let e = elevations::one_of_tenant(tx, ElevationId::from_uuid(id)).await?;
    Ok(RequestedElevation {
        template: e.template.name,
        tier: e.tier,
        actions: e.actions.iter().map(|act| act.name().to_owned()).collect(),
        modules: e.modules,
        minutes: e.minutes,
        ticket: e.ticket.unwrap_or_default(),
        approver: e.approver.as_str().to_owned(),
        starts_at: e.starts_at,
        ends_at: e.ends_at,
        break_glass: e.break_glass,
    })
}
