//! Which grant an action needs, in words, from its line in the catalogue.
use crate::catalogue::{Info, Plane};
use crate::words::{StaffRole, TenantRole, Tier};

pub(crate) fn needs(info: &Info) -> String {
    match info.plane {
        Plane::Data | Plane::Records => inside(info),
        Plane::Provider if info.staff.contains(&StaffRole::Technician) => "the staff role technician or provider admin".into(),
        Plane::Provider if info.flags.sub_providers => "the staff role provider admin, where sub-providers are enabled".into(),
        Plane::Provider => "the staff role provider admin".into(),
        Plane::Client => "the staff role provider admin at this organisation's provider".into(),
        Plane::Own => "to be signed in as this person".into(),
        Plane::Public => "nothing".into(),
    }
}

/// `T2 Operate (create) or the role auditor or admin`
fn inside(info: &Info) -> String {
    let mut ways = Vec::new();
    if let Some(tier) = info.tier {
        let setting = if info.flags.tier1_by_setting { ", T1 Monitor where the organisation allows it" } else { "" };
        ways.push(format!("{} ({}){setting}", tier_words(tier), info.op.as_str()));
    }
    if info.roles.len() == TenantRole::ALL.len() {
        ways.push("any role in the organisation".into());
    } else if !info.roles.is_empty() {
        let roles: Vec<&str> = info.roles.iter().map(|r| r.as_str()).collect();
        ways.push(format!("the role {}", roles.join(" or ")));
    }
    ways.join(" or ")
}

/// `T2 Operate`
pub(crate) fn tier_words(tier: Tier) -> String {
    format!("{tier} {}", tier.name())
}
