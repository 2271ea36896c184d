//! Invitations, and what taking one up makes.

use kernel::store::{Row, StoreError};
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{Invitation, InvitationState, Place};
use crate::members::MemberId;

/// The invitation with this hash of its token. Staff who invite a member are shown as their provider shows its staff to tenants.
pub(super) async fn find(tx: &mut ReadTx<scope::Public>, token_hash: &[u8]) -> Result<Option<Invitation>> {
    let now = tx.now();
    let row = tx
        .opt(
            "SELECT i.id, i.provider_id, i.tenant_id, COALESCE(t.name, v.name), v.state = 'active' AND COALESCE(t.state, 'active') = 'active',
                    i.role, i.email, CASE WHEN i.tenant_id IS NULL OR m.id IS NOT NULL OR v.staff_shown = 'by_name' THEN p.name ELSE v.name END,
                    i.expires_at, i.accepted_at, i.revoked_at
             FROM invitation i JOIN person p ON p.id = i.invited_by
             LEFT JOIN tenant t ON t.id = i.tenant_id
             LEFT JOIN member m ON m.tenant_id = i.tenant_id AND m.person_id = i.invited_by
             JOIN provider v ON v.id = COALESCE(i.provider_id, t.provider_id)
             WHERE i.token_hash = ?1",
            params![token_hash],
        )
        .await?;
    row.map(|row| read(row, now)).transpose()
}

fn read(mut row: Row, now: Timestamp) -> Result<Invitation> {
    let id = row.take()?;
    let (provider, tenant): (Option<ProviderId>, Option<TenantId>) = (row.take()?, row.take()?);
    let place = match (provider, tenant) {
        (Some(provider), _) => Place::Provider(provider),
        (None, Some(tenant)) => Place::Tenant(tenant),
        (None, None) => return Err(Error::internal("an invitation to nowhere")),
    };
    let (place_name, place_is_open, role, email, invited_by) = (row.take()?, row.take()?, row.take()?, row.take()?, row.take()?);
    let expires_at = row.take()?;
    let state = InvitationState::of(row.take()?, row.take()?, expires_at, now);
    Ok(Invitation { id, place, place_name, place_is_open, role, email, invited_by, expires_at, state })
}

/// Marks it as used; of two who try at once, one succeeds.
pub(super) async fn take_up(tx: &mut WriteTx<scope::Public>, invitation: &Invitation) -> Result<()> {
    let now = tx.now();
    let taken = tx
        .execute(
            "UPDATE invitation SET accepted_at = ?2 WHERE id = ?1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?2",
            params![invitation.id, now],
        )
        .await?;
    if taken == 1 { Ok(()) } else { Err(Error::Conflict("This invitation was used or withdrawn at this moment.".into())) }
}

/// Makes the account of an address that has none; none when it has one by now.
pub(crate) async fn insert_person(
    tx: &mut WriteTx<scope::Public>,
    email: &str,
    name: &str,
    password_hash: &str,
) -> Result<Option<PersonId>, StoreError> {
    let now = tx.now();
    let id = PersonId::new(now);
    let inserted = tx
        .execute(
            "INSERT INTO person (id, email, name, state, password_hash, created_at, last_seen_at) VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?5)
             ON CONFLICT (email) DO NOTHING",
            params![id, email, name, password_hash, now],
        )
        .await?;
    Ok((inserted == 1).then_some(id))
}

/// A row that an invitation made.
pub(super) struct Made {
    pub kind: &'static str,
    pub id: String,
}

/// Makes the person staff or a member.
pub(super) async fn insert_at_place(tx: &mut WriteTx<scope::Public>, invitation: &Invitation, person: PersonId) -> Result<Made> {
    let now = tx.now();
    let uuid = kernel::ids::uuid_at(now);
    let (inserted, made) = match invitation.place {
        Place::Provider(provider) => {
            let inserted = tx
                .execute(
                    "INSERT INTO staff (id, provider_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)
                     ON CONFLICT (provider_id, person_id) DO NOTHING",
                    params![uuid, provider, person, invitation.role.as_str(), now],
                )
                .await?;
            (inserted, Made { kind: "staff", id: format!("stf_{}", uuid.simple()) })
        }
        Place::Tenant(tenant) => {
            let inserted = tx
                .execute(
                    "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)
                     ON CONFLICT (tenant_id, person_id) DO NOTHING",
                    params![uuid, tenant, person, invitation.role.as_str(), now],
                )
                .await?;
            (inserted, Made { kind: "member", id: MemberId::from_uuid(uuid).to_string() })
        }
    };
    if inserted == 1 {
        Ok(made)
    } else {
        Err(Error::Conflict(format!("You belong to {} already. Sign in.", invitation.place_name)))
    }
}
