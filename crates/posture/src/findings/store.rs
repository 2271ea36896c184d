//! SQL of findings.

use std::collections::BTreeMap;

use kernel::door::scope::Data;
use kernel::paging::Order;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, params};
use uuid::Uuid;

use super::filter::{Facet, Filter, Whose, status, status_is};
use super::{AssigneeFacet, FacetCount, Facets, Finding, FindingView, Locked, OpenCounts, Resource, Seen, age_days};
use crate::by::{self, By};
use crate::controls::ControlRef;
use crate::words::{Lifecycle, Outcome, Severity, Status};
use crate::{ControlId, FindingId, ScanId, SourceId};

/// Frameworks that the facet shows.
const FRAMEWORKS_SHOWN: i64 = 60;
/// Resources that the facet shows.
const RESOURCES_SHOWN: i64 = 20;
/// Scans that the history of a finding shows.
const HISTORY_SHOWN: usize = 50;

const ORDERS: &[(&str, &str)] = &[
    ("severity", "f.severity_order"),
    ("age", "(0 - f.first_seen_at)"),
    ("last_seen", "f.last_seen_at"),
    ("title", "lower(f.title)"),
];

const TABLES: &str = "FROM finding f JOIN control c ON c.id = f.control_id";

/// The columns of a [`Finding`], in the order in which [`finding`] reads them.
fn columns() -> String {
    format!(
        "f.id, f.title, f.severity, {}, f.lifecycle, f.result, c.id, c.uid, c.title, f.resource_uid, f.resource_name,
         f.resource_kind, f.resource_region, f.resource_account, c.tool, f.first_seen_at, f.last_seen_at, f.assignee, f.comments,
         f.version",
        status()
    )
}

fn finding(row: &mut Row, now: Timestamp, staff_names: bool) -> Result<Finding, StoreError> {
    let (id, title, severity, status) = (row.take()?, row.take()?, row.parse()?, row.parse::<Status>()?);
    let (lifecycle, result) = (row.parse()?, row.parse()?);
    let control = ControlRef { id: row.take()?, uid: row.take()?, title: row.take()? };
    let resource = Resource { uid: row.take()?, name: row.take()?, kind: row.take()?, region: row.take()?, account: row.take()? };
    let (tool, first_seen_at) = (row.take()?, row.take()?);
    Ok(Finding {
        id,
        title,
        severity,
        status,
        lifecycle,
        result,
        control,
        resource,
        tool,
        first_seen_at,
        last_seen_at: row.take()?,
        age_days: age_days(first_seen_at, now),
        assignee: by::read(row)?.map(|by| by.shown(staff_names)),
        overridden: status == Status::Overridden,
        comments: row.take()?,
        version: row.take()?,
    })
}

pub(super) async fn page(tx: &mut ReadTx<Data>, page: &PageQuery, filter: &Filter) -> Result<(Vec<Finding>, Option<String>)> {
    let order = page.order(ORDERS)?;
    let rows = rows(tx, page, order, filter).await?;
    let cut = Page::cut(rows, page.limit()?, order, 0);
    Ok((cut.items, cut.next))
}

/// The orders of lists over many tenants: numbers only.
pub(super) fn wide_order(page: &PageQuery) -> Result<Order> {
    page.order(&[("severity", "f.severity_order"), ("age", "(0 - f.first_seen_at)"), ("last_seen", "f.last_seen_at")])
}

/// How many findings the filters leave.
pub(super) async fn count(tx: &mut ReadTx<Data>, filter: &Filter) -> Result<i64> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let mut query = filter.query("COUNT(*) FROM finding f", now);
    filter.push_wide(&mut query, None);
    filter.push_narrow(&mut query, me);
    Ok(tx.one(&query.sql, &query.params).await?.take()?)
}

/// The findings of a page and one more, with key and id.
pub(super) async fn rows(
    tx: &mut ReadTx<Data>,
    page: &PageQuery,
    order: Order,
    filter: &Filter,
) -> Result<Vec<(Finding, Value, Uuid)>> {
    let (now, names, me) = (tx.now(), by::sees_staff_names(tx), tx.me()?.person);
    let mut query = filter.query(&format!("{}, {}, f.id {TABLES}", columns(), order.key), now);
    filter.push_wide(&mut query, None);
    filter.push_narrow(&mut query, me);
    page.apply(&mut query, order, "f.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((finding(&mut row, now, names)?, row.take::<Value>()?, row.take::<Uuid>()?));
    }
    Ok(rows)
}

/// Counts by status, severity, lifecycle and assignee, from one look at the table: the narrow filters are applied to the counts.
pub(super) async fn cube(tx: &mut ReadTx<Data>, filter: &Filter) -> Result<(i64, Facets)> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let mut query = filter.query(&format!("{}, f.severity, f.lifecycle, f.assignee_id, COUNT(*) FROM finding f", status()), now);
    filter.push_wide(&mut query, None);
    query.push(" GROUP BY 1, 2, 3, 4");
    let mut facets = Facets::default();
    zeros(&mut facets.status, Status::ALL.iter().map(|word| word.as_str()));
    zeros(&mut facets.severity, Severity::ALL.iter().map(|word| word.as_str()));
    zeros(&mut facets.lifecycle, Lifecycle::ALL.iter().map(|word| word.as_str()));
    let mut total = 0;
    for mut row in tx.query(&query).await? {
        let cell = Cell { status: row.parse()?, severity: row.parse()?, lifecycle: row.parse()?, assignee: row.take()? };
        let count = row.take()?;
        if cell.add_to(&mut facets, filter, me, count) {
            total += count;
        }
    }
    Ok((total, facets))
}

fn zeros(counts: &mut BTreeMap<&'static str, i64>, words: impl Iterator<Item = &'static str>) {
    counts.extend(words.map(|word| (word, 0)));
}

/// One combination of what the narrow filters look at.
struct Cell {
    status: Status,
    severity: Severity,
    lifecycle: Lifecycle,
    assignee: Option<PersonId>,
}

impl Cell {
    /// Adds to every facet that the other filters leave it in; answers whether all filters do.
    fn add_to(&self, facets: &mut Facets, filter: &Filter, me: PersonId, count: i64) -> bool {
        let is_whose = |whose: &Whose| match whose {
            Whose::Mine => self.assignee == Some(me),
            Whose::Nobodys => self.assignee.is_none(),
            Whose::Of(person) => self.assignee == Some(*person),
        };
        let right = [
            filter.status.is_empty() || filter.status.contains(&self.status),
            filter.severity.is_empty() || filter.severity.contains(&self.severity),
            filter.lifecycle.is_empty() || filter.lifecycle.contains(&self.lifecycle),
            filter.whose.is_empty() || filter.whose.iter().any(is_whose),
        ];
        let all_but = |own: usize| right.iter().enumerate().all(|(index, right)| *right || index == own);
        if all_but(0) {
            *facets.status.entry(self.status.as_str()).or_default() += count;
        }
        if all_but(1) {
            *facets.severity.entry(self.severity.as_str()).or_default() += count;
        }
        if all_but(2) {
            *facets.lifecycle.entry(self.lifecycle.as_str()).or_default() += count;
        }
        if all_but(3) {
            let AssigneeFacet { me: mine, none } = &mut facets.assignee;
            *mine += if self.assignee == Some(me) { count } else { 0 };
            *none += if self.assignee.is_none() { count } else { 0 };
        }
        right.iter().all(|right| *right)
    }
}

pub(super) async fn framework_facet(tx: &mut ReadTx<Data>, filter: &Filter) -> Result<Vec<FacetCount>> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let mut query =
        filter.query("cf.framework, CAST(SUM(n.findings) AS bigint) FROM (SELECT f.control_id, COUNT(*) AS findings", now);
    query.push(" FROM finding f");
    filter.push_wide(&mut query, Some(Facet::Framework));
    filter.push_narrow(&mut query, me);
    query.push(
        " GROUP BY f.control_id) n JOIN (SELECT DISTINCT control_id, framework FROM control_framework) cf
          ON cf.control_id = n.control_id GROUP BY cf.framework ORDER BY 2 DESC, 1 LIMIT ",
    );
    query.bind(FRAMEWORKS_SHOWN);
    counts(tx, &query).await
}

pub(super) async fn resource_facet(tx: &mut ReadTx<Data>, filter: &Filter) -> Result<Vec<FacetCount>> {
    let (now, me) = (tx.now(), tx.me()?.person);
    let mut query = filter.query("f.resource_uid, COUNT(*) FROM finding f", now);
    filter.push_wide(&mut query, Some(Facet::Resource));
    filter.push_narrow(&mut query, me);
    query.push(" GROUP BY f.resource_uid ORDER BY 2 DESC, 1 LIMIT ").bind(RESOURCES_SHOWN);
    counts(tx, &query).await
}

async fn counts(tx: &mut ReadTx<Data>, query: &Query) -> Result<Vec<FacetCount>> {
    let rows = tx.query(query).await?;
    let counts = rows.into_iter().map(|mut row| Ok(FacetCount { value: row.take()?, count: row.take()? }));
    Ok(counts.collect::<Result<_, StoreError>>()?)
}

pub(super) async fn one(tx: &mut ReadTx<Data>, id: FindingId) -> Result<Option<Finding>, StoreError> {
    let (now, names) = (tx.now(), by::sees_staff_names(tx));
    let row = tx.opt(&format!("SELECT {} {TABLES} WHERE f.id = ?2", columns()), params![now, id]).await?;
    row.map(|mut row| finding(&mut row, now, names)).transpose()
}

pub(super) async fn view(tx: &mut ReadTx<Data>, id: FindingId) -> Result<Option<FindingView>, StoreError> {
    let (now, names) = (tx.now(), by::sees_staff_names(tx));
    let sql = format!("SELECT {}, f.message, f.location, c.description, c.remediation, c.url {TABLES} WHERE f.id = ?2", columns());
    let Some(mut row) = tx.opt(&sql, params![now, id]).await? else { return Ok(None) };
    Ok(Some(FindingView {
        finding: finding(&mut row, now, names)?,
        message: row.take()?,
        location: row.take()?,
        evidence: serde_json::Value::Null,
        description: row.take()?,
        remediation: row.take()?,
        url: row.take()?,
        frameworks: Vec::new(),
        history: Vec::new(),
        covered_by: None,
        comments_list: Vec::new(),
        can: BTreeMap::new(),
    }))
}

pub(super) async fn evidence(tx: &mut ReadTx<Data>, id: FindingId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.opt("SELECT sealed FROM finding_evidence WHERE finding_id = ?1", params![id]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// The last scans of a finding, oldest first. Stored are only the turns; scans in between found it as it was.
pub(super) async fn history(tx: &mut ReadTx<Data>, id: FindingId) -> Result<Vec<Seen>, StoreError> {
    let rows = tx.rows("SELECT scan_id, at, outcome FROM finding_history WHERE finding_id = ?1 ORDER BY n", params![id]).await?;
    let turns: Vec<Seen> = rows
        .into_iter()
        .map(|mut row| Ok(Seen { scan: row.take()?, at: row.take()?, outcome: row.take()? }))
        .collect::<Result<_, StoreError>>()?;
    let sql = "SELECT source_id, first_seen_at, last_seen_at, changes FROM finding WHERE id = ?1";
    let mut row = tx.one(sql, params![id]).await?;
    let (source, first, last): (SourceId, Timestamp, Timestamp) = (row.take()?, row.take()?, row.take()?);
    let changes: i64 = row.take()?;
    let trimmed = usize::try_from(changes).is_ok_and(|changes| changes > turns.len());
    let since = if trimmed { turns.first().map_or(first, |turn| turn.at) } else { first };
    let scans = tx
        .rows(
            "SELECT id, observed_at FROM scan WHERE source_id = ?1 AND observed_at >= ?2 AND observed_at <= ?3 AND complete AND applied
             ORDER BY observed_at DESC, id DESC LIMIT ?4",
            params![source, since, last, HISTORY_SHOWN as u64],
        )
        .await?;
    let scans: Vec<(ScanId, Timestamp)> =
        scans.into_iter().map(|mut row| Ok((row.take()?, row.take()?))).collect::<Result<_, StoreError>>()?;
    Ok(told(turns, scans))
}

/// Turns and the scans between them, in order; of too many the last.
fn told(turns: Vec<Seen>, scans: Vec<(ScanId, Timestamp)>) -> Vec<Seen> {
    let between = scans.into_iter().filter(|(scan, _)| turns.iter().all(|turn| turn.scan != *scan));
    let between = between.map(|(scan, at)| Seen { scan, at, outcome: String::new() });
    let mut all: Vec<Seen> = turns.iter().cloned().chain(between).collect();
    all.sort_by_key(|seen| seen.at);
    let mut before = "passed".to_owned();
    for seen in &mut all {
        if seen.outcome.is_empty() {
            seen.outcome.clone_from(&before);
        } else {
            before = match seen.outcome.as_str() {
                "new" | "returned" => "recurring".into(),
                // Whether later scans still looked at what was fixed is not known.
                "fixed" => String::new(),
                same => same.to_owned(),
            };
        }
    }
    all.retain(|seen| !seen.outcome.is_empty());
    all.drain(..all.len().saturating_sub(HISTORY_SHOWN));
    all
}

pub(super) async fn lock(tx: &mut WriteTx<Data>, id: FindingId) -> Result<Option<Locked>, StoreError> {
    let sql = "UPDATE finding SET version = version WHERE id = ?1
               RETURNING control_id, title, version, severity, result, assignee";
    let row = tx.opt(sql, params![id]).await?;
    let locked = |mut row: Row| {
        Ok(Locked {
            control: row.take()?,
            title: row.take()?,
            version: row.take()?,
            severity: row.parse()?,
            result: row.parse::<Outcome>()?,
            assignee: by::read(&mut row)?,
        })
    };
    row.map(locked).transpose()
}

pub(super) async fn set_assignee(tx: &mut WriteTx<Data>, id: FindingId, assignee: Option<&By>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE finding SET assignee_id = ?2, assignee = ?3, version = version + 1 WHERE id = ?1",
        params![id, assignee.map(|by| by.id), assignee.map(Value::from)],
    )
    .await?;
    Ok(())
}

pub(super) async fn count_comment(tx: &mut WriteTx<Data>, id: FindingId) -> Result<i64, StoreError> {
    tx.one("UPDATE finding SET comments = comments + 1 WHERE id = ?1 RETURNING comments", params![id]).await?.take()
}

pub(super) async fn open_counts(tx: &mut ReadTx<Data>) -> Result<OpenCounts, StoreError> {
    let now = tx.now();
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN f.severity = 'critical' AND f.assignee_id IS NULL THEN 1 ELSE 0 END), 0) AS bigint),
             CAST(COALESCE(SUM(CASE WHEN f.severity = 'critical' AND f.lifecycle = 'new' THEN 1 ELSE 0 END), 0) AS bigint)
         FROM finding f WHERE {}",
        status_is(Status::Open)
    );
    let mut row = tx.one(&sql, params![now]).await?;
    Ok(OpenCounts { all: row.take()?, critical_unassigned: row.take()?, critical_new: row.take()? })
}

pub(super) async fn open_of_control(tx: &mut ReadTx<Data>, control: ControlId) -> Result<i64, StoreError> {
    let now = tx.now();
    let sql = format!("SELECT COUNT(*) FROM finding f WHERE f.control_id = ?2 AND {}", status_is(Status::Open));
    tx.one(&sql, params![now, control]).await?.take()
}

#[cfg(test)]
mod tests {
    use super::{Seen, told};
    use crate::ScanId;
    use kernel::Timestamp;

    #[test]
    fn scans_between_two_turns_found_it_as_it_was() {
        let scan = |n: i64| (ScanId::from_uuid(uuid::Uuid::from_u128(n.unsigned_abs().into())), Timestamp(n));
        let turn = |n: i64, outcome: &str| Seen { scan: scan(n).0, at: scan(n).1, outcome: outcome.into() };
        let turns = vec![turn(2, "new"), turn(4, "fixed"), turn(6, "returned")];
        let all = told(turns, (1..=7).map(scan).collect());
        let outcomes: Vec<&str> = all.iter().map(|seen| seen.outcome.as_str()).collect();
        assert_eq!(outcomes, ["passed", "new", "recurring", "fixed", "returned", "recurring"]);
    }
}
