//! What this crate's tests stand on: a hub with the cast, a real SMTP server, and a real receiver of webhooks.

mod smtp_server;
mod webhook_receiver;

use std::sync::Arc;

use kernel::news::{Alert, Of, Urgency};
use kernel::store::Value as SqlValue;
use kernel::{Hub, params};
use serde_json::{Value, json};
use testkit::{Engine, TestHub, tenant};

use crate::mail::Smtp;
use crate::{PlainBrands, Settings};

pub(crate) use smtp_server::{MailServer, Plan, Protection};
pub(crate) use webhook_receiver::Receiver;

/// A hub with the cast and this crate's routes, without a way out for e-mails.
pub(crate) async fn hub(engine: Engine) -> TestHub {
    hub_with(engine, None).await
}

/// The same with this way out.
pub(crate) async fn hub_with(engine: Engine, smtp: Option<Smtp>) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    provide(&hub.hub, smtp);
    hub
}

/// Hands a hub what this crate needs.
pub(crate) fn provide(hub: &Hub, smtp: Option<Smtp>) {
    let settings = Settings { smtp, allow_private_webhooks: true };
    crate::provide(hub, &settings, Arc::new(PlainBrands)).expect("good settings");
}

/// An alert of Acme's.
pub(crate) fn of_acme(rule: &str, subject: &str, urgency: Urgency) -> Alert {
    let facts = json!({ "count": 2, "used": 3, "max": 3 });
    Alert {
        of: Of::Tenant(tenant("acme")),
        rule: rule.into(),
        subject: subject.into(),
        label: format!("About {subject}"),
        urgency,
        facts,
        is_over: false,
    }
}

/// An act that says this and nothing else, and what follows from it.
pub(crate) async fn say(hub: &TestHub, alert: &Alert) {
    let mut tx = hub.hub.system_write("test.say", "a test raises an alert").await.expect("a write");
    tx.alert(alert).await.expect("said");
    tx.commit().await.expect("committed");
    crate::work(&hub.hub).await.expect("it works");
}

/// Changes rows behind everybody's back.
pub(crate) async fn run(hub: &TestHub, sql: &str, params: &[SqlValue]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.expect("a write");
    tx.execute(sql, params).await.expect("good SQL");
    tx.commit().await.expect("committed");
}

/// Time passes, in which everybody stayed signed in.
pub(crate) async fn pass(hub: &TestHub, by: std::time::Duration) {
    hub.advance(by);
    let sql = "UPDATE session SET idle_expires_at = expires_at";
    run(hub, sql, params![]).await;
}

/// The first column of the first row.
pub(crate) async fn number(hub: &TestHub, sql: &str) -> i64 {
    let mut tx = hub.hub.system_read().await.expect("a read");
    tx.one(sql, params![]).await.expect("a row").take().expect("a number")
}

/// `rule label` of each item.
pub(crate) fn titles(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| format!("{} {}", item["rule"].as_str().unwrap_or("?"), item["label"].as_str().unwrap_or("?"))).collect()
}
