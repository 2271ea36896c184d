//! What waits for somebody's decision, in words.

use serde::Serialize;

use super::summary::{ScanAge, ScanStatus, Seats, SeatsStatus};

/// Something that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Decision {
    /// `unassigned_critical`, `new_critical`, `override_expiring`, `scan_never`, `scan_stale`, `over_limit`.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// In a sentence.
    pub text: String,
    /// The page to decide on, below the tenant's own: `findings?severity=critical`.
    pub to: String,
}

fn many(count: i64, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

/// What the tenant's own data asks for. A kind that has no page here is not shown.
pub(super) fn counted(kind: &str, count: i64) -> Option<Decision> {
    let (text, to) = match kind {
        "unassigned_critical" => {
            let what = many(count, "critical finding has nobody assigned.", "critical findings have nobody assigned.");
            (what, "findings?severity=critical&assignee=none")
        }
        "new_critical" => {
            let what =
                many(count, "critical finding is new since the scan before.", "critical findings are new since the scan before.");
            (what, "findings?severity=critical&lifecycle=new")
        }
        "override_expiring" => (many(count, "override ends within days.", "overrides end within days."), "overrides?state=active"),
        _ => return None,
    };
    (count > 0).then(|| Decision { kind: kind.to_owned(), count, text, to: to.to_owned() })
}

/// What the age of the last scan asks for.
pub(super) fn scan(scan: &ScanAge, interval_days: i64) -> Option<Decision> {
    let (kind, text) = match scan.status {
        ScanStatus::Current => return None,
        ScanStatus::Never => ("scan_never", "No complete scan has been imported yet.".to_owned()),
        ScanStatus::Stale => {
            let interval = many(interval_days, "day", "days");
            ("scan_stale", format!("The last complete scan is older than {interval}."))
        }
    };
    Some(Decision { kind: kind.into(), count: 1, text, to: "scans".into() })
}

/// What the seats ask for.
pub(super) fn seats(seats: &Seats) -> Option<Decision> {
    let limit = seats.limit.filter(|_| seats.status == SeatsStatus::OverLimit)?;
    let count = seats.used - limit;
    let text = format!("{} more than the {limit} of the plan.", many(count, "seat is used", "seats are used"));
    Some(Decision { kind: "over_limit".into(), count, text, to: "members".into() })
}
