//! Control and tenant databases behind one small [`Tx`]: SQLite files, or PostgreSQL under row-level security.
//!
//! Nothing outside the kernel can open a transaction here; that is the door's (`crate::door`).

pub(crate) mod dump;
mod migrate;
pub(crate) mod postgres;
mod sql;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

pub use dump::{Column, ColumnKind, ENGINE_TABLES, Piece, Snapshot, Table};
pub use sql::{FromValue, Query, Row, Value};

use crate::error::Error;
use crate::ids::TenantId;

/// What the store complains of. Uniqueness and ranges are translated where the SQL stands, in a slice's `store.rs`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint; names the columns (SQLite) or the constraint (PostgreSQL).
    #[error("unique constraint: {0}")]
    Unique(String),
    /// A foreign key, check or not-null constraint.
    #[error("constraint: {0}")]
    Constraint(String),
    /// A row or column is not of the shape the code expects.
    #[error("shape: {0}")]
    Shape(String),
    /// Busy, full, or away: try again.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No such tenant database.
    #[error("the tenant has no database")]
    NoTenant,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unique(what) => Self::Conflict(format!("This already exists ({what}). Choose another.")),
            StoreError::NoTenant => Self::NotFound,
            StoreError::Unavailable(detail) => {
                tracing::warn!(%detail, "store unavailable");
                Self::Unavailable("The store is busy or away.".into())
            }
            other => Self::internal(other),
        }
    }
}

/// Where the data lives.
#[derive(Debug, Clone)]
pub enum StoreConfig {
    /// SQLite files below this folder: `control.db`, `tenants/<id>/tenant.db`.
    Sqlite {
        /// The data folder; made when missing.
        dir: PathBuf,
    },
    /// One PostgreSQL database; tenants are rows under row-level security.
    Postgres {
        /// `postgres://user@host/db`; the user owns the database or may create schemas in it, and may create a role.
        url: String,
        /// Connections for control data and as many for tenant data.
        connections: usize,
    },
}

/// Bounds of the store.
#[derive(Debug, Clone, Copy)]
pub struct StoreLimits {
    /// Most tenant databases kept open (SQLite). About half a megabyte each (a writer and a reader).
    pub open_tenants: usize,
    /// Longest wait for a writer or a connection.
    pub wait: Duration,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { open_tenants: 400, wait: Duration::from_secs(10) }
    }
}

/// Which database a transaction is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The control database.
    Control,
    /// One tenant's.
    Tenant(TenantId),
}

/// Both engines.
pub(crate) enum Store {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// One transaction on one database.
pub(crate) enum Tx {
    Sqlite(sqlite::SqliteTx),
    Postgres(postgres::PostgresTx),
}

impl Store {
    /// Opens the store and brings the control database's schema up to date.
    pub async fn open(config: &StoreConfig, limits: StoreLimits) -> Result<Self, StoreError> {
        Ok(match config {
            StoreConfig::Sqlite { dir } => Self::Sqlite(sqlite::Sqlite::open(dir.clone(), limits).await?),
            StoreConfig::Postgres { url, connections } => {
                Self::Postgres(postgres::Postgres::open(url, *connections, limits).await?)
            }
        })
    }

    pub async fn read(&self, place: Place) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.read(place).await?),
            Self::Postgres(store) => Tx::Postgres(store.begin(place, false).await?),
        })
    }

    /// A reader that sees one instant, however many queries it makes. (In SQLite every reader does.)
    pub async fn read_instant(&self, place: Place) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.read(place).await?),
            Self::Postgres(store) => Tx::Postgres(store.begin_instant(place).await?),
        })
    }

    /// Reads the control database for a decision about a transaction that may already run: never waits for one to end.
    pub async fn read_facts(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.read(Place::Control).await?),
            Self::Postgres(store) => Tx::Postgres(store.read_facts().await?),
        })
    }

    pub async fn write(&self, place: Place) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(store) => Tx::Sqlite(store.write(place).await?),
            Self::Postgres(store) => Tx::Postgres(store.begin(place, true).await?),
        })
    }

    /// Makes the tenant's database with an up-to-date schema. Does nothing when it exists.
    pub async fn create_tenant(&self, tenant: TenantId) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.create_tenant(tenant).await,
            Self::Postgres(store) => store.create_tenant(tenant).await,
        }
    }

    /// Destroys the tenant's database; answers how many files or rows' tables went.
    pub async fn destroy_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.destroy_tenant(tenant).await,
            Self::Postgres(store) => store.destroy_tenant(tenant).await,
        }
    }

    /// Empties the control database's log of changes (SQLite). PostgreSQL does so by itself.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.scrub().await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// "sqlite" or "postgres".
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Tenant databases open now (SQLite), or connections in use (PostgreSQL).
    pub fn open_handles(&self) -> usize {
        match self {
            Self::Sqlite(store) => store.open_handles(),
            Self::Postgres(store) => store.open_handles(),
        }
    }
}

impl Tx {
    pub async fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(tx) => tx.rows(sql, params),
            Self::Postgres(tx) => tx.rows(sql, params).await,
        }
    }

    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(tx) => tx.execute(sql, params),
            Self::Postgres(tx) => tx.execute(sql, params).await,
        }
    }

    pub async fn opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    pub async fn one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreError> {
        self.opt(sql, params).await?.ok_or_else(|| StoreError::Shape("expected a row, found none".into()))
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}
