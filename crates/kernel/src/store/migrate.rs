//! Migrations: the files of `migrations/control` and `migrations/tenant`, run forward, each in a transaction.
//!
//! The files are one SQL for both engines; `{tenant_id}` in a tenant migration stands for the column every tenant table begins
//! with: in SQLite a default and a CHECK with the tenant's id, in PostgreSQL a default from the transaction's setting.

use uuid::Uuid;

/// One migration: its number and name, and its SQL.
pub(super) struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The tenant column in SQLite.
pub(super) fn tenant_column_sqlite(tenant: Uuid) -> String {
    let hex = tenant.simple();
    format!("tenant_id uuid NOT NULL DEFAULT (x'{hex}') CHECK (tenant_id = x'{hex}')")
}

/// The tenant column in PostgreSQL. An unset tenant is an error, never all rows.
pub(super) const TENANT_COLUMN_POSTGRES: &str = "tenant_id uuid NOT NULL DEFAULT current_setting('tenantry.tenant')::uuid";
