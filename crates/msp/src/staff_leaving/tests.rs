use kernel::params;
use kernel::store::Value as Cell;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person, tenant};

async fn run(hub: &TestHub, sql: &str, params: &[Cell]) {
    let mut tx = hub.hub.system_write("test.stage", "a test sets its stage").await.unwrap();
    tx.execute(sql, params).await.unwrap();
    tx.commit().await.unwrap();
}

async fn number(hub: &TestHub, sql: &str) -> i64 {
    hub.hub.system_read().await.unwrap().one(sql, &[]).await.unwrap().take().unwrap()
}

async fn staff(hub: &TestHub, name: &str) -> String {
    let people = hub.get("priya", "/providers/northwind/staff").await.expect(200);
    let row = people.json["items"].as_array().unwrap().iter().find(|row| row["person"]["name"] == name).unwrap().clone();
    row["id"].as_str().unwrap().to_owned()
}

fn path(staff: &str) -> String {
    format!("/providers/northwind/staff/{staff}/leaving")
}

/// t3 holds an elevation, a key of Northwind and one of Acme, an open invitation, and the word of Frost is asked about them.
async fn busy(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    let (t3, acme, frost) = (person("t3"), tenant("acme"), tenant("frost"));
    let soon = START.plus_days(5);
    let id = || kernel::ids::uuid_at(START);
    let northwind = "(SELECT provider_id FROM tenant WHERE slug = 'acme')";
    run(
        &hub,
        &format!(
            "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_name, tier, modules, minutes, approver, reason, state,
                requested_at, lapses_at, provider_by, starts_at, ends_at)
             VALUES (?1, {northwind}, ?2, ?3, 'On-site visit', 3, 255, 60, 'provider', 'x', 'approved', ?4, ?5, ?6, ?4, ?5)"
        ),
        params![id(), acme, t3, START, soon, person("priya")],
    )
    .await;
    for (of, column) in [("provider_id", northwind), ("tenant_id", "(SELECT id FROM tenant WHERE slug = 'acme')")] {
        run(
            &hub,
            &format!(
                "INSERT INTO api_key (id, token_hash, hint, name, {of}, person_id, actions, created_at, expires_at)
                 VALUES (?1, ?2, 'x', ?3, {column}, ?4, '[]', ?5, ?6)"
            ),
            params![id(), of.as_bytes().to_vec(), format!("key of {of}"), t3, START, soon],
        )
        .await;
    }
    run(
        &hub,
        "INSERT INTO invitation (id, token_hash, tenant_id, email, role, invited_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, 'new@acme.example', 'viewer', ?4, ?5, ?6)",
        params![id(), vec![9_u8; 32], acme, t3, START, soon],
    )
    .await;
    let wanted = json!({"kind": "assignment", "person": t3, "tier": "T2", "mask": {"view": true, "create": true, "update": true,
        "delete": true}, "modules": ["compliance"], "ends_at": null});
    run(
        &hub,
        &format!(
            "INSERT INTO consent (id, tenant_id, provider_id, kind, target, label, asked_by, asked_at, state)
             VALUES (?1, ?2, {northwind}, 'assignment', ?3, 'Assign t3', ?4, ?5, 'pending')"
        ),
        params![id(), frost, wanted.to_string(), person("priya"), START],
    )
    .await;
    hub
}

fn kinds(holds: &Value) -> Vec<String> {
    holds.as_array().unwrap().iter().map(|thing| thing["kind"].as_str().unwrap().to_owned()).collect()
}

fn outcome<'a>(left: &'a Value, kind: &str, slug_or_any: &str, holds: &Value) -> &'a str {
    let thing = holds
        .as_array()
        .unwrap()
        .iter()
        .find(|thing| thing["kind"] == kind && (slug_or_any.is_empty() || thing["tenant"]["slug"] == slug_or_any));
    let id = &thing.unwrap()["id"];
    let result = left["results"].as_array().unwrap().iter().find(|result| result["kind"] == kind && &result["id"] == id);
    result.unwrap()["outcome"].as_str().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_somebody_holds_is_listed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = busy(engine).await;
    let t3 = staff(&hub, "t3").await;
    let seen = hub.get("priya", &path(&t3)).await.expect(200).json;
    assert_eq!(seen["person"]["name"], "t3");
    let mut found = kinds(&seen["holds"]);
    found.dedup();
    assert_eq!(found, ["assignment", "elevation", "api_key", "approval", "invitation", "session"]);
    assert_eq!(kinds(&seen["holds"]).iter().filter(|kind| *kind == "assignment").count(), 4);
    let names: Vec<_> = seen["replacements"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"t1") && names.contains(&"priya") && !names.contains(&"t3") && !names.contains(&"harriet"));
    // A provider admin is shown what waits for a provider admin's word.
    run(
        &hub,
        "UPDATE elevation SET state = 'requested', provider_by = NULL, starts_at = NULL, ends_at = NULL WHERE person_id = ?1",
        params![person("t3")],
    )
    .await;
    let priya = staff(&hub, "priya").await;
    let own = hub.get("priya", &path(&priya)).await.expect(200).json;
    assert_eq!(own["holds"][0]["kind"], "approval");
    assert_eq!(own["holds"][0]["choices"], json!([]));
    hub.get("t1", &path(&t3)).await.expect(403);
    hub.get("carla", &path(&t3)).await.expect(404);
    hub.get("harriet", &format!("/providers/harbor/staff/{t3}/leaving")).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn somebody_leaves_in_one_act(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = busy(engine).await;
    let (t3, t1, none) = (staff(&hub, "t3").await, staff(&hub, "t1").await, staff(&hub, "tech_none").await);
    // Sable wants to be asked, and Acme gave T2 only, whatever the assignment says.
    run(&hub, "UPDATE relationship SET assign_by = 'tenant_consent' WHERE tenant_id = ?1", params![tenant("sable")]).await;
    run(&hub, "UPDATE member SET tenant_id = ?1 WHERE person_id = ?2", params![tenant("sable"), person("other_admin")]).await;
    run(&hub, "UPDATE relationship SET tier = 2 WHERE tenant_id = ?1", params![tenant("acme")]).await;
    let holds = hub.get("priya", &path(&t3)).await.expect(200).json["holds"].clone();
    let of = |slug: &str| {
        let thing = holds.as_array().unwrap().iter().find(|thing| thing["kind"] == "assignment" && thing["tenant"]["slug"] == slug);
        thing.unwrap()["id"].clone()
    };
    let choices = json!([
        {"kind": "assignment", "id": of("plain"), "do": "end"},
        {"kind": "assignment", "id": of("frost"), "do": "move", "to": t1},
    ]);
    let body = json!({"choices": choices, "rest": {"move_to": none}, "disable": true});
    let left = hub.post("priya", &path(&t3), body).await.expect(200).json;
    for (slug, wanted) in [("acme", "moved"), ("sable", "waiting"), ("frost", "moved"), ("plain", "ended")] {
        assert_eq!(outcome(&left, "assignment", slug, &holds), wanted, "{slug}");
    }
    for (kind, wanted) in
        [("elevation", "ended"), ("api_key", "ended"), ("approval", "ended"), ("invitation", "moved"), ("session", "ended")]
    {
        assert_eq!(outcome(&left, kind, "", &holds), wanted, "{kind}");
    }
    let moved = hub.get("priya", &format!("/providers/northwind/assignments?staff={none}")).await.expect(200).json;
    assert_eq!((&moved["total"], &moved["items"][0]["tier"]), (&json!(1), &json!("T2")), "never more than it was worth");
    // They are gone: no session, no right, nothing left.
    hub.get("t3", "/providers/northwind").await.expect(401);
    assert_eq!(hub.get("priya", &path(&t3)).await.expect(200).json["holds"], json!([]));
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM api_key WHERE revoked_at IS NULL").await, 0);
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM consent WHERE state = 'pending'").await, 1, "Sable's, about the other one");
    let view = hub.get("priya", &format!("/providers/northwind/staff/{t3}")).await.expect(200).json;
    assert_eq!(view["state"], "disabled");

    let entry = hub.tenant_ledger("acme").await.into_iter().find(|e| e["action"] == "staff_leaving.apply").unwrap().to_string();
    assert!(
        entry.contains("key of tenant_id")
            && !entry.contains("key of provider_id")
            && !entry.contains(&tenant("frost").to_string())
    );
    let own = hub.control_ledger().await.into_iter().find(|e| e["action"] == "staff_leaving.apply").unwrap().to_string();
    assert!(own.contains("key of provider_id") && own.contains("key of tenant_id"));
    let again = json!({"rest": "end", "disable": true});
    assert_eq!(hub.post("priya", &path(&t3), again).await.expect(200).json["results"], json!([]));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_there_already_keeps_what_they_have(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = busy(engine).await;
    let (t3, t1) = (staff(&hub, "t3").await, staff(&hub, "t1").await);
    let holds = hub.get("priya", &path(&t3)).await.expect(200).json["holds"].clone();
    let left = hub.post("priya", &path(&t3), json!({"rest": {"move_to": t1}, "disable": false})).await.expect(200).json;
    assert_eq!(outcome(&left, "assignment", "acme", &holds), "ended");
    assert_eq!(outcome(&left, "assignment", "sable", &holds), "moved");
    assert_eq!(outcome(&left, "session", "", &holds), "kept");
    let acme = hub.get("priya", &format!("/providers/northwind/assignments?staff={t1}&tenant=acme")).await.expect(200).json;
    assert_eq!(acme["items"][0]["tier"], "T1");
    hub.get("t3", "/providers/northwind").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_is_refused_whole(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = busy(engine).await;
    let (t3, priya, none) = (staff(&hub, "t3").await, staff(&hub, "priya").await, staff(&hub, "tech_none").await);
    let before = hub.get("priya", &path(&t3)).await.expect(200).json;
    let harriet = hub.get("harriet", "/providers/harbor/staff").await.expect(200).json["items"][0]["id"].clone();
    let post = async |who: &str, staff: &str, body: Value| hub.post(who, &path(staff), body).await;
    let key = before["holds"].as_array().unwrap().iter().find(|thing| thing["kind"] == "api_key").unwrap()["id"].clone();
    let first = before["holds"][0]["id"].clone();
    for (body, wrong) in [
        (json!({"rest": {"move_to": harriet}, "disable": true}), "rest.move_to unknown"),
        (json!({"rest": {"move_to": t3}, "disable": true}), "rest.move_to unknown"),
        (
            json!({"choices": [{"kind": "api_key", "id": key, "do": "move", "to": none}], "disable": true}),
            "choices[0].do not_movable",
        ),
        (json!({"choices": [{"kind": "assignment", "id": first, "do": "move"}], "disable": true}), "choices[0].to missing"),
        (json!({"choices": [{"kind": "assignment", "id": "asg_x", "do": "end"}], "disable": true}), "choices[0].id unknown"),
    ] {
        assert_eq!(post("priya", &t3, body).await.expect(422).wrong_fields(), [wrong]);
    }
    // Nobody hands power to themselves, leaves by their own hand, or takes the last provider admin away.
    post("priya", &t3, json!({"rest": {"move_to": priya}, "disable": true})).await.expect(403);
    post("priya", &priya, json!({"rest": "end", "disable": true})).await.expect(403);
    post("t1", &t3, json!({"rest": "end", "disable": true})).await.expect(403);
    let after = hub.get("priya", &path(&t3)).await.expect(200).json;
    assert_eq!(before, after, "nothing was changed");
    run(&hub, "UPDATE staff SET role = 'provider_admin' WHERE person_id = ?1", params![person("t2")]).await;
    post("t2", &priya, json!({"rest": "end", "disable": true})).await.expect(200);
    let t2 = staff_as(&hub, "t2").await;
    post("t2", &t2, json!({"rest": "end", "disable": true})).await.expect(403);
}

async fn staff_as(hub: &TestHub, name: &str) -> String {
    let people = hub.get(name, "/providers/northwind/staff").await.expect(200);
    let row = people.json["items"].as_array().unwrap().iter().find(|row| row["person"]["name"] == name).unwrap().clone();
    row["id"].as_str().unwrap().to_owned()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn grants_over_many_clients_go_to_somebody_else_or_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let grant = async |over: &str| {
        let body = json!({"person": person("t1"), "over": over, "except": if over == "all" { json!([]) } else { json!(["acme"]) },
            "tier": "T1", "modules": ["compliance"], "mask": {"view": true, "create": false, "update": false, "delete": false}});
        hub.post("priya", "/providers/northwind/grants", body).await.expect(201).json["id"].clone()
    };
    let (all, rest) = (grant("all").await, grant("all_except").await);
    let (t1, heir) = (staff(&hub, "t1").await, staff(&hub, "tech_none").await);
    let holds = hub.get("priya", &path(&t1)).await.expect(200).json["holds"].clone();
    let wide: Vec<_> = holds.as_array().unwrap().iter().filter(|thing| thing["kind"] == "group_grant").collect();
    assert_eq!((wide.len(), &wide[0]["choices"]), (2, &json!(["move", "end"])), "{holds}");
    hub.get("tech_none", "/tenants/acme/context").await.expect(404);
    let choices =
        json!([{"kind": "group_grant", "id": all, "do": "move", "to": heir}, {"kind": "group_grant", "id": rest, "do": "end"}]);
    let left = hub.post("priya", &path(&t1), json!({"choices": choices, "disable": true})).await.expect(200).json;
    let became = |id: &Value| left["results"].as_array().unwrap().iter().find(|r| r["id"] == *id).unwrap()["outcome"].clone();
    assert_eq!((became(&all), became(&rest)), (json!("moved"), json!("ended")));
    hub.get("tech_none", "/tenants/acme/context").await.expect(200);
    hub.get("t1", "/tenants/acme/context").await.expect(401);
    let grants = hub.get("priya", "/providers/northwind/grants").await.expect(200).json;
    assert_eq!((&grants["total"], &grants["items"][0]["person"]["name"]), (&json!(1), &json!("tech_none")));
}
