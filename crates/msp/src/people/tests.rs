//! Who may be given a finding, on both engines.

use kernel::params;
use rstest::rstest;
use testkit::{Engine, TestHub, person, tenant};

use super::assignable;

async fn names(hub: &TestHub, slug: &str) -> Vec<String> {
    assignable(&hub.hub, tenant(slug)).await.unwrap().into_iter().map(|p| format!("{} {}", p.name, p.as_)).collect()
}

async fn run(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system_write("test.set", "a test sets the scene").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn findings_go_to_those_who_could_take_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let tech = |name: &str| format!("{name} Northwind IT technician");
    let priya = "priya Northwind IT provider admin".to_owned();
    let members = ["admin admin".to_owned(), "auditor auditor".to_owned(), "operator operator".to_owned()];
    // tech_view may look only, and could not take one.
    let staff = [priya.clone(), tech("t2"), tech("t3")];
    assert_eq!(names(&hub, "acme").await, [&members[..], &staff[..]].concat());
    let first = assignable(&hub.hub, tenant("acme")).await.unwrap().remove(0);
    assert_eq!((first.id, first.is_staff), (person("admin"), false));
    // Frozen: nobody of the provider.
    assert!(names(&hub, "frost").await.is_empty());
    assert_eq!(names(&hub, "birch").await, ["harriet Harbor Services provider admin".to_owned(), priya.clone()]);
    assert_eq!(names(&hub, "zeta").await, ["other_admin admin", "carla Contoso Managed provider admin"]);
    // Below T2 on the whole: members only.
    run(&hub, "UPDATE relationship SET tier = 1 WHERE tenant_id = (SELECT id FROM tenant WHERE slug = 'acme')").await;
    assert_eq!(names(&hub, "acme").await, members);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_admins_too_need_an_assignment_the_relationship_is_not_enough(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = TestHub::start(engine, crate::router()).await;
    run(&hub, "UPDATE provider SET access_mode = 'explicit' WHERE slug = 'northwind'").await;
    run(&hub, "UPDATE staff SET state = 'disabled' WHERE person_id = (SELECT id FROM person WHERE name = 't2')").await;
    run(&hub, "UPDATE person SET state = 'disabled' WHERE name IN ('t3', 'auditor')").await;
    let shown = names(&hub, "acme").await;
    assert_eq!(shown, ["admin admin", "operator operator"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_member_and_staff_stands_there_once(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    run(
        &hub,
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at)
         SELECT p.id, t.id, p.id, 'operator', 'active', 0 FROM person p, tenant t WHERE p.name = 'priya' AND t.slug = 'birch'",
    )
    .await;
    assert_eq!(names(&hub, "birch").await, ["priya operator", "harriet Harbor Services provider admin"]);
}
