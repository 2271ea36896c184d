//! `make bench`: the hub's workloads beside a bare axum server that does one SQLite point read, in the same run.
//!
//! `cargo run --release -p bench [-- --quick]`. Prints a table; ratios count, absolute figures depend on the machine.

mod client;
mod fleet;
mod limits;
mod trust;
mod world;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::{Load, load, request};
use world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How much is done.
struct Sizes {
    tenants: usize,
    seconds: f64,
    findings: usize,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, serve, folder] = arguments.as_slice()
        && serve.starts_with("--serve")
    {
        let fair = serve == "--serve-fairly";
        return tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(world::serve_folder(folder.as_ref(), fair));
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let sizes = if quick {
        Sizes { tenants: 100, seconds: 1.0, findings: 10_000 }
    } else {
        Sizes { tenants: 1_000, seconds: 5.0, findings: 100_000 }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&sizes))
}

async fn run(sizes: &Sizes) -> Result<(), Failure> {
    println!(
        "Tenantry bench: {} tenants, {} s a load, {} cores\n",
        sizes.tenants,
        sizes.seconds,
        std::thread::available_parallelism()?
    );
    println!("{:<58} {:>12} {:>10} {:>10}  aim", "workload", "result", "p50", "p99");

    let mut world = World::found(sizes.tenants.min(64)).await?;
    let creations = world.create_tenants(sizes.tenants).await?;
    row(
        "create a tenant (store, relationship, ledger; durable)",
        &millis(mean(&creations)),
        Some(quantiles(&creations)),
        "< 50 ms",
    );

    let (bare_address, bare_writes) = world::bare_server().await?;
    let fixed = load(bare_address, 16, sizes.seconds / 2.0, |_| request("GET", "/fixed", None, "")).await;
    let bare = load(bare_address, 16, sizes.seconds, |_| request("GET", "/point", None, "")).await;
    show("bare axum + one SQLite point read, 16 callers", &bare, "baseline");

    world.seed_scans(100).await?;
    let (address, cookie) = world.listen().await?;
    tenant_read(&world, address, &cookie, sizes, &bare).await;
    before_sign_in(&world, address, sizes, &fixed).await?;
    dashboard(&world, sizes.tenants).await?;
    writes(&world, address, &cookie, sizes, bare_writes).await;
    limits::all(&world).await?;
    fleet::all(&world, sizes.tenants).await?;
    import(&world, sizes.findings).await?;
    memory(&world).await?;
    trust::all(&world, sizes).await?;
    drop(world);
    cold_open(sizes.tenants.min(200)).await?;
    Ok(())
}

async fn tenant_read(world: &World, address: SocketAddr, cookie: &str, sizes: &Sizes, bare: &Load) {
    let paths = world.scan_paths(100);
    let cookie = cookie.to_owned();
    let count = paths.len();
    let read = load(address, 16, sizes.seconds, move |n| request("GET", &paths[n % count], Some(&cookie), "")).await;
    show("authenticated read in a tenant, 16 callers, 100 tenants", &read, "");
    let ratio = read.per_second / bare.per_second;
    row("  beside the bare server", &format!("{ratio:.2} x"), None, "≥ 0.33 x");
}

/// The sign-in page asks whose brand it wears: by names that are known (each tenant's address), one that is, and ever new ones.
async fn before_sign_in(world: &World, address: SocketAddr, sizes: &Sizes, fixed: &Load) -> Result<(), Failure> {
    world.hub.provide(msp::branding::BaseDomain("bench.example".into()));
    show("bare axum, a fixed text, 16 callers", fixed, "baseline");
    let at = |host: String| format!("GET /api/v1/brand HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let one = load(address, 16, sizes.seconds / 2.0, move |_| at("hub.bench.example".into())).await;
    show("brand lookup before sign-in, one name", &one, "");
    row("  beside the fixed text", &format!("{:.2} x", one.per_second / fixed.per_second), None, "");
    let hosts: Vec<String> = world.tenants.iter().map(|slug| format!("{slug}-northwind.bench.example")).collect();
    let count = hosts.len();
    let known = load(address, 16, sizes.seconds / 2.0, move |n| at(hosts[n % count].clone())).await;
    show(&format!("brand lookup before sign-in, {count} tenants' addresses"), &known, "");
    let unknown = load(address, 16, sizes.seconds / 2.0, move |n| at(format!("nobody-{n}.bench.example"))).await;
    show("brand lookup before sign-in, a new unknown name each time", &unknown, "");
    Ok(())
}

async fn dashboard(world: &World, tenants: usize) -> Result<(), Failure> {
    const CALLS: u32 = 200;
    world.get("/providers/northwind/clients?limit=50").await?;
    let (cpu, started) = (cpu_time()?, Instant::now());
    for _ in 0..CALLS {
        world.get("/providers/northwind/clients?limit=50").await?;
    }
    let (cpu, wall) = ((cpu_time()? - cpu) / CALLS, started.elapsed() / CALLS);
    row(&format!("client dashboard at {tenants} tenants, page of 50: CPU"), &millis(cpu), Some((wall, wall)), "< 10 ms");
    Ok(())
}

async fn writes(world: &World, address: SocketAddr, cookie: &str, sizes: &Sizes, bare_writes: SocketAddr) {
    for callers in [1, 16, 64] {
        let bare = load(bare_writes, callers, sizes.seconds / 2.0, |_| request("POST", "/write", None, "x")).await;
        show(&format!("bare axum + durable insert into one file, {callers} callers"), &bare, "baseline");
        let paths = world.comment_paths(100);
        let (cookie, count) = (cookie.to_owned(), paths.len());
        let next = move |n: usize| request("POST", &paths[n % count], Some(&cookie), r#"{"text":"a comment of the benchmark"}"#);
        let ours = load(address, callers, sizes.seconds, next).await;
        show(&format!("durable ledgered write over 100 tenants, {callers} callers"), &ours, "");
        row("  beside the bare insert", &format!("{:.2} x", ours.per_second / bare.per_second), None, "");
    }
}

async fn import(world: &World, findings: usize) -> Result<(), Failure> {
    let (bytes, took) = world.import_large(findings).await?;
    let per_second = findings as f64 / took.as_secs_f64();
    let label = format!("import {findings} OCSF findings ({} MB)", bytes >> 20);
    row(&label, &format!("{per_second:.0}/s"), None, "> 20,000/s");
    let (_, again) = world.import_large(findings).await?;
    row("  the next scan of the same target (all recurring)", &format!("{:.0}/s", findings as f64 / again.as_secs_f64()), None, "");
    Ok(())
}

/// The same data served by a process of its own, so that what the load generator holds does not count.
async fn memory(world: &World) -> Result<(), Failure> {
    let mut alone = world.serve_alone().await?;
    row("memory of a hub that has just started", &alone.memory("VmRSS")?, None, "");
    for slug in &world.tenants {
        alone.get(world, &format!("/tenants/{slug}/scans")).await?;
        alone.get(world, &format!("/tenants/{slug}/findings")).await?;
    }
    alone.get(world, "/providers/northwind/clients?limit=200").await?;
    let label = format!("  with {} tenants entered and read one after the other", world.tenants.len());
    row(&label, &alone.memory("VmRSS")?, None, "< 300 MB");
    row("  at its highest", &alone.memory("VmHWM")?, None, "");
    Ok(())
}

/// A hub that keeps one tenant open reads from many in turn: every read opens a database.
async fn cold_open(tenants: usize) -> Result<(), Failure> {
    let mut world = World::found(1).await?;
    world.create_tenants(tenants).await?;
    let mut took = Vec::new();
    for n in 0..tenants {
        let started = Instant::now();
        world.get(&format!("/tenants/{}/scans", world.tenants[n])).await?;
        took.push(started.elapsed());
    }
    row("cold open of a tenant and one list in it", &millis(mean(&took)), Some(quantiles(&took)), "");
    let path = format!("/tenants/{}/scans", world.tenants[tenants - 1]);
    let mut warm = Vec::new();
    for _ in 0..tenants {
        let started = Instant::now();
        world.get(&path).await?;
        warm.push(started.elapsed());
    }
    row("  the same on an open one", &millis(mean(&warm)), Some(quantiles(&warm)), "");
    Ok(())
}

fn row(label: &str, result: &str, quantiles: Option<(Duration, Duration)>, aim: &str) {
    let text = |d: Option<Duration>| d.map(millis).unwrap_or_default();
    println!("{label:<58} {result:>12} {:>10} {:>10}  {aim}", text(quantiles.map(|q| q.0)), text(quantiles.map(|q| q.1)));
}

fn show(label: &str, load: &Load, aim: &str) {
    row(label, &format!("{:.0}/s", load.per_second), Some((load.p50, load.p99)), aim);
}

fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1_000.0)
}

fn mean(all: &[Duration]) -> Duration {
    all.iter().sum::<Duration>() / u32::try_from(all.len().max(1)).unwrap_or(1)
}

fn quantiles(all: &[Duration]) -> (Duration, Duration) {
    let mut sorted = all.to_vec();
    sorted.sort();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    (at(0.5), at(0.99))
}

/// CPU time of this process so far, user and system.
fn cpu_time() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // Linux counts in hundredths of a second here.
    Ok(Duration::from_millis(ticks * 10))
}
