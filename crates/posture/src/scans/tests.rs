use rstest::rstest;
use testkit::Engine;

use crate::stage::{Shot, Stage};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_lives_from_new_over_recurring_and_fixed_to_returned(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.import(&Shot::new(0, &["crit-a bucket fail", "b bucket pass", "c host fail"])).await;
    assert_eq!(first["state"], "complete");
    assert_eq!((&first["findings"], &first["failed"], &first["passed"], &first["new"]), (&3.into(), &2.into(), &1.into(), &2.into()));
    let id = stage.finding("crit-a", "bucket").await;
    stage.day(3);
    let second = stage.import(&Shot::new(3, &["crit-a bucket fail", "b bucket pass", "c host pass"])).await;
    assert_eq!((&second["recurring"], &second["fixed"], &second["new"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(
        stage.findings().await,
        ["b bucket: passed recurring 3d", "c host: fixed fixed 3d", "crit-a bucket: open recurring 3d"]
    );
    stage.day(5);
    let third = stage.import(&Shot::new(5, &["b bucket pass"])).await;
    assert_eq!(third["fixed"], 1);
    assert_eq!(
        stage.findings().await,
        ["b bucket: passed recurring 5d", "c host: fixed fixed 5d", "crit-a bucket: fixed fixed 5d"]
    );
    stage.day(8);
    let fourth = stage.import(&Shot::new(8, &["crit-a bucket fail", "b bucket fail"])).await;
    assert_eq!((&fourth["returned"], &fourth["new"], &fourth["fixed"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(
        stage.findings().await,
        ["b bucket: open new 0d", "c host: fixed fixed 8d", "crit-a bucket: open returned 8d"]
    );
    assert_eq!(stage.finding("crit-a", "bucket").await, id, "the same finding, all along");
    let history = stage.acme(&format!("/findings/{id}")).await["history"].clone();
    let outcomes: Vec<&str> = history.as_array().unwrap().iter().map(|seen| seen["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["new", "recurring", "fixed", "returned"]);
}
