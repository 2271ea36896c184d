//! What waits for a tenant's word, and what became of it: consents that the provider asked for, and elevations of its people.
//!
//! Two kinds of rows in one list, newest first, told apart by the prefix of their ids: `con_` a consent (see [`crate::consents`]), `elv_` an
//! elevation (see [`crate::elevations`]). Nobody answers their own request, whoever they are besides.
//!
//! What this deliberately does not do: answer for the provider. That is done on the provider's side of the same elevation.

mod http;
mod store;
#[cfg(test)]
mod tests;

use access::{Act, Subject, actions};
use kernel::door::Can;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

pub(crate) use http::router;

use crate::consents::{self, ConsentId};
use crate::elevations::{self, ElevationId};
use crate::provider_access::ReachName;

/// Which requests to list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RequestQuery {
    /// Part of what is asked for, or of who asks.
    pub q: Option<String>,
    /// `asked`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
    /// `pending`, `running` or `decided`; without it all.
    pub state: Option<String>,
}

/// One request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AccessRequest {
    /// `con_…` or `elv_…`.
    pub id: String,
    /// `tier`, `renewal`, `assignment` or `elevation`.
    pub kind: String,
    /// What is asked for, in words.
    pub label: String,
    /// The provider that asks.
    pub provider: String,
    /// Who asks.
    pub asked_by: ReachName,
    /// When.
    pub asked_at: Timestamp,
    /// Why, in their words.
    pub reason: String,
    /// `pending`, `approved`, `denied`, `withdrawn` or `overtaken`; of an elevation also `waiting` (for the provider), `running`,
    /// `ended`, `cancelled` or `lapsed`.
    pub state: String,
    /// Of an elevation: what it gives, and when.
    pub elevation: Option<RequestedElevation>,
    /// Who answered.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// With which words.
    pub decision_reason: String,
    /// What the person who asks may do about it.
    pub can: RequestCan,
}

/// What an elevation gives.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RequestedElevation {
    /// The template it was made from.
    pub template: String,
    /// The tier it raises to.
    pub tier: Option<access::Tier>,
    /// The actions it names.
    pub actions: Vec<String>,
    /// In which modules.
    pub modules: access::Modules,
    /// For how long.
    pub minutes: i64,
    /// The ticket it is for.
    pub ticket: String,
    /// Whose approval it takes: `provider`, `tenant`, `both` or `operator`.
    pub approver: String,
    /// From when.
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Option<Timestamp>,
    /// The operator opened it in an emergency.
    pub break_glass: bool,
}

/// What may be done about a request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RequestCan {
    /// Say yes.
    pub approve: Can,
    /// Say no.
    pub deny: Can,
    /// End what runs.
    pub end: Can,
}

/// Why, in the person's words.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub struct DecisionReason {
    /// At most 500 characters.
    #[serde(default)]
    pub reason: String,
}

impl DecisionReason {
    fn checked(&self, min: usize) -> Result<String> {
        let mut check = Check::new();
        let reason = check.text("reason", &self.reason, min..=500);
        check.done()?;
        Ok(reason)
    }
}

/// Which of the two kinds of request an id names.
enum Named {
    Consent(ConsentId),
    Elevation(ElevationId),
}

fn named(id: &str) -> Result<Named> {
    let consent = id.parse().map(Named::Consent);
    consent.or_else(|_| id.parse().map(Named::Elevation)).map_err(|_| Error::NotFound)
}

/// Words, if there are any.
fn said(reason: &str) -> Option<&str> {
    Some(reason).filter(|reason| !reason.is_empty())
}

/// Requests that wait for this tenant.
pub(crate) async fn waiting(tx: &mut ReadTx<scope::Records>) -> Result<i64> {
    Ok(store::consents_waiting(tx).await? + elevations::waiting_for_tenant(tx).await?)
}

/// The requests of this tenant's provider, newest first.
///
/// # Errors
/// `Invalid` for a wrong page or filter.
pub async fn list(tx: &mut ReadTx<scope::Records>, query: RequestQuery) -> Result<Page<AccessRequest>> {
    let RequestQuery { q, sort, cursor, limit, state } = query;
    store::list(tx, &PageQuery { q, sort, cursor, limit }, state.as_deref()).await
}

/// What the person may do about a request in this state.
fn can(tx: &ReadTx<scope::Records>, asked_by: PersonId, state: &str) -> Result<RequestCan> {
    let is_self = tx.me()?.person == asked_by;
    let subject = Subject::Request { is_self };
    let only = |act: Act, right: bool, otherwise: &str| {
        if right {
            return tx.can(act, subject);
        }
        Can { allowed: false, why: Some(otherwise.to_owned()), needs: None, step_up: false }
    };
    let (pending, running) = (state == "pending", state == "running");
    Ok(RequestCan {
        approve: only(Act::AccessRequestApprove, pending, "There is nothing to answer any more."),
        deny: only(Act::AccessRequestDeny, pending, "There is nothing to answer any more."),
        end: only(Act::AccessRequestEnd, running, "It does not run."),
    })
}

/// Says yes.
///
/// # Errors
/// `NotFound`, `Forbidden` for one's own, `Conflict` when it was answered already or cannot be done any more.
pub async fn approve(tx: &mut WriteTx<scope::Records>, id: &str, body: &DecisionReason) -> Result<()> {
    let reason = body.checked(0)?;
    match named(id)? {
        Named::Consent(id) => {
            let stored = consents::of_tenant(tx, id).await?;
            tx.subject("consent", id, stored.label.clone());
            let is_self = tx.me()?.person == stored.asked_by;
            tx.require::<actions::AccessRequestApprove>(Subject::Request { is_self })?;
            consents::approve(tx, &stored, &reason).await
        }
        Named::Elevation(id) => elevations::approve_for_tenant(tx, id, said(&reason)).await.map(drop),
    }
}

/// Says no.
///
/// # Errors
/// `NotFound`, `Invalid` without a reason, `Conflict` when it was answered already.
pub async fn deny(tx: &mut WriteTx<scope::Records>, id: &str, body: &DecisionReason) -> Result<()> {
    let reason = body.checked(3)?;
    match named(id)? {
        Named::Consent(id) => {
            let stored = consents::of_tenant(tx, id).await?;
            consents::deny(tx, &stored, &reason).await
        }
        Named::Elevation(id) => elevations::deny_for_tenant(tx, id, said(&reason)).await.map(drop),
    }
}

/// Ends an elevation that runs, at once.
///
/// # Errors
/// `NotFound`, `Conflict` when it does not run.
pub async fn end(tx: &mut WriteTx<scope::Records>, id: &str, body: &DecisionReason) -> Result<()> {
    let reason = body.checked(0)?;
    match named(id)? {
        Named::Consent(_) => {
            Err(Error::Conflict("This is no elevation: what was consented to ends with its relationship or assignment.".into()))
        }
        Named::Elevation(id) => elevations::end_for_tenant(tx, id, said(&reason)).await.map(drop),
    }
}
