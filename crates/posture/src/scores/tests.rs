use axum::http::Method;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{ACME, Engine, START};

use crate::stage::{Shot, Stage, on_day};

fn numbers(score: &Value) -> String {
    format!(
        "{} = {}/{} ({} overridden) {}c {}h",
        score["score"], score["passed"], score["failed"], score["overridden"], score["critical"], score["high"]
    )
}

async fn accept(stage: &Stage, body: Value) -> Value {
    stage.post("auditor", &format!("/tenants/{ACME}/overrides"), body).await.expect(201).json
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_control_fails_when_one_of_its_findings_does(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    assert_eq!(stage.score().await, Value::Null, "no scan, no score");
    // By hand: crit-a fails (one of two), high-b fails, c passes, d passes; m is manual and n not applicable: 2 of 4.
    let scan = stage
        .import(&Shot::new(
            0,
            &["crit-a x fail", "crit-a y pass", "high-b x fail", "c x pass", "d x pass", "d y pass", "m x manual", "n x na"],
        ))
        .await;
    assert_eq!(scan["score"], 50.0);
    assert_eq!(numbers(&stage.score().await), "50.0 = 2/2 (0 overridden) 1c 1h");
    stage.day(1);
    // 2 of 3: the manual and the not applicable control do not count.
    stage.import(&Shot::new(1, &["crit-a x pass", "high-b x fail", "c x pass", "m x manual"])).await;
    assert_eq!(numbers(&stage.score().await), "66.7 = 2/1 (0 overridden) 0c 1h");
    stage.day(2);
    let nothing = stage.import(&Shot::new(2, &["m x manual", "n x na"])).await;
    assert_eq!(nothing["score"], Value::Null);
    assert_eq!(stage.score().await["score"], Value::Null, "nothing was judged");
    let summary = stage.summary().await;
    assert_eq!((summary.score_bp, summary.scans, summary.scan_at), (None, 3, Some(on_day(2))));
    assert_eq!(summary.trend.iter().map(|(_, score)| *score).collect::<Vec<_>>(), [5_000, 6_667]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_overridden_counts_as_passed_until_its_end(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["crit-a x fail", "crit-a y fail", "high-b x fail", "c x pass"])).await;
    assert_eq!(numbers(&stage.score().await), "33.3 = 1/2 (0 overridden) 1c 1h");
    let (one, other) = (stage.finding("crit-a", "x").await, stage.finding("crit-a", "y").await);
    let reason = "Replaced next month, watched until then";
    let first = accept(&stage, json!({ "finding": one, "reason": reason, "expires_at": on_day(30) })).await;
    assert_eq!(numbers(&stage.score().await), "33.3 = 1/2 (0 overridden) 1c 1h", "the control still fails on y");
    accept(&stage, json!({ "finding": other, "reason": reason, "expires_at": on_day(20) })).await;
    assert_eq!(numbers(&stage.score().await), "66.7 = 2/1 (1 overridden) 0c 1h");
    let control = stage.control("high-b").await;
    accept(&stage, json!({ "control": control, "reason": reason, "expires_at": on_day(5) })).await;
    assert_eq!(numbers(&stage.score().await), "100.0 = 3/0 (2 overridden) 0c 0h");
    let summary = stage.summary().await;
    assert_eq!((summary.recheck_at, summary.findings_open), (Some(on_day(5)), 0));
    assert_eq!(summary.decisions, [crate::scores::Decision { kind: "override_expiring".into(), count: 1 }]);
    assert_eq!(
        stage.findings().await,
        ["c x: passed new 0d", "crit-a x: overridden new 0d", "crit-a y: overridden new 0d", "high-b x: overridden new 0d"]
    );

    // The first end comes: reads know at once, the summary when the hub looks again.
    stage.day(5);
    assert_eq!(stage.acme("/controls?status=failed").await["total"], 1);
    crate::recheck(&stage.hub, testkit::tenant(ACME)).await.unwrap();
    assert_eq!(numbers(&stage.score().await), "66.7 = 2/1 (1 overridden) 0c 1h");
    assert_eq!((stage.summary().await.score_bp, stage.summary().await.recheck_at), (Some(6_667), Some(on_day(20))));
    let points = stage.acme("/scores").await["items"].as_array().unwrap().len();
    crate::recheck(&stage.hub, testkit::tenant(ACME)).await.unwrap();
    assert_eq!(stage.acme("/scores").await["items"].as_array().unwrap().len(), points, "no news, no point");

    stage.delete("auditor", &format!("/tenants/{ACME}/overrides/{}", first["id"].as_str().unwrap())).await.expect(204);
    assert_eq!(numbers(&stage.score().await), "33.3 = 1/2 (0 overridden) 1c 1h");

    // An override of a control covers what is found later, too.
    accept(&stage, json!({ "control": control, "reason": reason, "expires_at": on_day(50) })).await;
    stage.day(6);
    let scan = stage.import(&Shot::new(6, &["crit-a x pass", "crit-a y pass", "high-b x fail", "high-b z fail", "c x pass"])).await;
    assert_eq!(scan["score"], 100.0);
    assert_eq!(numbers(&stage.score().await), "100.0 = 3/0 (1 overridden) 0c 0h");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_latest_complete_scans_of_all_sources_count_together(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let cloud = Shot::new(0, &["crit-a x fail", "b x pass", "c x pass"]);
    stage.import(&cloud.clone().of("Prowler", "account-1")).await;
    stage.day(1);
    let code = stage.import(&Shot::new(1, &["k1 main.tf fail", "k2 main.tf pass"]).of("Checkov", "repo")).await;
    assert_eq!(code["score"], 50.0, "its own");
    assert_eq!(numbers(&stage.score().await), "60.0 = 3/2 (0 overridden) 1c 0h");
    assert_eq!(stage.findings().await.len(), 5, "a scan of a repository fixes nothing in the cloud");
    stage.day(2);
    // A second account, the same controls: one failing there is enough.
    stage.import(&Shot::new(2, &["crit-a x pass", "b x fail", "c x pass"]).of("Prowler", "account-2")).await;
    assert_eq!(numbers(&stage.score().await), "40.0 = 2/3 (0 overridden) 1c 0h");
    stage.day(3);
    stage.import(&Shot::new(3, &["crit-a x pass", "b x pass", "c x pass"]).of("Prowler", "account-1")).await;
    assert_eq!(numbers(&stage.score().await), "60.0 = 3/2 (0 overridden) 0c 0h");
    // History of the repository comes in late: the cloud's points after it learn of it.
    let late = stage.import(&Shot::new(-1, &["k1 main.tf fail", "k2 main.tf fail", "k3 main.tf fail"]).of("Checkov", "repo")).await;
    assert_eq!(late["score"], 0.0);
    let scores = stage.acme("/scores").await;
    let points: Vec<String> = scores["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| format!("{} {}", &p["at"].as_str().unwrap()[8..10], p["score"]))
        .collect();
    assert_eq!(points, ["20 0.0", "21 33.3", "22 60.0", "23 40.0", "24 60.0"]);
    assert_eq!(stage.summary().await.score_bp, Some(6_000));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn frameworks_add_up_from_their_controls(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    // `z` serves no framework; the others serve CIS-5.0 and ISO27001.
    stage.import(&Shot::new(0, &["crit-a x fail", "b x pass", "c x manual", "z x fail"])).await;
    let frameworks = stage.acme("/frameworks").await;
    let expected = json!({ "framework": "CIS-5.0", "controls": 2, "passed": 1, "failed": 1, "overridden": 0, "score": 50.0 });
    assert_eq!(frameworks["items"][0], expected);
    assert_eq!(frameworks["items"].as_array().unwrap().len(), 2);
    assert_eq!(stage.acme("/controls?framework=CIS-5.0").await["total"], 3);
    assert_eq!(stage.acme("/controls?framework=CIS-5.0&status=failed,manual").await["total"], 2);
    let controls = stage.acme("/controls?sort=severity").await;
    assert_eq!(
        (&controls["items"][0]["uid"], &controls["items"][0]["failing"], &controls["total"]),
        (&"crit-a".into(), &1.into(), &4.into())
    );
    let id = controls["items"][0]["id"].as_str().unwrap();
    let view = stage.acme(&format!("/controls/{id}")).await;
    assert_eq!(
        (&view["status"], &view["findings_open"], &view["remediation"]),
        (&"failed".into(), &1.into(), &"Repair crit-a".into())
    );
    assert_eq!(
        view["frameworks"],
        json!([{ "framework": "CIS-5.0", "requirement": "crit-a" }, { "framework": "ISO27001", "requirement": "A.1" }])
    );
    assert_eq!(stage.summary().await.frameworks.len(), 2);
    for (path, field) in [
        ("/scores?days=0", "days"),
        ("/scores?days=x", "days"),
        ("/controls?status=broken", "status"),
        ("/controls?limit=0", "limit"),
    ] {
        let answer = stage.get("auditor", &format!("/tenants/{ACME}{path}")).await.expect(422);
        assert_eq!(answer.json["errors"][0]["field"], field, "{path}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_summary_follows_every_act_that_changes_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["crit-a x fail", "crit-a y fail", "b x pass"])).await;
    let summary = stage.summary().await;
    let count = |summary: &crate::Summary, kind: &str| summary.decisions.iter().find(|d| d.kind == kind).map_or(0, |d| d.count);
    assert_eq!((count(&summary, "unassigned_critical"), count(&summary, "new_critical")), (2, 2));
    let id = stage.finding("crit-a", "x").await;
    let mine =
        stage.send("t2", Method::PUT, &format!("/tenants/{ACME}/findings/{id}/mine"), Some(json!({ "mine": true })), &[]).await;
    mine.expect(200);
    assert_eq!(count(&stage.summary().await, "unassigned_critical"), 1);
    assert_eq!(stage.summary().await.trend, [(START.0.div_euclid(kernel::clock::DAY_US), 5_000)]);
}

/// Alerts that were said so far, `subject urgency count` or `subject over`.
async fn said(stage: &Stage) -> Vec<(String, String)> {
    let hub: &testkit::TestHub = stage;
    let news = hub.hub.system_read().await.unwrap().news(100).await.unwrap();
    let alerts = news.into_iter().filter_map(|(_, said)| match said {
        kernel::news::Said::Alert(alert) => Some(alert),
        kernel::news::Said::Mail(_) => None,
    });
    let word = |alert: kernel::news::Alert| {
        assert_eq!((alert.rule.as_str(), alert.of), ("new_criticals", kernel::news::Of::Tenant(testkit::tenant(ACME))));
        let word = if alert.is_over { "over".to_owned() } else { format!("{} new", alert.facts["count"]) };
        (alert.subject, word)
    };
    alerts.map(word).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn new_critical_findings_raise_an_alert_that_is_over_when_none_of_them_is_open(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let stage = Stage::new(engine).await;
    let first = stage.import(&Shot::new(0, &["crit-a x fail", "crit-a y fail", "high-b x fail"])).await;
    let first = (first["id"].as_str().unwrap().to_owned(), "2 new".to_owned());
    assert_eq!(said(&stage).await, std::slice::from_ref(&first));
    stage.day(1);
    stage.import(&Shot::new(1, &["crit-a x fail", "crit-a y pass", "high-b x fail"])).await;
    assert_eq!(said(&stage).await.len(), 1, "nothing new, and one of them is open");
    stage.day(2);
    let second = stage.import(&Shot::new(2, &["crit-a x fail", "crit-a y pass", "crit-a z fail", "high-b x fail"])).await;
    let second = (second["id"].as_str().unwrap().to_owned(), "1 new".to_owned());
    assert_eq!(said(&stage).await, [first.clone(), second.clone()]);
    stage.day(3);
    stage.import(&Shot::new(3, &["crit-a x pass", "crit-a y fail", "crit-a z fail", "high-b x fail"])).await;
    assert_eq!(said(&stage).await.len(), 2, "what comes back keeps the alert of its own scan");
    let finding = stage.finding("crit-a", "z").await;
    let reason = "Replaced next month, watched until then";
    accept(&stage, json!({ "finding": finding, "reason": reason, "expires_at": on_day(30) })).await;
    assert_eq!(said(&stage).await[2..], [(second.0, "over".to_owned())]);
    stage.day(4);
    stage.import(&Shot::new(4, &["crit-a x pass", "crit-a y pass", "high-b x fail"])).await;
    assert_eq!(said(&stage).await[3..], [(first.0, "over".to_owned())]);
}
