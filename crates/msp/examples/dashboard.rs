//! What a page of the dashboard costs: `cargo run --release -p msp --example dashboard -- [clients] [points of trend each]`.
//!
//! Prints wall and CPU time a request, for both engines. On SQLite the CPU time is all there is; PostgreSQL's own is not in it.

use std::time::Instant;

use kernel::clock::DAY_US;
use kernel::params;
use testkit::{Engine, START, TestHub};

const PEOPLE: usize = 20;
const ROUNDS: u32 = 100;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse::<i64>().ok());
    let (clients, points) = (arguments.next().unwrap_or(1_000), arguments.next().unwrap_or(13));
    println!("{clients} clients, {PEOPLE} members and {points} points of trend each");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let hub = TestHub::start(engine, msp::router()).await;
        crowd(&hub, clients, points).await;
        for (who, query) in [
            ("priya", "clients?limit=60"),
            ("priya", "clients?sort=name&limit=60"),
            ("priya", "clients?q=number+7&filter=attention"),
            ("t3", "clients?limit=60"),
            ("priya", "tenants"),
            ("priya", "clients.csv"),
        ] {
            measure(&hub, engine, who, query).await;
        }
    }
}

async fn measure(hub: &TestHub, engine: Engine, who: &str, query: &str) {
    let path = format!("/providers/northwind/{query}");
    let bytes = hub.get(who, &path).await.expect(200).bytes.len();
    let rounds = if query.ends_with("csv") { ROUNDS / 10 } else { ROUNDS };
    let (started, cpu) = (Instant::now(), cpu_ms());
    for _ in 0..rounds {
        hub.get(who, &path).await.expect(200);
    }
    let wall = started.elapsed().as_secs_f64() * 1_000.0 / f64::from(rounds);
    let cpu = (cpu_ms() - cpu) / f64::from(rounds);
    println!("{engine:?} {who:6} {query:36} {wall:7.2} ms wall {cpu:7.2} ms CPU {bytes:8} bytes");
}

/// CPU time of this process so far, in ticks of 10 ms.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc");
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) * 10.0
}

async fn crowd(hub: &TestHub, clients: i64, points: i64) {
    let mut tx = hub.hub.system_write("example.crowd", "many clients").await.expect("a write");
    let provider: uuid::Uuid =
        tx.one("SELECT id FROM provider WHERE slug = 'northwind'", &[]).await.expect("a row").take().expect("an id");
    let plan: uuid::Uuid = tx
        .one("SELECT id FROM plan WHERE provider_id = ?1 AND name = 'Basic'", params![provider])
        .await
        .expect("a row")
        .take()
        .expect("an id");
    let people: Vec<_> = (0..PEOPLE).map(|_| kernel::ids::uuid_at(START)).collect();
    for (n, id) in people.iter().enumerate() {
        let email = format!("m{n}@crowd.example");
        let values = params![*id, email, START];
        tx.execute(
            "INSERT INTO person (id, email, name, state, password_hash, created_at) VALUES (?1, ?2, 'M', 'active', 'none', ?3)",
            values,
        )
        .await
        .expect("a person");
    }
    let today = START.0 / DAY_US;
    for n in 0..clients {
        let id = kernel::ids::uuid_at(START);
        let values = params![id, provider, format!("crowd-{n}"), format!("Client number {n}"), plan, START];
        tx.execute(
            "INSERT INTO tenant (id, provider_id, slug, name, state, plan_id, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6)",
            values,
        )
        .await
        .expect("a tenant");
        let values = params![kernel::ids::uuid_at(START), provider, id, n % 4, START];
        tx.execute(
            "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
            values,
        )
        .await
        .expect("a relationship");
        for person in &people {
            let values = params![kernel::ids::uuid_at(START), id, *person, START];
            tx.execute(
                "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'viewer', 'active', ?4)",
                values,
            )
            .await
            .expect("a member");
        }
        let trend: Vec<_> = (0..points).rev().map(|ago| (today - ago * 90 / points, 5_000 + (n * 7 + ago * 13) % 5_000)).collect();
        let trend = serde_json::to_string(&trend).expect("JSON");
        let values = params![id, 5_000 + (n * 7) % 5_000, n % 3, n % 11, START.plus_days(-(n % 12)), trend];
        tx.execute(
            "INSERT INTO summary (tenant_id, revision, score_bp, critical, high, scan_at, trend, updated_at)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?5)",
            values,
        )
        .await
        .expect("a summary");
    }
    tx.commit().await.expect("a commit");
}
