//! Onboarding: the five steps after which a client is looked after, from what is so.
//!
//! | step | done once |
//! |---|---|
//! | `created` | the tenant exists |
//! | `members` | it has an active admin of its own |
//! | `relationship` | the relationship is answered, in force, and its tier at least T1 |
//! | `credentials` | scans can come in: an API key that imports them is valid, or one was uploaded |
//! | `first_scan` | a scan is there |
//!
//! - Nothing is ticked off by hand: a step is done when its fact is so, and open again when it no longer is. What does not apply is
//!   skipped, and skipping can be taken back.
//! - The dashboard shows how far an active client is, as long as it is not through.
//!
//! What this deliberately does not do: remember when a step was first done. `at` is what the fact itself remembers.

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub(crate) use http::router;
use kernel::{Error, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Facts;

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnboardingKey {
    /// The tenant exists.
    Created,
    /// It has an admin.
    Members,
    /// The relationship works.
    Relationship,
    /// Scans can come in.
    Credentials,
    /// A scan is there.
    FirstScan,
}

impl OnboardingKey {
    const ALL: [Self; 5] = [Self::Created, Self::Members, Self::Relationship, Self::Credentials, Self::FirstScan];

    fn bit(self) -> i64 {
        1 << self as u8
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnboardingState {
    /// It is so.
    Done,
    /// It is not.
    Open,
    /// It is not, and does not have to be.
    Skipped,
}

/// A step of a client's onboarding.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OnboardingStep {
    /// Which.
    pub key: OnboardingKey,
    /// How far.
    pub state: OnboardingState,
    /// Since when, where the fact remembers it.
    pub at: Option<Timestamp>,
    /// In words.
    pub detail: String,
}

/// A client's onboarding.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Onboarding {
    /// Its steps, in order.
    pub steps: Vec<OnboardingStep>,
    /// Steps that are done or skipped.
    pub done: usize,
    /// All of them.
    pub of: usize,
}

/// How far a client's onboarding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OnboardingProgress {
    /// Steps that are done or skipped.
    pub done: usize,
    /// All of them.
    pub of: usize,
}

/// What is skipped, or not any more.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct OnboardingUpdate {
    /// Which step.
    pub step: OnboardingKey,
    /// It does not have to be done.
    pub skipped: bool,
}

/// The client's onboarding.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Client>) -> Result<Onboarding> {
    let scope::Client { provider, tenant } = tx.scope;
    let facts = store::facts(tx, provider, &[tenant]).await?.pop().ok_or(Error::NotFound)?;
    let steps: Vec<_> = OnboardingKey::ALL.into_iter().map(|key| step(key, &facts)).collect();
    let OnboardingProgress { done, of } = progress(&facts);
    Ok(Onboarding { steps, done, of })
}

/// Skips a step, or takes that back.
///
/// # Errors
/// `Conflict` when the step is done.
pub async fn update(tx: &mut WriteTx<scope::Client>, body: &OnboardingUpdate) -> Result<Onboarding> {
    let before = view(tx).await?;
    let tenant = tx.scope.tenant;
    let name = tx.tenant().map(|tenant| tenant.name.clone());
    tx.keeps_authority().subject("tenant", tenant, name);
    let was = before.steps.iter().find(|step| step.key == body.step).map_or(OnboardingState::Open, |step| step.state);
    if body.skipped && was == OnboardingState::Done {
        return Err(Error::Conflict("This step is done. There is nothing to skip.".into()));
    }
    store::skip(tx, body.step.bit(), body.skipped).await?;
    let after = json!({ "step": body.step, "skipped": body.skipped });
    tx.changed("onboarding", tenant, &json!({ "step": body.step, "skipped": was == OnboardingState::Skipped }), &after);
    view(tx).await
}

/// How far the onboarding of each of these clients is; those that are through are left out.
pub(crate) async fn unfinished(
    tx: &mut ReadTx<scope::Provider>,
    provider: ProviderId,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, OnboardingProgress>> {
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let facts = store::facts(tx, provider, tenants).await?;
    let all = facts.iter().map(|facts| (facts.tenant, progress(facts)));
    Ok(all.filter(|(_, progress)| progress.done < progress.of).collect())
}

fn progress(facts: &Facts) -> OnboardingProgress {
    let settled = OnboardingKey::ALL.into_iter().filter(|key| is_done(*key, facts) || facts.skipped & key.bit() != 0);
    OnboardingProgress { done: settled.count(), of: OnboardingKey::ALL.len() }
}

fn is_done(key: OnboardingKey, facts: &Facts) -> bool {
    match key {
        OnboardingKey::Created => true,
        OnboardingKey::Members => facts.admin_since.is_some(),
        OnboardingKey::Relationship => facts.is_related,
        OnboardingKey::Credentials => facts.key_since.is_some() || facts.scans > 0,
        OnboardingKey::FirstScan => facts.scans > 0,
    }
}

fn step(key: OnboardingKey, facts: &Facts) -> OnboardingStep {
    let is_done = is_done(key, facts);
    let state = match (is_done, facts.skipped & key.bit() != 0) {
        (true, _) => OnboardingState::Done,
        (false, true) => OnboardingState::Skipped,
        (false, false) => OnboardingState::Open,
    };
    let (at, done, open) = match key {
        OnboardingKey::Created => (Some(facts.created_at), "The organisation exists.", ""),
        OnboardingKey::Members => {
            (facts.admin_since, "It has an active admin of its own.", "It has no active admin of its own yet. Invite one.")
        }
        OnboardingKey::Relationship => (
            facts.is_related.then_some(facts.related_at),
            "The relationship is in force at T1 or higher.",
            "The relationship is not in force, or gives the summary only. Raise its tier, or wait for the organisation's word.",
        ),
        OnboardingKey::Credentials => (
            facts.key_since,
            "Scans can come in.",
            "No API key that imports scans is valid, and none was uploaded. Make a key, or upload a first scan.",
        ),
        // Of several, the first is not remembered.
        OnboardingKey::FirstScan => (facts.scan_at.filter(|_| facts.scans == 1), "A scan is there.", "There is no scan yet."),
    };
    OnboardingStep { key, state, at: at.filter(|_| is_done), detail: if is_done { done } else { open }.to_owned() }
}
