//! The access explainer: may this person do that here, and why; who can; what can they.
//!
//! - Every answer comes from the rule that the door enforces, asked with the same facts; nothing is decided here a second time.
//! - A tenant's own people ask about everybody who holds something in the tenant; a provider about its own staff only.
//! - "Nobody by that name here" and "holds nothing here" are the same answer: such a person would be answered 404 and so is known to
//!   nobody here.
//!
//! What this deliberately does not do: explain actions outside of a tenant; and rows, but for members, whose protection depends on the row.

pub mod cli;
mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{Act, Module, Op, Plane, StaffRole, Subject, TenantRole, Tier};
use kernel::door::{Explained, Memo, Stand, Stands, Through};
use kernel::{Error, Hub, Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, scope};
use serde::{Deserialize, Serialize};

use crate::assignments::AssignedTenant;

pub(crate) use http::router;

/// A person, an action, and if it is about a member, which.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhyQuery {
    /// Id (`per_…`) or e-mail.
    pub person: String,
    /// Name of the action, `finding.assign`.
    pub action: String,
    /// The member it would be done to (`mem_…`), where that matters.
    pub member: Option<String>,
}

/// An action.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhoQuery {
    /// Name of the action, `finding.assign`.
    pub action: String,
    /// `true` (without it): who may; `false`: who may not; `all`.
    pub allowed: Option<String>,
    /// Part of a person's or client's name.
    pub q: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// A person.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhatQuery {
    /// Id (`per_…`) or e-mail.
    pub person: String,
}

/// A person, by name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WhyPerson {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// May sign in.
    pub enabled: bool,
}

/// An action, as the catalogue has it.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct WhyAction {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Act,
    /// The module it belongs to.
    pub module: Option<Module>,
    /// `view`, `create`, `update` or `delete`.
    pub op: &'static str,
    /// The lowest tier that reaches it; `null`: none does.
    pub tier: Option<Tier>,
    /// The tenant roles that include it.
    #[schema(value_type = Vec<String>)]
    pub roles: &'static [TenantRole],
    /// The staff roles that include it, outside of the tenant's own data.
    #[schema(value_type = Vec<String>)]
    pub staff: &'static [StaffRole],
}

/// What one grant says.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhyThrough {
    /// `membership`, `relationship`, `assignment`, `group_grant`, `elevation` or `break_glass`.
    pub source: String,
    /// Its id.
    pub id: String,
    /// The role it gives.
    pub role: Option<String>,
    /// The tier it gives.
    pub tier: Option<String>,
    /// The provider it is held for.
    pub provider: Option<String>,
    /// It allows the action.
    pub allowed: bool,
    /// A policy forbids the action over it.
    pub forbidden: bool,
    /// The policy that decided on it.
    pub policy: String,
    /// Its reason.
    pub why: String,
    /// When the grant ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// The answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Why {
    /// Who; `null`: nobody who holds anything here.
    pub person: Option<WhyPerson>,
    /// What.
    pub action: WhyAction,
    /// They may know that this tenant exists. Without it every address here answers 404.
    pub known: bool,
    /// They may.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: String,
    /// Why, one sentence.
    pub why: String,
    /// On a no: which grant would be needed.
    pub needs: String,
    /// On a yes: only with a fresh second factor.
    pub step_up: bool,
    /// When time alone may change the answer.
    pub until: Option<Timestamp>,
    /// What each grant says, the deciding one first.
    pub through: Vec<WhyThrough>,
}

/// Somebody who may, or may not.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhoCan {
    /// Who.
    pub person: WhyPerson,
    /// They may.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: String,
    /// Why.
    pub why: String,
    /// On a no: which grant would be needed.
    pub needs: String,
    /// The deciding grant.
    pub through: WhyThrough,
}

/// What somebody may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhatCan {
    /// Who; `null`: nobody who holds anything here.
    pub person: Option<WhyPerson>,
    /// Every action inside the tenant, in the order of the catalogue.
    pub items: Vec<WhatAction>,
}

/// One action, and the answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WhatAction {
    /// The action.
    #[serde(flatten)]
    pub action: WhyAction,
    /// They may.
    pub allowed: bool,
    /// The policy that decided.
    pub policy: String,
    /// Why.
    pub why: String,
    /// On a no: which grant would be needed.
    pub needs: String,
    /// On a yes: only with a fresh second factor.
    pub step_up: bool,
}

/// Who of the provider's staff may do something at one client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientWho {
    /// The client.
    pub tenant: AssignedTenant,
    /// Who may, by name.
    pub people: Vec<ClientWhoPerson>,
}

/// One of them, and through what.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientWhoPerson {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// The deciding grant.
    pub through: WhyThrough,
}

impl WhyAction {
    fn of(act: Act) -> Self {
        let info = act.info();
        let op = match info.op {
            Op::View => "view",
            Op::Create => "create",
            Op::Update => "update",
            Op::Delete => "delete",
        };
        Self { name: act, module: info.module, op, tier: info.tier, roles: info.roles, staff: info.staff }
    }
}

impl From<Through> for WhyThrough {
    fn from(through: Through) -> Self {
        let Through { grant, allowed, forbidden, policy, why, ends_at } = through;
        let provider = grant.provider.map(|provider| provider.name);
        Self {
            source: grant.source,
            id: grant.id,
            role: grant.role,
            tier: grant.tier,
            provider,
            allowed,
            forbidden,
            policy,
            why,
            ends_at,
        }
    }
}

fn person_of(stand: &Stand) -> WhyPerson {
    WhyPerson { id: stand.person, name: stand.name.clone(), email: stand.email.clone(), enabled: stand.enabled }
}

/// An action that is done inside of a tenant.
fn action(name: &str) -> Result<Act> {
    let act = Act::from_name(name).filter(|act| matches!(act.info().plane, Plane::Data | Plane::Records));
    act.ok_or_else(|| Error::field("action", "unknown", "is no action inside of an organisation; see the list of actions"))
}

/// Whether a person may do something, and why.
pub(crate) fn explain(hub: &Hub, stands: &Stands, person: Option<PersonId>, act: Act, subject: Subject) -> Why {
    let action = WhyAction::of(act);
    let Some(stand) = person.and_then(|person| stands.of(person)) else {
        return Why {
            person: None,
            action,
            known: false,
            allowed: false,
            policy: "no_grant".into(),
            why: "Nobody of this id or address holds anything here: they are answered as if this organisation did not exist."
                .into(),
            needs: hub.needs(act).to_string(),
            step_up: false,
            until: None,
            through: Vec::new(),
        };
    };
    let Explained { allowed, policy, why, needs, step_up, until, through } = stand.explain(hub, act, subject);
    let through = through.into_iter().map(WhyThrough::from).collect();
    Why { person: Some(person_of(&stand)), action, known: true, allowed, policy, why, needs, step_up, until, through }
}

/// Whether a person may do something here, and why.
///
/// # Errors
/// `Invalid` for an action or member that there is not.
pub async fn view(tx: &mut ReadTx<scope::Records>, query: &WhyQuery) -> Result<Why> {
    let act = action(&query.action)?;
    let subject = match query.member.as_deref().filter(|member| !member.is_empty()) {
        None => Subject::Any,
        Some(member) => store::member(tx, member).await?,
    };
    let person = store::person(tx, &query.person).await?;
    let stands = tx.stands(Some(person.unwrap_or(PersonId::from_uuid(uuid::Uuid::nil())))).await?;
    Ok(explain(tx.hub(), &stands, person, act, subject))
}

/// The same about one of the provider's own staff.
///
/// # Errors
/// `Invalid` for an action that there is not.
pub async fn view_staff(tx: &mut ReadTx<scope::Client>, query: &WhyQuery) -> Result<Why> {
    let act = action(&query.action)?;
    let person = store::person(tx, &query.person).await?;
    let stands = tx.stands(Some(person.unwrap_or(PersonId::from_uuid(uuid::Uuid::nil())))).await?;
    Ok(explain(tx.hub(), &stands, person, act, Subject::Any))
}

/// Who may do something here, by name.
///
/// # Errors
/// `Invalid` for a wrong page or action.
pub async fn who(tx: &mut ReadTx<scope::Records>, query: WhoQuery) -> Result<Page<WhoCan>> {
    let act = action(&query.action)?;
    let wanted = match query.allowed.as_deref() {
        None | Some("true" | "") => Some(true),
        Some("false") => Some(false),
        Some("all") => None,
        Some(_) => return Err(Error::field("allowed", "unknown", "is true, false or all")),
    };
    let q = query.q.unwrap_or_default().trim().to_lowercase();
    let stands = tx.stands(None).await?;
    let hub = tx.hub().clone();
    let named = |stand: &Stand| q.is_empty() || format!("{} {}", stand.name, stand.email).to_lowercase().contains(&q);
    let answers = stands.all().into_iter().filter(named).map(|stand| who_can(&hub, &stand, act));
    let answers = answers.filter(|answer| wanted.is_none_or(|wanted| answer.allowed == wanted)).collect();
    page(answers, query.cursor, query.limit)
}

fn who_can(hub: &Hub, stand: &Stand, act: Act) -> WhoCan {
    let mut explained = stand.explain(hub, act, Subject::Any);
    let through = explained.through.swap_remove(0).into();
    let Explained { allowed, policy, why, needs, .. } = explained;
    WhoCan { person: person_of(stand), allowed, policy, why, needs, through }
}

/// A page of a list that was computed whole: the cursor is how many came before.
fn page<T>(mut all: Vec<T>, cursor: Option<String>, limit: Option<u32>) -> Result<Page<T>> {
    let limit = PageQuery { limit, ..PageQuery::default() }.limit()? as usize;
    let from = match cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => {
            cursor.parse::<usize>().map_err(|_| Error::field("cursor", "unknown", "use the `next` of the page before"))?
        }
    };
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let items: Vec<T> = all.drain(from.min(all.len())..).take(limit).collect();
    let next = (from + items.len() < usize::try_from(total).unwrap_or(0)).then(|| (from + items.len()).to_string());
    Ok(Page { items, next, total })
}

/// What a person may do here.
///
/// # Errors
/// As the store's.
pub async fn what(tx: &mut ReadTx<scope::Records>, query: &WhatQuery) -> Result<WhatCan> {
    let Some(person) = store::person(tx, &query.person).await? else { return Ok(WhatCan { person: None, items: Vec::new() }) };
    let stands = tx.stands(Some(person)).await?;
    Ok(what_can(tx.hub(), &stands, person))
}

pub(crate) fn what_can(hub: &Hub, stands: &Stands, person: PersonId) -> WhatCan {
    let Some(stand) = stands.of(person) else { return WhatCan { person: None, items: Vec::new() } };
    let inside = Act::ALL.iter().copied().filter(|act| matches!(act.info().plane, Plane::Data | Plane::Records));
    let items = inside.map(|act| {
        let Explained { allowed, policy, why, needs, step_up, .. } = stand.explain(hub, act, Subject::Any);
        WhatAction { action: WhyAction::of(act), allowed, policy, why, needs, step_up }
    });
    WhatCan { person: Some(person_of(&stand)), items: items.collect() }
}

/// Who of the provider's staff may do something, client by client, by the client's name.
///
/// # Errors
/// `Invalid` for a wrong page or action.
pub async fn who_at_clients(tx: &mut ReadTx<scope::Provider>, query: WhoQuery) -> Result<Page<ClientWho>> {
    let act = action(&query.action)?;
    let (tenants, hub) = (store::clients(tx, query.q.as_deref()).await?, tx.hub().clone());
    let mut page = page(tenants, query.cursor, query.limit)?;
    let mut items = Vec::with_capacity(page.items.len());
    let mut memo = Memo::default();
    for tenant in page.items.drain(..) {
        let people = who_at(tx, &hub, tenant.id, act, &mut memo).await?;
        items.push(ClientWho { tenant, people });
    }
    Ok(Page { items, next: page.next, total: page.total })
}

async fn who_at(
    tx: &mut ReadTx<scope::Provider>,
    hub: &Hub,
    tenant: TenantId,
    act: Act,
    memo: &mut Memo,
) -> Result<Vec<ClientWhoPerson>> {
    let Some(stands) = tx.stands_on(tenant, None).await? else { return Ok(Vec::new()) };
    let able = stands.all().into_iter().filter(|stand| memo.may(hub, stand).contains(&act));
    let people = able.map(|stand| ClientWhoPerson {
        id: stand.person,
        name: stand.name.clone(),
        through: stand.explain(hub, act, Subject::Any).through.swap_remove(0).into(),
    });
    Ok(people.collect())
}
