//! SQL of ledgers. The number is the order and the cursor.

use kernel::paging::Order;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, ReadTx, Result, TenantId, scope};

use super::{Filter, LedgerEntry, Names};

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
