//! SQL of the explainer: from names to ids.

use access::{Subject, TenantRole};
use kernel::store::{Query, StoreError};
use kernel::{Error, PersonId, ReadTx, Result, params, scope};
use uuid::Uuid;

use crate::assignments::AssignedTenant;

/// The person of this id or e-mail. Whether they hold anything here is for the caller to see.
pub(super) async fn person<S: scope::Control>(tx: &mut ReadTx<S>, named: &str) -> Result<Option<PersonId>, StoreError> {
    let mut query = Query::new("SELECT id FROM person WHERE 1 = 1");
    query.and_named::<kernel::ids::Person>("id", "email", &named.trim().to_lowercase());
    tx.query(&query).await?.pop().map(|mut row| row.take()).transpose()
}

/// A member of this tenant, as the protections of its row see it.
pub(super) async fn member(tx: &mut ReadTx<scope::Records>, id: &str) -> Result<Subject> {
    let tenant = tx.scope.tenant;
    let unknown = || Error::field("member", "unknown", "is no member here");
    let uuid = id.strip_prefix("mem_").and_then(|hex| hex.parse::<Uuid>().ok()).ok_or_else(unknown)?;
    let row = tx.opt("SELECT role, state FROM member WHERE tenant_id = ?1 AND id = ?2", params![tenant, uuid]).await?;
    let mut row = row.ok_or_else(unknown)?;
    let (role, state): (TenantRole, String) = (row.parse()?, row.take()?);
    let mut admins = tx
        .one(
            "SELECT COUNT(*) FROM member m JOIN person p ON p.id = m.person_id
             WHERE m.tenant_id = ?1 AND m.role = 'admin' AND m.state = 'active' AND p.state = 'active'",
            params![tenant],
        )
        .await?;
    let last_admin = role == TenantRole::Admin && state == "active" && admins.take::<i64>()? <= 1;
    Ok(Subject::Member { role, last_admin })
}

/// The provider's clients, by name.
pub(super) async fn clients(tx: &mut ReadTx<scope::Provider>, q: Option<&str>) -> Result<Vec<AssignedTenant>> {
    let page = kernel::PageQuery { q: q.map(str::to_owned), ..kernel::PageQuery::default() };
    let mut query = Query::new("SELECT t.id, t.slug, t.name FROM relationship r JOIN tenant t ON t.id = r.tenant_id");
    query.push(" WHERE t.state <> 'purged' AND r.state <> 'ended' AND r.provider_id = ").bind(tx.scope.provider);
    query.and_like("t.name || ' ' || t.slug", page.pattern()?.as_deref());
    query.push(" ORDER BY lower(t.name), t.id");
    let rows = tx.query(&query).await?;
    let clients = rows.into_iter().map(|mut row| Ok(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? }));
    clients.collect::<Result<_, StoreError>>().map_err(Error::from)
}
