//! Who asks: the session cookie, looked up by its hash.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE as COOKIE_HEADER;

use super::hub::{Cached, Hub};
use crate::clock::Timestamp;
use crate::error::{CanFail, Error, Result};
use crate::ids::{PersonId, SessionId};
use crate::params;
use crate::store::Place;

/// Name of the session cookie.
pub const COOKIE: &str = "tenantry_session";

/// How long a session lives without being used.
pub(crate) const IDLE: Duration = Duration::from_secs(8 * 3600);
/// Uses of a session within this time are noted once.
const TOUCH_AFTER: Duration = Duration::from_secs(60);

/// A signed-in person and the session they came with.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub person: PersonId,
    /// Name now.
    pub name: String,
    /// E-mail now.
    pub email: String,
    /// The session.
    pub session: SessionId,
    /// The second factor is still missing: good for nothing but giving it.
    pub half: bool,
    /// When the second factor was last given.
    pub second_factor_at: Option<Timestamp>,
    pub(crate) enabled: bool,
    pub(crate) seen_at: Timestamp,
    pub(crate) idle_expires_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Hub {
    /// The caller of a request, half-signed-in ones too.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>> {
        let token = session_token(headers).ok_or(Error::NotSignedIn)?;
        let hash = *blake3::hash(token.as_bytes()).as_bytes();
        let now = self.now();
        // Of before anything is read: what is kept of this look is void after any commit that came in between.
        let epoch = self.epoch();
        let cached = self.0.sessions.lock().get(&hash).filter(|c| self.fresh(c.epoch, c.at, now)).map(|c| c.value.clone());
        let caller = match cached {
            Some(caller) => caller,
            None => self.load_caller(hash, epoch, now).await?,
        };
        if now >= caller.expires_at || now >= caller.idle_expires_at {
            return Err(Error::NotSignedIn);
        }
        if now >= caller.seen_at.after(TOUCH_AFTER) {
            return Ok(self.touch(hash, &caller, epoch, now));
        }
        Ok(caller)
    }

    async fn load_caller(&self, hash: [u8; 32], epoch: u64, now: Timestamp) -> Result<Arc<Caller>> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let row = tx
            .opt(
                "SELECT p.id, p.name, p.email, p.state, s.id, s.state, s.second_factor_at, s.last_seen_at, s.idle_expires_at, s.expires_at
                 FROM session s JOIN person p ON p.id = s.person_id WHERE s.token_hash = ?1",
                params![hash.as_slice()],
            )
            .await?;
        let mut row = row.ok_or(Error::NotSignedIn)?;
        let caller = Arc::new(Caller {
            person: row.take()?,
            name: row.take()?,
            email: row.take()?,
            enabled: row.take::<String>()? == "active",
            session: row.take()?,
            half: row.take::<String>()? == "half",
            second_factor_at: row.take()?,
            seen_at: row.take()?,
            idle_expires_at: row.take()?,
            expires_at: row.take()?,
        });
        self.0.sessions.lock().put(hash, Cached { epoch, at: now, value: caller.clone() });
        Ok(caller)
    }

    /// Notes that the session is in use, and keeps it alive. Not an act, so not in the ledger.
    fn touch(&self, hash: [u8; 32], caller: &Caller, epoch: u64, now: Timestamp) -> Arc<Caller> {
        let touched = Arc::new(Caller { seen_at: now, idle_expires_at: now.after(IDLE), ..caller.clone() });
        self.0.sessions.lock().put(hash, Cached { epoch, at: now, value: touched.clone() });
        let (hub, session, person) = (self.clone(), caller.session, caller.person);
        tokio::spawn(async move {
            let note = async {
                let mut tx = hub.0.store.write(Place::Control).await?;
                tx.execute(
                    "UPDATE session SET last_seen_at = ?2, idle_expires_at = ?3 WHERE id = ?1",
                    params![session, now, now.after(IDLE)],
                )
                .await?;
                tx.execute("UPDATE person SET last_seen_at = ?2 WHERE id = ?1", params![person, now]).await?;
                tx.commit().await
            };
            note.await.can_fail("the next request notes it again");
        });
        touched
    }
}

impl Caller {
    /// Fully signed in and enabled.
    pub(crate) fn full(self: Arc<Self>) -> Result<Arc<Self>> {
        match (self.enabled, self.half) {
            (false, _) => Err(Error::NotSignedIn),
            (_, true) => Err(Error::SecondFactorRequired),
            (true, false) => Ok(self),
        }
    }
}

fn session_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE_HEADER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token)
}
