//! Secrets at rest: one data key per tenant, wrapped by the installation's master key; XChaCha20-Poly1305 seals both.
//!
//! A sealed value is `24 bytes of nonce ‖ ciphertext ‖ 16 bytes of tag`, bound to a label that says what it is, so that one sealed
//! value cannot be put in another's place. Destroying a tenant's wrapped key makes everything sealed with it unreadable, in
//! backups too.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::ids::random;

/// A key that seals and opens. Forgotten (zeroed) when dropped.
///
/// While a key is being replaced, the new one carries the ones before it: it seals with itself alone, and opens with any of them.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>, Arc<[Zeroizing<[u8; 32]>]>);

/// The name of a key: 16 hexadecimal digits that say which key it is and nothing about it.
pub type KeyName = String;

impl SecretKey {
    /// A new key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()), Arc::default())
    }

    /// The key with these 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes), Arc::default())
    }

    /// The key that 64 hexadecimal digits spell.
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self::from_bytes(bytes))
    }

    /// Its 64 hexadecimal digits, for the key file.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Seals `plain` as a `label`.
    pub fn seal(&self, label: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = XNonce::from(random::<24>());
        let mut sealed = nonce.to_vec();
        let text = self
            .cipher()
            .encrypt(&nonce, Payload { msg: plain, aad: label.as_bytes() })
            .expect("a value in memory is far below the cipher's limit of 256 GB");
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what was sealed as a `label`.
    ///
    /// # Errors
    /// `Internal`: another key, another label, or changed bytes.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let broken = || Error::internal(format!("a sealed {label} does not open: wrong master key, or its bytes were changed"));
        let (nonce, text) = sealed.split_at_checked(24).ok_or_else(broken)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| broken())?;
        let payload = || Payload { msg: text, aad: label.as_bytes() };
        let plain = std::iter::once(&self.0)
            .chain(self.1.iter())
            .find_map(|key| XChaCha20Poly1305::new(&Key::from(**key)).decrypt(&nonce, payload()).ok())
            .ok_or_else(broken)?;
        Ok(Zeroizing::new(plain))
    }

    /// This key, which also opens what these older ones, and those they carry, sealed.
    #[must_use]
    pub fn after(&self, older: &[Self]) -> Self {
        let older = older.iter().flat_map(|key| std::iter::once(&key.0).chain(key.1.iter()));
        Self(self.0.clone(), self.1.iter().chain(older).filter(|key| **key != self.0).cloned().collect())
    }

    /// This key alone, without the ones before it.
    #[must_use]
    pub fn alone(&self) -> Self {
        Self(self.0.clone(), Arc::default())
    }

    /// Whether both seal with the same key.
    pub fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Of this key and those before it, the one with this name.
    pub fn named(&self, name: &str) -> Option<Self> {
        if self.name() == name {
            return Some(self.alone());
        }
        self.1.iter().map(|key| Self(key.clone(), Arc::default())).find(|key| key.name() == name)
    }

    /// Which key it is: the first 8 bytes of BLAKE3's `derive_key` of it, in hexadecimal.
    pub fn name(&self) -> KeyName {
        let derived = blake3::derive_key("tenantry 2026-11-21 name of a key v1", self.0.as_slice());
        derived[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A key for one purpose and one occasion: BLAKE3's `derive_key` with the purpose as its context, of `this key ‖ salt`.
    #[must_use]
    pub fn derive(&self, purpose: &'static str, salt: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(purpose);
        hasher.update(self.0.as_slice()).update(salt);
        Self::from_bytes(*hasher.finalize().as_bytes())
    }

    /// This key, sealed as a `label` by another.
    pub fn wrapped_by(&self, other: &Self, label: &str) -> Vec<u8> {
        other.seal(label, self.0.as_slice())
    }

    /// Seals chunk `number` of a stream. Only for a key that seals one stream and nothing else (see [`SecretKey::derive`]): the nonce is
    /// `15 bytes of 0 ‖ number as u64 big endian ‖ 1 for the last chunk, else 0`, as in the STREAM construction, so that chunks cannot be
    /// left out, reordered or cut off. `bound` is authenticated with each. Answers ciphertext ‖ 16 bytes of tag.
    pub fn seal_chunk(&self, number: u64, is_last: bool, bound: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = chunk_nonce(number, is_last);
        self.cipher()
            .encrypt(&nonce, Payload { msg: plain, aad: bound })
            .expect("a chunk in memory is far below the cipher's limit of 256 GB")
    }

    /// Opens what [`SecretKey::seal_chunk`] sealed; none when anything about it is not as it was.
    pub fn open_chunk(&self, number: u64, is_last: bool, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce = chunk_nonce(number, is_last);
        self.cipher().decrypt(&nonce, Payload { msg: sealed, aad: bound }).ok().map(Zeroizing::new)
    }

    /// A new data key, and the same wrapped by this one.
    pub fn wrap_new(&self, label: &str) -> (Self, Vec<u8>) {
        let key = Self::generate();
        let wrapped = self.seal(label, key.0.as_slice());
        (key, wrapped)
    }

    /// The data key that was wrapped by this one.
    ///
    /// # Errors
    /// As [`SecretKey::open`].
    pub fn unwrap_key(&self, label: &str, wrapped: &[u8]) -> Result<Self> {
        let plain = self.open(label, wrapped)?;
        let bytes = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| Error::internal("a wrapped key of a wrong length"))?;
        Ok(Self::from_bytes(bytes))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

fn chunk_nonce(number: u64, is_last: bool) -> XNonce {
    let mut nonce = [0; 24];
    nonce[15..23].copy_from_slice(&number.to_be_bytes());
    nonce[23] = u8::from(is_last);
    XNonce::from(nonce)
}

/// What seals a column, and with which label.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The label of each value.
    pub label: SealedLabel,
}

/// The label of a sealed column's values.
#[derive(Debug, Clone, Copy)]
pub enum SealedLabel {
    /// The same for every row.
    Same(&'static str),
    /// `before`, then the row's id as text with this prefix.
    OfId {
        /// What stands before the id.
        before: &'static str,
        /// The id's prefix, as in `ten`.
        prefix: &'static str,
        /// The column with the id.
        column: &'static str,
    },
    /// `before`, then the text of another column.
    OfText {
        /// What stands before the text.
        before: &'static str,
        /// The column with the text.
        column: &'static str,
    },
}

/// Every column of the control database that is sealed with the master key. Rotating it seals them anew; a test holds this list
/// against the schema, so that none is forgotten.
pub const SEALED_BY_MASTER: &[SealedColumn] = &[
    SealedColumn { table: "installation", column: "value", label: SealedLabel::OfText { before: "", column: "name" } },
    SealedColumn { table: "channel", column: "address", label: SealedLabel::Same("channel") },
    SealedColumn { table: "mail", column: "body", label: SealedLabel::Same("mail") },
    SealedColumn { table: "news", column: "body", label: SealedLabel::Same("news") },
    SealedColumn {
        table: "person",
        column: "totp_pending",
        label: SealedLabel::OfId { before: "totp of ", prefix: "per", column: "id" },
    },
    SealedColumn {
        table: "person",
        column: "totp_secret",
        label: SealedLabel::OfId { before: "totp of ", prefix: "per", column: "id" },
    },
    SealedColumn {
        table: "signing_key",
        column: "secret",
        label: SealedLabel::OfText { before: "ledger signing key ", column: "key_id" },
    },
    SealedColumn { table: "tenant", column: "wrapped_key", label: TENANT_KEY_OF_ID },
    SealedColumn {
        table: "tenant_key",
        column: "wrapped_key",
        label: SealedLabel::OfId { before: "data key of ", prefix: "ten", column: "tenant_id" },
    },
];

const TENANT_KEY_OF_ID: SealedLabel = SealedLabel::OfId { before: "data key of ", prefix: "ten", column: "id" };

/// Names of rows of `installation` whose value is not sealed: hashes.
pub const INSTALLATION_UNSEALED: &[&str] = &["setup code"];

/// Every column of a tenant's database that is sealed with its data key.
pub const SEALED_BY_TENANT: &[SealedColumn] =
    &[SealedColumn { table: "finding_evidence", column: "sealed", label: SealedLabel::Same("evidence") }];

/// Columns of bytes, in either database, that are not sealed: hashes, public keys, signatures, and pictures that anybody sees before signing in.
pub const UNSEALED_BYTES: &[(&str, &str)] = &[
    ("api_key", "token_hash"),
    ("brand_asset", "bytes"),
    ("certificate", "signature"),
    ("checkpoint", "hash"),
    ("checkpoint", "signature"),
    ("invitation", "token_hash"),
    ("ledger", "hash"),
    ("ledger_head", "hash"),
    ("password_reset", "token_hash"),
    ("recovery_code", "hash"),
    ("session", "token_hash"),
    ("signing_key", "public_key"),
    ("signing_key", "signature"),
    ("tenant_checkpoint", "hash"),
    ("tenant_checkpoint", "signature"),
];

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// BLAKE3 of a token with enough randomness of its own: what is stored instead of it.
pub fn token_hash(token: &str) -> Vec<u8> {
    blake3::hash(token.as_bytes()).as_bytes().to_vec()
}

/// A new opaque token: 32 random bytes as 43 URL-safe characters.
pub fn new_token() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>())
}

const API_TOKEN_PREFIX: &str = "tnk_";
const API_TOKEN_SECRET: usize = 40;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new API key: `tnk_`, 40 random characters (238 bits), and the CRC-32 of all before it as 6 characters, so that scanners for
/// leaked secrets know one without asking, and a mistyped one is refused without a look-up.
pub fn new_api_token() -> String {
    // 256 is no multiple of 62: bytes beyond the last whole multiple are left out, so that no character is likelier than another.
    let mut token = String::from(API_TOKEN_PREFIX);
    while token.len() < API_TOKEN_PREFIX.len() + API_TOKEN_SECRET {
        let fair = random::<64>().into_iter().filter(|byte| *byte < 248).map(|byte| char::from(BASE62[usize::from(byte % 62)]));
        let missing = API_TOKEN_PREFIX.len() + API_TOKEN_SECRET - token.len();
        token.extend(fair.take(missing));
    }
    let checksum = api_token_checksum(&token);
    token.push_str(&checksum);
    token
}

/// The API key with this secret, 40 letters and digits: for tests whose keys are the same in every run.
#[doc(hidden)]
pub fn api_token_of(secret: &str) -> String {
    let body = format!("{API_TOKEN_PREFIX}{secret}");
    let checksum = api_token_checksum(&body);
    body + &checksum
}

/// Whether a text can be an API key at all.
pub fn is_api_token(text: &str) -> bool {
    let length = API_TOKEN_PREFIX.len() + API_TOKEN_SECRET;
    text.starts_with(API_TOKEN_PREFIX)
        && text.is_ascii()
        && text.split_at_checked(length).is_some_and(|(body, checksum)| api_token_checksum(body) == checksum)
}

fn api_token_checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_key_knows_its_own_misprints() {
        let token = new_api_token();
        assert!(is_api_token(&token) && token.len() == 50, "{token}");
        assert_ne!(token, new_api_token());
        for i in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[i] = if bytes[i] == b'x' { b'y' } else { b'x' };
            assert!(!is_api_token(&String::from_utf8(bytes).expect("still ASCII")), "{i}");
        }
        assert!(!is_api_token(&token[..49]) && !is_api_token("tnk_") && !is_api_token("ключ"));
    }

    #[test]
    fn only_the_right_key_label_and_bytes_open() {
        let (key, other) = (SecretKey::generate(), SecretKey::generate());
        let mut sealed = key.seal("totp", b"secret");
        assert_eq!(key.open("totp", &sealed).expect("opens").as_slice(), b"secret");
        assert!(other.open("totp", &sealed).is_err());
        assert!(key.open("evidence", &sealed).is_err());
        sealed[30] ^= 1;
        assert!(key.open("totp", &sealed).is_err());
        assert!(key.open("totp", b"short").is_err());
    }

    #[test]
    fn a_key_survives_its_hex() {
        let key = SecretKey::generate();
        let back = SecretKey::from_hex(&key.to_hex()).expect("own hex");
        assert_eq!(back.open("x", &key.seal("x", b"1")).expect("opens").as_slice(), b"1");
        assert!(SecretKey::from_hex("zz").is_none());
    }
}
