//! The OpenAPI document is checked in, names every action of the catalogue, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use access::Act;
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");

fn document() -> Value {
    serde_json::from_str(&hub::openapi().to_json().expect("plain data")).expect("JSON")
}

fn operations(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.values().flat_map(|path| path.as_object().expect("a path").values());
    operations.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned)).collect()
}

#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    let text = hub::openapi().to_pretty_json().expect("plain data") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, &text).expect("a writable tree");
    }
    let stored = std::fs::read_to_string(Path::new(FILE)).unwrap_or_default();
    assert!(stored == text, "openapi.json is not what the routes say; run `make openapi` and look at the difference");
}

#[test]
fn one_operation_for_each_action_and_one_action_for_each_operation() {
    let operations = operations(&document());
    let names: BTreeSet<&str> = operations.iter().map(String::as_str).collect();
    assert_eq!(names.len(), operations.len(), "an operation id is used twice");
    // Asked for inside other operations, on the row they are about: no address of its own.
    let inner = BTreeSet::from([Act::MemberGrantAdmin.name()]);
    let actions: BTreeSet<&str> = Act::ALL.iter().map(|act| act.name()).filter(|name| !inner.contains(name)).collect();
    let without_address: Vec<_> = actions.difference(&names).collect();
    let without_action: Vec<_> = names.difference(&actions).collect();
    assert!(without_address.is_empty(), "actions without an operation: {without_address:?}");
    assert!(without_action.is_empty(), "operations that are not in the catalogue: {without_action:?}");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_fails() {
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let name = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5), "{name} has no summary");
            assert!(operation["responses"]["default"].is_object(), "{name} does not list its problems");
        }
    }
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
}
