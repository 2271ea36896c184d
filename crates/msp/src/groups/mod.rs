//! Groups of a provider's tenants: named, to be granted over and changed together.
//!
//! - A static group is a list of tenants. A dynamic one asks for facts that the provider knows (tier, plan, industry, state, part of the
//!   name) and has in it whoever fits at the moment it is asked about; nobody keeps it up to date. Several values of one fact are
//!   alternatives, several facts must all fit. One that asks for nothing is refused, and would have nobody in it.
//! - Only clients of the provider are in it: one whose relationship has ended is in none. An empty group is nothing, never everything.
//! - Who is in which group is the view `tenant_in_group` (migration 0012), everywhere.
//! - A group that grants stand on cannot be deleted, and nobody changes who is in a group that a grant of their own stands on. What
//!   such a change gives or takes on a tenant stands in that tenant's ledger too.
//!
//! What this deliberately does not do: nest groups, or tell tenants which groups they are in.

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use access::{Subject, TenantState, Tier, actions};
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::assignments::AssignedTenant;
use crate::plans::PlanId;
use crate::staff::lock_provider;

pub(crate) use http::router;
pub(crate) use store::{tenants_in, tenants_named};

kernel::kinds! {
    /// A group of tenants.
    GroupKind GroupId "grp";
}

/// Tenants that a static group may have, and that a change may name.
pub(crate) const TENANTS_MAX: usize = 5_000;
/// Values that a dynamic group may ask for, fact by fact.
const VALUES_MAX: usize = 100;

/// How a group says who is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupKindOf {
    /// By a list.
    Static,
    /// By what it asks for.
    Dynamic,
}

impl GroupKindOf {
    fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
        }
    }
}

impl std::str::FromStr for GroupKindOf {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "static" => Ok(Self::Static),
            "dynamic" => Ok(Self::Dynamic),
            _ => Err(()),
        }
    }
}

/// What a dynamic group asks for. An empty list asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = GroupMatch)]
pub struct Match {
    /// The relationship has one of these tiers.
    pub tiers: Vec<Tier>,
    /// The tenant is on one of these plans.
    pub plans: Vec<PlanId>,
    /// Its industry is one of these, in whatever case.
    pub industries: Vec<String>,
    /// It is in one of these states.
    pub states: Vec<TenantState>,
    /// Its name contains this, in whatever case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_contains: Option<String>,
}

impl Match {
    fn asks_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A group.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = TenantGroup)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name, once per provider.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How it says who is in it.
    pub kind: GroupKindOf,
    /// Of a static group shown by itself: who is in it, the first 5,000 by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<AssignedTenant>>,
    /// What a dynamic group asks for; `null` for a static one.
    #[serde(rename = "match")]
    pub matches: Option<Match>,
    /// How many clients are in it now.
    pub client_count: i64,
    /// How many grants stand on it.
    pub grant_count: i64,
    /// Its version, for If-Match.
    pub version: i64,
}

/// A group, by name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupNamed {
    /// Id.
    pub id: GroupId,
    /// Name.
    pub name: String,
}

/// A group and who is in it now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GroupView {
    /// The group.
    pub group: Group,
    /// The clients in it, by name.
    pub tenants: Page<AssignedTenant>,
}

/// A new group.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct GroupCreate {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// How it says who is in it.
    pub kind: GroupKindOf,
    /// Who is in it, by id or slug: of a static group.
    #[serde(default)]
    pub tenants: Vec<String>,
    /// What it asks for: of a dynamic one.
    #[serde(default, rename = "match")]
    pub matches: Match,
}

/// A change of a group: what is left out stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct GroupUpdate {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who is in it, by id or slug: of a static group.
    pub tenants: Option<Vec<String>>,
    /// What it asks for: of a dynamic one.
    #[serde(rename = "match")]
    pub matches: Option<Match>,
}

/// What a group is to be, checked.
struct Sound {
    name: String,
    description: String,
    kind: GroupKindOf,
    tenants: Vec<TenantId>,
    matches: Match,
}

impl Sound {
    fn kept(&self) -> serde_json::Value {
        let matches = (self.kind == GroupKindOf::Dynamic).then_some(&self.matches);
        json!({"name": self.name, "kind": self.kind, "tenants": self.tenants.len(), "match": matches})
    }
}

/// The provider's groups.
///
/// # Errors
/// `Invalid` for a wrong page.
pub async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<Group>> {
    store::list(tx, page).await
}

/// A group, with a page of who is in it.
///
/// # Errors
/// `NotFound`, `Invalid` for a wrong page.
pub async fn view(tx: &mut ReadTx<scope::Provider>, id: GroupId, page: &PageQuery) -> Result<GroupView> {
    let mut group = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    let tenants = store::tenants_page(tx, id, page).await?;
    if group.kind == GroupKindOf::Static {
        group.tenants = Some(tenants_in(tx, id).await?);
    }
    Ok(GroupView { group, tenants })
}

/// Makes a group.
///
/// # Errors
/// `Invalid`, `Conflict` when the name is taken.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: GroupCreate) -> Result<Group> {
    lock_provider(tx).await?;
    let sound = checked(tx, body).await?;
    let id = GroupId::new(tx.now());
    if !store::insert(tx, id, &sound).await? {
        return Err(taken(&sound.name));
    }
    store::set_members(tx, id, &sound).await?;
    tx.subject("tenant_group", id, sound.name.clone()).changed("tenant_group", id, &(), &sound.kept());
    store::one(tx, id).await?.ok_or(Error::NotFound)
}

/// Changes a group.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`, `Conflict` when the name is taken, `Forbidden` when it would change who is in a group that the
/// person holds a grant on.
pub async fn update(tx: &mut WriteTx<scope::Provider>, id: GroupId, version: IfMatch, body: GroupUpdate) -> Result<Group> {
    lock_provider(tx).await?;
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("tenant_group", id, before.name.clone());
    version.check(before.version)?;
    if (body.tenants.is_some() || body.matches.is_some()) && store::is_granted_to(tx, id).await? {
        tx.require::<actions::GroupGrantUpdate>(Subject::Assignment { person_is_self: true })?;
    }
    let tenants_before = tenants_in(tx, id).await?;
    let same = || tenants_before.iter().map(|tenant| tenant.id.to_string()).collect();
    let is_static = before.kind == GroupKindOf::Static;
    let wanted = GroupCreate {
        name: body.name.unwrap_or_else(|| before.name.clone()),
        description: body.description.unwrap_or_else(|| before.description.clone()),
        kind: before.kind,
        tenants: body.tenants.unwrap_or_else(|| if is_static { same() } else { Vec::new() }),
        matches: body.matches.or_else(|| before.matches.clone()).unwrap_or_default(),
    };
    let sound = checked(tx, wanted).await?;
    if !store::update(tx, id, &sound).await? {
        return Err(taken(&sound.name));
    }
    store::set_members(tx, id, &sound).await?;
    let after = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    let kept = json!({"name": before.name, "kind": before.kind, "tenants": tenants_before.len(), "match": before.matches});
    tx.changed("tenant_group", id, &kept, &sound.kept());
    if after.grant_count > 0 {
        tell(tx, id, &tenants_before).await?;
    }
    Ok(after)
}

/// Lets the tenants that a group with grants on it gained or lost know of it, each in its own ledger.
async fn tell(tx: &mut WriteTx<scope::Provider>, id: GroupId, before: &[AssignedTenant]) -> Result<()> {
    let ids = |tenants: &[AssignedTenant]| tenants.iter().map(|tenant| tenant.id).collect::<BTreeSet<TenantId>>();
    let (before, after) = (ids(before), ids(&tenants_in(tx, id).await?));
    for tenant in before.symmetric_difference(&after) {
        let is_in = |set: &BTreeSet<TenantId>| json!({ "in_group": set.contains(tenant) });
        tx.changed_in(*tenant, "tenant_group", id, &is_in(&before), &is_in(&after));
    }
    Ok(())
}

/// Deletes a group.
///
/// # Errors
/// `NotFound`, `Conflict` while grants stand on it.
pub async fn delete(tx: &mut WriteTx<scope::Provider>, id: GroupId) -> Result<()> {
    lock_provider(tx).await?;
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("tenant_group", id, before.name.clone());
    if before.grant_count > 0 {
        let text = format!("{} grants stand on this group. End them first.", before.grant_count);
        return Err(Error::Conflict(text));
    }
    store::delete(tx, id).await?;
    tx.changed("tenant_group", id, &json!({"name": before.name, "kind": before.kind}), &());
    Ok(())
}

fn taken(name: &str) -> Error {
    Error::Conflict(format!("There is a group named {name} already. Choose another name."))
}

async fn checked(tx: &mut ReadTx<scope::Provider>, body: GroupCreate) -> Result<Sound> {
    let mut check = Check::new();
    let name = check.text("name", &body.name, 2..=80);
    let description = check.text("description", &body.description, 0..=500);
    let mut matches = body.matches;
    let mut tenants = Vec::new();
    match body.kind {
        GroupKindOf::Static => {
            check.that(matches.asks_nothing(), "match", "not_here", "a static group has a list of tenants instead");
            check.that(body.tenants.len() <= TENANTS_MAX, "tenants", "too_many", "name at most 5000 tenants");
            let (found, unknown) = tenants_named(tx, &body.tenants).await?;
            if let Some(name) = unknown.first() {
                check.fail("tenants", "unknown", format!("{} is no client of this provider", shown(name)));
            }
            tenants = found.into_iter().map(|tenant| tenant.id).collect();
        }
        GroupKindOf::Dynamic => {
            check.that(body.tenants.is_empty(), "tenants", "not_here", "a dynamic group asks for facts instead");
            check_match(tx, &mut check, &mut matches).await?;
        }
    }
    check.done()?;
    Ok(Sound { name, description, kind: body.kind, tenants, matches })
}

/// A name as it may be repeated in an answer.
pub(crate) fn shown(name: &str) -> String {
    name.escape_default().take(60).collect()
}

async fn check_match(tx: &mut ReadTx<scope::Provider>, check: &mut Check, matches: &mut Match) -> Result<()> {
    matches.name_contains = matches.name_contains.take().map(|text| check.text("match.name_contains", &text, 1..=120));
    for industry in &mut matches.industries {
        *industry = check.text("match.industries", industry, 1..=80);
    }
    let counts = [matches.tiers.len(), matches.plans.len(), matches.industries.len(), matches.states.len()];
    check.that(counts.iter().all(|count| *count <= VALUES_MAX), "match", "too_many", "ask for at most 100 values of a fact");
    check.that(!matches.states.contains(&TenantState::Purged), "match.states", "unknown", "nobody who was purged is in a group");
    check.that(store::knows_plans(tx, &matches.plans).await?, "match.plans", "unknown", "one of these is no plan of your clients");
    check.that(!matches.asks_nothing(), "match", "missing", "ask for something; a group for everybody is a grant over all");
    Ok(())
}
