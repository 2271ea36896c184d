//! The operator's activation at the machine: a renewal, or the way from a standalone installation to a provider's.

use kernel::{Error, Hub, PersonId, ProviderId, Result, TenantId, params};
use serde::{Deserialize, Serialize};

use super::upgrade::{Who, upgrade};
use super::{LicenceActivate, LicenceId, enforce};
use crate::standalone;

/// A licence that the operator activates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatorActivate {
    /// The text of the licence's file.
    pub licence: String,
    /// The name that the provider gets: only on a standalone installation.
    pub provider_name: Option<String>,
    /// Its slug: only on a standalone installation.
    pub provider_slug: Option<String>,
    /// Who becomes its first admin, by e-mail: only on a standalone installation.
    pub admin: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct OperatorActivated {
    /// The licence.
    pub licence: LicenceId,
    /// It is in force now, and was not before.
    pub is_new: bool,
    /// The provider that was made of a standalone installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// Its first client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

/// Activates a licence as the operator.
///
/// # Errors
/// `Invalid`, `Conflict` before the installation was set up.
pub async fn activate_as_operator(hub: &Hub, asked: &OperatorActivate) -> Result<OperatorActivated> {
    let mut tx = hub.system_write("msp_licence.activate", "the operator activates a licence").await?;
    let terms = super::check(&asked.licence, &hub.port(), hub.now())?.licence;
    let Some(provider) = standalone::placeholder(&mut tx).await? else {
        if let Some((field, _)) = asked.only_standalone() {
            return Err(Error::field(
                field,
                "not_standalone",
                "is only for an installation without a provider, and this one has one",
            ));
        }
        if tx.opt("SELECT 1 FROM provider LIMIT 1", &[]).await?.is_none() {
            return Err(Error::Conflict("Set the installation up first: open it in a browser.".into()));
        }
        let (terms, is_new) = enforce(&mut tx, &asked.licence, None).await?;
        tx.keeps_authority().subject("msp_licence", terms.id, terms.customer);
        tx.commit().await?;
        return Ok(OperatorActivated { licence: terms.id, is_new, provider: None, tenant: None });
    };
    let missing =
        |field: &str| Error::field(field, "missing", "is needed: this installation is standalone, and gets a provider now");
    let name = asked.provider_name.clone().ok_or_else(|| missing("provider_name"))?;
    let slug = asked.provider_slug.clone().ok_or_else(|| missing("provider_slug"))?;
    let admin = asked.admin.as_deref().ok_or_else(|| missing("admin"))?;
    let row = tx
        .opt(
            "SELECT t.id, p.id, p.name FROM tenant t JOIN member m ON m.tenant_id = t.id JOIN person p ON p.id = m.person_id
             WHERE t.provider_id = ?1 AND t.state = 'active' AND p.email = ?2 AND p.state = 'active'
               AND m.role = 'admin' AND m.state = 'active' ORDER BY t.id LIMIT 1",
            params![provider, admin.trim().to_lowercase()],
        )
        .await?;
    let mut row = row.ok_or_else(|| Error::field("admin", "unknown", "is no active admin of this installation's organisation"))?;
    let (tenant, person, person_name): (TenantId, PersonId, String) = (row.take()?, row.take()?, row.take()?);
    tx.in_ledger_of(provider).also_in(tenant);
    let body = LicenceActivate { licence: asked.licence.clone(), provider_name: name, provider_slug: slug };
    let who = Who { provider, tenant, person, name: &person_name, by: None };
    upgrade(&mut tx, who, &body).await?;
    tx.commit().await?;
    Ok(OperatorActivated { licence: terms.id, is_new: true, provider: Some(provider), tenant: Some(tenant) })
}

impl OperatorActivate {
    /// What was said that is only for a standalone installation.
    fn only_standalone(&self) -> Option<(&'static str, &str)> {
        let said = [("provider_name", &self.provider_name), ("provider_slug", &self.provider_slug), ("admin", &self.admin)];
        said.into_iter().find_map(|(field, value)| value.as_deref().map(|value| (field, value)))
    }
}
