//! What the demo's plans cost, and whose limits are their own.

use axum::http::Method;
use serde_json::{Value, json};

use super::api::{Api, Result, text};
use super::cast::Person;

/// A plan's price per month and per seat, in millionths of a euro; the days of its trial; its API keys.
const PRICES: &[(&str, i64, i64, i64, Option<i64>)] = &[
    ("Essentials", 49_000_000, 4_000_000, 0, Some(3)),
    ("Secure", 149_000_000, 9_000_000, 0, Some(10)),
    ("Complete", 349_000_000, 12_500_000, 14, None),
];

/// Gives a provider's first plans their prices.
pub(super) async fn price(api: &mut Api, boss: &Person, provider: &str) -> Result<()> {
    let path = format!("/providers/{provider}/plans");
    let plans = api.get(&boss.email, &path).await?;
    for plan in plans["items"].as_array().into_iter().flatten() {
        let Some((_, month, seat, trial_days, api_keys)) = PRICES.iter().find(|(name, ..)| plan["name"] == *name) else { continue };
        let body = json!({
            "price": { "month": month, "seat": seat, "currency": "EUR" }, "trial_days": trial_days, "limits": { "api_keys": api_keys },
        });
        let plan_path = format!("{path}/{}", text(plan, "id", "a plan")?);
        api.change(&boss.email, Method::PATCH, &plan_path, &plan["version"], body).await?;
    }
    Ok(())
}

/// What was agreed on with some clients beside their plans.
fn agreed() -> [(&'static str, Value); 4] {
    [
        ("acme", json!({ "type": "custom", "limits": { "resources": { "max": 250, "enforcement": "warn" } } })),
        ("stonebridge", json!({ "limits": { "seats": { "max": 6, "enforcement": "block_new" } } })),
        ("kestrel", json!({ "limits": { "seats": { "enforcement": "warn", "also_blocks": ["api_keys"] } } })),
        ("hexley", json!({ "type": "custom", "limits": { "seats": { "max": null } } })),
    ]
}

/// Writes that into their licences.
pub(super) async fn license(api: &mut Api, boss: &Person, provider: &str, clients: &[&str]) -> Result<()> {
    for (slug, body) in agreed().into_iter().filter(|(slug, _)| clients.contains(slug)) {
        let path = format!("/providers/{provider}/tenants/{slug}");
        let tenant = api.get(&boss.email, &path).await?;
        api.change(&boss.email, Method::PATCH, &format!("{path}/licence"), &tenant["version"], body).await?;
    }
    Ok(())
}
