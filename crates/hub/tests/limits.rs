//! Limits in force through every door at once, and modules that leave a plan: the whole hub, on both engines.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kernel::news::Said;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub, tenant};

const LICENCE: &str = "/providers/northwind/tenants/acme/licence";

/// All of a hub, with a spool of its own.
fn wired(hub: &kernel::Hub) -> axum::Router {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let spool = std::env::temp_dir().join(format!("tenantry-limit-tests-{}", std::process::id())).join(number.to_string());
    hub::wire(hub, &spool);
    hub::app(hub)
}

/// A hub on which Acme's admin and Northwind's have just proved that it is them.
async fn hub(engine: Engine) -> TestHub {
    let hub = TestHub::whole(engine, wired).await;
    let mut tx = hub.hub.system_write("test.stage", "fresh second factors").await.expect("a write");
    let now = tx.now();
    tx.execute("UPDATE session SET stepped_up_at = ?1", params![now]).await.expect("good SQL");
    tx.commit().await.expect("committed");
    hub
}

async fn set(hub: &TestHub, body: Value) {
    loop {
        let page = hub.get("priya", "/providers/northwind/licensing?q=acme").await.expect(200);
        let version = page.json["items"][0]["version"].as_i64().expect("a version");
        let answer = hub.patch("priya", LICENCE, version, body.clone()).await;
        if answer.status != 412 {
            answer.expect(200);
            return;
        }
    }
}

async fn invite(hub: &TestHub, name: &str) -> Answer {
    let body = json!({"email": format!("{name}@acme.example"), "role": "viewer"});
    hub.post("admin", "/tenants/acme/members/invitations", body).await
}

async fn accept(hub: &TestHub, token: &str) -> Answer {
    let body = json!({"name": "Somebody New", "password": "violet harbour tractor 42"});
    hub.post("nobody", &format!("/invitations/{token}/accept"), body).await
}

async fn make_key(hub: &TestHub, name: &str) -> Answer {
    hub.post("admin", "/tenants/acme/api-keys", json!({"name": name, "actions": ["finding.list"], "expires_in_days": 30})).await
}

async fn number(hub: &TestHub, sql: &str) -> i64 {
    let mut tx = hub.hub.system_read().await.expect("a read");
    tx.one(sql, params![tenant("acme")]).await.expect("a row").take().expect("a number")
}

const MEMBERS: &str = "SELECT COUNT(*) FROM member WHERE tenant_id = ?1 AND state <> 'disabled'";
const KEYS: &str = "SELECT COUNT(*) FROM api_key WHERE tenant_id = ?1 AND revoked_at IS NULL";

/// Alerts about a limit that were raised, and that were ended.
async fn alerts(hub: &TestHub, limit: &str) -> (usize, usize) {
    let mut tx = hub.hub.system_read().await.expect("a read");
    let said = tx.news(1_000).await.expect("opens");
    let of_limit: Vec<bool> = said
        .into_iter()
        .filter_map(|(_, said)| match said {
            Said::Alert(alert) if alert.rule == "limit_crossed" && alert.subject == limit => Some(alert.is_over),
            _ => None,
        })
        .collect();
    (of_limit.iter().filter(|is_over| !**is_over).count(), of_limit.iter().filter(|is_over| **is_over).count())
}

fn statuses(answers: &[Answer]) -> (usize, usize) {
    let made = answers.iter().filter(|answer| answer.is_success()).count();
    let blocked = answers.iter().filter(|answer| answer.code() == "limit_reached").count();
    (made, blocked)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_make_a_key_at_once_as_many_succeed_as_there_may_be(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    set(&hub, json!({"limits": {"api_keys": {"max": 7, "enforcement": "block_new"}}})).await;
    let names: Vec<String> = (0..20).map(|n| format!("key {n}")).collect();
    let answers = join_all(names.iter().map(|name| make_key(&hub, name))).await;
    assert_eq!(statuses(&answers), (7, 13));
    assert_eq!(number(&hub, KEYS).await, 7);
    assert_eq!(alerts(&hub, "api_keys").await, (1, 0), "whoever came first to seven raised it, nobody else");
    let blocked = answers.iter().find(|answer| !answer.is_success()).expect("thirteen");
    assert_eq!(
        (blocked.status, &blocked.json["limit"], &blocked.json["used"], &blocked.json["max"]),
        (409, &json!("api_keys"), &json!(7), &json!(7))
    );
    assert_eq!(blocked.json["detail"], "All 7 API keys are taken. Revoke one that is not needed, or ask your provider for more.");
    let refused =
        hub.tenant_ledger("acme").await.into_iter().filter(|e| e["action"] == "api_key.create" && e["outcome"] == "refused");
    assert_eq!(refused.count(), 13, "the ledger has who was refused");

    let key = answers.iter().find(|answer| answer.is_success()).expect("seven").json["key"]["id"].clone();
    hub.advance(Duration::from_secs(1));
    hub.delete("admin", &format!("/tenants/acme/api-keys/{}", key.as_str().expect("an id"))).await.expect(204);
    assert_eq!(alerts(&hub, "api_keys").await, (1, 1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn warned_is_who_makes_one_more_and_an_alert_comes_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    set(&hub, json!({"limits": {"api_keys": {"max": 10, "enforcement": "warn"}, "seats": {"max": 4, "enforcement": "warn"}}}))
        .await;
    assert_eq!(alerts(&hub, "seats").await, (1, 0), "four of four seats are used");
    let names: Vec<String> = (0..20).map(|n| format!("key {n}")).collect();
    let answers = join_all(names.iter().map(|name| make_key(&hub, name))).await;
    assert_eq!(statuses(&answers), (20, 0));
    let warned = answers.iter().filter(|answer| answer.json["warning"]["limit"] == "api_keys").count();
    assert_eq!((warned, alerts(&hub, "api_keys").await), (11, (1, 0)), "the tenth and those after it");
    let invited = invite(&hub, "one").await.expect(201);
    assert_eq!(invited.json["warning"]["used"], 5);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_keeps_its_seat(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    set(&hub, json!({"limits": {"seats": {"max": 6, "enforcement": "block_new"}}})).await;
    let names: Vec<String> = (0..8).map(|n| format!("new{n}")).collect();
    let answers = join_all(names.iter().map(|name| invite(&hub, name))).await;
    assert_eq!(statuses(&answers), (2, 6));
    let blocked = answers.iter().find(|answer| !answer.is_success()).expect("six");
    assert!(
        blocked.json["detail"].as_str().expect("a text").starts_with("All 6 seats are taken, 2 of them by open invitations."),
        "{:?}",
        blocked.json
    );
    let tokens: Vec<String> = answers.iter().filter_map(|answer| answer.json["token"].as_str().map(str::to_owned)).collect();
    let members = hub.get("admin", "/tenants/acme/members?state=disabled").await.expect(200);
    let disabled = members.json["items"][0]["id"].as_str().expect("somebody is disabled").to_owned();
    let enable = format!("/tenants/acme/members/{disabled}/enable");
    assert_eq!(hub.post("admin", &enable, json!({})).await.expect(409).code(), "limit_reached");
    // The same address again takes the place of its open invitation.
    let name =
        answers.iter().find(|answer| answer.is_success()).expect("two").json["email"].as_str().expect("an address").to_owned();
    let again = invite(&hub, name.trim_end_matches("@acme.example")).await.expect(201);
    let mut tokens: Vec<String> = tokens;
    tokens.push(again.json["token"].as_str().expect("a token").to_owned());
    let taken = join_all(tokens.iter().map(|token| accept(&hub, token))).await;
    assert_eq!(statuses(&taken).0, 2, "one of the three is void");
    assert_eq!((number(&hub, MEMBERS).await, alerts(&hub, "seats").await), (6, (1, 0)));
    set(&hub, json!({"limits": {"seats": {"max": 7}}})).await;
    hub.post("admin", &enable, json!({})).await.expect(200);
}

/// A number that looks random and is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// What one person does, one thing after the other: whatever comes, it is done or refused, never broken.
async fn work(hub: &TestHub, who: u64) {
    let mut dice = Dice(who + 77);
    let mut tokens: Vec<String> = Vec::new();
    for turn in 0..14 {
        let answer = match dice.roll(8) {
            0 | 1 => {
                let answer = invite(hub, &format!("w{who}t{turn}")).await;
                tokens.extend(answer.json["token"].as_str().map(str::to_owned));
                answer
            }
            2 | 3 if !tokens.is_empty() => accept(hub, &tokens.swap_remove(0)).await,
            4 => make_key(hub, &format!("w{who}t{turn}")).await,
            5 => {
                let keys = hub.get("admin", "/tenants/acme/api-keys?state=active").await.expect(200);
                let Some(key) = one(&keys.json, &mut dice) else { continue };
                hub.delete("admin", &format!("/tenants/acme/api-keys/{key}")).await
            }
            act => {
                let (state, what) = if act == 6 { ("active&role=viewer", "disable") } else { ("disabled", "enable") };
                let members = hub.get("admin", &format!("/tenants/acme/members?state={state}")).await.expect(200);
                let Some(member) = one(&members.json, &mut dice) else { continue };
                hub.post("admin", &format!("/tenants/acme/members/{member}/{what}"), json!({})).await
            }
        };
        assert!(answer.status < 500, "{}", String::from_utf8_lossy(&answer.bytes));
    }
}

fn one(list: &Value, dice: &mut Dice) -> Option<String> {
    let items = list["items"].as_array().filter(|items| !items.is_empty())?;
    items[dice.roll(items.len())]["id"].as_str().map(str::to_owned)
}

/// Changes the limits while others work. After each change there is never more than the limit, or, if there was more already, never
/// more than there was.
async fn watch(hub: &TestHub, is_over: &AtomicBool) -> usize {
    let mut dice = Dice(5);
    let mut looks = 0;
    while !is_over.load(Ordering::Relaxed) {
        let (seats, keys) = (2 + dice.roll(9), dice.roll(6));
        set(hub, json!({"limits": {"seats": {"max": seats, "enforcement": "block_new"}, "api_keys": {"max": keys, "enforcement": "block_new"}}})).await;
        let limits = [i64::try_from(seats).expect("small"), i64::try_from(keys).expect("small")];
        let mut most = [limits[0].max(number(hub, MEMBERS).await), limits[1].max(number(hub, KEYS).await)];
        for _ in 0..12 {
            for (n, sql) in [MEMBERS, KEYS].into_iter().enumerate() {
                let used = number(hub, sql).await;
                assert!(used <= most[n], "{used} of {} where {} was the most", limits[n], most[n]);
                most[n] = limits[n].max(used);
                looks += 1;
            }
            tokio::task::yield_now().await;
        }
    }
    looks
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn however_many_come_at_once_and_whatever_the_limits_do_there_is_never_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = hub(engine).await;
    let is_over = AtomicBool::new(false);
    let workers = async {
        join_all((0..6).map(|who| work(&hub, who))).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let ((), looks) = tokio::join!(workers, watch(&hub, &is_over));
    assert!(looks > 24, "{looks}");
    hub.verify_tenant_ledger("acme").await;
}

const SCAN: &str = r#"[{"class_uid":2004,"category_uid":2,"metadata":{"version":"1.5.0","event_code":"check_a","product":{"name":"Probe"}},
  "time":1795251000,"severity_id":5,"status_code":"FAIL","finding_info":{"title":"A is open","uid":"1"},
  "resources":[{"uid":"res-1","name":"one"}],"cloud":{"account":{"uid":"42"}}}]"#;

async fn assign(hub: &TestHub, plan: &str) {
    let plans = hub.get("priya", "/providers/northwind/plans").await.expect(200);
    let plan =
        plans.json["items"].as_array().expect("plans").iter().find(|one| one["name"] == plan).expect("that plan")["id"].clone();
    let done = hub.post("priya", "/providers/northwind/plans/assign", json!({"plan": plan, "tenants": ["acme"]})).await.expect(200);
    assert_eq!(done.json["results"][0]["outcome"], "moved");
}

/// Days go by; everybody stays signed in.
async fn days(hub: &TestHub, days: u64) {
    hub.advance(Duration::from_secs(days * 86_400));
    let mut tx = hub.hub.system_write("test.stage", "days go by").await.expect("a write");
    let later = tx.now().plus_days(1_000);
    tx.execute("UPDATE session SET idle_expires_at = ?1, expires_at = ?1", params![later]).await.expect("good SQL");
    tx.commit().await.expect("committed");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_closed_module_is_kept_for_thirty_days_and_then_gone(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    hub.upload("admin", "/tenants/acme/scans?file=a.json", SCAN.into()).await.expect(201);
    let seen = hub.get("priya", "/providers/northwind/licensing?q=acme").await.expect(200);
    assert_eq!(seen.json["items"][0]["limits"]["resources"]["used"], 1);
    assign(&hub, "Basic").await;
    hub.get("admin", "/tenants/acme/findings").await.expect(403);
    days(&hub, 29).await;
    hub::workers::once(&hub.hub).await;
    assign(&hub, "Complete").await;
    assert_eq!(hub.get("admin", "/tenants/acme/findings").await.expect(200).json["total"], 1, "it came back in time");

    assign(&hub, "Basic").await;
    days(&hub, 30).await;
    hub::workers::once(&hub.hub).await;
    let client = hub.get("priya", "/providers/northwind/tenants/acme").await.expect(200);
    assert_eq!((&client.json["closed_modules"], &client.json["counts"]["scans"]), (&json!([]), &json!(0)));
    assign(&hub, "Complete").await;
    assert_eq!(hub.get("admin", "/tenants/acme/findings").await.expect(200).json["total"], 0);
    let entries = hub.tenant_ledger("acme").await;
    let emptied = entries
        .iter()
        .find(|entry| entry["action"] == "module.empty" && entry["changes"][0]["before"]["rows"].is_i64())
        .expect("it says so");
    assert_eq!(emptied["actor"]["kind"], "system");
    hub.verify_tenant_ledger("acme").await;
    hub.upload("admin", "/tenants/acme/scans?file=a.json", SCAN.into()).await.expect(201);
}
