//! People a finding may be assigned to: those who could take it themselves.
//!
//! - Members whose role includes taking a finding.
//! - Staff who reach the tenant with the tier that taking needs: through a live assignment, or as provider admins through the
//!   relationship where the access mode lets them.
//!
//! It has no route of its own: posture asks for the list and checks an assignment against it, wired in the hub. It deliberately does
//! not hide names; whoever shows the list to members of a tenant that sees staff by role shows [`Assignee::as_`] for those with
//! [`Assignee::is_staff`].

mod store;
#[cfg(test)]
mod tests;

use kernel::{Hub, PersonId, Result, TenantId};
use serde::Serialize;

/// Somebody a finding may be assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Assignee {
    /// Who.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// As what: a role, or provider and role.
    #[serde(rename = "as")]
    pub as_: String,
    /// Of the provider.
    #[serde(skip)]
    pub is_staff: bool,
}

/// The people a finding of this tenant may be assigned to, members first, each by name. Who is both stands there once, as a member.
///
/// # Errors
/// The control database does not answer.
pub async fn assignable(hub: &Hub, tenant: TenantId) -> Result<Vec<Assignee>> {
    let mut tx = hub.system_read().await?;
    let mut people = store::members(&mut tx, tenant).await?;
    for staff in store::staff(&mut tx, tenant).await? {
        if people.iter().all(|known| known.id != staff.id) {
            people.push(staff);
        }
    }
    Ok(people)
}
