//! Alerts: what was noticed and somebody should look at, in the inbox of a provider or of a tenant.
//!
//! - An alert is (whose, rule, subject), never a time: raised again while it stands, it is the same. Once it was resolved, being raised
//!   again opens it again and counts one more.
//! - Acknowledged: somebody looks after it. Snoozed: out of the way until an instant, then open again. Resolved: by a person, or by itself
//!   when what was noticed is over. One that becomes more urgent is open again, whatever it was.
//! - People are told when it opens and when it becomes more urgent, not each time it is noticed; see [`crate::notifications`].
//! - A provider's page shows its own and those of every client whose alerts the person may read at that client's own door. Its own are
//!   for those who may decide on them: they name clients that not everybody is assigned to. Deciding on a client's is done at the client.
//! - Who resolved or acknowledged is shown to a client as its provider shows staff: by name, or as the provider.
//!
//! Not here: noticing things. Acts say so ([`kernel::news`]); [`watch`] sees what time alone brings: scans that grew old, relationships that
//! were renewed, refusals that stopped, snoozes that ended.

mod http;
mod raise;
mod store;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::HashMap;

use access::Act;
use access::actions;
use kernel::door::Can;
use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ProviderCx, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::places::{Place, TenantShort};
use crate::rules;

pub use http::router;
pub(crate) use raise::take;
pub use watch::watch;

kernel::kinds! {
    /// An alert.
    AlertKind AlertId "alt";
}

/// Longest snooze.
const SNOOZE_DAYS_MAX: i64 = 90;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody looked at it.
    Open,
    /// Somebody looks after it.
    Acknowledged,
    /// Out of the way for a while.
    Snoozed,
    /// Done, or over.
    Resolved,
}

impl AlertState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }
}

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyWord {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Must be looked at.
    Critical,
}

impl UrgencyWord {
    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::Info => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        }
    }
}

/// Who did something, as far as it may be said: without an id when only the provider is named.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct By {
    /// Who.
    pub id: Option<PersonId>,
    /// Name, or the provider's.
    pub name: String,
}

/// Somebody looks after it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Acknowledged {
    /// Who.
    pub by: By,
    /// Since when.
    pub at: Timestamp,
}

/// How it ended.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Resolved {
    /// Who ended it.
    pub by: Option<By>,
    /// When.
    pub at: Timestamp,
    /// `by_person` or `by_itself`.
    pub how: &'static str,
    /// Why, in the person's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What may be done about it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertCan {
    /// Take it on.
    pub acknowledge: Can,
    /// Put it off.
    pub snooze: Can,
    /// End it.
    pub resolve: Can,
}

/// An alert.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertView {
    /// Id.
    pub id: AlertId,
    /// `provider` or `tenant`: whose inbox it stands in.
    pub of: &'static str,
    /// The tenant, of a tenant's.
    pub tenant: Option<TenantShort>,
    /// What was noticed.
    pub rule: String,
    /// About what.
    pub subject: String,
    /// The same in words.
    pub label: String,
    /// info, warning, critical.
    pub urgency: &'static str,
    /// What is said about it, rule by rule.
    pub facts: Value,
    /// How it stands.
    pub state: String,
    /// When it last opened.
    pub raised_at: Timestamp,
    /// When it was last noticed.
    pub last_at: Timestamp,
    /// Times it opened.
    pub count: i64,
    /// Who looks after it.
    pub acknowledged: Option<Acknowledged>,
    /// Until when it is put off.
    pub snoozed_until: Option<Timestamp>,
    /// How it ended.
    pub resolved: Option<Resolved>,
    /// Goes up with every change.
    pub version: i64,
    /// What the person may do about it.
    pub can: AlertCan,
}

/// How many there are, by state and by urgency (those not resolved).
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct AlertCounts {
    /// Nobody looked at them.
    pub open: i64,
    /// Somebody looks after them.
    pub acknowledged: i64,
    /// Put off.
    pub snoozed: i64,
    /// Done.
    pub resolved: i64,
    /// Of those not resolved: info, warning, critical.
    pub by_urgency: HashMap<String, i64>,
}

/// A page of an inbox.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub items: Vec<AlertView>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How many in all, after filters.
    pub total: i64,
    /// How many in the whole inbox.
    pub counts: AlertCounts,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AlertQuery {
    /// Part of what it is about.
    pub q: Option<String>,
    /// Only those that stand like this.
    pub state: Option<AlertState>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those that matter this much.
    pub urgency: Option<UrgencyWord>,
    /// Only those of this client (id or slug); on a provider's page.
    pub tenant: Option<String>,
    /// `raised` (the newest first when left out) or `urgency`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

impl AlertQuery {
    fn page(&self) -> PageQuery {
        let sort = self.sort.clone().or_else(|| Some("-raised".into()));
        PageQuery { q: self.q.clone(), sort, cursor: self.cursor.clone(), limit: self.limit }
    }
}

/// Until when to put it off.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct AlertSnooze {
    /// An instant within 90 days.
    pub until: Timestamp,
}

/// Why it is done.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct AlertResolve {
    /// In the person's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What is done about an alert.
pub(crate) enum Deed {
    Acknowledge,
    Snooze(Timestamp),
    Resolve(String),
}

/// Whose alerts a list may show, and what may be done about them.
pub(crate) struct Reach {
    /// The provider's own too.
    pub own: Option<AlertCan>,
    pub tenants: HashMap<TenantId, AlertCan>,
}

/// The tenant's inbox.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn list(tx: &mut ReadTx<scope::Records>, query: &AlertQuery) -> Result<AlertPage> {
    let can = AlertCan {
        acknowledge: tx.can(Act::AlertAcknowledge, access::Subject::Any),
        snooze: tx.can(Act::AlertSnooze, access::Subject::Any),
        resolve: tx.can(Act::AlertResolve, access::Subject::Any),
    };
    let reach = Reach { own: None, tenants: HashMap::from([(tx.scope.tenant, can)]) };
    page(tx, None, &reach, query).await
}

async fn page<S: scope::Control>(
    tx: &mut ReadTx<S>,
    provider: Option<kernel::ProviderId>,
    reach: &Reach,
    query: &AlertQuery,
) -> Result<AlertPage> {
    if query.rule.as_deref().is_some_and(|rule| !rules::RULES.contains(&rule)) {
        return Err(Error::field("rule", "unknown", format!("is one of {}", rules::RULES.join(", "))));
    }
    let provider = provider.filter(|_| reach.own.is_some());
    let Page { items, next, total } = store::page(tx, provider, reach, query).await?;
    let counts = store::counts(tx, provider, reach).await?;
    Ok(AlertPage { items, next, total, counts })
}

/// The provider's inbox: its own alerts, and those of clients whose alerts the person may read.
///
/// # Errors
/// `Forbidden`; `Invalid` for a page that does not exist.
pub(crate) async fn list_for_provider(cx: &ProviderCx, query: &AlertQuery) -> Result<AlertPage> {
    let mut tx = cx.read::<actions::ProviderAlertList>().await?;
    let candidates = store::tenants_with_alerts(&mut tx, query.tenant.as_deref()).await?;
    let can = |tx: &ReadTx<scope::Provider>, act| tx.can(act, access::Subject::Any);
    let own = AlertCan {
        acknowledge: can(&tx, Act::ProviderAlertAcknowledge),
        snooze: can(&tx, Act::ProviderAlertSnooze),
        resolve: can(&tx, Act::ProviderAlertResolve),
    };
    drop(tx);
    let acts = [Act::AlertList, Act::AlertAcknowledge, Act::AlertSnooze, Act::AlertResolve];
    let mut tenants = HashMap::new();
    for (tenant, can) in cx.can_in(&candidates, &acts).await? {
        if let Ok([list, acknowledge, snooze, resolve]) = <[Can; 4]>::try_from(can)
            && list.allowed
        {
            tenants.insert(tenant, AlertCan { acknowledge, snooze, resolve });
        }
    }
    let own = Some(own).filter(|own| own.acknowledge.allowed && query.tenant.is_none());
    let mut tx = cx.read::<actions::ProviderAlertList>().await?;
    let provider = tx.scope.provider;
    page(&mut tx, Some(provider), &Reach { own, tenants }, query).await
}

/// Does something about an alert of this place.
///
/// # Errors
/// `NotFound`, `Invalid`, `Conflict` when it is resolved already.
pub(crate) async fn act<S: scope::Control>(tx: &mut WriteTx<S>, place: Place, id: AlertId, deed: Deed) -> Result<AlertView> {
    let reach = reach_of(tx, place);
    let before = store::one(tx, place, &reach, id).await?.ok_or(Error::NotFound)?;
    tx.subject("alert", id, before.label.clone()).keeps_authority();
    if before.state == AlertState::Resolved.as_str() {
        return Err(Error::Conflict("This alert is resolved already. It opens again by itself when it is noticed again.".into()));
    }
    match deed {
        Deed::Acknowledge => store::acknowledge(tx, id).await?,
        Deed::Snooze(until) => {
            let mut check = Check::new();
            let now = tx.now();
            check.future("until", until, now, SNOOZE_DAYS_MAX);
            check.done()?;
            store::snooze(tx, id, until).await?;
        }
        Deed::Resolve(reason) => {
            let mut check = Check::new();
            let reason = check.text("reason", &reason, 0..=500);
            check.done()?;
            if !reason.is_empty() {
                tx.reason(&reason);
            }
            store::resolve(tx, id, &reason).await?;
        }
    }
    let after = store::one(tx, place, &reach, id).await?.ok_or(Error::NotFound)?;
    let fact = |alert: &AlertView| serde_json::json!({ "rule": alert.rule, "subject": alert.subject, "state": alert.state, "snoozed_until": alert.snoozed_until });
    tx.changed("alert", id, &fact(&before), &fact(&after));
    Ok(after)
}

fn reach_of<S: scope::Control>(tx: &ReadTx<S>, place: Place) -> Reach {
    let acts = match place {
        Place::Provider(_) => [Act::ProviderAlertAcknowledge, Act::ProviderAlertSnooze, Act::ProviderAlertResolve],
        Place::Tenant(_) => [Act::AlertAcknowledge, Act::AlertSnooze, Act::AlertResolve],
    };
    let [acknowledge, snooze, resolve] = acts.map(|act| tx.can(act, access::Subject::Any));
    let can = AlertCan { acknowledge, snooze, resolve };
    match place {
        Place::Provider(_) => Reach { own: Some(can), tenants: HashMap::new() },
        Place::Tenant(tenant) => Reach { own: None, tenants: HashMap::from([(tenant, can)]) },
    }
}
