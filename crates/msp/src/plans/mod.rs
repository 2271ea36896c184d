//! What tenants can buy: the modules it opens, how much of what there may be, what it costs.
//!
//! - A plan has numbers. What a number says never changes: another module, limit or price is another number, and a tenant keeps the
//!   one it is on (it is grandfathered) until it is moved. Name and description are the plan's own.
//! - A tenant is moved to a plan, or to another number of its own, by [`moves`]; what opens and closes with that can be looked at
//!   before. A module that leaves a tenant's plan is closed in that commit, its data kept for [`modules::KEPT_DAYS`] days.
//! - A plan that nobody is on can be retired: it is kept for the bills that name it, and no tenant comes onto it any more.
//! - Money is millionths of a currency. A new provider begins with three plans that cost nothing yet.
//!
//! What this deliberately does not do: say what somebody owes (`billing`), or what happens at a limit (`licensing`).

pub(crate) mod body;
mod http;
pub mod modules;
pub mod moves;
mod store;
#[cfg(test)]
mod tests;

use access::{Module, Modules};
use kernel::http::IfMatch;
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

pub use body::{LimitsBody, PlanCreate, PlanUpdate, PriceBody};
pub(crate) use http::router;
pub(crate) use store::{TERMS, terms};

kernel::kinds! {
    /// What a tenant has bought.
    PlanKind PlanId "pln";
}

/// How much of what there may be. `null`: unlimited, 0: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlanLimits {
    /// Members that are not disabled.
    pub seats: Option<i64>,
    /// Automations.
    pub automations: Option<i64>,
    /// Distinct resources that scans know.
    pub resources: Option<i64>,
    /// API keys of the organisation.
    pub api_keys: Option<i64>,
}

/// What it costs, in millionths of the currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Price {
    /// Per month.
    pub month: i64,
    /// Per seat and month.
    pub seat: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Price {
    /// Nothing.
    fn none() -> Self {
        Self { month: 0, seat: 0, currency: "EUR".into() }
    }
}

/// Whether tenants can come onto a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// They can.
    Active,
    /// They cannot; nobody is on it.
    Retired,
}

impl std::str::FromStr for PlanState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "active" => Ok(Self::Active),
            "retired" => Ok(Self::Retired),
            _ => Err(()),
        }
    }
}

/// What a number of a plan says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// The modules it opens.
    pub modules: Modules,
    /// How much of what there may be.
    pub limits: PlanLimits,
    /// What it costs.
    pub price: Price,
    /// Days that cost nothing for a tenant that is made on it.
    pub trial_days: i64,
}

/// A plan as the provider sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Its name, once per provider.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its version, for If-Match.
    pub version: i64,
    /// Its newest number, from 1.
    pub number: i64,
    /// Whether tenants can come onto it.
    pub state: PlanState,
    /// The modules that its newest number opens.
    pub modules: Modules,
    /// How much of what there may be.
    pub limits: PlanLimits,
    /// The seats of the limits again.
    pub seats_max: Option<i64>,
    /// What it costs.
    pub price: Price,
    /// Days that cost nothing for a tenant that is made on it.
    pub trial_days: i64,
    /// Tenants on it that are not purged.
    pub client_count: i64,
    /// Those of them that are on an older number.
    pub grandfathered_count: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Plan {
    fn terms(&self) -> Terms {
        Terms { modules: self.modules, limits: self.limits, price: self.price.clone(), trial_days: self.trial_days }
    }
}

/// Plans; a handful by nature, so one page.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Plans {
    /// The plans.
    pub items: Vec<Plan>,
    /// Always `null`.
    pub next: Option<String>,
    /// How many.
    pub total: usize,
}

/// A number of a plan.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlanVersion {
    /// From 1.
    pub number: i64,
    /// The plan's name then.
    pub name: String,
    /// The modules it opens.
    pub modules: Modules,
    /// How much of what there may be.
    pub limits: PlanLimits,
    /// What it costs.
    pub price: Price,
    /// Days that cost nothing for a tenant that is made on it.
    pub trial_days: i64,
    /// Since when there is this number.
    pub created_at: Timestamp,
    /// Who made it; `null`: the hub.
    pub by: Option<PlanMaker>,
    /// Tenants on it that are not purged.
    pub client_count: i64,
}

/// Who made a number of a plan.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlanMaker {
    /// The person.
    pub id: PersonId,
    /// Name.
    pub name: String,
}

/// The numbers of a plan, newest first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlanVersions {
    /// The numbers.
    pub items: Vec<PlanVersion>,
}

/// Whom a new number is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// Tenants that come onto the plan from now on.
    #[default]
    NewClients,
    /// Everybody on the plan, at once.
    AllClients,
}

/// The provider's plans.
///
/// # Errors
/// `Invalid` for a state that there is not.
pub async fn list(tx: &mut ReadTx<scope::Provider>, state: Option<&str>) -> Result<Plans> {
    let wanted = match state.filter(|state| !state.is_empty()) {
        Some(state) => Some(state.parse::<PlanState>().map_err(|()| Error::field("state", "unknown", "use active or retired"))?),
        None => None,
    };
    let mut items = store::list(tx).await?;
    items.retain(|plan| wanted.is_none_or(|wanted| plan.state == wanted));
    Ok(Plans { total: items.len(), items, next: None })
}

/// The numbers of a plan.
///
/// # Errors
/// `NotFound`.
pub async fn versions(tx: &mut ReadTx<scope::Provider>, id: PlanId) -> Result<PlanVersions> {
    let items = store::versions(tx, id).await?;
    if items.is_empty() { Err(Error::NotFound) } else { Ok(PlanVersions { items }) }
}

/// Makes a plan.
///
/// # Errors
/// `Invalid` with every wrong field.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: &PlanCreate) -> Result<Plan> {
    let sound = body::check_new(body)?;
    check_name_free(tx, &sound.name, None).await?;
    let (id, provider) = (PlanId::new(tx.now()), tx.scope.provider);
    let by = tx.me()?.person;
    store::insert(tx, provider, id, &sound.name, &sound.description).await?;
    store::insert_version(tx, id, 1, &sound.name, &sound.terms, Some(by)).await?;
    tx.keeps_authority().subject("plan", id, sound.name.clone());
    tx.changed("plan", id, &(), &serde_json::json!({ "name": sound.name, "number": 1, "terms": sound.terms }));
    store::find(tx, id).await?.ok_or(Error::NotFound)
}

/// Changes a plan. Other terms are a new number; with `all_clients` everybody on the plan is moved to it.
///
/// # Errors
/// `NotFound`, `Changed`, `Invalid`, `Conflict` when it is retired or a tenant cannot be moved at this moment.
pub async fn update(tx: &mut WriteTx<scope::Provider>, id: PlanId, version: IfMatch, body: &PlanUpdate) -> Result<Plan> {
    store::hold(tx, id).await?;
    let before = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("plan", id, before.name.clone());
    version.check(before.version)?;
    if before.state == PlanState::Retired {
        return Err(Error::Conflict("This plan is retired. Make a new one.".into()));
    }
    let sound = body::check_change(&before, body)?;
    check_name_free(tx, &sound.name, Some(id)).await?;
    let is_new = sound.terms != before.terms();
    let number = before.number + i64::from(is_new);
    if is_new {
        let by = tx.me()?.person;
        store::insert_version(tx, id, number, &sound.name, &sound.terms, Some(by)).await?;
    }
    store::update(tx, id, &sound, number).await?;
    let shown = |name: &str, number: i64, terms: &Terms| serde_json::json!({ "name": name, "number": number, "terms": terms });
    tx.changed("plan", id, &shown(&before.name, before.number, &before.terms()), &shown(&sound.name, number, &sound.terms));
    if body.apply.unwrap_or_default() == Apply::AllClients {
        moves::all_to_newest(tx, id).await?;
    } else {
        tx.keeps_authority();
    }
    store::find(tx, id).await?.ok_or(Error::NotFound)
}

/// Retires a plan that nobody is on.
///
/// # Errors
/// `NotFound`; `Conflict` while tenants are on it, or when it is the last one or retired already.
pub async fn retire(tx: &mut WriteTx<scope::Provider>, id: PlanId) -> Result<()> {
    store::hold(tx, id).await?;
    let plans = store::list(tx).await?;
    let plan = plans.iter().find(|plan| plan.id == id).ok_or(Error::NotFound)?;
    tx.keeps_authority().subject("plan", id, plan.name.clone());
    let others = plans.iter().any(|other| other.id != id && other.state == PlanState::Active);
    let why_not = match plan {
        Plan { state: PlanState::Retired, .. } => Some("This plan is retired already.".to_owned()),
        Plan { client_count: 1, .. } => Some("One client is on this plan. Move it to another plan first.".to_owned()),
        Plan { client_count: 2.., .. } => {
            Some(format!("{} clients are on this plan. Move them to another plan first.", plan.client_count))
        }
        _ if !others => Some("This is the last plan that clients can come onto. Make another one first.".to_owned()),
        _ => None,
    };
    if let Some(why_not) = why_not {
        return Err(Error::Conflict(why_not));
    }
    store::retire(tx, id).await?;
    tx.changed("plan", id, &serde_json::json!({ "state": "active" }), &serde_json::json!({ "state": "retired" }));
    Ok(())
}

async fn check_name_free(tx: &mut ReadTx<scope::Provider>, name: &str, own: Option<PlanId>) -> Result<()> {
    match store::named(tx, name).await? {
        Some(other) if Some(other) != own => {
            Err(Error::field("name", "taken", "is the name of another plan, perhaps a retired one; choose another"))
        }
        _ => Ok(()),
    }
}

/// The plans a provider begins with.
///
/// # Errors
/// As the store's.
pub async fn create_defaults<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<()> {
    use Module::{Compliance, Discovery, Governance, Observability, Secops};
    let essentials = Modules::from_iter([Compliance, Discovery]);
    let secure = Modules::from_iter([Compliance, Discovery, Governance, Secops, Observability]);
    for (name, modules, seats) in
        [("Essentials", essentials, Some(25)), ("Secure", secure, Some(100)), ("Complete", Modules::ALL, None)]
    {
        let id = PlanId::new(tx.now());
        let terms = Terms { modules, limits: PlanLimits { seats, ..PlanLimits::default() }, price: Price::none(), trial_days: 0 };
        store::insert(tx, provider, id, name, "").await?;
        store::insert_version(tx, id, 1, name, &terms, None).await?;
    }
    Ok(())
}
