use std::time::Duration;

use axum::http::Method;
use kernel::news::Urgency;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person};

use crate::stage::{Receiver, hub, number, of_acme, run, say};
use crate::{PlainBrands, Settings};

async fn channel(hub: &TestHub, who: &str, receiver: &Receiver) -> (String, String) {
    let body = json!({"kind": "webhook", "name": "Pager", "url": receiver.url});
    let made = hub.post(who, "/me/channels", body).await.expect(201).json;
    let id = made["id"].as_str().expect("an id").to_owned();
    let rules = json!({"items": [{"rule": "limit_crossed", "urgency_min": "info", "channels": [id]}], "digest": "off"});
    hub.send(who, Method::PUT, "/me/notification-rules", Some(rules), &[]).await.expect(200);
    (id, made["secret"].as_str().expect("a secret").to_owned())
}

async fn deliveries(hub: &TestHub, who: &str, id: &str) -> Vec<Value> {
    let page = hub.get(who, &format!("/me/channels/{id}/deliveries")).await.expect(200).json;
    page["items"].as_array().expect("a list").clone()
}

async fn state(hub: &TestHub, who: &str) -> String {
    hub.get(who, "/me/channels").await.expect(200).json["items"][0]["state"].as_str().expect("a state").to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_so_that_anybody_with_the_secret_can_tell(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, secret) = channel(&hub, "t2", &receiver).await;
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    let received = receiver.received();
    let [one] = &received[..] else { panic!("{received:?}") };
    assert!(one.is_signed_with(&secret) && !one.is_signed_with(&super::sign::new_secret()));
    assert_eq!(one.seconds, hub.hub.now().0 / 1_000_000);
    let said = one.json();
    assert_eq!((said["type"].as_str(), said["data"]["tenant"]["slug"].as_str()), (Some("alert.opened"), Some("acme")));
    assert_eq!((said["data"]["rule"].as_str(), said["data"]["urgency"].as_str()), (Some("limit_crossed"), Some("warning")));
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!(
        (log[0]["status"].as_str(), log[0]["code"].as_i64(), log[0]["id"].as_str()),
        (Some("delivered"), Some(204), Some(&*one.id))
    );
    assert!(hub.get("t2", "/me/channels").await.expect(200).json["items"][0].get("secret").is_none(), "shown once");
    let ledger = serde_json::to_string(&hub.control_ledger().await).unwrap();
    assert!(!ledger.contains(&secret) && !ledger.contains("/hook"), "neither secret nor whole address is in the ledger");
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    assert_eq!(receiver.received().len(), 1, "noticed again is not told again");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_under_the_same_id(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, secret) = channel(&hub, "t2", &receiver).await;
    receiver.answer([500, 302]);
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!((log[0]["status"].as_str(), log[0]["code"].as_i64()), (Some("waiting"), Some(500)));
    assert_eq!(state(&hub, "t2").await, "failing");
    hub.advance(Duration::from_secs(6));
    crate::work(&hub.hub).await.unwrap();
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!((log[0]["code"].as_i64(), log[0]["attempts"].as_i64()), (Some(302), Some(2)), "redirects are not followed");
    hub.advance(Duration::from_secs(340));
    crate::work(&hub.hub).await.unwrap();
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!((log[0]["status"].as_str(), log[0]["attempts"].as_i64()), (Some("delivered"), Some(3)));
    assert_eq!(state(&hub, "t2").await, "active");
    let received = receiver.received();
    assert!(received.iter().all(|one| one.id == received[0].id && one.is_signed_with(&secret)) && received.len() == 3);
    assert!(received[2].seconds > received[0].seconds, "signed anew with the time of the try");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_never_works_is_switched_off_and_its_owner_hears_of_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, _) = channel(&hub, "t2", &receiver).await;
    receiver.answer([500; 24]);
    for n in 0..3 {
        say(&hub, &of_acme("limit_crossed", &n.to_string(), Urgency::Warning)).await;
    }
    for _ in 0..7 {
        hub.advance(Duration::from_secs(9 * 3_600));
        crate::work(&hub.hub).await.unwrap();
    }
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(state(&hub, "t2").await, "disabled");
    let log = deliveries(&hub, "t2", &id).await;
    assert!(log.iter().all(|delivery| delivery["status"] == "failed"), "{log:?}");
    let page = hub.get("t2", "/me/notifications").await.expect(200).json;
    assert_eq!((page["items"][0]["rule"].as_str(), page["items"][0]["alert_id"].clone()), (Some("channel_disabled"), Value::Null));
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM mail WHERE recipient = 't2@cast.example' AND template = 'alert'").await, 1);
    let received = receiver.received().len();
    say(&hub, &of_acme("limit_crossed", "more", Urgency::Warning)).await;
    assert_eq!(receiver.received().len(), received);
    let retry = format!("/me/channels/{id}/deliveries/{}/retry", log[0]["id"].as_str().unwrap());
    hub.post("t2", &retry, json!({})).await.expect(409);
    hub.post("t2", &format!("/me/channels/{id}/test"), json!({})).await.expect(409);
    let path = format!("/me/channels/{id}");
    let on = hub.send("t2", Method::PATCH, &path, Some(json!({"state": "active", "name": "Pager 2"})), &[]).await.expect(200).json;
    assert_eq!((on["state"].as_str(), on["name"].as_str()), (Some("active"), Some("Pager 2")));
    hub.post("t2", &retry, json!({})).await.expect(200);
    hub.post("t2", &format!("/me/channels/{id}/test"), json!({})).await.expect(201);
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(receiver.received().len(), received + 2);
    receiver.answer([410]);
    hub.post("t2", &format!("/me/channels/{id}/test"), json!({})).await.expect(201);
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(state(&hub, "t2").await, "disabled", "gone is gone");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_delivered_to_who_lost_the_right_meanwhile(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, _) = channel(&hub, "t2", &receiver).await;
    receiver.answer([500]);
    say(&hub, &of_acme("limit_crossed", "seats", Urgency::Warning)).await;
    run(&hub, "DELETE FROM assignment WHERE person_id = ?1", params![person("t2")]).await;
    hub.advance(Duration::from_secs(6));
    crate::work(&hub.hub).await.unwrap();
    assert_eq!(receiver.received().len(), 1);
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!(log[0]["status"], "withheld");
    let retry = format!("/me/channels/{id}/deliveries/{}/retry", log[0]["id"].as_str().unwrap());
    hub.post("t2", &retry, json!({})).await.expect(409);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_its_owners_alone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, _) = channel(&hub, "t2", &receiver).await;
    hub.post("t2", &format!("/me/channels/{id}/test"), json!({})).await.expect(201);
    let delivery = deliveries(&hub, "t2", &id).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(hub.get("t3", "/me/channels").await.expect(200).json["total"], 0);
    hub.get("t3", &format!("/me/channels/{id}/deliveries")).await.expect(404);
    hub.post("t3", &format!("/me/channels/{id}/test"), json!({})).await.expect(404);
    hub.post("t3", &format!("/me/channels/{id}/deliveries/{delivery}/retry"), json!({})).await.expect(404);
    hub.send("t3", Method::PATCH, &format!("/me/channels/{id}"), Some(json!({"name": "Mine"})), &[]).await.expect(404);
    hub.delete("t3", &format!("/me/channels/{id}")).await.expect(404);
    let (other, _) = channel(&hub, "t3", &receiver).await;
    hub.post("t3", &format!("/me/channels/{other}/deliveries/{delivery}/retry"), json!({})).await.expect(404);
    let rules = json!({"items": [{"rule": "limit_crossed", "urgency_min": "info", "channels": [id]}], "digest": "off"});
    hub.send("t3", Method::PUT, "/me/notification-rules", Some(rules), &[]).await.expect(422);
    hub.delete("t2", &format!("/me/channels/{id}")).await.expect(204);
    hub.get("t2", &format!("/me/channels/{id}/deliveries")).await.expect(404);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM channel_delivery").await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn webhooks_do_not_lead_inside(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (id, _) = channel(&hub, "t2", &receiver).await;
    // From now on as everywhere but in a lab.
    crate::provide(&hub.hub, &Settings::default(), std::sync::Arc::new(PlainBrands)).unwrap();
    for url in [
        &*receiver.url,
        "https://127.0.0.1/",
        "https://localhost/",
        "https://169.254.169.254/latest",
        "https://user@hooks.example.com/",
        "x",
    ] {
        let body = json!({"kind": "webhook", "name": "Inside", "url": url});
        let refused = hub.post("t2", "/me/channels", body).await.expect(422);
        assert!(refused.wrong_fields().iter().all(|field| field.starts_with("url ")), "{url}");
    }
    hub.post("t2", &format!("/me/channels/{id}/test"), json!({})).await.expect(201);
    crate::work(&hub.hub).await.unwrap();
    // A name that anybody can have lead inside.
    let body = json!({"kind": "webhook", "name": "Named", "url": "https://localhost.example.com/"});
    hub.post("t2", "/me/channels", body).await.expect(201);
    assert!(receiver.received().is_empty());
    let log = deliveries(&hub, "t2", &id).await;
    assert_eq!((log[0]["status"].as_str(), log[0]["error"].as_str()), (Some("waiting"), Some("The address leads inside.")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_secrets_are_sealed_and_channels_are_not_endless(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (hub, receiver) = (hub(engine).await, Receiver::start().await);
    let (_, secret) = channel(&hub, "t2", &receiver).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let stored: Vec<u8> = tx.one("SELECT address FROM channel", params![]).await.unwrap().take().unwrap();
    drop(tx);
    let stored = String::from_utf8_lossy(&stored).into_owned();
    assert!(!stored.contains("/hook") && !stored.contains(&secret));
    for n in 1..20 {
        let body = json!({"kind": "webhook", "name": format!("{n}"), "url": receiver.url});
        hub.post("t2", "/me/channels", body).await.expect(201);
    }
    let body = json!({"kind": "webhook", "name": "One more", "url": receiver.url});
    hub.post("t2", "/me/channels", body).await.expect(409);
}
