//! What the control database says of a tenant: carried in its section, so that a tenant can be put back, or carried elsewhere, without
//! the control database that knew it.

use kernel::store::{Query, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, TenantId, Timestamp, params, scope};
use serde::{Deserialize, Serialize};

/// A tenant's registry facts at one instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registry {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its industry; may be empty.
    pub industry: String,
    /// active, suspended, archived.
    pub state: String,
    /// Why it is suspended or archived.
    pub state_reason: Option<String>,
    /// The provider that holds it.
    pub provider: ProviderId,
    /// Name of its plan.
    pub plan: String,
    /// The plan's modules, bits of `access::Modules`.
    pub modules: i64,
    /// Seats of its own; none: the plan's.
    pub seats_max: Option<i64>,
    /// Days after which a scan is stale.
    pub scan_interval_days: i64,
    /// Whether staff of tier T1 may comment.
    pub comments_from_t1: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its relationships with providers.
    pub relationships: Vec<Relation>,
    /// Its people.
    pub members: Vec<Member>,
}

/// A relationship with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The provider.
    pub provider: ProviderId,
    /// 0 to 3.
    pub tier: i64,
    /// requested, active, frozen, ended.
    pub state: String,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// Somebody of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person.
    pub person: PersonId,
    /// E-mail address, lower case.
    pub email: String,
    /// Name.
    pub name: String,
    /// A tenant role's name.
    pub role: String,
    /// active or disabled.
    pub state: String,
}

/// The facts of a tenant as they stand; none when it does not exist or was purged.
pub(crate) async fn load(tx: &mut ReadTx<scope::Public>, id: TenantId) -> Result<Option<Registry>, StoreError> {
    let row = tx
        .opt(
            "SELECT t.slug, t.name, t.industry, t.state, t.state_reason, t.provider_id, p.name, w.modules, t.seats_max,
                    t.scan_interval_days, t.comments_from_t1, t.created_at
             FROM tenant t JOIN plan p ON p.id = t.plan_id JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
             WHERE t.id = ?1 AND t.state <> 'purged'",
            params![id],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let mut registry = Registry {
        id,
        slug: row.take()?,
        name: row.take()?,
        industry: row.take()?,
        state: row.take()?,
        state_reason: row.take()?,
        provider: row.take()?,
        plan: row.take()?,
        modules: row.take()?,
        seats_max: row.take()?,
        scan_interval_days: row.take()?,
        comments_from_t1: row.take()?,
        created_at: row.take()?,
        relationships: Vec::new(),
        members: Vec::new(),
    };
    let sql = "SELECT provider_id, tier, state, ends_at FROM relationship WHERE tenant_id = ?1 ORDER BY id";
    for mut row in tx.rows(sql, params![id]).await? {
        let relation = Relation { provider: row.take()?, tier: row.take()?, state: row.take()?, ends_at: row.take()? };
        registry.relationships.push(relation);
    }
    let sql = "SELECT p.id, p.email, p.name, m.role, m.state FROM member m JOIN person p ON p.id = m.person_id
         WHERE m.tenant_id = ?1 ORDER BY m.id";
    for mut row in tx.rows(sql, params![id]).await? {
        let member = Member { person: row.take()?, email: row.take()?, name: row.take()?, role: row.take()?, state: row.take()? };
        registry.members.push(member);
    }
    Ok(Some(registry))
}

/// The id of a tenant that is named by id or slug.
pub(crate) async fn find(tx: &mut ReadTx<scope::Public>, named: &str) -> Result<Option<TenantId>, StoreError> {
    let mut query = Query::new("SELECT id FROM tenant WHERE state <> 'purged'");
    query.and_named::<kernel::ids::Tenant>("id", "slug", named);
    tx.query(&query).await?.pop().map(|mut row| row.take()).transpose()
}
