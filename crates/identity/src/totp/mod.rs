//! The second factor: six digits of an authenticator app (RFC 6238: SHA-1, 30 seconds, one step of grace either way), and recovery
//! codes for the day the phone is gone.
//!
//! - The secret is sealed with the installation's key, for this person. It counts once its first code was given.
//! - No code is taken twice, and none from before the last one taken: the step of the last code only moves forward.
//! - Ten recovery codes, shown once, stored as hashes, each good for one use. New ones void the old.
//! - To begin, to renew the codes and to do without takes the password; to do without takes a code as well.
//!
//! Not here: replacing the app in one step. Do without the old one (a recovery code will do), then begin anew.

mod codes;
mod http;
mod store;
#[cfg(test)]
mod tests;

use kernel::{Error, OwnCx, PersonId, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::passwords::{self, Confirmed};
use crate::sign_in::{Again, Tries};
use crate::{Secret, sessions};

pub(crate) use codes::{as_made, readable};
pub use http::router;

/// Recovery codes that a person gets at once.
pub const RECOVERY_CODES: usize = 10;

/// One's own password, again.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TotpBegin {
    /// The password.
    pub password: Secret,
}

/// What goes into the authenticator app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TotpBegun {
    /// The secret in base32, for typing.
    pub secret: String,
    /// The same as an `otpauth://` address.
    pub uri: String,
    /// The same as a QR code.
    pub qr_svg: String,
}

/// The first code of the app.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TotpConfirm {
    /// Six digits.
    pub code: Secret,
}

/// What it takes to do without.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TotpDelete {
    /// The password.
    pub password: Secret,
    /// Six digits, or a recovery code.
    pub code: Secret,
}

/// Codes for the day the phone is gone. They are shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    /// Ten codes like `xxxx-xxxx-xxxx`.
    pub recovery_codes: Vec<String>,
}

/// What was taken as a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Code,
    RecoveryCode,
}

#[derive(Serialize)]
struct SecondFactor {
    second_factor: bool,
}

/// Begins a second factor: makes the secret, which waits for its first code.
///
/// # Errors
/// `Conflict` when there is one.
pub(crate) async fn begin(tx: &mut WriteTx<scope::Own>, password: Confirmed) -> Result<TotpBegun> {
    password.still(tx).await?;
    let (person, me) = (tx.scope.person, tx.me()?.clone());
    tx.subject("person", person, me.name);
    let secret = codes::new_secret();
    if !store::keep_pending(tx, &seal(tx, person, secret.as_slice())).await? {
        return Err(Error::Conflict("You have a second factor. Remove it first, then begin anew.".into()));
    }
    tx.keeps_authority();
    codes::begun(secret.as_slice(), &me.email)
}

/// Takes the first code: from now on the person signs in with one. Their other sessions end.
///
/// # Errors
/// `Invalid` at `code`, `Conflict` when nothing waits for a code.
pub(crate) async fn confirm(tx: &mut WriteTx<scope::Own>, code: &Secret) -> Result<RecoveryCodes> {
    let (person, name, session) = (tx.scope.person, tx.me()?.name.clone(), tx.me()?.session);
    tx.subject("person", person, name);
    let pending = store::pending(tx).await?;
    let pending = pending.ok_or_else(|| Error::Conflict("No second factor waits for its first code. Begin one.".into()))?;
    let secret = tx.hub().master_key().open(&label(person), &pending)?;
    let step = codes::step_of(&secret, code, tx.now()).ok_or_else(wrong_code)?;
    if !store::confirm(tx, &pending, step, session).await? {
        return Err(Error::Changed);
    }
    let codes = new_recovery_codes(tx).await?;
    sessions::end_others(tx).await?;
    tx.changed("person", person, &SecondFactor { second_factor: false }, &SecondFactor { second_factor: true });
    Ok(codes)
}

/// Does without a second factor from now on.
///
/// # Errors
/// `Invalid` at `code`, `Conflict` when there is none.
pub(crate) async fn delete(tx: &mut WriteTx<scope::Own>, password: Confirmed, code: &Secret) -> Result<()> {
    password.still(tx).await?;
    let (person, name) = (tx.scope.person, tx.me()?.name.clone());
    tx.subject("person", person, name);
    require_second_factor(tx).await?;
    // A code that somebody guesses at, who has the password, is counted as well.
    let attempt = tx.hub().port::<Tries>().admit_again(Again::Code, person, tx.now())?;
    take(tx, person, code).await?.ok_or_else(wrong_code)?;
    attempt.succeeded();
    store::delete(tx).await?;
    tx.changed("person", person, &SecondFactor { second_factor: true }, &SecondFactor { second_factor: false });
    Ok(())
}

/// Makes new recovery codes; the old ones are void.
///
/// # Errors
/// `Conflict` without a second factor.
pub(crate) async fn renew_recovery_codes(tx: &mut WriteTx<scope::Own>, password: Confirmed) -> Result<RecoveryCodes> {
    password.still(tx).await?;
    let (person, name) = (tx.scope.person, tx.me()?.name.clone());
    tx.subject("person", person, name).keeps_authority();
    require_second_factor(tx).await?;
    new_recovery_codes(tx).await
}

/// Takes a code or a recovery code of somebody signed in, counted like the codes of somebody signing in.
///
/// # Errors
/// `BadCredentials`, `TooMany`.
pub(crate) async fn take_again(tx: &mut WriteTx<scope::Own>, code: &Secret) -> Result<Taken> {
    let person = tx.scope.person;
    let attempt = tx.hub().port::<Tries>().admit_again(Again::Code, person, tx.now())?;
    let taken = take(tx, person, code).await.and_then(|taken| taken.ok_or(Error::BadCredentials));
    attempt.settle(taken)
}

/// The signed-in person's password, checked before an act that needs it.
async fn confirmed<A>(cx: &OwnCx, password: Secret) -> Result<Confirmed>
where
    A: access::Action<Plane = access::plane::Own, Door = access::door::Write>,
{
    passwords::confirm(cx.look::<A>().await?, "password", password).await
}

/// Takes a code or a recovery code of an enabled person, which cannot be taken again. None: it is wrong, or was taken.
///
/// # Errors
/// As the store's.
pub(crate) async fn take<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId, code: &Secret) -> Result<Option<Taken>> {
    let text = code.expose().trim();
    if !codes::is_code(text) {
        let taken = store::use_recovery_code(tx, person, &codes::hash_of(person, text)).await?;
        return Ok(taken.then_some(Taken::RecoveryCode));
    }
    let Some(sealed) = store::secret_of(tx, person).await? else { return Ok(None) };
    let secret = tx.hub().master_key().open(&label(person), &sealed)?;
    let Some(step) = codes::step_of(&secret, code, tx.now()) else { return Ok(None) };
    Ok(store::move_forward(tx, person, step).await?.then_some(Taken::Code))
}

async fn require_second_factor(tx: &mut WriteTx<scope::Own>) -> Result<()> {
    let person = tx.scope.person;
    let found = store::secret_of(tx, person).await?;
    found.map(drop).ok_or_else(|| Error::Conflict("You have no second factor.".into()))
}

async fn new_recovery_codes(tx: &mut WriteTx<scope::Own>) -> Result<RecoveryCodes> {
    let person = tx.scope.person;
    let recovery_codes: Vec<String> = (0..RECOVERY_CODES).map(|_| codes::new_recovery_code()).collect();
    let hashes = recovery_codes.iter().map(|code| codes::hash_of(person, code)).collect();
    store::replace_recovery_codes(tx, hashes).await?;
    Ok(RecoveryCodes { recovery_codes })
}

fn seal<S: scope::Control>(tx: &WriteTx<S>, person: PersonId, secret: &[u8]) -> Vec<u8> {
    tx.hub().master_key().seal(&label(person), secret)
}

fn label(person: PersonId) -> String {
    format!("totp of {person}")
}

fn wrong_code() -> Error {
    Error::field("code", "wrong", "is not the code of this moment, or was used already; wait for the next one")
}
