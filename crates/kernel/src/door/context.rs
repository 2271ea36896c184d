//! Contexts of requests on tenants and providers: who asks, where, and the way in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use access::{Act, Action, Grant, Plane, Subject, door, plane};
use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use ledger::Outcome;
use serde::Serialize;

use super::caller::Caller;
use super::entry::SwitchPolicy;
use super::fair::{Turn, WRITE_COST};
use super::hub::Hub;
use super::record::{self, Attempt, Scratch};
use super::standing::{Held, Moment, Standing, TenantInfo, refusal};
use super::tx::{Background, ReadTx, Scope, Still, WriteTx, chain_of, scope};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{PersonId, ProviderId, RequestId, TenantId};
use crate::store::Place;

/// Whether an action is allowed to the person who asks, and if not, why and what it would take. Keyed by action name in [`CanMap`].
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Can {
    /// It may be done.
    pub allowed: bool,
    /// Why not, one sentence.
    pub why: Option<String>,
    /// Which grant would be needed.
    pub needs: Option<String>,
    /// It may be done once a fresh second factor is given (`POST /session/step-up`); asked for when there is none yet.
    pub step_up: bool,
}

/// How often an open tab's standing is looked at when nothing says that it changed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the person may do here: action name to [`Can`].
pub type CanMap = BTreeMap<String, Can>;

/// What all contexts have.
#[derive(Clone)]
pub(super) struct Base {
    pub background: Background,
    /// The request's place in its tenant's lane.
    turn: Option<Turn>,
    /// What the person must prove before they may act here.
    locked: Option<SwitchPolicy>,
}

/// An allowed act: through which grant, and until when that holds by itself.
pub(super) struct Allowed {
    /// Index into the standing's grants.
    pub index: usize,
    pub label: ledger::Grant,
    pub until: Option<i64>,
}

impl Base {
    /// The context's background for a caller who stands like this.
    pub fn new(hub: &Hub, parts: &Parts, caller: Option<Arc<Caller>>, standing: Arc<Standing>, epoch: u64) -> Self {
        let scratch = parts.extensions.get::<Arc<Scratch>>().cloned();
        Self {
            background: Background { now: hub.now(), hub: hub.clone(), caller, standing, scratch, epoch },
            turn: None,
            locked: None,
        }
    }

    pub fn allow(&self, act: Act, subject: Subject) -> Result<Allowed, access::Verdict> {
        let b = &self.background;
        let (verdict, index) = b.standing.decide(&b.hub.0.engine, act, subject, b.moment());
        if !verdict.allowed {
            return Err(verdict);
        }
        Ok(Allowed { index, label: b.standing.held[index].label_of(&verdict).clone(), until: verdict.until })
    }

    pub async fn read<S: Scope>(&self, act: Act, place: Place, scope: S) -> Result<ReadTx<S>> {
        self.allow(act, Subject::Any).map_err(|verdict| refusal(&verdict))?;
        // Nobody is sent for a proof who may not do it with one either.
        if let Some(asked) = self.locked {
            return Err(asked.refusal());
        }
        let tx = self.background.hub.0.store.read(place).await?;
        Ok(ReadTx::new(tx, scope, self.background.clone()))
    }

    pub async fn write<S: Scope>(&self, act: Act, place: Place, scope: S) -> Result<WriteTx<S>> {
        let mut entry = self.entry(act);
        let allowed = match (self.allow(act, Subject::Any), self.locked) {
            (Ok(allowed), None) => Ok(allowed),
            (Ok(_), Some(asked)) => Err((asked.policy().to_owned(), asked.refusal())),
            (Err(verdict), _) => Err((verdict.policy.to_string(), refusal(&verdict))),
        };
        let until = match allowed {
            Ok(allowed) => {
                entry.grant = Some(allowed.label);
                allowed.until
            }
            Err((policy, error)) => {
                entry.outcome = Outcome::Refused;
                entry.policy = Some(policy);
                if let Some(scratch) = &self.background.scratch {
                    scratch.attempts.lock().push(Attempt { entry, chain: chain_of(&scope) });
                }
                return Err(error);
            }
        };
        let tx = self.background.hub.0.store.write(place).await?;
        let still = Still { act, until, epoch: self.background.epoch };
        Ok(WriteTx::new(ReadTx::new(tx, scope, self.background.clone()), entry, Some(still)))
    }

    fn entry(&self, act: Act) -> ledger::Entry {
        let b = &self.background;
        let actor = b.caller.as_ref().map_or_else(record::nobody, |caller| caller.actor());
        let mut entry = record::draft(b.now, act.name(), actor, b.scratch.as_deref());
        entry.tenant = b.standing.tenant.as_ref().map(|tenant| tenant.id.to_string());
        entry.grant = b.standing.held.first().map(|held| held.label.clone());
        entry
    }

    fn can(&self, planes: &[Plane]) -> CanMap {
        let acts = Act::ALL.iter().filter(|act| planes.contains(&act.info().plane));
        acts.map(|act| (act.name().to_owned(), self.background.can(*act, Subject::Any))).collect()
    }

    /// The same request, with its standing resolved anew.
    fn again(&self, standing: Standing) -> Self {
        let epoch = self.background.hub.epoch();
        let background = Background { standing: Arc::new(standing), epoch, ..self.background.clone() };
        Self { background, turn: self.turn.clone(), locked: None }
    }

    /// What the caller may do in each of these tenants; those they hold nothing in are left out.
    pub async fn can_in(&self, tenants: &[TenantId], acts: &[Act]) -> Result<HashMap<TenantId, Vec<Can>>> {
        let b = &self.background;
        let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
        let mut found = HashMap::with_capacity(tenants.len());
        for tenant in tenants {
            let standing = match b.hub.standing(caller, &tenant.to_string()).await {
                Err(Error::NotFound) => continue,
                other => other?,
            };
            let there = Background { standing, ..b.clone() };
            found.insert(*tenant, acts.iter().map(|act| there.can(*act, Subject::Any)).collect());
        }
        Ok(found)
    }

    async fn client(&self, scope: scope::Client) -> Result<ClientCx> {
        let b = &self.background;
        let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
        let standing = b.hub.client_standing(caller, &scope.provider.to_string(), &scope.tenant.to_string()).await?;
        Ok(ClientCx { base: self.again(standing), scope })
    }
}

impl Background {
    /// Whether an action is allowed here, in words. What only lacks a fresh second factor is allowed, and says so.
    pub(crate) fn can(&self, act: Act, subject: Subject) -> Can {
        let moment = Moment { now: self.now, step_up: true };
        let (verdict, _) = self.standing.decide(&self.hub.0.engine, act, subject, moment);
        if verdict.allowed {
            return Can { allowed: true, why: None, needs: None, step_up: act.info().flags.step_up };
        }
        Can { allowed: false, why: Some(verdict.why.to_string()), needs: Some(verdict.needs.to_string()), step_up: false }
    }
}

/// Who asks, whole, and the epoch of before anything about them was looked up.
pub(super) async fn signed_in(hub: &Hub, parts: &Parts) -> Result<(Arc<Caller>, u64)> {
    let epoch = hub.epoch();
    Ok((hub.caller(parts).await?.ready(hub.now())?, epoch))
}

async fn path_part(parts: &mut Parts, name: &str) -> Result<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::NotFound)?;
    params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).ok_or(Error::NotFound)
}

/// Hands a standing on. A write on a place that the caller may not know of is noted: it is nobody's business but the installation's.
fn or_stranger<T>(found: Result<T>, hub: &Hub, parts: &Parts, caller: &Caller, name: &str) -> Result<T> {
    if let (Err(Error::NotFound), false, Some(scratch)) = (&found, parts.method.is_safe(), parts.extensions.get::<Arc<Scratch>>()) {
        let mut entry = record::draft(hub.now(), "stranger.refused", caller.actor(), Some(scratch));
        entry.outcome = Outcome::Refused;
        let named: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        entry.reason = Some(format!("{} {named}", parts.method));
        scratch.attempts.lock().push(Attempt { entry, chain: chain_of(&scope::Public) });
    }
    found
}

/// The context of a request on one tenant, `/tenants/{tenant}/…`.
#[derive(Clone)]
pub struct TenantCx {
    base: Base,
    tenant: TenantId,
}

impl<St: Send + Sync> FromRequestParts<St> for TenantCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let (caller, epoch) = signed_in(&hub, parts).await?;
        let name = path_part(parts, "tenant").await?;
        let standing = or_stranger(hub.standing(&caller, &name).await, &hub, parts, &caller, &name)?;
        let tenant = standing.tenant.as_ref().expect("resolved for a tenant").id;
        hub.note_use(&caller, &standing, hub.now());
        let turn = hub.0.fair.turn(tenant, if parts.method.is_safe() { 1 } else { WRITE_COST }).await?;
        let locked = hub.locked(&caller, &standing, hub.now()).await?;
        let base = Base { turn: Some(turn), locked, ..Base::new(&hub, parts, Some(caller), standing, epoch) };
        Ok(Self { base, tenant })
    }
}

impl TenantCx {
    /// Opens the tenant's database for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Data, Door = door::Read>>(&self) -> Result<ReadTx<scope::Data>> {
        self.base.read(A::ACT, Place::Tenant(self.tenant), scope::Data(self.tenant)).await
    }

    /// Opens the tenant's database for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Data, Door = door::Write>>(&self) -> Result<WriteTx<scope::Data>> {
        self.base.write(A::ACT, Place::Tenant(self.tenant), scope::Data(self.tenant)).await
    }

    /// Opens the control records of this tenant for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read_records<A: Action<Plane = plane::Records, Door = door::Read>>(&self) -> Result<ReadTx<scope::Records>> {
        self.base.read(A::ACT, Place::Control, scope::Records { tenant: self.tenant }).await
    }

    /// Opens the control records of this tenant for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write_records<A: Action<Plane = plane::Records, Door = door::Write>>(&self) -> Result<WriteTx<scope::Records>> {
        self.base.write(A::ACT, Place::Control, scope::Records { tenant: self.tenant }).await
    }

    /// Opens a reader of the records for what an act must look at before it begins, so that slow work (reading a picture) holds up no
    /// writer. A refusal is in no ledger: the write that follows leaves it there.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn look_records<A: Action<Plane = plane::Records, Door = door::Write>>(&self) -> Result<ReadTx<scope::Records>> {
        self.base.read(A::ACT, Place::Control, scope::Records { tenant: self.tenant }).await
    }

    /// What the person may do inside this tenant.
    pub fn can(&self) -> CanMap {
        self.base.can(&[Plane::Data, Plane::Records])
    }

    /// The tenant, as its registry row says.
    pub fn tenant(&self) -> &TenantInfo {
        self.base.background.standing.tenant.as_ref().expect("resolved for a tenant")
    }

    /// The grant that the person stands on here: the one that lets them see the context.
    pub fn held(&self) -> &Held {
        let index = self.base.allow(Act::ContextView, Subject::Any).map_or(0, |allowed| allowed.index);
        &self.base.background.standing.held[index]
    }

    /// The elevations that run now.
    pub fn elevations(&self) -> Vec<&access::Elevation> {
        let now = self.now().0;
        let held = self.base.background.standing.held.iter();
        let elevations = held.filter_map(|held| match &held.grant {
            Grant::Reach { elevation, .. } => elevation.as_ref(),
            _ => None,
        });
        elevations.filter(|e| e.starts_at <= now && now < e.ends_at).collect()
    }

    /// Waits until what the person may do here changes (another answer to any action, another grant), at most as long as `patience`.
    /// Answers whether it did; from then on this context is the new one.
    ///
    /// # Errors
    /// `NotSignedIn` once the session has ended, `NotFound` once the person holds nothing here any more, `Forbidden` once they may
    /// not even see where they are, `Unavailable`.
    pub async fn next_change(&mut self, patience: Duration) -> Result<bool> {
        let hub = self.base.background.hub.clone();
        // Who only listens takes nobody's turn.
        self.base.turn = None;
        let before = self.base.background.standing.digest(&hub.0.engine, self.now());
        let until = tokio::time::Instant::now() + patience;
        let (mut epochs, mut closing) = (hub.epochs(), hub.closing());
        loop {
            let b = &self.base.background;
            let token_hash = b.caller.as_deref().ok_or(Error::NotSignedIn)?.token_hash;
            let epoch = hub.epoch();
            let caller = hub.caller_by_hash(token_hash).await?.ready(hub.now())?;
            let standing = hub.standing(&caller, &self.tenant.to_string()).await?;
            let is_changed = standing.digest(&hub.0.engine, hub.now()) != before;
            let background = Background { now: hub.now(), caller: Some(caller), standing, epoch, ..b.clone() };
            let b = &background;
            let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
            let locked = hub.locked(caller, &b.standing, b.now).await?;
            if let Some(asked) = locked {
                return Err(asked.refusal());
            }
            if is_changed {
                self.base = Base { background, turn: None, locked: None };
                self.base.allow(Act::ContextView, Subject::Any).map_err(|verdict| refusal(&verdict))?;
                return Ok(true);
            }
            // Another hub's commit on the same store and the mere passing of time give no sign: look again now and then.
            let look_again = (tokio::time::Instant::now() + LOOK_AGAIN).min(until);
            tokio::select! {
                _ = epochs.changed() => {}
                _ = closing.wait_for(|closing| *closing) => return Err(Error::Unavailable("The hub is stopping.".into())),
                () = tokio::time::sleep_until(look_again) => {}
            }
            if tokio::time::Instant::now() >= until {
                return Ok(false);
            }
        }
    }

    /// Whether an action is allowed here, without opening anything.
    ///
    /// # Errors
    /// `Forbidden`, as the door would answer.
    pub fn allows(&self, act: Act) -> Result<()> {
        self.base.allow(act, Subject::Any).map(drop).map_err(|verdict| refusal(&verdict))
    }

    /// The person.
    pub fn me(&self) -> &Caller {
        self.base.background.caller.as_deref().expect("a tenant is entered signed in")
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.base.background.now
    }
}

/// The context of a request on a provider's own records, `/providers/{provider}/…`.
#[derive(Clone)]
pub struct ProviderCx {
    base: Base,
    provider: ProviderId,
}

impl<St: Send + Sync> FromRequestParts<St> for ProviderCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let (caller, epoch) = signed_in(&hub, parts).await?;
        let name = path_part(parts, "provider").await?;
        let standing = or_stranger(hub.provider_standing(&caller, &name).await, &hub, parts, &caller, &name)?;
        let provider = standing.provider.as_ref().expect("resolved for a provider").0;
        Ok(Self { base: Base::new(&hub, parts, Some(caller), Arc::new(standing), epoch), provider })
    }
}

impl ProviderCx {
    /// Opens the provider's records for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Provider, Door = door::Read>>(&self) -> Result<ReadTx<scope::Provider>> {
        self.base.read(A::ACT, Place::Control, scope::Provider { provider: self.provider }).await
    }

    /// Opens the provider's records for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Provider, Door = door::Write>>(&self) -> Result<WriteTx<scope::Provider>> {
        self.base.write(A::ACT, Place::Control, scope::Provider { provider: self.provider }).await
    }

    /// Opens a reader for what an act must look at before it begins, so that slow work (reading a picture) holds up no writer. A refusal
    /// is in no ledger: the write that follows leaves it there.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn look<A: Action<Plane = plane::Provider, Door = door::Write>>(&self) -> Result<ReadTx<scope::Provider>> {
        self.base.read(A::ACT, Place::Control, scope::Provider { provider: self.provider }).await
    }

    /// What the person may do on the provider's side.
    pub fn can(&self) -> CanMap {
        self.base.can(&[Plane::Provider])
    }

    /// What the person may do inside each of these tenants, act by act; those they hold nothing in are left out. The same look-ups as at
    /// each tenant's own door, kept as long.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn can_in(&self, tenants: &[TenantId], acts: &[Act]) -> Result<HashMap<TenantId, Vec<Can>>> {
        self.base.can_in(tenants, acts).await
    }

    /// The person's staff row and provider as the policies see them.
    pub fn grant(&self) -> &Grant {
        &self.base.background.standing.held[0].grant
    }

    /// The same context as things stand now: after an act that changed what may be done here.
    ///
    /// # Errors
    /// `NotFound` when the person holds nothing here any more.
    pub async fn renewed(&self) -> Result<Self> {
        let b = &self.base.background;
        let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
        let standing = b.hub.provider_standing(caller, &self.provider.to_string()).await?;
        Ok(Self { base: self.base.again(standing), provider: self.provider })
    }

    /// The same caller, standing on one of this provider's tenants, with a turn of its own in that tenant's lane: for reading one after
    /// the other what many tenants say. It gives no right that the tenant's own address would not give.
    ///
    /// # Errors
    /// `NotFound` for who does not reach the tenant as this provider's staff, `TooMany` when its lane is full. Where the tenant wants
    /// staff to prove themselves first, nothing opens until they did.
    pub async fn enter(&self, tenant: TenantId) -> Result<TenantCx> {
        let b = &self.base.background;
        let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
        let epoch = b.hub.epoch();
        let standing = b.hub.standing(caller, &tenant.to_string()).await?;
        let of_here = |held: &Held| matches!(&held.grant, Grant::Reach { provider, .. } if provider.id == self.provider.uuid());
        if !standing.held.iter().any(of_here) {
            return Err(Error::NotFound);
        }
        b.hub.note_use(caller, &standing, b.hub.now());
        let turn = b.hub.0.fair.turn(tenant, 1).await?;
        let locked = b.hub.locked(caller, &standing, b.hub.now()).await?;
        Ok(TenantCx { base: Base { background: Background { standing, epoch, ..b.clone() }, turn: Some(turn), locked }, tenant })
    }

    /// Whether an action is allowed here.
    ///
    /// # Errors
    /// `Forbidden`, as the door would answer.
    pub fn allows(&self, act: Act) -> Result<()> {
        self.base.allow(act, Subject::Any).map(drop).map_err(|verdict| refusal(&verdict))
    }

    /// Writes down what was tried in this context and did not commit, with the error it ended in. A request does so by itself; what acts
    /// for somebody after their request (see [`Hub::acting_for`]) does it after each act.
    pub async fn settle(&self, error: &Error) {
        if let Some(scratch) = &self.base.background.scratch {
            self.base.background.hub.record_attempts(scratch, error.code()).await;
        }
    }

    /// The context of one of this provider's tenants: one that was just made.
    ///
    /// # Errors
    /// `NotFound` when it is not this provider's.
    pub async fn client(&self, tenant: TenantId) -> Result<ClientCx> {
        self.base.client(scope::Client { provider: self.provider, tenant }).await
    }
}

impl Hub {
    /// The context of a person at their provider, as things stand now, without a request of theirs: for work that they approved and that
    /// goes on after it. It has the rights that the person has at this moment and none else, and no fresh second factor.
    ///
    /// # Errors
    /// `NotSignedIn` when the account is disabled, `NotFound` when the person is not on the provider's staff any more.
    pub async fn acting_for(&self, person: PersonId, provider: ProviderId) -> Result<ProviderCx> {
        let (epoch, now) = (self.epoch(), self.now());
        let caller = Arc::new(self.caller_in_person(person).await?);
        let standing = Arc::new(self.provider_standing(&caller, &provider.to_string()).await?);
        let request = RequestId::new(now);
        let scratch = Scratch { request, address: None, user_agent: String::new(), host: None, attempts: Default::default() };
        let background =
            Background { now, hub: self.clone(), caller: Some(caller), standing, scratch: Some(Arc::new(scratch)), epoch };
        Ok(ProviderCx { base: Base { background, turn: None, locked: None }, provider })
    }
}

/// The context of a request on a provider's records about one of its tenants, `/providers/{provider}/tenants/{tenant}/…`.
#[derive(Clone)]
pub struct ClientCx {
    base: Base,
    scope: scope::Client,
}

impl<St: Send + Sync> FromRequestParts<St> for ClientCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let (caller, epoch) = signed_in(&hub, parts).await?;
        let (provider, tenant) = (path_part(parts, "provider").await?, path_part(parts, "tenant").await?);
        let standing = or_stranger(hub.client_standing(&caller, &provider, &tenant).await, &hub, parts, &caller, &tenant)?;
        let scope = scope::Client {
            provider: standing.provider.as_ref().expect("resolved for a provider").0,
            tenant: standing.tenant.as_ref().expect("resolved for a tenant").id,
        };
        Ok(Self { base: Base::new(&hub, parts, Some(caller), Arc::new(standing), epoch), scope })
    }
}

impl ClientCx {
    /// Opens the provider's records about this tenant for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Client, Door = door::Read>>(&self) -> Result<ReadTx<scope::Client>> {
        self.base.read(A::ACT, Place::Control, self.scope).await
    }

    /// Opens the provider's records about this tenant for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Client, Door = door::Write>>(&self) -> Result<WriteTx<scope::Client>> {
        self.base.write(A::ACT, Place::Control, self.scope).await
    }

    /// What the person may do to this tenant from the provider's side.
    pub fn can(&self) -> CanMap {
        self.base.can(&[Plane::Client])
    }

    /// The same context as things stand now: after an act that changed what may be done here.
    ///
    /// # Errors
    /// `NotFound` when the person holds nothing here any more.
    pub async fn renewed(&self) -> Result<Self> {
        self.base.client(self.scope).await
    }
}
