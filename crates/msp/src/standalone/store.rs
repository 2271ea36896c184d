//! SQL of standalone installations.

use access::{StaffRole, Tier};
use kernel::ids::uuid_at;
use kernel::store::StoreError;
use kernel::{Hub, PersonId, ProviderId, ReadTx, Result, TenantId, WriteTx, params, scope};
use uuid::Uuid;

use super::{Founding, Upgraded};
use crate::msp_licence::Linked;
use crate::plans::PlanId;
use crate::relationships::RelationshipId;

/// No slug that anybody could choose, and only one at a time.
const SLUG: &str = "~standalone";

/// Whether it was inserted: not when there is one.
pub(super) async fn insert_placeholder(tx: &mut WriteTx<scope::Public>, id: ProviderId) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "INSERT INTO provider (id, slug, name, state, kind, created_at) VALUES (?1, ?2, '', 'active', 'standalone', ?3)
         ON CONFLICT (slug) DO NOTHING";
    Ok(tx.execute(sql, params![id, SLUG, now]).await? == 1)
}

pub(super) async fn plan_named(tx: &mut ReadTx<scope::Public>, provider: ProviderId, name: &str) -> Result<PlanId, StoreError> {
    tx.one("SELECT id FROM plan WHERE provider_id = ?1 AND name = ?2", params![provider, name]).await?.take()
}

pub(super) async fn insert_tenant(
    tx: &mut WriteTx<scope::Public>,
    provider: ProviderId,
    new: &Founding<'_>,
    plan: PlanId,
    wrapped_key: Vec<u8>,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO tenant (id, provider_id, slug, name, state, plan_id, wrapped_key, created_at)
         VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?7)",
        params![new.tenant, provider, new.slug, new.name, plan, wrapped_key, now],
    )
    .await?;
    tx.execute("INSERT INTO summary (tenant_id, revision, updated_at) VALUES (?1, 0, ?2)", params![new.tenant, now]).await?;
    Ok(())
}

pub(super) async fn insert_admin(tx: &mut WriteTx<scope::Public>, tenant: TenantId, person: PersonId) -> Result<Uuid, StoreError> {
    let (now, id) = (tx.now(), uuid_at(tx.now()));
    tx.execute(
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'admin', 'active', ?4)",
        params![id, tenant, person, now],
    )
    .await?;
    Ok(id)
}

pub(super) async fn is_registered(hub: &Hub, tenant: TenantId) -> Result<bool> {
    let mut tx = hub.system_read().await?;
    Ok(tx.opt("SELECT 1 FROM tenant WHERE id = ?1", params![tenant]).await?.is_some())
}

pub(super) async fn placeholder<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Option<ProviderId>, StoreError> {
    tx.opt("SELECT id FROM provider WHERE kind = 'standalone'", &[]).await?.map(|mut row| row.take()).transpose()
}

pub(super) async fn holder<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<ProviderId>, StoreError> {
    let sql = "SELECT p.id FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.id = ?1 AND p.kind = 'standalone'";
    tx.opt(sql, params![tenant]).await?.map(|mut row| row.take()).transpose()
}

pub(super) async fn slug_is_taken<S: scope::Control>(tx: &mut ReadTx<S>, slug: &str) -> Result<bool, StoreError> {
    Ok(tx.opt("SELECT 1 FROM provider WHERE slug = ?1", params![slug]).await?.is_some())
}

/// Whether it was a placeholder still.
pub(super) async fn name_placeholder<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: ProviderId,
    name: &str,
    slug: &str,
) -> Result<bool, StoreError> {
    let sql = "UPDATE provider SET kind = 'msp', name = ?2, slug = ?3, version = version + 1 WHERE id = ?1 AND kind = 'standalone'";
    Ok(tx.execute(sql, params![id, name, slug]).await? == 1)
}

pub(super) async fn insert_first_staff<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    person: PersonId,
) -> Result<Uuid, StoreError> {
    let (now, id) = (tx.now(), uuid_at(tx.now()));
    tx.execute(
        "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
        params![id, provider, person, StaffRole::ProviderAdmin.as_str(), now],
    )
    .await?;
    Ok(id)
}

/// What a provider holds directly.
pub(super) async fn held<S: scope::Control>(tx: &mut ReadTx<S>, provider: ProviderId) -> Result<Vec<TenantId>, StoreError> {
    let sql = "SELECT id FROM tenant WHERE provider_id = ?1 AND state <> 'purged' ORDER BY id LIMIT 1000";
    tx.rows(sql, params![provider]).await?.into_iter().map(|mut row| row.take()).collect()
}

pub(super) async fn insert_relationship<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    tenant: TenantId,
) -> Result<RelationshipId, StoreError> {
    let (now, id) = (tx.now(), RelationshipId::new(tx.now()));
    tx.execute(
        "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
        params![id, provider, tenant, Tier::T3.as_i64(), now],
    )
    .await?;
    Ok(id)
}

pub(super) async fn upgraded<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Upgraded, StoreError> {
    let mut row = tx
        .one(
            "SELECT t.slug, t.name, (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled'),
                    COALESCE(s.scans, 0), COALESCE(s.findings_open, 0)
             FROM tenant t LEFT JOIN summary s ON s.tenant_id = t.id WHERE t.id = ?1",
            params![tenant],
        )
        .await?;
    let (slug, name) = (row.take()?, row.take()?);
    Ok(Upgraded { slug, name, linked: Linked { members: row.take()?, scans: row.take()?, findings_open: row.take()? } })
}
