//! Overrides: an accepted risk, on one finding or on a whole control, with a reason and an end.
//!
//! Rules:
//! - an override names exactly one finding or one control, gives a reason of 10 to 2,000 characters, and ends at most 366 days ahead;
//! - a target has at most one active override; revoke it to make another;
//! - it ends by itself: whether one is active is asked of the clock whenever it is read;
//! - what it covers counts as passed, and is shown as overridden;
//! - every override that is made or revoked changes the score at once.
//!
//! What it deliberately does not do: change a finding, hide it, or stop it from being found again.

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use kernel::door::scope::Data;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, ReadTx, Result, Timestamp, WriteTx};
use serde::{Deserialize, Serialize};

pub use http::router;

use crate::by::{self, By, Named};
use crate::controls::ControlRef;
use crate::{ControlId, FindingId, OverrideId, controls, findings, scores};

/// Furthest end of an override.
const DAYS_MAX: i64 = 366;

/// An accepted risk.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Override {
    /// Its id.
    pub id: OverrideId,
    /// `finding` or `control`.
    pub scope: Scope,
    /// The finding, when it covers one.
    pub finding: Option<FindingRef>,
    /// The control, whole or that of the finding.
    pub control: ControlRef,
    /// Why it is accepted.
    pub reason: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Named,
    /// When it was ended early.
    pub revoked_at: Option<Timestamp>,
    /// Who ended it early.
    pub revoked_by: Option<Named>,
    /// Where in its life it is.
    pub state: State,
}

/// Names a finding elsewhere.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FindingRef {
    /// Its id.
    pub id: FindingId,
    /// One line.
    pub title: String,
}

/// What an override covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One finding.
    Finding,
    /// Everything that fails a control, now and later.
    Control,
}

/// Where in its life an override is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It covers.
    Active,
    /// It came to its end.
    Expired,
    /// It was ended early.
    Revoked,
}

impl std::str::FromStr for State {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "active" => Ok(Self::Active),
            "expired" => Ok(Self::Expired),
            "revoked" => Ok(Self::Revoked),
            _ => Err(()),
        }
    }
}

/// What is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct OverrideCreate {
    /// The finding; or a control.
    pub finding: Option<FindingId>,
    /// The control; or a finding.
    pub control: Option<ControlId>,
    /// Why it is accepted, 10 to 2,000 characters.
    pub reason: String,
    /// When it ends, at most 366 days ahead.
    pub expires_at: Timestamp,
}

/// What an override is made of, before it is shown to anybody.
pub(crate) struct Stored {
    pub id: OverrideId,
    pub finding: Option<FindingRef>,
    pub control: ControlRef,
    pub reason: String,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub created_by: By,
    pub revoked: Option<(Timestamp, By)>,
}

/// What an override is on: a finding of a control, or the control as a whole.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub finding: Option<FindingId>,
    pub control: ControlId,
}

/// What is accepted, and by whom.
pub(crate) struct Accepted {
    pub reason: String,
    pub expires_at: Timestamp,
    pub by: By,
}

impl Stored {
    fn shown(self, tx: &ReadTx<Data>) -> Override {
        let names = by::sees_staff_names(tx);
        let state = match &self.revoked {
            Some(_) => State::Revoked,
            None if self.expires_at <= tx.now() => State::Expired,
            None => State::Active,
        };
        let (revoked_at, revoked_by) = self.revoked.map(|(at, by)| (at, by.shown(names))).unzip();
        Override {
            id: self.id,
            scope: if self.finding.is_some() { Scope::Finding } else { Scope::Control },
            finding: self.finding,
            control: self.control,
            reason: self.reason,
            expires_at: self.expires_at,
            created_at: self.created_at,
            created_by: self.created_by.shown(names),
            revoked_at,
            revoked_by,
            state,
        }
    }
}

pub(crate) async fn list(tx: &mut ReadTx<Data>, page: &PageQuery, states: &[State]) -> Result<Page<Override>> {
    let found = store::list(tx, page, states).await?;
    let items = found.items.into_iter().map(|stored| stored.shown(tx)).collect();
    Ok(Page { items, next: found.next, total: found.total })
}

/// The active override that covers a finding: its own, else its control's.
pub(crate) async fn covering(tx: &mut ReadTx<Data>, finding: FindingId, control: ControlId) -> Result<Option<Override>> {
    let stored = match store::active(tx, Target { finding: Some(finding), control }).await? {
        None => store::active(tx, Target { finding: None, control }).await?,
        own => own,
    };
    Ok(stored.map(|stored| stored.shown(tx)))
}

/// Accepts a risk until some day.
pub(crate) async fn create(tx: &mut WriteTx<Data>, asked: OverrideCreate) -> Result<Override> {
    let mut check = Check::new();
    let reason = check.text("reason", &asked.reason, 10..=2_000);
    check.future("expires_at", asked.expires_at, tx.now(), DAYS_MAX);
    match (asked.finding, asked.control) {
        (None, None) => check.fail("finding", "missing", "name a finding or a control"),
        (Some(_), Some(_)) => check.fail("control", "one_too_many", "name a finding or a control, not both"),
        _ => &mut check,
    };
    check.done()?;
    let control = match (asked.finding, asked.control) {
        (Some(finding), _) => findings::lock(tx, finding).await?.control,
        (None, Some(control)) => {
            controls::lock(tx, control).await?;
            control
        }
        (None, None) => return Err(Error::NotFound),
    };
    let target = Target { finding: asked.finding, control };
    if let Some(other) = store::active(tx, target).await? {
        let what = if asked.finding.is_some() { "finding" } else { "control" };
        return Err(Error::Conflict(format!("This {what} has an active override until {}. Revoke it first.", other.expires_at)));
    }
    let id = OverrideId::new(tx.now());
    let accepted = Accepted { reason, expires_at: asked.expires_at, by: by::me(tx)? };
    store::insert(tx, id, target, &accepted).await?;
    let created = store::find(tx, id).await?.ok_or_else(|| Error::internal("an override that was just written is not there"))?;
    let created = created.shown(tx);
    let label = created.finding.as_ref().map_or_else(|| created.control.title.clone(), |finding| finding.title.clone());
    tx.subject("override", id, label).reason(&accepted.reason).changed("override", id, &(), &created);
    scores::overrides_changed(tx).await?;
    Ok(created)
}

/// Ends an override early.
pub(crate) async fn revoke(tx: &mut WriteTx<Data>, id: OverrideId) -> Result<()> {
    let stored = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    let before = stored.shown(tx);
    let label = before.finding.as_ref().map_or_else(|| before.control.title.clone(), |finding| finding.title.clone());
    tx.subject("override", id, label);
    match before.state {
        State::Active => {}
        State::Expired => return Err(Error::Conflict("This override has come to its end by itself.".into())),
        State::Revoked => return Err(Error::Conflict("This override was revoked before.".into())),
    }
    let by = by::me(tx)?;
    if !store::revoke(tx, id, &by).await? {
        return Err(Error::Conflict("This override was revoked before.".into()));
    }
    let after = store::find(tx, id).await?.map(|stored| stored.shown(tx));
    tx.changed("override", id, &before, &after);
    scores::overrides_changed(tx).await
}

/// Controls that an override covered whole at an instant.
pub(crate) async fn controls_covered_at(tx: &mut ReadTx<Data>, at: Timestamp) -> Result<HashSet<ControlId>> {
    Ok(store::controls_covered_at(tx, at).await?)
}

/// Keys of findings that an override of their own covered at an instant.
pub(crate) async fn findings_covered_at(tx: &mut ReadTx<Data>, at: Timestamp) -> Result<HashSet<u128>> {
    Ok(store::findings_covered_at(tx, at).await?)
}

/// How many active overrides end within so many days.
pub(crate) async fn expiring(tx: &mut ReadTx<Data>, days: i64) -> Result<i64> {
    let until = tx.now().plus_days(days);
    Ok(store::ending_before(tx, until).await?)
}

/// When the next active override ends.
pub(crate) async fn next_end(tx: &mut ReadTx<Data>) -> Result<Option<Timestamp>> {
    Ok(store::next_end(tx).await?)
}

/// SQL that says whether an override covers finding `f` now; `now` is the parameter that holds the instant.
pub(crate) fn covers_finding(now: &str) -> String {
    format!(
        "(f.id IN (SELECT o.finding_id FROM override_item o
                   WHERE o.finding_id IS NOT NULL AND o.revoked_at IS NULL AND o.expires_at > {now})
          OR f.control_id IN (SELECT o.control_id FROM override_item o
                              WHERE o.finding_id IS NULL AND o.revoked_at IS NULL AND o.expires_at > {now}))"
    )
}
