//! Random work on many tenants through their slices, backups at several instants, and an oracle that remembers what each tenant's data was
//! at each of them. Restoring one tenant to an instant gives exactly what the oracle remembers, and changes not a byte of any other, which
//! work on meanwhile.

use std::sync::Arc;
use std::time::Duration;

use kernel::{TenantId, params};
use recovery::restores::{From, How};
use rstest::rstest;
use serde_json::{Value, json};
use testkit::Engine;

use crate::stage::{Picture, Stage, data, whole};

/// A small generator of its own, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

struct Estate {
    stage: Stage,
    tenants: Vec<(String, TenantId)>,
}

impl Estate {
    async fn new(engine: Engine, size: usize) -> Self {
        let stage = Stage::new(engine).await;
        let mut tx = stage.hub.hub.system_write("test.set", "room for them").await.unwrap();
        tx.execute("UPDATE provider SET tenants_max = NULL", params![]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tenants = Vec::new();
        for n in 0..size {
            let slug = format!("client-{n}");
            let body = json!({ "slug": slug, "name": format!("Client {n}"), "plan": "Complete", "tier": "T3" });
            let made = stage.post("priya", "/providers/northwind/tenants", body).await.expect(201);
            tenants.push((slug, made.json["id"].as_str().unwrap().parse().unwrap()));
        }
        Self { stage, tenants }
    }

    /// One thing that somebody does.
    async fn work(&self, random: &mut Random, tenant: usize) {
        let slug = &self.tenants[tenant].0;
        let findings = self.stage.findings("priya", slug).await;
        if findings.is_empty() || random.below(4) == 0 {
            let (seed, n) = (random.below(1 << 40), 2 + random.below(12));
            let failing = random.below(n + 1);
            self.stage.scan("priya", slug, seed, usize::try_from(n).unwrap(), usize::try_from(failing).unwrap()).await.expect(201);
            return;
        }
        let finding = &findings[usize::try_from(random.below(findings.len() as u64)).unwrap()];
        let (id, path) = (finding["id"].as_str().unwrap(), format!("/tenants/{slug}/findings"));
        match random.below(3) {
            0 => drop(self.stage.post("priya", &format!("{path}/{id}/comments"), json!({ "text": "a word" })).await.expect(201)),
            1 => {
                let version = finding["version"].as_i64().unwrap();
                let body = json!({ "person": testkit::person("priya").to_string() });
                let path = format!("{path}/{id}/assignee");
                self.stage.change("priya", axum::http::Method::PUT, &path, version, body).await.expect(200);
            }
            _ => {
                let ends = self.stage.hub.hub.now().plus_days(5).to_string();
                let body = json!({ "finding": id, "reason": "It is meant to be so", "expires_at": ends });
                let answer = self.stage.post("priya", &format!("/tenants/{slug}/overrides"), body).await;
                // One that is overridden already, or passes, is refused.
                assert!([200, 201, 409, 422].contains(&answer.status), "{}", answer.json);
            }
        }
    }

    async fn pictures(&self) -> Vec<Picture> {
        let mut pictures = Vec::new();
        for (_, id) in &self.tenants {
            pictures.push(data(&self.stage.hub.hub, *id).await);
        }
        pictures
    }
}

/// What a restore puts back byte for byte: all but the score that is computed anew after it.
fn comparable(mut picture: Picture) -> Picture {
    picture.remove("score_head");
    picture.remove("score_point");
    picture
}

async fn run(engine: Engine, size: usize, instants: usize, steps: usize, restores: usize) {
    let estate = Arc::new(Estate::new(engine, size).await);
    let (stage, mut random) = (&estate.stage, Random(0x7465_6e61));
    let mut remembered: Vec<(String, Vec<Picture>)> = Vec::new();
    for _ in 0..instants {
        for _ in 0..steps {
            let tenant = usize::try_from(random.below(size as u64)).unwrap();
            estate.work(&mut random, tenant).await;
            stage.advance(Duration::from_secs(1));
        }
        remembered.push((stage.backup().await.id.to_string(), estate.pictures().await));
        stage.advance(Duration::from_secs(600));
    }
    for _ in 0..restores {
        let k = usize::try_from(random.below(size as u64)).unwrap();
        let (backup, pictures) = &remembered[usize::try_from(random.below(instants as u64)).unwrap()];
        // One neighbour works on while the restore runs; all others must not change at all.
        let busy = (k + 1) % size;
        let mut before = Vec::new();
        for (_, id) in &estate.tenants {
            before.push(whole(&stage.hub.hub, *id).await);
        }
        let (other, seed) = (estate.clone(), random.below(1 << 40));
        let worker = tokio::spawn(async move {
            let mut random = Random(seed);
            for _ in 0..3 {
                other.work(&mut random, busy).await;
            }
        });
        stage.restore(&estate.tenants[k].0, How::Over, From::Backup(backup.clone())).await.unwrap();
        worker.await.unwrap();
        let now = data(&stage.hub.hub, estate.tenants[k].1).await;
        assert_eq!(comparable(now), comparable(pictures[k].clone()), "tenant {k} from {backup}");
        for (n, (slug, id)) in estate.tenants.iter().enumerate().filter(|(n, _)| *n != k && *n != busy) {
            assert_eq!(whole(&stage.hub.hub, *id).await, before[n], "{slug} changed");
        }
        assert_ne!(whole(&stage.hub.hub, estate.tenants[busy].1).await, before[busy], "the neighbour worked");
        estate.work(&mut random, k).await;
        stage.advance(Duration::from_secs(60));
    }
    let all: Value = stage.get("priya", "/providers/northwind/clients?limit=200").await.expect(200).json;
    assert!(all["total"].as_u64().unwrap() >= size as u64);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn fifty_tenants_restored_at_random_are_what_the_oracle_remembers_on_sqlite() {
    run(Engine::Sqlite, 50, 4, 90, 10).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tenants_restored_at_random_are_what_the_oracle_remembers_on_postgres() {
    run(Engine::Postgres, 20, 3, 40, 6).await;
}
