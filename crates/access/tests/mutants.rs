//! Mistakes that somebody could make in hub.cedar, one at a time: every one is noticed by a question that the rule in plain Rust
//! answers otherwise. `docs/mutations.md` lists them; `UPDATE=1` writes it.
#![allow(clippy::unwrap_used)]

mod common;
mod edits;

use std::fmt::Write as _;
use std::fs;
use std::thread;

use access::text::POLICIES;
use access::{Act, Engine, Grant, Plane, StaffRole, Subject, TenantRole, Tier};
use common::pinned::{edges, one_thing_off, pinned};
use common::rule::may;
use common::{Ask, asks, elevated, explicit, full_elevation, member, provider_admin, staff, technician};
use edits::{EDITS, Edit};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mutations.md");
const BEGIN: &str = "<!-- policies, written by crates/access/tests/mutants.rs: begin -->\n";
const END: &str = "<!-- policies, written by crates/access/tests/mutants.rs: end -->\n";

/// A question, where it comes from, and the right answer.
struct Judged {
    from: &'static str,
    ask: Ask,
    right: bool,
}

/// Every action through every kind of grant with everything in order: the cells of the matrix.
fn cells() -> impl Iterator<Item = Ask> {
    let grants = |act: &Act| -> Vec<Grant> {
        match act.info().plane {
            Plane::Data | Plane::Records | Plane::Client => {
                let tiers = Tier::ALL.iter();
                let staff = tiers.flat_map(|t| {
                    let raised = elevated(technician(Tier::T1), full_elevation(*t));
                    [provider_admin(*t), technician(*t), explicit(provider_admin(*t)), raised]
                });
                staff.chain(TenantRole::ALL.iter().map(|role| member(*role))).collect()
            }
            Plane::Provider => StaffRole::ALL.iter().map(|role| staff(*role)).collect(),
            Plane::Own => vec![Grant::SelfOnly],
            Plane::Public => vec![Grant::Nobody],
        }
    };
    Act::ALL.iter().flat_map(move |act| grants(act).into_iter().map(|grant| Ask::new(*act, grant)))
}

/// A colleague's row, where rows are protected: what a guard that stops too much would stop.
fn colleagues() -> impl Iterator<Item = Ask> {
    cells().flat_map(|ask| {
        let rows = [
            Subject::Member { role: TenantRole::Admin, last_admin: false },
            Subject::Staff { role: StaffRole::ProviderAdmin, last_admin: false, is_self: false },
            Subject::Assignment { person_is_self: false },
            Subject::Request { is_self: false },
        ];
        rows.map(|row| ask.clone().about(row))
    })
}

fn questions() -> Vec<Judged> {
    let judged = |from| move |ask: Ask| Judged { from, right: may(&ask), ask };
    let mut all: Vec<Judged> = pinned().into_iter().map(|(_, ask)| ask).map(judged("a pinned question")).collect();
    all.extend(edges().into_iter().map(judged("a question on an edge")));
    all.extend(one_thing_off().into_iter().map(judged("a grant with one thing otherwise")));
    all.extend(cells().map(judged("a cell of the matrix")));
    all.extend(colleagues().map(judged("a colleague's row")));
    all.extend(asks(8, 20_000).map(judged("a random question")));
    all
}

/// The policies with the edit made in the one policy it is about, where it must match exactly once.
fn apply(edit: &Edit) -> String {
    let start = POLICIES.find(&format!("@id(\"{}\")", edit.policy)).unwrap_or_else(|| panic!("{} is no policy", edit.policy));
    let length = POLICIES[start + 1..].find("@id(").map_or(POLICIES.len() - start, |next| next + 1);
    let policy = &POLICIES[start..start + length];
    assert_eq!(policy.matches(edit.find).count(), 1, "{}: {:?} must stand there exactly once", edit.policy, edit.find);
    [&POLICIES[..start], &policy.replace(edit.find, edit.replace), &POLICIES[start + length..]].concat()
}

/// What noticed the edit first.
fn noticed(edit: &Edit, questions: &[Judged]) -> Option<String> {
    let engine = match Engine::with_policies(&apply(edit)) {
        Ok(engine) => engine,
        Err(access::Error::Invalid(_)) => return Some("strict validation".into()),
        Err(e) => panic!("{}: {e}", edit.what),
    };
    let wrong = questions.iter().find(|q| engine.decide(&q.ask.question()).allowed != q.right)?;
    Some(format!("{}: `{}` {}", wrong.from, wrong.ask.act, if wrong.right { "is refused" } else { "is allowed" }))
}

#[test]
fn the_questions_find_nothing_wrong_with_the_policies_as_they_are() {
    let engine = Engine::with_policies(POLICIES).unwrap();
    for q in questions() {
        assert_eq!(engine.decide(&q.ask.question()).allowed, q.right, "{:#?}", q.ask);
    }
}

#[test]
fn every_mistake_in_the_policies_is_noticed() {
    assert!(EDITS.len() >= 40);
    let questions = questions();
    let half = EDITS.len().div_ceil(2);
    let found: Vec<Option<String>> = thread::scope(|scope| {
        let halves = EDITS.chunks(half).map(|part| scope.spawn(|| part.iter().map(|e| noticed(e, &questions)).collect::<Vec<_>>()));
        halves.collect::<Vec<_>>().into_iter().flat_map(|h| h.join().unwrap()).collect()
    });
    let missed: Vec<_> = EDITS.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(e, _)| (e.policy, e.what)).collect();
    assert!(missed.is_empty(), "nobody noticed: {missed:#?}");
    let mut table = String::from("| Policy | Mistake | Noticed by |\n|---|---|---|\n");
    for (edit, by) in EDITS.iter().zip(found.iter().flatten()) {
        writeln!(table, "| `{}` | {} | {by} |", edit.policy, edit.what).unwrap();
    }
    hold_against_the_page(&format!("{} mistakes, each noticed.\n\n{table}", EDITS.len()));
}

fn hold_against_the_page(text: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let right = format!("{before}{BEGIN}\n{text}\n{END}{after}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, right).unwrap();
    } else {
        assert!(page == right, "docs/mutations.md is out of date: UPDATE=1 cargo test -p access --test mutants");
    }
}
