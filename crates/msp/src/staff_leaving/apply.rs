//! The act itself.

use kernel::validate::Check;
use kernel::{Error, PersonId, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{HeldChoice, HeldKind, HeldThing, held, require, store};
use crate::assignments::{self, Assignment, HandedOver};
use crate::elevations;
use crate::grants::{self, GroupGrant};
use crate::staff::{self, Contact, StaffId, StaffState, lock_provider};

/// Move or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeavingDo {
    /// Somebody else gets it.
    Move,
    /// It ends.
    End,
}

/// What becomes of one thing.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct LeavingChoice {
    /// What kind of thing.
    pub kind: HeldKind,
    /// Its id.
    pub id: String,
    /// What to do with it.
    #[serde(rename = "do")]
    pub act: LeavingDo,
    /// Who gets it; left out: whoever gets the rest.
    pub to: Option<StaffId>,
}

/// What becomes of everything that no choice names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeavingRest {
    /// It ends.
    #[default]
    End,
    /// This person gets what can be moved; what cannot, ends.
    MoveTo(StaffId),
}

/// Somebody leaves.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct LeavingApply {
    /// What becomes of single things.
    #[serde(default)]
    pub choices: Vec<LeavingChoice>,
    /// What becomes of the rest.
    #[serde(default)]
    pub rest: LeavingRest,
    /// Their staff row is disabled and their sessions end; else only what they hold is handed over.
    pub disable: bool,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeavingOutcome {
    /// Somebody else has it.
    Moved,
    /// It is over.
    Ended,
    /// It is over, and the tenant is asked whether somebody else gets it.
    Waiting,
    /// It stays: it is not theirs alone.
    Kept,
}

/// What became of one thing.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LeavingResult {
    /// What kind of thing.
    pub kind: HeldKind,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub outcome: LeavingOutcome,
    /// In words.
    pub detail: String,
}

/// What became of everything.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Left {
    /// One by one.
    pub results: Vec<LeavingResult>,
}

/// Somebody who takes over.
struct Heir {
    staff: StaffId,
    person: PersonId,
    name: String,
}

/// A thing, and what is to become of it: somebody's, or nobody's.
struct Plan {
    thing: HeldThing,
    heir: Option<usize>,
}

/// Ends or hands over everything that somebody holds.
///
/// # Errors
/// `NotFound`; `Forbidden` for oneself, for the last provider admin, and when oneself would get an assignment; `Invalid` choices.
pub async fn apply(tx: &mut WriteTx<scope::Provider>, id: StaffId, body: &LeavingApply) -> Result<Left> {
    lock_provider(tx).await?;
    let leaver = staff::one(tx, id).await?.ok_or(Error::NotFound)?;
    let person = leaver.row.person.clone();
    tx.subject("staff", id, person.name.clone());
    require(tx, &leaver)?;
    let assigned = assignments::all_of_staff(tx, id).await?;
    let wide = grants::of_person(tx, person.id).await?;
    let holds = held(tx, &leaver, &assigned, &wide).await?;
    let (plans, heirs) = plan(tx, id, holds, body).await?;
    let mut results = Vec::with_capacity(plans.len());
    for Plan { thing, heir } in plans {
        let heir = heir.map(|index| &heirs[index]);
        let (outcome, detail) = match thing.kind {
            HeldKind::Assignment => assignment(tx, &assigned, &thing, heir).await?,
            HeldKind::GroupGrant => group_grant(tx, &wide, &thing, heir).await?,
            HeldKind::Invitation => invitation(tx, &thing, heir).await?,
            HeldKind::Approval if thing.choices.is_empty() => (LeavingOutcome::Kept, "Others can decide it.".to_owned()),
            HeldKind::Session if !body.disable => (LeavingOutcome::Kept, "They stay on the staff.".to_owned()),
            _ => (LeavingOutcome::Ended, String::new()),
        };
        results.push(LeavingResult { kind: thing.kind, id: thing.id, outcome, detail });
    }
    end_personal(tx, &person).await?;
    if body.disable {
        store::end_sessions(tx, person.id).await?;
        if leaver.row.state == StaffState::Active {
            staff::disable(tx, id).await?;
        }
    }
    Ok(Left { results })
}

/// What is to become of each thing, checked.
async fn plan(
    tx: &mut WriteTx<scope::Provider>,
    leaver: StaffId,
    holds: Vec<HeldThing>,
    body: &LeavingApply,
) -> Result<(Vec<Plan>, Vec<Heir>)> {
    let rest = if let LeavingRest::MoveTo(to) = body.rest { Some(to) } else { None };
    let mut check = Check::new();
    let mut heirs: Vec<Heir> = Vec::new();
    let named = body.choices.iter().enumerate().filter_map(|(index, choice)| Some((format!("choices[{index}].to"), choice.to?)));
    for (field, to) in named.chain(rest.map(|to| ("rest.move_to".to_owned(), to))) {
        if heirs.iter().any(|heir| heir.staff == to) {
            continue;
        }
        match store::active_staff(tx, to).await?.filter(|_| to != leaver) {
            Some((person, name)) => heirs.push(Heir { staff: to, person, name }),
            None => drop(check.fail(&field, "unknown", "is nobody else who is active on this provider's staff")),
        }
    }
    for (index, choice) in body.choices.iter().enumerate() {
        let thing = holds.iter().find(|thing| thing.kind == choice.kind && thing.id == choice.id);
        let field = format!("choices[{index}]");
        match thing {
            None => drop(check.fail(&format!("{field}.id"), "unknown", "is nothing that this person holds any more")),
            Some(thing) if choice.act == LeavingDo::Move && !thing.choices.contains(&HeldChoice::Move) => {
                check.fail(&format!("{field}.do"), "not_movable", "can only end: it is personal");
            }
            Some(_) if choice.act == LeavingDo::Move && choice.to.or(rest).is_none() => {
                check.fail(&format!("{field}.to"), "missing", "says who gets it");
            }
            Some(_) => {}
        }
    }
    check.done()?;
    let plans = holds.into_iter().map(|thing| {
        let choice = body.choices.iter().find(|choice| choice.kind == thing.kind && choice.id == thing.id);
        let to = match choice.map(|choice| (choice.act, choice.to)) {
            Some((LeavingDo::End, _)) => None,
            Some((LeavingDo::Move, to)) => to.or(rest),
            None => rest.filter(|_| thing.choices.contains(&HeldChoice::Move)),
        };
        let heir = to.and_then(|to| heirs.iter().position(|heir| heir.staff == to));
        Plan { thing, heir }
    });
    Ok((plans.collect(), heirs))
}

async fn assignment(
    tx: &mut WriteTx<scope::Provider>,
    assigned: &[Assignment],
    thing: &HeldThing,
    heir: Option<&Heir>,
) -> Result<(LeavingOutcome, String)> {
    let of = assigned.iter().find(|assignment| assignment.id.to_string() == thing.id).ok_or(Error::NotFound)?;
    let Some(Heir { staff, person, name }) = heir else {
        assignments::end(tx, of).await?;
        return Ok((LeavingOutcome::Ended, String::new()));
    };
    Ok(match assignments::hand_over(tx, of, (*staff, *person, name)).await? {
        HandedOver::Moved => (LeavingOutcome::Moved, format!("{name} has it now.")),
        HandedOver::Waiting => (LeavingOutcome::Waiting, format!("{} is asked whether {name} gets it.", of.tenant.name)),
        HandedOver::Ended(why) => (LeavingOutcome::Ended, why),
    })
}

async fn group_grant(
    tx: &mut WriteTx<scope::Provider>,
    wide: &[GroupGrant],
    thing: &HeldThing,
    heir: Option<&Heir>,
) -> Result<(LeavingOutcome, String)> {
    let of = wide.iter().find(|grant| grant.id.to_string() == thing.id).ok_or(Error::NotFound)?;
    let Some(Heir { person, name, .. }) = heir else {
        grants::end(tx, of).await?;
        return Ok((LeavingOutcome::Ended, String::new()));
    };
    grants::hand_over(tx, of, *person).await?;
    Ok((LeavingOutcome::Moved, format!("{name} has it now.")))
}

async fn invitation(tx: &mut WriteTx<scope::Provider>, thing: &HeldThing, heir: Option<&Heir>) -> Result<(LeavingOutcome, String)> {
    let id = thing.id.parse().map_err(|_| Error::NotFound)?;
    let (before, after) = match heir {
        Some(heir) => {
            store::take_over_invitation(tx, id, heir.person).await?;
            (json!({ "state": "open" }), json!({ "state": "open", "invited_by": heir.name }))
        }
        None => {
            store::revoke_invitation(tx, id).await?;
            (json!({ "state": "open" }), json!({ "state": "revoked" }))
        }
    };
    match &thing.tenant {
        Some(tenant) => tx.changed_in(tenant.id, "invitation", id, &before, &after),
        None => tx.changed_here("invitation", id, &before, &after),
    };
    Ok(match heir {
        Some(heir) => (LeavingOutcome::Moved, format!("It is {}'s now.", heir.name)),
        None => (LeavingOutcome::Ended, String::new()),
    })
}

/// What nobody else can have: elevations, keys, and what tenants were asked about them.
async fn end_personal(tx: &mut WriteTx<scope::Provider>, person: &Contact) -> Result<()> {
    elevations::end_all_of_staff(tx, person.id).await?;
    for (key, name, tenant) in store::revoke_keys(tx, person.id).await? {
        let (before, after) = (json!({ "name": name, "revoked": false }), json!({ "name": name, "revoked": true }));
        match tenant {
            Some(tenant) => tx.changed_in(tenant, "api_key", key, &before, &after),
            None => tx.changed_here("api_key", key, &before, &after),
        };
    }
    for (tenant, thing) in store::consents_about(tx, person.id).await? {
        store::end_consent(tx, &thing.id).await?;
        tx.changed_in(tenant, "consent", &thing.id, &json!({ "state": "pending" }), &json!({ "state": "withdrawn" }));
    }
    Ok(())
}
