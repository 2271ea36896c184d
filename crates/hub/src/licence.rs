//! `tenantry licence`: makes an issuer's key, issues licences, looks at them, and activates them here.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kernel::{Clock, Timestamp};
use ledger::{SigningKey, hex};
use msp::msp_licence::{LicenceFile, LicenceId, OperatorActivate, Terms};
use recovery::jobs::Job;
use serde_json::{Value, json};

use crate::config::{Settings, write_secret};
use crate::operator;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `tenantry licence`
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an issuer's key pair: the secret half goes into a file, the public half is printed
    Keygen {
        /// The file to make, readable for its owner only
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Issue a licence
    Issue(Box<Issue>),
    /// Show what a licence says, and whether it counts here
    Inspect {
        /// The hub's settings: they say whose licences count
        #[command(flatten)]
        settings: Box<Settings>,
        /// The licence
        file: PathBuf,
    },
    /// Activate a licence, or renew the one in force; works while the hub runs
    Activate(Box<Activate>),
}

/// `tenantry licence issue`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("until").required(true).args(["days", "expires"])))]
pub struct Issue {
    /// The issuer's secret key, as keygen made it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Who bought it
    #[arg(long, value_name = "NAME")]
    customer: String,
    /// How many client organisations there may be; left out: any number
    #[arg(long, value_name = "N")]
    tenants: Option<i64>,
    /// For how many days from its beginning
    #[arg(long, value_name = "N")]
    days: Option<i64>,
    /// Until when, 2027-12-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
    /// From when [default: now]
    #[arg(long, value_name = "TIME")]
    begins: Option<Timestamp>,
    /// Days after its end in which organisations may still be added
    #[arg(long, value_name = "N", default_value_t = 14)]
    grace_days: i64,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `tenantry licence activate`
#[derive(Debug, Args)]
pub struct Activate {
    #[command(flatten)]
    settings: Settings,
    /// The licence
    file: PathBuf,
    /// On a standalone installation: the name of the provider that it becomes
    #[arg(long, value_name = "NAME")]
    provider_name: Option<String>,
    /// On a standalone installation: its slug
    #[arg(long, value_name = "SLUG")]
    provider_slug: Option<String>,
    /// On a standalone installation: which of the organisation's admins becomes its first provider admin
    #[arg(long, value_name = "EMAIL")]
    admin: Option<String>,
}

/// Does it. Answers what is to be printed.
///
/// # Errors
/// A file cannot be read or written, or says something wrong.
pub async fn run(command: Command) -> Result<String, Failure> {
    match command {
        Command::Keygen { out } => keygen(&out),
        Command::Issue(issue) => self::issue(&issue),
        Command::Inspect { settings, file } => inspect(*settings, &file),
        Command::Activate(activate) => self::activate(*activate).await,
    }
}

fn keygen(out: &Path) -> Result<String, Failure> {
    if out.exists() {
        return Err(format!("{} exists already; a key is not overwritten", out.display()).into());
    }
    let secret = kernel::ids::random::<32>();
    let key = SigningKey::from_secret(&secret);
    write_secret(out, &hex::encode(&secret))?;
    pretty(&json!({ "public_key": hex::encode(&key.public_key()), "key_id": key.id() }))
}

fn issue(what: &Issue) -> Result<String, Failure> {
    let text = std::fs::read_to_string(&what.key).map_err(|error| format!("{}: {error}", what.key.display()))?;
    let secret: [u8; 32] =
        hex::decode(text.trim()).ok_or_else(|| format!("{} does not hold 64 lower-case hexadecimal digits", what.key.display()))?;
    let issued_at = what.begins.unwrap_or_else(|| Clock::system().now());
    let expires_at = match (what.expires, what.days) {
        (Some(at), _) => at,
        (None, days) => issued_at.plus_days(days.unwrap_or_default()),
    };
    let terms = Terms {
        id: LicenceId::new(issued_at),
        customer: what.customer.trim().to_owned(),
        tenants_max: what.tenants,
        issued_at,
        expires_at,
        grace_days: what.grace_days,
    };
    let text = LicenceFile::issue(&SigningKey::from_secret(&secret), terms)?.text()?;
    let Some(out) = &what.out else { return Ok(text) };
    std::fs::write(out, text).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(format!("{}\n", out.display()))
}

fn inspect(settings: Settings, file: &Path) -> Result<String, Failure> {
    let (issuers, now) = (settings.resolve()?.licence_issuers, Clock::system().now());
    let text = read(file)?;
    let licence = LicenceFile::read(&text).map_err(|problem| format!("{} {problem}", file.display()))?;
    let issuer = licence.issuer(&issuers);
    let problem = msp::msp_licence::check(&text, &issuers, now).err().map(|problem| format!("It {problem}."));
    pretty(&json!({
        "licence": licence.licence, "issuer": licence.issuer_id(), "issuer_name": issuer.as_ref().ok().map(|issuer| &issuer.name),
        "signature_holds": issuer.is_ok(), "state": licence.licence.state_at(now), "grace_until": licence.licence.grace_until(),
        "can_be_activated": problem.is_none(), "problem": problem,
    }))
}

async fn activate(what: Activate) -> Result<String, Failure> {
    let Activate { settings, file, provider_name, provider_slug, admin } = what;
    let asked = OperatorActivate { licence: read(&file)?, provider_name, provider_slug, admin };
    let body = serde_json::to_value(asked)?;
    pretty(&operator::run(&settings.resolve()?, Job::Act { name: "activate_licence".into(), body }).await?)
}

fn read(file: &Path) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?)
}

fn pretty(value: &Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
