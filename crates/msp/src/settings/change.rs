//! A change of settings at one place: checked whole, then said, then in the ledger with what counted before and what counts after.

use std::collections::BTreeMap;

use kernel::validate::Check;
use kernel::{Result, WriteTx, scope};
use serde_json::{Value, json};

use super::ladder::{At, Ladder};
use super::registry::{self, Definition};
use super::store;

/// What was asked for: a value, or `null` for what is inherited.
pub type Wanted = BTreeMap<String, Option<Value>>;

/// A setting of which something changed.
pub(super) struct Moved {
    pub definition: &'static Definition,
    own: [Option<String>; 2],
    value: [String; 2],
}

/// Checks what was asked for at this place, and has the place say it. Answers what changed.
///
/// # Errors
/// `Invalid` with every wrong one.
pub(super) async fn say<S: scope::Control>(tx: &mut WriteTx<S>, ladder: &mut Ladder, wanted: &Wanted) -> Result<Vec<Moved>> {
    let mut check = Check::new();
    let mut said = Vec::new();
    for (key, value) in wanted {
        let field = format!("settings.{key}");
        let Some(definition) = registry::definition(key) else {
            check.fail(&field, "unknown", "is no setting");
            continue;
        };
        if let Some(value) = checked(&mut check, &field, ladder, definition, value.as_ref()) {
            said.push((definition, value));
        }
    }
    check.done()?;
    let mut moved = Vec::new();
    for (definition, own) in said {
        let before = (ladder.own(definition).map(str::to_owned), ladder.value(definition).to_owned());
        if own == before.0 {
            continue;
        }
        store::say(tx, ladder.own_id(), ladder.at().kind(), definition.key, own.as_deref()).await?;
        ladder.say(definition.key, own.clone());
        let after = ladder.value(definition).to_owned();
        moved.push(Moved { definition, own: [before.0, own], value: [before.1, after] });
    }
    Ok(moved)
}

/// A value as it is to be stored. None: it is wrong, and the check says why.
fn checked(
    check: &mut Check,
    field: &str,
    ladder: &Ladder,
    definition: &'static Definition,
    value: Option<&Value>,
) -> Option<Option<String>> {
    if !ladder.at().decides(definition) {
        let who = if matches!(ladder.at(), At::Tenant(_)) { "your provider decides" } else { "is not decided for one client" };
        check.fail(field, "not_here", who);
        return None;
    }
    let Some(value) = value else { return Some(None) };
    match definition.parse(value) {
        Err((code, message)) => {
            check.fail(field, code, message);
            None
        }
        Ok(stored) => {
            if let Some((least, above)) = ladder.imposed(definition)
                && definition.strictness(&stored) < definition.strictness(least)
            {
                check.fail(field, "laxer", format!("{above} asks for {least}: this may be stricter, not laxer"));
                return None;
            }
            Some(Some(stored))
        }
    }
}

impl Moved {
    /// What a place said before and after, and what counted and counts there.
    pub fn new(definition: &'static Definition, own: [Option<String>; 2], value: [String; 2]) -> Self {
        Self { definition, own, value }
    }

    pub fn is_changed(&self) -> bool {
        self.is_felt() || self.own[0] != self.own[1]
    }

    /// What counts here changed, not only who says so.
    pub fn is_felt(&self) -> bool {
        self.value[0] != self.value[1]
    }

    pub fn is(&self, key: &str) -> bool {
        self.definition.key == key
    }

    /// What counts now, as it is stored.
    pub fn value(&self) -> &str {
        &self.value[1]
    }
}

/// Before and after, for the ledger.
pub(super) fn kept(moved: &[Moved]) -> [Value; 2] {
    [0, 1].map(|side| {
        let each = moved.iter().map(|one| {
            let shown = |stored: &str| one.definition.shown(stored);
            let own = one.own[side].as_deref().map(shown);
            (one.definition.key.to_owned(), json!({ "value": shown(&one.value[side]), "own": own }))
        });
        Value::Object(each.collect())
    })
}
