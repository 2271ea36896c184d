//! The `tenantry` command.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hub::config::Settings;
use hub::{brand, demo, doctor, import, ledger, licence, operator, serve, why};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tenantry: one console for every client of a managed service provider.
#[derive(Parser)]
#[command(name = "tenantry", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the console
    Serve {
        #[command(flatten)]
        settings: Settings,
    },
    /// Serve a hub with the demo provider Northwind IT in it
    Demo {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        options: demo::Options,
    },
    /// Send a scan's file to a hub
    Import(import::Import),
    /// Check a configuration
    Doctor {
        #[command(flatten)]
        settings: Settings,
    },
    /// Check ledgers and certificates, export a ledger, show and replace the keys that sign
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Issue, look at and activate licences
    #[command(subcommand)]
    Licence(licence::Command),
    /// Ask who may do what, and why
    Why(why::Arguments),
    /// Let one of a provider's people into a client organisation past a freeze, for a while (only where break_glass is switched on)
    BreakGlass(operator::BreakGlass),
    /// Set the tier of a relationship whose settings leave that to the operator
    SetTier(operator::SetTier),
    /// Make a client organisation for a provider, whether its own people may or not
    CreateTenant(operator::CreateTenant),
    /// Show or set the installation's own brand, below which providers and clients set theirs
    #[command(subcommand)]
    Brand(brand::Brand),
    /// Make a backup of everything, or of one client organisation
    Backup(operator::Backup),
    /// List backups
    Backups(operator::Backups),
    /// Check a backup without restoring it
    VerifyBackup(operator::VerifyBackup),
    /// Restore one client organisation, or everything
    Restore(operator::Restore),
    /// Carry a client organisation to another installation
    #[command(subcommand)]
    Bundle(operator::Bundle),
    /// Replace keys
    #[command(subcommand)]
    Keys(operator::Keys),
    /// Print the OpenAPI document
    Openapi,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tenantry: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tenantry: {}", kernel::error::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve { settings } => {
            let config = settings.resolve()?;
            log(&config.log, config.log_format.as_deref())?;
            serve::serve(&config).await?;
        }
        Command::Demo { settings, options } => {
            let config = settings.resolve()?;
            log(if options.json { "warn" } else { &config.log }, config.log_format.as_deref())?;
            demo::run(&config, &options).await?;
        }
        Command::Import(what) => {
            log("warn", None)?;
            println!("{}", import::line(&import::import(&what).await?));
        }
        Command::Doctor { settings } => {
            let findings = doctor::check(&settings.resolve()?).await;
            for finding in &findings {
                println!("{finding}");
            }
            if findings.iter().any(|finding| matches!(finding, doctor::Finding::Bad(_))) {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Ledger(command) => {
            log("warn", None)?;
            return Ok(ExitCode::from(ledger::run(command).await?));
        }
        Command::Licence(command) => {
            log("warn", None)?;
            print!("{}", licence::run(command).await?);
        }
        Command::Why(question) => {
            log("warn", None)?;
            print!("{}", why::answer(question).await?);
        }
        Command::BreakGlass(what) => print(operator::break_glass(what).await)?,
        Command::SetTier(what) => print(operator::set_tier(what).await)?,
        Command::CreateTenant(what) => print(operator::create_tenant(what).await)?,
        Command::Brand(what) => print(brand::brand(what).await)?,
        Command::Backup(what) => print(operator::backup(what).await)?,
        Command::Backups(what) => print(operator::list(what).await)?,
        Command::VerifyBackup(what) => print(operator::verify(what).await)?,
        Command::Restore(what) => print(operator::restore(what).await)?,
        Command::Bundle(what) => print(operator::bundle(what).await)?,
        Command::Keys(what) => print(operator::keys(what).await)?,
        Command::Openapi => println!("{}", hub::openapi().to_pretty_json()?),
    }
    Ok(ExitCode::SUCCESS)
}

fn print(result: Result<serde_json::Value, Failure>) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(&result?)?);
    Ok(())
}

fn log(filter: &str, format: Option<&str>) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("log: {error}"))?;
    let is_text = format.map_or_else(|| std::io::stderr().is_terminal(), |format| format == "text");
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if is_text {
        builder.try_init()?
    } else {
        builder.json().flatten_event(true).with_current_span(true).try_init()?
    }
    Ok(())
}
