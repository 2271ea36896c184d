//! Handing an assignment over to somebody else: never more than it was worth, and asked where the tenant has a say.

use access::{Subject, actions};
use kernel::{PersonId, Result, WriteTx, scope};

use super::{AssignedStaff, Assignment, AssignmentId, ask, store};
use crate::consents::Wanted;
use crate::staff::StaffId;

/// What became of an assignment that was handed over. The one it was is gone in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandedOver {
    /// The other person has it, up to what it was worth.
    Moved,
    /// It waits for the tenant's consent.
    Waiting,
    /// Nobody has it: why.
    Ended(String),
}

/// Ends an assignment and gives it to somebody else of the staff.
///
/// # Errors
/// `Forbidden` when it would be one's own.
pub(crate) async fn hand_over(
    tx: &mut WriteTx<scope::Provider>,
    of: &Assignment,
    (staff, person, name): (StaffId, PersonId, &str),
) -> Result<HandedOver> {
    let person_is_self = person == tx.me()?.person;
    tx.require::<actions::AssignmentCreate>(Subject::Assignment { person_is_self })?;
    end(tx, of).await?;
    let now = tx.now();
    if of.ends_at.is_some_and(|end| end <= now) {
        return Ok(HandedOver::Ended("It was over already.".into()));
    }
    // What the relationship cut off is not handed on: it would come back with a higher tier.
    let new = Assignment {
        id: AssignmentId::new(now),
        staff: AssignedStaff { id: staff, name: name.to_owned() },
        person,
        tier: of.effective_tier,
        starts_at: of.starts_at.max(now),
        ..of.clone()
    };
    if store::takes_consent(tx, of.tenant.id, person).await? && !store::is_assigned(tx, of.tenant.id, person).await? {
        let Assignment { tier, mask, modules, ends_at, .. } = new;
        let wanted = Wanted::Assignment { person, tier, mask, modules, ends_at };
        ask(tx, &of.tenant, &wanted, format!("Assign {name} at {tier} {}, in place of {}", tier.name(), of.staff.name)).await?;
        return Ok(HandedOver::Waiting);
    }
    if !store::insert_as(tx, &new).await? {
        return Ok(HandedOver::Ended(format!("{name} is assigned there already. That assignment stays as it is.")));
    }
    tx.changed_in(of.tenant.id, "assignment", new.id, &(), &new.kept());
    Ok(HandedOver::Moved)
}

/// Ends an assignment of somebody who leaves.
pub(crate) async fn end(tx: &mut WriteTx<scope::Provider>, of: &Assignment) -> Result<()> {
    store::delete(tx, of.id).await?;
    tx.changed_in(of.tenant.id, "assignment", of.id, &of.kept(), &());
    Ok(())
}
