//! SQL of staff. Everything is of the transaction's provider.

use access::StaffRole;
use kernel::ids::ApiKeyId;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, WriteTx, params, scope};

use super::{Contact, Staff, StaffId, StaffRow, StaffState};

const COLUMNS: &str =
    "s.id, p.id, p.name, p.email, s.role, s.state, p.totp_secret IS NOT NULL, p.last_seen_at, s.version, s.created_at,
     (SELECT COUNT(DISTINCT a.tenant_id) FROM reach_assignment a WHERE a.provider_id = s.provider_id AND a.person_id = s.person_id)";
const FROM: &str = " FROM staff s JOIN person p ON p.id = s.person_id WHERE s.provider_id = ";

/// Takes the provider's row until the commit, so that acts on one provider's staff come one after the other. Changes nothing.
pub(crate) async fn lock_provider(tx: &mut WriteTx<scope::Provider>) -> Result<()> {
    let provider = tx.scope.provider;
    tx.execute("UPDATE provider SET version = version WHERE id = ?1", params![provider]).await?;
    Ok(())
}

/// The only active provider admin, when there is but one. A disabled account does not count.
async fn last_admin(tx: &mut ReadTx<scope::Provider>) -> Result<Option<StaffId>> {
    let rows = tx
        .rows(
            "SELECT s.id FROM staff s JOIN person p ON p.id = s.person_id
             WHERE s.provider_id = ?1 AND s.role = ?2 AND s.state = 'active' AND p.state = 'active' LIMIT 2",
            params![tx.scope.provider, StaffRole::ProviderAdmin.as_str()],
        )
        .await?;
    let mut ids = rows.into_iter().map(|mut row| row.take()).collect::<Result<Vec<StaffId>, _>>()?;
    Ok(if ids.len() == 1 { ids.pop() } else { None })
}

fn staff_of(row: &mut Row, me: PersonId, last_admin: Option<StaffId>) -> Result<Staff> {
    let id: StaffId = row.take()?;
    let person = Contact { id: row.take()?, name: row.take()?, email: row.take()? };
    let is_me = person.id == me;
    let row_of = StaffRow {
        id,
        person,
        role: row.parse()?,
        state: row.parse()?,
        second_factor: row.take()?,
        last_seen_at: row.take()?,
        protected: last_admin == Some(id),
        is_me,
        version: row.take()?,
        created_at: row.take()?,
    };
    Ok(Staff { row: row_of, assignments: row.take()? })
}

pub(super) async fn list(
    tx: &mut ReadTx<scope::Provider>,
    page: &PageQuery,
    roles: &[StaffRole],
    states: &[StaffState],
) -> Result<Page<Staff>> {
    let order =
        page.order(&[("name", "lower(p.name)"), ("last_seen", "COALESCE(p.last_seen_at, 0)"), ("created", "s.created_at")])?;
    let pattern = page.pattern()?;
    let provider = tx.scope.provider;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        query.and_like("p.name || ' ' || p.email", pattern.as_deref());
        if !roles.is_empty() {
            query.push(" AND s.role IN (").bind_all(roles.iter().map(|role| role.as_str())).push(")");
        }
        if !states.is_empty() {
            query.push(" AND s.state IN (").bind_all(states.iter().map(|state| state.as_str())).push(")");
        }
        query
    };
    let mut rows = filtered(&format!("SELECT {COLUMNS}, {}, s.id", order.key));
    page.apply(&mut rows, order, "s.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let (me, last) = (tx.me()?.person, last_admin(tx).await?);
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        items.push((staff_of(&mut row, me, last)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(crate) async fn one(tx: &mut ReadTx<scope::Provider>, id: StaffId) -> Result<Option<Staff>> {
    let (me, last) = (tx.me()?.person, last_admin(tx).await?);
    let row = tx.opt(&format!("SELECT {COLUMNS}{FROM}?1 AND s.id = ?2"), params![tx.scope.provider, id]).await?;
    row.map(|mut row| staff_of(&mut row, me, last)).transpose()
}

pub(super) async fn set(tx: &mut WriteTx<scope::Provider>, id: StaffId, role: StaffRole, state: StaffState) -> Result<()> {
    let provider = tx.scope.provider;
    tx.execute(
        "UPDATE staff SET role = ?3, state = ?4, version = version + 1 WHERE provider_id = ?1 AND id = ?2",
        params![provider, id, role.as_str(), state.as_str()],
    )
    .await?;
    Ok(())
}

/// Revokes the API keys that somebody made as staff: the provider's, and those of its clients of which they are no member. The rows are
/// of the identity crate, which no other may call: what ends with a staff row ends in its commit.
pub(super) async fn revoke_keys_of(tx: &mut WriteTx<scope::Provider>, person: PersonId) -> Result<Vec<(ApiKeyId, String)>> {
    let (provider, me, now) = (tx.scope.provider, tx.me()?.person, tx.now());
    let rows = tx
        .rows(
            "UPDATE api_key SET revoked_at = ?3, revoked_by = ?4
             WHERE person_id = ?2 AND revoked_at IS NULL AND (provider_id = ?1 OR
               EXISTS (SELECT 1 FROM relationship r WHERE r.tenant_id = api_key.tenant_id AND r.provider_id = ?1)
               AND NOT EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = api_key.tenant_id AND m.person_id = ?2))
             RETURNING id, name",
            params![provider, person, now, me],
        )
        .await?;
    Ok(rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect::<Result<_, StoreError>>()?)
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Provider>, id: StaffId) -> Result<()> {
    let provider = tx.scope.provider;
    tx.execute("DELETE FROM staff WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    Ok(())
}
