//! The provider's slices: what an MSP keeps about itself and about its clients.
//!
//! A slice is a folder. None of them reads a tenant's own database: what is shown of a tenant here is its registry row, its
//! relationships, and the summary that the tenant's own writes send.

pub mod access_requests;
pub mod assignments;
pub mod billing;
pub mod branding;
pub mod certificates;
pub mod clients;
pub mod consents;
pub mod contexts;
pub mod elevation_templates;
pub mod elevations;
pub mod fleet;
pub mod grants;
pub mod groups;
pub mod host_names;
pub mod invitations;
pub mod ledger;
pub mod licensing;
pub mod msp_licence;
pub mod offboarding;
pub mod onboarding;
mod patch;
pub mod people;
pub mod plans;
pub mod provider_access;
pub mod providers;
pub mod relationships;
pub mod settings;
pub mod staff;
pub mod staff_leaving;
pub mod standalone;
pub mod summaries;
pub mod tenants;
pub mod why;

use kernel::Hub;
use utoipa_axum::router::OpenApiRouter;

/// All routes of this crate, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(access_requests::router())
        .merge(assignments::router())
        .merge(branding::router())
        .merge(billing::router())
        .merge(certificates::router())
        .merge(clients::router())
        .merge(contexts::router())
        .merge(elevation_templates::router())
        .merge(elevations::router())
        .merge(fleet::router())
        .merge(grants::router())
        .merge(groups::router())
        .merge(host_names::router())
        .merge(ledger::router())
        .merge(msp_licence::router())
        .merge(offboarding::router())
        .merge(onboarding::router())
        .merge(licensing::router())
        .merge(plans::router())
        .merge(provider_access::router())
        .merge(providers::router())
        .merge(relationships::router())
        .merge(settings::router())
        .merge(staff::router())
        .merge(staff_leaving::router())
        .merge(tenants::router())
        .merge(why::router())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use access::{Act, Plane};

    #[test]
    fn everything_a_provider_can_do_has_its_route_and_nothing_else_has_one() {
        let document = serde_json::to_value(super::router().to_openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
        let routed: BTreeSet<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        // Keys and members are `identity`'s everywhere, findings `posture`'s, alerts and e-mails `operations`'.
        const ELSEWHERE: [&str; 5] = ["provider_api_key", "client_member", "client_finding", "provider_alert", "mail"];
        let mine = |act: &&Act| {
            let kind = act.name().split('.').next().unwrap_or_default();
            matches!(act.info().plane, Plane::Provider | Plane::Client) && !ELSEWHERE.contains(&kind)
        };
        for act in Act::ALL.iter().filter(mine) {
            assert!(routed.contains(act.name()), "{act} has no route");
        }
        for name in routed {
            assert!(Act::from_name(name).is_some(), "{name} is not in the catalogue");
        }
    }
}
