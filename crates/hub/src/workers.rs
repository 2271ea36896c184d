//! Work that no request does: carrying news that an interruption left lying, refreshing summaries that time alone changed, finishing
//! purges, and signing the heads of ledgers. Every step is its own transaction through the door, and may be done twice.

use std::time::Duration;

use access::Module;
use kernel::{CanFail, Hub, Result};
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(30);
/// Rounds between two sweeps over all tenants: ten minutes.
const SWEEP_ROUNDS: u32 = 20;

/// How soon something that the operator asks for is begun.
const OPERATOR_EVERY: Duration = Duration::from_millis(500);
/// How soon a change to many tenants is begun.
const FLEET_EVERY: Duration = Duration::from_millis(500);
/// How often is looked whether a scheduled backup is due.
const BACKUPS_EVERY: Duration = Duration::from_secs(60);

/// Works until told to stop.
pub async fn run(hub: Hub, stop: watch::Receiver<bool>) {
    tokio::join!(
        rounds(hub.clone(), stop.clone()),
        operator(hub.clone(), stop.clone()),
        backups(hub.clone(), stop.clone()),
        fleet(hub.clone(), stop.clone()),
        operations::run(hub, stop)
    );
}

/// Does what the operator asks for, one thing at a time. What runs when the hub is told to stop is given up, and says so.
async fn operator(hub: Hub, mut stop: watch::Receiver<bool>) {
    loop {
        let next = async {
            match recovery::jobs::run_next(&hub).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "cannot look for what the operator asks for"),
            }
            tokio::time::sleep(OPERATOR_EVERY).await;
        };
        tokio::select! {
            () = next => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Applies and undoes changes to many tenants, one change after the other. What runs when the hub is told to stop goes on at the next start.
async fn fleet(hub: Hub, mut stop: watch::Receiver<bool>) {
    msp::fleet::release_leases(&hub).await.can_fail("the leases end by themselves");
    loop {
        let next = async {
            match msp::fleet::run_next(&hub).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "a change to many tenants is held up; it is taken up again"),
            }
            tokio::time::sleep(FLEET_EVERY).await;
        };
        tokio::select! {
            () = next => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Makes scheduled backups when they are due.
async fn backups(hub: Hub, mut stop: watch::Receiver<bool>) {
    loop {
        let next = async {
            // Its failure is in the log, in the metrics and in the doctor's findings already.
            recovery::backups::run_due(&hub).await.can_fail("it is tried again");
            tokio::time::sleep(BACKUPS_EVERY).await;
        };
        tokio::select! {
            () = next => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn rounds(hub: Hub, mut stop: watch::Receiver<bool>) {
    hub.note_all_chains().await.can_fail("a ledger is noted again with its next entry");
    for round in 0_u32.. {
        if round.is_multiple_of(SWEEP_ROUNDS) {
            hub.sweep().await.can_fail("the next sweep comes");
            msp::licensing::review(&hub).await.can_fail("the next review comes");
        }
        once(&hub).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            // An error means that the sender is gone: stop as well.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Deletes the data of modules that left a plan so long ago that it is not kept any more.
async fn empty_modules(hub: &Hub) -> Result<()> {
    for (tenant, module) in msp::plans::modules::due(hub).await? {
        if !msp::plans::modules::begin_emptying(hub, tenant, module).await? {
            continue;
        }
        let rows = match module {
            Module::Compliance => posture::empty(hub, tenant).await?,
            // The others keep nothing yet.
            _ => 0,
        };
        msp::plans::modules::finish_emptying(hub, tenant, module, rows).await?;
    }
    Ok(())
}

/// One round of what is due.
pub async fn once(hub: &Hub) {
    match msp::summaries::due(hub, hub.now()).await {
        Ok(due) => {
            for tenant in due {
                posture::recheck(hub, tenant).await.can_fail("the next round tries again");
            }
        }
        Err(error) => tracing::warn!(%error, "cannot look for summaries that are due"),
    }
    msp::billing::note_usage(hub).await.can_fail("the next round tries again");
    msp::billing::close_months(hub).await.can_fail("the next round tries again");
    empty_modules(hub).await.can_fail("the next round tries again");
    msp::relationships::warn_due(hub).await.can_fail("the next round tries again");
    msp::msp_licence::warn_due(hub).await.can_fail("the next round tries again");
    msp::tenants::finish_purges(hub).await.can_fail("the next round tries again");
    hub.sign_due().await.can_fail("the next round tries again");
}
