//! The demo's story: a provider is set up, hires, takes on clients, imports their scans and works on what they found.
//!
//! Everybody does what they may do themselves, through the API: provider admins make clients and assign technicians, clients' admins
//! invite their people, technicians import the scans of those they are assigned to and admins those that nobody else may touch. The
//! clock is the machine's; that there is a history comes from the times that the scans' files bear.

use std::path::Path;

use axum::http::Method;
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::text;
pub use super::api::{Api, Result, StoryError};
use super::cast::{ASSIGNED, Assigned, CLIENTS, Client, Fate, HARBOR_CLIENTS, Person, harriet, lena, priya, sam, tom};
use super::scans::{Profile, write_history};

const NORTHWIND: &str = "northwind";
const HARBOR: &str = "harbor";

/// How much of the demo is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Six clients and one of the sub-provider's, with the last two scans each (Acme: three).
    Small,
    /// Everything.
    Full,
}

/// Who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIns {
    /// One for each right there is.
    pub people: Vec<SignIn>,
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// `provider_admin`, `technician_t3`, … `viewer`.
    pub role: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
    /// What there is to see, in a few words.
    pub note: String,
}

/// What a performance needs.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// The one-time code of the first run.
    pub setup_code: &'a str,
    /// Everybody's password.
    pub password: &'a str,
    /// A folder for the scans' files, which are gone afterwards.
    pub scratch: &'a Path,
    /// When the history ends.
    pub now: Timestamp,
    /// How much is played.
    pub size: Size,
}

/// Plays the story on a hub that waits for its first run, and says who can sign in.
///
/// # Errors
/// The hub refused something, or a scan's file could not be written.
pub async fn play(api: &mut Api, script: Script<'_>, progress: &dyn Fn(&str)) -> Result<SignIns> {
    let mut stage = Stage { api, script };
    progress("Northwind IT sets itself up and hires");
    stage.set_up().await?;
    super::business::price(stage.api, &priya(), NORTHWIND).await?;
    stage.hire().await?;
    for client in stage.cast(CLIENTS) {
        progress(&format!("{} becomes a client", client.name));
        stage.take_on(NORTHWIND, &priya(), client).await?;
    }
    progress("Harbor Managed Services joins as a sub-provider");
    stage.found_harbor().await?;
    super::business::price(stage.api, &harriet(), HARBOR).await?;
    for client in stage.cast(HARBOR_CLIENTS) {
        progress(&format!("{} becomes a client of Harbor", client.name));
        stage.take_on(HARBOR, &harriet(), client).await?;
    }
    let taken_on: Vec<_> = stage.cast(CLIENTS).map(Client::slug).collect();
    super::business::license(stage.api, &priya(), NORTHWIND, &taken_on).await?;
    progress("Some ask for more for a while");
    super::trust::play(stage.api, script.password).await?;
    progress("Northwind and two clients put their signs up");
    super::brands::play(stage.api).await?;
    progress("Some clients leave");
    for client in stage.cast(CLIENTS) {
        stage.meet_fate(client).await?;
    }
    stage.decide().await?;
    progress("Clients are put into groups, and many are changed at once");
    let slugs: Vec<&str> =
        stage.cast(CLIENTS).filter(|client| client.fate == Fate::Stays && client.tier == "T3").map(Client::slug).collect();
    super::fleet::play(stage.api, &slugs, script.now).await?;
    stage.api.sign_out_all().await?;
    Ok(sign_ins(script.password))
}

fn sign_ins(password: &str) -> SignIns {
    let acme = CLIENTS.iter().find(|client| client.slug() == "acme").map(Client::people).unwrap_or_default();
    let member = |role: &str| acme.iter().find(|(theirs, _)| *theirs == role).map(|(_, person)| person.clone());
    let everybody = [
        ("provider_admin", Some(priya()), "Provider admin of Northwind IT: every client, up to its tier"),
        ("technician_t3", Some(tom()), "Technician: twelve clients, up to T3"),
        ("technician_t2", Some(lena()), "Technician: six clients, up to T2, may not delete"),
        ("technician_t1", Some(sam()), "Technician: four clients, looks only"),
        ("tenant_admin", member("admin"), "Admin of Acme Dental Group"),
        ("operator", member("operator"), "Operator of Acme"),
        ("auditor", member("auditor"), "Auditor of Acme"),
        ("viewer", member("viewer"), "Viewer of Acme"),
        ("sub_provider_admin", Some(harriet()), "Provider admin of Harbor, below Northwind"),
    ];
    let sign_in = |(role, person, note): (&str, Option<Person>, &str)| {
        let Person { name, email } = person?;
        Some(SignIn { role: role.into(), name, email, password: password.into(), note: note.into() })
    };
    SignIns { people: everybody.into_iter().filter_map(sign_in).collect() }
}

struct Stage<'a> {
    api: &'a mut Api,
    script: Script<'a>,
}

/// A risk that is accepted.
struct Risk<'a> {
    /// `finding` or `control`.
    scope: &'a str,
    id: &'a str,
    reason: &'a str,
    days: i64,
}

impl Stage<'_> {
    fn cast(&self, clients: &'static [Client]) -> impl Iterator<Item = &'static Client> + use<> {
        let is_full = self.script.size == Size::Full;
        clients.iter().filter(move |client| is_full || client.is_small)
    }

    fn profile(&self, client: &Client) -> Profile {
        let scans_max = match (self.script.size, client.slug()) {
            (Size::Full, _) => client.profile.scans_max,
            (Size::Small, "acme") => client.profile.scans_max.min(3),
            (Size::Small, _) => client.profile.scans_max.min(2),
        };
        Profile { scans_max, ..client.profile.clone() }
    }

    async fn set_up(&mut self) -> Result<()> {
        let Person { name, email } = priya();
        let body = json!({
            "code": self.script.setup_code, "provider_name": "Northwind IT", "provider_slug": NORTHWIND,
            "name": name, "email": email, "password": self.script.password,
        });
        self.api.post(&email, "/setup", body).await?;
        let provider = self.api.get(&email, "/providers/northwind").await?;
        let settings = json!({ "settings": { "sub_providers": true } });
        self.api.change(&email, Method::PATCH, "/providers/northwind", &provider["version"], settings).await?;
        Ok(())
    }

    /// Northwind works as its preset says, but for two things.
    async fn decide(&mut self) -> Result<()> {
        let (boss, path) = (priya().email, "/providers/northwind/presets");
        let presets = self.api.get(&boss, path).await?;
        let strict = presets["items"].as_array().into_iter().flatten().find(|preset| preset["key"] == "strict");
        let differences = strict.and_then(|preset| preset["differences"].as_array()).into_iter().flatten();
        let expected: Value = differences.map(|one| json!({ "key": one["key"], "from": one["from"], "to": one["to"] })).collect();
        let applied = self.api.post(&boss, &format!("{path}/strict"), json!({ "expected": expected })).await?;
        let own = json!({ "settings": { "archive_days": 60, "password.length_min": 14 } });
        self.api.change(&boss, Method::PATCH, "/providers/northwind/settings", &applied["version"], own).await?;
        Ok(())
    }

    async fn hire(&mut self) -> Result<()> {
        for Person { name, email } in [tom(), lena(), sam()] {
            let body = json!({ "email": email, "role": "technician", "name": name });
            let invitation = self.api.post(&priya().email, "/providers/northwind/staff/invitations", body).await?;
            self.accept(&invitation, "token", &Person { name, email }).await?;
        }
        let open = json!({ "email": "jordan.blake@northwind.example", "role": "technician", "name": "Jordan Blake" });
        self.api.post(&priya().email, "/providers/northwind/staff/invitations", open).await?;
        Ok(())
    }

    async fn accept(&mut self, answer: &Value, pointer: &str, person: &Person) -> Result<()> {
        let token = text(answer, pointer, "an invitation")?;
        let body = json!({ "name": person.name, "password": self.script.password });
        self.api.post(&person.email, &format!("/invitations/{token}/accept"), body).await?;
        Ok(())
    }

    async fn found_harbor(&mut self) -> Result<()> {
        let admin = harriet();
        let body = json!({ "name": "Harbor Managed Services", "slug": HARBOR, "ceiling": "T2", "admin_email": admin.email });
        let made = self.api.post(&priya().email, "/providers/northwind/sub-providers", body).await?;
        self.accept(&made, "invitation/token", &admin).await
    }

    /// A client from the first call to the last scan.
    async fn take_on(&mut self, provider: &str, boss: &Person, client: &Client) -> Result<()> {
        let slug = client.slug();
        let people = client.people();
        let Some(((_, admin), others)) = people.split_first() else { return Ok(()) };
        let ends_at = if let Fate::Ends(days) = client.fate { Some(self.script.now.plus_days(days)) } else { None };
        let body = json!({
            "slug": slug, "name": client.name, "plan": client.plan, "industry": client.industry, "tier": client.tier,
            "ends_at": ends_at, "admin_email": admin.email,
        });
        let tenant = self.api.post(&boss.email, &format!("/providers/{provider}/tenants"), body).await?;
        self.accept(&tenant, "invitation/token", admin).await?;
        for (role, person) in others {
            let body = json!({ "email": person.email, "role": role });
            let invitation = self.api.post(&admin.email, &format!("/tenants/{slug}/members/invitations"), body).await?;
            self.accept(&invitation, "token", person).await?;
        }
        if let Some(seats_max) = client.seats_max {
            let path = format!("/providers/{provider}/tenants/{slug}");
            let tenant = self.api.get(&boss.email, &path).await?;
            self.api.change(&boss.email, Method::PATCH, &path, &tenant["version"], json!({ "seats_max": seats_max })).await?;
        }
        if provider == NORTHWIND {
            self.assign(client).await?;
        }
        if slug == "elm-street" {
            // Their scanner sends nothing by itself: files are brought along on the visits.
            let skip = json!({ "step": "credentials", "skipped": true });
            let path = format!("/providers/{provider}/tenants/{slug}/onboarding");
            self.api.change(&boss.email, Method::PATCH, &path, &json!(1), skip).await?;
        }
        let worker = worker(provider, boss, client).unwrap_or_else(|| admin.clone());
        let is_scanned = self.import(client, &worker).await?;
        if is_scanned {
            self.work(client, &worker, admin).await?;
        }
        if slug == "acme" {
            self.work_at_acme(&people).await?;
        }
        Ok(())
    }

    async fn assign(&mut self, client: &Client) -> Result<()> {
        let path = "/providers/northwind/assignments";
        for Assigned { who, tier, mask: [view, create, update, delete], clients } in ASSIGNED {
            if !clients.contains(&client.slug()) {
                continue;
            }
            let person = who();
            let staff = self.api.get(&priya().email, &format!("/providers/northwind/staff?q={}", person.email)).await?;
            let tenant = self.api.get(&priya().email, &format!("/providers/northwind/tenants/{}", client.slug())).await?;
            let body = json!({
                "staff": text(&staff, "items/0/id", "the staff")?, "tenant": client.slug(), "tier": tier.min(&client.tier),
                "mask": { "view": view, "create": create, "update": update, "delete": delete },
                "modules": tenant["plan"]["modules"],
            });
            self.api.post(&priya().email, path, body).await?;
        }
        Ok(())
    }

    async fn import(&mut self, client: &Client, worker: &Person) -> Result<bool> {
        let dir = self.script.scratch.join(client.slug());
        std::fs::create_dir_all(&dir)?;
        let files = write_history(&self.profile(client), self.script.now, &dir)?;
        for file in &files {
            let name = file.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            self.api.import(&worker.email, client.slug(), &name, std::fs::read(&file.path)?).await?;
        }
        std::fs::remove_dir_all(&dir)?;
        Ok(!files.is_empty())
    }

    /// The worst findings of a client: one assigned and talked about, one accepted for a while.
    async fn work(&mut self, client: &Client, worker: &Person, admin: &Person) -> Result<()> {
        let slug = client.slug();
        let list = format!("/tenants/{slug}/findings?status=open&severity=critical,high,medium&limit=12");
        let findings = ids(&self.api.get(&worker.email, &list).await?);
        let turn = slug.len();
        if let Some(finding) = findings.first() {
            self.assign_finding(slug, finding, worker, worker).await?;
            self.comment(slug, finding, worker, COMMENTS[turn % COMMENTS.len()]).await?;
        }
        if let Some(finding) = findings.get(4) {
            let days = 20 + i64::try_from(turn).unwrap_or(0) * 7;
            let reason = REASONS[turn % REASONS.len()];
            self.accept_risk(slug, admin, Risk { scope: "finding", id: finding, reason, days }).await?;
        }
        Ok(())
    }

    /// Acme is where a visitor looks first: everybody there has done something.
    async fn work_at_acme(&mut self, people: &[(&'static str, Person)]) -> Result<()> {
        let [(_, dana), (_, marcus), (_, ingrid), (_, _noor)] = people else { return Ok(()) };
        let findings = ids(&self.api.get(&dana.email, "/tenants/acme/findings?status=open&sort=severity&limit=20").await?);
        let controls = ids(&self.api.get(&dana.email, "/tenants/acme/controls?status=failed&severity=low,medium&limit=10").await?);
        for (at, who) in [(1, marcus), (2, marcus), (3, dana)] {
            if let Some(finding) = findings.get(at) {
                self.assign_finding("acme", finding, dana, who).await?;
            }
        }
        if let Some(finding) = findings.get(1) {
            self.comment(
                "acme",
                finding,
                &tom(),
                "Still there after last week's change. Shall we look at it together on Thursday?",
            )
            .await?;
            self.comment(
                "acme",
                finding,
                marcus,
                "Found it: the change was undone by an old template. The new one goes out tonight.",
            )
            .await?;
            self.comment("acme", finding, ingrid, "Please attach a screenshot when it is closed, the auditors ask for it.").await?;
        }
        let last = findings.len().saturating_sub(1);
        let plan = [
            (
                "finding",
                findings.get(last),
                ingrid,
                "Reviewed with its owner: it is replaced in spring, and nobody outside the practice reaches it until then.",
                60,
            ),
            (
                "finding",
                findings.get(last.saturating_sub(3)),
                &priya(),
                "Agreed with Dana Whitlock: follows with the move that is planned for next week.",
                5,
            ),
            ("control", controls.first(), ingrid, "Covered by another measure, whose report is filed with this year's audit.", 180),
        ];
        for (scope, id, who, reason, days) in plan {
            if let Some(id) = id {
                self.accept_risk("acme", who, Risk { scope, id, reason, days }).await?;
            }
        }
        if let Some(finding) = findings.get(6) {
            let risk = Risk { scope: "finding", id: finding, reason: "Waiting for the vendor's answer.", days: 14 };
            let made = self.accept_risk("acme", dana, risk).await?;
            let path = format!("/tenants/acme/overrides/{}", text(&made, "id", "an override")?);
            self.api.delete(&dana.email, &path).await?;
        }
        let open = json!({ "email": "rosa.klein@acme.example", "role": "viewer" });
        self.api.post(&dana.email, "/tenants/acme/members/invitations", open).await?;
        Ok(())
    }

    async fn assign_finding(&mut self, slug: &str, finding: &str, by: &Person, to: &Person) -> Result<()> {
        let person = text(&self.api.get(&to.email, "/me").await?, "person/id", "oneself")?;
        let path = format!("/tenants/{slug}/findings/{finding}");
        let version = self.api.get(&by.email, &path).await?["version"].clone();
        self.api.change(&by.email, Method::PUT, &format!("{path}/assignee"), &version, json!({ "person": person })).await?;
        Ok(())
    }

    async fn comment(&mut self, slug: &str, finding: &str, by: &Person, words: &str) -> Result<()> {
        self.api.post(&by.email, &format!("/tenants/{slug}/findings/{finding}/comments"), json!({ "text": words })).await?;
        Ok(())
    }

    async fn accept_risk(&mut self, slug: &str, by: &Person, risk: Risk<'_>) -> Result<Value> {
        let Risk { scope, id, reason, days } = risk;
        let body = json!({ scope: id, "reason": reason, "expires_at": self.script.now.plus_days(days) });
        self.api.post(&by.email, &format!("/tenants/{slug}/overrides"), body).await
    }

    async fn meet_fate(&mut self, client: &Client) -> Result<()> {
        let path = format!("/providers/northwind/tenants/{}", client.slug());
        match client.fate {
            Fate::Stays | Fate::Ends(_) => {}
            Fate::Suspended(reason) => {
                self.api.post(&priya().email, &format!("{path}/suspend"), json!({ "reason": reason })).await?;
                let hold = json!({ "reason": "The dispute over the invoices is before the court: nothing is to be deleted." });
                self.api.post(&priya().email, &format!("{path}/hold"), hold).await?;
            }
            Fate::Archived(reason) => {
                if let Some((_, admin)) = client.people().first() {
                    let wish = json!({ "reason": "The new owner has everything. Please delete what is left." });
                    self.api.post(&admin.email, &format!("/tenants/{}/purge-request", client.slug()), wish).await?;
                }
                self.api.post(&priya().email, &format!("{path}/archive"), json!({ "reason": reason })).await?;
            }
        }
        Ok(())
    }
}

/// Who of the provider works on this client, if anybody may.
fn worker(provider: &str, boss: &Person, client: &Client) -> Option<Person> {
    let is_toms = provider == NORTHWIND && ASSIGNED[0].clients.contains(&client.slug());
    match (client.is_operated(), is_toms) {
        (true, true) => Some(tom()),
        (true, false) => Some(boss.clone()),
        (false, _) => None,
    }
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

const COMMENTS: &[&str] = &[
    "Ticket opened, the change is planned for the window on Thursday.",
    "Spoke to the owner: nobody uses it any more, it can go.",
    "Tried it in staging first. No complaints so far.",
    "Waiting for the supplier, who promised an answer this week.",
    "This came back after the restore. The template has to change, not the machine.",
];

const REASONS: &[&str] = &[
    "The supplier ends support of the old client in spring; until then it is needed.",
    "Reachable from the office network only, and watched there.",
    "Replaced with the migration that is under way; the date is in the project plan.",
    "Test data only. The environment is removed at the end of the project.",
    "Accepted by the board in its last meeting, with a review at the date given.",
];
