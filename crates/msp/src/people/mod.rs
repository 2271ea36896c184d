//! People a finding may be assigned to: those who could take it themselves.
//!
//! The access rule itself says who that is, so an elevation counts and a freeze does.
//!
//! It has no route of its own: posture asks for the list and checks an assignment against it, wired in the hub. It deliberately does
//! not hide names; whoever shows the list to members of a tenant that sees staff by role shows [`Assignee::as_`] for those with
//! [`Assignee::is_staff`].

#[cfg(test)]
mod tests;

use access::{Act, Subject};
use kernel::door::{Memo, Stand};
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
    let Some(stands) = tx.stands_anywhere(&tenant.to_string(), None).await? else { return Ok(Vec::new()) };
    let mut memo = Memo::default();
    let able = stands.all().into_iter().filter(|stand| stand.enabled && memo.may(hub, stand).contains(&Act::FindingTake));
    let mut people: Vec<_> = able.map(|stand| as_assignee(hub, &stand)).collect();
    people.sort_by_key(|person| person.is_staff);
    Ok(people)
}

/// As what they could take it: through the first grant that lets them.
fn as_assignee(hub: &Hub, stand: &Stand) -> Assignee {
    let grant = stand.explain(hub, Act::FindingTake, Subject::Any).through.swap_remove(0).grant;
    let role = grant.role.unwrap_or_default().replace('_', " ");
    let is_staff = grant.provider.is_some();
    let as_ = grant.provider.map_or_else(|| role.clone(), |provider| format!("{} {role}", provider.name));
    Assignee { id: stand.person, name: stand.name.clone(), as_, is_staff }
}
