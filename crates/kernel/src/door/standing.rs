//! Where a person stands towards a tenant: the stored facts that the policies decide on, resolved once and kept while they hold.

use std::collections::HashMap;
use std::sync::Arc;

use access::{
    AccessMode, Act, Assignment, Grant, Mask, Membership, Modules, Place as AccessPlace, ProviderFacts, ProviderState, Question,
    Relationship, RelationshipState, Staff, Subject, TenantFacts, TenantState, Tier, Verdict,
};
use parking_lot::Mutex;
use uuid::Uuid;

use super::caller::Caller;
use super::hub::{Cached, Hub};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal, Result};
use crate::ids::{ProviderId, TenantId};
use crate::params;
use crate::store::{Place, Row, StoreError, Tx};

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
}

/// A person's standing towards a place: their grants, and the verdicts given on them so far.
pub(crate) struct Standing {
    pub person: Option<access::Person>,
    pub place: AccessPlace,
    /// Grants in the order in which they are tried; never empty.
    pub held: Vec<Held>,
    pub tenant: Option<TenantInfo>,
    pub provider: Option<(ProviderId, String)>,
    verdicts: Mutex<HashMap<Act, (Verdict, usize)>>,
}

impl Standing {
    pub fn new(person: Option<access::Person>, place: AccessPlace, held: Vec<Held>) -> Self {
        Self { person, place, held, tenant: None, provider: None, verdicts: Mutex::default() }
    }

    /// Whether the action is allowed, and through which of the grants. Every grant is evaluated whole; a forbid wins.
    pub fn decide(&self, engine: &access::Engine, act: Act, subject: Subject, now: Timestamp) -> (Verdict, usize) {
        let cacheable = matches!(subject, Subject::Any);
        if cacheable
            && let Some((verdict, index)) = self.verdicts.lock().get(&act)
            && verdict.until.is_none_or(|until| now.0 < until)
        {
            return (verdict.clone(), *index);
        }
        let mut best: Option<(Verdict, usize)> = None;
        let mut until = None;
        for (index, held) in self.held.iter().enumerate() {
            let question = Question {
                act,
                person: self.person.as_ref(),
                grant: &held.grant,
                place: &self.place,
                subject,
                now: now.0,
                step_up: false,
            };
            let verdict = engine.decide(&question);
            until = [until, verdict.until].into_iter().flatten().min();
            // A forbid outvotes everything, an allow outvotes a plain no (product.md section 2.3).
            let weight = |v: &Verdict| if v.forbidden { 2 } else { u8::from(v.allowed) };
            if best.as_ref().is_none_or(|(old, _)| weight(old) < weight(&verdict)) {
                best = Some((verdict, index));
            }
        }
        let (mut verdict, index) = best.expect("a standing has at least one grant");
        verdict.until = until;
        if cacheable {
            self.verdicts.lock().insert(act, (verdict.clone(), index));
        }
        (verdict, index)
    }
}

/// The refusal that a verdict is.
pub(crate) fn refusal(verdict: &Verdict) -> Error {
    Error::Forbidden(Box::new(Refusal {
        policy: verdict.policy.to_string(),
        why: verdict.why.to_string(),
        needs: verdict.needs.to_string(),
    }))
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
            && let Some(found) = self.0.standings.lock().get(&(caller.person.uuid(), id)).filter(|c| self.fresh(c.epoch, c.at, now))
        {
            return Ok(found.value.clone());
        }
        let mut tx = self.0.store.read(Place::Control).await?;
        let standing = Arc::new(resolve_tenant(&mut tx, caller, name).await?.ok_or(Error::NotFound)?);
        let id = standing.tenant.as_ref().expect("resolved for a tenant").id.uuid();
        self.0.slugs.lock().put(name.to_owned(), (epoch, now, id));
        self.0.standings.lock().put((caller.person.uuid(), id), Cached { epoch, at: now, value: standing.clone() });
        Ok(standing)
    }

    /// Where the caller stands towards a provider of their own.
    pub(crate) async fn provider_standing(&self, caller: &Caller, name: &str) -> Result<Standing> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let rows = staff_of(&mut tx, caller.person.uuid()).await?;
        let row = rows.into_iter().find(|row| row.slug == name || row.id().to_string() == name).ok_or(Error::NotFound)?;
        let label = row.label("staff", format!("stf_{}", row.staff.id.simple()), None);
        let place = AccessPlace::Provider(row.provider.clone());
        let provider = (row.id(), row.name.clone());
        let held = Held { grant: Grant::Staff { staff: row.staff, provider: row.provider }, label, ends_at: None };
        let mut standing = Standing::new(Some(person_of(caller)), place, vec![held]);
        standing.provider = Some(provider);
        Ok(standing)
    }

    /// Where staff of a provider stand towards one of that provider's tenants, on the provider's side of it.
    pub(crate) async fn client_standing(&self, caller: &Caller, provider: &str, tenant: &str) -> Result<Standing> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let rows = staff_of(&mut tx, caller.person.uuid()).await?;
        let row = rows.into_iter().find(|row| row.slug == provider || row.id().to_string() == provider).ok_or(Error::NotFound)?;
        let id = row.id();
        let name = row.name.clone();
        let mut standing = resolve_tenant(&mut tx, caller, tenant).await?.ok_or(Error::NotFound)?;
        standing.held.retain(|held| matches!(&held.grant, Grant::Reach { provider, .. } if provider.id == id.uuid()));
        if standing.held.is_empty() {
            return Err(Error::NotFound);
        }
        standing.provider = Some((id, name));
        Ok(standing)
    }
}

pub(crate) fn person_of(caller: &Caller) -> access::Person {
    access::Person { id: caller.person.uuid(), enabled: caller.enabled }
}

struct StaffRow {
    staff: Staff,
    provider: ProviderFacts,
    slug: String,
    name: String,
}

impl StaffRow {
    fn id(&self) -> ProviderId {
        ProviderId::from_uuid(self.provider.id)
    }

    fn label(&self, source: &str, id: String, tier: Option<Tier>) -> ledger::Grant {
        ledger::Grant {
            source: source.into(),
            id,
            role: Some(self.staff.role.to_string()),
            tier: tier.map(|tier| tier.to_string()),
            provider: Some(ledger::Named { id: self.id().to_string(), name: self.name.clone() }),
        }
    }
}

async fn staff_of(tx: &mut Tx, person: Uuid) -> Result<Vec<StaffRow>, StoreError> {
    let rows = tx
        .rows(
            "SELECT s.id, s.role, s.state, p.id, p.state, p.sub_providers, p.access_mode, p.slug, p.name
             FROM staff s JOIN provider p ON p.id = s.provider_id WHERE s.person_id = ?1 ORDER BY s.id",
            params![person],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| {
            let (id, role, enabled) = (row.take()?, row.parse()?, row.take::<String>()? == "active");
            let provider = ProviderFacts {
                id: row.take()?,
                state: if row.take::<String>()? == "active" { ProviderState::Active } else { ProviderState::Suspended },
                sub_providers: row.take()?,
                access_mode: if row.take::<String>()? == "explicit" { AccessMode::Explicit } else { AccessMode::Tiered },
            };
            let staff = Staff { id, person, provider: provider.id, role, enabled };
            Ok(StaffRow { staff, provider, slug: row.take()?, name: row.take()? })
        })
        .collect()
}

async fn resolve_tenant(tx: &mut Tx, caller: &Caller, name: &str) -> Result<Option<Standing>, StoreError> {
    let person = caller.person.uuid();
    let Some((tenant, facts)) = load_tenant(tx, name).await? else { return Ok(None) };
    let mut held = Vec::new();
    if let Some(mut row) =
        tx.opt("SELECT id, role, state FROM member WHERE tenant_id = ?1 AND person_id = ?2", params![tenant.id, person]).await?
    {
        let id: Uuid = row.take()?;
        let role: access::TenantRole = row.parse()?;
        let enabled = row.take::<String>()? == "active";
        let label = ledger::Grant {
            source: "membership".into(),
            id: format!("mem_{}", id.simple()),
            role: Some(role.to_string()),
            tier: None,
            provider: None,
        };
        let grant = Grant::Membership(Membership { id, person, tenant: tenant.id.uuid(), role, enabled });
        held.push(Held { grant, label, ends_at: None });
    }
    let staff = staff_of(tx, person).await?;
    if !staff.is_empty() {
        let relationships = load_relationships(tx, tenant.id).await?;
        for row in staff {
            let Some(relationship) = relationships.iter().find(|r| r.provider == row.provider.id) else { continue };
            let assignment = load_assignment(tx, tenant.id, row.provider.id, person).await?;
            let is_known = row.staff.role == access::StaffRole::ProviderAdmin || assignment.is_some();
            if is_known {
                held.push(reach(row, relationship.clone(), assignment));
            }
        }
    }
    if held.is_empty() {
        return Ok(None);
    }
    let mut standing = Standing::new(Some(person_of(caller)), AccessPlace::Tenant(facts), held);
    standing.tenant = Some(tenant);
    Ok(Some(standing))
}

fn reach(row: StaffRow, relationship: Relationship, assignment: Option<Assignment>) -> Held {
    // Where the access mode lets admins act by the relationship, a stored assignment is not what they stand on.
    let by_relationship = row.staff.role == access::StaffRole::ProviderAdmin && row.provider.access_mode == AccessMode::Tiered;
    let (label, ends_at) = match assignment.as_ref().filter(|_| !by_relationship) {
        Some(a) => {
            let ends_at = [a.ends_at, relationship.ends_at].into_iter().flatten().min();
            (row.label("assignment", format!("asg_{}", a.id.simple()), Some(a.tier.min(relationship.tier))), ends_at)
        }
        None => {
            (row.label("relationship", format!("rel_{}", relationship.id.simple()), Some(relationship.tier)), relationship.ends_at)
        }
    };
    let grant = Grant::Reach { staff: row.staff, provider: row.provider, relationship, assignment };
    Held { grant, label, ends_at: ends_at.map(Timestamp) }
}

async fn load_tenant(tx: &mut Tx, name: &str) -> Result<Option<(TenantInfo, TenantFacts)>, StoreError> {
    const COLUMNS: &str = "SELECT t.id, t.slug, t.name, t.state, p.name, p.modules, t.comments_from_t1, v.staff_shown
         FROM tenant t JOIN plan p ON p.id = t.plan_id JOIN provider v ON v.id = t.provider_id";
    let row = match name.parse::<TenantId>() {
        Ok(id) => tx.opt(&format!("{COLUMNS} WHERE t.id = ?1"), params![id]).await?,
        Err(_) => tx.opt(&format!("{COLUMNS} WHERE t.slug = ?1"), params![name]).await?,
    };
    let Some(mut row) = row else { return Ok(None) };
    let (id, slug, name): (TenantId, _, _) = (row.take()?, row.take()?, row.take()?);
    let state: TenantState = row.parse()?;
    if state == TenantState::Purged {
        return Ok(None);
    }
    let plan = row.take()?;
    let modules = modules_of(&mut row)?;
    let t1_may_comment = row.take()?;
    let staff_by_name = row.take::<String>()? == "by_name";
    let facts = TenantFacts { id: id.uuid(), state, modules, t1_may_comment };
    Ok(Some((TenantInfo { id, slug, name, state, plan, modules, staff_by_name }, facts)))
}

fn modules_of(row: &mut Row) -> Result<Modules, StoreError> {
    let bits: i64 = row.take()?;
    Ok(Modules::from_bits(u16::try_from(bits).unwrap_or_default()))
}

/// The tenant's relationships, each with its tier cut to what the providers above it hold, and whether those are live too.
async fn load_relationships(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Relationship>, StoreError> {
    let rows = tx
        .rows(
            "SELECT r.id, r.provider_id, r.tier, r.state, r.ends_at, p.parent_id, p.ceiling, p.state
             FROM relationship r JOIN provider p ON p.id = r.provider_id WHERE r.tenant_id = ?1",
            params![tenant],
        )
        .await?;
    let mut links = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (id, provider) = (row.take()?, row.take()?);
        let tier = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
        let state: RelationshipState = row.parse()?;
        let ends_at: Option<i64> = row.take()?;
        let parent: Option<Uuid> = row.take()?;
        let ceiling = Tier::from_i64(row.take()?).unwrap_or(Tier::T0);
        let provider_active = row.take::<String>()? == "active";
        let relationship =
            Relationship { id, provider, tenant: tenant.uuid(), tier: tier.min(ceiling), state, ends_at, chain_live: true };
        links.push((relationship, parent, provider_active));
    }
    Ok(links.iter().map(|(relationship, parent, _)| cut_to_chain(relationship, *parent, &links)).collect())
}

fn cut_to_chain(own: &Relationship, parent: Option<Uuid>, links: &[(Relationship, Option<Uuid>, bool)]) -> Relationship {
    let mut cut = own.clone();
    let mut above = parent;
    // Depth is at most 2 by default; the bound keeps a loop in the data from being a loop in the program.
    for _ in 0..8 {
        let Some(id) = above else { break };
        let Some((relationship, parent, active)) = links.iter().find(|(r, _, _)| r.provider == id) else {
            cut.chain_live = false;
            break;
        };
        cut.tier = cut.tier.min(relationship.tier);
        cut.chain_live &= *active && matches!(relationship.state, RelationshipState::Active | RelationshipState::Expiring);
        cut.ends_at = [cut.ends_at, relationship.ends_at].into_iter().flatten().min();
        above = *parent;
    }
    cut
}

async fn load_assignment(tx: &mut Tx, tenant: TenantId, provider: Uuid, person: Uuid) -> Result<Option<Assignment>, StoreError> {
    let row = tx
        .opt(
            "SELECT id, tier, mask, modules, starts_at, ends_at FROM assignment
             WHERE person_id = ?1 AND tenant_id = ?2 AND provider_id = ?3",
            params![person, tenant, provider],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    Ok(Some(Assignment {
        id: row.take()?,
        person,
        provider,
        tenant: tenant.uuid(),
        tier: Tier::from_i64(row.take()?).unwrap_or(Tier::T0),
        mask: Mask::from_bits(u8::try_from(row.take::<i64>()?).unwrap_or_default()),
        modules: modules_of(&mut row)?,
        starts_at: row.take()?,
        ends_at: row.take()?,
    }))
}
