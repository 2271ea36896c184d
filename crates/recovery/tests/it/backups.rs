//! Making, listing and checking backups; what damage is found; what the schedule keeps.

use std::path::Path;
use std::time::Duration;

use kernel::{Error, params};
use recovery::backups::{self, Keep, Schedule};
use recovery::restores::{From, How};
use recovery::{Progress, jobs};
use rstest::rstest;
use testkit::{Engine, START, tenant};

use crate::stage::Stage;

async fn verify(stage: &Stage, named: &str) -> kernel::Result<backups::Verified> {
    backups::verify(&stage.hub.hub, named, None, &Progress::silent()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_listed_and_holds_when_checked(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.scan("admin", "acme", 1, 30, 10).await.expect(201);
    let made = stage.backup().await;
    assert_eq!(made.tenants.len(), 6);
    stage.advance(Duration::from_secs(60));
    let one = backups::Asked { tenant: Some("acme".into()), ..Default::default() };
    let one = backups::make(&stage.hub.hub, &one, &Progress::silent()).await.unwrap();
    let place = backups::place(&stage.hub.hub, None, false).await.unwrap();
    let listed: Vec<_> = backups::list(place).await.unwrap().into_iter().map(|manifest| manifest.id).collect();
    assert_eq!(listed, [one.id, made.id]);
    let found = verify(&stage, &made.id.to_string()).await.unwrap();
    assert_eq!(found.tenants, 6);
    assert!(found.rows > 100 && found.entries > 1 && found.unreadable.is_empty(), "{found:?}");
    let file = stage.place.path().join(&one.file);
    assert_eq!(verify(&stage, file.to_str().unwrap()).await.unwrap().tenants, 1);
    assert!(matches!(verify(&stage, "bak_01999999999970009999999999999999").await, Err(Error::NotFound)));
    let told = stage.control_ledger().await;
    assert_eq!(told.iter().filter(|entry| entry["action"] == "backup.create").count(), 2);
    assert!(stage.tenant_ledger("acme").await.iter().any(|entry| entry["action"] == "backup.create"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_a_file_is_found() {
    let stage = Stage::new(Engine::Sqlite).await;
    stage.scan("admin", "acme", 1, 30, 10).await.expect(201);
    let made = stage.backup().await;
    let path = stage.place.path().join(&made.file);
    let good = std::fs::read(&path).unwrap();
    let damaged = async |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let answer = verify(&stage, &made.id.to_string()).await;
        assert!(matches!(answer, Err(Error::Conflict(_))), "{what}: {answer:?}");
    };
    // A flipped bit anywhere: a prime step, so that every kind of frame is hit.
    for at in (0..good.len()).step_by(1_009).chain(0..40).chain(good.len() - 40..good.len()) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        damaged(&bytes, &format!("byte {at}")).await;
    }
    for cut in [1, 33, 100, good.len() / 2, good.len() - 9] {
        damaged(&good[..good.len() - cut], &format!("{cut} bytes cut off")).await;
    }
    damaged(&[good.as_slice(), b"more"].concat(), "more after the end").await;
    for (what, bytes) in rearranged(&good) {
        damaged(&bytes, what).await;
    }
    std::fs::write(&path, &good).unwrap();
    verify(&stage, &made.id.to_string()).await.unwrap();
}

/// Files whose frames are whole and whose last hash is right, but which were put together anew: without keys, and knowing the format.
fn rearranged(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let length = |at: usize| u32::from_be_bytes(good[at..at + 4].try_into().unwrap()) as usize;
    let begin = 8 + 4 + length(8);
    let (mut at, mut frames) = (begin, Vec::new());
    while good[at] != b'E' {
        let end = at + 5 + length(at + 1);
        frames.push(&good[at..end]);
        at = end;
    }
    let sections: Vec<usize> = frames.iter().enumerate().filter(|(_, f)| f[0] == b'S').map(|(i, _)| i).collect();
    let whole = |frames: &[&[u8]]| {
        let mut bytes = good[..begin].to_vec();
        frames.iter().for_each(|frame| bytes.extend_from_slice(frame));
        bytes.push(b'E');
        let hash = blake3::hash(&bytes);
        bytes.extend_from_slice(hash.as_bytes());
        bytes
    };
    let without_one = [&frames[..sections[1]], &frames[sections[2]..]].concat();
    // The same, with the numbers put right.
    let renumbered: Vec<Vec<u8>> = without_one
        .iter()
        .scan(0, |n, frame| {
            let mut frame = frame.to_vec();
            if frame[0] == b'S' {
                let json = String::from_utf8(frame[5..].to_vec()).unwrap();
                let rest = &json[json.find(',').unwrap()..];
                let json = format!("{{\"n\":{n}{rest}");
                frame = [b"S".as_slice(), &u32::try_from(json.len()).unwrap().to_be_bytes(), json.as_bytes()].concat();
                *n += 1;
            }
            Some(frame)
        })
        .collect();
    let mut swapped = frames.clone();
    swapped.swap(sections[1] + 1, sections[2] + 1);
    let without_index = &frames[..*sections.last().unwrap()];
    vec![
        ("a section left out", whole(&without_one)),
        ("a section left out and the rest renumbered", whole(&renumbered.iter().map(Vec::as_slice).collect::<Vec<_>>())),
        ("chunks of two tenants swapped", whole(&swapped)),
        ("the index left out", whole(without_index)),
    ]
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn half_a_backup_is_not_offered() {
    let stage = Stage::new(Engine::Sqlite).await;
    let made = stage.backup().await;
    let file = stage.place.path().join(&made.file);
    let place = backups::place(&stage.hub.hub, None, false).await.unwrap();
    std::fs::copy(&file, stage.place.path().join("tenantry-20270101T000000Z-00000000.tbk")).unwrap();
    std::fs::write(stage.place.path().join("tenantry-20270101T000000Z-11111111.tbk.part"), b"TNTRYBK").unwrap();
    assert_eq!(backups::list(place.clone()).await.unwrap().len(), 1);
    std::fs::remove_file(file).unwrap();
    assert_eq!(backups::list(place).await.unwrap().len(), 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purged_tenant_cannot_be_read_in_old_backups_either(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let stage = Stage::new(engine).await;
    stage.scan("admin", "acme", 1, 30, 10).await.expect(201);
    let made = stage.backup().await;
    // A second place has a keyring too.
    let other = tempfile::tempdir().unwrap();
    let to = backups::Asked { to: Some(other.path().to_str().unwrap().into()), ..Default::default() };
    backups::make(&stage.hub.hub, &to, &Progress::silent()).await.unwrap();
    purge(&stage).await;
    for place in [stage.place.path(), other.path()] {
        assert!(!keyring(place).contains(&tenant("acme").to_string()));
        assert!(keyring(place).contains(&tenant("zeta").to_string()));
    }
    let found = verify(&stage, &made.id.to_string()).await.unwrap();
    assert_eq!((found.tenants, found.unreadable), (5, vec![tenant("acme")]));
    let id = tenant("acme").to_string();
    let gone = stage.restore(&id, How::Beside, From::Backup(made.id.to_string())).await;
    assert!(matches!(&gone, Err(Error::Conflict(text)) if text.contains("purged")), "{gone:?}");
    // Nor does a later backup bring it back.
    stage.backup().await;
    assert!(!keyring(stage.place.path()).contains(&id));
}

pub async fn purge(stage: &Stage) {
    let at = |step: &str| format!("/providers/northwind/tenants/acme/{step}");
    asked_for(stage).await;
    stage.post("priya", &at("archive"), serde_json::json!({"reason": "They left us"})).await.expect(200);
    let purged = stage.post("priya", &at("purge"), serde_json::json!({"name": "Acme Dental Group"})).await.expect(200);
    assert!(purged.json["files_removed"].as_u64().unwrap() > 0);
}

/// The first of the two persons that a purge takes has asked, and nothing is to be waited for.
async fn asked_for(stage: &Stage) {
    let mut tx = stage.hub.hub.system_write("test.window", "no archive window").await.unwrap();
    tx.execute("UPDATE provider SET immediate_purge = true", &[]).await.unwrap();
    tx.commit().await.unwrap();
    stage.post("admin", "/tenants/acme/purge-request", serde_json::json!({"reason": "We leave"})).await.expect(200);
}

pub fn keyring(place: &Path) -> String {
    std::fs::read_to_string(place.join("keyring.json")).unwrap()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_waits_for_a_place_that_is_away_until_it_is_forgotten() {
    let stage = Stage::new(Engine::Sqlite).await;
    let away = stage.place.path().join("usb");
    let to = backups::Asked { to: Some(away.to_str().unwrap().into()), ..Default::default() };
    backups::make(&stage.hub.hub, &to, &Progress::silent()).await.unwrap();
    let hidden = stage.place.path().join("elsewhere");
    std::fs::rename(&away, &hidden).unwrap();
    let at = |step: &str| format!("/providers/northwind/tenants/acme/{step}");
    asked_for(&stage).await;
    stage.post("priya", &at("archive"), serde_json::json!({"reason": "They left us"})).await.expect(200);
    let purged = stage.post("priya", &at("purge"), serde_json::json!({"name": "Acme Dental Group"})).await.expect(200);
    assert_eq!(purged.json["files_removed"], 0);
    assert_eq!(msp::tenants::finish_purges(&stage.hub.hub).await.unwrap(), 0);
    std::fs::rename(&hidden, &away).unwrap();
    assert_eq!(msp::tenants::finish_purges(&stage.hub.hub).await.unwrap(), 1);
    assert!(!keyring(&away).contains(&tenant("acme").to_string()));
    assert!(backups::forget_place(&stage.hub.hub, std::fs::canonicalize(&away).unwrap().to_str().unwrap()).await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_makes_what_is_due_and_removes_only_what_it_made(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let every = Duration::from_secs(24 * 3_600);
    let schedule = Schedule { every, keep: Keep { daily: 2, weekly: 0, monthly: 0 } };
    let stage = Stage::with(engine, |settings| settings.schedule = Some(schedule)).await;
    let by_hand = stage.backup().await;
    let hub = &stage.hub.hub;
    assert!(backups::run_due(hub).await.unwrap().is_some());
    assert!(backups::run_due(hub).await.unwrap().is_none());
    for _ in 0..3 {
        stage.advance(every);
        let made = backups::run_due(hub).await.unwrap().unwrap();
        assert!(made.scheduled);
    }
    let place = backups::place(hub, None, false).await.unwrap();
    let left = backups::list(place).await.unwrap();
    let days: Vec<i64> = left.iter().map(|manifest| (manifest.made_at.0 - START.0) / 86_400_000_000).collect();
    assert_eq!(days, [3, 2, 0]);
    assert_eq!(left[2].id, by_hand.id);
    let state = backups::state(hub).await.unwrap();
    assert_eq!((state.last_done_at, state.failing), (Some(START.plus_days(3)), None));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_backup_that_fails_is_remembered_and_tried_again() {
    let every = Duration::from_secs(24 * 3_600);
    let stage = Stage::with(Engine::Sqlite, |settings| {
        settings.schedule = Some(Schedule { every, keep: Keep::default() });
        settings.to = Some("/proc/no/such".into());
    })
    .await;
    let hub = &stage.hub.hub;
    backups::run_due(hub).await.expect_err("nothing can be written there");
    assert!(backups::run_due(hub).await.unwrap().is_none(), "not again at once");
    assert!(backups::state(hub).await.unwrap().failing.unwrap().contains("/proc/no/such"));
    stage.advance(Duration::from_secs(900));
    assert!(backups::due(hub).await.unwrap());
    // One that was interrupted counts as failed after a restart.
    let mut tx = hub.system_write("test.set", "interrupted").await.unwrap();
    let (id, now) = (kernel::ids::uuid_at(hub.now()), hub.now());
    tx.execute("INSERT INTO backup_run (id, place, started_at) VALUES (?1, 'x', ?2)", params![id, now]).await.unwrap();
    tx.commit().await.unwrap();
    jobs::finish_interrupted(hub).await.unwrap();
    assert!(backups::state(hub).await.unwrap().failing.unwrap().contains("stopped"));
}
