//! What a month comes to. Whole numbers only.
//!
//! - A stretch is a run of days on one number of one plan. Its price is the month's, times its days, over the days of the month.
//! - Its seats are the most that were used on any day of it, times the seat's price, likewise over its days.
//! - Days before a trial ends cost nothing and stand on the bill as such.
//! - Each line is rounded to a hundredth of the currency, half up; a bill is the sum of its lines.
//! - A month with two currencies has two bills.

use serde::{Deserialize, Serialize};

use super::months::{Month, day_text};

/// Millionths in the smallest amount that is billed.
const CENT_MICROS: i128 = 10_000;

/// From which day on a tenant was on which plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    /// The first day of it.
    pub from_day: i64,
    /// None: it was archived.
    pub on: Option<On>,
    /// The first day that costs something.
    pub trial_until_day: Option<i64>,
}

/// A plan, a number of it, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct On {
    pub plan: String,
    pub number: i64,
    pub month_micros: i64,
    pub seat_micros: i64,
    pub currency: String,
}

/// What a line of a bill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// The plan itself; its quantity is days.
    Plan,
    /// The seats; their quantity is how many.
    Seats,
    /// Days that cost nothing.
    Trial,
}

impl LineKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Seats => "seats",
            Self::Trial => "trial",
        }
    }
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BillLine {
    /// What it is for.
    pub kind: LineKind,
    /// The plan's name.
    pub label: String,
    /// Days of a plan or trial; seats.
    pub quantity: i64,
    /// What a whole month of one costs, in millionths of the currency.
    pub unit_micros: i64,
    /// What the line comes to.
    pub amount_micros: i64,
    /// Its first day, `2026-11-01`.
    pub from: String,
    /// Its last day.
    pub to: String,
}

/// What a month comes to in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub currency: String,
    /// The plan of its last stretch.
    pub plan: String,
    pub number: i64,
    /// The most seats of any stretch.
    pub seats: i64,
    pub lines: Vec<BillLine>,
    pub total_micros: i64,
}

/// The first days of a month, up to `until_day` (which is not of it), for a tenant that was on these plans, oldest first.
/// `seats` answers the most seats used from one day up to another.
pub(crate) fn sums(month: Month, until_day: i64, periods: &[Period], seats: impl Fn(i64, i64) -> i64) -> Vec<Sum> {
    let end = until_day.min(month.next().first_day());
    let mut sums: Vec<Sum> = Vec::new();
    for (n, period) in periods.iter().enumerate() {
        let next = periods.get(n + 1).map_or(i64::MAX, |next| next.from_day);
        let (from, to) = (period.from_day.max(month.first_day()), next.min(end));
        let Some(on) = period.on.as_ref().filter(|_| from < to) else { continue };
        let paid_from = period.trial_until_day.map_or(from, |day| day.clamp(from, to));
        let sum = match sums.iter().position(|sum| sum.currency == on.currency) {
            Some(n) => &mut sums[n],
            None => {
                let currency = on.currency.clone();
                sums.push(Sum { currency, plan: String::new(), number: 0, seats: 0, lines: Vec::new(), total_micros: 0 });
                let last = sums.len() - 1;
                &mut sums[last]
            }
        };
        sum.plan.clone_from(&on.plan);
        sum.number = on.number;
        let used = seats(from, to);
        sum.seats = sum.seats.max(used);
        add_lines(&mut sum.lines, month, on, [from, paid_from, to], seats(paid_from.min(to - 1), to));
    }
    for sum in &mut sums {
        sum.total_micros = sum.lines.iter().map(|line| line.amount_micros).sum();
    }
    sums
}

fn add_lines(lines: &mut Vec<BillLine>, month: Month, on: &On, [from, paid_from, to]: [i64; 3], seats: i64) {
    let line = |kind, quantity, unit_micros, amount_micros, [from, to]: [i64; 2]| BillLine {
        kind,
        label: on.plan.clone(),
        quantity,
        unit_micros,
        amount_micros,
        from: day_text(from),
        to: day_text(to - 1),
    };
    if paid_from > from {
        lines.push(line(LineKind::Trial, paid_from - from, on.month_micros, 0, [from, paid_from]));
    }
    let days = to - paid_from;
    if days > 0 {
        let amount = pro_rata(on.month_micros, 1, days, month.days());
        lines.push(line(LineKind::Plan, days, on.month_micros, amount, [paid_from, to]));
    }
    if days > 0 && on.seat_micros > 0 && seats > 0 {
        let amount = pro_rata(on.seat_micros, seats, days, month.days());
        lines.push(line(LineKind::Seats, seats, on.seat_micros, amount, [paid_from, to]));
    }
}

/// `unit × count × days ÷ days of the month`, to a hundredth of the currency, half up.
fn pro_rata(unit_micros: i64, count: i64, days: i64, of_days: i64) -> i64 {
    let dividend = i128::from(unit_micros) * i128::from(count) * i128::from(days);
    let divisor = i128::from(of_days) * CENT_MICROS;
    let cents = (2 * dividend + divisor).div_euclid(2 * divisor);
    i64::try_from(cents * CENT_MICROS).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on(month_micros: i64, seat_micros: i64) -> On {
        On { plan: "Gold".into(), number: 1, month_micros, seat_micros, currency: "EUR".into() }
    }

    fn month() -> Month {
        "2026-11".parse().unwrap()
    }

    #[test]
    fn a_whole_month_costs_what_the_plan_says() {
        let first = month().first_day();
        let periods = [Period { from_day: first - 100, on: Some(on(90_000_000, 2_500_000)), trial_until_day: None }];
        let sums = sums(month(), i64::MAX, &periods, |_, _| 7);
        assert_eq!((sums.len(), sums[0].total_micros, sums[0].seats), (1, 90_000_000 + 7 * 2_500_000, 7));
        let dates: Vec<_> = sums[0].lines.iter().map(|line| (line.kind, line.from.as_str(), line.to.as_str())).collect();
        assert_eq!(dates, [(LineKind::Plan, "2026-11-01", "2026-11-30"), (LineKind::Seats, "2026-11-01", "2026-11-30")]);
    }

    #[test]
    fn a_trial_costs_nothing_and_what_follows_is_billed_by_the_day() {
        let first = month().first_day();
        let periods = [
            Period { from_day: first + 4, on: Some(on(30_000_000, 0)), trial_until_day: Some(first + 14) },
            Period { from_day: first + 20, on: None, trial_until_day: Some(first + 14) },
        ];
        let sums = sums(month(), i64::MAX, &periods, |_, _| 7);
        let lines: Vec<_> = sums[0].lines.iter().map(|line| (line.kind, line.quantity, line.amount_micros)).collect();
        assert_eq!(lines, [(LineKind::Trial, 10, 0), (LineKind::Plan, 6, 6_000_000)]);
    }

    #[test]
    fn each_currency_has_its_bill() {
        let first = month().first_day();
        let dollars = On { currency: "USD".into(), ..on(30_000_000, 0) };
        let periods = [
            Period { from_day: first, on: Some(on(30_000_000, 0)), trial_until_day: None },
            Period { from_day: first + 10, on: Some(dollars), trial_until_day: None },
            Period { from_day: first + 20, on: Some(on(60_000_000, 0)), trial_until_day: None },
        ];
        let sums = sums(month(), i64::MAX, &periods, |_, _| 0);
        let totals: Vec<_> = sums.iter().map(|sum| (sum.currency.as_str(), sum.total_micros)).collect();
        assert_eq!(totals, [("EUR", 30_000_000), ("USD", 10_000_000)]);
    }

    proptest! {
        /// However a month is cut into stretches: the total is the sum of the lines, no more days are billed than it has, and the same
        /// plan in pieces costs what it costs whole, but for rounding.
        #[test]
        fn a_month_in_pieces_is_never_more_than_the_month(
            offset in 0_i64..600,
            cuts in prop::collection::btree_set(-40_i64..40, 0..12),
            archived in prop::collection::vec(any::<bool>(), 12),
            prices in prop::collection::vec((0_i64..2_000_000_000, 0_i64..50_000_000), 12),
            trial in prop::option::of(-20_i64..45),
            until in 0_i64..40,
            seats in 0_i64..500,
        ) {
            let month = Month(2020 * 12 + offset);
            let first = month.first_day();
            let period = |(n, cut): (usize, &i64)| Period {
                from_day: first + cut,
                on: (!archived[n]).then(|| on(prices[n].0, prices[n].1)),
                trial_until_day: trial.map(|day| first + day),
            };
            let periods: Vec<_> = cuts.iter().enumerate().map(period).collect();
            let sums = sums(month, first + until, &periods, |_, _| seats);
            let days = |kind| sums.iter().flat_map(|s| &s.lines).filter(|l| l.kind == kind).map(|l| l.quantity).sum::<i64>();
            prop_assert!(days(LineKind::Plan) + days(LineKind::Trial) <= month.days().min(until));
            for sum in &sums {
                prop_assert_eq!(sum.total_micros, sum.lines.iter().map(|line| line.amount_micros).sum::<i64>());
                prop_assert!(sum.lines.iter().all(|line| line.amount_micros >= 0 && line.quantity > 0));
            }

            let same: Vec<_> = cuts.iter().map(|cut| Period { from_day: first + cut, on: Some(on(prices[0].0, 0)), trial_until_day: None }).collect();
            let pieces = super::sums(month, i64::MAX, &same, |_, _| 0);
            let whole = same.first().map(|begin| super::sums(month, i64::MAX, std::slice::from_ref(begin), |_, _| 0));
            let total = |sums: &[Sum]| sums.iter().map(|sum| sum.total_micros).sum::<i64>();
            let apart = total(&pieces) - whole.as_deref().map_or(0, total);
            prop_assert!(apart.abs() <= 5_000 * (cuts.len() as i64 + 1), "{} apart", apart);
        }
    }
}
