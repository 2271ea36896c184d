//! Putting rows back: whatever tables and columns the section has, into the schema as it is now, inside one transaction.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use kernel::store::{StoreError, Table, Value};
use kernel::{Error, Result, WriteTx, scope};
use tokio::runtime::Handle;

use super::seal::Resealer;
use crate::format::{Record, RecordReader, damaged};

/// Most rows of one statement.
const ROWS_MAX: usize = 100;
/// Most values of one statement.
const VALUES_MAX: usize = 4_000;
/// Bytes after which a statement is run, however few its rows.
const BYTES_MAX: usize = 1 << 20;

/// A transaction that rows are put into.
pub(crate) trait Target {
    /// Runs a statement.
    fn run(&mut self, runtime: &Handle, sql: &str, params: &[Value]) -> Result<u64, StoreError>;
}

impl Target for WriteTx<scope::Data> {
    fn run(&mut self, runtime: &Handle, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        runtime.block_on(self.execute(sql, params))
    }
}

impl Target for WriteTx<scope::Public> {
    fn run(&mut self, runtime: &Handle, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        runtime.block_on(self.execute(sql, params))
    }
}

/// What becomes of a row on its way into a table.
pub(crate) type Change<'a> = dyn FnMut(&str, &Table, &mut Vec<Value>) -> Result<bool> + 'a;

/// How rows are put back.
pub(crate) struct Load<'a> {
    pub runtime: &'a Handle,
    /// The schema as it is now.
    pub tables: &'a [Table],
    /// Tables whose rows are left as they are.
    pub is_kept: fn(&str) -> bool,
    /// Seals sealed values anew.
    pub resealer: Option<Resealer>,
}

/// Rows of each table.
pub(crate) type Counts = BTreeMap<String, u64>;

impl Load<'_> {
    /// Empties every table that is not kept. Answers how many rows each had.
    pub fn clear(&self, tx: &mut impl Target) -> Result<Counts> {
        let mut counts = Counts::new();
        for table in self.tables.iter().filter(|table| !(self.is_kept)(&table.name)) {
            counts.insert(table.name.clone(), tx.run(self.runtime, &format!("DELETE FROM \"{}\"", table.name), &[])?);
        }
        Ok(counts)
    }

    /// Puts the section's rows into the tables that are not kept. `change` sees every row first, and says whether it is wanted.
    /// Answers how many rows each table got.
    pub fn fill<R: Read>(mut self, tx: &mut impl Target, records: &mut RecordReader<R>, change: &mut Change<'_>) -> Result<Counts> {
        let now: HashMap<&str, &Table> = self.tables.iter().map(|table| (table.name.as_str(), table)).collect();
        let (mut counts, mut batch) = (Counts::new(), None::<Batch>);
        while let Some(record) = records.next_record()? {
            match record {
                Record::Table(table) => {
                    if let Some(batch) = batch.take() {
                        batch.end(self.runtime, tx, &mut counts)?;
                    }
                    if (self.is_kept)(&table.name) {
                        continue;
                    }
                    check_known(&table, now.get(table.name.as_str()).copied())?;
                    if let Some(resealer) = &mut self.resealer {
                        resealer.table(&table);
                    }
                    batch = Some(Batch::new(table));
                }
                Record::Row(mut row) => {
                    let Some(batch) = &mut batch else { continue };
                    if let Some(resealer) = &self.resealer {
                        resealer.row(&mut row)?;
                    }
                    if change(&batch.table.name, &batch.table, &mut row)? {
                        batch.push(self.runtime, tx, row)?;
                    }
                }
            }
        }
        if let Some(batch) = batch.take() {
            batch.end(self.runtime, tx, &mut counts)?;
        }
        Ok(counts)
    }
}

/// A backup of a newer schema has tables or columns that this one does not know: what is in them would be lost.
fn check_known(table: &Table, now: Option<&Table>) -> Result<()> {
    let newer = |what: String| {
        Error::Conflict(format!(
            "The backup has {what}, which this Tenantry does not know. Use the version that made it, or a newer one."
        ))
    };
    let now = now.ok_or_else(|| newer(format!("a table {}", table.name)))?;
    for column in &table.columns {
        match now.columns.iter().find(|known| known.name == column.name) {
            None => return Err(newer(format!("a column {}.{}", table.name, column.name))),
            Some(known) if known.kind != column.kind => {
                return Err(damaged(format_args!("column {}.{} is of another kind", table.name, column.name)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Rows of one table on their way into it.
struct Batch {
    table: Table,
    insert: String,
    full: String,
    rows_max: usize,
    values: Vec<Value>,
    bytes: usize,
    count: u64,
}

impl Batch {
    fn new(table: Table) -> Self {
        let rows_max = (VALUES_MAX / table.columns.len().max(1)).clamp(1, ROWS_MAX);
        let insert = format!("INSERT INTO \"{}\" ({}) VALUES ", table.name, table.column_list());
        let full = statement(&insert, rows_max, table.columns.len());
        Self { insert, full, rows_max, values: Vec::new(), bytes: 0, count: 0, table }
    }

    fn push(&mut self, runtime: &Handle, tx: &mut impl Target, row: Vec<Value>) -> Result<()> {
        self.bytes += row.iter().map(|value| if let Value::Text(t) = value { t.len() } else { 16 }).sum::<usize>();
        self.values.extend(row);
        self.count += 1;
        if self.values.len() >= self.rows_max * self.table.columns.len() || self.bytes >= BYTES_MAX {
            self.run(runtime, tx)?;
        }
        Ok(())
    }

    fn run(&mut self, runtime: &Handle, tx: &mut impl Target) -> Result<()> {
        let rows = self.values.len() / self.table.columns.len().max(1);
        if rows == 0 {
            return Ok(());
        }
        let partial;
        let sql = if rows == self.rows_max {
            &self.full
        } else {
            partial = statement(&self.insert, rows, self.table.columns.len());
            &partial
        };
        tx.run(runtime, sql, &self.values)?;
        self.values.clear();
        self.bytes = 0;
        Ok(())
    }

    fn end(mut self, runtime: &Handle, tx: &mut impl Target, counts: &mut Counts) -> Result<()> {
        self.run(runtime, tx)?;
        counts.insert(self.table.name, self.count);
        Ok(())
    }
}

fn statement(insert: &str, rows: usize, columns: usize) -> String {
    let mut sql = insert.to_owned();
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                sql.push_str(", ");
            }
            sql.push('?');
            sql.push_str(&(row * columns + column + 1).to_string());
        }
        sql.push(')');
    }
    sql
}
