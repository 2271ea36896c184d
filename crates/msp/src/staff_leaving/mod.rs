//! Somebody leaves: everything they hold at the provider, and what becomes of it, in one act.
//!
//! - Listed is what would outlive them otherwise: assignments, grants over many tenants, elevations, API keys, what waits for somebody's word, invitations they sent,
//!   and sessions.
//! - Assignments can go to somebody else of the staff: never more than they were worth, never to the person who does it, and where a tenant
//!   has a say, it is asked (`waiting`). Who is assigned there already keeps what they have. Invitations can be taken over too.
//! - Everything else ends: keys and elevations are personal. Their sessions end, and their staff row is disabled: the row stays, so that
//!   what they did keeps a name.
//! - One commit: all of it or nothing. Each tenant finds in its own ledger what concerned it, and nothing of another.
//! - Nobody leaves by their own hand, and the last provider admin does not leave.
//!
//! What this deliberately does not do: look into tenants (findings that are assigned to them stay, and show who had them), end what they
//! are elsewhere (a member of a tenant, staff of another provider), or take them off the staff (`staff.remove` does).

mod apply;
mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{StaffRole, actions};
pub use apply::{LeavingApply, LeavingChoice, LeavingDo, LeavingOutcome, LeavingRest, LeavingResult, Left, apply};
pub(crate) use http::router;
use kernel::{Error, ReadTx, Result, scope};
use serde::{Deserialize, Serialize};

use crate::assignments::{self, AssignedTenant, Assignment};
use crate::grants::{self, GroupGrant};
use crate::staff::{self, Contact, Staff, StaffId};

/// What kind of thing somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldKind {
    /// An assignment on a tenant.
    Assignment,
    /// A grant over a group of tenants, all of them, or all but some.
    GroupGrant,
    /// An elevation that runs, or is asked for.
    Elevation,
    /// An API key that they made, of the provider or of one of its clients.
    ApiKey,
    /// Something that waits: for their word (others can give it too), or for a tenant's about them.
    Approval,
    /// An invitation that they sent and nobody took up yet.
    Invitation,
    /// A session.
    Session,
}

/// What can be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldChoice {
    /// Somebody else gets it.
    Move,
    /// It ends.
    End,
}

/// One thing that somebody holds.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HeldThing {
    /// What kind.
    pub kind: HeldKind,
    /// Its id.
    pub id: String,
    /// The tenant it is about.
    pub tenant: Option<AssignedTenant>,
    /// In words.
    pub label: String,
    /// What can be done with it; nothing: it is there to be known.
    pub choices: Vec<HeldChoice>,
}

/// Somebody who could take over.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Replacement {
    /// Id.
    pub id: StaffId,
    /// Name.
    pub name: String,
}

/// What somebody holds, and who could take over.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Leaving {
    /// Who leaves.
    pub person: Contact,
    /// What they hold.
    pub holds: Vec<HeldThing>,
    /// The rest of the staff.
    pub replacements: Vec<Replacement>,
}

/// What somebody holds.
///
/// # Errors
/// `NotFound`.
pub async fn view(tx: &mut ReadTx<scope::Provider>, id: StaffId) -> Result<Leaving> {
    let staff = staff::one(tx, id).await?.ok_or(Error::NotFound)?;
    let assigned = assignments::all_of_staff(tx, id).await?;
    let wide = grants::of_person(tx, staff.row.person.id).await?;
    let holds = held(tx, &staff, &assigned, &wide).await?;
    let replacements = store::replacements(tx, id).await?;
    Ok(Leaving { person: staff.row.person, holds, replacements })
}

async fn held(
    tx: &mut ReadTx<scope::Provider>,
    staff: &Staff,
    assigned: &[Assignment],
    wide: &[GroupGrant],
) -> Result<Vec<HeldThing>> {
    let person = staff.row.person.id;
    let mut holds: Vec<_> = assigned.iter().map(as_held).collect();
    holds.extend(wide.iter().map(|grant| HeldThing {
        kind: HeldKind::GroupGrant,
        id: grant.id.to_string(),
        tenant: None,
        label: grant.label(),
        choices: vec![HeldChoice::Move, HeldChoice::End],
    }));
    holds.extend(store::elevations(tx, person).await?);
    holds.extend(store::keys(tx, person).await?);
    if staff.row.role == StaffRole::ProviderAdmin {
        holds.extend(store::requests_to_decide(tx, person).await?);
    }
    holds.extend(store::consents_about(tx, person).await?.into_iter().map(|(_, thing)| thing));
    holds.extend(store::invitations(tx, person).await?);
    holds.extend(store::sessions(tx, person).await?);
    Ok(holds)
}

fn as_held(assignment: &Assignment) -> HeldThing {
    let until = assignment.ends_at.map(|at| format!(", until {at}")).unwrap_or_default();
    HeldThing {
        kind: HeldKind::Assignment,
        id: assignment.id.to_string(),
        tenant: Some(assignment.tenant.clone()),
        label: format!("{} {}{until}", assignment.tier, assignment.tier.name()),
        choices: vec![HeldChoice::Move, HeldChoice::End],
    }
}

/// The rule that protects the row: nobody does it to themselves, or to the last provider admin.
fn require(tx: &mut kernel::WriteTx<scope::Provider>, staff: &Staff) -> Result<()> {
    tx.require::<actions::StaffDisable>(staff.subject())
}
