//! The registry of settings: every key, what it may be, who decides it, and what each preset says of it. The one place where a setting is
//! made known; its effect is where the setting is read.
//!
//! Values and presets are those of product.md section 3.

use kernel::rules;
use serde_json::{Value, json};

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One of these words, the laxest first where there is an order.
    Choice(&'static [&'static str]),
    /// A whole number.
    Number {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// Of what.
        unit: &'static str,
    },
    /// Yes or no.
    Boolean,
}

/// Which of several places that say something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// What the nearest says: the tenant, else its provider.
    Nearest,
    /// The strictest of tenant, provider, and providers above: nobody may be laxer than those above. The greatest value is the strictest.
    Greatest,
    /// The same, where the smallest is the strictest, and 0 asks for nothing.
    SmallestButZero,
}

/// Who feels a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// Nobody yet: only what is made from now on.
    NewOnes,
    /// Clients.
    Clients,
    /// Clients, and the provider's admins.
    Admins,
    /// Clients, and the provider's staff.
    Staff,
    /// Clients and their members, and the provider's staff.
    Everybody,
}

/// A setting.
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub key: &'static str,
    /// What it is shown under.
    pub group: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is when nobody says anything; as it is stored.
    pub default: &'static str,
    /// The provider may decide otherwise for one client.
    pub client: bool,
    /// The tenant decides for itself.
    pub tenant: bool,
    /// Which counts.
    pub counts: Counts,
    /// Who feels a change.
    pub touches: Touches,
    /// The column of `provider` that holds what counts for a provider, for those who read it there.
    pub column: Option<&'static str>,
    /// What the presets say, in the order of [`PRESETS`].
    pub presets: [&'static str; 5],
}

/// Names of presets, the default first.
pub const PRESETS: [&str; 5] = ["strict", "enterprise", "automation", "delegated", "compliance"];

/// See [`Definition::key`].
pub const RAISE_BY: &str = "raise_by";
/// See [`Definition::key`].
pub const TENANT_CREATION: &str = "tenant_creation";
/// See [`Definition::key`].
pub const STAFF_SHOWN: &str = "staff_shown";
/// See [`Definition::key`].
pub const ACCESS_MODE: &str = kernel::door::ACCESS_MODE;

const PROVIDER: Definition = Definition {
    key: "",
    group: "access",
    kind: Kind::Boolean,
    default: "false",
    client: false,
    tenant: false,
    counts: Counts::Nearest,
    touches: Touches::Clients,
    column: None,
    presets: ["false"; 5],
};

/// What tenants too decide, each for itself, and never more laxly than its provider.
const BOTH: Definition =
    Definition { group: "sign_in", tenant: true, counts: Counts::Greatest, touches: Touches::Everybody, ..PROVIDER };

/// What happens at a limit, unless the licensing page says otherwise for one client.
const ENFORCEMENT: Definition = Definition {
    group: "limits",
    kind: Kind::Choice(&["inform", "warn", "block_new"]),
    default: "inform",
    presets: ["inform"; 5],
    ..PROVIDER
};

/// What else is not made while a limit is reached.
const ALSO_BLOCKS: Definition = Definition {
    group: "limits",
    kind: Kind::Choice(&["none", "automations", "api_keys", "automations,api_keys"]),
    default: "none",
    presets: ["none"; 5],
    ..PROVIDER
};

/// All settings, in the order in which they are shown.
pub static SETTINGS: &[Definition] = &[
    Definition {
        key: ACCESS_MODE,
        kind: Kind::Choice(&["tiered", "explicit", "implicit_owner"]),
        default: "tiered",
        client: true,
        touches: Touches::Admins,
        column: Some("access_mode"),
        presets: ["tiered", "explicit", "tiered", "implicit_owner", "tiered"],
        ..PROVIDER
    },
    Definition {
        key: RAISE_BY,
        kind: Kind::Choice(&["tenant_consent", "provider", "operator"]),
        default: "tenant_consent",
        touches: Touches::NewOnes,
        presets: ["tenant_consent"; 5],
        ..PROVIDER
    },
    Definition {
        key: kernel::door::SWITCH_POLICY,
        kind: Kind::Choice(&["seamless", "step_up", "reauth"]),
        default: "seamless",
        tenant: true,
        counts: Counts::Greatest,
        touches: Touches::Staff,
        presets: ["seamless", "seamless", "seamless", "reauth", "seamless"],
        ..PROVIDER
    },
    Definition {
        key: TENANT_CREATION,
        group: "clients",
        kind: Kind::Choice(&["on", "off", "operator"]),
        default: "on",
        touches: Touches::NewOnes,
        presets: ["on", "on", "on", "on", "operator"],
        ..PROVIDER
    },
    Definition {
        key: STAFF_SHOWN,
        group: "clients",
        kind: Kind::Choice(&["by_name", "by_role"]),
        default: "by_name",
        column: Some("staff_shown"),
        presets: ["by_name"; 5],
        ..PROVIDER
    },
    Definition {
        key: "tenant_branding",
        group: "clients",
        kind: Kind::Choice(&["override", "inherit", "locked"]),
        default: "override",
        counts: Counts::Greatest,
        column: Some("tenant_branding"),
        presets: ["override", "locked", "override", "override", "override"],
        ..PROVIDER
    },
    Definition {
        key: "address_subdomains",
        group: "clients",
        default: "true",
        column: Some("address_subdomains"),
        presets: ["true"; 5],
        ..PROVIDER
    },
    Definition { key: "enforcement.seats", presets: ["inform", "inform", "block_new", "inform", "inform"], ..ENFORCEMENT },
    Definition { key: "enforcement.automations", default: "block_new", presets: ["block_new"; 5], ..ENFORCEMENT },
    Definition { key: "enforcement.resources", presets: ["inform", "inform", "block_new", "inform", "inform"], ..ENFORCEMENT },
    Definition { key: "enforcement.api_keys", presets: ["inform", "inform", "block_new", "inform", "inform"], ..ENFORCEMENT },
    Definition { key: "also_blocks.seats", presets: ["none", "none", "automations", "none", "none"], ..ALSO_BLOCKS },
    Definition { key: "also_blocks.automations", kind: Kind::Choice(&["none", "api_keys"]), ..ALSO_BLOCKS },
    Definition { key: "also_blocks.resources", ..ALSO_BLOCKS },
    Definition { key: "also_blocks.api_keys", kind: Kind::Choice(&["none", "automations"]), ..ALSO_BLOCKS },
    Definition {
        key: "archive_days",
        group: "end_of_life",
        kind: Kind::Number { min: 0, max: 3_650, unit: "days" },
        default: "30",
        touches: Touches::NewOnes,
        column: Some("archive_days"),
        presets: ["30"; 5],
        ..PROVIDER
    },
    Definition {
        key: "immediate_purge",
        group: "end_of_life",
        touches: Touches::NewOnes,
        column: Some("immediate_purge"),
        presets: ["false", "false", "false", "true", "false"],
        ..PROVIDER
    },
    Definition {
        key: rules::LENGTH_MIN,
        kind: Kind::Number { min: 12, max: 64, unit: "characters" },
        default: "12",
        presets: ["12"; 5],
        ..BOTH
    },
    Definition {
        key: rules::CLASSES_MIN,
        kind: Kind::Number { min: 0, max: 4, unit: "classes" },
        default: "0",
        presets: ["0"; 5],
        ..BOTH
    },
    Definition {
        key: rules::MAX_AGE_DAYS,
        kind: Kind::Number { min: 0, max: 730, unit: "days" },
        default: "0",
        counts: Counts::SmallestButZero,
        presets: ["0"; 5],
        ..BOTH
    },
    Definition {
        key: rules::HISTORY,
        kind: Kind::Number { min: 0, max: 24, unit: "passwords" },
        default: "0",
        presets: ["0"; 5],
        ..BOTH
    },
    Definition {
        key: rules::SECOND_FACTOR,
        kind: Kind::Choice(&["optional", "required"]),
        default: "optional",
        presets: ["optional"; 5],
        ..BOTH
    },
    Definition {
        key: rules::SECOND_FACTOR_HOURS,
        kind: Kind::Number { min: 0, max: 168, unit: "hours" },
        default: "0",
        counts: Counts::SmallestButZero,
        presets: ["0"; 5],
        ..BOTH
    },
];

/// The setting of this name.
pub fn definition(key: &str) -> Option<&'static Definition> {
    SETTINGS.iter().find(|definition| definition.key == key)
}

impl Definition {
    /// What a preset says of it.
    pub fn preset(&self, preset: &str) -> Option<&'static str> {
        PRESETS.iter().position(|name| *name == preset).map(|index| self.presets[index])
    }

    /// A stored value as it is answered.
    pub fn shown(&self, stored: &str) -> Value {
        match self.kind {
            Kind::Choice(_) => json!(stored),
            Kind::Number { .. } => json!(stored.parse::<i64>().unwrap_or_default()),
            Kind::Boolean => json!(stored == "true"),
        }
    }

    /// A value that came in, as it is stored.
    ///
    /// # Errors
    /// What is wrong with it: a code, and words.
    pub fn parse(&self, value: &Value) -> Result<String, (&'static str, String)> {
        match (self.kind, value) {
            (Kind::Choice(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(word.clone()),
            (Kind::Choice(words), _) => Err(("unknown", format!("is one of {}", words.join(", ")))),
            (Kind::Number { min, max, unit }, value) => match value.as_i64() {
                Some(number) if (min..=max).contains(&number) => Ok(number.to_string()),
                Some(_) => Err(("out_of_range", format!("is {min} to {max} {unit}"))),
                None => Err(("wrong_type", format!("is a whole number of {unit}, {min} to {max}"))),
            },
            (Kind::Boolean, Value::Bool(yes)) => Ok(yes.to_string()),
            (Kind::Boolean, _) => Err(("wrong_type", "is true or false".into())),
        }
    }

    /// How strict a stored value is: greater is stricter.
    pub fn strictness(&self, stored: &str) -> i64 {
        let number = match self.kind {
            Kind::Choice(words) => words.iter().position(|word| *word == stored).and_then(|index| i64::try_from(index).ok()),
            Kind::Number { .. } => stored.parse().ok(),
            Kind::Boolean => Some(i64::from(stored == "true")),
        };
        match (self.counts, number.unwrap_or_default()) {
            (Counts::SmallestButZero, 0) => i64::MIN,
            (Counts::SmallestButZero, number) => -number,
            (_, number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Counts, PRESETS, SETTINGS, definition};

    #[test]
    fn every_setting_is_sound() {
        let keys: BTreeSet<_> = SETTINGS.iter().map(|definition| definition.key).collect();
        assert_eq!(keys.len(), SETTINGS.len(), "a key is there once");
        for one in SETTINGS {
            for stored in one.presets.iter().chain([&one.default]) {
                assert_eq!(one.parse(&one.shown(stored)).as_deref(), Ok(*stored), "{} may be {stored}", one.key);
                // Else a place that says nothing would be stricter than one that does.
                let laxest = one.counts == Counts::Nearest || one.strictness(one.default) <= one.strictness(stored);
                assert!(laxest, "{}: the default is the laxest", one.key);
            }
            assert_eq!(one.preset(PRESETS[0]), Some(one.default), "{}: strict is what a provider begins with", one.key);
        }
    }

    #[test]
    fn fewer_days_are_stricter_and_none_are_the_laxest() {
        let age = definition("password.max_age_days").expect("there");
        let mut days = ["90", "0", "30"];
        days.sort_by_key(|days| age.strictness(days));
        assert_eq!(days, ["0", "90", "30"]);
    }
}
