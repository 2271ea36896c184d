//! Signing keys, and how a reader who trusts one of them comes to trust its successors.
//!
//! A key's id is derived from its public half, so an id cannot be given to another key. When a key is replaced, the old one signs
//! "the next key is …, from …": a [`KeyCertificate`]. A list of keys begins with the first key, which nobody certifies, and each
//! further one is certified by the key right before it. A key may sign from the instant at which it begins until its successor does.
//!
//! What is signed is always put together in the same way, so that it can be rebuilt from the JSON by hand:
//! `domain ‖ 0x00 ‖ (length as u32 big endian ‖ bytes)*`, each field as the text that stands in the JSON (digits for numbers and for
//! bytes, after JSON's own escapes are undone). Signatures are Ed25519 (RFC 8032), checked strictly: no small-order keys, no second
//! encoding of the same signature.

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::hex;

/// 64 bytes of an Ed25519 signature.
pub type SignatureBytes = [u8; 64];

const KEY_DOMAIN: &str = "tenantry signing key v1";
const ROTATION_DOMAIN: &str = "tenantry key rotation v1";

/// The bytes to sign: the domain, a zero byte, and each field with its length before it.
pub(crate) fn message(domain: &str, fields: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(domain.len() + 1 + fields.iter().map(|field| field.len() + 4).sum::<usize>());
    bytes.extend_from_slice(domain.as_bytes());
    bytes.push(0);
    for field in fields {
        let length = u32::try_from(field.len()).expect("a signed field is far below 4 GB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field.as_bytes());
    }
    bytes
}

/// The id of a public key: `lgk_` and the first 16 bytes, in hexadecimal, of
/// `BLAKE3("tenantry signing key v1" ‖ 0x00 ‖ public key)`.
pub fn key_id(public_key: &[u8; 32]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(KEY_DOMAIN.as_bytes());
    hasher.update(&[0]);
    hasher.update(public_key);
    format!("lgk_{}", hex::encode(&hasher.finalize().as_bytes()[..16]))
}

/// A key that signs. Its secret is forgotten (zeroed) when dropped.
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    id: String,
}

impl SigningKey {
    /// The key with these 32 secret bytes (the seed of RFC 8032).
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(secret);
        let id = key_id(key.verifying_key().as_bytes());
        Self { key, id }
    }

    /// Its id, `lgk_…`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its public half.
    pub fn public_key(&self) -> [u8; 32] {
        *self.key.verifying_key().as_bytes()
    }

    /// Its public half as the first of a list: certified by nobody.
    pub fn as_first(&self) -> PublicKey {
        PublicKey { key_id: self.id.clone(), public_key: self.public_key(), certificate: None }
    }

    /// Signs that `next` is this key's successor from the instant `from` (RFC 3339, UTC, six decimals).
    pub fn certify(&self, next: &Self, from: &str) -> PublicKey {
        let mut successor = next.as_first();
        let signature = self.sign(&rotation_message(&self.id, &successor, from));
        successor.certificate = Some(KeyCertificate { by: self.id.clone(), from: from.to_owned(), signature });
        successor
    }

    /// Signs fields under a domain of one's own, put together as everything that is signed here.
    pub fn sign_fields(&self, domain: &str, fields: &[&str]) -> SignatureBytes {
        self.sign(&message(domain, fields))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> SignatureBytes {
        self.key.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// Checks what [`SigningKey::sign_fields`] signed.
///
/// # Errors
/// The bytes are no sound public key, or the signature is not one of these fields by that key.
pub fn verify_fields(public_key: &[u8; 32], domain: &str, fields: &[&str], signature: &SignatureBytes) -> Result<(), KeyProblem> {
    let unsound = || KeyProblem::Unsound(key_id(public_key));
    let key = VerifyingKey::from_bytes(public_key).map_err(|_| unsound())?;
    if key.is_weak() {
        return Err(unsound());
    }
    key.verify_strict(&message(domain, fields), &Signature::from_bytes(signature)).map_err(|_| KeyProblem::Signature)
}

/// The public half of a signing key, as it is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// `lgk_…`, derived from the public key.
    pub key_id: String,
    /// 32 bytes, in hexadecimal digits.
    #[serde(with = "hex")]
    pub public_key: [u8; 32],
    /// What the key before this one signed; none for the first.
    pub certificate: Option<KeyCertificate>,
}

/// "The next key is this one, from then on", signed by the key before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCertificate {
    /// Id of the key that signed.
    pub by: String,
    /// From when the new key signs, and the old one no more.
    pub from: String,
    /// Of the domain `tenantry key rotation v1` with the fields: `by`, the new key's id, its public key, `from`.
    #[serde(with = "hex")]
    pub signature: SignatureBytes,
}

fn rotation_message(by: &str, next: &PublicKey, from: &str) -> Vec<u8> {
    message(ROTATION_DOMAIN, &[by, &next.key_id, &hex::encode(&next.public_key), from])
}

/// What is wrong with a list of keys, or with a signature by one of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// There is no key in the list.
    #[error("no signing key is named")]
    None,
    /// An id is not the one that its key has.
    #[error("the id {0} does not belong to the key that stands beside it: one of them was changed")]
    Id(String),
    /// The bytes are no sound public key.
    #[error("{0} is not a sound Ed25519 public key")]
    Unsound(String),
    /// A key that its predecessor did not certify.
    #[error("the key {0} was not certified by the key before it: the list of keys was changed")]
    Uncertified(String),
    /// None of the keys that the reader trusts is in the list.
    #[error(
        "none of the keys you trust is among the keys named here: this comes from another installation, or was signed by somebody \
         else's key"
    )]
    Foreign,
    /// The signature names a key that is not listed.
    #[error("it is signed by the key {0}, which is not among the keys named here")]
    Unknown(String),
    /// A key that comes before every key that the reader trusts.
    #[error(
        "it is signed by the key {0}, which cannot be reached from a key you trust: trust an earlier one, or do not believe it"
    )]
    Unreached(String),
    /// The key did not sign at that time.
    #[error("it says it was signed at {at}, when the key {key_id} was not in use")]
    OutOfUse {
        /// Which key.
        key_id: String,
        /// When it is said to have signed.
        at: String,
    },
    /// The signature is not one of these bytes by that key.
    #[error("its signature is wrong: it was changed after it was signed")]
    Signature,
}

/// A list of keys that holds together.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<(PublicKey, VerifyingKey)>,
    /// The first key that the reader trusts; all after it are reached from it.
    pinned: Option<usize>,
}

impl KeyRing {
    /// Checks the list, and finds the first key in it that is among `trusted` (none: the reader trusts the list itself).
    ///
    /// # Errors
    /// The list is empty, was changed, or holds none of the trusted keys.
    pub fn check(list: &[PublicKey], trusted: &[[u8; 32]]) -> Result<Self, KeyProblem> {
        let mut keys: Vec<(PublicKey, VerifyingKey)> = Vec::with_capacity(list.len());
        for public in list {
            if public.key_id != key_id(&public.public_key) {
                return Err(KeyProblem::Id(public.key_id.clone()));
            }
            let unsound = || KeyProblem::Unsound(public.key_id.clone());
            let key = VerifyingKey::from_bytes(&public.public_key).map_err(|_| unsound())?;
            if key.is_weak() {
                return Err(unsound());
            }
            if !is_certified(public, keys.last()) {
                return Err(KeyProblem::Uncertified(public.key_id.clone()));
            }
            keys.push((public.clone(), key));
        }
        if keys.is_empty() {
            return Err(KeyProblem::None);
        }
        let pinned = keys.iter().position(|(public, _)| trusted.contains(&public.public_key));
        if pinned.is_none() && !trusted.is_empty() {
            return Err(KeyProblem::Foreign);
        }
        Ok(Self { keys, pinned })
    }

    /// Whether the reader brought a key that they trust.
    pub fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// Whether the key is in the list.
    pub fn has(&self, key_id: &str) -> bool {
        self.keys.iter().any(|(public, _)| public.key_id == key_id)
    }

    /// Checks a signature made at the instant `at` by a key that is listed and was in use then. Keys before the first trusted one
    /// are taken too: for what lies inside of something that a trusted key has signed.
    pub(crate) fn check_inner(
        &self,
        key_id: &str,
        at: &str,
        message: &[u8],
        signature: &SignatureBytes,
    ) -> Result<usize, KeyProblem> {
        let unknown = || KeyProblem::Unknown(key_id.to_owned());
        let index = self.keys.iter().position(|(public, _)| public.key_id == key_id).ok_or_else(unknown)?;
        let (public, key) = &self.keys[index];
        key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| KeyProblem::Signature)?;
        let begun = public.certificate.as_ref().is_none_or(|certificate| certificate.from.as_str() <= at);
        let next = self.keys.get(index + 1).and_then(|(next, _)| next.certificate.as_ref());
        if begun && next.is_none_or(|next| at < next.from.as_str()) {
            Ok(index)
        } else {
            Err(KeyProblem::OutOfUse { key_id: key_id.to_owned(), at: at.to_owned() })
        }
    }

    /// Checks a signature made at the instant `at` by a key that is reached from a trusted one, or, without any, by a listed key.
    pub(crate) fn check_outer(&self, key_id: &str, at: &str, message: &[u8], signature: &SignatureBytes) -> Result<(), KeyProblem> {
        let index = self.check_inner(key_id, at, message, signature)?;
        if self.pinned.is_some_and(|first| index < first) {
            return Err(KeyProblem::Unreached(key_id.to_owned()));
        }
        Ok(())
    }
}

/// The first key stands by itself; each further one is certified by the one before, for no earlier instant than that one's own.
fn is_certified(public: &PublicKey, before: Option<&(PublicKey, VerifyingKey)>) -> bool {
    let (Some((old, key)), Some(certificate)) = (before, &public.certificate) else {
        return before.is_none() && public.certificate.is_none();
    };
    let in_order = old.certificate.as_ref().is_none_or(|earlier| earlier.from <= certificate.from);
    let signed = rotation_message(&certificate.by, public, &certificate.from);
    certificate.by == old.key_id
        && in_order
        && is_instant(&certificate.from)
        && key.verify_strict(&signed, &Signature::from_bytes(&certificate.signature)).is_ok()
}

/// Whether this is written as instants are here, `2026-11-21T02:47:49.123456Z`: then texts compare as instants do.
pub(crate) fn is_instant(text: &str) -> bool {
    const PATTERN: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
    text.len() == PATTERN.len()
        && text.bytes().zip(PATTERN).all(|(c, pattern)| if *pattern == b'0' { c.is_ascii_digit() } else { c == *pattern })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_secret(&[n; 32])
    }

    const T1: &str = "2026-01-01T00:00:00.000000Z";
    const T2: &str = "2026-02-01T00:00:00.000000Z";
    const T3: &str = "2026-03-01T00:00:00.000000Z";

    fn list() -> Vec<PublicKey> {
        vec![key(1).as_first(), key(1).certify(&key(2), T1), key(2).certify(&key(3), T3)]
    }

    fn outer(ring: &KeyRing, signer: u8, at: &str) -> Result<(), KeyProblem> {
        let signature = key(signer).sign(b"text");
        ring.check_outer(key(signer).id(), at, b"text", &signature)
    }

    #[test]
    fn whoever_trusts_the_first_key_follows_to_the_last() {
        let ring = KeyRing::check(&list(), &[key(1).public_key()]).unwrap();
        assert_eq!(outer(&ring, 1, "2025-12-31T23:59:59.999999Z"), Ok(()));
        assert_eq!(outer(&ring, 2, T1), Ok(()));
        assert_eq!(outer(&ring, 3, T3), Ok(()));
        assert!(matches!(outer(&ring, 1, T1), Err(KeyProblem::OutOfUse { .. })), "retired");
        assert!(matches!(outer(&ring, 3, T2), Err(KeyProblem::OutOfUse { .. })), "not yet in use");
        assert!(matches!(outer(&ring, 4, T2), Err(KeyProblem::Unknown(_))));
    }

    #[test]
    fn a_key_from_before_the_trusted_one_vouches_for_nothing() {
        let ring = KeyRing::check(&list(), &[key(2).public_key()]).unwrap();
        assert!(matches!(outer(&ring, 1, "2025-12-31T00:00:00.000000Z"), Err(KeyProblem::Unreached(_))));
        assert_eq!(outer(&ring, 3, T3), Ok(()));
        assert_eq!(KeyRing::check(&list(), &[key(9).public_key()]).unwrap_err(), KeyProblem::Foreign);
    }

    #[test]
    fn a_list_that_was_changed_is_refused() {
        let refused = |edit: fn(&mut Vec<PublicKey>)| {
            let mut keys = list();
            edit(&mut keys);
            KeyRing::check(&keys, &[]).unwrap_err()
        };
        assert_eq!(refused(Vec::clear), KeyProblem::None);
        assert!(matches!(refused(|keys| drop(keys.remove(0))), KeyProblem::Uncertified(_)));
        assert!(matches!(refused(|keys| drop(keys.remove(1))), KeyProblem::Uncertified(_)));
        assert!(matches!(refused(|keys| keys.swap(1, 2)), KeyProblem::Uncertified(_)));
        assert!(matches!(refused(|keys| keys[2].public_key = key(7).public_key()), KeyProblem::Id(_)));
        assert!(matches!(refused(|keys| keys[2] = key(7).certify(&key(8), T3)), KeyProblem::Uncertified(_)));
        assert!(matches!(refused(|keys| keys[1].certificate.as_mut().unwrap().from = T2.into()), KeyProblem::Uncertified(_)));
        assert!(matches!(
            refused(|keys| keys[2] = key(2).certify(&key(3), "2025-01-01T00:00:00.000000Z")),
            KeyProblem::Uncertified(_)
        ));
        assert!(matches!(refused(|keys| keys[0].public_key = [0; 32]), KeyProblem::Id(_)));
    }

    #[test]
    fn a_key_of_small_order_is_unsound() {
        let mut zero = [0; 32];
        zero[0] = 1;
        let weak = PublicKey { key_id: key_id(&zero), public_key: zero, certificate: None };
        assert!(matches!(KeyRing::check(&[weak], &[]), Err(KeyProblem::Unsound(_))));
    }
}
