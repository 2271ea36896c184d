//! `tenantry demo`: a hub that plays the demo's story on its first start, and serves.

use std::path::PathBuf;

use clap::Args;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

use super::story::{self, Api, Script, SignIns, Size};
use crate::config::Config;
use crate::serve::{Running, metrics, open_to_serve, wait_for_signal};

/// How the demo is told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Print one JSON line (url, sign_ins by role) once the hub is up, and nothing else
    #[arg(long)]
    pub json: bool,
    /// Six clients with little history instead of twenty-four with ninety days: starts fast
    #[arg(long)]
    pub small: bool,
    /// Password of everybody in the demo
    #[arg(long, default_value = "harbour-lantern-42", value_name = "PASSWORD")]
    pub password: String,
}

/// What a data folder remembers of its demo, so that a second start changes nothing.
#[derive(Serialize, Deserialize)]
struct Played {
    sign_ins: SignIns,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Plays the story unless the data folder holds it already, then serves until told to stop.
///
/// # Errors
/// The store holds a hub that is not the demo, or an act of the story was refused.
pub async fn run(config: &Config, options: &Options) -> Result<(), Failure> {
    let listener =
        TcpListener::bind(config.listen).await.map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    // The story is months of work in a minute: nothing that a tenant's fair share is meant for.
    let config = Config { fair: None, ..config.clone().listening_on(listener.local_addr()?) };
    let (hub, _serving) = open_to_serve(&config).await?;
    let memory: PathBuf = config.data.join("demo.json");
    let played = match std::fs::read(&memory) {
        Ok(bytes) => serde_json::from_slice::<Played>(&bytes)?,
        Err(_) => {
            let code =
                identity::setup::prepare(&hub).await?.ok_or("this data folder holds a hub already, and it is not the demo's")?;
            let sign_ins = play(&hub, &code, options).await?;
            let played = Played { sign_ins };
            std::fs::write(&memory, serde_json::to_vec_pretty(&played)?)?;
            played
        }
    };
    let running = Running::start(&hub, listener, Some(metrics()?))?;
    let url = format!("http://{}", running.address);
    if options.json {
        println!("{}", json!({ "url": url, "sign_ins": played.sign_ins.people }));
    } else {
        print_sign_ins(&url, &played.sign_ins);
    }
    wait_for_signal().await?;
    running.stop().await;
    Ok(())
}

async fn play(hub: &kernel::Hub, code: &str, options: &Options) -> Result<SignIns, Failure> {
    let now: Timestamp = hub.now();
    let scratch = tempfile::tempdir()?;
    let size = if options.small { Size::Small } else { Size::Full };
    let mut api = Api::new(crate::app(hub));
    let quiet = options.json;
    let progress = move |text: &str| {
        if !quiet {
            eprintln!("  {text}");
        }
    };
    if !quiet {
        eprintln!("Playing the demo's story (once; it stays in the data folder):");
    }
    let script = Script { setup_code: code, password: &options.password, scratch: scratch.path(), now, size };
    Ok(story::play(&mut api, script, &progress).await?)
}

fn print_sign_ins(url: &str, sign_ins: &SignIns) {
    println!("\nTenantry is up at {url}\n\nSign in as");
    for person in &sign_ins.people {
        println!("  {:<34} {:<24} {}", person.email, person.password, person.note);
    }
    println!("\nStop with Ctrl-C. The data stays; a second start changes nothing.");
}
