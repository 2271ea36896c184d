use access::Modules;
use kernel::store::{Row, StoreError};
use kernel::{PersonId, ProviderId, ReadTx, WriteTx, params, scope};

use super::body::Sound;
use super::{Plan, PlanId, PlanLimits, PlanMaker, PlanVersion, Price, Terms};

/// Columns of `plan_version w` that [`terms`] reads.
pub(crate) const TERMS: &str = "w.modules, w.seats_max, w.automations_max, w.resources_max, w.api_keys_max, w.month_micros,
     w.seat_micros, w.currency, w.trial_days";

const PLAN: &str = "SELECT p.id, p.name, p.description, p.version, p.number, p.state,
        (SELECT COUNT(*) FROM tenant t WHERE t.plan_id = p.id AND t.state <> 'purged'),
        (SELECT COUNT(*) FROM tenant t WHERE t.plan_id = p.id AND t.state <> 'purged' AND t.plan_number < p.number),
        COALESCE(p.updated_at, p.created_at)";

pub(super) async fn list(tx: &mut ReadTx<scope::Provider>) -> Result<Vec<Plan>, StoreError> {
    let sql = format!(
        "{PLAN}, {TERMS} FROM plan p JOIN plan_version w ON w.plan_id = p.id AND w.number = p.number
         WHERE p.provider_id = ?1 ORDER BY p.created_at, p.name LIMIT 200"
    );
    tx.rows(&sql, params![tx.scope.provider]).await?.into_iter().map(plan).collect()
}

pub(super) async fn find(tx: &mut ReadTx<scope::Provider>, id: PlanId) -> Result<Option<Plan>, StoreError> {
    let sql = format!(
        "{PLAN}, {TERMS} FROM plan p JOIN plan_version w ON w.plan_id = p.id AND w.number = p.number
         WHERE p.provider_id = ?1 AND p.id = ?2"
    );
    tx.opt(&sql, params![tx.scope.provider, id]).await?.map(plan).transpose()
}

fn plan(mut row: Row) -> Result<Plan, StoreError> {
    let (id, name, description, version) = (row.take()?, row.take()?, row.take()?, row.take()?);
    let (number, state) = (row.take()?, row.parse()?);
    let (client_count, grandfathered_count, updated_at) = (row.take()?, row.take()?, row.take()?);
    let Terms { modules, limits, price, trial_days } = terms(&mut row)?;
    Ok(Plan {
        id,
        name,
        description,
        version,
        number,
        state,
        modules,
        limits,
        seats_max: limits.seats,
        price,
        trial_days,
        client_count,
        grandfathered_count,
        updated_at,
    })
}

/// Reads [`TERMS`].
pub(crate) fn terms(row: &mut Row) -> Result<Terms, StoreError> {
    let modules: i64 = row.take()?;
    Ok(Terms {
        modules: Modules::from_bits(u16::try_from(modules).unwrap_or_default()),
        limits: PlanLimits { seats: row.take()?, automations: row.take()?, resources: row.take()?, api_keys: row.take()? },
        price: Price { month: row.take()?, seat: row.take()?, currency: row.take()? },
        trial_days: row.take()?,
    })
}

pub(super) async fn versions(tx: &mut ReadTx<scope::Provider>, id: PlanId) -> Result<Vec<PlanVersion>, StoreError> {
    let sql = format!(
        "SELECT w.number, w.name, w.created_at, m.id, m.name,
                (SELECT COUNT(*) FROM tenant t WHERE t.plan_id = w.plan_id AND t.plan_number = w.number AND t.state <> 'purged'),
                {TERMS}
         FROM plan_version w JOIN plan p ON p.id = w.plan_id LEFT JOIN person m ON m.id = w.created_by
         WHERE p.provider_id = ?1 AND p.id = ?2 ORDER BY w.number DESC LIMIT 500"
    );
    let rows = tx.rows(&sql, params![tx.scope.provider, id]).await?;
    let version = |mut row: Row| {
        let (number, name, created_at) = (row.take()?, row.take()?, row.take()?);
        let (by, by_name): (Option<PersonId>, Option<String>) = (row.take()?, row.take()?);
        let client_count = row.take()?;
        let Terms { modules, limits, price, trial_days } = terms(&mut row)?;
        let by = by.zip(by_name).map(|(id, name)| PlanMaker { id, name });
        Ok(PlanVersion { number, name, modules, limits, price, trial_days, created_at, by, client_count })
    };
    rows.into_iter().map(version).collect()
}

/// Makes others who change this plan, or move tenants to its newest number, wait.
pub(super) async fn hold(tx: &mut WriteTx<scope::Provider>, id: PlanId) -> Result<u64, StoreError> {
    let provider = tx.scope.provider;
    tx.execute("UPDATE plan SET version = version WHERE provider_id = ?1 AND id = ?2", params![provider, id]).await
}

pub(super) async fn named(tx: &mut ReadTx<scope::Provider>, name: &str) -> Result<Option<PlanId>, StoreError> {
    let sql = "SELECT id FROM plan WHERE provider_id = ?1 AND name = ?2";
    tx.opt(sql, params![tx.scope.provider, name]).await?.map(|mut row| row.take()).transpose()
}

/// A plan without a number yet; [`insert_version`] gives it one.
pub(super) async fn insert<S: scope::Control>(
    tx: &mut WriteTx<S>,
    provider: ProviderId,
    id: PlanId,
    name: &str,
    description: &str,
) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute(
        "INSERT INTO plan (id, provider_id, name, description, modules, created_at) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
        params![id, provider, name, description, now],
    )
    .await
}

/// Adds a number, and makes it the plan's newest.
pub(super) async fn insert_version<S: scope::Control>(
    tx: &mut WriteTx<S>,
    id: PlanId,
    number: i64,
    name: &str,
    terms: &Terms,
    by: Option<PersonId>,
) -> Result<(), StoreError> {
    let Terms { modules, limits, price, trial_days } = terms;
    let (now, modules) = (tx.now(), i64::from(modules.bits()));
    tx.execute(
        "INSERT INTO plan_version (plan_id, number, name, modules, seats_max, automations_max, resources_max, api_keys_max,
                                   month_micros, seat_micros, currency, trial_days, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            id,
            number,
            name,
            modules,
            limits.seats,
            limits.automations,
            limits.resources,
            limits.api_keys,
            price.month,
            price.seat,
            price.currency.as_str(),
            *trial_days,
            now,
            by
        ],
    )
    .await?;
    let sql = "UPDATE plan SET number = ?2, modules = ?3, seats_max = ?4 WHERE id = ?1";
    tx.execute(sql, params![id, number, modules, limits.seats]).await?;
    Ok(())
}

pub(super) async fn update(tx: &mut WriteTx<scope::Provider>, id: PlanId, sound: &Sound, number: i64) -> Result<(), StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    tx.execute(
        "UPDATE plan SET name = ?3, description = ?4, number = ?5, updated_at = ?6, version = version + 1
         WHERE provider_id = ?1 AND id = ?2",
        params![provider, id, sound.name.as_str(), sound.description.as_str(), number, now],
    )
    .await?;
    Ok(())
}

pub(super) async fn retire(tx: &mut WriteTx<scope::Provider>, id: PlanId) -> Result<(), StoreError> {
    let (provider, now) = (tx.scope.provider, tx.now());
    let sql = "UPDATE plan SET state = 'retired', updated_at = ?3, version = version + 1 WHERE provider_id = ?1 AND id = ?2";
    tx.execute(sql, params![provider, id, now]).await?;
    Ok(())
}
