//! The closed lists of words. Each knows its one spelling, in the database, in the API and in the address.

use serde::{Deserialize, Serialize};

/// A word that is not in its list.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a word of this list")]
pub struct UnknownWord(String);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord(word.chars().take(64).collect())) }
            }
        }
    )* };
}

words! {
    /// How bad a failure is.
    Severity {
        /// Act at once.
        Critical = "critical",
        /// Act soon.
        High = "high",
        /// Plan it.
        Medium = "medium",
        /// When there is time.
        Low = "low",
        /// Good to know.
        Informational = "informational",
        /// The scanner does not say.
        Unknown = "unknown",
    }

    /// What the last look said of a finding. In order from best to worst, for merging.
    Outcome {
        /// The control means nothing on this resource.
        NotApplicable = "not_applicable",
        /// As it should be.
        Pass = "pass",
        /// A person has to look.
        Manual = "manual",
        /// The check itself did not work.
        Error = "error",
        /// Not as it should be.
        Fail = "fail",
    }

    /// How a finding stands compared with the scan before.
    Lifecycle {
        /// Not there before, or for the first time failing.
        New = "new",
        /// As it was.
        Recurring = "recurring",
        /// Failed once and does no more.
        Fixed = "fixed",
        /// Was fixed, and fails again.
        Returned = "returned",
    }

    /// What a finding asks of people.
    Status {
        /// It fails.
        Open = "open",
        /// It fails, and that was accepted until some day.
        Overridden = "overridden",
        /// It passes, and never failed.
        Passed = "passed",
        /// It failed and does no more.
        Fixed = "fixed",
        /// Neither passed nor failed: to be looked at by hand, not applicable, or not checked.
        Manual = "manual",
    }

    /// What a control counts as.
    ControlStatus {
        /// Fails on at least one resource.
        Failed = "failed",
        /// Fails, but everything that fails was accepted: counts as passed.
        Overridden = "overridden",
        /// Passes wherever it was checked.
        Passed = "passed",
        /// Neither: does not count.
        Manual = "manual",
    }
}

impl Severity {
    /// 0 critical … 5 unknown.
    pub fn rank(self) -> i64 {
        self as i64
    }
}

impl Outcome {
    /// Neither passed nor failed.
    pub fn is_neither(self) -> bool {
        !matches!(self, Self::Pass | Self::Fail)
    }
}

impl From<formats::Severity> for Severity {
    fn from(severity: formats::Severity) -> Self {
        match severity {
            formats::Severity::Critical => Self::Critical,
            formats::Severity::High => Self::High,
            formats::Severity::Medium => Self::Medium,
            formats::Severity::Low => Self::Low,
            formats::Severity::Informational => Self::Informational,
            formats::Severity::Unknown => Self::Unknown,
        }
    }
}

impl From<formats::Outcome> for Outcome {
    fn from(outcome: formats::Outcome) -> Self {
        match outcome {
            formats::Outcome::Pass => Self::Pass,
            formats::Outcome::Fail => Self::Fail,
            formats::Outcome::Manual => Self::Manual,
            formats::Outcome::NotApplicable => Self::NotApplicable,
            formats::Outcome::Error => Self::Error,
        }
    }
}

/// A score in hundredths of a percent as the API shows it: percent with one decimal.
pub(crate) fn percent(score_bp: i64) -> f64 {
    let tenths = (score_bp + 5) / 10;
    f64::from(i32::try_from(tenths).unwrap_or(0)) / 10.0
}

/// `passed` of `passed + failed` in hundredths of a percent; none when nothing was judged.
pub(crate) fn score_bp(passed: i64, failed: i64) -> Option<i64> {
    let judged = passed + failed;
    (judged > 0).then(|| (passed * 10_000 + judged / 2) / judged)
}

#[cfg(test)]
mod tests {
    use super::{percent, score_bp};

    #[test]
    fn scores_are_rounded_once_to_hundredths_and_shown_with_one_decimal() {
        assert_eq!(score_bp(0, 0), None);
        assert_eq!(score_bp(2, 1), Some(6_667));
        assert_eq!(score_bp(1, 2), Some(3_333));
        assert_eq!(score_bp(5, 0), Some(10_000));
        assert_eq!(score_bp(0, 3), Some(0));
        assert!((percent(6_667) - 66.7).abs() < 1e-9);
        assert!((percent(10_000) - 100.0).abs() < 1e-9);
    }
}
