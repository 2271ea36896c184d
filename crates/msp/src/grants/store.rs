//! SQL of grants over many tenants. Everything is of the transaction's provider.

use std::collections::HashMap;

use access::{Mask, Modules, Tier};
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{GroupGrant, GroupGrantId, GroupGrantPerson, Sound};
use crate::assignments::AssignedTenant;
use crate::groups::{GroupId, GroupNamed};
use crate::staff::StaffId;

type Tx = ReadTx<scope::Provider>;

const COLUMNS: &str =
    "SELECT g.id, p.id, p.name, s.id, g.reach, o.id, o.name, g.tier, g.mask, g.modules, g.starts_at, g.ends_at, s.state,
     p.state, (SELECT COUNT(*) FROM reach_assignment x JOIN tenant t ON t.id = x.tenant_id
               WHERE x.source = 'group_grant' AND x.id = g.id AND t.state <> 'purged'), g.version";
const FROM: &str = " FROM group_grant g JOIN person p ON p.id = g.person_id
     JOIN staff s ON s.provider_id = g.provider_id AND s.person_id = g.person_id
     LEFT JOIN tenant_group o ON o.id = g.group_id WHERE g.provider_id = ";

fn grant(row: &mut Row, now: Timestamp) -> Result<GroupGrant, StoreError> {
    let id = row.take()?;
    let person = GroupGrantPerson { id: row.take()?, name: row.take()?, staff: row.take()? };
    let over = row.parse()?;
    let group: (Option<GroupId>, Option<String>) = (row.take()?, row.take()?);
    let group = group.0.zip(group.1).map(|(id, name)| GroupNamed { id, name });
    let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
    let mask = Mask::from_bits(u8::try_from(row.take::<i64>()?).unwrap_or_default());
    let modules = Modules::from_bits(u16::try_from(row.take::<i64>()?).unwrap_or_default());
    let (starts_at, ends_at): (Timestamp, Option<Timestamp>) = (row.take()?, row.take()?);
    let (staff_state, account_state): (String, String) = (row.take()?, row.take()?);
    let active = staff_state == "active" && account_state == "active";
    let live = active && starts_at <= now && ends_at.is_none_or(|end| now < end);
    let (client_count, version) = (row.take()?, row.take()?);
    Ok(GroupGrant {
        id,
        person,
        over,
        group,
        except: Vec::new(),
        tier,
        mask,
        modules,
        starts_at,
        ends_at,
        live,
        client_count,
        version,
    })
}

/// Fills in who is left out.
async fn fill(tx: &mut Tx, grants: &mut [&mut GroupGrant]) -> Result<(), StoreError> {
    let mut query = Query::new(
        "SELECT e.grant_id, t.id, t.slug, t.name FROM group_grant_except e JOIN tenant t ON t.id = e.tenant_id WHERE e.grant_id IN (",
    );
    query.bind_all(grants.iter().map(|grant| grant.id)).push(") AND t.state <> 'purged' ORDER BY lower(t.name), t.id");
    let mut found: HashMap<GroupGrantId, Vec<AssignedTenant>> = HashMap::new();
    for mut row in tx.query(&query).await? {
        let of = found.entry(row.take()?).or_default();
        of.push(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? });
    }
    for grant in grants {
        grant.except = found.remove(&grant.id).unwrap_or_default();
    }
    Ok(())
}

pub(super) async fn list(
    tx: &mut Tx,
    page: &PageQuery,
    group: Option<GroupId>,
    person: Option<PersonId>,
) -> Result<Page<GroupGrant>> {
    let order = page.order(&[("person", "lower(p.name)"), ("created", "g.created_at")])?;
    let pattern = page.pattern()?;
    let (provider, now) = (tx.scope.provider, tx.now());
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        query.and_like("p.name || ' ' || COALESCE(o.name, '')", pattern.as_deref());
        if let Some(group) = group {
            query.push(" AND g.group_id = ").bind(group);
        }
        if let Some(person) = person {
            query.push(" AND g.person_id = ").bind(person);
        }
        query
    };
    let mut query = filtered(&format!("{COLUMNS}, {}, g.id", order.key));
    page.apply(&mut query, order, "g.id")?;
    let count = filtered("SELECT COUNT(*)");
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut items = Vec::new();
    for mut row in tx.query(&query).await? {
        items.push((grant(&mut row, now)?, row.take::<Value>()?, row.take()?));
    }
    fill(tx, &mut items.iter_mut().map(|(grant, _, _)| grant).collect::<Vec<_>>()).await?;
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn one(tx: &mut Tx, id: GroupGrantId) -> Result<Option<GroupGrant>, StoreError> {
    let now = tx.now();
    let row = tx.opt(&format!("{COLUMNS}{FROM}?1 AND g.id = ?2"), params![tx.scope.provider, id]).await?;
    let mut found = row.map(|mut row| grant(&mut row, now)).transpose()?;
    fill(tx, &mut found.iter_mut().collect::<Vec<_>>()).await?;
    Ok(found)
}

/// All of somebody's.
pub(super) async fn all_of(tx: &mut Tx, person: PersonId) -> Result<Vec<GroupGrant>, StoreError> {
    let now = tx.now();
    let sql = format!("{COLUMNS}{FROM}?1 AND g.person_id = ?2 ORDER BY g.id");
    let rows = tx.rows(&sql, params![tx.scope.provider, person]).await?;
    let mut found = rows.into_iter().map(|mut row| grant(&mut row, now)).collect::<Result<Vec<_>, _>>()?;
    fill(tx, &mut found.iter_mut().collect::<Vec<_>>()).await?;
    Ok(found)
}

/// The tenants that a grant covers now.
pub(super) async fn covered(tx: &mut Tx, id: GroupGrantId) -> Result<Vec<TenantId>, StoreError> {
    let rows = tx
        .rows(
            "SELECT x.tenant_id FROM reach_assignment x JOIN tenant t ON t.id = x.tenant_id
             WHERE x.source = 'group_grant' AND x.id = ?1 AND x.provider_id = ?2 AND t.state <> 'purged' ORDER BY x.tenant_id",
            params![id, tx.scope.provider],
        )
        .await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

/// Whether this account is on the provider's staff.
pub(super) async fn staff_person(tx: &mut Tx, person: PersonId) -> Result<Option<PersonId>, StoreError> {
    let sql = "SELECT person_id FROM staff WHERE provider_id = ?1 AND person_id = ?2";
    tx.opt(sql, params![tx.scope.provider, person]).await?.map(|mut row| row.take()).transpose()
}

/// The account of somebody on the provider's staff.
pub(super) async fn staff(tx: &mut Tx, id: StaffId) -> Result<Option<PersonId>, StoreError> {
    let sql = "SELECT person_id FROM staff WHERE provider_id = ?1 AND id = ?2";
    tx.opt(sql, params![tx.scope.provider, id]).await?.map(|mut row| row.take()).transpose()
}

pub(super) async fn knows_group(tx: &mut Tx, id: GroupId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM tenant_group WHERE provider_id = ?1 AND id = ?2";
    Ok(tx.opt(sql, params![tx.scope.provider, id]).await?.is_some())
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId, sound: &Sound) -> Result<(), StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    tx.execute(
        "INSERT INTO group_grant (id, provider_id, person_id, reach, group_id, tier, mask, modules, starts_at, ends_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            id,
            provider,
            sound.person,
            sound.over.as_str(),
            sound.group,
            sound.tier.as_i64(),
            i64::from(sound.mask.bits()),
            i64::from(sound.modules.bits()),
            sound.starts_at,
            sound.ends_at,
            now
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn set_except(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId, except: &[TenantId]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM group_grant_except WHERE grant_id = ?1", params![id]).await?;
    for tenant in except {
        tx.execute("INSERT INTO group_grant_except (grant_id, tenant_id) VALUES (?1, ?2)", params![id, *tenant]).await?;
    }
    Ok(())
}

pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, wanted: &GroupGrant) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute(
        "UPDATE group_grant SET tier = ?3, mask = ?4, modules = ?5, ends_at = ?6, version = version + 1 WHERE provider_id = ?1 AND id = ?2",
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

pub(super) async fn delete(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute("DELETE FROM group_grant_except WHERE grant_id = ?1", params![id]).await?;
    tx.execute("DELETE FROM group_grant WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    Ok(())
}
