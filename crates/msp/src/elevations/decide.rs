//! Deciding on elevations: yes, no, and enough. The row is taken before it is looked at, so that of two who decide at once the second
//! finds what the first decided.

use std::time::Duration;

use access::{Act, Subject};
use kernel::validate::Check;
use kernel::{Error, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};

use super::side::Side;
use super::store::{self, Change, Stored};
use super::{Elevation, ElevationId, ElevationState, shown};
use crate::elevation_templates::Approver;

/// Says yes for the provider. With the last word that was needed it runs, from that instant.
///
/// # Errors
/// `NotFound`, `Forbidden` for one's own, `Conflict` when it does not wait for this word.
pub async fn approve(tx: &mut WriteTx<scope::Provider>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    yes(tx, id, reason).await
}

/// Says no for the provider.
///
/// # Errors
/// `NotFound`, `Invalid` without a reason, `Conflict` when it does not wait.
pub async fn deny(tx: &mut WriteTx<scope::Provider>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    no(tx, id, reason).await
}

/// Ends anybody's: one that runs is over with this commit, one that waits is taken back.
///
/// # Errors
/// `NotFound`, `Conflict` when it is over.
pub async fn end(tx: &mut WriteTx<scope::Provider>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    over(tx, id, reason).await
}

/// Ends one's own.
///
/// # Errors
/// As [`end`]; `NotFound` for somebody else's.
pub async fn end_own(tx: &mut WriteTx<scope::Provider>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    let me = tx.me()?.person;
    if store::one(tx, id).await?.is_none_or(|stored| stored.person.0 != me) {
        return Err(Error::NotFound);
    }
    over(tx, id, reason).await
}

pub(super) async fn yes<S: Side>(tx: &mut WriteTx<S>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    let reason = words(tx, reason, 0)?;
    let (before, me, now) = (taken(tx, id).await?, tx.me()?.person, tx.now());
    tx.require_act(S::APPROVE, Subject::Request { is_self: before.person.0 == me })?;
    if let Some(why) = not_to_approve::<S>(&before, me, now) {
        return Err(Error::Conflict(why));
    }
    if !reaches(tx, &before).await? {
        let (who, tenant) = (&before.person.1, &before.tenant.name);
        let who = if !S::IS_PROVIDER && !before.staff_by_name { "Whoever asked" } else { who };
        return Err(Error::Conflict(format!("{who} does not reach {tenant} at present, so there is nothing to approve.")));
    }
    let mut change = Change::of(&before);
    let mine = if S::IS_PROVIDER { &mut change.provider } else { &mut change.tenant };
    *mine = Some((me, now));
    let other = if S::IS_PROVIDER { &mut change.tenant } else { &mut change.provider };
    // A word that was given by somebody who may not give it any more does not count: it is asked for again.
    if let Some((by, _)) = *other
        && !store::may_still_approve(tx, &before, by, !S::IS_PROVIDER).await?
    {
        *other = None;
    }
    let is_complete = match before.approver {
        Approver::Provider => change.provider.is_some(),
        Approver::Tenant => change.tenant.is_some(),
        Approver::Both => change.provider.is_some() && change.tenant.is_some(),
        Approver::Operator => false,
    };
    if is_complete {
        change.state = "approved";
        change.starts_at = Some(now);
        change.ends_at = Some(now.after(Duration::from_secs(before.minutes.unsigned_abs() * 60)));
    }
    change.reason = reason;
    done(tx, before, change).await
}

pub(super) async fn no<S: Side>(tx: &mut WriteTx<S>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    let reason = words(tx, reason, 5)?;
    let (before, me, now) = (taken(tx, id).await?, tx.me()?.person, tx.now());
    if let Some(why) = not_waiting(&before, now) {
        return Err(Error::Conflict(why));
    }
    let change = Change { state: "denied", closed: Some((me, now)), reason, ..Change::of(&before) };
    done(tx, before, change).await
}

pub(super) async fn over<S: Side>(tx: &mut WriteTx<S>, id: ElevationId, reason: Option<&str>) -> Result<Elevation> {
    let reason = words(tx, reason, 0)?;
    let (before, me, now) = (taken(tx, id).await?, tx.me()?.person, tx.now());
    if let Some(why) = not_to_end::<S>(&before, now) {
        return Err(Error::Conflict(why));
    }
    let mut change = Change { closed: Some((me, now)), reason, ..Change::of(&before) };
    close(&mut change, now);
    done(tx, before, change).await
}

/// What runs is over now; what waits is taken back.
fn close(change: &mut Change, now: Timestamp) {
    if change.starts_at.is_some() {
        change.ends_at = Some(now);
    } else {
        change.state = "cancelled";
    }
}

/// Ends all that somebody who leaves the provider holds or waits for, each in its own tenant's ledger.
pub(crate) async fn end_all_of_staff(tx: &mut WriteTx<scope::Provider>, person: PersonId) -> Result<()> {
    for (before, after) in close_all(tx, person, "Left the staff.", true).await? {
        let now = tx.now();
        tx.changed_in(before.tenant.id, "elevation", before.id, &before.kept(now), &after.kept(now));
    }
    Ok(())
}

pub(super) async fn end_all_on_tenant(tx: &mut WriteTx<scope::Records>, person: PersonId, reason: &str) -> Result<usize> {
    let closed = close_all(tx, person, reason, false).await?;
    let now = tx.now();
    for (before, after) in &closed {
        tx.changed("elevation", before.id, &before.kept(now), &after.kept(now));
    }
    Ok(closed.len())
}

async fn close_all<S: Side>(
    tx: &mut WriteTx<S>,
    person: PersonId,
    reason: &str,
    break_glass_too: bool,
) -> Result<Vec<(Stored, Stored)>> {
    let (me, now) = (tx.me()?.person, tx.now());
    let mut closed = Vec::new();
    for id in store::open_of(tx, person).await? {
        store::take(tx, id).await?;
        let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
        let is_open = matches!(before.state(now), ElevationState::Requested | ElevationState::Running);
        if !is_open || (before.break_glass && !break_glass_too) {
            continue;
        }
        let mut change = Change { closed: Some((me, now)), reason: Some(reason.to_owned()), ..Change::of(&before) };
        close(&mut change, now);
        store::change(tx, &before, change).await?;
        closed.push((before, store::one(tx, id).await?.ok_or(Error::NotFound)?));
    }
    Ok(closed)
}

/// Why it does not wait for anybody's word, if it does not.
pub(super) fn not_waiting(e: &Stored, now: Timestamp) -> Option<String> {
    let why = match e.state(now) {
        ElevationState::Requested => return None,
        ElevationState::Running => "This request is approved and runs.",
        ElevationState::Ended => "This request was approved, and its time is over.",
        ElevationState::Denied => "This request was denied.",
        ElevationState::Cancelled => "This request was taken back.",
        ElevationState::Lapsed => "Nobody answered this request in time. It has to be made again.",
    };
    Some(why.into())
}

/// Why it does not wait for this side's word by this person, if it does not.
pub(super) fn not_to_approve<S: Side>(e: &Stored, me: PersonId, now: Timestamp) -> Option<String> {
    if let Some(why) = not_waiting(e, now) {
        return Some(why);
    }
    let (mine, other) =
        if S::IS_PROVIDER { (&e.provider_approval, &e.tenant_approval) } else { (&e.tenant_approval, &e.provider_approval) };
    let sides = ["provider", "organisation"];
    let (side, across) = if S::IS_PROVIDER { (sides[0], sides[1]) } else { (sides[1], sides[0]) };
    if !S::is_asked(e.approver) {
        return Some(format!("This request takes the word of the {across}, not of the {side}."));
    }
    if mine.is_some() {
        return Some(format!("The {side} has approved this request; it waits for the {across}."));
    }
    let is_both_mine = other.as_ref().is_some_and(|((by, _), _)| *by == me);
    is_both_mine.then(|| format!("You approved this request for the {across}; for the {side} it takes somebody else."))
}

/// Why it cannot be ended from this side, if it cannot.
pub(super) fn not_to_end<S: Side>(e: &Stored, now: Timestamp) -> Option<String> {
    match e.state(now) {
        ElevationState::Requested => None,
        ElevationState::Running if e.break_glass && !S::IS_PROVIDER => {
            Some("The operator opened this in an emergency; the operator or the provider ends it.".into())
        }
        ElevationState::Running => None,
        _ => not_waiting(e, now),
    }
}

/// Whether the person who asked stands on the tenant as staff of the provider now, elevations aside or not: what they can see at least.
async fn reaches<S: Side>(tx: &mut ReadTx<S>, e: &Stored) -> Result<bool> {
    let Some(stand) = S::stand(tx, e.person.0, e.tenant.id).await? else { return Ok(false) };
    let provider = e.provider.id.to_string();
    let through = stand.explain(tx.hub(), Act::ContextView, Subject::Any).through;
    let is_forbidden = through.iter().any(|through| through.forbidden);
    let mut of_provider = through.iter().filter(|one| one.grant.provider.as_ref().is_some_and(|of| of.id == provider));
    Ok(!is_forbidden && of_provider.any(|through| through.allowed))
}

/// The elevation that an act is about, held until the act has ended.
async fn taken<S: Side>(tx: &mut WriteTx<S>, id: ElevationId) -> Result<Stored> {
    store::take(tx, id).await?;
    let stored = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("elevation", id, stored.label());
    Ok(stored)
}

async fn done<S: Side>(tx: &mut WriteTx<S>, before: Stored, change: Change) -> Result<Elevation> {
    let now = tx.now();
    store::change(tx, &before, change).await?;
    let after = store::one(tx, before.id).await?.ok_or(Error::NotFound)?;
    tx.changed("elevation", before.id, &before.kept(now), &after.kept(now));
    S::tell(tx, &after);
    if before.starts_at == after.starts_at && before.ends_at == after.ends_at {
        tx.keeps_authority();
    }
    shown(tx, after)
}

/// What was said, for the row and the ledger; at least so many characters.
fn words<S: Side>(tx: &mut WriteTx<S>, reason: Option<&str>, length_min: usize) -> Result<Option<String>> {
    let mut check = Check::new();
    let reason = check.text("reason", reason.unwrap_or_default(), length_min..=1_000);
    check.done()?;
    if reason.is_empty() {
        return Ok(None);
    }
    tx.reason(&reason);
    Ok(Some(reason))
}
