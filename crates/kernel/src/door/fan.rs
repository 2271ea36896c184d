//! Fan-out: pages over many tenants, as a loop of single-tenant reads, each through its own door. There is no query on the data of several
//! tenants.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use uuid::Uuid;

use super::context::{ProviderCx, TenantCx};
use super::tx::{ReadTx, scope};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::paging::{Order, PageQuery};
use crate::params;
use crate::store::Value;

/// Tenants that are read at once for one page.
const AT_ONCE: usize = 16;

/// A client, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ClientNamed {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
}

/// A client that the person who asks may know of, with what its summary says: for pages that need not open everybody.
#[derive(Debug, Clone)]
pub struct ClientBrief {
    /// Which.
    pub tenant: ClientNamed,
    /// Its open findings, as its last write left them.
    pub findings_open: i64,
    /// When time alone changes that.
    pub recheck_at: Option<Timestamp>,
    /// When it was last scanned.
    pub scan_at: Option<Timestamp>,
    /// Modules of its plan.
    pub modules: access::Modules,
}

/// A client that could not be read, and why.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Unreadable {
    /// Which.
    pub tenant: ClientNamed,
    /// Why, one sentence.
    pub why: String,
}

/// What a fan-out brought home.
#[derive(Debug)]
pub struct Fanned<T> {
    /// What each client answered, in the order asked.
    pub read: Vec<(ClientBrief, T)>,
    /// Those that did not let the person read.
    pub unreadable: Vec<Unreadable>,
}

impl ReadTx<scope::Provider> {
    /// The provider's clients that the person who asks may know of, by name: of id or slug `only`, when it is given.
    ///
    /// # Errors
    /// As the store's.
    pub async fn clients(&mut self, only: Option<&str>) -> Result<Vec<ClientBrief>> {
        let (provider, me, now) = (self.scope.provider, self.me()?.person, self.now());
        let sql = "SELECT t.id, t.slug, t.name, COALESCE(s.findings_open, 0), s.recheck_at, s.scan_at, p.modules
             FROM relationship r JOIN tenant t ON t.id = r.tenant_id
             JOIN plan_version p ON p.plan_id = t.plan_id AND p.number = t.plan_number
             LEFT JOIN summary s ON s.tenant_id = t.id
             WHERE r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged' AND (
                EXISTS (SELECT 1 FROM staff f WHERE f.provider_id = ?1 AND f.person_id = ?2 AND f.role = 'provider_admin')
                OR t.id IN (SELECT a.tenant_id FROM reach_assignment a WHERE a.provider_id = ?1 AND a.person_id = ?2
                            AND a.starts_at <= ?3 AND (a.ends_at IS NULL OR a.ends_at > ?3))
                OR t.id IN (SELECT e.tenant_id FROM elevation e
                            WHERE e.provider_id = ?1 AND e.person_id = ?2 AND e.state = 'approved' AND e.starts_at <= ?3 AND e.ends_at > ?3))
             ORDER BY t.id";
        let mut clients = Vec::new();
        for mut row in self.rows(sql, params![provider, me, now]).await? {
            let tenant = ClientNamed { id: row.take()?, slug: row.take()?, name: row.take()? };
            let (findings_open, recheck_at, scan_at) = (row.take()?, row.take()?, row.take()?);
            let modules = access::Modules::from_bits(u16::try_from(row.take::<i64>()?).unwrap_or_default());
            clients.push(ClientBrief { tenant, findings_open, recheck_at, scan_at, modules });
        }
        clients.retain(|client| only.is_none_or(|only| client.tenant.slug == only || client.tenant.id.to_string() == only));
        // Ordered here, so that a cursor means the same on both databases.
        clients.sort_by_cached_key(|client| (client.tenant.name.to_lowercase(), client.tenant.id));
        Ok(clients)
    }
}

impl ProviderCx {
    /// Reads each of these clients through its own door, some at once. A client that refuses is named with the reason; one that the
    /// person may not know of is left out; one that does not answer in time is named too.
    ///
    /// # Errors
    /// What is nobody's refusal: a wrong request, or a failure.
    pub async fn fan_out<T, F, Fut>(&self, clients: Vec<ClientBrief>, read: F) -> Result<Fanned<T>>
    where
        F: Fn(TenantCx, ClientBrief) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let answers = stream::iter(clients).map(|client| {
            let read = &read;
            async move {
                let answer = match self.enter(client.tenant.id).await {
                    Ok(cx) => read(cx, client.clone()).await,
                    Err(error) => Err(error),
                };
                (client, answer)
            }
        });
        let mut answers = Box::pin(answers.buffered(AT_ONCE));
        let mut fanned = Fanned { read: Vec::new(), unreadable: Vec::new() };
        while let Some((client, answer)) = answers.next().await {
            let why = match answer {
                Ok(value) => {
                    fanned.read.push((client, value));
                    continue;
                }
                Err(Error::NotFound) => continue,
                Err(Error::Forbidden(refusal) | Error::StepUpRequired(refusal)) => refusal.why,
                Err(Error::TooMany(_)) => "This organisation is busy; ask again.".into(),
                Err(Error::Unavailable(why)) => why,
                Err(error) => return Err(error),
            };
            fanned.unreadable.push(Unreadable { tenant: client.tenant, why });
        }
        Ok(fanned)
    }
}

/// How a page over many clients is ordered.
#[derive(Debug, Clone, Copy)]
pub enum FanOrder {
    /// By this order over all clients together. Its key is a number: the order of texts is not the same on every database.
    Merged(Order),
    /// Client by client, by name, and inside of each by this order.
    ByClient(Order),
}

/// What one client answers: how many rows it has in all, and those of the page, with the key and id that they are ordered by; up to one
/// more than the page's limit.
pub type FanRows<T> = (i64, Vec<(T, Value, Uuid)>);

/// A page over many clients.
#[derive(Debug)]
pub struct FanPage<T> {
    /// The rows, each with its client.
    pub items: Vec<(ClientNamed, T)>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Rows in all, of every client that was read.
    pub total: i64,
    /// Clients that were read.
    pub reached: usize,
    /// Clients that did not let the person read.
    pub unreadable: Vec<Unreadable>,
}

/// Where a page that goes client by client ended: the client's name in lower case and id, and the cursor inside of it.
type Place = (String, TenantId, String);

fn place(client: &ClientBrief) -> (String, TenantId) {
    (client.tenant.name.to_lowercase(), client.tenant.id)
}

impl ProviderCx {
    /// A page over these clients: each is read through its own door, by `read`, which is given the page that is asked of it.
    ///
    /// # Errors
    /// `Invalid` for a wrong page; else as [`Self::fan_out`].
    pub async fn fan_page<T, F, Fut>(
        &self,
        clients: Vec<ClientBrief>,
        page: &PageQuery,
        order: FanOrder,
        read: F,
    ) -> Result<FanPage<T>>
    where
        F: Fn(TenantCx, ClientBrief, PageQuery) -> Fut,
        Fut: Future<Output = Result<FanRows<T>>>,
    {
        match order {
            FanOrder::Merged(order) => self.fan_merged(clients, page, order, read).await,
            FanOrder::ByClient(order) => self.fan_by_client(clients, page, order, read).await,
        }
    }

    /// The cursor names a row of the order that all clients share, so that it is the cursor of each of them too.
    async fn fan_merged<T, F, Fut>(&self, clients: Vec<ClientBrief>, page: &PageQuery, order: Order, read: F) -> Result<FanPage<T>>
    where
        F: Fn(TenantCx, ClientBrief, PageQuery) -> Fut,
        Fut: Future<Output = Result<FanRows<T>>>,
    {
        let limit = page.limit()? as usize;
        let fanned = self.fan_out(clients, |cx, client| read(cx, client, page.clone())).await?;
        let (total, reached) = (fanned.read.iter().map(|(_, (total, _))| total).sum(), fanned.read.len());
        let mut rows = Vec::new();
        for (client, (_, found)) in fanned.read {
            rows.extend(found.into_iter().map(|(row, key, id)| (client.tenant.clone(), row, key, id)));
        }
        let number = |key: &Value| if let Value::Int(n) = key { *n } else { 0 };
        rows.sort_by(|(_, _, a, a_id), (_, _, b, b_id)| {
            let by = (number(a), a_id).cmp(&(number(b), b_id));
            if order.descending { by.reverse() } else { by }
        });
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, _, key, id)| order.after(key, *id));
        let items = rows.into_iter().map(|(tenant, row, _, _)| (tenant, row)).collect();
        Ok(FanPage { items, next, total, reached, unreadable: fanned.unreadable })
    }

    /// Everybody is asked how much there is; then those are read that the page needs.
    async fn fan_by_client<T, F, Fut>(
        &self,
        clients: Vec<ClientBrief>,
        page: &PageQuery,
        order: Order,
        read: F,
    ) -> Result<FanPage<T>>
    where
        F: Fn(TenantCx, ClientBrief, PageQuery) -> Fut,
        Fut: Future<Output = Result<FanRows<T>>>,
    {
        let limit = page.limit()?;
        let from: Option<Place> = page.cursor.as_deref().map(decode).transpose()?;
        let inside = |client: &ClientBrief| {
            let is_here =
                from.as_ref().filter(|(name, id, _)| (name, id) == (&client.tenant.name.to_lowercase(), &client.tenant.id));
            is_here.map(|(_, _, cursor)| cursor.clone())
        };
        let asked = |client: &ClientBrief, limit| PageQuery { cursor: inside(client), limit: Some(limit), ..page.clone() };
        let counted = self.fan_out(clients, |cx, client| read(cx, client.clone(), asked(&client, 1))).await?;
        let total = counted.read.iter().map(|(_, (total, _))| total).sum();
        let (reached, unreadable) = (counted.read.len(), counted.unreadable);
        let is_to_come = |client: &ClientBrief| from.as_ref().is_none_or(|(name, id, _)| place(client) >= (name.clone(), *id));
        let mut needed = Vec::new();
        let mut sure = 0;
        for (client, (count, first)) in counted.read {
            if sure > i64::from(limit) || first.is_empty() || !is_to_come(&client) {
                continue;
            }
            // Of the client where the page before ended it is not known how much is left.
            sure += if inside(&client).is_some() { 1 } else { count };
            needed.push(client);
        }
        let fanned = self.fan_out(needed, |cx, client| read(cx, client.clone(), asked(&client, limit))).await?;
        let mut rows = Vec::new();
        for (client, (_, found)) in fanned.read {
            rows.extend(found.into_iter().map(|(row, key, id)| (client.clone(), row, key, id)));
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(client, _, key, id)| {
            let (name, tenant) = place(client);
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(name, tenant, order.after(key, *id))).unwrap_or_default())
        });
        let items = rows.into_iter().map(|(client, row, _, _)| (client.tenant, row)).collect();
        Ok(FanPage { items, next, total, reached, unreadable })
    }
}

fn decode(cursor: &str) -> Result<Place> {
    let read = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| Error::field("cursor", "unknown", "use the `next` of the page before, with the same sort, or leave it out"))
}
