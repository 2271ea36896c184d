//! The rules by which alerts are raised, and what they say to people in their language. Who raises one says so where it is noticed:
//! `limit_crossed` and `licence_expiring` msp, `relationship_expiring` msp, `new_criticals` posture, `writes_refused` the kernel,
//! `scan_stale` this crate.

use kernel::Timestamp;
use kernel::news::Urgency;
use serde_json::Value;

/// All rules, in the order in which they are shown.
pub const RULES: &[&str] =
    &["new_criticals", "limit_crossed", "scan_stale", "relationship_expiring", "writes_refused", "licence_expiring"];

/// A language that we write in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
}

impl Language {
    /// Of a person's locale, `de` or `de-AT`; English for any other.
    pub fn of(locale: &str) -> Self {
        if locale == "de" || locale.starts_with("de-") { Self::De } else { Self::En }
    }

    /// The text in this language.
    pub(crate) fn pick<'a>(self, en: &'a str, de: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::De => de,
        }
    }

    /// An instant for people, in UTC.
    pub(crate) fn instant(self, at: Timestamp) -> String {
        let Ok(at) = jiff::Timestamp::from_microsecond(at.0) else { return at.to_string() };
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        match self {
            Self::En => at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
            Self::De => at.strftime("%d.%m.%Y, %H:%M UTC").to_string(),
        }
    }

    /// A fact that is an instant, for people; as it is when it is none.
    fn instant_of(self, fact: &Value) -> String {
        let text = fact.as_str().unwrap_or_default();
        text.parse().map_or_else(|_| text.to_owned(), |at| self.instant(at))
    }
}

/// 1 to 3, as stored.
pub(crate) fn rank(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Info => 1,
        Urgency::Warning => 2,
        Urgency::Critical => 3,
    }
}

/// What a stored rank means.
pub(crate) fn urgency(rank: i64) -> Urgency {
    match rank {
        1 => Urgency::Info,
        2 => Urgency::Warning,
        _ => Urgency::Critical,
    }
}

/// The word of the API.
pub(crate) fn word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Info => "info",
        Urgency::Warning => "warning",
        Urgency::Critical => "critical",
    }
}

/// One line that says what was noticed, without the place.
pub(crate) fn title(language: Language, rule: &str, label: &str, facts: &Value) -> String {
    let number = |name: &str| facts[name].as_i64().unwrap_or_default();
    match (rule, language) {
        ("new_criticals", Language::En) => format!("{} new critical findings: {label}", number("count")),
        ("new_criticals", Language::De) => format!("{} neue kritische Befunde: {label}", number("count")),
        ("limit_crossed", Language::En) => format!("Limit reached: {label}"),
        ("limit_crossed", Language::De) => format!("Grenze erreicht: {label}"),
        ("scan_stale", Language::En) => "No recent scan".to_owned(),
        ("scan_stale", Language::De) => "Kein aktueller Scan".to_owned(),
        ("relationship_expiring", Language::En) => format!("Relationship ends soon: {label}"),
        ("relationship_expiring", Language::De) => format!("Beziehung endet bald: {label}"),
        ("writes_refused", Language::En) => format!("Changes were refused repeatedly: {label}"),
        ("writes_refused", Language::De) => format!("Änderungen wurden wiederholt verweigert: {label}"),
        ("licence_expiring", Language::En) => format!("Licence ends soon: {label}"),
        ("licence_expiring", Language::De) => format!("Lizenz läuft ab: {label}"),
        ("channel_disabled", Language::En) => format!("Webhook switched off: {label}"),
        ("channel_disabled", Language::De) => format!("Webhook abgeschaltet: {label}"),
        _ => label.to_owned(),
    }
}

/// A sentence or two with the facts, for e-mails.
pub(crate) fn sentence(language: Language, rule: &str, facts: &Value) -> String {
    let number = |name: &str| facts[name].as_i64().unwrap_or_default();
    let instant = |name: &str| language.instant_of(&facts[name]);
    match (rule, language) {
        ("new_criticals", Language::En) => {
            format!("A scan brought {} critical findings that were not there before.", number("count"))
        }
        ("new_criticals", Language::De) => {
            format!("Ein Scan hat {} kritische Befunde gebracht, die es vorher nicht gab.", number("count"))
        }
        ("limit_crossed", Language::En) => format!("{} of {} are in use.", number("used"), number("max")),
        ("limit_crossed", Language::De) => format!("{} von {} sind in Gebrauch.", number("used"), number("max")),
        ("scan_stale", Language::En) => {
            format!(
                "The last complete scan is from {}. One is expected every {} days.",
                instant("scan_at"),
                number("interval_days")
            )
        }
        ("scan_stale", Language::De) => format!(
            "Der letzte vollständige Scan ist vom {}. Erwartet wird einer alle {} Tage.",
            instant("scan_at"),
            number("interval_days")
        ),
        ("relationship_expiring", Language::En) => {
            format!("It ends on {}. Whoever works through it loses access then, unless it is renewed.", instant("ends_at"))
        }
        ("relationship_expiring", Language::De) => {
            format!(
                "Sie endet am {}. Wer über sie arbeitet, verliert dann den Zugriff, wenn sie nicht verlängert wird.",
                instant("ends_at")
            )
        }
        ("writes_refused", Language::En) => {
            format!("{} changes of the same person were refused within an hour. The ledger says which.", number("count"))
        }
        ("writes_refused", Language::De) => {
            format!(
                "{} Änderungen derselben Person wurden binnen einer Stunde verweigert. Das Protokoll sagt, welche.",
                number("count")
            )
        }
        ("licence_expiring", Language::En) => format!("It ends on {}.", instant("expires_at")),
        ("licence_expiring", Language::De) => format!("Sie endet am {}.", instant("expires_at")),
        ("channel_disabled", Language::En) => {
            "Several deliveries in a row failed. Correct its address and switch it on again.".into()
        }
        ("channel_disabled", Language::De) => {
            "Mehrere Zustellungen nacheinander sind fehlgeschlagen. Berichtige die Adresse und schalte ihn wieder ein.".into()
        }
        _ => String::new(),
    }
}
