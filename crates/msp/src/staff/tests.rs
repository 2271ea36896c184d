//! The rules of staff and of invitations, on both engines.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

const STAFF: &str = "/providers/northwind/staff";
const INVITATIONS: &str = "/providers/northwind/staff/invitations";
const UNKNOWN: &str = "stf_01999999999970009999999999999999";

async fn start(engine: Engine) -> TestHub {
    TestHub::start(engine, crate::router()).await
}

/// Somebody's row, as a provider admin of theirs sees it.
async fn row(hub: &TestHub, who: &str, provider: &str, name: &str) -> Value {
    let page = hub.get(who, &format!("/providers/{provider}/staff?limit=200&q={name}@cast.example")).await.expect(200);
    let items = page.json["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().find(|item| item["person"]["name"] == name).unwrap_or_else(|| panic!("no {name}: {}", page.json))
}

async fn at(hub: &TestHub, name: &str) -> String {
    format!("{STAFF}/{}", row(hub, "priya", "northwind", name).await["id"].as_str().unwrap())
}

async fn promote(hub: &TestHub, name: &str) -> Value {
    let staff = row(hub, "priya", "northwind", name).await;
    let path = format!("{STAFF}/{}", staff["id"].as_str().unwrap());
    hub.patch("priya", &path, staff["version"].as_i64().unwrap(), json!({"role": "provider_admin"})).await.expect(200).json
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_list_answers_search_filters_order_and_pages(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let all = hub.get("priya", STAFF).await.expect(200).json;
    assert_eq!(all["total"], 8);
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|i| i["person"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["priya", "t0", "t1", "t2", "t3", "tech_expired", "tech_none", "tech_view"]);
    let priya = &all["items"][0];
    assert_eq!(priya["protected"], true);
    assert_eq!(priya["is_me"], true);
    assert_eq!(priya["second_factor"], false);
    assert_eq!(all["items"][4]["assignments"], 4);
    assert_eq!(all["items"][4]["is_me"], false);
    let first = hub.get("priya", &format!("{STAFF}?limit=5&sort=-name")).await.expect(200).json;
    assert_eq!((first["items"].as_array().unwrap().len(), first["total"].as_i64()), (5, Some(8)));
    let rest =
        hub.get("priya", &format!("{STAFF}?limit=5&sort=-name&cursor={}", first["next"].as_str().unwrap())).await.expect(200).json;
    assert_eq!(rest["items"][2]["person"]["name"], "priya");
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(hub.get("priya", &format!("{STAFF}?role=provider_admin")).await.json["total"], 1);
    assert_eq!(hub.get("priya", &format!("{STAFF}?role=provider_admin,technician&state=disabled")).await.json["total"], 0);
    assert_eq!(hub.get("priya", &format!("{STAFF}?q=TECH_")).await.json["total"], 3);
    assert_eq!(hub.get("priya", &format!("{STAFF}?q=%25")).await.json["total"], 0);
    assert_eq!(hub.get("priya", &format!("{STAFF}?sort=-last_seen")).await.expect(200).json["total"], 8);
    for (query, wrong) in [
        ("role=admin", "role unknown"),
        ("state=gone", "state unknown"),
        ("sort=age", "sort unknown"),
        ("limit=0", "limit out_of_range"),
    ] {
        assert_eq!(hub.get("priya", &format!("{STAFF}?{query}")).await.expect(422).wrong_fields(), [wrong]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_somebody_has_assignments_and_what_may_be_done(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let t3 = hub.get("priya", &at(&hub, "t3").await).await.expect(200);
    assert_eq!(t3.version(), 1);
    let tenants: Vec<_> = t3.json["assignments"].as_array().unwrap().iter().map(|a| a["tenant"]["slug"].clone()).collect();
    assert_eq!(tenants, ["acme", "frost", "plain", "sable"]);
    assert_eq!(t3.json["can"]["staff.update"]["allowed"], true);
    assert_eq!(t3.json["can"]["assignment.create"]["allowed"], true);
    let priya = hub.get("priya", &at(&hub, "priya").await).await.expect(200).json;
    for act in ["staff.update", "staff.disable", "staff.remove", "assignment.create", "assignment.update", "assignment.delete"] {
        assert_eq!(priya["can"][act]["allowed"], false, "{act}");
        assert!(!priya["can"][act]["why"].as_str().unwrap().is_empty(), "{act}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_technician_reaches_all_tenants_at_once_and_a_demoted_one_keeps_assignments(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    // Before: T2 on Acme, nothing on Birch, Plain or Sable, all made before.
    hub.get("t2", "/tenants/acme/context").await.expect(200);
    for tenant in ["birch", "plain", "sable"] {
        hub.get("t2", &format!("/tenants/{tenant}/context")).await.expect(404);
    }
    let promoted = promote(&hub, "t2").await;
    assert_eq!((promoted["role"].as_str(), promoted["version"].as_i64()), (Some("provider_admin"), Some(2)));
    for (tenant, tier) in [("acme", "T3"), ("birch", "T2"), ("plain", "T3"), ("sable", "T3")] {
        let me = hub.get("t2", &format!("/tenants/{tenant}/context")).await.expect(200).json["me"].clone();
        assert_eq!((me["tier"].as_str(), me["grant"]["source"].as_str()), (Some(tier), Some("relationship")), "{tenant}");
    }
    hub.get("t2", "/tenants/zeta/context").await.expect(404);
    assert_eq!(row(&hub, "priya", "northwind", "priya").await["protected"], false);
    let path = at(&hub, "t2").await;
    let demoted = hub.patch("priya", &path, 2, json!({"role": "technician"})).await.expect(200).json;
    assert_eq!(demoted["assignments"], 1);
    let me = hub.get("t2", "/tenants/acme/context").await.expect(200).json["me"].clone();
    assert_eq!((me["tier"].as_str(), me["grant"]["source"].as_str()), (Some("T2"), Some("assignment")));
    hub.get("t2", "/tenants/plain/context").await.expect(404);
    let entries = hub.get("priya", "/providers/northwind/ledger?action=staff.update").await.expect(200).json;
    let entry = &entries["items"][0];
    assert_eq!((entry["subject"]["label"].as_str(), entries["total"].as_i64()), (Some("t2"), Some(2)));
    assert_eq!(entry["changes"][0]["before"]["role"], "provider_admin");
    assert_eq!(entry["changes"][0]["after"]["role"], "technician");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_themselves_and_the_last_admin_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let own = at(&hub, "priya").await;
    let refusals = [
        hub.patch("priya", &own, 1, json!({"role": "technician"})).await,
        hub.post("priya", &format!("{own}/disable"), json!({})).await,
        hub.delete("priya", &own).await,
    ];
    for refused in refusals {
        assert_eq!(refused.expect(403).json["policy"], "stop.last_provider_admin");
    }
    promote(&hub, "t2").await;
    let refusals = [
        hub.patch("priya", &own, 1, json!({"role": "technician"})).await,
        hub.post("priya", &format!("{own}/disable"), json!({})).await,
        hub.delete("priya", &own).await,
    ];
    for refused in refusals {
        assert_eq!(refused.expect(403).json["policy"], "stop.own_staff_row");
    }
    let refused = hub.control_ledger().await.into_iter().filter(|e| e["outcome"] == "refused").collect::<Vec<_>>();
    assert_eq!(refused.len(), 6);
    assert!(refused.iter().all(|e| e["subject"]["label"] == "priya" && e["changes"] == json!([])));
    // Another admin may, as long as one is left.
    hub.patch("t2", &own, 1, json!({"role": "technician"})).await.expect(200);
    hub.get("priya", STAFF).await.expect(403);
    assert_eq!(row(&hub, "t2", "northwind", "t2").await["protected"], true);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_admin_or_account_does_not_count_as_the_other_one(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    promote(&hub, "t2").await;
    assert_eq!(row(&hub, "priya", "northwind", "priya").await["protected"], false);
    let other = at(&hub, "t2").await;
    let disabled = hub.post("priya", &format!("{other}/disable"), json!({})).await.expect(200).json;
    assert_eq!(disabled["state"], "disabled");
    assert_eq!(row(&hub, "priya", "northwind", "priya").await["protected"], true);
    assert_eq!(hub.get("t2", STAFF).await.expect(403).json["policy"], "stop.own_staff_disabled");
    hub.get("t2", "/tenants/acme/context").await.expect(403);
    assert_eq!(hub.post("priya", &format!("{other}/disable"), json!({})).await.expect(409).code(), "conflict");
    hub.post("priya", &format!("{other}/enable"), json!({})).await.expect(200);
    hub.post("priya", &format!("{other}/enable"), json!({})).await.expect(409);
    hub.get("t2", STAFF).await.expect(200);
    let mut tx = hub.hub.system_write("test.set", "an account is closed").await.unwrap();
    tx.execute("UPDATE person SET state = 'disabled' WHERE id = ?1", params![testkit::person("t2")]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(row(&hub, "priya", "northwind", "priya").await["protected"], true);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_admins_who_demote_each_other_at_once_one_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = std::sync::Arc::new(start(engine).await);
    promote(&hub, "t2").await;
    let (priya, t2) = (at(&hub, "priya").await, at(&hub, "t2").await);
    let (one, other) = (hub.clone(), hub.clone());
    let first = tokio::spawn(async move { one.patch("priya", &t2, 2, json!({"role": "technician"})).await });
    let second = tokio::spawn(async move { other.patch("t2", &priya, 1, json!({"role": "technician"})).await });
    let mut statuses = [first.await.unwrap().status, second.await.unwrap().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403]);
    let mut tx = hub.hub.system_read().await.unwrap();
    let count = "SELECT COUNT(*) FROM staff WHERE role = 'provider_admin' AND state = 'active' AND person_id IN (?1, ?2)";
    let left: i64 = tx.one(count, params![testkit::person("priya"), testkit::person("t2")]).await.unwrap().take().unwrap();
    assert_eq!(left, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_three_admins_who_act_on_each_other_at_once_one_stays(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = std::sync::Arc::new(start(engine).await);
    promote(&hub, "t2").await;
    promote(&hub, "t3").await;
    let (priya, t2, t3) = (at(&hub, "priya").await, at(&hub, "t2").await, at(&hub, "t3").await);
    let mut acts = Vec::new();
    for (who, path, how) in [("priya", t2, "disable"), ("t2", t3, "remove"), ("t3", priya, "demote")] {
        let hub = hub.clone();
        acts.push(tokio::spawn(async move {
            match how {
                "disable" => hub.post(who, &format!("{path}/disable"), json!({})).await.status,
                "remove" => hub.delete(who, &path).await.status,
                _ => hub.patch(who, &path, 1, json!({"role": "technician"})).await.status,
            }
        }));
    }
    let mut done = 0;
    for act in acts {
        done += i32::from(act.await.unwrap() < 300);
    }
    assert!((1..=2).contains(&done), "{done}");
    let mut tx = hub.hub.system_read().await.unwrap();
    let count = "SELECT COUNT(*) FROM staff s JOIN provider p ON p.id = s.provider_id
                 WHERE p.slug = 'northwind' AND s.role = 'provider_admin' AND s.state = 'active'";
    let left: i64 = tx.one(count, params![]).await.unwrap().take().unwrap();
    assert_eq!(left, 3 - i64::from(done));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_leaves_no_assignment_and_each_tenant_reads_only_of_its_own(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    let path = at(&hub, "t3").await;
    hub.delete("priya", &path).await.expect(204);
    hub.get("priya", &path).await.expect(404);
    hub.get("t3", "/tenants/acme/context").await.expect(404);
    hub.get("t3", STAFF).await.expect(404);
    assert_eq!(hub.get("priya", "/providers/northwind/assignments?q=t3").await.json["total"], 0);
    let mut ids = Vec::new();
    for slug in ["acme", "sable", "frost", "plain"] {
        let entry = hub.tenant_ledger(slug).await.pop().unwrap();
        assert_eq!((entry["action"].as_str(), entry["subject"]["label"].as_str()), (Some("staff.remove"), Some("t3")));
        assert_eq!(entry["tenant"], testkit::tenant(slug).to_string());
        let kinds: Vec<_> = entry["changes"].as_array().unwrap().iter().map(|c| c["kind"].clone()).collect();
        assert_eq!(kinds, ["staff", "assignment"], "{slug}");
        for other in ["acme", "sable", "frost", "plain"].into_iter().filter(|other| *other != slug) {
            assert!(!entry.to_string().contains(&testkit::tenant(other).to_string()), "{slug} reads of {other}");
        }
        ids.push(entry["id"].clone());
        assert_eq!(hub.verify_tenant_ledger(slug).await, 1);
    }
    let whole = hub.get("priya", "/providers/northwind/ledger?action=staff.remove").await.expect(200).json["items"][0].clone();
    assert_eq!(whole["changes"].as_array().unwrap().len(), 5);
    assert!(hub.tenant_ledger("birch").await.is_empty());
    // Somebody without assignments leaves too.
    hub.delete("priya", &at(&hub, "tech_none").await).await.expect(204);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_version_that_was_read(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let path = at(&hub, "t1").await;
    let body = json!({"role": "provider_admin"});
    let missing = hub.send("priya", axum::http::Method::PATCH, &path, Some(body.clone()), &[]).await;
    assert_eq!(missing.expect(428).code(), "precondition_required");
    assert_eq!(hub.patch("priya", &path, 7, body.clone()).await.expect(412).code(), "precondition_failed");
    assert_eq!(hub.patch("priya", &path, 1, body.clone()).await.expect(200).version(), 2);
    hub.patch("priya", &path, 1, body).await.expect(412);
    assert_eq!(hub.patch("priya", &path, 2, json!({})).await.expect(422).wrong_fields(), ["role missing"]);
    assert_eq!(hub.patch("priya", &path, 2, json!({"role": "owner"})).await.expect(422).wrong_fields(), ["role wrong_type"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_a_link_for_seven_days_and_a_new_one_replaces_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    let body = json!({"email": " New.Tech@Northwind.example ", "role": "technician", "name": "New Tech"});
    let first = hub.post("priya", INVITATIONS, body.clone()).await.expect(201).json;
    assert_eq!(first["email"], "new.tech@northwind.example");
    assert_eq!(first["expires_at"], testkit::START.plus_days(7).to_string());
    let token = first["token"].as_str().unwrap();
    assert_eq!(first["url"], format!("http://hub.test/invite/{token}"));
    let mut tx = hub.hub.system_read().await.unwrap();
    let sql = "SELECT email, name, role FROM invitation WHERE token_hash = ?1";
    let mut stored = tx.one(sql, params![kernel::secrets::token_hash(token)]).await.unwrap();
    assert_eq!(stored.take::<String>().unwrap(), "new.tech@northwind.example");
    assert_eq!(stored.take::<String>().unwrap(), "New Tech");
    drop(tx);
    hub.advance(std::time::Duration::from_secs(60));
    let second = hub
        .post("priya", INVITATIONS, json!({"email": "new.tech@northwind.example", "role": "provider_admin"}))
        .await
        .expect(201)
        .json;
    let list = hub.get("priya", INVITATIONS).await.expect(200).json;
    let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|i| (i["id"].clone(), i["state"].clone())).collect();
    assert_eq!(states, [(second["id"].clone(), json!("open")), (first["id"].clone(), json!("revoked"))]);
    assert_eq!(list["items"][0]["invited_by"], "priya");
    assert_eq!(hub.get("priya", &format!("{INVITATIONS}?limit=1")).await.json["total"], 2);
    let ledger = hub.control_ledger().await;
    let written = serde_json::to_string(&ledger).unwrap();
    assert!(written.contains("staff.invite") && !written.contains(token), "no token in a ledger");
    // Taken back once, then it is not open any more.
    let path = format!("{INVITATIONS}/{}", second["id"].as_str().unwrap());
    hub.delete("priya", &path).await.expect(204);
    hub.delete("priya", &path).await.expect(409);
    hub.delete("priya", &format!("{INVITATIONS}/{}", first["id"].as_str().unwrap())).await.expect(409);
    // And after seven days nobody can accept it.
    hub.advance(std::time::Duration::from_secs(1));
    let third = hub.post("priya", INVITATIONS, body).await.expect(201).json;
    let mut tx = hub.hub.system_write("test.set", "seven days go by").await.unwrap();
    let open = "UPDATE invitation SET expires_at = ?1 WHERE revoked_at IS NULL";
    assert_eq!(tx.execute(open, params![hub.hub.now()]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let list = hub.get("priya", &format!("{INVITATIONS}?sort=-created&q=NEW.tech")).await.expect(200).json;
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["state"]), (&third["id"], &json!("expired")));
    hub.delete("priya", &format!("{INVITATIONS}/{}", third["id"].as_str().unwrap())).await.expect(409);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_says_every_wrong_field_and_who_is_here_already(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let long = "x".repeat(101);
    let wrong = hub.post("priya", INVITATIONS, json!({"email": "nobody", "role": "technician", "name": long})).await.expect(422);
    assert_eq!(wrong.wrong_fields(), ["email not_an_email", "name too_long"]);
    for (body, field) in [
        (json!({"email": "a@b.example"}), "role missing"),
        (json!({"role": "technician"}), "email missing"),
        (json!({"email": "a@b.example", "role": "admin"}), "role wrong_type"),
    ] {
        assert_eq!(hub.post("priya", INVITATIONS, body).await.expect(422).wrong_fields(), [field]);
    }
    let here = hub.post("priya", INVITATIONS, json!({"email": "t2@cast.example", "role": "technician"})).await.expect(409);
    assert!(here.json["detail"].as_str().unwrap().contains("t2@cast.example"));
    // Who is known elsewhere may be invited here.
    hub.post("priya", INVITATIONS, json!({"email": "carla@cast.example", "role": "technician"})).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn technicians_do_none_of_this_and_other_providers_find_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let staff = at(&hub, "t1").await;
    let open = hub.post("priya", INVITATIONS, json!({"email": "a@b.example", "role": "technician"})).await.expect(201).json;
    let invitation = format!("{INVITATIONS}/{}", open["id"].as_str().unwrap());
    for (who, status) in [("t3", 403), ("tech_none", 403), ("carla", 404), ("harriet", 404), ("admin", 404), ("nobody", 401)] {
        let answers = [
            hub.get(who, STAFF).await,
            hub.get(who, &staff).await,
            hub.get(who, INVITATIONS).await,
            hub.post(who, INVITATIONS, json!({"email": "c@d.example", "role": "technician"})).await,
            hub.patch(who, &staff, 1, json!({"role": "provider_admin"})).await,
            hub.post(who, &format!("{staff}/disable"), json!({})).await,
            hub.post(who, &format!("{staff}/enable"), json!({})).await,
            hub.delete(who, &staff).await,
            hub.delete(who, &invitation).await,
        ];
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.status, status, "{who} at {n}");
        }
    }
    // An id of another provider is an id that does not exist.
    let foreign = row(&hub, "carla", "contoso", "carla").await["id"].as_str().unwrap().to_owned();
    let theirs = hub
        .post("carla", "/providers/contoso/staff/invitations", json!({"email": "e@f.example", "role": "technician"}))
        .await
        .expect(201)
        .json;
    for (foreign, unknown) in [
        (format!("{STAFF}/{foreign}"), format!("{STAFF}/{UNKNOWN}")),
        (
            format!("{INVITATIONS}/{}", theirs["id"].as_str().unwrap()),
            format!("{INVITATIONS}/inv_01999999999970009999999999999999"),
        ),
    ] {
        let (one, other) = (hub.delete("priya", &foreign).await.expect(404), hub.delete("priya", &unknown).await.expect(404));
        assert_eq!(one.bytes, other.bytes);
    }
    let (one, other) =
        (hub.get("priya", &format!("{STAFF}/{foreign}")).await, hub.get("priya", &format!("{STAFF}/nonsense")).await);
    assert_eq!((one.expect(404).bytes, 404), (other.bytes, other.status));
    let body = json!({"role": "technician"});
    let (one, other) = (
        hub.patch("priya", &format!("{STAFF}/{foreign}"), 1, body.clone()).await.expect(404),
        hub.patch("priya", &format!("{STAFF}/{UNKNOWN}"), 1, body).await.expect(404),
    );
    assert_eq!(one.bytes, other.bytes);
    for act in ["disable", "enable"] {
        let one = hub.post("priya", &format!("{STAFF}/{foreign}/{act}"), json!({})).await.expect(404);
        assert_eq!(one.bytes, other.bytes);
    }
    assert_eq!(row(&hub, "carla", "contoso", "carla").await["version"], 1);
}
