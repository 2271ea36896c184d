use access::actions;
use kernel::http::{Json, Params, Problems};
use kernel::{Error, Hub, Result, TenantCx};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Scores;

/// Most days that are answered at once.
const DAYS_MAX: i64 = 400;

/// The routes of scores.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Days {
    /// How many days back, 1 to 400; 90 when left out.
    days: Option<i64>,
}

/// The score over time.
#[utoipa::path(get, path = "/tenants/{tenant}/scores", operation_id = "score.list", tag = "scores",
    params(("tenant" = String, Path, description = "Id or slug"), Days), responses((status = 200, body = Scores), Problems))]
async fn list(cx: TenantCx, Params(days): Params<Days>) -> Result<Json<Scores>> {
    let days = days.days.unwrap_or(90);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Error::field("days", "out_of_range", format!("{days} is not between 1 and {DAYS_MAX}")));
    }
    let mut tx = cx.read::<actions::ScoreList>().await?;
    Ok(Json(super::list(&mut tx, days).await?))
}
