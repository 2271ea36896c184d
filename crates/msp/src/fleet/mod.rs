//! Changes to many tenants: drafted, approved, applied one by one, and undone if need be.
//!
//! ```text
//! draft → approved → running → done → undoing → undone        running → stopped → running        draft | … | stopped → cancelled
//! ```
//! - A draft is a stored plan: which tenants, and for each what is and what would be. Who is in a group is settled then; a tenant where
//!   nothing would change is skipped and says why.
//! - Somebody who may approve starts it. From then on the hub applies it with the rights of that person as they are at each tenant; when
//!   these end, it stops. Each tenant is one act of its own, through the same functions as a single call: in its ledgers, with the
//!   tenant's consent where that is needed (such a tenant counts as done, and its line says what it waits for).
//! - What became of a tenant is stored in the commit that did it, so that a crash does nothing twice and loses nothing.
//! - When more tenants failed than it may, it stops. It can be resumed: failed ones are tried again, or left out.
//! - Undoing puts back what was before, tenant by tenant; one that was changed since is left as it is, and its line says so.
//! - Who may not approve drafts on tenants they are assigned to, and sees their own drafts only. An API key approves nothing.
//!
//! What this deliberately does not do: delete or archive tenants, or run on a schedule.

mod apply;
mod decide;
mod http;
mod plan;
mod run;
mod store;
#[cfg(test)]
mod tests;
mod undo;

use access::{Act, Subject};
use kernel::door::Can;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::assignments::AssignedTenant;
use crate::groups::{self, GroupId, TENANTS_MAX};

pub use decide::{Resume, approve, cancel, resume, undo};
pub(crate) use http::router;
pub use plan::What;
pub use run::{release_leases, run_next};

kernel::kinds! {
    /// A change to many tenants.
    FleetChangeKind FleetChangeId "flc";
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FleetChangeKind)]
pub enum Kind {
    /// The tenant's plan: `{plan}`.
    Plan,
    /// The relationship's tier: `{tier}`.
    Tier,
    /// Settings of the tenant: `{scan_interval_days?, comments_from_t1?}`.
    Setting,
    /// Somebody's assignment: `{staff, tier, mask, modules, ends_at?}`, or `{staff, remove: true}`.
    Assignment,
    /// The tenant is stopped: `{}`; the reason is the change's.
    Suspend,
    /// A suspension is ended: `{}`.
    Resume,
}

/// Where a change is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FleetChangeState)]
pub enum State {
    /// Written down.
    Draft,
    /// Begins soon.
    Approved,
    /// Is being applied.
    Running,
    /// Too many tenants failed, or the approver's rights ended.
    Stopped,
    /// Applied.
    Done,
    /// Is being undone.
    Undoing,
    /// Undone.
    Undone,
    /// Given up; what was applied until then stays.
    Cancelled,
}

/// What became of one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FleetItemState)]
pub enum ItemState {
    /// Not yet its turn.
    Planned,
    /// Nothing is done to it.
    Skipped,
    /// Changed.
    Done,
    /// Not changed: its line says why.
    Failed,
    /// Put back.
    Undone,
    /// Not put back: its line says why.
    UndoFailed,
}

macro_rules! stored_as_text {
    ($type:ty) => {
        impl $type {
            /// As stored and sent.
            pub(crate) fn text(self) -> String {
                serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
            }
        }
        impl std::str::FromStr for $type {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                serde_json::from_value(serde_json::Value::from(text)).map_err(drop)
            }
        }
    };
}
stored_as_text!(Kind);
stored_as_text!(State);
stored_as_text!(ItemState);

/// Over which tenants: exactly one of `tenants`, `group` and `all`; `except` goes with the latter two.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = FleetOver)]
pub struct Reach {
    /// These, by id or slug.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// Who is in this group now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub group: Option<GroupId>,
    /// All clients there are now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// But these, by id or slug.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

/// When it stops by itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FleetStopAfter)]
pub struct StopAfter {
    /// As soon as more than so many percent of its tenants failed, 0 to 100.
    pub failed_percent: i64,
}

impl Default for StopAfter {
    fn default() -> Self {
        Self { failed_percent: 10 }
    }
}

/// Somebody who had to do with a change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = FleetPerson)]
pub struct Someone {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
#[schema(as = FleetProgress)]
pub struct Progress {
    /// Tenants in all.
    pub total: i64,
    /// Changed.
    pub done: i64,
    /// Failed.
    pub failed: i64,
    /// Skipped.
    pub skipped: i64,
    /// Put back.
    pub undone: i64,
    /// Could not be put back.
    pub undo_failed: i64,
}

/// What may be done with a change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = FleetCan)]
pub struct FleetCan {
    /// Start it.
    pub approve: Can,
    /// Give it up.
    pub cancel: Can,
    /// Go on with it.
    pub resume: Can,
    /// Undo it.
    pub undo: Can,
}

/// A change to many tenants.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FleetChange {
    /// Its id.
    pub id: FleetChangeId,
    /// What is changed.
    pub kind: Kind,
    /// To what, kind by kind.
    #[schema(value_type = Object)]
    pub what: serde_json::Value,
    /// Over which tenants it was asked for.
    pub over: Reach,
    /// Why, in the words of who drafted it; every act says it.
    pub reason: String,
    /// Where it is in its life.
    pub state: State,
    /// Why it stopped.
    pub detail: String,
    /// Who drafted it.
    pub created_by: Someone,
    /// When.
    pub created_at: Timestamp,
    /// Who approved it.
    pub approved_by: Option<Someone>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// When it stops by itself.
    pub stop_after: StopAfter,
    /// How far it is.
    pub progress: Progress,
    /// What the person who asks may do with it.
    pub can: FleetCan,
    /// Its version.
    pub version: i64,
}

/// A change, and what became of its tenants.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FleetChangeView {
    /// The change.
    #[serde(flatten)]
    pub change: FleetChange,
    /// Its tenants, in the order of their turns.
    pub items: Page<FleetItem>,
}

/// One tenant of a change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FleetItem {
    /// Which.
    pub tenant: AssignedTenant,
    /// What became of it.
    pub state: ItemState,
    /// What was before; of a planned one, what is to be changed.
    #[schema(value_type = Object)]
    pub before: serde_json::Value,
    /// What is after, or would be.
    #[schema(value_type = Object)]
    pub after: serde_json::Value,
    /// Why it was skipped or failed, or what it waits for.
    pub detail: String,
}

/// What to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct FleetQuery {
    /// Part of a reason or of the name of who drafted it.
    pub q: Option<String>,
    /// `-created` (newest first) or `created`.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// States, comma separated.
    pub state: Option<String>,
}

/// A new draft.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FleetChangeCreate {
    /// What is changed.
    pub kind: Kind,
    /// To what, kind by kind.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub what: serde_json::Value,
    /// Over which tenants.
    pub over: Reach,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// When it stops by itself; left out: when more than 10 percent failed.
    #[serde(default)]
    pub stop_after: StopAfter,
}

/// Whose changes somebody sees: all of the provider's, or the drafts of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sees {
    All,
    Own(PersonId),
}

fn sees(tx: &ReadTx<scope::Provider>) -> Result<Sees> {
    let may_approve = tx.may(Act::FleetChangeApprove, Subject::Any).allowed;
    Ok(if may_approve { Sees::All } else { Sees::Own(tx.me()?.person) })
}

/// The provider's changes; of who may not approve, their own.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: FleetQuery) -> Result<Page<FleetChange>> {
    let sees = sees(tx)?;
    let states = words::<State>(query.state.as_deref())?;
    let sort = query.sort.or_else(|| Some("-created".into()));
    store::list(tx, &PageQuery { q: query.q, sort, cursor: query.cursor, limit: query.limit }, &states, sees).await
}

/// A change and a page of its tenants; `state` narrows those.
///
/// # Errors
/// `NotFound`, `Invalid` for a wrong page or filter.
pub async fn view(tx: &mut ReadTx<scope::Provider>, id: FleetChangeId, query: FleetQuery) -> Result<FleetChangeView> {
    let change = seen(tx, id).await?;
    let states = words::<ItemState>(query.state.as_deref())?;
    let page = PageQuery { q: query.q, sort: None, cursor: query.cursor, limit: query.limit };
    let items = store::items(tx, id, &page, &states).await?;
    Ok(FleetChangeView { change, items })
}

pub(crate) async fn seen(tx: &mut ReadTx<scope::Provider>, id: FleetChangeId) -> Result<FleetChange> {
    let sees = sees(tx)?;
    store::one(tx, id, sees).await?.ok_or(Error::NotFound)
}

fn words<T: std::str::FromStr>(list: Option<&str>) -> Result<Vec<T>> {
    let words = list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| Error::field("state", "unknown", "is no state"))).collect()
}

/// Writes a change down: who it would touch, and for each what is and what would be.
///
/// # Errors
/// `Invalid`, with tenants that the person is not assigned to when they may not approve.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: FleetChangeCreate) -> Result<FleetChange> {
    let mut check = Check::new();
    let reason = check.text("reason", &body.reason, 3..=500);
    let percent = body.stop_after.failed_percent;
    check.that((0..=100).contains(&percent), "stop_after.failed_percent", "out_of_range", "is 0 to 100");
    let what = What::read(tx, &mut check, body.kind, &body.what).await?;
    let tenants = reached(tx, &mut check, &body.over).await?;
    check.done()?;
    let what = what.ok_or_else(|| Error::internal("checked above"))?;
    within_reach(tx, &tenants).await?;
    let ids: Vec<TenantId> = tenants.iter().map(|tenant| tenant.id).collect();
    let items = plan::planned(tx, &what, &ids).await?;
    let id = FleetChangeId::new(tx.now());
    store::insert(tx, id, &body, &what, &reason).await?;
    store::insert_items(tx, id, &items).await?;
    tx.keeps_authority();
    tx.subject("fleet_change", id, reason.clone()).reason(&reason);
    let kept = json!({"kind": body.kind, "what": what.to_json(), "over": body.over, "tenants": items.len()});
    tx.changed("fleet_change", id, &(), &kept);
    seen(tx, id).await
}

async fn reached(tx: &mut ReadTx<scope::Provider>, check: &mut Check, over: &Reach) -> Result<Vec<AssignedTenant>> {
    let named = usize::from(!over.tenants.is_empty()) + usize::from(over.group.is_some()) + usize::from(over.all);
    check.that(named == 1, "over", "missing", "name one of tenants, group and all");
    check.that(over.tenants.len() <= TENANTS_MAX, "over.tenants", "too_many", "name at most 5000 tenants");
    let lists_nothing_out = over.tenants.is_empty() || over.except.is_empty();
    check.that(lists_nothing_out, "over.except", "not_here", "goes with a group or with all");
    if named != 1 {
        return Ok(Vec::new());
    }
    let mut tenants = match over.group {
        Some(group) => {
            check.that(store::knows_group(tx, group).await?, "over.group", "unknown", "is no group of this provider");
            groups::tenants_in(tx, group).await?
        }
        None if over.all => store::all_tenants(tx).await?,
        None => known(tx, check, "over.tenants", &over.tenants).await?,
    };
    let except = known(tx, check, "over.except", &over.except).await?;
    tenants.retain(|tenant| except.iter().all(|left_out| left_out.id != tenant.id));
    check.that(!tenants.is_empty(), "over", "nobody", "there is no tenant among these");
    Ok(tenants)
}

async fn known(tx: &mut ReadTx<scope::Provider>, check: &mut Check, field: &str, names: &[String]) -> Result<Vec<AssignedTenant>> {
    let (found, unknown) = groups::tenants_named(tx, names).await?;
    if let Some(name) = unknown.first() {
        check.fail(field, "unknown", format!("{} is no client of this provider", groups::shown(name)));
    }
    Ok(found)
}

/// Who may not approve drafts on what they are assigned to.
async fn within_reach(tx: &mut ReadTx<scope::Provider>, tenants: &[AssignedTenant]) -> Result<()> {
    let Sees::Own(me) = sees(tx)? else { return Ok(()) };
    let assigned = store::assigned_to(tx, me).await?;
    match tenants.iter().find(|tenant| !assigned.contains(&tenant.id)) {
        // A client that they are not assigned to is none that they may know of.
        Some(_) => Err(Error::field("over", "not_assigned", "draft on clients that you are assigned to")),
        None => Ok(()),
    }
}
