//! Refused writes: five of one person at one tenant within an hour are worth an alert. They are counted in memory, by each hub for
//! itself; each of them is in the ledger anyway.

use std::time::Duration;

use ledger::{ActorKind, Outcome};
use serde_json::json;

use super::hub::Hub;
use super::record::{Attempt, Chain};
use crate::clock::Timestamp;
use crate::ids::{PersonId, TenantId};
use crate::news::{Alert, Of, Urgency};

/// Refusals within [`WITHIN`] that raise the alert.
const ENOUGH: usize = 5;
const WITHIN: Duration = Duration::from_secs(3_600);

/// One person's refused writes at one tenant.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    /// The last ones, oldest first; no more than [`ENOUGH`].
    at: Vec<Timestamp>,
    /// When the alert was last raised.
    raised_at: Option<Timestamp>,
}

impl Refused {
    /// One more. Answers whether it is time to raise the alert: once in an hour at most.
    fn add(&mut self, now: Timestamp) -> bool {
        self.at.push(now);
        self.at.retain(|at| now < at.after(WITHIN));
        let too_many = self.at.len().saturating_sub(ENOUGH);
        self.at.drain(..too_many);
        let is_due = self.at.len() == ENOUGH && self.raised_at.is_none_or(|raised| now >= raised.after(WITHIN));
        if is_due {
            self.raised_at = Some(now);
        }
        is_due
    }
}

impl Hub {
    /// Counts a refused write of a person at a tenant. Answers the alert that it raises.
    pub(super) fn note_refused(&self, attempt: &Attempt) -> Option<Alert> {
        let (Chain::Tenant(tenant) | Chain::Control { tenant: Some(tenant), .. }) = attempt.chain else { return None };
        let entry = &attempt.entry;
        if entry.outcome != Outcome::Refused || entry.actor.kind != ActorKind::Person {
            return None;
        }
        let person: PersonId = entry.actor.id.as_deref()?.parse().ok()?;
        let now = self.now();
        let is_due = {
            let mut refused = self.0.refused.lock();
            refused.get_or_insert_mut((tenant.uuid(), person.uuid()), Refused::default).add(now)
        };
        is_due.then(|| alert_of(tenant, person, attempt))
    }
}

/// Of staff it says whose they are, not who: some providers show them by role only. The ledger says the rest.
fn alert_of(tenant: TenantId, person: PersonId, attempt: &Attempt) -> Alert {
    let entry = &attempt.entry;
    let provider = entry.grant.as_ref().and_then(|grant| grant.provider.as_ref());
    let (subject, label) = match provider {
        Some(provider) => {
            let known_as = blake3::keyed_hash(blake3::hash(tenant.uuid().as_bytes()).as_bytes(), person.uuid().as_bytes());
            (format!("staff-{}", &known_as.to_hex()[..16]), provider.name.clone())
        }
        None => (person.to_string(), entry.actor.name.clone()),
    };
    Alert {
        of: Of::Tenant(tenant),
        rule: "writes_refused".into(),
        subject,
        label,
        urgency: Urgency::Warning,
        facts: json!({ "count": ENOUGH, "within_minutes": WITHIN.as_secs() / 60, "action": entry.action, "staff": provider.is_some() }),
        is_over: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_within_an_hour_raises_it_and_then_once_an_hour() {
        let minute = |n: u64| Timestamp(0).after(Duration::from_secs(60 * n));
        let mut refused = Refused::default();
        let raised: Vec<u64> = (0..20).map(|n| n * 20).filter(|n| refused.add(minute(*n))).collect();
        assert_eq!(raised, [] as [u64; 0], "three within an hour are not enough");
        let mut refused = Refused::default();
        let raised: Vec<u64> = (0..130).filter(|n| refused.add(minute(*n))).collect();
        assert_eq!(raised, [4, 64, 124]);
        assert_eq!(refused.at.len(), ENOUGH);
    }
}
