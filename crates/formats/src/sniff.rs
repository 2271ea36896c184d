//! Tells the formats apart by how a file begins.

use crate::compress::Source;
use crate::{Error, ErrorKind, Format, Position};

/// How far is looked: enough for the attributes before the first large one.
const LOOK_BYTES: usize = 64 * 1024;

/// Skips a UTF-8 byte order mark; says how many bytes that was. Other Unicode encodings and blank files are refused.
pub(crate) fn byte_order_mark(source: &mut Source<'_>) -> Result<u64, Error> {
    let start = source.peek(LOOK_BYTES)?;
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err(refuse(ErrorKind::Unsupported, "the file is UTF-16; save it as UTF-8"));
    }
    if start.len() < LOOK_BYTES && start[mark..].iter().all(u8::is_ascii_whitespace) {
        return Err(refuse(ErrorKind::Empty, "the file is empty"));
    }
    source.skip(mark);
    Ok(mark as u64)
}

/// The format of a file that nobody has named.
pub(crate) fn format(source: &mut Source<'_>) -> Result<Format, Error> {
    let start = source.peek(LOOK_BYTES)?;
    let whole = start.len() < LOOK_BYTES;
    let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    match &start[blank..] {
        [b'<', ..] => Ok(Format::Xccdf),
        [b'[', ..] => Ok(Format::Ocsf),
        object @ [b'{', ..] => json_object(object, whole),
        [b'P', b'K', 3, 4, ..] => Err(refuse(ErrorKind::Unsupported, "the file is a zip archive; unpack it first")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(refuse(ErrorKind::Unsupported, "the file is compressed with zstd; use gzip or xz")),
        _ => Err(refuse(ErrorKind::Unsupported, "the file is neither JSON (OCSF, SARIF) nor XML (XCCDF)")),
    }
}

/// Looks at the attributes of the first object, as far as they are in sight.
fn json_object(start: &[u8], whole: bool) -> Result<Format, Error> {
    let mut seen = Vec::new();
    let mut attributes = Attributes { rest: &start[1..] };
    while let Some((name, value)) = attributes.next() {
        match name {
            b"runs" => return Ok(Format::Sarif),
            b"$schema" if memchr::memmem::find(value, b"sarif").is_some() => return Ok(Format::Sarif),
            b"version" if value.starts_with(b"\"2.") => return Ok(Format::Sarif),
            b"class_uid" | b"category_uid" | b"type_uid" | b"metadata" | b"finding_info" => return Ok(Format::Ocsf),
            _ => seen.push(String::from_utf8_lossy(&name[..name.len().min(40)]).into_owned()),
        }
    }
    // An object that is cut off or broken is for the parser to complain of, with the place.
    if !whole || !attributes.rest.starts_with(b"}") {
        return Ok(Format::Ocsf);
    }
    seen.truncate(8);
    let reason = format!("the JSON object is neither an OCSF event nor a SARIF log; its attributes are: {}", seen.join(", "));
    Err(refuse(ErrorKind::Unsupported, reason))
}

/// Goes over the attributes of an object that may end anywhere.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.blank();
        if self.rest.first() == Some(&b',') {
            self.rest = &self.rest[1..];
            self.blank();
        }
        if self.rest.first() != Some(&b'"') {
            return None;
        }
        let name = self.value()?;
        self.blank();
        if self.rest.first() != Some(&b':') {
            return None;
        }
        self.rest = &self.rest[1..];
        self.blank();
        let start = self.rest;
        // A value that goes on beyond sight still tells its name.
        let value = self.value().unwrap_or(start);
        Some((&name[1..name.len() - 1], value))
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        let length = crate::json::value_length(self.rest);
        let (value, rest) = match length {
            Some(length) => self.rest.split_at(length),
            None => {
                self.rest = &[];
                return None;
            }
        };
        self.rest = rest;
        Some(value)
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

fn refuse(kind: ErrorKind, reason: impl Into<String>) -> Error {
    Error::new(kind, Position::default(), reason)
}
