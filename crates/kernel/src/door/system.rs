//! Work that no request does: the hub itself as the actor, always with a reason.

use std::sync::Arc;

use access::{Grant, Place as AccessPlace};

use super::hub::Hub;
use super::record;
use super::standing::{Held, Standing};
use super::tx::{Background, ReadTx, WriteTx, scope};
use crate::error::Result;
use crate::ids::{ProviderId, TenantId};
use crate::store::Place;

impl Hub {
    /// A write of the hub itself on one tenant's data, with its reason in the ledger. For work that no request does.
    ///
    /// # Errors
    /// `Unavailable`, or `NotFound` without such a tenant.
    pub async fn system(&self, tenant: TenantId, action: &'static str, reason: &'static str) -> Result<WriteTx<scope::Data>> {
        let mut entry = record::draft(self.now(), action, record::system_actor(), None);
        entry.reason = Some(reason.to_owned());
        entry.tenant = Some(tenant.to_string());
        let tx = self.0.store.write(Place::Tenant(tenant)).await?;
        Ok(WriteTx::new(ReadTx::new(tx, scope::Data(tenant), self.system_background()), entry, None))
    }

    /// A write of the hub itself on the control database, with its reason in the installation's ledger. For start-up, for commands
    /// given at the machine, and for test fixtures.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn system_write(&self, action: &'static str, reason: &'static str) -> Result<WriteTx<scope::Public>> {
        let mut entry = record::draft(self.now(), action, record::system_actor(), None);
        entry.reason = Some(reason.to_owned());
        let tx = self.0.store.write(Place::Control).await?;
        Ok(WriteTx::new(ReadTx::new(tx, scope::Public, self.system_background()), entry, None))
    }

    /// A write of the hub itself on one provider's records, in that provider's ledger. For commands given at the machine that do what its
    /// people do otherwise.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn system_for_provider(
        &self,
        provider: ProviderId,
        action: &'static str,
        reason: &str,
    ) -> Result<WriteTx<scope::Provider>> {
        let mut entry = record::draft(self.now(), action, record::system_actor(), None);
        entry.reason = Some(reason.to_owned());
        let tx = self.0.store.write(Place::Control).await?;
        Ok(WriteTx::new(ReadTx::new(tx, scope::Provider { provider }, self.system_background()), entry, None))
    }

    pub(super) fn system_background(&self) -> Background {
        let label = ledger::Grant { source: "system".into(), id: String::new(), role: None, tier: None, provider: None };
        let held = vec![Held::new(Grant::Nobody, label)];
        let standing = Arc::new(Standing::new(None, AccessPlace::Public, held));
        Background { hub: self.clone(), caller: None, standing, scratch: None, now: self.now(), epoch: self.epoch() }
    }

    /// A read of the hub itself on the control database: for workers that look for what is due, and for telling the person at the
    /// machine how things stand.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn system_read(&self) -> Result<ReadTx<scope::Public>> {
        let tx = self.0.store.read(Place::Control).await?;
        Ok(ReadTx::new(tx, scope::Public, self.system_background()))
    }
}
