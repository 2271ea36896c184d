//! Making a tenant: everything is checked before anything is made, and a tenant that was not committed leaves no database behind.

use access::{TenantRole, Tier};
use kernel::validate::Check;
use kernel::{CanFail, Error, Hub, Result, TenantId, Timestamp, WriteTx, scope};
use serde::Deserialize;

use super::store::Terms;
use super::{check_industry, check_name, store};
use crate::assignments::by_mode;
use crate::billing::periods;
use crate::invitations::{self, InvitationCreated, Invitee};
use crate::msp_licence;
use crate::plans::PlanId;
use crate::providers::{self, Link};
use crate::relationships::ENDS_DAYS_MAX;
use crate::settings::{self, RAISE_BY, TENANT_CREATION};

/// A tenant to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct TenantCreate {
    /// Its id, chosen by who asks, so that a call whose answer got lost can be repeated.
    pub id: Option<TenantId>,
    /// Its slug.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Name of one of the provider's plans.
    pub plan: String,
    /// Its industry.
    pub industry: Option<String>,
    /// The relationship's tier; left out: T2, or what the provider's ceiling permits.
    pub tier: Option<Tier>,
    /// When the relationship ends by itself.
    pub ends_at: Option<Timestamp>,
    /// Who is invited as its first admin.
    pub admin_email: Option<String>,
}

/// What making a tenant led to.
#[derive(Debug)]
pub struct Made {
    /// The tenant.
    pub tenant: TenantId,
    /// It was made now; else it existed already with the same content.
    pub is_new: bool,
    /// The link for its first admin.
    pub invitation: Option<InvitationCreated>,
}

/// A tenant whose every field was found right.
pub(super) struct Sound {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
    pub industry: Option<String>,
    pub plan: PlanId,
    pub plan_name: String,
    pub plan_number: i64,
    pub tier: Tier,
    pub ends_at: Option<Timestamp>,
    admin_email: Option<String>,
}

/// Makes a tenant and commits. Takes the whole transaction, because the database made beside it goes again if it fails.
///
/// # Errors
/// `Invalid`; `Conflict` when the provider has as many as it may, or the id is another's; `Licence` when the installation's has no room.
pub async fn create(mut tx: WriteTx<scope::Provider>, body: TenantCreate) -> Result<Made> {
    let provider = tx.scope.provider;
    let lineage = providers::lineage(&mut tx, provider).await?;
    let known = match body.id {
        Some(id) => store::known(&mut tx, id).await?,
        None => None,
    };
    let sound = check(&mut tx, &lineage, body, known.is_some()).await?;
    tx.subject("tenant", sound.id, sound.name.clone());
    if let Some(known) = known {
        if !known.is_same(&sound) {
            return Err(Error::Conflict("This id is taken. Leave it out, or send another.".into()));
        }
        tx.keeps_authority().reason("Repeated with the same id and content: nothing was changed.");
        tx.commit().await?;
        return Ok(Made { tenant: sound.id, is_new: false, invitation: None });
    }
    require_switched_on(&mut tx).await?;
    check_room(&mut tx, &lineage).await?;
    msp_licence::check_room(&mut tx).await?;
    // The registry row comes first: it takes the id, so that the database made and (on failure) removed next is ours alone.
    store::insert(&mut tx, &sound).await?;
    let hub = tx.hub().clone();
    let invitation = match furnish(&mut tx, &hub, &lineage, &sound).await {
        Ok(invitation) => invitation,
        Err(error) => {
            hub.destroy_tenant_store(sound.id).await.can_fail("a database without a registry row is reached by nobody");
            return Err(error);
        }
    };
    if let Err(error) = tx.commit().await {
        // Whether a commit that failed was made is for the registry to say; when that does not answer either, the data stays.
        if matches!(store::is_registered(&hub, sound.id).await, Ok(false)) {
            hub.destroy_tenant_store(sound.id).await.can_fail("a database without a registry row is reached by nobody");
        }
        return Err(error);
    }
    Ok(Made { tenant: sound.id, is_new: true, invitation })
}

async fn check(tx: &mut WriteTx<scope::Provider>, lineage: &[Link], body: TenantCreate, is_known: bool) -> Result<Sound> {
    let ceiling = providers::ceiling(lineage);
    let mut check = Check::new();
    let slug = check.slug("slug", &body.slug);
    let name = check_name(&mut check, &body.name);
    let industry = check_industry(&mut check, body.industry.as_deref());
    let tier = body.tier.unwrap_or(Tier::T2.min(ceiling));
    if tier > ceiling {
        check.fail("tier", "above_ceiling", format!("{tier} is above {ceiling} {}, your provider's ceiling", ceiling.name()));
    }
    if let Some(ends_at) = body.ends_at {
        check.future("ends_at", ends_at, tx.now(), ENDS_DAYS_MAX);
    }
    let admin_email = body.admin_email.as_deref().map(|email| check.email("admin_email", email));
    let plan = store::plan_named(tx, &body.plan).await?;
    check.that(plan.is_some(), "plan", "unknown", "is not one of your plans that clients can come onto");
    if !is_known && store::slug_is_taken(tx, &slug).await? {
        check.fail("slug", "taken", "is taken; choose another");
    }
    check.done()?;
    let (plan, plan_name, plan_number) = plan.ok_or_else(|| Error::internal("the check lets no unknown plan pass"))?;
    let id = body.id.unwrap_or_else(|| TenantId::new(tx.now()));
    Ok(Sound { id, slug, name, industry, plan, plan_name, plan_number, tier, ends_at: body.ends_at, admin_email })
}

/// The provider's own people make tenants, as its settings say.
async fn require_switched_on(tx: &mut WriteTx<scope::Provider>) -> Result<()> {
    let provider = tx.scope.provider;
    match settings::value(tx, provider, TENANT_CREATION).await?.as_str() {
        "off" => Err(Error::Conflict("Your provider's settings have the making of clients switched off.".into())),
        // At the machine nobody is signed in.
        "operator" if tx.me().is_ok() => Err(Error::Conflict(
            "Here the operator makes clients: ask whoever runs the installation (tenantry create-tenant).".into(),
        )),
        _ => Ok(()),
    }
}

/// The provider, and each above it, has room for one more.
async fn check_room(tx: &mut WriteTx<scope::Provider>, lineage: &[Link]) -> Result<()> {
    for (level, link) in lineage.iter().enumerate() {
        let Some(max) = link.tenants_max else { continue };
        let used = store::lock_and_count(tx, link.id).await?;
        if used >= max {
            let who = if level == 0 { "Your provider".to_owned() } else { format!("{}, the provider above yours,", link.name) };
            return Err(Error::Conflict(format!(
                "{who} may have {max} clients and has {used}. Archive and purge one that is not needed any more, or have the limit raised."
            )));
        }
    }
    Ok(())
}

/// Gives the tenant its database and key, its relationships, its summary and its first admin's invitation.
async fn furnish(
    tx: &mut WriteTx<scope::Provider>,
    hub: &Hub,
    lineage: &[Link],
    sound: &Sound,
) -> Result<Option<InvitationCreated>> {
    let wrapped_key = hub.create_tenant_store(sound.id).await?;
    store::set_key(tx, sound.id, wrapped_key).await?;
    tx.changed(
        "tenant",
        sound.id,
        &(),
        &serde_json::json!({ "slug": sound.slug, "name": sound.name, "industry": sound.industry, "plan": sound.plan_name }),
    );
    let mut tier = sound.tier;
    for (level, link) in lineage.iter().enumerate() {
        // Each provider above holds the tenant up to what it lets the one below have.
        let ends_at = sound.ends_at.filter(|_| level == 0);
        let raise_by = settings::value(tx, link.id, RAISE_BY).await?;
        let id = store::insert_relationship(tx, link.id, sound.id, Terms { tier, ends_at, raise_by: &raise_by }).await?;
        let after = serde_json::json!({
            "provider": link.name, "tier": tier, "state": "active", "ends_at": ends_at, "raise_by": raise_by,
        });
        tx.changed("relationship", id, &(), &after);
        tier = link.ceiling;
    }
    for link in lineage {
        by_mode::settle(tx, link.id).await?;
    }
    store::insert_summary(tx, sound.id).await?;
    periods::begin(tx, sound.id).await?;
    tx.also_in(sound.id);
    let Some(email) = &sound.admin_email else { return Ok(None) };
    let invitee = Invitee { email, name: "", role: TenantRole::Admin.as_str() };
    invitations::create(tx, invitations::Into::Tenant(sound.id), invitee).await.map(Some)
}
