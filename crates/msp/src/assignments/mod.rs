//! Assignments: which technician may work on which tenant, up to which tier, with which operations and modules, until when.
//!
//! - One per person and tenant. Nobody sets their own.
//! - The tier is at most what the relationship gives, cut to the providers above: asked for more, the answer names the ceiling.
//!   A relationship that is lowered later lowers what the assignment is worth (`effective_tier`), not what is stored.
//! - Where the access mode gives every admin a grant on every tenant, those are stored here too ([`by_mode`]), and only the mode ends them.
//! - No modules means none, never all.
//! - Each act stands in the provider's ledger and in the tenant's own.
//!
//! It deliberately does not: decide what an assignment allows (the policies do), remove what is over (it stays to be seen and
//! renewed), or warn of ends that come near.

pub(crate) mod by_mode;
mod ceiling;
mod hand_over;
mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{Mask, Modules, Subject, Tier, actions};
pub(crate) use hand_over::{HandedOver, end, hand_over};
pub(crate) use http::router;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::consents::{self, Between, Waiting, Wanted};
use crate::patch::given;
use crate::relationships::is_later;
use crate::staff::{StaffId, lock_provider};

pub(crate) use store::tenant;

kernel::kinds! {
    /// A technician's assignment on a tenant.
    AssignmentKind AssignmentId "asg";
}

/// Days an assignment may last when it has an end.
const DAYS_MAX: i64 = 3_660;

/// Staff, by name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AssignedStaff {
    /// Id.
    pub id: StaffId,
    /// Name.
    pub name: String,
}

/// The tenant of an assignment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AssignedTenant {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
}

/// One assignment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Assignment {
    /// Id.
    pub id: AssignmentId,
    /// Whose.
    pub staff: AssignedStaff,
    /// Where.
    pub tenant: AssignedTenant,
    /// Up to which tier, as stored.
    pub tier: Tier,
    /// Up to which tier, with what the relationship gives now.
    pub effective_tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules; none is none.
    pub modules: Modules,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when; `null`: no end of its own.
    pub ends_at: Option<Timestamp>,
    /// It can be used now: begun, not over, its holder active, the relationship alive.
    pub live: bool,
    /// Version, for If-Match.
    pub version: i64,
    /// The access mode `implicit_owner` gives it.
    pub by_mode: bool,
    #[serde(skip)]
    pub(crate) person: PersonId,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AssignmentQuery {
    /// Part of a person's or tenant's name.
    pub q: Option<String>,
    /// `tenant`, `staff` or `created`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// Only of this person (`stf_…`).
    #[param(value_type = Option<String>)]
    pub staff: Option<StaffId>,
    /// Only on this tenant (id or slug).
    pub tenant: Option<String>,
}

/// A new assignment.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct AssignmentCreate {
    /// Whose.
    pub staff: StaffId,
    /// Where: id or slug.
    pub tenant: String,
    /// Up to which tier.
    pub tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules; `[]` is none.
    pub modules: Modules,
    /// Until when.
    pub ends_at: Option<Timestamp>,
}

/// A change: what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct AssignmentUpdate {
    /// Up to which tier.
    pub tier: Option<Tier>,
    /// Which operations.
    pub mask: Option<Mask>,
    /// Which modules; `[]` is none.
    pub modules: Option<Modules>,
    /// Until when; `null` takes the end away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Timestamp>)]
    pub ends_at: Option<Option<Timestamp>>,
}

impl Assignment {
    /// As the ledgers keep it. Whoever reads a tenant's ledger without the right to staff names is not shown `person`.
    fn kept(&self) -> serde_json::Value {
        json!({
            "person": {"id": self.person, "name": self.staff.name}, "tier": self.tier, "mask": self.mask,
            "modules": self.modules, "ends_at": self.ends_at,
        })
    }

    /// Whether it gives anything that the other does not.
    fn exceeds(&self, other: &Self) -> bool {
        self.tier > other.tier
            || self.mask.bits() & !other.mask.bits() != 0
            || self.modules.bits() & !other.modules.bits() != 0
            || is_later(self.ends_at, other.ends_at)
    }

    fn subject(&self) -> String {
        format!("{} on {}", self.staff.name, self.tenant.name)
    }

    /// What the access mode gives, nobody takes or changes by hand: it would be given again.
    fn require_by_hand(&self) -> Result<()> {
        if !self.by_mode {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "The access mode gives {} this grant, as it gives every provider admin one. Change the access mode, for {} or for all clients.",
            self.staff.name, self.tenant.name
        )))
    }
}

/// The provider's assignments.
///
/// # Errors
/// `Invalid` filters.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: AssignmentQuery) -> Result<Page<Assignment>> {
    let page = PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit };
    store::list(tx, &page, query.staff, query.tenant.as_deref()).await
}

/// Somebody's assignments, the first 1,000 by the tenant's name.
pub(crate) async fn of_staff(tx: &mut ReadTx<scope::Provider>, staff: StaffId) -> Result<Vec<Assignment>> {
    store::of_staff(tx, staff, 1_000).await
}

/// Somebody's assignments: all of them, as far as that can be done in one act.
pub(crate) async fn all_of_staff(tx: &mut ReadTx<scope::Provider>, staff: StaffId) -> Result<Vec<Assignment>> {
    store::of_staff(tx, staff, 10_000).await
}

/// What became of an assignment that was asked for.
#[derive(Debug)]
pub enum Assigned {
    /// It stands.
    Done(Assignment),
    /// It waits for the tenant's consent.
    Waiting(Waiting),
}

/// Assigns somebody to a tenant, or asks the tenant where that takes its consent.
///
/// # Errors
/// `Invalid`, `Forbidden` for oneself, `Conflict` when there is one.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: AssignmentCreate) -> Result<Assigned> {
    lock_provider(tx).await?;
    let (staff, tenant) = (store::staff(tx, body.staff).await?, store::tenant(tx, &body.tenant).await?);
    if let Some((person, _)) = &staff {
        let person_is_self = *person == tx.me()?.person;
        tx.require::<actions::AssignmentCreate>(Subject::Assignment { person_is_self })?;
    }
    let mut check = Check::new();
    if staff.is_none() {
        check.fail("staff", "unknown", "is nobody on this provider's staff");
    }
    match &tenant {
        Some(tenant) => ceiling::check(tx, &mut check, tenant, body.tier).await?,
        None => {
            check.fail("tenant", "unknown", "is no tenant that this provider has a relationship with");
        }
    }
    if let Some(at) = body.ends_at {
        check.future("ends_at", at, tx.now(), DAYS_MAX);
    }
    check.done()?;
    let (Some((person, name)), Some(tenant)) = (staff, tenant) else { return Err(Error::internal("checked above")) };
    if store::takes_consent(tx, tenant.id, person).await? {
        let AssignmentCreate { tier, mask, modules, ends_at, .. } = body;
        let wanted = Wanted::Assignment { person, tier, mask, modules, ends_at };
        return Ok(Assigned::Waiting(ask(tx, &tenant, &wanted, format!("Assign {name} at {tier} {}", tier.name())).await?));
    }
    let id = AssignmentId::new(tx.now());
    if !store::insert(tx, id, person, tenant.id, &body).await? {
        return Err(Error::Conflict(format!("{name} is assigned to {} already. Change that assignment instead.", tenant.name)));
    }
    let created = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("assignment", id, created.subject()).changed("assignment", id, &(), &created.kept()).also_in(created.tenant.id);
    Ok(Assigned::Done(created))
}

async fn ask(tx: &mut WriteTx<scope::Provider>, tenant: &AssignedTenant, wanted: &Wanted, label: String) -> Result<Waiting> {
    let between = Between { tenant: tenant.id, provider: tx.scope.provider };
    let pending = consents::ask(tx, between, wanted, label.clone()).await?;
    tx.subject("consent", pending.id, label).also_in(tenant.id);
    Ok(Waiting { pending })
}

/// Changes an assignment.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`, `Forbidden` for one's own.
pub async fn update(
    tx: &mut WriteTx<scope::Provider>,
    id: AssignmentId,
    version: IfMatch,
    body: AssignmentUpdate,
) -> Result<Assigned> {
    let before = taken(tx, id).await?;
    let person_is_self = before.person == tx.me()?.person;
    tx.require::<actions::AssignmentUpdate>(Subject::Assignment { person_is_self })?;
    before.require_by_hand()?;
    version.check(before.version)?;
    let mut check = Check::new();
    if let Some(tier) = body.tier {
        ceiling::check(tx, &mut check, &before.tenant, tier).await?;
    }
    if let Some(Some(at)) = body.ends_at {
        check.future("ends_at", at, tx.now(), DAYS_MAX);
    }
    check.done()?;
    let wanted = Assignment {
        tier: body.tier.unwrap_or(before.tier),
        mask: body.mask.unwrap_or(before.mask),
        modules: body.modules.unwrap_or(before.modules),
        ends_at: body.ends_at.unwrap_or(before.ends_at),
        ..before.clone()
    };
    if wanted.exceeds(&before) && store::takes_consent(tx, before.tenant.id, before.person).await? {
        let Assignment { person, tier, mask, modules, ends_at, .. } = wanted;
        let label = format!("Give {} more here: {tier} {}", before.staff.name, tier.name());
        let wanted = Wanted::Assignment { person, tier, mask, modules, ends_at };
        return Ok(Assigned::Waiting(ask(tx, &before.tenant, &wanted, label).await?));
    }
    store::update(tx, &wanted).await?;
    let after = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.changed("assignment", id, &before.kept(), &after.kept()).also_in(after.tenant.id);
    Ok(Assigned::Done(after))
}

/// Ends an assignment for good.
///
/// # Errors
/// `NotFound`, `Forbidden` for one's own.
pub async fn delete(tx: &mut WriteTx<scope::Provider>, id: AssignmentId) -> Result<()> {
    let before = taken(tx, id).await?;
    let person_is_self = before.person == tx.me()?.person;
    tx.require::<actions::AssignmentDelete>(Subject::Assignment { person_is_self })?;
    before.require_by_hand()?;
    store::delete(tx, id).await?;
    tx.changed("assignment", id, &before.kept(), &()).also_in(before.tenant.id);
    Ok(())
}

/// Ends all assignments of somebody who leaves, each in its own tenant's ledger.
pub(crate) async fn remove_all_of(tx: &mut WriteTx<scope::Provider>, staff: StaffId) -> Result<()> {
    for (id, tenant, kept) in store::delete_all_of(tx, staff).await? {
        tx.changed_in(tenant, "assignment", id, &kept, &());
    }
    Ok(())
}

async fn taken(tx: &mut WriteTx<scope::Provider>, id: AssignmentId) -> Result<Assignment> {
    lock_provider(tx).await?;
    let assignment = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("assignment", id, assignment.subject());
    Ok(assignment)
}
