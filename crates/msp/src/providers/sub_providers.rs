//! The providers below one: listing, making and changing them.

use access::{ProviderState, StaffRole, Tier};
use kernel::http::IfMatch;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ProviderId, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use super::{DEPTH_MAX, ceiling, lineage, store};
use crate::invitations::{self, InvitationCreated, Invitee};

/// A sub-provider as its parent sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SubProvider {
    /// Its id.
    pub id: ProviderId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its highest tier.
    pub ceiling: Tier,
    /// Its tenants.
    pub client_count: i64,
    /// Its people.
    pub staff_count: i64,
    /// Where in its life it is.
    pub state: ProviderState,
    /// Its version, for If-Match.
    pub version: i64,
}

/// A sub-provider to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct SubProviderCreate {
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Its highest tier: at most the parent's own.
    pub ceiling: Tier,
    /// Who is invited to run it.
    pub admin_email: String,
}

/// A sub-provider that was made, and the link for its first admin.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SubProviderCreated {
    /// The sub-provider.
    pub provider: SubProvider,
    /// The invitation; its token is shown this once.
    pub invitation: InvitationCreated,
}

/// A change of a sub-provider; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct SubProviderUpdate {
    /// Its name.
    pub name: Option<String>,
    /// Its highest tier: at most the parent's own. Lowering works at once on everything it holds.
    pub ceiling: Option<Tier>,
    /// `suspended` stops its staff.
    pub state: Option<ProviderState>,
}

/// The providers directly below.
///
/// # Errors
/// `Invalid` for a wrong page.
pub async fn list(tx: &mut ReadTx<scope::Provider>, page: &PageQuery) -> Result<Page<SubProvider>> {
    store::sub_providers(tx, page).await
}

/// Makes a sub-provider with the default plans and invites its first admin.
///
/// # Errors
/// `Invalid`; `Conflict` at the lowest level.
pub async fn create(tx: &mut WriteTx<scope::Provider>, body: SubProviderCreate) -> Result<SubProviderCreated> {
    let parent = tx.scope.provider;
    let above = lineage(tx, parent).await?;
    let mut check = Check::new();
    let name = check.text("name", &body.name, 2..=120);
    let slug = check.slug("slug", &body.slug);
    let email = check.email("admin_email", &body.admin_email);
    check_ceiling(&mut check, body.ceiling, ceiling(&above));
    check.that(!store::slug_is_taken(tx, &slug).await?, "slug", "taken", "is taken; choose another");
    check.done()?;
    if above.len() > DEPTH_MAX {
        let text = format!("Providers nest at most {DEPTH_MAX} levels deep. Make this one a sub-provider of a provider above you.");
        return Err(Error::Conflict(text));
    }
    let id = ProviderId::new(tx.now());
    store::insert(tx, id, Some(parent), store::NewProvider { slug: &slug, name: &name, ceiling: body.ceiling }).await?;
    crate::plans::create_defaults(tx, id).await?;
    tx.subject("provider", id, name.clone());
    tx.changed("provider", id, &(), &serde_json::json!({ "name": name, "slug": slug, "ceiling": body.ceiling }));
    let invitee = Invitee { email: &email, name: "", role: StaffRole::ProviderAdmin.as_str() };
    let invitation = invitations::create(tx, invitations::Into::Provider(id), invitee).await?;
    let state = ProviderState::Active;
    let provider = SubProvider { id, slug, name, ceiling: body.ceiling, client_count: 0, staff_count: 0, state, version: 1 };
    Ok(SubProviderCreated { provider, invitation })
}

/// Changes a sub-provider.
///
/// # Errors
/// `NotFound` for any provider that is not directly below, `Changed`, `Invalid`.
pub async fn update(
    tx: &mut WriteTx<scope::Provider>,
    name: &str,
    version: IfMatch,
    body: SubProviderUpdate,
) -> Result<SubProvider> {
    let before = store::sub_provider_named(tx, name).await?.ok_or(Error::NotFound)?;
    version.check(before.version)?;
    let provider = tx.scope.provider;
    let above = lineage(tx, provider).await?;
    let mut check = Check::new();
    let mut after = before.clone();
    if let Some(name) = &body.name {
        after.name = check.text("name", name, 2..=120);
    }
    if let Some(wanted) = body.ceiling {
        check_ceiling(&mut check, wanted, ceiling(&above));
        after.ceiling = wanted;
    }
    check.done()?;
    after.state = body.state.unwrap_or(before.state);
    store::update_sub_provider(tx, version, &after).await?;
    after.version += 1;
    let shown = |sub: &SubProvider| serde_json::json!({ "name": sub.name, "ceiling": sub.ceiling, "state": sub.state });
    tx.subject("provider", after.id, after.name.clone());
    tx.changed("provider", after.id, &shown(&before), &shown(&after));
    Ok(after)
}

fn check_ceiling(check: &mut Check, wanted: Tier, own: Tier) {
    if wanted > own {
        check.fail("ceiling", "above_ceiling", format!("may be at most {own} {}, your own", own.name()));
    }
}
