//! A checkpoint: the head of a chain, signed. Whoever keeps one can tell later whether that chain was cut back or rewritten.

use serde::{Deserialize, Serialize};

use crate::keys::{KeyProblem, KeyRing, SignatureBytes, SigningKey, is_instant, message};
use crate::{Hash, hex};

const DOMAIN: &str = "tenantry checkpoint v1";

/// The signed head of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose chain: `ten_…`, `prv_…` or `installation`.
    pub chain: String,
    /// Number of its last entry; 0 for an empty chain.
    pub seq: u64,
    /// Hash of that entry, 64 hexadecimal digits.
    #[serde(with = "hex")]
    pub hash: Hash,
    /// When it was signed: RFC 3339, UTC, six decimals.
    pub at: String,
    /// Id of the key that signed.
    pub key_id: String,
    /// Of the domain `tenantry checkpoint v1` with the fields: `chain`, `seq`, `hash`, `at`, `key_id`; 128 hexadecimal digits.
    #[serde(with = "hex")]
    pub signature: SignatureBytes,
}

impl Checkpoint {
    /// Signs the head of a chain at an instant (RFC 3339, UTC, six decimals).
    pub fn sign(key: &SigningKey, chain: &str, seq: u64, hash: Hash, at: &str) -> Self {
        let mut checkpoint =
            Self { chain: chain.to_owned(), seq, hash, at: at.to_owned(), key_id: key.id().to_owned(), signature: [0; 64] };
        checkpoint.signature = key.sign(&checkpoint.message());
        checkpoint
    }

    /// Checks the signature against keys that hold together.
    ///
    /// # Errors
    /// Who did not sign it, or that it was changed.
    pub fn check(&self, ring: &KeyRing) -> Result<(), KeyProblem> {
        if !is_instant(&self.at) {
            return Err(KeyProblem::Signature);
        }
        ring.check_inner(&self.key_id, &self.at, &self.message(), &self.signature).map(drop)
    }

    fn message(&self) -> Vec<u8> {
        message(DOMAIN, &[&self.chain, &self.seq.to_string(), &hex::encode(&self.hash), &self.at, &self.key_id])
    }
}
