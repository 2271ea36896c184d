//! The rules of templates, on both engines.

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const TEMPLATES: &str = "/providers/northwind/elevation-templates";

fn body(otherwise: Value) -> Value {
    let mut body = json!({
        "name": "Credential rotation", "description": " New keys ", "tier": null, "actions": ["member.invite", "override.create"],
        "modules": ["compliance"], "minutes_max": 30, "approver": "both", "ticket": true, "step_up": true,
    });
    for (field, value) in otherwise.as_object().expect("an object") {
        body[field] = value.clone();
    }
    body
}

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_made_changed_retired_and_brought_back(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let made = hub.post("priya", TEMPLATES, body(json!({}))).await.expect(201);
    assert_eq!((made.version(), made.json["description"].as_str(), &made.json["tier"]), (1, Some("New keys"), &Value::Null));
    assert_eq!(made.json["actions"], json!(["member.invite", "override.create"]));
    let path = format!("{TEMPLATES}/{}", made.json["id"].as_str().unwrap());
    hub.send("priya", Method::PATCH, &path, Some(json!({"minutes_max": 45})), &[]).await.expect(428);
    hub.patch("priya", &path, 2, json!({"minutes_max": 45})).await.expect(412);
    let changed = hub.patch("priya", &path, 1, json!({"minutes_max": 45, "tier": "T2", "actions": []})).await.expect(200);
    assert_eq!((changed.version(), &changed.json["minutes_max"], &changed.json["tier"]), (2, &json!(45), &json!("T2")));
    assert_eq!(changed.json["name"], "Credential rotation");
    // Without its tier it would open nothing.
    let fields = hub.patch("priya", &path, 2, json!({"tier": null})).await.expect(422).wrong_fields();
    assert_eq!(fields, ["actions too_few"]);
    hub.send("priya", Method::DELETE, &path, None, &[]).await.expect(428);
    hub.send("priya", Method::DELETE, &path, None, &[("if-match", "\"2\"")]).await.expect(204);
    hub.send("priya", Method::DELETE, &path, None, &[("if-match", "\"3\"")]).await.expect(409);
    for (state, total) in [("active", 0), ("retired", 1), ("", 1)] {
        let list = hub.get("t0", &format!("{TEMPLATES}?state={state}")).await.expect(200).json;
        assert_eq!(list["total"], total, "{state}");
    }
    // It keeps its name; brought back it can be asked for again.
    let again = hub.post("priya", TEMPLATES, body(json!({"name": "credential rotation"}))).await.expect(422);
    assert_eq!(again.wrong_fields(), ["name taken"]);
    assert_eq!(hub.patch("priya", &path, 3, json!({"state": "active"})).await.expect(200).json["state"], "active");
    let ledger = hub.control_ledger().await;
    let done: Vec<&str> = ledger.iter().filter(|e| e["outcome"] == "done").filter_map(|e| e["action"].as_str()).collect();
    let update = "elevation_template.update";
    assert_eq!(done, ["test.cast", "elevation_template.create", update, "elevation_template.delete", update]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_template_cannot_be_is_said_by_field(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for (otherwise, fields) in [
        (json!({"name": " ", "minutes_max": 0}), vec!["name too_short", "minutes_max out_of_range"]),
        (json!({"minutes_max": 1441}), vec!["minutes_max out_of_range"]),
        (json!({"tier": "T0"}), vec!["tier raises_nothing"]),
        (json!({"tier": "T4"}), vec!["tier wrong_type"]),
        (json!({"actions": []}), vec!["actions too_few"]),
        (json!({"approver": "operator"}), vec!["approver unknown"]),
        (json!({"approver": "nobody"}), vec!["approver wrong_type"]),
        (json!({"modules": []}), vec!["modules module_missing"]),
        // What only persons or only provider admins do, what no tier opens, what is not done inside, what does not exist.
        (
            json!({"actions": ["member.grant_admin", "api_key.create", "api_key.list", "provider_access.freeze", "staff.list", "x"]}),
            vec![
                "actions.1 not_elevatable",
                "actions.2 not_elevatable",
                "actions.3 not_elevatable",
                "actions.4 not_elevatable",
                "actions.5 not_elevatable",
            ],
        ),
    ] {
        let answer = hub.post("priya", TEMPLATES, body(otherwise.clone())).await.expect(422);
        assert_eq!(answer.wrong_fields(), fields, "{otherwise}");
    }
    hub.post("priya", TEMPLATES, body(json!({"actions": ["member.grant_admin"], "modules": []}))).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn staff_read_templates_and_admins_make_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let made = hub.post("priya", TEMPLATES, body(json!({}))).await.expect(201).json;
    let path = format!("{TEMPLATES}/{}", made["id"].as_str().unwrap());
    for (who, read, write) in
        [("t0", 200, 403), ("tech_none", 200, 403), ("carla", 404, 404), ("admin", 404, 404), ("nobody", 401, 401)]
    {
        assert_eq!(hub.get(who, TEMPLATES).await.status, read, "{who}");
        assert_eq!(hub.post(who, TEMPLATES, body(json!({"name": "Other"}))).await.status, write, "{who}");
        assert_eq!(hub.patch(who, &path, 1, json!({"ticket": false})).await.status, write, "{who}");
        assert_eq!(hub.send(who, Method::DELETE, &path, None, &[("if-match", "\"1\"")]).await.status, write, "{who}");
    }
    // Another provider's is not found.
    let foreign = path.replace("northwind", "contoso");
    hub.patch("carla", &foreign, 1, json!({"ticket": false})).await.expect(404);
    let list = hub.get("priya", &format!("{TEMPLATES}?q=ROTATION&sort=-created")).await.expect(200).json;
    assert_eq!((&list["total"], &list["items"][0]), (&json!(1), &made));
}
