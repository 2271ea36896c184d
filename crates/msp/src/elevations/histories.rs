//! Random histories against a model: outside of what was approved everybody may do what they may do anyway, inside what the template
//! says, to the microsecond; and nobody ever approves their own.

use std::time::Duration;

use access::{Act, Tier};
use kernel::params;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use testkit::{Engine, person, tenant};

use super::stage::{DUAL, World};

/// Who asks, with what they are at the beginning.
const STAFF: [&str; 5] = ["t1", "t2", "t3", "tech_view", "priya"];
/// Who says yes or no, on the provider's side and on the tenant's: some may not.
const WORDS: [&str; 6] = ["priya", DUAL, "t3", "admin", "operator", "viewer"];
/// What is looked at after every step: every tier, every operation, with a module and without, and what only an elevation opens.
const ACTS: [Act; 8] = [
    Act::ContextView,
    Act::FindingList,
    Act::MemberList,
    Act::OverrideCreate,
    Act::OverrideRevoke,
    Act::MemberInvite,
    Act::SettingUpdate,
    Act::MemberGrantAdmin,
];

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * 3_600_000_000;

#[derive(Debug, Clone)]
enum Step {
    Ask {
        who: usize,
        template: usize,
        minutes: i64,
    },
    Yes {
        who: usize,
        for_tenant: bool,
        which: usize,
    },
    /// By whoever asked.
    OwnYes {
        for_tenant: bool,
        which: usize,
    },
    No {
        who: usize,
        for_tenant: bool,
        which: usize,
    },
    End {
        who: usize,
        for_tenant: bool,
        which: usize,
    },
    EndOwn {
        which: usize,
    },
    Assign {
        who: usize,
        tier: i64,
    },
    Unassign {
        who: usize,
    },
    Relate {
        tier: i64,
        frozen: bool,
    },
    Bar {
        who: usize,
        barred: bool,
    },
    Pass {
        minutes: i64,
    },
    /// To the last microsecond of the elevation that ends next, and one further.
    Border,
    /// A write that begins now and is committed later.
    Late {
        who: usize,
        minutes: i64,
    },
}

/// Whose word, which tier, which named actions, which modules.
const TEMPLATES: [(&str, Option<Tier>, &[Act], bool); 6] = [
    ("provider", Some(Tier::T3), &[], true),
    ("provider", Some(Tier::T2), &[Act::MemberGrantAdmin], true),
    ("tenant", Some(Tier::T3), &[], false),
    ("tenant", None, &[Act::OverrideCreate, Act::MemberInvite, Act::MemberGrantAdmin], true),
    ("both", Some(Tier::T2), &[], true),
    ("both", Some(Tier::T3), &[Act::MemberGrantAdmin], true),
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, word, which) = (0..STAFF.len(), 0..WORDS.len(), 0..6_usize);
    let step = prop_oneof![
        6 => (who.clone(), 0..TEMPLATES.len(), 1..60_i64).prop_map(|(who, template, minutes)| Step::Ask { who, template, minutes }),
        12 => (word.clone(), any::<bool>(), which.clone()).prop_map(|(who, for_tenant, which)| Step::Yes { who, for_tenant, which }),
        2 => (any::<bool>(), which.clone()).prop_map(|(for_tenant, which)| Step::OwnYes { for_tenant, which }),
        1 => (word.clone(), any::<bool>(), which.clone()).prop_map(|(who, for_tenant, which)| Step::No { who, for_tenant, which }),
        1 => (word, any::<bool>(), which.clone()).prop_map(|(who, for_tenant, which)| Step::End { who, for_tenant, which }),
        1 => which.prop_map(|which| Step::EndOwn { which }),
        2 => (who.clone(), 0..4_i64).prop_map(|(who, tier)| Step::Assign { who, tier }),
        1 => who.clone().prop_map(|who| Step::Unassign { who }),
        2 => (0..4_i64, proptest::bool::weighted(0.2)).prop_map(|(tier, frozen)| Step::Relate { tier, frozen }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, barred)| Step::Bar { who, barred }),
        2 => prop_oneof![1..40_i64, Just(24 * 60)].prop_map(|minutes| Step::Pass { minutes }),
        3 => Just(Step::Border),
        3 => (who, 0..60_i64).prop_map(|(who, minutes)| Step::Late { who, minutes }),
    ];
    proptest::collection::vec(step, 10..45)
}

/// What became of a request, as the model has it.
#[derive(Debug, Clone)]
struct Asked {
    id: String,
    who: usize,
    template: usize,
    minutes: i64,
    at: i64,
    provider: Option<&'static str>,
    tenant: Option<&'static str>,
    runs: Option<(i64, i64)>,
    is_closed: bool,
}

impl Asked {
    fn waits(&self, now: i64) -> bool {
        !self.is_closed && self.runs.is_none() && now < self.at + DAY_US
    }

    fn is_running(&self, now: i64) -> bool {
        self.runs.is_some_and(|(from, to)| from <= now && now < to)
    }
}

struct Model {
    /// Tier of the assignment; none is none. Of the provider admin it does not matter.
    assigned: [Option<i64>; STAFF.len()],
    barred: [bool; STAFF.len()],
    tier: i64,
    frozen: bool,
    asked: Vec<Asked>,
}

impl Model {
    fn new() -> Self {
        let assigned = [Some(1), Some(2), Some(3), Some(3), None];
        Self { assigned, barred: [false; STAFF.len()], tier: 3, frozen: false, asked: Vec::new() }
    }

    fn is_chief(who: usize) -> bool {
        STAFF[who] == "priya"
    }

    /// Stands on the tenant at all, elevations aside.
    fn reaches(&self, who: usize) -> bool {
        !self.frozen && !self.barred[who] && (Self::is_chief(who) || self.assigned[who].is_some())
    }

    /// May do it, elevations aside.
    fn base(&self, who: usize, act: Act) -> bool {
        let Some(needed) = act.info().tier.map(Tier::as_i64) else { return false };
        let own = if Self::is_chief(who) { 3 } else { self.assigned[who].unwrap_or(-1) };
        let in_mask = STAFF[who] != "tech_view" || act.info().op == access::Op::View;
        self.reaches(who) && in_mask && needed <= own.min(self.tier)
    }

    /// May do it now: anyway, or by what runs.
    fn may(&self, who: usize, act: Act, now: i64) -> bool {
        let by = |asked: &Asked| {
            let (_, tier, names, has_modules) = TEMPLATES[asked.template];
            let is_named = names.contains(&act);
            let by_tenant = asked.tenant.is_some();
            let is_open = act.info().module.is_none() || has_modules;
            is_open
                && match act.info().tier.map(Tier::as_i64) {
                    None => is_named && self.tier == 3,
                    Some(0) => true,
                    Some(needed) => {
                        (is_named || tier.is_some_and(|tier| tier.as_i64() >= needed)) && (by_tenant || self.tier >= needed)
                    }
                }
        };
        let mut running = self.asked.iter().filter(|asked| asked.who == who && asked.is_running(now));
        self.base(who, act) || (self.reaches(who) && running.any(by))
    }

    /// What saying yes is answered with, and what comes of it.
    fn yes(&mut self, word: &'static str, for_tenant: bool, which: usize, now: i64) -> u16 {
        let may = if for_tenant { may_for_tenant(word) } else { may_for_provider(word) };
        if let Some(status) = may {
            return status;
        }
        let asked = &self.asked[which];
        let approver = TEMPLATES[asked.template].0;
        if STAFF[asked.who] == word {
            return 403;
        }
        let (mine, other) = if for_tenant { (asked.tenant, asked.provider) } else { (asked.provider, asked.tenant) };
        let is_asked = approver == "both" || (approver == "tenant") == for_tenant;
        if !asked.waits(now) || !is_asked || mine.is_some() || other == Some(word) || !self.reaches(asked.who) {
            return 409;
        }
        let asked = &mut self.asked[which];
        *(if for_tenant { &mut asked.tenant } else { &mut asked.provider }) = Some(word);
        if approver != "both" || other.is_some() {
            asked.runs = Some((now, now + asked.minutes * MINUTE_US));
        }
        200
    }

    fn close(&mut self, which: usize, now: i64, may_run: bool) -> u16 {
        let asked = &mut self.asked[which];
        if asked.waits(now) {
            asked.is_closed = true;
        } else if asked.is_running(now) && may_run {
            asked.runs = asked.runs.map(|(from, _)| (from, now));
        } else {
            return 409;
        }
        200
    }
}

/// What somebody is answered who may not decide for the provider.
fn may_for_provider(word: &str) -> Option<u16> {
    match word {
        "priya" | DUAL => None,
        "t1" | "t2" | "t3" | "tech_view" => Some(403),
        _ => Some(404),
    }
}

/// What somebody is answered who may not decide for the tenant; staff that are not let in at present are told so.
fn may_for_tenant(word: &str) -> Option<u16> {
    match word {
        "admin" | "operator" | DUAL => None,
        _ => Some(403),
    }
}

/// A history as it goes on.
struct History {
    world: World,
    model: Model,
    templates: Vec<String>,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        let world = World::start(engine).await;
        world.run("UPDATE tenant SET staff_may_name_admins = ?2 WHERE id = ?1", params![tenant("acme"), true]).await;
        // Sessions that last however far the clock is moved.
        world.run("UPDATE session SET last_seen_at = expires_at", params![]).await;
        let mut templates = Vec::new();
        for (n, (approver, tier, names, has_modules)) in TEMPLATES.iter().enumerate() {
            let modules = if *has_modules { access::Modules::ALL } else { access::Modules::NONE };
            let body =
                json!({"name": format!("Template {n}"), "approver": approver, "tier": tier, "actions": names, "modules": modules});
            templates.push(world.template(body).await);
        }
        Self { world, model: Model::new(), templates }
    }

    fn now(&self) -> i64 {
        self.world.hub.hub.now().0
    }

    fn pass(&self, micros: i64) {
        self.world.hub.advance(Duration::from_micros(micros.unsigned_abs()));
    }

    /// Sends a word of either side. Answers its status.
    async fn say(&self, who: &str, for_tenant: bool, which: usize, word: &str) -> u16 {
        let id = &self.model.asked[which].id;
        if for_tenant { self.world.tenants_word(who, id, word).await.status } else { self.world.word(who, id, word).await.status }
    }

    /// The request that a step is about: one of the last few.
    fn picked(&self, which: usize) -> Option<usize> {
        let count = self.model.asked.len();
        (count > 0).then(|| count - 1 - which % count.min(6))
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.now();
        match *step {
            Step::Ask { who, template, minutes } => self.ask(who, template, minutes).await?,
            Step::Yes { who, for_tenant, which } => {
                let Some(which) = self.picked(which) else { return Ok(()) };
                let status = self.say(WORDS[who], for_tenant, which, "approve").await;
                // Staff may at the same time be shut out of the tenant: then its side is not theirs to know of or to enter.
                let wanted = self.model.yes(WORDS[who], for_tenant, which, now);
                prop_assert!(status == wanted || (wanted == 403 && status == 404), "{} {status} {wanted}", WORDS[who]);
            }
            Step::OwnYes { for_tenant, which } => {
                let Some(which) = self.picked(which) else { return Ok(()) };
                let status = self.say(STAFF[self.model.asked[which].who], for_tenant, which, "approve").await;
                prop_assert!(status == 403 || (status == 404 && for_tenant), "one's own: {status}");
            }
            Step::No { who, for_tenant, which } => self.close(who, for_tenant, which, "deny").await?,
            Step::End { who, for_tenant, which } => self.close(who, for_tenant, which, "end").await?,
            Step::EndOwn { which } => {
                let Some(which) = self.picked(which) else { return Ok(()) };
                let status = self.say(STAFF[self.model.asked[which].who], false, which, "end-own").await;
                prop_assert_eq!(status, self.model.close(which, now, true));
            }
            Step::Assign { who, tier } => self.assign(who, Some(tier)).await,
            Step::Unassign { who } => self.assign(who, None).await,
            Step::Relate { tier, frozen } => {
                (self.model.tier, self.model.frozen) = (tier, frozen);
                let state = if frozen { "frozen" } else { "active" };
                let sql = "UPDATE relationship SET tier = ?2, state = ?3 WHERE tenant_id = ?1";
                self.world.run(sql, params![tenant("acme"), tier, state]).await;
            }
            Step::Bar { who, barred } => self.bar(who, barred).await,
            Step::Pass { minutes } => self.pass(minutes * MINUTE_US),
            Step::Border => {
                let ends = self.model.asked.iter().filter_map(|asked| asked.runs).map(|(_, to)| to).filter(|to| now < *to);
                let Some(end) = ends.min() else { return Ok(()) };
                self.pass(end - 1 - now);
                self.compare().await?;
                self.pass(1);
            }
            Step::Late { who, minutes } => self.late(who, minutes * MINUTE_US).await?,
        }
        self.compare().await
    }

    async fn ask(&mut self, who: usize, template: usize, minutes: i64) -> Result<(), TestCaseError> {
        let now = self.now();
        let is_same = |asked: &Asked| asked.who == who && asked.template == template && asked.waits(now);
        let wanted = match (self.model.reaches(who), self.model.asked.iter().any(is_same)) {
            (false, _) => 422,
            (true, true) => 409,
            (true, false) => 201,
        };
        let answer = self.world.ask(STAFF[who], &self.templates[template], minutes).await;
        prop_assert_eq!(answer.status, wanted, "{}", answer.json);
        if wanted == 201 {
            let id = answer.json["id"].as_str().unwrap_or_default().to_owned();
            let (provider, tenant, runs, is_closed) = (None, None, None, false);
            self.model.asked.push(Asked { id, who, template, minutes, at: now, provider, tenant, runs, is_closed });
        }
        Ok(())
    }

    /// No, or enough, of either side.
    async fn close(&mut self, who: usize, for_tenant: bool, which: usize, word: &str) -> Result<(), TestCaseError> {
        let Some(which) = self.picked(which) else { return Ok(()) };
        let (who, now) = (WORDS[who], self.now());
        let status = self.say(who, for_tenant, which, word).await;
        let refused = if for_tenant { may_for_tenant(who) } else { may_for_provider(who) };
        let wanted = match refused {
            Some(status) => status,
            None => self.model.close(which, now, word == "end"),
        };
        prop_assert!(status == wanted || (wanted == 403 && status == 404), "{who} {word} {status} {wanted}");
        Ok(())
    }

    async fn assign(&mut self, who: usize, tier: Option<i64>) {
        if Model::is_chief(who) {
            return;
        }
        self.model.assigned[who] = tier;
        let (whom, acme) = (person(STAFF[who]), tenant("acme"));
        self.world.run("DELETE FROM assignment WHERE person_id = ?1 AND tenant_id = ?2", params![whom, acme]).await;
        let Some(tier) = tier else { return };
        let mask = if STAFF[who] == "tech_view" { access::Mask::VIEW } else { access::Mask::ALL };
        let id = kernel::ids::uuid_at(self.world.hub.hub.now());
        let sql = "INSERT INTO assignment (id, provider_id, tenant_id, person_id, tier, mask, modules, starts_at, created_at)
             VALUES (?1, (SELECT provider_id FROM staff WHERE person_id = ?3), ?2, ?3, ?4, ?5, ?6, 0, 0)";
        let (mask, modules) = (i64::from(mask.bits()), i64::from(access::Modules::ALL.bits()));
        self.world.run(sql, params![id, acme, whom, tier, mask, modules]).await;
    }

    async fn bar(&mut self, who: usize, barred: bool) {
        let (whom, acme) = (person(STAFF[who]), tenant("acme"));
        if barred && !self.model.barred[who] {
            let sql = "INSERT INTO bar (tenant_id, person_id, by_id, at, reason) VALUES (?1, ?2, ?3, 0, 'Removed.')";
            self.world.run(sql, params![acme, whom, person("admin")]).await;
        } else if !barred {
            self.world.run("DELETE FROM bar WHERE tenant_id = ?1 AND person_id = ?2", params![acme, whom]).await;
        }
        self.model.barred[who] = barred;
    }

    /// A write is done if it may be done when it begins and when it is committed.
    async fn late(&mut self, who: usize, by: i64) -> Result<(), TestCaseError> {
        let now = self.now();
        let at_first = self.model.may(who, Act::OverrideCreate, now);
        let at_last = self.model.may(who, Act::OverrideCreate, now + by);
        let answer = self.world.write_late(STAFF[who], Duration::from_micros(by.unsigned_abs())).await;
        prop_assert_eq!(answer.is_success(), at_first && at_last, "{} {}", STAFF[who], answer.json);
        prop_assert!(answer.is_success() || matches!(answer.status, 403 | 404), "{}", answer.json);
        Ok(())
    }

    /// Everybody may do what the model says, no more and no less.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let now = self.now();
        for (who, name) in STAFF.iter().enumerate() {
            let can = self.world.can(name).await;
            for act in ACTS {
                let (may, wanted) = (can[act.name()]["allowed"] == json!(true), self.model.may(who, act, now));
                prop_assert_eq!(may, wanted, "{} {} {} with {:?}", name, act, can[act.name()], self.model.asked);
            }
        }
        Ok(())
    }
}

fn rights_are_as_the_model_says(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let mut history = History::begin(engine).await;
            for step in &steps {
                history.take(step).await?;
            }
            Ok(())
        })
    });
    outcome.expect("rights are as the model says");
}

#[test]
fn rights_are_as_the_model_says_on_sqlite() {
    rights_are_as_the_model_says(Engine::Sqlite, 10);
}

#[test]
fn rights_are_as_the_model_says_on_postgres() {
    rights_are_as_the_model_says(Engine::Postgres, 4);
}
