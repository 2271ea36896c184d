//! What counts and who says so; presets.

use axum::http::Method;
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Answer, Engine, TestHub};

use super::{HERE, run, start};

const OWN: &str = "/providers/northwind/settings";
const PRESETS: &str = "/providers/northwind/presets";

/// A setting of an answer of either kind.
pub(super) fn setting(answer: &Answer, key: &str) -> Value {
    let groups = answer.json["groups"].as_array().cloned().unwrap_or_default();
    let of_groups = groups.iter().flat_map(|group| group["settings"].as_array().cloned().unwrap_or_default());
    let flat = answer.json["settings"].as_array().cloned().unwrap_or_default();
    of_groups.chain(flat).find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key} is there"))
}

/// Value and layer.
fn counts(answer: &Answer, key: &str) -> (Value, String) {
    let setting = setting(answer, key);
    (setting["value"].clone(), setting["layer"].as_str().unwrap_or_default().to_owned())
}

/// Decides for Northwind.
pub(super) async fn decide(hub: &TestHub, settings: Value) -> Answer {
    let version = hub.get("priya", OWN).await.expect(200).version();
    hub.patch("priya", OWN, version, json!({ "settings": settings })).await
}

/// Decides for Acme itself.
pub(super) async fn decide_for_acme(hub: &TestHub, settings: Value) -> Answer {
    let version = hub.get("admin", HERE).await.expect(200).version();
    hub.patch("admin", HERE, version, json!({ "settings": settings })).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_layer_stands_in_the_place_of_the_one_before(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let first = hub.get("priya", OWN).await.expect(200);
    assert_eq!(
        (&first.json["preset"], counts(&first, "raise_by")),
        (&json!("strict"), (json!("tenant_consent"), "default".into()))
    );
    let mode = setting(&first, "access_mode");
    assert_eq!(mode["choices"], json!(["tiered", "explicit", "implicit_owner"]));
    assert_eq!((&mode["kind"], &mode["own"], &mode["default"]), (&json!("choice"), &Value::Null, &json!("tiered")));
    let changed = decide(&hub, json!({"raise_by": "provider", "staff_shown": "by_role"})).await.expect(200);
    assert_eq!(changed.version(), first.version() + 1);
    assert_eq!(counts(&changed, "raise_by"), (json!("provider"), "provider".into()));
    // What others read in the provider's row follows, and the other way round.
    let provider = hub.get("priya", "/providers/northwind").await.expect(200);
    assert_eq!(provider.json["settings"]["staff_shown"], "by_role");
    assert_eq!(hub.get("admin", HERE).await.expect(200).json["staff_shown"], "by_role");
    let body = json!({"settings": {"staff_shown": "by_name", "access_mode": "explicit"}});
    hub.patch("priya", "/providers/northwind", provider.version(), body).await.expect(200);
    let after = hub.get("priya", OWN).await.expect(200);
    assert_eq!(counts(&after, "staff_shown"), (json!("by_name"), "provider".into()));
    assert_eq!(counts(&after, "access_mode"), (json!("explicit"), "provider".into()));
    // `null` inherits again.
    let inherited = decide(&hub, json!({"access_mode": null, "raise_by": null, "staff_shown": null})).await.expect(200);
    for key in ["access_mode", "raise_by", "staff_shown"] {
        assert_eq!(counts(&inherited, key).1, "default", "{key}");
    }
    assert_eq!(hub.get("priya", "/providers/northwind").await.json["settings"]["access_mode"], "tiered");
    let ledger = hub.control_ledger().await;
    let change = ledger.iter().rfind(|entry| entry["action"] == "provider_setting.update").expect("an entry");
    let (before, after) = (&change["changes"][0]["before"]["access_mode"], &change["changes"][0]["after"]["access_mode"]);
    assert_eq!((before, after), (&json!({"value": "explicit", "own": "explicit"}), &json!({"value": "tiered", "own": null})));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_passwords_and_second_factors_nobody_below_is_laxer(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    // Who has no second factor would be held up by the second of these.
    run(&hub, "UPDATE person SET totp_secret = ?1", params![vec![1_u8]]).await;
    decide(&hub, json!({"password.length_min": 14, "second_factor": "required", "password.max_age_days": 90})).await.expect(200);
    let seen = hub.get("admin", HERE).await.expect(200);
    assert_eq!(counts(&seen, "password.length_min"), (json!(14), "provider".into()));
    let (length, age) = (setting(&seen, "password.length_min"), setting(&seen, "password.max_age_days"));
    assert_eq!((&length["min"], &length["max"], &length["locked_by"]), (&json!(14), &json!(64), &Value::Null));
    assert_eq!((&age["min"], &age["max"]), (&json!(1), &json!(90)));
    let factor = setting(&seen, "second_factor");
    assert_eq!((&factor["choices"], &factor["locked_by"]), (&json!(["required"]), &json!("Northwind IT")));
    for (key, laxer) in
        [("password.length_min", json!(13)), ("second_factor", json!("optional")), ("password.max_age_days", json!(0))]
    {
        let wrong = decide_for_acme(&hub, json!({ key: laxer })).await.expect(422);
        assert_eq!(wrong.wrong_fields(), [format!("settings.{key} laxer")]);
    }
    let own = decide_for_acme(&hub, json!({"password.length_min": 20, "password.max_age_days": 30})).await.expect(200);
    assert_eq!(counts(&own, "password.length_min"), (json!(20), "tenant".into()));
    // Those above may ask for more later; it counts as long as it is more.
    decide(&hub, json!({"password.length_min": 24})).await.expect(200);
    let overruled = hub.get("admin", HERE).await.expect(200);
    assert_eq!(counts(&overruled, "password.length_min"), (json!(24), "provider".into()));
    assert_eq!(setting(&overruled, "password.length_min")["own"], 20);
    assert_eq!(counts(&overruled, "password.max_age_days"), (json!(30), "tenant".into()));
    // A sub-provider inherits from those above it too.
    let below = hub.get("harriet", "/providers/harbor/settings").await.expect(200);
    assert_eq!(counts(&below, "password.length_min"), (json!(24), "provider".into()));
    assert_eq!(counts(&below, "staff_shown"), (json!("by_name"), "default".into()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_refused_by_name_and_nothing_changes(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let version = hub.get("priya", OWN).await.expect(200).version();
    for (settings, wrong) in [
        (json!({"nothing": 1}), "settings.nothing unknown"),
        (json!({"access_mode": "anarchy"}), "settings.access_mode unknown"),
        (json!({"access_mode": 3}), "settings.access_mode unknown"),
        (json!({"password.length_min": 11}), "settings.password.length_min out_of_range"),
        (json!({"password.length_min": 12.5}), "settings.password.length_min wrong_type"),
        (json!({"password.history": 25}), "settings.password.history out_of_range"),
        (json!({"raise_by": "provider", "second_factor_hours": -1}), "settings.second_factor_hours out_of_range"),
    ] {
        let refused = hub.patch("priya", OWN, version, json!({ "settings": settings })).await.expect(422);
        assert_eq!(refused.wrong_fields(), [wrong]);
    }
    for (key, value) in [("access_mode", "explicit"), ("tenant_creation", "off"), ("staff_shown", "by_role")] {
        let refused = decide_for_acme(&hub, json!({ key: value })).await.expect(422);
        assert_eq!(refused.wrong_fields(), [format!("settings.{key} not_here")]);
    }
    let client = "/providers/northwind/tenants/acme/settings";
    let of_client = hub.get("priya", client).await.expect(200);
    let refused = hub.patch("priya", client, of_client.version(), json!({"settings": {"raise_by": "provider"}})).await.expect(422);
    assert_eq!(refused.wrong_fields(), ["settings.raise_by not_here"]);
    hub.patch("priya", OWN, version + 7, json!({"settings": {}})).await.expect(412);
    hub.send("priya", Method::PATCH, OWN, Some(json!({"settings": {}})), &[]).await.expect(428);
    let unchanged = hub.get("priya", OWN).await.expect(200);
    assert_eq!((unchanged.version(), counts(&unchanged, "raise_by").1), (version, "default".into()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_provider_are_for_its_admins(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for (who, status) in [("t3", 403), ("carla", 404), ("admin", 404), ("nobody", 401), ("harriet", 404)] {
        for path in [OWN, PRESETS, "/providers/northwind/tenants/acme/settings"] {
            hub.get(who, path).await.expect(status);
        }
        hub.patch(who, OWN, 1, json!({"settings": {}})).await.expect(status);
        hub.post(who, &format!("{PRESETS}/strict"), json!({"expected": []})).await.expect(status);
    }
    hub.get("carla", "/providers/contoso/tenants/acme/settings").await.expect(404);
    hub.post("priya", &format!("{PRESETS}/none"), json!({"expected": []})).await.expect(404);
}

/// What applying a preset is asked with.
fn expected(presets: &Answer, key: &str) -> Value {
    let items = presets.json["items"].as_array().expect("presets");
    let differences = items.iter().find(|item| item["key"] == key).expect("there")["differences"].clone();
    let each = differences.as_array().expect("a list").iter();
    each.map(|one| json!({"key": one["key"], "from": one["from"], "to": one["to"]})).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_preset_is_applied_as_it_was_shown_or_not_at_all(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let shown = hub.get("priya", PRESETS).await.expect(200);
    assert_eq!(shown.json["current"], "strict");
    assert_eq!(expected(&shown, "strict"), json!([]), "a provider begins with it");
    let explicit = &shown.json["items"][1];
    let difference =
        explicit["differences"].as_array().expect("a list").iter().find(|one| one["key"] == "access_mode").expect("differs");
    assert_eq!((&difference["from"], &difference["to"]), (&json!("tiered"), &json!("explicit")));
    // Acme, Sable, Frost, Plain and Harbor's Birch; Priya is its only admin.
    assert_eq!(difference["affects"], json!({"tenants": 5, "people": 1}));
    let apply = format!("{PRESETS}/enterprise");
    decide(&hub, json!({"staff_shown": "by_role"})).await.expect(200);
    let stale = hub.post("priya", &apply, json!({"expected": expected(&shown, "enterprise")})).await.expect(409);
    assert!(stale.json["detail"].as_str().is_some_and(|text| text.contains("Look at them again")));
    let again = hub.get("priya", PRESETS).await.expect(200);
    let applied = hub.post("priya", &apply, json!({"expected": expected(&again, "enterprise")})).await.expect(200);
    assert_eq!(applied.json["preset"], "enterprise");
    assert_eq!(counts(&applied, "access_mode"), (json!("explicit"), "preset".into()));
    assert_eq!(counts(&applied, "staff_shown"), (json!("by_name"), "preset".into()), "it takes the place of what was decided");
    let provider = hub.get("priya", "/providers/northwind").await.expect(200);
    assert_eq!(provider.json["settings"], json!({"access_mode": "explicit", "sub_providers": true, "staff_shown": "by_name"}));
    let own = decide(&hub, json!({"access_mode": "tiered"})).await.expect(200);
    assert_eq!(counts(&own, "access_mode"), (json!("tiered"), "provider".into()));
    let back = decide(&hub, json!({"access_mode": null})).await.expect(200);
    assert_eq!(counts(&back, "access_mode"), (json!("explicit"), "preset".into()));
    let ledger = hub.control_ledger().await;
    let entries: Vec<_> = ledger.iter().filter(|e| e["action"] == "preset.apply" && e["outcome"] == "done").collect();
    assert_eq!(entries.len(), 1);
    let change = &entries[0]["changes"][0];
    assert_eq!((&change["before"]["preset"], &change["after"]["preset"]), (&json!("strict"), &json!("enterprise")));
    assert_eq!(change["after"]["access_mode"]["value"], "explicit");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_preset_shows_who_would_feel_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let of = async |preset: usize, key: &str| {
        let shown = hub.get("priya", PRESETS).await.expect(200);
        let differences = shown.json["items"][preset]["differences"].as_array().cloned().expect("a list");
        differences.into_iter().find(|one| one["key"] == key).expect("differs")["affects"].clone()
    };
    assert_eq!(of(3, "switch_policy").await, json!({"tenants": 5, "people": 8}));
    // A tenant that asks for as much itself feels nothing.
    decide_for_acme(&hub, json!({"switch_policy": "reauth"})).await.expect(200);
    assert_eq!(of(3, "switch_policy").await, json!({"tenants": 4, "people": 8}));
    let client = "/providers/northwind/tenants/acme/settings";
    let version = hub.get("priya", client).await.expect(200).version();
    hub.patch("priya", client, version, json!({"settings": {"access_mode": "explicit"}})).await.expect(200);
    assert_eq!(of(3, "access_mode").await, json!({"tenants": 4, "people": 1}));
    assert_eq!(of(4, "tenant_creation").await, json!({"tenants": 0, "people": 0}));
}
