//! Elevations: more than somebody has, for a while, with somebody else's word.
//!
//! - Staff ask with a template, for a client they reach, with a reason (and a ticket, and a fresh second factor, where the template wants
//!   them). The request keeps the template's terms as they are at that moment; what becomes of the template later changes nothing.
//! - It takes the word of a provider admin, of an admin of the tenant, or of both, who are then two people. Nobody approves their own:
//!   the policies see to that, when it is approved and again when it is used.
//! - It runs from the last word that was needed, for the minutes asked for, and ends by itself: nothing has to happen for that. It can
//!   be ended before. A request that nobody answers lapses after a day.
//! - A word counts if whoever gave it may still give it when the last one is given; otherwise it is asked for again. What runs goes on
//!   when its approver leaves. Whoever asked and does not reach the tenant any more has nothing to be approved, and what runs is worth
//!   nothing until they do.
//! - Each act stands in the provider's ledger and in the tenant's own. Of two who decide at once, one is told that it is decided.
//!
//! It deliberately does not: decide what an elevation allows (the policies do, at every act), extend one (ask again), or open
//! anything without asking (the operator's own path does).

mod decide;
mod emergency;
#[cfg(test)]
mod histories;
mod http;
mod report;
mod request;
mod side;
#[cfg(test)]
mod stage;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turns;

use access::{Act, Modules, Subject, Tier};
use kernel::door::Can;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::assignments::AssignedTenant;
use crate::elevation_templates::{Approver, ElevationTemplateId};
use crate::providers::ProviderName;

pub(crate) use decide::end_all_of_staff;
pub use decide::{approve, deny, end, end_own};
pub use emergency::{BreakGlass, Opened, break_glass};
pub(crate) use http::router;
pub use request::{ElevationRequest, request};
use side::Side;
use store::Stored;

kernel::kinds! {
    /// A request for more, and what became of it.
    ElevationKind ElevationId "elv";
}

/// How far an elevation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ElevationState {
    /// It waits for somebody's word.
    Requested,
    /// It is a grant now.
    Running,
    /// It was one, and is over.
    Ended,
    /// Somebody said no.
    Denied,
    /// It was taken back before it ran.
    Cancelled,
    /// Nobody answered in time.
    Lapsed,
}

impl ElevationState {
    const ALL: [Self; 6] = [Self::Requested, Self::Running, Self::Ended, Self::Denied, Self::Cancelled, Self::Lapsed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A person in the story of an elevation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ElevationPerson {
    /// Id; `null` for staff whom their provider shows to tenants by role.
    pub id: Option<PersonId>,
    /// Name, or provider and role.
    pub name: String,
}

/// Somebody's word.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ElevationApproval {
    /// Whose.
    pub by: ElevationPerson,
    /// When.
    pub at: Timestamp,
}

/// The template that an elevation was asked for with.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ElevationOf {
    /// Id; `null` where the operator opened it.
    pub id: Option<ElevationTemplateId>,
    /// Its name at the time.
    pub name: String,
}

/// What the person who asks may do to an elevation now.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ElevationCan {
    /// Say yes.
    pub approve: Can,
    /// Say no.
    pub deny: Can,
    /// End it, or take it back.
    pub end: Can,
}

/// A request and what became of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Elevation {
    /// Id.
    pub id: ElevationId,
    /// Where.
    pub tenant: AssignedTenant,
    /// For which provider.
    pub provider: ProviderName,
    /// Who asked, and holds it.
    pub person: ElevationPerson,
    /// With which template.
    pub template: ElevationOf,
    /// Up to which tier; `null`: only the named actions.
    pub tier: Option<Tier>,
    /// Actions it names.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<Act>,
    /// In which modules.
    pub modules: Modules,
    /// For how long.
    pub minutes: i64,
    /// Whose word it takes.
    pub approver: Approver,
    /// Why, in the words of who asked.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
    /// How far it has come.
    pub state: ElevationState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the request is over if nobody answers.
    pub lapses_at: Timestamp,
    /// The provider's word.
    pub provider_approval: Option<ElevationApproval>,
    /// The tenant's word.
    pub tenant_approval: Option<ElevationApproval>,
    /// From when it runs.
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Option<Timestamp>,
    /// Who said no, took it back, or ended it early.
    pub closed_by: Option<ElevationPerson>,
    /// When.
    pub closed_at: Option<Timestamp>,
    /// What was said to it.
    pub decision_reason: String,
    /// The operator opened it in an emergency.
    pub break_glass: bool,
    /// The person who asks holds it.
    pub is_mine: bool,
    /// What the person who asks may do to it.
    pub can: ElevationCan,
    /// Goes up with each change.
    pub version: i64,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ElevationQuery {
    /// Part of a person's or tenant's name, a template's, or a ticket.
    pub q: Option<String>,
    /// `requested`, `ends`, `person` or `tenant`; a leading `-` turns it round. Newest first when left out.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// States, comma separated.
    pub state: Option<String>,
    /// Only of this person (`per_…`).
    #[param(value_type = Option<String>)]
    pub person: Option<PersonId>,
    /// Only on this tenant (id or slug).
    pub tenant: Option<String>,
}

/// Something that was decided.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ElevationDecision {
    /// Why; needed for a no.
    pub reason: Option<String>,
}

/// Which elevations.
#[derive(Debug, Default)]
pub struct Wanted {
    /// States; none is all.
    pub states: Vec<ElevationState>,
    /// Only those that wait for the tenant's word, or only those that do not.
    pub waiting_for_tenant: Option<bool>,
    person: Option<PersonId>,
    tenant: Option<String>,
    asked: Option<(Timestamp, Timestamp)>,
}

impl Wanted {
    fn of(query: &ElevationQuery) -> Result<Self> {
        let words = query.state.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
        let parse = |word: &str| {
            let found = ElevationState::ALL.into_iter().find(|state| state.as_str() == word);
            found.ok_or_else(|| Error::field("state", "unknown", "use requested, running, ended, denied, cancelled or lapsed"))
        };
        let states = words.map(parse).collect::<Result<_>>()?;
        Ok(Self { states, person: query.person, tenant: query.tenant.clone(), ..Self::default() })
    }
}

/// The provider's elevations.
///
/// # Errors
/// `Invalid` for a page or filter that does not exist.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: ElevationQuery) -> Result<Page<Elevation>> {
    let wanted = Wanted::of(&query)?;
    page(tx, &PageQuery { q: query.q, sort: query.sort, cursor: query.cursor, limit: query.limit }, &wanted).await
}

/// Those of the person who asks.
///
/// # Errors
/// `Invalid` for a page or filter that does not exist.
pub async fn list_own(tx: &mut ReadTx<scope::Provider>, query: ElevationQuery) -> Result<Page<Elevation>> {
    let me = tx.me()?.person;
    list(tx, ElevationQuery { person: Some(me), ..query }).await
}

/// Those on the tenant, of every provider, as the tenant may see them: for its own page of requests.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub async fn of_tenant(tx: &mut ReadTx<scope::Records>, asked: &PageQuery, wanted: &Wanted) -> Result<Page<Elevation>> {
    page(tx, asked, wanted).await
}

/// One on the tenant, as the tenant may see it.
///
/// # Errors
/// `NotFound`.
pub async fn one_of_tenant(tx: &mut ReadTx<scope::Records>, id: ElevationId) -> Result<Elevation> {
    let stored = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    shown(tx, stored)
}

/// How many wait for the tenant's word.
///
/// # Errors
/// As the store's.
pub async fn waiting_for_tenant(tx: &mut ReadTx<scope::Records>) -> Result<i64> {
    store::count(tx, &Wanted { waiting_for_tenant: Some(true), ..Wanted::default() }).await
}

/// Says yes for the tenant.
///
/// # Errors
/// As [`approve`].
pub async fn approve_for_tenant(tx: &mut WriteTx<scope::Records>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    decide::yes(tx, id, reason).await
}

/// Says no for the tenant, to any request on it.
///
/// # Errors
/// As [`deny`].
pub async fn deny_for_tenant(tx: &mut WriteTx<scope::Records>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    decide::no(tx, id, reason).await
}

/// Ends one that runs on the tenant, or takes back a request. What the operator opened is not the tenant's to end.
///
/// # Errors
/// As [`end`].
pub async fn end_for_tenant(tx: &mut WriteTx<scope::Records>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    decide::over(tx, id, reason).await
}

/// Ends all that somebody holds or waits for on the tenant, for a tenant that removes them: in the ledger entry of that act, which is to
/// say so in the provider's ledger too. Answers how many. What the operator opened stays.
///
/// # Errors
/// As the store's.
pub async fn end_all_on_tenant(tx: &mut WriteTx<scope::Records>, person: PersonId, reason: &str) -> Result<usize> {
    decide::end_all_on_tenant(tx, person, reason).await
}

async fn page<S: Side>(tx: &mut ReadTx<S>, page: &PageQuery, wanted: &Wanted) -> Result<Page<Elevation>> {
    let Page { items, next, total } = store::page(tx, page, wanted).await?;
    let items = items.into_iter().map(|stored| shown(tx, stored)).collect::<Result<_>>()?;
    Ok(Page { items, next, total })
}

/// As whoever asks may see it.
fn shown<S: Side>(tx: &ReadTx<S>, e: Stored) -> Result<Elevation> {
    let me = tx.me()?.person;
    let can = can(tx, &e, me);
    let by_role = !S::IS_PROVIDER && !e.staff_by_name;
    let instead = |role: &str| ElevationPerson { id: None, name: format!("{} {role}", e.provider.name) };
    let known = |(id, name): (PersonId, String)| ElevationPerson { id: Some(id), name };
    let staff = |person: (PersonId, String)| if by_role { instead("staff") } else { known(person) };
    let role = e.role.as_deref().unwrap_or("staff").replace('_', " ");
    let person = if by_role { instead(&role) } else { known(e.person.clone()) };
    Ok(Elevation {
        id: e.id,
        state: e.state(tx.now()),
        person,
        provider_approval: e.provider_approval.map(|(by, at)| ElevationApproval { by: staff(by), at }),
        tenant_approval: e.tenant_approval.map(|(by, at)| ElevationApproval { by: known(by), at }),
        closed_by: e.closed_by.map(|by| if e.closed_by_member { known(by) } else { staff(by) }),
        tenant: e.tenant,
        provider: e.provider,
        template: e.template,
        tier: e.tier,
        actions: e.actions,
        modules: e.modules,
        minutes: e.minutes,
        approver: e.approver,
        reason: e.reason,
        ticket: e.ticket,
        requested_at: e.requested_at,
        lapses_at: e.lapses_at,
        starts_at: e.starts_at,
        ends_at: e.ends_at,
        closed_at: e.closed_at,
        decision_reason: e.decision_reason,
        break_glass: e.break_glass,
        is_mine: e.person.0 == me,
        can,
        version: e.version,
    })
}

fn can<S: Side>(tx: &ReadTx<S>, e: &Stored, me: PersonId) -> ElevationCan {
    let is_mine = e.person.0 == me;
    let subject = Subject::Request { is_self: is_mine };
    let unless = |stopped: Option<String>, act: Act| match stopped {
        None => tx.can(act, subject),
        Some(why) => Can { allowed: false, why: Some(why), needs: None, step_up: false },
    };
    let now = tx.now();
    ElevationCan {
        approve: unless(decide::not_to_approve::<S>(e, me, now), S::APPROVE),
        deny: unless(decide::not_waiting(e, now), S::DENY),
        end: unless(decide::not_to_end::<S>(e, now), if is_mine { S::END_OWN } else { S::END }),
    }
}
