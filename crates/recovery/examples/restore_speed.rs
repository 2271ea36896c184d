//! How fast backups are made, checked and restored: `cargo run --release -p recovery --example restore_speed -- sqlite 200` (MB of data).

#![allow(clippy::unwrap_used, reason = "a measurement stops at the first thing that is not as it should be")]

use std::sync::Arc;
use std::time::Instant;

use kernel::door::BoxFuture;
use kernel::{Hub, Result, TenantId, params};
use recovery::restores::{From, How};
use recovery::{Neighbours, Progress, Settings, backups, restores};
use testkit::{Engine, TestHub, tenant};

struct Nobody;

impl Neighbours for Nobody {
    fn refresh<'a>(&'a self, _: &'a Hub, _: TenantId) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let engine = if arguments.next().is_some_and(|name| name == "postgres") { Engine::Postgres } else { Engine::Sqlite };
    let megabytes: usize = arguments.next().map_or(100, |text| text.parse().unwrap());
    let hub = TestHub::start(engine, axum::Router::new()).await;
    let place = tempfile::tempdir().unwrap();
    let to = place.path().to_str().unwrap().to_owned();
    recovery::provide(&hub.hub, Settings { to: Some(to), ..Settings::without_a_place(Arc::new(Nobody)) });
    let key = hub.hub.tenant_key(tenant("acme")).await.unwrap();
    // Like findings: a third sealed evidence, which does not compress, the rest text, which does.
    let mut tx = hub.hub.system(tenant("acme"), "speed.fill", "rows to measure with").await.unwrap();
    for n in 0..megabytes * 340 {
        let id = kernel::ids::uuid_at(kernel::Timestamp(i64::try_from(n).unwrap()));
        let text = format!("Resource {n} in eu-central-1 does not enforce encryption at rest. ").repeat(31);
        let sealed = key.seal("evidence", &text.as_bytes()[..1_000]);
        tx.execute("INSERT INTO finding_evidence (finding_id, sealed) VALUES (?1, ?2)", params![id, sealed]).await.unwrap();
        let sql = "INSERT INTO comment (id, finding_id, n, author, body, at) VALUES (?1, ?1, 1, '{}', ?2, 0)";
        tx.execute(sql, params![id, &text[..1_900]]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let per_second = |bytes: u64, since: Instant| bytes as f64 / 1e6 / since.elapsed().as_secs_f64();
    let begun = Instant::now();
    let made = backups::make(&hub.hub, &backups::Asked::default(), &Progress::silent()).await.unwrap();
    println!(
        "backup   {:7.1} MB/s  ({} MB of data, {} MB in the file)",
        per_second(made.data_bytes, begun),
        made.data_bytes >> 20,
        made.bytes >> 20
    );
    let begun = Instant::now();
    backups::verify(&hub.hub, &made.id.to_string(), None, &Progress::silent()).await.unwrap();
    println!("verify   {:7.1} MB/s", per_second(made.data_bytes, begun));
    for how in [How::Over, How::Beside] {
        let asked = restores::Asked {
            tenant: "acme".into(),
            how,
            from: From::Backup(made.id.to_string()),
            place: None,
            reason: "to measure".into(),
        };
        let begun = Instant::now();
        restores::tenant(&hub.hub, &asked, &Progress::silent()).await.unwrap();
        println!("{how:<8} {:7.1} MB/s", per_second(made.data_bytes, begun), how = format!("{how:?}").to_lowercase());
    }
}
