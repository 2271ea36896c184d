//! The certificate of destruction: what a purge did, signed, for the organisation that is no more at the hub.

use serde::{Deserialize, Serialize};

use crate::keys::{KeyProblem, KeyRing, PublicKey, SignatureBytes, SigningKey, is_instant, message};
use crate::{Checkpoint, hex};

const FORMAT: &str = "tenantry-destruction";
const VERSION: u32 = 1;
const DOMAIN: &str = "tenantry destruction v1";

/// A signed statement that a tenant was destroyed, with the keys that it takes to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// `tenantry-destruction`.
    pub format: String,
    /// 1.
    pub version: u32,
    /// What was done.
    pub statement: Statement,
    /// Id of the key that signed.
    pub key_id: String,
    /// Of the domain `tenantry destruction v1` with the fields: the statement as compact JSON, `key_id`.
    #[serde(with = "hex")]
    pub signature: SignatureBytes,
    /// Every key that ever signed for this installation, the first one first.
    pub keys: Vec<PublicKey>,
}

/// What was destroyed, by whom, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The certificate's own id, `crt_…`.
    pub id: String,
    /// The tenant's id, `ten_…`.
    pub tenant: String,
    /// Its display name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// The provider that purged it.
    pub provider: Party,
    /// When it was purged: from here on its data key was gone. RFC 3339, UTC, six decimals.
    pub purged_at: String,
    /// When its database was gone too, and this was signed.
    pub completed_at: String,
    /// Who did it.
    pub by: Party,
    /// The other person that it took, who had asked for it; none where one was enough.
    pub second: Option<Party>,
    /// The head of its ledger at the end; none when its database was gone before the head could be read.
    pub ledger: Option<Checkpoint>,
    /// The data key is destroyed: what was sealed with it cannot be read, in backups neither.
    pub data_key_destroyed: bool,
    /// What was removed.
    pub removed: Removed,
    /// What is to be known about backups.
    pub backups: String,
}

/// A person or an organisation, with the name it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Prefixed id.
    pub id: String,
    /// Name at the time.
    pub name: String,
}

/// How much was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removed {
    /// Files of its database (SQLite) or rows (PostgreSQL); none when an interruption lost count.
    pub files: Option<u64>,
    /// Memberships.
    pub members: u64,
    /// Assignments of the provider's staff.
    pub assignments: u64,
    /// Invitations.
    pub invitations: u64,
    /// Relationships with providers.
    pub relationships: u64,
}

impl Certificate {
    /// Signs a statement. `keys`: the installation's, the first one first.
    pub fn sign(key: &SigningKey, statement: Statement, keys: Vec<PublicKey>) -> Self {
        let signature = key.sign(&message_of(&statement, key.id()));
        Self::of(statement, key.id().to_owned(), signature, keys)
    }

    /// The certificate of what was signed earlier, with the keys as they are listed now.
    pub fn of(statement: Statement, key_id: String, signature: SignatureBytes, keys: Vec<PublicKey>) -> Self {
        Self { format: FORMAT.into(), version: VERSION, statement, key_id, signature, keys }
    }

    /// Checks the signatures. `trusted`: public keys of the installation, got in another way; empty: the certificate's own list is
    /// believed.
    ///
    /// # Errors
    /// What is not to be believed.
    pub fn check(&self, trusted: &[[u8; 32]]) -> Result<(), KeyProblem> {
        if self.format != FORMAT || self.version != VERSION || !is_instant(&self.statement.completed_at) {
            return Err(KeyProblem::Signature);
        }
        let ring = KeyRing::check(&self.keys, trusted)?;
        let message = message_of(&self.statement, &self.key_id);
        ring.check_outer(&self.key_id, &self.statement.completed_at, &message, &self.signature)?;
        self.statement.ledger.as_ref().map_or(Ok(()), |checkpoint| checkpoint.check(&ring))
    }
}

fn message_of(statement: &Statement, key_id: &str) -> Vec<u8> {
    let statement = serde_json::to_string(statement).expect("plain data");
    message(DOMAIN, &[&statement, key_id])
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-21T09:00:00.000000Z";

    fn certificate() -> Certificate {
        let key = SigningKey::from_secret(&[1; 32]);
        let party = |id: &str, name: &str| Party { id: id.into(), name: name.into() };
        let statement = Statement {
            id: "crt_1".into(),
            tenant: "ten_1".into(),
            name: "Acme \"Dental\" Grüppe".into(),
            slug: "acme".into(),
            provider: party("prv_1", "Northwind IT"),
            purged_at: AT.into(),
            completed_at: AT.into(),
            by: party("per_1", "Priya"),
            second: None,
            ledger: Some(Checkpoint::sign(&key, "ten_1", 12, [3; 32], AT)),
            data_key_destroyed: true,
            removed: Removed { files: Some(3), members: 5, assignments: 2, invitations: 0, relationships: 1 },
            backups: "Backups hold sealed data that nobody can open.".into(),
        };
        Certificate::sign(&key, statement, vec![key.as_first()])
    }

    /// White space between the tokens is not part of what is said; every other byte is.
    #[test]
    fn no_byte_of_a_certificate_can_be_changed() {
        let good = certificate();
        assert_eq!(good.check(&[]), Ok(()));
        assert_eq!(good.check(&[SigningKey::from_secret(&[1; 32]).public_key()]), Ok(()));
        assert_eq!(good.check(&[[9; 32]]), Err(KeyProblem::Foreign));
        let text = serde_json::to_string_pretty(&good).unwrap();
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = serde_json::from_slice::<Certificate>(&bytes) else { continue };
                let same = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok_and(|value| value == said);
                assert!(same || changed.check(&[]).is_err(), "byte {at} bit {bit}: {}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
