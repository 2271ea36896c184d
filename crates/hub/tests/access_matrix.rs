//! `access.txt`: every operation of our own OpenAPI document, called as every member of the cast, with own and with foreign ids.
//!
//! Bodies are made from the document's schemas, so a new endpoint is in the file without anybody adding it. A write that goes
//! through is done on a copy of the hub, so that every call meets the same world.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::{Operation, operations, wired};
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../access.txt");

const CAST: &[&str] = &[
    "nobody",
    "other_admin",
    "viewer",
    "auditor",
    "operator",
    "admin",
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
    "carla",
    "key_admin",
    "key_priya",
];

/// The API keys of the cast: of Acme, made by its admin, and of Northwind IT, made by priya. Both name every action there is.
fn credentials(who: &str) -> String {
    match who {
        "key_admin" => kernel::secrets::api_token_of("ADMINADMINADMINADMINADMINADMINADMINADMIN"),
        "key_priya" => kernel::secrets::api_token_of("PRIYAPRIYAPRIYAPRIYAPRIYAPRIYAPRIYAPRIYA"),
        session => session.to_owned(),
    }
}

/// Ids that stand for `{name}` in a path: of the cast's own world, and of another's.
struct Ids {
    own: BTreeMap<String, String>,
    foreign: BTreeMap<String, String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_call_what() {
    let pristine = TestHub::whole(Engine::Sqlite, wired).await;
    let ids = seed(&pristine).await;
    let mut world = World { pristine, copy: None };
    let document: Value = serde_json::from_str(&hub::openapi().to_json().expect("plain data")).expect("JSON");
    let mut text = String::from(
        "# Who may call what: written by crates/hub/tests/access_matrix.rs (make openapi). A contract with the customer.\n\
         # Each operation as each member of the cast (crates/testkit/src/cast.rs), on Acme of Northwind IT; then on another's tenant.\n\
         # yes: the door opens (what comes after may still be a 409, 412 or 422); step: it opens after a fresh second factor; else the status.\n",
    );
    let _ = writeln!(text, "{:<28} {}", "# operation", CAST.iter().map(|who| format!("{who:<13}")).collect::<String>().trim_end());
    let mut leaks = Vec::new();
    for operation in operations(&document) {
        let mut own = String::new();
        let mut foreign = String::new();
        for who in CAST {
            let answer = world.call(who, &operation, &ids.own).await;
            let _ = write!(own, "{:<13}", cell(&answer));
            if operation.path.contains('{') {
                let theirs = world.call(who, &operation, &ids.foreign).await;
                let _ = write!(foreign, "{:<13}", cell(&theirs));
                leaks.extend(compare(&mut world, who, &operation, &ids, &theirs).await);
            }
        }
        let _ = writeln!(text, "{:<28} {}", operation.id, own.trim_end());
        if !foreign.is_empty() {
            let _ = writeln!(text, "{:<28} {}", "  elsewhere", foreign.trim_end());
        }
    }
    assert!(leaks.is_empty(), "a foreign id is told apart from an unknown one:\n{}", leaks.join("\n"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &text).expect("a writable tree");
    }
    let stored = std::fs::read_to_string(FILE).unwrap_or_default();
    for (old, new) in stored.lines().zip(text.lines()) {
        assert_eq!(old, new, "access.txt changed; run `make openapi` and say why in the commit");
    }
    assert_eq!(stored.lines().count(), text.lines().count(), "access.txt changed; run `make openapi` and say why in the commit");
}

fn cell(answer: &Answer) -> String {
    match answer.status {
        403 if answer.code() == "step_up_required" => "step".into(),
        401 | 403 | 404 | 405 | 500..=599 => answer.status.to_string(),
        _ => "yes".into(),
    }
}

/// What belongs to somebody else must answer exactly as what belongs to nobody: within the caller's own tenant or provider, another's
/// ids against ids that do not exist; and another's tenant or provider against one that does not exist.
async fn compare(world: &mut World, who: &str, operation: &Operation, ids: &Ids, theirs: &Answer) -> Vec<String> {
    // Presets are nobody's: every provider has the same.
    let is_place = |name: &str| name == "tenant" || name == "provider" || name == "preset";
    let mut leaks = Vec::new();
    let mut unknown = ids.foreign.clone();
    for (name, id) in &mut unknown {
        *id = if is_place(name) && theirs.status != 404 { id.clone() } else { nonexistent(id) };
    }
    if theirs.status == 404 {
        let none = world.call(who, operation, &unknown).await;
        if none.bytes != theirs.bytes || none.status != 404 {
            leaks.push(format!("{} as {who}: elsewhere 404, nowhere {}", operation.id, none.status));
        }
    }
    let mut mixed = ids.foreign.clone();
    mixed.extend(ids.own.iter().filter(|(name, _)| is_place(name)).map(|(name, id)| (name.clone(), id.clone())));
    // Below /me the other tenant's admin finds rows of their own; everybody else was told 404 above.
    if mixed != ids.own && operation.path.matches('{').count() > 1 && !operation.path.contains("/me/") {
        let foreign = world.call(who, operation, &mixed).await;
        for (name, id) in &mut mixed {
            if !is_place(name) {
                *id = nonexistent(id);
            }
        }
        let none = world.call(who, operation, &mixed).await;
        let has_row = operation.path.split('{').skip(1).any(|part| !is_place(part.split('}').next().unwrap_or_default()));
        if has_row && (foreign.bytes != none.bytes || foreign.status != none.status) {
            leaks.push(format!("{} as {who}: another's row {}, no row {}", operation.id, foreign.status, none.status));
        }
    }
    leaks
}

/// An id of the same kind that nothing has.
fn nonexistent(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, hex)) if hex.len() == 32 => format!("{prefix}_01999999999970009999999999999999"),
        _ => "no-such-thing".into(),
    }
}

/// The world that every call meets: a pristine hub, and a copy of it that is thrown away once a write went through.
struct World {
    pristine: TestHub,
    copy: Option<TestHub>,
}

impl World {
    async fn call(&mut self, who: &str, operation: &Operation, ids: &BTreeMap<String, String>) -> Answer {
        if self.copy.is_none() {
            self.copy = Some(self.pristine.copy(wired).await);
        }
        let hub = self.copy.as_ref().expect("just made");
        let answer = send(hub, who, operation, ids).await;
        let wrong = &answer.json["errors"][0];
        let is_missing = wrong["code"] == "missing" && wrong["message"] == "is missing";
        let is_before_the_door = wrong["code"] == "wrong_type" || wrong["code"] == "syntax" || is_missing;
        assert!(
            answer.status != 415 && !is_before_the_door,
            "{}: the body made from the schema never reaches the door: {} {}",
            operation.id,
            operation.body.clone().unwrap_or_default(),
            answer.json
        );
        if !operation.method.is_safe() && answer.is_success() {
            self.copy = None;
        }
        answer
    }
}

async fn send(hub: &TestHub, who: &str, operation: &Operation, ids: &BTreeMap<String, String>) -> Answer {
    let mut path = operation.path.trim_start_matches("/api/v1").to_owned();
    for (name, id) in ids {
        path = path.replace(&format!("{{{name}}}"), id);
    }
    assert!(!path.contains('{'), "the test has no id for {path}; add one to seed()");
    path.push_str(&operation.query);
    let who = &credentials(who);
    if operation.streams {
        return opened(hub, who, &path).await;
    }
    if operation.takes_file && who != "nobody" {
        return hub.upload(who, &path, SMALL_SCAN.into()).await;
    }
    hub.send(who, operation.method.clone(), &path, operation.body.clone(), &[("if-match", "\"1\"")]).await
}

/// The head of a stream: its body would not end.
async fn opened(hub: &TestHub, who: &str, path: &str) -> Answer {
    use tower::ServiceExt as _;
    let request = hub.request(who, path);
    let response = hub.router().oneshot(request).await.expect("the router does not fail");
    if response.status().is_success() {
        let (parts, _) = response.into_parts();
        return Answer { status: parts.status.as_u16(), headers: parts.headers, bytes: Vec::new(), json: Value::Null };
    }
    hub.get(who, path).await
}

const SMALL_SCAN: &str = r#"[{"class_uid":2004,"category_uid":2,"metadata":{"version":"1.5.0","event_code":"check_a","product":{"name":"Probe"}},
  "time":1795251000,"severity_id":5,"status_code":"FAIL","finding_info":{"title":"A is open","uid":"1"},
  "resources":[{"uid":"res-1","name":"one"}],"cloud":{"account":{"uid":"42"}}}]"#;

/// Gives Acme and Zeta (and their providers) one of everything that has an id.
async fn seed(hub: &TestHub) -> Ids {
    let own = seed_one(hub, ["acme", "northwind", "admin", "priya", "t2", "viewer"]).await;
    let foreign = seed_one(hub, ["zeta", "contoso", "other_admin", "carla", "carla", "other_admin"]).await;
    Ids { own, foreign }
}

async fn seed_one(hub: &TestHub, [tenant, provider, admin, boss, staff, member]: [&str; 6]) -> BTreeMap<String, String> {
    let id = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned();
    let mut ids = BTreeMap::from([("tenant".to_owned(), tenant.to_owned()), ("provider".to_owned(), provider.to_owned())]);
    let mut keep = |name: &str, value: String| ids.insert(name.to_owned(), value);

    let scan = hub.upload(admin, &format!("/tenants/{tenant}/scans?file=a.json"), SMALL_SCAN.into()).await.expect(201);
    keep("scan", id(&scan.json["id"]));
    let findings = hub.get(admin, &format!("/tenants/{tenant}/findings")).await.expect(200);
    let finding = id(&findings.json["items"][0]["id"]);
    keep("control", id(&findings.json["items"][0]["control"]["id"]));
    let body =
        json!({"finding": finding, "reason": "accepted for the test of who may call what", "expires_at": "2027-01-01T00:00:00Z"});
    let made = hub.post(admin, &format!("/tenants/{tenant}/overrides"), body).await.expect(201);
    keep("override", id(&made.json["id"]));
    keep("finding", finding);
    let members = hub.get(admin, &format!("/tenants/{tenant}/members")).await.expect(200);
    let row = find(&members.json["items"], member);
    keep("member", id(&row["id"]));
    let invite = json!({"email": format!("new@{tenant}.example"), "role": "viewer"});
    let invited = hub.post(admin, &format!("/tenants/{tenant}/members/invitations"), invite).await.expect(201);
    keep("invitation", id(&invited.json["id"]));
    let people = hub.get(boss, &format!("/providers/{provider}/staff")).await.expect(200);
    keep("staff", id(&find(&people.json["items"], staff)["id"]));
    let sessions = hub.get(admin, "/me/sessions").await.expect(200);
    keep("session", id(&sessions.json["items"][0]["id"]));
    let assignments = hub.get(boss, &format!("/providers/{provider}/assignments")).await;
    let first = assignments.json["items"].as_array().and_then(|items| items.first().cloned());
    keep("assignment", first.map_or_else(|| "asg_01999999999970009999999999999998".into(), |a| id(&a["id"])));
    keep("certificate", certificate(hub, tenant).await);
    keep(
        "relationship",
        row_id(hub, "rel", "SELECT r.id FROM relationship r JOIN tenant t ON t.id = r.tenant_id WHERE t.slug = ?1", tenant).await,
    );
    keep("person", testkit::person(staff).to_string());
    let plan = "SELECT p.id FROM plan p JOIN provider v ON v.id = p.provider_id WHERE p.name = 'Basic' AND v.slug = ?1";
    keep("plan", row_id(hub, "pln", plan, provider).await);
    for (name, id) in trust(hub, tenant, provider, admin, boss, staff).await {
        keep(name, id);
    }
    let (boss_name, mark) =
        (boss, format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><title>{provider}</title></svg>"));
    let path = format!("/providers/{provider}/brand/assets?kind=logo_light");
    let asset = hub.upload_as(boss_name, &path, "image/svg+xml", mark.into()).await.expect(201);
    keep("asset", id(&asset.json["id"]));
    let named = json!({"host": format!("desk.{provider}.example")});
    let host = hub.post(boss_name, &format!("/providers/{provider}/host-names"), named).await.expect(201);
    keep("host", id(&host.json["host"]));
    for (name, id) in told(hub, tenant, provider, admin).await {
        keep(name, id);
    }
    keep("token", format!("token-that-nobody-was-given-{tenant}"));
    keep("preset", "strict".into());
    keep("sub", if provider == "northwind" { "harbor".into() } else { "northwind".into() });
    ids
}

async fn row_id(hub: &TestHub, prefix: &str, sql: &str, name: &str) -> String {
    let mut tx = hub.hub.system_read().await.expect("the store is there");
    let id: uuid::Uuid = tx.one(sql, kernel::params![name]).await.expect("a row").take().expect("an id");
    format!("{prefix}_{}", id.simple())
}

/// A consent and an elevation that wait, a template, and API keys of the tenant and the provider.
async fn trust(hub: &TestHub, tenant: &str, provider: &str, admin: &str, boss: &str, staff: &str) -> Vec<(&'static str, String)> {
    let now = hub.hub.now();
    let mut tx = hub.hub.system_write("test.seed", "what waits for somebody's word").await.expect("the store is there");
    let [consent, template, elevation, key, own_key] = [(); 5].map(|()| kernel::ids::uuid_at(now));
    let (admin, boss, staff) = (testkit::person(admin), testkit::person(boss), testkit::person(staff));
    let actions = serde_json::to_string(&access::Act::ALL).expect("names");
    let soon = now.plus_days(300);
    let secret = |word: &str| kernel::secrets::token_hash(&kernel::secrets::api_token_of(&word.repeat(8)));
    let secrets = if tenant == "acme" { [secret("ADMIN"), secret("PRIYA")] } else { [secret("OTHER"), secret("CARLA")] };
    let [tenant_secret, provider_secret] = secrets;
    for (sql, params) in [
        (
            "INSERT INTO consent (id, tenant_id, provider_id, kind, target, label, asked_by, asked_at, state)
             SELECT ?1, t.id, t.provider_id, 'tier', '{\"kind\":\"tier\",\"tier\":\"T3\"}', 'Raise', ?3, ?4, 'pending' FROM tenant t WHERE t.slug = ?2",
            kernel::params![consent, tenant, boss, now].to_vec(),
        ),
        (
            "INSERT INTO elevation_template (id, provider_id, name, tier, modules, minutes_max, approver, state, created_at)
             SELECT ?1, p.id, 'Seeded', 3, 255, 60, 'both', 'active', ?3 FROM provider p WHERE p.slug = ?2",
            kernel::params![template, provider, now].to_vec(),
        ),
        (
            "INSERT INTO elevation (id, provider_id, tenant_id, person_id, template_id, template_name, tier, modules, minutes, approver,
                reason, state, requested_at, lapses_at)
             SELECT ?1, t.provider_id, t.id, ?3, ?4, 'Seeded', 3, 255, 60, 'both', 'seeded', 'requested', ?5, ?6 FROM tenant t WHERE t.slug = ?2",
            kernel::params![elevation, tenant, staff, template, now, soon].to_vec(),
        ),
        (
            "INSERT INTO api_key (id, token_hash, hint, name, tenant_id, person_id, actions, created_at, expires_at)
             SELECT ?1, ?2, 'tnk_seed', 'seeded', t.id, ?4, ?5, ?6, ?7 FROM tenant t WHERE t.slug = ?3",
            kernel::params![key, tenant_secret, tenant, admin, actions.clone(), now, soon].to_vec(),
        ),
        (
            "INSERT INTO api_key (id, token_hash, hint, name, provider_id, person_id, actions, created_at, expires_at)
             SELECT ?1, ?2, 'tnk_seed', 'seeded', p.id, ?4, ?5, ?6, ?7 FROM provider p WHERE p.slug = ?3",
            kernel::params![own_key, provider_secret, provider, boss, actions, now, soon].to_vec(),
        ),
    ] {
        tx.execute(sql, &params).await.expect("a row");
    }
    let [group, grant, change] = [(); 3].map(|()| kernel::ids::uuid_at(now));
    for (sql, params) in [
        (
            "INSERT INTO tenant_group (id, provider_id, name, kind, created_at) SELECT ?1, p.id, 'Seeded', 'static', ?3 FROM provider p WHERE p.slug = ?2",
            kernel::params![group, provider, now].to_vec(),
        ),
        (
            "INSERT INTO group_grant (id, provider_id, person_id, reach, group_id, tier, mask, modules, starts_at, created_at)
             SELECT ?1, p.id, ?4, 'group', ?5, 1, 1, 0, ?3, ?3 FROM provider p WHERE p.slug = ?2",
            kernel::params![grant, provider, now, staff, group].to_vec(),
        ),
        (
            "INSERT INTO fleet_change (id, provider_id, kind, what, reach, reason, state, failed_percent, created_by, created_at)
             SELECT ?1, p.id, 'suspend', '{}', '{\"all\":true}', 'seeded', 'draft', 10, ?4, ?3 FROM provider p WHERE p.slug = ?2",
            kernel::params![change, provider, now, boss].to_vec(),
        ),
    ] {
        tx.execute(sql, &params).await.expect("a row");
    }
    tx.commit().await.expect("commits");
    let named = |prefix: &str, id: uuid::Uuid| format!("{prefix}_{}", id.simple());
    vec![
        ("consent", named("con", consent)),
        ("request", named("con", consent)),
        ("template", named("elt", template)),
        ("elevation", named("elv", elevation)),
        ("key", named("key", key)),
        ("provider_key", named("key", own_key)),
        ("group", named("grp", group)),
        ("grant", named("ggr", grant)),
        ("change", named("flc", change)),
    ]
}

/// Alerts of the tenant and the provider, an e-mail in the provider's log, and a channel of the tenant's admin with a delivery.
async fn told(hub: &TestHub, tenant: &str, provider: &str, admin: &str) -> Vec<(&'static str, String)> {
    let now = hub.hub.now();
    let mut tx = hub.hub.system_write("test.seed", "what somebody was told").await.expect("the store is there");
    let [alert, own_alert, mail, channel, delivery] = [(); 5].map(|()| kernel::ids::uuid_at(now));
    let address = json!({"url": "https://hooks.example.com/x", "secret": "whsec_c2VlZGVkc2VlZGVkc2VlZGVkc2VlZGVk"}).to_string();
    let address = hub.hub.master_key().seal("channel", address.as_bytes());
    let columns = "id, whose, provider_id, tenant_id, rule, subject, label, urgency, facts, state, raised_at, last_at";
    for (sql, params) in [
        (
            format!(
                "INSERT INTO alert ({columns}) SELECT ?1, t.id, NULL, t.id, 'limit_crossed', 'seats', 'Seeded', 1, '{{}}', 'open', ?3, ?3
                 FROM tenant t WHERE t.slug = ?2"
            ),
            kernel::params![alert, tenant, now].to_vec(),
        ),
        (
            format!(
                "INSERT INTO alert ({columns}) SELECT ?1, p.id, p.id, NULL, 'licence_expiring', 'x', 'Seeded', 1, '{{}}', 'open', ?3, ?3
                 FROM provider p WHERE p.slug = ?2"
            ),
            kernel::params![own_alert, provider, now].to_vec(),
        ),
        (
            "INSERT INTO mail (id, provider_id, recipient, template, subject, state, created_at)
             SELECT ?1, p.id, 'seeded@cast.example', 'test', 'Seeded', 'withheld', ?3 FROM provider p WHERE p.slug = ?2"
                .to_owned(),
            kernel::params![mail, provider, now].to_vec(),
        ),
        (
            "INSERT INTO channel (id, person_id, kind, name, address, state, created_at) VALUES (?1, ?2, 'webhook', 'Seeded', ?3, 'active', ?4)"
                .to_owned(),
            kernel::params![channel, testkit::person(admin), address, now].to_vec(),
        ),
        (
            "INSERT INTO channel_delivery (id, channel_id, event, payload, status, at, created_at)
             VALUES (?1, ?2, 'channel.test', '{}', 'failed', ?3, ?3)"
                .to_owned(),
            kernel::params![delivery, channel, now].to_vec(),
        ),
    ] {
        tx.execute(&sql, &params).await.expect("a row");
    }
    tx.commit().await.expect("commits");
    let named = |prefix: &str, id: uuid::Uuid| format!("{prefix}_{}", id.simple());
    vec![
        ("alert", named("alt", alert)),
        ("provider_alert", named("alt", own_alert)),
        ("mail", named("eml", mail)),
        ("channel", named("chn", channel)),
        ("delivery", named("dlv", delivery)),
    ]
}

/// A draft of a certificate of destruction, as if the tenant's provider had purged something.
async fn certificate(hub: &TestHub, tenant: &str) -> String {
    let mut tx = hub.hub.system_write("test.seed", "a certificate to ask for").await.expect("the store is there");
    let id = msp::certificates::CertificateId::new(hub.hub.now());
    let party = json!({"id": "x", "name": "x"});
    let statement = json!({"id": id.to_string(), "tenant": "x", "name": "x", "slug": "x", "provider": party, "purged_at": "", "completed_at": "",
        "by": party, "second": null, "ledger": null, "data_key_destroyed": true, "backups": "",
        "removed": {"files": null, "members": 0, "assignments": 0, "invitations": 0, "relationships": 0}});
    let sql = "INSERT INTO certificate (id, tenant_id, provider_id, holder_id, name, statement, purged_at)
               SELECT ?1, t.id, t.provider_id, t.provider_id, t.name, ?2, 0 FROM tenant t WHERE t.slug = ?3";
    tx.execute(sql, kernel::params![id, statement.to_string(), tenant]).await.expect("a row");
    tx.commit().await.expect("commits");
    id.to_string()
}

fn find(items: &Value, name: &str) -> Value {
    let items = items.as_array().expect("a list");
    items.iter().find(|row| row["person"]["name"] == name).unwrap_or_else(|| panic!("{name} is not in {items:?}")).clone()
}
