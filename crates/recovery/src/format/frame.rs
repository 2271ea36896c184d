//! Header, sections and chunks: what is compressed, sealed and hashed, and in which order.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use kernel::secrets::SecretKey;
use kernel::{Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{VERSION, damage, damaged, unreachable_io};

const MAGIC: &[u8; 8] = b"TNTRYBK\x01";
/// Bytes of a chunk before it is compressed and sealed; all but the last of a section have exactly as many.
const CHUNK_BYTES: usize = 256 * 1024;
/// A sealed chunk may be this long: what does not compress grows a little.
const SEALED_BYTES_MAX: usize = CHUNK_BYTES + 4096;
const JSON_BYTES_MAX: usize = 1 << 20;
/// Compression costs more time than anything else here; 1 is twice as fast as 6 and a tenth larger.
const LEVEL: Compression = Compression::new(1);
/// The purpose of a section's key, for `SecretKey::derive`.
const SECTION_KEY: &str = "tenantry 2026-11-21 backup section v1";

const SECTION: u8 = b'S';
const CHUNK: u8 = b'C';
const LAST_CHUNK: u8 = b'L';
const END: u8 = b'E';

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The whole installation: its control database and every tenant.
    Hub,
    /// One tenant, for this installation.
    Tenant,
    /// One tenant, for another installation; sealed with a passphrase.
    Bundle,
}

/// How a bundle's key is made of its passphrase: Argon2id, version 0x13, 32 bytes of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kdf {
    /// `argon2id`.
    pub name: String,
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
    /// 32 hexadecimal digits.
    pub salt: String,
}

/// The header: readable by everybody who has the file, so it names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `tenantry-backup`.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Id of this backup, `bak_…`.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Tenantry's version.
    pub release: String,
    /// Engine it was read from: `sqlite` or `postgres`. It can be restored on either.
    pub engine: String,
    /// 64 hexadecimal digits; every section's key is derived with it.
    pub salt: String,
    /// Only in bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kdf: Option<Kdf>,
}

impl Header {
    /// The header of a file that begins now.
    pub fn new(id: String, kind: Kind, made_at: Timestamp, engine: &str) -> Self {
        Self {
            format: "tenantry-backup".into(),
            version: VERSION,
            id,
            kind,
            made_at,
            release: env!("CARGO_PKG_VERSION").into(),
            engine: engine.into(),
            salt: SecretKey::from_bytes(kernel::ids::random()).to_hex().to_string(),
            kdf: None,
        }
    }
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// The control database, sealed with the hub's backup key.
    Control,
    /// One tenant's database, sealed with its data key (in a bundle: with the passphrase's).
    Tenant,
    /// What the file holds; always the last. Without it a missing section would go unnoticed.
    Index,
}

/// The head of a section, readable by everybody who has the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionHead {
    /// From 0, in order.
    pub n: u32,
    /// What it holds.
    pub kind: SectionKind,
    /// Whose it is.
    pub tenant: Option<TenantId>,
    /// Name of the key that its own was derived from.
    pub key: String,
}

/// Writes and hashes.
struct Hashed<W> {
    inner: W,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<W: Write> Hashed<W> {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        self.inner.write_all(bytes)
    }

    fn put_framed(&mut self, tag: Option<u8>, bytes: &[u8]) -> std::io::Result<()> {
        if let Some(tag) = tag {
            self.put(&[tag])?;
        }
        let length = u32::try_from(bytes.len()).map_err(|_| damage("a frame is too long"))?;
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }
}

/// Writes a file.
pub struct FileWriter<W: Write> {
    out: Hashed<W>,
    salt: Vec<u8>,
    header_hash: [u8; 32],
    sections: u32,
}

impl<W: Write> FileWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn begin(out: W, header: &Header) -> Result<Self> {
        let json = serde_json::to_vec(header).map_err(kernel::Error::internal)?;
        let mut out = Hashed { inner: out, hasher: blake3::Hasher::new(), bytes: 0 };
        out.put(MAGIC).and_then(|()| out.put_framed(None, &json)).map_err(|error| unreachable_io(&error))?;
        Ok(Self { header_hash: *blake3::hash(&json).as_bytes(), salt: header.salt.clone().into_bytes(), out, sections: 0 })
    }

    /// Begins a section, sealed with a key derived from `key`.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn section(&mut self, kind: SectionKind, tenant: Option<TenantId>, key: &SecretKey) -> Result<SectionWriter<'_, W>> {
        let head = SectionHead { n: self.sections, kind, tenant, key: key.name() };
        let json = serde_json::to_vec(&head).map_err(kernel::Error::internal)?;
        self.out.put_framed(Some(SECTION), &json).map_err(|error| unreachable_io(&error))?;
        self.sections += 1;
        Ok(SectionWriter {
            key: section_key(key, &self.salt, head.n),
            bound: bound(&self.header_hash, &json),
            buffer: Vec::with_capacity(CHUNK_BYTES),
            chunks: 0,
            bytes: 0,
            out: &mut self.out,
        })
    }

    /// Ends the file with the hash of all of it. Answers the writer, the bytes written and the hash.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn end(mut self) -> Result<(W, u64, String)> {
        let put = |out: &mut Hashed<W>| {
            out.put(&[END])?;
            let hash = out.hasher.finalize();
            out.inner.write_all(hash.as_bytes())?;
            out.inner.flush()?;
            Ok(hash)
        };
        let hash = put(&mut self.out).map_err(|error: std::io::Error| unreachable_io(&error))?;
        Ok((self.out.inner, self.out.bytes + 32, hash.to_hex().to_string()))
    }
}

fn section_key(key: &SecretKey, salt: &[u8], n: u32) -> SecretKey {
    key.derive(SECTION_KEY, &[salt, n.to_be_bytes().as_slice()].concat())
}

/// What every chunk is authenticated with besides itself: the file's header and the section's head.
fn bound(header_hash: &[u8; 32], head: &[u8]) -> Vec<u8> {
    [header_hash.as_slice(), blake3::hash(head).as_bytes()].concat()
}

/// Takes a section's bytes.
pub struct SectionWriter<'a, W: Write> {
    out: &'a mut Hashed<W>,
    key: SecretKey,
    bound: Vec<u8>,
    buffer: Vec<u8>,
    chunks: u64,
    bytes: u64,
}

impl<W: Write> SectionWriter<'_, W> {
    fn seal(&mut self, is_last: bool) -> std::io::Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(self.buffer.len() / 3), LEVEL);
        encoder.write_all(&self.buffer)?;
        let sealed = self.key.seal_chunk(self.chunks, is_last, &self.bound, &encoder.finish()?);
        self.out.put_framed(Some(if is_last { LAST_CHUNK } else { CHUNK }), &sealed)?;
        self.chunks += 1;
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Ends the section. Answers its chunks and its bytes before compression.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub fn end(mut self) -> Result<(u64, u64)> {
        self.seal(true).map_err(|error| unreachable_io(&error))?;
        Ok((self.chunks, self.bytes))
    }
}

impl<W: Write> Write for SectionWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.buffer.len() == CHUNK_BYTES {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads a file from its beginning to its end.
pub struct FileReader<R: Read> {
    inner: R,
    hasher: blake3::Hasher,
    /// The header.
    pub header: Header,
    header_hash: [u8; 32],
    /// Head of the section that is being read, and its bytes as they stand in the file.
    head: Option<(SectionHead, Vec<u8>)>,
    sections: u32,
    is_section_read: bool,
}

impl<R: Read> FileReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// `Conflict` when it is no backup, or of a newer Tenantry.
    pub fn open(mut inner: R) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut magic = [0; 8];
        inner.read_exact(&mut magic).map_err(|error| unreachable_io(&error))?;
        if &magic != MAGIC {
            return Err(damaged("it does not begin as one"));
        }
        hasher.update(&magic);
        let json = read_framed(&mut inner, &mut hasher, JSON_BYTES_MAX).map_err(|error| unreachable_io(&error))?;
        let header: Header = serde_json::from_slice(&json).map_err(|error| damaged(format_args!("its header: {error}")))?;
        if header.version > VERSION {
            return Err(kernel::Error::Conflict(format!(
                "This backup has format {}; this Tenantry reads formats up to {VERSION}. Use the one that made it ({}).",
                header.version, header.release
            )));
        }
        let header_hash = *blake3::hash(&json).as_bytes();
        Ok(Self { inner, hasher, header, header_hash, head: None, sections: 0, is_section_read: true })
    }

    /// Goes on to the next section, over what was not read of this one. None after the last; then the hash of the whole file held.
    ///
    /// # Errors
    /// `Conflict` when the file is damaged.
    pub fn next_section(&mut self) -> Result<Option<SectionHead>> {
        self.next_head().map_err(|error| unreachable_io(&error))
    }

    fn next_head(&mut self) -> std::io::Result<Option<SectionHead>> {
        while !self.is_section_read {
            let (is_last, _) = self.next_chunk()?;
            self.is_section_read = is_last;
        }
        let tag = self.tag()?;
        if tag == END {
            let mut stored = [0; 32];
            self.inner.read_exact(&mut stored)?;
            if self.hasher.finalize() != blake3::Hash::from_bytes(stored) {
                return Err(damage("its bytes do not match its checksum"));
            }
            if self.inner.read(&mut [0])? != 0 {
                return Err(damage("something follows its end"));
            }
            return Ok(None);
        }
        if tag != SECTION {
            return Err(damage("a section was expected"));
        }
        let json = read_framed(&mut self.inner, &mut self.hasher, JSON_BYTES_MAX)?;
        let head: SectionHead = serde_json::from_slice(&json).map_err(|error| damage(format!("a section's head: {error}")))?;
        if head.n != self.sections {
            return Err(damage(format!("section {} stands where section {} should", head.n, self.sections)));
        }
        self.sections += 1;
        self.head = Some((head.clone(), json));
        self.is_section_read = false;
        Ok(Some(head))
    }

    fn tag(&mut self) -> std::io::Result<u8> {
        let mut tag = [0];
        self.inner.read_exact(&mut tag)?;
        self.hasher.update(&tag);
        Ok(tag[0])
    }

    fn next_chunk(&mut self) -> std::io::Result<(bool, Vec<u8>)> {
        let tag = self.tag()?;
        if tag != CHUNK && tag != LAST_CHUNK {
            return Err(damage("a section ends too early"));
        }
        Ok((tag == LAST_CHUNK, read_framed(&mut self.inner, &mut self.hasher, SEALED_BYTES_MAX)?))
    }

    /// The bytes of the section that [`FileReader::next_section`] named, opened with this key.
    ///
    /// # Panics
    /// No section was named yet.
    pub fn section(&mut self, key: &SecretKey) -> SectionReader<'_, R> {
        let (head, json) = self.head.as_ref().expect("a section is read after it was named");
        SectionReader {
            key: section_key(key, self.header.salt.as_bytes(), head.n),
            bound: bound(&self.header_hash, json),
            plain: Vec::new(),
            at: 0,
            chunks: 0,
            file: self,
        }
    }
}

fn read_framed(inner: &mut impl Read, hasher: &mut blake3::Hasher, max: usize) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    inner.read_exact(&mut length)?;
    hasher.update(&length);
    let length = u32::from_be_bytes(length) as usize;
    if length > max {
        return Err(damage("a frame is longer than any that is written"));
    }
    let mut bytes = vec![0; length];
    inner.read_exact(&mut bytes)?;
    hasher.update(&bytes);
    Ok(bytes)
}

/// A section's bytes as they were written; an error as soon as anything about them is not as it was.
pub struct SectionReader<'a, R: Read> {
    file: &'a mut FileReader<R>,
    key: SecretKey,
    bound: Vec<u8>,
    plain: Vec<u8>,
    at: usize,
    chunks: u64,
}

impl<R: Read> SectionReader<'_, R> {
    /// Chunks read so far.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }
}

impl<R: Read> Read for SectionReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.plain.len() {
            if self.file.is_section_read {
                return Ok(0);
            }
            let (is_last, sealed) = self.file.next_chunk()?;
            let opened = self.key.open_chunk(self.chunks, is_last, &self.bound, &sealed).ok_or_else(|| {
                let n = self.chunks;
                damage(format!(
                    "chunk {n} of a section does not open: its bytes, its place or its key are not the ones it was sealed with"
                ))
            })?;
            self.plain.clear();
            // One byte more than there may be, so that more is noticed.
            DeflateDecoder::new(opened.as_slice()).take(CHUNK_BYTES as u64 + 1).read_to_end(&mut self.plain)?;
            if self.plain.len() > CHUNK_BYTES {
                return Err(damage("a chunk unpacks to more than it may"));
            }
            self.at = 0;
            self.chunks += 1;
            self.file.is_section_read = is_last;
        }
        let taken = out.len().min(self.plain.len() - self.at);
        out[..taken].copy_from_slice(&self.plain[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}
