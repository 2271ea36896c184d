//! What ledgers show to whom, on both engines.

use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, START, TestHub, person};

const ACME: &str = "/tenants/acme/ledger";
const MINE: &str = "/tenants/acme/ledger/mine";
const PROVIDER: &str = "/providers/northwind/ledger";

/// A hub on whose Acme five acts were done, a second apart: the admin's, T3's, a refusal of the viewer, priya's assignment, T3's again.
async fn start(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    let tick = || hub.advance(std::time::Duration::from_secs(1));
    let settings = "/tenants/acme/settings";
    hub.patch("admin", settings, 1, json!({"scan_interval_days": 10})).await.expect(200);
    tick();
    hub.patch("t3", settings, 2, json!({"scan_interval_days": 11})).await.expect(200);
    tick();
    hub.patch("viewer", settings, 3, json!({"scan_interval_days": 12})).await.expect(403);
    tick();
    let t2 = hub.get("priya", "/providers/northwind/assignments?q=t2&tenant=acme").await.expect(200).json["items"][0]["id"].clone();
    let path = format!("/providers/northwind/assignments/{}", t2.as_str().unwrap());
    hub.patch("priya", &path, 1, json!({"modules": ["compliance"]})).await.expect(200);
    tick();
    hub.patch("t3", settings, 3, json!({"scan_interval_days": 13})).await.expect(200);
    hub
}

async fn list(hub: &TestHub, who: &str, path: &str) -> Vec<Value> {
    let page = hub.get(who, path).await.expect(200).json;
    let items = page["items"].as_array().unwrap().clone();
    assert_eq!(page["total"], items.len(), "{path}: all on one page");
    items
}

async fn seqs(hub: &TestHub, who: &str, path: &str) -> Vec<i64> {
    list(hub, who, path).await.iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

async fn by_role(hub: &TestHub) {
    let mut tx = hub.hub.system_write("test.set", "staff are shown by role").await.unwrap();
    tx.execute("UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'", params![]).await.unwrap();
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_shown_as_it_was_written(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let entries = list(&hub, "admin", ACME).await;
    let stored = hub.tenant_ledger("acme").await;
    assert_eq!(entries.iter().map(|e| e["seq"].as_i64().unwrap()).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    for entry in &entries {
        let body = &stored[usize::try_from(entry["seq"].as_i64().unwrap()).unwrap() - 1];
        for field in
            ["id", "at", "actor", "as", "action", "outcome", "code", "subject", "changes", "reason", "request_id", "address"]
        {
            assert_eq!(entry[field], body[field], "{field}");
        }
        let hash = entry["hash"].as_str().unwrap();
        assert!(hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(entry.as_object().unwrap().len(), 14);
    }
    let refused = &entries[2];
    assert_eq!((refused["outcome"].as_str(), refused["code"].as_str()), (Some("refused"), Some("forbidden")));
    assert_eq!(hub.verify_tenant_ledger("acme").await, 5);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_the_ledger(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let (second, fourth) =
        (START.plus_days(0).after(std::time::Duration::from_secs(1)), START.after(std::time::Duration::from_secs(3)));
    let t3 = person("t3");
    for (query, found) in [
        ("sort=-seq", &[5, 4, 3, 2, 1][..]),
        (&format!("actor={t3}"), &[5, 2]),
        ("action=setting", &[5, 3, 2, 1]),
        ("action=assignment.,member.", &[4]),
        ("action=setting.update&outcome=done", &[5, 2, 1]),
        ("action=SETTING.", &[5, 3, 2, 1]),
        ("action=%25", &[]),
        ("outcome=refused,failed", &[3]),
        ("staff=true", &[5, 4, 2]),
        ("staff=false", &[3, 1]),
        (&format!("from={second}"), &[5, 4, 3, 2]),
        (&format!("from={second}&to={fourth}"), &[4, 3, 2]),
        ("to=2026-01-01T00:00:00Z", &[]),
        ("q=VIEWER", &[3]),
        ("q=assignment.upd", &[4]),
        ("q=t2%20on%20acme", &[4]),
        ("q=Acme%20Dental&staff=false", &[1]),
        ("q=no%20such%20thing", &[]),
        (&format!("q=settings&staff=true&actor={t3}&outcome=done&from={fourth}"), &[5]),
    ] {
        assert_eq!(seqs(&hub, "admin", &format!("{ACME}?{query}")).await, found, "{query}");
    }
    for (query, wrong) in [
        ("sort=seq", "sort unknown"),
        ("sort=-at", "sort unknown"),
        ("actor=admin", "actor wrong_type"),
        ("outcome=maybe", "outcome unknown"),
        ("staff=perhaps", "staff wrong_type"),
        ("from=yesterday", "from wrong_type"),
        ("limit=201", "limit out_of_range"),
        ("cursor=abc", "cursor unknown"),
    ] {
        assert_eq!(hub.get("admin", &format!("{ACME}?{query}")).await.expect(422).wrong_fields(), [wrong], "{query}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_skip_while_entries_are_added(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let first = hub.get("admin", &format!("{ACME}?limit=2")).await.expect(200).json;
    assert_eq!(
        (first["items"][0]["seq"].as_i64(), first["items"][1]["seq"].as_i64(), first["total"].as_i64()),
        (Some(5), Some(4), Some(5))
    );
    hub.patch("admin", "/tenants/acme/settings", 4, json!({"scan_interval_days": 20})).await.expect(200);
    let second = hub.get("admin", &format!("{ACME}?limit=2&cursor={}", first["next"].as_str().unwrap())).await.expect(200).json;
    assert_eq!((second["items"][0]["seq"].as_i64(), second["items"][1]["seq"].as_i64()), (Some(3), Some(2)));
    let third = hub.get("admin", &format!("{ACME}?limit=2&cursor={}", second["next"].as_str().unwrap())).await.expect(200).json;
    assert_eq!((third["items"].as_array().unwrap().len(), &third["next"], third["total"].as_i64()), (1, &Value::Null, Some(6)));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn t1_and_t2_see_their_own_acts_only(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let comment = hub.patch("t2", "/tenants/acme/settings", 1, json!({})).await;
    assert_eq!(comment.status, 403);
    for (who, all, own) in [
        ("viewer", 403, 403),
        ("operator", 403, 403),
        ("auditor", 200, 200),
        ("admin", 200, 200),
        ("t0", 403, 403),
        ("t1", 403, 200),
        ("t2", 403, 200),
        ("t3", 200, 200),
        ("tech_view", 200, 200),
        ("tech_expired", 403, 403),
        ("priya", 200, 200),
        ("tech_none", 404, 404),
        ("carla", 404, 404),
        ("other_admin", 404, 404),
        ("nobody", 401, 401),
    ] {
        assert_eq!(hub.get(who, ACME).await.status, all, "{who}");
        assert_eq!(hub.get(who, MINE).await.status, own, "{who}");
    }
    assert_eq!(seqs(&hub, "t2", MINE).await, [6]);
    assert_eq!(list(&hub, "t2", MINE).await[0]["actor"]["name"], "t2");
    assert_eq!(seqs(&hub, "t1", MINE).await, [0_i64; 0]);
    assert_eq!(seqs(&hub, "t3", MINE).await, [5, 2]);
    assert_eq!(seqs(&hub, "t3", &format!("{MINE}?actor={}", person("t3"))).await, [5, 2]);
    assert_eq!(hub.get("t2", &format!("{MINE}?actor={}", person("t3"))).await.expect(422).wrong_fields(), ["actor not_you"]);
    let foreign = hub.get("other_admin", ACME).await;
    let unknown = hub.get("other_admin", "/tenants/ten_01999999999970009999999999999999/ledger").await;
    assert_eq!((foreign.status, foreign.bytes), (404, unknown.bytes));
    // While suspended the ledger is read.
    hub.get("t3", "/tenants/sable/ledger").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn members_see_staff_by_role_where_the_provider_says_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let named = list(&hub, "admin", ACME).await;
    assert_eq!(
        (named[0]["actor"]["name"].as_str(), named[1]["subject"]["label"].as_str()),
        (Some("t3"), Some("t2 on Acme Dental Group"))
    );
    by_role(&hub).await;
    for reader in ["admin", "auditor"] {
        let entries = list(&hub, reader, ACME).await;
        let names: Vec<_> = entries.iter().map(|e| e["actor"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Northwind IT technician", "Northwind IT provider admin", "viewer", "Northwind IT technician", "admin"]);
        assert_eq!((&entries[0]["actor"]["id"], &entries[0]["as"]["tier"]), (&Value::Null, &json!("T3")));
        assert_eq!((&entries[1]["subject"]["label"], &entries[1]["changes"][0]["after"]["tier"]), (&Value::Null, &json!("T2")));
        for entry in entries.iter().filter(|e| e["as"]["provider"] != Value::Null) {
            let text = entry.to_string();
            for hidden in ["t2", "t3", "priya"] {
                assert!(
                    !text.contains(&format!("\"{hidden}\"")) && !text.contains(&person(hidden).to_string()),
                    "{hidden} in {text}"
                );
            }
        }
        // Nor does a search or a filter tell.
        for hidden in ["q=priya", "q=t2%20on", &format!("q={}", person("t3")), &format!("actor={}", person("t3"))] {
            assert!(seqs(&hub, reader, &format!("{ACME}?{hidden}")).await.is_empty(), "{hidden}");
        }
        assert_eq!(seqs(&hub, reader, &format!("{ACME}?q=assignment.")).await, [4]);
        assert_eq!(seqs(&hub, reader, &format!("{ACME}?staff=true")).await, [5, 4, 2]);
        assert_eq!(seqs(&hub, reader, &format!("{ACME}?q=admin&staff=false")).await, [1]);
    }
    // Staff see staff, and everybody sees themselves.
    assert_eq!(list(&hub, "t3", ACME).await[1]["actor"]["name"], "priya");
    assert_eq!(list(&hub, "t3", MINE).await[0]["actor"]["name"], "t3");
    assert_eq!(list(&hub, "admin", MINE).await[0]["actor"]["id"], person("admin").to_string());
    assert_eq!(hub.verify_tenant_ledger("acme").await, 5);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_reads_its_own_chain_and_no_other(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let invite = json!({"email": "x@y.example", "role": "technician"});
    hub.post("t3", "/providers/northwind/staff/invitations", invite.clone()).await.expect(403);
    hub.post("priya", "/providers/northwind/staff/invitations", invite.clone()).await.expect(201);
    hub.post("carla", "/providers/contoso/staff/invitations", invite).await.expect(201);
    let entries = list(&hub, "priya", PROVIDER).await;
    let acts: Vec<_> = entries
        .iter()
        .map(|e| (e["seq"].as_i64().unwrap(), e["action"].as_str().unwrap(), e["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(acts, [(3, "staff.invite", "done"), (2, "staff.invite", "refused"), (1, "assignment.update", "done")]);
    for (query, found) in [
        ("tenant=acme", &[1][..]),
        (&format!("tenant={}", testkit::tenant("acme")), &[1]),
        ("tenant=zeta", &[]),
        ("outcome=refused", &[2]),
        ("q=x@y.example", &[3]),
        (&format!("actor={}", person("priya")), &[3, 1]),
        ("action=staff.", &[3, 2]),
        ("staff=false", &[3, 2, 1]),
    ] {
        assert_eq!(seqs(&hub, "priya", &format!("{PROVIDER}?{query}")).await, found, "{query}");
    }
    let page = hub.get("priya", &format!("{PROVIDER}?limit=2")).await.expect(200).json;
    let rest = hub.get("priya", &format!("{PROVIDER}?limit=2&cursor={}", page["next"].as_str().unwrap())).await.expect(200).json;
    assert_eq!((rest["items"][0]["seq"].as_i64(), rest["total"].as_i64()), (Some(1), Some(3)));
    assert_eq!(
        hub.get("priya", &format!("{PROVIDER}?outcome=x&sort=at")).await.expect(422).wrong_fields(),
        ["sort unknown", "outcome unknown"]
    );
    assert_eq!(seqs(&hub, "carla", "/providers/contoso/ledger").await, [1]);
    for (who, status) in [("t3", 403), ("carla", 404), ("harriet", 404), ("admin", 404), ("nobody", 401)] {
        assert_eq!(hub.get(who, PROVIDER).await.status, status, "{who}");
    }
}
