//! Sending what is due.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::{Hub, Result, Timestamp};

use super::render::{Line, Rendered};
use super::smtp::{NotSent, Post};
use super::store::{self, Due, Outcome};
use crate::notifications;

/// As many are sent at once.
const AT_ONCE: i64 = 8;
/// Who sends one holds it so long; longer than sending can take.
const LEASE: Duration = Duration::from_secs(120);
/// Minutes from one try to the next; after the last it is given up.
const WAITS_MIN: [u64; 7] = [1, 5, 15, 60, 180, 360, 720];
/// What failed can be tried again by hand so long; then its content goes.
const FAILED_DAYS: i64 = 7;
/// What the log keeps.
const LOG_DAYS: i64 = 90;

/// Sends everything that is due. Without a way out nothing ever is.
///
/// # Errors
/// The control database does not answer.
pub async fn send_due(hub: &Hub) -> Result<()> {
    let Some(post) = hub.find_port::<Post>() else { return Ok(()) };
    loop {
        if !store::is_due(&mut hub.system_read().await?).await? {
            return Ok(());
        }
        let mut tx = hub.system_write("mail.lease", "e-mails are taken to be sent").await?;
        let due = store::lease(&mut tx, AT_ONCE, hub.now().after(LEASE)).await?;
        tx.keeps_authority();
        tx.commit().await?;
        let sent = join_all(due.into_iter().map(|mail| one(hub, &post, mail))).await;
        sent.into_iter().collect::<Result<Vec<()>>>()?;
    }
}

async fn one(hub: &Hub, post: &Post, mail: Due) -> Result<()> {
    let (id, attempt) = (mail.id, mail.attempt);
    let outcome = match mail.person {
        Some(person) if !mail.needs.is_empty() && !notifications::still_sees(hub, person, &mail.needs).await? => {
            Outcome::Withheld("Its reader may not see this any more.".into())
        }
        _ => outcome(hub, attempt, deliver(hub, post, mail).await),
    };
    let mut tx = hub.system_write("mail.send", "an e-mail was sent, or could not be").await?;
    store::settle(&mut tx, id, &outcome).await?;
    tx.keeps_authority().subject("mail", id, None);
    tx.commit().await
}

pub(super) async fn deliver(hub: &Hub, post: &Post, mail: Due) -> Result<(), NotSent> {
    let (from, subject) = (Line::new(&mail.body.from), Line::new(&mail.subject));
    let body = Rendered { text: mail.body.text, html: mail.body.html };
    post.send(&mail.id.to_string(), (&mail.to, &from, &subject), body, hub.now()).await
}

fn outcome(hub: &Hub, attempt: i64, sent: Result<(), NotSent>) -> Outcome {
    match sent {
        Ok(()) => Outcome::Sent,
        Err(NotSent { is_final: true, why }) => Outcome::Failed(why),
        Err(NotSent { is_final: false, why }) => {
            let wait = usize::try_from(attempt - 1).ok().and_then(|tried| WAITS_MIN.get(tried));
            wait.map_or_else(|| Outcome::Failed(why.clone()), |minutes| Outcome::Later(later(hub.now(), minutes * 60), why.clone()))
        }
    }
}

/// So many seconds from now, give or take a tenth: not everything comes back at once.
pub(crate) fn later(now: Timestamp, seconds: u64) -> Timestamp {
    // 0 to 200 thousandths, less a hundred.
    let chance = u64::from(u16::from_le_bytes(kernel::ids::random::<2>())) % 201;
    now.after(Duration::from_millis(seconds * (900 + chance)))
}

/// Forgets the content of what failed long ago, and old entries of the log.
///
/// # Errors
/// The control database does not answer.
pub async fn tidy(hub: &Hub) -> Result<()> {
    let (failed_before, before) = (hub.now().plus_days(-FAILED_DAYS), hub.now().plus_days(-LOG_DAYS));
    if store::is_untidy(&mut hub.system_read().await?, failed_before, before).await? {
        let mut tx = hub.system_write("mail.tidy", "old e-mails are forgotten").await?;
        store::tidy(&mut tx, failed_before, before).await?;
        tx.keeps_authority();
        tx.commit().await?;
    }
    Ok(())
}
