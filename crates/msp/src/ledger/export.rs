//! A ledger as a file that proves itself (`crates/ledger/README.md`), read and sent page by page: each page comes through the door anew,
//! so that no slow reader holds anything, and whoever loses the right meanwhile gets no further.
//!
//! The head is signed when the export begins, and the file ends there. What is stored goes into the file as it is stored: what was
//! tampered with is to be seen by whoever checks it.

use access::actions;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use kernel::door::{ChainId, Signer};
use kernel::{Error, Hub, ProviderCx, ReadTx, Result, TenantCx, scope};

use super::store::{self, Piece};
use super::{LedgerEntry, Names};

/// Entries read at once.
const PIECE: i64 = 500;

/// Who reads which ledger for what: where each page comes from.
pub(super) enum Source {
    /// Somebody exports a tenant's.
    Tenant(TenantCx),
    /// Somebody checks a tenant's.
    TenantCheck(TenantCx),
    /// Somebody exports a provider's.
    Provider(ProviderCx),
    /// Somebody checks a provider's.
    ProviderCheck(ProviderCx),
    /// The operator exports a ledger at the machine.
    Machine(Hub, ChainId),
}

/// A span of a chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Entries after this one,
    pub after: i64,
    /// up to this one,
    pub to: i64,
    /// so many at most.
    pub most: i64,
}

impl Source {
    /// Opens the door; answers the name of whose ledger it is, and the ledger.
    async fn open(&self) -> Result<(String, ChainId, Hub)> {
        Ok(match self {
            Self::Tenant(cx) => named(&cx.read::<actions::LedgerExport>().await?, cx),
            Self::TenantCheck(cx) => named(&cx.read::<actions::LedgerVerify>().await?, cx),
            Self::Provider(cx) => provider_named(cx.read::<actions::ProviderLedgerExport>().await?).await?,
            Self::ProviderCheck(cx) => provider_named(cx.read::<actions::ProviderLedgerVerify>().await?).await?,
            Self::Machine(hub, chain) => (name_at_machine(hub, *chain).await?, *chain, hub.clone()),
        })
    }

    async fn piece(&self, chain: ChainId, span: Span) -> Result<Piece> {
        match self {
            Self::Tenant(cx) => store::piece(&mut cx.read::<actions::LedgerExport>().await?, chain, span).await,
            Self::TenantCheck(cx) => store::piece(&mut cx.read::<actions::LedgerVerify>().await?, chain, span).await,
            Self::Provider(cx) => store::piece(&mut cx.read::<actions::ProviderLedgerExport>().await?, chain, span).await,
            Self::ProviderCheck(cx) => store::piece(&mut cx.read::<actions::ProviderLedgerVerify>().await?, chain, span).await,
            Self::Machine(hub, ChainId::Tenant(id)) => store::piece(&mut hub.system_read_tenant(*id).await?, chain, span).await,
            Self::Machine(hub, _) => store::piece(&mut hub.system_read().await?, chain, span).await,
        }
    }
}

async fn name_at_machine(hub: &Hub, chain: ChainId) -> Result<String> {
    let mut tx = hub.system_read().await?;
    let name = match chain {
        ChainId::Tenant(id) => store::name_of(&mut tx, "tenant", id.uuid()).await?,
        ChainId::Provider(id) => store::name_of(&mut tx, "provider", id.uuid()).await?,
        ChainId::Installation => Some(hub.public_url().to_owned()),
    };
    name.ok_or(Error::NotFound)
}

fn named(tx: &ReadTx<scope::Data>, cx: &TenantCx) -> (String, ChainId, Hub) {
    (cx.tenant().name.clone(), ChainId::Tenant(cx.tenant().id), tx.hub().clone())
}

async fn provider_named(mut tx: ReadTx<scope::Provider>) -> Result<(String, ChainId, Hub)> {
    let id = tx.scope.provider;
    let name = store::name_of(&mut tx, "provider", id.uuid()).await?;
    Ok((name.ok_or(Error::NotFound)?, ChainId::Provider(id), tx.hub().clone()))
}

/// An export on its way.
pub struct Export {
    source: Source,
    chain: ChainId,
    names: Names,
    signer: Signer,
    /// Gone once the file is sealed.
    writer: Option<::ledger::Writer>,
    /// The head that the file ends at,
    pub(super) head: Head,
    /// signed; none for an empty chain.
    pub(super) checkpoint: Option<::ledger::Checkpoint>,
    /// The last entry that was read, and its stored hash.
    last: Head,
}

/// Number and hash of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub seq: u64,
    pub hash: ::ledger::Hash,
}

impl Export {
    /// Opens the door, signs the head, and begins the file.
    pub(super) async fn begin(source: Source, names: Names) -> Result<Self> {
        let (name, chain, hub) = source.open().await?;
        let signer = hub.signer().await?;
        let checkpoint = hub.checkpoint_by(&signer, chain).await?;
        let start = Head { seq: 0, hash: ::ledger::GENESIS };
        let head = checkpoint.as_ref().map_or(start, |checkpoint| Head { seq: checkpoint.seq, hash: checkpoint.hash });
        let header =
            ::ledger::Header { chain: chain.to_string(), name, exported_at: signer.at().to_string(), keys: signer.keys().to_vec() };
        let writer = Some(::ledger::Writer::new(&header));
        Ok(Self { source, chain, names, signer, writer, head, checkpoint, last: start })
    }

    /// An export by the operator at the machine, which leaves an entry in that ledger first.
    ///
    /// # Errors
    /// `NotFound` without such a tenant or provider; `Unavailable`.
    pub async fn at_machine(hub: &Hub, chain: ChainId) -> Result<Self> {
        const REASON: &str = "the operator exported this ledger at the machine";
        name_at_machine(hub, chain).await?;
        match chain {
            ChainId::Tenant(tenant) => {
                let mut tx = hub.system(tenant, "ledger.export", REASON).await?;
                tx.subject("ledger", chain, None);
                tx.commit().await?;
            }
            ChainId::Provider(_) | ChainId::Installation => {
                let mut tx = hub.system_write("provider_ledger.export", REASON).await?;
                if let ChainId::Provider(provider) = chain {
                    tx.in_ledger_of(provider);
                }
                tx.keeps_authority().subject("ledger", chain, None);
                tx.commit().await?;
            }
        }
        Self::begin(Source::Machine(hub.clone(), chain), Names::Shown).await
    }

    /// The next bytes of the file; none after its last.
    ///
    /// # Errors
    /// `Forbidden` when the right was lost meanwhile; `Unavailable`.
    pub async fn more(&mut self) -> Result<Option<Vec<u8>>> {
        if self.writer.is_none() {
            return Ok(None);
        }
        let after = i64::try_from(self.last.seq).unwrap_or(i64::MAX);
        let span = Span { after, to: i64::try_from(self.head.seq).unwrap_or(i64::MAX), most: PIECE };
        let piece = self.source.piece(self.chain, span).await?;
        let ended = piece.entries.len() < usize::try_from(PIECE).unwrap_or_default();
        let Some(mut writer) = self.writer.take() else { return Ok(None) };
        let mut checkpoints =
            piece.checkpoints.into_iter().filter(|checkpoint| checkpoint.at <= self.signer.at().to_string()).peekable();
        for entry in piece.entries {
            self.write(&mut writer, &entry);
            self.last = Head { seq: entry.seq, hash: entry.hash };
            while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.seq <= entry.seq) {
                writer.checkpoint(&checkpoint);
            }
        }
        if !ended {
            let bytes = writer.take();
            self.writer = Some(writer);
            return Ok(Some(bytes));
        }
        checkpoints.for_each(|checkpoint| writer.checkpoint(&checkpoint));
        Ok(Some(self.signer.seal(writer, self.head.seq, self.head.hash)))
    }

    /// One entry: whole, or for a reader who sees staff by role without their names. An entry that does not fit its hash is written so
    /// that it does not fit in the file either.
    fn write(&self, writer: &mut ::ledger::Writer, entry: &store::Stored) {
        if self.names == Names::Shown {
            return writer.entry(entry.seq, &entry.body, entry.hash);
        }
        let Ok(mut shown) = serde_json::from_str::<LedgerEntry>(&entry.body) else {
            return writer.entry(entry.seq, "", entry.hash);
        };
        if shown.acted.as_ref().is_none_or(|acted| acted.provider.is_none()) {
            return writer.entry(entry.seq, &entry.body, entry.hash);
        }
        shown.seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        shown.hash = ::ledger::hex::encode(&entry.hash);
        shown.hide_names();
        let text = serde_json::to_string(&shown).unwrap_or_default();
        let fits = ::ledger::link(&self.last.hash, entry.seq, entry.body.as_bytes()) == entry.hash;
        if fits { writer.withheld(entry.seq, &text, entry.hash) } else { writer.entry(entry.seq, &text, entry.hash) }
    }
}

/// The file as an answer, named after whose ledger it is. Its first piece is read before it begins, so that what goes wrong at once is a
/// problem and not half a file.
pub(super) async fn download(source: Source, names: Names) -> Result<Response> {
    let mut export = Export::begin(source, names).await?;
    let name = match &export.source {
        Source::Tenant(cx) => cx.tenant().slug.clone(),
        _ => export.chain.to_string(),
    };
    let day: String = export.signer.at().to_string().chars().take(10).collect();
    let first = export.more().await?.unwrap_or_default();
    let rest = stream::try_unfold(export, |mut export| async move {
        let bytes = export.more().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(bytes.map(|bytes| (bytes, export)))
    });
    let whole = futures_util::StreamExt::chain(stream::once(async move { Ok(first) }), rest);
    let file = format!("attachment; filename=\"ledger-{name}-{day}.jsonl\"");
    let headers = [(CONTENT_TYPE, "application/x-ndjson".to_owned()), (CONTENT_DISPOSITION, file)];
    Ok((headers, Body::from_stream(whole)).into_response())
}
