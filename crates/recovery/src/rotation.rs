//! New keys: of the installation, and of tenants. At every instant everything that is sealed opens, whatever is interrupted where.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use kernel::secrets::{SEALED_BY_MASTER, SEALED_BY_TENANT, SealedColumn, SecretKey};
use kernel::store::{Piece, Table, Value};
use kernel::{CanFail, Error, Hub, Result, TenantId, WriteTx, params, scope};
use serde::Serialize;
use tokio::runtime::Handle;

use crate::keys::{on_a_thread, places_used};
use crate::places;
use crate::restores::load::Target;
use crate::restores::seal::Resealer;
use crate::{Progress, Recovery};

/// What came of a rotation of the master key.
#[derive(Debug, Clone, Serialize)]
pub struct MasterRotated {
    /// Name of the key before.
    pub before: String,
    /// Name of the key now.
    pub now: String,
    /// Values that were sealed anew.
    pub values: u64,
    /// The file that has the key now; none: the hub gets it from its environment or a command, which the operator changes.
    pub file: Option<PathBuf>,
    /// Places whose keyring could not be written with the new key; the next backup there does it, and needs both keys until then.
    pub places_left: Vec<String>,
}

/// What came of a rotation of a tenant's data key.
#[derive(Debug, Clone, Serialize)]
pub struct TenantRotated {
    /// The tenant.
    pub tenant: TenantId,
    /// Name of the key now.
    pub now: String,
    /// Values that were sealed anew.
    pub values: u64,
}

/// Where a key lies between the commit that begins to use it and the rename that puts it into its place.
pub fn next_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// Puts a new master key in the place of the one in use. Everything sealed with the old one is sealed anew in one transaction of the control
/// database. Where the key lies in a file, the new one is beside it before the commit, as `<file>.next`, and renamed after; a start that
/// finds the old one not fitting takes the next.
///
/// # Errors
/// `Invalid` when it is the key in use; `Unavailable`. Then the old key stays.
pub async fn master(hub: &Hub, new: SecretKey) -> Result<MasterRotated> {
    let (old, recovery) = (hub.master_key(), hub.port::<Recovery>());
    if old.is(&new) {
        return Err(Error::field("new_key_file", "same", "holds the key that is in use"));
    }
    let file = recovery.settings.master_key_file.clone();
    if let Some(file) = &file {
        write_key(&next_file(file), &new)
            .map_err(|error| Error::Unavailable(format!("{}: {error}.", next_file(file).display())))?;
    }
    let both = new.after(std::slice::from_ref(&old));
    let mut values = reseal_control(hub, &old, &both).await?;
    if let Some(file) = &file {
        let renamed = std::fs::rename(next_file(file), file).and_then(|()| sync_folder(file));
        renamed.can_fail("the next start takes the next key, which fits");
    }
    if hub.is_shared() {
        // Whoever sealed with the old key, and waited for the lock, has committed by now.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        values += reseal_control(hub, &both, &both).await?;
    }
    let mut places_left = Vec::new();
    for url in places_used(hub).await? {
        let (s3, named) = (recovery.settings.s3.clone(), url.clone());
        let written = match on_a_thread(move || places::at(&named, &s3, false)).await {
            Ok(place) => recovery.keyrings.write(hub, place).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(place = url, %error, "the keyring of this place still has the old master key");
            places_left.push(url);
        }
    }
    Ok(MasterRotated { before: old.name(), now: new.name(), values, file, places_left })
}

fn write_key(path: &Path, key: &SecretKey) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{}", &*key.to_hex())?;
    file.sync_all()?;
    sync_folder(path)
}

fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

/// Seals anew what is not sealed with the new key yet. The hub uses the new key from just before the commit on, so that nobody who comes
/// after it seals with the old one.
async fn reseal_control(hub: &Hub, old: &SecretKey, new: &SecretKey) -> Result<u64> {
    let tables = hub.control_tables().await?;
    let mut tx = hub.system_write("master_key.rotate", "The master key is replaced.").await?;
    let mut values = 0;
    for table in tables.iter().filter(|table| SEALED_BY_MASTER.iter().any(|sealed| sealed.table == table.name)) {
        if hub.is_shared() {
            tx.execute(&format!("LOCK TABLE \"{}\" IN SHARE ROW EXCLUSIVE MODE", table.name), &[]).await?;
        }
        values += reseal_table(&mut tx, table, old, new).await?;
    }
    let names = |key: &SecretKey| serde_json::json!({ "key": key.name() });
    tx.keeps_authority().changed("master_key", "installation", &names(old), &names(new));
    hub.use_master_key(new.clone());
    if let Err(error) = tx.commit().await {
        // Whether a commit that failed was made is for the store to say.
        hub.use_master_key(old.after(std::slice::from_ref(new)));
        return Err(error);
    }
    Ok(values)
}

async fn reseal_table(tx: &mut WriteTx<scope::Public>, table: &Table, old: &SecretKey, new: &SecretKey) -> Result<u64> {
    let mut resealer = Resealer::new(old, new, SEALED_BY_MASTER);
    resealer.table(table);
    let sealed: Vec<&SealedColumn> = SEALED_BY_MASTER.iter().filter(|sealed| sealed.table == table.name).collect();
    let any = sealed.iter().map(|sealed| format!("{} IS NOT NULL", sealed.column)).collect::<Vec<_>>().join(" OR ");
    let rows = tx.rows(&format!("SELECT {} FROM \"{}\" WHERE {any}", table.column_list(), table.name), params![]).await?;
    let mut values = 0;
    for mut row in rows {
        let mut row: Vec<Value> = table.columns.iter().map(|_| row.take()).collect::<Result<_, _>>()?;
        for (column, value) in table.columns.iter().zip(&mut row) {
            // SQLite gives ids as bytes.
            if let (kernel::store::ColumnKind::Uuid, Value::Blob(bytes)) = (column.kind, &*value) {
                *value = Value::Uuid(uuid::Uuid::from_slice(bytes).map_err(Error::internal)?);
            }
        }
        if resealer.is_done(&row)? || !resealer.row(&mut row)? {
            continue;
        }
        let (sql, params) = update(table, &sealed, &row);
        values += tx.execute(&sql, &params).await?;
    }
    Ok(values)
}

/// Sets a row's sealed columns, found by its key.
fn update(table: &Table, sealed: &[&SealedColumn], row: &[Value]) -> (String, Vec<Value>) {
    let (mut set, mut key, mut params) = (Vec::new(), Vec::new(), Vec::new());
    for (column, value) in table.columns.iter().zip(row) {
        let is_sealed = sealed.iter().any(|sealed| sealed.column == column.name);
        if !is_sealed && !column.key {
            continue;
        }
        params.push(value.clone());
        let term = format!("\"{}\" = ?{}", column.name, params.len());
        if is_sealed { set.push(term) } else { key.push(term) }
    }
    (format!("UPDATE \"{}\" SET {} WHERE {}", table.name, set.join(", "), key.join(" AND ")), params)
}

/// Gives a tenant a new data key, and seals with it what its database holds. The old key is kept, wrapped, for older backups; until
/// everything is sealed anew, what it sealed opens as before. Interrupted, it is simply asked for again.
///
/// # Errors
/// `NotFound`, `Conflict` when its key was destroyed, `Unavailable`.
pub async fn tenant(hub: &Hub, tenant: TenantId) -> Result<TenantRotated> {
    let old = hub.tenant_key(tenant).await?;
    let new = SecretKey::generate();
    let (master, label) = (hub.master_key(), crate::keys::label(tenant));
    if hub.is_shared() {
        // Other hubs learn of the new key first, so that they can open what is sealed with it.
        keep(hub, tenant, &new, "A data key is about to be used.").await?;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let mut tx = hub.system_write("tenant_key.rotate", "A tenant's data key is replaced.").await?;
    let now = tx.now();
    let kept = params![tenant, old.name(), old.wrapped_by(&master, &label), now];
    tx.execute("DELETE FROM tenant_key WHERE tenant_id = ?1 AND name = ?2", params![tenant, new.name()]).await?;
    tx.execute(KEEP, kept).await?;
    let wrapped = new.wrapped_by(&master, &label);
    let changed = tx
        .execute("UPDATE tenant SET wrapped_key = ?2 WHERE id = ?1 AND wrapped_key IS NOT NULL", params![tenant, wrapped])
        .await?;
    if changed != 1 {
        return Err(Error::NotFound);
    }
    let names = |key: &SecretKey| serde_json::json!({ "key": key.name() });
    tx.keeps_authority().subject("tenant", tenant, None).changed("data_key", tenant, &names(&old), &names(&new)).also_in(tenant);
    tx.commit().await?;
    hub.forget_cached_key(tenant);
    let values = reseal_tenant(hub, tenant).await?;
    Ok(TenantRotated { tenant, now: new.name(), values })
}

const KEEP: &str = "INSERT INTO tenant_key (tenant_id, name, wrapped_key, retired_at) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (tenant_id, name) DO NOTHING";

async fn keep(hub: &Hub, tenant: TenantId, key: &SecretKey, why: &'static str) -> Result<()> {
    let mut tx = hub.system_write("tenant_key.keep", why).await?;
    let now = tx.now();
    let wrapped = key.wrapped_by(&hub.master_key(), &crate::keys::label(tenant));
    tx.execute(KEEP, params![tenant, key.name(), wrapped, now]).await?;
    tx.keeps_authority().subject("tenant", tenant, None);
    tx.commit().await
}

/// Seals anew what is not sealed with the tenant's key in use. Answers how many values.
///
/// # Errors
/// `Unavailable`.
pub async fn reseal_tenant(hub: &Hub, tenant: TenantId) -> Result<u64> {
    let key = hub.tenant_key(tenant).await?;
    let mut tx = hub.system(tenant, "data_key.reseal", "What the data key sealed is sealed with the one in use.").await?;
    // After nobody else writes: what the snapshot shows is what is there until the commit.
    tx.alone().await?;
    let mut snapshot = hub.snapshot(tenant).await?;
    let (hub, runtime) = (hub.clone(), Handle::current());
    on_a_thread(move || {
        let mut resealer = Resealer::new(&key, &key.alone(), SEALED_BY_TENANT);
        let (mut table, mut values) = (None, 0);
        while let Some(piece) = runtime.block_on(snapshot.next())? {
            match piece {
                Piece::Table(next) => {
                    resealer.table(&next);
                    table = Some(next).filter(|_| resealer.is_needed());
                }
                Piece::Rows(rows) => {
                    let Some(table) = &table else { continue };
                    for mut row in rows {
                        if resealer.is_done(&row)? {
                            continue;
                        }
                        let before = row.clone();
                        resealer.row(&mut row)?;
                        let (sql, params) = replace(table, &before, row, hub.is_shared());
                        values += tx.run(&runtime, &sql, &params)?;
                    }
                }
            }
        }
        tx.changed("data_key", tenant, &(), &serde_json::json!({ "key": key.name(), "values": values }));
        runtime.block_on(tx.commit())?;
        Ok(values)
    })
    .await
}

/// Puts a resealed row in place of the one that was read.
fn replace(table: &Table, before: &[Value], row: Vec<Value>, is_postgres: bool) -> (String, Vec<Value>) {
    let sealed: Vec<&SealedColumn> = SEALED_BY_TENANT.iter().filter(|sealed| sealed.table == table.name).collect();
    let is_sealed = |name: &str| sealed.iter().any(|sealed| sealed.column == name);
    if is_postgres {
        let (mut sql, mut params) = update(table, &sealed, &row);
        for (column, value) in table.columns.iter().zip(before).filter(|(column, _)| is_sealed(&column.name)) {
            params.push(value.clone());
            sql.push_str(&format!(" AND \"{}\" = ?{}", column.name, params.len()));
        }
        return (sql, params);
    }
    // By the primary key, which begins with a column that no query names: SQLite finds a row through it in no other way as fast.
    let key: Vec<String> = table.columns.iter().filter(|column| column.key).map(|column| format!("\"{}\"", column.name)).collect();
    let values: Vec<String> = (1..=row.len()).map(|n| format!("?{n}")).collect();
    let set: Vec<String> = table
        .columns
        .iter()
        .filter(|column| is_sealed(&column.name))
        .map(|column| format!("\"{0}\" = excluded.\"{0}\"", column.name))
        .collect();
    let sql = format!(
        "INSERT INTO \"{}\" ({}) VALUES ({}) ON CONFLICT (tenant_id, {}) DO UPDATE SET {}",
        table.name,
        table.column_list(),
        values.join(", "),
        key.join(", "),
        set.join(", ")
    );
    (sql, row)
}

/// All tenants that have a key.
pub(crate) async fn tenants(hub: &Hub) -> Result<Vec<TenantId>> {
    let rows = hub.system_read().await?.rows("SELECT id FROM tenant WHERE wrapped_key IS NOT NULL ORDER BY id", params![]).await?;
    Ok(rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?)
}

/// Gives every tenant a new data key, one after the other.
///
/// # Errors
/// As [`tenant`]; those before have theirs.
pub async fn all_tenants(hub: &Hub, progress: &Progress) -> Result<Vec<TenantRotated>> {
    let tenants = tenants(hub).await?;
    let mut rotated = Vec::new();
    for (n, one) in tenants.iter().enumerate() {
        progress.say(format!("tenant {} of {}", n + 1, tenants.len()));
        match tenant(hub, *one).await {
            // Purged since the list was made.
            Err(Error::NotFound | Error::Conflict(_)) => {}
            other => rotated.push(other?),
        }
    }
    Ok(rotated)
}
