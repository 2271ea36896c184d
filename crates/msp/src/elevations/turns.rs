//! Ends to the microsecond, and two who decide at once; on both engines.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use testkit::Engine;

use super::stage::World;

const MINUTE: Duration = Duration::from_secs(60);
const INSTANT: Duration = Duration::from_micros(1);

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_runs_from_the_last_word_and_ends_to_the_microsecond(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    assert!(!world.may("t1", "override.create").await);
    let id = world.asked("t1", &template, 5).await;
    assert!(!world.may("t1", "override.create").await, "asked for is not given");
    world.hub.advance(MINUTE);
    let approved = world.word("priya", &id, "approve").await.expect(200).json;
    assert_eq!((&approved["state"], &approved["starts_at"]), (&json!("running"), &json!(world.hub.hub.now())));
    assert_eq!(approved["ends_at"], json!(world.hub.hub.now().after(5 * MINUTE)));
    let me = world.hub.get("t1", "/tenants/acme/context").await.expect(200).json["me"].clone();
    assert_eq!(me["elevations"][0]["id"], id);
    world.hub.patch("t1", "/tenants/acme/settings", 1, json!({"scan_interval_days": 9})).await.expect(200);
    let entry = world.hub.tenant_ledger("acme").await.pop().expect("an entry");
    assert_eq!((&entry["as"]["source"], &entry["as"]["id"]), (&json!("elevation"), &json!(id)));
    world.hub.advance(5 * MINUTE - INSTANT);
    assert!(world.may("t1", "override.create").await);
    world.hub.patch("t1", "/tenants/acme/settings", 2, json!({"scan_interval_days": 8})).await.expect(200);
    world.hub.advance(INSTANT);
    assert!(!world.may("t1", "override.create").await);
    world.hub.patch("t1", "/tenants/acme/settings", 3, json!({"scan_interval_days": 7})).await.expect(403);
    assert_eq!(world.seen("t1", &id).await["state"], "ended");
    assert!(world.may("t1", "finding.list").await, "what they had stays");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_begins_before_the_end_and_ends_after_it_does_not_happen(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::start(engine).await;
    let template = world.template(json!({"tier": "T2"})).await;
    let id = world.asked("t1", &template, 5).await;
    world.word("priya", &id, "approve").await.expect(200);
    world.hub.advance(4 * MINUTE);
    world.write_late("t1", MINUTE - INSTANT).await.expect(200);
    let refused = world.write_late("t1", INSTANT).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let last: Vec<_> = world.hub.tenant_ledger("acme").await.into_iter().rev().take(2).collect();
    let outcome = |n: usize| (last[n]["action"].as_str(), last[n]["outcome"].as_str());
    assert_eq!(outcome(0), (Some("override.create"), Some("refused")));
    assert_eq!(outcome(1), (Some("override.create"), Some("done")));
    assert_eq!(last[1]["as"]["id"], id);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_decide_at_once_one_decides(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    for (name, one, other) in [
        ("provider and provider", ("priya", "approve", false), (super::stage::DUAL, "approve", false)),
        ("yes and no", ("priya", "approve", false), (super::stage::DUAL, "deny", false)),
        ("yes and the tenant's no", ("priya", "approve", false), ("admin", "deny", true)),
        ("yes and taken back", ("priya", "approve", false), ("t1", "end-own", false)),
        ("no and no", ("priya", "deny", false), ("admin", "deny", true)),
    ] {
        let template = world.template(json!({"name": name, "tier": "T2"})).await;
        let id = world.asked("t1", &template, 5).await;
        let decide = async |(who, word, is_tenants): (&str, &str, bool)| {
            let answer = if is_tenants { world.tenants_word(who, &id, word).await } else { world.word(who, &id, word).await };
            (answer.status, word.to_owned())
        };
        let (first, second) = tokio::join!(decide(one), decide(other));
        let mut statuses = [first.0, second.0];
        statuses.sort_unstable();
        let state = world.seen("t1", &id).await["state"].as_str().expect("a state").to_owned();
        // Taking back what runs by then is fine too: it ends.
        let both = statuses == [200, 200] && name == "yes and taken back" && state == "ended";
        assert!(statuses == [200, 409] || both, "{name}: {statuses:?} {state}");
        let winner = if first.0 == 200 { first.1 } else { second.1 };
        let wanted = match winner.as_str() {
            _ if both => "ended",
            "approve" => "running",
            "deny" => "denied",
            _ => "cancelled",
        };
        assert_eq!(state, wanted, "{name}");
        if state == "running" {
            world.word("priya", &id, "end").await.expect(200);
        }
        assert!(!world.may("t1", "override.create").await, "{name}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_lapses_on_the_microsecond(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::start(engine).await;
    let template = world.template(json!({})).await;
    let (late, in_time) = (world.asked("t1", &template, 5).await, world.asked("t2", &template, 5).await);
    world.hub.advance(Duration::from_secs(24 * 3600) - INSTANT);
    world.word("priya", &in_time, "approve").await.expect(200);
    world.hub.advance(INSTANT);
    world.word("priya", &late, "approve").await.expect(409);
    assert_eq!(world.seen("t1", &late).await["state"], "lapsed");
    world.word("t1", &late, "end-own").await.expect(409);
    world.asked("t1", &template, 5).await;
}
