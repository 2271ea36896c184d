//! The hub: the store, the policies, the clock and the keys, shared by everything that runs.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lru::LruCache;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use uuid::Uuid;

use super::caller::Caller;
use super::entry::Entered;
use super::fair::{Fair, FairLimits};
use super::relay::Topic;
use super::sign::{ChainId, Moved};
use super::standing::Standing;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::params;
use crate::secrets::SecretKey;
use crate::store::{Place, Store, StoreConfig, StoreLimits};

/// What a hub is started with.
#[derive(Clone)]
pub struct HubConfig {
    /// Where the data lives.
    pub store: StoreConfig,
    /// Bounds of the store.
    pub limits: StoreLimits,
    /// The master key: wraps every tenant's data key.
    pub master_key: SecretKey,
    /// Where the time comes from.
    pub clock: Clock,
    /// The address people reach the console at, without a trailing slash. `https://` makes cookies Secure.
    pub public_url: String,
    /// Take the client's address from `X-Forwarded-For` (only behind a proxy that sets it).
    pub behind_proxy: bool,
    /// What one tenant may use of the hub; none: all of it.
    pub fair: Option<FairLimits>,
}

/// Somebody who keeps something of tenants outside of the store, and forgets it when a tenant is destroyed.
pub trait Forget: Send + Sync {
    /// Forgets it, for good. Doing it again changes nothing. On an error the tenant's database stays until a later try.
    fn forget<'a>(&'a self, hub: &'a Hub, tenant: TenantId) -> BoxFuture<'a, Result<()>>;
}

/// The running hub. Cheap to clone.
#[derive(Clone)]
pub struct Hub(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub config: HubConfig,
    pub store: Store,
    pub engine: access::Engine,
    /// Goes up with every commit that may have changed who may do what; cached sessions and standings of before are void.
    pub epoch: watch::Sender<u64>,
    /// The hub is about to stop.
    pub closing: watch::Sender<bool>,
    pub fair: Fair,
    pub sessions: Mutex<LruCache<[u8; 32], Cached<Caller>>>,
    pub standings: Mutex<LruCache<(Uuid, Uuid), Cached<Standing>>>,
    pub slugs: Mutex<LruCache<String, (u64, Timestamp, Uuid)>>,
    /// The master key in use; the configuration's until it is rotated.
    pub master: RwLock<SecretKey>,
    pub keys: Mutex<LruCache<Uuid, (Timestamp, SecretKey)>>,
    pub forget: RwLock<Option<Arc<dyn Forget>>>,
    /// When staff were last noted to use a tenant.
    pub uses: Mutex<LruCache<(Uuid, Uuid), Timestamp>>,
    /// By session and tenant: who proved themselves when they entered.
    pub entries: Mutex<LruCache<(Uuid, Uuid), Entered>>,
    pub topics: RwLock<HashMap<&'static str, Arc<dyn Topic>>>,
    pub ports: RwLock<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// One relay per tenant at a time.
    pub relays: Mutex<HashMap<Uuid, Arc<tokio::sync::Mutex<()>>>>,
    /// Something was said that waits to be heard; see [`crate::news`].
    pub said: tokio::sync::Notify,
    /// Refused writes of the last hour, by tenant and person; see [`super::refused`].
    pub refused: Mutex<LruCache<(Uuid, Uuid), super::refused::Refused>>,
    /// Ledgers that moved since they were signed.
    pub moved: Mutex<HashMap<ChainId, Moved>>,
}

/// Something read from the control database, as of an epoch and an instant.
pub(crate) struct Cached<T> {
    pub epoch: u64,
    pub at: Timestamp,
    pub value: Arc<T>,
}

/// How long another hub's commit on the same PostgreSQL may go unnoticed.
const SHARED_STORE_TTL: Duration = Duration::from_millis(500);
const CACHED_MAX: NonZeroUsize = NonZeroUsize::new(20_000).expect("not zero");
const KEYS_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

impl Hub {
    /// Opens the store, checks the policies and the master key.
    ///
    /// # Errors
    /// The store cannot be opened or migrated, the policies do not validate, or the master key is not the one that this store
    /// was made with.
    pub async fn open(config: HubConfig) -> Result<Self> {
        let engine = access::Engine::new().map_err(Error::internal)?;
        let store = Store::open(&config.store, config.limits).await?;
        let fair = Fair::new(config.fair);
        let hub = Self(Arc::new(Inner {
            master: RwLock::new(config.master_key.clone()),
            forget: RwLock::default(),
            config,
            store,
            engine,
            epoch: watch::Sender::new(1),
            closing: watch::Sender::new(false),
            fair,
            sessions: Mutex::new(LruCache::new(CACHED_MAX)),
            standings: Mutex::new(LruCache::new(CACHED_MAX)),
            slugs: Mutex::new(LruCache::new(CACHED_MAX)),
            uses: Mutex::new(LruCache::new(CACHED_MAX)),
            entries: Mutex::new(LruCache::new(CACHED_MAX)),
            keys: Mutex::new(LruCache::new(KEYS_MAX)),
            topics: RwLock::default(),
            ports: RwLock::default(),
            relays: Mutex::default(),
            moved: Mutex::default(),
            said: tokio::sync::Notify::new(),
            refused: Mutex::new(LruCache::new(CACHED_MAX)),
        }));
        hub.check_master_key().await?;
        hub.make_first_signing_key().await?;
        Ok(hub)
    }

    /// The master key opens what it sealed when the store was made: a wrong key is found at start, not at the first secret.
    async fn check_master_key(&self) -> Result<()> {
        const CHECK: &str = "master key check";
        let mut tx = self.0.store.write(Place::Control).await?;
        let stored = tx.opt("SELECT value FROM installation WHERE name = ?1", params![CHECK]).await?;
        let Some(mut row) = stored else {
            let sealed = self.master_key().seal(CHECK, CHECK.as_bytes());
            tx.execute("INSERT INTO installation (name, value) VALUES (?1, ?2)", params![CHECK, sealed]).await?;
            return Ok(tx.commit().await?);
        };
        let sealed: Vec<u8> = row.take()?;
        self.master_key().open(CHECK, &sealed).map(drop)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.0.config.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.config.clock
    }

    /// The address people reach the console at, without a trailing slash.
    pub fn public_url(&self) -> &str {
        &self.0.config.public_url
    }

    /// Whether cookies are Secure.
    pub fn secure_cookies(&self) -> bool {
        self.0.config.public_url.starts_with("https://")
    }

    /// "sqlite" or "postgres".
    pub fn engine_name(&self) -> &'static str {
        self.0.store.engine()
    }

    /// Tenant databases (or connections) open now.
    pub fn open_handles(&self) -> usize {
        self.0.store.open_handles()
    }

    /// The installation's key: seals what belongs to no tenant (a person's one-time code secret).
    pub fn master_key(&self) -> SecretKey {
        self.0.master.read().clone()
    }

    /// From now on this is the master key. Everything sealed with the one before was sealed anew, or the key carries it (see
    /// [`SecretKey::after`]).
    pub fn use_master_key(&self, key: SecretKey) {
        *self.0.master.write() = key;
        self.0.keys.lock().clear();
    }

    /// What every grant of a policy decision needs in words; for answers that explain.
    pub fn needs(&self, act: access::Act) -> Arc<str> {
        self.0.engine.needs(act)
    }

    /// A read of the control database answers: the store is there.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ready(&self) -> Result<()> {
        let mut tx = self.0.store.read(Place::Control).await?;
        tx.rows("SELECT COUNT(*) FROM installation", &[]).await?;
        Ok(())
    }

    /// Hands something of one slice to all that ask for its type, wired where the hub is put together.
    pub fn provide<T: Any + Send + Sync>(&self, value: T) {
        self.0.ports.write().insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// What was provided of this type.
    ///
    /// # Panics
    /// Nothing was: the hub is wired wrongly.
    pub fn port<T: Any + Send + Sync>(&self) -> Arc<T> {
        self.find_port().unwrap_or_else(|| panic!("{} was not provided", std::any::type_name::<T>()))
    }

    /// What was provided of this type, if anything was.
    pub fn find_port<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = self.0.ports.read().get(&TypeId::of::<T>()).cloned();
        value.map(|value| value.downcast().expect("stored under its own type"))
    }

    /// What was provided of this type, if anything was.
    pub fn try_port<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let value = self.0.ports.read().get(&TypeId::of::<T>()).cloned()?;
        value.downcast().ok()
    }

    /// What was provided of this type; the first who asks provides its default: a slice's own memory (a cache).
    pub fn port_or_default<T: Any + Send + Sync + Default>(&self) -> Arc<T> {
        if let Some(there) = self.try_port() {
            return there;
        }
        let value = self.0.ports.write().entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        value.downcast().expect("stored under its own type")
    }

    /// Makes the database of a new tenant and its data key. Answers the wrapped key, for its registry row.
    ///
    /// # Errors
    /// `Unavailable` when the disk or the server is.
    pub async fn create_tenant_store(&self, tenant: TenantId) -> Result<Vec<u8>> {
        self.create_tenant_store_with(tenant, SecretKey::generate()).await
    }

    /// As [`Hub::create_tenant_store`], with a data key that exists already: of a tenant that comes from a backup.
    ///
    /// # Errors
    /// `Unavailable` when the disk or the server is.
    pub async fn create_tenant_store_with(&self, tenant: TenantId, key: SecretKey) -> Result<Vec<u8>> {
        let wrapped = key.wrapped_by(&self.master_key(), &key_label(tenant));
        self.0.store.create_tenant(tenant).await?;
        self.0.keys.lock().put(tenant.uuid(), (self.now(), key));
        Ok(wrapped)
    }

    /// Who else has to forget a tenant whose database is destroyed (the keyrings beside backups). Wired where the hub is put together.
    pub fn on_destroy(&self, forget: Arc<dyn Forget>) {
        *self.0.forget.write() = Some(forget);
    }

    /// Destroys a tenant's database. Its data key must be gone from its registry row already. Answers the files (or rows) removed.
    ///
    /// # Errors
    /// `Unavailable` while a transaction on it does not end.
    pub async fn destroy_tenant_store(&self, tenant: TenantId) -> Result<u64> {
        self.0.keys.lock().pop(&tenant.uuid());
        let forget = self.0.forget.read().clone();
        if let Some(forget) = forget {
            forget.forget(self, tenant).await?;
        }
        Ok(self.0.store.destroy_tenant(tenant).await?)
    }

    /// Empties the control database's log of changes, where deleted rows still stand until then (SQLite; deleted rows themselves are
    /// overwritten when they are deleted). Called at the end of a purge. While somebody reads it is left for the next time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn scrub(&self) -> Result<()> {
        Ok(self.0.store.scrub().await?)
    }

    /// The tenant's data key. It carries the keys that the tenant had before, so that what those sealed opens too.
    ///
    /// # Errors
    /// `NotFound` without such a tenant, `Conflict` once the key was destroyed.
    pub async fn tenant_key(&self, tenant: TenantId) -> Result<SecretKey> {
        let (now, shared) = (self.now(), matches!(self.0.store, Store::Postgres(_)));
        if let Some((at, key)) = self.0.keys.lock().get(&tenant.uuid())
            && (!shared || now < at.after(SHARED_STORE_TTL))
        {
            return Ok(key.clone());
        }
        let mut tx = self.0.store.read(Place::Control).await?;
        let row = tx.opt("SELECT wrapped_key FROM tenant WHERE id = ?1", params![tenant]).await?;
        let wrapped: Option<Vec<u8>> = row.ok_or(Error::NotFound)?.take()?;
        let wrapped = wrapped.ok_or_else(|| Error::Conflict("This tenant's key was destroyed.".into()))?;
        let (master, label) = (self.master_key(), key_label(tenant));
        let mut older = Vec::new();
        let sql = "SELECT wrapped_key FROM tenant_key WHERE tenant_id = ?1 ORDER BY retired_at DESC";
        for mut row in tx.rows(sql, params![tenant]).await? {
            older.push(master.unwrap_key(&label, &row.take::<Vec<u8>>()?)?);
        }
        let key = master.unwrap_key(&label, &wrapped)?.after(&older);
        self.0.keys.lock().put(tenant.uuid(), (now, key.clone()));
        Ok(key)
    }

    /// The tenant's key was changed in its registry row: it is read again.
    pub fn forget_cached_key(&self, tenant: TenantId) {
        self.0.keys.lock().pop(&tenant.uuid());
    }

    /// The control database was replaced whole: nothing that was read of it before holds.
    pub fn forget_everything_cached(&self) {
        self.0.keys.lock().clear();
        self.0.entries.lock().clear();
        self.bump_epoch();
    }

    /// Whether other hubs may run on the same store.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.store, Store::Postgres(_))
    }

    /// Who may do what may have changed.
    pub(crate) fn bump_epoch(&self) {
        self.0.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Goes up with every commit that may have changed the control database: what was read before is to be read again.
    pub fn epoch(&self) -> u64 {
        *self.0.epoch.borrow()
    }

    /// Tells everything that waits for news to come to its end: the hub is about to stop.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// Tells of every commit that may have changed who may do what.
    pub(crate) fn epochs(&self) -> watch::Receiver<u64> {
        self.0.epoch.subscribe()
    }

    /// Whether something read then still holds now.
    pub fn fresh(&self, epoch: u64, at: Timestamp, now: Timestamp) -> bool {
        let shared = matches!(self.0.store, Store::Postgres(_));
        epoch == self.epoch() && (!shared || now < at.after(SHARED_STORE_TTL))
    }
}

/// The label under which a tenant's data key is wrapped.
pub(crate) fn key_label(tenant: TenantId) -> String {
    format!("data key of {tenant}")
}
