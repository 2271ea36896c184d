//! Posture: what scans found in a tenant, how it changed, what was accepted and for how long, and the score that follows.
//!
//! | slice | what it is |
//! |---|---|
//! | [`scans`] | files of scanners come in, whole or not at all |
//! | [`findings`] | one control on one resource: its life over many scans, who looks after it |
//! | [`controls`] | the rules that scanners check, and the frameworks they serve |
//! | [`overrides`] | accepted risks, with a reason and an end |
//! | [`comments`] | what people say about a finding |
//! | [`scores`] | the compliance score over time, and the summary that the provider sees |
//!
//! What this crate deliberately does not do: look at a cloud or a host itself, decide who may do what, know a tenant's people.

pub(crate) mod asked;
pub mod by;
pub mod comments;
pub mod controls;
pub mod findings;
pub mod overrides;
pub mod scans;
pub mod scores;
#[cfg(test)]
mod stage;
pub mod words;

use kernel::Hub;
use utoipa_axum::router::OpenApiRouter;

pub use findings::{Assignee, People};
pub use scans::ImportSettings;
pub use scores::{Summary, empty, recheck};

kernel::kinds! {
    /// One file of a scanner, imported.
    Scan ScanId "scn";
    /// One control on one resource.
    Finding FindingId "fnd";
    /// A rule that a scanner checks.
    Control ControlId "ctl";
    /// A stream of scans: one tool on one target.
    Source SourceId "src";
    /// An accepted risk.
    OverrideItem OverrideId "ovr";
    /// What somebody said about a finding.
    CommentItem CommentId "cmt";
}

/// Longest list that is answered in one piece.
pub(crate) const ROWS_MAX: i64 = 100_000;

/// The routes of posture, below `/api/v1`.
pub fn router() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .merge(scans::router())
        .merge(findings::router())
        .merge(controls::router())
        .merge(overrides::router())
        .merge(comments::router())
        .merge(scores::router())
}

/// Puts what posture keeps in memory into the hub, and clears away what an earlier run of the hub left half done. Whoever puts the
/// hub together also provides an `Arc<dyn People>`.
pub fn provide(hub: &Hub, settings: ImportSettings) {
    scans::provide(hub, settings);
}
