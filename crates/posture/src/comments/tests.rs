use rstest::rstest;
use serde_json::json;
use testkit::{ACME, Engine, ZETA};

use crate::stage::{Shot, Stage};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_comment_keeps_who_said_it_and_as_what(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let id = stage.finding("a", "x").await;
    let path = format!("/tenants/{ACME}/findings/{id}/comments");
    for (who, acted_as) in [("operator", "operator"), ("auditor", "auditor"), ("t2", "Northwind IT staff · T2")] {
        let comment = stage.post(who, &path, json!({ "text": format!("said by {who}") })).await.expect(201).json;
        assert_eq!((&comment["author"]["name"], &comment["author"]["as"]), (&who.into(), &acted_as.into()));
    }
    let view = stage.acme(&format!("/findings/{id}")).await;
    assert_eq!(view["comments"], 3);
    let texts: Vec<_> = view["comments_list"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, ["said by operator", "said by auditor", "said by t2"]);
    for who in ["viewer", "t1", "t0", "tech_view"] {
        stage.post(who, &path, json!({ "text": "not allowed" })).await.expect(403);
    }
    assert_eq!(stage.post("auditor", &path, json!({ "text": "  " })).await.expect(422).wrong_fields(), ["text too_short"]);
    assert_eq!(
        stage.post("auditor", &path, json!({ "text": "x".repeat(5_001) })).await.expect(422).wrong_fields(),
        ["text too_long"]
    );
    let foreign =
        stage.post("other_admin", &format!("/tenants/{ZETA}/findings/{id}/comments"), json!({ "text": "hello" })).await.expect(404);
    let unknown = format!("/tenants/{ZETA}/findings/{}/comments", crate::FindingId::new(testkit::START));
    assert_eq!(foreign.bytes, stage.post("other_admin", &unknown, json!({ "text": "hello" })).await.expect(404).bytes);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_read_staff_by_role_when_the_provider_says_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let id = stage.finding("a", "x").await;
    stage.post("t2", &format!("/tenants/{ACME}/findings/{id}/comments"), json!({ "text": "ours" })).await.expect(201);
    let mut tx = stage.hub.system_write("test.setting", "staff are shown by role").await.unwrap();
    tx.execute("UPDATE provider SET staff_shown = 'by_role'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let author = |view: serde_json::Value| view["comments_list"][0]["author"]["name"].as_str().unwrap().to_owned();
    assert_eq!(author(stage.acme(&format!("/findings/{id}")).await), "Northwind IT staff · T2");
    assert_eq!(author(stage.get("t3", &format!("/tenants/{ACME}/findings/{id}")).await.expect(200).json), "t2");
    let people = stage.acme("/assignees").await;
    assert_eq!(people["items"][2]["name"], "Northwind IT staff · T2");
}
