//! The two sides that decide on elevations: the provider, and the tenant. One state machine serves both.

use access::Act;
use kernel::door::Stand;
use kernel::{PersonId, ReadTx, Result, TenantId, WriteTx, scope};
use uuid::Uuid;

use super::store::Stored;
use crate::elevation_templates::Approver;

/// A side, by the scope of its transactions.
pub(super) trait Side: scope::Control {
    /// Saying yes.
    const APPROVE: Act;
    /// Saying no.
    const DENY: Act;
    /// Ending anybody's.
    const END: Act;
    /// Ending one's own.
    const END_OWN: Act;
    /// It is the provider: the tenant sees staff as their provider shows them to tenants, and does not end what the operator opened.
    const IS_PROVIDER: bool;
    /// The column that names it.
    const COLUMN: &'static str;
    /// What `q` is looked for in.
    const SEARCHED: &'static str;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Whether its word is among those that are needed.
    fn is_asked(approver: Approver) -> bool;
    /// Lets both ledgers know.
    fn tell(tx: &mut WriteTx<Self>, elevation: &Stored);
    /// Where a person stands on the tenant.
    fn stand(tx: &mut ReadTx<Self>, person: PersonId, tenant: TenantId) -> impl Future<Output = Result<Option<Stand>>> + Send;
}

impl Side for scope::Provider {
    const APPROVE: Act = Act::ElevationApprove;
    const DENY: Act = Act::ElevationDeny;
    const END: Act = Act::ElevationEnd;
    const END_OWN: Act = Act::ElevationEndOwn;
    const IS_PROVIDER: bool = true;
    const COLUMN: &'static str = "e.provider_id";
    const SEARCHED: &'static str = "p.name || ' ' || t.name || ' ' || t.slug || ' ' || e.template_name || ' ' || e.ticket";

    fn id(&self) -> Uuid {
        self.provider.uuid()
    }

    fn is_asked(approver: Approver) -> bool {
        matches!(approver, Approver::Provider | Approver::Both)
    }

    fn tell(tx: &mut WriteTx<Self>, elevation: &Stored) {
        tx.also_in(elevation.tenant.id);
    }

    async fn stand(tx: &mut ReadTx<Self>, person: PersonId, tenant: TenantId) -> Result<Option<Stand>> {
        Ok(tx.stands_on(tenant, Some(person)).await?.and_then(|stands| stands.of(person)))
    }
}

impl Side for scope::Records {
    const APPROVE: Act = Act::AccessRequestApprove;
    const DENY: Act = Act::AccessRequestDeny;
    const END: Act = Act::AccessRequestEnd;
    const END_OWN: Act = Act::AccessRequestEnd;
    const IS_PROVIDER: bool = false;
    const COLUMN: &'static str = "e.tenant_id";
    const SEARCHED: &'static str =
        "CASE WHEN v.staff_shown = 'by_name' THEN p.name ELSE '' END || ' ' || v.name || ' ' || e.template_name || ' ' || e.ticket";

    fn id(&self) -> Uuid {
        self.tenant.uuid()
    }

    fn is_asked(approver: Approver) -> bool {
        matches!(approver, Approver::Tenant | Approver::Both)
    }

    fn tell(tx: &mut WriteTx<Self>, elevation: &Stored) {
        tx.in_ledger_of(elevation.provider.id);
    }

    async fn stand(tx: &mut ReadTx<Self>, person: PersonId, _tenant: TenantId) -> Result<Option<Stand>> {
        Ok(tx.stands(Some(person)).await?.of(person))
    }
}
