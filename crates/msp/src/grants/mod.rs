//! Grants over many tenants at once: over a group, over all clients of the provider, or over all but some.
//!
//! - On each tenant that it covers, a grant acts as an assignment: up to its tier, with its operations and modules, while it lasts, cut
//!   to what the relationship gives. Which those are is asked at the moment of each decision (view `reach_assignment`, migration 0012):
//!   a client that is made tomorrow is covered by a grant over all, one that leaves the group is not covered any more.
//! - Somebody may hold several, and an assignment of their own beside them; each is evaluated whole, and their union applies.
//! - Nothing goes round a tenant's word: where its relationship wants consent to assignments, and where it removed the person, a grant
//!   over many does not count. An empty group is nothing.
//! - Nobody sets their own. No modules means none. "All" is itself a grant; nothing is over all by absence.
//! - What it gives or takes stands in the ledger of each tenant that is covered then, without a word of the others.
//!
//! What this deliberately does not do: tell a tenant's ledger when it comes to be covered later; its page of who reaches it, and the
//! explainer, say so at any time.

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use access::{Mask, Modules, Subject, Tier, actions};
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::assignments::AssignedTenant;
use crate::groups::{self, GroupId, GroupNamed};
use crate::patch::given;
use crate::providers;
use crate::staff::{StaffId, lock_provider};

pub(crate) use http::router;

kernel::kinds! {
    /// A grant over many tenants.
    GroupGrantKind GroupGrantId "ggr";
}

/// Days a grant may last when it has an end.
const DAYS_MAX: i64 = 3_660;
/// Tenants that a grant over all may leave out.
const EXCEPT_MAX: usize = 1_000;

/// Which tenants a grant covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Those of a group.
    Group,
    /// All clients of the provider, those made later too.
    All,
    /// All but some.
    AllExcept,
}

impl Over {
    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::All => "all",
            Self::AllExcept => "all_except",
        }
    }
}

impl std::str::FromStr for Over {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Group, Self::All, Self::AllExcept].into_iter().find(|over| over.as_str() == text).ok_or(())
    }
}

/// Who holds a grant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupGrantPerson {
    /// Id of the account.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Id on the provider's staff.
    pub staff: StaffId,
}

/// A grant over many tenants.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupGrant {
    /// Its id.
    pub id: GroupGrantId,
    /// Whose.
    pub person: GroupGrantPerson,
    /// Over which tenants.
    pub over: Over,
    /// Over which group.
    pub group: Option<GroupNamed>,
    /// Which clients a grant over all leaves out.
    pub except: Vec<AssignedTenant>,
    /// Up to which tier; the relationship with each client counts too.
    pub tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules; none is none.
    pub modules: Modules,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when; `null`: no end of its own.
    pub ends_at: Option<Timestamp>,
    /// It can be used now, as far as itself and its holder are concerned.
    pub live: bool,
    /// How many clients it covers now.
    pub client_count: i64,
    /// Version, for If-Match.
    pub version: i64,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct GroupGrantQuery {
    /// Part of a person's or group's name.
    pub q: Option<String>,
    /// `person` or `created`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// Only on this group (`grp_…`).
    #[param(value_type = Option<String>)]
    pub group: Option<GroupId>,
    /// Only of this person (`per_…`).
    #[param(value_type = Option<String>)]
    pub person: Option<PersonId>,
}

/// A new grant.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct GroupGrantCreate {
    /// Whose, by account (`per_…`); this or `staff`.
    #[serde(default)]
    pub person: Option<PersonId>,
    /// Whose, on the staff (`stf_…`); this or `person`.
    #[serde(default)]
    pub staff: Option<StaffId>,
    /// Over which tenants.
    pub over: Over,
    /// Over which group; of `group` only.
    #[serde(default)]
    pub group: Option<GroupId>,
    /// Which clients are left out, by id or slug; of `all_except` only.
    #[serde(default)]
    pub except: Vec<String>,
    /// Up to which tier.
    pub tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules; `[]` is none.
    pub modules: Modules,
    /// From when; left out: now.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

/// A change: what is left out stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct GroupGrantUpdate {
    /// Up to which tier.
    pub tier: Option<Tier>,
    /// Which operations.
    pub mask: Option<Mask>,
    /// Which modules; `[]` is none.
    pub modules: Option<Modules>,
    /// Which clients are left out, by id or slug; of `all_except` only.
    pub except: Option<Vec<String>>,
    /// Until when; `null` takes the end away.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Option<Option<Timestamp>>,
}

/// A grant as it is to be stored.
struct Sound {
    person: PersonId,
    over: Over,
    group: Option<GroupId>,
    except: Vec<TenantId>,
    tier: Tier,
    mask: Mask,
    modules: Modules,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
}

impl GroupGrant {
    /// As the ledgers keep it: it names no tenant, since each that is covered has a copy.
    fn kept(&self) -> serde_json::Value {
        json!({
            "person": {"id": self.person.id, "name": self.person.name}, "over": self.over,
            "group": self.group.as_ref().map(|group| group.id), "except": self.except.len(), "tier": self.tier, "mask": self.mask,
            "modules": self.modules, "starts_at": self.starts_at, "ends_at": self.ends_at,
        })
    }

    /// What a page of somebody's grants calls it.
    pub fn label(&self) -> String {
        let over = match (&self.group, self.over) {
            (Some(group), _) => format!("the group {}", group.name),
            (None, Over::AllExcept) => format!("all clients but {}", self.except.len()),
            (None, _) => "all clients".into(),
        };
        format!("{} {} on {over}", self.tier, self.tier.name())
    }
}

/// The provider's grants over many tenants.
///
/// # Errors
/// `Invalid` for a wrong page.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: GroupGrantQuery) -> Result<Page<GroupGrant>> {
    let page = PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit };
    store::list(tx, &page, query.group, query.person).await
}

/// Somebody's grants over many tenants, the first 200.
pub(crate) async fn of_person(tx: &mut ReadTx<scope::Provider>, person: PersonId) -> Result<Vec<GroupGrant>> {
    let page = PageQuery { limit: Some(kernel::paging::LIMIT_MAX), ..PageQuery::default() };
    Ok(store::list(tx, &page, None, Some(person)).await?.items)
}

/// Grants somebody power over many tenants.
///
/// # Errors
/// `Invalid`, `Forbidden` for oneself.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: GroupGrantCreate) -> Result<GroupGrant> {
    lock_provider(tx).await?;
    let holder = match (body.person, body.staff) {
        (Some(person), None) => store::staff_person(tx, person).await?,
        (None, Some(staff)) => store::staff(tx, staff).await?,
        _ => return Err(Error::field("person", "missing", "name one person, by `person` or by `staff`")),
    };
    let Some(person) = holder else { return Err(Error::field("person", "unknown", "is nobody on this provider's staff")) };
    let person_is_self = person == tx.me()?.person;
    tx.require::<actions::GroupGrantCreate>(Subject::Assignment { person_is_self })?;
    let sound = checked(tx, person, body).await?;
    insert(tx, &sound).await
}

async fn insert(tx: &mut WriteTx<scope::Provider>, sound: &Sound) -> Result<GroupGrant> {
    let id = GroupGrantId::new(tx.now());
    store::insert(tx, id, sound).await?;
    store::set_except(tx, id, &sound.except).await?;
    let created = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("group_grant", id, created.person.name.clone()).changed("group_grant", id, &(), &created.kept());
    for tenant in &sound.except {
        tx.changed_in(*tenant, "group_grant_except", id, &(), &json!({ "left_out": true }));
    }
    for tenant in store::covered(tx, id).await? {
        tx.also_in(tenant);
    }
    Ok(created)
}

async fn checked(tx: &mut ReadTx<scope::Provider>, person: PersonId, body: GroupGrantCreate) -> Result<Sound> {
    let mut check = Check::new();
    match (body.over, body.group) {
        (Over::Group, None) => drop(check.fail("group", "missing", "say over which group")),
        (Over::Group, Some(group)) => {
            let known = store::knows_group(tx, group).await?;
            check.that(known, "group", "unknown", "is no group of this provider");
        }
        (_, given) => drop(check.that(given.is_none(), "group", "not_here", "is only for a grant over a group")),
    }
    let except = checked_except(tx, &mut check, body.over, &body.except).await?;
    check_tier(tx, &mut check, body.tier).await?;
    let now = tx.now();
    if let Some(at) = body.starts_at.filter(|at| *at > now) {
        check.future("starts_at", at, now, DAYS_MAX);
    }
    let starts_at = body.starts_at.unwrap_or(now).max(now);
    if let Some(at) = body.ends_at {
        check.future("ends_at", at, now, DAYS_MAX);
        check.that(at > starts_at, "ends_at", "before_start", "must lie after the start");
    }
    check.done()?;
    let GroupGrantCreate { over, group, tier, mask, modules, ends_at, .. } = body;
    Ok(Sound { person, over, group, except, tier, mask, modules, starts_at, ends_at })
}

async fn checked_except(
    tx: &mut ReadTx<scope::Provider>,
    check: &mut Check,
    over: Over,
    names: &[String],
) -> Result<Vec<TenantId>> {
    if over != Over::AllExcept {
        check.that(names.is_empty(), "except", "not_here", "is only for a grant over all but some");
        return Ok(Vec::new());
    }
    let fits = (1..=EXCEPT_MAX).contains(&names.len());
    check.that(fits, "except", "out_of_range", "name 1 to 1000 clients, or grant over all");
    let (found, unknown) = groups::tenants_named(tx, names).await?;
    if let Some(name) = unknown.first() {
        check.fail("except", "unknown", format!("{} is no client of this provider", groups::shown(name)));
    }
    Ok(found.into_iter().map(|tenant| tenant.id).collect())
}

/// Each relationship cuts a grant to its own tier; more than the provider itself may ever have is refused at once.
async fn check_tier(tx: &mut ReadTx<scope::Provider>, check: &mut Check, tier: Tier) -> Result<()> {
    let provider = tx.scope.provider;
    let highest = providers::ceiling(&providers::lineage(tx, provider).await?);
    if tier > highest {
        check.fail("tier", "above_ceiling", format!("may be at most {highest} {}: this provider has no more", highest.name()));
    }
    Ok(())
}

/// Changes a grant.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`, `Forbidden` for one's own.
pub async fn update(
    tx: &mut WriteTx<scope::Provider>,
    id: GroupGrantId,
    version: IfMatch,
    body: GroupGrantUpdate,
) -> Result<GroupGrant> {
    let before = taken(tx, id).await?;
    let person_is_self = before.person.id == tx.me()?.person;
    tx.require::<actions::GroupGrantUpdate>(Subject::Assignment { person_is_self })?;
    version.check(before.version)?;
    let mut check = Check::new();
    if let Some(tier) = body.tier {
        check_tier(tx, &mut check, tier).await?;
    }
    if let Some(Some(at)) = body.ends_at {
        check.future("ends_at", at, tx.now(), DAYS_MAX);
    }
    let except = match &body.except {
        Some(names) => checked_except(tx, &mut check, before.over, names).await?,
        None => before.except.iter().map(|tenant| tenant.id).collect(),
    };
    check.done()?;
    let wanted = GroupGrant {
        tier: body.tier.unwrap_or(before.tier),
        mask: body.mask.unwrap_or(before.mask),
        modules: body.modules.unwrap_or(before.modules),
        ends_at: body.ends_at.unwrap_or(before.ends_at),
        ..before.clone()
    };
    let covered_before = store::covered(tx, id).await?;
    store::update(tx, &wanted).await?;
    store::set_except(tx, id, &except).await?;
    let after = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.changed("group_grant", id, &before.kept(), &after.kept());
    tell_left_out(tx, id, &before, &except);
    let covered: BTreeSet<TenantId> = covered_before.into_iter().chain(store::covered(tx, id).await?).collect();
    for tenant in covered {
        tx.also_in(tenant);
    }
    Ok(after)
}

fn tell_left_out(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId, before: &GroupGrant, except: &[TenantId]) {
    let before: BTreeSet<TenantId> = before.except.iter().map(|tenant| tenant.id).collect();
    let after: BTreeSet<TenantId> = except.iter().copied().collect();
    for tenant in before.symmetric_difference(&after) {
        let left_out = |set: &BTreeSet<TenantId>| json!({ "left_out": set.contains(tenant) });
        tx.changed_in(*tenant, "group_grant_except", id, &left_out(&before), &left_out(&after));
    }
}

/// Ends a grant for good.
///
/// # Errors
/// `NotFound`, `Forbidden` for one's own.
pub async fn delete(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId) -> Result<()> {
    let before = taken(tx, id).await?;
    let person_is_self = before.person.id == tx.me()?.person;
    tx.require::<actions::GroupGrantDelete>(Subject::Assignment { person_is_self })?;
    end(tx, &before).await
}

/// Ends a grant that was looked at, and tells who was covered.
pub(crate) async fn end(tx: &mut WriteTx<scope::Provider>, grant: &GroupGrant) -> Result<()> {
    for tenant in store::covered(tx, grant.id).await? {
        tx.also_in(tenant);
    }
    store::delete(tx, grant.id).await?;
    tx.changed("group_grant", grant.id, &grant.kept(), &());
    Ok(())
}

/// Ends all grants over many tenants of somebody who leaves.
pub(crate) async fn remove_all_of(tx: &mut WriteTx<scope::Provider>, person: PersonId) -> Result<()> {
    for grant in store::all_of(tx, person).await? {
        end(tx, &grant).await?;
    }
    Ok(())
}

/// Gives the same grant to somebody else on the staff, and ends this one: for who leaves. Answers the new one.
///
/// # Errors
/// `Forbidden` for oneself.
pub async fn hand_over(tx: &mut WriteTx<scope::Provider>, grant: &GroupGrant, to: PersonId) -> Result<GroupGrant> {
    let person_is_self = to == tx.me()?.person;
    tx.require::<actions::GroupGrantCreate>(Subject::Assignment { person_is_self })?;
    end(tx, grant).await?;
    let GroupGrant { over, group, except, tier, mask, modules, starts_at, ends_at, .. } = grant.clone();
    let except = except.into_iter().map(|tenant| tenant.id).collect();
    let group = group.map(|group| group.id);
    insert(tx, &Sound { person: to, over, group, except, tier, mask, modules, starts_at, ends_at }).await
}

async fn taken(tx: &mut WriteTx<scope::Provider>, id: GroupGrantId) -> Result<GroupGrant> {
    lock_provider(tx).await?;
    let grant = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("group_grant", id, grant.person.name.clone());
    Ok(grant)
}
