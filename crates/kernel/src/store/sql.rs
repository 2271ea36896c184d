//! Parameters and rows: the small common ground of both databases.

use uuid::Uuid;

use super::StoreError;
use crate::clock::Timestamp;
use crate::ids::{Id, Kind};

/// A parameter or a column. Instants are integers, money is integers, ids are 16 bytes; there are no floats and no dates in SQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// bigint.
    Int(i64),
    /// boolean (an integer in SQLite).
    Bool(bool),
    /// text.
    Text(String),
    /// bytea / blob.
    Blob(Vec<u8>),
    /// uuid (16 bytes in SQLite).
    Uuid(Uuid),
}

macro_rules! from_value {
    ($($from:ty => |$v:ident| $to:expr;)*) => { $( impl From<$from> for Value { fn from($v: $from) -> Self { $to } } )* };
}
from_value! {
    i64 => |v| Value::Int(v);
    i32 => |v| Value::Int(v.into());
    u32 => |v| Value::Int(v.into());
    bool => |v| Value::Bool(v);
    &str => |v| Value::Text(v.to_owned());
    &String => |v| Value::Text(v.clone());
    String => |v| Value::Text(v);
    Vec<u8> => |v| Value::Blob(v);
    &[u8] => |v| Value::Blob(v.to_vec());
    Uuid => |v| Value::Uuid(v);
    Timestamp => |v| Value::Int(v.0);
    &Value => |v| v.clone();
}
impl From<u64> for Value {
    /// Counts and sizes; saturates at the largest bigint.
    fn from(v: u64) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}
impl<K: Kind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Uuid(id.uuid())
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// Parameters in the order of their numbers: `params![id, name]` binds `?1` and `?2`.
#[macro_export]
macro_rules! params {
    () => { &[] as &[$crate::store::Value] };
    ($($value:expr),+ $(,)?) => { &[$($crate::store::Value::from($value)),+] as &[$crate::store::Value] };
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// Reads the column, or says what it was instead.
    ///
    /// # Errors
    /// The column is of another type.
    fn from_value(value: Value) -> Result<Self, Value>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Value> {
        Ok(value)
    }
}
impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Int(n) => Ok(n),
            other => Err(other),
        }
    }
}
impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Bool(b) => Ok(b),
            Value::Int(n) => Ok(n != 0),
            other => Err(other),
        }
    }
}
impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Text(t) => Ok(t),
            other => Err(other),
        }
    }
}
impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Blob(b) => Ok(b),
            Value::Uuid(u) => Ok(u.as_bytes().to_vec()),
            other => Err(other),
        }
    }
}
impl FromValue for Uuid {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Uuid(u) => Ok(u),
            Value::Blob(b) => Uuid::from_slice(&b).map_err(|_| Value::Blob(b)),
            other => Err(other),
        }
    }
}
impl FromValue for Timestamp {
    fn from_value(value: Value) -> Result<Self, Value> {
        i64::from_value(value).map(Timestamp)
    }
}
impl<K: Kind> FromValue for Id<K> {
    fn from_value(value: Value) -> Result<Self, Value> {
        Uuid::from_value(value).map(Id::from_uuid)
    }
}
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// One row, read left to right: take the columns in the order in which the query selects them.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Value>, usize);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter(), 0)
    }

    /// All columns that were not taken yet.
    pub(crate) fn into_values(self) -> Vec<Value> {
        self.0.collect()
    }

    /// The next column.
    ///
    /// # Errors
    /// `StoreError::Shape`: the query selects fewer columns, or the column is of another type: a bug in a `store.rs`.
    pub fn take<T: FromValue>(&mut self) -> Result<T, StoreError> {
        self.1 += 1;
        let value = self.0.next().ok_or_else(|| StoreError::Shape(format!("column {} is not selected", self.1)))?;
        T::from_value(value)
            .map_err(|value| StoreError::Shape(format!("column {} is {value:?}, not {}", self.1, std::any::type_name::<T>())))
    }

    /// The next column, text parsed into a type that cannot be wrong.
    ///
    /// # Errors
    /// `StoreError::Shape` when it does not parse.
    pub fn parse<T: std::str::FromStr>(&mut self) -> Result<T, StoreError> {
        let text: String = self.take()?;
        text.parse().map_err(|_| StoreError::Shape(format!("{text:?} is not a {}", std::any::type_name::<T>())))
    }

    /// The next column, JSON text read into a type.
    ///
    /// # Errors
    /// `StoreError::Shape` when it does not parse.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text: String = self.take()?;
        serde_json::from_str(&text).map_err(|error| StoreError::Shape(format!("stored JSON: {error}")))
    }
}

/// A query put together from pieces, for lists with filters. Pieces are constants of ours; everything from outside is bound.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The SQL so far.
    pub sql: String,
    /// Its parameters.
    pub params: Vec<Value>,
}

impl Query {
    /// Begins with this SQL.
    pub fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), params: Vec::new() }
    }

    /// Appends SQL.
    pub fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends `?n` and binds it.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        self.sql.push('?');
        self.sql.push_str(&self.params.len().to_string());
        self
    }

    /// Appends `?n, ?n+1, …` and binds them. An empty list binds NULL, which nothing equals.
    pub fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut first = true;
        for value in values {
            if !first {
                self.push(", ");
            }
            first = false;
            self.bind(value);
        }
        if first {
            self.push("NULL");
        }
        self
    }

    /// Appends ` AND` what a path or a query names by id or by name: an id when `named` is one of this kind, else the name. What has
    /// control characters names nothing (and PostgreSQL takes no NUL).
    pub fn and_named<K: Kind>(&mut self, id: &str, name: &str, named: &str) -> &mut Self {
        if named.contains(char::is_control) {
            return self.push(" AND 1 = 0");
        }
        match named.parse::<Id<K>>() {
            Ok(value) => self.push(&format!(" AND {id} = ")).bind(value),
            Err(_) => self.push(&format!(" AND {name} = ")).bind(named),
        }
    }

    /// Appends `AND lower(expression) LIKE pattern` when there is a pattern (see `PageQuery::pattern`).
    pub fn and_like(&mut self, expression: &str, pattern: Option<&str>) -> &mut Self {
        if let Some(pattern) = pattern {
            self.push(&format!(" AND lower({expression}) LIKE ")).bind(pattern).push(" ESCAPE '\\'");
        }
        self
    }
}
