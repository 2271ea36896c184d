//! SQL of what somebody holds. Everything is of the transaction's provider, and of clients it has a relationship with.

use kernel::ids::{ApiKeyId, SessionId};
use kernel::store::{Row, StoreError};
use kernel::{PersonId, ReadTx, Result, TenantId, WriteTx, params, scope};

use super::{HeldChoice, HeldKind, HeldThing, Replacement};
use crate::assignments::AssignedTenant;
use crate::consents::{ConsentId, Wanted};
use crate::elevations::ElevationId;
use crate::invitations::InvitationId;
use crate::staff::StaffId;

/// Most things of a kind that are shown.
const MAX: i64 = 1_000;

type Tx = ReadTx<scope::Provider>;

/// The next three columns: a tenant, or none.
fn tenant(row: &mut Row) -> Result<Option<AssignedTenant>, StoreError> {
    let (id, slug, name): (Option<TenantId>, Option<String>, Option<String>) = (row.take()?, row.take()?, row.take()?);
    Ok(id.map(|id| AssignedTenant { id, slug: slug.unwrap_or_default(), name: name.unwrap_or_default() }))
}

pub(super) async fn replacements(tx: &mut Tx, leaver: StaffId) -> Result<Vec<Replacement>, StoreError> {
    let rows = tx
        .rows(
            "SELECT s.id, p.name FROM staff s JOIN person p ON p.id = s.person_id
             WHERE s.provider_id = ?1 AND s.id <> ?2 AND s.state = 'active' AND p.state = 'active' ORDER BY lower(p.name), s.id LIMIT ?3",
            params![tx.scope.provider, leaver, MAX],
        )
        .await?;
    rows.into_iter().map(|mut row| Ok(Replacement { id: row.take()?, name: row.take()? })).collect()
}

/// Somebody who is active on the staff.
pub(super) async fn active_staff(tx: &mut Tx, id: StaffId) -> Result<Option<(PersonId, String)>, StoreError> {
    let row = tx
        .opt(
            "SELECT p.id, p.name FROM staff s JOIN person p ON p.id = s.person_id
             WHERE s.provider_id = ?1 AND s.id = ?2 AND s.state = 'active' AND p.state = 'active'",
            params![tx.scope.provider, id],
        )
        .await?;
    row.map(|mut row| Ok((row.take()?, row.take()?))).transpose()
}

/// Elevations that run or wait.
pub(super) async fn elevations(tx: &mut Tx, person: PersonId) -> Result<Vec<HeldThing>, StoreError> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT e.id, e.template_name, e.state, t.id, t.slug, t.name FROM elevation e JOIN tenant t ON t.id = e.tenant_id
             WHERE e.provider_id = ?1 AND e.person_id = ?2 AND t.state <> 'purged'
               AND (e.state = 'approved' AND e.ends_at > ?3 OR e.state = 'requested' AND e.lapses_at > ?3) ORDER BY e.id LIMIT ?4",
            params![tx.scope.provider, person, now, MAX],
        )
        .await?;
    let read = rows.into_iter().map(|mut row| {
        let (id, name, state): (ElevationId, String, String) = (row.take()?, row.take()?, row.take()?);
        let label = if state == "approved" { format!("{name}, approved") } else { format!("{name}, asked for") };
        let choices = vec![HeldChoice::End];
        Ok(HeldThing { kind: HeldKind::Elevation, id: id.to_string(), tenant: tenant(&mut row)?, label, choices })
    });
    read.collect()
}

/// Whose keys: of the provider, or of clients of which the person is no member.
const KEYS: &str = "api_key.person_id = ?2 AND api_key.revoked_at IS NULL AND (api_key.provider_id = ?1 OR
       EXISTS (SELECT 1 FROM relationship r WHERE r.tenant_id = api_key.tenant_id AND r.provider_id = ?1)
       AND NOT EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = api_key.tenant_id AND m.person_id = ?2))";

pub(super) async fn keys(tx: &mut Tx, person: PersonId) -> Result<Vec<HeldThing>, StoreError> {
    let now = tx.now();
    let sql = format!(
        "SELECT api_key.id, api_key.name, t.id, t.slug, t.name FROM api_key LEFT JOIN tenant t ON t.id = api_key.tenant_id
         WHERE {KEYS} AND api_key.expires_at > ?3 ORDER BY api_key.id LIMIT ?4"
    );
    let rows = tx.rows(&sql, params![tx.scope.provider, person, now, MAX]).await?;
    let read = rows.into_iter().map(|mut row| {
        let (id, label): (ApiKeyId, String) = (row.take()?, row.take()?);
        let choices = vec![HeldChoice::End];
        Ok(HeldThing { kind: HeldKind::ApiKey, id: id.to_string(), tenant: tenant(&mut row)?, label, choices })
    });
    read.collect()
}

/// Revokes them; expired ones too. Answers id, name and tenant of each.
pub(super) async fn revoke_keys(
    tx: &mut WriteTx<scope::Provider>,
    person: PersonId,
) -> Result<Vec<(ApiKeyId, String, Option<TenantId>)>> {
    let (provider, now, me) = (tx.scope.provider, tx.now(), tx.me()?.person);
    let sql = format!("UPDATE api_key SET revoked_at = ?3, revoked_by = ?4 WHERE {KEYS} RETURNING id, name, tenant_id");
    let rows = tx.rows(&sql, params![provider, person, now, me]).await?;
    let read = rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take()?)));
    Ok(read.collect::<Result<_, StoreError>>()?)
}

/// Elevations of others that wait for a provider admin's word.
pub(super) async fn requests_to_decide(tx: &mut Tx, person: PersonId) -> Result<Vec<HeldThing>, StoreError> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT e.id, p.name, e.template_name, t.id, t.slug, t.name FROM elevation e JOIN person p ON p.id = e.person_id
             JOIN tenant t ON t.id = e.tenant_id WHERE e.provider_id = ?1 AND e.person_id <> ?2 AND e.state = 'requested'
               AND e.approver IN ('provider', 'both') AND e.provider_by IS NULL AND e.lapses_at > ?3 ORDER BY e.id LIMIT ?4",
            params![tx.scope.provider, person, now, MAX],
        )
        .await?;
    let read = rows.into_iter().map(|mut row| {
        let (id, who, what): (ElevationId, String, String) = (row.take()?, row.take()?, row.take()?);
        let label = format!("{who} asks for {what}");
        Ok(HeldThing { kind: HeldKind::Approval, id: id.to_string(), tenant: tenant(&mut row)?, label, choices: Vec::new() })
    });
    read.collect()
}

/// What tenants were asked about this person and have not answered.
pub(super) async fn consents_about(tx: &mut Tx, person: PersonId) -> Result<Vec<(TenantId, HeldThing)>, StoreError> {
    let rows = tx
        .rows(
            "SELECT c.id, c.label, c.target, t.id, t.slug, t.name FROM consent c JOIN tenant t ON t.id = c.tenant_id
             WHERE c.provider_id = ?1 AND c.kind = 'assignment' AND c.state = 'pending' ORDER BY c.id LIMIT 10000",
            params![tx.scope.provider],
        )
        .await?;
    let mut about = Vec::new();
    for mut row in rows {
        let (id, label, wanted): (ConsentId, String, Wanted) = (row.take()?, row.take()?, row.json()?);
        let Some(tenant) = tenant(&mut row)? else { continue };
        if matches!(wanted, Wanted::Assignment { person: of, .. } if of == person) {
            let (of, choices) = (tenant.id, vec![HeldChoice::End]);
            about.push((of, HeldThing { kind: HeldKind::Approval, id: id.to_string(), tenant: Some(tenant), label, choices }));
        }
    }
    Ok(about)
}

pub(super) async fn end_consent(tx: &mut WriteTx<scope::Provider>, id: &str) -> Result<()> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let id: ConsentId = id.parse().map_err(|_| kernel::Error::NotFound)?;
    let sql = "UPDATE consent SET state = 'withdrawn', decided_by = ?2, decided_at = ?3 WHERE id = ?1 AND state = 'pending'";
    tx.execute(sql, params![id, me, now]).await?;
    Ok(())
}

/// Invitations that they sent and that are open: to the staff, and to members of the provider's clients of which they are none.
pub(super) async fn invitations(tx: &mut Tx, person: PersonId) -> Result<Vec<HeldThing>, StoreError> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT i.id, i.email, i.role, t.id, t.slug, t.name FROM invitation i LEFT JOIN tenant t ON t.id = i.tenant_id
             WHERE i.invited_by = ?2 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ?3
               AND (i.provider_id = ?1 OR
                    EXISTS (SELECT 1 FROM relationship r WHERE r.tenant_id = i.tenant_id AND r.provider_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = i.tenant_id AND m.person_id = ?2))
             ORDER BY i.id LIMIT ?4",
            params![tx.scope.provider, person, now, MAX],
        )
        .await?;
    let read = rows.into_iter().map(|mut row| {
        let (id, email, role): (InvitationId, String, String) = (row.take()?, row.take()?, row.take()?);
        let label = format!("{email} as {}", role.replace('_', " "));
        let choices = vec![HeldChoice::Move, HeldChoice::End];
        Ok(HeldThing { kind: HeldKind::Invitation, id: id.to_string(), tenant: tenant(&mut row)?, label, choices })
    });
    read.collect()
}

pub(super) async fn take_over_invitation(
    tx: &mut WriteTx<scope::Provider>,
    id: InvitationId,
    by: PersonId,
) -> Result<u64, StoreError> {
    tx.execute("UPDATE invitation SET invited_by = ?2 WHERE id = ?1 AND accepted_at IS NULL", params![id, by]).await
}

pub(super) async fn revoke_invitation(tx: &mut WriteTx<scope::Provider>, id: InvitationId) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute("UPDATE invitation SET revoked_at = ?2 WHERE id = ?1 AND accepted_at IS NULL", params![id, now]).await
}

pub(super) async fn sessions(tx: &mut Tx, person: PersonId) -> Result<Vec<HeldThing>, StoreError> {
    let now = tx.now();
    let sql =
        "SELECT id, user_agent FROM session WHERE person_id = ?1 AND expires_at > ?2 AND idle_expires_at > ?2 ORDER BY id LIMIT ?3";
    let rows = tx.rows(sql, params![person, now, MAX]).await?;
    let read = rows.into_iter().map(|mut row| {
        let (id, agent): (SessionId, String) = (row.take()?, row.take()?);
        let label = agent.chars().take(80).collect();
        Ok(HeldThing { kind: HeldKind::Session, id: id.to_string(), tenant: None, label, choices: vec![HeldChoice::End] })
    });
    read.collect()
}

pub(super) async fn end_sessions(tx: &mut WriteTx<scope::Provider>, person: PersonId) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM session WHERE person_id = ?1", params![person]).await
}
