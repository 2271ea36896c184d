//! A ledger leaves the hub as a file that proves itself: exported through HTTP, checked as an auditor does. On both engines.

use std::time::Duration;

use ::ledger::{FindingKind, Report, Trust, kept_checkpoints, verify};
use kernel::door::{ChainId, ROTATION_LEAD};
use kernel::params;
use rstest::rstest;
use serde_json::{Value, json};
use testkit::{Engine, TestHub, tenant};

use super::Export;

const ACME: &str = "/tenants/acme/ledger";
const PROVIDER: &str = "/providers/northwind/ledger";

async fn start(engine: Engine) -> TestHub {
    let hub = TestHub::start(engine, crate::router()).await;
    act(&hub, 5).await;
    hub
}

/// So many acts of the admin on Acme's settings, a second apart.
async fn act(hub: &TestHub, times: i64) {
    let settings = hub.get("admin", "/tenants/acme/settings").await.expect(200);
    for n in 0..times {
        hub.advance(Duration::from_secs(1));
        let version = settings.version() + n;
        hub.patch("admin", "/tenants/acme/settings", version, json!({"scan_interval_days": 3 + version % 20})).await.expect(200);
    }
}

async fn export(hub: &TestHub, who: &str, path: &str) -> Vec<u8> {
    let answer = hub.get(who, &format!("{path}/export")).await.expect(200);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    answer.bytes
}

async fn first_key(hub: &TestHub) -> Vec<[u8; 32]> {
    let keys = hub.get("nobody", "/ledger-keys").await.expect(200).json;
    vec![::ledger::hex::decode(keys["items"][0]["public_key"].as_str().unwrap()).unwrap()]
}

async fn good(hub: &TestHub, file: &[u8]) -> Report {
    verify(file, &Trust { keys: first_key(hub).await, kept: Vec::new() }).unwrap()
}

fn kept(file: &[u8]) -> Vec<::ledger::Checkpoint> {
    kept_checkpoints(std::str::from_utf8(file).unwrap()).unwrap()
}

/// Changes stored rows behind the hub's back.
async fn tamper(hub: &TestHub, sql: &str) {
    let mut tx = hub.hub.system(tenant("acme"), "test.tamper", "somebody at the database").await.unwrap();
    assert!(tx.execute(sql, params![]).await.unwrap() > 0, "{sql}");
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_checked_without_the_hub(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let file = export(&hub, "auditor", ACME).await;
    let report = good(&hub, &file).await;
    assert_eq!((report.entries, report.withheld, report.checkpoints, report.pinned), (5, 0, 1, true));
    assert_eq!((report.name.as_str(), report.chain), ("Acme Dental Group", tenant("acme").to_string()));
    let stored = hub.tenant_ledger("acme").await;
    let lines: Vec<Value> = file.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    for (line, entry) in lines.iter().filter(|line| line["type"] == "entry").zip(&stored) {
        assert_eq!(serde_json::from_str::<Value>(line["body"].as_str().unwrap()).unwrap(), *entry);
    }
    assert_eq!(hub.tenant_ledger("acme").await.len(), 5, "an export is a read: it leaves no entry");

    let provider = export(&hub, "priya", PROVIDER).await;
    assert!(good(&hub, &provider).await.chain.starts_with("prv_"));
    // Long ones are read piece by piece.
    act(&hub, 600).await;
    let longer = export(&hub, "admin", ACME).await;
    let trust = Trust { keys: first_key(&hub).await, kept: kept(&file) };
    let report = verify(&longer[..], &trust).unwrap();
    assert_eq!((report.entries, report.kept, report.checkpoints), (605, 1, 2));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_changed_in_the_database_is_named(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    assert_eq!(hub.get("t3", &format!("{ACME}/verify")).await.expect(200).json["ok"], true);
    tamper(&hub, "UPDATE ledger SET body = replace(body, 'scan_interval_days', 'nothing_of_note') WHERE seq = 3").await;
    let finding = verify(&export(&hub, "admin", ACME).await[..], &Trust::default()).unwrap_err();
    assert_eq!((finding.kind, finding.seq), (FindingKind::Entry, Some(3)), "{}", finding.message);
    let check = hub.get("t3", &format!("{ACME}/verify")).await.expect(200).json;
    assert_eq!((&check["ok"], &check["first_bad"]["seq"], &check["entries"]), (&json!(false), &json!(3), &json!(6)));
    assert!(check["first_bad"]["reason"].as_str().unwrap().starts_with("Entry 3 was changed"), "{check}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_removed_are_missed(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    tamper(&hub, "DELETE FROM ledger WHERE seq = 2").await;
    let finding = verify(&export(&hub, "admin", ACME).await[..], &Trust::default()).unwrap_err();
    assert_eq!((finding.kind, finding.seq), (FindingKind::Entry, Some(2)), "{}", finding.message);
    let hub = start(engine).await;
    hub.get("admin", &format!("{ACME}/export")).await.expect(200);
    tamper(&hub, "DELETE FROM ledger WHERE seq >= 4").await;
    let file = export(&hub, "admin", ACME).await;
    assert_eq!(verify(&file[..], &Trust::default()).unwrap_err().seq, Some(4));
}

/// The whole of Acme's ledger is put back to how it was after its second entry, by somebody who also cleans up the signed heads there.
async fn put_back(hub: &TestHub) {
    let mut tx = hub.hub.system(tenant("acme"), "test.tamper", "somebody at the database").await.unwrap();
    let hash: Vec<u8> = tx.one("SELECT hash FROM ledger WHERE seq = 2", &[]).await.unwrap().take().unwrap();
    tx.execute("DELETE FROM ledger WHERE seq > 2", &[]).await.unwrap();
    tx.execute("DELETE FROM checkpoint WHERE seq > 2", &[]).await.unwrap();
    tx.execute("UPDATE ledger_head SET seq = 2, hash = ?1", params![hash]).await.unwrap();
    tx.commit().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_put_back_misses_a_kept_checkpoint(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let before = export(&hub, "admin", ACME).await;
    put_back(&hub).await;
    let after = export(&hub, "admin", ACME).await;
    assert_eq!(good(&hub, &after).await.entries, 3, "by itself it is good: a chain with an entry of the test itself");
    let trust = Trust { keys: first_key(&hub).await, kept: kept(&before) };
    assert_eq!(verify(&after[..], &trust).unwrap_err().kind, FindingKind::Rewritten);
    let check = hub.get("admin", &format!("{ACME}/verify")).await.expect(200).json;
    assert_eq!(check["ok"], false, "the control database remembers the newest head: {check}");
    // Even when life went on beyond the head that was kept.
    act(&hub, 9).await;
    let later = export(&hub, "admin", ACME).await;
    assert_eq!(good(&hub, &later).await.entries, 12);
    let finding = verify(&later[..], &trust).unwrap_err();
    assert_eq!((finding.kind, finding.seq), (FindingKind::Rewritten, Some(5)), "{}", finding.message);
    let check = hub.get("admin", &format!("{ACME}/verify")).await.expect(200).json;
    assert_eq!((&check["ok"], &check["first_bad"]["seq"]), (&json!(false), &json!(5)), "{check}");
    assert!(check["first_bad"]["reason"].as_str().unwrap().contains("put back"), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_tenants_file_is_found_out() {
    let hub = start(Engine::Sqlite).await;
    let app = |hub: &kernel::Hub| testkit::app(hub, crate::router().into());
    let old = hub.copy(app).await;
    act(&hub, 3).await;
    let kept = kept(&export(&hub, "admin", ACME).await);
    let now = hub.copy(app).await;
    assert_eq!(good(&now, &export(&now, "admin", ACME).await).await.entries, 8);
    // The file of then in place of the one of now, with what SQLite keeps beside it.
    let swapped = now
        .copy_with(app, |folder| {
            for suffix in ["", "-wal", "-shm"] {
                let name = format!("tenants/{}/tenant.db{suffix}", tenant("acme").uuid().simple());
                let (from, to) = (old.folder().join(&name), folder.join(&name));
                if from.exists() {
                    std::fs::copy(from, to).unwrap();
                } else if to.exists() {
                    std::fs::remove_file(to).unwrap();
                }
            }
        })
        .await;
    let put_back = export(&swapped, "admin", ACME).await;
    assert_eq!(good(&swapped, &put_back).await.entries, 5);
    let finding = verify(&put_back[..], &Trust { keys: first_key(&hub).await, kept }).unwrap_err();
    assert_eq!(finding.kind, FindingKind::Rewritten, "{}", finding.message);
    assert_eq!(swapped.get("admin", &format!("{ACME}/verify")).await.expect(200).json["ok"], false);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn old_and_new_exports_hold_with_only_the_first_key_trusted(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    let old = export(&hub, "admin", ACME).await;
    hub.hub.rotate_signing_key().await.unwrap();
    let between = export(&hub, "admin", ACME).await;
    hub.advance(ROTATION_LEAD);
    act(&hub, 1).await;
    let new = export(&hub, "admin", ACME).await;
    let sealed_by: Vec<String> = {
        let mut ids = Vec::new();
        for file in [&old, &between, &new] {
            ids.push(good(&hub, file).await.key_id);
        }
        ids
    };
    let keys = hub.get("nobody", "/ledger-keys").await.expect(200).json;
    assert_eq!(keys["total"], 2);
    assert_eq!(
        (json!(sealed_by[0]), json!(sealed_by[1])),
        (keys["items"][0]["key_id"].clone(), keys["items"][0]["key_id"].clone())
    );
    assert_eq!(json!(sealed_by[2]), keys["items"][1]["key_id"]);
    assert_eq!(keys["items"][1]["certificate"]["by"], keys["items"][0]["key_id"]);
    verify(&new[..], &Trust { keys: first_key(&hub).await, kept: kept(&old) }).unwrap();
    let newest = ::ledger::hex::decode(keys["items"][1]["public_key"].as_str().unwrap()).unwrap();
    let refused = verify(&old[..], &Trust { keys: vec![newest], kept: Vec::new() }).unwrap_err();
    assert_eq!(refused.kind, FindingKind::Key, "the old file does not name the new key");
    let foreign = TestHub::start(engine, crate::router()).await;
    let refused = verify(&new[..], &Trust { keys: first_key(&foreign).await, kept: Vec::new() }).unwrap_err();
    assert_eq!(refused.kind, FindingKind::Key, "{}", refused.message);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_export_check_and_read_signed_heads(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for (who, exports, reads) in [
        ("admin", 200, 200),
        ("auditor", 200, 200),
        ("operator", 403, 403),
        ("viewer", 403, 403),
        ("t3", 403, 200),
        ("t2", 403, 403),
        ("priya", 403, 200),
        ("other_admin", 404, 404),
        ("carla", 404, 404),
        ("nobody", 401, 401),
    ] {
        assert_eq!(hub.get(who, &format!("{ACME}/export")).await.status, exports, "{who}");
        assert_eq!(hub.get(who, &format!("{ACME}/verify")).await.status, reads, "{who}");
        assert_eq!(hub.get(who, &format!("{ACME}/checkpoints")).await.status, reads, "{who}");
    }
    for (who, status) in [("priya", 200), ("t3", 403), ("carla", 404), ("admin", 404), ("nobody", 401)] {
        for part in ["export", "verify", "checkpoints"] {
            assert_eq!(hub.get(who, &format!("{PROVIDER}/{part}")).await.status, status, "{who} {part}");
        }
    }
    assert_eq!(hub.get("priya", &format!("{PROVIDER}/verify")).await.expect(200).json["ok"], true);
    hub.get("nobody", "/ledger-keys").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn signed_heads_are_listed_newest_first_and_can_be_kept(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for _ in 0..3 {
        hub.hub.checkpoint(ChainId::Tenant(tenant("acme"))).await.unwrap();
        act(&hub, 1).await;
    }
    let page = hub.get("admin", &format!("{ACME}/checkpoints?limit=2")).await.expect(200).json;
    let seqs = |page: &Value| page["items"].as_array().unwrap().iter().map(|c| c["seq"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!((seqs(&page), &page["total"]), (vec![7, 6], &json!(3)));
    let rest =
        hub.get("admin", &format!("{ACME}/checkpoints?limit=2&cursor={}", page["next"].as_str().unwrap())).await.expect(200).json;
    assert_eq!((seqs(&rest), &rest["next"]), (vec![5], &Value::Null));
    let kept = kept_checkpoints(&page.to_string()).unwrap();
    let file = export(&hub, "admin", ACME).await;
    assert_eq!(verify(&file[..], &Trust { keys: first_key(&hub).await, kept }).unwrap().kept, 2);
    for (query, wrong) in [("sort=seq", "sort unknown"), ("limit=0", "limit out_of_range"), ("cursor=x", "cursor unknown")] {
        assert_eq!(hub.get("admin", &format!("{ACME}/checkpoints?{query}")).await.expect(422).wrong_fields(), [wrong]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_staff_are_shown_by_role_an_export_names_none_and_still_holds(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let hub = start(engine).await;
    hub.patch("t3", "/tenants/acme/settings", 6, json!({"scan_interval_days": 21})).await.expect(200);
    act(&hub, 1).await;
    let mut tx = hub.hub.system_write("test.set", "staff are shown by role").await.unwrap();
    tx.execute("UPDATE provider SET staff_shown = 'by_role' WHERE slug = 'northwind'", params![]).await.unwrap();
    tx.commit().await.unwrap();
    let file = export(&hub, "admin", ACME).await;
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(!text.contains("\\\"t3\\\"") && !text.contains(&testkit::person("t3").to_string()), "{text}");
    assert!(text.contains("Northwind IT technician"));
    let report = good(&hub, &file).await;
    assert_eq!((report.entries, report.withheld), (7, 1));
    tamper(&hub, "UPDATE ledger SET body = replace(body, '21', '22') WHERE seq = 6").await;
    let finding = verify(&export(&hub, "admin", ACME).await[..], &Trust::default()).unwrap_err();
    assert_eq!(
        (finding.kind, finding.seq),
        (FindingKind::Entry, Some(6)),
        "what is withheld was checked by the hub: {}",
        finding.message
    );
    let names_no_one = String::from_utf8(export(&hub, "auditor", ACME).await).unwrap();
    assert!(!names_no_one.contains(&testkit::person("t3").to_string()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_operator_exports_at_the_machine_and_the_ledger_says_so(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let hub = start(engine).await;
    for (chain, entries) in [(ChainId::Tenant(tenant("acme")), Some(6)), (ChainId::Installation, None)] {
        let mut export = Export::at_machine(&hub.hub, chain).await.unwrap();
        let mut file = Vec::new();
        while let Some(bytes) = export.more().await.unwrap() {
            file.extend(bytes);
        }
        let report = good(&hub, &file).await;
        assert_eq!(report.chain, chain.to_string());
        assert!(entries.is_none_or(|entries| entries == report.entries));
    }
    let last = hub.tenant_ledger("acme").await.pop().unwrap();
    assert_eq!((&last["action"], &last["actor"]["kind"]), (&json!("ledger.export"), &json!("system")));
    let nowhere = ChainId::Provider(kernel::ProviderId::new(hub.hub.now()));
    assert_eq!(Export::at_machine(&hub.hub, nowhere).await.err().unwrap().code(), "not_found");
}
