//! A person's password hash.

use kernel::{Error, ReadTx, Result, params, scope};

/// The person's stored hash.
pub(super) async fn hash_of(tx: &mut ReadTx<scope::Own>) -> Result<String> {
    let person = tx.scope.person;
    let mut row = tx.opt("SELECT password_hash FROM person WHERE id = ?1", params![person]).await?.ok_or(Error::NotSignedIn)?;
    Ok(row.take()?)
}
