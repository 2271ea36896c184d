//! The engine for more than one machine: one PostgreSQL database, schemas `control` and `tenant`, tenants kept apart by row-level
//! security. The transaction carries the tenant in `tenantry.tenant`; unset, every query on tenant data is an error.
//!
//! Tenant transactions run on their own connections as the role `tenantry_tenant`, which owns nothing and cannot bypass
//! row-level security, so that not even a mistake in SQL reaches another tenant's rows or control data.

use std::error::Error as _;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Timeouts};
use tokio_postgres::NoTls;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::migrate::{self, Migration};
use super::sql::{Row, Value};
use super::{Place, StoreError, StoreLimits};
use crate::ids::TenantId;

const TENANT_ROLE: &str = "tenantry_tenant";
/// Held while migrating, so that hubs that start together take turns. Any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x7465_6e61_6e74;

pub(crate) struct Postgres {
    control: Pool,
    tenant: Pool,
    wait: Duration,
    /// For decisions about transactions that hold a connection of the others: who waits here holds up nobody.
    facts: Pool,
}

/// The advisory lock that writers of a tenant share. Two tenants with the same number would wait for each other, which is all.
pub(crate) fn lock_key(tenant: TenantId) -> i64 {
    let (high, low) = tenant.uuid().as_u64_pair();
    (high ^ low).cast_signed()
}

/// Connections for decisions.
const FACTS_CONNECTIONS: usize = 2;

pub(crate) struct PostgresTx {
    /// Present until committed or dropped.
    client: Option<Object>,
}

impl Postgres {
    pub async fn open(url: &str, connections: usize, limits: StoreLimits) -> Result<Self, StoreError> {
        let config: tokio_postgres::Config =
            url.parse().map_err(|error| StoreError::Other(format!("PostgreSQL address: {error}")))?;
        migrate(&config).await?;
        Ok(Self {
            wait: limits.wait,
            facts: pool(&config, FACTS_CONNECTIONS, limits.wait, "SET search_path = control")?,
            control: pool(&config, connections, limits.wait, "SET search_path = control")?,
            tenant: pool(&config, connections, limits.wait, "SET search_path = tenant; SET ROLE tenantry_tenant")?,
        })
    }

    pub async fn begin(&self, place: Place, write: bool) -> Result<PostgresTx, StoreError> {
        let mode = if write { "READ WRITE" } else { "READ ONLY" };
        let Place::Tenant(tenant) = place else { return self.begin_as(place, mode, "").await };
        if !write {
            return self.begin_as(place, mode, "").await;
        }
        // In the same round trip: side by side with every other writer of this tenant, but not with one that wants to be alone.
        let (wait_ms, key) = (self.wait.as_millis(), lock_key(tenant));
        let lock = format!(
            "; SET LOCAL lock_timeout = {wait_ms}; SELECT pg_advisory_xact_lock_shared({key}); SET LOCAL lock_timeout TO DEFAULT"
        );
        self.begin_as(place, mode, &lock).await
    }

    /// A reader whose queries all see the same instant.
    pub async fn begin_instant(&self, place: Place) -> Result<PostgresTx, StoreError> {
        self.begin_as(place, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", "").await
    }

    async fn begin_as(&self, place: Place, mode: &str, then: &str) -> Result<PostgresTx, StoreError> {
        let (pool, begin) = match place {
            Place::Control => (&self.control, format!("BEGIN {mode}")),
            Place::Tenant(tenant) => (&self.tenant, format!("BEGIN {mode}; SET LOCAL tenantry.tenant = '{}'{then}", tenant.uuid())),
        };
        let client = pool.get().await.map_err(pool_error)?;
        let transaction = PostgresTx { client: Some(client) };
        transaction.client()?.batch_execute(&begin).await.map_err(store_error)?;
        Ok(transaction)
    }

    pub async fn read_facts(&self) -> Result<PostgresTx, StoreError> {
        let client = self.facts.get().await.map_err(pool_error)?;
        let transaction = PostgresTx { client: Some(client) };
        transaction.client()?.batch_execute("BEGIN READ ONLY").await.map_err(store_error)?;
        Ok(transaction)
    }

    /// The tenant's rows need no place of their own; its registry row says that it exists.
    pub async fn create_tenant(&self, tenant: TenantId) -> Result<(), StoreError> {
        let mut transaction = self.begin(Place::Tenant(tenant), true).await?;
        transaction.rows("SELECT 1 AS ready", &[]).await?;
        transaction.commit().await
    }

    pub async fn destroy_tenant(&self, tenant: TenantId) -> Result<u64, StoreError> {
        let mut transaction = self.begin(Place::Tenant(tenant), true).await?;
        let tables =
            transaction.rows("SELECT tablename::text FROM pg_tables WHERE schemaname = 'tenant' ORDER BY tablename", &[]).await?;
        transaction.execute("SET CONSTRAINTS ALL DEFERRED", &[]).await?;
        let mut rows = 0;
        for mut table in tables {
            let name: String = table.take()?;
            rows += transaction.execute(&format!("DELETE FROM \"{name}\""), &[]).await?;
        }
        transaction.commit().await?;
        Ok(rows)
    }

    pub fn open_handles(&self) -> usize {
        self.control.status().size + self.tenant.status().size
    }
}

fn pool(config: &tokio_postgres::Config, size: usize, wait: Duration, setup: &'static str) -> Result<Pool, StoreError> {
    let manager = Manager::from_config(config.clone(), NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let setup_hook = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move { client.batch_execute(setup).await.map_err(HookError::Backend) })
    });
    Pool::builder(manager)
        .max_size(size.max(1))
        .timeouts(Timeouts { wait: Some(wait), create: Some(wait), recycle: Some(wait) })
        .post_create(setup_hook)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Other(error.to_string()))
}

async fn migrate(config: &tokio_postgres::Config) -> Result<(), StoreError> {
    let (mut client, connection) = config.connect(NoTls).await.map_err(store_error)?;
    let driver = tokio::spawn(connection);
    client
        .batch_execute(&format!(
            "SELECT pg_advisory_lock({MIGRATION_LOCK});
             CREATE SCHEMA IF NOT EXISTS control; CREATE SCHEMA IF NOT EXISTS tenant;
             CREATE TABLE IF NOT EXISTS control.schema_migration (place text NOT NULL, name text NOT NULL, PRIMARY KEY (place, name));
             DO $$ BEGIN CREATE ROLE {TENANT_ROLE} NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             GRANT USAGE ON SCHEMA tenant TO {TENANT_ROLE};"
        ))
        .await
        .map_err(store_error)?;
    for (place, migrations) in [("control", migrate::CONTROL), ("tenant", migrate::TENANT)] {
        for migration in migrations {
            apply(&mut client, place, migration).await?;
        }
    }
    // Hands over role membership for SET ROLE when the hub's user is not a superuser, then lets the next hub in.
    client
        .batch_execute(&format!("GRANT {TENANT_ROLE} TO CURRENT_USER; SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        .await
        .map_err(store_error)?;
    drop(client);
    driver.abort();
    Ok(())
}

async fn apply(client: &mut tokio_postgres::Client, place: &str, migration: &Migration) -> Result<(), StoreError> {
    let failed = |error: tokio_postgres::Error| StoreError::Other(format!("migration {}: {}", migration.name, describe(&error)));
    let transaction = client.transaction().await.map_err(failed)?;
    let fresh = transaction
        .execute(
            "INSERT INTO control.schema_migration (place, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[&place, &migration.name],
        )
        .await
        .map_err(failed)?;
    if fresh == 0 {
        return Ok(());
    }
    let sql = migration.sql.replace("{tenant_id}", migrate::TENANT_COLUMN_POSTGRES);
    transaction.batch_execute(&format!("SET LOCAL search_path = {place}; {sql}")).await.map_err(failed)?;
    if place == "tenant" {
        transaction.batch_execute(&guard_tenant_tables()).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// Puts every table of the tenant schema under row-level security and gives the tenant role its rows, no more.
fn guard_tenant_tables() -> String {
    format!(
        "DO $$ DECLARE t record; BEGIN
           FOR t IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'tenant' AND c.relkind = 'r' AND NOT c.relforcerowsecurity LOOP
             EXECUTE format('ALTER TABLE tenant.%I ENABLE ROW LEVEL SECURITY', t.relname);
             EXECUTE format('ALTER TABLE tenant.%I FORCE ROW LEVEL SECURITY', t.relname);
             EXECUTE format('CREATE POLICY tenant ON tenant.%I USING (tenant_id = current_setting(''tenantry.tenant'')::uuid)
                             WITH CHECK (tenant_id = current_setting(''tenantry.tenant'')::uuid)', t.relname);
             EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tenant.%I TO {TENANT_ROLE}', t.relname);
           END LOOP; END $$;"
    )
}

impl PostgresTx {
    fn client(&self) -> Result<&Object, StoreError> {
        self.client.as_ref().ok_or_else(|| StoreError::Other("the transaction has ended".into()))
    }

    pub async fn rows(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = self.client()?;
        let statement = client.prepare_cached(&numbered(sql)).await.map_err(store_error)?;
        let rows = client.query(&statement, &borrowed(params)).await.map_err(store_error)?;
        rows.iter().map(read).collect()
    }

    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let client = self.client()?;
        let statement = client.prepare_cached(&numbered(sql)).await.map_err(store_error)?;
        client.execute(&statement, &borrowed(params)).await.map_err(store_error)
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        let client = self.client.take().ok_or_else(|| StoreError::Other("the transaction has ended".into()))?;
        if let Err(error) = client.batch_execute("COMMIT").await {
            drop(Object::take(client));
            return Err(store_error(error));
        }
        Ok(())
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(client));
            return;
        };
        runtime.spawn(async move {
            // A connection that could not be rolled back is closed, never given to somebody else.
            if client.batch_execute("ROLLBACK").await.is_err() {
                drop(Object::take(client));
            }
        });
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// `?1` as `$1`, outside of string literals.
fn numbered(sql: &str) -> String {
    let mut quoted = false;
    sql.chars()
        .map(|c| {
            quoted ^= c == '\'';
            if c == '?' && !quoted { '$' } else { c }
        })
        .collect()
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => match *ty {
                Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
                Type::INT2 => i16::try_from(*n)?.to_sql(ty, out),
                Type::BOOL => (*n != 0).to_sql(ty, out),
                Type::INT8 => n.to_sql(ty, out),
                _ => Err(format!("a number for a {ty}; cast it").into()),
            },
            Self::Bool(b) if *ty == Type::BOOL => b.to_sql(ty, out),
            Self::Bool(_) => Err(format!("a boolean for a {ty}").into()),
            Self::Text(t) => match *ty {
                Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => t.to_sql(ty, out),
                _ => Err(format!("text for a {ty}").into()),
            },
            Self::Blob(b) if *ty == Type::BYTEA => b.to_sql(ty, out),
            Self::Blob(_) => Err(format!("bytes for a {ty}").into()),
            Self::Uuid(u) if *ty == Type::UUID => u.to_sql(ty, out),
            Self::Uuid(_) => Err(format!("an id for a {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn read(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let value = match *column.type_() {
            Type::INT8 => row.get::<_, Option<i64>>(index).map(Value::Int),
            Type::INT4 => row.get::<_, Option<i32>>(index).map(|n| Value::Int(n.into())),
            Type::INT2 => row.get::<_, Option<i16>>(index).map(|n| Value::Int(n.into())),
            Type::BOOL => row.get::<_, Option<bool>>(index).map(Value::Bool),
            Type::TEXT | Type::VARCHAR | Type::NAME => row.get::<_, Option<String>>(index).map(Value::Text),
            Type::BYTEA => row.get::<_, Option<Vec<u8>>>(index).map(Value::Blob),
            Type::UUID => row.get::<_, Option<uuid::Uuid>>(index).map(Value::Uuid),
            ref other => return Err(StoreError::Shape(format!("column {} is a {other}; cast it", column.name()))),
        };
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(Row::new(values))
}

fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

fn store_error(error: tokio_postgres::Error) -> StoreError {
    let text = describe(&error);
    let Some(db) = error.as_db_error() else {
        return if error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>()) {
            StoreError::Unavailable(text)
        } else {
            StoreError::Other(text)
        };
    };
    match db.code().code() {
        "23505" => StoreError::Unique(db.constraint().unwrap_or_default().to_owned()),
        code if code.starts_with("23") => StoreError::Constraint(text),
        // Resources, operator intervention, connection, deadlock, serialization, lock wait: all pass.
        code if ["53", "57", "58", "08", "40"].iter().any(|class| code.starts_with(class)) || code == "55P03" => {
            StoreError::Unavailable(text)
        }
        _ => StoreError::Other(text),
    }
}

fn pool_error(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => store_error(error),
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn parameters_are_renumbered_outside_of_literals() {
        assert_eq!(
            super::numbered("SELECT '?1', a FROM t WHERE b = ?1 AND c = ?12"),
            "SELECT '?1', a FROM t WHERE b = $1 AND c = $12"
        );
    }
}
