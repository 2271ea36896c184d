//! Writing the ledger: every act becomes an entry of a chain, in the same commit as what it changed.

use std::net::IpAddr;

use ledger::{Actor, ActorKind, Entry, Outcome};
use parking_lot::Mutex;
use uuid::Uuid;

use super::hub::Hub;
use crate::clock::Timestamp;
use crate::error::{CanFail, Result};
use crate::ids::{EntryId, RequestId, TenantId};
use crate::params;
use crate::store::{Place, StoreError, Tx};

/// What one request leaves behind besides its response: the writes it tried and did not commit.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub request: RequestId,
    pub address: Option<IpAddr>,
    pub user_agent: String,
    /// The name that the request was sent to, without its port.
    pub host: Option<String>,
    pub attempts: Mutex<Vec<Attempt>>,
}

/// An act that was tried, as far as it got.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub entry: Entry,
    pub chain: Chain,
}

/// Which ledger an entry goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// A tenant's own.
    Tenant(TenantId),
    /// A provider's, or the installation's (nil), in the control database; and a copy in the tenant's when the act was on one.
    Control { chain: Uuid, tenant: Option<TenantId> },
}

/// A blank entry for an act that begins now.
pub(crate) fn draft(now: Timestamp, action: &str, actor: Actor, scratch: Option<&Scratch>) -> Entry {
    Entry {
        id: EntryId::new(now).to_string(),
        at: now.to_string(),
        actor,
        grant: None,
        action: action.to_owned(),
        outcome: Outcome::Done,
        code: None,
        policy: None,
        tenant: None,
        subject: None,
        changes: Vec::new(),
        reason: None,
        request_id: scratch.map(|s| s.request.to_string()).unwrap_or_default(),
        address: scratch.and_then(|s| s.address).map(|a| a.to_string()),
    }
}

/// The hub itself as an actor.
pub(crate) fn system_actor() -> Actor {
    Actor { id: None, name: "Tenantry".into(), kind: ActorKind::System, key: None }
}

/// Somebody who is not signed in.
pub(crate) fn nobody() -> Actor {
    Actor { id: None, name: "not signed in".into(), kind: ActorKind::Nobody, key: None }
}

fn body_of(entry: &Entry) -> Result<String, StoreError> {
    serde_json::to_string(entry).map_err(|error| StoreError::Other(format!("ledger entry: {error}")))
}

/// Appends to the tenant's chain. Answers the entry's number.
pub(crate) async fn append_tenant(tx: &mut Tx, entry: &Entry) -> Result<i64, StoreError> {
    append_tenant_body(tx, entry, &body_of(entry)?).await
}

pub(crate) async fn append_tenant_body(tx: &mut Tx, entry: &Entry, body: &str) -> Result<i64, StoreError> {
    const NEXT: &str = "UPDATE ledger_head SET seq = seq + 1 RETURNING seq, hash";
    let head = match tx.opt(NEXT, &[]).await? {
        Some(head) => head,
        None => {
            tx.execute(
                "INSERT INTO ledger_head (seq, hash) VALUES (0, ?1) ON CONFLICT (tenant_id) DO NOTHING",
                params![ledger::GENESIS.as_slice()],
            )
            .await?;
            tx.one(NEXT, &[]).await?
        }
    };
    let (seq, hash) = linked(head, body)?;
    tx.execute("UPDATE ledger_head SET hash = ?1", params![hash.as_slice()]).await?;
    let staff = entry.grant.as_ref().is_some_and(|grant| grant.provider.is_some());
    tx.execute(
        "INSERT INTO ledger (seq, id, at, actor_id, actor, action, outcome, staff, body, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            seq,
            entry_id(entry)?.uuid(),
            entry_at(entry)?,
            actor_id(entry),
            entry.actor.name.as_str(),
            entry.action.as_str(),
            entry.outcome.as_str(),
            staff,
            body,
            hash.as_slice(),
        ],
    )
    .await?;
    Ok(seq)
}

/// Appends to a chain of the control database, and lays a copy ready for the tenant's own chain when the act was on a tenant.
pub(crate) async fn append_control(tx: &mut Tx, chain: Uuid, tenant: Option<TenantId>, entry: &Entry) -> Result<(), StoreError> {
    const NEXT: &str = "UPDATE ledger_head SET seq = seq + 1 WHERE chain = ?1 RETURNING seq, hash";
    let body = body_of(entry)?;
    let head = match tx.opt(NEXT, params![chain]).await? {
        Some(head) => head,
        None => {
            tx.execute(
                "INSERT INTO ledger_head (chain, seq, hash) VALUES (?1, 0, ?2) ON CONFLICT (chain) DO NOTHING",
                params![chain, ledger::GENESIS.as_slice()],
            )
            .await?;
            tx.one(NEXT, params![chain]).await?
        }
    };
    let (seq, hash) = linked(head, &body)?;
    tx.execute("UPDATE ledger_head SET hash = ?2 WHERE chain = ?1", params![chain, hash.as_slice()]).await?;
    tx.execute(
        "INSERT INTO ledger (chain, seq, id, at, actor_id, actor, action, outcome, tenant_id, body, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            chain,
            seq,
            entry_id(entry)?.uuid(),
            entry_at(entry)?,
            actor_id(entry),
            entry.actor.name.as_str(),
            entry.action.as_str(),
            entry.outcome.as_str(),
            tenant,
            body,
            hash.as_slice(),
        ],
    )
    .await?;
    Ok(())
}

/// Lays an entry ready for a tenant's own chain, in the control transaction that did the act.
pub(crate) async fn post_to_tenant(tx: &mut Tx, tenant: TenantId, entry: &Entry) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO ledger_outbox (id, tenant_id, body) VALUES (?1, ?2, ?3)",
        params![entry_id(entry)?.uuid(), tenant, body_of(entry)?],
    )
    .await?;
    Ok(())
}

/// Codes of errors that say no to what was asked, not that it failed.
pub(crate) fn is_refusal(code: &str) -> bool {
    matches!(code, "forbidden" | "step_up_required" | "reauth_required" | "limit_reached" | "licence" | "locked")
}

/// Number and hash of the next entry after a head whose number was just taken.
fn linked(mut head: crate::store::Row, body: &str) -> Result<(i64, ledger::Hash), StoreError> {
    let seq: i64 = head.take()?;
    let previous: Vec<u8> = head.take()?;
    let previous = ledger::Hash::try_from(previous).map_err(|_| StoreError::Shape("a ledger hash of a wrong length".into()))?;
    Ok((seq, ledger::link(&previous, seq.unsigned_abs(), body.as_bytes())))
}

fn entry_id(entry: &Entry) -> Result<EntryId, StoreError> {
    entry.id.parse().map_err(|_| StoreError::Shape("a ledger entry without an id".into()))
}

fn entry_at(entry: &Entry) -> Result<Timestamp, StoreError> {
    entry.at.parse().map_err(|_| StoreError::Shape("a ledger entry without a time".into()))
}

fn actor_id(entry: &Entry) -> Option<Uuid> {
    entry.actor.id.as_deref().and_then(|id| id.parse::<crate::ids::PersonId>().ok()).map(crate::ids::PersonId::uuid)
}

impl Hub {
    /// Writes the acts that a request tried and did not commit, with the code its response gave.
    pub(crate) async fn record_attempts(&self, scratch: &Scratch, code: &'static str) {
        let attempts = std::mem::take(&mut *scratch.attempts.lock());
        for mut attempt in attempts {
            if attempt.entry.outcome == Outcome::Done {
                attempt.entry.outcome = if is_refusal(code) { Outcome::Refused } else { Outcome::Failed };
            }
            attempt.entry.code.get_or_insert_with(|| code.to_owned());
            attempt.entry.changes.clear();
            let noticed = self.note_refused(&attempt);
            self.record(attempt).await.can_fail("the store is away; the act itself did not happen");
            if let Some(alert) = noticed {
                self.say_alert(&alert).await.can_fail("the next refusal says it again");
            }
        }
    }

    pub(crate) async fn record(&self, attempt: Attempt) -> Result<()> {
        match attempt.chain {
            Chain::Tenant(tenant) => {
                let mut tx = self.0.store.write(Place::Tenant(tenant)).await?;
                append_tenant(&mut tx, &attempt.entry).await?;
                tx.commit().await?;
                self.note_entry(None, Some(tenant));
            }
            Chain::Control { chain, tenant } => {
                let mut tx = self.0.store.write(Place::Control).await?;
                append_control(&mut tx, chain, tenant, &attempt.entry).await?;
                if let Some(tenant) = tenant {
                    post_to_tenant(&mut tx, tenant, &attempt.entry).await?;
                }
                tx.commit().await?;
                self.note_entry(Some(chain), None);
                if let Some(tenant) = tenant {
                    self.relay_ledger(tenant).await.can_fail("the sweep takes it along");
                }
            }
        }
        Ok(())
    }
}
