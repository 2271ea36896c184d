//! The rules of elevations, on both engines.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, person, tenant};

use super::stage::{DUAL, HERE, TEMPLATES, World};

/// The last entry that is about elevations.
fn last(ledger: Vec<Value>) -> Value {
    let is_ours =
        |entry: &Value| entry["action"].as_str().is_some_and(|name| name.starts_with("elevation") || name.starts_with("access"));
    ledger.into_iter().rfind(is_ours).expect("an entry")
}

/// `who action outcome` of an entry.
fn said(entry: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", word(&entry["actor"]["name"]), word(&entry["action"]), word(&entry["outcome"]))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_says_where_for_how_long_and_why(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let plain = world.template(json!({"minutes_max": 30})).await;
    let strict = world.template(json!({"name": "Strict", "ticket": true})).await;
    let ask = async |who: &str, body: Value| world.hub.post(who, HERE, body).await;
    let body =
        |template: &str, tenant: &str| json!({"template": template, "tenant": tenant, "minutes": 10, "reason": "It is down."});
    let mut wrong = body(&plain, "acme");
    (wrong["minutes"], wrong["reason"]) = (json!(31), json!("why"));
    assert_eq!(ask("t1", wrong).await.expect(422).wrong_fields(), ["minutes out_of_range", "reason too_short"]);
    assert_eq!(ask("t1", body(&strict, "acme")).await.expect(422).wrong_fields(), ["ticket missing"]);
    let unknown = ask("t1", body(&plain, "nowhere")).await.expect(422);
    assert_eq!(unknown.wrong_fields(), ["tenant unknown"]);
    // A client that one does not reach is as unknown as one that there is not; one of another provider too.
    for tenant in ["plain", "zeta", "birch"] {
        assert_eq!(ask("t1", body(&plain, tenant)).await.expect(422).bytes, unknown.bytes, "{tenant}");
    }
    assert_eq!(ask("t3", body(&plain, "frost")).await.expect(422).wrong_fields(), ["tenant not_reached"]);
    assert_eq!(ask("tech_none", body(&plain, "acme")).await.expect(422).bytes, unknown.bytes);
    let foreign = body(&plain.replace(&plain[10..], &strict[10..]).replace('0', "1"), "acme");
    assert_eq!(ask("t1", foreign).await.expect(422).wrong_fields(), ["template unknown"]);
    for who in ["admin", "carla"] {
        ask(who, body(&plain, "acme")).await.expect(404);
    }
    let made = ask("t1", body(&plain, &tenant("acme").to_string())).await.expect(201).json;
    assert_eq!((&made["state"], &made["is_mine"], &made["tenant"]["slug"]), (&json!("requested"), &json!(true), &json!("acme")));
    assert_eq!((&made["tier"], &made["approver"], &made["ticket"]), (&json!("T3"), &json!("provider"), &Value::Null));
    ask("t1", body(&plain, "acme")).await.expect(409);
    ask("priya", body(&plain, "acme")).await.expect(201);
    for ledger in [world.hub.tenant_ledger("acme").await, world.hub.control_ledger().await] {
        let entry = ledger.iter().find(|e| e["action"] == "elevation.request" && e["outcome"] == "done").expect("it is there");
        assert_eq!((said(entry).as_str(), &entry["reason"]), ("t1 elevation.request done", &json!("It is down.")));
        assert_eq!(entry["subject"]["label"], "Emergency access on Acme Dental Group");
        assert_eq!(entry["changes"][0]["after"]["person"]["name"], "t1");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_template_can_want_a_fresh_second_factor(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({"step_up": true})).await;
    let refused = world.ask("t1", &template, 10).await.expect(403);
    assert_eq!((refused.code(), refused.json["policy"].as_str()), ("step_up_required", Some("stop.step_up")));
    let entry = last(world.hub.control_ledger().await);
    assert_eq!((said(&entry).as_str(), entry["code"].as_str()), ("t1 elevation.request refused", Some("step_up_required")));
    let now = world.hub.hub.now();
    world.run("UPDATE session SET stepped_up_at = ?2 WHERE person_id = ?1", params![person("t1"), now]).await;
    world.asked("t1", &template, 10).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_their_own_and_no_technician_anybodys(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    let own = world.asked("priya", &template, 10).await;
    let refused = world.word("priya", &own, "approve").await.expect(403);
    assert_eq!(refused.json["policy"], "stop.own_request");
    let entry = last(world.hub.control_ledger().await);
    assert_eq!((said(&entry).as_str(), &entry["policy"]), ("priya elevation.approve refused", &json!("stop.own_request")));
    let can = world.seen("priya", &own).await["can"].clone();
    assert_eq!((&can["approve"]["allowed"], &can["end"]["allowed"]), (&json!(false), &json!(true)));
    for (who, status) in [("t3", 403), ("admin", 404), ("carla", 404), ("nobody", 401)] {
        assert_eq!(world.word(who, &own, "approve").await.status, status, "{who}");
        assert_eq!(world.word(who, &own, "deny").await.status, status, "{who}");
        assert_eq!(world.word(who, &own, "end").await.status, status, "{who}");
    }
    // As an admin of the tenant neither.
    let both_sides = world.template(json!({"name": "By the tenant", "approver": "tenant"})).await;
    let own = world.asked(DUAL, &both_sides, 10).await;
    assert_eq!(world.tenants_word(DUAL, &own, "approve").await.expect(403).json["policy"], "stop.own_access_request");
    for (who, status) in [("t3", 403), ("viewer", 403), ("auditor", 403), ("other_admin", 404)] {
        assert_eq!(world.tenants_word(who, &own, "approve").await.status, status, "{who}");
    }
    world.word("priya", &own, "approve").await.expect(409);
    world.tenants_word("admin", &own, "approve").await.expect(200);
    let ledgers = [world.hub.tenant_ledger("acme").await, world.hub.control_ledger().await];
    for ledger in ledgers {
        assert_eq!(said(&last(ledger)), "admin access_request.approve done");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_both_are_asked_it_takes_two_people(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({"approver": "both", "tier": "T2"})).await;
    let id = world.asked("t1", &template, 10).await;
    let half = world.word(DUAL, &id, "approve").await.expect(200).json;
    assert_eq!((&half["state"], &half["provider_approval"]["by"]["name"]), (&json!("requested"), &json!(DUAL)));
    assert!(!world.may("t1", "override.create").await);
    assert!(world.tenants_word(DUAL, &id, "approve").await.expect(409).json["detail"].as_str().unwrap().contains("somebody else"));
    world.word("priya", &id, "approve").await.expect(409);
    let whole = world.tenants_word("admin", &id, "approve").await.expect(200).json;
    assert_eq!((&whole["state"], &whole["tenant_approval"]["by"]["name"]), (&json!("running"), &json!("admin")));
    assert!(world.may("t1", "override.create").await);
    // The tenant's word reaches above the relationship; the provider's alone does not.
    world.run("UPDATE relationship SET tier = 1 WHERE tenant_id = ?1", params![tenant("acme")]).await;
    assert!(world.may("t1", "override.create").await);
    world.tenants_word("operator", &id, "end").await.expect(200);
    let alone = world.template(json!({"name": "Alone", "tier": "T2"})).await;
    let id = world.asked("t1", &alone, 10).await;
    assert_eq!(world.word("priya", &id, "approve").await.expect(200).json["state"], "running");
    assert!(!world.may("t1", "override.create").await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_word_counts_only_of_those_who_may_still_give_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({"approver": "both"})).await;
    let id = world.asked("t1", &template, 10).await;
    world.word(DUAL, &id, "approve").await.expect(200);
    world.run("UPDATE staff SET role = 'technician' WHERE person_id = ?1", params![person(DUAL)]).await;
    let asked_again = world.tenants_word("admin", &id, "approve").await.expect(200).json;
    assert_eq!((&asked_again["state"], &asked_again["provider_approval"]), (&json!("requested"), &Value::Null));
    world.run("UPDATE member SET state = 'disabled' WHERE person_id = ?1", params![person("admin")]).await;
    let asked_again = world.word("priya", &id, "approve").await.expect(200).json;
    assert_eq!((&asked_again["state"], &asked_again["tenant_approval"]), (&json!("requested"), &Value::Null));
    let running = world.tenants_word("operator", &id, "approve").await.expect(200).json;
    assert_eq!(running["state"], "running");
    // Once it runs, its approvers may go.
    world.run("UPDATE member SET state = 'disabled' WHERE person_id = ?1", params![person("operator")]).await;
    assert!(world.may("t1", "setting.update").await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_keeps_the_terms_it_was_made_with(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({"tier": "T2"})).await;
    let (first, second) = (world.asked("t1", &template, 50).await, world.asked("t0", &template, 50).await);
    let stricter = json!({"tier": "T1", "minutes_max": 5, "approver": "tenant", "name": "Renamed"});
    world.hub.patch("priya", &format!("{TEMPLATES}/{template}"), 1, stricter).await.expect(200);
    let approved = world.word("priya", &first, "approve").await.expect(200).json;
    assert_eq!(
        (&approved["tier"], &approved["minutes"], &approved["template"]["name"]),
        (&json!("T2"), &json!(50), &json!("Emergency access"))
    );
    assert!(world.may("t1", "override.create").await);
    let path = format!("{TEMPLATES}/{template}");
    world.hub.send("priya", axum::http::Method::DELETE, &path, None, &[("if-match", "\"2\"")]).await.expect(204);
    world.word("priya", &second, "approve").await.expect(200);
    assert_eq!(world.ask("t2", &template, 5).await.expect(422).wrong_fields(), ["template retired"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_reach_the_tenant_has_nothing_to_be_approved(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    let id = world.asked("t1", &template, 10).await;
    let acme = tenant("acme");
    let bar = "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) VALUES (?1, ?2, ?3, 0, 'Removed.')";
    world.run("UPDATE relationship SET state = 'frozen' WHERE tenant_id = ?1", params![acme]).await;
    world.word("priya", &id, "approve").await.expect(409);
    world.run("UPDATE relationship SET state = 'active' WHERE tenant_id = ?1", params![acme]).await;
    world.run(bar, params![acme, person("t1"), person("admin")]).await;
    world.word("priya", &id, "approve").await.expect(409);
    world.run("DELETE FROM bar", params![]).await;
    world.run("UPDATE staff SET state = 'disabled' WHERE person_id = ?1", params![person("t1")]).await;
    world.word("priya", &id, "approve").await.expect(409);
    world.run("UPDATE staff SET state = 'active' WHERE person_id = ?1", params![person("t1")]).await;
    world.run("UPDATE assignment SET ends_at = ?2 WHERE person_id = ?1", params![person("t1"), world.hub.hub.now()]).await;
    let refused = world.word("priya", &id, "approve").await.expect(409);
    assert!(refused.json["detail"].as_str().unwrap().starts_with("t1 does not reach Acme Dental Group"));
    world.run("UPDATE assignment SET ends_at = NULL WHERE person_id = ?1", params![person("t1")]).await;
    world.word("priya", &id, "approve").await.expect(200);
    assert!(world.may("t1", "setting.update").await);
    world.run(bar, params![acme, person("t1"), person("admin")]).await;
    assert!(!world.may("t1", "context.view").await);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_takes_nothing_along(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    let (runs, waits) = (world.asked("t3", &template, 10).await, world.asked("t1", &template, 10).await);
    world.word("priya", &runs, "approve").await.expect(200);
    for (id, column, place) in [
        (1, "tenant_id", "(SELECT id FROM tenant WHERE slug = 'acme')"),
        (2, "provider_id", "(SELECT provider_id FROM staff WHERE person_id = ?3)"),
    ] {
        let id = uuid::Uuid::from_u128(id);
        let sql = format!(
            "INSERT INTO api_key (id, token_hash, hint, name, {column}, person_id, actions, created_at, expires_at)
             VALUES (?1, ?2, 'tnk_', 'Sync', {place}, ?3, '[]', 0, 9000000000000000)"
        );
        world.run(&sql, params![id, id.as_bytes().as_slice(), person("t3")]).await;
    }
    for who in ["t3", "t1"] {
        let staff = world.hub.get("priya", &format!("/providers/northwind/staff?q={who}@")).await.expect(200).json;
        let path = format!("/providers/northwind/staff/{}", staff["items"][0]["id"].as_str().expect("an id"));
        world.hub.delete("priya", &path).await.expect(204);
    }
    let list = world.hub.get("priya", &format!("{HERE}?sort=requested")).await.expect(200).json;
    let state = |id: &str| list["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap()["state"].clone();
    assert_eq!((state(&runs), state(&waits)), (json!("ended"), json!("cancelled")));
    let entry = world.hub.tenant_ledger("acme").await.pop().expect("an entry");
    let kinds: Vec<_> = entry["changes"].as_array().unwrap().iter().filter_map(|change| change["kind"].as_str()).collect();
    assert_eq!((said(&entry).as_str(), kinds.contains(&"elevation")), ("priya staff.remove done", true));
    let mut tx = world.hub.hub.system_read().await.expect("a read");
    let left: i64 = tx.one("SELECT COUNT(*) FROM api_key WHERE revoked_at IS NULL", &[]).await.unwrap().take().unwrap();
    assert_eq!(left, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_no_wants_a_reason_and_what_is_over_is_over(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    let id = world.asked("t1", &template, 10).await;
    let path = |word: &str| format!("{HERE}/{id}/{word}");
    assert_eq!(world.hub.post("priya", &path("deny"), json!({})).await.expect(422).wrong_fields(), ["reason too_short"]);
    let denied = world.hub.post("priya", &path("deny"), json!({"reason": "Use the other one."})).await.expect(200).json;
    assert_eq!((&denied["state"], &denied["decision_reason"]), (&json!("denied"), &json!("Use the other one.")));
    assert_eq!((&denied["closed_by"]["name"], denied["closed_at"].is_null()), (&json!("priya"), false));
    for word in ["approve", "deny", "end"] {
        world.word("priya", &id, word).await.expect(409);
        assert_eq!(denied["can"][word]["allowed"], false);
    }
    // One's own is taken back, another's is not to be known of.
    let id = world.asked("t1", &template, 10).await;
    world.word("t2", &id, "end-own").await.expect(404);
    assert_eq!(world.word("t1", &id, "end-own").await.expect(200).json["state"], "cancelled");
    let id = world.asked("t1", &template, 10).await;
    world.word("priya", &id, "approve").await.expect(200);
    world.hub.advance(std::time::Duration::from_secs(90));
    let ended = world.word("t1", &id, "end-own").await.expect(200).json;
    assert_eq!((&ended["state"], &ended["ends_at"]), (&json!("ended"), &json!(world.hub.hub.now())));
    assert!(!world.may("t1", "override.create").await);
    // The tenant ends one too, and all of somebody's.
    let id = world.asked("t1", &template, 10).await;
    world.word("priya", &id, "approve").await.expect(200);
    assert_eq!(world.tenants_word("admin", &id, "end").await.expect(200).json["state"], "ended");
    let (id, waits) = (world.asked("t1", &template, 10).await, world.template(json!({"name": "Other"})).await);
    let waits = world.asked("t1", &waits, 10).await;
    world.word("priya", &id, "approve").await.expect(200);
    assert_eq!(world.tenants_word("admin", &id, "remove").await.expect(200).json["state"], "ended");
    assert_eq!(world.seen("t1", &waits).await["state"], "cancelled");
    assert_eq!(world.tenants_word("other_admin", &id, "end").await.expect(404).code(), "not_found");
    world.run("UPDATE elevation SET break_glass = ?1, ends_at = 9000000000000000", params![true]).await;
    world.tenants_word("admin", &id, "end").await.expect(409);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn elevations_are_listed_filtered_and_reported(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let (one, other) =
        (world.template(json!({})).await, world.template(json!({"name": "=Visit, on site", "approver": "tenant"})).await);
    let runs = world.asked("t1", &one, 10).await;
    world.word("priya", &runs, "approve").await.expect(200);
    world.hub.advance(std::time::Duration::from_secs(150));
    let waits = world.asked("t2", &other, 10).await;
    let ids = async |who: &str, query: &str| -> Vec<String> {
        let items = world.hub.get(who, &format!("{HERE}{query}")).await.expect(200).json["items"].clone();
        items.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("priya", "").await, [waits.clone(), runs.clone()]);
    for (query, wanted) in [
        ("?state=running", &runs),
        ("?state=requested,denied", &waits),
        ("?q=visit", &waits),
        (&*format!("?person={}", person("t1")), &runs),
        ("/own?q=emerg", &runs),
    ] {
        let who = if query.starts_with("/own") { "t1" } else { "priya" };
        assert_eq!(ids(who, query).await, std::slice::from_ref(wanted), "{query}");
    }
    assert_eq!(ids("priya", "?tenant=acme&sort=person&limit=1").await, std::slice::from_ref(&runs));
    assert_eq!(ids("priya", "?tenant=plain").await, Vec::<String>::new());
    assert_eq!(ids("t2", "/own").await, std::slice::from_ref(&waits));
    assert_eq!(world.hub.get("priya", &format!("{HERE}?state=lost")).await.expect(422).wrong_fields(), ["state unknown"]);
    for (path, status) in [("", 403), ("/report?month=2026-11", 403)] {
        assert_eq!(world.hub.get("t1", &format!("{HERE}{path}")).await.status, status);
    }
    let report = world.hub.get("priya", &format!("{HERE}/report?month=2026-11")).await.expect(200);
    assert_eq!(report.headers["content-disposition"], "attachment; filename=\"elevations-2026-11.csv\"");
    let text = String::from_utf8(report.bytes).unwrap();
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].starts_with(&runs) && lines[1].contains(",t1,acme,Acme Dental Group,Emergency access,T3,,"));
    assert!(lines[1].contains(",running,priya,") && lines[1].contains(",2.5,"), "{text}");
    assert!(lines[2].contains(",\"'=Visit, on site\",") && lines[2].contains(",requested,,"), "{text}");
    let empty = world.hub.get("priya", &format!("{HERE}/report?month=2026-12")).await.expect(200).bytes;
    assert_eq!(String::from_utf8(empty).unwrap().trim_end(), lines[0]);
    assert_eq!(world.hub.get("priya", &format!("{HERE}/report")).await.expect(422).wrong_fields(), ["month not_a_month"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_tenant_sees_staff_as_their_provider_shows_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({"approver": "both"})).await;
    let id = world.asked("t1", &template, 10).await;
    world.word("priya", &id, "approve").await.expect(200);
    let seen = world.tenants_word("admin", &id, "view").await.expect(200).json;
    assert_eq!((&seen["person"]["name"], &seen["provider_approval"]["by"]["name"]), (&json!("t1"), &json!("priya")));
    assert_eq!((&seen["can"]["approve"]["allowed"], &seen["can"]["end"]["allowed"]), (&json!(true), &json!(true)));
    world.run("UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'", params![]).await;
    let seen = world.tenants_word("admin", &id, "view").await.expect(200).json;
    assert_eq!(seen["person"], json!({"id": null, "name": "Northwind IT technician"}));
    assert_eq!(seen["provider_approval"]["by"], json!({"id": null, "name": "Northwind IT staff"}));
    world.tenants_word("admin", &id, "approve").await.expect(200);
    let ledger = world.hub.get("admin", "/tenants/acme/ledger?limit=200").await.expect(200).json;
    let about: Vec<&Value> = ledger["items"].as_array().unwrap().iter().filter(|e| e["subject"]["kind"] == "elevation").collect();
    assert_eq!(about.len(), 3);
    for entry in about {
        assert!(!entry["changes"].to_string().contains("t1") && entry["subject"]["label"].is_null(), "{entry}");
    }
}
