//! The worker: takes a change that was approved, tenant by tenant, with the rights of who approved it.

use std::time::Duration;

use access::Act;
use kernel::ids::random;
use kernel::store::StoreError;
use kernel::{Error, Hub, PersonId, ProviderCx, ProviderId, Result, TenantId, WriteTx, params, scope};
use serde_json::Value;
use uuid::Uuid;

use super::{FleetChangeId, ItemState, Kind, State, What, apply, undo};

/// How long a hub that fell silent keeps its work; every tenant prolongs it.
const LEASE: Duration = Duration::from_secs(30);
/// Tenants looked up at once.
const BATCH: i64 = 100;

/// A change being worked on by this hub.
pub(super) struct Run {
    id: FleetChangeId,
    provider: ProviderId,
    pub what: What,
    pub reason: String,
    state: State,
    acts_as: PersonId,
    failed_percent: i64,
    lease: Uuid,
}

/// What became of a tenant.
pub(super) struct Became {
    before: Value,
    after: Value,
    detail: String,
}

impl Became {
    pub fn done(before: Value, after: Value, detail: &str) -> Self {
        Self { before, after, detail: detail.to_owned() }
    }
}

/// A tenant whose turn it is.
struct Item {
    tenant: TenantId,
    before: Value,
    after: Value,
}

impl Run {
    fn is_undoing(&self) -> bool {
        self.state == State::Undoing
    }

    /// The state of tenants whose turn is still to come.
    fn todo(&self) -> ItemState {
        if self.is_undoing() { ItemState::Done } else { ItemState::Planned }
    }

    /// Notes what became of a tenant, in the commit that did it. Fails when somebody else did it already, or gave the change up.
    pub async fn note<S: scope::Control>(&self, tx: &mut WriteTx<S>, tenant: TenantId, became: Became) -> Result<()> {
        let lease_until = tx.now().after(LEASE);
        let held = tx
            .execute(
                "UPDATE fleet_change SET lease_until = ?4 WHERE id = ?1 AND lease_by = ?2 AND state = ?3",
                params![self.id, self.lease, self.state.text(), lease_until],
            )
            .await?;
        let noted = if self.is_undoing() {
            let sql =
                "UPDATE fleet_item SET state = 'undone', detail = ?3 WHERE change_id = ?1 AND tenant_id = ?2 AND state = 'done'";
            tx.execute(sql, params![self.id, tenant, became.detail]).await?
        } else {
            tx.execute(
                "UPDATE fleet_item SET state = 'done', before = ?3, after = ?4, detail = ?5
                 WHERE change_id = ?1 AND tenant_id = ?2 AND state = 'planned'",
                params![self.id, tenant, became.before.to_string(), became.after.to_string(), became.detail],
            )
            .await?
        };
        if held == 1 && noted == 1 { Ok(()) } else { Err(Error::Conflict(TAKEN_OVER.into())) }
    }
}

/// What an item that somebody else has taken over ends in: it is not this worker's to judge.
const TAKEN_OVER: &str = "This change is not this hub's work any more.";

/// At start: what a hub that died was working on is free at once, where no other hub can be working on it.
///
/// # Errors
/// `Unavailable`.
pub async fn release_leases(hub: &Hub) -> Result<()> {
    if hub.is_shared() {
        return Ok(());
    }
    hub.bookkeeping("UPDATE fleet_change SET lease_until = 0 WHERE lease_until > 0", params![]).await
}

/// Takes the next change that is due and works on it to its end, or until it stops. Answers whether there was one.
///
/// # Errors
/// `Unavailable`; the change is taken up again later.
pub async fn run_next(hub: &Hub) -> Result<bool> {
    let Some(run) = take(hub).await? else { return Ok(false) };
    loop {
        let items = batch(hub, &run).await?;
        if items.is_empty() {
            let end = if run.is_undoing() { State::Undone } else { State::Done };
            finish(hub, &run, end, "").await?;
            return Ok(true);
        }
        for item in items {
            let Some(cx) = acting(hub, &run).await? else { return Ok(true) };
            let done = if run.is_undoing() {
                undo::undo(&cx, &run, item.tenant, &item.before, &item.after).await
            } else {
                apply::apply(&cx, &run, item.tenant).await
            };
            match done {
                Ok(()) => {}
                Err(Error::Conflict(text)) if text == TAKEN_OVER => return Ok(true),
                Err(Error::Unavailable(text)) => return Err(Error::Unavailable(text)),
                Err(error) => {
                    cx.settle(&error).await;
                    if failed(hub, &run, item.tenant, &error).await? {
                        return Ok(true);
                    }
                }
            }
        }
    }
}

/// Takes a change whose turn it is, for as long as the lease. None: there is nothing to do.
async fn take(hub: &Hub) -> Result<Option<Run>> {
    const DUE: &str = "state IN ('approved', 'running', 'undoing') AND lease_until <= ?1";
    let now = hub.now();
    let mut tx = hub.system_read().await?;
    let row = tx.opt(&format!("SELECT id FROM fleet_change WHERE {DUE} ORDER BY approved_at, id LIMIT 1"), params![now]).await?;
    let Some(mut row) = row else { return Ok(None) };
    let id: FleetChangeId = row.take()?;
    drop(tx);
    let lease = Uuid::from_bytes(random());
    hub.bookkeeping(
        "UPDATE fleet_change SET lease_by = ?3, lease_until = ?4, state = CASE WHEN state = 'approved' THEN 'running' ELSE state END
         WHERE id = ?2 AND state IN ('approved', 'running', 'undoing') AND lease_until <= ?1",
        params![now, id, lease, now.after(LEASE)],
    )
    .await?;
    let mut tx = hub.system_read().await?;
    let row = tx
        .opt(
            "SELECT provider_id, kind, what, reason, state, acts_as, failed_percent FROM fleet_change WHERE id = ?1 AND lease_by = ?2",
            params![id, lease],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (provider, kind): (_, Kind) = (row.take()?, row.parse()?);
    let what: Value = row.json()?;
    let what = What::from_json(kind, &what).map_err(Error::internal)?;
    let (reason, state, acts_as) = (row.take()?, row.parse()?, row.take()?);
    Ok(Some(Run { id, provider, what, reason, state, acts_as, failed_percent: row.take()?, lease }))
}

async fn batch(hub: &Hub, run: &Run) -> Result<Vec<Item>> {
    let mut tx = hub.system_read().await?;
    let direction = if run.is_undoing() { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT tenant_id, before, after FROM fleet_item WHERE change_id = ?1 AND state = ?2 ORDER BY position {direction} LIMIT ?3"
    );
    let rows = tx.rows(&sql, params![run.id, run.todo().text(), BATCH]).await?;
    let items = rows.into_iter().map(|mut row| Ok(Item { tenant: row.take()?, before: row.json()?, after: row.json()? }));
    Ok(items.collect::<Result<_, StoreError>>()?)
}

/// The context to act in: of the person who approved it, with the rights of this moment. None: they have none any more, and it stops.
async fn acting(hub: &Hub, run: &Run) -> Result<Option<ProviderCx>> {
    let act = if run.is_undoing() { Act::FleetChangeUndo } else { Act::FleetChangeApprove };
    let found = match hub.acting_for(run.acts_as, run.provider).await {
        Ok(cx) => cx.allows(act).map(|()| cx),
        Err(error) => Err(error),
    };
    match found {
        Ok(cx) => Ok(Some(cx)),
        Err(Error::NotSignedIn | Error::NotFound | Error::Forbidden(_)) => {
            finish(hub, run, State::Stopped, "The rights of who started it have ended.").await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Notes that a tenant failed; answers whether it stops here.
async fn failed(hub: &Hub, run: &Run, tenant: TenantId, error: &Error) -> Result<bool> {
    let (state, detail) = (if run.is_undoing() { ItemState::UndoFailed } else { ItemState::Failed }, words(error));
    hub.bookkeeping(
        "UPDATE fleet_item SET state = ?4, detail = ?5 WHERE change_id = ?1 AND tenant_id = ?2 AND state = ?3",
        params![run.id, tenant, run.todo().text(), state.text(), detail],
    )
    .await?;
    // Undoing goes on: what cannot be put back holds nothing up.
    if run.is_undoing() {
        return Ok(false);
    }
    let mut tx = hub.system_read().await?;
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END), 0) AS bigint),
                      CAST(COALESCE(SUM(CASE WHEN state <> 'skipped' THEN 1 ELSE 0 END), 0) AS bigint)
               FROM fleet_item WHERE change_id = ?1";
    let mut row = tx.one(sql, params![run.id]).await?;
    let (failed, total): (i64, i64) = (row.take()?, row.take()?);
    drop(tx);
    if failed * 100 <= run.failed_percent * total {
        return Ok(false);
    }
    finish(hub, run, State::Stopped, &format!("{failed} of {total} tenants failed.")).await?;
    Ok(true)
}

/// Why a tenant failed, for people.
fn words(error: &Error) -> String {
    match error {
        Error::Forbidden(refusal) | Error::StepUpRequired(refusal) => refusal.why.clone(),
        Error::Conflict(text) => text.clone(),
        Error::Invalid(fields) => {
            fields.iter().map(|field| format!("{}: {}", field.field, field.message)).collect::<Vec<_>>().join("; ")
        }
        Error::NotFound => "This organisation is not there any more.".into(),
        Error::Changed => "It was changed at the same moment. Try again.".into(),
        other => other.code().replace('_', " "),
    }
}

/// Ends the work on a change, if it is still this hub's.
async fn finish(hub: &Hub, run: &Run, state: State, detail: &str) -> Result<()> {
    hub.bookkeeping(
        "UPDATE fleet_change SET state = ?4, detail = ?5, lease_until = 0, version = version + 1
         WHERE id = ?1 AND lease_by = ?2 AND state = ?3",
        params![run.id, run.lease, run.state.text(), state.text(), detail],
    )
    .await
}
