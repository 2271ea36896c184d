//! Ledgers, read: a provider's own, a tenant's own, and what somebody did themselves.
//!
//! - An entry is shown as it was written and hashed; nothing is computed into it but the number and the hash beside it.
//! - Where the provider shows its staff by role only, members of the tenant read "Northwind IT technician" in place of the name, and
//!   no search or filter of theirs finds a name that they are not shown: free text then looks at staff's actions only.
//! - Newest first, always: the number is the order.
//!
//! - An export is the chain as it is stored, with the signed heads on the way and a seal at the end; it is checked without the hub. For
//!   readers who see staff by role, entries of staff stand in it without names, and the hub vouches for their hashes.
//! - Signed heads and the public keys that signed them can be had by themselves, to be kept.
//!
//! It deliberately does not: write entries or sign heads (the door does), or know how a chain is checked (the ledger crate does).

mod activity;
mod check;
mod entry;
mod export;
mod http;
#[cfg(test)]
mod proofs;
mod signed;
mod store;
#[cfg(test)]
mod tests;

pub use activity::{ClientActivities, ClientActivity, ClientModule, ClientModules, ClientModulesPage};
pub use check::{FirstBad, LedgerCheck};
pub use entry::{About, Acted, Actor, Changed, LedgerEntry, Named, Recent};
pub use export::Export;
pub(crate) use http::router;
use kernel::door::ChainId;
use kernel::validate::Check;
use kernel::{Error, Hub, Page, PageQuery, PersonId, ProviderCx, ReadTx, Result, TenantCx, Timestamp, scope};
use serde::Deserialize;
pub use signed::{CheckpointQuery, LedgerCheckpoint, LedgerHead, LedgerKey, LedgerKeyCertificate};

/// How an act can end.
const OUTCOMES: [&str; 3] = ["done", "refused", "failed"];

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct LedgerQuery {
    /// Part of an actor's name, an action, a subject or a reason.
    pub q: Option<String>,
    /// `-seq`: the newest first. There is no other order.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// Only what this person did (`per_…`).
    #[param(value_type = Option<String>)]
    pub actor: Option<PersonId>,
    /// Only actions that begin so, comma separated: `finding.`, `member.invite`.
    pub action: Option<String>,
    /// Only these outcomes, comma separated: `done`, `refused`, `failed`.
    pub outcome: Option<String>,
    /// Only what provider staff did (`true`), or others (`false`). Not in a provider's ledger.
    pub staff: Option<bool>,
    /// Only what was done on this tenant, by id or slug. Only in a provider's ledger.
    pub tenant: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Not after this instant.
    pub to: Option<Timestamp>,
}

/// How staff appear to the reader of a tenant's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// By name.
    Shown,
    /// By role.
    Hidden,
}

impl Names {
    /// As the tenant's provider has set it for members; staff see staff by name.
    pub(crate) fn for_reader(cx: &TenantCx) -> Self {
        let is_member = matches!(cx.held().grant, access::Grant::Membership(_));
        if is_member && !cx.tenant().staff_by_name { Self::Hidden } else { Self::Shown }
    }
}

/// A query that was understood.
struct Filter {
    page: PageQuery,
    pattern: Option<String>,
    actor: Option<PersonId>,
    actions: Vec<String>,
    outcomes: Vec<String>,
    staff: Option<bool>,
    tenant: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl LedgerQuery {
    fn read(self) -> Result<Filter> {
        let mut check = Check::new();
        let newest_first = self.sort.as_deref().is_none_or(|sort| sort == "-seq");
        check.that(newest_first, "sort", "unknown", "a ledger is read newest first: -seq");
        let outcomes = pieces(self.outcome.as_deref());
        let known = outcomes.iter().all(|outcome| OUTCOMES.contains(&outcome.as_str()));
        check.that(known, "outcome", "unknown", "use done, refused or failed");
        check.done()?;
        let page = PageQuery { q: self.q, sort: None, cursor: self.cursor, limit: self.limit };
        Ok(Filter {
            pattern: page.pattern()?,
            page,
            actor: self.actor,
            actions: pieces(self.action.as_deref()),
            outcomes,
            staff: self.staff,
            tenant: self.tenant,
            from: self.from,
            to: self.to,
        })
    }
}

fn pieces(list: Option<&str>) -> Vec<String> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// A provider's own ledger.
///
/// # Errors
/// `Invalid` filters.
pub async fn list_provider(tx: &mut ReadTx<scope::Provider>, query: LedgerQuery) -> Result<Page<LedgerEntry>> {
    let filter = LedgerQuery { staff: None, ..query }.read()?;
    store::of_provider(tx, &filter).await
}

/// The tenant's own ledger, as this reader may see names.
pub(crate) async fn list(tx: &mut ReadTx<scope::Data>, query: LedgerQuery, names: Names) -> Result<Page<LedgerEntry>> {
    let filter = LedgerQuery { tenant: None, ..query }.read()?;
    let mut page = store::of_tenant(tx, &filter, names).await?;
    if names == Names::Hidden {
        page.items.iter_mut().for_each(LedgerEntry::hide_names);
    }
    Ok(page)
}

/// What the person who asks did on this tenant.
///
/// # Errors
/// `Invalid` filters.
pub async fn list_own(tx: &mut ReadTx<scope::Data>, query: LedgerQuery) -> Result<Page<LedgerEntry>> {
    let me = tx.me()?.person;
    if query.actor.is_some_and(|actor| actor != me) {
        return Err(Error::field("actor", "not_you", "leave it out: these are your own acts"));
    }
    let filter = LedgerQuery { actor: Some(me), tenant: None, ..query }.read()?;
    store::of_tenant(tx, &filter, Names::Shown).await
}

/// The signed heads of a tenant's own ledger.
///
/// # Errors
/// `Invalid` page.
pub async fn checkpoints(tx: &mut ReadTx<scope::Data>, query: CheckpointQuery) -> Result<Page<LedgerCheckpoint>> {
    let chain = ChainId::Tenant(tx.tenant().ok_or(Error::NotFound)?.id);
    store::checkpoints(tx, chain, &query.read()?).await
}

/// The signed heads of a provider's own ledger.
///
/// # Errors
/// `Invalid` page.
pub async fn checkpoints_of_provider(tx: &mut ReadTx<scope::Provider>, query: CheckpointQuery) -> Result<Page<LedgerCheckpoint>> {
    let chain = ChainId::Provider(tx.scope.provider);
    store::checkpoints(tx, chain, &query.read()?).await
}

/// The installation's public signing keys.
///
/// # Errors
/// `Unavailable`.
pub async fn keys(hub: &Hub) -> Result<Page<LedgerKey>> {
    Ok(Page::whole(hub.signing_keys().await?.into_iter().map(LedgerKey::from).collect()))
}

/// Checks a tenant's own ledger from its first entry to its head.
pub(crate) async fn verify(hub: &Hub, cx: TenantCx) -> Result<LedgerCheck> {
    let chain = ChainId::Tenant(cx.tenant().id);
    check::check(hub, export::Source::TenantCheck(cx), chain).await
}

/// Checks a provider's own ledger from its first entry to its head.
pub(crate) async fn verify_provider(cx: ProviderCx) -> Result<LedgerCheck> {
    let tx = cx.read::<access::actions::ProviderLedgerVerify>().await?;
    let (hub, chain) = (tx.hub().clone(), ChainId::Provider(tx.scope.provider));
    drop(tx);
    check::check(&hub, export::Source::ProviderCheck(cx), chain).await
}

/// The last acts on a tenant, as far as the reader may see them: all, their own, or none.
pub(crate) async fn recent(cx: &TenantCx, count: u32) -> Result<Vec<Recent>> {
    let query = LedgerQuery { limit: Some(count), ..LedgerQuery::default() };
    let page = match cx.read::<access::actions::LedgerList>().await {
        Ok(mut tx) => list(&mut tx, query, Names::for_reader(cx)).await?,
        Err(Error::Forbidden(_)) => match cx.read::<access::actions::LedgerListOwn>().await {
            Ok(mut tx) => list_own(&mut tx, query).await?,
            Err(Error::Forbidden(_)) => return Ok(Vec::new()),
            Err(other) => return Err(other),
        },
        Err(other) => return Err(other),
    };
    Ok(page.items.into_iter().map(Recent::from).collect())
}
