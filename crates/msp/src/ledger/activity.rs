//! What was done on many clients, newest first, and how much goes on in which module: loops of single-tenant reads, each through its own
//! door. Who may not read a client's whole ledger sees their own acts there, as on the client's own page.

use std::collections::BTreeMap;

use access::{Act, Module, Modules, actions};
use kernel::door::{ClientBrief, ClientNamed, FanOrder, FanRows, Unreadable};
use kernel::paging::Order;
use kernel::store::{Query, StoreError};
use kernel::{Error, PageQuery, PersonId, ProviderCx, ReadTx, Result, TenantCx, Timestamp, scope};
use serde::{Deserialize, Serialize};

use super::{Filter, LedgerEntry, LedgerQuery, Names, store};

/// Days that a module's acts are counted over.
const DAYS: i64 = 30;

/// Newest first. Numbers in a ledger are its own, so that over several it is the time that orders.
pub(super) const BY_TIME: Order = Order { key: "at", descending: true };

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ClientActivityQuery {
    /// Part of an actor's name, an action, a subject or a reason.
    pub q: Option<String>,
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
    /// Only on this client, by id or slug.
    pub tenant: Option<String>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Not after this instant.
    pub to: Option<Timestamp>,
}

/// An act, and on which client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientActivity {
    /// The client.
    pub tenant: ClientNamed,
    /// The act.
    pub entry: LedgerEntry,
}

/// A page of acts on many clients.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientActivities {
    /// The acts, newest first.
    pub items: Vec<ClientActivity>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Acts in all, after filters.
    pub total: i64,
    /// How many clients were read.
    pub reached: usize,
    /// Clients whose ledger the person may not read now, and why.
    pub unreadable: Vec<Unreadable>,
}

/// Acts on the clients, newest first.
pub(super) async fn list(cx: &ProviderCx, query: ClientActivityQuery) -> Result<ClientActivities> {
    let ClientActivityQuery { q, cursor, limit, actor, action, outcome, tenant, from, to } = query;
    let page = PageQuery { q: q.clone(), sort: None, cursor, limit };
    let wanted = LedgerQuery { q, actor, action, outcome, from, to, ..LedgerQuery::default() };
    let filter = &wanted.read()?;
    let mut tx = cx.read::<actions::ClientActivityList>().await?;
    let clients = tx.clients(tenant.as_deref()).await?;
    drop(tx);
    let read = |cx, _: ClientBrief, page| of_client(cx, page, filter);
    let found = cx.fan_page(clients, &page, FanOrder::Merged(BY_TIME), read).await?;
    let items = found.items.into_iter().map(|(tenant, entry)| ClientActivity { tenant, entry }).collect();
    Ok(ClientActivities { items, next: found.next, total: found.total, reached: found.reached, unreadable: found.unreadable })
}

async fn of_client(cx: TenantCx, page: PageQuery, filter: &Filter) -> Result<FanRows<LedgerEntry>> {
    let names = Names::for_reader(&cx);
    let (mut tx, own) = match cx.read::<actions::LedgerList>().await {
        Ok(tx) => (tx, None),
        Err(Error::Forbidden(_)) => (cx.read::<actions::LedgerListOwn>().await?, Some(cx.me().person)),
        Err(error) => return Err(error),
    };
    let (total, mut rows) = store::by_time(&mut tx, filter, &page, names, own).await?;
    if names == Names::Hidden && own.is_none() {
        rows.iter_mut().for_each(|(entry, _, _)| entry.hide_names());
    }
    Ok((total, rows))
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ClientModuleQuery {
    /// Part of a client's name or slug.
    pub q: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// What goes on in the modules of one client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientModules {
    /// The client.
    pub tenant: ClientNamed,
    /// Every module there is.
    pub modules: Vec<ClientModule>,
    /// Acts are not counted, since the person may not read this client's ledger; why.
    pub uncounted: Option<String>,
}

/// What goes on in one module.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientModule {
    /// Which.
    pub module: Module,
    /// The client's plan has it.
    pub open: bool,
    /// When something was last done in it, within 30 days; of compliance at least the last scan, which the summary shows to everybody.
    pub last_activity_at: Option<Timestamp>,
    /// Acts done in it in the last 30 days; null where they are not counted.
    pub events_30d: Option<i64>,
}

/// A page of clients with their modules.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientModulesPage {
    /// Every module there is, in the order of each row.
    pub modules: Vec<Module>,
    /// The clients, by name.
    pub items: Vec<ClientModules>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Clients in all.
    pub total: i64,
}

/// The clients by name, and what goes on in their modules.
pub(super) async fn modules(cx: &ProviderCx, query: ClientModuleQuery) -> Result<ClientModulesPage> {
    let page = PageQuery { q: query.q, sort: None, cursor: query.cursor, limit: query.limit };
    let limit = page.limit()? as usize;
    let mut tx = cx.read::<actions::ClientModuleList>().await?;
    let mut clients = tx.clients(None).await?;
    let since = tx.now().plus_days(-DAYS);
    drop(tx);
    let wanted = page.q.as_deref().unwrap_or_default().trim().to_lowercase();
    clients.retain(|client| format!("{} {}", client.tenant.name, client.tenant.slug).to_lowercase().contains(&wanted));
    let total = i64::try_from(clients.len()).unwrap_or(i64::MAX);
    let from = page.cursor.as_deref().map(str::parse).transpose();
    let from: usize = from.map_err(|_| Error::field("cursor", "unknown", "use the `next` of the page before"))?.unwrap_or_default();
    let shown: Vec<ClientBrief> = clients.into_iter().skip(from).take(limit).collect();
    let next = (from + shown.len() < usize::try_from(total).unwrap_or(0)).then(|| (from + shown.len()).to_string());
    let fanned = cx.fan_out(shown.clone(), |cx, _| counted(cx, since)).await?;
    let mut acts: BTreeMap<_, _> = fanned.read.into_iter().map(|(client, acts)| (client.tenant.id, acts)).collect();
    let mut refused: BTreeMap<_, _> = fanned.unreadable.into_iter().map(|one| (one.tenant.id, one.why)).collect();
    let items = shown.into_iter().map(|client| {
        let id = client.tenant.id;
        of_modules(client, acts.remove(&id), refused.remove(&id))
    });
    Ok(ClientModulesPage { modules: Modules::ALL.iter().collect(), items: items.collect(), next, total })
}

/// How often and when last, by action.
type Counted = Vec<(Act, i64, Timestamp)>;

async fn counted(cx: TenantCx, since: Timestamp) -> Result<Counted> {
    let mut tx = cx.read::<actions::LedgerList>().await?;
    acts_since(&mut tx, since).await
}

async fn acts_since(tx: &mut ReadTx<scope::Data>, since: Timestamp) -> Result<Counted> {
    let mut query = Query::new("SELECT action, COUNT(*), MAX(at) FROM ledger WHERE outcome = 'done' AND at > ");
    query.bind(since).push(" GROUP BY action");
    let mut acts = Vec::new();
    for mut row in tx.query(&query).await? {
        let name: String = row.take()?;
        // Acts that are no action of the catalogue (the hub's own) belong to no module.
        if let Some(act) = Act::from_name(&name) {
            acts.push((act, row.take()?, row.take()?));
        }
    }
    Ok::<_, StoreError>(acts).map_err(Error::from)
}

fn of_modules(client: ClientBrief, acts: Option<Counted>, refused: Option<String>) -> ClientModules {
    let module = |module: Module| {
        let mine = || acts.iter().flatten().filter(|(act, _, _)| act.info().module == Some(module));
        let last = mine().map(|(_, _, at)| *at).max();
        let scanned = client.scan_at.filter(|_| module == Module::Compliance);
        ClientModule {
            module,
            open: client.modules.contains(module),
            last_activity_at: last.max(scanned),
            events_30d: acts.as_ref().map(|_| mine().map(|(_, count, _)| count).sum()),
        }
    };
    ClientModules { modules: Modules::ALL.iter().map(module).collect(), tenant: client.tenant, uncounted: refused }
}
