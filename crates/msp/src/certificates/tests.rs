//! What a purge leaves: a certificate that is checked without the hub. On both engines.

use ::ledger::{Certificate, KeyProblem};
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, person, tenant};

const LIST: &str = "/providers/northwind/certificates";
const ACME: &str = "/providers/northwind/tenants/acme";

async fn purge(hub: &TestHub) -> Value {
    let mut tx = hub.hub.system_write("test.window", "no archive window").await.unwrap();
    tx.execute("UPDATE provider SET immediate_purge = true", &[]).await.unwrap();
    tx.commit().await.unwrap();
    hub.post("admin", "/tenants/acme/purge-request", json!({"reason": "We leave"})).await.expect(200);
    hub.post("priya", &format!("{ACME}/archive"), json!({"reason": "They left"})).await.expect(200);
    hub.post("priya", &format!("{ACME}/purge"), json!({"name": "Acme Dental Group"})).await.expect(200).json
}

async fn first_key(hub: &TestHub) -> [u8; 32] {
    hub.hub.signing_keys().await.unwrap()[0].public_key
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_issues_a_certificate_that_holds_and_a_changed_one_does_not(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = TestHub::start(engine, crate::router()).await;
    let export = hub.get("admin", "/tenants/acme/ledger/export").await.expect(200);
    let purged = purge(&hub).await;
    let path = format!("{LIST}/{}", purged["certificate"].as_str().unwrap());
    let file = hub.get("priya", &path).await.expect(200);
    assert!(file.headers["content-disposition"].to_str().unwrap().ends_with(".json\""));
    let certificate: Certificate = serde_json::from_slice(&file.bytes).unwrap();
    assert_eq!(certificate.check(&[first_key(&hub).await]), Ok(()));
    let said = &certificate.statement;
    assert_eq!(
        (said.tenant.clone(), said.name.as_str(), said.slug.as_str()),
        (tenant("acme").to_string(), "Acme Dental Group", "acme")
    );
    assert_eq!((said.by.id.clone(), said.provider.name.as_str()), (person("priya").to_string(), "Northwind IT"));
    assert!(said.data_key_destroyed);
    assert_eq!(said.second.as_ref().map(|second| second.id.clone()), Some(person("admin").to_string()));
    assert_eq!(said.removed.files, purged["files_removed"].as_u64());
    assert_eq!((said.removed.members, said.removed.relationships), (5, 1));
    let head = said.ledger.clone().unwrap();
    assert_eq!(head.chain, tenant("acme").to_string());
    // What was exported before the purge lies on the chain whose end the certificate names: the request, archive and purge came after it.
    let report = ::ledger::verify(&export.bytes[..], &::ledger::Trust::default()).unwrap();
    assert_eq!(head.seq, report.entries + 3);

    let mut other = certificate.clone();
    other.statement.removed.members = 4;
    assert_eq!(other.check(&[]), Err(KeyProblem::Signature));
    let mut other = certificate.clone();
    other.statement.ledger.as_mut().unwrap().seq += 1;
    assert!(other.check(&[]).is_err());
    assert_eq!(certificate.check(&[[1; 32]]), Err(KeyProblem::Foreign));

    let mut tx = hub.hub.system_read().await.unwrap();
    let left = tx.one("SELECT COUNT(*) FROM tenant_checkpoint WHERE tenant_id = ?1", params![tenant("acme")]).await;
    assert_eq!(left.unwrap().take::<i64>().unwrap(), 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_purged_or_held_it_see_a_certificate(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    assert_eq!(hub.get("priya", LIST).await.expect(200).json["total"], 0);
    let id = purge(&hub).await["certificate"].clone();
    let birch = "/providers/northwind/tenants/birch";
    hub.advance(std::time::Duration::from_secs(1));
    hub.post("priya", &format!("{birch}/archive"), json!({"reason": "They left"})).await.expect(200);
    let name = hub.get("priya", birch).await.expect(200).json["name"].clone();
    let wish = json!({"reason": "They left", "name": name});
    hub.post("harriet", "/providers/harbor/tenants/birch/purge-request", wish).await.expect(200);
    hub.post("priya", &format!("{birch}/purge"), json!({"name": name})).await.expect(200);

    let page = hub.get("priya", &format!("{LIST}?limit=1")).await.expect(200).json;
    assert_eq!((&page["total"], &page["items"][0]["name"]), (&json!(2), &name));
    let rest = hub.get("priya", &format!("{LIST}?limit=1&cursor={}", page["next"].as_str().unwrap())).await.expect(200).json;
    let acme = &rest["items"][0];
    assert_eq!((&acme["id"], &acme["by"], &acme["tenant"]), (&id, &json!("priya"), &json!(tenant("acme").to_string())));
    assert_eq!(
        (&acme["purged_at"], &acme["completed_at"]),
        (&json!("2026-11-21T09:00:00.000000Z"), &json!("2026-11-21T09:00:00.000000Z"))
    );
    assert_eq!(hub.get("priya", &format!("{LIST}?q=dental&sort=name")).await.expect(200).json["total"], 1);
    // Harbor held Birch.
    let held = hub.get("harriet", "/providers/harbor/certificates").await.expect(200).json;
    assert_eq!((&held["total"], &held["items"][0]["name"]), (&json!(1), &name));

    let one = id.as_str().unwrap();
    assert_eq!(hub.get("harriet", &format!("/providers/harbor/certificates/{one}")).await.status, 404);
    assert_eq!(hub.get("carla", &format!("/providers/contoso/certificates/{one}")).await.status, 404);
    // The organisation's own people belonged nowhere else: the purge forgot them.
    for (who, status) in [("t3", 403), ("carla", 404), ("admin", 401), ("nobody", 401)] {
        assert_eq!(hub.get(who, LIST).await.status, status, "{who}");
        assert_eq!(hub.get(who, &format!("{LIST}/{one}")).await.status, status, "{who}");
    }
    assert_eq!(hub.get("priya", &format!("{LIST}/crt_01999999999970009999999999999999")).await.status, 404);
    assert_eq!(hub.get("priya", &format!("{LIST}?sort=x")).await.expect(422).wrong_fields(), ["sort unknown"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_signed_when_an_interrupted_purge_is_finished(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let id = purge(&hub).await["certificate"].as_str().unwrap().to_owned();
    // As a crash after the purge's commit leaves it: drafted, not signed.
    let mut tx = hub.hub.system_write("test.crash", "nothing was finished").await.unwrap();
    tx.execute("UPDATE certificate SET completed_at = NULL, key_id = NULL, signature = NULL", &[]).await.unwrap();
    tx.execute("UPDATE tenant SET purge_after = 1 WHERE id = ?1", params![tenant("acme")]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(hub.get("priya", &format!("{LIST}/{id}")).await.expect(409).code(), "conflict");
    assert_eq!(hub.get("priya", LIST).await.expect(200).json["items"][0]["completed_at"], Value::Null);
    hub.advance(std::time::Duration::from_secs(60));
    assert_eq!(crate::tenants::finish_purges(&hub.hub).await.unwrap(), 1);
    let certificate: Certificate =
        serde_json::from_slice(&hub.get("priya", &format!("{LIST}/{id}")).await.expect(200).bytes).unwrap();
    assert_eq!(certificate.check(&[first_key(&hub).await]), Ok(()));
    assert_eq!(certificate.statement.completed_at, "2026-11-21T09:01:00.000000Z");
    assert_eq!(certificate.statement.removed.files, None, "nobody counted");
}
