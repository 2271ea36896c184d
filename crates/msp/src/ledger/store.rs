//! SQL of ledgers. The number is the order and the cursor.

use kernel::door::{ChainId, FanRows, Scope, checkpoint_of};
use kernel::paging::Order;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, TenantId, params, scope};
use uuid::Uuid;

use super::activity::BY_TIME;
use super::export::Span;
use super::{Filter, LedgerCheckpoint, LedgerEntry, Names};

const NEWEST_FIRST: Order = Order { key: "seq", descending: true };
const COLUMNS: &str = "SELECT body, hash, seq, seq, id";

pub(super) async fn of_provider(tx: &mut ReadTx<scope::Provider>, filter: &Filter) -> Result<Page<LedgerEntry>> {
    let mut rest = Query::default();
    rest.push(" FROM ledger WHERE chain = ").bind(tx.scope.provider);
    if let Some(name) = &filter.tenant {
        match name.parse::<TenantId>() {
            Ok(id) => rest.push(" AND tenant_id = ").bind(id),
            Err(_) => rest.push(" AND tenant_id IN (SELECT id FROM tenant WHERE slug = ").bind(name.as_str()).push(")"),
        };
    }
    narrow(&mut rest, filter, Names::Shown);
    let rows = tx.query(&page_of(rest.clone(), filter)?).await?;
    let total = tx.one(&format!("SELECT COUNT(*){}", rest.sql), &rest.params).await?.take()?;
    page(rows, filter, total)
}

pub(super) async fn of_tenant(tx: &mut ReadTx<scope::Data>, filter: &Filter, names: Names) -> Result<Page<LedgerEntry>> {
    let mut rest = Query::new(" FROM ledger WHERE seq > 0");
    if let Some(staff) = filter.staff {
        rest.push(" AND staff = ").bind(staff);
    }
    if names == Names::Hidden && filter.actor.is_some() {
        rest.push(" AND staff = ").bind(false);
    }
    narrow(&mut rest, filter, names);
    let rows = tx.query(&page_of(rest.clone(), filter)?).await?;
    let total = tx.one(&format!("SELECT COUNT(*){}", rest.sql), &rest.params).await?.take()?;
    page(rows, filter, total)
}

/// How many entries of a tenant's own ledger fit, and those of a page and one more, newest first by their time. `own`: only this
/// person's.
pub(super) async fn by_time(
    tx: &mut ReadTx<scope::Data>,
    filter: &Filter,
    asked: &PageQuery,
    names: Names,
    own: Option<PersonId>,
) -> Result<FanRows<LedgerEntry>> {
    let mut rest = Query::new(" FROM ledger WHERE seq > 0");
    if let Some(me) = own {
        rest.push(" AND actor_id = ").bind(me);
    } else if names == Names::Hidden && filter.actor.is_some() {
        rest.push(" AND staff = ").bind(false);
    }
    narrow(&mut rest, filter, if own.is_some() { Names::Shown } else { names });
    let total = tx.one(&format!("SELECT COUNT(*){}", rest.sql), &rest.params).await?.take()?;
    let mut query = Query { sql: format!("SELECT body, hash, seq, at, id{}", rest.sql), params: rest.params };
    asked.apply(&mut query, BY_TIME, "id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((entry_of(&mut row)?, row.take()?, row.take()?));
    }
    Ok((total, rows))
}

fn narrow(query: &mut Query, filter: &Filter, names: Names) {
    let searched = match names {
        Names::Shown => "actor || ' ' || action || ' ' || body",
        Names::Hidden => "CASE WHEN staff THEN action ELSE actor || ' ' || action || ' ' || body END",
    };
    query.and_like(searched, filter.pattern.as_deref());
    if let Some(actor) = filter.actor {
        query.push(" AND actor_id = ").bind(actor);
    }
    if !filter.actions.is_empty() {
        query.push(" AND (1 = 0");
        for prefix in &filter.actions {
            let escaped = prefix.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
            query.push(" OR action LIKE ").bind(format!("{escaped}%")).push(r" ESCAPE '\'");
        }
        query.push(")");
    }
    if !filter.outcomes.is_empty() {
        query.push(" AND outcome IN (").bind_all(filter.outcomes.iter()).push(")");
    }
    if let Some(from) = filter.from {
        query.push(" AND at >= ").bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" AND at <= ").bind(to);
    }
}

fn page_of(rest: Query, filter: &Filter) -> Result<Query> {
    let mut query = Query { sql: format!("{COLUMNS}{}", rest.sql), params: rest.params };
    filter.page.apply(&mut query, NEWEST_FIRST, "id")?;
    Ok(query)
}

fn page(rows: Vec<Row>, filter: &Filter, total: i64) -> Result<Page<LedgerEntry>> {
    let mut items = Vec::with_capacity(rows.len());
    for mut row in rows {
        let entry = entry_of(&mut row)?;
        items.push((entry, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, filter.page.limit()?, NEWEST_FIRST, total))
}

fn entry_of(row: &mut Row) -> Result<LedgerEntry, StoreError> {
    let mut entry: LedgerEntry = row.json()?;
    let hash: Vec<u8> = row.take()?;
    entry.hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    entry.seq = row.take()?;
    Ok(entry)
}

/// An entry, exactly as it is stored.
pub(super) struct Stored {
    pub seq: u64,
    pub body: String,
    pub hash: ::ledger::Hash,
}

/// Part of a chain: its entries, and the heads that were signed in it; with the last entries all that were signed after them.
pub(super) struct Piece {
    pub entries: Vec<Stored>,
    pub checkpoints: Vec<::ledger::Checkpoint>,
}

pub(super) async fn piece<S: Scope>(tx: &mut ReadTx<S>, chain: ChainId, span: Span) -> Result<Piece> {
    let mut query = Query::new("SELECT seq, body, hash FROM ledger WHERE seq > ");
    query.bind(span.after).push(" AND seq <= ").bind(span.to);
    of_chain(&mut query, chain);
    query.push(" ORDER BY seq LIMIT ").bind(span.most);
    let rows = tx.query(&query).await?;
    let entries = rows.into_iter().map(stored).collect::<Result<Vec<_>, StoreError>>()?;
    let is_last = i64::try_from(entries.len()).unwrap_or(i64::MAX) < span.most;
    let mut query = Query::new("SELECT seq, hash, at, key_id, signature FROM checkpoint WHERE seq > ");
    query.bind(span.after);
    if let (false, Some(last)) = (is_last, entries.last()) {
        query.push(" AND seq <= ").bind(last.seq);
    }
    of_chain(&mut query, chain);
    query.push(" ORDER BY seq, at LIMIT ").bind(4 * span.most);
    let name = chain.to_string();
    let rows = tx.query(&query).await?.into_iter();
    let checkpoints = rows.map(|mut row| checkpoint_of(&mut row, &name)).collect::<Result<_, StoreError>>()?;
    Ok(Piece { entries, checkpoints })
}

/// Narrows to a chain of the control database; a tenant's own is alone in its database.
fn of_chain(query: &mut Query, chain: ChainId) {
    if let Some(key) = chain.key() {
        query.push(" AND chain = ").bind(key);
    }
}

fn stored(mut row: Row) -> Result<Stored, StoreError> {
    let seq: i64 = row.take()?;
    let body = row.take()?;
    let hash: Vec<u8> = row.take()?;
    // A hash of another length is no hash: one that nothing fits stands for it.
    Ok(Stored { seq: seq.unsigned_abs(), body, hash: hash.try_into().unwrap_or([0; 32]) })
}

pub(super) async fn checkpoints<S: Scope>(tx: &mut ReadTx<S>, chain: ChainId, page: &PageQuery) -> Result<Page<LedgerCheckpoint>> {
    let mut rest = Query::new(" FROM checkpoint WHERE seq > 0");
    of_chain(&mut rest, chain);
    let total = tx.one(&format!("SELECT COUNT(*){}", rest.sql), &rest.params).await?.take()?;
    let mut query = Query { sql: format!("SELECT seq, hash, at, key_id, signature, seq, id{}", rest.sql), params: rest.params };
    page.apply(&mut query, NEWEST_FIRST, "id")?;
    let name = chain.to_string();
    let rows = tx.query(&query).await?.into_iter();
    let rows = rows.map(|mut row| Ok((checkpoint_of(&mut row, &name)?.into(), row.take()?, row.take()?)));
    Ok(Page::cut(rows.collect::<Result<_, StoreError>>()?, page.limit()?, NEWEST_FIRST, total))
}

/// The name of a tenant or provider (`table`).
pub(super) async fn name_of<S: Scope>(tx: &mut ReadTx<S>, table: &'static str, id: Uuid) -> Result<Option<String>> {
    let row = tx.opt(&format!("SELECT name FROM {table} WHERE id = ?1"), params![id]).await?;
    Ok(row.map(|mut row| row.take()).transpose()?)
}
