//! One change to all tenants, beside as many single calls: the same acts, one after the other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::World;
use crate::{Failure, mean, millis, quantiles, row};

const CHANGES: &str = "/providers/northwind/fleet-changes";

pub async fn all(world: &World, tenants: usize) -> Result<(), Failure> {
    let slugs = &world.tenants[..tenants.min(world.tenants.len())];
    let mut took = Vec::with_capacity(slugs.len());
    for slug in slugs {
        let path = format!("/providers/northwind/tenants/{slug}");
        let version = world.get(&path).await?["version"].to_string();
        let started = Instant::now();
        world.patch(&path, &version, json!({"plan": "Secure"})).await?;
        took.push(started.elapsed());
    }
    let single: Duration = took.iter().sum();
    let label = format!("plan of {} tenants, one call after the other: each", slugs.len());
    row(&label, &millis(mean(&took)), Some(quantiles(&took)), "");
    let body = json!({"kind": "plan", "what": {"plan": "Complete"}, "over": {"tenants": slugs}, "reason": "a benchmark"});
    let started = Instant::now();
    let drafted = world.post_json(CHANGES, &body).await?;
    row(&format!("fleet change over {} tenants: drafting it", slugs.len()), &millis(started.elapsed()), None, "");
    let id = drafted["id"].as_str().ok_or("an id")?.to_owned();
    world.post_json(&format!("{CHANGES}/{id}/approve"), &Value::Null).await?;
    // The worker looks every half second; what counts is how long it works.
    let path = format!("{CHANGES}/{id}?limit=1");
    let mut begun = None;
    let bulk = loop {
        let change = world.get(&path).await?;
        if begun.is_none() && change["progress"]["done"] != 0 {
            begun = Some(Instant::now());
        }
        match change["state"].as_str() {
            Some("done") => break begun.map_or(Duration::ZERO, |begun| begun.elapsed()),
            Some("approved" | "running") => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => return Err(change.to_string().into()),
        }
    };
    row("  applying it, per tenant", &millis(bulk / u32::try_from(slugs.len().max(1))?), None, "");
    row("  beside the single calls", &format!("{:.2} x", bulk.as_secs_f64() / single.as_secs_f64()), None, "≤ 1.2 x");
    Ok(())
}
