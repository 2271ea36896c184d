//! `tenantry ledger`, as an operator and an auditor call it, on the data of a hub that is open meanwhile.

use std::path::Path;
use std::process::Command;

use testkit::{Engine, TestHub};

fn run(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry")).env_clear().arg("ledger").args(arguments).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("an exit code"), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_exports_and_replaces_the_key_and_an_auditor_checks() {
    let hub = TestHub::start(Engine::Sqlite, msp::router()).await;
    let folder = hub.folder().display().to_string();
    std::fs::write(hub.folder().join("master.key"), format!("{}\n", "07".repeat(32))).expect("the test's master key");
    let (code, keys) = run(&["keys", "--data", &folder]);
    assert_eq!(code, 0, "{keys}");
    let first = keys.split_whitespace().next().expect("a key").to_owned();

    let file = |name: &str| hub.folder().join(name).display().to_string();
    let (old, new) = (file("old.jsonl"), file("new.jsonl"));
    let (code, text) = run(&["export", "--data", &folder, "--tenant", "acme", "--out", &old]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(run(&["export", "--data", &folder, "--tenant", "acme", "--out", &old]).0, 1, "evidence is not written over");
    let (code, text) = run(&["rotate-key", "--data", &folder]);
    assert!(code == 0 && text.contains("signs from"), "{text}");
    assert_eq!(hub.hub.signing_keys().await.expect("keys").len(), 2, "the open hub knows the new key");
    assert_eq!(run(&["export", "--data", &folder, "--provider", "northwind", "--out", &file("provider.jsonl")]).0, 0);
    assert_eq!(run(&["export", "--data", &folder, "--installation", "--out", &file("installation.jsonl")]).0, 0);
    assert_eq!(run(&["export", "--data", &folder, "--tenant", "acme", "--out", &new]).0, 0);
    let all = [old.clone(), new.clone(), file("provider.jsonl"), file("installation.jsonl")];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (code, text) = run(&[&["verify"], &all[..], &["--key", &first]].concat());
    assert!(code == 0 && text.matches("GOOD").count() == 4 && !text.contains("NOTE"), "{text}");
    let (code, text) = run(&["verify", &new, "--checkpoint", &old, "--key", &first]);
    assert!(code == 0 && text.contains("you kept"), "{text}");

    let changed = std::fs::read_to_string(&new).expect("the export").replacen("the operator exported", "nobody exported", 1);
    std::fs::write(Path::new(&file("bad.jsonl")), changed).expect("writes");
    let (code, text) = run(&["verify", &file("bad.jsonl")]);
    assert!(code == 1 && text.contains("first bad entry: 1"), "{text}");
    assert_eq!(run(&["verify", &file("nothing.jsonl")]).0, 2);
    let (code, text) = run(&["export", "--data", &folder, "--tenant", "nowhere"]);
    assert!(code == 1 && text.contains("there is no nowhere"), "{text}");
    let (code, text) = run(&["keys", "--data", "/no/such/folder"]);
    assert!(code == 1 && text.contains("--data"), "{text}");
}
