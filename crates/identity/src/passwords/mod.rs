//! Passwords: hashed with argon2id (the parameters stand in the stored PHC string), measured by how hard they are to guess.
//!
//! - 12 to 128 characters, and a zxcvbn score of at least 3 with the person's own name, address and organisation counted as
//!   guessable. No character classes, no expiry: they make passwords worse. A place that a person belongs to may ask for them all the
//!   same ([`kernel::rules`]); the strictest of all their places counts.
//! - Hashing is heavy on purpose, so as many run at once as there are cores; who waits longer than [`WAIT`] is told to come back.
//! - A hash made with weaker parameters than today's is made anew when its password is next given.
//! - Whoever gives their own password again (to change it, or their second factor) is counted like somebody signing in.
//!
//! Not here: passwords that were leaked elsewhere are not looked up, since nothing of a password may leave the installation.

#[cfg(test)]
mod asked_tests;
mod demands;
mod http;
mod pool;
mod store;
#[cfg(test)]
mod tests;

use kernel::validate::Check;
use kernel::{ReadTx, Result, WriteTx, scope};
use serde::Deserialize;

use crate::Secret;
use crate::sessions;
use crate::sign_in::{Again, Tries};

pub(crate) use demands::{Demands, set};
pub use http::router;
pub(crate) use pool::Checked;
pub use pool::{Pool, WAIT};

/// Fewest characters of a password.
pub const LENGTH_MIN: usize = 12;
/// Most characters of a password.
pub const LENGTH_MAX: usize = 128;

/// A new password for oneself.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PasswordUpdate {
    /// The password until now.
    pub current: Secret,
    /// The password from now on.
    pub new: Secret,
}

/// What the current password was checked against, and the new one's hash.
pub(crate) struct Ready {
    old_hash: String,
    new_hash: String,
}

/// The signed-in person's own password, given again and found right.
pub(crate) struct Confirmed(String);

/// Checks the current password and the new one, outside of any write.
///
/// # Errors
/// `Invalid` with both fields, `TooMany`, `Unavailable`.
pub(crate) async fn prepare(mut tx: ReadTx<scope::Own>, body: PasswordUpdate) -> Result<Ready> {
    let (person, hub) = (tx.scope.person, tx.hub().clone());
    let demands = Demands::of_person(&mut tx, person).await?;
    let is_same = body.current.expose() == body.new.expose();
    let mut check = Check::new();
    let old_hash = match give_again(tx, "current", body.current, &mut check).await? {
        Some(Confirmed(hash)) => hash,
        None => String::new(),
    };
    if is_same {
        check.fail("new", "unchanged", "is the password you have already; choose another");
    } else {
        demands.check(&hub, "new", &body.new, &mut check).await?;
    }
    check.done()?;
    Ok(Ready { old_hash, new_hash: hub.port::<Pool>().hash(body.new).await? })
}

/// Changes the signed-in person's password. Their other sessions end.
///
/// # Errors
/// `Changed` when the password was changed meanwhile.
pub(crate) async fn update(tx: &mut WriteTx<scope::Own>, ready: Ready) -> Result<()> {
    let (person, name) = (tx.scope.person, tx.me()?.name.clone());
    tx.subject("person", person, name);
    set(tx, person, &ready.old_hash, &ready.new_hash).await?;
    sessions::end_others(tx).await?;
    Ok(())
}

/// The signed-in person's own password, checked before an act that needs it. Takes the reader, so that none is held meanwhile.
///
/// # Errors
/// `Invalid` at `field`, `TooMany`, `Unavailable`.
pub(crate) async fn confirm(tx: ReadTx<scope::Own>, field: &'static str, password: Secret) -> Result<Confirmed> {
    let mut check = Check::new();
    let confirmed = give_again(tx, field, password, &mut check).await?;
    check.done()?;
    confirmed.ok_or_else(|| kernel::Error::internal("a wrong password passed the check"))
}

impl Confirmed {
    /// The password is still the one that was checked, now that the act has begun.
    ///
    /// # Errors
    /// `Changed`.
    pub(crate) async fn still(&self, tx: &mut WriteTx<scope::Own>) -> Result<()> {
        if store::hash_of(tx).await? == self.0 { Ok(()) } else { Err(kernel::Error::Changed) }
    }
}

/// The same where nothing but the password is asked for: a wrong one is no wrong field, but nobody's credentials.
///
/// # Errors
/// `BadCredentials`, `TooMany`, `Unavailable`.
pub(crate) async fn prove(tx: ReadTx<scope::Own>, password: Secret) -> Result<Confirmed> {
    give_again(tx, "password", password, &mut Check::new()).await?.ok_or(kernel::Error::BadCredentials)
}

async fn give_again(mut tx: ReadTx<scope::Own>, field: &str, password: Secret, check: &mut Check) -> Result<Option<Confirmed>> {
    let hub = tx.hub().clone();
    let attempt = hub.port::<Tries>().admit_again(Again::Password, tx.scope.person, tx.now())?;
    let stored = store::hash_of(&mut tx).await?;
    drop(tx);
    let checked = hub.port::<Pool>().check(password, Some(stored.clone())).await.inspect_err(|_| attempt.forget())?;
    if !checked.is_right {
        check.fail(field, "wrong", "is not your password");
        return Ok(None);
    }
    attempt.succeeded();
    Ok(Some(Confirmed(stored)))
}
