//! The whole installation into an empty store, of either engine.
//!
//! Tenants' databases are filled first, the control database last and in one transaction: until then the store counts as empty, so an
//! interrupted restore is simply begun again. Keys come from the keyring beside the backup. A tenant that the keyring does not have was
//! purged after the backup was made; it stays purged. Sessions are not restored (everybody signs in again), nor is what waits for the
//! operator.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use kernel::secrets::SecretKey;
use kernel::store::{Table, Value};
use kernel::{CanFail, Error, Hub, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::Serialize;
use tokio::runtime::Handle;

use super::load::{Load, Target};
use super::seal::Resealer;
use super::{finish_refresh, source};
use crate::Progress;
use crate::backups::{ControlInfo, TenantInfo, sealed_but_keys};
use crate::format::{FileReader, Header, Kind, RecordReader, SectionKind, SectionReader, damaged};
use crate::keys::{self, Finder, Keyring, keyring, on_a_thread};
use crate::places::Place;

/// Tables of the control database that are this hub's own, or of the moment: their rows stay out.
const NOT_RESTORED: &[&str] = &["backup_run", "operator_job", "session", "tenant_arriving", "tenant_key"];
/// Rows of `installation` that are this hub's own.
const OWN_FACTS: &[&str] = &["master key check", "setup code"];

/// Tables whose rows about a purged tenant stay: the ledgers of its provider and the installation, and what certifies its destruction.
const KEPT_OF_PURGED: &[&str] = &["ledger", "certificate"];

/// What came of a restore of everything.
#[derive(Debug, Clone, Serialize)]
pub struct Everything {
    /// The backup, `bak_…`.
    pub backup: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Tenants that are back.
    pub tenants: u64,
    /// Rows of all databases.
    pub rows: u64,
    /// Tenants that were purged after the backup was made, and stay so.
    pub purged: Vec<TenantId>,
}

/// Restores everything into this hub's store, which has nobody in it yet.
///
/// # Errors
/// `Conflict` when the store is not empty, the backup is damaged, or is not of a whole installation; `NotFound`; `Unavailable`.
pub async fn all(hub: &Hub, named: &str, place: Option<&str>, reason: &str, progress: &Progress) -> Result<Everything> {
    let (place, file) = source(hub, named, place).await?;
    let (this, runtime, told, why) = (hub.clone(), Handle::current(), progress.clone(), reason.trim().to_owned());
    let work = move || Work::begin(this, runtime, told, why, &place, &file)?.run(&place, &file);
    let everything = on_a_thread(work).await?;
    hub.forget_everything_cached();
    hub.sweep().await.can_fail("the sweep at the next start carries it");
    finish_refresh(hub, progress).await?;
    Ok(everything)
}

struct Work {
    hub: Hub,
    runtime: Handle,
    progress: Progress,
    reason: String,
    finder: Finder,
    keyring: Keyring,
    header: Header,
}

/// Wrapped keys of the tenants that came, the one in use first.
type Wrapped = BTreeMap<TenantId, Vec<(String, Vec<u8>)>>;

impl Work {
    fn begin(hub: Hub, runtime: Handle, progress: Progress, reason: String, place: &Arc<dyn Place>, file: &str) -> Result<Self> {
        let keyring = keyring(&**place)?.ok_or_else(|| {
            Error::Conflict(format!(
                "There is no {} beside this backup; without it nobody can read the tenants in it.",
                keys::KEYRING
            ))
        })?;
        // Says at once when the master key is another one.
        keyring.hub.open(&hub.master_key(), keys::HUB_KEY)?;
        let header = FileReader::open(place.open(file)?)?.header;
        if header.kind != Kind::Hub {
            return Err(Error::Conflict("This backup is of one tenant: restore it with --tenant.".into()));
        }
        let finder = Finder::new(&hub, Some(keyring.clone()));
        Ok(Self { hub, runtime, progress, reason, finder, keyring, header })
    }

    fn run(self, place: &Arc<dyn Place>, name: &str) -> Result<Everything> {
        self.runtime.block_on(check_empty(&self.hub))?;
        let mut everything =
            Everything { backup: self.header.id.clone(), made_at: self.header.made_at, tenants: 0, rows: 0, purged: Vec::new() };
        let mut wrapped = Wrapped::new();
        let mut file = FileReader::open(place.open(name)?)?;
        let mut has_index = false;
        while let Some(head) = file.next_section()? {
            has_index = head.kind == SectionKind::Index;
            let Some(tenant) = head.tenant else { continue };
            let Some(key) = self.runtime.block_on(self.finder.of_tenant(tenant, &head.key))? else {
                everything.purged.push(tenant);
                continue;
            };
            self.progress.say(format!("tenant {}", everything.tenants + 1));
            everything.rows += self.tenant(tenant, &key, file.section(&key))?;
            everything.tenants += 1;
            wrapped.insert(tenant, self.keys_of(tenant, &key)?);
        }
        if !has_index {
            return Err(damaged("its index is missing"));
        }
        self.progress.say("control database");
        let mut file = FileReader::open(place.open(name)?)?;
        let head = file.next_section()?.filter(|head| head.kind == SectionKind::Control);
        let head = head.ok_or_else(|| damaged("its control section is missing"))?;
        let hub_key = self.runtime.block_on(self.finder.of_hub(&head.key))?;
        everything.rows += self.control(&hub_key, file.section(&hub_key), &wrapped, &mut everything.purged)?;
        Ok(everything)
    }

    fn keys_of(&self, tenant: TenantId, in_use: &SecretKey) -> Result<Vec<(String, Vec<u8>)>> {
        let (master, label) = (self.hub.master_key(), keys::label(tenant));
        let mut keys = vec![(in_use.name(), in_use.wrapped_by(&master, &label))];
        for wrapped in self.keyring.tenants.get(&tenant).into_iter().flatten().filter(|wrapped| wrapped.name != in_use.name()) {
            keys.push((wrapped.name.clone(), wrapped.open(&master, &label)?.wrapped_by(&master, &label)));
        }
        Ok(keys)
    }

    fn tenant<R: Read>(&self, tenant: TenantId, key: &SecretKey, section: SectionReader<'_, R>) -> Result<u64> {
        let runtime = &self.runtime;
        let (mut records, info) = RecordReader::begin::<TenantInfo>(section)?;
        if info.registry.id != tenant {
            return Err(damaged("a section is of another tenant than it says"));
        }
        runtime.block_on(self.hub.create_tenant_store_with(tenant, key.clone()))?;
        let tables = runtime.block_on(self.hub.tables(tenant))?;
        let mut tx = runtime.block_on(self.hub.system(tenant, "hub.restored", "The whole installation was restored."))?;
        let load = Load { runtime, tables: &tables, is_kept: |_| false, resealer: None };
        load.clear(&mut tx)?;
        let counts = load.fill(&mut tx, &mut records, &mut |_, _, _| Ok(true))?;
        let after = serde_json::json!({ "rows": counts, "backup": self.header.id, "as_of": info.at });
        tx.reason(&self.reason).changed("tenant_data", tenant, &(), &after);
        runtime.block_on(tx.commit())?;
        Ok(counts.values().sum())
    }

    fn control<R: Read>(
        &self,
        hub_key: &SecretKey,
        section: SectionReader<'_, R>,
        wrapped: &Wrapped,
        purged: &mut Vec<TenantId>,
    ) -> Result<u64> {
        let runtime = &self.runtime;
        let (mut records, _) = RecordReader::begin::<ControlInfo>(section)?;
        let tables = runtime.block_on(self.hub.control_tables())?;
        let mut tx = runtime.block_on(self.hub.system_write("hub.restored", "The whole installation was restored."))?;
        let is_kept = |table: &str| NOT_RESTORED.contains(&table) || table == "installation";
        let load = Load {
            runtime,
            tables: &tables,
            is_kept: |table| NOT_RESTORED.contains(&table),
            resealer: Some(Resealer::new(hub_key, &self.hub.master_key(), &sealed_but_keys())),
        };
        let constraints = runtime.block_on(defer(&mut tx, self.hub.is_shared()))?;
        for table in tables.iter().filter(|table| !is_kept(&table.name)) {
            tx.run(runtime, &format!("DELETE FROM \"{}\"", table.name), &[])?;
        }
        let own: Vec<Value> = OWN_FACTS.iter().map(|name| Value::from(*name)).collect();
        tx.run(runtime, "DELETE FROM installation WHERE name NOT IN (?1, ?2)", &own)?;
        let counts = load.fill(&mut tx, &mut records, &mut |table, shape, row| Ok(is_wanted(table, shape, row)))?;
        runtime.block_on(self.keys(&mut tx, &tables, wrapped, purged))?;
        runtime.block_on(enforce(&mut tx, &constraints))?;
        let rows: u64 = counts.values().sum();
        let after = serde_json::json!({ "backup": self.header.id, "made_at": self.header.made_at, "tenants": wrapped.len(), "purged": purged });
        tx.reason(&self.reason).changed("installation", "restored", &(), &after);
        runtime.block_on(tx.commit())?;
        Ok(rows)
    }

    /// Gives every tenant its key. One without is purged: its records go as in a purge.
    async fn keys(
        &self,
        tx: &mut WriteTx<scope::Public>,
        tables: &[Table],
        wrapped: &Wrapped,
        purged: &mut Vec<TenantId>,
    ) -> Result<()> {
        let names_tenants = |table: &&Table| table.columns.iter().any(|column| column.name == "tenant_id");
        let of_tenants: Vec<&Table> =
            tables.iter().filter(names_tenants).filter(|table| !KEPT_OF_PURGED.contains(&table.name.as_str())).collect();
        let now = tx.now();
        for (tenant, keys) in wrapped {
            for (n, (name, wrapped_key)) in keys.iter().enumerate() {
                if n == 0 {
                    tx.execute("UPDATE tenant SET wrapped_key = ?2 WHERE id = ?1", params![*tenant, wrapped_key.clone()]).await?;
                } else {
                    tx.execute(
                        "INSERT INTO tenant_key (tenant_id, name, wrapped_key, retired_at) VALUES (?1, ?2, ?3, ?4)",
                        params![*tenant, name.as_str(), wrapped_key.clone(), now],
                    )
                    .await?;
                }
            }
        }
        let rows = tx.rows("SELECT id FROM tenant WHERE wrapped_key IS NULL AND state <> 'purged'", params![]).await?;
        for mut row in rows {
            let tenant: TenantId = row.take()?;
            for table in &of_tenants {
                tx.execute(&format!("DELETE FROM \"{}\" WHERE tenant_id = ?1", table.name), params![tenant]).await?;
            }
            let name = format!("purged-{}", tenant.uuid().simple());
            tx.execute(
                "UPDATE tenant SET state = 'purged', slug = ?2, name = ?2, industry = '', state_reason = NULL, purge_after = NULL WHERE id = ?1",
                params![tenant, name],
            )
            .await?;
            if !purged.contains(&tenant) {
                purged.push(tenant);
            }
        }
        Ok(())
    }
}

/// Nobody is in this store yet.
async fn check_empty(hub: &Hub) -> Result<()> {
    let mut tx = hub.system_read().await?;
    for table in ["provider", "person", "tenant"] {
        if tx.opt(&format!("SELECT id FROM {table} LIMIT 1"), params![]).await?.is_some() {
            return Err(Error::Conflict(
                "This store has somebody in it already. Restore everything into an empty data folder or database.".into(),
            ));
        }
    }
    Ok(())
}

fn is_wanted(table: &str, shape: &Table, row: &[Value]) -> bool {
    let name = shape.columns.iter().position(|column| column.name == "name");
    match (table, name.map(|index| &row[index])) {
        ("installation", Some(Value::Text(name))) => !OWN_FACTS.contains(&name.as_str()),
        _ => true,
    }
}

/// Lets rows come before those that they point to, until the commit. Answers what is to be put right before it (PostgreSQL).
async fn defer(tx: &mut WriteTx<scope::Public>, is_postgres: bool) -> Result<Vec<(String, String)>> {
    if !is_postgres {
        tx.execute("PRAGMA defer_foreign_keys=ON", &[]).await?;
        return Ok(Vec::new());
    }
    let sql = "SELECT r.relname::text, c.conname::text FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
         JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = 'control' AND c.contype = 'f' AND NOT c.condeferrable";
    let mut constraints = Vec::new();
    for mut row in tx.rows(sql, params![]).await? {
        let (table, name): (String, String) = (row.take()?, row.take()?);
        tx.execute(&format!("ALTER TABLE \"{table}\" ALTER CONSTRAINT \"{name}\" DEFERRABLE INITIALLY DEFERRED"), &[]).await?;
        constraints.push((table, name));
    }
    Ok(constraints)
}

/// Checks what was deferred, and makes the constraints what they were.
async fn enforce(tx: &mut WriteTx<scope::Public>, constraints: &[(String, String)]) -> Result<()> {
    if constraints.is_empty() {
        return Ok(());
    }
    tx.execute("SET CONSTRAINTS ALL IMMEDIATE", &[]).await?;
    for (table, name) in constraints {
        tx.execute(&format!("ALTER TABLE \"{table}\" ALTER CONSTRAINT \"{name}\" NOT DEFERRABLE"), &[]).await?;
    }
    Ok(())
}
