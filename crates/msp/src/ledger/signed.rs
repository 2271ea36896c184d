//! Signed heads and public keys, as they are shown.

use kernel::validate::Check;
use kernel::{PageQuery, Result};
use serde::{Deserialize, Serialize};

/// Number and hash of a ledger's last entry.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerHead {
    /// Its number; 0 for an empty ledger.
    pub seq: i64,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
}

/// A signed head. Keep one: whoever has it can tell later whether the ledger was cut back or rewritten.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerCheckpoint {
    /// Whose ledger: `ten_…` or `prv_…`.
    pub chain: String,
    /// Number of its last entry.
    pub seq: i64,
    /// Hash of that entry, 64 hexadecimal digits.
    pub hash: String,
    /// When it was signed, RFC 3339.
    pub at: String,
    /// The key that signed.
    pub key_id: String,
    /// Ed25519 signature, 128 hexadecimal digits; what is signed is said in `crates/ledger/README.md`.
    pub signature: String,
}

impl From<::ledger::Checkpoint> for LedgerCheckpoint {
    fn from(checkpoint: ::ledger::Checkpoint) -> Self {
        Self {
            chain: checkpoint.chain,
            seq: i64::try_from(checkpoint.seq).unwrap_or(i64::MAX),
            hash: ::ledger::hex::encode(&checkpoint.hash),
            at: checkpoint.at,
            key_id: checkpoint.key_id,
            signature: ::ledger::hex::encode(&checkpoint.signature),
        }
    }
}

/// The public half of a key that signs ledgers. Keep the first one: from it all later ones are reached.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerKey {
    /// `lgk_…`, derived from the key.
    pub key_id: String,
    /// Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// What the key before it signed; `null` for the first.
    pub certificate: Option<LedgerKeyCertificate>,
}

/// "The next key is this one", signed by the key before it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerKeyCertificate {
    /// The key that signed.
    pub by: String,
    /// From when the new key signs, RFC 3339.
    pub from: String,
    /// Ed25519 signature, 128 hexadecimal digits.
    pub signature: String,
}

impl From<::ledger::PublicKey> for LedgerKey {
    fn from(key: ::ledger::PublicKey) -> Self {
        let certificate = key.certificate.map(|certificate| LedgerKeyCertificate {
            by: certificate.by,
            from: certificate.from,
            signature: ::ledger::hex::encode(&certificate.signature),
        });
        Self { key_id: key.key_id, public_key: ::ledger::hex::encode(&key.public_key), certificate }
    }
}

/// Which signed heads to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CheckpointQuery {
    /// `-seq`: the newest first. There is no other order.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

impl CheckpointQuery {
    pub(super) fn read(self) -> Result<PageQuery> {
        let mut check = Check::new();
        let newest_first = self.sort.as_deref().is_none_or(|sort| sort == "-seq");
        check.that(newest_first, "sort", "unknown", "signed heads are read newest first: -seq");
        check.done()?;
        Ok(PageQuery { q: None, sort: None, cursor: self.cursor, limit: self.limit })
    }
}
