//! Elevation templates: what a provider's staff may ask for beyond what they have, for how long, and whose word it takes.
//!
//! - A template raises to a tier, names single actions, or both; only what somebody can hold inside a tenant, and nothing that only a
//!   person or only provider admins do. Its modules are all that it opens.
//! - A request keeps the terms of the template as they were when it was made (see `elevations`): a template that is changed or
//!   retired changes nothing that was asked for.
//! - A template is retired, not deleted: history names it. It keeps its name, and can be brought back.
//!
//! It deliberately does not: decide what an elevation allows (the policies do), or say who may ask: everybody on the staff may,
//! for the clients that they reach.

mod http;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use access::{Act, Modules, Tier};
pub(crate) use http::router;
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::patch::given;
use crate::staff::lock_provider;

kernel::kinds! {
    /// What staff may ask for.
    ElevationTemplateKind ElevationTemplateId "elt";
}

/// Longest elevation, in minutes: a day.
pub const MINUTES_MAX: i64 = 1_440;

/// Whose word an elevation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    /// A provider admin's.
    Provider,
    /// An admin's of the tenant.
    Tenant,
    /// Both, of two people.
    Both,
    /// The operator's, at the machine. No template has it.
    Operator,
}

impl Approver {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Tenant => "tenant",
            Self::Both => "both",
            Self::Operator => "operator",
        }
    }
}

impl std::str::FromStr for Approver {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let all = [Self::Provider, Self::Tenant, Self::Both, Self::Operator];
        all.into_iter().find(|approver| approver.as_str() == word).ok_or(())
    }
}

/// Whether a template can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateState {
    /// It can.
    Active,
    /// It cannot; requests that were made live on.
    Retired,
}

impl TemplateState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl std::str::FromStr for TemplateState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Active, Self::Retired].into_iter().find(|state| state.as_str() == word).ok_or(())
    }
}

/// What staff may ask for.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ElevationTemplate {
    /// Id.
    pub id: ElevationTemplateId,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Up to which tier; `null`: only the named actions.
    pub tier: Option<Tier>,
    /// Actions it names.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<Act>,
    /// In which modules.
    pub modules: Modules,
    /// Longest time, in minutes.
    pub minutes_max: i64,
    /// Whose word it takes.
    pub approver: Approver,
    /// A request must name a ticket.
    pub ticket: bool,
    /// A request takes a fresh second factor.
    pub step_up: bool,
    /// Whether it can be asked for.
    pub state: TemplateState,
    /// Version, for If-Match.
    pub version: i64,
}

/// A new template.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ElevationTemplateCreate {
    /// Name, of no other template of the provider.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// T1, T2 or T3; `null`: only the named actions.
    pub tier: Option<Tier>,
    /// Actions it names.
    #[serde(default)]
    pub actions: Vec<String>,
    /// In which modules.
    pub modules: Modules,
    /// Longest time, 1 to 1,440 minutes.
    pub minutes_max: i64,
    /// Whose word it takes: provider, tenant or both.
    pub approver: Approver,
    /// A request must name a ticket.
    #[serde(default)]
    pub ticket: bool,
    /// A request takes a fresh second factor.
    #[serde(default)]
    pub step_up: bool,
}

/// A change: what is left out stays.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ElevationTemplateUpdate {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// T1, T2 or T3; `null`: only the named actions.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Tier>)]
    pub tier: Option<Option<Tier>>,
    /// Actions it names; all of them.
    pub actions: Option<Vec<String>>,
    /// In which modules.
    pub modules: Option<Modules>,
    /// Longest time, 1 to 1,440 minutes.
    pub minutes_max: Option<i64>,
    /// Whose word it takes.
    pub approver: Option<Approver>,
    /// A request must name a ticket.
    pub ticket: Option<bool>,
    /// A request takes a fresh second factor.
    pub step_up: Option<bool>,
    /// `active` brings a retired one back.
    pub state: Option<TemplateState>,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ElevationTemplateQuery {
    /// Part of a name or description.
    pub q: Option<String>,
    /// active or retired.
    pub state: Option<String>,
    /// `name` or `created`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

impl ElevationTemplate {
    /// As the ledger keeps it.
    fn kept(&self) -> serde_json::Value {
        json!({
            "name": self.name, "tier": self.tier, "actions": self.actions, "modules": self.modules, "minutes_max": self.minutes_max,
            "approver": self.approver, "ticket": self.ticket, "step_up": self.step_up, "state": self.state,
        })
    }
}

/// Whether an elevation can open an action at all: one inside a tenant that some tier reaches, or an elevation alone.
fn can_be_elevated(act: Act) -> bool {
    let info = act.info();
    info.plane.is_inside() && (info.tier.is_some() || info.flags.elevated_at_tier3) && !info.flags.person && !info.flags.chief
}

/// The provider's templates.
///
/// # Errors
/// `Invalid` for a page or filter that does not exist.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: ElevationTemplateQuery) -> Result<Page<ElevationTemplate>> {
    let state = match query.state.as_deref().filter(|word| !word.is_empty()) {
        Some(word) => Some(word.parse().map_err(|()| Error::field("state", "unknown", "use active or retired"))?),
        None => None,
    };
    let page = PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit };
    store::list(tx, &page, state).await
}

/// A template of the provider.
pub(crate) async fn find(tx: &mut ReadTx<scope::Provider>, id: ElevationTemplateId) -> Result<Option<ElevationTemplate>> {
    store::one(tx, id).await
}

/// Makes a template.
///
/// # Errors
/// `Invalid` with every wrong field.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: ElevationTemplateCreate) -> Result<ElevationTemplate> {
    lock_provider(tx).await?;
    let mut check = Check::new();
    let actions = named(&mut check, &body.actions);
    let wanted = ElevationTemplate {
        id: ElevationTemplateId::new(tx.now()),
        name: body.name,
        description: body.description,
        tier: body.tier,
        actions,
        modules: body.modules,
        minutes_max: body.minutes_max,
        approver: body.approver,
        ticket: body.ticket,
        step_up: body.step_up,
        state: TemplateState::Active,
        version: 1,
    };
    let wanted = checked(tx, check, wanted).await?;
    store::insert(tx, &wanted).await?;
    tx.subject("elevation_template", wanted.id, wanted.name.clone());
    tx.changed("elevation_template", wanted.id, &(), &wanted.kept()).keeps_authority();
    Ok(wanted)
}

/// Changes a template, or brings a retired one back. Requests that were made keep their terms.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`.
pub async fn update(
    tx: &mut WriteTx<scope::Provider>,
    id: ElevationTemplateId,
    version: IfMatch,
    body: ElevationTemplateUpdate,
) -> Result<ElevationTemplate> {
    let before = taken(tx, id, version).await?;
    let mut check = Check::new();
    let actions = body.actions.map(|names| named(&mut check, &names)).unwrap_or_else(|| before.actions.clone());
    let wanted = ElevationTemplate {
        name: body.name.unwrap_or_else(|| before.name.clone()),
        description: body.description.unwrap_or_else(|| before.description.clone()),
        tier: body.tier.unwrap_or(before.tier),
        actions,
        modules: body.modules.unwrap_or(before.modules),
        minutes_max: body.minutes_max.unwrap_or(before.minutes_max),
        approver: body.approver.unwrap_or(before.approver),
        ticket: body.ticket.unwrap_or(before.ticket),
        step_up: body.step_up.unwrap_or(before.step_up),
        state: body.state.unwrap_or(before.state),
        ..before.clone()
    };
    let wanted = checked(tx, check, wanted).await?;
    change(tx, &before, wanted).await
}

/// Retires a template: nobody can ask for it any more.
///
/// # Errors
/// `NotFound`, `Changed`, `Conflict` when it is retired.
pub async fn retire(tx: &mut WriteTx<scope::Provider>, id: ElevationTemplateId, version: IfMatch) -> Result<()> {
    let before = taken(tx, id, version).await?;
    if before.state == TemplateState::Retired {
        return Err(Error::Conflict(format!("{} is retired already.", before.name)));
    }
    let wanted = ElevationTemplate { state: TemplateState::Retired, ..before.clone() };
    change(tx, &before, wanted).await.map(drop)
}

async fn taken(tx: &mut WriteTx<scope::Provider>, id: ElevationTemplateId, version: IfMatch) -> Result<ElevationTemplate> {
    lock_provider(tx).await?;
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("elevation_template", id, before.name.clone());
    version.check(before.version)?;
    Ok(before)
}

async fn change(
    tx: &mut WriteTx<scope::Provider>,
    before: &ElevationTemplate,
    wanted: ElevationTemplate,
) -> Result<ElevationTemplate> {
    store::update(tx, &wanted).await?;
    let after = store::one(tx, wanted.id).await?.ok_or(Error::NotFound)?;
    tx.changed("elevation_template", after.id, &before.kept(), &after.kept()).keeps_authority();
    Ok(after)
}

/// Actions by name; what cannot be elevated is said at its place.
fn named(check: &mut Check, names: &[String]) -> Vec<Act> {
    if names.len() > Act::ALL.len() {
        check.fail("actions", "too_many", format!("may have at most {} actions", Act::ALL.len()));
        return Vec::new();
    }
    let mut actions = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match Act::from_name(name).filter(|act| can_be_elevated(*act)) {
            Some(act) if !actions.contains(&act) => actions.push(act),
            Some(_) => {}
            None => {
                check.fail(&format!("actions.{index}"), "not_elevatable", "is no action that an elevation can open");
            }
        }
    }
    actions
}

async fn checked(tx: &mut ReadTx<scope::Provider>, mut check: Check, wanted: ElevationTemplate) -> Result<ElevationTemplate> {
    let name = check.text("name", &wanted.name, 1..=80);
    let description = check.text("description", &wanted.description, 0..=1_000);
    check.that(wanted.tier != Some(Tier::T0), "tier", "raises_nothing", "use T1, T2 or T3, or null for only the named actions");
    check.that(
        wanted.tier.is_some() || !wanted.actions.is_empty(),
        "actions",
        "too_few",
        "needs at least one action where there is no tier",
    );
    let closed = |act: &&Act| act.info().module.is_some_and(|module| !wanted.modules.contains(module));
    if let Some(act) = wanted.actions.iter().find(closed) {
        check.fail("modules", "module_missing", format!("must have the module of {act}"));
    }
    let minutes_are_good = (1..=MINUTES_MAX).contains(&wanted.minutes_max);
    check.that(minutes_are_good, "minutes_max", "out_of_range", "must be between 1 and 1440");
    check.that(wanted.approver != Approver::Operator, "approver", "unknown", "use provider, tenant or both");
    check.done()?;
    let wanted = ElevationTemplate { name, description, ..wanted };
    if store::is_taken(tx, &wanted).await? {
        return Err(Error::field("name", "taken", "is the name of another template, in use or retired"));
    }
    Ok(wanted)
}
