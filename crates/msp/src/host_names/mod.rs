//! Names that lead here: a provider's own and those of its clients, beside the addresses that every client has where the installation has
//! a base domain.
//!
//! - A name belongs to one place; whoever has it keeps it until it is taken back. Who has one that is taken is not told.
//! - The hub's own name, the base domain and all below it are not to be had.
//! - A name decides which brand shows and where links lead; never what anybody may do.
//!
//! What this deliberately does not do: make DNS records or certificates (whoever runs the proxy before the hub does), or check who owns a
//! domain: a name does nothing until its owner points it here.

mod http;
mod store;
#[cfg(test)]
mod tests;

use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::branding;
pub(crate) use http::router;

kernel::kinds! {
    /// A name that leads here.
    HostNameKind HostNameId "hst";
}

/// Most names that a provider has.
pub const NAMES_MAX: i64 = 1_000;

/// A name that leads here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HostName {
    /// The name, in lower case.
    pub host: String,
    /// The client it belongs to; `null`: the provider itself.
    pub tenant: Option<TenantNamed>,
    /// Whether it was given or follows from the client's slug.
    pub kind: HostKind,
    /// Since when.
    pub created_at: Timestamp,
}

/// A tenant, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = HostNameTenant)]
pub struct TenantNamed {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
}

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostKind {
    /// `slug-provider.<base domain>`; comes and goes with the client.
    Address,
    /// Given by the provider.
    Custom,
}

/// A name that is to lead here.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct HostNameCreate {
    /// The name, as in `portal.acme.example`.
    pub host: String,
    /// Slug or id of the client it belongs to; left out: the provider itself.
    pub tenant: Option<String>,
}

/// The provider's names and its clients'.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<HostName>> {
    let mut found = store::list(tx, page).await?;
    // Where two clients' addresses are spelled alike, the older one has it.
    let mut kept = Vec::with_capacity(found.items.len());
    for item in found.items {
        let is_shadowed = match (&item.kind, &item.tenant) {
            (HostKind::Address, Some(tenant)) => branding::address_of(tx, tenant.id).await?.as_deref() != Some(item.host.as_str()),
            _ => false,
        };
        if !is_shadowed {
            kept.push(item);
        }
    }
    found.items = kept;
    Ok(found)
}

/// Gives a name to the provider or to one of its clients.
///
/// # Errors
/// `Invalid`, `Conflict` when somebody has it.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: HostNameCreate) -> Result<HostName> {
    let mut check = Check::new();
    let given = body.host.trim();
    let host = kernel::brand::host_name(given).filter(|host| is_domain(host) && !given.contains(':')).unwrap_or_default();
    check.that(
        !host.is_empty(),
        "host",
        "not_a_host_name",
        "is not a host name like portal.acme.example, without https:// and port",
    );
    let is_ours = branding::is_reserved(tx.hub(), &host);
    check.that(!is_ours, "host", "reserved", "is the hub's own name, or below its base domain; choose one of your own domain");
    let tenant = match &body.tenant {
        None => None,
        Some(named) => {
            let tenant = store::own_tenant(tx, named).await?;
            check.that(tenant.is_some(), "tenant", "unknown", "is no client that you hold");
            tenant
        }
    };
    check.done()?;
    if store::count(tx).await? >= NAMES_MAX {
        return Err(Error::Conflict(format!("There are {NAMES_MAX} names, which is the most. Remove one that is not used.")));
    }
    let id = HostNameId::new(tx.now());
    if !store::insert(tx, id, &host, tenant.as_ref().map(|tenant| tenant.id)).await? {
        return Err(Error::Conflict("This name is taken. Choose another, or remove it where it is used now.".into()));
    }
    tx.subject("host_name", id, host.clone());
    let name = HostName { host, tenant, kind: HostKind::Custom, created_at: tx.now() };
    tx.changed("host_name", id, &(), &name);
    if let Some(tenant) = name.tenant.as_ref().map(|tenant| tenant.id) {
        tx.also_in(tenant);
    }
    Ok(name)
}

/// A name of the DNS with a dot in it, and no address in numbers: the last label is never all digits (RFC 3696 section 2).
fn is_domain(host: &str) -> bool {
    host.rsplit_once('.').is_some_and(|(_, last)| last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit()))
}

/// Takes a name back.
///
/// # Errors
/// `NotFound`, `Conflict` for an address, which nobody gave.
pub async fn delete(tx: &mut WriteTx<scope::Provider>, host: &str) -> Result<()> {
    let host = kernel::brand::host_name(host).ok_or(Error::NotFound)?;
    let Some((id, tenant, created_at)) = store::custom(tx, &host).await? else {
        return Err(if store::is_own_address(tx, &host).await? {
            Error::Conflict("An address comes with the client and the base domain, and cannot be removed.".into())
        } else {
            Error::NotFound
        });
    };
    store::delete(tx, id).await?;
    tx.subject("host_name", id, host.clone());
    let name = HostName { host, tenant, kind: HostKind::Custom, created_at };
    tx.changed("host_name", id, &name, &());
    if let Some(tenant) = name.tenant.as_ref().map(|tenant| tenant.id) {
        tx.also_in(tenant);
    }
    Ok(())
}
