//! Sessions: one per browser that is signed in.
//!
//! - The cookie holds an opaque token, the database its hash. It is `HttpOnly`, `SameSite=Lax`, and `Secure` where the hub is.
//! - A session ends after eight hours without use, after seven days in any case, and at once when it is revoked. One that waits for
//!   its second factor lasts ten minutes.
//! - Some acts want proof again that it is the person: stepping up takes a code (or recovery code) from whoever has a second factor,
//!   the password from whoever has none, and makes the session fresh for ten minutes. It is counted as signing in is.
//! - A session carries the id and version of the brand that its person signed in under.
//! - A sign-in in a browser that is signed in ends the session it replaces.
//!
//! Not here: looking a session up, and keeping it alive: the kernel does, on every request.

mod cookie;
mod http;
mod step_up;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kernel::brand::Brand;
use kernel::ids::SessionId;
use kernel::secrets::new_token;
use kernel::{Error, Hub, Page, PageQuery, PersonId, PublicCx, ReadTx, Result, Timestamp, WriteTx, scope};
use serde::Serialize;

pub use cookie::Cookie;
pub use http::router;
pub use step_up::StepUp;
pub(crate) use step_up::{prepare, step_up};

/// How long a session may rest.
pub const IDLE: Duration = Duration::from_secs(8 * 3600);
/// How long a session lasts.
pub const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long one lasts that waits for its second factor.
pub const HALF_LIFE: Duration = Duration::from_secs(10 * 60);

/// A session of one's own.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// It is the one that asks.
    pub current: bool,
    /// When somebody signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// Where it was begun from.
    pub address: String,
    /// What the browser called itself.
    pub user_agent: String,
    /// A second factor was given.
    pub second_factor: bool,
}

/// How many sessions ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Revoked {
    /// How many.
    pub revoked: u64,
}

/// What a session is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For giving the second factor, and for leaving.
    Half,
    /// For everything.
    Full {
        /// When the second factor was given, if it was.
        second_factor_at: Option<Timestamp>,
    },
}

/// Where a session begins.
#[derive(Debug, Clone)]
pub struct Origin {
    address: String,
    user_agent: String,
    replaces: Option<SessionId>,
    /// What showed at the name that the request was sent to.
    pub(crate) brand: Option<Arc<Brand>>,
}

impl Origin {
    /// Where this request comes from. Asked before the write that begins the session: which brand shows is read by itself.
    ///
    /// # Errors
    /// As the store's.
    pub async fn of(cx: &PublicCx) -> Result<Self> {
        Ok(Self {
            address: cx.address.clone(),
            user_agent: cx.user_agent.clone(),
            replaces: cx.caller.as_ref().map(|caller| caller.session),
            brand: shown_at(cx.hub(), cx.host.as_deref()).await?,
        })
    }

    /// No session ends for the one that begins: nobody's rights change with it.
    pub(crate) fn is_new(&self) -> bool {
        self.replaces.is_none()
    }
}

/// The brand that shows at a name that the hub was reached by, where brands are wired.
///
/// # Errors
/// As the store's.
pub(crate) async fn shown_at(hub: &Hub, host: Option<&str>) -> Result<Option<Arc<Brand>>> {
    match hub.brands() {
        Some(brands) => brands.at_host(hub, host).await.map(Some),
        None => Ok(None),
    }
}

/// Starts a session for a person. Whoever calls this has checked that it is that person.
///
/// # Errors
/// As the store's.
pub async fn start<S: scope::Control>(
    tx: &mut WriteTx<S>,
    person: PersonId,
    kind: Kind,
    from: &Origin,
) -> Result<(SessionId, Cookie)> {
    let (now, token) = (tx.now(), new_token());
    let id = SessionId::new(now);
    store::sweep(tx, person, from.replaces).await?;
    store::insert(tx, id, &token, person, kind, from).await?;
    let life = if kind == Kind::Half { HALF_LIFE } else { LIFE };
    Ok((id, Cookie::with(&token, life, tx.hub().secure_cookies())))
}

/// The signed-in person's sessions.
///
/// # Errors
/// `Invalid` for a page that does not exist.
pub(crate) async fn list(tx: &mut ReadTx<scope::Own>, page: &PageQuery) -> Result<Page<Session>> {
    store::page(tx, page).await
}

/// Ends the session that asks.
///
/// # Errors
/// `NotSignedIn` when it has ended.
pub(crate) async fn leave(tx: &mut WriteTx<scope::Own>) -> Result<Cookie> {
    let session = tx.me()?.session;
    tx.subject("session", session, None);
    if !store::end(tx, session).await? {
        return Err(Error::NotSignedIn);
    }
    Ok(Cookie::none(tx.hub().secure_cookies()))
}

/// Ends a session of the signed-in person.
///
/// # Errors
/// `NotFound` when they have none of this id.
pub(crate) async fn revoke(tx: &mut WriteTx<scope::Own>, session: SessionId) -> Result<()> {
    tx.subject("session", session, None);
    if store::end(tx, session).await? { Ok(()) } else { Err(Error::NotFound) }
}

/// Ends all sessions of the signed-in person but the one that asks.
///
/// # Errors
/// As the store's.
pub(crate) async fn end_others(tx: &mut WriteTx<scope::Own>) -> Result<Revoked> {
    let current = tx.me()?.session;
    Ok(Revoked { revoked: store::end_others(tx, current).await? })
}
