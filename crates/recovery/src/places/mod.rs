//! Places where backups lie: a folder, or a bucket of an S3-compatible store. Everything here waits; it is called from threads that may.
//!
//! A place holds three kinds of objects: `tenantry-<when>-<id>.tbk` (a backup), the same with `.json` (its manifest, written once the
//! backup is whole: what has none is half a backup and is not offered), and `keyring.json`.

mod folder;
mod s3;

use std::io::{Read, Write};
use std::sync::Arc;

use kernel::{Error, Result};

pub use s3::S3Settings;

use crate::format::unreachable_io;

/// A place for backups.
pub trait Place: Send + Sync {
    /// Its address: an absolute path, or `s3://bucket/prefix`.
    fn url(&self) -> &str;
    /// Begins an object. It exists once it is finished, whole; dropped before, it never did.
    ///
    /// # Errors
    /// `Unavailable`.
    fn create(&self, name: &str) -> Result<Box<dyn Sink>>;
    /// Reads an object.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    fn open(&self, name: &str) -> Result<Box<dyn Read + Send>>;
    /// Names of the objects here.
    ///
    /// # Errors
    /// `Unavailable`.
    fn list(&self) -> Result<Vec<String>>;
    /// Removes an object; one that is not there is removed.
    ///
    /// # Errors
    /// `Unavailable`.
    fn delete(&self, name: &str) -> Result<()>;
}

/// An object that is being written.
pub trait Sink: Write + Send {
    /// Makes it exist, durably.
    ///
    /// # Errors
    /// `Unavailable`; then it does not exist.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Longest small object (a manifest, a keyring) that is read.
const SMALL_BYTES_MAX: u64 = 64 << 20;

/// Opens the place at an address: a folder's path (made when it is missing and `make`), or `s3://bucket/prefix`.
///
/// # Errors
/// `Invalid` when the address is none, `Unavailable` when the folder cannot be made or is not there.
pub fn at(url: &str, s3: &S3Settings, make: bool) -> Result<Arc<dyn Place>> {
    if let Some(rest) = url.strip_prefix("s3://") {
        return Ok(Arc::new(s3::Bucket::new(url, rest, s3)?));
    }
    if url.contains("://") || url.is_empty() {
        return Err(Error::field("to", "unknown", "is neither a folder nor s3://bucket/prefix"));
    }
    Ok(Arc::new(folder::Folder::new(url, make)?))
}

/// The whole of a small object; none when there is no such.
///
/// # Errors
/// `Unavailable`; `Conflict` when it is far larger than any that is written.
pub fn read_small(place: &dyn Place, name: &str) -> Result<Option<Vec<u8>>> {
    let object = match place.open(name) {
        Ok(object) => object,
        Err(Error::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    object.take(SMALL_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreachable_io(&error))?;
    if bytes.len() as u64 > SMALL_BYTES_MAX {
        return Err(crate::format::damaged(format_args!("{name} is larger than 64 MiB")));
    }
    Ok(Some(bytes))
}

/// Writes a small object whole, in place of one that is there.
///
/// # Errors
/// `Unavailable`.
pub fn write_small(place: &dyn Place, name: &str, bytes: &[u8]) -> Result<()> {
    let mut sink = place.create(name)?;
    sink.write_all(bytes).map_err(|error| unreachable_io(&error))?;
    sink.finish()
}
