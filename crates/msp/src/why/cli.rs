//! The explainer for the person at the machine: `tenantry why`.

use access::Subject;
use kernel::{Error, Hub, Result};

use super::{WhatCan, WhoCan, Why, action, explain, store, what_can, who_can};

/// Whether a person may do something in a tenant, and why.
///
/// # Errors
/// `Invalid` for an action that there is not, `NotFound` without such a tenant.
pub async fn why(hub: &Hub, tenant: &str, person: &str, name: &str) -> Result<Why> {
    let act = action(name)?;
    let mut tx = hub.system_read().await?;
    let person = store::person(&mut tx, person).await?;
    let stands = tx.stands_anywhere(tenant, person).await?.ok_or(Error::NotFound)?;
    Ok(explain(hub, &stands, person, act, Subject::Any))
}

/// Who may do something in a tenant, by name.
///
/// # Errors
/// As [`why`].
pub async fn who(hub: &Hub, tenant: &str, name: &str) -> Result<Vec<WhoCan>> {
    let act = action(name)?;
    let stands = hub.system_read().await?.stands_anywhere(tenant, None).await?.ok_or(Error::NotFound)?;
    Ok(stands.all().iter().map(|stand| who_can(hub, stand, act)).filter(|answer| answer.allowed).collect())
}

/// What a person may do in a tenant.
///
/// # Errors
/// As [`why`].
pub async fn what(hub: &Hub, tenant: &str, person: &str) -> Result<WhatCan> {
    let mut tx = hub.system_read().await?;
    let found = store::person(&mut tx, person).await?;
    let stands = tx.stands_anywhere(tenant, found).await?.ok_or(Error::NotFound)?;
    Ok(found.map_or(WhatCan { person: None, items: Vec::new() }, |person| what_can(hub, &stands, person)))
}
