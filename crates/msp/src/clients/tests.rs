use kernel::clock::DAY_US;
use kernel::params;
use kernel::store::Value as Param;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, START, TestHub, person, tenant};

const CLIENTS: &str = "/providers/northwind/clients";
const TODAY: i64 = START.0 / DAY_US;

async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    crate::summaries::wire(&hub.hub);
    hub
}

async fn publish(hub: &TestHub, name: &str, payload: Value) {
    let mut tx = hub.hub.system(tenant(name), "test.scan", "a test publishes a summary").await.unwrap();
    tx.publish("summary", &payload).unwrap();
    tx.commit().await.unwrap();
}

async fn set(hub: &TestHub, sql: &str, values: &[Param]) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    tx.execute(sql, values).await.unwrap();
    tx.commit().await.unwrap();
}

/// Acme: 81.2 %, was 75, two criticals. Plain: good and current. Birch: stale. The others: never scanned.
async fn scene(engine: Engine) -> TestHub {
    let hub = hub(engine).await;
    let acme = json!({"score_bp": 8123, "passed": 65, "failed": 15, "overridden": 2, "critical": 2, "high": 5, "scans": 3,
        "findings_open": 40, "scan_at": START.plus_days(-1),
        "trend": [[TODAY - 40, 7500], [TODAY - 20, 8000], [TODAY - 1, 8123]]});
    publish(&hub, "acme", acme).await;
    let plain = json!({"score_bp": 9500, "passed": 19, "failed": 1, "high": 1, "scans": 1, "scan_at": START.plus_days(-6),
        "trend": [[TODAY - 6, 9500]]});
    publish(&hub, "plain", plain).await;
    publish(&hub, "birch", json!({"score_bp": 6000, "scan_at": START.plus_days(-8), "trend": [[TODAY - 8, 6000]]})).await;
    hub
}

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().expect("a list")
}

fn slugs(answer: &Answer) -> Vec<&str> {
    items(answer).iter().map(|client| client["slug"].as_str().expect("a slug")).collect()
}

fn client<'a>(answer: &'a Answer, slug: &str) -> &'a Value {
    items(answer).iter().find(|client| client["slug"] == slug).expect("in the list")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everyone_sees_their_own_clients_with_their_own_tier(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    for (who, provider, want) in [
        ("priya", "northwind", &[("acme", "T3"), ("birch", "T2"), ("frost", "T3"), ("plain", "T3"), ("sable", "T3")] as &[_]),
        ("t0", "northwind", &[("acme", "T0")]),
        ("t2", "northwind", &[("acme", "T2")]),
        ("t3", "northwind", &[("acme", "T3"), ("frost", "T3"), ("plain", "T3"), ("sable", "T3")]),
        ("tech_none", "northwind", &[]),
        ("tech_expired", "northwind", &[]),
        ("harriet", "harbor", &[("birch", "T2")]),
        ("carla", "contoso", &[("zeta", "T3")]),
    ] {
        let list = hub.get(who, &format!("/providers/{provider}/clients?sort=name")).await.expect(200);
        let seen: Vec<_> = items(&list).iter().map(|c| (c["slug"].as_str().unwrap(), c["tier"].as_str().unwrap())).collect();
        assert_eq!(seen, want, "{who}");
        assert_eq!(list.json["counts"]["all"], want.len(), "{who}");
        assert_eq!(list.json["kpis"]["clients"], want.len(), "{who}");
        assert_eq!(list.json["total"], want.len(), "{who}");
    }
    let priya = hub.get("priya", CLIENTS).await.expect(200);
    assert_eq!(client(&priya, "birch")["via"]["name"], "Harbor Services");
    assert_eq!(client(&priya, "acme")["via"], Value::Null);
    assert_eq!(priya.json["kpis"]["clients_max"], 50);
    assert_eq!(hub.get("t3", CLIENTS).await.expect(200).json["kpis"]["clients_max"], Value::Null);
    let harriet = hub.get("harriet", "/providers/harbor/clients").await.expect(200);
    assert_eq!(client(&harriet, "birch")["via"], Value::Null);
    for who in ["carla", "harriet", "admin"] {
        hub.get(who, CLIENTS).await.expect(404);
        hub.get(who, "/providers/northwind/clients.csv").await.expect(404);
    }
    hub.get("nobody", CLIENTS).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_card_says_how_a_client_stands(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = scene(engine).await;
    let list = hub.get("priya", CLIENTS).await.expect(200);
    let acme = client(&list, "acme");
    assert_eq!((&acme["score"], &acme["delta"]), (&json!(81.2), &json!(6.2)));
    let trend = acme["trend"].as_array().unwrap();
    assert_eq!(trend.len(), 30);
    assert_eq!(
        (&trend[0], &trend[8], &trend[9], &trend[28], &trend[29]),
        (&json!(75.0), &json!(75.0), &json!(80.0), &json!(81.2), &json!(81.2))
    );
    assert_eq!(acme["scan"], json!({"status": "current", "at": START.plus_days(-1)}));
    assert_eq!(
        (&acme["passed"], &acme["failed"], &acme["overridden"], &acme["critical"], &acme["high"]),
        (&json!(65), &json!(15), &json!(2), &json!(2), &json!(5))
    );
    assert_eq!(acme["seats"], json!({"used": 4, "limit": null, "status": "unlimited"}));
    assert_eq!((&acme["plan"], &acme["industry"], &acme["attention"]), (&json!("Complete"), &json!("Testing"), &json!(true)));
    let plain = client(&list, "plain");
    assert_eq!((&plain["delta"], &plain["attention"]), (&Value::Null, &json!(false)));
    assert_eq!((&plain["trend"][23], &plain["trend"][22]), (&json!(95.0), &Value::Null));
    assert_eq!(plain["seats"], json!({"used": 0, "limit": 3, "status": "ok"}));
    assert_eq!(client(&list, "birch")["scan"]["status"], "stale");
    let frost = client(&list, "frost");
    assert_eq!((&frost["scan"], &frost["score"]), (&json!({"status": "never", "at": null}), &Value::Null));
    // Suspended: never scanned, and nobody's work.
    assert_eq!(client(&list, "sable")["attention"], false);

    hub.advance(std::time::Duration::from_secs(2 * 86_400));
    let later = hub.get("priya", CLIENTS).await.expect(200);
    assert_eq!(client(&later, "plain")["scan"]["status"], "stale");
    set(&hub, "UPDATE tenant SET seats_max = 3, scan_interval_days = 30", &[]).await;
    let later = hub.get("priya", CLIENTS).await.expect(200);
    assert_eq!(client(&later, "plain")["scan"]["status"], "current");
    assert_eq!(client(&later, "acme")["seats"], json!({"used": 4, "limit": 3, "status": "over_limit"}));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_card_says_whether_one_may_go_in(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let list = hub.get("t3", CLIENTS).await.expect(200);
    assert_eq!(client(&list, "acme")["enter"], json!({"allowed": true, "why": null}));
    assert_eq!(client(&list, "sable")["enter"]["why"], "This organisation is suspended.");
    assert_eq!(client(&list, "frost")["enter"]["why"], "Provider access to this organisation is frozen.");
    assert_eq!(client(&list, "frost")["relationship_state"], "frozen");
    set(&hub, "UPDATE relationship SET ends_at = ?1 WHERE provider_id = (SELECT id FROM provider WHERE slug = 'northwind') AND tenant_id = ?2", params![START, tenant("plain")]).await;
    set(&hub, "UPDATE assignment SET mask = 0 WHERE person_id = ?1 AND tenant_id = ?2", params![person("t3"), tenant("acme")])
        .await;
    set(&hub, "UPDATE tenant SET state = 'archived' WHERE slug = 'sable'", &[]).await;
    let list = hub.get("t3", CLIENTS).await.expect(200);
    assert_eq!(client(&list, "acme")["enter"]["why"], "Your assignment does not include viewing.");
    assert_eq!(client(&list, "plain")["enter"]["why"], "Your provider's relationship with this organisation has expired.");
    assert_eq!(client(&list, "plain")["relationship_state"], "expired");
    assert_eq!(client(&list, "sable")["enter"]["why"], "This organisation is archived.");
    // The provider above has let go: the one below has no way in.
    set(
        &hub,
        "UPDATE relationship SET state = 'ended' WHERE provider_id = (SELECT id FROM provider WHERE slug = 'northwind')",
        &[],
    )
    .await;
    let list = hub.get("harriet", "/providers/harbor/clients").await.expect(200);
    assert_eq!(client(&list, "birch")["enter"]["why"], "A provider above yours has no live relationship with this organisation.");
    let list = hub.get("priya", CLIENTS).await.expect(200);
    assert_eq!(client(&list, "birch")["enter"]["why"], "Your provider's relationship with this organisation has ended.");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn in_explicit_mode_an_admin_sees_all_and_acts_where_assigned(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    set(&hub, "UPDATE provider SET access_mode = 'explicit' WHERE slug = 'northwind'", &[]).await;
    set(&hub, "UPDATE assignment SET person_id = ?1 WHERE person_id = ?2", params![person("priya"), person("t2")]).await;
    let list = hub.get("priya", &format!("{CLIENTS}?sort=name")).await.expect(200);
    assert_eq!(slugs(&list), ["acme", "birch", "frost", "plain", "sable"]);
    assert_eq!((&client(&list, "acme")["tier"], &client(&list, "plain")["tier"]), (&json!("T2"), &json!("T0")));
    assert_eq!(client(&list, "plain")["enter"]["allowed"], true);
}

/// The dashboard computes by itself what the access engine would decide client by client: here they are held against each other.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_card_promises_what_the_door_keeps(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let mut compared = 0;
    for scene in [
        "UPDATE tenant SET version = version",
        "UPDATE relationship SET tier = 1 WHERE provider_id = (SELECT id FROM provider WHERE slug = 'northwind')",
        "UPDATE provider SET access_mode = 'explicit'",
        "UPDATE assignment SET mask = 14",
        "UPDATE provider SET ceiling = 0 WHERE slug = 'harbor'",
        "UPDATE relationship SET state = 'active', ends_at = 1 WHERE provider_id = (SELECT id FROM provider WHERE slug = 'northwind')",
        "UPDATE relationship SET state = 'frozen', ends_at = NULL WHERE provider_id = (SELECT id FROM provider WHERE slug = 'northwind')",
        "UPDATE relationship SET state = 'ended'",
    ] {
        set(&hub, scene, &[]).await;
        // PostgreSQL may be shared with other hubs: what they commit is seen after half a second of cached standing.
        hub.advance(std::time::Duration::from_secs(1));
        for who in ["priya", "t0", "t1", "t2", "t3", "tech_view", "harriet", "carla"] {
            let provider = match who {
                "harriet" => "harbor",
                "carla" => "contoso",
                _ => "northwind",
            };
            let list = hub.get(who, &format!("/providers/{provider}/clients")).await.expect(200);
            for card in items(&list).iter().filter(|card| card["state"] == "active") {
                let slug = card["slug"].as_str().unwrap();
                let door = hub.get(who, &format!("/tenants/{slug}/context")).await;
                assert_eq!(card["enter"]["allowed"], door.status == 200, "{who} at {slug} after {scene}");
                let (said, kept) = (&card["tier"], &door.json["me"]["tier"]);
                assert!(door.status != 200 || said == kept, "{who} at {slug} after {scene}: {said} on the card, {kept} inside");
                assert!(
                    door.status == 200 || card["enter"]["why"] == door.json["why"],
                    "{who} at {slug} after {scene}: {card} {}",
                    door.json
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn counts_and_key_figures_are_of_all_clients(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = scene(engine).await;
    let list = hub.get("priya", &format!("{CLIENTS}?filter=stale&q=b")).await.expect(200);
    assert_eq!((slugs(&list), &list.json["total"]), (vec!["birch"], &json!(1)));
    let counts = json!({"all": 5, "attention": 3, "stale": 1, "never": 1, "over_limit": 0, "suspended": 1, "archived": 0, "sub_provider": 1});
    assert_eq!(list.json["counts"], counts);
    let kpis = json!({"average_score": 78.7, "average_delta": 6.2, "critical": 2, "critical_clients": 1, "high": 6, "stale": 1,
        "never": 1, "clients": 5, "clients_max": 50});
    assert_eq!(list.json["kpis"], kpis);
    let none = hub.get("tech_none", CLIENTS).await.expect(200);
    assert_eq!((&none.json["kpis"]["average_score"], &none.json["kpis"]["average_delta"]), (&Value::Null, &Value::Null));
    assert_eq!(none.json["counts"]["attention"], 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_and_say_what_they_do_not_know(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = scene(engine).await;
    set(&hub, "UPDATE tenant SET seats_max = 3 WHERE slug = 'acme'", &[]).await;
    set(&hub, "UPDATE relationship SET ends_at = ?1 WHERE tenant_id = ?2", params![START.plus_days(10), tenant("plain")]).await;
    for (query, want) in [
        ("filter=attention", &["acme", "birch", "frost", "plain"] as &[_]),
        ("filter=stale", &["birch"]),
        ("filter=never", &["frost"]),
        ("filter=over_limit", &["acme"]),
        ("filter=suspended", &["sable"]),
        ("filter=archived", &[]),
        ("filter=sub_provider", &["birch"]),
        ("tier=T2", &["birch"]),
        ("tier=T2,T1", &["birch"]),
        ("plan=Basic", &["plain"]),
        ("plan=Basic,Complete&q=SA", &["sable"]),
        ("q=%25", &[]),
        ("q=dental", &["acme"]),
    ] {
        let list = hub.get("priya", &format!("{CLIENTS}?sort=name&{query}")).await.expect(200);
        assert_eq!(slugs(&list), want, "{query}");
        assert_eq!(list.json["total"], want.len(), "{query}");
    }
    let expiring = hub.get("priya", &format!("{CLIENTS}?q=plain")).await.expect(200);
    assert_eq!(client(&expiring, "plain")["relationship_state"], "expiring");
    for (query, want) in [
        ("filter=big", "filter unknown"),
        ("tier=T7", "tier unknown"),
        ("sort=size", "sort unknown"),
        ("limit=201", "limit out_of_range"),
        ("cursor=zzz", "cursor unknown"),
    ] {
        assert_eq!(hub.get("priya", &format!("{CLIENTS}?{query}")).await.expect(422).wrong_fields(), [want]);
        assert_eq!(hub.get("t3", &format!("{CLIENTS}?{query}")).await.expect(422).wrong_fields(), [want]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn orders_put_what_needs_work_first_and_pages_meet(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = scene(engine).await;
    for (sort, want) in [
        ("attention", ["acme", "birch", "frost", "plain", "sable"]),
        ("name", ["acme", "birch", "frost", "plain", "sable"]),
        ("-name", ["sable", "plain", "frost", "birch", "acme"]),
    ] {
        let whole = hub.get("priya", &format!("{CLIENTS}?sort={sort}")).await.expect(200);
        assert_eq!(slugs(&whole), want, "{sort}");
    }
    for (sort, first) in
        [("score", "birch"), ("-score", "plain"), ("-scan", "acme"), ("critical", "acme"), ("seats", "acme"), ("tier", "birch")]
    {
        assert_eq!(slugs(&hub.get("priya", &format!("{CLIENTS}?sort={sort}")).await.expect(200))[0], first, "{sort}");
    }
    for sort in ["attention", "-attention", "name", "score", "-score", "scan", "-scan", "critical", "seats", "tier", "-tier"] {
        let whole = hub.get("priya", &format!("{CLIENTS}?sort={sort}")).await.expect(200);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = hub.get("priya", &format!("{CLIENTS}?sort={sort}&limit=2{cursor}")).await.expect(200);
            seen.extend(slugs(&page).into_iter().map(str::to_owned));
            assert_eq!(page.json["total"], 5);
            let Some(next) = page.json["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, slugs(&whole), "{sort}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_file_holds_all_that_was_filtered(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = scene(engine).await;
    set(&hub, "UPDATE tenant SET name = '=HYPERLINK(\"http://x\"), Inc' WHERE slug = 'plain'", &[]).await;
    let file = hub.get("priya", "/providers/northwind/clients.csv?sort=name").await.expect(200);
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"clients.csv\"");
    let text = String::from_utf8(file.bytes).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert!(lines[0].starts_with("id,slug,name,industry,plan,state,tier,"));
    assert_eq!(lines[0].split(',').count(), 22);
    assert!(
        text.contains("plain,\"'=HYPERLINK(\"\"http://x\"\"), Inc\",Testing,Basic,active,T3,active,,95.0,,19,1,0,0,1,current,")
    );
    assert!(text.contains("acme,Acme Dental Group,Testing,Complete,active,T3,active,,81.2,6.2,65,15,2,2,5,current,2026-11-20T09:00:00.000000Z,4,,unlimited,true"));
    assert!(text.contains("Harbor Services"));
    let own = hub.get("t2", "/providers/northwind/clients.csv?filter=attention").await.expect(200);
    assert_eq!(String::from_utf8(own.bytes).unwrap().lines().count(), 2);
    hub.get("priya", "/providers/northwind/clients.csv?filter=big").await.expect(422);
}

/// `clients` more tenants of Northwind, with members and a trend of `days` points each.
async fn crowd(hub: &TestHub, clients: i64, days: i64) {
    let mut tx = hub.hub.system_write("test.crowd", "many clients").await.unwrap();
    let provider: uuid::Uuid = tx.one("SELECT id FROM provider WHERE slug = 'northwind'", &[]).await.unwrap().take().unwrap();
    let plan: uuid::Uuid =
        tx.one("SELECT id FROM plan WHERE provider_id = ?1 AND name = 'Basic'", params![provider]).await.unwrap().take().unwrap();
    let mut people = Vec::new();
    for n in 0..20 {
        let id = kernel::ids::uuid_at(START);
        tx.execute(
            "INSERT INTO person (id, email, name, state, password_hash, created_at) VALUES (?1, ?2, 'M', 'active', 'none', ?3)",
            params![id, format!("m{n}@crowd.example"), START],
        )
        .await
        .unwrap();
        people.push(id);
    }
    for n in 0..clients {
        let id = kernel::ids::uuid_at(START);
        tx.execute(
            "INSERT INTO tenant (id, provider_id, slug, name, state, plan_id, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6)",
            params![id, provider, format!("crowd-{n}"), format!("Client number {n}"), plan, START],
        )
        .await
        .unwrap();
        tx.execute(
            "INSERT INTO relationship (id, provider_id, tenant_id, tier, state, created_at) VALUES (?1, ?2, ?3, ?4, 'active', ?5)",
            params![kernel::ids::uuid_at(START), provider, id, n % 4, START],
        )
        .await
        .unwrap();
        for person in &people {
            tx.execute(
                "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'viewer', 'active', ?4)",
                params![kernel::ids::uuid_at(START), id, *person, START],
            )
            .await
            .unwrap();
        }
        let trend: Vec<_> = (0..days).rev().map(|ago| (TODAY - ago * 90 / days, 5_000 + (n * 7 + ago * 13) % 5_000)).collect();
        tx.execute(
            "INSERT INTO summary (tenant_id, revision, score_bp, critical, high, scan_at, trend, updated_at) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?5)",
            params![id, 5_000 + (n * 7) % 5_000, n % 3, n % 11, START.plus_days(-(n % 12)), serde_json::to_string(&trend).unwrap()],
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_paged_and_exported_whole(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    crowd(&hub, 450, 13).await;
    let list = hub.get("priya", &format!("{CLIENTS}?limit=60")).await.expect(200);
    assert_eq!((items(&list).len(), &list.json["total"]), (60, &json!(455)));
    let file = hub.get("priya", "/providers/northwind/clients.csv").await.expect(200);
    let text = String::from_utf8(file.bytes).unwrap();
    let ids: std::collections::HashSet<_> = text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
    assert_eq!((text.lines().count(), ids.len()), (456, 455));
}
