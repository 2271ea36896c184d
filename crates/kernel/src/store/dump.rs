//! Logical snapshots: every row of one database as it was at one instant, in values that both engines know.
//!
//! Tables and columns are read from the schema itself, so a table that a migration adds is in the snapshot without anybody adding
//! it. The tenant's column is left out: the door fills it in wherever the rows are put. Rows come in no particular order, a table
//! at a time, in pieces of bounded size; nothing is held in memory beyond a few pieces.

use tokio::sync::mpsc;

use super::sqlite::SqliteTx;
use super::{Place, StoreError, Tx, Value};
use crate::params;

/// Tables of the engine itself: how far its schema is. They are nobody's data.
pub const ENGINE_TABLES: &[&str] = &["schema_migration"];

/// Most bytes of a piece, about; one row may be larger.
const PIECE_BYTES: usize = 256 * 1024;
/// Most rows of a piece.
const PIECE_ROWS: usize = 1_000;
/// Pieces that may lie ready.
const PIECES_READY: usize = 4;

/// What a column holds, in the common subset of both engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// bigint.
    Int,
    /// boolean.
    Bool,
    /// text.
    Text,
    /// bytea.
    Blob,
    /// uuid.
    Uuid,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// Part of the primary key.
    pub key: bool,
}

/// One table, without the tenant's column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the schema's order.
    pub columns: Vec<Column>,
}

/// A piece of a snapshot.
#[derive(Debug)]
pub enum Piece {
    /// What follows are rows of this table. Every table of the schema comes once, empty ones too.
    Table(Table),
    /// Rows of the table that was named last; values in the order of its columns.
    Rows(Vec<Vec<Value>>),
}

/// A database as it was at one instant, piece by piece.
pub struct Snapshot {
    pieces: mpsc::Receiver<Result<Piece, StoreError>>,
}

impl Snapshot {
    /// The next piece; none at the end. A snapshot that is dropped ends its transaction.
    ///
    /// # Errors
    /// As the store's; nothing follows it.
    pub async fn next(&mut self) -> Result<Option<Piece>, StoreError> {
        self.pieces.recv().await.transpose()
    }

    /// Begins to read. `tx` is a reader that sees one instant.
    pub(crate) async fn begin(mut tx: Tx, place: Place) -> Result<Self, StoreError> {
        let tables = tables(&mut tx, place).await?;
        let (sender, pieces) = mpsc::channel(PIECES_READY);
        match tx {
            Tx::Sqlite(tx) => {
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = read_sqlite(tx, tables, &sender) {
                        // Whoever reads the snapshot may be gone; then nobody needs to know.
                        let _ = sender.blocking_send(Err(error));
                    }
                });
            }
            Tx::Postgres(_) => {
                tokio::spawn(async move {
                    if let Err(error) = read_postgres(tx, tables, &sender).await {
                        let _ = sender.send(Err(error)).await;
                    }
                });
            }
        }
        Ok(Self { pieces })
    }
}

/// The tables of a database, by name.
pub(crate) async fn tables(tx: &mut Tx, place: Place) -> Result<Vec<Table>, StoreError> {
    let rows = match (&*tx, place) {
        (Tx::Sqlite(_), _) => {
            let sql = "SELECT m.name, c.name, lower(c.type), c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";
            tx.rows(sql, params![]).await?
        }
        (Tx::Postgres(_), place) => {
            let schema = if place == Place::Control { "control" } else { "tenant" };
            let sql = "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)::text,
                    (CASE WHEN EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
                     THEN 1 ELSE 0 END)::bigint
                 FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
                 WHERE s.nspname = ?1::text AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY c.relname::text COLLATE \"C\", a.attnum";
            tx.rows(sql, params![schema]).await?
        }
    };
    let mut tables: Vec<Table> = Vec::new();
    for mut row in rows {
        let (table, name, kind, key): (String, String, String, i64) = (row.take()?, row.take()?, row.take()?, row.take()?);
        if ENGINE_TABLES.contains(&table.as_str()) {
            continue;
        }
        if tables.last().is_none_or(|last| last.name != table) {
            tables.push(Table { name: table.clone(), columns: Vec::new() });
        }
        if name == "tenant_id" && place != Place::Control {
            continue;
        }
        let kind = match kind.as_str() {
            "bigint" => ColumnKind::Int,
            "boolean" => ColumnKind::Bool,
            "text" => ColumnKind::Text,
            "bytea" => ColumnKind::Blob,
            "uuid" => ColumnKind::Uuid,
            other => return Err(StoreError::Shape(format!("column {table}.{name} is a {other}, which no snapshot can hold"))),
        };
        let columns = &mut tables.last_mut().expect("pushed above when there was none").columns;
        columns.push(Column { name, kind, key: key > 0 });
    }
    Ok(tables)
}

impl Table {
    /// Its columns' names for SQL, separated by commas.
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
    }

    fn select(&self) -> String {
        format!("SELECT {} FROM \"{}\"", self.column_list(), self.name)
    }
}

fn read_sqlite(mut tx: SqliteTx, tables: Vec<Table>, sender: &mpsc::Sender<Result<Piece, StoreError>>) -> Result<(), StoreError> {
    for table in tables {
        let (sql, kinds) = (table.select(), table.columns.iter().map(|column| column.kind).collect::<Vec<_>>());
        if sender.blocking_send(Ok(Piece::Table(table))).is_err() {
            return Ok(());
        }
        let mut pile = Pile::default();
        let is_wanted = tx.stream(&sql, |row| {
            let row = row.into_iter().zip(&kinds).map(|(value, kind)| in_kind(value, *kind)).collect::<Result<Vec<_>, _>>()?;
            pile.push(row);
            Ok(!pile.is_full() || sender.blocking_send(Ok(Piece::Rows(pile.take()))).is_ok())
        })?;
        if !is_wanted || (!pile.rows.is_empty() && sender.blocking_send(Ok(Piece::Rows(pile.take()))).is_err()) {
            return Ok(());
        }
    }
    Ok(())
}

async fn read_postgres(mut tx: Tx, tables: Vec<Table>, sender: &mpsc::Sender<Result<Piece, StoreError>>) -> Result<(), StoreError> {
    for table in tables {
        // Named after its table: statements are cached by their text, and each table's rows have their own shape.
        let (select, cursor) = (table.select(), format!("\"snapshot_{}\"", table.name));
        if sender.send(Ok(Piece::Table(table))).await.is_err() {
            return Ok(());
        }
        tx.execute(&format!("DECLARE {cursor} NO SCROLL CURSOR FOR {select}"), params![]).await?;
        let mut pile = Pile::default();
        loop {
            let rows = tx.rows(&format!("FETCH 250 FROM {cursor}"), params![]).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                pile.push(row.into_values());
                if pile.is_full() && sender.send(Ok(Piece::Rows(pile.take()))).await.is_err() {
                    return Ok(());
                }
            }
        }
        tx.execute(&format!("CLOSE {cursor}"), params![]).await?;
        if !pile.rows.is_empty() && sender.send(Ok(Piece::Rows(pile.take()))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// SQLite knows neither booleans nor ids; the schema says which numbers and bytes are such.
fn in_kind(value: Value, kind: ColumnKind) -> Result<Value, StoreError> {
    Ok(match (value, kind) {
        (Value::Null, _) => Value::Null,
        (Value::Int(n), ColumnKind::Bool) => Value::Bool(n != 0),
        (Value::Blob(bytes), ColumnKind::Uuid) => {
            let id = uuid::Uuid::from_slice(&bytes).map_err(|_| StoreError::Shape(format!("an id of {} bytes", bytes.len())))?;
            Value::Uuid(id)
        }
        (value @ Value::Int(_), ColumnKind::Int)
        | (value @ Value::Text(_), ColumnKind::Text)
        | (value @ Value::Blob(_), ColumnKind::Blob) => value,
        (value, kind) => return Err(StoreError::Shape(format!("{value:?} in a column of kind {kind:?}"))),
    })
}

/// Rows on their way.
#[derive(Default)]
struct Pile {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Pile {
    fn push(&mut self, row: Vec<Value>) {
        self.bytes += row.iter().map(size).sum::<usize>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= PIECE_ROWS || self.bytes >= PIECE_BYTES
    }

    fn take(&mut self) -> Vec<Vec<Value>> {
        self.bytes = 0;
        std::mem::take(&mut self.rows)
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Int(_) => 9,
        Value::Uuid(_) => 17,
        Value::Text(text) => 5 + text.len(),
        Value::Blob(bytes) => 5 + bytes.len(),
    }
}
