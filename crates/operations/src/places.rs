//! Whose inbox: a provider's or a tenant's, by id, slug and name.

use kernel::news::Of;
use kernel::store::{Row, StoreError};
use kernel::{ProviderId, ReadTx, Result, TenantId, params, scope};
use serde::{Deserialize, Serialize};

/// A tenant, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TenantShort {
    /// Id.
    pub id: TenantId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
}

/// A provider, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProviderShort {
    /// Id.
    pub id: ProviderId,
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
}

/// A provider or a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Provider(ProviderId),
    Tenant(TenantId),
}

impl Place {
    /// From the two columns of which one is set.
    pub fn of(provider: Option<ProviderId>, tenant: Option<TenantId>) -> Option<Self> {
        tenant.map(Self::Tenant).or(provider.map(Self::Provider))
    }

    pub fn provider(self) -> Option<ProviderId> {
        if let Self::Provider(provider) = self { Some(provider) } else { None }
    }

    pub fn tenant(self) -> Option<TenantId> {
        if let Self::Tenant(tenant) = self { Some(tenant) } else { None }
    }

    /// As acts name it.
    pub fn as_said(self) -> Of {
        match self {
            Self::Provider(provider) => Of::Provider(provider),
            Self::Tenant(tenant) => Of::Tenant(tenant),
        }
    }
}

/// Name of a provider or a tenant that is there, and the console's address of its alerts.
pub(crate) async fn named<S: scope::Control>(tx: &mut ReadTx<S>, place: Place) -> Result<Option<(String, String)>> {
    let row = match place {
        Place::Provider(provider) => tx.opt("SELECT name, slug FROM provider WHERE id = ?1", params![provider]).await?,
        Place::Tenant(tenant) => {
            tx.opt("SELECT name, slug FROM tenant WHERE id = ?1 AND state <> 'purged'", params![tenant]).await?
        }
    };
    let Some(mut row) = row else { return Ok(None) };
    let (name, slug): (String, String) = (row.take()?, row.take()?);
    Ok(Some((name, link(place.tenant().map(|_| slug.as_str()), &slug))))
}

/// The console's address of the alerts of a tenant, or else of a provider.
pub(crate) fn link(tenant_slug: Option<&str>, provider_slug: &str) -> String {
    match tenant_slug {
        Some(slug) => format!("/t/{slug}/alerts"),
        None => format!("/alerts?provider={provider_slug}"),
    }
}

/// The next three columns: id, slug, name of a tenant that may not be there.
pub(crate) fn take_tenant(row: &mut Row) -> Result<Option<TenantShort>, StoreError> {
    let (id, slug, name): (Option<TenantId>, Option<String>, Option<String>) = (row.take()?, row.take()?, row.take()?);
    Ok(id.zip(slug).zip(name).map(|((id, slug), name)| TenantShort { id, slug, name }))
}

/// The same of a provider.
pub(crate) fn take_provider(row: &mut Row) -> Result<Option<ProviderShort>, StoreError> {
    let (id, slug, name): (Option<ProviderId>, Option<String>, Option<String>) = (row.take()?, row.take()?, row.take()?);
    Ok(id.zip(slug).zip(name).map(|((id, slug), name)| ProviderShort { id, slug, name }))
}
