//! SQL of elevation templates. Everything is of the transaction's provider.

use access::{Act, Modules, Tier};
use kernel::store::{Query, Row, StoreError, Value};
use kernel::{Error, Page, PageQuery, ReadTx, Result, WriteTx, params, scope};

use super::{ElevationTemplate, ElevationTemplateId, TemplateState};

const COLUMNS: &str = "e.id, e.name, e.description, e.tier, e.actions, e.modules, e.minutes_max, e.approver, e.ticket, e.step_up,
     e.state, e.version";
const FROM: &str = " FROM elevation_template e WHERE e.provider_id = ";

/// What an elevation raises to, as stored: T0 is only the named actions.
pub(crate) fn tier_of(row: &mut Row) -> Result<Option<Tier>, StoreError> {
    Ok(Tier::from_i64(row.take()?).filter(|tier| *tier > Tier::T0))
}

/// Actions as stored. One that the catalogue does not have any more is left out.
pub(crate) fn actions_of(row: &mut Row) -> Result<Vec<Act>, StoreError> {
    Ok(row.json::<Vec<String>>()?.iter().filter_map(|name| Act::from_name(name)).collect())
}

/// Modules as stored.
pub(crate) fn modules_of(row: &mut Row) -> Result<Modules, StoreError> {
    Ok(Modules::from_bits(u16::try_from(row.take::<i64>()?).unwrap_or_default()))
}

/// Actions to be stored.
pub(crate) fn actions_text(actions: &[Act]) -> Result<String> {
    serde_json::to_string(actions).map_err(Error::internal)
}

fn template_of(row: &mut Row) -> Result<ElevationTemplate, StoreError> {
    Ok(ElevationTemplate {
        id: row.take()?,
        name: row.take()?,
        description: row.take()?,
        tier: tier_of(row)?,
        actions: actions_of(row)?,
        modules: modules_of(row)?,
        minutes_max: row.take()?,
        approver: row.parse()?,
        ticket: row.take()?,
        step_up: row.take()?,
        state: row.parse()?,
        version: row.take()?,
    })
}

pub(super) async fn list(
    tx: &mut ReadTx<scope::Provider>,
    page: &PageQuery,
    state: Option<TemplateState>,
) -> Result<Page<ElevationTemplate>> {
    let order = page.order(&[("name", "lower(e.name)"), ("created", "e.created_at")])?;
    let (provider, pattern) = (tx.scope.provider, page.pattern()?);
    let filtered = |select: &str| {
        let mut query = Query::new(select);
        query.push(FROM).bind(provider);
        query.and_like("e.name || ' ' || e.description", pattern.as_deref());
        if let Some(state) = state {
            query.push(" AND e.state = ").bind(state.as_str());
        }
        query
    };
    let mut rows = filtered(&format!("SELECT {COLUMNS}, {}, e.id", order.key));
    page.apply(&mut rows, order, "e.id")?;
    let total = tx.query(&filtered("SELECT COUNT(*)")).await?.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut items = Vec::new();
    for mut row in tx.query(&rows).await? {
        items.push((template_of(&mut row)?, row.take::<Value>()?, row.take()?));
    }
    Ok(Page::cut(items, page.limit()?, order, total))
}

pub(super) async fn one(tx: &mut ReadTx<scope::Provider>, id: ElevationTemplateId) -> Result<Option<ElevationTemplate>> {
    let row = tx.opt(&format!("SELECT {COLUMNS}{FROM}?1 AND e.id = ?2"), params![tx.scope.provider, id]).await?;
    Ok(row.map(|mut row| template_of(&mut row)).transpose()?)
}

/// Whether another template of the provider has the name.
pub(super) async fn is_taken(tx: &mut ReadTx<scope::Provider>, wanted: &ElevationTemplate) -> Result<bool> {
    let sql = "SELECT id FROM elevation_template WHERE provider_id = ?1 AND lower(name) = lower(?2) AND id <> ?3";
    Ok(tx.opt(sql, params![tx.scope.provider, wanted.name.as_str(), wanted.id]).await?.is_some())
}

pub(super) async fn insert(tx: &mut WriteTx<scope::Provider>, new: &ElevationTemplate) -> Result<()> {
    let (provider, now) = (tx.scope.provider, tx.now());
    tx.execute(
        "INSERT INTO elevation_template (id, provider_id, name, description, tier, actions, modules, minutes_max, approver, ticket,
                                         step_up, state, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            new.id,
            provider,
            new.name.as_str(),
            new.description.as_str(),
            new.tier.map_or(0, Tier::as_i64),
            actions_text(&new.actions)?,
            i64::from(new.modules.bits()),
            new.minutes_max,
            new.approver.as_str(),
            new.ticket,
            new.step_up,
            new.state.as_str(),
            now
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, wanted: &ElevationTemplate) -> Result<()> {
    let provider = tx.scope.provider;
    let changed = tx
        .execute(
            "UPDATE elevation_template SET name = ?3, description = ?4, tier = ?5, actions = ?6, modules = ?7, minutes_max = ?8,
                    approver = ?9, ticket = ?10, step_up = ?11, state = ?12, version = version + 1
             WHERE provider_id = ?1 AND id = ?2 AND version = ?13",
            params![
                provider,
                wanted.id,
                wanted.name.as_str(),
                wanted.description.as_str(),
                wanted.tier.map_or(0, Tier::as_i64),
                actions_text(&wanted.actions)?,
                i64::from(wanted.modules.bits()),
                wanted.minutes_max,
                wanted.approver.as_str(),
                wanted.ticket,
                wanted.step_up,
                wanted.state.as_str(),
                wanted.version
            ],
        )
        .await?;
    if changed == 1 { Ok(()) } else { Err(Error::Changed) }
}
