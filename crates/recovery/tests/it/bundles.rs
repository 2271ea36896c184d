//! A tenant carried from one installation to another.

use std::path::PathBuf;

use kernel::door::ChainId;
use kernel::{Error, params};
use recovery::bundles::{self, Into};
use rstest::rstest;
use serde_json::json;
use testkit::{Engine, tenant};

use crate::stage::{Stage, whole};

const PASSPHRASE: &str = "a lantern in the harbour";

fn into(provider: &str) -> Into {
    Into { provider: provider.into(), slug: None, plan: None, reason: "They moved to us".into() }
}

fn secret(text: &str) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(text.to_owned())
}

/// A hub of the cast that Acme was never on.
async fn elsewhere(engine: Engine) -> Stage {
    let stage = Stage::new(engine).await;
    let mut tx = stage.hub.hub.system_write("test.set", "Acme was never here").await.unwrap();
    for table in ["member", "assignment", "relationship"] {
        tx.execute(&format!("DELETE FROM {table} WHERE tenant_id = ?1"), params![tenant("acme")]).await.unwrap();
    }
    tx.execute("DELETE FROM tenant WHERE id = ?1", params![tenant("acme")]).await.unwrap();
    tx.commit().await.unwrap();
    stage.hub.hub.destroy_tenant_store(tenant("acme")).await.unwrap();
    stage
}

async fn exported(stage: &Stage) -> (PathBuf, Vec<u8>) {
    let answer = stage.post("admin", "/tenants/acme/bundle", json!({ "passphrase": PASSPHRASE })).await.expect(200);
    assert!(answer.headers["content-disposition"].to_str().unwrap().contains("acme-2026-11-21.tbundle"));
    let path = stage.spool.path().join("acme.tbundle");
    std::fs::write(&path, &answer.bytes).unwrap();
    (path, answer.bytes)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_moves_a_tenant_with_its_ledger_to_the_other_engine(
    #[values((Engine::Sqlite, Engine::Postgres), (Engine::Postgres, Engine::Sqlite))] engines: (Engine, Engine),
) {
    let (from, to) = (Stage::new(engines.0).await, elsewhere(engines.1).await);
    from.scan("admin", "acme", 1, 60, 10).await.expect(201);
    from.comment("admin", "acme", "we are about to move").await;
    from.hub.hub.checkpoint(ChainId::Tenant(tenant("acme"))).await.unwrap().expect("its head is signed");
    let (path, _) = exported(&from).await;
    let there = whole(&from.hub.hub, tenant("acme")).await;
    let imported = bundles::import(&to.hub.hub, &path, secret(PASSPHRASE), into("contoso")).await.unwrap();
    assert_eq!((imported.tenant, imported.slug.as_str()), (tenant("acme"), "acme"));
    let mut invited: Vec<_> = imported.invite.iter().map(|one| (one.email.as_str(), one.role.as_str())).collect();
    invited.sort_unstable();
    let roles = ["admin", "auditor", "operator", "viewer"];
    assert_eq!(invited.iter().map(|(_, role)| *role).collect::<Vec<_>>(), roles);
    let here = whole(&to.hub.hub, tenant("acme")).await;
    for table in ["finding", "comment", "scan", "control", "finding_history"] {
        assert_eq!(here[table], there[table], "{table}");
    }
    assert!(there["ledger"].iter().all(|entry| here["ledger"].contains(entry)));
    to.verify_tenant_ledger("acme").await;
    // Signed heads of another installation do not verify here: the newest is named, and the chain is signed anew.
    to.hub.hub.checkpoint(ChainId::Tenant(tenant("acme"))).await.unwrap().expect("its head is signed");
    let mut tx = to.hub.hub.system_write("test.set", "a tier that reads the ledger").await.unwrap();
    tx.execute("UPDATE relationship SET tier = 3 WHERE tenant_id = ?1", params![tenant("acme")]).await.unwrap();
    tx.commit().await.unwrap();
    let checked = to.get("carla", "/tenants/acme/ledger/verify").await.expect(200);
    assert_eq!(checked.json["ok"], true, "{}", checked.json);
    let ledger = to.tenant_ledger("acme").await;
    assert!(ledger.iter().any(|entry| entry["action"] == "bundle.export" && entry["actor"]["name"] == "admin"));
    let entry =
        ledger.iter().find(|entry| entry["action"] == "tenant.imported" && entry["changes"][0]["kind"] == "tenant_data").unwrap();
    assert_eq!(entry["reason"], "They moved to us");
    assert!(entry["changes"][0]["after"]["origin"]["checkpoint"]["signature"].is_string(), "{entry}");
    // Its new provider reaches it, its old people do not.
    assert_eq!(to.findings("carla", "acme").await.len(), 60);
    to.get("admin", "/tenants/acme/findings").await.expect(404);
    let finding = to.findings("carla", "acme").await[0]["id"].as_str().unwrap().to_owned();
    let view = to.get("carla", &format!("/tenants/acme/findings/{finding}")).await.expect(200);
    assert!(view.json["evidence"]["resource_data"]["secret"].as_str().unwrap().contains("of acme"));
    let again = bundles::import(&to.hub.hub, &path, secret(PASSPHRASE), into("contoso")).await;
    assert!(matches!(&again, Err(Error::Conflict(text)) if text.contains("exists here")), "{again:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_right_is_refused_and_leaves_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let (from, to) = (Stage::new(Engine::Sqlite).await, elsewhere(engine).await);
    from.scan("admin", "acme", 1, 60, 10).await.expect(201);
    let (path, bytes) = exported(&from).await;
    let hub = &to.hub.hub;
    let refused = async |passphrase: &str, into: Into| bundles::import(hub, &path, secret(passphrase), into).await.unwrap_err();
    assert!(matches!(refused("another passphrase", into("contoso")).await, Error::Conflict(text) if text.contains("passphrase")));
    assert!(matches!(refused(PASSPHRASE, into("nobody")).await, Error::Invalid(_)));
    assert!(matches!(refused(PASSPHRASE, Into { slug: Some("No Slug".into()), ..into("contoso") }).await, Error::Invalid(_)));
    assert!(
        matches!(refused(PASSPHRASE, Into { slug: Some("zeta".into()), ..into("contoso") }).await, Error::Conflict(text) if text.contains("--slug"))
    );
    assert!(
        matches!(refused(PASSPHRASE, Into { plan: Some("Gold".into()), ..into("contoso") }).await, Error::Conflict(text) if text.contains("plan"))
    );
    let mut broken = bytes.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    std::fs::write(&path, &broken).unwrap();
    assert!(matches!(refused(PASSPHRASE, into("contoso")).await, Error::Conflict(_)));
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(refused(PASSPHRASE, into("contoso")).await, Error::Conflict(_)));
    let made = from.backup().await;
    let backup = from.place.path().join(made.file);
    assert!(
        matches!(bundles::import(hub, &backup, secret(PASSPHRASE), into("contoso")).await, Err(Error::Conflict(text)) if text.contains("restore"))
    );
    let mut tx = hub.system_read().await.unwrap();
    for table in ["tenant_arriving", "relationship"] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = ?1");
        assert_eq!(tx.one(&sql, params![tenant("acme")]).await.unwrap().take::<i64>().unwrap(), 0, "{table}");
    }
    drop(tx);
    std::fs::write(&path, &bytes).unwrap();
    let renamed = Into { slug: Some("acme-two".into()), plan: Some("Basic".into()), ..into("contoso") };
    assert_eq!(bundles::import(hub, &path, secret(PASSPHRASE), renamed).await.unwrap().slug, "acme-two");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_the_tenants_own_admin_takes_it_out(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let body = || json!({ "passphrase": PASSPHRASE });
    for who in ["priya", "t3", "operator", "auditor", "viewer", "disabled"] {
        stage.post(who, "/tenants/acme/bundle", body()).await.expect(403);
    }
    for who in ["other_admin", "carla", "harriet"] {
        stage.post(who, "/tenants/acme/bundle", body()).await.expect(404);
    }
    stage.post("nobody", "/tenants/acme/bundle", body()).await.expect(401);
    let short = stage.post("admin", "/tenants/acme/bundle", json!({ "passphrase": "short" })).await.expect(422);
    assert_eq!(short.wrong_fields(), ["passphrase too_short"]);
    let out = stage.spool.path().join("by-operator.tbundle");
    let written = bundles::export_to_file(&stage.hub.hub, "acme", &out, secret(PASSPHRASE)).await.unwrap();
    assert_eq!(std::fs::metadata(&out).unwrap().len(), written.bytes);
    assert!(matches!(bundles::export_to_file(&stage.hub.hub, "acme", &out, secret(PASSPHRASE)).await, Err(Error::Conflict(_))));
}
