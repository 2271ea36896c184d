//! SQL of what waits for a tenant's word, and of what becomes of it.

use access::Tier;
use kernel::ids::uuid_at;
use kernel::store::{Row, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, TenantId, Timestamp, WriteTx, params, scope};
use uuid::Uuid;

use super::{Between, ConsentId, PendingConsent, Stored, Wanted};

/// Whether somebody of the tenant could answer.
pub(crate) async fn has_active_admin<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<bool, StoreError> {
    let row = tx
        .opt(
            "SELECT 1 FROM member m JOIN person p ON p.id = m.person_id
             WHERE m.tenant_id = ?1 AND m.role = 'admin' AND m.state = 'active' AND p.state = 'active' LIMIT 1",
            params![tenant],
        )
        .await?;
    Ok(row.is_some())
}

pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: ConsentId,
    between: Between,
    wanted: &Wanted,
    label: &str,
) -> Result<(), kernel::Error> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let target = serde_json::to_string(wanted).map_err(kernel::Error::internal)?;
    tx.execute(
        "INSERT INTO consent (id, tenant_id, provider_id, kind, target, label, asked_by, asked_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending')",
        params![id, between.tenant, between.provider, wanted.kind(), target, label, me, now],
    )
    .await?;
    Ok(())
}

/// Closes what waits about the same thing: for an assignment, the same person's.
pub(super) async fn overtake<S: scope::Control>(tx: &mut WriteTx<S>, between: Between, wanted: &Wanted) -> Result<(), StoreError> {
    let rows = tx
        .rows(
            "SELECT id, target FROM consent WHERE tenant_id = ?1 AND provider_id = ?2 AND kind = ?3 AND state = 'pending'",
            params![between.tenant, between.provider, wanted.kind()],
        )
        .await?;
    let now = tx.now();
    for mut row in rows {
        let (id, older): (ConsentId, Wanted) = (row.take()?, row.json()?);
        let is_same = match (&older, wanted) {
            (Wanted::Assignment { person: older, .. }, Wanted::Assignment { person, .. }) => older == person,
            _ => true,
        };
        if is_same {
            tx.execute("UPDATE consent SET state = 'overtaken', decided_at = ?2 WHERE id = ?1", params![id, now]).await?;
        }
    }
    Ok(())
}

pub(super) async fn pending(tx: &mut ReadTx<scope::Client>, provider: ProviderId) -> Result<Vec<PendingConsent>, StoreError> {
    let rows = tx
        .rows(
            "SELECT c.id, c.kind, c.label, p.name, c.asked_at FROM consent c JOIN person p ON p.id = c.asked_by
             WHERE c.tenant_id = ?1 AND c.provider_id = ?2 AND c.state = 'pending' ORDER BY c.id LIMIT 200",
            params![tx.scope.tenant, provider],
        )
        .await?;
    let read = |mut row: Row| {
        Ok(PendingConsent { id: row.take()?, kind: row.take()?, label: row.take()?, asked_by: row.take()?, asked_at: row.take()? })
    };
    rows.into_iter().map(read).collect()
}

pub(super) async fn load<S: scope::Control>(
    tx: &mut ReadTx<S>,
    tenant: TenantId,
    id: ConsentId,
) -> Result<Option<Stored>, StoreError> {
    let row = tx
        .opt(
            "SELECT id, provider_id, target, label, asked_by, state FROM consent WHERE tenant_id = ?1 AND id = ?2",
            params![tenant, id],
        )
        .await?;
    row.map(|mut row| {
        Ok(Stored {
            id: row.take()?,
            provider: row.take()?,
            wanted: row.json()?,
            label: row.take()?,
            asked_by: row.take()?,
            state: row.take()?,
        })
    })
    .transpose()
}

/// Whether it still waited.
pub(super) async fn decide<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: ConsentId,
    state: &str,
    reason: &str,
) -> Result<bool, kernel::Error> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let changed = tx
        .execute(
            "UPDATE consent SET state = ?2, decided_by = ?3, decided_at = ?4, decision_reason = ?5 WHERE id = ?1 AND state = 'pending'",
            params![id, state, me, now, reason],
        )
        .await?;
    Ok(changed == 1)
}

/// The tier of before; none: there is no relationship any more.
pub(super) async fn set_tier(tx: &mut WriteTx<scope::Records>, between: Between, tier: Tier) -> Result<Option<Tier>, StoreError> {
    let Some(mut row) = standing(tx, between, "tier").await? else { return Ok(None) };
    let before = Tier::from_i64(row.take()?);
    tx.execute(
        "UPDATE relationship SET tier = ?3, version = version + 1 WHERE provider_id = ?1 AND tenant_id = ?2",
        params![between.provider, between.tenant, tier.as_i64()],
    )
    .await?;
    Ok(before)
}

/// The end of before; none: there is no relationship any more.
pub(super) async fn set_end(
    tx: &mut WriteTx<scope::Records>,
    between: Between,
    ends_at: Option<Timestamp>,
) -> Result<Option<Option<Timestamp>>, StoreError> {
    let Some(mut row) = standing(tx, between, "ends_at").await? else { return Ok(None) };
    let before = row.take()?;
    tx.execute(
        "UPDATE relationship SET ends_at = ?3, warned_days = NULL, version = version + 1 WHERE provider_id = ?1 AND tenant_id = ?2",
        params![between.provider, between.tenant, ends_at],
    )
    .await?;
    Ok(Some(before))
}

async fn standing(tx: &mut ReadTx<scope::Records>, between: Between, column: &str) -> Result<Option<Row>, StoreError> {
    let sql = format!("SELECT {column} FROM relationship WHERE provider_id = ?1 AND tenant_id = ?2 AND state <> 'ended'");
    tx.opt(&sql, params![between.provider, between.tenant]).await
}

pub(super) async fn is_staff(tx: &mut ReadTx<scope::Records>, person: PersonId, provider: ProviderId) -> Result<bool, StoreError> {
    let row = tx.opt("SELECT 1 FROM staff WHERE person_id = ?1 AND provider_id = ?2", params![person, provider]).await?;
    Ok(row.is_some())
}

/// Makes or changes the assignment that was asked for. Answers its id.
pub(super) async fn assign(tx: &mut WriteTx<scope::Records>, between: Between, wanted: &Wanted) -> Result<String, StoreError> {
    let Wanted::Assignment { person, tier, mask, modules, ends_at } = wanted else {
        return Err(StoreError::Other("no assignment was asked for".into()));
    };
    let now = tx.now();
    let mut row = tx
        .one(
            "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8)
             ON CONFLICT (provider_id, tenant_id, person_id) DO UPDATE SET tier = excluded.tier, mask = excluded.mask,
                modules = excluded.modules, ends_at = excluded.ends_at, version = assignment.version + 1
             RETURNING id",
            params![
                uuid_at(now),
                between.provider,
                between.tenant,
                *person,
                tier.as_i64(),
                i64::from(mask.bits()),
                i64::from(modules.bits()),
                now,
                *ends_at
            ],
        )
        .await?;
    let id: Uuid = row.take()?;
    Ok(format!("asg_{}", id.simple()))
}

/// Lifts the removal of a person. Answers whether there was one.
pub(super) async fn admit(tx: &mut WriteTx<scope::Records>, person: PersonId) -> Result<bool, StoreError> {
    let tenant = tx.scope.tenant;
    Ok(tx.execute("DELETE FROM bar WHERE tenant_id = ?1 AND person_id = ?2", params![tenant, person]).await? > 0)
}
