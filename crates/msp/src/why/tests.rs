//! The explainer, on both engines.

use rstest::rstest;
use serde_json::json;
use testkit::{Engine, TestHub, person};

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_yes_and_a_no_name_the_grant_and_the_policy(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let ask = async |who: &str, action: &str| {
        hub.get("admin", &format!("/tenants/acme/why?person={}&action={action}", person(who))).await.expect(200).json
    };
    let yes = ask("t2", "override.create").await;
    assert_eq!((&yes["allowed"], &yes["policy"]), (&json!(true), &json!("reach.assigned")));
    assert_eq!((&yes["through"][0]["source"], &yes["through"][0]["tier"]), (&json!("assignment"), &json!("T2")));
    let no = ask("t1", "override.create").await;
    assert_eq!((&no["allowed"], &no["why"]), (&json!(false), &json!("Your assignment is below T2 Operate.")));
    assert!(no["needs"].as_str().unwrap().contains("T2 Operate"));
    let key = ask("admin", "api_key.create").await;
    assert_eq!((&key["allowed"], &key["step_up"]), (&json!(true), &json!(true)));
    // By address, too; who holds nothing here is as unknown as who does not exist.
    let by_mail = hub.get("admin", "/tenants/acme/why?person=T2@northwind.example&action=finding.list").await.expect(200).json;
    let stranger = ask("carla", "finding.list").await;
    let nobody = hub.get("admin", "/tenants/acme/why?person=x@y.example&action=finding.list").await.expect(200).json;
    assert_eq!(stranger, nobody);
    assert_eq!(stranger["known"], false);
    assert!(by_mail["known"].is_boolean());
    let wrong = hub.get("admin", "/tenants/acme/why?person=x&action=finding.eat").await.expect(422);
    assert_eq!(wrong.wrong_fields(), ["action unknown"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_row_matters_where_it_is_protected(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let mut tx = hub.hub.system_read().await.unwrap();
    let mut row =
        tx.one("SELECT m.id FROM member m JOIN person p ON p.id = m.person_id WHERE p.name = 'admin'", &[]).await.unwrap();
    let id: uuid::Uuid = row.take().unwrap();
    drop(tx);
    let path = format!("/tenants/acme/why?person={}&action=member.remove&member=mem_{}", person("admin"), id.simple());
    let no = hub.get("auditor", &path).await.expect(200).json;
    assert_eq!((&no["allowed"], &no["policy"]), (&json!(false), &json!("stop.last_admin")));
    let elsewhere = hub.get("other_admin", &path.replace("acme", "zeta")).await.expect(422);
    assert_eq!(elsewhere.wrong_fields(), ["member unknown"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_can_and_what_can_agree_with_may(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let who = hub.get("admin", "/tenants/acme/why/people?action=override.create").await.expect(200).json;
    let names: Vec<_> = who["items"].as_array().unwrap().iter().map(|item| item["person"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["admin", "auditor", "priya", "t2", "t3"]);
    let page = hub.get("admin", "/tenants/acme/why/people?action=override.create&limit=2&allowed=all").await.expect(200).json;
    let next = hub
        .get(
            "admin",
            &format!(
                "/tenants/acme/why/people?action=override.create&limit=200&allowed=all&cursor={}",
                page["next"].as_str().unwrap()
            ),
        )
        .await
        .expect(200)
        .json;
    assert_eq!(page["total"].as_u64().unwrap() as usize, 2 + next["items"].as_array().unwrap().len());
    let what = hub.get("admin", &format!("/tenants/acme/why/actions?person={}", person("t2"))).await.expect(200).json;
    let can = hub.get("t2", "/tenants/acme/context").await.expect(200).json["can"].clone();
    for item in what["items"].as_array().unwrap() {
        assert_eq!(item["allowed"], can[item["name"].as_str().unwrap()]["allowed"], "{item}");
    }
    for (caller, status) in [("auditor", 200), ("t3", 200), ("operator", 403), ("t2", 403), ("other_admin", 404)] {
        assert_eq!(hub.get(caller, "/tenants/acme/why/people?action=override.create").await.status, status, "{caller}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_asks_about_its_own_staff_only(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let ask = async |who: &str| {
        let path = format!("/providers/northwind/tenants/acme/why?person={}&action=scan.import", person(who));
        hub.get("priya", &path).await.expect(200).json
    };
    assert_eq!(ask("t3").await["allowed"], true);
    assert_eq!(ask("admin").await["known"], false);
    let list = hub.get("priya", "/providers/northwind/why?action=scan.import").await.expect(200).json;
    let acme = list["items"].as_array().unwrap().iter().find(|item| item["tenant"]["slug"] == "acme").unwrap();
    let names: Vec<_> = acme["people"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["priya", "t2", "t3"]);
    let frost = list["items"].as_array().unwrap().iter().find(|item| item["tenant"]["slug"] == "frost").unwrap();
    assert_eq!(frost["people"], json!([]));
    hub.get("t3", "/providers/northwind/why?action=scan.import").await.expect(403);
    hub.get("carla", "/providers/northwind/why?action=scan.import").await.expect(404);
    let at_machine = super::cli::who(&hub.hub, "acme", "scan.import").await.unwrap();
    assert_eq!(at_machine.len(), 4);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_who_would_gain_what_and_then_it_is_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let relationship = "/providers/northwind/tenants/acme/relationship";
    hub.patch("priya", relationship, 1, json!({"tier": "T1"})).await.expect(200);
    let body = json!({"tenants": ["acme", "frost", "nope", "zeta"], "tier": "T2"});
    let preview = hub.post("priya", "/providers/northwind/relationships/preview", body).await.expect(200).json;
    assert_eq!(preview["unknown"], json!(["nope", "zeta"]));
    let acme = &preview["tenants"][0];
    assert_eq!((&acme["from"], &acme["to"], &acme["consent_needed"]), (&json!("T1"), &json!("T2"), &json!(true)));
    let gains = |name: &str| {
        let row = acme["people"].as_array().unwrap().iter().find(|p| p["name"] == name)?;
        Some(row["gains"].as_array().unwrap().iter().any(|act| act == "override.create"))
    };
    assert_eq!((gains("t2"), gains("t3"), gains("t1"), gains("admin")), (Some(true), Some(true), None, None));
    // Nothing was changed by asking.
    let may = async |who: &str| {
        hub.get(who, "/tenants/acme/context").await.expect(200).json["can"]["override.create"]["allowed"].as_bool().unwrap()
    };
    assert!(!may("t2").await);
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    tx.execute("UPDATE relationship SET tier = 2 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')", &[])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for (who, then) in [("t1", false), ("t2", true), ("t3", true)] {
        assert_eq!(may(who).await, then, "{who}");
    }
}
