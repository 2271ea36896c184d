//! The provider's slices: what an MSP keeps about itself and about its clients.
//!
//! A slice is a folder. None of them reads a tenant's own database: what is shown of a tenant here is its registry row, its
//! relationships, and the summary that the tenant's own writes send.

pub mod clients;
pub mod invitations;
mod patch;
pub mod plans;
pub mod providers;
pub mod relationships;
pub mod summaries;
pub mod tenants;

use kernel::Hub;
use utoipa_axum::router::OpenApiRouter;

/// All routes of this crate, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(clients::router())
        .merge(plans::router())
        .merge(providers::router())
        .merge(relationships::router())
        .merge(tenants::router())
}
