//! A PostgreSQL for tests: started from the installed binaries as a user that is not root, shared by all test processes that run
//! at the same time, stopped by itself when none has used it for a while. Every test gets a database of its own.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::NoTls;

/// A test process that ends leaves its databases; the whole cluster goes away this many seconds after its last use.
const IDLE_S: u32 = 90;

/// The address of a fresh, empty database.
///
/// # Panics
/// PostgreSQL is not installed or does not start: a test on it fails, it is never skipped.
pub async fn postgres_url() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = tokio::task::spawn_blocking(Server::shared).await.expect("starting PostgreSQL does not panic");
    // Process ids come round again while the cluster stays.
    let chance = u32::from_be_bytes(kernel::ids::random());
    let name = format!("t{}_{}_{chance:08x}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = tokio_postgres::connect(&server.url("postgres"), NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database of its own");
    server.url(&name)
}

/// A running PostgreSQL cluster.
#[derive(Debug, Clone)]
pub struct Server {
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// The cluster that all tests share; started if it does not run.
    ///
    /// # Panics
    /// PostgreSQL is not installed or does not start.
    pub fn shared() -> Self {
        let folder = std::env::temp_dir().join("tenantry-test-postgres");
        make_dir(&folder);
        let mut lock =
            File::options().create(true).truncate(false).read(true).write(true).open(folder.join("lock")).expect("a lock file");
        lock.lock().expect("locks");
        let mut text = String::new();
        lock.read_to_string(&mut text).expect("a readable lock file");
        if let Ok(port) = text.trim().parse() {
            let server = Self { folder: folder.clone(), port };
            if server.is_alive() {
                server.touch();
                return server;
            }
        }
        let server = Self::start_in(&folder, &folder.join("data"), true);
        lock.rewind().and_then(|()| lock.set_len(0)).and_then(|()| write!(lock, "{}", server.port)).expect("a writable lock file");
        server
    }

    /// A cluster of one's own, for tests that kill it. Durable (fsync on); stopped by [`Server::kill`] or left to idle out.
    ///
    /// # Panics
    /// PostgreSQL is not installed or does not start.
    pub fn own(folder: &Path) -> Self {
        Self::start_in(folder, &folder.join("data"), false)
    }

    fn start_in(folder: &Path, data: &Path, shared: bool) -> Self {
        let (uid, gid) = user();
        make_dir(folder);
        own(folder, uid, gid);
        if data.exists() {
            std::fs::remove_dir_all(data).expect("an old cluster goes");
        }
        let bin = binaries();
        let initdb = as_user(Command::new(bin.join("initdb")), uid, gid)
            .arg("-D")
            .arg(data)
            .args(["-U", "tenantry", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"])
            .current_dir(folder)
            .output()
            .expect("initdb runs");
        assert!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        let server = Self { folder: folder.to_owned(), port: free_port() };
        server.touch();
        server.run(shared);
        server
    }

    /// Starts the server process (again, after [`Server::kill`]).
    ///
    /// # Panics
    /// It does not come up within half a minute.
    #[expect(clippy::zombie_processes, reason = "the shell outlives the tests on purpose, and ends by itself")]
    pub fn run(&self, shared: bool) {
        let (uid, gid) = user();
        let durable = if shared { "-F -c synchronous_commit=off -c full_page_writes=off" } else { "" };
        // The shell outlives the tests that started it and stops the server when its lease has grown old.
        let script = format!(
            "{bin}/postgres -D {data} -p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=300 -c shared_buffers=64MB \
             -c log_min_messages=fatal {durable} >{folder}/log 2>&1 & pg=$!; \
             while kill -0 $pg 2>/dev/null; do sleep 3; now=$(date +%s); used=$(stat -c %Y {folder}/lease); \
             if [ $((now - used)) -gt {IDLE_S} ]; then kill -INT $pg; wait $pg; fi; done",
            bin = binaries().display(),
            data = self.folder.join("data").display(),
            folder = self.folder.display(),
            port = self.port,
        );
        let mut shell = as_user(Command::new("sh"), uid, gid);
        shell.arg("-c").arg(script).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.process_group(0).spawn().expect("a shell runs");
        for _ in 0..300 {
            if self.is_alive() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start: {}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// The address of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://tenantry@127.0.0.1:{}/{database}", self.port)
    }

    /// Kills every process of the server at once (SIGKILL), as a power cut would.
    pub fn kill(&self) {
        let data = self.folder.join("data");
        loop {
            let running = processes_in(&data);
            if running.is_empty() {
                break;
            }
            Command::new("kill").arg("-9").args(&running).stderr(Stdio::null()).status().expect("kill runs");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(data.join("postmaster.pid")).ok();
    }

    /// Says that the cluster is in use.
    pub fn touch(&self) {
        let lease = self.folder.join("lease");
        std::fs::write(&lease, b"").expect("a writable lease");
        let (uid, gid) = user();
        own(&lease, uid, gid);
    }

    fn is_alive(&self) -> bool {
        let answers = Command::new(binaries().join("pg_isready"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-q"])
            .status()
            .expect("pg_isready runs");
        answers.success()
    }
}

/// Processes that work in this folder, which every process of a cluster does. Zombies have no folder any more.
fn processes_in(folder: &Path) -> Vec<String> {
    let listed = std::fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let working = listed.filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder));
    working.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn make_dir(path: &Path) {
    std::fs::create_dir_all(path).expect("a folder for PostgreSQL");
}

fn own(path: &Path, uid: u32, gid: u32) {
    if is_root() {
        chown(path, Some(uid), Some(gid)).expect("root may give a folder away");
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// The user PostgreSQL runs as: ourselves, or when we are root `postgres`, else `nobody`. It refuses to run as root.
fn user() -> (u32, u32) {
    if !is_root() {
        let me = std::fs::metadata("/proc/self").expect("Linux has /proc");
        return (me.uid(), me.gid());
    }
    let passwd = std::fs::read_to_string("/etc/passwd").expect("a user list");
    let find = |name: &str| {
        passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|f| f.len() > 3 && f[0] == name)
            .map(|f| (f[2].parse(), f[3].parse()))
    };
    match find("postgres").or_else(|| find("nobody")) {
        Some((Ok(uid), Ok(gid))) => (uid, gid),
        _ => (65_534, 65_534),
    }
}

fn as_user(mut command: Command, uid: u32, gid: u32) -> Command {
    if is_root() {
        command.uid(uid).gid(gid);
    }
    command
}

/// Where PostgreSQL's programs are: `pg_config --bindir`, else the newest below /usr/lib/postgresql.
fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions.flatten().map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").exists()).collect()
        })
        .unwrap_or_default();
    found.sort();
    if let Some(newest) = found.pop() {
        return newest;
    }
    let asked = Command::new("pg_config").arg("--bindir").output();
    let bin = asked.ok().map(|out| PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
    bin.filter(|bin| bin.join("postgres").exists()).expect("PostgreSQL is installed: apt-get install postgresql")
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}
