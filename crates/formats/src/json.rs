//! A pull reader over JSON of any length: finds where values end, so that one at a time can be given to serde.
//!
//! The scanner knows strings, brackets and nothing else; grammar is the business of `serde_json`, which sees each value
//! that is kept. Values that are skipped are only checked for balanced brackets and closed strings.

use std::io::Read;

use crate::{DEPTH_MAX, Error, ErrorKind, Position, RECORD_BYTES_MAX};

mod scan;
mod slice;

pub(crate) use scan::value_length;
pub(crate) use slice::Slice;

use scan::{Bad, Scan, Step};

/// Read at a time.
const CHUNK_BYTES: usize = 128 * 1024;

/// See the module.
pub(crate) struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is not consumed yet.
    start: usize,
    end: usize,
    ended: bool,
    /// Where `start` is in the file.
    offset: u64,
    line: u64,
    line_offset: u64,
    /// The record being read, from 1, for positions.
    pub(crate) record: Option<u64>,
}

impl<R: Read> Scanner<R> {
    /// `offset` bytes of the file were skipped before.
    pub(crate) fn new(input: R, offset: u64) -> Scanner<R> {
        Scanner {
            input,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            end: 0,
            ended: false,
            offset,
            line: 1,
            line_offset: offset,
            record: None,
        }
    }

    /// How much memory the scanner has taken.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next byte that is not white space, not consumed; `None` at the end of the file.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let rest = &self.buffer[self.start..self.end];
            let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
            let found = rest.get(blank).copied();
            self.advance(blank);
            if found.is_some() || !self.fill()? {
                return Ok(found);
            }
        }
    }

    /// Consumes this punctuation mark.
    pub(crate) fn expect(&mut self, mark: u8) -> Result<(), Error> {
        match self.peek()? {
            Some(found) if found == mark => {
                self.advance(1);
                Ok(())
            }
            found => Err(self.unexpected(&format!("`{}`", char::from(mark)), found)),
        }
    }

    /// Goes to the next item of an array whose `[` was consumed; false when its `]` was.
    pub(crate) fn next_item(&mut self, first: &mut bool) -> Result<bool, Error> {
        let started = !std::mem::replace(first, false);
        match self.peek()? {
            Some(b']') => {
                self.advance(1);
                return Ok(false);
            }
            Some(b',') if started => self.advance(1),
            found if started => return Err(self.unexpected("`,` or `]`", found)),
            _ => {}
        }
        match self.peek()? {
            None | Some(b']' | b',') => {
                let found = self.peek()?;
                Err(self.unexpected("a value", found))
            }
            Some(_) => Ok(true),
        }
    }

    /// Goes to the value of the next attribute of an object whose `{` was consumed; `None` when its `}` was.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<String>, Error> {
        let started = !std::mem::replace(first, false);
        match self.peek()? {
            Some(b'}') => {
                self.advance(1);
                return Ok(None);
            }
            Some(b',') if started => self.advance(1),
            found if started => return Err(self.unexpected("`,` or `}`", found)),
            _ => {}
        }
        match self.peek()? {
            Some(b'"') => {}
            found => return Err(self.unexpected("an attribute name in quotes", found)),
        }
        let key: String = self.value()?.parse(String::new)?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// The next value as text, consumed.
    pub(crate) fn value(&mut self) -> Result<Slice<'_>, Error> {
        self.begin_value()?;
        let mut scan = Scan::default();
        let mut length = 0;
        loop {
            match scan.run(&self.buffer[self.start + length..self.end]) {
                Step::Done(more) => {
                    length += more;
                    break;
                }
                Step::More => length = self.end - self.start,
                Step::Bad(at, reason) => return Err(self.bad(length + at, reason)),
            }
            if length > RECORD_BYTES_MAX {
                return Err(self.too_large());
            }
            if !self.fill()? {
                if scan.may_end_here() {
                    break;
                }
                return Err(self.cut_off());
            }
        }
        if length > RECORD_BYTES_MAX {
            return Err(self.too_large());
        }
        let from = self.start;
        let at = self.position();
        self.advance(length);
        Slice::new(&self.buffer[from..from + length], at)
    }

    /// Goes over the next value, however long.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        self.begin_value()?;
        let mut scan = Scan::default();
        loop {
            match scan.run(&self.buffer[self.start..self.end]) {
                Step::Done(length) => {
                    self.advance(length);
                    return Ok(());
                }
                Step::More => self.advance(self.end - self.start),
                Step::Bad(at, reason) => return Err(self.bad(at, reason)),
            }
            if !self.fill()? {
                return if scan.may_end_here() { Ok(()) } else { Err(self.cut_off()) };
            }
        }
    }

    /// Nothing but white space may be left.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        match self.peek()? {
            None => Ok(()),
            found => Err(self.unexpected("the end of the file", found)),
        }
    }

    /// An error at the place where the scanner stands.
    pub(crate) fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        Error::new(kind, self.position(), reason)
    }

    /// A complaint about the byte at which the scanner stands.
    pub(crate) fn unexpected(&self, expected: &str, found: Option<u8>) -> Error {
        let found = match found {
            None => return self.error(ErrorKind::Syntax, format!("expected {expected}, but the file ends here")),
            Some(found @ b' '..=b'~') => format!("`{}`", char::from(found)),
            Some(found) => format!("the byte 0x{found:02x}"),
        };
        self.error(ErrorKind::Syntax, format!("expected {expected}, found {found}"))
    }

    fn begin_value(&mut self) -> Result<(), Error> {
        match self.peek()? {
            None | Some(b',' | b':' | b']' | b'}') => {
                let found = self.peek()?;
                Err(self.unexpected("a value", found))
            }
            Some(_) => Ok(()),
        }
    }

    fn position(&self) -> Position {
        self.position_at(0)
    }

    /// The position some bytes ahead, in the buffer.
    fn position_at(&self, ahead: usize) -> Position {
        let before = &self.buffer[self.start..self.start + ahead];
        let offset = self.offset + ahead as u64;
        let line = self.line + memchr::memchr_iter(b'\n', before).count() as u64;
        let line_offset = match memchr::memrchr(b'\n', before) {
            Some(at) => self.offset + at as u64 + 1,
            None => self.line_offset,
        };
        Position {
            offset: Some(offset),
            line: Some(line),
            column: Some(offset - line_offset + 1),
            pointer: None,
            record: self.record,
        }
    }

    fn bad(&self, ahead: usize, reason: Bad) -> Error {
        let at = self.position_at(ahead);
        match reason {
            Bad::Closing(found) => {
                Error::new(ErrorKind::Syntax, at, format!("`{}` closes what was not opened by it", char::from(found)))
            }
            Bad::Depth => Error::new(ErrorKind::TooLarge, at, format!("nested deeper than {DEPTH_MAX} levels")),
        }
    }

    fn too_large(&self) -> Error {
        self.error(ErrorKind::TooLarge, format!("a value is longer than {} MiB", RECORD_BYTES_MAX >> 20))
    }

    fn cut_off(&self) -> Error {
        let at = self.position_at(self.end - self.start);
        Error::new(ErrorKind::Syntax, at, "the file ends inside a value; it may have been cut off")
    }

    fn advance(&mut self, count: usize) {
        let passed = &self.buffer[self.start..self.start + count];
        if let Some(last) = memchr::memrchr(b'\n', passed) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.line_offset = self.offset + last as u64 + 1;
        }
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads more behind what is not consumed yet; false at the end of the file.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK_BYTES / 4 {
            let wanted = (self.buffer.len() * 2).min(RECORD_BYTES_MAX + 2 * CHUNK_BYTES);
            let wanted = wanted.max(self.end + CHUNK_BYTES);
            self.buffer.reserve_exact(wanted - self.buffer.len());
            self.buffer.resize(wanted, 0);
        }
        let got = self
            .input
            .read(&mut self.buffer[self.end..])
            .map_err(|error| Error::from_io(&error, self.position_at(self.end - self.start)))?;
        self.end += got;
        self.ended = got == 0;
        Ok(got > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn values_are_found_however_the_bytes_arrive() {
        let text = br#" [1, -2.5e3,"a\"]\\", {"k\\":[{}, null]} ,true,[] ] "#;
        for drip in 1..20 {
            let mut scanner = Scanner::new(Drip(text, drip), 0);
            scanner.expect(b'[').unwrap();
            let mut first = true;
            let mut values = Vec::new();
            while scanner.next_item(&mut first).unwrap() {
                values.push(scanner.value().unwrap().text.to_owned());
            }
            scanner.finish().unwrap();
            assert_eq!(values, ["1", "-2.5e3", r#""a\"]\\""#, r#"{"k\\":[{}, null]}"#, "true", "[]"]);
        }
    }

    #[test]
    fn positions_count_lines_and_bytes() {
        let mut scanner = Scanner::new(&b"[\n {\"a\": 1},\n  {\"a\"\n: x}]"[..], 0);
        scanner.expect(b'[').unwrap();
        let mut first = true;
        assert!(scanner.next_item(&mut first).unwrap());
        scanner.skip().unwrap();
        assert!(scanner.next_item(&mut first).unwrap());
        let error = scanner.value().unwrap().parse::<serde_json::Value>(|| "/1".into()).unwrap_err();
        assert_eq!((error.at.line, error.at.column, error.at.offset), (Some(4), Some(3), Some(22)));
        assert_eq!(error.to_string(), "line 4, column 3 (/1): expected value");
    }

    #[test]
    fn a_skipped_value_takes_no_memory_and_a_kept_one_is_bounded() {
        let long = [&b"[\""[..], &vec![b'a'; 20 << 20], b"\",1]"].concat();
        let mut scanner = Scanner::new(long.as_slice(), 0);
        scanner.skip().unwrap();
        scanner.finish().unwrap();
        assert_eq!(scanner.capacity(), CHUNK_BYTES);

        let mut scanner = Scanner::new(long.as_slice(), 0);
        assert_eq!(scanner.value().err().unwrap().kind, ErrorKind::TooLarge);
        assert!(scanner.capacity() <= RECORD_BYTES_MAX + 4 * CHUNK_BYTES);
    }

    #[test]
    fn brackets_must_match() {
        for (text, offset) in [("[}", 1), ("{\"a\":[1}", 7), ("[[]", 3)] {
            let error = Scanner::new(text.as_bytes(), 0).skip().unwrap_err();
            assert_eq!((error.kind, error.at.offset), (ErrorKind::Syntax, Some(offset)), "{text}");
        }
    }
}
