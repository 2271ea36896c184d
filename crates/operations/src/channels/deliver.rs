//! Delivering what is due.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use kernel::news::{Mail, Of};
use kernel::{Hub, Result};
use reqwest::{Client, Url, redirect};
use serde_json::json;

use super::guard::{self, PublicOnly};
use super::store::{self, Due, Target, Tried};
use super::{DeliveryId, sign};
use crate::mail;
use crate::notifications;

/// As many are delivered at once.
const AT_ONCE: i64 = 16;
const CONNECT_MAX: Duration = Duration::from_secs(5);
const SEND_MAX: Duration = Duration::from_secs(10);
/// Who delivers one holds it so long; longer than delivering can take.
const LEASE: Duration = Duration::from_secs(60);
/// Seconds from one try to the next; after the last it is given up.
const WAITS_S: [u64; 7] = [5, 300, 1_800, 7_200, 18_000, 28_800, 28_800];
/// Deliveries given up in a row that switch a channel off.
const FAILURES_MAX: i64 = 3;
/// The receiver is gone for good (Standard Webhooks, "Response").
const GONE: u16 = 410;

/// Delivers.
pub struct Courier {
    /// Made when it is first needed: it reads the system's certificates.
    client: OnceLock<Option<Client>>,
    may_be_private: bool,
}

impl Courier {
    /// One that goes to public addresses only, or, in a lab, anywhere.
    pub fn new(may_be_private: bool) -> Self {
        Self { client: OnceLock::new(), may_be_private }
    }

    fn client(&self) -> Option<&Client> {
        let made = self.client.get_or_init(|| {
            let made = Self::make(self.may_be_private);
            made.inspect_err(|error| tracing::error!(%error, "webhooks cannot be delivered")).ok()
        });
        made.as_ref()
    }

    fn make(may_be_private: bool) -> reqwest::Result<Client> {
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(SEND_MAX)
            .pool_max_idle_per_host(1)
            .user_agent("Tenantry-Webhooks/1");
        let builder = if may_be_private { builder } else { builder.dns_resolver(Arc::new(PublicOnly)).https_only(true) };
        builder.build()
    }

    pub(super) fn may_be_private(&self) -> bool {
        self.may_be_private
    }

    async fn post(&self, target: &Target, id: DeliveryId, body: &str, seconds: i64) -> Answer {
        let Some(url) = Url::parse(&target.url).ok().filter(|url| self.may_be_private || guard::may_be_asked(url)) else {
            return Answer::failed("The address leads inside.");
        };
        let id = id.to_string();
        let Some(signature) = sign::signature(&target.secret, &id, seconds, body.as_bytes()) else {
            return Answer::failed("The secret is broken. Make the channel anew.");
        };
        let Some(client) = self.client() else { return Answer::failed("This hub cannot connect to anything.") };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(body.to_owned());
        match request.send().await {
            // What it says beyond its status is not read.
            Ok(response) => Answer::of(response.status().as_u16()),
            Err(error) if error.is_timeout() => Answer::failed("It did not answer in time."),
            Err(error) if error.is_connect() => {
                Answer::failed(&format!("No connection: {}.", deepest(&error).chars().take(200).collect::<String>()))
            }
            Err(_) => Answer::failed("The connection broke."),
        }
    }
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// What came of one try.
struct Answer {
    code: Option<u16>,
    /// None: delivered.
    error: Option<String>,
}

impl Answer {
    fn of(code: u16) -> Self {
        let error = match code {
            200..=299 => None,
            300..=399 => Some(format!("It answered {code}. Redirects are not followed.")),
            _ => Some(format!("It answered {code}.")),
        };
        Self { code: Some(code), error }
    }

    fn failed(why: &str) -> Self {
        Self { code: None, error: Some(why.to_owned()) }
    }
}

/// Delivers everything that is due.
///
/// # Errors
/// The control database does not answer.
pub async fn deliver_due(hub: &Hub) -> Result<()> {
    loop {
        if !store::is_due(&mut hub.system_read().await?).await? {
            return Ok(());
        }
        let mut tx = hub.system_write("channel.lease", "webhooks are taken to be delivered").await?;
        let due = store::lease(&mut tx, AT_ONCE, hub.now().after(LEASE)).await?;
        tx.keeps_authority();
        tx.commit().await?;
        let delivered = join_all(due.into_iter().map(|delivery| one(hub, delivery))).await;
        delivered.into_iter().collect::<Result<Vec<()>>>()?;
    }
}

async fn one(hub: &Hub, due: Due) -> Result<()> {
    let target = store::target(&mut hub.system_read().await?, due.channel).await?;
    let Some(target) = target else { return withhold(hub, due.id, "The channel is switched off.").await };
    if let Some(place) = due.place
        && !notifications::still_sees(hub, target.owner, &[place]).await?
    {
        return withhold(hub, due.id, "You may not see any more what this is about.").await;
    }
    let seconds = hub.now().0.div_euclid(1_000_000);
    let answer = hub.port::<Courier>().post(&target, due.id, &due.payload, seconds).await;
    settle(hub, &due, &target, &answer).await
}

async fn withhold(hub: &Hub, id: DeliveryId, why: &str) -> Result<()> {
    let mut tx = hub.system_write("channel.deliver", "a webhook is not delivered").await?;
    store::settle(&mut tx, id, &Tried { status: "withheld", code: None, error: Some(why), next_at: None }).await?;
    tx.keeps_authority().subject("delivery", id, None);
    tx.commit().await
}

async fn settle(hub: &Hub, due: &Due, target: &Target, answer: &Answer) -> Result<()> {
    let code = answer.code.map(i64::from);
    let mut tx = hub.system_write("channel.deliver", "a webhook was delivered, or could not be").await?;
    tx.keeps_authority().subject("delivery", due.id, None);
    let Some(error) = answer.error.as_deref() else {
        store::settle(&mut tx, due.id, &Tried { status: "delivered", code, error: None, next_at: None }).await?;
        store::worked(&mut tx, due.channel).await?;
        return tx.commit().await;
    };
    let is_gone = answer.code == Some(GONE);
    let wait = usize::try_from(due.attempt - 1).ok().and_then(|tried| WAITS_S.get(tried)).filter(|_| !is_gone);
    let next_at = wait.map(|seconds| mail::later(hub.now(), *seconds));
    let status = if next_at.is_some() { "waiting" } else { "failed" };
    store::settle(&mut tx, due.id, &Tried { status, code, error: Some(error), next_at }).await?;
    let failures = store::failed(&mut tx, due.channel, error, next_at.is_none()).await?;
    if failures.is_some_and(|failures| is_gone || failures >= FAILURES_MAX) {
        store::disable(&mut tx, due.channel, target).await?;
        if let Some(to) = store::email(&mut tx, target.owner).await? {
            let facts = json!({ "rule": "channel_disabled", "label": target.name, "place": "", "facts": {},
                "url": format!("{}/account", hub.public_url()) });
            tx.mail(&Mail { to, person: Some(target.owner), of: Of::Installation, template: "alert".into(), facts }).await?;
        }
    }
    tx.commit().await
}
