//! The ledger: what an entry says, how entries are chained, and how a chain is checked without the hub.
//!
//! An entry is a JSON object, stored as the exact bytes that were hashed. Entry `n` of a chain has
//! `hash(n) = BLAKE3(domain ‖ hash(n-1) ‖ n as u64 big endian ‖ bytes(n))`; entry 0 does not exist and its hash is 32 zero bytes.
//! So a changed, removed, inserted or reordered entry breaks the chain at the first entry it touches.
//!
//! The head of a chain is signed now and then ([`Checkpoint`]), with a key whose successors are certified by it ([`keys`]). A chain
//! leaves the hub as an export ([`Writer`]) that [`verify`] checks anywhere; what was purged leaves a [`Certificate`].
//!
//! This crate does not know databases or the hub: a list of (sequence number, bytes, hash) is all it takes. It reads no clock.

mod certificate;
mod checkpoint;
pub mod cli;
mod export;
pub mod hex;
pub mod keys;
mod verify;

pub use certificate::{Certificate, Party, Removed, Statement};
pub use checkpoint::Checkpoint;
pub use export::{FORMAT, Header, LINE_MAX, VERSION, Writer};
pub use keys::{KeyCertificate, KeyProblem, KeyRing, PublicKey, SigningKey};
use serde::{Deserialize, Serialize};
pub use verify::{Finding, FindingKind, Report, Trust, kept_checkpoints, verify};

/// Separates these hashes from any other use of BLAKE3 in the house.
const DOMAIN: &[u8] = b"tenantry ledger entry v1\0";

/// A link of the chain: 32 bytes.
pub type Hash = [u8; 32];

/// The hash before the first entry.
pub const GENESIS: Hash = [0; 32];

/// The hash of entry number `seq` (from 1) with these bytes, after an entry whose hash is `previous`.
pub fn link(previous: &Hash, seq: u64, body: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(DOMAIN);
    hasher.update(previous);
    hasher.update(&seq.to_be_bytes());
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

/// What one act was: who did what, through which grant, where, with what outcome.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Entry {
    /// Id of the entry, `led_…`.
    pub id: String,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// Who.
    pub actor: Actor,
    /// Through which grant; none for acts of the system and of people who are not signed in.
    #[serde(rename = "as")]
    pub grant: Option<Grant>,
    /// What: an action of the catalogue, `finding.assign`.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was refused or failed: the error's stable code, and the deciding policy of a refusal.
    pub code: Option<String>,
    /// Policy that decided: of the allow, or of the refusal.
    pub policy: Option<String>,
    /// The tenant it was done on, `ten_…`.
    pub tenant: Option<String>,
    /// What it was done to.
    pub subject: Option<Subject>,
    /// What was before and what is after.
    pub changes: Vec<Change>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// The request's id, `req_…`; empty for the system.
    pub request_id: String,
    /// The network address it came from.
    pub address: Option<String>,
}

/// Who acted.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Actor {
    /// `per_…`; none for the system and for nobody.
    pub id: Option<String>,
    /// Name at the time.
    pub name: String,
    /// What kind of actor.
    pub kind: ActorKind,
    /// The API key they came through, `key_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Named>,
}

/// Kinds of actors.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person who is signed in.
    Person,
    /// The hub itself.
    System,
    /// Somebody who is not signed in.
    Nobody,
}

/// The grant an act was done through.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Grant {
    /// membership, staff, relationship, assignment, group_grant, elevation, break_glass, self.
    pub source: String,
    /// Its id.
    pub id: String,
    /// Role it gives.
    pub role: Option<String>,
    /// Tier it gives, `T2`.
    pub tier: Option<String>,
    /// The provider whose person acted.
    pub provider: Option<Named>,
}

/// An id with its name at the time.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Named {
    /// Prefixed id.
    pub id: String,
    /// Name at the time.
    pub name: String,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Done,
    /// The policy said no.
    Refused,
    /// Allowed, but it could not be done.
    Failed,
}

impl Outcome {
    /// As stored: done, refused, failed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What an act was done to.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Subject {
    /// finding, member, …
    pub kind: String,
    /// Prefixed id.
    pub id: String,
    /// Name or title at the time.
    pub label: Option<String>,
}

/// One thing that changed.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Change {
    /// finding, member, …
    pub kind: String,
    /// Prefixed id.
    pub id: String,
    /// Before; null for something new.
    pub before: serde_json::Value,
    /// After; null for something removed.
    pub after: serde_json::Value,
}

/// Where and how a chain is broken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Broken {
    /// The numbers do not go 1, 2, 3, …
    #[error("entry {found} stands where entry {expected} should: entries are missing, added or out of order")]
    Sequence {
        /// Number that should stand here.
        expected: u64,
        /// Number that stands here.
        found: u64,
    },
    /// The entry's bytes, or one before it, are not what was chained.
    #[error("entry {seq} does not match its hash: it, or its link to the entry before, was changed")]
    Hash {
        /// The first bad entry.
        seq: u64,
    },
    /// The chain ends before its head.
    #[error("the chain ends at entry {found}, its head says {expected}: entries were cut off")]
    Truncated {
        /// Number of the head.
        expected: u64,
        /// Number of the last entry.
        found: u64,
    },
}

/// Checks a chain entry by entry, in order.
#[derive(Debug, Clone)]
pub struct Verifier {
    seq: u64,
    hash: Hash,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS }
    }
}

impl Verifier {
    /// Takes the next entry.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn push(&mut self, seq: u64, body: &[u8], hash: &[u8]) -> Result<(), Broken> {
        let expected = self.seq + 1;
        if seq != expected {
            return Err(Broken::Sequence { expected, found: seq });
        }
        let linked = link(&self.hash, seq, body);
        if linked != hash {
            return Err(Broken::Hash { seq });
        }
        self.seq = seq;
        self.hash = linked;
        Ok(())
    }

    /// Takes the next entry without its bytes, which are shown to somebody else only: the chain goes on from its hash.
    ///
    /// # Errors
    /// Its number is not the next one.
    pub fn pass(&mut self, seq: u64, hash: Hash) -> Result<(), Broken> {
        let expected = self.seq + 1;
        if seq != expected {
            return Err(Broken::Sequence { expected, found: seq });
        }
        self.seq = seq;
        self.hash = hash;
        Ok(())
    }

    /// Number and hash of the last entry that was taken; 0 and [`GENESIS`] before the first.
    pub fn head(&self) -> (u64, Hash) {
        (self.seq, self.hash)
    }

    /// Ends at the head that is kept beside the chain.
    ///
    /// # Errors
    /// The chain is shorter than its head, or ends in another hash.
    pub fn finish(self, head_seq: u64, head_hash: &[u8]) -> Result<u64, Broken> {
        if self.seq != head_seq {
            return Err(Broken::Truncated { expected: head_seq, found: self.seq });
        }
        if self.hash != head_hash {
            return Err(Broken::Hash { seq: self.seq });
        }
        Ok(self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(bodies: &[Vec<u8>]) -> Vec<(u64, Vec<u8>, Hash)> {
        let mut previous = GENESIS;
        (1..)
            .zip(bodies)
            .map(|(seq, body)| {
                previous = link(&previous, seq, body);
                (seq, body.clone(), previous)
            })
            .collect()
    }

    fn verify(chain: &[(u64, Vec<u8>, Hash)], head: (u64, Hash)) -> Result<u64, Broken> {
        let mut verifier = Verifier::default();
        for (seq, body, hash) in chain {
            verifier.push(*seq, body, hash)?;
        }
        verifier.finish(head.0, &head.1)
    }

    proptest! {
        #[test]
        fn an_untouched_chain_verifies_and_any_edit_is_found(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 2..20),
            edit in 0..5_u8, at in any::<prop::sample::Index>(), bit in any::<u8>(),
        ) {
            let good = chain(&bodies);
            let head = (good.len() as u64, good[good.len() - 1].2);
            prop_assert_eq!(verify(&good, head), Ok(head.0));
            let mut bad = good.clone();
            let i = at.index(bad.len());
            match edit {
                0 => bad[i].1.push(bit),
                1 => bad[i].2[usize::from(bit) % 32] ^= 1 << (bit % 8),
                2 => { bad.remove(i); }
                3 => { let j = (i + 1) % bad.len(); bad.swap(i, j); }
                _ => bad.truncate(i),
            }
            prop_assert!(verify(&bad, head).is_err());
        }
    }

    #[test]
    fn a_chain_that_was_rewritten_whole_does_not_fit_its_head() {
        let good = chain(&[b"a".to_vec(), b"b".to_vec()]);
        let rewritten = chain(&[b"a".to_vec(), b"c".to_vec()]);
        assert_eq!(verify(&rewritten, (2, good[1].2)), Err(Broken::Hash { seq: 2 }));
    }
}
