//! The export: a chain as a file of JSON lines that proves itself. README.md has the format in full.
//!
//! ```text
//! {"type":"header",…}       whose chain, when, and the keys that sign for it
//! {"type":"entry",…}        entry 1: the exact text that was hashed, and its hash
//! {"type":"checkpoint",…}   a head that was signed on the way, after the entry it names
//! …
//! {"type":"seal",…}         the head at the end and the hash of all bytes before this line, signed
//! ```

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::keys::{KeyProblem, KeyRing, PublicKey, SignatureBytes, SigningKey, is_instant, message};
use crate::{Checkpoint, Hash, hex};

/// What the header's `format` says.
pub const FORMAT: &str = "tenantry-ledger";
/// What the header's `version` says.
pub const VERSION: u32 = 1;
/// Longest line, its line feed included: 16 MiB.
pub const LINE_MAX: usize = 16 << 20;

const DOMAIN: &str = "tenantry export v1";

/// Marks a line's type; one per type, so that a line of another type does not parse.
macro_rules! tags {
    ($($tag:ident $text:literal),*) => { $(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $tag { #[serde(rename = $text)] Tag }
    )* };
}
tags!(HeaderTag "header", EntryTag "entry", WithheldTag "withheld", CheckpointTag "checkpoint", SealTag "seal");

/// What an export begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Whose chain: `ten_…`, `prv_…` or `installation`.
    pub chain: String,
    /// The name of whose chain it is, at the time.
    pub name: String,
    /// When the export began: RFC 3339, UTC, six decimals.
    pub exported_at: String,
    /// Every key that ever signed for this installation, the first one first.
    pub keys: Vec<PublicKey>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderLine<'a> {
    pub r#type: HeaderTag,
    pub format: Cow<'a, str>,
    pub version: u32,
    pub chain: Cow<'a, str>,
    pub name: Cow<'a, str>,
    pub exported_at: Cow<'a, str>,
    pub keys: Cow<'a, [PublicKey]>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryLine<'a> {
    pub r#type: EntryTag,
    pub seq: u64,
    pub body: Cow<'a, str>,
    #[serde(with = "hex")]
    pub hash: Hash,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithheldLine<'a> {
    pub r#type: WithheldTag,
    pub seq: u64,
    pub shown: Cow<'a, str>,
    #[serde(with = "hex")]
    pub hash: Hash,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointLine<'a> {
    pub r#type: CheckpointTag,
    pub chain: Cow<'a, str>,
    pub seq: u64,
    #[serde(with = "hex")]
    pub hash: Hash,
    pub at: Cow<'a, str>,
    pub key_id: Cow<'a, str>,
    #[serde(with = "hex")]
    pub signature: SignatureBytes,
}

impl<'a> From<&'a Checkpoint> for CheckpointLine<'a> {
    fn from(c: &'a Checkpoint) -> Self {
        let (chain, at, key_id) = (c.chain.as_str().into(), c.at.as_str().into(), c.key_id.as_str().into());
        Self { r#type: CheckpointTag::Tag, chain, seq: c.seq, hash: c.hash, at, key_id, signature: c.signature }
    }
}

impl From<CheckpointLine<'_>> for Checkpoint {
    fn from(line: CheckpointLine<'_>) -> Self {
        let (chain, at, key_id) = (line.chain.into_owned(), line.at.into_owned(), line.key_id.into_owned());
        Self { chain, seq: line.seq, hash: line.hash, at, key_id, signature: line.signature }
    }
}

/// The last line: the head that the export ends at, and the hash of every byte before this line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealLine {
    pub r#type: SealTag,
    pub chain: String,
    pub seq: u64,
    #[serde(with = "hex")]
    pub hash: Hash,
    pub at: String,
    #[serde(with = "hex")]
    pub file: Hash,
    pub key_id: String,
    #[serde(with = "hex")]
    pub signature: SignatureBytes,
}

impl SealLine {
    pub fn check(&self, ring: &KeyRing) -> Result<(), KeyProblem> {
        if !is_instant(&self.at) {
            return Err(KeyProblem::Signature);
        }
        ring.check_outer(&self.key_id, &self.at, &self.message(), &self.signature)
    }

    fn message(&self) -> Vec<u8> {
        let (seq, hash, file) = (self.seq.to_string(), hex::encode(&self.hash), hex::encode(&self.file));
        message(DOMAIN, &[&self.chain, &seq, &hash, &self.at, &file, &self.key_id])
    }
}

/// Writes an export piece by piece: what was written is taken away with [`take`](Self::take), so that nothing piles up.
pub struct Writer {
    chain: String,
    hasher: blake3::Hasher,
    out: Vec<u8>,
}

impl Writer {
    /// Begins with the header.
    pub fn new(header: &Header) -> Self {
        let mut writer = Self { chain: header.chain.clone(), hasher: blake3::Hasher::new(), out: Vec::new() };
        writer.line(&HeaderLine {
            r#type: HeaderTag::Tag,
            format: FORMAT.into(),
            version: VERSION,
            chain: header.chain.as_str().into(),
            name: header.name.as_str().into(),
            exported_at: header.exported_at.as_str().into(),
            keys: header.keys.as_slice().into(),
        });
        writer
    }

    /// The next entry, exactly as it is stored. Nothing is checked: what is broken is to be seen in the file.
    pub fn entry(&mut self, seq: u64, body: &str, hash: Hash) {
        self.line(&EntryLine { r#type: EntryTag::Tag, seq, body: body.into(), hash });
    }

    /// The next entry for a reader who may not see all of it: what is shown instead, and the hash of the whole. The writer has
    /// checked that the entry fits its hash.
    pub fn withheld(&mut self, seq: u64, shown: &str, hash: Hash) {
        self.line(&WithheldLine { r#type: WithheldTag::Tag, seq, shown: shown.into(), hash });
    }

    /// A head that was signed on the way; after the entry that it names.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.line(&CheckpointLine::from(checkpoint));
    }

    /// What was written since this was last asked.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Ends the file at a head, at an instant. Answers what was written and not taken yet.
    pub fn seal(mut self, key: &SigningKey, seq: u64, hash: Hash, at: &str) -> Vec<u8> {
        let mut seal = SealLine {
            r#type: SealTag::Tag,
            chain: std::mem::take(&mut self.chain),
            seq,
            hash,
            at: at.to_owned(),
            file: *self.hasher.finalize().as_bytes(),
            key_id: key.id().to_owned(),
            signature: [0; 64],
        };
        seal.signature = key.sign(&seal.message());
        self.line(&seal);
        self.out
    }

    fn line(&mut self, line: &impl Serialize) {
        let begin = self.out.len();
        serde_json::to_writer(&mut self.out, line).expect("plain data into memory");
        self.out.push(b'\n');
        self.hasher.update(&self.out[begin..]);
    }
}
