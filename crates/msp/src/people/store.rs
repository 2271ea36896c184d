//! SQL of the people who reach a tenant.

use access::{AccessMode, Act, StaffRole, Tier};
use kernel::store::{Query, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, TenantId, params, scope};

use super::Assignee;
use crate::assignments::{Ceiling, ceilings};

/// What a person must be allowed to, for a finding to be theirs.
const TAKING: Act = Act::FindingTake;

pub(super) async fn members(tx: &mut ReadTx<scope::Public>, tenant: TenantId) -> Result<Vec<Assignee>, StoreError> {
    let mut query = Query::new("SELECT p.id, p.name, m.role FROM member m JOIN person p ON p.id = m.person_id");
    query.push(" WHERE m.state = 'active' AND p.state = 'active' AND m.tenant_id = ").bind(tenant);
    query.push(" AND m.role IN (").bind_all(TAKING.info().roles.iter().map(|role| role.as_str())).push(")");
    query.push(" ORDER BY lower(p.name), p.id");
    let rows = tx.query(&query).await?;
    let members =
        rows.into_iter().map(|mut row| Ok(Assignee { id: row.take()?, name: row.take()?, as_: row.take()?, is_staff: false }));
    members.collect()
}

pub(super) async fn staff(tx: &mut ReadTx<scope::Public>, tenant: TenantId) -> Result<Vec<Assignee>, StoreError> {
    let rows = tx
        .rows(
            "SELECT v.id, v.name, v.access_mode, p.id, p.name, s.role, a.tier, a.starts_at, a.ends_at
             FROM relationship r JOIN provider v ON v.id = r.provider_id
             JOIN staff s ON s.provider_id = r.provider_id AND s.state = 'active'
             JOIN person p ON p.id = s.person_id AND p.state = 'active'
             LEFT JOIN assignment a ON a.provider_id = r.provider_id AND a.tenant_id = r.tenant_id AND a.person_id = s.person_id
             WHERE r.tenant_id = ?1 ORDER BY lower(p.name), p.id, v.id",
            params![tenant],
        )
        .await?;
    let mut people = Vec::new();
    let mut known: Vec<(ProviderId, Option<Ceiling>)> = Vec::new();
    for mut row in rows {
        let (provider, provider_name, mode): (ProviderId, String, String) = (row.take()?, row.take()?, row.take()?);
        let (id, name): (PersonId, String) = (row.take()?, row.take()?);
        let role: StaffRole = row.parse()?;
        let own = (row.take()?, row.take()?, row.take()?);
        let ceiling = match known.iter().find(|(of, _)| *of == provider) {
            Some((_, ceiling)) => *ceiling,
            None => {
                let ceiling = ceilings(tx, provider, &[tenant]).await?.get(&tenant).copied();
                known.push((provider, ceiling));
                ceiling
            }
        };
        let by_relationship = role == StaffRole::ProviderAdmin && mode == AccessMode::Tiered.as_str();
        let own = if by_relationship { Some(Tier::T3) } else { assigned(own, tx.now().0) };
        let reached = own.zip(ceiling.filter(|ceiling| ceiling.live)).map(|(own, ceiling)| own.min(ceiling.tier));
        if reached >= TAKING.info().tier {
            let as_ = format!("{provider_name} {}", role.as_str().replace('_', " "));
            people.push(Assignee { id, name, as_, is_staff: true });
        }
    }
    people.dedup_by_key(|person| person.id);
    Ok(people)
}

/// The tier of an assignment that is live now.
fn assigned((tier, starts_at, ends_at): (Option<i64>, Option<i64>, Option<i64>), now: i64) -> Option<Tier> {
    let begun = starts_at.is_some_and(|start| start <= now);
    let over = ends_at.is_some_and(|end| end <= now);
    tier.and_then(Tier::from_i64).filter(|_| begun && !over)
}
