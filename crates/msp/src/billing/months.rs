//! Calendar months and days, UTC.

use kernel::Timestamp;
use kernel::clock::DAY_US;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A calendar month: year * 12 + month - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i64);

/// The day of an instant: days since 1970-01-01.
pub(crate) fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY_US)
}

impl Month {
    /// The month of a day. (Howard Hinnant's `civil_from_days`: years begin in March, so that leap days come last.)
    pub fn of_day(day: i64) -> Self {
        let shifted = day + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        // March of that year is month 2 of it, counted from 0; January and February belong to the next.
        Self((year_of_era + era * 400) * 12 + march_month + 2)
    }

    /// The month of an instant.
    pub fn of(at: Timestamp) -> Self {
        Self::of_day(day_of(at))
    }

    /// Its first day. (Hinnant's `days_from_civil`.)
    pub fn first_day(self) -> i64 {
        let march_based = self.0 - 2;
        let (year, month) = (march_based.div_euclid(12), march_based.rem_euclid(12));
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// How many days it has.
    pub fn days(self) -> i64 {
        self.next().first_day() - self.first_day()
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// So many months earlier.
    #[must_use]
    pub fn back(self, months: i64) -> Self {
        Self(self.0 - months)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl std::str::FromStr for Month {
    type Err = ();

    /// `2026-11`, of the years 1970 to 9999.
    fn from_str(text: &str) -> Result<Self, ()> {
        let is_shaped =
            text.len() == 7 && text.bytes().enumerate().all(|(n, byte)| if n == 4 { byte == b'-' } else { byte.is_ascii_digit() });
        let (year, month) = text.split_once('-').filter(|_| is_shaped).ok_or(())?;
        let (year, month): (i64, i64) = (year.parse().map_err(drop)?, month.parse().map_err(drop)?);
        if year >= 1970 && (1..=12).contains(&month) { Ok(Self(year * 12 + month - 1)) } else { Err(()) }
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("expected a month like 2026-11"))
    }
}

/// A day as `2026-11-21`.
pub(crate) fn day_text(day: i64) -> String {
    let month = Month::of_day(day);
    format!("{month}-{:02}", day - month.first_day() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end_where_calendars_say() {
        for (text, first_day, days) in [
            ("1970-01", 0, 31),
            ("1972-02", 761, 29),
            ("2000-02", 10_988, 29),
            ("2026-11", 20_758, 30),
            ("2027-02", 20_850, 28),
            ("2100-02", 47_513, 28),
        ] {
            let month: Month = text.parse().unwrap();
            assert_eq!((month.first_day(), month.days(), month.to_string()), (first_day, days, text.to_owned()));
        }
        assert_eq!(day_text(day_of(testkit::START)), "2026-11-21");
        for wrong in ["2026-13", "2026-00", "26-01", "2026-1", "1969-12", "abcd-ef", ""] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_day_is_in_its_month_and_months_follow_each_other() {
        let mut month = Month(1_970 * 12);
        for day in 0..200_000 {
            if day == month.next().first_day() {
                month = month.next();
            }
            assert_eq!(Month::of_day(day), month, "{day}");
        }
    }
}
