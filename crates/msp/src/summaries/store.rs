use kernel::door::Carrier;
use kernel::store::StoreError;
use kernel::{ReadTx, TenantId, Timestamp, params, scope};

use super::{DUE_MAX, Payload};

/// Replaces an older summary. That of a purged tenant finds no row to stand beside.
pub(super) async fn put(carrier: &mut Carrier<'_>, new: &Payload, now: Timestamp) -> Result<(), StoreError> {
    let json = |value: serde_json::Result<String>| value.map_err(|error| StoreError::Shape(error.to_string()));
    let (tenant, revision) = (carrier.tenant, carrier.revision);
    let trend = json(serde_json::to_string(&new.trend))?;
    let (frameworks, decisions) = (json(serde_json::to_string(&new.frameworks))?, json(serde_json::to_string(&new.decisions))?);
    carrier
        .execute(
            "INSERT INTO summary (tenant_id, revision, score_bp, passed, failed, overridden, critical, high, scans, findings_open,
                                  scan_at, trend, frameworks, decisions, recheck_at, updated_at,
                                  resources)
             SELECT t.id, CAST(?2 AS bigint), CAST(?3 AS bigint), CAST(?4 AS bigint), CAST(?5 AS bigint), CAST(?6 AS bigint),
                    CAST(?7 AS bigint), CAST(?8 AS bigint), CAST(?9 AS bigint), CAST(?10 AS bigint), CAST(?11 AS bigint),
                    CAST(?12 AS text), CAST(?13 AS text), CAST(?14 AS text), CAST(?15 AS bigint), CAST(?16 AS bigint),
                    CAST(?17 AS bigint)
             FROM tenant t WHERE t.id = ?1 AND t.state <> 'purged'
             ON CONFLICT (tenant_id) DO UPDATE SET
                 revision = excluded.revision, score_bp = excluded.score_bp, passed = excluded.passed, failed = excluded.failed,
                 overridden = excluded.overridden, critical = excluded.critical, high = excluded.high, scans = excluded.scans,
                 findings_open = excluded.findings_open, scan_at = excluded.scan_at, trend = excluded.trend,
                 frameworks = excluded.frameworks, decisions = excluded.decisions, recheck_at = excluded.recheck_at,
                 updated_at = excluded.updated_at, resources = excluded.resources
             WHERE excluded.revision > summary.revision",
            params![
                tenant,
                revision,
                new.score_bp,
                new.passed,
                new.failed,
                new.overridden,
                new.critical,
                new.high,
                new.scans,
                new.findings_open,
                new.scan_at,
                trend,
                frameworks,
                decisions,
                new.recheck_at,
                now,
                new.resources,
            ],
        )
        .await
        .map(drop)
}

pub(super) async fn due(tx: &mut ReadTx<scope::Public>, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    let rows = tx
        .rows(
            "SELECT s.tenant_id FROM summary s JOIN tenant t ON t.id = s.tenant_id
             WHERE s.recheck_at <= ?1 AND t.state IN ('active', 'suspended') ORDER BY s.recheck_at, s.tenant_id LIMIT ?2",
            params![now, DUE_MAX],
        )
        .await?;
    rows.into_iter().map(|mut row| row.take()).collect()
}
