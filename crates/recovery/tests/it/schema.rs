//! Nothing can be forgotten: neither a table in backups, nor a sealed column in rotations.

use kernel::params;
use kernel::secrets::{SEALED_BY_MASTER, SEALED_BY_TENANT, UNSEALED_BYTES};
use kernel::store::{ColumnKind, ENGINE_TABLES, Table};
use rstest::rstest;
use testkit::{Engine, TestHub, tenant};

use crate::stage::picture;

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, axum::Router::new()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_both_databases_is_in_a_snapshot(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let control = picture(hub.hub.snapshot_control().await.unwrap()).await;
    let own = picture(hub.hub.snapshot(tenant("acme")).await.unwrap()).await;
    for (name, found) in [("control", &control), ("tenant", &own)] {
        let folder = format!("{}/../../migrations/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut made = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for line in sql.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")) {
                let table = line.split([' ', '(']).next().unwrap();
                assert!(found.contains_key(table), "{name}: {table} is not in the snapshot");
                made += 1;
            }
        }
        assert_eq!(made, found.len(), "{name}: {:?}", found.keys());
    }
    assert_eq!(ENGINE_TABLES, ["schema_migration"]);
    assert!(control["tenant"].len() == 6 && control["person"].len() == 16);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (hub(Engine::Sqlite).await, hub(Engine::Postgres).await);
    assert_eq!(sqlite.hub.control_tables().await.unwrap(), postgres.hub.control_tables().await.unwrap());
    assert_eq!(sqlite.hub.tables(tenant("acme")).await.unwrap(), postgres.hub.tables(tenant("acme")).await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_bytes_is_known_to_be_sealed_or_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let check = |tables: Vec<Table>, sealed: &[kernel::secrets::SealedColumn]| {
        for table in tables {
            for column in table.columns.iter().filter(|column| column.kind == ColumnKind::Blob) {
                let is_sealed = sealed.iter().any(|one| one.table == table.name && one.column == column.name);
                let is_plain = UNSEALED_BYTES.contains(&(table.name.as_str(), column.name.as_str()));
                assert!(is_sealed != is_plain, "kernel::secrets does not say whether {}.{} is sealed", table.name, column.name);
            }
        }
    };
    check(hub.hub.control_tables().await.unwrap(), SEALED_BY_MASTER);
    check(hub.hub.tables(tenant("acme")).await.unwrap(), SEALED_BY_TENANT);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_shows_one_instant_while_others_write(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let fill = async |n: i64| {
        let mut tx = hub.hub.system(tenant("acme"), "test.fill", "rows").await.unwrap();
        for i in 0..2_000 {
            let text = "x".repeat(500);
            tx.execute(
                "INSERT INTO comment (id, finding_id, n, author, body, at) VALUES (?1, ?1, ?2, '{}', ?3, 0)",
                params![kernel::ids::uuid_at(kernel::Timestamp(n * 10_000 + i)), i, text],
            )
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    };
    fill(1).await;
    let snapshot = hub.hub.snapshot(tenant("acme")).await.unwrap();
    fill(2).await;
    let seen = picture(snapshot).await;
    assert_eq!((seen["comment"].len(), seen["ledger"].len()), (2_000, 1));
    assert_eq!(picture(hub.hub.snapshot(tenant("acme")).await.unwrap()).await["comment"].len(), 4_000);
}
