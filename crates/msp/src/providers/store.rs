use access::{ProviderState, StaffRole, Tier};
use kernel::http::IfMatch;
use kernel::ids::uuid_at;
use kernel::store::{Query, Row, StoreError};
use kernel::{Error, Page, PageQuery, PersonId, ProviderId, ReadTx, Result, WriteTx, params, scope};

use super::{Link, ProviderName, ProviderSettings, StaffShown, Stored, SubProvider};

pub(super) async fn link<S: scope::Control>(
    tx: &mut ReadTx<S>,
    id: ProviderId,
) -> Result<Option<(Link, Option<ProviderId>)>, StoreError> {
    let row =
        tx.opt("SELECT parent_id, name, state, ceiling, access_mode, tenants_max FROM provider WHERE id = ?1", params![id]).await?;
    let Some(mut row) = row else { return Ok(None) };
    let parent = row.take()?;
    let link = Link {
        id,
        name: row.take()?,
        is_active: row.parse::<ProviderState>()? == ProviderState::Active,
        ceiling: tier(&mut row)?,
        access_mode: row.parse()?,
        tenants_max: row.take()?,
    };
    Ok(Some((link, parent)))
}

pub(super) async fn load<S: scope::Control>(tx: &mut ReadTx<S>, id: ProviderId) -> Result<Option<Stored>, StoreError> {
    let row = tx
        .opt(
            "SELECT p.slug, p.name, u.id, u.name, p.ceiling, p.state, p.access_mode, p.sub_providers, p.staff_shown, p.version
             FROM provider p LEFT JOIN provider u ON u.id = p.parent_id WHERE p.id = ?1",
            params![id],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (slug, name) = (row.take()?, row.take()?);
    let (parent, parent_name): (Option<ProviderId>, Option<String>) = (row.take()?, row.take()?);
    Ok(Some(Stored {
        slug,
        name,
        parent: parent.zip(parent_name).map(|(id, name)| ProviderName { id, name }),
        ceiling: tier(&mut row)?,
        state: row.parse()?,
        settings: ProviderSettings {
            access_mode: row.parse()?,
            sub_providers: row.take()?,
            staff_shown: if row.take::<String>()? == "by_role" { StaffShown::ByRole } else { StaffShown::ByName },
        },
        version: row.take()?,
    }))
}

fn tier(row: &mut Row) -> Result<Tier, StoreError> {
    Ok(Tier::from_i64(row.take()?).unwrap_or(Tier::T0))
}

pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, version: IfMatch, name: &str, sub_providers: bool) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE provider SET name = ?3, sub_providers = ?4, version = version + 1 WHERE id = ?1 AND version = ?2",
            params![tx.scope.provider, version.0, name, sub_providers],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Changed) }
}

pub(super) struct NewProvider<'a> {
    pub slug: &'a str,
    pub name: &'a str,
    pub ceiling: Tier,
}

pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: ProviderId,
    parent: Option<ProviderId>,
    new: NewProvider<'_>,
) -> Result<()> {
    let inserted = tx
        .execute(
            "INSERT INTO provider (id, parent_id, slug, name, state, ceiling, created_at)
             VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6) ON CONFLICT (slug) DO NOTHING",
            params![id, parent, new.slug, new.name, new.ceiling.as_i64(), tx.now()],
        )
        .await?;
    if inserted == 1 { Ok(()) } else { Err(Error::Conflict("This slug is taken. Choose another.".into())) }
}

pub(super) async fn insert_first_staff(
    tx: &mut WriteTx<scope::Public>,
    provider: ProviderId,
    person: PersonId,
) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
        params![uuid_at(now), provider, person, StaffRole::ProviderAdmin.as_str(), now],
    )
    .await
}

pub(super) async fn slug_is_taken(tx: &mut ReadTx<scope::Provider>, slug: &str) -> Result<bool, StoreError> {
    Ok(tx.opt("SELECT 1 FROM provider WHERE slug = ?1", params![slug]).await?.is_some())
}

const SUB_PROVIDER: &str = "SELECT p.id, p.slug, p.name, p.ceiling,
        (SELECT COUNT(*) FROM relationship r JOIN tenant t ON t.id = r.tenant_id WHERE r.provider_id = p.id AND t.state <> 'purged'),
        (SELECT COUNT(*) FROM staff s WHERE s.provider_id = p.id), p.state, p.version";

fn sub_provider(row: &mut Row) -> Result<SubProvider, StoreError> {
    Ok(SubProvider {
        id: row.take()?,
        slug: row.take()?,
        name: row.take()?,
        ceiling: tier(row)?,
        client_count: row.take()?,
        staff_count: row.take()?,
        state: row.parse()?,
        version: row.take()?,
    })
}

pub(super) async fn sub_providers(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<SubProvider>> {
    let order = page.order(&[("name", "lower(p.name)")])?;
    let pattern = page.pattern()?;
    let narrow = |query: &mut Query, parent: ProviderId| {
        query.push(" FROM provider p WHERE p.parent_id = ").bind(parent);
        if let Some(pattern) = &pattern {
            query.push(" AND (lower(p.name) LIKE ").bind(pattern).push(" ESCAPE '\\' OR p.slug LIKE ").bind(pattern);
            query.push(" ESCAPE '\\')");
        }
    };
    let mut count = Query::new("SELECT COUNT(*)");
    narrow(&mut count, tx.scope.provider);
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new(&format!("{SUB_PROVIDER}, {}, p.id", order.key));
    narrow(&mut query, tx.scope.provider);
    page.apply(&mut query, order, "p.id")?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| Ok((sub_provider(&mut row)?, row.take()?, row.take()?)));
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

pub(super) async fn sub_provider_named(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<SubProvider>, StoreError> {
    let parent = tx.scope.provider;
    let row = match name.parse::<ProviderId>() {
        Ok(id) => {
            tx.opt(&format!("{SUB_PROVIDER} FROM provider p WHERE p.parent_id = ?1 AND p.id = ?2"), params![parent, id]).await?
        }
        Err(_) => {
            tx.opt(&format!("{SUB_PROVIDER} FROM provider p WHERE p.parent_id = ?1 AND p.slug = ?2"), params![parent, name]).await?
        }
    };
    row.map(|mut row| sub_provider(&mut row)).transpose()
}

pub(super) async fn update_sub_provider(tx: &mut WriteTx<scope::Provider>, version: IfMatch, sub: &SubProvider) -> Result<()> {
    let changed = tx
        .execute(
            "UPDATE provider SET name = ?4, ceiling = ?5, state = ?6, version = version + 1
             WHERE parent_id = ?1 AND id = ?2 AND version = ?3",
            params![tx.scope.provider, sub.id, version.0, sub.name.as_str(), sub.ceiling.as_i64(), sub.state.as_str()],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Changed) }
}
