use rstest::rstest;
use serde_json::{Value, json};
use testkit::{ACME, Engine, ZETA};

use crate::stage::{Shot, Stage, on_day};

const REASON: &str = "Accepted by the board until the migration";

async fn ask(stage: &Stage, who: &str, body: Value) -> testkit::Answer {
    stage.post(who, &format!("/tenants/{ACME}/overrides"), body).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_override_says_what_why_and_until_when(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail", "b x fail"])).await;
    let (finding, control) = (stage.finding("a", "x").await, stage.control("b").await);
    let end = on_day(366);
    let wrong = [
        (json!({ "finding": finding, "reason": "short", "expires_at": end }), "reason too_short"),
        (json!({ "finding": finding, "reason": "x".repeat(2_001), "expires_at": end }), "reason too_long"),
        (json!({ "finding": finding, "reason": REASON, "expires_at": on_day(0) }), "expires_at in_the_past"),
        (json!({ "finding": finding, "reason": REASON, "expires_at": on_day(367) }), "expires_at too_far"),
        (json!({ "reason": REASON, "expires_at": end }), "finding missing"),
        (json!({ "finding": finding, "control": control, "reason": REASON, "expires_at": end }), "control one_too_many"),
        (json!({ "finding": "fnd_1", "reason": REASON, "expires_at": end }), "finding wrong_type"),
    ];
    for (body, error) in wrong {
        assert_eq!(ask(&stage, "auditor", body).await.expect(422).wrong_fields(), [error]);
    }
    let unknown = crate::FindingId::new(on_day(0));
    ask(&stage, "auditor", json!({ "finding": unknown, "reason": REASON, "expires_at": end })).await.expect(404);
    let unknown = crate::ControlId::new(on_day(0));
    ask(&stage, "auditor", json!({ "control": unknown, "reason": REASON, "expires_at": end })).await.expect(404);

    let made = ask(&stage, "t2", json!({ "finding": finding, "reason": REASON, "expires_at": end })).await.expect(201).json;
    assert_eq!((&made["scope"], &made["state"], &made["created_by"]["name"]), (&"finding".into(), &"active".into(), &"t2".into()));
    assert_eq!(
        (&made["finding"]["id"], &made["control"]["uid"], &made["reason"]),
        (&finding.clone().into(), &"a".into(), &REASON.into())
    );
    let twice = ask(&stage, "auditor", json!({ "finding": finding, "reason": REASON, "expires_at": end })).await.expect(409);
    assert_eq!(twice.code(), "conflict");
    // The control as a whole is another target.
    let whole = stage.control("a").await;
    ask(&stage, "auditor", json!({ "control": whole, "reason": REASON, "expires_at": on_day(2) })).await.expect(201);
    ask(&stage, "auditor", json!({ "control": whole, "reason": REASON, "expires_at": end })).await.expect(409);

    let view = stage.acme(&format!("/findings/{finding}")).await;
    assert_eq!((&view["status"], &view["override"]["id"]), (&"overridden".into(), &made["id"]));
    let path = format!("/tenants/{ACME}/overrides/{}", made["id"].as_str().unwrap());
    stage.delete("auditor", &path).await.expect(204);
    stage.delete("auditor", &path).await.expect(409);
    let view = stage.acme(&format!("/findings/{finding}")).await;
    assert_eq!((&view["status"], &view["override"]["scope"]), (&"overridden".into(), &"control".into()));
    stage.day(2);
    assert_eq!(stage.acme(&format!("/findings/{finding}")).await["status"], "open", "its end came");
    assert_eq!(stage.acme("/overrides?state=active").await["total"], 0);
    assert_eq!(stage.acme("/overrides?state=expired,revoked").await["total"], 2);
    let revoked = stage.acme("/overrides?state=revoked").await["items"][0].clone();
    assert_eq!((&revoked["revoked_by"]["name"], &revoked["id"]), (&"auditor".into(), &made["id"]));
    ask(&stage, "auditor", json!({ "control": whole, "reason": REASON, "expires_at": on_day(9) })).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_accept_a_risk_does(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let finding = stage.finding("a", "x").await;
    let body = || json!({ "finding": finding, "reason": REASON, "expires_at": on_day(5) });
    for (who, status) in
        [("viewer", 403), ("operator", 403), ("t1", 403), ("t0", 403), ("tech_view", 403), ("tech_none", 404), ("nobody", 401)]
    {
        ask(&stage, who, body()).await.expect(status);
    }
    // Another tenant's finding is as unknown as one that does not exist.
    let foreign = stage.post("other_admin", &format!("/tenants/{ZETA}/overrides"), body()).await.expect(404);
    let unknown = json!({ "finding": crate::FindingId::new(on_day(0)), "reason": REASON, "expires_at": on_day(5) });
    let unknown = stage.post("other_admin", &format!("/tenants/{ZETA}/overrides"), unknown).await.expect(404);
    assert_eq!(foreign.bytes, unknown.bytes);
    for who in ["auditor", "admin", "t2", "t3", "priya"] {
        let made = ask(&stage, who, body()).await.expect(201).json;
        stage.get("viewer", &format!("/tenants/{ACME}/overrides")).await.expect(200);
        let path = format!("/tenants/{ACME}/overrides/{}", made["id"].as_str().unwrap());
        stage.delete("viewer", &path).await.expect(403);
        stage.delete(who, &path).await.expect(204);
    }
    let ledger = stage.tenant_ledger(ACME).await;
    let made = ledger.iter().filter(|entry| entry["action"] == "override.create" && entry["outcome"] == "done").collect::<Vec<_>>();
    assert_eq!(made.len(), 5);
    assert_eq!((&made[0]["reason"], &made[0]["changes"][0]["after"]["reason"]), (&REASON.into(), &REASON.into()));
    stage.verify_tenant_ledger(ACME).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.import(&Shot::new(0, &["a x fail"])).await;
    let control = stage.control("a").await;
    let body = || json!({ "control": control, "reason": REASON, "expires_at": on_day(5) });
    let (one, other) = tokio::join!(ask(&stage, "auditor", body()), ask(&stage, "admin", body()));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}
