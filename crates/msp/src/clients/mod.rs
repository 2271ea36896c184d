//! The dashboard: every client that a person may see, with what its summary says, sorted by what needs attention.
//!
//! - Who may list the provider's tenants sees all of them that are not purged; others see those they have a live assignment on.
//! - The tier is what the person has there: the lowest of relationship, providers above, and (where one is needed) assignment.
//! - A scan is `current` until the tenant's scan interval is over, then `stale`; `never` without one.
//! - A seat is a member that is not disabled; the limit is the tenant's own or its plan's.
//! - Attention: an active client with a critical failure, a scan that is stale or missing, more seats than its limit, or a
//!   relationship that is about to end. The filters `stale`, `never` and `over_limit` and the key figures look at active clients only
//!   too; suspended and archived ones have filters of their own. Counts and key figures are of all clients, whatever is searched for.
//! - A trend has a value a day for [`TREND_DAYS`] days, the last known one carried on; the delta compares with that long ago.
//!
//! What this deliberately does not do: look into tenants. All of it is control records: three queries a page, whoever looks.

pub(crate) mod export;
mod http;
mod rules;
mod store;
#[cfg(test)]
mod tests;

use access::{Act, RelationshipState, Subject, TenantState, Tier};
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, Timestamp, scope};
use serde::{Deserialize, Serialize};

use crate::onboarding::{self, OnboardingProgress};
use crate::providers::{self, ProviderName};
pub(crate) use store::Eye;
use store::Sees;

pub(crate) use export::cell;
pub(crate) use http::router;

/// Days of a trend.
pub const TREND_DAYS: i64 = 30;

/// Which clients to list, and in which order.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ClientQuery {
    /// Free text: name or slug.
    pub q: Option<String>,
    /// Narrows to one group of clients.
    pub filter: Option<String>,
    /// Tiers, comma separated.
    pub tier: Option<String>,
    /// Names of plans, comma separated.
    pub plan: Option<String>,
    /// `attention`, `name`, `score`, `scan`, `critical`, `seats` or `tier`; what needs work comes first, a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// A group of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Attention,
    Stale,
    Never,
    OverLimit,
    Suspended,
    Archived,
    SubProvider,
}

/// How old the last scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanStatus {
    /// Within the interval.
    Current,
    /// Older.
    Stale,
    /// There is none.
    Never,
}

/// The last scan.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClientScan {
    /// How old it is.
    pub status: ScanStatus,
    /// When it was.
    pub at: Option<Timestamp>,
}

/// How the seats stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatStatus {
    /// Within the limit.
    Ok,
    /// Above it.
    OverLimit,
    /// There is none.
    Unlimited,
}

/// The seats of a client.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClientSeats {
    /// Members that are not disabled.
    pub used: i64,
    /// How many there may be; `null`: any.
    pub limit: Option<i64>,
    /// How that stands.
    pub status: SeatStatus,
}

/// Whether the person may go in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Enter {
    /// They may.
    pub allowed: bool,
    /// Why not, one sentence.
    pub why: Option<String>,
}

/// A client on the dashboard.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Client {
    /// Its id.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its industry.
    pub industry: Option<String>,
    /// Name of its plan.
    pub plan: Option<String>,
    /// Where in its life it is.
    pub state: TenantState,
    /// What the person has there.
    pub tier: Tier,
    /// Where in its life the relationship is.
    pub relationship_state: RelationshipState,
    /// The sub-provider that holds it.
    pub via: Option<ProviderName>,
    /// 0 to 100, one decimal; `null` before the first complete scan.
    pub score: Option<f64>,
    /// Controls that passed.
    pub passed: i64,
    /// Controls that failed.
    pub failed: i64,
    /// Failed controls that count as passed.
    pub overridden: i64,
    /// The score of each of the last 30 days, oldest first.
    pub trend: Vec<Option<f64>>,
    /// The score now less the score 30 days ago.
    pub delta: Option<f64>,
    /// The last scan.
    pub scan: ClientScan,
    /// Failing controls of critical severity.
    pub critical: i64,
    /// Failing controls of high severity.
    pub high: i64,
    /// Its seats.
    pub seats: ClientSeats,
    /// Somebody should look at it.
    pub attention: bool,
    /// Whether the person may go in.
    pub enter: Enter,
    /// How far its onboarding is; left out once it is through, and for clients that are not active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<OnboardingProgress>,
}

/// How many clients are in each group.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct ClientCounts {
    /// All.
    pub all: i64,
    /// Those that somebody should look at.
    pub attention: i64,
    /// Active, last scan too old.
    pub stale: i64,
    /// Active, no scan.
    pub never: i64,
    /// Active, more seats used than there may be.
    pub over_limit: i64,
    /// Suspended.
    pub suspended: i64,
    /// Archived.
    pub archived: i64,
    /// Held by a sub-provider.
    pub sub_provider: i64,
}

/// Key figures, of active clients.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct ClientKpis {
    /// Mean score of those that have one.
    pub average_score: Option<f64>,
    /// Mean delta of those that have one.
    pub average_delta: Option<f64>,
    /// Critical failures.
    pub critical: i64,
    /// Clients with any.
    pub critical_clients: i64,
    /// High failures.
    pub high: i64,
    /// Last scan too old.
    pub stale: i64,
    /// No scan.
    pub never: i64,
    /// All clients, suspended and archived ones too.
    pub clients: i64,
    /// How many there may be; `null`: any, or not this person's business.
    pub clients_max: Option<i64>,
}

/// A page of the dashboard.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClientList {
    /// The clients.
    pub items: Vec<Client>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Clients in all, after filters.
    pub total: i64,
    /// How many are in each group, before filters.
    pub counts: ClientCounts,
    /// Key figures, before filters.
    pub kpis: ClientKpis,
}

/// What was asked for, parsed.
pub(crate) struct Wanted {
    pub page: PageQuery,
    pub group: Option<Group>,
    pub tiers: Vec<Tier>,
    pub plans: Vec<String>,
}

impl TryFrom<ClientQuery> for Wanted {
    type Error = Error;

    fn try_from(query: ClientQuery) -> Result<Self> {
        let ClientQuery { q, filter, tier, plan, sort, cursor, limit } = query;
        let group = filter.as_deref().filter(|name| !name.is_empty()).map(parse_group).transpose()?;
        let tiers = words(tier.as_deref());
        let tiers = tiers.iter().map(|word| word.parse().map_err(|_| Error::field("tier", "unknown", "use T0, T1, T2 or T3")));
        let tiers = tiers.collect::<Result<_>>()?;
        Ok(Self { page: PageQuery { q, sort, cursor, limit }, group, tiers, plans: words(plan.as_deref()) })
    }
}

fn words(list: Option<&str>) -> Vec<String> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn parse_group(name: &str) -> Result<Group> {
    Ok(match name {
        "attention" => Group::Attention,
        "stale" => Group::Stale,
        "never" => Group::Never,
        "over_limit" => Group::OverLimit,
        "suspended" => Group::Suspended,
        "archived" => Group::Archived,
        "sub_provider" => Group::SubProvider,
        _ => {
            let names = "attention, stale, never, over_limit, suspended, archived or sub_provider";
            return Err(Error::field("filter", "unknown", format!("filter by {names}")));
        }
    })
}

/// A page of the clients that the person may see, with counts and key figures of all of them.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut ReadTx<scope::Provider>, query: ClientQuery) -> Result<ClientList> {
    let wanted = Wanted::try_from(query)?;
    let eye = eye(tx).await?;
    let store::Board { page: Page { mut items, next, total }, counts, mut kpis } = store::board(tx, &eye, &wanted).await?;
    let active: Vec<_> = items.iter().filter(|client| client.state == TenantState::Active).map(|client| client.id).collect();
    let unfinished = onboarding::unfinished(tx, eye.provider, &active).await?;
    items.iter_mut().for_each(|client| client.onboarding = unfinished.get(&client.id).copied());
    kpis.average_delta = store::average_delta(tx, &eye).await?;
    kpis.clients_max = eye.tenants_max();
    Ok(ClientList { items, next, total, counts, kpis })
}

/// A page of the clients alone, for the export.
pub(crate) async fn rows(tx: &mut ReadTx<scope::Provider>, wanted: &Wanted) -> Result<Page<Client>> {
    let eye = eye(tx).await?;
    Ok(store::board(tx, &eye, wanted).await?.page)
}

/// Who looks, and how far they see.
pub(crate) async fn eye(tx: &mut ReadTx<scope::Provider>) -> Result<Eye> {
    let (provider, person, now) = (tx.scope.provider, tx.me()?.person, tx.now());
    let lineage = providers::lineage(tx, provider).await?;
    // Whoever may list the provider's tenants may see all their summaries; what they may do inside is the access mode's business.
    let sees_all = tx.may(Act::TenantList, Subject::Any).allowed;
    let sees = match (sees_all, lineage[0].access_mode) {
        (true, access::AccessMode::Tiered) => Sees::All,
        (true, access::AccessMode::Explicit) => Sees::AllActsWhereAssigned,
        (false, _) => Sees::Assigned,
    };
    let is_mixed = store::has_mixed_modes(tx).await?;
    Ok(Eye { provider, person, now, lineage, sees, is_mixed })
}
