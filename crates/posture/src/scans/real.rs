//! Files that real scanners wrote, when they are at hand: they are others' and not part of the project.

use std::path::PathBuf;

use rstest::rstest;
use serde_json::Value;
use testkit::{ACME, Engine};

use crate::stage::Stage;

/// The bytes of a shared file, or a word on why the test shows nothing.
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("{} is not here: nothing is shown", path.display());
    }
    bytes
}

async fn import(stage: &Stage, name: &str) -> Option<Value> {
    let bytes = shared(name)?;
    let path = format!("/tenants/{ACME}/scans?file={name}");
    Some(stage.upload("admin", &path, bytes).await.expect(201).json)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn prowler_on_an_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let Some(scan) = import(&stage, "prowler5.46-aws-moto.ocsf.json").await else { return };
    let counts: Vec<i64> =
        ["findings", "passed", "failed", "manual", "new", "merged"].iter().map(|name| scan[name].as_i64().unwrap()).collect();
    assert_eq!(counts, [402, 229, 171, 2, 171, 0]);
    // 105 controls: 50 fail, 53 pass, 2 are manual. 53 of 103.
    assert_eq!(scan["score"], 51.5);
    let controls = stage.acme("/controls").await;
    assert_eq!(controls["total"], 105);
    for (status, total) in [("failed", 50), ("passed", 53), ("manual", 2)] {
        assert_eq!(stage.acme(&format!("/controls?status={status}")).await["total"], total, "{status}");
    }
    let list = stage.acme("/findings").await;
    assert_eq!(list["total"], 171);
    let status: i64 = list["facets"]["status"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    let severity: i64 = list["facets"]["severity"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!((status, severity), (402, 171));
    assert!(list["facets"]["framework"].as_array().unwrap().len() > 5);
    let id = list["items"][0]["id"].as_str().unwrap();
    let view = stage.acme(&format!("/findings/{id}")).await;
    assert!(view["evidence"].is_object() && view["remediation"].is_string() && !view["frameworks"].as_array().unwrap().is_empty());
    assert_eq!(stage.summary().await.frameworks.len(), 12);

    let Some(full) = import(&stage, "prowler5.46-aws-moto-full.ocsf.json.xz").await else { return };
    let n = |name: &str| full[name].as_i64().unwrap();
    assert_eq!(n("findings") + n("merged"), 2_954);
    assert_eq!(n("passed") + n("failed") + n("manual"), n("findings"));
    assert_eq!(n("new") + n("recurring") + n("returned"), n("failed"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_host_and_a_repository_beside_the_account(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let Some(first) = import(&stage, "openscap-thismachine-standard-testresult.xml").await else { return };
    let Some(other) = import(&stage, "openscap-thismachine-anssi_np_nt28_high-testresult.xml").await else { return };
    let Some(code) = import(&stage, "checkov3.3.30-terraform.sarif").await else { return };
    for scan in [&first, &other, &code] {
        let n = |name: &str| scan[name].as_i64().unwrap();
        assert_eq!(n("passed") + n("failed") + n("manual"), n("findings"), "{scan}");
        assert_eq!(n("new"), n("failed"));
        assert_eq!(n("fixed"), 0, "another profile, another source");
        assert!(scan["score"].is_number());
    }
    assert_eq!(code["failed"].as_i64().unwrap() + code["merged"].as_i64().unwrap(), 35, "Checkov writes what fails only");
    let failed: i64 = [&first, &other, &code].iter().map(|scan| scan["failed"].as_i64().unwrap()).sum();
    assert_eq!(stage.acme("/findings").await["total"], failed);
    assert_eq!(stage.acme("/scans").await["total"], 3);
}
