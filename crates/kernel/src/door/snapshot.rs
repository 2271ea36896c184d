//! The operator's way to whole databases: snapshots for backups, and the schema for those who put rows back.
//!
//! A snapshot is one transaction on one database, so what it shows is consistent in itself. Who takes one says so in the ledger
//! (`Hub::system_write`); rows are put back through the ordinary [`Hub::system`] and [`Hub::system_write`], whose commit leaves its
//! entry beside them.

use super::hub::Hub;
use super::tx::{WriteTx, scope};
use crate::error::Result;
use crate::ids::TenantId;
use crate::params;
use crate::store::{Place, Snapshot, Table, Value, dump, postgres};

impl Hub {
    /// One tenant's database as it is now.
    ///
    /// # Errors
    /// `NotFound` without such a database, `Unavailable`.
    pub async fn snapshot(&self, tenant: TenantId) -> Result<Snapshot> {
        self.snapshot_of(Place::Tenant(tenant)).await
    }

    /// The control database as it is now. What is sealed in it stays sealed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn snapshot_control(&self) -> Result<Snapshot> {
        self.snapshot_of(Place::Control).await
    }

    async fn snapshot_of(&self, place: Place) -> Result<Snapshot> {
        let tx = self.0.store.read_instant(place).await?;
        Ok(Snapshot::begin(tx, place).await?)
    }

    /// The tables that this tenant's database has now.
    ///
    /// # Errors
    /// As [`Hub::snapshot`].
    pub async fn tables(&self, tenant: TenantId) -> Result<Vec<Table>> {
        let place = Place::Tenant(tenant);
        Ok(dump::tables(&mut self.0.store.read(place).await?, place).await?)
    }

    /// The tables that the control database has now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn control_tables(&self) -> Result<Vec<Table>> {
        Ok(dump::tables(&mut self.0.store.read(Place::Control).await?, Place::Control).await?)
    }

    /// Bookkeeping of the hub's own in the control database that is no act of anybody: how far a job is. Leaves no ledger entry.
    ///
    /// # Errors
    /// As the store's.
    pub async fn bookkeeping(&self, sql: &'static str, params: &[Value]) -> Result<()> {
        let mut tx = self.0.store.write(Place::Control).await?;
        tx.execute(sql, params).await?;
        Ok(tx.commit().await?)
    }
}

impl WriteTx<scope::Data> {
    /// From here on nobody else writes to this tenant until the commit: waits for those who do, and lets nobody begin. For acts that replace
    /// what is there whole. (On SQLite every writer is alone.)
    ///
    /// # Errors
    /// `Unavailable` when two want to be alone at once.
    pub async fn alone(&mut self) -> Result<()> {
        if self.hub().is_shared() {
            let key = postgres::lock_key(self.scope.0);
            self.execute("SELECT pg_advisory_xact_lock(?1)", params![key]).await?;
        }
        Ok(())
    }
}
