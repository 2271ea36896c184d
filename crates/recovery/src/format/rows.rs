//! Records inside a section: what it is about, tables, rows, and the count of each at its end.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use kernel::Result;
use kernel::store::{ColumnKind, Table, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{damage, damaged, unreachable_io};

const INFO: u8 = b'I';
const TABLE: u8 = b'T';
const ROW: u8 = b'R';
const FOOTER: u8 = b'Z';
/// Longest record that is read.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// What a section ends with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
}

impl Footer {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.values().sum()
    }
}

/// One record after the first.
#[derive(Debug)]
pub enum Record {
    /// Rows of this table follow.
    Table(Table),
    /// A row of the table that was named last.
    Row(Vec<Value>),
}

/// Writes a section's records.
pub struct RecordWriter<W: Write> {
    out: W,
    footer: Footer,
    table: String,
    row: Vec<u8>,
}

impl<W: Write> RecordWriter<W> {
    /// Begins with what the section is about.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn begin(out: W, info: &impl Serialize) -> Result<Self> {
        let mut writer = Self { out, footer: Footer::default(), table: String::new(), row: Vec::new() };
        writer.put_json(INFO, info)?;
        Ok(writer)
    }

    fn put(&mut self, tag: u8, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length as usize <= RECORD_BYTES_MAX);
        let length = length.ok_or_else(|| kernel::Error::internal("a row is larger than a backup can hold (64 MiB)"))?;
        let mut head = [tag, 0, 0, 0, 0];
        head[1..].copy_from_slice(&length.to_be_bytes());
        self.out.write_all(&head).and_then(|()| self.out.write_all(bytes)).map_err(|error| unreachable_io(&error))
    }

    fn put_json(&mut self, tag: u8, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(kernel::Error::internal)?;
        self.put(tag, &json)
    }

    /// Rows of this table follow.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn table(&mut self, table: &Table) -> Result<()> {
        self.footer.tables.insert(table.name.clone(), 0);
        self.table.clone_from(&table.name);
        self.put_json(TABLE, table)
    }

    /// A row of the table that was named last.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn row(&mut self, values: &[Value]) -> Result<()> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        for value in values {
            encode(value, &mut row);
        }
        self.put(ROW, &row)?;
        self.row = row;
        if let Some(count) = self.footer.tables.get_mut(&self.table) {
            *count += 1;
        }
        Ok(())
    }

    /// Ends with the counts. Answers the writer below, and the counts.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn end(mut self) -> Result<(W, Footer)> {
        let footer = self.footer.clone();
        self.put_json(FOOTER, &footer)?;
        Ok((self.out, footer))
    }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    let mut bytes = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Text(text) => bytes(4, text.as_bytes()),
        Value::Blob(blob) => bytes(5, blob),
        Value::Null => out.push(0),
        Value::Int(n) => {
            out.push(1);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Bool(b) => out.push(if *b { 3 } else { 2 }),
        Value::Uuid(id) => {
            out.push(6);
            out.extend_from_slice(id.as_bytes());
        }
    }
}

/// Reads a section's records.
pub struct RecordReader<R: Read> {
    input: R,
    /// The table whose rows come, and its kinds.
    table: Option<(String, Vec<ColumnKind>)>,
    counted: Footer,
    footer: Option<Footer>,
}

impl<R: Read> RecordReader<R> {
    /// Reads what the section is about.
    ///
    /// # Errors
    /// `Conflict` when the file is damaged, or the key is not the one it was sealed with.
    pub fn begin<I: DeserializeOwned>(input: R) -> Result<(Self, I)> {
        let mut reader = Self { input, table: None, counted: Footer::default(), footer: None };
        let (tag, bytes) = reader.record()?;
        if tag != INFO {
            return Err(damaged("a section does not say what it is about"));
        }
        Ok((reader, json(&bytes)?))
    }

    fn record(&mut self) -> Result<(u8, Vec<u8>)> {
        let mut read = || {
            let mut head = [0; 5];
            self.input.read_exact(&mut head)?;
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            if length > RECORD_BYTES_MAX {
                return Err(damage("a record is longer than any that is written"));
            }
            let mut bytes = vec![0; length];
            self.input.read_exact(&mut bytes)?;
            Ok((head[0], bytes))
        };
        read().map_err(|error: std::io::Error| unreachable_io(&error))
    }

    /// The next record; none at the end, where every table's rows were counted.
    ///
    /// # Errors
    /// `Conflict` when the file is damaged.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        if self.footer.is_some() {
            return Ok(None);
        }
        let (tag, bytes) = self.record()?;
        match tag {
            TABLE => {
                let table: Table = json(&bytes)?;
                self.table = Some((table.name.clone(), table.columns.iter().map(|column| column.kind).collect()));
                self.counted.tables.insert(table.name.clone(), 0);
                Ok(Some(Record::Table(table)))
            }
            ROW => {
                let (table, kinds) = self.table.as_ref().ok_or_else(|| damaged("a row without its table"))?;
                let values = decode(&bytes, kinds).ok_or_else(|| damaged(format_args!("a row of table {table}")))?;
                if let Some(count) = self.counted.tables.get_mut(table) {
                    *count += 1;
                }
                Ok(Some(Record::Row(values)))
            }
            FOOTER => {
                let footer: Footer = json(&bytes)?;
                if footer != self.counted {
                    return Err(damaged("a section has other rows than it says"));
                }
                if self.input.read(&mut [0]).map_err(|error| unreachable_io(&error))? != 0 {
                    return Err(damaged("something follows the end of a section"));
                }
                self.footer = Some(footer);
                Ok(None)
            }
            _ => Err(damaged("an unknown record")),
        }
    }

    /// Rows of each table, once all were read; and what it was read from.
    pub fn into_parts(self) -> (R, Footer) {
        (self.input, self.counted)
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| damaged(format_args!("a record: {error}")))
}

fn decode(mut bytes: &[u8], kinds: &[ColumnKind]) -> Option<Vec<Value>> {
    let mut take = |n: usize| {
        let (taken, rest) = bytes.split_at_checked(n)?;
        bytes = rest;
        Some(taken)
    };
    let mut values = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let value = match (take(1)?[0], kind) {
            (0, _) => Value::Null,
            (1, ColumnKind::Int) => Value::Int(i64::from_be_bytes(take(8)?.try_into().ok()?)),
            (flag @ (2 | 3), ColumnKind::Bool) => Value::Bool(flag == 3),
            (tag @ (4 | 5), ColumnKind::Text | ColumnKind::Blob) => {
                let length = u32::from_be_bytes(take(4)?.try_into().ok()?) as usize;
                let taken = take(length)?.to_vec();
                match (tag, kind) {
                    (4, ColumnKind::Text) => Value::Text(String::from_utf8(taken).ok()?),
                    (5, ColumnKind::Blob) => Value::Blob(taken),
                    _ => return None,
                }
            }
            (6, ColumnKind::Uuid) => Value::Uuid(uuid::Uuid::from_slice(take(16)?).ok()?),
            _ => return None,
        };
        values.push(value);
    }
    bytes.is_empty().then_some(values)
}
