//! What random histories of elevations are held against: the rules anew, without a database or a policy.

use access::{Act, Tier};

use super::super::stage::DUAL;

/// Who asks, with what they are at the beginning.
pub(super) const STAFF: [&str; 5] = ["t1", "t2", "t3", "tech_view", "priya"];
pub(super) const MINUTE_US: i64 = 60_000_000;
pub(super) const DAY_US: i64 = 24 * 3_600_000_000;

/// Whose word, which tier, which named actions, which modules.
pub(super) const TEMPLATES: [(&str, Option<Tier>, &[Act], bool); 6] = [
    ("provider", Some(Tier::T3), &[], true),
    ("provider", Some(Tier::T2), &[Act::MemberGrantAdmin], true),
    ("tenant", Some(Tier::T3), &[], false),
    ("tenant", None, &[Act::OverrideCreate, Act::MemberInvite, Act::MemberGrantAdmin], true),
    ("both", Some(Tier::T2), &[], true),
    ("both", Some(Tier::T3), &[Act::MemberGrantAdmin], true),
];

/// What became of a request, as the model has it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub id: String,
    pub who: usize,
    pub template: usize,
    pub minutes: i64,
    pub at: i64,
    pub provider: Option<&'static str>,
    pub tenant: Option<&'static str>,
    pub runs: Option<(i64, i64)>,
    pub is_closed: bool,
}

impl Asked {
    pub fn waits(&self, now: i64) -> bool {
        !self.is_closed && self.runs.is_none() && now < self.at + DAY_US
    }

    pub fn is_running(&self, now: i64) -> bool {
        self.runs.is_some_and(|(from, to)| from <= now && now < to)
    }
}

pub(super) struct Model {
    /// Tier of the assignment; none is none. Of the provider admin it does not matter.
    pub assigned: [Option<i64>; STAFF.len()],
    pub barred: [bool; STAFF.len()],
    pub tier: i64,
    pub frozen: bool,
    pub asked: Vec<Asked>,
}

impl Model {
    pub fn new() -> Self {
        let assigned = [Some(1), Some(2), Some(3), Some(3), None];
        Self { assigned, barred: [false; STAFF.len()], tier: 3, frozen: false, asked: Vec::new() }
    }

    pub fn is_chief(who: usize) -> bool {
        STAFF[who] == "priya"
    }

    /// Stands on the tenant at all, elevations aside.
    pub fn reaches(&self, who: usize) -> bool {
        !self.frozen && !self.barred[who] && (Self::is_chief(who) || self.assigned[who].is_some())
    }

    /// May do it, elevations aside.
    pub fn base(&self, who: usize, act: Act) -> bool {
        let Some(needed) = act.info().tier.map(Tier::as_i64) else { return false };
        let own = if Self::is_chief(who) { 3 } else { self.assigned[who].unwrap_or(-1) };
        let in_mask = STAFF[who] != "tech_view" || act.info().op == access::Op::View;
        self.reaches(who) && in_mask && needed <= own.min(self.tier)
    }

    /// May do it now: anyway, or by what runs.
    pub fn may(&self, who: usize, act: Act, now: i64) -> bool {
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
    pub fn yes(&mut self, word: &'static str, for_tenant: bool, which: usize, now: i64) -> u16 {
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

    pub fn close(&mut self, which: usize, now: i64, may_run: bool) -> u16 {
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
pub(super) fn may_for_provider(word: &str) -> Option<u16> {
    match word {
        "priya" | DUAL => None,
        "t1" | "t2" | "t3" | "tech_view" => Some(403),
        _ => Some(404),
    }
}

/// What somebody is answered who may not decide for the tenant; staff that are not let in at present are told so.
pub(super) fn may_for_tenant(word: &str) -> Option<u16> {
    match word {
        "admin" | "operator" | DUAL => None,
        _ => Some(403),
    }
}
