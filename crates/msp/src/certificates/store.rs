//! SQL of certificates.

use ::ledger::{Certificate, Statement};
use kernel::store::{Query, StoreError};
use kernel::{Error, Page, PageQuery, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{CertificateId, CertificateRow, Doomed};

pub(super) async fn doomed(tx: &mut ReadTx<scope::Client>) -> Result<Option<Doomed>, StoreError> {
    let (tenant, provider) = (tx.scope.tenant, tx.scope.provider);
    let sql = "SELECT t.name, t.slug, p.name, t.provider_id FROM tenant t JOIN provider p ON p.id = ?2 WHERE t.id = ?1";
    let row = tx.opt(sql, params![tenant, provider]).await?;
    row.map(|mut row| Ok(Doomed { name: row.take()?, slug: row.take()?, provider: row.take()?, holder: row.take()? })).transpose()
}

pub(super) async fn insert(
    tx: &mut WriteTx<scope::Client>,
    id: CertificateId,
    holder: ProviderId,
    statement: &Statement,
) -> Result<()> {
    let text = serde_json::to_string(statement).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO certificate (id, tenant_id, provider_id, holder_id, name, statement, purged_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![id, tx.scope.tenant, tx.scope.provider, holder, statement.name.as_str(), text, tx.now()],
    )
    .await?;
    Ok(())
}

pub(super) async fn draft_of(
    tx: &mut ReadTx<scope::Public>,
    tenant: TenantId,
) -> Result<Option<(CertificateId, Statement)>, StoreError> {
    let sql = "SELECT id, statement FROM certificate WHERE tenant_id = ?1 AND completed_at IS NULL";
    let row = tx.opt(sql, params![tenant]).await?;
    row.map(|mut row| Ok((row.take()?, row.json()?))).transpose()
}

pub(super) async fn complete(
    tx: &mut WriteTx<scope::Public>,
    id: CertificateId,
    at: Timestamp,
    certificate: &Certificate,
) -> Result<u64> {
    let text = serde_json::to_string(&certificate.statement).map_err(Error::internal)?;
    let (key_id, signature) = (certificate.key_id.as_str(), certificate.signature.as_slice());
    let sql = "UPDATE certificate SET statement = ?2, completed_at = ?3, key_id = ?4, signature = ?5 WHERE id = ?1";
    Ok(tx.execute(sql, params![id, text, at, key_id, signature]).await?)
}

pub(super) async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<CertificateRow>> {
    let order = page.order(&[("-purged", "purged_at"), ("name", "lower(name)")])?;
    let mut rest = Query::new(" FROM certificate WHERE (provider_id = ");
    rest.bind(tx.scope.provider).push(" OR holder_id = ").bind(tx.scope.provider).push(")");
    rest.and_like("name", page.pattern()?.as_deref());
    let total = tx.one(&format!("SELECT COUNT(*){}", rest.sql), &rest.params).await?.take()?;
    let columns = format!("SELECT id, tenant_id, name, statement, purged_at, completed_at, {}, id", order.key);
    let mut query = Query { sql: format!("{columns}{}", rest.sql), params: rest.params };
    page.apply(&mut query, order, "id")?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let (id, tenant, name) = (row.take()?, row.take()?, row.take()?);
        let statement: Statement = row.json()?;
        let (purged_at, completed_at) = (row.take()?, row.take()?);
        let item = CertificateRow { id, tenant, name, by: statement.by.name, purged_at, completed_at };
        Ok((item, row.take()?, row.take()?))
    });
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, order, total))
}

/// A certificate as it is stored: not signed while its database is being removed.
pub(super) struct Stored {
    pub statement: Statement,
    pub signed: Option<(String, ::ledger::keys::SignatureBytes)>,
}

pub(super) async fn view(tx: &mut ReadTx<scope::Provider>, id: CertificateId) -> Result<Option<Stored>, StoreError> {
    let sql = "SELECT statement, key_id, signature FROM certificate WHERE id = ?1 AND (provider_id = ?2 OR holder_id = ?2)";
    let Some(mut row) = tx.opt(sql, params![id, tx.scope.provider]).await? else { return Ok(None) };
    let (statement, key_id, signature): (_, Option<String>, Option<Vec<u8>>) = (row.json()?, row.take()?, row.take()?);
    let signature = signature.and_then(|bytes| bytes.try_into().ok());
    Ok(Some(Stored { statement, signed: key_id.zip(signature) }))
}
