//! SQL of host names.

use kernel::store::{Query, Row, StoreError};
use kernel::{Page, PageQuery, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{HostKind, HostName, HostNameId, TenantNamed};
use crate::branding::{self, BaseDomain};

/// Given names, and the addresses of the clients that the provider holds.
pub(super) async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<HostName>> {
    let order = page.order(&[("host", "x.host"), ("tenant", "COALESCE(lower(t.name), '')"), ("created", "x.created_at")])?;
    let (pattern, provider) = (page.pattern()?, tx.scope.provider);
    let base = tx.hub().try_port::<BaseDomain>().map(|base| base.0.clone());
    let narrow = |query: &mut Query| {
        query.push(
            " FROM (SELECT h.id, h.host, h.tenant_id, 'custom' AS kind, h.created_at FROM host_name h WHERE h.provider_id = ",
        );
        query.bind(provider);
        if let Some(base) = &base {
            query.push(" UNION ALL SELECT a.id, a.slug || '-' || p.slug || CAST(").bind(format!(".{base}"));
            query.push(
                " AS text), a.id, 'address', a.created_at FROM tenant a JOIN provider p ON p.id = a.provider_id
                  WHERE a.state IN ('active', 'suspended') AND p.address_subdomains = true AND length(a.slug || '-' || p.slug) <= 63 AND a.provider_id = ",
            );
            query.bind(provider);
        }
        query.push(") x LEFT JOIN tenant t ON t.id = x.tenant_id WHERE 1 = 1");
        query.and_like("x.host || ' ' || COALESCE(t.name, '')", pattern.as_deref());
    };
    let mut count = Query::new("SELECT COUNT(*)");
    narrow(&mut count);
    let total = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = Query::new("SELECT x.host, t.id, t.slug, t.name, x.kind, x.created_at, ");
    query.push(order.key).push(", x.id");
    narrow(&mut query);
    page.apply(&mut query, order, "x.id")?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let (host, tenant) = (row.take()?, named(&mut row)?);
        let kind = if row.take::<String>()? == "address" { HostKind::Address } else { HostKind::Custom };
        Ok((HostName { host, tenant, kind, created_at: row.take()? }, row.take()?, row.take()?))
    });
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

fn named(row: &mut Row) -> Result<Option<TenantNamed>, StoreError> {
    let (id, slug, name): (Option<TenantId>, Option<String>, Option<String>) = (row.take()?, row.take()?, row.take()?);
    Ok(id.zip(slug).zip(name).map(|((id, slug), name)| TenantNamed { id, slug, name }))
}

/// A client that the provider holds itself.
pub(super) async fn own_tenant(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<TenantNamed>, StoreError> {
    let mut query = Query::new("SELECT id, slug, name FROM tenant WHERE state <> 'purged' AND provider_id = ");
    query.bind(tx.scope.provider);
    query.and_named::<kernel::ids::Tenant>("id", "slug", name);
    let Some(mut row) = tx.query(&query).await?.pop() else { return Ok(None) };
    named(&mut row)
}

pub(super) async fn count(tx: &mut ReadTx<scope::Provider>) -> Result<i64, StoreError> {
    let provider = tx.scope.provider;
    tx.one("SELECT COUNT(*) FROM host_name WHERE provider_id = ?1", params![provider]).await?.take()
}

/// Whether nobody had the name.
pub(super) async fn insert(
    tx: &mut WriteTx<scope::Provider>,
    id: HostNameId,
    host: &str,
    tenant: Option<TenantId>,
) -> Result<bool, StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let sql = "INSERT INTO host_name (id, host, provider_id, tenant_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (host) DO NOTHING";
    Ok(tx.execute(sql, params![id, host, provider, tenant, now]).await? == 1)
}

/// A name that the provider gave.
pub(super) async fn custom(
    tx: &mut ReadTx<scope::Provider>,
    host: &str,
) -> Result<Option<(HostNameId, Option<TenantNamed>, Timestamp)>, StoreError> {
    let provider = tx.scope.provider;
    let sql = "SELECT h.id, t.id, t.slug, t.name, h.created_at FROM host_name h LEFT JOIN tenant t ON t.id = h.tenant_id
         WHERE h.host = ?1 AND h.provider_id = ?2";
    let Some(mut row) = tx.opt(sql, params![host, provider]).await? else { return Ok(None) };
    Ok(Some((row.take()?, named(&mut row)?, row.take()?)))
}

/// Whether it is the address of a client that the provider holds.
pub(super) async fn is_own_address(tx: &mut ReadTx<scope::Provider>, host: &str) -> Result<bool> {
    let provider = tx.scope.provider;
    let Some(kernel::news::Of::Tenant(tenant)) = branding::place_of(tx, host).await? else { return Ok(false) };
    let sql = "SELECT 1 FROM tenant WHERE id = ?1 AND provider_id = ?2";
    Ok(tx.opt(sql, params![tenant, provider]).await?.is_some())
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Provider>, id: HostNameId) -> Result<(), StoreError> {
    let provider = tx.scope.provider;
    tx.execute("DELETE FROM host_name WHERE id = ?1 AND provider_id = ?2", params![id, provider]).await?;
    Ok(())
}
