//! Checks of what came from outside: every wrong field is said at once, each with its reason.

use std::ops::RangeInclusive;

use crate::clock::Timestamp;
use crate::error::{Error, FieldError, Result};

/// Collects wrong fields.
#[derive(Debug, Default)]
pub struct Check(Vec<FieldError>);

impl Check {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that a field is wrong.
    pub fn fail(&mut self, field: &str, code: &str, message: impl Into<String>) -> &mut Self {
        self.0.push(FieldError { field: field.into(), code: code.into(), message: message.into() });
        self
    }

    /// Says that a field is wrong unless `right`.
    pub fn that(&mut self, right: bool, field: &str, code: &str, message: &str) -> &mut Self {
        if !right {
            self.fail(field, code, message);
        }
        self
    }

    /// A text without control characters, trimmed, of so many characters.
    pub fn text(&mut self, field: &str, text: &str, length: RangeInclusive<usize>) -> String {
        let text = text.trim();
        let count = text.chars().count();
        if count < *length.start() {
            let message =
                if count == 0 { "is missing".to_owned() } else { format!("needs at least {} characters", length.start()) };
            self.fail(field, "too_short", message);
        } else if count > *length.end() {
            self.fail(field, "too_long", format!("may have at most {} characters, this has {count}", length.end()));
        } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            self.fail(field, "control_characters", "contains control characters; remove them");
        }
        text.to_owned()
    }

    /// A slug: 2 to 63 of a-z, 0-9 and hyphens, as a DNS label (RFC 1123).
    pub fn slug(&mut self, field: &str, slug: &str) -> String {
        let good = (2..=63).contains(&slug.len())
            && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        if !good {
            self.fail(
                field,
                "not_a_slug",
                "use 2 to 63 lower-case letters, digits and hyphens, not beginning or ending with a hyphen",
            );
        }
        slug.to_owned()
    }

    /// An e-mail address, in lower case: one `@`, something before it, a domain with a dot after it, at most 254 characters.
    pub fn email(&mut self, field: &str, email: &str) -> String {
        let email = email.trim().to_lowercase();
        let good = email.len() <= 254
            && !email.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"'))
            && email.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && !domain.contains('@')
                    && domain.contains('.')
                    && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63)
            });
        if !good {
            self.fail(field, "not_an_email", "is not an e-mail address like name@company.example");
        }
        email
    }

    /// An instant in the future, at most `days_max` days away.
    pub fn future(&mut self, field: &str, at: Timestamp, now: Timestamp, days_max: i64) -> Timestamp {
        if at <= now {
            self.fail(field, "in_the_past", "must lie in the future");
        } else if at > now.plus_days(days_max) {
            self.fail(field, "too_far", format!("may be at most {days_max} days from now"));
        }
        at
    }

    /// Ends the check.
    ///
    /// # Errors
    /// `Invalid` with every wrong field.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Check;

    #[test]
    fn addresses_and_slugs() {
        for good in ["a@b.co", "Priya.Nair@northwind.example", "x+y@sub.example.org"] {
            let mut check = Check::new();
            check.email("email", good);
            assert!(check.done().is_ok(), "{good}");
        }
        for bad in ["", "a", "a@", "@b.co", "a@b", "a@b..co", "a b@c.de", "a@b@c.de", "<a@b.co>"] {
            let mut check = Check::new();
            check.email("email", bad);
            assert!(check.done().is_err(), "{bad}");
        }
        for (slug, good) in [("acme", true), ("a", false), ("-a-", false), ("Acme", false), ("a_b", false), ("a-1", true)] {
            let mut check = Check::new();
            check.slug("slug", slug);
            assert_eq!(check.done().is_ok(), good, "{slug}");
        }
    }
}
