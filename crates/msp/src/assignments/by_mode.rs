//! Assignments that the access mode `implicit_owner` gives: every provider admin a T3 grant on every tenant, stored like any other, so that
//! the tenant sees it where it sees all of them.
//!
//! - They are settled in the commit of whatever calls for it: a tenant that is made, somebody who becomes an admin or is one no longer, the
//!   mode that is switched on or off, for all clients or for one.
//! - The relationship's tier cuts them like any assignment. Where the tenant has a say in who gets what (`assign_by: tenant_consent` and
//!   somebody there to give it), nothing new is given; to people it removed neither. People whom their provider disabled have none.
//! - An assignment that stood before is kept beside it, and stands again when the mode takes its grant away.
//! - Nobody changes or ends one by hand: the mode would give it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use access::{Mask, Modules, Tier};
use kernel::store::StoreError;
use kernel::{PersonId, ProviderId, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::AssignmentId;
use crate::settings::{self, ACCESS_MODE};

/// The mode that gives them.
const IMPLICIT_OWNER: &str = "implicit_owner";
/// Rows per statement: at most 9 parameters each, far below the engines' bounds.
const CHUNK: usize = 500;

/// What an assignment was that gave way.
#[derive(Serialize, Deserialize)]
struct Stood {
    tier: i64,
    mask: i64,
    modules: i64,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
}

/// An assignment as stored.
struct Stored {
    id: AssignmentId,
    by_mode: bool,
    stood: Option<String>,
    now: Stood,
}

/// Who was given a grant, and who lost one, on one tenant.
#[derive(Default)]
struct Settled {
    given: Vec<String>,
    taken: Vec<String>,
}

/// Gives and takes until those who are to have such a grant have it, and nobody else.
///
/// # Errors
/// As the store's.
pub(crate) async fn settle<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<()> {
    let wanted = wanted(tx, provider).await?;
    let stored = stored(tx, provider).await?;
    if wanted.is_empty() && stored.values().all(|one| !one.by_mode) {
        return Ok(());
    }
    let names = names(tx, provider).await?;
    let named = |person: &PersonId| names.get(person).cloned().unwrap_or_default();
    let mut settled: BTreeMap<TenantId, Settled> = BTreeMap::new();
    for ((tenant, person), one) in stored.iter().filter(|(at, one)| one.by_mode && !wanted.contains_key(*at)) {
        take(tx, one).await?;
        settled.entry(*tenant).or_default().taken.push(named(person));
    }
    let mut fresh = Vec::new();
    for (at @ (tenant, person), may_give) in &wanted {
        match stored.get(at) {
            Some(one) if one.by_mode => continue,
            _ if !may_give => continue,
            Some(one) => raise(tx, one).await?,
            None => fresh.push(*at),
        }
        settled.entry(*tenant).or_default().given.push(named(person));
    }
    give(tx, provider, &fresh).await?;
    for (tenant, Settled { given, taken }) in settled {
        let grant = |people: Vec<String>| json!({ "mode": IMPLICIT_OWNER, "tier": Tier::T3, "people": people });
        tx.changed_in(tenant, "assignments_by_mode", tenant, &grant(taken), &grant(given));
    }
    Ok(())
}

/// Who is to have one, and where; and whether it may be given to those who have none, or the tenant would have to be asked.
async fn wanted<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<BTreeMap<(TenantId, PersonId), bool>> {
    let everywhere = settings::value(tx, provider, ACCESS_MODE).await?;
    let sql = "SELECT r.id, r.tenant_id, r.assign_by, x.value FROM relationship r JOIN tenant t ON t.id = r.tenant_id
               LEFT JOIN setting x ON x.scope_id = r.id AND x.scope_kind = 'client' AND x.key = ?2
         WHERE r.provider_id = ?1 AND r.state <> 'ended' AND t.state <> 'purged'";
    let mut tenants = Vec::new();
    for mut row in tx.rows(sql, params![provider, ACCESS_MODE]).await? {
        let (_, tenant, assign_by, here): (Uuid, TenantId, String, Option<String>) =
            (row.take()?, row.take()?, row.take()?, row.take()?);
        if here.as_deref().unwrap_or(&everywhere) != IMPLICIT_OWNER {
            continue;
        }
        let may_give = assign_by != "tenant_consent" || !crate::consents::has_active_admin(tx, tenant).await?;
        tenants.push((tenant, may_give));
    }
    if tenants.is_empty() {
        return Ok(BTreeMap::new());
    }
    let admins = tx
        .rows(
            "SELECT person_id FROM staff WHERE provider_id = ?1 AND role = 'provider_admin' AND state = 'active'",
            params![provider],
        )
        .await?;
    let admins = admins.into_iter().map(|mut row| row.take()).collect::<Result<Vec<PersonId>, StoreError>>()?;
    let bars = "SELECT b.tenant_id, b.person_id FROM bar b JOIN staff s ON s.person_id = b.person_id WHERE s.provider_id = ?1";
    let mut barred = BTreeSet::new();
    for mut row in tx.rows(bars, params![provider]).await? {
        barred.insert((row.take()?, row.take()?));
    }
    let all = tenants.iter().flat_map(|(tenant, may_give)| admins.iter().map(|person| ((*tenant, *person), *may_give)));
    Ok(all.filter(|(at, _)| !barred.contains(at)).collect())
}

async fn stored<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<HashMap<(TenantId, PersonId), Stored>> {
    let sql = "SELECT a.tenant_id, a.person_id, a.id, a.by_mode, a.stood, a.tier, a.mask, a.modules, a.starts_at, a.ends_at
         FROM assignment a LEFT JOIN staff s ON s.provider_id = a.provider_id AND s.person_id = a.person_id
         WHERE a.provider_id = ?1 AND (a.by_mode = true OR s.role = 'provider_admin')";
    let rows = tx.rows(sql, params![provider]).await?.into_iter().map(|mut row| {
        let at = (row.take()?, row.take()?);
        let (id, by_mode, stood) = (row.take()?, row.take()?, row.take()?);
        let now =
            Stood { tier: row.take()?, mask: row.take()?, modules: row.take()?, starts_at: row.take()?, ends_at: row.take()? };
        Ok((at, Stored { id, by_mode, stood, now }))
    });
    Ok(rows.collect::<Result<_, StoreError>>()?)
}

async fn names<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId) -> Result<HashMap<PersonId, String>> {
    let sql = "SELECT p.id, p.name FROM person p JOIN assignment a ON a.person_id = p.id WHERE a.provider_id = ?1 AND a.by_mode = true
         UNION SELECT p.id, p.name FROM person p JOIN staff s ON s.person_id = p.id WHERE s.provider_id = ?1 AND s.role = 'provider_admin'";
    let rows = tx.rows(sql, params![provider]).await?.into_iter().map(|mut row| Ok((row.take()?, row.take()?)));
    Ok(rows.collect::<Result<_, StoreError>>()?)
}

/// The mask and the modules of such a grant.
fn everything() -> (i64, i64) {
    (i64::from(Mask::ALL.bits()), i64::from(Modules::ALL.bits()))
}

/// Takes a grant away. What stood before stands again.
async fn take<S: scope::Control>(tx: &mut WriteTx<S>, one: &Stored) -> Result<()> {
    let Some(stood) = &one.stood else {
        tx.execute("DELETE FROM assignment WHERE id = ?1", params![one.id]).await?;
        return Ok(());
    };
    let before: Stood = serde_json::from_str(stood).map_err(kernel::Error::internal)?;
    tx.execute(
        "UPDATE assignment SET tier = ?2, mask = ?3, modules = ?4, starts_at = ?5, ends_at = ?6, by_mode = false, stood = NULL,
                version = version + 1 WHERE id = ?1",
        params![one.id, before.tier, before.mask, before.modules, before.starts_at, before.ends_at],
    )
    .await?;
    Ok(())
}

/// Makes an assignment that stands such a grant, and keeps what it was.
async fn raise<S: scope::Control>(tx: &mut WriteTx<S>, one: &Stored) -> Result<()> {
    let (mask, modules) = everything();
    let (now, stood) = (tx.now(), serde_json::to_string(&one.now).map_err(kernel::Error::internal)?);
    tx.execute(
        "UPDATE assignment SET tier = 3, mask = ?2, modules = ?3, starts_at = ?4, ends_at = NULL, by_mode = true, stood = ?5,
                version = version + 1 WHERE id = ?1",
        params![one.id, mask, modules, now, stood],
    )
    .await?;
    Ok(())
}

async fn give<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId, fresh: &[(TenantId, PersonId)]) -> Result<()> {
    let ((mask, modules), now) = (everything(), tx.now());
    for chunk in fresh.chunks(CHUNK) {
        let mut query = kernel::store::Query::new(
            "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, created_at, by_mode) VALUES ",
        );
        for (index, (tenant, person)) in chunk.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" }).bind(AssignmentId::new(now)).push(", ").bind(provider).push(", ");
            query.bind(*tenant).push(", ").bind(*person).push(", 3, ").bind(mask).push(", ").bind(modules).push(", ");
            query.bind(now).push(", ").bind(now).push(", true)");
        }
        tx.execute_query(&query).await?;
    }
    Ok(())
}
