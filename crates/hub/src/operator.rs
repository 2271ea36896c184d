//! The operator's commands at the machine: backups, restores, bundles, keys.
//!
//! Whoever serves a data folder holds the lock on `hub.lock` in it. With nobody serving, a command does its work itself; else it files a job,
//! which the running hub takes within half a second, and shows how far it is and what came of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use kernel::{Hub, Timestamp};
use recovery::jobs::{self, Job, JobState};
use recovery::restores::{From, How};
use recovery::{Progress, backups};
use serde_json::Value;

use crate::config::{Config, Settings};

/// How long a running hub may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `tenantry backup`
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    settings: Settings,
    /// Only this client organisation, by slug or id
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Where to: a folder or s3://bucket/prefix [default: backup.to]
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
}

/// `tenantry backups`
#[derive(Debug, Args)]
pub struct Backups {
    #[command(flatten)]
    settings: Settings,
    /// Where from [default: backup.to]
    #[arg(long, value_name = "PLACE")]
    from: Option<String>,
    /// Forget a place that is gone for good, so that purges do not wait for it
    #[arg(long, value_name = "PLACE")]
    forget: Option<String>,
}

/// `tenantry break-glass`
#[derive(Debug, Args)]
pub struct BreakGlass {
    #[command(flatten)]
    settings: Settings,
    /// The client organisation, by slug or id
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Somebody of its provider's staff, by e-mail or id
    #[arg(long, value_name = "PERSON")]
    person: String,
    /// Up to which tier: T1, T2 or T3
    #[arg(long, default_value = "T3")]
    tier: access::Tier,
    /// For how long, 1 to 240
    #[arg(long, default_value_t = 30)]
    minutes: i64,
    /// Why; the organisation and its provider read it in their ledgers
    #[arg(long)]
    reason: String,
}

/// `tenantry set-tier`
#[derive(Debug, Args)]
pub struct SetTier {
    #[command(flatten)]
    settings: Settings,
    /// The client organisation, by slug or id
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// The tier: T0, T1, T2 or T3
    #[arg(long)]
    tier: access::Tier,
    /// Why; the organisation and its provider read it in their ledgers
    #[arg(long)]
    reason: String,
}

/// `tenantry create-tenant`
#[derive(Debug, Args)]
pub struct CreateTenant {
    #[command(flatten)]
    settings: Settings,
    /// The provider whose client it is, by slug or id
    #[arg(long, value_name = "SLUG")]
    provider: String,
    /// The client organisation's slug
    #[arg(long)]
    slug: String,
    /// Its name
    #[arg(long)]
    name: String,
    /// Name of one of the provider's plans
    #[arg(long)]
    plan: String,
    /// The relationship's tier [default: T2, or the provider's ceiling]
    #[arg(long)]
    tier: Option<access::Tier>,
    /// Why; the provider reads it in its ledger
    #[arg(long)]
    reason: String,
}

/// `tenantry verify-backup`
#[derive(Debug, Args)]
pub struct VerifyBackup {
    #[command(flatten)]
    settings: Settings,
    /// Id, file name, or path of a backup
    backup: String,
    /// Where it lies [default: backup.to]
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
}

/// `tenantry restore`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["tenant", "all"])))]
#[command(group(clap::ArgGroup::new("how").args(["over", "beside"]).requires("tenant")))]
#[command(group(clap::ArgGroup::new("which").required(true).args(["from", "at"])))]
pub struct Restore {
    #[command(flatten)]
    settings: Settings,
    /// The client organisation, by slug or id
    #[arg(long, value_name = "SLUG", requires = "how")]
    tenant: Option<String>,
    /// Everything, into an empty data folder or database
    #[arg(long)]
    all: bool,
    /// In place of the live one's data; its ledger goes on
    #[arg(long)]
    over: bool,
    /// As a new client organisation beside the live one
    #[arg(long)]
    beside: bool,
    /// Id, file name, or path of a backup
    #[arg(long, value_name = "BACKUP")]
    from: Option<String>,
    /// The newest backup made at this instant or before, 2026-11-21T02:00:00Z
    #[arg(long, value_name = "TIME", requires = "tenant")]
    at: Option<Timestamp>,
    /// Where it lies [default: backup.to]
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Why; the client organisation reads it in its ledger
    #[arg(long)]
    reason: String,
}

/// `tenantry bundle`
#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// Write a client organisation into a file for another installation
    Export {
        /// The hub's settings
        #[command(flatten)]
        settings: Settings,
        /// Slug or id
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// File whose first line is the passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
    },
    /// Take in a client organisation of another installation
    Import {
        /// The hub's settings
        #[command(flatten)]
        settings: Settings,
        /// The bundle
        file: PathBuf,
        /// File whose first line is the passphrase
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
        /// The provider that gets it, by slug or id
        #[arg(long, value_name = "SLUG")]
        provider: String,
        /// Another slug than it has
        #[arg(long)]
        slug: Option<String>,
        /// Name of another plan than it has
        #[arg(long)]
        plan: Option<String>,
        /// Why; the client organisation reads it in its ledger
        #[arg(long)]
        reason: String,
    },
}

/// `tenantry keys`
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Replace the master key
    RotateMaster {
        /// The hub's settings
        #[command(flatten)]
        settings: Settings,
        /// File with the new key, 64 hexadecimal digits
        #[arg(long, value_name = "FILE")]
        new_key_file: PathBuf,
    },
    /// Replace the data key of a client organisation, or of all
    #[command(group(clap::ArgGroup::new("whose").required(true).args(["tenant", "all"])))]
    RotateTenant {
        /// The hub's settings
        #[command(flatten)]
        settings: Settings,
        /// Slug or id
        tenant: Option<String>,
        /// Of every client organisation
        #[arg(long)]
        all: bool,
    },
}

/// Makes a backup and prints its manifest.
///
/// # Errors
/// What the job failed with.
pub async fn backup(what: Backup) -> Result<Value, Failure> {
    let config = what.settings.resolve()?;
    // The running hub may work in another folder.
    let to = what.to.map(absolute).transpose()?;
    run(&config, Job::Backup { tenant: what.tenant, to }).await
}

/// Lets one of the provider's people past a freeze, for a while.
///
/// # Errors
/// It is not switched on, or what the job failed with.
pub async fn break_glass(what: BreakGlass) -> Result<Value, Failure> {
    let config = what.settings.resolve()?;
    if !config.break_glass {
        return Err("breaking the glass is switched off here: set break_glass = true in the configuration first".into());
    }
    let BreakGlass { tenant, person, tier, minutes, reason, .. } = what;
    let body = serde_json::to_value(msp::elevations::BreakGlass { tenant, person, tier, minutes, reason })?;
    run(&config, Job::Act { name: "break_glass".into(), body }).await
}

/// Sets the tier of a relationship, where its settings leave that to the operator.
///
/// # Errors
/// What the job failed with.
pub async fn set_tier(what: SetTier) -> Result<Value, Failure> {
    let SetTier { settings, tenant, tier, reason } = what;
    let body = serde_json::to_value(msp::relationships::OperatorTier { tenant, tier, reason })?;
    run(&settings.resolve()?, Job::Act { name: "set_tier".into(), body }).await
}

/// Makes a client organisation for a provider.
///
/// # Errors
/// What the job failed with.
pub async fn create_tenant(what: CreateTenant) -> Result<Value, Failure> {
    let CreateTenant { settings, provider, slug, name, plan, tier, reason } = what;
    let body = serde_json::to_value(msp::tenants::OperatorTenant { provider, slug, name, plan, tier, reason })?;
    run(&settings.resolve()?, Job::Act { name: "create_tenant".into(), body }).await
}

/// Lists backups, newest first.
///
/// # Errors
/// The place or the store cannot be read.
pub async fn list(what: Backups) -> Result<Value, Failure> {
    let config = what.settings.resolve()?;
    if let Some(place) = what.forget {
        let forgotten = run(&config, Job::ForgetPlace { place: absolute(place)? }).await?;
        return Ok(serde_json::json!({ "forgotten": forgotten }));
    }
    let hub = open(&config).await?;
    let place = backups::place(&hub, what.from.as_deref(), false).await.map_err(told)?;
    Ok(serde_json::to_value(backups::list(place).await.map_err(told)?)?)
}

/// Checks a backup. Only reads, so it is done here, whoever serves.
///
/// # Errors
/// The first thing that is wrong with it.
pub async fn verify(what: VerifyBackup) -> Result<Value, Failure> {
    let hub = open(&what.settings.resolve()?).await?;
    let job = Job::Verify { backup: what.backup, place: what.place };
    jobs::perform(&hub, &job, &shown()).await.map_err(told)
}

/// Restores.
///
/// # Errors
/// What the job failed with.
pub async fn restore(what: Restore) -> Result<Value, Failure> {
    let config = what.settings.resolve()?;
    let path = |text: String| if text.contains('/') { absolute(text) } else { Ok(text) };
    let (from, place) = (what.from.map(path).transpose()?, what.place.map(absolute).transpose()?);
    let Some(tenant) = what.tenant else {
        if let Some(file) = config.key.file().filter(|file| !file.exists()) {
            return Err(format!("put the master key that the backup was made with at {} first", file.display()).into());
        }
        let backup = from.ok_or("--from names the backup")?;
        return run(&config, Job::RestoreAll { backup, place, reason: what.reason }).await;
    };
    let from = match (from, what.at) {
        (Some(from), _) => From::Backup(from),
        (None, Some(at)) => From::At(at),
        (None, None) => return Err("--from or --at says which backup".into()),
    };
    let how = if what.over { How::Over } else { How::Beside };
    run(&config, Job::Restore { tenant, how, from, place, reason: what.reason }).await
}

/// Exports or imports a bundle.
///
/// # Errors
/// What the job failed with.
pub async fn bundle(what: Bundle) -> Result<Value, Failure> {
    let full = |path: PathBuf| std::path::absolute(path);
    match what {
        Bundle::Export { settings, tenant, out, passphrase_file } => {
            let (out, passphrase_file) = (full(out)?, full(passphrase_file)?);
            run(&settings.resolve()?, Job::BundleExport { tenant, out, passphrase_file }).await
        }
        Bundle::Import { settings, file, passphrase_file, provider, slug, plan, reason } => {
            let (file, passphrase_file) = (full(file)?, full(passphrase_file)?);
            run(&settings.resolve()?, Job::BundleImport { file, passphrase_file, provider, slug, plan, reason }).await
        }
    }
}

/// Replaces keys.
///
/// # Errors
/// What the job failed with.
pub async fn keys(what: Keys) -> Result<Value, Failure> {
    match what {
        Keys::RotateMaster { settings, new_key_file } => {
            let new_key_file = std::path::absolute(new_key_file)?;
            run(&settings.resolve()?, Job::RotateMaster { new_key_file }).await
        }
        Keys::RotateTenant { settings, tenant, all: _ } => run(&settings.resolve()?, Job::RotateTenant { tenant }).await,
    }
}

fn absolute(place: String) -> Result<String, Failure> {
    if place.contains("://") {
        return Ok(place);
    }
    let path = std::path::absolute(place)?;
    Ok(path.to_str().ok_or("a path that is not UTF-8")?.to_owned())
}

async fn open(config: &Config) -> Result<Hub, Failure> {
    let hub = config.open().await?;
    crate::wiring::wire(&hub, &config.spool().join(format!("command-{}", std::process::id())));
    config.provide(&hub);
    Ok(hub)
}

fn told(error: kernel::Error) -> Failure {
    jobs::words(&error).into()
}

fn shown() -> Progress {
    Progress::new(|text| eprintln!("… {text}"))
}

/// Does the job here when nobody serves the data folder; else lets the running hub do it.
pub(crate) async fn run(config: &Config, job: Job) -> Result<Value, Failure> {
    let lock = jobs::serving_lock(&config.data).await?;
    let hub = open(config).await?;
    if lock.is_some() {
        jobs::finish_interrupted(&hub).await?;
        return jobs::perform(&hub, &job, &shown()).await.map_err(told);
    }
    let asked_by = std::env::var("USER").unwrap_or_else(|_| "operator".into());
    let id = jobs::file(&hub, &job, &asked_by).await?;
    let (begun, mut said) = (tokio::time::Instant::now(), String::new());
    loop {
        match jobs::state(&hub, id).await? {
            JobState::Done(value) => return Ok(value),
            JobState::Failed(why) => return Err(why.into()),
            JobState::Running(progress) if progress != said => {
                eprintln!("… {progress}");
                said = progress;
            }
            JobState::Asked if begun.elapsed() > BEGIN_MAX && jobs::withdraw(&hub, id).await? => {
                return Err("the running hub did not take it within a minute; look at its log".into());
            }
            JobState::Asked | JobState::Running(_) => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
