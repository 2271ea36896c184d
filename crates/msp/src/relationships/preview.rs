//! What a tier would change, before it is changed: who would gain and lose what, client by client.

use std::collections::BTreeSet;

use access::{Act, Tier};
use kernel::door::{Memo, Stands};
use kernel::store::{Query, StoreError};
use kernel::{Error, PersonId, ReadTx, Result, scope};
use serde::{Deserialize, Serialize};

use super::{Consent, RaiseBy};
use crate::assignments::AssignedTenant;
use crate::consents;

/// Which clients, and which tier they would have.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PreviewAsked {
    /// Clients, by id or slug; 1 to 500.
    pub tenants: Vec<String>,
    /// The tier.
    pub tier: Tier,
}

/// What it would change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// Client by client.
    pub tenants: Vec<PreviewTenant>,
    /// Names that are no client's.
    pub unknown: Vec<String>,
    /// How much in all.
    pub totals: PreviewTotals,
}

/// What it would change at one client.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewTenant {
    /// The client.
    pub tenant: AssignedTenant,
    /// Its tier now.
    pub from: Tier,
    /// Its tier then, cut to what the providers above hold.
    pub to: Tier,
    /// It would wait for the client's consent.
    pub consent_needed: bool,
    /// Whose rights would change.
    pub people: Vec<PreviewPerson>,
}

/// What it would change for one person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreviewPerson {
    /// Id.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Actions that would be allowed and are not.
    #[schema(value_type = Vec<String>)]
    pub gains: Vec<Act>,
    /// Actions that are allowed and would not be.
    #[schema(value_type = Vec<String>)]
    pub loses: Vec<Act>,
}

/// How much in all.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct PreviewTotals {
    /// Clients where something would change for somebody.
    pub tenants: usize,
    /// Different people.
    pub people: usize,
    /// Rights gained, person by person.
    pub gains: usize,
    /// Rights lost, person by person.
    pub loses: usize,
}

/// Asks the access rule twice: as things are, and as they would be.
///
/// # Errors
/// `Invalid` unless 1 to 500 clients are named.
pub async fn preview(tx: &mut ReadTx<scope::Provider>, asked: PreviewAsked) -> Result<Preview> {
    if !(1..=500).contains(&asked.tenants.len()) {
        return Err(Error::field("tenants", "out_of_range", "name 1 to 500 clients"));
    }
    let hub = tx.hub().clone();
    let mut memo = Memo::default();
    let mut preview = Preview { tenants: Vec::new(), unknown: Vec::new(), totals: PreviewTotals::default() };
    let mut people = BTreeSet::new();
    for name in asked.tenants {
        let Some((tenant, from, consent)) = client(tx, &name).await? else {
            preview.unknown.push(name);
            continue;
        };
        let provider = tx.scope.provider;
        let Some(mut stands) = tx.stands_on(tenant.id, None).await? else { continue };
        let before = rights(&hub, &stands, &mut memo);
        stands.suppose_tier(provider, asked.tier);
        let after = rights(&hub, &stands, &mut memo);
        let changed = compare(before, after);
        for person in &changed {
            people.insert(person.id);
            preview.totals.gains += person.gains.len();
            preview.totals.loses += person.loses.len();
        }
        preview.totals.tenants += usize::from(!changed.is_empty());
        let consent_needed =
            asked.tier > from && consent.raise_by == RaiseBy::TenantConsent && consents::has_active_admin(tx, tenant.id).await?;
        let to = stands.tier_of(provider).unwrap_or(asked.tier);
        preview.tenants.push(PreviewTenant { tenant, from, to, consent_needed, people: changed });
    }
    preview.totals.people = people.len();
    Ok(preview)
}

type Rights = Vec<(PersonId, String, BTreeSet<Act>)>;

fn rights(hub: &kernel::Hub, stands: &Stands, memo: &mut Memo) -> Rights {
    stands.all().into_iter().map(|stand| (stand.person, stand.name.clone(), memo.may(hub, &stand).clone())).collect()
}

/// The same people in the same order, before and after.
fn compare(before: Rights, after: Rights) -> Vec<PreviewPerson> {
    let pairs = before.into_iter().zip(after);
    let changes = pairs.map(|((id, name, had), (_, _, has))| PreviewPerson {
        id,
        name,
        gains: has.difference(&had).copied().collect(),
        loses: had.difference(&has).copied().collect(),
    });
    changes.filter(|person| !person.gains.is_empty() || !person.loses.is_empty()).collect()
}

async fn client(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<(AssignedTenant, Tier, Consent)>, StoreError> {
    let mut query = Query::new(
        "SELECT t.id, t.slug, t.name, r.tier, r.raise_by, r.assign_by, r.renew_by FROM relationship r
         JOIN tenant t ON t.id = r.tenant_id WHERE t.state <> 'purged' AND r.state <> 'ended' AND r.provider_id = ",
    );
    query.bind(tx.scope.provider);
    query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", name);
    let Some(mut row) = tx.query(&query).await?.pop() else { return Ok(None) };
    let tenant = AssignedTenant { id: row.take()?, slug: row.take()?, name: row.take()? };
    Ok(Some((tenant, Tier::from_i64(row.take()?).unwrap_or(Tier::T0), Consent::read(&mut row)?)))
}
