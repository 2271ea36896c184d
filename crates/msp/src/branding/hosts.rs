//! By which name the hub was reached, and whose brand shows there.
//!
//! - A custom name (`host_names`) leads to its tenant or provider. A tenant's address `slug-provider.<base domain>` leads to it. Slugs have
//!   hyphens themselves, so an address is looked up as every pair it can mean; where two tenants could claim one, the older has it.
//! - Every other name, and a name of a tenant that is archived or gone, shows the default: the provider's brand where the installation has
//!   one top-level provider, the organisation's where it is for that one alone, else the installation's own. An unknown name costs what a known one costs and answers the default's bytes.
//! - What was found is remembered until a commit may have changed it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use kernel::brand::{Brand, BrandImage, Brands};
use kernel::news::Of;
use kernel::store::{Query, StoreError};
use kernel::{Hub, ProviderId, ReadTx, Result, TenantId, Timestamp, params, scope};
use lru::LruCache;
use parking_lot::Mutex;

use super::{image, store};

/// Names that are remembered.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");
/// Longest DNS label.
const LABEL_MAX: usize = 63;

/// The domain below which every tenant has an address, in lower case: provided where the hub is put together, if there is one.
#[derive(Debug, Clone)]
pub struct BaseDomain(pub String);

/// Who answers for brands; see [`Brands`].
#[derive(Debug, Default)]
pub struct Hosts;

impl Brands for Hosts {
    fn at_host<'a>(&'a self, hub: &'a Hub, host: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Brand>>> {
        Box::pin(at_host(hub, host))
    }

    fn of<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<Arc<Brand>>> {
        Box::pin(async move { Ok(Arc::new(super::effective(&mut hub.system_read().await?, of).await?)) })
    }

    fn link_base<'a>(&'a self, hub: &'a Hub, of: Of) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move { link_base(&mut hub.system_read().await?, of).await })
    }

    fn tenant_link_base<'a>(&'a self, tx: &'a mut ReadTx<scope::Records>) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move {
            let of = Of::Tenant(tx.scope.tenant);
            link_base(tx, of).await
        })
    }

    fn image<'a>(&'a self, hub: &'a Hub, address: &'a str) -> BoxFuture<'a, Result<Option<BrandImage>>> {
        Box::pin(async move { image(&mut hub.system_read().await?, address).await })
    }
}

/// A brand as it was at an epoch and an instant.
struct Remembered {
    epoch: u64,
    at: Timestamp,
    brand: Arc<Brand>,
}

struct Memory(Mutex<LruCache<String, Remembered>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED_MAX)))
    }
}

/// The brand that shows at a name, in lower case and without its port; the default for none.
///
/// # Errors
/// As the store's.
pub async fn at_host(hub: &Hub, host: Option<&str>) -> Result<Arc<Brand>> {
    let (memory, now, epoch) = (hub.port_or_default::<Memory>(), hub.now(), hub.epoch());
    let host = host.unwrap_or_default();
    if let Some(known) = memory.0.lock().get(host).filter(|known| hub.fresh(known.epoch, known.at, now)) {
        return Ok(known.brand.clone());
    }
    let mut tx = hub.system_read().await?;
    let of = match place_of(&mut tx, host).await? {
        Some(of) => of,
        None => store::default_place(&mut tx).await?,
    };
    let brand = Arc::new(super::effective(&mut tx, of).await?);
    memory.0.lock().put(host.to_owned(), Remembered { epoch, at: now, brand: brand.clone() });
    Ok(brand)
}

/// Whose a name is; none for one that nobody in use has. Asks the same two questions for every name.
pub(crate) async fn place_of<S: scope::Control>(tx: &mut ReadTx<S>, host: &str) -> Result<Option<Of>> {
    let custom = custom(tx, host).await?;
    let label = base_domain(tx.hub()).and_then(|base| label_below(host, &base)).unwrap_or_default();
    let address = tenant_at(tx, &label).await?;
    Ok(custom.or(address.map(Of::Tenant)))
}

fn base_domain(hub: &Hub) -> Option<String> {
    hub.try_port::<BaseDomain>().map(|base| base.0.clone())
}

/// `label` of `label.base`.
fn label_below(host: &str, base: &str) -> Option<String> {
    let label = host.strip_suffix(base)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
}

/// Whether a name is the hub's to give: its public address, the base domain, and all below it.
pub(crate) fn is_reserved(hub: &Hub, host: &str) -> bool {
    let (_, authority) = hub.public_url().split_once("://").unwrap_or_default();
    let public = kernel::brand::host_name(authority.split('/').next().unwrap_or_default());
    let is_below = base_domain(hub).is_some_and(|base| host == base || host.ends_with(&format!(".{base}")));
    is_below || public.as_deref() == Some(host)
}

async fn custom<S: scope::Control>(tx: &mut ReadTx<S>, host: &str) -> Result<Option<Of>, StoreError> {
    let row = tx
        .opt(
            "SELECT h.provider_id, h.tenant_id FROM host_name h LEFT JOIN tenant t ON t.id = h.tenant_id
             WHERE h.host = ?1 AND (h.tenant_id IS NULL OR t.state IN ('active', 'suspended'))",
            params![host],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (provider, tenant): (ProviderId, Option<TenantId>) = (row.take()?, row.take()?);
    Ok(Some(tenant.map_or(Of::Provider(provider), Of::Tenant)))
}

/// The tenant whose address begins with this label: of all pairs `tenant-provider` that it can be read as, one that exists.
async fn tenant_at<S: scope::Control>(tx: &mut ReadTx<S>, label: &str) -> Result<Option<TenantId>, StoreError> {
    let mut query = Query::new(
        "SELECT t.id FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.state IN ('active', 'suspended')
           AND p.address_subdomains = true AND (1 = 0",
    );
    let hyphens = label.char_indices().filter(|(_, c)| *c == '-' && label.len() <= LABEL_MAX);
    for (at, _) in hyphens {
        query.push(" OR (t.slug = ").bind(&label[..at]).push(" AND p.slug = ").bind(&label[at + 1..]).push(")");
    }
    query.push(") ORDER BY t.created_at, t.id LIMIT 1");
    tx.query(&query).await?.pop().map(|mut row| row.take()).transpose()
}

/// A tenant's address, if there is a base domain, it is no longer than DNS takes, and no older tenant has it.
pub(crate) async fn address_of<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<String>> {
    let Some(base) = base_domain(tx.hub()) else { return Ok(None) };
    let sql = "SELECT t.slug, p.slug FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.id = ?1";
    let Some(mut row) = tx.opt(sql, params![tenant]).await? else { return Ok(None) };
    let (slug, provider): (String, String) = (row.take()?, row.take()?);
    let label = format!("{slug}-{provider}");
    let is_its_own = tenant_at(tx, &label).await? == Some(tenant);
    Ok(is_its_own.then(|| format!("{label}.{base}")))
}

/// The name that a place is reached by: its own custom one (the oldest), a tenant's address, else its provider's custom one.
pub(super) async fn host_of<S: scope::Control>(tx: &mut ReadTx<S>, of: Of) -> Result<Option<String>> {
    let mut provider = match of {
        Of::Installation => None,
        Of::Provider(provider) => Some(provider),
        Of::Tenant(tenant) => {
            let sql = "SELECT host FROM host_name WHERE tenant_id = ?1 ORDER BY created_at, id LIMIT 1";
            if let Some(mut row) = tx.opt(sql, params![tenant]).await? {
                return Ok(Some(row.take()?));
            }
            if let Some(address) = address_of(tx, tenant).await? {
                return Ok(Some(address));
            }
            store::holder(tx, tenant).await?.map(|(provider, _)| provider)
        }
    };
    for _ in 0..8 {
        let Some(id) = provider else { break };
        let sql = "SELECT host FROM host_name WHERE provider_id = ?1 AND tenant_id IS NULL ORDER BY created_at, id LIMIT 1";
        if let Some(mut row) = tx.opt(sql, params![id]).await? {
            return Ok(Some(row.take()?));
        }
        provider = store::provider(tx, id).await?.and_then(|row| row.parent);
    }
    Ok(None)
}

/// What links for people of a place begin with, without a trailing slash: the name it is reached by, on the scheme and port of the hub's
/// public address; where it has none, that address.
///
/// # Errors
/// As the store's.
pub async fn link_base<S: scope::Control>(tx: &mut ReadTx<S>, of: Of) -> Result<String> {
    let host = host_of(tx, of).await?;
    let public = tx.hub().public_url();
    Ok(host.map_or_else(|| public.to_owned(), |host| at(public, &host)))
}

/// The public address with another name in it.
fn at(public: &str, host: &str) -> String {
    let (scheme, authority) = public.split_once("://").unwrap_or(("https", public));
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::{at, label_below};

    #[test]
    fn a_link_keeps_scheme_and_port() {
        assert_eq!(at("https://hub.example", "portal.acme.example"), "https://portal.acme.example");
        assert_eq!(at("http://127.0.0.1:8080", "portal.acme.example"), "http://portal.acme.example:8080");
        assert_eq!(at("http://[::1]:8080", "a.example"), "http://a.example:8080");
        assert_eq!(at("http://[::1]", "a.example"), "http://a.example");
    }

    #[test]
    fn an_address_is_one_label_below_the_base() {
        assert_eq!(label_below("acme-northwind.hub.example", "hub.example").as_deref(), Some("acme-northwind"));
        for other in ["hub.example", ".hub.example", "a.b.hub.example", "acme-northwindhub.example", "acme.example", ""] {
            assert_eq!(label_below(other, "hub.example"), None, "{other}");
        }
    }
}
