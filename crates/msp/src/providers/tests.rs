use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

const NORTHWIND: &str = "/providers/northwind";
const SUBS: &str = "/providers/northwind/sub-providers";

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

fn harbor(list: &Answer) -> (String, i64) {
    let sub = list.json["items"].as_array().unwrap().iter().find(|s| s["slug"] == "harbor").unwrap();
    (format!("{SUBS}/{}", sub["id"].as_str().unwrap()), sub["version"].as_i64().unwrap())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn its_own_people_see_it_with_what_they_may_do(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let seen = hub.get("priya", NORTHWIND).await.expect(200);
    assert_eq!(seen.version(), 1);
    assert_eq!(seen.json["role"], "provider_admin");
    assert_eq!((&seen.json["parent"], &seen.json["ceiling"]), (&Value::Null, &Value::Null));
    assert_eq!(seen.json["settings"], json!({"access_mode": "tiered", "sub_providers": true, "staff_shown": "by_name"}));
    assert_eq!(seen.json["can"]["tenant.create"]["allowed"], true);
    let technician = hub.get("t1", NORTHWIND).await.expect(200);
    assert_eq!(technician.json["role"], "technician");
    assert_eq!(technician.json["can"]["tenant.create"]["allowed"], false);
    assert!(!technician.json["can"]["tenant.create"]["why"].as_str().unwrap().is_empty());
    let below = hub.get("harriet", "/providers/harbor").await.expect(200);
    assert_eq!((&below.json["parent"]["name"], &below.json["ceiling"]), (&json!("Northwind IT"), &json!("T3")));
    for who in ["carla", "harriet", "admin"] {
        hub.get(who, NORTHWIND).await.expect(404);
    }
    hub.get("priya", "/providers/harbor").await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn settings_change_what_may_be_done_at_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let change = json!({"name": "Northwind", "settings": {"sub_providers": false, "staff_shown": "by_role"}});
    hub.send("priya", Method::PATCH, NORTHWIND, Some(change.clone()), &[]).await.expect(428);
    let changed = hub.patch("priya", NORTHWIND, 1, change.clone()).await.expect(200);
    assert_eq!(changed.version(), 2);
    assert_eq!(changed.json["name"], "Northwind");
    assert_eq!(changed.json["settings"], json!({"access_mode": "tiered", "sub_providers": false, "staff_shown": "by_role"}));
    assert_eq!(changed.json["can"]["sub_provider.create"]["allowed"], false);
    hub.patch("priya", NORTHWIND, 1, change.clone()).await.expect(412);
    let body = json!({"name": "Quay", "slug": "quay", "ceiling": "T1", "admin_email": "a@quay.example"});
    hub.post("priya", SUBS, body).await.expect(403);
    for (body, want) in [
        (json!({"name": " "}), "name too_short"),
        (json!({"settings": {"access_mode": "anything"}}), "settings.access_mode wrong_type"),
        (json!({"settings": {"staff_shown": "never"}}), "settings.staff_shown wrong_type"),
    ] {
        assert_eq!(hub.patch("priya", NORTHWIND, 2, body).await.expect(422).wrong_fields(), [want]);
    }
    hub.patch("t3", NORTHWIND, 2, change.clone()).await.expect(403);
    hub.patch("carla", NORTHWIND, 2, change).await.expect(404);
    let entry =
        hub.control_ledger().await.into_iter().find(|e| e["action"] == "provider.update" && e["outcome"] == "done").unwrap();
    assert_eq!(entry["changes"][0]["before"]["settings"]["staff_shown"], "by_name");
    assert_eq!(entry["changes"][0]["after"]["settings"]["staff_shown"], "by_role");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sub_provider_begins_with_plans_and_an_invitation(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let body = json!({"name": "Quay Services", "slug": "quay", "ceiling": "T1", "admin_email": "ada@quay.example"});
    let made = hub.post("priya", SUBS, body.clone()).await.expect(201);
    assert_eq!(made.json["provider"]["ceiling"], "T1");
    assert_eq!(made.json["invitation"]["role"], "provider_admin");
    assert!(made.json["invitation"]["url"].as_str().unwrap().starts_with("http://hub.test/invite/"));
    let listed = hub.get("priya", &format!("{SUBS}?q=quay")).await.expect(200);
    assert_eq!(listed.json["items"], json!([made.json["provider"]]));
    let all = hub.get("priya", SUBS).await.expect(200);
    let known = all.json["items"].as_array().unwrap().iter().find(|s| s["slug"] == "harbor").unwrap();
    assert_eq!((&known["client_count"], &known["staff_count"]), (&json!(1), &json!(1)));
    let mut tx = hub.hub.system_read().await.unwrap();
    let mut row =
        tx.one("SELECT COUNT(*) FROM plan p JOIN provider v ON v.id = p.provider_id WHERE v.slug = 'quay'", &[]).await.unwrap();
    assert_eq!(row.take::<i64>().unwrap(), 3);
    drop(tx);
    assert_eq!(hub.post("priya", SUBS, body).await.expect(422).wrong_fields(), ["slug taken"]);
    let wrong = json!({"name": "", "slug": "Q", "ceiling": "T1", "admin_email": "ada"});
    assert_eq!(
        hub.post("priya", SUBS, wrong).await.expect(422).wrong_fields(),
        ["name too_short", "slug not_a_slug", "admin_email not_an_email"]
    );
    hub.get("t3", SUBS).await.expect(403);
    hub.get("carla", SUBS).await.expect(404);
    assert_eq!(hub.get("carla", "/providers/contoso/sub-providers").await.expect(200).json["total"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn providers_nest_so_deep_and_no_higher_than_their_own_ceiling(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (sub, version) = harbor(&hub.get("priya", SUBS).await.expect(200));
    hub.patch("priya", &sub, version, json!({"ceiling": "T2"})).await.expect(200);
    let body =
        |slug: &str, ceiling: &str| json!({"name": "Pier", "slug": slug, "ceiling": ceiling, "admin_email": "a@pier.example"});
    hub.post("harriet", "/providers/harbor/sub-providers", body("pier", "T1")).await.expect(403);
    hub.patch("harriet", "/providers/harbor", version + 1, json!({"settings": {"sub_providers": true}})).await.expect(200);
    let above = hub.post("harriet", "/providers/harbor/sub-providers", body("pier", "T3")).await.expect(422);
    assert_eq!(above.wrong_fields(), ["ceiling above_ceiling"]);
    hub.post("harriet", "/providers/harbor/sub-providers", body("pier", "T2")).await.expect(201);
    // Level two: its own admin (written here directly) cannot go further down.
    let mut tx = hub.hub.system_write("test.set", "an admin for pier").await.unwrap();
    tx.execute("UPDATE provider SET sub_providers = ?1 WHERE slug = 'pier'", kernel::params![true]).await.unwrap();
    tx.execute("UPDATE staff SET provider_id = (SELECT id FROM provider WHERE slug = 'pier'), role = 'provider_admin' WHERE person_id = ?1",
        kernel::params![testkit::person("tech_none")]).await.unwrap();
    tx.commit().await.unwrap();
    let deep = hub.post("tech_none", "/providers/pier/sub-providers", body("deck", "T1")).await.expect(409);
    assert!(deep.json["detail"].as_str().unwrap().contains("at most 2 levels"));
    // A tenant of the lowest is known all the way up, with what each lets through.
    let new = json!({"slug": "quill", "name": "Quill & Co", "plan": "Complete"});
    let made = hub.post("tech_none", "/providers/pier/tenants", new).await.expect(201);
    assert_eq!(made.json["relationship"]["tier"], "T2");
    for (who, provider) in [("harriet", "harbor"), ("priya", "northwind")] {
        let seen = hub.get(who, &format!("/providers/{provider}/tenants/quill")).await.expect(200);
        assert_eq!((&seen.json["relationship"]["tier"], &seen.json["via"]["name"]), (&json!("T2"), &json!("Pier")), "{who}");
        let client = hub.get(who, &format!("/providers/{provider}/clients?q=quill")).await.expect(200);
        assert_eq!(client.json["items"][0]["tier"], "T2");
        assert_eq!(client.json["items"][0]["enter"]["allowed"], true);
    }
    let client = hub.get("tech_none", "/providers/pier/clients").await.expect(200);
    assert_eq!((&client.json["items"][0]["tier"], &client.json["items"][0]["via"]), (&json!("T2"), &Value::Null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_sub_provider_is_stopped_and_its_parent_is_not(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let (sub, version) = harbor(&hub.get("priya", SUBS).await.expect(200));
    hub.send("priya", Method::PATCH, &sub, Some(json!({"state": "suspended"})), &[]).await.expect(428);
    let suspended = hub.patch("priya", &sub, version, json!({"state": "suspended", "name": "Harbor"})).await.expect(200);
    assert_eq!((&suspended.json["state"], &suspended.json["name"]), (&json!("suspended"), &json!("Harbor")));
    assert_eq!(suspended.version(), version + 1);
    hub.patch("priya", &sub, version, json!({"state": "active"})).await.expect(412);
    hub.get("harriet", "/providers/harbor/clients").await.expect(403);
    hub.get("harriet", "/providers/harbor").await.expect(200);
    let client = hub.get("priya", "/providers/northwind/clients?q=birch").await.expect(200);
    assert_eq!(client.json["items"][0]["enter"]["allowed"], true);
    // Only what is directly below: not itself, not another's.
    for path in [format!("{SUBS}/northwind"), format!("{SUBS}/contoso"), format!("{SUBS}/nothing")] {
        hub.patch("priya", &path, 1, json!({"state": "suspended"})).await.expect(404);
    }
    hub.patch("carla", "/providers/contoso/sub-providers/harbor", 1, json!({"state": "active"})).await.expect(404);
    hub.patch("priya", &sub, version + 1, json!({"state": "closed"})).await.expect(422);
    hub.patch("priya", &format!("{SUBS}/harbor"), version + 1, json!({"state": "active"})).await.expect(200);
    hub.get("harriet", "/providers/harbor/clients").await.expect(200);
}
