use std::collections::BTreeSet;

use serde_json::Value;

/// The operations of this crate's OpenAPI document: method, path, operation.
fn operations() -> Vec<(String, String, Value)> {
    let document = serde_json::to_value(crate::router().into_openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    let of_path = |(path, item): (String, Value)| {
        let methods = item.as_object().expect("operations").clone();
        methods.into_iter().map(move |(method, operation)| (method, path.clone(), operation)).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(of_path).collect()
}

#[test]
fn every_action_of_this_crate_is_an_operation_of_its_name() {
    let served: BTreeSet<String> = operations().iter().map(|(_, _, op)| op["operationId"].as_str().unwrap().to_owned()).collect();
    let ours = |name: &str| {
        let kind = name.split('.').next().unwrap_or_default();
        let kinds = [
            "setup",
            "session",
            "invitation",
            "me",
            "password",
            "password_reset",
            "totp",
            "recovery_code",
            "member",
            "member_invitation",
            "api_key",
            "provider_api_key",
            "client_member",
        ];
        // A right that others ask for, no operation of its own.
        kinds.contains(&kind) && name != "member.grant_admin"
    };
    let wanted: BTreeSet<String> = access::Act::ALL.iter().map(|act| act.name().to_owned()).filter(|name| ours(name)).collect();
    assert_eq!(served, wanted);
}

#[test]
fn parameters_of_the_path_are_documented_once() {
    for (method, path, operation) in operations() {
        let in_path = |p: &&Value| p["in"] == "path";
        let all = operation["parameters"].as_array().cloned().unwrap_or_default();
        let documented: Vec<&str> = all.iter().filter(in_path).map(|p| p["name"].as_str().unwrap()).collect();
        let named: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(documented, named, "{method} {path}");
    }
}
