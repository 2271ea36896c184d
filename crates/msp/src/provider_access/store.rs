//! SQL of the provider's access to a tenant.

use std::collections::HashMap;

use access::{StaffRole, Tier};
use kernel::store::{Row, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, Result, Timestamp, WriteTx, params, scope};

use super::{Barred, ReachName, ReachProvider, ReachRelationship};
use crate::relationships::{Consent, RelationshipId, freezes, state_at};

type Tx = ReadTx<scope::Records>;

/// The tenant's relationships, the one of the provider that holds it first.
pub(super) async fn relationships(tx: &mut Tx) -> Result<Vec<ReachRelationship>> {
    let (tenant, now) = (tx.scope.tenant, tx.now());
    let rows = tx
        .rows(
            "SELECT r.id, p.id, p.name, CASE WHEN p.id = t.provider_id THEN 0 ELSE 1 END, r.tier, r.state, r.ends_at,
                    r.raise_by, r.assign_by, r.renew_by
             FROM relationship r JOIN provider p ON p.id = r.provider_id JOIN tenant t ON t.id = r.tenant_id
             WHERE r.tenant_id = ?1 ORDER BY 4, p.name",
            params![tenant],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for mut row in rows {
        let mut relationship = read(&mut row, now)?;
        relationship.freezes = freezes(tx, relationship.provider.id, tenant).await?;
        found.push(relationship);
    }
    Ok(found)
}

fn read(row: &mut Row, now: Timestamp) -> Result<ReachRelationship, StoreError> {
    let id = row.take()?;
    let provider = ReachProvider { id: row.take()?, name: row.take()?, parent: row.take::<i64>()? == 1 };
    let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
    let (stored, ends_at) = (row.parse()?, row.take()?);
    let state = state_at(stored, ends_at, now);
    Ok(ReachRelationship { id, provider, tier, state, ends_at, consent: Consent::read(row)?, freezes: Vec::new() })
}

/// When each of the provider's people last used their access.
pub(super) async fn uses(tx: &mut Tx) -> Result<HashMap<PersonId, Timestamp>, StoreError> {
    let rows = tx.rows("SELECT person_id, at FROM reach_use WHERE tenant_id = ?1", params![tx.scope.tenant]).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

pub(super) async fn bars(tx: &mut Tx) -> Result<HashMap<PersonId, Barred>, StoreError> {
    let rows = tx
        .rows(
            "SELECT b.person_id, p.name, b.at, b.reason FROM bar b JOIN person p ON p.id = b.by_id WHERE b.tenant_id = ?1",
            params![tx.scope.tenant],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, Barred { by: row.take()?, at: row.take()?, reason: row.take()? }))).collect()
}

/// Staff whom this tenant removed, with their provider: they hold nothing any more, and can be admitted again.
pub(super) async fn removed(tx: &mut Tx) -> Result<Vec<(PersonId, ReachName, StaffRole, ProviderId)>, StoreError> {
    let rows = tx
        .rows(
            "SELECT b.person_id, p.name, p.email, s.role, s.provider_id FROM bar b JOIN person p ON p.id = b.person_id
             JOIN staff s ON s.person_id = b.person_id JOIN relationship r ON r.tenant_id = b.tenant_id AND r.provider_id = s.provider_id
             WHERE b.tenant_id = ?1 ORDER BY p.name",
            params![tx.scope.tenant],
        )
        .await?;
    let read = |mut row: Row| {
        let id = row.take()?;
        Ok((id, ReachName { id, name: Some(row.take()?), email: Some(row.take()?) }, row.parse()?, row.take()?))
    };
    rows.into_iter().map(read).collect()
}

/// The provider that holds the tenant.
pub(super) async fn holder(tx: &mut Tx) -> Result<ProviderId, StoreError> {
    tx.one("SELECT provider_id FROM tenant WHERE id = ?1", params![tx.scope.tenant]).await?.take()
}

pub(super) async fn name_of(tx: &mut Tx, person: PersonId) -> Result<Option<String>, StoreError> {
    let row = tx.opt("SELECT name FROM person WHERE id = ?1", params![person]).await?;
    row.map(|mut row| row.take()).transpose()
}

pub(super) async fn update(
    tx: &mut WriteTx<scope::Records>,
    id: RelationshipId,
    consent: Consent,
    tier: Tier,
    end: bool,
) -> Result<(), StoreError> {
    let tenant = tx.scope.tenant;
    tx.execute(
        "UPDATE relationship SET raise_by = ?3, assign_by = ?4, renew_by = ?5, tier = ?6,
            state = CASE WHEN ?7 THEN 'ended' ELSE state END, version = version + 1
         WHERE tenant_id = ?1 AND id = ?2",
        params![tenant, id, consent.raise_by.as_str(), consent.assign_by.as_str(), consent.renew_by.as_str(), tier.as_i64(), end],
    )
    .await?;
    Ok(())
}

/// Bars the person and ends their assignments here. Answers how many those were.
pub(super) async fn bar(tx: &mut WriteTx<scope::Records>, person: PersonId, reason: &str) -> Result<u64> {
    let (tenant, now, me) = (tx.scope.tenant, tx.now(), tx.me()?.person);
    tx.execute(
        "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant_id, person_id) DO UPDATE SET by_id = excluded.by_id, at = excluded.at, reason = excluded.reason",
        params![tenant, person, me, now, reason],
    )
    .await?;
    Ok(tx.execute("DELETE FROM assignment WHERE tenant_id = ?1 AND person_id = ?2", params![tenant, person]).await?)
}

pub(super) async fn unbar(tx: &mut WriteTx<scope::Records>, person: PersonId) -> Result<(), StoreError> {
    let tenant = tx.scope.tenant;
    tx.execute("DELETE FROM bar WHERE tenant_id = ?1 AND person_id = ?2", params![tenant, person]).await?;
    Ok(())
}
