//! What a change does, and what that means for each tenant as things stand.

use access::{Mask, Modules, TenantState, Tier};
use kernel::validate::Check;
use kernel::{ReadTx, Result, TenantId, Timestamp, scope};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ItemState, Kind, store};
use crate::plans::PlanId;
use crate::staff::StaffId;

/// What a change does to each tenant.
#[derive(Debug, Clone)]
pub enum What {
    /// Puts it on this plan.
    Plan(PlanChange),
    /// Gives the relationship this tier.
    Tier(TierChange),
    /// Sets these settings.
    Setting(SettingChange),
    /// Assigns somebody, or ends that.
    Assignment(AssignmentChange),
    /// Stops it.
    Suspend,
    /// Lets it go on.
    Resume,
}

/// Which plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanChange {
    /// By id or name.
    pub plan: String,
}

/// Which tier.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierChange {
    /// The tier.
    pub tier: Tier,
}

/// Which settings; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// Days after which the last scan is stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_interval_days: Option<i64>,
    /// Provider staff at T1 may comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments_from_t1: Option<bool>,
}

impl SettingChange {
    /// The values of the same settings.
    pub(super) fn of_same(&self, scan_interval_days: i64, comments_from_t1: bool) -> Self {
        Self {
            scan_interval_days: self.scan_interval_days.map(|_| scan_interval_days),
            comments_from_t1: self.comments_from_t1.map(|_| comments_from_t1),
        }
    }
}

/// Whose assignment, and which.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentChange {
    /// Whose.
    pub staff: StaffId,
    /// It is ended instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
    /// Up to which tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Which operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Which modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Modules>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

impl AssignmentChange {
    /// The assignment that it comes to; none when it is ended.
    pub(super) fn terms(&self) -> Option<Terms> {
        let (tier, mask, modules) = (self.tier?, self.mask?, self.modules?);
        Some(Terms { tier, mask, modules, ends_at: self.ends_at })
    }
}

/// The terms of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Up to which tier.
    pub tier: Tier,
    /// Which operations.
    pub mask: Mask,
    /// Which modules.
    pub modules: Modules,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
}

impl What {
    /// As stored and sent.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Plan(change) => json!(change),
            Self::Tier(change) => json!(change),
            Self::Setting(change) => json!(change),
            Self::Assignment(change) => json!(change),
            Self::Suspend | Self::Resume => json!({}),
        }
    }

    /// From what is stored or sent.
    pub(super) fn from_json(kind: Kind, value: &Value) -> Result<Self, serde_json::Error> {
        let value = value.clone();
        Ok(match kind {
            Kind::Plan => Self::Plan(serde_json::from_value(value)?),
            Kind::Tier => Self::Tier(serde_json::from_value(value)?),
            Kind::Setting => Self::Setting(serde_json::from_value(value)?),
            Kind::Assignment => Self::Assignment(serde_json::from_value(value)?),
            Kind::Suspend => Self::Suspend,
            Kind::Resume => Self::Resume,
        })
    }

    /// From a request, checked: that there is such a plan or person, and that values fit.
    pub(super) async fn read(
        tx: &mut ReadTx<scope::Provider>,
        check: &mut Check,
        kind: Kind,
        value: &Value,
    ) -> Result<Option<Self>> {
        let what = match Self::from_json(kind, value) {
            Ok(what) => what,
            Err(error) => {
                check.fail("what", "not_fitting", error.to_string());
                return Ok(None);
            }
        };
        match &what {
            Self::Plan(change) => {
                let known = store::knows_plan(tx, &change.plan).await?;
                check.that(known, "what.plan", "unknown", "is none of your plans");
            }
            Self::Setting(change) => {
                let fits = change.scan_interval_days.is_none_or(|days| (1..=90).contains(&days));
                check.that(fits, "what.scan_interval_days", "out_of_range", "choose 1 to 90 days");
                let is_any = change.scan_interval_days.is_some() || change.comments_from_t1.is_some();
                check.that(is_any, "what", "missing", "name a setting");
            }
            Self::Assignment(change) => {
                let known = store::staff_exists(tx, change.staff).await?;
                check.that(known, "what.staff", "unknown", "is nobody on this provider's staff");
                let is_one = change.remove != change.terms().is_some();
                check.that(is_one, "what", "missing", "give tier, mask and modules, or remove: true");
            }
            Self::Tier(_) | Self::Suspend | Self::Resume => {}
        }
        Ok(Some(what))
    }

    /// Whose assignment it is about.
    pub(super) fn staff(&self) -> Option<StaffId> {
        if let Self::Assignment(change) = self { Some(change.staff) } else { None }
    }
}

/// How a tenant stands, as far as changes are concerned.
pub(super) struct Facts {
    pub tenant: TenantId,
    pub state: TenantState,
    pub plan: (PlanId, String),
    pub tier: Tier,
    pub scan_interval_days: i64,
    pub comments_from_t1: bool,
    pub assignment: Option<Terms>,
}

/// What is to become of a tenant.
pub(super) struct Planned {
    pub tenant: TenantId,
    pub state: ItemState,
    pub before: Value,
    pub after: Value,
    pub detail: String,
}

/// What a change means for each of these tenants.
pub(super) async fn planned(tx: &mut ReadTx<scope::Provider>, what: &What, tenants: &[TenantId]) -> Result<Vec<Planned>> {
    let mut facts = store::facts(tx, tenants, what.staff()).await?;
    let plan = match what {
        What::Plan(change) => store::plan_named(tx, &change.plan).await?,
        _ => None,
    };
    // In the order asked for.
    let found = tenants.iter().filter_map(|tenant| facts.remove(tenant));
    Ok(found.map(|facts| one(what, &facts, plan.as_ref())).collect())
}

fn one(what: &What, facts: &Facts, plan: Option<&(PlanId, String)>) -> Planned {
    let plan_of = |(id, name): &(PlanId, String)| json!({ "plan": { "id": id, "name": name } });
    let state = |state: TenantState| json!({ "state": state });
    let (before, after) = match what {
        What::Plan(change) => {
            let after = plan.map_or_else(|| json!({ "plan": { "name": change.plan } }), plan_of);
            (plan_of(&facts.plan), after)
        }
        What::Tier(change) => (json!({ "tier": facts.tier }), json!({ "tier": change.tier })),
        What::Setting(change) => (json!(change.of_same(facts.scan_interval_days, facts.comments_from_t1)), json!(change)),
        What::Assignment(change) => (json!(facts.assignment), json!(change.terms())),
        What::Suspend => (state(facts.state), state(TenantState::Suspended)),
        What::Resume => (state(facts.state), state(TenantState::Active)),
    };
    let why_not = match (what, facts.state) {
        _ if before == after => Some("Nothing would change here.".to_owned()),
        (What::Suspend, TenantState::Active) | (What::Resume, TenantState::Suspended) => None,
        (What::Suspend | What::Resume, other) => Some(format!("This organisation is {other}.")),
        (_, TenantState::Archived | TenantState::Purged) => Some("This organisation is archived.".to_owned()),
        _ => None,
    };
    let state = if why_not.is_some() { ItemState::Skipped } else { ItemState::Planned };
    Planned { tenant: facts.tenant, state, before, after, detail: why_not.unwrap_or_default() }
}
