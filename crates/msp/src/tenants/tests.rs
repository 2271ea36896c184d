use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, tenant};

const TENANTS: &str = "/providers/northwind/tenants";

async fn hub(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

fn new_tenant(slug: &str) -> Value {
    json!({"slug": slug, "name": "Quill & Co", "plan": "Complete", "industry": "Print"})
}

async fn count(hub: &TestHub, sql: &str) -> i64 {
    let mut tx = hub.hub.system_read().await.unwrap();
    tx.one(sql, &[]).await.unwrap().take().unwrap()
}

fn folders(hub: &TestHub) -> usize {
    std::fs::read_dir(hub.folder().join("tenants")).unwrap().count()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_call_makes_a_whole_tenant(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut body = new_tenant("quill");
    body["admin_email"] = json!("Ada@Quill.example");
    let made = hub.post("priya", TENANTS, body).await.expect(201);
    assert_eq!(made.version(), 1);
    assert_eq!(made.json["relationship"]["tier"], "T2");
    assert_eq!(made.json["relationship"]["state"], "active");
    assert_eq!(made.json["relationship"]["parent_tier"], Value::Null);
    assert_eq!(made.json["plan"]["name"], "Complete");
    assert_eq!(made.json["via"], Value::Null);
    assert_eq!(made.json["can"]["tenant.suspend"]["allowed"], true);
    let invitation = &made.json["invitation"];
    let token = invitation["token"].as_str().unwrap();
    assert_eq!(invitation["email"], "ada@quill.example");
    assert_eq!(invitation["role"], "admin");
    assert_eq!(invitation["url"], format!("http://hub.test/invite/{token}"));

    let seen = hub.get("priya", &format!("{TENANTS}/quill")).await.expect(200);
    assert_eq!(seen.json["industry"], "Print");
    assert!(seen.json.get("invitation").is_none());
    assert_eq!(seen.json["counts"], json!({"members": 0, "scans": 0, "findings_open": 0}));
    let listed = hub.get("priya", &format!("{TENANTS}?q=QUILL")).await.expect(200);
    assert_eq!(listed.json["items"][0]["id"], made.json["id"]);
    assert_eq!(listed.json["total"], 1);

    let entry = hub.control_ledger().await.into_iter().find(|e| e["action"] == "tenant.create").unwrap();
    assert_eq!(entry["subject"]["id"], made.json["id"]);
    assert!(!entry.to_string().contains(token), "no secret in the ledger");
    let id = made.json["id"].as_str().unwrap().parse().unwrap();
    let mut tx = hub.hub.system(id, "test.look", "a test").await.unwrap();
    let mut own = tx.one("SELECT action FROM ledger", &[]).await.unwrap();
    assert_eq!(own.take::<String>().unwrap(), "tenant.create");
    let mut row = hub.hub.system_read().await.unwrap();
    let row =
        row.opt("SELECT id FROM invitation WHERE token_hash = ?1", params![kernel::secrets::token_hash(token)]).await.unwrap();
    assert!(row.is_some());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_again_answers_the_same_tenant(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut body = new_tenant("quill");
    body["id"] = json!("ten_01999999999970009999999999999999");
    let made = hub.post("priya", TENANTS, body.clone()).await.expect(201);
    let again = hub.post("priya", TENANTS, body.clone()).await.expect(200);
    assert_eq!(again.json["id"], made.json["id"]);
    body["name"] = json!("Something else");
    assert_eq!(hub.post("priya", TENANTS, body.clone()).await.expect(409).code(), "conflict");
    // Somebody else's id is refused, and their tenant is left alone.
    hub.post("carla", "/providers/contoso/tenants", body.clone()).await.expect(409);
    let mut acme = new_tenant("mine-now");
    acme["id"] = json!(tenant("acme").to_string());
    hub.post("carla", "/providers/contoso/tenants", acme).await.expect(409);
    hub.post("priya", &format!("{TENANTS}/acme/suspend"), json!({"reason": "still there"})).await.expect(200);
    assert_eq!(hub.tenant_ledger("acme").await.len(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_said_and_nothing_is_made(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let before = count(&hub, "SELECT COUNT(*) FROM tenant").await;
    let folders_before = (engine == Engine::Sqlite).then(|| folders(&hub));
    let wrong = json!({"slug": "No Slug", "name": " ", "plan": "Gold", "industry": "x".repeat(81), "ends_at": "2020-01-01T00:00:00Z",
        "admin_email": "nobody"});
    let answer = hub.post("priya", TENANTS, wrong).await.expect(422);
    let fields = answer.wrong_fields();
    for field in [
        "slug not_a_slug",
        "name too_short",
        "industry too_long",
        "ends_at in_the_past",
        "admin_email not_an_email",
        "plan unknown",
    ] {
        assert!(fields.contains(&field.to_owned()), "{field} in {fields:?}");
    }
    let one = |field: &str, value: Value| {
        let mut body = new_tenant("quill");
        body[field] = value;
        body
    };
    for (body, want) in [
        (one("slug", json!("zeta")), "slug taken"),
        (one("tier", json!("T9")), "tier wrong_type"),
        (one("id", json!("per_1")), "id wrong_type"),
        (one("ends_at", json!("2099-01-01T00:00:00Z")), "ends_at too_far"),
        (json!({"slug": "quill", "name": "Quill"}), "plan missing"),
    ] {
        assert_eq!(hub.post("priya", TENANTS, body).await.expect(422).wrong_fields(), [want]);
    }
    assert_eq!(count(&hub, "SELECT COUNT(*) FROM tenant").await, before);
    assert_eq!((engine == Engine::Sqlite).then(|| folders(&hub)), folders_before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_could_not_be_made_leaves_no_database(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut tx = hub.hub.system_write("test.break", "the last step of making a tenant will fail").await.unwrap();
    tx.execute("ALTER TABLE summary RENAME TO away", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let mut body = new_tenant("quill");
    body["id"] = json!("ten_01999999999970009999999999999999");
    hub.post("priya", TENANTS, body).await.expect(500);
    assert_eq!(count(&hub, "SELECT COUNT(*) FROM tenant WHERE slug = 'quill'").await, 0);
    if engine == Engine::Sqlite {
        assert_eq!(folders(&hub), 6);
    }
    let failed = hub.control_ledger().await.into_iter().find(|e| e["action"] == "tenant.create").unwrap();
    assert_eq!((&failed["outcome"], &failed["code"]), (&json!("failed"), &json!("internal")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_make_one_tenant_and_pass_no_limit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = std::sync::Arc::new(hub(engine).await);
    let mut tx = hub.hub.system_write("test.set", "a limit").await.unwrap();
    tx.execute("UPDATE provider SET tenants_max = 8 WHERE slug = 'northwind'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let all = async |bodies: Vec<Value>| {
        let tasks = bodies.into_iter().map(|body| {
            let hub = hub.clone();
            tokio::spawn(async move { hub.post("priya", TENANTS, body).await.status })
        });
        let mut statuses = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            statuses.push(task.await.unwrap());
        }
        statuses
    };
    let mut same = new_tenant("quill");
    same["id"] = json!("ten_01999999999970009999999999999999");
    let statuses = all(vec![same.clone(), same.clone(), same.clone(), same.clone()]).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 201, 409, 422].contains(status)), "{statuses:?}");
    hub.post("priya", TENANTS, same).await.expect(200);
    hub.post("priya", &format!("{TENANTS}/quill/suspend"), json!({"reason": "its database is there"})).await.expect(200);
    let mut tx = hub.hub.system("ten_01999999999970009999999999999999".parse().unwrap(), "test.look", "a test").await.unwrap();
    let entries: i64 = tx.one("SELECT COUNT(*) FROM ledger WHERE outcome = 'done'", &[]).await.unwrap().take().unwrap();
    assert!(entries >= 2, "{entries}");
    drop(tx);
    let statuses = all((0..5).map(|n| new_tenant(&format!("crowd-{n}"))).collect()).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 2, "{statuses:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_has_as_many_as_it_may(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let set = async |max: i64| {
        let mut tx = hub.hub.system_write("test.set", "a limit").await.unwrap();
        tx.execute("UPDATE provider SET tenants_max = ?1 WHERE slug = 'northwind'", params![max]).await.unwrap();
        tx.commit().await.unwrap();
    };
    set(5).await;
    let full = hub.post("priya", TENANTS, new_tenant("quill")).await.expect(409);
    assert!(full.json["detail"].as_str().unwrap().contains("may have 5 clients and has 5"));
    // What a sub-provider adds counts for the provider above it too.
    hub.post("harriet", "/providers/harbor/tenants", new_tenant("quill")).await.expect(409);
    set(6).await;
    hub.post("harriet", "/providers/harbor/tenants", new_tenant("quill")).await.expect(201);
    hub.post("priya", TENANTS, new_tenant("other")).await.expect(409);
    if engine == Engine::Sqlite {
        assert_eq!(folders(&hub), 7);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sub_providers_tenant_is_its_parents_too_up_to_the_ceiling(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let subs = hub.get("priya", "/providers/northwind/sub-providers").await.expect(200);
    let version = subs.json["items"][0]["version"].as_i64().unwrap();
    hub.patch("priya", "/providers/northwind/sub-providers/harbor", version, json!({"ceiling": "T1"})).await.expect(200);
    let mut body = new_tenant("quill");
    body["tier"] = json!("T2");
    let above = hub.post("harriet", "/providers/harbor/tenants", body).await.expect(422);
    assert_eq!(above.wrong_fields(), ["tier above_ceiling"]);
    // Without a tier it is what the ceiling permits.
    let made = hub.post("harriet", "/providers/harbor/tenants", new_tenant("quill")).await.expect(201);
    assert_eq!(made.json["relationship"]["tier"], "T1");
    assert_eq!(made.json["relationship"]["parent_tier"], "T1");
    let from_above = hub.get("priya", &format!("{TENANTS}/quill")).await.expect(200);
    assert_eq!(from_above.json["via"]["name"], "Harbor Services");
    assert_eq!(from_above.json["relationship"]["tier"], "T1");
    assert_eq!(from_above.json["relationship"]["parent_tier"], Value::Null);
    let listed = hub.get("priya", &format!("{TENANTS}?q=quill")).await.expect(200);
    assert_eq!(listed.json["items"][0]["via"]["name"], "Harbor Services");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn anothers_tenant_does_not_exist(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let unknown = hub.get("carla", "/providers/contoso/tenants/nothing").await.expect(404);
    for (who, path) in [
        ("carla", "/providers/contoso/tenants/acme"),
        ("carla", "/providers/northwind/tenants/acme"),
        ("carla", "/providers/northwind/tenants"),
        ("harriet", "/providers/harbor/tenants/acme"),
        ("harriet", "/providers/northwind/tenants/birch"),
        ("admin", "/providers/northwind/tenants/acme"),
        ("tech_none", "/providers/northwind/tenants/acme"),
    ] {
        assert_eq!(hub.get(who, path).await.expect(404).bytes, unknown.bytes, "{who} {path}");
    }
    for step in ["suspend", "archive"] {
        hub.post("carla", &format!("/providers/contoso/tenants/acme/{step}"), json!({"reason": "mine"})).await.expect(404);
    }
    hub.patch("carla", "/providers/contoso/tenants/acme", 1, json!({"name": "Mine"})).await.expect(404);
    hub.get("t3", &format!("{TENANTS}/acme")).await.expect(403);
    hub.get("t3", TENANTS).await.expect(403);
    hub.get("nobody", TENANTS).await.expect(401);
    let listed = hub.get("harriet", "/providers/harbor/tenants").await.expect(200);
    assert_eq!(listed.json["total"], 1);
    assert_eq!(listed.json["items"][0]["slug"], "birch");
    assert!(hub.tenant_ledger("acme").await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_searched_sorted_and_cut(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let slugs = |answer: &testkit::Answer| -> Vec<String> {
        answer.json["items"].as_array().unwrap().iter().map(|t| t["slug"].as_str().unwrap().to_owned()).collect()
    };
    let all = hub.get("priya", TENANTS).await.expect(200);
    assert_eq!(slugs(&all), ["acme", "birch", "frost", "plain", "sable"]);
    let first = hub.get("priya", &format!("{TENANTS}?sort=-name&limit=2")).await.expect(200);
    assert_eq!(slugs(&first), ["sable", "plain"]);
    let next = first.json["next"].as_str().unwrap();
    let second = hub.get("priya", &format!("{TENANTS}?sort=-name&limit=2&cursor={next}")).await.expect(200);
    assert_eq!(slugs(&second), ["frost", "birch"]);
    assert_eq!(slugs(&hub.get("priya", &format!("{TENANTS}?state=suspended,archived")).await.expect(200)), ["sable"]);
    for (query, field) in [("state=gone", "state unknown"), ("sort=size", "sort unknown"), ("limit=0", "limit out_of_range")] {
        assert_eq!(hub.get("priya", &format!("{TENANTS}?{query}")).await.expect(422).wrong_fields(), [field]);
    }
    hub.get("priya", &format!("{TENANTS}?limit=many")).await.expect(422);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_version_that_was_read(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let acme = format!("{TENANTS}/acme");
    let no_version = hub.send("priya", axum::http::Method::PATCH, &acme, Some(json!({"name": "Acme"})), &[]).await;
    assert_eq!(no_version.expect(428).code(), "precondition_required");
    let change = json!({"name": "Acme Dental", "industry": null, "plan": "Basic", "seats_max": 12});
    let changed = hub.patch("priya", &acme, 1, change).await.expect(200);
    assert_eq!(changed.version(), 2);
    assert_eq!(changed.json["name"], "Acme Dental");
    assert_eq!(changed.json["industry"], Value::Null);
    assert_eq!(changed.json["plan"]["name"], "Basic");
    assert_eq!(changed.json["seats_max"], 12);
    hub.patch("priya", &acme, 1, json!({"name": "Late"})).await.expect(412);
    let plans = hub.get("priya", "/providers/northwind/plans").await.expect(200);
    let complete = plans.json["items"].as_array().unwrap().iter().find(|p| p["name"] == "Complete").unwrap();
    let changed = hub.patch("priya", &acme, 2, json!({"plan": complete["id"], "seats_max": null})).await.expect(200);
    assert_eq!((&changed.json["plan"]["name"], &changed.json["seats_max"]), (&json!("Complete"), &Value::Null));
    for (body, want) in [
        (json!({"name": "x"}), "name too_short"),
        (json!({"plan": "Gold"}), "plan unknown"),
        (json!({"seats_max": -1}), "seats_max out_of_range"),
        (json!({"seats_max": "many"}), "seats_max wrong_type"),
    ] {
        assert_eq!(hub.patch("priya", &acme, 3, body).await.expect(422).wrong_fields(), [want]);
    }
    let entry = hub.tenant_ledger("acme").await.into_iter().find(|e| e["action"] == "tenant.update").unwrap();
    assert_eq!(entry["changes"][0]["before"]["plan"], "Complete");
    assert_eq!(entry["changes"][0]["after"]["plan"], "Basic");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_goes_through_its_life(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let at = |step: &str| format!("{TENANTS}/acme/{step}");
    let why = json!({"reason": "Unpaid since August"});
    assert_eq!(hub.post("priya", &at("suspend"), json!({"reason": " "})).await.expect(422).wrong_fields(), ["reason too_short"]);
    for step in ["resume", "restore"] {
        let no = hub.send("priya", axum::http::Method::POST, &at(step), None, &[]).await.expect(409);
        assert!(no.json["detail"].as_str().unwrap().contains("is active"), "{}", no.json);
    }
    let early = hub.post("priya", &at("purge"), json!({"name": "Acme Dental Group"})).await.expect(409);
    assert!(early.json["detail"].as_str().unwrap().contains("Archive it first"));

    let suspended = hub.post("priya", &at("suspend"), why.clone()).await.expect(200);
    assert_eq!(suspended.json["state"], "suspended");
    assert_eq!(suspended.json["state_reason"], "Unpaid since August");
    assert_eq!(suspended.json["can"]["tenant.suspend"]["allowed"], false);
    assert_eq!(suspended.json["can"]["tenant.resume"]["allowed"], true);
    hub.post("priya", &at("suspend"), why.clone()).await.expect(403);
    let resumed = hub.send("priya", axum::http::Method::POST, &at("resume"), None, &[]).await.expect(200);
    assert_eq!((&resumed.json["state"], &resumed.json["state_reason"]), (&json!("active"), &Value::Null));

    let archived = hub.post("priya", &at("archive"), why.clone()).await.expect(200);
    assert_eq!(archived.json["state"], "archived");
    assert_eq!(archived.json["archived_at"], "2026-11-21T09:00:00.000000Z");
    assert_eq!(archived.json["purge_after"], "2026-12-21T09:00:00.000000Z");
    hub.post("priya", &at("archive"), why).await.expect(403);
    hub.patch("priya", &format!("{TENANTS}/acme"), 4, json!({"name": "Acme"})).await.expect(403);
    let restored = hub.send("priya", axum::http::Method::POST, &at("restore"), None, &[]).await.expect(200);
    assert_eq!((&restored.json["state"], &restored.json["purge_after"]), (&json!("active"), &Value::Null));
    hub.post("t3", &at("suspend"), json!({"reason": "not mine"})).await.expect(403);

    let done: Vec<_> =
        hub.tenant_ledger("acme").await.iter().filter(|e| e["outcome"] == "done").map(|e| e["action"].clone()).collect();
    assert_eq!(done, ["tenant.suspend", "tenant.resume", "tenant.archive", "tenant.restore"]);
    hub.verify_tenant_ledger("acme").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_nothing_but_a_tombstone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let at = |step: &str| format!("{TENANTS}/acme/{step}");
    let mut tx = hub.hub.system_write("test.window", "no archive window").await.unwrap();
    tx.execute("UPDATE provider SET immediate_purge = true", &[]).await.unwrap();
    tx.commit().await.unwrap();
    hub.post("admin", "/tenants/acme/purge-request", json!({"reason": "We leave"})).await.expect(200);
    hub.post("priya", &at("archive"), json!({"reason": "They left"})).await.expect(200);
    let mistyped = hub.post("priya", &at("purge"), json!({"name": "Acme"})).await.expect(422);
    assert_eq!(mistyped.wrong_fields(), ["name mismatch"]);
    let purged = hub.post("priya", &at("purge"), json!({"name": "Acme Dental Group"})).await.expect(200);
    assert_eq!(purged.json["purged"], true);
    assert_eq!(purged.json["key_destroyed"], true);
    assert!(purged.json["files_removed"].as_u64().unwrap() > 0);

    hub.get("priya", &format!("{TENANTS}/acme")).await.expect(404);
    hub.get("priya", &format!("{TENANTS}/{}", tenant("acme"))).await.expect(404);
    if engine == Engine::Sqlite {
        assert!(!hub.folder().join("tenants").join(tenant("acme").uuid().simple().to_string()).exists());
    } else {
        let mut tx = hub.hub.system(tenant("acme"), "test.look", "what is left").await.unwrap();
        let left: i64 = tx.one("SELECT COUNT(*) FROM ledger", &[]).await.unwrap().take().unwrap();
        assert_eq!(left, 0);
    }
    let mut tx = hub.hub.system_read().await.unwrap();
    let id = tenant("acme");
    for table in ["member", "assignment", "invitation", "relationship", "summary", "ledger_outbox", "purge_request"] {
        let mut row = tx.one(&format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = ?1"), params![id]).await.unwrap();
        assert_eq!(row.take::<i64>().unwrap(), 0, "{table}");
    }
    let mut row =
        tx.one("SELECT state, slug, name, wrapped_key, purge_after FROM tenant WHERE id = ?1", params![id]).await.unwrap();
    let tombstone = format!("purged-{}", id.uuid().simple());
    assert_eq!(row.take::<String>().unwrap(), "purged");
    assert_eq!(row.take::<String>().unwrap(), tombstone);
    assert_eq!(row.take::<String>().unwrap(), tombstone);
    assert_eq!(row.take::<Option<Vec<u8>>>().unwrap(), None);
    assert_eq!(row.take::<Option<i64>>().unwrap(), None);
    drop(tx);

    hub.post("priya", TENANTS, new_tenant("acme")).await.expect(201);
    let mut again = new_tenant("acme-two");
    again["id"] = json!(id.to_string());
    hub.post("priya", TENANTS, again).await.expect(409);
    assert!(hub.control_ledger().await.iter().any(|e| e["action"] == "tenant.purge" && e["outcome"] == "done"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_purge_is_finished_at_the_next_start(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.post("priya", &format!("{TENANTS}/acme/suspend"), json!({"reason": "leaves an entry"})).await.expect(200);
    let mut tx = hub.hub.system_write("test.crash", "committed, files still there").await.unwrap();
    tx.execute("UPDATE tenant SET state = 'purged', wrapped_key = NULL, purge_after = 1 WHERE slug = 'acme'", &[]).await.unwrap();
    tx.commit().await.unwrap();
    let restarted = kernel::Hub::open(hub.config.clone()).await.unwrap();
    assert_eq!(super::finish_purges(&restarted).await.unwrap(), 1);
    assert_eq!(super::finish_purges(&restarted).await.unwrap(), 0);
    if engine == Engine::Sqlite {
        assert!(!hub.folder().join("tenants").join(tenant("acme").uuid().simple().to_string()).exists());
    } else {
        let mut tx = hub.hub.system(tenant("acme"), "test.look", "what is left").await.unwrap();
        let left: i64 = tx.one("SELECT COUNT(*) FROM ledger", &[]).await.unwrap().take().unwrap();
        assert_eq!(left, 0);
    }
}
