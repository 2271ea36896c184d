//! Signing in: address and password, and a code where there is a second factor.
//!
//! - An account that does not exist, one that is disabled and a wrong password are answered with the same bytes after the same work.
//! - Failures are counted per account and per address ([`Tries`]); codes count like passwords, and a right password alone clears
//!   nothing.
//! - With a second factor the right password gives a half session: ten minutes, good for the code and for leaving. The code turns
//!   it into another session with another token.
//! - A failure is in the ledger under the account's name. An address without an account, a password or a code is nowhere.
//!
//! Not here: signing in with passkeys or another identity provider; locking accounts for good (a stranger could lock out anybody).

mod http;
mod store;
#[cfg(test)]
mod tests;
mod tries;

use kernel::ids::SessionId;
use kernel::{Error, PersonId, PublicCx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::me::{self, Me};
use crate::passwords::{Checked, Pool};
use crate::sessions::{self, Cookie, Kind, Origin};
use crate::totp::{self, Taken};

pub use http::router;
pub(crate) use store::{Account, account, is_still};
pub use tries::Tries;
pub(crate) use tries::{Again, Attempt};

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SessionCreate {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: Secret,
}

/// The second factor.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SessionVerify {
    /// Six digits of the authenticator app, or a recovery code.
    pub code: Secret,
}

/// How far somebody got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// All the way.
    SignedIn,
    /// The second factor is missing.
    SecondFactor,
}

/// What a password led to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionStep {
    /// How far.
    pub state: Step,
    /// Who it is, once signed in.
    pub me: Option<Me>,
}

/// What a code led to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionVerified {
    /// Signed in.
    pub state: Step,
    /// Who it is.
    pub me: Me,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: i64,
}

/// A try whose password was checked, right or wrong.
pub(crate) struct Tried {
    account: Option<Account>,
    checked: Checked,
    pub(crate) attempt: Attempt,
}

/// Checks address and password, outside of any write.
///
/// # Errors
/// `TooMany`, `Unavailable`. Whether it was right is only said by [`enter`], which leaves it in the ledger.
pub(crate) async fn check(cx: &PublicCx, body: SessionCreate) -> Result<Tried> {
    let email = body.email.trim().to_lowercase();
    let attempt = cx.hub().port::<Tries>().admit(&email, &cx.address, cx.hub().now())?;
    let found = async {
        let mut tx = cx.look::<access::actions::SessionCreate>().await?;
        let account = account(&mut tx, &email).await?;
        drop(tx);
        let stored = account.as_ref().map(|account| account.password_hash.clone());
        let checked = cx.hub().port::<Pool>().check(body.password, stored).await?;
        Ok((account, checked))
    };
    let (account, checked) = found.await.inspect_err(|_: &Error| attempt.forget())?;
    Ok(Tried { account, checked, attempt })
}

/// Lets somebody in whose password was right.
///
/// # Errors
/// `BadCredentials` for everything else.
pub(crate) async fn enter(tx: &mut WriteTx<scope::Public>, tried: Tried, from: Origin) -> Result<(Cookie, SessionStep)> {
    let entered = admit(tx, &tried, from).await;
    match &entered {
        // The password alone is half of it: a second factor that is guessed at goes on being counted.
        Ok((_, step)) if step.state == Step::SecondFactor => tried.attempt.forget(),
        _ => return tried.attempt.settle(entered),
    }
    entered
}

async fn admit(tx: &mut WriteTx<scope::Public>, tried: &Tried, from: Origin) -> Result<(Cookie, SessionStep)> {
    let Some(account) = &tried.account else { return Err(Error::BadCredentials) };
    tx.act_as(account.id, &account.name);
    if !tried.checked.is_right || !store::is_still(tx, account).await? {
        return Err(Error::BadCredentials);
    }
    if let Some(hash) = &tried.checked.rehashed {
        store::rehash(tx, account.id, hash).await?;
    }
    if from.is_new() {
        tx.keeps_authority();
    }
    tx.subject("person", account.id, account.name.clone());
    start(tx, account.id, account.second_factor, from).await
}

/// Starts a session for somebody whose password was right: half of one when the second factor is missing.
pub(crate) async fn start(
    tx: &mut WriteTx<scope::Public>,
    person: PersonId,
    second_factor: bool,
    from: Origin,
) -> Result<(Cookie, SessionStep)> {
    let kind = if second_factor { Kind::Half } else { Kind::Full { second_factor_at: None } };
    let (session, cookie) = sessions::start(tx, person, kind, &from).await?;
    let step = if second_factor {
        SessionStep { state: Step::SecondFactor, me: None }
    } else {
        SessionStep { state: Step::SignedIn, me: Some(me::of(tx, person, session, from.brand).await?) }
    };
    Ok((cookie, step))
}

/// Somebody whose password was right, before their code is looked at.
pub(crate) struct Waiting {
    person: PersonId,
    name: String,
    session: SessionId,
    password_at: Option<Timestamp>,
    attempt: Attempt,
}

/// The half session of this request, if it may try a code now.
///
/// # Errors
/// `NotSignedIn`, `Conflict` for a whole session, `TooMany`.
pub(crate) fn waiting(cx: &PublicCx) -> Result<Waiting> {
    let caller = cx.caller.as_ref().ok_or(Error::NotSignedIn)?;
    if !caller.half {
        return Err(Error::Conflict("This session waits for no code: you are signed in.".into()));
    }
    let attempt = cx.hub().port::<Tries>().admit(&caller.email, &cx.address, cx.hub().now())?;
    Ok(Waiting {
        person: caller.person,
        name: caller.name.clone(),
        session: caller.session,
        password_at: caller.password_at,
        attempt,
    })
}

/// Takes the second factor: the half session ends, a whole one begins.
///
/// # Errors
/// `BadCredentials` for a code that is wrong or was used, `NotSignedIn` when the half session ended meanwhile.
pub(crate) async fn verify(
    tx: &mut WriteTx<scope::Public>,
    waiting: Waiting,
    code: &Secret,
    from: Origin,
) -> Result<(Cookie, SessionVerified)> {
    let verified = take(tx, &waiting, code, from).await;
    waiting.attempt.settle(verified)
}

async fn take(
    tx: &mut WriteTx<scope::Public>,
    waiting: &Waiting,
    code: &Secret,
    from: Origin,
) -> Result<(Cookie, SessionVerified)> {
    let person = waiting.person;
    tx.act_as(person, &waiting.name).subject("person", person, waiting.name.clone());
    store::end_half(tx, waiting.session, person).await?;
    let taken = totp::take(tx, person, code).await?.ok_or(Error::BadCredentials)?;
    let now = tx.now();
    let (session, cookie) = sessions::start(tx, person, Kind::Full { second_factor_at: Some(now) }, &from).await?;
    if let Some(at) = waiting.password_at {
        store::password_was_given(tx, session, at).await?;
    }
    let me = me::of(tx, person, session, from.brand).await?;
    let recovery_codes_left = me.person.recovery_codes_left;
    if taken == Taken::RecoveryCode {
        tx.changed("recovery_codes", person, &Left { left: recovery_codes_left + 1 }, &Left { left: recovery_codes_left });
    }
    Ok((cookie, SessionVerified { state: Step::SignedIn, me, recovery_codes_left }))
}

/// What the ledger says of recovery codes: how many there are.
#[derive(Serialize)]
struct Left {
    left: i64,
}
