//! The small demo, played on a new hub as its people would.

use std::time::Duration;

use hub::demo::story::{Api, Script, SignIns, Size, play};
use kernel::secrets::SecretKey;
use kernel::store::{StoreConfig, StoreLimits};
use kernel::{Clock, HubConfig};
use serde_json::Value;

const PASSWORD: &str = "harbour-lantern-42";

struct Played {
    api: Api,
    sign_ins: SignIns,
    _folder: tempfile::TempDir,
}

async fn played() -> Played {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = HubConfig {
        store: StoreConfig::Sqlite { dir: folder.path().join("data") },
        limits: StoreLimits { open_tenants: 64, wait: Duration::from_secs(20) },
        master_key: SecretKey::from_bytes([7; 32]),
        clock: Clock::system(),
        public_url: "http://hub.test".into(),
        behind_proxy: false,
        fair: None,
    };
    let hub = hub::open(config, &folder.path().join("spool")).await.expect("a new hub opens");
    let code = identity::setup::prepare(&hub).await.expect("reads").expect("a new hub waits for its first run");
    let mut api = Api::new(hub::app(&hub));
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).expect("a folder");
    let script = Script { setup_code: &code, password: PASSWORD, scratch: &scratch, now: hub.now(), size: Size::Small };
    let sign_ins = play(&mut api, script, &|_| {}).await.unwrap_or_else(|error| panic!("{}", kernel::error::chain(&error)));
    assert_eq!(std::fs::read_dir(&scratch).expect("a folder").count(), 0, "the scans' files are gone");
    Played { api, sign_ins, _folder: folder }
}

impl Played {
    fn email(&self, role: &str) -> String {
        self.sign_ins.people.iter().find(|person| person.role == role).expect("everybody is there").email.clone()
    }

    async fn get(&mut self, role: &str, path: &str) -> Value {
        let email = self.email(role);
        self.api.get(&email, path).await.expect(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_every_state_and_everybody_can_sign_in() {
    let mut demo = played().await;
    for person in demo.sign_ins.people.clone() {
        let answer = demo.api.sign_in(&person.email, PASSWORD).await.expect(&person.role);
        assert_eq!(answer["state"], "signed_in", "{}", person.role);
        assert_eq!(answer["me"]["person"]["name"], person.name);
    }

    let clients = demo.get("provider_admin", "/providers/northwind/clients?limit=100").await;
    for state in ["stale", "never", "over_limit", "suspended", "sub_provider"] {
        assert_eq!(clients["counts"][state], 1, "{state}: {}", clients["counts"]);
    }
    assert_eq!(clients["total"], 7);
    for client in clients["items"].as_array().expect("a list") {
        assert_eq!(client["score"].is_null(), client["scan"]["status"] == "never", "{client}");
    }
    let onboarding: Vec<_> =
        clients["items"].as_array().expect("a list").iter().filter_map(|client| client.get("onboarding")).collect();
    assert_eq!(onboarding, [&serde_json::json!({"done": 4, "of": 5})], "one waits for its first scan");
    let tenants = demo.get("provider_admin", "/providers/northwind/tenants?state=suspended").await;
    let slug = tenants["items"][0]["slug"].as_str().expect("a slug").to_owned();
    let held = demo.get("provider_admin", &format!("/providers/northwind/tenants/{slug}")).await;
    assert!(held["hold"]["reason"].is_string(), "{held}");
    let of = |tier: &str| format!("technician_{tier}");
    for (tier, count) in [("t3", 3), ("t2", 3), ("t1", 3)] {
        let mine = demo.get(&of(tier), "/providers/northwind/clients").await;
        assert_eq!(mine["total"], count, "{tier}: {mine}");
    }
    assert_eq!(demo.get("sub_provider_admin", "/providers/harbor/clients").await["total"], 1);

    let scans = demo.get("viewer", "/tenants/acme/scans").await;
    let formats: Vec<&str> = scans["items"].as_array().expect("a list").iter().filter_map(|scan| scan["format"].as_str()).collect();
    let of_format = |format| formats.iter().filter(|one| **one == format).count();
    assert_eq!((of_format("ocsf"), of_format("xccdf"), of_format("sarif")), (3, 3, 3));
    let findings = demo.get("auditor", "/tenants/acme/findings?limit=1").await;
    assert!(findings["total"].as_i64() > Some(20), "{findings}");
    assert!(findings["facets"]["lifecycle"]["recurring"].as_i64() > Some(0), "{}", findings["facets"]);
    assert!(demo.get("operator", "/tenants/acme/findings?assignee=me").await["total"].as_i64() > Some(0));
    for (state, count) in [("active", 4), ("revoked", 1)] {
        let overrides = demo.get("auditor", &format!("/tenants/acme/overrides?state={state}")).await;
        assert_eq!(overrides["total"], count, "{state}");
    }
    for (state, count) in [("requested", 2), ("running", 1), ("ended", 1), ("denied", 1), ("cancelled", 1)] {
        let elevations = demo.get("provider_admin", &format!("/providers/northwind/elevations?state={state}")).await;
        assert_eq!(elevations["total"], count, "{state}");
    }
    assert_eq!(demo.get("provider_admin", "/providers/northwind/api-keys").await["total"], 1);
    assert_eq!(demo.get("tenant_admin", "/tenants/acme/api-keys").await["total"], 1);
}
