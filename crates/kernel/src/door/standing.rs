//! Where a person stands towards a place: their grants, resolved once and kept while they hold, and the verdicts given on them.

use std::collections::HashMap;
use std::sync::Arc;

use access::{Act, Grant, Key, KeyPlace, Modules, Place as AccessPlace, Question, Subject, TenantState, Verdict};
use parking_lot::Mutex;

use super::caller::Caller;
use super::entry::SwitchPolicy;
use super::hub::{Cached, Hub};
use super::resolve::{self, StaffRow, Whose};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal, Result};
use crate::ids::{ProviderId, TenantId};

/// The tenant of a request, as its registry row says.
#[derive(Debug, Clone)]
pub struct TenantInfo {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Where in its life it is.
    pub state: TenantState,
    /// Name of its plan.
    pub plan: String,
    /// Modules of its plan.
    pub modules: Modules,
    /// How tenants see staff: by name, or by role only.
    pub staff_by_name: bool,
}

/// One grant that a person holds towards a place, with what the ledger says of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// As the policies see it.
    pub grant: Grant,
    /// As the ledger writes it.
    pub label: ledger::Grant,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
    /// As the ledger writes the elevation that comes with it, for what only that allows.
    pub elevated: Option<ledger::Grant>,
}

impl Held {
    pub(crate) fn new(grant: Grant, label: ledger::Grant) -> Self {
        Self { grant, label, ends_at: None, elevated: None }
    }

    /// What the ledger says of the grant that a verdict rests on.
    pub(crate) fn label_of(&self, verdict: &Verdict) -> &ledger::Grant {
        let is_elevated = matches!(&*verdict.policy, "reach.elevated" | "reach.break_glass");
        self.elevated.as_ref().filter(|_| is_elevated).unwrap_or(&self.label)
    }
}

/// The policy that only lacks a fresh second factor.
const STEP_UP: &str = "stop.step_up";

/// What beside the person and the place a decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub now: Timestamp,
    /// A second factor was given a short while ago.
    pub step_up: bool,
}

/// A person's standing towards a place: their grants, and the verdicts given on them so far.
pub(crate) struct Standing {
    pub person: Option<access::Person>,
    /// The API key the person comes through.
    pub key: Option<Key>,
    pub place: AccessPlace,
    /// Grants in the order in which they are tried; never empty.
    pub held: Vec<Held>,
    pub tenant: Option<TenantInfo>,
    pub provider: Option<(ProviderId, String)>,
    /// What is asked of this person when they enter the tenant.
    pub switch: SwitchPolicy,
    verdicts: Mutex<HashMap<(Act, bool), (Verdict, usize)>>,
}

impl Standing {
    pub fn new(person: Option<access::Person>, place: AccessPlace, held: Vec<Held>) -> Self {
        Self {
            person,
            key: None,
            place,
            held,
            tenant: None,
            provider: None,
            switch: SwitchPolicy::Seamless,
            verdicts: Mutex::default(),
        }
    }

    /// Whether the action is allowed, and through which of the grants. Every grant is evaluated whole; a forbid wins.
    pub fn decide(&self, engine: &access::Engine, act: Act, subject: Subject, at: Moment) -> (Verdict, usize) {
        let cacheable = matches!(subject, Subject::Any);
        if cacheable
            && let Some((verdict, index)) = self.verdicts.lock().get(&(act, at.step_up))
            && verdict.until.is_none_or(|until| at.now.0 < until)
        {
            return (verdict.clone(), *index);
        }
        let (mut verdict, mut index) = outcome(&self.verdicts_of_all(engine, act, subject, at));
        let until = verdict.until;
        // Nobody is sent for their second factor who may not do it with one either.
        if &*verdict.policy == STEP_UP && !at.step_up {
            let (with, through) = self.decide(engine, act, subject, Moment { step_up: true, ..at });
            if !with.allowed {
                (verdict, index) = (with, through);
            }
        }
        verdict.until = until;
        if cacheable {
            self.verdicts.lock().insert((act, at.step_up), (verdict.clone(), index));
        }
        (verdict, index)
    }

    /// The verdict on each grant, in their order.
    pub fn verdicts_of_all(&self, engine: &access::Engine, act: Act, subject: Subject, at: Moment) -> Vec<Verdict> {
        let verdict = |held: &Held| {
            engine.decide(&Question {
                act,
                person: self.person.as_ref(),
                grant: &held.grant,
                key: self.key.as_ref(),
                place: &self.place,
                subject,
                now: at.now.0,
                step_up: at.step_up,
            })
        };
        self.held.iter().map(verdict).collect()
    }
}

/// What the verdicts on all grants come to, and which of them decides. It holds until any of them may change.
pub(crate) fn outcome(verdicts: &[Verdict]) -> (Verdict, usize) {
    // A forbid outvotes everything, an allow outvotes a plain no (product.md section 2.3); of equals the first is quoted.
    let weight = |v: &Verdict| if v.forbidden { 2 } else { u8::from(v.allowed) };
    let index = (0..verdicts.len()).rev().max_by_key(|index| weight(&verdicts[*index])).expect("a standing has at least one grant");
    let until = verdicts.iter().filter_map(|verdict| verdict.until).min();
    (Verdict { until, ..verdicts[index].clone() }, index)
}

/// The refusal that a verdict is.
pub(crate) fn refusal(verdict: &Verdict) -> Error {
    let refusal =
        Box::new(Refusal { policy: verdict.policy.to_string(), why: verdict.why.to_string(), needs: verdict.needs.to_string() });
    if &*verdict.policy == STEP_UP { Error::StepUpRequired(refusal) } else { Error::Forbidden(refusal) }
}

impl Hub {
    /// Where the caller stands towards the tenant that a path names by id or slug.
    ///
    /// # Errors
    /// `NotFound`: there is none, it is purged, or the caller holds nothing there; all the same.
    pub(crate) async fn standing(&self, caller: &Caller, name: &str) -> Result<Arc<Standing>> {
        let now = self.now();
        let epoch = self.epoch();
        let known = self.0.slugs.lock().get(name).filter(|(e, at, _)| self.fresh(*e, *at, now)).map(|(_, _, id)| *id);
        if let Some(id) = known
            && let Some(found) = self.0.standings.lock().get(&(caller.principal(), id)).filter(|c| self.fresh(c.epoch, c.at, now))
        {
            return Ok(found.value.clone());
        }
        let mut tx = self.0.store.read_facts().await?;
        let rows = resolve::load(&mut tx, name, Whose::Of(caller.person.uuid()), now).await?.ok_or(Error::NotFound)?;
        drop(tx);
        let mut standing = rows.standing(&caller.as_access_person()).ok_or(Error::NotFound)?;
        let id = standing.tenant.as_ref().expect("resolved for a tenant").id.uuid();
        if let Some(key) = &caller.key {
            restrict(&mut standing, &key.facts, id)?;
        }
        let standing = Arc::new(standing);
        self.0.slugs.lock().put(name.to_owned(), (epoch, now, id));
        self.0.standings.lock().put((caller.principal(), id), Cached { epoch, at: now, value: standing.clone() });
        Ok(standing)
    }

    /// Where the caller stands towards a provider of their own.
    pub(crate) async fn provider_standing(&self, caller: &Caller, name: &str) -> Result<Standing> {
        let mut tx = self.0.store.read_facts().await?;
        let row = own_staff_row(resolve::staff_of(&mut tx, caller.person.uuid()).await?, caller, name)?;
        let label = row.label("staff", format!("stf_{}", row.staff.id.simple()), None);
        let place = AccessPlace::Provider(row.provider.clone());
        let provider = (row.id(), row.name.clone());
        let held = Held::new(Grant::Staff { staff: row.staff, provider: row.provider }, label);
        let mut standing = Standing::new(Some(caller.as_access_person()), place, vec![held]);
        standing.provider = Some(provider);
        standing.key = caller.key.as_ref().map(|key| key.facts.clone());
        Ok(standing)
    }

    /// Where staff of a provider stand towards one of that provider's tenants, on the provider's side of it.
    pub(crate) async fn client_standing(&self, caller: &Caller, provider: &str, tenant: &str) -> Result<Standing> {
        let mut tx = self.0.store.read_facts().await?;
        let row = own_staff_row(resolve::staff_of(&mut tx, caller.person.uuid()).await?, caller, provider)?;
        let rows = resolve::load(&mut tx, tenant, Whose::Of(caller.person.uuid()), self.now()).await?.ok_or(Error::NotFound)?;
        let mut standing = rows.standing(&caller.as_access_person()).ok_or(Error::NotFound)?;
        standing.keep_only(row.id());
        if standing.held.is_empty() {
            return Err(Error::NotFound);
        }
        standing.key = caller.key.as_ref().map(|key| key.facts.clone());
        standing.provider = Some((row.id(), row.name));
        Ok(standing)
    }
}

impl Standing {
    /// What the person is told of their rights here: two digests differ when any answer does, or the grants behind them.
    pub(crate) fn digest(&self, engine: &access::Engine, now: Timestamp) -> Vec<String> {
        let moment = Moment { now, step_up: true };
        let inside = Act::ALL.iter().filter(|act| act.info().plane.is_inside());
        let allowed =
            inside.filter(|act| self.decide(engine, **act, Subject::Any, moment).0.allowed).map(|act| act.name().to_owned());
        let grants = self.held.iter().map(|held| format!("{:?} {:?} {:?}", held.label, held.elevated, held.ends_at));
        grants.chain(allowed).chain([format!("{:?}", self.switch)]).collect()
    }

    /// Keeps only what is held as staff of this provider.
    pub(crate) fn keep_only(&mut self, of: ProviderId) {
        self.held.retain(|held| matches!(&held.grant, Grant::Reach { provider, .. } if provider.id == of.uuid()));
    }
}

/// What a key opens in a tenant: that one tenant, or what its provider's staff reach. Anything else it may not know of.
fn restrict(standing: &mut Standing, key: &Key, tenant: uuid::Uuid) -> Result<()> {
    match key.place {
        KeyPlace::Tenant(of) if of == tenant => {}
        KeyPlace::Tenant(_) => return Err(Error::NotFound),
        KeyPlace::Provider(of) => standing.keep_only(ProviderId::from_uuid(of)),
    }
    if standing.held.is_empty() {
        return Err(Error::NotFound);
    }
    standing.key = Some(key.clone());
    Ok(())
}

/// The caller's own row at the provider that a path names, if their key is for it.
fn own_staff_row(rows: Vec<StaffRow>, caller: &Caller, name: &str) -> Result<StaffRow> {
    let is_open = |row: &StaffRow| match caller.key.as_ref().map(|key| key.facts.place) {
        None => true,
        Some(KeyPlace::Provider(of)) => of == row.provider.id,
        Some(KeyPlace::Tenant(_)) => false,
    };
    rows.into_iter().find(|row| (row.slug == name || row.id().to_string() == name) && is_open(row)).ok_or(Error::NotFound)
}
