//! `tenantry doctor`: checks a configuration before it is served, and says what to do about each thing that is wrong.

use std::net::TcpListener;
use std::path::Path;

use kernel::Hub;
use kernel::store::StoreConfig;

use crate::config::{Config, KeySource};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// As it should be.
    Good(String),
    /// Works, but not as it should.
    Warning(String),
    /// Does not work; says what to do.
    Bad(String),
}

/// Runs every check. The store is opened (and brought up to date) only when the rest is good.
pub async fn check(config: &Config) -> Vec<Finding> {
    let mut found = vec![check_folder(&config.data), check_key(&config.key), check_address(config), check_url(config)];
    if let StoreConfig::Sqlite { dir } = &config.store {
        found.push(check_space(dir));
    }
    if found.iter().any(|finding| matches!(finding, Finding::Bad(_))) {
        found.push(Finding::Warning("store: not opened; correct the above first".into()));
    } else {
        check_store(config, &mut found).await;
    }
    found
}

fn check_folder(data: &Path) -> Finding {
    let probe = data.join(".doctor");
    let written =
        std::fs::create_dir_all(data).and_then(|()| std::fs::write(&probe, b"")).and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Finding::Good(format!("data: {} can be written", data.display())),
        Err(error) => Finding::Bad(format!(
            "data: {}: {error}. Give the folder to the user that runs the hub, or choose another with --data.",
            data.display()
        )),
    }
}

fn check_key(key: &KeySource) -> Finding {
    if let KeySource::File { path, create: true } = key
        && !path.exists()
    {
        return Finding::Good(format!(
            "master key: {} will be made at the first start; back it up apart from the data",
            path.display()
        ));
    }
    if let Err(error) = key.load() {
        return Finding::Bad(format!("master key: {error}. Make one with: openssl rand -hex 32"));
    }
    match key {
        KeySource::File { path, .. } => {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(path).map(|meta| meta.permissions().mode()).unwrap_or_default();
            if mode & 0o077 == 0 {
                Finding::Good(format!("master key: {}", path.display()))
            } else {
                Finding::Warning(format!("master key: {} can be read by others; chmod 600 it", path.display()))
            }
        }
        KeySource::Given(_) => Finding::Good("master key: from the environment".into()),
        KeySource::Command(_) => Finding::Good("master key: from its command".into()),
    }
}

fn check_address(config: &Config) -> Finding {
    match TcpListener::bind(config.listen) {
        Ok(_) => Finding::Good(format!("listen: {} is free", config.listen)),
        Err(error) => Finding::Bad(format!(
            "listen: {}: {error}. Stop what listens there, or choose another address with --listen.",
            config.listen
        )),
    }
}

fn check_url(config: &Config) -> Finding {
    if config.public_url.starts_with("https://") {
        return Finding::Good(format!("public_url: {}", config.public_url));
    }
    if config.listen.ip().is_loopback() {
        return Finding::Good(format!("public_url: {} (plain HTTP, reached from this machine only)", config.public_url));
    }
    Finding::Warning(format!(
        "public_url: {} is plain HTTP and the hub listens beyond this machine: put it behind a TLS proxy and set an https:// public_url",
        config.public_url
    ))
}

fn check_space(dir: &Path) -> Finding {
    const LOW_BYTES: u64 = 1 << 30;
    let listed = std::process::Command::new("df").args(["--output=avail", "-B1"]).arg(dir).output();
    let free: Option<u64> = listed.ok().and_then(|out| String::from_utf8_lossy(&out.stdout).lines().nth(1)?.trim().parse().ok());
    match free {
        Some(bytes) if bytes < LOW_BYTES => Finding::Warning(format!("disk: only {} MB free at {}", bytes >> 20, dir.display())),
        Some(bytes) => Finding::Good(format!("disk: {} GB free", bytes >> 30)),
        None => Finding::Warning("disk: free space is unknown here".into()),
    }
}

async fn check_store(config: &Config, found: &mut Vec<Finding>) {
    let hub = match config.open().await {
        Ok(hub) => hub,
        Err(error) => return found.push(Finding::Bad(format!("store: {}", kernel::error::chain(error.as_ref())))),
    };
    found.push(Finding::Good(format!(
        "store: {} opens, its schema is up to date, the master key is the right one",
        hub.engine_name()
    )));
    recovery::provide(&hub, config.recovery());
    found.extend(check_backups(config, &hub).await);
}

/// Says how scheduled backups stand; nothing when none are scheduled.
async fn check_backups(config: &Config, hub: &Hub) -> Option<Finding> {
    let schedule = config.backup_schedule.as_ref()?;
    let state = match recovery::backups::state(hub).await {
        Ok(state) => state,
        Err(error) => return Some(Finding::Bad(format!("backups: {}", kernel::error::chain(&error)))),
    };
    Some(match (state.failing, state.last_done_at) {
        (Some(why), _) => Finding::Bad(format!("backups: the last one failed: {why}")),
        (None, None) => Finding::Good("backups: the first is made when the hub serves".into()),
        (None, Some(at)) if hub.now() > at.after(schedule.every * 2) => {
            Finding::Warning(format!("backups: the last one is of {at}, older than two intervals"))
        }
        (None, Some(at)) => Finding::Good(format!("backups: the last one is of {at}")),
    })
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Good(text) => write!(f, "good     {text}"),
            Self::Warning(text) => write!(f, "warning  {text}"),
            Self::Bad(text) => write!(f, "BAD      {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[tokio::test]
    async fn a_good_configuration_is_good_and_a_taken_address_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let settings = Settings { data: Some(folder.path().join("data")), listen: Some(listen), ..Settings::default() };
        let found = check(&settings.clone().resolve().unwrap()).await;
        assert!(found.iter().all(|f| matches!(f, Finding::Good(_))), "{found:?}");

        let taken = TcpListener::bind(listen).unwrap();
        let settings = Settings { listen: Some(taken.local_addr().unwrap()), ..settings };
        let found = check(&settings.resolve().unwrap()).await;
        assert!(found.iter().any(|f| matches!(f, Finding::Bad(text) if text.starts_with("listen"))), "{found:?}");
    }

    #[tokio::test]
    async fn another_master_key_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        let settings = |key: &str| Settings {
            data: Some(folder.path().join("data")),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            master_key: Some(key.repeat(32)),
            ..Settings::default()
        };
        assert!(matches!(check(&settings("01").resolve().unwrap()).await.last(), Some(Finding::Good(_))));
        let found = check(&settings("02").resolve().unwrap()).await;
        assert!(matches!(found.last(), Some(Finding::Bad(text)) if text.contains("master key")), "{found:?}");
    }
}
