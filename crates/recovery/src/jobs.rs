//! What the operator asks of a hub that runs. A command at the machine files a job; the hub that serves takes it, works, says how far it is,
//! and leaves the result. With no hub running the command does the job itself, through the same [`perform`].
//!
//! Jobs hold no secrets: keys and passphrases are named by files, which the hub reads. A job whose hub died is failed when its lease ends; it
//! is not begun again by itself, since whoever asked should see what happened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kernel::secrets::SecretKey;
use kernel::store::StoreError;
use kernel::{CanFail, Error, Hub, Result, Timestamp, params};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::keys::on_a_thread;
use crate::restores::{self, From, How};
use crate::{OperatorJobId, Progress, Recovery, backups, bundles, registry, rotation};

/// How long a job's hub may be silent.
const LEASE: Duration = Duration::from_secs(30);
/// How often a running job says that it lives, and how far it is.
const BEAT: Duration = Duration::from_secs(2);
/// Jobs that ended are forgotten after this many days.
const KEPT_DAYS: i64 = 30;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Job {
    /// Make a backup.
    Backup {
        /// Slug or id; none: the whole installation.
        tenant: Option<String>,
        /// The place; none: the one that is set up.
        to: Option<String>,
    },
    /// Check a backup.
    Verify {
        /// Its id, file name or path.
        backup: String,
        /// The place; none: the one that is set up.
        place: Option<String>,
    },
    /// Restore a tenant.
    Restore {
        /// Slug or id.
        tenant: String,
        /// Over or beside.
        how: How,
        /// From which backup.
        from: From,
        /// The place; none: the one that is set up.
        place: Option<String>,
        /// Why.
        reason: String,
    },
    /// Restore everything into an empty store. Only without a running hub.
    RestoreAll {
        /// Its id, file name or path.
        backup: String,
        /// The place; none: the one that is set up.
        place: Option<String>,
        /// Why.
        reason: String,
    },
    /// Export a tenant.
    BundleExport {
        /// Slug or id.
        tenant: String,
        /// The file to write; it must not exist.
        out: PathBuf,
        /// File with the passphrase.
        passphrase_file: PathBuf,
    },
    /// Import a tenant.
    BundleImport {
        /// The bundle.
        file: PathBuf,
        /// File with the passphrase.
        passphrase_file: PathBuf,
        /// Slug or id of the provider that gets it.
        provider: String,
        /// Another slug than it has.
        slug: Option<String>,
        /// Name of another plan than it has.
        plan: Option<String>,
        /// Why.
        reason: String,
    },
    /// Replace the master key.
    RotateMaster {
        /// File with the new key, 64 hexadecimal digits.
        new_key_file: PathBuf,
    },
    /// Replace the data key of a tenant, or of all.
    RotateTenant {
        /// Slug or id; none: all.
        tenant: Option<String>,
    },
    /// Forget a place that is gone for good.
    ForgetPlace {
        /// Its address.
        place: String,
    },
    /// Do what is another crate's business; see [`crate::Neighbours::act`].
    Act {
        /// Its name.
        name: String,
        /// What it takes.
        body: Value,
    },
}

/// How a filed job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Nobody has taken it yet.
    Asked,
    /// It runs; how far it is.
    Running(String),
    /// It is done; what came of it.
    Done(Value),
    /// It failed; why.
    Failed(String),
}

/// Does a job now, in this process.
///
/// # Errors
/// As what it does.
pub async fn perform(hub: &Hub, job: &Job, progress: &Progress) -> Result<Value> {
    match job {
        Job::Backup { tenant, to } => {
            let asked = backups::Asked { tenant: tenant.clone(), to: to.clone(), scheduled: false };
            json(&backups::make(hub, &asked, progress).await?)
        }
        Job::Verify { backup, place } => json(&backups::verify(hub, backup, place.as_deref(), progress).await?),
        Job::Restore { tenant, how, from, place, reason } => {
            let (tenant, place, reason) = (tenant.clone(), place.clone(), reason.clone());
            let asked = restores::Asked { tenant, how: *how, from: from.clone(), place, reason };
            json(&restores::tenant(hub, &asked, progress).await?)
        }
        Job::RestoreAll { backup, place, reason } => json(&restores::all(hub, backup, place.as_deref(), reason, progress).await?),
        Job::BundleExport { tenant, out, passphrase_file } => {
            let passphrase = passphrase(passphrase_file)?;
            json(&bundles::export_to_file(hub, tenant, out, passphrase).await?)
        }
        Job::BundleImport { file, passphrase_file, provider, slug, plan, reason } => {
            let into = bundles::Into { provider: provider.clone(), slug: slug.clone(), plan: plan.clone(), reason: reason.clone() };
            json(&bundles::import(hub, file, passphrase(passphrase_file)?, into).await?)
        }
        Job::RotateMaster { new_key_file } => json(&rotation::master(hub, key(new_key_file)?).await?),
        Job::RotateTenant { tenant: Some(named) } => {
            let id = registry::find(&mut hub.system_read().await?, named).await?.ok_or(Error::NotFound)?;
            json(&vec![rotation::tenant(hub, id).await?])
        }
        Job::RotateTenant { tenant: None } => json(&rotation::all_tenants(hub, progress).await?),
        Job::Act { name, body } => hub.port::<Recovery>().settings.neighbours.act(hub, name, body.clone()).await,
        Job::ForgetPlace { place } => json(&backups::forget_place(hub, place).await?),
    }
}

fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(Error::internal)
}

/// The first line of a file.
fn secret(path: &Path) -> Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::field("file", "unreadable", format!("{}: {error}", path.display())))?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().trim_end_matches('\r').to_owned()))
}

fn passphrase(path: &Path) -> Result<Zeroizing<String>> {
    let passphrase = secret(path)?;
    bundles::check_passphrase(&passphrase)?;
    Ok(passphrase)
}

fn key(path: &Path) -> Result<SecretKey> {
    SecretKey::from_hex(&secret(path)?)
        .ok_or_else(|| Error::field("new_key_file", "not_a_key", format!("{}: must hold 64 hexadecimal digits", path.display())))
}

/// Files a job for the hub that runs. `asked_by` is the account at the machine.
///
/// # Errors
/// `Unavailable`.
pub async fn file(hub: &Hub, job: &Job, asked_by: &str) -> Result<OperatorJobId> {
    let mut tx = hub.system_write("operator_job.create", "The operator asks something of the running hub.").await?;
    let (id, now) = (OperatorJobId::new(tx.now()), tx.now());
    let body = serde_json::to_string(job).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO operator_job (id, body, asked_by, asked_at, state) VALUES (?1, ?2, ?3, ?4, 'asked')",
        params![id, body, asked_by, now],
    )
    .await?;
    tx.keeps_authority().subject("operator_job", id, None).changed("operator_job", id, &(), &json(job)?);
    tx.commit().await?;
    Ok(id)
}

/// How a filed job stands. One whose hub is silent for too long has failed.
///
/// # Errors
/// `NotFound`, `Unavailable`.
pub async fn state(hub: &Hub, id: OperatorJobId) -> Result<JobState> {
    let mut tx = hub.system_read().await?;
    let now = tx.now();
    let sql = "SELECT state, progress, result, lease_until FROM operator_job WHERE id = ?1";
    let mut row = tx.opt(sql, params![id]).await?.ok_or(Error::NotFound)?;
    let (state, progress, result): (String, String, String) = (row.take()?, row.take()?, row.take()?);
    let lease_until: Timestamp = row.take()?;
    Ok(match state.as_str() {
        "asked" => JobState::Asked,
        "running" if now > lease_until => JobState::Failed("The hub that ran it stopped. Look at its log, and ask again.".into()),
        "running" => JobState::Running(progress),
        "done" => JobState::Done(serde_json::from_str(&result).map_err(Error::internal)?),
        _ => JobState::Failed(result),
    })
}

/// Takes a job back that nobody has taken. Answers whether it was still there to be taken back.
///
/// # Errors
/// `Unavailable`.
pub async fn withdraw(hub: &Hub, id: OperatorJobId) -> Result<bool> {
    let mut tx = hub.system_write("operator_job.delete", "The operator does not wait any longer.").await?;
    let gone = tx.execute("DELETE FROM operator_job WHERE id = ?1 AND state = 'asked'", params![id]).await? == 1;
    tx.keeps_authority().subject("operator_job", id, None);
    tx.commit().await?;
    Ok(gone)
}

/// Does the oldest job that was asked for, if there is one. Answers whether there was. The hub that serves calls this twice a second.
///
/// # Errors
/// `Unavailable`; what the job itself fails with is in its row.
pub async fn run_next(hub: &Hub) -> Result<bool> {
    let Some((id, job)) = take(hub).await? else { return Ok(false) };
    let said = Arc::new(Mutex::new(String::new()));
    let progress = Progress::new({
        let said = said.clone();
        move |text| text.clone_into(&mut said.lock())
    });
    let work = perform_of_running(hub, &job, &progress);
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            () = tokio::time::sleep(BEAT) => {
                let said = said.lock().clone();
                beat(hub, id, &said).await.can_fail("the next beat comes before the lease ends");
            }
        }
    };
    let (state, result) = match outcome {
        Ok(value) => ("done", value.to_string()),
        Err(error) => ("failed", words(&error)),
    };
    let mut tx = hub.system_write("operator_job.end", "What the operator asked for has ended.").await?;
    tx.execute("UPDATE operator_job SET state = ?2, result = ?3 WHERE id = ?1", params![id, state, result.as_str()]).await?;
    let old = tx.now().plus_days(-KEPT_DAYS);
    tx.execute("DELETE FROM operator_job WHERE state IN ('done', 'failed') AND asked_at < ?1", params![old]).await?;
    tx.keeps_authority().subject("operator_job", id, None).changed("operator_job", id, &(), &serde_json::json!({ "state": state }));
    tx.commit().await?;
    Ok(true)
}

async fn perform_of_running(hub: &Hub, job: &Job, progress: &Progress) -> Result<Value> {
    if matches!(job, Job::RestoreAll { .. }) {
        return Err(Error::Conflict("Stop the hub first: everything is restored into a store that nobody serves.".into()));
    }
    perform(hub, job, progress).await
}

/// What a person at the machine reads of an error.
pub fn words(error: &Error) -> String {
    match error {
        Error::NotFound => "No such tenant or backup.".into(),
        Error::Conflict(text) | Error::Licence(text) | Error::Unavailable(text) => text.clone(),
        Error::Invalid(fields) => {
            fields.iter().map(|field| format!("{}: {}", field.field, field.message)).collect::<Vec<_>>().join("; ")
        }
        other => kernel::error::chain(other),
    }
}

async fn take(hub: &Hub) -> Result<Option<(OperatorJobId, Job)>> {
    const OLDEST: &str = "SELECT id, body FROM operator_job WHERE state = 'asked' ORDER BY asked_at, id LIMIT 1";
    let row = hub.system_read().await?.opt(OLDEST, params![]).await?;
    let Some(mut row) = row else { return Ok(None) };
    let (id, body): (OperatorJobId, String) = (row.take()?, row.take()?);
    let mut tx = hub.system_write("operator_job.begin", "The hub begins what the operator asked for.").await?;
    let lease_until = tx.now().after(LEASE);
    let sql = "UPDATE operator_job SET state = 'running', lease_until = ?2 WHERE id = ?1 AND state = 'asked'";
    let taken = tx.execute(sql, params![id, lease_until]).await? == 1;
    tx.keeps_authority().subject("operator_job", id, None);
    tx.commit().await?;
    let job = serde_json::from_str(&body).map_err(|error| StoreError::Shape(format!("a job: {error}")))?;
    Ok(taken.then_some((id, job)))
}

/// Says that the job lives. Bookkeeping, like when a session was last seen: no entry of its own.
async fn beat(hub: &Hub, id: OperatorJobId, said: &str) -> Result<()> {
    let lease_until = hub.now().after(LEASE);
    let sql = "UPDATE operator_job SET progress = ?2, lease_until = ?3 WHERE id = ?1 AND state = 'running'";
    hub.bookkeeping(sql, params![id, said, lease_until]).await
}

/// At start, before any job is taken: jobs and backups that an interruption left are failed, tenants that were on their way in are removed.
///
/// # Errors
/// `Unavailable`.
pub async fn finish_interrupted(hub: &Hub) -> Result<()> {
    let now = hub.now();
    // Where several hubs share a store, what is younger than a lease may be another's work.
    let before = if hub.is_shared() { now.before(Duration::from_secs(6 * 3_600)) } else { now };
    let removed = restores::finish_interrupted(hub, before).await?;
    let mut tx = hub.system_read().await?;
    let left = tx.opt("SELECT id FROM backup_run WHERE outcome IS NULL AND started_at <= ?1", params![before]).await?;
    let jobs = "SELECT id FROM operator_job WHERE state = 'running' AND lease_until <= ?1";
    let lease = if hub.is_shared() { now } else { now.after(LEASE) };
    let stale = tx.opt(jobs, params![lease]).await?;
    drop(tx);
    if left.is_none() && stale.is_none() && removed == 0 {
        return Ok(());
    }
    let mut tx = hub.system_write("recovery.finish", "The hub stopped in the middle of the operator's work.").await?;
    let text = "The hub stopped in the middle of it.";
    tx.execute(
        "UPDATE backup_run SET outcome = 'failed', detail = ?2 WHERE outcome IS NULL AND started_at <= ?1",
        params![before, text],
    )
    .await?;
    let sql = "UPDATE operator_job SET state = 'failed', result = ?2 WHERE state = 'running' AND lease_until <= ?1";
    tx.execute(sql, params![lease, text]).await?;
    tx.keeps_authority();
    tx.commit().await
}

/// Takes the lock that says that this process serves this data folder, and holds it as long as the file is open. None: another has it.
///
/// # Errors
/// `Unavailable` when the folder cannot be written.
pub async fn serving_lock(data: &Path) -> Result<Option<std::fs::File>> {
    let path = data.join("hub.lock");
    on_a_thread(move || {
        let failed = |error: std::io::Error| Error::Unavailable(format!("{}: {error}.", path.display()));
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    })
    .await
}
