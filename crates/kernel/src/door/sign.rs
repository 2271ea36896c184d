//! Signing ledgers: the installation's keys, and the heads of chains that they sign.
//!
//! - A checkpoint is bookkeeping: it says what the ledger is, changes nothing else, and is no entry itself.
//! - Nobody's write waits for a signature. A commit only notes that its chain moved; a worker signs chains whose head moved when their
//!   last checkpoint is [`SIGN_AFTER`] old or [`SIGN_ENTRIES`] entries behind, so many a round. Exports and purges sign at once.
//! - The secret half of a key lies sealed with the master key. A new key signs from [`ROTATION_LEAD`] after it was made: what is being
//!   signed meanwhile, by whichever hub, is signed by the old one, and no signature bears a time at which its key was not in use.
//! - The newest checkpoint of a tenant is kept in the control database too: a tenant's database that was put back is noticed.

use std::fmt;
use std::time::Duration;

use ledger::{Certificate, Checkpoint, Hash, PublicKey, SigningKey, Statement, Writer};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::hub::Hub;
use super::tx::{ReadTx, scope};
use crate::clock::Timestamp;
use crate::error::{CanFail, Error, Result};
use crate::ids::{ProviderId, TenantId, random, uuid_at};
use crate::params;
use crate::store::{Place, Row, StoreError, Tx};

/// A chain that moved is signed when its last checkpoint is this old.
pub const SIGN_AFTER: Duration = Duration::from_secs(300);
/// Or when it is so many entries behind.
pub const SIGN_ENTRIES: u32 = 256;
/// Chains looked at in one round.
const ROUND_MAX: usize = 256;
/// How long before its first signature a new key is made.
pub const ROTATION_LEAD: Duration = Duration::from_secs(60);

/// Whose ledger. As text `ten_…`, `prv_…` or `installation`: what checkpoints and exports name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainId {
    /// A tenant's own, in its database.
    Tenant(TenantId),
    /// A provider's, in the control database.
    Provider(ProviderId),
    /// The installation's, in the control database.
    Installation,
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(id) => id.fmt(f),
            Self::Provider(id) => id.fmt(f),
            Self::Installation => f.write_str("installation"),
        }
    }
}

impl ChainId {
    /// The chain of the control database with this id; nil is the installation's.
    fn control(chain: Uuid) -> Self {
        if chain.is_nil() { Self::Installation } else { Self::Provider(ProviderId::from_uuid(chain)) }
    }

    fn place(self) -> Place {
        if let Self::Tenant(tenant) = self { Place::Tenant(tenant) } else { Place::Control }
    }

    /// Its id in the control database's tables; none for a tenant's, which has a database of its own.
    pub fn key(self) -> Option<Uuid> {
        match self {
            Self::Tenant(_) => None,
            Self::Provider(id) => Some(id.uuid()),
            Self::Installation => Some(Uuid::nil()),
        }
    }
}

/// How far a chain has moved since it was signed, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    signed_at: Option<Timestamp>,
    entries: u32,
}

impl Moved {
    fn is_due(&self, now: Timestamp) -> bool {
        self.entries >= SIGN_ENTRIES || (self.entries > 0 && self.signed_at.is_none_or(|at| at.after(SIGN_AFTER) <= now))
    }

    fn is_settled(&self, now: Timestamp) -> bool {
        self.entries == 0 && self.signed_at.is_none_or(|at| at.after(SIGN_AFTER) <= now)
    }
}

/// One stored key.
struct KeyRow {
    number: i64,
    public: PublicKey,
    secret: Vec<u8>,
    starts_at: Option<Timestamp>,
}

impl KeyRow {
    fn open(&self, hub: &Hub) -> Result<SigningKey> {
        let secret = hub.master_key().open(&secret_label(&self.public.key_id), &self.secret)?;
        let secret: Zeroizing<[u8; 32]> =
            Zeroizing::new(secret.as_slice().try_into().map_err(|_| Error::internal("a signing key of a wrong length"))?);
        Ok(SigningKey::from_secret(&secret))
    }
}

fn secret_label(key_id: &str) -> String {
    format!("ledger signing key {key_id}")
}

/// Signs as the installation, at one instant, with the key that is in use then. What it signs may be long in the making (an export): it
/// bears this instant.
pub struct Signer {
    key: SigningKey,
    keys: Vec<PublicKey>,
    at: Timestamp,
}

impl Signer {
    /// All public keys, the first one first: what a reader needs to check a signature.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The instant that the signatures bear.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Ends an export at this head.
    pub fn seal(&self, export: Writer, seq: u64, hash: Hash) -> Vec<u8> {
        export.seal(&self.key, seq, hash, &self.at.to_string())
    }

    /// Signs what a purge did. The statement's `completed_at` is to be this signer's instant.
    pub fn certify(&self, statement: Statement) -> Certificate {
        Certificate::sign(&self.key, statement, self.keys.clone())
    }
}

const KEYS: &str = "SELECT number, key_id, public_key, secret, starts_at, signature FROM signing_key ORDER BY number";

fn keys_of(rows: Vec<Row>) -> Result<Vec<KeyRow>, StoreError> {
    let mut keys: Vec<KeyRow> = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (number, key_id): (i64, String) = (row.take()?, row.take()?);
        let (public_key, secret) = (bytes(row.take()?)?, row.take()?);
        let starts_at: Option<Timestamp> = row.take()?;
        let signature: Option<Vec<u8>> = row.take()?;
        let certificate = match (keys.last(), starts_at, signature) {
            (Some(before), Some(from), Some(signature)) => {
                let by = before.public.key_id.clone();
                Some(ledger::KeyCertificate { by, from: from.to_string(), signature: bytes(signature)? })
            }
            _ => None,
        };
        keys.push(KeyRow { number, public: PublicKey { key_id, public_key, certificate }, secret, starts_at });
    }
    Ok(keys)
}

fn bytes<const N: usize>(stored: Vec<u8>) -> Result<[u8; N], StoreError> {
    stored.try_into().map_err(|_| StoreError::Shape(format!("expected {N} bytes")))
}

/// Reads `seq, hash, at, key_id, signature`.
///
/// # Errors
/// `StoreError::Shape`: other columns.
pub fn checkpoint_of(row: &mut Row, chain: &str) -> Result<Checkpoint, StoreError> {
    let seq: i64 = row.take()?;
    let (hash, at): (_, Timestamp) = (bytes(row.take()?)?, row.take()?);
    let (key_id, signature) = (row.take()?, bytes(row.take()?)?);
    Ok(Checkpoint { chain: chain.to_owned(), seq: seq.unsigned_abs(), hash, at: at.to_string(), key_id, signature })
}

impl Hub {
    /// The installation's public signing keys, the first one first, each further one certified by the one before it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn signing_keys(&self) -> Result<Vec<PublicKey>> {
        let keys = keys_of(self.0.store.read(Place::Control).await?.rows(KEYS, &[]).await?)?;
        Ok(keys.into_iter().map(|key| key.public).collect())
    }

    /// Who signs for the installation now.
    ///
    /// # Errors
    /// `Unavailable`; `Internal` when the key does not open with the master key.
    pub async fn signer(&self) -> Result<Signer> {
        // The instant before the keys: a key that is made after this read begins later than it.
        let at = self.now();
        let keys = keys_of(self.0.store.read(Place::Control).await?.rows(KEYS, &[]).await?)?;
        let in_use = keys.iter().rev().find(|key| key.starts_at.is_none_or(|from| from <= at));
        let key = in_use.ok_or_else(|| Error::internal("the installation has no signing key"))?.open(self)?;
        Ok(Signer { key, keys: keys.into_iter().map(|key| key.public).collect(), at })
    }

    /// Makes the first signing key, when the store is new.
    pub(crate) async fn make_first_signing_key(&self) -> Result<()> {
        if !self.signing_keys().await?.is_empty() {
            return Ok(());
        }
        let (secret, now) = (Zeroizing::new(random::<32>()), self.now());
        let key = SigningKey::from_secret(&secret);
        let sealed = self.master_key().seal(&secret_label(key.id()), secret.as_slice());
        let mut tx = self.0.store.write(Place::Control).await?;
        // Of two hubs that start together on one database, one makes it.
        tx.execute(
            "INSERT INTO signing_key (number, key_id, public_key, secret, created_at) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT (number) DO NOTHING",
            params![key.id(), key.public_key().as_slice(), sealed, now],
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Replaces the signing key: the one before certifies the new one, which signs from [`ROTATION_LEAD`] on. Answers its public half.
    ///
    /// # Errors
    /// `Unavailable`; `Conflict` when somebody else replaced it at the same time.
    pub async fn rotate_signing_key(&self) -> Result<PublicKey> {
        let mut tx = self.system_write("ledger_key.rotate", "the key that signs ledgers was replaced at the machine").await?;
        let keys = keys_of(tx.rows(KEYS, &[]).await?)?;
        let last = keys.last().ok_or_else(|| Error::internal("the installation has no signing key"))?;
        let (secret, now) = (Zeroizing::new(random::<32>()), tx.now());
        let key = SigningKey::from_secret(&secret);
        let soonest = now.after(ROTATION_LEAD);
        let from = last.starts_at.map_or(soonest, |last| last.max(soonest));
        let public = last.open(self)?.certify(&key, &from.to_string());
        let signature = public.certificate.as_ref().map(|certificate| certificate.signature.to_vec());
        let sealed = self.master_key().seal(&secret_label(key.id()), secret.as_slice());
        tx.execute(
            "INSERT INTO signing_key (number, key_id, public_key, secret, starts_at, signature, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![last.number + 1, key.id(), key.public_key().as_slice(), sealed, from, signature, now],
        )
        .await?;
        tx.keeps_authority().subject("ledger_key", key.id(), None);
        tx.changed("ledger_key", key.id(), &last.public, &public);
        tx.commit().await?;
        Ok(public)
    }

    /// Signs the head of a chain, unless it is signed already. Answers the head's checkpoint; none for an empty chain.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` without such a tenant.
    pub async fn checkpoint(&self, chain: ChainId) -> Result<Option<Checkpoint>> {
        self.checkpoint_by(&self.signer().await?, chain).await
    }

    /// As [`checkpoint`](Self::checkpoint), by a signer that goes on to sign more.
    ///
    /// # Errors
    /// As there.
    pub async fn checkpoint_by(&self, signer: &Signer, chain: ChainId) -> Result<Option<Checkpoint>> {
        let signed = self.sign_head(signer, chain).await?;
        if let (ChainId::Tenant(tenant), Some(Signed { checkpoint, goes_on: true })) = (chain, &signed) {
            self.remember(&[(tenant, checkpoint.clone())]).await?;
        }
        Ok(signed.map(|signed| signed.checkpoint))
    }

    async fn sign_head(&self, signer: &Signer, chain: ChainId) -> Result<Option<Signed>> {
        let remembered = match chain {
            ChainId::Tenant(tenant) => self.remembered_checkpoint(tenant).await?,
            ChainId::Provider(_) | ChainId::Installation => None,
        };
        let mut tx = self.0.store.read(chain.place()).await?;
        let head = head(&mut tx, chain).await?;
        let last = last_checkpoint(&mut tx, chain).await?;
        let goes_on = runs_through(&mut tx, remembered.as_ref()).await?;
        drop(tx);
        if !goes_on {
            tracing::error!(%chain, "a ledger does not run through its newest signed head: it was put back to an older state, or rewritten");
        }
        let Some((seq, hash)) = head.filter(|(seq, _)| *seq > 0) else { return Ok(None) };
        if let Some(checkpoint) = last.filter(|last| last.seq == seq && last.hash == hash) {
            return Ok(Some(Signed { checkpoint, goes_on }));
        }
        let checkpoint = Checkpoint::sign(&signer.key, &chain.to_string(), seq, hash, &signer.at.to_string());
        let mut tx = self.0.store.write(chain.place()).await?;
        insert(&mut tx, chain, signer.at, &checkpoint).await?;
        tx.commit().await?;
        Ok(Some(Signed { checkpoint, goes_on }))
    }

    /// Keeps tenants' newest checkpoints in the control database; never an older one in place of a newer, and (see [`Signed`]) none of
    /// a chain that does not run through the one before.
    async fn remember(&self, checkpoints: &[(TenantId, Checkpoint)]) -> Result<()> {
        let mut tx = self.0.store.write(Place::Control).await?;
        for (tenant, checkpoint) in checkpoints {
            let at: Timestamp = checkpoint.at.parse().map_err(|_| Error::internal("a checkpoint without a time"))?;
            tx.execute(
                "INSERT INTO tenant_checkpoint (tenant_id, seq, hash, at, key_id, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, at = excluded.at,
                     key_id = excluded.key_id, signature = excluded.signature
                 WHERE tenant_checkpoint.seq < excluded.seq",
                params![
                    *tenant,
                    checkpoint.seq,
                    checkpoint.hash.as_slice(),
                    at,
                    checkpoint.key_id.as_str(),
                    checkpoint.signature.as_slice(),
                ],
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The newest checkpoint of a tenant that was ever signed, as the control database remembers it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn remembered_checkpoint(&self, tenant: TenantId) -> Result<Option<Checkpoint>> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let sql = "SELECT seq, hash, at, key_id, signature FROM tenant_checkpoint WHERE tenant_id = ?1";
        let row = tx.opt(sql, params![tenant]).await?;
        Ok(row.map(|mut row| checkpoint_of(&mut row, &tenant.to_string())).transpose()?)
    }

    /// A commit put an entry on this chain of the control database, or, without one, on this tenant's own.
    pub(crate) fn note_entry(&self, control: Option<Uuid>, tenant: Option<TenantId>) {
        let Some(chain) = control.map(ChainId::control).or(tenant.map(ChainId::Tenant)) else { return };
        self.0.moved.lock().entry(chain).or_default().entries += 1;
    }

    /// Notes every chain as one that may have moved: after a start, when nobody knows. Answers how many there are.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_all_chains(&self) -> Result<usize> {
        let mut tx = self.0.store.read(Place::Control).await?;
        let tenants = tx.rows("SELECT id FROM tenant WHERE state <> 'purged'", &[]).await?;
        let control = tx.rows("SELECT chain FROM ledger_head", &[]).await?;
        drop(tx);
        let mut chains = Vec::with_capacity(tenants.len() + control.len());
        for mut row in tenants {
            chains.push(ChainId::Tenant(row.take()?));
        }
        for mut row in control {
            chains.push(ChainId::control(row.take()?));
        }
        let mut moved = self.0.moved.lock();
        for chain in &chains {
            moved.entry(*chain).or_default().entries += 1;
        }
        Ok(chains.len())
    }

    /// One round of signing what is due: up to 256 chains, those that wait longest first. Answers how many were looked at.
    ///
    /// # Errors
    /// `Unavailable`; the next round goes on.
    pub async fn sign_due(&self) -> Result<usize> {
        let now = self.now();
        let due: Vec<(ChainId, u32)> = {
            let mut moved = self.0.moved.lock();
            moved.retain(|_, chain| !chain.is_settled(now));
            let mut due: Vec<_> = moved.iter().filter(|(_, chain)| chain.is_due(now)).collect();
            due.sort_unstable_by_key(|(_, chain)| chain.signed_at);
            due.into_iter().take(ROUND_MAX).map(|(id, chain)| (*id, chain.entries)).collect()
        };
        if due.is_empty() {
            return Ok(0);
        }
        let signer = self.signer().await?;
        let mut signed = Vec::new();
        for (chain, entries) in &due {
            match self.sign_head(&signer, *chain).await {
                Ok(head) => {
                    self.settle(*chain, *entries, signer.at);
                    if let (ChainId::Tenant(tenant), Some(Signed { checkpoint, goes_on: true })) = (chain, head) {
                        signed.push((*tenant, checkpoint));
                    }
                }
                Err(Error::NotFound) => drop(self.0.moved.lock().remove(chain)),
                Err(error) => Err::<(), _>(error).can_fail("the next round tries again"),
            }
        }
        if !signed.is_empty() {
            self.remember(&signed).await?;
        }
        Ok(due.len())
    }

    fn settle(&self, chain: ChainId, entries: u32, at: Timestamp) {
        if let Some(moved) = self.0.moved.lock().get_mut(&chain) {
            moved.entries = moved.entries.saturating_sub(entries);
            moved.signed_at = Some(at);
        }
    }

    /// A read of the hub itself on one tenant's data: for commands given at the machine. What it is for is to be in the tenant's ledger
    /// already.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` without such a tenant.
    pub async fn system_read_tenant(&self, tenant: TenantId) -> Result<ReadTx<scope::Data>> {
        let tx = self.0.store.read(Place::Tenant(tenant)).await?;
        Ok(ReadTx::new(tx, scope::Data(tenant), self.system_background()))
    }
}

/// The signed head of a chain.
struct Signed {
    checkpoint: Checkpoint,
    /// The chain runs through the checkpoint that the control database remembers. If not, that one stays remembered: it is what shows
    /// that the chain was put back or rewritten.
    goes_on: bool,
}

async fn runs_through(tx: &mut Tx, checkpoint: Option<&Checkpoint>) -> Result<bool, StoreError> {
    let Some(checkpoint) = checkpoint else { return Ok(true) };
    let row = tx.opt("SELECT hash FROM ledger WHERE seq = ?1", params![checkpoint.seq]).await?;
    let stored: Option<Vec<u8>> = row.map(|mut row| row.take()).transpose()?;
    Ok(stored.is_some_and(|hash| hash == checkpoint.hash))
}

async fn head(tx: &mut Tx, chain: ChainId) -> Result<Option<(u64, Hash)>, StoreError> {
    let row = match chain.key() {
        None => tx.opt("SELECT seq, hash FROM ledger_head", &[]).await?,
        Some(key) => tx.opt("SELECT seq, hash FROM ledger_head WHERE chain = ?1", params![key]).await?,
    };
    row.map(|mut row| Ok((row.take::<i64>()?.unsigned_abs(), bytes(row.take()?)?))).transpose()
}

async fn last_checkpoint(tx: &mut Tx, chain: ChainId) -> Result<Option<Checkpoint>, StoreError> {
    const COLUMNS: &str = "SELECT seq, hash, at, key_id, signature FROM checkpoint";
    const LAST: &str = "ORDER BY seq DESC, at DESC LIMIT 1";
    let row = match chain.key() {
        None => tx.opt(&format!("{COLUMNS} {LAST}"), &[]).await?,
        Some(key) => tx.opt(&format!("{COLUMNS} WHERE chain = ?1 {LAST}"), params![key]).await?,
    };
    row.map(|mut row| checkpoint_of(&mut row, &chain.to_string())).transpose()
}

async fn insert(tx: &mut Tx, chain: ChainId, at: Timestamp, checkpoint: &Checkpoint) -> Result<u64, StoreError> {
    let Checkpoint { seq, hash, key_id, signature, .. } = checkpoint;
    let (hash, key_id, signature) = (hash.as_slice(), key_id.as_str(), signature.as_slice());
    let id = uuid_at(at);
    match chain.key() {
        None => {
            tx.execute(
                "INSERT INTO checkpoint (seq, hash, at, key_id, signature, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (tenant_id, seq, hash) DO NOTHING",
                params![*seq, hash, at, key_id, signature, id],
            )
            .await
        }
        Some(key) => {
            tx.execute(
                "INSERT INTO checkpoint (chain, seq, hash, at, key_id, signature, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (chain, seq, hash) DO NOTHING",
                params![key, *seq, hash, at, key_id, signature, id],
            )
            .await
        }
    }
}
