//! A file on its way in: on disk, never in memory; hashed while it arrives, gone when it is not needed any more.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use kernel::error::FileProblem;
use kernel::{CanFail, Error, Result};
use tokio::io::AsyncWriteExt as _;

/// What the files end in.
pub(super) const ENDING: &str = "spool";
/// A client that sends nothing for so long has gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A file that has arrived. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Spool {
    pub path: PathBuf,
    pub bytes: u64,
    /// BLAKE3 of its bytes, hexadecimal.
    pub sha: String,
}

impl Drop for Spool {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).can_fail("removed at the next start");
    }
}

/// Takes a body in. What goes wrong leaves nothing behind.
pub(super) async fn take(path: PathBuf, name: &str, body: Body, bytes_max: u64) -> Result<Spool> {
    let full = |error: io::Error| {
        tracing::error!(%error, "spooling a file");
        Error::Unavailable("The hub cannot write the file down: its disk may be full.".into())
    };
    let mut file = create(&path).await.map_err(full)?;
    let mut spool = Spool { path, bytes: 0, sha: String::new() };
    let mut hasher = blake3::Hasher::new();
    let mut pieces = body.into_data_stream();
    loop {
        let piece = tokio::time::timeout(SILENCE_MAX, pieces.next()).await;
        let Ok(piece) = piece else { return Err(broken(name, "The file stopped arriving for a minute.")) };
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|_| broken(name, "The file did not arrive whole."))?;
        spool.bytes += piece.len() as u64;
        if spool.bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        hasher.update(&piece);
        file.write_all(&piece).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    spool.sha = hasher.finalize().to_hex().to_string();
    if spool.bytes == 0 {
        return Err(broken(name, "The file is empty."));
    }
    Ok(spool)
}

pub(super) fn too_large(bytes_max: u64) -> Error {
    Error::TooLarge(format!("A file may have at most {} MB, compressed or not. Nothing was imported.", bytes_max / 1_000_000))
}

fn broken(name: &str, reason: &str) -> Error {
    Error::File(Box::new(FileProblem { file: Some(name.to_owned()), reason: reason.to_owned(), ..FileProblem::default() }))
}

async fn create(path: &Path) -> io::Result<tokio::fs::File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}
