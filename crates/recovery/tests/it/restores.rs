//! One tenant over and beside, everything into an empty store, across engines.

use std::time::Duration;

use kernel::{Error, params};
use recovery::restores::{self, From, How};
use recovery::{Progress, backups};
use rstest::rstest;
use testkit::{Engine, START, tenant};

use crate::backups::purge;
use crate::stage::{Stage, data, picture, whole};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn over_brings_the_data_back_and_never_the_ledger(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 20, 10).await.expect(201);
    stage.comment("admin", "acme", "before the backup").await;
    stage.scan("other_admin", "zeta", 1, 20, 10).await.expect(201);
    let then = data(hub, tenant("acme")).await;
    let made = stage.backup().await;

    stage.advance(Duration::from_secs(3_600));
    stage.comment("admin", "acme", "after the backup").await;
    stage.scan("admin", "acme", 2, 25, 3).await.expect(201);
    let others = whole(hub, tenant("zeta")).await;
    let entries = stage.tenant_ledger("acme").await.len();
    assert_ne!(then, data(hub, tenant("acme")).await);

    let restored = stage.restore("acme", How::Over, From::Backup(made.id.to_string())).await.unwrap();
    assert_eq!(restored.tenant, tenant("acme"));
    assert!(restored.rows_before > restored.rows_after && restored.rows_after > 0, "{restored:?}");
    assert_eq!(data(hub, tenant("zeta")).await, {
        let mut z = others.clone();
        z.retain(|t, _| !t.starts_with("ledger") && t != "outbox");
        z
    });
    assert_eq!(whole(hub, tenant("zeta")).await, others);
    let now = data(hub, tenant("acme")).await;
    // The summary was computed anew, which may leave a point of its own.
    for (table, rows) in then.iter().filter(|(table, _)| *table != "score_point" && *table != "score_head") {
        assert_eq!(&now[table], rows, "{table}");
    }
    let ledger = stage.tenant_ledger("acme").await;
    assert!(ledger.len() > entries);
    let entry = ledger.iter().find(|entry| entry["action"] == "tenant.restored").unwrap();
    assert_eq!(entry["reason"], "They asked for it");
    assert_eq!(entry["changes"][0]["after"]["backup"], made.id.to_string());
    assert!(entry["changes"][0]["before"]["rows"]["comment"] == 2 && entry["changes"][0]["after"]["rows"]["comment"] == 1);
    stage.verify_tenant_ledger("acme").await;
    let told = stage.control_ledger().await;
    for action in ["tenant.restore", "tenant.restored"] {
        assert!(told.iter().any(|entry| entry["action"] == action), "{action}");
    }
    // What is sealed opens, and work goes on.
    let finding = stage.findings("admin", "acme").await[0]["id"].as_str().unwrap().to_owned();
    let view = stage.get("admin", &format!("/tenants/acme/findings/{finding}")).await.expect(200);
    assert!(view.json["evidence"]["resource_data"]["secret"].as_str().unwrap().ends_with("of acme, scan 1"), "{}", view.json);
    stage.comment("admin", "acme", "after the restore").await;
    let mut tx = hub.system_read().await.unwrap();
    let mut row = tx.one("SELECT failed, scans FROM summary WHERE tenant_id = ?1", params![tenant("acme")]).await.unwrap();
    assert_eq!((row.take::<i64>().unwrap(), row.take::<i64>().unwrap()), (5, 1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn at_an_instant_is_the_newest_backup_before_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        stage.scan("admin", "acme", n, 5, 2).await.expect(201);
        ids.push(stage.backup().await.id.to_string());
        stage.advance(Duration::from_secs(3_600));
    }
    for (minutes, want) in [(0, Some(0)), (59, Some(0)), (60, Some(1)), (1_000, Some(2)), (-1, None)] {
        let at = kernel::Timestamp(START.0 + minutes * 60_000_000);
        match (stage.restore("acme", How::Over, From::At(at)).await, want) {
            (Ok(restored), Some(n)) => assert_eq!(restored.backup, ids[n]),
            (Err(Error::NotFound), None) => {}
            (other, want) => panic!("{minutes}: {other:?}, not {want:?}"),
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn beside_is_a_new_tenant_on_todays_terms_with_the_old_ledger(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 20, 10).await.expect(201);
    let then = whole(hub, tenant("acme")).await;
    let made = stage.backup().await;
    stage.advance(Duration::from_secs(3_600));
    stage.comment("admin", "acme", "after the backup").await;
    let live = whole(hub, tenant("acme")).await;
    let mut tx = hub.system_write("test.set", "frozen meanwhile, and one person is out").await.unwrap();
    tx.execute("UPDATE relationship SET state = 'frozen' WHERE tenant_id = ?1", params![tenant("acme")]).await.unwrap();
    tx.execute("UPDATE member SET state = 'disabled' WHERE person_id = ?1", params![testkit::person("viewer")]).await.unwrap();
    tx.commit().await.unwrap();

    let restored = stage.restore("acme", How::Beside, From::Backup(made.id.to_string())).await.unwrap();
    assert_eq!(restored.slug, "acme-restored-20261121-1000");
    assert_ne!(restored.tenant, tenant("acme"));
    assert_eq!(whole(hub, tenant("acme")).await, live);
    let beside = whole(hub, restored.tenant).await;
    // Sealed anew with a key of its own; everything else is what it was.
    for (table, rows) in then.iter().filter(|(table, _)| {
        !table.starts_with("ledger") && !["finding_evidence", "score_point", "score_head", "outbox"].contains(&table.as_str())
    }) {
        assert_eq!(&beside[table], rows, "{table}");
    }
    assert!(then["ledger"].iter().all(|entry| beside["ledger"].contains(entry)));
    assert!(beside["ledger"].len() > then["ledger"].len());
    let slug = &restored.slug;
    let finding = stage.findings("admin", slug).await[0]["id"].as_str().unwrap().to_owned();
    let view = stage.get("admin", &format!("/tenants/{slug}/findings/{finding}")).await.expect(200);
    assert!(view.json["evidence"]["resource_data"]["secret"].as_str().unwrap().contains("of acme"));
    stage.get("t3", &format!("/tenants/{slug}/findings")).await.expect(404);
    stage.get("viewer", &format!("/tenants/{slug}/findings")).await.expect(404);
    let mut tx = hub.system_read().await.unwrap();
    let mut row = tx.one("SELECT state FROM relationship WHERE tenant_id = ?1", params![restored.tenant]).await.unwrap();
    assert_eq!(row.take::<String>().unwrap(), "frozen");
    let mut row = tx.one("SELECT COUNT(*) FROM tenant_arriving", params![]).await.unwrap();
    assert_eq!(row.take::<i64>().unwrap(), 0);
    drop(tx);
    assert_eq!(verified(hub, restored.tenant).await, beside["ledger"].len());
}

async fn verified(hub: &kernel::Hub, tenant: kernel::TenantId) -> usize {
    let mut tx = hub.system(tenant, "test.look", "a test checks the ledger").await.unwrap();
    let mut verifier = ledger::Verifier::default();
    for mut row in tx.rows("SELECT seq, body, hash FROM ledger ORDER BY seq", &[]).await.unwrap() {
        let (seq, body, hash): (i64, String, Vec<u8>) = (row.take().unwrap(), row.take().unwrap(), row.take().unwrap());
        verifier.push(seq.unsigned_abs(), body.as_bytes(), &hash).unwrap();
    }
    let mut head = tx.one("SELECT seq, hash FROM ledger_head", &[]).await.unwrap();
    let seq: i64 = head.take().unwrap();
    usize::try_from(verifier.finish(seq.unsigned_abs(), &head.take::<Vec<u8>>().unwrap()).unwrap()).unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tenant_comes_back_under_its_own_id(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 20, 10).await.expect(201);
    let made = stage.backup().await;
    let mut tx = hub.system_write("test.loss", "somebody deleted it by hand").await.unwrap();
    for table in ["member", "assignment", "relationship", "summary"] {
        tx.execute(&format!("DELETE FROM {table} WHERE tenant_id = ?1"), params![tenant("acme")]).await.unwrap();
    }
    tx.execute("DELETE FROM tenant WHERE id = ?1", params![tenant("acme")]).await.unwrap();
    tx.commit().await.unwrap();
    hub.forget_cached_key(tenant("acme"));
    stage.get("admin", "/tenants/acme/findings").await.expect(404);
    let by_slug = stage.restore("acme", How::Beside, From::Backup(made.id.to_string())).await;
    assert!(
        matches!(&by_slug, Err(Error::Invalid(fields)) if fields[0].message.contains(&tenant("acme").to_string())),
        "{by_slug:?}"
    );
    let over = stage.restore(&tenant("acme").to_string(), How::Over, From::Backup(made.id.to_string())).await;
    assert!(matches!(over, Err(Error::Conflict(_))));
    let restored = stage.restore(&tenant("acme").to_string(), How::Beside, From::Backup(made.id.to_string())).await.unwrap();
    assert_eq!((restored.tenant, restored.slug.as_str()), (tenant("acme"), "acme"));
    assert_eq!(stage.findings("admin", "acme").await.len(), 20);
    assert_eq!(stage.findings("priya", "acme").await.len(), 20);
    stage.comment("admin", "acme", "it is back").await;
    verified(hub, tenant("acme")).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_changes_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    stage.scan("admin", "acme", 1, 3_000, 10).await.expect(201);
    let made = stage.backup().await;
    let live = whole(hub, tenant("acme")).await;
    assert!(matches!(stage.restore("nobody", How::Over, From::Backup(made.id.to_string())).await, Err(Error::NotFound)));
    // Damage in the middle of the tenant's own section: found when half of it is in already.
    let path = stage.place.path().join(&made.file);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = largest_chunk(&bytes);
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    for how in [How::Over, How::Beside] {
        let answer = stage.restore("acme", how, From::Backup(made.id.to_string())).await;
        assert!(matches!(answer, Err(Error::Conflict(_))), "{answer:?}");
    }
    let asked = restores::Asked {
        tenant: "acme".into(),
        how: How::Over,
        from: From::Backup(made.id.to_string()),
        place: None,
        reason: " ".into(),
    };
    assert!(matches!(restores::tenant(hub, &asked, &Progress::silent()).await, Err(Error::Invalid(_))));
    assert_eq!(whole(hub, tenant("acme")).await, live);
    let mut tx = hub.system_read().await.unwrap();
    let left: i64 = tx.one("SELECT COUNT(*) FROM tenant", params![]).await.unwrap().take().unwrap();
    let arriving: i64 = tx.one("SELECT COUNT(*) FROM tenant_arriving", params![]).await.unwrap().take().unwrap();
    assert_eq!((left, arriving), (6, 0));
    if engine == Engine::Sqlite {
        assert_eq!(std::fs::read_dir(stage.folder().join("tenants")).unwrap().count(), 6);
    }
}

/// Somewhere inside the last chunk that is not small.
fn largest_chunk(bytes: &[u8]) -> usize {
    let length = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut found) = (12 + length(8), 0);
    while bytes[at] != b'E' {
        if matches!(bytes[at], b'C' | b'L') && length(at + 1) > 20_000 {
            found = at + 1_000;
        }
        at += 5 + length(at + 1);
    }
    assert!(found > 0);
    found
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_on_either_engine(
    #[values(Engine::Sqlite, Engine::Postgres)] from: Engine,
    #[values(Engine::Sqlite, Engine::Postgres)] to: Engine,
) {
    let stage = Stage::new(from).await;
    stage.scan("admin", "acme", 1, 300, 10).await.expect(201);
    stage.scan("other_admin", "zeta", 1, 30, 10).await.expect(201);
    let mut tx = stage.hub.hub.system_write("test.set", "a second factor").await.unwrap();
    let sealed = stage.hub.hub.master_key().seal(&format!("totp of {}", testkit::person("priya")), b"secret of priya");
    tx.execute("UPDATE person SET totp_secret = ?2 WHERE id = ?1", params![testkit::person("priya"), sealed]).await.unwrap();
    tx.commit().await.unwrap();
    recovery::rotation::tenant(&stage.hub.hub, tenant("zeta")).await.unwrap();
    let zeta = whole(&stage.hub.hub, tenant("zeta")).await;
    let control = picture(stage.hub.hub.snapshot_control().await.unwrap()).await;
    let made = stage.backup().await;
    stage.advance(Duration::from_secs(60));
    // Purged after the backup: stays purged.
    let purged = stage.backup().await;
    purge(&stage).await;

    let fresh = Stage::empty(to, stage.place.path()).await;
    let hub = &fresh.hub.hub;
    let restored = restores::all(hub, &made.id.to_string(), None, "The machine burned down", &Progress::silent()).await.unwrap();
    assert_eq!((restored.tenants, restored.purged), (5, vec![tenant("acme")]));
    assert!(matches!(
        restores::all(hub, &purged.id.to_string(), None, "again", &Progress::silent()).await,
        Err(Error::Conflict(_))
    ));
    let back = whole(hub, tenant("zeta")).await;
    for (table, rows) in zeta
        .iter()
        .filter(|(table, _)| !table.starts_with("ledger") && !["outbox", "score_point", "score_head"].contains(&table.as_str()))
    {
        assert_eq!(&back[table], rows, "{table}");
    }
    assert!(zeta["ledger"].iter().all(|entry| back["ledger"].contains(entry)));
    let now = picture(hub.snapshot_control().await.unwrap()).await;
    for table in ["provider", "plan", "staff", "recovery_code"] {
        assert_eq!(now[table], control[table], "{table}");
    }
    assert!(control["ledger"].iter().all(|entry| now["ledger"].contains(entry)));
    assert_eq!(now["session"].len(), 0);
    let mut tx = hub.system_write("test.sessions", "somebody signs in").await.unwrap();
    let sql = "INSERT INTO session (id, token_hash, person_id, state, created_at, last_seen_at, idle_expires_at, expires_at, address, user_agent)
         VALUES (?1, ?2, ?3, 'full', ?4, ?4, ?5, ?5, '', '')";
    let person = testkit::person("other_admin");
    let token = kernel::secrets::token_hash("token-of-other_admin");
    tx.execute(sql, params![kernel::ids::uuid_at(START), token, person, START, START.plus_days(9)]).await.unwrap();
    let totp: Vec<u8> =
        tx.one("SELECT totp_secret FROM person WHERE id = ?1", params![testkit::person("priya")]).await.unwrap().take().unwrap();
    tx.commit().await.unwrap();
    let opened = hub.master_key().open(&format!("totp of {}", testkit::person("priya")), &totp).unwrap();
    assert_eq!(opened.as_slice(), b"secret of priya");
    let finding = fresh.findings("other_admin", "zeta").await[0]["id"].as_str().unwrap().to_owned();
    let view = fresh.get("other_admin", &format!("/tenants/zeta/findings/{finding}")).await.expect(200);
    assert!(view.json["evidence"]["resource_data"]["secret"].as_str().unwrap().contains("of zeta"));
    fresh.comment("other_admin", "zeta", "after the fire").await;
    verified(hub, tenant("zeta")).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_backup_of_one_engine_goes_over_the_live_one_of_another() {
    let (sqlite, postgres) = (Stage::new(Engine::Sqlite).await, Stage::new(Engine::Postgres).await);
    sqlite.scan("admin", "acme", 1, 300, 10).await.expect(201);
    let then = data(&sqlite.hub.hub, tenant("acme")).await;
    let made = sqlite.backup().await;
    let answer =
        postgres.restore("acme", How::Over, From::Backup(sqlite.place.path().join(&made.file).to_str().unwrap().into())).await;
    answer.unwrap();
    let now = data(&postgres.hub.hub, tenant("acme")).await;
    for (table, rows) in
        then.iter().filter(|(table, _)| !["finding_evidence", "score_point", "score_head"].contains(&table.as_str()))
    {
        assert_eq!(&now[table], rows, "{table}");
    }
    let finding = postgres.findings("admin", "acme").await[0]["id"].as_str().unwrap().to_owned();
    let view = postgres.get("admin", &format!("/tenants/acme/findings/{finding}")).await.expect(200);
    assert!(view.json["evidence"]["resource_data"]["secret"].is_string());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_arrival_leaves_nothing(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    let hub = &stage.hub.hub;
    let id = kernel::TenantId::new(START);
    let began = START.plus_days(-1);
    let mut tx = hub.system_write("test.crash", "announced, filled, not registered").await.unwrap();
    tx.execute("INSERT INTO tenant_arriving (tenant_id, began_at) VALUES (?1, ?2)", params![id, began]).await.unwrap();
    tx.commit().await.unwrap();
    hub.create_tenant_store(id).await.unwrap();
    let mut tx = hub.system(id, "test.crash", "rows").await.unwrap();
    tx.execute("INSERT INTO score_head (n) VALUES (1)", params![]).await.unwrap();
    tx.commit().await.unwrap();
    recovery::jobs::finish_interrupted(hub).await.unwrap();
    if engine == Engine::Sqlite {
        assert_eq!(std::fs::read_dir(stage.folder().join("tenants")).unwrap().count(), 6);
    } else {
        assert!(whole(hub, id).await.values().all(Vec::is_empty));
    }
    backups::make(hub, &backups::Asked::default(), &Progress::silent()).await.unwrap();
}
