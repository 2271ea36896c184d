use std::time::Duration;

use kernel::news::{Of, Said, Urgency};
use kernel::{Error, Timestamp};
use ledger::{SigningKey, hex};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub};

use super::{Issuers, LicenceFile, LicenceId, OperatorActivate, OperatorActivated, Terms, activate_as_operator, warn_due};

const NORTHWIND: &str = "/providers/northwind/tenants";
const CONTOSO: &str = "/providers/contoso/tenants";
const VIEW: &str = "/providers/northwind/msp-licence";
const DAY: Duration = Duration::from_secs(86_400);

fn issuer() -> SigningKey {
    SigningKey::from_secret(&[9; 32])
}

async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    let line = format!("{} Test issuer", hex::encode(&issuer().public_key()));
    super::provide(&hub.hub, Issuers::default().and([line.as_str()]).expect("a key"));
    hub
}

/// A licence from yesterday, for so many tenants and days from now on.
fn licence(tenants_max: Option<i64>, days: i64, begins: Timestamp) -> String {
    let id = LicenceId::new(begins);
    let expires_at = START.plus_days(days);
    let terms = Terms { id, customer: "Northwind IT".into(), tenants_max, issued_at: begins, expires_at, grace_days: 14 };
    LicenceFile::issue(&issuer(), terms).expect("sound terms").text().expect("JSON")
}

async fn activate(hub: &TestHub, licence: String) -> kernel::Result<OperatorActivated> {
    let asked = OperatorActivate { licence, provider_name: None, provider_slug: None, admin: None };
    activate_as_operator(&hub.hub, &asked).await
}

fn new_tenant(slug: &str) -> Value {
    json!({"slug": slug, "name": format!("Client {slug}"), "plan": "Complete"})
}

/// What was said of the licence and not heard yet: whose, urgency, days left, over.
async fn alerts(hub: &TestHub) -> Vec<(Of, Urgency, i64, bool)> {
    let mut tx = hub.hub.system_write("test.hear", "a test hears what was said").await.unwrap();
    let mut heard = Vec::new();
    for (id, said) in tx.news(100).await.unwrap() {
        let Said::Alert(alert) = said else { continue };
        assert_eq!(alert.rule, "licence_expiring");
        heard.push((alert.of, alert.urgency, alert.facts["days_left"].as_i64().unwrap(), alert.is_over));
        tx.heard(id).await.unwrap();
    }
    tx.commit().await.unwrap();
    heard
}

/// Nobody's session has lain idle.
async fn awake(hub: &TestHub) {
    let mut tx = hub.hub.system_write("test.wake", "a test wakes everybody").await.unwrap();
    tx.execute("UPDATE session SET idle_expires_at = expires_at", &[]).await.unwrap();
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_licence_there_is_no_bound(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let seen = hub.get("priya", VIEW).await.expect(200);
    assert_eq!(seen.json, json!({"licence": null, "tenants": {"used": 6, "max": null}, "notice": null}));
    hub.post("priya", NORTHWIND, new_tenant("one")).await.expect(201);
    hub.get("t3", VIEW).await.expect(403);
    assert!(!warn_due(&hub.hub).await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_all_providers_count_archived_ones_too(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let text = licence(Some(7), 365, START.plus_days(-1));
    let activated = activate(&hub, text.clone()).await.unwrap();
    assert!(activated.is_new && activated.provider.is_none());
    assert!(!activate(&hub, text).await.unwrap().is_new, "the same again changes nothing");
    let seen = hub.get("priya", VIEW).await.expect(200).json;
    assert_eq!((&seen["licence"]["state"], &seen["licence"]["issuer_name"]), (&json!("valid"), &json!("Test issuer")));
    assert_eq!(seen["licence"]["issuer"], issuer().id());
    assert_eq!(seen["tenants"], json!({"used": 6, "max": 7}));

    hub.post("carla", CONTOSO, new_tenant("seventh")).await.expect(201);
    hub.post("carla", &format!("{CONTOSO}/seventh/archive"), json!({"reason": "gone"})).await.expect(200);
    let refused = hub.post("priya", NORTHWIND, new_tenant("eighth")).await.expect(409);
    assert_eq!(refused.code(), "licence");
    assert!(refused.json["detail"].as_str().unwrap().contains("for 7 organisations and there are 7"), "{}", refused.json);
    // A repeated call that made a tenant before is not one more.
    let mut again = new_tenant("seventh");
    let made = hub.get("carla", &format!("{CONTOSO}/seventh")).await.expect(200);
    again["id"] = made.json["id"].clone();
    hub.post("carla", CONTOSO, again).await.expect(200);
    // A bigger one lets the next in.
    activate(&hub, licence(Some(8), 365, START)).await.unwrap();
    hub.post("priya", NORTHWIND, new_tenant("eighth")).await.expect(201);
    let entries = hub.control_ledger().await;
    assert!(entries.iter().any(|e| e["action"] == "msp_licence.activate" && e["changes"][0]["before"]["tenants_max"] == 7));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_no_more_get_in_than_there_is_room_for(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    activate(&hub, licence(Some(8), 365, START.plus_days(-1))).await.unwrap();
    let (a, b, c, d) = tokio::join!(
        hub.post("priya", NORTHWIND, new_tenant("one")),
        hub.post("carla", CONTOSO, new_tenant("two")),
        hub.post("priya", NORTHWIND, new_tenant("three")),
        hub.post("carla", CONTOSO, new_tenant("four")),
    );
    let mut statuses = [a.status, b.status, c.status, d.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 409, 409]);
    assert_eq!(hub.get("priya", VIEW).await.json["tenants"], json!({"used": 8, "max": 8}));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_announced_and_after_the_grace_nothing_new_is_made(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    activate(&hub, licence(None, 40, START.plus_days(-1))).await.unwrap();
    assert!(!warn_due(&hub.hub).await.unwrap());
    let mut told = Vec::new();
    for days in [10, 23, 6, 1] {
        hub.advance(DAY * days);
        assert!(warn_due(&hub.hub).await.unwrap());
        assert!(!warn_due(&hub.hub).await.unwrap(), "once each");
        told.push(alerts(&hub).await);
    }
    // Northwind and Contoso; Harbor has Northwind above it.
    assert!(told.iter().all(|alerts| alerts.len() == 2 && alerts.iter().all(|alert| !alert.3)));
    let days: Vec<_> = told.iter().map(|alerts| (alerts[0].1, alerts[0].2)).collect();
    assert_eq!(days, [(Urgency::Info, 30), (Urgency::Warning, 7), (Urgency::Critical, 1), (Urgency::Critical, 0)]);
    assert_eq!(hub.get("priya", VIEW).await.json["licence"]["state"], "grace");
    hub.post("priya", NORTHWIND, new_tenant("in-grace")).await.expect(201);
    hub.advance(DAY * 14);
    awake(&hub).await;
    assert_eq!(hub.get("priya", VIEW).await.json["licence"]["state"], "expired");
    let refused = hub.post("priya", NORTHWIND, new_tenant("late")).await.expect(409);
    assert_eq!(refused.code(), "licence");
    // What runs goes on, and a renewal ends the alert.
    hub.get("priya", &format!("{NORTHWIND}/acme")).await.expect(200);
    activate(&hub, licence(None, 365, START.plus_days(1))).await.unwrap();
    let over = alerts(&hub).await;
    assert!(over.len() == 2 && over.iter().all(|alert| alert.3));
    hub.post("priya", NORTHWIND, new_tenant("late")).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_sound_licence_is_not_activated(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let code = async |text: String| match activate(&hub, text).await {
        Err(Error::Invalid(fields)) => fields[0].code.clone(),
        other => panic!("{other:?}"),
    };
    let sound = licence(Some(7), 365, START.plus_days(-1));
    let foreign = {
        let terms = LicenceFile::read(&sound).unwrap().licence;
        LicenceFile::issue(&SigningKey::from_secret(&[1; 32]), terms).unwrap().text().unwrap()
    };
    assert_eq!(code("{}".into()).await, "not_a_licence");
    assert_eq!(code(foreign).await, "unknown_issuer");
    assert_eq!(code(sound.replace("\"tenants_max\": 7", "\"tenants_max\": 70")).await, "bad_signature");
    assert_eq!(code(licence(None, 365, START.plus_days(1))).await, "not_yet_valid");
    assert_eq!(code(licence(None, -1, START.plus_days(-9))).await, "expired");
    activate(&hub, sound).await.unwrap();
    assert_eq!(code(licence(Some(70), 365, START.plus_days(-2))).await, "superseded");
    let asked = OperatorActivate {
        licence: licence(Some(9), 365, START),
        provider_name: Some("Other".into()),
        provider_slug: None,
        admin: None,
    };
    assert!(
        matches!(activate_as_operator(&hub.hub, &asked).await, Err(Error::Invalid(fields)) if fields[0].code == "not_standalone")
    );
    // Nor by an organisation that has a provider.
    let body = json!({"licence": licence(Some(9), 365, START), "provider_name": "Acme MSP", "provider_slug": "acme-msp"});
    assert_eq!(hub.post("admin", "/tenants/acme/msp-licence", body.clone()).await.expect(409).code(), "conflict");
    hub.post("operator", "/tenants/acme/msp-licence", body).await.expect(403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_row_changed_behind_the_hub_is_worth_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    activate(&hub, licence(Some(7), 365, START.plus_days(-1))).await.unwrap();
    let mut tx = hub.hub.system_write("test.change", "a test changes a row").await.unwrap();
    let sql = "UPDATE msp_licence SET file = replace(file, '\"tenants_max\": 7', '\"tenants_max\": 700')";
    assert_eq!(tx.execute(sql, &[]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let seen = hub.get("priya", VIEW).await.expect(200).json;
    assert_eq!(seen["licence"]["state"], "expired");
    assert!(seen["licence"]["problem"].as_str().unwrap().contains("was changed"));
    assert_eq!(hub.post("priya", NORTHWIND, new_tenant("one")).await.expect(409).code(), "licence");
}
