//! Not written yet.
pub(crate) fn router() -> utoipa_axum::router::OpenApiRouter<kernel::Hub> {
    utoipa_axum::router::OpenApiRouter::new()
}
