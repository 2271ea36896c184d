//! The setup's code, and whether there is anything to set up.

use kernel::{ReadTx, Result, WriteTx, params, scope};

const CODE: &str = "setup code";

pub(super) async fn is_needed(tx: &mut ReadTx<scope::Public>) -> Result<bool> {
    Ok(tx.opt("SELECT id FROM provider LIMIT 1", params![]).await?.is_none())
}

/// Keeps the code of this start; the one of an earlier start is void.
pub(super) async fn keep_code(tx: &mut WriteTx<scope::Public>, hash: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO installation (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![CODE, hash],
    )
    .await?;
    Ok(())
}

pub(super) async fn is_code(tx: &mut ReadTx<scope::Public>, hash: &[u8]) -> Result<bool> {
    Ok(tx.opt("SELECT name FROM installation WHERE name = ?1 AND value = ?2", params![CODE, hash]).await?.is_some())
}

/// Uses the code up; of two who try at once, one succeeds.
pub(super) async fn use_code(tx: &mut WriteTx<scope::Public>, hash: &[u8]) -> Result<bool> {
    Ok(tx.execute("DELETE FROM installation WHERE name = ?1 AND value = ?2", params![CODE, hash]).await? == 1)
}
