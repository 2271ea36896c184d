//! The letters that there are, in English and German. Each is made of the facts that the act gave; what is missing is left out.

use kernel::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::render::{Letter, Line};
use crate::rules::{self, Language};

/// Names of the templates.
pub(crate) const TEMPLATES: &[&str] =
    &["invitation", "password_reset", "relationship_expiring", "alert", "digest", "purge_requested", "test"];

/// Most lines of a digest.
const LINES_MAX: usize = 50;

/// The letter of a template; none when there is no such template, or nothing is to be said.
pub(crate) fn letter(template: &str, facts: &Value, language: Language) -> Option<Letter> {
    match template {
        "invitation" => Some(invitation(facts, language)),
        "password_reset" => Some(password_reset(facts, language)),
        "alert" | "relationship_expiring" => Some(alert(facts, language)),
        "digest" => Some(digest(facts, language)),
        "purge_requested" => Some(purge_requested(facts, language)),
        "test" => Some(test(facts, language)),
        _ => None,
    }
}

fn text<'a>(facts: &'a Value, name: &str) -> &'a str {
    facts[name].as_str().unwrap_or_default()
}

fn instant(facts: &Value, name: &str, language: Language) -> String {
    let raw = text(facts, name);
    raw.parse::<Timestamp>().map_or_else(|_| raw.to_owned(), |at| language.instant(at))
}

fn button(facts: &Value, label: &'static str) -> Option<(&'static str, String)> {
    facts["url"].as_str().map(|url| (label, url.to_owned()))
}

/// A role in words.
fn role(name: &str, language: Language) -> &str {
    match (name, language) {
        ("provider_admin", Language::En) => "provider administrator",
        ("provider_admin", Language::De) => "Administrator des Anbieters",
        ("technician", Language::De) => "Techniker",
        ("admin", Language::En) => "administrator",
        ("admin", Language::De) => "Administrator",
        ("operator", Language::De) => "Bearbeiter",
        ("auditor", Language::De) => "Prüfer",
        ("viewer", Language::De) => "Betrachter",
        _ => name,
    }
}

/// Facts: organisation, role, invited_by, url, expires_at.
fn invitation(facts: &Value, language: Language) -> Letter {
    let (organisation, by) = (text(facts, "organisation"), text(facts, "invited_by"));
    let (role, until) = (role(text(facts, "role"), language), instant(facts, "expires_at", language));
    let (subject, heading, paragraph, note) = match language {
        Language::En => (
            format!("Invitation to {organisation}"),
            format!("You are invited to {organisation}"),
            format!("{by} invites you to {organisation} as {role}."),
            format!("The link works once and until {until}. If you did not expect it, ignore this e-mail."),
        ),
        Language::De => (
            format!("Einladung zu {organisation}"),
            format!("Du bist zu {organisation} eingeladen"),
            format!("{by} lädt dich zu {organisation} ein, als {role}."),
            format!("Der Link gilt einmal und bis {until}. Wenn du ihn nicht erwartest, beachte diese E-Mail nicht."),
        ),
    };
    Letter {
        subject: Line::new(&subject),
        heading,
        paragraphs: vec![paragraph],
        groups: vec![],
        button: button(facts, language.pick("Accept the invitation", "Einladung annehmen")),
        note: Some(note),
    }
}

/// Facts: name, url, expires_at.
fn password_reset(facts: &Value, language: Language) -> Letter {
    let (name, until) = (text(facts, "name"), instant(facts, "expires_at", language));
    let (paragraph, note) = match language {
        Language::En => (
            format!(
                "Hello {name}, somebody asked to set a new password for your account. With the link below you set one; all your sessions end then."
            ),
            format!("The link works once and until {until}. If it was not you, ignore this e-mail: nothing changes."),
        ),
        Language::De => (
            format!(
                "Hallo {name}, jemand möchte für dein Konto ein neues Passwort setzen. Das geht mit diesem Link; danach enden alle deine Sitzungen."
            ),
            format!(
                "Der Link gilt einmal und bis {until}. Wenn du es nicht warst, beachte diese E-Mail nicht: Es ändert sich nichts."
            ),
        ),
    };
    let subject = language.pick("Set a new password", "Neues Passwort setzen");
    Letter {
        subject: Line::new(subject),
        heading: subject.to_owned(),
        paragraphs: vec![paragraph],
        groups: vec![],
        button: button(facts, language.pick("Set a new password", "Neues Passwort setzen")),
        note: Some(note),
    }
}

/// Facts: rule, label, place, facts, url.
fn alert(facts: &Value, language: Language) -> Letter {
    let (rule, place) = (text(facts, "rule"), text(facts, "place"));
    let title = rules::title(language, rule, text(facts, "label"), &facts["facts"]);
    let sentence = rules::sentence(language, rule, &facts["facts"]);
    let subject = if place.is_empty() { title.clone() } else { format!("{place}: {title}") };
    let note = language.pick(
        "You get this because of your notification rules. Change them in your account.",
        "Du bekommst dies wegen deiner Benachrichtigungsregeln. Ändere sie in deinem Konto.",
    );
    Letter {
        subject: Line::new(&subject),
        heading: title,
        paragraphs: [place.to_owned(), sentence].into_iter().filter(|text| !text.is_empty()).collect(),
        groups: vec![],
        button: button(facts, language.pick("Open", "Öffnen")),
        note: Some(note.to_owned()),
    }
}

#[derive(Deserialize)]
struct Group {
    place: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    rule: String,
    label: String,
    facts: Value,
}

/// Facts: period (daily, weekly), groups [{place, items [{rule, label, facts}]}], url.
fn digest(facts: &Value, language: Language) -> Letter {
    let groups: Vec<Group> = serde_json::from_value(facts["groups"].clone()).unwrap_or_default();
    let count: usize = groups.iter().map(|group| group.items.len()).sum();
    let is_weekly = text(facts, "period") == "weekly";
    let subject = match (language, is_weekly) {
        (Language::En, false) => format!("Your day: {count} notifications"),
        (Language::En, true) => format!("Your week: {count} notifications"),
        (Language::De, false) => format!("Dein Tag: {count} Benachrichtigungen"),
        (Language::De, true) => format!("Deine Woche: {count} Benachrichtigungen"),
    };
    let mut left = LINES_MAX;
    let shown = groups.into_iter().map(|group| {
        let lines: Vec<String> =
            group.items.iter().take(left).map(|item| rules::title(language, &item.rule, &item.label, &item.facts)).collect();
        left -= lines.len();
        (group.place, lines)
    });
    let groups: Vec<_> = shown.filter(|(_, lines)| !lines.is_empty()).collect();
    let more = count.saturating_sub(LINES_MAX);
    let note = (more > 0).then(|| match language {
        Language::En => format!("And {more} more."),
        Language::De => format!("Und {more} weitere."),
    });
    Letter {
        heading: subject.clone(),
        subject: Line::new(&subject),
        paragraphs: vec![],
        groups,
        button: button(facts, language.pick("Open", "Öffnen")),
        note,
    }
}

/// Facts: tenant, by, reason, url.
fn purge_requested(facts: &Value, language: Language) -> Letter {
    let (tenant, by, reason) = (text(facts, "tenant"), text(facts, "by"), text(facts, "reason"));
    let (subject, paragraph) = match language {
        Language::En => (
            format!("Purge of {tenant} requested"),
            format!("{by} asks that everything of {tenant} be destroyed for good. A second person has to confirm it."),
        ),
        Language::De => (
            format!("Löschung von {tenant} beantragt"),
            format!("{by} beantragt, alles von {tenant} endgültig zu vernichten. Eine zweite Person muss es bestätigen."),
        ),
    };
    let why = match language {
        Language::En => format!("Reason: {reason}"),
        Language::De => format!("Begründung: {reason}"),
    };
    Letter {
        heading: subject.clone(),
        subject: Line::new(&subject),
        paragraphs: if reason.is_empty() { vec![paragraph] } else { vec![paragraph, why] },
        groups: vec![],
        button: button(facts, language.pick("Open", "Öffnen")),
        note: None,
    }
}

/// Facts: by.
fn test(facts: &Value, language: Language) -> Letter {
    let by = text(facts, "by");
    let (subject, paragraph) = match language {
        Language::En => ("Test e-mail", format!("{by} sent this to see whether e-mails arrive. They do.")),
        Language::De => ("Test-E-Mail", format!("{by} hat dies gesendet, um zu sehen, ob E-Mails ankommen. Sie kommen an.")),
    };
    Letter {
        subject: Line::new(subject),
        heading: subject.to_owned(),
        paragraphs: vec![paragraph],
        groups: vec![],
        button: None,
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_template_is_there_in_both_languages_and_survives_missing_facts() {
        for template in TEMPLATES {
            for language in [Language::En, Language::De] {
                let letter = letter(template, &json!({}), language).unwrap_or_else(|| panic!("{template}"));
                assert!(template.starts_with("alert") || template.starts_with("rel") || !letter.subject.as_str().is_empty());
            }
        }
        assert!(letter("nothing", &json!({}), Language::En).is_none());
    }

    #[test]
    fn a_digest_ends_somewhere() {
        let items: Vec<Value> = (0..40).map(|n| json!({"rule": "scan_stale", "label": format!("{n}"), "facts": {}})).collect();
        let groups =
            json!([{"place": "Acme", "items": items}, {"place": "Birch", "items": items}, {"place": "Zeta", "items": items}]);
        let letter = letter("digest", &json!({"period": "weekly", "groups": groups}), Language::De).expect("a digest");
        assert_eq!(letter.subject.as_str(), "Deine Woche: 120 Benachrichtigungen");
        assert_eq!(letter.groups.iter().map(|(_, lines)| lines.len()).sum::<usize>(), 50);
        assert_eq!(letter.groups.len(), 2);
        assert_eq!(letter.note.as_deref(), Some("Und 70 weitere."));
    }
}
