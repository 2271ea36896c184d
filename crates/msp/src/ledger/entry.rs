//! An entry as it is shown: what was stored and hashed, with its number and its hash.

use kernel::Timestamp;
use kernel::ids::EntryId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of a ledger.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerEntry {
    /// Id.
    pub id: EntryId,
    /// Number in its chain, from 1.
    #[serde(default)]
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Through which grant.
    #[serde(rename = "as")]
    pub acted: Option<Acted>,
    /// What: an action of the catalogue.
    pub action: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// Why it was refused or failed: the problem's code.
    pub code: Option<String>,
    /// What it was done to.
    pub subject: Option<About>,
    /// What was before and what is after.
    pub changes: Vec<Changed>,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// The request's id; empty for the system.
    pub request_id: String,
    /// The network address it came from.
    pub address: Option<String>,
    /// BLAKE3 link of the chain, in hexadecimal digits.
    #[serde(default)]
    pub hash: String,
}

/// Who acted.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Actor {
    /// `per_…`; none for the system, for nobody, and for staff who are shown by role.
    pub id: Option<String>,
    /// Name at the time, or "Northwind IT technician" for staff who are shown by role.
    pub name: String,
    /// `person`, `system` or `nobody`.
    pub kind: String,
    /// The API key it came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Named>,
}

/// The grant an act was done through.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acted {
    /// `membership`, `staff`, `relationship`, `assignment`, `group_grant`, `self` or `public`.
    pub source: String,
    /// Its id.
    pub id: String,
    /// The role it gave.
    pub role: Option<String>,
    /// The tier it gave.
    pub tier: Option<String>,
    /// The provider whose person acted.
    pub provider: Option<Named>,
}

/// An id with its name at the time.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Named {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// What an act was done to.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct About {
    /// What kind of thing.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name at the time.
    pub label: Option<String>,
}

/// One thing that changed.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Changed {
    /// What kind of thing.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Before; `null` for something new.
    #[schema(value_type = Option<Object>)]
    pub before: Value,
    /// After; `null` for something removed.
    #[schema(value_type = Option<Object>)]
    pub after: Value,
}

/// One of the last acts, in a line.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Recent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: String,
    /// On what, and how it ended when it was not done.
    pub text: String,
}

impl LedgerEntry {
    /// Puts provider and role in place of the name of staff, where they acted and where they were acted on.
    pub(super) fn hide_names(&mut self) {
        if let Some(Acted { role, provider: Some(provider), .. }) = &self.acted {
            let role = role.as_deref().unwrap_or("staff").replace('_', " ");
            let key = self.actor.key.take().map(|key| Named { name: "API key".into(), ..key });
            self.actor = Actor { id: None, name: format!("{} {role}", provider.name), kind: self.actor.kind.clone(), key };
        }
        if let Some(about) = self.subject.as_mut().filter(|about| is_about_staff(&about.kind)) {
            about.label = None;
        }
        for change in self.changes.iter_mut().filter(|change| is_about_staff(&change.kind)) {
            for side in [&mut change.before, &mut change.after] {
                if let Some(fields) = side.as_object_mut() {
                    fields.remove("person");
                }
            }
        }
    }
}

fn is_about_staff(kind: &str) -> bool {
    matches!(kind, "staff" | "assignment" | "group_grant" | "elevation")
}

impl From<LedgerEntry> for Recent {
    fn from(entry: LedgerEntry) -> Self {
        let mut text = entry.subject.map(|about| about.label.unwrap_or(about.id)).unwrap_or_default();
        if entry.outcome != "done" {
            let gap = if text.is_empty() { "" } else { " " };
            text = format!("{text}{gap}({})", entry.outcome);
        }
        Self { at: entry.at, actor: entry.actor, action: entry.action, text }
    }
}
