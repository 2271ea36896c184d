//! Warnings of the end: 30, 7 and 1 days before it, once each, in the provider's and the tenant's ledger and inbox.

use kernel::clock::DAY_US;
use kernel::news::{Alert, Of, Urgency};
use kernel::{Hub, ProviderId, Result, TenantId, Timestamp, params};
use serde_json::json;

use super::RelationshipId;

/// Days before the end at which both sides are told.
const WARNINGS: [i64; 3] = [30, 7, 1];
/// Relationships told about in one round.
const ROUND: i64 = 500;

/// Warns of the ends that have come near. Answers how many relationships it warned about.
///
/// # Errors
/// The control database does not answer.
pub async fn warn_due(hub: &Hub) -> Result<usize> {
    let now = hub.now();
    let mut warned = 0;
    for due in due(hub, now).await? {
        let mut tx = hub.system_write("relationship.expiring", "the end of a relationship comes near").await?;
        let changed = tx
            .execute(
                "UPDATE relationship SET warned_days = ?2 WHERE id = ?1 AND (warned_days IS NULL OR warned_days > ?2)",
                params![due.id, due.days],
            )
            .await?;
        if changed == 0 {
            continue;
        }
        tx.keeps_authority().subject("relationship", due.id, due.name.clone());
        tx.changed("relationship", due.id, &(), &json!({ "ends_at": due.ends_at, "days_left": due.days }));
        tx.in_ledger_of(due.provider).also_in(due.tenant);
        for of in [Of::Provider(due.provider), Of::Tenant(due.tenant)] {
            tx.alert(&due.alert(of)).await?;
        }
        tx.commit().await?;
        warned += 1;
    }
    Ok(warned)
}

struct Due {
    id: RelationshipId,
    provider: ProviderId,
    tenant: TenantId,
    name: String,
    provider_name: String,
    ends_at: Timestamp,
    /// The warning that is due.
    days: i64,
}

impl Due {
    /// What both sides find in their inbox, the more urgent the nearer it comes. That it is over is seen by whoever keeps the inboxes.
    fn alert(&self, of: Of) -> Alert {
        let urgency = match self.days {
            ..=1 => Urgency::Critical,
            2..=7 => Urgency::Warning,
            _ => Urgency::Info,
        };
        let facts = json!({ "ends_at": self.ends_at, "days_left": self.days });
        let label = match of {
            Of::Tenant(_) => self.provider_name.clone(),
            _ => self.name.clone(),
        };
        Alert { of, rule: "relationship_expiring".into(), subject: self.id.to_string(), label, urgency, facts, is_over: false }
    }
}

async fn due(hub: &Hub, now: Timestamp) -> Result<Vec<Due>> {
    let mut tx = hub.system_read().await?;
    let rows = tx
        .rows(
            "SELECT r.id, r.provider_id, r.tenant_id, t.name, v.name, r.ends_at, r.warned_days FROM relationship r
             JOIN tenant t ON t.id = r.tenant_id JOIN provider v ON v.id = r.provider_id
             WHERE r.state IN ('active', 'frozen') AND r.ends_at > ?1 AND r.ends_at <= ?2
               AND (r.warned_days IS NULL OR r.ends_at <= ?1 + r.warned_days * ?3) AND t.state <> 'purged'
             ORDER BY r.ends_at, r.id LIMIT ?4",
            params![now, now.plus_days(WARNINGS[0]), DAY_US, ROUND],
        )
        .await?;
    let mut found = Vec::new();
    for mut row in rows {
        let (id, provider, tenant, name, provider_name) = (row.take()?, row.take()?, row.take()?, row.take()?, row.take()?);
        let (ends_at, told): (Timestamp, Option<i64>) = (row.take()?, row.take()?);
        let nearest = WARNINGS.into_iter().filter(|days| ends_at <= now.plus_days(*days)).min();
        if let Some(days) = nearest.filter(|days| told.is_none_or(|told| *days < told)) {
            found.push(Due { id, provider, tenant, name, provider_name, ends_at, days });
        }
    }
    Ok(found)
}
