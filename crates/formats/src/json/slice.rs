//! One value of a JSON file: its text, its place, and the way from an error of serde to a place in the file.

use serde::Deserialize;

use crate::{Error, ErrorKind, Position};

/// The text of one value, and where it stands in the file.
pub(crate) struct Slice<'a> {
    pub(crate) text: &'a str,
    at: Position,
}

impl<'a> Slice<'a> {
    pub(super) fn new(bytes: &'a [u8], at: Position) -> Result<Slice<'a>, Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Slice { text, at }),
            Err(error) => {
                let good = Slice { text: "", at };
                let at = good.position_in(bytes, error.valid_up_to());
                Err(Error::new(ErrorKind::Syntax, at, "not UTF-8"))
            }
        }
    }

    /// A value that was put aside.
    pub(crate) fn held(text: &'a str, at: Position) -> Slice<'a> {
        Slice { text, at }
    }

    pub(crate) fn at(&self) -> Position {
        self.at.clone()
    }

    /// Parses the value. Only when that fails is it done again to learn where, below the pointer of the value itself.
    pub(crate) fn parse<T: Deserialize<'a>>(&self, pointer: impl FnOnce() -> String) -> Result<T, Error> {
        serde_json::from_str(self.text).map_err(|error| self.explain::<T>(&error, pointer()))
    }

    /// An error about this value.
    pub(crate) fn error(&self, kind: ErrorKind, pointer: String, reason: impl Into<String>) -> Error {
        Error::new(kind, Position { pointer: Some(pointer), ..self.at.clone() }, reason)
    }

    #[cold]
    fn explain<T: Deserialize<'a>>(&self, error: &serde_json::Error, mut pointer: String) -> Error {
        if error.is_data() {
            let again = &mut serde_json::Deserializer::from_str(self.text);
            if let Err(traced) = serde_path_to_error::deserialize::<_, T>(again) {
                for segment in traced.path().iter() {
                    match segment {
                        serde_path_to_error::Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                        serde_path_to_error::Segment::Map { key } => {
                            pointer.push('/');
                            pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                        }
                        _ => {}
                    }
                }
            }
        }
        let kind = if error.is_data() { ErrorKind::Schema } else { ErrorKind::Syntax };
        let lines = error.line().saturating_sub(1);
        let line_start = memchr::memchr_iter(b'\n', self.text.as_bytes()).nth(lines.wrapping_sub(1)).map_or(0, |at| at + 1);
        let line_start = if lines == 0 { 0 } else { line_start };
        let inside = (line_start + error.column().saturating_sub(1)).min(self.text.len());
        let mut at = self.position_in(self.text.as_bytes(), inside);
        at.pointer = Some(pointer);
        Error::new(kind, at, reason(error))
    }

    fn position_in(&self, bytes: &[u8], inside: usize) -> Position {
        let before = &bytes[..inside];
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let column = match memchr::memrchr(b'\n', before) {
            Some(at) => Some((inside - at) as u64),
            None => self.at.column.map(|column| column + inside as u64),
        };
        Position {
            offset: self.at.offset.map(|offset| offset + inside as u64),
            line: self.at.line.map(|line| line + lines),
            column,
            ..self.at.clone()
        }
    }
}

/// Words of serde, turned round: what was expected comes first, the place is told elsewhere.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match wrong.and_then(|wrong| wrong.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let found = found.strip_prefix("string ").unwrap_or(found);
            format!("expected {expected}, found {}", crate::values::shortened(found, 200))
        }
        None => crate::values::shortened(text, 500),
    }
}
