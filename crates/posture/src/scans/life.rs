//! The life of a finding from scan to scan, without a database.

use crate::words::{Lifecycle, Outcome};

/// What a finding was before a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prior {
    /// Not known.
    Unknown,
    /// Never failed.
    Clean,
    /// Fails.
    Failing,
    /// Failed once, and could not be judged since.
    Lingering,
    /// Failed once, and was fixed.
    Fixed,
}

impl Prior {
    /// From what is stored.
    pub fn of(result: Outcome, lifecycle: Lifecycle, has_failed: bool) -> Self {
        match (result, lifecycle, has_failed) {
            (Outcome::Fail, ..) => Self::Failing,
            (_, Lifecycle::Fixed, _) => Self::Fixed,
            (_, _, true) => Self::Lingering,
            (_, _, false) => Self::Clean,
        }
    }

    /// How the finding stands after a scan with this result.
    pub fn next(self, result: Outcome) -> Lifecycle {
        match (self, result) {
            (Self::Unknown, _) | (Self::Clean, Outcome::Fail) => Lifecycle::New,
            (Self::Fixed, Outcome::Fail) => Lifecycle::Returned,
            (Self::Failing | Self::Lingering, Outcome::Fail) | (Self::Clean, _) => Lifecycle::Recurring,
            (Self::Failing | Self::Lingering, Outcome::Pass) | (Self::Fixed, _) => Lifecycle::Fixed,
            (Self::Failing | Self::Lingering, _) => Lifecycle::Recurring,
        }
    }

    /// Its first failure is now: its age begins anew.
    pub fn fails_first(self, result: Outcome) -> bool {
        matches!(self, Self::Unknown | Self::Clean) && result == Outcome::Fail
    }

    /// This scan fixed it.
    pub fn is_fixed_by(self, result: Outcome) -> bool {
        matches!(self, Self::Failing | Self::Lingering) && result == Outcome::Pass
    }
}

/// What the history says of a scan with this result.
pub(super) fn outcome(prior: Prior, result: Outcome) -> &'static str {
    match result {
        Outcome::Fail => prior.next(result).as_str(),
        Outcome::Pass if prior.is_fixed_by(result) => "fixed",
        Outcome::Pass => "passed",
        Outcome::Manual | Outcome::NotApplicable | Outcome::Error => "manual",
    }
}

/// What the history says of a scan that found it as it was; such scans leave no row. Of something unknown: as if it had passed.
pub(super) fn outcome_unchanged(before: Option<Outcome>) -> &'static str {
    match before {
        None | Some(Outcome::Pass) => "passed",
        Some(Outcome::Fail) => "recurring",
        Some(_) => "manual",
    }
}

/// Counts of one scan. `new`, `recurring` and `returned` are of failing findings, so that they add up to `failed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub passed: i64,
    pub failed: i64,
    pub manual: i64,
    pub new: i64,
    pub recurring: i64,
    pub returned: i64,
    pub fixed: i64,
    pub merged: i64,
}

impl Counts {
    /// Counts a result, or takes one back.
    pub fn result(&mut self, result: Outcome, by: i64) {
        match result {
            Outcome::Pass => self.passed += by,
            Outcome::Fail => self.failed += by,
            Outcome::Manual | Outcome::NotApplicable | Outcome::Error => self.manual += by,
        }
    }

    /// Counts a step of a finding's life, or takes one back.
    pub fn step(&mut self, prior: Prior, result: Outcome, by: i64) {
        match (result, prior.next(result)) {
            (Outcome::Fail, Lifecycle::New) => self.new += by,
            (Outcome::Fail, Lifecycle::Returned) => self.returned += by,
            (Outcome::Fail, _) => self.recurring += by,
            _ if prior.is_fixed_by(result) => self.fixed += by,
            _ => {}
        }
    }
}
