//! SQL of settings: what places said, and what stands in a tenant's registry row.

use kernel::store::{Query, StoreError, Value};
use kernel::{Error, ProviderId, ReadTx, Result, WriteTx, params, scope};
use uuid::Uuid;

use super::Settings;
use super::ladder::Rows;
use super::registry::{Definition, Kind};
use crate::relationships::RelationshipId;

/// What these places said.
pub(super) async fn rows<S: scope::Control>(tx: &mut ReadTx<S>, places: impl Iterator<Item = Uuid>) -> Result<Rows, StoreError> {
    let mut query = Query::new("SELECT scope_id, scope_kind, key, value FROM setting WHERE scope_id IN (");
    query.bind_all(places).push(")");
    let rows = tx.query(&query).await?.into_iter();
    rows.map(|mut row| Ok(((row.take()?, row.take()?, row.take()?), row.take()?))).collect()
}

/// A place says something, or nothing any more.
pub(super) async fn say<S: scope::Control>(
    tx: &mut WriteTx<S>,
    place: Uuid,
    kind: &str,
    key: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    match value {
        Some(value) => {
            let sql = "INSERT INTO setting (scope_id, scope_kind, key, value) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (scope_id, scope_kind, key) DO UPDATE SET value = excluded.value";
            tx.execute(sql, params![place, kind, key, value]).await?
        }
        None => {
            let sql = "DELETE FROM setting WHERE scope_id = ?1 AND scope_kind = ?2 AND key = ?3";
            tx.execute(sql, params![place, kind, key]).await?
        }
    };
    Ok(())
}

/// Everything that tenants of this provider said for themselves, and everything that it said for its clients.
pub(super) async fn said_below<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: ProviderId,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = tx
        .rows(
            "SELECT x.key, x.value FROM setting x JOIN tenant t ON t.id = x.scope_id
             WHERE x.scope_kind = 'tenant' AND t.provider_id = ?1 AND t.state <> 'purged'
             UNION ALL SELECT x.key, x.value FROM setting x JOIN relationship r ON r.id = x.scope_id JOIN tenant t ON t.id = r.tenant_id
             WHERE x.scope_kind = 'client' AND r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged'",
            params![provider],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect()
}

/// Whom a provider's settings touch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub clients: i64,
    pub staff: i64,
    pub admins: i64,
    /// Members of clients who are no staff of the provider.
    pub members: i64,
}

pub(super) async fn heads<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId) -> Result<Heads, StoreError> {
    let mut row = tx
        .one(
            "SELECT (SELECT COUNT(*) FROM relationship r JOIN tenant t ON t.id = r.tenant_id
                     WHERE r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged'),
                    (SELECT COUNT(*) FROM staff s WHERE s.provider_id = ?1 AND s.state = 'active'),
                    (SELECT COUNT(*) FROM staff s WHERE s.provider_id = ?1 AND s.state = 'active' AND s.role = 'provider_admin'),
                    (SELECT COUNT(DISTINCT m.person_id) FROM member m JOIN tenant t ON t.id = m.tenant_id
                     WHERE t.provider_id = ?1 AND t.state <> 'purged' AND m.state = 'active'
                       AND NOT EXISTS (SELECT 1 FROM staff s WHERE s.provider_id = ?1 AND s.person_id = m.person_id AND s.state = 'active'))",
            params![provider],
        )
        .await?;
    Ok(Heads { clients: row.take()?, staff: row.take()?, admins: row.take()?, members: row.take()? })
}

/// Name of the preset that was applied last, and the version of the provider's row.
pub(super) async fn provider_row(tx: &mut ReadTx<scope::Provider>) -> Result<(Option<String>, i64)> {
    let provider = tx.scope.provider;
    let row = tx.opt("SELECT preset, version FROM provider WHERE id = ?1", params![provider]).await?;
    let mut row = row.ok_or(Error::NotFound)?;
    Ok((row.take()?, row.take()?))
}

/// Takes the provider's row until the commit, and gives it its next version.
pub(super) async fn bump_provider(tx: &mut WriteTx<scope::Provider>) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute("UPDATE provider SET version = version + 1 WHERE id = ?1", params![provider]).await?;
    Ok(())
}

pub(super) async fn set_preset(tx: &mut WriteTx<scope::Provider>, preset: &str) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute("UPDATE provider SET preset = ?2 WHERE id = ?1", params![provider, preset]).await?;
    tx.execute("DELETE FROM setting WHERE scope_id = ?1 AND scope_kind IN ('preset', 'provider')", params![provider]).await?;
    Ok(())
}

/// Writes what counts for a provider into the column where others read it.
pub(super) async fn mirror(
    tx: &mut WriteTx<scope::Provider>,
    definition: &Definition,
    column: &str,
    value: &str,
) -> Result<(), StoreError> {
    let stored: Value = match definition.kind {
        // As the door knows modes: there is an assignment for everybody whom this one gives everything.
        Kind::Choice(_) if value == "implicit_owner" => "explicit".into(),
        Kind::Choice(_) => value.into(),
        Kind::Number { .. } => value.parse::<i64>().unwrap_or_default().into(),
        Kind::Boolean => (value == "true").into(),
    };
    let provider = tx.scope.provider;
    tx.execute(&format!("UPDATE provider SET {column} = ?2 WHERE id = ?1"), params![provider, &stored]).await?;
    Ok(())
}

/// The relationship of a provider with one of its tenants, its version, and the tenant's name.
pub(super) async fn relationship(tx: &mut ReadTx<scope::Client>) -> Result<(RelationshipId, i64, String)> {
    let row = tx
        .opt(
            "SELECT r.id, r.version, t.name FROM relationship r JOIN tenant t ON t.id = r.tenant_id
             WHERE r.provider_id = ?1 AND r.tenant_id = ?2",
            params![tx.scope.provider, tx.scope.tenant],
        )
        .await?;
    let mut row = row.ok_or(Error::NotFound)?;
    Ok((row.take()?, row.take()?, row.take()?))
}

/// Takes the relationship's row until the commit, and gives it its next version.
pub(super) async fn bump_relationship(tx: &mut WriteTx<scope::Client>, relationship: RelationshipId) -> Result<(), StoreError> {
    tx.execute("UPDATE relationship SET version = version + 1 WHERE id = ?1", params![relationship]).await?;
    Ok(())
}

/// The provider that holds a tenant.
pub(super) async fn holder(tx: &mut ReadTx<scope::Records>) -> Result<ProviderId> {
    let tenant = tx.scope.tenant;
    let row = tx.opt("SELECT provider_id FROM tenant WHERE id = ?1", params![tenant]).await?;
    Ok(row.ok_or(Error::NotFound)?.take()?)
}

pub(super) async fn settings(tx: &mut ReadTx<scope::Records>) -> Result<Option<Settings>, StoreError> {
    let row = tx
        .opt(
            "SELECT t.scan_interval_days, t.comments_from_t1, t.staff_may_name_admins, p.staff_shown, t.settings_version
             FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.id = ?1",
            params![tx.scope.tenant],
        )
        .await?;
    let settings = row.map(|mut row| {
        Ok(Settings {
            scan_interval_days: row.take()?,
            comments_from_t1: row.take()?,
            staff_may_name_admins: row.take()?,
            staff_shown: row.take()?,
            settings: Vec::new(),
            version: row.take()?,
        })
    });
    settings.transpose()
}

/// Whether they were still those of before.
pub(super) async fn update(tx: &mut WriteTx<scope::Records>, before: &Settings, after: &Settings) -> Result<bool, StoreError> {
    let tenant = tx.scope.tenant;
    let changed = tx
        .execute(
            "UPDATE tenant SET scan_interval_days = ?3, comments_from_t1 = ?4, staff_may_name_admins = ?6, settings_version = ?5
             WHERE id = ?1 AND settings_version = ?2",
            params![
                tenant,
                before.version,
                after.scan_interval_days,
                after.comments_from_t1,
                after.version,
                after.staff_may_name_admins
            ],
        )
        .await?;
    Ok(changed == 1)
}
