//! What an act says to people, laid ready in the act's own commit: an e-mail to be sent, an alert that is raised or over. A worker
//! (the operations crate) takes it from there, so that nobody hears of what did not happen, and no crash loses a word.
//!
//! Texts are not written here: a mail names its template, an alert its rule, and both carry the facts.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::door::{Hub, ReadTx, WriteTx, scope};
use crate::error::{Error, Result};
use crate::ids::{PersonId, ProviderId, TenantId, uuid_at};
use crate::params;
use crate::store::{Place, StoreError, Tx};

crate::kinds! {
    /// One thing that is said.
    News NewsId "new";
}

const LABEL: &str = "news";
const MAIL: &str = "mail";
pub(crate) const ALERT: &str = "alert";

/// Whose business it is: whose brand an e-mail wears, whose inbox an alert stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The installation's own.
    Installation,
    /// A provider's.
    Provider(ProviderId),
    /// A tenant's.
    Tenant(TenantId),
}

/// An e-mail to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    /// A checked address.
    pub to: String,
    /// Whom it reaches, when they have an account: their language is used.
    pub person: Option<PersonId>,
    /// Whose brand it wears.
    pub of: Of,
    /// Name of the template, e.g. `invitation`.
    pub template: String,
    /// What the template says.
    pub facts: Value,
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Must be looked at.
    Critical,
}

/// An alert that is raised, or over. Its identity is (whose, rule, subject), never a time (product.md section 6): raising it twice is
/// raising it once. Says nothing of a tenant's data but what its summary may say too: counts and names of its own records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alert {
    /// Whose inbox it stands in.
    pub of: Of,
    /// What was noticed, e.g. `limit_crossed`.
    pub rule: String,
    /// About what: an id or a name that does not change.
    pub subject: String,
    /// The subject in words.
    pub label: String,
    /// How much it matters.
    pub urgency: Urgency,
    /// What is said about it.
    pub facts: Value,
    /// It is over, not raised.
    pub is_over: bool,
}

/// Something that lies ready.
#[derive(Debug)]
pub enum Said {
    /// An e-mail.
    Mail(Mail),
    /// An alert.
    Alert(Alert),
}

impl<S: scope::Control> WriteTx<S> {
    /// Sends an e-mail once this act is committed.
    ///
    /// # Errors
    /// As the store's.
    pub async fn mail(&mut self, mail: &Mail) -> Result<()> {
        self.say(MAIL, mail).await
    }

    /// Raises an alert, or says that it is over, once this act is committed.
    ///
    /// # Errors
    /// As the store's.
    pub async fn alert(&mut self, alert: &Alert) -> Result<()> {
        self.say(ALERT, alert).await
    }

    async fn say(&mut self, topic: &'static str, what: &impl Serialize) -> Result<()> {
        let body = serde_json::to_string(what).map_err(Error::internal)?;
        let hub = self.hub().clone();
        lay(self.tx()?, &hub, topic, &body).await?;
        self.has_said();
        Ok(())
    }

    /// Takes what was said out of the way: first thing in the commit that does something about it. Answers whether it was there still;
    /// if not, another hub on the same store has heard it.
    ///
    /// # Errors
    /// As the store's.
    pub async fn heard(&mut self, id: NewsId) -> Result<bool> {
        Ok(self.execute("DELETE FROM news WHERE id = ?1", params![id]).await? == 1)
    }
}

impl WriteTx<scope::Data> {
    /// Raises an alert of this tenant, or says that it is over, once this act is committed.
    ///
    /// # Errors
    /// `Internal` when it cannot be written as JSON.
    pub fn alert(&mut self, alert: &Alert) -> Result<()> {
        self.publish_each(ALERT, alert)
    }
}

impl Hub {
    /// Raises an alert that no act is about.
    pub(crate) async fn say_alert(&self, alert: &Alert) -> Result<()> {
        let body = serde_json::to_string(alert).map_err(Error::internal)?;
        let mut tx = self.0.store.write(Place::Control).await?;
        lay(&mut tx, self, ALERT, &body).await?;
        tx.commit().await?;
        self.0.said.notify_one();
        Ok(())
    }
}

/// An id after all that this hub gave before, so that what is said in one instant is heard in the order it was said: a counter stands in
/// front of the random bits (RFC 9562 section 6.2, method 1).
fn next_id(now: Timestamp) -> NewsId {
    static SAID: AtomicU32 = AtomicU32::new(0);
    let mut bytes = uuid_at(now).into_bytes();
    bytes[8] = 0x80;
    bytes[9..13].copy_from_slice(&SAID.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    NewsId::from_uuid(Uuid::from_bytes(bytes))
}

/// Lays something ready.
pub(crate) async fn lay(tx: &mut Tx, hub: &Hub, topic: &'static str, body: &str) -> Result<(), StoreError> {
    let (now, sealed) = (hub.now(), hub.master_key().seal(LABEL, body.as_bytes()));
    let id = next_id(now);
    tx.execute("INSERT INTO news (id, topic, body, at) VALUES (?1, ?2, ?3, ?4)", params![id, topic, sealed, now]).await?;
    Ok(())
}

/// Provided by whoever sends e-mails, once it knows how.
#[derive(Debug, Clone, Copy)]
pub struct SendsMail;

impl Hub {
    /// E-mails leave this hub. Where none do, links are shown to whoever made them.
    pub fn sends_mail(&self) -> bool {
        self.find_port::<SendsMail>().is_some()
    }

    /// For an answer that says what became of an e-mail: `sent` or `not_configured`.
    pub fn mail_word(&self) -> &'static str {
        if self.sends_mail() { "sent" } else { "not_configured" }
    }

    /// Waits until something was said; who comes late is let through once.
    pub async fn until_said(&self) {
        self.0.said.notified().await;
    }
}

impl<S: scope::Control> ReadTx<S> {
    /// What was said and not heard yet, oldest first.
    ///
    /// # Errors
    /// `Internal` when it does not open.
    pub async fn news(&mut self, limit: u32) -> Result<Vec<(NewsId, Said)>> {
        let rows = self.rows("SELECT id, topic, body FROM news ORDER BY id LIMIT ?1", params![i64::from(limit)]).await?;
        let key = self.hub().master_key();
        rows.into_iter()
            .map(|mut row| {
                let (id, topic, sealed): (NewsId, String, Vec<u8>) = (row.take()?, row.take()?, row.take()?);
                let body = key.open(LABEL, &sealed)?;
                let said = match topic.as_str() {
                    MAIL => Said::Mail(serde_json::from_slice(&body).map_err(Error::internal)?),
                    _ => Said::Alert(serde_json::from_slice(&body).map_err(Error::internal)?),
                };
                Ok((id, said))
            })
            .collect()
    }
}
