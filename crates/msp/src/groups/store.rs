//! SQL of groups. Everything is of the transaction's provider.

use std::collections::HashMap;

use access::Tier;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, ReadTx, Result, TenantId, WriteTx, params, scope};

use super::{Group, GroupId, GroupKindOf, Match, Sound, TENANTS_MAX};
use crate::assignments::AssignedTenant;
use crate::plans::PlanId;

type Tx = ReadTx<scope::Provider>;

const COLUMNS: &str = "SELECT g.id, g.name, g.description, g.kind, g.name_contains,
     (SELECT COUNT(*) FROM tenant_in_group i WHERE i.group_id = g.id),
     (SELECT COUNT(*) FROM group_grant x WHERE x.group_id = g.id), g.version";

fn group(row: &mut Row) -> Result<Group, StoreError> {
    let (id, name, description) = (row.take()?, row.take()?, row.take()?);
    let kind: GroupKindOf = row.parse()?;
    let name_contains: Option<String> = row.take()?;
    let matches = (kind == GroupKindOf::Dynamic).then(|| Match { name_contains, ..Match::default() });
    let (client_count, grant_count, version) = (row.take()?, row.take()?, row.take()?);
    Ok(Group { id, name, description, kind, tenants: None, matches, client_count, grant_count, version })
}

/// Fills in what dynamic groups ask for.
async fn fill(tx: &mut Tx, groups: &mut [&mut Group]) -> Result<(), StoreError> {
    let ids: Vec<GroupId> = groups.iter().filter(|group| group.matches.is_some()).map(|group| group.id).collect();
    let mut asked: HashMap<GroupId, Match> = HashMap::new();
    let mut query = Query::new("SELECT group_id, field, value FROM tenant_group_value WHERE group_id IN (");
    query.bind_all(ids.iter().copied()).push(") ORDER BY group_id, field, value");
    for mut row in tx.query(&query).await? {
        let of = asked.entry(row.take()?).or_default();
        let (field, value): (String, String) = (row.take()?, row.take()?);
        let broken = || StoreError::Shape(format!("a group that asks for the {field} {value:?}"));
        match field.as_str() {
            "tier" => of.tiers.push(value.parse().ok().and_then(Tier::from_i64).ok_or_else(broken)?),
            "state" => of.states.push(value.parse().map_err(|_| broken())?),
            _ => of.industries.push(value),
        }
    }
    let mut query = Query::new("SELECT group_id, plan_id FROM tenant_group_plan WHERE group_id IN (");
    query.bind_all(ids).push(") ORDER BY group_id, plan_id");
    for mut row in tx.query(&query).await? {
        asked.entry(row.take()?).or_default().plans.push(row.take()?);
    }
    for group in groups {
        let (Some(matches), Some(found)) = (group.matches.as_mut(), asked.remove(&group.id)) else { continue };
        let name_contains = matches.name_contains.take();
        *matches = Match { name_contains, ..found };
    }
    Ok(())
}

pub(super) async fn list(tx: &mut Tx, page: &PageQuery) -> Result<Page<Group>> {
    let order = page.order(&[("name", "lower(g.name)"), ("created", "g.created_at")])?;
    let pattern = page.pattern()?;
    let provider = tx.scope.provider;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM tenant_group g WHERE g.provider_id = ").bind(provider);
        query.and_like("g.name || ' ' || g.description", pattern.as_deref());
        query
    };
    let mut query = filtered(&format!("{COLUMNS}, {}, g.id", order.key));
    page.apply(&mut query, order, "g.id")?;
    let count = filtered("SELECT COUNT(*)");
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut items = Vec::new();
    for mut row in tx.query(&query).await? {
        items.push((group(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    fill(tx, &mut items.iter_mut().map(|(group, _, _)| group).collect::<Vec<_>>()).await?;
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn one(tx: &mut Tx, id: GroupId) -> Result<Option<Group>, StoreError> {
    let sql = format!("{COLUMNS} FROM tenant_group g WHERE g.provider_id = ?1 AND g.id = ?2");
    let row = tx.opt(&sql, params![tx.scope.provider, id]).await?;
    let mut found = row.map(|mut row| group(&mut row)).transpose()?;
    fill(tx, &mut found.iter_mut().collect::<Vec<_>>()).await?;
    Ok(found)
}

fn named(mut row: Row) -> Result<AssignedTenant, StoreError> {
    Ok(AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? })
}

/// Everybody in a group now, by name.
pub(crate) async fn tenants_in(tx: &mut Tx, id: GroupId) -> Result<Vec<AssignedTenant>> {
    let rows = tx
        .rows(
            "SELECT t.id, t.slug, t.name FROM tenant_in_group i JOIN tenant t ON t.id = i.tenant_id
             WHERE i.provider_id = ?1 AND i.group_id = ?2 ORDER BY lower(t.name), t.id LIMIT ?3",
            params![tx.scope.provider, id, TENANTS_MAX as u64],
        )
        .await?;
    Ok(rows.into_iter().map(named).collect::<Result<_, StoreError>>()?)
}

pub(super) async fn tenants_page(tx: &mut Tx, id: GroupId, page: &PageQuery) -> Result<Page<AssignedTenant>> {
    let order = page.order(&[("name", "lower(t.name)"), ("created", "t.created_at")])?;
    let pattern = page.pattern()?;
    let provider = tx.scope.provider;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM tenant_in_group i JOIN tenant t ON t.id = i.tenant_id WHERE i.provider_id = ").bind(provider);
        query.push(" AND i.group_id = ").bind(id);
        query.and_like("t.name || ' ' || t.slug", pattern.as_deref());
        query
    };
    let mut query = filtered(&format!("SELECT t.id, t.slug, t.name, {}, t.id", order.key));
    page.apply(&mut query, order, "t.id")?;
    let count = filtered("SELECT COUNT(*)");
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
        Ok((tenant, row.take()?, row.take()?))
    });
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

/// The clients of these ids or slugs, each once, and the names that are no client's.
pub(crate) async fn tenants_named<'a>(tx: &mut Tx, names: &'a [String]) -> Result<(Vec<AssignedTenant>, Vec<&'a str>)> {
    let mut known: HashMap<String, AssignedTenant> = HashMap::new();
    for chunk in names.chunks(500) {
        let slugs = chunk.iter().filter(|name| !name.contains(char::is_control)).map(String::as_str);
        let mut query = Query::new("SELECT t.id, t.slug, t.name FROM relationship r JOIN tenant t ON t.id = r.tenant_id");
        query.push(" WHERE t.state <> 'purged' AND r.state <> 'ended' AND r.provider_id = ").bind(tx.scope.provider);
        query.push(" AND (t.slug IN (").bind_all(slugs).push(") OR t.id IN (");
        query.bind_all(chunk.iter().filter_map(|name| name.parse::<TenantId>().ok())).push("))");
        for row in tx.query(&query).await? {
            let tenant = named(row)?;
            known.insert(tenant.slug.clone(), tenant.clone());
            known.insert(tenant.id.to_string(), tenant);
        }
    }
    let mut seen = std::collections::HashSet::new();
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match known.get(name) {
            Some(tenant) if seen.insert(tenant.id) => found.push(tenant.clone()),
            Some(_) => {}
            None => unknown.push(name.as_str()),
        }
    }
    Ok((found, unknown))
}

/// Whether all of these are plans of the provider or of its clients.
pub(super) async fn knows_plans(tx: &mut Tx, plans: &[PlanId]) -> Result<bool> {
    let provider = tx.scope.provider;
    let mut query = Query::new("SELECT COUNT(*) FROM plan p WHERE p.id IN (");
    query.bind_all(plans.iter().copied()).push(") AND (p.provider_id = ").bind(provider);
    query.push(
        " OR EXISTS (SELECT 1 FROM tenant t JOIN relationship r ON r.tenant_id = t.id WHERE t.plan_id = p.id AND r.provider_id = ",
    );
    query.bind(provider).push("))");
    let known: i64 = tx.one(&query.sql, &query.params).await?.take()?;
    let mut distinct = plans.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    Ok(usize::try_from(known).is_ok_and(|known| known == distinct.len()))
}

/// Whether the person who asks holds a grant on this group.
pub(super) async fn is_granted_to(tx: &mut WriteTx<scope::Provider>, id: GroupId) -> Result<bool> {
    let me = tx.me()?.person;
    Ok(tx.opt("SELECT 1 FROM group_grant WHERE group_id = ?1 AND person_id = ?2", params![id, me]).await?.is_some())
}

/// What the name contains, as a LIKE pattern with its own wildcards escaped.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Whether it was inserted: not when the name is taken.
pub(super) async fn insert(tx: &mut WriteTx<scope::Provider>, id: GroupId, sound: &Sound) -> Result<bool> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let contains = sound.matches.name_contains.as_deref();
    let inserted = tx
        .execute(
            "INSERT INTO tenant_group (id, provider_id, name, description, kind, name_contains, name_pattern, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (provider_id, name) DO NOTHING",
            params![
                id,
                provider,
                sound.name.as_str(),
                sound.description.as_str(),
                sound.kind.as_str(),
                contains,
                contains.map(pattern),
                now
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Whether it was changed: not when the name is another group's.
pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, id: GroupId, sound: &Sound) -> Result<bool> {
    let provider = tx.scope.provider;
    let contains = sound.matches.name_contains.as_deref();
    let changed = tx
        .execute(
            "UPDATE tenant_group SET name = ?3, description = ?4, name_contains = ?5, name_pattern = ?6, version = version + 1
             WHERE provider_id = ?1 AND id = ?2
               AND NOT EXISTS (SELECT 1 FROM tenant_group o WHERE o.provider_id = ?1 AND o.name = ?3 AND o.id <> ?2)",
            params![provider, id, sound.name.as_str(), sound.description.as_str(), contains, contains.map(pattern)],
        )
        .await?;
    Ok(changed == 1)
}

/// Writes who is in a group, or what it asks for, anew.
pub(super) async fn set_members(tx: &mut WriteTx<scope::Provider>, id: GroupId, sound: &Sound) -> Result<()> {
    for table in ["tenant_group_member", "tenant_group_value", "tenant_group_plan"] {
        tx.execute(&format!("DELETE FROM {table} WHERE group_id = ?1"), params![id]).await?;
    }
    for tenant in &sound.tenants {
        tx.execute("INSERT INTO tenant_group_member (group_id, tenant_id) VALUES (?1, ?2)", params![id, *tenant]).await?;
    }
    let tiers = sound.matches.tiers.iter().map(|tier| ("tier", tier.as_i64().to_string()));
    let states = sound.matches.states.iter().map(|state| ("state", state.as_str().to_owned()));
    let industries = sound.matches.industries.iter().map(|industry| ("industry", industry.clone()));
    for (field, value) in tiers.chain(states).chain(industries) {
        tx.execute(
            "INSERT INTO tenant_group_value (group_id, field, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![id, field, value],
        )
        .await?;
    }
    for plan in &sound.matches.plans {
        let sql = "INSERT INTO tenant_group_plan (group_id, plan_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![id, *plan]).await?;
    }
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Provider>, id: GroupId) -> Result<()> {
    let provider = tx.scope.provider;
    for table in ["tenant_group_member", "tenant_group_value", "tenant_group_plan"] {
        tx.execute(&format!("DELETE FROM {table} WHERE group_id = ?1"), params![id]).await?;
    }
    tx.execute("DELETE FROM tenant_group WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await?;
    Ok(())
}
