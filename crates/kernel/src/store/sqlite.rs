//! The embedded engine: one file per tenant and one control file, WAL, `synchronous=FULL`, one writer per file.
//!
//! Short reads run where they are called; opening and committing (which wait for the disk) go to blocking threads.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use uuid::Uuid;

use super::migrate::{self, Migration};
use super::sql::{Row, Value};
use super::{Place, StoreError, StoreLimits};
use crate::ids::TenantId;

/// Readers kept open per file; more are made when needed and closed after use.
const READERS_KEPT_CONTROL: usize = 8;
const READERS_KEPT_TENANT: usize = 1;

/// At most 512 kB of pages a connection, and about 96 MB for all of them together: beyond that a connection uses its own pages again
/// instead of taking more, so that many open tenants cost little.
const CACHES: &str = "PRAGMA cache_size=-512; PRAGMA soft_heap_limit=100663296;";

pub(crate) struct Sqlite {
    dir: PathBuf,
    limits: StoreLimits,
    control: Arc<Database>,
    /// Open tenants, most recently used first. What falls out is closed when its last transaction ends.
    open: Mutex<Open>,
}

struct Open {
    recent: LruCache<Uuid, Arc<Database>>,
    /// Every database that is still alive, so that none is ever opened twice (two writers).
    alive: HashMap<Uuid, Weak<Database>>,
}

/// One file: its single writer, and readers at rest.
struct Database {
    path: PathBuf,
    readers_kept: usize,
    writer: Arc<AsyncMutex<Connection>>,
    readers: Mutex<Vec<Connection>>,
}

pub(crate) struct SqliteTx {
    database: Arc<Database>,
    connection: Held,
}

enum Held {
    Reader(Option<Connection>),
    Writer(OwnedMutexGuard<Connection>),
}

impl Sqlite {
    pub async fn open(dir: PathBuf, limits: StoreLimits) -> Result<Self, StoreError> {
        let path = dir.join("control.db");
        let control = blocking(move || {
            make_dir(&path.with_file_name("tenants"))?;
            Database::open(&path, migrate::CONTROL, None, READERS_KEPT_CONTROL)
        })
        .await?;
        let capacity = NonZeroUsize::new(limits.open_tenants.max(1)).expect("at least one");
        let open = Open { recent: LruCache::new(capacity), alive: HashMap::new() };
        Ok(Self { dir, limits, control: Arc::new(control), open: Mutex::new(open) })
    }

    pub async fn read(&self, place: Place) -> Result<SqliteTx, StoreError> {
        let database = self.database(place).await?;
        let reader = database.readers.lock().pop();
        let reader = match reader {
            Some(reader) => reader,
            None => {
                let path = database.path.clone();
                blocking(move || open_reader(&path)).await?
            }
        };
        reader.execute_batch("BEGIN").map_err(store_error)?;
        Ok(SqliteTx { database, connection: Held::Reader(Some(reader)) })
    }

    pub async fn write(&self, place: Place) -> Result<SqliteTx, StoreError> {
        let database = self.database(place).await?;
        let writer = tokio::time::timeout(self.limits.wait, database.writer.clone().lock_owned())
            .await
            .map_err(|_| StoreError::Unavailable("another write to the same database takes long".into()))?;
        writer.execute_batch("BEGIN IMMEDIATE").map_err(store_error)?;
        Ok(SqliteTx { database, connection: Held::Writer(writer) })
    }

    async fn database(&self, place: Place) -> Result<Arc<Database>, StoreError> {
        let Place::Tenant(tenant) = place else { return Ok(self.control.clone()) };
        if let Some(database) = self.find_open(tenant) {
            return Ok(database);
        }
        let path = self.tenant_path(tenant);
        let opened = blocking(move || {
            if !path.exists() {
                return Err(StoreError::NoTenant);
            }
            Database::open(&path, migrate::TENANT, Some(tenant.uuid()), READERS_KEPT_TENANT)
        })
        .await?;
        Ok(self.keep(tenant, opened))
    }

    fn find_open(&self, tenant: TenantId) -> Option<Arc<Database>> {
        let mut open = self.open.lock();
        if let Some(database) = open.recent.get(&tenant.uuid()) {
            return Some(database.clone());
        }
        let database = open.alive.get(&tenant.uuid()).and_then(Weak::upgrade)?;
        open.recent.put(tenant.uuid(), database.clone());
        Some(database)
    }

    /// Keeps a database that was just opened, unless somebody else was faster: then theirs.
    fn keep(&self, tenant: TenantId, opened: Database) -> Arc<Database> {
        let mut open = self.open.lock();
        if let Some(database) = open.alive.get(&tenant.uuid()).and_then(Weak::upgrade) {
            return database;
        }
        let database = Arc::new(opened);
        open.alive.insert(tenant.uuid(), Arc::downgrade(&database));
        open.recent.put(tenant.uuid(), database.clone());
        if open.alive.len() > 2 * open.recent.cap().get() {
            open.alive.retain(|_, weak| weak.strong_count() > 0);
        }
        database
    }

    pub async fn create_tenant(&self, tenant: TenantId) -> Result<(), StoreError> {
        let path = self.tenant_path(tenant);
        let database = blocking(move || {
            make_dir(path.parent().unwrap_or(Path::new(".")))?;
            Database::open(&path, migrate::TENANT, Some(tenant.uuid()), READERS_KEPT_TENANT)
        })
        .await?;
        self.keep(tenant, database);
        Ok(())
    }

    pub async fn destroy_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let folder = self.tenant_path(tenant).parent().map(Path::to_path_buf).unwrap_or_default();
        for _ in 0..200 {
            let in_use = {
                let mut open = self.open.lock();
                open.recent.pop(&tenant.uuid());
                open.alive.get(&tenant.uuid()).is_some_and(|weak| weak.strong_count() > 0)
            };
            if !in_use {
                return blocking(move || {
                    let files = match std::fs::read_dir(&folder) {
                        Ok(files) => files.count() as u64,
                        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
                        Err(error) => return Err(io_error(&folder, &error)),
                    };
                    std::fs::remove_dir_all(&folder).map_err(|error| io_error(&folder, &error))?;
                    Ok(files)
                })
                .await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(StoreError::Unavailable("the tenant's database is still in use".into()))
    }

    pub async fn scrub(&self) -> Result<(), StoreError> {
        let writer = tokio::time::timeout(self.limits.wait, self.control.writer.clone().lock_owned())
            .await
            .map_err(|_| StoreError::Unavailable("another write to the same database takes long".into()))?;
        blocking(move || {
            // A reader that is still at it makes this do less than all; the answer's first column says so, and the next purge or the
            // next scrub goes on.
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).map(drop).map_err(store_error)
        })
        .await
    }

    pub fn open_handles(&self) -> usize {
        self.open.lock().recent.len()
    }

    fn tenant_path(&self, tenant: TenantId) -> PathBuf {
        self.dir.join("tenants").join(tenant.uuid().simple().to_string()).join("tenant.db")
    }
}

impl Database {
    fn open(path: &Path, migrations: &[Migration], tenant: Option<Uuid>, readers_kept: usize) -> Result<Self, StoreError> {
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        writer
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=8388608; \
                 PRAGMA secure_delete=ON;",
            )
            .map_err(store_error)?;
        migrate(&mut writer, migrations, tenant)?;
        Ok(Self { path: path.to_owned(), readers_kept, writer: Arc::new(AsyncMutex::new(writer)), readers: Mutex::new(Vec::new()) })
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(store_error)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(store_error)?;
    connection.set_prepared_statement_cache_capacity(48);
    connection.execute_batch(CACHES).map_err(store_error)?;
    Ok(connection)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    reader.execute_batch("PRAGMA query_only=ON;").map_err(store_error)?;
    Ok(reader)
}

fn migrate(connection: &mut Connection, migrations: &[Migration], tenant: Option<Uuid>) -> Result<(), StoreError> {
    let done: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(store_error)?;
    for (number, migration) in (1_i64..).zip(migrations) {
        if number <= done {
            continue;
        }
        let column = tenant.map(migrate::tenant_column_sqlite).unwrap_or_default();
        let sql = migration.sql.replace("{tenant_id}", &column);
        let transaction = connection.transaction().map_err(store_error)?;
        transaction
            .execute_batch(&sql)
            .and_then(|()| transaction.pragma_update(None, "user_version", number))
            .and_then(|()| transaction.commit())
            .map_err(|error| StoreError::Other(format!("migration {}: {error}", migration.name)))?;
    }
    Ok(())
}

impl SqliteTx {
    fn connection(&self) -> &Connection {
        match &self.connection {
            Held::Reader(Some(reader)) => reader,
            Held::Writer(writer) => writer,
            Held::Reader(None) => unreachable!("the reader leaves only when the transaction is dropped"),
        }
    }

    pub fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql).map_err(store_error)?;
        let columns = statement.column_count();
        let mut cursor = statement.query(rusqlite::params_from_iter(params)).map_err(store_error)?;
        let mut rows = Vec::new();
        while let Some(row) = cursor.next().map_err(store_error)? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(read(row.get_ref(column).map_err(store_error)?)?);
            }
            rows.push(Row::new(values));
        }
        Ok(rows)
    }

    /// Hands on row by row while `take` wants more. Answers whether it wanted all of them.
    pub fn stream(&mut self, sql: &str, mut take: impl FnMut(Vec<Value>) -> Result<bool, StoreError>) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare(sql).map_err(store_error)?;
        let columns = statement.column_count();
        let mut cursor = statement.query([]).map_err(store_error)?;
        while let Some(row) = cursor.next().map_err(store_error)? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(read(row.get_ref(column).map_err(store_error)?)?);
            }
            if !take(values)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.connection().prepare_cached(sql).map_err(store_error)?;
        let changed = statement.execute(rusqlite::params_from_iter(params)).map_err(store_error)?;
        Ok(changed as u64)
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        if matches!(self.connection, Held::Reader(_)) {
            return Ok(());
        }
        blocking(move || self.connection().execute_batch("COMMIT").map_err(store_error)).await
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        let rolled_back = self.connection().is_autocommit() || self.connection().execute_batch("ROLLBACK").is_ok();
        if let Held::Reader(reader) = &mut self.connection
            && let Some(reader) = reader.take()
            && rolled_back
        {
            let mut readers = self.database.readers.lock();
            if readers.len() < self.database.readers_kept {
                readers.push(reader);
            }
        }
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Bool(b) => ValueRef::Integer(i64::from(*b)),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Blob(b) => ValueRef::Blob(b),
            Self::Uuid(u) => ValueRef::Blob(u.as_bytes()),
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(_) => return Err(StoreError::Shape("a float in SQL; cast it to bigint".into())),
        ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
        ValueRef::Blob(b) => Value::Blob(b.to_vec()),
    })
}

fn store_error(error: rusqlite::Error) -> StoreError {
    let text = error.to_string();
    let Some(code) = error.sqlite_error() else { return StoreError::Other(text) };
    match (code.code, code.extended_code) {
        (ErrorCode::ConstraintViolation, 2067 | 1555) => {
            StoreError::Unique(text.rsplit(": ").next().unwrap_or_default().replace("tenant_id, ", ""))
        }
        (ErrorCode::ConstraintViolation, _) => StoreError::Constraint(text),
        (
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen,
            _,
        ) => StoreError::Unavailable(text),
        _ => StoreError::Other(text),
    }
}

fn io_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(path).map_err(|error| io_error(path, &error))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Other(error.to_string()))?
}
