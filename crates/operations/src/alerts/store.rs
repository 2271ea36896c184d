//! Rows of alerts.

use std::collections::HashMap;

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};

use super::{Acknowledged, AlertCounts, AlertId, AlertQuery, AlertView, By, Reach, Resolved};
use crate::places::{Place, take_tenant};
use crate::rules;

/// Most clients whose alerts one page looks at.
const TENANTS_MAX: i64 = 20_000;

/// An acting person as a tenant's reader sees them: a member by name, staff as their provider shows them.
fn by_columns(column: &str, alias: &str) -> String {
    let is_named = format!(
        "(a.tenant_id IS NULL OR v.staff_shown = 'by_name'
          OR EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = a.tenant_id AND m.person_id = a.{column}))"
    );
    format!(
        "CASE WHEN {is_named} THEN a.{column} END, CASE WHEN {alias}.id IS NULL THEN NULL WHEN {is_named} THEN {alias}.name ELSE v.name END"
    )
}

fn columns() -> String {
    format!(
        "a.id, t.id, t.slug, t.name, a.rule, a.subject, a.label, a.urgency, a.facts, a.state, a.raised_at, a.last_at, a.count,
         {}, a.acknowledged_at, a.snoozed_until, {}, a.resolved_at, a.resolved_by IS NULL, a.reason, a.version",
        by_columns("acknowledged_by", "k"),
        by_columns("resolved_by", "r")
    )
}

const FROM: &str =
    " FROM alert a LEFT JOIN tenant t ON t.id = a.tenant_id LEFT JOIN provider v ON v.id = COALESCE(a.provider_id, t.provider_id)
     LEFT JOIN person k ON k.id = a.acknowledged_by LEFT JOIN person r ON r.id = a.resolved_by WHERE ";

fn by(row: &mut Row) -> Result<Option<By>, StoreError> {
    let (id, name): (Option<PersonId>, Option<String>) = (row.take()?, row.take()?);
    Ok(name.map(|name| By { id, name }))
}

fn view(row: &mut Row, reach: &Reach) -> Result<AlertView, StoreError> {
    let id = row.take()?;
    let tenant = take_tenant(row)?;
    let can = match &tenant {
        Some(tenant) => reach.tenants.get(&tenant.id),
        None => reach.own.as_ref(),
    };
    let can = can.cloned().ok_or_else(|| StoreError::Shape("an alert out of reach".into()))?;
    let (rule, subject, label) = (row.take()?, row.take()?, row.take()?);
    let (urgency, facts, state): (i64, _, _) = (row.take()?, row.json()?, row.take()?);
    let (raised_at, last_at, count) = (row.take()?, row.take()?, row.take()?);
    let (acknowledger, acknowledged_at): (_, Option<Timestamp>) = (by(row)?, row.take()?);
    let snoozed_until = row.take()?;
    let (resolver, resolved_at, by_itself): (_, Option<Timestamp>, bool) = (by(row)?, row.take()?, row.take()?);
    let reason = row.take()?;
    Ok(AlertView {
        id,
        of: if tenant.is_some() { "tenant" } else { "provider" },
        tenant,
        rule,
        subject,
        label,
        urgency: rules::word(rules::urgency(urgency)),
        facts,
        state,
        raised_at,
        last_at,
        count,
        acknowledged: acknowledger.zip(acknowledged_at).map(|(by, at)| Acknowledged { by, at }),
        snoozed_until,
        resolved: resolved_at.map(|at| Resolved {
            by: resolver,
            at,
            how: if by_itself { "by_itself" } else { "by_person" },
            reason,
        }),
        version: row.take()?,
        can,
    })
}

/// Appends which inboxes are meant.
fn within(query: &mut Query, provider: Option<ProviderId>, reach: &Reach) {
    query.push("(a.tenant_id IN (").bind_all(reach.tenants.keys().copied()).push(")");
    if let Some(provider) = provider {
        query.push(" OR a.provider_id = ").bind(provider);
    }
    query.push(")");
}

pub(super) async fn page<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: Option<ProviderId>,
    reach: &Reach,
    asked: &AlertQuery,
) -> Result<Page<AlertView>> {
    let page = asked.page();
    // As urgent ones first; of equally urgent ones the newest.
    let order = page.order(&[("-raised", "a.raised_at"), ("urgency", "a.urgency * 100000000000000000 + a.raised_at")])?;
    let pattern = page.pattern()?;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM);
        within(&mut query, provider, reach);
        if let Some(state) = asked.state {
            query.push(" AND a.state = ").bind(state.as_str());
        }
        if let Some(rule) = &asked.rule {
            query.push(" AND a.rule = ").bind(rule);
        }
        if let Some(urgency) = asked.urgency {
            query.push(" AND a.urgency = ").bind(urgency.rank());
        }
        query.and_like("a.label || ' ' || COALESCE(t.name, '')", pattern.as_deref());
        query
    };
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("SELECT {}, {}, a.id", columns(), order.key));
    page.apply(&mut query, order, "a.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((view(&mut row, reach)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

pub(super) async fn counts<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: Option<ProviderId>,
    reach: &Reach,
) -> Result<AlertCounts, StoreError> {
    let mut query = Query::new("SELECT a.state, a.urgency, COUNT(*) FROM alert a WHERE ");
    within(&mut query, provider, reach);
    query.push(" GROUP BY a.state, a.urgency");
    let mut counts = AlertCounts {
        by_urgency: HashMap::from(["info", "warning", "critical"].map(|word| (word.to_owned(), 0))),
        ..AlertCounts::default()
    };
    for mut row in tx.query(&query).await? {
        let (state, urgency, count): (String, i64, i64) = (row.take()?, row.take()?, row.take()?);
        match state.as_str() {
            "open" => counts.open += count,
            "acknowledged" => counts.acknowledged += count,
            "snoozed" => counts.snoozed += count,
            _ => counts.resolved += count,
        }
        if state != "resolved" {
            *counts.by_urgency.entry(rules::word(rules::urgency(urgency)).to_owned()).or_default() += count;
        }
    }
    Ok(counts)
}

/// The provider's clients that have alerts at all, or the one that is asked for.
pub(super) async fn tenants_with_alerts(tx: &mut ReadTx<scope::Provider>, only: Option<&str>) -> Result<Vec<TenantId>, StoreError> {
    let provider = tx.scope.provider;
    let mut query = Query::new(
        "SELECT t.id FROM tenant t JOIN relationship r ON r.tenant_id = t.id
         WHERE EXISTS (SELECT 1 FROM alert a WHERE a.tenant_id = t.id) AND t.state <> 'purged' AND r.provider_id = ",
    );
    query.bind(provider);
    if let Some(only) = only {
        query.and_named::<kernel::ids::Tenant>("t.id", "t.slug", only);
    }
    query.push(" ORDER BY t.id LIMIT ").bind(TENANTS_MAX);
    tx.query(&query).await?.into_iter().map(|mut row| row.take()).collect()
}

pub(super) async fn one<S: scope::Control>(
    tx: &mut ReadTx<S>,
    place: Place,
    reach: &Reach,
    id: AlertId,
) -> Result<Option<AlertView>, StoreError> {
    let mut query = Query::new(&format!("SELECT {}{FROM}", columns()));
    match place {
        Place::Provider(provider) => query.push("a.provider_id = ").bind(provider),
        Place::Tenant(tenant) => query.push("a.tenant_id = ").bind(tenant),
    };
    query.push(" AND a.id = ").bind(id);
    tx.query(&query).await?.pop().map(|mut row| view(&mut row, reach)).transpose()
}

async fn changed(result: Result<u64, StoreError>) -> Result<()> {
    if result? == 1 { Ok(()) } else { Err(Error::Changed) }
}

pub(super) async fn acknowledge<S: scope::Control>(tx: &mut WriteTx<S>, id: AlertId) -> Result<()> {
    let (me, now) = (tx.me()?.person, tx.now());
    let sql = "UPDATE alert SET state = 'acknowledged', acknowledged_by = ?2, acknowledged_at = ?3, snoozed_until = NULL, version = version + 1
               WHERE id = ?1 AND state <> 'resolved'";
    changed(tx.execute(sql, params![id, me, now]).await).await
}

pub(super) async fn snooze<S: scope::Control>(tx: &mut WriteTx<S>, id: AlertId, until: Timestamp) -> Result<()> {
    let sql = "UPDATE alert SET state = 'snoozed', snoozed_until = ?2, version = version + 1 WHERE id = ?1 AND state <> 'resolved'";
    changed(tx.execute(sql, params![id, until]).await).await
}

pub(super) async fn resolve<S: scope::Control>(tx: &mut WriteTx<S>, id: AlertId, reason: &str) -> Result<()> {
    let (me, now) = (tx.me()?.person, tx.now());
    let sql = "UPDATE alert SET state = 'resolved', resolved_by = ?2, resolved_at = ?3, reason = ?4, snoozed_until = NULL, version = version + 1
               WHERE id = ?1 AND state <> 'resolved'";
    changed(tx.execute(sql, params![id, me, now, reason]).await).await
}

/// What decides about one that is raised again.
pub(super) struct Standing {
    pub id: AlertId,
    pub state: String,
    pub urgency: i64,
}

/// The alert of this identity; held until the commit.
pub(super) async fn held(
    tx: &mut WriteTx<scope::Public>,
    place: Place,
    rule: &str,
    subject: &str,
) -> Result<Option<Standing>, StoreError> {
    let whose = whose(place);
    let sql = "UPDATE alert SET turn = turn WHERE whose = ?1 AND rule = ?2 AND subject = ?3 RETURNING id, state, urgency";
    let row = tx.rows(sql, params![whose, rule, subject]).await?.pop();
    row.map(|mut row| Ok(Standing { id: row.take()?, state: row.take()?, urgency: row.take()? })).transpose()
}

fn whose(place: Place) -> uuid::Uuid {
    match place {
        Place::Provider(provider) => provider.uuid(),
        Place::Tenant(tenant) => tenant.uuid(),
    }
}

/// An alert as it is raised.
pub(super) struct Raised<'a> {
    pub rule: &'a str,
    pub subject: &'a str,
    pub label: &'a str,
    pub urgency: i64,
    pub facts: String,
}

/// A new one; none when another commit was first.
pub(super) async fn insert(
    tx: &mut WriteTx<scope::Public>,
    place: Place,
    raised: &Raised<'_>,
) -> Result<Option<AlertId>, StoreError> {
    let now = tx.now();
    let id = AlertId::new(now);
    let inserted = tx
        .execute(
            "INSERT INTO alert (id, whose, provider_id, tenant_id, rule, subject, label, urgency, facts, state, raised_at, last_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open', ?10, ?10) ON CONFLICT (whose, rule, subject) DO NOTHING",
            params![
                id,
                whose(place),
                place.provider(),
                place.tenant(),
                raised.rule,
                raised.subject,
                raised.label,
                raised.urgency,
                raised.facts.as_str(),
                now
            ],
        )
        .await?;
    Ok((inserted == 1).then_some(id))
}

/// Noticed again while it stands: what is said of it is new, how it stands is not.
pub(super) async fn noticed(tx: &mut WriteTx<scope::Public>, id: AlertId, raised: &Raised<'_>) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = "UPDATE alert SET label = ?2, urgency = ?3, facts = ?4, last_at = ?5 WHERE id = ?1";
    tx.execute(sql, params![id, raised.label, raised.urgency, raised.facts.as_str(), now]).await?;
    Ok(())
}

/// Open again. Answers the turn in which people are told.
pub(super) async fn reopen(tx: &mut WriteTx<scope::Public>, id: AlertId, counts: bool) -> Result<i64, StoreError> {
    let now = tx.now();
    let sql = "UPDATE alert SET state = 'open', raised_at = ?2, count = count + ?3, turn = turn + 1, acknowledged_by = NULL,
                   acknowledged_at = NULL, snoozed_until = NULL, resolved_by = NULL, resolved_at = NULL, reason = '', version = version + 1
               WHERE id = ?1 RETURNING turn";
    tx.one(sql, params![id, now, i64::from(counts)]).await?.take()
}

/// Over by itself.
pub(super) async fn over(tx: &mut WriteTx<scope::Public>, id: AlertId) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = "UPDATE alert SET state = 'resolved', resolved_by = NULL, resolved_at = ?2, reason = '', snoozed_until = NULL, version = version + 1
               WHERE id = ?1 AND state <> 'resolved'";
    tx.execute(sql, params![id, now]).await?;
    Ok(())
}

/// People are to be told of this turn of it.
pub(super) async fn tell(tx: &mut WriteTx<scope::Public>, id: AlertId, turn: i64) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = "INSERT INTO alert_telling (alert_id, turn, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (alert_id, turn) DO NOTHING";
    tx.execute(sql, params![id, turn, now]).await?;
    Ok(())
}

/// Snoozed ones whose time has come.
pub(super) async fn woken(tx: &mut ReadTx<scope::Public>, limit: i64) -> Result<Vec<AlertId>, StoreError> {
    let now = tx.now();
    let sql = "SELECT id FROM alert WHERE state = 'snoozed' AND snoozed_until <= ?1 ORDER BY snoozed_until, id LIMIT ?2";
    tx.rows(sql, params![now, limit]).await?.into_iter().map(|mut row| row.take()).collect()
}

/// Still snoozed, and its time has come; held until the commit.
pub(super) async fn is_woken(tx: &mut WriteTx<scope::Public>, id: AlertId) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "UPDATE alert SET snoozed_until = NULL WHERE id = ?1 AND state = 'snoozed' AND snoozed_until <= ?2";
    Ok(tx.execute(sql, params![id, now]).await? == 1)
}
