//! Readers of security scan files: bytes in, values out.
//!
//! | format | what is read | source of the shape |
//! |---|---|---|
//! | OCSF 1.x | Compliance Finding (2003) and Detection Finding (2004), as JSON array, JSON lines or one object | schema.ocsf.io |
//! | XCCDF 1.2 | `TestResult`, alone, in a `Benchmark` or in an ARF collection | NIST IR 7275 r4, NIST IR 7694 |
//! | SARIF 2.1.0 | `runs[].results[]` and the rules of driver and extensions | OASIS SARIF 2.1.0 |
//!
//! A file may be plain, gzip or xz; [`read`] finds that out, and the format too when it is not told.
//!
//! The rules of this crate:
//! - **A file of any length is a stream.** One record is held at a time ([`RECORD_BYTES_MAX`]); prose is cut at
//!   [`PROSE_BYTES_MAX`] with an ellipsis, an identifier beyond [`IDENTIFIER_BYTES_MAX`] is refused, because cutting an
//!   identifier makes another one of it.
//! - **Nothing is lost silently.** A file that ends early or holds what is not understood is an [`Error`] with a position.
//!   Values already given to the [`Sink`] are then to be thrown away by the caller: import in one transaction.
//! - **No text holds a NUL**, which PostgreSQL cannot store: it becomes U+FFFD.
//!
//! What it deliberately does not do: no files, no network, no DTDs or entities, no judgement about what a finding means.
//! Parts of a JSON file that no value is taken from are only checked for balance, not for grammar.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod compress;
mod error;
mod few;
mod json;
mod ocsf;
mod sarif;
mod sniff;
mod values;
mod xccdf;
mod xml;

pub mod write;

use std::io::Read;

pub use compress::Encoding;
pub use error::{Error, ErrorKind, Position};
pub use values::{Collected, Control, Finding, Format, Origin, Outcome, Report, Resource, Severity};

/// The largest single record (OCSF event, SARIF result or rule, piece of XML) that is read.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longer prose (title, description, message …) is cut here and ends in an ellipsis.
pub const PROSE_BYTES_MAX: usize = 64 * 1024;
/// A longer identifier (control, resource, account …) is refused.
pub const IDENTIFIER_BYTES_MAX: usize = 2 * 1024;
/// The most that the evidence of one finding takes, as JSON text.
pub const EVIDENCE_BYTES_MAX: usize = 16 * 1024;
/// Deeper nesting is refused.
pub const DEPTH_MAX: usize = 100;
/// The most that is read of one file, after decompression: a stop for compression bombs.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

/// The uid of a resource when a file names none for a finding.
pub const RESOURCE_UNSPECIFIED: &str = "unspecified";

/// Takes what is read, one value at a time. An error (its text is for the user) ends the reading.
pub trait Sink {
    /// Where the findings come from. Called once, always before the first [`Sink::finding`]; never for a file without
    /// findings that does not say it (an empty OCSF array).
    fn origin(&mut self, origin: &Origin) -> Result<(), String>;
    /// A rule that the file describes. May come before or after the findings that name it, and many times for one uid:
    /// the last one wins.
    fn control(&mut self, control: Control) -> Result<(), String>;
    /// One result of one rule on one resource.
    fn finding(&mut self, finding: Finding) -> Result<(), String>;
}

/// Reads one file and gives what it holds to `sink`, as it comes.
///
/// With `format: None` the start of the (decompressed) file decides: XML is XCCDF, a JSON array or a JSON object with
/// OCSF attributes is OCSF, a JSON object with `runs` or a SARIF `$schema` or `version` is SARIF.
pub fn read<R: Read>(input: R, format: Option<Format>, sink: &mut dyn Sink) -> Result<Report, Error> {
    read_at_most(input, format, FILE_BYTES_MAX, sink)
}

/// [`read`], but a file that unpacks to more than `bytes_max` is refused.
pub fn read_at_most<R: Read>(input: R, format: Option<Format>, bytes_max: u64, sink: &mut dyn Sink) -> Result<Report, Error> {
    let mut source = compress::open(input, bytes_max)?;
    let skipped = sniff::byte_order_mark(&mut source)?;
    let format = match format {
        Some(format) => format,
        None => sniff::format(&mut source)?,
    };
    let mut report = Report::new(format, source.encoding());
    match format {
        Format::Ocsf => ocsf::read(&mut json::Scanner::new(&mut source, skipped), sink, &mut report)?,
        Format::Sarif => sarif::read(&mut json::Scanner::new(&mut source, skipped), sink, &mut report)?,
        Format::Xccdf => xccdf::read(xml::Pull::new(&mut source, skipped), sink, &mut report)?,
    }
    report.bytes = source.bytes_read();
    Ok(report)
}
