//! Northwind's groups of clients, a grant over all but some of them, and changes to many at once: one that was made, and one that waits.

use kernel::Timestamp;
use serde_json::{Value, json};

use super::api::{Api, Result, text};
use super::cast::{lena, priya, sam};

const NORTHWIND: &str = "/providers/northwind";

/// Plays it, as far as people do it; what was approved is applied by the hub, as everywhere.
pub(super) async fn play(api: &mut Api, slugs: &[&str], now: Timestamp) -> Result<()> {
    let boss = priya().email;
    let few: Vec<&str> = slugs.iter().copied().take(4).collect();
    for body in [
        json!({"name": "First four", "description": "Where the service began.", "kind": "static", "tenants": few}),
        json!({"name": "Full service", "description": "Everybody whom we manage.", "kind": "dynamic", "match": {"tiers": ["T3"], "states": ["active"]}}),
        json!({"name": "Looking only", "description": "Clients that let us watch.", "kind": "dynamic", "match": {"tiers": ["T0", "T1"]}}),
    ] {
        api.post(&boss, &format!("{NORTHWIND}/groups"), body).await?;
    }
    // On call from next month on, everywhere but where somebody else is.
    let mask = json!({"view": true, "create": false, "update": false, "delete": false});
    let except: Vec<&str> = slugs.iter().copied().filter(|slug| *slug == "acme").collect();
    let staff = api.get(&boss, &format!("{NORTHWIND}/staff?q={}", sam().email)).await?;
    let grant = json!({
        "person": text(&staff, "items/0/person/id", "a person")?, "over": "all_except", "except": except, "tier": "T1", "mask": mask,
        "starts_at": now.plus_days(14),
        "modules": ["compliance", "discovery"],
    });
    api.post(&boss, &format!("{NORTHWIND}/grants"), grant).await?;
    let fortnightly = change("Scans of the first four every two weeks from now on", &few, json!({"scan_interval_days": 14}));
    let made = api.post(&boss, &format!("{NORTHWIND}/fleet-changes"), fortnightly).await?;
    let path = format!("{NORTHWIND}/fleet-changes/{}/approve", text(&made, "id", "a change")?);
    api.post(&boss, &path, json!({})).await?;
    let hers = api.get(&lena().email, &format!("{NORTHWIND}/clients?limit=3&sort=name")).await?;
    let hers: Vec<&str> = hers["items"].as_array().into_iter().flatten().filter_map(|client| client["slug"].as_str()).collect();
    let comments = change("Let watchers comment on what they see", &hers, json!({"comments_from_t1": true}));
    api.post(&lena().email, &format!("{NORTHWIND}/fleet-changes"), comments).await?;
    Ok(())
}

fn change(reason: &str, tenants: &[&str], what: Value) -> Value {
    json!({"kind": "setting", "what": what, "over": {"tenants": tenants}, "reason": reason, "stop_after": {"failed_percent": 50}})
}
