//! Who asks: the session cookie or the API key, looked up by its hash.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{Act, KeyPlace};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE as COOKIE_HEADER};
use axum::http::request::Parts;
use uuid::Uuid;

use super::hub::{Cached, Hub};
use super::record::Scratch;
use super::standing::Standing;
use crate::clock::Timestamp;
use crate::error::{CanFail, Error, Result};
use crate::ids::{ApiKeyId, PersonId, SessionId};
use crate::params;
use crate::rules::{Lack, SignInRules, SignedIn};
use crate::secrets::is_api_token;
use crate::store::{Place, StoreError, Tx, Value};

/// Name of the session cookie.
pub const COOKIE: &str = "tenantry_session";

/// How long a session lives without being used.
pub(crate) const IDLE: Duration = Duration::from_secs(8 * 3600);
/// How long a second factor, or the password again, counts as fresh.
pub const FRESH: Duration = Duration::from_secs(10 * 60);
/// Uses of a session within this time are noted once.
const TOUCH_AFTER: Duration = Duration::from_secs(60);
/// Uses of a tenant by the same person within this time are noted once.
const USE_AFTER: Duration = Duration::from_secs(300);

/// A person and what they came with: a session, or an API key they made.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub person: PersonId,
    /// Name now.
    pub name: String,
    /// E-mail now.
    pub email: String,
    /// The session; nil for an API key, which has none and reaches nothing of a person's own.
    pub session: SessionId,
    /// The API key, if that is what they came with.
    pub key: Option<CallerKey>,
    /// The second factor is still missing: good for nothing but giving it.
    pub half: bool,
    /// When the second factor was last given.
    pub second_factor_at: Option<Timestamp>,
    /// When they last proved again that it is them: by a code, or without a second factor by the password.
    pub stepped_up_at: Option<Timestamp>,
    /// When they last gave their password in this session.
    pub password_at: Option<Timestamp>,
    pub(crate) asked: Asked,
    pub(crate) token_hash: [u8; 32],
    pub(crate) enabled: bool,
    pub(crate) seen_at: Timestamp,
    pub(crate) idle_expires_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What the places of a person ask of them, and how they stand towards that. A key is asked for nothing: it was made by somebody who had
/// it all, and it ends by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    rules: SignInRules,
    has_second_factor: bool,
    password_set_at: Timestamp,
}

impl Asked {
    /// Of who comes without a session.
    const NOTHING: Self = Self { rules: SignInRules::NOTHING, has_second_factor: false, password_set_at: Timestamp(0) };
}

/// The API key that a caller came with.
#[derive(Debug, Clone)]
pub struct CallerKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// As the policies see it.
    pub facts: access::Key,
}

impl Hub {
    /// The caller of a request, half-signed-in ones too.
    pub(crate) async fn caller(&self, parts: &Parts) -> Result<Arc<Caller>> {
        let headers = &parts.headers;
        let token = bearer_token(headers)?.or_else(|| session_token(headers)).ok_or(Error::NotSignedIn)?;
        // Of before anything is read: what is kept of this look is void after any commit that came in between.
        let epoch = self.epoch();
        let caller = self.caller_by_hash(*blake3::hash(token.as_bytes()).as_bytes()).await?;
        let now = self.now();
        if now < caller.seen_at.after(TOUCH_AFTER) {
            return Ok(caller);
        }
        let address = parts.extensions.get::<Arc<Scratch>>().and_then(|scratch| scratch.address);
        Ok(self.touch(&caller, epoch, now, address))
    }

    /// Who began an act, as things stand at its end. Somebody who signed out meanwhile keeps their rights for it (a scan that is being
    /// taken in goes on); an API key that was revoked keeps none.
    pub(crate) async fn caller_still(&self, caller: &Caller) -> Result<Arc<Caller>> {
        match self.caller_by_hash(caller.token_hash).await {
            Err(Error::NotSignedIn) if caller.key.is_none() => {}
            other => return other,
        }
        let mut tx = self.0.store.read_facts().await?;
        let row = tx.opt("SELECT state FROM person WHERE id = ?1", params![caller.person]).await?;
        let enabled = row.ok_or(Error::NotSignedIn)?.take::<String>()? == "active";
        Ok(Arc::new(Caller { enabled, ..caller.clone() }))
    }

    /// A person without a session or a key: for what they approved and that is done after their request.
    pub(crate) async fn caller_in_person(&self, person: PersonId) -> Result<Caller> {
        let mut tx = self.0.store.read_facts().await?;
        let row = tx.opt("SELECT name, email, state FROM person WHERE id = ?1", params![person]).await?;
        let mut row = row.ok_or(Error::NotSignedIn)?;
        let (name, email, state): (String, String, String) = (row.take()?, row.take()?, row.take()?);
        if state != "active" {
            return Err(Error::NotSignedIn);
        }
        let ever = Timestamp(i64::MAX);
        Ok(Caller {
            person,
            name,
            email,
            session: SessionId::from_uuid(Uuid::nil()),
            key: None,
            half: false,
            second_factor_at: None,
            stepped_up_at: None,
            password_at: None,
            asked: Asked::NOTHING,
            // The hash of no token.
            token_hash: [0; 32],
            enabled: true,
            seen_at: ever,
            idle_expires_at: ever,
            expires_at: ever,
        })
    }

    /// The caller whose token has this hash, as things stand now. A look, not a use: it keeps no session alive.
    pub(crate) async fn caller_by_hash(&self, hash: [u8; 32]) -> Result<Arc<Caller>> {
        let (now, epoch) = (self.now(), self.epoch());
        let cached = self.0.sessions.lock().get(&hash).filter(|c| self.fresh(c.epoch, c.at, now)).map(|c| c.value.clone());
        let caller = match cached {
            Some(caller) => caller,
            None => self.load_caller(hash, epoch, now).await?,
        };
        if now >= caller.expires_at || now >= caller.idle_expires_at {
            return Err(Error::NotSignedIn);
        }
        Ok(caller)
    }

    async fn load_caller(&self, hash: [u8; 32], epoch: u64, now: Timestamp) -> Result<Arc<Caller>> {
        let mut tx = self.0.store.read_facts().await?;
        let caller = match load_session(&mut tx, hash).await? {
            Some(caller) => Some(caller),
            None => load_key(&mut tx, hash).await?,
        };
        let caller = Arc::new(caller.ok_or(Error::NotSignedIn)?);
        self.0.sessions.lock().put(hash, Cached { epoch, at: now, value: caller.clone() });
        Ok(caller)
    }

    /// Notes that staff used their access to a tenant, once in some minutes.
    pub(crate) fn note_use(&self, caller: &Caller, standing: &Standing, now: Timestamp) {
        let Some(tenant) = standing.tenant.as_ref().map(|tenant| tenant.id) else { return };
        if !standing.held.iter().any(|held| matches!(held.grant, access::Grant::Reach { .. })) {
            return;
        }
        let mut uses = self.0.uses.lock();
        let key = (caller.person.uuid(), tenant.uuid());
        if uses.get(&key).is_some_and(|last| now < last.after(USE_AFTER)) {
            return;
        }
        uses.put(key, now);
        let sql = "INSERT INTO reach_use (tenant_id, person_id, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant_id, person_id) DO UPDATE SET at = excluded.at";
        self.note(vec![(sql, params![tenant, caller.person, now].to_vec())]);
    }

    /// Notes that the session or the key is in use, once in a minute, and keeps the session alive.
    fn touch(&self, caller: &Caller, epoch: u64, now: Timestamp, address: Option<IpAddr>) -> Arc<Caller> {
        // A key does not live longer for being used.
        let idle_expires_at = if caller.key.is_some() { caller.idle_expires_at } else { now.after(IDLE) };
        let touched = Arc::new(Caller { seen_at: now, idle_expires_at, ..caller.clone() });
        self.0.sessions.lock().put(caller.token_hash, Cached { epoch, at: now, value: touched.clone() });
        self.note(match &caller.key {
            Some(key) => {
                let address = address.map(|address| address.to_string()).unwrap_or_default();
                let sql = "UPDATE api_key SET last_used_at = ?2, last_address = ?3 WHERE id = ?1";
                vec![(sql, params![key.id, now, address].to_vec())]
            }
            None => vec![
                (
                    "UPDATE session SET last_seen_at = ?2, idle_expires_at = ?3 WHERE id = ?1",
                    params![caller.session, now, idle_expires_at].to_vec(),
                ),
                ("UPDATE person SET last_seen_at = ?2 WHERE id = ?1", params![caller.person, now].to_vec()),
            ],
        });
        touched
    }

    /// Writes down what is no act, beside the request: it is not in the ledger, and nothing is lost with it.
    fn note(&self, statements: Vec<(&'static str, Vec<Value>)>) {
        let hub = self.clone();
        tokio::spawn(async move {
            let note = async {
                let mut tx = hub.0.store.write(Place::Control).await?;
                for (sql, params) in statements {
                    tx.execute(sql, &params).await?;
                }
                tx.commit().await
            };
            note.await.can_fail("the next use notes it again");
        });
    }
}

async fn load_session(tx: &mut Tx, hash: [u8; 32]) -> Result<Option<Caller>, StoreError> {
    let row = tx
        .opt(
            "SELECT p.id, p.name, p.email, p.state, p.totp_secret IS NOT NULL, COALESCE(p.password_set_at, p.created_at), s.id, s.state,
                    s.second_factor_at, s.stepped_up_at, s.password_at, s.last_seen_at, s.idle_expires_at, s.expires_at
             FROM session s JOIN person p ON p.id = s.person_id WHERE s.token_hash = ?1",
            params![hash.as_slice()],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (person, name, email): (PersonId, _, _) = (row.take()?, row.take()?, row.take()?);
    let enabled = row.take::<String>()? == "active";
    let rules = SignInRules::of(tx, person).await?;
    let asked = Asked { rules, has_second_factor: row.take()?, password_set_at: row.take()? };
    Ok(Some(Caller {
        person,
        name,
        email,
        enabled,
        asked,
        session: row.take()?,
        key: None,
        half: row.take::<String>()? == "half",
        second_factor_at: row.take()?,
        stepped_up_at: row.take()?,
        password_at: row.take()?,
        token_hash: hash,
        seen_at: row.take()?,
        idle_expires_at: row.take()?,
        expires_at: row.take()?,
    }))
}

async fn load_key(tx: &mut Tx, hash: [u8; 32]) -> Result<Option<Caller>, StoreError> {
    let row = tx
        .opt(
            "SELECT p.id, p.name, p.email, p.state, k.id, k.name, k.tenant_id, k.provider_id, k.actions, k.expires_at,
                    COALESCE(k.last_used_at, 0)
             FROM api_key k JOIN person p ON p.id = k.person_id WHERE k.token_hash = ?1 AND k.revoked_at IS NULL",
            params![hash.as_slice()],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (person, name, email): (PersonId, _, _) = (row.take()?, row.take()?, row.take()?);
    let enabled = row.take::<String>()? == "active";
    let (id, key_name): (ApiKeyId, _) = (row.take()?, row.take()?);
    let (tenant, provider): (Option<Uuid>, Option<Uuid>) = (row.take()?, row.take()?);
    let place = match (tenant, provider) {
        (Some(tenant), _) => KeyPlace::Tenant(tenant),
        (None, Some(provider)) => KeyPlace::Provider(provider),
        (None, None) => return Err(StoreError::Shape("an API key that is for no place".into())),
    };
    let actions = row.json::<Vec<String>>()?.iter().filter_map(|name| Act::from_name(name)).collect();
    let (expires_at, seen_at): (Timestamp, Timestamp) = (row.take()?, row.take()?);
    let facts = access::Key { id: id.uuid(), person: person.uuid(), place, actions, ends_at: expires_at.0 };
    Ok(Some(Caller {
        person,
        name,
        email,
        session: SessionId::from_uuid(Uuid::nil()),
        key: Some(CallerKey { id, name: key_name, facts }),
        half: false,
        second_factor_at: None,
        stepped_up_at: None,
        password_at: None,
        asked: Asked::NOTHING,
        token_hash: hash,
        enabled,
        seen_at,
        idle_expires_at: expires_at,
        expires_at,
    }))
}

impl Caller {
    /// What caches know the caller by: a key's standing is not its maker's.
    pub(crate) fn principal(&self) -> Uuid {
        self.key.as_ref().map_or(self.person.uuid(), |key| key.id.uuid())
    }

    pub(crate) fn as_access_person(&self) -> access::Person {
        access::Person { id: self.person.uuid(), enabled: self.enabled }
    }

    /// As the ledger names who acts.
    pub(crate) fn actor(&self) -> ledger::Actor {
        ledger::Actor {
            id: Some(self.person.to_string()),
            name: self.name.clone(),
            kind: ledger::ActorKind::Person,
            key: self.key.as_ref().map(|key| ledger::Named { id: key.id.to_string(), name: key.name.clone() }),
        }
    }

    /// Whether they proved a short while ago that it is them.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        fresh_until(self.second_factor_at, self.stepped_up_at).is_some_and(|until| now < until)
    }

    /// What is still asked of them before they may do anything but mend it.
    pub(crate) fn lack(&self, now: Timestamp) -> Option<Lack> {
        if self.key.is_some() {
            return None;
        }
        let Asked { rules, has_second_factor, password_set_at } = self.asked;
        let (second_factor_at, stepped_up_at) = (self.second_factor_at, self.stepped_up_at);
        rules.lack(&SignedIn { has_second_factor, second_factor_at, stepped_up_at, password_set_at }, now)
    }

    /// Fully signed in and enabled, with everything that is asked of them.
    pub(crate) fn ready(self: Arc<Self>, now: Timestamp) -> Result<Arc<Self>> {
        let whole = self.full()?;
        match whole.lack(now) {
            Some(lack) => Err(Error::Lacking(lack)),
            None => Ok(whole),
        }
    }

    /// Fully signed in and enabled.
    pub(crate) fn full(self: Arc<Self>) -> Result<Arc<Self>> {
        match (self.enabled, self.half) {
            (false, _) => Err(Error::NotSignedIn),
            (_, true) => Err(Error::SecondFactorRequired),
            (true, false) => Ok(self),
        }
    }
}

/// Until when somebody counts as having proved that it is them: the later of the two, and [`FRESH`].
pub fn fresh_until(second_factor_at: Option<Timestamp>, stepped_up_at: Option<Timestamp>) -> Option<Timestamp> {
    second_factor_at.max(stepped_up_at).map(|last| last.after(FRESH))
}

/// The token of an `Authorization: Bearer` header. One that cannot be an API key is refused without a look-up.
fn bearer_token(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token =
        header.to_str().ok().and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).filter(|token| is_api_token(token));
    token.map(Some).ok_or(Error::NotSignedIn)
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
