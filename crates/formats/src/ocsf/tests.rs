//! Memory: a file of any length takes no more than one record.

use std::io::{Cursor, Read};

use super::*;
use crate::{Encoding, json::Scanner};

/// Repeats a piece of text, as an array, up to a length, without ever holding it.
struct Endless {
    piece: Vec<u8>,
    at: usize,
    pieces_left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() && self.pieces_left > 0 {
            self.pieces_left -= 1;
            self.at = 0;
        }
        let rest = &self.piece[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn origin(&mut self, _: &Origin) -> Result<(), String> {
        Ok(())
    }

    fn control(&mut self, _: Control) -> Result<(), String> {
        Ok(())
    }

    fn finding(&mut self, _: Finding) -> Result<(), String> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn two_hundred_megabytes_are_streamed_in_little_memory() {
    let fixture: Value = serde_json::from_str(include_str!("../../tests/fixtures/ocsf.json")).unwrap();
    let records: Vec<String> = fixture.as_array().unwrap().iter().map(Value::to_string).collect();
    let piece = format!("{},\n", records.join(",\n"));
    let pieces = 200_000_000 / piece.len() + 1;
    let endless = Endless { at: piece.len(), piece: piece.into_bytes(), pieces_left: pieces };
    let input = Cursor::new("[").chain(endless).chain(Cursor::new("{\"class_uid\":1}]"));

    let mut scanner = Scanner::new(input, 0);
    let mut report = Report::new(Format::Ocsf, Encoding::Plain);
    let mut sink = Count::default();
    read(&mut scanner, &mut sink, &mut report).unwrap();
    assert_eq!(report.records, (records.len() * pieces + 1) as u64);
    assert_eq!(sink.0, (4 * pieces) as u64);
    assert!(scanner.capacity() < 1024 * 1024, "{}", scanner.capacity());
}
