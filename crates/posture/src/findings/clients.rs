//! Findings of many clients on one page: a loop of single-tenant reads, each through its own door.
//!
//! A client whose summary says that nothing is open is not opened for a list of open findings.

use access::{Act, actions};
use kernel::door::{ClientBrief, ClientNamed, FanOrder, FanRows, Unreadable};
use kernel::{PageQuery, ProviderCx, Result, TenantCx};
use serde::Serialize;

use super::filter::Filter;
use super::{Finding, store};
use crate::words::Status;

/// A finding, and whose it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The client.
    pub tenant: ClientNamed,
}

/// A page of findings of many clients.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientFindings {
    /// The rows.
    pub items: Vec<ClientFinding>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Rows in all, after filters.
    pub total: i64,
    /// How many clients were read.
    pub reached: usize,
    /// Clients whose findings the person may not read now, and why.
    pub unreadable: Vec<Unreadable>,
}

pub(super) async fn list(cx: &ProviderCx, page: &PageQuery, filter: Filter, only: Option<&str>) -> Result<ClientFindings> {
    let by_client = page.sort.as_deref() == Some("tenant");
    let inner = PageQuery { sort: page.sort.clone().filter(|_| !by_client), ..page.clone() };
    let order = store::wide_order(&inner)?;
    let order = if by_client { FanOrder::ByClient(order) } else { FanOrder::Merged(order) };
    let mut tx = cx.read::<actions::ClientFindingList>().await?;
    let clients = tx.clients(only).await?;
    drop(tx);
    let filter = &filter;
    let found = cx.fan_page(clients, &inner, order, |cx, client, page| of_client(cx, client, page, filter)).await?;
    let items = found.items.into_iter().map(|(tenant, finding)| ClientFinding { finding, tenant }).collect();
    Ok(ClientFindings { items, next: found.next, total: found.total, reached: found.reached, unreadable: found.unreadable })
}

async fn of_client(cx: TenantCx, client: ClientBrief, page: PageQuery, filter: &Filter) -> Result<FanRows<Finding>> {
    let is_settled = client.recheck_at.is_none_or(|at| at > cx.now());
    if filter.status[..] == [Status::Open] && client.findings_open == 0 && is_settled {
        cx.allows(Act::FindingList)?;
        return Ok((0, Vec::new()));
    }
    let mut tx = cx.read::<actions::FindingList>().await?;
    let total = store::count(&mut tx, filter).await?;
    Ok((total, store::rows(&mut tx, &page, store::wide_order(&page)?, filter).await?))
}
