use std::collections::BTreeSet;

use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{ACME, Engine, ZETA, person};

use crate::stage::{Shot, Stage, on_day};

/// 60 findings: 6 controls, 10 resources; control n fails on the first n resources, crit-5 is manual on the rest.
fn many() -> Shot {
    let controls = ["low-0", "b-1", "high-2", "high-3", "crit-4", "crit-5"];
    let mut lines = Vec::new();
    for (n, control) in controls.iter().enumerate() {
        for resource in 0..10 {
            let result = if resource < n {
                "fail"
            } else if n == 5 {
                "manual"
            } else {
                "pass"
            };
            lines.push(format!("{control} r{resource} {result}"));
        }
    }
    Shot::new(0, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn facets_add_up_and_are_not_narrowed_by_their_own_filter(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&many()).await;
    let open = stage.acme("/findings").await;
    assert_eq!(open["total"], 15);
    let facets = &open["facets"];
    assert_eq!(facets["status"], json!({ "open": 15, "overridden": 0, "passed": 40, "fixed": 0, "manual": 5 }));
    assert_eq!(
        (&facets["severity"]["critical"], &facets["severity"]["high"], &facets["severity"]["medium"]),
        (&9.into(), &5.into(), &1.into())
    );
    assert_eq!(facets["lifecycle"], json!({ "new": 15, "recurring": 0, "fixed": 0, "returned": 0 }));
    assert_eq!(facets["framework"], json!([{ "value": "CIS-5.0", "count": 15 }, { "value": "ISO27001", "count": 15 }]));
    assert_eq!(facets["resource"][0], json!({ "value": "r0", "count": 5 }));
    assert_eq!(facets["assignee"], json!({ "me": 0, "none": 15 }));

    let narrow = stage.acme("/findings?severity=high&resource=r0").await;
    assert_eq!(narrow["total"], 2);
    let facets = &narrow["facets"];
    assert_eq!(
        (&facets["severity"]["critical"], &facets["severity"]["high"]),
        (&2.into(), &2.into()),
        "as if severity were not set"
    );
    assert_eq!(facets["resource"].as_array().unwrap().len(), 3, "as if resource were not set");
    assert_eq!(facets["status"]["passed"], 0);
    let both = stage.acme("/findings?severity=high&severity=critical&status=open,manual").await;
    assert_eq!(both["total"], 19);
    assert_eq!(stage.acme("/findings?q=TITLE%20OF%20crit-4").await["total"], 4);
    assert_eq!(stage.acme("/findings?q=name%20of%20r3").await["total"], 2);
    assert_eq!(stage.acme("/findings?q=100%25").await["total"], 0);
    assert_eq!(stage.acme("/findings?framework=CIS-5.0&lifecycle=new").await["total"], 15);
    assert_eq!(stage.acme("/findings?control=crit-4,high-2").await["total"], 6);
    for (query, field) in [
        ("status=x", "status"),
        ("severity=x", "severity"),
        ("assignee=x", "assignee"),
        ("scan=x", "scan"),
        ("sort=x", "sort"),
        ("cursor=x", "cursor"),
    ] {
        let answer = stage.get("auditor", &format!("/tenants/{ACME}/findings?{query}")).await.expect(422);
        assert_eq!(answer.json["errors"][0]["field"], field);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_miss_a_finding(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&many()).await;
    for sort in ["severity", "-severity", "age", "-age", "last_seen", "title", "-title"] {
        let mut seen = BTreeSet::new();
        let (mut cursor, mut pages, mut severities) = (String::new(), 0, Vec::new());
        loop {
            let page = stage.acme(&format!("/findings?status=open,passed,manual&limit=7&sort={sort}&cursor={cursor}")).await;
            assert_eq!(page["total"], 60);
            for finding in page["items"].as_array().unwrap() {
                assert!(seen.insert(finding["id"].as_str().unwrap().to_owned()), "{sort}: twice");
                severities.push(finding["severity"].as_str().unwrap().to_owned());
            }
            pages += 1;
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!((seen.len(), pages), (60, 9), "{sort}");
        if sort == "severity" {
            assert_eq!((severities[0].as_str(), severities[20].as_str(), severities[59].as_str()), ("critical", "high", "low"));
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_csv_has_every_finding_of_the_list(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut lines: Vec<String> = (0..1_234).map(|n| format!("c r{n:04} fail")).collect();
    lines.extend(["=cmd|calc @x,y fail".to_owned(), "quoted \"r\" fail".into(), "z x pass".into()]);
    stage.import(&Shot::new(0, &lines.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let csv = stage.get("viewer", &format!("/tenants/{ACME}/findings.csv?sort=title")).await.expect(200);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"acme-findings-2026-11-21.csv\"");
    let text = String::from_utf8(csv.bytes).unwrap();
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 1 + 1_236);
    assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
    assert!(rows.iter().any(|row| row.contains(",'=cmd|calc,") && row.contains(",\"'@x,y\",")), "formulas are disarmed");
    assert!(rows.iter().any(|row| row.contains(",\"\"\"r\"\"\",")));
    stage.get("t0", &format!("/tenants/{ACME}/findings.csv")).await.expect(403);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn evidence_lies_sealed_and_is_opened_for_the_view(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let id = stage.finding("a", "x").await;
    let view = stage.acme(&format!("/findings/{id}")).await;
    assert_eq!(view["evidence"]["resource_data"]["secret"], "evidence of x");
    assert_eq!(
        (&view["message"], &view["remediation"], &view["result"]),
        (&"x says fail".into(), &"Repair a".into(), &"fail".into())
    );
    assert_eq!((&view["can"]["override.create"]["allowed"], &view["tool"]), (&true.into(), &"Prowler".into()));
    assert_eq!(
        view["resource"],
        json!({ "uid": "x", "name": "name of x", "kind": "Bucket", "region": "eu-central-1", "account": "123456789012" })
    );
    let mut tx = stage.hub.system(testkit::tenant(ACME), "test.look", "a test reads what is stored").await.unwrap();
    let sealed: Vec<u8> = tx.one("SELECT sealed FROM finding_evidence", &[]).await.unwrap().take().unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
    drop(tx);
    let viewer = stage.get("viewer", &format!("/tenants/{ACME}/findings/{id}")).await.expect(200).json;
    assert_eq!(viewer["can"]["comment.create"]["allowed"], false);
    assert!(viewer["can"]["comment.create"]["why"].is_string());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn findings_are_assigned_to_people_who_may_act_here(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail", "b x fail"])).await;
    let id = stage.finding("a", "x").await;
    let path = format!("/tenants/{ACME}/findings/{id}/assignee");
    let to = |name: &str| json!({ "person": person(name) });
    for (who, status) in [("viewer", 403), ("operator", 403), ("t1", 403), ("tech_none", 404)] {
        stage.change(who, Method::PUT, &path, 1, to("auditor")).await.expect(status);
        if status == 403 {
            stage.get(who, &format!("/tenants/{ACME}/assignees")).await.expect(403);
        }
    }
    let people = stage.get("t2", &format!("/tenants/{ACME}/assignees")).await.expect(200).json;
    assert_eq!(people["items"][2], json!({ "id": person("t2"), "name": "t2", "as": "Northwind IT staff · T2" }));
    stage.send("auditor", Method::PUT, &path, Some(to("t2")), &[]).await.expect(428);
    stage.change("auditor", Method::PUT, &path, 7, to("t2")).await.expect(412);
    let stranger = stage.change("auditor", Method::PUT, &path, 1, to("other_admin")).await.expect(422);
    assert_eq!(stranger.wrong_fields(), ["person not_assignable"]);
    let assigned = stage.change("auditor", Method::PUT, &path, 1, to("t2")).await.expect(200);
    assert_eq!((assigned.version(), &assigned.json["assignee"]["name"]), (2, &"t2".into()));
    assert_eq!(stage.get("t2", &format!("/tenants/{ACME}/findings?assignee=me")).await.expect(200).json["total"], 1);
    assert_eq!(stage.acme(&format!("/findings?assignee={}", person("t2"))).await["total"], 1);
    assert_eq!(stage.acme("/findings?assignee=me,none").await["total"], 1);
    assert_eq!(stage.acme("/findings").await["facets"]["assignee"], json!({ "me": 0, "none": 1 }));
    let released = stage.change("t2", Method::PUT, &path, 2, json!({ "person": null })).await.expect(200);
    assert_eq!(released.json["assignee"], Value::Null);
    let ledger = stage.tenant_ledger(ACME).await;
    let entry = ledger.iter().rfind(|entry| entry["action"] == "finding.assign" && entry["outcome"] == "done").unwrap();
    assert_eq!((&entry["changes"][0]["before"]["name"], &entry["changes"][0]["after"]), (&"t2".into(), &Value::Null));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_takes_what_is_nobodys_and_releases_only_ones_own(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let path = format!("/tenants/{ACME}/findings/{}/mine", stage.finding("a", "x").await);
    let take = |who: &'static str, mine: bool| stage.send(who, Method::PUT, &path, Some(json!({ "mine": mine })), &[]);
    for who in ["viewer", "t1", "tech_view"] {
        take(who, true).await.expect(403);
    }
    take("operator", false).await.expect(409);
    let taken = take("operator", true).await.expect(200).json;
    assert_eq!(taken["assignee"]["name"], "operator");
    assert_eq!(take("operator", true).await.expect(200).json["version"], taken["version"]);
    take("auditor", true).await.expect(409);
    take("auditor", false).await.expect(409);
    assert_eq!(take("operator", false).await.expect(200).json["assignee"], Value::Null);
    take("t2", true).await.expect(200);
    // Who looks after it, and what was said, outlives the scans.
    stage.day(1);
    stage.import(&Shot::new(1, &["a x pass"])).await;
    stage.day(2);
    stage.import(&Shot::new(2, &["a x fail"])).await;
    assert_eq!(stage.acme("/findings").await["items"][0]["assignee"]["name"], "t2");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_finding_is_as_unknown_as_one_that_does_not_exist(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    stage.send_shot("other_admin", ZETA, &Shot::new(0, &["a x fail"])).await.expect(201);
    let id = stage.finding("a", "x").await;
    let unknown = crate::FindingId::new(on_day(0)).to_string();
    let send = |id: String, method: Method, tail: &'static str, body: Option<Value>| {
        let path = format!("/tenants/{ZETA}/findings/{id}{tail}");
        let stage = &stage;
        async move { stage.send("other_admin", method, &path, body, &[("if-match", "\"1\"")]).await.expect(404).bytes }
    };
    let acts = [
        (Method::GET, "", None),
        (Method::PUT, "/assignee", Some(json!({ "person": null }))),
        (Method::PUT, "/mine", Some(json!({ "mine": true }))),
        (Method::POST, "/comments", Some(json!({ "text": "hello" }))),
    ];
    for (method, tail, body) in acts {
        let foreign = send(id.clone(), method.clone(), tail, body.clone()).await;
        for other in [unknown.clone(), "fnd_x".into(), "1".into()] {
            assert_eq!(foreign, send(other, method.clone(), tail, body.clone()).await);
        }
    }
    let control = stage.control("a").await;
    stage.get("other_admin", &format!("/tenants/{ZETA}/controls/{control}")).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_lists_filter_by_scan(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.import(&Shot::new(0, &["a x fail", "b x fail"])).await;
    stage.day(1);
    let second = stage.import(&Shot::new(1, &["a x fail", "c x fail"])).await;
    let of = |scan: &Value| format!("/findings?status=open,fixed&scan={}", scan["id"].as_str().unwrap());
    assert_eq!(stage.acme(&of(&first)).await["total"], 2, "what was new then");
    assert_eq!(stage.acme(&of(&second)).await["total"], 3, "what it saw, and what it fixed");
    assert_eq!(stage.acme(&(of(&second) + "&lifecycle=fixed")).await["total"], 1);
}
