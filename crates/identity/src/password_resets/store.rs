//! Rows of links by which a lost password is replaced.

use kernel::news::Of;
use kernel::secrets::token_hash;
use kernel::store::StoreError;
use kernel::{Error, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{PasswordResetId, Reset};
use crate::passwords;

/// Who asks: as far as an e-mail to them needs it.
pub(super) struct Account {
    pub id: PersonId,
    pub name: String,
    /// Whose brand their e-mail wears: their provider's, or else their organisation's.
    pub of: Of,
}

/// The enabled account of an address. Asks as much when there is none.
pub(super) async fn account(tx: &mut ReadTx<scope::Public>, email: &str) -> Result<Option<Account>, StoreError> {
    let row = tx
        .opt(
            "SELECT p.id, p.name, (SELECT s.provider_id FROM staff s WHERE s.person_id = p.id AND s.state = 'active' ORDER BY s.id LIMIT 1),
                    (SELECT m.tenant_id FROM member m WHERE m.person_id = p.id AND m.state = 'active' ORDER BY m.id LIMIT 1)
             FROM person p WHERE p.email = ?1 AND p.state = 'active'",
            params![email],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (id, name) = (row.take()?, row.take()?);
    let (provider, tenant): (Option<ProviderId>, Option<TenantId>) = (row.take()?, row.take()?);
    let of = provider.map(Of::Provider).or(tenant.map(Of::Tenant)).unwrap_or(Of::Installation);
    Ok(Some(Account { id, name, of }))
}

/// Removes links that are good for nothing any more.
pub(super) async fn sweep(tx: &mut WriteTx<scope::Public>) -> Result<(), StoreError> {
    // A day more, so that who comes late is told that it has expired.
    let before = tx.now().plus_days(-1);
    tx.execute("DELETE FROM password_reset WHERE expires_at <= ?1", params![before]).await?;
    Ok(())
}

pub(super) async fn insert(
    tx: &mut WriteTx<scope::Public>,
    id: PasswordResetId,
    person: Option<PersonId>,
    token: &str,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO password_reset (id, token_hash, person_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, token_hash(token), person, now, expires_at],
    )
    .await?;
    Ok(())
}

/// The link with this hash of its token, of somebody who is enabled.
pub(super) async fn find(tx: &mut ReadTx<scope::Public>, token_hash: &[u8]) -> Result<Option<Reset>, StoreError> {
    let row = tx
        .opt(
            "SELECT r.id, p.id, p.name, p.email, r.expires_at, r.used_at IS NOT NULL
             FROM password_reset r JOIN person p ON p.id = r.person_id WHERE r.token_hash = ?1 AND p.state = 'active'",
            params![token_hash],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (id, person, name, email) = (row.take()?, row.take()?, row.take()?, row.take()?);
    Ok(Some(Reset { id, person, name, email, expires_at: row.take()?, is_used: row.take()? }))
}

/// Marks it as used; of two who try at once, one succeeds.
pub(super) async fn take_up(tx: &mut WriteTx<scope::Public>, id: PasswordResetId) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "UPDATE password_reset SET used_at = ?2 WHERE id = ?1 AND used_at IS NULL AND expires_at > ?2";
    Ok(tx.execute(sql, params![id, now]).await? == 1)
}

/// Puts a password in the place of the one that was lost: sessions and other links go.
pub(super) async fn replace(tx: &mut WriteTx<scope::Public>, person: PersonId, hash: &str) -> Result<()> {
    let now = tx.now();
    let row = tx.opt("SELECT password_hash FROM person WHERE id = ?1 AND state = 'active'", params![person]).await?;
    let old: String = row.ok_or(Error::NotFound)?.take()?;
    // The person's row first, as signing in does: a session that begins at this moment comes before, and goes, or finds the new password.
    passwords::set(tx, person, &old, hash).await?;
    tx.execute("DELETE FROM session WHERE person_id = ?1", params![person]).await?;
    tx.execute("UPDATE password_reset SET used_at = ?2 WHERE person_id = ?1 AND used_at IS NULL", params![person, now]).await?;
    Ok(())
}
