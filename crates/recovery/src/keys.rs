//! Which key opens what: the hub's backup key, tenants' data keys, and the keyring that lies beside backups.
//!
//! Backup files hold no keys. The keyring of a place holds them, each wrapped by the master key; a purge takes the tenant out of every
//! keyring, so that what old backups hold of it can be read by nobody ("crypto-shredding").

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kernel::door::{BoxFuture, Forget};
use kernel::secrets::SecretKey;
use kernel::{Error, Hub, Result, TenantId, Timestamp, params};
use serde::{Deserialize, Serialize};

use crate::format::damaged;
use crate::places::{self, Place, S3Settings};

/// Name of the keyring in a place.
pub const KEYRING: &str = "keyring.json";
/// Name of the hub's backup key in `installation`, and its label.
pub(crate) const HUB_KEY: &str = "backup key";

/// The keyring of a place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keyring {
    /// `tenantry-keyring`.
    pub format: String,
    /// 1.
    pub version: u32,
    /// When it was written.
    pub written_at: Timestamp,
    /// Name of the master key that wraps the keys below.
    pub master: String,
    /// The hub's backup key, wrapped with the label `backup key`.
    pub hub: Wrapped,
    /// Data keys of each tenant, the one in use first, wrapped with the label `data key of ten_…`.
    pub tenants: BTreeMap<TenantId, Vec<Wrapped>>,
}

/// A wrapped key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wrapped {
    /// Name of the key inside.
    pub name: String,
    /// Nonce, ciphertext and tag in Base64.
    pub wrapped: String,
}

impl Wrapped {
    pub(crate) fn new(key: &SecretKey, master: &SecretKey, label: &str) -> Self {
        Self { name: key.name(), wrapped: BASE64.encode(key.wrapped_by(master, label)) }
    }

    /// The key inside.
    ///
    /// # Errors
    /// `Conflict` when the master key is another one.
    pub fn open(&self, master: &SecretKey, label: &str) -> Result<SecretKey> {
        let bytes = BASE64.decode(&self.wrapped).map_err(|_| damaged("a key in the keyring is not Base64"))?;
        master.unwrap_key(label, &bytes).map_err(|_| {
            Error::Conflict(
                "This keyring was written with another master key. Start the hub with the one that made the backups.".into(),
            )
        })
    }
}

/// The label under which a tenant's data key is wrapped.
pub(crate) fn label(tenant: TenantId) -> String {
    format!("data key of {tenant}")
}

/// The hub's backup key: made when it is first asked for, sealed with the master key in the control database. It seals the control
/// sections, so that the master key can be rotated without touching old backups.
///
/// # Errors
/// `Unavailable`.
pub async fn hub_key(hub: &Hub) -> Result<SecretKey> {
    const GET: &str = "SELECT value FROM installation WHERE name = ?1";
    if let Some(mut row) = hub.system_read().await?.opt(GET, params![HUB_KEY]).await? {
        return hub.master_key().unwrap_key(HUB_KEY, &row.take::<Vec<u8>>()?);
    }
    let mut tx = hub.system_write("backup_key.create", "The first backup needs a key of the hub's own.").await?;
    let (_, wrapped) = hub.master_key().wrap_new(HUB_KEY);
    tx.execute("INSERT INTO installation (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING", params![HUB_KEY, wrapped])
        .await?;
    let wrapped: Vec<u8> = tx.one(GET, params![HUB_KEY]).await?.take()?;
    tx.keeps_authority();
    tx.commit().await?;
    hub.master_key().unwrap_key(HUB_KEY, &wrapped)
}

/// The keyring of a place; none when it has none.
///
/// # Errors
/// `Unavailable`; `Conflict` when it is damaged.
pub fn keyring(place: &dyn Place) -> Result<Option<Keyring>> {
    let Some(bytes) = places::read_small(place, KEYRING)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(format_args!("{KEYRING}: {error}")))
}

/// Keeps those who write keyrings apart, so that none puts back what another took out.
#[derive(Clone, Default)]
pub struct Keyrings(Arc<tokio::sync::Mutex<()>>);

impl Keyrings {
    /// Writes the keyring of a place: the keys of all tenants that are not purged, and those of tenants that the place knows and this hub
    /// does not (any more). `master` opens what is there and wraps what is written.
    ///
    /// # Errors
    /// `Unavailable`; `Conflict` when the place belongs to an installation with another master key.
    pub async fn write(&self, hub: &Hub, place: Arc<dyn Place>) -> Result<()> {
        let _turn = self.0.lock().await;
        let (known, purged) = known(hub).await?;
        let (hub_key, master, now) = (hub_key(hub).await?, hub.master_key(), hub.now());
        on_a_thread(move || {
            let mut tenants = BTreeMap::new();
            if let Some(old) = keyring(&*place)? {
                old.hub.open(&master, HUB_KEY)?;
                for (tenant, keys) in old.tenants {
                    if purged.contains(&tenant) || known.contains_key(&tenant) {
                        continue;
                    }
                    let keys =
                        keys.iter().map(|key| Ok(Wrapped::new(&key.open(&master, &label(tenant))?, &master, &label(tenant))));
                    tenants.insert(tenant, keys.collect::<Result<Vec<_>>>()?);
                }
            }
            for (tenant, keys) in known {
                tenants.insert(tenant, keys.iter().map(|key| Wrapped::new(key, &master, &label(tenant))).collect());
            }
            let hub = Wrapped::new(&hub_key, &master, HUB_KEY);
            let (format, master) = ("tenantry-keyring".into(), master.name());
            let keyring = Keyring { format, version: 1, written_at: now, master, hub, tenants };
            places::write_small(&*place, KEYRING, &serde_json::to_vec_pretty(&keyring).map_err(Error::internal)?)
        })
        .await
    }
}

type Known = BTreeMap<TenantId, Vec<SecretKey>>;

/// Keys of all tenants, the one in use first; and the tenants that were purged.
async fn known(hub: &Hub) -> Result<(Known, std::collections::BTreeSet<TenantId>)> {
    let master = hub.master_key();
    let mut tx = hub.system_read().await?;
    let (mut known, mut purged) = (Known::new(), std::collections::BTreeSet::new());
    for mut row in tx.rows("SELECT id, wrapped_key FROM tenant ORDER BY id", params![]).await? {
        let tenant: TenantId = row.take()?;
        match row.take::<Option<Vec<u8>>>()? {
            Some(wrapped) => drop(known.insert(tenant, vec![master.unwrap_key(&label(tenant), &wrapped)?])),
            None => drop(purged.insert(tenant)),
        }
    }
    let sql = "SELECT tenant_id, wrapped_key FROM tenant_key ORDER BY tenant_id, retired_at DESC";
    for mut row in tx.rows(sql, params![]).await? {
        let (tenant, wrapped): (TenantId, Vec<u8>) = (row.take()?, row.take()?);
        if let Some(keys) = known.get_mut(&tenant) {
            keys.push(master.unwrap_key(&label(tenant), &wrapped)?);
        }
    }
    Ok((known, purged))
}

/// Finds the key of a section: with the hub, else in the keyring of the place the file came from.
pub struct Finder {
    hub: Hub,
    keyring: Option<Keyring>,
}

impl Finder {
    /// Looks at this hub, and at this keyring.
    pub fn new(hub: &Hub, keyring: Option<Keyring>) -> Self {
        Self { hub: hub.clone(), keyring }
    }

    /// The hub's backup key of this name.
    ///
    /// # Errors
    /// `Conflict` when it is not to be had.
    pub async fn of_hub(&self, name: &str) -> Result<SecretKey> {
        let mut keys = vec![hub_key(&self.hub).await?];
        if let Some(keyring) = &self.keyring {
            keys.extend(keyring.hub.open(&self.hub.master_key(), HUB_KEY).ok());
        }
        keys.into_iter().find(|key| key.name() == name).ok_or_else(|| {
            Error::Conflict(format!(
                "The key {name} of this backup is not here. Put {KEYRING} beside the backup, and start with the master key that it was made with."
            ))
        })
    }

    /// The data key of this name, which carries the tenant's others; none when the tenant was purged, or the key is not to be had.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of_tenant(&self, tenant: TenantId, name: &str) -> Result<Option<SecretKey>> {
        match self.hub.tenant_key(tenant).await {
            Ok(key) => {
                if let Some(named) = key.named(name) {
                    return Ok(Some(named.after(&[key])));
                }
            }
            // The tenant was purged: whatever a keyring still holds of it is not used.
            Err(Error::Conflict(_)) => return Ok(None),
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
        let Some(wrapped) = self.keyring.as_ref().and_then(|keyring| keyring.tenants.get(&tenant)) else { return Ok(None) };
        let keys = wrapped.iter().map(|key| key.open(&self.hub.master_key(), &label(tenant))).collect::<Result<Vec<_>>>()?;
        Ok(keys.iter().find(|key| key.name() == name).map(|key| key.after(&keys)))
    }
}

/// Takes purged tenants out of the keyring of every place that ever got a backup.
pub struct Shredder {
    /// Who may write keyrings.
    pub keyrings: Keyrings,
    /// How to reach buckets.
    pub s3: S3Settings,
}

impl Forget for Shredder {
    fn forget<'a>(&'a self, hub: &'a Hub, tenant: TenantId) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for url in places_used(hub).await? {
                let place = places::at(&url, &self.s3, false)?;
                let looked = place.clone();
                let has = on_a_thread(move || Ok(keyring(&*looked)?.is_some_and(|keyring| keyring.tenants.contains_key(&tenant))));
                if has.await? {
                    self.keyrings.write(hub, place).await?;
                }
            }
            Ok(())
        })
    }
}

/// Every place that ever got a backup.
///
/// # Errors
/// `Unavailable`.
pub async fn places_used(hub: &Hub) -> Result<Vec<String>> {
    let rows = hub.system_read().await?.rows("SELECT url FROM backup_place ORDER BY url LIMIT 1000", params![]).await?;
    Ok(rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?)
}

/// Runs something that waits where waiting is allowed.
pub(crate) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
