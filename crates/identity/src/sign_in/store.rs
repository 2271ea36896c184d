//! Accounts as they are before anybody is signed in.

use kernel::ids::SessionId;
use kernel::{Error, PersonId, ReadTx, Result, Timestamp, WriteTx, params, scope};

/// An account that somebody gave the address of.
pub(crate) struct Account {
    pub id: PersonId,
    pub name: String,
    pub password_hash: String,
    pub second_factor: bool,
}

/// The account of an address in lower case, disabled or not.
pub(crate) async fn account(tx: &mut ReadTx<scope::Public>, email: &str) -> Result<Option<Account>> {
    // Nobody has such an address, and PostgreSQL takes no NUL: look for the empty one, which nobody has either.
    let email = if email.len() > 254 || email.contains(char::is_control) { "" } else { email };
    let row =
        tx.opt("SELECT id, name, password_hash, totp_secret IS NOT NULL FROM person WHERE email = ?1", params![email]).await?;
    let Some(mut row) = row else { return Ok(None) };
    Ok(Some(Account { id: row.take()?, name: row.take()?, password_hash: row.take()?, second_factor: row.take()? }))
}

/// The account is enabled, and its password still the one that was checked. Holds the account's row until the commit, so that a
/// change of the password either comes first or finds the session that begins here.
pub(crate) async fn is_still(tx: &mut WriteTx<scope::Public>, account: &Account) -> Result<bool> {
    let now = tx.now();
    let held = tx
        .execute(
            "UPDATE person SET last_seen_at = ?3 WHERE id = ?1 AND password_hash = ?2 AND state = 'active'",
            params![account.id, account.password_hash.as_str(), now],
        )
        .await?;
    Ok(held == 1)
}

pub(super) async fn rehash(tx: &mut WriteTx<scope::Public>, person: PersonId, hash: &str) -> Result<()> {
    tx.execute("UPDATE person SET password_hash = ?2 WHERE id = ?1", params![person, hash]).await?;
    Ok(())
}

/// Notes that the password was given before this session began: with the half one that it comes from.
pub(super) async fn password_was_given(tx: &mut WriteTx<scope::Public>, session: SessionId, at: Timestamp) -> Result<()> {
    tx.execute("UPDATE session SET password_at = ?2 WHERE id = ?1", params![session, at]).await?;
    Ok(())
}

/// Ends a half session of an enabled person; it was one until now.
pub(super) async fn end_half(tx: &mut WriteTx<scope::Public>, session: SessionId, person: PersonId) -> Result<()> {
    let now = tx.now();
    let ended = tx
        .execute(
            "DELETE FROM session WHERE id = ?1 AND person_id = ?2 AND state = 'half' AND expires_at > ?3
             AND EXISTS (SELECT 1 FROM person p WHERE p.id = ?2 AND p.state = 'active')",
            params![session, person, now],
        )
        .await?;
    if ended == 1 { Ok(()) } else { Err(Error::NotSignedIn) }
}
