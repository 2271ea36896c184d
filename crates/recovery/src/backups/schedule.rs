//! Scheduled backups of the whole installation, and which of them are kept.
//!
//! Kept are the newest backup of each of the last so many days, weeks and months that have one. Only what the schedule made is removed, and
//! only after a newer backup was made. Several hubs on one store take turns: a run is claimed by its row.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::{CanFail, Hub, Result, Timestamp, params};
use serde::{Deserialize, Serialize};

use super::{Asked, Manifest, list, make, place};
use crate::keys::on_a_thread;
use crate::{BackupId, Progress, Recovery};

/// A failed run is tried again after this time, or after the interval if that is shorter.
const RETRY: Duration = Duration::from_secs(900);
/// A run that has not ended after this time was interrupted.
const RUN_MAX: Duration = Duration::from_secs(6 * 3_600);
/// Rows of `backup_run` that are kept.
const RUNS_KEPT: i64 = 200;

/// What the schedule makes and keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// From the beginning of one backup to the beginning of the next.
    pub every: Duration,
    /// Which are kept.
    pub keep: Keep,
}

/// How many backups are kept: of each of the last days, weeks and months that have one, the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Days.
    pub daily: usize,
    /// ISO weeks.
    pub weekly: usize,
    /// Months.
    pub monthly: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self { daily: 7, weekly: 4, monthly: 12 }
    }
}

/// How the scheduled backups stand.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduleState {
    /// When the last one was made.
    pub last_done_at: Option<Timestamp>,
    /// Why the last try failed, when the last try did.
    pub failing: Option<String>,
}

/// How the scheduled backups stand.
///
/// # Errors
/// `Unavailable`.
pub async fn state(hub: &Hub) -> Result<ScheduleState> {
    let mut tx = hub.system_read().await?;
    let row = tx.opt("SELECT MAX(started_at) FROM backup_run WHERE outcome = 'done'", params![]).await?;
    let last_done_at = row.map(|mut row| row.take()).transpose()?.flatten();
    let sql = "SELECT outcome, detail FROM backup_run WHERE outcome IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 1";
    let last = tx.opt(sql, params![]).await?;
    let last: Option<(String, String)> =
        last.map(|mut row| Ok::<_, kernel::store::StoreError>((row.take()?, row.take()?))).transpose()?;
    Ok(ScheduleState { last_done_at, failing: last.filter(|(outcome, _)| outcome == "failed").map(|(_, detail)| detail) })
}

/// Whether a scheduled backup is due.
///
/// # Errors
/// `Unavailable`.
pub async fn due(hub: &Hub) -> Result<bool> {
    let recovery = hub.port::<Recovery>();
    let Some(schedule) = &recovery.settings.schedule else { return Ok(false) };
    is_due(&mut hub.system_read().await?, schedule).await
}

async fn is_due<S: kernel::scope::Control>(tx: &mut kernel::ReadTx<S>, schedule: &Schedule) -> Result<bool> {
    let now = tx.now();
    let sql = "SELECT started_at, outcome FROM backup_run ORDER BY started_at DESC, id DESC LIMIT 1";
    let Some(mut row) = tx.opt(sql, params![]).await? else { return Ok(true) };
    let (started_at, outcome): (Timestamp, Option<String>) = (row.take()?, row.take()?);
    let wait = match outcome.as_deref() {
        Some("done") => schedule.every,
        Some(_) => RETRY.min(schedule.every),
        None => RUN_MAX,
    };
    Ok(now >= started_at.after(wait))
}

/// Makes the backup that is due, if one is, and removes those that are not kept. Answers the backup made.
///
/// # Errors
/// As [`make`]; the failure is remembered, shown by [`state`] and counted in `tenantry_backup_failures_total`.
pub async fn run_due(hub: &Hub) -> Result<Option<Manifest>> {
    let recovery = hub.port::<Recovery>();
    let Some(schedule) = &recovery.settings.schedule else { return Ok(None) };
    let Some(run) = claim(hub, schedule).await? else { return Ok(None) };
    let made = make(hub, &Asked { scheduled: true, ..Asked::default() }, &Progress::silent()).await;
    let (outcome, detail, bytes) = match &made {
        Ok(manifest) => ("done", manifest.file.clone(), manifest.bytes),
        Err(error) => ("failed", kernel::error::chain(error), 0),
    };
    let mut tx = hub.system_write("backup_run.end", "A scheduled backup ended.").await?;
    let now = tx.now();
    tx.execute(
        "UPDATE backup_run SET ended_at = ?2, outcome = ?3, detail = ?4, bytes = ?5 WHERE id = ?1",
        params![run, now, outcome, detail.as_str(), bytes],
    )
    .await?;
    tx.execute(
        "DELETE FROM backup_run WHERE id NOT IN (SELECT id FROM backup_run ORDER BY started_at DESC, id DESC LIMIT ?1)",
        params![RUNS_KEPT],
    )
    .await?;
    tx.keeps_authority().subject("backup_run", run, detail.clone());
    tx.commit().await?;
    match made {
        Ok(manifest) => {
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit into a double")]
            metrics::gauge!("tenantry_backup_last_success_timestamp_seconds").set((manifest.made_at.0 / 1_000_000) as f64);
            metrics::gauge!("tenantry_backup_failing").set(0);
            tracing::info!(file = manifest.file, bytes = manifest.bytes, "scheduled backup made");
            prune(hub, schedule.keep).await.can_fail("the next run removes what is not kept");
            Ok(Some(manifest))
        }
        Err(error) => {
            metrics::counter!("tenantry_backup_failures_total").increment(1);
            metrics::gauge!("tenantry_backup_failing").set(1);
            tracing::error!(error = %kernel::error::chain(&error), "the scheduled backup failed");
            Err(error)
        }
    }
}

/// Takes the run that is due, so that no other hub on the same store does. None when there is none.
async fn claim(hub: &Hub, schedule: &Schedule) -> Result<Option<BackupId>> {
    if !due(hub).await? {
        return Ok(None);
    }
    let mut tx = hub.system_write("backup_run.begin", "A scheduled backup is due.").await?;
    // Two who come here at once: the second waits for this row, and then sees the first one's run.
    tx.execute("UPDATE installation SET value = value WHERE name = 'backup key'", params![]).await?;
    if !is_due(&mut tx, schedule).await? {
        tx.keeps_authority().reason("Another hub makes it.");
        tx.commit().await?;
        return Ok(None);
    }
    let (now, to) = (tx.now(), hub.port::<Recovery>().settings.to.clone().unwrap_or_default());
    let id = BackupId::new(now);
    tx.execute("INSERT INTO backup_run (id, place, started_at) VALUES (?1, ?2, ?3)", params![id, to, now]).await?;
    tx.keeps_authority().subject("backup_run", id, None);
    tx.commit().await?;
    Ok(Some(id))
}

/// Removes the scheduled backups that are not kept. Answers their files.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn prune(hub: &Hub, keep: Keep) -> Result<Vec<String>> {
    let place = place(hub, None, false).await?;
    let manifests = list(place.clone()).await?;
    let scheduled: Vec<&Manifest> = manifests.iter().filter(|manifest| manifest.scheduled).collect();
    let kept = kept(&scheduled.iter().map(|manifest| manifest.made_at).collect::<Vec<_>>(), keep);
    let gone: Vec<String> =
        scheduled.iter().filter(|manifest| !kept.contains(&manifest.made_at)).map(|manifest| manifest.file.clone()).collect();
    if gone.is_empty() {
        return Ok(gone);
    }
    let files = gone.clone();
    on_a_thread(move || {
        for file in files {
            // The manifest first: what is half removed is not offered.
            place.delete(&super::manifest_name(&file))?;
            place.delete(&file)?;
        }
        Ok(())
    })
    .await?;
    let mut tx = hub.system_write("backup.delete", "Scheduled backups are older than what is kept.").await?;
    tx.keeps_authority().changed("backup", "scheduled", &gone, &());
    tx.commit().await?;
    Ok(gone)
}

/// Of instants, newest first, those that are kept.
fn kept(newest_first: &[Timestamp], keep: Keep) -> BTreeSet<Timestamp> {
    let mut kept = BTreeSet::new();
    let mut keep_of = |most: usize, period: &dyn Fn(jiff::civil::Date) -> (i16, i16)| {
        let mut seen = BTreeSet::new();
        for at in newest_first {
            let Ok(instant) = jiff::Timestamp::from_microsecond(at.0) else { continue };
            let period = period(jiff::tz::TimeZone::UTC.to_datetime(instant).date());
            if seen.len() >= most && !seen.contains(&period) {
                break;
            }
            if seen.insert(period) {
                kept.insert(*at);
            }
        }
    };
    keep_of(keep.daily, &|date| (date.year(), date.day_of_year()));
    keep_of(keep.weekly, &|date| (date.iso_week_date().year(), date.iso_week_date().week().into()));
    keep_of(keep.monthly, &|date| (date.year(), date.month().into()));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_day_week_and_month_are_kept() {
        let start: Timestamp = "2026-11-21T23:00:00Z".parse().unwrap();
        // Twice a day for 400 days.
        let all: Vec<Timestamp> = (0..800).map(|n| start.before(Duration::from_secs(12 * 3_600 * n))).collect();
        let kept = kept(&all, Keep { daily: 7, weekly: 4, monthly: 12 });
        let text: Vec<String> = kept.iter().rev().map(|at| at.to_string()[..10].to_owned()).collect();
        assert_eq!(text[..7], ["2026-11-21", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16", "2026-11-15"]);
        assert_eq!(text[7..9], ["2026-11-08", "2026-11-01"]);
        assert_eq!(*text.last().unwrap(), "2025-12-31");
        assert!(kept.iter().all(|at| at.to_string().contains("T23:00")));
        assert_eq!(super::kept(&all, Keep { daily: 0, weekly: 0, monthly: 0 }).len(), 0);
    }
}
