//! What a key opens, and what ends it, on both engines.

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub, person};

use crate::stage::{entries, freshen, hub, number, run, until};

const ACME: &str = "/tenants/acme";
const NORTHWIND: &str = "/providers/northwind/api-keys";

/// A program with a key.
struct Program<'a> {
    hub: &'a TestHub,
    id: String,
    token: String,
}

impl<'a> Program<'a> {
    async fn with(hub: &'a TestHub, who: &str, place: &str, actions: &[&str]) -> Self {
        freshen(hub, who).await;
        let body = json!({"name": format!("{who} at {place}"), "actions": actions, "expires_in_days": 30});
        let made = hub.post(who, &format!("{place}/api-keys"), body).await.expect(201).json;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self { hub, id: text(&made["key"]["id"]), token: text(&made["token"]) }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let header = format!("Bearer {}", self.token);
        self.hub.send("nobody", method, path, body, &[("authorization", &header)]).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_reads_and_writes_what_it_names_and_the_ledger_names_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let program = Program::with(&hub, "admin", ACME, &["member.list", "member.invite"]).await;
    assert_eq!(program.get("/tenants/acme/members").await.expect(200).json["total"], 5);
    let invited = json!({"email": "new@acme.example", "role": "viewer"});
    program.send(Method::POST, "/tenants/acme/members/invitations", Some(invited)).await.expect(201);
    let entry = hub.tenant_ledger("acme").await.pop().expect("an entry");
    assert_eq!((entry["action"].as_str(), entry["outcome"].as_str()), (Some("member.invite"), Some("done")));
    assert_eq!(
        (entry["actor"]["id"].as_str(), entry["actor"]["name"].as_str()),
        (Some(&*person("admin").to_string()), Some("admin"))
    );
    assert_eq!(entry["actor"]["key"]["id"], program.id);
    // It does what it names and nothing else.
    for path in ["/tenants/acme/members/invitations", "/tenants/acme/api-keys"] {
        let refused = program.get(path).await.expect(403);
        assert_eq!((refused.code(), refused.json["policy"].as_str()), ("forbidden", Some("stop.key_scope")));
    }
    until(&hub, "SELECT COUNT(*) FROM api_key WHERE last_used_at IS NOT NULL", 1).await;
    let used = hub.get("admin", "/tenants/acme/api-keys").await.expect(200).json["items"][0]["last_used_at"].clone();
    assert_eq!(used, hub.hub.now().to_string());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_nobody_and_makes_no_keys(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let program = Program::with(&hub, "admin", ACME, &["member.list", "api_key.list"]).await;
    run(&hub, "UPDATE api_key SET actions = ?1", params![json!(access::Act::ALL).to_string()]).await;
    let body = json!({"name": "Another", "actions": ["member.list"], "expires_in_days": 1});
    for (method, path, body) in [
        (Method::GET, "/me", None),
        (Method::GET, "/me/sessions", None),
        (Method::DELETE, "/session", None),
        (Method::POST, "/session/step-up", Some(json!({"password": "x"}))),
        (Method::PATCH, "/me", Some(json!({"name": "Another Name"}))),
        (Method::POST, "/tenants/acme/api-keys", Some(body)),
    ] {
        let refused = program.send(method, path, body).await.expect(403);
        assert_eq!((refused.code(), refused.json["policy"].as_str()), ("forbidden", Some("stop.key_person")), "{path}");
    }
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM api_key", params![]).await, 1);
    let list = program.get("/tenants/acme/api-keys").await.expect(200);
    assert!(!String::from_utf8_lossy(&list.bytes).contains(&program.token));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_takes_up_no_invitation_as_its_maker(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let invited = json!({"email": "admin@cast.example", "role": "viewer"});
    let made = hub.post("other_admin", "/tenants/zeta/members/invitations", invited).await.expect(201).json;
    let path = format!("/invitations/{}/accept", made["token"].as_str().expect("a token"));
    let program = Program::with(&hub, "admin", ACME, &["member.list"]).await;
    assert!(!program.send(Method::POST, &path, Some(json!({}))).await.is_success());
    assert_eq!(number(&hub, "SELECT COUNT(*) FROM member WHERE person_id = ?1", params![person("admin")]).await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_no_other_place(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    // Priya reaches more than one organisation; a key that she made for one opens that one.
    let inside = Program::with(&hub, "priya", ACME, &["member.list"]).await;
    inside.get("/tenants/acme/members").await.expect(200);
    for path in ["/tenants/plain/members", "/tenants/zeta/members", "/tenants/nowhere/members", NORTHWIND] {
        assert_eq!(inside.get(path).await.expect(404).code(), "not_found", "{path}");
    }
    let across = Program::with(&hub, "priya", "/providers/northwind", &["member.list", "provider_api_key.list"]).await;
    for path in ["/tenants/acme/members", "/tenants/plain/members", NORTHWIND] {
        across.get(path).await.expect(200);
    }
    for path in ["/tenants/zeta/members", "/providers/contoso/api-keys", "/providers/harbor/api-keys"] {
        across.get(path).await.expect(404);
    }
    // Frozen is frozen for keys too; and a key reaches as far as its maker: above Harbor to T2.
    assert_eq!(across.get("/tenants/frost/members").await.expect(403).code(), "forbidden");
    across.get("/tenants/birch/members").await.expect(200);
    let invite = json!({"email": "new@birch.example", "role": "viewer"});
    run(&hub, "UPDATE api_key SET actions = ?1", params![json!(access::Act::ALL).to_string()]).await;
    across.send(Method::POST, "/tenants/birch/members/invitations", Some(invite.clone())).await.expect(403);
    across.send(Method::POST, "/tenants/acme/members/invitations", Some(invite)).await.expect(201);
    // What a person holds elsewhere is not the key's: Priya becomes an admin of Zeta.
    run(
        &hub,
        "INSERT INTO member (id, tenant_id, person_id, role, state, created_at) VALUES (?1, ?2, ?3, 'admin', 'active', 0)",
        params![kernel::ids::uuid_at(hub.hub.now()), testkit::tenant("zeta"), person("priya")],
    )
    .await;
    hub.get("priya", "/tenants/zeta/members").await.expect(200);
    for program in [&inside, &across] {
        program.get("/tenants/zeta/members").await.expect(404);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_with_its_time_and_with_its_makers_rights(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let program = Program::with(&hub, "admin", ACME, &["member.list", "member.invite"]).await;
    let staffs = Program::with(&hub, "priya", "/providers/northwind", &["member.list", "provider_api_key.list"]).await;
    let members = "/tenants/acme/members";
    let set = async |sql: &str, who: &str| run(&hub, sql, params![person(who)]).await;
    // A demotion, a disabled membership, a disabled account: each takes away and gives back.
    for (away, back, status) in [
        ("UPDATE member SET role = 'viewer' WHERE person_id = ?1", "UPDATE member SET role = 'admin' WHERE person_id = ?1", 403),
        (
            "UPDATE member SET state = 'disabled' WHERE person_id = ?1",
            "UPDATE member SET state = 'active' WHERE person_id = ?1",
            403,
        ),
        ("UPDATE person SET state = 'disabled' WHERE id = ?1", "UPDATE person SET state = 'active' WHERE id = ?1", 401),
    ] {
        program.get(members).await.expect(200);
        set(away, "admin").await;
        program.get(members).await.expect(status);
        set(back, "admin").await;
    }
    set("UPDATE staff SET role = 'technician' WHERE person_id = ?1", "priya").await;
    staffs.get(NORTHWIND).await.expect(403);
    staffs.get(members).await.expect(404);
    set("UPDATE staff SET role = 'provider_admin' WHERE person_id = ?1", "priya").await;
    staffs.get(members).await.expect(200);
    hub.advance(std::time::Duration::from_secs(30 * 86_400) - std::time::Duration::from_micros(1));
    program.get(members).await.expect(200);
    hub.advance(std::time::Duration::from_micros(1));
    assert_eq!(program.get(members).await.expect(401).code(), "not_signed_in");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_a_misprint_and_a_strangers_are_the_same_answer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    let program = Program::with(&hub, "admin", ACME, &["member.list"]).await;
    let members = "/tenants/acme/members";
    program.get(members).await.expect(200);
    hub.delete("admin", &format!("/tenants/acme/api-keys/{}", program.id)).await.expect(204);
    let revoked = program.get(members).await.expect(401);
    let stranger = Program { hub: &hub, id: String::new(), token: kernel::secrets::new_api_token() };
    assert_eq!(stranger.get(members).await.expect(401).bytes, revoked.bytes);
    // A text that cannot be a key is refused even when something is stored under its hash: it is not looked up.
    let misprint = format!("{}x", &program.token[..49]);
    let hash = kernel::secrets::token_hash(&misprint);
    run(&hub, "UPDATE api_key SET token_hash = ?1, revoked_at = NULL", params![hash.as_slice()]).await;
    let misprinted = Program { hub: &hub, id: String::new(), token: misprint };
    assert_eq!(misprinted.get(members).await.expect(401).bytes, revoked.bytes);
    // Nor does a session's token do as a key's, or beside a wrong one.
    let bearer = ("authorization", "Bearer token-of-admin");
    hub.send("nobody", Method::GET, members, None, &[bearer]).await.expect(401);
    hub.send("admin", Method::GET, members, None, &[bearer]).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_members_keys_are_revoked_in_the_same_commit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = hub(engine).await;
    run(&hub, "UPDATE member SET role = 'admin' WHERE person_id = ?1", params![person("operator")]).await;
    let program = Program::with(&hub, "operator", ACME, &["member.list"]).await;
    let kept = Program::with(&hub, "admin", ACME, &["member.list"]).await;
    let members = hub.get("admin", "/tenants/acme/members?q=operator").await.expect(200).json;
    let member = members["items"][0]["id"].as_str().expect("an id").to_owned();
    hub.delete("admin", &format!("/tenants/acme/members/{member}")).await.expect(204);
    program.get("/tenants/acme/members").await.expect(401);
    kept.get("/tenants/acme/members").await.expect(200);
    let entry = hub.tenant_ledger("acme").await.pop().expect("an entry");
    assert_eq!(entry["action"], "member.remove");
    assert_eq!((&entry["changes"][0]["kind"], &entry["changes"][0]["id"]), (&json!("api_key"), &json!(program.id)));
    assert_eq!(entry["changes"][0]["after"]["revoked"], true);
    assert_eq!(entries(&hub.tenant_ledger("acme").await, "member.remove"), ["admin done -"]);
}
