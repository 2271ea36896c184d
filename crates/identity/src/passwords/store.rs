//! A person's password hash, and what is known of the person.

use kernel::{Error, ReadTx, Result, WriteTx, params, scope};

/// The person's stored hash.
pub(super) async fn hash_of(tx: &mut ReadTx<scope::Own>) -> Result<String> {
    let person = tx.scope.person;
    let mut row = tx.opt("SELECT password_hash FROM person WHERE id = ?1", params![person]).await?.ok_or(Error::NotSignedIn)?;
    Ok(row.take()?)
}

/// Address, name and organisations: what somebody who guesses knows as well.
pub(super) async fn about(tx: &mut ReadTx<scope::Own>) -> Result<Vec<String>> {
    let (person, me) = (tx.scope.person, tx.me()?.clone());
    let rows = tx
        .rows(
            "SELECT v.name FROM staff s JOIN provider v ON v.id = s.provider_id WHERE s.person_id = ?1
             UNION SELECT t.name FROM member m JOIN tenant t ON t.id = m.tenant_id WHERE m.person_id = ?1 LIMIT 20",
            params![person],
        )
        .await?;
    let mut about = vec![me.email, me.name];
    for mut row in rows {
        about.push(row.take()?);
    }
    Ok(about)
}

/// Puts another hash in the place of the one that was checked.
pub(super) async fn replace(tx: &mut WriteTx<scope::Own>, old: &str, new: &str) -> Result<()> {
    let person = tx.scope.person;
    let changed = tx
        .execute(
            "UPDATE person SET password_hash = ?3, version = version + 1 WHERE id = ?1 AND password_hash = ?2",
            params![person, old, new],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Changed) }
}
