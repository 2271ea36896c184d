//! `tenantry ledger`: checks what was signed (as `tenantry-ledger` does, in the same words), and what the operator does at the machine:
//! export a ledger, show the public keys, replace the key that signs. A hub may run on the same data meanwhile.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::door::ChainId;
use kernel::store::Query;
use kernel::{Error, Hub};
use ledger::cli::{CheckCertificate, GOOD, Verify, run_certificate, run_verify};
use msp::ledger::Export;

use crate::config::Settings;

/// What to do with ledgers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check ledger exports, without the hub, and name the first bad entry
    Verify(VerifyFiles),
    /// Check a certificate of destruction, without the hub
    Certificate(VerifyCertificate),
    /// Write a ledger to a file that proves itself; the ledger says that you did
    Export(ExportLedger),
    /// Print the public keys that sign ledgers, the first one first
    Keys {
        /// Where the hub's data is
        #[command(flatten)]
        settings: Settings,
    },
    /// Replace the key that signs ledgers; the old one certifies the new one
    RotateKey {
        /// Where the hub's data is
        #[command(flatten)]
        settings: Settings,
    },
}

/// Exports to check.
#[derive(Debug, Args)]
pub struct VerifyFiles {
    /// Ledger exports
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Public key that you trust: 64 hexadecimal digits, or a file with some (GET /api/v1/ledger-keys)
    #[arg(long = "key", value_name = "HEX|FILE")]
    pub keys: Vec<String>,
    /// Checkpoint that you kept: alone, a list, or a whole earlier export
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
    /// One JSON object a file
    #[arg(long)]
    pub json: bool,
}

/// A certificate to check.
#[derive(Debug, Args)]
pub struct VerifyCertificate {
    /// Certificate of destruction
    pub file: PathBuf,
    /// Public key that you trust: 64 hexadecimal digits, or a file with some
    #[arg(long = "key", value_name = "HEX|FILE")]
    pub keys: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Which ledger to export where.
#[derive(Debug, Args)]
pub struct ExportLedger {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    which: Which,
    /// File to write; must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// A tenant's, by slug or id
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// A provider's, by slug or id
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// The installation's own
    #[arg(long)]
    installation: bool,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Does it. Answers the exit code: 0 good, 1 bad, 2 could not be checked.
///
/// # Errors
/// In words for the person at the terminal: a setting is wrong, the store cannot be opened, there is no such ledger.
pub async fn run(command: Command) -> Result<u8, Failure> {
    let mut out = std::io::stdout();
    match command {
        Command::Verify(VerifyFiles { files, keys, checkpoints, json }) => {
            Ok(run_verify(&Verify { files, keys, checkpoints, json }, &mut out)?)
        }
        Command::Certificate(VerifyCertificate { file, keys, json }) => {
            Ok(run_certificate(&CheckCertificate { file, keys, json }, &mut out)?)
        }
        Command::Export(what) => export(what).await,
        Command::Keys { settings } => {
            for key in open(settings).await?.signing_keys().await? {
                let since = key.certificate.map_or_else(|| "the first key".to_owned(), |c| format!("from {}", c.from));
                writeln!(out, "{}  {}  {since}", ledger::hex::encode(&key.public_key), key.key_id)?;
            }
            Ok(GOOD)
        }
        Command::RotateKey { settings } => {
            let key = open(settings).await?.rotate_signing_key().await?;
            let from = key.certificate.map(|certificate| certificate.from).unwrap_or_default();
            writeln!(out, "{}  {}  signs from {from}", ledger::hex::encode(&key.public_key), key.key_id)?;
            Ok(GOOD)
        }
    }
}

async fn open(settings: Settings) -> Result<Hub, Failure> {
    let config = settings.resolve()?;
    if matches!(config.store, kernel::store::StoreConfig::Sqlite { .. }) && !config.data.join("control.db").exists() {
        return Err(format!("there is no hub's data in {}: name its folder with --data", config.data.display()).into());
    }
    config.open().await
}

async fn export(what: ExportLedger) -> Result<u8, Failure> {
    let hub = open(what.settings).await?;
    let chain = chain_of(&hub, &what.which).await?;
    // A file that exists is somebody's evidence: it is not written over.
    let mut out: Box<dyn Write + Send> = match &what.out {
        None => Box::new(std::io::stdout()),
        Some(path) => {
            let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
            Box::new(file.map_err(|error| format!("{}: {error}", path.display()))?)
        }
    };
    let mut export = Export::at_machine(&hub, chain).await?;
    while let Some(bytes) = export.more().await? {
        out.write_all(&bytes)?;
    }
    out.flush()?;
    if let Some(path) = &what.out {
        eprintln!("{chain} is in {}", path.display());
    }
    Ok(GOOD)
}

async fn chain_of(hub: &Hub, which: &Which) -> Result<ChainId, Failure> {
    let mut tx = hub.system_read().await?;
    let row = match (&which.tenant, &which.provider) {
        (Some(name), _) => {
            let mut query = Query::new("SELECT id FROM tenant WHERE state <> 'purged'");
            query.and_named::<kernel::ids::Tenant>("id", "slug", name);
            tx.query(&query).await?.pop().map(|mut row| row.take().map(ChainId::Tenant))
        }
        (None, Some(name)) => {
            let mut query = Query::new("SELECT id FROM provider WHERE 1 = 1");
            query.and_named::<kernel::ids::Provider>("id", "slug", name);
            tx.query(&query).await?.pop().map(|mut row| row.take().map(ChainId::Provider))
        }
        (None, None) => Some(Ok(ChainId::Installation)),
    };
    let named = which.tenant.as_ref().or(which.provider.as_ref());
    match row {
        Some(chain) => Ok(chain.map_err(Error::from)?),
        None => Err(format!("there is no {}", named.map_or("ledger", String::as_str)).into()),
    }
}
