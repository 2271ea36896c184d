//! What asking for the limits costs whoever makes something: invitations with them and without, turn by turn in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::limits::{Boundless, Limits};
use serde_json::json;

use crate::world::World;
use crate::{Failure, mean, millis, quantiles, row};

/// Invitations of each kind.
const CALLS: usize = 150;

/// One invitation in turn with every limit set and in force, and with nobody to ask.
pub async fn all(world: &World) -> Result<(), Failure> {
    let slug = world.tenants.first().ok_or("there is a tenant")?.clone();
    let limit = json!({ "max": 1_000_000, "enforcement": "block_new" });
    let limits = json!({ "limits": { "seats": limit, "automations": limit, "resources": limit, "api_keys": limit } });
    world.license(&slug, limits).await?;
    let enforced = world.hub.port::<Arc<dyn Limits>>();
    let (mut with, mut without) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for call in 0..CALLS {
        world.hub.provide::<Arc<dyn Limits>>(Arc::new(Boundless));
        without.push(invite(world, &slug, &format!("free-{call}")).await?);
        world.hub.provide::<Arc<dyn Limits>>(Arc::clone(&enforced));
        with.push(invite(world, &slug, &format!("asked-{call}")).await?);
    }
    row("invite a member, no limits (durable, one caller)", &millis(mean(&without)), Some(quantiles(&without)), "baseline");
    row("invite a member, four limits checked", &millis(mean(&with)), Some(quantiles(&with)), "");
    let more = mean(&with).saturating_sub(mean(&without));
    row("  the licence check per create", &millis(more), None, "< 1 ms");
    Ok(())
}

async fn invite(world: &World, slug: &str, name: &str) -> Result<Duration, Failure> {
    let body = json!({ "email": format!("{name}@bench.example"), "role": "viewer" });
    let started = Instant::now();
    world.post_json(&format!("/tenants/{slug}/members/invitations"), &body).await?;
    Ok(started.elapsed())
}
