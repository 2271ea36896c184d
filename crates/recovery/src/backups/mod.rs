//! Backups: of the whole installation or of one tenant, made while the hub runs.
//!
//! The control database comes first, then each tenant, each as it was at one instant. A tenant that is purged meanwhile is left out, and
//! the manifest says so. The file is streamed: nothing of it is ever held whole.

mod schedule;
mod verify;

use std::io::Write;
use std::sync::Arc;

use kernel::secrets::{SEALED_BY_MASTER, SealedColumn, SecretKey};
use kernel::store::{Piece, Snapshot, Table};
use kernel::{Error, Hub, Result, TenantId, Timestamp, params};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

pub use schedule::{Keep, Schedule, ScheduleState, due, run_due, state};
pub(crate) use verify::newest_at;
pub use verify::{Verified, verify};

use crate::format::{FileWriter, Footer, Header, Kind, RecordWriter, SectionKind, damaged};
use crate::keys::{self, on_a_thread};
use crate::places::{self, Place};
use crate::registry::{self, Registry};
use crate::restores::seal::Resealer;
use crate::{BackupId, Progress, Recovery};

/// What a control section begins with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ControlInfo {
    /// When it was read.
    pub at: Timestamp,
}

/// What a tenant's section begins with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TenantInfo {
    /// When it was read.
    pub at: Timestamp,
    /// What the control database said of it then.
    pub registry: Registry,
    /// Its data key in hexadecimal; only in bundles, which nobody opens without the passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_key: Option<String>,
    /// The public keys of the ledger's checkpoints; only in bundles.
    #[serde(default)]
    pub ledger_keys: serde_json::Value,
}

/// What the last section of a file says it holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    pub sections: Vec<Indexed>,
}

/// One section, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Indexed {
    pub kind: SectionKind,
    pub tenant: Option<TenantId>,
    pub chunks: u64,
    pub rows: u64,
}

/// The manifest that lies beside a whole backup. It names tenants by their ids only, since everybody with the place can read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// `bak_…`.
    pub id: BackupId,
    /// The file it describes.
    pub file: String,
    /// What it is of.
    pub kind: Kind,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Engine it was read from.
    pub engine: String,
    /// Its size.
    pub bytes: u64,
    /// Bytes of the data before compression.
    pub data_bytes: u64,
    /// BLAKE3 of the whole file but its last 32 bytes, which are the same.
    pub blake3: String,
    /// Made by the schedule; only such are removed by it.
    pub scheduled: bool,
    /// Each tenant in it.
    pub tenants: Vec<Held>,
    /// Tenants that were left out, because they were purged meanwhile.
    pub skipped: Vec<TenantId>,
}

/// A tenant in a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    /// The tenant.
    pub id: TenantId,
    /// When its database was read.
    pub at: Timestamp,
    /// How many rows it has.
    pub rows: u64,
}

/// What to back up, and where to.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Slug or id of one tenant; none: the whole installation.
    pub tenant: Option<String>,
    /// The place; none: the one that is set up.
    pub to: Option<String>,
    /// Asked for by the schedule.
    pub scheduled: bool,
}

/// Opens the place that is named, else the one that is set up.
///
/// # Errors
/// `Invalid` without either, `Unavailable`.
pub async fn place(hub: &Hub, named: Option<&str>, make: bool) -> Result<Arc<dyn Place>> {
    let recovery = hub.port::<Recovery>();
    let url = named.or(recovery.settings.to.as_deref());
    let url =
        url.ok_or_else(|| Error::field("to", "missing", "name a place with --to, or set [backup] to in the configuration"))?;
    let (url, s3) = (url.to_owned(), recovery.settings.s3.clone());
    on_a_thread(move || places::at(&url, &s3, make)).await
}

/// Makes a backup.
///
/// # Errors
/// `NotFound` without such a tenant, `Unavailable` when the place is, `Conflict` when the place is another installation's.
pub async fn make(hub: &Hub, asked: &Asked, progress: &Progress) -> Result<Manifest> {
    let place = place(hub, asked.to.as_deref(), true).await?;
    let (now, recovery) = (hub.now(), hub.port::<Recovery>());
    let only = match &asked.tenant {
        Some(named) => Some(registry::find(&mut hub.system_read().await?, named).await?.ok_or(Error::NotFound)?),
        None => None,
    };
    remember(hub, place.url()).await?;
    // Before the file: there is never a backup without the keys to it.
    recovery.keyrings.write(hub, place.clone()).await?;
    let id = BackupId::new(now);
    let work = Work {
        hub: hub.clone(),
        hub_key: keys::hub_key(hub).await?,
        runtime: Handle::current(),
        progress: progress.clone(),
        only,
        header: Header::new(id.to_string(), if only.is_some() { Kind::Tenant } else { Kind::Hub }, now, hub.engine_name()),
    };
    let (to, scheduled) = (place.clone(), asked.scheduled);
    let manifest = on_a_thread(move || work.write(&*to, id, scheduled)).await?;
    // Again, for tenants that came meanwhile and are in the file.
    recovery.keyrings.write(hub, place.clone()).await?;
    note(hub, &manifest, place.url(), only).await?;
    Ok(manifest)
}

async fn remember(hub: &Hub, url: &str) -> Result<()> {
    if keys::places_used(hub).await?.iter().any(|known| known == url) {
        return Ok(());
    }
    let mut tx =
        hub.system_write("backup_place.create", "A place gets its first backup; purges reach its keyring from now on.").await?;
    let now = tx.now();
    tx.execute("INSERT INTO backup_place (url, used_at) VALUES (?1, ?2) ON CONFLICT (url) DO NOTHING", params![url, now]).await?;
    tx.keeps_authority().subject("backup_place", url, None);
    tx.commit().await
}

/// Forgets a place that is gone for good: purges do not wait for it any more. Answers whether it was known.
///
/// # Errors
/// `Unavailable`.
pub async fn forget_place(hub: &Hub, url: &str) -> Result<bool> {
    let mut tx = hub.system_write("backup_place.delete", "The operator says that this place is gone.").await?;
    let known = tx.execute("DELETE FROM backup_place WHERE url = ?1", params![url]).await? == 1;
    tx.keeps_authority().subject("backup_place", url, None);
    tx.commit().await?;
    Ok(known)
}

async fn note(hub: &Hub, manifest: &Manifest, place: &str, only: Option<TenantId>) -> Result<()> {
    let mut tx = hub.system_write("backup.create", "A backup was made.").await?;
    let after = serde_json::json!({ "place": place, "file": manifest.file, "bytes": manifest.bytes, "blake3": manifest.blake3,
        "tenants": manifest.tenants.len(), "skipped": manifest.skipped });
    tx.keeps_authority().subject("backup", manifest.id, None).changed("backup", manifest.id, &(), &after);
    if let Some(tenant) = only {
        tx.also_in(tenant);
    }
    tx.commit().await
}

/// All that the writing thread needs.
struct Work {
    hub: Hub,
    hub_key: SecretKey,
    runtime: Handle,
    progress: Progress,
    only: Option<TenantId>,
    header: Header,
}

/// What came of the sections.
#[derive(Default)]
struct Written {
    index: Index,
    held: Vec<Held>,
    skipped: Vec<TenantId>,
    data_bytes: u64,
}

impl Work {
    fn write(self, place: &dyn Place, id: BackupId, scheduled: bool) -> Result<Manifest> {
        let file = file_name(self.header.made_at, id);
        let mut file_writer = FileWriter::begin(place.create(&file)?, &self.header)?;
        let written = self.sections(&mut file_writer)?;
        let (sink, bytes, blake3) = file_writer.end()?;
        sink.finish()?;
        let manifest = Manifest {
            id,
            file,
            kind: self.header.kind,
            made_at: self.header.made_at,
            engine: self.header.engine,
            bytes,
            data_bytes: written.data_bytes,
            blake3,
            scheduled,
            tenants: written.held,
            skipped: written.skipped,
        };
        let json = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
        places::write_small(place, &manifest_name(&manifest.file), &json)?;
        Ok(manifest)
    }

    fn sections<W: Write>(&self, file: &mut FileWriter<W>) -> Result<Written> {
        let mut written = Written::default();
        let tenants = match self.only {
            Some(tenant) => vec![tenant],
            None => {
                self.control(file, &mut written)?;
                self.runtime.block_on(tenants(&self.hub))?
            }
        };
        for (n, tenant) in tenants.iter().enumerate() {
            self.progress.say(format!("tenant {} of {}", n + 1, tenants.len()));
            match self.tenant(file, *tenant, &mut written) {
                // Purged since the list was made.
                Err(Error::NotFound) if self.only.is_none() => written.skipped.push(*tenant),
                other => other?,
            }
        }
        let section = file.section(SectionKind::Index, None, &self.hub_key)?;
        let (section, _) = RecordWriter::begin(section, &written.index)?.end()?;
        section.end()?;
        Ok(written)
    }

    fn control<W: Write>(&self, file: &mut FileWriter<W>, written: &mut Written) -> Result<()> {
        self.progress.say("control database");
        let at = self.hub.now();
        let snapshot = self.runtime.block_on(self.hub.snapshot_control())?;
        let section = file.section(SectionKind::Control, None, &self.hub_key)?;
        let records = RecordWriter::begin(section, &ControlInfo { at })?;
        // What the master key sealed is sealed with the hub's backup key instead, so that another master key can take it over. Keys of
        // tenants are not in the file at all.
        let resealer = Resealer::new(&self.hub.master_key(), &self.hub_key, &sealed_but_keys());
        let (section, footer) = copy(&self.runtime, snapshot, records, Some(resealer))?;
        written.note(SectionKind::Control, None, section.end()?, &footer);
        Ok(())
    }

    fn tenant<W: Write>(&self, file: &mut FileWriter<W>, tenant: TenantId, written: &mut Written) -> Result<()> {
        let (info, key, snapshot) = self.runtime.block_on(begin_tenant(&self.hub, tenant))?;
        let section = file.section(SectionKind::Tenant, Some(tenant), &key)?;
        let at = info.at;
        let (section, footer) = copy(&self.runtime, snapshot, RecordWriter::begin(section, &info)?, None)?;
        written.note(SectionKind::Tenant, Some(tenant), section.end()?, &footer);
        written.held.push(Held { id: tenant, at, rows: footer.rows() });
        Ok(())
    }
}

/// Columns that the master key seals and that a backup carries. The wrapped keys of tenants are left out of it.
pub(crate) fn sealed_but_keys() -> Vec<SealedColumn> {
    SEALED_BY_MASTER.iter().filter(|sealed| sealed.column != "wrapped_key").copied().collect()
}

/// All that a tenant's section needs: what it begins with, the key it is sealed with, its rows. `NotFound` when it was purged.
pub(crate) async fn begin_tenant(hub: &Hub, tenant: TenantId) -> Result<(TenantInfo, SecretKey, Snapshot)> {
    let registry = registry::load(&mut hub.system_read().await?, tenant).await?.ok_or(Error::NotFound)?;
    let key = match hub.tenant_key(tenant).await {
        Err(Error::Conflict(_)) => return Err(Error::NotFound),
        other => other?.alone(),
    };
    let snapshot = hub.snapshot(tenant).await?;
    let info = TenantInfo { at: hub.now(), registry, data_key: None, ledger_keys: serde_json::Value::Null };
    Ok((info, key, snapshot))
}

impl Written {
    fn note(&mut self, kind: SectionKind, tenant: Option<TenantId>, (chunks, bytes): (u64, u64), footer: &Footer) {
        self.data_bytes += bytes;
        self.index.sections.push(Indexed { kind, tenant, chunks, rows: footer.rows() });
    }
}

/// Copies a tenant's rows into a section, with what is sealed in them sealed anew.
pub(crate) fn copy_tenant<W: Write>(
    runtime: &Handle,
    snapshot: Snapshot,
    records: RecordWriter<W>,
    resealer: Resealer,
) -> Result<(W, Footer)> {
    copy(runtime, snapshot, records, Some(resealer))
}

fn copy<W: Write>(
    runtime: &Handle,
    mut snapshot: Snapshot,
    mut records: RecordWriter<W>,
    mut resealer: Option<Resealer>,
) -> Result<(W, Footer)> {
    let mut is_left_out = vec![];
    while let Some(piece) = runtime.block_on(snapshot.next())? {
        match piece {
            Piece::Table(table) => {
                is_left_out = left_out(&table);
                if let Some(resealer) = &mut resealer {
                    resealer.table(&table);
                }
                records.table(&table)?;
            }
            Piece::Rows(rows) => {
                for mut row in rows {
                    if let Some(resealer) = &resealer {
                        resealer.row(&mut row)?;
                    }
                    for index in &is_left_out {
                        row[*index] = kernel::store::Value::Null;
                    }
                    records.row(&row)?;
                }
            }
        }
    }
    records.end()
}

/// Columns that are blank in a backup: wrapped keys, which only the control database has.
fn left_out(table: &Table) -> Vec<usize> {
    table.columns.iter().enumerate().filter(|(_, column)| column.name == "wrapped_key").map(|(index, _)| index).collect()
}

async fn tenants(hub: &Hub) -> Result<Vec<TenantId>> {
    let rows = hub.system_read().await?.rows("SELECT id FROM tenant WHERE state <> 'purged' ORDER BY id", params![]).await?;
    Ok(rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?)
}

/// `tenantry-20261121T090000Z-0a1b2c3d.tbk`: sorts by time.
fn file_name(at: Timestamp, id: BackupId) -> String {
    let stamp: String = at.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    let id = id.uuid().simple().to_string();
    format!("tenantry-{stamp}Z-{}.tbk", &id[24..])
}

fn manifest_name(file: &str) -> String {
    format!("{}.json", file.trim_end_matches(".tbk"))
}

/// The whole backups of a place, newest first. Half ones have no manifest and are not among them.
///
/// # Errors
/// `Unavailable`.
pub async fn list(place: Arc<dyn Place>) -> Result<Vec<Manifest>> {
    on_a_thread(move || {
        let names = place.list()?;
        let mut manifests = Vec::new();
        for name in names.iter().filter(|name| name.starts_with("tenantry-") && name.ends_with(".json")) {
            let Some(bytes) = places::read_small(&*place, name)? else { continue };
            let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(format_args!("{name}: {error}")))?;
            if names.contains(&manifest.file) {
                manifests.push(manifest);
            }
        }
        manifests.sort_by(|a, b| b.made_at.cmp(&a.made_at).then_with(|| b.id.cmp(&a.id)));
        Ok(manifests)
    })
    .await
}
