//! Rows of API keys. Everything is of the transaction's place.

use std::sync::Arc;

use access::Act;
use kernel::ids::ApiKeyId;
use kernel::limits::{Claim, Limit, LimitReached, Limits, Within};
use kernel::secrets::token_hash;
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, params, scope};
use serde::Deserialize;
use uuid::Uuid;

use super::{ApiKey, ApiKeyState, Maker};

/// Which keys to list. Sorts: created, name, expires, last_used.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ApiKeyQuery {
    /// Part of a key's name, or the beginning of its token.
    pub q: Option<String>,
    /// active, expired or revoked; several separated by commas.
    pub state: Option<String>,
    /// Name of the order; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended: its `next`.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// A scope that keys are of.
pub(crate) trait Keyed: scope::Control {
    /// The column that names it.
    const COLUMN: &'static str;
    /// What makes other acts on the place's keys wait; `?1` is its id.
    const HOLD: &'static str;
    /// Joins for [`Self::SHOWN`].
    const JOINS: &'static str;
    /// Whether the maker `p` of a key `k` is shown by name.
    const SHOWN: &'static str;
    /// Whose name is shown otherwise.
    const INSTEAD: &'static str;
    /// Its id.
    fn id(&self) -> Uuid;
    /// Asks for one more key, where there may only be so many.
    fn take(tx: &mut WriteTx<Self>) -> impl Future<Output = Result<Option<LimitReached>>> + Send;
    /// A key has ended.
    fn released(tx: &mut WriteTx<Self>) -> impl Future<Output = Result<()>> + Send;
}

impl Keyed for scope::Records {
    const COLUMN: &'static str = "k.tenant_id";
    const HOLD: &'static str = "UPDATE tenant SET version = version WHERE id = ?1";
    // Staff who made a key are shown as their provider shows its staff to tenants.
    const JOINS: &'static str = " JOIN tenant t ON t.id = k.tenant_id JOIN provider v ON v.id = t.provider_id
         LEFT JOIN member m ON m.tenant_id = k.tenant_id AND m.person_id = k.person_id";
    const SHOWN: &'static str = "(v.staff_shown = 'by_name' OR m.id IS NOT NULL)";
    const INSTEAD: &'static str = "v.name";
    fn id(&self) -> Uuid {
        self.tenant.uuid()
    }
    async fn take(tx: &mut WriteTx<Self>) -> Result<Option<LimitReached>> {
        let limits = tx.hub().port::<Arc<dyn Limits>>();
        limits.take(Within::Records(tx), Claim::ApiKey).await
    }
    async fn released(tx: &mut WriteTx<Self>) -> Result<()> {
        let limits = tx.hub().port::<Arc<dyn Limits>>();
        limits.released(Within::Records(tx), Limit::ApiKeys).await
    }
}

impl Keyed for scope::Provider {
    const COLUMN: &'static str = "k.provider_id";
    const HOLD: &'static str = "UPDATE provider SET version = version WHERE id = ?1";
    const JOINS: &'static str = "";
    const SHOWN: &'static str = "(1 = 1)";
    const INSTEAD: &'static str = "p.name";
    fn id(&self) -> Uuid {
        self.provider.uuid()
    }
    // A provider's own keys are not bounded.
    async fn take(_: &mut WriteTx<Self>) -> Result<Option<LimitReached>> {
        Ok(None)
    }
    async fn released(_: &mut WriteTx<Self>) -> Result<()> {
        Ok(())
    }
}

/// A key about to be stored.
pub(super) struct New<'a> {
    pub id: ApiKeyId,
    pub token: &'a str,
    pub hint: &'a str,
    pub name: &'a str,
    pub actions: &'a [Act],
    pub days: i64,
}

fn selected<S: Keyed>(more: &str) -> Query {
    Query::new(&format!(
        "SELECT k.id, k.name, k.hint, k.actions, CASE WHEN {shown} THEN p.id END, CASE WHEN {shown} THEN p.name ELSE {instead} END,
                k.created_at, k.expires_at, k.last_used_at, k.last_address, k.revoked_at{more}",
        shown = S::SHOWN,
        instead = S::INSTEAD,
    ))
}

fn from<S: Keyed>(query: &mut Query, scope: &S) {
    query.push(" FROM api_key k JOIN person p ON p.id = k.person_id").push(S::JOINS);
    query.push(" WHERE ").push(S::COLUMN).push(" = ").bind(scope.id());
}

fn read(row: &mut Row, now: Timestamp) -> Result<ApiKey, StoreError> {
    let (id, name, hint) = (row.take()?, row.take()?, row.take()?);
    let actions = row.json::<Vec<String>>()?.iter().filter_map(|name| Act::from_name(name)).collect();
    let created_by = Maker { id: row.take()?, name: row.take()? };
    let (created_at, expires_at): (Timestamp, Timestamp) = (row.take()?, row.take()?);
    let (last_used_at, last_address): (Option<Timestamp>, String) = (row.take()?, row.take()?);
    let revoked_at: Option<Timestamp> = row.take()?;
    let state = match revoked_at {
        Some(_) => ApiKeyState::Revoked,
        None if now >= expires_at => ApiKeyState::Expired,
        None => ApiKeyState::Active,
    };
    let last_address = Some(last_address).filter(|address| !address.is_empty());
    Ok(ApiKey { id, name, hint, actions, created_by, created_at, expires_at, last_used_at, last_address, state, revoked_at })
}

pub(super) async fn page<S: Keyed>(tx: &mut ReadTx<S>, wanted: ApiKeyQuery) -> Result<Page<ApiKey>> {
    let page = PageQuery { q: wanted.q, sort: wanted.sort, cursor: wanted.cursor, limit: wanted.limit };
    let order = page.order(&[
        ("-created", "k.created_at"),
        ("name", "lower(k.name)"),
        ("expires", "k.expires_at"),
        ("last_used", "COALESCE(k.last_used_at, 0)"),
    ])?;
    let (scope, now, pattern) = (tx.scope, tx.now(), page.pattern()?);
    let states = states(wanted.state.as_deref())?;
    let filter = |query: &mut Query| {
        from(query, &scope);
        query.and_like("k.name || ' ' || k.hint", pattern.as_deref());
        and_states(query, &states, now);
    };
    let mut count = Query::new("SELECT COUNT(*)");
    filter(&mut count);
    let total: i64 = tx.one(&count.sql, &count.params).await?.take()?;
    let mut query = selected::<S>(&format!(", {}, k.id", order.key));
    filter(&mut query);
    page.apply(&mut query, order, "k.id")?;
    let rows = tx.query(&query).await?.into_iter().map(|mut row| {
        let key = read(&mut row, now)?;
        Ok((key, row.take()?, row.take()?))
    });
    let rows: Vec<(ApiKey, Value, _)> = rows.collect::<Result<_, StoreError>>()?;
    Ok(Page::cut(rows, page.limit()?, order, total))
}

fn states(list: Option<&str>) -> Result<Vec<ApiKeyState>> {
    let words = list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let parse = |word| match word {
        "active" => Ok(ApiKeyState::Active),
        "expired" => Ok(ApiKeyState::Expired),
        "revoked" => Ok(ApiKeyState::Revoked),
        _ => Err(Error::field("state", "unknown", "use active, expired or revoked")),
    };
    words.map(parse).collect()
}

fn and_states(query: &mut Query, states: &[ApiKeyState], now: Timestamp) {
    let mut joint = " AND (";
    for state in states {
        query.push(joint);
        match state {
            ApiKeyState::Active => query.push("k.revoked_at IS NULL AND k.expires_at > ").bind(now),
            ApiKeyState::Expired => query.push("k.revoked_at IS NULL AND k.expires_at <= ").bind(now),
            ApiKeyState::Revoked => query.push("k.revoked_at IS NOT NULL"),
        };
        joint = " OR ";
    }
    if !states.is_empty() {
        query.push(")");
    }
}

pub(super) async fn find<S: Keyed>(tx: &mut ReadTx<S>, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let now = tx.now();
    let mut query = selected::<S>("");
    from(&mut query, &tx.scope);
    query.push(" AND k.id = ").bind(id);
    let row = tx.query(&query).await?.pop();
    Ok(row.map(|mut row| read(&mut row, now)).transpose()?)
}

/// Makes other acts on the place's keys wait for this one.
pub(super) async fn hold<S: Keyed>(tx: &mut WriteTx<S>) -> Result<()> {
    let place = tx.scope.id();
    tx.execute(S::HOLD, params![place]).await?;
    Ok(())
}

/// Whether a key that works has this name.
pub(super) async fn is_taken<S: Keyed>(tx: &mut ReadTx<S>, name: &str) -> Result<bool> {
    let mut query = Query::new("SELECT k.id FROM api_key k WHERE ");
    query.push(S::COLUMN).push(" = ").bind(tx.scope.id()).push(" AND lower(k.name) = lower(").bind(name);
    query.push(") AND k.revoked_at IS NULL AND k.expires_at > ").bind(tx.now());
    Ok(!tx.query(&query).await?.is_empty())
}

pub(super) async fn insert<S: Keyed>(tx: &mut WriteTx<S>, new: New<'_>) -> Result<()> {
    let (now, me, place) = (tx.now(), tx.me()?.person, tx.scope.id());
    let actions = serde_json::to_string(new.actions).map_err(Error::internal)?;
    let column = S::COLUMN.trim_start_matches("k.");
    tx.execute(
        &format!(
            "INSERT INTO api_key (id, token_hash, hint, name, {column}, person_id, actions, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        ),
        params![new.id, token_hash(new.token), new.hint, new.name, place, me, actions, now, now.plus_days(new.days)],
    )
    .await?;
    Ok(())
}

/// Whether it was revoked: not when it had been.
pub(super) async fn revoke<S: Keyed>(tx: &mut WriteTx<S>, id: ApiKeyId) -> Result<bool> {
    let (now, me, place) = (tx.now(), tx.me()?.person, tx.scope.id());
    let column = S::COLUMN.trim_start_matches("k.");
    let sql = format!("UPDATE api_key SET revoked_at = ?3, revoked_by = ?4 WHERE {column} = ?1 AND id = ?2 AND revoked_at IS NULL");
    Ok(tx.execute(&sql, params![place, id, now, me]).await? == 1)
}

/// Keys that a person made for the place, but for the revoked ones.
pub(super) async fn of_person<S: Keyed>(tx: &mut ReadTx<S>, person: PersonId) -> Result<Vec<ApiKeyId>> {
    let mut query = Query::new("SELECT k.id FROM api_key k WHERE k.revoked_at IS NULL AND ");
    query.push(S::COLUMN).push(" = ").bind(tx.scope.id()).push(" AND k.person_id = ").bind(person).push(" ORDER BY k.id");
    Ok(tx.query(&query).await?.into_iter().map(|mut row| row.take()).collect::<Result<_, StoreError>>()?)
}
