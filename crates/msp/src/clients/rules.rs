//! What a row means: score, trend, scan, seats, and whether one may go in.

use access::{RelationshipState, TenantState};
use kernel::Timestamp;
use kernel::clock::DAY_US;

use super::{ClientSeats, Enter, SeatStatus, TREND_DAYS};
use crate::relationships::state_at;

/// Hundredths of a percent as percent with one decimal.
pub(super) fn percent(bp: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a score has at most five digits")]
    let tenths = ((bp as f64) / 10.0).round();
    tenths / 10.0
}

pub(super) fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_US)
}

/// The points of a stored trend, `[[day, score], …]` by day. Reads the numbers where they stand: a dashboard reads a thousand trends.
pub(super) fn points(trend: &str) -> impl Iterator<Item = (i64, i64)> {
    let mut bytes = trend.bytes();
    let mut number = move || {
        let mut number = None;
        for byte in bytes.by_ref() {
            if byte.is_ascii_digit() {
                number = Some(number.unwrap_or(0_i64).saturating_mul(10).saturating_add(i64::from(byte - b'0')));
            } else if number.is_some() {
                break;
            }
        }
        number
    };
    std::iter::from_fn(move || Some((number()?, number()?)))
}

/// The score that was known at the end of a day.
pub(super) fn score_on(trend: &str, day: i64) -> Option<i64> {
    points(trend).take_while(|(at, _)| *at <= day).last().map(|(_, score)| score)
}

/// The score of each day of the last [`TREND_DAYS`] up to `today`: the last known one, none before the first.
pub(super) fn daily(trend: &str, today: i64) -> Vec<Option<f64>> {
    let mut points = points(trend).peekable();
    let mut known = None;
    let days = today - TREND_DAYS + 1..=today;
    days.map(|day| {
        while let Some((_, score)) = points.next_if(|(at, _)| *at <= day) {
            known = Some(score);
        }
        known.map(percent)
    })
    .collect()
}

/// Score now less score [`TREND_DAYS`] ago, in hundredths of a percent.
pub(super) fn delta(score: Option<i64>, trend: &str, today: i64) -> Option<i64> {
    Some(score? - score_on(trend, today - TREND_DAYS)?)
}

pub(super) fn seats(used: i64, limit: Option<i64>) -> ClientSeats {
    let status = match limit {
        None => SeatStatus::Unlimited,
        Some(limit) if used > limit => SeatStatus::OverLimit,
        Some(_) => SeatStatus::Ok,
    };
    ClientSeats { used, limit, status }
}

/// The facts that decide whether a person may go in.
pub(super) struct Way {
    pub tenant: TenantState,
    pub relationship: RelationshipState,
    /// Earliest end along the chain.
    pub ends_at: Option<Timestamp>,
    /// The relationships of the providers above stand.
    pub chain_live: bool,
    /// The assignment that is needed includes looking.
    pub may_view: bool,
}

/// Whether a person may go in, in the words of the access policies (`why.cedar`), without asking them row by row.
pub(super) fn enter(way: &Way, now: Timestamp) -> Enter {
    let why = match (way.tenant, state_at(way.relationship, way.ends_at, now)) {
        (TenantState::Suspended, _) => "This organisation is suspended.",
        (TenantState::Archived, _) => "This organisation is archived.",
        (TenantState::Purged, _) => "This organisation has been purged.",
        (_, RelationshipState::Ended) => "Your provider's relationship with this organisation has ended.",
        (_, RelationshipState::Requested) => "This organisation has not yet agreed to the relationship with your provider.",
        (_, RelationshipState::Frozen) => "Provider access to this organisation is frozen.",
        (_, RelationshipState::Expired) => "Your provider's relationship with this organisation has expired.",
        _ if !way.chain_live => "A provider above yours has no live relationship with this organisation.",
        _ if !way.may_view => "Your assignment does not include viewing.",
        _ => return Enter { allowed: true, why: None },
    };
    Enter { allowed: false, why: Some(why.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_carries_the_last_known_score() {
        let trend = "[[60,5000],[90,8000],[95,8123]]";
        let days = daily(trend, 100);
        assert_eq!(days.len(), 30);
        assert_eq!((days[0], days[18], days[19], days[24], days[29]), (Some(50.0), Some(50.0), Some(80.0), Some(81.2), Some(81.2)));
        assert_eq!(daily("[]", 100), vec![None; 30]);
        assert_eq!(daily("[[90,8000]]", 100)[18], None);
        assert_eq!(delta(Some(8123), trend, 100), Some(3123));
        assert_eq!(delta(Some(8123), trend, 89), None);
        assert_eq!(delta(None, trend, 100), None);
        assert_eq!(score_on(trend, 59), None);
    }
}
