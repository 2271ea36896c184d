//! Rows of notifications, of wishes, and of what is still to be told.

use std::collections::{BTreeSet, HashMap};

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Page, PageQuery, PersonId, ProviderId, ReadTx, Result, TenantId, Timestamp, WriteTx, params, scope};
use serde_json::Value as Json;
use uuid::Uuid;

use super::sees::{Open, Reader};
use super::{Digest, Notification, NotificationId, NotificationRule};
use crate::alerts::{AlertId, UrgencyWord};
use crate::channels::ChannelId;
use crate::places::{Place, ProviderShort, TenantShort, link, take_provider, take_tenant};
use crate::rules;

/// Most notifications that a digest is made of.
const DIGEST_MAX: i64 = 500;

/// Places of the person's notifications.
pub(super) async fn places(tx: &mut ReadTx<scope::Own>) -> Result<BTreeSet<Place>, StoreError> {
    let person = tx.scope.person;
    let sql = "SELECT DISTINCT provider_id, tenant_id FROM notification WHERE person_id = ?1";
    let rows = tx.rows(sql, params![person]).await?;
    let places = rows.into_iter().map(|mut row| Ok(Place::of(row.take()?, row.take()?)));
    places.filter_map(Result::transpose).collect()
}

fn within(query: &mut Query, person: PersonId, open: &Open) {
    query.push(" FROM notification n LEFT JOIN tenant t ON t.id = n.tenant_id LEFT JOIN provider v ON v.id = n.provider_id WHERE n.person_id = ");
    query.bind(person).push(" AND (n.tenant_id IN (").bind_all(open.tenants.iter().copied());
    query.push(") OR n.provider_id IN (").bind_all(open.providers.iter().copied());
    query.push(") OR (n.tenant_id IS NULL AND n.provider_id IS NULL))");
}

pub(super) async fn page(
    tx: &mut ReadTx<scope::Own>,
    page: &PageQuery,
    open: &Open,
    only_unread: bool,
) -> Result<Page<Notification>> {
    let person = tx.scope.person;
    let mut order = page.order(&[("at", "n.at")])?;
    order.descending = true;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        within(&mut query, person, open);
        if only_unread {
            query.push(" AND n.read_at IS NULL");
        }
        query
    };
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(
        "SELECT n.id, n.alert_id, t.id, t.slug, t.name, v.id, v.slug, v.name, n.rule, n.label, n.facts, n.urgency, n.at, n.read_at, n.at, n.id",
    );
    page.apply(&mut query, order, "n.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((view(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

fn view(row: &mut Row) -> Result<Notification, StoreError> {
    let (id, alert_id) = (row.take()?, row.take()?);
    let (tenant, provider) = (take_tenant(row)?, take_provider(row)?);
    let link = match (&tenant, &provider) {
        (Some(tenant), _) => link(Some(&tenant.slug), ""),
        (None, Some(provider)) => link(None, &provider.slug),
        (None, None) => "/account".to_owned(),
    };
    let (rule, label, facts) = (row.take()?, row.take()?, row.json()?);
    let urgency = rules::word(rules::urgency(row.take()?));
    Ok(Notification { id, alert_id, tenant, provider, rule, label, facts, urgency, at: row.take()?, read_at: row.take()?, link })
}

pub(super) async fn unread(tx: &mut ReadTx<scope::Own>, open: &Open) -> Result<i64, StoreError> {
    let person = tx.scope.person;
    let mut query = Query::new("SELECT COUNT(*)");
    within(&mut query, person, open);
    query.push(" AND n.read_at IS NULL");
    tx.query(&query).await?.pop().map_or(Ok(0), |mut row| row.take())
}

pub(super) async fn read_all(tx: &mut WriteTx<scope::Own>) -> Result<(), StoreError> {
    let (person, now) = (tx.scope.person, tx.now());
    tx.execute("UPDATE notification SET read_at = ?2 WHERE person_id = ?1 AND read_at IS NULL", params![person, now]).await?;
    Ok(())
}

pub(super) async fn read(tx: &mut WriteTx<scope::Own>, ids: &[NotificationId]) -> Result<(), StoreError> {
    let (person, now) = (tx.scope.person, tx.now());
    let mut query = Query::new("UPDATE notification SET read_at = ");
    query.bind(now).push(" WHERE read_at IS NULL AND person_id = ").bind(person);
    query.push(" AND id IN (").bind_all(ids.iter().copied()).push(")");
    tx.execute_query(&query).await?;
    Ok(())
}

fn rule(row: &mut Row) -> Result<NotificationRule, StoreError> {
    let rule = row.take()?;
    let urgency_min = match row.take::<i64>()? {
        1 => UrgencyWord::Info,
        2 => UrgencyWord::Warning,
        _ => UrgencyWord::Critical,
    };
    Ok(NotificationRule { rule, urgency_min, channels: row.json()? })
}

pub(super) async fn own_rules(tx: &mut ReadTx<scope::Own>) -> Result<Vec<NotificationRule>, StoreError> {
    let person = tx.scope.person;
    let rows = tx.rows("SELECT rule, urgency_min, channels FROM notification_rule WHERE person_id = ?1", params![person]).await?;
    rows.into_iter().map(|mut row| rule(&mut row)).collect()
}

pub(super) async fn own_digest(tx: &mut ReadTx<scope::Own>) -> Result<Digest, StoreError> {
    let person = tx.scope.person;
    let row = tx.opt("SELECT digest FROM notification_digest WHERE person_id = ?1", params![person]).await?;
    row.map_or(Ok(Digest::Off), |mut row| Ok(digest(&row.take::<String>()?)))
}

fn digest(word: &str) -> Digest {
    match word {
        "daily" => Digest::Daily,
        "weekly" => Digest::Weekly,
        _ => Digest::Off,
    }
}

pub(super) async fn own_channels(tx: &mut ReadTx<scope::Own>) -> Result<Vec<ChannelId>, StoreError> {
    let person = tx.scope.person;
    let rows = tx.rows("SELECT id FROM channel WHERE person_id = ?1", params![person]).await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}

pub(super) async fn replace_rules(tx: &mut WriteTx<scope::Own>, rules: &[NotificationRule]) -> Result<()> {
    let person = tx.scope.person;
    tx.execute("DELETE FROM notification_rule WHERE person_id = ?1", params![person]).await?;
    for rule in rules {
        let channels = serde_json::to_string(&rule.channels).map_err(kernel::Error::internal)?;
        tx.execute(
            "INSERT INTO notification_rule (person_id, rule, urgency_min, channels) VALUES (?1, ?2, ?3, ?4)",
            params![person, rule.rule.as_str(), rule.urgency_min.rank(), channels],
        )
        .await?;
    }
    Ok(())
}

/// One that was switched on begins now; one that goes on goes on.
pub(super) async fn set_digest(tx: &mut WriteTx<scope::Own>, digest: Digest, next_at: Timestamp) -> Result<(), StoreError> {
    let (person, now) = (tx.scope.person, tx.now());
    if digest == Digest::Off {
        tx.execute("DELETE FROM notification_digest WHERE person_id = ?1", params![person]).await?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO notification_digest (person_id, digest, since, next_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (person_id) DO UPDATE SET digest = excluded.digest, next_at = excluded.next_at",
        params![person, digest.as_str(), now, next_at],
    )
    .await?;
    Ok(())
}

/// An alert that people are still to be told of.
pub(crate) struct Telling {
    pub alert: AlertId,
    pub turn: i64,
    /// The last one who was told.
    pub after: Option<PersonId>,
    /// None: it does not stand open in this turn any more.
    pub place: Option<Place>,
    pub rule: String,
    pub subject: String,
    pub label: String,
    pub urgency: i64,
    pub facts: Json,
    pub count: i64,
    pub raised_at: Timestamp,
    pub tenant: Option<TenantShort>,
    pub provider: Option<ProviderShort>,
}

pub(super) async fn next_telling(tx: &mut ReadTx<scope::Public>) -> Result<Option<Telling>, StoreError> {
    let row = tx
        .opt(
            "SELECT w.alert_id, w.turn, w.after_person, a.turn = w.turn AND a.state <> 'resolved', a.provider_id, a.tenant_id, a.rule, a.subject,
                    a.label, a.urgency, a.facts, a.count, a.raised_at, t.id, t.slug, t.name, v.id, v.slug, v.name
             FROM alert_telling w JOIN alert a ON a.id = w.alert_id
             LEFT JOIN tenant t ON t.id = a.tenant_id LEFT JOIN provider v ON v.id = a.provider_id
             ORDER BY w.created_at, w.alert_id LIMIT 1",
            params![],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (alert, turn, after, stands) = (row.take()?, row.take()?, row.take()?, row.take::<bool>()?);
    let (provider_id, tenant_id): (Option<ProviderId>, Option<TenantId>) = (row.take()?, row.take()?);
    Ok(Some(Telling {
        alert,
        turn,
        after,
        place: Place::of(provider_id, tenant_id).filter(|_| stands),
        rule: row.take()?,
        subject: row.take()?,
        label: row.take()?,
        urgency: row.take()?,
        facts: row.json()?,
        count: row.take()?,
        raised_at: row.take()?,
        tenant: take_tenant(&mut row)?,
        provider: take_provider(&mut row)?,
    }))
}

/// Moves to the next piece (`after`), or ends the telling. False: another hub did meanwhile.
pub(super) async fn went_on(
    tx: &mut WriteTx<scope::Public>,
    telling: &Telling,
    after: Option<PersonId>,
) -> Result<bool, StoreError> {
    let before = telling.after.map_or_else(Uuid::nil, PersonId::uuid);
    let changed = match after {
        Some(after) => {
            let sql =
                "UPDATE alert_telling SET after_person = ?3 WHERE alert_id = ?1 AND turn = ?2 AND COALESCE(after_person, ?4) = ?5";
            tx.execute(sql, params![telling.alert, telling.turn, after, Uuid::nil(), before]).await?
        }
        None => {
            let sql = "DELETE FROM alert_telling WHERE alert_id = ?1 AND turn = ?2 AND COALESCE(after_person, ?3) = ?4";
            tx.execute(sql, params![telling.alert, telling.turn, Uuid::nil(), before]).await?
        }
    };
    Ok(changed == 1)
}

/// What these people wish for a rule.
pub(super) async fn wishes(
    tx: &mut ReadTx<scope::Public>,
    name: &str,
    readers: &[Reader],
) -> Result<HashMap<PersonId, NotificationRule>, StoreError> {
    let mut query = Query::new("SELECT person_id, rule, urgency_min, channels FROM notification_rule WHERE rule = ");
    query.bind(name).push(" AND person_id IN (").bind_all(readers.iter().map(|reader| reader.person)).push(")");
    let rows = tx.query(&query).await?;
    rows.into_iter().map(|mut row| Ok((row.take()?, rule(&mut row)?))).collect()
}

/// Addresses of these people, by id.
pub(super) async fn emails(
    tx: &mut ReadTx<scope::Public>,
    people: &BTreeSet<PersonId>,
) -> Result<Vec<(PersonId, String)>, StoreError> {
    let mut query = Query::new("SELECT id, email FROM person WHERE state = 'active' AND id IN (");
    query.bind_all(people.iter().copied()).push(")");
    let mut emails = Vec::new();
    for mut row in tx.query(&query).await? {
        emails.push((row.take()?, row.take()?));
    }
    emails.sort_by_key(|(person, _)| *person);
    Ok(emails)
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Public>, person: PersonId, telling: &Telling) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO notification (id, person_id, alert_id, turn, provider_id, tenant_id, rule, label, urgency, facts, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (person_id, alert_id, turn) DO NOTHING",
        params![
            NotificationId::new(now),
            person,
            telling.alert,
            telling.turn,
            telling.place.and_then(Place::provider),
            telling.place.and_then(Place::tenant),
            telling.rule.as_str(),
            telling.label.as_str(),
            telling.urgency,
            telling.facts.to_string(),
            now
        ],
    )
    .await?;
    Ok(())
}

/// Somebody's digest that is due.
pub(super) struct Due {
    pub person: PersonId,
    pub digest: Digest,
    pub since: Timestamp,
    pub next_at: Timestamp,
    /// None: they may not sign in at present.
    pub email: Option<String>,
}

pub(super) async fn due_digests(tx: &mut ReadTx<scope::Public>, limit: i64) -> Result<Vec<Due>, StoreError> {
    let now = tx.now();
    let rows = tx
        .rows(
            "SELECT d.person_id, d.digest, d.since, d.next_at, p.email, p.state = 'active' FROM notification_digest d
             JOIN person p ON p.id = d.person_id WHERE d.next_at <= ?1 ORDER BY d.next_at, d.person_id LIMIT ?2",
            params![now, limit],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| {
            let (person, word, since, next_at): (_, String, _, _) = (row.take()?, row.take()?, row.take()?, row.take()?);
            let (email, is_active): (String, bool) = (row.take()?, row.take()?);
            Ok(Due { person, digest: digest(&word), since, next_at, email: Some(email).filter(|_| is_active) })
        })
        .collect()
}

/// The digest is made: the next one goes on from here. False: another hub made it.
pub(super) async fn digest_went_on(tx: &mut WriteTx<scope::Public>, due: &Due, next_at: Timestamp) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "UPDATE notification_digest SET since = ?3, next_at = ?4 WHERE person_id = ?1 AND next_at = ?2";
    Ok(tx.execute(sql, params![due.person, due.next_at, now, next_at]).await? == 1)
}

/// What a person was told since then: where, and what of it a digest says.
pub(super) async fn since(
    tx: &mut ReadTx<scope::Public>,
    person: PersonId,
    since: Timestamp,
) -> Result<Vec<(Place, Json)>, StoreError> {
    let rows = tx
        .rows(
            "SELECT provider_id, tenant_id, rule, label, facts FROM notification
             WHERE person_id = ?1 AND at >= ?2 AND alert_id IS NOT NULL ORDER BY urgency DESC, at, id LIMIT ?3",
            params![person, since, DIGEST_MAX],
        )
        .await?;
    let mut items = Vec::with_capacity(rows.len());
    for mut row in rows {
        let place = Place::of(row.take()?, row.take()?);
        let (rule, label, facts): (String, String, Json) = (row.take()?, row.take()?, row.json()?);
        items.extend(place.map(|place| (place, serde_json::json!({ "rule": rule, "label": label, "facts": facts }))));
    }
    Ok(items)
}

pub(super) async fn tidy(
    tx: &mut WriteTx<scope::Public>,
    told_before: Timestamp,
    resolved_before: Timestamp,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM notification WHERE at <= ?1", params![told_before]).await?;
    tx.execute("DELETE FROM alert WHERE state = 'resolved' AND resolved_at <= ?1", params![resolved_before]).await?;
    Ok(())
}
