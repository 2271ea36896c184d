//! The context: where one is, as what, up to what; and the tenant at a glance.
//!
//! - The context names the one grant that the person stands on, with its tier, mask, modules and end, and says of every action
//!   whether it may be done.
//! - The summary is the tenant's row in the control database, no more. From the inside (frameworks, decisions, the last acts) it shows
//!   what the person may read there; whoever has only the summary gets none of it.
//!
//! It deliberately does not: compute anything from the tenant's findings (posture publishes the numbers), or remember where
//! somebody was.

mod decisions;
mod http;
mod store;
mod summary;
#[cfg(test)]
mod tests;

use access::{AccessMode, Act, Grant, Mask, Modules, TenantState, Tier};
pub use decisions::Decision;
pub(crate) use http::router;
use kernel::brand::Brand;
use kernel::door::{Can, CanMap};
use kernel::news::Of;
use kernel::{ReadTx, Result, TenantCx, TenantId, Timestamp, scope};
use serde::Serialize;

use crate::plans::modules::{self, ClosedModule};
pub use summary::{FrameworkScore, ScanAge, ScanStatus, Seats, SeatsStatus, Summary, summary};

use crate::msp_licence::{self, Notice};
use crate::standalone;

/// Where somebody is, as what.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Context {
    /// Where.
    pub tenant: Here,
    /// As what.
    pub me: Standing,
    /// The brand that shows here.
    pub brand: Brand,
    /// What may be done, by action.
    #[schema(value_type = std::collections::BTreeMap<String, Can>)]
    pub can: CanMap,
}

/// The tenant one is in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Here {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Where in its life it is.
    pub state: TenantState,
    /// Name of its plan.
    pub plan: String,
    /// Modules of its plan.
    pub modules: Modules,
    /// It has no provider: the installation is for it alone.
    pub standalone: bool,
    /// What the person is to be told here; `null` once they have put it away (`preferences.dismissed`).
    pub notice: Option<Notice>,
    /// Modules that left its plan and whose data is still there.
    pub closed_modules: Vec<ClosedModule>,
}

/// On which side of the contract somebody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The tenant's own.
    Member,
    /// The provider's.
    Staff,
}

/// What somebody is here.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Standing {
    /// Member or staff.
    #[serde(rename = "as")]
    pub side: Side,
    /// The role.
    pub role: Option<String>,
    /// The tier that counts; members have none.
    pub tier: Option<Tier>,
    /// What people call it.
    pub tier_name: Option<&'static str>,
    /// Operations of the assignment; members have none.
    pub mask: Option<Mask>,
    /// Modules of the assignment that the plan has; members have none.
    pub modules: Option<Modules>,
    /// When the grant ends by itself.
    pub until: Option<Timestamp>,
    /// The provider that one is here for.
    pub provider: Option<ProviderNamed>,
    /// The stored fact behind it.
    pub grant: GrantNamed,
    /// What is held beyond it for a while.
    pub elevations: Vec<Elevated>,
}

/// An elevation that runs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Elevated {
    /// Id (`elv_…`).
    pub id: String,
    /// The tier it raises to; `null`: it only names actions.
    pub tier: Option<Tier>,
    /// The actions it names.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<Act>,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// The operator opened it in an emergency.
    pub break_glass: bool,
}

/// A provider, by name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProviderNamed {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// A stored fact that lets somebody in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GrantNamed {
    /// `membership`, `relationship`, `assignment` or `group_grant`.
    pub source: String,
    /// Its id.
    pub id: String,
}

/// Where the person who asks is, as what.
///
/// # Errors
/// As the store's.
pub async fn view(cx: &TenantCx, tx: &mut ReadTx<scope::Records>) -> Result<Context> {
    let tenant = cx.tenant();
    let here = Here {
        id: tenant.id,
        slug: tenant.slug.clone(),
        name: tenant.name.clone(),
        state: tenant.state,
        plan: tenant.plan.clone(),
        modules: tenant.modules,
        standalone: standalone::holder(tx, tenant.id).await?.is_some(),
        notice: msp_licence::notice_of(tx).await?,
        closed_modules: modules::closed(tx, tenant.id).await?,
    };
    let brand = crate::branding::effective(tx, Of::Tenant(tx.scope.tenant)).await?;
    Ok(Context { tenant: here, me: standing(cx), brand, can: cx.can() })
}

fn standing(cx: &TenantCx) -> Standing {
    let held = cx.held();
    let power = power(&held.grant, cx.tenant().modules);
    let label = &held.label;
    Standing {
        side: if power.is_some() { Side::Staff } else { Side::Member },
        role: label.role.clone(),
        tier: power.map(|power| power.tier),
        tier_name: power.map(|power| power.tier.name()),
        mask: power.map(|power| power.mask),
        modules: power.map(|power| power.modules),
        until: held.ends_at,
        provider: label.provider.as_ref().map(|provider| ProviderNamed { id: provider.id.clone(), name: provider.name.clone() }),
        grant: GrantNamed { source: label.source.clone(), id: label.id.clone() },
        elevations: cx.elevations().into_iter().map(elevated).collect(),
    }
}

fn elevated(elevation: &access::Elevation) -> Elevated {
    Elevated {
        id: format!("elv_{}", elevation.id.simple()),
        tier: (elevation.tier > Tier::T0).then_some(elevation.tier),
        actions: elevation.actions.clone(),
        ends_at: Timestamp(elevation.ends_at),
        break_glass: elevation.break_glass,
    }
}

/// What staff hold inside the tenant.
#[derive(Clone, Copy)]
struct Power {
    tier: Tier,
    mask: Mask,
    modules: Modules,
}

/// Of an assignment its part, of a relationship alone all that its tier gives. Where the access mode wants an assignment and there is
/// none, the summary is all there is.
fn power(grant: &Grant, plan: Modules) -> Option<Power> {
    let Grant::Reach { staff, provider, relationship, assignment, .. } = grant else { return None };
    let by_relationship = staff.role == access::StaffRole::ProviderAdmin && provider.access_mode == AccessMode::Tiered;
    Some(match assignment {
        Some(own) if !by_relationship => {
            Power { tier: own.tier.min(relationship.tier), mask: own.mask, modules: own.modules.intersect(plan) }
        }
        _ if by_relationship => Power { tier: relationship.tier, mask: Mask::ALL, modules: plan },
        _ => Power { tier: Tier::T0, mask: Mask::VIEW, modules: Modules::NONE },
    })
}
