use access::{Modules, TenantState, Tier};
use kernel::http::IfMatch;
use kernel::store::{Query, Row, StoreError};
use kernel::{Error, Hub, Page, PageQuery, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::Serialize;

use super::create::Sound;
use super::{Tenant, TenantCounts, TenantPlan, TenantRow};
use crate::certificates::Taken;
use crate::plans::PlanId;
use crate::providers::ProviderName;
use crate::relationships::{Relationship, RelationshipId, RelationshipRow, state_at};

pub(super) async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery, states: &[TenantState]) -> Result<Page<TenantRow>> {
    let order = page.order(&[("name", "lower(t.name)"), ("created", "t.created_at"), ("state", "t.state")])?;
    let (pattern, now, provider) = (page.pattern()?, tx.now(), tx.scope.provider);
    let narrow = |query: &mut Query| {
        query.push(
            " FROM relationship r JOIN tenant t ON t.id = r.tenant_id JOIN plan p ON p.id = t.plan_id
              JOIN provider h ON h.id = t.provider_id WHERE t.state <> 'purged' AND r.provider_id = ",
        );
        query.bind(provider);
        if !states.is_empty() {
            query.push(" AND t.state IN (").bind_all(states.iter().map(|state| state.as_str())).push(")");
        }
        if let Some(pattern) = &pattern {
            query.push(" AND (lower(t.name) LIKE ").bind(pattern).push(" ESCAPE '\\' OR t.slug LIKE ").bind(pattern);
            query.push(" ESCAPE '\\')");
        }
    };
    let mut count = Query::new("SELECT COUNT(*)");
    narrow(&mut count);
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(&format!(
        "SELECT t.id, t.slug, t.name, t.state, p.name, t.created_at, r.id, r.tier, r.state, r.ends_at, h.id, h.name, {}, t.id",
        order.key
    ));
    narrow(&mut query);
    page.apply(&mut query, order, "t.id")?;
    let rows = tx.query(&query).await?.into_iter();
    let rows = rows.map(|mut row| Ok((tenant_row(&mut row, provider, now)?, row.take()?, row.take()?)));
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

fn tenant_row(row: &mut Row, provider: ProviderId, now: Timestamp) -> Result<TenantRow, StoreError> {
    let (id, slug, name) = (row.take()?, row.take()?, row.take()?);
    let (state, plan, created_at) = (row.parse()?, row.take()?, row.take()?);
    let (relationship, tier, stored) = (row.take()?, tier(row)?, row.parse()?);
    let ends_at = row.take()?;
    let relationship = RelationshipRow { id: relationship, tier, state: state_at(stored, ends_at, now), ends_at };
    Ok(TenantRow { id, slug, name, state, plan, created_at, relationship, via: via(row, provider)? })
}

/// Holder's id and name; none when it is the provider that asks.
fn via(row: &mut Row, provider: ProviderId) -> Result<Option<ProviderName>, StoreError> {
    let holder = ProviderName { id: row.take()?, name: row.take()? };
    Ok(Some(holder).filter(|holder| holder.id != provider))
}

fn tier(row: &mut Row) -> Result<Tier, StoreError> {
    Ok(Tier::from_i64(row.take()?).unwrap_or(Tier::T0))
}

pub(super) async fn load(tx: &mut ReadTx<scope::Client>, relationship: Relationship) -> Result<Option<Tenant>, StoreError> {
    let (tenant, provider) = (tx.scope.tenant, tx.scope.provider);
    let row = tx
        .opt(
            "SELECT t.slug, t.name, t.industry, t.state, t.state_reason, p.id, p.name, w.modules, w.seats_max, w.number, p.number, NULLIF(t.seats_max, -1),
                    t.created_at, t.archived_at, t.purge_after, h.id, h.name, t.version,
                    (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled'),
                    COALESCE(s.scans, 0), COALESCE(s.findings_open, 0)
             FROM tenant t JOIN plan p ON p.id = t.plan_id
             JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number JOIN provider h ON h.id = t.provider_id
             LEFT JOIN summary s ON s.tenant_id = t.id WHERE t.id = ?1",
            params![tenant],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (slug, name, industry) = (row.take()?, row.take()?, row.take::<String>()?);
    let (state, state_reason, plan) = (row.parse()?, row.take()?, plan(&mut row)?);
    let (seats_max, created_at, archived_at, purge_after) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let (via, version) = (via(&mut row, provider)?, row.take()?);
    Ok(Some(Tenant {
        id: tenant,
        slug,
        name,
        industry: Some(industry).filter(|text| !text.is_empty()),
        state,
        state_reason,
        plan,
        closed_modules: Vec::new(),
        seats_max,
        created_at,
        archived_at,
        purge_after,
        relationship,
        via,
        counts: TenantCounts { members: row.take()?, scans: row.take()?, findings_open: row.take()? },
        hold: None,
        purge_request: None,
        can: Default::default(),
        version,
        invitation: None,
    }))
}

fn plan(row: &mut Row) -> Result<TenantPlan, StoreError> {
    let (id, name, modules): (_, _, i64) = (row.take()?, row.take()?, row.take()?);
    let modules = Modules::from_bits(u16::try_from(modules).unwrap_or_default());
    Ok(TenantPlan { id, name, modules, seats_max: row.take()?, number: row.take()?, newest_number: row.take()? })
}

/// A plan that tenants can come onto, by id or name, of the provider that holds this tenant.
pub(super) async fn plan_of_holder(tx: &mut ReadTx<scope::Client>, wanted: &str) -> Result<Option<PlanId>, StoreError> {
    const PLAN: &str = "SELECT p.id FROM plan p JOIN tenant t ON t.provider_id = p.provider_id
         WHERE t.id = ?1 AND (p.state = 'active' OR p.id = t.plan_id)";
    let tenant = tx.scope.tenant;
    let row = match wanted.parse::<PlanId>() {
        Ok(id) => tx.opt(&format!("{PLAN} AND p.id = ?2"), params![tenant, id]).await?,
        Err(_) => tx.opt(&format!("{PLAN} AND p.name = ?2"), params![tenant, wanted.trim()]).await?,
    };
    row.map(|mut row| row.take()).transpose()
}

/// Writes name and industry, and its own seats if they were given. A move to another plan in the same act makes the next version;
/// without one this does.
pub(super) async fn update(
    tx: &mut WriteTx<scope::Client>,
    version: IfMatch,
    after: &Tenant,
    seats_max: Option<Option<i64>>,
    moves: bool,
) -> Result<()> {
    let industry = after.industry.as_deref().unwrap_or_default();
    let changed = tx
        .execute(
            "UPDATE tenant SET name = ?3, industry = ?4, version = version + ?5 WHERE id = ?1 AND version = ?2",
            params![tx.scope.tenant, version.0, after.name.as_str(), industry, i64::from(!moves)],
        )
        .await?;
    if changed != 1 {
        return Err(Error::Changed);
    }
    if let Some(seats_max) = seats_max {
        tx.execute("UPDATE tenant SET seats_max = ?2 WHERE id = ?1", params![tx.scope.tenant, seats_max]).await?;
    }
    Ok(())
}

/// What a tenant with this id was made with.
pub(super) struct Known {
    provider: ProviderId,
    state: TenantState,
    slug: String,
    name: String,
    industry: String,
    plan: PlanId,
    terms: Option<(i64, Option<Timestamp>)>,
    asked_by: ProviderId,
}

impl Known {
    /// It is the provider's own and was made with the same content.
    pub fn is_same(&self, sound: &Sound) -> bool {
        self.provider == self.asked_by
            && self.state != TenantState::Purged
            && self.slug == sound.slug
            && self.name == sound.name
            && self.industry == sound.industry.as_deref().unwrap_or_default()
            && self.plan == sound.plan
            && self.terms == Some((sound.tier.as_i64(), sound.ends_at))
    }
}

pub(super) async fn known(tx: &mut ReadTx<scope::Provider>, id: TenantId) -> Result<Option<Known>, StoreError> {
    let asked_by = tx.scope.provider;
    let row = tx
        .opt(
            "SELECT t.provider_id, t.state, t.slug, t.name, t.industry, t.plan_id, r.tier, r.ends_at
             FROM tenant t LEFT JOIN relationship r ON r.tenant_id = t.id AND r.provider_id = ?2 WHERE t.id = ?1",
            params![id, asked_by],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    Ok(Some(Known {
        provider: row.take()?,
        state: row.parse()?,
        slug: row.take()?,
        name: row.take()?,
        industry: row.take()?,
        plan: row.take()?,
        terms: row.take::<Option<i64>>()?.map(|tier| row.take().map(|ends_at| (tier, ends_at))).transpose()?,
        asked_by,
    }))
}

pub(super) async fn plan_named(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<(PlanId, String, i64)>, StoreError> {
    let provider = tx.scope.provider;
    let sql = "SELECT id, name, number FROM plan WHERE provider_id = ?1 AND name = ?2 AND state = 'active'";
    let row = tx.opt(sql, params![provider, name.trim()]).await?;
    row.map(|mut row| Ok((row.take()?, row.take()?, row.take()?))).transpose()
}

pub(super) async fn slug_is_taken(tx: &mut ReadTx<scope::Provider>, slug: &str) -> Result<bool, StoreError> {
    Ok(tx.opt("SELECT 1 FROM tenant WHERE slug = ?1", params![slug]).await?.is_some())
}

pub(super) async fn is_registered(hub: &Hub, id: TenantId) -> Result<bool> {
    let mut tx = hub.system_read().await?;
    Ok(tx.opt("SELECT 1 FROM tenant WHERE id = ?1", params![id]).await?.is_some())
}

/// How many tenants a provider has a relationship with. Those who would add one at the same time wait for each other here.
pub(super) async fn lock_and_count(tx: &mut WriteTx<scope::Provider>, provider: ProviderId) -> Result<i64, StoreError> {
    tx.execute("UPDATE provider SET tenants_max = tenants_max WHERE id = ?1", params![provider]).await?;
    tx.one(
        "SELECT COUNT(*) FROM relationship r JOIN tenant t ON t.id = r.tenant_id WHERE r.provider_id = ?1 AND t.state <> 'purged'",
        params![provider],
    )
    .await?
    .take()
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Provider>, sound: &Sound) -> Result<()> {
    let industry = sound.industry.as_deref().unwrap_or_default();
    let inserted = tx
        .execute(
            "INSERT INTO tenant (id, provider_id, slug, name, industry, state, plan_id, plan_number, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            params![
                sound.id,
                tx.scope.provider,
                sound.slug.as_str(),
                sound.name.as_str(),
                industry,
                sound.plan,
                sound.plan_number,
                tx.now()
            ],
        )
        .await?;
    if inserted == 1 {
        Ok(())
    } else {
        Err(Error::Conflict("Somebody took this slug or id just now. Repeat the request, or choose another.".into()))
    }
}

pub(super) async fn set_key(tx: &mut WriteTx<scope::Provider>, id: TenantId, wrapped_key: Vec<u8>) -> Result<u64, StoreError> {
    tx.execute("UPDATE tenant SET wrapped_key = ?2 WHERE id = ?1", params![id, wrapped_key]).await
}

/// What a relationship begins with.
pub(super) struct Terms<'a> {
    pub tier: Tier,
    pub ends_at: Option<Timestamp>,
    /// Who may raise the tier.
    pub raise_by: &'a str,
}

pub(super) async fn insert_relationship(
    tx: &mut WriteTx<scope::Provider>,
    provider: ProviderId,
    tenant: TenantId,
    terms: Terms<'_>,
) -> Result<RelationshipId, StoreError> {
    let now = tx.now();
    let id = RelationshipId::new(now);
    tx.execute(
        "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, ends_at, created_at, raise_by)
         VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?7)",
        params![id, provider, tenant, terms.tier.as_i64(), terms.ends_at, now, terms.raise_by],
    )
    .await?;
    Ok(id)
}

pub(super) async fn insert_summary(tx: &mut WriteTx<scope::Provider>, tenant: TenantId) -> Result<u64, StoreError> {
    tx.execute("INSERT INTO summary (tenant_id, revision, updated_at) VALUES (?1, 0, ?2)", params![tenant, tx.now()]).await
}

/// Where a tenant stands.
pub(super) struct Standing {
    pub state: TenantState,
    pub name: String,
    pub purge_after: Option<Timestamp>,
}

pub(super) async fn standing(tx: &mut ReadTx<scope::Client>) -> Result<Standing> {
    let row = tx.opt("SELECT state, name, purge_after FROM tenant WHERE id = ?1", params![tx.scope.tenant]).await?;
    let mut row = row.ok_or(Error::NotFound)?;
    Ok(Standing { state: row.parse()?, name: row.take()?, purge_after: row.take()? })
}

/// A step in a tenant's life.
pub(super) struct Move {
    pub to: TenantState,
    pub reason: Option<String>,
    pub purge_after: Option<Timestamp>,
}

/// Takes the step, unless the state is no longer the one that was read.
pub(super) async fn go(tx: &mut WriteTx<scope::Client>, from: TenantState, step: &Move) -> Result<bool, StoreError> {
    let archived_at = step.purge_after.map(|_| tx.now());
    let changed = tx
        .execute(
            "UPDATE tenant SET state = ?3, state_reason = ?4, archived_at = ?5, purge_after = ?6, version = version + 1
             WHERE id = ?1 AND state = ?2",
            params![tx.scope.tenant, from.as_str(), step.to.as_str(), step.reason.as_deref(), archived_at, step.purge_after],
        )
        .await?;
    Ok(changed == 1)
}

/// Makes the registry row a tombstone: no name, no slug, no key. `purge_after` stays set until the database is gone too.
pub(super) async fn entomb(tx: &mut WriteTx<scope::Client>) -> Result<bool, StoreError> {
    let tenant = tx.scope.tenant;
    let name = format!("purged-{}", tenant.uuid().simple());
    let changed = tx
        .execute(
            "UPDATE tenant SET state = 'purged', slug = ?2, name = ?2, industry = '', state_reason = NULL, wrapped_key = NULL,
                    purge_after = ?3, version = version + 1
             WHERE id = ?1 AND state = 'archived' AND held_at IS NULL",
            params![tenant, name, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// How many records went with a tenant.
#[derive(Serialize)]
pub(super) struct Removed {
    members: u64,
    assignments: u64,
    invitations: u64,
    relationships: u64,
}

impl Removed {
    /// For the certificate of destruction.
    pub fn counted(&self) -> Taken {
        let Self { members, assignments, invitations, relationships } = *self;
        Taken { members, assignments, invitations, relationships }
    }
}

/// Tables whose rows go with their tenant, in this order; those that are counted or looked into first come after them.
const OF_A_TENANT: &[&str] = &[
    "access_freeze",
    "alert",
    "api_key",
    "bar",
    "bill",
    "brand",
    "brand_asset",
    "channel_delivery",
    "consent",
    "elevation",
    "fleet_item",
    "group_grant_except",
    "host_name",
    "mail",
    "module_closed",
    "notification",
    "plan_period",
    "purge_request",
    "reach_use",
    "summary",
    "tenant_entry",
    "tenant_group_member",
    "tenant_key",
    "tenant_limit",
    "tenant_notice",
    "usage_day",
];

pub(super) async fn remove_records(tx: &mut WriteTx<scope::Client>) -> Result<Removed, StoreError> {
    let tenant = tx.scope.tenant;
    let settings =
        "DELETE FROM setting WHERE scope_id = ?1 OR scope_id IN (SELECT r.id FROM relationship r WHERE r.tenant_id = ?1)";
    tx.execute(settings, params![tenant]).await?;
    for table in OF_A_TENANT {
        tx.execute(&format!("DELETE FROM {table} WHERE tenant_id = ?1"), params![tenant]).await?;
    }
    let people = tx.rows("SELECT person_id FROM member WHERE tenant_id = ?1", params![tenant]).await?;
    let removed = Removed {
        members: tx.execute("DELETE FROM member WHERE tenant_id = ?1", params![tenant]).await?,
        assignments: tx.execute("DELETE FROM assignment WHERE tenant_id = ?1", params![tenant]).await?,
        invitations: tx.execute("DELETE FROM invitation WHERE tenant_id = ?1", params![tenant]).await?,
        relationships: tx.execute("DELETE FROM relationship WHERE tenant_id = ?1", params![tenant]).await?,
    };
    for mut person in people {
        forget_person(tx, person.take()?).await?;
    }
    Ok(removed)
}

/// Somebody who belongs nowhere any more: the row stays, since others point to it, and says nothing of them.
async fn forget_person(tx: &mut WriteTx<scope::Client>, person: PersonId) -> Result<(), StoreError> {
    let forgotten = tx
        .execute(
            "UPDATE person SET email = ?2, name = ?2, state = 'disabled', password_hash = '', locale = 'en', preferences = '{}',
                    totp_secret = NULL, totp_pending = NULL, last_seen_at = NULL, version = version + 1
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM member m WHERE m.person_id = person.id)
               AND NOT EXISTS (SELECT 1 FROM staff s WHERE s.person_id = person.id)",
            params![person, format!("gone-{}", person.uuid().simple())],
        )
        .await?;
    if forgotten == 1 {
        tx.execute("DELETE FROM session WHERE person_id = ?1", params![person]).await?;
        for table in [
            "recovery_code",
            "old_password",
            "password_reset",
            "channel",
            "notification",
            "notification_rule",
            "notification_digest",
            "mail",
        ] {
            tx.execute(&format!("DELETE FROM {table} WHERE person_id = ?1"), params![person]).await?;
        }
    }
    Ok(())
}

/// Purged tenants whose database may still be there.
pub(super) async fn unfinished_purges(tx: &mut ReadTx<scope::Public>) -> Result<Vec<TenantId>, StoreError> {
    let rows =
        tx.rows("SELECT id FROM tenant WHERE state = 'purged' AND purge_after IS NOT NULL ORDER BY id LIMIT 1000", &[]).await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

/// The database of a purged tenant is gone, and so is what lay ready for its ledger.
pub(super) async fn mark_destroyed(tx: &mut WriteTx<scope::Public>, tenant: TenantId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM ledger_outbox WHERE tenant_id = ?1", params![tenant]).await?;
    tx.execute("DELETE FROM tenant_checkpoint WHERE tenant_id = ?1", params![tenant]).await?;
    tx.execute("UPDATE tenant SET purge_after = NULL WHERE id = ?1 AND state = 'purged'", params![tenant]).await?;
    Ok(())
}
