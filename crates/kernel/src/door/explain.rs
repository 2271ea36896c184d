//! The explainer: who may do what, why, and what would be otherwise if. Reads through the same rows as the door and asks the same
//! engine, so that what is explained is what is enforced.

use std::collections::{BTreeSet, HashMap};

use access::{Act, Assignment, Grant, Plane, Subject, Tier};
use uuid::Uuid;

use super::hub::Hub;
use super::resolve::{self, TenantRows, Whose};
use super::standing::{Held, Moment, Standing, TenantInfo, outcome};
use super::tx::{ReadTx, Scope, scope};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{PersonId, ProviderId, TenantId};
use crate::store::{Query, StoreError};

/// The answer to "may they?", whole.
#[derive(Debug, Clone)]
pub struct Explained {
    /// It may be done.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: String,
    /// Why, one sentence.
    pub why: String,
    /// On a no: which grant would be needed.
    pub needs: String,
    /// On a yes: only with a fresh second factor.
    pub step_up: bool,
    /// When time alone may change the answer.
    pub until: Option<Timestamp>,
    /// What each grant says, the deciding one first.
    pub through: Vec<Through>,
}

/// What one grant says.
#[derive(Debug, Clone)]
pub struct Through {
    /// The grant, as the ledger writes it.
    pub grant: ledger::Grant,
    /// It allows the action.
    pub allowed: bool,
    /// A policy forbids the action over it.
    pub forbidden: bool,
    /// The policy that decided on it.
    pub policy: String,
    /// Its reason.
    pub why: String,
    /// When the grant ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// Everybody who may hold something on one tenant, or one person of them.
pub struct Stands {
    rows: TenantRows,
    people: HashMap<Uuid, (String, String, bool)>,
    /// Only what is held as staff of this provider counts.
    provider: Option<ProviderId>,
    now: Timestamp,
}

/// One person's standing on the tenant.
pub struct Stand {
    /// Who.
    pub person: PersonId,
    /// Name now.
    pub name: String,
    /// E-mail now.
    pub email: String,
    /// May sign in.
    pub enabled: bool,
    standing: Standing,
    now: Timestamp,
}

impl Stands {
    /// The tenant.
    pub fn tenant(&self) -> &TenantInfo {
        &self.rows.tenant
    }

    /// Everybody who holds something, live or not, by name.
    pub fn all(&self) -> Vec<Stand> {
        let mut all: Vec<_> = self.rows.people().into_iter().filter_map(|person| self.of(PersonId::from_uuid(person))).collect();
        all.sort_by_key(|stand| (stand.name.to_lowercase(), stand.person));
        all
    }

    /// Where this person stands. None: they hold nothing here, and would be answered 404.
    pub fn of(&self, person: PersonId) -> Option<Stand> {
        let (name, email, enabled) = self.people.get(&person.uuid())?.clone();
        let mut standing = self.rows.standing(&access::Person { id: person.uuid(), enabled })?;
        if let Some(provider) = self.provider {
            standing.keep_only(provider);
        }
        (!standing.held.is_empty()).then_some(Stand { person, name, email, enabled, standing, now: self.now })
    }

    /// From here on as if the relationship with this provider had this tier.
    pub fn suppose_tier(&mut self, provider: ProviderId, tier: Tier) {
        self.rows.suppose_tier(provider.uuid(), tier);
    }

    /// From here on as if this assignment stood.
    pub fn suppose_assignment(&mut self, assignment: Assignment) {
        self.rows.suppose_assignment(assignment);
    }

    /// The tier of the relationship with this provider, cut to those of the providers above. None without staff here.
    pub fn tier_of(&self, provider: ProviderId) -> Option<Tier> {
        self.rows.tier_of(provider.uuid())
    }

    /// The assignment that a person holds here for a provider.
    pub fn assignment(&self, person: PersonId, provider: ProviderId) -> Option<&Assignment> {
        self.rows.assignment(person.uuid(), provider.uuid())
    }
}

impl Stand {
    /// What the person holds here, live or not.
    pub fn held(&self) -> &[Held] {
        &self.standing.held
    }

    /// Whether the person may do it, on which row, and why.
    pub fn explain(&self, hub: &Hub, act: Act, subject: Subject) -> Explained {
        let verdicts = self.verdicts(hub, act, subject);
        let (verdict, index) = outcome(&verdicts);
        let mut through = self.through(verdicts);
        let deciding = through.remove(index);
        through.insert(0, deciding);
        Explained {
            allowed: verdict.allowed,
            policy: verdict.policy.to_string(),
            why: verdict.why.to_string(),
            needs: verdict.needs.to_string(),
            step_up: verdict.allowed && act.info().flags.step_up,
            until: verdict.until.map(Timestamp),
            through,
        }
    }

    /// What each grant says by itself, in the order of [`Self::held`].
    pub fn each(&self, hub: &Hub, act: Act, subject: Subject) -> Vec<Through> {
        self.through(self.verdicts(hub, act, subject))
    }

    fn verdicts(&self, hub: &Hub, act: Act, subject: Subject) -> Vec<access::Verdict> {
        let moment = Moment { now: self.now, step_up: true };
        self.standing.verdicts_of_all(&hub.0.engine, act, subject, moment)
    }

    fn through(&self, verdicts: Vec<access::Verdict>) -> Vec<Through> {
        let pairs = self.standing.held.iter().zip(verdicts);
        let through = pairs.map(|(held, v)| Through {
            grant: held.label_of(&v).clone(),
            allowed: v.allowed,
            forbidden: v.forbidden,
            policy: v.policy.to_string(),
            why: v.why.to_string(),
            ends_at: held.ends_at,
        });
        through.collect()
    }
}

/// Asks about many people and tenants: the same facts are asked about once.
#[derive(Default)]
pub struct Memo(HashMap<Facts, BTreeSet<Act>>);

/// What an answer depends on when all rows belong together: the same for everybody in the same position.
#[derive(PartialEq, Eq, Hash)]
struct Facts {
    enabled: bool,
    tenant: access::TenantFacts,
    grants: Vec<Grant>,
    now: Timestamp,
}

impl Memo {
    /// Everything that the person may do inside the tenant.
    pub fn may(&mut self, hub: &Hub, stand: &Stand) -> &BTreeSet<Act> {
        let facts = facts_of(stand);
        self.0.entry(facts).or_insert_with(|| {
            let moment = Moment { now: stand.now, step_up: true };
            let inside = Act::ALL.iter().copied().filter(|act| matches!(act.info().plane, Plane::Data | Plane::Records));
            inside.filter(|act| stand.standing.decide(&hub.0.engine, *act, Subject::Any, moment).0.allowed).collect()
        })
    }
}

/// The facts with every id replaced by what it is the id of. The rows of a standing belong together by how they are read; one that
/// did not would keep its own id here, and so be asked about by itself.
fn facts_of(stand: &Stand) -> Facts {
    let access::Place::Tenant(tenant) = &stand.standing.place else { unreachable!("a standing towards a tenant") };
    let mut known = vec![(stand.person.uuid(), Uuid::from_u128(1)), (tenant.id, Uuid::from_u128(2))];
    let mut grants: Vec<Grant> = stand.standing.held.iter().map(|held| held.grant.clone()).collect();
    for grant in &mut grants {
        if let Grant::Reach { provider, .. } = grant
            && !known.iter().any(|(id, _)| *id == provider.id)
        {
            known.push((provider.id, Uuid::from_u128(3 + known.len() as u128)));
        }
    }
    let plain = |id: &mut Uuid| {
        if let Some((_, plain)) = known.iter().find(|(of, _)| of == id) {
            *id = *plain;
        }
    };
    grants.iter_mut().for_each(|grant| without_ids(grant, &plain));
    let mut tenant = tenant.clone();
    plain(&mut tenant.id);
    Facts { enabled: stand.enabled, tenant, grants, now: stand.now }
}

fn without_ids(grant: &mut Grant, plain: &impl Fn(&mut Uuid)) {
    match grant {
        Grant::Membership(m) => {
            m.id = Uuid::nil();
            [&mut m.person, &mut m.tenant].into_iter().for_each(plain);
        }
        Grant::Reach { staff, provider, relationship, assignment, elevation, .. } => {
            (staff.id, relationship.id) = (Uuid::nil(), Uuid::nil());
            let ids =
                [&mut staff.person, &mut staff.provider, &mut provider.id, &mut relationship.provider, &mut relationship.tenant];
            ids.into_iter().for_each(plain);
            if let Some(a) = assignment {
                a.id = Uuid::nil();
                [&mut a.person, &mut a.provider, &mut a.tenant].into_iter().for_each(plain);
            }
            if let Some(e) = elevation {
                e.id = Uuid::nil();
                [&mut e.person, &mut e.provider, &mut e.tenant].into_iter().for_each(plain);
            }
        }
        Grant::Staff { .. } | Grant::SelfOnly | Grant::Nobody => {}
    }
}

impl<S: Scope> ReadTx<S> {
    async fn stands_at(&mut self, tenant: &str, who: Option<PersonId>, provider: Option<ProviderId>) -> Result<Option<Stands>> {
        let now = self.now();
        let whose = who.map_or(Whose::All, |person| Whose::Of(person.uuid()));
        let Some(rows) = resolve::load(self.tx()?, tenant, whose, now).await? else { return Ok(None) };
        let ids: Vec<Uuid> = rows.people().into_iter().collect();
        let mut people = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(500) {
            let mut query = Query::new("SELECT id, name, email, state FROM person WHERE id IN (");
            query.bind_all(chunk.iter().copied()).push(")");
            for mut row in self.query(&query).await? {
                let mut person =
                    || Ok::<_, StoreError>((row.take()?, (row.take()?, row.take()?, row.take::<String>()? == "active")));
                let (id, known) = person()?;
                people.insert(id, known);
            }
        }
        Ok(Some(Stands { rows, people, provider, now }))
    }
}

impl ReadTx<scope::Records> {
    /// Who holds what on this tenant: everybody, or one person.
    ///
    /// # Errors
    /// As the store's.
    pub async fn stands(&mut self, who: Option<PersonId>) -> Result<Stands> {
        let tenant = self.scope.tenant.to_string();
        self.stands_at(&tenant, who, None).await?.ok_or(Error::NotFound)
    }
}

impl ReadTx<scope::Client> {
    /// What this provider's staff hold on this tenant: everybody, or one person.
    ///
    /// # Errors
    /// As the store's.
    pub async fn stands(&mut self, who: Option<PersonId>) -> Result<Stands> {
        let scope::Client { provider, tenant } = self.scope;
        self.stands_at(&tenant.to_string(), who, Some(provider)).await?.ok_or(Error::NotFound)
    }
}

impl ReadTx<scope::Provider> {
    /// What this provider's staff hold on one of its tenants. Nobody holds anything on a tenant that is not its own.
    ///
    /// # Errors
    /// As the store's.
    pub async fn stands_on(&mut self, tenant: TenantId, who: Option<PersonId>) -> Result<Option<Stands>> {
        let provider = self.scope.provider;
        self.stands_at(&tenant.to_string(), who, Some(provider)).await
    }
}

impl ReadTx<scope::Public> {
    /// The staff of a provider who may do this on its own records.
    ///
    /// # Errors
    /// As the store's.
    pub async fn staff_who_may(&mut self, provider: ProviderId, act: Act) -> Result<BTreeSet<PersonId>> {
        let (hub, now) = (self.hub().clone(), self.now());
        let mut able = BTreeSet::new();
        for row in resolve::staff_at(self.tx()?, provider.uuid()).await? {
            let person = access::Person { id: row.staff.person, enabled: row.staff.enabled };
            let label = row.label("staff", format!("stf_{}", row.staff.id.simple()), None);
            let place = access::Place::Provider(row.provider.clone());
            let held = Held::new(Grant::Staff { staff: row.staff, provider: row.provider }, label);
            let standing = Standing::new(Some(person.clone()), place, vec![held]);
            if standing.decide(&hub.0.engine, act, Subject::Any, Moment { now, step_up: true }).0.allowed {
                able.insert(PersonId::from_uuid(person.id));
            }
        }
        Ok(able)
    }

    /// Who holds what on the tenant of this id or slug: for the person at the machine.
    ///
    /// # Errors
    /// As the store's.
    pub async fn stands_anywhere(&mut self, tenant: &str, who: Option<PersonId>) -> Result<Option<Stands>> {
        self.stands_at(tenant, who, None).await
    }
}
