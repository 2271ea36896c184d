use access::actions;
use kernel::http::{IfMatch, Json, Problems, Tagged};
use kernel::{ClientCx, Hub, Result};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::RelationshipUpdate;
use crate::tenants::{self, Tenant};

pub(crate) fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(update))
}

/// Changes tier, end or state of the relationship with this tenant. The ETag is the relationship's version.
#[utoipa::path(patch, path = "/providers/{provider}/tenants/{tenant}/relationship", operation_id = "relationship.update",
    tag = "relationships", params(("provider" = String, Path, description = "Id or slug"), ("tenant" = String, Path, description = "Id or slug")),
    request_body = RelationshipUpdate, responses((status = 200, body = Tenant), Problems))]
async fn update(cx: ClientCx, version: IfMatch, Json(body): Json<RelationshipUpdate>) -> Result<Tagged<Tenant>> {
    let mut tx = cx.write::<actions::RelationshipUpdate>().await?;
    super::update(&mut tx, version, body).await?;
    let mut tenant = tenants::view(&mut tx).await?;
    tx.commit().await?;
    tenant.can = cx.renewed().await?.can();
    Ok(Tagged(tenant.relationship.version, tenant))
}
