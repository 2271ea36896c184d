//! What a tenant relies on, measured: explaining, freezing, restoring, and a noisy neighbour with fair shares off and on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kernel::secrets::token_hash;
use kernel::store::Value as Sql;
use kernel::{PersonId, params};
use serde_json::json;

use crate::client::{Connection, request};
use crate::world::{World, kernel_now, scan_file};
use crate::{Failure, Sizes, mean, millis, quantiles, row};

/// Technicians of the provider.
const TECHNICIANS: usize = 200;
/// Session token of the tenant admin whom the bench puts into the first tenants.
const ADMIN: &str = "bench-admin-token";

pub async fn all(world: &World, sizes: &Sizes) -> Result<(), Failure> {
    let technicians = staff(world).await?;
    explain(world, technicians).await?;
    freeze(world, sizes.tenants.min(50)).await?;
    restore(world).await?;
    neighbours(world, sizes).await
}

/// 200 technicians with an assignment on every tenant, and an admin with a session in the first tenants.
async fn staff(world: &World) -> Result<PersonId, Failure> {
    let now = kernel_now();
    let mut tx = world.hub.system_write("bench.staff", "the benchmark needs people").await?;
    let person = "INSERT INTO person (id, email, name, state, password_hash, created_at) VALUES (?1, ?2, ?3, 'active', 'none', ?4)";
    let mut first = None;
    for n in 0..TECHNICIANS {
        let id = PersonId::new(now);
        first.get_or_insert(id);
        tx.execute(person, params![id, format!("tech-{n}@northwind.example"), format!("Technician {n:03}"), now]).await?;
        let role = "technician";
        tx.execute(
            "INSERT INTO staff (id, provider_id, person_id, role, state, created_at)
             SELECT ?1, p.id, ?2, ?3, 'active', ?4 FROM provider p WHERE p.slug = 'northwind'",
            params![kernel::ids::uuid_at(now), id, role, now],
        )
        .await?;
        let mut tenants = tx.rows("SELECT id, provider_id FROM tenant", &[]).await?;
        for row in &mut tenants {
            let (tenant, provider): (Sql, Sql) = (row.take()?, row.take()?);
            let tier = i64::try_from(n % 4)?;
            tx.execute(
                "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 15, 255, 0, ?6)",
                &[Sql::Uuid(kernel::ids::uuid_at(now)), provider, tenant, id.into(), tier.into(), now.into()],
            )
            .await?;
        }
    }
    let admin = PersonId::new(now);
    tx.execute(person, params![admin, "admin@clients.example", "Tenant Admin", now]).await?;
    tx.execute(
        "INSERT INTO session (id, token_hash, person_id, state, created_at, last_seen_at, idle_expires_at, expires_at, address, user_agent)
         VALUES (?1, ?2, ?3, 'full', ?4, ?4, ?5, ?5, '', '')",
        params![kernel::ids::uuid_at(now), token_hash(ADMIN), admin, now, now.plus_days(1)],
    )
    .await?;
    for slug in world.tenants.iter().take(50) {
        tx.execute(
            "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) SELECT ?1, t.id, ?2, 'admin', 'active', ?3 FROM tenant t WHERE t.slug = ?4",
            params![kernel::ids::uuid_at(now), admin, now, slug.as_str()],
        )
        .await?;
    }
    tx.commit().await?;
    first.ok_or_else(|| "there are technicians".into())
}

async fn explain(world: &World, technician: PersonId) -> Result<(), Failure> {
    let mut took = Vec::new();
    for slug in world.tenants.iter().cycle().take(300) {
        let started = Instant::now();
        world.get(&format!("/providers/northwind/tenants/{slug}/why?person={technician}&action=finding.assign")).await?;
        took.push(started.elapsed());
    }
    row("explain: may this person do that here, and why", &millis(mean(&took)), Some(quantiles(&took)), "");
    let (started, mut next, mut clients) = (Instant::now(), String::new(), 0);
    loop {
        let page = world.get(&format!("/providers/northwind/why?action=finding.assign&limit=200&cursor={next}")).await?;
        clients += page["items"].as_array().map_or(0, Vec::len);
        match page["next"].as_str() {
            Some(cursor) => next = cursor.to_owned(),
            None => break,
        }
    }
    let label = format!("who can, over {TECHNICIANS} technicians and {clients} tenants, with reasons");
    row(&label, &format!("{:.2} s", started.elapsed().as_secs_f64()), None, "");
    Ok(())
}

/// From the freeze's answer to the first refusal, and to the event in an open tab.
async fn freeze(world: &World, tenants: usize) -> Result<(), Failure> {
    let (address, cookie) = world.listen().await?;
    let admin = format!("{}={ADMIN}", kernel::door::COOKIE);
    let (mut denied, mut told) = (Vec::new(), Vec::new());
    for slug in world.tenants.iter().take(tenants) {
        let at = |what: &str| format!("/api/v1/tenants/{slug}/{what}");
        let mut staff = Connection::open(address).await?;
        assert_eq!(staff.send(&request("GET", &at("context"), Some(&cookie), "")).await?.status, 200);
        let tab = tokio::spawn(gone(address, request("GET", &at("context/watch"), Some(&cookie), "")));
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut client = Connection::open(address).await?;
        let body = json!({"reason": "the benchmark freezes"}).to_string();
        let answer = client.send(&request("POST", &at("provider-access/freeze"), Some(&admin), &body)).await?;
        let frozen = Instant::now();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        while staff.send(&request("GET", &at("context"), Some(&cookie), "")).await?.status != 403 {}
        denied.push(frozen.elapsed());
        told.push(tab.await??.saturating_duration_since(frozen));
        client.send(&request("POST", &at("provider-access/unfreeze"), Some(&admin), "{}")).await?;
    }
    row("freeze: from its answer to the first refusal", &millis(mean(&denied)), Some(quantiles(&denied)), "< 1 s");
    row("  to the event in an open tab", &millis(mean(&told)), Some(quantiles(&told)), "< 1 s");
    Ok(())
}

/// When a stream of events said that access is gone.
async fn gone(address: SocketAddr, request: Vec<u8>) -> std::io::Result<Instant> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(&request).await?;
    let mut heard = Vec::new();
    while !heard.windows(11).any(|window| window == b"event: gone") {
        if stream.read_buf(&mut heard).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Instant::now())
}

/// The tenant with the large scans: backed up, and restored over itself.
async fn restore(world: &World) -> Result<(), Failure> {
    let slug = world.tenants.last().ok_or("there is a tenant")?;
    let place = tempfile::tempdir()?;
    let quiet = recovery::Progress::silent();
    let started = Instant::now();
    let asked =
        recovery::backups::Asked { tenant: Some(slug.clone()), to: Some(place.path().display().to_string()), scheduled: false };
    let made = serde_json::to_value(recovery::backups::make(&world.hub, &asked, &quiet).await?)?;
    let took = started.elapsed();
    let live = world.database_bytes(slug).await?;
    let per_second = |took: Duration| format!("{:.0} MB/s", live as f64 / 1e6 / took.as_secs_f64());
    row(&format!("back up a tenant of {} MB", live / 1_000_000), &per_second(took), None, "");
    let asked = recovery::restores::Asked {
        tenant: slug.clone(),
        how: recovery::restores::How::Over,
        from: recovery::restores::From::Backup(made["id"].as_str().ok_or("a backup has an id")?.to_owned()),
        place: Some(place.path().display().to_string()),
        reason: "the benchmark restores".into(),
    };
    let started = Instant::now();
    recovery::restores::tenant(&world.hub, &asked, &quiet).await?;
    row("  restore it over the live one", &per_second(started.elapsed()), None, "");
    Ok(())
}

/// One tenant's calm work, alone and beside a tenant that floods the hub with reads, writes and imports: without fair shares, and with.
async fn neighbours(world: &World, sizes: &Sizes) -> Result<(), Failure> {
    for fair in [false, true] {
        let alone = if fair { world.serve_fairly().await? } else { world.serve_alone().await? };
        let (_, cookie) = world.listen().await?;
        let quiet = calm(world, alone.address, &cookie, sizes.seconds).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let flood = flood(world, alone.address, &cookie, &stop);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let beside = calm(world, alone.address, &cookie, sizes.seconds).await?;
        stop.store(true, Ordering::SeqCst);
        let mut flooded = 0;
        for task in flood {
            flooded += task.await?;
        }
        let label = if fair { "with fair shares" } else { "without limits" };
        row(&format!("a calm tenant, {label}: alone"), "", Some(quiet), "");
        let ratio = beside.1.as_secs_f64() / quiet.1.as_secs_f64();
        row(
            &format!("  beside a flood ({flooded} answers)"),
            &format!("p99 {ratio:.1} x"),
            Some(beside),
            if fair { "≤ 2 x" } else { "" },
        );
    }
    Ok(())
}

/// Reads and now and then a write of one tenant, two callers, 100 a second: p50 and p99.
async fn calm(world: &World, address: SocketAddr, cookie: &str, seconds: f64) -> Result<(Duration, Duration), Failure> {
    let (read, write) = (world.scan_paths(2).remove(1), world.comment_paths(2).remove(1));
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let mut tasks = Vec::new();
    for caller in 0..2 {
        let (read, write, cookie) = (read.clone(), write.clone(), cookie.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut took = Vec::new();
            for n in caller.. {
                if Instant::now() >= until {
                    break;
                }
                let sent = if n % 20 == 0 {
                    request("POST", &write, Some(&cookie), r#"{"text":"calm"}"#)
                } else {
                    request("GET", &read, Some(&cookie), "")
                };
                let started = Instant::now();
                let answer = connection.send(&sent).await?;
                took.push(started.elapsed());
                assert!((200..300).contains(&answer.status), "{}", answer.status);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok::<_, std::io::Error>(took)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(quantiles(&all))
}

/// 32 readers, 8 writers and 2 importers of one tenant, each as fast as it is answered.
fn flood(world: &World, address: SocketAddr, cookie: &str, stop: &Arc<AtomicBool>) -> Vec<tokio::task::JoinHandle<usize>> {
    let (read, write) = (world.scan_paths(1).remove(0), world.comment_paths(1).remove(0));
    let import = format!("/api/v1/tenants/{}/scans?file=flood.json", world.tenants[0]);
    let file = String::from_utf8(scan_file(2_000, "account-flood", kernel_now())).expect("JSON is UTF-8");
    let requests = (0..42).map(|n| match n {
        0..32 => request("GET", &read, Some(cookie), ""),
        32..40 => request("POST", &write, Some(cookie), r#"{"text":"flood"}"#),
        _ => request("POST", &import, Some(cookie), &file),
    });
    let one = |request: Vec<u8>| {
        let stop = stop.clone();
        tokio::spawn(async move {
            let mut answers = 0;
            let mut connection = Connection::open(address).await.expect("the server listens");
            while !stop.load(Ordering::SeqCst) {
                // An upload that is refused may have its connection closed.
                match connection.send(&request).await {
                    Ok(_) => answers += 1,
                    Err(_) => connection = Connection::open(address).await.expect("the server listens"),
                }
            }
            answers
        })
    };
    requests.map(one).collect()
}
