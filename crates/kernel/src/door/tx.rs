//! Transactions that were allowed. A [`ReadTx`] can only read; a [`WriteTx`] leaves a ledger entry in the commit of its change, or,
//! dropped without a commit, changes nothing and leaves an entry that says so.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use access::{Act, Action, Subject};
use ledger::{Actor, ActorKind, Change, Entry, Outcome};
use serde::Serialize;
use uuid::Uuid;

use super::caller::Caller;
use super::hub::Hub;
use super::record::{self, Attempt, Chain, Scratch};
use super::relay::EACH;
use super::standing::{Moment, Standing, TenantInfo, refusal};
use crate::clock::Timestamp;
use crate::error::{CanFail, Error, Result};
use crate::ids::{EntryId, PersonId, ProviderId, TenantId};
use crate::params;
use crate::store::{Query, Row, StoreError, Tx, Value};

/// What a transaction reaches.
pub mod scope {
    use super::{PersonId, ProviderId, TenantId};

    /// One tenant's own database. The transaction is the tenant; its id is not to be had.
    #[derive(Debug, Clone, Copy)]
    pub struct Data(pub(crate) TenantId);
    /// The control records of one tenant: members, settings, invitations.
    #[derive(Debug, Clone, Copy)]
    pub struct Records {
        /// The tenant that every query is to name.
        pub tenant: TenantId,
    }
    /// One provider's own records.
    #[derive(Debug, Clone, Copy)]
    pub struct Provider {
        /// The provider that every query is to name.
        pub provider: ProviderId,
    }
    /// One provider's records about one of its tenants.
    #[derive(Debug, Clone, Copy)]
    pub struct Client {
        /// The provider that every query is to name.
        pub provider: ProviderId,
        /// The tenant that every query is to name.
        pub tenant: TenantId,
    }
    /// One person's own records.
    #[derive(Debug, Clone, Copy)]
    pub struct Own {
        /// The person that every query is to name.
        pub person: PersonId,
    }
    /// What may be looked up before anybody is signed in, by a secret that the caller brings.
    #[derive(Debug, Clone, Copy)]
    pub struct Public;

    /// Scopes on the control database.
    pub trait Control: super::Scope {}
    impl Control for Records {}
    impl Control for Provider {}
    impl Control for Client {}
    impl Control for Own {}
    impl Control for Public {}
}

/// A scope knows which ledger its acts go to.
pub trait Scope: Copy + Send + Sync + 'static {
    #[doc(hidden)]
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>);
    #[doc(hidden)]
    fn target(&self) -> Target {
        Target::Nothing
    }
}

/// Where an act's right is looked up again.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Target {
    Tenant(TenantId),
    Provider(ProviderId),
    Client(ProviderId, TenantId),
    Nothing,
}
impl Scope for scope::Data {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (None, Some(self.0))
    }
    fn target(&self) -> Target {
        Target::Tenant(self.0)
    }
}
impl Scope for scope::Records {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (Some(Uuid::nil()), Some(self.tenant))
    }
    fn target(&self) -> Target {
        Target::Tenant(self.tenant)
    }
}
impl Scope for scope::Provider {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (Some(self.provider.uuid()), None)
    }
    fn target(&self) -> Target {
        Target::Provider(self.provider)
    }
}
impl Scope for scope::Client {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (Some(self.provider.uuid()), Some(self.tenant))
    }
    fn target(&self) -> Target {
        Target::Client(self.provider, self.tenant)
    }
}
impl Scope for scope::Own {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (Some(Uuid::nil()), None)
    }
}
impl Scope for scope::Public {
    fn chain(&self) -> (Option<Uuid>, Option<TenantId>) {
        (Some(Uuid::nil()), None)
    }
}

/// What a transaction knows of the request it serves.
#[derive(Clone)]
pub(crate) struct Background {
    pub hub: Hub,
    pub caller: Option<Arc<Caller>>,
    pub standing: Arc<Standing>,
    pub scratch: Option<Arc<Scratch>>,
    pub now: Timestamp,
    /// The epoch of before the caller and the standing were looked up.
    pub epoch: u64,
}

impl Background {
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now, step_up: self.caller.as_ref().is_some_and(|caller| caller.is_fresh(self.now)) }
    }
}

/// What a write was allowed on: looked at again before it is committed, if it may not hold any more.
#[derive(Clone, Copy)]
pub(crate) struct Still {
    pub act: Act,
    /// When time alone may have changed the answer.
    pub until: Option<i64>,
    pub epoch: u64,
}

/// A transaction that can only read.
pub struct ReadTx<S: Scope> {
    /// Taken out by the commit.
    tx: Option<Tx>,
    /// What it reaches.
    pub scope: S,
    background: Background,
}

/// A transaction that can write, and will be in the ledger.
pub struct WriteTx<S: Scope> {
    inner: ReadTx<S>,
    entry: Option<Entry>,
    news: Vec<(String, String)>,
    /// It says something to people: whoever carries that is woken by the commit.
    says: bool,
    /// More tenants whose ledgers get a copy (an act of a provider that touches a tenant).
    also_in: Vec<TenantId>,
    /// Changes that only the copy in this tenant's ledger shows, and the act's own ledger.
    changed_in: Vec<(TenantId, Change)>,
    /// The provider whose ledger gets the entry instead of the installation's.
    provider: Option<ProviderId>,
    keeps_authority: bool,
    still: Option<Still>,
}

impl<S: Scope> ReadTx<S> {
    pub(crate) fn new(tx: Tx, scope: S, background: Background) -> Self {
        Self { tx: Some(tx), scope, background }
    }

    pub(crate) fn tx(&mut self) -> Result<&mut Tx, StoreError> {
        self.tx.as_mut().ok_or_else(|| StoreError::Other("the transaction has ended".into()))
    }

    /// All rows of a query whose length is bounded by the query itself.
    ///
    /// # Errors
    /// As the store's.
    pub async fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.tx()?.rows(sql, params).await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// As the store's.
    pub async fn opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        self.tx()?.opt(sql, params).await
    }

    /// The first row.
    ///
    /// # Errors
    /// `Shape` when there is none: for aggregates, which always have one.
    pub async fn one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreError> {
        self.tx()?.one(sql, params).await
    }

    /// All rows of a query that was put together.
    ///
    /// # Errors
    /// As the store's.
    pub async fn query(&mut self, query: &Query) -> Result<Vec<Row>, StoreError> {
        self.tx()?.rows(&query.sql, &query.params).await
    }

    /// When the request began. All of an act happens at this instant.
    pub fn now(&self) -> Timestamp {
        self.background.now
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.background.hub
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// `NotSignedIn` on the public plane and for the system.
    pub fn me(&self) -> Result<&Caller> {
        self.background.caller.as_deref().ok_or(Error::NotSignedIn)
    }

    /// The tenant, as its registry row says; none outside of a tenant.
    pub fn tenant(&self) -> Option<&TenantInfo> {
        self.background.standing.tenant.as_ref()
    }

    /// What the ledger says of the grant that the person stands on: for rows that name who did something as what.
    pub fn grant_label(&self) -> Option<ledger::Grant> {
        self.background.standing.held.first().map(|held| held.label.clone())
    }

    /// Whether another action would be allowed here and now on this row; for answers that say what can be done.
    pub fn may(&self, act: Act, subject: Subject) -> access::Verdict {
        let b = &self.background;
        b.standing.decide(&b.hub.0.engine, act, subject, b.moment()).0
    }

    /// The same for answers that say what can be done: what only lacks a fresh second factor can be.
    pub fn can(&self, act: Act, subject: Subject) -> super::context::Can {
        self.background.can(act, subject)
    }
}

impl ReadTx<scope::Data> {
    /// The tenant's data key, for what is sealed in its database.
    ///
    /// # Errors
    /// `Conflict` once it was destroyed.
    pub fn tenant_key(&self) -> impl Future<Output = Result<crate::secrets::SecretKey>> + Send + use<> {
        // Borrows nothing: a transaction may not be looked at from two threads, which a borrow over an await would allow.
        let (hub, tenant) = (self.background.hub.clone(), self.scope.0);
        async move { hub.tenant_key(tenant).await }
    }
}

impl<S: Scope> Deref for WriteTx<S> {
    type Target = ReadTx<S>;

    fn deref(&self) -> &ReadTx<S> {
        &self.inner
    }
}
impl<S: Scope> DerefMut for WriteTx<S> {
    fn deref_mut(&mut self) -> &mut ReadTx<S> {
        &mut self.inner
    }
}

impl<S: Scope> WriteTx<S> {
    pub(crate) fn new(inner: ReadTx<S>, entry: Entry, still: Option<Still>) -> Self {
        Self {
            inner,
            entry: Some(entry),
            news: Vec::new(),
            says: false,
            also_in: Vec::new(),
            changed_in: Vec::new(),
            provider: None,
            keeps_authority: false,
            still,
        }
    }

    /// Changes rows. Answers how many.
    ///
    /// # Errors
    /// As the store's.
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.inner.tx()?.execute(sql, params).await
    }

    /// Changes rows with a query that was put together. Answers how many.
    ///
    /// # Errors
    /// As the store's.
    pub async fn execute_query(&mut self, query: &Query) -> Result<u64, StoreError> {
        self.inner.tx()?.execute(&query.sql, &query.params).await
    }

    fn draft(&mut self) -> &mut Entry {
        self.entry.as_mut().expect("present until the commit, which takes the transaction")
    }

    /// Says what the act is done to, for the ledger.
    pub fn subject(&mut self, kind: &str, id: impl std::fmt::Display, label: impl Into<Option<String>>) -> &mut Self {
        self.draft().subject = Some(ledger::Subject { kind: kind.into(), id: id.to_string(), label: label.into() });
        self
    }

    /// Says why, in the person's words, for the ledger.
    pub fn reason(&mut self, reason: &str) -> &mut Self {
        self.draft().reason = Some(reason.to_owned());
        self
    }

    /// Says what was before and what is after (`()` for nothing), for the ledger. Secrets have no place in either.
    pub fn changed(
        &mut self,
        kind: &str,
        id: impl std::fmt::Display,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> &mut Self {
        self.draft().changes.push(change(kind, id, before, after));
        self
    }

    /// Names who it was, on the public plane, once that is known (the account that somebody signs in to).
    pub fn act_as(&mut self, person: PersonId, name: &str) -> &mut Self {
        self.draft().actor = Actor { id: Some(person.to_string()), name: name.into(), kind: ActorKind::Person, key: None };
        self
    }

    /// The act touches a tenant too, whose own ledger gets a copy of the entry.
    pub fn also_in(&mut self, tenant: TenantId) -> &mut Self {
        self.draft().tenant = Some(tenant.to_string());
        self.also_in.push(tenant);
        self
    }

    /// [`also_in`](Self::also_in) a tenant that is one of several: with what changed for this one, which no other tenant's copy shows.
    pub fn changed_in(
        &mut self,
        tenant: TenantId,
        kind: &str,
        id: impl std::fmt::Display,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> &mut Self {
        self.changed_in.push((tenant, change(kind, id, before, after)));
        self.also_in(tenant)
    }

    /// A change that is nobody's business but the act's own ledger's: no tenant's copy shows it.
    pub fn changed_here(
        &mut self,
        kind: &str,
        id: impl std::fmt::Display,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> &mut Self {
        self.changed_in.push((TenantId::from_uuid(Uuid::nil()), change(kind, id, before, after)));
        self
    }

    /// The act is a provider's business, though nobody of it was signed in (an invitation taken up): its ledger gets the entry.
    pub fn in_ledger_of(&mut self, provider: ProviderId) -> &mut Self {
        self.provider = Some(provider);
        self
    }

    /// This act changes nobody's rights: cached decisions stay.
    pub fn keeps_authority(&mut self) -> &mut Self {
        self.keeps_authority = true;
        self
    }

    /// Also requires another action on this row, in the same transaction.
    ///
    /// # Errors
    /// `Forbidden`; the refusal is in the ledger under that action.
    pub fn require<A: Action>(&mut self, subject: Subject) -> Result<()> {
        self.require_act(A::ACT, subject)
    }

    /// The same action again, now that the row it is about is known.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn require_act(&mut self, act: Act, subject: Subject) -> Result<()> {
        let verdict = self.may(act, subject);
        if verdict.allowed {
            return Ok(());
        }
        let entry = self.draft();
        entry.action = act.name().to_owned();
        entry.policy = Some(verdict.policy.to_string());
        entry.outcome = Outcome::Refused;
        Err(refusal(&verdict))
    }

    /// Lays news for the control database ready, in this commit; see [`Hub::on_topic`].
    pub fn publish(&mut self, topic: &'static str, payload: &impl Serialize) -> Result<()> {
        self.news.push((topic.to_owned(), serde_json::to_string(payload).map_err(Error::internal)?));
        Ok(())
    }

    /// [`publish`](Self::publish) where the newest does not stand for those before it: each is carried by itself.
    pub(crate) fn publish_each(&mut self, topic: &'static str, payload: &impl Serialize) -> Result<()> {
        let one = format!("{topic}{EACH}{}", Uuid::from_bytes(crate::ids::random()).simple());
        self.news.push((one, serde_json::to_string(payload).map_err(Error::internal)?));
        Ok(())
    }

    pub(crate) fn has_said(&mut self) {
        self.says = true;
    }

    /// The entry as it stands in one ledger: a tenant's copy says nothing of another tenant.
    fn copy_for(&self, entry: &Entry, tenant: Option<TenantId>, shows: impl Fn(TenantId) -> bool) -> Entry {
        let mut copy = entry.clone();
        copy.tenant = tenant.map(|tenant| tenant.to_string());
        copy.changes.extend(self.changed_in.iter().filter(|(of, _)| shows(*of)).map(|(_, change)| change.clone()));
        copy
    }

    /// Gives the act up, and writes that into the ledger at once: for work that outlives its request, whose end would do it otherwise.
    ///
    /// # Errors
    /// `Unavailable`; the act itself did not happen in any case.
    pub async fn give_up(mut self, error: &Error) -> Result<()> {
        let Some(mut entry) = self.entry.take() else { return Ok(()) };
        // Ends the transaction: on SQLite the entry needs the same writer.
        drop(self.inner.tx.take());
        entry.outcome = if record::is_refusal(error.code()) { Outcome::Refused } else { Outcome::Failed };
        entry.code = Some(error.code().to_owned());
        entry.changes.clear();
        let chain = chain_of(&self.inner.scope);
        self.inner.background.hub.record(Attempt { entry, chain }).await
    }

    /// What was allowed when the act began may have been taken away since: a freeze, the end of an elevation, a key that was revoked.
    /// Then nothing of the act remains but its refusal.
    async fn still_allowed(&mut self) -> Result<()> {
        let Some(still) = self.still else { return Ok(()) };
        let now = self.inner.background.hub.now();
        if still.epoch == self.inner.background.hub.epoch() && still.until.is_none_or(|until| now.0 < until) {
            return Ok(());
        }
        // Borrows nothing: a transaction may not be looked at from two threads, which a borrow over an await would allow.
        let b = self.inner.background.clone();
        let Some(caller) = b.caller.as_deref() else { return Ok(()) };
        let caller = b.hub.caller_still(caller).await?;
        let standing = match self.inner.scope.target() {
            Target::Tenant(tenant) => b.hub.standing(&caller, &tenant.to_string()).await?,
            Target::Provider(provider) => Arc::new(b.hub.provider_standing(&caller, &provider.to_string()).await?),
            Target::Client(provider, tenant) => {
                Arc::new(b.hub.client_standing(&caller, &provider.to_string(), &tenant.to_string()).await?)
            }
            Target::Nothing => return Ok(()),
        };
        let moment = Moment { now, step_up: b.moment().step_up };
        let (verdict, _) = standing.decide(&b.hub.0.engine, still.act, Subject::Any, moment);
        if verdict.allowed {
            return Ok(());
        }
        let entry = self.draft();
        entry.policy = Some(verdict.policy.to_string());
        entry.outcome = Outcome::Refused;
        Err(refusal(&verdict))
    }

    /// Commits the change and its ledger entry together. When this answers, both are on disk.
    ///
    /// # Errors
    /// As the store's, and `Forbidden`, `NotFound` or `NotSignedIn` when the right to it was taken away meanwhile; then nothing was
    /// changed.
    pub async fn commit(mut self) -> Result<()> {
        self.still_allowed().await?;
        let mut tx = self.inner.tx.take().ok_or_else(|| Error::internal("committed twice"))?;
        let entry = self.draft().clone();
        let (chain, tenant) = self.inner.scope.chain();
        let chain = chain.map(|chain| self.provider.map_or(chain, ProviderId::uuid));
        let mut told = self.also_in.clone();
        match (chain, tenant) {
            (Some(chain), tenant) => {
                told.extend(tenant);
                told.sort_unstable();
                told.dedup();
                let only = if let [one] = told[..] { Some(one) } else { None };
                // What is done on a tenant's records by its own people stands in its own ledger only.
                if tenant.is_none() || !chain.is_nil() {
                    let whole = self.copy_for(&entry, only, |_| true);
                    record::append_control(&mut tx, chain, only, &whole).await?;
                }
                for tenant in &told {
                    let mut copy = self.copy_for(&entry, Some(*tenant), |of| of == *tenant);
                    if only.is_none() {
                        copy.id = EntryId::new(self.now()).to_string();
                    }
                    record::post_to_tenant(&mut tx, *tenant, &copy).await?;
                }
            }
            (None, _) => {
                let revision = record::append_tenant(&mut tx, &entry).await?;
                for (topic, payload) in &self.news {
                    tx.execute(
                        "INSERT INTO outbox (topic, revision, payload) VALUES (?1, ?2, ?3)
                         ON CONFLICT (tenant_id, topic) DO UPDATE SET revision = excluded.revision, payload = excluded.payload",
                        params![topic.as_str(), revision, payload.as_str()],
                    )
                    .await?;
                }
            }
        }
        tx.commit().await?;
        self.entry = None;
        let hub = self.inner.background.hub.clone();
        if self.says {
            hub.0.said.notify_one();
        }
        hub.note_entry(chain.filter(|chain| tenant.is_none() || !chain.is_nil()), tenant.filter(|_| chain.is_none()));
        if chain.is_some() {
            if !self.keeps_authority {
                hub.bump_epoch();
            }
            if told.len() > TOLD_AT_ONCE {
                tokio::spawn(async move { tell(&hub, told).await });
            } else {
                tell(&hub, told).await;
            }
        } else if let (Some(tenant), false) = (tenant, self.news.is_empty()) {
            hub.relay_outbox(tenant).await.can_fail("it lies in the outbox; the sweep takes it along");
        }
        Ok(())
    }
}

/// Tenants whose ledgers take their copies of an act along before it is answered; of more they do so a little later.
const TOLD_AT_ONCE: usize = 32;

async fn tell(hub: &Hub, tenants: Vec<TenantId>) {
    for tenant in tenants {
        hub.relay_ledger(tenant).await.can_fail("it lies in the outbox; the sweep takes it along");
    }
}

impl<S: Scope> Drop for WriteTx<S> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let chain = chain_of(&self.inner.scope);
        if let Some(scratch) = &self.inner.background.scratch {
            scratch.attempts.lock().push(Attempt { entry, chain });
        } else {
            tracing::warn!(action = entry.action, "a write of the system was given up");
        }
    }
}

fn change(kind: &str, id: impl std::fmt::Display, before: &impl Serialize, after: &impl Serialize) -> Change {
    let value = |result: serde_json::Result<serde_json::Value>| result.unwrap_or_else(|error| error.to_string().into());
    let (before, after) = (value(serde_json::to_value(before)), value(serde_json::to_value(after)));
    Change { kind: kind.into(), id: id.to_string(), before, after }
}

/// The ledger for an act in this scope that did not happen.
pub(crate) fn chain_of(scope: &impl Scope) -> Chain {
    match scope.chain() {
        (None, Some(tenant)) => Chain::Tenant(tenant),
        (Some(chain), Some(tenant)) if chain.is_nil() => Chain::Tenant(tenant),
        (chain, tenant) => Chain::Control { chain: chain.unwrap_or_default(), tenant },
    }
}
