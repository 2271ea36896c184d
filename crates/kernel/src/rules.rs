//! What places ask of those who sign in: how a password has to be, how long it lasts, and whether there is a second factor.
//!
//! A person belongs to several places (providers as staff, tenants as a member), and each of them, and each provider above, may ask for
//! something. The strictest of all of them counts, so nobody is let off by belonging somewhere else too.
//!
//! The rows are those of the table `setting`, which the registry of settings writes; only their meaning is here, because the door has to
//! know it on every request.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::door::{ReadTx, scope};
use crate::error::Result;
use crate::ids::{PersonId, ProviderId, TenantId};
use crate::params;
use crate::store::{Row, StoreError, Tx, Value};

/// Key: fewest characters of a password.
pub const LENGTH_MIN: &str = "password.length_min";
/// Key: of how many kinds (small and capital letters, digits, others) a password has to have one at least.
pub const CLASSES_MIN: &str = "password.classes_min";
/// Key: after how many days a password has to be changed; 0: never.
pub const MAX_AGE_DAYS: &str = "password.max_age_days";
/// Key: how many of the last passwords may not come back.
pub const HISTORY: &str = "password.history";
/// Key: `optional` or `required`.
pub const SECOND_FACTOR: &str = "second_factor";
/// Key: after how many hours whoever has a second factor gives it again; 0: when they sign in.
pub const SECOND_FACTOR_HOURS: &str = "second_factor_hours";

/// What is asked of somebody who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInRules {
    /// Fewest characters of a password.
    pub length_min: u32,
    /// Kinds of characters that a password has to have: 0 to 4.
    pub classes_min: u32,
    /// Days after which a password has to be changed; 0: never.
    pub max_age_days: u32,
    /// How many of the last passwords may not come back.
    pub history: u32,
    /// A second factor is needed.
    pub second_factor: bool,
    /// Hours after which the second factor is given again; 0: only when signing in.
    pub second_factor_hours: u32,
}

/// What somebody who signed in still lacks. Until they have it, they can only mend it or leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// A second factor: set one up.
    SecondFactor,
    /// Their second factor, again (`POST /session/step-up`).
    SecondFactorAgain,
    /// A new password: the one they have is too old.
    Password,
}

/// A place whose rules somebody comes under.
#[derive(Debug, Clone, Copy)]
pub enum RuledBy {
    /// A provider, for its staff.
    Provider(ProviderId),
    /// A tenant, for its members.
    Tenant(TenantId),
}

/// How a person stands who may lack something.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn {
    /// They have a second factor.
    pub has_second_factor: bool,
    /// When it was given in this session.
    pub second_factor_at: Option<Timestamp>,
    /// When they last proved again that it is them.
    pub stepped_up_at: Option<Timestamp>,
    /// When their password was set.
    pub password_set_at: Timestamp,
}

impl Default for SignInRules {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl SignInRules {
    /// What is asked of everybody, and nothing more.
    pub const NOTHING: Self =
        Self { length_min: 12, classes_min: 0, max_age_days: 0, history: 0, second_factor: false, second_factor_hours: 0 };

    /// What all places that a person belongs to ask for.
    ///
    /// # Errors
    /// As the store's.
    pub async fn of_person<S: scope::Control>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Self> {
        Ok(Self::of(tx.tx()?, person).await?)
    }

    /// What one place asks for.
    ///
    /// # Errors
    /// As the store's.
    pub async fn of_place<S: scope::Control>(tx: &mut ReadTx<S>, place: RuledBy) -> Result<Self> {
        let (seed, own, id): (_, _, Value) = match place {
            RuledBy::Provider(id) => {
                ("SELECT p.id, 0 FROM provider p WHERE p.id = ?1", "SELECT p.id FROM provider p WHERE 1 = 0", id.into())
            }
            RuledBy::Tenant(id) => {
                ("SELECT t.provider_id, 0 FROM tenant t WHERE t.id = ?1", "SELECT t.id FROM tenant t WHERE t.id = ?1", id.into())
            }
        };
        let rows = tx.tx()?.rows(&asked_for(seed, own), params![id]).await?;
        Ok(strictest(rows)?)
    }

    pub(crate) async fn of(tx: &mut Tx, person: PersonId) -> Result<Self, StoreError> {
        const SEED: &str = "SELECT s.provider_id, 0 FROM staff s WHERE s.person_id = ?1 AND s.state = 'active'
             UNION SELECT t.provider_id, 0 FROM member m JOIN tenant t ON t.id = m.tenant_id
             WHERE m.person_id = ?1 AND m.state = 'active' AND t.state <> 'purged'";
        const OWN: &str = "SELECT m.tenant_id FROM member m WHERE m.person_id = ?1 AND m.state = 'active'";
        strictest(tx.rows(&asked_for(SEED, OWN), params![person]).await?)
    }

    /// Takes over what is stricter. A word that is not known asks for nothing.
    fn tighten(&mut self, key: &str, value: &str) {
        let number: u32 = value.parse().unwrap_or_default();
        match key {
            LENGTH_MIN => self.length_min = self.length_min.max(number),
            CLASSES_MIN => self.classes_min = self.classes_min.max(number),
            HISTORY => self.history = self.history.max(number),
            MAX_AGE_DAYS => self.max_age_days = shorter(self.max_age_days, number),
            SECOND_FACTOR_HOURS => self.second_factor_hours = shorter(self.second_factor_hours, number),
            SECOND_FACTOR => self.second_factor |= value == "required",
            _ => {}
        }
    }

    /// When a password set then has to be changed.
    pub fn password_until(&self, set_at: Timestamp) -> Option<Timestamp> {
        (self.max_age_days > 0).then(|| set_at.plus_days(self.max_age_days.into()))
    }

    /// When a second factor given then has to be given again.
    pub fn second_factor_until(&self, given_at: Option<Timestamp>) -> Option<Timestamp> {
        let hours = self.second_factor_hours;
        (hours > 0).then(|| given_at.unwrap_or(Timestamp(0)).after(std::time::Duration::from_secs(u64::from(hours) * 3600)))
    }

    /// What somebody who stands like this lacks now.
    pub fn lack(&self, who: &SignedIn, now: Timestamp) -> Option<Lack> {
        let given_at = who.second_factor_at.max(who.stepped_up_at);
        if self.second_factor && !who.has_second_factor {
            Some(Lack::SecondFactor)
        } else if who.has_second_factor && self.second_factor_until(given_at).is_some_and(|until| until <= now) {
            Some(Lack::SecondFactorAgain)
        } else if self.password_until(who.password_set_at).is_some_and(|until| until <= now) {
            Some(Lack::Password)
        } else {
            None
        }
    }
}

/// The shorter of two spans, of which 0 is the longest.
fn shorter(a: u32, b: u32) -> u32 {
    match (a, b) {
        (0, other) | (other, 0) => other,
        (a, b) => a.min(b),
    }
}

/// The rows of providers (`seed`: their ids and 0) and all those above them, and of tenants (`own`: their ids).
fn asked_for(seed: &str, own: &str) -> String {
    let keys = [LENGTH_MIN, CLASSES_MIN, MAX_AGE_DAYS, HISTORY, SECOND_FACTOR, SECOND_FACTOR_HOURS].map(|key| format!("'{key}'"));
    // Depth is at most 2 by default; the bound keeps a loop in the data from being a loop in the program.
    format!(
        "WITH RECURSIVE up (id, depth) AS ({seed}
           UNION SELECT p.parent_id, up.depth + 1 FROM up JOIN provider p ON p.id = up.id WHERE p.parent_id IS NOT NULL AND up.depth < 8)
         SELECT x.scope_id, x.scope_kind, x.key, x.value FROM setting x WHERE x.key IN ({})
           AND (x.scope_kind IN ('preset', 'provider') AND x.scope_id IN (SELECT up.id FROM up)
                OR x.scope_kind = 'tenant' AND x.scope_id IN ({own}))",
        keys.join(", ")
    )
}

/// What a provider decided itself stands in the place of what its preset says; of all places the strictest counts.
fn strictest(rows: Vec<Row>) -> Result<SignInRules, StoreError> {
    let mut decided: HashMap<(Uuid, String), (bool, String)> = HashMap::new();
    for mut row in rows {
        let (place, kind, key, value): (Uuid, String, String, String) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let is_own = kind != "preset";
        let stands = decided.entry((place, key)).or_insert_with(|| (is_own, value.clone()));
        if is_own {
            *stands = (true, value);
        }
    }
    let mut rules = SignInRules::default();
    for ((_, key), (_, value)) in &decided {
        rules.tighten(key, value);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::{HISTORY, LENGTH_MIN, Lack, MAX_AGE_DAYS, SECOND_FACTOR, SECOND_FACTOR_HOURS, SignInRules, SignedIn};
    use crate::clock::Timestamp;

    const HOUR_US: i64 = 3_600_000_000;

    #[test]
    fn the_strictest_counts_whatever_the_order() {
        let said = [
            (LENGTH_MIN, "16"),
            (LENGTH_MIN, "14"),
            (MAX_AGE_DAYS, "90"),
            (MAX_AGE_DAYS, "0"),
            (MAX_AGE_DAYS, "30"),
            (HISTORY, "5"),
        ];
        let mut forward = SignInRules::default();
        said.iter().for_each(|(key, value)| forward.tighten(key, value));
        let mut backward = SignInRules::default();
        said.iter().rev().for_each(|(key, value)| backward.tighten(key, value));
        assert_eq!(forward, backward);
        assert_eq!((forward.length_min, forward.max_age_days, forward.history), (16, 30, 5));
    }

    #[test]
    fn what_is_lacking_comes_and_goes_with_time() {
        let mut rules = SignInRules::default();
        let mut who =
            SignedIn { has_second_factor: false, second_factor_at: None, stepped_up_at: None, password_set_at: Timestamp(0) };
        let at = |hours: i64| Timestamp(hours * HOUR_US);
        assert_eq!(rules.lack(&who, at(100_000)), None);
        rules.tighten(MAX_AGE_DAYS, "2");
        assert_eq!((rules.lack(&who, at(47)), rules.lack(&who, at(48))), (None, Some(Lack::Password)));
        rules.tighten(SECOND_FACTOR_HOURS, "4");
        assert_eq!(rules.lack(&who, at(47)), None);
        rules.tighten(SECOND_FACTOR, "required");
        assert_eq!(rules.lack(&who, at(48)), Some(Lack::SecondFactor));
        (who.has_second_factor, who.second_factor_at) = (true, Some(at(1)));
        assert_eq!((rules.lack(&who, at(4)), rules.lack(&who, at(5))), (None, Some(Lack::SecondFactorAgain)));
        who.stepped_up_at = Some(at(5));
        assert_eq!(rules.lack(&who, at(8)), None);
    }
}
