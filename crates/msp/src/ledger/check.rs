//! Does a ledger hold, here and now? It is exported to the very program that checks it anywhere else, and to the newest head that the
//! control database remembers: what is said here is what an auditor will be told.

use std::io::{BufReader, Read};

use ::ledger::{FindingKind, Trust};
use kernel::door::ChainId;
use kernel::{Error, Hub, Result, Timestamp};
use serde::Serialize;
use tokio::sync::mpsc;

use super::export::{Export, Source};
use super::{LedgerHead, Names};

/// Pieces of the export that wait to be checked.
const WAITING: usize = 4;

/// How a ledger stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LedgerCheck {
    /// Every entry, every signed head and the end are as they were written.
    pub ok: bool,
    /// When this was looked at.
    pub checked_at: Timestamp,
    /// Entries up to the head.
    pub entries: i64,
    /// The first thing that is wrong; none when it is `ok`.
    pub first_bad: Option<FirstBad>,
    /// The head.
    pub head: LedgerHead,
    /// That head, signed; none for an empty ledger.
    pub last_checkpoint: Option<super::LedgerCheckpoint>,
}

/// The first thing that is wrong with a ledger.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FirstBad {
    /// Number of the first bad entry; none when it is a signed head, or a key.
    pub seq: Option<i64>,
    /// What is wrong, in one sentence.
    pub reason: String,
}

pub(super) async fn check(hub: &Hub, source: Source, chain: ChainId) -> Result<LedgerCheck> {
    let mut export = Export::begin(source, Names::Shown).await?;
    let remembered = match chain {
        ChainId::Tenant(tenant) => hub.remembered_checkpoint(tenant).await?,
        ChainId::Provider(_) | ChainId::Installation => None,
    };
    let trust = Trust { keys: Vec::new(), kept: remembered.iter().cloned().collect() };
    let (sender, receiver) = mpsc::channel(WAITING);
    let checking = tokio::task::spawn_blocking(move || {
        ::ledger::verify(BufReader::new(Pieces { receiver, piece: Vec::new(), at: 0 }), &trust)
    });
    while let Some(piece) = export.more().await? {
        // It stops to listen at the first thing that is wrong.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    let first_bad = checking.await.map_err(Error::internal)?.err().map(|finding| FirstBad {
        seq: finding.seq.map(count),
        reason: match (finding.kind, &remembered) {
            (FindingKind::Rewritten, Some(known)) => format!(
                "The ledger was put back to an older state, or rewritten: entry {}, whose number and hash were signed at {}, is not in it.",
                known.seq, known.at
            ),
            _ => finding.message,
        },
    });
    Ok(LedgerCheck {
        ok: first_bad.is_none(),
        checked_at: hub.now(),
        entries: count(export.head.seq),
        first_bad,
        head: LedgerHead { seq: count(export.head.seq), hash: ::ledger::hex::encode(&export.head.hash) },
        last_checkpoint: export.checkpoint.map(Into::into),
    })
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The pieces of an export as one reader, for the thread that checks.
struct Pieces {
    receiver: mpsc::Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.piece.len() {
            let Some(piece) = self.receiver.blocking_recv() else { return Ok(0) };
            (self.piece, self.at) = (piece, 0);
        }
        let taken = out.len().min(self.piece.len() - self.at);
        out[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}
