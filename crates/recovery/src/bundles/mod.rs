//! Bundles: one tenant, whole, in a file that another installation (of either engine) takes in.
//!
//! A bundle is sealed with a key made of a passphrase, so it opens without any key of the installation it came from. It has the tenant's data
//! with its ledger, entry by entry as it was chained, what the registry said of it, and its people by name, e-mail address and role. It has no
//! accounts: who is to have one at the new place is invited there.
//!
//! Importing makes a tenant with the same id under a provider of choice. Its ledger goes on with `tenant.imported`, so the chain can be
//! verified from its first entry, the part from before with the keys of the origin, which the bundle carries and the entry names. An id that
//! exists already (or was purged) is refused.

mod http;

use std::io::Write;
use std::path::Path;

use access::Tier;
use kernel::secrets::SecretKey;
use kernel::{Error, Hub, Result, TenantId, WriteTx, scope};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

pub use http::router;

use crate::backups::{self, Index, Indexed, TenantInfo};
use crate::format::{FileReader, FileWriter, Header, Kdf, Kind, RecordReader, RecordWriter, SectionKind, damaged, unreachable_io};
use crate::keys::on_a_thread;
use crate::registry::{self, Member, Relation};
use crate::restores::{self, Arriving, Opened};
use crate::{BackupId, Recovery};

/// Fewest characters of a passphrase.
pub const PASSPHRASE_MIN: usize = 12;
/// Most.
const PASSPHRASE_MAX: usize = 1_000;
/// Argon2id: 64 MiB, 3 passes, 1 lane (RFC 9106's second recommendation, with one lane).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// A bundle that asks for more than this is not opened: it would only cost time and memory.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 20;

/// A bundle that was asked for over the API.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct BundleExport {
    /// What seals the bundle; 12 characters at least. Whoever imports it needs it, and nobody can recover it.
    pub passphrase: String,
}

impl std::fmt::Debug for BundleExport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BundleExport(…)")
    }
}

/// A bundle that was written.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    /// Its id, `bak_…`.
    pub id: BackupId,
    /// The tenant in it.
    pub tenant: TenantId,
    /// Its size.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
}

/// Where an imported tenant goes.
#[derive(Debug, Clone)]
pub struct Into {
    /// Slug or id of the provider that gets it.
    pub provider: String,
    /// Another slug than it has.
    pub slug: Option<String>,
    /// Name of another plan than it has.
    pub plan: Option<String>,
    /// Why, in the operator's words.
    pub reason: String,
}

/// A tenant that was imported.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// The tenant; the same id as before.
    pub tenant: TenantId,
    /// Its slug here.
    pub slug: String,
    /// When it was read at its origin.
    pub as_of: kernel::Timestamp,
    /// Rows it has.
    pub rows: u64,
    /// Its people, who have no account through this: invite them.
    pub invite: Vec<Invitee>,
    /// The public keys of its ledger's checkpoints from before.
    pub ledger_keys: serde_json::Value,
}

/// Somebody to be invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitee {
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// The role they had.
    pub role: String,
}

/// A passphrase that is long enough.
///
/// # Errors
/// `Invalid`.
pub fn check_passphrase(passphrase: &str) -> Result<()> {
    let length = passphrase.chars().count();
    if length < PASSPHRASE_MIN {
        return Err(Error::field("passphrase", "too_short", format!("needs {PASSPHRASE_MIN} characters at least")));
    }
    if length > PASSPHRASE_MAX {
        return Err(Error::field("passphrase", "too_long", format!("may have {PASSPHRASE_MAX} characters at most")));
    }
    Ok(())
}

/// Says in the ledger that the tenant is carried out of the house; the bundle is written after this is committed.
pub(crate) fn note(tx: &mut WriteTx<scope::Data>, id: BackupId) {
    tx.keeps_authority().subject("bundle", id, None);
}

fn stretch(passphrase: &str, kdf: &Kdf) -> Result<SecretKey> {
    if kdf.name != "argon2id" || kdf.memory_kib > MEMORY_KIB_MAX || kdf.passes > PASSES_MAX || kdf.lanes != 1 {
        return Err(damaged("its passphrase would have to be stretched in a way that this Tenantry does not do"));
    }
    let params = argon2::Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32)).map_err(damaged)?;
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon2.hash_password_into(passphrase.as_bytes(), kdf.salt.as_bytes(), &mut *key).map_err(damaged)?;
    Ok(SecretKey::from_bytes(*key))
}

fn new_kdf() -> Kdf {
    let salt: String = kernel::ids::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    Kdf { name: "argon2id".into(), memory_kib: MEMORY_KIB, passes: PASSES, lanes: 1, salt }
}

/// Writes a tenant's bundle. Waits for the database and for `out`; called from a thread that may.
///
/// # Errors
/// `NotFound`, `Unavailable`.
pub(crate) fn write<W: Write>(
    hub: &Hub,
    runtime: &Handle,
    tenant: TenantId,
    id: BackupId,
    passphrase: &str,
    out: W,
) -> Result<(W, Exported)> {
    let mut header = Header::new(id.to_string(), Kind::Bundle, hub.now(), hub.engine_name());
    let kdf = new_kdf();
    let key = stretch(passphrase, &kdf)?;
    header.kdf = Some(kdf);
    let (mut info, data_key, snapshot) = runtime.block_on(backups::begin_tenant(hub, tenant))?;
    // With the keys before it: what a rotation has not sealed anew yet opens with one of those.
    let all_keys = runtime.block_on(hub.tenant_key(tenant))?;
    info.data_key = Some(data_key.to_hex().to_string());
    info.ledger_keys = runtime.block_on(hub.port::<Recovery>().settings.neighbours.ledger_keys(hub))?;
    let mut file = FileWriter::begin(out, &header)?;
    let section = file.section(SectionKind::Tenant, Some(tenant), &key)?;
    let resealer = restores::seal::Resealer::new(&all_keys, &data_key, kernel::secrets::SEALED_BY_TENANT);
    let (section, footer) = backups::copy_tenant(runtime, snapshot, RecordWriter::begin(section, &info)?, resealer)?;
    let (chunks, _) = section.end()?;
    let index = Index { sections: vec![Indexed { kind: SectionKind::Tenant, tenant: Some(tenant), chunks, rows: footer.rows() }] };
    let section = file.section(SectionKind::Index, None, &key)?;
    let (section, _) = RecordWriter::begin(section, &index)?.end()?;
    section.end()?;
    let (out, bytes, _) = file.end()?;
    Ok((out, Exported { id, tenant, bytes, rows: footer.rows() }))
}

/// Exports a tenant into a new file: the operator's command.
///
/// # Errors
/// `NotFound` without such a tenant, `Conflict` when the file exists, `Unavailable`.
pub async fn export_to_file(hub: &Hub, named: &str, out: &Path, passphrase: Zeroizing<String>) -> Result<Exported> {
    let tenant = registry::find(&mut hub.system_read().await?, named).await?.ok_or(Error::NotFound)?;
    let (path, id) = (out.to_owned(), BackupId::new(hub.now()));
    let mut part = path.clone().into_os_string();
    part.push(".part");
    let part = std::path::PathBuf::from(part);
    if path.exists() {
        return Err(Error::Conflict(format!("{} exists already.", path.display())));
    }
    let mut tx = hub.system(tenant, "bundle.export", "The operator carries this tenant out.").await?;
    note(&mut tx, id);
    tx.commit().await?;
    let mut tx = hub.system_write("bundle.export", "The operator carries a tenant out.").await?;
    tx.keeps_authority().subject("tenant", tenant, None).changed("bundle", id, &(), &serde_json::json!({ "tenant": tenant }));
    tx.commit().await?;
    let (hub, runtime) = (hub.clone(), Handle::current());
    on_a_thread(move || {
        use std::os::unix::fs::OpenOptionsExt as _;
        let io = |error: std::io::Error| unreachable_io(&error);
        let file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(io)?;
        let written = write(&hub, &runtime, tenant, id, &passphrase, std::io::BufWriter::with_capacity(1 << 20, file)).and_then(
            |(out, exported)| {
                out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all()).map_err(io)?;
                std::fs::rename(&part, &path).map_err(io)?;
                Ok(exported)
            },
        );
        if written.is_err() {
            kernel::CanFail::can_fail(std::fs::remove_file(&part), "a part that stays is nobody's bundle");
        }
        written
    })
    .await
}

/// Imports a bundle as a tenant of a provider: the operator's command.
///
/// # Errors
/// `Conflict` when the passphrase is wrong, the file is damaged, or its id or slug is taken; `Invalid`; `Unavailable`. Then nothing was made.
pub async fn import(hub: &Hub, file: &Path, passphrase: Zeroizing<String>, into: Into) -> Result<Imported> {
    if into.reason.trim().chars().count() < 3 {
        return Err(Error::field("reason", "too_short", "say why, in 3 characters at least; the tenant reads it"));
    }
    let mut tx = hub.system_read().await?;
    let provider = restores::provider(&mut tx, &into.provider).await?;
    let provider = provider.ok_or_else(|| Error::field("provider", "unknown", "is not a provider of this installation"))?;
    drop(tx);
    let (this, runtime, path) = (hub.clone(), Handle::current(), file.to_owned());
    let imported = on_a_thread(move || {
        let read = std::fs::File::open(&path)
            .map_err(|error| Error::field("file", "unreadable", format!("{}: {error}", path.display())))?;
        let mut file = FileReader::open(std::io::BufReader::with_capacity(1 << 20, read))?;
        let header = file.header.clone();
        let kdf = header.kdf.clone().filter(|_| header.kind == Kind::Bundle);
        let kdf = kdf.ok_or_else(|| Error::Conflict("This is a backup, not a bundle: use tenantry restore.".into()))?;
        let key = stretch(&passphrase, &kdf)?;
        let head = file.next_section()?.filter(|head| head.kind == SectionKind::Tenant);
        let head = head.ok_or_else(|| damaged("it has no tenant"))?;
        if head.key != key.name() {
            return Err(Error::Conflict("The passphrase is not the one this bundle was made with.".into()));
        }
        let (records, info) = RecordReader::begin::<TenantInfo>(file.section(&key))?;
        take_in(&this, &runtime, Opened { info, key, header, records }, provider, &into)
    })
    .await?;
    let refreshed = hub.port::<Recovery>().settings.neighbours.refresh(hub, imported.tenant).await;
    kernel::CanFail::can_fail(refreshed, "the next write on the tenant sends its summary too");
    Ok(imported)
}

fn take_in<R: std::io::Read>(
    hub: &Hub,
    runtime: &Handle,
    mut opened: Opened<'_, R>,
    provider: kernel::ProviderId,
    into: &Into,
) -> Result<Imported> {
    let data_key = opened.info.data_key.take().map(Zeroizing::new);
    let data_key = data_key.and_then(|hex| SecretKey::from_hex(&hex)).ok_or_else(|| damaged("it has no data key"))?;
    let (mut registry, as_of) = (opened.info.registry.clone(), opened.info.at);
    let (invite, ledger_keys) = (invitees(&registry.members), opened.info.ledger_keys.clone());
    registry.provider = provider;
    registry.relationships = vec![Relation { provider, tier: Tier::T2.as_i64(), state: "active".into(), ends_at: None }];
    registry.members = Vec::new();
    if registry.state == "archived" {
        registry.state = "suspended".into();
    }
    if let Some(slug) = &into.slug {
        let mut check = kernel::validate::Check::new();
        registry.slug = check.slug("slug", slug);
        check.done()?;
    }
    if let Some(plan) = &into.plan {
        registry.plan.clone_from(plan);
    }
    let (tenant, slug) = (registry.id, registry.slug.clone());
    let origin = serde_json::json!({ "bundle": opened.header.id, "as_of": as_of, "ledger_keys": ledger_keys });
    opened.key = data_key;
    let arriving = Arriving {
        registry,
        key: SecretKey::generate(),
        action: "tenant.imported",
        reason: into.reason.trim().to_owned(),
        origin,
        is_same_chain: false,
        members: Vec::new(),
    };
    let counts = restores::enter(hub, runtime, arriving, opened)?;
    Ok(Imported { tenant, slug, as_of, rows: counts.values().sum(), invite, ledger_keys })
}

fn invitees(members: &[Member]) -> Vec<Invitee> {
    let active = members.iter().filter(|member| member.state == "active");
    active.map(|member| Invitee { email: member.email.clone(), name: member.name.clone(), role: member.role.clone() }).collect()
}
