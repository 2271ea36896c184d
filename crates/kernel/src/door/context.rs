//! Contexts: who asks, where, and the way in.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{Act, Action, Grant, Place as AccessPlace, Plane, Subject, door, plane};
use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ledger::{Actor, ActorKind, Outcome};
use serde::Serialize;

use super::caller::Caller;
use super::hub::Hub;
use super::record::{self, Attempt, Scratch};
use super::standing::{Held, Standing, TenantInfo, person_of, refusal};
use super::tx::{Background, ReadTx, Scope, WriteTx, chain_of, scope};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{ProviderId, TenantId};
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
}

/// What the person may do here: action name to [`Can`].
pub type CanMap = BTreeMap<String, Can>;

/// What all contexts have.
#[derive(Clone)]
struct Base {
    background: Background,
}

impl Base {
    fn allow(&self, act: Act, subject: Subject) -> Result<usize, access::Verdict> {
        let b = &self.background;
        let (verdict, index) = b.standing.decide(&b.hub.0.engine, act, subject, b.now);
        if verdict.allowed { Ok(index) } else { Err(verdict) }
    }

    async fn read<S: Scope>(&self, act: Act, place: Place, scope: S) -> Result<ReadTx<S>> {
        self.allow(act, Subject::Any).map_err(|verdict| refusal(&verdict))?;
        let tx = self.background.hub.0.store.read(place).await?;
        Ok(ReadTx::new(tx, scope, self.background.clone()))
    }

    async fn write<S: Scope>(&self, act: Act, place: Place, scope: S) -> Result<WriteTx<S>> {
        let mut entry = self.entry(act);
        match self.allow(act, Subject::Any) {
            Ok(index) => entry.grant = Some(self.background.standing.held[index].label.clone()),
            Err(verdict) => {
                entry.outcome = Outcome::Refused;
                entry.policy = Some(verdict.policy.to_string());
                if let Some(scratch) = &self.background.scratch {
                    scratch.attempts.lock().push(Attempt { entry, chain: chain_of(&scope) });
                }
                return Err(refusal(&verdict));
            }
        }
        let tx = match self.background.hub.0.store.write(place).await {
            Ok(tx) => tx,
            Err(error) => return Err(error.into()),
        };
        Ok(WriteTx::new(ReadTx::new(tx, scope, self.background.clone()), entry))
    }

    fn entry(&self, act: Act) -> ledger::Entry {
        let b = &self.background;
        let actor = b.caller.as_ref().map_or_else(record::nobody, |caller| Actor {
            id: Some(caller.person.to_string()),
            name: caller.name.clone(),
            kind: ActorKind::Person,
        });
        let mut entry = record::draft(b.now, act.name(), actor, b.scratch.as_deref());
        entry.tenant = b.standing.tenant.as_ref().map(|tenant| tenant.id.to_string());
        entry.grant = b.standing.held.first().map(|held| held.label.clone());
        entry
    }

    fn can(&self, planes: &[Plane]) -> CanMap {
        let acts = Act::ALL.iter().filter(|act| planes.contains(&act.info().plane));
        acts.map(|act| {
            let can = match self.allow(*act, Subject::Any) {
                Ok(_) => Can { allowed: true, why: None, needs: None },
                Err(no) => Can { allowed: false, why: Some(no.why.to_string()), needs: Some(no.needs.to_string()) },
            };
            (act.name().to_owned(), can)
        })
        .collect()
    }

    /// The same request, with its standing resolved anew.
    fn again(&self, standing: Standing) -> Self {
        Self { background: Background { standing: Arc::new(standing), ..self.background.clone() } }
    }

    async fn client(&self, scope: scope::Client) -> Result<ClientCx> {
        let b = &self.background;
        let caller = b.caller.as_deref().ok_or(Error::NotSignedIn)?;
        let standing = b.hub.client_standing(caller, &scope.provider.to_string(), &scope.tenant.to_string()).await?;
        Ok(ClientCx { base: self.again(standing), scope })
    }
}

async fn background(hub: &Hub, parts: &Parts, caller: Option<Arc<Caller>>, standing: Arc<Standing>) -> Background {
    let scratch = parts.extensions.get::<Arc<Scratch>>().cloned();
    Background { now: hub.now(), hub: hub.clone(), caller, standing, scratch }
}

async fn path_part(parts: &mut Parts, name: &str) -> Result<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Error::NotFound)?;
    params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).ok_or(Error::NotFound)
}

/// A write on a tenant that the caller may not know of is nobody's business but the installation's.
fn note_stranger(hub: &Hub, parts: &Parts, caller: &Caller, name: &str) {
    if parts.method.is_safe() {
        return;
    }
    let Some(scratch) = parts.extensions.get::<Arc<Scratch>>() else { return };
    let actor = Actor { id: Some(caller.person.to_string()), name: caller.name.clone(), kind: ActorKind::Person };
    let mut entry = record::draft(hub.now(), "stranger.refused", actor, Some(scratch));
    entry.outcome = Outcome::Refused;
    let named: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    entry.reason = Some(format!("{} {named}", parts.method));
    scratch.attempts.lock().push(Attempt { entry, chain: chain_of(&scope::Public) });
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
        let caller = hub.caller(&parts.headers).await?.full()?;
        let name = path_part(parts, "tenant").await?;
        let standing = match hub.standing(&caller, &name).await {
            Err(Error::NotFound) => {
                note_stranger(&hub, parts, &caller, &name);
                return Err(Error::NotFound);
            }
            other => other?,
        };
        let tenant = standing.tenant.as_ref().expect("resolved for a tenant").id;
        Ok(Self { base: Base { background: background(&hub, parts, Some(caller), standing).await }, tenant })
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
        let index = self.base.allow(Act::ContextView, Subject::Any).unwrap_or(0);
        &self.base.background.standing.held[index]
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
        let caller = hub.caller(&parts.headers).await?.full()?;
        let name = path_part(parts, "provider").await?;
        let standing = match hub.provider_standing(&caller, &name).await {
            Err(Error::NotFound) => {
                note_stranger(&hub, parts, &caller, &name);
                return Err(Error::NotFound);
            }
            other => Arc::new(other?),
        };
        let provider = standing.provider.as_ref().expect("resolved for a provider").0;
        Ok(Self { base: Base { background: background(&hub, parts, Some(caller), standing).await }, provider })
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

    /// What the person may do on the provider's side.
    pub fn can(&self) -> CanMap {
        self.base.can(&[Plane::Provider])
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

    /// The context of one of this provider's tenants: one that was just made.
    ///
    /// # Errors
    /// `NotFound` when it is not this provider's.
    pub async fn client(&self, tenant: TenantId) -> Result<ClientCx> {
        self.base.client(scope::Client { provider: self.provider, tenant }).await
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
        let caller = hub.caller(&parts.headers).await?.full()?;
        let (provider, tenant) = (path_part(parts, "provider").await?, path_part(parts, "tenant").await?);
        let standing = match hub.client_standing(&caller, &provider, &tenant).await {
            Err(Error::NotFound) => {
                note_stranger(&hub, parts, &caller, &tenant);
                return Err(Error::NotFound);
            }
            other => Arc::new(other?),
        };
        let scope = scope::Client {
            provider: standing.provider.as_ref().expect("resolved for a provider").0,
            tenant: standing.tenant.as_ref().expect("resolved for a tenant").id,
        };
        Ok(Self { base: Base { background: background(&hub, parts, Some(caller), standing).await }, scope })
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

/// The context of a request on the signed-in person's own records, `/me`.
#[derive(Clone)]
pub struct OwnCx {
    base: Base,
    caller: Arc<Caller>,
}

impl<St: Send + Sync> FromRequestParts<St> for OwnCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let caller = hub.caller(&parts.headers).await?.full()?;
        Ok(Self::of(&hub, parts, caller).await)
    }
}

impl OwnCx {
    async fn of(hub: &Hub, parts: &Parts, caller: Arc<Caller>) -> Self {
        let label = ledger::Grant { source: "self".into(), id: caller.session.to_string(), role: None, tier: None, provider: None };
        let held = vec![Held { grant: Grant::SelfOnly, label, ends_at: None }];
        let standing = Arc::new(Standing::new(Some(person_of(&caller)), AccessPlace::Own(caller.person.uuid()), held));
        Self { base: Base { background: background(hub, parts, Some(caller.clone()), standing).await }, caller }
    }

    /// Opens the person's own records for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Own, Door = door::Read>>(&self) -> Result<ReadTx<scope::Own>> {
        self.base.read(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }

    /// Opens a reader for what an act must look at before it begins, so that slow work (checking a password) holds up no writer.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn look<A: Action<Plane = plane::Own, Door = door::Write>>(&self) -> Result<ReadTx<scope::Own>> {
        self.base.read(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }

    /// Opens the person's own records for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Own, Door = door::Write>>(&self) -> Result<WriteTx<scope::Own>> {
        self.base.write(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }
}

/// The context of somebody who leaves: their session may still wait for its second factor. It opens the end of that session, and
/// nothing else.
#[derive(Clone)]
pub struct LeavingCx(OwnCx);

impl<St: Send + Sync> FromRequestParts<St> for LeavingCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let caller = hub.caller(&parts.headers).await?;
        let caller = match caller.clone().full() {
            Err(Error::SecondFactorRequired) => caller,
            other => other?,
        };
        Ok(Self(OwnCx::of(&hub, parts, caller).await))
    }
}

impl LeavingCx {
    /// Opens the person's own records for the end of this session.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write(&self) -> Result<WriteTx<scope::Own>> {
        self.0.write::<access::actions::SessionDelete>().await
    }
}

/// The context of a request that needs nobody to be signed in. A session that waits for its second factor can be seen from here.
#[derive(Clone)]
pub struct PublicCx {
    base: Base,
    /// The session of the request, if there is one: whole, or waiting for its second factor.
    pub caller: Option<Arc<Caller>>,
    /// The address the request came from; for rate limits.
    pub address: String,
    /// The browser or script, as it calls itself.
    pub user_agent: String,
}

impl<St: Send + Sync> FromRequestParts<St> for PublicCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let caller = match hub.caller(&parts.headers).await {
            Ok(caller) => Some(caller),
            Err(Error::NotSignedIn) => None,
            Err(other) => return Err(other),
        };
        let label = ledger::Grant { source: "public".into(), id: String::new(), role: None, tier: None, provider: None };
        let held = vec![Held { grant: Grant::Nobody, label, ends_at: None }];
        let standing = Arc::new(Standing::new(None, AccessPlace::Public, held));
        let scratch = parts.extensions.get::<Arc<Scratch>>();
        Ok(Self {
            address: scratch.and_then(|s| s.address).map(|a| a.to_string()).unwrap_or_default(),
            user_agent: scratch.map(|s| s.user_agent.clone()).unwrap_or_default(),
            base: Base { background: background(&hub, parts, caller.clone(), standing).await },
            caller,
        })
    }
}

impl PublicCx {
    /// Opens the control database for a look-up by a secret that the caller brought.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Public, Door = door::Read>>(&self) -> Result<ReadTx<scope::Public>> {
        self.base.read(A::ACT, Place::Control, scope::Public).await
    }

    /// Opens a reader for what an act must look at before it begins, so that slow work (checking a password) holds up no writer.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn look<A: Action<Plane = plane::Public, Door = door::Write>>(&self) -> Result<ReadTx<scope::Public>> {
        self.base.read(A::ACT, Place::Control, scope::Public).await
    }

    /// Opens the control database for one act.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Public, Door = door::Write>>(&self) -> Result<WriteTx<scope::Public>> {
        self.base.write(A::ACT, Place::Control, scope::Public).await
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.base.background.hub
    }
}

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
        Ok(WriteTx::new(ReadTx::new(tx, scope::Data(tenant), self.system_background()), entry))
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
        Ok(WriteTx::new(ReadTx::new(tx, scope::Public, self.system_background()), entry))
    }

    pub(super) fn system_background(&self) -> Background {
        let label = ledger::Grant { source: "system".into(), id: String::new(), role: None, tier: None, provider: None };
        let held = vec![Held { grant: Grant::Nobody, label, ends_at: None }];
        let standing = Arc::new(Standing::new(None, AccessPlace::Public, held));
        Background { hub: self.clone(), caller: None, standing, scratch: None, now: self.now() }
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

/// The headers of a request, for those who only want to know whether somebody is signed in.
pub async fn signed_in(hub: &Hub, headers: &HeaderMap) -> bool {
    hub.caller(headers).await.is_ok_and(|caller| !caller.half)
}
