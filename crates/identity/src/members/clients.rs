//! Members of many clients on one page: a loop of single-tenant reads, each through its own door.

use access::actions;
use kernel::door::{ClientNamed, FanOrder, Unreadable};
use kernel::{PageQuery, ProviderCx, Result};
use serde::{Deserialize, Serialize};

use super::{Member, MemberQuery, store};

/// Which members of which clients. Sorts: tenant (each client's by name), created, last_seen.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ClientMemberQuery {
    /// Part of a name or e-mail address.
    pub q: Option<String>,
    /// Roles, separated by commas.
    pub role: Option<String>,
    /// active or disabled.
    pub state: Option<String>,
    /// Only of this client, by id or slug.
    pub tenant: Option<String>,
    /// Name of the order; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// A member, and of which client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientMember {
    /// The client.
    pub tenant: ClientNamed,
    /// The member.
    pub member: Member,
}

/// A page of members of many clients.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClientMembers {
    /// The rows.
    pub items: Vec<ClientMember>,
    /// The cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// Rows in all, after filters.
    pub total: i64,
    /// How many clients were read.
    pub reached: usize,
    /// Clients whose members the person may not read now, and why.
    pub unreadable: Vec<Unreadable>,
}

pub(super) async fn list(cx: &ProviderCx, query: ClientMemberQuery) -> Result<ClientMembers> {
    let ClientMemberQuery { q, role, state, tenant, sort, cursor, limit } = query;
    let sort = sort.filter(|sort| !sort.is_empty() && sort != "tenant");
    let page = PageQuery { q, sort, cursor, limit };
    let order = store::wide_order(&page)?;
    let order = if page.sort.is_none() { FanOrder::ByClient(order) } else { FanOrder::Merged(order) };
    let mut tx = cx.read::<actions::ClientMemberList>().await?;
    let clients = tx.clients(tenant.as_deref()).await?;
    drop(tx);
    let wanted = &MemberQuery { role, state, ..MemberQuery::default() };
    let read = |cx: kernel::TenantCx, _, page: PageQuery| async move {
        let mut tx = cx.read_records::<actions::MemberList>().await?;
        store::rows(&mut tx, wanted, &page, store::wide_order(&page)?).await
    };
    let found = cx.fan_page(clients, &page, order, read).await?;
    let items = found.items.into_iter().map(|(tenant, member)| ClientMember { tenant, member }).collect();
    Ok(ClientMembers { items, next: found.next, total: found.total, reached: found.reached, unreadable: found.unreadable })
}
