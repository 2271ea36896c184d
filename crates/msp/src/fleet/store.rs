//! SQL of changes to many tenants. Everything is of the transaction's provider.

use std::collections::{HashMap, HashSet};

use access::{Mask, Modules, Tier};
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, TenantId, WriteTx, params, scope};
use serde_json::json;

use super::plan::{Facts, Planned, Terms};
use super::{
    FleetChange, FleetChangeCreate, FleetChangeId, FleetItem, ItemState, Progress, Reach, Sees, Someone, State, StopAfter, What,
    decide,
};
use crate::assignments::AssignedTenant;
use crate::groups::{GroupId, TENANTS_MAX};
use crate::plans::PlanId;
use crate::staff::StaffId;

type Tx = ReadTx<scope::Provider>;
type Write = WriteTx<scope::Provider>;

const COLUMNS: &str = "SELECT c.id, c.kind, c.what, c.reach, c.reason, c.state, c.detail, p.id, p.name, c.created_at, a.id, a.name,
     c.approved_at, c.failed_percent, c.version";
const FROM: &str = " FROM fleet_change c JOIN person p ON p.id = c.created_by LEFT JOIN person a ON a.id = c.approved_by
     WHERE c.provider_id = ";

/// A change; its progress and what may be done with it come after.
fn change(tx: &Tx, row: &mut Row) -> Result<FleetChange> {
    let (id, kind) = (row.take()?, row.parse()?);
    let (what, over): (_, Reach) = (row.json()?, row.json()?);
    let (reason, state, detail) = (row.take()?, row.parse()?, row.take()?);
    let created_by = Someone { id: row.take()?, name: row.take()? };
    let created_at = row.take()?;
    let approver: (Option<PersonId>, Option<String>) = (row.take()?, row.take()?);
    let approved_by = approver.0.zip(approver.1).map(|(id, name)| Someone { id, name });
    let (approved_at, failed_percent, version) = (row.take()?, row.take()?, row.take()?);
    let can = decide::can(tx, state, Progress::default());
    let (stop_after, progress) = (StopAfter { failed_percent }, Progress::default());
    Ok(FleetChange {
        id,
        kind,
        what,
        over,
        reason,
        state,
        detail,
        created_by,
        created_at,
        approved_by,
        approved_at,
        stop_after,
        progress,
        can,
        version,
    })
}

async fn fill(tx: &mut Tx, changes: &mut [&mut FleetChange]) -> Result<()> {
    let mut query = Query::new("SELECT change_id, state, COUNT(*) FROM fleet_item WHERE change_id IN (");
    query.bind_all(changes.iter().map(|change| change.id)).push(") GROUP BY change_id, state");
    let mut found: HashMap<FleetChangeId, Progress> = HashMap::new();
    for mut row in tx.query(&query).await? {
        let of = found.entry(row.take()?).or_default();
        let (state, count): (ItemState, i64) = (row.parse()?, row.take()?);
        of.total += count;
        match state {
            ItemState::Planned => {}
            ItemState::Skipped => of.skipped = count,
            ItemState::Done => of.done = count,
            ItemState::Failed => of.failed = count,
            ItemState::Undone => of.undone = count,
            ItemState::UndoFailed => of.undo_failed = count,
        }
    }
    for change in changes {
        change.progress = found.remove(&change.id).unwrap_or_default();
        change.can = decide::can(tx, change.state, change.progress);
    }
    Ok(())
}

fn push_seen(query: &mut Query, sees: Sees) {
    if let Sees::Own(me) = sees {
        query.push(" AND c.created_by = ").bind(me);
    }
}

pub(super) async fn list(tx: &mut Tx, page: &PageQuery, states: &[State], sees: Sees) -> Result<Page<FleetChange>> {
    let order = page.order(&[("created", "c.created_at")])?;
    let pattern = page.pattern()?;
    let provider = tx.scope.provider;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        push_seen(&mut query, sees);
        query.and_like("c.reason || ' ' || p.name", pattern.as_deref());
        if !states.is_empty() {
            query.push(" AND c.state IN (").bind_all(states.iter().map(|state| state.text())).push(")");
        }
        query
    };
    let mut query = filtered(&format!("{COLUMNS}, {}, c.id", order.key));
    page.apply(&mut query, order, "c.id")?;
    let count = filtered("SELECT COUNT(*)");
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut items = Vec::new();
    for mut row in tx.query(&query).await? {
        items.push((change(tx, &mut row)?, row.take::<Value>()?, row.take()?));
    }
    fill(tx, &mut items.iter_mut().map(|(change, _, _)| change).collect::<Vec<_>>()).await?;
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn one(tx: &mut Tx, id: FleetChangeId, sees: Sees) -> Result<Option<FleetChange>> {
    let mut query = Query::new(COLUMNS);
    query.push(FROM).bind(tx.scope.provider).push(" AND c.id = ").bind(id);
    push_seen(&mut query, sees);
    let mut found = match tx.query(&query).await?.pop() {
        Some(mut row) => Some(change(tx, &mut row)?),
        None => None,
    };
    fill(tx, &mut found.iter_mut().collect::<Vec<_>>()).await?;
    Ok(found)
}

pub(super) async fn items(tx: &mut Tx, id: FleetChangeId, page: &PageQuery, states: &[ItemState]) -> Result<Page<FleetItem>> {
    let order = page.order(&[("position", "i.position")])?;
    let pattern = page.pattern()?;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM fleet_item i JOIN tenant t ON t.id = i.tenant_id WHERE i.change_id = ").bind(id);
        query.and_like("t.name || ' ' || t.slug", pattern.as_deref());
        if !states.is_empty() {
            query.push(" AND i.state IN (").bind_all(states.iter().map(|state| state.text())).push(")");
        }
        query
    };
    let mut query = filtered(&format!("SELECT t.id, t.slug, t.name, i.state, i.before, i.after, i.detail, {}, t.id", order.key));
    page.apply(&mut query, order, "t.id")?;
    let count = filtered("SELECT COUNT(*)");
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        let (state, before, after, detail) = (row.parse()?, row.json()?, row.json()?, row.take()?);
        Ok((FleetItem { tenant, state, before, after, detail }, row.take()?, row.take()?))
    });
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

pub(super) async fn insert(
    tx: &mut Write,
    id: FleetChangeId,
    body: &FleetChangeCreate,
    what: &What,
    reason: &str,
) -> Result<(), StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let me = tx.me().map_err(|_| StoreError::Other("nobody drafts".into()))?.person;
    tx.execute(
        "INSERT INTO fleet_change (id, provider_id, kind, what, reach, reason, state, failed_percent, created_by, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'draft', ?7, ?8, ?9)",
        params![
            id,
            provider,
            body.kind.text(),
            what.to_json().to_string(),
            json!(body.over).to_string(),
            reason,
            body.stop_after.failed_percent,
            me,
            now
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn insert_items(tx: &mut Write, id: FleetChangeId, items: &[Planned]) -> Result<(), StoreError> {
    for (position, item) in items.iter().enumerate() {
        tx.execute(
            "INSERT INTO fleet_item (change_id, tenant_id, position, state, before, after, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                id,
                item.tenant,
                position as u64,
                item.state.text(),
                item.before.to_string(),
                item.after.to_string(),
                item.detail.as_str()
            ],
        )
        .await?;
    }
    Ok(())
}

/// Takes the change's row until the commit: who decides on it and who applies it come one after the other.
pub(super) async fn hold(tx: &mut Write, id: FleetChangeId) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute("UPDATE fleet_change SET version = version WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    Ok(())
}

pub(super) async fn set_approved(tx: &mut Write, id: FleetChangeId) -> Result<()> {
    let (provider, now, me) = (tx.scope.provider, tx.now(), tx.me()?.person);
    tx.execute(
        "UPDATE fleet_change SET state = 'approved', approved_by = ?3, approved_at = ?4, acts_as = ?3, version = version + 1
         WHERE provider_id = ?1 AND id = ?2",
        params![provider, id, me, now],
    )
    .await?;
    Ok(())
}

/// Sets it going again, with the rights of the person who asks.
pub(super) async fn set_acting(tx: &mut Write, id: FleetChangeId, state: State) -> Result<()> {
    let (provider, me) = (tx.scope.provider, tx.me()?.person);
    tx.execute(
        "UPDATE fleet_change SET state = ?3, detail = '', acts_as = ?4, lease_until = 0, version = version + 1
         WHERE provider_id = ?1 AND id = ?2",
        params![provider, id, state.text(), me],
    )
    .await?;
    Ok(())
}

pub(super) async fn set_state(tx: &mut Write, id: FleetChangeId, state: State, detail: &str) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute(
        "UPDATE fleet_change SET state = ?3, detail = ?4, version = version + 1 WHERE provider_id = ?1 AND id = ?2",
        params![provider, id, state.text(), detail],
    )
    .await?;
    Ok(())
}

pub(super) async fn move_items(tx: &mut Write, id: FleetChangeId, from: ItemState, to: ItemState) -> Result<(), StoreError> {
    tx.execute("UPDATE fleet_item SET state = ?3 WHERE change_id = ?1 AND state = ?2", params![id, from.text(), to.text()]).await?;
    Ok(())
}

pub(super) async fn knows_group(tx: &mut Tx, id: GroupId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM tenant_group WHERE provider_id = ?1 AND id = ?2";
    Ok(tx.opt(sql, params![tx.scope.provider, id]).await?.is_some())
}

pub(super) async fn staff_exists(tx: &mut Tx, id: StaffId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM staff WHERE provider_id = ?1 AND id = ?2";
    Ok(tx.opt(sql, params![tx.scope.provider, id]).await?.is_some())
}

pub(super) async fn knows_plan(tx: &mut Tx, named: &str) -> Result<bool, StoreError> {
    Ok(plan_named(tx, named).await?.is_some())
}

pub(super) async fn plan_named(tx: &mut Tx, named: &str) -> Result<Option<(PlanId, String)>, StoreError> {
    let mut query = Query::new("SELECT id, name FROM plan WHERE provider_id = ");
    query.bind(tx.scope.provider);
    query.and_named::<crate::plans::PlanKind>("id", "name", named.trim());
    tx.query(&query).await?.pop().map(|mut row| Ok((row.take()?, row.take()?))).transpose()
}

/// All clients there are.
pub(super) async fn all_tenants(tx: &mut Tx) -> Result<Vec<AssignedTenant>, StoreError> {
    let rows = tx
        .rows(
            "SELECT t.id, t.slug, t.name FROM relationship r JOIN tenant t ON t.id = r.tenant_id
             WHERE r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged' ORDER BY lower(t.name), t.id LIMIT ?2",
            params![tx.scope.provider, TENANTS_MAX as u64],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? })).collect()
}

/// The clients that somebody is assigned to now, by themselves or by a grant over many.
pub(super) async fn assigned_to(tx: &mut Tx, person: PersonId) -> Result<HashSet<TenantId>, StoreError> {
    let rows = tx
        .rows(
            "SELECT DISTINCT tenant_id FROM reach_assignment
             WHERE provider_id = ?1 AND person_id = ?2 AND starts_at <= ?3 AND (ends_at IS NULL OR ends_at > ?3)",
            params![tx.scope.provider, person, tx.now()],
        )
        .await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

/// How these tenants stand; with the assignment of `staff` on each.
pub(super) async fn facts(
    tx: &mut Tx,
    tenants: &[TenantId],
    staff: Option<StaffId>,
) -> Result<HashMap<TenantId, Facts>, StoreError> {
    let provider = tx.scope.provider;
    let mut facts = HashMap::new();
    for chunk in tenants.chunks(500) {
        let mut query = Query::new(
            "SELECT t.id, t.state, p.id, p.name, r.tier, t.scan_interval_days, t.comments_from_t1, a.tier, a.mask, a.modules, a.ends_at
             FROM relationship r JOIN tenant t ON t.id = r.tenant_id JOIN plan p ON p.id = t.plan_id
             LEFT JOIN assignment a ON a.tenant_id = t.id AND a.provider_id = r.provider_id
               AND a.person_id IN (SELECT s.person_id FROM staff s WHERE s.id = ",
        );
        query.bind(staff.map_or_else(uuid::Uuid::nil, |staff| staff.uuid()));
        query.push(") WHERE r.provider_id = ").bind(provider).push(" AND t.id IN (").bind_all(chunk.iter().copied()).push(")");
        for mut row in tx.query(&query).await? {
            let (tenant, state) = (row.take()?, row.parse()?);
            let plan = (row.take()?, row.take()?);
            let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
            let (scan_interval_days, comments_from_t1) = (row.take()?, row.take()?);
            let (tier_there, mask, modules): (Option<i64>, Option<i64>, Option<i64>) = (row.take()?, row.take()?, row.take()?);
            let ends_at = row.take()?;
            let assignment = tier_there.zip(mask).zip(modules).map(|((tier, mask), modules)| Terms {
                tier: Tier::from_i64(tier).unwrap_or(Tier::T0),
                mask: Mask::from_bits(u8::try_from(mask).unwrap_or_default()),
                modules: Modules::from_bits(u16::try_from(modules).unwrap_or_default()),
                ends_at,
            });
            facts.insert(tenant, Facts { tenant, state, plan, tier, scan_interval_days, comments_from_t1, assignment });
        }
    }
    Ok(facts)
}
