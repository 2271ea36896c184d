//! Rows of channels and deliveries.

use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Hub, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, params, scope};

use super::{Address, ChannelId, ChannelIs, ChannelView, DeliveryId, DeliveryView, LastTry};
use crate::notifications::Telling;
use crate::places::Place;

const LABEL: &str = "channel";
/// What the log of deliveries keeps.
const LOG_DAYS: i64 = 90;

const COLUMNS: &str = "c.id, c.name, c.address, c.state, c.created_at, c.last_at, c.last_status";

fn address(hub: &Hub, sealed: &[u8]) -> Result<Address> {
    serde_json::from_slice(&hub.master_key().open(LABEL, sealed)?).map_err(Error::internal)
}

fn sealed(hub: &Hub, address: &Address) -> Result<Vec<u8>> {
    Ok(hub.master_key().seal(LABEL, &serde_json::to_vec(address).map_err(Error::internal)?))
}

fn view(hub: &Hub, row: &mut Row) -> Result<ChannelView> {
    let (id, name) = (row.take()?, row.take()?);
    let url = address(hub, &row.take::<Vec<u8>>()?)?.url;
    let (state, created_at) = (row.take()?, row.take()?);
    let (at, status): (Option<Timestamp>, Option<String>) = (row.take()?, row.take()?);
    let last = at.zip(status).map(|(at, status)| LastTry { at, status });
    Ok(ChannelView { id, name, kind: ChannelIs::Webhook, url, state, created_at, last, secret: None })
}

pub(super) async fn one(tx: &mut ReadTx<scope::Own>, id: ChannelId) -> Result<Option<ChannelView>> {
    let (hub, person) = (tx.hub().clone(), tx.scope.person);
    let row = tx.opt(&format!("SELECT {COLUMNS} FROM channel c WHERE c.person_id = ?1 AND c.id = ?2"), params![person, id]).await?;
    row.map(|mut row| view(&hub, &mut row)).transpose()
}

pub(super) async fn page(tx: &mut ReadTx<scope::Own>, page: &PageQuery) -> Result<Page<ChannelView>> {
    let (hub, person) = (tx.hub().clone(), tx.scope.person);
    let order = page.order(&[("name", "lower(c.name)"), ("created", "c.created_at")])?;
    let pattern = page.pattern()?;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM channel c WHERE c.person_id = ").bind(person).and_like("c.name", pattern.as_deref());
        query
    };
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("SELECT {COLUMNS}, {}, c.id", order.key));
    page.apply(&mut query, order, "c.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((view(&hub, &mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

/// Holds the person's row until the commit, so that no two count their channels at once.
pub(super) async fn hold(tx: &mut WriteTx<scope::Own>) -> Result<(), StoreError> {
    let person = tx.scope.person;
    tx.execute("UPDATE person SET version = version WHERE id = ?1", params![person]).await?;
    Ok(())
}

pub(super) async fn count(tx: &mut ReadTx<scope::Own>) -> Result<i64, StoreError> {
    let person = tx.scope.person;
    tx.one("SELECT COUNT(*) FROM channel WHERE person_id = ?1", params![person]).await?.take()
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Own>, id: ChannelId, name: &str, address: &Address) -> Result<()> {
    let (person, now) = (tx.scope.person, tx.now());
    let sealed = sealed(tx.hub(), address)?;
    tx.execute(
        "INSERT INTO channel (id, person_id, kind, name, address, state, created_at) VALUES (?1, ?2, 'webhook', ?3, ?4, 'active', ?5)",
        params![id, person, name, sealed, now],
    )
    .await?;
    Ok(())
}

pub(super) async fn rename(tx: &mut WriteTx<scope::Own>, id: ChannelId, name: &str) -> Result<(), StoreError> {
    let person = tx.scope.person;
    tx.execute("UPDATE channel SET name = ?3 WHERE person_id = ?1 AND id = ?2", params![person, id, name]).await?;
    Ok(())
}

/// Leads it elsewhere; its secret stays.
pub(super) async fn redirect(tx: &mut WriteTx<scope::Own>, id: ChannelId, url: String) -> Result<()> {
    let (hub, person) = (tx.hub().clone(), tx.scope.person);
    let row = tx.opt("SELECT address FROM channel WHERE person_id = ?1 AND id = ?2", params![person, id]).await?;
    let before = address(&hub, &row.ok_or(Error::NotFound)?.take::<Vec<u8>>()?)?;
    let sealed = sealed(&hub, &Address { url, ..before })?;
    tx.execute("UPDATE channel SET address = ?3 WHERE person_id = ?1 AND id = ?2", params![person, id, sealed]).await?;
    Ok(())
}

pub(super) async fn switch_on(tx: &mut WriteTx<scope::Own>, id: ChannelId) -> Result<(), StoreError> {
    let person = tx.scope.person;
    tx.execute("UPDATE channel SET state = 'active', failures = 0 WHERE person_id = ?1 AND id = ?2", params![person, id]).await?;
    Ok(())
}

pub(super) async fn switch_off(tx: &mut WriteTx<scope::Own>, id: ChannelId) -> Result<(), StoreError> {
    let person = tx.scope.person;
    tx.execute("UPDATE channel SET state = 'disabled' WHERE person_id = ?1 AND id = ?2", params![person, id]).await?;
    give_up(tx, id).await
}

/// Nothing more goes through a channel that is switched off.
async fn give_up<S: scope::Control>(tx: &mut WriteTx<S>, id: ChannelId) -> Result<(), StoreError> {
    let sql = "UPDATE channel_delivery SET status = 'failed', error = 'The channel was switched off.', next_at = NULL
               WHERE channel_id = ?1 AND status = 'waiting'";
    tx.execute(sql, params![id]).await?;
    Ok(())
}

pub(super) async fn delete(tx: &mut WriteTx<scope::Own>, id: ChannelId) -> Result<(), StoreError> {
    let person = tx.scope.person;
    tx.execute("DELETE FROM channel WHERE person_id = ?1 AND id = ?2", params![person, id]).await?;
    Ok(())
}

const DELIVERY: &str = "d.id, d.event, d.status, d.attempts, d.code, d.at, d.next_at, d.error";

fn delivery_view(row: &mut Row) -> Result<DeliveryView, StoreError> {
    Ok(DeliveryView {
        id: row.take()?,
        event: row.take()?,
        status: row.take()?,
        attempts: row.take()?,
        code: row.take()?,
        at: row.take()?,
        next_at: row.take()?,
        error: row.take()?,
    })
}

/// A delivery of a channel that is known to be the person's.
pub(super) async fn delivery(
    tx: &mut ReadTx<scope::Own>,
    channel: ChannelId,
    id: DeliveryId,
) -> Result<Option<DeliveryView>, StoreError> {
    let sql = format!("SELECT {DELIVERY} FROM channel_delivery d WHERE d.channel_id = ?1 AND d.id = ?2");
    tx.opt(&sql, params![channel, id]).await?.map(|mut row| delivery_view(&mut row)).transpose()
}

pub(super) async fn deliveries(tx: &mut ReadTx<scope::Own>, channel: ChannelId, page: &PageQuery) -> Result<Page<DeliveryView>> {
    let sort = page.sort.clone().or_else(|| Some("-created".into()));
    let page = PageQuery { sort, ..page.clone() };
    let order = page.order(&[("-created", "d.created_at")])?;
    let pattern = page.pattern()?;
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(" FROM channel_delivery d WHERE d.channel_id = ").bind(channel);
        query.and_like("d.event || ' ' || d.status", pattern.as_deref());
        query
    };
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut query = filtered(&format!("SELECT {DELIVERY}, {}, d.id", order.key));
    page.apply(&mut query, order, "d.id")?;
    let mut rows = Vec::new();
    for mut row in tx.query(&query).await? {
        rows.push((delivery_view(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(rows, page.limit()?, order, total))
}

pub(super) async fn insert_test(
    tx: &mut WriteTx<scope::Own>,
    id: DeliveryId,
    channel: ChannelId,
    event: &str,
    payload: &serde_json::Value,
) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO channel_delivery (id, channel_id, event, payload, status, at, next_at, created_at)
         VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5, ?5)",
        params![id, channel, event, payload.to_string(), now],
    )
    .await?;
    Ok(())
}

pub(super) async fn again(tx: &mut WriteTx<scope::Own>, channel: ChannelId, id: DeliveryId) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "UPDATE channel_delivery SET status = 'waiting', attempts = 0, next_at = ?3, error = NULL
               WHERE channel_id = ?1 AND id = ?2 AND status IN ('waiting', 'failed') AND (leased_until IS NULL OR leased_until <= ?3)";
    Ok(tx.execute(sql, params![channel, id, now]).await? == 1)
}

/// Lays a delivery ready, if the channel is this person's and switched on.
pub(super) async fn lay(
    tx: &mut WriteTx<scope::Public>,
    channel: ChannelId,
    owner: PersonId,
    telling: &Telling,
    payload: &serde_json::Value,
) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = "SELECT id FROM channel WHERE id = ?1 AND person_id = ?2 AND state <> 'disabled'";
    if tx.opt(sql, params![channel, owner]).await?.is_none() {
        return Ok(());
    }
    let (provider, tenant) = (telling.place.and_then(Place::provider), telling.place.and_then(Place::tenant));
    tx.execute(
        "INSERT INTO channel_delivery (id, channel_id, alert_id, turn, provider_id, tenant_id, event, payload, status, at, next_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?9, ?9, ?9) ON CONFLICT (channel_id, alert_id, turn) DO NOTHING",
        params![
            DeliveryId::new(now),
            channel,
            telling.alert,
            telling.turn,
            provider,
            tenant,
            super::ALERT_OPENED,
            payload.to_string(),
            now
        ],
    )
    .await?;
    Ok(())
}

/// A delivery that is due.
pub(super) struct Due {
    pub id: DeliveryId,
    pub channel: ChannelId,
    pub payload: String,
    /// The place whose alerts its owner must still see.
    pub place: Option<Place>,
    /// This try's number, from 1.
    pub attempt: i64,
}

pub(super) async fn is_due(tx: &mut ReadTx<scope::Public>) -> Result<bool, StoreError> {
    let now = tx.now();
    let sql = "SELECT id FROM channel_delivery
               WHERE status = 'waiting' AND next_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1) LIMIT 1";
    Ok(tx.opt(sql, params![now]).await?.is_some())
}

/// Takes some that are due, for as long as `until`.
pub(super) async fn lease(tx: &mut WriteTx<scope::Public>, limit: i64, until: Timestamp) -> Result<Vec<Due>, StoreError> {
    let now = tx.now();
    // Asked twice: another hub may have taken one of them between the two.
    let rows = tx
        .rows(
            "UPDATE channel_delivery SET leased_until = ?2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM channel_delivery
                          WHERE status = 'waiting' AND next_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1)
                          ORDER BY next_at, id LIMIT ?3)
               AND status = 'waiting' AND (leased_until IS NULL OR leased_until <= ?1)
             RETURNING id, channel_id, payload, provider_id, tenant_id, attempts",
            params![now, until, limit],
        )
        .await?;
    rows.into_iter()
        .map(|mut row| {
            let (id, channel, payload) = (row.take()?, row.take()?, row.take()?);
            let place = Place::of(row.take()?, row.take()?);
            Ok(Due { id, channel, payload, place, attempt: row.take()? })
        })
        .collect()
}

/// Whose channel it is, what it is called, and where it leads.
pub(super) struct Target {
    pub owner: PersonId,
    pub name: String,
    pub url: String,
    pub secret: String,
}

pub(super) async fn target(tx: &mut ReadTx<scope::Public>, channel: ChannelId) -> Result<Option<Target>> {
    let hub = tx.hub().clone();
    let row = tx
        .opt(
            "SELECT c.person_id, c.name, c.address FROM channel c JOIN person p ON p.id = c.person_id
             WHERE c.id = ?1 AND c.state <> 'disabled' AND p.state = 'active'",
            params![channel],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (owner, name) = (row.take()?, row.take()?);
    let Address { url, secret } = address(&hub, &row.take::<Vec<u8>>()?)?;
    Ok(Some(Target { owner, name, url, secret }))
}

/// What became of a try.
pub(super) struct Tried<'a> {
    pub status: &'a str,
    pub code: Option<i64>,
    pub error: Option<&'a str>,
    pub next_at: Option<Timestamp>,
}

pub(super) async fn settle(tx: &mut WriteTx<scope::Public>, id: DeliveryId, tried: &Tried<'_>) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute(
        "UPDATE channel_delivery SET status = ?2, code = ?3, error = ?4, next_at = ?5, at = ?6, leased_until = NULL WHERE id = ?1",
        params![id, tried.status, tried.code, tried.error, tried.next_at, now],
    )
    .await?;
    Ok(())
}

/// The channel works.
pub(super) async fn worked(tx: &mut WriteTx<scope::Public>, channel: ChannelId) -> Result<(), StoreError> {
    let now = tx.now();
    let sql = "UPDATE channel SET state = 'active', failures = 0, last_at = ?2, last_status = 'delivered' WHERE id = ?1 AND state <> 'disabled'";
    tx.execute(sql, params![channel, now]).await?;
    Ok(())
}

/// A try failed. Answers how many deliveries were given up in a row by now; none when it is switched off already.
pub(super) async fn failed(
    tx: &mut WriteTx<scope::Public>,
    channel: ChannelId,
    why: &str,
    is_given_up: bool,
) -> Result<Option<i64>, StoreError> {
    let now = tx.now();
    let sql = "UPDATE channel SET state = 'failing', failures = failures + ?4, last_at = ?2, last_status = ?3
               WHERE id = ?1 AND state <> 'disabled' RETURNING failures";
    let row = tx.rows(sql, params![channel, now, why, i64::from(is_given_up)]).await?.pop();
    row.map(|mut row| row.take()).transpose()
}

/// Switches a channel off that does not work, and tells its owner in the console.
pub(super) async fn disable(tx: &mut WriteTx<scope::Public>, channel: ChannelId, target: &Target) -> Result<(), StoreError> {
    let now = tx.now();
    tx.execute("UPDATE channel SET state = 'disabled' WHERE id = ?1", params![channel]).await?;
    give_up(tx, channel).await?;
    tx.execute(
        "INSERT INTO notification (id, person_id, rule, label, urgency, facts, at) VALUES (?1, ?2, 'channel_disabled', ?3, 2, '{}', ?4)",
        params![crate::notifications::NotificationId::new(now), target.owner, target.name.as_str(), now],
    )
    .await?;
    Ok(())
}

pub(super) async fn email(tx: &mut ReadTx<scope::Public>, person: PersonId) -> Result<Option<String>, StoreError> {
    let row = tx.opt("SELECT email FROM person WHERE id = ?1 AND state = 'active'", params![person]).await?;
    row.map(|mut row| row.take()).transpose()
}

/// Forgets old deliveries.
///
/// # Errors
/// The control database does not answer.
pub async fn tidy(hub: &Hub) -> Result<()> {
    let before = hub.now().plus_days(-LOG_DAYS);
    let mut tx = hub.system_write("channel.tidy", "old deliveries are forgotten").await?;
    tx.execute("DELETE FROM channel_delivery WHERE status <> 'waiting' AND created_at <= ?1", params![before]).await?;
    tx.keeps_authority();
    tx.commit().await
}
