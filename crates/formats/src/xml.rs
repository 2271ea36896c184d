//! A pull reader over XML, as much as a checklist needs: namespaces resolved, entities refused, memory bounded, the
//! place known.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::error::Failure;
use crate::{DEPTH_MAX, Error, ErrorKind, Position, RECORD_BYTES_MAX};

/// The namespaces that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Xccdf12,
    /// An earlier XCCDF.
    XccdfOld,
    Arf,
    Other,
}

/// A piece of the document.
#[derive(Debug)]
pub(crate) enum Piece {
    Start(Element),
    End,
    Text(String),
    /// The end of a whole document.
    Done,
}

/// A start tag.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) space: Space,
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// An element of XCCDF 1.2 with this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.space == Space::Xccdf12 && self.name == name
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// See the module.
pub(crate) struct Pull<R> {
    reader: NsReader<Metered<BufReader<R>>>,
    buffer: Vec<u8>,
    open: Vec<String>,
    root_seen: bool,
    /// The record being read, from 1, for positions.
    pub(crate) record: Option<u64>,
}

impl<R: Read> Pull<R> {
    /// `offset` bytes of the file were skipped before.
    pub(crate) fn new(input: R, offset: u64) -> Pull<R> {
        let input = BufReader::with_capacity(64 * 1024, input);
        let metered = Metered { input, budget: 0, offset, line: 1, line_offset: offset };
        let mut reader = NsReader::from_reader(metered);
        reader.config_mut().expand_empty_elements = true;
        Pull { reader, buffer: Vec::new(), open: Vec::new(), root_seen: false, record: None }
    }

    /// The next piece; comments and processing instructions are passed over.
    pub(crate) fn next(&mut self) -> Result<Piece, Error> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().budget = RECORD_BYTES_MAX;
            let mut buffer = std::mem::take(&mut self.buffer);
            let piece = self.piece(&mut buffer);
            self.buffer = buffer;
            if let Some(piece) = piece? {
                return Ok(piece);
            }
        }
    }

    fn piece(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Piece>, Error> {
        let event = match self.reader.read_event_into(buffer) {
            Ok(event) => event,
            Err(error) => return Err(self.explain(&error)),
        };
        match event {
            Event::Start(start) => self.start(&start).map(Some),
            // Empty elements are expanded.
            Event::Empty(_) => Ok(None),
            Event::End(_) => {
                self.open.pop();
                Ok(Some(Piece::End))
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().map_err(|error| self.explain(&error))?;
                let text = match (character, &*entity) {
                    (Some(character), _) => character.to_string(),
                    (None, "lt") => "<".into(),
                    (None, "gt") => ">".into(),
                    (None, "amp") => "&".into(),
                    (None, "apos") => "'".into(),
                    (None, "quot") => "\"".into(),
                    (None, name) => {
                        let name = crate::values::shortened(name, 40);
                        return Err(self.error(ErrorKind::Unsupported, format!("the entity &{name}; is refused")));
                    }
                };
                self.text(&text)
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !["utf-8", "utf8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => {
                    let reason = format!("the encoding {name} is not read; save the file as UTF-8");
                    Err(self.error(ErrorKind::Unsupported, reason))
                }
                _ => Ok(None),
            },
            Event::DocType(_) => {
                Err(self.error(ErrorKind::Unsupported, "a document type (<!DOCTYPE>) with its entities is refused"))
            }
            Event::Comment(_) | Event::PI(_) => Ok(None),
            Event::Eof => match self.open.last() {
                Some(name) => {
                    let reason = format!("the file ends inside <{name}>; it may have been cut off");
                    Err(self.error(ErrorKind::Syntax, reason))
                }
                None if !self.root_seen => Err(self.error(ErrorKind::Syntax, "the file holds no XML element")),
                None => Ok(Some(Piece::Done)),
            },
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Piece, Error> {
        if self.open.is_empty() && self.root_seen {
            return Err(self.error(ErrorKind::Syntax, "a second root element"));
        }
        self.root_seen = true;
        if self.open.len() == DEPTH_MAX {
            return Err(self.error(ErrorKind::TooLarge, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let (space, name) = self.reader.resolver().resolve_element(start.name());
        let space = match space {
            ResolveResult::Bound(space) => match space.into_inner() {
                "http://checklists.nist.gov/xccdf/1.2" => Space::Xccdf12,
                "http://checklists.nist.gov/xccdf/1.1" | "http://checklists.nist.gov/xccdf/1.0" => Space::XccdfOld,
                "http://scap.nist.gov/schema/asset-reporting-format/1.1" => Space::Arf,
                _ => Space::Other,
            },
            ResolveResult::Unbound => Space::Other,
            ResolveResult::Unknown(_) => {
                return Err(self.error(ErrorKind::Syntax, "an element has a prefix that is bound to no namespace"));
            }
        };
        let name = crate::values::shortened(name.into_inner(), 256);
        let mut attributes = Vec::new();
        // Looking for doubles takes time by the square of their number; the first one counts.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.error(ErrorKind::Syntax, error.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.explain(&error))?;
            attributes.push((attribute.key.as_ref().to_string(), value.into_owned()));
            if attributes.len() > 64 {
                return Err(self.error(ErrorKind::TooLarge, "an element has more than 64 attributes"));
            }
        }
        self.open.push(name.clone());
        Ok(Piece::Start(Element { space, name, attributes }))
    }

    fn text(&mut self, text: &str) -> Result<Option<Piece>, Error> {
        if !self.open.is_empty() {
            return Ok(Some(Piece::Text(text.to_owned())));
        }
        if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() {
            return Ok(None);
        }
        Err(self.error(ErrorKind::Syntax, "text outside the root element"))
    }

    /// The text up to the end of the element that was just started, of its children too, white space folded; cut when
    /// it is much longer than what is kept.
    pub(crate) fn text_inside(&mut self) -> Result<String, Error> {
        let mut text = String::new();
        let mut blank = false;
        let mut depth = 1;
        loop {
            match self.next()? {
                Piece::Start(_) => {
                    depth += 1;
                    // A break or a new paragraph parts words.
                    blank = true;
                }
                Piece::End => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(text);
                    }
                }
                Piece::Text(piece) if text.len() <= crate::PROSE_BYTES_MAX => {
                    blank |= piece.starts_with(|first: char| first.is_ascii_whitespace());
                    for word in piece.split_ascii_whitespace() {
                        if blank && !text.is_empty() {
                            text.push(' ');
                        }
                        text.push_str(word);
                        blank = true;
                    }
                    let ends_blank = piece.ends_with(|last: char| last.is_ascii_whitespace());
                    blank = ends_blank || (blank && piece.trim_ascii().is_empty());
                }
                Piece::Text(_) => {}
                Piece::Done => return Ok(text),
            }
        }
    }

    /// Passes over the rest of the element that was just started.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Piece::Start(_) => depth += 1,
                Piece::End => depth -= 1,
                Piece::Text(_) => {}
                Piece::Done => return Ok(()),
            }
        }
        Ok(())
    }

    /// An error at the place just behind what was read last.
    pub(crate) fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        let metered = self.reader.get_ref();
        let at = Position {
            offset: Some(metered.offset),
            line: Some(metered.line),
            column: Some(metered.offset - metered.line_offset + 1),
            pointer: None,
            record: self.record,
        };
        Error::new(kind, at, reason)
    }

    fn explain(&self, error: &quick_xml::Error) -> Error {
        match error {
            quick_xml::Error::Io(inner) => {
                let at = self.error(ErrorKind::Io, "").at;
                Error::from_io(inner, at)
            }
            quick_xml::Error::Escape(_) => self.error(ErrorKind::Unsupported, format!("an entity is refused or broken: {error}")),
            quick_xml::Error::Encoding(_) => self.error(ErrorKind::Syntax, "not UTF-8"),
            other => self.error(ErrorKind::Syntax, crate::values::shortened(&other.to_string(), 500)),
        }
    }
}

/// Counts lines, and stops a single piece of the document from filling the memory.
struct Metered<B> {
    input: B,
    budget: usize,
    offset: u64,
    line: u64,
    line_offset: u64,
}

impl<B: BufRead> Read for Metered<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<B: BufRead> BufRead for Metered<B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.input.fill_buf()?;
        if self.budget == 0 && !available.is_empty() {
            let reason = format!("a tag or text is longer than {} MiB", RECORD_BYTES_MAX >> 20);
            return Err(Failure::io(ErrorKind::TooLarge, reason));
        }
        Ok(&available[..available.len().min(self.budget)])
    }

    fn consume(&mut self, count: usize) {
        // The parser consumes what it was shown last, which is still there.
        if let Ok(available) = self.input.fill_buf() {
            let passed = &available[..count.min(available.len())];
            if let Some(last) = memchr::memrchr(b'\n', passed) {
                self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
                self.line_offset = self.offset + last as u64 + 1;
            }
        }
        self.offset += count as u64;
        self.budget -= count.min(self.budget);
        self.input.consume(count);
    }
}
