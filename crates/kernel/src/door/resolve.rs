//! From stored rows to standings: everything that is known about who holds what on one tenant, for one person or for all.
//!
//! The door and the explainer both read through here, so that what is explained is what is enforced.

use std::collections::{BTreeSet, HashMap};

use access::{
    AccessMode, Act, Assignment, Elevation, Grant, Mask, Membership, Modules, Person, Place as AccessPlace, ProviderFacts,
    ProviderState, Relationship, RelationshipState, Staff, StaffRole, TenantFacts, TenantState, Tier,
};
use uuid::Uuid;

use super::entry::{SWITCH_POLICY, SwitchPolicy};
use super::standing::{Held, Standing, TenantInfo};
use crate::clock::Timestamp;
use crate::ids::{ProviderId, TenantId};
use crate::params;
use crate::store::{Query, Row, StoreError, Tx};

/// Whose rows are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// This person's.
    Of(Uuid),
    /// Of everybody who may hold something here.
    All,
}

/// A person's row at a provider.
#[derive(Clone)]
pub(crate) struct StaffRow {
    pub staff: Staff,
    pub provider: ProviderFacts,
    pub slug: String,
    pub name: String,
}

/// The rows of one tenant that say who holds what.
pub(crate) struct TenantRows {
    pub tenant: TenantInfo,
    pub facts: TenantFacts,
    members: HashMap<Uuid, Membership>,
    staff: HashMap<Uuid, Vec<StaffRow>>,
    links: Vec<Link>,
    relationships: Vec<Relationship>,
    /// By person and provider, the highest tier first: their own assignment, and what wider grants come to here.
    assignments: HashMap<(Uuid, Uuid), Vec<Assigned>>,
    elevations: HashMap<(Uuid, Uuid), Vec<Elevation>>,
    barred: BTreeSet<Uuid>,
    /// What staff are asked when they enter.
    switch: SwitchPolicy,
}

/// An assignment, and which row makes it.
#[derive(Debug, Clone)]
struct Assigned {
    /// It comes of a grant over many tenants.
    is_wide: bool,
    assignment: Assignment,
}

/// Reads what is known of who holds what on the tenant of this id or slug. None: there is none, or it is purged.
pub(crate) async fn load(tx: &mut Tx, name: &str, whose: Whose, now: Timestamp) -> Result<Option<TenantRows>, StoreError> {
    let Some((tenant, facts)) = load_tenant(tx, name).await? else { return Ok(None) };
    let id = tenant.id;
    let members = load_members(tx, id, whose).await?;
    let staff = match whose {
        Whose::Of(person) => staff_of(tx, person).await?,
        Whose::All => staff_around(tx, id).await?,
    };
    let mut rows = TenantRows {
        tenant,
        facts,
        members,
        staff: HashMap::new(),
        links: Vec::new(),
        relationships: Vec::new(),
        assignments: HashMap::new(),
        elevations: HashMap::new(),
        barred: BTreeSet::new(),
        switch: SwitchPolicy::Seamless,
    };
    if staff.is_empty() {
        return Ok(Some(rows));
    }
    for row in staff {
        rows.staff.entry(row.staff.person).or_default().push(row);
    }
    rows.links = load_links(tx, id).await?;
    rows.relationships = cut(&rows.links);
    load_settings(tx, &mut rows).await?;
    rows.assignments = load_assignments(tx, id, whose).await?;
    rows.elevations = load_elevations(tx, id, whose, now).await?;
    rows.barred = load_bars(tx, id, whose).await?;
    Ok(Some(rows))
}

impl TenantRows {
    /// Everybody who may hold something here.
    pub fn people(&self) -> BTreeSet<Uuid> {
        self.members.keys().chain(self.staff.keys()).copied().collect()
    }

    /// Where this person stands. None: they hold nothing here and may not know of it.
    pub fn standing(&self, person: &Person) -> Option<Standing> {
        let mut held = Vec::new();
        if let Some(membership) = self.members.get(&person.id) {
            held.push(as_member(membership.clone()));
        }
        for row in self.staff.get(&person.id).into_iter().flatten() {
            let Some(relationship) = self.relationships.iter().find(|r| r.provider == row.provider.id) else { continue };
            let key = (person.id, row.provider.id);
            let assignments = self.assignments.get(&key).map_or(&[][..], Vec::as_slice);
            let elevations = self.elevations.get(&key).map_or(&[][..], Vec::as_slice);
            let is_known = row.staff.role == StaffRole::ProviderAdmin || !assignments.is_empty() || !elevations.is_empty();
            if !is_known {
                continue;
            }
            let barred = self.barred.contains(&person.id);
            for base in reaches(row, relationship, assignments, barred) {
                if elevations.is_empty() {
                    held.push(base);
                } else {
                    held.extend(elevations.iter().map(|elevation| with_elevation(row, base.clone(), elevation.clone())));
                }
            }
        }
        if held.is_empty() {
            return None;
        }
        let mut standing = Standing::new(Some(person.clone()), AccessPlace::Tenant(self.facts.clone()), held);
        standing.tenant = Some(self.tenant.clone());
        // A member who is staff too comes as a member.
        standing.switch = if self.members.contains_key(&person.id) { SwitchPolicy::Seamless } else { self.switch };
        Some(standing)
    }
}

/// For questions about what would be.
impl TenantRows {
    /// As if the relationship with this provider had this tier.
    pub fn suppose_tier(&mut self, provider: Uuid, tier: Tier) {
        for link in self.links.iter_mut().filter(|link| link.relationship.provider == provider) {
            link.relationship.tier = tier.min(link.ceiling);
        }
        self.relationships = cut(&self.links);
    }

    /// As if this assignment stood, in place of the person's own. What they hold by wider grants stays.
    pub fn suppose_assignment(&mut self, assignment: Assignment) {
        let held = self.assignments.entry((assignment.person, assignment.provider)).or_default();
        held.retain(|assigned| assigned.is_wide);
        held.insert(0, Assigned { is_wide: false, assignment });
    }

    /// The tier of the relationship with this provider, cut to those above.
    pub fn tier_of(&self, provider: Uuid) -> Option<Tier> {
        self.relationships.iter().find(|r| r.provider == provider).map(|r| r.tier)
    }

    /// The assignment of their own that a person holds for a provider.
    pub fn assignment(&self, person: Uuid, provider: Uuid) -> Option<&Assignment> {
        let held = self.assignments.get(&(person, provider))?;
        held.iter().find(|assigned| !assigned.is_wide).map(|assigned| &assigned.assignment)
    }
}

impl StaffRow {
    pub fn id(&self) -> ProviderId {
        ProviderId::from_uuid(self.provider.id)
    }

    pub fn label(&self, source: &str, id: String, tier: Option<Tier>) -> ledger::Grant {
        ledger::Grant {
            source: source.into(),
            id,
            role: Some(self.staff.role.to_string()),
            tier: tier.map(|tier| tier.to_string()),
            provider: Some(ledger::Named { id: self.id().to_string(), name: self.name.clone() }),
        }
    }
}

fn as_member(membership: Membership) -> Held {
    let label = ledger::Grant {
        source: "membership".into(),
        id: format!("mem_{}", membership.id.simple()),
        role: Some(membership.role.to_string()),
        tier: None,
        provider: None,
    };
    Held::new(Grant::Membership(membership), label)
}

/// What somebody on the staff holds towards the tenant: one grant for each assignment, since each is evaluated whole; or the
/// relationship's alone.
fn reaches(row: &StaffRow, relationship: &Relationship, assignments: &[Assigned], barred: bool) -> Vec<Held> {
    // Where the access mode lets admins act by the relationship, a stored assignment is not what they stand on.
    let by_relationship = row.staff.role == StaffRole::ProviderAdmin && row.provider.access_mode == AccessMode::Tiered;
    if by_relationship || assignments.is_empty() {
        let label = row.label("relationship", format!("rel_{}", relationship.id.simple()), Some(relationship.tier));
        let assignment = assignments.first().map(|assigned| assigned.assignment.clone());
        return vec![reach(row, relationship, assignment, barred, (label, relationship.ends_at))];
    }
    let assigned = assignments.iter().map(|Assigned { is_wide, assignment: a }| {
        let (source, prefix) = if *is_wide { ("group_grant", "ggr") } else { ("assignment", "asg") };
        let label = row.label(source, format!("{prefix}_{}", a.id.simple()), Some(a.tier.min(relationship.tier)));
        let ends_at = [a.ends_at, relationship.ends_at].into_iter().flatten().min();
        reach(row, relationship, Some(a.clone()), barred, (label, ends_at))
    });
    assigned.collect()
}

fn reach(
    row: &StaffRow,
    relationship: &Relationship,
    assignment: Option<Assignment>,
    barred: bool,
    (label, ends_at): (ledger::Grant, Option<i64>),
) -> Held {
    let (staff, provider) = (row.staff.clone(), row.provider.clone());
    let grant = Grant::Reach { staff, provider, relationship: relationship.clone(), assignment, elevation: None, barred };
    Held { grant, label, ends_at: ends_at.map(Timestamp), elevated: None }
}

fn with_elevation(row: &StaffRow, mut base: Held, with: Elevation) -> Held {
    let source = if with.break_glass { "break_glass" } else { "elevation" };
    let tier = (with.tier > Tier::T0).then_some(with.tier);
    base.elevated = Some(row.label(source, format!("elv_{}", with.id.simple()), tier));
    if let Grant::Reach { elevation, .. } = &mut base.grant {
        *elevation = Some(with);
    }
    base
}

/// Key of the setting that says what admins reach.
pub const ACCESS_MODE: &str = "access_mode";

const STAFF: &str = "SELECT s.person_id, s.id, s.role, s.state, p.id, p.state, p.sub_providers, p.access_mode, p.slug, p.name
     FROM staff s JOIN provider p ON p.id = s.provider_id";

/// The rows of one person at all providers.
pub(crate) async fn staff_of(tx: &mut Tx, person: Uuid) -> Result<Vec<StaffRow>, StoreError> {
    let rows = tx.rows(&format!("{STAFF} WHERE s.person_id = ?1 ORDER BY s.id"), params![person]).await?;
    rows.into_iter().map(staff_row).collect()
}

/// The staff of a provider, those who may not sign in left out.
pub(crate) async fn staff_at(tx: &mut Tx, provider: Uuid) -> Result<Vec<StaffRow>, StoreError> {
    let sql =
        format!("{STAFF} JOIN person n ON n.id = s.person_id WHERE s.provider_id = ?1 AND n.state = 'active' ORDER BY s.person_id");
    let rows = tx.rows(&sql, params![provider]).await?;
    rows.into_iter().map(staff_row).collect()
}

/// The staff of every provider that has a relationship with the tenant.
async fn staff_around(tx: &mut Tx, tenant: TenantId) -> Result<Vec<StaffRow>, StoreError> {
    let rows = tx
        .rows(&format!("{STAFF} JOIN relationship r ON r.provider_id = p.id WHERE r.tenant_id = ?1 ORDER BY s.id"), params![tenant])
        .await?;
    rows.into_iter().map(staff_row).collect()
}

fn staff_row(mut row: Row) -> Result<StaffRow, StoreError> {
    let person = row.take()?;
    let (id, role, enabled) = (row.take()?, row.parse()?, row.take::<String>()? == "active");
    let provider = ProviderFacts {
        id: row.take()?,
        state: if row.take::<String>()? == "active" { ProviderState::Active } else { ProviderState::Suspended },
        sub_providers: row.take()?,
        access_mode: mode_of(&row.take::<String>()?),
    };
    let staff = Staff { id, person, provider: provider.id, role, enabled };
    Ok(StaffRow { staff, provider, slug: row.take()?, name: row.take()? })
}

async fn load_tenant(tx: &mut Tx, name: &str) -> Result<Option<(TenantInfo, TenantFacts)>, StoreError> {
    const COLUMNS: &str =
        "SELECT t.id, t.slug, t.name, t.state, p.name, w.modules, t.comments_from_t1, t.staff_may_name_admins, v.staff_shown
         FROM tenant t JOIN plan p ON p.id = t.plan_id JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number
         JOIN provider v ON v.id = t.provider_id";
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
    let (t1_may_comment, staff_may_name_admins) = (row.take()?, row.take()?);
    let staff_by_name = row.take::<String>()? == "by_name";
    let facts = TenantFacts { id: id.uuid(), state, modules, t1_may_comment, staff_may_name_admins };
    Ok(Some((TenantInfo { id, slug, name, state, plan, modules, staff_by_name }, facts)))
}

fn modules_of(row: &mut Row) -> Result<Modules, StoreError> {
    let bits: i64 = row.take()?;
    Ok(Modules::from_bits(u16::try_from(bits).unwrap_or_default()))
}

fn tier_of(row: &mut Row) -> Result<Tier, StoreError> {
    Ok(Tier::from_i64(row.take()?).unwrap_or(Tier::T0))
}

/// Adds whose rows are wanted to a query on a table with a person.
fn of(mut query: Query, whose: Whose) -> Query {
    if let Whose::Of(person) = whose {
        query.push(" AND person_id = ").bind(person);
    }
    query
}

async fn load_members(tx: &mut Tx, tenant: TenantId, whose: Whose) -> Result<HashMap<Uuid, Membership>, StoreError> {
    let mut query = Query::new("SELECT person_id, id, role, state FROM member WHERE tenant_id = ");
    query.bind(tenant);
    let query = of(query, whose);
    let rows = tx.rows(&query.sql, &query.params).await?;
    rows.into_iter()
        .map(|mut row| {
            let (person, id, role): (Uuid, _, _) = (row.take()?, row.take()?, row.parse()?);
            let enabled = row.take::<String>()? == "active";
            Ok((person, Membership { id, person, tenant: tenant.uuid(), role, enabled }))
        })
        .collect()
}

/// A relationship as stored, and what is above it.
struct Link {
    relationship: Relationship,
    /// The highest tier that the provider may have anywhere.
    ceiling: Tier,
    parent: Option<Uuid>,
    provider_active: bool,
}

async fn load_links(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Link>, StoreError> {
    let rows = tx
        .rows(
            "SELECT r.id, r.provider_id, r.tier, r.state, r.ends_at, p.parent_id, p.ceiling, p.state
             FROM relationship r JOIN provider p ON p.id = r.provider_id WHERE r.tenant_id = ?1",
            params![tenant],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| {
            let (id, provider) = (row.take()?, row.take()?);
            let tier = tier_of(&mut row)?;
            let state: RelationshipState = row.parse()?;
            let ends_at: Option<i64> = row.take()?;
            let parent: Option<Uuid> = row.take()?;
            let ceiling = tier_of(&mut row)?;
            let provider_active = row.take::<String>()? == "active";
            let tier = tier.min(ceiling);
            let relationship = Relationship { id, provider, tenant: tenant.uuid(), tier, state, ends_at, chain_live: true };
            Ok(Link { relationship, ceiling, parent, provider_active })
        })
        .collect()
}

/// The relationships, each with its tier cut to what the providers above it hold, and whether those are live too.
fn cut(links: &[Link]) -> Vec<Relationship> {
    links.iter().map(|link| cut_to_chain(link, links)).collect()
}

fn cut_to_chain(own: &Link, links: &[Link]) -> Relationship {
    let mut cut = own.relationship.clone();
    let mut above = own.parent;
    // Depth is at most 2 by default; the bound keeps a loop in the data from being a loop in the program.
    for _ in 0..8 {
        let Some(id) = above else { break };
        let Some(link) = links.iter().find(|link| link.relationship.provider == id) else {
            cut.chain_live = false;
            break;
        };
        let over = &link.relationship;
        cut.tier = cut.tier.min(over.tier);
        cut.chain_live &= link.provider_active && matches!(over.state, RelationshipState::Active | RelationshipState::Expiring);
        cut.ends_at = [cut.ends_at, over.ends_at].into_iter().flatten().min();
        above = link.parent;
    }
    cut
}

/// What tenant and providers decided that the door has to know: what staff are asked when they enter, and where a provider's access mode is
/// another here than elsewhere.
async fn load_settings(tx: &mut Tx, rows: &mut TenantRows) -> Result<(), StoreError> {
    let mut query = Query::new("SELECT scope_id, scope_kind, key, value FROM setting WHERE key IN (");
    query.bind(SWITCH_POLICY).push(", ").bind(ACCESS_MODE).push(") AND scope_id IN (").bind(rows.tenant.id);
    for link in &rows.links {
        query.push(", ").bind(link.relationship.id).push(", ").bind(link.relationship.provider);
    }
    query.push(")");
    let mut asked: HashMap<Uuid, (bool, SwitchPolicy)> = HashMap::new();
    for mut row in tx.rows(&query.sql, &query.params).await? {
        let (of, kind, key, value): (Uuid, String, String, String) = (row.take()?, row.take()?, row.take()?, row.take()?);
        match (key.as_str(), kind.as_str()) {
            (SWITCH_POLICY, kind) => {
                // What a provider decided itself stands in the place of what its preset says.
                let (is_own, policy) = (kind != "preset", SwitchPolicy::from_word(&value));
                let stands = asked.entry(of).or_insert((is_own, policy));
                if is_own {
                    *stands = (true, policy);
                }
            }
            (ACCESS_MODE, "client") => {
                let link = rows.links.iter().find(|link| link.relationship.id == of);
                let Some(provider) = link.map(|link| link.relationship.provider) else { continue };
                let all = rows.staff.values_mut().flatten().filter(|row| row.provider.id == provider);
                all.for_each(|row| row.provider.access_mode = mode_of(&value));
            }
            _ => {}
        }
    }
    rows.switch = asked.values().map(|(_, policy)| *policy).max().unwrap_or_default();
    Ok(())
}

/// As policies know it: in `implicit_owner` admins too need an assignment, and each of them has one.
fn mode_of(word: &str) -> AccessMode {
    if word == "tiered" { AccessMode::Tiered } else { AccessMode::Explicit }
}

async fn load_assignments(tx: &mut Tx, tenant: TenantId, whose: Whose) -> Result<HashMap<(Uuid, Uuid), Vec<Assigned>>, StoreError> {
    let mut query = Query::new(
        "SELECT person_id, provider_id, source, id, tier, mask, modules, starts_at, ends_at FROM reach_assignment WHERE tenant_id = ",
    );
    query.bind(tenant);
    let mut query = of(query, whose);
    // The strongest first: of several that allow the same, the first is named.
    query.push(" ORDER BY tier DESC, source, id");
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for mut row in tx.rows(&query.sql, &query.params).await? {
        let (person, provider): (Uuid, Uuid) = (row.take()?, row.take()?);
        let is_wide = row.take::<String>()? == "group_grant";
        let assignment = Assignment {
            id: row.take()?,
            person,
            provider,
            tenant: tenant.uuid(),
            tier: tier_of(&mut row)?,
            mask: Mask::from_bits(u8::try_from(row.take::<i64>()?).unwrap_or_default()),
            modules: modules_of(&mut row)?,
            starts_at: row.take()?,
            ends_at: row.take()?,
        };
        found.entry((person, provider)).or_default().push(Assigned { is_wide, assignment });
    }
    Ok(found)
}

/// Approved elevations that are not over, in the order in which they were asked for.
async fn load_elevations(
    tx: &mut Tx,
    tenant: TenantId,
    whose: Whose,
    now: Timestamp,
) -> Result<HashMap<(Uuid, Uuid), Vec<Elevation>>, StoreError> {
    let mut query = Query::new(
        "SELECT person_id, provider_id, id, tier, actions, modules, starts_at, ends_at, provider_by, tenant_by, break_glass
         FROM elevation WHERE state = 'approved' AND tenant_id = ",
    );
    query.bind(tenant).push(" AND ends_at > ").bind(now);
    let mut query = of(query, whose);
    query.push(" ORDER BY id");
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for mut row in tx.rows(&query.sql, &query.params).await? {
        let (person, provider): (Uuid, Uuid) = (row.take()?, row.take()?);
        let (id, tier) = (row.take()?, tier_of(&mut row)?);
        let actions = row.json::<Vec<String>>()?.iter().filter_map(|name| Act::from_name(name)).collect();
        let modules = modules_of(&mut row)?;
        let (starts_at, ends_at) = (row.take::<Option<i64>>()?.unwrap_or(i64::MAX), row.take()?);
        let (by_provider, by_tenant): (Option<Uuid>, Option<Uuid>) = (row.take()?, row.take()?);
        found.entry((person, provider)).or_default().push(Elevation {
            id,
            person,
            provider,
            tenant: tenant.uuid(),
            tier,
            actions,
            modules,
            starts_at,
            ends_at,
            approvers: [by_provider, by_tenant].into_iter().flatten().collect(),
            by_tenant: by_tenant.is_some(),
            break_glass: row.take()?,
        });
    }
    Ok(found)
}

async fn load_bars(tx: &mut Tx, tenant: TenantId, whose: Whose) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut query = Query::new("SELECT person_id FROM bar WHERE tenant_id = ");
    query.bind(tenant);
    let query = of(query, whose);
    let rows = tx.rows(&query.sql, &query.params).await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}
