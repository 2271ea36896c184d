//! The installation's licence: how many tenants may exist, until when.
//!
//! - A signed file ([`LicenceFile`], README.md beside this file) from an issuer that the hub trusts: those embedded in it (`issuers.txt`),
//!   and those that the operator names (`licence_issuers`). It is checked again whenever it is used, so that a row changed behind the
//!   hub's back is worth nothing.
//! - Without a licence the installation is being evaluated: there is no bound but the providers' own.
//! - Tenants are counted over all providers, live, when one is made; those who make one at the same time wait for each other. Archived
//!   ones count, purged ones don't. After the licence's end new ones may be made for its days of grace, then none. Everything that runs
//!   goes on, and nothing is deleted.
//! - On a standalone installation ([`crate::standalone`]) an organisation's own admin activates the licence: in one commit there is a
//!   provider, they are its first admin, the organisation is its first client, and everybody there is told once. On any other the operator
//!   renews it (`tenantry licence activate`).
//! - 30, 7 and 1 days before the end, and at it, every provider at the top is alerted (`licence_expiring`); a renewal ends that.
//!
//! What this deliberately does not do: ask anybody over the network, stop anything that runs, or limit what a provider sells its clients
//! (that is its plans' business).

mod file;
mod http;
mod operator;
mod store;
#[cfg(test)]
mod tests;
mod upgrade;
mod warn;

pub use file::{Issuer, Issuers, LicenceFile, LicenceProblem, LicenceState, Terms, check};
pub(crate) use http::router;
use kernel::news::{Alert, Of, Urgency};
use kernel::{Error, Hub, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
pub use operator::{OperatorActivate, OperatorActivated, activate_as_operator};
use serde::Serialize;
use serde_json::json;
pub(crate) use upgrade::notice_of;
pub use upgrade::{Activated, LicenceActivate, Linked, NamedProvider, NamedTenant, Notice, NoticeKind, activate};
pub use warn::warn_due;

kernel::kinds! {
    /// A licence.
    LicenceKind LicenceId "lic";
}

/// The licence that counts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Licence {
    /// Its id.
    pub id: LicenceId,
    /// Who bought it.
    pub customer: String,
    /// Tenants that may exist; `null`: any number.
    pub tenants_max: Option<i64>,
    /// From when it counts.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Days after that in which new tenants may still be made.
    pub grace_days: i64,
    /// The id of the issuer's key.
    pub issuer: String,
    /// Who that is, where this installation knows it.
    pub issuer_name: Option<String>,
    /// Where it stands now.
    pub state: LicenceState,
    /// Why it does not count although it was activated: its issuer is not trusted any more, or it was changed. Then it is `expired`.
    pub problem: Option<String>,
}

/// Tenants against the licence.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LicensedTenants {
    /// How many there are, over all providers, archived ones too.
    pub used: i64,
    /// How many there may be; `null`: any number.
    pub max: Option<i64>,
}

/// The licence page.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MspLicence {
    /// The licence; `null`: the installation is being evaluated.
    pub licence: Option<Licence>,
    /// Tenants against it.
    pub tenants: LicensedTenants,
    /// What there is to be told of its activation.
    pub notice: Option<Notice>,
}

/// The licence, how many tenants there are, and what there is to be told.
///
/// # Errors
/// As the store's.
pub async fn view(tx: &mut ReadTx<scope::Provider>) -> Result<MspLicence> {
    let licence = current(tx).await?;
    let used = store::tenants(tx).await?;
    let notice = match store::notice(tx).await? {
        Some((at, facts)) => Some(Notice::read(at, facts)?),
        None => None,
    };
    let max = licence.as_ref().and_then(|licence| licence.tenants_max);
    Ok(MspLicence { tenants: LicensedTenants { used, max }, licence, notice })
}

/// The licence that counts, checked.
pub(crate) async fn current<S: scope::Control>(tx: &mut ReadTx<S>) -> Result<Option<Licence>> {
    let Some(stored) = store::newest(tx).await? else { return Ok(None) };
    let hub = tx.hub().clone();
    shown(&stored, &hub.port::<Issuers>(), hub.now()).map(Some)
}

fn shown(stored: &store::Stored, issuers: &Issuers, now: Timestamp) -> Result<Licence> {
    let file = LicenceFile::read(&stored.file).map_err(Error::internal)?;
    let issuer = file.issuer(issuers);
    let state = if issuer.is_ok() { file.licence.state_at(now) } else { LicenceState::Expired };
    let (issuer_id, terms) = (file.issuer_id(), file.licence.clone());
    Ok(Licence {
        id: terms.id,
        customer: terms.customer,
        tenants_max: terms.tenants_max,
        issued_at: terms.issued_at,
        expires_at: terms.expires_at,
        grace_days: terms.grace_days,
        issuer: issuer_id,
        issuer_name: issuer.as_ref().ok().map(|issuer| issuer.name.clone()),
        state,
        problem: issuer.err().map(|problem| format!("The licence {problem}.")),
    })
}

/// The licence has room for one more tenant. To be asked in the transaction that makes it: whoever makes one at the same time waits.
///
/// # Errors
/// `Licence`, with what to do.
pub async fn check_room<S: scope::Control>(tx: &mut WriteTx<S>) -> Result<()> {
    if store::newest(tx).await?.is_none() {
        return Ok(());
    }
    store::lock(tx).await?;
    let Some(licence) = current(tx).await? else { return Ok(()) };
    if let Some(problem) = licence.problem {
        return Err(Error::Licence(format!("{problem} Until then no organisation can be added; everything that runs goes on.")));
    }
    if licence.state == LicenceState::Expired {
        let end = licence.expires_at;
        return Err(Error::Licence(format!(
            "The licence of this installation has expired on {end}, and its days of grace are over. Have it renewed to add an \
             organisation; everything that runs goes on."
        )));
    }
    let Some(max) = licence.tenants_max else { return Ok(()) };
    let used = store::tenants(tx).await?;
    if used < max {
        return Ok(());
    }
    Err(Error::Licence(format!(
        "The licence of this installation is for {max} organisations and there are {used}. Purge one that is not needed any more, or have \
         the licence extended."
    )))
}

/// Puts a checked licence into force, in the transaction of whoever activates it; answers false when it is in force already. Alerts about
/// the end of the one before are over.
async fn enforce<S: scope::Control>(tx: &mut WriteTx<S>, text: &str, by: Option<PersonId>) -> Result<(Terms, bool)> {
    let hub = tx.hub().clone();
    let file = check(text, &hub.port::<Issuers>(), tx.now())?;
    store::lock(tx).await?;
    let newest = store::newest(tx).await?;
    let number = newest.as_ref().map_or(1, |stored| stored.number + 1);
    let before = newest.map(|stored| LicenceFile::read(&stored.file)).transpose().map_err(Error::internal)?;
    if let Some(before) = &before {
        if before.licence == file.licence {
            return Ok((file.licence, false));
        }
        if file.licence.issued_at < before.licence.issued_at {
            let text = "was issued before the one that is in force. Activate the newest one";
            return Err(Error::field("licence", "superseded", text));
        }
    }
    store::insert(tx, (number, file.licence.id), text.trim(), by).await?;
    tx.changed("msp_licence", file.licence.id, &before.as_ref().map(|before| &before.licence), &file.licence);
    if let Some(before) = before {
        raise(tx, &before.licence, 0, true).await?;
    }
    Ok((file.licence, true))
}

/// Tells every provider at the top how many days the licence has left, or that this is over.
async fn raise<S: scope::Control>(tx: &mut WriteTx<S>, terms: &Terms, days: i64, is_over: bool) -> Result<()> {
    let urgency = match days {
        30.. => Urgency::Info,
        2..30 => Urgency::Warning,
        _ => Urgency::Critical,
    };
    for provider in store::at_the_top(tx).await? {
        tx.alert(&Alert {
            of: Of::Provider(provider),
            rule: "licence_expiring".into(),
            subject: terms.id.to_string(),
            label: terms.customer.clone(),
            urgency,
            facts: json!({ "expires_at": terms.expires_at, "grace_until": terms.grace_until(), "days_left": days }),
            is_over,
        })
        .await?;
    }
    Ok(())
}

/// Puts the issuers whose licences count into the hub.
pub fn provide(hub: &Hub, issuers: Issuers) {
    hub.provide(issuers);
}
