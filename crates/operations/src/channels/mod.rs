//! Channels: a person's own webhooks, which hear of alerts as their rules say.
//!
//! - A delivery is a POST of JSON, signed as Standard Webhooks says (standardwebhooks.com, symmetric signatures): `webhook-id`,
//!   `webhook-timestamp` (seconds) and `webhook-signature: v1,<base64 of HMAC-SHA256(secret, id.timestamp.body)>`. The secret is shown once, when
//!   the channel is made: `whsec_` and 32 bytes in base64. Address and secret are sealed with the installation's key.
//! - Delivered is what was answered with 2xx. Anything else is tried again, eight times within about a day; `410 Gone` switches the channel
//!   off. So do three deliveries in a row that were given up; its owner is told in the console and by e-mail.
//! - Sent at least once, always under the same `webhook-id`. Two hubs on one store do not send the same one.
//! - It connects to public addresses only (see [`guard`]), follows no redirects, uses no proxy, waits ten seconds and reads no answer.
//! - Nothing is sent about what its owner may not see any more at that moment.

mod deliver;
pub(crate) mod guard;
mod http;
mod sign;
mod store;
#[cfg(test)]
mod tests;

use kernel::validate::Check;
use kernel::{Error, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::notifications::Telling;

pub use deliver::{Courier, deliver_due};
pub use http::router;
pub use store::tidy;

kernel::kinds! {
    /// A channel.
    ChannelKind ChannelId "chn";
    /// A delivery to a channel.
    DeliveryKind DeliveryId "dlv";
}

/// An alert opened, or became more urgent.
pub(crate) const ALERT_OPENED: &str = "alert.opened";
/// Somebody tries their channel.
const TEST: &str = "channel.test";
/// Most channels of a person.
const CHANNELS_MAX: i64 = 20;

/// What kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelIs {
    /// A signed POST to an address.
    Webhook,
}

/// How a channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    /// It works, as far as is known.
    Active,
    /// The last try failed.
    Failing,
    /// Switched off.
    Disabled,
}

impl ChannelState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
        }
    }
}

/// What became of the last try.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LastTry {
    /// When.
    pub at: Timestamp,
    /// `delivered`, or what went wrong.
    pub status: String,
}

/// A channel of one's own.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChannelView {
    /// Id.
    pub id: ChannelId,
    /// What it is called.
    pub name: String,
    /// webhook.
    pub kind: ChannelIs,
    /// Where it leads.
    pub url: String,
    /// active, failing, disabled.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What became of the last try.
    pub last: Option<LastTry>,
    /// What signs its deliveries; shown this once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A channel to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChannelCreate {
    /// webhook.
    pub kind: ChannelIs,
    /// What to call it.
    pub name: String,
    /// Where it leads, `https://…`.
    pub url: String,
}

/// What to change of a channel.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct ChannelUpdate {
    /// What to call it.
    pub name: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// `active` switches it on again, `disabled` off.
    pub state: Option<ChannelState>,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeliveryView {
    /// Id; also its `webhook-id`.
    pub id: DeliveryId,
    /// `alert.opened`, `channel.test`.
    pub event: String,
    /// waiting, delivered, failed, withheld.
    pub status: String,
    /// How often it was tried.
    pub attempts: i64,
    /// HTTP status of the last answer.
    pub code: Option<i64>,
    /// When it was last tried, or made.
    pub at: Timestamp,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// Why not, the last time.
    pub error: Option<String>,
}

/// Where a channel leads, and what signs its deliveries; sealed as it is.
#[derive(Serialize, Deserialize)]
struct Address {
    url: String,
    secret: String,
}

/// What the ledger says of a channel: not its whole address, which may hold a secret of its receiver.
fn fact(channel: &ChannelView) -> Value {
    serde_json::json!({ "name": channel.name, "host": guard::host_of(&channel.url), "state": channel.state })
}

/// The person's channels.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn list(tx: &mut ReadTx<scope::Own>, page: &PageQuery) -> Result<Page<ChannelView>> {
    store::page(tx, page).await
}

/// Makes a channel. Its secret is shown this once.
///
/// # Errors
/// `Invalid`; `Conflict` when there are too many.
pub(crate) async fn create(tx: &mut WriteTx<scope::Own>, body: &ChannelCreate) -> Result<ChannelView> {
    let mut check = Check::new();
    let name = check.text("name", &body.name, 1..=80);
    let url = guard::check(&mut check, "url", &body.url, tx.hub().port::<Courier>().may_be_private());
    check.done()?;
    store::hold(tx).await?;
    if store::count(tx).await? >= CHANNELS_MAX {
        return Err(Error::Conflict(format!("You have {CHANNELS_MAX} channels already. Remove one that you do not use.")));
    }
    let id = ChannelId::new(tx.now());
    let address = Address { url, secret: sign::new_secret() };
    store::insert(tx, id, &name, &address).await?;
    let mut made = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("channel", id, name).keeps_authority();
    tx.changed("channel", id, &(), &fact(&made));
    made.secret = Some(address.secret);
    Ok(made)
}

/// Changes a channel. Switching it on again forgets what failed.
///
/// # Errors
/// `NotFound`, `Invalid`.
pub(crate) async fn update(tx: &mut WriteTx<scope::Own>, id: ChannelId, body: &ChannelUpdate) -> Result<ChannelView> {
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("channel", id, before.name.clone()).keeps_authority();
    let mut check = Check::new();
    let name = body.name.as_ref().map(|name| check.text("name", name, 1..=80));
    let may_be_private = tx.hub().port::<Courier>().may_be_private();
    let url = body.url.as_ref().map(|url| guard::check(&mut check, "url", url, may_be_private));
    check.that(body.state != Some(ChannelState::Failing), "state", "unknown", "is active or disabled");
    check.done()?;
    if let Some(name) = name {
        store::rename(tx, id, &name).await?;
    }
    if let Some(url) = url {
        store::redirect(tx, id, url).await?;
    }
    match body.state {
        Some(ChannelState::Active) => store::switch_on(tx, id).await?,
        Some(_) => store::switch_off(tx, id).await?,
        None => {}
    }
    let after = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.changed("channel", id, &fact(&before), &fact(&after));
    Ok(after)
}

/// Removes a channel with its log.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn delete(tx: &mut WriteTx<scope::Own>, id: ChannelId) -> Result<()> {
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("channel", id, before.name.clone()).keeps_authority();
    store::delete(tx, id).await?;
    tx.changed("channel", id, &fact(&before), &());
    Ok(())
}

/// Sends a test through a channel. What becomes of it stands in its log.
///
/// # Errors
/// `NotFound`; `Conflict` when it is switched off.
pub(crate) async fn test(tx: &mut WriteTx<scope::Own>, id: ChannelId) -> Result<DeliveryView> {
    let channel = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("channel", id, channel.name.clone()).keeps_authority();
    require_on(&channel)?;
    let (delivery, now) = (DeliveryId::new(tx.now()), tx.now());
    let payload = serde_json::json!({ "type": TEST, "timestamp": now, "data": { "channel": id, "name": channel.name } });
    store::insert_test(tx, delivery, id, TEST, &payload).await?;
    store::delivery(tx, id, delivery).await?.ok_or(Error::NotFound)
}

fn require_on(channel: &ChannelView) -> Result<()> {
    if channel.state == ChannelState::Disabled.as_str() {
        return Err(Error::Conflict("This channel is switched off. Switch it on first.".into()));
    }
    Ok(())
}

/// What went through a channel, the newest first.
///
/// # Errors
/// `NotFound`, `Invalid` for a page that does not exist.
pub(crate) async fn deliveries(tx: &mut ReadTx<scope::Own>, id: ChannelId, page: &PageQuery) -> Result<Page<DeliveryView>> {
    store::one(tx, id).await?.ok_or(Error::NotFound)?;
    store::deliveries(tx, id, page).await
}

/// Has a delivery tried again, now.
///
/// # Errors
/// `NotFound`; `Conflict` when it went through, or the channel is switched off.
pub(crate) async fn retry(tx: &mut WriteTx<scope::Own>, id: ChannelId, delivery: DeliveryId) -> Result<DeliveryView> {
    let channel = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    let before = store::delivery(tx, id, delivery).await?.ok_or(Error::NotFound)?;
    tx.subject("delivery", delivery, channel.name.clone()).keeps_authority();
    require_on(&channel)?;
    if !store::again(tx, id, delivery).await? {
        let why = match before.status.as_str() {
            "delivered" => "This was delivered already.",
            "withheld" => "You may not see any more what this is about.",
            _ => "This is being delivered at this moment.",
        };
        return Err(Error::Conflict(why.into()));
    }
    store::delivery(tx, id, delivery).await?.ok_or(Error::NotFound)
}

/// Lays a delivery ready, if the channel is this person's and switched on.
///
/// # Errors
/// As the store's.
pub(crate) async fn lay(
    tx: &mut WriteTx<scope::Public>,
    channel: ChannelId,
    owner: PersonId,
    telling: &Telling,
    payload: &Value,
) -> Result<()> {
    Ok(store::lay(tx, channel, owner, telling, payload).await?)
}
