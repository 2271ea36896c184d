//! Lost passwords: a link by e-mail, with which a new one is set.
//!
//! - Asking is answered the same for every address, after the same work: for an address without an account the same rows are written, and
//!   lead nowhere. It is counted per account and per address like signing in, apart from it.
//! - The link is good for an hour and one use; the database has its hash. A new password makes the person's other links void.
//! - With the new password all sessions end, and with them every fresh second factor. A second factor stays and is asked for at the next
//!   sign-in; API keys stay.
//! - Where no e-mail can leave, the answer is the same, and the mail log says that it was withheld.
//!
//! Not here: asking for the second factor before a password is replaced (who has both the mailbox and the link still needs it to sign in),
//! and sending the e-mail ([`kernel::news`]).

mod http;
mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use kernel::news::{Mail, Of};
use kernel::secrets::{new_token, token_hash};
use kernel::validate::Check;
use kernel::{Error, PublicCx, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::passwords::{Demands, Pool};
use crate::sign_in::Tries;

pub use http::router;

kernel::kinds! {
    /// A link by which a lost password is replaced.
    PasswordResetKind PasswordResetId "pwr";
}

/// How long a link is good.
pub const LIFE: Duration = Duration::from_secs(3_600);

/// Whose password is lost.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PasswordResetCreate {
    /// E-mail address.
    pub email: String,
}

/// A link that is good, as whoever has it sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PasswordResetView {
    /// Which account, as far as its owner needs it: `p…@northwind.example`.
    pub email_hint: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// The password from now on.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PasswordResetAccept {
    /// 12 to 128 characters that are hard to guess.
    pub password: Secret,
}

/// An address that was asked for, checked as far as that goes outside of a write.
pub(crate) struct Asked {
    email: String,
}

/// A link and whose it is.
pub(crate) struct Reset {
    id: PasswordResetId,
    person: kernel::PersonId,
    name: String,
    email: String,
    expires_at: Timestamp,
    is_used: bool,
}

impl Reset {
    fn require_open(&self, now: Timestamp) -> Result<()> {
        let why = match (self.is_used, now >= self.expires_at) {
            (true, _) => "This link was used already. Ask for a new one if you need it.",
            (false, true) => "This link has expired. Ask for a new one.",
            (false, false) => return Ok(()),
        };
        Err(Error::Conflict(why.into()))
    }
}

/// Checks the form of the address, and whether it may be asked for now.
///
/// # Errors
/// `Invalid`, `TooMany`; the same whether an account exists or not.
pub(crate) fn check(cx: &PublicCx, body: &PasswordResetCreate) -> Result<Asked> {
    let mut check = Check::new();
    let email = check.email("email", &body.email);
    check.done()?;
    // Counts as failed and is never taken back: asking again and again waits longer and longer.
    cx.hub().port::<Tries>().admit_reset(&email, &cx.address, cx.hub().now())?;
    Ok(Asked { email })
}

/// Lays a link ready for the account of an address, if it has one that is enabled.
///
/// # Errors
/// As the store's.
pub(crate) async fn create(tx: &mut WriteTx<scope::Public>, asked: Asked) -> Result<()> {
    let account = store::account(tx, &asked.email).await?;
    let (now, token) = (tx.now(), new_token());
    let expires_at = now.after(LIFE);
    store::sweep(tx).await?;
    store::insert(tx, PasswordResetId::new(now), account.as_ref().map(|account| account.id), &token, expires_at).await?;
    let url = format!("{}/reset/{token}", tx.hub().public_url());
    let (name, of) = account.as_ref().map_or(("", Of::Installation), |account| (account.name.as_str(), account.of));
    let facts = serde_json::json!({ "name": name, "url": url, "expires_at": expires_at });
    // For nobody the same is laid ready under a name that no template has: it goes nowhere.
    let template = if account.is_some() { "password_reset" } else { "password_nobody" };
    tx.mail(&Mail { to: asked.email, person: account.as_ref().map(|account| account.id), of, template: template.into(), facts })
        .await?;
    tx.keeps_authority();
    if let Some(account) = account {
        tx.subject("person", account.id, account.name);
    }
    Ok(())
}

/// The link, if it is good.
///
/// # Errors
/// `NotFound`, `Conflict` when it was used or has expired.
pub(crate) async fn view(tx: &mut ReadTx<scope::Public>, token: &str) -> Result<PasswordResetView> {
    let reset = store::find(tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    reset.require_open(tx.now())?;
    Ok(PasswordResetView { email_hint: hint(&reset.email), expires_at: reset.expires_at })
}

/// The first character, and the domain.
fn hint(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}…@{domain}", local.chars().take(1).collect::<String>())
}

/// A new password, hashed.
pub(crate) struct Ready {
    password_hash: String,
}

/// Checks the new password, outside of any write.
///
/// # Errors
/// `NotFound`, `Conflict`, `Invalid`, `Unavailable`.
pub(crate) async fn prepare(cx: &PublicCx, token: &str, body: PasswordResetAccept) -> Result<Ready> {
    let mut tx = cx.look::<access::actions::PasswordResetAccept>().await?;
    let reset = store::find(&mut tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    reset.require_open(tx.now())?;
    let demands = Demands::of_person(&mut tx, reset.person).await?;
    drop(tx);
    let mut check = Check::new();
    demands.check(cx.hub(), "password", &body.password, &mut check).await?;
    check.done()?;
    Ok(Ready { password_hash: cx.hub().port::<Pool>().hash(body.password).await? })
}

/// Sets the new password. All sessions of the person end.
///
/// # Errors
/// `NotFound`, `Conflict` when it was used or has expired.
pub(crate) async fn accept(tx: &mut WriteTx<scope::Public>, token: &str, ready: Ready) -> Result<()> {
    let reset = store::find(tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    tx.act_as(reset.person, &reset.name).subject("person", reset.person, reset.name.clone());
    reset.require_open(tx.now())?;
    if !store::take_up(tx, reset.id).await? {
        return Err(Error::Conflict("This link was used at this moment.".into()));
    }
    store::replace(tx, reset.person, &ready.password_hash).await
}
