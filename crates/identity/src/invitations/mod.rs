//! Invitations: a link by which somebody becomes staff of a provider or a member of an organisation.
//!
//! - Good for seven days and one use; may be revoked; a new one for the same address and place takes the place of the open one.
//! - Who has no account makes one with a name and a password. Who has one gives its password, and its second factor at the next
//!   step if it has one. The address is the invitation's and cannot be chosen.
//! - Whether an account exists is told of the invited address only, and only to whoever has the link.
//! - The token is in the link and nowhere else: the database has its hash.
//!
//! Not here: sending e-mail (the link goes out with the act, see `kernel::news`, and is shown to whoever invites), and making invitations: an organisation's are in `members`, a
//! provider's in the msp crate.

mod http;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use store::insert_person;

use std::sync::Arc;

use kernel::door::BoxFuture;
use kernel::limits::{Claim, LimitReached, Limits, Within};
use kernel::rules::RuledBy;
use kernel::secrets::{new_token, token_hash};
use kernel::validate::Check;
use kernel::{Error, ProviderId, PublicCx, ReadTx, Result, TenantId, Timestamp, WriteTx, scope};
use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::passwords::{Demands, Pool};
use crate::sessions::{Cookie, Origin};
use crate::sign_in::{self, Account, Attempt, SessionStep, Tries};

pub use http::router;

kernel::kinds! {
    /// An invitation.
    InvitationKind InvitationId "inv";
}

/// Days for which an invitation is good.
pub const LIFE_DAYS: i64 = 7;

/// The secret part of an invitation that was just made.
pub(crate) struct Link {
    pub token: String,
    pub url: String,
}

impl Link {
    /// A new one, at the name that the organisation is reached by.
    ///
    /// # Errors
    /// As the store's.
    pub(crate) async fn new(tx: &mut ReadTx<scope::Records>) -> Result<Self> {
        let base = match tx.hub().brands() {
            Some(brands) => brands.tenant_link_base(tx).await?,
            None => tx.hub().public_url().to_owned(),
        };
        let token = new_token();
        let url = format!("{base}/invite/{token}");
        Ok(Self { token, url })
    }
}

/// An invitation that was just made. Its link is shown this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvitationCreated {
    /// Id.
    pub id: InvitationId,
    /// The link to pass on.
    pub url: String,
    /// The secret part of the link.
    pub token: String,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The limit of seats that is reached with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<LimitReached>,
    /// `sent`: an e-mail with the link is on its way; `not_configured`: none can leave, pass the link on.
    pub mail: &'static str,
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Waiting.
    Open,
    /// Taken up.
    Accepted,
    /// Taken back.
    Revoked,
    /// Too late.
    Expired,
}

impl InvitationState {
    /// How one with these dates stands now.
    pub(crate) fn of(accepted_at: Option<Timestamp>, revoked_at: Option<Timestamp>, expires_at: Timestamp, now: Timestamp) -> Self {
        match (accepted_at, revoked_at) {
            (Some(_), _) => Self::Accepted,
            (None, Some(_)) => Self::Revoked,
            (None, None) if expires_at <= now => Self::Expired,
            (None, None) => Self::Open,
        }
    }

    /// It can be taken up.
    ///
    /// # Errors
    /// `Conflict` that says why not.
    fn require_open(self) -> Result<()> {
        let why = match self {
            Self::Open => return Ok(()),
            Self::Accepted => "This invitation was used already. Sign in with the account it made.",
            Self::Revoked => "This invitation was withdrawn. Ask whoever invited you for a new one.",
            Self::Expired => "This invitation has expired. Ask whoever invited you for a new one.",
        };
        Err(Error::Conflict(why.into()))
    }
}

/// What becoming staff of a provider brings along. Provided to the hub as `Arc<dyn Arrival>`.
pub trait Arrival: Send + Sync {
    /// Somebody has just become staff of this provider, in this transaction.
    fn joined<'a>(&'a self, tx: &'a mut WriteTx<scope::Public>, provider: ProviderId) -> BoxFuture<'a, Result<()>>;
}

/// What kind of person the invited one becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationOf {
    /// Staff of a provider.
    Staff,
    /// A member of an organisation.
    Member,
}

/// An open invitation, as whoever has its link sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InvitationView {
    /// Staff or member.
    pub kind: InvitationOf,
    /// Name of the provider or organisation.
    pub organisation: String,
    /// As what.
    pub role: String,
    /// Who is invited.
    pub email: String,
    /// By whom.
    pub invited_by: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The invited address has an account: its password is wanted, not a new one.
    pub has_account: bool,
}

/// Taking an invitation up.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct InvitationAccept {
    /// Name, for a new account.
    #[serde(default)]
    pub name: String,
    /// A new password, or the account's.
    pub password: Secret,
}

/// Where an invitation leads.
#[derive(Clone, Copy)]
enum Place {
    Provider(ProviderId),
    Tenant(TenantId),
}

impl Place {
    fn rules(self) -> RuledBy {
        match self {
            Self::Provider(provider) => RuledBy::Provider(provider),
            Self::Tenant(tenant) => RuledBy::Tenant(tenant),
        }
    }
}

/// An invitation with what is said of it.
struct Invitation {
    id: InvitationId,
    place: Place,
    place_name: String,
    place_is_open: bool,
    role: String,
    email: String,
    invited_by: String,
    expires_at: Timestamp,
    state: InvitationState,
}

impl Invitation {
    fn require_open(&self) -> Result<()> {
        self.state.require_open()?;
        if self.place_is_open { Ok(()) } else { Err(Error::Conflict(format!("{} takes nobody in at present.", self.place_name))) }
    }
}

/// Somebody who takes an invitation up, checked as far as that goes outside of a write.
pub(crate) enum Taker {
    /// With the account that the invited address has.
    Known { account: Account, is_right: bool, attempt: Attempt },
    /// With an account to be made.
    New { name: String, password_hash: String },
}

/// The invitation of a link.
///
/// # Errors
/// `NotFound`, `Conflict` when it is no longer open.
pub(crate) async fn view(tx: &mut ReadTx<scope::Public>, token: &str) -> Result<InvitationView> {
    let invitation = store::find(tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    invitation.require_open()?;
    let has_account = sign_in::account(tx, &invitation.email).await?.is_some();
    Ok(InvitationView {
        kind: match invitation.place {
            Place::Provider(_) => InvitationOf::Staff,
            Place::Tenant(_) => InvitationOf::Member,
        },
        organisation: invitation.place_name,
        role: invitation.role,
        email: invitation.email,
        invited_by: invitation.invited_by,
        expires_at: invitation.expires_at,
        has_account,
    })
}

/// Checks who takes an invitation up, outside of any write.
///
/// # Errors
/// `NotFound`, `Conflict`, `Invalid` for a new account's name and password, `TooMany`, `Unavailable`.
pub(crate) async fn check(cx: &PublicCx, token: &str, body: InvitationAccept) -> Result<Taker> {
    let mut tx = cx.look::<access::actions::InvitationAccept>().await?;
    let invitation = store::find(&mut tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    invitation.require_open()?;
    let account = sign_in::account(&mut tx, &invitation.email).await?;
    let mut check = Check::new();
    let name = person_name(&mut check, "name", &body.name);
    let about = vec![invitation.email.clone(), name.clone(), invitation.place_name];
    let demands = Demands::of_newcomer(&mut tx, invitation.place.rules(), about).await?;
    drop(tx);
    let pool = cx.hub().port::<Pool>();
    if let Some(account) = account {
        let attempt = cx.hub().port::<Tries>().admit(&invitation.email, &cx.address, cx.hub().now())?;
        let checked = pool.check(body.password, Some(account.password_hash.clone())).await.inspect_err(|_| attempt.forget())?;
        return Ok(Taker::Known { account, is_right: checked.is_right, attempt });
    }
    demands.check(cx.hub(), "password", &body.password, &mut check).await?;
    check.done()?;
    Ok(Taker::New { name, password_hash: pool.hash(body.password).await? })
}

/// A person's name as it came in: one line of 1 to 100 characters.
pub(crate) fn person_name(check: &mut Check, field: &str, name: &str) -> String {
    let name = check.text(field, name, 1..=100);
    check.that(!name.contains(['\n', '\t']), field, "control_characters", "is one line");
    name
}

/// Takes an invitation up: the person becomes what they were invited as, and is signed in.
///
/// # Errors
/// `Conflict` when it is no longer open, `BadCredentials`, `LimitReached` when its seat is not there any more.
pub(crate) async fn accept(
    tx: &mut WriteTx<scope::Public>,
    token: &str,
    taker: Taker,
    from: Origin,
) -> Result<(Cookie, SessionStep)> {
    let invitation = store::find(tx, &token_hash(token)).await?.ok_or(Error::NotFound)?;
    match invitation.place {
        Place::Provider(provider) => tx.in_ledger_of(provider).subject("provider", provider, invitation.place_name.clone()),
        Place::Tenant(tenant) => tx.also_in(tenant).subject("tenant", tenant, invitation.place_name.clone()),
    };
    invitation.require_open()?;
    let (person, second_factor) = match taker {
        Taker::Known { account, is_right, attempt } => {
            tx.act_as(account.id, &account.name);
            if !is_right || !sign_in::is_still(tx, &account).await? {
                return Err(Error::BadCredentials);
            }
            if account.second_factor {
                attempt.forget()
            } else {
                attempt.succeeded()
            }
            (account.id, account.second_factor)
        }
        Taker::New { name, password_hash } => {
            let inserted = store::insert_person(tx, &invitation.email, &name, &password_hash).await?;
            let person = inserted.ok_or_else(|| Error::Conflict("This address has an account by now. Use its password.".into()))?;
            tx.act_as(person, &name);
            (person, false)
        }
    };
    if let Place::Tenant(tenant) = invitation.place {
        let limits = tx.hub().port::<Arc<dyn Limits>>();
        limits.take(Within::Public(tx, tenant), Claim::InvitedSeat).await?;
    }
    store::take_up(tx, &invitation).await?;
    let row = store::insert_at_place(tx, &invitation, person).await?;
    tx.changed(row.kind, row.id, &(), &serde_json::json!({ "role": invitation.role, "email": invitation.email }));
    if let Place::Provider(provider) = invitation.place {
        let arrival = tx.hub().port::<Arc<dyn Arrival>>();
        arrival.joined(tx, provider).await?;
    }
    sign_in::start(tx, person, second_factor, from).await
}
