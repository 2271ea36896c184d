//! Findings: one control on one resource of one source, over all its scans.
//!
//! Rules:
//! - a finding is recognised by source, control and subject, never by a time (see [`crate::scans`]): its id, its age, its comments
//!   and who looks after it stay the same from scan to scan;
//! - its status says what it asks of people: `open` (fails), `overridden` (fails, and that was accepted), `fixed` (failed once and
//!   does no more), `passed`, `manual` (neither passed nor failed: by hand, not applicable, or not checked);
//! - one that fails is as old as its first failure; fixed and failing again it has `returned`, as old as before;
//! - one that never failed and is not in its source's latest complete scan is shown no more;
//! - evidence lies sealed with the tenant's key and is opened for `finding.view` alone;
//! - a finding is assigned to a member or to staff who may act here; whoever may take one may only release their own.
//!
//! What it deliberately does not do: let people change what a scanner found.

mod clients;
mod export;
mod filter;
mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use access::{Act, Subject};
use kernel::clock::DAY_US;
use kernel::door::scope::Data;
use kernel::door::{BoxFuture, CanMap};
use kernel::http::IfMatch;
use kernel::{Error, PageQuery, PersonId, ReadTx, Result, TenantId, Timestamp, WriteTx};
use serde::{Deserialize, Serialize};

pub use clients::{ClientFinding, ClientFindings};
pub use http::router;

use crate::by::{self, By, Named};
use crate::comments::Comment;
use crate::controls::{ControlRef, Requirement};
use crate::overrides::Override;
use crate::words::{Lifecycle, Outcome, Severity, Status};
use crate::{ControlId, FindingId, ScanId, comments, controls, overrides, scores};
use filter::Filter;
pub(crate) use filter::status_is;

/// What one may do with a finding, for `finding.view`.
const ACTS: &[Act] = &[Act::FindingAssign, Act::FindingTake, Act::CommentCreate, Act::OverrideCreate, Act::OverrideRevoke];

/// One control on one resource.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// One line.
    pub title: String,
    /// How bad it is here.
    pub severity: Severity,
    /// What it asks of people.
    pub status: Status,
    /// How it stands compared with the scan before.
    pub lifecycle: Lifecycle,
    /// What the last look said.
    pub result: Outcome,
    /// The control.
    pub control: ControlRef,
    /// The resource.
    pub resource: Resource,
    /// The tool that found it.
    pub tool: String,
    /// When it first failed; of one that never did, when it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// Whole days since `first_seen_at`.
    pub age_days: i64,
    /// Who looks after it.
    pub assignee: Option<Named>,
    /// It fails, and an active override covers it.
    pub overridden: bool,
    /// How many comments it has.
    pub comments: i64,
    /// Goes up with every change by people; for `If-Match`.
    pub version: i64,
}

/// What was looked at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Resource {
    /// Its name in the world it lives in.
    pub uid: String,
    /// Its name for people.
    pub name: Option<String>,
    /// What sort of thing it is.
    pub kind: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// Whose it is.
    pub account: Option<String>,
}

/// One page of findings, with what filters would leave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Findings {
    /// The rows.
    pub items: Vec<Finding>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Rows in all, after filters.
    pub total: i64,
    /// Counts per value of every filter, each as if that filter were not set.
    pub facets: Facets,
}

/// How many findings each filter value would leave.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Facets {
    /// By status.
    pub status: BTreeMap<&'static str, i64>,
    /// By severity.
    pub severity: BTreeMap<&'static str, i64>,
    /// By lifecycle.
    pub lifecycle: BTreeMap<&'static str, i64>,
    /// By framework, the most frequent first.
    pub framework: Vec<FacetCount>,
    /// By resource, the most frequent first.
    pub resource: Vec<FacetCount>,
    /// By who looks after it.
    pub assignee: AssigneeFacet,
}

/// How many findings a value would leave.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// How many.
    pub count: i64,
}

/// Findings by who looks after them.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct AssigneeFacet {
    /// Mine.
    pub me: i64,
    /// Nobody's.
    pub none: i64,
}

/// A finding with all that is known of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FindingView {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// What the tool says about this very case.
    pub message: Option<String>,
    /// Where inside the resource.
    pub location: Option<String>,
    /// What an auditor wants to see, as the tool gave it.
    #[schema(value_type = Object)]
    pub evidence: serde_json::Value,
    /// What is checked and why.
    pub description: Option<String>,
    /// What to do.
    pub remediation: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// Requirements that the control serves.
    pub frameworks: Vec<Requirement>,
    /// Its last 50 scans, oldest first.
    pub history: Vec<Seen>,
    /// The active override that covers it.
    #[serde(rename = "override")]
    pub covered_by: Option<Override>,
    /// What people said about it, oldest first.
    pub comments_list: Vec<Comment>,
    /// What one may do with it.
    #[schema(value_type = Object)]
    pub can: CanMap,
}

/// What one scan said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Seen {
    /// The scan.
    pub scan: ScanId,
    /// When it looked.
    pub at: Timestamp,
    /// `new`, `recurring`, `fixed`, `returned`, `passed` or `manual`.
    pub outcome: String,
}

/// Whom to assign to.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Assign {
    /// The person; null for nobody.
    pub person: Option<PersonId>,
}

/// Whether to take or to release.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Take {
    /// True: mine. False: nobody's, if it was mine.
    pub mine: bool,
}

/// Somebody a finding may be assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Assignee {
    /// Who.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// How they act here: `auditor`, `Northwind IT staff · T2`.
    #[serde(rename = "as")]
    pub acts_as: String,
    /// They act for a provider.
    #[serde(skip_serializing, default)]
    pub staff: bool,
}

/// People that findings may be assigned to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Assignees {
    /// The people, by name.
    pub items: Vec<Assignee>,
}

/// Who may look after findings of a tenant: its active members, and staff who may act there now. The hub provides it as
/// `Arc<dyn People>`.
pub trait People: Send + Sync {
    /// Everybody, by name.
    fn assignable(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<Assignee>>>;
}

/// Open findings, counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OpenCounts {
    pub all: i64,
    pub critical_unassigned: i64,
    pub critical_new: i64,
}

/// A finding's row, held until the commit.
pub(crate) struct Locked {
    pub control: ControlId,
    pub title: String,
    pub version: i64,
    pub severity: Severity,
    pub result: Outcome,
    pub assignee: Option<By>,
}

impl Locked {
    /// Whether who looks after it is one of the numbers that the summary shows.
    fn counts_when_assigned(&self) -> bool {
        self.severity == Severity::Critical && self.result == Outcome::Fail
    }
}

/// Whole days between.
pub(crate) fn age_days(first_seen_at: Timestamp, now: Timestamp) -> i64 {
    (now.0 - first_seen_at.0).max(0) / DAY_US
}

pub(crate) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery, filter: &Filter) -> Result<Findings> {
    let (items, next) = store::page(tx, page, filter).await?;
    let (total, mut facets) = store::cube(tx, filter).await?;
    facets.framework = store::framework_facet(tx, filter).await?;
    facets.resource = store::resource_facet(tx, filter).await?;
    Ok(Findings { items, next, total, facets })
}

pub(crate) async fn view(tx: &mut ReadTx<Data>, id: FindingId) -> Result<FindingView> {
    let mut view = store::view(tx, id).await?.ok_or(Error::NotFound)?;
    if let Some(sealed) = store::evidence(tx, id).await? {
        let key = tx.tenant_key().await?;
        view.evidence = serde_json::from_slice(&key.open("evidence", &sealed)?).map_err(Error::internal)?;
    }
    let control = view.finding.control.id;
    view.frameworks = controls::requirements(tx, control).await?;
    view.history = store::history(tx, id).await?;
    view.covered_by = overrides::covering(tx, id, control).await?;
    view.comments_list = comments::of_finding(tx, id).await?;
    view.can = ACTS.iter().map(|act| (act.name().to_owned(), tx.can(*act, Subject::Any))).collect();
    Ok(view)
}

/// Assigns a finding to a person, or to nobody.
pub(crate) async fn assign(tx: &mut WriteTx<Data>, id: FindingId, version: IfMatch, asked: Assign) -> Result<Finding> {
    let finding = lock(tx, id).await?;
    tx.subject("finding", id, finding.title.clone());
    version.check(finding.version)?;
    let assignee = match asked.person {
        None => None,
        Some(person) => {
            let people = assignable(tx).await?;
            let one = people.into_iter().find(|one| one.id == person);
            Some(one.ok_or_else(|| Error::field("person", "not_assignable", "is nobody who may look after findings here"))?)
        }
    };
    let assignee = assignee.map(|one| By { id: one.id, name: one.name, acted_as: one.acts_as, staff: one.staff });
    set_assignee(tx, id, finding, assignee).await
}

/// Takes a finding, or releases one that is mine.
pub(crate) async fn take(tx: &mut WriteTx<Data>, id: FindingId, asked: Take) -> Result<Finding> {
    let finding = lock(tx, id).await?;
    tx.subject("finding", id, finding.title.clone());
    let me = by::me(tx)?;
    let is_mine = finding.assignee.as_ref().is_some_and(|one| one.id == me.id);
    match (asked.mine, &finding.assignee) {
        (true, Some(_)) if !is_mine => {
            Err(Error::Conflict("Somebody else looks after this finding. Ask them to release it.".into()))
        }
        (false, _) if !is_mine => Err(Error::Conflict("This finding is not yours to release.".into())),
        (true, Some(_)) => store::one(tx, id).await?.ok_or(Error::NotFound),
        (mine, _) => set_assignee(tx, id, finding, mine.then_some(me)).await,
    }
}

async fn set_assignee(tx: &mut WriteTx<Data>, id: FindingId, before: Locked, after: Option<By>) -> Result<Finding> {
    store::set_assignee(tx, id, after.as_ref()).await?;
    tx.changed("assignee", id, &before.assignee, &after);
    if before.counts_when_assigned() {
        scores::publish(tx).await?;
    }
    store::one(tx, id).await?.ok_or(Error::NotFound)
}

/// People a finding may be assigned to, as whoever asks may see them.
pub(crate) async fn assignees(tx: &mut ReadTx<Data>) -> Result<Assignees> {
    let names = by::sees_staff_names(tx);
    let mut items = assignable(tx).await?;
    for one in items.iter_mut().filter(|one| one.staff && !names) {
        one.name.clone_from(&one.acts_as);
    }
    Ok(Assignees { items })
}

async fn assignable(tx: &mut ReadTx<Data>) -> Result<Vec<Assignee>> {
    let tenant = tx.tenant().ok_or(Error::NotFound)?.id;
    tx.hub().port::<std::sync::Arc<dyn People>>().assignable(tenant).await
}

/// Holds a finding until the commit, so that two who change it at once take turns.
pub(crate) async fn lock(tx: &mut WriteTx<Data>, id: FindingId) -> Result<Locked> {
    store::lock(tx, id).await?.ok_or(Error::NotFound)
}

/// Notes that a finding has one comment more. Answers how many it has now.
pub(crate) async fn count_comment(tx: &mut WriteTx<Data>, id: FindingId) -> Result<i64> {
    Ok(store::count_comment(tx, id).await?)
}

/// Open findings, counted.
pub(crate) async fn open_counts(tx: &mut ReadTx<Data>) -> Result<OpenCounts> {
    Ok(store::open_counts(tx).await?)
}

/// How many findings of a control are open.
pub(crate) async fn open_of_control(tx: &mut ReadTx<Data>, control: ControlId) -> Result<i64> {
    Ok(store::open_of_control(tx, control).await?)
}
