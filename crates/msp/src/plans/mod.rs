//! What tenants can buy: a name, the modules it opens, how many seats it has.
//!
//! A new provider begins with three plans. What this deliberately does not do: edit plans, price them, or move tenants between them
//! (that is `tenant.update`).

mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{Module, Modules};
use kernel::{Page, ProviderId, ReadTx, Result, WriteTx, scope};
use serde::Serialize;

pub(crate) use http::router;

kernel::kinds! {
    /// What a tenant has bought.
    PlanKind PlanId "pln";
}

/// A plan as the provider sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Its name, once per provider.
    pub name: String,
    /// The modules it opens.
    pub modules: Modules,
    /// Seats; `null`: unlimited, 0: none.
    pub seats_max: Option<i64>,
    /// Tenants on it that are not purged.
    pub client_count: i64,
}

/// The provider's plans. A handful by nature, so one page.
///
/// # Errors
/// As the store's.
pub async fn list(tx: &mut ReadTx<scope::Provider>) -> Result<Page<Plan>> {
    Ok(Page::whole(store::list(tx).await?))
}

/// The plans a provider begins with.
///
/// # Errors
/// As the store's.
pub async fn create_defaults<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<()> {
    use Module::{Compliance, Discovery, Governance, Observability, Secops};
    let essentials = Modules::from_iter([Compliance, Discovery]);
    let secure = Modules::from_iter([Compliance, Discovery, Governance, Secops, Observability]);
    for (name, modules, seats_max) in
        [("Essentials", essentials, Some(25)), ("Secure", secure, Some(100)), ("Complete", Modules::ALL, None)]
    {
        let id = PlanId::new(tx.now());
        store::insert(tx, provider, &Plan { id, name: name.to_owned(), modules, seats_max, client_count: 0 }).await?;
    }
    Ok(())
}
