//! E-mails: what acts want to be sent, on its way out and as a log.
//!
//! - An act names a template and gives the facts; the letter is written when it is heard, in the reader's language and the brand of the
//!   place it comes from, as text and as HTML. Its content is sealed until it is sent, and gone then: links in it are secrets.
//! - Who fails to take it for a while (4xx, no connection) is tried again with growing patience, eight times within about a day; who refuses
//!   it for good (5xx) is not. A provider's administrator can have it tried again for a week; then its content goes too.
//! - Sent at least once: a hub that dies between sending and noting that sends again, under the same Message-ID. Two hubs on one store do
//!   not send the same one: who sends holds it for two minutes.
//! - Without an SMTP server e-mails are withheld: the log says so, their content is not kept.
//! - An e-mail about alerts is not sent to who may not see them any more at that moment.
//!
//! Not here: receiving e-mail, reports of failed delivery that come back as e-mail.

pub(crate) mod brand;
mod http;
pub(crate) mod letters;
pub(crate) mod render;
mod send;
mod smtp;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::news::Of;
use kernel::validate::Check;
use kernel::{Error, Hub, Page, PageQuery, PersonId, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::places::{Place, TenantShort};
use crate::rules::Language;
use brand::Brands;
use render::{Line, Rendered};

pub use http::router;
pub(crate) use send::later;
pub use send::{send_due, tidy};
pub use smtp::{BadSmtp, Post, Smtp, Tls};

kernel::kinds! {
    /// An e-mail.
    MailKind MailId "eml";
}

/// How an e-mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// On its way.
    Waiting,
    /// The server took it.
    Sent,
    /// Given up.
    Failed,
    /// Not to be sent: no server is configured, or its reader lost the right to know.
    Withheld,
}

impl MailState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
        }
    }
}

/// An e-mail in the log. What it said is not kept.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MailView {
    /// Id.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// By which template.
    pub template: String,
    /// Its subject.
    pub subject: String,
    /// The client it is about.
    pub tenant: Option<TenantShort>,
    /// How it stands.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// When the server took it.
    pub sent_at: Option<Timestamp>,
    /// Why not, the last time.
    pub error: Option<String>,
    /// When it came into being.
    pub created_at: Timestamp,
}

/// The way out, as the log's reader is told of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SmtpView {
    /// There is one.
    pub configured: bool,
    /// Name of the server.
    pub host: Option<String>,
    /// The address that e-mails come from.
    pub from: Option<String>,
}

/// The log, and the way out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MailPage {
    /// The way out.
    pub smtp: SmtpView,
    /// E-mails, the newest first.
    pub items: Vec<MailView>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How many in all, after filters.
    pub total: i64,
}

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct MailQuery {
    /// Part of the address or the subject.
    pub q: Option<String>,
    /// Only those that stand like this.
    pub state: Option<MailState>,
    /// Only those by this template.
    pub template: Option<String>,
    /// `created` (the newest first when left out) or `to`; a leading `-` turns it round.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows on the page, 1 to 200.
    pub limit: Option<u32>,
}

/// Where to send a test.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct MailTest {
    /// An address.
    pub to: String,
}

/// A letter that was written, and where it goes.
pub(crate) struct Written {
    to: String,
    person: Option<PersonId>,
    place: Option<Place>,
    template: String,
    subject: Line,
    body: Body,
    /// Places whose alerts the person must still see when it is sent.
    needs: Vec<Place>,
}

/// What is kept of a letter until it is sent.
#[derive(Serialize, Deserialize)]
struct Body {
    from: String,
    text: String,
    html: String,
}

/// Writes the letter that an act asked for. None: there is nothing to be said.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn write(hub: &Hub, mail: &kernel::news::Mail, needs: Vec<Place>) -> Result<Option<Written>> {
    let locale = match mail.person {
        Some(person) => store::locale(&mut hub.system_read().await?, person).await?,
        None => None,
    };
    // Who has no account gets it in the language of who wrote to them.
    let locale = locale.or_else(|| mail.facts["locale"].as_str().map(str::to_owned));
    let language = Language::of(locale.as_deref().unwrap_or("en"));
    let Some(letter) = letters::letter(&mail.template, &mail.facts, language) else { return Ok(None) };
    let brand = hub.port::<Arc<dyn Brands>>().of(hub, mail.of).await?;
    let Rendered { text, html } = render::render(&letter, &brand, language);
    let place = match mail.of {
        Of::Installation => None,
        Of::Provider(provider) => Some(Place::Provider(provider)),
        Of::Tenant(tenant) => Some(Place::Tenant(tenant)),
    };
    Ok(Some(Written {
        to: mail.to.clone(),
        person: mail.person,
        place,
        template: mail.template.clone(),
        subject: letter.subject,
        body: Body { from: Line::new(&brand.name).as_str().to_owned(), text, html },
        needs,
    }))
}

/// Puts a letter on its way; without a way out it is withheld.
///
/// # Errors
/// As the store's.
pub(crate) async fn put<S: scope::Control>(tx: &mut WriteTx<S>, written: &Written) -> Result<MailId> {
    let id = MailId::new(tx.now());
    store::insert(tx, id, written).await?;
    Ok(id)
}

/// The provider's log.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn list(tx: &mut ReadTx<scope::Provider>, query: MailQuery) -> Result<MailPage> {
    let post = tx.hub().find_port::<Post>();
    let smtp = SmtpView {
        configured: post.is_some(),
        host: post.as_ref().map(|post| post.host.clone()),
        from: post.as_ref().map(|post| post.from()),
    };
    let sort = query.sort.or_else(|| Some("-created".into()));
    let page = PageQuery { q: query.q, sort, cursor: query.cursor, limit: query.limit };
    let Page { items, next, total } = store::page(tx, &page, query.state, query.template.as_deref()).await?;
    Ok(MailPage { smtp, items, next, total })
}

/// Has one tried again, now.
///
/// # Errors
/// `NotFound`; `Conflict` when it was sent, or its content is gone.
pub(crate) async fn retry(tx: &mut WriteTx<scope::Provider>, id: MailId) -> Result<MailView> {
    let before = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.subject("mail", id, before.subject.clone()).keeps_authority();
    if !store::again(tx, id).await? {
        let why = match before.state.as_str() {
            "sent" => "This e-mail was sent already.",
            "waiting" => "This e-mail is being sent at this moment.",
            _ => "The content of this e-mail is not kept any more. Do again what it came from.",
        };
        return Err(Error::Conflict(why.into()));
    }
    let after = store::one(tx, id).await?.ok_or(Error::NotFound)?;
    tx.changed("mail", id, &serde_json::json!({ "state": before.state }), &serde_json::json!({ "state": after.state }));
    Ok(after)
}

/// Sends a test to an address.
///
/// # Errors
/// `Invalid` for an address that is none.
pub(crate) async fn test(tx: &mut WriteTx<scope::Provider>, body: &MailTest) -> Result<MailView> {
    let mut check = Check::new();
    let to = check.email("to", &body.to);
    check.done()?;
    let (provider, by, me) = (tx.scope.provider, tx.me()?.name.clone(), tx.me()?.person);
    let locale = store::locale(tx, me).await?;
    let facts = serde_json::json!({ "by": by, "locale": locale });
    let mail = kernel::news::Mail { to, person: None, of: Of::Provider(provider), template: "test".into(), facts };
    let hub = tx.hub().clone();
    let written = write(&hub, &mail, Vec::new()).await?.ok_or_else(|| Error::internal("the test letter is missing"))?;
    let id = put(tx, &written).await?;
    tx.subject("mail", id, mail.to.clone()).keeps_authority();
    tx.changed("mail", id, &(), &serde_json::json!({ "to": mail.to, "template": "test" }));
    store::one(tx, id).await?.ok_or(Error::NotFound)
}
