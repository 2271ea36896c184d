//! Who did it, and as what: kept beside what was done, so that it reads the same after the person has left.
//!
//! A provider may show its staff to tenants by role only; then a member reads "Northwind IT staff · T2" where staff read a name.

use kernel::door::Caller;
use kernel::door::scope::Data;
use kernel::store::{Row, StoreError, Value};
use kernel::{PersonId, ReadTx, Result};
use serde::{Deserialize, Serialize};

/// Somebody who acted, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Who.
    pub id: PersonId,
    /// Name at the time.
    pub name: String,
    /// How they acted: `auditor`, `Northwind IT staff · T2`.
    #[serde(rename = "as")]
    pub acted_as: String,
    /// They acted for a provider.
    pub staff: bool,
}

/// A person as answers name them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Named {
    /// Who.
    pub id: PersonId,
    /// What to call them.
    pub name: String,
}

/// The person whose request this is, and how they act here.
pub(crate) fn me(tx: &ReadTx<Data>) -> Result<By> {
    Ok(of(tx.me()?, tx.grant_label().as_ref()))
}

/// A person who acts through a grant.
pub(crate) fn of(caller: &Caller, grant: Option<&ledger::Grant>) -> By {
    let provider = grant.and_then(|grant| grant.provider.as_ref());
    let acted_as = match (grant, provider) {
        (Some(grant), Some(provider)) => grant
            .tier
            .as_ref()
            .map_or_else(|| format!("{} staff", provider.name), |tier| format!("{} staff · {tier}", provider.name)),
        (Some(grant), None) => grant.role.clone().unwrap_or_default(),
        (None, _) => String::new(),
    };
    By { id: caller.person, name: caller.name.clone(), acted_as, staff: provider.is_some() }
}

/// Whether whoever asks may read the names of staff: staff do, members when the provider says so.
pub(crate) fn sees_staff_names(tx: &ReadTx<Data>) -> bool {
    let is_staff = tx.grant_label().is_some_and(|grant| grant.provider.is_some());
    is_staff || tx.tenant().is_none_or(|tenant| tenant.staff_by_name)
}

impl By {
    /// As it is shown to whoever asks.
    pub(crate) fn shown(self, sees_staff_names: bool) -> Named {
        let name = if self.staff && !sees_staff_names { self.acted_as } else { self.name };
        Named { id: self.id, name }
    }
}

impl From<&By> for Value {
    fn from(by: &By) -> Self {
        Self::Text(serde_json::to_string(by).expect("four plain fields are JSON"))
    }
}

/// The next column: somebody, or nobody.
pub(crate) fn read(row: &mut Row) -> Result<Option<By>, StoreError> {
    let text: Option<String> = row.take()?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| StoreError::Shape(format!("stored JSON: {error}")))).transpose()
}
