//! Contexts of requests on a person's own records, and of those that need nobody to be signed in.

use std::sync::Arc;

use access::{Act, Action, Grant, Place as AccessPlace, Subject, door, plane};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::caller::Caller;
use super::context::Base;
use super::hub::Hub;
use super::record::Scratch;
use super::standing::{Held, Moment, Standing};
use super::tx::{ReadTx, WriteTx, scope};
use crate::error::{Error, Result};
use crate::ids::{ProviderId, TenantId};
use crate::store::Place;

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
        let epoch = hub.epoch();
        let caller = hub.caller(parts).await?.full()?;
        Ok(Self::of(&hub, parts, caller, epoch))
    }
}

impl OwnCx {
    fn of(hub: &Hub, parts: &Parts, caller: Arc<Caller>, epoch: u64) -> Self {
        let label = ledger::Grant { source: "self".into(), id: caller.session.to_string(), role: None, tier: None, provider: None };
        let held = vec![Held::new(Grant::SelfOnly, label)];
        let mut standing = Standing::new(Some(caller.as_access_person()), AccessPlace::Own(caller.person.uuid()), held);
        standing.key = caller.key.as_ref().map(|key| key.facts.clone());
        Self { base: Base::new(hub, parts, Some(caller.clone()), Arc::new(standing), epoch), caller }
    }

    /// The name that the request was sent to, in lower case, without its port.
    pub fn host(&self) -> Option<&str> {
        self.base.background.scratch.as_deref().and_then(|scratch| scratch.host.as_deref())
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.base.background.hub
    }

    /// Those of these tenants in which the person may do this now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn may_in(&self, tenants: &[TenantId], act: Act) -> Result<Vec<TenantId>> {
        let can = self.base.can_in(tenants, &[act]).await?;
        Ok(can.into_iter().filter(|(_, can)| can.iter().all(|can| can.allowed)).map(|(tenant, _)| tenant).collect())
    }

    /// Those of these providers on whose own records the person may do this now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn may_at(&self, providers: &[ProviderId], act: Act) -> Result<Vec<ProviderId>> {
        let b = &self.base.background;
        let mut able = Vec::new();
        for provider in providers {
            let standing = match b.hub.provider_standing(&self.caller, &provider.to_string()).await {
                Err(Error::NotFound) => continue,
                other => other?,
            };
            if standing.decide(&b.hub.0.engine, act, Subject::Any, Moment { now: b.now, step_up: true }).0.allowed {
                able.push(*provider);
            }
        }
        Ok(able)
    }

    /// Opens the person's own records for reading.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn read<A: Action<Plane = plane::Own, Door = door::Read>>(&self) -> Result<ReadTx<scope::Own>> {
        self.open(A::ACT)?;
        self.base.read(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }

    /// Opens a reader for what an act must look at before it begins, so that slow work (checking a password) holds up no writer.
    ///
    /// # Errors
    /// `Forbidden`, `Unavailable`.
    pub async fn look<A: Action<Plane = plane::Own, Door = door::Write>>(&self) -> Result<ReadTx<scope::Own>> {
        self.open(A::ACT)?;
        self.base.read(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }

    /// Opens the person's own records for one act.
    ///
    /// # Errors
    /// `Forbidden` (which the ledger keeps), `Unavailable`.
    pub async fn write<A: Action<Plane = plane::Own, Door = door::Write>>(&self) -> Result<WriteTx<scope::Own>> {
        self.open(A::ACT)?;
        self.base.write(A::ACT, Place::Control, scope::Own { person: self.caller.person }).await
    }

    /// Whoever lacks something that a place of theirs asks for does nothing but look at themselves, mend it, or leave.
    fn open(&self, act: Act) -> Result<()> {
        match self.caller.lack(self.base.background.now) {
            Some(lack) if !mends(act) => Err(Error::Lacking(lack)),
            _ => Ok(()),
        }
    }
}

/// What is open to somebody who lacks something: seeing who they are and where they are signed in, getting what they lack, leaving.
fn mends(act: Act) -> bool {
    matches!(
        act,
        Act::MeView
            | Act::SessionDelete
            | Act::SessionStepUp
            | Act::SessionList
            | Act::SessionRevoke
            | Act::SessionRevokeOthers
            | Act::PasswordUpdate
            | Act::TotpBegin
            | Act::TotpConfirm
            | Act::RecoveryCodeCreate
    )
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
        let epoch = hub.epoch();
        let caller = hub.caller(parts).await?;
        let caller = match caller.clone().full() {
            Err(Error::SecondFactorRequired) => caller,
            other => other?,
        };
        Ok(Self(OwnCx::of(&hub, parts, caller, epoch)))
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
    /// The name that the request was sent to, in lower case, without its port.
    pub host: Option<String>,
}

impl<St: Send + Sync> FromRequestParts<St> for PublicCx
where
    Hub: FromRef<St>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &St) -> Result<Self> {
        let hub = Hub::from_ref(state);
        let epoch = hub.epoch();
        let caller = match hub.caller(parts).await {
            // A key is nobody's browser: it has no session that could be replaced, and takes up no invitation.
            Ok(caller) => Some(caller).filter(|caller| caller.key.is_none()),
            Err(Error::NotSignedIn) => None,
            Err(other) => return Err(other),
        };
        let label = ledger::Grant { source: "public".into(), id: String::new(), role: None, tier: None, provider: None };
        let held = vec![Held::new(Grant::Nobody, label)];
        let standing = Arc::new(Standing::new(None, AccessPlace::Public, held));
        let scratch = parts.extensions.get::<Arc<Scratch>>();
        Ok(Self {
            address: scratch.and_then(|s| s.address).map(|a| a.to_string()).unwrap_or_default(),
            user_agent: scratch.map(|s| s.user_agent.clone()).unwrap_or_default(),
            host: scratch.and_then(|s| s.host.clone()),
            base: Base::new(&hub, parts, caller.clone(), standing, epoch),
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
