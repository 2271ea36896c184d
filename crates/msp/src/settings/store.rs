//! SQL of a tenant's settings, which stand in its registry row.

use kernel::store::StoreError;
use kernel::{ReadTx, WriteTx, params, scope};

use super::Settings;

pub(super) async fn settings(tx: &mut ReadTx<scope::Records>) -> Result<Option<Settings>, StoreError> {
    let row = tx
        .opt(
            "SELECT t.scan_interval_days, t.comments_from_t1, t.staff_may_name_admins, p.staff_shown, t.settings_version
             FROM tenant t JOIN provider p ON p.id = t.provider_id WHERE t.id = ?1",
            params![tx.scope.tenant],
        )
        .await?;
    let settings = row.map(|mut row| {
        Ok(Settings {
            scan_interval_days: row.take()?,
            comments_from_t1: row.take()?,
            staff_may_name_admins: row.take()?,
            staff_shown: row.take()?,
            version: row.take()?,
        })
    });
    settings.transpose()
}

/// Whether they were still those of before.
pub(super) async fn update(tx: &mut WriteTx<scope::Records>, before: &Settings, after: &Settings) -> Result<bool, StoreError> {
    let tenant = tx.scope.tenant;
    let changed = tx
        .execute(
            "UPDATE tenant SET scan_interval_days = ?3, comments_from_t1 = ?4, staff_may_name_admins = ?6, settings_version = ?5
             WHERE id = ?1 AND settings_version = ?2",
            params![
                tenant,
                before.version,
                after.scan_interval_days,
                after.comments_from_t1,
                after.version,
                after.staff_may_name_admins
            ],
        )
        .await?;
    Ok(changed == 1)
}
