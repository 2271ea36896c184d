//! SQL of assignments. Everything is of the transaction's provider.

use access::{Mask, Modules, Tier};
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::ceiling::ceilings;
use super::{AssignedStaff, AssignedTenant, Assignment, AssignmentCreate, AssignmentId};
use crate::staff::StaffId;

const COLUMNS: &str = "a.id, s.id, p.name, t.id, t.slug, t.name, a.tier, a.mask, a.modules, a.starts_at, a.ends_at, a.version,
     a.person_id, s.state, p.state, a.by_mode";
const FROM: &str = " FROM assignment a JOIN staff s ON s.provider_id = a.provider_id AND s.person_id = a.person_id
     JOIN person p ON p.id = a.person_id JOIN tenant t ON t.id = a.tenant_id WHERE t.state <> 'purged' AND a.provider_id = ";

/// What is stored; whether it is live as far as its own row and its holder's say. The relationship's part comes with [`cut`].
fn stored(row: &mut Row, now: Timestamp) -> Result<Assignment, StoreError> {
    let id = row.take()?;
    let staff = AssignedStaff { id: row.take()?, name: row.take()? };
    let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
    let tier = tier_of(row)?;
    let (mask, modules) = (mask_of(row)?, modules_of(row)?);
    let (starts_at, ends_at): (Timestamp, Option<Timestamp>) = (row.take()?, row.take()?);
    let (version, person) = (row.take()?, row.take()?);
    let (staff_state, account_state): (String, String) = (row.take()?, row.take()?);
    let active = staff_state == "active" && account_state == "active";
    let live = active && starts_at <= now && ends_at.is_none_or(|end| now < end);
    Ok(Assignment {
        id,
        staff,
        tenant,
        tier,
        effective_tier: tier,
        mask,
        modules,
        starts_at,
        ends_at,
        live,
        version,
        by_mode: row.take()?,
        person,
    })
}

fn tier_of(row: &mut Row) -> Result<Tier, StoreError> {
    Ok(Tier::from_i64(row.take()?).unwrap_or(Tier::T0))
}

fn mask_of(row: &mut Row) -> Result<Mask, StoreError> {
    Ok(Mask::from_bits(u8::try_from(row.take::<i64>()?).unwrap_or_default()))
}

fn modules_of(row: &mut Row) -> Result<Modules, StoreError> {
    Ok(Modules::from_bits(u16::try_from(row.take::<i64>()?).unwrap_or_default()))
}

/// Cuts assignments to what the relationships give.
async fn cut<'a>(
    tx: &mut ReadTx<scope::Provider>,
    assignments: impl Iterator<Item = &'a mut Assignment>,
) -> Result<(), StoreError> {
    let assignments: Vec<_> = assignments.collect();
    let tenants: Vec<TenantId> = assignments.iter().map(|assignment| assignment.tenant.id).collect();
    let provider = tx.scope.provider;
    let ceilings = ceilings(tx, provider, &tenants).await?;
    for assignment in assignments {
        let ceiling = ceilings.get(&assignment.tenant.id);
        assignment.effective_tier = assignment.tier.min(ceiling.map_or(Tier::T0, |ceiling| ceiling.tier));
        assignment.live &= ceiling.is_some_and(|ceiling| ceiling.live);
    }
    Ok(())
}

pub(super) async fn list(
    tx: &mut ReadTx<scope::Provider>,
    page: &PageQuery,
    staff: Option<StaffId>,
    tenant: Option<&str>,
) -> Result<Page<Assignment>> {
    let order = page.order(&[("tenant", "lower(t.name)"), ("staff", "lower(p.name)"), ("created", "a.created_at")])?;
    let pattern = page.pattern()?;
    let (provider, now) = (tx.scope.provider, tx.now());
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        query.and_like("p.name || ' ' || t.name || ' ' || t.slug", pattern.as_deref());
        if let Some(staff) = staff {
            query.push(" AND s.id = ").bind(staff);
        }
        if let Some(name) = tenant {
            query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", name);
        }
        query
    };
    let mut rows = filtered(&format!("SELECT {COLUMNS}, {}, a.id", order.key));
    page.apply(&mut rows, order, "a.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        items.push((stored(&mut row, now)?, row.take::<Value>()?, row.take()?));
    }
    cut(tx, items.iter_mut().map(|(assignment, _, _)| assignment)).await?;
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn of_staff(tx: &mut ReadTx<scope::Provider>, staff: StaffId, limit: i64) -> Result<Vec<Assignment>> {
    let sql = format!("SELECT {COLUMNS}{FROM}?1 AND s.id = ?2 ORDER BY lower(t.name), a.id LIMIT ?3");
    let now = tx.now();
    let rows = tx.rows(&sql, params![tx.scope.provider, staff, limit]).await?;
    let mut items = rows.into_iter().map(|mut row| stored(&mut row, now)).collect::<Result<Vec<_>, _>>()?;
    cut(tx, items.iter_mut()).await?;
    Ok(items)
}

pub(super) async fn one(tx: &mut ReadTx<scope::Provider>, id: AssignmentId) -> Result<Option<Assignment>> {
    let now = tx.now();
    let row = tx.opt(&format!("SELECT {COLUMNS}{FROM}?1 AND a.id = ?2"), params![tx.scope.provider, id]).await?;
    let mut found = row.map(|mut row| stored(&mut row, now)).transpose()?;
    cut(tx, found.iter_mut()).await?;
    Ok(found)
}

/// Somebody on the provider's staff.
pub(super) async fn staff(tx: &mut ReadTx<scope::Provider>, id: StaffId) -> Result<Option<(PersonId, String)>> {
    let row = tx
        .opt(
            "SELECT p.id, p.name FROM staff s JOIN person p ON p.id = s.person_id WHERE s.provider_id = ?1 AND s.id = ?2",
            params![tx.scope.provider, id],
        )
        .await?;
    Ok(row.map(|mut row| Ok::<_, StoreError>((row.take()?, row.take()?))).transpose()?)
}

/// A tenant that the provider has a relationship with, by id or slug. One that has ended is none.
pub(crate) async fn tenant(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<AssignedTenant>> {
    let mut query = Query::new("SELECT t.id, t.slug, t.name FROM tenant t JOIN relationship r ON r.tenant_id = t.id");
    query.push(" WHERE t.state <> 'purged' AND r.state <> 'ended' AND r.provider_id = ").bind(tx.scope.provider);
    query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", name);
    let row = tx.query(&query).await?.pop();
    Ok(row
        .map(|mut row| Ok::<_, StoreError>(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? }))
        .transpose()?)
}

/// Whether the tenant has a say in what this person gets: it removed them, or its relationship wants its consent and it has an admin
/// who can give it.
pub(super) async fn takes_consent(tx: &mut ReadTx<scope::Provider>, tenant: TenantId, person: PersonId) -> Result<bool> {
    if tx.opt("SELECT 1 FROM bar WHERE tenant_id = ?1 AND person_id = ?2", params![tenant, person]).await?.is_some() {
        return Ok(true);
    }
    let asked = tx
        .opt(
            "SELECT 1 FROM relationship WHERE provider_id = ?1 AND tenant_id = ?2 AND assign_by = 'tenant_consent'",
            params![tx.scope.provider, tenant],
        )
        .await?;
    Ok(asked.is_some() && crate::consents::has_active_admin(tx, tenant).await?)
}

/// Whether it was inserted: not when this person has one on this tenant.
pub(super) async fn insert(
    tx: &mut WriteTx<scope::Provider>,
    id: AssignmentId,
    person: PersonId,
    tenant: TenantId,
    body: &AssignmentCreate,
) -> Result<bool> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let inserted = tx
        .execute(
            "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8) ON CONFLICT (provider_id, tenant_id, person_id) DO NOTHING",
            params![
                id,
                provider,
                tenant,
                person,
                body.tier.as_i64(),
                i64::from(body.mask.bits()),
                i64::from(body.modules.bits()),
                now,
                body.ends_at
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Whether this person has an assignment on this tenant.
pub(super) async fn is_assigned(tx: &mut ReadTx<scope::Provider>, tenant: TenantId, person: PersonId) -> Result<bool> {
    let sql = "SELECT 1 FROM assignment WHERE provider_id = ?1 AND tenant_id = ?2 AND person_id = ?3";
    Ok(tx.opt(sql, params![tx.scope.provider, tenant, person]).await?.is_some())
}

/// Whether it was inserted as it is: not when this person has one on this tenant.
pub(super) async fn insert_as(tx: &mut WriteTx<scope::Provider>, new: &Assignment) -> Result<bool> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let inserted = tx
        .execute(
            "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (provider_id, tenant_id, person_id) DO NOTHING",
            params![
                new.id,
                provider,
                new.tenant.id,
                new.person,
                new.tier.as_i64(),
                i64::from(new.mask.bits()),
                i64::from(new.modules.bits()),
                new.starts_at,
                new.ends_at,
                now
            ],
        )
        .await?;
    Ok(inserted == 1)
}

pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, wanted: &Assignment) -> Result<()> {
    let provider = tx.scope.provider;
    tx.execute(
        "UPDATE assignment SET tier = ?3, mask = ?4, modules = ?5, ends_at = ?6, version = version + 1
         WHERE provider_id = ?1 AND id = ?2",
        params![
            provider,
            wanted.id,
            wanted.tier.as_i64(),
            i64::from(wanted.mask.bits()),
            i64::from(wanted.modules.bits()),
            wanted.ends_at
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Provider>, id: AssignmentId) -> Result<()> {
    let provider = tx.scope.provider;
    tx.execute("DELETE FROM assignment WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    Ok(())
}

/// Removes somebody's assignments; answers each with its tenant and what it was.
pub(super) async fn delete_all_of(
    tx: &mut WriteTx<scope::Provider>,
    staff: StaffId,
) -> Result<Vec<(AssignmentId, TenantId, serde_json::Value)>> {
    let Some((person, name)) = self::staff(tx, staff).await? else { return Ok(Vec::new()) };
    let provider = tx.scope.provider;
    let rows = tx
        .rows(
            "DELETE FROM assignment WHERE provider_id = ?1 AND person_id = ?2 RETURNING id, tenant_id, tier, mask, modules, ends_at",
            params![provider, person],
        )
        .await?;
    let mut gone = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (id, tenant) = (row.take()?, row.take()?);
        let (tier, mask, modules) = (tier_of(&mut row)?, mask_of(&mut row)?, modules_of(&mut row)?);
        let ends_at: Option<Timestamp> = row.take()?;
        let kept = serde_json::json!({
            "person": {"id": person, "name": name}, "tier": tier, "mask": mask, "modules": modules, "ends_at": ends_at,
        });
        gone.push((id, tenant, kept));
    }
    Ok(gone)
}
