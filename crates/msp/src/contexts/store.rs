//! SQL of the context: the tenant's registry row, its members counted, and its summary.

use kernel::store::StoreError;
use kernel::{ReadTx, Timestamp, params, scope};
use serde::Deserialize;

/// What the control database has of a tenant at a glance.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub scan_interval_days: i64,
    pub seats_used: i64,
    pub seats_limit: Option<i64>,
    pub numbers: Option<Numbers>,
}

/// What the tenant's own writes published last.
#[derive(Debug)]
pub(super) struct Numbers {
    pub score_bp: Option<i64>,
    pub passed: i64,
    pub failed: i64,
    pub overridden: i64,
    pub critical: i64,
    pub high: i64,
    pub scan_at: Option<Timestamp>,
    /// Day number since 1970 and the last score of that day.
    pub trend: Vec<(i64, i64)>,
    pub frameworks: Vec<Framework>,
    pub decisions: Vec<Counted>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Framework {
    pub framework: String,
    pub passed: i64,
    pub failed: i64,
    pub score_bp: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    pub kind: String,
    pub count: i64,
}

pub(super) async fn stored(tx: &mut ReadTx<scope::Records>) -> Result<Stored, StoreError> {
    let mut row = tx
        .one(
            "SELECT t.scan_interval_days, NULLIF(COALESCE(t.seats_max, w.seats_max), -1),
                    (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state = 'active')
             FROM tenant t JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number WHERE t.id = ?1",
            params![tx.scope.tenant],
        )
        .await?;
    let (scan_interval_days, seats_limit, seats_used) = (row.take()?, row.take()?, row.take()?);
    Ok(Stored { scan_interval_days, seats_used, seats_limit, numbers: numbers(tx).await? })
}

async fn numbers(tx: &mut ReadTx<scope::Records>) -> Result<Option<Numbers>, StoreError> {
    let row = tx
        .opt(
            "SELECT score_bp, passed, failed, overridden, critical, high, scan_at, trend, frameworks, decisions
             FROM summary WHERE tenant_id = ?1",
            params![tx.scope.tenant],
        )
        .await?;
    let numbers = row.map(|mut row| {
        Ok(Numbers {
            score_bp: row.take()?,
            passed: row.take()?,
            failed: row.take()?,
            overridden: row.take()?,
            critical: row.take()?,
            high: row.take()?,
            scan_at: row.take()?,
            trend: row.json()?,
            frameworks: row.json()?,
            decisions: row.json()?,
        })
    });
    numbers.transpose()
}
