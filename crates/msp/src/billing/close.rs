//! What the hub does for bills by itself: counting once a day, and closing months that are over.

use kernel::{Hub, Result, params};

use super::months::{Month, day_of};
use super::{periods, store};

/// Tenants whose bills are written in one transaction.
const TENANTS_AT_ONCE: usize = 100;

/// Counts what every tenant uses today, if that was not done yet. Answers of how many.
///
/// # Errors
/// `Unavailable`.
pub async fn note_usage(hub: &Hub) -> Result<u64> {
    const UNSEEN: &str = "t.state IN ('active', 'suspended')
         AND NOT EXISTS (SELECT 1 FROM usage_day u WHERE u.tenant_id = t.id AND u.day = CAST(?1 AS bigint))";
    let today = day_of(hub.now());
    let sql = format!("SELECT COUNT(*) FROM tenant t WHERE {UNSEEN}");
    let unseen: i64 = hub.system_read().await?.one(&sql, params![today]).await?.take()?;
    if unseen == 0 {
        return Ok(0);
    }
    let mut tx = hub.system_write("usage.note", "what is used is counted once a day").await?;
    periods::begin_unknown(&mut tx).await?;
    let now = tx.now();
    let noted = tx
        .execute(
            &format!(
                "INSERT INTO usage_day (tenant_id, day, seats, capacity, api_keys, resources)
                 SELECT t.id, CAST(?1 AS bigint), (SELECT COUNT(*) FROM member m WHERE m.tenant_id = t.id AND m.state <> 'disabled'),
                        NULLIF(COALESCE(t.seats_max, w.seats_max), -1),
                        (SELECT COUNT(*) FROM api_key k WHERE k.tenant_id = t.id AND k.revoked_at IS NULL AND k.expires_at > ?2),
                        COALESCE((SELECT s.resources FROM summary s WHERE s.tenant_id = t.id), 0)
                 FROM tenant t JOIN plan_version w ON w.plan_id = t.plan_id AND w.number = t.plan_number WHERE {UNSEEN}
                 ON CONFLICT (tenant_id, day) DO NOTHING"
            ),
            params![today, now],
        )
        .await?;
    tx.keeps_authority().subject("day", super::months::day_text(today), format!("{noted} organisations"));
    tx.commit().await?;
    Ok(noted)
}

/// Writes the bills of months that are over. Answers how many months were closed.
///
/// # Errors
/// `Unavailable`; what was written until then stays, and the next call goes on.
pub async fn close_months(hub: &Hub) -> Result<usize> {
    let mut open = store::open_months(&mut hub.system_read().await?).await?;
    open.pop();
    for month in &open {
        close(hub, *month).await?;
    }
    Ok(open.len())
}

async fn close(hub: &Hub, month: Month) -> Result<()> {
    let tenants = store::billed(&mut hub.system_read().await?, month).await?;
    for some in tenants.chunks(TENANTS_AT_ONCE) {
        let mut tx = hub.system_write("bill.close", "a month is over").await?;
        let mut written = 0;
        for (tenant, sums) in store::sums_of(&mut tx, month, some).await? {
            for sum in sums {
                written += store::write(&mut tx, month, tenant, &sum).await?;
            }
        }
        tx.keeps_authority().subject("month", month, format!("{written} bills"));
        tx.commit().await?;
    }
    let mut tx = hub.system_write("month.close", "the bills of a month are written").await?;
    let now = tx.now();
    let sql = "INSERT INTO billed_month (month, closed_at) VALUES (?1, ?2) ON CONFLICT (month) DO NOTHING";
    tx.execute(sql, params![month.0, now]).await?;
    tx.keeps_authority().subject("month", month, format!("{} organisations", tenants.len()));
    tx.commit().await
}
