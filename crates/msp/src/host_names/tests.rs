//! The rules of names that lead here, on both engines.

use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub};

use crate::branding::BaseDomain;

const NAMES: &str = "/providers/northwind/host-names";

async fn start(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    hub.hub.provide(BaseDomain("hub.example".into()));
    hub
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_one_place(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let made = hub.post("priya", NAMES, json!({"host": "Portal.Acme.example.", "tenant": "acme"})).await.expect(201).json;
    assert_eq!((made["host"].as_str(), made["kind"].as_str()), (Some("portal.acme.example"), Some("custom")));
    assert_eq!(made["tenant"]["slug"], "acme");
    for (who, path) in [("priya", NAMES), ("carla", "/providers/contoso/host-names"), ("harriet", "/providers/harbor/host-names")] {
        let taken = hub.post(who, path, json!({"host": "portal.acme.example"})).await.expect(409);
        assert!(!taken.json.to_string().contains("cme Dental"), "who has it is nobody's business: {}", taken.json);
    }
    for (host, wrong) in [
        ("", "host not_a_host_name"),
        ("localhost", "host not_a_host_name"),
        ("127.0.0.1", "host not_a_host_name"),
        ("https://a.example", "host not_a_host_name"),
        ("a.example:8443", "host not_a_host_name"),
        ("a.example/x", "host not_a_host_name"),
        ("a_b.example", "host not_a_host_name"),
        ("*.a.example", "host not_a_host_name"),
        ("hub.test", "host reserved"),
        ("hub.example", "host reserved"),
        ("other-northwind.hub.example", "host reserved"),
        ("a.b.hub.example", "host reserved"),
    ] {
        assert_eq!(hub.post("priya", NAMES, json!({"host": host})).await.expect(422).wrong_fields(), [wrong], "{host}");
    }
    // Another's client and one that does not exist are told apart by nothing; a sub-provider's is the sub-provider's to name.
    for tenant in ["zeta", "nobody", "birch", "a\u{0}b"] {
        let refused = hub.post("priya", NAMES, json!({"host": "x.example", "tenant": tenant})).await.expect(422);
        assert_eq!(refused.wrong_fields(), ["tenant unknown"]);
    }
    for (who, status) in [("t3", 403), ("admin", 404), ("carla", 404), ("nobody", 401)] {
        hub.post(who, NAMES, json!({"host": "y.example"})).await.expect(status);
        hub.get(who, NAMES).await.expect(status);
        hub.delete(who, &format!("{NAMES}/portal.acme.example")).await.expect(status);
    }
    let copy = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!(
        (copy["action"].as_str(), copy["subject"]["label"].as_str()),
        (Some("host_name.create"), Some("portal.acme.example"))
    );
    hub.delete("carla", "/providers/contoso/host-names/portal.acme.example").await.expect(404);
    hub.delete("carla", "/providers/contoso/host-names/no.such.example").await.expect(404);
    hub.delete("priya", &format!("{NAMES}/portal.acme.example")).await.expect(204);
    hub.delete("priya", &format!("{NAMES}/portal.acme.example")).await.expect(404);
    hub.post("carla", "/providers/contoso/host-names", json!({"host": "portal.acme.example", "tenant": "zeta"})).await.expect(201);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_listed_and_come_with_the_client(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    hub.post("priya", NAMES, json!({"host": "desk.northwind.example"})).await.expect(201);
    hub.post("priya", NAMES, json!({"host": "portal.acme.example", "tenant": "acme"})).await.expect(201);
    let hosts = |json: &Value| -> Vec<String> {
        json["items"].as_array().unwrap().iter().map(|item| item["host"].as_str().unwrap().to_owned()).collect()
    };
    let all = hub.get("priya", NAMES).await.expect(200).json;
    let expected = [
        "acme-northwind.hub.example",
        "desk.northwind.example",
        "frost-northwind.hub.example",
        "plain-northwind.hub.example",
        "portal.acme.example",
        "sable-northwind.hub.example",
    ];
    assert_eq!((hosts(&all), all["total"].as_i64()), (expected.map(str::to_owned).to_vec(), Some(6)));
    assert_eq!(all["items"][0]["kind"], "address");
    assert_eq!(all["items"][1]["tenant"], Value::Null);
    let (mut seen, mut path) = (Vec::new(), format!("{NAMES}?limit=2&sort=-host"));
    loop {
        let page = hub.get("priya", &path).await.expect(200).json;
        seen.extend(hosts(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{NAMES}?limit=2&sort=-host&cursor={next}");
    }
    seen.reverse();
    assert_eq!(seen, expected);
    assert_eq!(
        hosts(&hub.get("priya", &format!("{NAMES}?q=dental")).await.expect(200).json),
        ["acme-northwind.hub.example", "portal.acme.example"]
    );
    let kept = hub.delete("priya", &format!("{NAMES}/acme-northwind.hub.example")).await.expect(409);
    assert!(kept.json["detail"].as_str().unwrap().contains("base domain"));
    hub.delete("priya", &format!("{NAMES}/birch-harbor.hub.example")).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn invitations_lead_to_the_name_of_their_place(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = TestHub::start(engine, crate::router()).await;
    let invite = async |who: &str, provider: &str, email: &str| {
        let body = json!({"email": email, "role": "technician"});
        let made = hub.post(who, &format!("/providers/{provider}/staff/invitations"), body).await.expect(201).json;
        made["url"].as_str().unwrap().rsplit_once('/').unwrap().0.to_owned()
    };
    assert_eq!(invite("priya", "northwind", "a@new.example").await, "http://hub.test/invite");
    hub.post("priya", NAMES, json!({"host": "desk.northwind.example"})).await.expect(201);
    assert_eq!(invite("priya", "northwind", "b@new.example").await, "http://desk.northwind.example/invite");
    // A sub-provider without a name of its own is reached by its parent's.
    assert_eq!(invite("harriet", "harbor", "c@new.example").await, "http://desk.northwind.example/invite");
    let base = async |name: &str| {
        let mut tx = hub.hub.system_read().await.unwrap();
        crate::branding::link_base(&mut tx, kernel::news::Of::Tenant(testkit::tenant(name))).await.unwrap()
    };
    assert_eq!(base("acme").await, "http://desk.northwind.example");
    assert_eq!(base("zeta").await, "http://hub.test");
    hub.hub.provide(BaseDomain("hub.example".into()));
    assert_eq!(base("acme").await, "http://acme-northwind.hub.example");
    hub.post("priya", NAMES, json!({"host": "portal.acme.example", "tenant": "acme"})).await.expect(201);
    assert_eq!(base("acme").await, "http://portal.acme.example");
}
