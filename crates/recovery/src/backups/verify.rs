//! Checking a backup without restoring it: every chunk, every record, every count, every ledger in it, and that nothing is missing.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use kernel::store::{Table, Value};
use kernel::{Error, Hub, Result, TenantId};
use serde::Serialize;
use tokio::runtime::Handle;

use super::{ControlInfo, Index, Indexed, Manifest, TenantInfo};
use crate::format::{FileReader, Kind, Record, RecordReader, SectionKind, damaged};
use crate::keys::{Finder, keyring, on_a_thread};
use crate::places::Place;
use crate::{Progress, restores};

/// Entries of a ledger that may come before the one they follow, while a backup is read.
const OUT_OF_ORDER_MAX: usize = 10_000;

/// What a backup was found to hold.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The file.
    pub file: String,
    /// Its id, `bak_…`.
    pub id: String,
    /// Chunks, every one of which opened.
    pub chunks: u64,
    /// Rows of all databases.
    pub rows: u64,
    /// Tenants in it.
    pub tenants: u64,
    /// Ledger entries, every chain of which holds from its first to its head.
    pub entries: u64,
    /// Tenants whose key was destroyed since: nobody can read what the backup holds of them. Their bytes are as they were written.
    pub unreadable: Vec<TenantId>,
}

/// Checks a backup: `named` is its id, its file's name in the place, or a path.
///
/// # Errors
/// `Conflict` with the first thing that is wrong; `NotFound`; `Unavailable`.
pub async fn verify(hub: &Hub, named: &str, place: Option<&str>, progress: &Progress) -> Result<Verified> {
    let (place, file) = restores::source(hub, named, place).await?;
    let (hub, runtime, progress) = (hub.clone(), Handle::current(), progress.clone());
    on_a_thread(move || check(&hub, &runtime, &place, file, &progress)).await
}

fn check(hub: &Hub, runtime: &Handle, place: &Arc<dyn Place>, name: String, progress: &Progress) -> Result<Verified> {
    let finder = Finder::new(hub, keyring(&**place)?);
    let mut file = FileReader::open(place.open(&name)?)?;
    if file.header.kind == Kind::Bundle {
        return Err(Error::Conflict("This is a bundle; it opens with its passphrase: tenantry bundle import checks it.".into()));
    }
    let mut found =
        Verified { file: name, id: file.header.id.clone(), chunks: 0, rows: 0, tenants: 0, entries: 0, unreadable: Vec::new() };
    let (mut seen, mut index) = (Vec::new(), None);
    while let Some(head) = file.next_section()? {
        progress.say(format!("section {}", head.n));
        if index.is_some() {
            return Err(damaged("a section follows its index"));
        }
        let key = match head.tenant {
            Some(tenant) => runtime.block_on(finder.of_tenant(tenant, &head.key))?,
            None => Some(runtime.block_on(finder.of_hub(&head.key))?),
        };
        let Some(key) = key else {
            found.unreadable.extend(head.tenant);
            continue;
        };
        let section = file.section(&key);
        if head.kind == SectionKind::Index {
            index = Some(RecordReader::begin::<Index>(section)?.1);
            continue;
        }
        let one = if head.kind == SectionKind::Control {
            walk(RecordReader::begin::<ControlInfo>(section)?.0, &mut found.entries)?
        } else {
            let (records, info) = RecordReader::begin::<TenantInfo>(section)?;
            if Some(info.registry.id) != head.tenant {
                return Err(damaged("a section is of another tenant than it says"));
            }
            walk(records, &mut found.entries)?
        };
        let (chunks, rows) = one;
        found.chunks += chunks;
        found.rows += rows;
        found.tenants += u64::from(head.tenant.is_some());
        seen.push(Indexed { kind: head.kind, tenant: head.tenant, chunks, rows });
    }
    compare(index.ok_or_else(|| damaged("its index is missing"))?, &seen, &found.unreadable)?;
    Ok(found)
}

fn compare(mut index: Index, seen: &[Indexed], unreadable: &[TenantId]) -> Result<()> {
    index.sections.retain(|section| section.tenant.is_none_or(|tenant| !unreadable.contains(&tenant)));
    if index.sections == seen { Ok(()) } else { Err(damaged("its sections are not those that its index names")) }
}

/// Reads all records of a section. Answers its chunks and rows.
fn walk<R: Read>(mut records: RecordReader<crate::format::SectionReader<'_, R>>, entries: &mut u64) -> Result<(u64, u64)> {
    let mut chains = Chains::default();
    while let Some(record) = records.next_record()? {
        match record {
            Record::Table(table) => chains.table(table),
            Record::Row(row) => chains.row(row)?,
        }
    }
    *entries += chains.finish()?;
    let (section, counted) = records.into_parts();
    Ok((section.chunks(), counted.rows()))
}

/// The ledgers of one database: its rows may come before their heads, and (from PostgreSQL) a little out of order.
#[derive(Default)]
pub(crate) struct Chains {
    table: Option<Table>,
    chains: BTreeMap<Value16, Chain>,
    heads: BTreeMap<Value16, (u64, Vec<u8>)>,
}

/// The chain's id; none in a tenant's database, which has one chain.
type Value16 = Option<uuid::Uuid>;

#[derive(Default)]
struct Chain {
    verifier: ledger::Verifier,
    next: u64,
    waiting: BTreeMap<u64, (String, Vec<u8>)>,
}

impl Chains {
    pub fn table(&mut self, table: Table) {
        self.table = Some(table).filter(|table| matches!(table.name.as_str(), "ledger" | "ledger_head"));
    }

    pub fn row(&mut self, row: Vec<Value>) -> Result<()> {
        let Some(table) = &self.table else { return Ok(()) };
        let is_head = table.name == "ledger_head";
        let (mut chain, mut seq, mut body, mut hash) = (None, 0, String::new(), Vec::new());
        for (column, value) in table.columns.iter().zip(row) {
            match (column.name.as_str(), value) {
                ("chain", Value::Uuid(id)) => chain = Some(id),
                ("seq", Value::Int(n)) => seq = n.unsigned_abs(),
                ("body", Value::Text(text)) => body = text,
                ("hash", Value::Blob(bytes)) => hash = bytes,
                _ => {}
            }
        }
        if is_head {
            self.heads.insert(chain, (seq, hash));
            return Ok(());
        }
        let chain = self.chains.entry(chain).or_default();
        chain.waiting.insert(seq, (body, hash));
        while let Some((body, hash)) = chain.waiting.remove(&(chain.next + 1)) {
            chain.next += 1;
            chain
                .verifier
                .push(chain.next, body.as_bytes(), &hash)
                .map_err(|broken| damaged(format_args!("a ledger in it: {broken}")))?;
        }
        if chain.waiting.len() > OUT_OF_ORDER_MAX {
            return Err(damaged(format_args!("a ledger in it: entry {} is missing", chain.next + 1)));
        }
        Ok(())
    }

    pub fn finish(self) -> Result<u64> {
        let mut entries = 0;
        for (id, chain) in self.chains {
            let broken = |broken| damaged(format_args!("a ledger in it: {broken}"));
            if let Some(seq) = chain.waiting.keys().next() {
                return Err(broken(ledger::Broken::Sequence { expected: chain.next + 1, found: *seq }));
            }
            let (seq, hash) = self.heads.get(&id).ok_or_else(|| damaged("a ledger in it has no head"))?;
            entries += chain.verifier.finish(*seq, hash).map_err(broken)?;
        }
        Ok(entries)
    }
}

/// Of these backups the newest that has the tenant as it was at an instant or before.
pub(crate) fn newest_at(manifests: &[Manifest], tenant: TenantId, at: kernel::Timestamp) -> Option<&Manifest> {
    let as_of = |manifest: &&Manifest| manifest.tenants.iter().find(|held| held.id == tenant).map(|held| held.at);
    let fitting = manifests.iter().filter(|manifest| as_of(manifest).is_some_and(|read_at| read_at <= at));
    fitting.max_by_key(as_of)
}
