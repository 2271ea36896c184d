//! Restores: one tenant over the live one or beside it, or the whole installation into an empty store. Others work on meanwhile.
//!
//! Over: the tenant's data becomes what the backup has, in one transaction. Its ledger goes on: it is never rolled back, and gets an entry
//! `tenant.restored` that says what was restored, when it was made, the counts before and after, and why. Who may do what (members,
//! relationships, assignments, settings) stays as it is.
//!
//! Beside: a new tenant `<slug>-restored-<when>` with the backup's data and the backup's ledger, continued by `tenant.restored`; on the terms
//! the live one has now (a frozen relationship stays frozen), with the people it has now, without assignments. A tenant that the control
//! database does not know any more (lost, not purged) comes back under its own id, with what its section says of it.
//!
//! A purged tenant cannot be restored: its key is gone.

mod all;
mod beside;
pub(crate) mod load;
pub(crate) mod seal;

use std::io::Read;
use std::sync::Arc;

use kernel::secrets::SecretKey;
use kernel::{CanFail, Error, Hub, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

pub use all::{Everything, all};
pub(crate) use beside::{Arriving, enter, finish_interrupted, provider};

use crate::backups::{self, Manifest, TenantInfo};
use crate::format::{FileReader, Header, Kind, RecordReader, SectionReader, damaged};
use crate::keys::{Finder, keyring, on_a_thread};
use crate::places::{self, Place};
use crate::{BackupId, Progress, Recovery, registry};
use load::{Counts, Load};
use seal::Resealer;

/// How a tenant is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// In place of the live one's data.
    Over,
    /// As a new tenant.
    Beside,
}

/// Which backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// This one: its id, its file's name in the place, or a path.
    Backup(String),
    /// The newest that has the tenant as it was then or before.
    At(Timestamp),
}

/// What to restore.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Slug or id; of a tenant that is lost its id, or the slug it had.
    pub tenant: String,
    /// Over or beside.
    pub how: How,
    /// From which backup.
    pub from: From,
    /// The place; none: the one that is set up.
    pub place: Option<String>,
    /// Why, in the operator's words.
    pub reason: String,
}

/// A restore that was done.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// The tenant that has the data now.
    pub tenant: TenantId,
    /// Its slug.
    pub slug: String,
    /// The backup.
    pub backup: String,
    /// When the tenant's database was read for it.
    pub as_of: Timestamp,
    /// Rows before, of the tables that were replaced.
    pub rows_before: u64,
    /// Rows now, of the same tables.
    pub rows_after: u64,
}

/// Tables that are never rolled back: the ledger and what belongs to it, and news on their way.
pub(crate) fn is_history(table: &str) -> bool {
    table.starts_with("ledger") || table.contains("checkpoint") || table == "outbox"
}

/// Where a backup lies: `named` is its id, its file's name in the place, or a path.
///
/// # Errors
/// `NotFound`; `Invalid` without a place.
pub async fn source(hub: &Hub, named: &str, place: Option<&str>) -> Result<(Arc<dyn Place>, String)> {
    let path = std::path::Path::new(named);
    if named.contains('/') && !named.contains("://") {
        let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else { return Err(Error::NotFound) };
        let folder = if folder.as_os_str().is_empty() { ".".into() } else { folder.to_string_lossy().into_owned() };
        let place = on_a_thread(move || places::at(&folder, &places::S3Settings::default(), false)).await?;
        return Ok((place, file.to_string_lossy().into_owned()));
    }
    let place = backups::place(hub, place, false).await?;
    let manifests = backups::list(place.clone()).await?;
    let id = named.parse::<BackupId>().ok();
    let found = manifests.into_iter().find(|manifest| Some(manifest.id) == id || manifest.file == named);
    found.map(|manifest| (place, manifest.file)).ok_or(Error::NotFound)
}

/// Restores one tenant.
///
/// # Errors
/// `NotFound` without such a tenant or backup, `Conflict` when the backup is damaged or the tenant was purged, `Invalid` without a reason.
/// Then nothing was changed.
pub async fn tenant(hub: &Hub, asked: &Asked, progress: &Progress) -> Result<Restored> {
    let reason = asked.reason.trim().to_owned();
    if reason.chars().count() < 3 {
        return Err(Error::field("reason", "too_short", "say why, in 3 characters at least; the tenant reads it"));
    }
    let live = registry::find(&mut hub.system_read().await?, &asked.tenant).await?;
    let (place, file) = choose(hub, asked, live).await?;
    begin_note(hub, asked, &file, live).await?;
    let work = Work {
        hub: hub.clone(),
        runtime: Handle::current(),
        progress: progress.clone(),
        named: asked.tenant.clone(),
        live,
        how: asked.how,
        reason: reason.clone(),
    };
    let restored = on_a_thread(move || work.run(&*place, &file)).await?;
    let mut tx = hub.system_write("tenant.restored", "A tenant was restored from a backup.").await?;
    tx.reason(&reason).subject("tenant", restored.tenant, restored.slug.clone()).changed(
        "restore",
        restored.tenant,
        &(),
        &restored,
    );
    tx.commit().await?;
    let refreshed = hub.port::<Recovery>().settings.neighbours.refresh(hub, restored.tenant).await;
    refreshed.can_fail("the next write on the tenant sends its summary too");
    Ok(restored)
}

async fn choose(hub: &Hub, asked: &Asked, live: Option<TenantId>) -> Result<(Arc<dyn Place>, String)> {
    let at = match &asked.from {
        From::Backup(named) => return source(hub, named, asked.place.as_deref()).await,
        From::At(at) => *at,
    };
    let id = live.or_else(|| asked.tenant.parse().ok());
    let id = id.ok_or_else(|| Error::field("tenant", "unknown", "is not known here; name it by its id, or name the backup"))?;
    let place = backups::place(hub, asked.place.as_deref(), false).await?;
    let manifests = backups::list(place.clone()).await?;
    let newest: Option<&Manifest> = backups::newest_at(&manifests, id, at);
    newest.map(|manifest| (place, manifest.file.clone())).ok_or(Error::NotFound)
}

/// Before anything happens, so that an interrupted restore is in the installation's ledger too.
async fn begin_note(hub: &Hub, asked: &Asked, file: &str, live: Option<TenantId>) -> Result<()> {
    let mut tx = hub.system_write("tenant.restore", "The operator asked for a restore.").await?;
    let asked_for = serde_json::json!({ "tenant": asked.tenant, "how": asked.how, "file": file });
    tx.keeps_authority().reason(asked.reason.trim()).changed(
        "restore",
        live.map_or(String::new(), |id| id.to_string()),
        &(),
        &asked_for,
    );
    tx.commit().await
}

/// All that the restoring thread needs.
struct Work {
    hub: Hub,
    runtime: Handle,
    progress: Progress,
    named: String,
    live: Option<TenantId>,
    how: How,
    reason: String,
}

/// A tenant's section, opened.
pub(crate) struct Opened<'a, R: Read> {
    pub info: TenantInfo,
    pub key: SecretKey,
    pub header: Header,
    pub records: RecordReader<SectionReader<'a, R>>,
}

impl Work {
    fn run(&self, place: &dyn Place, name: &str) -> Result<Restored> {
        let finder = Finder::new(&self.hub, keyring(place)?);
        let mut file = FileReader::open(place.open(name)?)?;
        if file.header.kind == Kind::Bundle {
            return Err(Error::Conflict("This is a bundle: use tenantry bundle import.".into()));
        }
        let opened = self.find(&mut file, &finder)?;
        self.progress.say("restoring");
        match (self.how, self.live) {
            (How::Over, Some(tenant)) => self.over(tenant, opened),
            (How::Over, None) => Err(Error::Conflict(
                "This tenant is not known here, so there is nothing to restore over. Restore it beside: it comes back under its own id.".into(),
            )),
            (How::Beside, _) => self.beside(opened),
        }
    }

    /// Goes to the tenant's section: by id, or by the slug that a section says.
    fn find<'a, R: Read>(&self, file: &'a mut FileReader<R>, finder: &Finder) -> Result<Opened<'a, R>> {
        let wanted = self.live.or_else(|| self.named.parse().ok());
        let mut is_purged = false;
        let (mut found, header) = (None, file.header.clone());
        while let Some(head) = file.next_section()? {
            let Some(tenant) = head.tenant else { continue };
            if wanted.is_some_and(|wanted| wanted != tenant) {
                continue;
            }
            let Some(key) = self.runtime.block_on(finder.of_tenant(tenant, &head.key))? else {
                is_purged = wanted.is_some();
                continue;
            };
            if wanted.is_some() {
                found = Some((key, tenant));
                break;
            }
            // Only the section itself says the slug of a tenant that is not known here.
            let (_, info) = RecordReader::begin::<TenantInfo>(file.section(&key))?;
            if info.registry.slug == self.named {
                return Err(Error::field("tenant", "unknown", format!("is {tenant} in this backup; name it by this id")));
            }
        }
        if is_purged {
            return Err(Error::Conflict(
                "This tenant was purged: its key is destroyed, and nobody can read what the backup has of it.".into(),
            ));
        }
        let (key, tenant) = found.ok_or(Error::NotFound)?;
        let (records, info) = RecordReader::begin::<TenantInfo>(file.section(&key))?;
        if info.registry.id != tenant {
            return Err(damaged("a section is of another tenant than it says"));
        }
        Ok(Opened { info, key, header, records })
    }

    fn over<R: Read>(&self, tenant: TenantId, mut opened: Opened<'_, R>) -> Result<Restored> {
        let runtime = &self.runtime;
        let tables = runtime.block_on(self.hub.tables(tenant))?;
        let live_key = runtime.block_on(self.hub.tenant_key(tenant))?;
        let resealer =
            (!live_key.is(&opened.key)).then(|| Resealer::new(&opened.key, &live_key, kernel::secrets::SEALED_BY_TENANT));
        let mut tx = runtime.block_on(self.hub.system(tenant, "tenant.restored", "The operator restored a backup."))?;
        runtime.block_on(tx.alone())?;
        let load = Load { runtime, tables: &tables, is_kept: is_history, resealer };
        let before = load.clear(&mut tx)?;
        let after = load.fill(&mut tx, &mut opened.records, &mut |_, _, _| Ok(true))?;
        let registry =
            runtime.block_on(async { registry::load(&mut self.hub.system_read().await?, tenant).await.map_err(Error::from) })?;
        let slug = registry.ok_or(Error::NotFound)?.slug;
        let restored = Restored {
            tenant,
            slug: slug.clone(),
            backup: opened.header.id.clone(),
            as_of: opened.info.at,
            rows_before: before.values().sum(),
            rows_after: after.values().sum(),
        };
        tx.reason(&self.reason).subject("tenant", tenant, slug);
        tx.changed("tenant_data", tenant, &told(&before, None), &told(&after, Some(&restored)));
        runtime.block_on(tx.commit())?;
        Ok(restored)
    }
}

/// Counts as the ledger tells them, with the backup they came from.
pub(crate) fn told(counts: &Counts, from: Option<&Restored>) -> serde_json::Value {
    match from {
        Some(restored) => serde_json::json!({ "rows": counts, "backup": restored.backup, "as_of": restored.as_of }),
        None => serde_json::json!({ "rows": counts }),
    }
}

/// Computes every tenant's summary anew.
pub(crate) async fn finish_refresh(hub: &Hub, progress: &Progress) -> Result<()> {
    progress.say("summaries");
    let neighbours = hub.port::<Recovery>().settings.neighbours.clone();
    let sql = "SELECT id FROM tenant WHERE state IN ('active', 'suspended') ORDER BY id";
    for mut row in hub.system_read().await?.rows(sql, kernel::params![]).await? {
        neighbours.refresh(hub, row.take()?).await.can_fail("the next write on the tenant sends its summary too");
    }
    Ok(())
}
