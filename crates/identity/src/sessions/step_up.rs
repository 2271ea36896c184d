//! Proving again that it is the person, in a session that goes on.

use kernel::validate::Check;
use kernel::{Error, ReadTx, Result, WriteTx, scope};
use serde::{Deserialize, Serialize};

use super::store;
use crate::Secret;
use crate::passwords::{self, Confirmed};
use crate::totp::{self, Taken};

/// What somebody proves again by: the code where there is a second factor, the password where there is none. The password alone, where
/// there is a second factor, is for places that want the password when staff enter; it makes nothing else fresh.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct StepUp {
    /// Six digits of the authenticator app, or a recovery code.
    pub code: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
}

/// What was given, with a password checked already.
pub(crate) enum Proof {
    /// A code, to be taken in the act.
    Code(Secret),
    /// The right password of somebody who has no second factor.
    Password(Confirmed),
    /// The right password, beside a second factor that was not asked for.
    PasswordAlone(Confirmed),
}

/// What the ledger says of recovery codes: how many there are.
#[derive(Serialize)]
struct Left {
    left: i64,
}

/// Looks at what was given, outside of any write: whether it is what this person proves by, and a password whether it is right.
///
/// # Errors
/// `Invalid`, `BadCredentials`, `TooMany`, `Unavailable`.
pub(crate) async fn prepare(mut tx: ReadTx<scope::Own>, body: StepUp) -> Result<Proof> {
    let has_second_factor = store::has_second_factor(&mut tx).await?;
    let mut check = Check::new();
    match (has_second_factor, body.code, body.password) {
        (true, Some(code), None) => return Ok(Proof::Code(code)),
        (false, None, Some(password)) => return Ok(Proof::Password(passwords::prove(tx, password).await?)),
        (true, None, Some(password)) => return Ok(Proof::PasswordAlone(passwords::prove(tx, password).await?)),
        (true, None, None) => check.fail("code", "missing", "is missing: you have a second factor"),
        (true, Some(_), Some(_)) => check.fail("password", "unexpected", "is not taken: you have a second factor"),
        (false, _, None) => check.fail("password", "missing", "is missing: you have no second factor"),
        (false, Some(_), Some(_)) => check.fail("code", "unexpected", "is not taken: you have no second factor"),
    };
    check.done()?;
    Err(Error::internal("a proof that is wrong passed the check"))
}

/// Makes the session that asks a fresh one.
///
/// # Errors
/// `BadCredentials` for a code that is wrong or was used, `TooMany`, `Changed` when password or second factor changed meanwhile,
/// `NotSignedIn` when the session ended.
pub(crate) async fn step_up(tx: &mut WriteTx<scope::Own>, proof: Proof) -> Result<()> {
    let (person, session) = (tx.scope.person, tx.me()?.session);
    tx.subject("session", session, None);
    match proof {
        Proof::Code(code) => {
            if totp::take_again(tx, &code).await? == Taken::RecoveryCode {
                let left = store::recovery_codes_left(tx).await?;
                tx.changed("recovery_codes", person, &Left { left: left + 1 }, &Left { left });
            }
        }
        Proof::Password(password) => {
            password.still(tx).await?;
            if store::has_second_factor(tx).await? {
                return Err(Error::Changed);
            }
            store::note_password(tx, session).await?;
        }
        Proof::PasswordAlone(password) => {
            password.still(tx).await?;
            return store::note_password(tx, session).await;
        }
    }
    store::freshen(tx, session).await
}
