//! A hub with posture, msp and recovery in it, work to do on it, and a look at everything a tenant has.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use formats::write;
use kernel::door::BoxFuture;
use kernel::store::{Piece, Snapshot, Value as Cell};
use kernel::{Hub, Result, TenantId, params};
use posture::{Assignee, ImportSettings, People};
use recovery::restores::{From, How};
use recovery::{Neighbours, Progress, S3Settings, Settings, backups, restores};
use serde_json::{Value, json};
use testkit::{Answer, Engine, START, TestHub, person};

pub struct Stage {
    pub hub: TestHub,
    pub spool: tempfile::TempDir,
    pub place: tempfile::TempDir,
}

impl Deref for Stage {
    type Target = TestHub;
    fn deref(&self) -> &TestHub {
        &self.hub
    }
}

struct Cast;

impl People for Cast {
    fn assignable(&self, _: TenantId) -> BoxFuture<'_, Result<Vec<Assignee>>> {
        Box::pin(async { Ok(vec![Assignee { id: person("priya"), name: "priya".into(), acts_as: "staff".into(), staff: true }]) })
    }
}

struct Wired;

impl Neighbours for Wired {
    fn refresh<'a>(&'a self, hub: &'a Hub, tenant: TenantId) -> BoxFuture<'a, Result<()>> {
        Box::pin(posture::recheck(hub, tenant))
    }
}

pub fn settings(place: &Path) -> Settings {
    Settings {
        to: Some(place.to_str().unwrap().to_owned()),
        s3: S3Settings::default(),
        schedule: None,
        master_key_file: None,
        neighbours: Arc::new(Wired),
    }
}

fn routes() -> axum::Router<Hub> {
    posture::router().merge(msp::router()).merge(recovery::router()).into()
}

async fn wire(hub: &Hub, spool: &Path, settings: Settings) {
    posture::provide(hub, ImportSettings::in_dir(spool));
    hub.provide::<Arc<dyn People>>(Arc::new(Cast));
    msp::summaries::wire(hub);
    recovery::provide(hub, settings);
}

impl Stage {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, |_| {}).await
    }

    pub async fn with(engine: Engine, change: impl FnOnce(&mut Settings)) -> Self {
        Self::wired(TestHub::start(engine, routes()).await, change).await
    }

    /// A hub that nobody is in; backups lie where another stage's lie.
    pub async fn empty(engine: Engine, place: &Path) -> Self {
        Self::wired(TestHub::empty(engine, routes()).await, |settings| settings.to = Some(place.to_str().unwrap().into())).await
    }

    async fn wired(hub: TestHub, change: impl FnOnce(&mut Settings)) -> Self {
        let (spool, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut settings = settings(place.path());
        change(&mut settings);
        wire(&hub.hub, spool.path(), settings).await;
        let mut tx = hub.hub.system_write("test.sessions", "sessions of the cast do not run out").await.unwrap();
        let far = START.plus_days(9_000);
        tx.execute("UPDATE session SET last_seen_at = ?1, idle_expires_at = ?1, expires_at = ?1", params![far]).await.unwrap();
        tx.commit().await.unwrap();
        Self { hub, spool, place }
    }

    /// The same store, opened anew: a restart.
    pub async fn reopened(&self, master_key: kernel::secrets::SecretKey) -> Hub {
        let hub = Hub::open(kernel::HubConfig { master_key, ..self.config.clone() }).await.unwrap();
        wire(&hub, self.spool.path(), settings(self.place.path())).await;
        hub
    }

    /// Imports a small scan of its own kind: `n` resources, `failing` of them fail.
    pub async fn scan(&self, who: &str, tenant: &str, seed: u64, n: usize, failing: usize) -> Answer {
        let finding = |i: usize| formats::Finding {
            control_uid: format!("control-{}", i % 5),
            title: format!("Title of control-{}", i % 5),
            severity: formats::Severity::High,
            result: if i < failing { formats::Outcome::Fail } else { formats::Outcome::Pass },
            resource: formats::Resource {
                uid: format!("res-{i}"),
                name: Some(format!("name {i} of scan {seed}")),
                kind: Some("Bucket".into()),
                region: None,
                account: None,
            },
            message: Some(format!("says {seed}")),
            location: None,
            observed_at: Some(self.hub.hub.now().0),
            fingerprint: None,
            evidence: json!({ "resource_data": { "secret": format!("evidence {i} of {tenant}, scan {seed}") } }),
        };
        let controls = (0..5).map(|c| formats::Control {
            uid: format!("control-{c}"),
            title: format!("Title of control-{c}"),
            description: None,
            remediation: None,
            url: None,
            severity: formats::Severity::High,
            frameworks: vec![("CIS-5.0".into(), format!("{c}"))],
        });
        let scan = write::Scan {
            tool: "Prowler".into(),
            tool_version: None,
            target: Some("1234".into()),
            observed_at: Some(self.hub.hub.now().0),
            profile: None,
            controls: controls.collect(),
            findings: (0..n).map(finding).collect(),
        };
        let mut bytes = Vec::new();
        write::ocsf(&mut bytes, &scan).unwrap();
        self.upload(who, &format!("/tenants/{tenant}/scans?file=scan.json"), bytes).await
    }

    /// Findings as the API shows them.
    pub async fn findings(&self, who: &str, tenant: &str) -> Vec<Value> {
        let path = format!("/tenants/{tenant}/findings?status=open,overridden,passed,fixed,manual&limit=200");
        self.get(who, &path).await.expect(200).json["items"].as_array().unwrap().clone()
    }

    pub async fn comment(&self, who: &str, tenant: &str, text: &str) {
        let finding = self.findings(who, tenant).await[0]["id"].as_str().unwrap().to_owned();
        self.post(who, &format!("/tenants/{tenant}/findings/{finding}/comments"), json!({ "text": text })).await.expect(201);
    }

    pub async fn backup(&self) -> backups::Manifest {
        backups::make(&self.hub.hub, &backups::Asked::default(), &Progress::silent()).await.unwrap()
    }

    pub async fn restore(&self, tenant: &str, how: How, from: From) -> Result<restores::Restored> {
        let asked = restores::Asked { tenant: tenant.into(), how, from, place: None, reason: "They asked for it".into() };
        restores::tenant(&self.hub.hub, &asked, &Progress::silent()).await
    }
}

/// Each table of a database with its rows' hashes, sorted: equal exactly when the data is.
pub type Picture = BTreeMap<String, Vec<blake3::Hash>>;

pub async fn picture(mut snapshot: Snapshot) -> Picture {
    let (mut picture, mut table) = (Picture::new(), String::new());
    while let Some(piece) = snapshot.next().await.unwrap() {
        match piece {
            Piece::Table(next) => {
                table.clone_from(&next.name);
                picture.insert(next.name, Vec::new());
            }
            Piece::Rows(rows) => picture.get_mut(&table).unwrap().extend(rows.iter().map(|row| hash(row))),
        }
    }
    picture.values_mut().for_each(|rows| rows.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes())));
    picture
}

fn hash(row: &[Cell]) -> blake3::Hash {
    blake3::hash(format!("{row:?}").as_bytes())
}

/// Everything that a tenant's database has.
pub async fn whole(hub: &Hub, tenant: TenantId) -> Picture {
    picture(hub.snapshot(tenant).await.unwrap()).await
}

/// A tenant's data, without its ledger and its news on their way.
pub async fn data(hub: &Hub, tenant: TenantId) -> Picture {
    let mut picture = whole(hub, tenant).await;
    picture.retain(|table, _| !table.starts_with("ledger") && table != "outbox");
    picture
}
