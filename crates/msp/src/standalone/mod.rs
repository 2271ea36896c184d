//! Standalone installations: one organisation that looks after itself, without a provider.
//!
//! - Chosen at the first start. The founder is the organisation's admin; there are no staff, no clients and no relationship, so nobody
//!   reaches it but its own people.
//! - Every tenant is held by a provider, so here a placeholder holds it: a row without staff and without a name that anybody could type.
//!   It is no provider to anybody: it stands in no list, and nothing can be made below it.
//! - A licence makes a provider of it ([`crate::msp_licence`]). Until then nothing of a provider's business exists here.
//!
//! What this deliberately does not do: turn a provider's installation back, or keep a second organisation apart from the first (a copy
//! restored beside it is held by the same placeholder, and comes along when a licence is activated).

mod store;

use kernel::{CanFail, Error, Hub, PersonId, ProviderId, ReadTx, Result, TenantId, WriteTx, scope};
use serde_json::json;

use crate::msp_licence::Linked;
use crate::plans;

/// The plan that a standalone organisation is on: the one with everything.
const PLAN: &str = "Complete";

/// An organisation to be founded. Checked: a name of one line, a slug.
#[derive(Debug, Clone, Copy)]
pub struct Founding<'a> {
    /// The id that it gets.
    pub tenant: TenantId,
    /// Its name.
    pub name: &'a str,
    /// Its slug.
    pub slug: &'a str,
    /// Its first admin.
    pub person: PersonId,
}

/// Founds a standalone installation: the placeholder, the organisation with its database and key, its first admin. Whoever does not
/// commit it calls [`abandon`].
///
/// # Errors
/// `Conflict` when there is one already; `Unavailable`.
pub async fn found(tx: &mut WriteTx<scope::Public>, founding: Founding<'_>) -> Result<()> {
    let Founding { tenant, name, slug, person } = founding;
    let provider = ProviderId::new(tx.now());
    if !store::insert_placeholder(tx, provider).await? {
        return Err(Error::Conflict("This installation was set up just now. Sign in.".into()));
    }
    plans::create_defaults(tx, provider).await?;
    let plan = store::plan_named(tx, provider, PLAN).await?;
    let wrapped_key = tx.hub().clone().create_tenant_store(tenant).await?;
    store::insert_tenant(tx, provider, &founding, plan, wrapped_key).await?;
    let member = store::insert_admin(tx, tenant, person).await?;
    tx.subject("tenant", tenant, name.to_owned()).also_in(tenant);
    tx.changed("tenant", tenant, &(), &json!({ "slug": slug, "name": name, "plan": PLAN, "standalone": true }));
    tx.changed("member", format!("mem_{}", member.simple()), &(), &json!({ "role": "admin" }));
    Ok(())
}

/// Removes the database of an organisation whose founding was not committed.
pub async fn abandon(hub: &Hub, tenant: TenantId) {
    // Whether a commit that failed was made is for the registry to say; when that does not answer either, the data stays.
    if matches!(store::is_registered(hub, tenant).await, Ok(false)) {
        hub.destroy_tenant_store(tenant).await.can_fail("a database without a registry row is reached by nobody");
    }
}

/// The placeholder, where the installation is standalone.
///
/// # Errors
/// As the store's.
pub async fn placeholder<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Option<ProviderId>> {
    Ok(store::placeholder(tx).await?)
}

/// The placeholder that holds this tenant; none where a provider does.
pub(crate) async fn holder<S: scope::Control>(tx: &mut ReadTx<S>, tenant: TenantId) -> Result<Option<ProviderId>> {
    Ok(store::holder(tx, tenant).await?)
}

/// What became a provider's first client.
pub(crate) struct Upgraded {
    pub slug: String,
    pub name: String,
    pub linked: Linked,
}

/// Makes the placeholder a provider of this name and slug, the person its first admin, and what it holds its clients.
///
/// # Errors
/// `Conflict` when it is one already, or the slug is taken.
pub(crate) async fn upgrade<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    tenant: TenantId,
    person: PersonId,
    (name, slug): (&str, &str),
) -> Result<Upgraded> {
    if store::slug_is_taken(tx, slug).await? {
        return Err(Error::field("provider_slug", "taken", "is taken; choose another"));
    }
    if !store::name_placeholder(tx, provider, name, slug).await? {
        return Err(Error::Conflict("This installation has a provider already.".into()));
    }
    let staff = store::insert_first_staff(tx, provider, person).await?;
    tx.changed("staff", format!("stf_{}", staff.simple()), &(), &json!({ "role": "provider_admin", "state": "active" }));
    for held in store::held(tx, provider).await? {
        let relationship = store::insert_relationship(tx, provider, held).await?;
        let after = json!({ "provider": name, "tier": "T3", "state": "active", "ends_at": null });
        if held == tenant {
            tx.changed("relationship", relationship, &(), &after);
        } else {
            tx.changed_in(held, "relationship", relationship, &(), &after);
        }
    }
    Ok(store::upgraded(tx, tenant).await?)
}
