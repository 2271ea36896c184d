//! Recovery: the operator's work on whole databases. Backups, restores, bundles that carry a tenant to another installation, and the
//! rotation of keys.
//!
//! - [`format`]: the file format; README.md beside this crate's `Cargo.toml` specifies it.
//! - [`places`]: folders and buckets. [`keys`]: which key opens what, and the keyring beside backups.
//! - [`backups`]: making, listing, checking, retention. [`restores`]: one tenant over or beside the live one, or everything.
//! - [`bundles`]: a tenant's export and import. [`rotation`]: new master and data keys. [`jobs`]: what the operator asks of a hub that runs.
//!
//! Rules: a backup is a logical dump that restores on either engine; each database in it is consistent in itself, and what crosses
//! between them is reconciled by the hub's sweep; the ledger of a live tenant is never rolled back; facts about authority (members,
//! relationships, assignments) are never rolled back by the restore of a tenant; every act is in the installation's ledger, and in the
//! tenant's when it is about one.
//!
//! What it deliberately does not do: restore to an instant between two backups.

pub mod backups;
pub mod bundles;
pub mod format;
pub mod jobs;
pub mod keys;
pub mod places;
pub mod registry;
pub mod restores;
pub mod rotation;

use std::path::PathBuf;
use std::sync::Arc;

use kernel::door::BoxFuture;
use kernel::{Hub, Result, TenantId, WriteTx, scope};
use utoipa_axum::router::OpenApiRouter;

pub use places::S3Settings;

/// All routes of this crate, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().merge(bundles::router())
}

/// What recovery needs of other crates, wired where the hub is put together.
pub trait Neighbours: Send + Sync {
    /// Computes the tenant's summary anew from its data, and sends it.
    fn refresh<'a>(&'a self, hub: &'a Hub, tenant: TenantId) -> BoxFuture<'a, Result<()>>;

    /// There may be one more tenant; asked in the transaction that registers it.
    fn room<'a>(&'a self, _tx: &'a mut WriteTx<scope::Public>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// The public keys that this installation's ledger checkpoints are signed with, for bundles. JSON; null when there are none.
    fn ledger_keys<'a>(&'a self, _hub: &'a Hub) -> BoxFuture<'a, Result<serde_json::Value>> {
        Box::pin(async { Ok(serde_json::Value::Null) })
    }

    /// Does what the operator asks for that is another crate's business, by its name.
    fn act<'a>(&'a self, _hub: &'a Hub, _name: &'a str, _body: serde_json::Value) -> BoxFuture<'a, Result<serde_json::Value>> {
        Box::pin(async { Err(kernel::Error::field("name", "unknown", "is nothing that the operator can ask for here")) })
    }
}

/// How recovery is set up in this hub.
#[derive(Clone)]
pub struct Settings {
    /// Where backups go when nothing else is said: a folder's path or `s3://bucket/prefix`.
    pub to: Option<String>,
    /// How to reach buckets.
    pub s3: S3Settings,
    /// What the schedule makes and keeps; none: no schedule.
    pub schedule: Option<backups::Schedule>,
    /// File with the master key; none when it comes from the environment or from a command.
    pub master_key_file: Option<PathBuf>,
    /// The other crates.
    pub neighbours: Arc<dyn Neighbours>,
}

impl Settings {
    /// With no place and no schedule: whoever wants a backup names a place.
    pub fn without_a_place(neighbours: Arc<dyn Neighbours>) -> Self {
        Self { to: None, s3: S3Settings::default(), schedule: None, master_key_file: None, neighbours }
    }
}

/// Recovery's own part of the hub.
pub(crate) struct Recovery {
    pub settings: Settings,
    pub keyrings: keys::Keyrings,
}

/// Puts recovery into the hub: purges reach the keyrings from now on.
pub fn provide(hub: &Hub, settings: Settings) {
    let keyrings = keys::Keyrings::default();
    hub.on_destroy(Arc::new(keys::Shredder { keyrings: keyrings.clone(), s3: settings.s3.clone() }));
    hub.provide(Recovery { settings, keyrings });
}

/// Says how far a long work is.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&str) + Send + Sync>);

impl Progress {
    /// Tells whoever listens.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn say(&self, text: impl AsRef<str>) {
        (self.0)(text.as_ref());
    }
}

kernel::kinds! {
    /// A backup or bundle.
    Backup BackupId "bak";
    /// Something the operator asked of a running hub.
    OperatorJob OperatorJobId "job";
}
