//! Staff's way into a tenant that wants them to prove themselves first (its switch policy).
//!
//! - `seamless`: nothing more is asked. `step_up`: a fresh second factor, as for acts that want one. `reauth`: the password again.
//! - It is asked for when somebody enters: a proof of the last ten minutes counts, and the entry then holds for eight hours of that
//!   session on that tenant, wherever else the person goes meanwhile. Another tenant asks for itself.
//! - Only staff are asked. Who is a member of the tenant too comes as a member; an API key has no session to prove anything in.
//! - The strictest of what the tenant and its providers say counts.

use std::time::Duration;

use uuid::Uuid;

use super::caller::{Caller, FRESH};
use super::hub::Hub;
use super::standing::Standing;
use crate::clock::Timestamp;
use crate::error::{CanFail, Error, Refusal, Result};
use crate::ids::TenantId;
use crate::params;
use crate::store::{Place, Value};

/// How long an entry holds.
pub const STAY: Duration = Duration::from_secs(8 * 3600);
/// Key of the setting.
pub const SWITCH_POLICY: &str = "switch_policy";

/// What a tenant asks of staff who enter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SwitchPolicy {
    /// Nothing more.
    #[default]
    Seamless,
    /// A fresh second factor.
    StepUp,
    /// The password again.
    Reauth,
}

impl SwitchPolicy {
    /// As it is stored. A word that is not known asks for nothing.
    pub(crate) fn from_word(word: &str) -> Self {
        match word {
            "step_up" => Self::StepUp,
            "reauth" => Self::Reauth,
            _ => Self::Seamless,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Seamless => "seamless",
            Self::StepUp => "step_up",
            Self::Reauth => "reauth",
        }
    }

    /// The refusal of somebody who has not proved what is asked for.
    pub(crate) fn refusal(self) -> Error {
        let (policy, why) = match self {
            Self::Reauth => (self.policy(), "This organisation asks its provider's staff for their password when they enter."),
            _ => (self.policy(), "This organisation asks its provider's staff for a fresh second factor when they enter."),
        };
        let needs = "proof that it is you".to_owned();
        let refusal = Box::new(Refusal { policy: policy.into(), why: why.into(), needs });
        if self == Self::Reauth { Error::ReauthRequired(refusal) } else { Error::StepUpRequired(refusal) }
    }

    /// What the ledger names as having refused.
    pub(crate) fn policy(self) -> &'static str {
        if self == Self::Reauth { "stop.switch_reauth" } else { "stop.switch_step_up" }
    }
}

/// An entry that was noted: what was proved, and when.
pub(crate) type Entered = (SwitchPolicy, Timestamp);

impl Hub {
    /// What somebody must still prove before they may act on this tenant; none: they are in.
    pub(crate) async fn locked(&self, caller: &Caller, standing: &Standing, now: Timestamp) -> Result<Option<SwitchPolicy>> {
        let policy = standing.switch;
        let Some(tenant) = standing.tenant.as_ref().map(|tenant| tenant.id) else { return Ok(None) };
        if policy == SwitchPolicy::Seamless || caller.key.is_some() || self.has_entered(caller, tenant, policy, now).await? {
            return Ok(None);
        }
        let is_proved = match policy {
            SwitchPolicy::Reauth => caller.password_at.is_some_and(|at| now < at.after(FRESH)),
            _ => caller.is_fresh(now),
        };
        if !is_proved {
            return Ok(Some(policy));
        }
        self.note_entry_of(caller, tenant, (policy, now));
        Ok(None)
    }

    async fn has_entered(&self, caller: &Caller, tenant: TenantId, policy: SwitchPolicy, now: Timestamp) -> Result<bool> {
        let holds = |entered: Entered| entered.0 == policy && now < entered.1.after(STAY);
        let key = (caller.session.uuid(), tenant.uuid());
        let known = self.0.entries.lock().get(&key).copied();
        if let Some(entered) = known {
            return Ok(holds(entered));
        }
        let mut tx = self.0.store.read_facts().await?;
        let sql = "SELECT how, at FROM tenant_entry WHERE session_id = ?1 AND tenant_id = ?2";
        let Some(mut row) = tx.opt(sql, params![caller.session, tenant]).await? else { return Ok(false) };
        let entered = (SwitchPolicy::from_word(&row.take::<String>()?), row.take()?);
        self.0.entries.lock().put(key, entered);
        Ok(holds(entered))
    }

    fn note_entry_of(&self, caller: &Caller, tenant: TenantId, entered: Entered) {
        let key: (Uuid, Uuid) = (caller.session.uuid(), tenant.uuid());
        self.0.entries.lock().put(key, entered);
        let params: Vec<Value> = params![caller.session, tenant, entered.0.word(), entered.1].to_vec();
        let hub = self.clone();
        tokio::spawn(async move {
            let note = async {
                let mut tx = hub.0.store.write(Place::Control).await?;
                // The session may have ended meanwhile.
                tx.execute(
                    "INSERT INTO tenant_entry (session_id, tenant_id, how, at)
                     SELECT s.id, t.id, ?3, ?4 FROM session s, tenant t WHERE s.id = ?1 AND t.id = ?2 AND t.state <> 'purged'
                     ON CONFLICT (session_id, tenant_id) DO UPDATE SET how = excluded.how, at = excluded.at",
                    &params,
                )
                .await?;
                tx.commit().await
            };
            note.await.can_fail("who entered is asked again on another hub, or after a restart");
        });
    }
}
