//! A person's second factor and recovery codes.

use kernel::ids::SessionId;
use kernel::store::Query;
use kernel::{Error, PersonId, Result, WriteTx, params, scope};

/// Keeps a secret that waits for its first code, unless a second factor exists.
pub(super) async fn keep_pending(tx: &mut WriteTx<scope::Own>, sealed: &[u8]) -> Result<bool> {
    let person = tx.scope.person;
    let kept =
        tx.execute("UPDATE person SET totp_pending = ?2 WHERE id = ?1 AND totp_secret IS NULL", params![person, sealed]).await?;
    Ok(kept == 1)
}

pub(super) async fn pending(tx: &mut WriteTx<scope::Own>) -> Result<Option<Vec<u8>>> {
    let person = tx.scope.person;
    let mut row = tx.opt("SELECT totp_pending FROM person WHERE id = ?1", params![person]).await?.ok_or(Error::NotSignedIn)?;
    Ok(row.take()?)
}

/// Makes the waiting secret count, with the step of its first code taken, and the session one with a second factor.
pub(super) async fn confirm(tx: &mut WriteTx<scope::Own>, pending: &[u8], step: i64, session: SessionId) -> Result<bool> {
    let (person, now) = (tx.scope.person, tx.now());
    let confirmed = tx
        .execute(
            "UPDATE person SET totp_secret = totp_pending, totp_pending = NULL, totp_last_step = ?3, version = version + 1
             WHERE id = ?1 AND totp_pending = ?2 AND totp_secret IS NULL",
            params![person, pending, step],
        )
        .await?;
    tx.execute("UPDATE session SET second_factor_at = ?3 WHERE id = ?2 AND person_id = ?1", params![person, session, now]).await?;
    Ok(confirmed == 1)
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Own>) -> Result<()> {
    let person = tx.scope.person;
    tx.execute("UPDATE person SET totp_secret = NULL, totp_pending = NULL, version = version + 1 WHERE id = ?1", params![person])
        .await?;
    tx.execute("DELETE FROM recovery_code WHERE person_id = ?1", params![person]).await?;
    Ok(())
}

pub(super) async fn replace_recovery_codes(tx: &mut WriteTx<scope::Own>, hashes: Vec<Vec<u8>>) -> Result<()> {
    let person = tx.scope.person;
    tx.execute("DELETE FROM recovery_code WHERE person_id = ?1", params![person]).await?;
    let mut insert = Query::new("INSERT INTO recovery_code (person_id, hash) VALUES ");
    for (index, hash) in hashes.into_iter().enumerate() {
        insert.push(if index == 0 { "(" } else { ", (" }).bind(person).push(", ").bind(hash).push(")");
    }
    tx.execute_query(&insert).await?;
    Ok(())
}

/// The sealed secret of an enabled person.
pub(super) async fn secret_of<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId) -> Result<Option<Vec<u8>>> {
    let row = tx.opt("SELECT totp_secret FROM person WHERE id = ?1 AND state = 'active'", params![person]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?.flatten())
}

/// Takes the code of a step: only a later one than the last is taken, and of two at once only one.
pub(super) async fn move_forward<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId, step: i64) -> Result<bool> {
    let moved =
        tx.execute("UPDATE person SET totp_last_step = ?2 WHERE id = ?1 AND totp_last_step < ?2", params![person, step]).await?;
    Ok(moved == 1)
}

pub(super) async fn use_recovery_code<S: scope::Control>(tx: &mut WriteTx<S>, person: PersonId, hash: &[u8]) -> Result<bool> {
    let now = tx.now();
    let used = tx
        .execute(
            "UPDATE recovery_code SET used_at = ?3 WHERE person_id = ?1 AND hash = ?2 AND used_at IS NULL",
            params![person, hash, now],
        )
        .await?;
    Ok(used == 1)
}
