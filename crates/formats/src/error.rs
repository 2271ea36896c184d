//! One error type: what went wrong, where, in words that a user can act on. The caller adds the file's name.

use std::fmt;
use std::io;

use serde::Serialize;

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Not JSON or XML, or cut off.
    Syntax,
    /// JSON or XML, but not of the shape the format asks for.
    Schema,
    /// A record, an identifier, a nesting or the file is beyond what is read.
    TooLarge,
    /// Understood to be something that is not read here.
    Unsupported,
    /// The gzip or xz stream is cut off or damaged.
    Compression,
    /// Nothing in it.
    Empty,
    /// The sink refused a value.
    Sink,
    /// The input could not be read.
    Io,
}

/// Where it went wrong. All of it refers to the decompressed file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Bytes from the start, from 0.
    pub offset: Option<u64>,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Byte in the line, from 1.
    pub column: Option<u64>,
    /// JSON pointer (RFC 6901) to the value. In JSON lines it starts at the record.
    pub pointer: Option<String>,
    /// The record, from 1.
    pub record: Option<u64>,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What sort of thing went wrong.
    pub kind: ErrorKind,
    /// Where.
    pub at: Position,
    /// Why, in a sentence without capital and full stop.
    pub reason: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, at: Position, reason: impl Into<String>) -> Error {
        Error { kind, at, reason: reason.into() }
    }

    /// An error of the input underneath a parser; a [`Failure`] inside says of which kind.
    pub(crate) fn from_io(error: &io::Error, at: Position) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
            Some(failure) => Error::new(failure.kind, at, failure.reason.clone()),
            None => Error::new(ErrorKind::Io, at, error.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.at;
        let mut place = String::new();
        match (at.line, at.column, at.offset) {
            (Some(line), Some(column), _) => place = format!("line {line}, column {column}"),
            (Some(line), None, _) => place = format!("line {line}"),
            (None, _, Some(offset)) => place = format!("byte {offset}"),
            (None, _, None) => {}
        }
        let record = at.record.map(|record| format!("record {record}"));
        let pointer = at.pointer.clone().filter(|pointer| !pointer.is_empty());
        let inside: Vec<String> = record.into_iter().chain(pointer).collect();
        if !inside.is_empty() {
            let gap = if place.is_empty() { "" } else { " " };
            place.push_str(&format!("{gap}({})", inside.join(", ")));
        }
        if place.is_empty() { f.write_str(&self.reason) } else { write!(f, "{place}: {}", self.reason) }
    }
}

/// Carries an error kind through a parser that only knows `io::Error`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
}

impl Failure {
    pub(crate) fn io(kind: ErrorKind, reason: impl Into<String>) -> io::Error {
        io::Error::other(Failure { kind, reason: reason.into() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
