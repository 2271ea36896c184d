//! The operations of our own OpenAPI document, with bodies made from its schemas: a new endpoint is called without anybody adding it.
#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::Method;
use serde_json::{Map, Value, json};

/// All of a hub, with a spool of its own.
pub fn wired(hub: &kernel::Hub) -> axum::Router {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let spool = std::env::temp_dir().join(format!("tenantry-hub-tests-{}", std::process::id())).join(number.to_string());
    hub::wire(hub, &spool);
    hub::app(hub)
}

/// One operation of the document.
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    pub takes_file: bool,
    /// It answers with a stream that does not end by itself.
    pub streams: bool,
    pub query: String,
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path") {
            let content = &operation["requestBody"]["content"];
            let id = operation["operationId"].as_str().expect("an operation id");
            let schema = &content["application/json"]["schema"];
            found.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                // Keys of providers and of tenants are named alike in paths.
                path: if id.starts_with("provider_api_key.") { path.replace("{key}", "{provider_key}") } else { path.clone() },
                streams: operation["responses"]["200"]["content"]["text/event-stream"].is_object(),
                body: (!schema.is_null()).then(|| example(document, schema, "body", 0)),
                takes_file: content["application/octet-stream"].is_object(),
                query: if content["application/octet-stream"].is_object() { "?file=b.json".into() } else { query(operation) },
            });
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The query parameters that an operation cannot do without.
fn query(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let required = parameters.filter(|p| p["in"] == "query" && p["required"] == true).filter_map(|p| p["name"].as_str());
    let pairs: Vec<_> = required
        .map(|name| match name {
            "action" => "action=finding.list".to_owned(),
            "kind" => "kind=logo_light".to_owned(),
            "month" => "month=2026-11".to_owned(),
            "person" => format!("person={}", testkit::person("t2")),
            other => panic!("the test has no value for the query parameter {other}; add one to query()"),
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// A value that the schema takes: what is required, and nothing more.
fn example(document: &Value, schema: &Value, name: &str, depth: u8) -> Value {
    assert!(depth < 12, "a schema that contains itself");
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return example(document, target, name, depth + 1);
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(parts) = schema[key].as_array() {
            let part = parts.iter().find(|part| part["type"] != "null").unwrap_or(&parts[0]);
            return example(document, part, name, depth + 1);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str).unwrap_or("string"),
        kind => kind.as_str().unwrap_or("object"),
    };
    match kind {
        "boolean" => json!(true),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "array" => json!([]),
        "string" => example_text(schema, name),
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().filter_map(Value::as_str);
            Value::Object(
                fields.map(|f| (f.to_owned(), example(document, &schema["properties"][f], f, depth + 1))).collect::<Map<_, _>>(),
            )
        }
    }
}

fn example_text(schema: &Value, name: &str) -> Value {
    if schema["format"] == "date-time" {
        return json!("2026-12-24T12:00:00Z");
    }
    if let Some(prefix) = schema["pattern"].as_str().and_then(|p| p.strip_prefix('^')).and_then(|p| p.split('_').next()) {
        return json!(format!("{prefix}_01999999999970009999999999999999"));
    }
    match name {
        n if n.contains("email") => json!("somebody@new.example"),
        n if n.contains("slug") => json!("somewhere-new"),
        _ => json!("something long enough to be a reason"),
    }
}
