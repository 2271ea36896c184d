//! Fan-out: pages over many tenants, as a loop of single-tenant reads, each through its own door. There is no query on the data of several
//! tenants.

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::context::{ProviderCx, TenantCx};
use super::tx::{ReadTx, scope};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::params;

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
             FROM relationship r JOIN tenant t ON t.id = r.tenant_id JOIN plan p ON p.id = t.plan_id
             LEFT JOIN summary s ON s.tenant_id = t.id
             WHERE r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged' AND (
                EXISTS (SELECT 1 FROM staff f WHERE f.provider_id = ?1 AND f.person_id = ?2 AND f.role = 'provider_admin')
                OR t.id IN (SELECT a.tenant_id FROM reach_assignment a WHERE a.provider_id = ?1 AND a.person_id = ?2)
                OR t.id IN (SELECT e.tenant_id FROM elevation e
                            WHERE e.provider_id = ?1 AND e.person_id = ?2 AND e.state = 'approved' AND e.ends_at > ?3))
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
