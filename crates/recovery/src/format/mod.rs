//! The file format of backups and bundles; README.md of this crate specifies it byte by byte.
//!
//! A file is a header, sections, and a hash of everything. A section is a stream of records (tables and their rows), cut into chunks
//! that are compressed and sealed one by one; both directions need the memory of a few chunks, however large a tenant is.

mod frame;
mod rows;

pub use frame::{FileReader, FileWriter, Header, Kdf, Kind, SectionHead, SectionKind, SectionReader, SectionWriter};
pub use rows::{Footer, Record, RecordReader, RecordWriter};

use kernel::Error;

/// Version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// A file that is not what it was when it was written.
pub fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Conflict(format!("This file is damaged or not a backup: {what}."))
}

/// A file or place that cannot be read or written now.
pub fn unreachable_io(error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return damaged("it ends too early");
    }
    // What went wrong below a reader of ours travels inside of the error.
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Damage>()) {
        Some(Damage(what)) => damaged(what),
        None => Error::Unavailable(format!("Reading or writing the backup failed: {error}.")),
    }
}

/// Damage, as an `io::Error` carries it.
#[derive(Debug)]
pub(crate) struct Damage(pub String);

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Damage {}

pub(crate) fn damage(what: impl Into<String>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, Damage(what.into()))
}
