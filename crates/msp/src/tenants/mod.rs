//! Tenants from their provider's side: made, named, put on a plan, suspended, archived, purged.
//!
//! ```text
//! active ⇄ suspended      active | suspended → archived → active      archived → purged
//! ```
//! - One call makes a tenant whole: registry row, database and key, relationships, an empty summary, and if wished the link for
//!   its first admin. The same call again with the same id answers the same tenant.
//! - An archived tenant keeps its data for as long as its provider's archive window says (30 days unless set otherwise); then it may be
//!   purged. Nothing purges it by itself.
//! - Purging needs the display name typed, and another person's request; see [`crate::offboarding`]. It takes the tenant's people, assignments, invitations, summary and relationships,
//!   its key and its database. A tombstone without name or slug stays, so that no id is ever used twice.
//! - A tenant of another provider does not exist.
//!
//! What this deliberately does not do: look into a tenant's database, change a tenant's slug, or move it to another provider.

mod create;
mod http;
mod lifecycle;
mod operator;
mod store;
#[cfg(test)]
mod tests;

use access::{Modules, TenantState};
use kernel::door::CanMap;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::invitations::InvitationCreated;
use crate::licensing;
use crate::offboarding::{self, Hold, PurgeRequest};
use crate::patch::given;
use crate::plans::modules::{self, ClosedModule};
use crate::plans::{PlanId, moves};
use crate::providers::ProviderName;
use crate::relationships::{self, Relationship, RelationshipRow};

pub use create::{Made, TenantCreate, create};
pub(crate) use http::router;
pub use lifecycle::{Purge, Purged, Reason, archive, finish_purges, purge, restore, resume, suspend};
pub use operator::{OperatorTenant, TenantMade, create_as_operator};

/// Which tenants to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TenantQuery {
    /// Free text: name or slug.
    pub q: Option<String>,
    /// `name`, `created` or `state`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// States, comma separated.
    pub state: Option<String>,
}

/// A tenant in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TenantRow {
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
    /// Since when it exists.
    pub created_at: Timestamp,
    /// The provider's relationship with it.
    pub relationship: RelationshipRow,
    /// The sub-provider that holds it.
    pub via: Option<ProviderName>,
}

/// The plan of a tenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TenantPlan {
    /// Its id.
    pub id: PlanId,
    /// Its name.
    pub name: String,
    /// The modules it opens.
    pub modules: Modules,
    /// Its seats; `null`: unlimited.
    pub seats_max: Option<i64>,
    /// The number of it that the tenant is on.
    pub number: i64,
    /// Its newest number.
    pub newest_number: i64,
}

/// How much there is of what.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TenantCounts {
    /// Members that are not disabled.
    pub members: i64,
    /// Scans it keeps.
    pub scans: i64,
    /// Findings that are open.
    pub findings_open: i64,
}

/// A tenant as its provider sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its industry.
    pub industry: Option<String>,
    /// Where in its life it is.
    pub state: TenantState,
    /// Why it is suspended or archived.
    pub state_reason: Option<String>,
    /// Its plan.
    pub plan: TenantPlan,
    /// Modules that left its plan and whose data is still there.
    pub closed_modules: Vec<ClosedModule>,
    /// Its own number of seats; `null`: the plan's.
    pub seats_max: Option<i64>,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
    /// From when it is due to be purged.
    pub purge_after: Option<Timestamp>,
    /// The provider's relationship with it.
    pub relationship: Relationship,
    /// The sub-provider that holds it.
    pub via: Option<ProviderName>,
    /// How much there is of what.
    pub counts: TenantCounts,
    /// A legal hold: nothing of it is deleted.
    pub hold: Option<Hold>,
    /// Who asked for its purge.
    pub purge_request: Option<PurgeRequest>,
    /// What the person who asks may do to it.
    pub can: CanMap,
    /// Its version, for If-Match.
    pub version: i64,
    /// The link for its first admin; in the answer to its making only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationCreated>,
}

/// A change of a tenant; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct TenantUpdate {
    /// Its display name.
    pub name: Option<String>,
    /// Its industry; `null`: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub industry: Option<Option<String>>,
    /// Its plan, by id or name.
    pub plan: Option<String>,
    /// Its own number of seats; `null`: the plan's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub seats_max: Option<Option<i64>>,
}

/// The provider's tenants.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: TenantQuery) -> Result<Page<TenantRow>> {
    let TenantQuery { q, sort, cursor, limit, state } = query;
    let states = parse_states(state.as_deref())?;
    store::list(tx, &PageQuery { q, sort, cursor, limit }, &states).await
}

/// The tenant; what may be done to it (`can`) is for the caller to fill in.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Client>) -> Result<Tenant> {
    let relationship = relationships::view(tx).await?;
    let mut tenant = store::load(tx, relationship).await?.ok_or(Error::NotFound)?;
    tenant.hold = offboarding::held(tx, tenant.id).await?;
    tenant.purge_request = offboarding::asked(tx, tenant.id).await?;
    tenant.closed_modules = modules::closed(tx, tenant.id).await?;
    Ok(tenant)
}

/// Changes name, industry, plan and seats.
///
/// # Errors
/// `Changed`, `Invalid`.
pub async fn update(tx: &mut WriteTx<scope::Client>, version: IfMatch, body: TenantUpdate) -> Result<()> {
    let before = view(tx).await?;
    version.check(before.version)?;
    let mut check = Check::new();
    let mut after = before.clone();
    if let Some(name) = &body.name {
        after.name = check_name(&mut check, name);
    }
    if let Some(industry) = &body.industry {
        after.industry = check_industry(&mut check, industry.as_deref());
    }
    if let Some(seats_max) = body.seats_max {
        let fits = seats_max.is_none_or(|seats| (0..=1_000_000).contains(&seats));
        check.that(fits, "seats_max", "out_of_range", "must be between 0 and 1000000, or null for the plan's");
        after.seats_max = seats_max;
    }
    let mut plan = before.plan.id;
    if let Some(wanted) = &body.plan {
        match store::plan_of_holder(tx, wanted).await? {
            Some(found) => plan = found,
            None => drop(check.fail("plan", "unknown", "is not one of the plans of this organisation's provider")),
        }
    }
    check.done()?;
    // On the plan that it has, a tenant keeps its number: it is moved to another by `plan.assign`.
    let to = if plan == before.plan.id { None } else { moves::destination(tx, plan, None).await? };
    store::update(tx, version, &after, body.seats_max, to.is_some()).await?;
    if let Some(to) = to {
        moves::move_tenant(tx, before.id, &to).await?;
        after.plan.name.clone_from(&to.named.name);
        after.plan.number = to.named.number;
    } else {
        licensing::settle(tx, before.id).await?;
    }
    let shown = |tenant: &Tenant| {
        let (plan, number) = (tenant.plan.name.as_str(), tenant.plan.number);
        serde_json::json!({ "name": tenant.name, "industry": tenant.industry, "plan": plan, "plan_number": number,
            "seats_max": tenant.seats_max })
    };
    tx.subject("tenant", before.id, after.name.clone());
    tx.changed("tenant", before.id, &shown(&before), &shown(&after));
    Ok(())
}

fn parse_states(list: Option<&str>) -> Result<Vec<TenantState>> {
    let words = list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let states = words.map(|word| word.parse::<TenantState>().map_err(|error| Error::field("state", "unknown", error.to_string())));
    states.collect()
}

fn check_name(check: &mut Check, name: &str) -> String {
    check.text("name", name, 2..=120)
}

/// An industry of nothing but blanks is none.
fn check_industry(check: &mut Check, industry: Option<&str>) -> Option<String> {
    Some(check.text("industry", industry?, 0..=80)).filter(|text| !text.is_empty())
}
