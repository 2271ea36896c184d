//! The last part of a tenant's life: legal holds, purges by two persons, and what the tenant takes with it.
//!
//! - A purge takes two: one person asks for it, another carries it out. Who asks is a provider admin, or an admin of the tenant itself;
//!   who carries it out is a provider admin. The certificate of destruction names both.
//! - The provider asks once the tenant is archived and the archive window ([`Window`]) is over; the tenant's own admin may ask at any
//!   time, and the request waits for that. `immediate_purge` leaves the window out, never the second person.
//! - A request lapses [`LAPSES_DAYS`] days after the purge could have been done. Each side withdraws its own. Restoring a tenant ends the
//!   provider's request.
//! - A legal hold keeps a tenant from being purged, and whatever a closed module left behind from being deleted. The tenant sees it, and
//!   both ledgers tell of it.
//! - An archived tenant's admins still see where they are, export its data and its ledger, and ask for the purge.
//!
//! What this deliberately does not do: purge by itself, or decide what a hold is for.

mod holds;
mod http;
mod requests;
mod store;
#[cfg(test)]
mod tests;

use access::{TenantState, actions};
pub(crate) use holds::{Hold, held, hold, release};
pub(crate) use http::router;
use kernel::{Error, PersonId, ReadTx, Result, TenantCx, Timestamp, scope};
pub(crate) use requests::{PurgeAsked, PurgeRequest, ask, asked, end_by_restore, take, withdraw};
use serde::{Deserialize, Serialize};
pub(crate) use store::window;

/// Days after which a request for a purge counts no more.
pub const LAPSES_DAYS: i64 = 7;

/// Somebody, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Somebody {
    /// Who.
    pub id: PersonId,
    /// Name.
    pub name: String,
}

/// How long the provider that holds a tenant keeps it once it is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Days.
    pub days: i64,
    /// Not at all.
    pub is_skipped: bool,
}

impl Window {
    /// From when a tenant that is archived now may be purged.
    pub(crate) fn ends_at(self, now: Timestamp) -> Timestamp {
        if self.is_skipped { now } else { now.plus_days(self.days) }
    }

    /// Says from when, while it may not be purged yet.
    pub(crate) fn check(self, purge_after: Option<Timestamp>, now: Timestamp) -> Result<()> {
        match purge_after.filter(|after| !self.is_skipped && now < *after) {
            None => Ok(()),
            Some(after) => Err(Error::Conflict(format!("This organisation is kept until {after}. It can be purged from then on."))),
        }
    }
}

/// Why a tenant is to be purged.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct PurgeWish {
    /// In the person's words; both sides read it.
    pub reason: String,
}

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is done.
    Done,
    /// It is still to be done.
    Open,
}

/// Something to see to before the end.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OffboardingStep {
    /// `export`: the data is taken along; `ledger`: so is the record of what was done; `access`: the provider reaches it no more.
    pub key: &'static str,
    /// How far.
    pub state: StepState,
    /// In words.
    pub detail: String,
}

/// How a tenant's end stands, from the inside.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Offboarding {
    /// Where in its life it is.
    pub state: TenantState,
    /// From when it may be purged.
    pub purge_after: Option<Timestamp>,
    /// It is kept, whatever else is asked for.
    pub hold: Option<Hold>,
    /// Who asked for its purge.
    pub purge_request: Option<PurgeRequest>,
    /// What to see to.
    pub steps: Vec<OffboardingStep>,
}

/// How this tenant's end stands.
///
/// # Errors
/// As the store's.
pub async fn view(cx: &TenantCx, tx: &mut ReadTx<scope::Records>) -> Result<Offboarding> {
    let (tenant, state, by_name) = (tx.scope.tenant, cx.tenant().state, cx.tenant().staff_by_name);
    let (mut hold, mut purge_request) = (held(tx, tenant).await?, asked(tx, tenant).await?);
    if !by_name {
        hold.iter_mut().for_each(|hold| hold.by = None);
        purge_request.iter_mut().filter(|request| request.is_of_provider()).for_each(|request| request.by = None);
    }
    let live = store::live_relationships(tx).await?;
    let exported = exported(cx).await?;
    Ok(Offboarding { state, purge_after: store::purge_after(tx).await?, hold, purge_request, steps: steps(state, exported, live) })
}

/// When a bundle was made last, as far as the person who asks may know.
async fn exported(cx: &TenantCx) -> Result<Option<Timestamp>> {
    match cx.read::<actions::LedgerExport>().await {
        Ok(mut tx) => Ok(store::last_bundle(&mut tx).await?),
        Err(Error::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn steps(state: TenantState, exported: Option<Timestamp>, live: i64) -> Vec<OffboardingStep> {
    let taken = if exported.is_some() { StepState::Done } else { StepState::Open };
    let (export, ledger) = match exported {
        Some(at) => (format!("Exported at {at}."), format!("Part of the export of {at}.")),
        None => ("Nothing was exported yet.".to_owned(), "Comes with the export, or by itself.".to_owned()),
    };
    let access = match (state, live) {
        (TenantState::Archived, _) => (StepState::Done, "Nobody reaches an archived organisation's data.".to_owned()),
        (_, 0) => (StepState::Done, "No relationship with a provider is in force.".to_owned()),
        (_, live) => (StepState::Open, format!("Relationships with a provider in force: {live}.")),
    };
    vec![
        OffboardingStep { key: "export", state: taken, detail: export },
        OffboardingStep { key: "ledger", state: taken, detail: ledger },
        OffboardingStep { key: "access", state: access.0, detail: access.1 },
    ]
}
