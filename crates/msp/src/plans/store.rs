use access::Modules;
use kernel::store::{Row, StoreError};
use kernel::{ProviderId, ReadTx, WriteTx, params, scope};

use super::Plan;

pub(super) async fn list(tx: &mut ReadTx<scope::Provider>) -> Result<Vec<Plan>, StoreError> {
    let rows = tx
        .rows(
            "SELECT p.id, p.name, p.modules, p.seats_max,
                    (SELECT COUNT(*) FROM tenant t WHERE t.plan_id = p.id AND t.state <> 'purged')
             FROM plan p WHERE p.provider_id = ?1 ORDER BY p.created_at, p.name LIMIT 200",
            params![tx.scope.provider],
        )
        .await?;
    rows.into_iter().map(plan).collect()
}

fn plan(mut row: Row) -> Result<Plan, StoreError> {
    Ok(Plan {
        id: row.take()?,
        name: row.take()?,
        modules: modules(row.take()?),
        seats_max: row.take()?,
        client_count: row.take()?,
    })
}

fn modules(bits: i64) -> Modules {
    Modules::from_bits(u16::try_from(bits).unwrap_or_default())
}

pub(super) async fn insert<S: scope::Control>(tx: &mut WriteTx<S>, provider: ProviderId, plan: &Plan) -> Result<u64, StoreError> {
    tx.execute(
        "INSERT INTO plan (id, provider_id, name, modules, seats_max, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![plan.id, provider, plan.name.as_str(), i64::from(plan.modules.bits()), plan.seats_max, tx.now()],
    )
    .await
}
