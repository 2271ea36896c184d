//! A tenant that comes from a file: beside the live one, in place of a lost one, or from another installation.
//!
//! Its database is filled first, and reached by nobody; then one transaction registers it. An interruption in between leaves a row in
//! `tenant_arriving`, and the next start removes what was filled.

use std::io::Read;

use kernel::secrets::{SEALED_BY_TENANT, SecretKey};
use kernel::store::{StoreError, Table, Value};
use kernel::{CanFail, Error, Hub, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::load::{Counts, Load};
use super::seal::Resealer;
use super::{Opened, Restored, Work, told};
use crate::Recovery;
use crate::registry::{self, Member, Registry, Relation};

/// A tenant on its way in.
pub(crate) struct Arriving {
    /// What it is registered as. Members are entered only where `members` says so.
    pub registry: Registry,
    /// Its data key from now on.
    pub key: SecretKey,
    /// What its ledger calls its coming.
    pub action: &'static str,
    /// Why.
    pub reason: String,
    /// What else its ledger says of where it comes from.
    pub origin: serde_json::Value,
    /// People who are its members at once; they have accounts here.
    pub members: Vec<Member>,
    /// It is the same chain by the same name, signed by this installation: its checkpoints come along. Else they would not verify here; the
    /// newest is named by the entry that says how it came.
    pub is_same_chain: bool,
}

impl Work {
    pub(super) fn beside<R: Read>(&self, opened: Opened<'_, R>) -> Result<Restored> {
        let (was, as_of, backup) = (opened.info.registry.clone(), opened.info.at, opened.header.id.clone());
        let now = self.hub.now();
        let live = self.runtime.block_on(async {
            let mut tx = self.hub.system_read().await?;
            registry::load(&mut tx, was.id).await.map_err(Error::from)
        })?;
        let (registry, key, is_same_chain) = match live {
            Some(live) => (beside(&live, now), SecretKey::generate(), false),
            // Lost: it comes back as what it was, and its older backups open with the key it had.
            None => (was, opened.key.clone(), true),
        };
        let arriving = Arriving {
            members: registry.members.clone(),
            is_same_chain,
            key,
            action: "tenant.restored",
            reason: self.reason.clone(),
            origin: serde_json::json!({ "backup": backup, "as_of": as_of, "of": opened.info.registry.id }),
            registry,
        };
        let (tenant, slug) = (arriving.registry.id, arriving.registry.slug.clone());
        let counts = enter(&self.hub, &self.runtime, arriving, opened)?;
        Ok(Restored { tenant, slug, backup, as_of, rows_before: 0, rows_after: counts.values().sum() })
    }
}

/// The live tenant's terms for the one that stands beside it.
fn beside(live: &Registry, now: Timestamp) -> Registry {
    let stamp = now.to_string();
    let when: String = stamp.chars().take(16).filter(char::is_ascii_digit).collect();
    let (day, minute) = when.split_at(8);
    // A slug has 63 characters at most; what is cut is the name, never the instant.
    let base: String = live.slug.chars().take(40).collect();
    Registry {
        id: TenantId::new(now),
        slug: format!("{}-restored-{day}-{minute}", base.trim_end_matches('-')),
        name: format!("{} (restored {})", live.name, &stamp[..10]),
        created_at: now,
        members: live.members.iter().filter(|member| member.state == "active").cloned().collect(),
        ..live.clone()
    }
}

/// Fills a database and registers the tenant. Answers the rows of each table.
///
/// # Errors
/// `Conflict` when its id or slug is taken, its provider or plan is not here, or the file is damaged. Then nothing is left of it.
pub(crate) fn enter<R: Read>(hub: &Hub, runtime: &Handle, arriving: Arriving, opened: Opened<'_, R>) -> Result<Counts> {
    let tenant = arriving.registry.id;
    runtime.block_on(announce(hub, &arriving.registry))?;
    let entered = fill(hub, runtime, &arriving, opened).and_then(|(counts, wrapped)| {
        runtime.block_on(register(hub, &arriving, wrapped, &counts))?;
        Ok(counts)
    });
    if entered.is_err() {
        runtime.block_on(give_up(hub, tenant)).can_fail("the next start removes it");
    }
    entered
}

/// Says that the tenant is coming, before anything of it is there.
async fn announce(hub: &Hub, registry: &Registry) -> Result<()> {
    let mut tx = hub.system_write("tenant.arriving", "A tenant's database is being filled from a file.").await?;
    check_free(&mut tx, registry).await?;
    let (id, now) = (registry.id, tx.now());
    tx.execute("INSERT INTO tenant_arriving (tenant_id, began_at) VALUES (?1, ?2)", params![id, now]).await?;
    tx.keeps_authority().subject("tenant", id, registry.name.clone());
    tx.commit().await
}

async fn check_free(tx: &mut ReadTx<scope::Public>, registry: &Registry) -> Result<()> {
    if tx.opt("SELECT id FROM tenant WHERE id = ?1", params![registry.id]).await?.is_some() {
        return Err(Error::Conflict(format!("A tenant with the id {} exists here, or was purged.", registry.id)));
    }
    if tx.opt("SELECT id FROM tenant WHERE slug = ?1", params![registry.slug.as_str()]).await?.is_some() {
        return Err(Error::Conflict(format!("The slug {} is taken here. Choose another with --slug.", registry.slug)));
    }
    plan(tx, registry).await.map(drop)
}

fn fill<R: Read>(hub: &Hub, runtime: &Handle, arriving: &Arriving, mut opened: Opened<'_, R>) -> Result<(Counts, Vec<u8>)> {
    let tenant = arriving.registry.id;
    let wrapped = runtime.block_on(hub.create_tenant_store_with(tenant, arriving.key.clone()))?;
    let tables = runtime.block_on(hub.tables(tenant))?;
    let mut tx = runtime.block_on(hub.system(tenant, arriving.action, "It was made of a file."))?;
    let resealer = (!arriving.key.is(&opened.key)).then(|| Resealer::new(&opened.key, &arriving.key, SEALED_BY_TENANT));
    let load = Load { runtime, tables: &tables, is_kept: |_| false, resealer };
    // Whatever an interrupted try of the same left there.
    load.clear(&mut tx)?;
    let mut newest = None;
    let counts = load.fill(&mut tx, &mut opened.records, &mut |table, shape, row| {
        if arriving.is_same_chain || table != CHECKPOINTS {
            return Ok(true);
        }
        let checkpoint = shown(shape, row);
        let seq = |checkpoint: &serde_json::Value| checkpoint["seq"].as_i64();
        if newest.as_ref().is_none_or(|newest| seq(newest) < seq(&checkpoint)) {
            newest = Some(checkpoint);
        }
        Ok(false)
    })?;
    tx.reason(&arriving.reason).subject("tenant", tenant, arriving.registry.name.clone());
    let mut after = told(&counts, None);
    after["origin"] = arriving.origin.clone();
    after["origin"]["checkpoint"] = newest.unwrap_or_default();
    tx.changed("tenant_data", tenant, &(), &after);
    runtime.block_on(tx.commit())?;
    Ok((counts, wrapped))
}

/// Signed heads of the tenant's own chain.
const CHECKPOINTS: &str = "checkpoint";

/// A row as JSON, bytes in hexadecimal.
fn shown(table: &Table, row: &[Value]) -> serde_json::Value {
    let cell = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(n) => (*n).into(),
        Value::Bool(b) => (*b).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Value::Uuid(id) => id.to_string().into(),
    };
    table
        .columns
        .iter()
        .zip(row)
        .map(|(column, value)| (column.name.clone(), cell(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// One transaction after which the tenant exists.
async fn register(hub: &Hub, arriving: &Arriving, wrapped: Vec<u8>, counts: &Counts) -> Result<()> {
    let (registry, key) = (&arriving.registry, &arriving.key);
    let mut tx = hub.system_write("tenant.arrived", "A tenant was made of a file.").await?;
    let neighbours = hub.port::<Recovery>().settings.neighbours.clone();
    neighbours.room(&mut tx).await?;
    check_free(&mut tx, registry).await?;
    let (plan, plan_number) = plan(&mut tx, registry).await?;
    tx.execute(
        "INSERT INTO tenant (id, provider_id, slug, name, industry, state, state_reason, plan_id, seats_max, wrapped_key,
                             scan_interval_days, comments_from_t1, created_at, plan_number)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            registry.id,
            registry.provider,
            registry.slug.as_str(),
            registry.name.as_str(),
            registry.industry.as_str(),
            registry.state.as_str(),
            registry.state_reason.as_deref(),
            plan,
            registry.seats_max,
            wrapped,
            registry.scan_interval_days,
            registry.comments_from_t1,
            registry.created_at,
            plan_number
        ],
    )
    .await?;
    for relation in &registry.relationships {
        insert_relation(&mut tx, registry.id, relation).await?;
    }
    for member in &arriving.members {
        insert_member(&mut tx, registry.id, member).await?;
    }
    let now = tx.now();
    tx.execute("INSERT INTO summary (tenant_id, revision, updated_at) VALUES (?1, 0, ?2)", params![registry.id, now]).await?;
    tx.execute("DELETE FROM tenant_arriving WHERE tenant_id = ?1", params![registry.id]).await?;
    let after = serde_json::json!({ "slug": registry.slug, "name": registry.name, "plan": registry.plan, "key": key.name(),
        "relationships": registry.relationships, "members": arriving.members.len(), "rows": counts, "origin": arriving.origin });
    tx.reason(&arriving.reason).subject("tenant", registry.id, registry.name.clone()).changed("tenant", registry.id, &(), &after);
    tx.also_in(registry.id);
    tx.commit().await
}

/// The plan of the tenant's, and its newest number.
async fn plan(tx: &mut ReadTx<scope::Public>, registry: &Registry) -> Result<(Uuid, i64)> {
    let row = tx.opt("SELECT name FROM provider WHERE id = ?1", params![registry.provider]).await?;
    if row.is_none() {
        return Err(Error::Conflict(format!("Its provider {} is not here.", registry.provider)));
    }
    let plan = params![registry.provider, registry.plan.as_str()];
    let row = tx.opt("SELECT id, number FROM plan WHERE provider_id = ?1 AND name = ?2", plan).await?;
    let mut row =
        row.ok_or_else(|| Error::Conflict(format!("The provider has no plan {:?}. Choose one with --plan.", registry.plan)))?;
    Ok((row.take()?, row.take()?))
}

async fn insert_relation(tx: &mut WriteTx<scope::Public>, tenant: TenantId, relation: &Relation) -> Result<(), StoreError> {
    if tx.opt("SELECT id FROM provider WHERE id = ?1", params![relation.provider]).await?.is_none() {
        return Ok(());
    }
    let now = tx.now();
    tx.execute(
        "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, ends_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kernel::ids::uuid_at(now),
            relation.provider,
            tenant,
            relation.tier,
            relation.state.as_str(),
            relation.ends_at,
            now
        ],
    )
    .await
    .map(drop)
}

/// Somebody who has an account here; nobody else gets in.
async fn insert_member(tx: &mut WriteTx<scope::Public>, tenant: TenantId, member: &Member) -> Result<(), StoreError> {
    let known = params![member.person, member.email.as_str()];
    if tx.opt("SELECT id FROM person WHERE id = ?1 AND email = ?2", known).await?.is_none() {
        return Ok(());
    }
    let now = tx.now();
    tx.execute(
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant_id, person_id) DO NOTHING",
        params![kernel::ids::uuid_at(now), tenant, member.person, member.role.as_str(), member.state.as_str(), now],
    )
    .await
    .map(drop)
}

/// Removes what was filled of a tenant that was not registered.
async fn give_up(hub: &Hub, tenant: TenantId) -> Result<()> {
    let row = hub.system_read().await?.opt("SELECT id FROM tenant WHERE id = ?1", params![tenant]).await?;
    // Whether a commit that failed was made is for the registry to say.
    if row.is_none() {
        hub.destroy_tenant_store(tenant).await?;
    }
    let mut tx = hub.system_write("tenant.arriving_end", "What was filled of an unregistered tenant was removed.").await?;
    tx.execute("DELETE FROM tenant_arriving WHERE tenant_id = ?1", params![tenant]).await?;
    tx.keeps_authority().subject("tenant", tenant, None);
    tx.commit().await
}

/// Removes what interrupted arrivals left. Run at start, before anything else arrives. Answers how many there were.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn finish_interrupted(hub: &Hub, before: Timestamp) -> Result<usize> {
    let sql = "SELECT tenant_id FROM tenant_arriving WHERE began_at <= ?1 LIMIT 1000";
    let rows = hub.system_read().await?.rows(sql, params![before]).await?;
    let left: Vec<TenantId> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?;
    for tenant in &left {
        give_up(hub, *tenant).await?;
    }
    Ok(left.len())
}

/// A provider by id or slug.
pub(crate) async fn provider(tx: &mut ReadTx<scope::Public>, named: &str) -> Result<Option<ProviderId>, StoreError> {
    let row = match named.parse::<ProviderId>() {
        Ok(id) => tx.opt("SELECT id FROM provider WHERE id = ?1 AND kind = 'msp'", params![id]).await?,
        Err(_) => tx.opt("SELECT id FROM provider WHERE slug = ?1 AND kind = 'msp'", params![named]).await?,
    };
    row.map(|mut row| row.take()).transpose()
}
