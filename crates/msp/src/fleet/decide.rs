//! What people decide about a change: that it starts, goes on, ends, or is undone.

use access::{Act, Subject};
use kernel::door::Can;
use kernel::{Error, ReadTx, Result, WriteTx, scope};
use serde::Deserialize;
use serde_json::json;

use super::{FleetCan, FleetChange, FleetChangeId, ItemState, Progress, Sees, State, seen, sees, store};

/// How to go on.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = FleetResume)]
pub struct Resume {
    /// Leave out those that failed, in place of trying them again.
    pub skip_failed: bool,
}

/// What the person who asks may do with a change in this state.
pub(super) fn can(tx: &ReadTx<scope::Provider>, state: State, progress: Progress) -> FleetCan {
    let when = |act: Act, fits: bool| {
        let can = tx.can(act, Subject::Any);
        if fits || !can.allowed {
            return can;
        }
        Can { allowed: false, why: Some(format!("This change is {}.", state.text())), needs: None, step_up: false }
    };
    FleetCan {
        approve: when(Act::FleetChangeApprove, state == State::Draft),
        cancel: when(Act::FleetChangeCancel, is_open(state)),
        resume: when(Act::FleetChangeResume, state == State::Stopped),
        undo: when(Act::FleetChangeUndo, is_undoable(state) && progress.done > 0),
    }
}

fn is_open(state: State) -> bool {
    matches!(state, State::Draft | State::Approved | State::Running | State::Stopped)
}

fn is_undoable(state: State) -> bool {
    matches!(state, State::Stopped | State::Done | State::Cancelled | State::Undone)
}

fn wrong(change: &FleetChange, what_to_do: &str) -> Error {
    Error::Conflict(format!("This change is {}. {what_to_do}", change.state.text()))
}

/// Starts a draft. From here on it is applied with the rights of the person who asks.
///
/// # Errors
/// `NotFound`, `Conflict` unless it is a draft.
pub async fn approve(tx: &mut WriteTx<scope::Provider>, id: FleetChangeId) -> Result<FleetChange> {
    let before = taken(tx, id).await?;
    if before.state != State::Draft {
        return Err(wrong(&before, "Only a draft is approved."));
    }
    store::set_approved(tx, id).await?;
    moved(tx, &before, State::Approved).await
}

/// Gives a change up. What was applied until then stays, and can be undone.
///
/// # Errors
/// `NotFound`, `Conflict` when it is over, or under way and not a draft of one's own for who may not approve.
pub async fn cancel(tx: &mut WriteTx<scope::Provider>, id: FleetChangeId) -> Result<FleetChange> {
    let before = taken(tx, id).await?;
    if !is_open(before.state) {
        return Err(wrong(&before, "There is nothing to give up."));
    }
    let is_drafter_only = matches!(sees(tx)?, Sees::Own(_));
    if is_drafter_only && before.state != State::Draft {
        return Err(wrong(&before, "Ask who approved it."));
    }
    store::set_state(tx, id, State::Cancelled, "").await?;
    moved(tx, &before, State::Cancelled).await
}

/// Goes on with a change that stopped, with the rights of the person who asks.
///
/// # Errors
/// `NotFound`, `Conflict` unless it stopped.
pub async fn resume(tx: &mut WriteTx<scope::Provider>, id: FleetChangeId, body: Resume) -> Result<FleetChange> {
    let before = taken(tx, id).await?;
    if before.state != State::Stopped {
        return Err(wrong(&before, "Only one that stopped goes on."));
    }
    let to = if body.skip_failed { ItemState::Skipped } else { ItemState::Planned };
    store::move_items(tx, id, ItemState::Failed, to).await?;
    store::set_acting(tx, id, State::Running).await?;
    moved(tx, &before, State::Running).await
}

/// Puts back what a change did, with the rights of the person who asks.
///
/// # Errors
/// `NotFound`, `Conflict` while it runs, or when it did nothing.
pub async fn undo(tx: &mut WriteTx<scope::Provider>, id: FleetChangeId) -> Result<FleetChange> {
    let before = taken(tx, id).await?;
    if !is_undoable(before.state) {
        return Err(wrong(&before, "Wait for its end, or cancel it."));
    }
    if before.progress.done + before.progress.undo_failed == 0 {
        return Err(wrong(&before, "It changed nothing that could be put back."));
    }
    store::move_items(tx, id, ItemState::UndoFailed, ItemState::Done).await?;
    store::set_acting(tx, id, State::Undoing).await?;
    moved(tx, &before, State::Undoing).await
}

async fn taken(tx: &mut WriteTx<scope::Provider>, id: FleetChangeId) -> Result<FleetChange> {
    store::hold(tx, id).await?;
    let change = seen(tx, id).await?;
    tx.keeps_authority();
    tx.subject("fleet_change", id, change.reason.clone()).reason(&change.reason);
    Ok(change)
}

async fn moved(tx: &mut WriteTx<scope::Provider>, before: &FleetChange, to: State) -> Result<FleetChange> {
    tx.changed("fleet_change", before.id, &json!({ "state": before.state }), &json!({ "state": to }));
    seen(tx, before.id).await
}
