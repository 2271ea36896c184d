use std::io::Write as _;
use std::time::Duration;

use rstest::rstest;
use testkit::{ACME, Engine, PLAIN, START, ZETA};

use crate::stage::{Shot, Stage};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_lives_from_new_over_recurring_and_fixed_to_returned(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let first = stage.import(&Shot::new(0, &["crit-a bucket fail", "b bucket pass", "c host fail"])).await;
    assert_eq!(first["state"], "complete");
    assert_eq!(
        (&first["findings"], &first["failed"], &first["passed"], &first["new"]),
        (&3.into(), &2.into(), &1.into(), &2.into())
    );
    let id = stage.finding("crit-a", "bucket").await;
    stage.day(3);
    let second = stage.import(&Shot::new(3, &["crit-a bucket fail", "b bucket pass", "c host pass"])).await;
    assert_eq!((&second["recurring"], &second["fixed"], &second["new"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(
        stage.findings().await,
        ["b bucket: passed recurring 3d", "c host: fixed fixed 3d", "crit-a bucket: open recurring 3d"]
    );
    stage.day(5);
    let third = stage.import(&Shot::new(5, &["b bucket pass"])).await;
    assert_eq!(third["fixed"], 1);
    assert_eq!(
        stage.findings().await,
        ["b bucket: passed recurring 5d", "c host: fixed fixed 5d", "crit-a bucket: fixed fixed 5d"]
    );
    stage.day(8);
    let fourth = stage.import(&Shot::new(8, &["crit-a bucket fail", "b bucket fail"])).await;
    assert_eq!((&fourth["returned"], &fourth["new"], &fourth["fixed"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(stage.findings().await, ["b bucket: open new 0d", "c host: fixed fixed 8d", "crit-a bucket: open returned 8d"]);
    assert_eq!(stage.finding("crit-a", "bucket").await, id, "the same finding, all along");
    let history = stage.acme(&format!("/findings/{id}")).await["history"].clone();
    let outcomes: Vec<&str> = history.as_array().unwrap().iter().map(|seen| seen["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["new", "recurring", "fixed", "returned"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_change_nothing_but_the_ledger(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let shot = Shot::new(0, &["a x fail", "b x pass"]);
    let first = stage.import(&shot).await;
    let rows = stage.rows().await;
    let entries = stage.tenant_ledger(ACME).await.len();
    stage.day(1);
    let again = stage.send_shot("admin", ACME, &shot).await.expect(200).json;
    assert_eq!(again["duplicate_of"], first["id"]);
    assert_eq!(again["id"], first["id"]);
    assert_eq!(stage.rows().await, rows);
    assert_eq!(stage.findings().await, ["a x: open new 1d", "b x: passed new 1d"]);
    let ledger = stage.tenant_ledger(ACME).await;
    let last = ledger.last().unwrap();
    assert_eq!((ledger.len(), last["action"].as_str()), (entries + 1, Some("scan.import")));
    assert_eq!(last["subject"]["id"], first["id"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_partial_scan_fixes_nothing_and_is_not_scored(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let none = stage.import(&Shot::new(0, &["a x fail", "b x pass"]).partial()).await;
    assert_eq!((&none["complete"], &none["score"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(stage.score().await, serde_json::Value::Null);
    assert_eq!(stage.summary().await.score_bp, None);
    stage.day(1);
    stage.import(&Shot::new(1, &["a x fail", "b x pass", "c x fail", "d x pass"])).await;
    stage.day(2);
    let part = stage.import(&Shot::new(2, &["a x pass", "e x fail"]).partial()).await;
    assert_eq!((&part["fixed"], &part["new"]), (&1.into(), &1.into()));
    assert_eq!(
        stage.findings().await,
        ["a x: fixed fixed 2d", "b x: passed recurring 2d", "c x: open new 1d", "d x: passed new 1d", "e x: open new 0d"]
    );
    let score = stage.score().await;
    assert_eq!(
        (&score["score"], &score["passed"], &score["failed"]),
        (&50.0.into(), &2.into(), &2.into()),
        "still the complete scan's"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_older_scan_is_history_and_changes_no_finding(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.day(30);
    stage.import(&Shot::new(30, &["a x fail", "b x pass", "c x pass"])).await;
    let before = stage.findings().await;
    let old = stage.import(&Shot::new(10, &["a x fail", "b x fail", "c x fail", "d x fail"])).await;
    assert_eq!((&old["failed"], &old["new"], &old["fixed"], &old["score"]), (&4.into(), &0.into(), &0.into(), &0.0.into()));
    let middle = stage.import(&Shot::new(20, &["a x fail", "b x pass"])).await;
    assert_eq!(middle["score"], 50.0);
    assert_eq!(stage.findings().await, before);
    let scores = stage.acme("/scores?days=90").await;
    let points: Vec<String> = scores["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| format!("{} {}", &p["at"].as_str().unwrap()[..10], p["score"]))
        .collect();
    assert_eq!(points, ["2026-12-01 0.0", "2026-12-11 50.0", "2026-12-21 66.7"]);
    let scans = stage.acme("/scans?sort=-at").await;
    let seen: Vec<&str> = scans["items"].as_array().unwrap().iter().map(|s| &s["observed_at"].as_str().unwrap()[..10]).collect();
    assert_eq!(seen, ["2026-12-21", "2026-12-11", "2026-12-01"]);
    assert_eq!(stage.summary().await.score_bp, Some(6_667));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn repetitions_in_a_file_merge_and_the_worst_counts(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut lines = vec!["a x pass".to_owned(), "b x fail".into(), "b x pass".into(), "a x fail".into(), "c x na".into()];
    // Further away than what is written together.
    lines.extend((0..1_200).map(|n| format!("many r{n} pass")));
    lines.extend(["c x manual".into(), "c x fail".into(), "many r7 fail".into(), "many r7 pass".into()]);
    let shot = |day| Shot::new(day, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let scan = stage.import(&shot(0)).await;
    assert_eq!((&scan["findings"], &scan["merged"]), (&1_203.into(), &6.into()));
    assert_eq!((&scan["failed"], &scan["passed"], &scan["manual"], &scan["new"]), (&4.into(), &1_199.into(), &0.into(), &4.into()));
    stage.day(1);
    let scan = stage.import(&shot(1)).await;
    assert_eq!((&scan["recurring"], &scan["new"], &scan["fixed"]), (&4.into(), &0.into(), &0.into()));
    let id = stage.finding("many", "r7").await;
    let history = stage.acme(&format!("/findings/{id}")).await["history"].clone();
    let outcomes: Vec<&str> = history.as_array().unwrap().iter().map(|seen| seen["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["new", "recurring"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_never_failed_and_is_not_found_any_more_is_not_shown(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x pass", "b x manual", "c x fail"])).await;
    stage.day(1);
    stage.import(&Shot::new(1, &["d x pass"])).await;
    assert_eq!(stage.findings().await, ["c x: fixed fixed 1d", "d x: passed new 0d"]);
    stage.day(2);
    stage.import(&Shot::new(2, &["a x pass", "d x pass"])).await;
    assert_eq!(stage.findings().await, ["a x: passed recurring 2d", "c x: fixed fixed 2d", "d x: passed recurring 1d"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_refused_whole_with_its_place(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let rows = stage.rows().await;
    let whole = Shot::new(1, &["a x pass", "b x fail", "c x fail"]).bytes();
    let cut = whole[..whole.len() - 700].to_vec();
    let xml = br#"<?xml version="1.0"?><TestResult xmlns="http://checklists.nist.gov/xccdf/1.2"><rule-result"#.to_vec();
    let no_class = br#"[{"class_uid": 2004, "metadata": {"version": "1.5.0"}}]"#.to_vec();
    let gz = gzip(&whole);
    let files: [(&str, Vec<u8>); 6] = [
        ("cut.json", cut),
        ("cut.xml", xml),
        ("schema.json", no_class),
        ("cut.gz", gz[..gz.len() / 2].to_vec()),
        ("text.txt", b"hello there".to_vec()),
        ("empty.json", b"[]".to_vec()),
    ];
    for (name, bytes) in files {
        let answer = stage.upload("admin", &format!("/tenants/{ACME}/scans?file={name}"), bytes).await.expect(422);
        assert_eq!(answer.code(), "invalid");
        assert_eq!(answer.json["at"]["file"], name, "{}", answer.json);
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.starts_with(name) && detail.ends_with("Nothing was imported."), "{detail}");
    }
    let nothing = stage.upload("admin", &format!("/tenants/{ACME}/scans?file=nothing"), Vec::new()).await.expect(422);
    assert_eq!(nothing.json["at"]["file"], "nothing");
    let placed =
        stage.upload("admin", &format!("/tenants/{ACME}/scans?file=f"), b"[\n{\"class_uid\": }]".to_vec()).await.expect(422);
    assert_eq!((&placed.json["at"]["line"], &placed.json["at"]["record"]), (&2.into(), &0.into()), "{}", placed.json);
    assert_eq!(stage.rows().await, rows);
    assert_eq!(stage.acme("/scans").await["total"], 1);
    assert_eq!(std::fs::read_dir(stage.spool.path()).unwrap().count(), 0, "no file is left behind");
    let ledger = stage.tenant_ledger(ACME).await;
    assert!(ledger.iter().filter(|entry| entry["outcome"] == "failed" && entry["action"] == "scan.import").count() >= 7);
    stage.verify_tenant_ledger(ACME).await;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn gzip_and_xz_are_taken_as_they_come(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let plain = Shot::new(0, &["a x fail"]).bytes();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&plain).unwrap();
    let xz = xz.finish().unwrap();
    let path = format!("/tenants/{ACME}/scans?file=scan&format=ocsf");
    let first = stage.upload("admin", &path, gzip(&plain)).await.expect(201).json;
    assert_eq!((&first["failed"], &first["new"]), (&1.into(), &1.into()));
    let second = stage.upload("admin", &path, xz).await.expect(201).json;
    assert_eq!((&second["recurring"], &second["new"]), (&1.into(), &0.into()), "the same content in another file");
    let third = stage.upload("admin", &path, plain).await.expect(201).json;
    assert_eq!(third["recurring"], 1);
    assert_eq!(stage.findings().await, ["a x: open recurring 0d"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn classes_that_are_not_read_are_reported(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut file: serde_json::Value = serde_json::from_slice(&Shot::new(0, &["a x fail"]).bytes()).unwrap();
    let event = file[0].clone();
    let mut other = event.clone();
    other["class_uid"] = 2002.into();
    other["class_name"] = "Vulnerability Finding".into();
    file.as_array_mut().unwrap().extend([other.clone(), other]);
    let scan =
        stage.upload("admin", &format!("/tenants/{ACME}/scans?file=mixed.json"), file.to_string().into_bytes()).await.expect(201);
    assert_eq!(scan.json["unknown_classes"], serde_json::json!({ "2002 Vulnerability Finding": 2 }));
    let listed = stage.acme("/scans").await;
    assert_eq!(listed["items"][0]["unknown_classes"]["2002 Vulnerability Finding"], 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_takes_longer_answers_at_once_and_can_be_watched(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let stage = Stage::with(engine, |settings| settings.answer_within = Duration::ZERO).await;
    // Another write holds the tenant; on PostgreSQL it holds the source, which the import needs.
    let lines: Vec<String> = (0..3_000).map(|n| format!("c{} r{n} fail", n % 7)).collect();
    let shot = Shot::new(0, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let hold = stage.hub.system(testkit::tenant(ACME), "test.hold", "a test holds the tenant").await.unwrap();
    let begun = stage.send_shot("admin", ACME, &shot).await.expect(202).json;
    assert_eq!((&begun["state"], &begun["failed"]), (&"running".into(), &0.into()));
    drop(hold);
    let path = format!("/scans/{}", begun["id"].as_str().unwrap());
    let done = loop {
        let scan = stage.acme(&path).await;
        if scan["state"] != "running" {
            break scan;
        }
        assert!(scan["progress"]["bytes_total"].as_u64().unwrap() > 1_000);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((&done["state"], &done["failed"], &done["id"]), (&"complete".into(), &3_000.into(), &begun["id"]));

    let mut cut_off = shot.bytes();
    cut_off.truncate(cut_off.len() - 10);
    let hold = stage.hub.system(testkit::tenant(ACME), "test.hold", "a test holds the tenant").await.unwrap();
    let broken = stage.upload("admin", &format!("/tenants/{ACME}/scans?file=bad.json"), cut_off).await.expect(202).json;
    drop(hold);
    let path = format!("/scans/{}", broken["id"].as_str().unwrap());
    let failed = loop {
        let scan = stage.acme(&path).await;
        if scan["state"] != "running" {
            break scan;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(failed["state"], "failed");
    assert_eq!((&failed["problem"]["status"], &failed["problem"]["at"]["file"]), (&422.into(), &"bad.json".into()));
    assert_eq!(stage.acme("/scans").await["items"].as_array().unwrap().len(), 2);
    let foreign = stage.get("other_admin", &format!("/tenants/{ZETA}{path}")).await.expect(404);
    let unknown = stage.get("other_admin", &format!("/tenants/{ZETA}/scans/{}", crate::ScanId::new(START))).await.expect(404);
    assert_eq!(foreign.bytes, unknown.bytes);
    let ledger = stage.tenant_ledger(ACME).await;
    let entry = ledger.iter().find(|entry| entry["outcome"] == "failed").expect("the ledger knows of the failure");
    assert_eq!((&entry["action"], &entry["actor"]["name"]), (&"scan.import".into(), &"admin".into()));
    stage.advance(Duration::from_secs(2 * 3600));
    assert_eq!(stage.acme("/scans").await["items"].as_array().unwrap().len(), 1, "a failure is shown for an hour");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_imports_is_bounded(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::with(engine, |settings| {
        settings.answer_within = Duration::ZERO;
        settings.in_line_per_tenant_max = 2;
        settings.in_line_max = 3;
        settings.bytes_max = 100_000;
    })
    .await;
    let hold = stage.hub.system(testkit::tenant(ACME), "test.hold", "a test holds the tenant").await.unwrap();
    // On PostgreSQL a transaction alone holds nobody up: this one holds the source that all of them need.
    let mut hold = hold;
    let source = crate::scans::source_key_for_tests("Prowler", "123456789012");
    hold.execute(
        "INSERT INTO source (id, key, tool, target, profile, created_at) VALUES (?1, ?2, 'Prowler', '123456789012', '', 0)",
        kernel::params![crate::SourceId::new(START), source],
    )
    .await
    .unwrap();
    for line in ["a x fail", "b x fail"] {
        stage.send_shot("admin", ACME, &Shot::new(0, &[line])).await.expect(202);
    }
    let refused = stage.send_shot("admin", ACME, &Shot::new(0, &["c x fail"])).await.expect(409);
    assert_eq!(refused.code(), "conflict");
    let too_large = stage.upload("other_admin", &format!("/tenants/{ZETA}/scans?file=f"), vec![b' '; 100_001]).await.expect(413);
    assert_eq!(too_large.code(), "too_large");
    drop(hold);
    for _ in 0..500 {
        if stage.acme("/scans").await["items"].as_array().unwrap().iter().all(|scan| scan["state"] == "complete") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.acme("/scans").await["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_left_is_removed_and_shown_as_interrupted() {
    let stage = Stage::new(Engine::Sqlite).await;
    let id = crate::ScanId::new(START);
    let what = serde_json::json!({ "tenant": testkit::tenant(ACME), "scan": id, "file": "half.json", "at": START,
        "by": { "id": testkit::person("admin"), "name": "admin", "as": "admin", "staff": false } });
    std::fs::write(stage.spool.path().join(format!("{id}.spool")), b"half of a fi").unwrap();
    std::fs::write(stage.spool.path().join(format!("{id}.json")), what.to_string()).unwrap();
    std::fs::write(stage.spool.path().join("unrelated.txt"), b"not ours").unwrap();
    crate::provide(&stage.hub, crate::ImportSettings::in_dir(stage.spool.path()));
    let left: Vec<_> = std::fs::read_dir(stage.spool.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["unrelated.txt"]);
    let scan = stage.acme(&format!("/scans/{id}")).await;
    assert_eq!((&scan["state"], &scan["file"]), (&"interrupted".into(), &"half.json".into()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_import_does(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    for (who, status) in [
        ("viewer", 403),
        ("auditor", 403),
        ("operator", 403),
        ("t0", 403),
        ("t1", 403),
        ("tech_view", 403),
        ("tech_none", 404),
        ("other_admin", 404),
    ] {
        stage.send_shot(who, ACME, &Shot::new(0, &["a x fail"])).await.expect(status);
    }
    assert_eq!(stage.acme("/scans").await["total"], 0);
    let refused = stage.tenant_ledger(ACME).await.iter().filter(|entry| entry["outcome"] == "refused").count();
    assert_eq!(refused, 6);
    for (day, who) in [(0, "t2"), (1, "t3"), (2, "priya"), (3, "admin")] {
        stage.day(day);
        stage.send_shot(who, ACME, &Shot::new(day, &["a x fail"])).await.expect(201);
    }
    let scan = &stage.get("viewer", &format!("/tenants/{ACME}/scans?sort=-at")).await.expect(200).json["items"][3];
    assert_eq!(scan["imported_by"]["name"], "t2");
    let closed = stage.send_shot("t3", PLAIN, &Shot::new(0, &["a x fail"])).await.expect(403);
    assert!(closed.json["detail"].as_str().unwrap().to_lowercase().contains("compliance"), "{}", closed.json);
    let closed = stage.get("t3", &format!("/tenants/{PLAIN}/findings")).await.expect(403);
    assert!(closed.json["detail"].as_str().unwrap().to_lowercase().contains("compliance"), "{}", closed.json);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn history_keeps_the_last_fifty_turns(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    for day in 0..56 {
        stage.day(day);
        stage.import(&Shot::new(day, if day % 2 == 0 { &["a x fail"] } else { &["b x pass"] })).await;
    }
    let rows = stage.rows().await;
    assert_eq!(rows.iter().find(|(table, _)| table == "finding_history").unwrap().1, 50);
    let id = stage.finding("a", "x").await;
    let view = stage.acme(&format!("/findings/{id}")).await;
    let history = view["history"].as_array().unwrap();
    assert_eq!((history.len(), &history[49]["outcome"], &view["age_days"]), (50, &"fixed".into(), &55.into()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn other_writes_wait_for_an_import_and_then_happen(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::with(engine, |settings| settings.answer_within = Duration::ZERO).await;
    let lines: Vec<String> = (0..4_000).map(|n| format!("c{} r{n} fail", n % 7)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    stage.send_shot("admin", ACME, &Shot::new(0, &lines)).await.expect(202);
    let finding = loop {
        if let Some(id) = stage.acme("/findings?limit=1").await["items"][0]["id"].as_str() {
            break id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    stage.day(1);
    stage.send_shot("admin", ACME, &Shot::new(1, &lines)).await.expect(202);
    let comment = serde_json::json!({ "text": "said while it was imported" });
    let path = format!("/tenants/{ACME}/findings/{finding}");
    stage.post("auditor", &format!("{path}/comments"), comment).await.expect(201);
    // Reads are held up by nothing.
    assert_eq!(stage.acme("/findings?limit=1").await["total"], 4_000);
    while stage.acme("/scans").await["items"].as_array().unwrap().iter().any(|scan| scan["state"] == "running") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let view = stage.get("auditor", &path).await.expect(200).json;
    assert_eq!((&view["comments"], &view["lifecycle"]), (&1.into(), &"recurring".into()));
    stage.verify_tenant_ledger(ACME).await;
}
