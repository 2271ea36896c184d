//! The `tenantry-ledger` command, as an auditor calls it.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use ledger::{Certificate, Checkpoint, GENESIS, Header, Party, Removed, SigningKey, Statement, Writer, hex, link};

const AT: &str = "2026-11-21T09:00:00.000000Z";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tenantry-ledger-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, .. } = Command::new(env!("CARGO_BIN_EXE_tenantry-ledger")).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap())
}

fn export() -> Vec<u8> {
    let key = SigningKey::from_secret(&[1; 32]);
    let header = Header { chain: "ten_1".into(), name: "Acme".into(), exported_at: AT.into(), keys: vec![key.as_first()] };
    let mut writer = Writer::new(&header);
    let mut hash = GENESIS;
    for (seq, body) in (1..).zip(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]) {
        hash = link(&hash, seq, body.as_bytes());
        writer.entry(seq, body, hash);
    }
    writer.checkpoint(&Checkpoint::sign(&key, "ten_1", 3, hash, AT));
    let mut file = writer.take();
    file.extend(writer.seal(&key, 3, hash, AT));
    file
}

#[test]
fn an_auditor_checks_an_export() {
    let folder = Folder::new("export");
    let key = SigningKey::from_secret(&[1; 32]);
    let good = folder.file("good.jsonl", &export());
    let hex_key = hex::encode(&key.public_key());
    let key_file = folder.file("key.txt", format!("{}\n", hex_key.to_uppercase()).as_bytes());
    let key_list = folder.file("keys.json", serde_json::json!({ "items": [key.as_first()] }).to_string().as_bytes());
    for pin in [&hex_key, &key_file, &key_list] {
        let (code, text) = run(&["verify", &good, "--key", pin, "--checkpoint", &good]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("Ledger of Acme (ten_1): 3 entries") && text.contains("one that you trust"), "{text}");
        assert!(text.contains("1 checkpoint(s) you kept"), "{text}");
    }
    let (code, text) = run(&["verify", &good]);
    assert!(code == 0 && text.contains("NOTE"), "{text}");

    let bad = String::from_utf8(export()).unwrap().replace("{\\\"n\\\":2}", "{\\\"n\\\":7}");
    let bad = folder.file("bad.jsonl", bad.as_bytes());
    let (code, text) = run(&["verify", &good, &bad]);
    assert!(code == 1 && text.contains("Entry 2 was changed") && text.contains("first bad entry: 2"), "{text}");
    let (code, text) = run(&["verify", &bad, "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &answer["ok"], &answer["finding"]["seq"], &answer["finding"]["kind"]),
        (1, &false.into(), &2.into(), &"entry".into())
    );

    let (code, text) = run(&["verify", &good, "--key", &hex::encode(&SigningKey::from_secret(&[2; 32]).public_key())]);
    assert!(code == 1 && text.contains("another installation"), "{text}");
    assert_eq!(run(&["verify", "/no/such/file"]).0, 2);
    assert_eq!(run(&["verify", &good, "--key", "abc"]).0, 2);
    assert_eq!(run(&["verify", &good, "--checkpoint", &key_file]).0, 2);
    assert_eq!(run(&["verify"]).0, 2);
    assert_eq!(run(&["verify", &good, "--what"]).0, 2);
    assert_eq!(run(&["certificate", &good]).0, 2);
    assert_eq!(run(&[]).0, 2);
    assert_eq!(run(&["--help"]).0, 0);
}

#[test]
fn an_auditor_checks_a_certificate() {
    let folder = Folder::new("certificate");
    let key = SigningKey::from_secret(&[1; 32]);
    let party = |id: &str, name: &str| Party { id: id.into(), name: name.into() };
    let statement = Statement {
        id: "crt_1".into(),
        tenant: "ten_1".into(),
        name: "Acme".into(),
        slug: "acme".into(),
        provider: party("prv_1", "Northwind IT"),
        purged_at: AT.into(),
        completed_at: AT.into(),
        by: party("per_1", "Priya"),
        second: Some(party("per_2", "Paul")),
        ledger: Some(Checkpoint::sign(&key, "ten_1", 3, [1; 32], AT)),
        data_key_destroyed: true,
        removed: Removed { files: Some(3), members: 1, assignments: 1, invitations: 0, relationships: 1 },
        backups: "None.".into(),
    };
    let text = serde_json::to_string_pretty(&Certificate::sign(&key, statement, vec![key.as_first()])).unwrap();
    let good = folder.file("good.json", text.as_bytes());
    let (code, said) = run(&["certificate", &good, "--key", &hex::encode(&key.public_key())]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("Acme (acme, ten_1) was destroyed by Priya of Northwind IT") && said.contains("Confirmed by Paul"),
        "{said}"
    );
    let bad = folder.file("bad.json", text.replace("Priya", "Petra").as_bytes());
    let (code, said) = run(&["certificate", &bad]);
    assert!(code == 1 && said.contains("changed after it was signed"), "{said}");
    assert_eq!(run(&["certificate", &good, "--json"]).0, 0);
}
