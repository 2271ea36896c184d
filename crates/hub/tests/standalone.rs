//! An installation without a provider, from its first start to the licence that gives it one, over HTTP and at the machine.

use axum::http::{Method, header};
use clap::Parser;
use kernel::Timestamp;
use ledger::{SigningKey, hex};
use msp::msp_licence::{Issuers, LicenceFile, LicenceId, Terms};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, START, TestHub};

const PASSWORD: &str = "violet harbour tractor 42";
const SCAN: &str = r#"[{"class_uid":2004,"category_uid":2,"metadata":{"version":"1.5.0","event_code":"check_a","product":{"name":"Probe"}},
  "time":1795251000,"severity_id":5,"status_code":"FAIL","finding_info":{"title":"A is open","uid":"1"},
  "resources":[{"uid":"res-1","name":"one"}],"cloud":{"account":{"uid":"42"}}}]"#;

fn issuer() -> SigningKey {
    SigningKey::from_secret(&[9; 32])
}

fn licence(tenants_max: i64, now: Timestamp) -> String {
    let terms = Terms {
        id: LicenceId::new(now),
        customer: "Quill Services".into(),
        tenants_max: Some(tenants_max),
        issued_at: now.plus_days(-1),
        expires_at: now.plus_days(365),
        grace_days: 14,
    };
    LicenceFile::issue(&issuer(), terms).expect("sound terms").text().expect("JSON")
}

fn setup_body(code: &str) -> Value {
    json!({"code": code, "mode": "standalone", "organisation_name": "Quill & Co", "organisation_slug": "quill",
           "name": "Ada Quill", "email": "Ada@quill.example", "password": PASSWORD})
}

/// Somebody at a browser, who keeps their cookie.
struct Ada<'a> {
    hub: &'a TestHub,
    cookie: String,
}

impl Ada<'_> {
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.hub.send("nobody", method, path, body, &[("cookie", &self.cookie), ("if-match", "\"1\"")]).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn scan(&self) {
        let request = axum::http::Request::post("/api/v1/tenants/quill/scans?file=a.json")
            .header("cookie", &self.cookie)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(axum::body::Body::from(SCAN))
            .expect("a request");
        self.hub.raw(request).await.expect(201);
    }
}

fn cookie(answer: &Answer) -> String {
    let set = answer.headers[header::SET_COOKIE].to_str().expect("text");
    set.split(';').next().expect("name and value").to_owned()
}

/// All of a hub, with a spool of its own.
fn wired(hub: &kernel::Hub) -> axum::Router {
    let spool = std::env::temp_dir().join(format!("tenantry-standalone-tests-{}", std::process::id()));
    hub::wire(hub, &spool.join(kernel::ids::uuid_at(START).simple().to_string()));
    hub::app(hub)
}

async fn empty(engine: Engine) -> TestHub {
    let hub = TestHub::bare(engine, wired).await;
    let line = format!("{} Test issuer", hex::encode(&issuer().public_key()));
    msp::msp_licence::provide(&hub.hub, Issuers::default().and([line.as_str()]).expect("a key"));
    hub
}

async fn set_up(hub: &TestHub) -> Ada<'_> {
    let code = identity::setup::prepare(&hub.hub).await.expect("looked").expect("needed");
    let made = hub.post("nobody", "/setup", setup_body(&code)).await.expect(201);
    assert_eq!((&made.json["standalone"], &made.json["providers"]), (&json!(true), &json!([])));
    assert_eq!((&made.json["tenants"][0]["slug"], &made.json["tenants"][0]["role"]), (&json!("quill"), &json!("admin")));
    Ada { hub, cookie: cookie(&made) }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_organisation_looks_after_itself(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let code = identity::setup::prepare(&hub.hub).await.expect("looked").expect("needed");
    let wrong = json!({"code": code, "mode": "standalone", "name": "Ada", "email": "ada@quill.example", "password": PASSWORD});
    let missing = hub.post("nobody", "/setup", wrong).await.expect(422);
    assert_eq!(missing.wrong_fields(), ["organisation_name too_short", "organisation_slug not_a_slug"]);
    let ada = set_up(&hub).await;
    assert_eq!(hub.get("nobody", "/setup").await.expect(200).json["needed"], false);
    assert_eq!(identity::setup::prepare(&hub.hub).await.expect("looked"), None);

    let context = ada.get("/tenants/quill/context").await.expect(200).json;
    assert_eq!((&context["tenant"]["standalone"], &context["tenant"]["notice"]), (&json!(true), &Value::Null));
    assert_eq!(context["brand"]["name"], "Quill & Co");
    ada.scan().await;
    assert_eq!(ada.get("/tenants/quill/findings").await.expect(200).json["total"], 1);
    ada.post("/tenants/quill/members/invitations", json!({"email": "bo@quill.example", "role": "viewer"})).await.expect(201);
    assert_eq!(ada.get("/tenants/quill/provider-access").await.expect(200).json["relationships"], json!([]));
    // There is no provider to anybody: not by its placeholder's slug either.
    for path in ["/providers/~standalone", "/providers/~standalone/clients", "/providers/quill"] {
        ada.get(path).await.expect(404);
    }
    let told: Vec<_> =
        ledger_of(&hub, &context).await.iter().map(|e| e["action"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(told[0], "setup.create");
    hub::workers::once(&hub.hub).await;
}

async fn ledger_of(hub: &TestHub, context: &Value) -> Vec<Value> {
    let id = context["tenant"]["id"].as_str().expect("an id").parse().expect("an id");
    let mut tx = hub.hub.system(id, "test.look", "a test reads the ledger").await.expect("the tenant exists");
    let rows = tx.rows("SELECT body FROM ledger ORDER BY seq", &[]).await.expect("reads");
    rows.into_iter().map(|mut row| row.json().expect("an entry is JSON")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_licence_makes_a_provider_of_it_in_one_commit(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let ada = set_up(&hub).await;
    ada.scan().await;
    let path = "/tenants/quill/msp-licence";
    let body = |licence: &str, slug: &str| json!({"licence": licence, "provider_name": "Quill Services", "provider_slug": slug});
    let text = licence(2, START);
    let tampered = text.replace("\"tenants_max\": 2", "\"tenants_max\": 20");
    assert_eq!(ada.post(path, body(&tampered, "quill-services")).await.expect(422).wrong_fields(), ["licence bad_signature"]);
    assert_eq!(ada.post(path, body(&text, "-")).await.expect(422).wrong_fields(), ["provider_slug not_a_slug"]);
    assert_eq!(ada.get("/me").await.expect(200).json["standalone"], true, "nothing was changed");

    let done = ada.post(path, body(&text, "quill-services")).await.expect(201).json;
    assert_eq!((&done["provider"]["slug"], &done["tenant"]["slug"]), (&json!("quill-services"), &json!("quill")));
    assert_eq!(done["notice"]["linked"], json!({"members": 1, "scans": 1, "findings_open": 1}));
    let me = ada.get("/me").await.expect(200);
    assert_eq!(me.json["standalone"], false);
    assert_eq!(
        (&me.json["providers"][0]["slug"], &me.json["providers"][0]["role"]),
        (&json!("quill-services"), &json!("provider_admin"))
    );
    assert_eq!((&me.json["tenants"][0]["role"], &me.json["providers"][0]["client_count"]), (&json!("admin"), &json!(1)));

    let context = ada.get("/tenants/quill/context").await.expect(200).json;
    assert_eq!(
        (&context["tenant"]["standalone"], &context["tenant"]["notice"]["kind"]),
        (&json!(false), &json!("licence_activated"))
    );
    assert_eq!(ada.get("/tenants/quill/findings").await.expect(200).json["total"], 1, "what was there is there");
    let home = "/providers/quill-services";
    let clients = ada.get(&format!("{home}/clients")).await.expect(200).json;
    assert_eq!(
        (&clients["total"], &clients["items"][0]["tier"], &clients["items"][0]["plan"]),
        (&json!(1), &json!("T3"), &json!("Complete"))
    );
    assert_eq!(ada.get(&format!("{home}/plans")).await.expect(200).json["total"], 3);
    let page = ada.get(&format!("{home}/msp-licence")).await.expect(200).json;
    assert_eq!((&page["tenants"], &page["notice"]["by"]), (&json!({"used": 1, "max": 2}), &json!("Ada Quill")));
    // The provider's business begins, up to the licence.
    let tenant = |slug: &str| json!({"slug": slug, "name": "A client", "plan": "Essentials"});
    ada.post(&format!("{home}/tenants"), tenant("second")).await.expect(201);
    assert_eq!(ada.post(&format!("{home}/tenants"), tenant("third")).await.expect(409).code(), "licence");
    assert_eq!(ada.post(path, body(&licence(9, START), "other")).await.expect(409).code(), "conflict");

    let preferences = json!({"preferences": {"dismissed": ["licence_activated"]}});
    ada.send(Method::PATCH, "/me", Some(preferences)).await.expect(200);
    assert_eq!(ada.get("/tenants/quill/context").await.expect(200).json["tenant"]["notice"], Value::Null);
    let activated =
        |entries: &[Value]| entries.iter().filter(|e| e["action"] == "msp_licence.activate" && e["outcome"] == "done").count();
    assert_eq!(activated(&ledger_of(&hub, &context).await), 1);
    assert_eq!(activated(&hub.control_ledger().await), 1);
    let told = ada.get(&format!("{home}/ledger?action=msp_licence.activate")).await.expect(200).json;
    assert_eq!(told["items"][0]["action"], "msp_licence.activate");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_activate_at_once_one_does(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = empty(engine).await;
    let ada = set_up(&hub).await;
    let text = licence(2, START);
    let body = |slug: &str| json!({"licence": text, "provider_name": "Quill Services", "provider_slug": slug});
    let path = "/tenants/quill/msp-licence";
    let (one, two) = tokio::join!(ada.post(path, body("one")), ada.post(path, body("two")));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(ada.get("/me").await.expect(200).json["providers"].as_array().map(Vec::len), Some(1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_set_ups_at_once_one_is_made_and_nothing_is_left_of_the_other(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = empty(engine).await;
    let code = identity::setup::prepare(&hub.hub).await.expect("looked").expect("needed");
    let mut other = setup_body(&code);
    other["email"] = json!("bo@quill.example");
    let (one, two) = tokio::join!(hub.post("nobody", "/setup", setup_body(&code)), hub.post("nobody", "/setup", other));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(matches!(statuses[1], 404 | 422), "{statuses:?}");
    if engine == Engine::Sqlite {
        assert_eq!(std::fs::read_dir(hub.folder().join("tenants")).expect("a folder").count(), 1);
    }
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: hub::licence::Command,
}

async fn tenantry(words: &[&str]) -> Result<String, String> {
    let line = Line::try_parse_from(std::iter::once(&"licence").chain(words)).map_err(|error| error.to_string())?;
    hub::licence::run(line.command).await.map_err(|error| kernel::error::chain(error.as_ref()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_at_the_machine_from_a_key_to_a_renewal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (key, first, second, data) = (file("issuer.key"), file("first.licence"), file("second.licence"), file("data"));
    let made: Value = serde_json::from_str(&tenantry(&["keygen", "--out", &key]).await.expect("a key")).expect("JSON");
    assert!(tenantry(&["keygen", "--out", &key]).await.expect_err("it exists").contains("not overwritten"));
    let issuer = made["public_key"].as_str().expect("a key").to_owned();
    let secret = std::fs::read_to_string(&key).expect("a file");
    assert!(!made.to_string().contains(secret.trim()));
    for (out, tenants) in [(&first, "5"), (&second, "9")] {
        let issue = ["issue", "--key", &key, "--customer", "Quill Services", "--tenants", tenants, "--days", "365", "--out", out];
        tenantry(&issue).await.expect("a licence");
    }
    let look = async |more: &[&str]| -> Value {
        let words = [&["inspect", &first, "--data", &data], more].concat();
        serde_json::from_str(&tenantry(&words).await.expect("readable")).expect("JSON")
    };
    assert_eq!((&look(&[]).await["signature_holds"], &look(&[]).await["can_be_activated"]), (&json!(false), &json!(false)));
    let trusting = look(&["--licence-issuer", &issuer]).await;
    assert_eq!((&trusting["can_be_activated"], &trusting["licence"]["tenants_max"]), (&json!(true), &json!(5)));

    set_up_in(&data).await;
    let activate = async |licence: &str, more: &[&str]| {
        tenantry(&[&["activate", licence, "--data", &data, "--licence-issuer", &issuer], more].concat()).await
    };
    assert!(activate(&first, &[]).await.expect_err("it needs a provider").contains("standalone"));
    let who = ["--provider-name", "Quill Services", "--provider-slug", "quill-services", "--admin"];
    assert!(activate(&first, &[&who[..], &["nobody@quill.example"]].concat()).await.expect_err("unknown").contains("admin"));
    let done = activate(&first, &[&who[..], &["ada@quill.example"]].concat()).await.expect("activated");
    assert!(done.contains("\"provider\"") && done.contains("\"tenant\""), "{done}");
    let renewed: Value = serde_json::from_str(&activate(&second, &[]).await.expect("renewed")).expect("JSON");
    assert_eq!(renewed["is_new"], true);
    assert!(activate(&first, &[]).await.expect_err("older").contains("before the one"));
}

/// A standalone installation in a folder, which nobody serves afterwards.
async fn set_up_in(data: &str) {
    use tower::ServiceExt as _;
    let settings = hub::config::Settings { data: Some(data.into()), ..Default::default() };
    let config = settings.resolve().expect("sound settings");
    let (opened, _serving) = hub::serve::open_to_serve(&config).await.expect("opens");
    let code = identity::setup::prepare(&opened).await.expect("looked").expect("needed");
    let request = axum::http::Request::post("/api/v1/setup")
        .header(header::CONTENT_TYPE, "application/json")
        .body(axum::body::Body::from(setup_body(&code).to_string()))
        .expect("a request");
    let answer = hub::app(&opened).oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), 201);
}
