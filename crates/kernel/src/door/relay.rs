//! News between the databases. What a commit on one side means for the other lies ready in an outbox of the same commit, is
//! carried over right after it, and by the sweep if that was interrupted. Carrying twice changes nothing.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::hub::Hub;
use super::record::append_tenant_body;
use crate::error::{CanFail, Error, Result};
use crate::ids::TenantId;
use crate::news::{self, ALERT, Alert, Of};
use crate::params;
use crate::store::{Place, StoreError, Tx, Value};

/// What carrying a tenant's news into the control database needs: SQL on it, for one tenant.
pub struct Carrier<'a> {
    pub(crate) tx: &'a mut Tx,
    /// The tenant whose news it is.
    pub tenant: TenantId,
    /// Number of the tenant's ledger entry that made the news: larger is newer.
    pub revision: i64,
}

impl Carrier<'_> {
    /// Changes rows of the control database.
    ///
    /// # Errors
    /// As the store's.
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.tx.execute(sql, params).await
    }
}

/// Between a topic and what tells apart its news that are carried one by one.
pub(crate) const EACH: char = '#';

/// Carries one topic's news. The payload is the JSON that the slice laid ready; the newest wins.
pub trait Topic: Send + Sync {
    /// Writes it into the control database.
    fn carry<'a>(&'a self, carrier: &'a mut Carrier<'_>, payload: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl Hub {
    /// Says who carries a topic. Wired where the hub is put together.
    pub fn on_topic(&self, name: &'static str, topic: impl Topic + 'static) {
        self.0.topics.write().insert(name, Arc::new(topic));
    }

    /// Carries what lies ready on either side of this tenant.
    pub(crate) async fn relay_outbox(&self, tenant: TenantId) -> Result<()> {
        let turn = self.turn(tenant);
        let _one_at_a_time = turn.lock().await;
        let mut tx = self.0.store.read(Place::Tenant(tenant)).await?;
        let rows = tx.rows("SELECT topic, revision, payload FROM outbox ORDER BY revision, topic", &[]).await?;
        drop(tx);
        for mut row in rows {
            let (name, revision, payload): (String, i64, String) = (row.take()?, row.take()?, row.take()?);
            if name.split(EACH).next() == Some(ALERT) {
                // Carried twice it is raised twice, which is once.
                let mut control = self.0.store.write(Place::Control).await?;
                news::lay(&mut control, self, ALERT, &Self::alert_of(tenant, &payload)?).await?;
                control.commit().await?;
                self.0.said.notify_one();
            } else {
                let Some(topic) = self.0.topics.read().get(name.as_str()).cloned() else { continue };
                let mut control = self.0.store.write(Place::Control).await?;
                topic.carry(&mut Carrier { tx: &mut control, tenant, revision }, &payload).await?;
                control.commit().await?;
            }
            let mut tx = self.0.store.write(Place::Tenant(tenant)).await?;
            tx.execute("DELETE FROM outbox WHERE topic = ?1 AND revision = ?2", params![name, revision]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// A tenant's data raises alerts of that tenant only, whatever it says.
    fn alert_of(tenant: TenantId, payload: &str) -> Result<String> {
        let mut alert: Alert = serde_json::from_str(payload).map_err(Error::internal)?;
        alert.of = Of::Tenant(tenant);
        serde_json::to_string(&alert).map_err(Error::internal)
    }

    /// Appends to the tenant's ledger what acts in the control database laid ready for it.
    pub(crate) async fn relay_ledger(&self, tenant: TenantId) -> Result<()> {
        let turn = self.turn(tenant);
        let _one_at_a_time = turn.lock().await;
        let mut tx = self.0.store.read(Place::Control).await?;
        let rows =
            tx.rows("SELECT id, body FROM ledger_outbox WHERE tenant_id = ?1 ORDER BY id LIMIT 500", params![tenant]).await?;
        drop(tx);
        let mut carried: Vec<Uuid> = Vec::with_capacity(rows.len());
        if !rows.is_empty() {
            let mut tenant_tx = match self.0.store.write(Place::Tenant(tenant)).await {
                Ok(tx) => Some(tx),
                Err(StoreError::NoTenant) => None,
                Err(error) => return Err(error.into()),
            };
            for mut row in rows {
                let (id, body): (Uuid, String) = (row.take()?, row.take()?);
                carried.push(id);
                let Some(tx) = tenant_tx.as_mut() else { continue };
                if tx.opt("SELECT seq FROM ledger WHERE id = ?1", params![id]).await?.is_some() {
                    continue;
                }
                let entry = serde_json::from_str(&body).map_err(Error::internal)?;
                append_tenant_body(tx, &entry, &body).await?;
            }
            if let Some(tx) = tenant_tx {
                tx.commit().await?;
                self.note_entry(None, Some(tenant));
            }
        }
        if !carried.is_empty() {
            let mut tx = self.0.store.write(Place::Control).await?;
            for id in carried {
                tx.execute("DELETE FROM ledger_outbox WHERE id = ?1", params![id]).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Carries everything that an interruption left lying: run at start and now and then. Answers how many tenants it looked at.
    ///
    /// # Errors
    /// The control database does not answer.
    pub async fn sweep(&self) -> Result<usize> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let rows = tx.rows("SELECT id FROM tenant WHERE state <> 'purged' ORDER BY id", &[]).await?;
        drop(tx);
        let count = rows.len();
        for mut row in rows {
            let tenant: TenantId = row.take()?;
            self.relay_outbox(tenant).await.can_fail("the next sweep tries again");
            self.relay_ledger(tenant).await.can_fail("the next sweep tries again");
        }
        Ok(count)
    }

    fn turn(&self, tenant: TenantId) -> Arc<tokio::sync::Mutex<()>> {
        let mut relays = self.0.relays.lock();
        if relays.len() > 4_096 {
            relays.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        relays.entry(tenant.uuid()).or_default().clone()
    }
}
