//! The explainer's answer is what the door enforces, always: random worlds, and every operation inside a tenant called as everybody,
//! over HTTP, held against what `GET …/why` says of the same person and action.

mod common;

use common::{Operation, wired};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rstest::rstest;
use serde_json::Value;
use testkit::{Engine, TestHub};

const WHO: &[&str] = &[
    "viewer",
    "auditor",
    "operator",
    "t0",
    "t1",
    "t2",
    "t3",
    "tech_none",
    "tech_expired",
    "tech_view",
    "disabled",
    "priya",
    "harriet",
];

/// One thing made otherwise in the world: SQL on the control database, for Acme and its people.
fn change() -> impl Strategy<Value = String> {
    let acme = "(SELECT id FROM tenant WHERE slug = 'acme')";
    let northwind = "(SELECT id FROM provider WHERE slug = 'northwind')";
    let who = prop::sample::select(&["t0", "t1", "t2", "t3", "tech_none", "tech_view", "priya"][..]);
    let tier = 0..4_i64;
    let instant =
        prop::sample::select(vec![testkit::START.0 - 1, testkit::START.0, testkit::START.0 + 1, testkit::START.plus_days(3).0]);
    let of = |name: &str| format!("(SELECT id FROM person WHERE name = '{name}')");
    prop_oneof![
        (tier.clone(), instant.clone()).prop_map(move |(tier, end)| format!(
            "UPDATE relationship SET tier = {tier}, ends_at = {end} WHERE tenant_id = {acme}"
        )),
        prop::sample::select(&["active", "active", "frozen", "ended", "requested"][..])
            .prop_map(move |state| format!("UPDATE relationship SET state = '{state}', ends_at = NULL WHERE tenant_id = {acme}")),
        prop::sample::select(&["tiered", "explicit"][..])
            .prop_map(move |mode| format!("UPDATE provider SET access_mode = '{mode}' WHERE id = {northwind}")),
        prop::sample::select(&["active", "active", "suspended"][..])
            .prop_map(move |state| format!("UPDATE provider SET state = '{state}' WHERE id = {northwind}")),
        prop::sample::select(&["active", "active", "suspended", "archived"][..])
            .prop_map(|state| format!("UPDATE tenant SET state = '{state}' WHERE slug = 'acme'")),
        (0..256_i64).prop_map(move |modules| format!("UPDATE plan_version SET modules = {modules} WHERE plan_id = (SELECT id FROM plan WHERE provider_id = {northwind} AND name = 'Complete')")),
        (any::<bool>(), any::<bool>()).prop_map(|(comments, admins)| format!(
            "UPDATE tenant SET comments_from_t1 = {comments}, staff_may_name_admins = {admins} WHERE slug = 'acme'"
        )),
        (who.clone(), prop::sample::select(&["active", "active", "disabled"][..]))
            .prop_map(move |(name, state)| format!("UPDATE staff SET state = '{state}' WHERE person_id = {}", of(name))),
        (who.clone(), prop::sample::select(&["provider_admin", "technician"][..]))
            .prop_map(move |(name, role)| format!("UPDATE staff SET role = '{role}' WHERE person_id = {}", of(name))),
        (who.clone(), tier.clone(), 0..16_i64, 0..256_i64, instant.clone(), instant.clone()).prop_map(
            move |(name, tier, mask, modules, start, end)| format!(
                "UPDATE assignment SET tier = {tier}, mask = {mask}, modules = {modules}, starts_at = {start}, ends_at = {end}
                 WHERE person_id = {} AND tenant_id = {acme}",
                of(name)
            )
        ),
        (who.clone(), tier.clone(), 0..16_i64, 0..256_i64, instant.clone(), instant.clone()).prop_map(
            move |(name, tier, mask, modules, start, end)| format!(
                "INSERT INTO group_grant (id, provider_id, person_id, reach, tier, mask, modules, starts_at, ends_at, created_at)
                 SELECT p.id, {northwind}, p.id, 'all', {tier}, {mask}, {modules}, {start}, {end}, 0 FROM person p WHERE p.name = '{name}'
                 ON CONFLICT (id) DO UPDATE SET tier = excluded.tier, mask = excluded.mask, modules = excluded.modules,
                    starts_at = excluded.starts_at, ends_at = excluded.ends_at"
            )
        ),
        (who.clone(), tier.clone(), 0..16_i64, any::<bool>()).prop_map(move |(name, tier, mask, in_it)| format!(
            "INSERT INTO group_grant (id, provider_id, person_id, reach, group_id, tier, mask, modules, starts_at, created_at)
             SELECT s.id, s.provider_id, s.person_id, 'group', g.id, {tier}, {mask}, 255, 0, 0
             FROM staff s JOIN tenant_group g ON g.provider_id = s.provider_id AND g.name = '{}'
             WHERE s.person_id = {} ON CONFLICT (id) DO UPDATE SET tier = excluded.tier",
            if in_it { "Near" } else { "Far" },
            of(name)
        )),
        prop::sample::select(&["%acme%", "%nobody%"][..])
            .prop_map(|pattern| format!("UPDATE tenant_group SET name_pattern = '{pattern}' WHERE name = 'Near'")),
        prop::sample::select(&["provider", "provider", "tenant_consent"][..])
            .prop_map(move |by| format!("UPDATE relationship SET assign_by = '{by}' WHERE tenant_id = {acme}")),
        who.clone().prop_map(move |name| format!("DELETE FROM assignment WHERE person_id = {} AND tenant_id = {acme}", of(name))),
        (who.clone(), any::<bool>()).prop_map(move |(name, now)| format!(
            "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) SELECT {acme}, p.id, p.id, 0, 'x' FROM person p
             WHERE p.name = '{name}' AND {now} ON CONFLICT (tenant_id, person_id) DO NOTHING"
        )),
        (who, tier, any::<bool>(), any::<bool>(), prop::sample::select(&["t3", "carla", "admin"][..]), instant.clone(), instant, 0..256_i64).prop_map(
            move |(name, tier, by_tenant, break_glass, approver, start, end, modules)| format!(
                "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_name, tier, actions, modules, minutes, approver, reason,
                    state, requested_at, lapses_at, provider_by, tenant_by, starts_at, ends_at, break_glass)
                 SELECT p.id, {northwind}, {acme}, p.id, 'x', {tier}, '[\"member.grant_admin\",\"scan.import\"]', {modules}, 1, 'both', 'x',
                    'approved', 0, 0, {}, {}, {start}, {end}, {break_glass} FROM person p WHERE p.name = '{name}'
                 ON CONFLICT (id) DO UPDATE SET tier = excluded.tier, starts_at = excluded.starts_at, ends_at = excluded.ends_at",
                of(approver),
                if by_tenant { of(approver) } else { "NULL".into() },
            )
        ),
    ]
}

/// Two groups for grants over many: one with Acme in it, and one without.
async fn groups(hub: &TestHub) -> String {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.expect("a write");
    for (name, pattern) in [("Near", "%acme%"), ("Far", "%zeta%")] {
        let sql = "INSERT INTO tenant_group (id, provider_id, name, kind, name_pattern, created_at)
                   SELECT ?1, p.id, ?2, 'dynamic', ?3, 0 FROM provider p WHERE p.slug = 'northwind'";
        tx.execute(sql, kernel::params![kernel::ids::uuid_at(hub.hub.now()), name, pattern]).await.expect("a group");
    }
    tx.commit().await.expect("commits");
    "groups Near and Far".into()
}

/// Operations inside a tenant.
fn inside() -> Vec<(access::Act, Operation)> {
    let document: Value = serde_json::from_str(&hub::openapi().to_json().expect("plain data")).expect("JSON");
    let all = common::operations(&document)
        .into_iter()
        .map(|operation| (access::Act::from_name(&operation.id).expect("an action"), operation));
    let inside = |(act, operation): &(access::Act, Operation)| {
        act.info().plane.is_inside()
            && operation.path.contains("/tenants/{tenant}")
            && !operation.path.contains("/providers/")
            && !operation.streams
    };
    let mut found: Vec<_> = all.filter(inside).collect();
    for (act, operation) in &mut found {
        // An admin's seat has a guard of its own; what is compared here is the action as such.
        if let (access::Act::MemberInvite, Some(body)) = (*act, &mut operation.body) {
            body["role"] = "viewer".into();
        }
    }
    found
}

/// What the door did: `Some(true)` opened, `Some(false)` refused, `None` knows of nothing.
fn enforced(answer: &testkit::Answer, path: &str) -> Option<bool> {
    match (answer.status, answer.code()) {
        (403, "step_up_required") => Some(true),
        (403, _) => Some(false),
        (401, _) => Some(false),
        // Beyond the door a row that does not exist is a 404 too.
        (404, _) if path.matches('{').count() > 1 => Some(true),
        (404, _) => None,
        _ => Some(true),
    }
}

/// The prefix of the ids of what a path names.
fn prefix(name: &str) -> &'static str {
    match name {
        "alert" => "alt",
        "request" => "con",
        "key" => "key",
        "control" => "ctl",
        "finding" => "fnd",
        "invitation" => "inv",
        "member" => "mem",
        "override" => "ovr",
        "person" => "per",
        "relationship" => "rel",
        "scan" => "scn",
        other => panic!("what are the ids of a {other}? Add them here"),
    }
}

async fn check(hub: &TestHub, operations: &[(access::Act, Operation)], story: &[String]) -> (usize, usize) {
    let (mut yes, mut no) = (0, 0);
    for who in WHO {
        // Whoever may not know of the tenant is told so by every address; ask one that has no rows in it.
        let known = hub.get(who, "/tenants/acme/context").await.status != 404;
        let person = testkit::person(who);
        let mut tx = hub.hub.system_read().await.expect("reads");
        let stands = tx.stands_anywhere("acme", Some(person)).await.expect("reads").expect("Acme is there");
        drop(tx);
        let stand = stands.of(person);
        assert_eq!(known, stand.is_some(), "{who} knows of Acme\n{story:#?}");
        let Some(stand) = stand else { continue };
        for (act, operation) in operations {
            let (name, path) = (&operation.id, &operation.path);
            let explained = stand.explain(&hub.hub, *act, access::Subject::Any);
            let mut to = path.trim_start_matches("/api/v1").replace("{tenant}", "acme") + &operation.query;
            while let (Some(from), Some(until)) = (to.find('{'), to.find('}')) {
                let id = format!("{}_01999999999970009999999999999999", prefix(&to[from + 1..until]));
                to.replace_range(from..=until, &id);
            }
            let answer = if operation.takes_file {
                hub.upload(who, &to, b"no scan at all".to_vec()).await
            } else {
                hub.send(who, operation.method.clone(), &to, operation.body.clone(), &[("if-match", "\"1\"")]).await
            };
            let did = enforced(&answer, path).expect("known above");
            assert_eq!(
                did, explained.allowed,
                "{who} {name}: the door answered {} {}, the explainer {explained:?}\n{story:#?}",
                answer.status, answer.json
            );
            if did { yes += 1 } else { no += 1 }
        }
    }
    (yes, no)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_explainer_says_what_the_door_does(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let operations = inside();
    assert!(operations.len() > 50, "{}", operations.len());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let (mut yes, mut no) = (0, 0);
    let (worlds, steps) = if engine == Engine::Sqlite { (4, 10) } else { (1, 6) };
    for _ in 0..worlds {
        let hub = TestHub::whole(engine, wired).await;
        let mut story = vec![groups(&hub).await];
        for _ in 0..steps {
            let sql = change().new_tree(&mut runner).expect("a change").current();
            let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.expect("a write");
            tx.execute(&sql, &[]).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
            tx.commit().await.expect("commits");
            story.push(sql);
            let (allowed, refused) = check(&hub, &operations, &story).await;
            (yes, no) = (yes + allowed, no + refused);
        }
    }
    assert!(yes > 200 && no > 200, "the worlds are worth asking about: {yes} yes, {no} no");
}
