//! Configuration: command line before environment before one TOML file before defaults.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use kernel::door::FairLimits;
use kernel::secrets::SecretKey;
use kernel::store::{StoreConfig, StoreLimits};
use kernel::{Clock, HubConfig};
use serde::Deserialize;

/// Settings as they are given, on the command line (`--data`), in the environment (`TENANTRY_DATA`) or in the file (`data = …`).
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// TOML file with these settings
    #[arg(long, env = "TENANTRY_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Folder of the embedded store, and of the master key [default: ./data]
    #[arg(long, env = "TENANTRY_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "TENANTRY_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address people reach the console at; https:// makes cookies Secure [default: http://<listen>]
    #[arg(long, env = "TENANTRY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Domain below which every client has an address, <client>-<provider>.<domain>; its DNS and certificates lead here [default: none]
    #[arg(long, env = "TENANTRY_BASE_DOMAIN", value_name = "DOMAIN")]
    pub base_domain: Option<String>,
    /// Use PostgreSQL instead of the embedded store, postgres://user@host/database
    #[arg(long, env = "TENANTRY_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// PostgreSQL connections for control data, and as many for tenant data [default: 16]
    #[arg(long, env = "TENANTRY_CONNECTIONS", value_name = "N")]
    pub connections: Option<usize>,
    /// File with the master key, 64 hexadecimal digits [default: <data>/master.key, made at the first start]
    #[arg(long, env = "TENANTRY_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// The master key itself; only from the environment
    #[arg(long, env = "TENANTRY_MASTER_KEY", value_name = "HEX", hide = true)]
    #[serde(skip)]
    pub master_key: Option<String>,
    /// Command that prints the master key, 64 hexadecimal digits: a client of a key store
    #[arg(long, env = "TENANTRY_MASTER_KEY_COMMAND", value_name = "COMMAND")]
    pub master_key_command: Option<String>,
    /// Most tenant databases kept open (embedded store) [default: 400]
    #[arg(long, env = "TENANTRY_OPEN_TENANTS", value_name = "N")]
    pub open_tenants: Option<usize>,
    /// Reads per second that one tenant may go on with (a write counts as four); 0: no limit [default: 400]
    #[arg(long, env = "TENANTRY_TENANT_RATE", value_name = "N")]
    pub tenant_rate: Option<u32>,
    /// Whether the operator may let staff past a freeze (`tenantry break-glass`); every use is in the tenant's ledger [default: false]
    #[arg(long, env = "TENANTRY_BREAK_GLASS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub break_glass: Option<bool>,
    /// Public key whose licences count here beside the vendor's, 64 hexadecimal digits, optionally with a name after it (resellers, test
    /// installations); may be given several times, in the environment separated by commas
    #[arg(long = "licence-issuer", env = "TENANTRY_LICENCE_ISSUERS", value_delimiter = ',', value_name = "HEX")]
    pub licence_issuers: Vec<String>,
    /// SMTP server that e-mails leave through: smtps://user@host:465, or smtp://user@host:587 with STARTTLS; without it links are shown instead
    #[arg(long, env = "TENANTRY_SMTP_URL", value_name = "URL")]
    pub smtp_url: Option<String>,
    /// Address that e-mails come from; needed with --smtp-url
    #[arg(long, env = "TENANTRY_SMTP_FROM", value_name = "ADDRESS")]
    pub smtp_from: Option<String>,
    /// File with the password of the SMTP server's user
    #[arg(long, env = "TENANTRY_SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// The password itself; only from the environment
    #[arg(long, env = "TENANTRY_SMTP_PASSWORD", value_name = "PASSWORD", hide = true, hide_env_values = true)]
    #[serde(skip)]
    pub smtp_password: Option<String>,
    /// File with a certificate (PEM) that the SMTP server's is trusted by, besides the system's
    #[arg(long, env = "TENANTRY_SMTP_CA_FILE", value_name = "FILE")]
    pub smtp_ca_file: Option<PathBuf>,
    /// Let webhooks go to private addresses and over plain HTTP: for labs only [default: false]
    #[arg(long, env = "TENANTRY_ALLOW_PRIVATE_WEBHOOKS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub allow_private_webhooks: Option<bool>,
    /// Take the client's address from X-Forwarded-For (behind a proxy that sets it)
    #[arg(long, env = "TENANTRY_BEHIND_PROXY", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub behind_proxy: Option<bool>,
    /// Log lines as text or json [default: text on a terminal, json otherwise]
    #[arg(long, env = "TENANTRY_LOG_FORMAT", value_parser = ["text", "json"])]
    pub log_format: Option<String>,
    /// What to log, as in `info,kernel=debug` [default: info]
    #[arg(long, env = "TENANTRY_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// Backups: where to, how often, which are kept; only in the file
    #[arg(skip)]
    pub backup: BackupSettings,
}

/// The section `[backup]` of the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackupSettings {
    /// A folder, or `s3://bucket/prefix`.
    pub to: Option<String>,
    /// Time between two scheduled backups, `24h`, `90m`, `7d`; left out: none are scheduled.
    pub every: Option<String>,
    /// Which scheduled backups are kept.
    pub keep: recovery::backups::Keep,
    /// How to reach an S3-compatible store.
    pub s3: recovery::S3Settings,
}

/// Settings with their defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Data folder.
    pub data: PathBuf,
    /// Where people reach the console.
    pub public_url: String,
    /// Below which every client has an address, in lower case.
    pub base_domain: Option<String>,
    /// Where the data lives.
    pub store: StoreConfig,
    /// Bounds of the store.
    pub limits: StoreLimits,
    /// Where the master key comes from.
    pub key: KeySource,
    /// What one tenant may use of the hub.
    pub fair: Option<FairLimits>,
    /// The operator may let staff past a freeze.
    pub break_glass: bool,
    /// Whose licences count.
    pub licence_issuers: msp::msp_licence::Issuers,
    /// How e-mails and webhooks leave.
    pub operations: operations::Settings,
    /// Behind a proxy.
    pub behind_proxy: bool,
    /// "text" or "json".
    pub log_format: Option<String>,
    /// Log filter.
    pub log: String,
    /// Where backups go.
    pub backup_to: Option<String>,
    /// Which backups are made by themselves.
    pub backup_schedule: Option<recovery::backups::Schedule>,
    /// How to reach buckets.
    pub s3: recovery::S3Settings,
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The key itself.
    Given(SecretKey),
    /// What this shell command prints.
    Command(String),
    /// A file; made with a new key when it is missing and `create`.
    File {
        /// Its path.
        path: PathBuf,
        /// Whether a missing file is made.
        create: bool,
    },
}

/// A setting that is wrong, with what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    /// Its name.
    pub setting: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

fn wrong(setting: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError { setting: setting.into(), problem: problem.into() }
}

impl Settings {
    /// Fills in the file's settings and the defaults.
    ///
    /// # Errors
    /// The file cannot be read or names unknown settings; a setting is out of its range.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None => Self::default(),
        };
        let operations = self.operations(&file)?;
        let data = self.data.or(file.data).unwrap_or_else(|| PathBuf::from("data"));
        let listen = self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = self.public_url.or(file.public_url).unwrap_or_else(|| format!("http://{listen}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        if !(public_url.starts_with("http://") || public_url.starts_with("https://")) {
            return Err(wrong("public_url", "must begin with http:// or https://"));
        }
        let base_domain = match self.base_domain.or(file.base_domain) {
            None => None,
            Some(domain) => {
                let sound = kernel::brand::host_name(&domain).filter(|sound| sound.contains('.') && !domain.contains(':'));
                Some(sound.ok_or_else(|| wrong("base_domain", "must be a domain like hub.example, without https:// and port"))?)
            }
        };
        let connections = in_range("connections", self.connections.or(file.connections).unwrap_or(16), 1..=500)?;
        let store = match self.database_url.or(file.database_url) {
            Some(url) => StoreConfig::Postgres { url, connections },
            None => StoreConfig::Sqlite { dir: data.clone() },
        };
        let open_tenants = in_range("open_tenants", self.open_tenants.or(file.open_tenants).unwrap_or(400), 1..=100_000)?;
        let (key_file, command) =
            (self.master_key_file.or(file.master_key_file), self.master_key_command.or(file.master_key_command));
        let key = match (self.master_key, key_file, command) {
            (Some(hex), ..) => {
                KeySource::Given(SecretKey::from_hex(&hex).ok_or_else(|| wrong("master_key", "needs 64 hexadecimal digits"))?)
            }
            (None, Some(_), Some(_)) => {
                return Err(wrong("master_key_command", "and master_key_file are both set; leave one out"));
            }
            (None, None, Some(command)) => KeySource::Command(command),
            (None, Some(path), None) => KeySource::File { path, create: false },
            (None, None, None) => KeySource::File { path: data.join("master.key"), create: true },
        };
        let backup_schedule = match (&file.backup.to, file.backup.every.as_deref()) {
            (_, None) => None,
            (None, Some(_)) => return Err(wrong("backup.every", "needs backup.to: where the backups go")),
            (Some(_), Some(every)) => {
                Some(recovery::backups::Schedule { every: duration("backup.every", every)?, keep: file.backup.keep })
            }
        };
        let issuers = self.licence_issuers.iter().chain(&file.licence_issuers).map(String::as_str);
        let licence_issuers =
            msp::msp_licence::Issuers::embedded().and(issuers).map_err(|problem| wrong("licence_issuers", problem))?;
        Ok(Config {
            listen,
            data,
            public_url,
            base_domain,
            store,
            limits: StoreLimits { open_tenants, wait: Duration::from_secs(10) },
            key,
            fair: fair(self.tenant_rate.or(file.tenant_rate)),
            break_glass: self.break_glass.or(file.break_glass).unwrap_or(false),
            licence_issuers,
            operations,
            behind_proxy: self.behind_proxy.or(file.behind_proxy).unwrap_or(false),
            log_format: self.log_format.or(file.log_format),
            log: self.log.or(file.log).unwrap_or_else(|| "info".into()),
            backup_to: file.backup.to,
            backup_schedule,
            s3: file.backup.s3,
        })
    }
}

impl Settings {
    /// How e-mails and webhooks leave.
    fn operations(&self, file: &Self) -> Result<operations::Settings, ConfigError> {
        let allow_private_webhooks = self.allow_private_webhooks.or(file.allow_private_webhooks).unwrap_or(false);
        let Some(url) = self.smtp_url.as_ref().or(file.smtp_url.as_ref()) else {
            return Ok(operations::Settings { smtp: None, allow_private_webhooks });
        };
        let from = self.smtp_from.as_ref().or(file.smtp_from.as_ref());
        let from = from.ok_or_else(|| wrong("smtp_from", "is needed with smtp_url: the address that e-mails come from"))?;
        let password = match (&self.smtp_password, self.smtp_password_file.as_ref().or(file.smtp_password_file.as_ref())) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(path)) => {
                let failed = |error| wrong("smtp_password_file", format!("{}: {error}", path.display()));
                Some(std::fs::read_to_string(path).map_err(failed)?)
            }
            (None, None) => None,
        };
        let ca_file = self.smtp_ca_file.clone().or_else(|| file.smtp_ca_file.clone());
        let smtp = operations::mail::Smtp::parse(url, password, from, ca_file);
        let smtp = smtp.map_err(|error| wrong("smtp_url", error.to_string()))?;
        Ok(operations::Settings { smtp: Some(smtp), allow_private_webhooks })
    }
}

/// The limits of every tenant at this rate: a burst of three seconds is free.
fn fair(rate: Option<u32>) -> Option<FairLimits> {
    let limits = FairLimits::default();
    let Some(rate) = rate else { return Some(limits) };
    NonZeroU32::new(rate).map(|per_second| FairLimits { per_second, burst: rate.saturating_mul(3), ..limits })
}

/// `90m`, `24h`, `7d`; five minutes at least.
fn duration(setting: &str, text: &str) -> Result<Duration, ConfigError> {
    let fail = || wrong(setting, "must be a number with m, h or d, five minutes at least, as in 24h");
    let (number, unit) = text.trim().split_at_checked(text.trim().len().saturating_sub(1)).ok_or_else(fail)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(fail()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds)).filter(|seconds| *seconds >= 300);
    seconds.map(Duration::from_secs).ok_or_else(fail)
}

fn in_range(setting: &str, value: usize, range: std::ops::RangeInclusive<usize>) -> Result<usize, ConfigError> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(wrong(setting, format!("must lie between {} and {}", range.start(), range.end())))
    }
}

fn read_file(path: &Path) -> Result<Settings, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&name, error.to_string()))?;
    toml::from_str(&text).map_err(|error| wrong(&name, error.to_string()))
}

impl Config {
    /// With the address that was bound: where the port was left to the system (0), the public address takes it over.
    #[must_use]
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        if self.public_url == format!("http://{}", self.listen) {
            self.public_url = format!("http://{address}");
        }
        self
    }

    /// Where files lie while they are imported.
    pub fn spool(&self) -> PathBuf {
        self.data.join("spool")
    }

    /// Opens the kernel. Where a rotation of the master key was interrupted between its commit and the rename of the key's file, the key that
    /// was laid ready is the one that fits, and is put into its place.
    ///
    /// # Errors
    /// As [`Config::hub`] and `Hub::open`.
    pub async fn open(&self) -> Result<kernel::Hub, Box<dyn std::error::Error + Send + Sync>> {
        let config = self.hub()?;
        let failed = match kernel::Hub::open(config.clone()).await {
            Ok(hub) => return Ok(hub),
            Err(error) => error,
        };
        let Some(next) = self.key.next() else { return Err(failed.into()) };
        let Ok(hub) = kernel::Hub::open(HubConfig { master_key: next, ..config }).await else { return Err(failed.into()) };
        self.key.adopt_next()?;
        tracing::warn!("a rotation of the master key was interrupted; its new key is in place now");
        Ok(hub)
    }

    /// Puts what is configured of the crates into a wired hub.
    pub fn provide(&self, hub: &kernel::Hub) {
        recovery::provide(hub, self.recovery());
        msp::msp_licence::provide(hub, self.licence_issuers.clone());
        if let Some(base) = &self.base_domain {
            hub.provide(msp::branding::BaseDomain(base.clone()));
        }
    }

    /// How recovery is set up.
    pub fn recovery(&self) -> recovery::Settings {
        recovery::Settings {
            to: self.backup_to.clone(),
            s3: self.s3.clone(),
            schedule: self.backup_schedule.clone(),
            master_key_file: self.key.file().map(Path::to_path_buf),
            neighbours: crate::wiring::neighbours(),
        }
    }

    /// What the kernel is opened with. Makes the data folder and, at the first start, the master key's file (mode 0600).
    ///
    /// # Errors
    /// The folder or the key's file cannot be made or read.
    pub fn hub(&self) -> Result<HubConfig, ConfigError> {
        std::fs::create_dir_all(&self.data).map_err(|error| wrong("data", format!("{}: {error}", self.data.display())))?;
        Ok(HubConfig {
            store: self.store.clone(),
            limits: self.limits,
            master_key: self.key.load()?,
            clock: Clock::system(),
            public_url: self.public_url.clone(),
            behind_proxy: self.behind_proxy,
            fair: self.fair,
        })
    }
}

impl KeySource {
    /// The file that has the key, if one has.
    pub fn file(&self) -> Option<&Path> {
        if let Self::File { path, .. } = self { Some(path) } else { None }
    }

    /// The key that a rotation laid ready and that was not put into its place (see `recovery::rotation`).
    fn next(&self) -> Option<SecretKey> {
        SecretKey::from_hex(&std::fs::read_to_string(recovery::rotation::next_file(self.file()?)).ok()?)
    }

    /// Puts the key that was laid ready into its place.
    fn adopt_next(&self) -> std::io::Result<()> {
        let Some(path) = self.file() else { return Ok(()) };
        std::fs::rename(recovery::rotation::next_file(path), path)
    }
    /// The key.
    ///
    /// # Errors
    /// Its file is missing, unreadable, or holds something else.
    pub fn load(&self) -> Result<SecretKey, ConfigError> {
        let (path, create) = match self {
            Self::Given(key) => return Ok(key.clone()),
            Self::Command(command) => return from_command(command),
            Self::File { path, create } => (path, *create),
        };
        let fail = |problem: String| wrong("master_key_file", format!("{}: {problem}", path.display()));
        match std::fs::read_to_string(path) {
            Ok(text) => SecretKey::from_hex(&text).ok_or_else(|| fail("must hold 64 hexadecimal digits".into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
                let key = SecretKey::generate();
                write_secret(path, &key.to_hex()).map_err(|error| fail(error.to_string()))?;
                Ok(key)
            }
            Err(error) => Err(fail(error.to_string())),
        }
    }
}

/// Runs the command; its answer is never written anywhere.
fn from_command(command: &str) -> Result<SecretKey, ConfigError> {
    let fail = |problem: String| wrong("master_key_command", problem);
    let run = std::process::Command::new("sh").args(["-c", command]).stdin(std::process::Stdio::null()).output();
    let output = run.map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())));
    }
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    SecretKey::from_hex(&text).ok_or_else(|| fail("must print 64 hexadecimal digits and nothing else".into()))
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_comes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.toml");
        std::fs::write(&file, "listen = \"0.0.0.0:9000\"\nopen_tenants = 7\n").unwrap();
        let settings = Settings { config: Some(file), listen: Some("127.0.0.1:1".parse().unwrap()), ..Settings::default() };
        let config = settings.resolve().unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.limits.open_tenants, 7);
        assert_eq!(config.public_url, "http://127.0.0.1:1");
    }

    #[test]
    fn what_is_wrong_is_said_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.toml");
        std::fs::write(&file, "lisen = \"0.0.0.0:9000\"\n").unwrap();
        let error = Settings { config: Some(file), ..Settings::default() }.resolve().unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
        let error = Settings { connections: Some(0), ..Settings::default() }.resolve().unwrap_err();
        assert_eq!(error.setting, "connections");
        let error = Settings { master_key: Some("12".into()), ..Settings::default() }.resolve().unwrap_err();
        assert_eq!(error.setting, "master_key");
    }

    #[test]
    fn a_command_can_give_the_key() {
        let hex = "ab".repeat(32);
        let of = |command: &str| KeySource::Command(command.into()).load();
        assert_eq!(*of(&format!("echo {hex}")).unwrap().to_hex(), hex);
        assert!(of("echo 12").unwrap_err().to_string().contains("64 hexadecimal digits"));
        assert!(of("echo no such key >&2; exit 3").unwrap_err().to_string().contains("no such key"));
        let both = Settings { master_key_file: Some("x".into()), master_key_command: Some("y".into()), ..Settings::default() };
        assert_eq!(both.resolve().unwrap_err().setting, "master_key_command");
    }

    #[test]
    fn e_mails_leave_when_everything_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (file, password) = (folder.path().join("hub.toml"), folder.path().join("password"));
        std::fs::write(&password, "secret\n").unwrap();
        let with = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Settings { config: Some(file.clone()), ..Settings::default() }.resolve()
        };
        let wrong = |text: &str| with(text).unwrap_err().setting;
        assert!(with("").unwrap().operations.smtp.is_none());
        assert_eq!(wrong("smtp_url = \"smtp://mail.example.org\""), "smtp_from");
        assert_eq!(wrong("smtp_url = \"mail.example.org\"\nsmtp_from = \"hub@example.org\""), "smtp_url");
        let text = "smtp_url = \"smtps://me@mail.example.org\"\nsmtp_from = \"hub@example.org\"\nsmtp_password_file = ";
        let smtp = with(&format!("{text}{password:?}")).unwrap().operations.smtp.unwrap();
        assert_eq!((smtp.port, smtp.user.as_deref()), (465, Some("me")));
        assert!(!format!("{smtp:?}").contains("secret"));
        assert_eq!(wrong(&format!("{text}\"/nowhere\"")), "smtp_password_file");
    }

    #[test]
    fn backups_are_scheduled_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.toml");
        let with = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Settings { config: Some(file.clone()), ..Settings::default() }.resolve()
        };
        let config = with("[backup]\nto = \"/backups\"\nevery = \"36h\"\nkeep = { daily = 3 }\n").unwrap();
        let schedule = config.backup_schedule.unwrap();
        assert_eq!(schedule.every, Duration::from_secs(36 * 3_600));
        assert_eq!((schedule.keep.daily, schedule.keep.weekly), (3, 4));
        assert_eq!(config.backup_to.as_deref(), Some("/backups"));
        for (text, setting) in [("every = \"1h\"", "backup.every"), ("to = \"x\"\nevery = \"1s\"", "backup.every")] {
            assert_eq!(with(&format!("[backup]\n{text}\n")).unwrap_err().setting, setting);
        }
    }

    #[tokio::test]
    async fn an_interrupted_rotation_of_the_key_is_finished_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let config = Settings { data: Some(folder.path().join("data")), ..Settings::default() }.resolve().unwrap();
        let hub = config.open().await.unwrap();
        crate::wiring::wire(&hub, &config.spool());
        recovery::provide(&hub, recovery::Settings { master_key_file: None, ..config.recovery() });
        // Committed, and the key still beside its place.
        let new = SecretKey::generate();
        let next = recovery::rotation::next_file(&folder.path().join("data/master.key"));
        write_secret(&next, &new.to_hex()).unwrap();
        recovery::rotation::master(&hub, new.clone()).await.unwrap();
        drop(hub);
        assert!(config.open().await.unwrap().master_key().is(&new));
        assert!(!next.exists());
        assert!(config.key.load().unwrap().is(&new));
    }

    #[test]
    fn the_key_file_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let config = Settings { data: Some(folder.path().join("data")), ..Settings::default() }.resolve().unwrap();
        let first = config.hub().unwrap().master_key.to_hex();
        assert_eq!(first, config.hub().unwrap().master_key.to_hex());
        let mode = std::fs::metadata(folder.path().join("data/master.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
