//! Notifications: telling people of alerts, in the console, by e-mail, by webhook, as they wish.
//!
//! - Told is who may see the alert: by the access rule at that moment, asked again when an e-mail or a webhook is sent and when the list is
//!   read. Who lost the right hears nothing more, and finds nothing any more.
//! - Without a wish of their own, those who may act on an alert see it in the console, and get an e-mail for what is about the provider's
//!   business or about somebody pushing at a closed door; those who may only look hear nothing.
//! - People are told in pieces of a hundred, each in one commit with the place where the next begins: an interruption tells nobody twice.
//! - A digest collects what came into the console's list since the last one, at six in the morning (UTC), daily or on Mondays.
//!
//! Not here: noticing ([`crate::alerts`]) and carrying ([`crate::mail`], [`crate::channels`]).

mod digest;
mod http;
mod sees;
mod store;
mod tell;
#[cfg(test)]
mod tests;

use kernel::validate::Check;
use kernel::{Error, Hub, OwnCx, Page, PageQuery, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::alerts::{AlertId, UrgencyWord};
use crate::channels::ChannelId;
use crate::places::{ProviderShort, TenantShort};
use crate::rules::RULES;

pub use digest::digests;
pub use http::router;
pub(crate) use sees::still_sees;
pub(crate) use store::Telling;
pub use tell::tell;

kernel::kinds! {
    /// A notification.
    NotificationKind NotificationId "ntf";
}

/// What the console's list keeps.
const KEPT_DAYS: i64 = 90;
/// What inboxes keep of what is resolved.
const RESOLVED_DAYS: i64 = 400;
/// Most notifications that are marked by their ids at once.
const IDS_MAX: usize = 200;
/// Most channels of one rule.
const CHANNELS_MAX: usize = 20;

/// Something that a person was told.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Notification {
    /// Id.
    pub id: NotificationId,
    /// The alert; none when it is about a channel of one's own.
    pub alert_id: Option<AlertId>,
    /// The client it is about.
    pub tenant: Option<TenantShort>,
    /// The provider whose own business it is about.
    pub provider: Option<ProviderShort>,
    /// What was noticed; with label and facts it makes the title.
    pub rule: String,
    /// About what, in words.
    pub label: String,
    /// What is said about it.
    pub facts: Value,
    /// info, warning, critical.
    pub urgency: &'static str,
    /// When.
    pub at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// The console's address of what it is about.
    pub link: String,
}

/// A page of what one was told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NotificationPage {
    /// How many were not read yet.
    pub unread: i64,
    /// The newest first.
    pub items: Vec<Notification>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How many in all.
    pub total: i64,
}

/// How many were not read yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Unread {
    /// How many.
    pub unread: i64,
}

/// Which of them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Which {
    /// These.
    Ids(Vec<NotificationId>),
    /// `all`.
    All(All),
}

/// All of them.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum All {
    /// All of them.
    All,
}

/// What was read.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NotificationRead {
    /// Ids, or `"all"`.
    pub ids: Which,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct NotificationQuery {
    /// Only those that were not read yet.
    pub unread: Option<bool>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// How one wants to hear of a rule's alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotificationRule {
    /// The rule.
    pub rule: String,
    /// Only of those that matter at least this much.
    pub urgency_min: UrgencyWord,
    /// `in_app`, `email`, ids of channels; none: not at all.
    pub channels: Vec<String>,
}

/// When a summary comes by e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// Never.
    Off,
    /// Every morning.
    Daily,
    /// On Mondays.
    Weekly,
}

impl Digest {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }
}

/// All one's rules.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NotificationRules {
    /// Rule by rule. Those left out in a change are as we think best again.
    pub items: Vec<NotificationRule>,
    /// The summary by e-mail.
    pub digest: Digest,
}

/// In the console.
pub(crate) const IN_APP: &str = "in_app";
/// By e-mail.
pub(crate) const EMAIL: &str = "email";

impl NotificationRule {
    /// What holds for somebody who may act on it and did not say otherwise.
    fn standard(rule: &str) -> Self {
        let is_for_the_desk = matches!(rule, "new_criticals" | "scan_stale");
        let channels = if is_for_the_desk { &[IN_APP][..] } else { &[IN_APP, EMAIL] };
        Self {
            rule: rule.to_owned(),
            urgency_min: UrgencyWord::Info,
            channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
        }
    }

    /// Whether it says to use this channel for something that matters so much.
    fn uses(&self, channel: &str, urgency: i64) -> bool {
        urgency >= self.urgency_min.rank() && self.channels.iter().any(|of| of == channel)
    }
}

/// What the person was told, as far as they may still see it.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn list(cx: &OwnCx, query: &NotificationQuery) -> Result<NotificationPage> {
    let mut tx = cx.read::<access::actions::NotificationList>().await?;
    let places = store::places(&mut tx).await?;
    drop(tx);
    let open = sees::open(cx, places).await?;
    let mut tx = cx.read::<access::actions::NotificationList>().await?;
    let page = PageQuery { q: None, sort: None, cursor: query.cursor.clone(), limit: query.limit };
    let Page { items, next, total } = store::page(&mut tx, &page, &open, query.unread == Some(true)).await?;
    let unread = store::unread(&mut tx, &open).await?;
    Ok(NotificationPage { unread, items, next, total })
}

/// Places of the person's notifications that they may still see, before they mark some as read.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn look(cx: &OwnCx) -> Result<sees::Open> {
    let mut tx = cx.look::<access::actions::NotificationRead>().await?;
    let places = store::places(&mut tx).await?;
    drop(tx);
    sees::open(cx, places).await
}

/// Marks some as read.
///
/// # Errors
/// `Invalid` for too many ids.
pub(crate) async fn read(tx: &mut WriteTx<scope::Own>, open: &sees::Open, body: &NotificationRead) -> Result<Unread> {
    tx.keeps_authority();
    match &body.ids {
        Which::All(_) => store::read_all(tx).await?,
        Which::Ids(ids) if ids.len() > IDS_MAX => {
            return Err(Error::field("ids", "too_many", format!("may be at most {IDS_MAX}, or \"all\"")));
        }
        Which::Ids(ids) => store::read(tx, ids).await?,
    }
    Ok(Unread { unread: store::unread(tx, open).await? })
}

/// The person's rules, those they left to us filled in.
///
/// # Errors
/// As the store's.
pub(crate) async fn rules(tx: &mut ReadTx<scope::Own>) -> Result<NotificationRules> {
    let own = store::own_rules(tx).await?;
    let rule =
        |name: &&str| own.iter().find(|rule| rule.rule == *name).cloned().unwrap_or_else(|| NotificationRule::standard(name));
    Ok(NotificationRules { items: RULES.iter().map(rule).collect(), digest: store::own_digest(tx).await? })
}

/// Replaces the person's rules.
///
/// # Errors
/// `Invalid` with every wrong field.
pub(crate) async fn update_rules(tx: &mut WriteTx<scope::Own>, body: NotificationRules) -> Result<NotificationRules> {
    let before = rules(tx).await?;
    let channels: Vec<ChannelId> = store::own_channels(tx).await?;
    let mut check = Check::new();
    for (n, rule) in body.items.iter().enumerate() {
        let is_known = RULES.contains(&rule.rule.as_str());
        check.that(is_known, &format!("items.{n}.rule"), "unknown", &format!("is one of {}", RULES.join(", ")));
        let is_first = !body.items[..n].iter().any(|other| other.rule == rule.rule);
        check.that(is_first, &format!("items.{n}.rule"), "repeated", "stands there twice");
        let field = format!("items.{n}.channels");
        check.that(rule.channels.len() <= CHANNELS_MAX, &field, "too_many", "are too many");
        for channel in &rule.channels {
            let is_own = channel == IN_APP || channel == EMAIL || channel.parse().is_ok_and(|id| channels.contains(&id));
            check.that(is_own, &field, "unknown", "are in_app, email, or ids of channels of your own");
        }
    }
    check.done()?;
    store::replace_rules(tx, &body.items).await?;
    let now = tx.now();
    store::set_digest(tx, body.digest, digest::next(body.digest, now)).await?;
    let after = rules(tx).await?;
    let person = tx.scope.person;
    tx.subject("person", person, None).keeps_authority();
    tx.changed("notification_rules", person, &before, &after);
    Ok(after)
}

/// Forgets what is old.
///
/// # Errors
/// The control database does not answer.
pub async fn tidy(hub: &Hub) -> Result<()> {
    let mut tx = hub.system_write("notification.tidy", "old notifications and alerts are forgotten").await?;
    store::tidy(&mut tx, hub.now().plus_days(-KEPT_DAYS), hub.now().plus_days(-RESOLVED_DAYS)).await?;
    tx.keeps_authority();
    tx.commit().await
}
