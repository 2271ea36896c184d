use std::time::Duration;

use kernel::news::{Mail, Of};
use kernel::{Hub, params};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, tenant};

use super::store;
use crate::stage::{MailServer, Plan, Protection, hub, hub_with, number, of_acme, pass, provide, run, say};

/// An e-mail without its soft line breaks and escapes (RFC 2045 section 6.7).
fn decoded(message: &str) -> String {
    let joined = message.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, escape) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Names of the headers before the content, in order.
fn headers(message: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split(':').next().unwrap_or_default().to_lowercase()).collect()
}

async fn log(hub: &TestHub) -> Vec<Value> {
    let page = hub.get("priya", "/providers/northwind/mail?sort=created").await.expect(200);
    page.json["items"].as_array().expect("a list").clone()
}

async fn send_test(hub: &TestHub, to: &str) -> Value {
    let made = hub.post("priya", "/providers/northwind/mail/test", json!({ "to": to })).await.expect(201).json;
    super::send_due(&hub.hub).await.expect("sent");
    made
}

fn states(log: &[Value]) -> Vec<&str> {
    log.iter().filter_map(|mail| mail["state"].as_str()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_goes_out_protected_and_branded_and_its_content_is_not_kept(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
    #[values(Protection::Tls, Protection::StartTls)] protection: Protection,
) {
    let server = MailServer::start(protection).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    run(&hub, "UPDATE person SET locale = 'de' WHERE email = 'priya@cast.example'", params![]).await;
    let made = send_test(&hub, "Somebody@Client.example ").await;
    assert_eq!((made["state"].as_str(), made["to"].as_str()), (Some("waiting"), Some("somebody@client.example")));
    let taken = server.taken();
    let [message] = &taken[..] else { panic!("{taken:?}") };
    let plain = server.plain();
    assert!(!plain.contains("MAIL FROM") && !plain.contains("Northwind"), "{plain}");
    assert!(message.contains("From: \"Northwind IT\" <hub@northwind.example>"), "{message}");
    assert!(message.contains("Auto-Submitted: auto-generated") && message.contains("Date: Sat, 21 Nov 2026 09:00:00 +0000"));
    assert!(message.contains(&format!("Message-ID: <{}@hub.test>", made["id"].as_str().expect("an id"))), "{message}");
    let text = decoded(message);
    assert!(text.contains("text/plain") && text.contains("text/html") && text.contains("priya hat dies gesendet"), "{text}");
    let log = log(&hub).await;
    assert_eq!(states(&log), ["sent"]);
    assert_eq!(log[0]["sent_at"], json!(hub.hub.now()));
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM mail WHERE body IS NOT NULL").await, 0);
    let page = hub.get("priya", "/providers/northwind/mail").await.expect(200).json;
    assert_eq!(page["smtp"], json!({"configured": true, "host": "localhost", "from": "hub@northwind.example"}));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_is_asked_again_and_who_refuses_is_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    server.plan([Plan::Busy, Plan::HangUp, Plan::Take]);
    send_test(&hub, "slow@client.example").await;
    let waiting = &log(&hub).await[0];
    assert_eq!((waiting["state"].as_str(), waiting["attempts"].as_i64()), (Some("waiting"), Some(1)));
    assert!(waiting["error"].as_str().is_some_and(|why| why.contains("busy")), "{waiting}");
    super::send_due(&hub.hub).await.unwrap();
    assert_eq!(log(&hub).await[0]["attempts"], 1, "not before its time");
    hub.advance(Duration::from_secs(70));
    super::send_due(&hub.hub).await.unwrap();
    let hung_up = log(&hub).await.remove(0);
    assert_eq!(hung_up["attempts"], 2);
    assert!(!hung_up["error"].as_str().unwrap().contains("seconds"), "it is noticed at once: {hung_up}");
    assert!(server.taken().is_empty());
    hub.advance(Duration::from_secs(340));
    super::send_due(&hub.hub).await.unwrap();
    assert_eq!((states(&log(&hub).await), server.taken().len()), (vec!["sent"], 1));

    for times in 1..=2 {
        server.plan([Plan::Refuse]);
        let made = send_test(&hub, "no@client.example").await;
        let path = format!("/providers/northwind/mail/{}", made["id"].as_str().unwrap());
        let failed = log(&hub).await.into_iter().find(|mail| mail["id"] == made["id"]).unwrap();
        assert_eq!((failed["state"].as_str(), failed["next_at"].clone()), (Some("failed"), Value::Null));
        let again = hub.post("priya", &format!("{path}/retry"), json!({})).await.expect(200).json;
        assert_eq!(again["state"], "waiting");
        super::send_due(&hub.hub).await.unwrap();
        assert_eq!(server.taken().len(), 1 + times);
        assert_eq!(hub.post("priya", &format!("{path}/retry"), json!({})).await.expect(409).code(), "conflict");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_after_a_day_and_forgotten_after_a_week() {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(Engine::Sqlite, Some(server.smtp())).await;
    server.plan([Plan::Busy; 8]);
    let made = send_test(&hub, "never@client.example").await;
    for _ in 0..7 {
        pass(&hub, Duration::from_secs(800 * 60)).await;
        super::send_due(&hub.hub).await.unwrap();
    }
    let failed = log(&hub).await.remove(0);
    assert_eq!((failed["state"].as_str(), failed["attempts"].as_i64()), (Some("failed"), Some(8)));
    pass(&hub, Duration::from_secs(7 * 86_400)).await;
    crate::tidy(&hub.hub).await.unwrap();
    let path = format!("/providers/northwind/mail/{}/retry", made["id"].as_str().unwrap());
    hub.post("priya", &path, json!({})).await.expect(409);
    pass(&hub, Duration::from_secs(90 * 86_400)).await;
    crate::tidy(&hub.hub).await.unwrap();
    assert!(log(&hub).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_without_the_protection_that_was_asked_for() {
    // It offers no STARTTLS.
    let bare = MailServer::start(Protection::None).await;
    let smtp = super::Smtp { tls: super::Tls::StartTls, ..bare.smtp() };
    let hub = hub_with(Engine::Sqlite, Some(smtp)).await;
    send_test(&hub, "a@client.example").await;
    assert!(bare.taken().is_empty() && !bare.plain().contains("MAIL FROM"), "{}", bare.plain());
    assert_eq!(states(&log(&hub).await), ["waiting"]);
    // Its certificate is from nobody that is trusted.
    let stranger = MailServer::start(Protection::StartTls).await;
    let smtp = super::Smtp { ca_file: None, ..stranger.smtp() };
    let hub = hub_with(Engine::Sqlite, Some(smtp)).await;
    send_test(&hub, "a@client.example").await;
    assert!(stranger.taken().is_empty());
    assert!(log(&hub).await[0]["error"].as_str().is_some_and(|why| why.contains("certificate")), "{:?}", log(&hub).await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_signs_in_and_a_wrong_password_is_not_the_end_of_the_e_mail() {
    let server = MailServer::start_with(Protection::StartTls, Some("right")).await;
    let smtp = |password: &str| super::Smtp {
        user: Some("hub".into()),
        password: Some(zeroize::Zeroizing::new(password.to_owned())),
        ..server.smtp()
    };
    let hub = hub_with(Engine::Sqlite, Some(smtp("wrong"))).await;
    send_test(&hub, "a@client.example").await;
    assert_eq!(states(&log(&hub).await), ["waiting"], "settings can be put right");
    provide(&hub.hub, Some(smtp("right")));
    hub.advance(Duration::from_secs(70));
    super::send_due(&hub.hub).await.unwrap();
    assert_eq!(states(&log(&hub).await), ["sent"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_dies_after_sending_sends_again_under_the_same_id(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    hub.post("priya", "/providers/northwind/mail/test", json!({ "to": "a@client.example" })).await.expect(201);
    let mut tx = hub.hub.system_write("mail.lease", "a test is killed").await.unwrap();
    let due = store::lease(&mut tx, 8, hub.hub.now().after(Duration::from_secs(120))).await.unwrap();
    tx.commit().await.unwrap();
    for mail in due {
        super::send::deliver(&hub.hub, &hub.hub.port::<super::Post>(), mail).await.expect("taken");
    }
    // Here it dies: what came of it was never written down.
    super::send_due(&hub.hub).await.unwrap();
    assert_eq!(server.taken().len(), 1, "somebody still holds it");
    hub.advance(Duration::from_secs(121));
    super::send_due(&hub.hub).await.unwrap();
    let ids: Vec<String> = server
        .taken()
        .iter()
        .map(|mail| mail.lines().find(|line| line.starts_with("Message-ID")).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(states(&log(&hub).await), ["sent"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_on_one_store_send_each_once() {
    let server = MailServer::start(Protection::StartTls).await;
    let one = hub_with(Engine::Postgres, Some(server.smtp())).await;
    let other = Hub::open(one.config.clone()).await.expect("another hub");
    provide(&other, Some(server.smtp()));
    for n in 0..20 {
        let said = Mail {
            to: format!("{n}@client.example"),
            person: None,
            of: Of::Tenant(tenant("acme")),
            template: "test".into(),
            facts: json!({"by": "Priya"}),
        };
        let mut tx = one.hub.system_write("test.say", "an act sends an e-mail").await.unwrap();
        tx.mail(&said).await.unwrap();
        tx.commit().await.unwrap();
    }
    let (a, b) = tokio::join!(crate::work(&one.hub), crate::work(&other));
    a.and(b).expect("both work");
    crate::work(&one.hub).await.unwrap();
    assert_eq!(server.taken().len(), 20);
    assert_eq!(number(&one, "SELECT COUNT(*) FROM mail WHERE state = 'sent'").await, 20);
    assert_eq!(number(&one, "SELECT COUNT(*) FROM news").await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_anybody_writes_becomes_a_header() {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(Engine::Sqlite, Some(server.smtp())).await;
    let expected = {
        send_test(&hub, "a@client.example").await;
        headers(&server.taken()[0])
    };
    let evil = "Acme\r\nBcc: thief@evil.example\r\n\r\n<script>alert(1)</script>";
    run(&hub, "UPDATE provider SET name = ?1 WHERE slug = 'northwind'", params![evil]).await;
    let facts = json!({"organisation": evil, "role": evil, "invited_by": evil, "url": format!("https://x.example/{evil}"), "expires_at": evil});
    let said =
        Mail { to: "b@client.example".into(), person: None, of: Of::Tenant(tenant("acme")), template: "invitation".into(), facts };
    let mut tx = hub.hub.system_write("test.say", "an act sends an e-mail").await.unwrap();
    tx.mail(&said).await.unwrap();
    tx.commit().await.unwrap();
    crate::work(&hub.hub).await.unwrap();
    let message = server.taken().pop().expect("taken");
    assert_eq!(headers(&message), expected);
    let html = decoded(message.split("Content-Type: text/html").nth(1).expect("an HTML part"));
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
    for bad in ["a@client.example\r\nBcc: b@c.example", "a@client.example, b@c.example", "<a@client.example>", "a\"@b.co", ""] {
        hub.post("priya", "/providers/northwind/mail/test", json!({ "to": bad })).await.expect(422);
    }
    // An address that came in by another way is refused where it would go out.
    let said = Mail { to: "x@y.example>\r\nRCPT TO:<thief@evil.example".into(), facts: json!({}), template: "test".into(), ..said };
    let mut tx = hub.hub.system_write("test.say", "an act sends an e-mail").await.unwrap();
    tx.mail(&said).await.unwrap();
    tx.commit().await.unwrap();
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(server.taken().len(), 2);
    assert!(states(&log(&hub).await).contains(&"failed"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_e_mails_are_withheld_and_their_content_is_not_kept(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    let made = send_test(&hub, "a@client.example").await;
    assert_eq!(made["state"], "withheld");
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM mail WHERE body IS NULL").await, 1);
    let path = format!("/providers/northwind/mail/{}/retry", made["id"].as_str().unwrap());
    hub.post("priya", &path, json!({})).await.expect(409);
    let page = hub.get("priya", "/providers/northwind/mail?state=withheld&template=test&q=client").await.expect(200).json;
    assert_eq!((page["total"].as_i64(), page["smtp"]["configured"].as_bool()), (Some(1), Some(false)));
    assert_eq!(hub.get("priya", "/providers/northwind/mail?state=sent").await.expect(200).json["total"], 0);
    hub.get("priya", "/providers/northwind/mail?template=other").await.expect(422);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_its_providers_alone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let made = send_test(&hub, "a@client.example").await;
    let path = format!("/providers/contoso/mail/{}/retry", made["id"].as_str().unwrap());
    hub.post("carla", &path, json!({})).await.expect(404);
    assert_eq!(hub.get("carla", "/providers/contoso/mail").await.expect(200).json["total"], 0);
    hub.get("carla", "/providers/northwind/mail").await.expect(404);
    hub.get("t3", "/providers/northwind/mail").await.expect(403);
    hub.post("t3", "/providers/northwind/mail/test", json!({"to": "a@b.co"})).await.expect(403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_right_before_it_is_sent_does_not_get_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let server = MailServer::start(Protection::StartTls).await;
    let hub = hub_with(engine, Some(server.smtp())).await;
    server.plan([Plan::Busy; 5]);
    say(&hub, &of_acme("limit_crossed", "seats", kernel::news::Urgency::Warning)).await;
    let waiting = number(&hub, "SELECT COUNT(*) FROM mail WHERE state = 'waiting'").await;
    assert_eq!(waiting, 5);
    run(&hub, "DELETE FROM assignment WHERE person_id = ?1", params![testkit::person("t2")]).await;
    run(&hub, "UPDATE person SET state = 'disabled' WHERE id = ?1", params![testkit::person("operator")]).await;
    hub.advance(Duration::from_secs(70));
    for _ in 0..3 {
        pass(&hub, Duration::from_secs(800 * 60)).await;
        super::send_due(&hub.hub).await.unwrap();
    }
    let log = log(&hub).await;
    let withheld: Vec<&str> =
        log.iter().filter(|mail| mail["state"] == "withheld").filter_map(|mail| mail["to"].as_str()).collect();
    assert_eq!(withheld.len(), 2, "{log:?}");
    assert!(withheld.contains(&"t2@cast.example") && withheld.contains(&"operator@cast.example"));
    assert_eq!(server.taken().len(), usize::try_from(waiting).unwrap() - 2);
}
